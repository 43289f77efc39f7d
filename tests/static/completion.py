#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The committed completion scripts, asked by their shells."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import TOP, VMTOP, Report  # noqa: E402

try:
    import pexpect
except ImportError:
    pexpect = None

SCRIPTS = TOP / "completions"
PID = str(os.getpid())

# What each shell is asked: a line up to the cursor, what must be offered, what must not. An offer is
# the whole word that would stand on the line.
CASES = [
    ("vmtop ma", {"maps"}, {"free", "ps"}),
    ("vmtop ", {"free", "ps", "maps", "help", "completion"}, {"introspect"}),
    ("vmtop -t 3 ma", {"maps"}, {"free"}),
    ("vmtop --format json ma", {"maps"}, {"free"}),
    ("vmtop maps --list", {"--list-only"}, {"--kernel-threads"}),
    ("vmtop ps --ke", {"--kernel-threads"}, {"--list-only"}),
    ("vmtop ps --format ", {"text", "json", "ndjson", "csv"}, {"maps"}),
    ("vmtop ps --format nd", {"ndjson"}, {"json"}),
    ("vmtop ps -o rs", {"rss"}, {"pid"}),
    ("vmtop ps -o pid,rs", {"pid,rss"}, {"pid,pid"}),
    ("vmtop ps -o +ps", {"+pss"}, {"pss"}),
    ("vmtop ps -s -rs", {"-rss"}, {"--raw", "rss"}),
    ("vmtop ps -s pid,-rs", {"pid,-rss"}, {"pid,rss"}),
    ("vmtop maps -o kpa", {"kpage"}, {"vsize"}),
    (f"vmtop maps {PID[:2]}", {PID}, {"free"}),
    (f"vmtop maps 1 {PID[:2]}", {PID}, {"free"}),
    (f"vmtop ps -p 1,{PID[:2]}", {f"1,{PID}"}, {"1"}),
    ("vmtop ps -u roo", {"root"}, {"maps"}),
    ("vmtop faults --summary ", {"vma", "proc", "file"}, {"faults"}),
    ("vmtop faults --rung t", {"tracepoint"}, {"fexit"}),
    ("vmtop report --only system,fa", {"system,faults"}, {"system,system"}),
    ("vmtop help ma", {"maps"}, {"introspect"}),
    ("vmtop schema ", {"free", "ps", "maps"}, {"help", "completion"}),
    ("vmtop completion ", {"bash", "zsh", "fish"}, {"maps"}),
]

if not os.path.exists(f"/proc/{PID}"):
    # A bare chroot: there are no process ids to offer.
    CASES = [case for case in CASES if PID not in " ".join(case[1])]

# For bash these words lie behind "=", which readline makes a word of its own.
EQUALS = [
    ("vmtop ps --format=nd", "ndjson"),
    ("vmtop ps --output=pid,rs", "pid,rss"),
]


def no_terminal():
    """Why nothing can be tried on a terminal; None where it can."""
    if not pexpect:
        return "needs python3-pexpect"
    try:
        for end in os.openpty():
            os.close(end)
    except OSError as error:
        return f"no pseudo-terminal here: {error.strerror}"
    return None


def problem(line, offered, must, must_not):
    missing, wrong = must - offered, must_not & offered
    if not missing and not wrong:
        return None
    return f"{line!r}: not offered {sorted(missing)}, wrongly {sorted(wrong)}"


BASH_ASK = r"""
compopt() { echo "compopt $*"; }
ask() {
	COMP_LINE=$1 COMP_POINT=${#1}
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	_vmtop vmtop "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
	printf '%s\n' "${COMPREPLY[@]}"
}
"""


def bash_ask(line, words=None):
    """What the function of the script says, in a shell with nothing but the script."""
    words = line.split(" ") if words is None else words
    said = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c",
         'source "$1"; shift\n' + BASH_ASK + 'ask "$@"', "bash",
         str(SCRIPTS / "vmtop.bash"), line, *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )
    return set(said.stdout.splitlines())


