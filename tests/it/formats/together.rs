//! One run writes all of its renderings, whatever becomes of one of them or of the run itself.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::Stdio;

use crate::support::cli::{Cli, MANIFEST, ride};

const EVERYTHING: &str = "plan --out plan.json --markdown plan.md --html page --junit plan.xml";

fn world() -> Cli {
    let cli = Cli::new(MANIFEST);
    for day in ["01", "02"] {
        cli.fit(format!("watch/{day}.fit"), &ride(&format!("2026-11-{day}T06:12:33Z")));
    }
    cli
}

fn read(cli: &Cli, path: &str) -> String {
    fs::read_to_string(cli.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn a_plan_is_written_everywhere_at_once() {
    let cli = world();
    let text = cli.run(EVERYTHING).ok().stdout;
    let id = text.lines().last().unwrap().split_whitespace().nth(1).unwrap();
    let id = id.trim_end_matches(':');
    assert!(read(&cli, "plan.md").contains(id));
    assert!(read(&cli, "page/index.html").contains(&format!("<code>{id}</code>")));
    assert!(read(&cli, "plan.xml").contains("name=\"keep/2026-11-01T06:12:33Z\""));
    assert_eq!(read(&cli, "page/fit_sync.css"), fit_sync::render::html::STYLE);
    assert_eq!(cli.files("page").len(), 2);
    let shown = cli.run("show plan.json --format html").ok().stdout;
    assert_eq!(cli.run("plan --format html").ok().stdout, shown);
    let (before, rest) = shown.split_once("data:text/css").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    assert_eq!(format!("{before}fit_sync.css\"{after}"), read(&cli, "page/index.html"));
}

#[test]
fn what_cannot_be_written_is_named_and_keeps_nothing_else_back() {
    let cli = world();
    let args = "plan --out none/plan.json --markdown plan.md --html watch/01.fit --junit plan.xml";
    let ran = cli.run(args).exits(1).says("2 to upload");
    let ran = ran.tells("none/plan.json: the plan cannot be saved");
    let ran = ran.tells("watch/01.fit: the page cannot be written").tells("choose another place");
    assert!(!ran.stderr.contains("plan.xml"), "{}", ran.stderr);
    assert!(read(&cli, "plan.md").contains("2 to upload"));
    assert!(read(&cli, "plan.xml").contains("<testsuites"));
    cli.run("plan --detailed-exitcode --junit plan.xml").exits(2);
    cli.run("plan --detailed-exitcode --junit none/plan.xml")
        .exits(1)
        .tells("none/plan.xml: the JUnit file cannot be written");
}

#[test]
fn a_blocked_rule_weighs_more_than_a_file_that_cannot_be_written() {
    let cli = world();
    fs::remove_dir_all(cli.path("watch")).unwrap();
    cli.run("plan --junit plan.xml").exits(5);
    assert!(read(&cli, "plan.xml").contains("<error message=\"blocked by watch"));
    cli.run("plan --junit none/plan.xml").exits(1).tells("cannot be written");
}

#[test]
fn a_folder_with_other_files_keeps_them() {
    let cli = world();
    cli.put("page/notes.txt", "mine");
    cli.put("page/old/index.html", "mine too");
    cli.run("plan --html page").ok();
    let first = read(&cli, "page/index.html");
    cli.fit("watch/03.fit", &ride("2026-11-03T06:12:33Z"));
    cli.run("plan --html page").ok();
    assert_ne!(read(&cli, "page/index.html"), first, "its own page is written anew");
    cli.run("apply --auto-approve --html page").ok();
    assert_eq!(read(&cli, "page/notes.txt"), "mine");
    assert_eq!(read(&cli, "page/old/index.html"), "mine too");
    assert_eq!(cli.files("page").len(), 4, "and nothing is left beside it");
    for name in ["index.html", "fit_sync.css"] {
        let cli = world();
        cli.put(format!("site/{name}"), "<h1>My own</h1>");
        cli.run("plan --html site").exits(1).tells(&format!("site/{name} is not of fit_sync"));
        cli.run("apply --auto-approve --html site").exits(1).tells("choose an empty folder");
        assert_eq!(read(&cli, &format!("site/{name}")), "<h1>My own</h1>");
        assert_eq!(cli.files("site").len(), 1);
        assert!(!cli.path("archive").exists(), "nothing has begun");
    }
}

#[test]
fn an_apply_tells_everywhere_what_it_did() {
    let cli = world();
    let args = "apply --auto-approve --report report.json --html page --junit apply.xml";
    cli.run(args).ok().says("2 uploaded");
    let page = read(&cli, "page/index.html");
    assert!(page.contains("All is done. (exit 0, done)") && page.contains("Uploaded"), "{page}");
    assert!(page.contains("<b>2</b> confirmed"), "{page}");
    let xml = read(&cli, "apply.xml");
    assert!(xml.contains("failures=\"0\" errors=\"0\""), "{xml}");
    assert!(xml.contains("name=\"keep/2026-11-02T06:12:33Z\""), "{xml}");
    cli.run(args).ok();
    assert!(read(&cli, "page/index.html").contains("There was nothing to do."));
}

#[test]
fn an_apply_that_fails_tells_why_everywhere() {
    let cli = world();
    let told = |cli: &Cli, words: &str| {
        for path in ["page/index.html", "apply.xml"] {
            let text = read(cli, path);
            assert!(text.contains(words), "{path} does not say '{words}': {text}");
        }
    };
    cli.run("apply --html page --junit apply.xml").exits(6);
    told(&cli, "nobody is here to approve the plan");
    told(&cli, "keep/2026-11-01T06:12:33Z");
    cli.run("plan --out plan.json").ok();
    fs::remove_file(cli.path("watch/01.fit")).unwrap();
    cli.run("apply plan.json --html page --junit apply.xml").exits(10);
    told(&cli, "stale");
    told(&cli, "Some steps are not done");
    cli.manifest("accounts: [");
    cli.run("apply --html page --junit apply.xml").exits(3);
    told(&cli, "exit 3");
    cli.run("apply no.json --html page --junit apply.xml").exits(1);
    told(&cli, "no.json");
}

#[test]
fn an_apply_that_cannot_tell_does_not_begin() {
    let cli = world();
    for option in ["--junit none/apply.xml", "--html watch/01.fit", "--report none/report.json"] {
        let ran = cli.run(&format!("apply --auto-approve {option}")).exits(1);
        let ran = ran.tells("cannot be written").tells("No activity was touched");
        assert_eq!(ran.stderr.matches("cannot be written").count(), 1, "{}", ran.stderr);
        assert!(!cli.path("archive").exists());
    }
}

#[test]
fn no_title_is_in_any_format_of_a_plan_without_titles() {
    let cli = world();
    cli.fit("watch/Geheimlauf.fit", &ride("2026-11-03T06:12:33Z"));
    let args = format!("{EVERYTHING} --redact titles");
    let printed = cli.run(&args).ok().stdout;
    let pages = ["plan.md", "page/index.html", "plan.xml"].map(|path| read(&cli, path));
    for text in pages.iter().chain([&printed]) {
        assert!(!text.contains("Geheimlauf"), "{text}");
        assert!(text.contains("2026-11-03"), "{text}");
    }
}

/// The place goes while the steps are done: they stay done, and the end says what is missing.
#[test]
fn what_cannot_be_written_in_the_end_is_told_and_undoes_nothing() {
    for (option, place) in [("--html", "out/page"), ("--report", "out/report.json")] {
        let cli = world();
        fs::create_dir(cli.path("out")).unwrap();
        let (mut reader, mut writer) = std::io::pipe().unwrap();
        // As much as a pipe holds: the plan's first line waits for a reader.
        writer.write_all(&[b'.'; 65_536]).unwrap();
        let args = ["apply", "--auto-approve", option, place, "--junit", "apply.xml"];
        let mut command = cli.command(args);
        let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        drop(command);
        // The last that is written before that line.
        while !fs::read_to_string(cli.path("apply.xml")).is_ok_and(|xml| xml.contains("not_begun"))
        {
            std::thread::yield_now();
        }
        fs::rename(cli.path("out"), cli.path("gone")).unwrap();
        cli.put("out", "no folder");
        let mut printed = String::new();
        reader.read_to_string(&mut printed).unwrap();
        let printed = printed.trim_start_matches('.');
        let output = child.wait_with_output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{option}: {words}");
        assert!(printed.contains("2 uploaded"), "{option}: {printed}");
        assert!(words.contains(place) && words.contains("cannot be written"), "{words}");
        assert!(words.contains("What was done is done"), "{words}");
        assert!(!read(&cli, "apply.xml").contains("<failure"), "the steps went well");
        assert_eq!(cli.activities("archive").len(), 2);
    }
}
