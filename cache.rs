// SPDX-License-Identifier: GPL-2.0-only

//! The digest cache: its life cycle, and the questions that it answers.
//!
//! A [`DigestCache`] is made from one inode, a digest list or a directory of digest lists, by
//! [`obtain`]: published in the inode's owner slot first, loaded by whoever published it, and
//! waited for by everybody else. It never changes once it is loaded. When the inode changes or
//! goes away, the cache is *reset*: taken out of the slot, stale from then on, and replaced by a
//! new one when somebody asks again.
//!
//! ```text
//!   new --publish--> loading --+--> ready ---------------+--reset--> stale
//!                              +--> failed (bad content) +
//!                              +--> failed in passing: stale at once
//! ```
//!
//! # Locking
//!
//! None. Slots are exchanged atomically, exclusivity of loading comes from having published the
//! cache, waiters sleep on its completion. Nothing is held while a list is read, parsed or
//! verified by a provider.

use kernel::{
    prelude::*,
    str::{CStr, CString},
    sync::{
        atomic::{Acquire, Atomic, Relaxed, Release},
        rcu, SetOnce,
    },
};

use crate::{
    blob::{self, Watch, Watched, ANCHOR},
    dir::Directory,
    parsers::algo::HashAlgo,
    rcuref::RcuRef,
    resolve::{epoch, Anchor},
    table::Tables,
    verif::Verification,
    vfs::{Cookie, Inode},
    wait::Loading,
};

/// Numbers caches, so that a provider can tell whether it has asked this one before.
static NEXT_ID: Atomic<u64> = Atomic::new(1);

/// A number that was not used before; never zero.
pub(crate) fn next_id() -> u64 {
    NEXT_ID.fetch_add(1, Relaxed)
}

/// What a digest cache holds when it is loaded.
pub(crate) enum Content {
    /// Made from one list: its digests.
    List(Tables),
    /// Made from a directory: the lists in it.
    Dir(Directory),
}

/// Why loading failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoadError {
    /// The content is bad, or a provider refused it: remembered until a reset.
    Bad(Error),
    /// Says nothing about the content: not remembered, so that trying again makes sense.
    Passing(Error),
}

/// How loading ended.
struct Outcome {
    /// The inode before it was read.
    cookie: Cookie,
    content: Result<Content, LoadError>,
}

/// See the module's documentation.
///
/// # Invariants
///
/// - `outcome` is populated before `loading` ends, and both happen exactly once, by the task that
///   made and published the cache.
/// - Nobody uses `outcome` of a cache whose watch is not armed to answer a question.
#[pin_data]
pub(crate) struct DigestCache {
    id: u64,
    /// File name of the list, or path of the directory.
    name: CString,
    watch: Watch,
    /// [`crate::resolve::Anchor::stamp`] of the anchor through which the cache was last found.
    stamp: Atomic<u64>,
    outcome: SetOnce<Outcome>,
    /// [`epoch`] in which the cache was made.
    epoch: u64,
    #[pin]
    loading: Loading,
    /// What integrity providers found out about the list.
    pub(crate) verification: Verification,
}

impl Watched for DigestCache {
    fn watch(&self) -> &Watch {
        &self.watch
    }
}

impl DigestCache {
    fn new(name: &CStr, inode: &Inode) -> Result<RcuRef<Self>> {
        let name = CString::try_from(name)?;
        RcuRef::pin_init(
            pin_init!(Self {
                id: next_id(),
                name,
                watch: Watch::new(inode),
                stamp: Atomic::new(0),
                outcome: SetOnce::new(),
                epoch: epoch(),
                loading <- Loading::new(),
                verification: Verification::new(),
            }),
            GFP_KERNEL,
        )
    }

    /// Number of this cache, which no other cache ever had or will have.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// File name of the list, or path of the directory.
    pub(crate) fn name(&self) -> &CStr {
        &self.name
    }

    /// What the cache holds, if it was loaded without an error.
    pub(crate) fn content(&self) -> Option<&Content> {
        self.outcome.as_ref()?.content.as_ref().ok()
    }

