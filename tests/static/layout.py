#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The form of the sources: licence first, clang-format, no file too long, no blank at the end."""

import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import TOP, Report  # noqa: E402

FOLDERS = ("lib", "cmd", "bpf", "man", "completions", "contrib", "systemd", "scripts", "tests", ".ci")
CODE = {".c", ".h", ".def", ".py", ".build", ".sh", ".ini", ".lds"}
LICENCE = "SPDX-License-Identifier: GPL-2.0-or-later"
LINES = 800
CLANG_FORMAT = 14


def is_script(path):
    with open(path, "rb") as file:
        return file.read(2) == b"#!"


def code():
    """Every file of code in the tree; recorded fixtures and documents are not."""
    found = [TOP / "meson_options.txt", *(path for path in TOP.iterdir() if path.suffix in CODE)]
    for folder in FOLDERS:
        for path in (TOP / folder).rglob("*"):
            if "fixtures" in path.parts or "__pycache__" in path.parts:
                continue
            if path.is_symlink() or not path.is_file():
                continue
            if path.suffix in CODE or is_script(path):
                found.append(path)
    return sorted(found)


def licence_problem(path, lines):
    first = lines[1:2] if lines and lines[0].startswith(("#!", "#compdef")) else lines[:1]
    return None if first and LICENCE in first[0] else f"{path}: {LICENCE} is not the first line"


def format_problems(files):
    said = subprocess.run(
        ["clang-format", "--dry-run", "--Werror", "--style=file", *map(str, files)],
        cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )
    if said.returncode == 0:
        return []
    bad = sorted(set(re.findall(r"^(\S+?):\d+:\d+: ", said.stdout, re.MULTILINE)))
    return [f"clang-format -i {' '.join(bad)}"] if bad else [said.stdout]


def syntax_problem(path, text):
    """What the interpreter of a script says to it before it runs."""
    first = text.split("\n", 1)[0]
    if path.suffix == ".py" or "python" in first:
        try:
            compile(text, str(path), "exec")
        except SyntaxError as error:
            return f"{path}: {error}"
    elif re.match(r"#!\s*/bin/(ba)?sh\b", first):
        said = subprocess.run(
            [first[2:].strip(), "-n"], input=text, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        if said.returncode:
            return f"{path}: {said.stdout.strip()}"
    return None


def main():
    report = Report()
    files = code()
    licence, long, blank, syntax, form = [], [], [], [], []
    for path in files:
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        name = path.relative_to(TOP)
        licence += filter(None, [licence_problem(name, lines)])
        syntax += filter(None, [syntax_problem(name, text)])
        if len(lines) > LINES:
            long.append(f"{name} has {len(lines)} lines")
        if path.suffix in (".c", ".h"):
            form.append(name)
        blank += [
            f"{name}:{number}: blank at the end of the line"
            for number, line in enumerate(lines, 1)
            if line != line.rstrip()
        ]
    report.check(f"licence in {len(files)} files", licence)
    report.check(f"no file over {LINES} lines", long)
    report.check("no blank at the end of a line", blank)
    report.check("scripts can be parsed", syntax)

    name = f"clang-format of {len(form)} files"
    if not shutil.which("clang-format"):
        report.skip(name, "no clang-format")
    else:
        said = subprocess.run(
            ["clang-format", "--version"], stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        version = re.search(r"version (\d+)", said)
        if not version or int(version.group(1)) != CLANG_FORMAT:
            report.skip(name, f"made for clang-format {CLANG_FORMAT}; this is {said.strip()}")
        else:
            report.check(name, format_problems(form))
    report.done()


main()
