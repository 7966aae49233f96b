// SPDX-License-Identifier: GPL-2.0-only

//! The part of the VFS that the digest cache needs, behind safe types.
//!
//! The `kernel` crate has no abstractions of inodes, dentries, paths or directory reading yet.
//! The types here are thin: borrowed C objects ([`Inode`], [`Dentry`]), owned references
//! ([`Path`], [`ListFile`]), and the change cookie that tells whether an inode is still what it
//! was ([`Cookie`]).
//!
//! C headers: [`include/linux/fs.h`](srctree/include/linux/fs.h),
//! [`include/linux/namei.h`](srctree/include/linux/namei.h),
//! [`include/linux/iversion.h`](srctree/include/linux/iversion.h),
//! [`include/linux/kernel_read_file.h`](srctree/include/linux/kernel_read_file.h)
//!
//! # Locking
//!
//! [`Path`] lookups, [`ListFile`] and [`Dentry::xattr`] may sleep and take inode locks: call them
//! without any lock. [`Inode::with_lock`] takes `i_lock`, a spinlock.

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
    sync::rcu,
    types::{NotThreadSafe, Opaque},
};

/// What an inode's content or attributes looked like at some time.
///
/// Two equal cookies of one inode mean that nothing happened to it in between, as far as its file
/// system can tell: `i_version` counts changes where it is kept up, and the change time is taken
/// along for file systems that have only that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cookie {
    version: u64,
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

    /// Takes the cookie and makes sure that the next change of the inode changes it.
    pub(crate) fn cookie_query(&self) -> Cookie {
        // SAFETY: The inode is alive, and its superblock and file system type live longer.
        let multigrain =
            unsafe { (*(*(*self.as_ptr()).i_sb).s_type).fs_flags } & bindings::FS_MGTIME as i32;
        if multigrain != 0 {
            let mut stat = MaybeUninit::<bindings::kstat>::zeroed();
            // Marks the change time as seen, so that the next change gets a fine-grained one.
            // SAFETY: The inode is alive, and all bytes of `stat` may be zero.
            unsafe {
                bindings::fill_mg_cmtime(stat.as_mut_ptr(), bindings::STATX_CTIME, self.as_ptr())
            };
        }
        // SAFETY: The inode is alive.
        let version = unsafe { bindings::inode_query_iversion(self.as_ptr()) };
        self.cookie_with(version)
    }

    /// The cookie as it is now, for comparison with one from [`Inode::cookie_query`].
    ///
    /// Writes nothing and takes no lock.
    pub(crate) fn cookie_peek(&self) -> Cookie {
        // SAFETY: The inode is alive.
        let version = unsafe { bindings::inode_peek_iversion(self.as_ptr()) };
        self.cookie_with(version)
    }

    fn cookie_with(&self, version: u64) -> Cookie {
        let inode = self.as_ptr();
        // SAFETY: The inode is alive. The fields are written without a lock by C, as integers of
        // machine size or less; the reads are volatile like READ_ONCE().
        let (ctime_sec, ctime_nsec) = unsafe {
            (
                (&raw const (*inode).i_ctime_sec).read_volatile(),
                (&raw const (*inode).i_ctime_nsec).read_volatile(),
            )
        };
        Cookie {
            version,
            ctime_sec,
            // The top bit says that user space has seen the time, which is no change.
            ctime_nsec: ctime_nsec & !I_CTIME_QUERIED,
        }
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
    /// the inode had not yet passed `security_inode_free()`. Its memory is then valid until the
    /// section ends: inodes are freed a grace period after that call, which path walks under RCU
    /// depend on as well.
    pub(crate) unsafe fn get<'g>(self, _guard: &'g rcu::Guard) -> &'g Inode {
        // SAFETY: By the contract of this function.
        unsafe { Inode::from_raw(self.0.as_ptr()) }
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
    /// Looks `name` up from the root, and in the mount namespace, of the init process, whoever
    /// asks (invariant 10 of the design). Follows symbolic links. May sleep.
    pub(crate) fn lookup(name: &CStr) -> Result<Self> {
        let _creds = KernelCreds::new();
        let mut path = MaybeUninit::<bindings::path>::uninit();
        // SAFETY: `name` is NUL-terminated and `path` is valid for writing.
        to_result(unsafe {
            bindings::kern_path_init_fs(
                name.as_char_ptr(),
                bindings::LOOKUP_FOLLOW,
                path.as_mut_ptr(),
            )
        })?;
        // SAFETY: A successful lookup wrote the path and took the references.
        Ok(Self(unsafe { path.assume_init() }))
    }

    /// Looks `name` up in this directory. Crosses no mount and follows no symbolic link: what is
    /// found belongs to the directory itself. May sleep.
    pub(crate) fn child(&self, name: &CStr) -> Result<Self> {
        let _creds = KernelCreds::new();
        let mut path = MaybeUninit::<bindings::path>::uninit();
        // SAFETY: The start is a valid dentry and mount, `name` is NUL-terminated, and `path` is
        // valid for writing.
        to_result(unsafe {
            bindings::vfs_path_lookup(
                self.0.dentry,
                self.0.mnt,
                name.as_char_ptr(),
                bindings::LOOKUP_NO_SYMLINKS | bindings::LOOKUP_NO_XDEV,
                path.as_mut_ptr(),
            )
        })?;
        // SAFETY: As in `lookup`.
        Ok(Self(unsafe { path.assume_init() }))
    }

    /// The inode at the end of the path.
    ///
    /// # Errors
    ///
    /// `ENOENT` if it was removed since the lookup.
    pub(crate) fn inode(&self) -> Result<&Inode> {
        // SAFETY: The path holds a reference to the dentry.
        unsafe { Dentry::from_raw(self.0.dentry) }
            .inode()
            .ok_or(ENOENT)
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        // SAFETY: The references are ours and are not used any more.
        unsafe { bindings::path_put(&self.0) };
    }
}

