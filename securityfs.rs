// SPDX-License-Identifier: GPL-2.0-only

//! The files in securityfs, below `digest_cache/`.
//!
//! | file | what it is |
//! |---|---|
//! | `default_path` | the path of the digest lists: read by anybody, written by root |
//! | `caches` | the digest caches that somebody has a reference to, a line each; read by root |
//! | `stats` | what happened how often, and what is there now, a line each; read by root |
//!
//! Writing `default_path` takes `CAP_SYS_ADMIN` in the initial user namespace; it voids all digest
//! caches, even if it is the same path again.
//!
//! C headers: [`include/linux/security.h`](srctree/include/linux/security.h),
//! [`include/linux/seq_file.h`](srctree/include/linux/seq_file.h)

use core::ptr::null_mut;
use kernel::{
    bindings,
    error::from_err_ptr,
    ffi::{c_char, c_int, c_void},
    prelude::*,
    seq_file::SeqFile,
    str::CStr,
    uaccess::{UserPtr, UserSlice},
};

use crate::{resolve, show};

/// Longest write to `default_path`: `PATH_MAX` with a newline instead of the terminator.
const MAX_WRITE: usize = 4096;

/// A `struct file_operations` as a static.
struct Operations(bindings::file_operations);

// SAFETY: The table is never written to.
unsafe impl Sync for Operations {}

static DEFAULT_PATH: Operations = Operations(bindings::file_operations {
    read: Some(read_default_path),
    write: Some(write_default_path),
    llseek: Some(bindings::generic_file_llseek),
    ..pin_init::zeroed()
});

/// The operations of a file that shows what `open` says.
const fn shown(
    open: unsafe extern "C" fn(*mut bindings::inode, *mut bindings::file) -> c_int,
) -> Operations {
    Operations(bindings::file_operations {
        open: Some(open),
        read: Some(bindings::seq_read),
        llseek: Some(bindings::seq_lseek),
        release: Some(bindings::single_release),
        ..pin_init::zeroed()
    })
}

static CACHES: Operations = shown(open_caches);
static STATS: Operations = shown(open_stats);

/// Creates the files.
///
/// # Errors
///
/// What securityfs says.
pub(crate) fn init() -> Result {
    // SAFETY: The name is NUL-terminated, and null stands for the root of securityfs.
    let dir = from_err_ptr(unsafe {
        bindings::securityfs_create_dir(c"digest_cache".as_char_ptr(), null_mut())
    })?;
    let create = |name: &CStr, mode: u32, operations: &'static Operations| {
        // SAFETY: As above; `dir` was created right now, and the operations are static.
        from_err_ptr(unsafe {
            bindings::securityfs_create_file(
                name.as_char_ptr(),
                // CAST: Modes have 16 bits.
                (bindings::S_IFREG | mode) as u16,
                dir,
                null_mut(),
                &operations.0,
            )
        })
    };
    create(c"default_path", 0o644, &DEFAULT_PATH)
        .and_then(|_| create(c"caches", 0o400, &CACHES))
        .and_then(|_| create(c"stats", 0o400, &STATS))
        .inspect_err(|_| {
            // SAFETY: `dir` was created above, and is removed with what is in it.
            unsafe { bindings::securityfs_remove(dir) }
        })?;
    Ok(())
}

/// # Safety
///
/// Only to be called by the VFS, as `open` of the file.
unsafe extern "C" fn open_caches(_inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
    // SAFETY: The VFS passes the file that is being opened.
    unsafe { bindings::single_open(file, Some(show_caches), null_mut()) }
}

/// # Safety
///
/// Only to be called by the VFS, as `open` of the file.
unsafe extern "C" fn open_stats(_inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
    // SAFETY: The VFS passes the file that is being opened.
    unsafe { bindings::single_open(file, Some(show_stats), null_mut()) }
}

/// # Safety
///
/// Only to be called by `seq_read()`.
unsafe extern "C" fn show_caches(m: *mut bindings::seq_file, _v: *mut c_void) -> c_int {
    // SAFETY: The file is this call's own.
    show::caches(unsafe { SeqFile::from_raw(m) });
    0
}

/// # Safety
///
/// Only to be called by `seq_read()`.
unsafe extern "C" fn show_stats(m: *mut bindings::seq_file, _v: *mut c_void) -> c_int {
    // SAFETY: The file is this call's own.
    show::stats(unsafe { SeqFile::from_raw(m) });
    0
}

/// # Safety
///
/// Only to be called by the VFS, as `read` of the file.
unsafe extern "C" fn read_default_path(
    _file: *mut bindings::file,
    buf: *mut c_char,
    count: usize,
    pos: *mut bindings::loff_t,
) -> isize {
    let Ok(path) = resolve::default_path() else {
        return 0;
    };
    let mut line = KVec::new();
    if line
        .extend_from_slice(path.as_cstr().to_bytes(), GFP_KERNEL)
        .and_then(|()| line.extend_from_slice(b"\n", GFP_KERNEL))
        .is_err()
    {
        return ENOMEM.to_errno() as isize;
    }
    // SAFETY: `buf` is user memory, which the function checks, and `line` has the length passed.
    unsafe {
        bindings::simple_read_from_buffer(
            buf.cast(),
            count,
            pos,
            line.as_ptr().cast::<c_void>(),
            line.len(),
        )
    }
}

/// # Safety
///
/// Only to be called by the VFS, as `write` of the file.
unsafe extern "C" fn write_default_path(
    file: *mut bindings::file,
    buf: *const c_char,
    count: usize,
    pos: *mut bindings::loff_t,
) -> isize {
    // Both who opened the file and who writes to it must be allowed.
    // SAFETY: Reads the credentials of the file, which the VFS keeps open, and of the current task.
    let allowed = unsafe {
        bindings::file_ns_capable(
            file,
            &raw mut bindings::init_user_ns,
            bindings::CAP_SYS_ADMIN as c_int,
        ) && bindings::capable(bindings::CAP_SYS_ADMIN as c_int)
    };
    if !allowed {
        return EPERM.to_errno() as isize;
    }
    // SAFETY: The VFS passes a valid position.
    match set_default_path(buf, count, unsafe { *pos }) {
        Ok(()) => count as isize,
        Err(e) => e.to_errno() as isize,
    }
}

fn set_default_path(buf: *const c_char, count: usize, pos: i64) -> Result {
    if pos != 0 || count > MAX_WRITE {
        return Err(EINVAL);
    }
    let mut path = KVec::new();
    UserSlice::new(UserPtr::from_ptr(buf.cast_mut().cast()), count)
        .reader()
        .read_all(&mut path, GFP_KERNEL)?;
    resolve::set_default_path(path.strip_suffix(b"\n").unwrap_or(&path))
}
