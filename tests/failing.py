# SPDX-License-Identifier: GPL-2.0-or-later
"""vmtop with one call that fails: each way through the program to a call is tried once. What came of
it is either what comes of no failure, or says what is missing; see tests/live/fail-shim.c."""

import collections
import concurrent.futures
import json
import mmap
import os
import struct

import program

CALLS = 65536
HEAD = struct.Struct("4I")
# What every command does.
ALWAYS = {"open", "read", "alloc"}
TRIES = 5
# What tells a row of a table from the others.
IDENTITY = ("id", "pid", "start_time_ns", "start", "name", "path", "resource", "node", "zone", "role",
            "file", "order", "type", "address", "what")
# All ways to a call, however long that takes.
ALL = os.environ.get("VMTOP_SWEEP") == "all"

Run = collections.namedtuple("Run", "code out err calls failed files ways")


def run_failing(vmtop, shim, kind, nth, how, args, **more):
    """One run: the nth call of the kind fails, none where that is 0. Run."""
    log = os.memfd_create("vmtop-fail")
    try:
        size = HEAD.size + 8 * CALLS
        os.ftruncate(log, size)
        env = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "LD_PRELOAD": str(shim),
               "VMTOP_FAIL": f"{log} {kind} {nth} {how}", **more.pop("env", {})}
        # The library stands before that of the sanitizer, which minds.
        env["ASAN_OPTIONS"] = ":".join(
            [*filter(None, [env.get("ASAN_OPTIONS")]), "verify_asan_link_order=0"])
        said = program.run(*args, program=vmtop, env=env, pass_fds=[log], **more)
        with mmap.mmap(log, size, prot=mmap.PROT_READ) as data:
            calls, failed, files, _ = HEAD.unpack(data[:HEAD.size])
            at = HEAD.size
            ways = struct.unpack_from(f"{min(calls, CALLS)}Q", data, at)
        return Run(*said, calls, failed, files, ways)
    finally:
        os.close(log)


def late(out):
    """Whether a document says that a reader was not waited for any longer."""
    try:
        return bool(json.loads(out).get("scan", {}).get("timed_out"))
    except (ValueError, AttributeError):
        return False


def figures(value, where=""):
    """{path: leaf} where each row of a table stands under what it is, not where it stood."""
    if value in ({}, []):
        return {where: "empty"}
    if isinstance(value, dict):
        return {k: v for key, part in value.items() if not key.endswith("_ns")
                for k, v in figures(part, f"{where}.{key}").items()}
    if not isinstance(value, list):
        return {where: value}
    found, seen = {}, {}
    for i, part in enumerate(value):
        name = i
        if isinstance(part, dict):
            name = ",".join(f"{part[key]}" for key in IDENTITY
                            if isinstance(part.get(key), (str, int)))
        again = seen[name] = seen.get(name, 0) + 1
        found.update(figures(part, f"{where}[{name}{'' if again == 1 else f'#{again}'}]"))
    return found


def some(calls, most):
    """Of many, some evenly over all of them."""
    return calls if len(calls) <= most else [calls[i * len(calls) // most] for i in range(most)]


def places(ways, most, each=0, tried=None):
    """The first call of each way, from 1, that was not tried before, or some of them; and so many,
    each, of all calls where all ways are tried: one way may be a loop."""
    first = sorted({way: n for n, way in reversed(list(enumerate(ways, 1)))}.values())
    if tried is not None:
        first = [n for n in first if ways[n - 1] not in tried]
    if ALL:
        first = sorted({*first, *some(range(1, len(ways) + 1), each)})
    else:
        first = some(first, most)
    if tried is not None:
        tried.update(ways[n - 1] for n in first)
    return first


def hurt(run, whole, reports):
    """What is wrong with a run whatever it printed, as no failure of a call excuses it."""
    err = run.err.decode(errors="replace")
    for word in ("Sanitizer", "runtime error", "free():", "malloc():", "corrupted"):
        if word in err:
            return err[err.index(word):][:3000]
    if run.code is None:
        return "hangs"
    if run.code < 0 or run.code > 128:
        return f"killed: {run.code} {err[-300:]}"
    if run.code not in (program.OK, program.FAILED, program.NOTHING, program.DENIED):
        return f"exit {run.code}: {err[-300:]}"
    if run.files > whole.files:
        return f"{run.files} files are open at the end, not {whole.files}"
    if run.code != program.OK:
        said = run.err.splitlines(keepends=True)
        return program.one_line(said[-1] if reports and said else run.err)
    return None


def sweep(vmtop, shim, kind, how, args, judge, most, each=0, reports=False, live=False,
          wholes=None, tried=None, beside=2, **more):
    """(problems, number of runs): judge(run, whole) says what is wrong with the figures of a run
    that was not hurt, against one in which nothing failed. Where it reports, standard error is for
    that, and a complaint may follow it. What is live may have changed between the two: what is wrong
    with its figures is wrong each time. wholes keeps by kind the run in which nothing failed, for
    other failures of the same arguments, and tried is a set of ways that others tried. beside: runs
    at a time."""
    wholes = {} if wholes is None else wholes

    def unharmed():
        for _ in range(TRIES):
            run = run_failing(vmtop, shim, kind, 0, how, args, **more)
            # On a busy machine a reader may be waited for in vain, also where nothing fails.
            if not late(run.out):
                break
        return run

    whole = wholes[kind] = wholes.get(kind) or unharmed()
    if whole.code != program.OK:
        return [f"exit {whole.code} where nothing fails: {whole.err[-300:]!r}"], 1
    if not whole.calls and kind in ALWAYS:
        return [f"no call of {kind} was seen, of {shim}"], 1
    chosen = places(whole.ways, most, each, tried)
    failed = []

    def one(nth):
        # Where all are tried, there is no time to try many of them often.
        for _ in range(2 if ALL else TRIES):
            run = run_failing(vmtop, shim, kind, nth, how, args, **more)
            # On a busy machine a reader may not be done when the program ends; what is never closed
            # is open each time.
            if run.files <= whole.files:
                break
        failed.append(run.failed)
        problem = hurt(run, whole, reports)
        if not problem:
            problem = judge(run, whole)
            for _ in range(TRIES if live else 0):
                if not problem:
                    break
                run = run_failing(vmtop, shim, kind, nth, how, args, **more)
                problem = judge(run, unharmed())
        way = run.ways[nth - 1] if nth <= len(run.ways) else 0
        return problem and f"{kind} {nth} {how} way {way:x}: {problem}"

    with concurrent.futures.ThreadPoolExecutor(beside) as pool:
        problems = [problem for problem in pool.map(one, chosen) if problem]
    # Threads may take other ways in another run; that none is met is another thing.
    if chosen and not any(failed):
        problems.append(f"{kind} {how}: none of {len(chosen)} failed")
    return problems, len(chosen) + 1
