// SPDX-License-Identifier: GPL-2.0-only

//! The part of the VFS that the digest cache needs, behind safe types.
//!
//! The `kernel` crate has no abstractions of inodes, dentries, paths or directory reading yet.
//! The types here are thin: borrowed C objects ([`Inode`], [`Dentry`]), owned references
//! ([`InodeRef`], [`Path`], [`ListFile`]), and the change cookie that tells whether an inode is
//! still what it was ([`Cookie`]).
//!
//! C headers: [`include/linux/fs.h`](srctree/include/linux/fs.h),
//! [`include/linux/namei.h`](srctree/include/linux/namei.h),
//! [`include/linux/iversion.h`](srctree/include/linux/iversion.h),
//! [`include/linux/kernel_read_file.h`](srctree/include/linux/kernel_read_file.h)
//!
//! # Locking
//!
//! [`Path`] lookups, [`ListFile`] and [`Dentry::xattr`] may sleep and take inode locks: call them
//! without any lock. [`InodeRef::grab`] and [`Inode::with_lock`] take `i_lock`, a spinlock, which
//! nests inside ours.

use core::{
    ffi::{c_int, c_void},
    mem::MaybeUninit,
    ops::Deref,
    ptr::{null_mut, NonNull},
    slice,
};
use kernel::{
    bindings,
    error::{from_err_ptr, to_result},
    prelude::*,
    str::CStr,
    sync::{
        atomic::{Atomic, Relaxed},
        rcu,
    },
    types::{NotThreadSafe, Opaque},
};

use crate::word::read_once;

/// What an inode looked like at some time.
///
/// As long as it [matches](Inode::matches), nothing happened to the inode, as far as its file
/// system can tell. Of a file of a stacked file system, this includes the inode that was behind it
/// when the cookie was taken; that another one takes its place is told by a hook, and by the change
/// time of the inode that callers see once something is written.
///
/// # Invariants
///
/// If there is a `real` one, the inode that the cookie was taken from keeps it until that passes
/// `destroy_inode()`.
pub(crate) struct Cookie {
    own: Stamp,
    /// The inode behind, if the file system has one behind the one that callers see: in memory of
    /// its own, since few have.
    real: Option<KBox<(InodePtr, Stamp)>>,
}

impl PartialEq for Cookie {
    fn eq(&self, other: &Self) -> bool {
        self.own == other.own && self.real.as_deref() == other.real.as_deref()
    }
}

/// A part of a [`Cookie`]: when an inode was changed last. Where the file system has fine-grained
/// times, the change time tells; else `i_version`, if it is kept up, tells more than the change
/// time.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    /// `i_version`, where it counts.
    version: Option<u64>,
    ctime_sec: i64,
    ctime_nsec: u32,
}

/// A `struct inode` that is alive.
///
/// # Invariants
///
/// The inode has been initialised and its memory is not freed while a reference to it exists.
#[repr(transparent)]
pub(crate) struct Inode(Opaque<bindings::inode>);

