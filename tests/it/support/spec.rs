//! One activity in one line, as tests write it:
//!
//! `id1 2026-11-19T06:12:33Z running 3067s 10060m "Morning Run" device=fenix offset=3600 sha=x`
//!
//! Id, start (`-` if unknown) and type come first. Then, in any order: seconds, metres, a title in
//! quotes, `device=`, `offset=`, `sha=` (any word), the flags `weak`, `no_original`, `unreadable`,
//! `not_an_activity`, `clock_not_set`, `several`; and facts of its file: `records=`, `maker=`,
//! `serial=`, `ascent=`, `developer=`, `sessions=`.

use fit_sync::domain::{
    Activity, ActivityType, Content, Fingerprint, Part, RemoteId, Session, Sha256, Unusable,
};
use jiff::{SignedDuration, Timestamp};

/// An activity, and the facts of its file if the line tells any.
pub(crate) fn read(line: &str) -> (Activity, Option<Content>) {
    let words = words(line);
    let [id, start, kind, rest @ ..] = words.as_slice() else {
        panic!("an activity needs an id, a start and a type: {line}");
    };
    let mut activity = blank(id, start, kind);
    let mut file = None;
    for word in rest {
        apply(&mut activity, &mut file, word);
    }
    activity.fingerprint = match &activity.sha256 {
        Some(sha256) => Fingerprint::of_bytes(sha256),
        None => listed_fingerprint(&activity),
    };
    let content = file.map(|facts| facts.content(&activity));
    (activity, content)
}

fn listed_fingerprint(activity: &Activity) -> Fingerprint {
    let Activity { start, elapsed_s, distance_m, kind, .. } = activity;
    Fingerprint::of_listing(*start, *elapsed_s, *distance_m, kind.as_str())
}

fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.trim().chars() {
        quoted ^= c == '"';
        match words.last_mut() {
            Some(word) if quoted || !c.is_whitespace() => word.push(c),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn blank(id: &str, start: &str, kind: &str) -> Activity {
    let fingerprint = Fingerprint::new("");
    let mut activity = Activity::unusable(RemoteId::new(id), fingerprint, Unusable::NoOriginal);
    activity.unusable = None;
    activity.start = (start != "-").then(|| start.parse().unwrap());
    activity.kind = ActivityType::opaque(kind);
    activity
}

#[derive(Default)]
struct File {
    records: u32,
    maker: Option<u16>,
    serial: Option<u32>,
    ascent_m: Option<u16>,
    developer_fields: u32,
    sessions: Option<u32>,
}

fn apply(activity: &mut Activity, file: &mut Option<File>, word: &str) {
    if let Some(title) = word.strip_prefix('"') {
        activity.title = Some(title.trim_end_matches('"').to_owned());
        return;
    }
    let Some((key, value)) = word.split_once('=') else {
        return apply_bare(activity, word);
    };
    match key {
        "device" => activity.device = Some(value.to_owned()),
        "offset" => activity.local_offset_s = Some(value.parse().unwrap()),
        "sha" => activity.sha256 = Some(Sha256::of(value.as_bytes())),
        _ => {
            let file = file.get_or_insert_default();
            match key {
                "records" => file.records = value.parse().unwrap(),
                "maker" => file.maker = Some(value.parse().unwrap()),
                "serial" => file.serial = Some(value.parse().unwrap()),
                "ascent" => file.ascent_m = Some(value.parse().unwrap()),
                "developer" => file.developer_fields = value.parse().unwrap(),
                "sessions" => file.sessions = Some(value.parse().unwrap()),
                _ => panic!("what is {word}?"),
            }
        }
    }
}

fn apply_bare(activity: &mut Activity, word: &str) {
    let detail = || "of another kind".to_owned();
    activity.unusable = Some(match word {
        "weak" => {
            activity.weak_start = true;
            return;
        }
        "no_original" => Unusable::NoOriginal,
        "unreadable" => Unusable::Unreadable { detail: "the file ends early".to_owned() },
        "not_an_activity" => Unusable::NotAnActivity { detail: detail() },
        "clock_not_set" => Unusable::ClockNotSet,
        "several" => Unusable::SeveralActivities,
        number => {
            let (digits, unit) = number.split_at(number.len() - 1);
            let value = digits.parse().unwrap_or_else(|_| panic!("what is {word}?"));
            match unit {
                "s" => activity.elapsed_s = Some(value),
                "m" => activity.distance_m = Some(value),
                _ => panic!("what is {word}?"),
            }
            return;
        }
    });
}

impl File {
    /// A file that says of its activity what the listing says.
    fn content(&self, activity: &Activity) -> Content {
        let length = SignedDuration::from_secs(i64::from(activity.elapsed_s.unwrap_or_default()));
        let legs = self.sessions.unwrap_or(1);
        let session = |leg: u32| Session {
            start: activity
                .start
                .map(|start| start + length * leg.cast_signed() / legs.cast_signed()),
            elapsed_ms: activity.elapsed_s.map(|s| s * 1000 / legs),
            timer_ms: activity.elapsed_s.map(|s| s * 1000 / legs),
            distance_cm: activity.distance_m.map(|m| m * 100 / legs),
            ascent_m: self.ascent_m,
            sport: Some(1),
            sub_sport: None,
            holds: 0,
        };
        let end = |start: Timestamp| start + length;
        let sessions = (0..legs).map(session).collect();
        let part = Part {
            manufacturer: self.maker.or(Some(1)),
            product: Some(3110),
            serial: self.serial,
            sessions,
            records: self.records,
            first_record: activity.start,
            last_record: activity.start.map(end),
            developer_fields: self.developer_fields,
            ..Part::default()
        };
        Content { parts: vec![part] }
    }
}
