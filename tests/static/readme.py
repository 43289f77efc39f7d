#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""README.md and docs/: the screens are those that vmtop draws of a recorded machine, the commands run
and print the columns that stand there, and the tests that are named are there and are run.

    tests/static/readme.py --update        writes them (tests/static/generated.py --update does it too)
"""

import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import examples  # noqa: E402
import hostile  # noqa: E402
from tap import TOP, VMTOP, Report  # noqa: E402

PAGE = TOP / "README.md"
FIXTURE = TOP / "tests" / "fixtures" / "machine-6.18"
# As much of each screen as shows what it is for.
LINES = {"system": 24, "procs": 12, "vmas": 12, "pages": 10, "faults": 14, "cache": 10}
TRIES = 5
LATE_S = 120
BLOCK = re.compile(r"(<!-- screen (\w+) -->\n```\n).*?(```\n)", re.S)


def screen(name):
    """The text of a screen; empty lines at its end say nothing."""
    text = subprocess.run([VMTOP, "top", "--render", name, "--size", f"80x{LINES[name]}", "--root",
                           FIXTURE], capture_output=True, text=True, check=True, timeout=60).stdout
    return text.rstrip("\n") + "\n"


def wanted(text):
    """The page with its screens as they are now."""
    return BLOCK.sub(lambda m: m[1] + screen(m[2]) + m[3], text)


def update():
    text = PAGE.read_text(encoding="utf-8")
    now = wanted(text)
    if now != text:
        PAGE.write_text(now, encoding="utf-8")
        print(f"wrote {PAGE.name}")


# What stands for something in the commands that answer a question.
STANDS_FOR = {"PID": "4711", "ADDR": "{address}", "PATH": "before.json", "CMD": "true",
              "BEFORE": "before.json", "AFTER": "after.json"}


def answers(text):
    """The commands of the table of questions that need no terminal."""
    table = re.search(r"^\| question \| command \|$(.*?)\n\n", text, re.MULTILINE | re.DOTALL)[1]
    for line in table.splitlines():
        spans = re.findall(r"`([^`]+)`", line.rpartition(" | ")[2])
        for span in spans:
            # An option in braces behind a command is that command with it; what is no option is a
            # place, and vmtop alone is the dashboard.
            if span.startswith("vmtop "):
                yield span
            elif span.startswith("-"):
                yield f"{spans[0]} {span}"


def answer_problems(text):
    with open("/proc/self/maps", encoding="utf-8") as maps:
        address = f"0x{maps.readline().split('-')[0]}"
    with tempfile.TemporaryDirectory() as folder:
        for name in ("before.json", "after.json"):
            subprocess.run([VMTOP, "maps", "-J", "-w", name, str(os.getpid())], cwd=folder, check=True)
        for command in answers(text):
            words = [STANDS_FOR.get(word, word).format(address=address) for word in command.split()]
            # A file that is written is another one each time; one that is replayed is made before.
            words = [f"file{i}" if word == "FILE" else word for i, word in enumerate(words)]
            if words[1] == "check":
                # It ends with what it found.
                said = subprocess.run([VMTOP, *words[1:]], capture_output=True, text=True, check=False,
                                      timeout=LATE_S)
                if said.returncode not in (0, 1, 2) or not said.stdout.startswith("VMTOP"):
                    yield f"{command}: exit {said.returncode}: {said.stdout}{said.stderr}"
                continue
            wrong = examples.problem(" ".join(words), folder, rights=False)
            if wrong:
                yield wrong


def shown(text):
    """(command, its output) of each block that begins with a command."""
    return re.findall(r"^```\n\$ (vmtop .*)\n((?:.*\n)*?)```$", text, re.MULTILINE)


def shown_problems(text):
    """The heading that stands there is the one that is printed, of a process that faults: what is larger
    than 32 MiB is mapped anew by malloc() each time."""
    with subprocess.Popen([sys.executable, "-c", "while True: b'x' * (1 << 26)"]) as victim:
        try:
            yield from (problem for command, output in shown(text)
                        if (problem := shown_problem(command, output, victim.pid)))
        finally:
            victim.kill()


def shown_problem(command, output, pid):
    words = [str(pid) if re.fullmatch(r"\d{3,}", word) else word for word in command.split()]
    want = output.splitlines()[0].split()
    # On a busy machine a process may not run at all for as long as is looked.
    for _ in range(TRIES):
        said = subprocess.run([VMTOP, *words[1:]], capture_output=True, text=True, check=False,
                              timeout=LATE_S, env={**os.environ, "COLUMNS": ""})
        have = said.stdout.splitlines()[:1]
        # 4: a user without rights counts no faults. 5: on a busy machine something is missing.
        if said.returncode == 4 or (said.returncode in (0, 5) and have and have[0].split() == want):
            return None
        if have and have[0].split()[:1] == want[:1]:
            break
    return f"{command}: exit {said.returncode}: {have}, not {want}"


def programs_of(folder):
    """{source: the program that it is a part of} of a folder of tests."""
    found = {}
    for name, rest in hostile.EXECUTABLE.findall((folder / "meson.build").read_text(encoding="utf-8")):
        found.update({source: name for source in re.findall(r"'([\w-]+\.c)'", rest)})
    return found


def named_problems(page):
    """Programs of tests/live are run where its list or a suite of guests has them; those of other
    folders by being there."""
    lists = "\n".join(line for path in
                      [TOP / "tests" / "live" / "run", *(TOP / "tests").rglob("*.suite")]
                      for line in path.read_text(encoding="utf-8").splitlines()
                      if not line.startswith("#"))
    built = programs_of(TOP / "tests" / "live")
    for name in sorted(set(re.findall(r"`(tests/[\w./-]+)`", page))):
        path = TOP / name
        run = f"./{path.name}" if path.suffix == ".py" else f"/{built.get(path.name)}"
        if not path.exists():
            yield f"{name} is not there"
        elif path.parent.name == "live" and not re.search(rf"{re.escape(run)}(?![\w.-])", lists):
            yield f"nothing runs {name}"


def main():
    if "--update" in sys.argv[1:]:
        update()
        return
    report = Report()
    text = PAGE.read_text(encoding="utf-8")
    lines = list(difflib.unified_diff(text.splitlines(), wanted(text).splitlines(), "committed",
                                      "drawn now", n=0, lineterm=""))
    report.check("README.md: its screens are those that vmtop draws",
                 ["tests/static/readme.py --update writes them"] + lines[:20] if lines else None)
    for path in (PAGE, *sorted((TOP / "docs").glob("*.md"))):
        report.check(f"{path.relative_to(TOP)}: the tests that it names are there, and are run",
                     list(named_problems(path.read_text(encoding="utf-8"))))
    if os.path.exists("/proc/self/stat"):
        report.check("README.md: the command that answers each question runs",
                     list(answer_problems(text)))
        report.check("README.md: what commands print has the columns that stand there",
                     list(shown_problems(text)) if len(shown(text)) >= 3 else "there are no blocks")
    else:
        report.skip("README.md: its commands run", "there is no /proc here")
    names = [found[2] for found in BLOCK.finditer(text)]
    report.check("README.md: each of the six screens is there once",
                 None if names == list(LINES) else f"it has {names}")
    report.done()


if __name__ == "__main__":
    main()
