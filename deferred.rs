// SPDX-License-Identifier: GPL-2.0-only

//! Running something soon, without locks and where one may sleep.
//!
//! Most changes of a file system are told to an LSM with locks of inodes held, where nobody can be
//! called who might open a file. What is to be done about them is therefore deferred until the
//! current task returns to user space: whoever made the change finds it done when the system call
//! returns. Kernel threads do not return to user space, and a task that ends has no root directory
//! any more: for them a work queue does it.
//!
//! C headers: [`include/linux/task_work.h`](srctree/include/linux/task_work.h),
//! [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use core::ptr::null_mut;
use kernel::{
    bindings,
    prelude::*,
    static_lock_class,
    sync::atomic::{Atomic, Full, Relaxed},
    types::Opaque,
};

/// What [`schedule`] calls.
pub(crate) type Function = unsafe extern "C" fn(*mut bindings::callback_head);

/// The jobs that no task does, linked by their `next`, the last one first.
static PENDING: Atomic<*mut bindings::callback_head> = Atomic::new(null_mut());

/// The work item for them.
struct Work(Opaque<bindings::work_struct>);

// SAFETY: A work item may be queued from anywhere, any number of times.
unsafe impl Sync for Work {}

static WORK: Work = Work(Opaque::uninit());

/// Prepares the work queue's part.
///
/// # Safety
///
/// Must be called once, before [`schedule`] is.
pub(crate) unsafe fn init() {
    // SAFETY: The work item is static, and by the contract of this function nobody uses it yet.
    unsafe {
        bindings::init_work_with_key(
            WORK.0.get(),
            Some(run_pending),
            false,
            c"digest_cache".as_char_ptr(),
            static_lock_class!().as_ptr(),
        );
    }
}

/// Has `function` called with `head`: by the current task before it returns to user space, or by
/// a work queue if the current task never does. Task context; does not sleep.
///
/// # Safety
///
/// `head` is valid, and nobody else uses it, until `function` is called. That may be called from
/// any task.
pub(crate) unsafe fn schedule(head: *mut bindings::callback_head, function: Function) {
    if task_returns()
        // SAFETY: `head` is valid and ours, by the contract of this function, and stays so until it
        // is called.
        && unsafe {
            (*head).func = Some(function);
            bindings::task_work_add(
                bindings::get_current(),
                head,
                bindings::task_work_notify_mode_TWA_RESUME,
            )
        } == 0
    {
        return;
    }
    // SAFETY: By the contract of this function.
    unsafe { queue(head, function) };
}

/// Whether the current task returns to user space.
fn task_returns() -> bool {
    let never = bindings::PF_KTHREAD | bindings::PF_USER_WORKER | bindings::PF_EXITING;
    // SAFETY: The current task can be asked for everywhere, and its flags are its own.
    unsafe { (*bindings::get_current()).flags & never == 0 }
}

/// Has `function` called with `head` by a work queue. Does not sleep.
///
/// # Safety
///
/// As for [`schedule`].
pub(crate) unsafe fn queue(head: *mut bindings::callback_head, function: Function) {
    // SAFETY: By the contract of this function.
    unsafe { (*head).func = Some(function) };
    let mut first = PENDING.load(Relaxed);
    loop {
        // SAFETY: `head` is valid and ours until it is in the list.
        unsafe { (*head).next = first };
        // Full orders what was written to the job before it is found in the list.
        match PENDING.cmpxchg(first, head, Full) {
            Ok(_) => break,
            Err(current) => first = current,
        }
    }
    // SAFETY: The work item is initialised; if it is queued already, it has not looked at the list.
    unsafe {
        bindings::queue_work_on(
            bindings::wq_misc_consts_WORK_CPU_UNBOUND as kernel::ffi::c_int,
            bindings::system_dfl_wq,
            WORK.0.get(),
        );
    }
}

/// To be asked by `function` first: hands itself over to the work queue, and returns true, if the
/// current task began to end after [`schedule`].
///
/// # Safety
///
/// The arguments are those that [`schedule`] was called with, and nobody else uses `head`.
pub(crate) unsafe fn handed_over(head: *mut bindings::callback_head, function: Function) -> bool {
    // SAFETY: As in `task_returns`.
    let ends = unsafe { (*bindings::get_current()).flags } & bindings::PF_EXITING != 0;
    if ends {
        // SAFETY: By the contract of this function.
        unsafe { queue(head, function) };
    }
    ends
}

/// # Safety
///
/// Only to be called by the work queue.
unsafe extern "C" fn run_pending(_work: *mut bindings::work_struct) {
    let mut head = PENDING.xchg(null_mut(), Full);
    while !head.is_null() {
        // SAFETY: What is in the list stays valid until it is called, and the list was taken away
        // from everybody else. After the call, `head` may be gone.
        let (next, function) = unsafe { ((*head).next, (*head).func) };
        if let Some(function) = function {
            // SAFETY: This is the call that `schedule` was asked for.
            unsafe { function(head) };
        }
        head = next;
    }
}