impl Inode {
    /// Borrows an inode.
    ///
    /// # Safety
    ///
    /// `ptr` must point to an inode that is not freed during `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *const bindings::inode) -> &'a Self {
        // SAFETY: The types have the same layout, the caller vouches for the rest.
        unsafe { &*ptr.cast() }
    }

    /// The C inode.
    pub(crate) fn as_ptr(&self) -> *mut bindings::inode {
        self.0.get()
    }

    fn mode(&self) -> u32 {
        // SAFETY: The inode is alive; its type bits never change, and a torn or stale read of the
        // others is not possible for a 16-bit field.
        u32::from(unsafe { (&raw const (*self.as_ptr()).i_mode).read_volatile() })
    }

    /// Whether this is a regular file.
    pub(crate) fn is_regular(&self) -> bool {
        self.mode() & bindings::S_IFMT == bindings::S_IFREG
    }

    /// The superblock that the inode belongs to.
    pub(crate) fn superblock(&self) -> &SuperBlock {
        // SAFETY: The inode is alive, and its superblock lives longer.
        unsafe { SuperBlock::from_raw((*self.as_ptr()).i_sb) }
    }

    /// Whether this is a directory.
    pub(crate) fn is_dir(&self) -> bool {
        self.mode() & bindings::S_IFMT == bindings::S_IFDIR
    }

    /// The composite LSM blob.
    pub(crate) fn security(&self) -> *mut c_void {
        // SAFETY: The inode is alive. `i_security` is set before the inode is visible and stays
        // until it is freed.
        unsafe { (*self.as_ptr()).i_security }
    }

    /// Whether nobody can find the inode by a name any more.
    pub(crate) fn is_unlinked(&self) -> bool {
        // SAFETY: The inode is alive; the count is read without a lock, like READ_ONCE().
        let nlink =
            unsafe { (&raw const (*self.as_ptr()).__bindgen_anon_1.i_nlink).read_volatile() };
        nlink == 0
    }

    /// Takes the cookie, and makes sure that the next change of the inode changes it. There is
    /// nothing behind the inode; if there may be, see [`Path::cookie`].
    pub(crate) fn cookie(&self) -> Cookie {
        // INVARIANT: There is no `real` one.
        Cookie {
            own: self.stamp(),
            real: None,
        }
    }

    /// Takes the stamp, and makes sure that the next change of the inode changes it.
    fn stamp(&self) -> Stamp {
        let inode = self.as_ptr();
        // SAFETY: The inode is alive, and its superblock and file system type live longer.
        let (type_flags, sb_flags) = unsafe {
            let sb = (*inode).i_sb;
            ((*(*sb).s_type).fs_flags, (*sb).s_flags)
        };
        if type_flags & bindings::FS_MGTIME as i32 != 0 {
            let mut stat = MaybeUninit::<bindings::kstat>::zeroed();
            // Marks the change time as seen, so that the next change gets a later one.
            // SAFETY: The inode is alive, and all bytes of `stat` may be zero.
            let ctime = unsafe {
                bindings::fill_mg_cmtime(stat.as_mut_ptr(), bindings::STATX_CTIME, inode);
                stat.assume_init().ctime
            };
            return Stamp {
                version: None,
                ctime_sec: ctime.tv_sec,
                ctime_nsec: ctime.tv_nsec as u32,
            };
        }
        // Elsewhere `i_version` may be a number of the file system's own, not to be touched.
        let version = (sb_flags & bindings::SB_I_VERSION != 0).then(|| {
            // SAFETY: The inode is alive.
            unsafe { bindings::inode_query_iversion(inode) }
        });
        self.stamp_with(version)
    }

    /// Whether the inode still is what it was when `cookie` was taken. Writes nothing and takes no
    /// lock.
    ///
    /// # Safety
    ///
    /// The cookie was taken from this inode, which had not passed `security_inode_free()` at some
    /// moment after the guard's read-side critical section began.
    pub(crate) unsafe fn matches(&self, cookie: &Cookie, guard: &rcu::Guard) -> bool {
        self.has(&cookie.own)
            && cookie.real.as_deref().is_none_or(|(real, stamp)| {
                // SAFETY: By the invariants of the cookie, the real inode was not given back before
                // this one passed that function, after which it is destroyed. What is given back
                // after a read-side critical section began stays in memory to its end.
                unsafe { real.get(guard) }.has(stamp)
            })
    }

    /// Whether the inode was not changed since `stamp` was taken.
    fn has(&self, stamp: &Stamp) -> bool {
        let version = stamp.version.map(|_| {
            // SAFETY: The inode is alive.
            unsafe { bindings::inode_peek_iversion(self.as_ptr()) }
        });
        self.stamp_with(version) == *stamp
    }

    fn stamp_with(&self, version: Option<u64>) -> Stamp {
        let inode = self.as_ptr();
        // SAFETY: The inode is alive. C writes the fields without a lock; they are read like with
        // READ_ONCE(). Where a word has 32 bits, the seconds may be torn while they change, to a
        // value that matches no cookie for longer than that.
        let (ctime_sec, ctime_nsec) = unsafe {
            (
                (&raw const (*inode).i_ctime_sec).read_volatile(),
                (&raw const (*inode).i_ctime_nsec).read_volatile(),
            )
        };
        Stamp {
            version,
            ctime_sec,
            // The top bit says that somebody has seen the time, which is no change.
            ctime_nsec: ctime_nsec & !I_CTIME_QUERIED,
        }
    }

    /// Takes the cookie of a directory while no entry is being changed: what is looked up in the
    /// directory afterwards, and found while the cookie matches, is what its entries are. Takes
    /// the inode's lock, so it may sleep.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the directory was removed.
    pub(crate) fn settled_cookie(&self) -> Result<Cookie> {
        // SAFETY: The inode is alive.
        unsafe { bindings::inode_lock_shared(self.as_ptr()) };
        let cookie = self.cookie();
        // SAFETY: The inode is alive; the flag changes under the lock.
        let dead = unsafe { (*self.as_ptr()).i_flags } & bindings::S_DEAD != 0;
        // SAFETY: The lock was taken by this function.
        unsafe { bindings::inode_unlock_shared(self.as_ptr()) };
        if dead {
            return Err(ENOENT);
        }
        Ok(cookie)
    }

    /// Runs `f` under `i_lock`. `f` must not sleep.
    pub(crate) fn with_lock<R>(&self, f: impl FnOnce() -> R) -> R {
        // SAFETY: The inode is alive, so its lock is initialised.
        let lock = unsafe { &raw mut (*self.as_ptr()).i_lock };
        // SAFETY: As above.
        unsafe { bindings::spin_lock(lock) };
        let result = f();
        // SAFETY: The lock was taken by this function.
        unsafe { bindings::spin_unlock(lock) };
        result
    }
}

