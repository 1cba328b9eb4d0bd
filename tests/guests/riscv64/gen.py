#!/usr/bin/env python3
"""Writes the table-driven instruction tests of one group: gen.py GROUP OUT.S OUT.bin

Per instruction: stubs (operands and results pass through a frame in memory; several register choices, the aliased
ones too) and rows of inputs with the result that the specification gives, computed here with unbounded integers and
exact fractions. table.c runs them. Forms and their rows of 64-bit words:
  0 integer  a, b, want
  1 float    a, b, c, want, rm | flags << 8
  2 atomic   memory, b, want of rd, want of memory
"""

import random
import struct
import sys

import fpref as fp

M64, M32 = (1 << 64) - 1, (1 << 32) - 1
BUFFER = 0x83000000  # SCRATCH of harness.h; table.c fills it by pattern()
SAVED = {1, 2, 3, 4, 8, 9} | set(range(18, 28))  # what a stub gives back as it found it
TEMPS = [5, 6, 7, 28, 29, 30, 31] + list(range(10, 18))


def sx(v, n=32):
    v &= (1 << n) - 1
    return v | (M64 - ((1 << n) - 1)) if v >> (n - 1) else v


def sg(v, n=64):
    v &= (1 << n) - 1
    return v - (1 << n) if v >> (n - 1) else v


def u64(v):
    return v & M64


def pattern(off):
    """Byte at BUFFER + off."""
    return (off * 167 + 13 + (off >> 8) * 7) & 0xFF


def pattern_word(addr, n):
    return sum(pattern(addr - BUFFER + i) << 8 * i for i in range(n))


EDGE = [0, 1, 2, 3, M64, M64 - 1, 1 << 63, (1 << 63) - 1, (1 << 63) + 1, M32, 1 << 31, (1 << 31) - 1, 1 << 32,
        0xFFFFFFFF80000000, 0xFFFFFFFF7FFFFFFF, 0x5555555555555555, 0xAAAAAAAAAAAAAAAA, 0x0123456789ABCDEF,
        0x80FF00FE017F8001, 31, 32, 63, 64, 0xFFFF, 0x8000, 0x80]


