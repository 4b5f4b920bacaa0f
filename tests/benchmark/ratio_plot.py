"""Draws ratios by network and batch size as SVG, with nothing but Python."""
import math

# Okabe and Ito's colours, which colour-blind people can tell apart.
COLOURS = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
PANEL_WIDTH, PANEL_HEIGHT = 250, 190
LEFT, TOP, GAP = 64, 92, 36
COLUMNS = 3
TICKS = [0.5, 0.7, 1, 1.5, 2, 3, 5, 8, 12, 20, 30]


def text(x, y, content, size=12, anchor="middle", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {extra}>{content}</text>'


def line(x1, y1, x2, y2, colour, width=1.0):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def marker(shape, x, y, colour):
    """Shapes as well as colours tell the peers apart."""
    r = 4
    points = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="{colour}"/>',
              f'<rect x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r}" height="{2 * r}" fill="{colour}"/>']
    for corners in ([(0, -5), (5, 4), (-5, 4)], [(0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)],
                    [(0, 5), (5, -4), (-5, -4)]):
        path = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
        points.append(f'<polygon points="{path}" fill="{colour}"/>')
    return points[shape % len(points)]


class Panel:
    """One network: batch sizes to the right, ratios upwards, both logarithmic."""

    def __init__(self, index, batches, lowest, highest):
        self.left = LEFT + (index % COLUMNS) * (PANEL_WIDTH + GAP)
        self.top = TOP + (index // COLUMNS) * (PANEL_HEIGHT + 72)
        self.batches, self.lowest, self.highest = batches, lowest, highest

    def x(self, batch):
        return self.left + 18 + self.batches.index(batch) / max(1, len(self.batches) - 1) * (PANEL_WIDTH - 36)

    def y(self, ratio):
        share = math.log(ratio / self.lowest) / math.log(self.highest / self.lowest)
        return self.top + PANEL_HEIGHT * (1 - share)

    def frame(self, title):
        right, bottom = self.left + PANEL_WIDTH, self.top + PANEL_HEIGHT
        yield text(self.left + PANEL_WIDTH / 2, self.top - 9, title, 13, extra='font-weight="bold"')
        for tick in TICKS:
            if self.lowest <= tick <= self.highest:
                yield line(self.left, self.y(tick), right, self.y(tick), "#dddddd")
                yield text(self.left - 6, self.y(tick) + 4, f"{tick:g}", 11, "end")
        yield line(self.left, self.y(1), right, self.y(1), "#333333", 1.5)
        for batch in self.batches:
            yield line(self.x(batch), bottom, self.x(batch), bottom + 4, "#333333")
            yield text(self.x(batch), bottom + 17, batch, 11)
        yield line(self.left, self.top, self.left, bottom, "#333333")
        yield line(self.left, bottom, right, bottom, "#333333")
        yield text(self.left + PANEL_WIDTH / 2, bottom + 34, "rows in the batch")

    def curve(self, points, colour, shape):
        places = [(self.x(batch), self.y(ratio)) for batch, ratio in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        for x, y in places:
            yield marker(shape, x, y, colour)


def title_of(network, rows):
    size = rows[0]["weight_bytes"]
    weights = f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} KB"
    return f"{network}: {weights} of weights"


def ratio_plot(rows, is_left_out):
    """An SVG of all rows with one thread. Our time is 1."""
    rows = [row for row in rows if row["threads"] == 1]
    networks = list(dict.fromkeys(row["network"] for row in rows))
    batches = sorted({row["batch"] for row in rows})
    peers = list(dict.fromkeys(e["name"] for r in rows for e in r["engines"] if not is_left_out(e["name"])))
    ratios = [e["ratio"] for r in rows for e in r["engines"] if not is_left_out(e["name"])]
    lowest = max(t for t in [0.2] + TICKS if t < min(ratios))
    highest = min(t for t in TICKS + [100] if t > max(ratios))
    width = LEFT + COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP + 24
    height = TOP + math.ceil(len(networks) / COLUMNS) * (PANEL_HEIGHT + 72) - 16
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             f'width="{width}" height="{height}" font-family="sans-serif" fill="#222222">',
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
             text(width / 2, 24, "Time of each peer by the time of relud, one thread (above 1: relud is faster)",
                  15, extra='font-weight="bold"')]
    for i, peer in enumerate(peers):
        x = LEFT + 10 + i * 168
        parts += [line(x, 48, x + 28, 48, COLOURS[i % len(COLOURS)], 2),
                  marker(i, x + 14, 48, COLOURS[i % len(COLOURS)]), text(x + 36, 52, peer, 13, "start")]
    for index, network in enumerate(networks):
        of_network = [row for row in rows if row["network"] == network]
        panel = Panel(index, batches, lowest, highest)
        parts += panel.frame(title_of(network, of_network))
        for i, peer in enumerate(peers):
            points = [(row["batch"], e["ratio"]) for row in of_network for e in row["engines"] if e["name"] == peer]
            parts += panel.curve(points, COLOURS[i % len(COLOURS)], i)
    middle = height / 2
    parts.append(text(18, middle, "peer's time / relud's time (log scale)", 12,
                      extra=f'transform="rotate(-90 18 {middle:.1f})"'))
    return "\n".join(parts + ["</svg>"]) + "\n"
