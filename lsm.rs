// SPDX-License-Identifier: GPL-2.0-only

//! Linux Security Modules in Rust.
//!
//! An LSM implements [`Lsm`] for its type: a name and an id, the sizes of the security blobs that
//! it wants, the hooks that it has, and what to do at initialisation. [`declare_lsm!`] makes the
//! `struct lsm_info` of it that the framework finds at boot. Nothing in here knows of the digest
//! cache; another LSM can use this room as it is, and add the hooks that it needs to [`hooks!`].
//!
//! C header: [`include/linux/lsm_hooks.h`](srctree/include/linux/lsm_hooks.h)
//!
//! # Not supported
//!
//! Early LSMs, the legacy `security=` selection, exclusive LSMs, blobs other than those of inodes,
//! files and superblocks, and hooks not listed in [`Hooks`].

use core::{
    cell::UnsafeCell,
    ffi::{c_int, c_void},
    marker::PhantomData,
    ptr::{null, null_mut, NonNull},
};
use kernel::{
    bindings,
    error::VTABLE_DEFAULT_ERROR,
    macros::paste,
    prelude::*,
    str::CStr,
    sync::atomic::{Atomic, Release},
};

use crate::{
    vfs::{Dentry, File, Inode, SuperBlock},
    word::read_once,
};

/// The state of an LSM that the framework owns or reads, as statics made by [`declare_lsm!`].
///
/// The framework turns the blob sizes into offsets before it calls any initialisation, and does
/// not write to any of this after `security_init()`.
pub(crate) struct LsmState {
    id: UnsafeCell<bindings::lsm_id>,
    blobs: UnsafeCell<bindings::lsm_blob_sizes>,
    hooks: UnsafeCell<[bindings::security_hook_list; MAX_HOOKS]>,
    active: Atomic<bool>,
}

// SAFETY: The cells are written by the framework and by `register`, both before there is more than
// one task, and only read afterwards.
unsafe impl Sync for LsmState {}

/// Sizes in bytes of the security blobs that an LSM wants; zero for none.
#[derive(Clone, Copy)]
pub(crate) struct BlobSizes {
    /// For each inode of the system.
    pub(crate) inode: u32,
    /// For each open file of the system.
    pub(crate) file: u32,
    /// For each superblock of the system.
    pub(crate) superblock: u32,
}

/// The statics of an LSM.
///
/// # Safety
///
/// `state` returns a static that was made by [`LsmState::new`] for the very type, and that the
/// `lsm_info` of the type points to. [`declare_lsm!`] sees to it.
pub(crate) unsafe trait Statics {
    /// The static.
    fn state() -> &'static LsmState;
}

/// A Linux Security Module.
pub(crate) trait Lsm: Hooks + Statics + Sized {
    /// The name, as in `lsm=`.
    const NAME: &'static CStr;
    /// The `LSM_ID_*` of `include/uapi/linux/lsm.h`.
    const ID: u64;
    /// The blobs.
    const BLOBS: BlobSizes;

    /// Runs when securityfs can be populated, if the LSM is enabled.
    ///
    /// # Errors
    ///
    /// Whatever fails is reported by the framework; the LSM's hooks stay active.
    fn init_fs() -> Result;

    /// Whether the LSM was enabled at boot and its hooks are in place.
    fn is_active() -> bool {
        // Set before there is a second task, so there is nothing to order.
        read_once(&Self::state().active)
    }
}

impl LsmState {
    /// Initial state; `id` and sizes are those of `L`.
    pub(crate) const fn new<L: Lsm>() -> Self {
        const NO_HOOK: bindings::security_hook_list = bindings::security_hook_list {
            scalls: null_mut(),
            hook: bindings::security_list_options {
                lsm_func_addr: null_mut(),
            },
            lsmid: null(),
        };
        let mut blobs: bindings::lsm_blob_sizes = pin_init::zeroed();
        blobs.lbs_inode = L::BLOBS.inode;
        blobs.lbs_file = L::BLOBS.file;
        blobs.lbs_superblock = L::BLOBS.superblock;
        Self {
            id: UnsafeCell::new(bindings::lsm_id {
                name: kernel::str::as_char_ptr_in_const_context(L::NAME),
                id: L::ID,
            }),
            blobs: UnsafeCell::new(blobs),
            hooks: UnsafeCell::new([NO_HOOK; MAX_HOOKS]),
            active: Atomic::new(false),
        }
    }

