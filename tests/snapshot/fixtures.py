#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The recorded machines themselves, and the two programs that make them: record and scrub."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import snap
from tap import Report

KIB_MAX = 600
RECORD, SCRUB, MAKE = (snap.FIXTURES / name for name in ("record", "scrub", "make-hostile"))


def call(*argv):
    """What is wrong with a run, and what it printed."""
    said = subprocess.run(
        [str(word) for word in argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
        check=False,
        timeout=60,
    )
    return [] if said.returncode == 0 else [f"exit {said.returncode}: {said.stdout[-600:]}"]


def files(top):
    return {
        path.relative_to(top): path.read_bytes()
        for path in sorted(top.rglob("*"))
        if path.is_file()
    }


def committed(report, fixture):
    top = snap.FIXTURES / fixture
    size = sum(len(raw) for raw in files(top).values()) // 1024
    report.check(f"{fixture}: small", [f"{size} KiB"] if size > KIB_MAX else None)
    report.check(
        f"{fixture}: says what it is", None if (top / "README.md").is_file() else "no README.md"
    )
    if fixture == snap.HOSTILE:
        with tempfile.TemporaryDirectory() as tmp:
            new = pathlib.Path(tmp) / "new"
            problems = call(MAKE, new)
            old, made = files(top), files(new)
            old.pop(pathlib.Path("README.md"), None)
            problems += [
                f"{name} is not what make-hostile writes"
                for name in sorted(set(old) | set(made))
                if old.get(name) != made.get(name)
            ]
        report.check(f"{fixture}: as make-hostile writes it", problems)
        return
    report.check(f"{fixture}: scrubbed", call(SCRUB, "--check", top))
    # What the lists of scrub may have let through.
    odd = re.compile(
        rb"/(?:home/(?!user/file\d)|root|opt|srv|mnt(?!/\d)|media|tmp)/|@[\w-]+\.|\x00"
    )
    report.check(
        f"{fixture}: names nobody",
        [f"{name}: {odd.search(raw)[0]}" for name, raw in files(top).items() if odd.search(raw)],
    )


SECRETS = ["alice", "wonderland", "secret", "payroll", "0badc0de", "1777", "tea-party"]


def private_machine(top):
    """A recording full of names that scrub has never heard of."""
    shutil.copytree(snap.FIXTURES / "guest-7", top)
    (top / "README.md").unlink()
    pid = snap.pid_named("guest-7", "shared")
    home = top / "proc" / str(pid)

    def edit(path, *changes):
        raw = path.read_bytes()
        for old, new in changes:
            if old not in raw:
                raise LookupError(f"{path} has no {old}")
            raw = raw.replace(old, new)
        path.write_bytes(raw)

    edit(home / "stat", (b"(shared)", b"(secretd) x)"))
    edit(
        home / "status",
        (b"Name:\tshared", b"Name:\tsecretd) x"),
        (b"Uid:\t0\t0\t0\t0", b"Uid:\t1777\t1777\t1777\t1777"),
        (b"Groups:\t", b"Groups:\t1777 1778 "),
    )
    for name in ("maps", "smaps"):
        edit(
            home / name,
            (b"/memfd:workload", b"/memfd:payroll"),
            (b"/workload\n", b"/home/alice/secretd\n"),
            (b"/usr/lib/x86_64-linux-gnu/libc.so.6", b"/opt/wonderland/lib/libsecret.so.6"),
        )
    edit(top / "vmtop-fixture", (b"+deb14-cloud-amd64", b"-wonderland-secret"))
    (top / "proc/sys/kernel/random/boot_id").write_text("0badc0de-0000-4000-8000-000000000001\n")
    with open(top / "etc/passwd", "a", encoding="utf-8") as file:
        file.write("alice:x:1777:1777:Alice of Wonderland:/home/alice:/bin/sh\n")
    with open(top / "proc/self/mountinfo", "a", encoding="utf-8") as file:
        file.write(
            "90 41 0:90 /secret /mnt/tea-party rw master:7 - tmpfs wonderland rw,uid=1777\n"
            "91 41 0:91 / /tea-party rw - nfs wonderland:/secret rw\n"
        )
    (home / "cmdline").write_bytes(b"secretd\0--password=tea-party\0")
    (home / "cwd").symlink_to("/home/alice/secret")
    (top / "proc/version").write_text("Linux (alice@wonderland)\n")
    return pid


def scrubbing(report):
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        pid = private_machine(top)
        before = {
            name: re.findall(rb"\d+ kB|^[0-9a-f]+-[0-9a-f]+", raw, re.M)
            for name, raw in files(top).items()
            if name.name in ("maps", "smaps", "status")
        }
        report.check(
            "scrub --check sees what is not scrubbed",
            None if call(SCRUB, "--check", top) else "it does not",
        )
        report.check("scrub runs", call(SCRUB, top))
        after = files(top)
        report.check(
            "no name is left",
            [
                f"{name}: {word}"
                for name, raw in after.items()
                for word in SECRETS
                if word.encode() in re.sub(rb"\b\d+ kB|[0-9a-f-]{12,}|\d{5,}", b"", raw)
                and (word != "1777" or name.name in ("status", "passwd", "mountinfo"))
            ],
        )
        report.check(
            "no link, no command line is left",
            [
                str(path)
                for path in top.rglob("*")
                if path.is_symlink() or path.name in ("cmdline", "cwd", "version")
            ],
        )
        report.check(
            "figures and places stay",
            [
                str(name)
                for name, found in before.items()
                if re.findall(rb"\d+ kB|^[0-9a-f]+-[0-9a-f]+", after[name], re.M) != found
            ],
        )
        report.check("another run changes nothing", call(SCRUB, "--check", top))
        rows = snap.document(top, "ps", "-p", str(pid))["data"]["processes"]
        report.check(
            "the same process has new names",
            []
            if (rows[0]["comm"], rows[0]["user"], rows[0]["uid"]) == ("program1", "user1000", 1000)
            else str(rows),
        )
        paths = {row["path"] for row in snap.document(top, "maps", str(pid))["data"]["maps"]}
        wanted = {"/memfd:file1 (deleted)", "/home/user/file1", "/home/user/file1.so"}
        report.check("the same name is the same everywhere", sorted(wanted - paths))


def recording(report, name, shell):
    """Records this very test, by one shell, and looks at it."""
    own = os.getpid()
    with tempfile.TemporaryDirectory() as tmp:
        top = pathlib.Path(tmp) / "machine"
        problems = call(*shell, RECORD, "-p", own, "-k", "2", top)
        report.check(f"record by {name}", problems)
        if problems:
            return
        found = files(top)
        pids = {
            path.parts[1] for path in found if path.parts[0] == "proc" and path.parts[1].isdigit()
        }
        report.check(
            f"record by {name}: the processes that were asked for",
            [] if str(own) in pids and len(pids) <= 3 else str(sorted(pids)),
        )
        private = [
            str(path) for path in found if path.name in ("cmdline", "environ", "auxv", "version")
        ]
        report.check(f"record by {name}: nothing private", private)
        report.check(
            f"record by {name}: users of these processes alone",
            [
                line
                for line in (top / "etc/passwd").read_text().splitlines()
                if not line.startswith(("root:", "nobody:")) and f":{os.geteuid()}:" not in line
            ],
        )
        host = snap.document(top, "ps")["host"]
        wanted = {
            "page_size_bytes": os.sysconf("SC_PAGESIZE"),
            "cpus": os.sysconf("SC_NPROCESSORS_ONLN"),
            "euid": os.geteuid(),
            "release": os.uname().release,
            "machine": os.uname().machine,
        }
        report.check(
            f"record by {name}: facts of the machine",
            [
                f"{key} is {host[key]}, not {value}"
                for key, value in wanted.items()
                if host[key] != value
            ],
        )
        rows = snap.document(top, "ps", "-p", str(own), "--pss")["data"]["processes"]
        start = int(pathlib.Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
        ticks = os.sysconf("SC_CLK_TCK")
        good = (
            len(rows) == 1
            and rows[0]["start_time_ns"] == start * 10**9 // ticks
            and rows[0]["pss_bytes"]
        )
        report.check(f"record by {name}: this process", [] if good else str(rows))
        report.check(
            f"record by {name}: scrub takes it", call(SCRUB, top) or call(SCRUB, "--check", top)
        )
        report.check(
            f"record by {name}: not over another one",
            [] if call(*shell, RECORD, top) else "it wrote over a recording",
        )


def main():
    report = Report()
    for fixture in snap.fixtures():
        committed(report, fixture)
    scrubbing(report)
    recording(report, "sh", ["sh"])
    busybox = shutil.which("busybox")
    if not busybox:
        report.skip("record by busybox", "no busybox")
    else:
        with tempfile.TemporaryDirectory() as tmp:
            # Its own tools as well, as in a guest.
            done = call(busybox, "--install", "-s", tmp)
            if done:
                report.skip("record by busybox", "it cannot install its tools")
            else:
                recording(report, "busybox", ["env", f"PATH={tmp}", busybox, "sh"])
    report.done()


if __name__ == "__main__":
    sys.exit(main())
