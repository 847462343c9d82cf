//! The taxonomy: canonical activity types, their families, and each platform's words for them.
//!
//! COROS codes are those of its web app's own list (2026-08), FIT numbers those of the FIT profile,
//! Garmin keys those of `activityTypes`. A type without a row is kept under an opaque name, never
//! dropped.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A canonical activity type, such as `trail_running`, or an opaque name such as `coros_403`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct ActivityType(Arc<str>);

/// The family of a type: a type stands in its own family or in that of its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Family(&'static str);

/// One row of the cross-platform table.
struct Row {
    canonical: &'static str,
    family: &'static str,
    coros: &'static [u16],
    /// (sport, sub-sport); `None` as sub-sport stands for generic, absent and unknown ones.
    fit: &'static [(u8, Option<u8>)],
    garmin: &'static [&'static str],
}

macro_rules! rows {
    ($($canonical:literal / $family:literal: [$($coros:literal),*] [$($fit:expr),*] [$($garmin:literal),*];)*) => {
        &[$(Row {
            canonical: $canonical,
            family: $family,
            coros: &[$($coros),*],
            fit: &[$($fit),*],
            garmin: &[$($garmin),*],
        }),*]
    };
}

const fn any(sport: u8) -> (u8, Option<u8>) {
    (sport, None)
}

const fn sub(sport: u8, sub_sport: u8) -> (u8, Option<u8>) {
    (sport, Some(sub_sport))
}

