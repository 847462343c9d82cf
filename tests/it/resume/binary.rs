//! The program itself, killed and interrupted as a person would do it.
