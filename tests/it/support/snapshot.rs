//! File snapshots, by topic, in one place.

/// Compares a text with `snapshots/<topic>/<name>.snap`.
pub(crate) fn check(topic: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots");
    settings.set_snapshot_path(format!("{folder}/{topic}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
