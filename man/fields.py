# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes vmtop-fields(7) from what 'vmtop introspect' says; tests/static/generated.py writes it."""

import textwrap

HEAD = r'''.\" SPDX-License-Identifier: GPL-2.0-or-later
.\"
.\" Made from the field tables of the program by man/fields.py; to write it anew:
.\" tests/static/generated.py --update
.Dd November 21, 2026
.Dt VMTOP-FIELDS 7
.Os
.Sh NAME
.Nm vmtop-fields
.Nd every value that vmtop shows
.Sh DESCRIPTION
Each value that
.Xr vmtop 1
shows is one field of a kind of row.
A field has a column title and a key.
The options
.Fl o
and
.Fl s
take either, without regard to case;
.Ql -o help
lists those of a command.
In JSON the key names the value, see
.Xr vmtop-json 5 ;
a key with a dot, such as
.Va latency.p50_ns ,
stands for a key in an object.
.Pp
A value that could not be read, or that this kernel does not have, is unknown:
.Ql -
in text, an empty cell in CSV,
.Dv null
in JSON, and never 0.
.Ss Units
.Bl -tag -width bytes
.It bytes
Sizes.
Text shows them in the unit of
.Fl b , k , m , g , -pages
or
.Fl -human ,
JSON and CSV in bytes.
.It pages
Numbers of base pages.
.It count
Numbers of things or events.
.It ns
Nanoseconds.
Text shows them as ns, us, ms or s.
.It milli
Rates and ratios, known to a thousandth:
numbers with three digits behind the point.
.El
.Ss Kinds
A
.Em gauge
goes up and down,
a
.Em counter
only grows while what it belongs to lives,
a
.Em label
says which row it is.
'''

TAIL = r'''.Sh SEE ALSO
.Xr vmtop 1 ,
.Xr proc 5 ,
.Xr vmtop-json 5
.Pp
.Pa Documentation/filesystems/proc.rst
of the Linux kernel
'''

TYPES = {
    "u64": None,
    "i64": "may be negative",
    "string": "text",
    "hex": "address",
    "bool": "yes or no",
    "histogram": "histogram",
    "keys": "keys and values of the kernel",
}


# Parts of the envelope; the others stand in data, or where probes ran.
EVERYWHERE = {"source": "sources", "issue": "errors", "finding": "findings"}


def plain(text):
    """Text of the tables as lines of roff that are nothing but text."""
    text = text.replace("\\", "\\e")
    lines = textwrap.wrap(text, 78, break_long_words=False, break_on_hyphens=False)
    return [("\\&" + line if line[0] in ".'" else line) for line in lines]


def sentence(text):
    return plain(text[0].upper() + text[1:] + ("" if text.endswith(".") else "."))


def note(field):
    """What a field is. The words of the tables stay as they are: many begin with a kernel's name."""
    return plain(f"{field['help']} ({properties(field)})")


def argument(text):
    """One argument of a macro; short words that are macro names or punctuation are made plain."""
    text = text.replace("\\", "\\e")
    if len(text) <= 3:
        text = "\\&" + text
    return f'"{text}"' if " " in text else text


def key(field):
    return f"{field['group']}.{field['key']}" if field["group"] else field["key"]


def properties(field):
    said = [TYPES[field["type"]]]
    if field["unit"] != "none":
        said.append(field["unit"])
    said += [field["kind"], f"from {field['source']}"]
    return ", ".join(word for word in said if word)


def entity(table, commands):
    lines = [f".Ss {table['name']}: {table['help']}"]
    if table["name"] in EVERYWHERE:
        lines += sentence(f"in each JSON document, as {EVERYWHERE[table['name']]}")
    where = [f"{section} of vmtop {name}" for name, section in commands]
    if where:
        lines += sentence("in JSON: " + ", ".join(where))
    columns = [field["title"] for field in table["fields"] if field["default"]]
    if columns:
        lines += sentence("columns without -o: " + ", ".join(columns))
    if table["sort"]:
        lines += sentence(f"order without -s: {table['sort']}")
    lines.append(".Bl -tag -width Ds")
    for field in table["fields"]:
        lines.append(f".It Ic {argument(field['title'])} Pq Va {argument(key(field))}")
        lines += note(field)
    lines.append(".El")
    return lines


def sources(table):
    lines = [
        ".Ss Sources",
        "A source is read when a field that is asked for needs it.",
        "Cheap ones cost microseconds and take no lock that a process feels.",
        "Dear ones walk the mappings or page tables of a process under its mmap lock.",
        "Probes add to the cost of each page fault while they run.",
        ".Bl -tag -width smaps_rollup",
    ]
    for source in table:
        lines.append(f".It Cm {argument(source['name'])} Pq {source['cost']}")
        lines += sentence(source["help"])
        if source["what"] != "-":
            lines += sentence("read: " + source["what"])
    lines.append(".El")
    return lines


def used_by(tables, name):
    """The (command, key) pairs of the documents in which rows of an entity stand."""
    envelope = {"probe": "probes", "rung": "rungs"}
    if name in envelope:
        return [
            (command["name"], envelope[name])
            for command in tables["commands"]
            if command["has_probes"] and not command["hidden"]
        ]
    return [
        (command["name"], f"data.{section['key']}")
        for command in tables["commands"]
        if not command["hidden"]
        for section in command["sections"]
        if section["entity"] == name
    ]


def page(tables):
    lines = HEAD.splitlines() + sources(tables["sources"]) + [".Sh ROWS AND FIELDS"]
    for table in tables["entities"]:
        lines += entity(table, used_by(tables, table["name"]))
    return "\n".join(lines + TAIL.splitlines()) + "\n"
