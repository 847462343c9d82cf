//! Garmin without an account: three made-up ones on this machine, to try every kind of login on.
//!
//! `cargo run --example fakes [FOLDER]` writes a home and a manifest into the folder, starts the
//! servers and tells what to do. They end with Ctrl-C and forget everything.

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

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use fake_garmin::{Code, FakeGarmin, Switches};
use fit::FitFile;
use jiff::{SignedDuration, Timestamp};

const MANIFEST: &str = "\
# Two accounts of the fakes: what the global one holds, the Chinese one shall hold.
accounts:
  garmin_us: {}
  garmin_cn: {}
sync_rules:
  - { name: us-to-cn, source: garmin_us, destination: garmin_cn }
";

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| std::env::temp_dir().join("fit_sync-fakes"));
    let us = start("garmin.com", "us@example.com", 1, None, 8710);
    let cn = start("garmin.cn", "cn@example.com", 2, None, 8720);
    let mfa = start("garmin.com", "mfa@example.com", 3, Some(Code::new("123456")), 8730);
    fill(&us, 40);
    fill(&mfa, 5);
    let accounts = format!(
        "accounts:\n\
         \x20 garmin_us: {{ email: us@example.com, password: right, endpoints: {} }}\n\
         \x20 garmin_cn: {{ email: cn@example.com, password: right, endpoints: {} }}\n\
         \x20 garmin_mfa: {{ platform: garmin, region: global, email: mfa@example.com, password: right, endpoints: {} }}\n",
        us.endpoints(),
        cn.endpoints(),
        mfa.endpoints()
    );
    write(&folder, &accounts)?;
    write_tokens(&folder, &us, &cn)?;
    let told = format!(
        "Three accounts are up; the password is 'right', the code of garmin_mfa 123456. In another \
         terminal:\n\n  export FIT_SYNC_HOME={0}/home\n  cd {0}\n  fit_sync auth\n  fit_sync \
         plan\n\nCtrl-C ends them.\n",
        folder.display()
    );
    std::io::stdout().write_all(told.as_bytes())?;
    loop {
        std::thread::park();
    }
}

fn start(
    domain: &'static str,
    email: &str,
    profile: i64,
    code: Option<Code>,
    port: u16,
) -> FakeGarmin {
    let mut switches = Switches::of(domain);
    email.clone_into(&mut switches.email);
    switches.profile = profile;
    switches.code = code;
    FakeGarmin::start_at(switches, port)
}

/// So many made-up activities, one every other day.
fn fill(fake: &FakeGarmin, count: u32) {
    let last: Timestamp = "2026-11-19T06:12:33Z".parse().unwrap_or_default();
    let kinds = [(1, 0, "Morning Run"), (2, 0, "Evening Ride"), (1, 3, "Ridge Run")];
    for (number, (sport, sub_sport, title)) in (0..count).zip(kinds.iter().cycle()) {
        let earlier = SignedDuration::from_hours(48 * i64::from(number));
        let start = last.checked_sub(earlier).unwrap_or_default();
        let file = FitFile::new(start)
            .sport(*sport, *sub_sport)
            .elapsed_s(1800 + 60 * number)
            .distance_m(5000 + 250 * number)
            .records(60);
        fake.world().store(&file.build(), title);
    }
}

/// Tokens as other tools keep them: python-garminconnect's of the first account, garth's of the second.
fn write_tokens(folder: &Path, us: &FakeGarmin, cn: &FakeGarmin) -> std::io::Result<()> {
    let [lasting, traded] = cn.world().older_tokens();
    let files = [
        ("garminconnect/garmin_tokens.json", us.world().newer_tokens().to_string()),
        ("garth/oauth1_token.json", lasting.to_string()),
        ("garth/oauth2_token.json", traded.to_string()),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, text)?;
    }
    Ok(())
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

/// A private home and a manifest, as on the first day.
fn write(folder: &Path, accounts: &str) -> std::io::Result<()> {
    let home = folder.join("home");
    fs::create_dir_all(&home)?;
    forget(&home)?;
    fs::set_permissions(&home, Permissions::from_mode(0o700))?;
    fs::write(home.join("accounts.yaml"), accounts)?;
    fs::set_permissions(home.join("accounts.yaml"), Permissions::from_mode(0o600))?;
    fs::write(folder.join("fit_sync.yaml"), MANIFEST)
}
