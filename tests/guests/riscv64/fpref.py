"""IEEE 754 arithmetic by exact fractions, with RISC-V's choices (unprivileged manual, chapters 20 to 22, 24):
canonical NaN results, tininess after rounding, saturating conversions, NaN boxing."""

from fractions import Fraction
from math import isqrt

NX, UF, OF, DZ, NV = 1, 2, 4, 8, 16
RNE, RTZ, RDN, RUP, RMM = range(5)


class Format:
    def __init__(self, letter, bits, p):
        self.letter, self.bits, self.p = letter, bits, p
        self.ebits = bits - p
        self.bias = (1 << (self.ebits - 1)) - 1
        self.emin = 1 - self.bias
        self.expmax = (1 << self.ebits) - 1
        self.frac = p - 1
        self.nan = (self.expmax << self.frac) | 1 << (self.frac - 1)

    def inf(self, s):
        return s << (self.bits - 1) | self.expmax << self.frac

    def zero(self, s):
        return s << (self.bits - 1)

    def largest(self, s):
        return self.inf(s) - 1

    def box(self, v):
        return v | ((1 << 64) - (1 << self.bits)) if self.bits < 64 else v

    def unbox(self, v):
        return v & ((1 << self.bits) - 1) if self.box(v & ((1 << self.bits) - 1)) == v else self.nan


H, S, D = Format("h", 16, 11), Format("s", 32, 24), Format("d", 64, 53)


class Num:
    """kind: nan, snan, inf, num; value is the signed fraction; sign kept for zero."""

    def __init__(self, f, bits):
        self.sign = bits >> (f.bits - 1)
        e = bits >> f.frac & f.expmax
        m = bits & ((1 << f.frac) - 1)
        self.sub = False
        if e == f.expmax:
            self.kind = "inf" if m == 0 else "nan" if m >> (f.frac - 1) else "snan"
            self.value = None
            return
        self.kind = "num"
        self.sub = e == 0 and m != 0
        if e:
            m |= 1 << f.frac
        v = Fraction(m) * Fraction(2) ** (max(e, 1) - f.bias - f.frac)
        self.value = -v if self.sign else v

    @property
    def isnan(self):
        return self.kind in ("nan", "snan")

    @property
    def zero(self):
        return self.kind == "num" and self.value == 0


def floor_log2(v):
    e = v.numerator.bit_length() - v.denominator.bit_length()
    return e if Fraction(2) ** e <= v else e - 1


def to_int(v, rm):
    """Signed fraction to integer, inexact."""
    lo = v.numerator // v.denominator
    rest = v - lo
    if rest == 0:
        return lo, False
    if rm == RTZ:
        up = v < 0
    elif rm == RDN:
        up = False
    elif rm == RUP:
        up = True
    elif rest != Fraction(1, 2):
        up = rest > Fraction(1, 2)
    else:
        up = bool(lo & 1) if rm == RNE else v > 0
    return lo + up, True


def round_to(f, v, rm, zero_sign=0):
    """Exact signed value to bits and flags."""
    if v == 0:
        return f.zero(zero_sign), 0
    s, a = int(v < 0), abs(v)
    e = floor_log2(a)
    q = max(e, f.emin) - f.frac
    n, inexact = to_int(v / Fraction(2) ** q, rm)
    n = abs(n)
    flags = NX if inexact else 0
    if inexact:
        un, _ = to_int(v / Fraction(2) ** (e - f.frac), rm)
        if abs(un) * Fraction(2) ** (e - f.frac) < Fraction(2) ** f.emin:
            flags |= UF
    if n >> f.p:
        n >>= 1
        q += 1
    if n >> f.frac == 0:
        return f.zero(s) | n, flags
    be = q + f.frac + f.bias
    if be >= f.expmax:
        to_inf = rm in (RNE, RMM) or (rm == RUP and not s) or (rm == RDN and s)
        return (f.inf(s) if to_inf else f.largest(s)), flags | OF | NX
    return f.zero(s) | be << f.frac | (n & ((1 << f.frac) - 1)), flags


def _nan(f, *ops):
    if any(o.kind == "snan" for o in ops):
        return f.nan, NV
    if any(o.isnan for o in ops):
        return f.nan, 0
    return None


def add(f, a, b, rm):
    return fma(f, a, f.zero(0) | f.bias << f.frac, b, rm)


def sub(f, a, b, rm):
    return fma(f, a, f.bias << f.frac, b, rm, 0, 1)


def mul(f, a, b, rm):
    x, y = Num(f, a), Num(f, b)
    r = _nan(f, x, y)
    if r:
        return r
    s = x.sign ^ y.sign
    if x.kind == "inf" or y.kind == "inf":
        return (f.nan, NV) if x.zero or y.zero else (f.inf(s), 0)
    return round_to(f, x.value * y.value, rm, s)