/// `I_CTIME_QUERIED` of `include/linux/fs.h`.
const I_CTIME_QUERIED: u32 = 1 << 31;

/// The address of an inode, kept for comparison and for looking at it under RCU.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct InodePtr(NonNull<bindings::inode>);

// SAFETY: Only an address; using it takes `unsafe`.
unsafe impl Send for InodePtr {}

// SAFETY: As above.
unsafe impl Sync for InodePtr {}

impl InodePtr {
    /// The address of `inode`.
    pub(crate) fn new(inode: &Inode) -> Self {
        // SAFETY: A reference is never null.
        Self(unsafe { NonNull::new_unchecked(inode.as_ptr()) })
    }

    /// Whether this is the address of `inode`.
    pub(crate) fn is(self, inode: &Inode) -> bool {
        self.0.as_ptr() == inode.as_ptr()
    }

    /// Borrows the inode under RCU.
    ///
    /// # Safety
    ///
    /// After `_guard`'s read-side critical section began, there must have been a moment at which
    /// the inode had not yet passed `security_inode_free()`, or had been kept by one that had not.
    /// Its memory is then valid until the section ends: inodes are freed a grace period after that
    /// call, which path walks under RCU depend on as well.
    pub(crate) unsafe fn get<'g>(self, _guard: &'g rcu::Guard) -> &'g Inode {
        // SAFETY: By the contract of this function.
        unsafe { Inode::from_raw(self.0.as_ptr()) }
    }
}

/// A reference to an inode.
///
/// Keeps the inode in memory, but not its superblock: see [`crate::blob::pin`].
pub(crate) struct InodeRef(NonNull<bindings::inode>);

// SAFETY: References to inodes may be used and dropped from any task.
unsafe impl Send for InodeRef {}

impl InodeRef {
    /// Takes a reference, unless the inode is about to be freed. Takes `i_lock`.
    pub(crate) fn grab(inode: &Inode) -> Option<Self> {
        // SAFETY: The inode is alive.
        NonNull::new(unsafe { bindings::igrab(inode.as_ptr()) }).map(Self)
    }
}

impl Deref for InodeRef {
    type Target = Inode;

    fn deref(&self) -> &Inode {
        // SAFETY: We hold a reference to the inode.
        unsafe { Inode::from_raw(self.0.as_ptr()) }
    }
}

impl Drop for InodeRef {
    /// May sleep.
    fn drop(&mut self) {
        // SAFETY: The reference is ours and is not used any more.
        unsafe { bindings::iput(self.0.as_ptr()) };
    }
}

/// A `struct super_block` that is alive.
///
/// # Invariants
///
/// The superblock is not freed while a reference to it exists.
#[repr(transparent)]
pub(crate) struct SuperBlock(Opaque<bindings::super_block>);