/// Two counters of the kernel that change whenever a path may lead elsewhere than before.
///
/// `rename_lock` is written by every move of a dentry and `mount_lock` by every change of a mount
/// tree, both when the change takes effect, and neither asks for a hook.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TreeSeq {
    renames: u32,
    mounts: u32,
}

impl TreeSeq {
    /// The counters now, to be taken before a path is looked up.
    pub(crate) fn now() -> Self {
        // SAFETY: Both locks are static and initialised at build time.
        unsafe {
            Self {
                renames: bindings::read_seqbegin(&raw const bindings::rename_lock),
                mounts: bindings::read_seqbegin(&raw const bindings::mount_lock),
            }
        }
    }

    /// Whether nothing was moved or mounted since.
    pub(crate) fn unchanged(self) -> bool {
        // SAFETY: As above.
        unsafe {
            bindings::read_seqretry(&raw const bindings::rename_lock, self.renames) == 0
                && bindings::read_seqretry(&raw const bindings::mount_lock, self.mounts) == 0
        }
    }

    /// As one number, to be kept in an atomic variable.
    pub(crate) fn pack(self) -> u64 {
        u64::from(self.renames) << 32 | u64::from(self.mounts)
    }

    /// The inverse of [`TreeSeq::pack`].
    pub(crate) fn unpack(packed: u64) -> Self {
        Self {
            renames: (packed >> 32) as u32,
            mounts: packed as u32,
        }
    }
}

/// A digest list, or the directory of digest lists, opened by the digest cache for itself.
///
/// It is opened with the kernel's credentials, whichever task asks, and without the hooks for
/// opening that integrity providers have: nobody asks for a digest cache on its behalf.
pub(crate) struct ListFile(NonNull<bindings::file>);

impl ListFile {
    /// Opens the file or directory at `path` for reading. May sleep.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let _creds = KernelCreds::new();
        // SAFETY: `path` holds references to its mount and dentry, and kernel credentials live for
        // ever.
        let file = from_err_ptr(unsafe {
            bindings::dentry_open(
                &path.0,
                (bindings::O_RDONLY | bindings::O_LARGEFILE) as c_int,
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
        walk.result = (walk.f)(name);
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
