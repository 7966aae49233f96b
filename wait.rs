// SPDX-License-Identifier: GPL-2.0-only

//! Waiting for a digest cache to be loaded, and taking turns.
//!
//! [`kernel::sync::Completion`] can only be waited for without a limit and without regard to
//! signals. Loading reads a file and asks integrity providers, and both may come to depend on the
//! task that waits (a file system in user space whose daemon is being verified, a module that a
//! provider needs and whose loader is): a wait that could neither be killed nor end by itself would
//! hang the system.
//!
//! C header: [`include/linux/completion.h`](srctree/include/linux/completion.h)

use core::ptr;
use kernel::{
    bindings,
    prelude::*,
    sync::atomic::{Atomic, Relaxed},
    time::{msecs_to_jiffies, Jiffies, Msecs},
    types::Opaque,
};

use crate::rcuref::{Object, RcuRef, Slot};

/// Longest wait for another task that loads a list. A list of a million digests takes a second;
/// a list that takes longer than this is not going to come.
const MAX_WAIT: Msecs = 60_000;

/// Tells when loading has ended, and knows who loads.
#[pin_data]
pub(crate) struct Loading {
    #[pin]
    done: Opaque<bindings::completion>,
    /// The task that loads; only compared, and only while it does. Null when it has ended.
    loader: Atomic<*mut bindings::task_struct>,
}

// SAFETY: A completion may be used from any task, and the pointer is only compared.
unsafe impl Send for Loading {}

// SAFETY: As above; a completion has a lock of its own.
unsafe impl Sync for Loading {}

impl Loading {
    /// Loading is going to be done by the current task.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            done <- Opaque::ffi_init(|slot: *mut bindings::completion| {
                // SAFETY: `slot` is valid for a write by the contract of `ffi_init`.
                unsafe { bindings::init_completion(slot) };
            }),
            // SAFETY: The current task can always be asked for.
            loader: Atomic::new(unsafe { bindings::get_current() }),
        })
    }

    /// Loading has ended: all who wait, or will, go on.
    pub(crate) fn end(&self) {
        self.loader.store(ptr::null_mut(), Relaxed);
        // SAFETY: The completion is initialised.
        unsafe { bindings::complete_all(self.done.get()) };
    }

    /// Waits until loading has ended. May sleep.
    ///
    /// # Errors
    ///
    /// `EDEADLK` if the current task is the one that loads, `EINTR` if it is being killed,
    /// `ETIMEDOUT` if it waited for a minute.
    pub(crate) fn wait(&self) -> Result {
        // SAFETY: The current task can always be asked for.
        if self.loader.load(Relaxed) == unsafe { bindings::get_current() } {
            return Err(EDEADLK);
        }
        let limit: Jiffies = msecs_to_jiffies(MAX_WAIT);
        // SAFETY: The completion is initialised.
        match unsafe { bindings::wait_for_completion_killable_timeout(self.done.get(), limit) } {
            0 => Err(ETIMEDOUT),
            left if left < 0 => Err(EINTR),
            _ => Ok(()),
        }
    }
}

/// Somebody's turn.
#[pin_data]
struct Turn {
    #[pin]
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
        let turn = RcuRef::pin_init(pin_init!(Turn { over <- Loading::new() }), GFP_KERNEL)?;
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
