#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The dashboard on terminals of every kind and size: what they show, and how it is left."""

import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import termios

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from console import FIXTURE, HOSTILE, LATE, SHOWN, Console, Skip, cases  # noqa: E402
from program import OK, Outsider, expect, loads, one_line, run  # noqa: E402
from tap import VMTOP, Report  # noqa: E402

SAVED = ("top", "--root", FIXTURE)
COLOR = re.compile(rb"\x1b\[[0-9;:]*\b[34]8[;:][0-9;:]*m|\x1b\[(?:[0-9;]*;)?[34][0-7]m")
CLEAR = b"\x1b[H\x1b[2J"


def quits(c, keys="q", code=0):
    """What is wrong with the end of a run that a key ends."""
    c.press(keys)
    said = c.wait_end()
    return ([f"exit code {said}"] if said != code else []) + c.left_problems()


def begins_and_ends():
    """a screen comes, a key ends it, and the terminal is as it was"""
    with Console(*SAVED) as c:
        c.wait_for(SHOWN)
        problems = [f"mode {mode} is {c.modes[mode]}" for mode, on in
                    ((1049, True), (25, False), (2004, True), (1000, True), (1006, True))
                    if c.modes[mode] != on]
        if termios.tcgetattr(c.master)[3] & (termios.ECHO | termios.ICANON | termios.ISIG):
            problems.append("keys are echoed, or wait for a line")
        return problems + quits(c)


def is_part(lines, wanted):
    """Whether the lines of a screen but its last are among those wanted, in their order, and all
    that are wanted but one or two are there."""
    # "1-18 of 30": how many lines there are is another number there.
    lines, wanted = ([re.sub(r"\d+-\d+ of \d+$", "", line) for line in some]
                     for some in (lines, wanted))
    kept = lines if lines[-1:] == wanted[-1:] else lines[:-1]
    rest = iter(wanted)
    return len(kept) + 2 >= len(wanted) and all(line in rest for line in kept)


def same_as_batch():
    """G12 a terminal shows what --render prints, at six sizes and after each resize"""
    with Console(*SAVED) as c:
        for width, height in ((80, 24), (160, 50), (100, 30), (60, 16), (38, 9), (81, 24)):
            c.resize(width, height)
            said = run("top", "--root", FIXTURE, "--render", "system", "--size",
                       f"{width}x{height}")
            wanted = [line.rstrip() for line in said.out.decode().splitlines()]
            # Text has no line of keys; where that is, it may have one more of the screen.
            c.wait(lambda: is_part([line.rstrip() for line in c.lines()], wanted),
                   f"{width}x{height} is {wanted}")
        return quits(c)


def hostile_names():
    """G11 G12 names of every sort: columns stay straight, and no control byte comes through"""
    problems = []
    for width, height in ((80, 24), (100, 30)):
        said = run("top", "--root", HOSTILE, "--render", "procs", "--size", f"{width}x{height}")
        wanted = [line.rstrip() for line in said.out.decode().splitlines()]
        with Console("top", "--root", HOSTILE, "--screen", "procs", size=(width, height)) as c:
            c.wait(lambda: is_part([line.rstrip() for line in c.lines()], wanted),
                   f"{width}x{height} is {wanted}")
            # Sequences that are not ours: titles, bells, other controls.
            strange = re.findall(rb"[\x00-\x07\x0e-\x1a\x7f]|\x1b[]P^_X]", c.raw)
            if strange:
                problems.append(f"sends {sorted(set(strange))}")
            problems += quits(c)
    return problems


# Characters that terminals draw two columns wide, or over others, or whose width they dispute.
WIDE = ["\u4f60\u597d", "e\u0301\u0302x", "\U0001f427\u200d", "\u00b1\u2026\u0430", "\uff21", "\u0e01"]


