//! Two watches, three accounts, one manifest: Garmin's activities come to China, and in the mountains
//! the recording of the COROS watch is the one to keep.

use serde_json::Value;

use crate::support::cli::{Cli, context, steps, tree};
use crate::support::fake_coros::{self, FakeCoros};
use crate::support::fake_garmin::{FakeGarmin, Switches};
use crate::support::fit::FitFile;

const MANIFEST: &str = "\
accounts: { garmin_us: {}, garmin_cn: {}, coros_cn: {} }
sync_rules:
  - { name: us-to-cn, source: garmin_us, destination: garmin_cn, conflict_strategy: skip_existing }
  - name: trails
    source: coros_cn
    destination: garmin_cn
    activity_types: [trail_running, hiking, mountaineering]
    conflict_strategy: replace_existing
";

/// When the Garmin watch was started, and the COROS watch.
const STARTS: [&str; 2] = ["2026-11-14T06:02:11Z", "2026-11-14T06:02:18Z"];

struct Stage {
    cli: Cli,
    us: FakeGarmin,
    cn: FakeGarmin,
    coros: FakeCoros,
}

impl Stage {
    fn new() -> Self {
        let us = FakeGarmin::start(Switches { profile: 1, ..Switches::of("garmin.com") });
        let cn = FakeGarmin::start(Switches { profile: 2, ..Switches::of("garmin.cn") });
        let coros = FakeCoros::start(fake_coros::Switches::of("cn"));
        let cli = Cli::new(MANIFEST);
        let account = |name: &str, endpoints: String| {
            format!(
                "  {name}: {{ email: runner@example.com, password: right, min_gap_ms: 0, endpoints: {endpoints} }}\n"
            )
        };
        let accounts = [
            "accounts:\n".to_owned(),
            account("garmin_us", us.endpoints()),
            account("garmin_cn", cn.endpoints()),
            account("coros_cn", coros.endpoints()),
        ];
        cli.accounts(&accounts.concat());
        cli.run("auth").ok();
        Self { cli, us, cn, coros }
    }

    fn plan(&self) -> Value {
        self.cli.run("plan --json").ok().json()
    }

    /// Neither now nor without its memory does another plan find anything to do.
    #[track_caller]
    fn is_over(&self) {
        for _ in 0..2 {
            self.cli.run("plan").ok().says("No changes");
            self.cli.run("apply --auto-approve").ok();
            self.cli.run("clear-cache").ok();
            self.cli.run("plan --refresh full").ok().says("No changes");
            self.cli.lose_state();
        }
    }

    /// What the Chinese account holds, oldest first: the file and its title.
    fn held(&self) -> Vec<(Vec<u8>, String)> {
        let world = self.cn.world();
        let mut rows: Vec<_> = world.activities.iter().collect();
        rows.sort_by_key(|row| row.start);
        rows.iter().map(|row| (row.file.clone().unwrap(), row.title.clone())).collect()
    }

    fn files(&self) -> Vec<Vec<u8>> {
        self.held().into_iter().map(|(bytes, _)| bytes).collect()
    }
}

fn of_garmin(start: &str, (sport, sub_sport): (u8, u8)) -> FitFile {
    let file = FitFile::new(start.parse().unwrap()).sport(sport, sub_sport);
    file.elapsed_s(3060).distance_m(10_012).records(60)
}

/// As COROS exports: no serial number, no zone, an event whose size is not that of its type.
fn of_coros(start: &str, (sport, sub_sport): (u8, u8)) -> FitFile {
    let file = FitFile::new(start.parse().unwrap()).sport(sport, sub_sport).odd_field_size();
    let file = file.maker(294, 802).product_name("COROS PACE 2").serial(0).local_offset_s(0);
    file.elapsed_s(3051).distance_m(10_055).records(62)
}

const ROAD_RUN: (u8, u8) = (1, 0);
const TRAIL_RUN: (u8, u8) = (1, 3);
const RIDE: (u8, u8) = (2, 0);
const HIKE: (u8, u8) = (17, 0);
const CLIMB: (u8, u8) = (16, 0);

fn named(rows: &[(String, String, String)]) -> Vec<String> {
    rows.iter().map(|(address, _, reason)| format!("{address} {reason}")).collect()
}

