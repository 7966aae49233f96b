// SPDX-License-Identifier: GPL-2.0-only

//! The security blobs: what hangs on each inode, open file and superblock of the system.
//!
//! An inode has a slot `owner`, the digest cache made *from* the inode (a digest list or the
//! directory of digest lists), and a membership `user`, the digest cache to be *used for* the inode
//! (a file that is verified). A file has one slot: for a digest list, or the directory of digest
//! lists, that the digest cache itself opened, the digest cache that is being loaded from it. A
//! superblock has the number of its inodes that the digest cache keeps in memory.
//!
//! The blobs are valid when all their bytes are zero, which they are when the LSM framework
//! allocates them: there is nothing to initialise and nothing that can fail.
//!
//! # Watches
//!
//! Objects made from an inode want to look at that inode later without keeping it from being
//! evicted, which would keep its file system from being unmounted. A [`Watch`] is the address of
//! an inode and a flag, `armed`; while it is armed, the inode may be looked at under RCU.
//!
//! # Pins
//!
//! Subscribers are called with the inode in memory. [`pin`] sees to that, and to its superblock
//! staying as long: an unmount waits in [`superblock_deleted`] until they have returned.
//!
//! # Invariants
//!
//! - A watch is armed only in [`WatchedSlot::publish`], by a caller that borrows the inode.
//! - An object whose watch is armed is in a [`WatchedSlot`] that [`inode_freed`] looks at when the
//!   inode goes away (or is about to be, the inode still being borrowed).
//! - A watch is disarmed before its object leaves the slot, or while the inode is borrowed; and it
//!   is never armed again.
//! - Whoever disarms a watch that was armed calls [`Watched::retired`], once, unless nobody can
//!   have used the object.
//!
//! From these follows what [`Watch::matches`] needs: who finds a watch armed inside a read-side
//! critical section did so before [`inode_freed`] ran for the inode, because that either disarms
//! the watch or finds it disarmed, and so before the grace period began after which the inode's
//! memory is freed.

use core::{mem::size_of, ops::Deref, ptr::NonNull};
use kernel::{
    bindings,
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        rcu,
    },
    types::Opaque,
};

use crate::{
    cache::DigestCache,
    lsm::{self, BlobSizes},
    notifier,
    rcuref::{Object, Peek, RcuRef, Slot},
    resolve::{self, Anchor},
    stats::Reason,
    users::{self, Membership},
    vfs::{Cookie, File, Inode, InodePtr, InodeRef, SuperBlock},
    word::read_once,
    DigestCacheLsm,
};

/// What the LSM framework is asked to reserve.
pub(crate) const SIZES: BlobSizes = BlobSizes {
    inode: size_of::<InodeBlob>() as u32,
    file: size_of::<FileBlob>() as u32,
    superblock: size_of::<SuperBlockBlob>() as u32,
};

/// The part of an inode's security blob that is ours: 32 bytes for each inode of the system.
#[repr(C)]
pub(crate) struct InodeBlob {
    /// The digest cache made from this inode.
    pub(crate) owner: WatchedSlot<DigestCache>,
    /// The digest cache to be used for this inode.
    pub(crate) user: Membership,
}

/// The part of a file's security blob that is ours.
#[repr(C)]
struct FileBlob {
    /// The digest cache being loaded from this file.
    loading: Slot<DigestCache>,
}

/// The part of a superblock's security blob that is ours.
#[repr(C)]
struct SuperBlockBlob {
    /// How many of its inodes are [pinned](pin).
    pins: Opaque<bindings::atomic_long_t>,
}

kernel::static_assert!(size_of::<InodeBlob>() == 4 * size_of::<*const ()>());
kernel::static_assert!(size_of::<FileBlob>() == size_of::<*const ()>());
kernel::static_assert!(size_of::<SuperBlockBlob>() == size_of::<*const ()>());

/// The anchor of the default path (see [`crate::resolve`]).
pub(crate) static ANCHOR: WatchedSlot<Anchor> = WatchedSlot(Slot::new());

/// Our part of `inode`'s blob; none if the LSM is not active.
pub(crate) fn of_inode(inode: &Inode) -> Option<&InodeBlob> {
    let blob = lsm::inode_blob::<DigestCacheLsm>(inode)?;
    // SAFETY: The framework reserved `SIZES.inode` bytes, pointer-aligned and zeroed, which makes a
    // valid `InodeBlob`; it is only accessed through this type and lives as long as the inode.
    Some(unsafe { blob.cast::<InodeBlob>().as_ref() })
}

fn of_file(file: &File) -> Option<&FileBlob> {
    let blob = lsm::file_blob::<DigestCacheLsm>(file)?;
    // SAFETY: As above, with `SIZES.file` and `FileBlob`.
    Some(unsafe { blob.cast::<FileBlob>().as_ref() })
}

/// The digest cache that is being loaded from `file`, if we opened the file for that.
pub(crate) fn loading(file: &File) -> Option<RcuRef<DigestCache>> {
    of_file(file)?.loading.get()
}

