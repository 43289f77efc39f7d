# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's cloud kernels, fetched by apt into a cache outside the source tree.

The packages are downloaded and unpacked, never installed: what is kept of each is the kernel
image, its configuration and the few modules that a guest needs.  apt runs with a configuration
of its own in a temporary directory, so that neither the package lists nor the state of the
machine change; what it shares with the machine is the mirror, the proxy and the trusted keys.
"""

import contextlib
import dataclasses
import fcntl
import glob
import hashlib
import json
import lzma
import os
import platform
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))

# Rises when what is kept of a kernel changes: an older cache is then fetched again.
FORMAT = 1

# What a guest needs where the kernel does not have it built in; what these depend on is added.
MODULES = ("virtio_pci", "virtio_blk", "virtio_console", "fuse")

# What a suite may load by itself, from /guest/modules in the order of /guest/modules.extra, where
# the kernel has it as a module. One that was fetched before these were kept is used without.
EXTRA_MODULES = ("lzo_rle", "zram")

# No answer of a mirror in this many seconds is taken as no network.
NETWORK_TIMEOUT = 20


# What apt says when nobody answers; then no other suite is asked for.
OFFLINE = re.compile(
    "resolv|Could not connect|Unable to connect|Cannot initiate the connection"
    "|timed out|Network is unreachable",
    re.I,
)


class Unavailable(Exception):
    """A kernel that cannot be had here; str() says why."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One line of the table of kernels."""

    name: str
    pattern: str
    places: tuple  # of (archive, suite)
    asked: bool = False  # only where it is named


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel in the cache."""

    name: str
    release: str  # as uname -r gives it
    path: str  # its directory
    info: dict

    @property
    def image(self):
        return os.path.join(self.path, "vmlinuz")

    @property
    def config(self):
        return os.path.join(self.path, "config")

    @property
    def modules(self):
        """Paths of the modules, in the order in which they have to be loaded."""
        return [os.path.join(self.path, "modules", m) for m in self.info["modules"]]

    @property
    def extra_modules(self):
        """Likewise, of those that are not loaded by themselves."""
        return [os.path.join(self.path, "modules", m) for m in self.info.get("extra_modules", [])]


def read_table(path=os.path.join(HERE, "kernels")):
    """The table of kernels, as {name: Wanted} in the order of the file."""
    table = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            words = line.split("#", 1)[0].split()
            if not words:
                continue
            asked = words[-1] == "asked"
            places = tuple(tuple(w.split("/", 1)) for w in (words[2:-1] if asked else words[2:]))
            if not places or any(len(p) != 2 or p[0] not in ("main", "security") for p in places):
                raise ValueError(f"{path}:{number}: want: name pattern archive/suite... [asked]")
            table[words[0]] = Wanted(words[0], words[1], places, asked)
    return table


def usual(table):
    """The names of those that are taken where none is named."""
    return [name for name, wanted in table.items() if not wanted.asked]


def cache_dir():
    """Where fetched kernels and the logs of guests are kept; made when it is not there.

    $VMTOP_CACHE, or the user's cache directory of the XDG specification, which ignores a
    relative path.  HOME may be unset (cron, CI); then the user database knows it.
    """
    path = os.environ.get("VMTOP_CACHE")
    if not path:
        base = os.environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(base):
            home = os.environ.get("HOME")
            if not home:
                try:
                    home = pwd.getpwuid(os.getuid()).pw_dir
                except KeyError:
                    raise Unavailable("no home directory for the cache: set VMTOP_CACHE") from None
            base = os.path.join(home, ".cache")
        path = os.path.join(base, "vmtop")
    path = os.path.abspath(path)
    try:
        os.makedirs(path, mode=0o755, exist_ok=True)
    except OSError as e:
        raise Unavailable(f"no cache directory: {path}: {e.strerror}: set VMTOP_CACHE") from e
    return path


def cached(name):
    """The kernel NAME of the cache, or None."""
    path = os.path.join(cache_dir(), "kernels", name)
    try:
        with open(os.path.join(path, "info.json"), encoding="utf-8") as f:
            info = json.load(f)
    except (OSError, ValueError):
        return None
    if info.get("format") != FORMAT:
        return None
    kernel = Kernel(name, info["release"], path, info)
    if not all(os.path.exists(p) for p in
               [kernel.image, *kernel.modules, *kernel.extra_modules]):
        return None
    return kernel


@contextlib.contextmanager
def locked(path, what):
    """Holds the lock file PATH; whoever else wants it waits, and says for WHAT."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as e:
        raise Unavailable(f"{path}: {e.strerror}: set VMTOP_CACHE") from e
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"# waiting {what}", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def mirrors():
    """The addresses of Debian's archives as this machine's apt has them: {archive: URI}."""
    form = "$(CREATED_BY)\t$(RELEASE)\t$(ORIGIN)\t$(REPO_URI)"
    try:
        out = subprocess.run(
            ["apt-get", "indextargets", "--format", form],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
    except FileNotFoundError:
        raise Unavailable("no apt-get on this machine") from None
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as e:
        raise Unavailable("apt-get indextargets failed") from e
    known = re.compile(
        r"(bullseye|bookworm|trixie|forky|sid|(old)*stable|testing|unstable)"
        r"(-security|-updates|-backports|/updates)?$"
    )
    found = {}
    for line in out.splitlines():
        created_by, release, origin, uri = line.split("\t")
        # Before the first apt-get update the origin is not known: the suite's name decides.
        if created_by != "Packages" or not known.match(release):
            continue
        if not origin.startswith("$") and origin != "Debian":
            continue
        security = release.endswith(("-security", "/updates"))
        found.setdefault("security" if security else "main", uri)
    if not found:
        raise Unavailable("this machine's apt has no Debian archive among its sources")
    # A machine without security updates: mirrors keep the two archives side by side.
    if "security" not in found:
        beside = re.sub(r"/debian/?$", "/debian-security/", found["main"])
        if beside != found["main"]:
            found["security"] = beside
    return found


class PrivateApt:
    """apt with lists, cache and sources of its own, for one suite of one archive."""

    def __init__(self, top, archive, suite, uri, allow_unsigned):
        self.suite = suite
        self.signed = not allow_unsigned
        self.host = urllib.parse.urlsplit(uri).hostname
        self.dir = os.path.join(top, f"{archive}-{suite}")
        for sub in ("lists/partial", "cache/archives/partial", "state", "trusted", "debs"):
            os.makedirs(os.path.join(self.dir, sub))
        self._let_apt_write("lists/partial", "cache/archives/partial", "debs")
        self._write("status", "")
        # Old suites are no longer refreshed, so their release files run out; a stale list
        # does no harm where the packages run in a guest without a network only.
        options = "Check-Valid-Until: no\nTargets: Packages\nArchitectures: amd64\n"
        if allow_unsigned:
            options += "Trusted: yes\n"
        self._write(
            "source.sources",
            f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n{options}",
        )
        self._collect_keys()
        # The hooks of the machine (such as those of container images, which delete the
        # machine's package cache after each update) are none of ours.
        self._write(
            "apt.conf",
            f"""\
#clear APT::Update;
#clear APT::Architectures;
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Update::Error-Mode "{'persistent' if allow_unsigned else 'any'}";
Dir::State "{self.dir}/state";
Dir::State::lists "{self.dir}/lists";
Dir::State::status "{self.dir}/status";
Dir::Cache "{self.dir}/cache";
Dir::Etc::sourcelist "{self.dir}/source.sources";
Dir::Etc::sourceparts "-";
Dir::Etc::trustedparts "{self.dir}/trusted";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "{NETWORK_TIMEOUT}";
Acquire::https::Timeout "{NETWORK_TIMEOUT}";
""",
        )

    def _write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(text)

    def _let_apt_write(self, *subs):
        """Run by root, apt downloads as the user _apt."""
        if os.getuid() != 0:
            return
        try:
            uid = pwd.getpwnam("_apt").pw_uid
        except KeyError:
            return
        for sub in subs:
            os.chown(os.path.join(self.dir, sub), uid, -1)

    def _collect_keys(self):
        """The keys that may sign: those apt trusts, and all of Debian's that are installed.

        The keyring package has the keys of newer suites too, but a source that names a
        keyring by Signed-By trusts those of its own release only.
        """
        keys = []
        for ext in ("gpg", "pgp", "asc"):
            keys += glob.glob(f"/etc/apt/trusted.gpg.d/*.{ext}")
            keys += glob.glob(f"/usr/share/keyrings/debian-archive-*.{ext}")
        for source in (
            *glob.glob("/etc/apt/sources.list.d/*.sources"),
            "/etc/apt/sources.list",
            *glob.glob("/etc/apt/sources.list.d/*.list"),
        ):
            with contextlib.suppress(OSError), open(source, encoding="utf-8") as f:
                keys += re.findall(r"signed-by\s*[:=]\s*(/[^\s\],]+)", f.read(), re.I)
        for key in dict.fromkeys(keys):
            if "removed-keys" in key:
                continue
            base, ext = os.path.splitext(os.path.basename(key))
            dest = os.path.join(self.dir, "trusted", base + (".asc" if ext == ".asc" else ".gpg"))
            with contextlib.suppress(OSError):
                shutil.copyfile(key, dest)
                os.chmod(dest, 0o644)

    def _reason(self, text):
        """The first complaint of apt, without the address of the mirror."""
        lines = [line for line in text.splitlines() if line[:2] in ("E:", "W:")]
        lines.sort(key=lambda line: line[:2])
        reason = lines[0][2:].strip() if lines else "apt failed and did not say why"
        reason = re.sub(r"\w+://\S+", "the mirror", reason)
        if self.host:
            reason = reason.replace(self.host, "the mirror")
        if "is not signed" in reason:
            reason += " by a key that this machine has (README.md, --allow-unsigned)"
        return " ".join(reason.replace(". by", " by").split())

    def run(self, *args, cwd=None, timeout=600):
        """Runs one apt tool and gives its standard output."""
        tool, *rest = args
        try:
            done = subprocess.run(
                [tool, "-c", f"{self.dir}/apt.conf", *rest],
                cwd=cwd,
                env={**os.environ, "LC_ALL": "C"},
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"{self.suite}: {tool} {rest[0]} took over {timeout} s") from None
        if done.returncode:
            raise Unavailable(f"{self.suite}: {self._reason(done.stderr)}")
        return done.stdout

    def update(self):
        self.run("apt-get", "update")

    def newest(self, pattern):
        """The highest release whose cloud image package matches, or None."""
        want = re.compile(rf"linux-image-({pattern}.*)-cloud-amd64")
        names = self.run("apt-cache", "pkgnames", "linux-image-").split()
        releases = [m[1] for m in map(want.fullmatch, names) if m]
        return max(
            releases, default=None, key=lambda r: ([int(n) for n in re.findall(r"\d+", r)], r)
        )

    def download(self, release):
        """Downloads the packages of a release: a list of paths of .deb files.

        Up to 6.x the image package has all; from 7 on it is empty and depends on one
        package each for the kernel, its modules and their lists.
        """
        image = f"linux-image-{release}-cloud-amd64"
        fields = self.run("apt-cache", "show", "--no-all-versions", image)
        depends = re.search(r"^Depends: (.*)$", fields, re.M)
        parts = re.findall(
            rf"\blinux-(?:base|binary|modules)-{re.escape(release)}-cloud-amd64\b",
            depends[1] if depends else "",
        )
        # Once a release is superseded, those of other source packages may have gone before.
        there = set(self.run("apt-cache", "pkgnames", "linux-").split())
        parts = [part for part in parts if part in there]
        debs = os.path.join(self.dir, "debs")
        self.run("apt-get", "download", *dict.fromkeys([image, *parts]), cwd=debs)
        return sorted(glob.glob(os.path.join(debs, "*.deb")))


class Fetcher:
    """Fetches kernels; within one run each suite's package list is got once."""

    def __init__(self, allow_unsigned=False):
        self.allow_unsigned = allow_unsigned
        self._stack = contextlib.ExitStack()
        self._top = None
        self._suites = {}  # (archive, suite) -> PrivateApt, or the Unavailable that it was
        self._mirrors = None
        self._offline = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._stack.close()

    def _apt(self, archive, suite):
        if self._offline:
            raise self._offline
        key = (archive, suite)
        if key not in self._suites:
            try:
                self._suites[key] = self._open(archive, suite)
            except Unavailable as e:
                self._suites[key] = e
                if OFFLINE.search(str(e)):
                    self._offline = Unavailable(str(e).split(": ", 1)[-1])
                    raise self._offline from None
        if isinstance(self._suites[key], Unavailable):
            raise self._suites[key]
        return self._suites[key]

    def _open(self, archive, suite):
        if platform.machine() != "x86_64":
            raise Unavailable(
                f"guests run programs of x86_64, this machine is {platform.machine()}"
            )
        if self._mirrors is None:
            self._mirrors = mirrors()
        if archive not in self._mirrors:
            raise Unavailable(f"{suite}: this machine's apt has no {archive} archive of Debian")
        if self._top is None:
            self._top = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="vmtop-apt-"))
            os.chmod(self._top, 0o755)
        apt = PrivateApt(self._top, archive, suite, self._mirrors[archive], self.allow_unsigned)
        apt.update()
        return apt

    def fetch(self, wanted):
        """Fetches one kernel into the cache, in place of what is there; gives the Kernel."""
        reasons = []
        for archive, suite in wanted.places:
            try:
                apt = self._apt(archive, suite)
                release = apt.newest(wanted.pattern)
                if release is None:
                    raise Unavailable(f"{suite}: no cloud kernel {wanted.name}")
                return self._keep(wanted, apt, apt.download(release))
            except Unavailable as e:
                reasons.append(str(e))
        raise Unavailable("; ".join(dict.fromkeys(reasons)))

    def _keep(self, wanted, apt, debs):
        place = _kernels_dir()
        with tempfile.TemporaryDirectory(prefix=".new-", dir=place) as new:
            tree = os.path.join(new, "tree")
            kept = os.path.join(new, "kept")
            os.makedirs(os.path.join(kept, "modules"))
            packages = []
            for deb in debs:
                _tool("dpkg-deb", "-x", deb, tree)
                packages.append(_describe(deb))
                os.unlink(deb)
            image, config, lib = _find_parts(tree)
            shutil.copyfile(image, os.path.join(kept, "vmlinuz"))
            shutil.copyfile(config, os.path.join(kept, "config"))
            modules = os.path.join(kept, "modules")
            needed = _keep_modules(lib, modules, MODULES)
            info = {
                "format": FORMAT,
                "release": os.path.basename(lib),
                "suite": apt.suite,
                "signed": apt.signed,
                "packages": packages,
                "modules": needed,
                "extra_modules": _keep_modules(lib, modules, EXTRA_MODULES, needed),
            }
            with open(os.path.join(kept, "info.json"), "w", encoding="utf-8") as f:
                json.dump(info, f, indent="\t")
                f.write("\n")
            final = os.path.join(place, wanted.name)
            shutil.rmtree(final, ignore_errors=True)
            os.rename(kept, final)
        return cached(wanted.name)


