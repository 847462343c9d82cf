//! Files on this machine that outlive a run: names, cache, backups.
