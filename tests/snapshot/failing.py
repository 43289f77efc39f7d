#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One call fails, of all that a look at a recorded machine makes: an open, a read, a listing, a
thread, an allocation. What vmtop then says is what it says where none fails, or less, with the
reason; or that it failed, in one line. A read that is interrupted or cut short is no failure.

VMTOP_SWEEP=all tries every way to a call; without, some of each kind, over all of them."""

import sys

import snap
import unknown
from tap import BUILD_DEV, TOP, VMTOP, Report

sys.path.insert(0, str(TOP / "tests"))
import failing  # noqa: E402
from failing import figures  # noqa: E402
from program import OK, loads  # noqa: E402

FIXTURE = "guest-6.12"
SHIM = BUILD_DEV / "tests" / "live" / "libfail-shim.so"
# The number of a user stands for a name that cannot be read; the start of the machine is no figure.
LENIENT = {"user", "boot_id"}
# How a row was read, and what its figures mean: these are for saying that something is missing.
WORDS = {"read_status", "quality", "why", "at_most", "unlimited"}
# Without what a cgroup below it keeps for itself, that counts as reclaimable, too.
WITHOUT_KEPT = {"reclaimable_bytes"}
# Sums over processes are of those that could be read.
SUMS = (".data.groups[", ".data.sharers[", ".data.files[", ".data.commit_parts[",
        ".data.checks[")
UNKNOWN = {"unknown_total", "pss_unknown_total", "unread_total"}
# Of a cgroup with a limit that is not known they are what those above it allow.
OF_LIMITS = {"available_bytes", "distance_bytes", "binds", "tightest", "tightest_limit_bytes",
             "tightest_current_bytes", "tightest_reclaimable_bytes"}
# What is left of a whole.
RESTS = (".data.parts[unaccounted]", ".data.shares[", ".data.commit_parts[rest]",
         ".data.commit_parts[estimated]", ".data.commit_parts[untouched]")

COMMANDS = [
    ["report", "-J", "--top", "1000"],
    ["ps", "-J", "--pss", "--kernel-threads"],
    ["maps", "--all", "-J"],
    ["maps", "--all", "-J", "--sharers"],
    ["ps", "-J", "--group", "comm", "--pss"],
    ["free", "-J", "--commit"],
    ["zones", "-J"],
    ["kernel", "-J"],
    ["cgroups", "-J", "--tree"],
    ["doctor", "-J", "--verify"],
]
EIO, EINTR, EAGAIN, ENOMEM, EACCES, EMFILE = 5, 4, 11, 12, 13, 24
KINDS = [
    ("open", EIO, 5), ("open", EACCES, 2), ("open", EMFILE, 2), ("read", EIO, 5),
    ("read", ENOMEM, 2), ("read", EINTR, 4), ("read", "short", 5), ("dir", EIO, 3),
    ("thread", EAGAIN, 1), ("alloc", ENOMEM, 6),
]
# Whatever is printed: memory may be short anywhere on the way.
PRINTED = [
    ["report", "--format", "html"], ["report", "--format", "svg"], ["metrics"], ["top", "-b", "-n", "1"],
    ["maps", "1"], ["ps", "--tree", "--csv"], ["free", "--cgroup", "/app.slice"], ["completion", "bash"],
]


def told(document):
    """Whether a document says that something is missing."""
    # What is not there at all, as on some kernels, is no failure.
    return bool(document["errors"]) or any(
        row["unread_total"] for row in document["data"].get("checks", [])
    ) or any(
        value for key, value in document.get("scan", {}).items() if key != "procs_seen"
    ) or any(source["status"] not in ("ok", "unused", "absent") for source in document["sources"])


def may_be(path, value, wanted):
    """Whether a figure may be this one, in place of the wanted one, where something is missing."""
    key = path.rpartition(".")[2]
    if value is None or key in WORDS | LENIENT | WITHOUT_KEPT | unknown.UNACCOUNTED or path.startswith(RESTS):
        return True
    if not path.startswith(SUMS):
        return False
    return key in UNKNOWN or isinstance(value, str) or (wanted is not None and value <= wanted)


def judge(run, whole):
    if run.code != OK:
        return None
    try:
        wanted, document = loads(whole.out), loads(run.out)
    except ValueError as error:
        return f"no document: {error}"
    want, have = figures(wanted["data"], ".data"), figures(document["data"], ".data")
    less = [path for path in want if path not in have]
    for path, value in have.items():
        # Where some of many are looked at, and one is missing, it is another one's turn.
        if path not in want or want[path] is None:
            if value not in (None, "empty") and path in want and path.startswith(SUMS):
                return f"{path} is {value!r}, and was unknown"
            continue
        if value == want[path]:
            continue
        # Without its own limit it has that of those above it, and says so.
        row, _, key = path.rpartition(".")
        if key in OF_LIMITS and have.get(f"{row}.at_most") is True:
            continue
        if not may_be(path, value, want[path]):
            return f"{path} is {value!r}, not {want[path]!r}: {document['errors']}"
        if path.rpartition(".")[2] not in LENIENT:
            less.append(path)
    if less and not told(document):
        return f"{len(less)} figures are missing, and nothing is said, the first {less[0]}"
    return None


def same(run, whole):
    """Of what failed for a moment, and was tried again, nothing is seen."""
    if run.code != OK:
        return f"exit {run.code}: {run.err[-300:]!r}"
    want, have = loads(whole.out), loads(run.out)
    # A machine with much to do may let a reader wait for longer than it is waited for.
    if have.get("scan", {}).get("timed_out"):
        return judge(run, whole)
    return None if figures(want["data"]) == figures(have["data"]) else \
        f"not the same: {have['errors']}"


def printed(run, whole):
    return None if run.code or run.out else "nothing, and exit 0"


def main():
    report = Report()
    for args in COMMANDS:
        problems, runs, wholes = [], 0, {}
        for kind, how, most in KINDS:
            found, n = failing.sweep(
                VMTOP, SHIM, kind, how, ["--root", FIXTURE, *args],
                same if how == EINTR else judge, most, wholes=wholes,
                cwd=snap.FIXTURES)
            problems += found
            runs += n
        print(f"# {' '.join(args)}: {runs} runs")
        report.check(f"one call fails: {' '.join(args)}", problems)
    for args in PRINTED:
        problems, _ = failing.sweep(VMTOP, SHIM, "alloc", ENOMEM, ["--root", FIXTURE, *args],
                                    printed, 10, cwd=snap.FIXTURES)
        report.check(f"one allocation fails: {' '.join(args)}", problems)
    report.done()


if __name__ == "__main__":
    main()
