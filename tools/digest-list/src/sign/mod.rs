// SPDX-License-Identifier: GPL-2.0-only
//! Signing digest lists the way kernel modules are signed: content, PKCS#7
//! message, `struct module_signature`, marker (include/uapi/linux/module_signature.h).

mod key;

pub use key::{read_certificate, Signer, SIGNATURE_ALGOS};

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use rayon::prelude::*;
use serde::Serialize;

use crate::error::{Error, Outcome};
use crate::list::ListFile;
use crate::output::{sync_dir, Existing, Staged};
use crate::signature::{ID_TYPE_PKCS7, MARKER};

/// Size of `struct module_signature`.
const INFO_SIZE: usize = 12;

/// How to sign.
pub struct SignOptions {
    /// Put the signed lists here instead of signing in place.
    pub output: Option<PathBuf>,
    /// With [`SignOptions::output`]: whether files of the same name there are
    /// replaced.
    pub existing: Existing,
    /// Replace signatures instead of refusing signed lists.
    pub replace_signature: bool,
}

/// What has been done.
#[derive(Debug, Serialize)]
pub struct SignReport {
    /// The lists that now carry a signature.
    pub signed: Vec<String>,
}

/// Signs the lists in parallel. A list that fails stays as it was; the others are
/// signed.
pub fn sign(
    lists: &[PathBuf],
    signer: &Signer,
    options: &SignOptions,
    progress: &ProgressBar,
) -> Result<Outcome<SignReport>, Error> {
    if let Some(output) = &options.output {
        std::fs::create_dir_all(output).map_err(|e| Error::io(output, "make the directory", &e))?;
    }
    progress.set_length(u64::try_from(lists.len()).unwrap_or(u64::MAX));
    let results: Vec<_> = lists
        .par_iter()
        .map(|list| {
            let result = sign_one(list, signer, options);
            progress.inc(1);
            result
        })
        .collect();
    let mut signed = Vec::new();
    let mut errors = Vec::new();
    let mut dirs = std::collections::BTreeSet::new();
    for result in results {
        match result {
            Ok(path) => {
                dirs.extend(path.parent().map(|dir| {
                    if dir.as_os_str().is_empty() {
                        PathBuf::from(".")
                    } else {
                        dir.to_owned()
                    }
                }));
                signed.push(crate::bytes::path_for_display(&path));
            }
            Err(e) => errors.push(e),
        }
    }
    for dir in dirs {
        sync_dir(&dir)?;
    }
    Ok(Outcome {
        report: SignReport { signed },
        errors,
    })
}

fn sign_one(path: &Path, signer: &Signer, options: &SignOptions) -> Result<PathBuf, Error> {
    let file = ListFile::read(path)?;
    let parsed = file.parse()?;
    if parsed.signature.is_some() && !options.replace_signature {
        return Err(Error::new(
            path,
            "is signed already",
            "give --replace to sign it anew",
        ));
    }
    let (target, existing) = match (&options.output, path.file_name()) {
        (Some(output), Some(name)) => (output.join(name), options.existing),
        // A link's target is what is to be signed, not what is to be replaced
        // by a file.
        _ => (
            path.canonicalize()
                .map_err(|e| Error::io(path, "open", &e))?,
            Existing::Replace,
        ),
    };
    existing.check(&target)?;
    let mode = std::fs::metadata(path)
        .map_err(|e| Error::io(path, "read", &e))?
        .permissions()
        .mode()
        & 0o777;
    let fail = |what: String| Error::new(path, what, "check the key and the certificate");
    let message = signer
        .sign(parsed.content)
        .map_err(|e| fail(format!("cannot sign: {e}")))?;
    let trailer = trailer(&message).ok_or_else(|| fail("the signature is too long".to_owned()))?;
    let staged = Staged::write(&target, mode, |out| {
        out.write_all(parsed.content)?;
        out.write_all(&message)?;
        out.write_all(&trailer)
    })?;
    read_back(&staged, &file, parsed.content, signer)?;
    staged.publish(existing)
}

/// What follows the message: `struct module_signature` and the marker.
fn trailer(message: &[u8]) -> Option<[u8; INFO_SIZE + MARKER.len()]> {
    let mut trailer = [0; INFO_SIZE + MARKER.len()];
    let (info, marker) = trailer.split_at_mut(INFO_SIZE);
    let (fields, sig_len) = info.split_at_mut(8);
    // algo, hash, id_type, signer_len, key_id_len, pad[3]: all zero but the type.
    fields.get_mut(2).map(|id_type| *id_type = ID_TYPE_PKCS7)?;
    sig_len.copy_from_slice(&u32::try_from(message.len()).ok()?.to_be_bytes());
    marker.copy_from_slice(MARKER);
    Some(trailer)
}

/// Reads the signed list as the kernel does: same content, good signature.
fn read_back(
    staged: &Staged,
    file: &ListFile,
    content: &[u8],
    signer: &Signer,
) -> Result<(), Error> {
    let again = ListFile::read_as(staged.temporary(), file.name().to_vec())?;
    let parsed = again.parse()?;
    let good = parsed.content == content
        && parsed.signature.as_ref().is_some_and(|signature| {
            crate::signature::verify(signature, content, &[signer.certificate()]).is_ok()
        });
    if good {
        return Ok(());
    }
    Err(Error::new(
        staged.target(),
        "reads back differently from what was written",
        "check the disk, nothing was kept",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trailer_is_that_of_a_kernel_module() {
        let trailer = trailer(&[0; 0x0102]).unwrap();
        assert_eq!(trailer[..12], [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(&trailer[12..], MARKER);
    }
}