    /// Offsets of this LSM's parts in the blobs. Only meaningful while the LSM is active.
    fn offsets(&self) -> &bindings::lsm_blob_sizes {
        // SAFETY: The framework wrote the offsets before the LSM became active, and nobody does
        // any more.
        unsafe { &*self.blobs.get() }
    }
}

/// The part of a composite `blob` that begins at `offset`, if `L` is active and there is a blob.
fn part<L: Lsm>(
    blob: *mut c_void,
    offset: impl FnOnce(&bindings::lsm_blob_sizes) -> u32,
) -> Option<NonNull<u8>> {
    if !L::is_active() {
        return None;
    }
    let offset = offset(L::state().offsets()) as usize;
    NonNull::new(blob.cast::<u8>()).map(|blob| blob.map_addr(|a| a.saturating_add(offset)))
}

/// The part of the inode's security blob that belongs to `L`, if there is one.
///
/// The memory was zeroed when the inode was allocated, has the size that [`Lsm::BLOBS`] asks for,
/// the alignment of a pointer, and is valid as long as the inode is (and one grace period more).
pub(crate) fn inode_blob<L: Lsm>(inode: &Inode) -> Option<NonNull<u8>> {
    part::<L>(inode.security(), |offsets| offsets.lbs_inode)
}

/// The part of the file's security blob that belongs to `L`, if there is one.
///
/// The memory was zeroed when the file was allocated, has the size that [`Lsm::BLOBS`] asks for,
/// the alignment of a pointer, and is valid as long as the file is.
pub(crate) fn file_blob<L: Lsm>(file: &File) -> Option<NonNull<u8>> {
    part::<L>(file.security(), |offsets| offsets.lbs_file)
}

/// The part of the superblock's security blob that belongs to `L`, if there is one.
///
/// The memory was zeroed when the superblock was allocated, has the size that [`Lsm::BLOBS`] asks
/// for, the alignment of a pointer, and is valid as long as the superblock is.
pub(crate) fn superblock_blob<L: Lsm>(superblock: &SuperBlock) -> Option<NonNull<u8>> {
    part::<L>(superblock.security(), |offsets| offsets.lbs_superblock)
}

