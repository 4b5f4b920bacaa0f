#!/usr/bin/env python3
"""Measures and draws the picture of docs/guarantees.md, with nothing but Python:

    tests/docs/guarantees_plot.py build/release/server/relud build/release/client/reluctl docs/guarantees.svg

Left: what the model of handwritten digits says of pixels that somebody forgot to scale, and what its domain says of
them. Right: the largest value that is proven possible in the network, by the domain of its pixels.
"""
import csv
import json
import math
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

RELUD, RELUCTL, PICTURE = sys.argv[1:]
MODEL = pathlib.Path("deploy/models/mnist_256x128")
SCALES = [1, 2, 4, 8, 16, 32, 64, 128, 255]
BOUNDS = [10.0 ** power for power in range(0, 39, 2)]
FLOAT32_END = 3.4028e38

# Okabe and Ito's colours, which colour-blind people can tell apart.
COLOURS = ["#0072b2", "#d55e00", "#009e73"]
LEFT, TOP, WIDTH, HEIGHT, GAP = 60, 56, 320, 220, 90


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """relud with the model and a domain that flags."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        shutil.copytree(MODEL, pathlib.Path(self.folder) / "digits")
        (pathlib.Path(self.folder) / "digits" / "config.pbtxt").write_text(
            'parameters { key: "input_domain.input" value { string_value: "[0, 1]" } }\n'
            'parameters { key: "domain_policy" value { string_value: "flag" } }\n')
        self.http = free_port()
        self.process = subprocess.Popen(
            [RELUD, f"--model-repository={self.folder}", f"--grpc-port={free_port()}", f"--http-port={self.http}",
             f"--metrics-port={free_port()}", "--lame-duck=0"], stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.http}/v2/health/ready")
                return self
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        sys.exit("relud does not get ready")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    def infer(self, rows):
        data = [value for row in rows for value in row]
        body = {"inputs": [{"name": "input", "datatype": "FP32", "shape": [len(rows), len(rows[0])], "data": data}]}
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}/v2/models/digits/infer",
                                         json.dumps(body).encode())
        answer = json.load(urllib.request.urlopen(request))
        flagged = answer.get("parameters", {}).get("relu_out_of_domain_rows", 0)
        values = answer["outputs"][0]["data"]
        return [values[i:i + 10] for i in range(0, len(values), 10)], int(flagged)


def confidence(logits):
    largest = max(logits)
    return 1 / sum(math.exp(value - largest) for value in logits)


def measure():
    """By scale: mean confidence, accuracy and flagged rows, as parts of all."""
    with open(MODEL / "rows.csv", newline="") as file:
        table = list(csv.reader(file))[1:]
    rows = [[float(value) for value in row[:-1]] for row in table]
    labels = [int(row[-1]) for row in table]
    series = {"mean confidence": [], "accuracy": [], "flagged": []}
    with Server() as server:
        for scale in SCALES:
            logits, flagged = server.infer([[value * scale for value in row] for row in rows])
            right = [answer.index(max(answer)) == label for answer, label in zip(logits, labels)]
            series["mean confidence"].append(sum(map(confidence, logits)) / len(rows))
            series["accuracy"].append(sum(right) / len(rows))
            series["flagged"].append(flagged / len(rows))
    return series


def proven(bound):
    command = [RELUCTL, "inspect", str(MODEL / "1" / "model.onnx"), f"--domain=input=[0, {bound:g}]", "-o", "json"]
    network = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["network"]
    return max(network["largest_value"], network["largest_sum"]), network["fits_float32"]


def text(x, y, content, anchor="middle", size=12, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {extra}>{content}</text>'


def frame(left, title):
    return [text(left, TOP - 18, title, "start", 13, 'font-weight="bold"'),
            f'<rect x="{left}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#aaaaaa"/>']


def line(points, colour):
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2.5"/>'


def draw_scales(series):
    svg = frame(LEFT, "Pixels times a factor that is a mistake")
    for percent in (0, 50, 100):
        svg.append(text(LEFT - 8, TOP + HEIGHT * (1 - percent / 100) + 4, f"{percent} %", "end"))
    xs = [LEFT + WIDTH * math.log2(scale) / 8 for scale in SCALES]
    for scale, x in zip(SCALES, xs):
        svg.append(text(x, TOP + HEIGHT + 18, f"{scale}"))
    for i, (name, values) in enumerate(series.items()):
        svg.append(line([(x, TOP + HEIGHT * (1 - value)) for x, value in zip(xs, values)], COLOURS[i]))
        svg.append(text(LEFT + WIDTH - 12, TOP + HEIGHT / 2 + 20 + 18 * i, name, "end", extra=f'fill="{COLOURS[i]}"'))
    return svg


def draw_proof(values):
    left = LEFT + WIDTH + GAP
    svg = frame(left, "Largest value that is possible in the network")
    top_power = 44

    def y(value):
        return TOP + HEIGHT * (1 - math.log10(value) / top_power)

    for power in range(0, top_power + 1, 11):
        svg.append(text(left - 8, y(10.0 ** power) + 4, f"1e{power}", "end"))
    svg.append(f'<line x1="{left}" x2="{left + WIDTH}" y1="{y(FLOAT32_END):.1f}" y2="{y(FLOAT32_END):.1f}" '
               'stroke="#555555" stroke-dasharray="5 4"/>')
    svg.append(text(left + 8, y(FLOAT32_END) - 6, "float32 ends", "start", extra='fill="#555555"'))
    for bound, (value, fits) in zip(BOUNDS, values):
        x = left + WIDTH * math.log10(bound) / 38
        svg.append(f'<circle cx="{x:.1f}" cy="{y(value):.1f}" r="4" fill="{COLOURS[2 if fits else 1]}"/>')
    for power in range(0, 39, 6):
        svg.append(text(left + WIDTH * power / 38, TOP + HEIGHT + 18, f"1e{power}"))
    svg.append(text(left + WIDTH / 2, TOP + HEIGHT + 36, "pixels are from 0 to"))
    for i, (label, colour) in enumerate([("certified", COLOURS[2]), ("not certified", COLOURS[1])]):
        svg.append(text(left + WIDTH - 12, TOP + HEIGHT - 34 + 18 * i, label, "end", extra=f'fill="{colour}"'))
    return svg


series = measure()
for name, values in series.items():
    print(f"{name}: " + ", ".join(f"x{scale}: {value:.3f}" for scale, value in zip(SCALES, values)))
proofs = [proven(bound) for bound in BOUNDS]
last = max(bound for bound, (_, fits) in zip(BOUNDS, proofs) if fits)
print(f"largest value for pixels from 0 to 1: {proofs[0][0]:.4g}; certified up to pixels of {last:g}")
svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + 2 * WIDTH + GAP + 20} {TOP + HEIGHT + 48}" '
       'font-family="sans-serif">', '<rect width="100%" height="100%" fill="#ffffff"/>']
with open(PICTURE, "w") as file:
    file.write("\n".join(svg + draw_scales(series) + draw_proof(proofs) + ["</svg>"]) + "\n")
