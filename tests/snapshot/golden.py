#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every command and format over every recorded machine, against the files in golden/.

golden.py [--update] [FIXTURE...]

Exit code and complaint are part of a golden file where they are not 0 and nothing. --update
rewrites them, and removes those that no case makes any more; read the difference before it is
committed.
"""

import difflib
import json
import sys

import jsonschema
import snap
import exposition
from program import OK, expect, loads, run
from tap import Report

# name, arguments, kind of output, locale
MACHINE = [
    ("free.txt", ["free", "-b"], "text", "C.UTF-8"),
    ("free-mib.txt", ["free", "-m", "--noheadings"], "text", "C"),
    ("free.json", ["free", "-J"], "json", "C.UTF-8"),
    ("free.ndjson", ["free", "--ndjson"], "ndjson", "C.UTF-8"),
    ("free.csv", ["free", "--csv", "--output-all"], "csv", "C.UTF-8"),
    ("free-cgroup.txt", ["free", "-b", "--cgroup", "/app.slice/database.service"], "text", "C"),
    ("free-cgroup.json", ["free", "-J", "--cgroup", "/app.slice"], "json", "C.UTF-8"),
    ("free-cgroup.csv", ["free", "--csv", "--cgroup", "/"], "csv", "C"),
    ("free-commit.txt", ["free", "-b", "--commit"], "text", "C.UTF-8"),
    ("free-commit.json", ["free", "-J", "--commit"], "json", "C.UTF-8"),
    # No recording has a page cache: said in one line.
    ("cache.txt", ["cache", "-k", "/etc/passwd"], "text", "C.UTF-8"),
    ("cache.json", ["cache", "-J", "--tree", "/etc"], "json", "C.UTF-8"),
    ("zones.txt", ["zones", "-b"], "text", "C.UTF-8"),
    ("zones-human.txt", ["zones", "--human"], "text", "C"),
    ("zones.json", ["zones", "-J"], "json", "C.UTF-8"),
    ("zones.ndjson", ["zones", "--ndjson"], "ndjson", "C.UTF-8"),
    ("zones.csv", ["zones", "--csv", "--output-all"], "csv", "C.UTF-8"),
    ("zones-orders.txt", ["zones", "--orders", "-k", "-F", "free_blocks"], "text", "C"),
    ("zones-types.json", ["zones", "--types", "-J"], "json", "C.UTF-8"),
    ("zones-cpus.csv", ["zones", "--cpus", "--csv"], "csv", "C"),
    ("zones-layout.txt", ["zones", "--layout", "-k"], "text", "C.UTF-8"),
    ("zones-layout.json", ["zones", "--layout", "-J"], "json", "C.UTF-8"),
    ("cache-group.json", ["cache", "-J", "--all", "--group", "dir"], "json", "C.UTF-8"),
    ("cache-all.txt", ["cache", "-k", "--all"], "text", "C.UTF-8"),
    ("kernel.txt", ["kernel", "-b"], "text", "C.UTF-8"),
    ("kernel.json", ["kernel", "-J"], "json", "C.UTF-8"),
    ("kernel-slab.txt", ["kernel", "--slab", "-k", "--top", "20"], "text", "C"),
    ("kernel-slab.csv", ["kernel", "--slab", "--csv", "-s", "name"], "csv", "C"),
    ("kernel-vmalloc.json", ["kernel", "--vmalloc", "-J"], "json", "C.UTF-8"),
    ("kernel-vmalloc.txt", ["kernel", "--vmalloc", "--human"], "text", "C"),
    ("kernel-vmstat.ndjson", ["kernel", "--vmstat", "--ndjson"], "ndjson", "C.UTF-8"),
    ("kernel-layout.txt", ["kernel", "--layout", "-k"], "text", "C.UTF-8"),
    ("kernel-layout.json", ["kernel", "--layout", "-J"], "json", "C.UTF-8"),
    ("ps.txt", ["ps", "-k", "--pss", "--kernel-threads"], "text", "C.UTF-8"),
    ("ps-ascii.txt", ["ps", "--human", "--ascii"], "text", "C.UTF-8"),
    ("ps-raw.txt", ["ps", "--pages", "--raw", "-s", "user,-rss"], "text", "C"),
    ("ps-tree.txt", ["ps", "-k", "--tree", "-s", "pid"], "text", "C.UTF-8"),
    ("ps-tree.json", ["ps", "-J", "--tree", "--kernel-threads"], "json", "C.UTF-8"),
    ("ps-user.txt", ["ps", "-k", "--group", "user", "--kernel-threads"], "text", "C.UTF-8"),
    ("ps-comm.json", ["ps", "-J", "--group", "comm", "--pss"], "json", "C.UTF-8"),
    ("ps-cgroup.txt", ["ps", "-o", "+cgroup", "--cgroup", "/a", "-c", "*"], "text", "C"),
    ("ps-oom.txt", ["ps", "-o", "pid,oom_score,oom_score_adj,cmdline,comm"], "text", "C.UTF-8"),
    ("ps.json", ["ps", "-J", "--pss", "--kernel-threads"], "json", "C.UTF-8"),
    ("ps.ndjson", ["ps", "--ndjson"], "ndjson", "C.UTF-8"),
    ("ps.csv", ["ps", "--csv", "--output-all"], "csv", "C.UTF-8"),
    ("report.txt", ["report", "-b"], "text", "C.UTF-8"),
    ("report.json", ["report", "-J", "--top", "3"], "json", "C.UTF-8"),
    ("report.ndjson", ["report", "--ndjson", "--top", "1"], "ndjson", "C.UTF-8"),
    ("report-system.svg", ["report", "--format", "svg"], "svg", "C"),
    ("doctor.txt", ["doctor"], "text", "C"),
    ("doctor.json", ["doctor", "-J"], "json", "C.UTF-8"),
    ("doctor-verify.txt", ["doctor", "--verify", "-b"], "text", "C"),
    ("doctor-verify.json", ["doctor", "--verify", "-J"], "json", "C.UTF-8"),
    ("doctor-verify.csv", ["doctor", "--verify", "--csv", "-s", "-off_bytes"], "csv", "C"),
    ("faults.txt", ["faults"], "text", "C.UTF-8"),
    ("check.txt", ["check", "available", "-w", "99%:", "-c", "5%:", "psi.some.avg10", "-w", "5", "swap_used",
                   "commit", "zone.low", "zone.distance", "frag", "maps.count", "source.missing", "-c", "0"],
     "text", "C.UTF-8"),
    ("check-cgroup.txt", ["check", "--cgroup", "/app.slice/database.service", "cgroup.available", "-c", "99%:",
                          "cgroup.distance", "proc.rss", "--comm", "*", "-w", "1K", "proc.pss", "--comm", "*"],
     "text", "C"),
    ("check.json", ["check", "-J", "available", "-c", "5%:", "proc.swap", "-p", "1", "-w", "1", "psi.full.avg60"],
     "json", "C.UTF-8"),
    ("check.csv", ["check", "--csv", "available", "commit", "-w", "0:1"], "csv", "C"),
    ("cgroups.txt", ["cgroups", "-k"], "text", "C.UTF-8"),
    ("cgroups-tree.txt", ["cgroups", "-k", "--tree", "--ascii", "-s", "path"], "text", "C"),
    ("cgroups-limits.csv", ["cgroups", "/app.slice", "--csv", "-o", "+max,high,min,room,kept,unlimited"], "csv", "C"),
    ("cgroups.json", ["cgroups", "-J"], "json", "C.UTF-8"),
    ("metrics.prom", ["metrics"], "prom", "C"),
    ("metrics-groups.prom", ["metrics", "--groups", "groups.conf", "--pss"], "prom", "C.UTF-8"),
]


def maps_cases(suffix, pids):
    """One process, or all of them, in each format."""
    words = [str(pid) for pid in pids]
    return [
        (f"maps{suffix}.txt", ["maps", "-k", *words], "text", "C.UTF-8"),
        (f"maps{suffix}.json", ["maps", "-J", *words], "json", "C.UTF-8"),
        (f"maps{suffix}.ndjson", ["maps", "--ndjson", *words], "ndjson", "C.UTF-8"),
        (f"maps{suffix}.csv", ["maps", "--csv", *words], "csv", "C.UTF-8"),
    ]


# Sums over all processes, and who shares what.
GROUPS = [
    ("group-role.txt", ["maps", "--all", "-k", "--group", "role"], "text", "C.UTF-8"),
    ("group-kind.csv", ["maps", "--all", "--csv", "--group", "kind", "--list-only"], "csv", "C"),
    ("group-file.txt", ["maps", "--all", "-k", "--group", "file", "--pss"], "text", "C"),
    ("group-role.json", ["maps", "--all", "-J", "--group", "role"], "json", "C.UTF-8"),
    ("ps-files.txt", ["ps", "-k", "--group", "file"], "text", "C.UTF-8"),
    ("ps-files.json", ["ps", "-J", "--group", "file", "--top", "3"], "json", "C.UTF-8"),
    ("sharers.txt", ["maps", "--all", "-k", "--sharers", "--top", "40"], "text", "C.UTF-8"),
    ("sharers.json", ["maps", "--all", "-J", "--sharers", "--top", "12"], "json", "C.UTF-8"),
    ("sharers.ndjson", ["maps", "--ndjson", "--sharers", "1"], "ndjson", "C.UTF-8"),
]


def addr_cases(fixture, pid):
    """Addresses in a file, in the heap or what is first, between mappings, and of no process."""
    ranges = []
    for line in (fixture / "proc" / str(pid) / "maps").read_text(errors="replace").splitlines():
        start, _, end = line.split()[0].partition("-")
        ranges.append((int(start, 16), int(end, 16)))
    words = ["addr", str(pid), f"{ranges[0][0] + 0x123:x}", f"{ranges[-1][0]:x}"]
    gap = next(a[1] for a, b in zip(ranges, ranges[1:], strict=False) if a[1] + 0x2000 < b[0])
    words += [f"{gap + 0x1010:x}", "10", "8000000000000000", "ffff888000000000"]
    yield ("addr.txt", words, "text", "C.UTF-8")
    yield ("addr.json", [*words, "-J"], "json", "C.UTF-8")
    yield ("addr.csv", [*words, "--csv", "-o", "address,class,explanation,mapping"], "csv", "C")
    # No recording has a pagemap: said in one line.
    yield ("pages.txt", ["pages", str(pid)], "text", "C.UTF-8")


def page_cases(fixture):
    """A page, and each picture alone: of a process with names that anybody may give, too."""
    if fixture == snap.HOSTILE:
        pids = [20, 60, 61]
    else:
        pids = [snap.pid_named(fixture, "shared")]
    words = ["report", "-p", ",".join(map(str, pids)), "--format"]
    yield ("report.html", [*words, "html"], "html", "C")
    yield ("report-kibi.html", ["report", "--format", "html", "-k"], "html", "C.UTF-8")
    yield ("report-processes.svg", ["report", "--format", "svg", "--only", "processes"], "svg", "C")
    for pid in pids:
        words = ["report", "-p", str(pid), "--format", "svg"]
        yield (f"report-maps-{pid}.svg", words, "svg", "C")

# Two documents, made by hand: of a process with each fate that a mapping can have, of one that was
# started anew, and of the machine.
MAPS = ["diff/maps-before.json", "diff/maps-after.json"]
DIFF = [
    ("diff.txt", ["diff", "-k", *MAPS], "text", "C.UTF-8"),
    ("diff-ascii.txt", ["diff", "--human", "--ascii", "-p", "300", *MAPS], "text", "C"),
    ("diff-all.txt", ["diff", "-b", "-a", "--by-name", "-o", "+basis,was,perm,pss-delta", *MAPS],
     "text", "C.UTF-8"),
    ("diff-swap.txt", ["diff", "-k", "-s", "-swap-delta", "-o", "match,swap-before,swap,swap-delta",
                       "--top", "2", *MAPS], "text", "C"),
    ("diff.json", ["diff", "-J", *MAPS], "json", "C.UTF-8"),
    ("diff.ndjson", ["diff", "--ndjson", "--by-name", *MAPS], "ndjson", "C.UTF-8"),
    ("diff.csv", ["diff", "--csv", "--output-all", *MAPS], "csv", "C.UTF-8"),
    ("diff-role.txt", ["diff", "-k", "--by", "role", *MAPS], "text", "C.UTF-8"),
    ("diff-file.json", ["diff", "-J", "--by", "file", *MAPS], "json", "C.UTF-8"),
    ("diff-proc.txt", ["diff", "-k", "--by", "proc", "--by-name", *MAPS], "text", "C.UTF-8"),
    ("diff-ps.csv", ["diff", "--csv", "diff/ps-before.json", MAPS[1]], "csv", "C"),
    ("diff-free.txt", ["diff", "-k", "diff/free-before.json", "diff/free-after.json"], "text", "C"),
    ("diff-free.json", ["diff", "-J", "diff/free-before.json", "diff/free-after.json"], "json",
     "C.UTF-8"),
    ("diff.html", ["diff", "--format", "html", *MAPS], "html", "C"),
    ("diff-kibi.html", ["diff", "--format", "html", "-k", "-a", "--by-name", *MAPS], "html",
     "C.UTF-8"),
    ("diff-free.html", ["diff", "--format", "html", "diff/free-before.json", "diff/free-after.json"],
     "html", "C"),
    ("diff-swap.svg", ["diff", "--format", "svg", "-s", "-swap-delta", *MAPS], "svg", "C"),
    ("diff-role.svg", ["diff", "--format", "svg", "--by", "role", *MAPS], "svg", "C"),
    ("diff-proc.svg", ["diff", "--format", "svg", "--by", "proc", *MAPS], "svg", "C"),
    ("diff-nothing.svg", ["diff", "--format", "svg", MAPS[0], MAPS[0]], "svg", "C"),
    ("diff-nothing.txt", ["diff", "diff/free-before.json", MAPS[1]], "text", "C.UTF-8"),
]

SCREENS = ["system", "procs", "vmas", "pages", "faults", "cache", "events"]
SIZES = ["80x24", "100x30", "160x50", "60x16", "38x9"]


def screen_cases(fixture):
    """The dashboard, for a process of which there are mappings."""
    pid = "20" if fixture == snap.HOSTILE else str(snap.pid_named(fixture, "shared"))
    for screen in SCREENS:
        words = ["top", "-p", pid, "--render", screen, "--size"]
        for size in SIZES:
            yield (f"top-{screen}-{size}.txt", [*words, size], "text", "C.UTF-8")
        yield (f"top-{screen}-ascii.txt", [*words, "80x24"], "text", "C")


def cases(fixture):
    yield from MACHINE
    yield from GROUPS
    if fixture in (snap.HOSTILE, "machine-6.18"):
        yield from screen_cases(fixture)
        yield from page_cases(fixture)
    if fixture == "machine-6.18":
        yield from DIFF
    if fixture == snap.HOSTILE:
        for pid in (20, 60, 61):
            yield from maps_cases(f"-{pid}", [pid])
        yield ("maps-20-ascii.txt", ["maps", "-b", "20"], "text", "C")
        words = ["maps", "-k", "-o", "address,perm,kind,role,deleted,vmflags,mapping"]
        numa = ["maps", "61", "-k", "-o", "address,policy,nodes,npage"]
        yield ("maps-numa.txt", numa, "text", "C.UTF-8")
        yield ("maps-other.txt", ["maps", "61", "-k", "-o", "address,rss,other"], "text", "C.UTF-8")
        yield ("maps-role.txt", [*words, "20", "60", "61"], "text", "C.UTF-8")
        yield ("maps-20-raw.txt", ["maps", "--raw", "20"], "text", "C.UTF-8")
        # Each of them is odd in a way of its own.
        for pid in snap.pids_of(fixture):
            if pid >= 45 and pid not in (60, 61):
                yield (f"maps-{pid}.txt", ["maps", "-k", str(pid)], "text", "C.UTF-8")
        return
    users = [str(pid) for pid in snap.pids_of(fixture)]
    yield ("maps-all.txt", ["maps", "-k", *users], "text", "C.UTF-8")
    yield ("maps-sorted.txt", ["maps", "-k", "-s", "-size", "--top", "9", *users], "text", "C.UTF-8")
    yield ("maps-every.txt", ["maps", "--all", "-k"], "text", "C.UTF-8")
    yield (
        "maps-every.csv",
        ["maps", "--all", "--csv", "-o", "PID,ADDRESS,SIZE,RSS,MAPPING"],
        "csv",
        "C.UTF-8",
    )
    yield (
        "maps-user.ndjson",
        ["maps", "-u", "0", "--ndjson", "-o", "PID,ADDRESS,SIZE,RSS,MAPPING"],
        "ndjson",
        "C.UTF-8",
    )
    yield from maps_cases("-shared", [snap.pid_named(fixture, "shared")])
    yield from addr_cases(snap.FIXTURES / fixture, snap.pid_named(fixture, "shared"))
    yield (
        "maps-anonymous.txt",
        [
            "maps",
            "-b",
            "-o",
            "start,size,pss,uss,referenced,swap_pss,anonhuge,locked,vmflags",
            str(snap.pid_named(fixture, "anonymous")),
        ],
        "text",
        "C",
    )
    # Without the files: what can be told of maps and VmFlags.
    yield (
        "maps-role.txt",
        ["maps", "-k", "-o", "pid,address,perm,kind,size,role,deleted,mapping", *users],
        "text",
        "C.UTF-8",
    )
    yield (
        "maps-list.txt",
        ["maps", "--list-only", "--human", "-s", "-size", str(snap.pid_named(fixture, "headless"))],
        "text",
        "C.UTF-8",
    )


def rows_a_line(document):
    """JSON with a line for each row, so that a difference shows which."""
    lines = []

    def add(value, where):
        if isinstance(value, dict) and where in ("", "data") and value:
            for key, member in value.items():
                lines.append(f"{where}{'.' if where else ''}{key}:")
                add(member, key)
        elif isinstance(value, list):
            lines.extend(" " + json.dumps(row, ensure_ascii=True) for row in value)
        else:
            lines.append(" " + json.dumps(value, ensure_ascii=True))

    add(document, "")
    return "\n".join(lines) + "\n"


def golden_text(kind, result):
    out = snap.steady(result.out)
    text = out.decode("utf-8", "backslashreplace")
    if kind == "json" and out:
        text = rows_a_line(loads(out))
    if result.err:
        text += f"--- stderr\n{result.err.decode('utf-8', 'backslashreplace')}"
    if result.code != OK:
        text += f"--- exit {result.code}\n"
    return text


def problems_of(kind, args, result, locale, schemas):
    """What is wrong with an output, whatever the golden file says."""
    if (
        result.code is None
        or result.code < 0
        or b"Sanitizer" in result.err
        or b"runtime error" in result.err
    ):
        return [f"exit {result.code}: {result.err[-800:].decode(errors='replace')}"]
    problems = snap.bad_text(result.err)
    if kind == "text":
        return problems + snap.bad_text(result.out, "C" if "--ascii" in args else locale)
    if kind == "prom":
        return problems + snap.bad_text(result.out) + exposition.problems(result.out)
    if kind == "csv":
        return problems + snap.bad_text(result.out) + snap.bad_csv(result.out)
    if kind in ("html", "svg"):
        problems += snap.bad_text(result.out, "C")
        return problems + (snap.bad_page(result.out, kind) if result.out else [])
    problems += snap.bad_json(result.out)
    if kind == "json" and result.out and not problems:
        errors = jsonschema.Draft202012Validator(schemas[args[0]]).iter_errors(loads(result.out))
        problems += [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in errors]
    return problems


def difference(path, text):
    if not path.is_file():
        return [f"there is no {path.relative_to(snap.TOP)}: golden.py --update writes it"]
    wanted = path.read_text(encoding="utf-8")
    if wanted == text:
        return []
    lines = difflib.unified_diff(
        wanted.splitlines(),
        text.splitlines(),
        str(path.relative_to(snap.TOP)),
        "now",
        n=1,
        lineterm="",
    )
    shown = [line[:400] for line in lines][:60]
    return [f"differs from {path.relative_to(snap.TOP)}\n" + "\n".join(shown)]


def main(args):
    update = "--update" in args
    wanted = [name for name in args if name != "--update"] or snap.fixtures()
    report = Report()
    schemas = {}
    made = [case for fixture in wanted for case in cases(fixture)]
    for name in sorted({words[0] for _, words, kind, _ in made if "json" in kind}):
        result = run("schema", name)
        if not report.check(f"schema of {name}", expect(result, OK)):
            report.done()
        schemas[name] = loads(result.out)
    for fixture in wanted:
        folder = snap.GOLDEN / fixture
        seen = set()
        for name, words, kind, locale in cases(fixture):
            result = snap.vmtop(fixture, *words, locale=locale)
            problems = problems_of(kind, words, result, locale, schemas)
            text = golden_text(kind, result)
            path = folder / name
            seen.add(path)
            if update:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            report.check(f"{fixture} {name}", problems + difference(path, text))
        left = [path for path in folder.glob("*") if path not in seen]
        if update:
            for path in left:
                path.unlink()
        else:
            report.check(f"{fixture}: no golden file is left over", [str(path) for path in left])
    report.done()


main(sys.argv[1:])