impl SuperBlock {
    /// Borrows a superblock.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a superblock that is not freed during `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *const bindings::super_block) -> &'a Self {
        // SAFETY: The types have the same layout, the caller vouches for the rest.
        unsafe { &*ptr.cast() }
    }

    /// Whether both are the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }

    /// The composite LSM blob.
    pub(crate) fn security(&self) -> *mut c_void {
        // SAFETY: The superblock is alive, and `s_security` does not change while it is.
        unsafe { (*self.0.get()).s_security }
    }
}

/// A `struct dentry` that is alive.
///
/// # Invariants
///
/// The dentry is referenced, or cannot go away for another reason, while a reference to it exists.
#[repr(transparent)]
pub(crate) struct Dentry(Opaque<bindings::dentry>);

impl Dentry {
    /// Borrows a dentry.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a dentry that stays alive, and does not become negative, during `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *const bindings::dentry) -> &'a Self {
        // SAFETY: The types have the same layout, the caller vouches for the rest.
        unsafe { &*ptr.cast() }
    }

    /// The inode that callers see, or none if the dentry is negative.
    pub(crate) fn inode(&self) -> Option<&Inode> {
        // SAFETY: The dentry is alive; `d_inode` may be read without a lock, like d_inode_rcu().
        let inode = unsafe { (&raw const (*self.0.get()).d_inode).read_volatile() };
        if inode.is_null() {
            None
        } else {
            // SAFETY: A referenced dentry holds a reference to its inode.
            Some(unsafe { Inode::from_raw(inode) })
        }
    }

    /// Reads the extended attribute `name` into `buf`, without any permission check.
    ///
    /// Returns the value, or [`None`] if there is no such attribute, also where the file system
    /// has none at all.
    ///
    /// # Errors
    ///
    /// `ERANGE` if the value does not fit, else what the file system says.
    pub(crate) fn xattr<'b>(&self, name: &CStr, buf: &'b mut [u8]) -> Result<Option<&'b [u8]>> {
        let Some(inode) = self.inode() else {
            return Ok(None);
        };
        // SAFETY: Dentry and inode are alive, `name` is NUL-terminated, and `buf` has the length
        // that is passed.
        let len = unsafe {
            bindings::__vfs_getxattr(
                self.0.get(),
                inode.as_ptr(),
                name.as_char_ptr(),
                buf.as_mut_ptr().cast(),
                buf.len(),
            )
        };
        match usize::try_from(len) {
            Ok(len) => Ok(Some(buf.get(..len).ok_or(ERANGE)?)),
            Err(_) => match Error::from_errno(len as c_int) {
                e if e == ENODATA || e == EOPNOTSUPP => Ok(None),
                e => Err(e),
            },
        }
    }
}

/// A `struct file` that somebody has open.
///
/// # Invariants
///
/// The file is referenced while a reference to it exists.
#[repr(transparent)]
pub(crate) struct File(Opaque<bindings::file>);

impl File {
    /// Borrows a file.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a file that is not freed during `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *const bindings::file) -> &'a Self {
        // SAFETY: The types have the same layout, the caller vouches for the rest.
        unsafe { &*ptr.cast() }
    }

    /// The dentry under which the file was opened.
    pub(crate) fn dentry(&self) -> Option<&Dentry> {
        // SAFETY: The file is alive and `f_path` does not change while it is.
        let dentry = unsafe { (*self.0.get()).__bindgen_anon_1.f_path.dentry };
        if dentry.is_null() {
            None
        } else {
            // SAFETY: An open file holds a reference to its dentry, which stays positive.
            Some(unsafe { Dentry::from_raw(dentry) })
        }
    }

    /// Whether the file was opened for writing.
    pub(crate) fn opened_for_write(&self) -> bool {
        // SAFETY: The file is alive; this bit of `f_mode` does not change after opening.
        unsafe { (*self.0.get()).f_mode & bindings::FMODE_WRITE != 0 }
    }

    /// The composite LSM blob.
    pub(crate) fn security(&self) -> *mut c_void {
        // SAFETY: The file is alive and `f_security` does not change while it is.
        unsafe { (*self.0.get()).f_security }
    }
}

