#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON Schemas: valid themselves, strict, and true of what the commands print and record here.

The documents of recorded machines are validated by the snapshot suite.
"""

import copy
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import TOP, VMTOP, Report  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMAS = TOP / "lib" / "view" / "schema"

# The sorts of lines of a recording: of its samples, those that others are told from have a time.
LINES = ("header", "key_sample", "sample", "gap_line", "end")

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
    """A value that the schema allows: as much null, or not there, as there may be, or, with known,
    none."""
    node = resolve(schema, node)
    if "const" in node:
        return node["const"]
    if "enum" in node:
        return node["enum"][0]
    if "oneOf" in node:
        return example(schema, node["oneOf"][0], known)
    kinds = kinds_of(node)
    if "null" in kinds and not known:
        return None
    if kinds[0] == "object" and of_processes(node):
        return {"42": example(schema, node["additionalProperties"], known)}
    if kinds[0] == "object" and "properties" not in node:
        return {"Future(anon)": 7, "FutureText": "two words"}
    if kinds[0] == "object":
        return {key: example(schema, node["properties"][key], known) for key in keys_of(node, known)}
    if kinds[0] == "array":
        return [example(schema, node["items"], known)]
    if kinds[0] == "string":
        return text_for(node)
    return {"integer": 7, "number": 7.5, "boolean": True, "null": None}[kinds[0]]


def kinds_of(node):
    return node["type"] if isinstance(node["type"], list) else [node["type"]]


def of_processes(node):
    """Whether it is an object with a member for each process."""
    return "properties" not in node and "type" not in node["propertyNames"] \
        and node["propertyNames"]["pattern"].startswith("^[1-9]")


def keys_of(node, known):
    """The keys that are there; not known: those that have to be, and a few where some have to."""
    properties, least = list(node["properties"]), node.get("minProperties", 0)
    if known:
        return properties
    keys = [key for key in properties
            if key in node["required"] or "null" in node["properties"][key].get("type", [])]
    return keys + [key for key in properties if key not in keys][:max(0, least - len(keys))]


def text_for(node):
    pattern = node.get("pattern", "")
    if pattern.startswith("^0x"):
        return "0x7f1c0000"
    if pattern.startswith("^[0-9]{4}-"):
        return "2026-11-21T00:38:24.799Z"
    if pattern.startswith("^[0-9]+"):
        return "0.1.0"
    if pattern == "^[a-z]+$":
        return "count"
    return "/+8="


def mutations(schema, node, value, where="$"):
    """(what was done, changed copy) for changes that each make the value wrong."""
    node = resolve(schema, node)
    if "oneOf" in node:
        options = [resolve(schema, option) for option in node["oneOf"]]
        null = any("null" in kinds_of(option) for option in options)
        for i, option in enumerate(options):
            one = value if i == 0 else example(schema, option, True)
            yield from ((what, changed) for what, changed in mutations(schema, option, one, where)
                        if changed is not None or not null)
        return
    if "const" in node or "enum" in node:
        yield f"{where} is another", "other"
        return
    kind = kinds_of(node)[0]
    if kind != "null" and "null" not in kinds_of(node):
        yield f"{where} is null", None
    if kind == "object" and of_processes(node):
        yield f"{where} has a name", {"init": value["42"]}
        yield f"{where} has nothing", {}
        for what, changed in mutations(schema, node["additionalProperties"], value["42"],
                                       f"{where}.42"):
            yield what, {"42": changed}
    elif kind == "object" and "properties" not in node:
        # The names are the kernel's.
        for what, more in (
            ("a null", {"Future": None}),
            ("a negative number", {"Future": -1}),
            ("a fraction", {"Future": 0.5}),
            ("an object", {"Future": {}}),
            ("no name", {"": 7}),
            ("a name of two words", {"Fut ure": 7}),
            ("a long name", {"F" * 65: 7}),
            ("65 keys", {f"Future{i}": i for i in range(65)}),
        ):
            yield f"{where} has {what}", more
        if node.get("minProperties"):
            yield f"{where} has no key", {}
        yield f"{where} is text", "Future=7"
    elif kind == "object":
        more = dict(value)
        more["no_such_key"] = 1
        yield f"{where} has a key more", more
        for key in node["required"]:
            yield f"{where} has no {key}", {k: v for k, v in value.items() if k != key}
        for key in node.get("dependentRequired", ()):
            yield f"{where} has no {key}", {k: v for k, v in value.items() if k != key}
        if node.get("minProperties", 0) > len(node["required"]):
            yield f"{where} says nothing", {key: value[key] for key in node["required"]}
        for key, part in node["properties"].items():
            for what, changed in mutations(schema, part, value[key], f"{where}.{key}"):
                whole = dict(value)
                whole[key] = changed
                yield what, whole
    elif kind == "array":
        if node.get("minItems"):
            yield f"{where} is empty", []
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


def errors_of_line(schema, line):
    """The sort of a line, and what in it is not as the schema of that sort says."""
    value = json.loads(line)
    sort = "key_sample" if value["type"] == "sample" and "time" in value else value["type"]
    # Rows of another sort have that name, too.
    sort = "gap_line" if sort == "gap" else sort
    if sort not in LINES:
        return sort, [f"a line of no sort: {sort}"]
    return sort, [f"{sort}: {text}" for text in error_texts(line_validator(schema, sort), value)]


def line_validator(schema, sort):
    return jsonschema.Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{sort}"})


# Maps and unmaps with each line that it reads.
MAPPER = """if True:
    import mmap, sys
    kept = []
    for line in sys.stdin:
        kept = kept[1:] + [mmap.mmap(-1, (len(kept) + 1) << 16) for _ in range(3)]
