#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults in a recording: those of a known workload to the unit, and the same when it is replayed."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from recorded import after, output, samples  # noqa: E402
from tap import VMTOP, Report  # noqa: E402

ROUNDS, PAGES = 3, 3000

# Maps as many pages as a line says, without huge ones, writes to each, and says where.
WORKER = """if True:
    import ctypes, mmap, sys
    kept = []
    print("ready", flush=True)
    for line in sys.stdin:
        n = int(line)
        area = mmap.mmap(-1, n * mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        try:
            area.madvise(15)
        except OSError:
            pass
        for i in range(n):
            area[i * mmap.PAGESIZE] = 1
        kept.append(area)
        print(hex(ctypes.addressof(ctypes.c_char.from_buffer(area))), flush=True)
"""


def faults_of(pid):
    """min_flt and maj_flt of /proc/PID/stat, together."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return int(stat[7]) + int(stat[9])


def rests(pid):
    """Waits until it sleeps in read(2): what it said before may have made it fault since."""
    def state():
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]

    while (now := state()) != "S":
        if now in "ZX":
            raise RuntimeError(f"process {pid} ended")


def record(path, worker):
    """The addresses that were written to, and how many faults the kernel counted meanwhile."""
    pid, where = worker.pid, []
    rests(pid)
    before = faults_of(pid)
    with subprocess.Popen([VMTOP, "record", "-w", path, "-d", "0.1", "--duration", "600",
                           f"--procs={pid}", "--maps", str(pid), "--faults"], stderr=subprocess.PIPE, text=True) as job:
        for _ in range(ROUNDS):
            after(path, job, len(samples(path)) + 1)
            worker.stdin.write(f"{PAGES}\n")
            worker.stdin.flush()
            where.append(worker.stdout.readline().strip())
        rests(pid)
        # One that was begun when all was written.
        after(path, job, len(samples(path)) + 2)
        counted = faults_of(pid) - before
        job.send_signal(2)
        said = job.stderr.read()
    return where, counted, said.strip() or (f"exit {job.returncode}" if job.returncode else "")


def sums(tables):
    """Faults by mapping and access, and those of the processes, of all samples together."""
    written, total = {}, 0
    for table in tables:
        for row in table.get("faults", []):
            at = row.get("start")
            if at:
                known = written.setdefault(at, [0, 0, 0])
                known[0] += row["faults_total"]
                known[1] += row.get("write_faults_total") or 0
                known[2] += row["kinds"]["zero_fill"] if row.get("kinds") else 0
        total += sum(row["kernel_faults_total"] for row in table.get("balance", []))
    return written, total


def main():
    report = Report()
    if not shutil.which("zstd"):
        report.skip("faults in a recording", "needs zstd")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.rec")
        with subprocess.Popen([sys.executable, "-uc", WORKER], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as worker:
            worker.stdout.readline()
            where, counted, problem = record(path, worker)
            worker.stdin.close()
        if problem or not (lines := samples(path)):
            report.check("faults are recorded", problem or "no sample")
            sys.exit(1)
        rung = lines[-1]["data"]["probe"][0]["rung"]
        report.check("every sample says how it was counted",
                     [line for line in lines if not line["data"].get("probe")])
        written, total = sums(line["data"] for line in lines)
        report.check(f"{rung}: the sums of a process are what the kernel counted",
                     f"{total}, and the kernel {counted}" if total != counted else None)
        name = f"{rung}: pages that were written to are faults of their mapping"
        if rung not in ("fexit", "kprobe", "tracepoint"):
            report.skip(name, "this rung does not tell mappings apart")
        else:
            # The kernel puts areas side by side into one mapping.
            have = sum(known[1] for known in written.values())
            zero = sum(known[2] for known in written.values())
            report.check(name, [f"{have} written of {ROUNDS * PAGES} at {where}"]
                         if not ROUNDS * PAGES <= have <= total else [])
            report.check(f"{rung}: kinds are told",
                         [f"{zero} of {have}"] if zero < ROUNDS * PAGES and rung != "tracepoint"
                         else [])
        again = [json.loads(line) for line in output(VMTOP, "replay", "-r", path, "--ndjson", "-q")]
        rows = [{"faults": [row for row in again if row["type"] == "fault"],
                 "balance": [row for row in again if row["type"] == "balance"]}]
        report.check("replay prints the same numbers",
                     [] if sums(rows) == (written, total) and rows[0]["balance"]
                     else [f"{sums(rows)} of {(written, total)}"])
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