#[rustfmt::skip]
const ROWS: &[Row] = rows![
    "running" / "running": [100] [any(1), sub(1, 2)] ["running", "street_running"];
    "treadmill_running" / "running": [101] [sub(1, 1), sub(1, 45)] ["treadmill_running", "indoor_running"];
    "trail_running" / "running": [102] [sub(1, 3)] ["trail_running"];
    "track_running" / "running": [103] [sub(1, 4)] ["track_running"];
    "virtual_running" / "running": [] [sub(1, 58)] ["virtual_run"];
    "ultra_running" / "running": [] [sub(1, 67)] ["ultra_run"];
    "hiking" / "hiking": [104] [any(17)] ["hiking"];
    "mountaineering" / "mountaineering": [105] [any(16)] ["mountaineering"];
    "rock_climbing" / "climbing": [106, 802, 10003] [any(31)] ["rock_climbing"];
    "indoor_climbing" / "climbing": [800] [sub(31, 68)] ["indoor_climbing"];
    "bouldering" / "climbing": [801] [sub(31, 69)] ["bouldering"];
    "cycling" / "cycling": [200, 299] [any(2), sub(2, 7)] ["cycling", "road_biking"];
    "indoor_cycling" / "cycling": [201] [sub(2, 6), sub(2, 5), sub(2, 58)] ["indoor_cycling", "virtual_ride"];
    "e_bike_fitness" / "cycling": [202] [sub(2, 28), any(21), sub(21, 28)] ["e_bike_fitness"];
    "gravel_cycling" / "cycling": [203] [sub(2, 46)] ["gravel_cycling"];
    "mountain_biking" / "cycling": [204] [sub(2, 8)] ["mountain_biking"];
    "e_bike_mountain" / "cycling": [205] [sub(2, 47), sub(21, 47)] ["e_bike_mountain"];
    "downhill_biking" / "cycling": [] [sub(2, 9)] ["downhill_biking"];
    "recumbent_cycling" / "cycling": [] [sub(2, 10)] ["recumbent_cycling"];
    "cyclocross" / "cycling": [] [sub(2, 11)] ["cyclocross"];
    "hand_cycling" / "cycling": [] [sub(2, 12)] ["hand_cycling"];
    "track_cycling" / "cycling": [] [sub(2, 13)] ["track_cycling"];
    "bmx" / "cycling": [] [sub(2, 29)] ["bmx"];
    "swimming" / "swimming": [] [any(5)] ["swimming"];
    "lap_swimming" / "swimming": [300] [sub(5, 17)] ["lap_swimming"];
    "open_water_swimming" / "swimming": [301] [sub(5, 18)] ["open_water_swimming"];
    "cardio" / "cardio": [401] [] ["cardio"];
    "indoor_cardio" / "cardio": [400] [sub(10, 26)] ["indoor_cardio"];
    "hiit" / "cardio": [1200] [any(62), sub(62, 70), sub(10, 70)] ["hiit"];
    "strength_training" / "strength_training": [402] [sub(10, 20), sub(4, 20)] ["strength_training"];
    "flexibility_training" / "flexibility_training": [] [sub(10, 19)] ["flexibility_training"];
    "training" / "other": [] [any(10)] ["training"];
    "fitness_equipment" / "other": [] [any(4)] ["fitness_equipment"];
    "skiing" / "skiing": [] [] ["winter_sports"];
    "resort_skiing" / "skiing": [500] [any(13), sub(13, 38)] ["resort_skiing", "resort_skiing_snowboarding_ws"];
    "cross_country_skiing" / "skiing": [502] [any(12)] ["cross_country_skiing_ws", "skate_skiing_ws"];
    "backcountry_skiing" / "skiing": [503, 10002] [sub(13, 37)] ["backcountry_skiing"];
    "snowboarding" / "snowboarding": [501] [any(14)] ["resort_snowboarding"];
    "snowshoeing" / "snowshoeing": [] [any(35)] ["snow_shoe_ws"];
    "rowing" / "rowing": [700] [any(15)] ["rowing", "rowing_v2"];
    "indoor_rowing" / "rowing": [701] [sub(15, 14), sub(4, 14)] ["indoor_rowing"];
    "paddling" / "paddling": [] [any(19)] ["paddling"];
    "whitewater" / "paddling": [702] [any(41), sub(41, 41)] ["whitewater_rafting_kayaking"];
    "flatwater" / "paddling": [704] [any(37)] ["kayaking", "stand_up_paddleboarding", "stand_up_paddleboarding_v2"];
    "windsurfing" / "windsurfing": [705, 706] [any(43)] ["windsurfing", "wind_kite_surfing"];
    "fishing" / "fishing": [707, 708, 710, 711, 712, 713, 714] [any(29)] ["fishing"];
    "walking" / "walking": [900] [any(11), sub(11, 27), sub(11, 30), sub(11, 31)] ["walking", "casual_walking", "speed_walking"];
    "jump_rope" / "jump_rope": [901] [any(84)] ["jump_rope"];
    "stair_climbing" / "stair_climbing": [902] [sub(4, 16), any(48)] ["stair_climbing", "floor_climbing"];
    "elliptical" / "elliptical": [903] [sub(4, 15)] ["elliptical"];
    "yoga" / "yoga": [904] [sub(10, 43)] ["yoga"];
    "pilates" / "pilates": [905] [sub(10, 44)] ["pilates"];
    "breathwork" / "breathwork": [] [sub(10, 62)] ["breathwork"];
    "boxing" / "boxing": [906] [any(47)] ["boxing"];
    "badminton" / "racket": [1000] [sub(64, 95)] ["badminton"];
    "table_tennis" / "racket": [1001] [sub(64, 97)] ["table_tennis"];
    "basketball" / "ball": [1002] [any(6)] ["basketball"];
    "soccer" / "ball": [1003] [any(7)] ["soccer"];
    "pickleball" / "racket": [1004] [sub(64, 84)] ["pickleball"];
    "tennis" / "racket": [1005] [any(8)] ["tennis", "tennis_v2"];
    "padel" / "racket": [1006] [sub(64, 85)] ["padel"];
    "racket" / "racket": [] [any(64)] ["racket_sports"];
    "ultimate_disc" / "disc": [1100] [sub(69, 92)] ["ultimate_disc"];
    "disc_golf" / "disc": [] [any(69)] ["disc_golf"];
    "skating" / "skating": [1101] [any(30)] ["skating_ws", "inline_skating"];
    "ice_skating" / "skating": [] [any(33)] ["ice_skating_ws"];
    "golf" / "golf": [] [any(25)] ["golf"];
    "diving" / "diving": [] [any(53)] ["diving", "single_gas_diving", "multi_gas_diving"];
    "snorkeling" / "snorkeling": [] [any(82)] ["snorkeling"];
    "sailing" / "sailing": [] [any(32)] ["sailing", "sailing_v2"];
    "surfing" / "surfing": [] [any(38)] ["surfing"];
    "horseback_riding" / "horseback_riding": [] [any(27)] ["horseback_riding"];
    "triathlon" / "multi_sport": [10000] [] [];
    "multi_sport" / "multi_sport": [10001] [any(18)] ["multi_sport"];
    "other" / "other": [98] [any(0)] ["other", "uncategorized", "all"];
];

