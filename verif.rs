// SPDX-License-Identifier: GPL-2.0-only

//! Verification data: what an integrity provider found out about a digest list.
//!
//! While a list is read, a provider sees it go by in its `kernel_post_read_file` hook, and attaches
//! its verdict under a name of its own. Later it gets the verdict back with any digest cache in
//! which it finds a file's digest.
//!
//! # Locking
//!
//! None: the records form a list that only grows, each link of which is set once.

use kernel::{alloc::flags::GFP_ATOMIC, prelude::*, sync::SetOnce};

/// How many providers can attach data to one list. Bounds the work for a list, and the depth of
/// dropping one.
const MAX_RECORDS: usize = 16;

/// Longest data that a provider can attach, in bytes; more belongs into its own memory.
const MAX_DATA: usize = 4096;

struct Record {
    id: KVec<u8>,
    data: KVec<u8>,
    next: SetOnce<KBox<Record>>,
}

/// The records of one digest list.
pub(crate) struct Verification {
    first: SetOnce<KBox<Record>>,
}

impl Verification {
    /// No records.
    pub(crate) const fn new() -> Self {
        Self {
            first: SetOnce::new(),
        }
    }

    /// Attaches a copy of `data` under `id`. Any context but NMI.
    ///
    /// # Errors
    ///
    /// `EEXIST` if there is data under that id, `ENOSPC` if too many providers attached data,
    /// `E2BIG` if there is too much of it, `EINVAL` if `id` is empty, `ENOMEM`.
    pub(crate) fn set(&self, id: &[u8], data: &[u8]) -> Result {
        if id.is_empty() {
            return Err(EINVAL);
        }
        if data.len() > MAX_DATA || id.len() > MAX_DATA {
            return Err(E2BIG);
        }
        let mut link = &self.first;
        for _ in 0..MAX_RECORDS {
            if link.as_ref().is_none() {
                let record = KBox::new(
                    Record {
                        id: copy(id)?,
                        data: copy(data)?,
                        next: SetOnce::new(),
                    },
                    GFP_ATOMIC,
                )?;
                if link.populate(record) {
                    return Ok(());
                }
                // Another provider was faster, and may have the same id.
            }
            let Some(record) = link.as_ref() else {
                // The other one has claimed the link but not filled it yet.
                return Err(EAGAIN);
            };
            if record.id[..] == *id {
                return Err(EEXIST);
            }
            link = &record.next;
        }
        Err(ENOSPC)
    }

    /// The data attached under `id`. Any context.
    pub(crate) fn get(&self, id: &[u8]) -> Option<&[u8]> {
        let mut link = &self.first;
        while let Some(record) = link.as_ref() {
            if record.id[..] == *id {
                return Some(&record.data);
            }
            link = &record.next;
        }
        None
    }
}

fn copy(bytes: &[u8]) -> Result<KVec<u8>> {
    let mut copy = KVec::with_capacity(bytes.len().max(1), GFP_ATOMIC)?;
    copy.extend_from_slice(bytes, GFP_ATOMIC)?;
    Ok(copy)
}
