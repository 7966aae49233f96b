// SPDX-License-Identifier: GPL-2.0-only
//! Finding and hashing the files that go into lists, each file once however many
//! names it has.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use digest_list_formats::parsers::algo::HashAlgo;
use globset::GlobSet;
use indicatif::ProgressBar;
use rayon::prelude::*;
use walkdir::WalkDir;

use crate::error::Error;
use crate::hash::{Digests, Hasher};
use crate::root::{FileId, Kind, Lookup, Root};

/// The first bytes of every ELF file, shared libraries included.
const ELF_MAGIC: &[u8; 4] = b"\x7fELF";

/// Which regular files count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of them.
    All,
    /// Those with an execute bit and ELF files (shared libraries often have no
    /// execute bit).
    Executable,
}

impl Selection {
    fn takes(self, file: &File, mode: u32) -> io::Result<bool> {
        if self == Self::All || mode & 0o111 != 0 {
            return Ok(true);
        }
        let mut magic = [0; ELF_MAGIC.len()];
        match file.read_exact_at(&mut magic, 0) {
            Ok(()) => Ok(magic == *ELF_MAGIC),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(e) => Err(e),
        }
    }
}

/// What became of a path.
pub enum Hashed {
    /// A regular file with these digests.
    Digests(Arc<Digests>),
    /// A regular file that the selection leaves out.
    NotSelected,
    /// Something else, described for a message.
    Other(&'static str),
    /// Nothing is there.
    Missing,
}

/// Hashes the files that the paths lead to inside the root, in parallel, results
/// in the order of the paths. Counts each path on the progress bar.
pub fn hash_all(
    root: &Root,
    paths: &[Vec<u8>],
    algos: &[HashAlgo],
    selection: Selection,
    progress: &ProgressBar,
) -> Vec<Result<Hashed, Error>> {
    // Names of the same file (hard links, or two paths through merged
    // directories) wait for the first of them.
    let identities: Vec<_> = paths.par_iter().map(|path| root.stat(path)).collect();
    let mut first_names: HashMap<FileId, usize> = HashMap::new();
    for (position, identity) in identities.iter().enumerate() {
        if let Ok(Kind::Regular(id)) = identity {
            first_names.entry(*id).or_insert(position);
        }
    }
    let hashed: HashMap<FileId, Result<Hashed, Error>> = first_names
        .par_iter()
        .map(|(&id, &position)| {
            let path = paths.get(position).map(Vec::as_slice).unwrap_or_default();
            (id, hash_one(root, path, algos, selection))
        })
        .collect();
    let results = identities
        .into_iter()
        .map(|identity| match identity? {
            Kind::Missing => Ok(Hashed::Missing),
            Kind::Other(what) => Ok(Hashed::Other(what)),
            Kind::Regular(id) => match hashed.get(&id) {
                Some(Ok(Hashed::Digests(digests))) => Ok(Hashed::Digests(digests.clone())),
                Some(Ok(Hashed::NotSelected)) => Ok(Hashed::NotSelected),
                Some(Ok(Hashed::Other(what))) => Ok(Hashed::Other(what)),
                Some(Err(e)) => Err(e.clone()),
                Some(Ok(Hashed::Missing)) | None => Ok(Hashed::Missing),
            },
        })
        .collect();
    progress.inc(u64::try_from(paths.len()).unwrap_or(u64::MAX));
    results
}

fn hash_one(
    root: &Root,
    path: &[u8],
    algos: &[HashAlgo],
    selection: Selection,
) -> Result<Hashed, Error> {
    let file = match root.lookup(path)? {
        Lookup::Regular(file) => file,
        Lookup::Other(what) => return Ok(Hashed::Other(what)),
        Lookup::Missing => return Ok(Hashed::Missing),
    };
    let host_path = root.host_path(path);
    let fail = |e: io::Error| Error::io(&host_path, "read", &e);
    let mode = file.metadata().map_err(fail)?.mode();
    if !selection.takes(&file, mode).map_err(fail)? {
        return Ok(Hashed::NotSelected);
    }
    hash_file(file, &host_path, algos).map(|digests| Hashed::Digests(Arc::new(digests)))
}

/// Hashes an open file.
pub fn hash_file(mut file: File, host_path: &Path, algos: &[HashAlgo]) -> Result<Digests, Error> {
    let mut hasher = Hasher::new(algos)
        .map_err(|e| Error::new(host_path, e.to_string(), "use lists with another algorithm"))?;
    hasher
        .update_from(&mut file)
        .map_err(|e| Error::io(host_path, "read", &e))?;
    Ok(hasher.finish())
}

/// How to walk through directories.
pub struct Walk {
    /// Do not enter directories on other file systems.
    pub one_file_system: bool,
    /// Leave out paths inside the root that match.
    pub exclude: GlobSet,
    /// A host directory to leave out, canonical: the one that lists are written
    /// to, since no list vouches for itself or its neighbours.
    pub output: Option<PathBuf>,
}

impl Walk {
    /// The regular files at and below the given paths of the root, absolute
    /// inside it, sorted, each path once. Symbolic links are followed in the
    /// given paths, not below them.
    pub fn find(&self, root: &Root, arguments: &[PathBuf]) -> Result<Vec<Vec<u8>>, Error> {
        let mut found = Vec::new();
        for argument in arguments {
            let start = root.canonicalize(argument)?;
            let before = found.len();
            self.walk(root, &start, &mut found)?;
            if found.len() == before {
                return Err(Error::new(
                    root.host_path(&start),
                    "holds no regular file to list",
                    "name files or directories with files",
                ));
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn walk(&self, root: &Root, start: &[u8], found: &mut Vec<Vec<u8>>) -> Result<(), Error> {
        let host_start = root.host_path(start);
        let entries = WalkDir::new(&host_start)
            .same_file_system(self.one_file_system)
            .into_iter()
            .filter_entry(|entry| {
                self.output.as_deref() != Some(entry.path())
                    && !inside(root, entry.path()).is_some_and(|path| {
                        self.exclude.is_match(std::ffi::OsStr::from_bytes(&path))
                    })
            });
        for entry in entries {
            let entry = entry.map_err(|e| {
                let path = e.path().unwrap_or(&host_start).to_owned();
                let cause = e
                    .into_io_error()
                    .unwrap_or_else(|| io::Error::other("the directories form a loop"));
                Error::io(path, "read", &cause)
            })?;
            if entry.file_type().is_file() {
                found.extend(inside(root, entry.path()));
            }
        }
        Ok(())
    }
}

/// A host path as seen from inside the root.
fn inside(root: &Root, host_path: &Path) -> Option<Vec<u8>> {
    let relative = host_path.strip_prefix(root.path()).ok()?;
    let mut path = vec![b'/'];
    path.extend_from_slice(relative.as_os_str().as_bytes());
    Some(path)
}
