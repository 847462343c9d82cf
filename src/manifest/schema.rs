//! The manifest's JSON Schema, from the same table of keys that the reader uses.

use serde_json::{Map, Value, json};

use crate::domain::{Catalog, SportTable};

use super::ConflictStrategy;
use super::keys::{ACCOUNT, Key, MANIFEST, RULE, Shape};

/// Describes every key of a manifest, with the catalog's platforms and regions.
pub fn schema(catalog: &Catalog) -> Value {
    let mut schema = object(MANIFEST, catalog);
    if let Some(members) = schema.as_object_mut() {
        let dialect = "https://json-schema.org/draft/2020-12/schema";
        members.insert("$schema".to_owned(), json!(dialect));
        members.insert("title".to_owned(), json!("fit_sync manifest"));
        let doc = "Which account shall hold what another one holds.";
        members.insert("description".to_owned(), json!(doc));
        members.insert("type".to_owned(), json!("object"));
    }
    schema
}

fn object(keys: &[Key], catalog: &Catalog) -> Value {
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), described(key, catalog))).collect();
    json!({
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": properties,
    })
}

fn described(key: &Key, catalog: &Catalog) -> Value {
    let mut value = of_shape(key.shape, catalog);
    if let Some(members) = value.as_object_mut() {
        members.insert("description".to_owned(), json!(key.doc));
    }
    value
}

/// Every value may be null, which is as good as absent.
fn of_shape(shape: Shape, catalog: &Catalog) -> Value {
    match shape {
        Shape::Text | Shape::Path | Shape::AccountName => json!({ "type": ["string", "null"] }),
        Shape::Secret => json!({ "type": ["string", "number", "boolean", "null"] }),
        Shape::Flag => json!({ "type": ["boolean", "null"] }),
        Shape::Count(least) => {
            json!({ "type": ["integer", "null"], "minimum": least, "maximum": u32::MAX })
        }
        Shape::Proxy => {
            json!({ "type": ["string", "null"], "pattern": "^(https?|socks5h?)://" })
        }
        Shape::Date => json!({
            "type": ["string", "null"],
            "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2}|-[0-9]+d)$",
            "examples": ["2024-03-31", "-30d"],
        }),
        Shape::Distance => json!({
            "type": ["string", "number", "null"],
            "pattern": "^[0-9]+(\\.[0-9]+)? ?(m|km)?$",
            "minimum": 0,
            "examples": ["500m", "1km"],
        }),
        Shape::Duration => json!({
            "type": ["string", "null"],
            "pattern": "^([0-9]+ *(s|m|min|h|d) *)+$",
            "examples": ["90s", "5min", "2h"],
        }),
        Shape::Pattern => json!({ "type": ["string", "number", "boolean", "null"] }),
        Shape::Ratio => json!({ "type": ["number", "null"], "minimum": 0, "maximum": 1 }),
        Shape::Types => types(),
        Shape::Strategy => one_of(ConflictStrategy::ALL.map(ConflictStrategy::as_str)),
        Shape::Platform => one_of(catalog.platforms.iter().map(|spec| spec.id)),
        Shape::Region => {
            let regions = catalog.platforms.iter().flat_map(|spec| spec.regions);
            one_of(regions.map(|region| region.id))
        }
        Shape::RuleName => {
            json!({ "type": ["string", "number", "null"], "pattern": "^[a-z0-9_-]{1,100}$" })
        }
        Shape::Endpoints => endpoints(catalog),
        Shape::Group(keys) => object(keys, catalog),
        Shape::Accounts => json!({
            "type": ["object", "null"],
            "propertyNames": { "pattern": "^[\\p{L}\\p{N}_][\\p{L}\\p{N}_-]*$", "maxLength": 64 },
            "additionalProperties": object(ACCOUNT, catalog),
        }),
        Shape::Rules => {
            let mut rule = object(RULE, catalog);
            if let Some(members) = rule.as_object_mut() {
                members.insert("type".to_owned(), json!("object"));
                members.insert("required".to_owned(), json!(["source", "destination"]));
            }
            json!({ "type": ["array", "null"], "items": rule })
        }
    }
}

/// Each word once, in alphabetical order.
fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> Value {
    let mut words: Vec<Option<&str>> = words.into_iter().map(Some).collect();
    words.push(None);
    words.sort_unstable();
    words.dedup();
    json!({ "enum": words })
}

fn types() -> Value {
    let names: Vec<&str> = SportTable::names().collect();
    let item = json!({
        "anyOf": [
            { "enum": names },
            { "type": "string", "description": "An alias of a platform, garmin:KEY or coros:CODE." },
        ],
    });
    json!({ "anyOf": [item, { "type": "array", "items": item }, { "type": "null" }] })
}

fn endpoints(catalog: &Catalog) -> Value {
    let names = catalog.platforms.iter().flat_map(|spec| spec.endpoints);
    let properties: Map<String, Value> = names
        .map(|name| {
            let url = json!({ "type": "string", "pattern": "^https?://" });
            ((*name).to_owned(), url)
        })
        .collect();
    json!({
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": properties,
    })
}
