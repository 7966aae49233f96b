// SPDX-License-Identifier: GPL-2.0-only

//! Reference-counted objects that are found under RCU.
//!
//! The `kernel` crate has reference counting ([`kernel::sync::Arc`]) and RCU read-side guards
//! ([`rcu::Guard`]), but no way to turn a pointer that was read under RCU into a reference. This
//! room has the two halves of that: [`RcuRef`], a counted reference to an object whose memory
//! outlives its last reference by a grace period, and [`Slot`], a place that holds one such
//! reference and can be read without a lock. The count is an `rcuref_t`, which is made for this,
//! and works for no memory that is freed earlier.
//!
//! C headers: [`include/linux/rcupdate.h`](srctree/include/linux/rcupdate.h),
//! [`include/linux/rcuref.h`](srctree/include/linux/rcuref.h)
//!
//! # Context
//!
//! References may be taken, cloned and dropped in any context but NMI. The object itself is dropped
//! in an RCU callback, that is, where nothing may sleep: do not put anything into an [`RcuRef`]
//! whose destructor sleeps.

use core::{
    ffi::c_void,
    marker::PhantomData,
    mem::{offset_of, ManuallyDrop},
    ops::Deref,
    ptr::{null_mut, NonNull},
};
use kernel::{
    alloc::Flags,
    bindings,
    prelude::*,
    sync::{
        atomic::{Atomic, Full},
        rcu,
    },
    types::Opaque,
};

use crate::{deferred, word::read_once};

/// What can be referenced by an [`RcuRef`].
pub(crate) trait Object: Send + Sync + Sized + 'static {
    /// Runs when the last reference has gone: nobody can get one any more, but readers that have
    /// found the object may look at it for a grace period. Runs in the context in which the
    /// reference was dropped: must not sleep.
    fn released(&self) {}
}

/// What an [`RcuRef`] points to.
///
/// # Invariants
///
/// `head` is used by at most one of these at a time: a job that [`RcuRef::defer`] made, which owns
/// a reference; and RCU, when there is no reference.
#[repr(C)]
#[pin_data]
struct Inner<T> {
    #[pin]
    head: Opaque<bindings::callback_head>,
    #[pin]
    refs: Opaque<bindings::rcuref_t>,
    #[pin]
    data: T,
}

/// A counted reference to a `T` that is freed one grace period after the last reference is gone.
///
/// # Invariants
///
/// - The pointer comes from [`KBox::into_raw`] and the memory has not been given back.
/// - The reference owns one count of `refs`.
#[repr(transparent)]
pub(crate) struct RcuRef<T: Object>(NonNull<Inner<T>>);

// SAFETY: An `RcuRef` gives shared access to a `T` and may be the one whose drop leads to the `T`
// being dropped on another CPU, so it can be sent when `T` can be both shared and sent, which
// `Object` asks for.
unsafe impl<T: Object> Send for RcuRef<T> {}

// SAFETY: From a `&RcuRef<T>` one can get a `&T` and, by cloning it, an `RcuRef<T>`: the same
// conditions as for `Send`.
unsafe impl<T: Object> Sync for RcuRef<T> {}

impl<T: Object> RcuRef<T> {
    /// Allocates and initialises an object, with one reference to it.
    pub(crate) fn pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> Result<Self>
    where
        Error: From<E>,
    {
        let inner = KBox::try_pin_init(
            try_pin_init!(Inner {
                // SAFETY: `slot` is valid for a write by the contract of `ffi_init`, and the bytes
                // of a callback head may be zero.
                head <- Opaque::ffi_init(|slot: *mut bindings::callback_head| unsafe {
                    slot.write_bytes(0, 1)
                }),
                // SAFETY: `slot` is valid for a write by the contract of `ffi_init`.
                refs <- Opaque::ffi_init(|slot| unsafe { bindings::rcuref_init(slot, 1) }),
                data <- init,
            }? Error),
            flags,
        )?;
        // SAFETY: The object is only ever accessed through shared references and dropped in place
        // by `free`, so it stays pinned.
        let ptr = KBox::into_raw(unsafe { Pin::into_inner_unchecked(inner) });
        // SAFETY: `KBox::into_raw` never returns null.
        // INVARIANT: The count was initialised to one, and this reference owns it.
        Ok(Self(unsafe { NonNull::new_unchecked(ptr) }))
    }

