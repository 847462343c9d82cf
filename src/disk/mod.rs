//! Files of this program's own: written whole or not at all, and closed to others where
//! private.

mod resolve;
mod write;

pub use write::{
    Access, Care, Mode, create_private_dir, remove_leftovers, replace, sync_folder,
    write_atomically, write_new,
};
