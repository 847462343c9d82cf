//! An account in memory with scripted faults, for tests and for simulating an apply.
