//! COROS Training Hub: United States, China, Europe, Singapore.
//!
//! So far only what the manifest's check and the documentation need: the platform as data.

pub(super) mod spec;
