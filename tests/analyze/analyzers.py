# SPDX-License-Identifier: GPL-2.0-or-later
"""What the programs of the suite "analyze" share. Each runs one analyzer over lib/ and cmd/, as
build/ compiles them. What it says and is not so stands in a list beside the program, TOOL.known,
each with its reason; anything else is a failure, and so is a line there that is not said any more.

tests/analyze/PROGRAM.py [SOURCE...]

They take minutes, so they run where the suite is named. Another release of an analyzer says other
things: the lists are of those of Debian 12.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import BUILD, TOP, Report  # noqa: E402

KNOWN = re.compile(r"(\S+): ([\w.-]+): (.+?) - (.+)")


def commands():
    """{source: (words, folder)}: what compiles each source, the compiler first and the source last,
    without what it writes. What it says is a warning, and no error; how it is optimised is the same
    everywhere, as the analyzer of gcc follows what is left then."""
    found = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), TOP)
        if not path.startswith(("lib/", "cmd/")):
            continue
        words, given = [], iter(shlex.split(entry["command"]))
        for word in given:
            if word in ("-o", "-MQ", "-MF"):
                next(given)
            elif word not in ("-MD", "-c", "-Werror", "ccache") and not word.startswith(
                ("-fdiagnostics", "-O")
            ):
                words.append(word)
        words.insert(1, "-O2")
        found.setdefault(path, (words, entry["directory"]))
    return found


def run(words, folder):
    """What a command says, in English, both ways, and how it ended."""
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})  # fmt: skip


def release_of(*words):
    """The release that a program says of itself; None where it is not there or says none."""
    try:
        said = run(words, "/").stdout
    except OSError:
        return None
    number = re.search(r"\d+(?:\.\d+)*", said)
    return number[0] if number else None


def known(text):
    """{(source, kind, what)} of a list, and the lines that are none of it."""
    listed, wrong = set(), []
    for line in text.splitlines():
        match = KNOWN.fullmatch(line)
        if match:
            listed.add(match.groups()[:3])
        elif line and not line.startswith("#"):
            wrong.append(line)
    return listed, wrong


def compare(tool, analyze, wrong_code, kinds):
    """Runs analyze(words, folder) over the sources, those that are named or all, and compares with
    the list. It gives back {(kind, what)} of what was said, and what was printed where it failed.
    wrong_code is a source in which all kinds have to be found, or the run says nothing."""
    report = Report()
    all_of = commands()
    chosen = [os.path.relpath(path, TOP) for path in sys.argv[1:]] or sorted(all_of)
    strangers = [path for path in chosen if path not in all_of]
    if strangers:
        print(f"{pathlib.Path(sys.argv[0]).name}: {strangers[0]}: no source of lib/ or cmd/ that "
              f"{BUILD.name}/ compiles", file=sys.stderr)  # fmt: skip
        sys.exit(2)
    compiler = next(iter(all_of.values()))[0][0]
    with tempfile.TemporaryDirectory() as tmp:
        (pathlib.Path(tmp) / "try.c").write_text(wrong_code)
        said, failed = analyze([compiler, "try.c"], tmp)
    report.check(f"{tool} finds what is wrong", failed or [
        f"{kind}: not said of the source that has it"
        for kind in sorted(kinds - {kind for kind, _ in said})])  # fmt: skip
    listed, wrong = known((TOP / f"tests/analyze/{tool}.known").read_text(encoding="utf-8"))
    report.check(f"{tool}.known can be read", wrong)
    report.check(f"what {tool}.known has is a source",
                 sorted({source for source, _, _ in listed} - set(all_of)))
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = pool.map(lambda path: analyze(*all_of[path]), chosen)
        for path, (said, failed) in zip(chosen, results):
            here = {(kind, what) for source, kind, what in listed if source == path}
            report.check(f"{tool}: {path}", ([failed] if failed else [])
                         + [f"{kind}: {what}" for kind, what in sorted(said - here)]
                         + [f"it is not said any more: {kind}: {what}"
                            for kind, what in sorted(here - said)])  # fmt: skip
    report.done()


def skip(tool, why):
    """The suite is no use with this analyzer."""
    report = Report()
    report.skip(tool, why)
    report.done()
