// SPDX-License-Identifier: GPL-2.0-only

//! The client API for C: the functions of `include/linux/digest_cache.h`.
//!
//! Clients see an opaque `struct digest_cache`, which is an [`RcuRef<DigestCache>`] given away.
//! The prototypes are checked against the header by [`export`].

use core::{
    ffi::c_void,
    ptr::{null_mut, NonNull},
    slice,
};
use kernel::{bindings, ffi::c_char, prelude::*, str::CStr};

use crate::{
    blob,
    cache::{Content, DigestCache},
    lsm::Lsm,
    parsers::algo::HashAlgo,
    rcuref::RcuRef,
    resolve,
    vfs::File,
    DigestCacheLsm,
};

/// Gives a reference to C.
fn give(cache: Option<RcuRef<DigestCache>>) -> *mut bindings::digest_cache {
    cache.map_or(null_mut(), |cache| RcuRef::into_raw(cache).as_ptr().cast())
}

/// Borrows a reference that C holds and calls `f` with it; `default` if there is none.
///
/// # Safety
///
/// `cache` is null or was given by [`give`], and C keeps its reference during the call.
unsafe fn with<R>(
    cache: *mut bindings::digest_cache,
    default: R,
    f: impl FnOnce(&RcuRef<DigestCache>) -> R,
) -> R {
    match NonNull::new(cache.cast::<c_void>()) {
        None => default,
        Some(cache) => {
            // SAFETY: By the contract of this function.
            let cache = unsafe { RcuRef::<DigestCache>::borrow_raw(cache) };
            f(&cache)
        }
    }
}

/// digest_cache_get - Get the digest cache for verifying a file
///
/// Loads the digest list of `file`, if nobody has yet. Returns a digest cache with a reference, to
/// be dropped with digest_cache_put(), or NULL if there is none, it is invalid, the LSM is off, or
/// `file` was opened by the digest cache itself.
///
/// Context: process context, may sleep. The caller holds no lock under which a file can be opened
/// and read.
///
/// # Safety
///
/// `file` points to an open file.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_get(
    file: *mut bindings::file,
) -> *mut bindings::digest_cache {
    if !DigestCacheLsm::is_active() || file.is_null() {
        return null_mut();
    }
    // SAFETY: By the contract of this function.
    give(resolve::get(unsafe { File::from_raw(file) }))
}

/// digest_cache_put - Drop a reference to a digest cache
///
/// Does nothing if `digest_cache` is NULL.
///
/// Context: any but NMI.
///
/// # Safety
///
/// `digest_cache` is NULL or comes from a function of this API, and the caller owns the reference
/// that came with it and does not use it any more.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_put(digest_cache: *mut bindings::digest_cache) {
    if let Some(cache) = NonNull::new(digest_cache.cast::<c_void>()) {
        // SAFETY: By the contract of this function.
        drop(unsafe { RcuRef::<DigestCache>::from_raw(cache) });
    }
}

/// digest_cache_lookup - Look the digest of a file up
///
/// `dentry` is that of the file, for messages; it may be NULL. `digest` has the size that belongs
/// to `algo`. Returns the digest cache of the list that has the digest, with a reference, NULL if
/// there is none, or ERR_PTR(-EAGAIN) if `digest_cache` has been reset since digest_cache_get(),
/// which the caller then calls again.
///
/// Context: process context, may sleep (for a directory of lists, which are loaded as needed).
///
/// # Safety
///
/// `digest_cache` comes from digest_cache_get() and the caller holds the reference; `digest` points
/// to as many bytes as a digest of `algo` has.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_lookup(
    _dentry: *mut bindings::dentry,
    digest_cache: *mut bindings::digest_cache,
    digest: *const u8,
    algo: bindings::hash_algo,
) -> *mut bindings::digest_cache {
    let Some(algo) = HashAlgo::from_raw(algo) else {
        return null_mut();
    };
    // SAFETY: By the contract of this function.
    let digest = unsafe { slice::from_raw_parts(digest, algo.digest_size()) };
    // SAFETY: By the contract of this function.
    let found = unsafe { with(digest_cache, Ok(None), |cache| lookup(cache, algo, digest)) };
    match found {
        Ok(found) => give(found),
        // SAFETY: Makes a pointer from a number.
        Err(e) => unsafe { bindings::ERR_PTR(e.to_errno() as isize) }.cast(),
    }
}

