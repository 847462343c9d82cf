//! Files of this program's own: written whole or not at all, closed to others where private, and
//! locked by the kernel.

mod file_lock;
mod resolve;
mod write;

pub use file_lock::{Attempt, FileLock, LockMode};
pub use write::{
    Access, Care, Mode, create_private_dir, remove_leftovers, replace, sync_folder,
    write_atomically, write_new,
};
