// SPDX-License-Identifier: GPL-2.0-only

//! Waiting for a digest cache to be loaded, and taking turns.
//!
//! [`kernel::sync::Completion`] can only be waited for without a limit and without regard to
//! signals. Loading reads a file and asks integrity providers, and both may come to depend on the
//! task that waits (a file system in user space whose daemon is being verified, a module that a
//! provider needs and whose loader is): a wait that could neither be killed nor end by itself would
//! hang the system. Nor does each digest cache need a queue of its own for what happens once: those
//! who wait do so in queues that the kernel has for all addresses.
//!
//! C header: [`include/linux/wait_bit.h`](srctree/include/linux/wait_bit.h)

use core::{ffi::c_void, ptr};
use kernel::{
    bindings,
    prelude::*,
    sync::atomic::{Acquire, Atomic, Release},
    time::{msecs_to_jiffies, Jiffies, Msecs},
};

use crate::rcuref::{Object, RcuRef, Slot};

/// Longest wait for another task that loads a list. A list of a million digests takes a second;
/// a list that takes longer than this is not going to come.
const MAX_WAIT: Msecs = 60_000;

/// Tells when loading has ended, and knows who loads.
pub(crate) struct Loading {
    /// The task that loads; only compared, and only while it does. Null when it has ended.
    loader: Atomic<*mut c_void>,
}

impl Loading {
    /// Loading is going to be done by the current task.
    pub(crate) fn new() -> Self {
        // SAFETY: The current task can always be asked for.
        let current = unsafe { bindings::get_current() };
        Self {
            loader: Atomic::new(current.cast()),
        }
    }

    /// Loading has ended: all who wait, or will, go on, and see what was done before.
    pub(crate) fn end(&self) {
        self.loader.store(ptr::null_mut(), Release);
        // SAFETY: Only the address is used.
        unsafe { bindings::digest_cache_wake_loaded(self.loader.as_ptr()) };
    }

    /// Waits until loading has ended. May sleep.
    ///
    /// # Errors
    ///
    /// `EDEADLK` if the current task is the one that loads, `EINTR` if it is being killed,
    /// `ETIMEDOUT` if it waited for a minute.
    pub(crate) fn wait(&self) -> Result {
        let loader = self.loader.load(Acquire);
        if loader.is_null() {
            return Ok(());
        }
        // SAFETY: The current task can always be asked for.
        if loader == unsafe { bindings::get_current() }.cast() {
            return Err(EDEADLK);
        }
        let limit: Jiffies = msecs_to_jiffies(MAX_WAIT);
        // SAFETY: The pointer is valid during the call, and only read, like an atomic.
        match unsafe { bindings::digest_cache_wait_loaded(self.loader.as_ptr(), limit) } {
            0 => Err(ETIMEDOUT),
            left if left < 0 => Err(EINTR),
            _ => Ok(()),
        }
    }
}

/// Somebody's turn.
struct Turn {
    over: Loading,
}

impl Object for Turn {}

/// Sees to it that one task at a time does something that takes long and may sleep.
///
/// Not a lock: who finds another task at it waits for that to end, with the limits of
/// [`Loading::wait`], and then looks again whether there is something left to do.
pub(crate) struct Turns(Slot<Turn>);

impl Turns {
    /// Nobody's turn.
    pub(crate) const fn new() -> Self {
        Self(Slot::new())
    }

    /// Takes the turn of the current task, which lasts until the result is dropped; or waits for
    /// the end of another task's turn and returns [`None`]. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and those of [`Loading::wait`].
    pub(crate) fn take(&self) -> Result<Option<MyTurn<'_>>> {
        if let Some(other) = self.0.get() {
            return other.over.wait().map(|()| None);
        }
        let turn = RcuRef::new(
            Turn {
                over: Loading::new(),
            },
            GFP_KERNEL,
        )?;
        match self.0.replace(None, Some(turn.clone())) {
            Ok(_) => Ok(Some(MyTurn { turns: self, turn })),
            // Another task was faster; the next call waits for it.
            Err(_) => Ok(None),
        }
    }
}

/// See [`Turns::take`].
pub(crate) struct MyTurn<'a> {
    turns: &'a Turns,
    turn: RcuRef<Turn>,
}

impl Drop for MyTurn<'_> {
    fn drop(&mut self) {
        drop(self.turns.0.replace(Some(&self.turn), None));
        self.turn.over.end();
    }
}
