//! What opens accounts: sessions, what is known about logins, and where passwords come from.
//!
//! Everything lies in files of home that only their owner can read, written whole or not at all. A
//! session is renewed under its account's lock, so that two runs never use up one refresh token.
//! Knows no platform and no network.

mod credentials;
mod lock;
mod login;
mod session;
mod store;

pub use credentials::{CredentialsError, Lookup, Secrets, command_line, variable};
pub use lock::SessionLock;
pub use login::{FIRST_COOLDOWN, Logins};
pub use session::{FORMAT, Session, Token};
pub use store::{Vault, VaultError};
