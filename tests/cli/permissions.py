#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What may be read with some rights and not with others, and a /proc that keeps things back: a
figure is there or it is unknown and said to be, whatever was guessed of the rights beforehand."""

import contextlib
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import (  # noqa: E402
    DENIED, FAILED, NOBODY, OK, Outsider, expect, loads, pages_without_frames, run,
)
from tap import BUILD, Report  # noqa: E402

CANNOT = 77
DROP = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]


def with_caps(caps):
    """nobody, with these capabilities and no others."""
    sets = ",".join(["-all", *(f"+{cap}" for cap in caps)])
    return [*DROP, f"--inh-caps={sets}", f"--ambient-caps={sets}", f"--bounding-set={sets}"]


@contextlib.contextmanager
def sleeper(prefix=()):
    """A process that stands still: of root, or of whom the prefix makes it."""
    child = subprocess.Popen([*prefix, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             cwd="/")
    try:
        # It answers: from here on its mappings stay.
        child.stdin.write(b"x")
        child.stdin.flush()
        child.stdout.read(1)
        yield child.pid
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


def run_as(prefix, program, *args):
    return run(*prefix[1:], program, *args, program=prefix[0], cwd="/")


def may_read(prefix, path):
    """Whether these rights are enough, by trying."""
    return run_as(prefix, "/usr/bin/head", "-c", "1", path).code == 0


def source(document, name):
    return next(row for row in document["sources"] if row["name"] == name)


def maps_known(result, pid):
    """What is wrong with a list of mappings that may be read."""
    problem = expect(result, OK, quiet=False)
    if problem:
        return problem
    rows = loads(result.out)["data"]["maps"]
    wanted = len(pathlib.Path(f"/proc/{pid}/maps").read_bytes().splitlines())
    problems = [] if len(rows) == wanted else [f"{len(rows)} mappings, not {wanted}"]
    problems += [f"{row['start']}: rss_bytes is null" for row in rows if row["rss_bytes"] is None]
    if not any(row["rss_bytes"] for row in rows):
        problems.append("nothing is resident")
    return problems


def plain_user(report, program, root_pid):
    with sleeper(DROP) as own:
        result = run_as(DROP, program, "maps", "-J", str(own))
        report.check("E01 a user without rights: own processes in full", maps_known(result, own))
        result = run_as(DROP, program, "ps", "-J", "-o", "pid,uid,rss,pss,read_status")
    problem = expect(result, OK, quiet=False)
    problems = [problem] if problem else []
    if not problem:
        document = loads(result.out)
        rows = {row["pid"]: row for row in document["data"]["processes"]}
        rollup = source(document, "smaps_rollup")
        denied = [row for row in rows.values() if row["read_status"] == "denied"]
        problems += [f"{row['pid']}: PSS is {row['pss_bytes']}" for row in denied
                     if row["pss_bytes"] is not None]
        if not rows[own]["pss_bytes"]:
            problems.append(f"PSS of an own process is {rows[own]['pss_bytes']}")
        if not rows[root_pid]["rss_bytes"] or rows[root_pid]["read_status"] != "denied":
            problems.append(f"the process of root is {rows[root_pid]}")
        if not denied or document["scan"]["denied"] != len(denied):
            problems.append(f"{len(denied)} denied, counted {document['scan']['denied']}")
        if rollup["status"] != "partial" or rollup["denied_total"] != len(denied):
            problems.append(f"smaps_rollup is {rollup['status']}, {rollup['denied_total']} denied")
    report.check("E01 a user without rights: of others what all may read, and how many are denied",
                 problems)


def ptrace_alone(report, program, pid):
    rights = with_caps(["sys_ptrace"])
    report.check("E02 CAP_SYS_PTRACE alone: mappings of root's process",
                 maps_known(run_as(rights, program, "maps", "-J", str(pid)), pid))
    if may_read(rights, f"/proc/{pid}/pagemap"):
        report.skip("E02 CAP_SYS_PTRACE alone: pagemap is refused", "this kernel does not refuse it")
        return
    # What pagemap would tell cheaply comes from smaps then.
    result = run_as(rights, program, "maps", "-J", "-o", "start,rss,swap", str(pid))
    report.check("E02 CAP_SYS_PTRACE alone: what is resident comes from smaps",
                 maps_known(result, pid))
    result = run_as(rights, program, "pages", str(pid))
    report.check("E02 CAP_SYS_PTRACE alone: pagemap is refused",
                 expect(result, DENIED, complaint=True)
                 or (f"stdout is {result.out[:200]!r}" if result.out else None))


def and_files(report, program, pid):
    rights = with_caps(["sys_ptrace", "dac_read_search"])
    report.check("E03 with CAP_DAC_READ_SEARCH: mappings of root's process",
                 maps_known(run_as(rights, program, "maps", "-J", str(pid)), pid))
    result = run_as(rights, program, "pages", "-J", "--pfn", str(pid))
    report.check("E03 E05 with CAP_DAC_READ_SEARCH: pages of root's process, all but their frames",
                 pages_without_frames(result))
    result = run_as(rights, program, "pages", "--pfn", str(pid))
    frames = re.findall(rb" present +(?:file|anon|shmem) +(\S+)", result.out)
    report.check("E05 no CAP_SYS_ADMIN: no text shows a frame",
                 expect(result, OK, quiet=False)
                 or ("no page is shown" if not frames else None)
                 or [f"frame {frame!r}" for frame in frames if frame != b"-"])


def one_alone(report, program, pid):
    """Newer kernels let CAP_PERFMON read what older ones do not (ptrace_may_access())."""
    for cap in ("perfmon", "sys_admin"):
        rights = with_caps([cap])
        allowed = may_read(rights, f"/proc/{pid}/maps")
        result = run_as(rights, program, "maps", "-J", str(pid))
        name = f"E04 CAP_{cap.upper()} alone: mappings are told where the kernel allows it"
        if allowed:
            report.check(name, maps_known(result, pid))
        else:
            report.check(name, expect(result, DENIED))


def in_namespaces(unshare, first, prefix, program, *args):
    """vmtop in namespaces that a shell prepared; the code CANNOT where it could not."""
    script = f"{{ {first}; }} 2>/dev/null || exit {CANNOT}; exec \"$@\""
    return run(*unshare, "/bin/sh", "-c", script, "sh", *prefix, program, *args, program="unshare",
               cwd="/")


def can(report, name, *place):
    """Whether such a place can be made here; a skip where not."""
    probe = in_namespaces(*place, "/bin/true")
    if probe.code != 0:
        report.skip(name, probe.err.decode().strip() or f"it ends with {probe.code}")
    return probe.code == 0


def hidden(report, program):
    for mode in ("1", "2", "4"):
        name = f"E06 hidepid={mode}: the report says that its view is limited"
        place = (["--mount"], f"mount -t proc -o hidepid={mode} proc /proc", DROP)
        if not can(report, name, *place):
            continue
        result = in_namespaces(*place, program, "ps", "-J")
        problem = expect(result, OK, quiet=False)
        problems = [problem] if problem else []
        if not problem:
            document = loads(result.out)
            pids = source(document, "pids")
            if pids["status"] != "partial" or "hidepid" not in pids["reason"]:
                problems.append(f"pids is {pids['status']}: {pids['reason']}")
            if any(row["user"] == "root" for row in document["data"]["processes"]):
                problems.append("processes of root are listed")
        text = in_namespaces(*place, program, "ps")
        if b"hidepid" not in text.out:
            problems.append("the text does not say it")
        report.check(name, problems)

    name = "E06 hidepid=2, with the group that it excepts: nothing is hidden, nothing said"
    place = (["--mount"], f"mount -t proc -o hidepid=2,gid={NOBODY} proc /proc", DROP)
    if can(report, name, *place):
        result = in_namespaces(*place, program, "ps", "-J")
        problem = expect(result, OK, quiet=False)
        if not problem:
            pids = source(loads(result.out), "pids")
            problem = None if pids["status"] == "ok" else f"pids is {pids['status']}"
        report.check(name, problem)


def processes_alone(report, program):
    name = "E07 subset=pid: processes are listed, and of the machine nothing is 0"
    place = (["--mount"], "mount -t proc -o subset=pid proc /proc", [])
    if not can(report, name, *place):
        return
    problems = []
    result = in_namespaces(*place, program, "free", "-J")
    problem = expect(result, FAILED, complaint=True)
    if problem:
        problems.append(problem)
    else:
        document = loads(result.out)
        # What zram devices hold is told by /sys.
        problems += [f"{key} is {value}" for key, value in document["data"]["system"].items()
                     if key.endswith("_bytes") and not key.startswith("zram_")
                     and value is not None]
        problems += [f"{word} is {source(document, word)['status']}" for word in
                     ("meminfo", "vmstat") if source(document, word)["status"] != "absent"]
    result = in_namespaces(*place, program, "ps", "-J")
    problem = expect(result, OK, quiet=False)
    if problem or not loads(result.out)["data"]["processes"]:
        problems.append(problem or "no process is listed")
    report.check(name, problems)


def children(pid):
    """Processes of that parent."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = path.read_bytes()
            if int(text[text.rindex(b")") + 2 :].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


def pid_namespace(report, program):
    name = "E08 a PID namespace: its own processes by its own numbers"
    place = (["--mount", "--pid", "--fork"], "mount -t proc proc /proc; sleep 100 & :", [])
    if not can(report, name, *place):
        return
    result = in_namespaces(*place, program, "ps", "-J", "-o", "pid,comm,rss,pss,nspid")
    problem = expect(result, OK, quiet=False)
    problems = [problem] if problem else []
    if not problem:
        document = loads(result.out)
        rows = {row["pid"]: row for row in document["data"]["processes"]}
        # The shell became vmtop, and its child becomes sleep.
        names = sorted(row["comm"] for row in rows.values())
        if names not in (["sleep", "vmtop"], ["sh", "vmtop"]):
            problems.append(f"there are {rows}")
        if 1 not in rows or rows[1]["comm"] != "vmtop" or not rows[1]["pss_bytes"]:
            problems.append(f"1 is {rows.get(1)}")
        if source(document, "pids")["status"] != "ok":
            problems.append(f"pids is {source(document, 'pids')}")
        if [row["ns_pid"] for row in rows.values()] != list(rows):
            problems.append(f"numbers of their own in {rows}")
        if "in_pid_namespace" not in [f["id"] for f in document["findings"]]:
            problems.append("it does not say so")
    report.check(name, problems)

    name = "E08 a container seen from outside: both of its numbers"
    child = subprocess.Popen(
        ["/usr/bin/unshare", "--pid", "--fork", "--kill-child", "/bin/sleep", "100"]
    )
    try:
        while not (inside := children(child.pid)):
            pass
        rows = loads(run("ps", "-J", "-p", f"{child.pid},{inside[0]}", "-o", "pid,nspid").out)
        said = sorted((row["pid"], row["ns_pid"]) for row in rows["data"]["processes"])
        found = [f["id"] for f in rows["findings"]]
    finally:
        child.kill()
        child.wait()
    outer = pathlib.Path("/proc/self/ns/pid").readlink().name == "pid:[4026531836]"
    wanted = sorted([(child.pid, child.pid), (inside[0], 1)])
    report.check(
        name,
        None
        if (said == wanted or not outer) and ("in_pid_namespace" in found) != outer
        else f"{said}, not {wanted}, {found}",
    )


def namespace_root(report, program, pid):
    name = "E09 root of a user namespace: what is refused is unknown, and no rights are promised"
    place = (["--user", "--map-root-user"], "true", [])
    if not can(report, name, *place):
        return
    # Without rights outside, or the new root is the old one.
    if in_namespaces(*place, "/usr/bin/head", "-c", "1", f"/proc/{pid}/maps").code == 0:
        report.skip(name, "the mappings of root's process may be read")
        return
    result = in_namespaces(*place, program, "maps", str(pid))
    problem = expect(result, DENIED, complaint=True)
    problems = [problem] if problem else []
    result = in_namespaces(*place, program, "ps", "-J", "-p", str(pid), "-o", "pid,rss,pss")
    problem = expect(result, OK, quiet=False)
    if problem:
        problems.append(problem)
    else:
        document = loads(result.out)
        (row,) = document["data"]["processes"]
        rollup = source(document, "smaps_rollup")
        if row["pss_bytes"] is not None or not row["rss_bytes"]:
            problems.append(f"the process is {row}")
        if rollup["status"] != "denied" or "namespace" not in rollup["reason"]:
            problems.append(f"smaps_rollup is {rollup['status']}: {rollup['reason']}")
    report.check(name, problems)


def main():
    report = Report()
    if os.geteuid() != 0:
        report.skip("rights and places", "only root can give them away")
        report.done()
    # The release build: what a sanitizer reads of /proc is not there in each of these places.
    with Outsider(BUILD / "cmd" / "vmtop") as outsider, sleeper() as pid:
        program = outsider.program
        plain_user(report, program, pid)
        ptrace_alone(report, program, pid)
        and_files(report, program, pid)
        one_alone(report, program, pid)
        hidden(report, program)
        processes_alone(report, program)
        pid_namespace(report, program)
        namespace_root(report, program, pid)
    report.done()


main()
