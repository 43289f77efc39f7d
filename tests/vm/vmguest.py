# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest: an initramfs packed from files of this machine, booted under QEMU's emulation.

The initramfs holds busybox, the given programs with their shared libraries, the modules that the
kernel needs, and one command.  The guest copies all that to an ext4 disk, which becomes its root,
mounts the virtual file systems, a second disk on /scratch, has a third for swap, runs the command
as root and goes down; its standard output and error, its exit status and all files below /results
come back to the host.
"""

import contextlib
import dataclasses
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
import time

import vmkernels

HERE = os.path.dirname(os.path.abspath(__file__))

SCRATCH_BYTES = 256 << 20
SWAP_BYTES = 128 << 20
ROOT_SPARE_BYTES = 128 << 20  # more than what is packed

# In the kernel's log: what no test may cause, whatever it reports itself.
FATAL = re.compile(
    r"Kernel panic|\bOops\b|kernel BUG at|\bBUG: (?!soft lockup)|KASAN|double fault"
    r"|(?<!traps: )\bgeneral protection fault\b(?!.* ip:)|unable to handle"
)
# And what is worth a look; a busy host can cause the stalls.
NOTABLE = re.compile(r"WARNING:|soft lockup|\brcu.*stall|blocked for more than")


class GuestError(Exception):
    """The guest could not be packed or started; str() says why."""


def need_tool(name, package):
    """Path of a program, looked for in the sbin directories as well."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    found = shutil.which(name, path=path)
    if not found:
        raise vmkernels.Unavailable(f"{name} not found: apt-get install {package}")
    return found


