"""What is an ISA's own in the comparison of single FP operations: which there are, how a tuple is read."""

MODES = ("rne", "rtz", "rdn", "rup", "rmm")


class Riscv64:
    columns = 2 * len(MODES)
    flags = ((16, "NV"), (8, "DZ"), (4, "OF"), (2, "UF"), (1, "NX"))

    @staticmethod
    def operations():
        """(name, operands' format, code with {rm} where it takes a mode)"""
        fff, ffff = "%[d], %[a], %[b]", "%[d], %[a], %[b], %[c]"
        ints = ("w", "wu", "l", "lu")
        for f in "sdh":
            for name in ("fadd", "fsub", "fmul", "fdiv"):
                yield name + "." + f, f, "%s.%s %s{rm}" % (name, f, fff)
            yield "fsqrt." + f, f, "fsqrt.%s %%[d], %%[a]{rm}" % f
            for name in ("fmadd", "fmsub", "fnmsub", "fnmadd"):
                yield name + "." + f, f, "%s.%s %s{rm}" % (name, f, ffff)
            for name in ("fmin", "fmax", "fsgnj", "fsgnjn", "fsgnjx"):
                yield name + "." + f, f, "%s.%s %s" % (name, f, fff)
            for name in ("feq", "flt", "fle"):
                yield name + "." + f, f, "%s.%s %%[x], %%[a], %%[b]" % (name, f)
            yield "fclass." + f, f, "fclass.%s %%[x], %%[a]" % f
            for i in ints:
                yield "fcvt.%s.%s" % (i, f), f, "fcvt.%s.%s %%[x], %%[a]{rm}" % (i, f)
            for i in ints:
                exact = f == "d" and i in ("w", "wu")
                yield "fcvt.%s.%s" % (f, i), "int", "fcvt.%s.%s %%[d], %%[a]%s" % (f, i, "" if exact else "{rm}")
            for to in "sdh".replace(f, ""):
                wider = "hsd".index(to) > "hsd".index(f)
                yield "fcvt.%s.%s" % (to, f), f, "fcvt.%s.%s %%[d], %%[a]%s" % (to, f, "" if wider else "{rm}")

    @staticmethod
    def loops(ident, form, code):
        """The operation's loops: (name, macro call) each."""
        # What lands in an FP register is moved out whole.
        code += "\\nfmv.x.d %[x], %[d]" if "%[d]" in code else ""
        macro = "LOOP_X" if form == "int" else "LOOP_F"
        for m in ("dyn",) + MODES if "{rm}" in code else ("",):
            name = "%s_%s" % (ident, m)
            yield name, "%s(%s, \"%s\")" % (macro, name, code.replace("{rm}", ", " + m))

    @staticmethod
    def has_modes(code):
        return "{rm}" in code

    @staticmethod
    def mode(column):
        return "%s %s" % (MODES[column % len(MODES)], "static" if column >= len(MODES) else "dynamic")

    @staticmethod
    def fields(words):
        """Operands, flags before, result, flags after."""
        return words[0:3], words[3], words[4:5], words[5]


