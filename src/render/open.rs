//! Steps that earlier runs left open, in words.

use crate::domain::neutralise;
use crate::plan::OpenStep;

/// What is open of a step that an earlier run began.
pub(super) fn open_words(open: &OpenStep) -> String {
    let OpenStep { address, account, phase, is_gap, backup } = open;
    let what = match (is_gap, backup) {
        (true, Some(backup)) => {
            format!(", the old activity is removed and nothing in its place (backup {backup})")
        }
        (true, None) => ", the old activity is removed and nothing in its place".to_owned(),
        (false, _) => String::new(),
    };
    let phase = phase.as_str().replace('_', " ");
    neutralise(&format!(
        "{address} is {phase} at {account}{what}; `fit_sync apply` goes on with it first, or says why not"
    ))
}
