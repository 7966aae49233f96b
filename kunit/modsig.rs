// SPDX-License-Identifier: GPL-2.0-only

//! Appended signatures.

use kernel::prelude::*;

use super::bytes::Bytes;
use crate::parsers::modsig::strip;

const MARKER: &[u8] = b"~Module signature appended~\n";

/// Content with a signature of which the `struct module_signature` is `info`.
fn signed(content: &[u8], signature: &[u8], info: &[u8]) -> KVVec<u8> {
    Bytes::new()
        .raw(content)
        .raw(signature)
        .raw(info)
        .raw(MARKER)
        .0
}

#[kunit_tests(digest_cache_modsig)]
mod tests {
    use super::*;

    #[test]
    fn unsigned() {
        let stripped = strip(b"content");
        assert!(stripped.is_ok_and(|s| s.content == b"content" && s.signature.is_none()));
    }

    #[test]
    fn pkcs7() {
        let data = signed(b"content", b"abcd", &[0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 4]);
        let stripped = strip(&data);
        assert!(stripped.is_ok_and(|s| s.content == b"content"
            && s.signature
                .is_some_and(|s| s.id_type == 2 && s.data == b"abcd")));
    }

    #[test]
    fn broken() {
        let rows: [&[u8]; 7] = [
            // Length: none, longer than what is there, all of it, and beyond any address.
            &[0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 12],
            &[0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 11],
            &[0, 0, 2, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
            // PKCS#7 has an algorithm and padding of zero.
            &[1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 4],
            &[0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 4],
            // Less than the description.
            &[2, 0, 0],
        ];
        for info in rows {
            let content: &[u8] = if info.len() == 12 { b"content" } else { b"" };
            let signature: &[u8] = if info.len() == 12 { b"abcd" } else { b"" };
            assert!(strip(&signed(content, signature, info)).is_err());
        }
        assert!(strip(MARKER).is_err());
    }
}
