#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The list of parsers that tests/coverage counts by itself: it names files that are there, each once,
and every file that has a function which parses."""

import collections
import re
import sys
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "coverage"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from branches import parsers  # noqa: E402
from tap import TOP, Report, sources, without_comments  # noqa: E402

# Functions of these names read nothing: they hand the text to one that is in the list.
ONLY_PASS = {
    "lib/source/collect.c": "chooses the parser of a file of the machine",
    "lib/source/collect-kernel.c": "chooses the parser of a file of the kernel's memory",
    "lib/source/collect-zones.c": "chooses the parser of a file of the zones",
    "lib/source/proc-task.c": "calls maps.c",
}
# A definition: from the first column, without ";" before its body.
PARSES = re.compile(r"^[a-z][^;{}()]*\b((?:\w+_)?parse(?:_\w+)?)\([^;{}]*\)\s*\{", re.MULTILINE)


def parsing(text):
    """The functions defined in C text whose name says that they parse."""
    return PARSES.findall(without_comments(text, strings=False))


def main():
    report = Report()
    found = parsing(
        "int vmt_x_parse(struct vmt_bytes text,\n\t\tint *ret);\n"
        "static int parse(int a)\n{\n\tparse_inner(a);\n}\n"
        "int vmt_parse_pid(const char *s,\n\t\t  uint64_t *ret)\n{\n\treturn vmt_y_parse(s);\n}\n"
        "/* int old_parse(void)\n{\n} */\nstatic struct parser *parser_new(void)\n{\n}\n"
    )
    report.check(
        "functions that parse are told from their callers",
        None if found == ["parse", "vmt_parse_pid"] else f"found {found}",
    )

    listed = parsers()
    times = collections.Counter(listed)
    report.check("each parser is listed once", [path for path in times if times[path] > 1])
    report.check(
        f"{len(listed)} parsers are there",
        [f"{path} is not there" for path in [*listed, *ONLY_PASS] if not (TOP / path).is_file()],
    )
    missing, needless = [], set(ONLY_PASS)
    for path in map(str, sources("lib/base", "lib/model", "lib/source", suffixes=(".c",))):
        names = parsing((TOP / path).read_text("utf-8"))
        if names and path not in times and path not in ONLY_PASS:
            missing.append(f"{path} has {names[0]}() and is not in tests/coverage/parsers")
        if names and path not in times:
            needless.discard(path)
    report.check("every file that parses is listed", missing)
    report.check("what is left out has a function that parses", sorted(needless))
    report.done()


main()
