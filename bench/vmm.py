"""Runs a guest under one VM monitor and reads that monitor's CPU clock at the marks which the guest prints."""

import os
import re
import select
import shutil
import signal
import subprocess
import time

MEMORY = 1 << 30  # bytes of guest RAM in every run
QUIET_SECONDS = 120  # a guest silent for so long is taken for dead

MARK = re.compile(rb"@row (\S+) (start|end|failed) ([^\r\n]*)")
READY = b"Carbovisor guest: ready"

# What differs between guest ISAs: QEMU's command and board, the console's name.
ARCHES = {
    "riscv64": {
        "qemu": ["qemu-system-riscv64", "-M", "virt", "-cpu", "rv64"],
        "bare": ["-bios", "--firmware"],
        "console": "ttyS0",
    },
    "arm64": {
        "qemu": ["qemu-system-aarch64", "-M", "virt,gic-version=3", "-cpu", "max,pauth=off"],
        "bare": ["-kernel", "--kernel"],
        "console": "ttyAMA0",
    },
}


# What both monitors are given beside their defaults: the model of the CPU, words of the kernel's command line, and
# the classes that are run (None: all). "a" is our default model against QEMU's fastest settings.
PAIRS = {
    "riscv64": {"a": (None, "", None)},
    "arm64": {
        "a": (None, "", None),
        "b": ("cortex-a57", "kpti=off", None),
        "c": ("cortex-a57", "kpti=on", ("traps", "mm")),
    },
}


def process_clock(pid):
    """The kernel's clock of a process's CPU time, all its threads ever, in ns (clock_getcpuclockid(3))."""
    return (~pid << 3) | 2


class Monitor:
    """One VM monitor under one configuration, by the command that starts it; root: of the tree that QEMU is in."""

    def __init__(self, name, kind, arch, binary=None, accel="jit", pair="a", root=None):
        self.name, self.kind, self.arch, self.binary, self.accel, self.root = name, kind, arch, binary, accel, root
        self.cpu, self.append, _ = PAIRS[arch][pair]
        self.model = ([] if not self.cpu else ["-cpu", self.cpu] if kind == "qemu" else ["--cpu", self.cpu])

    def enter(self):
        return ["chroot", self.root] if self.root else []

    def inside(self, path):
        """The file as the monitor sees it."""
        if not self.root:
            return path
        name = os.path.join("tmp", os.path.basename(path))
        shutil.copyfile(path, os.path.join(self.root, name))
        return "/" + name

    def version(self):
        """Of QEMU: its number and its whole text, or None where it does not run."""
        try:
            out = subprocess.run(self.enter() + [ARCHES[self.arch]["qemu"][0], "--version"], capture_output=True,
                                 text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        found = re.search(r"version (\d+)\.(\d+)(\.\d+)?", out.stdout)
        return int(found[1]), found[0].removeprefix("version ")

    def command(self, kernel, initrd, append, smp):
        if self.kind == "qemu":
            kernel, initrd = self.inside(kernel), self.inside(initrd)
            return self.enter() + ARCHES[self.arch]["qemu"] + self.model + [
                "-accel", "tcg,thread=multi", "-m", f"{MEMORY >> 20}M", "-smp", str(smp), "-display", "none",
                "-serial", "stdio", "-monitor", "none", "-nic", "none", "-no-reboot",
                "-kernel", kernel, "-initrd", initrd, "-append", append]
        return [self.binary, "run", "--guest-arch", self.arch, "--accel", self.accel, *self.model,
                "--memory", f"{MEMORY >> 20}M", "--smp", str(smp), "--net-mode", "none", "--no-reboot", "-v",
                "--kernel", kernel, "--initrd", initrd, "--append", append]

    def bare_command(self, image):
        """Starts an image without firmware or operating system."""
        if self.kind == "qemu":
            return ARCHES[self.arch]["qemu"] + ["-accel", "tcg", "-m", "128M", "-display", "none", "-serial", "null",
                                                "-monitor", "none", "-nic", "none"] + \
                [ARCHES[self.arch]["bare"][0], image]
        return [self.binary, "run", "--guest-arch", self.arch, "--accel", self.accel, "--memory", "128M",
                "--net-mode", "none", ARCHES[self.arch]["bare"][1], image]


class Result:
    """What one boot gave."""

    def __init__(self):
        self.seconds = {}    # row -> CPU seconds
        self.sums = {}       # row -> checksum
        self.failed = {}     # row -> reason
        self.boot = None     # CPU seconds from process start to the guest's init
        self.beyond = None   # bytes of host memory beyond guest RAM, at that moment
        self.insns = None    # guest instructions, where the monitor says so at exit
        self.total = None    # CPU seconds of the whole run
        self.error = None


def memory_beyond_ram(pid):
    """Pss of a process without the mapping that is guest RAM: by name, or the one of just that size."""
    total = ram = 0
    in_ram = False
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as smaps:
        for line in smaps:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line)
            if head:
                size = int(head[2], 16) - int(head[1], 16)
                in_ram = "carbovisor-ram" in line or size >= MEMORY  # beside flash, perhaps
            elif line.startswith("Pss:"):
                kib = int(line.split()[1])
                total += kib
                ram += kib if in_ram else 0
    return (total - ram) << 10


