#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Judges the report of a machine that ran the selftest.

The report is what the program printed, in TAP, and then lines of the machine's
init about what the program left behind: "#@ NAME ok", "#@ NAME not ok: why",
and "#@ end" as the last one. Prints one line for each test and for each thing
that is wrong otherwise, then "N passed, N failed".

A test that was skipped has shown nothing. One that may be skipped is neither
passed nor failed; any other one has failed.
"""

import argparse
import pathlib
import re
import subprocess
import sys

TEST = re.compile(r"(not )?ok (\d+)(?:\s+-)?(?:\s+(.*))?$")
DIRECTIVE = re.compile(r"(?:^|\s)#\s*(SKIP|TODO|XFAIL)\b:?\s*(.*)$", re.IGNORECASE)
PLAN = re.compile(r"1\.\.(\d+)(?:\s*#.*)?$")
GUEST = re.compile(r"#@ (\S+) (ok|not ok: .*)$")


class Report:
    """What a report says, with everything in it that is against its form."""

    def __init__(self, lines):
        self.plan = None
        self.tests = []  # (passed, name, why it was skipped or None)
        self.guest = {}  # name of a check: None, or why it failed
        self.ended = False
        self.errors = []
        for line in lines:
            self._read(line.rstrip())
        if self.plan is None:
            self.errors.append("no plan says how many tests there are")
        elif len(self.tests) != self.plan:
            self.errors.append(f"{self.plan} tests were planned, {len(self.tests)} have a result")
        elif not self.plan:
            self.errors.append("no test was planned")
        names = [name for _, name, _ in self.tests]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.errors.append(f"{name}: has {names.count(name)} results")
        if not self.ended:
            self.errors.append("the report ends before the machine was done")

    def _read(self, line):
        if line.startswith("#@ "):
            self._read_guest(line)
        elif match := PLAN.match(line):
            if self.plan is not None:
                self.errors.append(f"a second plan: {line}")
            self.plan = int(match[1])
        elif match := TEST.match(line):
            self._read_test(match)
        elif line.startswith("Bail out!"):
            self.errors.append(line)
        # All else is for people: comments, and what tests are made of.

    def _read_test(self, match):
        number, name = int(match[2]), match[3] or ""
        if number != len(self.tests) + 1:
            self.errors.append(f"test {number} follows test {len(self.tests)}")
        passed, skipped = not match[1], None
        if directive := DIRECTIVE.search(name):
            name = name[:directive.start()].strip()
            if directive[1].upper() == "SKIP":
                skipped = directive[2] or "no reason given"
            else:
                # Expected to fail: that it did is no news, but no pass either.
                passed = False
        self.tests.append((passed, name or f"test {number}", skipped))

    def _read_guest(self, line):
        if self.ended:
            self.errors.append(f"more after the end: {line}")
        if line == "#@ end":
            self.ended = True
        elif match := GUEST.match(line):
            why = None if match[2] == "ok" else match[2].removeprefix("not ok: ")
            if match[1] in self.guest:
                self.errors.append(f"{match[1]}: checked twice")
            # What is wrong once stays wrong.
            self.guest[match[1]] = self.guest.get(match[1]) or why
        else:
            self.errors.append(f"not understood: {line}")


def allowed_skips(path):
    """The tests named in a file, if it exists: one a line, # begins a comment."""
    if not path or not pathlib.Path(path).exists():
        return []
    with open(path, encoding="utf-8") as file:
        lines = (line.split("#")[0].strip() for line in file)
        return [line for line in lines if line]


def judge(report, skips, guest_checks, some):
    """Yields (passed, text) for each test and check; passed is None for tests
    that were skipped and may be."""
    for passed, name, skipped in report.tests:
        if skipped is None:
            yield passed, name
        elif passed and name in skips:
            yield None, f"{name} # SKIP {skipped}"
        else:
            yield False, f"{name}: skipped: {skipped}"
    names = [name for _, name, _ in report.tests]
    for name in skips:
        # A list that is not kept up to date allows what nobody decided on.
        if name not in names and not some:
            yield False, f"{name}: may be skipped, but is not among the tests"
    for error in report.errors:
        yield False, error
    for name in guest_checks:
        if name not in report.guest:
            yield False, f"check afterwards: {name}: has not run"
    for name, why in report.guest.items():
        yield why is None, f"check afterwards: {name}" + (f": {why}" if why else "")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--skips", help="file with the names of tests that may be skipped")
    options.add_argument("--some", action="store_true", help="not all tests were asked for")
    options.add_argument("--guest-check", action="append", default=[],
                         help="a check of the machine's init that must have run")
    options.add_argument("--boot-status", type=int, default=0, help="how the machine ended")
    options.add_argument("--log", help="the kernel's log")
    options.add_argument("--check-log", help="program that says whether it is clean")
    options.add_argument("report")
    args = options.parse_args()

    with open(args.report, encoding="utf-8", errors="replace") as file:
        report = Report(file)
    results = list(judge(report, allowed_skips(args.skips), args.guest_check, args.some))
    if args.boot_status:
        results.append((False, f"the machine ended with status {args.boot_status}"))
    else:
        results.append((True, "the machine ended in good order"))
    if args.check_log:
        clean = subprocess.run([args.check_log, args.log], check=False).returncode == 0
        results.append((clean, "the kernel's log is clean"))

    number = 0
    for passed, text in results:
        if passed is None:
            print(f"# skipped, as it may be: {text}")
            continue
        number += 1
        print(f"{'ok' if passed else 'not ok'} {number} - {text}")
    passed = sum(1 for ok, _ in results if ok)
    print(f"{passed} passed, {number - passed} failed")
    return 0 if passed == number else 1


if __name__ == "__main__":
    sys.exit(main())
