#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""lib/ keeps no state of its own: nothing writable in its objects, static buffers included."""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import BUILD, Report  # noqa: E402

# .data.rel.ro holds constant tables of pointers, which are read-only once the program runs.
WRITABLE = re.compile(
    r"^\w+ (.{7}) (\.(?:data|bss|tdata|tbss)\S*|\*COM\*)\s+\w+\s+(?:\.\w+ )?(\S+)$", re.MULTILINE
)


def writable(path):
    """Names of the writable objects of an object file or archive."""
    said = subprocess.run(
        ["objdump", "-t", str(path)], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return [
        f"{name} in {section}"
        for flags, section, name in WRITABLE.findall(said)
        if ("O" in flags or section.startswith((".tdata", ".tbss")))
        and name != section
        and not section.startswith(".data.rel.ro")
    ]


def main():
    report = Report()
    sample = BUILD / "testlogs" / "globals.o"
    sample.parent.mkdir(exist_ok=True)
    subprocess.run(
        ["gcc", "-x", "c", "-", "-fPIC", "-c", "-o", str(sample)], text=True, check=True,
        input="static int count; int twice = 2; static char buf[64]; _Thread_local int own;"
        "extern int far; static const char *const names[] = {\"a\"}; int *const at = &far;"
        "char *f(void) { static int n; count++; n++; return n ? buf : (char *)names[own]; }",
    )
    found = {re.sub(r"[.\s].*", "", line) for line in writable(sample)}
    sample.unlink()
    report.check(
        "writable objects are told from constant ones",
        None if found == {"count", "twice", "buf", "own", "n"} else f"found {sorted(found)}",
    )
    archive = BUILD / "lib" / "libvmt.a"
    if archive.is_file():
        report.check("lib/ keeps no state", writable(archive))
    else:
        report.check("lib/ keeps no state", f"{archive} is not built")
    report.done()


main()