def div(f, a, b, rm):
    x, y = Num(f, a), Num(f, b)
    r = _nan(f, x, y)
    if r:
        return r
    s = x.sign ^ y.sign
    if x.kind == "inf":
        return (f.nan, NV) if y.kind == "inf" else (f.inf(s), 0)
    if y.kind == "inf":
        return f.zero(s), 0
    if y.zero:
        return (f.nan, NV) if x.zero else (f.inf(s), DZ)
    return round_to(f, x.value / y.value, rm, s)


def sqrt(f, a, rm):
    x = Num(f, a)
    r = _nan(f, x)
    if r:
        return r
    if x.zero:
        return a, 0
    if x.sign:
        return f.nan, NV
    if x.kind == "inf":
        return a, 0
    k = max(0, f.p + 4 - floor_log2(x.value) // 2)
    scaled = x.value * Fraction(4) ** k
    n = isqrt(scaled.numerator // scaled.denominator)
    v = Fraction(n, 1 << k)
    if v * v != x.value:
        v += Fraction(1, 1 << (k + 2))  # sticky: between n and n + 1, nearer to neither end than a bit below
    return round_to(f, v, rm)


def fma(f, a, b, c, rm, neg_product=0, neg_addend=0):
    x, y, z = Num(f, a), Num(f, b), Num(f, c)
    invalid = (x.kind == "inf" and y.zero) or (x.zero and y.kind == "inf")
    if invalid:
        return f.nan, NV  # even with a quiet NaN addend (20.6)
    r = _nan(f, x, y, z)
    if r:
        return r
    ps, zs = x.sign ^ y.sign ^ neg_product, z.sign ^ neg_addend
    if x.kind == "inf" or y.kind == "inf":
        return (f.nan, NV) if z.kind == "inf" and zs != ps else (f.inf(ps), 0)
    if z.kind == "inf":
        return f.inf(zs), 0
    p = x.value * y.value * (-1 if neg_product else 1)
    t = z.value * (-1 if neg_addend else 1)
    if p + t == 0:
        s = ps if ps == zs and p == 0 and t == 0 else int(rm == RDN)
        return f.zero(s), 0
    return round_to(f, p + t, rm)


def minmax(f, a, b, is_max):
    x, y = Num(f, a), Num(f, b)
    flags = NV if "snan" in (x.kind, y.kind) else 0
    if x.isnan and y.isnan:
        return f.nan, flags
    if x.isnan or y.isnan:
        return (b if x.isnan else a), flags
    return (a if (order(x, 1) > order(y, 1)) == bool(is_max) else b), flags


def order(x, zeros=0):
    """Sort key; with zeros, -0 is below +0."""
    if x.kind == "inf":
        return (-1 if x.sign else 1, 0, 0)
    return (0, x.value, 0 if not zeros or x.value else -x.sign)


def compare(f, op, a, b):
    x, y = Num(f, a), Num(f, b)
    if x.isnan or y.isnan:
        quiet = op == "feq" and "snan" not in (x.kind, y.kind)
        return 0, 0 if quiet else NV
    k, l = order(x), order(y)
    return int({"feq": k == l, "flt": k < l, "fle": k <= l}[op]), 0


def classify(f, a):
    x = Num(f, a)
    if x.kind == "nan":
        return 1 << 9
    if x.kind == "snan":
        return 1 << 8
    n = 0 if x.kind == "inf" else 1 if not x.sub and not x.zero else 2 if x.sub else 3
    return 1 << (n if x.sign else 7 - n)


def to_integer(f, a, bits, signed, rm):
    """FCVT.{W,WU,L,LU}: result as the 64-bit register."""
    x = Num(f, a)
    lo, hi = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if x.isnan:
        n, fl = hi, NV
    elif x.kind == "inf":
        n, fl = (lo if x.sign else hi), NV
    else:
        n, inexact = to_int(x.value, rm)
        fl = NX if inexact else 0
        if n < lo or n > hi:
            n, fl = (lo if n < lo else hi), NV
    n &= (1 << bits) - 1
    if bits == 32 and n >> 31:
        n |= 0xFFFFFFFF00000000
    return n, fl


def from_integer(f, v, bits, signed, rm):
    v &= (1 << bits) - 1
    if signed and v >> (bits - 1):
        v -= 1 << bits
    return round_to(f, Fraction(v), rm)


def convert(src, dst, a, rm):
    x = Num(src, a)
    r = _nan(dst, x)
    if r:
        return r
    if x.kind == "inf":
        return dst.inf(x.sign), 0
    return round_to(dst, x.value, rm, x.sign)
