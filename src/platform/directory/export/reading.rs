//! All activities of an export, read entry by entry.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::{Activity, Fingerprint, Note, RemoteId, Sha256, Unusable, title_of_stem};
use crate::platform::row;

use super::super::path;
use super::super::read::Unread;
use super::super::{cores, scan};
use super::bounds::Bounds;
use super::member::{Member, What};
use super::warm::Place;
use super::zip::Zip;

/// What an export holds.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Every activity, and everything that could be one, with its place.
    pub(super) rows: Vec<(Activity, Place)>,
    /// Whether another reading of the same file would find the same.
    pub(super) lasting: bool,
    /// False if a part could not be looked into.
    pub(super) complete: bool,
    /// What else was found.
    pub(super) notes: Vec<Note>,
}

/// Reads everything in a zip.
pub(super) fn read(zip: &Zip, bounds: Bounds, threads: usize) -> Reading {
    let mut pass = Pass {
        bounds,
        threads,
        left: bounds.whole,
        paths: Vec::new(),
        rows: Vec::new(),
        others: 0,
        hidden: 0,
        lasting: true,
        complete: true,
    };
    pass.level(zip, None);
    pass.finish()
}

struct Pass {
    bounds: Bounds,
    threads: usize,
    /// Unzipped bytes that may still be read.
    left: u64,
    paths: Vec<PathBuf>,
    /// Beside the paths; their ids are not settled yet.
    rows: Vec<(Activity, Place)>,
    others: usize,
    hidden: usize,
    lasting: bool,
    complete: bool,
}

/// A row, the bytes that it took to make it, and whether it will be the same the next time.
struct Read {
    row: Activity,
    bytes: u64,
    lasting: bool,
}

impl Pass {
    /// One zip; `around` is the entry of the export that holds it.
    fn level(&mut self, zip: &Zip, around: Option<&Member>) {
        let members = zip.members();
        self.others += members.others;
        self.hidden += members.hidden;
        let (mut activities, mut zips) = (Vec::new(), Vec::new());
        for member in members.named {
            match &member.what {
                What::Activity(_) => activities.push(member),
                What::Zip if around.is_none() => zips.push(member),
                What::Zip => {
                    let why = "a zip in a zip in the export; unzip it into a folder".to_owned();
                    self.push(around, &member, unusable(&member, why));
                }
                What::Unusable(why) => self.push(around, &member, unusable(&member, why.clone())),
            }
        }
        self.activities(zip, around, &activities);
        for member in &zips {
            self.inner(zip, member);
        }
    }

    /// Reads on all cores. Whatever is taken up when the bound is reached comes after it in the
    /// directory's order too, so the rows do not depend on who was faster.
    fn activities(&mut self, zip: &Zip, around: Option<&Member>, members: &[Member]) {
        let (used, left) = (AtomicU64::new(0), self.left);
        let mut read = cores::spread(members, self.threads, |member| {
            let row = (used.load(Ordering::SeqCst) < left).then(|| row_of(zip, member));
            used.fetch_add(row.as_ref().map_or(0, |row| row.bytes), Ordering::SeqCst);
            (member, row)
        });
        read.sort_unstable_by_key(|(member, _)| member.index);
        for (member, read) in read {
            let read = match self.whole_is_read() {
                None => read.unwrap_or_else(|| row_of(zip, member)),
                Some(why) => unusable(member, why),
            };
            self.push(around, member, read);
        }
    }

    fn inner(&mut self, zip: &Zip, member: &Member) {
        let opened = match self.whole_is_read() {
            None => zip.inner(member.index),
            Some(why) => Err(Unread::Defect(why)),
        };
        match opened {
            Ok((inner, copied)) => {
                self.left = self.left.saturating_sub(copied);
                self.level(&inner, Some(member));
            }
            Err(why) => {
                self.complete &= is_lasting(&why);
                let read = Read { lasting: is_lasting(&why), ..unusable(member, why.to_string()) };
                self.push(None, member, read);
            }
        }
    }

    fn whole_is_read(&self) -> Option<String> {
        let most = self.bounds.whole >> 30;
        (self.left == 0).then(|| format!("the export unzips to more than {most} GiB"))
    }

