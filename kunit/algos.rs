// SPDX-License-Identifier: GPL-2.0-only

//! Our table of hash algorithms against the kernel's.

use core::slice;
use kernel::{
    ffi::{c_char, c_int},
    prelude::*,
    str::CStr,
};

use crate::parsers::algo::HashAlgo;

// include/crypto/hash_info.h, which the bindings do not reach.
extern "C" {
    static hash_algo_name: *const c_char;
    static hash_digest_size: c_int;
}

/// The kernel's names.
fn names() -> &'static [*const c_char] {
    // SAFETY: What is declared above as its first element is an array of HASH_ALGO__LAST constant
    // pointers to strings.
    unsafe { slice::from_raw_parts(&raw const hash_algo_name, LAST) }
}

/// The kernel's digest sizes.
fn sizes() -> &'static [c_int] {
    // SAFETY: As above, with integers.
    unsafe { slice::from_raw_parts(&raw const hash_digest_size, LAST) }
}

const LAST: usize = kernel::bindings::hash_algo_HASH_ALGO__LAST as usize;

#[kunit_tests(digest_cache_algos)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_the_kernel_has() {
        assert_eq!(HashAlgo::COUNT, LAST);
        assert!(HashAlgo::from_raw(LAST as u32).is_none());
    }

    #[test]
    fn names_and_sizes_are_the_kernels() {
        for (raw, (name, size)) in names().iter().zip(sizes()).enumerate() {
            // SAFETY: The names are static strings.
            let name = unsafe { CStr::from_char_ptr(*name) };
            let algo = HashAlgo::from_raw(raw as u32);
            assert!(algo.is_some_and(|algo| usize::from(algo.raw()) == raw
                && algo.name().as_bytes() == name.to_bytes()
                && algo.digest_size() == *size as usize));
        }
    }
}
