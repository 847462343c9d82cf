//! A small FIT writer: whole activities like those of watches, and files with a chosen defect.
//!
//! Same builder, same bytes. Needs std and jiff only, so that benches and examples can include it
//! by path. Layout after the FIT protocol description of the FIT SDK (read 2026-11).

#[path = "fit_stream.rs"]
mod stream;

use jiff::Timestamp;

use stream::{
    ACTIVITY, DEVELOPER_DATA_ID, DEVICE_INFO, EVENT, FIELD_DESCRIPTION, FILE_ID, Field, LAP,
    RECORD, SESSION, SPORT, Stream, crc16, record as record_fields,
};

/// An activity file to be written; see [`FitFile::new`] for what it holds unless told otherwise.
#[derive(Clone, Debug)]
pub(crate) struct FitFile {
    start: u32,
    file_type: Option<u8>,
    manufacturer: u16,
    product: u16,
    product_name: Option<String>,
    serial: Option<u32>,
    time_created: u32,
    local_offset_s: Option<i32>,
    legs: Vec<Leg>,
    has_sessions: bool,
    records: u32,
    laps: u32,
    lap_sport: Option<(u8, u8)>,
    sport_message: Option<(u8, u8)>,
    /// Record fields, and in how many of the first records they have a value.
    columns: Vec<(u8, u32)>,
    session_values: Vec<(u8, u8)>,
    has_session_sport: bool,
    repeats_sessions: bool,
    developer_fields: u8,
    shape: Shape,
    damage: Damage,
    next: Option<Box<FitFile>>,
}

/// One session; they follow each other without a gap.
#[derive(Clone, Debug)]
struct Leg {
    sport: u8,
    sub_sport: u8,
    elapsed_s: u32,
    timer_s: u32,
    distance_m: u32,
    ascent_m: u16,
    elapsed_known: bool,
    is_zero: bool,
}

/// How the same content is encoded.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    big_endian: bool,
    header12: bool,
    header_crc_zero: bool,
    compressed_timestamps: bool,
    odd_field_size: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Damage {
    keep: Option<usize>,
    bad_crc: bool,
}

/// Seconds from 1970 to FIT's zero.
const FIT_EPOCH: i64 = 631_065_600;

impl FitFile {
    /// One hour of road cycling by a Garmin Edge 520 with a serial, 30 km, a record per second.
    pub(crate) fn new(start: Timestamp) -> Self {
        Self {
            start: raw(start),
            file_type: Some(4),
            manufacturer: 1,
            product: 2067,
            product_name: None,
            serial: Some(3_900_000_001),
            time_created: raw(start),
            local_offset_s: Some(0),
            legs: vec![Leg::new(2, 0, 3600, 30_000)],
            has_sessions: true,
            records: 3600,
            laps: 0,
            lap_sport: None,
            sport_message: None,
            columns: Vec::new(),
            session_values: Vec::new(),
            has_session_sport: true,
            repeats_sessions: false,
            developer_fields: 0,
            shape: Shape::default(),
            damage: Damage::default(),
            next: None,
        }
    }

    /// FIT manufacturer and product numbers.
    pub(crate) fn maker(mut self, manufacturer: u16, product: u16) -> Self {
        (self.manufacturer, self.product) = (manufacturer, product);
        self
    }

    /// The product's name as text, at most 20 bytes.
    pub(crate) fn product_name(mut self, name: &str) -> Self {
        self.product_name = Some(name.to_owned());
        self
    }

    /// Serial number; 0 writes none.
    pub(crate) fn serial(mut self, serial: u32) -> Self {
        self.serial = (serial > 0).then_some(serial);
        self
    }

    /// FIT numbers of the last session's sport and sub-sport.
    pub(crate) fn sport(self, sport: u8, sub_sport: u8) -> Self {
        self.leg(|leg| (leg.sport, leg.sub_sport) = (sport, sub_sport))
    }

    /// Wall-clock seconds of the last session; sets its timer time too.
    pub(crate) fn elapsed_s(self, elapsed_s: u32) -> Self {
        self.leg(|leg| (leg.elapsed_s, leg.timer_s) = (elapsed_s, elapsed_s))
    }

    /// Seconds without pauses of the last session.
    pub(crate) fn timer_s(self, timer_s: u32) -> Self {
        self.leg(|leg| leg.timer_s = timer_s)
    }

    /// Metres of the last session.
    pub(crate) fn distance_m(self, distance_m: u32) -> Self {
        self.leg(|leg| leg.distance_m = distance_m)
    }

