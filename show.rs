// SPDX-License-Identifier: GPL-2.0-only

//! What the files `caches` and `stats` in securityfs say; see [`crate::securityfs`].
//!
//! `caches` has a header that begins with `#`, then for each digest cache that somebody has
//! a reference to, the latest first: its number, what it was made from (`list`, `dir`), its state
//! (`loading`, `ready`, `failed`), the error if it failed (negative), the algorithms of its digests
//! or `-`, how many digests, bytes of tables, references and users it has, whether it was reset
//! (0, 1), and the path, in which what is no printable character, and space, `#` and `\`, is
//! written in octal, as in `/proc/mounts`. The numbers of a directory are those of its index.

use kernel::{
    fmt,
    prelude::*,
    seq_file::{seq_print, SeqFile},
    str::CStr,
    sync::rcu,
};

use crate::{
    blob::Watched,
    cache::{Content, DigestCache, LoadError},
    formats, live,
    parsers::algo::HashAlgo,
    rcuref::Peek,
    stats,
};

/// A path, or a part of it, as people see it.
struct Escaped<'a>(&'a CStr);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.to_bytes().iter().try_for_each(|&byte| {
            if byte.is_ascii_graphic() && byte != b'#' && byte != b'\\' {
                write!(f, "{}", char::from(byte))
            } else {
                write!(f, "\\{byte:03o}")
            }
        })
    }
}

/// The names of algorithms.
struct Algos(u32);

impl fmt::Display for Algos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for algo in HashAlgo::ALL {
            if self.0 & (1 << algo.raw()) != 0 {
                write!(f, "{separator}{}", algo.name())?;
                separator = ",";
            }
        }
        if separator.is_empty() {
            f.write_str("-")?;
        }
        Ok(())
    }
}

/// Shows the digest caches.
pub(crate) fn caches(m: &SeqFile) {
    seq_print!(
        m,
        "# id kind state errno algos digests bytes references users stale path\n"
    );
    live::for_each(&rcu::read_lock(), |cache| line(m, &cache));
}

/// Shows one digest cache. What it says is about different moments: things go on meanwhile.
fn line(m: &SeqFile, cache: &Peek<'_, DigestCache>) {
    let references = cache.num_refs();
    if references == 0 {
        return;
    }
    let outcome = cache.outcome();
    let content = outcome.and_then(Result::ok);
    let kind = match content {
        Some(Content::Dir(_)) => "dir",
        // Only lists fail for good.
        Some(Content::List(_)) | None => "list",
    };
    let (state, errno) = match outcome {
        None => ("loading", 0),
        Some(Ok(_)) => ("ready", 0),
        Some(Err(LoadError::Bad(e) | LoadError::Passing(e))) => ("failed", e.to_errno()),
    };
    let (before, name) = cache.path();
    let algos = Algos(content.map_or(0, Content::algos_at_hand));
    let digests = content.map_or(0, Content::num_digests);
    let bytes = content.map_or(0, Content::bytes);
    let (id, users) = (cache.id(), cache.users.len());
    let stale = u8::from(!cache.watch().is_armed());
    seq_print!(m, "{id} {kind} {state} {errno} {algos} {digests} {bytes} ");
    seq_print!(m, "{references} {users} {stale} ");
    if let Some(before) = before {
        seq_print!(m, "{}/", Escaped(before));
    }
    seq_print!(m, "{}\n", Escaped(name));
}

/// Shows the counters.
pub(crate) fn stats(m: &SeqFile) {
    stats::for_each(
        |name, count| seq_print!(m, "{name} {count}\n"),
        |errno, count| match (count, errno) {
            (0, _) => {}
            (_, Some(errno)) => seq_print!(m, "{}.{errno} {count}\n", stats::LOAD_FAILURES),
            (_, None) => seq_print!(m, "{}.other {count}\n", stats::LOAD_FAILURES),
        },
        |reason, count| {
            if count != 0 {
                seq_print!(m, "{}.{reason} {count}\n", stats::RESETS);
            }
        },
    );
    let (mut caches, mut digests, mut bytes) = (0_usize, 0_usize, 0_usize);
    live::for_each(&rcu::read_lock(), |cache| {
        if cache.num_refs() != 0 {
            caches = caches.saturating_add(1);
            if let Some(content) = cache.content() {
                if matches!(content, Content::List(_)) {
                    digests = digests.saturating_add(content.num_digests());
                }
                bytes = bytes.saturating_add(content.bytes());
            }
        }
    });
    seq_print!(m, "caches {caches}\ndigests {digests}\nbytes {bytes}\n");
    seq_print!(m, "parsers {}\n", formats::count());
}
