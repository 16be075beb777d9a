//! The file of an audit's page. It is tried before the audit, and holds an older page until the new
//! one is there.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// A file that can be written.
pub(super) struct PageFile {
    path: PathBuf,
    /// It was not there before and is still empty.
    is_placeholder: bool,
}

impl PageFile {
    /// Makes sure that the file can be written.
    ///
    /// # Errors
    ///
    /// Fails if it cannot.
    pub(super) fn at(path: &Path) -> anyhow::Result<Self> {
        let is_new = !path.exists();
        let opened = OpenOptions::new().append(true).create(true).open(path);
        opened.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            is_placeholder: is_new,
        })
    }

    /// Writes the page, and returns where it is.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written any more.
    pub(super) fn write(mut self, page: &str) -> anyhow::Result<PathBuf> {
        let written = fs::write(&self.path, page);
        written.with_context(|| format!("cannot write {}", self.path.display()))?;
        self.is_placeholder = false;
        Ok(self.path.clone())
    }
}

impl Drop for PageFile {
    fn drop(&mut self) {
        if self.is_placeholder {
            drop(fs::remove_file(&self.path));
        }
    }
}
