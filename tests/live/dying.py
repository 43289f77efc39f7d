# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that die when they are told to, or get a signal that they outlive."""

import subprocess
import sys

# Children that die one after the other, so many as a line says, of what it says.
WORKER = """if True:
    import ctypes, os, resource, signal, sys
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    def die(how):
        if how == "null":
            ctypes.string_at(8)
        elif how == "bus":
            os.kill(os.getpid(), signal.SIGBUS)
        elif how == "blocked":
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGBUS])
            os.kill(os.getpid(), signal.SIGBUS)
        elif how == "handled":
            signal.signal(signal.SIGSEGV, lambda *_: None)
            os.kill(os.getpid(), signal.SIGSEGV)
        else:
            os.kill(os.getpid(), signal.SIGTERM)
    print("ready", flush=True)
    for line in sys.stdin:
        n, how = line.split()
        pids = []
        for _ in range(int(n)):
            pid = os.fork()
            if not pid:
                die(how)
                os._exit(0)
            os.waitpid(pid, 0)
            pids.append(pid)
        print(*pids, flush=True)
"""


class Worker:
    """How: null, a read of the null page; bus, a SIGBUS; term, a SIGTERM; handled and blocked do not
    die of it."""

    def __enter__(self):
        self.job = subprocess.Popen([sys.executable, "-uc", WORKER], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)
        self.job.stdout.readline()
        return self

    def __exit__(self, *_):
        self.job.stdin.close()
        self.job.wait()
        self.job.stdout.close()

    def kill(self, n, how):
        """Their numbers."""
        self.job.stdin.write(f"{n} {how}\n")
        self.job.stdin.flush()
        return [int(pid) for pid in self.job.stdout.readline().split()]
