#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures and pages as other programs take them: xmllint, rsvg-convert, and a browser, in light and
in dark, on a screen and on a telephone. What they are made of is in golden/."""

import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import snap
import browser
from tap import Report


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


def drawn(png, dark, folder):
    """What is wrong with a picture of the screen: its ground, and whether there is anything on it."""
    out = folder / "screen.png"
    out.write_bytes(png)
    ground, share, colours = looks(out)
    if dark != (brightness(ground) < 64):
        return f"the ground is {ground.hex()}"
    if not 0.02 < share < 0.9 or len(colours) < 50:
        return f"{share:.3f} of it is drawn, in {len(colours)} colours"
    # The colours of the palette stay as they are: sky blue is in each, orange or vermillion.
    if bytes.fromhex("56b4e9") not in colours or not colours & {bytes.fromhex("e69f00"),
                                                                bytes.fromhex("d55e00")}:
        return "sky blue, orange and vermillion of the palette are missing"
    return None


# Pages that have to be refused: what judge() says, where it is blind.
WRONG = {
    "asks for": '<img alt="" src="file:///nowhere.png"/>',
    "complains": "<script>throw new Error('so')</script>",
    "wider than": '<div style="width:3000px">wide</div>',
    "contrast": '<p style="color:#999;background:#aaa">pale</p>',
    "pixels: tiny": '<p style="font-size:4px">tiny</p>',
    "no title": '<figure><svg viewBox="0 0 9 3"><text x="1" y="2">a</text></svg></figure>',
    "one on another": '<svg viewBox="0 0 900 300"><text x="9" y="99">here</text>'
                      '<text x="12" y="100">and here</text></svg>',
    "cut off": '<svg viewBox="0 0 900 300"><text x="880" y="99">over the edge</text></svg>',
    "contrast 1": '<svg viewBox="0 0 900 300"><rect width="900" height="300" fill="#000"/>'
                  '<text x="9" y="99">black on black</text></svg>',
}


def in_browser(report, pages, folder):
    with browser.Browser(folder) as one:
        for say, part in WRONG.items():
            page = folder / "wrong.html"
            page.write_text(f"<!DOCTYPE html><html><body>{part}{'<p>so</p>' * 20}</body></html>")
            wrong = browser.judge(one.see(page, "page", False), "page", False, least=0)
            report.check(f"a page that is refused: {say}",
                         None if any(say in line for line in wrong) else wrong or "it is taken")
        for page in pages:
            name = page.name if page.parent == folder else f"{page.parent.name} {page.name}"
            for size in browser.SIZES:
                for dark in (False, True):
                    seen = one.see(page, size, dark)
                    wrong = browser.judge(seen, size, dark)
                    if page.parent.name != snap.HOSTILE and size == "page":
                        wrong += filter(None, [drawn(seen.png, dark, folder)])
                    report.check(f"{name} in a browser, {size}, {'dark' if dark else 'light'}",
                                 wrong)


def main():
    report = Report()
    pages = sorted(snap.GOLDEN.glob("*/*.html"))
    drawings = sorted(path for path in snap.GOLDEN.glob("*/*.svg")
                      if path.read_bytes().startswith(b"<?xml"))
    report.check("there are pages and pictures",
                 None if len(pages) > 5 and len(drawings) > 9 else f"{len(pages)}, {len(drawings)}")
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
        # The longest figures: bytes.
        page = folder / "bytes.html"
        page.write_bytes(snap.vmtop("machine-6.18", "report", "--format", "html", "-b").out)
        try:
            in_browser(report, [*pages, page], folder)
        except browser.Missing as why:
            report.skip("pages in a browser, light and dark", why)
        except browser.Broken as why:
            report.check("pages in a browser, light and dark", str(why))
    report.done()


main()