/// Makes the current task act with the kernel's credentials while it lives.
///
/// Lists are found and read for the kernel, whichever task happens to need one first: neither what
/// that task may see nor who it is must make a difference, to the file system or to a provider.
struct KernelCreds {
    task: *const bindings::cred,
    /// Credentials are per task: the guard must be dropped by the task that made it.
    _not_send: NotThreadSafe,
}

impl KernelCreds {
    fn new() -> Self {
        // SAFETY: Kernel credentials live for ever. What was in force is put back by `drop`.
        let task = unsafe { bindings::override_creds(bindings::kernel_cred()) };
        Self {
            task,
            _not_send: NotThreadSafe,
        }
    }
}

impl Drop for KernelCreds {
    fn drop(&mut self) {
        // SAFETY: `task` are the credentials that `new` replaced, in the same task; nested guards
        // are dropped in reverse order because they are only made as locals of functions.
        unsafe { bindings::revert_creds(self.task) };
    }
}

/// An owned `struct path`: references to a mount and to a positive dentry.
pub(crate) struct Path(bindings::path);

// SAFETY: The references may be used and dropped from any task.
unsafe impl Send for Path {}

impl Path {
    /// The root directory of the init process.
    fn init_root() -> Self {
        let mut path = MaybeUninit::<bindings::path>::uninit();
        // SAFETY: The state of the init process is there from early boot on, for ever; `path` is
        // valid for writing and is written.
        unsafe {
            bindings::get_fs_root(bindings::userspace_init_fs, path.as_mut_ptr());
            Self(path.assume_init())
        }
    }

    /// Looks `name` up from here.
    fn walk(&self, name: &CStr, flags: u32) -> Result<Self> {
        let _creds = KernelCreds::new();
        let mut path = MaybeUninit::<bindings::path>::uninit();
        // SAFETY: The start is a valid dentry and mount, `name` is NUL-terminated, and `path` is
        // valid for writing.
        to_result(unsafe {
            bindings::vfs_path_lookup(
                self.0.dentry,
                self.0.mnt,
                name.as_char_ptr(),
                flags,
                path.as_mut_ptr(),
            )
        })?;
        // SAFETY: A successful lookup wrote the path and took the references.
        Ok(Self(unsafe { path.assume_init() }))
    }

    /// Looks `name` up from the root of the init process, whoever asks (invariant 10 of the
    /// design). May sleep.
    ///
    /// Follows symbolic links; the second value says whether a [`TreeSeq`] tells when the path
    /// leads elsewhere. It does not if there is a symbolic link in the path, which can be replaced
    /// without anything being moved, or if the file system decides itself what names lead to.
    pub(crate) fn lookup(name: &CStr) -> Result<(Self, bool)> {
        let root = Self::init_root();
        let follow = bindings::LOOKUP_FOLLOW;
        // Following at the end is what makes a symbolic link there an error, too.
        let (path, plain) = match root.walk(name, follow | bindings::LOOKUP_NO_SYMLINKS) {
            Err(e) if e == ELOOP => (root.walk(name, follow)?, false),
            path => (path?, true),
        };
        // SAFETY: The path holds a reference to the dentry; the flag does not change.
        let flags = unsafe { (&raw const (*path.0.dentry).d_flags).read_volatile() };
        let local = flags & bindings::dentry_flags_DCACHE_OP_REVALIDATE == 0;
        Ok((path, plain && local))
    }

    /// Looks `name` up in this directory. Crosses no mount and follows no symbolic link: what is
    /// found belongs to the directory itself. May sleep.
    pub(crate) fn child(&self, name: &CStr) -> Result<Self> {
        self.walk(
            name,
            bindings::LOOKUP_NO_SYMLINKS | bindings::LOOKUP_NO_XDEV,
        )
    }

    /// The dentry at the end of the path.
    pub(crate) fn dentry(&self) -> &Dentry {
        // SAFETY: The path holds a reference to the dentry.
        unsafe { Dentry::from_raw(self.0.dentry) }
    }

