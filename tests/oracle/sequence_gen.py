"""Random instruction sequences for riscv64: assembly of a batch, the same for the same seed.

A sequence is a list of atoms (an instruction, or a few that belong together), possibly nested in forward branches,
loops and calls. It never traps: addresses stay within the scratch buffer, rounding modes are valid. Excluded because the
specification leaves the outcome open: a store between LR and SC, SC to another address than LR's, a reservation
kept over a jump.
"""

import random

# What a sequence may need that an oracle may lack: bits of sequence_needs.
NEEDS = {"zicond": 1, "ctzw": 2}
SCRATCH = 512

RESERVED = {0, 2, 3, 8}
FREE = [r for r in range(32) if r not in RESERVED]
FREE_C = [r for r in FREE if 8 <= r <= 15]
ROUNDING = ["rne", "rtz", "rdn", "rup", "rmm"]

RR = """add sub sll slt sltu xor srl sra or and addw subw sllw srlw sraw
    mul mulh mulhsu mulhu div divu rem remu mulw divw divuw remw remuw
    sh1add sh2add sh3add add.uw sh1add.uw sh2add.uw sh3add.uw
    andn orn xnor max maxu min minu rol ror rolw rorw
    clmul clmulh clmulr bset bclr binv bext""".split()
R = "clz clzw ctz cpop cpopw sext.b sext.h zext.h orc.b rev8".split()
RI12 = "addi slti sltiu xori ori andi addiw".split()
RI6 = "slli srli srai rori slli.uw bseti bclri binvi bexti".split()
RI5 = "slliw srliw sraiw roriw".split()
LOADS = {"lb": 1, "lbu": 1, "lh": 2, "lhu": 2, "lw": 4, "lwu": 4, "ld": 8}
STORES = {"sb": 1, "sh": 2, "sw": 4, "sd": 8}
FLOADS = {"flh": 2, "flw": 4, "fld": 8}
FSTORES = {"fsh": 2, "fsw": 4, "fsd": 8}
AMOS = "add swap xor or and min max minu maxu".split()
BRANCHES = "beq bne blt bge bltu bgeu".split()
IMM12 = [-2048, 2047, -1, 0, 1, 255, -256, 1024]


