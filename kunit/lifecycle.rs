// SPDX-License-Identifier: GPL-2.0-only

//! The life cycle of digest caches in the blob of a real inode: the root directory's.
//!
//! What the cache is loaded from is made up by each test; publishing, finding, failing, resetting
//! and dropping are the real thing.

use kernel::{
    prelude::*,
    str::CStr,
    sync::{
        atomic::{Atomic, Relaxed},
        rcu,
    },
};

use crate::{
    blob::{self, Watched},
    cache::{obtain, Content, DigestCache, LoadError},
    parsers::{algo::HashAlgo, Format, List},
    rcuref::RcuRef,
    reset, resolve,
    stats::Reason,
    table::Tables,
    vfs::{Inode, Path},
};

/// An empty list, as content.
pub(super) fn empty() -> Result<Content, LoadError> {
    let header = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let list = List::parse(Format::Rpm, &header).map_err(|_| LoadError::Bad(EBADMSG))?;
    Ok(Content::List(
        Tables::build(&list).map_err(LoadError::Passing)?,
    ))
}

/// Obtains the cache of `inode` with a loader that counts its calls in `loads`.
pub(super) fn get(
    inode: &Inode,
    name: &CStr,
    loads: &Atomic<i32>,
    result: impl Fn() -> Result<Content, LoadError>,
) -> Result<RcuRef<DigestCache>> {
    obtain(
        inode,
        name,
        || Ok(inode.cookie()),
        |cache| Ok(cache.name() == name),
        |_| {
            loads.fetch_add(1, Relaxed);
            result()
        },
    )
}

/// Runs a test on an inode whose blob is clean before and after.
pub(super) fn with_inode(f: impl FnOnce(&Inode)) {
    let Ok((path, _)) = Path::lookup(c"/") else {
        return;
    };
    if let Ok(inode) = path.inode() {
        reset::source_changed(inode, Reason::Write);
        f(inode);
        reset::source_changed(inode, Reason::Write);
    }
}

#[kunit_tests(digest_cache_lifecycle)]
mod tests {
    use super::*;

    #[test]
    fn the_inode_has_a_blob() {
        let mut seen = false;
        with_inode(|inode| seen = blob::of_inode(inode).is_some());
        // Without this, the other tests would test nothing.
        assert!(seen);
    }

    #[test]
    fn loaded_once_and_found_again() {
        let loads = Atomic::new(0);
        with_inode(|inode| {
            let first = get(inode, c"tlv-a", &loads, empty).ok();
            let second = get(inode, c"tlv-a", &loads, empty).ok();
            assert!(first.is_some() && second.is_some());
            if let (Some(first), Some(second)) = (first, second) {
                assert!(RcuRef::same(&first, &second));
                assert!(first.watch().is_armed());
                assert!(first.reflects_inode(&rcu::read_lock()));
                assert!(!first.contains(HashAlgo::Sha256, &[0; 32]));
            }
        });
        assert_eq!(loads.load(Relaxed), 1);
    }

    #[test]
    fn a_reset_makes_it_stale_and_the_next_is_new() {
        let loads = Atomic::new(0);
        with_inode(|inode| {
            let first = get(inode, c"tlv-a", &loads, empty).ok();
            reset::source_changed(inode, Reason::Write);
            assert!(first.as_ref().is_some_and(|c| !c.watch().is_armed()));
            assert!(first
                .as_ref()
                .is_some_and(|c| !c.reflects_inode(&rcu::read_lock())));
            let second = get(inode, c"tlv-a", &loads, empty).ok();
            assert!(second.as_ref().is_some_and(|c| c.watch().is_armed()));
            // The holder of a stale cache keeps valid memory, and numbers are not used again.
            let ids = (first.map(|c| c.id()), second.map(|c| c.id()));
            assert!(ids.0.is_some() && ids.1.is_some() && ids.0 != ids.1);
        });
        assert_eq!(loads.load(Relaxed), 2);
    }

