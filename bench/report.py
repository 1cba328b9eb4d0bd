"""Turns the runs of a bench into ratios, figures against their bars, a table, a CSV and a plot."""

import math

# figure, unit, bar, kind. Ratios are QEMU's CPU seconds over ours, so larger is faster; see figures() for the values.
BARS = [
    ("integer-geomean", "x", ">=", 1.6),
    ("calls-geomean", "x", ">=", 2.2),
    ("calls-worst", "x", ">=", 1.8),
    ("fp-geomean", "x", ">=", 5.0),
    ("tlb-geomean", "x", ">=", 3.0),
    ("code-geomean", "x", ">=", 1.2),
    ("code-worst", "x", ">=", 1.0),
    ("traps-geomean", "x", ">=", 1.2),
    ("traps-worst", "x", ">=", 1.0),
    ("mm-geomean", "x", ">=", 1.2),
    ("mm-worst", "x", ">=", 1.0),
    ("all-geomean", "x", ">=", 2.0),
    ("two-vcpus-cost", "x", "<=", 1.1),
    ("shared-atomics", "x", ">=", 1.0),
    ("shared-mutex", "x", ">=", 1.0),
    ("boot-time", "of-qemu", "<=", 0.7),
    ("memory-beyond-ram-jit", "MiB", "<=", 48),
    ("memory-beyond-ram-interp", "MiB", "<=", 24),
    ("interp-speed", "Minsn/s", ">=", 100),
    ("start", "ms", "<=", 20),
]

# Where a pair of a guest ISA has other figures; those of the machine as a whole count once, in pair "a".
ARM64_BARS = [
    ("integer-geomean", "x", ">=", 1.6),
    ("calls-geomean", "x", ">=", 2.2),
    ("fp-geomean", "x", ">=", 4.0),
    ("all-geomean", "x", ">=", 2.0),
    ("class-worst", "x", ">=", 1.2),
    ("boot-time", "of-qemu", "<=", 0.7),
]
PAIR_BARS = {
    ("arm64", "a"): ARM64_BARS + BARS[-4:],
    ("arm64", "b"): ARM64_BARS,
    ("arm64", "c"): [("traps-geomean", "x", ">=", 3.0), ("mm-geomean", "x", ">=", 1.5)],
}

COLOURS = {"integer": "#4e79a7", "calls": "#f28e2b", "fp": "#59a14f", "tlb": "#e15759", "memory": "#b07aa1",
           "code": "#9c755f", "traps": "#76b7b2", "mm": "#edc948", "threads": "#7f7f7f"}


def median(values):
    v = sorted(x for x in values if x is not None)
    if not v:
        return None
    mid = len(v) // 2
    return v[mid] if len(v) % 2 else (v[mid - 1] + v[mid]) / 2


def geomean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values)) if values else None


class Row:
    """One row's medians: qemu is what was measured, best what the faster of two QEMU releases took or would take."""

    def __init__(self, cls, name, qemu, best, ours):
        self.cls, self.name, self.qemu, self.best, self.ours = cls, name, qemu, best, ours
        self.ratio = best / ours if best and ours else None


def read_factors(path, arch):
    """row -> QEMU 10's CPU seconds as a fraction of QEMU 7.2's."""
    factors = {}
    with open(path, encoding="utf-8") as f:
        next(f)
        for line in f:
            guest, row, factor, _ = line.rstrip("\n").split(",", 3)
            if guest == arch:
                factors[row] = float(factor)
    return factors


def best_qemu(seconds, factor, major):
    """What the faster of QEMU 7.2 and QEMU 10 would take, from what the one that is installed took."""
    if seconds is None:
        return None
    return seconds * min(1.0, factor if major < 10 else 1 / factor)


def by_class(rows):
    groups = {}
    for row in rows:
        groups.setdefault(row.cls, []).append(row)
    return groups


def figures(rows, sizes, extra):
    """
    Figure name -> value, or None where it was not measured. sizes: class -> its number of rows; a class, or the
    whole, has a value only when each of its rows has one.
    """
    values = dict(extra)
    for cls, group in by_class(rows).items():
        ratios = [r.ratio for r in group]
        whole = all(ratios) and len(ratios) == sizes[cls]
        values[f"{cls}-geomean"] = geomean(ratios) if whole else None
        values[f"{cls}-worst"] = min(ratios) if whole else None
    each = [values[f"{cls}-geomean"] for cls in by_class(rows)]
    values["class-worst"] = min(each) if each and all(each) and len(each) == len(sizes) else None
    ratios = [r.ratio for r in rows]
    values["all-geomean"] = geomean(ratios) if all(ratios) and len(ratios) == sum(sizes.values()) else None
    named = {r.name: r for r in rows}
    for figure, row in (("shared-atomics", "atomics"), ("shared-mutex", "mutex")):
        if row in named:
            values[figure] = named[row].ratio
    if "parallel" in named and "sequential" in named and named["parallel"].ours and named["sequential"].ours:
        values["two-vcpus-cost"] = named["parallel"].ours / named["sequential"].ours
    return values


