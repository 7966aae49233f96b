// SPDX-License-Identifier: GPL-2.0-only

//! From a file to its digest cache.
//!
//! The list of a file is named by the file's `security.digest_list` attribute and found in the
//! directory that the default path leads to. Without the attribute, the cache of the whole
//! directory is used. The default path may also lead to a list, which is then that of all files.
//!
//! # The anchor
//!
//! What the default path leads to is the [`Anchor`]: the inode of the directory (or list), the
//! cookie that the inode had, and the state of the kernel's path tree. As long as it holds, names
//! below the default path lead to what they led to. A cache that is in use carries the stamp of
//! the anchor through which it was found: [`DigestCache::current`] is a handful of comparisons,
//! and no change of the directory, of a directory above it, or of the default path goes unnoticed,
//! whether there is a hook for it or not, and however a hook that runs before its operation races
//! with a look-up: what counts is what the inode looks like afterwards.
//!
//! When the anchor does not hold, the next look-up makes a new one with a new stamp, and each list
//! is looked up by name again, once. A list that still is what it was is not read again. If the new
//! anchor is another inode, all that was found through the old one is reset.
//!
//! # Prefetching
//!
//! If `security.dig_prefetch` of the directory says so, the lists before that of a file are loaded
//! first, in order, each once. Integrity providers thus see lists in the same order at each boot,
//! whichever file is used first.
//!
//! # Locking
//!
//! As in [`crate::cache`]: none held across anything.

use core::ptr::null_mut;
use kernel::{
    bindings,
    prelude::*,
    str::{CStr, CString},
    sync::{
        atomic::{Acquire, Atomic, Full, Relaxed},
        rcu,
    },
};

use crate::{
    blob::{self, Watch, Watched, ANCHOR},
    cache::{next_id, obtain, Content, DigestCache, MAX_ROUNDS},
    dir,
    parsers::name::list_name_from_xattr,
    populate,
    rcuref::{Object, RcuRef, Slot},
    reset,
    stats::{self, Counter, Reason},
    trace, users,
    vfs::{Cookie, Dentry, File, Inode, Path, TreeSeq},
};

/// Longest default path, with its terminator (`PATH_MAX`).
const MAX_PATH: usize = 4096;

/// Longest value of `security.digest_list`: a file name (`NAME_MAX`) and a terminator.
const MAX_NAME: usize = 255 + 1;

/// `security.digest_list`.
pub(crate) const XATTR_DIGEST_LIST: &CStr = c"security.digest_list";

/// `security.dig_prefetch`.
pub(crate) const XATTR_DIG_PREFETCH: &CStr = c"security.dig_prefetch";

/// A default path, as somebody set it.
pub(crate) struct DefaultPath(CString);

impl Object for DefaultPath {}

impl DefaultPath {
    /// Checks a path: absolute, without NUL, shorter than `PATH_MAX`. It need not lead anywhere
    /// yet.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is none of these, `ENOMEM`.
    fn new(path: &[u8]) -> Result<Self> {
        if path.first() != Some(&b'/') || path.contains(&0) || path.len() >= MAX_PATH {
            return Err(EINVAL);
        }
        let mut bytes = KVec::with_capacity(path.len() + 1, GFP_KERNEL)?;
        bytes.extend_from_slice(path, GFP_KERNEL)?;
        bytes.push(0, GFP_KERNEL)?;
        let path = CStr::from_bytes_with_nul(&bytes).map_err(|_| EINVAL)?;
        Ok(Self(CString::try_from(path)?))
    }

    /// The path.
    pub(crate) fn as_cstr(&self) -> &CStr {
        &self.0
    }
}

static DEFAULT_PATH: Slot<DefaultPath> = Slot::new();

/// The default path.
///
/// # Errors
///
/// `ENOENT` before one was set, which happens at boot.
pub(crate) fn default_path() -> Result<RcuRef<DefaultPath>> {
    DEFAULT_PATH.get().ok_or(ENOENT)
}

/// Counts how often the default path was set.
static EPOCH: Atomic<u64> = Atomic::new(0);

/// The number of this epoch: what was made in another is not used any more.
pub(crate) fn epoch() -> u64 {
    EPOCH.load(Acquire)
}

/// Sets the default path, and begins an epoch: no digest cache that was made before is used any
/// more. Setting the same path again is the way to make providers verify all lists anew, after
/// they got another policy or another key.
///
/// # Errors
///
/// `EINVAL` if the path is not absolute or too long, `ENOMEM`; the old one stays then.
pub(crate) fn set_default_path(path: &[u8]) -> Result {
    let new = RcuRef::new(DefaultPath::new(path)?, GFP_KERNEL)?;
    EPOCH.fetch_add(1, Full);
    drop(DEFAULT_PATH.swap(Some(new)));
    reset::everything(Reason::DefaultPath);
    Ok(())
}

