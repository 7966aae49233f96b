# SPDX-License-Identifier: GPL-2.0-only
"""Whether a machine did the work that its times would stand for.

A benchmark of checks that do not check is quick. So the kernel's own counters
must say that each list was loaded and each file looked up, in every pass, from
empty caches; and a file that was tampered with must have been refused.
"""

import errno
import re

# What would be measured instead of the LSM, and why.
UNFIT = {
    "CONFIG_CC_OPTIMIZE_FOR_SIZE": "it is optimized for size",
    "CONFIG_SLUB_TINY": "its allocator is the smallest one",
    "CONFIG_KASAN": "it checks its memory accesses",
    "CONFIG_PROVE_LOCKING": "it checks its locking",
    "CONFIG_DEBUG_KMEMLEAK": "it looks for leaks",
}


def check_config(config):
    """What is wrong with the kernel's configuration, a text."""
    return [
        f"the kernel is not fit for measuring, {why} ({symbol}=y)"
        for symbol, why in UNFIT.items()
        if re.search(rf"^{symbol}=y$", config, re.MULTILINE)
    ]


def check(variant, report, facts, passes, cpus):
    """What is wrong with the report of a machine, a list of sentences."""
    problems = []

    def expect(what, value, wanted):
        if value != wanted:
            problems.append(f"{what}: {value}, expected was {wanted}")

    expect("CPUs of the machine", report.cpus, cpus)
    expect("passes", [done.number for done in report.passes], list(range(passes + 1)))
    for done in report.passes:
        where = f"pass {done.number}"
        expect(f"{where}: accesses", done.accesses, facts["accesses"])
        expect(f"{where}: errors (last errno {done.errno})", done.errors, 0)
        # The first one is before there is a policy.
        wanted = expected(variant, facts) if done.number else expected(None, facts)
        if done.number > 1:
            # What is in the list of measurements is not added again.
            wanted["measurements"] = 0
        for name, count in wanted.items():
            value = done.counted(name)
            if name in ("gets", "lookups", "hits") and cpus > 1 and count:
                # Two may come for the same file at the same time.
                if not count <= value <= 2 * count:
                    expect(f"{where}: {name}", value, f"{count} or a few more")
            else:
                expect(f"{where}: {name}", value, count)
    tampered = {0: "read", errno.EACCES: "refused"}.get(report.tampered_errno, f"errno {report.tampered_errno}")
    expect("the tampered file", tampered, "refused" if variant.appraises else "read")
    return problems


def expected(variant, facts):
    """What the kernel must count in a pass, by the names that it has for it."""
    loads = files = directories = measurements = 0
    if variant and variant.lists:
        loads = facts["lists_in_order" if variant.in_order else "distinct_lists"]
        files = facts["distinct_files"]
        directories = int(variant.directory)
    if variant and variant.measured:
        measurements = {"files": facts["distinct_files"], "lists": loads}[variant.measured]
    return {
        "loads": loads,
        "dir_loads": directories,
        "load_failures": 0,
        "lookups": files,
        "hits": files,
        "misses": 0,
        "measurements": measurements,
    }
