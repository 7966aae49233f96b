// SPDX-License-Identifier: GPL-2.0-only

//! The digest cache: its life cycle, and the questions that it answers.
//!
//! A [`DigestCache`] is made from one inode, a digest list or a directory of digest lists, by
//! [`obtain`]: published in the inode's owner slot first, loaded by whoever published it, and
//! waited for by everybody else. It never changes once it is loaded. When the inode changes or
//! goes away, the cache is *reset*: taken out of the slot, stale from then on, and replaced by a
//! new one when somebody asks again. Those who used it are told (see [`crate::notifier`]).
//!
//! ```text
//!   new --publish--> loading --+--> ready ---------------+--reset--> stale
//!                              +--> failed (bad content) +
//!                              +--> failed in passing: stale at once
//! ```
//!
//! A reset that comes while it is loaded makes it stale, too: it is loaded to the end, and then
//! answers nothing.
//!
//! # Locking
//!
//! None to use a cache. Slots are exchanged atomically, exclusivity of loading comes from having
//! published the cache, waiters sleep until that has ended. Nothing is held while a list is read,
//! parsed or verified by a provider. Two spinlocks protect lists that are short to change: of the
//! users ([`crate::users`]), of all caches ([`crate::live`]).

use kernel::{
    prelude::*,
    str::{CStr, CString},
    sync::{
        atomic::{Atomic, Relaxed, Release},
        rcu, SetOnce,
    },
};

use crate::{
    blob::{self, Watch, Watched, ANCHOR},
    builder::Builder,
    dir::Directory,
    live, notifier,
    parsers::algo::HashAlgo,
    rcuref::{Object, RcuRef, Slot},
    resolve::{default_path, epoch, Anchor, DefaultPath},
    stats::{self, Counter, Reason},
    table::Tables,
    trace,
    users::Users,
    verif::Verification,
    vfs::{Cookie, Inode},
    wait::Loading,
    word::read_once,
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
    /// Made from a directory: the lists in it. In memory of its own, since there are many lists and
    /// hardly another directory.
    Dir(KBox<Directory>),
}

impl Content {
    /// Number of digests at hand.
    pub(crate) fn num_digests(&self) -> usize {
        match self {
            Self::List(tables) => tables.len(),
            Self::Dir(dir) => dir.num_digests(),
        }
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::List(tables) => tables.bytes(),
            Self::Dir(dir) => dir.bytes(),
        }
    }

    /// Bit mask of the algorithms of file digests at hand, by their numbers in `enum hash_algo`.
    pub(crate) fn algos_at_hand(&self) -> u32 {
        match self {
            Self::List(tables) => tables.algos(),
            Self::Dir(dir) => dir.algos_at_hand(),
        }
    }
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
// What `current()` reads comes last. Of that, only the stamp is written once the cache is loaded,
// when the anchor has been replaced; what each get writes, the count, is in another cache line.
#[pin_data]
#[repr(C)]
pub(crate) struct DigestCache {
    /// File name of the list, or the default path, of the directory or the only list.
    name: CString,
    /// The default path when the cache was made.
    root: RcuRef<DefaultPath>,
    loading: Loading,
    /// The neighbours in the list of all caches.
    pub(crate) links: live::Links,
    /// The inodes for which the cache was returned.
    #[pin]
    pub(crate) users: Users,
    /// Where a parser of a module puts digests while the cache is loaded.
    pub(crate) builder: Slot<Builder>,
    /// [`epoch`] in which the cache was made.
    epoch: u64,
    /// What integrity providers found out about the list.
    pub(crate) verification: Verification,
    id: u64,
    watch: Watch,
    /// [`crate::resolve::Anchor::stamp`] of the anchor through which the cache was last found.
    stamp: Atomic<u64>,
    outcome: SetOnce<Outcome>,
}

impl Object for DigestCache {
    fn released(&self) {
        live::remove(self);
    }
}

impl Watched for DigestCache {
    fn watch(&self) -> &Watch {
        &self.watch
    }

    fn retired(this: &RcuRef<Self>, reason: Reason) {
        stats::count_reset(reason);
        trace::reset(this.id, &this.name, reason, this.users.len());
        notifier::announce_reset(this, reason);
    }
}

impl DigestCache {
    fn new(name: &CStr, inode: &Inode) -> Result<RcuRef<Self>> {
        let name = CString::try_from(name)?;
        let root = default_path()?;
        let cache = RcuRef::pin_init(
            pin_init!(Self {
                id: next_id(),
                name,
                root,
                watch: Watch::new(inode),
                stamp: Atomic::new(0),
                outcome: SetOnce::new(),
                epoch: epoch(),
                loading: Loading::new(),
                verification: Verification::new(),
                users <- Users::new(),
                builder: Slot::new(),
                links: live::Links::new(),
            }),
            GFP_KERNEL,
        )?;
        live::add(&cache);
        Ok(cache)
    }

    /// Number of this cache, which no other cache ever had or will have.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// File name of the list, or the default path, of the directory or the only list.
    pub(crate) fn name(&self) -> &CStr {
        &self.name
    }

