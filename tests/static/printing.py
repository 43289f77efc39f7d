#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Text of others, and what may print.

Bytes of the kernel, of a process, a recording or a document are a struct vmt_bytes (lib/base/buf.h).
No function of the printf family takes one, so they come to a terminal, into JSON, CSV or a page through
an encoder: vmt_fmt_safe() and what is built on it, vmt_json_bytes(), vmt_xml_escape(). Two ways would
lead past them, and both are closed but for the places that are named here, each with its reason: the
pointer in the struct handed to something that writes, and a write that is none of ours."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import TOP, Report, sources, without_comments  # noqa: E402

# What writes to a file, a terminal or a pipe. No name that begins with a letter before: p->write().
WRITES = set("""fputs fwrite fprintf vfprintf printf vprintf puts putchar putc fputc dprintf vdprintf write
    writev pwrite pwritev send sendto sendmsg sendfile splice copy_file_range perror psignal syslog
    vsyslog tputs putp fputs_unlocked fwrite_unlocked putc_unlocked putchar_unlocked putw fputwc fputws
    addstr waddstr addch waddch printw scr_table_print""".split())

# "file: function" -> what goes out there, and why none of it is text of others as it came.
WRITERS = {
    "lib/view/doc.c: write": "what is in a sink: the outputs put it there, through the encoders",
    "cmd/output.c: fprintf": "all that is said on stderr, which vmt_fmt_safe() made of it",
    "cmd/ui/terminal.c: write": "cells of the canvas, which takes nothing unsafe; keys of terminfo",
    "cmd/ui/aside.c: write": "what libraries said on stderr while the screen was ours, as they said it",
    "cmd/cmd-check.c: write": "a constant",
    "cmd/check-files.c: write": "a constant",
    "cmd/child.c: write": "one byte, and an errno, between vmtop and what it runs",
    "cmd/record-writer.c: pwrite": "a recording, compressed",
    "cmd/top-config.c: write": "the configuration, as its owner wrote it",
}

# Where the pointer of a text is handed to something that takes plain characters: "file: what" -> why.
OWN, ENCODED = "words of vmtop's own tables", "an encoder made it, some lines above"
LATER = "it becomes a text again, which an encoder takes where it is printed"
SAID = "all of the message goes through vmt_fmt_safe()"
DRAWN = "the sheet, or the canvas, encodes all of what it is given"
FILE = "a file of vmtop's own, which is read back"
HANDED = {
    "cmd/check-config.c: line.ptr": "to inih; what is wrong with it is said on stderr",
    "cmd/check-plan.c: name.ptr": LATER,
    "cmd/cmd-cache.c: issue->hint.ptr": SAID,
    "cmd/cmd-diff.c: a->schema.ptr": SAID,
    "cmd/cmd-diff.c: b->schema.ptr": SAID,
    "cmd/cmd-diff.c: in->doc.schema.ptr": SAID,
    "cmd/collect-loop.c: p->read_status.ptr": SAID,
    "cmd/metrics-groups.c: line.ptr": "to inih; what is wrong with it is said on stderr",
    "cmd/metrics-groups.c: text.ptr": "names and patterns; a name is made text again for the metrics",
    "cmd/metrics-groups.c: word.ptr": "patterns, which nobody prints",
    "cmd/metrics-state.c: s->boot_id.ptr": FILE,
    "cmd/metrics-state.c: t->name.ptr": FILE,
    "cmd/record-writer.c: lines.ptr": "lines of JSON",
    "cmd/top-config-edit.c: lines.rest.ptr": "the end of a length",
    "cmd/top-config-edit.c: line.text.ptr": "the configuration, as its owner wrote it",
    "cmd/top-config-edit.c: line.value.ptr": "the configuration, as its owner wrote it",
    "cmd/top-config.c: text.ptr": "to inih; what is wrong with it is said on stderr",
    "cmd/ui/chrome.c: m->findings[first].text.ptr": LATER,
    "cmd/ui/chrome.c: s->letter.ptr": DRAWN,
    "cmd/ui/chrome.c: s->name.ptr": DRAWN,
    "cmd/ui/chrome.c: time.ptr": "to strptime()",
    "cmd/ui/explain.c: status.ptr": DRAWN,
    "cmd/ui/explain.c: hint.ptr": DRAWN,
    "cmd/ui/explain.c: t->name.ptr": DRAWN,
    "cmd/ui/explain.c: text->ptr": DRAWN,
    "cmd/ui/faults-sums.c: t->name.ptr": DRAWN,
    "cmd/ui/popup-text.c: f->severity.ptr": DRAWN,
    "cmd/ui/popup-text.c: f->text.ptr": DRAWN,
    "cmd/ui/popup-text.c: fix.ptr": DRAWN,
    "cmd/ui/popup-text.c: r->name.ptr": DRAWN,
    "cmd/ui/popup-text.c: r->status.ptr": DRAWN,
    "cmd/ui/popup-text.c: reason.ptr": DRAWN,
    "cmd/ui/popup-text.c: what.ptr": DRAWN,
    "cmd/ui/row-filter.c: text.ptr": "what was typed; drawn as bytes",
    "cmd/ui/screen-procs.c: source->reason.ptr": LATER,
    "cmd/ui/sheet.c: text.ptr": ENCODED,
    "cmd/ui/table.c: text->ptr": "a key to find a row by",
    "cmd/ui/vma-detail.c: p->read_status.ptr": DRAWN,
    "cmd/ui/ui.c: device.ptr": "a key to find a row by",
    "lib/view/out-csv.c: text.ptr": ENCODED,
    "lib/view/out-folded.c: lines[i].text.ptr": ENCODED,
    "lib/view/picture-flame.c: stack.ptr": LATER,
    "lib/view/picture-maps.c: p->class.ptr": SAID,
    "lib/view/picture-maps.c: p->read_status.ptr": SAID,
    "lib/view/picture-memory.c: name.ptr": OWN,
    "lib/view/prometheus.c: key.ptr": ENCODED,
    "lib/view/prometheus.c: rest.ptr": ENCODED,
    "lib/view/row-json.c: key.ptr": "a key, which the writer of JSON encodes",
    "lib/view/svg.c: rest.ptr": ENCODED,
}

