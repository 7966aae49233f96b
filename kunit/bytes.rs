// SPDX-License-Identifier: GPL-2.0-only

//! Digest lists for tests, byte by byte.

use kernel::prelude::*;

/// A growing list; what does not fit into memory is left out, which fails the test that uses it.
pub(super) struct Bytes(pub(super) KVVec<u8>);

impl Bytes {
    pub(super) fn new() -> Self {
        Self(KVVec::new())
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        let _ = self.0.extend_from_slice(bytes, GFP_KERNEL);
        self
    }

    pub(super) fn u16(self, n: u16) -> Self {
        self.raw(&n.to_be_bytes())
    }

    pub(super) fn u32(self, n: u32) -> Self {
        self.raw(&n.to_be_bytes())
    }

    pub(super) fn u64(self, n: u64) -> Self {
        self.raw(&n.to_be_bytes())
    }

    /// A field of the current `tlv` form.
    pub(super) fn field(self, field: u16, value: &[u8]) -> Self {
        self.u16(field).u32(value.len() as u32).raw(value)
    }

    /// An ENTRY field with a digest and a path.
    pub(super) fn entry(self, digest: &[u8], path: &[u8]) -> Self {
        let nested = Self::new().field(0, digest).field(1, path);
        self.field(2, &nested.0)
    }

    /// A field of the 2024-04 form.
    pub(super) fn old_field(self, field: u64, value: &[u8]) -> Self {
        self.u64(field).u64(value.len() as u64).raw(value)
    }

    /// A header of the 2024-04 form in front of `data`.
    pub(super) fn old_blob(self, data_type: u64, num: u64, data: &[u8]) -> Self {
        self.u64(data_type)
            .u64(num)
            .u64(0)
            .u64(data.len() as u64)
            .raw(data)
    }
}
