//! What tests need to build their world.

pub(crate) mod catalog;
#[cfg(test)]
pub(crate) mod cli;
#[cfg(test)]
pub(crate) mod coros;
#[cfg(test)]
pub(crate) mod fake_coros;
#[cfg(test)]
pub(crate) mod fake_garmin;
pub(crate) mod fit;
#[cfg(test)]
pub(crate) mod garmin;
#[cfg(test)]
pub(crate) mod made_up;
#[cfg(test)]
pub(crate) mod memory;
#[cfg(test)]
pub(crate) mod reaper;
#[cfg(test)]
mod remembered;
#[cfg(test)]
pub(crate) mod scenario;
#[cfg(test)]
mod server;
#[cfg(test)]
pub(crate) mod session;
#[cfg(test)]
pub(crate) mod simulate;
#[cfg(test)]
pub(crate) mod snapshot;
#[cfg(test)]
pub(crate) mod spec;
#[cfg(test)]
pub(crate) mod witness;
#[cfg(test)]
pub(crate) mod world;
#[cfg(test)]
pub(crate) mod zip;
