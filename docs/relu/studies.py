"""The five studies of docs/relu.md. Each returns plain numbers, for results.json.

Every draw is from a generator that is seeded with the study and the run, so runs
do not depend on each other. Medians are over the seeds of a run.
"""
import dataclasses
import math
import statistics
import zlib

import numpy as np

from network import Network, Recipe, batches, softmax

# What each activation is usually initialised with.
USUAL = {"relu": "he", "tanh": "xavier", "sigmoid": "xavier"}


@dataclasses.dataclass(frozen=True)
class Data:
    train_rows: np.ndarray  # Centred: see experiment.py.
    train_labels: np.ndarray
    test_rows: np.ndarray
    test_labels: np.ndarray
    mean: float  # Of a pixel from 0 to 1, and its standard deviation.
    deviation: float


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is trained: the page's, or little, for a test."""
    seeds: int
    width: int
    rates: tuple
    depths: tuple
    most_steps: int
    look_every: int
    start_depth: int
    born_depths: tuple
    born_networks: int
    recipe_widths: tuple
    recipe_steps: int
    dead_depths: tuple
    dead_rates: tuple
    dead_steps: int
    rows_looked_at: int = 2000
    target: float = 0.90


PAGE = Size(seeds=5, width=64, rates=(0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0), depths=(1, 3, 6, 10),
            most_steps=3000, look_every=50, start_depth=30, born_depths=tuple(range(2, 31, 2)),
            born_networks=100, recipe_widths=(256, 128), recipe_steps=2000, dead_depths=(2, 6, 10),
            dead_rates=(0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0), dead_steps=500)
QUICK = Size(seeds=2, width=16, rates=(0.1, 1.0), depths=(1, 2), most_steps=60, look_every=20,
             start_depth=6, born_depths=(2, 6), born_networks=4, recipe_widths=(32, 16),
             recipe_steps=40, dead_depths=(2, 3), dead_rates=(0.1, 1000.0), dead_steps=20, target=0.5)

BORN_WIDTHS = (4, 8, 16)
SCALES = (1, 2, 4, 8, 16, 32, 64, 128, 255)


def generator(*run):
    return np.random.default_rng(zlib.crc32(repr(run).encode()))


def widths(data, *hidden):
    return data.train_rows.shape[1], *hidden, int(data.train_labels.max()) + 1


def train(network, data, recipe, steps, rng):
    """Yields after each step. Ends early if weights are no longer finite."""
    order = batches(len(data.train_rows), recipe.batch, rng)
    for step in range(1, steps + 1):
        # A learning rate that is too large overflows. That is a result.
        with np.errstate(over="ignore", invalid="ignore"):
            chosen = next(order)
            left = 1 - (step - 1) / steps if recipe.decays else 1
            network.step(data.train_rows[chosen], data.train_labels[chosen],
                         dataclasses.replace(recipe, rate=left * recipe.rate), rng)
        if step % 50 == 0 and not network.is_finite():
            return
        yield step


def percent(part):
    return round(100 * float(part), 3)


# --- 1. How many steps until a network has learnt its rows ---------------------

def steps_to_target(data, size, activation, depth, rate, seed, most_steps):
    """None: not within `most_steps`."""
    rng = generator("convergence", activation, depth, rate, seed)
    network = Network(widths(data, *[size.width] * depth), activation, USUAL[activation], rng)
    rows = slice(size.rows_looked_at)
    for step in train(network, data, Recipe(rate), most_steps, rng):
        if step % size.look_every == 0 and network.accuracy(
                data.train_rows[rows], data.train_labels[rows]) >= size.target:
            return step
    return None


def median_steps(steps):
    """None, which is never, counts as the longest."""
    median = statistics.median(math.inf if s is None else s for s in steps)
    return None if math.isinf(median) else median


def best_rate(data, size, activation, depth, seeds):
    """The rate of the lowest median; the last of `rates` if none reaches the target."""
    best, fewest = size.rates[-1], size.most_steps
    # From the middle: a good rate that is found early cuts the others short.
    for rate in sorted(size.rates, key=lambda r: abs(math.log(r / 0.2))):
        steps = []
        for seed in seeds:
            steps.append(steps_to_target(data, size, activation, depth, rate, seed, fewest))
            if steps.count(None) > len(seeds) // 2:
                break
        else:
            if (median := median_steps(steps)) is not None and median < fewest:
                best, fewest = rate, int(median)
    return best


