// SPDX-License-Identifier: GPL-2.0-only

//! Algorithms and digest types.

use std::collections::HashSet;

use digest_list_formats::parsers::algo::{DigestType, HashAlgo, MAX_DIGEST_SIZE};

/// The kernel's tables, `include/uapi/linux/hash_info.h` and `crypto/hash_info.c`, by number.
const KERNEL: [(&str, usize); 23] = [
    ("md4", 16),
    ("md5", 16),
    ("sha1", 20),
    ("rmd160", 20),
    ("sha256", 32),
    ("sha384", 48),
    ("sha512", 64),
    ("sha224", 28),
    ("rmd128", 16),
    ("rmd256", 32),
    ("rmd320", 40),
    ("wp256", 32),
    ("wp384", 48),
    ("wp512", 64),
    ("tgr128", 16),
    ("tgr160", 20),
    ("tgr192", 24),
    ("sm3", 32),
    ("streebog256", 32),
    ("streebog512", 64),
    ("sha3-256", 32),
    ("sha3-384", 48),
    ("sha3-512", 64),
];

#[test]
fn numbers_names_and_sizes_are_the_kernels() {
    assert_eq!(HashAlgo::COUNT, KERNEL.len());
    for (raw, (name, size)) in (0_u8..).zip(KERNEL) {
        let algo = HashAlgo::from_raw(raw.into()).unwrap();
        assert_eq!(algo.raw(), raw);
        assert_eq!(algo.name(), name);
        assert_eq!(algo.digest_size(), size);
        assert_eq!(HashAlgo::from_name(name), Some(algo));
    }
    assert_eq!(
        KERNEL.iter().map(|&(_, size)| size).max(),
        Some(MAX_DIGEST_SIZE)
    );
    assert_eq!(
        HashAlgo::ALL.into_iter().collect::<HashSet<_>>().len(),
        HashAlgo::COUNT
    );
}

#[test]
fn nothing_else_is_an_algorithm() {
    for raw in [23, 24, 255, 256, 260, u32::MAX] {
        assert_eq!(HashAlgo::from_raw(raw), None);
    }
    for name in ["", "SHA256", "sha-256", "sha256 ", "sm3-256"] {
        assert_eq!(HashAlgo::from_name(name), None);
    }
}

#[test]
fn openpgp_numbers() {
    let known = [
        (1, "md5"),
        (2, "sha1"),
        (3, "rmd160"),
        (8, "sha256"),
        (9, "sha384"),
        (10, "sha512"),
        (11, "sha224"),
        (12, "sha3-256"),
        (14, "sha3-512"),
    ];
    for number in (0..300).chain([u32::MAX]) {
        let expected = known.iter().find(|&&(n, _)| n == number);
        assert_eq!(
            HashAlgo::from_openpgp(number).map(HashAlgo::name),
            expected.map(|&(_, name)| name)
        );
    }
}

#[test]
fn digest_types() {
    assert_eq!(DigestType::from_raw(0), Some(DigestType::FileData));
    assert_eq!(DigestType::from_raw(1), Some(DigestType::FsVerity));
    for raw in [2, 255, 256, u16::MAX] {
        assert_eq!(DigestType::from_raw(raw), None);
    }
    for digest_type in DigestType::ALL {
        assert_eq!(
            DigestType::from_raw(digest_type.raw().into()),
            Some(digest_type)
        );
    }
}
