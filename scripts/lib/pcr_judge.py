#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Judges what machines with a TPM report about IMA's measurements.

A report is what tests/guest/pcr/lib.sh says. Prints one line for each check,
"ok TEXT" or "not ok TEXT"; the exit status says only whether it could judge.

  predicted VALUE  every list of the directory is measured into PCR 12 once, in
                   the order of their numbers, and nothing else: all boots have
                   the predicted value
  unordered        every list is measured once, and nothing else, but in another
                   order each time: at least two boots have different values
  sequence         one boot: the lists in PCR 12 are in order, up to the last one
                   that was needed, and the files are those given with --other
  facts            one boot: the facts are those that are given, "NAME: TEXT"
  rules            one boot: the policy has these rules, in this order
"""

import argparse
import hashlib
import pathlib
import re
import sys
from collections import Counter, namedtuple

PCR = 12
# What a violation has instead of a digest; the TPM is given another value.
NO_DIGEST = "0" * 64

Entry = namedtuple("Entry", "pcr template_digest digest path")


class Malformed(Exception):
    """A report that cannot be judged."""


class Report:
    """What a machine reported."""

    def __init__(self, path):
        # The directory is called like the boot.
        self.name = path.parent.name
        self.facts = []
        self.policy = []
        self.entries = []
        self.value = None
        ended = False
        text = path.read_text(encoding="utf-8", errors="replace")
        for line in text.splitlines():
            if ended:
                raise Malformed(f"{self.name}: more after the end: {line}")
            what, _, rest = line.partition(" ")
            if line == "# end":
                ended = True
            elif what == "fact":
                self.facts.append(rest)
            elif what == "policy":
                self.policy.append(rest.strip())
            elif what == "measurement":
                self.entries.append(self._entry(rest))
            elif what == "pcr" and self.value is None and re.fullmatch("[0-9A-F]{64}", rest):
                self.value = rest.lower()
            else:
                raise Malformed(f"{self.name}: not understood: {line}")
        if not ended or self.value is None:
            raise Malformed(f"{self.name}: the report is not complete")

    def _entry(self, line):
        match = re.match(r" *(\d+) ([0-9a-f]{64}) \S+ (?:sha256:)?([0-9a-f]+) (\S+)", line)
        if not match:
            raise Malformed(f"{self.name}: not an entry of a measurement list: {line}")
        return Entry(int(match[1]), match[2], match[3], match[4])

    def of(self, pcr):
        return [entry for entry in self.entries if entry.pcr == pcr]

    def extended(self):
        """What PCR 12 is after its entries, as a TPM computes it."""
        value = bytes(32)
        for entry in self.of(PCR):
            digest = bytes.fromhex(entry.template_digest)
            if entry.template_digest == NO_DIGEST:
                digest = b"\xff" * 32
            value = hashlib.sha256(value + digest).digest()
        return value.hex()


def number(name):
    match = re.match(r"(\d+)-", name)
    if not match:
        raise Malformed(f"{name}: a list without a number")
    return int(match[1])


def lists_of(directory, kernel_path="/etc/digest_lists"):
    """(digest, path in the machine) of the lists of a directory, in order."""
    names = sorted((path.name for path in pathlib.Path(directory).iterdir()), key=number)
    if not names or len(set(map(number, names))) != len(names):
        raise Malformed(f"{directory}: no lists, or lists with the same number")
    return [(hashlib.sha256((pathlib.Path(directory) / name).read_bytes()).hexdigest(),
             f"{kernel_path}/{name}") for name in names]


def difference(seen, expected):
    """The first thing that is wrong with a sequence, or None."""
    for n, (one, other) in enumerate(zip(seen, expected), 1):
        if one != other:
            return f"entry {n} is {one[1]}, expected {other[1]}"
    if len(seen) != len(expected):
        return f"{len(seen)} entries, expected {len(expected)}"
    return None


def measured(report):
    return [(entry.digest, entry.path) for entry in report.of(PCR)]


def check_value(report):
    """The measurement list is what the TPM was extended with."""
    seen = report.extended()
    if seen == report.value:
        yield True, f"{report.name}: the measurement list leads to the TPM's value"
    else:
        yield False, (f"{report.name}: the measurement list leads to {seen},"
                      f" the TPM has {report.value}")


def in_words(paths):
    return ", ".join(paths) or "none"


def expectation(seen, expected):
    return "" if seen == expected else f"; expected: {in_words(expected)}"


def check_default_pcr(report, expected):
    seen = [entry.path for entry in report.of(10)]
    yield seen == expected, (f"{report.name}: PCR 10 has {in_words(seen)}"
                             + expectation(seen, expected))


def check_accesses(report):
    """All that was to be accessed was, and nothing else was reported."""
    seen = "; ".join(report.facts)
    done = re.fullmatch(r"workload: \d+ map, \d+ read, \d+ run", seen)
    yield done is not None, f"{report.name}: {seen or 'no workload'}"


def judge_predicted(reports, lists, prediction, default_pcr):
    for report in reports:
        yield from check_accesses(report)
        yield from check_default_pcr(report, default_pcr)
        wrong = difference(measured(report), lists)
        yield wrong is None, (f"{report.name}: {len(lists)} lists in PCR 12, each once, in order,"
                              " and nothing else" + (f": {wrong}" if wrong else ""))
        yield from check_value(report)
        if report.value == prediction:
            yield True, f"{report.name}: PCR 12 is as predicted: {report.value}"
        else:
            yield False, f"{report.name}: PCR 12 is {report.value}, predicted was {prediction}"
    if len(reports) > 1:
        values = len({report.value for report in reports})
        yield values == 1, (f"PCR 12 after {len(reports)} boots with prefetching:"
                            f" {values} value" + ("" if values == 1 else "s"))


def judge_unordered(reports, lists, default_pcr):
    for report in reports:
        yield from check_accesses(report)
        yield from check_default_pcr(report, default_pcr)
        seen, expected = Counter(measured(report)), Counter(lists)
        wrong = sorted({path for _, path in (seen - expected) + (expected - seen)})
        yield not wrong, (f"{report.name}: {len(lists)} lists in PCR 12, each once, and nothing"
                          " else" + (f": not so {wrong[0]}" if wrong else ""))
        yield from check_value(report)
    values = sorted({report.value for report in reports})
    yield len(values) > 1, (f"PCR 12 after {len(reports)} boots without prefetching:"
                            f" {len(values)} values: " + ", ".join(values))


def judge_sequence(report, lists, others, default_pcr):
    yield from check_default_pcr(report, default_pcr)
    seen = measured(report)
    seen_lists = [entry for entry in seen if entry in lists]
    seen_others = [path for digest, path in seen if (digest, path) not in lists]
    wrong = difference(seen_lists, lists[:len(seen_lists)])
    yield bool(seen_lists) and wrong is None, (
        f"{report.name}: lists in PCR 12, in order: {len(seen_lists)}"
        + (f", the last one is {seen_lists[-1][1]}" if seen_lists else "")
        + (f": {wrong}" if wrong else ""))
    yield seen_others == others, (f"{report.name}: files in PCR 12: {in_words(seen_others)}"
                                  + expectation(seen_others, others))
    yield from check_value(report)


def judge_facts(report, facts):
    for fact in facts:
        name = fact.partition(": ")[0]
        seen = [text for text in report.facts if text.partition(": ")[0] == name]
        if seen == [fact]:
            yield True, f"{report.name}: {fact}"
        else:
            yield False, f"{report.name}: {', '.join(seen) or name + ': not tried'}; expected {fact}"
    for text in report.facts:
        if text.partition(": ")[0] not in [fact.partition(": ")[0] for fact in facts]:
            yield False, f"{report.name}: not expected: {text}"


def judge_rules(report, rules):
    remaining = iter(report.policy)
    for rule in rules:
        # Takes what comes before the rule out of the iterator, and the rule.
        if rule not in remaining:
            where = "not at its place" if rule in report.policy else "not there"
            yield False, f"{report.name}: {where} in the policy: {rule}"
            return
    yield bool(rules), f"{report.name}: the policy has {len(rules)} rules in order: " + "; ".join(rules)


def main():
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lists", action="append", default=[],
                         help="directory of lists; those of a second one follow")
    options.add_argument("--other", action="append", default=[],
                         help="path of a file that is in PCR 12 itself")
    options.add_argument("--default-pcr", action="append", default=[],
                         help="what is in PCR 10")
    options.add_argument("--prediction", help="value")
    options.add_argument("--fact", action="append", default=[], help="NAME: TEXT")
    options.add_argument("--rule", action="append", default=[])
    options.add_argument("kind",
                         choices=["predicted", "unordered", "sequence", "facts", "rules"])
    options.add_argument("report", nargs="+", type=pathlib.Path)
    args = options.parse_args()

    try:
        lists = [entry for directory in args.lists for entry in lists_of(directory)]
        reports = [Report(path) for path in args.report]
        results = list({
            "predicted": lambda: judge_predicted(reports, lists, args.prediction, args.default_pcr),
            "unordered": lambda: judge_unordered(reports, lists, args.default_pcr),
            "sequence": lambda: judge_sequence(reports[0], lists, args.other, args.default_pcr),
            "facts": lambda: judge_facts(reports[0], args.fact),
            "rules": lambda: judge_rules(reports[0], args.rule),
        }[args.kind]())
    except (Malformed, OSError) as error:
        results = [(False, str(error))]
    for passed, text in results:
        print(("ok " if passed else "not ok ") + text)


if __name__ == "__main__":
    sys.exit(main())
