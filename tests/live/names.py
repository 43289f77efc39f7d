#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that a process may choose, through every command and in every form of output: the hostile
cases B01 to B14.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import base64
import collections
import csv
import ctypes
import io
import mmap
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import unicodedata

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from program import OK, Outsider, expect, loads, run  # noqa: E402
from tap import VMTOP, Report  # noqa: E402

PR_SET_NAME = 15
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                      ctypes.c_long]

ESCAPES = b"red \x1b[31m bell \x07 osc \x1b]0;owned\x1b\\ del \x7f c1 \xc2\x9b2J \x9b2J cr \r x"
BROKEN = b"cut \xe2\x82 overlong \xc0\xaf surrogate \xed\xa0\x80 high \xf4\x90\x80\x80 \xff"
TURNED = "gpj \u202eexe\u202c \u2066x\u2069 zero\u200b\ufeff line\u2028 non\ufffe".encode()
MARKS = "z".encode() + "\u0301".encode() * 120
BLANKS = b" lead\tand,\"quotes\";'trail "
NO_MOUNTS = 99  # exit code of a child that could not have a mount namespace
FORMAT = b"%n%s%999999999d%1$*2$x$(id)`id`"
FILES = {
    "B03": [ESCAPES],
    "B04": [BROKEN],
    "B05": [TURNED, MARKS],
    "B06": [b"nl\nx", b"nl\\012x"],
    "B09": [BLANKS, b"=cmd|' C calc'!A0"],
    "B10": [b"[heap]", b"[stack]", b"SYSV00000000 (deleted)", b"memfd:x (deleted)",
            b"zero (deleted)", b"anon_inode:[perf_event]"],
    "B14": [FORMAT],
}
COMMS = {
    "B01": [b"a) R 1\n\x1b[2J \xff", b"x) Z 0 0 0 0", b"\n\n) D 1 1"],
    "B02": [b")" * 15, b"", b"(((((", b" "],
    "B03": [b"\x1b]0;own\x07", b"\xc2\x9b2J\r\x7f"],
    "B04": [b"\xed\xa0\x80\xc0\xaf\xff", "ab\u65e5".encode() + b"\xe6\x97"],
    "B05": ["\u202egnp\u200b".encode(), b"o" + "\u0301".encode() * 7,
            "\u65e5\u672c\u8a9e".encode()],
    "B09": [b"=cmd|'x'!A0", b"-1+1,\"a\";b", b"\tx,y"],
    "B14": [b"%n%s%99999d"],
}
FORMS = {
    "text": [], "raw": ["--raw"], "csv": ["--csv"], "json": ["-J"], "ndjson": ["--ndjson"],
}


def start(work):
    """A process that does its work and waits for its end; work(ready) calls ready() once."""
    come, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(come)
            work(lambda: os.write(done, b"x"))
            while True:
                signal.pause()
        except OSError as why:
            print(f"# {why}", flush=True)
        finally:
            os._exit(1)
    os.close(done)
    came = os.read(come, 1)
    os.close(come)
    if came != b"x":
        raise RuntimeError("the workload did not come up")
    return pid


def end(pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def rename(comm):
    if libc.prctl(PR_SET_NAME, ctypes.c_char_p(comm), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def map_fd(fd, touched=True):
    at = libc.mmap(None, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, fd, 0)
    if at in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "mmap")
    if touched:
        ctypes.memset(at, 1, 1)
    return at


def map_file(path, dir_fd=None):
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600, dir_fd=dir_fd)
    os.ftruncate(fd, mmap.PAGESIZE)
    at = map_fd(fd)
    os.close(fd)
    return at


def raw(row, key):
    """The bytes of a string in JSON, whether they are text or not."""
    coded = row.get(key + "_b64")
    return base64.b64decode(coded) if coded is not None else (row[key] or "").encode()


