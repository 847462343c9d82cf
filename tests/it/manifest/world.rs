//! A home and a working folder in which manifests are loaded.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fit_sync::diag::Diagnostic;
use fit_sync::manifest::{LoadRequest, Manifest, Trust, load};
use fit_sync::render::diagnostics;
use tempfile::TempDir;

use crate::support::catalog::catalog;

/// A folder that only the user can enter, until it is opened.
pub(crate) struct World {
    dir: TempDir,
    pub(crate) trust: Trust,
    pub(crate) uid: u32,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("home")).unwrap();
        fs::create_dir_all(dir.path().join("work")).unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
        Self { dir, trust: Trust::PrivateFiles, uid: rustix::process::getuid().as_raw() }
    }

    /// A world with a manifest in its working folder.
    pub(crate) fn with(manifest: &str) -> Self {
        let world = Self::new();
        world.write("work/fit_sync.yaml", manifest);
        world
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    pub(crate) fn write(&self, relative: &str, text: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn mode(&self, relative: &str, mode: u32) {
        fs::set_permissions(self.path(relative), Permissions::from_mode(mode)).unwrap();
    }

    /// Lets other users reach every file, whose own modes then decide.
    pub(crate) fn open(&self) {
        for folder in ["", "home", "work"] {
            self.mode(folder, 0o755);
        }
    }

    pub(crate) fn load(&self) -> Result<Manifest, Vec<Diagnostic>> {
        self.load_path("fit_sync.yaml")
    }

    pub(crate) fn load_path(
        &self,
        manifest: impl AsRef<Path>,
    ) -> Result<Manifest, Vec<Diagnostic>> {
        load(&LoadRequest {
            path: manifest.as_ref(),
            cwd: &self.path("work"),
            home: &self.path("home"),
            user_home: Some(&self.path("user")),
            catalog: &catalog(),
            trust: self.trust,
            uid: self.uid,
        })
    }

    /// All findings, also those of a manifest that is fine otherwise.
    pub(crate) fn findings(&self) -> Vec<Diagnostic> {
        match self.load() {
            Ok(manifest) => manifest.warnings,
            Err(findings) => findings,
        }
    }

    /// Findings as text, the folder's random name taken out.
    pub(crate) fn shown(&self, findings: &[Diagnostic]) -> String {
        let text = diagnostics::text(findings, false);
        text.replace(self.root().to_str().unwrap(), "/DIR")
    }

    pub(crate) fn codes(&self) -> Vec<&'static str> {
        self.findings().iter().map(|finding| finding.code).collect()
    }
}
