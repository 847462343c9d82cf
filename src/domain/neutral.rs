//! Remote text made harmless.

/// Replaces what could steer a terminal, hide text or reverse it by U+FFFD.
///
/// C0 (newlines too: a title is one line), DEL, C1, U+061C, U+200E/F, U+2028/9, U+202A–E, U+2066–9.
pub fn neutralise(text: &str) -> String {
    text.chars().map(|c| if is_dangerous(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::neutralise;

    #[test]
    fn escape_bidi_and_newline_become_replacement_characters() {
        let hostile = "a\u{1b}[31m\nb\u{202e}c\u{2066}\u{9b}\u{7f}越野";
        assert_eq!(
            neutralise(hostile),
            "a\u{fffd}[31m\u{fffd}b\u{fffd}c\u{fffd}\u{fffd}\u{fffd}越野"
        );
    }
}
