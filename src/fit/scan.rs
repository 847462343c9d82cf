//! The identity of a FIT file in one fast pass over its bytes.
//!
//! Looks into file_id, session, sport, activity, device_info and field_description; of laps only the
//! number and the sport count, of records the number, the times and whether a column has a value.
//! Memory: sixteen definitions that borrow the file, and a bounded number of parts and sessions; never
//! a function of the number of records.

use jiff::Timestamp;

use super::chain::{Chain, Defect, Frame};
use super::walk::{Message, walk};
use crate::domain::{Columns, Part, SESSION_VALUES, Session};

/// What a whole file says, part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The parts of the chain in file order; at least one.
    pub parts: Vec<ScannedPart>,
}

/// What one part of a chain says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScannedPart {
    /// `file_id.type`: 4 is an activity, 6 a course and so on.
    pub file_type: Option<u8>,
    /// `file_id.time_created`; not an identity, some makers write the time of export.
    pub time_created: Option<Timestamp>,
    /// A start or a record has a time that only a clock that was never set can tell.
    pub clock_never_set: bool,
    /// The facts that identity and comparison need.
    pub facts: Part,
}

/// Message numbers of the FIT profile.
pub(super) mod message {
    pub(in crate::fit) const FILE_ID: u16 = 0;
    pub(in crate::fit) const SPORT: u16 = 12;
    pub(in crate::fit) const SESSION: u16 = 18;
    pub(in crate::fit) const LAP: u16 = 19;
    pub(in crate::fit) const RECORD: u16 = 20;
    pub(in crate::fit) const DEVICE_INFO: u16 = 23;
    pub(in crate::fit) const ACTIVITY: u16 = 34;
    pub(in crate::fit) const FIELD_DESCRIPTION: u16 = 206;
}

/// A session costs 64 bytes of memory but may cost a single byte of file.
const MAX_SESSIONS: usize = 1024;

/// COROS writes UTC into `activity.local_timestamp` (seen in files of 2020 and 2022).
const COROS: u16 = 294;

/// Seconds from 1970 to FIT's zero, 1989-12-31T00:00:00Z.
const FIT_EPOCH: i64 = 631_065_600;

/// Smaller times count seconds since the device was switched on.
const FIRST_DATE: u32 = 0x1000_0000;

/// Reads the identity of a FIT file.
///
/// # Errors
/// If any part of the file is not whole: then nothing of it is trusted.
pub fn scan(bytes: &[u8]) -> Result<Scan, Defect> {
    let mut parts: Vec<ScannedPart> = Vec::new();
    let mut sessions = 0;
    for frame in Chain::of(bytes) {
        let part = scan_part(&frame?, &mut sessions)?;
        parts.push(part);
    }
    Ok(Scan { parts })
}

fn scan_part(frame: &Frame<'_>, sessions: &mut usize) -> Result<ScannedPart, Defect> {
    let mut part = Collector::default();
    walk(frame, |message| {
        match message.definition.global {
            message::RECORD => part.record(message),
            message::FILE_ID => part.file_id(message),
            message::SESSION => {
                *sessions += 1;
                if *sessions > MAX_SESSIONS {
                    return Err(Defect::TooMany { what: "sessions", limit: MAX_SESSIONS });
                }
                part.session(message);
            }
            message::LAP => part.lap(message),
            message::SPORT => part.sport = sport(message, 0, 1),
            message::DEVICE_INFO => part.device_info(message),
            message::ACTIVITY => part.activity(message),
            message::FIELD_DESCRIPTION => part.developer_fields += 1,
            _ => {}
        }
        Ok(())
    })?;
    Ok(part.finish())
}

/// The sport and the sub-sport in these fields of a message.
fn sport(message: &Message<'_, '_>, sport: u8, sub_sport: u8) -> Option<(u8, Option<u8>)> {
    Some((message.uint(sport)?, message.uint(sub_sport)))
}

/// The instant of a raw FIT time; `None` if it is invalid or the clock was never set.
pub(super) fn instant(raw: u32) -> Option<Timestamp> {
    is_date(raw).then(|| Timestamp::from_second(FIT_EPOCH + i64::from(raw)).ok()).flatten()
}

fn is_date(raw: u32) -> bool {
    (FIRST_DATE..u32::MAX).contains(&raw)
}

#[derive(Default)]
struct Collector {
    has_file_id: bool,
    part: ScannedPart,
    records: u32,
    first_record: Option<u32>,
    last_record: Option<u32>,
    columns: Columns,
    laps: u32,
    sport: Option<(u8, Option<u8>)>,
    lap_sport: Option<(u8, Option<u8>)>,
    developer_fields: u32,
    creator_name: Option<String>,
    local_offset_s: Option<i32>,
}

