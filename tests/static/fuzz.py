#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every parser of tests/coverage/parsers is reached by a fuzz target: a target names its functions, or
functions of a file that does; each target is built, run and described."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "coverage"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from branches import parsers  # noqa: E402
from tap import TOP, Report, sources, without_comments  # noqa: E402

# What no target reaches, and why.
WITHOUT = {
    "lib/source/cgroup-mount.c": "opens what mounts.c has parsed, and looks which files are there",
}
# A definition that other files see: from the first column, without ";" before its body.
DEFINED = re.compile(r"^(?!static)[a-z][^;{}()]*?\b(vmt_\w+)\([^;{}]*\)\s*\{", re.MULTILINE)
NAMED = re.compile(r"\bvmt_\w+")


def unreached(path, texts, targets):
    """The functions of a file that no target reaches. Where some have it in their names that they
    parse, they all have to be; else one is enough, and all others come by it."""
    defined = {name: set(DEFINED.findall(text)) for name, text in texts.items()}
    used = set().union(*targets.values())
    # Files with a function that a target names; what stands in for a part that was not built has
    # the names of what it stands in for.
    callers = [name for name in texts if name != path and not name.endswith("-none.c")
               and defined[name] & used]  # fmt: skip
    used = used.union(*(NAMED.findall(texts[name]) for name in callers))
    parse = {name for name in defined[path] if "parse" in name.split("_")}
    if parse:
        return sorted(parse - used)
    return [] if defined[path] & used else sorted(defined[path]) or ["no function"]


def main():
    report = Report()
    texts = {
        "a.c": "int vmt_a_parse(int a)\n{\n\treturn vmt_b(a);\n}\nint vmt_a2_parse(void)\n{\n}\n",
        "b.c": "static int vmt_c(void)\n{\n}\nint vmt_b(int a,\n\t  int b)\n{\n}\nint vmt_d(void)\n{\n}\n",
        "a-none.c": "int vmt_a_parse(int a)\n{\n\treturn vmt_e();\n}\n",
        "e.c": "int vmt_e(void)\n{\n}\n",
    }
    found = {name: unreached(name, texts, {"x": {"vmt_a_parse"}}) for name in texts}
    report.check(
        "what is reached is told from what is not",
        None
        if found == {"a.c": ["vmt_a2_parse"], "b.c": [], "a-none.c": [], "e.c": ["vmt_e"]}
        else str(found),
    )

    texts = {
        str(path): without_comments((TOP / path).read_text("utf-8"), strings=False)
        for path in sources("lib", suffixes=(".c",))
    }
    folder = TOP / "tests/fuzz"
    targets = {
        path.stem[len("fuzz-"):]: set(
            NAMED.findall(without_comments(path.read_text("utf-8"), strings=False))
        )
        for path in sorted(folder.glob("fuzz-*.c"))
    }  # fmt: skip
    missing = {path: unreached(path, texts, targets) for path in parsers()}
    report.check(
        f"{len(missing)} parsers are reached by {len(targets)} targets",
        [
            f"{path}: {', '.join(names)}"
            for path, names in missing.items()
            if names and path not in WITHOUT
        ],
    )
    report.check(
        "what has no target is not reached",
        [path for path in WITHOUT if not missing.get(path)],
    )
    for name in ("meson.build", "run", "README.md"):
        text = (folder / name).read_text("utf-8")
        listed = {
            "meson.build": set(re.findall(r"'([a-z]+)'", text)),
            "run": set(re.findall(r'^    "([a-z]+)": \(', text, re.MULTILINE)),
            "README.md": set(re.findall(r"^\| `([a-z]+)` \|", text, re.MULTILINE)),
        }[name]
        report.check(
            f"tests/fuzz/{name} has each target",
            [target for target in targets if target not in listed],
        )
    report.done()


main()
