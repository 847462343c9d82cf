//! COROS, against a server on this machine: sessions, inventory, files, imports.

mod canary;
mod faults;
mod files;
mod flows;
mod guesses;
mod imports;
mod inventory;
mod matrix;
mod seed;
mod sessions;
mod stage;
