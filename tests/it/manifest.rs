//! Manifests: what a correct one means, what each fault looks like, what hostile ones cannot do.

mod cases;
mod hostile;
mod meaning;
mod secrets;
mod texts;
mod trust;
mod world;