    /// Metres climbed in the last session.
    pub(crate) fn ascent(self, ascent_m: u16) -> Self {
        self.leg(|leg| leg.ascent_m = ascent_m)
    }

    /// The last session tells its start and end, but not how long it took.
    pub(crate) fn elapsed_unknown(self) -> Self {
        self.leg(|leg| leg.elapsed_known = false)
    }

    /// Adds a session that begins where the last one ends.
    pub(crate) fn session(
        mut self,
        sport: u8,
        sub_sport: u8,
        elapsed_s: u32,
        distance_m: u32,
    ) -> Self {
        let leg = Leg::new(sport, sub_sport, elapsed_s, distance_m);
        self.legs.push(leg);
        self
    }

    /// Writes records only, as of a recording that was cut off.
    pub(crate) fn without_sessions(mut self) -> Self {
        self.has_sessions = false;
        self
    }

    /// Number of records, spread evenly over all sessions.
    pub(crate) fn records(mut self, records: u32) -> Self {
        self.records = records;
        self
    }

    /// Number of laps, spread evenly over the recording.
    pub(crate) fn laps(mut self, laps: u32) -> Self {
        self.laps = laps;
        self
    }

    /// FIT numbers of the sport and sub-sport that each lap tells.
    pub(crate) fn lap_sport(mut self, sport: u8, sub_sport: u8) -> Self {
        self.lap_sport = Some((sport, sub_sport));
        self
    }

    /// Writes a `sport` message.
    pub(crate) fn sport_message(mut self, sport: u8, sub_sport: u8) -> Self {
        self.sport_message = Some((sport, sub_sport));
        self
    }

    /// Sessions tell no sport.
    pub(crate) fn without_session_sport(mut self) -> Self {
        self.has_session_sport = false;
        self
    }

    /// A record field (FIT number) has a value in so many of the first records only.
    pub(crate) fn column(mut self, field: u8, records: u32) -> Self {
        self.columns.push((field, records));
        self
    }

    /// A further value (FIT field number, one byte) in each session.
    pub(crate) fn session_value(mut self, field: u8, value: u8) -> Self {
        self.session_values.push((field, value));
        self
    }

    /// Every session is written twice.
    pub(crate) fn sessions_twice(mut self) -> Self {
        self.repeats_sessions = true;
        self
    }

    /// The last session says that it took no time; the records go on as they do.
    pub(crate) fn length_zero(self) -> Self {
        self.leg(|leg| leg.is_zero = true)
    }

    /// Number of developer fields, each described once and present in every record.
    pub(crate) fn developer_fields(mut self, count: u8) -> Self {
        self.developer_fields = count;
        self
    }

    /// `file_id.type`: 4 is an activity, 6 a course; `None` leaves it out.
    pub(crate) fn file_type(mut self, file_type: impl Into<Option<u8>>) -> Self {
        self.file_type = file_type.into();
        self
    }

    /// `file_id.time_created`, the start unless told otherwise.
    pub(crate) fn time_created(mut self, at: Timestamp) -> Self {
        self.time_created = raw(at);
        self
    }

    /// Seconds east of UTC in the activity message; `None` leaves the local time out.
    pub(crate) fn local_offset_s(mut self, offset_s: impl Into<Option<i32>>) -> Self {
        self.local_offset_s = offset_s.into();
        self
    }

    /// All times count from when the device was switched on.
    pub(crate) fn clock_not_set(mut self) -> Self {
        (self.start, self.time_created) = (3600, 3600);
        self
    }

    /// Appends another file to the chain.
    pub(crate) fn chain(mut self, other: FitFile) -> Self {
        self.next = Some(match self.next.take() {
            Some(next) => Box::new(next.chain(other)),
            None => Box::new(other),
        });
        self
    }

    /// Numbers with the highest byte first.
    pub(crate) fn big_endian(mut self) -> Self {
        self.shape.big_endian = true;
        self
    }

    /// The old, short header.
    pub(crate) fn header12(mut self) -> Self {
        self.shape.header12 = true;
        self
    }

    /// A long header whose own checksum was not computed.
    pub(crate) fn header_crc_zero(mut self) -> Self {
        self.shape.header_crc_zero = true;
        self
    }

    /// Records tell their time in five bits of their header.
    pub(crate) fn compressed_timestamps(mut self) -> Self {
        self.shape.compressed_timestamps = true;
        self
    }

    /// Declares a four-byte field with one byte, as COROS does.
    pub(crate) fn odd_field_size(mut self) -> Self {
        self.shape.odd_field_size = true;
        self
    }

