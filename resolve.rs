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
//! the anchor through which it was found: [`DigestCache::is_current`] is a handful of comparisons,
//! and no change of the directory, of a directory above it, or of the default path goes unnoticed,
//! whether there is a hook for it or not, and however a hook that runs before its operation races
//! with a look-up: what counts is what the inode looks like afterwards.
//!
//! When the anchor does not hold, the next look-up makes a new one with a new stamp, and each list
//! is looked up by name again, once. A list that still is what it was is not read again.
//!
//! # Locking
//!
//! As in [`crate::cache`]: none held across anything. The `user` slot of an inode is stored to
//! under `i_lock`, to order it with changes of the attribute.

use kernel::{
    prelude::*,
    str::{CStr, CString},
    sync::{
        atomic::{Acquire, Atomic, Full, Relaxed},
        rcu,
    },
};

use crate::{
    blob::{self, Watch, Watched, ANCHOR},
    cache::{next_id, obtain, DigestCache, MAX_ROUNDS},
    dir,
    parsers::name::list_name_from_xattr,
    populate,
    rcuref::{RcuRef, Slot},
    vfs::{Cookie, Dentry, File, Inode, Path, TreeSeq},
};

/// Longest default path, with its terminator (`PATH_MAX`).
const MAX_PATH: usize = 4096;

/// Longest value of `security.digest_list`: a file name (`NAME_MAX`) and a terminator.
const MAX_NAME: usize = 255 + 1;

/// `security.digest_list`.
pub(crate) const XATTR_DIGEST_LIST: &CStr = c"security.digest_list";

