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
//! Inode locks may be held by the caller; nothing here sleeps.

use kernel::sync::rcu;

use crate::{
    blob::{self, ANCHOR},
    vfs::{Dentry, Inode},
};

/// A digest list, or the directory of digest lists, changes: what was made from it is void, and so
/// is the cache of the directory that it is in.
///
/// Costs one load for inodes that nothing was made from.
pub(crate) fn source_changed(inode: &Inode) {
    let Some(blob) = blob::of_inode(inode) else {
        return;
    };
    if blob.owner.is_empty() {
        return;
    }
    drop(blob.owner.clear());
    // The list may be in the directory of digest lists by any of its names: void that cache too.
    drop(ANCHOR.clear());
}

/// As [`source_changed`], for what a dentry leads to, if anything.
pub(crate) fn dentry_changed(dentry: &Dentry) {
    if let Some(inode) = dentry.inode() {
        source_changed(inode);
    }
}

/// An entry of directory `dir` is created, replaced or removed.
pub(crate) fn entries_changed(dir: &Inode) {
    let guard = rcu::read_lock();
    let concerned = ANCHOR
        .peek(&guard)
        .is_some_and(|anchor| blob::Watched::watch(&*anchor).is(dir));
    drop(guard);
    if concerned {
        drop(ANCHOR.clear());
    }
}
