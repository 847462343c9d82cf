//! Behaviour tests, through the library and through the binary.

#[cfg(test)]
mod backups;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fit_corpus;
#[cfg(test)]
mod fit_identity;
#[cfg(test)]
mod manifest;
#[cfg(test)]
mod state;
mod support;
