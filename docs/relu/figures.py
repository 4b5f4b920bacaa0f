"""The figures of docs/relu.md, drawn from results.json. Each returns an SVG."""
from chart import Axis, Panel, figure, powers

NAMES = {"relu": "ReLU", "tanh": "tanh", "sigmoid": "sigmoid"}
PERCENT = {0: "0 %", 25: "25 %", 50: "50 %", 75: "75 %", 100: "100 %"}


def convergence(results):
    study = results["convergence"]
    most = study["most_steps"]
    never = most * 1.35
    fewest = min(step for name in NAMES for run in study[name].values() for step in run["steps"] + [most] if step)
    counts = [n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if n < most]
    ticks = [n for n in counts if n >= max(n for n in counts if n <= fewest)] + [most]
    y = Axis("steps (log scale)", {**{n: f"{n:,}" for n in ticks}, never: "never"}, True)
    x = Axis("hidden layers", {study["depths"][0] - 0.5: "", **{d: d for d in study["depths"]},
                               study["depths"][-1] + 0.5: ""})
    panel = Panel(0, f"Median of {study['seeds']} networks, bars: all of them", x, y)
    for index, name in enumerate(NAMES):
        runs = [(depth + 0.12 * (index - 1), study[name][f"depth_{depth}"]) for depth in study["depths"]]
        panel.spread(index, [(at, min(steps), max(steps)) for at, run in runs
                             for steps in [[step or never for step in run["steps"]]]])
        points = [(at, run["median"] or never) for at, run in runs]
        panel.line(index, points)
        panel.dots(index, points)
    return figure(f"Steps until {study['target_percent']:g} % of the rows are learnt", [panel], NAMES.values())


def gradients(results):
    study = results["gradients"]
    depth = study["depth"]
    names = {"relu_he": "ReLU, He", "relu_xavier": "ReLU, Xavier", "tanh_xavier": "tanh, Xavier",
             "sigmoid_xavier": "sigmoid, Xavier"}
    lowest = min(min(study[name]["median_by_layer"]) for name in names)
    exponent = 0
    while 10.0 ** exponent > lowest:
        exponent -= 4
    x = Axis("layer, from the inputs to the answer",
             {layer: layer for layer in [1, *range(5, depth, 5), depth + 1]})
    y = Axis("gradient, by that of the last layer", powers(exponent, 4, 4), True)
    panel = Panel(0, f"Median of {study['networks']} new networks", x, y)
    for index, name in enumerate(names):
        points = list(enumerate(study[name]["median_by_layer"], 1))
        panel.line(index, points)
        panel.dots(index, points[::5])
    return figure(f"The gradient on its way down {depth} layers", [panel], names.values())


def sparsity(results):
    study = results["recipes"]
    names = {"plain": "ReLU, plain", "weight_decay": "ReLU, weight decay", "dropout": "ReLU, dropout",
             "l1_weak": "ReLU, L1 of 0.0001", "l1": "ReLU, L1 of 0.001", "l1_strong": "ReLU, L1 of 0.01",
             "tanh": "tanh, plain", "sigmoid": "sigmoid, plain"}
    accuracies = [run["test_accuracy_percent"] for name in names for run in study[name]["runs"]]
    low, high = int(min(accuracies)) // 2 * 2, int(max(accuracies)) // 2 * 2 + 2
    step = max(1, (high - low) // 8)
    x = Axis("activations that are 0, on test rows", PERCENT)
    y = Axis("test accuracy", {n: f"{n} %" for n in range(low, high + step, step)})
    panel = Panel(0, "One mark for each network", x, y)
    for index, name in enumerate(names):
        panel.dots(index, [(run["zeros_percent"], run["test_accuracy_percent"]) for run in study[name]["runs"]])
    return figure("Zeros, by how a network was trained", [panel], names.values())


def dead(results):
    study = results["dead"]
    rates = Axis("learning rate (log scale)", {rate: f"{rate:g}" for rate in study["rates"]}, True)
    bars = {}
    for depth in study["depths"]:
        of_depth = study[f"depth_{depth}"]
        # The first of each run is before training. A line ends where a network did.
        by_rate = zip(study["rates"], of_depth["median_percent"], list(zip(*of_depth["runs_percent"]))[1:])
        bars[depth] = [(rate, median, min(runs), max(runs)) for rate, median, runs in by_rate if median is not None]
    step = max(1, -(-max(high for of_depth in bars.values() for *_, high in of_depth) // 4))
    ticks = {step * n: f"{step * n:.0f} %" for n in range(5)}
    left = Panel(0, f"Dead neurons after {study['steps']:,} steps", rates, Axis("neurons", ticks))
    for index, points in enumerate(bars.values()):
        left.spread(index, [(rate, low, high) for rate, _, low, high in points])
        left.line(index, [point[:2] for point in points])
        left.dots(index, [point[:2] for point in points])
    depths = study["born_depths"]
    layers = {depth: depth for depth in depths if depth in (depths[0], depths[-1]) or depth % 10 == 0}
    right = Panel(1, "New networks that are dead already", Axis("hidden layers", layers), Axis("networks", PERCENT))
    for index, (width, born) in enumerate(study["born"].items(), len(study["depths"])):
        right.line(index, list(zip(depths, born)))
        right.dots(index, list(zip(depths, born)))
    return figure("Neurons that never fire", [left, right],
                  [f"{depth} hidden layers" for depth in study["depths"]]
                  + [f"{width.removeprefix('width_')} neurons a layer" for width in study["born"]])


def confidence(results):
    study = results["confidence"]
    scales = Axis("pixels multiplied by (log scale)", {scale: scale for scale in study["scales"]}, True)
    panels = [Panel(0, "Test pictures", scales, Axis("probability of the chosen class", PERCENT)),
              Panel(1, "Noise", scales, Axis("probability of the chosen class", PERCENT))]
    for index, name in enumerate(NAMES):
        for panel, key in zip(panels, ("rows", "noise")):
            points = [(scale, 100 * sure) for scale, sure in zip(study["scales"], study[name][key])]
            panel.line(index, points)
            panel.dots(index, points)
    return figure("How sure networks are, far from what they were trained on", panels, NAMES.values())


FIGURES = {"convergence": convergence, "gradients": gradients, "sparsity": sparsity, "dead": dead,
           "confidence": confidence}
