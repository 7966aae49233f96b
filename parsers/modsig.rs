// SPDX-License-Identifier: GPL-2.0-only

//! Appended signatures, in the form that kernel modules have.
//!
//! The form is that of `include/uapi/linux/module_signature.h`: content, signature, `struct
//! module_signature`, marker. Here the content is only told from the signature, nothing is
//! verified. Whoever verifies must see the same content, so whatever the information block could
//! tell beyond the length of the signature is refused instead of interpreted.

use super::error::{Error, Kind};

/// What ends data that has a signature: `MODULE_SIGNATURE_MARKER`.
const MARKER: &[u8; 28] = b"~Module signature appended~\n";

/// `MODULE_SIGNATURE_TYPE_PKCS7`.
const ID_TYPE_PKCS7: u8 = 2;

/// The size of `struct module_signature`.
const INFO_SIZE: usize = 12;

/// A signature that nobody has verified yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature<'a> {
    /// What kind of signature it is; 2 is PKCS#7.
    pub id_type: u8,
    /// The signature.
    pub data: &'a [u8],
}

/// Data whose signature was told from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stripped<'a> {
    /// What is signed; all of the data if it has no signature.
    pub content: &'a [u8],
    /// The signature.
    pub signature: Option<Signature<'a>>,
}

/// Tells the content of a list from the appended signature that it may have.
///
/// # Errors
///
/// The marker is there, but what comes before is not a signature with content before it.
pub fn strip(data: &[u8]) -> Result<Stripped<'_>, Error> {
    let Some(before_marker) = data.strip_suffix(MARKER) else {
        return Ok(Stripped {
            content: data,
            signature: None,
        });
    };
    let Some((before_info, info)) = before_marker.split_last_chunk::<INFO_SIZE>() else {
        return Err(Error::new(Kind::SignatureTruncated, 0));
    };
    let info_at = before_info.len();
    let &[algo, hash, id_type, signer_len, key_id_len, p0, p1, p2, l0, l1, l2, l3] = info;

    // Names of signers and keys would be further bytes between content and signature. Algorithms
    // change no boundary; they are refused where `mod_check_sig()` refuses them.
    let zeros = [signer_len, key_id_len, p0, p1, p2];
    if zeros != [0; 5] || (id_type == ID_TYPE_PKCS7 && (algo, hash) != (0, 0)) {
        return Err(Error::new(Kind::SignatureFields, info_at));
    }

    let (content, signature) = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3]))
        .ok()
        .and_then(|len| before_info.len().checked_sub(len))
        .and_then(|at| before_info.split_at_checked(at))
        .filter(|(content, signature)| !content.is_empty() && !signature.is_empty())
        .ok_or(Error::new(Kind::SignatureLength, info_at))?;
    Ok(Stripped {
        content,
        signature: Some(Signature {
            id_type,
            data: signature,
        }),
    })
}
