//! The README's walks, word for word, on the accounts of `examples/fakes.rs`.

use std::fs;
use std::path::Path;

use crate::support::cli::{Cli, Ran};
use crate::support::fake_garmin::Host;
use crate::support::made_up::MadeUp;

/// Home and folder as the example writes them.
fn written(made_up: &MadeUp) -> Cli {
    let cli = Cli::empty();
    for (name, text) in made_up.files(", min_gap_ms: 0") {
        match name {
            "home/accounts.yaml" => cli.accounts(&text),
            _ => cli.put(name, text),
        }
    }
    cli
}

/// The lines of a walk after the example is up, each with its variables.
fn lines(walk: usize) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    // The first one starts the example.
    let fence = text.split("```console\n").nth(walk + 1).unwrap().split("```").next().unwrap();
    let lines = fence.lines().map(|line| line.strip_prefix("$ ").unwrap().to_owned());
    lines.filter(|line| !line.starts_with("export ") && !line.starts_with("cd ")).collect()
}

fn walk(cli: &Cli, made_up: &MadeUp, walk: usize) -> Vec<Ran> {
    let mut ran = Vec::new();
    for line in lines(walk) {
        if line == "rm home/state.db" {
            cli.lose_state();
            continue;
        }
        let service = format!("{}/sso/embed", made_up.us.world().base(Host::Sso));
        let ticket = made_up.us.world().account.ticket("", &service, "cas");
        let one = cli.shell(&line, &format!("{ticket}\n"));
        assert_eq!(one.code, 0, "{line}: {one:#?}");
        ran.push(one);
    }
    ran
}

#[test]
fn the_readme_s_walks_work_word_for_word() {
    let made_up = MadeUp::start(0);
    let cli = written(&made_up);
    assert!(walk(&cli, &made_up, 1).len() > 8);
    assert_eq!(made_up.cn.world().activities.len(), 40);
    for fake in [&made_up.us, &made_up.cn, &made_up.mfa] {
        fake.take_seen();
    }
    cli.run("plan").ok().says("No changes");
    let logins = |counts: [usize; 4]| counts[..2].to_vec();
    assert_eq!(logins(made_up.us.take_counts()), [0, 0]);
    assert_eq!(logins(made_up.cn.take_counts()), [0, 0]);
    both_watches(&cli, &made_up);
}

/// The second walk begins where the first one ends.
fn both_watches(cli: &Cli, made_up: &MadeUp) {
    let [plan, _apply, second, forgotten]: [Ran; 4] = walk(cli, made_up, 2).try_into().unwrap();
    plan.says("2 to upload, 6 to replace, 0 conflicts");
    second.says("No changes");
    forgotten.says("No changes");
    let world = made_up.cn.world();
    assert_eq!(world.activities.len(), 42);
    let of_coros = world.activities.iter().filter(|stored| stored.distance_m % 250 == 30);
    assert_eq!(of_coros.count(), 8);
}
