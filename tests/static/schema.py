#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON Schemas: valid themselves, strict, and true of what the commands print here.

The documents of recorded machines are validated by the snapshot suite.
"""

import copy
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import TOP, VMTOP, Report  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMAS = TOP / "lib" / "view" / "schema"

# How a command is run for its document, where its name alone is not enough.
ARGUMENTS = {
    "diff": [str(TOP / "tests/fixtures/diff" / f"maps-{when}.json") for when in ("before", "after")],
    "cache": [__file__],
    "maps": [str(os.getpid())],
    "pages": [str(os.getpid())],
    "addr": [str(os.getpid()), format(id(object), "x"), "--no-sharers"],
    "events": ["--duration", "0.2"],
    "faults": ["--duration", "0.2", "--min-latency", "0", "--rate-limit", "100"],
    "report": ["--duration", "0.2"],
    "run": ["-w", "-", "-J", "true"],
    "check": ["available", "majflt", "proc.rss", "-p", "1", "--interval", "0.1"],
}


def resolve(schema, node):
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def example(schema, node, known):
    """A value that the schema allows: as much null as there may be, or, with known, none."""
    node = resolve(schema, node)
    if "const" in node:
        return node["const"]
    if "oneOf" in node:
        return example(schema, node["oneOf"][0], known)
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    if "null" in kinds and not known:
        return None
    if kinds[0] == "object" and "properties" not in node:
        return {"Future(anon)": 7, "FutureText": "two words"}
    if kinds[0] == "object":
        return {key: example(schema, value, known) for key, value in node["properties"].items()}
    if kinds[0] == "array":
        return [example(schema, node["items"], known)]
    if kinds[0] == "string":
        return text_for(node)
    return {"integer": 7, "number": 7.5, "boolean": True}[kinds[0]]


def text_for(node):
    pattern = node.get("pattern", "")
    if pattern.startswith("^0x"):
        return "0x7f1c0000"
    if pattern.startswith("^[0-9]{4}-"):
        return "2026-11-21T00:38:24.799Z"
    if pattern.startswith("^[0-9]+"):
        return "0.1.0"
    return "/+8="


def mutations(schema, node, value, where="$"):
    """(what was done, changed copy) for changes that each make the value wrong."""
    node = resolve(schema, node)
    if "oneOf" in node:
        yield from mutations(schema, node["oneOf"][0], value, where)
        return
    if "const" in node:
        yield f"{where} is another", "other"
        return
    kind = node["type"][0] if isinstance(node["type"], list) else node["type"]
    if kind == "object" and "properties" not in node:
        # The names are the kernel's.
        for what, more in (
            ("a null", {"Future": None}),
            ("a negative number", {"Future": -1}),
            ("a fraction", {"Future": 0.5}),
            ("an object", {"Future": {}}),
            ("no name", {"": 7}),
            ("a name of two words", {"Fut ure": 7}),
            ("a long name", {"F" * 65: 7}),
            ("no key", {}),
            ("65 keys", {f"Future{i}": i for i in range(65)}),
        ):
            yield f"{where} has {what}", more
        yield f"{where} is text", "Future=7"
    elif kind == "object":
        more = dict(value)
        more["no_such_key"] = 1
        yield f"{where} has a key more", more
        for key in node["required"]:
            yield f"{where} has no {key}", {k: v for k, v in value.items() if k != key}
        for key, part in node["properties"].items():
            for what, changed in mutations(schema, part, value[key], f"{where}.{key}"):
                whole = dict(value)
                whole[key] = changed
                yield what, whole
    elif kind == "array":
        for what, changed in mutations(schema, node["items"], value[0], f"{where}[0]"):
            yield what, [changed]
    elif kind in ("integer", "number"):
        yield f"{where} is text", "7"
        if "minimum" in node:
            yield f"{where} is negative", -1
        if kind == "integer":
            yield f"{where} is no whole number", 7.5
    elif kind == "string":
        yield f"{where} is a number", 7
        if "pattern" in node:
            yield f"{where} has another form", "\u00e4 b"
    else:
        yield f"{where} is a number", 7


def strictness(validator, schema):
    whole = example(schema, schema, True)
    unknown = example(schema, schema, False)
    problems = [f"refuses {name}: {error.message}" for name, value in
                (("all known", whole), ("all unknown", unknown))
                for error in validator.iter_errors(value)]
    allowed = []
    for what, changed in mutations(schema, schema, copy.deepcopy(whole)):
        if validator.is_valid(changed):
            allowed.append(what)
    return problems + [f"allows that {what}" for what in allowed]


def error_texts(validator, document):
    return [
        f"{'/'.join(str(part) for part in error.absolute_path)}: {error.message[:200]}"
        for error in validator.iter_errors(document)
    ]


def main():
    report = Report()
    if not jsonschema:
        report.skip("schemas", "needs python3-jsonschema")
        report.done()
    for path in sorted(SCHEMAS.glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        name = path.name.split(".")[1].rsplit("-", 1)[0]
        validator = jsonschema.Draft202012Validator(schema)
        try:
            validator.check_schema(schema)
            report.check(f"schema of {name} is valid")
        except jsonschema.SchemaError as error:
            report.check(f"schema of {name} is valid", error.message)
            continue
        report.check(f"schema of {name} is strict", strictness(validator, schema))
        if not os.path.exists("/proc/self/stat"):
            report.skip(f"document of {name}", "there is no /proc here")
            continue
        said = subprocess.run(
            [VMTOP, name, *ARGUMENTS.get(name, []), "-J"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
        )
        # Without rights (4) there may be a document all the same, which says what was not permitted.
        if said.returncode not in (0, 4):
            report.check(f"document of {name}", f"exit {said.returncode}: {said.stderr.strip()}")
        elif not said.stdout:
            report.skip(f"document of {name}", said.stderr.strip() or "not permitted")
        else:
            document = json.loads(said.stdout)
            report.check(f"document of {name}", error_texts(validator, document))
    names = subprocess.run([VMTOP, "schema"], stdout=subprocess.PIPE, text=True, check=True).stdout
    report.check(
        "each document has a schema",
        [name for name in names.split() if not (SCHEMAS / f"vmtop.{name}-1.schema.json").exists()],
    )
    said = subprocess.run(
        [VMTOP, "schema", "no-such"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, check=False
    )
    report.check("no schema of a command that is none: exit 2", None if said.returncode == 2 else f"exit {said.returncode}")
    report.done()


if __name__ == "__main__":
    main()
