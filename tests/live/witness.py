# SPDX-License-Identifier: GPL-2.0-or-later
"""What vmtop said, beside the bytes that it had read.

Figures of a machine move while a test looks at them, and vmtop itself moves some: memory that it
takes for its own is gone again at the next reading. Two readings of a test around that of vmtop,
however often, prove nothing then. The bytes that vmtop was given do: shim.c keeps them.
"""

import os
import tempfile

from program import run
from tap import BUILD

SHIM = BUILD / "tests" / "live" / "libshim.so"


def pieces(kept):
    """(path, offset, bytes) of each reading, in its order; see shim.c."""
    at = 0
    while at < len(kept):
        end = kept.index(b"\n", at)
        length, offset, path = kept[at:end].split(b" ", 2)
        at = end + 1 + int(length)
        yield os.fsdecode(path), int(offset), kept[end + 1 : at]


def files(kept):
    """{path: [text of each time that it was read from its beginning to its end]}"""
    found = {}
    for path, offset, data in pieces(kept):
        if offset == 0:
            found.setdefault(path, []).append(b"")
        elif offset != len(found[path][-1]):
            raise RuntimeError(f"{path} is read at {offset}, behind {len(found[path][-1])} bytes")
        found[path][-1] += data
    return {path: [text.decode() for text in texts] for path, texts in found.items()}


def witness(prefix, *args, **more):
    """vmtop with these arguments, and the files with names of this prefix, as it had them."""
    with tempfile.TemporaryFile() as kept:
        # Each reading is appended, whatever thread makes it.
        fd = os.open(f"/proc/self/fd/{kept.fileno()}", os.O_WRONLY | os.O_APPEND)
        try:
            env = {**os.environ, "LD_PRELOAD": str(SHIM), "VMTOP_KEEP": f"{fd} {prefix}"}
            result = run(*args, env=env, pass_fds=[fd], **more)
        finally:
            os.close(fd)
        return result, files(kept.read())
