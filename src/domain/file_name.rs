//! The names of activity files wherever a person sees them, and the titles that such names hold.
//!
//! `<YYYY-MM-DD>_<HHMMSS>_<activity_type>[_<title-slug>].fit`. Titles and types are remote text in
//! part: whatever they say, a name is one harmless path component.

use jiff::{Timestamp, tz::TimeZone};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::{ActivityType, SportTable};

/// Longest title in a name, in bytes of UTF-8.
const MAX_SLUG: usize = 60;
/// Longest type in a name, in bytes; the table's own are far shorter.
const MAX_KIND: usize = 64;
/// Stands in place of date and time where the start is not known.
const UNDATED: &str = "undated";

/// Folder and name of an activity's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    folder: String,
    stem: String,
}

impl FileName {
    /// The name of an activity with this start (UTC), type and title.
    pub fn of(start: Option<Timestamp>, kind: &ActivityType, title: Option<&str>) -> Self {
        let kind = safe_kind(kind);
        let start = start.map(|start| start.to_zoned(TimeZone::UTC));
        let year = start
            .as_ref()
            .map_or(UNDATED.to_owned(), |start| start.strftime("%Y").to_string());
        let time = start.map_or(UNDATED.to_owned(), |start| {
            start.strftime("%Y-%m-%d_%H%M%S").to_string()
        });
        let slug = title.map(slug).unwrap_or_default();
        let stem = if slug.is_empty() {
            format!("{time}_{kind}")
        } else {
            format!("{time}_{kind}_{slug}")
        };
        Self {
            folder: format!("{kind}/{year}"),
            stem,
        }
    }

    /// Where the file belongs below its account's folder: `<activity_type>/<YYYY>`.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The name itself; `ordinal` counts from 1 among files that would have the same name.
    pub fn nth(&self, ordinal: usize) -> String {
        if ordinal > 1 {
            format!("{}-{ordinal}.fit", self.stem)
        } else {
            format!("{}.fit", self.stem)
        }
    }
}

/// The title in a file's stem: what is left without the prefix of this module's own names.
///
/// `kind` is the type that the file's content tells; the name may say another one.
pub fn title_of_stem(stem: &str, kind: &ActivityType) -> Option<String> {
    let stem: String = stem.nfc().collect();
    let title = match after_time(&stem) {
        Some(rest) => after_kind(rest, kind),
        None => Some(stem.as_str()),
    };
    title.filter(|title| !title.is_empty()).map(str::to_owned)
}

/// What follows `YYYY-MM-DD_HHMMSS_`.
fn after_time(stem: &str) -> Option<&str> {
    if let Some(rest) = stem.strip_prefix(UNDATED) {
        return rest.strip_prefix('_');
    }
    let prefix = stem.get(..18)?;
    let shape = "dddd-dd-dd_dddddd_";
    let fits = prefix.chars().zip(shape.chars()).all(|(c, wanted)| {
        if wanted == 'd' {
            c.is_ascii_digit()
        } else {
            c == wanted
        }
    });
    if fits { stem.get(18..) } else { None }
}

/// What follows the type: the content's own type, else the longest name that the table knows, else
/// an opaque code. A type that nobody knows cannot be told from a title and stays.
fn after_kind<'a>(rest: &'a str, kind: &ActivityType) -> Option<&'a str> {
    let own = safe_kind(kind);
    let mut names: Vec<&str> = SportTable::names().collect();
    names.sort_unstable_by_key(|name| std::cmp::Reverse(name.len()));
    std::iter::once(own.as_str())
        .chain(names)
        .find_map(|name| after_word(rest.strip_prefix(name)?))
        .or_else(|| {
            let code = rest
                .strip_prefix("coros_")
                .or_else(|| rest.strip_prefix("fit_"))?;
            let tail = code.trim_start_matches(|c: char| c.is_ascii_digit());
            (tail.len() < code.len()).then(|| after_word(tail))?
        })
        .unwrap_or(Some(rest))
}

/// The title behind a type, if the type ends here; an ordinal is no title.
fn after_word(tail: &str) -> Option<Option<&str>> {
    if tail.is_empty() {
        return Some(None);
    }
    if let Some(ordinal) = tail.strip_prefix('-') {
        let number = !ordinal.is_empty() && ordinal.chars().all(|c| c.is_ascii_digit());
        return number.then_some(None);
    }
    tail.strip_prefix('_').map(Some)
}

/// Letters and digits with single hyphens between them, NFC, at most 60 bytes.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    let mut gap = false;
    for c in title.nfc() {
        // A mark belongs to the letter before it; without one it is no letter.
        let kept = c.is_alphanumeric() || (is_combining_mark(c) && !gap && !slug.is_empty());
        if !kept {
            gap = true;
            continue;
        }
        let hyphen = usize::from(gap && !slug.is_empty());
        if slug.len() + hyphen + c.len_utf8() > MAX_SLUG {
            break;
        }
        if hyphen == 1 {
            slug.push('-');
        }
        slug.push(c);
        gap = false;
    }
    slug
}

