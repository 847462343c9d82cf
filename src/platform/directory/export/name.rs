//! Between the names in a zip and ids: what is taken for an activity, and what leads out of it.

use super::super::path::{self, Packing};

/// What an entry's name tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// An activity at this path inside the zip.
    Activity(String, Packing),
    /// A zip at this path.
    Zip(String),
    /// An activity or a zip, but not inside: this stands for it.
    Outside(String),
    /// A folder or file whose name begins with a dot, or in such a folder.
    Hidden,
    /// None of this tool's business.
    Other,
}

/// Takes a name apart. `\` separates too, as in zips of Windows.
pub(super) fn named(name: &str) -> Named {
    let name = name.replace('\\', "/");
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let Some(last) = parts.last().filter(|_| !name.ends_with('/')) else {
        return Named::Other;
    };
    let packing = path::packing(last);
    let is_zip = is_zip(last);
    let is_drive = |part: &&str| part.len() == 2 && part.ends_with(':');
    if name.starts_with('/') || parts.first().is_some_and(is_drive) || parts.contains(&"..") {
        let inside = parts.iter().filter(|part| !is_drive(part) && **part != "..");
        let rest: Vec<String> = inside.map(|part| without_mail(part)).collect();
        let named = packing.is_some() || is_zip;
        return if named {
            Named::Outside(format!("(outside)/{}", rest.join("/")))
        } else {
            Named::Other
        };
    }
    if parts.iter().any(|part| part.starts_with('.')) {
        return Named::Hidden;
    }
    let path: Vec<String> = parts.iter().map(|part| without_mail(part)).collect();
    let path = path.join("/");
    match packing {
        Some(packing) => Named::Activity(path, packing),
        None if is_zip => Named::Zip(path),
        None => Named::Other,
    }
}

fn is_zip(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".zip")
}

/// A part of a path without the e-mail address that Garmin puts before an activity's number: ids
/// stand in plans, and plans are shown to others.
fn without_mail(part: &str) -> String {
    let folded = part.to_ascii_lowercase();
    let end = folded.rfind(".fit").or_else(|| folded.rfind(".zip")).unwrap_or(part.len());
    let (stem, extension) = part.split_at_checked(end).unwrap_or((part, ""));
    let Some((user, host)) = stem.split_once('@') else {
        return part.to_owned();
    };
    let touches = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.');
    if !(user.ends_with(touches) && host.starts_with(touches) && host.contains('.')) {
        return part.to_owned();
    }
    match host.rsplit_once('_') {
        Some((_, number)) if !number.is_empty() => format!("{number}{extension}"),
        _ => format!("mail{extension}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity(path: &str) -> Named {
        Named::Activity(path.to_owned(), Packing::Plain)
    }

    #[test]
    fn activities_and_zips_are_known_by_their_extension() {
        assert_eq!(named("a/b.FIT"), activity("a/b.FIT"));
        assert_eq!(named("./a//b.fit"), activity("a/b.fit"));
        assert_eq!(named("a\\b.fit"), activity("a/b.fit"));
        let gzipped = Named::Activity("activities/1.fit.gz".to_owned(), Packing::Gzip);
        assert_eq!(named("activities/1.fit.gz"), gzipped);
        assert_eq!(named("x/Part1.ZIP"), Named::Zip("x/Part1.ZIP".to_owned()));
        for other in ["", "/", "activities.csv", "a.fit/", "a.gpx.gz", "..", "/etc/passwd"] {
            assert_eq!(named(other), Named::Other, "{other}");
        }
        for hidden in ["__MACOSX/._a.fit", ".git/a.fit", "a/.b/c.fit"] {
            assert_eq!(named(hidden), Named::Hidden, "{hidden}");
        }
    }

    #[test]
    fn what_leads_out_gets_a_harmless_name() {
        let outside = |path: &str| Named::Outside(format!("(outside)/{path}"));
        assert_eq!(named("/etc/a.fit"), outside("etc/a.fit"));
        assert_eq!(named("a/../../b.fit"), outside("a/b.fit"));
        assert_eq!(named("..\\b.fit.gz"), outside("b.fit.gz"));
        assert_eq!(named("C:\\b.zip"), outside("b.zip"));
    }

    #[test]
    fn mail_addresses_stay_out_of_ids() {
        assert_eq!(named("x/me@example.com_123.fit"), activity("x/123.fit"));
        assert_eq!(named("m_e@example.com_123.fit"), activity("123.fit"));
        assert_eq!(named("me@example.com.FIT"), activity("mail.FIT"));
        assert_eq!(named("me@example.com/a.fit"), activity("mail/a.fit"));
        for own in ["tempo @ 4.30.fit", "run@dawn.fit", "@home.fit"] {
            assert_eq!(named(own), activity(own));
        }
    }
}
