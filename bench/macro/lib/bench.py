#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Measures all variants in rounds and writes the result; called by run."""

import argparse
import json
import os
import pathlib
import shutil
import sys
import time

import boot
import conditions
import ground
import summary
import variants


def arguments():
    """The command line; what run adds is not for people."""
    parser = argparse.ArgumentParser(prog="run")
    for name in ("kernel", "config", "image", "guest", "work"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="a small corpus and one round")
    parser.add_argument("--rounds", type=int, help="how many rounds, by default 5")
    parser.add_argument("--variants", type=chosen, default=variants.VARIANTS, help="some variants only")
    parser.add_argument("output", type=pathlib.Path, help="the JSON file to write")
    args = parser.parse_args()
    if args.rounds is None:
        args.rounds = 1 if args.quick else 5
    if args.rounds < 1:
        parser.error("--rounds: at least 1")
    if not args.output.parent.is_dir():
        parser.error(f"{args.output}: there is no directory {args.output.parent}")
    return args


def chosen(names):
    """The variants of a list of names."""
    known = {variant.name: variant for variant in variants.VARIANTS}
    try:
        return tuple(known[name] for name in names.split(","))
    except KeyError as error:
        raise argparse.ArgumentTypeError(f"unknown {error}, known are {', '.join(known)}") from error


def modes():
    """Sequential runs are pinned to a CPU: unpinned they are slow, and vary."""
    cpu = int(os.environ.get("BENCH_CPU", max(os.sched_getaffinity(0))))
    return (boot.Mode("sequential", 1, 1, cpu), boot.Mode("parallel", 2, 2, None))


def read_facts(path):
    """What is in the images; numbers as such."""
    facts = dict(line.split(" ", 1) for line in path.read_text().splitlines())
    return {name: int(value) if value.isdecimal() else value for name, value in facts.items()}


def keep(kernel, work):
    """A copy of the kernel, which may be built anew while machines run."""
    work.mkdir(parents=True, exist_ok=True)
    return pathlib.Path(shutil.copy(kernel, work / "linux"))


class Results:
    """Raw values, as they come."""

    def __init__(self, chosen_variants, fsuuid):
        self.kernel = None
        self.variants = {
            variant.name: {
                "what": variant.what,
                "files_carry": variant.image,
                "policy": variant.policy(fsuuid),
                "default_path": variant.default_path,
                **{figure: [] for figure in summary.FIGURES},
                "boots": [],
            }
            for variant in chosen_variants
        }

    def add(self, variant, mode, number, report, load):
        """What a machine reported. Its time is that of all passes but the discarded one."""
        self.kernel = report.kernel
        passes = [done for done in report.passes if done.number]
        raw = self.variants[variant.name]
        raw[f"{mode.name}_s"].append(round(sum(done.seconds for done in passes), 6))
        raw["slab_kb" if mode.name == "sequential" else "slab_parallel_kb"].append(passes[-1].after["slab_kb"])
        raw["boots"].append(
            {
                "round": number,
                "mode": mode.name,
                "load_average": load,
                "tampered_errno": report.tampered_errno,
                "passes": [
                    {
                        "number": done.number,
                        "discarded": not done.number,
                        "seconds": done.seconds,
                        "accesses": done.accesses,
                        "errors": done.errors,
                        "before": done.before,
                        "after": done.after,
                    }
                    for done in report.passes
                ],
            }
        )


def progress(text):
    """What goes on, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def say(text):
    """A line for people."""
    progress("")
    print(text, file=sys.stderr, flush=True)


def measure(args, machine, facts, ways):
    """All rounds. Stops at the first machine that did not do its work."""
    results = Results(args.variants, machine.fsuuid)
    total = args.rounds * len(ways) * len(args.variants)
    booted, start = 0, time.monotonic()
    for number in range(args.rounds):
        for mode in ways:
            for variant in variants.rotated(args.variants, number):
                booted += 1
                progress(f"round {number + 1}/{args.rounds}, {mode.name}, {variant.name} ({booted}/{total})")
                load = os.getloadavg()[0]
                try:
                    report = machine.boot(variant, mode)
                except boot.Failed as error:
                    raise SystemExit(f"run: {variant.name}, {mode.name}: {error}") from error
                problems = ground.check(variant, report, facts, boot.PASSES, mode.cpus)
                if problems:
                    lines = [f"  {problem}" for problem in problems]
                    raise SystemExit(
                        "\n".join([f"run: {variant.name}, {mode.name}: did not do what is to be measured:", *lines])
                    )
                results.add(variant, mode, number, report, load)
        say(f"round {number + 1} of {args.rounds}: done after {time.monotonic() - start:.0f} s")
    return results


def write(path, result):
    """The file appears complete or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(result, indent=1) + "\n")
    temporary.replace(path)


def main():
    """Measures and writes. SystemExit with a text is exit status 1."""
    args = arguments()
    config = args.config.read_text()
    problems = ground.check_config(config)
    if problems:
        raise SystemExit("\n".join(f"run: {problem}" for problem in problems))
    facts = read_facts(args.image / "facts")
    ways = modes()
    kernel = keep(args.kernel, args.work)
    machine = boot.Machine(
        kernel, args.guest, args.image, args.work, facts["fsuuid"], float(os.environ.get("BENCH_LIMIT", 1800))
    )
    known = conditions.gather(kernel, config, ways)
    results = measure(args, machine, facts, ways)
    known |= {
        "ended": conditions.now(),
        "kernel": results.kernel,
        "load_average_at_end": os.getloadavg(),
    }
    figures = summary.summarize(results.variants)
    notes = summary.warnings(figures, args.rounds)
    write(
        args.output,
        {
            "benchmark": "macro",
            "format": 1,
            "quick": args.quick,
            "rounds": args.rounds,
            "conditions": known,
            "corpus": facts,
            "variants": results.variants,
            "summary": figures,
            "warnings": notes,
        },
    )
    print("\n".join(summary.table(figures)))
    for note in notes:
        say(f"warning: {note}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
