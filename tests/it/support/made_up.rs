//! The made-up accounts of `examples/fakes.rs`, on which the README's walks are tried: three of Garmin,
//! one of COROS, and days on which both watches were worn.

use jiff::{SignedDuration, Timestamp};

use super::fake_coros::{self, FakeCoros};
use super::fake_garmin::{Code, FakeGarmin, Switches};
use super::fit::FitFile;

const MANIFEST: &str = "\
# Two accounts of the fakes: what the global one holds, the Chinese one shall hold.
accounts:
  garmin_us: {}
  garmin_cn: {}
sync_rules:
  - { name: us-to-cn, source: garmin_us, destination: garmin_cn }
";

const BOTH_WATCHES: &str = "\
# The same, and in the mountains the recording of the COROS watch is the one to keep.
accounts:
  garmin_us: {}
  garmin_cn: {}
  coros_cn: {}
sync_rules:
  - { name: us-to-cn, source: garmin_us, destination: garmin_cn }
  - name: trails
    source: coros_cn
    destination: garmin_cn
    activity_types: [trail_running, hiking, mountaineering]
    conflict_strategy: replace_existing
";

/// Newest day of every account.
const LAST: &str = "2026-11-19T06:12:33Z";
/// FIT sport and sub-sport of what the Garmin watch records, day after day.
const KINDS: [(u8, u8, &str); 3] =
    [(1, 0, "Morning Run"), (2, 0, "Evening Ride"), (1, 3, "Ridge Run")];

pub(crate) struct MadeUp {
    pub(crate) us: FakeGarmin,
    pub(crate) cn: FakeGarmin,
    pub(crate) mfa: FakeGarmin,
    pub(crate) coros: FakeCoros,
}

impl MadeUp {
    /// On ports from this one on, or on free ones.
    pub(crate) fn start(port: u16) -> Self {
        let port = |number| if port == 0 { 0 } else { port + number };
        let garmin = |domain, email: &str, profile, code, number| {
            let email = email.to_owned();
            let switches = Switches { email, profile, code, ..Switches::of(domain) };
            FakeGarmin::start_at(switches, port(number))
        };
        let mut switches = fake_coros::Switches::of("cn");
        "trails@example.com".clone_into(&mut switches.email);
        let made_up = Self {
            us: garmin("garmin.com", "us@example.com", 1, None, 0),
            cn: garmin("garmin.cn", "cn@example.com", 2, None, 10),
            mfa: garmin("garmin.com", "mfa@example.com", 3, Some(Code::new("123456")), 20),
            coros: FakeCoros::start_at(switches, port(30)),
        };
        made_up.record();
        made_up
    }

    fn record(&self) {
        for number in 0..40 {
            let (sport, sub_sport, title) = KINDS[number as usize % KINDS.len()];
            let file = recording(number, sport, sub_sport);
            self.us.world().store(&file.build(), title);
            if number < 5 {
                self.mfa.world().store(&file.build(), title);
            }
            // The other watch was started a few seconds later.
            if title == "Ridge Run" && number < 20 {
                let worn_too = of_coros(FitFile::new(day(number, 7)), number, sport, sub_sport);
                self.coros.world().store(&worn_too.build(), "Trail", 32);
            }
        }
        for (number, sport, title) in [(1, 17, "Autumn Hike"), (7, 16, "Säntis"), (9, 2, "Commute")]
        {
            let alone = of_coros(FitFile::new(day(number, 5 * 3600)), number, sport, 0);
            self.coros.world().store(&alone.build(), title, 32);
        }
    }

    /// Every file of the folder to work in, by its path: manifests, accounts, other tools' tokens.
    /// These keys are added to every account.
    pub(crate) fn files(&self, keys: &str) -> [(&'static str, String); 6] {
        let account = |name: &str, more: &str, email: &str, endpoints: String| {
            format!(
                "  {name}: {{ {more}email: {email}, password: right, endpoints: {endpoints}{keys} }}\n"
            )
        };
        let accounts = [
            "accounts:\n".to_owned(),
            account("garmin_us", "", "us@example.com", self.us.endpoints()),
            account("garmin_cn", "", "cn@example.com", self.cn.endpoints()),
            account(
                "garmin_mfa",
                "platform: garmin, region: global, ",
                "mfa@example.com",
                self.mfa.endpoints(),
            ),
            account("coros_cn", "", "trails@example.com", self.coros.endpoints()),
        ];
        let [lasting, traded] = self.cn.world().older_tokens();
        let newer = self.us.world().newer_tokens();
        [
            ("fit_sync.yaml", MANIFEST.to_owned()),
            ("both-watches.yaml", BOTH_WATCHES.to_owned()),
            ("home/accounts.yaml", accounts.concat()),
            ("garminconnect/garmin_tokens.json", newer.to_string()),
            ("garth/oauth1_token.json", lasting.to_string()),
            ("garth/oauth2_token.json", traded.to_string()),
        ]
    }
}

/// The activity of every other day, so many days back.
fn day(number: u32, later_s: i64) -> Timestamp {
    let last: Timestamp = LAST.parse().unwrap_or_default();
    let earlier = SignedDuration::from_hours(48 * i64::from(number));
    let later = SignedDuration::from_secs(later_s);
    last.checked_sub(earlier).and_then(|at| at.checked_add(later)).unwrap_or_default()
}

/// With a serial number, as a watch of Garmin's writes it.
fn recording(number: u32, sport: u8, sub_sport: u8) -> FitFile {
    let file = FitFile::new(day(number, 0)).sport(sport, sub_sport);
    file.elapsed_s(1800 + 60 * number).distance_m(5000 + 250 * number).records(60)
}

fn of_coros(file: FitFile, number: u32, sport: u8, sub_sport: u8) -> FitFile {
    let file = file.maker(294, 802).serial(0).product_name("COROS PACE 2").local_offset_s(0);
    let file = file.sport(sport, sub_sport).odd_field_size();
    file.elapsed_s(1800 + 60 * number).distance_m(5030 + 250 * number).records(80)
}