/// A type as a path component: `[a-z0-9_-]`, with at least one letter or digit.
fn safe_kind(kind: &ActivityType) -> String {
    let safe: String = kind
        .as_str()
        .chars()
        .take(MAX_KIND)
        .map(|c| match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() || c == '-' || c == '_' => c,
            _ => '_',
        })
        .collect();
    if safe.chars().any(|c| c.is_ascii_alphanumeric()) {
        safe
    } else {
        ActivityType::other().as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind(name: &str) -> ActivityType {
        ActivityType::opaque(name)
    }

    fn name(kind_name: &str, title: Option<&str>) -> String {
        let start = "2026-11-19T06:12:33Z".parse().unwrap();
        FileName::of(Some(start), &kind(kind_name), title).nth(1)
    }

    #[test]
    fn a_name_tells_start_type_and_title() {
        assert_eq!(
            name("cycling", Some("Evening Ride")),
            "2026-11-19_061233_cycling_Evening-Ride.fit"
        );
        assert_eq!(
            name("cycling", Some("  ../…! ")),
            "2026-11-19_061233_cycling.fit"
        );
        assert_eq!(
            name("trail_running", Some("越野 – 5 km (a\u{301})")),
            "2026-11-19_061233_trail_running_越野-5-km-á.fit"
        );
    }

    #[test]
    fn equal_names_are_numbered_and_folders_are_by_type_and_year() {
        let start = "2026-11-19T06:12:33Z".parse().unwrap();
        let name = FileName::of(Some(start), &kind("hiking"), None);
        assert_eq!(name.nth(2), "2026-11-19_061233_hiking-2.fit");
        assert_eq!(name.folder(), "hiking/2026");
        let undated = FileName::of(None, &kind("hiking"), Some("Top"));
        assert_eq!(undated.nth(1), "undated_hiking_Top.fit");
        assert_eq!(undated.folder(), "hiking/undated");
    }

    #[test]
    fn a_hostile_type_cannot_leave_the_folder() {
        assert_eq!(
            name("../../etc/pass wd", None),
            "2026-11-19_061233_______etc_pass_wd.fit"
        );
        assert_eq!(name("..", None), "2026-11-19_061233_other.fit");
    }

    #[test]
    fn a_long_title_is_cut_between_characters() {
        let long = "é".repeat(40);
        assert_eq!(slug(&long).len(), 60);
        assert_eq!(slug(&format!("{} b", "a".repeat(59))), "a".repeat(59));
    }

    #[test]
    fn a_title_is_the_stem_without_the_prefix() {
        let title = |stem: &str, name: &str| title_of_stem(stem, &kind(name));
        let some = |text: &str| Some(text.to_owned());
        let dated = |rest: &str| format!("2026-11-19_061233_{rest}");
        assert_eq!(
            title(&dated("cycling_Evening-Ride"), "cycling"),
            some("Evening-Ride")
        );
        assert_eq!(title(&dated("trail_running"), "trail_running"), None);
        assert_eq!(title(&dated("trail_running-2"), "running"), None);
        assert_eq!(title(&dated("trail_running_Up"), "running"), some("Up"));
        assert_eq!(title(&dated("coros_403_Up"), "other"), some("Up"));
        assert_eq!(title(&dated("kite_flying_Up"), "kite_flying"), some("Up"));
        assert_eq!(title(&dated("unheard_Up"), "running"), some("unheard_Up"));
        assert_eq!(title("foo", "running"), some("foo"));
        assert_eq!(title("2026-11-19", "running"), some("2026-11-19"));
        assert_eq!(title("undated_hiking", "hiking"), None);
        assert_eq!(title("undated", "hiking"), some("undated"));
        assert_eq!(title("", "hiking"), None);
        assert_eq!(
            title("日本語日本語日本語", "hiking"),
            some("日本語日本語日本語")
        );
    }

    proptest! {
        #[test]
        fn a_name_is_one_short_harmless_component(
            seconds in proptest::option::of(0i64..253_402_300_799),
            kind_name in ".{0,300}",
            title in proptest::option::of(".{0,300}"),
            ordinal in 1usize..10_000,
        ) {
            let start = seconds.map(|s| Timestamp::from_second(s).unwrap());
            let name = FileName::of(start, &kind(&kind_name), title.as_deref());
            let text = name.nth(ordinal);
            prop_assert!(text.len() <= 255);
            prop_assert!(!text.contains(['/', '\0', '\\']) && !text.starts_with('.'));
            prop_assert!(text.chars().all(|c| !c.is_control()));
            prop_assert!(name.folder().split('/').all(|part| !part.starts_with('.') && !part.is_empty()));
            prop_assert_eq!(name.folder().split('/').count(), 2);
            prop_assert!(unicode_normalization::is_nfc(&text));
        }

        #[test]
        fn the_title_of_a_name_is_the_slug(
            seconds in 0i64..253_402_300_799,
            row in 0usize..SportTable::names().count(),
            title in ".{0,80}",
        ) {
            let kind = kind(SportTable::names().nth(row).unwrap());
            let start = Timestamp::from_second(seconds).unwrap();
            let name = FileName::of(Some(start), &kind, Some(&title)).nth(1);
            let wanted = Some(slug(&title)).filter(|slug| !slug.is_empty());
            let stem = name.strip_suffix(".fit").unwrap();
            prop_assert_eq!(title_of_stem(stem, &kind), wanted.clone());
            prop_assert_eq!(slug(&slug(&title)), wanted.unwrap_or_default());
        }
    }
}
