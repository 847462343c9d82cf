//! "Did you mean": the known word next to a mistyped one.

/// The candidate that a person most likely meant, if any is close: within a third of its letters.
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_lowercase();
    let length = text.chars().count();
    if length > 64 {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&text, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (length.max(candidate.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_understood_and_a_different_word_is_not() {
        let words = ["running", "cycling", "us", "cn"];
        assert_eq!(nearest("runing", words), Some("running"));
        assert_eq!(nearest("Running", words), Some("running"));
        assert_eq!(nearest("uss", words), Some("us"));
        assert_eq!(nearest("swimming", words), None);
        assert_eq!(nearest(&"x".repeat(5000), words), None);
    }
}
