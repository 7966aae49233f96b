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
    formats,
    lsm::Lsm,
    notifier,
    parsers::algo::HashAlgo,
    rcuref::RcuRef,
    resolve,
    stats::{self, Counter},
    trace,
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
/// there is none, the algorithm is unknown, or lists that may have it could not be loaded, or
/// ERR_PTR(-EAGAIN) if `digest_cache` has been reset since digest_cache_get(),
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
        Err(e) if e == EAGAIN => unsafe { bindings::ERR_PTR(e.to_errno() as isize) }.cast(),
        // A list that may have the digest could not be loaded: it is not known to have it.
        Err(_) => null_mut(),
    }
}

/// See [`digest_cache_lookup`].
pub(crate) fn lookup(
    cache: &RcuRef<DigestCache>,
    algo: HashAlgo,
    digest: &[u8],
) -> Result<Option<RcuRef<DigestCache>>> {
    let found = match cache.content() {
        // Confirms at the end, since lists may be loaded for it.
        Some(Content::Dir(dir)) => dir.lookup(cache, algo, digest),
        Some(Content::List(tables)) => {
            resolve::confirm(cache).map(|()| tables.contains(algo, digest).then(|| cache.clone()))
        }
        None => resolve::confirm(cache).map(|()| None),
    };
    stats::count(match &found {
        Ok(Some(_)) => Counter::Hits,
        Err(e) if *e == EAGAIN => Counter::LookupsStale,
        Ok(None) | Err(_) => Counter::Misses,
    });
    let list = found.as_ref().ok().and_then(Option::as_ref);
    trace::lookup(
        cache.id(),
        list.map_or(0, |list| list.id()),
        algo,
        found.as_ref().err().copied(),
    );
    found
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
/// For a directory of lists, all of them are loaded. 0 if the cache has been reset, or is NULL.
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
            Some(Content::List(tables)) if resolve::confirm(cache).is_ok() => tables.algos(),
            Some(Content::Dir(dir)) => dir.algos(cache).unwrap_or(0),
            Some(Content::List(_)) | None => 0,
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
/// Returns 0, -EEXIST if there is data under that id, -ENOENT if `file` is not a digest list that
/// is being loaded, -ENOSPC if too many providers (16) attached data, -E2BIG if there is too much
/// of it (4096 bytes), -EINVAL, -EAGAIN if another provider attaches data this moment, or -ENOMEM.
///
/// Context: any but NMI, as it allocates memory (and but a kprobe's handler, which runs in an
/// exception that counts as NMI); never sleeps.
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
    errno(result)
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

/// digest_cache_register_notifier - Subscribe to resets of digest caches
///
/// The notifier is called with DIGEST_CACHE_RESET and a struct digest_cache_event_data for each
/// inode that has a digest cache from digest_cache_get(), or was found to have a bad one, when that
/// is reset, or is not the digest cache of the inode any more: what was decided about the inode
/// with it is void. When it is called, digest_cache_get() for the inode returns what is right.
///
/// It is called without any lock of the kernel (but a task that runs a virtual machine holds that
/// of its vCPU), with the inode pinned, and may sleep, allocate memory, call functions of this API
/// and drop its references to inodes: before the system call that led to the reset returns to user
/// space, or from a work queue if none did. It should not wait for other tasks, which may wait for
/// the current one, nor lock superblocks, since an unmount waits for it. Its return value does not
/// matter.
///
/// Returns 0, -EEXIST if it is registered already, or -EOPNOTSUPP if the LSM is off.
///
/// Context: process context, may sleep.
///
/// # Safety
///
/// `nb` points to a notifier block that stays until it is unregistered.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_register_notifier(
    nb: *mut bindings::notifier_block,
) -> kernel::ffi::c_int {
    if !DigestCacheLsm::is_active() {
        return EOPNOTSUPP.to_errno();
    }
    // SAFETY: By the contract of this function.
    unsafe { notifier::register(nb) }
}

/// digest_cache_unregister_notifier - End a subscription
///
/// When it returns, the notifier is not being called any more. Must not be called by a notifier.
///
/// Returns 0, -ENOENT if it was not registered, or -EOPNOTSUPP if the LSM is off.
///
/// Context: process context, may sleep.
///
/// # Safety
///
/// `nb` points to a notifier block.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_unregister_notifier(
    nb: *mut bindings::notifier_block,
) -> kernel::ffi::c_int {
    if !DigestCacheLsm::is_active() {
        return EOPNOTSUPP.to_errno();
    }
    // SAFETY: By the contract of this function.
    unsafe { notifier::unregister(nb) }
}

/// digest_cache_register_parser - Register the parser of a format of digest lists
///
/// Digest lists of that format that could not be parsed before are tried again when they are asked
/// for.
///
/// Returns 0, -EINVAL if the parser has no function, or its name cannot be that of a format,
/// -EEXIST if there is a parser for the format, -ENOMEM, or -EOPNOTSUPP if the LSM is off.
///
/// Context: process context, may sleep.
///
/// # Safety
///
/// `parser` points to a structure that stays until it is unregistered, filled as its documentation
/// says.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_register_parser(
    parser: *mut bindings::parser,
) -> kernel::ffi::c_int {
    if !DigestCacheLsm::is_active() {
        return EOPNOTSUPP.to_errno();
    }
    if parser.is_null() {
        return EINVAL.to_errno();
    }
    // SAFETY: By the contract of this function.
    errno(unsafe { formats::register(parser) })
}

