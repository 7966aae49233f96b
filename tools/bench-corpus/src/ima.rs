// SPDX-License-Identifier: GPL-2.0-only
//! Values of `security.ima` (security/integrity/integrity.h of the kernel).
//!
//! Not supported: signatures of version 3, and keys other than on P-384, which is
//! what the benchmark compares with.

use std::path::Path;

use digest_list::sign::read_certificate;
use digest_list::Error;
use digest_list_formats::parsers::algo::HashAlgo;
use openssl::ec::EcKey;
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::Private;

/// The attribute.
pub const XATTR_IMA: &str = "security.ima";

/// `EVM_IMA_XATTR_DIGSIG`
const TYPE_SIGNATURE: u8 = 0x03;
/// `IMA_XATTR_DIGEST_NG`
const TYPE_DIGEST: u8 = 0x04;
/// Version of the signature's header.
const SIGNATURE_VERSION: u8 = 2;
/// Bytes of a key's identifier in the header.
const KEY_ID_SIZE: usize = 4;

/// `struct ima_digest_data`: a plain hash.
pub fn digest_value(algo: HashAlgo, digest: &[u8]) -> Vec<u8> {
    [&[TYPE_DIGEST, algo.raw()], digest].concat()
}

/// What makes signatures.
pub struct Signer {
    key: EcKey<Private>,
    key_id: [u8; KEY_ID_SIZE],
}

impl Signer {
    /// Reads key and certificate, both PEM; they may be in the same file.
    pub fn read(key_path: &Path, certificate_path: &Path) -> Result<Self, Error> {
        let pem = std::fs::read(key_path).map_err(|e| Error::io(key_path, "read", &e))?;
        let key = EcKey::private_key_from_pem(&pem)
            .ok()
            .filter(|key| key.group().curve_name() == Some(Nid::SECP384R1))
            .ok_or_else(|| {
                Error::new(
                    key_path,
                    "holds no private key on P-384",
                    "give the key that the kernel was built with",
                )
            })?;
        let certificate = read_certificate(certificate_path)?;
        // The kernel finds the key by the end of the identifier in its certificate.
        let key_id = certificate
            .subject_key_id()
            .and_then(|id| id.as_slice().last_chunk().copied())
            .ok_or_else(|| {
                Error::new(
                    certificate_path,
                    "has no subject key identifier",
                    "make it with subjectKeyIdentifier = hash",
                )
            })?;
        Ok(Self { key, key_id })
    }

    /// `struct signature_v2_hdr` with an ECDSA signature of the digest.
    pub fn signature_value(&self, algo: HashAlgo, digest: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let signature = EcdsaSig::sign(digest, &self.key)?.to_der()?;
        // At most 104 bytes on P-384.
        let len = u16::try_from(signature.len()).unwrap_or(u16::MAX);
        let mut value = vec![TYPE_SIGNATURE, SIGNATURE_VERSION, algo.raw()];
        value.extend(self.key_id);
        value.extend(len.to_be_bytes());
        value.extend(signature);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use digest_list::hash::digest_of;
    use openssl::asn1::Asn1Time;
    use openssl::bn::BigNum;
    use openssl::ec::EcGroup;
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::x509::extension::SubjectKeyIdentifier;
    use openssl::x509::X509;

    /// A key and its certificate in one file, with an identifier if wanted.
    fn key_file(directory: &Path, curve: Nid, with_id: bool) -> (std::path::PathBuf, X509) {
        let group = EcGroup::from_curve_name(curve).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        let serial = BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap();
        builder.set_serial_number(&serial).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder
            .set_not_before(&Asn1Time::days_from_now(0).unwrap())
            .unwrap();
        builder
            .set_not_after(&Asn1Time::days_from_now(1).unwrap())
            .unwrap();
        if with_id {
            let context = builder.x509v3_context(None, None);
            let id = SubjectKeyIdentifier::new().build(&context).unwrap();
            builder.append_extension(id).unwrap();
        }
        builder.sign(&key, MessageDigest::sha384()).unwrap();
        let certificate = builder.build();
        let path = directory.join("key.pem");
        let mut pem = key.private_key_to_pem_pkcs8().unwrap();
        pem.extend(certificate.to_pem().unwrap());
        std::fs::write(&path, pem).unwrap();
        (path, certificate)
    }

    #[test]
    fn a_signature_has_the_header_of_the_kernel_and_verifies() {
        let directory = tempfile::tempdir().unwrap();
        let (path, certificate) = key_file(directory.path(), Nid::SECP384R1, true);
        let signer = Signer::read(&path, &path).unwrap();
        let digest = digest_of(HashAlgo::Sha256, &[b"content"]).unwrap();
        let value = signer.signature_value(HashAlgo::Sha256, &digest).unwrap();

        assert_eq!(value[..3], [3, 2, 4]);
        let id = certificate.subject_key_id().unwrap().as_slice();
        assert_eq!(value[3..7], id[id.len() - 4..]);
        let len = usize::from(u16::from_be_bytes([value[7], value[8]]));
        assert_eq!(value.len(), 9 + len);

        let public = certificate.public_key().unwrap().ec_key().unwrap();
        let signature = EcdsaSig::from_der(&value[9..]).unwrap();
        assert!(signature.verify(&digest, &public).unwrap());
        assert!(!signature.verify(&[0; 32], &public).unwrap());
    }

    #[test]
    fn a_hash_has_the_header_of_the_kernel() {
        let value = digest_value(HashAlgo::Sha256, &[0x11; 32]);
        assert_eq!(value[..2], [4, 4]);
        assert_eq!(value[2..], [0x11; 32]);
    }

    #[test]
    fn keys_that_do_not_fit_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (path, _) = key_file(directory.path(), Nid::X9_62_PRIME256V1, true);
        let error = Signer::read(&path, &path).err().unwrap().to_string();
        assert!(error.contains("P-384"), "{error}");
        let (path, _) = key_file(directory.path(), Nid::SECP384R1, false);
        let error = Signer::read(&path, &path).err().unwrap().to_string();
        assert!(error.contains("subject key identifier"), "{error}");
    }
}