/// The inode that the default path was last found to lead to; only compared.
static ROOT: Atomic<*mut bindings::inode> = Atomic::new(null_mut());

/// Whether the default path was last found to lead to `inode`.
pub(crate) fn is_root(inode: &Inode) -> bool {
    ROOT.load(Relaxed) == inode.as_ptr()
}

/// To be called before `inode` is freed.
pub(crate) fn root_freed(inode: &Inode) {
    // It does not matter if it was another one.
    let _ = ROOT.cmpxchg(inode.as_ptr(), null_mut(), Relaxed);
}

/// The default path leads to `inode`, or to nothing: if it led elsewhere before, all that was found
/// through it is void.
fn root_found(inode: Option<&Inode>) {
    let inode = inode.map_or(null_mut(), Inode::as_ptr);
    if ROOT.load(Relaxed) == inode {
        return;
    }
    let before = ROOT.xchg(inode, Full);
    if !before.is_null() && before != inode {
        reset::everything(Reason::Moved);
    }
}

/// What the default path leads to; see the module's documentation.
pub(crate) struct Anchor {
    path: RcuRef<DefaultPath>,
    watch: Watch,
    cookie: Cookie,
    stamp: u64,
    /// Until these counters change, the path leads where it led.
    seq: TreeSeq,
    /// Whether the counters tell everything; if not, the path is looked up each time.
    plain: bool,
    /// Whether lists are to be loaded in the order of the directory. A change of the attribute
    /// alters the cookie.
    prefetch: bool,
}

impl Object for Anchor {}

impl Watched for Anchor {
    fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Caches that were found through it are checked, and told, by themselves.
    fn retired(_this: &RcuRef<Self>, _reason: Reason) {}
}

impl Anchor {
    /// The number of this anchor, which no other anchor ever had or will have.
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Whether the default path, and names below it, still lead where they led. Takes no lock,
    /// writes nothing.
    #[inline(always)]
    pub(crate) fn holds(&self, guard: &rcu::Guard) -> bool {
        self.plain && self.seq.unchanged() && self.is_intact(guard)
    }

    /// As [`Anchor::holds`], as far as the default path as a string and the inode are concerned.
    #[inline]
    pub(crate) fn is_intact(&self, guard: &rcu::Guard) -> bool {
        self.watch.matches(&self.cookie, guard)
            && DEFAULT_PATH
                .peek(guard)
                .is_some_and(|path| RcuRef::is(&self.path, &path))
    }
}

/// Looks the default path up and returns where it leads, and the anchor that says so. May sleep.
///
/// # Errors
///
/// What the look-up says (`ENOENT`, `EACCES`, ...), `ENOTDIR` if the path leads to neither a
/// directory nor a regular file, `ENOMEM`, `EAGAIN` when there is no end to changes.
pub(crate) fn root() -> Result<(Path, RcuRef<Anchor>)> {
    let found = find_root();
    if found.as_ref().is_err_and(|e| leads_nowhere(*e)) {
        ANCHOR.clear(Reason::Moved);
        root_found(None);
    }
    found
}

/// Whether an error of a look-up says that the path leads to nothing that can be used, rather than
/// that it could not be followed now.
pub(crate) fn leads_nowhere(error: Error) -> bool {
    [ENOENT, ENOTDIR, ELOOP, EACCES, ENAMETOOLONG].contains(&error)
}

/// See [`root`].
fn find_root() -> Result<(Path, RcuRef<Anchor>)> {
    for _ in 0..MAX_ROUNDS {
        let name = default_path()?;
        // In this order: what changes after the counters or the cookie were taken shows.
        let seq = TreeSeq::now();
        let (path, plain) = Path::lookup(name.as_cstr())?;
        let inode = path.inode()?;
        let is_dir = inode.is_dir();
        let cookie = if is_dir {
            inode.settled_cookie()?
        } else if inode.is_regular() {
            let cookie = path.cookie()?;
            // The name of a file goes a little later than the file.
            if inode.is_unlinked() {
                return Err(ENOENT);
            }
            cookie
        } else {
            return Err(ENOTDIR);
        };
        root_found(Some(inode));

        let current = ANCHOR.get();
        if let Some(anchor) = &current {
            if anchor.watch.is(inode)
                && anchor.cookie == cookie
                && anchor.plain == plain
                && anchor.is_intact(&rcu::read_lock())
            {
                anchor.seq.advance(&seq);
                return Ok((path, anchor.clone()));
            }
        }
        let prefetch = is_dir && prefetch_wanted(path.dentry())?;
        let anchor = RcuRef::new(
            Anchor {
                path: name.clone(),
                watch: Watch::new(inode),
                cookie,
                stamp: next_id(),
                seq,
                plain,
                prefetch,
            },
            GFP_KERNEL,
        )?;
        if ANCHOR
            .publish(inode, current.as_ref(), &anchor, Reason::Changed)
            .is_ok()
        {
            if is_dir {
                directory_changed(inode, anchor.stamp);
            }
            return Ok((path, anchor));
        }
    }
    Err(EAGAIN)
}