class Group:
    def __init__(self, name):
        self.name = name
        self.rng = random.Random("carbovisor " + name)
        self.asm = []
        self.ops = []
        self.data = bytearray()
        self.arch = ""

    def values(self):
        return EDGE + [self.rng.getrandbits(64) for _ in range(4)]

    def rows(self, rows):
        at = len(self.data)
        for r in rows:
            self.data += struct.pack("<%dQ" % len(r), *[u64(v) for v in r])
        return at, len(rows)

    def emit(self, name, form, body, placed, uses):
        """uses: integer registers that body touches; it may take {tmp} as the frame's base."""
        n = len(self.ops)
        tmp = next(t for t in TEMPS if t not in uses)
        tmp2 = next(t for t in TEMPS if t not in uses and t != tmp)
        saves = [r for r in sorted(uses) if r in SAVED]
        out = ["    .balign 4", "stub%d:" % n, "    la x%d, frame" % tmp]
        out += ["    sd x%d, %d(x%d)" % (r, 128 + 8 * i, tmp) for i, r in enumerate(saves)]
        out += ["    " + l.strip() for l in body.format(tmp="x%d" % tmp, tmp2="x%d" % tmp2).split(";")]
        out += ["    ld x%d, %d(x%d)" % (r, 128 + 8 * i, tmp) for i, r in enumerate(saves)]
        out += ["    ret"]
        self.asm += out
        self.ops.append((name, n, form, placed))

    def integer(self, name, template, rows, rd, rs1, rs2=None, show=""):
        uses = {r for r in (rd, rs1, rs2) if r}
        load = "ld x%d, 0({tmp}); " % rs1 if rs1 else ""
        if rs2 and rs2 != rs1:
            load += "ld x%d, 8({tmp}); " % rs2
        op = template.replace("{rd}", "x%d" % rd).replace("{rs1}", "x%d" % (rs1 or 0))
        op = op.replace("{rs2}", "x%d" % (rs2 or 0))
        self.emit(name + show, 0, load + op + "; sd x%d, 16({tmp})" % rd, rows, uses)

    def pick(self, n, pool=None):
        return self.rng.sample(pool or list(range(1, 32)), n)

    def rr(self, name, f, template=None, pool=None, const=True):
        """rd = f(rs1, rs2): three register choices, the aliases, x0, and constant operands."""
        t = template or name + " {rd},{rs1},{rs2}"
        v = self.values()
        rows = self.rows([(a, b, f(a, b)) for a in v for b in v])
        same = self.rows([(a, a, f(a, a)) for a in v])
        left = self.rows([(a, 0, f(a, 0)) for a in v])
        right = self.rows([(0, b, f(0, b)) for b in v])
        zero = self.rows([(a, b, 0) for a, b in zip(v, v[1:])])
        for _ in range(3):
            d, a, b = self.pick(3, pool)
            self.integer(name, t, rows, d, a, b, " x%d,x%d,x%d" % (d, a, b))
        for _ in range(2):
            d, a = self.pick(2, pool)
            self.integer(name, t, rows, d, d, a, " rd=rs1")
            self.integer(name, t, rows, d, a, d, " rd=rs2")
        d, a = self.pick(2, pool)
        self.integer(name, t, same, d, a, a, " rs1=rs2")
        self.integer(name, t, same, d, d, d, " rd=rs1=rs2")
        self.integer(name, t, left, d, a, 0, " rs2=x0")
        self.integer(name, t, right, d, 0, a, " rs1=x0")
        self.integer(name, t, zero, 0, d, a, " rd=x0")
        for _ in range(8 if const else 0):
            a, b = self.rng.choice(v), self.rng.choice(v)
            d, x, y = self.pick(3, pool)
            op = "li {rs1},%#x; li {rs2},%#x; " % (a, b) + t
            self.integer(name, op, self.rows([(a, b, f(a, b))]), d, x, y, " constants")

    def ri(self, name, imms, f, template=None, pool=None, dest_is_source=False):
        """rd = f(rs1, imm)."""
        t = template or name + " {rd},{rs1},{imm}"
        v = self.values()
        for i in imms:
            rows = self.rows([(a, 0, f(a, i)) for a in v])
            d, a = self.pick(2, pool)
            show = " imm %d" % i
            if not dest_is_source:
                self.integer(name, t.replace("{imm}", str(i)), rows, d, a, None, show)
            self.integer(name, t.replace("{imm}", str(i)), rows, a, a, None, show + " rd=rs1")

    def r1(self, name, f, template=None, pool=None):
        self.ri(name, [0], lambda a, _: f(a), template or name + " {rd},{rs1}", pool)

    def load(self, name, size, signed, imms, template=None, base=None, pool=None):
        """rd = memory[rs1 + imm], misaligned ones too."""
        t = template or name + " {rd},{imm}({rs1})"
        for i in imms:
            rows = []
            for a in list(range(0, 9)) + [2040, 4095 - size, 4096 - size, 4096]:
                at = BUFFER + 4096 + a
                w = pattern_word(at, size)
                rows.append((at - i, 0, sx(w, 8 * size) if signed and size < 8 else w))
            d, a = self.pick(2, pool)
            a = base or a
            d = d if d != a else a % 8 + 8
            self.integer(name, t.replace("{imm}", str(i)), self.rows(rows), d, a, None, " imm %d" % i)
            if not base:
                self.integer(name, t.replace("{imm}", str(i)), self.rows(rows), a, a, None, " imm %d rd=rs1" % i)

    def branch(self, name, f, pool=None):
        v = self.values()
        rows = self.rows([(a, b, int(f(a, b))) for a in v for b in v])
        forward = name + " {rs1},{rs2},1f; li {rd},0; j 2f; 1: li {rd},1; 2:"
        back = "j 2f; 1: li {rd},1; j 3f; 2: " + name + " {rs1},{rs2},1b; li {rd},0; 3:"
        far = name + " {rs1},{rs2},1f; li {rd},0; j 2f; .skip 3000; 1: li {rd},1; 2:"
        for t in (forward, back, far):
            d, a, b = self.pick(3, pool)
            self.integer(name, t, rows, d, a, b)
        d, a = self.pick(2, pool)
        same = self.rows([(a_, a_, int(f(a_, a_))) for a_ in v])
        self.integer(name, forward, same, d, a, a, " rs1=rs2")
        self.integer(name, forward, self.rows([(a_, 0, int(f(a_, 0))) for a_ in v]), d, a, 0, " rs2=x0")

    # Floating point: fin and fout are how operands and result pass ("x" integer register, "d" 64-bit FP register).
    def float(self, name, t, rows, fin, fout, alias=None, show=""):
        f1, f2, f3, fd = self.rng.sample(range(32), 4)
        if alias == "all":
            f1 = f2 = f3 = fd
        elif alias == "rd":
            fd = f1
        xd, xs = self.rng.sample([10, 11, 12, 8, 9, 18, 28, 29, 31], 2)
        regs = [f1, f2, f3]
        load, uses = "lw {tmp2}, 24({tmp}); csrw fcsr, {tmp2}; ", {xd, xs}
        for i, k in enumerate(fin):
            load += "ld x%d, %d({tmp}); " % (xs, 8 * i) if k == "x" else "fld f%d, %d({tmp}); " % (regs[i], 8 * i)
        op = t.replace("{fd}", "f%d" % fd).replace("{xd}", "x%d" % xd).replace("{xs}", "x%d" % xs)
        for i in range(3):
            op = op.replace("{f%d}" % (i + 1), "f%d" % regs[i])
        store = "sd x%d, 16({tmp}); " % xd if fout == "x" else "fsd f%d, 16({tmp}); " % fd
        # c is at 16 too: read before the result is written.
        self.emit(name + show, 1, load + op + "; " + store + "csrr {tmp2}, fcsr; sw {tmp2}, 32({tmp})", rows, uses)

    def fp_rows(self, inputs, f, rms=range(5)):
        rows = []
        for ops in inputs:
            for rm in rms:
                r, fl = f(*ops, rm)
                o = list(ops) + [0] * (3 - len(ops))
                rows.append((*o, r, rm | fl << 8))
        return self.rows(rows)

    def fp_op(self, name, t, inputs, f, fin, fout="d", rounds=True, alias=True):
        """t has {rm} where a static rounding mode may stand."""
        rows = self.fp_rows(inputs, f, range(5) if rounds else (0,))
        self.float(name, t.replace("{rm}", ""), rows, fin, fout)
        if alias and fout == "d" and "x" not in fin:
            self.float(name, t.replace("{rm}", ""), rows, fin, fout, "rd", " rd=rs1")
            if len(fin) > 1:
                few = [o for o in inputs if len(set(o)) == 1] or [(o[0],) * len(o) for o in inputs[::7]]
                self.float(name, t.replace("{rm}", ""), self.fp_rows(few, f), fin, fout, "all", " all one")
        if "{rm}" not in t:
            return
        for k, rmn in enumerate(("rne", "rtz", "rdn", "rup", "rmm")):
            few = self.rng.sample(inputs, min(len(inputs), 100))
            rows = self.fp_rows(few, lambda *a, k=k: f(*a[:-1], k))
            self.float(name, t.replace("{rm}", "," + rmn), rows, fin, fout, show="." + rmn)

    def write(self, asm_path, bin_path):
        with open(bin_path, "wb") as o:
            o.write(self.data)
        with open(asm_path, "w") as o:
            o.write("    .option norelax\n%s    .text\n" % "".join(
                "    .option arch, +%s\n" % e for e in self.arch.split() if e))
            o.write("    .option %s\n" % ("rvc" if self.name == "c" else "norvc"))
            o.write("\n".join(self.asm) + "\n    .option rvc\n    .section .rodata\n    .balign 8\n")
            o.write("    .globl op_table\nop_table:\n")
            for i, (name, n, form, (at, count)) in enumerate(self.ops):
                o.write("    .quad name%d, stub%d, rows + %d, %d, %d\n" % (i, n, at, count, form))
            o.write("    .quad 0\n    .globl group_name\ngroup_name: .asciz \"%s\"\n" % self.name)
            for i, op in enumerate(self.ops):
                o.write("name%d: .asciz \"%s\"\n" % (i, op[0]))
            o.write("    .balign 8\nrows: .incbin \"%s\"\n" % bin_path)