    /// The path: what comes before the name, if anything, and the name.
    pub(crate) fn path(&self) -> (Option<&CStr>, &CStr) {
        let is_path = self.name.to_bytes().first() == Some(&b'/');
        ((!is_path).then(|| self.root.as_cstr()), &self.name)
    }

    /// How loading ended; none while it goes on.
    pub(crate) fn outcome(&self) -> Option<Result<&Content, LoadError>> {
        Some(self.outcome.as_ref()?.content.as_ref().map_err(|e| *e))
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
        // Nearly always it was found through the same one before, by another file: then the cache
        // line stays where it is read.
        if self.stamp() != stamp {
            self.stamp.store(stamp, Release);
        }
    }

    /// The stamp of the anchor through which the cache was last found.
    pub(crate) fn stamp(&self) -> u64 {
        // Nothing has to be ordered: what is compared with it (whether the anchor is in its slot,
        // the tree and the inodes are unchanged, watches are armed) goes from true to false only,
        // so all of it was true when the first of it was read. (Of the tree, see
        // `TreeSeq::unchanged()`.)
        #[cfg(CONFIG_64BIT)]
        return read_once(&self.stamp);
        #[cfg(not(CONFIG_64BIT))]
        self.stamp.load(Relaxed)
    }

    /// Whether loading has ended, in whichever way, and the inode still is what was loaded.
    pub(crate) fn reflects_inode(&self, guard: &rcu::Guard) -> bool {
        self.outcome
            .as_ref()
            .is_some_and(|outcome| self.watch.matches(&outcome.cookie, guard))
    }

    /// How loading ended, if the cache may be used: it reflects its inode, and the path that led to
    /// the inode still does. Takes no lock, writes nothing.
    #[inline(always)]
    pub(crate) fn current(&self, guard: &rcu::Guard) -> Option<Result<&Content, LoadError>> {
        let anchor = ANCHOR.peek(guard)?;
        if anchor.stamp() != self.stamp() || !anchor.holds(guard) {
            return None;
        }
        let outcome = self.outcome.as_ref()?;
        self.watch
            .matches(&outcome.cookie, guard)
            .then(|| outcome.content.as_ref().map_err(|e| *e))
    }

    /// Whether the cache may be used, where `anchor` was found to hold a moment ago.
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

/// Tells people how loading `cache` ended.
fn report(cache: &DigestCache, content: &Result<Content, LoadError>) {
    let (digests, bytes, error) = match content {
        Ok(content) => (content.num_digests(), content.bytes(), None),
        Err(LoadError::Bad(e) | LoadError::Passing(e)) => (0, 0, Some(*e)),
    };
    stats::count(match content {
        Ok(Content::Dir(_)) => Counter::DirLoads,
        Ok(Content::List(_)) | Err(_) => Counter::Loads,
    });
    if let Some(e) = error {
        stats::count_failure(e);
    }
    trace::load(cache.id, &cache.name, error, digests, bytes);
}

/// Returns the loaded cache made from `inode`, loading it first if there is none.
///
/// The cache in the owner slot is taken if it was made in this epoch, reflects the inode, and
/// `suits`; else a new one, made under `name`, replaces it. `load` reads the inode. Waits for
/// another task that is loading. `cookie` takes that of the inode. May sleep.
///
/// # Errors
///
/// `ENOMEM`, `EAGAIN` when there is no end to changes, what [`Loading::wait`] says, errors of
/// `suits` and `cookie`, and errors of `load` that are [`LoadError::Passing`]. A list with bad
/// content is no error here but a cache without content.
pub(crate) fn obtain(
    inode: &Inode,
    name: &CStr,
    cookie: impl Fn() -> Result<Cookie>,
    suits: impl Fn(&DigestCache) -> Result<bool>,
    load: impl Fn(&RcuRef<DigestCache>) -> Result<Content, LoadError>,
) -> Result<RcuRef<DigestCache>> {
    let owner = &blob::of_inode(inode).ok_or(ENODEV)?.owner;

    for _ in 0..MAX_ROUNDS {
        let existing = owner.get();
        let mut changed = false;
        if let Some(cache) = &existing {
            cache.loading.wait()?;
            let current = cache.reflects_inode(&rcu::read_lock());
            changed = !current;
            if current && cache.epoch == epoch() && suits(cache)? {
                return Ok(cache.clone());
            }
        }

        let cache = DigestCache::new(name, inode)?;
        let cookie = cookie()?;
        if owner
            .publish(inode, existing.as_ref(), &cache, Reason::Changed)
            .is_err()
        {
            continue;
        }
        if changed && !inode.is_dir() {
            // No hook has told that the list changed, and the directory does not know it.
            blob::void_directory(Reason::Changed);
        }
        let content = load(&cache);
        report(&cache, &content);
        let passing = match &content {
            Err(LoadError::Passing(e)) => Some(*e),
            _ => None,
        };
        cache.outcome.populate(Outcome { cookie, content });
        if passing.is_some() {
            owner.withdraw(&cache);
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
