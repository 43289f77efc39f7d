# SPDX-License-Identifier: GPL-2.0-or-later
"""For tests that watch the calls of vmtop: why strace cannot, and a process that maps a file."""

import mmap
import os
import shutil
import signal
import subprocess


def untraced():
    """Why strace cannot trace here, or None."""
    if not shutil.which("strace"):
        return "there is no strace here"
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, check=False)
    return f"strace cannot trace here: {tried.stderr[-100:]}" if tried.returncode else None


def victim(path):
    """A process that maps the file at path, and its number."""
    come, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with open(path, "r+b") as file:
                kept = mmap.mmap(file.fileno(), mmap.PAGESIZE)
            kept[0] = 1
            os.write(done, b"x")
            while True:
                signal.pause()
        finally:
            os._exit(1)
    os.close(done)
    if os.read(come, 1) != b"x":
        raise RuntimeError("the workload did not come up")
    os.close(come)
    return pid
