//! What is said to those who ask for help or the wrong thing, and what needs no account.

use std::fs;

use serde_json::{Value, json};

use crate::support::cli::{Cli, MANIFEST, context, gzip, ride, steps};

const EARLY: &str = "2026-11-01T06:12:33Z";
const LATE: &str = "2026-11-02T06:12:33Z";

fn two() -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(EARLY));
    cli.fit("watch/b.fit", &ride(LATE));
    cli
}

#[test]
fn help_and_version_end_well_on_stdout() {
    let cli = Cli::empty();
    cli.run("--version").ok().says(concat!("fit_sync ", env!("CARGO_PKG_VERSION"), "\n"));
    for command in ["--help", "-h", "help", "plan --help", "help state", "state adopt --help"] {
        let ran = cli.run(command).ok();
        assert!(ran.stdout.contains("Usage:") && ran.stderr.is_empty(), "{ran:#?}");
    }
    assert!(!cli.home("").exists());
}

#[test]
fn a_wrong_command_line_ends_with_64() {
    let cli = two();
    for wrong in [
        "",
        "nosuch",
        "--nosuch",
        "plan --nosuch",
        "plan extra",
        "plan --json --format text",
        "plan --format xml",
        "plan --refresh sometimes",
        "plan --max-downloads many",
        "plan --max-downloads -1",
        "plan --color blue",
        "apply --allow uploads",
        "apply --allow uploads=many",
        "apply --allow deletes=1",
        "show",
        "inspect",
        "state",
        "state nosuch",
        "state rm",
        "schema",
        "schema nosuch",
        "completions",
        "completions nosuch",
    ] {
        let ran = cli.run(wrong).exits(64);
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{ran:#?}");
    }
    cli.run("paln").exits(64).tells("plan");
}

#[test]
fn a_manifest_that_is_missing_empty_or_wrong_ends_with_3() {
    let cli = Cli::empty();
    for command in ["plan", "apply --auto-approve", "validate", "state ignore keep/@x"] {
        cli.run(command).exits(3);
        cli.run(&format!("--config nosuch.yaml {command}")).exits(3).tells("nosuch.yaml");
    }
    cli.manifest("");
    cli.run("plan").exits(3);
    cli.manifest("accounts: {}\nsync_rulez: []\n");
    cli.run("plan").exits(3).tells("fit_sync.yaml:2:1");
    let found = cli.run("validate --json").exits(3).json();
    assert_eq!(found["format"], "fit_sync.diagnostics/1");
    assert_eq!(
        (&found["diagnostics"][0]["line"], &found["diagnostics"][0]["column"]),
        (&json!(2), &json!(1))
    );
    assert!(!cli.home("").exists(), "nothing is made for a manifest that is not clean");
}

#[test]
fn a_manifest_is_found_where_the_contract_says() {
    let cli = two();
    cli.run("plan").ok();
    let text = fs::read_to_string(cli.path("fit_sync.yaml")).unwrap();
    fs::remove_file(cli.path("fit_sync.yaml")).unwrap();
    let absolute = text.replace("path: ", &format!("path: {}/", cli.work().display()));
    fs::write(cli.home("config.yml"), &absolute).unwrap();
    cli.run("plan").ok().says("2 to upload");
    cli.put("fit_sync.yml", text.replace("keep", "here"));
    cli.run("plan").ok().says("here: watch");
    cli.put("sub/mine.yaml", text.replace("path: ", "path: ../").replace("keep", "sub"));
    cli.run("plan --config sub/mine.yaml").ok().says("sub: watch").says("2 to upload");
}

#[test]
fn accounts_of_this_machine_win() {
    let cli = two();
    cli.run("plan").ok();
    fs::write(cli.home("accounts.yaml"), "accounts:\n  watch: { path: elsewhere }\n").unwrap();
    fs::set_permissions(
        cli.home("accounts.yaml"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    fs::create_dir(cli.home("elsewhere")).unwrap();
    fs::copy(cli.path("watch/a.fit"), cli.home("elsewhere/a.fit")).unwrap();
    cli.run("plan").ok().says("1 to upload");
}

#[test]
fn folders_that_are_one_or_nested_are_refused() {
    for path in ["watch", "./watch/", "watch/deep", ".", "link", "link/deep", "../work/watch"] {
        let cli = two();
        std::os::unix::fs::symlink(cli.path("watch"), cli.path("link")).unwrap();
        cli.manifest(&MANIFEST.replace("path: archive", &format!("path: {path}")));
        cli.run("plan").exits(3);
        cli.run("apply --auto-approve").exits(3);
        assert_eq!(cli.activities("watch"), ["a.fit", "b.fit"], "{path}");
        assert!(!cli.path("watch/deep").exists());
    }
}

#[test]
fn rules_and_addresses_select() {
    let cli = two();
    cli.manifest(&format!(
        "{MANIFEST}  - {{ name: again, source: watch, destination: archive, activity_types: [running] }}\n"
    ));
    cli.run("plan --rule nosuch").exits(3).tells("nosuch");
    cli.run("apply --auto-approve --rule nosuch").exits(3);
    let plan = cli.run("plan --json --rule keep --only *2026-11-01*").ok().json();
    assert_eq!(steps(&plan).len(), 1);
    let counts = &plan["context"]["counts"];
    assert_eq!((&counts["upload"], &counts["excluded"]), (&json!(1), &json!(1 + 2)));
    cli.run("plan --rule keep --only *2026-11-01*").ok().says("3 excluded.");
    let plan = cli.run("plan --json --except keep/*").ok().json();
    assert_eq!(steps(&plan), []);
    assert_eq!(context(&plan, "skips").len(), 2);
    cli.run("plan --only keep/2026-11-0?T06:12:33Z --except *02T*").ok().says("1 to upload");
    cli.run("plan --only nothing").ok().says("No changes.").says("excluded");
    cli.run("apply --auto-approve --only *11-01*").ok().says("1 uploaded");
    assert_eq!(cli.activities("archive").len(), 1);
}

#[test]
fn global_options_stand_before_or_after() {
    let cli = two();
    fs::rename(cli.path("fit_sync.yaml"), cli.path("m.yaml")).unwrap();
    let options = ["--config m.yaml", "--state s.db", "-q", "-v", "--color never", "--no-input"];
    for option in options {
        let rest = if option.starts_with("--config") { "" } else { "--config m.yaml" };
        let before = cli.run(&format!("{option} {rest} plan")).ok();
        let after = cli.run(&format!("plan {option} {rest}")).ok();
        assert_eq!(before.stdout, after.stdout, "{option}");
    }
    cli.run("state --config m.yaml list -v").ok();
}

#[test]
fn inspect_tells_what_is_in_a_file() {
    let cli = two();
    cli.put("packed.fit.gz", gzip(&ride(EARLY).build()));
    cli.put("empty.fit", "");
    cli.put("text.fit", "no FIT at all, only words");
    let whole = ride(EARLY).build();
    cli.put("cut.fit", &whole[..whole.len() - 30]);
    cli.run("inspect watch/a.fit").ok().says("2026-11-01T06:12:33Z").says("cycling");
    cli.run("inspect packed.fit.gz watch/b.fit").ok();
    for broken in ["empty.fit", "text.fit", "cut.fit", "missing.fit", "watch"] {
        cli.run(&format!("inspect {broken}")).exits(1).says("not usable");
        let ran = cli.run(&format!("inspect --json watch/a.fit {broken}")).exits(1).json();
        let usable: Vec<&Value> =
            ran["files"].as_array().unwrap().iter().map(|file| &file["usable"]).collect();
        assert_eq!(usable, [&json!(true), &json!(false)], "{broken}");
    }
    let json = cli.run("inspect --json watch/a.fit packed.fit.gz").ok().json();
    assert_eq!(json["format"], "fit_sync.inspect/1");
    assert_eq!(json["files"][0]["sha256"], json["files"][1]["sha256"]);
    assert!(!cli.home("").exists());
}

#[test]
fn schemas_and_completions_need_no_manifest() {
    let cli = Cli::empty();
    for of in ["manifest", "plan"] {
        let schema = cli.run(&format!("schema {of}")).ok().json();
        assert!(schema["$schema"].is_string(), "{of}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        cli.run(&format!("completions {shell}")).ok().says("fit_sync");
    }
}

#[test]
fn a_home_that_cannot_be_known_is_told() {
    let mut cli = two();
    cli.set("FIT_SYNC_NOW", "yesterday");
    cli.run("plan").exits(1).tells("FIT_SYNC_NOW");
    cli.set("FIT_SYNC_NOW", "");
    cli.set("FIT_SYNC_HOME", "");
    cli.run("plan").ok();
    assert!(cli.root().join("user/.fit_sync/state.db").exists());
}
