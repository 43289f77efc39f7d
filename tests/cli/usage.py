#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Words on the command line: what is refused, with which exit code, in how many lines; help."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import NOTHING, OK, USAGE, commands, expect, loads, raw_controls, run  # noqa: E402
from tap import TOP, Report  # noqa: E402

REFUSED = [
    ("unknown command", ["nonsense"]),
    ("unknown command behind an option", ["-J", "nonsense"]),
    ("unknown long option", ["free", "--nonsense"]),
    ("unknown letter", ["free", "-Z"]),
    ("unknown option of no command", ["--nonsense"]),
    ("option of another command", ["free", "--duration", "1"]),
    ("abbreviation of two options", ["free", "--f"]),
    ("long option without its value", ["free", "--root"]),
    ("letter without its value", ["free", "-w"]),
    ("value for a flag", ["free", "--json=yes"]),
    ("unknown format", ["free", "--format", "yaml"]),
    ("empty format", ["free", "--format="]),
    ("pages without a process", ["pages"]),
    ("pages of no number", ["pages", "x"]),
    ("a range of one address", ["pages", "1", "--range", "1000"]),
    ("a range that is empty", ["pages", "1", "--range", "2000-2000"]),
    ("a range that is no address", ["pages", "1", "--range", "12-xyz"]),
    ("a range and a mapping", ["pages", "1", "--range", "1-2", "--vma", "1"]),
    ("a mapping at no address", ["pages", "1", "--vma", "heap"]),
    ("two forms of pages", ["pages", "1", "--each", "--map"]),
    ("frames without --pfn", ["pages", "1", "-o", "pfn"]),
    ("no time to watch", ["pages", "1", "--written-since", "0"]),
    ("addr without an address", ["addr", "1"]),
    ("addr of no address", ["addr", "1", "main"]),
    ("files by cgroup", ["cache", "--all", "--group", "cgroup"]),
    ("a cgroup of no name", ["free", "--cgroup="]),
    ("a cgroup that leads up", ["free", "--cgroup", "/a/../.."]),
    ("a column of the machine in a cgroup", ["free", "--cgroup", "/", "-o", "total"]),
    ("unknown column", ["ps", "-o", "nonsense"]),
    ("unknown column among known", ["ps", "-o", "pid,nonsense"]),
    ("empty column", ["ps", "-o", "pid,,comm"]),
    ("no column at all", ["ps", "-o", ""]),
    ("unknown order", ["ps", "-s", "nonsense"]),
    ("rows: a word", ["ps", "--top", "many"]),
    ("rows: negative", ["ps", "--top", "-1"]),
    ("rows: too many digits", ["ps", "--top", "99999999999999999999999"]),
    ("rows: a number with a tail", ["ps", "--top", "10x"]),
    ("rows: empty", ["ps", "--top="]),
    ("time limit: a word", ["free", "--timeout", "soon"]),
    ("time limit: none", ["free", "--timeout", "0"]),
    ("time limit: negative", ["free", "-t", "-1"]),
    ("time limit: beyond all", ["free", "-t", "1e400"]),
    ("duration: not a number", ["faults", "--duration", "nan"]),
    ("duration: infinite", ["faults", "--duration", "inf"]),
    ("duration: negative", ["faults", "--duration=-1"]),
    ("duration: too long for a clock", ["faults", "--duration", "99999999999999999999"]),
    ("least latency: a word", ["faults", "--min-latency", "slow"]),
    ("least latency: negative", ["faults", "--min-latency=-1ms"]),
    ("least latency: nothing", ["faults", "--min-latency", ""]),
    ("a stream as a table", ["faults", "--stream"]),
    ("a stream as a document", ["faults", "--stream", "-J"]),
    ("a stream in an order", ["faults", "--stream", "--ndjson", "-s", "pid"]),
    ("the top of a stream", ["faults", "--stream", "--ndjson", "--top", "3"]),
    ("a rate of nothing", ["faults", "--rate-limit", "3"]),
    ("rate: a word", ["faults", "--min-latency", "1ms", "--rate-limit", "few"]),
    ("rate of nothing", ["faults", "--rate-limit", "10"]),
    ("events of a saved machine", ["events", "--root", "/"]),
    ("events: a kind of nothing known", ["events", "--only", "map,nonsense"]),
    ("events: a kind of nothing", ["events", "--only", ""]),
    ("events: a gap in a list", ["events", "--only", "mmap,,brk"]),
    ("events: duration: a word", ["events", "--duration", "long"]),
    ("events: duration: nothing", ["events", "--duration", "0"]),
    ("events: rate: a word", ["events", "--rate-limit", "few"]),
    ("events: rate of sums", ["events", "--summary", "--rate-limit", "3"]),
    ("events: folded sums that have no stacks", ["events", "--summary", "--format", "folded"]),
    ("events: stacks of sums", ["events", "--summary", "--stacks"]),
    ("events: what was touched of single ones", ["events", "--touched"]),
    ("events: what was touched of sums without places", ["events", "--summary", "--touched"]),
    ("events: what was touched, but not what was unmapped",
     ["events", "--summary=site", "--touched", "--only", "mmap"]),
    ("events: folded places", ["events", "--summary=site", "--format", "folded"]),
    ("events: a stream in an order", ["events", "-s", "pid"]),
    ("events: the top of a stream", ["events", "--top", "3"]),
    ("events: a process and a command", ["events", "-p", "1", "--", "true"]),
    ("overhead: a word", ["faults", "--overhead", "little"]),
    ("overhead: more than all", ["faults", "--overhead", "101"]),
    ("overhead of run", ["run", "--overhead", "-1", "--", "true"]),
    ("overhead of single faults", ["faults", "--overhead", "5", "--min-latency", "1ms"]),
    ("overhead and waiting", ["faults", "--overhead", "5", "-o", "+LOCK-WAIT"]),
    ("summary of nothing known", ["faults", "--summary", "nonsense"]),
    ("a kind of nothing known", ["faults", "--kind", "zero_fill,nonsense"]),
    ("a kind of nothing", ["faults", "--kind", ""]),
    ("a list of kinds with a gap", ["faults", "--kind", "zero_fill,,thp"]),
    ("kinds of instructions", ["faults", "--summary", "ip", "--kind", "all"]),
    ("kinds of single faults", ["faults", "--min-latency", "1ms", "--kind", "all"]),
    ("nothing to run", ["run"]),
    ("nothing to run behind --", ["run", "--"]),
    ("a budget without a value", ["run", "--budget", "maj_flt", "true"]),
    ("a budget of nothing", ["run", "--budget", "maj_flt=", "true"]),
    ("a budget of no field", ["run", "--budget", "nonsense=1", "true"]),
    ("a budget of no name", ["run", "--budget", "=1", "true"]),
    ("a budget of a label", ["run", "--budget", "command=1", "true"]),
    ("a budget of yes and no", ["run", "--budget", "agree=1", "true"]),
    ("a budget below 0", ["run", "--budget", "maj_flt=-1", "true"]),
    ("a count with a unit", ["run", "--budget", "min_flt=1M", "true"]),
    ("a size of time", ["run", "--budget", "peak_rss=10ms", "true"]),
    ("a time of size", ["run", "--budget", "stall=10M", "true"]),
    ("a budget beyond all", ["run", "--budget", "min_flt=99999999999999999999", "true"]),
    ("a size beyond all", ["run", "--budget", "peak_rss=99999999999999T", "true"]),
    ("a summary of nothing, of a command", ["run", "--summary", "nonsense", "true"]),
    ("a command in a recording", ["run", "--root", "/", "true"]),
    ("word too many", ["free", "nonsense"]),
    ("word too few", ["maps"]),
    ("process: a word", ["maps", "nonsense"]),
    ("process: all and one", ["maps", "--all", "1"]),
    ("huge pages of nobody", ["maps", "--huge"]),
    ("huge pages of everybody", ["maps", "--huge", "--all"]),
    ("huge pages and copies", ["maps", "--huge", "--cow", "1"]),
    ("huge pages in a recording", ["maps", "--huge", "--root", "/", "1"]),
    ("a column of mappings in huge pages", ["maps", "--huge", "-o", "swap_bytes", "1"]),
    ("promises of a cgroup", ["free", "--commit", "--cgroup", "/"]),
    ("promises again and again", ["free", "--commit", "-d", "1"]),
    ("a budget of nothing", ["free", "--budget", "1"]),
    ("a column of the machine in promises", ["free", "--commit", "-o", "total_bytes"]),
    ("groups of nothing", ["maps", "--group", "nothing", "1"]),
    ("groups without a process", ["maps", "--group", "role"]),
    ("groups and sharers", ["maps", "--group", "role", "--sharers", "1"]),
    ("copies and groups", ["maps", "--cow", "--group", "role", "1"]),
    ("copies of everybody", ["maps", "--cow", "--all"]),
    ("copies of nobody", ["maps", "--cow"]),
    ("copies of three", ["maps", "--cow", "1", "2", "3"]),
    ("copies of one and the same", ["maps", "--cow", "1", "1"]),
    ("copies of no time", ["maps", "--cow", "--interval", "0", "1"]),
    ("copies of a word", ["maps", "--cow", "--interval", "nonsense", "1"]),
    ("a time between no copies", ["maps", "--interval", "1", "1"]),
    ("copies in a recording", ["maps", "--cow", "--root", "/", "1"]),
    ("a column of mappings in copies", ["maps", "--cow", "-o", "rss_bytes", "1"]),
    ("an estimate of groups", ["maps", "--group", "role", "--pss=sliced", "1"]),
    ("a column of mappings in groups", ["maps", "--group", "role", "-o", "start", "1"]),
    ("files in a tree", ["ps", "--group", "file", "--tree"]),
    ("files again and again", ["ps", "--group", "file", "-d", "1"]),
    ("process: 0", ["maps", "0"]),
    ("process: negative", ["maps", "--", "-5"]),
    ("process: too many digits", ["maps", "99999999999999999999"]),
    ("process: a number with a tail", ["maps", "1x"]),
    ("process: a blank before", ["maps", " 1"]),
    ("process: in hexadecimal", ["maps", "0x1"]),
    ("process list with a word", ["ps", "-p", "1,nonsense"]),
    ("help of no command", ["help", "nonsense"]),
    ("schema of no command", ["schema", "nonsense"]),
    ("completion of no shell", ["completion", "nonsense"]),
]