/// Families that are no type of their own but may be named in a manifest.
const FAMILY_NAMES: &[&str] = &["climbing", "ball", "disc"];

/// Lookups in the cross-platform table.
pub struct SportTable;

impl SportTable {
    /// Canonical names and family names, in the table's order: what a manifest may name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ROWS.iter().map(|row| row.canonical).chain(FAMILY_NAMES.iter().copied())
    }

    /// COROS' codes of a type: the first is the one for new activities.
    pub fn coros_codes(kind: &ActivityType) -> &'static [u16] {
        row_of(kind.as_str()).map_or(&[], |row| row.coros)
    }

    /// Garmin's keys of a type: the first is the one for new activities.
    pub fn garmin_keys(kind: &ActivityType) -> &'static [&'static str] {
        row_of(kind.as_str()).map_or(&[], |row| row.garmin)
    }
}

fn row_of(canonical: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.canonical == canonical)
}

impl ActivityType {
    /// What no row describes and no name is known for.
    pub fn other() -> Self {
        Self("other".into())
    }

    /// Several sports in one recording.
    pub fn multi_sport() -> Self {
        Self("multi_sport".into())
    }

    /// From FIT numbers; a sport without a row becomes `fit_<sport>`.
    pub fn of_fit(sport: Option<u8>, sub_sport: Option<u8>) -> Self {
        let Some(sport) = sport.filter(|sport| *sport != u8::MAX) else {
            return Self::other();
        };
        let exact = (sport, sub_sport.filter(|sub| *sub != 0));
        let row = ROWS
            .iter()
            .find(|row| exact.1.is_some() && row.fit.contains(&exact))
            .or_else(|| ROWS.iter().find(|row| row.fit.contains(&any(sport))));
        row.map_or_else(|| Self(format!("fit_{sport}").into()), |row| Self(row.canonical.into()))
    }

    /// From COROS' `sportType`; a code without a row becomes `coros_<code>`.
    pub fn of_coros(code: u16) -> Self {
        let row = ROWS.iter().find(|row| row.coros.contains(&code));
        row.map_or_else(|| Self(format!("coros_{code}").into()), |row| Self(row.canonical.into()))
    }

    /// From Garmin's `typeKey`; a key without a row is kept as it is.
    pub fn of_garmin(key: &str) -> Self {
        let row = ROWS.iter().find(|row| row.garmin.contains(&key));
        Self(row.map_or(key, |row| row.canonical).into())
    }

