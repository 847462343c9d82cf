//! Account exports: a zip in place of a folder, as a source that is only read.
#![cfg(test)]

mod hostile;
mod reading;
mod shell;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fit_sync::clock::ManualClock;
use fit_sync::domain::{Activity, RemoteId, Unusable};
use fit_sync::platform::directory::Export;
use fit_sync::platform::{ListRequest, Opening, Page, Platform, PlatformError, Window};
use tempfile::TempDir;

use crate::support::cli::ride;
use crate::support::zip::ZipFile;

/// An export in a folder of its own, long after it was written.
struct World {
    folder: TempDir,
    export: Export,
}

impl World {
    fn new(zip: &ZipFile) -> Self {
        Self::of(&zip.build())
    }

    fn of(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export.zip");
        fs::write(&path, bytes).unwrap();
        Self { export: export(&path), folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("export.zip")
    }

    async fn list(&self) -> Result<Page, PlatformError> {
        self.list_again(&HashMap::new()).await
    }

    async fn list_again(&self, known: &HashMap<RemoteId, Activity>) -> Result<Page, PlatformError> {
        let request = ListRequest { window: Window::default(), page: None, known };
        self.export.list(request).await
    }
}

fn export(path: &Path) -> Export {
    let clock = Arc::new(ManualClock::new("2100-01-01T00:00:00Z".parse().unwrap()));
    Export::new(path, Opening::offline(clock, Arc::new(|| [7; 16])))
}

fn known(page: &Page) -> HashMap<RemoteId, Activity> {
    page.activities.iter().map(|row| (row.id.clone(), row.clone())).collect()
}

fn ids(page: &Page) -> Vec<&str> {
    page.activities.iter().map(|row| row.id.as_str()).collect()
}

/// Why each of the rows that cannot be used cannot.
fn reasons(page: &Page) -> Vec<(&str, String)> {
    let mut reasons: Vec<(&str, String)> = page
        .activities
        .iter()
        .filter_map(|row| match row.unusable.as_ref()? {
            Unusable::Unreadable { detail } => Some((row.id.as_str(), detail.clone())),
            other => Some((row.id.as_str(), format!("{other:?}"))),
        })
        .collect();
    reasons.sort_unstable();
    reasons
}

fn activity(day: u32) -> Vec<u8> {
    ride(&format!("2026-10-{day:02}T06:00:00Z")).build()
}
