// SPDX-License-Identifier: GPL-2.0-only

//! The directory of digest lists, as one digest cache.
//!
//! It serves files that name no list of their own, and keeps the order for prefetching. Its entries
//! are the directory's valid list names in the order of the name rules: those with a sequence
//! number first, ascending, then the others as the directory has them. Lists are loaded in that
//! order, each once, when a digest has not been found in those before, and stay referenced by their
//! entry.
//!
//! An [`Index`] over all lists that are loaded tells the list of a digest, however many there are;
//! it grows as lists are loaded. The cache of a directory is reset when one of its lists is, so
//! nothing is ever taken out.
//!
//! A list that cannot be loaded is skipped. If its content is bad, it is not tried again until it
//! is reset; else it is tried again by each look-up that gets to the end.
//!
//! # Invariants
//!
//! - `entries[..next]` have been tried; `entries[next..]` have not.
//! - What the index says about an entry is about the list in the entry's slot, which does not
//!   change after it was filled.
//!
//! # Locking
//!
//! Look-ups take none. Loading goes by [`Turns`]: one task at a time loads the next list, while
//! others wait for it, because they need it, too.

use core::mem::size_of;
use kernel::{
    bindings,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        atomic::{Acquire, Atomic, Relaxed, Release},
        rcu, SetOnce,
    },
};

use crate::{
    blob,
    cache::{Content, DigestCache, LoadError},
    index::{places_for, Full, Index, Key, Place},
    parsers::{
        algo::HashAlgo,
        name::{cmp_order, ListName},
    },
    rcuref::{Object, Peek, RcuRef, Slot},
    resolve,
    stats::Reason,
    table::Tables,
    vfs::{ListFile, Path},
    wait::Turns,
};

/// Not tried yet.
const UNTRIED: u32 = 0;
/// In the slot and in the index.
const LOADED: u32 = 1;
/// The content is bad, or it is no list at all.
const BAD: u32 = 2;
/// Could not be loaded, for another reason.
const AGAIN: u32 = 3;

/// One list of the directory.
struct Entry {
    /// The list, once loaded.
    list: Slot<DigestCache>,
    /// Sequence number of the name.
    seq: Option<u32>,
    /// What became of it; changed by the task whose turn it is.
    state: Atomic<u32>,
    /// Where the name is in [`Directory::names`].
    start: u32,
    len: u8,
}

impl Place for Atomic<u64> {
    fn load(&self) -> u64 {
        Atomic::load(self, Acquire)
    }

    fn store(&self, word: u64) {
        Atomic::store(self, word, Release);
    }
}

/// The memory of the index: whole pages, where `kmalloc()` would round up to a power of two.
struct Places {
    places: VVec<Atomic<u64>>,
    /// Places that are not empty; changed by the task whose turn it is.
    used: Atomic<usize>,
}

impl Object for Places {}

impl Places {
    fn new(num: usize) -> Result<RcuRef<Self>> {
        let len = places_for(num).ok_or(EOVERFLOW)?;
        let mut places = VVec::with_capacity(len, GFP_KERNEL)?;
        for _ in 0..len {
            places.push(Atomic::new(0), GFP_KERNEL)?;
        }
        let used = Atomic::new(0);
        RcuRef::new(Self { places, used }, GFP_KERNEL)
    }

    fn index(&self) -> Index<'_, Atomic<u64>> {
        Index::new(&self.places)
    }

    /// Moves what is in the index to memory for `num` digests.
    fn moved(&self, num: usize) -> Result<RcuRef<Self>> {
        let new = Self::new(num)?;
        let copied = self.index().copy_to(&new.index());
        copied.map_err(|Full| EOVERFLOW)?;
        new.used.store(self.used.load(Relaxed), Relaxed);
        Ok(new)
    }

    /// Whether `num` more digests fit without look-ups getting slower than they should.
    fn has_room(&self, num: usize) -> bool {
        self.used
            .load(Relaxed)
            .checked_add(num)
            .and_then(places_for)
            .is_some_and(|len| len <= self.places.len())
    }
}

/// The lists of a directory, in order.
pub(crate) struct Directory {
    /// The names one after another: one allocation, whatever their number.
    names: VVec<u8>,
    entries: VVec<Entry>,
    /// The index over the lists that are loaded; none before there is one.
    places: Slot<Places>,
    /// The first entry that has not been tried.
    next: Atomic<usize>,
    /// Number of entries that are [`AGAIN`].
    again: Atomic<usize>,
    /// Bit mask of the algorithms of the lists that are loaded.
    algos: Atomic<u32>,
    turns: Turns,
}

