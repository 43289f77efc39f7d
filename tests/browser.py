# SPDX-License-Identifier: GPL-2.0-or-later
"""A browser without a window, for pages that vmtop wrote: spoken to by the DevTools protocol over a
pipe, it says what a page asked for, what it complained of, where each text ended up, and of what
colour it is on what. LAYOUT below is the program that measures; judge() says what is wrong."""

import base64
import collections
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")
# A machine that does twenty things at once is slow to start a browser.
PATIENCE = 180

# A page as wide as paper on a screen, and a telephone held upright.
SIZES = {"page": (1024, 768), "phone": (390, 844)}

# Contrast of text to what is behind it, as WCAG 2 asks for of text of usual size (1.4.3, level AA).
CONTRAST = 4.5
# Of text that is drawn, on any of the sizes, in CSS pixels.
SMALLEST = 9


class Missing(Exception):
    """There is no browser; str() says so."""


class Broken(Exception):
    """The browser ended, or did not answer."""


def program():
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not found:
        raise Missing("no chromium here; scripts/deps says why where it could not be installed")
    return found


# What is drawn is measured in the picture's own units and in pixels of the screen. Every closed part
# of the page is opened before. Of texts in a picture the boxes are those of the letters: from the
# line that they stand on up by the height of a capital.
LAYOUT = r"""
(() => {
  for (const part of document.querySelectorAll('details')) part.open = true;
  const wide = document.documentElement.clientWidth;
  const round = v => Math.round(v * 10) / 10;
  const parse = text => {
    const m = text.match(/rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)/);
    return m ? [+m[1], +m[2], +m[3], m[4] === undefined ? 1 : +m[4]] : null;
  };
  const over = (top, ground) => [0, 1, 2].map(i => top[i] * top[3] + ground[i] * (1 - top[3]));
  const light = c => {
    const v = c.slice(0, 3).map(n => n / 255)
      .map(n => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2];
  };
  const contrast = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const groundOf = element => {
    const all = [];
    for (let e = element; e; e = e.parentElement) all.unshift(parse(getComputedStyle(e).backgroundColor));
    return all.reduce((ground, c) => c && c[3] ? over(c, ground) : ground, [255, 255, 255]);
  };
  const pictures = [...document.querySelectorAll('svg')].map(svg => {
    const box = svg.getBoundingClientRect(), view = svg.viewBox.baseVal;
    const scroller = svg.closest('figure');
    const ground = groundOf(svg.parentElement || document.documentElement);
    const rects = [...svg.querySelectorAll('rect')].map(e => {
      const style = getComputedStyle(e), fill = parse(style.fill);
      return { x: e.x.baseVal.value, y: e.y.baseVal.value, w: e.width.baseVal.value,
               h: e.height.baseVal.value,
               fill: fill && [...fill.slice(0, 3), fill[3] * +style.fillOpacity], element: e };
    });
    const colourAt = (x, y, element) => rects.reduce((below, r) =>
      r.fill && r.x <= x && x <= r.x + r.w && r.y <= y && y <= r.y + r.h &&
      r.element.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING
        ? over(r.fill, below) : below, ground);
    const texts = [...svg.querySelectorAll('text')].map(e => {
      const style = getComputedStyle(e), b = e.getBBox(), size = parseFloat(style.fontSize);
      const bottom = e.y.baseVal[0].value, top = bottom - size * 0.72, middle = (top + bottom) / 2;
      const ink = parse(style.fill);
      const grounds = [0, 0.25, 0.5, 0.75, 1].map(part => colourAt(b.x + b.width * part, middle, e));
      return { text: e.textContent, x: b.x, y: top, right: b.x + b.width, bottom,
               pixels: round(size * box.width / view.width),
               contrast: Math.min(...grounds.map(g => contrast(over(ink, g), g))) };
    });
    const clipped = texts.filter(t => t.x < view.x - 0.5 || t.right > view.x + view.width + 0.5 ||
      t.y < view.y - 0.5 || t.bottom > view.y + view.height + 0.5).map(t => t.text);
    const touching = [];
    const sorted = [...texts].sort((a, b) => a.y - b.y);
    for (let i = 0; i < sorted.length; i++)
      for (let k = i + 1; k < sorted.length && sorted[k].y < sorted[i].bottom; k++)
        if (Math.min(sorted[i].right, sorted[k].right) - Math.max(sorted[i].x, sorted[k].x) > 0.5)
          touching.push(`${sorted[i].text} | ${sorted[k].text}`);
    const named = (svg.getAttribute('aria-labelledby') || '').split(' ')
      .map(id => id && svg.ownerDocument.getElementById(id)).filter(e => e && e.textContent.trim());
    return { id: named.length ? named[0].id : '', names: named.length,
             width: box.width, height: box.height, ratio: box.width / box.height * view.height / view.width,
             reachable: round(scroller ? scroller.scrollWidth - scroller.clientWidth
                                       : Math.max(0, box.right - wide)),
             overflow: scroller ? getComputedStyle(scroller).overflowX : 'visible',
             below: scroller && scroller.nextElementSibling
               ? scroller.nextElementSibling.textContent.trim().length : 0,
             texts: texts.length, clipped, touching,
             smallest: texts.reduce((a, t) => t.pixels < a.pixels ? t : a,
                                    { pixels: 1000, text: '' }),
             pale: texts.reduce((a, t) => t.contrast < a.contrast ? t : a,
                                { contrast: 21, text: '' }) };
  });
  const words = [];
  const walker = document.createTreeWalker(document.body || document.documentElement, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.textContent.trim() || e.closest('svg') || e.closest('style')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const b = range.getBoundingClientRect(), style = getComputedStyle(e), ground = groundOf(e);
    words.push({ text: node.textContent.trim().slice(0, 60), tag: e.tagName, left: b.left, right: b.right,
                 inside: !!e.closest('.wide'), height: b.height,
                 pixels: parseFloat(style.fontSize), contrast: contrast(parse(style.color), ground) });
  }
  return { wide, overflow: document.documentElement.scrollWidth - wide, title: document.title,
           ground: groundOf(document.body || document.documentElement).map(Math.round), pictures,
           words: words.length,
           outside: words.filter(w => !w.inside && (w.left < -0.5 || w.right > wide + 0.5)).map(w => w.text),
           unseen: words.filter(w => !w.height).map(w => w.text),
           small: words.reduce((a, w) => w.pixels < a.pixels ? w : a, { pixels: 1000, text: '' }),
           pale: words.reduce((a, w) => w.contrast < a.contrast ? w : a, { contrast: 21, text: '' }) };
})()
"""

