// SPDX-License-Identifier: GPL-2.0-only
//! Digest lists in user space: making them from files and packages, signing
//! them, attaching files to them, showing them, checking files against them, and
//! predicting what the kernel measures of them.
//!
//! The format parsers and the name rules are not here: they are the kernel's own
//! source files, compiled by the crate `digest_list_formats`. What is here is
//! everything around them, and the only writer ([`writer`]).
//!
//! The library prints nothing and decides no exit status. Work on many items
//! returns an [`Outcome`]: what was done, and what went wrong with which item.

#![deny(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

pub mod bytes;
pub mod cli;
pub mod dpkg;
pub mod error;
pub mod files;
pub mod generate;
pub mod hash;
pub mod label;
pub mod list;
pub mod output;
pub mod pcr;
pub mod root;
pub mod show;
pub mod sign;
pub mod signature;
pub mod verify;
pub mod writer;

pub use error::{Error, Outcome};