    /// Moves a value to the heap, with one reference to it.
    pub(crate) fn new(value: T, flags: Flags) -> Result<Self> {
        Self::pin_init::<core::convert::Infallible>(value, flags)
    }

    /// Whether both references are to the same object.
    pub(crate) fn same(a: &Self, b: &Self) -> bool {
        a.0 == b.0
    }

    /// Whether this is a reference to the object that `other` borrows.
    pub(crate) fn is(this: &Self, other: &T) -> bool {
        core::ptr::eq(&**this, other)
    }

    /// The object, as C code knows it, which gets no reference by this.
    pub(crate) fn as_raw(this: &Self) -> NonNull<c_void> {
        this.0.cast()
    }

    /// Gives the reference to C code, which gives it back through [`RcuRef::from_raw`].
    pub(crate) fn into_raw(this: Self) -> NonNull<c_void> {
        ManuallyDrop::new(this).0.cast()
    }

    /// Takes a reference back from C code.
    ///
    /// # Safety
    ///
    /// `ptr` must have come from [`RcuRef::into_raw`] of an `RcuRef<T>`, and the caller must own
    /// the reference that it stands for.
    pub(crate) unsafe fn from_raw(ptr: NonNull<c_void>) -> Self {
        // INVARIANT: By the contract of this function.
        Self(ptr.cast())
    }

    /// Borrows the reference that C code holds: the result is not dropped.
    ///
    /// # Safety
    ///
    /// `ptr` must have come from [`RcuRef::into_raw`] of an `RcuRef<T>`, and the reference that it
    /// stands for must not be dropped while the returned value is in use.
    pub(crate) unsafe fn borrow_raw(ptr: NonNull<c_void>) -> ManuallyDrop<Self> {
        // INVARIANT: The caller's reference stands in for the count that this one does not own.
        ManuallyDrop::new(Self(ptr.cast()))
    }

    /// Drops the object; called when a grace period has passed since the last reference went.
    ///
    /// # Safety
    ///
    /// Only to be called by RCU, once, with the `head` of an [`Inner<T>`] that has no reference.
    unsafe extern "C" fn free(head: *mut bindings::callback_head) {
        // SAFETY: By the contract of this function, `head` is the field of an `Inner<T>`.
        let inner = unsafe { head.byte_sub(offset_of!(Inner<T>, head)) }.cast::<Inner<T>>();
        // SAFETY: The memory came from a `KBox` (type invariant of `RcuRef`). No reference is left,
        // and no reader that found the pointer in a slot can be in its read-side section any more.
        drop(unsafe { KBox::from_raw(inner) });
    }
}

impl<T: Object> Deref for RcuRef<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: This reference keeps the object alive, and it is only accessed as shared.
        unsafe { &self.0.as_ref().data }
    }
}

impl<T: Object> Clone for RcuRef<T> {
    fn clone(&self) -> Self {
        // SAFETY: The object is alive.
        let taken = unsafe { bindings::rcuref_get(self.0.as_ref().refs.get()) };
        // There is a reference already, so it was, unless something has gone wrong before: then
        // the count is saturated or dead, and giving this one back is complained about as well.
        kernel::warn_on!(!taken);
        // INVARIANT: The new reference owns the count that was just taken.
        Self(self.0)
    }
}

