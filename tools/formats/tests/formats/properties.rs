// SPDX-License-Identifier: GPL-2.0-only

//! What holds for any list, well-formed or not.

use digest_list_formats::parsers::{
    algo::{DigestType, HashAlgo},
    error::Error,
    modsig,
    name::{list_name_from_xattr, ListName},
    Format, List,
};
use proptest::prelude::*;

use crate::bytes::{
    self, assert_counts_agree, blob_2024_04, entries, hex, Owned, Tag, BASENAMES, BIN, DIRINDEXES,
    DIRNAMES, FILEDIGESTALGO, FILEDIGESTS, FILEMODES,
};

/// OpenPGP's numbers of algorithms that RPM knows.
const OPENPGP: [u32; 9] = [1, 2, 3, 8, 9, 10, 11, 12, 14];

fn algo() -> impl Strategy<Value = HashAlgo> {
    prop::sample::select(&HashAlgo::ALL[..])
}

fn path() -> impl Strategy<Value = Option<String>> {
    prop::option::of("/[a-z/]{0,12}")
}

/// An entry of any algorithm and type.
fn owned() -> impl Strategy<Value = Owned> {
    let digest_type = prop::sample::select(&DigestType::ALL[..]);
    (algo(), digest_type, path()).prop_flat_map(|(algo, digest_type, path)| {
        prop::collection::vec(any::<u8>(), algo.digest_size()).prop_map(move |digest| Owned {
            algo,
            digest_type,
            digest,
            path: path.clone(),
        })
    })
}

/// Entries of one algorithm after another, and numbers of entries that need not be right.
fn groups() -> impl Strategy<Value = Vec<(Vec<Owned>, Option<u32>)>> {
    let group = (
        prop::collection::vec(owned(), 0..4),
        prop::option::of(1..=u32::MAX),
    );
    prop::collection::vec(group, 1..6)
}

fn write_tlv(groups: &[(Vec<Owned>, Option<u32>)]) -> Vec<u8> {
    let mut list = Vec::new();
    for (owned, num) in groups {
        for (position, entry) in owned.iter().enumerate() {
            list.extend(bytes::digest_type(entry.digest_type.raw().into()));
            list.extend(bytes::algo(entry.algo));
            if let (0, &Some(num)) = (position, num) {
                list.extend(bytes::num_entries(num));
            }
            list.extend(bytes::entry(&entry.digest, entry.path.as_deref()));
        }
        // Keeps a list without any entry from having no bytes.
        list.extend(bytes::field(2, b""));
    }
    list
}

fn write_2024_04(groups: &[(Vec<Owned>, Option<u32>)]) -> Vec<u8> {
    let mut list = Vec::new();
    for (owned, _) in groups {
        let mut fields = vec![bytes::field_2024_04(1, b"")];
        for entry in owned {
            fields.push(bytes::algo_2024_04(entry.algo));
            fields.push(bytes::entry_2024_04(&entry.digest, entry.path.as_deref()));
        }
        list.extend(blob_2024_04(7, &[]));
        list.extend(blob_2024_04(0, &fields));
    }
    list
}

/// A file of an RPM header: what its digest is made from, the mode, the directory, the name.
type RpmFile = (Option<u64>, u16, u32, String);

/// Names of directories, files, and the algorithm.
fn rpm_files() -> impl Strategy<Value = (Vec<String>, Vec<RpmFile>, u32)> {
    let dirs = prop::collection::vec("/[a-z/]{0,6}", 1..6);
    dirs.prop_flat_map(|dirs| {
        let num = u32::try_from(dirs.len()).unwrap();
        let file = (
            prop::option::of(any::<u64>()),
            prop::sample::select(vec![0o100_644, 0o100_755, 0o040_755, 0o120_777]),
            0..num,
            "[a-z]{0,8}",
        );
        (
            Just(dirs),
            prop::collection::vec(file, 1..20),
            prop::sample::select(&OPENPGP[..]),
        )
    })
}

