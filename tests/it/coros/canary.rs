//! Secrets of COROS accounts stay in the files of sessions, however much is told, and go to no object
//! store and no file host.

use crate::support::cli::{Cli, Ran, ride, tree};
use crate::support::fake_coros::{FakeCoros, Place, Switches, Trouble};

/// Every password, code, token, ticket and key of these runs holds one of them; so does the address of
/// every file.
const CANARIES: [&str; 6] =
    ["Qx7", "778899", "runner@example", "right-pass", "CPL-coros-token=", "424242424242424242/"];

const MANIFEST: &str = "\
accounts:
  watch: { platform: directory, path: watch }
  archive: { platform: directory, path: archive }
sync_rules:
  - { name: there, source: watch, destination: me }
  - { name: back, source: me, destination: archive }
";

#[track_caller]
fn silent(what: &str, bytes: &[u8]) {
    for canary in CANARIES {
        let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "{canary} in {what}:\n{}", String::from_utf8_lossy(bytes));
    }
}

fn silent_run(ran: Ran) -> Ran {
    silent("stdout", ran.stdout.as_bytes());
    silent("stderr", ran.stderr.as_bytes());
    ran
}

struct Stage {
    cli: Cli,
    fake: FakeCoros,
}

impl Stage {
    fn new(region: &'static str) -> Self {
        let mut switches = Switches::of(region);
        switches.password = "right-pass".to_owned();
        switches.code = Some("778899".to_owned());
        let fake = FakeCoros::start(switches);
        let mut cli = Cli::new(MANIFEST);
        cli.set("FIT_SYNC_ME_MFA_CODE", "778899");
        cli.accounts(&format!(
            "accounts:\n  me: {{ platform: coros, region: {region}, email: runner@example.com, \
             password: right-pass, min_gap_ms: 0, endpoints: {} }}\n",
            fake.endpoints()
        ));
        cli.fit("watch/a.fit", &ride("2026-11-01T06:12:33Z"));
        fake.world().store(&ride("2026-11-02T06:12:33Z").build(), "Ride", 32);
        Self { cli, fake }
    }

    fn silent_home(&self) {
        for (name, bytes) in tree(&self.cli.root()) {
            let known = ["home/accounts.yaml", "home/sessions/me.json"];
            if !known.contains(&name.as_str()) {
                silent(&name, &bytes);
            }
        }
    }

    /// What lies in the object store and what was registered; the account's number is in the key.
    fn silent_store(&self) {
        let world = self.fake.world();
        for (key, bytes) in &world.objects {
            silent("a key", key.replace(world.switches.user, "").as_bytes());
            silent(key, bytes);
        }
        for import in &world.imports {
            let text = import.parameter.to_string().replace(world.switches.user, "");
            silent("a registration", text.as_bytes());
        }
    }
}

#[test]
fn whole_days_are_silent_at_the_highest_verbosity() {
    for region in ["cn", "us"] {
        let stage = Stage::new(region);
        let ran = silent_run(stage.cli.run("auth -vvv").ok());
        assert!(ran.stderr.contains("POST ") && ran.stderr.contains("/account/login"), "{ran:#?}");
        silent_run(stage.cli.run("plan -vvv --out plan.json").ok());
        let apply = "apply plan.json -vvv --report report.json --json";
        let ran = silent_run(stage.cli.run(apply).ok());
        assert!(ran.stderr.contains("PUT ") && ran.stderr.contains("<hidden>"), "{ran:#?}");
        assert_eq!(stage.fake.world().objects.len(), 1);
        silent_run(stage.cli.run("apply --auto-approve -vvv").ok());
        silent_run(stage.cli.run("download --account me --all --output-dir out -vvv").ok());
        silent_run(stage.cli.run("list --account me --refresh --json -vvv").ok());
        silent_run(stage.cli.run("state show --json").ok());
        stage.silent_home();
        stage.silent_store();
    }
}

#[test]
fn troubles_are_silent() {
    let places = [
        Place::Login,
        Place::Captcha,
        Place::Verify,
        Place::List,
        Place::Download,
        Place::File,
        Place::Sts,
        Place::Put,
        Place::Import,
        Place::Jobs,
    ];
    let stage = Stage::new("cn");
    for place in places {
        for trouble in [Trouble::Status(403), Trouble::Lost, Trouble::Halved] {
            stage.cli.run("clear-cache --all").ok();
            stage.fake.heal();
            stage.fake.fails(place, trouble);
            silent_run(stage.cli.run("apply --auto-approve -vvv"));
            stage.fake.world().activities.retain(|row| row.title == "Ride");
            stage.cli.lose_state();
        }
    }
    stage.silent_home();
    stage.silent_store();
}

#[test]
fn a_token_from_a_browser_is_silent() {
    let stage = Stage::new("cn");
    stage.fake.world().tokens.insert("Qx7BROWSERTOKEN".to_owned());
    for given in ["Qx7BROWSERTOKEN\n", "CPL-coros-token=Qx7BROWSERTOKEN; CPL-coros-region=2\n"] {
        silent_run(stage.cli.fed("auth --account me --token-stdin -vvv", given).ok());
    }
    silent_run(stage.cli.fed("auth --account me --token-stdin -vvv", "Qx7OTHERTOKEN\n").exits(4));
    silent_run(stage.cli.run("apply --auto-approve -vvv").ok());
    stage.silent_home();
    stage.silent_store();
}
