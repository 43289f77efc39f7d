# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that the OOM killer takes, at the limit of a cgroup of their own."""

import subprocess

from tap import BUILD


class Victims:
    """cgroup is the last part of its name; without it, why says why there is none."""

    def __enter__(self):
        self.job = subprocess.Popen([BUILD / "tests" / "live" / "oom-kill", "--victims"],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = self.job.stdout.readline().strip()
        if not said:
            raise RuntimeError("oom-kill --victims said nothing")
        self.why = said.partition(" - ")[2] if said.startswith("skip ") else None
        self.cgroup = None if self.why else said
        return self

    def __exit__(self, *_):
        self.job.stdin.close()
        self.job.wait()
        self.job.stdout.close()

    def kill(self, n):
        """Their numbers, when they are dead."""
        self.job.stdin.write(f"{n}\n")
        self.job.stdin.flush()
        died = [int(pid) for pid in self.job.stdout.readline().split()]
        if len(died) != n:
            raise RuntimeError(f"{len(died)} were killed, not {n}")
        return died
