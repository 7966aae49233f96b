// SPDX-License-Identifier: GPL-2.0-only
//! The key and certificate that sign, checked against what the kernel can verify.

use std::path::Path;

use digest_list_formats::parsers::algo::HashAlgo;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, PKeyRef, Private, Public};
use openssl::x509::{X509Ref, X509};

use crate::error::Error;
use crate::signature;

/// Digests of the content that signatures can be made of.
pub const SIGNATURE_ALGOS: [HashAlgo; 3] = [HashAlgo::Sha256, HashAlgo::Sha384, HashAlgo::Sha512];

/// Curves that the kernel verifies (crypto/ecdsa.c).
const CURVES: [Nid; 3] = [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1];

/// A key with its certificate.
pub struct Signer {
    key: PKey<Private>,
    certificate: X509,
    digest: MessageDigest,
}

impl Signer {
    /// Reads the private key (PEM) and the certificate (PEM or DER). The files
    /// may be the same, as the kernel build's `certs/signing_key.pem` is.
    pub fn read(
        key_path: &Path,
        certificate_path: &Path,
        passphrase_path: Option<&Path>,
        algo: HashAlgo,
    ) -> Result<Self, Error> {
        let key = read_key(key_path, passphrase_path)?;
        let certificate = read_certificate(certificate_path)?;
        let matches = certificate
            .public_key()
            .is_ok_and(|public| public.public_eq(&key));
        if !matches {
            return Err(Error::new(
                certificate_path,
                "does not belong to the private key",
                "give the certificate that was made for this key",
            ));
        }
        check_kind(&key).map_err(|what| {
            Error::new(key_path, what, "use RSA, or ECDSA on P-256, P-384 or P-521")
        })?;
        let digest = match algo {
            HashAlgo::Sha256 => MessageDigest::sha256(),
            HashAlgo::Sha384 => MessageDigest::sha384(),
            HashAlgo::Sha512 => MessageDigest::sha512(),
            other => {
                return Err(Error::about(
                    other.name(),
                    "is no digest for signatures",
                    "use sha256, sha384 or sha512",
                ))
            }
        };
        Ok(Self {
            key,
            certificate,
            digest,
        })
    }

    /// The certificate.
    pub fn certificate(&self) -> &X509Ref {
        &self.certificate
    }

    /// Signs `content`: a detached PKCS#7 message in DER.
    pub fn sign(&self, content: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        signature::cms::sign_detached(content, &self.certificate, &self.key, self.digest)
    }
}

fn check_kind(key: &PKeyRef<impl openssl::pkey::HasPublic>) -> Result<(), &'static str> {
    match key.id() {
        Id::RSA => Ok(()),
        Id::EC => {
            let curve = key.ec_key().ok().and_then(|key| key.group().curve_name());
            if curve.is_some_and(|curve| CURVES.contains(&curve)) {
                Ok(())
            } else {
                Err("is on a curve that the kernel does not verify")
            }
        }
        _ => Err("is of a kind that the kernel does not verify"),
    }
}

fn read_key(path: &Path, passphrase_path: Option<&Path>) -> Result<PKey<Private>, Error> {
    let pem = std::fs::read(path).map_err(|e| Error::io(path, "read", &e))?;
    let passphrase = passphrase_path
        .map(|path| std::fs::read(path).map_err(|e| Error::io(path, "read", &e)))
        .transpose()?;
    let mut asked = false;
    // Without a callback of ours, OpenSSL would ask on the terminal.
    let result = PKey::private_key_from_pem_callback(&pem, |buffer| {
        asked = true;
        let words = passphrase.as_deref().map(first_line).unwrap_or_default();
        match buffer.get_mut(..words.len()) {
            Some(place) => {
                place.copy_from_slice(words);
                Ok(words.len())
            }
            None => Ok(0),
        }
    });
    result.map_err(|_| match (asked, passphrase_path) {
        (true, Some(_)) => Error::new(
            path,
            "cannot be decrypted with this passphrase",
            "check the file given with --passphrase-file",
        ),
        (true, None) => Error::new(
            path,
            "is encrypted",
            "give its passphrase with --passphrase-file",
        ),
        (false, _) => Error::new(
            path,
            "holds no private key in PEM form",
            "give a file that begins with BEGIN PRIVATE KEY",
        ),
    })
}

fn first_line(text: &[u8]) -> &[u8] {
    text.split(|&b| b == b'\n')
        .next()
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .unwrap_or_default()
}

/// Reads a certificate in PEM or DER.
pub fn read_certificate(path: &Path) -> Result<X509, Error> {
    let data = std::fs::read(path).map_err(|e| Error::io(path, "read", &e))?;
    let certificate = if data.starts_with(&[0x30]) {
        X509::from_der(&data)
    } else {
        X509::from_pem(&data)
    };
    let certificate = certificate.map_err(|_| {
        Error::new(
            path,
            "holds no X.509 certificate",
            "give one in PEM or DER form",
        )
    })?;
    let _: PKey<Public> = certificate.public_key().map_err(|_| {
        Error::new(
            path,
            "has a public key of an unknown kind",
            "use RSA or ECDSA",
        )
    })?;
    Ok(certificate)
}