def wide_names():
    """G11 wide and combining characters: what stands behind them stands in its column"""
    with tempfile.TemporaryDirectory() as folder:
        machine = pathlib.Path(folder) / "machine"
        shutil.copytree(HOSTILE, machine, symlinks=True)
        pids = ["1", "14", "20", "41", "60", "61"]
        for pid, name in zip(pids, WIDE):
            stat, status = machine / "proc" / pid / "stat", machine / "proc" / pid / "status"
            stat.write_bytes(re.sub(rb"\(.*\)", lambda _, to=name: b"(" + to.encode() + b")",
                                    stat.read_bytes(), flags=re.DOTALL))
            if status.exists():
                status.write_bytes(re.sub(rb"\AName:[^\n]*", b"Name:\t" + name.encode(),
                                          status.read_bytes()))
        problems = []
        with Console("top", "--root", str(machine), size=(80, 24)) as c:
            c.wait_for("MEM")
            c.press("2")
            c.wait_for("COMMAND")
            for name in (WIDE[0], WIDE[5][0], "F10"):
                c.wait_for(name)
            lines = c.lines()
            at = next(i for i, line in enumerate(lines) if "COMMAND" in line)
            column = lines[at].index("COMMAND")
            for line, name in ((line, name) for line in lines for name in WIDE):
                if name[0] in line and line.endswith(name) and line.index(name[0]) != column:
                    problems.append(f"{name!r} is at {line.index(name[0])}, not {column}")
            # Over and away again, and whole: nothing of a half is left. What PSS is missing for is
            # another reason once it was asked for.
            rows = lines[:-2]
            c.press("1")
            c.wait_for("[1:")
            c.press("2")
            c.wait(lambda: c.lines()[:-2] == rows, f"the same as {rows}")
            c.press("\x0c")
            c.wait(lambda: c.raw.count(CLEAR) > 1 and c.lines()[:-2] == rows, f"the same as {rows}")
            return problems + quits(c, "Q")


def resize_storm():
    """G01 a thousand sizes: it lives, draws some of them, and the last one is what it shows"""
    with Console(*SAVED, size=(80, 24)) as c:
        c.wait_for(SHOWN)
        for n in range(1000):
            c.set_size(40 + n % 120, 10 + n % 50)
            c.pump()
        c.resize(100, 30)
        c.wait(lambda: "F1" in c.lines()[29] and "[1:" in c.lines()[0], "a screen of 100x30")
        c.drain()
        drawn = c.raw.count(CLEAR)
        return ([f"{drawn} of 1001 screens were drawn"] if drawn > 500 else []) + quits(c)


def odd_sizes():
    """G02 sizes of 1x1, 2x200, 0x0 and 32767x32767: clipped, in bounded memory"""
    problems = []
    with Console(*SAVED) as c:
        c.wait_for(SHOWN)
        for width, height in ((1, 1), (200, 2), (2, 200), (32767, 32767), (0, 0)):
            before = c.raw.count(CLEAR)
            c.screen.resize(lines=min(max(height, 1), 500), columns=min(max(width, 1), 1000))
            c.set_size(width, height)
            c.wait(lambda: c.raw.count(CLEAR) > before, f"a screen of {width}x{height}")
        # Nobody said a size: the usual one.
        c.screen.resize(lines=24, columns=80)
        c.resize(80, 24)
        c.wait(lambda: "F1" in c.lines()[23], "a screen of 80x24")
        status = pathlib.Path(f"/proc/{c.pid}/status").read_text(encoding="ascii")
        used = int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
        if used > 400 * 1024:
            problems.append(f"{used} KiB")
        return problems + quits(c)


def begins_tiny():
    """G02 a terminal of 0x0 is one of 80x24; one of 1x1 ends by its key"""
    with Console(*SAVED, size=(0, 0)) as c:
        c.screen.resize(lines=24, columns=80)
        c.wait_for(SHOWN)
        problems = quits(c)
    with Console(*SAVED, size=(1, 1)) as c:
        c.wait(lambda: c.modes[1049], "a screen")
        return problems + quits(c)


