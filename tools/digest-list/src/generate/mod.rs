// SPDX-License-Identifier: GPL-2.0-only
//! Making digest lists: from files and directories ([`from_files`]), and from the
//! packages of a dpkg database ([`from_dpkg`]).

mod from_dpkg;
mod from_files;

pub use from_dpkg::{from_dpkg, ChangedConffiles, DpkgOptions, DpkgReport, PackageFile};
pub use from_files::{from_files, FilesOptions};

use std::path::{Path, PathBuf};

use digest_list_formats::parsers::algo::HashAlgo;
use serde::Serialize;

use crate::error::Error;
use crate::output::Existing;

/// Where lists go and what is in them.
pub struct Target {
    /// The directory for the lists; made if it does not exist.
    pub dir: PathBuf,
    /// The algorithms, each once, in the order of the tables.
    pub algos: Vec<HashAlgo>,
    /// Whether lists of the same name are replaced.
    pub existing: Existing,
}

impl Target {
    fn prepare(&self) -> Result<(), Error> {
        std::fs::create_dir_all(&self.dir)
            .map_err(|e| Error::io(&self.dir, "make the directory", &e))
    }
}

/// A list that has been written.
#[derive(Debug, Serialize)]
pub struct WrittenList {
    /// Its path.
    pub list: String,
    /// Files in it.
    pub files: u64,
    /// Digests in it: files times algorithms.
    pub digests: u64,
}

impl WrittenList {
    fn new(path: &Path, files: usize, algos: &[HashAlgo]) -> Self {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Self {
            list: crate::bytes::path_for_display(path),
            files: count(files),
            digests: count(files).saturating_mul(count(algos.len())),
        }
    }
}
