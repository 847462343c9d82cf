//! The README's walk through logins, word for word, on the accounts of `examples/fakes.rs`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use crate::support::cli::{Cli, Ran, ride};
use crate::support::fake_garmin::{Code, FakeGarmin, Host, Switches};

const MANIFEST: &str = "\
accounts: { garmin_us: {}, garmin_cn: {} }
sync_rules:
  - { name: us-to-cn, source: garmin_us, destination: garmin_cn }
";

fn fake(domain: &'static str, profile: i64, code: Option<Code>) -> FakeGarmin {
    FakeGarmin::start(Switches { profile, code, ..Switches::of(domain) })
}

/// The lines after the example is up, each with its variables.
fn lines() -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let fence = text.split("```console\n").nth(2).unwrap().split("```").next().unwrap();
    let lines = fence.lines().map(|line| line.strip_prefix("$ ").unwrap().to_owned());
    lines.filter(|line| !line.starts_with("export ") && !line.starts_with("cd ")).collect()
}

/// Runs a line as a shell does: `NAME=VALUE … fit_sync ARGS`.
fn run(cli: &Cli, line: &str, stdin: &str) -> Ran {
    let (variables, args) = line.split_once("fit_sync ").unwrap();
    let mut command = cli.command(args.split_whitespace());
    command.envs(variables.split_whitespace().map(|pair| pair.split_once('=').unwrap()));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), stdin.as_bytes());
    Ran::of(&command, &child.wait_with_output().unwrap())
}

#[test]
fn the_readme_s_walk_works_word_for_word() {
    let us = fake("garmin.com", 1, None);
    let cn = fake("garmin.cn", 2, None);
    let mfa = fake("garmin.com", 3, Some(Code::new("123456")));
    us.world().store(&ride("2026-11-19T06:12:33Z").build(), "Ride");
    let cli = Cli::new(MANIFEST);
    let account = |name: &str, fake: &FakeGarmin, keys: &str| {
        let endpoints = fake.endpoints();
        format!(
            "  {name}: {{ {keys} email: runner@example.com, password: right, endpoints: {endpoints} }}\n"
        )
    };
    let accounts = [
        "accounts:\n".to_owned(),
        account("garmin_us", &us, ""),
        account("garmin_cn", &cn, ""),
        account("garmin_mfa", &mfa, "platform: garmin, region: global,"),
    ];
    fs::create_dir(cli.home("")).unwrap();
    fs::set_permissions(cli.home(""), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(cli.home("accounts.yaml"), accounts.concat()).unwrap();
    fs::set_permissions(cli.home("accounts.yaml"), fs::Permissions::from_mode(0o600)).unwrap();
    cli.put("garminconnect/garmin_tokens.json", us.world().newer_tokens().to_string());
    let [lasting, traded] = cn.world().older_tokens();
    cli.put("garth/oauth1_token.json", lasting.to_string());
    cli.put("garth/oauth2_token.json", traded.to_string());
    let lines = lines();
    assert!(lines.len() > 8, "{lines:?}");
    for line in &lines {
        let service = format!("{}/sso/embed", us.world().base(Host::Sso));
        let ticket = us.world().account.ticket("", &service, "cas");
        let ran = run(&cli, line, &format!("{ticket}\n"));
        assert_eq!(ran.code, 0, "{line}: {ran:#?}");
    }
    assert_eq!(cn.world().activities.len(), 1);
    for fake in [&us, &cn, &mfa] {
        fake.take_seen();
    }
    run(&cli, "fit_sync plan", "").ok().says("No changes");
    assert_eq!(
        (us.take_counts()[..2].to_vec(), cn.take_counts()[..2].to_vec()),
        (vec![0, 0], vec![0, 0])
    );
}