def unknown_terminals():
    """G03 TERM unset, empty, dumb, unknown, a path, 4 KiB: one message and one screen as text"""
    problems = []
    for term in (None, "", "dumb", "vmtop-no-such", "../../etc/passwd", "x/y", "..", "x" * 4096,
                 "\x1b[2J", "%s%n"):
        with Console(*SAVED, term=term) as c:
            code = c.wait_end()
            text = bytes(c.raw)
            if code != 0:
                problems.append(f"{term!r}: exit code {code}")
            if b"\x1b" in text or SHOWN.encode() not in text:
                problems.append(f"{term!r}: {text[:200]!r}")
            if text.count(b"vmtop: top: ") != 1:
                problems.append(f"{term!r}: not one message: {text[:200]!r}")
            problems += [f"{term!r}: {problem}" for problem in c.left_problems()]
    said = run(*SAVED, "--render", "system", env={**os.environ, "TERM": "vmtop-no-such"})
    problems += [expect(said, OK)] if expect(said, OK) else []
    return problems


def kinds():
    """G03 terminals of other kinds: as many colours as each has, and left as it was"""
    problems = []
    for term, colors in (("xterm-256color", 256), ("xterm", 8), ("linux", 8), ("screen", 8),
                         ("vt100", 0), ("tmux-256color", 256)):
        with Console(*SAVED, term=term) as c:
            c.wait_for(SHOWN)
            c.wait_for("F10")
            problem = colors_of(bytes(c.raw), colors)
            if problem:
                problems.append(f"{term}: {problem}")
            problems += [f"{term}: {problem}" for problem in quits(c)]
    return problems


def colors_of(raw, colors):
    """What is wrong with the colours of a terminal that has so many."""
    found = COLOR.findall(raw)
    many = [sequence for sequence in found if b"8;5;" in sequence]
    if colors == 0 and found:
        return f"has {found[:3]}"
    if colors == 8 and (many or not found):
        return f"has {many[:3]} of {len(found)}"
    if colors == 256 and not many:
        return f"has no colour of 256: {found[:3]}"
    return None


def no_color():
    """G11 NO_COLOR, --color=never: no colour, but reverse; --color=always goes before; empty is no"""
    problems = []
    for env, options, colors in (
            ({"NO_COLOR": "1"}, (), 0), ({}, ("--color=never",), 0), ({"NO_COLOR": ""}, (), 256),
            ({"NO_COLOR": "1"}, ("--color=always",), 256), ({}, ("--color=auto",), 256)):
        with Console(*SAVED, *options, env=env) as c:
            c.wait_for("F10")
            problem = colors_of(bytes(c.raw), colors)
            if not problem and not re.search(rb"\x1b\[7m", c.raw):
                problem = "nothing is reverse"
            if problem:
                problems.append(f"{env} {options}: {problem}")
            problems += quits(c)
    return problems


def charsets():
    """G11 the C locale, one that is no UTF-8, --ascii: nothing but ASCII is sent"""
    problems = []
    for env, options, ascii_only in (
            ({"LC_ALL": "C"}, (), True), ({"LC_ALL": "C.UTF-8"}, ("--ascii",), True),
            ({"LC_ALL": "C.UTF-8"}, (), False), ({"LC_ALL": "no_SUCH.ISO-8859-1"}, (), True)):
        with Console(*SAVED, *options, env=env, size=(160, 50)) as c:
            c.wait_for("F10")
            c.press("6")
            c.wait_for("[6:")
            if ascii_only and any(byte > 0x7e for byte in c.raw):
                problems.append(f"{env} {options}: more than ASCII is sent")
            if not ascii_only and all(byte < 0x7f for byte in c.raw):
                problems.append(f"{env} {options}: nothing but ASCII is sent")
            problems += quits(c)
    return problems


def nobody(*args, **more):
    """vmtop without rights on a terminal, as far as the tests have rights to give away."""
    if os.geteuid() != 0:
        return Console(*args, **more)
    return Console(command=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                            more.pop("program"), *args], **more)