def unsafe(out, form, locale):
    """What a terminal would obey, or what is no text in the locale."""
    if form == "csv":
        out = out.replace(b"\r\n", b"\n")
    bad = sorted(set(re.findall(rb"[\x00-\x09\x0b-\x1f\x7f]", out)))
    if bad:
        return f"control bytes {bad}"
    try:
        text = out.decode("utf-8")
    except UnicodeDecodeError as broken:
        return str(broken)
    if form in ("json", "ndjson"):
        return None
    hidden = sorted({hex(ord(c)) for c in text
                     if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")})
    if hidden:
        return f"code points that hide or turn: {hidden}"
    if locale == "C" and not text.isascii():
        return "more than ASCII in the C locale"
    return None


def well_formed(out, form):
    try:
        if form == "json":
            loads(out)
        elif form == "ndjson":
            for line in out.splitlines():
                loads(line)
        elif form == "csv":
            table = list(csv.reader(io.StringIO(out.decode(), newline=""), strict=True))
            widths = {len(row) for row in table}
            if len(widths) > 1:
                return f"rows of {sorted(widths)} cells"
            formulas = [cell for row in table for cell in row
                        if cell[:1] in ("=", "@", "+", "-")
                        and not re.fullmatch(r"-[\d.]*|[r-][w-][x-][ps]", cell)]
            if formulas:
                return f"a formula: {formulas[0]!r}"
    except (ValueError, csv.Error) as broken:
        return str(broken)
    return None


def matrix(report, commands):
    """Every command, in every form, in two locales."""
    for name, args in commands.items():
        for form, option in FORMS.items():
            problems = []
            for locale in ("C", "C.UTF-8"):
                result = run(*args, *option, env={**os.environ, "LC_ALL": locale})
                problem = expect(result, OK, quiet=False) or unsafe(result.out, form, locale) \
                    or unsafe(result.err, "text", "C.UTF-8") or well_formed(result.out, form)
                if not problem and len(result.out) < 20:
                    problem = f"it says nothing: {result.out!r}"
                if problem:
                    problems.append(f"{locale}: {problem}")
            report.check(f"B03 B04 B05 B09 B14 hostile names through {name}, {form}", problems)


def names_of(pid):
    """path in maps -> rows of vmtop maps."""
    result = run("maps", "-J", "-o", "+deleted,role,inode,path_ambiguous", str(pid))
    if result.code:
        raise RuntimeError(result.err.decode(errors="replace"))
    rows = collections.defaultdict(list)
    for row in loads(result.out)["data"]["maps"]:
        rows[raw(row, "path")].append(row)
    return rows


def comms(report, pids):
    result = run("ps", "-J", "-p", ",".join(map(str, pids)))
    rows = {row["pid"]: row for row in loads(result.out)["data"]["processes"]}
    problems = collections.defaultdict(list)
    for pid, (case, comm) in pids.items():
        row = rows.get(pid)
        if not row:
            problems[case].append(f"{comm!r} is not listed")
        elif raw(row, "comm") != comm:
            problems[case].append(f"{raw(row, 'comm')!r}, not {comm!r}")
        elif (row["ppid"], row["state"], row["threads"]) != (os.getpid(), "S", 1):
            problems[case].append(f"{comm!r}: {row['ppid']} {row['state']} {row['threads']}")
    report.check("B01 comm like the rest of stat: every field is its own", problems["B01"])
    report.check("B02 comm of brackets, blank or empty: every field is its own", problems["B02"])
    report.check("B03 B04 B05 B09 B14 every byte of comm is in JSON",
                 [p for case in ("B03", "B04", "B05", "B09", "B14") for p in problems[case]])
    # The same from stat, of which the name is a part.
    bad = []
    for pid, (case, comm) in pids.items():
        out = run("ps", "-J", "-p", str(pid), "-o", "pid,ppid,state,comm,minor_faults_total").out
        row = loads(out)["data"]["processes"][0]
        if (row["ppid"], row["state"]) != (os.getpid(), "S") or raw(row, "comm") != comm or \
                not row["minor_faults_total"]:
            bad.append(f"{case} {comm!r}: {row}")
    report.check("B01 B02 stat is read from its last bracket on", bad)


def paths(report, pid, folder):
    rows = names_of(pid)
    for case in ("B03", "B04", "B05", "B09", "B14"):
        report.check(f"{case} the bytes of each path are in JSON", [
            f"{name!r} is missing" for name in FILES[case] if folder + b"/" + name not in rows
        ])
    wanted = {name: [(os.stat(folder + b"/" + name).st_ino, False)] for name in FILES["B06"]}
    found = {name: [(row["inode"], row["path_ambiguous"]) for row in rows[folder + b"/" + name]]
             for name in FILES["B06"]}
    report.check("B06 a newline and its four characters: each has its exact name",
                 None if found == wanted else f"{found}, not {wanted}")
    report.check("B06 what has no such characters is not ambiguous",
                 [f"{name!r}" for name, rows_ in rows.items() for row in rows_
                  if row["path_ambiguous"] is not False])
    without_rights(report, folder)
    kept, gone = rows[folder + b"/x (deleted)"], rows[folder + b"/gone (deleted)"]
    report.check("B07 x (deleted) is there, gone (deleted) is not", [
        f"{what}: {[row['deleted'] for row in found]}"
        for what, found, wanted in (("kept", kept, False), ("gone", gone, True))
        if [row["deleted"] for row in found] != [wanted]
    ])
    wanted = {os.stat(folder + b"/" + name).st_ino: name for name in FILES["B10"]}
    kinds = {row["inode"]: row for found in rows.values() for row in found}
    plain = kinds[os.stat(folder + b"/x (deleted)").st_ino]
    real = [row for name, found in rows.items() if name.startswith(b"/memfd:") for row in found]
    report.check("B10 files named as the kernel names what is none are files", [
        f"{name!r}: {kinds[inode]['kind']}, {kinds[inode]['role']}, {kinds[inode]['deleted']}"
        for inode, name in wanted.items()
        if (kinds[inode]["kind"], kinds[inode]["role"], kinds[inode]["deleted"]) !=
        (plain["kind"], plain["role"], False)
    ])
    decided = [(row["kind"], row["role"]) for row in real]
    report.check("B10 a real memfd is one, whatever it is called",
                 None if decided == [("shmem", "memfd")] * 2 else f"{decided}")
    report.check("B03 the bytes of the name of a memfd are in JSON",
                 None if b"/memfd:" + ESCAPES + b" (deleted)" in rows else "it is missing")


def without_rights(report, folder):
    """Of one's own processes map_files says nothing; the kernel may be asked since Linux 6.11."""
    names = FILES["B06"]

    def work(ready):
        for name in names:
            map_file(folder + b"/" + name)
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        # As after execve(2): our own files in /proc are ours.
        libc.prctl(4, 1, 0, 0, 0)
        ready()

    wanted = {name: os.stat(folder + b"/" + name).st_ino for name in names}
    pid = start(work)
    try:
        with Outsider() as user:
            result = user.run("maps", "-J", "--list-only", "-o", "inode,path,path_ambiguous",
                              str(pid))
        if result.code:
            raise RuntimeError(result.err.decode(errors="replace"))
        rows = {row["inode"]: row for row in loads(result.out)["data"]["maps"]}
        problems = []
        for name, inode in wanted.items():
            row = rows[inode]
            exact, written = folder + b"/" + name, folder + b"/nl\\012x"
            if (raw(row, "path"), row["path_ambiguous"]) not in ((exact, False), (written, True)):
                problems.append(f"{name!r}: {row}")
            if row["path_ambiguous"] and kernel() >= (6, 11):
                problems.append(f"{name!r}: this kernel tells, and it is not asked")
        report.check("B06 a newline and its four characters, without rights: exact, or ambiguous",
                     problems)
    finally:
        end([pid])


def kernel():
    return tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups()))