    /// Takes the [`Cookie`] of the inode at the end of the path, the inode behind it included. May
    /// sleep.
    ///
    /// # Errors
    ///
    /// `ENOENT` if it was removed since the lookup, `ENOMEM`.
    pub(crate) fn cookie(&self) -> Result<Cookie> {
        let inode = self.inode()?;
        let mut cookie = inode.cookie();
        // SAFETY: The path holds a reference to the dentry. Of directories, the function gives what
        // callers see.
        let real = unsafe { bindings::d_real_inode(self.0.dentry) };
        if real != inode.as_ptr() && !real.is_null() {
            // SAFETY: The inode that callers see has references to what it may be copied up from
            // and to, until it is destroyed.
            let real = unsafe { Inode::from_raw(real) };
            // INVARIANT: As above.
            cookie.real = Some(KBox::new((InodePtr::new(real), real.stamp()), GFP_KERNEL)?);
        }
        Ok(cookie)
    }

    /// The inode at the end of the path.
    ///
    /// # Errors
    ///
    /// `ENOENT` if it was removed since the lookup.
    pub(crate) fn inode(&self) -> Result<&Inode> {
        self.dentry().inode().ok_or(ENOENT)
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        // SAFETY: The references are ours and are not used any more.
        unsafe { bindings::path_put(&self.0) };
    }
}

/// Counters of the kernel that change whenever a path may lead elsewhere than before.
///
/// `rename_lock` is written by every move of a dentry, `mount_lock` by every change of a mount
/// tree, and the lock of the init process's root directory when it gets another one; all when the
/// change takes effect, and without a hook.
pub(crate) struct TreeSeq {
    renames: Atomic<u32>,
    mounts: Atomic<u32>,
    roots: Atomic<u32>,
}

impl TreeSeq {
    /// The counters now, to be taken before a path is looked up.
    pub(crate) fn now() -> Self {
        // SAFETY: The locks are static, or live for ever, and initialised at build time.
        unsafe {
            Self {
                renames: Atomic::new(bindings::read_seqbegin(&raw const bindings::rename_lock)),
                mounts: Atomic::new(bindings::read_seqbegin(&raw const bindings::mount_lock)),
                roots: Atomic::new(bindings::read_seqbegin(
                    &raw const (*bindings::userspace_init_fs).seq,
                )),
            }
        }
    }

    /// Takes over the counters of a later look-up that led to the same place.
    ///
    /// Of several tasks that do this at once, each may contribute some: each counter stands for a
    /// moment at which the path led to that place, and a change after it shows.
    pub(crate) fn advance(&self, to: &TreeSeq) {
        self.renames.store(to.renames.load(Relaxed), Relaxed);
        self.mounts.store(to.mounts.load(Relaxed), Relaxed);
        self.roots.store(to.roots.load(Relaxed), Relaxed);
    }

    /// Whether nothing was moved or mounted since.
    #[inline]
    pub(crate) fn unchanged(&self) -> bool {
        // Nothing has to be ordered: the counters only grow, so all were the same when the first
        // was read. A number of ours may be replaced meanwhile by that of a look-up that found the
        // path to lead where it led: then it did so during this call, or nothing has changed since.
        // SAFETY: As in `now`.
        unsafe {
            read_once(&self.renames) == sequence(&raw const bindings::rename_lock)
                && read_once(&self.mounts) == sequence(&raw const bindings::mount_lock)
                && read_once(&self.roots) == sequence(&raw const (*bindings::userspace_init_fs).seq)
        }
    }
}

/// The counter of a lock, as `READ_ONCE()` gives it.
///
/// # Safety
///
/// `lock` points to a lock that is initialised.
#[inline]
unsafe fn sequence(lock: *const bindings::seqlock_t) -> u32 {
    // SAFETY: By the contract of this function.
    unsafe { (&raw const (*lock).seqcount.seqcount.sequence).read_volatile() }
}

/// A digest list, or the directory of digest lists, opened by the digest cache for itself.
///
/// It is opened with the kernel's credentials, whichever task asks, without the hooks for opening
/// that integrity providers have, so that nobody asks for a digest cache on its behalf, and without
/// asking listeners of fanotify, who may be waiting for this very digest cache.
pub(crate) struct ListFile(NonNull<bindings::file>);