def sh(b, n):
    return b & (n - 1)


def group_i(g):
    g.rr("add", lambda a, b: u64(a + b))
    g.rr("sub", lambda a, b: u64(a - b))
    g.rr("sll", lambda a, b: u64(a << sh(b, 64)))
    g.rr("srl", lambda a, b: a >> sh(b, 64))
    g.rr("sra", lambda a, b: u64(sg(a) >> sh(b, 64)))
    g.rr("slt", lambda a, b: int(sg(a) < sg(b)))
    g.rr("sltu", lambda a, b: int(a < b))
    g.rr("and", lambda a, b: a & b)
    g.rr("or", lambda a, b: a | b)
    g.rr("xor", lambda a, b: a ^ b)
    g.rr("addw", lambda a, b: sx(a + b))
    g.rr("subw", lambda a, b: sx(a - b))
    g.rr("sllw", lambda a, b: sx(a << sh(b, 32)))
    g.rr("srlw", lambda a, b: sx((a & M32) >> sh(b, 32)))
    g.rr("sraw", lambda a, b: sx(sg(a, 32) >> sh(b, 32)))
    i12 = [0, 1, -1, 2047, -2048, 0x555, -0x556, 16]
    g.ri("addi", i12, lambda a, i: u64(a + i))
    g.ri("addiw", i12, lambda a, i: sx(a + i))
    g.ri("slti", i12, lambda a, i: int(sg(a) < i))
    g.ri("sltiu", i12, lambda a, i: int(a < u64(i)))
    g.ri("andi", i12, lambda a, i: a & u64(i))
    g.ri("ori", i12, lambda a, i: a | u64(i))
    g.ri("xori", i12, lambda a, i: a ^ u64(i))
    s6, s5 = [0, 1, 7, 31, 32, 33, 63], [0, 1, 7, 15, 31]
    g.ri("slli", s6, lambda a, i: u64(a << i))
    g.ri("srli", s6, lambda a, i: a >> i)
    g.ri("srai", s6, lambda a, i: u64(sg(a) >> i))
    g.ri("slliw", s5, lambda a, i: sx(a << i))
    g.ri("srliw", s5, lambda a, i: sx((a & M32) >> i))
    g.ri("sraiw", s5, lambda a, i: sx(sg(a, 32) >> i))
    g.ri("lui", [0, 1, 0x7FFFF, 0x80000, 0xFFFFF], lambda a, i: sx(i << 12), "lui {rd},{imm}")
    # auipc: the difference to the address of the instruction itself
    g.ri("auipc", [0, 1, 0x7FFFF, 0x80000, 0xFFFFF], lambda a, i: sx(i << 12),
         "2: auipc {rd},{imm}; la {tmp2},2b; sub {rd},{rd},{tmp2}")
    offs = [0, 1, -1, 2047, -2048, 8]
    for n, s, sign in (("lb", 1, 1), ("lbu", 1, 0), ("lh", 2, 1), ("lhu", 2, 0), ("lw", 4, 1), ("lwu", 4, 0),
                       ("ld", 8, 0)):
        g.load(n, s, sign, offs)
    g.branch("beq", lambda a, b: a == b)
    g.branch("bne", lambda a, b: a != b)
    g.branch("blt", lambda a, b: sg(a) < sg(b))
    g.branch("bge", lambda a, b: sg(a) >= sg(b))
    g.branch("bltu", lambda a, b: a < b)
    g.branch("bgeu", lambda a, b: a >= b)


