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
mod locks;
#[cfg(test)]
mod manifest;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod state;
mod support;
#[cfg(test)]
mod within;
