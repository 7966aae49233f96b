// SPDX-License-Identifier: GPL-2.0-only

//! The inodes that use a digest cache.
//!
//! An inode becomes a user of the digest cache that [`crate::resolve::get`] returns for it, and is
//! one until the cache is reset and subscribers were told about the inode, the inode gets another
//! digest cache, or it is evicted. The list of the users of a cache runs through the blobs of the
//! inodes: nothing is allocated for membership.
//!
//! # Invariants
//!
//! - The `cache` slot of an inode's [`Membership`] holds a cache if and only if the inode is in the
//!   list of that cache's [`Users`]. Both change together, with the lock of that list held.
//! - An inode in a list is alive: [`leave`] takes it out before it is freed.
//!
//! # Locking
//!
//! Each list has a spinlock, of which only one is held at a time. Inside it nests `i_lock`, and
//! nothing else of ours. Reading the slot takes no lock.

use core::{cell::UnsafeCell, ptr::null_mut};
use kernel::{
    bindings, new_spinlock,
    prelude::*,
    sync::{rcu, SpinLock},
};

use crate::{
    blob::{self, PinnedInode, Watched},
    cache::DigestCache,
    notifier,
    rcuref::{Peek, RcuRef, Slot},
    stats::{self, Counter, Reason},
    vfs::Inode,
};

/// The part of an inode's blob that makes it a user. Valid, and no user, when all bytes are zero.
#[repr(C)]
pub(crate) struct Membership {
    cache: Slot<DigestCache>,
    /// The neighbours in the list, protected by the lock of the list that the inode is in.
    next: UnsafeCell<*mut bindings::inode>,
    prev: UnsafeCell<*mut bindings::inode>,
}

// SAFETY: The slot may be sent and shared, the pointers are protected by a lock.
unsafe impl Send for Membership {}

// SAFETY: As above.
unsafe impl Sync for Membership {}

impl Membership {
    /// The cache that the inode uses.
    pub(crate) fn peek<'g>(&self, guard: &'g rcu::Guard) -> Option<Peek<'g, DigestCache>> {
        self.cache.peek(guard)
    }
}

/// The first of the users, and how many they are.
struct List {
    first: *mut bindings::inode,
    len: u32,
}

// SAFETY: Only the address of an inode, which is used with the lock held.
unsafe impl Send for List {}

/// The users of a digest cache.
#[pin_data]
pub(crate) struct Users {
    #[pin]
    list: SpinLock<List>,
}

impl Users {
    /// No users.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            list <- new_spinlock!(List { first: null_mut(), len: 0 }, "digest_cache_users"),
        })
    }

    /// The number of users.
    pub(crate) fn len(&self) -> u32 {
        self.list.lock().len
    }
}

impl List {
    /// The membership of an inode that is in this list.
    ///
    /// # Safety
    ///
    /// `inode` is alive, and the lock of the list held, during `'a`.
    unsafe fn member<'a>(inode: *mut bindings::inode) -> Option<&'a Membership> {
        // SAFETY: By the contract of this function.
        let blob = blob::of_inode(unsafe { Inode::from_raw(inode) })?;
        Some(&blob.user)
    }

    /// Puts an inode into the list.
    ///
    /// # Safety
    ///
    /// This is the list of the cache that was just put into the slot of `member`, which belongs to
    /// `inode`.
    unsafe fn link(&mut self, inode: &Inode, member: &Membership) {
        // SAFETY: The list's lock, by which `self` is borrowed, protects the links of all in it,
        // who are alive.
        unsafe {
            *member.next.get() = self.first;
            *member.prev.get() = null_mut();
            if !self.first.is_null() {
                if let Some(first) = Self::member(self.first) {
                    *first.prev.get() = inode.as_ptr();
                }
            }
        }
        self.first = inode.as_ptr();
        self.len = self.len.saturating_add(1);
    }

    /// Takes an inode out of the list.
    ///
    /// # Safety
    ///
    /// This is the list of the cache that was just taken out of the slot of `member`.
    unsafe fn unlink(&mut self, member: &Membership) {
        // SAFETY: As in `link`.
        unsafe {
            let (next, prev) = (*member.next.get(), *member.prev.get());
            if !next.is_null() {
                if let Some(next) = Self::member(next) {
                    *next.prev.get() = prev;
                }
            }
            if prev.is_null() {
                self.first = next;
            } else if let Some(prev) = Self::member(prev) {
                *prev.next.get() = next;
            }
        }
        self.len = self.len.saturating_sub(1);
    }
}

