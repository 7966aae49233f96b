// SPDX-License-Identifier: GPL-2.0-only

//! Digest tables in the kernel's memory, built from lists.

use kernel::prelude::*;

use super::bytes::Bytes;
use crate::{
    parsers::{algo::HashAlgo, Format, List},
    table::Tables,
};

/// A digest that differs from that of any other number: the number is spread over the leading
/// bytes by an odd factor, which maps numbers one to one.
fn digest<const N: usize>(n: u32) -> [u8; N] {
    let mut digest = [0x5a; N];
    let spread = n.wrapping_mul(0x9e37_79b1).to_be_bytes();
    for (to, from) in digest.iter_mut().zip(spread) {
        *to = from;
    }
    digest
}

/// A list with the digests of the numbers below `num`.
fn list<const N: usize>(algo: HashAlgo, num: u32, digest: fn(u32) -> [u8; N]) -> Bytes {
    let mut bytes = Bytes::new().field(0, &u16::from(algo.raw()).to_be_bytes());
    for n in 0..num {
        let entry = Bytes::new().field(0, &digest(n));
        bytes = bytes.field(2, &entry.0);
    }
    bytes
}

/// Whether the tables of such a list have all of its digests and none of as many others.
fn round_trip<const N: usize>(algo: HashAlgo, num: u32, digest: fn(u32) -> [u8; N]) -> bool {
    let bytes = list(algo, num, digest);
    let Ok(parsed) = List::parse(Format::Tlv, &bytes.0) else {
        return false;
    };
    let Ok(tables) = Tables::build(&parsed) else {
        return false;
    };
    tables.len() == num as usize
        && (0..num).all(|n| tables.contains(algo, &digest(n)))
        && (num..2 * num + 1).all(|n| !tables.contains(algo, &digest(n)))
}

#[kunit_tests(digest_cache_table)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for num in [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 66, 255, 256, 257, 5000] {
            assert!(round_trip::<32>(HashAlgo::Sha256, num, digest));
        }
    }

    #[test]
    fn widths_of_offsets() {
        // The last number that two bytes can tell, and the first that needs four.
        for num in [0xffff, 0x1_0000] {
            assert!(round_trip::<20>(HashAlgo::Sha1, num, digest));
        }
    }

    #[test]
    fn full_pieces() {
        // The memory for digests is in pieces of 4 MB: one, and what is left for some more digests,
        // or none.
        for num in [0xffff, 0x1_0000, 0x1_0064] {
            assert!(round_trip::<64>(HashAlgo::Sha512, num, digest));
        }
    }

    #[test]
    fn algorithms() {
        assert!(round_trip::<16>(HashAlgo::Md5, 100, digest));
        assert!(round_trip::<20>(HashAlgo::Sha1, 100, digest));
        assert!(round_trip::<24>(HashAlgo::Tgr192, 100, digest));
        assert!(round_trip::<28>(HashAlgo::Sha224, 100, digest));
        assert!(round_trip::<40>(HashAlgo::RipeMd320, 100, digest));
        assert!(round_trip::<48>(HashAlgo::Sha384, 100, digest));
        assert!(round_trip::<64>(HashAlgo::Sha512, 100, digest));
    }

    #[test]
    fn crafted_prefixes() {
        // All digests start with the same 28 bytes and fall into one bucket.
        assert!(round_trip::<32>(HashAlgo::Sha256, 2000, |n| {
            let mut digest = [0xff; 32];
            for (to, from) in digest.iter_mut().rev().zip(n.to_le_bytes()) {
                *to = from;
            }
            digest
        }));
    }

    #[test]
    fn duplicates() {
        let bytes = list::<32>(HashAlgo::Sha256, 300, |n| digest(n % 7));
        let tables = List::parse(Format::Tlv, &bytes.0)
            .map_err(|_| EINVAL)
            .and_then(|list| Tables::build(&list));
        assert!(tables.is_ok_and(|tables| tables.len() == 7
            // Their memory has been given back: there were 300.
            && tables.bytes() < 300 * 32 / 4
            && (0..7).all(|n| tables.contains(HashAlgo::Sha256, &digest::<32>(n)))));
    }

    #[test]
    fn files_without_digest() {
        // An RPM header with 70 directories, a file, and one that has no digest.
        let data = Bytes::new().u32(8);
        let data = (0..70).fold(data, |data, _| data.raw(b"\0"));
        let data = (0..32).fold(data, |data, _| data.raw(b"5a")).raw(b"\0\0");
        let data = data.raw(&[0; 70]);
        let list = Bytes::new()
            .raw(&[0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0])
            .u32(2)
            .u32(data.0.len() as u32);
        // FILEDIGESTALGO, a number; FILEDIGESTS, strings.
        let list = list.u32(5011).u32(4).u32(0).u32(1);
        let list = list.u32(1035).u32(8).u32(4).u32(72).raw(&data.0);
        let tables = List::parse(Format::Rpm, &list.0)
            .map_err(|_| EINVAL)
            .and_then(|list| Tables::build(&list));
        assert!(tables.is_ok_and(|tables| tables.len() == 1
            && tables.contains(HashAlgo::Sha256, &[0x5a; 32])
            && !tables.contains(HashAlgo::Sha256, &[0; 32])));
    }

    #[test]
    fn algorithms_do_not_mix() {
        let bytes = list::<32>(HashAlgo::Sha256, 10, digest);
        let tables = List::parse(Format::Tlv, &bytes.0)
            .map_err(|_| EINVAL)
            .and_then(|list| Tables::build(&list));
        assert!(
            tables.is_ok_and(|tables| tables.algos() == 1 << HashAlgo::Sha256.raw()
            // SHA3-256 and SM3 have digests of the same size.
            && !tables.contains(HashAlgo::Sha3_256, &digest::<32>(1))
            && !tables.contains(HashAlgo::Sm3_256, &digest::<32>(1))
            // A part of a digest is none.
            && !tables.contains(HashAlgo::Sha256, digest::<32>(1).get(..31).unwrap_or_default()))
        );
    }
}
