#!/usr/bin/env python3
"""Writes an A64 program that executes random instructions, each on a random state, and keeps the state after it.

generate.py SEED EACH SEQUENCES MIXED LOOPS OUT.s OUT.list

Prints the number of instructions under test. They come from the decoder's own table (src/isa/arm64/insn.def): EACH of
every row but branches and the system's; SEQUENCES of twelve, mostly of integers and flags, and MIXED of sixteen of all
kinds, both with branches among them. Under Linux (entry _start) the program writes its record to standard output; on a
bare machine (entry _bare) it leaves it at `record`, ends at SVC, and runs LOOPS times, so that a JIT gets warm. Undefined
instructions are skipped, by a signal handler and by vm.c.
"""
import random
import re
import struct
import sys

SCRATCH = 0x43000f80  # 256 bytes on two pages, that loads and stores work on
STATES = 128
STATE_BYTES = 768  # q0-q31, x0-x27, NZCV, FPCR
MASK64 = 2**64 - 1
NOP = 0xd503201f

# Not for this test, or not by their row: control flow, the system, what depends on keys.
FORMATS = {'BCOND', 'BRANCH26', 'CBRANCH', 'TBRANCH', 'EXCEPTION', 'DCPS', 'HINT', 'PSTATE', 'SYS', 'SYSL', 'MSR', 'MRS',
           'BREG', 'BREG_AUTH', 'RET', 'PAC', 'PACZ', 'PACGA', 'LDRA'}
IDS = {'ERET', 'DRPS', 'RETAA', 'RETAB', 'ERETAA', 'ERETAB', 'NOP', 'YIELD', 'WFE', 'WFI', 'SEV', 'SEVL', 'SB',
       'XPACLRI', 'AUTIAZ', 'LDRAA', 'LDRAB'}
LITERAL = {'LDR_LIT', 'LDRSW_LIT', 'LDR_FP_LIT'}
CRYPTO = {'AES', 'PMULL', 'SHA1', 'SHA256', 'SHA3', 'SHA512', 'SM3', 'SM4'}
# Where register 31 is SP, which the harness leaves alone: in Rd, in Rn.
SP_RD = {'ADDSUB_IMM', 'ADDSUB_EXT', 'LOGIC_IMM'}
SP_RN = {'ADDSUB_IMM', 'ADDSUBS_IMM', 'ADDSUB_EXT', 'ADDSUBS_EXT'}
# Fields that should be ones: what else is there makes some processors, and newer releases of QEMU, undefine the word.
ONES = {'SMULH': 31 << 10, 'UMULH': 31 << 10, 'LDAR': 0x1f7c00, 'LDLAR': 0x1f7c00, 'STLR': 0x1f7c00, 'STLLR': 0x1f7c00}
HIGHEST = 24  # of the registers under test; the others are the harness's
EXCLUSIVE = {'LDXR', 'LDAXR', 'LDXP', 'LDAXP', 'STXR', 'STLXR', 'STXP', 'STLXP'}
FP = {'FP', 'FP16', 'JSCVT', 'FRINTTS'}
FP_FORMATS = re.compile('FP_|INT_TO|FIX_TO|FCSEL|FCCMP|FCMP|FMOV')
MOV_X27_X25 = 0xaa1903fb


class Row:
    def __init__(self, name, mask, match, fmt, feature):
        self.name, self.match, self.fmt, self.feature = name, match, fmt, feature
        self.free = ~mask & 0xffffffff
        self.memory = fmt not in LITERAL and fmt.startswith(('LD', 'ST')) or fmt in ('CAS', 'CASP', 'ATOMIC')
        zero = {0: fmt not in SP_RD, 5: fmt not in SP_RN, 10: True, 16: True}
        self.registers = [(lsb, zero[lsb]) for lsb in zero if not mask >> lsb & 31]


def oracle_differs(insn):
    """Where QEMU 7.2 is not to be followed."""
    return ((insn & 0xfffffc00) == 0x1e634000 or  # BFCVT, a feature that this CPU does not have
            (insn & 0xbff8fc00) == 0x2f00fc00 or  # unallocated: FMOV (half) with op 1
            (insn & 0xdff0fc00) == 0x5f10fc00)  # FCVTZS, FCVTZU to 16 bits: it writes more of the register


def needs_no_flushing(insn):
    """FJCVTZS of a flushed denormal: Z is 0 (FPToFixedJS), QEMU 7.2 sets it."""
    return (insn & 0xfffffc00) == 0x1e7e0000


