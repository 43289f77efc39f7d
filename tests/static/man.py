#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages against the program: options, commands, exit codes, variables, and mandoc's lint."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import examples  # noqa: E402
from tap import BUILD, TOP, VMTOP, Report, sources  # noqa: E402

MAN = TOP / "man"
SCHEMAS = TOP / "lib" / "view" / "schema"

# Macros that end the arguments of .Fl on their line.
MACRO = re.compile(r"^(Ar|Cm|Fl|Op|Oo|Oc|Pq|Xr|Nm|Ql|Pa|Ic|Li|Va|Dv|Ns|No|Em|Sy)$")
PUNCTUATION = set(",;:.()[]|?!")


def flags(text):
    """The options that a page names by .Fl, with their dashes."""
    found = set()
    for line in text.splitlines():
        if not line.startswith("."):
            continue
        inside = False
        for word in line[1:].split():
            if word == "Fl":
                inside = True
            elif MACRO.match(word):
                inside = False
            elif inside and word not in PUNCTUATION:
                found.add("-" + word)
    return found


def names(option):
    short = [f"-{option['letter']}"] if option["letter"] else []
    return short + [f"--{option['name']}"]


def option_problems(command, text):
    """Each option of the command is named in its page; no other is."""
    known = {name for option in command["options"] for name in names(option)}
    said = flags(text)
    return [f"does not name {name}" for name in sorted(known - said)] + [
        f"names {name}, which there is not" for name in sorted(said - known)
    ]


def unknown_flags(tables, text):
    every = {
        name
        for command in tables["commands"]
        for option in command["options"]
        for name in names(option)
    }
    return [f"names {name}, which there is not" for name in sorted(flags(text) - every)]


def overview_problems(tables, text):
    commands = [command for command in tables["commands"] if not command["hidden"]]
    shared = {
        name
        for command in commands
        for option in command["options"]
        if option["group"]
        for name in names(option)
    }
    said = flags(text)
    yield from (f"does not explain {name}" for name in sorted(shared - said))
    yield from unknown_flags(tables, text)
    for command in commands:
        if not re.search(rf"^\.It Xr vmtop-{command['name']} 1\n{re.escape(command['summary'])}$",
                         text, re.MULTILINE):
            yield f"does not list {command['name']} with its summary"
    codes = {int(code) for code in re.findall(r"^\.It Li (\d+)$", text, re.MULTILINE)}
    for code in {entry["code"] for entry in tables["exit_codes"]} ^ codes:
        yield f"exit code {code}"
    for output in tables["outputs"]:
        if not re.search(rf"^\.Cm {output['name']}\b", text, re.MULTILINE):
            yield f"does not name the format {output['name']}"


def variable_problems(text):
    """Every variable of the environment that the program asks for is explained."""
    said = set(re.findall(r"[A-Z_]{3,}", " ".join(re.findall(r"^\.It Ev (.*)$", text, re.MULTILINE))))
    for path in sources("lib", "cmd"):
        code = (TOP / path).read_text(encoding="utf-8")
        for name in re.findall(r'getenv\("([A-Z_]+)"\)', code):
            if name not in said:
                yield f"{path} reads {name}"


