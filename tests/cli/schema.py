#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a user without rights gets as JSON, against the schema that is shipped for it. The static
suite does the same with the rights at hand, the snapshot suite with recorded machines."""

import os
import pathlib
import sys

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import OK, Outsider, commands, expect, loads, run  # noqa: E402
from tap import Report  # noqa: E402

# Arguments of a command that would else want some, or take its time.
WORDS = {"faults": ["--duration", "0.3"], "report": ["--duration", "0.3"],
         "run": ["-w", "-", "-J", "true"], "check": ["available", "maps.count"]}


def breaches(schema, text):
    """Where a document differs from its schema."""
    try:
        document = loads(text)
    except ValueError as broken:
        return [f"broken JSON: {broken}"]
    errors = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in errors]


def main():
    report = Report()
    # Maps of another user's process are denied in one line; rights.py has that. What reads files
    # alone has its own tests.
    names = [c["name"] for c in commands()["commands"]
             if c["sections"] and c["name"] not in ("maps", "pages", "addr", "cache", "diff",
                                                    "events")]
    if os.geteuid() != 0:
        report.skip("documents as nobody", "only root can become nobody")
        report.done()
    with Outsider() as nobody:
        for name in names:
            schema = run("schema", name)
            result = nobody.run(name, *WORDS.get(name, []), "-J")
            report.check(f"H06 {name} -J as nobody",
                         expect(schema, OK)
                         or expect(result, OK, quiet=False)
                         or breaches(loads(schema.out), result.out))
    report.check("every command with a document is tried",
                 sorted({"free", "ps", "faults", "report", "doctor"} - set(names)))
    report.done()


main()
