#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Two hundred processes a second that live a moment: all of them are in the report of vmtop faults.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one. Each process
says by wait4() what it faulted; in the report it stands with its number and its name, the sum of
its rows and of what has none is what wait4() said, and the files that it mapped are named.
"""

import collections
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tap import BUILD, VMTOP, Report  # noqa: E402

RATE, SECONDS = 200, 5
PATIENCE_S = 120
TRIES = 5
CHURN = BUILD / "tests" / "live" / "churn"
# Columns of counts alone, which are counted a shorter way.
COUNTS = "pid,faults_total,kind,path,keys"


class Broken(Exception):
    """Something the test stands on does not work; str() says what."""


class Window:
    """A run of vmtop faults that counts from start() to the end."""

    def __init__(self, *args):
        self.child = subprocess.Popen(
            [VMTOP, "faults", "-J", "-v", "--duration", str(10 * PATIENCE_S), *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            # Whoever runs the tests in the background may have SIGINT ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        until, said = time.monotonic() + PATIENCE_S, b""
        while b"counting" not in said:
            left = until - time.monotonic()
            if left < 0 or not select.select([self.child.stderr], [], [], left)[0]:
                self.child.kill()
                raise Broken("vmtop does not come to count")
            more = os.read(self.child.stderr.fileno(), 4096)
            if not more:
                raise Broken(f"vmtop ended: {said.decode(errors='replace')}")
            said += more

    def end(self):
        self.child.send_signal(signal.SIGINT)
        out, err = self.child.communicate(timeout=PATIENCE_S)
        if self.child.returncode:
            raise Broken(f"exit {self.child.returncode}: {err.decode(errors='replace')}")
        return json.loads(out)


Life = collections.namedtuple("Life", "pid minor major pages execs comm")


def churn(folder):
    """The processes that lived, and how long that took."""
    done = subprocess.run(
        [CHURN, str(RATE), str(SECONDS), folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, check=False, timeout=PATIENCE_S,
    )
    if done.returncode:
        raise Broken(f"churn: exit {done.returncode}: {done.stderr}")
    lives = []
    for line in done.stdout.splitlines():
        *numbers, comm = line.split()
        lives.append(Life(*(int(number) for number in numbers), comm))
    return lives, int(done.stderr.split()[-2])


def some(problems):
    """As many as one reads."""
    return problems[:5] + ([f"and {len(problems) - 5} more"] if len(problems) > 5 else [])


def check(report, name, lives, took_ms, document, folder):
    rows, balance = collections.defaultdict(list), collections.defaultdict(list)
    for row in document["data"]["faults"]:
        rows[row["pid"]].append(row)
    for row in document["data"]["balance"]:
        balance[row["pid"]].append(row)
    # A machine that forks a lot comes to the same numbers again.
    users = collections.Counter(life.pid for life in lives)
    once = [life for life in lives if users[life.pid] == 1 and len(balance[life.pid]) < 2]
    report.check(f"{name}: {len(lives)} processes in {took_ms} ms",
                 [f"{len(once)} numbers of {len(lives)} processes"]
                 if len(once) < len(lives) * 0.9 or len(lives) != RATE * SECONDS else None)
    lives = once
    report.check(f"{name}: every process is in the report, by number and name", some(
        [f"{life} is {[row['comm'] for row in balance[life.pid]]}" for life in lives
         if [row["comm"] for row in balance[life.pid]] != [life.comm]]))
    wrong = []
    for life in lives:
        for row in balance[life.pid]:
            if (row["minor_faults_total"], row["major_faults_total"]) != (life.minor, life.major):
                wrong.append(f"{life}: {row}")
    report.check(f"{name}: minor and major faults of each are those of wait4()",
                 some(wrong))
    wrong = []
    for life in lives:
        mine = sum(row["faults_total"] for row in rows[life.pid])
        rest = sum(row["gup_faults_total"] + row["unattributed_faults_total"]
                   + row["dropped_faults_total"]
                   for row in balance[life.pid])
        if mine + rest != life.minor + life.major:
            wrong.append(f"{life}: {mine} in rows + {rest}")
    report.check(f"{name}: the rows of each, GUP and the rest add up to wait4()",
                 some(wrong))
    wrong = []
    for life in lives:
        names = {row["path"] for row in rows[life.pid]}
        most = max((row["faults_total"] for row in rows[life.pid] if row["kind"] == "anon"),
                   default=0)
        if not any(path.startswith(f"{folder}/churn-file-") for path in names):
            wrong.append(f"{life}: its file is not in {sorted(names)}")
        if life.execs and str(CHURN) not in names:
            wrong.append(f"{life}: its program is not in {sorted(names)}")
        if most < life.pages:
            wrong.append(f"{life}: {most} faults in the memory that it wrote to")
    report.check(f"{name}: files are named by their paths", some(wrong))
    total = document["probes"]
    keys = sum(row["keys"] for row in document["data"]["faults"])
    report.check(f"{name}: nothing is lost: {keys} rows by a table of "
                 f"{total['slots_total']}, {total['slots_used']} in use", [
        f"{key}: {total[key]}" for key in ("dropped", "lost") if total.get(key)
    ])


def window(folder, args):
    """The processes that lived, how long that took, and the report of all of the machine."""
    counts = Window(*args)
    try:
        lives, took_ms = churn(folder)
    finally:
        document = counts.end()
    return lives, took_ms, document


def crowded(lives, document):
    """Whether the table was too full for rows of their own, and of strangers for the most part: one
    that maps and unmaps without end fills it alone."""
    rows, mine = document["data"]["faults"], {life.pid for life in lives}
    others = sum(row["keys"] for row in rows if row["pid"] not in mine)
    return any(row["pid"] is None for row in rows) and \
        others > document["probes"]["slots_total"] / 2


def measure(report, name, *args):
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        try:
            for _ in range(TRIES):
                lives, took_ms, document = window(folder, args)
                if not crowded(lives, document):
                    break
        except (Broken, subprocess.TimeoutExpired) as e:
            report.check(name, str(e))
            return
        rung = document["probes"]["rung"]
        if rung not in ("fexit", "kprobe", "tracepoint"):
            report.skip(name, f"processes that ended are not on the rung {rung}")
        elif crowded(lives, document):
            report.skip(name, "the mappings of others fill the table")
        else:
            check(report, name, lives, took_ms, document, folder)


def main():
    report = Report()
    measure(report, "200 forks a second")
    measure(report, "200 forks a second, counts alone", "-o", COUNTS)
    sys.exit(1 if report.failed else 0)


main()