/// digest_cache_unregister_parser - Unregister a parser
///
/// Does nothing if it is not registered. Its function is not running any more when this returns:
/// must not be called by it. Digest caches that were made with it stay; digest lists that are
/// loaded from now on fail with -ENOPKG.
///
/// Context: process context, may sleep.
///
/// # Safety
///
/// `parser` is NULL, or points to a structure that was passed to digest_cache_register_parser().
#[export]
pub(crate) unsafe extern "C" fn digest_cache_unregister_parser(parser: *mut bindings::parser) {
    if DigestCacheLsm::is_active() {
        formats::unregister(parser);
    }
}

/// digest_cache_htable_init - Prepare for digests of an algorithm
///
/// To be called by a parser with the digest cache that it was given. `num_digests` is a hint: more
/// or less digests can be added, and no more memory is taken for it than the digest list has bytes.
///
/// Returns 0, -EINVAL if the algorithm is unknown or `digest_cache` is not being loaded by a
/// parser, or -ENOMEM.
///
/// Context: process context, may sleep.
///
/// # Safety
///
/// `digest_cache` is what the parser was given, and the parser has not returned.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_htable_init(
    digest_cache: *mut bindings::digest_cache,
    num_digests: u64,
    algo: bindings::hash_algo,
) -> kernel::ffi::c_int {
    let init = |cache: &RcuRef<DigestCache>| {
        let algo = HashAlgo::from_raw(algo).ok_or(EINVAL)?;
        cache.builder.get().ok_or(EINVAL)?.init(num_digests, algo)
    };
    // SAFETY: By the contract of this function.
    errno(unsafe { with(digest_cache, Err(EINVAL), init) })
}

/// digest_cache_htable_add - Add a digest
///
/// To be called by a parser with the digest cache that it was given. `digest` has the size that
/// belongs to `algo`, and is copied. Adding it again does no harm.
///
/// Returns 0, -EINVAL as for digest_cache_htable_init(), -ENOENT if that was not called for the
/// algorithm, or -ENOMEM.
///
/// Context: process context, may sleep.
///
/// # Safety
///
/// As for digest_cache_htable_init(); `digest` points to as many bytes as a digest of `algo` has.
#[export]
pub(crate) unsafe extern "C" fn digest_cache_htable_add(
    digest_cache: *mut bindings::digest_cache,
    digest: *const u8,
    algo: bindings::hash_algo,
) -> kernel::ffi::c_int {
    let add = |cache: &RcuRef<DigestCache>| {
        let algo = HashAlgo::from_raw(algo).ok_or(EINVAL)?;
        // SAFETY: By the contract of this function.
        let digest = unsafe { slice::from_raw_parts(digest, algo.digest_size()) };
        cache.builder.get().ok_or(EINVAL)?.add(algo, digest)
    };
    // SAFETY: By the contract of this function.
    errno(unsafe { with(digest_cache, Err(EINVAL), add) })
}

/// digest_cache_htable_lookup - Ask whether a digest was added
///
/// For parsers, with the digest cache that they were given: takes time in proportion to the number
/// of digests. With the digest cache of a list that is loaded it is as digest_cache_lookup(),
/// without taking a reference. `dentry` is for messages and may be NULL.
///
/// Returns 0, -ENOENT if the digest is not there, -EAGAIN if the digest cache has been reset, or
/// -EINVAL if the algorithm is unknown.
///
/// Context: process context, may sleep.
///
/// # Safety
///
/// As for digest_cache_htable_add(), or as for digest_cache_lookup().
#[export]
pub(crate) unsafe extern "C" fn digest_cache_htable_lookup(
    _dentry: *mut bindings::dentry,
    digest_cache: *mut bindings::digest_cache,
    digest: *const u8,
    algo: bindings::hash_algo,
) -> kernel::ffi::c_int {
    let look_up = |cache: &RcuRef<DigestCache>| {
        let algo = HashAlgo::from_raw(algo).ok_or(EINVAL)?;
        // SAFETY: By the contract of this function.
        let digest = unsafe { slice::from_raw_parts(digest, algo.digest_size()) };
        let found = match cache.builder.get() {
            Some(builder) => builder.contains(algo, digest),
            None => lookup(cache, algo, digest)?.is_some(),
        };
        found.then_some(()).ok_or(ENOENT)
    };
    // SAFETY: By the contract of this function.
    errno(unsafe { with(digest_cache, Err(EINVAL), look_up) })
}

/// The result of a function, for C.
fn errno(result: Result) -> kernel::ffi::c_int {
    match result {
        Ok(()) => 0,
        Err(e) => e.to_errno(),
    }
}