def _kernels_dir():
    path = os.path.join(cache_dir(), "kernels")
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as e:
        raise Unavailable(f"{path}: {e.strerror}: set VMTOP_CACHE") from e
    return path


def obtain(wanted, fetcher, update=False):
    """The kernel from the cache, or else fetched into it.  Raises Unavailable."""
    kernel = None if update else cached(wanted.name)
    if kernel is None:
        place = _kernels_dir()
        with locked(os.path.join(place, ".lock"), "for another fetch to end"):
            # Another run may have fetched it while this one waited.
            kernel = None if update else cached(wanted.name)
            try:
                kernel = kernel or fetcher.fetch(wanted)
            except OSError as e:
                raise Unavailable(f"cannot be kept: {e}") from e
    if kernel is None:
        raise Unavailable("the cache is damaged: remove it")
    return kernel


def _tool(*args):
    try:
        return subprocess.run(args, check=True, capture_output=True).stdout
    except FileNotFoundError:
        raise Unavailable(f"{args[0]} not found") from None
    except subprocess.CalledProcessError as e:
        message = e.stderr.decode(errors="replace").strip()
        raise Unavailable(f"{args[0]} failed: {message.splitlines()[-1:]}") from e


def _describe(deb):
    show = _tool("dpkg-deb", "-W", "--showformat=${Package} ${Version}", deb).decode()
    name, version = show.split()
    with open(deb, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    return {"name": name, "version": version, "sha256": digest}


def _find_parts(tree):
    """Image, configuration and module directory of an unpacked kernel.

    The image and the configuration stand in /boot, and since 7 beside the modules.
    """
    libs = glob.glob(f"{tree}/lib/modules/*") + glob.glob(f"{tree}/usr/lib/modules/*")
    if len({os.path.basename(lib) for lib in libs}) != 1:
        raise Unavailable("the packages hold not one kernel")
    lib = libs[0]
    release = os.path.basename(lib)
    found = []
    for part in ("vmlinuz", "config"):
        places = [
            p for p in (f"{tree}/boot/{part}-{release}", f"{lib}/{part}") if os.path.exists(p)
        ]
        if not places:
            raise Unavailable(f"the packages of {release} have no {part}")
        found.append(places[0])
    return (*found, lib)


def _keep_modules(lib, dest, wanted, there=None):
    """Copies the wanted modules, unpacked, and gives their file names in the order to load.

    With those that are there already, which are not among them, the kernel may have none.
    """
    files = {}
    for path in glob.glob(f"{lib}/kernel/**/*.ko*", recursive=True):
        files[_module_name(path)] = path
    with open(f"{lib}/modules.builtin", encoding="utf-8") as f:
        builtin = {_module_name(line.strip()) for line in f}
    order = []

    def add(name):
        if name in builtin or f"{name}.ko" in [*(there or ()), *order]:
            return
        if name not in files and there is not None:
            return
        if name not in files:
            raise Unavailable(f"{os.path.basename(lib)} has no module {name}")
        data = _unpack(files[name])
        # The .modinfo section is a row of strings "key=value", each ended by a 0.
        depends = re.search(rb"\0depends=([^\0]*)\0", data)
        for need in depends[1].decode().split(",") if depends else []:
            if need:
                add(need.replace("-", "_"))
        with open(os.path.join(dest, f"{name}.ko"), "wb") as f:
            f.write(data)
        order.append(f"{name}.ko")

    for name in wanted:
        add(name)
    return order


def _module_name(path):
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


def _unpack(path):
    if path.endswith(".zst"):
        return _tool("zstd", "-dcq", path)
    with (lzma.open if path.endswith(".xz") else open)(path, "rb") as f:
        return f.read()
