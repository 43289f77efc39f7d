#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every hostile case has a test that is named after it, or a reason why it has none.

Without arguments the tests are searched for the names of cases, and tests/HOSTILE.md is compared
with what was found. With --update it is written:

    tests/static/hostile.py --update        (tests/static/generated.py --update does it too)

What became of the cases is in tests/hostile-results, made from what the suites printed when all of
them were run (scripts/test):

    tests/static/hostile.py --results [build/testlogs]

A test declares a case by its name, a literal that begins with the number of the case:

    Python          report.check("A07 execve in mid-walk: ...", problems), report.skip(...)
    C of tests/live check_begin(&c, "A07/execve-in-mid-walk"): names are one word there
    cmocka          cmocka_unit_test(a07_execve_in_mid_walk)
    shell           echo "ok A07 ..."

One test may have several: "A03 A04 zombie ...", a03_a04_zombie.
"""

import ast
import collections
import difflib
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import TOP, Report, without_comments  # noqa: E402

PAGE = TOP / "tests" / "HOSTILE.md"
RESULTS = TOP / "tests" / "hostile-results"

CASES = {
    "A": ("Processes that come and go", {
        "A01": "it ends between the listing of /proc and the opening",
        "A02": "it ends between opening and reading: ESRCH, or no bytes",
        "A03": "it becomes a zombie while its files are open",
        "A04": "it is a zombie when its files are opened",
        "A05": "a kernel thread",
        "A06": "its first thread ended, others live",
        "A07": "execve in the middle of a walk",
        "A08": "its number is used again between two samples",
        "A09": "its number is used again within a scan",
        "A10": "a process without a mapping",
        "A11": "processes that share an address space: vfork, CLONE_VM",
        "A12": "a 32-bit process",
        "A13": "mappings split and merge during the walk",
        "A14": "a stopped, traced or frozen process",
        "A15": "10,000 processes, 50,000 threads",
        "A16": "a process that hides from who lists /proc, by coming and going beside it",
    }),
    "B": ("Names", {
        "B01": "comm that looks like the rest of stat, with control bytes",
        "B02": "comm of closing brackets alone, or empty",
        "B03": "ESC, BEL and OSC in a path, comm, arguments, memfd",
        "B04": "bytes that are no UTF-8",
        "B05": "right-to-left marks, no-width characters, hundreds of combining marks",
        "B06": "a newline, and the four characters that stand for one",
        "B07": "a file called \"x (deleted)\", and a deleted one",
        "B08": "a path longer than PATH_MAX",
        "B09": "blanks, tabs, and what means something in CSV",
        "B10": "files named as the kernel names what is no file",
        "B11": "100,000 names",
        "B12": "arguments of 2 MiB, overwritten while they are read",
        "B13": "users, groups and cgroups with escapes; a slow or huge user database",
        "B14": "directives of printf in every name",
    }),
    "C": ("Huge and odd memory", {
        "C01": "65,530 mappings",
        "C02": "a million mappings",
        "C03": "a mapping of 1 TiB without pages",
        "C04": "addresses of 57 bits",
        "C05": "vsyscall, at the end of the address space",
        "C06": "hugetlb, private and shared",
        "C07": "transparent huge pages, partly mapped",
        "C08": "the zero page",
        "C09": "a file mapped twice",
        "C10": "memfd, SysV, shared /dev/zero, tmpfs",
        "C11": "mappings of devices",
        "C12": "userfaultfd whose faults nobody serves",
        "C13": "flags of mappings that are rare, new or unknown",
        "C14": "guard gaps, a stack at its limit, a stack that may be executed",
        "C15": "swap that is full, zswap, huge pages in swap",
        "C16": "pages merged by KSM",
        "C17": "memfd_secret, DAX, the huge zero page",
        "C18": "values at the limits of their types",
        "C19": "nodes with holes or without memory, memory that comes and goes",
        "C20": "pages of 16 KiB and 64 KiB",
    }),
    "D": ("Reads that block", {
        "D01": "the mmap lock held for writing by a file system that does not answer",
        "D02": "the mmap lock held for reading, and a writer waiting",
        "D03": "readers that never come back, more than there may be",
        "D04": "signals do not wake a stuck reader",
        "D05": "smaps that takes seconds: its cost is told before",
        "D06": "build-ids that the kernel would read from files",
        "D07": "mapped files on a file system that does not answer",
        "D08": "an open() that blocks",
        "D09": "files of /proc that block otherwise",
        "D10": "no CPU time while the lock is held",
        "D11": "a process in uninterruptible sleep",
    }),
    "E": ("Rights and places", {
        "E01": "a user without rights",
        "E02": "CAP_SYS_PTRACE alone",
        "E03": "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
        "E04": "CAP_PERFMON or CAP_SYS_ADMIN alone",
        "E05": "no CAP_SYS_ADMIN: no frames",
        "E06": "/proc with hidepid",
        "E07": "/proc of processes alone",
        "E08": "a PID namespace",
        "E09": "root of a user namespace",
        "E10": "yama: who may attach",
        "E11": "root, and yet refused",
        "E12": "a kernel that is locked down",
        "E13": "a kernel without BTF",
        "E14": "programs that the kernel refuses, to root as well",
        "E15": "no memory that may be locked",
        "E16": "what users may count: perf_event_paranoid, unprivileged_bpf_disabled",
        "E17": "no /proc, no /sys",
        "E18": "a root directory with nothing in it, that cannot be written to",
        "E19": "few descriptors, no threads, few addresses, no files",
        "E20": "descriptors 0 to 2 closed at the start",
        "E21": "no argv[0]",
        "E22": "system calls that a container refuses",
    }),
    "F": ("Probes", {
        "F01": "the verifier refuses a program",
        "F02": "attached, and silent",
        "F03": "one of several programs attaches",
        "F04": "tables that are full",
        "F05": "a ring that is full, its reader stopped",
        "F06": "a storm of a million faults a second",
        "F07": "the guard of the overhead trips",
        "F08": "statistics of programs, which all programs of the machine pay for",
        "F09": "two, five observers at once",
        "F10": "killed at whatever moment",
        "F11": "SIGTERM, SIGINT, SIGHUP, SIGPIPE",
        "F12": "CPUs that go and come",
        "F13": "stopped, or asleep, in mid-window",
        "F14": "faults that are retried",
        "F15": "faults of get_user_pages, and in memory of another process",
        "F16": "threads of the kernel that fault for a process",
        "F17": "tasks that end within a fault, and their numbers used again",
        "F18": "programs that the kernel skips",
        "F19": "a function of the kernel with another name, or other arguments",
        "F20": "bpf() that is denied, or is not there",
        "F21": "programs from elsewhere than vmtop itself",
        "F22": "a mapping that is freed while a fault in it waits",
    }),
    "G": ("Terminals", {
        "G01": "a thousand changes of size",
        "G02": "sizes of 1x1, 2x200, 0x0, 32767x32767",
        "G03": "TERM unset, empty, dumb, unknown, a path, very long",
        "G04": "a hostile description of the terminal",
        "G05": "standard output that is closed, or that nobody reads",
        "G06": "a terminal that takes little or nothing",
        "G07": "a terminal that goes away",
        "G08": "stopped and going on, begun in the background",
        "G09": "a crash while the screen is shown",
        "G10": "noise, a paste of a megabyte, half sequences, the mouse",
        "G11": "locales without UTF-8, wide characters, NO_COLOR",
        "G12": "what is on the screen is what was drawn",
    }),
    "H": ("Output and files", {
        "H01": "a full disk, at a write and at the end of it",
        "H02": "a limit of the size of files",
        "H03": "a link, a FIFO, a device or a directory in the place of a file",
        "H04": "killed while a file is replaced: the old one or the new one",
        "H05": "any umask: what is written is its owner's alone",
        "H06": "JSON is valid whatever could not be had",
        "H07": "numbers that are large: no exponent, no NaN",
        "H08": "a document of 10,000 processes",
        "H09": "a reader that takes a few bytes at a time",
    }),
    "I": ("Time", {
        "I01": "the wall clock is set while something is measured",
        "I02": "the machine was suspended",
        "I03": "counters that go back",
        "I04": "intervals that are none",
        "I05": "a sample that takes longer than the interval",
        "I06": "the years 2038 and 2106, a time zone that is none",
    }),
    "J": ("Recordings", {
        "J01": "truncated at every byte",
        "J02": "a bit is flipped anywhere",
        "J03": "newer versions, unknown and missing members",
        "J04": "numbers, depth, lists and content that were made to do harm; no rights",
        "J05": "it grows while it is read; its recorder is killed",
        "J06": "of a machine with other pages",
        "J07": "what is no recording: a FIFO, a device, an empty file",
        "J08": "the disk is full",
    }),
    "K": ("Configuration", {
        "K01": "noise, NULs, endless lines and files, brackets alone",
        "K02": "unknown names, bad values, a name twice",
        "K03": "a file, or a folder, that others may write to",
        "K04": "HOME and XDG_CONFIG_HOME of others",
        "K05": "files in the folder that one is in",
        "K06": "saved where nothing can be written, or in the place of a link",
        "K07": "an environment that names programs and libraries",
    }),
    "L": ("Unattended", {
        "L01": "no environment, no terminal, no home",
        "L02": "runs that overlap, twenty at once",
        "L03": "locales with another point, another i, or none",
        "L04": "few rights, little memory, hidden processes",
        "L05": "run after run",
        "L06": "all is well: not a word",
        "L07": "a recorder that runs for days",
    }),
    "M": ("Its own memory", {
        "M01": "little memory is left for it",
        "M02": "the n-th allocation fails, for every n",
        "M03": "memory that it locks",
        "M04": "what it asks of the OOM killer",
        "M05": "faults that it makes itself",
        "M06": "how long what is looked at waits for it",
        "M07": "a reader that waits for a processor while it holds a lock",
    }),
    "N": ("Kernels that are older and newer", {
        "N01": "a field that is not known",
        "N02": "a field that is missing",
        "N03": "no smaps, smaps_rollup and pagemap at all",
        "N04": "no MemAvailable",
        "N05": "more lines, other units, tabs",
        "N06": "stat with fewer fields",
        "N07": "lines cut anywhere between two reads",
        "N08": "numbers of devices and inodes that are wide",
        "N09": "more words behind the one of a removed file",
        "N10": "a rollup that lacks most of it (6.1)",
    }),
}
KNOWN = {case: what for _, cases in CASES.values() for case, what in cases.items()}

# Why a case has no test at all.
NOT_PRODUCED = {
    "A16": "not solved: a listing of /proc is not one moment, and who forks and ends in step with it "
           "can be in none (CVE-2018-1121); what faults or is mapped is seen by the probes all the "
           "same. SECURITY.md says so",
}

FIRST = re.compile(r"((?:[A-N]\d\d[ /]+)+)(.*)", re.DOTALL)
UNIT = re.compile(r"\b(?:cmocka_unit_test\w*|TEST)\(\s*((?:[a-n]\d\d_)+)(\w+)")
C_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
SHELL = re.compile(r"\b(?:ok|skip|part) [\"']?((?:[A-N]\d\d[ /])+)([^\"'\n]*)"
                   r"|\bcheck ((?:[A-N]\d\d/)+)(\S+)")
EXECUTABLE = re.compile(r"executable\(\s*'([^']+)'(.*?)\n?\)", re.DOTALL)

Test = collections.namedtuple("Test", "case path name")


def split(text):
    """The numbers of the cases that a name begins with, and the rest of it."""
    match = FIRST.fullmatch(text)
    if not match:
        return [], text
    return re.findall(r"[A-N]\d\d", match.group(1)), match.group(2).strip()


def python_names(text):
    """Literals that begin with a case; what an f-string puts in stands in braces."""
    tree = ast.parse(text)
    parts = {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for value in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(value.value if isinstance(value, ast.Constant)
                          else "{" + ast.unparse(value.value) + "}" for value in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and \
                id(node) not in parts:
            yield node.value


def names(path, text):
    """(cases, name) of each test that a file declares."""
    if path.suffix == ".py":
        found = [split(name) for name in python_names(text)]
    elif path.suffix == ".c":
        text = without_comments(text)
        found = [split(match.group(1)) for match in C_STRING.finditer(text)]
        found += [(re.findall(r"[A-N]\d\d", match.group(1).upper()), match.group(2))
                  for match in UNIT.finditer(text)]
    else:
        lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        found = [(re.findall(r"[A-N]\d\d", match[1] or match[3]),
                  (match[2] or match[4]).split(" - ")[0].strip())
                 for match in SHELL.finditer(lines)]
    return [(cases, name) for cases, name in found if cases]


def is_source(path):
    if path.suffix in (".py", ".c", ".sh"):
        return True
    return not path.suffix and path.read_bytes()[:10].startswith(b"#!/bin/")


def tests():
    """Every test that is named after a case, without doubles."""
    found = []
    for path in sorted((TOP / "tests").rglob("*")):
        if not path.is_file() or path == pathlib.Path(__file__).resolve() or \
                "golden" in path.parts or "fixtures" in path.parts or not is_source(path):
            continue
        for cases, name in names(path, path.read_text(encoding="utf-8", errors="replace")):
            found += [Test(case, path.relative_to(TOP), name) for case in cases]
    return list(dict.fromkeys(found))


def guests():
    """The sources whose programs run in guests."""
    suites = sorted((TOP / "tests").rglob("*.suite"))
    named = "\n".join(path.read_text() for path in suites)
    found = {path.parent.relative_to(TOP) / name for path in suites
             for name in re.findall(r"^file\s+(\S+\.sh)\s", path.read_text(), re.MULTILINE)}
    for build in sorted((TOP / "tests").rglob("meson.build")):
        folder = build.parent.relative_to(TOP)
        for name, rest in EXECUTABLE.findall(build.read_text()):
            if f"@BUILD@/{folder}/{name} " in named:
                found |= {folder / source for source in re.findall(r"'([\w-]+\.c)'", rest)}
    return found


def where(path, in_guests):
    """Where the tests of a file run."""
    suite = path.parts[1]
    if suite in ("unit", "snapshot", "static", "fuzz"):
        return suite
    if suite == "bench":
        suite = "live"
    # A script that guests are given is run by nobody else.
    if suite == "vm" or (path in in_guests and path.suffix == ".sh"):
        return "guests"
    return f"{suite}, and in guests" if path in in_guests else suite


def cell(text):
    return text.replace("\\n", " ").replace("|", "\\|").replace("<", "\\<").strip()


# A line of a result; what stands in brackets behind it is the kernel of a guest. Plans have numbers.
RESULT = re.compile(r"(ok|not ok|skip)\s+(?:\d+\s+-?\s*)?(.*?)(?:\s+\[([\d.]+)\])?(?:\s+-\s.*)?")
IN_RESULT = re.compile(r"(?:^|/)((?:[A-N]\d\d(?:[ /]+|$))+)|^((?:[a-n]\d\d_)+)")
COLUMNS = ["here", "5.10", "6.1", "6.12", "7"]
WORST = ["held", "skipped", "failed"]
HEAD = """# What became of the cases of tests/HOSTILE.md where all suites were run, by kernel. Written by
# tests/static/hostile.py --results. A case held where all of its tests that ran passed, and was
# skipped where none could run.
"""


def results_of(text):
    """(case, column, result) of what a suite printed."""
    for line in text.splitlines():
        line = line.strip()
        match = RESULT.fullmatch(line)
        if not match:
            continue
        result, name, kernel = match.groups()
        if result == "ok" and re.search(r"# *skip", line, re.IGNORECASE):
            result = "skip"
        found = IN_RESULT.search(re.sub(r"\s*# *skip:?\s*", "", name, flags=re.IGNORECASE))
        for case in re.findall(r"[A-N]\d\d", (found[1] or found[2]).upper()) if found else ():
            yield case, kernel or "here", result


def write_results(logs):
    """Takes them from the logs of suites; the kernel at hand is here. What these logs do not tell of
    stays as it was."""
    seen = collections.defaultdict(set)
    before = read_results()[1] if RESULTS.exists() else {}
    for path in sorted(logs.glob("*.txt")):
        for case, column, result in results_of(path.read_text(encoding="utf-8", errors="replace")):
            seen[case, column].add(result)
    release = ".".join(os.uname().release.split(".")[:2])
    lines = [HEAD.rstrip("\n"), f"kernel {release}"]
    for case in sorted(KNOWN):
        now = {column: "failed" if "not ok" in seen[case, column] else
               "held" if "ok" in seen[case, column] else "skipped"
               for column in COLUMNS if seen.get((case, column))}
        of = {column: what for column in COLUMNS
              if (what := now.get(column) or before.get(case, {}).get(column))}
        if of:
            lines.append(" ".join([case, *(f"{column}={what}" for column, what in of.items())]))
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for column in COLUMNS:
        count = collections.Counter(what for line in lines for word in line.split()[1:]
                                    for name, _, what in [word.partition("=")] if name == column)
        print(f"{column}: " + ", ".join(f"{count[what]} {what}" for what in WORST))


def read_results():
    """The kernel that is here, and {case: {column: result}}."""
    here, found = "", {}
    for line in RESULTS.read_text(encoding="utf-8").splitlines():
        first, *rest = line.split()
        if first == "kernel":
            here = rest[0]
        elif not line.startswith("#"):
            found[first] = dict(word.split("=") for word in rest)
    return here, found


def matrix():
    """The table of results by kernel."""
    here, found = read_results()
    held = [case for case in KNOWN if "held" in found.get(case, {}).values()]
    lines = [
        "## What became of them", "",
        f"{len(held)} of {len(KNOWN)} cases held when all suites were last run and this page was "
        "made: natively",
        f"on Linux {here}, with the suites that need no kernel in particular, and in guests. `+` held; "
        "`s` was",
        "skipped, as the kernel or machine cannot make it; nothing: it is not run there, for it tries "
        "vmtop",
        "and not the kernel, or needs minutes under emulation.", "",
        "| case | " + " | ".join([here, *COLUMNS[1:]]) + " |", "|---|" + "---|" * len(COLUMNS),
    ]
    marks = {"held": "+", "skipped": "s", "failed": "FAILED", None: ""}
    for case in KNOWN:
        cells = [marks[found.get(case, {}).get(column)] for column in COLUMNS]
        lines.append(f"| {case} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def page():
    in_guests = guests()
    found = collections.defaultdict(list)
    for test in tests():
        found[test.case].append(test)
    lines = [
        "# Hostile cases", "",
        "<!-- Made by tests/static/hostile.py --update from the sources of the tests. -->", "",
        "What vmtop has to survive, and the tests that make it so. The name of a test begins with",
        "the number of its case: `\"A07 execve ...\"` in Python and shell, `\"A07/execve-...\"` in C of",
        "`tests/live`, where names are one word, `a07_execve...` in cmocka. This page is made from",
        "them: `tests/static/hostile.py --update`. A test that a machine cannot make is skipped there",
        "with the reason.", "",
    ]
    for title, cases in CASES.values():
        lines += [f"## {title}", "", "| case | what | test | suite |", "|---|---|---|---|"]
        for case, what in cases.items():
            by_path = collections.defaultdict(list)
            for test in found[case]:
                by_path[test.path].append(test.name)
            if not by_path:
                why = NOT_PRODUCED.get(case, "to be written")
                lines.append(f"| {case} | {cell(what)} | none: {cell(why)} | - |")
            for i, (path, names_) in enumerate(by_path.items()):
                first = f"| {case} | {cell(what)} |" if i == 0 else "| | |"
                said = "; ".join(cell(name) for name in dict.fromkeys(names_))
                lines.append(f"{first} `{path}`: {said} | {where(path, in_guests)} |")
        lines.append("")
    return "\n".join(lines + matrix())


def update():
    text = page()
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        PAGE.write_text(text, encoding="utf-8")
        print(f"wrote {PAGE.relative_to(TOP)}")


def stale():
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    lines = list(difflib.unified_diff(old.splitlines(), page().splitlines(), "committed", "found",
                                      n=0, lineterm=""))
    return ["it is not what the tests say; tests/static/hostile.py --update"] + lines[:20] \
        if lines else []


# What declares a case, and what only looks like it.
FINDS = [
    ("x.py", 'check("A07 execve: it", None)', ["A07 execve: it"]),
    ("x.py", 'check(f"E06 hidepid={n}: it")', ["E06 hidepid={n}: it"]),
    ("x.py", '# "A07 in a comment"\ncheck("a A07 later", "A070 no case", "X01 other")', []),
    ("x.py", 'check("A03 A04 zombie")', ["A03 zombie", "A04 zombie"]),
    ("x.c", 'check_begin(&c, "A07/execve-%d", 1); /* "A08/in-a-comment" */', ["A07 execve-%d"]),
    ("x.c", "cmocka_unit_test(a07_execve), cmocka_unit_test(test_a08)", ["A07 execve"]),
    ("x.c", "cmocka_unit_test_setup_teardown(a03_a04_zombie, up, down)", ["A03 zombie",
                                                                         "A04 zombie"]),
    ("x.sh", '# ok "A01 no"\necho "ok A07 execve"', ["A07 execve"]),
    ("x.sh", 'check A07/execve its "words"\necho "skip A08/x - why"', ["A07 execve", "A08 x"]),
]


# What a line of a suite says of a case.
SAID = [
    ("ok 7 - a07_execve", [("A07", "here", "ok")]),
    ("ok 7 # SKIP a07_execve", [("A07", "here", "skip")]),
    ("ok A03 A04 zombie: it", [("A03", "here", "ok"), ("A04", "here", "ok")]),
    ("not ok odd/C03/closed [6.12] - size 1 [7]", [("C03", "6.12", "not ok")]),
    ("skip hostile/probe/F03 [5.10] - on 7, or with --full", [("F03", "5.10", "skip")]),
    ("ok x: C04 later", []),
    ("# ok A07", []),
]


def main():
    if "--results" in sys.argv[1:]:
        where_ = sys.argv[sys.argv.index("--results") + 1:]
        write_results(pathlib.Path(where_[0]) if where_ else TOP / "build" / "testlogs")
        update()
        return
    if "--update" in sys.argv[1:]:
        update()
        return
    report = Report()
    report.check("names of cases are found", [
        f"{text!r} gives {have}" for path, text, wanted in FINDS
        if (have := [f"{case} {name}" for cases, name in names(pathlib.Path(path), text)
                     for case in cases]) != wanted
    ])
    report.check("results of cases are found", [
        f"{text!r} gives {have}" for text, wanted in SAID if (have := list(results_of(text))) != wanted
    ])
    found = tests()
    tested = {test.case for test in found}
    report.check("there are 171 cases", None if len(KNOWN) == 171 else f"{len(KNOWN)}")
    report.check("every hostile case has a test or a reason",
                 sorted(set(KNOWN) - tested - set(NOT_PRODUCED)))
    report.check("no case has both a test and a reason for none", sorted(tested & set(NOT_PRODUCED)))
    report.check("every name is of a case that is known",
                 [f"{test.path}: {test.case}" for test in found if test.case not in KNOWN])
    became = read_results()[1]
    report.check("tests/hostile-results is of cases that there are, and none failed",
                 [case for case in became if case not in KNOWN] +
                 [f"{case} {became[case]}" for case in became if "failed" in became[case].values()])
    report.check("each case held on some kernel, or has a reason",
                 [case for case in became if "held" not in became[case].values()])
    report.check("tests/HOSTILE.md is up to date", stale())
    report.done()


if __name__ == "__main__":
    main()
