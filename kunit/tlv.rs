// SPDX-License-Identifier: GPL-2.0-only

//! The `tlv` parser, both forms.

use kernel::prelude::*;

use super::bytes::Bytes;
use crate::parsers::{
    algo::{DigestType, HashAlgo},
    error::Errno,
    Format, List,
};

const SHA256: [u8; 32] = [0xaa; 32];
const SHA512: [u8; 64] = [0xbb; 64];

/// ALGO field of the current form.
fn algo(raw: u16) -> Bytes {
    Bytes::new().field(0, &raw.to_be_bytes())
}

/// How many digests the list has of an algorithm and type, or the family of its error.
fn count(bytes: &Bytes, algo: HashAlgo, digest_type: DigestType) -> Result<u32, Errno> {
    match List::parse(Format::Tlv, &bytes.0) {
        Ok(list) => Ok(list.counts().get(algo, digest_type)),
        Err(e) => Err(e.kind.errno()),
    }
}

/// Whether the list is refused as malformed, at an offset inside of it.
fn refused(bytes: &Bytes) -> bool {
    match List::parse(Format::Tlv, &bytes.0) {
        Ok(_) => false,
        Err(e) => e.kind.errno() == Errno::BadMsg && e.offset <= bytes.0.len(),
    }
}

/// An entry of the 2024-04 form.
fn old_entry(digest: &[u8]) -> Bytes {
    let data = Bytes::new().old_field(0, digest).old_field(1, b"/bin/x");
    Bytes::new().old_blob(0, 2, &data.0)
}

#[kunit_tests(digest_cache_tlv)]
mod tests {
    use super::*;

    #[test]
    fn current_form() {
        let list = algo(4)
            .field(1, &2u32.to_be_bytes())
            .entry(&SHA256, b"/bin/a")
            .entry(&SHA256, b"/bin/b");
        assert_eq!(count(&list, HashAlgo::Sha256, DigestType::FileData), Ok(2));

        let mut seen = 0;
        if let Ok(list) = List::parse(Format::Tlv, &list.0) {
            let _ = list.for_each(|entry| {
                assert_eq!(entry.digest, &SHA256[..]);
                assert!(entry.path.is_some_and(|p| p.dir.starts_with(b"/bin/")));
                seen += 1;
                Ok::<(), ()>(())
            });
        }
        assert_eq!(seen, 2);
    }

    #[test]
    fn several_algorithms_and_types() {
        let list = algo(4)
            .entry(&SHA256, b"/bin/a")
            .field(0, &6u16.to_be_bytes())
            .field(3, &1u16.to_be_bytes())
            .entry(&SHA512, b"/bin/b");
        assert_eq!(count(&list, HashAlgo::Sha256, DigestType::FileData), Ok(1));
        let sha512 = count(&list, HashAlgo::Sha512, DigestType::FsVerity);
        assert_eq!(sha512, Ok(1));
    }

    #[test]
    fn stated_number_is_a_hint() {
        for num in [1u32, 7, u32::MAX] {
            let list = algo(4)
                .field(1, &num.to_be_bytes())
                .entry(&SHA256, b"/bin/a")
                .entry(&SHA256, b"/bin/b");
            assert_eq!(count(&list, HashAlgo::Sha256, DigestType::FileData), Ok(2));
        }
    }

    #[test]
    fn entry_of_length_zero_is_skipped() {
        let list = algo(4).field(2, b"").entry(&SHA256, b"/bin/a");
        assert_eq!(count(&list, HashAlgo::Sha256, DigestType::FileData), Ok(1));
    }

    #[test]
    fn malformed() {
        let only_path = Bytes::new().field(1, b"/bin/a");
        let twice = Bytes::new().field(0, &SHA256).field(0, &SHA256);
        let unknown = Bytes::new().field(0, &SHA256).field(9, b"x");
        let rows = [
            // Digest or number before ALGO; number zero, and of the wrong size.
            Bytes::new().entry(&SHA256, b"/bin/a"),
            Bytes::new().field(1, &1u32.to_be_bytes()),
            algo(4).field(1, &0u32.to_be_bytes()),
            algo(4).field(1, &1u16.to_be_bytes()),
            // Algorithm: unknown, wrong size.
            algo(23),
            Bytes::new().field(0, &[4]),
            // Unknown fields, outside and inside of an entry.
            algo(4).field(4, b"x"),
            algo(4).field(2, &unknown.0),
            // Entries: wrong digest size, none, two.
            algo(4).entry(&SHA512, b"/bin/a"),
            algo(4).field(2, &only_path.0),
            algo(4).field(2, &twice.0),
            // Digest type: unknown, wrong size.
            algo(4).field(3, &2u16.to_be_bytes()),
            algo(4).field(3, &[0]),
            // Excess bytes, lengths beyond the end.
            algo(4).entry(&SHA256, b"/bin/a").raw(&[0]),
            algo(4).u16(2).u32(100).raw(&[0; 99]),
            algo(4).u16(2).u32(u32::MAX),
        ];
        for row in &rows {
            assert!(refused(row));
        }
    }

    #[test]
    fn truncated_anywhere() {
        let list = algo(4)
            .field(1, &1u32.to_be_bytes())
            .entry(&SHA256, b"/bin/a");
        // Cut between the fields it is a shorter list; cut anywhere else it is malformed.
        for len in 1..list.0.len() {
            let cut = Bytes::new().raw(list.0.get(..len).unwrap_or_default());
            let at_field = len == 8 || len == 18;
            assert_eq!(refused(&cut), !at_field);
        }
    }

    #[test]
    fn form_of_2024_04() {
        let data = Bytes::new()
            .old_field(0, &4u64.to_be_bytes())
            .old_field(1, &old_entry(&SHA256).0)
            .old_field(1, &old_entry(&SHA256).0);
        let list = Bytes::new().old_blob(0, 3, &data.0);
        assert_eq!(count(&list, HashAlgo::Sha256, DigestType::FileData), Ok(2));
        // Blobs of other types are skipped.
        let list = Bytes::new().old_blob(7, 1, b"whatever").raw(&list.0);
        assert_eq!(count(&list, HashAlgo::Sha256, DigestType::FileData), Ok(2));
    }

    #[test]
    fn form_of_2024_04_malformed() {
        let data = Bytes::new()
            .old_field(0, &4u64.to_be_bytes())
            .old_field(1, &old_entry(&SHA256).0);
        let early = Bytes::new().old_field(1, &old_entry(&SHA256).0);
        let short = Bytes::new()
            .old_field(0, &4u64.to_be_bytes())
            .old_field(1, &old_entry(&SHA256[..31]).0);
        let len = data.0.len() as u64;
        let rows = [
            // Reserved bytes, total length, number of entries.
            Bytes::new().u64(0).u64(2).u64(1).u64(len).raw(&data.0),
            Bytes::new().u64(0).u64(2).u64(0).u64(len + 1).raw(&data.0),
            Bytes::new().u64(0).u64(2).u64(0).u64(u64::MAX).raw(&data.0),
            Bytes::new().old_blob(0, 3, &data.0),
            // Digest before the algorithm, or of the wrong size; excess bytes.
            Bytes::new().old_blob(0, 1, &early.0),
            Bytes::new().old_blob(0, 2, &short.0),
            Bytes::new().old_blob(0, 2, &data.0).raw(&[0]),
        ];
        for row in &rows {
            assert!(refused(row));
        }
    }
}
