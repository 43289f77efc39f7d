#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""vmtop diff: what it refuses, in one line each; documents that other tools ordered anew; its own
document against the schema that is shipped for it."""

import json
import os
import pathlib
import sys
import tempfile

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from program import FAILED, NOTHING, OK, USAGE, expect, loads, raw_controls, run  # noqa: E402
from tap import Report  # noqa: E402


def turned(o):
    """The same with the members of each object in the other order."""
    if isinstance(o, dict):
        return {key: turned(o[key]) for key in reversed(o)}
    return [turned(x) for x in o] if isinstance(o, list) else o


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        def keep(name, data):
            path = pathlib.Path(folder, name)
            path.write_bytes(data)
            return str(path)

        pid = str(os.getpid())
        maps, free = run("maps", pid, "-J").out, run("free", "-J").out
        document = loads(maps)
        good, machine = keep("good", maps), keep("machine", free)
        other = keep("other", json.dumps({**document, "version": 99}).encode())
        fifo = os.path.join(folder, "fifo")
        os.mkfifo(fifo)
        hostile = keep("a\x1b[31m\nname", maps[:100])
        for name, code, words in (
            ("no document", FAILED, [good, keep("text", b"nothing of ours\n")]),
            ("an empty file", FAILED, [keep("empty", b""), good]),
            ("a torn file", FAILED, [good, keep("torn", maps[: len(maps) // 2])]),
            ("another version", FAILED, [other, good]),
            ("a document of another program", FAILED, [keep("else", b'{"schema":"x.y"}'), good]),
            ("no such file", FAILED, [good, os.path.join(folder, "none")]),
            ("a FIFO, at once", FAILED, [fifo, good]),
            ("a directory", FAILED, [folder, good]),
            ("a hostile name", FAILED, [hostile, good]),
            ("an unknown --by", USAGE, ["--by", "nonsense", good, good]),
            ("--by role without mappings", FAILED, ["--by", "role", good, machine]),
            ("a time of no recording", USAGE, [f"{good}@03:14", good]),
            ("a process that is in neither", NOTHING, ["-p", "1", good, good]),
        ):
            result = run("diff", *words)
            problems = expect(result, code, quiet=False, complaint=True) or []
            problems = [problems] if isinstance(problems, str) else list(problems)
            if result.out:
                problems.append(f"it printed {result.out[:100]!r}")
            if raw_controls(result.err):
                problems.append(f"control characters in {result.err!r}")
            report.check(f"refused: {name}", problems)
        new = keep("turned", json.dumps(turned(document), indent=3).encode())
        result = run("diff", "-a", "-J", good, new)
        wrong = expect(result, OK)
        rows = [] if wrong else loads(result.out)["data"]["mappings"]
        report.check("ordered and indented anew: the same",
                     wrong or [str(r) for r in rows if r["match"] != "same" or r["rss_delta_bytes"]]
                     or ([] if len(rows) == len(document["data"]["maps"]) else "not as many rows"))
        lines = [turned(loads(line)) for line in run("maps", pid, "--ndjson").out.splitlines()]
        stream = keep("stream", b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        report.check("a stream with its members in another order is read",
                     "its type comes first" if next(iter(lines[0])) == "type" else
                     expect(run("diff", "-a", stream, stream), OK))
        # Unknown then, known now: nobody can say that nothing changed.
        less = json.loads(json.dumps(document))
        less["data"]["maps"][0]["rss_bytes"] = None
        half = keep("half", json.dumps(less).encode())
        for words in ([half, good], [good, half]):
            result = run("diff", "-J", *words)
            wrong = expect(result, OK)
            rows = [] if wrong else loads(result.out)["data"]["mappings"]
            report.check(f"a row that is known {'now' if words[0] == half else 'then'} alone is shown",
                         wrong or (None if [(r["match"], r["rss_delta_bytes"]) for r in rows] ==
                                   [("same", None)] else f"{rows}"[:300]))
            result = run("diff", "--format", "svg", *words)
            report.check(f"nor does a picture of what is known {'now' if words[0] == half else 'then'} "
                         "alone say that nothing changed",
                         expect(result, FAILED, complaint=True) or
                         (None if b"what changed is not known of 1 of 1 rows" in result.err
                          else f"{result.err!r}"))
        less["data"]["maps"][1]["rss_bytes"] += 1 << 20
        result = run("diff", "--format", "svg", good, keep("more", json.dumps(less).encode()))
        report.check("a picture says of how many rows it is not known",
                     expect(result, OK) or
                     [text for text in (b"1 of 2 rows changed, of 1 it is not known: +1.00M",
                                        b"1 rows of 2 are drawn", b"; of 1 it is not known")
                      if text not in result.out])
        schema = loads(run("schema", "diff").out)
        for words in ([], [f"--pid={pid}"], ["--by", "role"], ["--by", "file"], ["--by", "proc"]):
            result = run("diff", "-a", "-J", *words, good, new)
            report.check(f"the document of diff {' '.join(words).replace(pid, 'PID')} is valid",
                         expect(result, OK) or
                         [e.message[:200] for e in jsonschema.Draft202012Validator(schema)
                          .iter_errors(loads(result.out))])
    report.done()


main()
