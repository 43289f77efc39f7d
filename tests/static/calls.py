#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that the sources may not call, and descriptors that must not be inherited."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import TOP, Report, sources, without_comments  # noqa: E402

# Folders, why, names. A name that is called, or for the streams merely used, is a failure.
RULES = [
    (("lib", "cmd", "bpf"), "writes without a bound",
     "gets sprintf vsprintf strcpy strcat stpcpy strncpy strncat wcscpy wcscat"),
    (("lib", "cmd"), "takes overflow and junk for a number",
     "sscanf vsscanf fscanf vfscanf scanf vscanf atoi atol atoll atof"),
    (("lib", "cmd"), "depends on the locale",
     "strtod strtof strtold strcoll strcasecmp strncasecmp isdigit isxdigit isalpha isalnum "
     "isspace isprint ispunct islower isupper iscntrl isgraph tolower toupper"),
    (("lib", "cmd"), "keeps its result in a static buffer",
     "strtok asctime ctime localtime gmtime ttyname tmpnam inet_ntoa readdir64_r"),
    (("lib", "cmd"), "takes the size of the stack from data", "alloca __builtin_alloca strdupa"),
    (("lib", "cmd"), "runs a shell or what PATH says first", "system popen wordexp execlp"),
    (("lib", "cmd"), "trusts the environment of a privileged program: secure_getenv", "getenv"),
    (("lib", "cmd"), "can be raced for", "mktemp tempnam access"),
    (("lib", "cmd"), "leaves the descriptor to children: dup3, pipe2, F_DUPFD_CLOEXEC",
     "pipe dup creat"),
    (("lib",), "prints, and lib/ never does",
     "printf vprintf puts putchar putchar_unlocked perror psignal warn warnx vwarn err errx verr "
     "error syslog stdout stderr"),
    (("lib",), "ends the program, and lib/ never does", "exit _exit _Exit quick_exit abort assert"),
    (("lib/model",), "does I/O, and the model is pure",
     "open openat fopen fdopen read pread readv write pwrite ioctl mmap stat fstat fstatat "
     "readlink readlinkat opendir syscall clock_gettime time sysconf getpid"),
]
# A reader that the kernel holds sleeps on through every signal that is handled; only its
# abandonment helps, and whoever tries otherwise hangs with it.
WAKES = "alarm ualarm setitimer timer_create pthread_cancel pthread_kill tgkill SYS_tgkill"
STREAMS = {"stdout", "stderr"}

# Call -> what has to stand among its arguments.
CLOEXEC = {
    "open": "O_CLOEXEC", "openat": "O_CLOEXEC", "pipe2": "O_CLOEXEC", "dup3": "O_CLOEXEC",
    "socket": "SOCK_CLOEXEC", "eventfd": "EFD_CLOEXEC", "signalfd": "SFD_CLOEXEC",
    "timerfd_create": "TFD_CLOEXEC", "memfd_create": "MFD_CLOEXEC",
    "epoll_create1": "EPOLL_CLOEXEC",
}

CALL = re.compile(r"(?<![\w.])(?<!->)([A-Za-z_]\w*)\s*\(")
WORD = re.compile(r"(?<![\w.])(?<!->)([A-Za-z_]\w*)\b")


def arguments(text, start):
    """The text between the parenthesis that ends before start and the one that closes it."""
    depth = 1
    for end in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            return text[start:end]
    return text[start:]


def problems_of(path, text):
    """(offset, why) of each breach in C text without comments and literals."""
    applies = [
        (set(names.split()), why)
        for folders, why, names in RULES
        if any(path.startswith(folder + "/") for folder in folders)
    ]
    for match in CALL.finditer(text):
        name = match.group(1)
        for names, why in applies:
            if name in names:
                yield match.start(), f"{name}() {why}"
        flag = CLOEXEC.get(name)
        if flag and path.startswith(("lib/", "cmd/")):
            if not re.search(rf"\b{flag}\b", arguments(text, match.end())):
                yield match.start(), f"{name}() without {flag}"
    for match in WORD.finditer(text):
        for names, why in applies:
            if match.group(1) in names & STREAMS:
                yield match.start(), f"{match.group(1)} {why}"


KNOWN = [
    ("lib/source/a.c", "n = sscanf(s, f, &n);", True),
    ("lib/source/a.c", "n = vmt_sscanf(s); p->read(p); o.stat(o); /* sscanf( */", False),
    ("lib/source/a.c", "fd = openat(d, p, O_RDONLY | (x ? O_NOFOLLOW : 0));", True),
    ("lib/source/a.c", "fd = openat(d, p, O_RDONLY | (x ? O_NOFOLLOW : 0) | O_CLOEXEC);", False),
    ("lib/model/a.c", "return read(fd, p, n);", True),
    ("lib/source/a.c", "return read(fd, p, n);", False),
    ("lib/view/a.c", "fputs(s, stdout);", True),
    ("lib/view/a.c", "fputs(s, f);", False),
    ("cmd/a.c", "fputs(s, stdout); exit(1);", False),
    ("cmd/a.c", "s = getenv(\"X\");", True),
    ("cmd/a.c", "s = secure_getenv(\"X\");", False),
    ("cmd/a.c", "s = \"system(\";", False),
]


def main():
    report = Report()
    report.check(
        "the rules tell right from wrong",
        [
            f"{path}: {text}"
            for path, text, bad in KNOWN
            if any(problems_of(path, without_comments(text, strings=False))) != bad
        ],
    )
    wakes = re.compile(rf"\b(?:{'|'.join(WAKES.split())})\b")
    report.check("D04 no reader is to be woken by a signal, a timer or a cancellation", [
        f"{path}: {match.group(0)}" for path in sources("lib", "cmd")
        for match in wakes.finditer(without_comments((TOP / path).read_text(encoding="utf-8"),
                                                     strings=False))
    ] or (None if wakes.search("x = pthread_cancel(t);") else "the rule finds nothing"))
    for folder in ("lib/base", "lib/model", "lib/source", "lib/view", "cmd", "bpf"):
        files = sources(folder, suffixes=(".c", ".h", ".def"))
        if not files:
            continue
        problems = []
        for path in files:
            text = without_comments((TOP / path).read_text(encoding="utf-8"), strings=False)
            for start, why in problems_of(str(path), text):
                problems.append(f"{path}:{text.count(chr(10), 0, start) + 1}: {why}")
        report.check(f"calls in {len(files)} files of {folder}", problems)
    report.done()


main()
