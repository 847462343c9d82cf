//! Sessions: how accounts are opened, what is asked of the platform for it, and what is left behind.

mod canary;
mod import;
mod keeping;
mod matrix;
mod roads;
mod stage;
mod walk;
mod words;