class Arm64:
    columns = 10
    flags = ((128, "ID"), (16, "IX"), (8, "UF"), (4, "OF"), (2, "DZ"), (1, "IO"))
    MODES = ("", "RP", "RM", "RZ", "FZ", "DN", "FZ DN", "FZ RP", "FZ16", "FZ16 DN RM")
    VECTORS = {"s": ("4s", "2s"), "d": ("2d",), "h": ("8h", "4h")}
    TWO = ("fadd", "fsub", "fmul", "fdiv", "fmax", "fmin", "fmaxnm", "fminnm")
    BOTH = ("fabd", "fmulx", "frecps", "frsqrts", "fcmeq", "fcmge", "fcmgt", "facge", "facgt")  # scalar and vector alike
    ROUNDED = ("frintn", "frintp", "frintm", "frintz", "frinta", "frintx", "frinti")
    TO_INT = ["fcvt" + m + s for m in "npmza" for s in "su"]

    @classmethod
    def scalars(cls, f):
        for name in cls.TWO + cls.BOTH + ("fnmul",):
            yield name, "{n} {f}0, {f}1, {f}2"
        for name in ("fmadd", "fmsub", "fnmadd", "fnmsub"):
            yield name, "{n} {f}0, {f}1, {f}2, {f}3"
        for name in ("fsqrt", "fabs", "fneg", "frecpe", "frsqrte", "frecpx") + cls.ROUNDED:
            yield name, "{n} {f}0, {f}1"
        if f != "h":
            for name in ("frint32z", "frint32x", "frint64z", "frint64x"):
                yield name, "{n} {f}0, {f}1"
            for name in cls.TO_INT:
                yield name + ".v", name + " {f}0, {f}1"
        for name in ("fcmp", "fcmpe"):
            yield name, "{n} {f}1, {f}2\\nmrs x9, nzcv\\nfmov d0, x9"
            yield name + ".0", name + " {f}1, #0.0\\nmrs x9, nzcv\\nfmov d0, x9"
        yield "fccmp", "cmp x9, x9\\n{n} {f}1, {f}2, #5, eq\\nmrs x9, nzcv\\nfmov d0, x9"
        yield "fcmlt", "{n} {f}0, {f}1, #0.0"
        yield "fmla.e", "fmla {f}0, {f}1, v2.{f}[1]"
        yield "fmul.e", "fmul {f}0, {f}1, v2.{f}[1]"
        yield "faddp", "{n} {f}0, v1.2{f}"
        yield "fmaxnmp", "{n} {f}0, v1.2{f}"
        for r in "wx":
            for name in cls.TO_INT:
                yield name + "." + r, name + " " + r + "9, {f}1\\nfmov d0, x9"
            yield "fcvtzs.fix." + r, "fcvtzs " + r + "9, {f}1, #7\\nfmov d0, x9"
            yield "fcvtzu.fix." + r, "fcvtzu " + r + "9, {f}1, #31\\nfmov d0, x9"
        for to in "sdh".replace(f, ""):
            yield "fcvt." + to, "fcvt " + to + "0, {f}1"

    @classmethod
    def vectors(cls, f):
        for name in cls.TWO + cls.BOTH + ("fmla", "fmls", "faddp", "fmaxp", "fminnmp"):
            yield name, "{n} v0.{v}, v1.{v}, v2.{v}"
        for name in ("fsqrt", "fabs", "fneg", "frecpe", "frsqrte") + cls.ROUNDED:
            yield name, "{n} v0.{v}, v1.{v}"
        if f != "h":
            for name in cls.TO_INT:
                yield name, "{n} v0.{v}, v1.{v}"
        for name in ("fcmgt", "fcmge", "fcmeq", "fcmle", "fcmlt"):
            yield name + ".0", name + " v0.{v}, v1.{v}, #0.0"
        for name in ("fmla", "fmls", "fmul"):
            yield name + ".e", name + " v0.{v}, v1.{v}, v2.{f}[1]"

    @classmethod
    def operations(cls):
        for f in "sdh":
            for name, code in cls.scalars(f):
                yield name + "." + f, f, code.format(n=name, f=f)
            for v in cls.VECTORS[f]:
                for name, code in cls.vectors(f):
                    yield name + "." + v, f, code.format(n=name, f=f, v=v)
            for name in ("scvtf", "ucvtf"):
                for r in "wx":
                    yield "%s.%s.%s" % (name, f, r), "int", "fmov x9, d1\\n%s %s0, %s9" % (name, f, r)
                    yield "%s.fix.%s.%s" % (name, f, r), "int", "fmov x9, d1\\n%s %s0, %s9, #13" % (name, f, r)
                if f != "h":
                    yield "%s.%s" % (name, f), "int", "%s %s0, %s1" % (name, f, f)
                    for v in cls.VECTORS[f]:
                        yield "%s.%s" % (name, v), "int", "%s v0.%s, v1.%s" % (name, v, v)
        for name in ("fmaxv", "fminv", "fmaxnmv", "fminnmv"):
            yield name, "s", name + " s0, v1.4s"
        yield "fcvtl.s", "s", "fcvtl v0.2d, v1.2s"
        yield "fcvtl2.s", "s", "fcvtl2 v0.2d, v1.4s"
        yield "fcvtl.h", "h", "fcvtl v0.4s, v1.4h"
        yield "fcvtn.d", "d", "fcvtn v0.2s, v1.2d"
        yield "fcvtn2.d", "d", "fcvtn2 v0.4s, v1.2d"
        yield "fcvtxn.d", "d", "fcvtxn v0.2s, v1.2d"
        yield "fcvtn.s", "s", "fcvtn v0.4h, v1.4s"

    @staticmethod
    def loops(ident, form, code):
        yield ident, "LOOP(%s, \"%s\")" % (ident, code)

    @staticmethod
    def has_modes(code):
        return True

    @classmethod
    def mode(cls, column):
        return cls.MODES[column]

    @staticmethod
    def fields(words):
        return words[0:6], words[6], words[7:9], words[9]


ISAS = {"riscv64": Riscv64, "arm64": Arm64}
