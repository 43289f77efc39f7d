# SPDX-License-Identifier: GPL-2.0-or-later
"""What the test programs in Python share: where things are, and the lines that tests/run counts."""

import os
import pathlib
import re
import sys

TOP = pathlib.Path(os.environ.get("VMTOP_TOP") or pathlib.Path(__file__).resolve().parent.parent)
BUILD = pathlib.Path(os.environ.get("VMTOP_BUILD") or TOP / "build")
BUILD_DEV = pathlib.Path(os.environ.get("VMTOP_BUILD_DEV") or TOP / "build-dev")
VMTOP = os.path.abspath(os.environ.get("VMTOP") or BUILD / "cmd" / "vmtop")


class Report:
    """Prints a line a case. done() ends the program with the right status."""

    def __init__(self):
        self.cases = 0
        self.failed = 0

    def _line(self, result, name, why):
        self.cases += 1
        why = " ".join(str(why).split())
        print(f"{result} {name} - {why}" if why else f"{result} {name}", flush=True)

    def check(self, name, problems=None):
        """A case that is fine where problems is empty: a string, or a list of them."""
        if not problems:
            self._line("ok", name, "")
            return True
        problems = [problems] if isinstance(problems, str) else list(problems)
        self.failed += 1
        for problem in problems:
            print(f"  {problem}")
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        self._line("not ok", name, problems[0] + more)
        return False

    def skip(self, name, why):
        self._line("skip", name, why)

    def done(self):
        print(f"1..{self.cases}")
        sys.exit(1 if self.failed else 0)


def sources(*folders, suffixes=(".c", ".h")):
    """The source files below some folders of the tree, as sorted paths relative to it."""
    found = []
    for folder in folders:
        for path in (TOP / folder).rglob("*"):
            if path.suffix in suffixes and path.is_file():
                found.append(path.relative_to(TOP))
    return sorted(found)


_TOKEN = re.compile(
    r"""//(?:[^\n\\]|\\.|\\\n)*        # comments
      | /\*.*?\*/
      | "(?:[^"\\\n]|\\.|\\\n)*"       # strings
      | '(?:[^'\\\n]|\\.)+'""",
    re.VERBOSE | re.DOTALL,
)


def without_comments(text, strings=True):
    """C text with each comment (and with strings=False each literal) blanked, lines kept."""

    def blank(match):
        said = match.group(0)
        if said[0] in "\"'":
            return said if strings else said[0] + said[0]
        return " " + "\n" * said.count("\n")

    return _TOKEN.sub(blank, text)
