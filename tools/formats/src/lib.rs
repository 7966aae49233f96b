// SPDX-License-Identifier: GPL-2.0-only

//! Formats, names and tables of digest lists.
//!
//! These are the very source files that the kernel compiles; nothing is added here
//! but the rules that they keep: no `unsafe`, only `core`, nothing that can panic or
//! lose a part of a number unnoticed.

#![no_std]
#![forbid(unsafe_code)]
#![deny(
    missing_docs,
    unreachable_pub,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::string_slice,
    clippy::undocumented_unsafe_blocks,
    clippy::unreachable,
    clippy::unwrap_used
)]

#[path = "../../../htable.rs"]
pub mod htable;
#[path = "../../../index.rs"]
pub mod index;
#[path = "../../../parsers/mod.rs"]
pub mod parsers;
