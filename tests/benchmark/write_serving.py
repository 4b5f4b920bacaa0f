#!/usr/bin/env -S python3 -B
"""Writes what serving_benchmark found into a section of a page.

    write_serving.py RESULTS.json PAGE.md [NOTE]

The rest of the document, which write_report.py writes, stays as it is.
"""
import datetime
import json
import pathlib
import re
import sys

SERVING_TITLE = "## Serving"

INTRODUCTION = """
The real server against a null RPC: the same method, payload and size of the answer on the same gRPC, with nothing done in between. Both
are processes on one CPU, measured in turn by a lean client (nghttp2) on another; medians of rounds, ratios of pairs. *tiny* is 32-64-32-1; *mnist* is
784-512-512-10 with as many zeros as a network that was trained on MNIST has; *mnist_256x128* is the trained one that relud comes with, on real digits. Written by:

```sh
tests/benchmark/serving.sh
```
"""


def section_of(document, title):
    """The section of `document` that begins with a title that begins so, or nothing."""
    level = len(title) - len(title.lstrip("#"))
    found = re.search(rf"^{title}.*?(?=^#{{1,{level}}} |\Z)", document, re.DOTALL | re.MULTILINE)
    return found.group() if found else ""


def table(rows):
    lines = ["| figure | measured | floor | |", "| --- | --- | --- | --- |"]
    for row in rows:
        value = f"{row['value']:.2f}"
        floor = ""
        if "wanted" in row:
            floor = f"{'>=' if row['at_least'] else '<='} {row['wanted']:g}"
            reached = row["value"] >= row["wanted"] if row["at_least"] else row["value"] <= row["wanted"]
            value = value if reached else f"**{value}**"
        lines.append(f"| {row['what']} | {value} | {floor} | {row['detail']} |")
    return "\n".join(lines) + "\n"


def main():
    rows = json.loads(pathlib.Path(sys.argv[1]).read_text())
    page = pathlib.Path(sys.argv[2])
    notes = [f"Measured on {datetime.date.today().isoformat()}; **bold** does not reach its floor."] + sys.argv[3:]
    section = f"{SERVING_TITLE}\n{INTRODUCTION}\n{' '.join(notes)}\n\n{table(rows)}"
    text = page.read_text() if page.exists() else ""
    old = section_of(text, SERVING_TITLE)
    page.write_text(text.replace(old, section) if old else f"{text}\n{section}")


if __name__ == "__main__":
    main()
