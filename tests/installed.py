# SPDX-License-Identifier: GPL-2.0-or-later
"""What "meson install" puts where, for the tests of the build and of the package."""

import pathlib
import re
import stat

from tap import TOP

UNITS = ["vmtop-check.service", "vmtop-check.timer", "vmtop-metrics.service", "vmtop-metrics.timer",
         "vmtop-record.service"]
EXAMPLES = ["README.md", "alerts.test.yml", "alerts.yml", "check.conf", "grafana-dashboard.json",
            "vmtop.cron"]
CONFIGURATION = ["check.conf", "groups.conf"]


def wanted(prefix, sysconfdir, zsh="", units="", tmpfiles="", suffix=""):
    """The path of each file below DESTDIR. zsh, units and tmpfiles are the options of the build, ""
    where they are not given; suffix is what a compressed manual page ends with."""
    share = f"{prefix}/share"
    pages = sorted((TOP / "man").glob("*.[1-9]"))
    schemas = sorted((TOP / "lib" / "view" / "schema").glob("*.schema.json"))
    paths = {
        f"{prefix}/bin/vmtop",
        f"{share}/bash-completion/completions/vmtop",
        f"{zsh or share + '/zsh/site-functions'}/_vmtop",
        f"{share}/fish/vendor_completions.d/vmtop.fish",
        f"{tmpfiles or prefix + '/lib/tmpfiles.d'}/vmtop.conf",
    }
    paths |= {f"{share}/man/man{page.suffix[1:]}/{page.name}{suffix}" for page in pages}
    paths |= {f"{share}/vmtop/schema/{schema.name}" for schema in schemas}
    paths |= {f"{share}/doc/vmtop/examples/{name}" for name in EXAMPLES}
    paths |= {f"{units or prefix + '/lib/systemd/system'}/{name}" for name in UNITS}
    paths |= {f"{sysconfdir}/vmtop/{name}" for name in CONFIGURATION}
    return paths


def found(root):
    """The path of each thing below a directory that is no directory, with / for that directory."""
    root = pathlib.Path(root)
    return {f"/{path.relative_to(root)}" for path in root.rglob("*")
            if path.is_symlink() or not path.is_dir()}


def list_problems(have, want):
    """What is installed and should not be, and the other way round."""
    return ([f"{path} is not installed" for path in sorted(want - have)]
            + [f"{path} is installed, and nobody knows why" for path in sorted(have - want)])


def mode_problems(root):
    """Files that are not as everybody's are: the program 0755, the rest 0644, directories 0755."""
    wrong = []
    for path in sorted(pathlib.Path(root).rglob("*")):
        mode = path.lstat().st_mode
        name = f"/{path.relative_to(root)}"
        if stat.S_ISDIR(mode) or name.endswith("/bin/vmtop"):
            right = 0o755
        else:
            right = 0o644
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            wrong.append(f"{name} is neither a file nor a directory")
        elif stat.S_IMODE(mode) != right:
            wrong.append(f"{name} has mode {stat.S_IMODE(mode):04o}, not {right:04o}")
    return wrong


def content_problems(root, words):
    """Files that hold one of some byte strings: paths that mean nothing where they are installed."""
    wrong = []
    for name in sorted(found(root)):
        path = pathlib.Path(root) / name[1:]
        data = b"" if path.is_symlink() else path.read_bytes()
        # /build is not in /usr/share/build.
        wrong += [f"{name} has {word.decode()!r} in it" for word in words
                  if re.search(rb"(?<![\w./-])" + re.escape(word) + rb"(?:/|\0|$)", data)]
    return wrong