/// Whether the digest cache opened `file` itself.
pub(crate) fn is_ours(file: &File) -> bool {
    of_file(file).is_some_and(|blob| !blob.loading.is_empty())
}

/// Marks `file` as opened by us to load `cache`, for as long as the result lives.
pub(crate) fn mark_loading<'a>(file: &'a File, cache: &RcuRef<DigestCache>) -> LoadingMark<'a> {
    let blob = of_file(file);
    if let Some(blob) = blob {
        drop(blob.loading.swap(Some(cache.clone())));
    }
    LoadingMark(blob)
}

/// See [`mark_loading`].
pub(crate) struct LoadingMark<'a>(Option<&'a FileBlob>);

impl Drop for LoadingMark<'_> {
    fn drop(&mut self) {
        if let Some(blob) = self.0 {
            drop(blob.loading.swap(None));
        }
    }
}

/// To be called when `inode` is about to be freed: drops what its blob holds and disarms whatever
/// watches it.
pub(crate) fn inode_freed(inode: &Inode) {
    let Some(blob) = of_inode(inode) else {
        return;
    };
    users::leave(inode);
    if blob.owner.clear(Reason::Evicted) {
        // A list that is forgotten may change without anybody noticing: decisions that came about
        // through the directory that it is in are to be made anew, too.
        void_directory(Reason::Evicted);
    }
    let guard = rcu::read_lock();
    let is_anchor = ANCHOR.peek(&guard).is_some_and(|a| a.watch().is(inode));
    drop(guard);
    if is_anchor {
        ANCHOR.clear(Reason::Evicted);
    }
    resolve::root_freed(inode);
}

/// Resets `cache`, if it was not, whatever it was made from.
pub(crate) fn void(cache: &RcuRef<DigestCache>, reason: Reason) {
    let guard = rcu::read_lock();
    let inode = cache.watch().inode(&guard);
    if let Some(blob) = inode.and_then(of_inode) {
        blob.owner.clear_if(cache, reason);
    }
}

/// Resets the cache of the directory that the default path leads to.
pub(crate) fn void_directory(reason: Reason) {
    let guard = rcu::read_lock();
    let anchor = ANCHOR.peek(&guard);
    let inode = anchor.as_ref().and_then(|a| a.watch().inode(&guard));
    if let Some(blob) = inode.filter(|inode| inode.is_dir()).and_then(of_inode) {
        blob.owner.clear(reason);
    }
}

/// The count of a superblock; none if the LSM is not active.
fn pins(superblock: &SuperBlock) -> Option<NonNull<bindings::atomic_long_t>> {
    // The framework reserved `SIZES.superblock` bytes, pointer-aligned and zeroed, which makes a
    // valid `SuperBlockBlob`; its only field is at its beginning.
    lsm::superblock_blob::<DigestCacheLsm>(superblock).map(NonNull::cast)
}

/// One of the pins of a superblock, which stays as long as it has any.
struct Pin(NonNull<bindings::atomic_long_t>);

// SAFETY: The count may be changed from any task.
unsafe impl Send for Pin {}

impl Pin {
    fn new(superblock: &SuperBlock) -> Option<Self> {
        let pins = pins(superblock)?;
        // SAFETY: The count is in the blob of the superblock, which is alive.
        unsafe { bindings::digest_cache_pin(pins.as_ptr()) };
        Some(Self(pins))
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        // SAFETY: The count is not zero, as this pin is in it, so the superblock is still there.
        unsafe { bindings::digest_cache_unpin(self.0.as_ptr()) };
    }
}

/// An inode that stays in memory, and keeps its file system from being shut down completely.
///
/// Dropping it may sleep.
pub(crate) struct PinnedInode {
    // In this order: the superblock stays until its inode was given back.
    inode: InodeRef,
    _pin: Pin,
}

/// Keeps `inode` in memory, unless it is about to be freed. Does not sleep; takes `i_lock`.
pub(crate) fn pin(inode: &Inode) -> Option<PinnedInode> {
    // In this order: who shuts the superblock down looks for references first, then at the count.
    let pin = Pin::new(inode.superblock())?;
    let inode = InodeRef::grab(inode)?;
    Some(PinnedInode { inode, _pin: pin })
}

impl Deref for PinnedInode {
    type Target = Inode;

    fn deref(&self) -> &Inode {
        &self.inode
    }
}

/// To be called when a superblock is shut down, after its inodes have been evicted but for those
/// that are pinned: waits for them. May sleep.
pub(crate) fn superblock_deleted(superblock: &SuperBlock) {
    // What waits to be told may wait for this very task.
    notifier::tell_about(superblock);
    if let Some(pins) = pins(superblock) {
        // SAFETY: The count is in the blob of the superblock, which stays during the call.
        unsafe { bindings::digest_cache_wait_unpinned(pins.as_ptr()) };
    }
}

