//! Behaviour tests, through the library and through the binary.

#[cfg(test)]
mod backups;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod fit_corpus;
#[cfg(test)]
mod fit_identity;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod state;
mod support;
