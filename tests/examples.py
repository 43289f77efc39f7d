# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that documents show are run, so that they keep working."""

import os
import pathlib
import re
import subprocess

from tap import VMTOP

LATE_S = 120
# What would go on until it is told to end; a command ends it.
ENDLESS = ("events", "faults", "record", "report")


def problem(line, folder, rights=True):
    """What is wrong with a command line, run in a folder; what it is piped into is not ours. 4711 stands
    for a process. rights: it needs no more than a user has."""
    env = dict(os.environ, PATH=f"{pathlib.Path(VMTOP).parent}:{os.environ['PATH']}")
    words = re.split(r" [|>] ", line)[0].replace("4711", str(os.getpid())).split()
    if len(words) > 1 and words[1] in ENDLESS and "--" not in words:
        words += ["--duration", "0.1"]
    if words[1:2] == ["replay"]:
        subprocess.run([VMTOP, "record", "-w", words[words.index("-r") + 1], "-n", "1"], env=env,
                       cwd=folder, check=True)
    said = subprocess.run(words, env=env, cwd=folder, stdout=subprocess.DEVNULL, timeout=LATE_S,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=False)
    # 4: a user without rights runs what is meant for root.
    # 3: at that time nothing was recorded.
    # 5: on a busy machine a process did not answer in time.
    good = {0, 5} | ({3} if "--begin" in words else set()) | (set() if rights else {4})
    return None if said.returncode in good else \
        f"{line}: exit {said.returncode}: {said.stderr.strip()}"
