#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each header compiles alone, with gcc and with clang: none leans on what came before it."""

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import TOP, Report, sources  # noqa: E402

FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-Ilib", "-I.", "-Wall", "-Wextra", "-Werror",
         "-Wno-unused-parameter", "-Wno-unused-function", "-fsyntax-only", "-x", "c", "-"]


def multiarch():
    """Debian's folder for asm/, which clang does not search for a foreign target."""
    said = subprocess.run(
        ["gcc", "-print-multiarch"], stdout=subprocess.PIPE, text=True, check=False
    )
    return f"-I/usr/include/{said.stdout.strip()}" if said.stdout.strip() else "-I/usr/include"


def compilers(path):
    """name -> command of every compiler that this header is for."""
    # What only BPF programs include: there are no headers of libc beside it.
    if path.parts[0] == "bpf" and (path.name.endswith(".bpf.h") or path.name == "kernel_types.h"):
        return {"clang -target bpf": ["clang", "-target", "bpf", "-g", "-O2", "-Ibpf",
                                      "-D__TARGET_ARCH_x86", multiarch()]}
    return {"gcc": ["gcc", "-O1"], "clang": ["clang"]}


def compile_problem(command, text):
    """What a compiler says to a text; nothing where it is content."""
    said = subprocess.run(
        command + FLAGS, cwd=TOP, text=True, check=False, input=text,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    return said.stdout.strip() or "refused" if said.returncode else None


def main():
    report = Report()
    for compiler in ("gcc", "clang"):
        if not shutil.which(compiler):
            report.skip(f"headers with {compiler}", f"no {compiler}")
    headers = sources("lib", "cmd", "bpf", suffixes=(".h",))
    problems = {}
    for path in headers:
        for name, command in compilers(path).items():
            if not shutil.which(command[0]):
                continue
            found = problems.setdefault(name, [0, []])
            found[0] += 1
            # Twice, so that one without its guard shows.
            problem = compile_problem(
                command, f'#include "{path}"\n#include "{path}"\nextern int vmt_not_empty;\n'
            )
            if problem:
                found[1].append(f"{path}: {problem}")
    report.check(
        "a header that leans on another is refused",
        None if compile_problem(["gcc", "-O1"], "size_t vmt_f(void);\n") else "it is not",
    )
    for name, (count, bad) in problems.items():
        report.check(f"{count} headers alone with {name}", bad)
    report.done()


main()
