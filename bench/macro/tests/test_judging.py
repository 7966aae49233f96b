#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what judges the benchmark's machines, and of what sums them up."""

import errno
import pathlib
import sys
import unittest

# Nothing is written to the checkout.
sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

# pylint: disable=wrong-import-position
import ground
import report
import summary
import variants

FACTS = {"accesses": 200, "distinct_files": 120, "distinct_lists": 9, "lists_in_order": 10}
BY_NAME = {variant.name: variant for variant in variants.VARIANTS}


def text(variant, tampered, cpus=1, **changes):
    """What a machine reports that does its work, with changes to the last pass."""
    lines = [f"machine kernel=7.3.4 cpus={cpus}"]
    total = {}
    for number in range(3):
        lines.append(before_or_after("before", total))
        wanted = ground.expected(variant if number else None, FACTS)
        if number == 2:
            wanted |= {"measurements": 0} | {name: value for name, value in changes.items() if name in wanted}
        total = {name: total.get(name, 0) + value for name, value in wanted.items()}
        done = {"seconds": "1.5", "accesses": 200, "errors": 0, "errno": 0}
        if number == 2:
            done |= {name: value for name, value in changes.items() if name in done}
        lines.append(f"pass number={number} " + " ".join(f"{name}={value}" for name, value in done.items()))
        lines.append(before_or_after("after", total))
    return "\n".join([*lines, f"tampered errno={tampered}", "end", ""])


def before_or_after(kind, counts):
    """A line of evidence."""
    return " ".join([kind, "slab_kb=4000", *(f"{name}={value}" for name, value in counts.items())])


def problems(name, content, cpus=1):
    """What the judge says."""
    return ground.check(BY_NAME[name], report.parse(content), FACTS, 2, cpus)


class Ground(unittest.TestCase):
    """What was done, and what was not."""

    def good(self, name):
        """The report of a variant that did its work."""
        variant = BY_NAME[name]
        return text(variant, errno.EACCES if variant.appraises else 0)

    def test_every_variant_that_did_its_work_counts(self):
        for name in BY_NAME:
            self.assertEqual(problems(name, self.good(name)), [], name)

    def test_no_variant_passes_for_one_that_does_something_else(self):
        for name in BY_NAME:
            for other in BY_NAME:
                same = ground.expected(BY_NAME[name], FACTS) == ground.expected(BY_NAME[other], FACTS)
                if not (same and BY_NAME[name].appraises == BY_NAME[other].appraises):
                    self.assertNotEqual(problems(name, self.good(other)), [], f"{other} as {name}")

    def test_a_tampered_file_that_is_read_is_no_appraisal(self):
        content = text(BY_NAME["appraise_sig"], 0)
        self.assertEqual(problems("appraise_sig", content), ["the tampered file: read, expected was refused"])

    def test_each_thing_that_is_amiss_is_told(self):
        variant = BY_NAME["appraise_cache"]
        for change in (
            {"loads": 8},
            {"load_failures": 1},
            {"lookups": 119},
            {"hits": 121},
            {"misses": 1},
            {"measurements": 1},
            {"accesses": 199},
            {"errors": 1, "errno": 13},
        ):
            found = problems(variant.name, text(variant, errno.EACCES, **change))
            self.assertEqual(len(found), 1, (change, found))
            self.assertIn("pass 2", found[0])

    def test_two_processes_may_look_up_a_file_at_the_same_time(self):
        variant = BY_NAME["appraise_cache"]
        some_more = text(variant, errno.EACCES, 2, lookups=125, hits=125)
        self.assertEqual(problems(variant.name, some_more, 2), [])
        fewer = text(variant, errno.EACCES, 2, lookups=119)
        self.assertEqual(len(problems(variant.name, fewer, 2)), 1)

    def test_machine_must_have_its_cpus(self):
        self.assertEqual(len(problems("none", text(BY_NAME["none"], 0), cpus=2)), 1)

    def test_kernels_that_are_not_fit(self):
        fit = "CONFIG_SLUB=y\n# CONFIG_SLUB_TINY is not set\nCONFIG_KASAN_STACK=y\n"
        self.assertEqual(ground.check_config(fit), [])
        self.assertEqual(len(ground.check_config(fit + "CONFIG_SLUB_TINY=y\nCONFIG_KASAN=y\n")), 2)


class Report(unittest.TestCase):
    """Reports that are none."""

    def test_what_is_not_complete_or_not_understood(self):
        good = text(BY_NAME["none"], 0)
        report.parse(good)
        for bad in (
            "",
            good.replace("end\n", ""),
            good.replace("tampered errno=0\n", ""),
            good.replace("machine", "engine"),
            good.replace("errors=0", "errors=many"),
            good.replace("before", "", 1),
            good.replace("tampered", "fatal what=open path=/x errno=2\ntampered"),
        ):
            with self.assertRaises(report.Malformed):
                report.parse(bad)


class Variants(unittest.TestCase):
    """Policies and order."""

    def test_policies_are_about_the_disk_only(self):
        for variant in variants.VARIANTS:
            self.assertTrue(all(rule.endswith(" fsuuid=X") for rule in variant.policy("X")))
        self.assertEqual(BY_NAME["none"].policy("X"), [])

    def test_each_round_has_all_and_begins_with_another(self):
        rounds = [variants.rotated(variants.VARIANTS, number) for number in range(5)]
        for order in rounds:
            self.assertEqual(sorted(variant.name for variant in order), sorted(BY_NAME))
        self.assertEqual(len({order[0].name for order in rounds}), 5)


class Summary(unittest.TestCase):
    """Figures."""

    @staticmethod
    def raw(*values):
        """The same values for each figure."""
        return {figure: list(values) for figure in summary.FIGURES}

    def test_ratios_are_those_within_a_round(self):
        found = summary.summarize({"none": self.raw(1, 2, 4, 1, 2), "measure": self.raw(2, 4, 8, 3, 4)})
        self.assertEqual(found["measure"]["sequential_s"]["ratio_to"], {"none": 2})
        self.assertEqual(found["none"]["sequential_s"]["ratio_to"], {"measure": 0.5})
        self.assertEqual(found["measure"]["slab_kb"]["median"], 4)

    def test_what_does_not_compare_is_said(self):
        even = summary.summarize({"none": self.raw(10, 10, 11, 10, 10)})
        self.assertTrue(even["none"]["sequential_s"]["comparable"])
        self.assertEqual(summary.warnings(even, 5), [])
        wide = summary.summarize({"none": self.raw(10, 20, 5, 40, 10)})
        self.assertFalse(wide["none"]["sequential_s"]["comparable"])
        self.assertEqual(len(summary.warnings(wide, 5)), len(summary.FIGURES))
        few = summary.summarize({"none": self.raw(10)})
        self.assertIsNone(few["none"]["sequential_s"]["spread"])
        self.assertEqual(len(summary.warnings(few, 1)), 1)

    def test_a_table_without_the_reference_can_be_made(self):
        found = summary.summarize({"measure": self.raw(2, 3)})
        self.assertEqual(len(summary.table(found)), 2)


if __name__ == "__main__":
    unittest.main()
