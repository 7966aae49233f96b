// SPDX-License-Identifier: GPL-2.0-only

//! Users of digest caches, and who is told about them.
//!
//! The inode is a real one, the root directory's, which is both what the cache is made from and its
//! user. What is told goes through the chain, by the work queue, as tests run in a kernel thread.

use core::ffi::c_void;
use kernel::{
    bindings,
    ffi::{c_int, c_ulong},
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        rcu,
    },
    types::Opaque,
};

use super::lifecycle::{empty, get, with_inode};
use crate::{
    blob::{self, Watched},
    cache::DigestCache,
    notifier,
    rcuref::RcuRef,
    reset,
    stats::Reason,
    users,
    vfs::Inode,
};

/// Number of calls for the inode that is tested, and the number of the cache in the last one.
static CALLS: Atomic<i32> = Atomic::new(0);
static LAST: Atomic<u64> = Atomic::new(0);

struct Block(Opaque<bindings::notifier_block>);

// SAFETY: The chain has locks of its own.
unsafe impl Sync for Block {}

static BLOCK: Block = Block(Opaque::uninit());

/// # Safety
///
/// Only to be called by the chain.
unsafe extern "C" fn called(
    _nb: *mut bindings::notifier_block,
    event: c_ulong,
    data: *mut c_void,
) -> c_int {
    // SAFETY: The data of the event are of this type, and the cache is valid during the call.
    let id = unsafe {
        let data = &*data.cast::<bindings::digest_cache_event_data>();
        crate::capi::digest_cache_id(data.digest_cache)
    };
    if event == bindings::digest_cache_event_DIGEST_CACHE_RESET as usize {
        LAST.store(id, Relaxed);
        CALLS.fetch_add(1, Relaxed);
    }
    0
}

/// How often the subscriber was called, after all that was to be told by now was told.
fn calls() -> i32 {
    // SAFETY: The queue is there for ever.
    unsafe { bindings::__flush_workqueue(bindings::system_dfl_wq) };
    CALLS.load(Relaxed)
}

/// Runs a test with a subscriber.
fn subscribed(f: impl FnOnce(&Inode)) {
    with_inode(|inode| {
        users::leave(inode);
        CALLS.store(0, Relaxed);
        // SAFETY: The block is static and not registered.
        let error = unsafe {
            BLOCK.0.get().write(bindings::notifier_block {
                notifier_call: Some(called),
                next: core::ptr::null_mut(),
                priority: 0,
            });
            notifier::register(BLOCK.0.get())
        };
        assert_eq_i32(error, 0);
        f(inode);
        // SAFETY: The block was registered above.
        let error = unsafe { notifier::unregister(BLOCK.0.get()) };
        assert_eq_i32(error, 0);
        users::leave(inode);
    });
}

fn assert_eq_i32(a: i32, b: i32) {
    kernel::warn_on!(a != b);
}

/// A loaded cache of which `inode` is a user, and that is made from it.
fn used(inode: &Inode) -> Option<RcuRef<DigestCache>> {
    let loads = Atomic::new(0);
    let cache = get(inode, c"tlv-a", &loads, empty).ok()?;
    users::assign(inode, &cache, || true).ok()?;
    Some(cache)
}

/// Whether `inode` is a user of `cache`.
fn is_user(inode: &Inode, cache: &RcuRef<DigestCache>) -> bool {
    let guard = rcu::read_lock();
    blob::of_inode(inode)
        .and_then(|blob| blob.user.peek(&guard))
        .is_some_and(|peek| RcuRef::is(cache, &peek))
}

#[kunit_tests(digest_cache_users)]
mod tests {
    use super::*;

    #[test]
    fn told_once_when_it_is_reset() {
        let mut seen = false;
        subscribed(|inode| {
            let cache = used(inode);
            assert!(cache.is_some());
            if let Some(cache) = cache {
                assert!(is_user(inode, &cache));
                assert_eq!(cache.users.len(), 1);
                // Being a user again changes nothing.
                assert!(users::assign(inode, &cache, || true).is_ok());
                assert_eq!(cache.users.len(), 1);
                assert_eq!(calls(), 0);
                reset::source_changed(inode, Reason::Write);
                assert_eq!(calls(), 1);
                assert_eq!(LAST.load(Relaxed), cache.id());
                assert!(!is_user(inode, &cache));
                assert_eq!(cache.users.len(), 0);
                // Nobody becomes a user of what was reset.
                assert!(users::assign(inode, &cache, || true).is_ok());
                assert!(!is_user(inode, &cache));
                reset::source_changed(inode, Reason::Write);
                assert_eq!(calls(), 1);
            }
            seen = true;
        });
        // Without this, nothing was tested.
        assert!(seen);
    }

    #[test]
    fn told_when_it_has_another_list() {
        subscribed(|inode| {
            let cache = used(inode);
            assert!(cache.is_some());
            if let Some(cache) = cache {
                users::dismiss(inode, Reason::Attribute);
                assert!(!is_user(inode, &cache));
                assert_eq!(calls(), 1);
                assert_eq!(LAST.load(Relaxed), cache.id());
                // The cache itself is as good as before.
                assert!(cache.watch().is_armed());
                users::dismiss(inode, Reason::Attribute);
                assert_eq!(calls(), 1);
            }
        });
    }

    #[test]
    fn not_a_user_if_it_changed_meanwhile() {
        subscribed(|inode| {
            let loads = Atomic::new(0);
            let cache = get(inode, c"tlv-a", &loads, empty).ok();
            assert!(cache.is_some());
            if let Some(cache) = cache {
                assert!(users::assign(inode, &cache, || false).is_ok());
                assert!(!is_user(inode, &cache));
                assert_eq!(cache.users.len(), 0);
            }
        });
    }

    #[test]
    fn what_is_freed_is_not_told() {
        subscribed(|inode| {
            let cache = used(inode);
            assert!(cache.is_some());
            if let Some(cache) = cache {
                users::leave(inode);
                assert_eq!(cache.users.len(), 0);
                reset::source_changed(inode, Reason::Write);
                assert_eq!(calls(), 0);
            }
        });
    }

    #[test]
    fn a_new_cache_takes_the_place() {
        subscribed(|inode| {
            let first = used(inode);
            reset::source_changed(inode, Reason::Write);
            assert_eq!(calls(), 1);
            let second = used(inode);
            assert!(first.is_some() && second.is_some());
            if let (Some(first), Some(second)) = (first, second) {
                assert!(!is_user(inode, &first) && is_user(inode, &second));
                reset::everything(Reason::Moved);
                assert_eq!(calls(), 2);
                assert_eq!(LAST.load(Relaxed), second.id());
            }
        });
    }
}
