// SPDX-License-Identifier: GPL-2.0-only

//! The current form of the `tlv` format.

use digest_list_formats::parsers::{
    algo::{
        DigestType::{self, FileData, FsVerity},
        HashAlgo::{self, Md5, Sha256, Sha512},
    },
    check_size,
    error::{Errno, Error, Kind},
    Format, List,
};

use crate::bytes::{
    algo, assert_refused, digest, digest_type, entry, field, num_entries, parse, Owned,
};

fn owned(algo: HashAlgo, digest_type: DigestType, fill: u8, path: Option<&str>) -> Owned {
    Owned {
        algo,
        digest_type,
        digest: digest(algo, fill),
        path: path.map(str::to_owned),
    }
}

/// An entry with a digest of `algo`.
fn entry_of(algo: HashAlgo, fill: u8) -> Vec<u8> {
    entry(&digest(algo, fill), None)
}

#[test]
fn bytes_of_the_format() {
    let mut list = vec![0, 0, 0, 0, 0, 2, 0, 1];
    list.extend([0, 1, 0, 0, 0, 4, 0, 0, 0, 1]);
    list.extend([0, 2, 0, 0, 0, 30]);
    list.extend([0, 0, 0, 0, 0, 16]);
    list.extend([7; 16]);
    list.extend([0, 1, 0, 0, 0, 2, b'/', b'a']);
    let expected = [owned(Md5, FileData, 7, Some("/a"))];
    assert_eq!(parse(Format::Tlv, &list), expected);
}

#[test]
fn algorithms_and_types_hold_for_what_follows() {
    let list = [
        digest_type(1),
        algo(Sha256),
        num_entries(1),
        entry(&digest(Sha256, 1), Some("/a")),
        algo(Md5),
        entry_of(Md5, 2),
        digest_type(0),
        entry_of(Md5, 2),
        algo(Sha256),
        num_entries(1),
        num_entries(2),
        entry(&digest(Sha256, 3), Some("b\0/\u{fc}")),
    ]
    .concat();
    let expected = [
        owned(Sha256, FsVerity, 1, Some("/a")),
        owned(Md5, FsVerity, 2, None),
        owned(Md5, FileData, 2, None),
        owned(Sha256, FileData, 3, Some("b\0/\u{fc}")),
    ];
    assert_eq!(parse(Format::Tlv, &list), expected);
}

#[test]
fn every_algorithm() {
    for (fill, a) in (0..).zip(HashAlgo::ALL) {
        let list = [algo(a), entry_of(a, fill)].concat();
        let expected = [owned(a, FileData, fill, None)];
        assert_eq!(parse(Format::Tlv, &list), expected);
    }
}

#[test]
fn path_may_come_first() {
    let inner = [field(1, b"/a"), field(0, &digest(Md5, 1))].concat();
    let list = [algo(Md5), field(2, &inner)].concat();
    let expected = [owned(Md5, FileData, 1, Some("/a"))];
    assert_eq!(parse(Format::Tlv, &list), expected);
}

#[test]
fn entries_of_length_0_are_skipped() {
    let list = [
        field(2, b""),
        algo(Md5),
        field(2, b""),
        entry_of(Md5, 1),
        field(2, b""),
    ]
    .concat();
    let expected = [owned(Md5, FileData, 1, None)];
    assert_eq!(parse(Format::Tlv, &list), expected);
}

#[test]
fn number_of_entries_is_a_hint() {
    for num in [1, 2, 3, u32::MAX] {
        let list = [
            algo(Md5),
            num_entries(num),
            entry_of(Md5, 1),
            entry_of(Md5, 2),
        ]
        .concat();
        assert_eq!(parse(Format::Tlv, &list).len(), 2);
    }
}

#[test]
fn lists_without_digests() {
    let rows = [
        algo(Md5),
        digest_type(1),
        [algo(Md5), num_entries(5)].concat(),
        field(2, b""),
    ];
    for list in rows {
        assert_eq!(parse(Format::Tlv, &list), []);
    }
}

#[test]
fn duplicates_are_all_given() {
    let list = [algo(Md5), entry_of(Md5, 1), entry_of(Md5, 1)].concat();
    assert_eq!(parse(Format::Tlv, &list).len(), 2);
}

#[test]
fn iteration_stops_at_the_first_error() {
    let list = [
        algo(Md5),
        entry_of(Md5, 1),
        entry_of(Md5, 2),
        entry_of(Md5, 3),
    ]
    .concat();
    let list = List::parse(Format::Tlv, &list).unwrap();
    let mut seen = 0;
    let result = list.for_each(|entry| {
        seen += 1;
        if entry.digest == digest(Md5, 2) {
            return Err("enough");
        }
        Ok(())
    });
    assert_eq!(result, Err("enough"));
    assert_eq!(seen, 2);
}

