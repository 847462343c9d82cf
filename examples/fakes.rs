//! Garmin and COROS without an account: made-up ones on this machine, to try logins, plans and applies
//! on.
//!
//! `cargo run --example fakes [FOLDER]` writes a home and manifests into the folder, starts the
//! servers and tells what to do. They end with Ctrl-C and forget everything.

#[path = "../tests/it/support/fake_coros/mod.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unused_imports,
    reason = "made for tests, which use more of it and want to hear of what they did not expect"
)]
mod fake_coros;
#[path = "../tests/it/support/fake_garmin/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "made for tests, which use more of it and want to hear of what they did not expect"
)]
mod fake_garmin;
#[path = "../tests/it/support/fit.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod fit;
#[path = "../tests/it/support/made_up.rs"]
#[expect(clippy::indexing_slicing, reason = "made for tests")]
mod made_up;
#[path = "../tests/it/support/reaper.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod reaper;
#[path = "../tests/it/support/server.rs"]
#[expect(clippy::unwrap_used, reason = "made for tests")]
mod server;

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use made_up::MadeUp;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    // Whoever asks for an option hears how it is used, and finds no folder of that name.
    let is_option = |folder: &PathBuf| folder.as_os_str().as_encoded_bytes().starts_with(b"-");
    if folder.as_ref().is_some_and(is_option) {
        return std::io::stdout().write_all(b"cargo run --example fakes [FOLDER]\n");
    }
    let folder = folder.unwrap_or_else(|| std::env::temp_dir().join("fit_sync-fakes"));
    let made_up = MadeUp::start(8710);
    write(&folder, &made_up)?;
    let told = format!(
        "Four accounts are up; the password is 'right', the code of garmin_mfa 123456. In another \
         terminal:\n\n  export FIT_SYNC_HOME={0}/home\n  cd {0}\n  fit_sync auth\n  fit_sync \
         plan\n\nCtrl-C ends them.\n",
        folder.display()
    );
    std::io::stdout().write_all(told.as_bytes())?;
    loop {
        std::thread::park();
    }
}

/// A private home, manifests and tokens, as on the first day.
fn write(folder: &Path, made_up: &MadeUp) -> std::io::Result<()> {
    let home = folder.join("home");
    fs::create_dir_all(&home)?;
    forget(&home)?;
    fs::set_permissions(&home, Permissions::from_mode(0o700))?;
    for (name, text) in made_up.files("") {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, text)?;
    }
    fs::set_permissions(home.join("accounts.yaml"), Permissions::from_mode(0o600))
}

/// What is remembered of accounts that an earlier run made up.
fn forget(home: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(home)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "sessions" || name == "logins" || name == "cache" {
            fs::remove_dir_all(entry.path())?;
        } else if name.starts_with("state.db") && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
