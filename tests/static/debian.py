#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""debian/ says what the rest of the tree says: the version, and what a build needs."""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import TOP, Report  # noqa: E402

# What comes with build-essential or with meson, and what is there to compare with.
NOT_NAMED = {"gcc", "libc6-dev", "linux-libc-dev", "ninja-build", "procps"}
# Names that Debian has replaced.
NAMED_SO = {"pkg-config": "pkgconf"}
# What only the package needs.
PACKAGING = {"debhelper-compat"}


def version():
    """What meson.build says."""
    return re.search(r"^    version: '(.*)',$", (TOP / "meson.build").read_text(encoding="utf-8"),
                     re.MULTILINE)[1]


def deps():
    """The packages that scripts/deps installs to build vmtop."""
    text = (TOP / "scripts" / "deps").read_text(encoding="utf-8")
    names = set(re.findall(r"^\t\trun\t(\S+)\t", text, re.MULTILINE))
    return {NAMED_SO.get(name, name) for name in names - NOT_NAMED}


def build_depends(control):
    """The packages in Build-Depends, with neither versions nor architectures."""
    field = re.search(r"^Build-Depends:((?:\n .*)+)", control, re.MULTILINE)[1]
    return {line.split()[0].rstrip(",") for line in field.strip().splitlines()} - PACKAGING


def main():
    report = Report()
    changelog = (TOP / "debian" / "changelog").read_text(encoding="utf-8")
    newest = re.match(r"vmtop \(([^)]*)-[^-)]*\) ", changelog)
    report.check("debian/changelog has the version of meson.build",
                 None if newest and newest[1] == version() else changelog.splitlines()[0])
    control = (TOP / "debian" / "control").read_text(encoding="utf-8")
    named, needed = build_depends(control), deps()
    report.check("debian/control needs what scripts/deps installs",
                 [f"Build-Depends lacks {name}" for name in sorted(needed - named)]
                 + [f"scripts/deps lacks {name}" for name in sorted(named - needed)])
    modes = {path: path.stat().st_mode & 0o111
             for path in (TOP / "debian" / "rules", TOP / "debian" / "tests" / "installed")}
    report.check("its programs can be run", [str(path) for path in modes if not modes[path]])
    said = subprocess.run(["sh", "-n", str(TOP / "debian" / "vmtop.postrm")], text=True,
                          stderr=subprocess.PIPE, check=False)
    report.check("vmtop.postrm is a script", said.stderr)
    report.done()


main()