    /// Keeps the first `bytes` bytes of the whole chain only.
    pub(crate) fn truncate(mut self, bytes: usize) -> Self {
        self.damage.keep = Some(bytes);
        self
    }

    /// Writes a wrong checksum behind this part.
    pub(crate) fn bad_crc(mut self) -> Self {
        self.damage.bad_crc = true;
        self
    }

    /// The file's bytes.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut bytes = self.part();
        if let Some(next) = &self.next {
            bytes.extend(next.build());
        }
        bytes.truncate(self.damage.keep.unwrap_or(usize::MAX));
        bytes
    }

    fn leg(mut self, change: impl FnOnce(&mut Leg)) -> Self {
        if let Some(leg) = self.legs.last_mut() {
            change(leg);
        }
        self
    }

    fn part(&self) -> Vec<u8> {
        let mut stream = Stream::new(self.shape.big_endian);
        self.write_head(&mut stream);
        self.write_records(&mut stream);
        self.write_laps(&mut stream);
        if self.has_sessions {
            self.write_tail(&mut stream);
        }
        self.seal(&stream.bytes)
    }

    /// Puts header and checksum around messages, whatever they are.
    pub(crate) fn seal(&self, messages: &[u8]) -> Vec<u8> {
        let mut bytes = self.header(messages.len());
        bytes.extend(messages);
        let crc = crc16(&bytes) ^ u16::from(self.damage.bad_crc);
        bytes.extend(crc.to_le_bytes());
        bytes
    }

    fn header(&self, data_size: usize) -> Vec<u8> {
        let size = if self.shape.header12 { 12 } else { 14 };
        let mut bytes = vec![size, 0x20, 0x54, 0x08];
        bytes.extend(u32::try_from(data_size).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(b".FIT");
        let crc = match (self.shape.header12, self.shape.header_crc_zero) {
            (true, _) => None,
            (false, true) => Some(0),
            (false, false) => Some(crc16(&bytes)),
        };
        bytes.extend(crc.into_iter().flat_map(u16::to_le_bytes));
        bytes
    }

    fn write_head(&self, stream: &mut Stream) {
        let mut file_id = vec![
            Field::u32(4, self.time_created),
            Field::u16(1, self.manufacturer),
            Field::u16(2, self.product),
        ];
        file_id.extend(self.serial.map(|serial| Field::u32z(3, serial)));
        file_id.extend(self.product_name.iter().map(|name| Field::text(8, name)));
        file_id.extend(self.file_type.map(|number| Field::of_enum(0, number)));
        stream.message(FILE_ID, &file_id, &[]);
        if let Some((sport, sub_sport)) = self.sport_message {
            let fields = [Field::of_enum(0, sport), Field::of_enum(1, sub_sport)];
            stream.message(SPORT, &fields, &[]);
        }
        if self.developer_fields > 0 {
            stream.message(DEVELOPER_DATA_ID, &[Field::u8(3, 0)], &[]);
        }
        for number in 0..self.developer_fields {
            let name = format!("field {number}");
            let description =
                [Field::u8(0, 0), Field::u8(1, number), Field::u8(2, 2), Field::text(3, &name)];
            stream.message(FIELD_DESCRIPTION, &description, &[]);
        }
        let device = [
            Field::u32(253, self.start),
            Field::u8(0, 0),
            Field::u16(2, self.manufacturer),
            Field::u16(4, self.product),
            Field::u16(5, 1250),
        ];
        stream.message(DEVICE_INFO, &device, &[]);
        self.write_event(stream, self.start, 0);
    }

    /// Timer event; 0 starts the timer and 4 stops all.
    fn write_event(&self, stream: &mut Stream, at: u32, kind: u8) {
        let mut data = Field::u32(3, 0);
        if self.shape.odd_field_size {
            data.value.truncate(1);
        }
        let fields = [Field::u32(253, at), data, Field::of_enum(0, 0), Field::of_enum(1, kind)];
        stream.message(EVENT, &fields, &[]);
    }

    fn write_records(&self, stream: &mut Stream) {
        let elapsed: u32 = self.legs.iter().map(|leg| leg.elapsed_s).sum();
        let metres: u32 = self.legs.iter().map(|leg| leg.distance_m).sum();
        let mut before = self.start;
        for index in 0..self.records {
            let share = |whole: u32| share(whole, index, self.records.saturating_sub(1).max(1));
            let at = self.start + share(elapsed);
            let compressed = self.shape.compressed_timestamps;
            if compressed && at - before >= 32 {
                self.write_event(stream, at, 3);
            }
            before = at;
            let mut fields = self.with_columns(index, record_fields(index, share(metres)));
            if !compressed {
                fields.insert(0, Field::u32(253, at));
            }
            let developer: Vec<u8> = (0..self.developer_fields).collect();
            stream.timed_message(RECORD, &fields, &developer, compressed.then_some(at));
        }
    }

    fn with_columns(&self, index: u32, fields: Vec<Field>) -> Vec<Field> {
        let is_left = |field: &Field| {
            self.columns
                .iter()
                .any(|(number, records)| *number == field.number && index >= *records)
        };
        let fields = fields.into_iter();
        fields.map(|field| if is_left(&field) { field.invalid() } else { field }).collect()
    }

    fn write_laps(&self, stream: &mut Stream) {
        let elapsed: u32 = self.legs.iter().map(|leg| leg.elapsed_s).sum();
        for lap in 0..self.laps {
            let [start, end] = [lap, lap + 1].map(|n| self.start + share(elapsed, n, self.laps));
            let mut fields = vec![
                Field::u32(253, end),
                Field::u32(2, start),
                Field::u32(7, (end - start) * 1000),
            ];
            let sport = self.lap_sport.iter();
            fields.extend(
                sport.flat_map(|(one, two)| [Field::of_enum(25, *one), Field::of_enum(39, *two)]),
            );
            stream.message(LAP, &fields, &[]);
        }
    }

    fn write_tail(&self, stream: &mut Stream) {
        let mut start = self.start;
        for leg in &self.legs {
            let end = start + leg.elapsed_s;
            let times = 1 + usize::from(self.repeats_sessions);
            (0..times).for_each(|_| stream.message(SESSION, &self.session_fields(leg, start), &[]));
            start = end;
        }
        self.write_event(stream, start, 4);
        let sessions = u16::try_from(self.legs.len()).unwrap_or(u16::MAX);
        let mut activity = vec![Field::u32(253, start), Field::u16(1, sessions)];
        let local = self.local_offset_s;
        activity.extend(local.map(|offset| Field::u32(5, start.wrapping_add_signed(offset))));
        stream.message(ACTIVITY, &activity, &[]);
    }
}

