// SPDX-License-Identifier: GPL-2.0-only

//! The `tlv` form of April 2024.

use digest_list_formats::parsers::{
    algo::{
        DigestType,
        HashAlgo::{self, Md5, Sha256},
    },
    error::Kind,
    Format,
};

use crate::bytes::{
    algo_2024_04 as algo, assert_refused, blob_2024_04 as blob, digest, entry_2024_04 as entry,
    field_2024_04 as field, header_2024_04 as header, parse, Owned,
};

const HEADER: usize = 32;
const FIELD: usize = 16;

fn owned(algo: HashAlgo, fill: u8, path: Option<&str>) -> Owned {
    Owned {
        algo,
        digest_type: DigestType::FileData,
        digest: digest(algo, fill),
        path: path.map(str::to_owned),
    }
}

fn entry_of(algo: HashAlgo, fill: u8) -> Vec<u8> {
    entry(&digest(algo, fill), None)
}

#[test]
fn bytes_of_the_format() {
    let number = |n: u64| n.to_be_bytes();
    let list = [
        // Header: data type, number of fields, reserved, total length.
        &number(0)[..],
        &number(2),
        &number(0),
        &number(24 + 16 + 32 + 32 + 18),
        // ALGO.
        &number(0),
        &number(8),
        &number(1),
        // ENTRY.
        &number(1),
        &number(32 + 32 + 18),
        &number(0),
        &number(2),
        &number(0),
        &number(32 + 18),
        // DIGEST and PATH.
        &number(0),
        &number(16),
        &[7; 16],
        &number(1),
        &number(2),
        b"/a",
    ]
    .concat();
    assert_eq!(parse(Format::Tlv, &list), [owned(Md5, 7, Some("/a"))]);
}

#[test]
fn algorithms_hold_for_what_follows_in_the_blob() {
    let list = [
        blob(
            0,
            &[
                algo(Sha256),
                entry(&digest(Sha256, 1), Some("/a")),
                algo(Md5),
                entry_of(Md5, 2),
            ],
        ),
        blob(0, &[algo(Sha256), entry_of(Sha256, 3)]),
    ]
    .concat();
    let expected = [
        owned(Sha256, 1, Some("/a")),
        owned(Md5, 2, None),
        owned(Sha256, 3, None),
    ];
    assert_eq!(parse(Format::Tlv, &list), expected);
}

#[test]
fn blobs_of_other_types_are_skipped() {
    let other = |data_type, data: &[u8]| {
        let len = u64::try_from(data.len()).unwrap();
        [header(data_type, 77, 0, len), data.to_vec()].concat()
    };
    let list = [
        other(0xffff, b"first"),
        blob(0, &[algo(Md5), entry_of(Md5, 1)]),
        other(u64::MAX, b""),
        other(1, &blob(0, &[algo(Md5), entry_of(Md5, 2)])),
    ]
    .concat();
    assert_eq!(parse(Format::Tlv, &list), [owned(Md5, 1, None)]);

    // In an entry too.
    let inner = [
        other(1, b"x"),
        blob(0, &[field(0, &digest(Md5, 1))]),
        blob(0, &[field(1, b"/a")]),
    ]
    .concat();
    let list = blob(0, &[algo(Md5), field(1, &inner)]);
    assert_eq!(parse(Format::Tlv, &list), [owned(Md5, 1, Some("/a"))]);
}

#[test]
fn entries_of_length_0_are_skipped() {
    let list = blob(
        0,
        &[field(1, b""), algo(Md5), field(1, b""), entry_of(Md5, 1)],
    );
    assert_eq!(parse(Format::Tlv, &list), [owned(Md5, 1, None)]);
}

#[test]
fn lists_without_digests() {
    assert_eq!(parse(Format::Tlv, &blob(0, &[algo(Md5)])), []);
    assert_eq!(parse(Format::Tlv, &blob(5, &[])), []);
}

