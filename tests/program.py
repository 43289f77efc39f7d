# SPDX-License-Identifier: GPL-2.0-or-later
"""Running vmtop from a test: what one run printed and its exit code, with or without rights."""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from tap import VMTOP

NOBODY = 65534
Result = collections.namedtuple("Result", "code out err")

# Exit codes, the same in every command.
OK, FAILED, USAGE, NOTHING, DENIED, PARTIAL, TIMEOUT = 0, 1, 2, 3, 4, 5, 124


def run(*args, program=None, timeout=300, stdin=subprocess.DEVNULL, **more):
    """vmtop with these arguments; bytes in, bytes out. A run that hangs has the code None."""
    more.setdefault("stdout", subprocess.PIPE)
    more.setdefault("stderr", subprocess.PIPE)
    try:
        said = subprocess.run(
            [program or VMTOP, *args], stdin=stdin, timeout=timeout, check=False, **more
        )
    except subprocess.TimeoutExpired as late:
        return Result(None, late.stdout or b"", late.stderr or b"")
    return Result(said.returncode, said.stdout or b"", said.stderr or b"")


def loads(text):
    """A JSON document, read strictly: valid UTF-8, no key twice, no NaN."""

    def pairs(found):
        keys = [key for key, _ in found]
        if len(set(keys)) != len(keys):
            raise ValueError(f"a key twice: {keys}")
        return dict(found)

    def constant(word):
        raise ValueError(f"{word} is no JSON")

    return json.loads(text.decode("utf-8"), object_pairs_hook=pairs, parse_constant=constant)


def raw_controls(data):
    """Bytes that a terminal would obey, in what was printed."""
    return sorted(set(re.findall(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", data)))


def one_line(err):
    """What is wrong with a complaint: it is one line, of vmtop, with nothing for the terminal."""
    if not err.startswith(b"vmtop: "):
        return f"stderr is {err[:200]!r}"
    if err.count(b"\n") != 1 or not err.endswith(b"\n"):
        return f"not one line: {err[:400]!r}"
    if raw_controls(err):
        return f"raw control bytes: {err!r}"
    return None


def expect(result, code, quiet=True, complaint=False):
    """What differs from the wanted end of a run."""
    codes = code if isinstance(code, tuple) else (code,)
    if result.code is None:
        return "hangs"
    if result.code not in codes:
        return f"exit {result.code}, not {code}: {result.err[-600:].decode(errors='replace')}"
    if complaint:
        return one_line(result.err)
    if quiet and result.err:
        return f"stderr is {result.err[-400:]!r}"
    return None


def pages_without_frames(result):
    """What is wrong with pages that may be read without their frames: states are known, and no
    frame is, not even 0; and that is said."""
    problem = expect(result, OK, quiet=False)
    if problem:
        return problem
    document = loads(result.out)
    rows = document["data"]["pages"]
    problems = [
        f"{row['start']}: {key} is {row[key]!r}"
        for row in rows
        for key in ("pfn", "physical", "map_count", "page_flags", "zone", "node", "swap_type")
        if row[key] is not None
    ]
    if not any(row["state"] == "present" for row in rows):
        problems.append("no page is present")
    if not any("CAP_SYS_ADMIN" in str(error["hint"]) for error in document["errors"]):
        problems.append("nothing says why there are no frames")
    return problems


class Outsider:
    """A copy of the program that nobody can reach and run, for tests without rights."""

    def __init__(self, program=VMTOP):
        self.folder = tempfile.mkdtemp(prefix="vmtop-test-")
        os.chmod(self.folder, 0o755)
        self.program = str(pathlib.Path(self.folder) / "vmtop")
        shutil.copy(program, self.program)
        os.chmod(self.program, 0o755)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def run(self, *args, **more):
        command = [
            "setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups",
            "--inh-caps=-all", "--bounding-set=-all", self.program,
        ]
        return run(*command[1:], *args, program=command[0], cwd="/", **more)


def pack(path, *lines, head=None):
    """A recording of a header and these lines (objects, or text as it stands), in one frame."""
    head = {"type": "header", "schema": "vmtop.recording", "version": 2, "boot_id": "b",
            "interval_ns": 10**9, "host": {"page_size_bytes": 4096}, **(head or {})}
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n"
                   for line in (head, *lines))
    subprocess.run(["zstd", "-qf", "--check", "-o", path], input=text.encode(), check=True)


def moment(at, data, key=None, **more):
    """A sample for pack(), so many seconds after the boot; key: those of its key sample."""
    ns, at = 10**9, int(at)
    return {"type": "sample", "realtime_ns": (10**9 + at) * ns, "monotonic_ns": at * ns,
            "boottime_ns": at * ns, "key_ns": (at if key is None else key) * ns, "data": data,
            **more}


def commands():
    """The commands and their options, as vmtop itself lists them."""
    return loads(run("introspect").out)
