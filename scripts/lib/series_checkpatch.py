#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Judges what checkpatch.pl says about a series.

    series_checkpatch.py EXCEPTIONS <REPORT

The report has lines "PATCH: FILE:LINE: LEVEL:TYPE: MESSAGE", as checkpatch.pl
makes them with --terse --show-types --showfile behind the patch's name. A line
of EXCEPTIONS is "TYPE FILE-PATTERN MESSAGE-EXPRESSION"; the comment above it
must say why that is no reason to change the patch. Prints what no exception
explains, and exceptions that explain nothing; either is a failure.
"""

import fnmatch
import re
import sys

FINDING = re.compile(
    r"(?P<patch>\S+): (?P<file>\S*?):(?:\d+:)* (?:ERROR|WARNING|CHECK):(?P<type>\w+): (?P<message>.*)"
)


def read_exceptions(path):
    """Yields (line, type, file pattern, expression); dies on one without a reason."""
    reason = False
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if not line or line.startswith("#"):
                # The licence is no reason; nor is a comment further up.
                reason = bool(line) and "SPDX" not in line
                continue
            words = line.split(None, 2)
            if len(words) != 3:
                sys.exit(f"{path}: '{line}' is not TYPE FILE-PATTERN MESSAGE-EXPRESSION")
            if not reason:
                sys.exit(f"{path}: '{line}' has no reason above it")
            yield line, words[0], words[1], re.compile(words[2])


def main():
    exceptions = list(read_exceptions(sys.argv[1]))
    used = set()
    bad = 0
    for line in sys.stdin:
        line = line.rstrip("\n")
        found = FINDING.fullmatch(line)
        # What is not understood is not taken for good.
        explained = bool(found) and [
            text
            for text, kind, pattern, expression in exceptions
            if kind == found["type"]
            and fnmatch.fnmatchcase(found["file"], pattern)
            and expression.search(found["message"])
        ]
        if explained:
            used.update(explained)
        else:
            print(line)
            bad += 1
    for text, *_ in exceptions:
        if text not in used:
            print(f"an exception explains nothing: {text}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
