# SPDX-License-Identifier: GPL-2.0-or-later
"""A strict reading of the text format of Prometheus, 0.0.4, as vmtop metrics has to write it: by the
description of the format, and stricter where it leaves a choice."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?\d+(?:\.\d+)?)")
HELP = re.compile(rf"# HELP ({NAME}) (\S.*\S)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge)")


class Wrong(ValueError):
    """A line that is none of the format, or out of its order."""


def unescape(text):
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)


def labels_of(text):
    found = re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"', text or "")
    return tuple((name, unescape(value)) for name, value in found)


def parse(data):
    """{family: (type, {labels: number as text})}; labels is a tuple of pairs."""
    text = data.decode("utf-8")
    if text and not text.endswith("\n"):
        raise Wrong("the last line has no end")
    families = {}
    family = None
    for number, line in enumerate(text.split("\n")[:-1], 1):
        help_line, type_line = HELP.fullmatch(line), TYPE.fullmatch(line)
        sample = SAMPLE.fullmatch(line)
        if help_line:
            if family and family in families and not families[family][1]:
                raise Wrong(f"line {number}: {family} has no sample")
            family, typed = help_line[1], False
            if family in families:
                raise Wrong(f"line {number}: {family} stands twice")
        elif type_line:
            if type_line[1] != family or typed:
                raise Wrong(f"line {number}: TYPE of {type_line[1]} is not behind its HELP")
            typed = True
            families[family] = (type_line[2], {})
            if (type_line[2] == "counter") != family.endswith("_total"):
                raise Wrong(f"line {number}: {family} is a {type_line[2]}")
        elif sample:
            if sample[1] != family or not typed:
                raise Wrong(f"line {number}: {sample[1]} is not in its family")
            labels = labels_of(sample[2])
            names = [name for name, _ in labels]
            if len(set(names)) != len(names):
                raise Wrong(f"line {number}: a label twice")
            if "pid" in names:
                raise Wrong(f"line {number}: a label pid")
            if labels in families[family][1]:
                raise Wrong(f"line {number}: the sample stands twice")
            families[family][1][labels] = sample[3]
        else:
            raise Wrong(f"line {number}: {line[:100]!r} is no line of the format")
    if family and not families.get(family, (None, None))[1]:
        raise Wrong(f"{family} has no sample")
    return families


def value(families, name, **labels):
    """The number of the sample with just these labels, or None where it is not there."""
    for pairs, number in families.get(name, (None, {}))[1].items():
        if dict(pairs) == labels:
            return float(number) if "." in number else int(number)
    return None


def problems(data):
    try:
        parse(data)
    except ValueError as error:
        return [str(error)]
    return []
