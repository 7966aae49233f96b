// SPDX-License-Identifier: GPL-2.0-only

//! Rate limiting of messages.
//!
//! C header: [`include/linux/ratelimit.h`](srctree/include/linux/ratelimit.h)

use kernel::{
    bindings,
    prelude::*,
    sync::atomic::{Acquire, Atomic, Relaxed, Release},
    types::Opaque,
};

const NEW: u32 = 0;
const BUSY: u32 = 1;
const READY: u32 = 2;

/// Allows ten messages every five seconds, the kernel's default.
pub(crate) struct RateLimit {
    state: Opaque<bindings::ratelimit_state>,
    init: Atomic<u32>,
}

// SAFETY: The C state has a lock of its own, and `init` sees to it that it is set up once.
unsafe impl Sync for RateLimit {}

impl RateLimit {
    /// For use as a static.
    pub(crate) const fn new() -> Self {
        Self {
            state: Opaque::uninit(),
            init: Atomic::new(NEW),
        }
    }

    /// Whether a message may be printed now. Any context.
    pub(crate) fn allows(&'static self) -> bool {
        if self.init.load(Acquire) != READY {
            if self.init.cmpxchg(NEW, BUSY, Relaxed).is_err() {
                // Somebody else is setting the state up this very moment, for a message.
                return true;
            }
            // SAFETY: The state is static, and nobody else uses it before `init` says so.
            unsafe { bindings::ratelimit_default_init(self.state.get()) };
            self.init.store(READY, Release);
        }
        // SAFETY: The state is initialised; the name is static and NUL-terminated.
        unsafe { bindings::___ratelimit(self.state.get(), c"digest_cache".as_char_ptr()) != 0 }
    }
}
