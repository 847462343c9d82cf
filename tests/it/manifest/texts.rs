//! Long texts that look like manifests for a while.

/// One of each kind, of roughly `size` bytes.
pub(crate) fn long(size: usize) -> Vec<String> {
    let fill = |head: &str, part: &str| format!("{head}{}", part.repeat(size / part.len()));
    let count = |head: &str, form: fn(usize) -> String, count| -> String {
        let parts: Vec<String> = (0..count).map(form).collect();
        format!("{head}{}", parts.concat())
    };
    vec![
        fill("", "a: b\n"),
        fill("", "x"),
        fill("", "password: \""),
        fill("", "password:\n"),
        fill("", "@://@ "),
        fill("", "- "),
        fill("", "[],"),
        fill("", "\n"),
        fill("", "#\n"),
        fill("", "\"\\u00e9"),
        fill("", "? a\n"),
        fill("accounts:\n password: ", "x\n  "),
        fill("sync_rules: [{ title: '", "("),
        fill("sync_rules: [{ source: ", "x"),
        count("", |i| format!("key{i}: 1\n"), size / 22),
        count("accounts:\n", |i| format!(" a{i}: {{}}\n"), size / 40),
        count("sync_rules:\n", |_| " - {}\n".to_owned(), size / 40),
        count("sync_rules:\n", |i| format!(" - title: '\\w{{9}}{i}'\n"), size / 40),
        count("sync_rules:\n - activity_types:\n", |i| format!("   - runing{i}\n"), size / 22),
    ]
}