def envelope_problems(text):
    """Every key of a document outside data is named in vmtop-json(5)."""
    said = set(re.findall(r"^\.(?:It )?Va (\w+)", text, re.MULTILINE))
    for path in SCHEMAS.glob("*.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        # Lines of a recording have a page of their own.
        if "properties" not in schema:
            continue
        keys = set(schema["properties"])
        for part in ("host", "scan"):
            keys |= set(schema["properties"][part]["properties"])
        yield from (f"{path.name} has {key}" for key in sorted(keys - said))


def recording_problems(text):
    """Every key of a line that is no field is named in vmtop-recording(5)."""
    said = set(re.findall(r"\w+", " ".join(re.findall(r"^\.(?:It )?Va (.*)$", text, re.MULTILINE))))
    path, = SCHEMAS.glob("vmtop.recording-*.schema.json")
    schema = json.loads(path.read_text(encoding="utf-8"))["$defs"]
    for sort in ("header", "key_sample", "sample", "gap_line", "end"):
        properties = schema[sort]["properties"]
        keys = set(properties) | set(properties.get("data", {}).get("properties", ()))
        yield from (f"{sort} has {key}" for key in sorted(keys - said))


def reference_problems(text):
    for name, section in re.findall(r"^\.(?:It )?Xr (vmtop[\w-]*) (\d)", text, re.MULTILINE):
        if not (MAN / f"{name}.{section}").exists():
            yield f"refers to {name}({section}), which there is not"


def heading_problems(name, summary, text):
    if not re.search(rf"^\.Nm {name}$\n^\.Nd {re.escape(summary)}$", text, re.MULTILINE):
        yield f"NAME is not {name} and {summary!r}, the summary of the command"
    wanted = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "OVERHEAD", "EXIT STATUS", "EXAMPLES",
              "SEE ALSO"]
    have = re.findall(r"^\.Sh (.*)$", text, re.MULTILINE)
    yield from (f"has no {part}" for part in wanted if part not in have)


def example_problems(text, folder):
    """The commands of a page's examples run."""
    for sign, line in re.findall(r"^\.Dl ([$#]) (vmtop .*)$", text, re.MULTILINE):
        wrong = None if "$(" in line else examples.problem(line, folder, rights=sign == "$")
        if wrong:
            yield wrong


def lint(path):
    said = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
    )
    return said.stdout.splitlines()


def main():
    report = Report()
    tables = json.loads(subprocess.run([VMTOP, "introspect"], stdout=subprocess.PIPE, check=True).stdout)
    pages = {path.name: path.read_text(encoding="utf-8") for path in sorted(MAN.glob("*.[1-8]"))}

    for command in tables["commands"]:
        name = f"vmtop-{command['name']}"
        page = f"{name}.1"
        if command["hidden"]:
            report.check(f"{page}: hidden, no page", page if page in pages else None)
            continue
        if not report.check(f"{page} is there", None if page in pages else f"man/{page} is missing"):
            continue
        report.check(f"{page}: options", option_problems(command, pages[page]))
        report.check(f"{page}: form", list(heading_problems(name, command["summary"], pages[page])))
    report.check(
        "no page of a command that is gone",
        [
            page
            for page in pages
            if re.fullmatch(r"vmtop-\w+\.1", page)
            and page[6:-2] not in {command["name"] for command in tables["commands"]}
        ],
    )
    report.check("vmtop.1: options, commands, exit codes, formats",
                 list(overview_problems(tables, pages["vmtop.1"])))
    report.check("vmtop.1: environment", list(variable_problems(pages["vmtop.1"])))
    for page in ("vmtop-json.5", "vmtop-fields.7"):
        report.check(f"{page}: options", unknown_flags(tables, pages[page]))
    report.check("vmtop-json.5: envelope", list(envelope_problems(pages["vmtop-json.5"])))
    report.check("vmtop-recording.5: members", list(recording_problems(pages["vmtop-recording.5"])))
    report.check("references",
                 [f"{page}: {text}" for page in pages for text in reference_problems(pages[page])])
    said = subprocess.run(["meson", "introspect", "--installed", str(BUILD)], stdout=subprocess.PIPE,
                          check=True)
    installed = {pathlib.Path(path).resolve() for path in json.loads(said.stdout)}
    report.check("pages are installed",
                 [page for page in pages if (MAN / page).resolve() not in installed])
    if os.path.exists("/proc/self/stat"):
        with tempfile.TemporaryDirectory() as folder:
            for page, text in pages.items():
                if ".Sh EXAMPLES" in text:
                    report.check(f"{page}: examples", list(example_problems(text, folder)))
    else:
        report.skip("examples", "there is no /proc here")
    for page in pages:
        if shutil.which("mandoc"):
            report.check(f"{page}: mandoc lint", lint(MAN / page))
        else:
            report.skip(f"{page}: mandoc lint", "needs mandoc")
    report.done()


if __name__ == "__main__":
    main()
