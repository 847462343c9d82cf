//! What people wrote about an activity, in Garmin's words and in ours.

use serde_json::{Map, Value, json};

use crate::domain::{ActivityType, Details, SportTable};

use super::types::OneActivity;

/// Who may see an activity, from everybody to nobody else, with Garmin's numbers for it.
const ACCESS: [(&str, u8); 4] = [("public", 1), ("groups", 4), ("subscribers", 3), (PRIVATE, 2)];
/// Nobody else.
pub(super) const PRIVATE: &str = "private";

/// Garmin's own words for what ours say less exactly.
const TYPE_KEY: &str = "garmin_type";
const ACCESS_KEY: &str = "garmin_access";

/// Whether not everybody may see it: copies of it must not be seen by more.
pub(super) fn is_closed(access: &str) -> bool {
    rank(access).is_some_and(|rank| rank > 0)
}

fn rank(access: &str) -> Option<usize> {
    ACCESS.iter().position(|(word, _)| *word == access)
}

/// An activity's details in our terms.
pub(super) fn read(one: OneActivity) -> Details {
    let key = one.activity_type.and_then(|kind| kind.type_key);
    let access = one.access.and_then(|access| access.type_key);
    Details {
        title: one.activity_name,
        description: one.description.filter(|text| !text.is_empty()),
        kind: key.as_deref().map(ActivityType::of_garmin),
        private: access.as_deref().map(|access| access == PRIVATE),
        words: [(TYPE_KEY, key), (ACCESS_KEY, access)]
            .into_iter()
            .filter_map(|(name, word)| Some((name.to_owned(), word?)))
            .collect(),
    }
}

/// Who shall see an activity, if not everybody.
pub(super) fn wanted(details: &Details) -> Option<&str> {
    if details.private == Some(true) {
        return Some(PRIVATE);
    }
    let access = details.words.get(ACCESS_KEY).map(String::as_str);
    access.filter(|access| is_closed(access))
}

/// Whether that is fewer than see it now.
pub(super) fn narrower(access: &str, now: &Details) -> bool {
    let now = now.words.get(ACCESS_KEY).and_then(|now| rank(now));
    rank(access).zip(now).is_some_and(|(wanted, now)| wanted > now)
}

/// The edit that sets these details; `access` has been found to be narrower.
pub(super) fn edit(number: u64, details: &Details, access: Option<&str>) -> Value {
    let mut body = Map::from_iter([("activityId".to_owned(), json!(number))]);
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    if let Some(title) = &details.title {
        set("activityName", json!(title));
    }
    if let Some(description) = &details.description {
        set("description", json!(description));
    }
    if let Some(key) = type_key(details) {
        set("activityTypeDTO", json!({ "typeKey": key }));
    }
    let number = |access: &str| ACCESS.iter().find(|(word, _)| *word == access);
    if let Some((word, number)) = access.and_then(number) {
        set("accessControlRuleDTO", json!({ "typeId": number, "typeKey": word }));
    }
    Value::Object(body)
}

/// Garmin's own key where it is known and still means that type, else the first of the type's keys.
fn type_key(details: &Details) -> Option<&str> {
    let kind = details.kind.as_ref()?;
    let own = details.words.get(TYPE_KEY).map(String::as_str);
    own.filter(|key| ActivityType::of_garmin(key) == *kind)
        .or_else(|| SportTable::garmin_keys(kind).first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(text: &str) -> Details {
        read(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn what_is_read_is_set_again_word_by_word() {
        let read = details(
            r#"{"activityName": "Laps", "description": "Windy", "activityTypeDTO": {"typeKey":
            "road_biking"}, "accessControlRuleDTO": {"typeId": 3, "typeKey": "subscribers"}}"#,
        );
        assert_eq!(read.kind, Some(ActivityType::of_garmin("cycling")));
        assert_eq!((read.private, wanted(&read)), (Some(false), Some("subscribers")));
        assert_eq!(
            edit(7, &read, wanted(&read)),
            json!({
                "activityId": 7, "activityName": "Laps", "description": "Windy",
                "activityTypeDTO": { "typeKey": "road_biking" },
                "accessControlRuleDTO": { "typeId": 3, "typeKey": "subscribers" },
            })
        );
    }

    #[test]
    fn nobody_is_let_see_more_than_before() {
        let seen_by = |access: &str| {
            details(&format!(r#"{{"accessControlRuleDTO": {{"typeKey": "{access}"}}}}"#))
        };
        assert_eq!(wanted(&seen_by("public")), None);
        assert_eq!(wanted(&seen_by("anything")), None);
        assert_eq!(wanted(&seen_by("private")), Some("private"));
        assert!(narrower("subscribers", &seen_by("public")));
        for now in ["subscribers", "private", "anything"] {
            assert!(!narrower("subscribers", &seen_by(now)), "{now}");
        }
        assert!(!narrower("subscribers", &Details::default()));
    }

    #[test]
    fn types_of_other_platforms_get_garmin_s_key() {
        let kind = Some(ActivityType::of_coros(200));
        let details = Details { kind, ..Details::default() };
        assert_eq!(type_key(&details), Some("cycling"));
        let edited = Details {
            kind: Some(ActivityType::other()),
            ..self::details(r#"{"activityTypeDTO": {"typeKey": "road_biking"}}"#)
        };
        assert_eq!(type_key(&edited), Some("other"));
    }
}
