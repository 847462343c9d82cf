//! What people want to see of one file: names instead of numbers, devices, counts of messages.
//!
//! Names are text of the file or of the profile; text of the file is untrusted. Reads with our own
//! walk, so a file costs no more memory than its messages of interest and nothing is written to
//! stderr; see `names` for why the FIT library's decoder is not used.

use std::collections::BTreeMap;

use fitparser::profile::FieldDataType;
use jiff::Timestamp;
use serde::Serialize;

use super::chain::{Chain, Defect};
use super::names::{self, name, or_number};
use super::scan::{ScannedPart, message, scan};
use super::walk::{Message, walk};
use crate::domain::{Column, Session};

/// A FIT file for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// The parts of the chain in file order; at least one.
    pub parts: Vec<DetailPart>,
}

/// One part of a chain. What the profile has no name for is shown as its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DetailPart {
    /// Such as `activity` or `course`.
    pub file_type: Option<String>,
    /// Such as `garmin`.
    pub manufacturer: Option<String>,
    /// The maker's text, else the name of the product number.
    pub product: Option<String>,
    /// Serial number of the device that made the file.
    pub serial: Option<u32>,
    /// When the file was made; some makers write the time of export.
    pub time_created: Option<Timestamp>,
    /// Some start or record was written before the device knew the time.
    pub clock_never_set: bool,
    /// Seconds east of UTC, where the file can be believed about it.
    pub local_offset_s: Option<i32>,
    /// Sessions in order of their start.
    pub sessions: Vec<SessionDetail>,
    /// Number of lap messages.
    pub laps: u32,
    /// Number of record messages.
    pub records: u32,
    /// In how many of those there is what, such as `heart rate`.
    pub columns: BTreeMap<&'static str, u32>,
    /// Time of the first record with a valid time.
    pub first_record: Option<Timestamp>,
    /// Time of the last record with a valid time.
    pub last_record: Option<Timestamp>,
    /// Number of developer field descriptions.
    pub developer_fields: u32,
    /// Devices in the order in which the file first names them, at most 256.
    pub devices: Vec<Device>,
    /// How many messages of each kind there are, by name.
    pub messages: BTreeMap<String, u32>,
}

/// A session with its sport by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionDetail {
    /// Such as `cycling`.
    pub sport: Option<String>,
    /// Such as `road`.
    pub sub_sport: Option<String>,
    /// Start, lengths and numbers.
    pub facts: Session,
    /// What else it tells, such as `calories`.
    pub values: Vec<&'static str>,
}

/// A device that took part in the recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Device {
    /// Its number in the file; 0 made the file.
    pub index: Option<u8>,
    /// Such as `heart_rate`.
    pub kind: Option<String>,
    /// Such as `garmin`.
    pub manufacturer: Option<String>,
    /// The maker's text, else the name of the product number.
    pub product: Option<String>,
    /// Serial number.
    pub serial: Option<u32>,
    /// Version of its software, such as `12.50`.
    pub software: Option<String>,
}

const MAX_DEVICES: usize = 256;

/// Reads a file for people.
///
/// # Errors
/// If the file is not whole.
pub fn detail(bytes: &[u8]) -> Result<Detail, Defect> {
    let scan = scan(bytes)?;
    let mut parts = Vec::new();
    for (part, frame) in scan.parts.into_iter().zip(Chain::of(bytes)) {
        let mut counts: BTreeMap<u16, u32> = BTreeMap::new();
        let mut devices: Vec<Device> = Vec::new();
        walk(&frame?, |message| {
            let count = counts.entry(message.definition.global).or_default();
            *count = count.saturating_add(1);
            if message.definition.global == message::DEVICE_INFO && devices.len() < MAX_DEVICES {
                let device = device(message);
                if !devices.contains(&device) {
                    devices.push(device);
                }
            }
            Ok(())
        })?;
        let messages = counts.into_iter().map(|(number, count)| (names::message(number), count));
        parts.push(named(part, devices, messages.collect()));
    }
    Ok(Detail { parts })
}

fn named(part: ScannedPart, devices: Vec<Device>, messages: BTreeMap<String, u32>) -> DetailPart {
    let facts = part.facts;
    let sessions = facts.sessions.into_iter().map(|facts| SessionDetail {
        sport: facts.sport.map(|n| or_number(FieldDataType::Sport, n)),
        sub_sport: facts.sub_sport.map(|n| or_number(FieldDataType::SubSport, n)),
        values: facts.held().collect(),
        facts: Session { holds: 0, ..facts },
    });
    let columns = Column::ALL.map(|column| (column.as_str(), facts.columns.count(column)));
    DetailPart {
        file_type: part.file_type.map(names::file_type),
        product: product(facts.product_name.as_deref(), facts.manufacturer, facts.product),
        manufacturer: manufacturer(facts.manufacturer),
        serial: facts.serial,
        time_created: part.time_created,
        clock_never_set: part.clock_never_set,
        local_offset_s: facts.local_offset_s,
        sessions: sessions.collect(),
        laps: facts.laps,
        records: facts.records,
        columns: columns.into_iter().filter(|(_, count)| *count > 0).collect(),
        first_record: facts.first_record,
        last_record: facts.last_record,
        developer_fields: facts.developer_fields,
        devices,
        messages,
    }
}

fn device(message: &Message<'_, '_>) -> Device {
    let maker: Option<u16> = message.uint(2);
    let text = message.text(27);
    // Source: 3 is Bluetooth, 5 built in; old files leave ANT+ out.
    let kinds = match message.uint::<u8>(25) {
        None | Some(1) => Some(FieldDataType::AntplusDeviceType),
        Some(3) => Some(FieldDataType::BleDeviceType),
        Some(5) => Some(FieldDataType::LocalDeviceType),
        Some(_) => None,
    };
    Device {
        index: message.uint(0),
        kind: kinds.zip(message.uint::<u8>(1)).and_then(|(kinds, number)| name(kinds, number)),
        manufacturer: manufacturer(maker),
        product: product(text.as_deref(), maker, message.uint(4)),
        serial: message.uint(3),
        software: message
            .uint::<u16>(5)
            .map(|version| format!("{}.{:02}", version / 100, version % 100)),
    }
}

fn manufacturer(number: Option<u16>) -> Option<String> {
    number.map(|number| or_number(FieldDataType::Manufacturer, number))
}

fn product(text: Option<&str>, maker: Option<u16>, number: Option<u16>) -> Option<String> {
    names::product(text, maker, number).or_else(|| Some(number?.to_string()))
}