impl ListFile {
    /// Opens the file or directory at `path` for reading. May sleep.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let _creds = KernelCreds::new();
        // SAFETY: `path` holds references to its mount and dentry, and kernel credentials live for
        // ever.
        let file = from_err_ptr(unsafe {
            bindings::dentry_open_nonotify(
                &path.0,
                (bindings::O_RDONLY | bindings::O_LARGEFILE | bindings::O_NOATIME) as c_int,
                bindings::kernel_cred(),
            )
        })?;
        Ok(Self(NonNull::new(file).ok_or(ENOENT)?))
    }

    /// Reads the whole file as a digest list: integrity providers are asked before and after, and
    /// nobody can write to it meanwhile. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the file is empty or not regular, `ETXTBSY` if somebody has it open for writing,
    /// `EFBIG` if it has more than `max` bytes, `ENOMEM`, what the file system says, and what a
    /// provider says (IMA: `EACCES`).
    pub(crate) fn read(&self, max: usize) -> Result<FileBuf> {
        let _creds = KernelCreds::new();
        let mut buf: *mut c_void = null_mut();
        // SAFETY: The file is open, and `buf` asks the function to allocate.
        let len = unsafe {
            bindings::kernel_read_file(
                self.0.as_ptr(),
                0,
                &mut buf,
                max,
                null_mut(),
                bindings::kernel_read_file_id_READING_DIGEST_LIST,
            )
        };
        match usize::try_from(len) {
            Ok(len) => Ok(FileBuf {
                ptr: NonNull::new(buf.cast()).ok_or(EIO)?,
                len,
            }),
            Err(_) => Err(Error::from_errno(len as c_int)),
        }
    }

    /// Calls `f` with the name of each entry of the directory, in directory order, until `f`
    /// fails. May sleep.
    pub(crate) fn for_each_entry<F: FnMut(&[u8]) -> Result>(&self, f: F) -> Result {
        let _creds = KernelCreds::new();
        let mut walk = Walk {
            ctx: bindings::dir_context {
                actor: Some(Walk::<F>::actor),
                pos: 0,
                count: c_int::MAX,
                dt_flags_mask: 0,
            },
            f,
            result: Ok(()),
        };
        // SAFETY: The file is open, and the context is the first field of a `Walk` that lives
        // through the call.
        to_result(unsafe { bindings::iterate_dir(self.0.as_ptr(), (&raw mut walk).cast()) })?;
        walk.result
    }
}

impl Deref for ListFile {
    type Target = File;

    fn deref(&self) -> &File {
        // SAFETY: We hold a reference to the file.
        unsafe { File::from_raw(self.0.as_ptr()) }
    }
}

impl Drop for ListFile {
    fn drop(&mut self) {
        // SAFETY: The reference is ours and the file is not used any more.
        unsafe { bindings::fput(self.0.as_ptr()) };
    }
}

/// The state of [`ListFile::for_each_entry`], reached from C through its first field.
#[repr(C)]
struct Walk<F> {
    ctx: bindings::dir_context,
    f: F,
    result: Result,
}

impl<F: FnMut(&[u8]) -> Result> Walk<F> {
    /// # Safety
    ///
    /// Only to be called by `iterate_dir()` with the context of a [`Walk<F>`], and with `name`
    /// having `len` bytes.
    unsafe extern "C" fn actor(
        ctx: *mut bindings::dir_context,
        name: *const kernel::ffi::c_char,
        len: c_int,
        _pos: bindings::loff_t,
        _ino: u64,
        _type: u32,
    ) -> bool {
        // SAFETY: `ctx` is the first field of a `Walk<F>` that nobody else uses during the call.
        let walk = unsafe { &mut *ctx.cast::<Self>() };
        // SAFETY: By the contract of this function.
        let name = unsafe { slice::from_raw_parts(name.cast(), usize::try_from(len).unwrap_or(0)) };
        // Some file systems go on although they were told to stop.
        if walk.result.is_ok() {
            walk.result = (walk.f)(name);
        }
        walk.result.is_ok()
    }
}

/// The content of a digest list, as read by [`ListFile::read`].
///
/// # Invariants
///
/// `ptr` is a vmalloc allocation of at least `len` initialised bytes, owned by this object.
pub(crate) struct FileBuf {
    ptr: NonNull<u8>,
    len: usize,
}

impl Deref for FileBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: By the type invariants.
        unsafe { slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }
}

impl Drop for FileBuf {
    fn drop(&mut self) {
        // SAFETY: By the type invariants; the memory is not used any more.
        unsafe { bindings::kvfree(self.ptr.as_ptr().cast()) };
    }
}