    #[test]
    fn another_name_is_another_cache() {
        let loads = Atomic::new(0);
        with_inode(|inode| {
            let first = get(inode, c"tlv-a", &loads, empty).ok();
            let second = get(inode, c"tlv-b", &loads, empty).ok();
            assert!(first.is_some_and(|c| !c.watch().is_armed()));
            assert!(second.is_some_and(|c| c.name() == c"tlv-b"));
        });
        assert_eq!(loads.load(Relaxed), 2);
    }

    #[test]
    fn bad_content_is_remembered_until_a_reset() {
        let loads = Atomic::new(0);
        with_inode(|inode| {
            for _ in 0..3 {
                let cache = get(inode, c"tlv-a", &loads, || Err(LoadError::Bad(EBADMSG)));
                assert!(cache.is_ok_and(|c| c.content().is_none()));
            }
            assert_eq!(loads.load(Relaxed), 1);
            reset::source_changed(inode, Reason::Write);
            let cache = get(inode, c"tlv-a", &loads, empty);
            assert!(cache.is_ok_and(|c| c.content().is_some()));
        });
        assert_eq!(loads.load(Relaxed), 2);
    }

    #[test]
    fn a_passing_failure_is_not_remembered() {
        let loads = Atomic::new(0);
        with_inode(|inode| {
            for e in [ENOMEM, ETXTBSY, EINTR] {
                let cache = get(inode, c"tlv-a", &loads, || Err(LoadError::Passing(e)));
                assert!(cache.is_err_and(|got| got == e));
                assert!(blob::of_inode(inode).is_some_and(|b| b.owner.is_empty()));
            }
            assert!(get(inode, c"tlv-a", &loads, empty).is_ok());
        });
        assert_eq!(loads.load(Relaxed), 4);
    }

    #[test]
    fn another_epoch_loads_again() {
        let loads = Atomic::new(0);
        with_inode(|inode| {
            let first = get(inode, c"tlv-a", &loads, empty).ok();
            assert!(first.is_some());
            let path = resolve::default_path().ok();
            assert!(
                path.is_some_and(|p| { resolve::set_default_path(p.as_cstr().to_bytes()).is_ok() })
            );
            assert!(get(inode, c"tlv-a", &loads, empty).is_ok());
            assert!(first.is_some_and(|c| !c.watch().is_armed()));
        });
        assert_eq!(loads.load(Relaxed), 2);
    }

    #[test]
    fn who_loads_does_not_wait_for_itself() {
        let loads = Atomic::new(0);
        with_inode(|inode| {
            let cache = get(inode, c"tlv-a", &loads, || {
                let nested = get(inode, c"tlv-a", &loads, empty);
                assert!(nested.is_err_and(|e| e == EDEADLK));
                empty()
            });
            assert!(cache.is_ok_and(|c| c.content().is_some()));
        });
        assert_eq!(loads.load(Relaxed), 1);
    }

    #[test]
    fn a_reset_while_loading_is_not_lost() {
        let loads = Atomic::new(0);
        with_inode(|inode| {
            let cache = get(inode, c"tlv-a", &loads, || {
                reset::source_changed(inode, Reason::Write);
                empty()
            });
            // What was read may be what was before: it answers nothing.
            assert!(cache.is_ok_and(|c| !c.reflects_inode(&rcu::read_lock())));
        });
    }

    #[test]
    fn verification_data() {
        let loads = Atomic::new(0);
        with_inode(|inode| {
            let cache = get(inode, c"tlv-a", &loads, empty).ok();
            assert!(cache.is_some());
            if let Some(cache) = cache {
                let data = &cache.verification;
                assert!(data.get(b"ima").is_none());
                assert!(data.set(b"ima", b"verdict").is_ok());
                assert!(data.set(b"ima", b"other") == Err(EEXIST));
                assert!(data.set(b"ipe", b"").is_ok());
                assert_eq!(data.get(b"ima"), Some(&b"verdict"[..]));
                assert_eq!(data.get(b"ipe"), Some(&b""[..]));
                assert!(data.set(b"", b"x") == Err(EINVAL));
                assert!(data.set(b"big", &[0; 4097]) == Err(E2BIG));
                for n in 2u8..16 {
                    assert!(data.set(&[n], b"x").is_ok());
                }
                assert!(data.set(b"one too many", b"x") == Err(ENOSPC));
            }
        });
    }
}