def bash_on_terminal(line):
    """The line after a tab, by readline."""
    with tempfile.NamedTemporaryFile("w", suffix=".inputrc") as rc:
        rc.write("set enable-bracketed-paste off\nset bell-style none\n")
        rc.flush()
        env = dict(os.environ, INPUTRC=rc.name, TERM="dumb", PS1="READY>")
        shell = pexpect.spawn("bash", ["--norc", "--noprofile", "-i"], env=env, encoding="utf-8",
                              timeout=20, dimensions=(24, 200))
        try:
            shell.expect_exact("READY>")
            shell.sendline(f"PS1='GO''>'; source '{SCRIPTS / 'vmtop.bash'}'")
            shell.expect_exact("GO>")
            shell.send(line + "\t")
            shell.send("\x01echo '\x05'\r")
            shell.expect(r"\n(vmtop [^\r\n]*)")
            return shell.match.group(1)
        finally:
            shell.close(force=True)


def test_bash(report):
    if not shutil.which("bash"):
        report.skip("bash", "needs bash")
        return
    report.check(
        "bash offers what fits",
        [text for line, must, not_ in CASES if (text := problem(line, bash_ask(line), must, not_))],
    )
    wrong = []
    for line, word in EQUALS:
        before, _, after = line.rpartition("=")
        offered = bash_ask(line, [*before.split(" "), "=", after])
        if word not in offered:
            wrong.append(f"{line!r} as words: {sorted(offered)}")
        whole = before.split(" ")[-1] + "=" + word
        offered = bash_ask(line)
        if whole not in offered:
            wrong.append(f"{line!r} as one word: {sorted(offered)}")
    report.check("bash completes behind =", wrong)
    report.check(
        "bash leaves names of files to readline",
        [
            line
            for line, how in (
                ("vmtop ps -w fi", "compopt -o default"),
                ("vmtop --root di", "compopt -o dirnames"),
            )
            if how not in bash_ask(line)
        ],
    )
    loader = pathlib.Path("/usr/share/bash-completion/bash_completion")
    if loader.exists():
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder) / "completions"
            place.mkdir()
            shutil.copy(SCRIPTS / "vmtop.bash", place / "vmtop")
            said = subprocess.run(
                ["bash", "--norc", "--noprofile", "-c",
                 f"source {loader}; _completion_loader vmtop; complete -p vmtop"],
                env=dict(os.environ, BASH_COMPLETION_USER_DIR=folder),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )
        report.check(
            "bash-completion loads the script",
            None if "complete -F _vmtop vmtop" in said.stdout else said.stdout,
        )
    else:
        report.skip("bash-completion loads the script", "needs the package bash-completion")
    if not no_terminal():
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "with blank").touch()
            (pathlib.Path(folder) / "down").mkdir()
            wrong = []
            for line, want in (
                ("vmtop kernel-no-such", "vmtop kernel-no-such"),
                ("vmtop comp", "vmtop completion"),
                ("vmtop ps --format=nd", "vmtop ps --format=ndjson"),
                (f"vmtop ps -w {folder}/wi", f"vmtop ps -w {folder}/with\\ blank"),
                (f"vmtop --root {folder}/", f"vmtop --root {folder}/down/"),
            ):
                have = bash_on_terminal(line).strip()
                if have != want.strip():
                    wrong.append(f"{line!r} became {have!r}, not {want!r}")
        report.check("bash completes on a terminal", wrong)
    else:
        report.skip("bash completes on a terminal", no_terminal())


# Every word that compadd would offer goes to a file, with what stands before it on the line.
# Of a machine with many processes it would ask whether all of them are to be listed, and wait.
ZSH_SETUP = r"""
PROMPT= RPROMPT= PS2= LISTMAX=1000000
fpath=(%(scripts)s $fpath)
autoload -U compinit && compinit -u -D
compadd() {
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	local -a hits
	builtin compadd -O hits "$@"
	print -rl -- ${hits/#/$IPREFIX} >>%(out)s
	builtin compadd "$@"
}
ask() {
	zle list-choices
	print -r -- 'END' >>%(out)s
	BUFFER=
}
zle -N ask
bindkey '^G' ask
print RE''ADY
"""


def zsh_session(folder):
    out = pathlib.Path(folder) / "offers"
    setup = pathlib.Path(folder) / "setup.zsh"
    setup.write_text(ZSH_SETUP % {"scripts": str(SCRIPTS), "out": str(out)}, encoding="utf-8")
    env = dict(os.environ, TERM="dumb", HOME=folder, ZDOTDIR=folder)
    shell = pexpect.spawn("zsh", ["-f", "-i"], env=env, encoding="utf-8", timeout=60,
                          dimensions=(50, 200))
    shell.sendline(f"source {setup}")
    shell.expect_exact("READY")
    return shell, out


