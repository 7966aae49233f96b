// SPDX-License-Identifier: GPL-2.0-only

//! The `rpm` parser.

use kernel::prelude::*;

use super::bytes::Bytes;
use crate::parsers::{
    algo::{DigestType, HashAlgo},
    error::Errno,
    Format, List,
};

const MAGIC: &[u8] = &[0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
const STRING_ARRAY: u32 = 8;
const INT32: u32 = 4;
const FILEDIGESTS: u32 = 1035;
const FILEDIGESTALGO: u32 = 5011;

/// 64 hexadecimal digits and a terminator: a SHA-256 digest.
const HEX: &[u8] = b"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\0";

/// A tag: number, type, offset, count.
type Tag = (u32, u32, u32, u32);

/// A header with these tags and data.
fn header(tags: &[Tag], data: &[u8]) -> Bytes {
    let mut header = Bytes::new()
        .raw(MAGIC)
        .u32(tags.len() as u32)
        .u32(data.len() as u32);
    for (tag, tag_type, offset, count) in tags {
        header = header.u32(*tag).u32(*tag_type).u32(*offset).u32(*count);
    }
    header.raw(data)
}

/// SHA-256 (OpenPGP number 8), then `digests` one after the other.
fn sha256(digests: &[&[u8]]) -> Bytes {
    let mut data = Bytes::new().u32(8);
    for digest in digests {
        data = data.raw(digest);
    }
    header(
        &[
            (FILEDIGESTALGO, INT32, 0, 1),
            (FILEDIGESTS, STRING_ARRAY, 4, digests.len() as u32),
        ],
        &data.0,
    )
}

fn count(bytes: &Bytes, algo: HashAlgo) -> Result<u32, Errno> {
    match List::parse(Format::Rpm, &bytes.0) {
        Ok(list) => Ok(list.counts().get(algo, DigestType::FileData)),
        Err(e) => Err(e.kind.errno()),
    }
}

fn refused(bytes: &Bytes) -> bool {
    match List::parse(Format::Rpm, &bytes.0) {
        Ok(_) => false,
        Err(e) => e.kind.errno() == Errno::BadMsg && e.offset <= bytes.0.len(),
    }
}

#[kunit_tests(digest_cache_rpm)]
mod tests {
    use super::*;

    #[test]
    fn digests() {
        // The empty string stands for a file without digest.
        let list = sha256(&[HEX, b"\0", HEX]);
        assert_eq!(count(&list, HashAlgo::Sha256), Ok(2));
        if let Ok(list) = List::parse(Format::Rpm, &list.0) {
            let _ = list.for_each(|entry| {
                assert_eq!(entry.digest.len(), 32);
                assert_eq!(entry.digest.first(), Some(&0));
                assert_eq!(entry.digest.get(15), Some(&0xff));
                assert_eq!(entry.digest.last(), Some(&0xff));
                Ok::<(), ()>(())
            });
        }
    }

    #[test]
    fn no_digests_is_an_empty_list() {
        let list = header(&[(1000, 6, 0, 1)], b"name\0");
        assert!(List::parse(Format::Rpm, &list.0).is_ok_and(|list| list.counts().total() == 0));
    }

    #[test]
    fn algorithm_defaults_to_md5() {
        let data = b"00112233445566778899aabbccddeeff\0";
        let list = header(&[(FILEDIGESTS, STRING_ARRAY, 0, 1)], data);
        assert_eq!(count(&list, HashAlgo::Md5), Ok(1));
    }

    #[test]
    fn malformed() {
        let upper = b"00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\0";
        let digits = b"0011223344556677889_aabbccddeeff00112233445566778899aabbccddeeff\0";
        let good = sha256(&[HEX]);
        let mut magic = Bytes::new().raw(&good.0);
        if let Some(byte) = magic.0.first_mut() {
            *byte = 0;
        }
        let unknown = Bytes::new().u32(99).raw(HEX);
        let rows = [
            // Not a header, sizes that do not fit.
            Bytes::new().raw(b"x"),
            magic,
            Bytes::new().raw(MAGIC).u32(u32::MAX).u32(0),
            Bytes::new().raw(MAGIC).u32(0).u32(u32::MAX),
            Bytes::new().raw(&good.0).raw(&[0]),
            Bytes::new().raw(good.0.get(..good.0.len() - 1).unwrap_or_default()),
            // Digests: upper case, not hexadecimal, too short, too long, without end.
            sha256(&[upper]),
            sha256(&[digits]),
            sha256(&[b"0011\0"]),
            sha256(&[b"0", HEX]),
            sha256(&[HEX.get(..64).unwrap_or_default()]),
            // Offsets and counts out of range, wrong type, twice, unknown algorithm.
            header(&[(FILEDIGESTS, STRING_ARRAY, 1000, 1)], HEX),
            header(&[(FILEDIGESTS, STRING_ARRAY, u32::MAX, 1)], HEX),
            header(&[(FILEDIGESTS, STRING_ARRAY, 0, u32::MAX)], HEX),
            header(&[(FILEDIGESTS, STRING_ARRAY, 0, 2)], HEX),
            header(&[(FILEDIGESTS, INT32, 0, 1)], HEX),
            header(
                &[
                    (FILEDIGESTALGO, INT32, 0, 1),
                    (FILEDIGESTS, STRING_ARRAY, 4, 1),
                    (FILEDIGESTS, STRING_ARRAY, 4, 1),
                ],
                &Bytes::new().u32(8).raw(HEX).0,
            ),
            header(
                &[
                    (FILEDIGESTALGO, INT32, 0, 1),
                    (FILEDIGESTS, STRING_ARRAY, 4, 1),
                ],
                &unknown.0,
            ),
        ];
        for row in &rows {
            assert!(refused(row));
        }
    }
}