/// Whether the directory `dentry` asks for prefetching.
fn prefetch_wanted(dentry: &Dentry) -> Result<bool> {
    let mut buf = [0; 2];
    match dentry.xattr(XATTR_DIG_PREFETCH, &mut buf) {
        Ok(value) => Ok(value.is_some_and(|v| v.strip_suffix(b"\0").unwrap_or(v) == b"1")),
        // No longer value means yes.
        Err(e) if e == ERANGE => Ok(false),
        Err(e) => Err(e),
    }
}

/// The directory `inode` was found with the anchor of `stamp`: its cache, if it was made under
/// another one, cannot be used any more.
fn directory_changed(inode: &Inode, stamp: u64) {
    let Some(blob) = blob::of_inode(inode) else {
        return;
    };
    if let Some(cache) = blob.owner.get().filter(|cache| cache.stamp() != stamp) {
        blob.owner.clear_if(&cache, Reason::Changed);
    }
}

/// Makes sure that `cache` may be used. May sleep.
///
/// # Errors
///
/// `EAGAIN` if it has been reset, or is still being loaded.
#[inline]
pub(crate) fn confirm(cache: &DigestCache) -> Result {
    if cache.current(&rcu::read_lock()).is_some() {
        return Ok(());
    }
    confirm_anew(cache)
}

/// See [`confirm`]: something was moved or mounted somewhere, perhaps, and that is all.
#[cold]
fn confirm_anew(cache: &DigestCache) -> Result {
    let (_, anchor) = root().map_err(|_| EAGAIN)?;
    if cache.is_current_under(&anchor, &rcu::read_lock()) {
        Ok(())
    } else {
        Err(EAGAIN)
    }
}

/// How many counters there are of changes of `security.digest_list`. An inode has one of them; that
/// others have it, too, does no harm but that they look again.
const NUM_CHANGES: usize = 256;

static XATTR_CHANGES: [Atomic<u64>; NUM_CHANGES] = [const { Atomic::new(0) }; NUM_CHANGES];

/// The counter of an inode.
fn xattr_changes(inode: &Inode) -> &'static Atomic<u64> {
    // Inodes are some hundred bytes large, so the lowest bits say little.
    let number = inode.as_ptr().addr() / 64;
    let spread = number ^ (number / NUM_CHANGES);
    // The index is less than the number of counters, which is a constant.
    XATTR_CHANGES
        .get(spread % NUM_CHANGES)
        .unwrap_or(&XATTR_CHANGES[0])
}

/// To be called after the `security.digest_list` attribute of `inode` has changed. May sleep.
pub(crate) fn xattr_changed(inode: &Inode) {
    if blob::of_inode(inode).is_none() {
        return;
    }
    xattr_changes(inode).fetch_add(1, Full);
    // A look-up that read the old value has made the inode a user by now, which is undone here; or
    // it finds the count changed.
    users::settle(inode);
    users::dismiss(inode, Reason::Attribute);
}

/// Returns the loaded digest cache to be used for `file`, if there is one. May sleep.
pub(crate) fn get(file: &File) -> Option<RcuRef<DigestCache>> {
    if blob::is_ours(file) {
        return None;
    }
    let dentry = file.dentry()?;
    let inode = dentry.inode()?;
    if !inode.is_regular() {
        return None;
    }
    let (cache, warm) = match at_hand(inode) {
        Some(cache) => (cache, true),
        None => (look_up(dentry, inode), false),
    };
    stats::count(if warm {
        Counter::GetsWarm
    } else {
        Counter::GetsCold
    });
    trace::get(inode, cache.as_ref().map_or(0, |cache| cache.id()), warm);
    cache
}

/// What `inode` uses already: a cache, or none because the list is bad.
fn at_hand(inode: &Inode) -> Option<Option<RcuRef<DigestCache>>> {
    let guard = rcu::read_lock();
    let cache = blob::of_inode(inode)?.user.peek(&guard)?;
    // A list with bad content is remembered too, so that it is not looked up each time.
    match cache.current(&guard)? {
        Err(_) => Some(None),
        Ok(_) => cache.upgrade().map(Some),
    }
}