/// The address of an inode that may be looked at while the watch is armed; see the module's
/// documentation.
pub(crate) struct Watch {
    inode: InodePtr,
    /// [`NEW`], then [`ARMED`], then [`DEAD`]; never back.
    state: Atomic<u32>,
}

const NEW: u32 = 0;
const ARMED: u32 = 1;
const DEAD: u32 = 2;

impl Watch {
    /// A watch for `inode`, not armed yet.
    pub(crate) fn new(inode: &Inode) -> Self {
        Self {
            inode: InodePtr::new(inode),
            state: Atomic::new(NEW),
        }
    }

    /// Whether this watches `inode`.
    pub(crate) fn is(&self, inode: &Inode) -> bool {
        self.inode.is(inode)
    }

    /// Whether the object is in its slot, and the inode alive.
    pub(crate) fn is_armed(&self) -> bool {
        // Nothing has to be ordered: that the inode is there follows from RCU alone, and what it
        // looks like is read from it each time.
        read_once(&self.state) == ARMED
    }

    /// Whether the watch is armed and the inode still is what it was when `cookie` was taken, from
    /// that very inode.
    pub(crate) fn matches(&self, cookie: &Cookie, guard: &rcu::Guard) -> bool {
        // SAFETY: If the watch is armed after `guard`'s section began, the inode had not been
        // freed by then (invariants of the module). Objects have the cookie of the inode that they
        // watch.
        self.is_armed() && unsafe { self.inode.get(guard).matches(cookie, guard) }
    }

    /// The inode, if the watch is armed.
    pub(crate) fn inode<'g>(&self, guard: &'g rcu::Guard) -> Option<&'g Inode> {
        // SAFETY: As in `matches`.
        self.is_armed().then(|| unsafe { self.inode.get(guard) })
    }

    /// Disarms the watch for good; tells whether it was armed.
    fn disarm(&self) -> bool {
        self.state.xchg(DEAD, Full) == ARMED
    }
}

/// What has a watch on the inode that it was made from.
pub(crate) trait Watched: Object {
    /// The watch.
    fn watch(&self) -> &Watch;

    /// Runs once for an object that was published, when it is disarmed. Must not sleep.
    fn retired(this: &RcuRef<Self>, reason: Reason);
}

/// Disarms the watch of `object`.
fn retire<T: Watched>(object: &RcuRef<T>, reason: Reason) {
    if object.watch().disarm() {
        T::retired(object, reason);
    }
}

/// A [`Slot`] for objects that watch an inode, which keeps the invariants of the module.
#[repr(transparent)]
pub(crate) struct WatchedSlot<T: Object>(Slot<T>);

impl<T: Watched> WatchedSlot<T> {
    /// See [`Slot::peek`].
    pub(crate) fn peek<'g>(&self, guard: &'g rcu::Guard) -> Option<Peek<'g, T>> {
        self.0.peek(guard)
    }

    /// See [`Slot::get`].
    pub(crate) fn get(&self) -> Option<RcuRef<T>> {
        self.0.get()
    }

    /// See [`Slot::is_empty`].
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts `new`, which must watch `inode` and never have been in a slot, where `old` is.
    ///
    /// Fails, and leaves the slot as it is, if it does not hold `old` any more. `old` is disarmed
    /// either way, for `reason`, and `new`, too, if this fails: an object gets one chance.
    pub(crate) fn publish(
        &self,
        inode: &Inode,
        old: Option<&RcuRef<T>>,
        new: &RcuRef<T>,
        reason: Reason,
    ) -> Result<(), Superseded> {
        let watch = new.watch();
        if !watch.is(inode) || watch.state.cmpxchg(NEW, ARMED, Relaxed).is_err() {
            return Err(Superseded);
        }
        // `old` may watch another inode than `inode`, so disarm it before it leaves the slot. If
        // the exchange fails it has left already, disarmed.
        if let Some(old) = old {
            retire(old, reason);
        }
        match self.0.replace(old, Some(new.clone())) {
            Ok(_) => Ok(()),
            Err(_) => {
                // Nobody has seen it.
                watch.disarm();
                Err(Superseded)
            }
        }
    }

    /// Empties the slot and disarms what was in it; tells whether there was something.
    pub(crate) fn clear(&self, reason: Reason) -> bool {
        while let Some(current) = self.0.get() {
            // First disarm, then take out: see the module's documentation.
            retire(&current, reason);
            if self.0.replace(Some(&current), None).is_ok() {
                return true;
            }
        }
        false
    }

    /// As [`WatchedSlot::clear`], if the slot holds `object`, which is disarmed either way.
    pub(crate) fn clear_if(&self, object: &RcuRef<T>, reason: Reason) {
        retire(object, reason);
        drop(self.0.replace(Some(object), None));
    }

    /// Takes out `object`, which nobody has used yet.
    pub(crate) fn withdraw(&self, object: &RcuRef<T>) {
        object.watch().disarm();
        drop(self.0.replace(Some(object), None));
    }
}

/// The slot holds something else by now.
pub(crate) struct Superseded;