def garbage_terminfo():
    """G04 a garbage description of the terminal: of no use to root, harmless to others"""
    problems = []
    noise = random.Random(4).randbytes(4096)
    with tempfile.TemporaryDirectory() as folder, Outsider() as outsider:
        os.chmod(folder, 0o755)
        for name in ("x", "78"):
            (pathlib.Path(folder) / name).mkdir()
            (pathlib.Path(folder) / name / "xterm-256color").write_bytes(b"\x1a\x01" + noise)
        home = pathlib.Path(folder) / ".terminfo"
        shutil.copytree(pathlib.Path(folder) / "x", home / "x")
        for env in ({"TERMINFO": folder}, {"TERMINFO_DIRS": folder}, {"HOME": folder},
                    {"TERMCAP": "xterm-256color:cm=%s%n:"}):
            if os.geteuid() == 0:
                with Console(*SAVED, env=env) as c:
                    c.wait_for("F10")
                    problems += [f"{env}: {problem}" for problem in quits(c)]
            with nobody("top", "--root", "/nowhere", env=env, program=outsider.program) as c:
                c.wait(lambda: c.code is not None or c.modes[1049], "a screen, or its end")
                if c.code is None:
                    c.press("Q")
                if c.wait_end() not in (0, 1, 2, 4):
                    problems.append(f"{env}: exit code {c.code}")
    return problems


def no_single_faults():
    """without rights there are no single faults: Faults says so and why, and ! too"""
    with Outsider() as outsider, nobody("top", "--screen", "faults",
                                        program=outsider.program) as c:
        why = re.compile(r"! (no single faults on the rung (perf|proc): .|no rung works here)")
        c.wait_for(why)
        c.press("!")
        c.wait_for("What is missing")
        c.wait_for(re.compile(r"What is missing *\S\s+\S +fault \("))
        c.press("!")
        c.wait_gone("What is missing")
        return quits(c, "Q")


