// SPDX-License-Identifier: GPL-2.0-only
//! Appended signatures: checking them against certificates, and telling who made
//! them.

pub mod cms;

use digest_list_formats::parsers::modsig::Signature;
use openssl::x509::X509Ref;
use serde::Serialize;

use cms::Message;

/// The type of a signature that is a PKCS#7 message (`MODULE_SIGNATURE_TYPE_PKCS7`).
pub const ID_TYPE_PKCS7: u8 = 2;

/// What is at the end of everything that is signed in this way
/// (`MODULE_SIGNATURE_MARKER`).
pub const MARKER: &[u8; 28] = b"~Module signature appended~\n";

/// Why a signature does not vouch for a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not a PKCS#7 message.
    #[error("the signature is of type {0}, not a PKCS#7 message")]
    Type(u8),
    /// Not DER, or not signed data.
    #[error("the signature is not a PKCS#7 signed message")]
    Malformed,
    /// Made by somebody else.
    #[error("the signature is by {0}, not by a given certificate")]
    Untrusted(String),
    /// By the right key, over other data.
    #[error("the signature does not match the list")]
    Mismatch,
}

/// Who signed, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignerInfo {
    /// Issuer of the signer's certificate, or `null` if it is named by key id.
    pub issuer: Option<String>,
    /// Serial number of the signer's certificate in hexadecimal.
    pub serial: Option<String>,
    /// Subject key identifier in hexadecimal.
    pub key_id: Option<String>,
    /// Digest algorithm.
    pub digest: String,
    /// Signature algorithm.
    pub algorithm: String,
}

fn message(signature: &Signature<'_>) -> Result<Message, Invalid> {
    if signature.id_type != ID_TYPE_PKCS7 {
        return Err(Invalid::Type(signature.id_type));
    }
    Message::parse(signature.data).ok_or(Invalid::Malformed)
}

/// Tells who signed, without checking anything.
pub fn signers(signature: &Signature<'_>) -> Result<Vec<SignerInfo>, Invalid> {
    message(signature)?
        .signers()
        .map_err(|_| Invalid::Malformed)
}

/// Checks that one of the certificates vouches for the content. As in the kernel,
/// the certificates are trusted as they are: neither their issuer nor their term
/// of validity counts.
pub fn verify(
    signature: &Signature<'_>,
    content: &[u8],
    certificates: &[&X509Ref],
) -> Result<(), Invalid> {
    let mut message = message(signature)?;
    let signers = message.signers().map_err(|_| Invalid::Malformed)?;
    if signers.is_empty() {
        return Err(Invalid::Malformed);
    }
    if !message.is_signed_by_these(certificates) {
        let names: Vec<_> = signers.iter().map(ToString::to_string).collect();
        return Err(Invalid::Untrusted(names.join(" and ")));
    }
    message
        .verify_detached(content, certificates)
        .map_err(|_| Invalid::Mismatch)
}

impl std::fmt::Display for SignerInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.issuer, &self.serial, &self.key_id) {
            (Some(issuer), Some(serial), _) => write!(f, "{issuer}, serial {serial}"),
            (_, _, Some(key_id)) => write!(f, "key {key_id}"),
            _ => f.write_str("an unnamed signer"),
        }
    }
}