def zsh_ask(shell, out, line):
    out.write_text("", encoding="utf-8")
    shell.send(line + "\x07")
    for _ in range(600):
        text = out.read_text(encoding="utf-8")
        if "END\n" in text:
            return set(text.splitlines()) - {"END", ""}
        try:
            shell.expect(pexpect.TIMEOUT, timeout=0.1)
        except pexpect.EOF:
            break
    return set()


def test_zsh(report):
    name = "zsh offers what fits"
    if not shutil.which("zsh"):
        report.skip("zsh", "needs zsh")
        return
    said = subprocess.run(["zsh", "-n", str(SCRIPTS / "_vmtop")], stderr=subprocess.PIPE, text=True,
                          check=False)
    report.check("zsh understands the script", said.stderr)
    if no_terminal():
        report.skip(name, no_terminal())
        return
    with tempfile.TemporaryDirectory() as folder:
        shell, out = zsh_session(folder)
        try:
            wrong = []
            for line, must, must_not in CASES:
                text = problem(line, zsh_ask(shell, out, line), must, must_not)
                wrong += [text] if text else []
            for line, word in EQUALS:
                offered = zsh_ask(shell, out, line)
                if not any(offer.endswith(word) for offer in offered):
                    wrong.append(f"{line!r}: {sorted(offered)}")
            (pathlib.Path(folder) / "some-file").touch()
            for line in (f"vmtop ps -w {folder}/some", f"vmtop ps --write={folder}/some"):
                offered = zsh_ask(shell, out, line)
                if not any(offer.endswith("some-file") for offer in offered):
                    wrong.append(f"{line!r}: {sorted(offered)}")
        finally:
            shell.close(force=True)
    report.check(name, wrong)


def fish_ask(line):
    said = subprocess.run(
        ["fish", "--no-config", "-c", f"source {SCRIPTS}/vmtop.fish; complete -C $argv[1]", line],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )
    return {offer.split("\t")[0] for offer in said.stdout.splitlines()}


def test_fish(report):
    if not shutil.which("fish"):
        report.skip("fish", "needs fish")
        return
    said = subprocess.run(["fish", "--no-execute", str(SCRIPTS / "vmtop.fish")],
                          stderr=subprocess.PIPE, text=True, check=False)
    report.check("fish understands the script", said.stderr)
    # To fish a word that begins with a dash is an option, even behind one that takes a value.
    cases = [case for case in CASES if not re.search(r" -[a-z] -", case[0])]
    cases.append(("vmtop ps --sort=-rs", {"--sort=-rss"}, {"--sort=rss"}))
    wrong = [text for line, must, not_ in cases if (text := problem(line, fish_ask(line), must, not_))]
    for line, word in EQUALS:
        offered = fish_ask(line)
        whole = line.split(" ")[-1].split("=")[0] + "=" + word
        if whole not in offered:
            wrong.append(f"{line!r}: {sorted(offered)}")
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "some-file").touch()
        (pathlib.Path(folder) / "down").mkdir()
        for line, must, must_not in (
            (f"vmtop ps -w {folder}/", {f"{folder}/some-file"}, set()),
            (f"vmtop --root {folder}/", {f"{folder}/down/"}, {f"{folder}/some-file"}),
        ):
            text = problem(line, fish_ask(line), must, must_not)
            wrong += [text] if text else []
    report.check("fish offers what fits", wrong)


def test_words(report):
    """Every command and option is in every script, and no hidden command is."""
    said = subprocess.run([VMTOP, "introspect"], stdout=subprocess.PIPE, check=True)
    tables = json.loads(said.stdout)
    for name in ("vmtop.bash", "_vmtop", "vmtop.fish"):
        text = (SCRIPTS / name).read_text(encoding="utf-8")
        wrong = []
        for command in tables["commands"]:
            named = re.search(rf"(?<![\w-]){command['name']}(?![\w-])", text)
            if bool(named) == command["hidden"]:
                wrong.append(f"command {command['name']}")
            for option in command["options"]:
                dashes = "-l " if name == "vmtop.fish" else "--"
                if not command["hidden"] and dashes + option["name"] not in text:
                    wrong.append(f"{command['name']} --{option['name']}")
        report.check(f"{name} has each command and option", wrong)


def main():
    report = Report()
    test_words(report)
    test_bash(report)
    test_zsh(report)
    test_fish(report)
    report.done()


if __name__ == "__main__":
    main()