# What a page was like: LAYOUT's measures, what it asked for beside itself, what it complained of, and
# a picture of its upper part.
Seen = collections.namedtuple("Seen", "layout asked said png")


class Browser:
    """One that runs until close(); its profile is in folder, which is the caller's."""

    def __init__(self, folder):
        words = [program(), "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--mute-audio",
                 "--disable-dev-shm-usage", "--remote-debugging-pipe",
                 f"--user-data-dir={folder}/profile"]
        # Its own sandbox does not run as root, nor in every container.
        words.append("--no-sandbox")
        there, to = os.pipe()
        back, here = os.pipe()
        # Above 4, so that the shell's redirections do not meet.
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (there, here)]
        os.close(there)
        os.close(here)
        self.to, self.back = to, back
        self.log = open(f"{folder}/browser.log", "w+b")
        self.child = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]}', "bash", *words],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, pass_fds=theirs,
            env={**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"})
        for fd in theirs:
            os.close(fd)
        self.number, self.rest, self.events = 0, b"", []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.ask(f"{domain}.enable")

    def _read(self, until):
        while b"\0" not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.back], [], [], left)[0]:
                raise Broken(f"no answer in {PATIENCE}s: {self._said()}")
            more = os.read(self.back, 1 << 20)
            if not more:
                raise Broken(f"it ended: {self._said()}")
            self.rest += more
        line, self.rest = self.rest.split(b"\0", 1)
        return json.loads(line)

    def _said(self):
        self.log.seek(0)
        return self.log.read()[-400:].decode(errors="replace")

    def ask(self, method, **parameters):
        """The result of one command; events that come before it are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if not method.startswith("Target.") and method != "Browser.close":
            message["sessionId"] = self.session
        try:
            os.write(self.to, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            raise Broken(f"it ended: {self._said()}") from None
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._read(until)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise Broken(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _wait(self, method):
        until = time.monotonic() + PATIENCE
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self._read(until))

    def see(self, path, size, dark, whole=False):
        """Opens a file at one of SIZES, light or dark; whole has all of it in the picture."""
        width, height = SIZES[size]
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=size == "phone")
        self.ask("Emulation.setEmulatedMedia", media="screen", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events.clear()
        self.ask("Page.navigate", url=f"file://{path}")
        self._wait("Page.loadEventFired")
        done = self.ask("Runtime.evaluate", expression=LAYOUT, returnByValue=True)
        if "exceptionDetails" in done:
            raise Broken(f"it could not be measured: {done['exceptionDetails']}")
        more = {"captureBeyondViewport": True} if whole else {}
        if whole:
            area = self.ask("Page.getLayoutMetrics")["cssContentSize"]
            more["clip"] = {**area, "scale": 1}
        png = base64.b64decode(self.ask("Page.captureScreenshot", format="png", **more)["data"])
        asked = [event["params"]["request"]["url"] for event in self.events
                 if event.get("method") == "Network.requestWillBeSent"]
        said = [json.dumps(event["params"])[:300] for event in self.events
                if event.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled",
                                           "Runtime.exceptionThrown")]
        return Seen(done["result"]["value"], [url for url in asked if url != f"file://{path}"], said,
                    png)

    def close(self):
        try:
            self.ask("Browser.close")
        except Broken:
            pass
        os.close(self.to)
        try:
            self.child.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        os.close(self.back)
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def judge_picture(p, size):
    """What is wrong with a picture, at a size, as a list."""
    name, wrong = p["id"] or "a picture", []
    if p["width"] < 300 or p["height"] < 50 or abs(p["ratio"] - 1) > 0.02:
        wrong.append(f"{name} is {p['width']:.0f} by {p['height']:.0f}, stretched {p['ratio']:.2f}")
    if p["names"] < 2:
        wrong.append(f"{name} has no title and description")
    if not p["below"]:
        wrong.append(f"{name} has no text below it")
    if p["reachable"] > 0.5 and (p["overflow"] not in ("auto", "scroll") or size == "page"):
        wrong.append(f"{p['reachable']} pixels of {name} are outside")
    if not p["texts"]:
        wrong.append(f"{name} has no letters")
    if p["clipped"]:
        wrong.append(f"cut off in {name}: {p['clipped'][:3]}")
    if p["touching"]:
        wrong.append(f"one on another in {name}: {p['touching'][:3]} of {len(p['touching'])}")
    if p["smallest"]["pixels"] < SMALLEST:
        wrong.append(f"{p['smallest']['pixels']} pixels in {name}: {p['smallest']['text']}")
    if p["pale"]["contrast"] < CONTRAST:
        wrong.append(f"contrast {p['pale']['contrast']:.2f} in {name}: {p['pale']['text']}")
    return wrong


def judge(seen, size, dark, least=1):
    """What is wrong with a page of at least so many pictures, as a list."""
    page, wrong = seen.layout, []
    if seen.asked:
        wrong.append(f"it asks for {seen.asked[:3]}")
    if seen.said:
        wrong.append(f"it complains: {seen.said[:3]}")
    if page["overflow"] > 0:
        wrong.append(f"it is {page['overflow']} pixels wider than {page['wide']}")
    if page["outside"]:
        wrong.append(f"text outside: {page['outside'][:3]}")
    if page["unseen"]:
        wrong.append(f"text that is not drawn: {page['unseen'][:3]}")
    if page["words"] < 20:
        wrong.append(f"{page['words']} texts")
    if page["pale"]["contrast"] < CONTRAST:
        wrong.append(f"contrast {page['pale']['contrast']:.2f}: {page['pale']['text']}")
    if page["small"]["pixels"] < SMALLEST:
        wrong.append(f"{page['small']['pixels']} pixels: {page['small']['text']}")
    if (max(page["ground"]) < 64) != dark or (min(page["ground"]) > 192) == dark:
        wrong.append(f"the ground is {page['ground']}")
    if len(page["pictures"]) < least:
        wrong.append(f"{len(page['pictures'])} pictures, not {least}")
    for picture in page["pictures"]:
        wrong += judge_picture(picture, size)
    return wrong
