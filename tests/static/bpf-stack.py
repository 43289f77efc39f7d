#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No BPF program needs more stack than the kernel gives it, with all that it calls: 512 bytes, each
frame rounded up to 32, and eight frames (check_max_stack_depth() of the verifier, MAX_BPF_STACK,
MAX_CALL_FRAMES). A kernel says so, too, but only one that takes the rest of the program.

All code counts, also what is removed when a program is loaded without the options that it is for.
"""

import pathlib
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from tap import BUILD, Report  # noqa: E402

STACK = 512
FRAMES = 8

# Of elf.h and of the instruction set.
SHT_SYMTAB, SHT_REL = 2, 9
STT_FUNC = 2
SHN_UNDEF = 0
LDX, ST, STX, ALU, ALU64 = 1, 2, 3, 4, 7
CALL, LD_IMM64, MOV64_REG, ADD64_IMM = 0x85, 0x18, 0xBF, 0x07
FP = 10


class Function:
    def __init__(self, name, section, start, size):
        self.name, self.section, self.start, self.size = name, section, start, size
        self.depth = 0
        self.calls = set()


class Code:
    """The functions of an object of BPF, how much of its stack each uses, and what it calls."""

    def __init__(self, path):
        self.data = path.read_bytes()
        shoff, = struct.unpack_from("<Q", self.data, 0x28)
        entsize, number, names = struct.unpack_from("<HHH", self.data, 0x3a)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, shoff + i * entsize)
                         for i in range(number)]
        self.names = self.bytes_of(names)
        symtab = next(i for i, s in enumerate(self.sections) if s[1] == SHT_SYMTAB)
        self.strings = self.bytes_of(self.sections[symtab][6])
        self.symbols = list(struct.iter_unpack("<IBBHQQ", self.bytes_of(symtab)))
        self.functions = {}
        for name, info, _, section, value, size in self.symbols:
            if info & 15 == STT_FUNC:
                self.functions[section, value] = Function(self.text(self.strings, name), section,
                                                          value, size)
        self.relocations = {}
        for i, s in enumerate(self.sections):
            if s[1] == SHT_REL:
                for at, info in struct.iter_unpack("<QQ", self.bytes_of(i)):
                    self.relocations[s[7], at] = self.symbols[info >> 32]
        for function in self.functions.values():
            self.read(function)

    def bytes_of(self, section):
        offset, size = self.sections[section][4:6]
        return self.data[offset:offset + size]

    @staticmethod
    def text(strings, at):
        return strings[at:strings.index(b"\0", at)].decode()

    def programs(self):
        """Those that the kernel runs: each has a section that says what it hangs on."""
        return [f for f in self.functions.values()
                if self.text(self.names, self.sections[f.section][0]) != ".text"]

    def callee(self, section, at, imm):
        symbol = self.relocations.get((section, at))
        if symbol is None:
            return self.functions[section, at + 8 + imm * 8]
        if symbol[3] == SHN_UNDEF:
            return None  # the kernel's own, which has a stack elsewhere
        # Of a section the instruction has the place in it, of a function nothing: -1.
        return self.functions[symbol[3], symbol[4] + (imm + 1) * 8]

    def read(self, function):
        """Follows what is known to be an address of the frame, in the order of the code: what a
        pointer is made of stands together."""
        code = self.bytes_of(function.section)
        known = {FP: 0}
        at, end = function.start, function.start + function.size
        while at < end:
            op, regs, off, imm = struct.unpack_from("<BBhi", code, at)
            dst, src, kind = regs & 15, regs >> 4, op & 7
            below = None
            if kind == LDX and src in known:
                below = known[src] + off
            elif kind in (ST, STX) and dst in known:
                below = known[dst] + off
            if op == MOV64_REG and src in known:
                known[dst] = known[src]
            elif op == ADD64_IMM and dst in known:
                below = known[dst] = known[dst] + imm
            elif op == CALL:
                if src == 1:
                    function.calls.add(self.callee(function.section, at, imm))
                    function.calls.discard(None)
                for register in range(6):
                    known.pop(register, None)
            elif kind in (ALU, ALU64, LDX) or op == LD_IMM64:
                known.pop(dst, None)
            if below is not None:
                function.depth = max(function.depth, -below)
            at += 16 if op == LD_IMM64 else 8

    def deepest(self, function, above=()):
        """The way down that takes most stack: how much, how many frames, and their names."""
        if function in above:
            raise ValueError(f"{function.name} calls itself")
        own = (max(function.depth, 1) + 31) // 32 * 32
        ways = [self.deepest(callee, (*above, function)) for callee in function.calls]
        most = max(ways, default=(0, 0, []), key=lambda way: way[0])
        frames = max((way[1] for way in ways), default=0)
        return own + most[0], frames + 1, [f"{function.name} {own}", *most[2]]


def problems_of(code):
    for program in code.programs():
        stack, frames, way = code.deepest(program)
        if stack > STACK:
            yield f"{program.name}: {stack} bytes, by {', '.join(way)}"
        if frames > FRAMES:
            yield f"{program.name}: {frames} frames"


SAMPLE = """
#define NOINLINE __attribute__((noinline))
extern int fill(void *p, int n);
static NOINLINE int leaf(int n) { char b[200]; fill(b, n); return b[n & 127]; }
NOINLINE int middle(int n) { char b[96]; fill(b, n); return leaf(b[n & 63]) + b[1]; }
__attribute__((section("a"))) int deep(int *n) { char b[240]; fill(b, *n);
	return middle(b[3]) + b[5]; }
__attribute__((section("b"))) int flat(int *n) { char b[240]; fill(b, *n); return leaf(b[3]); }
"""


def check_itself(report):
    """What it says of a program whose frames are known."""
    path = BUILD / "testlogs" / "bpf-stack.o"
    path.parent.mkdir(exist_ok=True)
    source = SAMPLE.replace("extern int fill(void *p, int n);",
                            "static int (*const fill)(void *p, int n) = (void *)1;")
    subprocess.run(["clang", "-target", "bpf", "-O2", "-x", "c", "-", "-c", "-o", str(path)],
                   input=source, text=True, check=True)
    code = Code(path)
    path.unlink()
    found = {p.name: code.deepest(p)[:2] for p in code.programs()}
    # 240, 96 and 200 bytes, rounded up.
    wanted = {"deep": (256 + 96 + 224, 3), "flat": (256 + 224, 2)}
    problems = list(problems_of(code))
    report.check("frames of a program, and of what it calls",
                 None if found == wanted and len(problems) == 1 and problems[0].startswith("deep")
                 else f"{found}, {problems}")


def main():
    report = Report()
    # Those of another architecture are for the tarball; "meson dist" leaves them here.
    objects = sorted(path for path in (BUILD / "bpf").glob("*.bpf.o") if path.name.count(".") == 2)
    if not objects:
        report.skip("stack of BPF programs", "built without BPF")
        report.done()
        return
    check_itself(report)
    for path in objects:
        code = Code(path)
        most = max((code.deepest(p)[0], p.name) for p in code.programs())
        report.check(f"{path.name}: {len(code.programs())} programs, at most {most[0]} bytes of "
                     f"stack, in {most[1]}", list(problems_of(code)))
    report.done()


main()
