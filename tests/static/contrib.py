#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The dashboard and the alerts of contrib/ ask for metrics that vmtop has, with labels that they
have, and take rates of counters alone; the manual page names all that there are."""

import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import exposition  # noqa: E402
from program import OK, expect, run  # noqa: E402
from tap import TOP, Report  # noqa: E402

CONTRIB = TOP / "contrib"
FIXTURE = TOP / "tests" / "fixtures" / "machine-6.18"
GROUPS = TOP / "tests" / "fixtures" / "groups.conf"
ROW = re.compile(r'^M\((\w+), "(\w+)", (GAUGE|COUNTER), "([\w ]*)", "(.*)"\)$', re.MULTILINE)
# What Prometheus itself adds, and what the queries of Grafana have.
TARGET = {"instance", "job"}
NODE = {"node_textfile_mtime_seconds": {"file"}}
RATES = ("rate", "increase", "irate")


def table():
    """{name: (type, labels)} of metric.def."""
    text = (TOP / "lib" / "view" / "metric.def").read_text(encoding="utf-8")
    return {name: (kind.lower(), set(labels.split())) for _, name, kind, labels, _ in ROW.findall(text)}


def query_problems(expr, families):
    """What is wrong with a query of PromQL, as far as its metrics and labels go."""
    bare = re.sub(r'"[^"]*"', '""', expr)
    names = set(re.findall(r"\b(?:vmtop|node)_\w+", bare))
    labels = set(TARGET)
    if not names:
        yield f"asks for no metric: {expr}"
    for name in sorted(names):
        if name in NODE:
            labels |= NODE[name]
        elif name in families:
            labels |= families[name][1]
        else:
            yield f"there is no {name}: {expr}"
    for name, inside in re.findall(r"(\w+)\{([^}]*)\}", bare):
        known = NODE.get(name) or families.get(name, ("", set()))[1]
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside):
            if label not in known | TARGET:
                yield f"{name} has no label {label}: {expr}"
    for words in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", bare):
        for label in re.findall(r"\w+", words):
            if label not in labels:
                yield f"no metric of it has the label {label}: {expr}"
    for function, name in re.findall(r"\b(\w+)\s*\(\s*((?:vmtop|node)_\w+)[^()]*?\[", bare):
        counter = families.get(name, ("gauge",))[0] == "counter"
        if (function in RATES) != counter:
            yield f"{function} of {name}, which is a {'counter' if counter else 'gauge'}"
    for name in names & set(families):
        rated = re.search(rf"\b(?:{'|'.join(RATES)})\s*\(\s*{name}\b", bare)
        if families[name][0] == "counter" and not rated:
            yield f"{name} is a counter, and no rate of it is taken: {expr}"


# A check that lets all through fails.
WRONG = [
    'vmtop_nothing_bytes', 'vmtop_memory_bytes{type="anon"}', 'rate(vmtop_memory_bytes[5m])',
    'vmtop_oom_kills_total > 0', 'sum by (pid) (vmtop_memory_bytes)', 'time()',
    'deriv(vmtop_page_faults_total[5m])',
]
RIGHT = [
    'sum without (kind) (vmtop_memory_bytes{instance=~"$instance"})',
    'rate(vmtop_page_faults_total{kind="major"}[5m]) > 1',
    'deriv(vmtop_group_resident_bytes{group="pid={}"}[1h])',
]


def dashboard(report, families):
    text = (CONTRIB / "grafana-dashboard.json").read_text(encoding="utf-8")
    document = json.loads(text)
    panels = document["panels"]
    problems = []
    seen = set()
    for panel in panels:
        if panel["type"] == "row":
            continue
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in seen or x >= 24:
                    problems.append(f"{panel['title']} lies over another panel")
                seen.add((x, y))
        for target in panel["targets"]:
            problems += query_problems(target["expr"], families)
            legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            asked = re.findall(r"\bvmtop_\w+", target["expr"])
            known = set().union(*(families[name][1] for name in asked if name in families))
            problems += [f"{panel['title']}: legend {label}" for label in legend - known - TARGET]
    ids = [panel["id"] for panel in panels]
    if len(set(ids)) != len(ids):
        problems.append("an id twice")
    report.check("the dashboard asks for what there is", sorted(set(problems)))
    variables = {v["name"]: v for v in document["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval", "__range", "__all"}
    report.check("the dashboard has the variables that it uses", sorted(used ^ set(variables)))
    problems = []
    for variable in variables.values():
        query = variable["query"]
        if isinstance(query, dict):
            problems += query_problems(re.sub(r"label_values\((.*), \w+\)", r"\1", query["query"]),
                                       families)
    report.check("its variables ask for what there is", problems)
    shown = set(re.findall(r"\bvmtop_\w+", text))
    report.check("every family is on the dashboard", sorted(set(families) - shown))


def alerts(report, families):
    # A list of plain scalars: enough of YAML to read it without a library for it.
    text = (CONTRIB / "alerts.yml").read_text(encoding="utf-8")
    rules = re.split(r"^ {6}- alert: ", text, flags=re.MULTILINE)[1:]
    names = [rule.split("\n", 1)[0] for rule in rules]
    problems = []
    for name, rule in zip(names, rules, strict=True):
        expr = re.search(r"^ {8}expr: (>-\n((?: {10}.*\n)+)|.*\n)", rule, re.MULTILINE)
        query = " ".join((expr[2] or expr[1]).split())
        problems += [f"{name}: {p}" for p in query_problems(query, families)]
        if not re.search(r"severity: (info|warning|critical)$", rule, re.MULTILINE):
            problems.append(f"{name}: no severity")
        if "summary:" not in rule:
            problems.append(f"{name}: no summary")
    report.check("the alerts ask for what there is", problems)
    tested = re.findall(r"alertname: (\w+)", (CONTRIB / "alerts.test.yml").read_text(encoding="utf-8"))
    report.check("every alert has a test", sorted(set(names) ^ set(tested)))


def main():
    report = Report()
    families = table()
    report.check("queries: right is told from wrong",
                 [f"refused: {q}" for q in RIGHT if list(query_problems(q, families))]
                 + [f"let through: {q}" for q in WRONG if not list(query_problems(q, families))])
    printed = run("--root", str(FIXTURE), "metrics", "--groups", str(GROUPS), "--pss")
    problem = expect(printed, OK) or exposition.problems(printed.out)
    if not problem:
        found = {name: (kind, {label for labels in samples for label, _ in labels})
                 for name, (kind, samples) in exposition.parse(printed.out).items()}
        problem = [f"{name} is {found[name]}, not {families.get(name)}"
                   for name in found if found[name] != families.get(name)]
        # Of another command, and of what a recording has no state for.
        other = {n for n in families if "_check_" in n} | {"vmtop_group_page_faults_total"}
        problem += sorted(set(families) - set(found) - other)
    report.check("vmtop metrics prints what metric.def says", problem)
    page = (TOP / "man" / "vmtop-metrics.1").read_text(encoding="utf-8")
    named = {}
    for line in re.findall(r"^\.It Li (.*)$", page, re.MULTILINE):
        for name, labels in re.findall(r"(vmtop_\w+)(?: Ns Brq (\w+(?:, \w+)*))?(?= ,|$)", line):
            named[name] = set(re.findall(r"\w+", labels))
    report.check("vmtop-metrics(1) names each family with its labels",
                 [f"{name}: {named.get(name)}, not {families.get(name, (0, None))[1]}"
                  for name in sorted(set(named) | set(families))
                  if named.get(name) != families.get(name, (0, None))[1]])
    dashboard(report, families)
    alerts(report, families)
    report.done()


main()
