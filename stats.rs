// SPDX-License-Identifier: GPL-2.0-only

//! Counters of what happens, for people.
//!
//! Each CPU has its own, so that counting writes no memory that is shared; [`get`] adds them up.

use kernel::{bindings, error::Error, str::CStr};

/// What is counted. What happens most is counted once; see [`SHOWN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Counter {
    /// A digest cache was asked for, and the inode had it at hand.
    GetsWarm,
    /// It had not.
    GetsCold,
    /// A digest was looked up, and found.
    Hits,
    /// It was not.
    Misses,
    /// The digest cache had been reset.
    LookupsStale,
    /// A list was read, or should have been.
    Loads,
    /// A directory was read.
    DirLoads,
    /// It could not be loaded.
    LoadFailures,
    /// A digest cache was reset.
    Resets,
    /// What was decided about one inode became void, and the digest cache did not.
    Departures,
    /// Subscribers were told about an inode.
    Notifications,
}

impl Counter {
    /// The number of them.
    const NUM: u32 = Self::Notifications as u32 + 1;
}

/// The name of what is shown in `stats`, and the counters of which it is the sum.
const SHOWN: [(&str, &[Counter]); 12] = {
    use Counter::*;
    [
        ("gets", &[GetsWarm, GetsCold]),
        ("gets_warm", &[GetsWarm]),
        ("lookups", &[Hits, Misses, LookupsStale]),
        ("hits", &[Hits]),
        ("misses", &[Misses]),
        ("lookups_stale", &[LookupsStale]),
        ("loads", &[Loads]),
        ("dir_loads", &[DirLoads]),
        (LOAD_FAILURES, &[LoadFailures]),
        (RESETS, &[Resets]),
        ("departures", &[Departures]),
        ("notifications", &[Notifications]),
    ]
};

/// The name of how often loading failed.
pub(crate) const LOAD_FAILURES: &str = "load_failures";

/// The name of how often a cache was reset.
pub(crate) const RESETS: &str = "resets";

/// Why a digest cache is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Reason {
    /// Somebody opened a list for writing, or closed it.
    Write,
    /// A list was truncated.
    Truncate,
    /// A list was unlinked.
    Unlink,
    /// A list or the directory was moved, or replaced by that.
    Rename,
    /// Something was created in the directory.
    Create,
    /// A hard link was made in the directory.
    Link,
    /// The directory, or one in it, was removed.
    Rmdir,
    /// An attribute in which a signature can be changed on a list; or `security.digest_list` on
    /// a file, and there was no memory for voiding only what concerns the file.
    Attribute,
    /// The `security.dig_prefetch` attribute of the directory changed.
    Prefetch,
    /// The default path was set.
    DefaultPath,
    /// A change was found that no hook had told.
    Changed,
    /// The default path leads elsewhere, through no change of what it led to.
    Moved,
    /// The inode was evicted.
    Evicted,
    /// The list, or a file, was copied up in a stacked file system.
    CopyUp,
    /// A parser came or went.
    Parser,
}

impl Reason {
    /// All of them.
    const ALL: [Self; 15] = [
        Self::Write,
        Self::Truncate,
        Self::Unlink,
        Self::Rename,
        Self::Create,
        Self::Link,
        Self::Rmdir,
        Self::Attribute,
        Self::Prefetch,
        Self::DefaultPath,
        Self::Changed,
        Self::Moved,
        Self::Evicted,
        Self::CopyUp,
        Self::Parser,
    ];

    /// The name in `stats` and in traces.
    pub(crate) const fn name(self) -> &'static CStr {
        match self {
            Self::Write => c"write",
            Self::Truncate => c"truncate",
            Self::Unlink => c"unlink",
            Self::Rename => c"rename",
            Self::Create => c"create",
            Self::Link => c"link",
            Self::Rmdir => c"rmdir",
            Self::Attribute => c"attribute",
            Self::Prefetch => c"prefetch",
            Self::DefaultPath => c"default_path",
            Self::Changed => c"changed",
            Self::Moved => c"moved",
            Self::Evicted => c"evicted",
            Self::CopyUp => c"copy_up",
            Self::Parser => c"parser",
        }
    }
}

/// Errors that have a counter of their own; all others share one more.
const ERRORS: [Error; 14] = {
    use kernel::error::code::*;
    [
        EBADMSG, E2BIG, EINVAL, ENOPKG, EACCES, EPERM, ENOMEM, EINTR, ETXTBSY, ENOENT, EAGAIN, EIO,
        ETIMEDOUT, EDEADLK,
    ]
};

const FIRST_REASON: u32 = Counter::NUM;
const FIRST_ERROR: u32 = FIRST_REASON + Reason::ALL.len() as u32;
const OTHER_ERRORS: u32 = FIRST_ERROR + ERRORS.len() as u32;

kernel::static_assert!(OTHER_ERRORS < bindings::DIGEST_CACHE_NUM_COUNTERS);

fn add(index: u32) {
    // SAFETY: The index is less than the number of counters, see the assertion: of an enum's
    // variants, or the position in a table.
    unsafe { bindings::digest_cache_count(index) };
}

fn sum(index: u32) -> u64 {
    // SAFETY: As in `add`.
    unsafe { bindings::digest_cache_counted(index) }
}

/// Counts. Any context but that of interrupts.
pub(crate) fn count(counter: Counter) {
    // CAST: The discriminants are the positions, from zero.
    add(counter as u32);
}

/// Counts a reset. Context as above.
pub(crate) fn count_reset(reason: Reason) {
    count(Counter::Resets);
    // CAST: The discriminants are the positions in `Reason::ALL`, from zero.
    add(FIRST_REASON + reason as u32);
}

/// Counts a failure to load. Context as above.
pub(crate) fn count_failure(error: Error) {
    count(Counter::LoadFailures);
    let position = ERRORS.iter().position(|e| *e == error);
    let position = position.and_then(|p| u32::try_from(p).ok());
    add(position.map_or(OTHER_ERRORS, |p| FIRST_ERROR.saturating_add(p)));
}

/// Calls `plain` with the name and count of each counter; `by_errno` with the number of an error,
/// or none for all others, and how often loading failed with it; `by_reason` with the name of a
/// reason and how often it reset a cache.
pub(crate) fn for_each(
    mut plain: impl FnMut(&str, u64),
    mut by_errno: impl FnMut(Option<i32>, u64),
    mut by_reason: impl FnMut(&CStr, u64),
) {
    for (name, counters) in SHOWN {
        // CAST: As in `count`.
        plain(name, counters.iter().map(|c| sum(*c as u32)).sum());
    }
    for (index, error) in (FIRST_ERROR..).zip(ERRORS) {
        by_errno(Some(error.to_errno().saturating_neg()), sum(index));
    }
    by_errno(None, sum(OTHER_ERRORS));
    for (index, reason) in (FIRST_REASON..).zip(Reason::ALL) {
        by_reason(reason.name(), sum(index));
    }
}
