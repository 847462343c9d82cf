//! A folder of FIT files as an account.
