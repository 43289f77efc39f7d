#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Where /proc is not what it is elsewhere: gone, hidden, without the files of the machine, of
another PID namespace, or seen by a root that is none."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import DENIED, FAILED, NOBODY, OK, PARTIAL, Outsider, expect, loads, run  # noqa: E402
from tap import BUILD, Report  # noqa: E402

CANNOT = 77
AS_NOBODY = f"setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups "

HIDDEN = "hidden processes"

# Mounts stay private: where unshare cannot promise that, as in a chroot, it refuses.
# name, words of unshare, what the shell does first, what runs vmtop
PLACES = [
    ("no /proc", ["--mount"], "umount -l /proc", ""),
    ("another file system on /proc", ["--mount"], "mount -t tmpfs none /proc", ""),
    (HIDDEN, ["--mount"], "mount -t proc -o hidepid=invisible proc /proc", AS_NOBODY),
    ("only processes in /proc", ["--mount"], "mount -t proc -o subset=pid proc /proc", ""),
    ("a PID namespace", ["--mount", "--pid", "--fork"], "mount -t proc proc /proc", ""),
    ("a PID namespace that sees another /proc", ["--pid", "--fork"], "true", ""),
    ("root of a user namespace", ["--user", "--map-root-user"], "true", ""),
    ("no /sys", ["--mount"], "umount -l -R /sys || umount -l /sys", ""),
    ("no /etc/passwd", ["--mount"], "mount -t tmpfs none /etc", ""),
]


def inside(program, unshare, first, prefix, *args):
    """vmtop in a namespace that a shell prepared; the code CANNOT where it could not."""
    script = f"{{ {first}; }} 2>/dev/null || exit {CANNOT}; exec {prefix}\"$@\""
    return run(*unshare, "/bin/sh", "-c", script, "sh", program, *args, program="unshare",
               cwd="/", timeout=300)


def problem_of(result, args):
    """Any end is fine that is told: a document, one line that says why there is none, or both,
    where what the command is about is unknown and the document says so."""
    if result.code is None or result.code < 0 or result.code > 128:
        return f"exit {result.code}: {result.err[-400:]!r}"
    if result.out and "-J" in args:
        try:
            loads(result.out)
        except ValueError as broken:
            return f"broken JSON: {broken}"
    if result.code in (OK, PARTIAL):
        return None if result.out else "prints nothing"
    return expect(result, (FAILED, DENIED), complaint=True)


def silence_on_hidden(document):
    """A list that leaves out what cannot be seen has to say so."""
    pids = next(row for row in document["sources"] if row["name"] == "pids")
    if pids["status"] == "partial" and "hidepid" in pids["reason"]:
        return None
    return f"pids is {pids['status']}: {pids['reason']}"


def main():
    report = Report()
    if os.geteuid() != 0:
        report.skip("other places", "only root can make namespaces for certain")
        report.done()
    # The release build: sanitizers have something to say where there is no /proc.
    with Outsider(BUILD / "cmd" / "vmtop") as outsider:
        for name, unshare, first, prefix in PLACES:
            probe = inside("/bin/true", unshare, first, prefix)
            if probe.code != 0:
                why = probe.err.decode().strip() or f"exit {probe.code}"
                report.skip(name, f"cannot be made here: {why}")
                continue
            for args in (["free", "-J"], ["ps", "-J"], ["ps"], ["doctor"],
                         ["report", "-J", "--duration", "0.2"]):
                result = inside(outsider.program, unshare, first, prefix, *args)
                problem = problem_of(result, args)
                if not problem and name == HIDDEN and args == ["ps", "-J"]:
                    problem = silence_on_hidden(loads(result.out))
                report.check(f"{name}: {' '.join(args[:2])}", problem)

    report.done()


main()