#[test]
fn malformed() {
    let a = || algo(Md5);
    let at = a().len();
    let d = || field(0, &digest(Md5, 1));
    let p = || field(1, b"/a");
    let after_algo = |rest: Vec<u8>| [a(), rest].concat();
    let in_entry = |inner: &[Vec<u8>]| [a(), field(2, &inner.concat())].concat();
    // Where the first and the second field of an entry after the algorithm are.
    let inner_at = at + 6;
    let second_at = inner_at + d().len();

    let rows = [
        // No list at all.
        (vec![], Kind::Empty, 0),
        // Headers that are cut off.
        (vec![0], Kind::Truncated, 0),
        (vec![0, 2], Kind::Truncated, 2),
        (vec![0, 2, 0, 0, 0], Kind::Truncated, 2),
        (after_algo(vec![0]), Kind::Truncated, at),
        (after_algo(vec![0, 0, 0, 0, 0]), Kind::Truncated, at + 2),
        // Values that are cut off.
        (vec![0, 0, 0, 0, 0, 2, 0], Kind::Truncated, 6),
        (vec![0, 9, 0xff, 0xff, 0xff, 0xff], Kind::Truncated, 6),
        (after_algo(vec![0, 2, 0, 0, 0, 1]), Kind::Truncated, at + 6),
        // Unknown fields, whatever their length.
        (field(4, b""), Kind::UnknownField, 0),
        (field(0x100, b"xy"), Kind::UnknownField, 0),
        (after_algo(field(u16::MAX, b"x")), Kind::UnknownField, at),
        // Sizes of values.
        (field(0, b"\0"), Kind::FieldSize, 0),
        (field(0, b"\0\0\x01"), Kind::FieldSize, 0),
        (after_algo(field(0, b"")), Kind::FieldSize, at),
        (after_algo(field(1, b"\0\0\x01")), Kind::FieldSize, at),
        (after_algo(field(1, b"\0\0\0\0\x01")), Kind::FieldSize, at),
        (after_algo(field(1, b"")), Kind::FieldSize, at),
        (after_algo(field(3, b"\0")), Kind::FieldSize, at),
        (after_algo(field(3, b"\0\0\0")), Kind::FieldSize, at),
        (after_algo(field(3, b"")), Kind::FieldSize, at),
        // Unknown values.
        (field(0, &[0, 23]), Kind::UnknownAlgo, 0),
        (field(0, &[1, 4]), Kind::UnknownAlgo, 0),
        (after_algo(field(0, &[0xff; 2])), Kind::UnknownAlgo, at),
        (digest_type(2), Kind::UnknownDigestType, 0),
        (after_algo(digest_type(0x100)), Kind::UnknownDigestType, at),
        // What needs an algorithm before it.
        (entry_of(Md5, 1), Kind::NoAlgo, 0),
        (num_entries(1), Kind::NoAlgo, 0),
        (num_entries(0), Kind::NoAlgo, 0),
        ([digest_type(0), num_entries(1)].concat(), Kind::NoAlgo, 8),
        (after_algo(num_entries(0)), Kind::NoEntries, at),
        // Entries.
        (in_entry(&[p()]), Kind::NoDigest, at),
        (in_entry(&[d(), d()]), Kind::DuplicateField, second_at),
        (
            in_entry(&[d(), p(), p()]),
            Kind::DuplicateField,
            second_at + 8,
        ),
        (in_entry(&[field(2, b"")]), Kind::UnknownField, inner_at),
        (
            in_entry(&[d(), field(3, b"\0\0")]),
            Kind::UnknownField,
            second_at,
        ),
        (in_entry(&[field(0, b"")]), Kind::FieldSize, inner_at),
        (in_entry(&[field(0, &[1; 15])]), Kind::FieldSize, inner_at),
        (in_entry(&[field(0, &[1; 17])]), Kind::FieldSize, inner_at),
        (in_entry(&[d(), field(1, b"")]), Kind::FieldSize, second_at),
        (in_entry(&[d(), vec![0]]), Kind::Truncated, second_at),
        (in_entry(&[d(), vec![0; 5]]), Kind::Truncated, second_at + 2),
        (
            in_entry(&[d(), vec![0, 1, 0, 0, 0, 2, b'/']]),
            Kind::Truncated,
            second_at + 6,
        ),
        // A digest of the algorithm that is no longer valid.
        (
            [a(), algo(Sha512), entry_of(Md5, 1)].concat(),
            Kind::FieldSize,
            2 * at + 6,
        ),
        // A field that is good in itself, but longer than the entry that it is in.
        (
            [a(), vec![0, 2, 0, 0, 0, 21], d()].concat(),
            Kind::Truncated,
            inner_at + 6,
        ),
        // Excess bytes.
        (
            [a(), entry_of(Md5, 1), vec![0]].concat(),
            Kind::Truncated,
            at + 28,
        ),
        // A signature that was not stripped.
        (
            after_algo(b"~Module signature appended~\n".to_vec()),
            Kind::Truncated,
            at + 6,
        ),
    ];
    for (row, (list, kind, offset)) in rows.into_iter().enumerate() {
        println!("row {row}: {list:02x?}");
        assert_refused(Format::Tlv, &list, kind, offset);
    }
}

#[test]
fn every_prefix_is_either_whole_fields_or_truncated() {
    let fields = [
        algo(Sha256),
        num_entries(2),
        entry(&digest(Sha256, 1), Some("/a")),
        entry(&digest(Sha256, 2), Some("/b")),
    ];
    let list = fields.concat();
    let ends: Vec<usize> = fields
        .iter()
        .scan(0, |end, field| {
            *end += field.len();
            Some(*end)
        })
        .collect();
    for len in 1..list.len() {
        let parsed = List::parse(Format::Tlv, &list[..len]);
        if ends.contains(&len) {
            assert!(parsed.is_ok());
        } else {
            assert_eq!(parsed.unwrap_err().kind, Kind::Truncated);
        }
    }
}

#[test]
fn size_limit() {
    for len in [0, 1, 1 << 32] {
        assert_eq!(check_size(len), Ok(()));
    }
    for len in [(1 << 32) + 1, u64::MAX] {
        let error = Error {
            kind: Kind::TooBig,
            offset: 0,
        };
        assert_eq!(check_size(len), Err(error));
    }
    assert_eq!(Kind::TooBig.errno(), Errno::TooBig);
}
