// SPDX-License-Identifier: GPL-2.0-only

//! The `rpm` format.

use std::time::{Duration, Instant};

use digest_list_formats::parsers::{
    algo::{
        DigestType,
        HashAlgo::{self, Md5, Sha256},
    },
    error::Kind,
    Format, List,
};

use crate::bytes::{
    assert_refused, digest, entries, hex, parse, rpm, rpm_raw, Owned, Tag, BASENAMES, BIN,
    DIRINDEXES, DIRNAMES, FILEDIGESTALGO, FILEDIGESTS, FILEMODES, INT16, INT32, STRING_ARRAY,
};

/// Where the entry of the index with this number is.
fn index_at(number: usize) -> usize {
    16 + 16 * number
}

fn hex_of(algo: HashAlgo, fill: u8) -> String {
    hex(&digest(algo, fill))
}

fn owned(algo: HashAlgo, fill: u8, path: Option<&str>) -> Owned {
    Owned {
        algo,
        digest_type: DigestType::FileData,
        digest: digest(algo, fill),
        path: path.map(str::to_owned),
    }
}

/// FILEDIGESTS with SHA-256 digests.
fn digests(fills: &[u8]) -> Tag {
    let hex: Vec<_> = fills.iter().map(|&fill| hex_of(Sha256, fill)).collect();
    Tag::strings(
        FILEDIGESTS,
        &hex.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

fn sha256() -> Tag {
    Tag::int32(FILEDIGESTALGO, &[8])
}

#[test]
fn digests_and_paths() {
    let (one, three) = (hex_of(Sha256, 1), hex_of(Sha256, 0xaf));
    let list = rpm(&[
        Tag::int16(FILEMODES, &[0o100_755, 0o040_755, 0o104_755]),
        Tag::strings(FILEDIGESTS, &[&one, "", &three]),
        Tag::int32(DIRINDEXES, &[1, 0, 0]),
        Tag::strings(BASENAMES, &["ls", "etc", "x"]),
        Tag::strings(DIRNAMES, &["/", "/bin/"]),
        sha256(),
    ]);
    let expected = [
        owned(Sha256, 1, Some("/bin/ls")),
        owned(Sha256, 0xaf, Some("/x")),
    ];
    assert_eq!(parse(Format::Rpm, &list), expected);
}

#[test]
fn algorithms() {
    for number in 0..20 {
        let algo = HashAlgo::from_openpgp(number);
        let hex = hex_of(algo.unwrap_or(Md5), 5);
        let list = rpm(&[
            Tag::int32(FILEDIGESTALGO, &[number]),
            Tag::strings(FILEDIGESTS, &[&hex]),
        ]);
        match algo {
            Some(algo) => assert_eq!(parse(Format::Rpm, &list), [owned(algo, 5, None)]),
            None => assert_refused(Format::Rpm, &list, Kind::UnknownAlgo, 48),
        }
    }
    let list = rpm(&[Tag::strings(FILEDIGESTS, &[&hex_of(Md5, 5)])]);
    assert_eq!(parse(Format::Rpm, &list), [owned(Md5, 5, None)]);
}

#[test]
fn hexadecimal_digits() {
    let digest: Vec<u8> = (0..16).map(|n| n << 4 | (15 - n)).collect();
    let list = rpm(&[Tag::strings(FILEDIGESTS, &[&hex(&digest)])]);
    assert_eq!(parse(Format::Rpm, &list)[0].digest, digest);
}

#[test]
fn headers_without_digests_are_empty_lists() {
    let rows = [
        rpm(&[]),
        rpm(&[Tag::strings(1000, &["name"])]),
        rpm(&[sha256()]),
        // What is not used without digests is not looked into.
        rpm(&[
            Tag::int32(FILEDIGESTALGO, &[99]),
            Tag::strings(BASENAMES, &["a"]),
        ]),
        rpm(&[Tag::strings(FILEDIGESTS, &["", ""])]),
    ];
    for list in rows {
        assert_eq!(parse(Format::Rpm, &list), []);
    }
}

#[test]
fn files_without_use_for_a_digest_are_skipped() {
    let list = rpm(&[
        Tag::int16(FILEMODES, &[0o120_777, 0o100_644, 0o060_644, 0]),
        digests(&[1, 2, 3, 4]),
        sha256(),
    ]);
    assert_eq!(parse(Format::Rpm, &list), [owned(Sha256, 2, None)]);
}

#[test]
fn tags_that_are_not_used_are_tolerated() {
    // The region tag, whose value tells negative offsets; duplicates; an odd count and alignment.
    let trailer = [63, 7, (-96_i32).cast_unsigned(), 16]
        .map(u32::to_be_bytes)
        .concat();
    let list = rpm(&[
        Tag {
            tag: 63,
            value_type: BIN,
            count: 16,
            data: trailer,
        },
        Tag::strings(1000, &["x"]),
        Tag::int32(9999, &[]),
        Tag {
            tag: 9999,
            value_type: 0,
            count: u32::MAX,
            data: vec![],
        },
        sha256(),
        digests(&[1]),
    ]);
    assert_eq!(parse(Format::Rpm, &list), [owned(Sha256, 1, None)]);
}

#[test]
fn tags_may_share_data() {
    let one = hex_of(Md5, 1);
    let data = [one.as_bytes(), b"\0"].concat();
    let list = rpm_raw(
        &[
            [FILEDIGESTS, STRING_ARRAY, 0, 1],
            [BASENAMES, STRING_ARRAY, 0, 1],
            [DIRNAMES, STRING_ARRAY, 32, 1],
            [DIRINDEXES, INT32, 0, 1],
        ],
        &data,
    );
    // The first characters, "0101", are no sane number of a directory.
    assert_refused(Format::Rpm, &list, Kind::DirIndex, index_at(4));

    let data = [&[0; 4][..], one.as_bytes(), b"\0"].concat();
    let list = rpm_raw(
        &[
            [FILEDIGESTS, STRING_ARRAY, 4, 1],
            [BASENAMES, STRING_ARRAY, 34, 1],
            [DIRNAMES, STRING_ARRAY, 0, 1],
            [DIRINDEXES, INT32, 0, 1],
        ],
        &data,
    );
    assert_eq!(parse(Format::Rpm, &list), [owned(Md5, 1, Some("01"))]);
}

#[test]
fn malformed_headers() {
    let good = || rpm(&[sha256(), digests(&[1])]);
    let patched = |at: usize, with: &[u8]| {
        let mut list = good();
        list[at..at + with.len()].copy_from_slice(with);
        list
    };
    let len = good().len();
    let rows = [
        (vec![], Kind::Empty, 0),
        (b"\x8e\xad\xe8".to_vec(), Kind::Truncated, 0),
        (good()[..7].to_vec(), Kind::Truncated, 4),
        (good()[..15].to_vec(), Kind::Truncated, 12),
        // Magic, version, reserved bytes.
        (patched(0, &[0x8f]), Kind::BadMagic, 0),
        (patched(3, &[2]), Kind::BadMagic, 0),
        (patched(4, &[1]), Kind::Reserved, 4),
        (patched(7, &[1]), Kind::Reserved, 4),
        // As in a database of RPM, which keeps the header without magic.
        (good()[8..].to_vec(), Kind::BadMagic, 0),
        // Number of tags and size of data.
        (patched(8, &[0xff; 4]), Kind::RegionSize, 12),
        (patched(8, &[0x10, 0, 0, 0]), Kind::RegionSize, 12),
        (patched(8, &[0, 0, 0, 1]), Kind::RegionSize, 12),
        (patched(8, &[0, 0, 0, 3]), Kind::RegionSize, 12),
        (patched(12, &[0xff; 4]), Kind::RegionSize, 12),
        (patched(12, &[0; 4]), Kind::RegionSize, 12),
        (patched(15, &[70]), Kind::RegionSize, 12),
        (patched(15, &[68]), Kind::RegionSize, 12),
        (good()[..len - 1].to_vec(), Kind::RegionSize, 12),
        ([good(), vec![0]].concat(), Kind::RegionSize, 12),
    ];
    // 4 bytes of algorithm, 64 of digest, a terminator: what the rows are made from.
    assert_eq!(&good()[8..16], [0, 0, 0, 2, 0, 0, 0, 69]);
    for (row, (list, kind, offset)) in rows.into_iter().enumerate() {
        println!("row {row}: {list:02x?}");
        assert_refused(Format::Rpm, &list, kind, offset);
    }
}

#[test]
fn malformed_tags() {
    let algo = [FILEDIGESTALGO, INT32, 0, 1];
    let hashes = [FILEDIGESTS, STRING_ARRAY, 4, 1];
    let data = [
        &8_u32.to_be_bytes()[..],
        hex_of(Sha256, 1).as_bytes(),
        b"\0",
    ]
    .concat();
    let end = 69;
    let rows: [(Vec<[u32; 4]>, Kind, usize); 27] = [
        // Types.
        (vec![[1, 10, 0, 1]], Kind::TagType, index_at(0)),
        (vec![algo, [1, u32::MAX, 0, 1]], Kind::TagType, index_at(1)),
        (
            vec![[FILEDIGESTALGO, INT16, 0, 1]],
            Kind::TagType,
            index_at(0),
        ),
        (vec![[FILEDIGESTS, 9, 4, 1]], Kind::TagType, index_at(0)),
        (vec![[FILEDIGESTS, 6, 4, 1]], Kind::TagType, index_at(0)),
        (vec![[BASENAMES, INT32, 0, 1]], Kind::TagType, index_at(0)),
        (vec![[DIRNAMES, BIN, 0, 1]], Kind::TagType, index_at(0)),
        (
            vec![[DIRINDEXES, STRING_ARRAY, 0, 1]],
            Kind::TagType,
            index_at(0),
        ),
        (vec![[FILEMODES, INT32, 0, 1]], Kind::TagType, index_at(0)),
        // Duplicates.
        (vec![algo, hashes, hashes], Kind::DuplicateTag, index_at(2)),
        (vec![algo, hashes, algo], Kind::DuplicateTag, index_at(2)),
        // Offsets, also of tags that are not used.
        (vec![[1, 7, end + 1, 0]], Kind::TagRange, index_at(0)),
        (vec![[1, 7, u32::MAX, 0]], Kind::TagRange, index_at(0)),
        (
            vec![[FILEDIGESTS, STRING_ARRAY, end + 1, 1]],
            Kind::TagRange,
            index_at(0),
        ),
        (
            vec![[FILEDIGESTALGO, INT32, 68, 1], hashes],
            Kind::TagRange,
            index_at(0),
        ),
        // At the end of the data, there are no values.
        (
            vec![[FILEDIGESTS, STRING_ARRAY, end, 1]],
            Kind::Unterminated,
            index_at(1) + 69,
        ),
        // Counts.
        (
            vec![[FILEDIGESTS, STRING_ARRAY, 4, 0]],
            Kind::TagCount,
            index_at(0),
        ),
        (
            vec![[FILEDIGESTALGO, INT32, 0, 0]],
            Kind::TagCount,
            index_at(0),
        ),
        (
            vec![[FILEDIGESTALGO, INT32, 0, 2], hashes],
            Kind::TagCount,
            index_at(0),
        ),
        (
            vec![algo, [FILEDIGESTS, STRING_ARRAY, 4, 2]],
            Kind::Unterminated,
            index_at(2) + 69,
        ),
        (
            vec![algo, [FILEDIGESTS, STRING_ARRAY, 4, u32::MAX]],
            Kind::Unterminated,
            index_at(2) + 69,
        ),
        // Alignment.
        (
            vec![[FILEDIGESTALGO, INT32, 1, 1], hashes],
            Kind::TagAlignment,
            index_at(0),
        ),
        (
            vec![[FILEDIGESTALGO, INT32, 2, 1], hashes],
            Kind::TagAlignment,
            index_at(0),
        ),
        (
            vec![algo, [FILEMODES, INT16, 1, 1], hashes],
            Kind::TagAlignment,
            index_at(1),
        ),
        // Paths of which a part is missing.
        (
            vec![algo, [BASENAMES, STRING_ARRAY, 4, 1], hashes],
            Kind::MissingTag,
            index_at(2),
        ),
        (
            vec![
                algo,
                hashes,
                [BASENAMES, STRING_ARRAY, 4, 1],
                [DIRINDEXES, INT32, 0, 1],
            ],
            Kind::MissingTag,
            index_at(1),
        ),
        (
            vec![algo, hashes, [DIRNAMES, STRING_ARRAY, 4, 1]],
            Kind::MissingTag,
            index_at(1),
        ),
    ];
    for (row, (index, kind, offset)) in rows.into_iter().enumerate() {
        println!("row {row}: {index:?}");
        assert_refused(Format::Rpm, &rpm_raw(&index, &data), kind, offset);
    }
}

#[test]
fn malformed_digests() {
    let good = hex_of(Sha256, 0x1a);
    let data_at = index_at(2);
    let rows = [
        (good.to_uppercase(), Kind::BadHex),
        (good.replacen('a', "g", 1), Kind::BadHex),
        (good.replacen('a', "/", 1), Kind::BadHex),
        (good.replacen('1', ":", 1), Kind::BadHex),
        (good.replacen('1', "`", 1), Kind::BadHex),
        (good.replacen('1', " ", 1), Kind::BadHex),
        (good[1..].to_owned(), Kind::DigestSize),
        (good[2..].to_owned(), Kind::DigestSize),
        (format!("{good}0"), Kind::DigestSize),
        (format!("{good}00"), Kind::DigestSize),
        ("0".to_owned(), Kind::DigestSize),
        (format!("0x{good}"), Kind::DigestSize),
        (hex_of(Md5, 1), Kind::DigestSize),
    ];
    for (bad, kind) in rows {
        // Behind a good one, and also where the digest would be skipped.
        let list = rpm(&[sha256(), Tag::strings(FILEDIGESTS, &[&good, &bad])]);
        assert_refused(Format::Rpm, &list, kind, data_at + 4 + 65);
        let list = rpm(&[
            sha256(),
            Tag::strings(FILEDIGESTS, &[&bad]),
            Tag::int16(FILEMODES, &[0o120_777]),
        ]);
        assert_refused(Format::Rpm, &list, kind, index_at(3) + 4);
    }
}

#[test]
fn malformed_paths() {
    let base = |names: &[&str]| Tag::strings(BASENAMES, names);
    let dirs = |names: &[&str]| Tag::strings(DIRNAMES, names);
    let indexes = |values: &[u32]| Tag::int32(DIRINDEXES, values);
    let list = |indexes, base, dirs| rpm(&[sha256(), indexes, digests(&[1, 2]), base, dirs]);
    let data_at = index_at(5);
    let rows = [
        // Not one of each for each file.
        (
            list(indexes(&[0]), base(&["a", "b"]), dirs(&["/"])),
            Kind::TagCount,
            index_at(1),
        ),
        (
            list(indexes(&[0, 0, 0]), base(&["a", "b"]), dirs(&["/"])),
            Kind::TagCount,
            index_at(1),
        ),
        (
            list(indexes(&[0, 0]), base(&["a"]), dirs(&["/"])),
            Kind::TagCount,
            index_at(3),
        ),
        (
            list(indexes(&[0, 0]), base(&["a", "b", "c"]), dirs(&["/"])),
            Kind::TagCount,
            index_at(3),
        ),
        // No such directory.
        (
            list(indexes(&[0, 1]), base(&["a", "b"]), dirs(&["/"])),
            Kind::DirIndex,
            data_at + 8,
        ),
        (
            list(indexes(&[u32::MAX, 0]), base(&["a", "b"]), dirs(&["/"])),
            Kind::DirIndex,
            data_at + 4,
        ),
    ];
    for (row, (list, kind, offset)) in rows.into_iter().enumerate() {
        println!("row {row}: {list:02x?}");
        assert_refused(Format::Rpm, &list, kind, offset);
    }

    // Strings that do not end; directories before names, so that these have an end.
    let mut list = rpm(&[
        sha256(),
        indexes(&[0, 0]),
        digests(&[1, 2]),
        dirs(&["/"]),
        base(&["a", "b"]),
    ]);
    list.pop();
    list[15] -= 1;
    assert_refused(Format::Rpm, &list, Kind::Unterminated, list.len() - 1);

    let mut list = rpm(&[
        sha256(),
        indexes(&[0, 0]),
        digests(&[1, 2]),
        base(&["a", "b"]),
        dirs(&["/", "x"]),
    ]);
    list.pop();
    list[15] -= 1;
    assert_refused(Format::Rpm, &list, Kind::Unterminated, list.len() - 1);
}

#[test]
fn modes_for_each_file() {
    for modes in [&[0o100_644][..], &[0o100_644; 3]] {
        let list = rpm(&[sha256(), Tag::int16(FILEMODES, modes), digests(&[1, 2])]);
        assert_refused(Format::Rpm, &list, Kind::TagCount, index_at(1));
    }
    // More modes told than there is data for.
    let data = [hex_of(Md5, 1).as_bytes(), b"\0\0"].concat();
    let list = rpm_raw(
        &[[FILEDIGESTS, STRING_ARRAY, 0, 2], [FILEMODES, INT16, 32, 2]],
        &data,
    );
    assert_refused(Format::Rpm, &list, Kind::TagRange, index_at(1));
}

/// A header whose files are in these directories, each of which has its number as name.
fn with_dirs(num_dirs: u32, indexes: &[u32]) -> Vec<u8> {
    let dirs: Vec<_> = (0..num_dirs).map(|n| format!("/{n}/")).collect();
    let dirs: Vec<_> = dirs.iter().map(String::as_str).collect();
    let digest = hex_of(Md5, 1);
    rpm(&[
        Tag::strings(FILEDIGESTS, &vec![&digest[..]; indexes.len()]),
        Tag::int32(DIRINDEXES, indexes),
        Tag::strings(BASENAMES, &vec!["x"; indexes.len()]),
        Tag::strings(DIRNAMES, &dirs),
    ])
}

#[test]
fn directories_are_found_in_any_order() {
    let indexes = [4, 0, 1, 0, 0, 3, 3, 2, 4, 1];
    let list = with_dirs(5, &indexes);
    let paths: Vec<_> = parse(Format::Rpm, &list)
        .into_iter()
        .map(|e| e.path.unwrap())
        .collect();
    assert_eq!(paths, indexes.map(|n| format!("/{n}/x")));

    // Directories without names, beside each other and at both ends.
    let list = rpm(&[
        Tag::strings(FILEDIGESTS, &[&hex_of(Md5, 1)[..]; 6]),
        Tag::int32(DIRINDEXES, &[3, 2, 1, 0, 1, 4]),
        Tag::strings(BASENAMES, &["a", "b", "c", "d", "e", "f"]),
        Tag::strings(DIRNAMES, &["", "x", "", "", ""]),
    ]);
    let paths: Vec<_> = parse(Format::Rpm, &list)
        .into_iter()
        .map(|e| e.path.unwrap())
        .collect();
    assert_eq!(paths, ["a", "b", "xc", "d", "xe", "f"]);
}

/// Time is bounded by the size of the header even if files jump between the first and the last of
/// many directories: paths are given up, digests are not.
#[test]
fn directories_far_apart_do_not_cost_quadratic_time() {
    let num = 100_000;
    let indexes: Vec<u32> = (0..num).map(|n| (n % 2) * (num - 1)).collect();
    let list = with_dirs(num, &indexes);
    let start = Instant::now();
    let list = List::parse(Format::Rpm, &list).unwrap();
    let entries = entries(&list);
    // Searching all would go over 10^11 bytes.
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(entries.len(), 100_000);
    assert_eq!(entries[0].path.as_deref(), Some("/0/x"));
    assert_eq!(entries[1].path.as_deref(), Some("/99999/x"));
    assert_eq!(entries[99_999].path, None);
}

#[test]
fn huge_counts_do_not_cost_time() {
    // Each tag of the index tells 2^32 - 1 strings.
    let data = vec![0; 1000];
    let index = [
        [FILEDIGESTS, STRING_ARRAY, 0, u32::MAX],
        [BASENAMES, STRING_ARRAY, 0, u32::MAX],
        [DIRNAMES, STRING_ARRAY, 0, u32::MAX],
        [DIRINDEXES, INT32, 0, u32::MAX],
    ];
    let list = rpm_raw(&index, &data);
    assert_refused(Format::Rpm, &list, Kind::TagRange, index_at(3));
    let list = rpm_raw(&index[..1], &data);
    assert_refused(Format::Rpm, &list, Kind::Unterminated, list.len());
}
