#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""F21: the programs that vmtop loads are in vmtop, and nothing can put others in their place."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import BUILD, TOP, Report  # noqa: E402

# Opening an object by its path or from memory of anybody, making programs of loose instructions
# (but for the one place below), finding or leaving things in a bpf file system, loading code, and
# an environment that is trusted.
FORBIDDEN = re.compile(
    r"bpf_object__open(?!_skeleton$)\w*|bpf_prog_load\w+|bpf_load_program\w*|bpf_btf_load"
    r"|bpf_obj_(?:get|pin)\w*|bpf_\w+__(?:un)?pin\w*|bpf_map__set_pin_path"
    r"|bpf_program__set_insns|dlopen|dlmopen|getenv"
)
EXAMPLES = {
    "bpf_object__open_file": True, "bpf_object__open": True, "bpf_object__open_mem": True,
    "bpf_object__open_skeleton": False, "bpf_program__pin": True, "bpf_map__unpin": True,
    "bpf_obj_get": True, "bpf_prog_load_xattr": True, "getenv": True, "secure_getenv": False,
    "bpf_object__load_skeleton": False, "bpf_object__pin_maps": True,
}
# Loads programs whose instructions are constants there, from an array that the function begins with.
LOOSE = "lib/source/probe-aid.c"
# Loads one library, by the soname that it was built for: a constant.
LIBRARY = ("lib/source/procps.c", "dlopen(VMT_HAVE_LIBPROC2, RTLD_NOW | RTLD_LOCAL)")
CONSTANT = re.compile(r"\{\n\t(?:static )?const struct bpf_insn insns\[\] = \{\n.*?bpf_prog_load\(([^;]*)\);",
                      re.DOTALL)


def loose_problems():
    """Programs of loose instructions that are loaded elsewhere, or of others than the constants."""
    for path in sorted([*TOP.glob("lib/**/*.[ch]"), *TOP.glob("cmd/**/*.[ch]")]):
        text = path.read_text(encoding="utf-8")
        calls = len(re.findall(r"\bbpf_prog_load\s*\(", text))
        name = str(path.relative_to(TOP))
        constant = [words.split(",")[3].strip() == "insns" for words in CONSTANT.findall(text)]
        if calls and (name != LOOSE or calls != len(constant) or not all(constant)):
            yield f"{name} loads {calls} programs, {sum(constant)} of them of constants"


def library_problems():
    """Libraries that are loaded at run time, but for the one."""
    for path in sorted([*TOP.glob("lib/**/*.[ch]"), *TOP.glob("cmd/**/*.[ch]")]):
        text = path.read_text(encoding="utf-8")
        name = str(path.relative_to(TOP))
        calls = len(re.findall(r"\bdlm?open\s*\(", text))
        allowed = text.count(LIBRARY[1]) if name == LIBRARY[0] else 0
        if calls != allowed or allowed > 1:
            yield f"{name} loads {calls} libraries"


def imports(program):
    text = subprocess.run(
        ["readelf", "-W", "--dyn-syms", str(program)], env={**os.environ, "LC_ALL": "C"},
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout
    return set(re.findall(r"\bUND\s+([^@\s]+)", text))


def main():
    report = Report()
    program = BUILD / "cmd" / "vmtop"
    if not shutil.which("readelf"):
        report.skip("F21 programs are those of vmtop", "no readelf")
        report.done()
    symbols = imports(program)
    if not any(name.startswith("bpf_") for name in symbols):
        report.skip("F21 programs are those of vmtop", "built without libbpf")
        report.done()
    report.check("what is forbidden is told from what is not", [
        name for name, bad in EXAMPLES.items() if bool(FORBIDDEN.fullmatch(name)) != bad
    ])
    report.check("F21 no program comes from a file, a pin or the environment",
                 sorted(name for name in symbols - {"dlopen"} if FORBIDDEN.fullmatch(name)))
    report.check("F21 the one library that is loaded at run time has a constant name",
                 list(library_problems()))
    report.check("F21 loose instructions are constants of one file", list(loose_problems()))
    content = program.read_bytes()
    # Those of another architecture are for the tarball; "meson dist" leaves them here.
    objects = sorted(path for path in (BUILD / "bpf").glob("*.bpf.o") if path.name.count(".") == 2)
    report.check("F21 every object that was built is in vmtop, byte by byte",
                 [path.name for path in objects if path.read_bytes() not in content]
                 or (None if objects else "no object was built"))
    report.done()


if __name__ == "__main__":
    main()
