// SPDX-License-Identifier: GPL-2.0-only

//! The LSM's tables and parsers, the same source files, without the rest of the LSM, for C.

// Not all of it is in use here.
#![allow(dead_code, missing_docs, unreachable_pub)]

#[path = "lsm/htable.rs"]
mod htable;
#[path = "lsm/parsers/mod.rs"]
mod parsers;
#[path = "lsm/table.rs"]
mod table;

use core::{
    ffi::{c_int, c_void},
    ptr, slice,
};
use kernel::prelude::*;

use parsers::{algo::HashAlgo, Format, List};
use table::Tables;

/// The size of a SHA-256 digest.
const SIZE: usize = 32;

/// Makes tables of a list; null if that fails.
///
/// # Safety
///
/// `data` points to `len` bytes.
#[no_mangle]
unsafe extern "C" fn dc_bench_load(data: *const u8, len: usize, format: c_int) -> *mut c_void {
    let format = match format {
        0 => Format::Tlv,
        _ => Format::Rpm,
    };
    // SAFETY: By the contract of this function.
    let content = unsafe { slice::from_raw_parts(data, len) };
    let tables = List::parse(format, content)
        .ok()
        .and_then(|list| Tables::build(&list).ok())
        .and_then(|tables| KBox::new(tables, GFP_KERNEL).ok());
    tables.map_or(ptr::null_mut(), |tables| KBox::into_raw(tables).cast())
}

/// Whether a digest is in tables.
///
/// # Safety
///
/// `tables` comes from `dc_bench_load`, and `digest` points to a SHA-256 digest.
#[no_mangle]
unsafe extern "C" fn dc_bench_contains(tables: *const c_void, digest: *const u8) -> bool {
    // SAFETY: By the contract of this function.
    let (tables, digest) = unsafe {
        (
            &*tables.cast::<Tables>(),
            slice::from_raw_parts(digest, SIZE),
        )
    };
    tables.contains(HashAlgo::Sha256, digest)
}

/// How many bytes of memory tables have.
///
/// # Safety
///
/// `tables` comes from `dc_bench_load`.
#[no_mangle]
unsafe extern "C" fn dc_bench_bytes(tables: *const c_void) -> usize {
    // SAFETY: By the contract of this function.
    unsafe { &*tables.cast::<Tables>() }.bytes()
}

/// Gives the memory of tables back.
///
/// # Safety
///
/// `tables` comes from `dc_bench_load`, and is not used any more.
#[no_mangle]
unsafe extern "C" fn dc_bench_free(tables: *mut c_void) {
    // SAFETY: By the contract of this function.
    drop(unsafe { KBox::from_raw(tables.cast::<Tables>()) });
}
