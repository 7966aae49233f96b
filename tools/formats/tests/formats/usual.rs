// SPDX-License-Identifier: GPL-2.0-only

//! What is usual in lists is read in a way of its own, which must give what any other way gives.

use digest_list_formats::parsers::{
    algo::{
        DigestType::FileData,
        HashAlgo::{self, Sha256},
    },
    error::Kind,
    Format, List,
};

use crate::bytes::{
    algo, assert_refused, digest, entry, field, hex, parse, rpm, Owned, Tag, FILEDIGESTALGO,
    FILEDIGESTS, FILEMODES,
};

/// An entry that begins like a usual one: whatever is wrong with the rest of it is found.
#[test]
fn tlv_that_is_almost_usual() {
    let digest = digest(Sha256, 7);
    let usual = [field(0, &digest), field(1, b"/a")].concat();
    let before = [algo(Sha256), entry(&digest, Some("/b"))].concat();
    let list = |inner: &[u8]| [&before[..], &field(2, inner), &entry(&digest, None)].concat();
    let inner_at = before.len() + 6;
    let path_at = inner_at + 6 + digest.len();

    let paths = |list: &[u8]| -> Vec<_> {
        let parsed = parse(Format::Tlv, list);
        parsed.into_iter().map(|Owned { path, .. }| path).collect()
    };
    let path = |path: &str| Some(path.to_owned());
    assert_eq!(paths(&list(&usual)), [path("/b"), path("/a"), None]);
    let swapped = [field(1, b"/a"), field(0, &digest)].concat();
    assert_eq!(paths(&list(&swapped)), [path("/b"), path("/a"), None]);

    let rows = [
        // Two digests, two paths, an unknown field, an empty path.
        (
            [field(0, &digest), field(0, &digest)].concat(),
            Kind::DuplicateField,
            path_at,
        ),
        (
            [usual.clone(), field(1, b"/c")].concat(),
            Kind::DuplicateField,
            path_at + 8,
        ),
        (
            [field(0, &digest), field(2, b"/a")].concat(),
            Kind::UnknownField,
            path_at,
        ),
        (
            [field(0, &digest), field(1, b"")].concat(),
            Kind::FieldSize,
            path_at,
        ),
        // A head that is cut off, and one that tells more or less than there is.
        (
            [field(0, &digest), vec![0, 1, 0]].concat(),
            Kind::Truncated,
            path_at + 2,
        ),
        (
            [field(0, &digest), vec![0, 1, 0, 0, 0, 2, b'/']].concat(),
            Kind::Truncated,
            path_at + 6,
        ),
        (
            [usual.clone(), b"x".to_vec()].concat(),
            Kind::Truncated,
            path_at + 8,
        ),
        // A digest of another size.
        (field(0, &digest[1..]), Kind::FieldSize, inner_at),
    ];
    for (inner, kind, offset) in rows {
        assert_refused(Format::Tlv, &list(&inner), kind, offset);
    }
    // An entry that does not end with the list.
    let whole = list(&usual);
    for len in 0..whole.len() {
        let is_prefix = List::parse(Format::Tlv, &whole[..len]).is_ok();
        let ends = [8, 8 + 6 + 6 + 32 + 6 + 2, 8 + 2 * (6 + 6 + 32 + 6 + 2)];
        assert_eq!(is_prefix, ends.contains(&len), "{len}");
    }
}

/// Every byte at every place of a digest, against what the standard library says.
#[test]
fn rpm_digits() {
    let good = hex(&digest(Sha256, 0x9c));
    for at in 0..good.len() {
        for byte in 1..=255_u8 {
            let mut digits = good.clone().into_bytes();
            digits[at] = byte;
            // Tags are made of text here, so bytes that are none are put in afterwards.
            let mut list = rpm(&[
                Tag::int32(FILEDIGESTALGO, &[8]),
                Tag::strings(FILEDIGESTS, &[&good]),
            ]);
            let start = list.len() - digits.len() - 1;
            list[start..start + digits.len()].copy_from_slice(&digits);
            let value = char::from(byte).to_digit(16);
            match value.filter(|_| !byte.is_ascii_uppercase()) {
                None => assert_refused(Format::Rpm, &list, Kind::BadHex, start),
                Some(value) => {
                    let mut expected = digest(Sha256, 0x9c);
                    let shift = if at % 2 == 0 { 4 } else { 0 };
                    expected[at / 2] &= !(0xf << shift);
                    expected[at / 2] |= u8::try_from(value).unwrap() << shift;
                    let owned = Owned {
                        algo: Sha256,
                        digest_type: FileData,
                        digest: expected,
                        path: None,
                    };
                    assert_eq!(parse(Format::Rpm, &list), [owned]);
                }
            }
        }
    }
}

/// Files without a digest, in a row: as many NULs as a digest has digits, and more, are none.
#[test]
fn rpm_without_digests_in_a_row() {
    for algo in HashAlgo::ALL {
        let openpgp = (0..20).find(|&number| HashAlgo::from_openpgp(number) == Some(algo));
        let Some(openpgp) = openpgp else {
            continue;
        };
        let two = [1, 2].map(|fill| hex(&digest(algo, fill)));
        for (before, between, after) in (0..=2 * algo.digest_size() + 3)
            .flat_map(|num| [(num, 0, 0), (0, num, 0), (0, 0, num), (num, num, num)])
        {
            let mut digests = vec![""; before];
            digests.push(&two[0]);
            digests.resize(before + 1 + between, "");
            digests.push(&two[1]);
            digests.resize(before + between + after + 2, "");
            // Directories, and files that are not in the package, which are regular.
            for (mode, ending) in [(0o040_755, ""), (0o100_644, "x"), (0o100_644, "\0")] {
                let mut modes = vec![mode; digests.len()];
                modes[before] = 0o100_644;
                modes[before + 1 + between] = 0o100_644;
                // What comes after the digests are links, of which most are empty.
                let list = rpm(&[
                    Tag::int32(FILEDIGESTALGO, &[openpgp]),
                    Tag::int16(FILEMODES, &modes),
                    Tag::strings(FILEDIGESTS, &digests),
                    Tag::strings(1036, &[ending; 140]),
                ]);
                let found = parse(Format::Rpm, &list);
                let found: Vec<_> = found.into_iter().map(|entry| entry.digest).collect();
                assert_eq!(found, [1, 2].map(|fill| digest(algo, fill)));
            }
        }
    }
}

/// A walk that is for digests only gives the same ones.
#[test]
fn walks_without_paths() {
    let one = hex(&digest(Sha256, 1));
    let two = hex(&digest(Sha256, 2));
    let lists = [
        (
            Format::Tlv,
            [
                algo(Sha256),
                entry(&digest(Sha256, 1), Some("/a")),
                entry(&digest(Sha256, 2), None),
            ]
            .concat(),
        ),
        (
            Format::Rpm,
            rpm(&[
                Tag::int32(FILEDIGESTALGO, &[8]),
                Tag::strings(FILEDIGESTS, &[&one, "", &two]),
                Tag::strings(crate::bytes::BASENAMES, &["a", "b", "c"]),
                Tag::int32(crate::bytes::DIRINDEXES, &[0, 0, 0]),
                Tag::strings(crate::bytes::DIRNAMES, &["/"]),
            ]),
        ),
    ];
    for (format, list) in lists {
        // Which compares the walks.
        let found = parse(format, &list).into_iter();
        let found = found.map(|entry| (entry.algo, entry.digest_type, entry.digest));
        let expected = [1, 2].map(|fill| (Sha256, FileData, digest(Sha256, fill)));
        assert!(found.eq(expected));
    }
}
