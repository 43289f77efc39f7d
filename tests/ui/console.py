# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal to run vmtop on: a pty, pyte for what it shows, and a small shell with job control.

    with Console("top", size=(80, 24)) as c:
        c.wait_for("avail")
        c.press("2")

Nothing sleeps: wait_for() waits for what is on the screen, and fails late.
"""

import fcntl
import json
import os
import pathlib
import re
import select
import signal
import struct
import sys
import termios
import time

import pyte

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import VMTOP  # noqa: E402

LATE = 180
QUIET = pathlib.Path(__file__).resolve().parent / "quiet.conf"

ESC, ENTER, TAB, BACKSPACE = "\x1b", "\r", "\t", "\x7f"
UP, DOWN, RIGHT, LEFT = "\x1bOA", "\x1bOB", "\x1bOC", "\x1bOD"
HOME, END, PAGE_UP, PAGE_DOWN = "\x1bOH", "\x1bOF", "\x1b[5~", "\x1b[6~"
F = dict(enumerate(["", "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~", "\x1b[18~",
                    "\x1b[19~", "\x1b[20~", "\x1b[21~", "\x1b[23~", "\x1b[24~"]))

# Private modes that a program sets, and what they are on a terminal that nobody touched.
MODES = {1: False, 25: True, 1000: False, 1002: False, 1003: False, 1006: False, 1049: False,
         2004: False}
MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")


class Late(Exception):
    """What was waited for did not come."""


def shell(argv, env, tty, news, orders, background):
    """The leader of the session: runs a job in a group of its own, as shells do, and tells what
    becomes of it. Ends when nobody gives orders any more."""
    for sig in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP, signal.SIGHUP):
        signal.signal(sig, signal.SIG_IGN)
    begin, go = os.pipe()
    job = os.fork()
    if job == 0:
        # Whatever is ignored here, as what a shell starts in the background ignores SIGINT.
        for sig in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(sig, signal.SIG_DFL)
        os.setpgid(0, 0)
        os.close(go)
        os.read(begin, 1)
        os.execvpe(argv[0], argv, env)
    try:
        os.setpgid(job, job)
    except PermissionError:
        pass
    if not background:
        os.tcsetpgrp(tty, job)
    os.close(begin)
    os.close(go)
    tell(news, pid=job)
    while True:
        _, status = os.waitpid(job, os.WUNTRACED)
        try:
            os.tcsetpgrp(tty, os.getpgrp())
        except OSError:
            pass  # hung up
        if not os.WIFSTOPPED(status):
            tell(news, code=os.waitstatus_to_exitcode(status))
            os.read(orders, 1)
            os._exit(0)
        tell(news, stopped=os.WSTOPSIG(status))
        order = os.read(orders, 1)
        if not order:
            os.kill(job, signal.SIGKILL)
            continue
        if order == b"f":
            os.tcsetpgrp(tty, job)
        os.killpg(job, signal.SIGCONT)


def tell(fd, **what):
    os.write(fd, (json.dumps(what) + "\n").encode())


class Console:
    """One run of vmtop on a terminal of its own."""

    def __init__(self, *args, size=(80, 24), term="xterm-256color", env=None, program=VMTOP,
                 background=False, command=None, cwd=None):
        width, height = size
        self.screen = pyte.Screen(max(width, 1), max(height, 1))
        self.stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self.modes = dict(MODES)
        self.reading = True
        self.code = self.stopped = self.pid = None
        self.master, slave = os.openpty()
        self.slave_path = os.ttyname(slave)
        self.set_size(width, height)
        self.found = termios.tcgetattr(slave)
        news_in, news_out = os.pipe()
        orders_in, self.orders = os.pipe()
        # What crashes elsewhere on the machine is not to be on a screen that is looked at.
        full = dict(os.environ, VMTOP_CONFIG=str(QUIET))
        full.pop("NO_COLOR", None)
        full.update(env or {})
        if term is None:
            full.pop("TERM", None)
        else:
            full["TERM"] = term
        full = {key: value for key, value in full.items() if value is not None}
        self.leader = os.fork()
        if self.leader == 0:
            try:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for fd in range(3):
                    os.dup2(slave, fd)
                os.close(self.master)
                os.close(self.orders)
                os.close(news_in)
                os.chdir(cwd or ".")
                shell(command or [program, *args], full, 0, news_out, orders_in, background)
            finally:
                os._exit(127)
        os.close(slave)
        os.close(news_out)
        os.close(orders_in)
        self.news = os.fdopen(news_in, "rb", buffering=0)
        os.set_blocking(self.master, False)
        self.partial = b""
        self.wait(lambda: self.pid, "the job begins")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """Whatever still runs is over."""
        if self.code is None and self.pid:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.hang_up()
        if self.orders is not None:
            os.close(self.orders)
            self.orders = None
            os.waitpid(self.leader, 0)
            self.news.close()

    def hang_up(self):
        """The terminal goes away."""
        if self.master is not None:
            os.close(self.master)
            self.master = None

    def set_size(self, width, height):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def resize(self, width, height):
        self.screen.resize(lines=max(height, 1), columns=max(width, 1))
        self.set_size(width, height)

    def termios(self):
        return termios.tcgetattr(self.master)

    def signal(self, sig):
        os.kill(self.pid, sig)

    def order(self, what):
        """To the shell, whose job is stopped: "f" foreground, "b" background."""
        self.stopped = None
        os.write(self.orders, what.encode())

    def press(self, keys):
        data = keys if isinstance(keys, bytes) else keys.encode()
        end = time.monotonic() + LATE
        while data:
            try:
                data = data[os.write(self.master, data):]
            except BlockingIOError:
                pass
            self.pump(0 if data else None)
            if time.monotonic() > end:
                raise Late(f"{len(data)} bytes are not read")

    def pump(self, timeout=0.0):
        """Takes in what there is; None: without waiting for more."""
        wanted = [self.news]
        if self.reading and self.master is not None:
            wanted.append(self.master)
        ready, _, _ = select.select(wanted, [], [], timeout or 0)
        if self.news in ready:
            self.hear()
        if self.master in ready:
            self.see()
        return bool(ready)

    def hear(self):
        said = os.read(self.news.fileno(), 65536)
        if not said and self.code is None:
            self.code = "lost"
        *lines, self.partial = (self.partial + said).split(b"\n")
        for line in lines:
            for key, value in json.loads(line).items():
                setattr(self, key, value)

    def see(self):
        try:
            data = os.read(self.master, 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.reading = False
            return
        self.raw += data
        # A sequence may come in two pieces.
        for numbers, which in MODE.findall(bytes(self.raw[-len(data) - 16:])):
            for number in numbers.split(b";"):
                if int(number) in self.modes:
                    self.modes[int(number)] = which == b"h"
        self.stream.feed(data)

    def wait(self, true, what, seconds=LATE):
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise Late(f"{what}: the screen is\n" + "\n".join(self.lines()))
            self.pump(0.05)
        return self

    def wait_for(self, text, seconds=LATE):
        """Until a text (or a compiled pattern) is on the screen."""
        if isinstance(text, str):
            return self.wait(lambda: any(text in line for line in self.lines()), text, seconds)
        return self.wait(lambda: text.search("\n".join(self.lines())), text.pattern, seconds)

    def wait_gone(self, text, seconds=LATE):
        return self.wait(lambda: not any(text in line for line in self.lines()), f"no {text}",
                         seconds)

    def wait_end(self, seconds=LATE):
        """The exit code; that of a signal is negative."""
        self.wait(lambda: self.code is not None, "it ends", seconds)
        while self.master is not None and self.reading and self.pump(0):
            pass
        return self.code

    def wait_stop(self):
        self.wait(lambda: self.stopped or self.code is not None, "it stops")
        while self.pump(0):
            pass
        return self.stopped

    def drain(self):
        while self.pump(0):
            pass

    def lines(self):
        return self.screen.display

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines())

    def left_problems(self):
        """What is not as it was before vmtop."""
        problems = [f"mode {mode} is {now}" for mode, now in sorted(self.modes.items())
                    if now != MODES[mode]]
        if self.master is not None and self.termios() != self.found:
            problems.append(f"termios is {self.termios()}, was {self.found}")
        if self.screen.cursor.hidden:
            problems.append("the cursor is hidden")
        attrs = self.screen.cursor.attrs
        if attrs.bold or attrs.reverse or attrs.underscore or attrs.fg != "default":
            problems.append(f"text is still {attrs}")
        return problems


FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
FIXTURE = str(FIXTURES / "machine-6.18")
HOSTILE = str(FIXTURES / "hostile")
# What the screen of that machine shows in its first line of figures.
SHOWN = "avail "


def cases(report, found):
    """Runs each case, a function that names it in its first line and gives what is wrong."""
    for case in found:
        try:
            problems = case()
        except Late as late:
            problems = str(late)
        if problems is None or isinstance(problems, (str, list)):
            report.check(case.__doc__, problems)
        else:
            report.skip(case.__doc__, problems.why)


class Skip:  # pylint: disable=too-few-public-methods
    """What a case gives that cannot be had here."""

    def __init__(self, why):
        self.why = why
