//! The memory: inventories, links, journal, in one SQLite file.
