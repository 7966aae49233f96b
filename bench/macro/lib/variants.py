# SPDX-License-Identifier: GPL-2.0-only
"""The variants that are compared, and what each must have done to count.

All read the same files in the same order, with open, read and close. Policies
are about the benchmark's file system only, and about opening for reading.
"""

import dataclasses

MOUNT_POINT = "/mnt"  # guest/bench.h

# Rules, without the condition on the file system.
FILES = "func=FILE_CHECK mask=MAY_READ"
LISTS = "func=DIGEST_LIST_CHECK"
SIGNED = "appraise_type=imasig|modsig"
BY_LIST = "digest_cache=data"
# Measuring fewer files must not be in the PCR whose list is complete.
PCR = "pcr=12"


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way of checking the files."""

    name: str
    what: str
    image: str  # what the files carry: none, hash, signature, label
    rules: tuple = ()
    lists: str | None = None  # directory of lists that is the default path
    directory: bool = False  # the directory of lists is read as such
    in_order: bool = False  # lists before that of a file are loaded, too
    measured: str | None = None  # what is measured: files, lists

    @property
    def appraises(self):
        """Whether a tampered file must be refused."""
        return any(rule.startswith(f"appraise {FILES}") for rule in self.rules)

    @property
    def default_path(self):
        """Where the machine finds the digest lists."""
        return self.lists and f"{MOUNT_POINT}/lists/{self.lists}"

    def policy(self, fsuuid):
        """The IMA policy, a list of rules."""
        return [f"{rule} fsuuid={fsuuid}" for rule in self.rules]


APPRAISE_BY_LIST = f"appraise {FILES} {BY_LIST}"
APPRAISE_SIGNED_LISTS = (f"appraise {LISTS} {SIGNED}", APPRAISE_BY_LIST)

# Those that are compared with each other are beside each other: machines drift.
VARIANTS = (
    Variant("none", "no policy", "none"),
    Variant(
        "hash_only",
        "appraisal against a plain hash in security.ima: the floor of any appraisal",
        "hash",
        (f"appraise {FILES}",),
    ),
    Variant(
        "appraise_cache_hash",
        "appraisal by lists with a plain hash: the cost of the digest cache itself",
        "label",
        (f"appraise {LISTS}", APPRAISE_BY_LIST),
        "hash",
    ),
    Variant(
        "appraise_cache",
        "appraisal by signed lists that the files name",
        "label",
        APPRAISE_SIGNED_LISTS,
        "signed",
    ),
    Variant(
        "appraise_dir",
        "appraisal by signed lists, searched, since the files name none",
        "none",
        APPRAISE_SIGNED_LISTS,
        "signed",
        directory=True,
        in_order=True,
    ),
    Variant(
        "appraise_cache_prefetch",
        "appraisal by signed lists that the files name, with prefetching",
        "label",
        APPRAISE_SIGNED_LISTS,
        "prefetch",
        directory=True,
        in_order=True,
    ),
    Variant(
        "appraise_sig",
        "appraisal by a signature of each file",
        "signature",
        (f"appraise {FILES} appraise_type=imasig",),
    ),
    Variant(
        "measure",
        "measurement of each file",
        "none",
        (f"measure {FILES} {PCR}",),
        measured="files",
    ),
    Variant(
        "measure_cache",
        "measurement of the lists that the files name",
        "label",
        (f"measure {LISTS} {PCR}", f"measure {FILES} {BY_LIST} {PCR}"),
        "signed",
        measured="lists",
    ),
)


def rotated(variants, number):
    """The order in a round: each begins with another variant, and every second
    one goes backwards, so that none always comes after the same."""
    order = variants if number % 2 == 0 else variants[::-1]
    start = number % len(order)
    return order[start:] + order[:start]
