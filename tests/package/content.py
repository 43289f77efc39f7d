#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""content.py DIR: a line for each thing that is wrong with what is in the Debian package."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import installed  # noqa: E402

# What debhelper adds.
DOCUMENTS = ["README.md.gz", "SECURITY.md", "changelog.Debian.gz", "changelog.gz",
             "copyright"]


def main():
    root = sys.argv[1]
    want = installed.wanted("/usr", "/etc", zsh="/usr/share/zsh/vendor-completions",
                            units="/lib/systemd/system", suffix=".gz")
    want |= {f"/usr/share/doc/vmtop/{name}" for name in DOCUMENTS}
    problems = installed.list_problems(installed.found(root), want)
    problems += installed.mode_problems(root)
    problems += installed.content_problems(root, [os.fsencode(installed.TOP)])
    print("\n".join(problems))


main()