def number(value, digits=3):
    return "-" if value is None else f"{value:.{digits}f}"


def table(rows, names):
    """The rows as text, class by class; names are the columns' monitors."""
    head = f"{'class':8} {'row':14} {names[0] + ' s':>14} {'best qemu s':>12} {names[1] + ' s':>12} {'ratio':>7}"
    lines = [head, "-" * len(head)]
    for cls, group in by_class(rows).items():
        for r in group:
            lines.append(f"{cls:8} {r.name:14} {number(r.qemu):>14} {number(r.best):>12} {number(r.ours):>12} "
                         f"{number(r.ratio, 2):>7}")
        ratios = [r.ratio for r in group if r.ratio]
        sums = [sum(filter(None, column)) or None for column in
                ([r.qemu for r in group], [r.best for r in group], [r.ours for r in group])]
        lines.append(f"{cls:8} {'= sum, geomean':14} {number(sums[0]):>14} {number(sums[1]):>12} {number(sums[2]):>12} "
                     f"{number(geomean(ratios), 2):>7}")
    return lines


def figure_lines(values, partial, arch, pair):
    """One line a figure: name value unit bar ok|short. What a partial run leaves out is not short."""
    lines = []
    for name, unit, sense, bar in PAIR_BARS.get((arch, pair), BARS):
        value = values.get(name)
        name = name if pair == "a" else f"{pair}-{name}"
        if value is None and partial:
            continue
        if value is None:
            lines.append(f"{name} - {unit} {sense}{bar:g} short")
            continue
        good = value >= bar if sense == ">=" else value <= bar
        lines.append(f"{name} {value:.2f} {unit} {sense}{bar:g} {'ok' if good else 'short'}")
    return lines


def csv(rows, runs):
    """runs: monitor -> row -> seconds of each repetition."""
    lines = ["class,row,qemu_s,best_qemu_s,carbovisor_s,ratio,qemu_runs,other_runs,carbovisor_runs"]
    for r in rows:
        each = [" ".join(f"{s:.4f}" for s in runs.get(m, {}).get(r.name, [])) for m in ("qemu", "other", "carbovisor")]
        cells = [r.cls, r.name] + ["" if v is None else f"{v:.4f}" for v in (r.qemu, r.best, r.ours, r.ratio)] + each
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def svg(rows, title):
    """Horizontal bars of the ratios on a logarithmic axis, 1 being as fast as QEMU."""
    rows = [r for r in rows if r.ratio]
    if not rows:
        return None
    left, width, step, top = 120, 640, 16, 44
    low = min(0.5, *[r.ratio for r in rows]) * 0.95
    high = max(4.0, *[r.ratio for r in rows]) * 1.05

    def at(v):
        return left + width * math.log(v / low) / math.log(high / low)

    height = top + step * len(rows) + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 70}" height="{height}" '
           f'font-family="sans-serif" font-size="11">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="8" y="16" font-size="13">{title}</text>']
    for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        if low <= tick <= high:
            colour = "#000" if tick == 1 else "#ccc"
            out.append(f'<line x1="{at(tick):.1f}" x2="{at(tick):.1f}" y1="{top - 6}" y2="{height - 14}" '
                       f'stroke="{colour}"/><text x="{at(tick):.1f}" y="{top - 10}" text-anchor="middle">{tick:g}x</text>')
    for i, r in enumerate(rows):
        y = top + step * i
        x0, x1 = sorted((at(1), at(r.ratio)))
        out.append(f'<text x="{left - 6}" y="{y + 11}" text-anchor="end">{r.name}</text>'
                   f'<rect x="{x0:.1f}" y="{y + 2}" width="{max(x1 - x0, 1):.1f}" height="{step - 4}" '
                   f'fill="{COLOURS.get(r.cls, "#999")}"><title>{r.cls}</title></rect>'
                   f'<text x="{x1 + 4:.1f}" y="{y + 11}">{r.ratio:.2f}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"
