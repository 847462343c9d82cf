//! Names for FIT's numbers, from the profile that the FIT library carries.
//!
//! Only tables are used of that library (fitparser 0.11): its decoder takes 77 times a file's size
//! in memory, panics on odd headers and writes to stderr, so it never sees a file's bytes.

use fitparser::profile::{FieldDataType, get_field_variant_as_string};

use crate::domain::Part;

/// Garmin and its brands Dynastream (OEM and own) and Tacx number their products in one table.
const GARMIN_BRANDS: [u16; 4] = [1, 13, 15, 89];

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

/// The name of a product: the maker's own text, else the profile's name of Garmin's number.
pub(super) fn product(
    text: Option<&str>,
    manufacturer: Option<u16>,
    product: Option<u16>,
) -> Option<String> {
    text.map(str::to_owned).or_else(|| {
        let known = GARMIN_BRANDS.contains(&manufacturer?);
        name(FieldDataType::GarminProduct, product.filter(|_| known)?)
    })
}

/// The recording device in words, such as `COROS PACE 2` or `garmin edge520`; untrusted text.
pub fn device_name(part: &Part) -> Option<String> {
    part.product_name.clone().or_else(|| {
        let maker = part.manufacturer.and_then(manufacturer_name);
        let model = product(None, part.manufacturer, part.product);
        let words: Vec<String> = maker.into_iter().chain(model).collect();
        (!words.is_empty()).then(|| words.join(" "))
    })
}

#[cfg(test)]
mod tests {
    use super::{device_name, file_type, message};
    use crate::domain::Part;

    fn device(manufacturer: Option<u16>, product: u16, text: Option<&str>) -> Option<String> {
        device_name(&Part {
            manufacturer,
            product: Some(product),
            product_name: text.map(str::to_owned),
            ..Part::default()
        })
    }

    #[test]
    fn device_is_named_by_its_maker_or_by_the_profile() {
        let named = |maker, product, text| device(Some(maker), product, text);
        assert_eq!(
            named(294, 802, Some("COROS PACE 2")).as_deref(),
            Some("COROS PACE 2")
        );
        assert_eq!(named(1, 2067, None).as_deref(), Some("garmin edge520"));
        assert_eq!(named(1, 65_000, None).as_deref(), Some("garmin"));
        assert_eq!(named(294, 2067, None).as_deref(), Some("coros"));
        assert_eq!(named(65_000, 1, None), None);
        assert_eq!(device(None, 2067, None), None);
    }

    #[test]
    fn numbers_without_a_name_stay_numbers() {
        assert_eq!(file_type(4), "activity");
        assert_eq!(file_type(99), "99");
        assert_eq!(message(20), "record");
        assert_eq!(message(65_000), "65000");
    }
}
