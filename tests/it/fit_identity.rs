//! The identity of FIT files: what self-made whole, odd and broken files are read as.

use fit_sync::domain::{Column, Content, Unusable};
use fit_sync::fit::{self, Defect};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::support::fit::FitFile;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn start() -> Timestamp {
    at("2024-05-01T06:30:00Z")
}

/// A ride that differs from the builder's own in every number.
fn ride() -> FitFile {
    FitFile::new(start())
        .maker(294, 802)
        .serial(77)
        .sport(2, 7)
        .elapsed_s(5000)
        .timer_s(4000)
        .distance_m(12_345)
        .ascent(321)
        .records(50)
        .developer_fields(3)
        .time_created(at("2024-05-02T00:00:00Z"))
}

fn read(file: &FitFile) -> Content {
    fit::read(&file.build()).unwrap()
}

#[test]
fn facts_are_those_that_were_written() {
    let scan = fit::scan(&ride().product_name("COROS PACE 2").build()).unwrap();
    assert_eq!(scan.parts.len(), 1);
    let part = &scan.parts[0];
    assert_eq!(part.file_type, Some(4));
    assert_eq!(part.time_created, Some(at("2024-05-02T00:00:00Z")));
    assert!(!part.clock_never_set);
    insta::assert_json_snapshot!(part.facts, @r#"
    {
      "manufacturer": 294,
      "product": 802,
      "product_name": "COROS PACE 2",
      "serial": 77,
      "sessions": [
        {
          "start": "2024-05-01T06:30:00Z",
          "elapsed_ms": 5000000,
          "timer_ms": 4000000,
          "distance_cm": 1234500,
          "ascent_m": 321,
          "sport": 2,
          "sub_sport": 7
        }
      ],
      "sport": null,
      "laps": 0,
      "records": 50,
      "columns": [
        50,
        50,
        50,
        50,
        50,
        0
      ],
      "first_record": "2024-05-01T06:30:00Z",
      "last_record": "2024-05-01T07:53:20Z",
      "developer_fields": 3,
      "local_offset_s": null
    }
    "#);
}

#[test]
fn columns_laps_and_values_are_counted() {
    let (power, altitude) = (7, 2);
    let file = ride().laps(7).column(power, 20).column(altitude, 0).session_value(16, 141);
    for file in [file.clone(), file.clone().big_endian(), file.compressed_timestamps()] {
        let part = &read(&file).parts[0];
        let counts = Column::ALL.map(|column| part.columns.count(column));
        assert_eq!((counts, part.laps), ([50, 50, 20, 50, 0, 0], 7));
        assert_eq!(part.sessions[0].holds, 1 << 1);
    }
}

#[test]
fn the_type_is_the_session_s_else_the_file_s_else_the_laps() {
    let kind = |file: FitFile| read(&file).kind().to_string();
    assert_eq!(kind(ride().sport_message(1, 0).lap_sport(17, 0).laps(1)), "cycling");
    assert_eq!(kind(ride().without_session_sport().sport_message(1, 0)), "running");
    let laps = ride().without_session_sport().lap_sport(17, 0).laps(2);
    assert_eq!(kind(laps), "hiking");
    assert_eq!(kind(ride().without_sessions().sport_message(1, 3)), "trail_running");
    assert_eq!(kind(ride().without_sessions().lap_sport(17, 0).laps(2)), "hiking");
}

#[test]
fn what_is_there_twice_counts_once() {
    let numbers = |content: &Content| (content.distance_m(), content.timer_s());
    let once = numbers(&read(&ride()));
    assert_eq!(numbers(&read(&ride().sessions_twice())), once);
    assert_eq!(numbers(&read(&ride().chain(ride()))), once);
    let part = ride().elapsed_s(2000).distance_m(5000);
    assert_eq!(numbers(&read(&part.chain(ride()))), once, "the longer one counts");
    let legs = ride().session(1, 0, 600, 2000);
    assert_eq!(numbers(&read(&legs.sessions_twice())), (Some(14_345), Some(4600)));
}

#[test]
fn a_length_of_zero_is_an_unknown_end() {
    let key = |file: FitFile| read(&file).key().unwrap().0;
    let real = key(ride());
    assert_eq!(key(ride().length_zero()), real, "the last record tells it");
    assert_eq!(key(ride().length_zero().records(0)).elapsed_s, None);
}

#[test]
fn key_is_the_start_and_length_of_the_session() {
    let (key, weak) = read(&ride()).key().unwrap();
    assert_eq!((key.start, key.elapsed_s, weak), (start(), Some(5000), false));
}

#[test]
fn encoding_does_not_change_the_facts() {
    let plain = read(&ride());
    for other in [
        ride().big_endian(),
        ride().header12(),
        ride().header_crc_zero(),
        ride().compressed_timestamps(),
        ride().odd_field_size(),
        ride().odd_field_size().big_endian().header12(),
    ] {
        assert_eq!(read(&other), plain, "{other:?}");
    }
}

#[test]
fn elapsed_time_falls_back_to_the_end_of_the_session() {
    let (key, _) = read(&ride().elapsed_unknown()).key().unwrap();
    assert_eq!(key.elapsed_s, Some(5000));
}

#[test]
fn records_alone_give_a_weak_start() {
    let (key, weak) = read(&ride().without_sessions()).key().unwrap();
    assert_eq!((key.start, key.elapsed_s, weak), (start(), Some(5000), true));
}

#[test]
fn several_sessions_are_one_activity() {
    let triathlon = ride().session(3, 0, 60, 100).session(1, 0, 2000, 5000);
    let content = read(&triathlon);
    let (key, _) = content.key().unwrap();
    assert_eq!(content.sessions().len(), 3);
    assert_eq!(key.elapsed_s, Some(5000 + 60 + 2000));
    assert!(!fit::several_activities(&content));
}

#[test]
fn local_offset_is_believed_only_if_it_is_one() {
    let offset = |file: FitFile| read(&file).parts[0].local_offset_s;
    let garmin = || ride().maker(1, 2067);
    assert_eq!(offset(garmin().local_offset_s(7200)), Some(7200));
    assert_eq!(offset(garmin().local_offset_s(-(9 * 3600 + 1800))), Some(-34_200));
    assert_eq!(offset(garmin().local_offset_s(7201)), None);
    assert_eq!(offset(garmin().local_offset_s(15 * 3600)), None);
    assert_eq!(offset(garmin().local_offset_s(None)), None);
    assert_eq!(offset(ride().local_offset_s(7200)), None, "COROS");
}

#[test]
fn parts_of_a_chain_that_overlap_are_one_activity() {
    let strap = ride().file_type(4).without_sessions();
    assert!(!fit::several_activities(&read(&ride().chain(strap))));
    let later = FitFile::new(start() + SignedDuration::from_hours(3));
    let both = read(&ride().chain(later.clone()));
    assert_eq!(both.parts.len(), 2);
    assert!(fit::several_activities(&both));
    let bridged = ride().elapsed_s(4 * 3600).chain(later);
    assert!(!fit::several_activities(&read(&bridged)));
}

#[test]
fn parts_of_other_types_are_left_out() {
    let content = read(&ride().chain(FitFile::new(start()).file_type(2)));
    assert_eq!(content, read(&ride()));
}

#[test]
fn unusable_files_say_why() {
    let reason = |file: FitFile| fit::read(&file.build()).unwrap_err();
    let other = |detail: &str| Unusable::NotAnActivity { detail: detail.to_owned() };
    let broken = |detail: &str| Unusable::Unreadable { detail: detail.to_owned() };
    assert_eq!(reason(ride().file_type(6)), other("a FIT file of type course"));
    assert_eq!(reason(ride().file_type(99)), other("a FIT file of type 99"));
    assert_eq!(
        reason(ride().file_type(None).without_sessions()),
        other("a FIT file without a type")
    );
    assert_eq!(reason(ride().clock_not_set()), Unusable::ClockNotSet);
    assert_eq!(
        reason(ride().records(0).without_sessions()),
        broken("an activity without any session or record that tells a time")
    );
    assert_eq!(reason(ride().truncate(0)), broken("the file is empty"));
    assert_eq!(reason(ride().truncate(11)), broken("not a FIT file"));
    let (has, needs) = (900, ride().build().len());
    assert_eq!(
        reason(ride().truncate(has)),
        broken(&format!("truncated: needs {needs} bytes, has {has}"))
    );
}

#[test]
fn a_file_without_a_type_but_with_a_session_is_an_activity() {
    assert_eq!(read(&ride().file_type(None)), read(&ride()));
}

#[test]
fn broken_files_have_their_defect() {
    let defect = |bytes: &[u8]| fit::scan(bytes).unwrap_err();
    let whole = ride().build();
    let at = whole.len();
    assert!(matches!(defect(&ride().bad_crc().build()), Defect::FileCrc { .. }));
    let mut header = whole.clone();
    header[1] ^= 1;
    assert_eq!(defect(&header), Defect::HeaderCrc { at: 0 });
    let junk = [whole.as_slice(), b"junk"].concat();
    assert_eq!(defect(&junk), Defect::Trailing { at });
    let second = [whole.as_slice(), &whole[..20]].concat();
    assert_eq!(defect(&second), Defect::Truncated { needs: 2 * at as u64, has: at + 20 });
    let seal = |messages: &[u8]| ride().seal(messages);
    assert_eq!(defect(&seal(&[0x03])), Defect::Undefined { at: 14, local: 3 });
    assert_eq!(defect(&seal(&[0xE1])), Defect::Undefined { at: 14, local: 3 });
    assert_eq!(defect(&seal(&[0x40, 0, 0, 20])), Defect::Overrun { at: 14 });
    let short = [0x40, 0, 0, 20, 0, 1, 253, 4, 0x86, 0x00, 1, 2];
    assert_eq!(defect(&seal(&short)), Defect::Overrun { at: 23 });
}

#[test]
fn files_made_to_exhaust_memory_are_refused() {
    let mut sessions = vec![0x40, 0, 0, 18, 0, 0];
    sessions.resize(100_000, 0);
    let too_many = |bytes: &[u8]| fit::scan(bytes).unwrap_err().to_string();
    assert_eq!(too_many(&ride().seal(&sessions)), "more than 1024 sessions");
    assert_eq!(too_many(&ride().seal(&[]).repeat(5000)), "more than 256 parts");
}

#[test]
#[expect(clippy::too_many_lines, reason = "all that there is to see")]
fn detail_names_things() {
    let detail = fit::detail(&ride().maker(1, 2067).build()).unwrap();
    insta::assert_json_snapshot!(detail, @r#"
    {
      "parts": [
        {
          "file_type": "activity",
          "manufacturer": "garmin",
          "product": "edge520",
          "serial": 77,
          "time_created": "2024-05-02T00:00:00Z",
          "clock_never_set": false,
          "local_offset_s": 0,
          "sessions": [
            {
              "sport": "cycling",
              "sub_sport": "road",
              "facts": {
                "start": "2024-05-01T06:30:00Z",
                "elapsed_ms": 5000000,
                "timer_ms": 4000000,
                "distance_cm": 1234500,
                "ascent_m": 321,
                "sport": 2,
                "sub_sport": 7
              },
              "values": []
            }
          ],
          "laps": 0,
          "records": 50,
          "columns": {
            "altitude": 50,
            "cadence": 50,
            "heart rate": 50,
            "positions": 50,
            "power": 50
          },
          "first_record": "2024-05-01T06:30:00Z",
          "last_record": "2024-05-01T07:53:20Z",
          "developer_fields": 3,
          "devices": [
            {
              "index": 0,
              "kind": null,
              "manufacturer": "garmin",
              "product": "edge520",
              "serial": null,
              "software": "12.50"
            }
          ],
          "messages": {
            "activity": 1,
            "developer_data_id": 1,
            "device_info": 1,
            "event": 2,
            "field_description": 3,
            "file_id": 1,
            "record": 50,
            "session": 1
          }
        }
      ]
    }
    "#);
}

/// Another encoding of the same content.
type Shape = fn(FitFile) -> FitFile;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read(
        start_s in 930_000_000i64..4_000_000_000,
        elapsed in 1u32..500_000,
        distance in 0u32..1_000_000,
        records in 0u32..60,
        developer in 0u8..4,
        (big, short, zero, compressed) in any::<(bool, bool, bool, bool)>(),
    ) {
        let start = Timestamp::from_second(start_s).unwrap();
        let mut file = FitFile::new(start)
            .elapsed_s(elapsed)
            .distance_m(distance)
            .records(records)
            .developer_fields(developer);
        let shapes: [(bool, Shape); 4] = [
            (big, FitFile::big_endian),
            (short, FitFile::header12),
            (zero, FitFile::header_crc_zero),
            (compressed, FitFile::compressed_timestamps),
        ];
        for (_, shape) in shapes.iter().filter(|(wanted, _)| *wanted) {
            file = shape(file);
        }
        let content = fit::read(&file.build()).unwrap();
        let (key, weak) = content.key().unwrap();
        prop_assert_eq!((key.start, key.elapsed_s, weak), (start, Some(elapsed), false));
        prop_assert_eq!(content.records(), records);
        prop_assert_eq!(content.distance_m(), Some(distance));
        prop_assert_eq!(content.parts[0].first_record, (records > 0).then_some(start));
        prop_assert_eq!(content.parts[0].developer_fields, u32::from(developer));
    }

    #[test]
    fn damaged_files_are_refused(at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut bytes = ride().records(5).build();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        // A header checksum may turn 0, which means that there is none.
        prop_assume!(bytes[12..14] != [0, 0]);
        prop_assert!(fit::scan(&bytes).is_err(), "byte {}", at);
    }

    #[test]
    fn cut_files_are_refused(keep in any::<prop::sample::Index>()) {
        let bytes = ride().records(5).chain(ride()).build();
        let first = ride().records(5).build().len();
        let keep = keep.index(bytes.len());
        prop_assert_eq!(fit::scan(&bytes[..keep]).is_ok(), keep == first);
    }

    #[test]
    fn sealed_damage_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let whole = ride().records(5).odd_field_size().build();
        let mut messages = whole[14..whole.len() - 2].to_vec();
        for (at, byte) in changes {
            let at = at.index(messages.len());
            messages[at] = byte;
        }
        look_at(&ride().seal(&messages));
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        look_at(&bytes);
        look_at(&ride().seal(&bytes));
    }
}

/// Everything that reads a file's bytes; results must fit each other.
fn look_at(bytes: &[u8]) {
    let scan = fit::scan(bytes);
    let detail = fit::detail(bytes);
    assert_eq!(scan.as_ref().err(), detail.as_ref().err());
    if let (Ok(scan), Ok(content)) = (scan, fit::read(bytes)) {
        assert!(content.parts.len() <= scan.parts.len());
        fit::several_activities(&content);
        content.parts.iter().for_each(|part| {
            fit::device_name(part);
        });
    }
}
