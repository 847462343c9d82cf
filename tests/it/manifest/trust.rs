//! Which files may hold secrets and touch the machine.

use std::fs;
use std::os::unix::fs::symlink;

use fit_sync::manifest::Trust;

use super::world::World;

const GUARDED: &[&str] = &[
    "accounts: { garmin_us: { password: x } }",
    "accounts: { garmin_us: { password_command: x } }",
    "accounts: { garmin_us: { password_file: x } }",
    "accounts: { garmin_us: { mfa_command: x } }",
    "accounts: { garmin_us: { endpoints: { sso: https://h } } }",
    "accounts: { garmin_us: { proxy: http://h } }",
    "accounts: { garmin_us: { ca_file: x } }",
    "state: x",
    "backups: x",
    "cache: { directory: x }",
];

#[test]
fn guarded_keys_need_a_private_file_or_trust() {
    for text in GUARDED {
        let mut world = World::with(text);
        assert!(world.load().is_ok(), "closed by a folder: {text}");
        world.open();
        world.mode("work/fit_sync.yaml", 0o600);
        assert!(world.load().is_ok(), "closed by its own mode: {text}");
        for mode in [0o644, 0o640, 0o604, 0o620, 0o602] {
            world.mode("work/fit_sync.yaml", mode);
            assert_eq!(world.codes(), ["not_private"], "{mode:o} {text}");
        }
        world.mode("work", 0o700);
        assert!(world.load().is_ok(), "closed by its folder: {text}");
        fs::create_dir(world.path(".git")).unwrap();
        assert_eq!(world.codes(), ["not_private"], "in a work tree: {text}");
        world.trust = Trust::Everything;
        assert!(world.load().is_ok(), "trusted: {text}");
    }
}

#[test]
fn a_file_of_another_user_is_not_private() {
    for text in GUARDED {
        let mut world = World::with(text);
        world.uid += 1;
        assert_eq!(world.codes(), ["not_private"], "{text}");
    }
}

#[test]
fn a_linked_work_tree_counts_by_its_git_file() {
    let world = World::with(GUARDED[0]);
    world.write("work/.git", "gitdir: elsewhere\n");
    assert_eq!(world.codes(), ["not_private"]);
}

#[test]
fn a_link_is_as_private_as_both_its_ends() {
    let world = World::new();
    world.write("home/real.yaml", GUARDED[0]);
    symlink(world.path("home/real.yaml"), world.path("work/fit_sync.yaml")).unwrap();
    assert!(world.load().is_ok());
    fs::create_dir(world.path("work/.git")).unwrap();
    assert_eq!(world.codes(), ["not_private"]);
    fs::remove_dir(world.path("work/.git")).unwrap();
    fs::create_dir(world.path("home/.git")).unwrap();
    assert_eq!(world.codes(), ["not_private"]);
}

#[test]
fn what_is_harmless_is_fine_anywhere() {
    let world =
        World::with("accounts: { garmin_us: { email: a, password_env: B } }\nsync_rules: []\n");
    world.write("work/.git", "");
    assert!(world.load().is_ok());
    let home = world.path("home/cache/x");
    world.write("work/fit_sync.yaml", format!("cache: {{ directory: {} }}", home.display()));
    assert!(world.load().is_ok());
    let outside = world.path("home/../x");
    world.write("work/fit_sync.yaml", format!("cache: {{ directory: {} }}", outside.display()));
    assert_eq!(world.codes(), ["not_private"]);
}

#[test]
fn a_secret_in_a_public_file_is_refused_even_if_home_overrides_it() {
    let world = World::with(GUARDED[0]);
    world.write("work/.git", "");
    world.write("home/accounts.yaml", "accounts: { garmin_us: { password: y } }");
    assert_eq!(world.codes(), ["not_private"]);
}
