#!/usr/bin/env python3
"""Prints the figures of docs/explain.md, from a running server:

    relud --model-repository=deploy/models &
    tests/docs/explain_figures.py build/release/client/reluctl [--server=ADDRESS ...]
"""
import collections
import json
import statistics
import subprocess
import sys

FOLDER = "deploy/models/credit_embed/"


def explain(method):
    command = [sys.argv[1], "explain", "credit_embed", f"--input={FOLDER}rows.csv", "--label=last",
               f"--baseline={FOLDER}typical.csv", f"--method={method}", "--top=0", "--output=json", *sys.argv[2:]]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["explanations"]


def largest(explanation):
    by_size = sorted(explanation["contributions"], key=lambda c: -abs(c["contribution"]))
    return {c["feature"] for c in by_size[:4]}


methods = {method: explain(method) for method in ("gradient", "integrated", "exact")}
exact = methods["exact"]
# Where there is hardly a difference there is nothing to explain.
gaps = [abs(e["value"] - e["baseline_value"]) for e in exact]
rows = [i for i, gap in enumerate(gaps) if gap > 0.5]
print(f"{len(exact)} rows, {len(rows)} of them more than 0.5 from the baseline")
for method, all_rows in methods.items():
    missed = statistics.median(abs(all_rows[i]["remainder"]) / gaps[i] for i in rows)
    same = statistics.mean(len(largest(a) & largest(b)) / 4 for a, b in zip(all_rows, exact))
    print(f"{method}: misses {missed:.2g} of the difference (median), has {same:.1%} of the four largest of exact")
print(f"exact: {statistics.median(e['pieces'] for e in exact):.0f} pieces (median)")
bad = [e for e in exact if e["answer"] > 0.5]
first = collections.Counter(max(e["contributions"], key=lambda c: c["contribution"])["feature"] for e in bad)
print(f"{len(bad)} above 0.5, first reasons: {dict(first.most_common())}")