def read_rows(path):
    row = re.compile(r'A64_INSN\((\w+),\s*"[^"]*",\s*(0x\w+),\s*(0x\w+),\s*(\w+),\s*(\w+)\)')
    found = (row.match(line) for line in open(path))
    return [Row(m[1], int(m[2], 16), int(m[3], 16), m[4], m[5]) for m in found
            if m and m[4] not in FORMATS and m[1] not in IDS and m[5] != 'PAUTH']


def is_ordered(row):
    """It wants an aligned address."""
    return row.fmt.startswith(('LDX', 'STX', 'CAS', 'ATOMIC')) or row.name.startswith(('STL', 'LDA', 'LDL'))


class Values:
    """Register contents in which the interesting cases are common."""

    def __init__(self, rng):
        self.rng = rng

    def f16(self):
        r = self.rng
        return r.choice([0, 0x8000, 0x7c00, 0xfc00, 0x7e00, 0x7d00, 0xfe01, 1, 0x8001, 0x3ff, 0x400, 0x3c00, 0xbc00,
                         0x7bff, 0x4200, 0x3800, 0x5bff] + [r.getrandbits(16) for _ in range(3)])

    def f32(self):
        r = self.rng
        near = [struct.unpack('<I', struct.pack('<f', r.uniform(-x, x)))[0] for x in (2, 100)]
        return r.choice([0, 1 << 31, 0x7f800000, 0xff800000, 0x7fc00000, 0x7fa00000, 0xffc00001, 1, 0x80000001,
                         0x7fffff, 0x800000, 0x3f800000, 0xbf800000, 0x7f7fffff, 0x4f000000, 0xcf000000, 0x3f000000,
                         0x40200000, 0x47800000, 0x477ff000, 0x33000000, 0x387fc000, 0x5f000000,
                         r.getrandbits(32), r.getrandbits(32)] + near)

    def f64(self):
        r = self.rng
        near = [struct.unpack('<Q', struct.pack('<d', r.uniform(-x, x)))[0] for x in (100, 5e9, 1e-38)]
        return r.choice([0, 1 << 63, 0x7ff << 52, 0xfff << 52, 0x7ff8 << 48, 0x7ff4 << 48, 0xfff8000000000001, 1,
                         (1 << 63) | 1, (1 << 52) - 1, 1 << 52, 0x3ff << 52, 0xbff << 52, 0x7fefffffffffffff,
                         0x41e0000000000000, 0xc1e0000000000000, 0x43e0000000000000, 0x3fe0000000000000,
                         0x4004000000000000, 0x36a0000000000000, 0x3810000000000000, 0x380fffffe0000000,
                         0x47efffffefffffff, r.getrandbits(64), r.getrandbits(64)] + near)

    def vector(self):
        r = self.rng

        def lanes(bits, value):
            return sum(value() << (bits * i) for i in range(128 // bits))

        return r.choice([
            lambda: r.getrandbits(128), lambda: lanes(16, self.f16), lambda: lanes(32, self.f32),
            lambda: lanes(64, self.f64),
            lambda: lanes(8, lambda: r.choice([0, 1, 0x7f, 0x80, 0xff, 0x55, r.randrange(256), r.randrange(40)])),
            lambda: lanes(16, lambda: r.choice([0, 1, 0x7fff, 0x8000, 0xffff, r.getrandbits(16)]))])()

    def general(self):
        r = self.rng
        return r.choice([0, 1, MASK64, 1 << 63, (1 << 63) - 1, 1 << 31, (1 << 31) - 1, (1 << 32) - 1, r.getrandbits(64),
                         r.getrandbits(64), r.getrandbits(32), r.randrange(64), self.f64()])

    def fpcr(self):
        ahp, dn, fz, fz16, mode = 1 << 26, 1 << 25, 1 << 24, 1 << 19, 1 << 22
        return self.rng.choice([0] * 24 + [mode, 2 * mode, 3 * mode, fz, dn, ahp, fz16, fz | fz16, dn | fz,
                                           3 * mode | fz, mode | ahp, 2 * mode | fz | fz16])


def put_field(insn, lsb, value):
    return insn & ~(31 << lsb) | value << lsb


class Program:
    def __init__(self, rows, seed, out, listing):
        self.rows = rows
        self.rng = random.Random(seed)
        self.values = Values(self.rng)
        self.out, self.listing = out, listing
        self.count = self.insns = 0
        self.fpcrs = [self.values.fpcr() for _ in range(STATES)]

    def emit(self, text):
        self.out.write(text + '\n')

    def random_insn(self, row):
        insn = row.match | self.rng.getrandbits(32) & row.free | ONES.get(row.name, 0)
        for lsb, zero in row.registers:
            reg = insn >> lsb & 31
            if reg > HIGHEST and not (zero and reg == 31):
                insn = put_field(insn, lsb, int(self.rng.random() * (HIGHEST + 1)))
        if row.fmt in LITERAL:  # of the code that follows
            insn = insn & ~(0x7ffff << 5) | self.rng.randrange(32) << 5
        return insn

    def test(self, name, insns, before='', fresh=False):
        state = self.rng.randrange(STATES)
        while self.fpcrs[state] >> 24 & 1 and any(map(needs_no_flushing, insns)):
            state = self.rng.randrange(STATES)
        if fresh:
            self.emit(' bl reset')
        self.emit(f' ldr x28,=pool+{state * STATE_BYTES}\n bl load\n{before}')
        self.emit(' .inst ' + ','.join(map(hex, insns)) + '\n bl save')
        self.listing.write(f'{name} {state} ' + ','.join(f'{i:08x}' for i in insns) + '\n')
        self.count += 1
        self.insns += len(insns) - insns.count(NOP) - insns.count(MOV_X27_X25)
        if self.count % 100 == 0:
            self.emit(' b 9f\n .ltorg\n9:')

    def memory_insn(self, row, ordered):
        """The base is x27, in scratch memory; what is added to it is small, or in x26. None: unpredictable."""
        r, fmt = self.rng, row.fmt
        insn = put_field(self.random_insn(row), 5, 27)
        if fmt.endswith('UIMM'):
            insn = insn & ~(0xfff << 10) | r.randrange(4) << 10
        if fmt.endswith(('INDEX', 'UNSCALED')):
            insn = insn & ~(0x1ff << 12) | (0 if ordered else r.randrange(-32, 32) & 0x1ff) << 12
        if 'PAIR' in fmt or fmt == 'LDPSW':
            insn = insn & ~(0x7f << 15) | (r.randrange(-4, 4) & 0x7f) << 15
        if 'REG' in fmt or fmt.startswith(('LDST_MULTI', 'LDST_REPL', 'LDST_LANE')):
            insn = put_field(insn, 16, 31 if 'REG' not in fmt and r.random() < .5 else 26)
        if fmt == 'CASP' and insn >> 16 & 31 == HIGHEST:  # the next one is written too
            insn = put_field(insn, 16, HIGHEST - 2)
        rt, rt2, rs = insn & 31, insn >> 10 & 31, insn >> 16 & 31
        if ('PAIR' in fmt or 'XP' in fmt or fmt == 'LDPSW') and rt == rt2 or fmt in ('STXR', 'STXP') and rs in (rt, rt2):
            return None
        return insn

    def memory_test(self, row):
        r = self.rng
        ordered = is_ordered(row)
        base = SCRATCH + 64 + (16 * r.randrange(3) if ordered else r.choice([0, 0, 8, 3]))
        insn = self.memory_insn(row, ordered)
        if insn is not None:
            self.test(row.name, [insn], f' ldr x27,={base}\n mov x26,#{r.randrange(4)}\n', fresh=True)

    def each_row(self, each):
        for row in self.rows:
            for _ in range(each):
                if row.memory:
                    self.memory_test(row)
                    continue
                insn = self.random_insn(row)
                if not oracle_differs(insn):
                    self.test(row.name, [insn])

    def branch(self):
        """Over one or two instructions, on the flags, a register or a bit."""
        r = self.rng
        over = r.choice([2, 3]) << 5
        return r.choice([0x14000000 | r.getrandbits(1) << 31 | over >> 5, 0x54000000 | over | r.randrange(16),
                         0x34000000 | r.getrandbits(1) << 31 | r.getrandbits(1) << 24 | over | r.randrange(25),
                         0x36000000 | r.getrandbits(1) << 31 | r.getrandbits(1) << 24 | r.randrange(32) << 19 | over |
                         r.randrange(25)])

    def jump(self, rows):
        """BR, BLR or RET by x28, which nobody else needs here, over one instruction."""
        return [0x1000007c, 0xd61f0380 | self.rng.randrange(3) << 21] + self.plain(rows)

    def flags(self, _):
        """MRS or MSR of NZCV, MRS of FPCR or FPSR."""
        r = self.rng
        return [r.choice([0xd53b4200, 0xd51b4200, 0xd53b4400, 0xd53b4420]) | r.randrange(HIGHEST + 1)]

    def exclusive(self):
        """A load and a store that match, so that the store succeeds, most often."""
        r = self.rng
        size, pair = r.randrange(4), r.random() < .4
        if pair:
            size |= 2
        status, rt, rt2, rt3 = r.sample(range(HIGHEST + 1), 4)
        load = 0x08400000 | size << 30 | pair << 21 | r.getrandbits(1) << 15 | (rt2 if pair else 31) << 10 | 27 << 5 | rt
        store = 0x08000000 | size << 30 | pair << 21 | r.getrandbits(1) << 15 | status << 16
        return [MOV_X27_X25, load | 31 << 16, store | (rt2 if pair else 31) << 10 | 27 << 5 | rt3]

    def atomic(self, rows):
        insn = None
        if self.rng.random() < .3:
            return self.exclusive()
        while insn is None:
            insn = self.memory_insn(self.rng.choice(rows), True)
        return [MOV_X27_X25, insn]

    def access(self, rows):
        insn = None
        while insn is None:
            insn = self.memory_insn(self.rng.choice(rows), False)
        return [MOV_X27_X25, insn]

    def plain(self, rows):
        insn = self.random_insn(self.rng.choice(rows))
        while oracle_differs(insn):
            insn = self.random_insn(self.rng.choice(rows))
        return [insn]

    def sequences(self, count):
        plain = [row for row in self.rows if not row.memory
                 and row.feature in ('BASE', 'FLAGM', 'FLAGM2', 'CRC32', 'FP', 'ADVSIMD')]
        flags = [row for row in plain if re.match('ADDS|SUBS|ANDS|BICS|ADC|SBC|CC|CS|FC|RMIF|SETF|CFINV|AXFLAG', row.name)]
        integer = [row for row in plain if row.feature == 'BASE']
        kinds = [None] * 2 + [flags] * 4 + [integer] * 3 + [plain]
        for number in range(count):
            insns = []
            while len(insns) < 12:
                rows = self.rng.choice(kinds)
                insns += self.plain(rows) if rows else [self.branch()]
            self.test(f'sequence-{number}', insns + [NOP] * 2)

    def mixed(self, count):
        memory = [row for row in self.rows if row.memory and row.name not in EXCLUSIVE]
        others = [row for row in self.rows if not row.memory]
        fp = [row for row in others if row.feature in FP and FP_FORMATS.match(row.fmt)]
        crypto = [row for row in others if row.feature in CRYPTO]
        integer = [row for row in others if row.feature in ('BASE', 'FLAGM', 'FLAGM2', 'CRC32', 'DIT', 'SSBS')]
        vector = [row for row in others if row not in fp and row not in crypto and row not in integer]
        kinds = ([(self.plain, integer)] * 5 + [(self.jump, integer), (self.flags, integer)] + [(self.plain, fp)] * 3 +
                 [(self.plain, vector)] * 6 + [(self.plain, crypto)] * 2 + [(self.access, [row for row in memory if not is_ordered(row)])] * 2 +
                 [(self.atomic, [row for row in memory if is_ordered(row)])] * 2)
        for number in range(count):
            base = SCRATCH + 64 + 16 * self.rng.randrange(3)
            insns = []
            for _ in range(16):
                if self.rng.random() < .06:
                    insns += [self.branch()] + self.plain(integer) + self.plain(vector)
                    continue
                make, rows = self.rng.choice(kinds)
                insns += make(rows)
            self.test(f'mixed-{number}', insns + [NOP] * 2, f' ldr x25,={base}\n mov x26,#{self.rng.randrange(4)}\n',
                      fresh=True)

    def data(self, loops):
        v = self.values
        words = [self.rng.getrandbits(64) for _ in range(32)]
        self.emit('memory:\n .quad ' + ','.join(map(hex, words)) + '\npool:')
        for fpcr in self.fpcrs:
            for _ in range(32):
                q = v.vector()
                self.emit(f' .quad {q & MASK64:#x},{q >> 64:#x}')
            for _ in range(28):
                self.emit(f' .quad {v.general():#x}')
            self.emit(f' .quad {self.rng.randrange(16) << 28:#x},{fpcr:#x},0,0')
        self.emit(f'.globl loops\nloops: .quad {loops}')


def main():
    seed, each, sequences, mixed, loops = map(int, sys.argv[1:6])
    rows = read_rows('src/isa/arm64/insn.def')
    with open(sys.argv[6], 'w') as out, open(sys.argv[7], 'w') as listing:
        program = Program(rows, seed, out, listing)
        program.emit(f' .equ SCRATCH, {SCRATCH:#x}\n .include "tests/oracle-arm64/harness.S"')
        program.each_row(each)
        program.sequences(sequences)
        program.mixed(mixed)
        program.emit(' b tests_end\n .ltorg')
        program.data(loops)
        print(program.insns)


main()