/// Defines [`Hooks`], the C functions that call its methods, and the registration of those that an
/// LSM implements.
///
/// An entry is a hook: its name in `include/linux/lsm_hook_defs.h`, the arguments as the method
/// sees them, the arguments of the C function, and how to get from these to those. A hook with
/// `-> Result` may refuse; the others return nothing.
macro_rules! hooks {
    ($(
        $(#[$doc:meta])*
        fn $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ident)?
            for ($($carg:ident: $cty:ty),*) => ($($conv:expr),*);
    )*) => {
        /// The hooks of an LSM. An LSM implements those that it wants; only they are registered.
        #[vtable]
        pub(crate) trait Hooks {
            /// Of no use here, as an LSM is never a module; `()`.
            type OwnerModule;

            $(
                $(#[$doc])*
                #[allow(unused_variables)]
                fn $name($($arg: $ty),*) $(-> $ret)? {
                    build_error!(VTABLE_DEFAULT_ERROR)
                }
            )*
        }

        /// The C side of the hooks of `L`.
        struct Trampolines<L>(PhantomData<L>);

        impl<L: Hooks> Trampolines<L> {
            $(
                /// # Safety
                ///
                /// Only to be called by the LSM framework, whose pointers are valid for the call.
                #[allow(unused_variables)]
                unsafe extern "C" fn $name($($carg: $cty),*) -> hooks!(@ret $($ret)?) {
                    // SAFETY: The framework's pointers are valid for the call.
                    $(let $arg = unsafe { $conv };)*
                    hooks!(@convert [$($ret)?] L::$name($($arg),*))
                }
            )*
        }

        /// How many hooks [`Hooks`] knows.
        const MAX_HOOKS: usize = [$(stringify!($name)),*].len();

        /// Fills `list` with the hooks that `L` implements and returns their number.
        fn fill_hooks<L: Hooks>(list: &mut [bindings::security_hook_list; MAX_HOOKS]) -> usize {
            let mut slots = list.iter_mut();
            let mut count = 0;
            $(
                paste! {
                    if L::[<HAS_ $name:upper>] {
                        if let Some(slot) = slots.next() {
                            slot.scalls =
                                // SAFETY: Only the address of the table's entry is taken.
                                unsafe { &raw mut bindings::static_calls_table.$name }.cast();
                            slot.hook = bindings::security_list_options {
                                $name: Some(Trampolines::<L>::$name),
                            };
                            count += 1;
                        }
                    }
                }
            )*
            count
        }
    };
    (@ret) => { () };
    (@ret Result) => { c_int };
    (@convert [] $call:expr) => { $call };
    (@convert [Result] $call:expr) => {
        match $call {
            Ok(()) => 0,
            Err(e) => e.to_errno(),
        }
    };
}

hooks! {
    /// The inode is about to be freed: nobody has a reference to it any more, and its memory stays
    /// for a grace period. Process context, but possibly in reclaim: neither sleep for I/O nor
    /// allocate.
    fn inode_free_security(inode: &Inode)
        for (inode: *mut bindings::inode) => (Inode::from_raw(inode));

    /// A regular file is about to be created in `dir`, whose lock is held.
    fn inode_create(dir: &Inode) -> Result
        for (dir: *mut bindings::inode, dentry: *mut bindings::dentry, mode: bindings::umode_t)
        => (Inode::from_raw(dir));

    /// A hard link to `target` is about to be created in `dir`; the locks of both are held.
    fn inode_link(target: &Dentry, dir: &Inode) -> Result
        for (old: *mut bindings::dentry, dir: *mut bindings::inode, new: *mut bindings::dentry)
        => (Dentry::from_raw(old), Inode::from_raw(dir));

    /// `victim` is about to be unlinked from `dir`; the locks of both are held.
    fn inode_unlink(dir: &Inode, victim: &Dentry) -> Result
        for (dir: *mut bindings::inode, dentry: *mut bindings::dentry)
        => (Inode::from_raw(dir), Dentry::from_raw(dentry));

    /// A symbolic link is about to be created in `dir`, whose lock is held.
    fn inode_symlink(dir: &Inode) -> Result
        for (
            dir: *mut bindings::inode, dentry: *mut bindings::dentry,
            name: *const kernel::ffi::c_char
        ) => (Inode::from_raw(dir));

    /// A directory is about to be created in `dir`, whose lock is held.
    fn inode_mkdir(dir: &Inode) -> Result
        for (dir: *mut bindings::inode, dentry: *mut bindings::dentry, mode: bindings::umode_t)
        => (Inode::from_raw(dir));

    /// The directory `victim` is about to be removed from `dir`; the locks of both are held.
    fn inode_rmdir(dir: &Inode, victim: &Dentry) -> Result
        for (dir: *mut bindings::inode, dentry: *mut bindings::dentry)
        => (Inode::from_raw(dir), Dentry::from_raw(dentry));

    /// A special file is about to be created in `dir`, whose lock is held.
    fn inode_mknod(dir: &Inode) -> Result
        for (
            dir: *mut bindings::inode, dentry: *mut bindings::dentry, mode: bindings::umode_t,
            dev: bindings::dev_t
        ) => (Inode::from_raw(dir));

    /// `old` in `old_dir` is about to become `new` in `new_dir`, where `new` may be negative. For
    /// an exchange the hook is called twice, the second time the other way round.
    fn inode_rename(old_dir: &Inode, old: &Dentry, new_dir: &Inode, new: &Dentry) -> Result
        for (
            old_dir: *mut bindings::inode, old_dentry: *mut bindings::dentry,
            new_dir: *mut bindings::inode, new_dentry: *mut bindings::dentry
        ) => (
            Inode::from_raw(old_dir), Dentry::from_raw(old_dentry),
            Inode::from_raw(new_dir), Dentry::from_raw(new_dentry)
        );

    /// Attributes of the inode are about to change; `resize` says whether its size is among them.
    /// The inode's lock is held.
    fn inode_setattr(dentry: &Dentry, resize: bool) -> Result
        for (
            idmap: *mut bindings::mnt_idmap, dentry: *mut bindings::dentry,
            attr: *mut bindings::iattr
        ) => (Dentry::from_raw(dentry), (*attr).ia_valid & bindings::ATTR_SIZE != 0);

    /// The extended attribute `name` has been set; the inode's lock is held.
    fn inode_post_setxattr(dentry: &Dentry, name: &CStr)
        for (
            dentry: *mut bindings::dentry, name: *const kernel::ffi::c_char,
            value: *const c_void, size: usize, flags: c_int
        ) => (Dentry::from_raw(dentry), CStr::from_char_ptr(name));

    /// The extended attribute `name` has been removed; the inode's lock is held.
    fn inode_post_removexattr(dentry: &Dentry, name: &CStr)
        for (dentry: *mut bindings::dentry, name: *const kernel::ffi::c_char)
        => (Dentry::from_raw(dentry), CStr::from_char_ptr(name));

    /// The file that `dentry` of a stacked file system leads to is about to be copied to its upper
    /// layer.
    fn inode_copy_up(dentry: &Dentry) -> Result
        for (src: *mut bindings::dentry, new: *mut *mut bindings::cred)
        => (Dentry::from_raw(src));

    /// The superblock is being shut down: nobody but kernel code that has references of its own
    /// can reach its inodes any more. May sleep.
    fn sb_delete(superblock: &SuperBlock)
        for (sb: *mut bindings::super_block) => (SuperBlock::from_raw(sb));

    /// A file has been found and is about to be opened.
    fn file_open(file: &File) -> Result
        for (file: *mut bindings::file) => (File::from_raw(file));

    /// The last reference to an open file is gone.
    fn file_release(file: &File)
        for (file: *mut bindings::file) => (File::from_raw(file));
}

/// Initialises `L`: puts its hooks in place.
///
/// # Safety
///
/// Only to be called by the framework, through the `init` of the `lsm_info` of `L`.
#[link_section = ".init.text"]
pub(crate) unsafe extern "C" fn init<L: Lsm>() -> c_int {
    let state = L::state();
    // SAFETY: `security_init()` runs before there is a second task, so nobody else looks.
    let hooks = unsafe { &mut *state.hooks.get() };
    let count = fill_hooks::<L>(hooks);
    // SAFETY: The first `count` entries are filled, and they and the id are static.
    unsafe {
        bindings::security_add_hooks(hooks.as_mut_ptr(), count as c_int, state.id.get());
    }
    state.active.store(true, Release);
    0
}

/// Runs `L`'s initialisation at the time of file systems.
///
/// # Safety
///
/// Only to be called by the framework, through the `initcall_fs` of the `lsm_info` of `L`.
#[link_section = ".init.text"]
pub(crate) unsafe extern "C" fn init_fs<L: Lsm>() -> c_int {
    match L::init_fs() {
        Ok(()) => 0,
        Err(e) => e.to_errno(),
    }
}

/// The entry that the framework finds in section `.lsm_info.init`.
#[repr(transparent)]
pub(crate) struct LsmInfo(#[allow(dead_code)] UnsafeCell<bindings::lsm_info>);

// SAFETY: Written by the framework before there is more than one task.
unsafe impl Sync for LsmInfo {}

impl LsmInfo {
    /// The entry of `L`, whose statics are `state`.
    pub(crate) const fn new<L: Lsm>(state: &'static LsmState) -> Self {
        let mut info: bindings::lsm_info = pin_init::zeroed();
        info.id = state.id.get();
        info.blobs = state.blobs.get();
        info.init = Some(init::<L>);
        info.initcall_fs = Some(init_fs::<L>);
        Self(UnsafeCell::new(info))
    }
}

/// Declares the LSM of a crate: its [`Statics`], and the entry for the framework.
#[macro_export]
macro_rules! declare_lsm {
    ($lsm:ty) => {
        const _: () = {
            // Written at boot only, like `__ro_after_init` of C.
            #[link_section = ".data..ro_after_init"]
            static STATE: $crate::lsm::LsmState = $crate::lsm::LsmState::new::<$lsm>();

            #[used]
            #[link_section = ".lsm_info.init"]
            static LSM_INFO: $crate::lsm::LsmInfo = $crate::lsm::LsmInfo::new::<$lsm>(&STATE);

            // SAFETY: The state was made for this type, and `LSM_INFO` points to it.
            unsafe impl $crate::lsm::Statics for $lsm {
                fn state() -> &'static $crate::lsm::LsmState {
                    &STATE
                }
            }
        };
    };
}
