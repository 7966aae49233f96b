// SPDX-License-Identifier: GPL-2.0-only
//! Properties that hold for any input: what is written is what is read, and no
//! bytes whatever make a reader of databases or signatures panic.

use std::collections::BTreeSet;
use std::sync::Arc;

use digest_list::dpkg::{diversions::Diversions, md5sums, status};
use digest_list::hash::{Hasher, SUPPORTED};
use digest_list::list::{entry_path, ListFile};
use digest_list::output::Existing;
use digest_list::signature::cms::Message;
use digest_list::writer::{stage, FileEntry};
use digest_list_formats::parsers::algo::HashAlgo;
use proptest::prelude::*;

fn algos() -> impl Strategy<Value = Vec<HashAlgo>> {
    proptest::sample::subsequence(SUPPORTED.to_vec(), 1..=SUPPORTED.len()).prop_shuffle()
}

fn files() -> impl Strategy<Value = BTreeSet<Vec<u8>>> {
    proptest::collection::btree_set(proptest::collection::vec(any::<u8>(), 1..40), 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_what_is_read(algos in algos(), files in files()) {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let entries: Vec<_> = files
            .iter()
            .map(|path| {
                let mut hasher = Hasher::new(&algos).unwrap();
                hasher.update(path);
                FileEntry { path: path.clone(), digests: Arc::new(hasher.finish()) }
            })
            .collect();
        let staged = stage(dir.path(), "tlv-any", &algos, &entries).unwrap();
        let path = staged.publish(Existing::Keep).unwrap();
        let file = ListFile::read(&path).unwrap();
        let parsed = file.parse().unwrap();
        let mut found = Vec::new();
        parsed.list.for_each(|entry| {
            found.push((entry.algo, entry.digest.to_vec(), entry_path(&entry).unwrap()));
            Ok::<_, ()>(())
        }).unwrap();
        let expected: Vec<_> = algos
            .iter()
            .enumerate()
            .flat_map(|(i, &algo)| {
                entries.iter().map(move |e| (algo, e.digests[i].to_vec(), e.path.clone()))
            })
            .collect();
        prop_assert_eq!(found, expected);
    }
}

proptest! {
    #[test]
    fn readers_take_any_bytes(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = status::parse(&data);
        let _ = md5sums::parse(&data);
        let _ = Diversions::parse(&data);
        prop_assert!(Message::parse(&data).is_none());
    }

    /// Close to real stanzas, where the interesting paths are.
    #[test]
    fn the_status_reader_takes_any_text(
        text in "((Package|Status|Version|Conffiles|Architecture)?[: /a-z0-9\n]{0,12}\n){0,12}"
    ) {
        let _ = status::parse(text.as_bytes());
    }

    #[test]
    fn portions_do_not_change_a_digest(data in proptest::collection::vec(any::<u8>(), 0..600),
                                       at in any::<proptest::sample::Index>()) {
        let (left, right) = data.split_at(at.index(data.len() + 1));
        let mut portions = Hasher::new(&SUPPORTED).unwrap();
        portions.update(left);
        portions.update(right);
        let mut whole = Hasher::new(&SUPPORTED).unwrap();
        whole.update_from(&mut &data[..]).unwrap();
        prop_assert_eq!(portions.finish(), whole.finish());
    }
}