impl Collector {
    #[inline]
    fn record(&mut self, message: &Message<'_, '_>) {
        self.records = self.records.saturating_add(1);
        message.definition.columns.count(message.body, &mut self.columns);
        if let Some(raw) = message.time {
            if is_date(raw) {
                self.first_record.get_or_insert(raw);
                self.last_record = Some(raw);
            } else {
                self.part.clock_never_set = true;
            }
        }
    }

    /// The first file_id of a part is the one that counts.
    fn file_id(&mut self, message: &Message<'_, '_>) {
        if self.has_file_id {
            return;
        }
        self.has_file_id = true;
        let facts = &mut self.part.facts;
        facts.manufacturer = message.uint(1);
        facts.product = message.uint(2);
        facts.serial = message.uint(3);
        facts.product_name = message.text(8);
        self.part.file_type = message.uint(0);
        self.part.time_created = message.uint(4).and_then(instant);
    }

    fn lap(&mut self, message: &Message<'_, '_>) {
        self.laps = self.laps.saturating_add(1);
        self.lap_sport = self.lap_sport.or_else(|| sport(message, 25, 39));
    }

    fn session(&mut self, message: &Message<'_, '_>) {
        // An invalid time (all ones) is no field to `uint`, but here it tells of an unset clock.
        let start = message.definition.raw_u32(message.body, 2);
        if start.is_some_and(|raw| !is_date(raw)) {
            self.part.clock_never_set = true;
        }
        // Of an unknown end, some makers write a length of 0.
        let elapsed_ms = message.uint(7).filter(|ms| *ms > 0).or_else(|| {
            let lasted_s = message.time.filter(|end| is_date(*end))?.checked_sub(start?)?;
            lasted_s.checked_mul(1000).filter(|ms| *ms > 0)
        });
        let holds = SESSION_VALUES
            .iter()
            .enumerate()
            .filter(|(_, (field, _))| message.uint::<u32>(*field).is_some_and(|value| value > 0));
        self.part.facts.sessions.push(Session {
            start: start.and_then(instant),
            elapsed_ms,
            timer_ms: message.uint(8),
            distance_cm: message.uint(9),
            ascent_m: message.uint(22),
            sport: message.uint(5),
            sub_sport: message.uint(6),
            holds: holds.fold(0, |holds, (bit, _)| holds | 1 << bit),
        });
    }

    /// Device 0 is the one that made the file.
    fn device_info(&mut self, message: &Message<'_, '_>) {
        if self.creator_name.is_none() && message.uint::<u8>(0) == Some(0) {
            self.creator_name = message.text(27);
        }
    }

    /// Keeps the local offset if it is one: multiples of 15 minutes up to 14 hours.
    fn activity(&mut self, message: &Message<'_, '_>) {
        let utc = message.time.filter(|raw| is_date(*raw));
        let local = message.uint(5).filter(|raw| is_date(*raw));
        if let (Some(utc), Some(local)) = (utc, local) {
            let offset = i64::from(local) - i64::from(utc);
            let is_zone = offset % (15 * 60) == 0 && offset.abs() <= 14 * 3600;
            self.local_offset_s = i32::try_from(offset).ok().filter(|_| is_zone);
        }
    }

    fn finish(self) -> ScannedPart {
        let mut part = self.part;
        let facts = &mut part.facts;
        facts.sessions.sort_by_key(|s| (s.start.is_none(), s.start));
        facts.sessions.shrink_to_fit();
        facts.records = self.records;
        facts.columns = self.columns;
        facts.laps = self.laps;
        facts.first_record = self.first_record.and_then(instant);
        facts.last_record = self.last_record.and_then(instant);
        complete(facts, self.sport.or(self.lap_sport));
        facts.developer_fields = self.developer_fields;
        facts.product_name = facts.product_name.take().or(self.creator_name);
        facts.local_offset_s = self.local_offset_s.filter(|_| facts.manufacturer != Some(COROS));
        part
    }
}

/// What sessions do not tell, the rest of the file does: where the last one ended, and the sport.
fn complete(facts: &mut Part, sport: Option<(u8, Option<u8>)>) {
    if let Some(last) = facts.sessions.last_mut().filter(|last| last.elapsed_ms.is_none()) {
        let lasted =
            last.start.zip(facts.last_record).map(|(start, end)| end.duration_since(start));
        let lasted_ms = lasted.and_then(|lasted| u32::try_from(lasted.as_millis()).ok());
        last.elapsed_ms = lasted_ms.filter(|ms| *ms > 0);
    }
    if facts.sessions.is_empty() {
        facts.sport = sport;
    }
    for session in facts.sessions.iter_mut().filter(|session| session.sport.is_none()) {
        (session.sport, session.sub_sport) =
            sport.map_or((None, None), |(one, two)| (Some(one), two));
    }
}
