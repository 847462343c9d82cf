//! Behaviour tests, through the library and through the binary.

mod manifest;
mod support;
