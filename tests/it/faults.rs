//! What apply makes of a world in which everything can go wrong.

mod cases;
mod matrix;
pub(crate) mod stage;
