#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the compiler and the linker made of the hardening flags, read off the program itself."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import BUILD, Report  # noqa: E402

# Libraries that the program may need at run time. One more is a decision, not an accident.
LIBRARIES = {
    "libc.so.6", "libm.so.6", "libz.so.1", "libelf.so.1", "libbpf.so.1", "libsmartcols.so.1",
    "libncursesw.so.6", "libtinfo.so.6", "libcap.so.2", "libseccomp.so.2", "libinih.so.1",
    "libjson-c.so.5", "libzstd.so.1",
    "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1",
}


def readelf(*args):
    return subprocess.run(
        ["readelf", "-W", *args], env={**os.environ, "LC_ALL": "C"}, stdout=subprocess.PIPE,
        text=True, check=True,
    ).stdout


class Elf:
    """What the checks ask of a program."""

    def __init__(self, path):
        path = str(path)
        self.header = readelf("-h", path)
        self.segments = re.findall(
            r"^  (\w+)\s+0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ (.{3})", readelf("-l", path), re.MULTILINE
        )
        dynamic = readelf("-d", path)
        self.dynamic = dict(re.findall(r"\((\w+)\)\s+(.*)", dynamic))
        self.needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
        self.symbols = set(re.findall(r"\bUND\s+([^@\s]+)", readelf("--dyn-syms", path)))

    def has_segment(self, kind):
        return any(name == kind for name, _ in self.segments)


def checks(elf):
    """(name, problem or nothing) of every check."""
    flags = elf.dynamic.get("FLAGS", "") + elf.dynamic.get("FLAGS_1", "")
    yield "position independent", (
        None if re.search(r"Type:\s+DYN", elf.header) and "PIE" in flags else "no PIE"
    )
    yield "relocations read-only", None if elf.has_segment("GNU_RELRO") else "no GNU_RELRO"
    yield "symbols bound at start", None if "NOW" in flags else "no BIND_NOW"
    yield "no executable stack", (
        None
        if elf.has_segment("GNU_STACK")
        and not any(k == "GNU_STACK" and "E" in f for k, f in elf.segments)
        else "GNU_STACK is missing or executable"
    )
    yield "nothing writable and executable", [
        f"{kind} {perms}" for kind, perms in elf.segments if "W" in perms and "E" in perms
    ]
    yield "no text relocations", "TEXTREL" if "TEXTREL" in elf.dynamic else None
    yield "no library path of its own", [
        f"{tag} {elf.dynamic[tag]}" for tag in ("RPATH", "RUNPATH") if tag in elf.dynamic
    ]
    yield "stack protector", (
        None if "__stack_chk_fail" in elf.symbols else "no __stack_chk_fail is imported"
    )
    yield "fortified calls", (
        None if any(name.endswith("_chk") for name in elf.symbols) else "no *_chk is imported"
    )
    yield "libraries are the known ones", sorted(elf.needed - LIBRARIES)


def soft_program(folder):
    """A program with none of it, to see that the checks can fail."""
    path = folder / "soft"
    subprocess.run(
        ["gcc", "-x", "c", "-", "-o", str(path), "-no-pie", "-fno-stack-protector", "-O0",
         "-U_FORTIFY_SOURCE", "-Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/nowhere", "-w"],
        input="int main(void){return 0;}", text=True, check=True,
    )
    return path


def main():
    report = Report()
    if not shutil.which("readelf"):
        report.skip("hardening", "no readelf")
        report.done()
    program = BUILD / "cmd" / "vmtop"
    if not program.is_file():
        report.check("hardening", f"{program} is not built")
        report.done()

    folder = BUILD / "testlogs"
    folder.mkdir(exist_ok=True)
    soft = soft_program(folder)
    passed = {name for name, problem in checks(Elf(soft)) if not problem}
    soft.unlink()
    report.check(
        "the checks tell a soft program",
        # What a one-line program cannot get wrong.
        sorted(passed - {"nothing writable and executable", "no text relocations",
                         "libraries are the known ones"}),
    )

    elf = Elf(program)
    for name, problem in checks(elf):
        report.check(name, problem)
    # The mark is on the objects: the start files of a distribution may lack it, and then the linker
    # leaves it off the program.
    name = "our objects track indirect branches and return addresses"
    if not re.search(r"Machine:\s+Advanced Micro Devices X86-64", elf.header):
        report.skip(name, "a property of x86-64")
    else:
        objects = re.split(r"^File: ", readelf("-n", str(BUILD / "lib" / "libvmt.a")), flags=re.M)
        report.check(
            name,
            [text.split("\n", 1)[0] for text in objects[1:] if not re.search("IBT.*SHSTK", text)]
            or (None if objects[1:] else "no object found"),
        )
    report.done()


main()
