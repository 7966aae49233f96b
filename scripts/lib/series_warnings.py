#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Finds warnings about the files of a series in the log of a build.

    series_warnings.py TREE PATHS <LOG

PATHS is a file with a path in the kernel tree TREE on each line. Prints "PATH:
WARNING" for the warnings of compilers that are about one of them, and "modpost:
WARNING" for those of modpost that name the LSM; if there are any, it fails.

The pristine source has warnings, too, depending on the compiler: CONFIG_WERROR
would fail for those.
"""

import re
import sys

# Compilers of C: "file:line:column: warning: text". Rust's tells the file on
# one of the next lines, "   --> file:line:column".
C_WARNING = re.compile(r"(?P<path>[^\s:]+):\d+:(?:\d+:)? warning: ")
RUST_WARNING = re.compile(r"warning: |warning\[")
RUST_PLACE = re.compile(r"\s+--> (?P<path>[^\s:]+):\d+:\d+")
MODPOST = re.compile(r"WARNING: modpost: .*digest_cache")


def about(lines):
    """Yields the path and the line of each warning."""
    pending = None
    for line in lines:
        found = C_WARNING.match(line)
        place = RUST_PLACE.match(line)
        if found:
            yield found["path"], line
        elif MODPOST.match(line):
            yield "modpost", line
        elif RUST_WARNING.match(line):
            pending = line
        elif place and pending:
            yield place["path"], pending
            pending = None


def main():
    tree, paths = sys.argv[1:]
    with open(paths, encoding="utf-8") as file:
        ours = set(file.read().splitlines())
    bad = False
    lines = (line.rstrip("\n") for line in sys.stdin)
    for path, text in about(lines):
        path = path.removeprefix(tree + "/").removeprefix("./")
        if path in ours or path == "modpost":
            print(f"{path}: {text}")
            bad = True
    return 1 if bad else 0


if __name__ == "__main__":
    sys.stdin.reconfigure(errors="replace")
    sys.exit(main())
