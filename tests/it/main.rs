//! Behaviour tests, through the library and through the binary.

#[cfg(test)]
mod against;
#[cfg(test)]
mod altering;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod backups;
#[cfg(test)]
mod cache;
mod cases;
#[cfg(test)]
mod claims;
mod cli;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod coros;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod everyday;
mod exports;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fit_corpus;
#[cfg(test)]
mod fit_identity;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod fresh;
#[cfg(test)]
mod garmin;
#[cfg(test)]
mod import;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod locks;
#[cfg(test)]
mod login;
#[cfg(test)]
mod manifest;
#[cfg(test)]
#[cfg(test)]
mod pipelines;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod redaction;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod saved;
#[cfg(test)]
mod settling;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod state;
#[cfg(test)]
mod stops;
mod support;
#[cfg(test)]
mod twins;
#[cfg(test)]
mod within;
