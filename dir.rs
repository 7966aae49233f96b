// SPDX-License-Identifier: GPL-2.0-only

//! The directory of digest lists, as one digest cache.
//!
//! It serves files that name no list of their own. Its entries are the directory's valid list
//! names in the order of the name rules: those with a sequence number first, ascending, then the
//! others as the directory has them. Lists are loaded in that order when a digest has not been
//! found in those before, and stay referenced by their entry.
//!
//! A list that cannot be loaded is skipped. If its content is bad, it is not tried again until it
//! is reset; else it is tried again by the next look-up.

use core::ops::ControlFlow;
use kernel::{prelude::*, sync::rcu};

use crate::{
    blob,
    cache::{Content, DigestCache, LoadError},
    parsers::{
        algo::HashAlgo,
        name::{cmp_order, ListName},
    },
    rcuref::{RcuRef, Slot},
    resolve,
    vfs::{ListFile, Path},
};

/// One list of the directory.
struct Entry {
    /// Where the name is in [`Directory::names`].
    start: usize,
    len: usize,
    /// Sequence number of the name.
    seq: Option<u32>,
    /// The list, once loaded.
    list: Slot<DigestCache>,
}

/// The lists of a directory, in order.
pub(crate) struct Directory {
    /// The names one after another: one allocation, whatever their number.
    names: KVVec<u8>,
    entries: KVVec<Entry>,
}

/// Reads the directory at `path`, from which `cache` is being made. May sleep.
///
/// # Errors
///
/// Passing ones: `ENOMEM`, and what the file system says.
pub(crate) fn load(cache: &RcuRef<DigestCache>, path: &Path) -> Result<Content, LoadError> {
    read(cache, path)
        .map(Content::Dir)
        .map_err(LoadError::Passing)
}

/// See [`load`].
fn read(cache: &RcuRef<DigestCache>, path: &Path) -> Result<Directory> {
    let file = ListFile::open(path)?;
    let _mark = blob::mark_loading(&file, cache);

    let mut names = KVVec::new();
    let mut entries = KVVec::new();
    file.for_each_entry(|name| {
        let Ok(parsed) = ListName::parse(name) else {
            return Ok(());
        };
        let start = names.len();
        names.extend_from_slice(name, GFP_KERNEL)?;
        entries.push(
            Entry {
                start,
                len: name.len(),
                seq: parsed.seq,
                list: Slot::new(),
            },
            GFP_KERNEL,
        )?;
        Ok(())
    })?;
    // `start` grows in directory order, so it makes the sort stable.
    entries.sort_unstable_by(|a, b| cmp_order(a.seq, b.seq).then(a.start.cmp(&b.start)));
    Ok(Directory { names, entries })
}

impl Directory {
    /// Calls `f` with each list that can be loaded, in order, loading those that are not, until
    /// `f` breaks. `cache` is the digest cache that this directory belongs to. May sleep.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if the directory has been reset meanwhile.
    fn for_each_list<B>(
        &self,
        cache: &DigestCache,
        mut f: impl FnMut(&RcuRef<DigestCache>) -> ControlFlow<B>,
    ) -> Result<Option<B>> {
        let mut root = None;
        let mut result = None;
        for entry in self.entries.iter() {
            let Some(list) = self.list(cache, entry, &mut root)? else {
                continue;
            };
            if list.content().is_none() {
                continue;
            }
            if let ControlFlow::Break(b) = f(&list) {
                result = Some(b);
                break;
            }
        }
        // What was found, or not found, in a directory that changed meanwhile is no answer.
        resolve::confirm(cache)?;
        Ok(result)
    }

    /// The list of `entry`, loaded if it was not. `root` keeps the directory's path between calls.
    fn list(
        &self,
        cache: &DigestCache,
        entry: &Entry,
        root: &mut Option<Path>,
    ) -> Result<Option<RcuRef<DigestCache>>> {
        let guard = rcu::read_lock();
        let loaded = entry
            .list
            .peek(&guard)
            .filter(|list| list.reflects_inode(&guard))
            .and_then(|list| list.upgrade());
        drop(guard);
        if loaded.is_some() {
            return Ok(loaded);
        }

        if root.is_none() {
            let (path, anchor) = resolve::root().map_err(|_| EAGAIN)?;
            if anchor.stamp() != cache.stamp() {
                return Err(EAGAIN);
            }
            *root = Some(path);
        }
        let end = entry.start.saturating_add(entry.len);
        let name = self.names.get(entry.start..end).unwrap_or_default();
        let mut buf = [0; 256];
        let list = resolve::to_cstr(name, &mut buf).and_then(|name| {
            let path = root.as_ref().ok_or(EAGAIN)?.child(name)?;
            resolve::open_list(&path, name, cache.stamp())
        });
        // The name may have gone, or the failure may be one of the moment: on to the next list.
        let Ok(list) = list else {
            return Ok(None);
        };
        drop(entry.list.swap(Some(list.clone())));
        Ok(Some(list))
    }

    /// The first list that has the digest of a file's data. May sleep.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if the directory has been reset meanwhile.
    pub(crate) fn lookup(
        &self,
        cache: &DigestCache,
        algo: HashAlgo,
        digest: &[u8],
    ) -> Result<Option<RcuRef<DigestCache>>> {
        self.for_each_list(cache, |list| {
            if list.contains(algo, digest) {
                ControlFlow::Break(list.clone())
            } else {
                ControlFlow::Continue(())
            }
        })
    }

    /// Bit mask of the algorithms of all lists, which are loaded for that. May sleep.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if the directory has been reset meanwhile.
    pub(crate) fn algos(&self, cache: &DigestCache) -> Result<u32> {
        let mut mask = 0;
        self.for_each_list(cache, |list| {
            mask |= list.tables().map_or(0, |tables| tables.algos());
            ControlFlow::<()>::Continue(())
        })?;
        Ok(mask)
    }
}
