#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts compiled BPF programs into the tarball that "meson dist" makes, which runs this.

prebuilt.py [MADE NAME]...    MADE is below the build, NAME below bpf/prebuilt/

bpf/prebuilt/SHA256SUMS says of which sources they were made; -Dbpf=prebuilt compares.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys


def die(why):
    sys.exit(f"meson dist: {why}")


def ninja():
    for name in ("ninja", "ninja-build", "samu"):
        if shutil.which(name):
            return name
    return die("there is no ninja")


def sums(top):
    """A line for each source of the programs, as sha256sum prints it."""
    found = sorted(path for path in (top / "bpf").iterdir() if path.suffix in (".c", ".h", ".inc"))
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in found)


def main(args):
    source, build, dist = (
        pathlib.Path(os.environ[f"MESON_{name}_ROOT"]) for name in ("SOURCE", "BUILD", "DIST")
    )
    if not args:
        die("this build has not compiled the BPF programs, which belong into the tarball: "
            "set it up with -Dbpf=enabled, clang and bpftool")
    sources = sums(dist)
    if sums(source) != sources:
        die("bpf/ differs from what is committed")
    pairs = list(zip(args[::2], args[1::2]))
    subprocess.run([ninja(), "-C", build, *(made for made, _ in pairs)], check=True)
    folder = dist / "bpf" / "prebuilt"
    for made, name in pairs:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(build / made, folder / name)
    (folder / "SHA256SUMS").write_text(sources, encoding="utf-8")


main(sys.argv[1:])
