"""Charts as SVG: panels side by side, with lines, bands and dots."""
import math
import typing

# Okabe and Ito's colours, which colour-blind people can tell apart.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#000000"]
WIDTH, HEIGHT = 330, 230
LEFT, TOP, GAP, BOTTOM = 74, 76, 96, 56


class Axis(typing.NamedTuple):
    label: str
    ticks: dict  # Value to text. The first and the last are the ends.
    logarithmic: bool = False

    def place(self, value):
        """0 at the first tick, 1 at the last one."""
        low, high = list(self.ticks)[0], list(self.ticks)[-1]
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return min(1.0, max(0.0, (value - low) / (high - low)))


def powers(lowest, highest, step):
    """Ticks of an axis that goes over powers of ten."""
    return {10.0 ** p: f"10<tspan dy=\"-5\" font-size=\"8\">{p}</tspan>" if p else "1"
            for p in range(lowest, highest + 1, step)}


def text(x, y, content, anchor="middle", size=12, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{extra}>{content}</text>'


def rule(x1, y1, x2, y2, colour, extra=""):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{extra}/>'


def marker(index, x, y):
    """Shapes as well as colours tell series apart."""
    shapes = [[(-4, -4), (4, -4), (4, 4), (-4, 4)], [(0, -5), (5, 4), (-5, 4)],
              [(0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)], [(0, 5), (5, -4), (-5, -4)]]
    colour = COLOURS[index % len(COLOURS)]
    if index % 5 == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    corners = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in shapes[index % 5 - 1])
    return f'<polygon points="{corners}" fill="{colour}"/>'


class Panel:
    """One pair of axes. `index` says which panel from the left, or which series."""

    def __init__(self, index, title, x, y):
        self.left, self.x, self.y = LEFT + index * (WIDTH + GAP), x, y
        self.parts = [text(self.left, TOP - 12, title, "start", 13, ' font-weight="bold"')]
        bottom = TOP + HEIGHT
        for value, label in y.ticks.items():
            height = self.at(list(x.ticks)[0], value)[1]
            self.parts += [rule(self.left, height, self.left + WIDTH, height, "#e4e4e4"),
                           text(self.left - 7, height + 4, label, "end", 11)]
        for value, label in x.ticks.items():
            place = self.at(value, list(y.ticks)[0])[0]
            self.parts += [rule(place, bottom, place, bottom + 4, "#333333"), text(place, bottom + 18, label, size=11)]
        self.parts += [rule(self.left, TOP, self.left, bottom, "#333333"),
                       rule(self.left, bottom, self.left + WIDTH, bottom, "#333333"),
                       text(self.left + WIDTH / 2, bottom + 38, x.label)]
        middle = f"{self.left - 50} {TOP + HEIGHT / 2:.1f}"
        self.parts.append(text(self.left - 50, TOP + HEIGHT / 2, y.label,
                               extra=f' transform="rotate(-90 {middle})"'))

    def at(self, x, y):
        return self.left + WIDTH * self.x.place(x), TOP + HEIGHT * (1 - self.y.place(y))

    def line(self, index, points):
        """Through points (x, y) from left to right."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in points))
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[index]}" stroke-width="2"/>')

    def spread(self, index, points):
        """From (x, lowest) to (x, highest)."""
        for x, lowest, highest in points:
            (place, low), (_, high) = self.at(x, lowest), self.at(x, highest)
            self.parts.append(rule(place, low, place, high, COLOURS[index], ' stroke-width="5" stroke-opacity="0.25"'))

    def dots(self, index, points):
        self.parts += [marker(index, *self.at(*point)) for point in points]


def figure(title, panels, legend):
    """`legend`: what the series are called, in the order of their indices."""
    legend = list(legend)
    width = LEFT + len(panels) * (WIDTH + GAP) - GAP + 30
    column = 36 + 7 * max(len(name) for name in legend)  # A letter of 12 points takes 7 or less.
    columns = max(1, (width - 30) // column)
    lines = -(-len(legend) // columns)
    height = TOP + HEIGHT + BOTTOM + 20 * lines
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
             f'height="{height}" font-family="sans-serif" fill="#222222">',
             f"<title>{title}</title>", f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
             text(20, 26, title, "start", 15, ' font-weight="bold"')]
    for index, name in enumerate(legend):
        x, y = 26 + index % columns * column, 50 + 20 * (index // columns)
        parts += [marker(index, x, y - 4), text(x + 12, y, name, "start")]
    parts.append(f'<g transform="translate(0 {20 * lines})">')
    for panel in panels:
        parts += panel.parts
    return "\n".join(parts + ["</g>", "</svg>"]) + "\n"