# The kernel's highest process id is 2^22 - 1.
NO_PROCESS = str(1 << 22)

HOSTILE = "\x1b]0;owned\x07\x1b[31m\n\u009b2J\u202e"
ECHOED = [
    ("a command", [HOSTILE]),
    ("an option", ["free", "--" + HOSTILE]),
    ("a letter", ["free", "-\x1b"]),
    ("a byte that is no UTF-8", [b"\xff\xfe\x9b"]),
    ("a format", ["free", "--format", HOSTILE]),
    ("a column", ["ps", "-o", HOSTILE]),
    ("an order", ["ps", "-s", HOSTILE]),
    ("an operand", ["free", HOSTILE]),
    ("a process", ["maps", HOSTILE]),
    ("a process list", ["ps", "-p", HOSTILE]),
    ("a duration", ["faults", "--duration", HOSTILE]),
    ("a command to run", ["run", HOSTILE]),
    ("a kind of events", ["events", "--only", HOSTILE]),
    ("a user of events", ["events", "-u", HOSTILE]),
    ("a budget", ["run", "--budget", HOSTILE, "true"]),
    ("a value of a budget", ["run", "--budget", "stall=" + HOSTILE, "true"]),
    ("a help topic", ["help", HOSTILE]),
    ("a root", ["free", "--root", "/" + HOSTILE]),
    ("a cgroup", ["free", "--cgroup", HOSTILE]),
    ("a file", ["free", "-w", "/nonexistent/" + HOSTILE]),
    ("a directory", ["free", "-w", "/" + HOSTILE + "/x"]),
    ("100 kB", ["x" * 100000]),
]


