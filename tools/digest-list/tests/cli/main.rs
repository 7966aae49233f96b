// SPDX-License-Identifier: GPL-2.0-only
//! The command as its users see it: arguments in, files, text, JSON and exit
//! status out.

mod bad_input;
mod common;
mod gen_dpkg;
mod gen_files;
mod label;
mod manual;
mod pcr;
mod show;
mod sign;
mod verify;
