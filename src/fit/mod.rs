//! FIT files: what recording a file holds, and whether it is whole.
