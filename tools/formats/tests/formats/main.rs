// SPDX-License-Identifier: GPL-2.0-only

//! Tests of the pure logic, of all formats in one program to link.

mod algo;
mod bytes;
mod htable;
mod index;
mod modsig;
mod name;
mod properties;
mod rpm;
mod rpm_fixtures;
mod tlv;
mod tlv_2024_04;
mod usual;