def convergence(data, size):
    """By activation and depth; the rate is chosen on other seeds than those that count."""
    results = {"target_percent": percent(size.target), "most_steps": size.most_steps,
               "depths": list(size.depths), "rates": list(size.rates), "seeds": size.seeds}
    choosing = range(100, 103)
    for activation in USUAL:
        results[activation] = {}
        for depth in size.depths:
            rate = best_rate(data, size, activation, depth, choosing)
            steps = [steps_to_target(data, size, activation, depth, rate, seed, size.most_steps)
                     for seed in range(size.seeds)]
            results[activation][f"depth_{depth}"] = {
                "rate": rate, "steps": steps, "median": median_steps(steps)}
    return results


# --- 2. How gradients shrink on their way down a new network -------------------

STARTS = {"relu_he": ("relu", "he"), "relu_xavier": ("relu", "xavier"),
          "tanh_xavier": ("tanh", "xavier"), "sigmoid_xavier": ("sigmoid", "xavier")}


def gradients_at_start(data, size):
    """The length of the gradient by the sums of a layer, by that of the last layer."""
    results = {"depth": size.start_depth, "networks": 4 * size.seeds}
    for name, (activation, initialisation) in STARTS.items():
        ratios = []
        for seed in range(results["networks"]):
            rng = generator("gradients", name, seed)
            network = Network(widths(data, *[128] * size.start_depth), activation, initialisation, rng)
            chosen = next(batches(len(data.train_rows), 64, rng))
            values = network.forward(data.train_rows[chosen])
            _, _, by_sums = network.backward(values, data.train_labels[chosen], Recipe(rate=0))
            # In double precision: squares of the smallest underflow in single.
            lengths = [np.linalg.norm(g.astype(np.float64)) for g in by_sums]
            ratios.append([length / lengths[-1] for length in lengths])
        by_layer = np.array(ratios)
        first = by_layer[:, 0]
        results[name] = {"median_by_layer": np.median(by_layer, axis=0).tolist(),
                         "first": {"median": float(np.median(first)), "lowest": float(first.min()),
                                   "highest": float(first.max())}}
    return results


# --- 3. How many activations are zero, by how a network was trained ------------

RECIPES = {
    "plain": ("relu", Recipe(0.1, decays=True)),
    "weight_decay": ("relu", Recipe(0.1, decays=True, weight_decay=1e-3)),
    "dropout": ("relu", Recipe(0.1, decays=True, dropout=0.5)),
    "l1_weak": ("relu", Recipe(0.1, decays=True, activation_l1=1e-4)),
    "l1": ("relu", Recipe(0.1, decays=True, activation_l1=1e-3)),
    "l1_strong": ("relu", Recipe(0.1, decays=True, activation_l1=1e-2)),
    "tanh": ("tanh", Recipe(0.1, decays=True)),
    "sigmoid": ("sigmoid", Recipe(1.0, decays=True)),
}


def recipe_networks(data, size, name):
    activation, recipe = RECIPES[name]
    for seed in range(min(size.seeds, 3)):
        rng = generator("recipes", name, seed)
        network = Network(widths(data, *size.recipe_widths), activation, USUAL[activation], rng)
        for _ in train(network, data, recipe, size.recipe_steps, rng):
            pass
        yield network


def zeros(hidden):
    """The part of the activations of some layers that is 0."""
    return sum(np.count_nonzero(h == 0) for h in hidden) / sum(h.size for h in hidden)


def zeros_common(hidden, rows):
    """The part that is 0 in all of `rows` rows that follow each other."""
    whole = len(hidden[0]) // rows * rows
    return zeros([np.abs(h[:whole]).reshape(-1, rows, h.shape[1]).max(axis=1) for h in hidden])


def describe(network, data):
    hidden = network.forward(data.test_rows)[1:-1]
    fired = np.concatenate([h > 0 for h in hidden], axis=1)
    return {
        "zeros_percent": percent(zeros(hidden)),
        "zeros_by_layer_percent": [percent(zeros([h])) for h in hidden],
        "zeros_in_all_of_16_rows_percent": percent(zeros_common(hidden, 16)),
        "dead_percent": percent(np.mean(~fired.any(axis=0))),
        "distinct_patterns_percent": percent(len(np.unique(np.packbits(fired, axis=1), axis=0)) / len(fired)),
        "train_accuracy_percent": percent(network.accuracy(data.train_rows, data.train_labels)),
        "test_accuracy_percent": percent(network.accuracy(data.test_rows, data.test_labels)),
    }


def sums_at_zero(network, rows):
    """How many sums before a ReLU are exactly 0, and of how many."""
    count = total = 0
    values = network.forward(rows)
    for inputs, weights, bias in zip(values[:-2], network.weights, network.biases):
        sums = inputs @ weights + bias
        count, total = count + np.count_nonzero(sums == 0), total + sums.size
    return int(count), int(total)


