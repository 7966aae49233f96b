// SPDX-License-Identifier: GPL-2.0-only

//! Reading a word that others write, without a call.
//!
//! The atomics of the `kernel` crate are functions of C. Where rustc and clang do not share a
//! version of LLVM (`CONFIG_RUST_INLINE_HELPERS`), each load is a call, and there are a dozen loads
//! in what is done for each file that is opened: calls were most of its time.
//!
//! C header: [`include/asm-generic/rwonce.h`](srctree/include/asm-generic/rwonce.h)

use kernel::sync::atomic::Atomic;

/// What fits into a word of the machine, which is read at once.
///
/// # Safety
///
/// Values have no more bytes than a pointer, and the alignment of their size.
pub(crate) unsafe trait Word: Copy + kernel::sync::atomic::AtomicType {}

// SAFETY: Not larger than a pointer, and aligned to its size.
unsafe impl Word for bool {}

// SAFETY: As above.
unsafe impl Word for u32 {}

#[cfg(CONFIG_64BIT)]
// SAFETY: As above.
unsafe impl Word for u64 {}

// SAFETY: A pointer.
unsafe impl<T: Sized> Word for *mut T where *mut T: kernel::sync::atomic::AtomicType {}

/// As `READ_ONCE()`: reads the word at once. Like there, what is read through a pointer that was
/// read like this is what had been written before the pointer was, if that was a release; nothing
/// else is ordered.
#[inline]
pub(crate) fn read_once<T: Word>(word: &Atomic<T>) -> T {
    // SAFETY: The pointer is valid, and a word that is read at once is never half of each of two
    // values. As a volatile read, it is what READ_ONCE() is.
    unsafe { word.as_ptr().read_volatile() }
}
