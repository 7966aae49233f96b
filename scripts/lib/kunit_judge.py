#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Judges the KUnit results in a kernel's log.

The kernel tree's own parser reads them (tools/testing/kunit); this adds what
it does not know: which suites must be there. Prints one line for each test
case and for each thing that is wrong otherwise, then "N passed, N failed".
"""

import argparse
import importlib
import subprocess
import sys


def expected_suites(path):
    """The suites named in a file: one a line, # begins a comment."""
    with open(path, encoding="utf-8") as file:
        lines = (line.split("#")[0].strip() for line in file)
        return [line for line in lines if line]


def leaves(test, prefix=""):
    """All test cases below a result, with their full names."""
    for sub in test.subtests:
        name = f"{prefix}{sub.name}"
        if sub.subtests:
            yield from leaves(sub, name + ".")
        else:
            yield name, sub


def judge(log_lines, suites, parser, printer):
    """Yields (passed, text) for each test case and each broken expectation."""
    result = parser.parse_run_tests(log_lines, printer)
    good = parser.TestStatus.SUCCESS
    ran = {}
    for suite in result.subtests:
        ran.setdefault(suite.name, []).append(suite)

    for suite in result.subtests:
        cases = list(leaves(suite, suite.name + "."))
        for name, case in cases:
            # A skipped test has shown nothing: it counts as failed.
            passed = case.status == good
            why = "" if passed else f": {case.status.name.lower()}"
            yield passed, name + why
        if cases and suite.status != good and all(c.status == good for _, c in cases):
            yield False, f"{suite.name}: {suite.status.name.lower()}"
        if suite.name not in suites:
            yield False, f"{suite.name}: not in the list of expected suites"

    for name in suites:
        if name not in ran:
            yield False, f"{name}: did not run"
        elif len(ran[name]) > 1:
            yield False, f"{name}: ran {len(ran[name])} times"
        elif not ran[name][0].subtests:
            yield False, f"{name}: has no tests"
    if not suites:
        yield False, "no suite is expected"
    # Plans that were not kept, numbers out of order and the like.
    if result.counts.errors:
        yield False, f"the results have {result.counts.errors} errors of form"


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--parser", required=True, help="tools/testing/kunit of the kernel tree")
    options.add_argument("--suites", required=True, help="file with the names of expected suites")
    options.add_argument("--check-log", help="program that says whether a log is clean")
    options.add_argument("--boot-status", type=int, default=0, help="how the boot ended")
    options.add_argument("log")
    args = options.parse_args()

    sys.dont_write_bytecode = True
    sys.path.insert(0, args.parser)
    parser = importlib.import_module("kunit_parser")
    printer = importlib.import_module("kunit_printer").Printer(print=False)

    with open(args.log, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    results = list(judge(lines, expected_suites(args.suites), parser, printer))
    if args.boot_status:
        results.append((False, f"the machine ended with status {args.boot_status}"))
    else:
        results.append((True, "the machine ended in good order"))
    if args.check_log:
        clean = subprocess.run([args.check_log, args.log], check=False).returncode == 0
        results.append((clean, "the kernel's log is clean"))

    for number, (passed, text) in enumerate(results, 1):
        print(f"{'ok' if passed else 'not ok'} {number} - {text}")
    passed = sum(1 for ok, _ in results if ok)
    print(f"{passed} passed, {len(results) - passed} failed")
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
