#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration of the dashboard: hostile files and places, and an environment of others."""

import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from console import DOWN, ENTER, ESC, FIXTURE, SHOWN, Console, F, Late, Skip, cases  # noqa: E402
from program import NOBODY, Outsider, raw_controls, run  # noqa: E402
from tap import BUILD, VMTOP, Report  # noqa: E402

CHECK = ("top", "--check-config")
GOOD = b"# mine\ndelay = 2\n\n[procs]\nsort = -pss\n"


def check(path=None, env=None, **more):
    """vmtop top --check-config, with that file as the user's."""
    full = {key: value for key, value in os.environ.items()
            if key not in ("VMTOP_CONFIG", "XDG_CONFIG_HOME", "HOME")}
    full.update(env or {})
    if path is not None:
        full["VMTOP_CONFIG"] = str(path)
    return run(*CHECK, env=full, **more)


def written(folder, content, name="vmtop.conf"):
    path = pathlib.Path(folder) / name
    path.write_bytes(content)
    path.chmod(0o644)
    return path


def complaints(said):
    """The lines of complaints, or what is wrong with them."""
    lines = said.err.decode(errors="replace").splitlines()
    bad = [line for line in lines if not line.startswith("vmtop: top: ")]
    return lines, (f"stderr is {bad[:3]}" if bad else None)


def hostile_files():
    """K01 noise, NULs, endless lines, brackets alone: told with the line, and nothing breaks"""
    problems = []
    noise = random.Random(1).randbytes(20000)
    for name, content, line in (
            ("bracket", b"[", 1), ("bracket below", b"delay = 2\n[\n", 2), ("noise", noise, 0),
            ("NUL", b"delay = 1\nunit\0 = auto\n", 2), ("long line", b"delay = " + b"1" * 9000, 1),
            ("sections", b"[" * 300 + b"]" * 300, 1), ("no value", b"\n\ndelay\n", 3),
            ("escape", b"\x1b[2J = 1\n", 1), ("no UTF-8", b"\xff\xfe = \x80\n", 1),
            ("many", b"x = 1\n" * 10000, 1)):
        with tempfile.TemporaryDirectory() as folder:
            path = written(folder, content)
            said = check(path)
            lines, problem = complaints(said)
            if said.code != 1 or problem or not lines:
                problems.append(f"{name}: exit {said.code}, {problem or lines[:2]}")
            elif line and f"{path}:{line}: " not in lines[0]:
                problems.append(f"{name}: {lines[0]}")
            elif len(lines) > 10 or raw_controls(said.err.replace(b"\n", b"")):
                problems.append(f"{name}: {len(lines)} lines, {said.err[:200]!r}")
    return problems


def odd_files():
    """K01 a gigabyte, a folder, a fifo, a device: refused at once; CRLF, BOM and nothing are fine"""
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, b"delay = 1\n")
        os.truncate(path, 1 << 30)
        fifo = pathlib.Path(folder) / "fifo"
        os.mkfifo(fifo)
        for odd in (path, pathlib.Path(folder), fifo):
            said = check(odd)
            lines, problem = complaints(said)
            if said.code != 1 or problem or len(lines) != 1 or str(odd) not in lines[0]:
                problems.append(f"{odd.name}: exit {said.code}, {lines}")
        for content in (b"", b"\xef\xbb\xbfdelay = 2\r\nmouse = no\r\n", GOOD, b"; x\n# y\n\n",
                        b"delay = 500ms ; twice a second\n", b"[procs]\nsort = -rss\n",
                        b"delay: 3"):
            said = check(written(folder, content, "fine"))
            if said.code != 0 or said.err:
                problems.append(f"{content!r}: exit {said.code}, {said.err!r}")
        for none in ("/dev/null", folder + "/nothing"):
            if check(none).code != 0:
                problems.append(f"{none}: {check(none)}")
    return problems