    fn push(&mut self, around: Option<&Member>, member: &Member, read: Read) {
        if self.rows.len() >= self.bounds.entries {
            self.complete = false;
            return;
        }
        self.left = self.left.saturating_sub(read.bytes);
        self.lasting &= read.lasting;
        let (path, place) = match around {
            None => (member.path.clone(), Place { outer: member.index, inner: None }),
            Some(zip) => {
                let place = Place { outer: zip.index, inner: Some(member.index) };
                (format!("{}/{}", zip.path, member.path), place)
            }
        };
        self.paths.push(PathBuf::from(path));
        self.rows.push((read.row, place));
    }

    fn finish(mut self) -> Reading {
        for ((row, _), id) in self.rows.iter_mut().zip(path::ids(&self.paths)) {
            row.title = title_of_stem(path::stem(&id), &row.kind);
            row.id = id;
        }
        let mut notes = Vec::new();
        let mut note = |message: String| notes.push(Note { subject: ".".to_owned(), message });
        let ignored =
            [scan::counted(self.others, "other file"), scan::counted(self.hidden, "dot-file")];
        let ignored: Vec<String> = ignored.into_iter().flatten().collect();
        if !ignored.is_empty() {
            note(format!("{} ignored", ignored.join(" and ")));
        }
        if !self.complete {
            note("a part of the export could not be read; the next plan tries again".to_owned());
        }
        let lasting = self.lasting && self.complete;
        Reading { rows: self.rows, lasting, complete: self.complete, notes }
    }
}

fn row_of(zip: &Zip, member: &Member) -> Read {
    match zip.activity(member.index) {
        Ok(bytes) => {
            let row = row::of_bytes(&RemoteId::new(member.path.as_str()), &bytes);
            Read { row, bytes: bytes.len() as u64, lasting: true }
        }
        Err(why) => Read { lasting: is_lasting(&why), ..unusable(member, why.to_string()) },
    }
}

fn is_lasting(why: &Unread) -> bool {
    match why {
        Unread::Io(_) => false,
        Unread::Defect(_) => true,
    }
}

fn unusable(member: &Member, detail: String) -> Read {
    let facts = format!("{}|{}|{}", member.crc, member.size, member.packed);
    let fingerprint = Fingerprint::of_bytes(&Sha256::of(facts.as_bytes()));
    let id = RemoteId::new(member.path.as_str());
    let row = Activity::unusable(id, fingerprint, Unusable::Unreadable { detail });
    Read { row, bytes: 0, lasting: true }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::super::bounds::BOUNDS;
    use super::super::medium::Medium;
    use super::*;

    fn zip_of(entries: u8) -> File {
        let mut writer = zip::ZipWriter::new(tempfile::tempfile().unwrap());
        for number in 0..entries {
            let name = format!("{number}.fit");
            writer.start_file(name, SimpleFileOptions::default()).unwrap();
            writer.write_all(&[number; 1000]).unwrap();
        }
        writer.finish().unwrap()
    }

    fn rows(bounds: Bounds, threads: usize) -> Vec<(Activity, Place)> {
        let zip = Zip::open(Medium::whole(zip_of(100)).unwrap(), bounds).unwrap();
        read(&zip, bounds, threads).rows
    }

    #[test]
    fn no_more_is_unzipped_than_the_bound_for_the_whole_whatever_the_threads() {
        let bounds = Bounds { whole: 42_500, ..BOUNDS };
        let one = rows(bounds, 1);
        let refused = |row: &&(Activity, Place)| {
            matches!(
                &row.0.unusable,
                Some(Unusable::Unreadable { detail }) if detail.starts_with("the export unzips")
            )
        };
        assert_eq!((one.len(), one.iter().filter(refused).count()), (100, 57));
        for threads in [2, 7, 50] {
            assert_eq!(rows(bounds, threads), one);
        }
    }

    #[test]
    fn a_zip_of_too_many_entries_is_not_opened() {
        let bounds = Bounds { entries: 99, ..BOUNDS };
        let medium = || Medium::whole(zip_of(100)).unwrap();
        assert!(Zip::open(medium(), bounds).is_err());
        let bounds = Bounds { directory: 2000, ..BOUNDS };
        assert!(Zip::open(medium(), bounds).is_err());
        assert!(Zip::open(medium(), BOUNDS).is_ok());
    }
}
