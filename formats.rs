// SPDX-License-Identifier: GPL-2.0-only

//! Formats of digest lists that modules understand.
//!
//! A module registers a parser under the name of its format. The parser is called for lists of that
//! name, and puts the digests into the [`Builder`] of the cache that is being loaded. The module
//! cannot be unloaded while its parser runs; lists that were loaded stay usable without it. The
//! kernel never loads a module by itself to parse a list.
//!
//! # Locking
//!
//! A mutex protects the table of parsers. Memory for the table may be allocated with it held, which
//! reclaim does not wait for; nothing else is taken, and no parser called.

use core::ffi::c_int;
use kernel::{bindings, error::to_result, prelude::*, str::CStr, sync::global_lock, types::Opaque};

use crate::{
    builder::Builder,
    cache::{
        DigestCache,
        LoadError::{self, Bad, Passing},
    },
    parsers::{name::ListName, Format},
    rcuref::{Object, RcuRef},
    reset,
    table::Tables,
};

/// The function of a parser.
type Function = unsafe extern "C" fn(*mut bindings::digest_cache, *const u8, usize) -> c_int;

/// A parser that is registered. What it says is copied, so that the module's structure is not
/// looked at later.
struct Registered {
    parser: *const bindings::parser,
    name: [u8; bindings::DIGEST_CACHE_FORMAT_LEN as usize],
    owner: *mut bindings::module,
    func: Function,
    running: RcuRef<Running>,
}

/// How many calls of a parser are running.
struct Running(Opaque<bindings::atomic_long_t>);

// SAFETY: The count may be changed from any task.
unsafe impl Send for Running {}

// SAFETY: As above.
unsafe impl Sync for Running {}

impl Object for Running {}

// SAFETY: The address of the parser is only compared; modules may be referenced from any task.
unsafe impl Send for Registered {}

impl Registered {
    fn name(&self) -> &[u8] {
        CStr::from_bytes_until_nul(&self.name).map_or(&[], CStr::to_bytes)
    }
}

global_lock! {
    // SAFETY: `init` is called before anything else of this module.
    unsafe(uninit) static PARSERS: Mutex<KVec<Registered>> = KVec::new();
}

/// Prepares the table.
///
/// # Safety
///
/// Must be called once, before anything else of this module.
pub(crate) unsafe fn init() {
    // SAFETY: By the contract of this function.
    unsafe { PARSERS.init() };
}

/// Registers a parser. Lists that had none get another chance. May sleep.
///
/// # Errors
///
/// `EINVAL` if it has no function or its name is not that of a format, `EEXIST` if there is one for
/// the format, `ENOMEM`.
///
/// # Safety
///
/// `parser` is valid until it is unregistered; its function does what `struct parser` says, and its
/// owner is null or the module that the function belongs to.
pub(crate) unsafe fn register(parser: *const bindings::parser) -> Result {
    // SAFETY: By the contract of this function.
    let (owner, func, name) = unsafe { ((*parser).owner, (*parser).func, (*parser).name) };
    let func = func.ok_or(EINVAL)?;
    let format = CStr::from_bytes_until_nul(&name).map_err(|_| EINVAL)?;
    if !ListName::is_format(format.to_bytes()) {
        return Err(EINVAL);
    }
    let mut parsers = PARSERS.lock();
    let exists = Format::from_name(format.to_bytes()).is_some()
        || parsers.iter().any(|p| p.name() == format.to_bytes());
    if exists {
        return Err(EEXIST);
    }
    let running = RcuRef::new(Running(Opaque::zeroed()), GFP_KERNEL)?;
    parsers.push(
        Registered {
            parser,
            name,
            owner,
            func,
            running,
        },
        GFP_KERNEL,
    )?;
    drop(parsers);
    reset::formats_changed();
    Ok(())
}

/// Unregisters a parser, if it is registered, and waits until it does not run any more. May sleep.
pub(crate) fn unregister(parser: *const bindings::parser) {
    let mut parsers = PARSERS.lock();
    let position = parsers.iter().position(|p| core::ptr::eq(p.parser, parser));
    let removed = position.and_then(|position| parsers.remove(position).ok());
    drop(parsers);
    if let Some(removed) = removed {
        reset::formats_changed();
        // A reference to the module is not enough: it does not keep one whose initialisation
        // failed.
        // SAFETY: The count stays as long as the reference to it.
        unsafe { bindings::digest_cache_wait_unpinned(removed.running.0.get()) };
    }
}

/// Whether there is a parser of a format.
pub(crate) fn has(name: &[u8]) -> bool {
    PARSERS.lock().iter().any(|p| p.name() == name)
}

/// Number of registered parsers.
pub(crate) fn count() -> usize {
    PARSERS.lock().len()
}

/// A parser whose module stays loaded.
pub(crate) struct Parser {
    owner: *mut bindings::module,
    func: Function,
    running: RcuRef<Running>,
}

impl Parser {
    /// The parser of a format, if there is one, and its module is not being unloaded. May sleep.
    pub(crate) fn of_format(name: &[u8]) -> Option<Self> {
        let parsers = PARSERS.lock();
        let found = parsers.iter().find(|p| p.name() == name)?;
        // SAFETY: A module unregisters its parser before it is unloaded, for which it needs the
        // lock; so the module is still there. It is null for what is built in, which is allowed.
        if !unsafe { bindings::try_module_get(found.owner) } {
            return None;
        }
        // Counted while the lock is held, without which nobody unregisters it.
        // SAFETY: The count stays as long as the reference to it.
        unsafe { bindings::digest_cache_pin(found.running.0.get()) };
        Some(Self {
            owner: found.owner,
            func: found.func,
            running: found.running.clone(),
        })
    }

    /// Parses `data`, of which `cache` is being made. May sleep.
    ///
    /// # Errors
    ///
    /// Bad: what the parser says. Passing: `ENOMEM`, `EINTR` and `EAGAIN` from it.
    pub(crate) fn parse(
        &self,
        cache: &RcuRef<DigestCache>,
        data: &[u8],
    ) -> Result<Tables, LoadError> {
        let builder = RcuRef::pin_init(Builder::new(data.len()), GFP_KERNEL).map_err(Passing)?;
        drop(cache.builder.swap(Some(builder.clone())));
        // SAFETY: The parser is registered with a function that can be called like this, and its
        // module is loaded. The cache and the data stay during the call.
        let result = to_result(unsafe {
            (self.func)(
                RcuRef::as_raw(cache).as_ptr().cast(),
                data.as_ptr(),
                data.len(),
            )
        });
        drop(cache.builder.swap(None));
        result.map_err(|e| match e {
            e if [ENOMEM, EINTR, EAGAIN].contains(&e) => Passing(e),
            e => Bad(e),
        })?;
        builder.finish().build().map_err(Passing)
    }
}

impl Drop for Parser {
    fn drop(&mut self) {
        // SAFETY: We were counted, and hold a reference to the module, or it is null, which is
        // allowed.
        unsafe {
            bindings::module_put(self.owner);
            bindings::digest_cache_unpin(self.running.0.get());
        }
    }
}
