// SPDX-License-Identifier: GPL-2.0-only
//! The extended attributes of a corpus's files: one kind at a time.
//!
//! Whatever kind it was before, afterwards every file has the attributes of the one
//! that was asked for, and no others. Security attributes are root's to set.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use digest_list::hash::digest_of;
use digest_list::label::{label_lists, XATTR_DIGEST_LIST};
use digest_list::list::collect;
use digest_list::root::Root;
use digest_list::Error;
use indicatif::ProgressBar;
use rayon::prelude::*;
use rustix::fs::{lgetxattr, lremovexattr, lsetxattr, XattrFlags};
use rustix::io::Errno;

use crate::ima::{digest_value, Signer, XATTR_IMA};
use crate::layout;
use crate::plan::ALGO;

/// What the files of a corpus carry.
pub enum Kind<'a> {
    /// Nothing.
    None,
    /// Their digest in `security.ima`.
    Hash,
    /// A signature in `security.ima`.
    Signature(&'a Signer),
    /// The name of their list in `security.digest_list`.
    Label,
}

/// Gives each file of the corpus its attributes, and the tampered file those of
/// the file that it was made from.
pub fn attach(corpus: &Path, kind: &Kind<'_>, progress: &ProgressBar) -> Result<(), Error> {
    let tree = layout::tree(corpus);
    let files = files(&tree)?;
    progress.set_length(files.len() as u64);
    files.par_iter().try_for_each(|file| {
        detach(file)?;
        match kind {
            Kind::None | Kind::Label => {}
            Kind::Hash => set_hash(file)?,
            Kind::Signature(signer) => set_signature(file, signer)?,
        }
        progress.inc(1);
        Ok(())
    })?;
    if let Kind::Label = kind {
        label(&tree, progress)?;
    }
    tamper(corpus, &tree)
}

/// The files, in the order of their numbers.
fn files(tree: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for directory in entries(&tree.join("files"))? {
        files.extend(entries(&directory)?);
    }
    Ok(files)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let fail = |e| Error::io(directory, "read the directory", &e);
    let mut paths = fs::read_dir(directory)
        .map_err(fail)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(fail))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort_unstable();
    Ok(paths)
}

/// As `digest-list label` does it.
fn label(tree: &Path, progress: &ProgressBar) -> Result<(), Error> {
    let root = Root::open(tree)?;
    let lists = collect(&[tree.join(layout::HASH_LISTS)])?;
    let outcome = label_lists(&root, &lists, false, progress)?;
    match outcome.errors.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Copies the attributes of the file that the tampered one was made from.
fn tamper(corpus: &Path, tree: &Path) -> Result<(), Error> {
    let facts_path = corpus.join(layout::FACTS);
    let facts = fs::read_to_string(&facts_path).map_err(|e| Error::io(&facts_path, "read", &e))?;
    let victim = facts
        .lines()
        .find_map(|line| line.strip_prefix("tampered_from "))
        .map(|path| tree.join(path))
        .ok_or_else(|| {
            Error::new(
                &facts_path,
                "does not say from which file the tampered one was made",
                "make the corpus anew",
            )
        })?;
    let tampered = tree.join(layout::TAMPERED);
    detach(&tampered)?;
    for name in [XATTR_IMA, XATTR_DIGEST_LIST] {
        if let Some(value) = get(&victim, name)? {
            set(&tampered, name, &value)?;
        }
    }
    Ok(())
}

/// Puts the digest of a file, or of a list, into its `security.ima`.
pub fn set_hash(path: &Path) -> Result<(), Error> {
    set(path, XATTR_IMA, &digest_value(ALGO, &digest(path)?))
}

fn set_signature(path: &Path, signer: &Signer) -> Result<(), Error> {
    let value = signer
        .signature_value(ALGO, &digest(path)?)
        .map_err(|e| Error::new(path, format!("cannot sign: {e}"), "check the key"))?;
    set(path, XATTR_IMA, &value)
}

fn digest(path: &Path) -> Result<Box<[u8]>, Error> {
    let content = fs::read(path).map_err(|e| Error::io(path, "read", &e))?;
    digest_of(ALGO, &[&content])
        .map_err(|e| Error::new(path, e.to_string(), "build digest-list with this algorithm"))
}

fn detach(path: &Path) -> Result<(), Error> {
    for name in [XATTR_IMA, XATTR_DIGEST_LIST] {
        match lremovexattr(path, name) {
            Ok(()) | Err(Errno::NODATA) => {}
            Err(e) => return Err(refused(path, "remove", name, e)),
        }
    }
    Ok(())
}

/// The value of an attribute, which has at most as many bytes as the longest of
/// those that are set here.
fn get(path: &Path, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let mut value = vec![0; 256];
    match lgetxattr(path, name, &mut value) {
        Ok(len) => {
            value.truncate(len);
            Ok(Some(value))
        }
        Err(Errno::NODATA) => Ok(None),
        Err(e) => Err(refused(path, "read", name, e)),
    }
}

fn set(path: &Path, name: impl AsRef<OsStr>, value: &[u8]) -> Result<(), Error> {
    let name = name.as_ref();
    lsetxattr(path, name, value, XattrFlags::empty())
        .map_err(|e| refused(path, "set", &name.to_string_lossy(), e))
}

fn refused(path: &Path, doing: &str, name: &str, errno: Errno) -> Error {
    let advice = match errno {
        Errno::PERM | Errno::ACCESS => "run as root in the initial user namespace",
        Errno::OPNOTSUPP => "use a file system with security attributes, such as ext4 or tmpfs",
        _ => "check the file and its file system",
    };
    let reason = std::io::Error::from(errno);
    Error::new(path, format!("cannot {doing} {name}: {reason}"), advice)
}