# What takes plain characters and a length, or one of them, or a NUL behind them.
TAKES = WRITES | set("""memcpy mempcpy memmove strdup strndup snprintf vsnprintf asprintf vasprintf
    vmt_buf_add vmt_buf_addc vmt_buf_adds vmt_canvas_puts""".split())
DECLARED = re.compile(r"\b(\w+)\s*\([^;{}]*?\)\s*__attribute__\(\(\s*format\(printf")
CALL = re.compile(r"(?<![\w.])(?<!->)([A-Za-z_]\w*)\s*\(")
POINTER = re.compile(r"(?<![\w.>\]])(?:\w+(?:\[\w+\])?(?:\.|->))+ptr\b")
# A pointer that is kept: const char *p = text.ptr;
KEPT = re.compile(r"char \*(?:const )?\w+ = ((?:\w+(?:\[\w+\])?(?:\.|->))+ptr)\b(?! *\[)")
KEPT_FOR = {
    "cmd/ui/vma-detail.c: m->vm_flags.ptr": DRAWN,
}


def formats(texts):
    """The functions that are declared to take a format."""
    return {name for text in texts for name in DECLARED.findall(text)}


def around(text, at):
    """The function that a place in C text is an argument of, or an empty string."""
    depth = 0
    while at > 0:
        at -= 1
        if text[at] in ")]":
            depth += 1
        elif text[at] in "([" and depth:
            depth -= 1
        elif text[at] == "(":
            match = re.search(r"([A-Za-z_]\w*)\s*$", text[max(0, at - 80):at])
            if match and match.group(1) not in ("return", "sizeof"):
                return match.group(1)
        elif text[at] in ";{}":
            # Of a struct: { text.ptr, n } is a text as before.
            return ""
    return ""


def written(path, text):
    for match in CALL.finditer(text):
        if match.group(1) in WRITES:
            yield match.start(), f"{path}: {match.group(1)}"


def handed(path, text, takes):
    """Places where the pointer of a text, or a character of it, is an argument."""
    for match in POINTER.finditer(text):
        if around(text, match.start()) in takes:
            yield match.start(), f"{path}: {match.group(0)}"


def kept(path, text):
    for match in KEPT.finditer(text):
        yield match.start(), f"{path}: {match.group(1)}"


KNOWN = [
    (written, 'void f(void) { fputs(s, out); }', ["x.c: fputs"]),
    (written, 'void f(void) { write(1, b, n); }', ["x.c: write"]),
    (written, 'void f(void) { o->write(b); vmt_write(b); n = rewrite(b); }', []),
    (handed, 'void f(void) { vmt_buf_add(out, p->comm.ptr, p->comm.len); }', ["x.c: p->comm.ptr"]),
    (handed, 'void f(void) { say("%.*s", (int)t.len, t.ptr); }', ["x.c: t.ptr"]),
    (handed, 'void f(void) { vmt_buf_addc(out, (char)(t.ptr[i] + 1)); }', ["x.c: t.ptr"]),
    (handed, 'void f(void) { vmt_fmt_safe(out, (struct vmt_bytes){ t.ptr, 1 }, true); }', []),
    (handed, 'void f(void) { if (memcmp(t.ptr, "a", 1) == 0) vmt_buf_adds(out, "a"); }', []),
    (kept, 'void f(void) { const char *p = m[i].path.ptr, *end; }', ["x.c: m[i].path.ptr"]),
    (kept, 'void f(void) { const char c = t.ptr[0]; }', []),
]  # fmt: skip


def main():
    report = Report()
    paths = sources("lib", "cmd")
    texts = {str(path): without_comments((TOP / path).read_text(encoding="utf-8"), strings=False)
             for path in paths}  # fmt: skip
    takes = TAKES | formats(texts.values())
    report.check("the rules tell right from wrong", [
        f"{text}: {have}" for rule, text, wanted in KNOWN
        if (have := [what for _, what in
                     (rule("x.c", text, takes | {"say"}) if rule is handed else rule("x.c", text))])
        != wanted
    ])  # fmt: skip
    report.check("what takes a format is found", [
        f"{name} is not" for name in ("vmt_buf_addf", "vmt_complain", "vmt_err_set", "vmt_ui_say",
                                      "vmt_sheet_addf", "vmt_canvas_putf") if name not in takes
    ])  # fmt: skip
    # lib/source and lib/model make texts, which view and cmd print; lib/base has the encoders.
    border = [path for path in texts if path.startswith(("lib/view/", "cmd/"))]
    for what, among, rule, allowed in (
        ("output is written where the list says", texts, written, WRITERS),
        ("no text of others goes by an encoder", border,
         lambda path, text: handed(path, text, takes), HANDED),
        ("no pointer to a text of others is kept", border, kept, KEPT_FOR),
    ):  # fmt: skip
        found, problems = set(), []
        for path in among:
            for start, key in rule(path, texts[path]):
                found.add(key)
                if key not in allowed:
                    line = texts[path].count("\n", 0, start) + 1
                    problems.append(f"{path}:{line}: {key.split(': ')[1]}")
        problems += [f"the list has {key}, which is not there" for key in allowed
                     if key not in found]
        report.check(f"{what}: {len(found)} places", problems)
    report.done()


if __name__ == "__main__":
    main()
