#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""gcc -fanalyzer over lib/ and cmd/; see analyzers.py."""

import re
import tempfile

import analyzers

RELEASE = "12"
OFF = ["-Wno-analyzer-use-of-uninitialized-value"]
NOTE = re.compile(r"warning: (.*?)(?: \[CWE-\d+\])? \[-Wanalyzer-([\w-]+)\]")
TRY = """#include <stdlib.h>
void f(int n);
void f(int n)
{
	int *p = malloc(sizeof(*p));

	if (n)
		*p = n;
}
"""


def analyze(words, folder):
    with tempfile.TemporaryDirectory() as tmp:
        # Which of two pointers it names can hang on where its own memory lies.
        done = analyzers.run(["setarch", "-R", *words, "-fanalyzer", "-fdiagnostics-plain-output",
                              *OFF, "-c", "-o", f"{tmp}/o"], folder)  # fmt: skip
    said = {(kind, what) for what, kind in NOTE.findall(done.stderr)}
    return said, done.stderr[-2000:] if done.returncode else ""


def main():
    compiler = next(iter(analyzers.commands().values()))[0][0]
    release = analyzers.release_of(compiler, "-dumpfullversion")
    if not release or "clang" in analyzers.run([compiler, "--version"], "/").stdout:
        analyzers.skip("gcc -fanalyzer", f"build/ is compiled by {compiler}, which is no gcc")
    if release.split(".")[0] != RELEASE:
        analyzers.skip("gcc -fanalyzer", f"the list is of gcc {RELEASE}, and this is {release}")
    analyzers.compare("gcc", analyze, TRY, {"malloc-leak", "possible-null-dereference"})


if __name__ == "__main__":
    main()
