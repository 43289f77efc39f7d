#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics with the real thing: Debian's promtool, node_exporter and Prometheus. node_exporter
serves the file of 'vmtop metrics --textfile', Prometheus scrapes it each second, has the series,
and its alert fires for a process that grows and ends with it.

All on 127.0.0.1; what is waited for is a condition, with a deadline for machines that are busy.

A part of tests/live/run: it prints its cases and no plan, for it is not the only one.
"""

import contextlib
import http.client
import json
import math
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import exposition  # noqa: E402
import prometheus_tools  # noqa: E402
from program import OK, expect, run  # noqa: E402
from tap import TOP, Report  # noqa: E402

FIXTURES = TOP / "tests" / "fixtures"
GROUPS = FIXTURES / "groups.conf"
CONTRIB = TOP / "contrib"
DEADLINE = 180
GROWN = 48 << 20

GROWER = """
import ctypes, mmap, sys
ctypes.CDLL(None).prctl(15, b"vmtgrower", 0, 0, 0)
held = []
print("ready", flush=True)
for line in sys.stdin:
    more = mmap.mmap(-1, int(line))
    for at in range(0, len(more), 4096): more[at] = 1
    held.append(more)
    print("done", flush=True)
"""

RULES = """
groups:
  - name: live
    interval: 1s
    rules:
      - alert: GroupIsLarge
        expr: vmtop_group_resident_bytes{group="grower"} > %d
        for: 0s
        labels: {severity: warning}
      - alert: GroupFaults
        expr: rate(vmtop_group_page_faults_total{group="grower", kind="minor"}[30s]) > 10
        for: 0s
""" % (GROWN // 2)

CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%s]
scrape_configs:
  - job_name: node
    static_configs: [{targets: ["127.0.0.1:%d"]}]
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(port, path):
    """The answer to a request, as (status, body); None where nobody answers yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def wait(what):
    """What comes of a function, once that is something; None after the deadline."""
    until = time.monotonic() + DEADLINE
    while True:
        found = what()
        if found or time.monotonic() > until:
            return found
        time.sleep(0.1)


class Daemon:
    """A program that serves, with its output in a file; ended by its process id."""

    def __init__(self, folder, name, *words):
        self.log = folder / f"{name}.log"
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          cwd=folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def said(self):
        return self.log.read_text(errors="replace")[-600:]


def serving(report, stack, folder, name, path, words):
    """A daemon that answers a request for path, and its port; words: those that begin it at a port.
    A port that is free may be somebody's by the time that it is bound."""
    for _ in range(3):
        port = free_port()
        daemon = stack.enter_context(Daemon(folder, name, *words(port)))
        answer = wait(lambda child=daemon.child, port=port: child.poll() is not None
                      or (get(port, path) or (0,))[0] == 200)
        if answer and daemon.child.poll() is None:
            return port
        if b"address already in use" not in daemon.log.read_bytes():
            break
    report.check(f"{name} serves", daemon.said() or "it does not")
    sys.exit(1)


def promtool(tools, *words, text=b""):
    """What promtool has against it, or None."""
    said = subprocess.run([os.path.join(tools, "promtool"), *words], input=text, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=CONTRIB, timeout=300)
    return None if said.returncode == 0 else said.stdout[-800:].decode(errors="replace")


def lint(report, tools, state):
    for fixture in sorted(path.parent.name for path in FIXTURES.glob("*/vmtop-fixture")):
        for words in ([], ["--groups", str(GROUPS), "--pss"]):
            result = run("--root", str(FIXTURES / fixture), "metrics", *words)
            report.check(f"promtool check metrics: {fixture} {' '.join(words[:1])}".rstrip(),
                         expect(result, OK) or promtool(tools, "check", "metrics", text=result.out))
    result = run("metrics", "--groups", str(GROUPS), "--pss", "--state", str(state))
    report.check("promtool check metrics: live",
                 expect(result, OK) or promtool(tools, "check", "metrics", text=result.out))
    # It has to be able to refuse.
    report.check("promtool check metrics refuses a name in KiB", None if promtool(
        tools, "check", "metrics", text=b"# TYPE vmtop_x_kb gauge\nvmtop_x_kb 1\n") else "it does not")
    report.check("promtool check rules", promtool(tools, "check", "rules", "alerts.yml"))
    report.check("promtool test rules", promtool(tools, "test", "rules", "alerts.test.yml"))


def query(port, expr):
    """The value of the only series of an expression, or None."""
    answer = get(port, "/api/v1/query?" + urllib.parse.urlencode({"query": expr}))
    if not answer or answer[0] != 200:
        return None
    result = json.loads(answer[1])["data"]["result"]
    return float(result[0]["value"][1]) if len(result) == 1 else None


def known(port, expr):
    """The same once it can be had; a value of 0 is one, too."""
    found = wait(lambda: None if (value := query(port, expr)) is None else [value])
    return found[0] if found else None


def firing(port, name):
    answer = get(port, "/api/v1/alerts")
    alerts = json.loads(answer[1])["data"]["alerts"] if answer and answer[0] == 200 else None
    return alerts is not None and any(
        a["labels"]["alertname"] == name and a["state"] == "firing" for a in alerts)


class Writer:
    """vmtop metrics as the timer runs it, but when the test says so."""

    def __init__(self, folder):
        self.file = folder / "textfiles" / "vmtop.prom"
        self.file.parent.mkdir()
        conf = folder / "groups.conf"
        conf.write_text("[grower]\ncomm = vmtgrower\n")
        self.words = ["metrics", "--groups", str(conf), "--state", str(folder / "state"),
                      "--textfile", str(self.file)]

    def write(self):
        problem = expect(run(*self.words), OK)
        if problem:
            raise AssertionError(problem)
        return exposition.parse(self.file.read_bytes())

    def until(self, what):
        """Writes again and again, as time goes on, until something is so."""
        def once():
            self.write()
            return what()
        return wait(once)


