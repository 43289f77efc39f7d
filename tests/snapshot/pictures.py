#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures and pages as other programs take them: xmllint, rsvg-convert, and a browser, in light and
in dark. What they are made of is in golden/."""

import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import snap
from tap import Report

BROWSERS = ["chromium-headless-shell", "chromium", "chromium-browser"]


def tool(*words):
    return subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        timeout=120,
    )


def said(done):
    if done.returncode == 0 and not done.stdout.strip():
        return None
    return f"exit {done.returncode}: {done.stdout[-600:].decode(errors='replace')}"


def pixels(path):
    """Width, height and the rows of a PNG of 8 bits a channel, without interlacing."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, raw = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        at += size + 12
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            raw += body
    assert (depth, interlace) == (8, 0) and colour in (2, 6)
    channels = 3 if colour == 2 else 4
    stride, raw = width * channels, zlib.decompress(raw)
    rows, above = [], bytes(stride)
    for y in range(height):
        kind = raw[y * (stride + 1)]
        row = bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for x in range(stride):
            left = row[x - channels] if x >= channels else 0
            corner = above[x - channels] if x >= channels else 0
            if kind == 1:
                row[x] = (row[x] + left) & 255
            elif kind == 2:
                row[x] = (row[x] + above[x]) & 255
            elif kind == 3:
                row[x] = (row[x] + (left + above[x]) // 2) & 255
            elif kind == 4:
                guess = left + above[x] - corner
                near = min((abs(guess - v), i, v) for i, v in enumerate((left, above[x], corner)))
                row[x] = (row[x] + near[2]) & 255
        rows.append([bytes(row[i : i + 3]) for i in range(0, stride, channels)])
        above = bytes(row)
    return rows


def brightness(colour):
    return sum(colour) / 3


def looks(path):
    """The colour of the ground, and the share of what is not it."""
    rows = pixels(path)
    ground = rows[0][0]
    every = [colour for row in rows for colour in row]
    return ground, sum(colour != ground for colour in every) / len(every), set(every)


def shoot(browser, page, out, dark, folder):
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={folder}/profile", f"--screenshot={out}", "--window-size=640,900"]
    # enum PreferredColorScheme of the browser: 0 dark, 1 light
    words.append(f"--blink-settings=preferredColorScheme={0 if dark else 1}")
    return tool(*words, f"file://{page}")


def in_browser(report, browser, page, folder):
    seen = {}
    for dark in (False, True):
        name = "dark" if dark else "light"
        out = folder / f"{name}.png"
        done = shoot(browser, page, out, dark, folder)
        problem = None if out.is_file() else said(done) or "no screenshot"
        if not problem:
            seen[name] = ground, share, colours = looks(out)
            if dark != (brightness(ground) < 64):
                problem = f"the ground is {ground.hex()}"
            elif not 0.02 < share < 0.9 or len(colours) < 50:
                problem = f"{share:.3f} of it is drawn, in {len(colours)} colours"
            # The colours of the palette stay as they are.
            elif not {bytes.fromhex("e69f00"), bytes.fromhex("56b4e9")} <= colours:
                problem = "orange and sky blue of the palette are missing"
        report.check(f"a page in a browser, {name}", problem)
    if len(seen) == 2:
        report.check("light and dark differ",
                     "the same ground" if seen["light"][0] == seen["dark"][0] else None)


def main():
    report = Report()
    pages = sorted(snap.GOLDEN.glob("*/report*.html"))
    drawings = sorted(path for path in snap.GOLDEN.glob("*/report*.svg")
                      if path.read_bytes().startswith(b"<?xml"))
    report.check("there are pages and pictures",
                 None if len(pages) > 2 and len(drawings) > 6 else f"{len(pages)}, {len(drawings)}")
    report.check("xmllint takes every one of them",
                 said(tool("xmllint", "--noout", "--nonet", *pages, *drawings)))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path in drawings:
            out = folder / "picture.png"
            problem = said(tool("rsvg-convert", "--width=320", f"--output={out}", path))
            if not problem:
                _, share, _ = looks(out)
                problem = None if share > 0.02 else "it is blank"
            report.check(f"rsvg-convert draws {path.parent.name} {path.name}", problem)
        browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        page = snap.GOLDEN / "machine-6.18" / "report.html"
        if browser:
            in_browser(report, browser, page, folder)
        else:
            report.skip("a page in a browser, light and dark",
                        "no chromium here: a browser is 300 MB, and no part of scripts/deps")
    report.done()


main()
