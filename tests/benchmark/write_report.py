#!/usr/bin/env -S python3 -B
"""Writes a page, and a plot beside it, from what engine_benchmark found.

    write_report.py RESULTS.json PAGE.md [NOTE]

The sections of the page that others write stay as they are.
"""
import itertools
import json
import pathlib
import subprocess
import sys

from floors import EMPTY_CALL, ORT, OURS, check, engines_of
from ratio_plot import ratio_plot
from write_serving import SERVING_TITLE, section_of

INTRODUCTION = """# Benchmarks

How long relud's engine takes to compute a batch of rows, beside the engines that one would use instead, on one machine. A ratio is a
peer's time by ours: above 1 relud is faster, and **bold** means that the peer is. Written by `tests/benchmark/run.sh`, which installs, builds and
measures everything again:

```sh
tests/benchmark/run.sh           # all of it: writes this page
tests/benchmark/run.sh --quick   # a part of it, to the terminal
```

![Ratio of each peer's time to ours, by network and rows in the batch]({plot})
"""

HOW_TO_READ = """## How to read it

- All engines run in one process, on the same rows and weights (in float32, but for one table), in turn: a sample of relud, a sample of each peer, and again. A
  sample is as many calls as fit into 0.3 ms (at least one), after up to eight that bring the weights back into the caches. A ratio is the median
  over all rounds of the ratio *within* a round, so what else the machine does falls on both sides. Times are medians; the best is in brackets. Everything is
  loaded three times for each measurement, as the pages of memory that the weights happen to get matter.
- Every call goes from rows in the caller's memory to answers in memory. relud's time includes the copies in and out that its server makes.
  Consecutive calls get different rows (64 or more in turn).
- Peers get what serves them best: weights packed beforehand where the library can, ReLU fused where it can, tensors bound beforehand, Eigen
  compiled for this CPU. ONNX Runtime is called through its C interface with all graph optimisations. A call of it that
  does nothing (a model of one Identity) is measured in the same rounds; the column "less call" has its ratio without that time.
- All answers were compared: those of each peer are within 1e-4 of ours, relative to the largest. Else the program fails.
- Columns of relud are other ways that it could have taken, measured in the same rounds: it never skips zeros ("no skip"), it skips them wherever it can ("all
  skip"), with one thread, with weights in float32. Their answers have the same bits as those of the way that it took, or the program fails.
- *% FMA* is the share of the multiply-adds that a loop on registers makes on this CPU, measured in the same rounds. *% limit* is the share of the
  roofline: the longer of that loop's time and the time to read as many bytes as the weights have. A batch of one row reads each weight
  for a single multiply-add, so it is the reading that limits it.
- GB/s counts the bytes of weights, once a call, by the time.
"""

# Written by hand, and kept: what was found out about cells below their floors.
# Look again when the table has others.
BELOW_TITLE = "### Why some are below"

TABLES = {
    "dense": """## Networks of random weights

Half of the hidden activations are zero, as random weights make them; the inputs have no zeros.
""",
    "trained": """## Trained models

The models of the tests, with real rows. Engines that know only layers cannot run all of them.
""",
    "half": """## Weights in float16

One row; the weights are kept in float16, sums are taken in float32. The peers have the same weights in float32, ONNX Runtime in the way that it chose
for a model whose weights are float16.
""",
    "cold": """## Cold caches

One row, after 64 MB of other data went through the caches: what a request meets on a server with little to do.
""",
    "zeros": """## Zeros

That share of the inputs and of the hidden activations is zero, at random places.
""",
}


def sizes_text(sizes):
    """[512, 512, 10] -> "512-512-10", [256, 256, 256, 16] -> "(256 x 3)-16"."""
    runs = [(size, len(list(run))) for size, run in itertools.groupby(sizes)]
    return "-".join("-".join([str(size)] * count) if count < 3 else f"({size} x {count})" for size, count in runs)


def is_ours(name):
    return name.startswith(OURS)


def ratio_text(ratio):
    text = f"{ratio:.2f}" if ratio < 9.95 else f"{ratio:.1f}"
    return f"**{text}**" if ratio < 0.995 else text


def time_text(us):
    return f"{us:.2f}" if us < 10 else f"{us:.1f}" if us < 1000 else f"{us:,.0f}"


def bytes_text(size):
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} KB"


def name_of(row):
    name = row["network"]
    if row["table"] == "zeros":
        name += f", {100 * row['zeros']:.0f} %"
    return name + (f", {row['threads']} threads" if row["threads"] > 1 else "")


