# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests on recorded machines share: the fixtures, running vmtop over one, and what no
output may hold."""

import csv
import io
import os
import pathlib
import re
import sys
import unicodedata
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import commands, loads, run  # noqa: E402
from tap import TOP, VMTOP  # noqa: E402

FIXTURES = TOP / "tests" / "fixtures"
GOLDEN = TOP / "tests" / "snapshot" / "golden"
HOSTILE = "hostile"
LOCALES = {"utf8": "C.UTF-8", "ascii": "C"}


def fixtures():
    """Their names; what was recorded first, what was made by hand last."""
    names = [path.parent.name for path in FIXTURES.glob("*/vmtop-fixture")]
    return sorted(names, key=lambda name: (name == HOSTILE, name))


def vmtop(root, *args, locale="C.UTF-8"):
    """Runs it over a fixture, by name or path. The name alone is what the output then shows."""
    env = {**os.environ, "LC_ALL": locale, "TZ": "UTC"}
    env.pop("COLUMNS", None)
    return run("--root", str(root), *args, program=os.path.abspath(VMTOP), cwd=FIXTURES, env=env)


def pids_of(fixture):
    """Process ids of a fixture that are some, in order."""
    found = (path.name for path in (FIXTURES / fixture / "proc").iterdir())
    return sorted(int(name) for name in found if re.fullmatch(r"[1-9]\d{0,6}", name))


def pid_named(fixture, comm):
    """The first process of that name."""
    for pid in pids_of(fixture):
        raw = (FIXTURES / fixture / "proc" / str(pid) / "stat").read_bytes()
        if raw[raw.index(b"(") + 1 : raw.rindex(b")")] == comm.encode():
            return pid
    raise LookupError(f"{fixture} has no process {comm}")


# What differs from run to run, or from build to build, and may: the one place for it.
VOLATILE = [
    (rb'"(took_ns|cpu_ns|longest_ns)":\d+', rb'"\1":0'),
    (rb'"vmtop":"[^"]*"', rb'"vmtop":"0.0.0"'),
    (rb"(?m)^vmtop \d+\.\d+\.\d+  ", rb"vmtop 0.0.0  "),
    (rb"(?m)^(vmtop_collect_duration_seconds) .*$", rb"\1 0"),
    (rb'(?m)^(vmtop_build_info\{version=)"[^"]*"', rb'\1"0.0.0"'),
    (rb"\. vmtop \d+\.\d+\.\d+\.</p>", rb". vmtop 0.0.0.</p>"),
]


# A table with the cost of each source, whose columns are as wide as their figures.
COSTS = re.compile(rb"^SOURCES\n(?:.+\n)*|what reading it took</summary>(?:.*\n)*", re.M)


def steady(out):
    for pattern, text in VOLATILE:
        out = re.sub(pattern, text, out)
    return COSTS.sub(
        lambda table: re.sub(
            rb"\b\d+(\.\d+)?(ns|us|ms|s)\b", b"TIME", re.sub(rb" +", b" ", table[0])
        ),
        out,
    )


def bad_text(out, locale="C.UTF-8"):
    """Characters that no terminal and no reader should get, and bytes that are none."""
    if locale == "C":
        bad = sorted(set(re.findall(rb"[^\n\x20-\x7e]", out)))
        return [f"not ASCII: {bad}"] if bad else []
    try:
        text = out.decode("utf-8")
    except UnicodeDecodeError as error:
        return [f"not UTF-8: {error}"]
    # Controls, formats (bidi, no width), separators of lines, surrogates, unassigned ones.
    return [
        f"U+{ord(c):04X} reaches the output"
        for c in sorted(set(text))
        if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Cn", "Co")
    ]


def bad_json(out):
    """The same for JSON, where a string may hold more, but nothing that a terminal obeys."""
    problems = [f"raw {byte!r}" for byte in set(re.findall(rb"[\x00-\x09\x0b-\x1f\x7f]", out))]
    problems += [f"raw C1 {char!r}" for char in set(re.findall(rb"\xc2[\x80-\x9f]", out))]
    for line in out.splitlines():
        try:
            loads(line)
        except ValueError as error:
            problems.append(f"no JSON: {error}: {line[:80]!r}")
    return problems


def bad_csv(out):
    """Cells that a spreadsheet would take for a formula, and rows of another length."""
    text = out.decode("utf-8")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    problems = [
        f"{len(row)} cells, not {len(rows[0])}: {row}" for row in rows if len(row) != len(rows[0])
    ]
    problems += [
        f"a formula: {cell[:40]!r}"
        for row in rows
        for cell in row
        if re.match(r"[=+@\t\r]|-(?!\d*$|[w-][x-][ps]$)", cell)
    ]
    return problems


# Elements and attributes that a page or a picture may have: none of them runs or fetches anything.
ELEMENTS = set(
    "html head meta title style body h1 h2 h3 h4 p ul li pre details summary figure div table thead "
    "tbody tr th td svg desc rect line path text".split()
)
ATTRIBUTES = set(
    "lang charset name content http-equiv class id scope open role aria-labelledby viewBox width "
    "height x y x1 y1 x2 y2 d".split()
)


def bad_page(out, kind):
    """What is not well-formed, needs another file, runs something, or has no words for a picture."""
    try:
        root = xml.etree.ElementTree.fromstring(out)
    except xml.etree.ElementTree.ParseError as error:
        return [f"no XML: {error}"]
    problems, ids = [], []
    for element in root.iter():
        name = element.tag.partition("}")[2]
        if name not in ELEMENTS:
            problems.append(f"<{name}>")
        problems += [f"{name} {key}" for key in element.keys() if key not in ATTRIBUTES]
        ids += [element.get("id")] if element.get("id") else []
        if name == "style" and re.search(r"@import|url\(|expression", element.text):
            problems.append("a style that fetches something")
        if name == "svg":
            words = element.get("aria-labelledby", "").split()
            named = {child.get("id"): child.text for child in element if child.get("id")}
            if element.get("role") != "img" or len(words) != 2 or not all(
                named.get(word) for word in words
            ):
                problems.append("a picture without title or description")
    if len(ids) != len(set(ids)):
        problems.append(f"an id twice: {sorted(ids)}")
    if root.tag.partition("}")[2] != kind:
        problems.append(f"the document is <{root.tag}>")
    return problems


def document(root, *args):
    """What vmtop -J says, as objects; the run must not fail."""
    result = vmtop(root, *args, "-J")
    if result.code != 0:
        raise RuntimeError(
            f"{' '.join(args)} over {root}: exit {result.code}: {result.err.decode()}"
        )
    return loads(result.out)


def known_commands():
    return {command["name"] for command in commands()["commands"]}
