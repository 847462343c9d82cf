//! The two straight lines.