#[test]
fn of_a_day_with_both_watches_one_recording_comes_and_the_next_plan_is_empty() {
    for exports_anew in [false, true] {
        let stage = Stage::new();
        stage.coros.switch(|switches| switches.exports_anew = exports_anew);
        let [garmin, coros] = STARTS;
        let ride = of_garmin("2026-11-15T15:41:07Z", RIDE).build();
        let trail = of_coros(coros, TRAIL_RUN).build();
        let hike = of_coros("2026-11-16T07:30:00Z", HIKE).build();
        let climb = of_coros("2026-11-17T05:00:00Z", CLIMB).build();
        let road = of_coros("2026-11-18T06:00:00Z", ROAD_RUN).build();
        stage.us.world().store(&of_garmin(garmin, TRAIL_RUN).build(), "Ridge");
        stage.us.world().store(&ride, "Ride");
        for (file, title) in [(&trail, "Trail"), (&hike, "Hike"), (&climb, "Peak"), (&road, "Run")]
        {
            stage.coros.world().store(file, title, 32);
        }
        let plan = stage.plan();
        assert_eq!(
            steps(&plan).iter().map(|(address, ..)| address.as_str()).collect::<Vec<_>>(),
            [
                "us-to-cn/2026-11-15T15:41:07Z",
                "trails/2026-11-14T06:02:18Z",
                "trails/2026-11-16T07:30:00Z",
                "trails/2026-11-17T05:00:00Z",
            ]
        );
        assert_eq!(
            named(&context(&plan, "skips")),
            [
                format!("us-to-cn/{garmin} covered_by_rule"),
                "trails/2026-11-18T06:00:00Z filtered_type".to_owned(),
            ]
        );
        stage.cli.run("apply --auto-approve").ok().says("4 uploaded, 0 replaced");
        if !exports_anew {
            assert_eq!(stage.files(), [trail, ride, hike, climb]);
        }
        assert_eq!(stage.held().len(), 4);
        stage.is_over();
        assert_eq!(stage.held().len(), 4);
        assert_eq!(
            (stage.us.world().activities.len(), stage.coros.world().activities.len()),
            (2, 4)
        );
    }
}

#[test]
fn the_recording_of_coros_replaces_the_one_that_came_first() {
    for forgets in [false, true] {
        let stage = Stage::new();
        let [garmin, coros] = STARTS;
        let first = of_garmin(garmin, TRAIL_RUN).build();
        stage.us.world().store(&first, "Ridge");
        stage.cli.run("apply --auto-approve").ok();
        assert_eq!(stage.files(), std::slice::from_ref(&first));
        stage.cn.world().activities[0].title = "As I called it".to_owned();
        let kept = of_coros(coros, TRAIL_RUN).build();
        stage.coros.world().store(&kept, "Trail", 32);
        if forgets {
            stage.cli.lose_state();
        }
        let plan = stage.plan();
        let address = format!("trails/{coros}");
        let wanted = (address.clone(), "replace".to_owned(), "content_differs".to_owned());
        assert_eq!(steps(&plan), [wanted]);
        let saved = stage.cli.run("plan --out plan.json").ok();
        saved.says("1 to replace");
        stage.cli.run("apply plan.json").ok();
        assert_eq!(stage.held(), [(kept, "As I called it".to_owned())]);
        let backups = tree(&stage.cli.home("backups"));
        assert!(backups.values().any(|bytes| *bytes == first), "{:?}", backups.keys());
        stage.is_over();
        assert_eq!(stage.held().len(), 1);
    }
}

#[test]
fn garmin_s_recording_that_went_through_coros_does_not_replace_itself_unasked() {
    let stage = Stage::new();
    let [garmin, _] = STARTS;
    let first = of_garmin(garmin, TRAIL_RUN).build();
    stage.us.world().store(&first, "Ridge");
    stage.cli.run("apply --auto-approve").ok();
    // It comes back poorer, but with the second in which the watch was started.
    stage.coros.world().store(&of_coros(garmin, TRAIL_RUN).build(), "Trail", 32);
    for _ in 0..2 {
        let plan = stage.plan();
        assert!(steps(&plan).is_empty());
        let asked = named(&context(&plan, "conflicts"));
        assert_eq!(asked, [format!("trails/{garmin} would_lose_data")]);
        stage.cli.run("apply --auto-approve").exits(6);
        assert_eq!(stage.files(), std::slice::from_ref(&first));
        stage.cli.lose_state();
    }
    stage.plan();
    stage.cli.run(&format!("state ignore trails/{garmin}")).ok();
    stage.is_over();
}
