//! What benches of an apply share.

use fit_sync::event::{Event, Events};

/// Listens to nothing.
pub(crate) struct Nobody;

impl Events for Nobody {
    fn emit(&self, _: Event) {}
}

/// The most memory that this process ever held; 0 where the system does not say.
pub(crate) fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = peak.and_then(|text| text.split_whitespace().next());
    number.and_then(|digits| digits.parse().ok()).unwrap_or_default()
}