class Sequence:
    def __init__(self, rng, name):
        self.r = rng
        self.name = name
        self.lines = []      # of the body
        self.subs = []       # of the subroutines behind it
        self.avoid = set()   # registers that the code around still needs
        self.labels = 0
        self.size = 0
        self.needs = 0
        # A small working set makes values flow from one instruction to the next.
        self.near = rng.sample(FREE, rng.randint(3, 7))
        self.fnear = rng.sample(range(32), rng.randint(2, 6))
        self.weights = dict(zip(self.NAMES, rng.choices(self.PROFILES, (5, 2, 3, 2))[0]))
        self.rare = rng.random() < 0.06  # may use NEEDS

    # ---- registers, labels ----

    def src(self):
        p = self.r.random()
        if p < 0.6:
            return self.r.choice(self.near)
        return self.r.choice(FREE) if p < 0.95 else self.r.choice([0, 2, 3, 8])

    def dst(self, pool=None):
        pool = pool or (self.near if self.r.random() < 0.6 else FREE)
        pick = [r for r in pool if r not in self.avoid] or [r for r in FREE if r not in self.avoid]
        return self.r.choice(pick)

    def fsrc(self):
        return self.r.choice(self.fnear) if self.r.random() < 0.7 else self.r.randrange(32)

    def label(self):
        self.labels += 1
        return ".L%s_%d" % (self.name, self.labels)

    def emit(self, text, n=1):
        self.lines.append(text)
        self.size += n

    # ---- atoms ----

    def alu(self):
        kind = self.r.random()
        rd = 0 if self.r.random() < 0.01 else self.dst()
        a, b = self.src(), self.src()
        if self.r.random() < 0.2:
            a = rd
        if self.rare and kind < 0.1:
            self.needs |= NEEDS["ctzw"]
            self.emit("ctzw x%d, x%d" % (rd, a))
        elif self.rare and kind < 0.3:
            self.needs |= NEEDS["zicond"]
            self.emit(".insn r 0x33, %d, 7, x%d, x%d, x%d" % (self.r.choice([5, 7]), rd, a, b))
        elif kind < 0.5:
            self.emit("%s x%d, x%d, x%d" % (self.r.choice(RR), rd, a, b))
        elif kind < 0.62:
            self.emit("%s x%d, x%d" % (self.r.choice(R), rd, a))
        elif kind < 0.78:
            imm = self.r.choice(IMM12) if self.r.random() < 0.4 else self.r.randint(-2048, 2047)
            self.emit("%s x%d, x%d, %d" % (self.r.choice(RI12), rd, a, imm))
        elif kind < 0.88:
            self.emit("%s x%d, x%d, %d" % (self.r.choice(RI6), rd, a, self.shift(64)))
        elif kind < 0.95:
            self.emit("%s x%d, x%d, %d" % (self.r.choice(RI5), rd, a, self.shift(32)))
        elif kind < 0.98:
            self.emit("lui x%d, %d" % (rd, self.r.choice([0, 1, 0x7ffff, 0x80000, 0xfffff, self.r.randrange(1 << 20)])))
        else:
            self.emit("auipc x%d, %d" % (rd, self.r.randrange(1 << 20)))

    def shift(self, width):
        return self.r.choice([0, 1, 7, 8, 16, 31, width // 2, width - 1, self.r.randrange(width)])

    def compressed(self):
        k = self.r.randrange(14)
        c, d = self.dst(FREE_C), self.r.choice([8, 9, 10, 11, 12, 13, 14, 15])
        any_rd = self.dst()
        imm6 = self.r.choice([-32, 31, -1, 1, self.r.randint(-32, 31)])
        if k == 0:
            self.emit("c.addi x%d, %d" % (any_rd, imm6 or 1))
        elif k == 1:
            self.emit("c.addiw x%d, %d" % (any_rd, imm6))
        elif k == 2:
            self.emit("c.li x%d, %d" % (any_rd, imm6))
        elif k == 3:
            self.emit("c.lui x%d, %d" % (any_rd, self.r.choice([1, 31, 0xfffe0, 0xfffff])))
        elif k == 4:
            self.emit("c.slli x%d, %d" % (any_rd, self.shift(64) or 1))
        elif k in (5, 6):
            self.emit("c.%s x%d, %d" % (self.r.choice(["srli", "srai"]), c, self.shift(64) or 1))
        elif k == 7:
            self.emit("c.andi x%d, %d" % (c, imm6))
        elif k in (8, 9, 10):
            self.emit("c.%s x%d, x%d" % (self.r.choice("sub xor or and subw addw".split()), c, d))
        elif k == 11:
            self.emit("c.%s x%d, x%d" % (self.r.choice(["mv", "add"]), any_rd, self.r.choice(FREE)))
        elif k == 12:
            self.emit("c.addi4spn x%d, sp, %d" % (c, self.r.randint(1, 255) * 4))
        else:
            n = self.r.randint(1, 31) * 16
            self.emit("c.addi16sp sp, %d" % n)
            self.emit("c.addi16sp sp, -%d" % n)

    def place(self, size, aligned=False):
        """An operand of size bytes within the buffer, often across a boundary of 8 bytes or the page's."""
        r = self.r
        at = r.choice([r.randrange(SCRATCH - size + 1), r.randrange(0, SCRATCH - 8, 8),
                       SCRATCH // 2 - r.randrange(size + 1), r.randrange(64)])
        if aligned or r.random() < 0.4:
            at &= -size
        at = min(at, SCRATCH - size)
        return "%d(sp)" % at if r.random() < 0.4 else "%d(s0)" % (at - SCRATCH // 2)

    def indexed(self, size, aligned=False):
        """The same by a computed address: three instructions."""
        t = self.dst()
        self.emit("andi x%d, x%d, %d" % (t, self.src(), 0x78 if aligned else self.r.choice([0x7f, 0x78, 0x7c])))
        self.emit("add x%d, x%d, s0" % (t, t))
        off = self.r.randrange(-128, 120)
        return t, "%d(x%d)" % (off & -size if aligned else off, t)

    def memory(self):
        table = self.r.choice([LOADS, LOADS, STORES, FLOADS, FSTORES])
        name = self.r.choice(list(table))
        size = table[name]
        place = self.indexed(size)[1] if self.r.random() < 0.3 else self.place(size)
        if table is LOADS:
            reg = "x%d" % self.dst()
        elif table is STORES:
            reg = "x%d" % self.src()
        else:
            reg = "f%d" % self.fsrc()
        self.emit("%s %s, %s" % (name, reg, place))

    def compressed_memory(self):
        r = self.r
        c, f = self.dst(FREE_C), r.randint(8, 15)
        k = r.randrange(6)
        if k == 0:
            self.emit("c.%s x%d, %d(s0)" % (r.choice(["lw", "sw"]), c, r.randrange(0, 128, 4)))
        elif k == 1:
            self.emit("c.%s x%d, %d(s0)" % (r.choice(["ld", "sd"]), c, r.randrange(0, 248, 8)))
        elif k == 2:
            self.emit("c.%s f%d, %d(s0)" % (r.choice(["fld", "fsd"]), f, r.randrange(0, 248, 8)))
        elif k == 3:
            self.emit("c.%s x%d, %d(sp)" % (r.choice(["lwsp", "swsp"]), self.dst(), r.randrange(0, 256, 4)))
        elif k == 4:
            self.emit("c.%s x%d, %d(sp)" % (r.choice(["ldsp", "sdsp"]), self.dst(), r.randrange(0, 505, 8)))
        else:
            self.emit("c.%s f%d, %d(sp)" % (r.choice(["fldsp", "fsdsp"]), self.fsrc(), r.randrange(0, 505, 8)))

    def rm(self):
        return "" if self.r.random() < 0.5 else ", " + self.r.choice(ROUNDING)

    def fp(self):
        r = self.r
        t = r.choice("ssdddh")
        k = r.random()
        fd, a, b, c = (self.fsrc() for _ in range(4))
        if k < 0.42:
            self.emit("f%s.%s f%d, f%d, f%d%s" % (r.choice(["add", "sub", "mul", "add", "mul", "div"]), t, fd, a, b, self.rm()))
        elif k < 0.47:
            self.emit("fsqrt.%s f%d, f%d%s" % (t, fd, a, self.rm()))
        elif k < 0.64:
            self.emit("f%s.%s f%d, f%d, f%d, f%d%s" % (r.choice(["madd", "msub", "nmadd", "nmsub"]), t, fd, a, b, c, self.rm()))
        elif k < 0.71:
            self.emit("f%s.%s f%d, f%d, f%d" % (r.choice(["min", "max", "sgnj", "sgnjn", "sgnjx"]), t, fd, a, b))
        elif k < 0.77:
            self.emit("f%s.%s x%d, f%d, f%d" % (r.choice(["eq", "lt", "le"]), t, self.dst(), a, b))
        elif k < 0.79:
            self.emit("fclass.%s x%d, f%d" % (t, self.dst(), a))
        elif k < 0.84:
            m = {"s": "w", "d": "d", "h": "h"}[t]
            self.emit(r.choice(["fmv.x.%s x%d, f%d" % (m, self.dst(), a), "fmv.%s.x f%d, x%d" % (m, fd, self.src())]))
        elif k < 0.90:
            self.emit("fcvt.%s.%s x%d, f%d%s" % (r.choice(["w", "wu", "l", "lu"]), t, self.dst(), a, self.rm()))
        elif k < 0.95:
            i = r.choice(["w", "wu", "l", "lu"])
            exact = t == "d" and i in ("w", "wu")
            self.emit("fcvt.%s.%s f%d, x%d%s" % (t, i, fd, self.src(), "" if exact else self.rm()))
        else:
            to, of = r.choice(["sd", "hd", "hs", "ds", "dh", "sh"])
            self.emit("fcvt.%s.%s f%d, f%d%s" % (to, of, fd, a, self.rm() if to + of in ("sd", "hd", "hs") else ""))

    def csr(self):
        r = self.r
        k = r.randrange(10)
        rd = self.dst()
        if k < 3:
            self.emit("%s x%d" % (r.choice(["frflags", "frcsr", "frrm"]), rd))
        elif k == 3:
            self.emit("fsrmi x%d, %d" % (rd, r.randrange(5)))
        elif k == 4:
            self.emit("andi x%d, x%d, 3" % (rd, self.src()))
            self.emit("fsrm x%d, x%d" % (self.dst(), rd))
        elif k == 5:
            self.emit("fsflagsi x%d, %d" % (rd, r.choice([0, 0, 0, r.randrange(32)])))
        elif k == 6:
            self.emit("fsflags x%d, x%d" % (rd, self.src()))
        elif k == 7:
            self.emit("andi x%d, x%d, 0x7f" % (rd, self.src()))
            self.emit("fscsr x%d, x%d" % (self.dst(), rd))
        elif k == 8:
            if r.random() < 0.5:
                self.emit("csrr%s x%d, fflags, x%d" % (r.choice("sc"), rd, self.src()))
            else:
                self.emit("csrr%si x%d, fflags, %d" % (r.choice("sc"), rd, r.randrange(32)))
        else:
            self.emit("csrrci x%d, frm, %d" % (rd, r.randrange(8)))

    def atomic(self):
        r = self.r
        w = r.choice("wd")
        size = 4 if w == "w" else 8
        order = r.choice(["", "", ".aq", ".rl", ".aqrl"])
        t = self.dst()
        self.emit("addi x%d, s0, %d" % (t, r.randrange(-SCRATCH // 2, SCRATCH // 2, 8) + r.choice([0, 8 - size])))
        held = t not in self.avoid
        self.avoid.add(t)
        if r.random() < 0.6:
            self.emit("amo%s.%s%s x%d, x%d, (x%d)" % (r.choice(AMOS), w, order, r.choice([0, self.dst(), self.dst()]), self.src(), t))
        else:
            self.emit("lr.%s%s x%d, (x%d)" % (w, order.replace(".rl", ".aqrl").replace(".aq.aqrl", ".aqrl"), self.dst(), t))
            for _ in range(r.randrange(3)):
                self.alu()
            self.emit("sc.%s%s x%d, x%d, (x%d)" % (w, order.replace(".aqrl", ".rl").replace(".aq", ""), self.dst(), self.src(), t))
            if r.random() < 0.3:
                self.emit("sc.%s x%d, x%d, (x%d)" % (w, self.dst(), self.src(), t))
        if held:
            self.avoid.discard(t)

    def some(self, low, high):
        for _ in range(self.r.randint(low, high)):
            self.atom(False)

    def forward(self):
        over = self.label()
        k = self.r.random()
        if k < 0.15:
            self.emit("c.%s x%d, %s" % (self.r.choice(["beqz", "bnez"]), self.r.choice(range(8, 16)), over))
        elif k < 0.9:
            self.emit("%s x%d, x%d, %s" % (self.r.choice(BRANCHES), self.src(), self.src(), over))
        else:
            self.emit("j " + over)
        self.some(1, 5)
        if k < 0.3:
            end = self.label()
            self.emit("j " + end)
            self.lines.append(over + ":")
            self.some(1, 4)
            over = end
        self.lines.append(over + ":")

    def loop(self):
        count, top = self.dst(), self.label()
        held = count not in self.avoid
        self.emit("li x%d, %d" % (count, self.r.randint(2, 5)))
        self.avoid.add(count)
        self.lines.append(top + ":")
        self.some(2, 6)
        self.emit("addi x%d, x%d, -1" % (count, count))
        self.emit(self.r.choice(["bnez x%d, %s" % (count, top), "bgt x%d, x0, %s" % (count, top)]))
        if held:
            self.avoid.discard(count)

    def call(self):
        sub = self.label()
        free = [r for r in (1, 5, 1, 6, 31) if r not in self.avoid]
        if not free:
            return self.alu()
        link = self.r.choice(free)
        times = self.r.randint(1, 2)
        for _ in range(times):
            if self.r.random() < 0.4:
                t = self.dst()
                self.emit("la x%d, %s" % (t, sub), 2)
                self.emit("jalr x%d, 0(x%d)" % (link, t))
            else:
                self.emit("jal x%d, %s" % (link, sub))
        outer, self.lines = self.lines, []
        self.avoid.add(link)
        self.lines.append(sub + ":")
        self.some(1, 5)
        self.emit("jr x%d" % link)
        self.avoid.discard(link)
        self.subs += self.lines
        self.lines = outer

    def indirect(self):
        """A jump by a table of two."""
        t, table, one, end = self.dst(), self.label(), self.label(), self.label()
        held = t not in self.avoid
        self.avoid.add(t)
        u = self.dst()
        if held:
            self.avoid.discard(t)
        self.emit("la x%d, %s" % (t, table), 2)
        self.emit("andi x%d, x%d, 4" % (u, self.src()))
        self.emit("add x%d, x%d, x%d" % (t, t, u))
        self.emit("jr %d(x%d)" % (0, t))
        self.lines += [".option push", ".option norvc", table + ":", "j " + one]
        self.emit("j " + end, 2)
        self.lines += [".option pop", one + ":"]
        self.some(1, 3)
        self.lines.append(end + ":")

    def fence(self):
        self.emit(self.r.choice(["fence", "fence rw, rw", "fence r, rw", "fence.tso", "fence.i", "nop"]))

    FLOW = ("forward", "loop", "call", "indirect")
    # Atoms and how often: a mixture, integers, floating point, memory.
    NAMES = ("alu", "compressed", "memory", "compressed_memory", "fp", "csr", "atomic", "fence") + FLOW
    PROFILES = ((34, 9, 12, 4, 24, 4, 3, 0.4, 5, 2, 2, 1),
                (60, 15, 5, 2, 0, 0, 1, 0.2, 7, 3, 3, 2),
                (5, 1, 5, 2, 70, 6, 0, 0.2, 3, 2, 1, 0.5),
                (15, 4, 40, 15, 3, 1, 9, 0.5, 3, 2, 2, 1))

    def atom(self, flow):
        names = [n for n in self.weights if flow or n not in self.FLOW]
        getattr(self, self.r.choices(names, [self.weights[n] for n in names])[0])()

    def build(self, length):
        while self.size < length:
            self.atom(True)
        return self


def pool_x(rng):
    k = rng.random()
    if k < 0.2:
        return rng.randint(-8, 8)
    if k < 0.4:
        return rng.choice([1, -1]) * (1 << rng.randrange(64)) + rng.choice([-1, 0, 0, 1])
    if k < 0.55:
        return rng.choice([0x7fffffff, -0x80000000, 0x80000000, 0xffffffff, 0x100000000, (1 << 63) - 1, -1 << 63, 0x7fff, 0x8000,
                           0xffff, 0xff, 0x80, -0x8000, -0x80, 0x5555555555555555, -0x5555555555555556])
    if k < 0.65:
        return int.from_bytes(bytes(rng.choice([0, 0, 1, 0x80, 0xff, rng.randrange(256)]) for _ in range(8)), "little")
    if k < 0.8:
        v = rng.getrandbits(32)
        return v - (1 << 32) if v >> 31 and rng.random() < 0.7 else v
    return rng.getrandbits(64)


def fp_value(rng, exp, man):
    """A value of a format with exp exponent and man fraction bits."""
    top = (1 << exp) - 1
    bias = top >> 1
    sign = rng.getrandbits(1) << (exp + man)
    k = rng.random()
    if k < 0.35:
        e, m = bias + rng.randint(-3, 3), rng.choice([rng.getrandbits(man), rng.getrandbits(3) << (man - 3)])
    elif k < 0.5:
        e, m = rng.randrange(top), rng.getrandbits(man)
    elif k < 0.6:
        e, m = bias + rng.choice([-1, 1]) * rng.choice([man, man + 1, man + 2, 8, 16, 31, 32, 63, 64]), \
            rng.choice([0, 1, (1 << man) - 1, rng.getrandbits(man)])
    elif k < 0.75:
        e, m = rng.choice([0, 0, 1, 2, top - 1]), rng.choice([0, 1, (1 << man) - 1, 1 << (man - 1), rng.getrandbits(man)])
    elif k < 0.85:
        e, m = 0, 0
    elif k < 0.92:
        e, m = top, 0
    else:
        e, m = top, rng.choice([1 << (man - 1), 1, rng.getrandbits(man) | 1])
    return sign | max(0, min(e, top)) << man | m


def pool_f(rng):
    k = rng.random()
    if k < 0.42:
        return fp_value(rng, 11, 52)
    if k < 0.75:
        v = fp_value(rng, 8, 23)
        return v | (-1 << 32 if rng.random() < 0.93 else rng.getrandbits(32) << 32)
    v = fp_value(rng, 5, 10)
    return v | (-1 << 16 if rng.random() < 0.93 else rng.getrandbits(48) << 16)


POOL = 2048


def words(values):
    values = ["%#x" % (v & (1 << 64) - 1) for v in values]
    return "\n".join("    .dword " + ", ".join(values[i:i + 8]) for i in range(0, len(values), 8))


def batch(seed, number, count, length):
    """Assembly of sequences 0 to count - 1 of a batch."""
    rng = random.Random("%d/%d" % (seed, number))
    out = ["    .section .body, \"ax\""]
    needs = []
    for n in range(count):
        longer = 1 if rng.random() < 0.9 else 4
        s = Sequence(rng, str(n)).build(longer * rng.randint(length // 2, length * 3 // 2))
        needs.append(s.needs)
        out.append("    .balign 4\n    .globl q%d\nq%d:" % (n, n))
        out += s.lines
        out.append("j sequence_end")
        out += s.subs
    out.append("    .section .pool, \"a\"\n    .balign 8")
    for name, value in (("pool_size", POOL), ("sequence_count", count), ("sequence_seed", seed * 1000003 + number)):
        out.append("    .globl %s\n%s:\n    .dword %#x" % (name, name, value & (1 << 64) - 1))
    out.append("    .globl pool_x\npool_x:\n" + words(pool_x(rng) for _ in range(POOL)))
    out.append("    .globl pool_f\npool_f:\n" + words(pool_f(rng) for _ in range(POOL)))
    out.append("    .globl sequences\nsequences:")
    out += ["    .dword q%d" % n for n in range(count)]
    out.append("    .globl sequence_needs\nsequence_needs:\n    .byte " + ", ".join(map(str, needs)))
    return "\n".join(out) + "\n"
