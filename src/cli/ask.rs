//! Asking a person, where there is one.

use std::io::{BufRead as _, Write as _};

/// Asks a question on stderr; only the word `yes` is a yes.
pub fn confirm(question: &str) -> bool {
    let mut err = std::io::stderr();
    if write!(err, "{question} Only 'yes' is accepted: ")
        .and_then(|()| err.flush())
        .is_err()
    {
        return false;
    }
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}