def quot(a, b, n, signed):
    if b == 0:
        return u64(-1)
    if signed:
        a, b = sg(a, n), sg(b, n)
        q = abs(a) // abs(b)
        return sx(-q if (a < 0) != (b < 0) else q, n) if n == 32 else u64(-q if (a < 0) != (b < 0) else q)
    return sx(a // b) if n == 32 else a // b


def rem(a, b, n, signed):
    if b == 0:
        return sx(a) if n == 32 else a
    if signed:
        a, b = sg(a, n), sg(b, n)
        r = abs(a) % abs(b)
        r = -r if a < 0 else r
    else:
        r = a % b
    return sx(r) if n == 32 else u64(r)


def group_m(g):
    w = lambda f: lambda a, b: f(a & M32, b & M32)
    g.rr("mul", lambda a, b: u64(a * b))
    g.rr("mulh", lambda a, b: u64(sg(a) * sg(b) >> 64))
    g.rr("mulhu", lambda a, b: a * b >> 64)
    g.rr("mulhsu", lambda a, b: u64(sg(a) * b >> 64))
    g.rr("mulw", lambda a, b: sx(a * b))
    g.rr("div", lambda a, b: quot(a, b, 64, True))
    g.rr("divu", lambda a, b: quot(a, b, 64, False))
    g.rr("rem", lambda a, b: rem(a, b, 64, True))
    g.rr("remu", lambda a, b: rem(a, b, 64, False))
    g.rr("divw", w(lambda a, b: quot(a, b, 32, True)))
    g.rr("divuw", w(lambda a, b: quot(a, b, 32, False)))
    g.rr("remw", w(lambda a, b: rem(a, b, 32, True)))
    g.rr("remuw", w(lambda a, b: rem(a, b, 32, False)))


def group_zba(g):
    g.arch = "zba"
    for n in (1, 2, 3):
        g.rr("sh%dadd" % n, lambda a, b, n=n: u64((a << n) + b))
        g.rr("sh%dadd.uw" % n, lambda a, b, n=n: u64(((a & M32) << n) + b))
    g.rr("add.uw", lambda a, b: u64((a & M32) + b))
    g.ri("slli.uw", [0, 1, 31, 32, 63], lambda a, i: u64((a & M32) << i))


def rotr(a, n, w):
    m = (1 << w) - 1
    a, n = a & m, n % w
    return (a >> n | a << (w - n)) & m


def group_zbb(g):
    g.arch = "zbb"
    g.rr("andn", lambda a, b: a & ~b & M64)
    g.rr("orn", lambda a, b: (a | ~b) & M64)
    g.rr("xnor", lambda a, b: ~(a ^ b) & M64)
    g.r1("clz", lambda a: 64 - a.bit_length())
    g.r1("clzw", lambda a: 32 - (a & M32).bit_length())
    ctz = lambda a, n: n if a == 0 else (a & -a).bit_length() - 1
    g.r1("ctz", lambda a: ctz(a, 64))
    g.r1("ctzw", lambda a: ctz(a & M32, 32))
    g.r1("cpop", lambda a: bin(a).count("1"))
    g.r1("cpopw", lambda a: bin(a & M32).count("1"))
    g.rr("max", lambda a, b: max((a, b), key=sg))
    g.rr("min", lambda a, b: min((a, b), key=sg))
    g.rr("maxu", max)
    g.rr("minu", min)
    g.r1("sext.b", lambda a: sx(a, 8))
    g.r1("sext.h", lambda a: sx(a, 16))
    g.r1("zext.h", lambda a: a & 0xFFFF)
    g.rr("rol", lambda a, b: rotr(a, -b, 64))
    g.rr("ror", lambda a, b: rotr(a, b, 64))
    g.rr("rolw", lambda a, b: sx(rotr(a, -b, 32)))
    g.rr("rorw", lambda a, b: sx(rotr(a, b, 32)))
    g.ri("rori", [0, 1, 31, 32, 63], lambda a, i: rotr(a, i, 64))
    g.ri("roriw", [0, 1, 15, 31], lambda a, i: sx(rotr(a, i, 32)))
    g.r1("orc.b", lambda a: sum(0xFF << 8 * i for i in range(8) if a >> 8 * i & 0xFF))
    g.r1("rev8", lambda a: int.from_bytes(a.to_bytes(8, "little"), "big"))


def clmul(a, b):
    r = 0
    for i in range(64):
        if b >> i & 1:
            r ^= a << i
    return r


def group_zbc(g):
    g.arch = "zbc"
    g.rr("clmul", lambda a, b: u64(clmul(a, b)))
    g.rr("clmulh", lambda a, b: clmul(a, b) >> 64)
    g.rr("clmulr", lambda a, b: u64(clmul(a, b) >> 63))


def group_zbs(g):
    g.arch = "zbs"
    for n, f in (("bclr", lambda a, i: a & ~(1 << i % 64)), ("bset", lambda a, i: a | 1 << i % 64),
                 ("binv", lambda a, i: a ^ 1 << i % 64), ("bext", lambda a, i: a >> i % 64 & 1)):
        g.rr(n, f)
        g.ri(n + "i", [0, 1, 31, 32, 63], f)


def group_zicond(g):
    g.rr("czero.eqz", lambda a, b: 0 if b == 0 else a, ".insn r 0x33,5,7,{rd},{rs1},{rs2}")
    g.rr("czero.nez", lambda a, b: 0 if b != 0 else a, ".insn r 0x33,7,7,{rd},{rs1},{rs2}")


def group_a(g):
    g.arch = "a"
    ops = {
        "swap": lambda m, b, n: b, "add": lambda m, b, n: m + b, "and": lambda m, b, n: m & b,
        "or": lambda m, b, n: m | b, "xor": lambda m, b, n: m ^ b,
        "min": lambda m, b, n: min((m, b), key=lambda v: sg(v, n)),
        "max": lambda m, b, n: max((m, b), key=lambda v: sg(v, n)),
        "minu": lambda m, b, n: min(m, b), "maxu": lambda m, b, n: max(m, b)}
    for op, f in ops.items():
        for suffix, n in ((".w", 32), (".d", 64)):
            mask = (1 << n) - 1
            rows = []
            for m in g.values():
                for b in g.values():
                    new = f(m & mask, b & mask, n) & mask
                    rows.append((m, b, sx(m & mask, n) if n == 32 else m, m & ~mask & M64 | new))
            placed = g.rows(rows)
            same = g.rows([(r[0], 0, r[2], r[0] & ~mask & M64 | f(r[0] & mask, 0, n) & mask) for r in rows[::29]])
            for order in ("", ".aq", ".rl", ".aqrl"):
                for alias in ("", "rd=rs1", "rd=rs2", "rs2=x0"):
                    if order and alias:
                        continue
                    d, a, b = g.pick(3)
                    d = a if alias == "rd=rs1" else b if alias == "rd=rs2" else d
                    b = 0 if alias == "rs2=x0" else b
                    name = "amo" + op + suffix + order
                    load = "ld x%d, 8({tmp}); " % b if b else ""
                    body = "addi x%d, {tmp}, 0; " % a + load + "%s x%d,x%d,(x%d); sd x%d, 16({tmp})" % (
                        name, d, b, a, d)
                    g.emit(name + " " + alias, 2, body, same if b == 0 else placed, {d, a, b} - {0})


def specials(f):
    frac, emax = f.frac, f.expmax
    one = f.bias << frac
    e = lambda k, m=0: (f.bias + k) << frac | m
    pos = [0, 1, 2, (1 << frac) - 1, 1 << frac, (1 << frac) + 1, one, one + 1, one - 1, e(0, 1 << (frac - 1)), e(1),
           e(1, 1 << (frac - 1)), e(-1), e(-1) - 1, f.largest(0), f.inf(0), f.nan, f.nan + 1, f.inf(0) + 1,
           e(f.p - 1), e(-f.p), 1 << (frac - 1)]
    return pos + [v | 1 << (f.bits - 1) for v in pos]


def raws(f, rng, n):
    """Random operands whose exponents often meet."""
    out = []
    for _ in range(n):
        e = rng.choice([f.bias, rng.randrange(f.expmax), f.bias + rng.randrange(-3, 4), rng.randrange(0, 4),
                        f.expmax - rng.randrange(1, 4)])
        m = rng.choice([rng.getrandbits(f.frac), 1 << rng.randrange(f.frac), (1 << f.frac) - 1, 0])
        out.append(rng.getrandbits(1) << (f.bits - 1) | e << f.frac | m)
    return out


def group_float(g, f):
    x = f.letter
    op = {"s": "f d", "d": "f d", "h": "f d zfh"}
    g.arch = op[x]
    sp = specials(f)
    box = f.box
    un = lambda fn: lambda *a: (lambda r: (box(r[0]), r[1]))(fn(f, *[f.unbox(v) for v in a[:-1]], a[-1]))
    few = sp[::2] + sp[1::4]
    two = [(box(a), box(b)) for a in sp for b in few]
    two += list(zip(map(box, raws(f, g.rng, 400)), map(box, raws(f, g.rng, 400))))
    if f.bits < 64:  # not boxed: read as the canonical NaN (21.2)
        two += [(sp[6], box(sp[6])), (box(sp[6]), sp[6]), (0xFFFFFFF7_00000000 | sp[6], box(sp[9])), (M64 >> 1, box(0))]
    one = [(a,) for a, _ in two[::len(few)]] + [(box(a),) for a in raws(f, g.rng, 400)]
    if f.bits < 64:
        one += [(sp[6],), (0x7FFFFFFF_00000000 | sp[6],), (0,)]
    g.fp_op("fadd." + x, "fadd.%s {fd},{f1},{f2}{rm}" % x, two, un(fp.add), "dd")
    g.fp_op("fsub." + x, "fsub.%s {fd},{f1},{f2}{rm}" % x, two, un(fp.sub), "dd")
    g.fp_op("fmul." + x, "fmul.%s {fd},{f1},{f2}{rm}" % x, two, un(fp.mul), "dd")
    g.fp_op("fdiv." + x, "fdiv.%s {fd},{f1},{f2}{rm}" % x, two, un(fp.div), "dd")
    g.fp_op("fsqrt." + x, "fsqrt.%s {fd},{f1}{rm}" % x, one, un(fp.sqrt), "d")
    r = lambda: [box(v) for v in raws(f, g.rng, 500)]
    three = list(zip(r(), r(), r()))
    three += [tuple(box(g.rng.choice(sp)) for _ in range(3)) for _ in range(900)]
    # near cancellation: c close to -a*b
    for a, b in zip(raws(f, g.rng, 150), raws(f, g.rng, 150)):
        p, _ = fp.mul(f, a, b, 0)
        three.append((box(a), box(b), box((p ^ 1 << (f.bits - 1)) ^ g.rng.randrange(2))))
    for n, np, nc in (("fmadd", 0, 0), ("fmsub", 0, 1), ("fnmsub", 1, 0), ("fnmadd", 1, 1)):
        fn = lambda ff, a, b, c, rm, np=np, nc=nc: fp.fma(ff, a, b, c, rm, np, nc)
        g.fp_op("%s.%s" % (n, x), "%s.%s {fd},{f1},{f2},{f3}{rm}" % (n, x), three, un(fn), "ddd")
    for n, k in (("fmin", 0), ("fmax", 1)):
        g.fp_op(n + "." + x, "%s.%s {fd},{f1},{f2}" % (n, x), two,
                un(lambda ff, a, b, rm, k=k: fp.minmax(ff, a, b, k)), "dd", rounds=False)
    sign = 1 << (f.bits - 1)
    for n, s in (("fsgnj", lambda a, b: b & sign), ("fsgnjn", lambda a, b: ~b & sign),
                 ("fsgnjx", lambda a, b: (a ^ b) & sign)):
        g.fp_op(n + "." + x, "%s.%s {fd},{f1},{f2}" % (n, x), two,
                un(lambda ff, a, b, rm, s=s: (a & ~sign | s(a, b), 0)), "dd", rounds=False)
    raw = lambda fn: lambda *a: fn(*[f.unbox(v) for v in a[:-1]], a[-1])
    for n in ("feq", "flt", "fle"):
        g.fp_op(n + "." + x, "%s.%s {xd},{f1},{f2}" % (n, x), two,
                raw(lambda a, b, rm, n=n: fp.compare(f, n, a, b)), "dd", "x", rounds=False)
    g.fp_op("fclass." + x, "fclass.%s {xd},{f1}" % x, one, raw(lambda a, rm: (fp.classify(f, a), 0)), "d", "x",
            rounds=False)
    conversions(g, f, one)
    moves(g, f)


def conversions(g, f, one):
    x = f.letter
    near = []
    for k in (7, 8, 15, 16, 31, 32, 63, 64):
        for d in (-1, 0, 1):
            for q in (0, 1, 2, 3):
                v, _ = fp.round_to(f, fp.Fraction(4 * ((1 << k) + d) + q, 4), 0)
                near += [(f.box(v),), (f.box(v | 1 << (f.bits - 1)),)]
    for q in range(-9, 10):
        near.append((f.box(fp.round_to(f, fp.Fraction(q, 4), 0)[0]),))
    ints = [(v,) for v in g.values()]
    for k in (10, 11, 12, 23, 24, 25, 52, 53, 54, 31, 62, 63):
        ints += [(u64((1 << k) + d),) for d in (-1, 0, 1)] + [(u64(-(1 << k) - 1),), (u64((3 << k) | 1),)]
    for suffix, bits, signed in (("w", 32, 1), ("wu", 32, 0), ("l", 64, 1), ("lu", 64, 0)):
        g.fp_op("fcvt.%s.%s" % (suffix, x), "fcvt.%s.%s {xd},{f1}{rm}" % (suffix, x), one + near,
                lambda a, rm: fp.to_integer(f, f.unbox(a), bits, signed, rm), "d", "x")
        exact = bits == 32 and x == "d"  # takes no rounding mode: always exact
        g.fp_op("fcvt.%s.%s" % (x, suffix), "fcvt.%s.%s {fd},{xs}%s" % (x, suffix, "" if exact else "{rm}"), ints,
                lambda a, rm: (lambda r: (f.box(r[0]), r[1]))(fp.from_integer(f, a, bits, signed, rm)), "x")
    pairs = {"s": [], "d": [(fp.S, fp.D), (fp.D, fp.S)],
             "h": [(fp.H, fp.S), (fp.S, fp.H), (fp.H, fp.D), (fp.D, fp.H)]}[x]
    for s, d in pairs:
        ins = [(s.box(v),) for v in specials(s) + raws(s, g.rng, 300)]
        for v in specials(d) + raws(d, g.rng, 100):  # values at the edge of the destination
            r, _ = fp.convert(d, s, v, 0)
            ins += [(s.box(r),), (s.box(r ^ 1),)]
        if s.bits < 64:
            ins += [(specials(s)[6],), (0x7FFFFFFFFFFFFFFF,)]
        widen = d.bits > s.bits
        g.fp_op("fcvt.%s.%s" % (d.letter, s.letter),
                "fcvt.%s.%s {fd},{f1}%s" % (d.letter, s.letter, "" if widen else "{rm}"), ins,
                lambda a, rm: (lambda r: (d.box(r[0]), r[1]))(fp.convert(s, d, s.unbox(a), rm)), "d")


def moves(g, f):
    x = {"h": "h", "s": "w", "d": "d"}[f.letter]
    mem = {"h": "h", "s": "w", "d": "d"}[f.letter]
    vals = [(v,) for v in g.values() + [f.box(v) for v in specials(f)]]
    low = (1 << f.bits) - 1
    keep = lambda a: sx(a & low, f.bits) if f.bits < 64 else a
    g.fp_op("fmv.x." + x, "fmv.x.%s {xd},{f1}" % x, vals, lambda a, rm: (keep(a), 0), "d", "x", rounds=False)
    g.fp_op("fmv.%s.x" % x, "fmv.%s.x {fd},{xs}" % x, vals, lambda a, rm: (f.box(a & low), 0), "x", rounds=False)
    n = f.bits // 8
    for i in (0, 8, -8, 2047, -2048):
        ins = [(BUFFER + 512 + o - i,) for o in range(0, 24)]
        g.fp_op("fl%s %d" % (mem, i), "fl%s {fd},%d({xs})" % (mem, i), ins,
                lambda a, rm: (f.box(pattern_word(a + i, n)), 0), "x", rounds=False)
    # a store writes the low bits as they are: memory that held all ones, read back whole
    g.fp_op("fs" + mem, "li {tmp2},-1; sd {tmp2},40({tmp}); fs%s {f1},40({tmp}); ld {xd},40({tmp})" % mem, vals,
            lambda a, rm: (a & low | M64 & ~low, 0), "d", "x", rounds=False)


def group_c(g):
    g.arch = "f d"
    c8, any_ = list(range(8, 16)), list(range(1, 32))
    two = "{rs1},{rs2}"
    g.rng.shuffle(c8)

    def destructive(name, f, pool):
        v = g.values()
        rows = g.rows([(a, b, f(a, b)) for a in v for b in v])
        for _ in range(3):
            d, b = g.pick(2, pool)
            g.integer(name, name + " {rd},{rs2}", rows, d, d, b, " x%d,x%d" % (d, b))
        d = g.pick(1, pool)[0]
        g.integer(name, name + " {rd},{rs2}", g.rows([(a, a, f(a, a)) for a in v]), d, d, d, " same")

    destructive("c.add", lambda a, b: u64(a + b), any_)
    destructive("c.mv", lambda a, b: b, any_)
    destructive("c.sub", lambda a, b: u64(a - b), c8)
    destructive("c.xor", lambda a, b: a ^ b, c8)
    destructive("c.or", lambda a, b: a | b, c8)
    destructive("c.and", lambda a, b: a & b, c8)
    destructive("c.subw", lambda a, b: sx(a - b), c8)
    destructive("c.addw", lambda a, b: sx(a + b), c8)

    def imm(name, imms, f, pool):
        g.ri(name, imms, f, name + " {rd},{imm}", pool, True)

    imm("c.addi", [1, -1, 31, -32, 16], lambda a, i: u64(a + i), any_)
    imm("c.addiw", [0, 1, -1, 31, -32], lambda a, i: sx(a + i), any_)
    imm("c.li", [0, 1, -1, 31, -32], lambda a, i: u64(i), any_)
    imm("c.lui", [1, 31, 0xFFFE0, 0xFFFFF], lambda a, i: sx(i << 12), [r for r in any_ if r != 2])
    imm("c.slli", [1, 31, 32, 63], lambda a, i: u64(a << i), any_)
    imm("c.srli", [1, 31, 32, 63], lambda a, i: a >> i, c8)
    imm("c.srai", [1, 31, 32, 63], lambda a, i: u64(sg(a) >> i), c8)
    imm("c.andi", [0, 1, -1, 31, -32], lambda a, i: a & u64(i), c8)
    v = g.values()
    for i in (16, 32, 496, -512, -16):
        rows = g.rows([(a, 0, u64(a + i)) for a in v])
        g.integer("c.addi16sp", "c.addi16sp sp,%d" % i, rows, 2, 2, None, " %d" % i)
    for i in (4, 8, 16, 64, 512, 1020):
        rows = g.rows([(a, 0, u64(a + i)) for a in v])
        g.integer("c.addi4spn", "c.addi4spn {rd},sp,%d" % i, rows, g.pick(1, c8)[0], 2, None, " %d" % i)
    g.load("c.lw", 4, True, [0, 4, 8, 64, 124], pool=c8)
    g.load("c.ld", 8, False, [0, 8, 64, 248], pool=c8)
    g.load("c.lwsp", 4, True, [0, 4, 32, 128, 252], "c.lwsp {rd},{imm}(sp)", 2)
    g.load("c.ldsp", 8, False, [0, 8, 64, 256, 504], "c.ldsp {rd},{imm}(sp)", 2)
    words = g.rows([(a, 0, a) for a in v])
    low = g.rows([(a, 0, sx(a)) for a in v])
    # stores into the frame (at 40 and on), read back by a full-size load; base in a register pair distinct from tmp
    for i in (0, 8, 64, 248):
        d, b, s = g.pick(3, c8)
        for n, full, rows in (("c.sd", "ld", words), ("c.sw", "lw", low)):
            k = i if n == "c.sd" else i // 2
            t = "la {rs2},scratch; %s {rs1},%d({rs2}); %s {rd},%d({rs2})" % (n, k, full, k)
            g.integer(n, t, rows, d, s, b, " %d" % k)
    for i in (0, 8, 64, 504):
        for n, full, rows in (("c.sdsp", "ld", words), ("c.swsp", "lw", low)):
            k = i if n == "c.sdsp" else i // 2 // 4 * 4
            d, s = g.pick(2, [r for r in any_ if r != 2])
            t = "la sp,scratch; %s {rs1},%d(sp); %s {rd},%d(sp)" % (n, k, full, k)
            g.integer(n, t, rows, d, s, 2, " %d" % k)
    for i in (0, 8, 248):
        d, b, s = g.pick(3, c8)
        t = "la {rs2},scratch; sd {rs1},%d({rs2}); c.fld fa0,%d({rs2}); sd x0,%d({rs2}); c.fsd fa0,%d({rs2}); ld {rd},%d({rs2})"
        g.integer("c.fld c.fsd", t % ((i,) * 5), words, d, s, b, " %d" % i)
        t = "la sp,scratch; sd {rs1},%d(sp); c.fldsp f27,%d(sp); sd x0,%d(sp); c.fsdsp f27,%d(sp); ld {rd},%d(sp)"
        g.integer("c.fldsp c.fsdsp", t % ((i,) * 5), words, d, s, 2, " %d" % i)
    for n, f in (("c.beqz", lambda a: a == 0), ("c.bnez", lambda a: a != 0)):
        rows = g.rows([(a, 0, int(f(a))) for a in v])
        d, s = g.pick(2, c8)
        g.integer(n, n + " {rs1},1f; li {rd},0; c.j 2f; 1: li {rd},1; 2:", rows, d, s, None)
        g.integer(n, "c.j 2f; 1: li {rd},1; c.j 3f; .skip 200; 2: " + n + " {rs1},1b; li {rd},0; 3:", rows, d, s, None,
                  " back")
    rows = g.rows([(a, 0, 77) for a in v])
    for d in (1, 5, 10, 27):
        s = 31 if d != 31 else 30
        g.integer("c.jr", "la {rs1},1f; c.jr {rs1}; li {rd},5; 1: addi {rd},x0,77", rows, d, s, None, " x%d" % s)
    # link value: the address after the 2-byte instruction
    g.integer("c.jalr", "la {rs1},1f; c.jalr {rs1}; 2: li {rd},5; 1: la {tmp2},2b; sub {rd},x1,{tmp2}; addi {rd},{rd},77; c.nop",
              rows, 13, 12, 1)
    g.integer("c.jalr ra", "la ra,1f; c.jalr ra; 2: li {rd},5; 1: la {tmp2},2b; sub {rd},x1,{tmp2}; addi {rd},{rd},77",
              rows, 13, 12, 1)


GROUPS = {
    "i": group_i, "m": group_m, "a": group_a, "c": group_c, "zba": group_zba, "zbb": group_zbb, "zbc": group_zbc,
    "zbs": group_zbs, "zicond": group_zicond, "f": lambda g: group_float(g, fp.S), "d": lambda g: group_float(g, fp.D),
    "zfh": lambda g: group_float(g, fp.H),
}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in GROUPS:
        sys.exit("usage: gen.py %s OUT.S OUT.bin" % "|".join(GROUPS))
    g = Group(sys.argv[1])
    GROUPS[g.name](g)
    g.write(sys.argv[2], sys.argv[3])


main()
