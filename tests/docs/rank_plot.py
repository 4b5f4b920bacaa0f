#!/usr/bin/env python3
"""Draws what Rank saves, as SVG, with nothing but Python, from what the benchmark has measured:

    build/release/tests/benchmark/rank_benchmark build/release/server/relud | tests/docs/rank_plot.py docs/rank_speed.svg

For each number of items, beside the full rows: the time of the engine, that of a call, and the bytes of the message.
"""
import re
import sys

# Okabe and Ito's colours, which colour-blind people can tell apart.
FULL, SHARED, TEXT = "#999999", "#0072b2", "#555555"
LEFT, TOP, WIDTH, GAP, STEP = 110, 84, 190, 60, 52
ENGINE = re.compile(r"engine, (\d+) items in batches of 64: full rows (\d+) us, shared once (\d+) us")
SERVER = re.compile(r"server, (\d+) items: ModelInfer (\d+) us and (\d+) bytes of values, Rank (\d+) us and a message of (\d+)")


def read(text):
    """By panel and number of items: of full rows, and of Rank."""
    engine = {int(n): (float(full), float(rank)) for n, full, rank in ENGINE.findall(text)}
    calls, sizes = {}, {}
    for n, full_us, full_bytes, rank_us, rank_bytes in SERVER.findall(text):
        calls[int(n)] = (float(full_us), float(rank_us))
        sizes[int(n)] = (float(full_bytes) / 1000, float(rank_bytes) / 1000)
    if not engine or engine.keys() != calls.keys():
        sys.exit("the input is not what rank_benchmark prints")
    return {"engine, us": engine, "call over loopback, us": calls, "bytes of a request, KB": sizes}


def text(x, y, content, anchor="start", size=12, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {extra}>{content}</text>'


def draw(panels):
    counts = sorted(next(iter(panels.values())))
    width, height = LEFT + len(panels) * (WIDTH + GAP), TOP + len(counts) * STEP + 16
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
           '<rect width="100%" height="100%" fill="#ffffff"/>',
           text(16, 26, "What Rank saves: 256 features that all items share, 64 of each item", size=16,
                extra='font-weight="bold"')]
    for x, colour, name in ((16, FULL, "ModelInfer, full rows"), (190, SHARED, "Rank, shared features once")):
        svg.append(f'<rect x="{x}" y="38" width="12" height="12" fill="{colour}"/>')
        svg.append(text(x + 18, 48, name))
    for row, count in enumerate(counts):
        svg.append(text(LEFT - 12, TOP + row * STEP + 22, f"{count} items", "end"))
    for column, (title, values) in enumerate(panels.items()):
        left = LEFT + column * (WIDTH + GAP)
        svg.append(text(left, TOP - 8, title, extra=f'fill="{TEXT}"'))
        for row, count in enumerate(counts):
            full, rank = values[count]
            # Each row by itself: it is the ratio that counts.
            for y, value, colour in ((0, full, FULL), (17, rank, SHARED)):
                size = WIDTH * 0.75 * value / max(full, rank)
                svg.append(f'<rect x="{left}" y="{TOP + row * STEP + y}" width="{size:.1f}" height="15" fill="{colour}"/>')
                svg.append(text(left + size + 6, TOP + row * STEP + y + 12, f"{value:,.0f}", size=11))
    return "\n".join(svg + ["</svg>"]) + "\n"


with open(sys.argv[1], "w") as file:
    file.write(draw(read(sys.stdin.read())))
