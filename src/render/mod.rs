//! Values in, text out.

pub mod diagnostics;
