# SPDX-License-Identifier: GPL-2.0-or-later
"""A process that maps a file, for tests that watch which files are opened."""

import mmap
import os
import signal


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
