// SPDX-License-Identifier: GPL-2.0-only

//! Parses lists, makes tables of them and looks digests up, for a profiler to watch:
//!
//! ```text
//! cargo build --release -p digest-list-formats --example profile
//! perf record profile load rpm 100000
//! valgrind --tool=callgrind profile lookup tlv 1000000
//! ```
//!
//! Prints the time that each step took. The kernel's figures are those of `make bench`; these are
//! for finding out where time goes.

use std::{
    hint::black_box,
    process::exit,
    time::{Duration, Instant},
};

use digest_list_formats::{
    htable::{Counter, Geometry, Table},
    parsers::{Format, List},
};

/// The size of a SHA-256 digest.
const SIZE: usize = 32;

/// Bytes that look random (splitmix64).
fn digest(number: u64) -> [u8; SIZE] {
    let mut digest = [0; SIZE];
    for (word, part) in (0..).zip(digest.chunks_exact_mut(8)) {
        let mut x = (number * 4 + word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        part.copy_from_slice(&(x ^ (x >> 31)).to_be_bytes());
    }
    digest
}

fn field(list: &mut Vec<u8>, number: u16, value: &[u8]) {
    list.extend(number.to_be_bytes());
    list.extend((value.len() as u32).to_be_bytes());
    list.extend(value);
}

fn tlv(num: u64) -> Vec<u8> {
    let mut list = Vec::new();
    field(&mut list, 0, &4_u16.to_be_bytes());
    for number in 0..num {
        let mut entry = Vec::new();
        field(&mut entry, 0, &digest(number));
        field(&mut list, 2, &entry);
    }
    list
}

fn rpm(num: u64) -> Vec<u8> {
    let mut data = 8_u32.to_be_bytes().to_vec();
    for number in 0..num {
        data.extend(
            digest(number)
                .iter()
                .flat_map(|b| format!("{b:02x}").into_bytes()),
        );
        data.push(0);
    }
    let mut list = vec![0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
    let words = [2, data.len() as u32, 5011, 4, 0, 1, 1035, 8, 4, num as u32];
    list.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    list.extend(data);
    list
}

struct Memory {
    geometry: Geometry,
    digests: Vec<Vec<u8>>,
    offsets: Vec<u8>,
    len: usize,
}

/// The memory for so many digests.
fn pieces(geometry: &Geometry, num: usize) -> Vec<Vec<u8>> {
    let each = geometry.digests_per_piece();
    (0..num.div_ceil(each))
        .map(|piece| vec![0; (num - piece * each).min(each) * SIZE])
        .collect()
}

fn build(list: &List<'_>, num: usize) -> Memory {
    let geometry = Geometry::new(SIZE, num).unwrap();
    let mut digests = pieces(&geometry, num);
    let mut offsets = vec![0; geometry.offsets_len()];
    let mut counter = Counter::new(geometry, &mut digests, &mut offsets).unwrap();
    list.for_each_digest(|entry| counter.count(entry.digest))
        .unwrap();
    let mut placer = counter.into_placer().unwrap();
    list.for_each_digest(|entry| placer.place(entry.digest))
        .unwrap();
    let len = placer.finish().unwrap();
    Memory {
        geometry,
        digests,
        offsets,
        len,
    }
}

fn say(what: &str, time: Duration, num: u64) {
    println!("{what}: {:.1} ns each", time.as_nanos() as f64 / num as f64);
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (step, format, num) = match arguments[..] {
        [step @ ("load" | "lookup"), format, num] => (step, format, num.parse::<u64>()),
        _ => ("", "", Ok(0)),
    };
    let (Some(format), Ok(num @ 1..)) = (Format::from_name(format.as_bytes()), num) else {
        eprintln!("usage: profile load|lookup tlv|rpm NUMBER");
        exit(2);
    };
    let content = match format {
        Format::Tlv => tlv(num),
        Format::Rpm => rpm(num),
    };

    let rounds = (2_000_000 / num).clamp(1, 20_000);
    let (mut parsing, mut building) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..if step == "load" { rounds } else { 1 } {
        let start = Instant::now();
        let list = List::parse(format, &content).unwrap();
        parsing += start.elapsed();
        let start = Instant::now();
        black_box(build(&list, num as usize));
        building += start.elapsed();
    }
    if step == "load" {
        say("parse", parsing, num * rounds);
        say("build", building, num * rounds);
        return;
    }

    let memory = build(&List::parse(format, &content).unwrap(), num as usize);
    let table = Table::new(
        memory.geometry,
        &memory.digests,
        &memory.offsets,
        memory.len,
    )
    .unwrap();
    for (what, from) in [("hit", 0), ("miss", num)] {
        // In an order that has nothing to do with the list's.
        let wanted: Vec<_> = (0..num.max(100_000))
            .map(|i| digest(from + i.wrapping_mul(7_919) % num))
            .collect();
        let start = Instant::now();
        let found = wanted
            .iter()
            .filter(|digest| table.contains(*digest))
            .count();
        say(what, start.elapsed(), wanted.len() as u64);
        assert_eq!(found, if from == 0 { wanted.len() } else { 0 });
    }
}
