//! The pipelines of `examples/`: their shell steps, run as Jenkins and GitHub run them, on made-up
//! Garmin accounts.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use regex::Regex;
use serde_json::Value;

use crate::support::cli::{Cli, Ran, ride};
use crate::support::fake_garmin::{FakeGarmin, Switches};

const MANIFEST: &str = "\
accounts: { garmin_us: {}, garmin_cn: {} }
sync_rules:
  - { name: us-to-cn, source: garmin_us, destination: garmin_cn, conflict_strategy: replace_existing }
";

/// A stand-in for GitHub's program: it keeps one comment, fetches two files, and writes down what it
/// was asked.
const GH: &str = r#"#!/bin/sh
echo "$*" >>"$GH_LOG"
case "$*" in
  "api user"*) echo fit-bot ;;
  "release download"*) mkdir -p copy && cp "$GH_PROGRAM" copy/fit_sync && cp "$GH_STATE" copy/state.db ;;
  *--paginate*) if [ -f "$GH_LOG.comment" ]; then echo 4711; echo 4712; fi ;;
  *body=@*) cp "${*##*body=@}" "$GH_LOG.comment" ;;
esac
"#;

/// A machine with two Garmin accounts, a home, and the programs that pipelines call.
struct Agent {
    cli: Cli,
    us: FakeGarmin,
    cn: FakeGarmin,
}

impl Agent {
    fn new() -> Self {
        let us = FakeGarmin::start(Switches::of("garmin.com"));
        let cn = FakeGarmin::start(Switches { profile: 2, ..Switches::of("garmin.cn") });
        let mut cli = Cli::new(MANIFEST);
        let account = |name: &str, fake: &FakeGarmin| {
            format!("  {name}: {{ endpoints: {}, min_gap_ms: 0 }}\n", fake.endpoints())
        };
        let text = format!("accounts:\n{}{}", account("garmin_us", &us), account("garmin_cn", &cn));
        fs::create_dir(cli.home("")).unwrap();
        fs::set_permissions(cli.home(""), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(cli.home("accounts.yaml"), text).unwrap();
        fs::set_permissions(cli.home("accounts.yaml"), fs::Permissions::from_mode(0o600)).unwrap();
        let bin = cli.root().join("bin");
        fs::create_dir(&bin).unwrap();
        symlink(env!("CARGO_BIN_EXE_fit_sync"), bin.join("fit_sync")).unwrap();
        fs::write(bin.join("gh"), GH).unwrap();
        fs::set_permissions(bin.join("gh"), fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display());
        cli.set("PATH", path);
        cli.set("CI", "true");
        cli.set("CHANGE_ID", "7");
        cli.set("GH_LOG", cli.root().join("gh.log"));
        cli.set("GH_PROGRAM", env!("CARGO_BIN_EXE_fit_sync"));
        cli.set("GH_STATE", cli.home("state.db"));
        Self { cli, us, cn }
    }

    /// What Jenkins' credentials put into the environment.
    fn with_passwords(mut self) -> Self {
        for account in ["GARMIN_US", "GARMIN_CN"] {
            self.cli.set(&format!("FIT_SYNC_{account}_EMAIL"), "runner@example.com");
            self.cli.set(&format!("FIT_SYNC_{account}_PASSWORD"), "right");
        }
        self
    }

    /// Runs a step as the pipelines' shells do: each line must succeed.
    fn step(&self, script: &str) -> Ran {
        let mut command = Command::new("/bin/sh");
        command.args(["-xe", "-c", script]).env_clear().current_dir(self.cli.work());
        let binary = self.cli.command(Vec::<&str>::new());
        command.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = command.output().unwrap();
        Ran::of(&command, &output)
    }

    fn ride(&self, day: u8) {
        self.us.world().store(&ride(&format!("2026-11-{day:02}T06:00:00Z")).build(), "Ride");
    }

    /// The same ride at both, a poorer recording at the destination.
    fn poor_copy(&self, day: u8) {
        let start = format!("2026-11-{day:02}T06:00:00Z");
        self.us.world().store(&ride(&start).distance_m(10_000).build(), "Ride");
        self.cn.world().store(&ride(&start).distance_m(9_000).build(), "Old ride");
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.cli.path(path)).unwrap()
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path)).unwrap()
    }

    fn asked_of_gh(&self) -> String {
        fs::read_to_string(self.cli.root().join("gh.log")).unwrap_or_default()
    }

    fn comment(&self) -> String {
        fs::read_to_string(self.cli.root().join("gh.log.comment")).unwrap()
    }
}

fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The shell steps of the Jenkinsfile by their stages, as Groovy hands them to the shell.
fn jenkins() -> BTreeMap<String, String> {
    let text = example("Jenkinsfile");
    let found = Regex::new(r"(?s)stage\('(?<stage>\w+)'\)|'''\n(?<script>.*?)'''").unwrap();
    let (mut stage, mut steps) = (String::new(), BTreeMap::new());
    for part in found.captures_iter(&text) {
        if let Some(name) = part.name("stage") {
            name.as_str().clone_into(&mut stage);
        }
        if let Some(script) = part.name("script") {
            let before = steps.insert(stage.clone(), script.as_str().replace(r"\\", r"\"));
            assert_eq!(before, None, "two steps in one stage");
        }
    }
    assert_eq!(steps.keys().collect::<Vec<_>>(), ["Apply", "Approve", "Comment", "Plan"]);
    steps
}

/// The shell steps of the GitHub workflow by their names.
fn github() -> BTreeMap<String, String> {
    let workflow: Value = serde_yaml::from_str(&example("github-plan.yml")).unwrap();
    let steps = workflow["jobs"]["plan"]["steps"].as_array().unwrap().clone();
    let named =
        |step: &Value| Some((step["name"].as_str()?.to_owned(), step["run"].as_str()?.to_owned()));
    steps.iter().filter_map(named).collect()
}

#[test]
fn jenkins_goes_from_plan_to_comment_to_approval_to_apply_to_report() {
    let agent = Agent::new().with_passwords();
    let steps = jenkins();
    agent.ride(1);
    agent.poor_copy(2);
    agent.step(&steps["Plan"]).exits(2).says("1 to upload, 1 to replace");
    for file in ["plan.json", "plan.md", "plan.xml", "plan/index.html"] {
        assert!(agent.cli.path("out").join(file).exists(), "{file}");
    }
    agent.step(&steps["Comment"]).ok();
    assert_eq!(agent.comment(), agent.text("out/plan.md"));
    assert!(!agent.asked_of_gh().contains("PATCH"), "{}", agent.asked_of_gh());
    agent.step(&steps["Comment"]).ok();
    assert!(agent.asked_of_gh().contains("PATCH repos/{owner}/{repo}/issues/comments/4711"));

    agent.step(&steps["Apply"]).exits(6).says("Nothing was approved yet");
    assert_eq!(agent.cn.world().newest_first().len(), 1);
    agent.step(&steps["Approve"]).ok();
    agent.step(&steps["Apply"]).ok().says("1 uploaded, 1 replaced");
    let report = agent.json("out/report.json");
    assert_eq!(report["exit"]["name"], "done");
    assert!(agent.text("out/apply.xml").contains("<testsuite"));
    assert!(agent.cli.path("out/report/index.html").exists());
    agent.step(&steps["Plan"]).ok().says("No changes.");
}

#[test]
fn what_arrived_since_the_approval_is_uploaded_and_what_nobody_reviewed_is_not_replaced() {
    let agent = Agent::new().with_passwords();
    let steps = jenkins();
    agent.poor_copy(2);
    agent.step(&steps["Plan"]).exits(2);
    agent.step(&steps["Approve"]).ok();
    agent.ride(3);
    agent.ride(4);
    agent.step(&steps["Apply"]).ok().says("2 uploaded, 1 replaced");

    agent.poor_copy(5);
    agent.ride(6);
    let planned = agent.step(&steps["Plan"]).exits(2);
    planned.says("It goes beyond plan");
    let before = agent.cn.world().newest_first().len();
    agent.step(&steps["Apply"]).exits(6).says("1 uploaded, 0 replaced").says("Left out: 1.");
    assert_eq!(agent.cn.world().newest_first().len(), before + 1);
    assert_eq!(agent.json("out/report.json")["exit"]["name"], "decide");
    agent.step(&steps["Plan"]).exits(2).says("0 to upload, 1 to replace");
    agent.step(&steps["Approve"]).ok();
    agent.step(&steps["Apply"]).ok().says("0 uploaded, 1 replaced");
}

#[test]
fn a_pull_request_is_planned_from_a_copy_without_a_session() {
    let agent = Agent::new().with_passwords();
    agent.ride(1);
    agent.cli.run("plan").exits(0);
    let elsewhere = Agent::new();
    let mut cli = elsewhere.cli;
    cli.set("GH_STATE", agent.cli.home("state.db"));
    cli.set("GITHUB_STEP_SUMMARY", cli.root().join("summary.md"));
    let runner = Agent { cli, ..elsewhere };
    let steps = github();
    for name in ["Fetch the program and the copy of the state", "Plan", "Comment"] {
        runner.step(&steps[name]).ok();
    }
    let comment = runner.comment();
    assert!(comment.contains("1 to upload") && !comment.contains("Ride"), "{comment}");
    let summary = fs::read_to_string(runner.cli.root().join("summary.md")).unwrap();
    assert_eq!(summary, comment);
    assert!(runner.us.take_seen().is_empty() && runner.cn.take_seen().is_empty());
}

/// The lines of the README's walk, as arguments.
fn walk() -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(readme).unwrap();
    let mut fences = text.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let fence = fences.find(|fence| fence.contains("--against")).unwrap();
    let lines = fence.lines().map(|line| line.strip_prefix("$ fit_sync ").unwrap().to_owned());
    lines.collect()
}

#[test]
fn the_readme_s_walk_from_plan_to_report_works_word_for_word() {
    let agent = Agent::new().with_passwords();
    let lines = walk();
    let [plan, show, against, apply] = lines.iter().map(String::as_str).collect::<Vec<_>>()[..]
    else {
        panic!("{lines:?}");
    };
    agent.poor_copy(1);
    agent.ride(2);
    let planned = agent.cli.run(plan).ok().says("1 to upload, 1 to replace");
    assert_eq!(agent.cli.run(show).ok().stdout, planned.stdout);
    agent.ride(3);
    agent.ride(4);
    agent.cli.run(against).ok().says("2 more.").says("It lies within");
    agent.cli.run(apply).ok().says("3 uploaded, 1 replaced");
    assert_eq!(agent.json("report.json")["exit"]["code"], 0);
    agent.poor_copy(5);
    agent.cli.run(against).ok().says("It goes beyond");
    agent.cli.run(apply).exits(6).says("not in the plan");
    assert_eq!(agent.json("report.json")["exit"]["code"], 6);
}

#[test]
fn each_exit_code_has_a_result_in_jenkins() {
    let text = example("Jenkinsfile");
    let judged = text.split("def judge").nth(1).unwrap();
    for (code, result) in [
        ("[0, 2]", "break"),
        ("4", "error("),
        ("5", "unstable("),
        ("6", "unstable("),
        ("8", "unstable("),
        ("10", "unstable("),
        ("11", "currentBuild.result = 'ABORTED'"),
    ] {
        assert!(judged.contains(&format!("case {code}: {result}")), "{code}");
    }
    assert!(judged.contains("default: error("));
}
