#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""clang-tidy over lib/ and cmd/, with the checks of .clang-tidy, which says what is off, and why;
see analyzers.py."""

import re

import analyzers

RELEASE = "14"
# Which clang 14 does not know, or asks to be allowed.
NOT_CLANG = {"-ftrivial-auto-var-init=zero"}
NOTE = re.compile(r"^\S+:\d+:\d+: warning: (.*) \[([\w.-]+)(?:,[\w.,-]+)?\]$", re.MULTILINE)
ERROR = re.compile(r"^.*\berror: .*$", re.MULTILINE)
TRY = """#include <string.h>
int f(const char *s);
int f(const char *s)
{
	const int *p = 0;

	if (strcmp(s, "a") == 2)
		return *p;
	return 0;
}
"""


def analyze(words, folder):
    flags = [word for word in words[1:-1] if word not in NOT_CLANG]
    done = analyzers.run(
        ["clang-tidy", f"--config-file={analyzers.TOP}/.clang-tidy", "--quiet", words[-1],
         "--", *flags], folder)  # fmt: skip
    said = {(kind, what) for what, kind in NOTE.findall(done.stdout)}
    failed = "\n".join(ERROR.findall(done.stdout + done.stderr)) or (
        done.stderr if done.returncode else "")  # fmt: skip
    return said, failed


def main():
    release = analyzers.release_of("clang-tidy", "--version")
    if not release or release.split(".")[0] != RELEASE:
        analyzers.skip("clang-tidy",
                       f"the list is of clang-tidy {RELEASE}, and this is {release or 'none'}")
    analyzers.compare("clang-tidy", analyze, TRY, {
        "bugprone-suspicious-string-compare", "clang-analyzer-core.NullDereference"})  # fmt: skip


if __name__ == "__main__":
    main()