"""


def write(path, *words):
    """Records while mappings and processes come and go; what the recorder says where it fails."""
    with subprocess.Popen([sys.executable, "-uc", MAPPER], stdin=subprocess.PIPE) as child:
        with subprocess.Popen(
            [VMTOP, "record", "-w", path, "-n", "8", "-d", "0.02", "--maps",
             f"{child.pid},{os.getpid()}", *words],
            stderr=subprocess.PIPE, text=True,
        ) as job:
            while job.poll() is None:
                child.stdin.write(b"\n")
                child.stdin.flush()
                subprocess.run(["true"], check=True)
            said = job.stderr.read()
        child.stdin.close()
    return f"exit {job.returncode}: {said.strip()}" if job.returncode else ""


def recordings(report, schema):
    """Lines of every sort, as they are written here: one recorder goes on behind another."""
    name = "lines of a recording"
    if not shutil.which("zstd"):
        report.skip(name, "needs zstd")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.rec")
        failed = write(path) or write(path, "--faults")
        if failed:
            if "without recordings" in failed:
                report.skip(name, failed)
            else:
                report.check(name, failed)
            return
        text = subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout
    problems, seen = [], set()
    for line in text.splitlines():
        sort, errors = errors_of_line(schema, line)
        seen.add(sort)
        problems += errors
    report.check(name, problems)
    report.check("lines of every sort are seen", sorted(set(LINES) - seen))
    # Whether a rung works here or not, there is a row that says so.
    report.check("lines with faults are seen", None if b'"probe":[' in text else "there are none")


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
        if name == "recording":
            for sort in LINES:
                part = {"$defs": schema["$defs"], "$ref": f"#/$defs/{sort}"}
                report.check(f"schema of {name} is strict: {sort}",
                             strictness(line_validator(schema, sort), part))
            if os.path.exists("/proc/self/stat"):
                recordings(report, schema)
            else:
                report.skip(f"lines of a {name}", "there is no /proc here")
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
        [name for name in names.split() if not list(SCHEMAS.glob(f"vmtop.{name}-*.schema.json"))],
    )
    said = subprocess.run(
        [VMTOP, "schema", "no-such"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, check=False
    )
    report.check("no schema of a command that is none: exit 2", None if said.returncode == 2 else f"exit {said.returncode}")
    report.done()


if __name__ == "__main__":
    main()