impl<T: Object> Drop for RcuRef<T> {
    fn drop(&mut self) {
        // SAFETY: The object is alive until the count that this reference owns is given back, and
        // its memory stays for a grace period after that, which cannot pass inside the function, as
        // it disables preemption.
        if unsafe { bindings::rcuref_put(self.0.as_ref().refs.get()) } {
            // SAFETY: Only `free` drops the object.
            unsafe { self.0.as_ref() }.data.released();
            // SAFETY: The last reference is gone, so nobody else uses `head`. Readers that found
            // the pointer in a slot cannot get a reference any more, and `free` runs after them.
            unsafe { bindings::call_rcu(self.0.as_ref().head.get(), Some(Self::free)) };
        }
    }
}

/// What is to be done with an object, without locks and where one may sleep.
pub(crate) trait Job: Object {
    /// Does it.
    fn run(this: RcuRef<Self>);
}

impl<T: Job> RcuRef<T> {
    /// Has [`Job::run`] called soon, see [`deferred::schedule`]. Task context; does not sleep.
    ///
    /// # Safety
    ///
    /// Must not be called again for the object before [`Job::run`] was called.
    pub(crate) unsafe fn defer(this: Self) {
        let inner = ManuallyDrop::new(this).0;
        // SAFETY: The job owns the reference that was just given away, so the object stays, and
        // nobody else uses `head`: by the contract of this function no other job, and RCU only when
        // there is no reference. `run_deferred` fits the type.
        unsafe { deferred::schedule(inner.as_ref().head.get(), Self::run_deferred) };
    }

    /// As [`RcuRef::defer`], but by a work queue, whatever the current task does.
    ///
    /// # Safety
    ///
    /// As for [`RcuRef::defer`].
    pub(crate) unsafe fn defer_to_queue(this: Self) {
        let inner = ManuallyDrop::new(this).0;
        // SAFETY: As in `defer`.
        unsafe { deferred::queue(inner.as_ref().head.get(), Self::run_deferred) };
    }

    /// # Safety
    ///
    /// Only to be called once for each [`RcuRef::defer`], with the `head` of the object.
    unsafe extern "C" fn run_deferred(head: *mut bindings::callback_head) {
        // SAFETY: These are what the job was made with.
        if unsafe { deferred::handed_over(head, Self::run_deferred) } {
            return;
        }
        // SAFETY: By the contract of this function, `head` is the field of an `Inner<T>`, which is
        // not null.
        let inner = unsafe {
            NonNull::new_unchecked(head.byte_sub(offset_of!(Inner<T>, head)).cast::<Inner<T>>())
        };
        // INVARIANT: The reference is the one that `defer` gave away.
        T::run(RcuRef(inner));
    }
}

/// An object found under RCU, usable until the end of the read-side critical section.
pub(crate) struct Peek<'g, T: Object> {
    inner: NonNull<Inner<T>>,
    _guard: PhantomData<&'g rcu::Guard>,
}

impl<T: Object> Peek<'_, T> {
    /// An object of which only its value is known.
    ///
    /// # Safety
    ///
    /// `data` is the value of an [`RcuRef`] that was not yet [released](Object::released) at some
    /// moment after the guard's read-side critical section began.
    pub(crate) unsafe fn from_value(data: NonNull<T>, _guard: &rcu::Guard) -> Peek<'_, T> {
        // SAFETY: By the contract of this function, `data` is the field of an `Inner<T>`.
        let inner = unsafe { data.byte_sub(offset_of!(Inner<T>, data)) }.cast();
        Peek {
            inner,
            _guard: PhantomData,
        }
    }

    /// Number of references, for people.
    pub(crate) fn num_refs(&self) -> u32 {
        // SAFETY: The memory stays valid to the end of the read-side critical section.
        unsafe { bindings::rcuref_read(self.inner.as_ref().refs.get()) }
    }

    /// Takes a reference, unless the last one has just gone.
    pub(crate) fn upgrade(&self) -> Option<RcuRef<T>> {
        // SAFETY: The memory stays valid to the end of the read-side critical section.
        if unsafe { bindings::rcuref_get(self.inner.as_ref().refs.get()) } {
            // INVARIANT: The new reference owns the count that was just taken.
            Some(RcuRef(self.inner))
        } else {
            None
        }
    }
}

