//! Manifests: what a correct one means, what each fault looks like, what hostile ones cannot do.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what the tests share is test code too"
)]

mod cases;
mod hostile;
mod meaning;
mod secrets;
mod trust;
mod world;