/// Makes `inode` a user of `cache`, if `cache` has not been reset and `still` says so. Tells
/// whether that was prevented by its being a user of another one.
fn join(
    cache: &RcuRef<DigestCache>,
    inode: &Inode,
    member: &Membership,
    still: impl FnOnce() -> bool,
) -> bool {
    let mut list = cache.users.list.lock();
    // A cache that is reset is disarmed before its users are told: whoever joins before that is
    // told, too, and nobody joins after it.
    if !cache.watch().is_armed() {
        return false;
    }
    // Under the lock, so that who takes the lock after the answer of `still` has become another
    // finds the inode to be a user, if it is going to be one: see `settle`.
    let joined = inode
        .with_lock(|| still().then(|| member.cache.replace(None, Some(cache.clone())).is_ok()));
    if joined == Some(true) {
        // SAFETY: The slot was just filled, with the list's lock held.
        unsafe { list.link(inode, member) };
    }
    joined == Some(false)
}

/// When this returns, nobody makes `inode` a user on the grounds of what [`assign`]'s `still` said
/// before.
pub(crate) fn settle(inode: &Inode) {
    inode.with_lock(|| ());
}

/// Takes `inode` out of the users of `cache`, if it is one.
fn part(cache: &RcuRef<DigestCache>, member: &Membership) -> bool {
    let mut list = cache.users.list.lock();
    let Ok(taken) = member.cache.replace(Some(cache), None) else {
        return false;
    };
    // SAFETY: The slot was just emptied, with the lock held.
    unsafe { list.unlink(member) };
    drop(list);
    drop(taken);
    true
}

/// Takes one of the users out of the list, and keeps it in memory. Does not sleep.
pub(crate) fn take_first(cache: &RcuRef<DigestCache>) -> Option<PinnedInode> {
    loop {
        let mut list = cache.users.list.lock();
        let first = list.first;
        if first.is_null() {
            return None;
        }
        // SAFETY: An inode in the list is alive until it is taken out, for which the lock is
        // needed.
        let inode = unsafe { Inode::from_raw(first) };
        // SAFETY: As above.
        let Some(member) = (unsafe { List::member(first) }) else {
            // By the invariants this does not happen: an inode without a blob was never put here.
            kernel::warn_on!(true);
            return None;
        };
        let taken = member.cache.replace(Some(cache), None);
        // SAFETY: The slot was just emptied, with the lock held.
        unsafe { list.unlink(member) };
        let pinned = blob::pin(inode);
        drop(list);
        drop(taken);
        // Of an inode that is about to be freed, no decision can be left.
        if pinned.is_some() {
            return pinned;
        }
    }
}

/// To be called before `inode` is freed.
pub(crate) fn leave(inode: &Inode) {
    let Some(blob) = blob::of_inode(inode) else {
        return;
    };
    while let Some(cache) = blob.user.cache.get() {
        part(&cache, &blob.user);
    }
}

/// What was decided about `inode` with the cache that it uses is void, for a reason that concerns
/// only this inode: takes it out and has subscribers told. May sleep.
pub(crate) fn dismiss(inode: &Inode, reason: Reason) {
    let Some(blob) = blob::of_inode(inode) else {
        return;
    };
    if let Some(cache) = blob.user.cache.get() {
        dismiss_from(&cache, inode, &blob.user, reason);
    }
}

/// As [`dismiss`], if `inode` uses `cache`. Tells whether it does not use it any more.
fn dismiss_from(
    cache: &RcuRef<DigestCache>,
    inode: &Inode,
    member: &Membership,
    reason: Reason,
) -> bool {
    let Ok(departure) = notifier::Departure::reserve() else {
        // Without memory for one, tell all, if that is not going to be done anyway.
        blob::void(cache, reason);
        return false;
    };
    if part(cache, member) {
        stats::count(Counter::Departures);
        if let Some(inode) = blob::pin(inode) {
            notifier::Departure::announce(departure, cache.clone(), inode);
        }
    }
    true
}

/// Makes `inode` a user of `cache`, for which it may have to leave another one. `still` is to tell
/// whether it should, and is asked with spinlocks held. May sleep.
///
/// # Errors
///
/// `ENOMEM` if it cannot leave, `EAGAIN` if another task has made it a user of another one: it
/// would not be told about `cache`, which must not be used for it.
pub(crate) fn assign(
    inode: &Inode,
    cache: &RcuRef<DigestCache>,
    still: impl FnOnce() -> bool,
) -> Result {
    let Some(blob) = blob::of_inode(inode) else {
        return Ok(());
    };
    if let Some(present) = blob.user.cache.get() {
        if RcuRef::same(&present, cache) {
            return Ok(());
        }
        if !cache.watch().is_armed() {
            // Something newer may be there already.
            return Ok(());
        }
        if !present.reflects_inode(&rcu::read_lock()) || present.name() == cache.name() {
            // All its users are concerned: it is not what it was, or its name leads elsewhere.
            blob::void(&present, Reason::Changed);
        }
        // This one is told by itself, so that it can be a user of the new one at once.
        if !dismiss_from(&present, inode, &blob.user, Reason::Changed) {
            return Err(ENOMEM);
        }
    }
    if join(cache, inode, &blob.user, still) {
        return Err(EAGAIN);
    }
    Ok(())
}