def direct_color():
    """G03 a terminal with direct colour, such as xterm-direct, has the palette itself"""
    if not shutil.which("tic") or not shutil.which("infocmp"):
        return Skip("needs tic and infocmp")
    with tempfile.TemporaryDirectory() as folder, Outsider() as outsider:
        os.chmod(folder, 0o755)
        text = subprocess.run(["infocmp", "-x", "xterm-256color"], stdout=subprocess.PIPE,
                              check=True, text=True).stdout
        text = re.sub(r"^xterm-256color\|[^,]*", "vmtop-direct|direct colour", text,
                      flags=re.MULTILINE)
        text = re.sub(r"\s(colors|pairs|setaf|setab|initc|ccc)(#[^,]*|=[^,]*)?,", "", text)
        text += (r"	colors#0x1000000, pairs#0x10000, RGB," "\n"
                 r"	setaf=\E[%?%p1%{8}%<%t3%p1%d%e38;2;%p1%{65536}%/%d;%p1%{256}%/"
                 r"%{255}%&%d;%p1%{255}%&%d%;m," "\n")
        done = subprocess.run(["tic", "-x", "-o", folder, "-"], input=text, text=True,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode:
            return Skip("tic: " + done.stderr.strip()[-100:])
        for name in pathlib.Path(folder).rglob("*"):
            name.chmod(0o755)
        machine = pathlib.Path(folder) / "machine"
        shutil.copytree(FIXTURE, machine, symlinks=True)
        with nobody("top", "--root", str(machine), term="vmtop-direct", env={"TERMINFO": folder},
                    program=outsider.program) as c:
            c.wait_for("F10")
            problems = [] if b"\x1b[38;2;" in c.raw else ["no direct colour is sent"]
            return problems + quits(c)


def left_by_reader():
    """G05 whoever reads is gone, or was never there: it ends, and says so by its code alone"""
    problems = []
    for count in ("1", "100000"):
        said = subprocess.run(
            ["sh", "-c", f'"$0" top -b -d 0.1 -n {count} 2>&3 | head -n 1 >/dev/null', VMTOP],
            stderr=subprocess.PIPE, stdout=subprocess.PIPE, check=False, timeout=LATE,
            preexec_fn=lambda: os.dup2(1, 3))
        if said.returncode or said.stdout:
            problems.append(f"-n {count}: {said}")
    said = subprocess.run(["sh", "-c", '"$0" top -b -n 1 >&-', VMTOP], stderr=subprocess.PIPE,
                          check=False, timeout=LATE)
    if said.returncode != 1 or one_line(said.stderr):
        problems.append(f"closed: {said}")
    return problems


def another_users_terminal():
    """a terminal of another user, as after su, is shown on"""
    if os.geteuid() != 0:
        return Skip("needs root")
    with Outsider() as outsider, tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        machine = pathlib.Path(folder) / "machine"
        shutil.copytree(FIXTURE, machine, symlinks=True)
        with nobody("top", "--root", str(machine), program=outsider.program) as c:
            c.wait_for("F10")
            return quits(c)


def read_bytes(pid):
    """What a process read so far."""
    text = pathlib.Path(f"/proc/{pid}/io").read_text(encoding="ascii")
    return int(re.search(r"rchar: (\d+)", text).group(1))


def slow_terminal():
    """G06 a terminal that takes nothing: samples go on, screens are dropped, keys are heard"""
    problems = []
    with Console("top", "-d", "0.1") as c:
        c.wait_for("F10")
        slave = os.open(c.slave_path, os.O_RDWR | os.O_NOCTTY)
        termios.tcflow(slave, termios.TCOOFF)
        c.drain()
        seen = len(c.raw)
        begun = read_bytes(c.pid)
        c.wait(lambda: read_bytes(c.pid) > begun + 200_000, "samples are taken")
        if len(c.raw) > seen + 65536:
            problems.append(f"it took {len(c.raw) - seen} bytes")
        termios.tcflow(slave, termios.TCOON)
        shown = len(c.raw)
        c.resize(100, 30)
        c.wait(lambda: "F10" in c.lines()[29], "a screen again")
        # What was kept for it is at most one screen, and what it shows at last is whole.
        if len(c.raw) - shown > 60_000:
            problems.append(f"{len(c.raw) - shown} bytes were kept for it")
        termios.tcflow(slave, termios.TCOOFF)
        c.press("q")
        if c.wait_end() != 0:
            problems.append(f"exit code {c.code}")
        termios.tcflow(slave, termios.TCOON)
        if c.termios() != c.found:
            problems.append("termios is another")
        os.close(slave)
        return problems


def unread_terminal():
    """G06 nobody reads what it writes: it ends by a signal all the same"""
    with Console("top", "-d", "0.1") as c:
        c.wait_for("F10")
        begun = read_bytes(c.pid)
        # Each size is a screen that is drawn whole; the buffers of the pty are soon full.
        for n in range(200):
            c.set_size(80 + n % 80, 24 + n % 30)
        news, c.reading = c.reading, False
        c.wait(lambda: read_bytes(c.pid) > begun + 100_000, "samples are taken")
        c.signal(signal.SIGTERM)
        c.wait(lambda: c.code is not None, "it ends")
        c.reading = news
        return None if c.code == 128 + signal.SIGTERM else f"exit code {c.code}"


def hung_up():
    """G07 the terminal goes away, by SIGHUP or without: it ends, with the code of SIGHUP"""
    problems = []
    for ignored in (False, True):
        command = ["sh", "-c", 'trap "" HUP; exec "$0" top'] if ignored else ["sh", "-c",
                                                                             'exec "$0" top']
        with Console(command=[*command, VMTOP]) as c:
            c.wait_for("F10")
            c.hang_up()
            c.wait(lambda: c.code is not None, "it ends")
            if c.code != 128 + signal.SIGHUP:
                problems.append(f"SIGHUP {'ignored' if ignored else 'heard'}: exit code {c.code}")
    return problems


def ended_by_signals():
    """SIGTERM, SIGINT, SIGHUP and the key Ctrl-C: the terminal is as it was, the code says which"""
    problems = []
    for sig, key in ((signal.SIGTERM, None), (signal.SIGINT, None), (signal.SIGHUP, None),
                     (signal.SIGINT, "\x03")):
        with Console(*SAVED) as c:
            c.wait_for("F10")
            if key:
                c.press(key)
            else:
                c.signal(sig)
            if c.wait_end() != 128 + sig:
                problems.append(f"{sig!r}: exit code {c.code}")
            problems += [f"{sig!r}: {problem}" for problem in c.left_problems()]
    return problems


def stopped():
    """G08 Ctrl-Z and SIGTSTP give the terminal back, and the screen is drawn anew afterwards"""
    problems = []
    with Console(*SAVED) as c:
        c.wait_for("F10")
        for way in ("\x1a", signal.SIGTSTP):
            if isinstance(way, str):
                c.press(way)
            else:
                c.signal(way)
            if c.wait_stop() != signal.SIGTSTP:
                return f"{way!r}: stopped by {c.stopped}, ended with {c.code}"
            problems += [f"{way!r}: {problem}" for problem in c.left_problems()]
            c.screen.reset()
            c.order("f")
            c.wait_for("F10")
            if not c.modes[1049] or c.modes[25]:
                problems.append(f"{way!r}: modes are {c.modes}")
        return problems + quits(c)


def stopped_hard():
    """G08 SIGSTOP cannot be heard: after SIGCONT modes and screen are there again"""
    with Console(*SAVED) as c:
        c.wait_for("F10")
        c.signal(signal.SIGSTOP)
        c.wait_stop()
        slave = os.open(c.slave_path, os.O_RDWR | os.O_NOCTTY)
        termios.tcsetattr(slave, termios.TCSANOW, c.found)
        os.close(slave)
        c.screen.reset()
        c.order("f")
        c.wait_for("F10")
        c.wait(lambda: not c.termios()[3] & termios.ECHO, "no echo")
        return quits(c)


def stopped_and_killed():
    """G08 ended while it is stopped: it does not take the terminal again"""
    with Console(*SAVED) as c:
        c.wait_for("F10")
        c.press("\x1a")
        c.wait_stop()
        before = len(c.raw)
        c.signal(signal.SIGTERM)
        c.order("b")
        if c.wait_end() != 128 + signal.SIGTERM:
            return f"exit code {c.code}, stopped {c.stopped}"
        return c.left_problems() + ([f"it wrote {bytes(c.raw[before:])!r}"]
                                    if len(c.raw) > before else [])


def in_background():
    """G08 begun in the background it stops, and shows its screen once it is in front"""
    with Console(*SAVED, background=True) as c:
        if c.wait_stop() not in (signal.SIGTTOU, signal.SIGTTIN):
            return f"stopped by {c.stopped}, ended with {c.code}"
        problems = c.left_problems()
        # Again in the background it stops again.
        c.order("b")
        if c.wait_stop() not in (signal.SIGTTOU, signal.SIGTTIN):
            return f"stopped by {c.stopped}, ended with {c.code}"
        problems += c.left_problems()
        c.order("f")
        c.wait_for("F10")
        return problems + quits(c)


def crashes():
    """G09 a crash: the terminal is as it was, and the signal is still what ended it"""
    problems = []
    for sig in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL,
                signal.SIGQUIT):
        with Console(*SAVED) as c:
            c.wait_for("F10")
            c.signal(sig)
            if c.wait_end() != -sig:
                problems.append(f"{sig!r}: exit code {c.code}")
            problems += [f"{sig!r}: {problem}" for problem in c.left_problems()]
    return problems


