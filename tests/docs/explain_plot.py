#!/usr/bin/env python3
"""Draws an explanation as a waterfall, as SVG, with nothing but Python:

    reluctl explain credit_embed ... -k 0 -o json | tests/docs/explain_plot.py ROW docs/explain.svg

From the baseline to the row: each contribution begins where the one before ends.
"""
import json
import sys

# Okabe and Ito's colours, which colour-blind people can tell apart.
UP, DOWN, TOTAL = "#d55e00", "#0072b2", "#555555"
LEFT, TOP, STEP, WIDTH, RIGHT = 250, 66, 26, 480, 90


def text(x, y, content, anchor="start", size=12, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {extra}>{content}</text>'


def draw(explanation, output, link):
    shown = [c for c in explanation["contributions"] if abs(c["contribution"]) > 1e-9]
    shown.sort(key=lambda c: -abs(c["contribution"]))
    bars, at = [], explanation["baseline_value"]
    for c in shown:
        bars.append((c["feature"], f'{c["baseline"]:g} &#8594; {c["value"]:g}', at, at + c["contribution"]))
        at += c["contribution"]
    if abs(explanation["remainder"]) > 1e-6:
        bars.append(("(not explained)", "", at, at + explanation["remainder"]))
    ends = [e for bar in bars for e in bar[2:]] + [explanation["baseline_value"], explanation["value"]]
    low, high = min(ends), max(ends)

    def x(value):
        return LEFT + (value - low) / (high - low) * WIDTH

    height = TOP + (len(bars) + 2) * STEP + 20
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" '
           'font-family="sans-serif">',
           '<rect width="100%" height="100%" fill="#ffffff"/>',
           text(16, 26, f'Why {output} is {explanation["answer"]:.2f}', size=16, extra='font-weight="bold"'),
           text(16, 46, f'contributions to what the {link} is given, from the baseline to row {explanation["row"]}')]

    def total(row, label, value):
        y = TOP + row * STEP
        svg.append(text(LEFT - 12, y + 16, label, "end", extra='font-weight="bold"'))
        svg.append(f'<rect x="{x(value) - 2:.1f}" y="{y + 3}" width="4" height="18" fill="{TOTAL}"/>')
        svg.append(text(x(value) + 8, y + 16, f"{value:.2f}"))

    total(0, "baseline", explanation["baseline_value"])
    for row, (feature, change, start, end) in enumerate(bars, 1):
        y, left, right = TOP + row * STEP, min(x(start), x(end)), max(x(start), x(end))
        svg.append(text(LEFT - 12, y + 16, f"{feature} <tspan fill=\"#777777\">{change}</tspan>", "end"))
        svg.append(f'<line x1="{x(start):.1f}" y1="{y - 4}" x2="{x(start):.1f}" y2="{y + 3}" stroke="#aaaaaa"/>')
        svg.append(f'<rect x="{left:.1f}" y="{y + 3}" width="{max(right - left, 1):.1f}" height="18" '
                   f'fill="{UP if end > start else DOWN}"/>')
        svg.append(text(right + 6, y + 16, f"{end - start:+.2f}"))
    total(len(bars) + 1, "this row", explanation["value"])
    return "\n".join(svg + ["</svg>"]) + "\n"


answer = json.load(sys.stdin)
wanted = next(e for e in answer["explanations"] if e["row"] == int(sys.argv[1]))
with open(sys.argv[2], "w") as file:
    file.write(draw(wanted, answer["output"], answer["link"]))