    /// The digests, if the cache was made from a list and is loaded.
    pub(crate) fn tables(&self) -> Option<&Tables> {
        match self.content()? {
            Content::List(tables) => Some(tables),
            Content::Dir(_) => None,
        }
    }

    /// Records through which anchor the cache was found.
    pub(crate) fn set_stamp(&self, stamp: u64) {
        self.stamp.store(stamp, Release);
    }

    /// The stamp of the anchor through which the cache was last found.
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp.load(Acquire)
    }

    /// Whether loading has ended, in whichever way, and the inode still is what was loaded.
    pub(crate) fn reflects_inode(&self, guard: &rcu::Guard) -> bool {
        let Some(outcome) = self.outcome.as_ref() else {
            return false;
        };
        self.watch.matches(&outcome.cookie, guard)
    }

    /// Whether the cache may be used: it reflects its inode, and the path that led to the inode
    /// still does. Takes no lock, writes nothing.
    pub(crate) fn is_current(&self, guard: &rcu::Guard) -> bool {
        ANCHOR
            .peek(guard)
            .is_some_and(|anchor| anchor.stamp() == self.stamp() && anchor.holds(guard))
            && self.reflects_inode(guard)
    }

    /// As [`DigestCache::is_current`], where `anchor` was found to hold a moment ago.
    pub(crate) fn is_current_under(&self, anchor: &Anchor, guard: &rcu::Guard) -> bool {
        anchor.stamp() == self.stamp() && anchor.is_intact(guard) && self.reflects_inode(guard)
    }

    /// Whether the digest of a file's data is among the digests of this list.
    pub(crate) fn contains(&self, algo: HashAlgo, digest: &[u8]) -> bool {
        self.tables()
            .is_some_and(|tables| tables.contains(algo, digest))
    }
}

/// How often an operation starts over because something changed under it, before it gives up with
/// `EAGAIN`. Each round takes a change of the very inode or path in question, within microseconds
/// or, while a list is loaded, within the time that takes.
pub(crate) const MAX_ROUNDS: usize = 16;

/// Returns the loaded cache made from `inode`, loading it first if there is none.
///
/// The cache in the owner slot is taken if it was made under the same name and in this epoch,
/// reflects the inode, and satisfies `suits`; else a new one replaces it. `load` reads the inode.
/// Waits for another task that is loading. May sleep.
///
/// # Errors
///
/// `ENOMEM`, `EAGAIN` when there is no end to changes, what [`Loading::wait`] says, and errors of
/// `load` that are [`LoadError::Passing`]. A list with bad content is no error here but a cache
/// without content.
pub(crate) fn obtain(
    inode: &Inode,
    name: &CStr,
    suits: impl Fn(&DigestCache) -> bool,
    load: impl Fn(&RcuRef<DigestCache>) -> Result<Content, LoadError>,
) -> Result<RcuRef<DigestCache>> {
    let owner = &blob::of_inode(inode).ok_or(ENODEV)?.owner;

    for _ in 0..MAX_ROUNDS {
        let existing = owner.get();
        if let Some(cache) = &existing {
            cache.loading.wait()?;
            let current = cache.reflects_inode(&rcu::read_lock());
            if current && cache.epoch == epoch() && cache.name() == name && suits(cache) {
                return Ok(cache.clone());
            }
        }

        let cache = DigestCache::new(name, inode)?;
        if owner.publish(inode, existing.as_ref(), &cache).is_err() {
            continue;
        }
        let cookie = inode.cookie();
        let content = load(&cache);
        let passing = match &content {
            Err(LoadError::Passing(e)) => Some(*e),
            _ => None,
        };
        cache.outcome.populate(Outcome { cookie, content });
        if passing.is_some() {
            owner.clear_if(&cache);
        }
        // From here on, others use what was populated.
        cache.loading.end();
        return match passing {
            Some(e) => Err(e),
            None => Ok(cache),
        };
    }
    Err(EAGAIN)
}
