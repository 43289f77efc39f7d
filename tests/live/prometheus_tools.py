# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's Prometheus and node_exporter, fetched by apt into a cache outside the source tree, as the
kernels of the guests are (tests/vm/README.md): downloaded and unpacked, never installed, because
the packages would start daemons on this machine."""

import glob
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "vm"))
import vmkernels  # noqa: E402
from vmkernels import Unavailable  # noqa: E402

PACKAGES = ("prometheus", "prometheus-node-exporter")
PROGRAMS = ("prometheus", "promtool", "prometheus-node-exporter")
# Of Debian 12, whatever this machine has: promtool's opinions differ between versions.
SUITE = "bookworm"


def cached():
    """Where the programs are, or None."""
    place = os.path.join(vmkernels.cache_dir(), "prometheus-" + SUITE)
    there = all(os.access(os.path.join(place, name), os.X_OK) for name in PROGRAMS)
    return place if there else None


def fetch(place):
    uri = vmkernels.mirrors().get("main")
    if not uri:
        raise Unavailable("this machine's apt has no main archive of Debian")
    with tempfile.TemporaryDirectory(prefix="vmtop-apt-") as top:
        os.chmod(top, 0o755)
        apt = vmkernels.PrivateApt(top, "main", SUITE, uri, False)
        apt.update()
        debs = os.path.join(apt.dir, "debs")
        apt.run("apt-get", "download", *PACKAGES, cwd=debs)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=os.path.dirname(place)) as new:
            tree, kept = os.path.join(new, "tree"), os.path.join(new, "kept")
            os.mkdir(kept)
            for deb in sorted(glob.glob(os.path.join(debs, "*.deb"))):
                vmkernels._tool("dpkg-deb", "-x", deb, tree)
            for name in PROGRAMS:
                shutil.move(os.path.join(tree, "usr", "bin", name), kept)
            shutil.rmtree(place, ignore_errors=True)
            os.rename(kept, place)


def obtain():
    """The folder with the programs. Raises Unavailable, which says why."""
    if os.uname().machine != "x86_64":
        raise Unavailable(f"the packages are for x86_64, this machine is {os.uname().machine}")
    place = cached()
    if place is None:
        wanted = os.path.join(vmkernels.cache_dir(), "prometheus-" + SUITE)
        with vmkernels.locked(wanted + ".lock", "for another fetch to end"):
            place = cached()
            try:
                if place is None:
                    fetch(wanted)
            except OSError as e:
                raise Unavailable(f"cannot be kept: {e}") from e
        place = cached()
    if place is None:
        raise Unavailable("the packages have not the programs that are looked for")
    return place