def mistakes():
    """K02 unknown names, bad values, a name twice: each told once with its line, the rest applies"""
    problems = []
    text = (b"delay = 0.01\nunit = furlongs\nscreen = faults\ncolour = yes\nmouse = 2\nascii = yes\n"
            b"ascii = no\n[nowhere]\nsort = x\n[procs]\nrows = 3\n[procs]\nsort = -nothing\n")
    wanted = {1: "delay: delay is 0.1 to 60 seconds", 2: "unit: unit is auto, ", 4: "colour: ",
              5: "mouse: mouse is no or yes", 7: "ascii: it is set twice", 9: "[nowhere] sort: ",
              11: "[procs] rows: "}
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, text)
        lines, problem = complaints(check(path))
        if problem:
            problems.append(problem)
        for number, said in wanted.items():
            found = [line for line in lines if f"{path}:{number}: {said}" in line]
            if len(found) != 1:
                problems.append(f"line {number}: {found} of {lines}")
        if len(lines) > len(wanted) + 1:
            problems.append(f"{len(lines)} complaints: {lines}")
        with Console("top", "--root", FIXTURE, env={"VMTOP_CONFIG": str(path)}) as c:
            c.wait_for("[5:")
            c.press("Q")
            if c.wait_end() != 0:
                problems.append(f"exit {c.code}")
            if bytes(c.raw).count(b"vmtop: top: ") != len(lines):
                problems.append("the complaints do not stand before the screen")
    return problems


def applied():
    """a configuration is read: screen, unit, ASCII, mouse, colour; options go before it"""
    problems = []
    text = b"screen = cache\nmouse = no\ncolor = never\nascii = yes\ndelay = 7\n"
    with tempfile.TemporaryDirectory() as folder:
        env = {"VMTOP_CONFIG": str(written(folder, text))}
        with Console("top", "--root", FIXTURE, env=env) as c:
            c.wait_for("[6:")
            c.wait_for("F10")
            if c.modes[1000]:
                problems.append("the mouse is on")
            if re.search(rb"\x1b\[38;5;", c.raw) or any(byte > 0x7e for byte in c.raw):
                problems.append("colours, or more than ASCII")
            c.press("Q")
            c.wait_end()
        with Console("top", "--root", FIXTURE, "--screen", "system", "--color=always", env=env) as c:
            c.wait_for(SHOWN)
            c.wait_for("F10")
            if not re.search(rb"\x1b\[38;5;", c.raw):
                problems.append("--color=always: no colours")
            c.press("Q")
            c.wait_end()
        # What is printed for machines and tests is the same for everybody.
        both = [run("top", "--root", FIXTURE, "--render", "system",
                    env={**os.environ, **more}).out for more in (env, {})]
        if both[0] != both[1]:
            problems.append("--render looks at the configuration")
    return problems


def places():
    """K04 HOME unset, relative, or not there; XDG_CONFIG_HOME relative: no file, and no complaint"""
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        bad = b"this is no configuration\n"
        for below in (".config/vmtop", "xdg/vmtop", "rel/vmtop", "rel/.config/vmtop"):
            (pathlib.Path(folder) / below).mkdir(parents=True)
            written(pathlib.Path(folder) / below, bad)
        read = {"home": {"HOME": folder}, "XDG": {"HOME": "/", "XDG_CONFIG_HOME": folder + "/xdg"},
                "empty XDG": {"HOME": folder, "XDG_CONFIG_HOME": ""},
                "relative XDG": {"HOME": folder, "XDG_CONFIG_HOME": "rel"},
                "empty VMTOP_CONFIG": {"HOME": folder, "VMTOP_CONFIG": ""}}
        for name, env in read.items():
            said = check(env=env, cwd=folder)
            if said.code != 1 or b"vmtop.conf:1: " not in said.err:
                problems.append(f"{name}: exit {said.code}, {said.err!r}")
        unread = {"no HOME": {}, "relative HOME": {"HOME": "rel"}, "no such HOME": {"HOME": "/nowhere"},
                  "XDG before HOME": {"HOME": folder, "XDG_CONFIG_HOME": "/nowhere"},
                  "HOME is a file": {"HOME": "/etc/passwd"}}
        for name, env in unread.items():
            said = check(env=env, cwd=folder)
            if said.code != 0 or said.err:
                problems.append(f"{name}: exit {said.code}, {said.err!r}")
        said = check("rel/vmtop/vmtop.conf", cwd=folder)
        if said.code != 1 or b"no absolute path" not in said.err:
            problems.append(f"relative VMTOP_CONFIG: {said}")
    return problems


