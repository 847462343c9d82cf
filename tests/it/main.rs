//! Behaviour tests, through the library and through the binary.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod backups;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod fit_corpus;
#[cfg(test)]
mod fit_identity;
#[cfg(test)]
mod manifest;
#[cfg(test)]
mod model;
#[cfg(test)]
mod redaction;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod state;
mod support;
