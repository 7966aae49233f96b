// SPDX-License-Identifier: GPL-2.0-only

//! The hooks of the digest cache: none decides anything, each tells a room below what happens.

use kernel::{prelude::*, str::CStr};

use crate::{
    blob,
    lsm::Hooks,
    reset::{dentry_changed, entries_changed},
    resolve::{xattr_changed, XATTR_DIGEST_LIST},
    vfs::{Dentry, File, Inode},
    DigestCacheLsm,
};

/// An attribute of `dentry` has been set or removed.
fn post_xattr(dentry: &Dentry, name: &CStr) {
    if name == XATTR_DIGEST_LIST {
        if let Some(inode) = dentry.inode() {
            xattr_changed(inode);
        }
    }
}

/// A writer opens or releases `file`.
fn writer(file: &File) {
    if file.opened_for_write() {
        if let Some(dentry) = file.dentry() {
            dentry_changed(dentry);
        }
    }
}

#[vtable]
impl Hooks for DigestCacheLsm {
    type OwnerModule = ();

    fn inode_free_security(inode: &Inode) {
        blob::inode_freed(inode);
    }

    fn inode_create(dir: &Inode) -> Result {
        entries_changed(dir);
        Ok(())
    }

    fn inode_link(_target: &Dentry, dir: &Inode) -> Result {
        entries_changed(dir);
        Ok(())
    }

    fn inode_unlink(dir: &Inode, victim: &Dentry) -> Result {
        dentry_changed(victim);
        entries_changed(dir);
        Ok(())
    }

    fn inode_symlink(dir: &Inode) -> Result {
        entries_changed(dir);
        Ok(())
    }

    fn inode_mkdir(dir: &Inode) -> Result {
        entries_changed(dir);
        Ok(())
    }

    fn inode_rmdir(dir: &Inode, victim: &Dentry) -> Result {
        dentry_changed(victim);
        if let Some(victim) = victim.inode() {
            entries_changed(victim);
        }
        entries_changed(dir);
        Ok(())
    }

    fn inode_mknod(dir: &Inode) -> Result {
        entries_changed(dir);
        Ok(())
    }

    fn inode_rename(old_dir: &Inode, old: &Dentry, new_dir: &Inode, new: &Dentry) -> Result {
        dentry_changed(old);
        dentry_changed(new);
        entries_changed(old_dir);
        entries_changed(new_dir);
        Ok(())
    }

    fn inode_setattr(dentry: &Dentry, resize: bool) -> Result {
        if resize {
            dentry_changed(dentry);
        }
        Ok(())
    }

    fn inode_post_setxattr(dentry: &Dentry, name: &CStr) {
        post_xattr(dentry, name);
    }

    fn inode_post_removexattr(dentry: &Dentry, name: &CStr) {
        post_xattr(dentry, name);
    }

    fn file_open(file: &File) -> Result {
        writer(file);
        Ok(())
    }

    fn file_release(file: &File) {
        writer(file);
    }
}
