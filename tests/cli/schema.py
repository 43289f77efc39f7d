#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What every command prints as JSON on this machine, against the schema that is shipped for it: as
root and as nobody."""

import os
import pathlib
import sys

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import OK, Outsider, commands, expect, loads, run  # noqa: E402
from tap import Report  # noqa: E402

# What a command needs to be run at all.
WORDS = {
    "maps": [str(os.getpid())],
    "faults": ["--duration", "0.3"],
    "report": ["--duration", "0.3"],
}


def breaches(schema, text):
    """Where a document differs from its schema."""
    try:
        document = loads(text)
    except ValueError as broken:
        return [f"broken JSON: {broken}"]
    errors = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in errors]


def holes(schema, where=""):
    """Objects of a schema that let anything through: no list of what they must have."""
    found = []
    if isinstance(schema, dict):
        if schema.get("type") == "object" and schema.get("properties") and not schema.get("required"):
            found.append(where or "the top")
        for key, value in schema.items():
            found += holes(value, f"{where}/{key}")
    return found


def main():
    report = Report()
    known = [c for c in commands()["commands"] if not c["hidden"] and c["sections"]]
    schemas = {}
    for command in known:
        name = command["name"]
        result = run("schema", name)
        problem = expect(result, OK)
        if not problem:
            schemas[name] = loads(result.out)
            try:
                jsonschema.Draft202012Validator.check_schema(schemas[name])
            except jsonschema.SchemaError as error:
                problem = error.message
        report.check(f"schema of {name} is one", problem or holes(schemas[name]))
        if name in schemas:
            report.check(f"schema of {name} refuses another document",
                         None if breaches(schemas[name], b'{"schema":"vmtop.nonsense"}') else "no")

    def check(who, runner):
        for name, schema in schemas.items():
            words = WORDS.get(name, [])
            result = runner(name, *words, "-J")
            report.check(f"{name} -J, {who}",
                         expect(result, OK, quiet=False) or breaches(schema, result.out))

    check("with the rights at hand", run)
    if os.geteuid() == 0:
        with Outsider() as nobody:
            # Of a process of root it may say nothing at all; rights.py has maps as nobody.
            schemas.pop("maps", None)
            check("as nobody", nobody.run)
    else:
        report.skip("as nobody", "only root can become nobody")
    report.check("every command with a document is tried",
                 sorted({"free", "ps", "maps", "faults", "report", "doctor"}
                        - {command["name"] for command in known}))
    report.done()


main()
