//! `clear-cache`: what can be had again goes, what was decided or done stays.

use std::collections::BTreeMap;
use std::fs;

use super::world::{cli, shows};
use crate::support::cli::{Cli, MANIFEST, ride, tree};

/// Everything was done once: listed, downloaded, applied, decided, and somebody has logged in.
fn used() -> Cli {
    let cli = cli();
    cli.run("download --account watch --all").ok();
    cli.run("download --account archive --all").ok();
    cli.run("apply --auto-approve").ok();
    cli.run("state ignore keep/2026-11-05T15:41:07Z").ok();
    fs::create_dir(cli.home("sessions")).unwrap();
    fs::create_dir(cli.home("logins")).unwrap();
    fs::create_dir_all(cli.home("backups")).unwrap();
    for file in ["sessions/watch.json", "sessions/garmin_us.json", "logins/watch.json"] {
        fs::write(cli.home(file), "{}").unwrap();
    }
    fs::write(cli.home("backups/kept.fit"), "a backup").unwrap();
    cli
}

fn kept(cli: &Cli) -> BTreeMap<String, Vec<u8>> {
    let mut files = tree(&cli.root());
    files.retain(|path, _| {
        let can_be_had_again = ["home/cache/", "home/sessions/", "home/state.db"];
        !can_be_had_again.iter().any(|place| path.starts_with(place))
    });
    files
}

fn count(cli: &Cli, folder: &str) -> usize {
    tree(&cli.home(folder)).len()
}

#[test]
fn each_variant_says_what_it_removed_and_what_it_kept() {
    for (name, args, sessions, files) in [
        ("default", "clear-cache", 2, 0),
        ("auth-only", "clear-cache --auth-only", 0, 5),
        ("activities-only", "clear-cache --activities-only", 2, 5),
        ("all", "clear-cache --all", 0, 0),
        ("account", "clear-cache --all --account watch", 1, 0),
        ("other-account", "clear-cache --account archive", 2, 5),
    ] {
        let cli = used();
        let before = (kept(&cli), cli.run("state list --json").ok().stdout);
        shows(&cli, &format!("clear-cache-{name}"), args);
        assert_eq!(
            (count(&cli, "sessions"), count(&cli, "cache/fit")),
            (sessions, files),
            "{name}"
        );
        let after = (kept(&cli), cli.run("state list --json").ok().stdout);
        assert!(before == after, "{name}");
        // Pairs and decisions are known as before; nothing is done twice.
        let plan = cli.run("plan -v").ok().says("No changes.");
        assert!(plan.stdout.contains("ignored"), "{plan:#?}");
    }
}

#[test]
fn a_cleared_listing_is_read_anew_and_a_loss_is_still_seen() {
    let cli = cli();
    cli.run("apply --auto-approve").ok();
    cli.run("clear-cache").ok();
    cli.run("list --offline --account watch").exits(5).tells("never been read");
    cli.run("plan --refresh none").exits(5).says("never been read");
    let shown = cli.run("state show watch --json").ok().json();
    assert_eq!(shown["inventory"], serde_json::Value::Null);
    fs::rename(cli.path("archive/running"), cli.path("elsewhere")).unwrap();
    for folder in ["cycling", "hiking"] {
        fs::remove_dir_all(cli.path("archive").join(folder)).unwrap();
    }
    cli.fit("watch/new.fit", &ride("2026-11-19T06:00:00Z"));
    cli.run("apply --auto-approve").exits(6).says("min_inventory_ratio");
    fs::rename(cli.path("elsewhere"), cli.path("archive/running")).unwrap();
    cli.run("plan").ok().says("1 to upload");
}

#[test]
fn an_unknown_account_and_a_faulty_manifest_remove_nothing() {
    let cli = used();
    shows(&cli, "clear-cache-wrong-account", "clear-cache --account wacth");
    cli.manifest("acounts: {}\n");
    cli.run("clear-cache --all").exits(3);
    assert_eq!((count(&cli, "sessions"), count(&cli, "cache/fit")), (2, 5));
    for wrong in ["clear-cache --auth-only --all", "clear-cache --auth-only --activities-only"] {
        cli.run(wrong).exits(64);
    }
}

#[test]
fn nothing_is_made_in_order_to_be_cleared() {
    let cli = Cli::new(MANIFEST);
    cli.run("clear-cache --all").ok().says("Removed: 0 listings");
    assert!(!cli.home("").exists());
    let cli = Cli::empty();
    cli.run("clear-cache").ok();
    assert!(!cli.home("").exists());
    cli.run("--config nosuch.yaml clear-cache").exits(3);
}
