# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the harness: that it reports what happened, and most of all what went wrong.

A harness that takes a dead guest for a passed test would hide every other fault, so each way in
which a guest can end badly is brought about here.
"""

import os

import vmguest


def _boot(kernel, out_dir, script, options=None, on_output=None):
    out = bytearray()

    def listen(data):
        out.extend(data)
        if on_output:
            on_output()

    outcome = vmguest.boot(
        kernel,
        vmguest.Image(),
        ["sh", "-c", script],
        out_dir,
        options or vmguest.Options(timeout=300),
        listen,
    )
    with open(os.path.join(out_dir, "err"), "rb") as f:
        return outcome, bytes(out), f.read()


def _differs(**pairs):
    """What is not as it should be, of NAME=(found, wanted); "" when all is."""
    return ", ".join(
        f"{name} is {found!r}, not {wanted!r}"
        for name, (found, wanted) in pairs.items()
        if found != wanted
    )


def carries_over(kernel, out_dir):
    """Status, both outputs (byte for byte), and a tree of results."""
    script = (
        r"printf 'a\r\n\000\377'; printf 'e\tf' >&2; mkdir -p /results/a/b;"
        " echo kept > /results/a/b/c; ln -s c /results/a/b/d; cat /proc/cmdline > /results/cmdline;"
        " head -c 3000000 /dev/zero > /results/large; exit 42"
    )
    outcome, out, err = _boot(
        kernel, out_dir, script, vmguest.Options(append="vmtop.selftest=1", timeout=300)
    )
    results = os.path.join(out_dir, "results")
    with open(os.path.join(results, "a/b/d"), encoding="utf-8") as f:
        kept = f.read()
    with open(os.path.join(results, "cmdline"), encoding="utf-8") as f:
        appended = "vmtop.selftest=1" in f.read().split()
    return _differs(
        status=(outcome.status, 42),
        why=(outcome.why, ""),
        fatal=(outcome.fatal, ""),
        out=(out, b"a\r\n\0\xff"),
        err=(err, b"e\tf"),
        kept=(kept, "kept\n"),
        appended=(appended, True),
        release=(outcome.release, kernel.release),
        large=(os.path.getsize(os.path.join(results, "large")), 3000000),
    )


def times_out(kernel, out_dir):
    """A command that hangs ends with the guest, and what it wrote before is kept."""
    options = vmguest.Options(timeout=300)

    def time_is_up():
        # Only once the command runs, however long this machine takes to come so far.
        options.timeout = 0.5

    outcome, out, _ = _boot(kernel, out_dir, "echo before; sleep 1000", options, time_is_up)
    return _differs(
        status=(outcome.status, None),
        why=(outcome.why, "timed out after 0.5 s"),
        out=(out, b"before\n"),
    )


def sees_panic(kernel, out_dir):
    """The kernel dies in the middle of the command."""
    outcome, out, _ = _boot(kernel, out_dir, "echo before; echo c > /proc/sysrq-trigger; sleep 60")
    return _differs(
        status=(outcome.status, None),
        told=(bool(outcome.fatal), True),
        why=(outcome.why, outcome.fatal),
        out=(out, b"before\n"),
    )


def sees_early_end(kernel, out_dir):
    """The machine goes down before the command is through."""
    outcome, _, _ = _boot(kernel, out_dir, "poweroff -f")
    return _differs(
        status=(outcome.status, None),
        fatal=(outcome.fatal, ""),
        why=(outcome.why, "the guest went down before the command ended"),
    )


TESTS = {
    "carries-over": carries_over,
    "times-out": times_out,
    "sees-panic": sees_panic,
    "sees-early-end": sees_early_end,
}
