#!/usr/bin/env python3
"""Draws what `reluctl inspect` says of a network, as SVG, with nothing but Python:

    reluctl inspect MODEL --rows=ROWS --label=last -o json | tests/docs/inspect_plot.py docs/inspect.svg

From the left: how often each neuron fires, by layer; the largest sums of each layer, on the rows and as proven; how
large the gradient is at each layer, as it is and with other activations.
"""
import json
import math
import sys

# Okabe and Ito's colours, which colour-blind people can tell apart.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"]
LEFT, TOP, WIDTH, HEIGHT, GAP = 56, 56, 320, 220, 90


def text(x, y, content, anchor="middle", size=12, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {extra}>{content}</text>'


def frame(left, title):
    return [text(left, TOP - 18, title, "start", 13, 'font-weight="bold"'),
            f'<rect x="{left}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#aaaaaa"/>']


def name(layer):
    return f'{layer["inputs"]} &#8594; {layer["outputs"]}'


def firing(network):
    svg = frame(LEFT, f'Part of {network["rows"]} rows on which a neuron is on')
    layers = [layer for layer in network["layers"] if "on" in layer]
    for percent in (0, 50, 100):
        svg.append(text(LEFT - 8, TOP + HEIGHT * (1 - percent / 100) + 4, f"{percent} %", "end"))
    for colour, layer in zip(COLOURS, layers):
        rates = sorted((on / network["rows"] for on in layer["on"]), reverse=True)
        points = " ".join(f"{LEFT + WIDTH * (i + 0.5) / len(rates):.1f},{TOP + HEIGHT * (1 - rate):.1f}"
                          for i, rate in enumerate(rates))
        svg.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        y = TOP + 18 + 18 * layers.index(layer)
        svg.append(text(LEFT + WIDTH - 10, y, name(layer), "end", extra=f'fill="{colour}"'))
    svg.append(text(LEFT + WIDTH / 2, TOP + HEIGHT + 22, "neurons of a layer, those that fire most first"))
    return svg


def powers_of_ten(left, network, kinds, svg):
    """Adds the axis and the names of the kinds; returns where a value lies."""
    values = [layer[key] for layer in network["layers"] for key, _ in kinds if layer.get(key)]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def y(value):
        return TOP + HEIGHT * (1 - (math.log10(value) - low) / (high - low))

    for power in range(low, high + 1):
        svg.append(text(left - 8, y(10 ** power) + 4, f"{10 ** power:g}", "end"))
        svg.append(f'<line x1="{left}" x2="{left + WIDTH}" y1="{y(10 ** power):.1f}" y2="{y(10 ** power):.1f}" stroke="#eeeeee"/>')
    for i, (_, label) in enumerate(kinds):
        svg.append(text(left + 10, TOP + 18 + 18 * i, label, "start", extra=f'fill="{COLOURS[i]}"'))
    return y


def bounds(network):
    left = LEFT + WIDTH + GAP
    svg = frame(left, "Largest sum of a layer")
    kinds = [("largest_input", "on the rows"), ("linear_bound", "proven, CROWN"), ("interval_bound", "proven, intervals")]
    y = powers_of_ten(left, network, kinds, svg)
    step = WIDTH / len(network["layers"])
    for i, layer in enumerate(network["layers"]):
        svg.append(text(left + step * (i + 0.5), TOP + HEIGHT + 22, name(layer)))
        for bar, (key, _) in enumerate(kinds):
            if layer.get(key):
                x, top = left + step * (i + 0.5) + 20 * (bar - 1.5), y(layer[key])
                svg.append(f'<rect x="{x:.1f}" y="{top:.1f}" width="16" height="{TOP + HEIGHT - top:.1f}" '
                           f'fill="{COLOURS[bar]}"/>')
    return svg


def gradients(network):
    left = LEFT + 2 * (WIDTH + GAP)
    svg = frame(left, "Gradient of the largest output, by depth")
    kinds = [("gradient", "as it is"), ("tanh_gradient", "with tanh"), ("sigmoid_gradient", "with sigmoid")]
    y = powers_of_ten(left, network, kinds, svg)
    step = WIDTH / len(network["layers"])
    for i, layer in enumerate(network["layers"]):
        svg.append(text(left + step * (i + 0.5), TOP + HEIGHT + 22, name(layer)))
    for colour, (key, _) in zip(COLOURS, kinds):
        points = " ".join(f"{left + step * (i + 0.5):.1f},{y(layer[key]):.1f}"
                          for i, layer in enumerate(network["layers"]) if layer[key])
        svg.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return svg


network = json.load(sys.stdin)["network"]
svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + 3 * WIDTH + 2 * GAP + 20} {TOP + HEIGHT + 44}" '
       'font-family="sans-serif">', '<rect width="100%" height="100%" fill="#ffffff"/>']
with open(sys.argv[1], "w") as file:
    file.write("\n".join(svg + firing(network) + bounds(network) + gradients(network) + ["</svg>"]) + "\n")