#[test]
fn malformed() {
    let good = || blob(0, &[algo(Md5), entry_of(Md5, 1)]);
    let total = u64::try_from(good().len() - HEADER).unwrap();
    let with_header = |h: Vec<u8>| [h, good()[HEADER..].to_vec()].concat();
    let fields = |f: &[Vec<u8>]| blob(0, f);
    let in_entry = |inner: Vec<u8>| blob(0, &[algo(Md5), field(1, &inner)]);
    let d = || field(0, &digest(Md5, 1));
    let p = || field(1, b"/a");

    // Where the second field of the list is, the blob in it, and that one's first field.
    let second = HEADER + FIELD + 8;
    let inner = second + FIELD;
    let inner_first = inner + HEADER;
    let inner_second = inner_first + FIELD + 16;

    let rows = [
        // Zeros that a crash left behind.
        (vec![0; 32], Kind::NoEntries, 0),
        (vec![0; 64], Kind::NoEntries, 0),
        (vec![0; 31], Kind::Truncated, 24),
        (vec![0; 6], Kind::Truncated, 0),
        // Headers.
        (with_header(header(0, 2, 1, total)), Kind::Reserved, 16),
        (with_header(header(9, 2, 1, total)), Kind::Reserved, 16),
        (
            with_header(header(0, 2, 0, total + 1)),
            Kind::Truncated,
            HEADER,
        ),
        (
            with_header(header(9, 2, 0, total + 1)),
            Kind::Truncated,
            HEADER,
        ),
        (
            with_header(header(0, 2, 0, u64::MAX)),
            Kind::Truncated,
            HEADER,
        ),
        (
            with_header(header(0, 2, 0, total - 1)),
            Kind::Truncated,
            second + FIELD,
        ),
        (
            with_header(header(9, 2, 0, total - 1)),
            Kind::Truncated,
            good().len() - 1,
        ),
        (with_header(header(0, 0, 0, total)), Kind::NoEntries, 0),
        (with_header(header(0, 1, 0, total)), Kind::EntryCount, 0),
        (with_header(header(0, 3, 0, total)), Kind::EntryCount, 0),
        (
            with_header(header(0, u64::MAX, 0, total)),
            Kind::EntryCount,
            0,
        ),
        (header(0, 1, 0, 0), Kind::EntryCount, 0),
        // Excess bytes after the blob, and in it.
        ([good(), vec![0]].concat(), Kind::Truncated, good().len()),
        (
            [header(0, 1, 0, 25), algo(Md5), vec![0]].concat(),
            Kind::Truncated,
            second,
        ),
        // Fields.
        (fields(&[field(2, b"")]), Kind::UnknownField, HEADER),
        (fields(&[field(u64::MAX, b"")]), Kind::UnknownField, HEADER),
        (fields(&[field(0, &[0; 2])]), Kind::FieldSize, HEADER),
        (fields(&[field(0, &[0; 9])]), Kind::FieldSize, HEADER),
        (fields(&[field(0, b"")]), Kind::FieldSize, HEADER),
        (
            fields(&[field(0, &23_u64.to_be_bytes())]),
            Kind::UnknownAlgo,
            HEADER,
        ),
        // A number that only its lower half makes an algorithm.
        (
            fields(&[field(0, &(1_u64 << 32 | 4).to_be_bytes())]),
            Kind::UnknownAlgo,
            HEADER,
        ),
        (fields(&[entry_of(Md5, 1)]), Kind::NoAlgo, HEADER),
        // The algorithm of another blob.
        (
            [fields(&[algo(Md5)]), fields(&[entry_of(Md5, 1)])].concat(),
            Kind::NoAlgo,
            second + HEADER,
        ),
        // Entries.
        (in_entry(vec![0; 5]), Kind::Truncated, inner),
        (in_entry(vec![0; 32]), Kind::NoEntries, inner),
        (in_entry(header(0, 1, 1, 0)), Kind::Reserved, inner + 16),
        (in_entry(header(0, 1, 0, 1)), Kind::Truncated, inner_first),
        (in_entry(blob(1, &[d()])), Kind::NoDigest, second),
        (in_entry(blob(0, &[p()])), Kind::NoDigest, second),
        (
            in_entry(blob(0, &[d(), d()])),
            Kind::DuplicateField,
            inner_second,
        ),
        (
            in_entry(blob(0, &[d(), p(), p()])),
            Kind::DuplicateField,
            inner_second + 18,
        ),
        (
            in_entry([blob(0, &[d()]), blob(0, &[d()])].concat()),
            Kind::DuplicateField,
            inner_second + HEADER,
        ),
        (
            in_entry(blob(0, &[field(2, b"")])),
            Kind::UnknownField,
            inner_first,
        ),
        (
            in_entry(blob(0, &[field(0, &[1; 20])])),
            Kind::FieldSize,
            inner_first,
        ),
        (
            in_entry(blob(0, &[field(0, b"")])),
            Kind::FieldSize,
            inner_first,
        ),
        (
            in_entry(blob(0, &[d(), field(1, b"")])),
            Kind::FieldSize,
            inner_second,
        ),
        (
            in_entry([header(0, 2, 0, 32), d()].concat()),
            Kind::EntryCount,
            inner,
        ),
        (
            in_entry([blob(0, &[d()]), vec![0]].concat()),
            Kind::Truncated,
            inner_second,
        ),
    ];
    for (row, (list, kind, offset)) in rows.into_iter().enumerate() {
        println!("row {row}: {list:02x?}");
        assert_refused(Format::Tlv, &list, kind, offset);
    }
}

#[test]
fn every_prefix_is_refused() {
    let list = blob(0, &[algo(Md5), entry(&digest(Md5, 1), Some("/a"))]);
    for len in 1..list.len() {
        let error =
            digest_list_formats::parsers::List::parse(Format::Tlv, &list[..len]).unwrap_err();
        // Of five bytes or fewer nobody knows which form they are.
        assert_eq!(error.kind, Kind::Truncated, "{len}");
        assert!(error.offset <= len);
    }
}
