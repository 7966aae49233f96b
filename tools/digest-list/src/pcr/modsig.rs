// SPDX-License-Identifier: GPL-2.0-only
//! What IMA takes from an appended signature (`ima_read_modsig()`,
//! `ima_collect_modsig()`).
//!
//! The kernel's reader of PKCS#7 is not repeated here. Of the messages that it may
//! take, the one form that `digest-list sign` and the kernel's sign-file make is
//! recognised; of those that it refuses, what does not even begin like a message.
//! Anything else is an error: a wrong prediction would be worse.

use digest_list_formats::parsers::algo::HashAlgo;
use digest_list_formats::parsers::modsig::strip;

use crate::hash::digest_of;
use crate::signature::{signers, ID_TYPE_PKCS7};

/// What an appended signature gives a measurement.
#[derive(Debug, PartialEq, Eq)]
pub struct Modsig {
    /// The algorithm that the signer chose.
    pub algo: HashAlgo,
    /// The digest of the content without what is appended.
    pub digest: Box<[u8]>,
    /// The PKCS#7 message.
    pub message: Vec<u8>,
}

/// It is not known what the kernel makes of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its appended signature has a form of which the measurement is not predicted")]
pub struct Unpredictable;

/// Reads the signature that is appended to a list. `None`: IMA finds none, or none
/// that it can parse; it measures the list without it.
pub fn read(data: &[u8]) -> Result<Option<Modsig>, Unpredictable> {
    let Ok(stripped) = strip(data) else {
        return Ok(None);
    };
    let Some(signature) = stripped
        .signature
        .filter(|signature| signature.id_type == ID_TYPE_PKCS7)
    else {
        return Ok(None);
    };
    if is_refused_at_once(signature.data) {
        return Ok(None);
    }
    // The names in it are OpenSSL's part.
    let algo = signers(&signature)
        .ok()
        .and_then(|_| plain_message(signature.data))
        .ok_or(Unpredictable)?;
    Ok(Some(Modsig {
        algo,
        digest: digest_of(algo, &[stripped.content]).map_err(|_| Unpredictable)?,
        message: signature.data.to_vec(),
    }))
}

