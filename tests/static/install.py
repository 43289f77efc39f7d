#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What "meson install" of the release's tree puts below DESTDIR: each file where it belongs, with the
rights that everybody's files have, and without a path of where it was built."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import installed  # noqa: E402
from tap import BUILD, TOP, Report  # noqa: E402

# What a user may have given to "meson setup", and what the names below stand for where not.
DEFAULTS = {"prefix": "/usr/local", "sysconfdir": "etc", "bindir": "bin", "datadir": "share",
            "mandir": "share/man", "bashcompletiondir": "", "zshcompletiondir": "",
            "fishcompletiondir": "", "systemdsystemunitdir": "", "tmpfilesdir": ""}


def options():
    said = subprocess.run(["meson", "introspect", "--buildoptions", str(BUILD)], check=True,
                          stdout=subprocess.PIPE)
    have = {option["name"]: option["value"] for option in json.loads(said.stdout)}
    return {name: have[name] for name in DEFAULTS}


def install(folder):
    """What went wrong, if anything. As a user with a narrow umask would."""
    said = subprocess.run(["meson", "install", "-C", str(BUILD), "--no-rebuild", "--destdir", folder],
                          text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=120, umask=0o077)
    return said.stdout[-400:] if said.returncode else None


def rules(folder):
    """Whether the checks tell a tree with faults from none."""
    root = pathlib.Path(folder)
    (root / "bin").mkdir()
    (root / "bin").chmod(0o755)
    (root / "bin" / "vmtop").write_bytes(b"/somewhere/else")
    (root / "bin" / "vmtop").chmod(0o4755)
    told = {
        "a file too many": installed.list_problems(installed.found(root), set()),
        "a file that is missing": installed.list_problems(set(), {"/bin/vmtop"}),
        "set-user-id": installed.mode_problems(root),
        "a path": installed.content_problems(root, [b"/somewhere"]),
    }
    (root / "bin" / "vmtop").chmod(0o755)
    (root / "link").symlink_to("bin")
    told["a link"] = installed.mode_problems(root)
    return [f"not told: {name}" for name, problems in told.items() if len(problems) != 1]


def main():
    report = Report()
    with tempfile.TemporaryDirectory(prefix="vmtop-install-") as folder:
        report.check("the checks tell a tree with faults", rules(folder))
    have = options()
    if have != DEFAULTS:
        other = [f"{name}={have[name]}" for name in sorted(have) if have[name] != DEFAULTS[name]]
        report.skip("meson install", f"build/ is set up otherwise: {' '.join(other)}")
        report.done()
    with tempfile.TemporaryDirectory(prefix="vmtop-install-") as folder:
        if report.check("meson install", install(folder)):
            want = installed.wanted("/usr/local", "/usr/local/etc")
            report.check("each file is where it belongs, and no other",
                         installed.list_problems(installed.found(folder), want))
            os.chmod(folder, 0o755)
            report.check("modes do not follow the umask", installed.mode_problems(folder))
            report.check("nothing names the tree that it was built in",
                         installed.content_problems(folder, [os.fsencode(TOP), os.fsencode(BUILD)]))
            units = [path for path in sorted(installed.found(folder)) if path.endswith(".service")]
            report.check("the units run the program where it is installed", [
                path for path in units if not re.search(
                    r"^ExecStart=.*/usr/local/bin/vmtop ",
                    pathlib.Path(folder + path).read_text(encoding="utf-8"), re.MULTILINE)])
    report.done()


main()
