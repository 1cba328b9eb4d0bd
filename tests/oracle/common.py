"""What the comparisons share: building a body in both forms, running it on an engine or the oracle."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.environ.get("CARBOVISOR", os.path.join(ROOT, "out/carbovisor"))
# Of this program alone: the suites run side by side.
OUT = os.path.join(ROOT, "out/tests/oracle", os.path.basename(sys.argv[0]))
PATIENCE = float(os.environ.get("PATIENCE", "1"))  # times the limits
ENGINES = ("interp", "jit")
ORACLE = "qemu-riscv64"
PREFIX = "riscv64-linux-gnu-"
MARCH = "rv64gc_zba_zbb_zbc_zbs_zfh"
CFLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-static", "-fno-pic",
          "-fno-stack-protector", "-fno-tree-loop-distribute-patterns", "-fno-asynchronous-unwind-tables",
          "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments"]
# By guest: how programs are built, what runs them. The kernel option takes a bare image.
ARCHES = {
    "riscv64": {"prefix": PREFIX, "oracle": ORACLE, "march": MARCH, "load": "--firmware",
                "cflags": ["-mcmodel=medany", "-mno-relax", "-mabi=lp64"]},
    "arm64": {"prefix": "aarch64-linux-gnu-", "oracle": "qemu-aarch64", "march": "armv8.5-a+fp16", "load": "--kernel",
              "cflags": ["-mgeneral-regs-only"]},
}

# How to ask each oracle for everything, newest version first, and what it then lacks of the extensions compared.
# What an oracle lacks is compared between the two engines only.
ORACLE_CPUS = (
    ("max", ()),
    ("rv64,zfh=true,zicond=true", ()),
    ("rv64,zfh=true", ("zicond",)),
    ("rv64,Zfh=true", ("zicond",)),  # 7.2
)
# What an oracle may have wrong: name, code that leaves 0 in a0 where it is right.
ORACLE_DEFECTS = (
    # 7.2 counts on above bit 31; Unprivileged 20240411, 28.4 (ctzw): 32 when the low word is 0.
    ("ctzw", "li a0, 1 << 40; ctzw a0, a0; addi a0, a0, -32"),
)


class Failure(Exception):
    pass


def tool(args):
    p = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if p.returncode:
        raise Failure("%s: %s" % (args[0], p.stdout.decode(errors="replace")[:1000]))
    return p.stdout.decode(errors="replace")


def build(name, form, sources, flags=(), march="rv64ima_zicsr_zifencei", arch="riscv64"):
    """The program of the sources and the shim of form (bare or linux)."""
    a = ARCHES[arch]
    elf = os.path.join(OUT, "%s.%s.%s.elf" % (name, form, arch))
    shim = ["%s-%s.S" % (form, arch)] + (["bare.c"] if form == "bare" else [])
    files = [s if os.path.isabs(s) else os.path.join(HERE, s) for s in (*sources, *shim)]
    tool([a["prefix"] + "gcc", *CFLAGS, *a["cflags"], "-Wl,-T,%s/link-%s.ld" % (HERE, arch), "-march=" + march, "-I" + HERE,
          *flags, "-o", elf, *files])
    return elf


def command(engine, elf, flags=(), arch="riscv64"):
    if engine in ENGINES:
        return [PROGRAM, "run", "--guest-arch", arch, "--accel", engine, "--memory", "96M", ARCHES[arch]["load"], elf,
                "--serial", "stdio", *flags]
    return [ARCHES[arch]["oracle"], "-cpu", engine, elf]


def text(data):
    """What may be garbage, printable."""
    return data.decode("ascii", "backslashreplace").replace("\0", "\\0")


def run(engine, elf, flags=(), limit=120, arch="riscv64", env=None):
    """Lines of output (flags: of the engine); how it ended, when not as it should, is the last of them."""
    try:
        p = subprocess.run(command(engine, elf, flags, arch), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=limit * PATIENCE, env={**os.environ, **(env or {})})
    except subprocess.TimeoutExpired as e:
        return text(e.stdout or b"").splitlines() + ["no end after %d s" % (limit * PATIENCE)]
    lines = text(p.stdout).splitlines()
    if p.returncode:
        lines.append("ended with %d %s" % (p.returncode, p.stderr.decode(errors="replace").strip()[-200:]))
    return lines


def probe(cpu, code):
    """Status and messages of a Linux program that ends with the a0 that code leaves."""
    source = os.path.join(OUT, "probe.S")
    with open(source, "w") as f:
        f.write("    .text\n    .globl body_main\nbody_main:\n    %s\n    j leave\n" % code)
    elf = build("probe", "linux", [source], march=MARCH)
    try:
        p = subprocess.run(command(cpu, elf), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as e:
        raise Failure("%s: %s; scripts/setup test installs it" % (ORACLE, e.strerror))
    return p.returncode, p.stdout.decode(errors="replace").strip()


def oracle_probe(arch="riscv64"):
    """The -cpu of the oracle here and the names of what it lacks or has wrong."""
    if arch != "riscv64":
        return "max", []
    for cpu, lacks in ORACLE_CPUS:
        status, last = probe(cpu, "fadd.h f0, f1, f2; sh1add a0, a0, a0; clmul a0, a0, a0; bext a0, a0, a0; li a0, 0")
        if not status:
            return cpu, [*lacks, *(name for name, code in ORACLE_DEFECTS if probe(cpu, code)[0])]
    raise Failure("%s has no cpu with what is compared: %s" % (ORACLE, last))


def number(args, flag, default):
    """Takes `flag N` out of args."""
    if flag not in args:
        return default
    at = args.index(flag)
    try:
        value = int(args[at + 1], 0)
    except (IndexError, ValueError):
        sys.exit("%s takes a number" % flag)
    del args[at:at + 2]
    return value


def prepare():
    os.makedirs(OUT, exist_ok=True)
    if "CARBOVISOR" not in os.environ:
        tool(["make", "-C", ROOT, "-s", "-j2", "all"])