def noise(size, without):
    """Bytes of every sort, the same each time, but for some."""
    return random.Random(10).randbytes(size).translate(None, delete=without)


def typed_noise():
    """G10 typed noise, half sequences in it: it is taken in, and the next key counts"""
    with Console(*SAVED) as c:
        c.wait_for("F10")
        # Nothing that quits, stops, opens a prompt or writes files.
        c.press(noise(1 << 13, b"qQ\x03\x1a\x1c:/\\RS\r\n\x1b!?o duF") + b"\x1b[" * 1000)
        c.wait(lambda: c.modes[1049], "a screen")
        # After the half sequence there is silence, and then a key is a key.
        c.wait(lambda: press_until(c, "2", "[2:"), "the second screen")
        return quits(c, "Q")


def press_until(c, key, text):
    c.press(key)
    return any(text in line for line in c.lines())


def pasted_noise():
    """G10 a megabyte of pasted noise is no command: nothing ends, stops or moves"""
    with Console(*SAVED) as c:
        c.wait_for("F10")
        c.press(b"\x1b[200~" + b"Q\x03\x1a\x1cq2" + noise(1 << 20, b"") + b"3\x1b[201~")
        c.press("4")
        c.wait_for("[4:")
        return quits(c, "Q")


def mouse():
    """G10 a click on a tab and on a key acts; --no-mouse leaves the mouse to the terminal"""
    with Console(*SAVED) as c:
        c.wait_for("F10")
        at = c.lines()[0].index("3:")
        c.press(f"\x1b[<0;{at + 1};1M\x1b[<0;{at + 1};1m")
        c.wait_for("[3:")
        # Motion, other buttons, the right half of nowhere.
        c.press("\x1b[<35;1;1M\x1b[<2;1;1M\x1b[<0;9999;9999M\x1b[<64;10;10M\x1b[<65;10;10M\x1b[<0;0;0M")
        at = c.lines()[0].index("2:")
        c.press(f"\x1b[<0;{at + 1};1M")
        c.wait_for("[2:")
        at = c.lines()[23].index("F10")
        c.press(f"\x1b[<0;{at + 1};24M")
        if c.wait_end() != 0:
            return f"exit code {c.code}"
        problems = c.left_problems()
    with Console(*SAVED, "--no-mouse") as c:
        c.wait_for("F10")
        if c.modes[1000] or c.modes[1006]:
            problems.append(f"modes are {c.modes}")
        return problems + quits(c)


