# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings while they are written; needs zstd."""

import json
import os
import subprocess
import time


def output(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=False).stdout.splitlines()


def whole(lines):
    """Those that have been written to their end: a recorder is at work."""
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            pass


def samples(path):
    """The samples that are in the file by now, whole or not."""
    if not os.path.exists(path):
        return []
    return [line for line in whole(output("zstd", "-dcq", path)) if line["type"] == "sample"]


def after(path, job, wanted):
    """Waits for so many samples."""
    while job.poll() is None and len(samples(path)) < wanted:
        time.sleep(0.02)
