# SPDX-License-Identifier: GPL-2.0-only
"""Reads what a machine reported (guest/report.c)."""

import dataclasses


class Malformed(Exception):
    """The report is not one of a machine that did its work."""


@dataclasses.dataclass(frozen=True)
class Pass:
    """One replay of the accesses."""

    number: int
    seconds: float
    accesses: int
    errors: int
    errno: int
    before: dict  # what the kernel had counted, by name
    after: dict

    def counted(self, name):
        """How often something happened meanwhile."""
        return self.after.get(name, 0) - self.before.get(name, 0)


@dataclasses.dataclass(frozen=True)
class Report:
    """What a machine did."""

    kernel: str
    cpus: int
    passes: tuple
    tampered_errno: int


def parse(text):
    """The report as a Report."""
    machine, tampered, ended = None, None, False
    passes, pending, before = [], None, None
    for line in text.split("\n"):
        kind, *words = line.split() or [""]
        values = dict(word.split("=", 1) for word in words if "=" in word)
        try:
            if kind == "machine":
                machine = values["kernel"], int(values["cpus"])
            elif kind == "before":
                before = _counts(values)
            elif kind == "pass":
                pending = values
            elif kind == "after":
                passes.append(_pass(pending, before, _counts(values)))
            elif kind == "tampered":
                tampered = int(values["errno"])
            elif kind == "fatal":
                what = f"{values['what']} {values['path']}: errno {values['errno']}"
                raise Malformed(f"the machine could not {what}")
            elif kind == "end":
                ended = True
            elif kind:
                raise Malformed(f"not understood: {line}")
        except (KeyError, TypeError, ValueError) as error:
            raise Malformed(f"not understood: {line}") from error
    if machine is None or tampered is None or not ended:
        raise Malformed("the report ends before the machine was done")
    return Report(*machine, tuple(passes), tampered)


def _counts(values):
    return {name: int(value) for name, value in values.items()}


def _pass(values, before, after):
    return Pass(
        int(values["number"]),
        float(values["seconds"]),
        int(values["accesses"]),
        int(values["errors"]),
        int(values["errno"]),
        dict(before),
        after,
    )
