//! COROS, against a server on this machine: sessions, inventory, files, imports.

mod files;
mod imports;
mod inventory;
mod sessions;
mod stage;