/// The secret of all indexes.
fn key() -> &'static Key {
    static KEY: SetOnce<Key> = SetOnce::new();
    loop {
        if let Some(key) = KEY.as_ref() {
            return key;
        }
        let mut words = Key([0; Key::LEN]);
        for word in &mut words.0 {
            // SAFETY: Random numbers can always be asked for.
            *word = unsafe { bindings::get_random_u64() };
        }
        KEY.populate(words);
    }
}

/// Reads the directory at `path`, from which `cache` is being made. May sleep.
///
/// # Errors
///
/// Passing ones: `ENOMEM`, and what the file system says.
pub(crate) fn load(cache: &RcuRef<DigestCache>, path: &Path) -> Result<Content, LoadError> {
    read(cache, path)
        .and_then(|dir| Ok(Content::Dir(KBox::new(dir, GFP_KERNEL)?)))
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
        let start = u32::try_from(names.len())?;
        names.extend_from_slice(name, GFP_KERNEL)?;
        entries.push(
            Entry {
                list: Slot::new(),
                seq: parsed.seq,
                state: Atomic::new(UNTRIED),
                start,
                len: u8::try_from(name.len())?,
            },
            GFP_KERNEL,
        )?;
        Ok(())
    })?;
    // `start` grows in directory order, so it makes the sort stable.
    entries.sort_unstable_by(|a, b| cmp_order(a.seq, b.seq).then(a.start.cmp(&b.start)));
    Ok(Directory {
        names: exact(names)?,
        entries: exact(entries)?,
        places: Slot::new(),
        next: Atomic::new(0),
        again: Atomic::new(0),
        algos: Atomic::new(0),
        turns: Turns::new(),
    })
}

/// The same, without memory for more, but for a word: where one may not sleep, as when a digest
/// cache is dropped, `vfree()` writes a word to what it is to free later.
fn exact<T>(vec: KVVec<T>) -> Result<VVec<T>> {
    let word = size_of::<usize>().div_ceil(size_of::<T>().max(1));
    let mut exact = VVec::with_capacity(vec.len().max(word), GFP_KERNEL)?;
    for value in vec {
        exact.push(value, GFP_KERNEL)?;
    }
    Ok(exact)
}

impl Directory {
    fn name(&self, entry: &Entry) -> &[u8] {
        // CAST: Widens, as there is no kernel whose sizes have less than 32 bits.
        let start = entry.start as usize;
        let end = start.saturating_add(entry.len.into());
        self.names.get(start..end).unwrap_or_default()
    }

