#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""content.py DIR: a line for each thing that is wrong with what is in the Debian package."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import installed  # noqa: E402

# What debhelper adds, and from which size on it compresses what is in doc/; see dh_compress(1).
DOCUMENTS = ["changelog.Debian.gz", "changelog.gz", "copyright"]
FROM_TREE = ["README.md", "SECURITY.md"]
COMPRESSED_FROM = 4096


def documents():
    """Names of what is in doc/vmtop."""
    for name in FROM_TREE:
        yield name + (".gz" if (installed.TOP / name).stat().st_size > COMPRESSED_FROM else "")
    yield from DOCUMENTS


def main():
    root = sys.argv[1]
    want = installed.wanted("/usr", "/etc", zsh="/usr/share/zsh/vendor-completions",
                            units="/lib/systemd/system", suffix=".gz")
    want |= {f"/usr/share/doc/vmtop/{name}" for name in documents()}
    problems = installed.list_problems(installed.found(root), want)
    problems += installed.mode_problems(root)
    problems += installed.content_problems(root, [os.fsencode(installed.TOP)])
    print("\n".join(problems))


main()
