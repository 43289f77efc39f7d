# SPDX-License-Identifier: GPL-2.0-or-later
"""A strict reader of what a monitoring plugin prints, by the Monitoring Plugins Development
Guidelines: what it takes, every monitor takes."""

import re

STATUSES = {"OK": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}
NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
RANGE = rf"@?(?:(?:~|{NUMBER}):)?(?:{NUMBER})?"
LABEL = r"(?:'(?:[^'=|\x00-\x1f\x7f]|'')+'|[A-Za-z0-9_/-]+)"
VALUE = re.compile(
    rf"({LABEL})=(?:(U)|({NUMBER})(us|ms|s|%|B|KB|MB|TB|c)?)"
    rf"(?:;({RANGE}))?(?:;({RANGE}))?(?:;({NUMBER})?)?(?:;({NUMBER})?)?"
)


class Broken(Exception):
    """Not what a monitor reads."""


def values(text):
    """label -> (value or None, unit, warn, crit, min, max) of performance data."""
    found, at = {}, 0
    while at < len(text):
        match = VALUE.match(text, at)
        if not match:
            raise Broken(f"no performance data: {text[at:]!r}")
        label, _, number, unit, warn, crit, least, most = match.groups()
        if label in found:
            raise Broken(f"{label} twice")
        found[label] = (float(number) if number else None, unit or "", warn or "", crit or "",
                        least, most)
        at = match.end()
        if at < len(text):
            if text[at] != " ":
                raise Broken(f"behind {label}: {text[at:]!r}")
            at += 1
    return found


def parse(out, code):
    """(status, text, values, long output) of a run that ended with code."""
    text = out.decode("ascii")
    if not text.endswith("\n"):
        raise Broken("the last line has no end")
    if re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text):
        raise Broken("a control byte")
    first, *rest = text[:-1].split("\n")
    match = re.fullmatch(r"VMTOP (OK|WARNING|CRITICAL|UNKNOWN) - ([^|]+?)(?: \| ([^|]+))?", first)
    if not match:
        raise Broken(f"the first line is {first!r}")
    if any("|" in line for line in rest):
        raise Broken("a bar in the long output")
    if STATUSES[match.group(1)] != code:
        raise Broken(f"{match.group(1)} with exit {code}")
    return match.group(1), match.group(2), values(match.group(3) or ""), rest