def recipes(data, size, networks):
    results = {"widths": list(size.recipe_widths), "steps": size.recipe_steps}
    for name in RECIPES:
        runs = [describe(network, data) for network in networks[name]]
        results[name] = {"runs": runs, "median": {
            key: statistics.median(run[key] for run in runs)
            for key in runs[0] if not isinstance(runs[0][key], list)}}
        median = results[name]["median"]
        median["gap_percent"] = round(median["train_accuracy_percent"] - median["test_accuracy_percent"], 3)
    at_zero = [sums_at_zero(network, data.test_rows) for network in networks["plain"]]
    results["sums"] = {"at_zero": sum(c for c, _ in at_zero), "all": sum(n for _, n in at_zero)}
    return results


# --- 4. Neurons that never fire ------------------------------------------------

def dead(network, rows):
    """The part of the neurons of each hidden layer that is 0 on all rows."""
    return [float(np.mean(~(h > 0).any(axis=0))) for h in network.forward(rows)[1:-1]]


def dead_by_rate(data, size, depth, seed):
    """In percent of all neurons: before training, and after it at each rate.

    None where the weights became infinite.
    """
    for rate in (0, *size.dead_rates):
        # The same network at each rate, and the same rows.
        rng = generator("dead", depth, seed)
        network = Network(widths(data, *[size.width] * depth), "relu", "he", rng)
        for _ in train(network, data, Recipe(rate), size.dead_steps if rate else 0, rng):
            pass
        yield percent(np.mean(dead(network, data.train_rows))) if network.is_finite() else None


def born_dead(data, size, width, depth):
    """How many of the new networks give the same answer to every row."""
    count = 0
    for number in range(size.born_networks):
        rng = generator("born", width, depth, number)
        network = Network(widths(data, *[width] * depth), "relu", "he", rng)
        # A layer without a neuron that fires passes on nothing.
        count += 1.0 in dead(network, data.train_rows[:size.rows_looked_at // 2])
    return percent(count / size.born_networks)


def dead_neurons(data, size):
    results = {"steps": size.dead_steps, "rates": list(size.dead_rates), "depths": list(size.dead_depths),
               "born_depths": list(size.born_depths), "born_networks": size.born_networks, "born": {}}
    for depth in size.dead_depths:
        runs = [list(dead_by_rate(data, size, depth, seed)) for seed in range(min(size.seeds, 3))]
        new, *trained = zip(*runs)
        results[f"depth_{depth}"] = {
            "new_percent": statistics.median(new), "runs_percent": runs,
            "median_percent": [None if None in of_rate else statistics.median(of_rate) for of_rate in trained]}
    for width in BORN_WIDTHS:
        results["born"][f"width_{width}"] = [born_dead(data, size, width, depth) for depth in size.born_depths]
    return results


# --- 5. How sure networks are of rows unlike any they were trained on ----------

def confidences(network, rows):
    """The probability of the class that is chosen, row by row."""
    return softmax(network.forward(rows)[-1].astype(np.float64)).max(axis=1)


def confidence(data, size, networks):
    """Of test rows and of noise, whose pixels are multiplied before they are centred."""
    pixels = data.test_rows * data.deviation + data.mean
    noise = generator("noise").random(pixels.shape, dtype=np.float32)
    results = {"scales": list(SCALES)}
    for activation, name in (("relu", "plain"), ("tanh", "tanh"), ("sigmoid", "sigmoid")):
        columns = {key: [] for key in ("rows", "noise", "sure_rows_percent", "accuracy_percent",
                                       "sure_mistakes_percent")}
        for scale in SCALES:
            runs = []
            for network in networks[name]:
                rows, of_noise = ((p * np.float32(scale) - data.mean) / data.deviation for p in (pixels, noise))
                sure = confidences(network, rows)
                right = network.forward(rows)[-1].argmax(axis=1) == data.test_labels
                runs.append((sure.mean(), confidences(network, of_noise).mean(), 100 * np.mean(sure > 0.99),
                             100 * right.mean(), 100 * np.mean(sure[~right] > 0.99)))
            for key, run in zip(columns, zip(*runs)):
                columns[key].append(round(float(np.median(run)), 5))
        results[activation] = columns
    return results


def run_all(data, size, tell):
    """The results of all studies, by name."""
    tell("convergence")
    results = {"convergence": convergence(data, size)}
    tell("gradients")
    results["gradients"] = gradients_at_start(data, size)
    tell("recipes")
    networks = {name: list(recipe_networks(data, size, name)) for name in RECIPES}
    results["recipes"] = recipes(data, size, networks)
    tell("dead neurons")
    results["dead"] = dead_neurons(data, size)
    tell("confidence")
    results["confidence"] = confidence(data, size, networks)
    return results