impl FitFile {
    fn session_fields(&self, leg: &Leg, start: u32) -> Vec<Field> {
        let elapsed_ms = if leg.elapsed_known { leg.elapsed_s * 1000 } else { u32::MAX };
        let (end, elapsed_ms, timer_s) = match leg.is_zero {
            true => (start, 0, 0),
            false => (start + leg.elapsed_s, elapsed_ms, leg.timer_s),
        };
        let mut session = vec![
            Field::u32(253, end),
            Field::u32(2, start),
            Field::u32(7, elapsed_ms),
            Field::u32(8, timer_s * 1000),
            Field::u32(9, leg.distance_m * 100),
            Field::u16(22, leg.ascent_m),
        ];
        if self.has_session_sport {
            session.extend([Field::of_enum(5, leg.sport), Field::of_enum(6, leg.sub_sport)]);
        }
        session.extend(self.session_values.iter().map(|(field, value)| Field::u8(*field, *value)));
        session
    }
}

impl Leg {
    fn new(sport: u8, sub_sport: u8, elapsed_s: u32, distance_m: u32) -> Self {
        Self {
            sport,
            sub_sport,
            elapsed_s,
            timer_s: elapsed_s,
            distance_m,
            ascent_m: 120,
            elapsed_known: true,
            is_zero: false,
        }
    }
}

/// The same recording, exported once more, so many seconds later: `file_id.time_created`, the first
/// field that this writer writes, differs.
pub(crate) fn exported_again(bytes: &[u8], seconds: u8) -> Vec<u8> {
    let at = |place: usize| usize::from(bytes.get(place).copied().unwrap_or_default());
    let header = at(0);
    let created = header + 7 + 3 * at(header + 5);
    let mut bytes = bytes.to_vec();
    if let Some(low) = bytes.get_mut(created) {
        *low = low.wrapping_add(seconds);
    }
    bytes.truncate(bytes.len() - 2);
    let crc = crc16(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// `whole * index / last` without overflow.
fn share(whole: u32, index: u32, last: u32) -> u32 {
    let share = u64::from(whole) * u64::from(index) / u64::from(last);
    u32::try_from(share).unwrap_or(whole)
}

fn raw(at: Timestamp) -> u32 {
    u32::try_from(at.as_second() - FIT_EPOCH).unwrap_or(u32::MAX)
}
