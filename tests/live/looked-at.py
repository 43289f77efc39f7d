#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One call fails, of all that a look at a live process or at files in the page cache makes. What
vmtop then says is what it says where none fails, or less, with the reason; or that it failed, in one
line. tests/snapshot/failing.py has those of a recorded machine, tests/live/failing.py the programs
in the kernel.

VMTOP_SWEEP=all tries every way to a call; without, some of each kind, over all of them.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import errno
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import failing  # noqa: E402
from failing import figures  # noqa: E402
from program import OK, loads, run  # noqa: E402
from tap import BUILD_DEV, Report  # noqa: E402

VMTOP = str(BUILD_DEV / "cmd" / "vmtop")
PROGRAM = BUILD_DEV / "tests" / "live" / "looked-at"
SHIM = BUILD_DEV / "tests" / "live" / "libfail-shim.so"
# Kind, error, how many are tried.
KINDS = [
    ("open", errno.EIO, 2), ("open", errno.EACCES, 1), ("open", errno.EMFILE, 1),
    ("open", errno.ENOENT, 1), ("read", errno.EIO, 2), ("read", errno.ESRCH, 1),
    ("read", errno.EINTR, 1), ("read", "short", 1), ("dir", errno.EIO, 1), ("stat", errno.EIO, 1),
    ("link", errno.ENOENT, 1), ("map", errno.ENOMEM, 1), ("ioctl", errno.EINVAL, 1),
    ("ask", errno.ENOSYS, 1), ("ask", errno.EPERM, 1), ("thread", errno.EAGAIN, 1),
    ("alloc", errno.ENOMEM, 3),
]
# How something was read, and what is not the look's: clocks, and sums over the machine.
NOT_LOOKED_AT = {"read_status", "quality", "why", "user", "age_s", "boot_id", "method",
                 "page_flags", "kpageflags", "note"}
MACHINE = re.compile(r"\.data\.(?:cache|system)\.|\[V1-churn|\[vdso\]|\[vvar")
# Of a kernel or of files that are not there: no failure, and nobody says so.
FORECAST = {"cached_unmapped_pages", "absent_pages", "minor_faults_left", "minor_faults_left_max",
            "major_faults_left", "major_faults_left_max"}
BY_CACHESTAT = {"dirty_bytes", "writeback_bytes", "evicted_bytes", "recently_evicted_bytes"}
MAY_LACK = {
    ("ioctl", errno.EINVAL): {"uffd_wp", "huge"},
    ("open", errno.ENOENT): {"maps_limit", "maps_percent", "sizes", *FORECAST, *BY_CACHESTAT},
    ("read", errno.ESRCH): {"maps_limit", "maps_percent"},
    ("ask", errno.ENOSYS): BY_CACHESTAT,
}
# Of checks and of memory that is shared by a fork as much as could be read; roles and runs of pages
# follow from what is known of them.
AT_MOST = (".data.checks[", ".data.cow[")
MAY_DIFFER = (".data.groups[", ".data.pages[")


def commands(pid, child, addresses, folder):
    pid = str(pid)
    return [
        ["maps", pid, "--forecast"],
        ["maps", pid, "--pss"],
        ["maps", pid, str(child), "--cow"],
        ["maps", pid, "--huge"],
        ["maps", pid, "--group", "role"],
        ["ps", "-p", f"{pid},{child}", "--pss"],
        ["pages", pid, "--pfn"],
        ["addr", pid, *addresses, "--pfn"],
        ["cache", f"{folder}/private"],
        ["cache", "--tree", folder],
        ["cache", "-p", pid],
        ["doctor", "--verify", pid],
    ]


def looked_at(said):
    """(document, figures) of a run."""
    document = loads(said.out)
    return document, {
        path: value for path, value in figures(document["data"], ".data").items()
        if not MACHINE.search(path) and path.rpartition(".")[2] not in NOT_LOOKED_AT
    }


def complaints(document):
    """What a document says of what is missing."""
    return (
        [{key: value for key, value in error.items() if key != "comm"} for error in document["errors"]],
        [(source["name"], source["status"], source["reason"], source["denied_total"])
         for source in document["sources"]],
        [value for key, value in document.get("scan", {}).items() if key != "procs_seen"],
        [document["data"].get("cache", {}).get("complete")],
        [row["read_status"] for row in document["data"].get("cached_files", [])],
        [(row["unread_total"], row["result"]) for row in document["data"].get("checks", [])
         if row["id"] != "V1-churn"],
    )


def may_be(path, value, wanted):
    """Whether a figure may be another than it was, where something could not be read."""
    if path.startswith(MAY_DIFFER):
        return True
    if not path.startswith(AT_MOST):
        return False
    return path.endswith((".unknown_bytes", ".exact", "_percent", ".unread_total")) or (
        path.endswith(".result") and value in ("not_checkable", wanted)
    ) or (not isinstance(value, str) and value <= wanted)


def judge_of(kind, how):
    """judge() of failing.sweep(), for such a failure."""
    lenient = MAY_LACK.get((kind, how), set())

    def judge(said, whole):
        if said.code != OK:
            return None
        try:
            document, have = looked_at(said)
        except ValueError as error:
            return f"no document: {error}"
        before, want = looked_at(whole)
        less = [path for path in want if have.get(path) is None and want[path] is not None and
                path.rpartition(".")[2] not in lenient]
        for path, value in have.items():
            if value is None or want.get(path) is None or value == want[path]:
                continue
            if not may_be(path, value, want[path]):
                return f"{path} is {value!r}, not {want[path]!r}: {document['errors']}"
            less.append(path)
        if less and complaints(document) == complaints(before):
            return f"{len(less)} figures are missing, and nothing is said, the first {less[0]}"
        return None

    return judge


def start(folder):
    made = subprocess.Popen([PROGRAM, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            text=True)
    lines = [made.stdout.readline().split() for _ in range(2)]
    ready = next((line for line in lines if line[:1] == ["ready"]), None)
    if not ready or ["child"] not in lines:
        raise RuntimeError("what is looked at did not come up")
    return made, int(ready[1]), ready[2:]


def main():
    report = Report()
    with tempfile.TemporaryDirectory(prefix="vmtop-looked-", dir="/var/tmp") as folder:
        made, child, addresses = start(folder)
        try:
            for args in commands(made.pid, child, addresses, folder):
                problems, runs, wholes = [], 0, {}
                name = " ".join(word for word in args if word[0] not in "/0123456789")
                said = run(*args, "-J", program=VMTOP)
                if said.code != OK:
                    report.skip(f"one call fails: {name}", f"not here: {said.err[-300:]!r}")
                    continue
                for kind, how, most in KINDS:
                    found, n = failing.sweep(VMTOP, SHIM, kind, how, [*args, "-J"],
                                             judge_of(kind, how), most, live=True, wholes=wholes)
                    problems += found
                    runs += n
                report.check(f"one call fails: {name}, {runs} runs", problems)
        finally:
            made.communicate()
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