/// A default path, as somebody set it.
pub(crate) struct DefaultPath(CString);

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

    /// The file name at the end of the path, or the path itself if it has none.
    fn file_name(&self) -> &CStr {
        let bytes = self.0.to_bytes_with_nul();
        let start = bytes.iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
        bytes
            .get(start..)
            .and_then(|name| CStr::from_bytes_with_nul(name).ok())
            .unwrap_or(&self.0)
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

/// Sets the default path. Lists found through the old one are not used any more.
///
/// # Errors
///
/// `EINVAL` if the path is not absolute or too long, `ENOMEM`; the old one stays then.
pub(crate) fn set_default_path(path: &[u8]) -> Result {
    let new = RcuRef::new(DefaultPath::new(path)?, GFP_KERNEL)?;
    drop(DEFAULT_PATH.swap(Some(new)));
    drop(ANCHOR.clear());
    Ok(())
}

/// What the default path leads to; see the module's documentation.
pub(crate) struct Anchor {
    path: RcuRef<DefaultPath>,
    watch: Watch,
    cookie: Cookie,
    stamp: u64,
    /// A packed [`TreeSeq`]: until these counters change, the path leads where it led.
    seq: Atomic<u64>,
}

impl Watched for Anchor {
    fn watch(&self) -> &Watch {
        &self.watch
    }
}

impl Anchor {
    /// The number of this anchor, which no other anchor ever had or will have.
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Whether the default path, and names below it, still lead where they led. Takes no lock,
    /// writes nothing.
    pub(crate) fn holds(&self, guard: &rcu::Guard) -> bool {
        TreeSeq::unpack(self.seq.load(Relaxed)).unchanged() && self.is_intact(guard)
    }

    /// As [`Anchor::holds`], as far as the default path as a string and the inode are concerned.
    fn is_intact(&self, guard: &rcu::Guard) -> bool {
        self.watch.cookie(guard) == Some(self.cookie)
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
    for _ in 0..MAX_ROUNDS {
        let name = default_path()?;
        // In this order: what changes after the counters or the cookie were taken shows.
        let seq = TreeSeq::now();
        let path = Path::lookup(name.as_cstr())?;
        let inode = path.inode()?;
        if !inode.is_dir() && !inode.is_regular() {
            return Err(ENOTDIR);
        }
        let cookie = inode.cookie_query();

        let current = ANCHOR.get();
        if let Some(anchor) = &current {
            if anchor.watch.is(inode)
                && anchor.cookie == cookie
                && anchor.is_intact(&rcu::read_lock())
            {
                anchor.seq.store(seq.pack(), Relaxed);
                return Ok((path, anchor.clone()));
            }
        }
        let anchor = RcuRef::new(
            Anchor {
                path: name.clone(),
                watch: Watch::new(inode),
                cookie,
                stamp: next_id(),
                seq: Atomic::new(seq.pack()),
            },
            GFP_KERNEL,
        )?;
        if ANCHOR.publish(inode, current.as_ref(), &anchor).is_ok() {
            return Ok((path, anchor));
        }
    }
    Err(EAGAIN)
}

/// Counts changes of `security.digest_list` on any file.
static XATTR_CHANGES: Atomic<u64> = Atomic::new(0);

/// To be called after the `security.digest_list` attribute of `inode` has changed.
pub(crate) fn xattr_changed(inode: &Inode) {
    let Some(blob) = blob::of_inode(inode) else {
        return;
    };
    XATTR_CHANGES.fetch_add(1, Full);
    // A look-up that read the old value stores it before this, and it is taken out here; or it
    // finds the count changed under the lock.
    drop(inode.with_lock(|| blob.user.swap(None)));
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
    let user = &blob::of_inode(inode)?.user;

    let guard = rcu::read_lock();
    if let Some(cache) = user.peek(&guard).filter(|cache| cache.is_current(&guard)) {
        // A list with bad content stays in the slot too, so that it is not looked up each time.
        cache.content()?;
        if let Some(cache) = cache.upgrade() {
            return Some(cache);
        }
    }
    drop(guard);

    for _ in 0..MAX_ROUNDS {
        let changes = XATTR_CHANGES.load(Acquire);
        let cache = match find(dentry, inode) {
            Ok(cache) => cache,
            Err(e) if e == EAGAIN => continue,
            Err(_) => {
                drop(inode.with_lock(|| user.swap(None)));
                return None;
            }
        };
        let stored = inode.with_lock(|| {
            (XATTR_CHANGES.load(Relaxed) == changes).then(|| user.swap(Some(cache.clone())))
        });
        // `stored` has what was in the slot before: it is dropped here, without the lock.
        if stored.is_some() && cache.is_current(&rcu::read_lock()) {
            cache.content()?;
            return Some(cache);
        }
    }
    None
}

/// Finds the digest cache for the file `dentry` by its attribute and the default path.
fn find(dentry: &Dentry, inode: &Inode) -> Result<RcuRef<DigestCache>> {
    let (root, anchor) = root()?;
    let root_inode = root.inode()?;
    let cache = if root_inode.is_regular() {
        list(&root, anchor.path.file_name(), inode)?
    } else {
        let mut buf = [0; MAX_NAME];
        match dentry.xattr(XATTR_DIGEST_LIST, &mut buf)? {
            None => {
                return obtain(
                    root_inode,
                    anchor.path.as_cstr(),
                    // A directory is read anew under each anchor, so that its entries are those of
                    // the anchor's cookie.
                    |cache| cache.stamp() == anchor.stamp(),
                    |cache| {
                        cache.set_stamp(anchor.stamp());
                        dir::load(cache, &root)
                    },
                );
            }
            Some(value) => {
                let name = list_name_from_xattr(value).map_err(|_| EINVAL)?;
                let mut buf = [0; MAX_NAME];
                let name = to_cstr(name, &mut buf)?;
                list(&root.child(name)?, name, inode)?
            }
        }
    };
    cache.set_stamp(anchor.stamp());
    Ok(cache)
}

/// The digest cache of the list at `path`, to be used for `user`.
fn list(path: &Path, name: &CStr, user: &Inode) -> Result<RcuRef<DigestCache>> {
    if path.inode()?.as_ptr() == user.as_ptr() {
        // The list of a file is never the file itself (invariant 6 of the design).
        return Err(ELOOP);
    }
    open_list(path, name)
}

/// The digest cache of the list at `path`, whose file name is `name`.
pub(crate) fn open_list(path: &Path, name: &CStr) -> Result<RcuRef<DigestCache>> {
    let inode = path.inode()?;
    if !inode.is_regular() {
        return Err(EINVAL);
    }
    obtain(inode, name, |_| true, |cache| populate::load(cache, path))
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
