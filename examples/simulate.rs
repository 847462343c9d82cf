//! A skeleton.
fn main() {}