class Image:
    """The files of an initramfs, by their path in the guest."""

    def __init__(self):
        self._entries = {}  # path without leading / -> (mode, bytes | host path | None)
        for link, target in (
            ("bin", "usr/bin"),
            ("sbin", "usr/sbin"),
            ("lib", "usr/lib"),
            ("lib32", "usr/lib32"),
            ("lib64", "usr/lib64"),
        ):
            self._entries[link] = (stat.S_IFLNK | 0o777, target.encode())
        for path in (
            "usr/bin",
            "usr/sbin",
            "usr/lib",
            "usr/lib64",
            "dev",
            "proc",
            "sys",
            "root",
            "tmp",
            "run",
            "etc",
            "results",
            "guest/modules",
        ):
            self.directory(path)

    @staticmethod
    def _normal(path):
        """The path as it is stored: / and /usr are merged, as Debian has them."""
        path = os.path.normpath("/" + path).lstrip("/")
        return "usr/" + path if re.match(r"(bin|sbin|lib|lib32|lib64)/", path) else path

    def _put(self, path, mode, data):
        path = self._normal(path)
        self.directory(os.path.dirname(path))
        self._entries[path] = (mode, data)

    def directory(self, path):
        path = self._normal(path)
        while path and path not in self._entries:
            self._entries[path] = (stat.S_IFDIR | 0o755, None)
            path = os.path.dirname(path)

    def link(self, path, target):
        self._put(path, stat.S_IFLNK | 0o777, target.encode())

    def text(self, path, text, mode=0o644):
        self._put(path, stat.S_IFREG | mode, text.encode())

    def file(self, host, path=None, mode=None):
        """A file, or what a link to a file leads to; in the guest it belongs to root."""
        try:
            found = os.stat(host).st_mode
        except OSError as e:
            raise GuestError(f"{host}: {e.strerror}") from e
        if not stat.S_ISREG(found):
            raise GuestError(f"{host}: not a regular file")
        mode = stat.S_IMODE(found) if mode is None else mode
        self._put(path or os.path.abspath(host), stat.S_IFREG | mode, host)

    def tree(self, host, path):
        """A directory with all below it; links stay links."""
        if not os.path.isdir(host):
            raise GuestError(f"{host}: not a directory")
        self.directory(path)
        for top, dirs, files in os.walk(host):
            for name in dirs + files:
                full = os.path.join(top, name)
                dest = os.path.join(path, os.path.relpath(full, host))
                if os.path.islink(full):
                    self.link(dest, os.readlink(full))
                elif name in dirs:
                    self.directory(dest)
                else:
                    self.file(full, dest)

    def binary(self, host, path=None):
        """A program and the shared libraries that it is linked with, these at their own paths."""
        self.file(host, path)
        with open(host, "rb") as f:
            if f.read(4) != b"\x7fELF":
                return  # a script: its interpreter is busybox
        done = subprocess.run(
            ["ldd", host],
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            if re.search("not a dynamic executable|statically linked", done.stderr + done.stdout):
                return
            raise GuestError(f"{host}: ldd failed: {done.stderr.strip()}")
        for line in done.stdout.splitlines():
            found = re.match(r"\s+(?:(\S+) => )?(\S+|not found)(?: \(0x[0-9a-f]+\))?$", line)
            if not found:
                continue
            name, lib = found.groups()
            if lib == "not found":
                raise GuestError(f"{host}: needs {name}, which is not found")
            if not lib.startswith("/"):
                continue  # linux-vdso
            self.file(lib, lib)
            # glibc loads this one by itself, when a thread ends or is cancelled.
            unwinder = os.path.join(os.path.dirname(lib), "libgcc_s.so.1")
            if os.path.basename(lib) == "libc.so.6" and os.path.exists(unwinder):
                self.file(unwinder, unwinder)

    def busybox(self):
        """The shell and the usual tools; a tool that was given as a program goes before."""
        host = need_tool("busybox", "busybox-static")
        done = subprocess.run([host, "--list-full"], capture_output=True, text=True, check=True)
        self.binary(host, "usr/bin/busybox")
        for applet in done.stdout.split():
            if self._normal(applet) not in self._entries:
                self.link(applet, "/usr/bin/busybox")

    def write(self, path):
        """Writes a cpio archive of the "newc" form (kernel: initramfs/buffer-format)."""
        with open(path, "wb") as out:
            for number, name in enumerate(sorted(self._entries), 1):
                mode, data = self._entries[name]
                if isinstance(data, str):
                    with open(data, "rb") as f:
                        data = f.read()
                self._member(out, number, name, mode, data or b"")
            self._member(out, 0, "TRAILER!!!", 0, b"")

    @staticmethod
    def _member(out, number, name, mode, data):
        raw = name.encode() + b"\0"
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        out.write(b"070701" + b"".join(b"%08x" % f for f in fields) + raw)
        out.write(b"\0" * (-(110 + len(raw)) % 4) + data + b"\0" * (-len(data) % 4))


@dataclasses.dataclass
class Options:
    """How a guest is booted."""

    append: str = ""  # more of the kernel's command line
    timeout: float = 600  # seconds from the start of QEMU
    memory_mib: int = 1024
    cpus: int = 2
    nodes: int = 1  # of NUMA, each with its share of the memory


@dataclasses.dataclass
class Outcome:
    """What came of a guest; all files are in the directory given to boot()."""

    status: int = None  # of the command; None when it did not end
    why: str = ""  # what went wrong with the guest itself; "" when nothing
    release: str = ""  # as the guest gave it
    ready_s: float = None  # from the start of the kernel to the start of the command
    wall_s: float = 0.0  # the whole run of QEMU
    fatal: str = ""  # the first line of the kernel's log that tells of a fault in it
    notes: list = dataclasses.field(default_factory=list)


def pack(kernel, image, command):
    """Completes an image with the kernel's modules and the harness itself."""
    for kind, paths in (("load", kernel.modules), ("extra", kernel.extra_modules)):
        for path in paths:
            image.file(path, f"guest/modules/{os.path.basename(path)}")
        image.text(
            f"guest/modules.{kind}", "".join(os.path.basename(path) + "\n" for path in paths)
        )
    image.file(kernel.config, f"boot/config-{kernel.release}")
    image.file(os.path.join(HERE, "init"), "init", 0o755)
    image.text("guest/command", f"#!/bin/sh\nexec {shlex.join(command)}\n", 0o755)
    image.text(
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    )
    image.text("etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n")
    image.busybox()


# How often a kernel is booted that dies before its first process.
BOOTS = 3


def boot(kernel, image, command, out_dir, options=None, on_output=None):
    """Boots KERNEL with IMAGE, runs COMMAND (a list of words) there, and gives the Outcome.

    OUT_DIR gets: console.log (the kernel's log), out, err, control, and results/.  The bytes
    that the command writes are handed to on_output as they come.  One guest runs at a time:
    another waits for its turn.
    """
    options = options or Options()
    qemu = need_tool("qemu-system-x86_64", "qemu-system-x86")
    mkfs = need_tool("mkfs.ext4", "e2fsprogs")
    mkswap = need_tool("mkswap", "util-linux")
    pack(kernel, image, command)
    os.makedirs(out_dir, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vmtop-guest-") as tmp:
        names = ("initrd", "scratch", "swap", "root")
        initrd, scratch, swap, root = (os.path.join(tmp, name) for name in names)
        image.write(initrd)
        mkfs_ext4 = [mkfs, "-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1"]
        for disk, size, args in (
            (scratch, SCRATCH_BYTES, [*mkfs_ext4, scratch]),
            (swap, SWAP_BYTES, [mkswap, swap]),
            (root, os.path.getsize(initrd) + ROOT_SPARE_BYTES, [*mkfs_ext4, root]),
        ):
            with open(disk, "wb") as f:
                f.truncate(size)
            done = subprocess.run(args, capture_output=True, text=True, check=False)
            if done.returncode:
                raise GuestError(f"{os.path.basename(args[0])}: {done.stderr.strip()}")

        fixed = (
            "-accel tcg,thread=multi -cpu max -nodefaults -no-user-config -display none -no-reboot"
            " -device virtio-serial-pci"
        )
        args = [qemu, *fixed.split(), "-smp", str(options.cpus), "-m", str(options.memory_mib)]
        args += ["-kernel", kernel.image, "-initrd", initrd]
        for node in range(options.nodes if options.nodes > 1 else 0):
            share = options.memory_mib // options.nodes
            args += ["-object", f"memory-backend-ram,id=node{node},size={share}M"]
            args += ["-numa", f"node,nodeid={node},memdev=node{node}"]
        # Nothing is left out of the console: it is all there is of a kernel that dies.
        args += ["-append", f"console=ttyS0 loglevel=7 panic=-1 {options.append}".rstrip()]
        args += ["-serial", f"file:{_option(out_dir, 'console.log')}"]
        for disk in (scratch, swap, root):  # vda, vdb, vdc
            args += ["-drive", f"file={_option(disk)},if=virtio,format=raw,cache=unsafe"]
        for port in ("control", "out", "err", "results"):
            name = "results.tar" if port == "results" else port
            args += ["-chardev", f"file,id={port},path={_option(out_dir, name)}"]
            args += ["-device", f"virtserialport,chardev={port},name={port}"]

        lock = os.path.join(vmkernels.cache_dir(), "guest.lock")
        with vmkernels.locked(lock, "for another guest to end"):
            for left in reversed(range(BOOTS)):
                _clear(out_dir)
                outcome = _run(args, out_dir, options, on_output)
                _judge(outcome, out_dir)
                # A kernel that patches its code while another emulated processor runs it now and
                # then dies of that before there is a process.
                if not (left and outcome.fatal and outcome.ready_s is None):
                    break
                print(f"# booted again: {outcome.fatal}", flush=True)
    return outcome


def _clear(out_dir):
    """Removes what an earlier guest left, so that nothing of it is taken for this one's."""
    for name in ("console.log", "control", "out", "err", "results.tar"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(out_dir, name))
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(os.path.join(out_dir, "results"))


def _option(*path):
    """A path as part of a QEMU option, where a comma is doubled."""
    return os.path.abspath(os.path.join(*path)).replace(",", ",,")


def _run(args, out_dir, options, on_output):
    outcome = Outcome()
    start = time.monotonic()
    # Should this process be killed, the guest goes with it.
    setpriv = need_tool("setpriv", "util-linux")
    with open(os.path.join(out_dir, "qemu.log"), "wb") as log:
        qemu = subprocess.Popen(
            [setpriv, "--pdeathsig", "KILL", "--", *args],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    seen = 0
    try:
        while qemu.poll() is None:
            seen = _follow(os.path.join(out_dir, "out"), seen, on_output)
            if time.monotonic() - start > options.timeout:
                outcome.why = f"timed out after {options.timeout:g} s"
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                qemu.wait(0.1)
    finally:
        if qemu.poll() is None:
            qemu.send_signal(signal.SIGKILL)
        qemu.wait()
    _follow(os.path.join(out_dir, "out"), seen, on_output)
    outcome.wall_s = time.monotonic() - start
    if qemu.returncode and not outcome.why:
        outcome.why = f"QEMU failed: {_last_line(os.path.join(out_dir, 'qemu.log'))}"
    return outcome


def _follow(path, seen, on_output):
    """Hands on what was added to a file; gives how much of it has been."""
    if on_output is None:
        return seen
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as f:
        f.seek(seen)
        data = f.read()
        if data:
            on_output(data)
        return seen + len(data)
    return seen


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def _last_line(path):
    return (_read(path).strip().splitlines() or ["it said nothing"])[-1]


def _judge(outcome, out_dir):
    """Reads what the guest sent, and takes nothing for granted that it did not say."""
    results = None
    for line in _read(os.path.join(out_dir, "control")).splitlines():
        event, _, rest = line.partition(" ")
        if event == "ready":
            outcome.release, uptime = rest.split()
            outcome.ready_s = float(uptime)
        elif event == "status" and rest.isdigit():
            outcome.status = int(rest)
        elif event == "results" and rest.isdigit():
            results = int(rest)
        elif event == "note":
            outcome.notes.append(rest)
    for line in _read(os.path.join(out_dir, "console.log")).splitlines():
        if FATAL.search(line):
            outcome.fatal = outcome.fatal or line.strip()
        elif NOTABLE.search(line):
            outcome.notes.append(f"kernel: {line.strip()}")

    archive = os.path.join(out_dir, "results.tar")
    if results == 0:
        target = os.path.join(out_dir, "results")
        os.makedirs(target)
        done = subprocess.run(
            ["tar", "--no-same-owner", "--no-same-permissions", "-C", target, "-xf", archive],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            outcome.why = outcome.why or f"the results cannot be unpacked: {done.stderr.strip()}"
        else:
            os.unlink(archive)
            # A tree copied from /proc has directories that not even their owner could remove.
            subprocess.run(["chmod", "-R", "u+rwX", target], check=True)
    if outcome.why:
        return
    if outcome.ready_s is None:
        outcome.why = outcome.fatal or "the guest did not come up"
    elif outcome.status is None:
        outcome.why = outcome.fatal or "the guest went down before the command ended"
    elif results != 0:
        outcome.why = "the guest could not send the results"