    /// From what a person wrote: a canonical or family name, an alias of a platform, `garmin:KEY`
    /// or `coros:CODE`. `None` if the table does not know it.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(key) = text.strip_prefix("garmin:") {
            return (!key.is_empty()).then(|| Self::of_garmin(key));
        }
        if let Some(code) = text.strip_prefix("coros:") {
            return code.parse().ok().map(Self::of_coros);
        }
        let text = text.to_ascii_lowercase();
        if row_of(&text).is_some() || FAMILY_NAMES.contains(&text.as_str()) {
            return Some(Self(text.into()));
        }
        let code = text.strip_prefix("coros_").or(text.strip_prefix("fit_"));
        if code.is_some_and(|code| code.parse::<u16>().is_ok()) {
            return Some(Self(text.into()));
        }
        let alias = ROWS.iter().find(|row| row.garmin.contains(&text.as_str()))?;
        Some(Self(alias.canonical.into()))
    }

    /// Keeps a name that the table does not know, as written.
    pub fn opaque(text: &str) -> Self {
        Self(text.to_ascii_lowercase().into())
    }

    /// The canonical name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The family; a type without a row belongs to `other`.
    pub fn family(&self) -> Family {
        if let Some(name) = FAMILY_NAMES.iter().find(|name| ***name == *self.0) {
            return Family(name);
        }
        Family(row_of(&self.0).map_or("other", |row| row.family))
    }

    /// Whether a filter that names `self` takes an activity of type `other`: the same leaf, or any
    /// member where `self` is the name of a whole family.
    pub fn includes(&self, other: &Self) -> bool {
        self == other
            || (*self.0 == *self.family().0
                && self.family() == other.family()
                && *self.0 != *"other")
    }

    /// Whether two listings may describe one recording: the same family, or one is not known.
    pub fn compatible(&self, other: &Self) -> bool {
        let (a, b) = (self.family(), other.family());
        a == b || a.0 == "other" || b.0 == "other"
    }

    /// Whether this is a recording of several sports.
    pub fn is_multi_sport(&self) -> bool {
        self.family().0 == "multi_sport"
    }
}

impl Family {
    /// The family's name.
    pub fn as_str(&self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ActivityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fit_numbers_map_through_the_table() {
        let name = |sport, sub| ActivityType::of_fit(sport, sub).to_string();
        assert_eq!(name(Some(1), Some(0)), "running");
        assert_eq!(name(Some(1), Some(3)), "trail_running");
        assert_eq!(name(Some(1), Some(99)), "running");
        assert_eq!(name(Some(2), Some(58)), "indoor_cycling");
        assert_eq!(name(Some(10), Some(20)), "strength_training");
        assert_eq!(name(Some(200), None), "fit_200");
        assert_eq!(name(None, None), "other");
    }

    #[test]
    fn a_family_name_takes_its_children_and_a_leaf_only_itself() {
        let kind = |name: &str| ActivityType::parse(name).unwrap();
        assert!(kind("running").includes(&kind("trail_running")));
        assert!(!kind("trail_running").includes(&kind("running")));
        assert!(kind("climbing").includes(&kind("bouldering")));
        assert!(kind("skiing").includes(&kind("backcountry_skiing")));
        assert!(kind("multi_sport").includes(&kind("triathlon")));
        assert!(!kind("other").includes(&ActivityType::opaque("coros_403")));
    }

    #[test]
    fn aliases_of_every_platform_are_understood() {
        assert_eq!(ActivityType::parse("road_biking").unwrap().as_str(), "cycling");
        assert_eq!(ActivityType::parse("garmin:lap_swimming").unwrap().as_str(), "lap_swimming");
        assert_eq!(ActivityType::parse("coros:102").unwrap().as_str(), "trail_running");
        assert_eq!(ActivityType::parse("coros:403").unwrap().as_str(), "coros_403");
        assert_eq!(ActivityType::parse("runing"), None);
    }

    #[test]
    fn no_code_or_key_stands_in_two_rows() {
        let mut coros: Vec<u16> = ROWS.iter().flat_map(|row| row.coros.iter().copied()).collect();
        let mut garmin: Vec<&str> =
            ROWS.iter().flat_map(|row| row.garmin.iter().copied()).collect();
        let mut fit: Vec<_> = ROWS.iter().flat_map(|row| row.fit.iter().copied()).collect();
        let before = (coros.len(), garmin.len(), fit.len());
        coros.sort_unstable();
        coros.dedup();
        garmin.sort_unstable();
        garmin.dedup();
        fit.sort_unstable();
        fit.dedup();
        assert_eq!(before, (coros.len(), garmin.len(), fit.len()));
    }
}
