#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""cppcheck over lib/ and cmd/; see analyzers.py. cppcheck.known says what is off, and why."""

import re

import analyzers

RELEASE = "2.10"
OFF = [
    "clarifyCalculation", "constParameter", "duplicateCondition", "invalidFunctionArg",
    "knownConditionTrueFalse", "memleak", "readdirCalled", "redundantPointerOp", "resourceLeak",
    "shadowFunction", "unreadVariable", "usleepCalled", "variableScope",
]  # fmt: skip
NOTE = re.compile(r"^vmtop-note (\w+) (.*)$", re.MULTILINE)
TRY = """int f(int n);
int f(int n)
{
	int a[4] = { 0 }, *p = &a[n & 3], unset;

	if (!p)
		*p = n;
	return a[4] + unset;
}
"""


def analyze(words, folder):
    # In the skeletons of BPF programs is nothing but data, which takes it minutes.
    seen = [word for word in words[1:-1] if word.startswith(("-I", "-D", "-U")) and word != "-Ibpf"]
    done = analyzers.run(
        ["cppcheck", "--quiet", "--enable=warning,style,performance,portability",
         "--library=gnu,posix", "--std=c11", "--platform=unix64", "-D__x86_64__", "-D__GNUC__=12",
         f"--include={analyzers.TOP}/tests/analyze/cppcheck.h",
         "--template=vmtop-note {id} {message}", "--template-location=",
         *(f"--suppress={kind}" for kind in OFF), *seen, words[-1]], folder)  # fmt: skip
    return set(NOTE.findall(done.stderr)), done.stdout + done.stderr if done.returncode else ""


def main():
    release = analyzers.release_of("cppcheck", "--version")
    if release != RELEASE:
        analyzers.skip("cppcheck",
                       f"the list is of cppcheck {RELEASE}, and this is {release or 'none'}")
    analyzers.compare("cppcheck", analyze, TRY, {"arrayIndexOutOfBounds", "uninitvar"})


if __name__ == "__main__":
    main()
