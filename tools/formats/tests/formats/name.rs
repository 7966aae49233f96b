// SPDX-License-Identifier: GPL-2.0-only

//! Names of lists.

use std::cmp::Ordering;

use digest_list_formats::parsers::{
    error::{Errno, Error, Kind},
    name::{cmp_order, list_name_from_xattr, ListName},
    Format,
};

#[test]
fn parts() {
    let rows = [
        (
            "tlv-bash_5.2.15-2_amd64",
            None,
            "tlv",
            "bash_5.2.15-2_amd64",
        ),
        (
            "12-rpm-glibc-2.39-2.fc40.x86_64",
            Some(12),
            "rpm",
            "glibc-2.39-2.fc40.x86_64",
        ),
        ("0-tlv-a", Some(0), "tlv", "a"),
        ("007-tlv-a", Some(7), "tlv", "a"),
        ("4294967295-tlv-a", Some(u32::MAX), "tlv", "a"),
        (
            "0000000000000004294967295-tlv-a",
            Some(u32::MAX),
            "tlv",
            "a",
        ),
        ("tlv-5", None, "tlv", "5"),
        ("tlv--", None, "tlv", "-"),
        ("12-34-a", Some(12), "34", "a"),
        ("1x-tlv-a", None, "1x", "tlv-a"),
        ("+1-tlv-a", None, "+1", "tlv-a"),
        (".tlv-a", None, ".tlv", "a"),
        ("abcdefghijklmnopqrs-x", None, "abcdefghijklmnopqrs", "x"),
        ("tlv-\u{e4}\n", None, "tlv", "\u{e4}\n"),
    ];
    for (file_name, seq, format, name) in rows {
        assert_eq!(
            ListName::parse(file_name.as_bytes()),
            Ok(ListName {
                seq,
                format: format.as_bytes(),
                name: name.as_bytes()
            }),
            "{file_name}"
        );
    }
}

#[test]
fn names_that_break_the_rules() {
    let rows = [
        ("", Kind::NameEmpty, 0),
        ("tlv", Kind::NameParts, 0),
        ("tlv-", Kind::NameParts, 0),
        ("-a", Kind::NameParts, 0),
        ("-tlv-a", Kind::NameParts, 0),
        ("12", Kind::NameParts, 0),
        ("12-", Kind::NameParts, 3),
        ("12-tlv", Kind::NameParts, 3),
        ("12-tlv-", Kind::NameParts, 3),
        ("12--a", Kind::NameParts, 3),
        ("..", Kind::NameParts, 0),
        ("4294967296-tlv-a", Kind::NameSeq, 0),
        ("99999999999999999999-tlv-a", Kind::NameSeq, 0),
        ("abcdefghijklmnopqrst-x", Kind::NameFormatLength, 0),
        ("5-abcdefghijklmnopqrst-x", Kind::NameFormatLength, 2),
        ("tlv-a/b", Kind::NameByte, 5),
        ("../tlv-a", Kind::NameByte, 2),
        ("tlv-a\0b", Kind::NameByte, 5),
        ("tlv-a\0", Kind::NameByte, 5),
    ];
    for (file_name, kind, offset) in rows {
        assert_eq!(
            ListName::parse(file_name.as_bytes()),
            Err(Error { kind, offset }),
            "{file_name:?}"
        );
        assert_eq!(kind.errno(), Errno::Invalid);
    }
}

#[test]
fn length_is_that_of_a_file_name() {
    let name = |len: usize| format!("tlv-{}", "a".repeat(len - 4)).into_bytes();
    assert!(ListName::parse(&name(255)).is_ok());
    let too_long = Err(Error {
        kind: Kind::NameTooLong,
        offset: 255,
    });
    assert_eq!(ListName::parse(&name(256)), too_long);

    let mut value = name(255);
    value.push(0);
    assert_eq!(list_name_from_xattr(&value), Ok(&name(255)[..]));
    let mut value = name(256);
    value.push(0);
    assert_eq!(
        list_name_from_xattr(&value).unwrap_err().kind,
        Kind::NameTooLong
    );
}

#[test]
fn attribute_values() {
    assert_eq!(list_name_from_xattr(b"tlv-a"), Ok(&b"tlv-a"[..]));
    assert_eq!(list_name_from_xattr(b"tlv-a\0"), Ok(&b"tlv-a"[..]));
    let rows: [(&[u8], Kind); 7] = [
        (b"", Kind::NameEmpty),
        (b"\0", Kind::NameEmpty),
        (b"tlv-a\0\0", Kind::NameByte),
        (b"tlv-a\0b", Kind::NameByte),
        (b"\0tlv-a", Kind::NameByte),
        (b"a/tlv-a", Kind::NameByte),
        (b"tlv\0", Kind::NameParts),
    ];
    for (value, kind) in rows {
        assert_eq!(list_name_from_xattr(value).unwrap_err().kind, kind);
    }
}

#[test]
fn formats() {
    for format in [Format::Tlv, Format::Rpm] {
        assert_eq!(Format::from_name(format.name().as_bytes()), Some(format));
    }
    for name in [&b""[..], b"TLV", b"tlv ", b"tl", b"map"] {
        assert_eq!(Format::from_name(name), None);
    }
    assert_eq!(Kind::UnknownFormat.errno(), Errno::NoPkg);
}

#[test]
fn order_in_a_directory() {
    let names = [
        "tlv-z",
        "10-tlv-a",
        "rpm-a",
        "9-tlv-b",
        "9-tlv-a",
        "0-rpm-x",
        "009-rpm-0",
    ];
    let mut parsed = names.map(|name| ListName::parse(name.as_bytes()).unwrap());
    parsed.sort_by(|a, b| cmp_order(a.seq, b.seq));
    let order = parsed.map(|p| (p.seq, p.name));
    assert_eq!(
        order,
        [
            (Some(0), &b"x"[..]),
            (Some(9), b"b"),
            (Some(9), b"a"),
            (Some(9), b"0"),
            (Some(10), b"a"),
            (None, b"z"),
            (None, b"a"),
        ]
    );
    let last = ListName::parse(b"4294967295-tlv-a").unwrap();
    let none = ListName::parse(b"tlv-a").unwrap();
    assert_eq!(cmp_order(last.seq, none.seq), Ordering::Less);
}

#[test]
fn names_of_formats() {
    for name in ["tlv", "a", "1a", "1234567890abcdefghi", "x y"] {
        assert!(ListName::is_format(name.as_bytes()), "{name}");
        // There are lists of the format.
        let list = format!("{name}-x");
        let parsed = ListName::parse(list.as_bytes()).unwrap();
        assert_eq!((parsed.seq, parsed.format), (None, name.as_bytes()));
    }
    for name in ["", "12", "a-b", "a/b", "a\0", "a1234567890abcdefghi"] {
        assert!(!ListName::is_format(name.as_bytes()), "{name}");
    }
}