/// See [`digest_cache_lookup`].
pub(crate) fn lookup(
    cache: &RcuRef<DigestCache>,
    algo: HashAlgo,
    digest: &[u8],
) -> Result<Option<RcuRef<DigestCache>>> {
    resolve::confirm(cache)?;
    match cache.content() {
        Some(Content::List(tables)) => Ok(tables.contains(algo, digest).then(|| cache.clone())),
        Some(Content::Dir(dir)) => dir.lookup(cache, algo, digest),
        None => Ok(None),
    }
}

/// digest_cache_id - Number of a digest cache
///
/// Returns a number that no other digest cache had or will have, never 0, or 0 if `digest_cache` is
/// NULL. A provider that remembers a decision remembers the number with it: as long as
/// digest_cache_get() returns a cache of that number, the decision stands. The number of the cache
/// of a directory changes with every change of the directory and of the lists in it.
///
/// Context: any.
///
/// # Safety
///
/// `digest_cache` is NULL, or the caller holds a reference to it.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_id(digest_cache: *mut bindings::digest_cache) -> u64 {
    // SAFETY: By the contract of this function.
    unsafe { with(digest_cache, 0, |cache| cache.id()) }
}

/// digest_cache_algos - Hash algorithms of a digest cache
///
/// Returns a mask in which bit N says that there are file digests of algorithm N of enum hash_algo.
/// For a directory of lists, all of them are loaded. 0 if the cache has been reset.
///
/// Context: process context, may sleep.
///
/// # Safety
///
/// `digest_cache` is NULL, or the caller holds a reference to it.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_algos(
    digest_cache: *mut bindings::digest_cache,
) -> u32 {
    // SAFETY: By the contract of this function.
    unsafe {
        with(digest_cache, 0, |cache| match cache.content() {
            _ if resolve::confirm(cache).is_err() => 0,
            Some(Content::List(tables)) => tables.algos(),
            Some(Content::Dir(dir)) => dir.algos(cache).unwrap_or(0),
            None => 0,
        })
    }
}

/// digest_cache_opened_fd - Whether a file was opened by the digest cache itself
///
/// For providers whose locks nest when a list is verified while a file is: the list's come second.
///
/// Context: any.
///
/// # Safety
///
/// `file` points to an open file.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_opened_fd(file: *mut bindings::file) -> bool {
    // SAFETY: By the contract of this function.
    blob::is_ours(unsafe { File::from_raw(file) })
}

/// digest_cache_verif_set - Attach verification data to the list being read
///
/// To be called from a kernel_post_read_file hook with the file that it gets. `verif_id` names the
/// provider; the `size` bytes at `data` are copied.
///
/// Returns 0, -EEXIST if there is data under that id, -ENOENT if `file` is not a digest list being
/// read, -ENOSPC if too many providers (16) attached data, -E2BIG if there is too much of it
/// (4096 bytes), -EINVAL, -EAGAIN if another provider attaches data this moment, or -ENOMEM.
///
/// Context: any, never sleeps.
///
/// # Safety
///
/// `file` points to an open file, `verif_id` to a string, `data` to `size` bytes.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_verif_set(
    file: *mut bindings::file,
    verif_id: *const c_char,
    data: *const c_void,
    size: usize,
) -> kernel::ffi::c_int {
    if file.is_null() || verif_id.is_null() || data.is_null() {
        return EINVAL.to_errno();
    }
    // SAFETY: By the contract of this function.
    let (file, id, data) = unsafe {
        (
            File::from_raw(file),
            CStr::from_char_ptr(verif_id),
            slice::from_raw_parts(data.cast::<u8>(), size),
        )
    };
    let result = blob::loading(file)
        .ok_or(ENOENT)
        .and_then(|cache| cache.verification.set(id.to_bytes(), data));
    match result {
        Ok(()) => 0,
        Err(e) => e.to_errno(),
    }
}

/// digest_cache_verif_get - Verification data of a digest list
///
/// Returns what the provider `verif_id` attached when the list was read, valid while the caller
/// holds its reference to `digest_cache`, or NULL. Always NULL for a directory of lists: what
/// digest_cache_lookup() returns has the data.
///
/// Context: any.
///
/// # Safety
///
/// `digest_cache` is NULL, or the caller holds a reference to it; `verif_id` points to a string.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_verif_get(
    digest_cache: *mut bindings::digest_cache,
    verif_id: *const c_char,
) -> *mut c_void {
    // SAFETY: By the contract of this function.
    unsafe {
        with(digest_cache, null_mut(), |cache| {
            cache
                .verification
                .get(CStr::from_char_ptr(verif_id).to_bytes())
                .map_or(null_mut(), |data| data.as_ptr().cast_mut().cast())
        })
    }
}
