// SPDX-License-Identifier: GPL-2.0-only

//! Digest algorithms and digest types.
//!
//! The numbers of the algorithms are those of `enum hash_algo` in
//! `include/uapi/linux/hash_info.h`, their names those of `crypto/hash_info.c`.

/// The largest digest, in bytes.
pub const MAX_DIGEST_SIZE: usize = 64;

/// A digest algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum HashAlgo {
    /// MD4.
    Md4 = 0,
    /// MD5.
    Md5 = 1,
    /// SHA-1.
    Sha1 = 2,
    /// RIPEMD-160.
    RipeMd160 = 3,
    /// SHA-256.
    Sha256 = 4,
    /// SHA-384.
    Sha384 = 5,
    /// SHA-512.
    Sha512 = 6,
    /// SHA-224.
    Sha224 = 7,
    /// RIPEMD-128.
    RipeMd128 = 8,
    /// RIPEMD-256.
    RipeMd256 = 9,
    /// RIPEMD-320.
    RipeMd320 = 10,
    /// Whirlpool, 256 bits.
    Wp256 = 11,
    /// Whirlpool, 384 bits.
    Wp384 = 12,
    /// Whirlpool, 512 bits.
    Wp512 = 13,
    /// Tiger, 128 bits.
    Tgr128 = 14,
    /// Tiger, 160 bits.
    Tgr160 = 15,
    /// Tiger, 192 bits.
    Tgr192 = 16,
    /// SM3.
    Sm3_256 = 17,
    /// Streebog, 256 bits.
    Streebog256 = 18,
    /// Streebog, 512 bits.
    Streebog512 = 19,
    /// SHA3-256.
    Sha3_256 = 20,
    /// SHA3-384.
    Sha3_384 = 21,
    /// SHA3-512.
    Sha3_512 = 22,
}

impl HashAlgo {
    /// The number of algorithms.
    pub const COUNT: usize = 23;

    /// All algorithms, in the order of their numbers.
    pub const ALL: [HashAlgo; Self::COUNT] = [
        Self::Md4,
        Self::Md5,
        Self::Sha1,
        Self::RipeMd160,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sha224,
        Self::RipeMd128,
        Self::RipeMd256,
        Self::RipeMd320,
        Self::Wp256,
        Self::Wp384,
        Self::Wp512,
        Self::Tgr128,
        Self::Tgr160,
        Self::Tgr192,
        Self::Sm3_256,
        Self::Streebog256,
        Self::Streebog512,
        Self::Sha3_256,
        Self::Sha3_384,
        Self::Sha3_512,
    ];

    /// The algorithm of this number.
    pub fn from_raw(raw: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(raw).ok()?).copied()
    }

    /// The number of the algorithm.
    #[allow(clippy::as_conversions)]
    pub const fn raw(self) -> u8 {
        // CAST: The enumeration is `repr(u8)`.
        self as u8
    }

    /// The size of the algorithm's digests, in bytes.
    pub const fn digest_size(self) -> usize {
        match self {
            Self::Md4 | Self::Md5 | Self::RipeMd128 | Self::Tgr128 => 16,
            Self::Sha1 | Self::RipeMd160 | Self::Tgr160 => 20,
            Self::Tgr192 => 24,
            Self::Sha224 => 28,
            Self::Sha256
            | Self::RipeMd256
            | Self::Wp256
            | Self::Sm3_256
            | Self::Streebog256
            | Self::Sha3_256 => 32,
            Self::RipeMd320 => 40,
            Self::Sha384 | Self::Wp384 | Self::Sha3_384 => 48,
            Self::Sha512 | Self::Wp512 | Self::Streebog512 | Self::Sha3_512 => 64,
        }
    }

    /// The kernel's name of the algorithm.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md4 => "md4",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::RipeMd160 => "rmd160",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Sha224 => "sha224",
            Self::RipeMd128 => "rmd128",
            Self::RipeMd256 => "rmd256",
            Self::RipeMd320 => "rmd320",
            Self::Wp256 => "wp256",
            Self::Wp384 => "wp384",
            Self::Wp512 => "wp512",
            Self::Tgr128 => "tgr128",
            Self::Tgr160 => "tgr160",
            Self::Tgr192 => "tgr192",
            Self::Sm3_256 => "sm3",
            Self::Streebog256 => "streebog256",
            Self::Streebog512 => "streebog512",
            Self::Sha3_256 => "sha3-256",
            Self::Sha3_384 => "sha3-384",
            Self::Sha3_512 => "sha3-512",
        }
    }

    /// The algorithm of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algo| algo.name() == name)
    }

    /// The algorithm of this number in OpenPGP (RFC 9580, section 9.5), which RPM uses.
    pub const fn from_openpgp(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Md5),
            2 => Some(Self::Sha1),
            3 => Some(Self::RipeMd160),
            8 => Some(Self::Sha256),
            9 => Some(Self::Sha384),
            10 => Some(Self::Sha512),
            11 => Some(Self::Sha224),
            12 => Some(Self::Sha3_256),
            14 => Some(Self::Sha3_512),
            _ => None,
        }
    }
}

/// What a digest is the digest of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum DigestType {
    /// The data of a file.
    FileData = 0,
    /// The fs-verity descriptor of a file: the fs-verity file digest.
    FsVerity = 1,
}

impl DigestType {
    /// The number of digest types.
    pub const COUNT: usize = 2;

    /// All digest types, in the order of their numbers.
    pub const ALL: [DigestType; Self::COUNT] = [Self::FileData, Self::FsVerity];

    /// The digest type of this number.
    pub fn from_raw(raw: u16) -> Option<Self> {
        Self::ALL.get(usize::from(raw)).copied()
    }

    /// The number of the digest type.
    #[allow(clippy::as_conversions)]
    pub const fn raw(self) -> u8 {
        // CAST: The enumeration is `repr(u8)`.
        self as u8
    }
}