def working_folder():
    """K05 the folder that one is in is never looked into"""
    problems = []
    if not shutil.which("strace"):
        return Skip("needs strace")
    with tempfile.TemporaryDirectory() as folder:
        names = ("vmtop.conf", ".vmtoprc", ".vmtop.conf", "vmtop/vmtop.conf")
        (pathlib.Path(folder) / "vmtop").mkdir()
        for name in names:
            written(folder, b"nonsense\n", name)
        trace = pathlib.Path(folder) / "trace"
        said = run("-f", "-e", "trace=file", "-o", str(trace), str(BUILD / "cmd/vmtop"), *CHECK,
                   program="strace", cwd=folder, timeout=120,
                   env={"HOME": "/nowhere", "PATH": os.environ["PATH"]})
        if said.code != 0 or said.err:
            problems.append(f"exit {said.code}, {said.err!r}")
        opened = trace.read_text(encoding="utf-8", errors="replace")
        relative = re.findall(r'AT_FDCWD, "(?!/)([^"]*)"', opened)
        problems += [f"it looks for {name}" for name in relative if "vmtop" in name or "conf" in name]
        if "/etc/vmtop" not in opened:
            problems.append("the trace has nothing of /etc/vmtop/vmtop.conf")
    return problems


def untrusted():
    """K03 root takes no file that another user could have written, and says why"""
    if os.geteuid() != 0:
        return Skip("needs root")
    problems = []
    with tempfile.TemporaryDirectory() as top:
        folder = pathlib.Path(top) / "folder"
        folder.mkdir()
        path = written(folder, GOOD)
        if check(path).code != 0:
            problems.append(f"root's own: {check(path)}")

        def refused(name, reason):
            said = check(path)
            lines, problem = complaints(said)
            if said.code != 1 or problem or len(lines) != 1 or reason not in lines[0]:
                problems.append(f"{name}: exit {said.code}, {lines}")

        for mode in (0o664, 0o646, 0o666):
            path.chmod(mode)
            refused(oct(mode), "others may write to")
        path.chmod(0o644)
        os.chown(path, NOBODY, NOBODY)
        refused("another's", "is not root's")
        os.chown(path, 0, 0)
        for mode in (0o777, 0o775):
            folder.chmod(mode)
            refused(f"folder {oct(mode)}", "others may write to")
        folder.chmod(0o1777)
        if check(path).code != 0:
            problems.append(f"sticky folder: {check(path)}")
        folder.chmod(0o755)
        os.chown(folder, NOBODY, NOBODY)
        refused("another's folder", "is not root's")
        os.chown(folder, 0, 0)
        # A link of root's to a file that is not.
        other = written(top, GOOD, "other")
        os.chown(other, NOBODY, NOBODY)
        path.unlink()
        path.symlink_to(other)
        refused("link", "is not root's")
        # sudo that keeps HOME.
        home = pathlib.Path(top) / "home"
        (home / ".config/vmtop").mkdir(parents=True)
        path = written(home / ".config/vmtop", b"screen = cache\n")
        os.chown(home, NOBODY, NOBODY)
        said = check(env={"HOME": str(home)})
        if said.code != 1 or b"is not root's" not in said.err:
            problems.append(f"another's HOME: {said}")
    return problems


def secure_mode():
    """K04 K07 a program with capabilities of its file takes nothing from the environment"""
    if os.geteuid() != 0:
        return Skip("needs root, to give a file capabilities")
    # The sanitizers read their own variables and files, which is no matter of vmtop.
    with Outsider(str(BUILD / "cmd/vmtop")) as outsider:
        # CAP_SYSLOG, permitted and effective, in the form of linux/capability.h, revision 2.
        cap = struct.pack("<IIIII", 0x02000001, 0, 0, 1 << 2, 0)
        try:
            os.setxattr(outsider.program, "security.capability", cap)
        except OSError as error:
            return Skip(f"capabilities of files: {error.strerror}")
        path = written(outsider.folder, b"nonsense\n")
        command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                   outsider.program, *CHECK]
        env = {"VMTOP_CONFIG": str(path), "PATH": os.environ["PATH"], "HOME": outsider.folder,
               "LC_ALL": "C.UTF-8"}
        said = run(*command[1:], program=command[0], env=env)
        if said.code != 0 or said.err:
            return f"VMTOP_CONFIG was read: {said}"
        os.removexattr(outsider.program, "security.capability")
        said = run(*command[1:], program=command[0], env=env)
        # Without capabilities the same file is read, so the first answer means something.
        return None if said.code == 1 else f"without capabilities: {said}"


