// SPDX-License-Identifier: GPL-2.0-only
//! What IMA takes from a list's extended attributes: the algorithm that it is
//! hashed with, and its signature (`ima_get_hash_algo()`, `ima_eventsig_init()`).

use std::fs::File;
use std::path::Path;

use digest_list_formats::parsers::algo::HashAlgo;
use rustix::io::Errno;

use crate::error::Error;
use crate::label::read_value;

/// `XATTR_SIZE_MAX`.
const MAX_VALUE: usize = 65536;

// `enum evm_ima_xattr_type` of security/integrity/integrity.h.
const IMA_XATTR_DIGEST: u8 = 1;
const EVM_IMA_XATTR_DIGSIG: u8 = 3;
const IMA_XATTR_DIGEST_NG: u8 = 4;
const EVM_XATTR_PORTABLE_DIGSIG: u8 = 5;
const IMA_VERITY_DIGSIG: u8 = 6;

/// The size of `struct signature_v2_hdr`: type, version, algorithm, key id, size.
const SIGNATURE_HEADER: usize = 9;

/// The attributes of a list.
#[derive(Default)]
pub struct Attributes {
    ima: Option<Vec<u8>>,
    evm: Option<Vec<u8>>,
}

impl Attributes {
    /// Reads the attributes.
    pub fn read(file: &File, path: &Path) -> Result<Self, Error> {
        let read = |name: &str| match read_value(file, name, MAX_VALUE) {
            // To IMA, a file system without attributes is one that has none set.
            Err(Errno::OPNOTSUPP) => Ok(None),
            result => result.map_err(|e| Error::io(path, &format!("read {name}"), &e.into())),
        };
        Ok(Self {
            ima: read("security.ima")?,
            evm: read("security.evm")?,
        })
    }

    /// The algorithm that `security.ima` asks for.
    pub fn hash_algo(&self) -> Option<HashAlgo> {
        let value = self.ima.as_deref()?;
        let from_raw = |raw: u8| HashAlgo::from_raw(raw.into());
        match (value, value.len()) {
            (&[EVM_IMA_XATTR_DIGSIG, 2 | 3, algo, ..] | &[IMA_VERITY_DIGSIG, 3, algo, ..], len)
                if len > SIGNATURE_HEADER =>
            {
                from_raw(algo)
            }
            (&[IMA_XATTR_DIGEST_NG, algo, ..], _) => from_raw(algo),
            // An MD5 digest padded with zeros, in the size of one of SHA-1.
            (&[IMA_XATTR_DIGEST, .., 0, 0, 0, 0], 21) => Some(HashAlgo::Md5),
            (&[IMA_XATTR_DIGEST, ..], 21) => Some(HashAlgo::Sha1),
            (&[IMA_XATTR_DIGEST, ..], 17) => Some(HashAlgo::Md5),
            _ => None,
        }
    }

    /// The field `sig` of a template: the signature in `security.ima`, else the
    /// portable signature in `security.evm`.
    pub fn signature(&self) -> &[u8] {
        of_type(&self.ima, &[EVM_IMA_XATTR_DIGSIG, IMA_VERITY_DIGSIG])
            .or_else(|| of_type(&self.evm, &[EVM_XATTR_PORTABLE_DIGSIG]))
            .unwrap_or_default()
    }
}

/// The value, if its first byte is one of these.
fn of_type<'a>(value: &'a Option<Vec<u8>>, types: &[u8]) -> Option<&'a [u8]> {
    value
        .as_deref()
        .filter(|value| value.first().is_some_and(|kind| types.contains(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(ima: &[u8], evm: &[u8]) -> Attributes {
        Attributes {
            ima: Some(ima.to_vec()),
            evm: Some(evm.to_vec()),
        }
    }

    #[test]
    fn algorithms() {
        let signature = |start: &[u8], len: usize| {
            let mut value = start.to_vec();
            value.resize(len, 0xaa);
            value
        };
        let cases: [(Vec<u8>, Option<HashAlgo>); 17] = [
            (vec![], None),
            (vec![3], None),
            (signature(&[3, 2, 6], 10), Some(HashAlgo::Sha512)),
            (signature(&[3, 3, 5], 80), Some(HashAlgo::Sha384)),
            // No signature behind the header.
            (signature(&[3, 2, 6], 9), None),
            // Version 1 has no algorithm, number 23 is none.
            (signature(&[3, 1, 6], 80), None),
            (signature(&[3, 2, 23], 80), None),
            (signature(&[6, 3, 6], 80), Some(HashAlgo::Sha512)),
            (signature(&[6, 2, 6], 80), None),
            (signature(&[4, 2], 22), Some(HashAlgo::Sha1)),
            (signature(&[4, 23], 22), None),
            (vec![4, 4], Some(HashAlgo::Sha256)),
            (signature(&[1], 21), Some(HashAlgo::Sha1)),
            (
                [&signature(&[1], 17)[..], &[0; 4]].concat(),
                Some(HashAlgo::Md5),
            ),
            (signature(&[1], 17), Some(HashAlgo::Md5)),
            (signature(&[1], 18), None),
            (signature(&[5, 2, 6], 80), None),
        ];
        for (ima, algo) in cases {
            assert_eq!(with(&ima, &[]).hash_algo(), algo, "{ima:02x?}");
        }
        assert_eq!(Attributes::default().hash_algo(), None);
    }

    #[test]
    fn signatures() {
        let cases: [(&[u8], &[u8], &[u8]); 7] = [
            (&[3, 2, 4, 9], &[5, 9], &[3, 2, 4, 9]),
            (&[6, 3, 4, 9], &[], &[6, 3, 4, 9]),
            // Not a signature, which EVM's is: that of EVM, if portable.
            (&[4, 4, 9], &[5, 9], &[5, 9]),
            (&[4, 4, 9], &[2, 9], &[]),
            (&[4, 4, 9], &[3, 2, 4, 9], &[]),
            (&[], &[5], &[5]),
            (&[5, 9], &[], &[]),
        ];
        for (ima, evm, signature) in cases {
            assert_eq!(
                with(ima, evm).signature(),
                signature,
                "{ima:02x?} {evm:02x?}"
            );
        }
        assert_eq!(Attributes::default().signature(), b"");
    }
}