def project_version():
    found = re.search(r"^\s*version: '([^']+)'", (TOP / "meson.build").read_text(), re.MULTILINE)
    return found.group(1)


def help_problems(command):
    """What is missing in the help of a command, by the tables that it is made from."""
    name = command["name"]
    result = run(name, "--help")
    problems = [expect(result, OK)]
    text = result.out.decode()
    problems += [
        f"--{option['name']} is not in it"
        for option in command["options"]
        if not re.search(rf"(^|\s)--{re.escape(option['name'])}(\s|\[=|$)", text)
    ]
    problems += [f"over 80 columns: {line}" for line in text.splitlines() if len(line) > 80]
    if run("help", name).out != result.out:
        problems.append(f"'vmtop help {name}' says something else")
    if run(name, "-h").out != result.out:
        problems.append(f"'vmtop {name} -h' says something else")
    return [problem for problem in problems if problem]


def keys(value, path=""):
    """The set of keys of a document, to compare two of them whose numbers differ."""
    if isinstance(value, dict):
        return {path} | {k for key in value for k in keys(value[key], f"{path}.{key}")}
    if isinstance(value, list):
        return {path} | {k for item in value for k in keys(item, f"{path}[]")}
    return {path}


def main():
    report = Report()
    known = commands()["commands"]
    names = {command["name"] for command in known}

    for name, args in REFUSED:
        result = run(*args)
        problem = expect(result, USAGE, complaint=True)
        if not problem and result.out:
            problem = f"stdout is {result.out!r}"
        report.check(f"refused: {name}", problem)
    for name, args in ECHOED:
        result = run(*args)
        problems = []
        if result.code in (OK, None) or (result.code or 0) < 0:
            problems.append(f"exit {result.code}")
        if raw_controls(result.err) or "\u202e".encode() in result.err:
            problems.append(f"raw control bytes: {result.err!r}")
        if len(result.err) > 2000 or result.err.count(b"\n") != 1:
            problems.append(f"{len(result.err)} bytes on {result.err.count(bytes([10]))} lines")
        report.check(f"hostile word: {name}", problems)

    result = run("--version")
    wanted = f"vmtop {project_version()}\n".encode()
    report.check(
        "--version", expect(result, OK) or (None if result.out == wanted else repr(result.out))
    )
    report.check("-V of a command", None if run("free", "-V").out == wanted else "differs")

    result = run("--help")
    shown = set(re.findall(r"^  ([a-z]+) ", result.out.decode(), re.MULTILINE))
    wanted = {command["name"] for command in known if not command.get("hidden")}
    report.check(
        "--help lists every command",
        expect(result, OK) or sorted(f"{name}: listed or not" for name in shown ^ wanted),
    )
    report.check("help is --help", None if run("help").out == result.out else "differs")
    for command in known:
        if not command.get("hidden"):
            report.check(f"help of {command['name']}", help_problems(command))

    before, behind = run("-J", "free"), run("free", "-J")
    report.check(
        "options before the command",
        expect(before, OK)
        or expect(behind, OK)
        or (None if keys(loads(before.out)) == keys(loads(behind.out)) else "other keys"),
    )
    report.check(
        "option between operands",
        expect(run("maps", "-J", NO_PROCESS, "--quiet"), NOTHING, quiet=False),
    )
    alone = run()
    report.check("vmtop alone, without a terminal", expect(alone, OK)
                 or (None if b"available" in alone.out.lower() else "shows no 'available'"))
    report.check("abbreviated option", expect(run("free", "--noh"), OK))
    report.check("the last format wins", [
        problem for problem in (
            expect(run("free", "-J", "--csv"), OK),
            None if not run("free", "-J", "--csv").out.startswith(b"{") else "JSON",
            None if run("free", "--csv", "-J").out.startswith(b"{") else "no JSON",
        ) if problem
    ])
    report.check(
        "every command is tried",
        sorted({"free", "ps", "maps", "faults", "report", "doctor", "schema", "help"} - names),
    )
    report.done()


main()