def unchanged_costs_nothing():
    """a screen that did not change sends nothing; a key that means nothing does not either"""
    with Console(*SAVED) as c:
        c.wait_for("F10")
        c.press("2")
        c.wait_for("[2:")
        c.press("1")
        c.wait_for("[1:")
        c.drain()
        before = len(c.raw)
        c.press("2")
        c.wait_for("[2:")
        c.drain()
        whole = c.raw.count(CLEAR)
        return ([f"{whole} screens were drawn whole"] if whole != 1 else []) + (
            ["nothing came"] if len(c.raw) == before else []) + quits(c, "Q")


def timers(pid):
    """The timers of a process, as (value, interval) in seconds."""
    found = []
    for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            text = path.read_text(encoding="ascii")
        except FileNotFoundError:
            # A sample had it open.
            continue
        value = re.search(r"it_value: \((\d+), (\d+)\)\nit_interval: \((\d+), (\d+)\)", text)
        if value:
            found.append(tuple(int(value.group(i)) + int(value.group(i + 1)) / 1e9
                               for i in (1, 3)))
    return found


def frozen():
    """frozen with its samples, nothing wakes it up; afterwards it goes on at its pace"""
    with Console("top", "-d", "0.5") as c:
        c.wait_for("F10")
        problems = []
        if [interval for _, interval in timers(c.pid)] != [0.5]:
            problems.append(f"timers are {timers(c.pid)}")
        c.press(" ")
        c.wait_for("frozen")
        if timers(c.pid) != [(0, 0)]:
            problems.append(f"frozen: timers are {timers(c.pid)}")
        c.press("2")
        c.wait_for("[2:")
        if timers(c.pid) != [(0, 0)]:
            problems.append(f"frozen, another screen: timers are {timers(c.pid)}")
        c.press(" ")
        c.wait_gone("frozen")
        c.wait(lambda: [interval for _, interval in timers(c.pid)] == [0.5], "the timer again")
        return problems + quits(c, "Q")


