#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of commands, options and fields, as 'vmtop introspect' prints them, make sense."""

import collections
import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import TOP, VMTOP, Report  # noqa: E402

# What a document has room for; the tables of a command are as long as they are.
SECTIONS = int(re.search(r"#define VMT_SECTIONS_MAX (\d+)",
                         (TOP / "lib/view/doc.h").read_text(encoding="utf-8"))[1])
KINDS = {"@file", "@dir", "@pid", "@user", "@column", "@format", "@command", "@schema"}


def vmtop(*args):
    return subprocess.run(
        [VMTOP, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False
    )


def twice(words):
    return [word for word, n in collections.Counter(words).items() if n > 1]


def option_problems(command):
    name, options = command["name"], command["options"]
    for word in twice([option["name"] for option in options]):
        yield f"{name}: --{word} twice"
    for word in twice([option["letter"] for option in options if option["letter"]]):
        yield f"{name}: -{word} twice"
    for option in options:
        where = f"{name} --{option['name']}"
        if not re.fullmatch(r"[a-z][a-z0-9-]*", option["name"]):
            yield f"{where}: not a name of lower-case letters"
        if option["takes_value"] != bool(option["metavar"]):
            yield f"{where}: a value has a metavar, a flag has none"
        if not option["help"]:
            yield f"{where}: no help"
        values = option["values"] or ""
        if values.startswith("@") and values not in KINDS:
            yield f"{where}: completion knows no {values}"
        if values == "@column" and not command["sections"]:
            yield f"{where}: columns of what? the command has no section"


def command_problems(command):
    name = command["name"]
    if not re.fullmatch(r"[a-z]+", name):
        yield f"{name}: not a name of lower-case letters"
    if not command["summary"] or command["summary"].endswith("."):
        yield f"{name}: summary missing, or with a full stop"
    if command["min_operands"] > command["max_operands"]:
        yield f"{name}: needs more operands than it takes"
    if bool(command["max_operands"]) != bool(command["operands"]):
        yield f"{name}: operands without a kind for completion, or a kind without operands"
    if (command["operands"] or "").startswith("@") and command["operands"] not in KINDS:
        yield f"{name}: completion knows no {command['operands']}"
    if len(command["sections"]) > SECTIONS:
        yield f"{name}: {len(command['sections'])} sections, and a document has room for {SECTIONS}"
    for word in twice([section["key"] for section in command["sections"]]):
        yield f"{name}: section {word} twice"


def field_problems(entity):
    """-o and -s take a title or a key, without regard to case; each must mean one field."""
    named = {}
    for field in entity["fields"]:
        full = f"{field['group']}.{field['key']}" if field["group"] else field["key"]
        where = f"{entity['name']}.{full}"
        for word in {field["title"].lower(), field["key"].lower()}:
            if word in named:
                yield f"{where}: {word!r} names {named[word]} too"
            named[word] = where
        if not re.fullmatch(r"[a-z][a-z0-9_]*", field["key"]):
            yield f"{where}: a key is snake_case"
        if not re.fullmatch(r"[A-Z0-9][A-Z0-9/-]*", field["title"]):
            yield f"{where}: title {field['title']!r}"
        if field["title"] == "HELP":
            yield f"{where}: HELP is what lists the columns"
        if not field["help"]:
            yield f"{where}: no help"
        yield from unit_problems(where, field)


def unit_problems(where, field):
    """The unit stands in the key."""
    endings = {"bytes": ("_bytes", "histogram"), "ns": ("_ns", "histogram"), "pages": ("_pages",)}
    ending = endings.get(field["unit"])
    if ending and not field["key"].endswith(ending):
        yield f"{where}: {field['unit']}, and its key does not end in {ending[0]}"
    milli = ("_per_second", "_percent", "_ratio")
    # A verdict has its unit in a field of its own.
    if field["unit"] == "milli" and not field["key"].endswith(milli) and "verdict" not in where:
        yield f"{where}: a rate or ratio ends in _per_second, _percent or _ratio"
    for unit, ends in endings.items():
        if field["unit"] != unit and field["key"].endswith(ends[0]):
            yield f"{where}: the key says {unit}, the unit {field['unit']}"


def main():
    report = Report()
    said = vmtop("introspect")
    if not report.check("introspect prints JSON", said.stderr or not said.stdout):
        report.done()
    tables = json.loads(said.stdout)
    commands = tables["commands"]
    report.check("no command twice", twice([command["name"] for command in commands]))
    report.check(
        "commands are whole", [text for command in commands for text in command_problems(command)]
    )
    report.check(
        "options are clear", [text for command in commands for text in option_problems(command)]
    )
    for entity in tables["entities"]:
        report.check(f"fields of {entity['name']} are clear", list(field_problems(entity)))
    helped = vmtop("help").stdout
    report.check(
        "help lists the commands that are not hidden",
        [
            command["name"]
            for command in commands
            if bool(re.search(rf"^  {command['name']} ", helped, re.MULTILINE)) == command["hidden"]
        ],
    )
    wrong = []
    for command in commands:
        said = vmtop("help", command["name"])
        missing = [
            option["name"]
            for option in command["options"]
            if not re.search(rf"--{option['name']}\b", said.stdout)
        ]
        wide = [line for line in said.stdout.splitlines() if len(line) > 80]
        if said.returncode or missing or wide:
            wrong.append(f"help {command['name']}: {said.returncode} {missing} {wide}")
    report.check("help names each option in 80 columns", wrong)
    report.done()


if __name__ == "__main__":
    main()
