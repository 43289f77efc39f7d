#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Committed files that the program makes: completions, schemas, vmtop-fields(7).

Without arguments each is compared with what the program prints now. With --update they are written;
build first, then commit what changed. tests/HOSTILE.md, which is made of the tests (hostile.py),
is written with them:

    ninja -C build && tests/static/generated.py --update
"""

import difflib
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "man"))
from tap import BUILD, TOP, VMTOP, Report  # noqa: E402
import fields  # noqa: E402
import hostile  # noqa: E402
import readme  # noqa: E402

SCRIPTS = {"bash": "vmtop.bash", "zsh": "_vmtop", "fish": "vmtop.fish"}
SCHEMAS = TOP / "lib" / "view" / "schema"


def vmtop(*args):
    said = subprocess.run([VMTOP, *args], stdout=subprocess.PIPE, check=True, text=True)
    return said.stdout


def wanted():
    """The text of each file, by its path."""
    files = {}
    for shell, name in SCRIPTS.items():
        files[TOP / "completions" / name] = vmtop("completion", shell)
    for name in vmtop("schema").split():
        text = vmtop("schema", name)
        version = json.loads(text)["title"].rsplit(" ", 1)[1]
        files[SCHEMAS / f"vmtop.{name}-{version}.schema.json"] = text
    files[TOP / "man" / "vmtop-fields.7"] = fields.page(json.loads(vmtop("introspect")))
    return files


def difference(path, text):
    """Nothing where the file is as it should be; else the first lines that are not."""
    if not path.exists():
        return [f"{path.relative_to(TOP)} is missing; tests/static/generated.py --update writes it"]
    old = path.read_text(encoding="utf-8")
    if old == text:
        return []
    lines = list(
        difflib.unified_diff(
            old.splitlines(), text.splitlines(), "committed", "printed now", n=0, lineterm=""
        )
    )
    return ["not as the program prints it; tests/static/generated.py --update"] + lines[:20]


def update(files):
    for path, text in files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(TOP)}")
    for path in SCHEMAS.glob("*.json"):
        if path not in files:
            path.unlink()
            print(f"removed {path.relative_to(TOP)}")


def installed():
    """The files of the tree that meson installs."""
    said = subprocess.run(
        ["meson", "introspect", "--installed", str(BUILD)], stdout=subprocess.PIPE, check=True
    )
    return {pathlib.Path(path).resolve() for path in json.loads(said.stdout)}


def main():
    files = wanted()
    if "--update" in sys.argv[1:]:
        update(files)
        hostile.update()
        readme.update()
        return
    report = Report()
    for path, text in files.items():
        report.check(f"{path.name} is up to date", difference(path, text))
    report.check(
        "no schema is left of a command that is gone",
        [str(path) for path in SCHEMAS.glob("*.json") if path not in files],
    )
    have = installed()
    report.check(
        "what is made is installed",
        [f"{path.relative_to(TOP)} is not" for path in files if path.resolve() not in have],
    )
    report.done()


if __name__ == "__main__":
    main()