def no_programs():
    """K07 whatever the environment says, no program is run and nothing of it is loaded"""
    if not shutil.which("strace"):
        return Skip("needs strace")
    with tempfile.TemporaryDirectory() as folder:
        trace = pathlib.Path(folder) / "trace"
        hook = written(folder, b"#!/bin/sh\ntouch \"$0.ran\"\n", "hook")
        hook.chmod(0o755)
        env = {name: str(hook) for name in (
            "PAGER", "EDITOR", "VISUAL", "BROWSER", "SHELL", "LIBBPF_LOG", "BPFTOOL", "TERMINFO_HOOK",
            "DEBUGINFOD_PROGRESS", "LESSOPEN", "MALLOC_TRACE")}
        env.update(PATH=folder + ":" + os.environ["PATH"], HOME=folder, TERM="xterm-256color",
                   LIBBPF_LOG_LEVEL="debug", DEBUGINFOD_URLS="http://localhost:1", LC_ALL="C.UTF-8")
        said = run("-f", "-e", "trace=execve,execveat,socket", "-o", str(trace),
                   str(BUILD / "cmd/vmtop"), "top", "-b", "-n", "1", program="strace", timeout=120,
                   env=env)
        text = trace.read_text(encoding="utf-8", errors="replace")
        problems = [] if said.code == 0 else [f"exit {said.code}: {said.err[-200:]!r}"]
        if len(re.findall(r"execve(?:at)?\(", text)) != 1:
            problems.append(f"programs are run: {text[:600]}")
        if "AF_INET" in text:
            problems.append("the network is asked")
        if (pathlib.Path(folder) / "hook.ran").exists():
            problems.append("the hook ran")
        return problems


def system_file():
    """/etc/vmtop/vmtop.conf is read first, and the user's goes before it"""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return Skip("needs root, to have an /etc of its own")
    script = ('mount -t tmpfs -o mode=755 none /etc && mkdir -p /etc/vmtop || exit 99; '
              'printf "screen = nowhere\\n" >/etc/vmtop/vmtop.conf; exec "$0" top --check-config')
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, b"unit = furlongs\n")
        said = run("-m", "sh", "-c", script, VMTOP, program="unshare",
                   env={**os.environ, "VMTOP_CONFIG": str(path)})
        if said.code == 99 or b"unshare" in said.err:
            return Skip("no mount name space")
        lines, problem = complaints(said)
        if problem or len(lines) != 2 or "/etc/vmtop/vmtop.conf:1: " not in lines[0] \
                or f"{path}:1: " not in lines[1]:
            return f"exit {said.code}: {lines}"
    return None


def saved_by_key():
    """K06 F2 and Save write the file of the user: what keys changed, and nothing else is lost"""
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, b"# mine\nmouse = yes\nfuture = 1\n")
        target = written(folder, b"# of another\n", "target")
        link = pathlib.Path(folder) / "link.conf"
        link.symlink_to(target)
        problems = []
        for place in (path, link, pathlib.Path(folder) / "new/below/vmtop.conf"):
            with Console("top", "--root", FIXTURE, "-d", "3", "--unit", "KiB", "--no-mouse",
                         env={"VMTOP_CONFIG": str(place)}) as c:
                c.wait_for(SHOWN)
                c.press("u")
                c.wait_for(">(*) KiB")
                c.press(DOWN + ENTER)
                c.wait_gone("(*)")
                c.press(F[2])
                c.wait_for("unit     MiB")
                choose(c, "Save")
                c.wait_for("saved in")
                c.press("Q")
                c.wait_end()
            text = place.read_text(encoding="utf-8")
            said = text.replace("mouse = yes\n", "").replace("# mine\n", "").replace("future = 1\n", "")
            # What options alone said is nobody's setting, nor is what nobody ever set.
            if place.is_symlink() or said.replace("# vmtop.conf(5)\n", "") not in (
                    "unit = MiB\n", "unit = MiB\n# of another\n"):
                problems.append(f"{place.name}: {text}")
            if check(place).code != (1 if place == path else 0):
                problems.append(f"{place.name}: {check(place)}")
        text = path.read_text(encoding="utf-8")
        if not text.startswith("# mine\nmouse = yes\nfuture = 1\n"):
            problems.append(f"the lines of before: {text}")
        if target.read_bytes() != b"# of another\n":
            problems.append(f"the link was followed: {target.read_bytes()}")
        with Console("top", "--root", FIXTURE, env={"VMTOP_CONFIG": "/proc/vmtop.conf"}) as c:
            c.wait_for("F10")
            c.press(F[2])
            c.wait_for("settings")
            choose(c, "Save")
            c.wait_for("not saved: /proc")
            c.press("Q")
            c.wait_end()
        return problems


