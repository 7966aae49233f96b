// SPDX-License-Identifier: GPL-2.0-only

//! Rules for the names of digest lists.

use kernel::prelude::*;

use crate::parsers::{
    name::{list_name_from_xattr, ListName},
    Format,
};

/// A name, and what it is made of: sequence number, format, name.
type Row = (&'static [u8], Option<u32>, &'static [u8], &'static [u8]);

#[kunit_tests(digest_cache_names)]
mod tests {
    use super::*;

    #[test]
    fn valid_names() {
        let rows: [Row; 5] = [
            (
                b"tlv-bash_5.2.15-2_amd64",
                None,
                b"tlv",
                b"bash_5.2.15-2_amd64",
            ),
            (
                b"12-rpm-glibc-2.39-2.fc40.x86_64",
                Some(12),
                b"rpm",
                b"glibc-2.39-2.fc40.x86_64",
            ),
            (b"0-tlv-a", Some(0), b"tlv", b"a"),
            (b"4294967295-tlv-a", Some(u32::MAX), b"tlv", b"a"),
            (b"ima-x", None, b"ima", b"x"),
        ];
        for (input, seq, format, name) in rows {
            let parsed = ListName::parse(input);
            assert!(parsed.is_ok());
            if let Ok(parsed) = parsed {
                assert_eq!(parsed.seq, seq);
                assert_eq!(parsed.format, format);
                assert_eq!(parsed.name, name);
            }
        }
    }

    #[test]
    fn invalid_names() {
        let rows: [&[u8]; 9] = [
            b"",
            b".",
            b"..",
            b"tlv",
            b"tlv-",
            b"-tlv-a",
            b"4294967296-tlv-a",
            b"12-tlv",
            b"a/tlv-a",
        ];
        for input in rows {
            assert!(ListName::parse(input).is_err());
        }
        let long = [b'a'; 256];
        assert!(ListName::parse(&long).is_err());
        // 19 bytes of format are allowed, 20 are not.
        assert!(ListName::parse(b"1234567890abcdefghi-x").is_ok());
        assert!(ListName::parse(b"a1234567890abcdefghi-x").is_err());
    }

    #[test]
    fn xattr_values() {
        assert_eq!(list_name_from_xattr(b"tlv-a").ok(), Some(&b"tlv-a"[..]));
        assert_eq!(list_name_from_xattr(b"tlv-a\0").ok(), Some(&b"tlv-a"[..]));
        for input in [
            &b""[..],
            b"\0",
            b"tlv-a\0\0",
            b"tlv-\0a",
            b"../tlv-a",
            b"tlv",
        ] {
            assert!(list_name_from_xattr(input).is_err());
        }
    }

    #[test]
    fn formats() {
        assert!(Format::from_name(b"tlv") == Some(Format::Tlv));
        assert!(Format::from_name(b"rpm") == Some(Format::Rpm));
        for input in [&b""[..], b"TLV", b"tl", b"tlvx", b"deb"] {
            assert!(Format::from_name(input).is_none());
        }
    }

    #[test]
    fn names_of_formats() {
        for name in [&b"tlv"[..], b"a", b"1a", b"1234567890abcdefghi"] {
            assert!(ListName::is_format(name));
        }
        for name in [
            &b""[..],
            b"12",
            b"a-b",
            b"a/b",
            b"a\0",
            b"a1234567890abcdefghi",
        ] {
            assert!(!ListName::is_format(name));
        }
    }
}