def held():
    """held: what is shown stays, and samples go on"""
    with Console("top", "-d", "0.1", "--screen", "procs") as c:
        c.wait_for("F10")
        c.press("Z")
        c.wait_for("held")
        c.drain()
        shown, begun = c.text(), read_bytes(c.pid)
        c.wait(lambda: read_bytes(c.pid) > begun + 200_000, "samples are taken")
        problems = [] if c.text() == shown else [f"it was {shown} and is {c.text()}"]
        # The rows that are held can be walked over, and opened.
        c.press("\x1b[B\x1b[B\x1b[6~")
        c.press("Z")
        c.wait_gone("held")
        c.press("ZZZ")
        c.wait_for("held")
        c.press("Z")
        c.wait_gone("held")
        return problems + quits(c, "Q")


def saved_machine():
    """a saved machine does not change: no timer runs"""
    with Console(*SAVED) as c:
        c.wait_for("F10")
        found = timers(c.pid)
        return ([f"timers are {found}"] if found != [(0, 0)] else []) + quits(c)


def counted():
    """-n: so many samples, then it ends by itself"""
    with Console("top", "-d", "0.1", "-n", "3") as c:
        code = c.wait_end()
        return ([f"exit code {code}"] if code else []) + c.left_problems()


def report_key():
    """R writes a report of the machine, or of the selected process, which is whole"""
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        with Console(*SAVED, cwd=folder) as c:
            c.wait_for("F10")
            c.press("R")
            c.wait_for("report written to vmtop-report-")
            c.press("2")
            c.wait_for("[2:")
            c.wait_for("COMMAND")
            c.press("\x1b[20~")
            c.wait_for(re.compile(r"report written to vmtop-report-\d+-\d{8}T"))
            problems += quits(c, "Q")
        found = sorted(pathlib.Path(folder).iterdir())
        # Two of one process within a second have one name.
        if not found:
            problems.append("there is none")
        for path in found:
            document = loads(path.read_bytes())
            if "processes" not in document["data"]:
                problems.append(f"{path.name} has {sorted(document['data'])}")
    return problems


def blocking(pid):
    """Signals of mistakes that threads of a process block."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        text = (task / "status").read_text(encoding="ascii", errors="replace")
        blocked = int(re.search(r"SigBlk:\s+(\w+)", text).group(1), 16)
        found += [sig for sig in (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL,
                                  signal.SIGABRT) if blocked >> (sig - 1) & 1]
    return found


def threads_crash():
    """G09 a thread that crashes is heard as well: none blocks the signals of its own mistakes"""
    with Console("top", "--screen", "procs") as c:
        c.wait_for("COMMAND")
        # A thread that is being made blocks them for a moment.
        c.wait(lambda: not blocking(c.pid), "threads do not block what they raise")
        return quits(c, "Q")


def redraw():
    """Ctrl-L draws the screen whole"""
    with Console(*SAVED) as c:
        c.wait_for("F10")
        c.screen.reset()
        c.press("\x0c")
        c.wait_for("F10")
        return quits(c)


def main():
    report = Report()
    cases(report, [
        begins_and_ends, same_as_batch, resize_storm, odd_sizes, begins_tiny, unknown_terminals,
        kinds, direct_color, no_color, charsets, garbage_terminfo, no_single_faults, left_by_reader,
        another_users_terminal, slow_terminal, unread_terminal, hung_up, ended_by_signals, stopped,
        stopped_hard, stopped_and_killed, in_background, crashes, typed_noise, pasted_noise, mouse,
        unchanged_costs_nothing, redraw, hostile_names, wide_names, frozen, held, saved_machine,
        counted, report_key, threads_crash,
    ])
    report.done()


main()