def cells(text):
    """How many cells of a terminal some text takes."""
    return sum(0 if unicodedata.category(c) in ("Mn", "Me", "Cf")
               else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def widths(report, pids, folder):
    """The name of a process stands before that of the file here."""
    result = run("maps", "--sharers", *map(str, pids), env={**os.environ, "LC_ALL": "C.UTF-8"})
    want = f"{folder.decode()}/shared"
    lines = result.out.decode().splitlines()
    found = [line for line in lines if line.rstrip().endswith(want)]
    columns = {cells(line[:line.index(want)]) for line in found}
    problem = None
    if len(found) < len(pids):
        problem = f"{len(found)} rows of {len(pids)}: {result.out[-500:]!r} {result.err!r}"
    elif len(columns) != 1:
        problem = f"the last column begins in {sorted(columns)}"
    report.check("B05 columns behind a hostile name stand one below the other", problem)


def long_path(report, top):
    """Nested so deep that no call takes the path at once."""
    def work(ready):
        at = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
        for _ in range(30):
            os.mkdir(b"d" * 200, dir_fd=at)
            at = os.open(b"d" * 200, os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        map_file(b"file", dir_fd=at)
        map_file(b"nl\n", dir_fd=at)
        ready()
    pid = start(work)
    try:
        path = top + (b"/" + b"d" * 200) * 30 + b"/file"
        rows = names_of(pid)
        report.check("B08 a path longer than PATH_MAX is shown in full",
                     None if path in rows else f"{max(map(len, rows))} bytes at most")
        # No call gives a name of that length: nobody can say which it is.
        last = rows[os.path.dirname(path) + b"/nl\\012"]
        report.check("B06 where the exact name is not to be had it is ambiguous",
                     None if [row["path_ambiguous"] for row in last] == [True] else f"{last}")
        commands = {"maps": ["maps", str(pid)], "group": ["maps", "--group", "file", str(pid)],
                    "sharers": ["maps", "--sharers", str(pid)], "pages": ["pages", str(pid)],
                    "role": ["maps", "--group", "role", str(pid)],
                    "addr": ["addr", str(pid), rows[path][0]["start"] if path in rows else "0"]}
        report.check("B08 every command gets over a path longer than PATH_MAX", [
            f"{name}: {problem}" for name, args in commands.items()
            if (problem := expect(run(*args), OK, quiet=False))
        ])
    finally:
        end([pid])


def many_names(report):
    """100,000 names in two processes: one may have 65,530 mappings."""
    each = 50000

    def work(number):
        def make(ready):
            for i in range(each):
                fd = os.memfd_create(f"name-{number}-{i}")
                os.ftruncate(fd, mmap.PAGESIZE)
                map_fd(fd, touched=False)
                os.close(fd)
            ready()
        return make

    def bounded(mib, *args):
        return run(*args, *map(str, pids), preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_DATA, (mib << 20, mib << 20)))

    pids = [start(work(n)) for n in range(2)]
    try:
        result = bounded(24, "maps", "--list-only", "--ndjson", "-o", "size,path")
        lines = [loads(line) for line in result.out.splitlines() if b"/memfd:name-" in line]
        report.check("B11 100,000 names are listed in 24 MiB", expect(result, OK) or
                     (None if len({line["path"] for line in lines}) == 2 * each
                      else f"{len(lines)} names"))
        # So many groups it keeps, and one for all the others: nothing is lost in silence.
        result = bounded(128, "maps", "--group", "file", "-J", "-o", "name,size,maps_total")
        groups = loads(result.out)["data"]["groups"] if result.out else []
        problems = []
        if len(groups) > 20000 or len(groups) < 1000:
            problems.append(f"{len(groups)} groups, {result.err!r}")
        if sum(group["maps_total"] for group in groups) < 2 * each:
            problems.append(f"{sum(group['maps_total'] for group in groups)} mappings in them")
        if result.code == OK or b"partial" not in result.err:
            problems.append(f"exit {result.code}, and it does not say that it is partial")
        report.check("B11 100,000 names in groups: a bound, and the rest in one of them", problems)
    finally:
        end(pids)


def arguments(report):
    """Nothing of it is shown, and so nothing of it is read: it lies in memory that its owner can
    make answer as slowly as he likes."""
    words = [b"\x1b]0;owned\x07" + b"x" * 65536] * 31
    child = subprocess.Popen([b"/bin/sh", b"-c", b"read x", *words], stdin=subprocess.PIPE)
    try:
        if shutil.which("strace") is None:
            report.skip("B12 arguments of 2 MiB are never read", "no strace here")
            return
        with tempfile.NamedTemporaryFile() as trace:
            done = subprocess.run(
                ["strace", "-f", "-qq", "-e", "trace=open,openat,openat2", "-o", trace.name, VMTOP,
                 "report", "-J", "--duration", "0", "-p", str(child.pid)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120)
            opened = trace.read().decode(errors="replace")
        row = next((row for row in loads(done.stdout)["data"]["processes"]
                    if row["pid"] == child.pid), None)
        problems = [] if row and row["comm"] == "sh" else [f"its row is {row}"]
        problems += [line for line in opened.splitlines() if "cmdline" in line or "environ" in line]
        if '"smaps_rollup"' not in opened:
            problems.append("strace does not see what is opened")
        report.check("B12 arguments of 2 MiB are never read", problems)
        report.check("B03 B12 escapes in arguments go nowhere",
                     None if b"owned" not in done.stdout else "they are in the report")
    finally:
        child.kill()
        child.wait()


def users(report, pid):
    """Another /etc/passwd, in a mount namespace of its own."""
    def with_passwd(text, *args):
        with tempfile.NamedTemporaryFile() as file:
            file.write(text)
            file.flush()
            return run("-c", 'mount --bind "$1" /etc/passwd && shift && exec "$@"', "sh", file.name,
                       VMTOP, *args, program="/bin/sh",
                       preexec_fn=lambda: unshare_mounts())
    evil = b"\x1b[2J\xff" + TURNED + b"%n%s,=1"
    args = ["ps", "-p", str(pid)]
    result = with_passwd(evil + b":x:0:0::/:\n", *args)
    if result.code == NO_MOUNTS or (result.code != OK and b"mount" in result.err):
        report.skip(
            "B13 hostile and huge user databases",
            "no mounts of our own here: " + result.err.decode(errors="replace").strip(),
        )
        return
    report.check("B13 escapes in the name of a user, text",
                 expect(result, OK) or unsafe(result.out, "text", "C.UTF-8"))
    row = loads(with_passwd(evil + b":x:0:0::/:\n", *args, "-J").out)["data"]["processes"][0]
    report.check("B13 every byte of the name of a user is in JSON",
                 None if raw(row, "user") == evil else f"{raw(row, 'user')!r}")
    huge = b"".join(b"user%d:x:%d:%d:::\n" % (i, i + 1, i) for i in range(250000)) + \
        b"late:x:0:0::/:\n"
    result = with_passwd(huge, *args, "-J")
    row = loads(result.out)["data"]["processes"][0] if result.out else {}
    report.check("B13 a user database of many MiB: the number in place of the name",
                 expect(result, OK) or
                 (None if len(huge) > 4 << 20 and row["uid"] == 0 and row["user"] == "0"
                  else f"user {row.get('user')!r} of {len(huge)} bytes"))


def unshare_mounts():
    """Before exec: a mount namespace that nothing leaves. In a chroot / is no mount to be private."""
    if libc.unshare(0x00020000) or libc.mount(b"none", b"/", None, 0x44000, None):
        os._exit(NO_MOUNTS)


def cgroups(report, pid):
    top = pathlib.Path("/sys/fs/cgroup")
    # What a process is charged to, in version 1 and 2.
    if (top / "memory").is_dir():
        top = top / "memory"
    name = os.fsencode(top) + b"/vmtop %n\x1b[2J\xff\xe2\x80\xae"
    try:
        os.mkdir(name)
    except OSError as why:
        report.skip("B13 a cgroup with escapes in its path", f"no cgroup can be made: {why}")
        return
    try:
        with open(name + b"/cgroup.procs", "wb") as file:
            file.write(b"%d" % pid)
        wanted = b"/vmtop %n\x1b[2J\xff\xe2\x80\xae"
        row = loads(run("ps", "-J", "-o", "pid,cgroup", "-p", str(pid)).out)["data"]["processes"][0]
        problems = [] if raw(row, "cgroup").endswith(wanted) else [f"{raw(row, 'cgroup')!r}"]
        path = os.fsdecode(wanted)
        row = loads(run("cgroups", "-J", path).out)["data"]["cgroups"][0]
        if raw(row, "path") != wanted or row["processes_total"] != 1:
            problems.append(f"{raw(row, 'path')!r} has {row['processes_total']} processes")
        for args in (["ps", "-o", "pid,cgroup", "-p", str(pid)], ["ps", "--group", "cgroup"],
                     ["cgroups", "--tree"], ["cgroups", path], ["cgroups", path, "--csv"]):
            result = run(*args, env={**os.environ, "LC_ALL": "C.UTF-8"})
            problem = expect(result, OK, quiet=False) or unsafe(result.out, "text", "C.UTF-8")
            problems += [problem] if problem else []
        report.check("B13 a cgroup with escapes in its path", problems)
    finally:
        end([pid])
        for _ in range(1000):
            try:
                os.rmdir(name)
                break
            except OSError:
                # Its last process is gone, but not yet out of it.
                os.sched_yield()


def main():
    report = Report()
    top = os.fsencode(tempfile.mkdtemp(prefix="vmtop-names-", dir="/var/tmp"))
    folder = top + b"/d"
    os.mkdir(folder)
    pids = {}
    others = []

    def everything(ready):
        for names in FILES.values():
            for name in names:
                map_file(folder + b"/" + name)
        map_file(folder + b"/x (deleted)")
        map_file(folder + b"/gone")
        os.unlink(folder + b"/gone")
        for name in (ESCAPES, b"plain"):
            fd = os.memfd_create(os.fsdecode(name), 0)
            os.ftruncate(fd, mmap.PAGESIZE)
            map_fd(fd)
        rename(FORMAT[:11])
        ready()

    def faulting(ready):
        rename(b"\x1b]0;own\x07%n")
        with open(folder + b"/" + ESCAPES, "r+b") as file:
            kept = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        ready()
        while True:
            kept.madvise(mmap.MADV_DONTNEED)
            kept[0] = 1
            # A load, not a wait: some hundred faults a second.
            signal.sigtimedwait([signal.SIGUSR1], 0.003)

    def named(comm):
        def work(ready):
            map_file(folder + b"/shared")
            rename(comm)
            ready()
        return work

    try:
        for case, names in COMMS.items():
            for comm in names:
                pids[start(named(comm))] = case, comm
        comms(report, pids)
        wide = [pid for pid, (case, _) in pids.items() if case in ("B03", "B04", "B05", "B14")]
        widths(report, wide, folder)
        all_ = start(everything)
        others.append(all_)
        paths(report, all_, folder)
        hot = start(faulting)
        others.append(hot)
        listed = ",".join(map(str, [*pids, all_]))
        listing = pathlib.Path(f"/proc/{all_}/maps").read_bytes()
        start_of = re.search(rb"^([0-9a-f]+)-.*red", listing, re.M).group(1).decode()
        matrix(report, {
            "ps": ["ps", "-p", listed],
            "ps --tree": ["ps", "--tree"],
            "ps --group comm": ["ps", "--group", "comm"],
            "ps --group file": ["ps", "--group", "file", "-p", listed],
            "maps": ["maps", str(all_)],
            "maps --pss": ["maps", "--pss", "-o", "+role", str(all_)],
            "maps --all": ["maps", "--all", "--list-only"],
            "maps --group file": ["maps", "--group", "file", str(all_)],
            "maps --group role": ["maps", "--group", "role", str(all_)],
            "maps --sharers": ["maps", "--sharers", *map(str, pids), str(all_)],
            "pages": ["pages", str(all_)],
            "addr": ["addr", str(all_), start_of],
            "report": ["report", "--duration", "0", "-p", listed],
            "faults": ["faults", "-p", str(hot), "--duration", "0.2"],
        })
        users(report, all_)
        arguments(report)
        long_path(report, top)
        cgroups(report, start(lambda ready: ready()))
        many_names(report)
    finally:
        end([*pids, *others])
        # No library takes a path of that length; rm does.
        subprocess.run(["rm", "-rf", "--", top], check=True)
    sys.exit(1 if report.failed else 0)


main()