impl<T: Object> Deref for Peek<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: The object is dropped in an RCU callback only, so it is whole until the end of
        // the read-side critical section, which the lifetime of `self` does not exceed.
        unsafe { &self.inner.as_ref().data }
    }
}

/// A place that holds a reference or nothing, read without a lock.
///
/// A slot whose bytes are all zero is valid and empty, so it may live in memory that was only
/// zeroed, such as an LSM's security blob.
///
/// # Invariants
///
/// The pointer is null, or stands for an [`RcuRef<T>`] that the slot owns.
#[repr(transparent)]
pub(crate) struct Slot<T: Object> {
    ptr: Atomic<*mut Inner<T>>,
    _owns: PhantomData<RcuRef<T>>,
}

// SAFETY: A slot owns an `RcuRef<T>` and gives out clones of it through a shared reference; that is
// sound when `RcuRef<T>` itself may be sent and shared.
unsafe impl<T: Object> Send for Slot<T> {}

// SAFETY: As above.
unsafe impl<T: Object> Sync for Slot<T> {}

impl<T: Object> Slot<T> {
    /// An empty slot.
    pub(crate) const fn new() -> Self {
        // INVARIANT: The pointer is null.
        Self {
            ptr: Atomic::new(null_mut()),
            _owns: PhantomData,
        }
    }

    /// Looks at what the slot holds, without taking a reference.
    pub(crate) fn peek<'g>(&self, _guard: &'g rcu::Guard) -> Option<Peek<'g, T>> {
        // Pairs with the exchange that stored the pointer: what was written to the object before it
        // was published is seen by whoever finds it here, as with `rcu_dereference()`.
        NonNull::new(read_once(&self.ptr)).map(|inner| Peek {
            inner,
            _guard: PhantomData,
        })
    }

    /// Takes a reference to what the slot holds.
    pub(crate) fn get(&self) -> Option<RcuRef<T>> {
        loop {
            let guard = rcu::read_lock();
            let found = self.peek(&guard)?.upgrade();
            if found.is_some() {
                return found;
            }
            // What was found was replaced meanwhile, and was the last of its references: look at
            // what replaced it.
        }
    }

    /// Whether the slot is empty.
    pub(crate) fn is_empty(&self) -> bool {
        read_once(&self.ptr).is_null()
    }

    /// Puts `new` into the slot and returns what was there.
    pub(crate) fn swap(&self, new: Option<RcuRef<T>>) -> Option<RcuRef<T>> {
        let new = new.map_or(null_mut(), |r| ManuallyDrop::new(r).0.as_ptr());
        // INVARIANT: The slot now owns `new`'s reference, and its own passes to the caller.
        NonNull::new(self.ptr.xchg(new, Full)).map(RcuRef)
    }

    /// Puts `new` into the slot if it holds exactly `old`; else gives `new` back.
    pub(crate) fn replace(
        &self,
        old: Option<&RcuRef<T>>,
        new: Option<RcuRef<T>>,
    ) -> Result<Option<RcuRef<T>>, Option<RcuRef<T>>> {
        let old = old.map_or(null_mut(), |r| r.0.as_ptr());
        let raw = new.as_ref().map_or(null_mut(), |r| r.0.as_ptr());
        match self.ptr.cmpxchg(old, raw, Full) {
            Ok(prev) => {
                // The slot owns the reference from here on.
                let _ = new.map(ManuallyDrop::new);
                // INVARIANT: The slot gave up the reference that it owned.
                Ok(NonNull::new(prev).map(RcuRef))
            }
            Err(_) => Err(new),
        }
    }
}

impl<T: Object> Drop for Slot<T> {
    fn drop(&mut self) {
        drop(self.swap(None));
    }
}