/// The longest message that the kernel's decoder takes.
const MAX_MESSAGE: usize = 65535;

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0] IMPLICIT` of a primitive type, `[0] EXPLICIT` of any.
const CONTEXT_0: u8 = 0x80;
const CONTEXT_0_EXPLICIT: u8 = 0xa0;

/// The bit of a tag that the kernel's decoder does not compare.
const CONSTRUCTED: u8 = 0x20;
const INDEFINITE: u8 = 0x80;

/// 1.2.840.113549.1.7.1 and 2, data and signed data.
const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

/// 2.16.840.1.101.3.4.2, the arc of the digests.
const DIGESTS: [(&[u8], HashAlgo); 3] = [
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x01", HashAlgo::Sha256),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x02", HashAlgo::Sha384),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x03", HashAlgo::Sha512),
];

/// rsaEncryption, 1.2.840.113549.1.1.1; ecdsa-with-SHA2, 1.2.840.10045.4.3.
const SIGNATURES: [&[u8]; 4] = [
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
    b"\x2a\x86\x48\xce\x3d\x04\x03\x02",
    b"\x2a\x86\x48\xce\x3d\x04\x03\x03",
    b"\x2a\x86\x48\xce\x3d\x04\x03\x04",
];

/// Whether the decoder fails on the size or on the first tag and length. What
/// follows the message it does not look at.
fn is_refused_at_once(message: &[u8]) -> bool {
    let &[tag, len, ..] = message else {
        return true;
    };
    message.len() > MAX_MESSAGE
        || (tag ^ SEQUENCE) & !CONSTRUCTED != 0
        || (len != INDEFINITE && Der(message).take(tag).is_none())
}

/// The digest algorithm of a message of the form that lists are signed with: one
/// signer, no attributes, no certificates, no content (RFC 5652).
fn plain_message(message: &[u8]) -> Option<HashAlgo> {
    let mut info = Der::only(message, SEQUENCE)?;
    info.expect(OBJECT_IDENTIFIER, SIGNED_DATA)?;
    let mut signed = Der::only(info.take(CONTEXT_0_EXPLICIT)?, SEQUENCE)?;
    info.end()?;

    let version = signed.take(INTEGER)?;
    Der::only(signed.take(SET)?, SEQUENCE)?.algorithm()?;
    let mut content = Der(signed.take(SEQUENCE)?);
    content.expect(OBJECT_IDENTIFIER, DATA)?;
    content.end()?;
    let mut signer = Der::only(signed.take(SET)?, SEQUENCE)?;
    signed.end()?;

    signer.expect(INTEGER, version)?;
    // The signer is named by issuer and serial number, or by key identifier.
    signer.take(match version {
        [1] => SEQUENCE,
        [3] => CONTEXT_0,
        _ => return None,
    })?;
    let digest = Der(signer.take(SEQUENCE)?).algorithm()?;
    let signature = Der(signer.take(SEQUENCE)?).algorithm()?;
    signer.take(OCTET_STRING)?;
    signer.end()?;

    SIGNATURES.contains(&signature).then_some(())?;
    DIGESTS
        .into_iter()
        .find_map(|(oid, algo)| (oid == digest).then_some(algo))
}

/// Elements of DER that are taken one after another.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// What is in the element that `data` consists of.
    fn only(data: &'a [u8], tag: u8) -> Option<Self> {
        let mut outer = Self(data);
        let value = outer.take(tag)?;
        outer.end()?;
        Some(Self(value))
    }

    /// The value of the next element, which has this tag. As in the kernel, a length
    /// has two bytes at most.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (len, rest) = match *self.0 {
            [found, len @ 0..=0x7f, ref rest @ ..] if found == tag => (len.into(), rest),
            [found, 0x81, len, ref rest @ ..] if found == tag => (len.into(), rest),
            [found, 0x82, high, low, ref rest @ ..] if found == tag => {
                (u16::from_be_bytes([high, low]), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(len.into())?;
        self.0 = rest;
        Some(value)
    }

    fn expect(&mut self, tag: u8, value: &[u8]) -> Option<()> {
        (self.take(tag)? == value).then_some(())
    }

    /// The object identifier of an algorithm without parameters.
    fn algorithm(mut self) -> Option<&'a [u8]> {
        let oid = self.take(OBJECT_IDENTIFIER)?;
        if !self.0.is_empty() {
            self.expect(NULL, b"")?;
        }
        self.end()?;
        Some(oid)
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_without_a_signature_that_ima_reads() {
        let marker = b"~Module signature appended~\n";
        let signed =
            |info: [u8; 12], signature: &[u8]| [b"content", signature, &info, &marker[..]].concat();
        let cases = [
            b"content".to_vec(),
            marker.to_vec(),
            [b"content", &marker[..]].concat(),
            // Of another type, with a signer's name, longer than the list.
            signed([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2], b"\x30\x00"),
            signed([0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 2], b"\x30\x00"),
            signed([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9, 9], b"\x30\x00"),
            // Not a message.
            signed([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2], b"\x04\x00"),
            signed([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2], b"\x30\x01"),
            signed([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1], b"\x30"),
            signed([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 4], b"\x30\x83\x00\x00"),
        ];
        for data in cases {
            assert_eq!(read(&data), Ok(None), "{data:02x?}");
        }
        // What the kernel looks into further.
        for message in [&b"\x30\x00"[..], b"\x10\x00", b"\x30\x80", b"\x30\x00\x00"] {
            let len = u8::try_from(message.len()).unwrap();
            let data = signed([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, len], message);
            assert_eq!(read(&data), Err(Unpredictable), "{message:02x?}");
        }
    }

    #[test]
    fn a_message_is_at_most_64_kilobytes_long() {
        let mut message = vec![0x30, 0x82, 0xff, 0xfb];
        message.resize(65535, 0);
        assert!(!is_refused_at_once(&message));
        message.push(0);
        assert!(is_refused_at_once(&message));
    }
}
