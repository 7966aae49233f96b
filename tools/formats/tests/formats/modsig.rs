// SPDX-License-Identifier: GPL-2.0-only

//! Appended signatures.

use digest_list_formats::parsers::{
    error::{Errno, Error, Kind},
    modsig::{strip, Signature, Stripped},
};

const MARKER: &[u8] = b"~Module signature appended~\n";

/// `struct module_signature` with its fields in order, and the marker.
fn trailer(head: [u8; 8], sig_len: u32) -> Vec<u8> {
    [&head[..], &sig_len.to_be_bytes(), MARKER].concat()
}

const PKCS7: [u8; 8] = [0, 0, 2, 0, 0, 0, 0, 0];

#[test]
fn without_marker_all_is_content() {
    let rows: [&[u8]; 4] = [
        b"",
        b"content",
        &MARKER[..27],
        b"~Module signature appended~\n ",
    ];
    for data in rows {
        assert_eq!(
            strip(data),
            Ok(Stripped {
                content: data,
                signature: None
            })
        );
    }
}

#[test]
fn signature_is_told_from_content() {
    let data = [b"content", &b"signature"[..], &trailer(PKCS7, 9)].concat();
    assert_eq!(
        strip(&data),
        Ok(Stripped {
            content: b"content",
            signature: Some(Signature {
                id_type: 2,
                data: b"signature"
            })
        })
    );

    // The smallest there is.
    let data = [&b"cs"[..], &trailer(PKCS7, 1)].concat();
    let stripped = strip(&data).unwrap();
    assert_eq!(stripped.content, b"c");
    assert_eq!(stripped.signature.unwrap().data, b"s");
}

#[test]
fn other_types_may_tell_algorithms() {
    let data = [&b"cs"[..], &trailer([1, 4, 0, 0, 0, 0, 0, 0], 1)].concat();
    let stripped = strip(&data).unwrap();
    assert_eq!(stripped.signature.unwrap().id_type, 0);
}

#[test]
fn only_the_last_signature_is_stripped() {
    let inner = [&b"cs"[..], &trailer(PKCS7, 1)].concat();
    let outer = [&inner[..], b"t", &trailer(PKCS7, 1)].concat();
    assert_eq!(strip(&outer).unwrap().content, inner);
}

#[test]
fn broken_trailers() {
    let with = |content: &[u8], trailer: Vec<u8>| [content, &trailer].concat();
    let mut rows = vec![
        (MARKER.to_vec(), Kind::SignatureTruncated, 0),
        ([&[0; 11], MARKER].concat(), Kind::SignatureTruncated, 0),
        // An empty signature, empty content, longer than what is there.
        (
            with(b"content", trailer(PKCS7, 0)),
            Kind::SignatureLength,
            7,
        ),
        (with(b"", trailer(PKCS7, 0)), Kind::SignatureLength, 0),
        (
            with(b"content", trailer(PKCS7, 7)),
            Kind::SignatureLength,
            7,
        ),
        (
            with(b"content", trailer(PKCS7, 8)),
            Kind::SignatureLength,
            7,
        ),
        (
            with(b"content", trailer(PKCS7, u32::MAX)),
            Kind::SignatureLength,
            7,
        ),
    ];
    // Each field that must be zero, for PKCS#7 and, the lengths and the padding, for others.
    for field in [0, 1, 3, 4, 5, 6, 7] {
        let mut head = PKCS7;
        head[field] = 1;
        rows.push((with(b"cs", trailer(head, 1)), Kind::SignatureFields, 2));
        if field > 2 {
            head[2] = 0;
            rows.push((with(b"cs", trailer(head, 1)), Kind::SignatureFields, 2));
        }
    }
    for (data, kind, offset) in rows {
        assert_eq!(strip(&data), Err(Error { kind, offset }));
        assert_eq!(kind.errno(), Errno::BadMsg);
    }
}
