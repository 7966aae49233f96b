// SPDX-License-Identifier: GPL-2.0-only

//! What a file-system change invalidates.
//!
//! The hooks behind these functions run before or after the change takes effect. Before is enough,
//! although a look-up in between may find and cache the old state: such a look-up remembers the
//! cookie of what it saw, and the change that follows alters it (see [`crate::resolve`]). What is
//! done here makes the reset happen at once where nobody may look at the inode again, frees memory,
//! and covers what cookies do not show.
//!
//! # Context
//!
//! Inode locks may be held by the caller; nothing here sleeps but [`copied_up`]. Subscribers are
//! told later (see [`crate::notifier`]).

use kernel::sync::rcu;

use crate::{
    blob::{self, ANCHOR},
    live, resolve,
    stats::Reason,
    users,
    vfs::{Dentry, Inode},
};

/// A digest list, or the directory of digest lists, changes: what was made from it is void, and so
/// is the cache of the directory that it is in.
///
/// Costs one load for inodes that nothing was made from.
pub(crate) fn source_changed(inode: &Inode, reason: Reason) {
    let Some(blob) = blob::of_inode(inode) else {
        return;
    };
    if !blob.owner.is_empty() && blob.owner.clear(reason) {
        // The list may be in the directory of digest lists by any of its names.
        blob::void_directory(reason);
    }
}

/// As [`source_changed`], for what a dentry leads to, if anything.
pub(crate) fn dentry_changed(dentry: &Dentry, reason: Reason) {
    if let Some(inode) = dentry.inode() {
        source_changed(inode, reason);
    }
}

/// An entry of directory `dir` is created, replaced or removed.
pub(crate) fn entries_changed(dir: &Inode, reason: Reason) {
    if !resolve::is_root(dir) {
        return;
    }
    if let Some(blob) = blob::of_inode(dir) {
        blob.owner.clear(reason);
    }
    ANCHOR.clear(reason);
}

/// What a dentry leads to, if anything, gets another name, or none any more.
pub(crate) fn dentry_moved(dentry: &Dentry, reason: Reason) {
    let Some(inode) = dentry.inode() else {
        return;
    };
    if resolve::is_root(inode) {
        everything(reason);
    }
    source_changed(inode, reason);
}

/// The default path leads elsewhere: all caches are void, as they were found through it.
pub(crate) fn everything(reason: Reason) {
    ANCHOR.clear(reason);
    live::for_each(&rcu::read_lock(), |cache| {
        if let Some(cache) = cache.upgrade() {
            blob::void(&cache, reason);
        }
    });
}

/// There are other parsers than before: lists that had none are tried again.
pub(crate) fn formats_changed() {
    blob::void_directory(Reason::Parser);
    ANCHOR.clear(Reason::Parser);
}

/// What `dentry` of a stacked file system leads to is about to be copied up: the file system gives
/// its inode another one behind it. May sleep.
pub(crate) fn copied_up(dentry: &Dentry) {
    if let Some(inode) = dentry.inode() {
        source_changed(inode, Reason::CopyUp);
        users::dismiss(inode, Reason::CopyUp);
    }
}
