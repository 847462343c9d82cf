//! Exports as people use them: in a manifest, planned and applied.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::activity;
use crate::support::cli::{Cli, context, gzip, steps, tree};
use crate::support::snapshot;
use crate::support::zip::ZipFile;

const MANIFEST: &str = "\
accounts:
  export: { platform: directory, path: export.zip }
  archive: { platform: directory, path: archive }
sync_rules:
  - { name: fill, source: export, destination: archive }
";

fn world(zip: &ZipFile) -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.put("export.zip", zip.build());
    // Files of a test are younger than its clock.
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let file = fs::File::options().write(true).open(cli.path("export.zip")).unwrap();
    file.set_modified(long_ago).unwrap();
    cli
}

fn export() -> ZipFile {
    let inner = ZipFile::new().deflated("me@example.com_3.fit", activity(3));
    ZipFile::new()
        .deflated("activities.csv", "Activity ID")
        .deflated("activities/1.fit.gz", gzip(&activity(1)))
        .stored("activities/2.fit", activity(2))
        .deflated("Part1.zip", inner.build())
        .stored("../out.fit", activity(4))
}

#[test]
fn an_export_fills_a_folder_and_the_next_plan_is_empty() {
    let cli = world(&export());
    let plan = cli.run("plan -v").ok().tells("1 other file ignored");
    snapshot::check("cli", "export_plan", &plan.stdout);
    assert!(!cli.run("plan --json").ok().stdout.contains("example.com"));
    // Warm: the zip is looked at, not into.
    assert!(!cli.run("plan -v").ok().stderr.contains("ignored"));
    cli.run("apply --auto-approve").ok().says("3 uploaded");
    assert_eq!(cli.activities("archive").len(), 3);
    cli.run("plan --detailed-exitcode").ok().says("No changes. 3 activities are in sync.");
    cli.lose_state();
    cli.run("plan --detailed-exitcode").ok().says("No changes. 3 activities are in sync.");
    let skips = context(&cli.run("plan --json").ok().json(), "skips");
    let wanted = ("fill/@(outside)/out.fit", "fill", "unreadable");
    assert_eq!(skips, [(wanted.0.to_owned(), wanted.1.to_owned(), wanted.2.to_owned())]);
    assert!(cli.files(".").keys().all(|path| !path.contains("out.fit")));
}

#[test]
fn an_export_may_lie_in_the_folder_that_it_fills() {
    let cli = world(&export());
    cli.manifest(&MANIFEST.replace("path: archive", "path: ."));
    cli.run("apply --auto-approve").ok().says("3 uploaded");
    cli.run("plan --detailed-exitcode").ok();
}

#[test]
fn nothing_can_be_written_to_an_export() {
    let cli = world(&export());
    let turned = MANIFEST.replace(
        "source: export, destination: archive",
        "source: archive, destination: export, conflict_strategy: replace_existing",
    );
    cli.manifest(&turned.replace("export.zip", "Export.ZIP"));
    let refused = cli.run("validate").exits(3);
    snapshot::check("cli", "export_as_destination", &refused.stderr);
    cli.run("plan").exits(3);
    assert!(!cli.path("archive").exists());
}

#[test]
fn an_export_that_cannot_be_used_blocks_its_own_rules_only() {
    let cli = Cli::new(&format!(
        "{MANIFEST}  - {{ name: other, source: watch, destination: archive }}\n"
    ));
    let manifest = fs::read_to_string(cli.path("fit_sync.yaml")).unwrap();
    cli.manifest(
        &manifest
            .replace("sync_rules:", "  watch: { platform: directory, path: watch }\nsync_rules:"),
    );
    cli.put("watch/a.fit", activity(9));
    let blocked = |cli: &Cli, code: i32, words: &str| {
        let plan = cli.run("plan --json").exits(code).json();
        assert_eq!(steps(&plan).len(), 1);
        let blocked = &plan["context"]["blocked"][0];
        assert_eq!(blocked["rule"], "fill");
        let message = blocked["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    };
    blocked(&cli, 5, "the export is not there");
    cli.put("export.zip", "not a zip");
    blocked(&cli, 1, "the export cannot be used: a broken zip");
    fs::remove_file(cli.path("export.zip")).unwrap();
    fs::create_dir(cli.path("export.zip")).unwrap();
    blocked(&cli, 1, "but it is a folder");
}

#[test]
fn a_backup_cannot_be_put_into_an_export() {
    let cli = world(&export());
    cli.fit("archive/2.fit", &crate::support::cli::ride("2026-10-02T06:00:00Z").records(30));
    let replacing = "\
accounts:
  watch: { platform: directory, path: watch }
  archive: { platform: directory, path: archive }
  export: { platform: directory, path: export.zip }
sync_rules:
  - { name: keep, source: watch, destination: archive, conflict_strategy: replace_existing }
";
    cli.manifest(replacing);
    let other = crate::support::cli::ride("2026-10-02T06:00:00Z").distance_m(31_000).records(40);
    cli.fit("watch/2.fit", &other);
    cli.run("apply --auto-approve").ok().says("1 replaced");
    let id = cli.run("backup list --json").ok().json()["backups"][0]["id"].clone();
    let before = fs::read(cli.path("export.zip")).unwrap();
    let id = id.as_str().unwrap();
    cli.args(["backup", "restore", id, "--to", "export"]).exits(3);
    assert_eq!(fs::read(cli.path("export.zip")).unwrap(), before);
}

/// A plan's rows without what hangs on ids.
fn shape(plan: &Value) -> Vec<(String, String, String)> {
    let mut rows = steps(plan);
    rows.extend(context(plan, "skips"));
    rows.extend(context(plan, "conflicts"));
    rows.sort_unstable();
    rows
}

#[test]
fn a_plan_over_a_zip_is_the_plan_over_its_folder() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let Ok(corpus) = corpus.canonicalize() else {
        return;
    };
    let (mut inner, mut zip) = (ZipFile::new(), ZipFile::new());
    for (place, (name, bytes)) in tree(&corpus).into_iter().enumerate() {
        match place % 4 {
            0 => zip = zip.stored(&name, bytes),
            1 | 2 => zip = zip.deflated(&name, bytes),
            _ => inner = inner.deflated(&name, bytes),
        }
    }
    let cli = world(&zip.deflated("inner.zip", inner.build()));
    let over_zip = cli.run("plan --json").ok().json();
    let warm = cli.run("plan --json").ok().json();
    assert_eq!(over_zip, warm);
    cli.lose_state();
    cli.manifest(&MANIFEST.replace("export.zip", &corpus.display().to_string()));
    let over_folder = cli.run("plan --json").ok().json();
    let (zip, folder) = (shape(&over_zip), shape(&over_folder));
    assert!(folder.len() > 100, "{}", folder.len());
    let outside = |rows: &[(String, String, String)]| -> Vec<(String, String, String)> {
        let named = |row: &&(String, String, String)| !row.0.contains('@') && !row.0.contains('#');
        rows.iter().filter(named).cloned().collect()
    };
    assert_eq!(outside(&zip), outside(&folder));
    assert_eq!(zip.len(), folder.len());
    for counted in ["upload", "replace", "conflict", "in_sync", "skip"] {
        let count = |plan: &Value| plan["context"]["counts"][counted].clone();
        assert_eq!(count(&over_zip), count(&over_folder), "{counted}");
    }
}
