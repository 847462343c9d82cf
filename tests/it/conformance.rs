//! One suite of cases for every platform.
