// SPDX-License-Identifier: GPL-2.0-only
//! Where things are in a corpus.
//!
//! | path | what |
//! |---|---|
//! | `tree/` | what becomes the root of the disk images |
//! | `tree/files/NNN/NNNNN` | the files |
//! | `tree/tampered` | a copy of one of them with other content, and its attributes |
//! | `tree/lists/signed/` | the lists with an appended signature |
//! | `tree/lists/hash/` | the lists without, and with their digest in `security.ima` |
//! | `tree/lists/prefetch/` | those of `signed`, in a directory that asks for prefetching |
//! | `accesses` | which files to read, in order, one path inside of the tree a line |
//! | `facts` | what the numbers are, one `name value` a line |
//!
//! Lists have the same names in each directory, so that the label of a file is good
//! for all; and sequence numbers, so that the order in which they are loaded is
//! known.

use std::path::{Path, PathBuf};

/// The tree, below the directory of the corpus.
pub const TREE: &str = "tree";
/// The tampered file, below the tree.
pub const TAMPERED: &str = "tampered";
/// Lists with an appended signature, below the tree.
pub const SIGNED_LISTS: &str = "lists/signed";
/// Lists with a plain hash, below the tree.
pub const HASH_LISTS: &str = "lists/hash";
/// Lists in a directory with prefetching, below the tree.
pub const PREFETCH_LISTS: &str = "lists/prefetch";
/// The accesses, below the directory of the corpus.
pub const ACCESSES: &str = "accesses";
/// The facts, below the directory of the corpus.
pub const FACTS: &str = "facts";

/// How many files a directory has.
const FILES_A_DIRECTORY: usize = 100;

/// The path of a file below the tree.
pub fn file(number: usize) -> String {
    format!("files/{:03}/{number:05}", number / FILES_A_DIRECTORY)
}

/// What the name of a list says besides its number and its format.
pub fn list(number: usize) -> String {
    format!("bench{number:03}")
}

/// The tree of a corpus.
pub fn tree(corpus: &Path) -> PathBuf {
    corpus.join(TREE)
}
