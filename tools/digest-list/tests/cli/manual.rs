// SPDX-License-Identifier: GPL-2.0-only
//! The manual page and the command line say the same.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory};
use digest_list::cli::Cli;

const MANUAL: &str = include_str!("../../../../Documentation/digest-list.1.md");

/// Options that clap adds to every command.
const GENERATED: [&str; 2] = ["help", "version"];

fn options_of(command: &Command, into: &mut BTreeSet<String>) {
    for argument in command.get_arguments() {
        if let Some(long) = argument.get_long() {
            into.insert(match argument.get_short() {
                Some(short) => format!("**-{short}**, **--{long}**"),
                None => format!("**--{long}**"),
            });
        }
    }
    command
        .get_subcommands()
        .for_each(|command| options_of(command, into));
}

#[test]
fn the_manual_has_every_option_as_it_is_spelt() {
    let mut options = BTreeSet::new();
    options_of(&Cli::command(), &mut options);
    assert!(options.len() > 20, "{options:?}");
    for option in options {
        let defined = MANUAL.lines().any(|line| {
            line.strip_prefix(option.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        assert!(defined, "{option} is not in the manual");
    }
}

#[test]
fn the_manual_has_no_option_that_does_not_exist() {
    let mut options = BTreeSet::new();
    options_of(&Cli::command(), &mut options);
    let known = |name: &str| {
        GENERATED.contains(&name)
            || options
                .iter()
                .any(|option| option.ends_with(&format!("**--{name}**")))
    };
    for (_, rest) in MANUAL
        .match_indices("--")
        .map(|(at, _)| MANUAL.split_at(at + 2))
    {
        let name: String = rest
            .chars()
            .take_while(|c| c.is_ascii_lowercase() || *c == '-')
            .collect();
        if !name.trim_matches('-').is_empty() {
            assert!(known(&name), "--{name} does not exist");
        }
    }
}

#[test]
fn the_manual_has_every_algorithm() {
    for algo in digest_list::hash::SUPPORTED {
        assert!(MANUAL.contains(algo.name()), "{}", algo.name());
    }
}
