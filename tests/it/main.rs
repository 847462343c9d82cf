//! Behaviour tests, through the library and through the binary.

#[cfg(test)]
mod fit_identity;