/// The header, and the entries that it must give.
fn write_rpm(dirs: &[String], files: &[RpmFile], openpgp: u32) -> (Vec<u8>, Vec<Owned>) {
    let algo = HashAlgo::from_openpgp(openpgp).unwrap();
    let digest = |seed: u64| -> Vec<u8> {
        let mut bytes = seed.to_be_bytes().repeat(8);
        bytes.truncate(algo.digest_size());
        bytes
    };
    let digests: Vec<_> = files
        .iter()
        .map(|f| f.0.map(|seed| hex(&digest(seed))).unwrap_or_default())
        .collect();
    fn strs(strings: impl Iterator<Item = impl AsRef<str>>, tag: u32) -> Tag {
        let strings: Vec<_> = strings.collect();
        Tag::strings(tag, &strings.iter().map(AsRef::as_ref).collect::<Vec<_>>())
    }
    let header = bytes::rpm(&[
        Tag {
            tag: 63,
            value_type: BIN,
            count: 16,
            data: vec![0xff; 16],
        },
        Tag::int16(FILEMODES, &files.iter().map(|f| f.1).collect::<Vec<_>>()),
        strs(digests.iter(), FILEDIGESTS),
        Tag::int32(DIRINDEXES, &files.iter().map(|f| f.2).collect::<Vec<_>>()),
        strs(files.iter().map(|f| &f.3), BASENAMES),
        strs(dirs.iter(), DIRNAMES),
        Tag::int32(FILEDIGESTALGO, &[openpgp]),
    ]);
    let expected = files
        .iter()
        .filter(|f| f.1 & 0o170_000 == 0o100_000)
        .filter_map(|(seed, _, dir, base)| {
            Some(Owned {
                algo,
                digest_type: DigestType::FileData,
                digest: digest((*seed)?),
                path: Some(format!("{}{base}", dirs[usize::try_from(*dir).unwrap()])),
            })
        })
        .collect();
    (header, expected)
}

/// Any of the formats.
fn valid_list() -> impl Strategy<Value = (Format, Vec<u8>)> {
    prop_oneof![
        groups().prop_map(|g| (Format::Tlv, write_tlv(&g))),
        groups().prop_map(|g| (Format::Tlv, write_2024_04(&g))),
        rpm_files().prop_map(|(d, f, a)| (Format::Rpm, write_rpm(&d, &f, a).0)),
    ]
}

/// Changes to a list: where, and what.
#[derive(Clone, Debug)]
enum Mutation {
    Set(u8),
    Insert(u8),
    Remove,
    Cut,
    /// Overwrites four bytes, as numbers have.
    Number(u32),
    /// Repeats what follows, up to this length.
    Repeat(usize),
}

fn mutations() -> impl Strategy<Value = Vec<(prop::sample::Index, Mutation)>> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(vec![0, 1, 2, 3, 0xff])];
    let number = prop_oneof![
        0..100_u32,
        any::<u32>(),
        prop::sample::select(vec![u32::MAX, u32::MAX - 1, 1 << 31])
    ];
    let mutation = prop_oneof![
        byte.clone().prop_map(Mutation::Set),
        byte.prop_map(Mutation::Insert),
        Just(Mutation::Remove),
        Just(Mutation::Cut),
        number.prop_map(Mutation::Number),
        (1..60_usize).prop_map(Mutation::Repeat),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), mutation), 1..4)
}

fn mutate(list: &mut Vec<u8>, mutations: &[(prop::sample::Index, Mutation)]) {
    for (index, mutation) in mutations {
        if list.is_empty() {
            return;
        }
        let at = index.index(list.len());
        match *mutation {
            Mutation::Set(byte) => list[at] = byte,
            Mutation::Insert(byte) => list.insert(at, byte),
            Mutation::Remove => drop(list.remove(at)),
            Mutation::Cut => list.truncate(at),
            Mutation::Number(number) => {
                for (to, from) in list[at..].iter_mut().zip(number.to_be_bytes()) {
                    *to = from;
                }
            }
            Mutation::Repeat(len) => {
                let end = list.len().min(at + len);
                let part = list[at..end].to_vec();
                list.splice(at..at, part);
            }
        }
    }
}

