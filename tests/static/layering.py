#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may include what: the layers of vmtop, and which file alone may speak to which library."""

import fnmatch
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import BUILD, BUILD_DEV, TOP, Report, sources, without_comments  # noqa: E402

# Layer of a file -> layers that it may include. A deeper folder stands before the one around it.
LAYERS = {
    "lib/base": {"lib/base"},
    "lib/model": {"lib/base", "lib/model"},
    "lib/source": {"lib/base", "lib/model", "lib/source", "bpf"},
    "lib/view": {"lib/base", "lib/model", "lib/view"},
    "cmd/ui": {"lib/base", "lib/model", "cmd/ui"},
    "cmd": {"lib/base", "lib/model", "lib/source", "lib/view", "cmd", "cmd/ui"},
    "bpf": {"bpf"},
}

# Headers of a library -> the files that may include them.
LIBRARIES = [
    ("curses", r"(ncursesw?/)?(n?curses|panel|menu|form|term)\.h", ["cmd/ui/*"]),
    ("libproc2", r"libproc2/.*", ["lib/source/procps.c"]),
    ("libbpf", r"bpf/.*", ["lib/source/probe*.c", "bpf/*"]),
    ("a skeleton", r"(.*/)?[^/]*\.skel\.h", ["lib/source/probe*.c"]),
    ("libelf or libdw", r"(libelf|gelf|dwarf)\.h|elfutils/.*",
     ["lib/source/elf.c", "lib/source/elf-symbols.[ch]", "lib/source/symbol.c",
      "lib/source/symbol-table.c"]),
    ("libsmartcols", r"libsmartcols/.*", ["lib/view/*"]),
    ("json-c", r"json-c/.*",
     ["lib/source/row-parse.c", "lib/source/document.c", "lib/source/recording*.c",
      "tests/unit/*", "tests/fuzz/*"]),
    ("libzstd", r"(zstd|zstd_errors|zdict)\.h",
     ["lib/source/recording*.c", "cmd/record-writer.c", "tests/unit/*"]),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def layer_of(path):
    """The layer of a path relative to the tree, None outside of them."""
    path = str(path)
    return next((name for name in LAYERS if path.startswith(name + "/")), None)


def find(includer, name):
    """Path, relative to the tree, of a header named in quotes; None where there is none."""
    for folder in (includer.parent, pathlib.Path("lib"), pathlib.Path(".")):
        path = (TOP / folder / name).resolve()
        if path.is_file() and path.is_relative_to(TOP):
            return path.relative_to(TOP)
    return None


def generated(name):
    return any(
        next(build.rglob(pathlib.PurePath(name).name), None) is not None
        for build in (BUILD, BUILD_DEV)
        if build.is_dir()
    )


def judge(includer, bracket, name):
    """None where a file may include name, otherwise why not."""
    for library, pattern, allowed in LIBRARIES:
        # <bpf/x.h> is libbpf; "bpf/x.h" is a header of ours.
        if library == "libbpf" and bracket == '"':
            continue
        if re.fullmatch(pattern, name):
            if any(fnmatch.fnmatch(str(includer), glob) for glob in allowed):
                return None
            return f"only {', '.join(allowed)} may include {library}"
    if bracket == "<":
        return None
    target = find(includer, name)
    if target is None:
        return None if generated(name) else "no such header in the tree"
    own, other = layer_of(includer), layer_of(target)
    if other is None:
        return f"{target} is in no layer"
    if other not in LAYERS[own]:
        return f"{own} may not include {other}"
    return None


# The rules are held against cases whose answer is known: one that lets all through fails.
KNOWN = [
    ("lib/base/buf.c", '"', "base/mem.h", True),
    ("lib/base/buf.c", '"', "model/sample.h", False),
    ("lib/model/field.c", '"', "base/err.h", True),
    ("lib/model/field.c", '"', "source/collect.h", False),
    ("lib/view/table.c", '"', "source/collect.h", False),
    ("lib/source/collect.c", "<", "libproc2/pids.h", False),
    ("lib/source/procps.c", "<", "libproc2/meminfo.h", True),
    ("lib/source/probe-fault.c", "<", "bpf/libbpf.h", True),
    ("lib/source/maps.c", "<", "bpf/libbpf.h", False),
    ("cmd/main.c", "<", "bpf/bpf.h", False),
    ("lib/source/elf.c", "<", "gelf.h", True),
    ("cmd/cmd-maps.c", "<", "gelf.h", False),
    ("cmd/ui/screen.c", "<", "ncurses.h", True),
    ("cmd/cmd-top.c", "<", "ncurses.h", False),
    ("cmd/ui/screen.c", '"', "source/collect.h", False),
    ("cmd/main.c", '"', "source/collect.h", True),
    ("cmd/main.c", '"', "nowhere/at-all.h", False),
    ("lib/source/probe.c", '"', "fault.skel.h", True),
    ("cmd/main.c", '"', "fault.skel.h", False),
    ("lib/source/row-parse.c", "<", "json-c/json.h", True),
    ("lib/view/row-json.c", "<", "json-c/json.h", False),
    ("lib/source/recording.c", "<", "zstd.h", True),
    ("lib/source/document.c", "<", "zstd.h", False),
    ("cmd/main.c", "<", "stdio.h", True),
]


def main():
    report = Report()
    report.check(
        "the rules tell right from wrong",
        [
            f"{path} with {name}: {judge(pathlib.Path(path), bracket, name) or 'allowed'}"
            for path, bracket, name, fine in KNOWN
            if (judge(pathlib.Path(path), bracket, name) is None) != fine
        ],
    )
    for layer in LAYERS:
        files = [
            path
            for path in sources(layer, suffixes=(".c", ".h", ".def"))
            if layer_of(path) == layer
        ]
        if not files:
            continue
        problems = []
        for path in files:
            text = without_comments((TOP / path).read_text(encoding="utf-8"))
            for match in INCLUDE.finditer(text):
                why = judge(path, match.group(1), match.group(2))
                if why:
                    line = text.count("\n", 0, match.start()) + 1
                    problems.append(f"{path}:{line}: {match.group(2)}: {why}")
        report.check(f"includes of {len(files)} files in {layer}", problems)
    report.done()


main()
