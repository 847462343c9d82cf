//! Text in columns of a terminal: wide characters count double.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Fills up with spaces on the right.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Fills up with spaces on the left.
pub(super) fn pad_left(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}

/// Cuts what is too wide, with an ellipsis, and fills up what is not.
pub(super) fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return pad(text, width);
    }
    let mut cut = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or_default();
        if used > width {
            break;
        }
        cut.push(c);
    }
    pad(&(cut + "…"), width)
}

/// Kilometres with two digits, half up.
pub(super) fn distance(metres: Option<u32>) -> String {
    let Some(metres) = metres else {
        return String::new();
    };
    let hundredths = metres.saturating_add(5) / 10;
    format!("{}.{:02} km", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_double() {
        assert_eq!(pad("越野", 6), "越野  ");
        assert_eq!(pad_left("跑", 4), "  跑");
        assert_eq!(fit("越野跑步机", 6), "越野… ");
        assert_eq!(fit("abc", 3), "abc");
    }
}
