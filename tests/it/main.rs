//! Behaviour tests, through the library and through the binary.
mod state;
