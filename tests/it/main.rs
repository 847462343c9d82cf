//! Behaviour tests, through the library and through the binary.

#[cfg(test)]
mod fit_corpus;
#[cfg(test)]
mod fit_identity;
mod support;