def saved_columns():
    """columns of the VMAs: saved and read again on every width, and never those of its groups"""
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "vmtop.conf"

        def save(c):
            c.press(F[2])
            c.wait_for("settings")
            choose(c, "Save")
            c.wait_for("saved in")
            said = check(path)
            if said.code != 0 or said.err:
                problems.append(f"exit {said.code}, {said.err!r}")
            return path.read_text(encoding="utf-8")

        with Console("top", "--root", FIXTURE, size=(160, 50), env={"VMTOP_CONFIG": str(path)}) as c:
            c.wait_for(SHOWN)
            c.press("3")
            c.wait_for("START        PERM")
            c.press("t")
            c.wait_for("FILE OR MEMORY")
            text = save(c)
            if "[vmas]" in text:
                problems.append(f"nothing was changed: {text}")
            c.press("to")
            c.wait_for("[x] PERM")
            c.press(DOWN + " ")
            c.wait_for("[ ] PERM")
            c.press(ESC)
            c.wait_gone("[ ]")
            c.press("t")
            c.wait_for("FILE OR MEMORY")
            text = save(c)
            if not re.search(r"\n\[vmas\]\ncolumns = start,size_bytes,.*,RESIDENT,.*,path\n", text,
                             re.S):
                problems.append(f"the columns are not there: {text}")
            c.press("Q")
            c.wait_end()
        for width, title in ((80, "ADDRESS"), (160, "START")):
            with Console("top", "--root", FIXTURE, "--screen", "vmas", size=(width, 50),
                         env={"VMTOP_CONFIG": str(path)}) as c:
                c.wait_for(re.compile(rf"^ *{title} +SIZE ", re.M))
                c.press("Q")
                c.wait_end()
    return problems


def order_of_columns():
    """columns stand as the configuration names them, and Save leaves its line as it is"""
    problems = []
    line = "columns = command,swap,RSS,pid\n"
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, f"[procs]\n{line}".encode())
        with Console("top", "--root", FIXTURE, "--screen", "procs",
                     env={"VMTOP_CONFIG": str(path)}) as c:
            c.wait_for(re.compile(r"^ *COMMAND +SWAP +RSS +PID$", re.M))
            c.press("d" + "\x15" + "5" + ENTER)
            c.wait_gone("delay:")
            c.press(F[2])
            c.wait_for("delay    5")
            choose(c, "Save")
            c.wait_for("saved in")
            text = path.read_text(encoding="utf-8")
            if text != f"delay = 5\n[procs]\n{line}":
                problems.append(f"only the delay was changed: {text!r}")
            # Those of vmtop again, and then another order by a key.
            c.press("o0" + ESC)
            c.wait_for(re.compile(r"^ +PID USER +RSS .*COMMAND *$", re.M))
            c.press(":columns pid,swap,comm" + ENTER)
            c.wait_for(re.compile(r"^ +PID +SWAP +COMMAND *$", re.M))
            c.press(F[2])
            c.wait_for("settings")
            choose(c, "Save")
            c.wait_for("saved in")
            c.press("Q")
            c.wait_end()
        text = path.read_text(encoding="utf-8")
        if text != "delay = 5\n[procs]\ncolumns = pid,swap_bytes,comm\n":
            problems.append(f"the new order: {text!r}")
    return problems


def choose(c, word):
    """Moves to the line of a menu that begins with a word, and presses Enter."""
    for _ in range(20):
        if any(f">{word}" in line for line in c.lines()):
            c.press(ENTER)
            return
        before = c.text()
        c.press(DOWN)
        c.wait(lambda: c.text() != before, f"the line of {word}")
    raise Late(f"no line of {word}:\n{c.text()}")


def main():
    report = Report()
    cases(report, [hostile_files, odd_files, mistakes, applied, untrusted, places, secure_mode,
                   working_folder, no_programs, system_file, saved_by_key, saved_columns, order_of_columns])
    report.done()


if b"+config" not in run("--version", "-v").out:
    only = Report()
    only.skip("all of it", "a build without inih has no configuration")
    only.done()
main()