/// What must hold whatever the bytes are.
fn check_any(format: Format, list: &[u8]) {
    match List::parse(format, list) {
        Ok(parsed) => {
            let mut num = 0;
            let mut per_kind = std::collections::HashMap::new();
            let Ok(()) = parsed.for_each(|entry| -> Result<(), std::convert::Infallible> {
                num += 1;
                assert_eq!(entry.digest.len(), entry.algo.digest_size());
                *per_kind.entry((entry.algo, entry.digest_type)).or_insert(0) += 1;
                Ok(())
            });
            assert_eq!(parsed.counts().total(), num);
            let counts: std::collections::HashMap<_, _> = parsed
                .counts()
                .iter_nonzero()
                .map(|(algo, digest_type, count)| ((algo, digest_type), count))
                .collect();
            assert_eq!(counts, per_kind);
        }
        Err(Error { offset, .. }) => assert!(offset <= list.len()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(list in prop::collection::vec(any::<u8>(), 0..400)) {
        check_any(Format::Tlv, &list);
        check_any(Format::Rpm, &list);
        if let Err(error) = modsig::strip(&list) {
            assert!(error.offset <= list.len());
        }
        match ListName::parse(&list) {
            Ok(name) => assert!(name.format.len() <= 19 && !name.name.is_empty()),
            Err(error) => assert!(error.offset <= list.len()),
        }
        if let Ok(name) = list_name_from_xattr(&list) {
            assert_eq!(list_name_from_xattr(name), Ok(name));
        }
    }

    /// Bytes that begin as lists do.
    #[test]
    fn arbitrary_bytes_after_a_good_start(rest in prop::collection::vec(any::<u8>(), 0..200)) {
        for start in [&b"\0\0\0\0\0\x02\0\x04"[..], b"\0\0\0\0\0\x02\0\x04\0\x02\0\0\0"] {
            check_any(Format::Tlv, &[start, &rest].concat());
        }
        let header = [&[0; 8][..], &rest].concat();
        check_any(Format::Tlv, &header);
        check_any(Format::Rpm, &[b"\x8e\xad\xe8\x01\0\0\0\0\0\0\0\x02\0\0\0", &rest[..]].concat());
    }

    #[test]
    fn mutated_lists_parse_or_fail_cleanly(
        (format, mut list) in valid_list(),
        mutations in mutations(),
    ) {
        mutate(&mut list, &mutations);
        check_any(format, &list);
    }

    /// What one format makes of another's lists.
    #[test]
    fn no_list_is_of_both_formats((format, list) in valid_list()) {
        let other = match format {
            Format::Tlv => Format::Rpm,
            Format::Rpm => Format::Tlv,
        };
        prop_assert!(List::parse(format, &list).is_ok());
        prop_assert!(List::parse(other, &list).is_err());
    }

    #[test]
    fn tlv_round_trip(groups in groups()) {
        let list = write_tlv(&groups);
        let expected: Vec<_> = groups.into_iter().flat_map(|(owned, _)| owned).collect();
        let parsed = List::parse(Format::Tlv, &list).unwrap();
        assert_counts_agree(&parsed, &expected);
        prop_assert_eq!(entries(&parsed), expected);
    }

    #[test]
    fn tlv_2024_04_round_trip(groups in groups()) {
        let list = write_2024_04(&groups);
        let expected: Vec<_> = groups
            .into_iter()
            .flat_map(|(owned, _)| owned)
            .map(|entry| Owned { digest_type: DigestType::FileData, ..entry })
            .collect();
        let parsed = List::parse(Format::Tlv, &list).unwrap();
        assert_counts_agree(&parsed, &expected);
        prop_assert_eq!(entries(&parsed), expected);
    }

    #[test]
    fn rpm_round_trip((dirs, files, openpgp) in rpm_files()) {
        let (list, expected) = write_rpm(&dirs, &files, openpgp);
        let parsed = List::parse(Format::Rpm, &list).unwrap();
        assert_counts_agree(&parsed, &expected);
        prop_assert_eq!(entries(&parsed), expected);
    }

    #[test]
    fn signatures_round_trip(
        content in prop::collection::vec(any::<u8>(), 1..50),
        signature in prop::collection::vec(any::<u8>(), 1..50),
    ) {
        let info = u32::try_from(signature.len()).unwrap().to_be_bytes();
        let list = [
            &content[..],
            &signature,
            &[0, 0, 2, 0, 0, 0, 0, 0],
            &info,
            b"~Module signature appended~\n",
        ]
        .concat();
        let stripped = modsig::strip(&list).unwrap();
        prop_assert_eq!(stripped.content, &content[..]);
        prop_assert_eq!(stripped.signature.unwrap().data, &signature[..]);
    }

    #[test]
    fn names_round_trip(
        seq in prop::option::of(any::<u32>()),
        format in "[a-z.]{1,19}",
        name in "[a-zA-Z0-9_.-]{1,100}",
    ) {
        let seq_part = seq.map(|seq| format!("{seq}-")).unwrap_or_default();
        let file_name = format!("{seq_part}{format}-{name}");
        let parsed = ListName::parse(file_name.as_bytes()).unwrap();
        prop_assert_eq!(parsed.seq, seq);
        prop_assert_eq!(parsed.format, format.as_bytes());
        prop_assert_eq!(parsed.name, name.as_bytes());
    }
}