/// Finds the cache to be used for `inode`, and makes the inode a user of it.
// Kept out of `get()`, which needs no stack to speak of when a cache is at hand.
#[cold]
#[inline(never)]
fn look_up(dentry: &Dentry, inode: &Inode) -> Option<RcuRef<DigestCache>> {
    for round in 1..=MAX_ROUNDS {
        let changes = xattr_changes(inode).load(Acquire);
        let (cache, anchor) = match find(dentry, inode) {
            Ok(found) => found,
            Err(e) if e == EAGAIN => continue,
            Err(e) => {
                // There is no cache for it any more, unless it could just not be had now.
                if leads_nowhere(e) || [EINVAL, ERANGE, EXDEV].contains(&e) {
                    users::dismiss(inode, Reason::Changed);
                }
                return None;
            }
        };
        // The anchor was found to hold during this call, which is all that the caller can ask for.
        if !cache.is_current_under(&anchor, &rcu::read_lock()) {
            continue;
        }
        let unchanged = || xattr_changes(inode).load(Relaxed) == changes;
        match users::assign(inode, &cache, unchanged) {
            Ok(()) => {}
            Err(e) if e == EAGAIN => continue,
            Err(_) => return None,
        }
        // Others' changes may go on for ever: then it is right for now, at least.
        if !unchanged() && round < MAX_ROUNDS {
            continue;
        }
        return cache.content().is_some().then_some(cache);
    }
    None
}

/// Finds the digest cache for the file `dentry` by its attribute and the default path, and the
/// anchor through which it was found.
fn find(dentry: &Dentry, inode: &Inode) -> Result<(RcuRef<DigestCache>, RcuRef<Anchor>)> {
    let (root, anchor) = root()?;
    let stamp = anchor.stamp();

    let cache = if root.inode()?.is_regular() {
        list(&root, anchor.path.as_cstr(), inode, stamp)?
    } else {
        let mut buf = [0; MAX_NAME];
        match dentry.xattr(XATTR_DIGEST_LIST, &mut buf)? {
            None => directory(&root, &anchor)?,
            Some(value) => {
                let name = list_name_from_xattr(value).map_err(|_| EINVAL)?;
                if anchor.prefetch {
                    let cache = directory(&root, &anchor)?;
                    if let Some(Content::Dir(dir)) = cache.content() {
                        dir.prefetch(&cache, name)?;
                    }
                }
                let mut buf = [0; MAX_NAME];
                let name = to_cstr(name, &mut buf)?;
                list(&root.child(name)?, name, inode, stamp)?
            }
        }
    };
    Ok((cache, anchor))
}

/// The cache of the directory at `root`, found through `anchor`.
fn directory(root: &Path, anchor: &Anchor) -> Result<RcuRef<DigestCache>> {
    let stamp = anchor.stamp();
    obtain(
        root.inode()?,
        anchor.path.as_cstr(),
        || root.cookie(),
        // A directory is read anew under each anchor, so that its entries are those of the
        // anchor's cookie.
        |cache| Ok(cache.stamp() == stamp && cache.name() == anchor.path.as_cstr()),
        |cache| {
            cache.set_stamp(stamp);
            dir::load(cache, root)
        },
    )
}

/// The digest cache of the list at `path`, to be used for `user`.
fn list(path: &Path, name: &CStr, user: &Inode, stamp: u64) -> Result<RcuRef<DigestCache>> {
    if path.inode()?.as_ptr() == user.as_ptr() {
        // The list of a file is never the file itself (invariant 6 of the design).
        return Err(ELOOP);
    }
    open_list(path, name, stamp)
}

/// The digest cache of the list at `path`, found by `name` through the anchor with `stamp`.
pub(crate) fn open_list(path: &Path, name: &CStr, stamp: u64) -> Result<RcuRef<DigestCache>> {
    let inode = path.inode()?;
    if !inode.is_regular() {
        return Err(EINVAL);
    }
    let cache = obtain(
        inode,
        name,
        || path.cookie(),
        |cache| {
            // By another of its names it is the same list, if that says the same about its format;
            // else it is refused, if what it is was found out already.
            let same = cache.name() == name
                || populate::format_name(cache.name()) == populate::format_name(name);
            // A bad list gets another chance when something about the directory has changed.
            match cache.content() {
                Some(_) if same => Ok(true),
                Some(_) => Err(EINVAL),
                None => Ok(same && cache.stamp() == stamp),
            }
        },
        |cache| {
            cache.set_stamp(stamp);
            populate::load(cache, path)
        },
    )?;
    cache.set_stamp(stamp);
    Ok(cache)
}

/// Copies a file name to where a NUL fits behind it.
pub(crate) fn to_cstr<'b>(name: &[u8], buf: &'b mut [u8; MAX_NAME]) -> Result<&'b CStr> {
    let len = name.len();
    buf.get_mut(..len)
        .ok_or(ENAMETOOLONG)?
        .copy_from_slice(name);
    *buf.get_mut(len).ok_or(ENAMETOOLONG)? = 0;
    CStr::from_bytes_with_nul(buf.get(..=len).ok_or(ENAMETOOLONG)?).map_err(|_| EINVAL)
}