    /// The list of entry `number`.
    #[inline]
    fn list<'g>(&self, guard: &'g rcu::Guard, number: u32) -> Option<Peek<'g, DigestCache>> {
        let number = usize::try_from(number).ok()?;
        self.entries.get(number)?.list.peek(guard)
    }

    /// Whether the list of entry `number` has the digest.
    #[inline]
    fn has(&self, guard: &rcu::Guard, number: u32, algo: HashAlgo, digest: &[u8]) -> bool {
        self.list(guard, number)
            .is_some_and(|list| list.contains(algo, digest))
    }

    /// The list that has the digest, among those that are loaded.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if that list has been reset, so that the directory is about to be, or was just
    /// replaced by another try to load it.
    fn probe(
        &self,
        cache: &RcuRef<DigestCache>,
        algo: HashAlgo,
        digest: &[u8],
    ) -> Result<Option<RcuRef<DigestCache>>> {
        let guard = rcu::read_lock();
        let Some(places) = self.places.peek(&guard) else {
            return Ok(None);
        };
        let hash = key().hash(algo.raw(), digest);
        let Some(number) = places
            .index()
            .find(hash, |number| self.has(&guard, number, algo, digest))
        else {
            return Ok(None);
        };
        // Looked at before the reference is taken: processors do not begin to read memory, which
        // is hardly in their caches, before an atomic operation is done.
        let list = self.list(&guard, number).ok_or(EAGAIN)?;
        let is_right = list.reflects_inode(&guard);
        let list = list.upgrade().ok_or(EAGAIN)?;
        if !is_right {
            // No hook has told what happened to it.
            blob::void(&list, Reason::Changed);
            blob::void(cache, Reason::Changed);
            return Err(EAGAIN);
        }
        Ok(Some(list))
    }

    /// Makes sure that `num` more digests fit into the index. The caller has the turn.
    fn make_room(&self, num: usize) -> Result<RcuRef<Places>> {
        let present = self.places.get();
        if let Some(places) = present.as_ref().filter(|places| places.has_room(num)) {
            return Ok(places.clone());
        }
        let used = present.as_ref().map_or(0, |p| p.used.load(Relaxed));
        // A quarter more than needed, so that copying is paid for by what is added until the next.
        let wanted = used.checked_add(num).ok_or(EOVERFLOW)?;
        let wanted = wanted.checked_add(wanted / 4).ok_or(EOVERFLOW)?;
        let larger = match &present {
            Some(present) => present.moved(wanted)?,
            None => Places::new(wanted)?,
        };
        drop(self.places.swap(Some(larger.clone())));
        Ok(larger)
    }

    /// Gives back what the index has for more digests, if all lists have been tried. The caller has
    /// the turn.
    fn trim(&self) {
        let present = self.places.get().filter(|_| self.is_exhausted());
        if let Some(present) = present {
            let used = present.used.load(Relaxed);
            let needed = places_for(used).unwrap_or(usize::MAX);
            if present.places.len() / 33 * 32 > needed {
                // Without memory for less, it is as good as it is.
                if let Ok(smaller) = present.moved(used) {
                    drop(self.places.swap(Some(smaller)));
                }
            }
        }
    }

    /// Adds the digests of entry `number`, whose list is in its slot, to the index. The caller has
    /// the turn. If it fails halfway, it can be done again.
    fn add_to_index(&self, number: usize, tables: &Tables) -> Result {
        let number = u32::try_from(number)?;
        let places = self.make_room(tables.len())?;
        let index = places.index();
        let key = key();
        tables
            .try_for_each(|algo, digest| {
                // A section for each digest: there may be a million of them.
                let guard = rcu::read_lock();
                let added = index.insert(key.hash(algo.raw(), digest), number, |number| {
                    self.has(&guard, number, algo, digest)
                })?;
                if added {
                    places
                        .used
                        .store(places.used.load(Relaxed).saturating_add(1), Relaxed);
                }
                Ok(())
            })
            .map_err(|Full| EOVERFLOW)
    }

    /// Loads the list of entry `number`. The caller has the turn. `root` keeps the directory's path
    /// between calls.
    ///
    /// # Errors
    ///
    /// Those that are not about the list, in which case the entry stays what it was.
    fn try_entry(&self, cache: &DigestCache, number: usize, root: &mut Option<Path>) -> Result {
        let entry = self.entries.get(number).ok_or(EINVAL)?;
        // For a directory that has been reset, all of this would be for nothing.
        if !cache.reflects_inode(&rcu::read_lock()) {
            return Err(EAGAIN);
        }
        if root.is_none() {
            let (path, anchor) = resolve::root().map_err(|_| EAGAIN)?;
            if !cache.is_current_under(&anchor, &rcu::read_lock()) {
                return Err(EAGAIN);
            }
            *root = Some(path);
        }
        let mut buf = [0; 256];
        let list = resolve::to_cstr(self.name(entry), &mut buf).and_then(|name| {
            let path = root.as_ref().ok_or(EAGAIN)?.child(name)?;
            resolve::open_list(&path, name, cache.stamp())
        });
        let before = entry.state.load(Relaxed);
        let state = match list {
            // It is about this task, which lacks memory, is being killed, waited too long, or loads
            // the list. Going on would change the order.
            Err(e) if [ENOMEM, EINTR, ERESTARTSYS, ETIMEDOUT, EDEADLK].contains(&e) => {
                return Err(e)
            }
            // It is no list, and will not be without a change of the directory.
            Err(e) if [EINVAL, ELOOP, ENOTDIR].contains(&e) => BAD,
            // The name may have gone, or the failure may be one of the moment: on to the next list.
            Err(_) => AGAIN,
            Ok(list) => match list.tables() {
                None => BAD,
                Some(tables) => {
                    // In this order: whoever finds the entry in the index finds the list in it.
                    drop(entry.list.swap(Some(list.clone())));
                    self.add_to_index(number, tables)?;
                    let algos = self.algos.load(Relaxed) | tables.algos();
                    self.algos.store(algos, Relaxed);
                    LOADED
                }
            },
        };
        let again = self.again.load(Relaxed);
        let again = again.saturating_sub(usize::from(before == AGAIN));
        let again = again.saturating_add(usize::from(state == AGAIN));
        self.again.store(again, Relaxed);
        entry.state.store(state, Relaxed);
        Ok(())
    }

    /// Loads the next list that has not been tried, or waits for another task that does. May sleep.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if the directory has been reset meanwhile, `ENOMEM`, those of [`Turns::take`].
    fn advance(&self, cache: &DigestCache, root: &mut Option<Path>) -> Result {
        let Some(_turn) = self.turns.take()? else {
            return Ok(());
        };
        let next = self.next.load(Relaxed);
        if next < self.entries.len() {
            self.try_entry(cache, next, root)?;
            self.next.store(next.saturating_add(1), Release);
            self.trim();
        }
        Ok(())
    }

    /// Whether all entries have been tried.
    fn is_exhausted(&self) -> bool {
        self.next.load(Acquire) >= self.entries.len()
    }

    /// Tries once more to load lists that could not be loaded, although their content may be good.
    /// May sleep.
    ///
    /// # Errors
    ///
    /// As [`Self::advance`].
    fn try_again(&self, cache: &DigestCache, root: &mut Option<Path>) -> Result {
        if self.again.load(Relaxed) == 0 {
            return Ok(());
        }
        // Before others are waited for.
        resolve::confirm(cache)?;
        let turn = loop {
            if let Some(turn) = self.turns.take()? {
                break turn;
            }
        };
        for (number, entry) in self.entries.iter().enumerate() {
            if entry.state.load(Relaxed) == AGAIN {
                self.try_entry(cache, number, root)?;
            }
        }
        self.trim();
        drop(turn);
        Ok(())
    }

    /// The list that has the digest of a file's data, the first one if there are several. `cache`
    /// is the digest cache that this directory belongs to. May sleep.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if the directory has been reset meanwhile, `ENOMEM`, those of [`Turns::take`].
    pub(crate) fn lookup(
        &self,
        cache: &RcuRef<DigestCache>,
        algo: HashAlgo,
        digest: &[u8],
    ) -> Result<Option<RcuRef<DigestCache>>> {
        let mut root = None;
        let found = loop {
            // Asked first: who finds all tried finds what was loaded, too.
            let exhausted = self.is_exhausted();
            let found = self.probe(cache, algo, digest)?;
            if found.is_some() || exhausted {
                break found;
            }
            self.advance(cache, &mut root)?;
        };
        let found = match found {
            None if self.again.load(Relaxed) != 0 => {
                self.try_again(cache, &mut root)?;
                self.probe(cache, algo, digest)?
            }
            found => found,
        };
        // What was found, or not found, in a directory that changed meanwhile is no answer.
        resolve::confirm(cache)?;
        Ok(found)
    }

    /// Loads the lists up to the one called `name`, in order, that are not loaded. Does nothing if
    /// there is no such list. May sleep.
    ///
    /// # Errors
    ///
    /// As [`Self::lookup`].
    pub(crate) fn prefetch(&self, cache: &RcuRef<DigestCache>, name: &[u8]) -> Result {
        let tried = self.next.load(Acquire);
        let is_it = |entry: &Entry| self.name(entry) == name;
        let untried = self.entries.get(tried..).unwrap_or_default();
        let Some(position) = untried.iter().position(is_it) else {
            return Ok(());
        };
        let last = tried.saturating_add(position);
        let mut root = None;
        while self.next.load(Acquire) <= last {
            self.advance(cache, &mut root)?;
        }
        Ok(())
    }

    /// Bit mask of the algorithms of all lists, which are loaded for that. May sleep.
    ///
    /// # Errors
    ///
    /// As [`Self::lookup`].
    pub(crate) fn algos(&self, cache: &DigestCache) -> Result<u32> {
        let mut root = None;
        while !self.is_exhausted() {
            self.advance(cache, &mut root)?;
        }
        self.try_again(cache, &mut root)?;
        resolve::confirm(cache)?;
        Ok(self.algos_at_hand())
    }

    /// Bit mask of the algorithms of the lists that are loaded.
    pub(crate) fn algos_at_hand(&self) -> u32 {
        self.algos.load(Relaxed)
    }

    /// Number of digests in the index.
    pub(crate) fn num_digests(&self) -> usize {
        let places = self.places.get();
        places.map_or(0, |places| places.used.load(Relaxed))
    }

    /// Bytes of memory, without those of the lists.
    pub(crate) fn bytes(&self) -> usize {
        let places = self.places.get();
        let places = places.map_or(0, |places| places.places.capacity());
        let pages = |num: usize, size| {
            num.saturating_mul(size)
                .checked_next_multiple_of(PAGE_SIZE)
                .unwrap_or(usize::MAX)
        };
        pages(places, size_of::<Atomic<u64>>())
            .saturating_add(pages(self.entries.capacity(), size_of::<Entry>()))
            .saturating_add(pages(self.names.capacity(), 1))
    }
}
