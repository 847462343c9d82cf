//! Steps that earlier runs left open, in words.

use crate::domain::neutralise;
use crate::plan::OpenStep;

/// What is open of a step that an earlier run began.
pub(super) fn open_words(open: &OpenStep) -> String {
    let OpenStep { address, account, phase, is_gap, is_sent, backup } = open;
    let instead = match is_sent {
        true => "what was sent in its place is not listed yet",
        false => "nothing is in its place",
    };
    let kept = backup.as_ref().map_or_else(String::new, |backup| format!(" (backup {backup})"));
    let what = match is_gap {
        true => format!(", the old activity is removed and {instead}{kept}"),
        false => String::new(),
    };
    let phase = phase.as_str().replace('_', " ");
    neutralise(&format!(
        "{address} is {phase} at {account}{what}; `fit_sync apply` goes on with it first, or says why not"
    ))
}
