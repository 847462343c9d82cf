//! Names for FIT's numbers, from the profile that the FIT library carries.
//!
//! Only tables are used of that library (fitparser 0.11): its decoder takes 77 times a file's size
//! in memory, panics on odd headers and writes to stderr, so it never sees a file's bytes.

use fitparser::profile::{FieldDataType, get_field_variant_as_string};

use crate::domain::Part;

const GARMIN: u16 = 1;

/// The profile's name of a value, such as `cycling`; `None` for a number it does not know.
pub(super) fn name(of: FieldDataType, number: impl Into<i64>) -> Option<String> {
    let number = number.into();
    of.is_named_variant(number)
        .then(|| get_field_variant_as_string(of, number))
}

/// The profile's name of a value, else the number.
pub(super) fn or_number(of: FieldDataType, number: impl Into<i64>) -> String {
    let number = number.into();
    name(of, number).unwrap_or_else(|| number.to_string())
}

/// A file type by name, or its number.
pub(super) fn file_type(number: u8) -> String {
    or_number(FieldDataType::File, number)
}

/// A message by name, or its number.
pub(super) fn message(number: u16) -> String {
    or_number(FieldDataType::MesgNum, number)
}

/// A manufacturer by name, such as `coros`; `None` if the profile does not know the number.
pub fn manufacturer_name(number: u16) -> Option<String> {
    name(FieldDataType::Manufacturer, number)
}

/// The name of a product: the maker's own text, else its name for Garmin's numbers, else `None`.
pub(super) fn product(
    text: Option<&str>,
    manufacturer: Option<u16>,
    product: Option<u16>,
) -> Option<String> {
    text.map(str::to_owned).or_else(|| {
        let number = product.filter(|_| manufacturer == Some(GARMIN))?;
        name(FieldDataType::GarminProduct, number)
    })
}

/// The recording device in words, such as `COROS PACE 2` or `garmin edge520`; untrusted text.
pub fn device_name(part: &Part) -> Option<String> {
    let maker = part.manufacturer.and_then(manufacturer_name);
    let text = part.product_name.as_deref();
    match (text, maker) {
        (Some(text), _) => Some(text.to_owned()),
        (None, maker) => {
            let model = product(None, part.manufacturer, part.product);
            let words: Vec<String> = maker.into_iter().chain(model).collect();
            (!words.is_empty()).then(|| words.join(" "))
        }
    }
}