def table(rows):
    peers = list(dict.fromkeys(e["name"] for r in rows for e in r["engines"] if e["name"] not in (OURS, EMPTY_CALL)))
    peers.sort(key=lambda name: not is_ours(name))  # First, beside our own times.
    header = ["network", "rows", "relud us (best)", "GF/s", "GB/s", "% FMA", "% limit"]
    header += [p.removeprefix(f"{OURS}, ") for p in peers]
    if ORT in peers:
        header.insert(header.index(ORT) + 1, "less call")
    lines = ["| " + " | ".join(header) + " |", "| " + " | ".join(["---"] * len(header)) + " |"]
    for row in rows:
        engines = engines_of(row)
        ours = engines[OURS]
        cells = [name_of(row), str(row["batch"]),
                 f"{time_text(ours['median_us'])} ({time_text(ours['best_us'])})",
                 f"{row['gflops']:.1f}", f"{row['gigabytes_per_second']:.1f}",
                 f"{100 * row['share_of_fma']:.0f}", f"{100 * row['share_of_limit']:.0f}"]
        for peer in peers:
            engine = engines.get(peer)
            text = ratio_text(engine["ratio"]) if engine else "-"
            cells.append(text.strip("*") if is_ours(peer) else text)
            if peer == ORT:
                cells.append(ratio_text(engine["ratio"] - engines[EMPTY_CALL]["ratio"]) if engine else "-")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def machine(results, note):
    lines = [f"- {key}: {value}" for key, value in results["machine"].items()]
    lines += [f"- {name}: {version}" for name, version in results["engines"].items()]
    packages = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "libdnnl2", "libopenblas0-pthread",
         "libeigen3-dev", "libxnnpack0"], capture_output=True, text=True, check=False).stdout
    lines += ["- Debian packages: " + ", ".join(packages.split("\n")).strip(", ")] if packages else []
    lines += [f"- {note}"] if note else []
    return "## The machine\n\n" + "\n".join(lines) + "\n"


def summary(rows):
    """The dense table in short: against ONNX Runtime, and the best of the others."""
    lines = ["## In short\n", "The ratio to ONNX Runtime / to the fastest of the other peers, by rows in the batch:\n"]
    batches = sorted({row["batch"] for row in rows})
    lines.append("| network | weights | " + " | ".join(map(str, batches)) + " |")
    lines.append("| --- | --- | " + " | ".join(["---"] * len(batches)) + " |")
    for (network, threads), group in itertools.groupby(rows, lambda r: (r["network"], r["threads"])):
        group = {row["batch"]: row for row in group}
        first = next(iter(group.values()))
        cells = [f"{name_of(first)} = {sizes_text(first['sizes'])}", bytes_text(first["weight_bytes"])]
        for batch in batches:
            others = engines_of(group[batch]) if batch in group else {}
            others.pop(EMPTY_CALL, None)
            ort = others.pop(ORT, None)
            best = min((e["ratio"] for name, e in others.items() if not is_ours(name)), default=None)
            cells.append((ratio_text(ort["ratio"]) if ort else "-") + " / " +
                         (ratio_text(best) if best else "-"))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def best_us(row, name):
    return engines_of(row)[name]["best_us"]


def two_threads(rows):
    """What two CPUs reach while nobody else has one of them."""
    one = {(row["network"], row["batch"]): row for row in rows if row["threads"] == 1}
    lines = ["### Two threads, by the best samples\n",
             "The ratio of the best sample of one thread, and of the best one of ONNX Runtime with two threads, to that of relud with two threads:\n",
             "| network | rows | us | one thread | ONNX Runtime |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        alone = one.get((row["network"], row["batch"]))
        if row["threads"] == 2 and alone:
            best = best_us(row, OURS)
            ort = ratio_text(best_us(row, ORT) / best) if ORT in engines_of(row) else "-"
            lines.append(f"| {row['network']} | {row['batch']} | {time_text(best)} | {ratio_text(best_us(alone, OURS) / best)} | {ort} |")
    return "\n".join(lines) + "\n" if len(lines) > 4 else ""


def cell_text(cell):
    row, value, floor = cell
    return (f"{name_of(row)}, {row['batch']} row{'s' if row['batch'] > 1 else ''}: {value:.2f} of {floor:g} "
            f"(at {100 * row['share_of_limit']:.0f} % of the limit)")


def floors_table(rows):
    lines = ["## What it is to reach\n", "Floors that were set before, and how many cells of the tables below reach them. The limit is the roofline, "
             "as below: where a cell is near 100 % of it, no kernel can do more with all weights, only skip some.\n",
             "| floor | reached | the closest, or all below |", "| --- | --- | --- |"]
    for name, reached, count, closest, missed in check(rows):
        cells = "; ".join(map(cell_text, missed or [closest]))
        lines.append(f"| {name} | {reached} of {count} | {cells} |")
    return "\n".join(lines) + "\n"


def main():
    results = json.loads(pathlib.Path(sys.argv[1]).read_text())
    page = pathlib.Path(sys.argv[2])
    plot = page.with_suffix(".svg")
    note = sys.argv[3] if len(sys.argv) > 3 else ""
    by_table = {name: [r for r in results["rows"] if r["table"] == name] for name in TABLES}
    old = page.read_text() if page.exists() else ""
    parts = [INTRODUCTION.format(plot=plot.name), summary(by_table["dense"]), floors_table(results["rows"]),
             section_of(old, BELOW_TITLE).rstrip("\n") + "\n", two_threads(by_table["dense"]), HOW_TO_READ, machine(results, note)]
    parts += [f"{TABLES[name]}\n{table(rows)}" for name, rows in by_table.items() if rows]
    parts.append(section_of(old, SERVING_TITLE))
    page.write_text("\n".join(filter(str.strip, parts)))
    plot.write_text(ratio_plot(by_table["dense"], lambda name: is_ours(name) or name == EMPTY_CALL))


if __name__ == "__main__":
    main()