class Watcher:
    """Reads the guest's console line by line; each mark is stamped with the CPU clock as soon as it is there."""

    def __init__(self, pid, result):
        self.pid, self.result, self.clock = pid, result, process_clock(pid)
        self.begun = {}  # row -> clock at its start mark
        self.rest = b""

    def feed(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        marks = [line for line in lines if MARK.search(line) or READY in line]
        if not marks:
            return
        now = self.stop()
        if now is not None:
            for line in marks:
                self.mark(line, now)
            os.kill(self.pid, signal.SIGCONT)

    def stop(self):
        """Stops the monitor and reads its clock: that of a running thread lags by up to a tick. None if it ended."""
        os.kill(self.pid, signal.SIGSTOP)
        state = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return time.clock_gettime(self.clock) if state.si_code == os.CLD_STOPPED else None

    def mark(self, line, now):
        r = self.result
        mark = MARK.search(line)
        if not mark:
            if r.boot is None:
                r.boot, r.beyond = now, memory_beyond_ram(self.pid)
            return
        row, what, text = (m.decode(errors="replace").strip() for m in mark.groups())
        if what == "start":
            self.begun[row] = now
        elif what == "end" and row in self.begun:
            r.seconds[row], r.sums[row] = now - self.begun.pop(row), text
        else:
            r.failed[row] = text


def watch(child, watcher, log):
    """Feeds the console to the watcher until the guest ends; None, or why it was not waited for."""
    out = child.stdout.fileno()
    while True:
        if not select.select([out], [], [], QUIET_SECONDS)[0]:
            return f"silent for {QUIET_SECONDS} s"
        data = os.read(out, 65536)
        if not data:
            return None
        watcher.feed(data)
        log.write(data)


def reap(child, result):
    """Exit status and CPU seconds of a monitor whose console has ended; one that lingers or was given up is killed."""
    deadline = time.monotonic() + (0 if result.error else 20)
    while not os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        if time.monotonic() > deadline:
            result.error = result.error or "does not end after its console has"
            child.kill()
        time.sleep(0.01)
    seconds = time.clock_gettime(process_clock(child.pid))
    return child.wait(), seconds


def boot(monitor, kernel, initrd, smp, log_path):
    """Boots the guest once and returns its Result; what the guest and the monitor said is in log_path."""
    result = Result()
    append = f"console={ARCHES[monitor.arch]['console']} cv.run=/bench/run {monitor.append}".rstrip()
    command = monitor.command(kernel, initrd, append, smp)
    with open(log_path, "wb") as log, open(log_path + ".err", "w+b") as err:
        log.write((" ".join(command) + "\n").encode())
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err)
        except OSError as e:
            result.error = f"{command[0]}: {e.strerror}"
            return result
        watcher = Watcher(child.pid, result)
        result.error = watch(child, watcher, log)
        status, result.total = reap(child, result)
        err.seek(0)
        found = re.findall(rb"\binsns\s+(\d+)", err.read())
        result.insns = int(found[-1]) if found else None
        if status and not result.error:
            result.error = f"exit status {status}, see {log_path}.err"
        for row in watcher.begun:
            result.failed[row] = "never ended"
    return result


def start_seconds(monitor, image, times=11):
    """Wall times of a process whose guest's first instructions end the machine; empty if one fails."""
    taken = []
    for _ in range(times):
        begin = time.monotonic()
        try:
            done = subprocess.run(monitor.bare_command(image), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return []
        taken.append(time.monotonic() - begin)
        if done.returncode:
            return []
    return taken
