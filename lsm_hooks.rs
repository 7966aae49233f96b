// SPDX-License-Identifier: GPL-2.0-only

//! The hooks of the digest cache: none decides anything, each tells a room below what happens.

use kernel::{prelude::*, str::CStr};

use crate::{
    blob,
    lsm::Hooks,
    reset::{copied_up, dentry_changed, dentry_moved, entries_changed, source_changed},
    resolve::{xattr_changed, XATTR_DIGEST_LIST, XATTR_DIG_PREFETCH},
    stats::Reason,
    vfs::{Dentry, File, Inode, SuperBlock},
    DigestCacheLsm,
};

/// An attribute of `dentry` has been set or removed.
fn post_xattr(dentry: &Dentry, name: &CStr) {
    let Some(inode) = dentry.inode() else {
        return;
    };
    if name == XATTR_DIGEST_LIST {
        xattr_changed(inode);
    } else if name == XATTR_DIG_PREFETCH {
        entries_changed(inode, Reason::Prefetch);
    } else if name.to_bytes().starts_with(b"security.") {
        // What a provider verifies a list by may be in it, and a list that it refused is not read
        // again until it is reset.
        source_changed(inode, Reason::Attribute);
    }
}

/// A writer opens or releases `file`.
fn writer(file: &File) {
    if file.opened_for_write() {
        if let Some(dentry) = file.dentry() {
            dentry_changed(dentry, Reason::Write);
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
        entries_changed(dir, Reason::Create);
        Ok(())
    }

    fn inode_link(target: &Dentry, dir: &Inode) -> Result {
        dentry_changed(target, Reason::Link);
        entries_changed(dir, Reason::Link);
        Ok(())
    }

    fn inode_unlink(dir: &Inode, victim: &Dentry) -> Result {
        dentry_moved(victim, Reason::Unlink);
        entries_changed(dir, Reason::Unlink);
        Ok(())
    }

    fn inode_symlink(dir: &Inode) -> Result {
        entries_changed(dir, Reason::Create);
        Ok(())
    }

    fn inode_mkdir(dir: &Inode) -> Result {
        entries_changed(dir, Reason::Create);
        Ok(())
    }

    fn inode_rmdir(dir: &Inode, victim: &Dentry) -> Result {
        dentry_moved(victim, Reason::Rmdir);
        entries_changed(dir, Reason::Rmdir);
        Ok(())
    }

    fn inode_mknod(dir: &Inode) -> Result {
        entries_changed(dir, Reason::Create);
        Ok(())
    }

    fn inode_rename(old_dir: &Inode, old: &Dentry, new_dir: &Inode, new: &Dentry) -> Result {
        dentry_moved(old, Reason::Rename);
        dentry_moved(new, Reason::Rename);
        entries_changed(old_dir, Reason::Rename);
        entries_changed(new_dir, Reason::Rename);
        Ok(())
    }

    fn inode_setattr(dentry: &Dentry, resize: bool) -> Result {
        if resize {
            dentry_changed(dentry, Reason::Truncate);
        }
        Ok(())
    }

    fn inode_post_setxattr(dentry: &Dentry, name: &CStr) {
        post_xattr(dentry, name);
    }

    fn inode_post_removexattr(dentry: &Dentry, name: &CStr) {
        post_xattr(dentry, name);
    }

    fn inode_copy_up(dentry: &Dentry) -> Result {
        copied_up(dentry);
        Ok(())
    }

    fn sb_delete(superblock: &SuperBlock) {
        blob::superblock_deleted(superblock);
    }

    fn file_open(file: &File) -> Result {
        writer(file);
        Ok(())
    }

    fn file_release(file: &File) {
        writer(file);
    }
}
