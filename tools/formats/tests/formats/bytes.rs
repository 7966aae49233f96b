// SPDX-License-Identifier: GPL-2.0-only

//! Builders of lists, well-formed or not, and what the tests look at in lists.

use std::convert::Infallible;

use digest_list_formats::parsers::{
    algo::{DigestType, HashAlgo},
    error::{Errno, Error, Kind},
    Entry, Format, List,
};

/// An entry with what it borrows from the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    pub algo: HashAlgo,
    pub digest_type: DigestType,
    pub digest: Vec<u8>,
    pub path: Option<String>,
}

impl From<Entry<'_>> for Owned {
    fn from(entry: Entry<'_>) -> Self {
        Self {
            algo: entry.algo,
            digest_type: entry.digest_type,
            digest: entry.digest.to_vec(),
            path: entry
                .path
                .map(|p| String::from_utf8([p.dir, p.base].concat()).unwrap()),
        }
    }
}

/// All entries of a list. Checks that a walk for digests only, which may take short cuts, gives the
/// same ones.
#[track_caller]
pub fn entries(list: &List<'_>) -> Vec<Owned> {
    let mut entries: Vec<Owned> = Vec::new();
    let Ok(()) = list.for_each(|entry| -> Result<(), Infallible> {
        entries.push(entry.into());
        Ok(())
    });
    let mut digests = Vec::new();
    let Ok(()) = list.for_each_digest(|entry| -> Result<(), Infallible> {
        digests.push((entry.algo, entry.digest_type, entry.digest.to_vec()));
        Ok(())
    });
    let of_entries = entries
        .iter()
        .map(|e| (e.algo, e.digest_type, e.digest.clone()));
    assert!(digests.into_iter().eq(of_entries));
    entries
}

/// All entries of a list that must be well-formed, and have counts that agree.
#[track_caller]
pub fn parse(format: Format, content: &[u8]) -> Vec<Owned> {
    let list = List::parse(format, content).unwrap();
    let entries = entries(&list);
    assert_counts_agree(&list, &entries);
    entries
}

/// Checks the counts of a list against its entries.
#[track_caller]
pub fn assert_counts_agree(list: &List<'_>, entries: &[Owned]) {
    let mut total = 0;
    for algo in HashAlgo::ALL {
        for digest_type in DigestType::ALL {
            let of_this = |e: &&Owned| e.algo == algo && e.digest_type == digest_type;
            let count = u32::try_from(entries.iter().filter(of_this).count()).unwrap();
            assert_eq!(list.counts().get(algo, digest_type), count);
            let listed = list
                .counts()
                .iter_nonzero()
                .find(|&(a, t, _)| (a, t) == (algo, digest_type));
            assert_eq!(listed.map_or(0, |(_, _, count)| count), count);
            total += u64::from(count);
        }
    }
    assert_eq!(list.counts().total(), total);
    assert!(entries
        .iter()
        .all(|e| e.digest.len() == e.algo.digest_size()));
}

/// Checks that a list is refused with this cause, found at this byte.
#[track_caller]
pub fn assert_refused(format: Format, content: &[u8], kind: Kind, offset: usize) {
    let error = List::parse(format, content).unwrap_err();
    assert_eq!(error, Error { kind, offset });
    assert!(offset <= content.len());
    assert_eq!(kind.errno(), Errno::BadMsg);
}

/// A digest that is easy to tell from others.
pub fn digest(algo: HashAlgo, fill: u8) -> Vec<u8> {
    vec![fill; algo.digest_size()]
}

/// A field of the current `tlv` form.
pub fn field(number: u16, value: &[u8]) -> Vec<u8> {
    let len = u32::try_from(value.len()).unwrap();
    [&number.to_be_bytes()[..], &len.to_be_bytes(), value].concat()
}

/// The fields of a list in the current `tlv` form.
pub fn algo(algo: HashAlgo) -> Vec<u8> {
    field(0, &u16::from(algo.raw()).to_be_bytes())
}

pub fn num_entries(num: u32) -> Vec<u8> {
    field(1, &num.to_be_bytes())
}

pub fn digest_type(raw: u16) -> Vec<u8> {
    field(3, &raw.to_be_bytes())
}

