// SPDX-License-Identifier: GPL-2.0-only

//! Headers that rpmbuild made (see `fixtures/make-rpm-headers`).

use digest_list_formats::parsers::{
    algo::{DigestType, HashAlgo},
    error::Error,
    Format, List,
};
use sha2::{Digest, Sha256};

use crate::bytes::{parse, Owned};

const SHA256: &[u8] = include_bytes!("../fixtures/sha256.rpmheader");
const MD5: &[u8] = include_bytes!("../fixtures/md5.rpmheader");

/// The regular files of the package, and what they contain. A ghost has no digest.
const FILES: [(&str, &[u8]); 5] = [
    ("/opt/fixture/a", b"one\n"),
    ("/opt/fixture/sub/b", b"two\n"),
    ("/opt/fixture/sub/deep/c", b"three\n"),
    ("/opt/fixture/sub/z", b"one\n"),
    ("/opt/fixture/zero", b""),
];

/// What `md5sum` says of the same contents.
const MD5_DIGESTS: [u128; 5] = [
    0x5bbf_5a52_328e_7439_ae6e_719d_fe71_2200,
    0xc193_497a_1a06_b2c7_2230_e614_6ff4_7080,
    0xfebe_6995_bad4_5799_1331_348f_7b9c_85fa,
    0x5bbf_5a52_328e_7439_ae6e_719d_fe71_2200,
    0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e,
];

fn owned(algo: HashAlgo, digest: &[u8], path: &str) -> Owned {
    Owned {
        algo,
        digest_type: DigestType::FileData,
        digest: digest.to_vec(),
        path: Some(path.to_owned()),
    }
}

#[test]
fn sha256_header() {
    let expected =
        FILES.map(|(path, content)| owned(HashAlgo::Sha256, &Sha256::digest(content), path));
    assert_eq!(parse(Format::Rpm, SHA256), expected);
}

#[test]
fn md5_header() {
    let mut digests = MD5_DIGESTS.iter();
    let expected = FILES.map(|(path, _)| {
        let digest = digests.next().unwrap().to_be_bytes();
        owned(HashAlgo::Md5, &digest, path)
    });
    assert_eq!(parse(Format::Rpm, MD5), expected);
}

#[test]
fn no_prefix_is_a_header() {
    for header in [SHA256, MD5] {
        for len in 0..header.len() {
            assert!(List::parse(Format::Rpm, &header[..len]).is_err(), "{len}");
        }
    }
}

/// Every single wrong byte gives an error within the header or a list that iterates as it counts.
#[test]
fn any_byte_may_be_wrong() {
    let mut header = SHA256.to_vec();
    for at in 0..header.len() {
        let right = header[at];
        for wrong in [right ^ 1, right ^ 0x80, 0, 0xff] {
            header[at] = wrong;
            match List::parse(Format::Rpm, &header) {
                Ok(_) => {
                    parse_lossy(&header);
                }
                Err(Error { offset, .. }) => assert!(offset <= header.len()),
            }
        }
        header[at] = right;
    }
}

fn parse_lossy(header: &[u8]) {
    let list = List::parse(Format::Rpm, header).unwrap();
    let mut count = 0;
    let Ok(()) = list.for_each(|_| -> Result<(), std::convert::Infallible> {
        count += 1;
        Ok(())
    });
    assert_eq!(list.counts().total(), count);
}