def exported(port):
    """The lines of vmtop in what node_exporter serves, and its own of the collector."""
    answer = get(port, "/metrics")
    if not answer or answer[0] != 200:
        return None, None
    lines = answer[1].decode().splitlines()
    return ([line for line in lines if line.startswith("vmtop_")],
            [line for line in lines if line.startswith("node_textfile_scrape_error ")])


def as_float(families):
    """{series: value} as node_exporter has it: its labels are in another order."""
    found = {}
    for name, (_, samples) in families.items():
        for labels, value in samples.items():
            found[name, frozenset(labels)] = float(value)
    return found


def served(lines):
    text = "".join(f"{line}\n" for line in lines)
    found = {}
    for line in text.splitlines():
        name, _, rest = line.partition("{")
        labels, _, value = rest.rpartition("} ") if rest else ("", "", "")
        if not rest:
            name, _, value = line.rpartition(" ")
        found[name, frozenset(exposition.labels_of(labels))] = float(value)
    return found


def collector(report, writer, port):
    """What node_exporter serves is what vmtop wrote, value by value."""
    families = writer.write()
    lines, errors = wait(lambda: (lambda e: e if e[0] else None)(exported(port))) or ([], [])
    report.check("node_textfile_scrape_error is 0",
                 None if errors == ["node_textfile_scrape_error 0"] else str(errors))
    wrote, got = as_float(families), served(lines)
    problems = [f"{key}: {got.get(key)}, not {value}" for key, value in wrote.items()
                if key not in got or not math.isclose(got[key], value, rel_tol=1e-15)]
    report.check(f"node_exporter serves all that was written ({len(wrote)} series)",
                 problems + [f"{key} was not written" for key in set(got) - set(wrote)])


def scraped(report, writer, port, grower):
    """The series are in Prometheus, and alerts fire and end."""
    total = next(int(line.split()[1]) * 1024 for line in open("/proc/meminfo", encoding="ascii")
                 if line.startswith("MemTotal:"))
    value = wait(lambda: query(port, "sum without (kind) (vmtop_memory_bytes)"))
    report.check("Prometheus has the kinds of memory, which sum to MemTotal",
                 None if value == total else f"{value}, not {total}")
    value = writer.until(lambda: query(port, "count(vmtop_source_up == 1)"))
    report.check("Prometheus has the sources", None if value and value >= 6 else f"{value}")
    answer = wait(lambda: (lambda a: a if a and b'"unknown"' not in a[1] else None)(
        get(port, "/api/v1/rules")))
    rules = [rule for group in json.loads(answer[1])["data"]["groups"] for rule in group["rules"]] \
        if answer else []
    report.check(f"Prometheus reckons all rules ({len(rules)})",
                 [f"{r['name']}: {r['health']} {r.get('lastError', '')}" for r in rules
                  if r["health"] != "ok"] or (None if len(rules) > 10 else "there are none"))
    report.check("no alert before the workload",
                 "it fires" if firing(port, "GroupIsLarge") else None)
    grower.stdin.write(f"{GROWN}\n")
    grower.stdin.flush()
    grower.stdout.readline()
    report.check("the alert fires: resident memory of a group",
                 None if writer.until(lambda: firing(port, "GroupIsLarge")) else "it does not")

    def fault():
        for _ in range(4):
            grower.stdin.write(f"{1 << 20}\n")
            grower.stdin.flush()
            grower.stdout.readline()
        return firing(port, "GroupFaults")

    report.check("the alert fires: page faults of a group",
                 None if writer.until(fault) else "it does not")
    grower.stdin.close()
    grower.wait()
    report.check("the alert ends with the process",
                 None if writer.until(lambda: not firing(port, "GroupIsLarge")) else "it does not")
    value = known(port, 'resets(vmtop_group_page_faults_total{group="grower", kind="minor"}[1h])')
    report.check("the counter of the group never went back", None if value == 0 else f"{value} resets")
    up = known(port, "max_over_time(node_textfile_scrape_error[1h])")
    report.check("no scrape met half a file", None if up == 0 else f"{up}")


def main():
    report = Report()
    try:
        tools = prometheus_tools.obtain()
    except prometheus_tools.Unavailable as why:
        report.skip("prometheus and node_exporter", f"cannot be had: {why}")
        sys.exit(1 if report.failed else 0)
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="vmtop-prometheus-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        lint(report, tools, folder / "lint.state")
        writer = Writer(folder)
        grower = subprocess.Popen([sys.executable, "-c", GROWER], text=True, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        stack.callback(grower.wait)
        stack.callback(grower.kill)
        grower.stdout.readline()
        writer.write()
        exporter_port = serving(report, stack, folder, "node_exporter", "/metrics", lambda at: (
            os.path.join(tools, "prometheus-node-exporter"),
            f"--web.listen-address=127.0.0.1:{at}", "--collector.disable-defaults",
            "--collector.textfile", f"--collector.textfile.directory={writer.file.parent}"))
        collector(report, writer, exporter_port)
        (folder / "rules.yml").write_text(RULES)
        (folder / "prometheus.yml").write_text(
            CONFIG % (f'"{folder / "rules.yml"}", "{CONTRIB / "alerts.yml"}"', exporter_port))
        report.check("promtool check config", promtool(tools, "check", "config",
                                                       str(folder / "prometheus.yml")))
        port = serving(report, stack, folder, "prometheus", "/-/ready", lambda at: (
            os.path.join(tools, "prometheus"),
            f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{at}", "--log.level=warn"))
        scraped(report, writer, port, grower)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