pub fn entry(digest: &[u8], path: Option<&str>) -> Vec<u8> {
    let path = path.map(|p| field(1, p.as_bytes())).unwrap_or_default();
    field(2, &[field(0, digest), path].concat())
}

/// A field of the `tlv` form of April 2024.
pub fn field_2024_04(number: u64, value: &[u8]) -> Vec<u8> {
    let len = u64::try_from(value.len()).unwrap();
    [&number.to_be_bytes()[..], &len.to_be_bytes(), value].concat()
}

/// The header of that form, with any values.
pub fn header_2024_04(data_type: u64, num: u64, reserved: u64, total: u64) -> Vec<u8> {
    [data_type, num, reserved, total]
        .map(u64::to_be_bytes)
        .concat()
}

/// A blob of that form.
pub fn blob_2024_04(data_type: u64, fields: &[Vec<u8>]) -> Vec<u8> {
    let data = fields.concat();
    let num = u64::try_from(fields.len()).unwrap();
    let total = u64::try_from(data.len()).unwrap();
    [header_2024_04(data_type, num, 0, total), data].concat()
}

/// The fields of a list in that form.
pub fn algo_2024_04(algo: HashAlgo) -> Vec<u8> {
    field_2024_04(0, &u64::from(algo.raw()).to_be_bytes())
}

pub fn entry_2024_04(digest: &[u8], path: Option<&str>) -> Vec<u8> {
    let mut fields = vec![field_2024_04(0, digest)];
    fields.extend(path.map(|p| field_2024_04(1, p.as_bytes())));
    field_2024_04(1, &blob_2024_04(0, &fields))
}

/// A tag of an RPM header.
#[derive(Clone, Debug)]
pub struct Tag {
    pub tag: u32,
    pub value_type: u32,
    pub count: u32,
    pub data: Vec<u8>,
}

pub const FILEMODES: u32 = 1030;
pub const FILEDIGESTS: u32 = 1035;
pub const DIRINDEXES: u32 = 1116;
pub const BASENAMES: u32 = 1117;
pub const DIRNAMES: u32 = 1118;
pub const FILEDIGESTALGO: u32 = 5011;

pub const BIN: u32 = 7;
pub const INT16: u32 = 3;
pub const INT32: u32 = 4;
pub const STRING_ARRAY: u32 = 8;

impl Tag {
    pub fn strings(tag: u32, strings: &[&str]) -> Self {
        Self {
            tag,
            value_type: STRING_ARRAY,
            count: u32::try_from(strings.len()).unwrap(),
            data: strings
                .iter()
                .flat_map(|s| [s.as_bytes(), b"\0"].concat())
                .collect(),
        }
    }

    pub fn int32(tag: u32, values: &[u32]) -> Self {
        Self {
            tag,
            value_type: INT32,
            count: u32::try_from(values.len()).unwrap(),
            data: values.iter().flat_map(|v| v.to_be_bytes()).collect(),
        }
    }

    pub fn int16(tag: u32, values: &[u16]) -> Self {
        Self {
            tag,
            value_type: INT16,
            count: u32::try_from(values.len()).unwrap(),
            data: values.iter().flat_map(|v| v.to_be_bytes()).collect(),
        }
    }
}

/// An RPM header with these entries (tag, type, offset, count) in its index.
pub fn rpm_raw(index: &[[u32; 4]], data: &[u8]) -> Vec<u8> {
    let mut header = vec![0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
    header.extend(u32::try_from(index.len()).unwrap().to_be_bytes());
    header.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
    header.extend(index.iter().flatten().flat_map(|n| n.to_be_bytes()));
    header.extend(data);
    header
}

/// An RPM header with these tags, their data aligned and in the same order.
pub fn rpm(tags: &[Tag]) -> Vec<u8> {
    let mut index = Vec::new();
    let mut data = Vec::new();
    for tag in tags {
        let align = match tag.value_type {
            INT16 => 2,
            INT32 => 4,
            _ => 1,
        };
        data.resize(usize::next_multiple_of(data.len(), align), 0);
        let offset = u32::try_from(data.len()).unwrap();
        index.push([tag.tag, tag.value_type, offset, tag.count]);
        data.extend(&tag.data);
    }
    rpm_raw(&index, &data)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
