#!/usr/bin/python3
"""Tests docs/relu: the networks, a small run of the experiment, and that page and
figures are those of the results that are stored.

    tests/docs/relu_test.py     # from the root of the sources, with Debian's NumPy
"""
import csv
import gzip
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import types
import unittest
import unittest.mock
import xml.etree.ElementTree

FOLDER = pathlib.Path("docs/relu")
PAGE = pathlib.Path("docs/relu.md")
DIGITS = pathlib.Path("deploy/models/digits_mlp/rows.csv")
sys.path.insert(0, str(FOLDER))
sys.dont_write_bytecode = True

import numpy as np  # noqa: E402

import page  # noqa: E402
from figures import FIGURES  # noqa: E402
from network import Network, Recipe  # noqa: E402
import studies  # noqa: E402


def stored_results():
    return json.loads((FOLDER / "results.json").read_text())


class NetworkTest(unittest.TestCase):
    def derivatives_agree(self, activation, recipe):
        """backward() against differences of loss(), in double precision."""
        rng = np.random.default_rng(1)
        network = Network((5, 7, 6, 3), activation, "he", rng, np.float64)
        network.biases = [rng.normal(0, 0.3, len(bias)) for bias in network.biases]
        rows, labels = rng.normal(0, 1, (8, 5)), rng.integers(0, 3, 8)
        by_weights, by_biases, _ = network.backward(network.forward(rows), labels, recipe)
        for parameters, gradients in ((network.weights, by_weights), (network.biases, by_biases)):
            for parameter, gradient in zip(parameters, gradients):
                for at in np.ndindex(parameter.shape):
                    was, losses = parameter[at], []
                    for moved in (was + 1e-6, was - 1e-6):
                        parameter[at] = moved
                        losses.append(network.loss(rows, labels, recipe))
                    parameter[at] = was
                    difference = (losses[0] - losses[1]) / 2e-6
                    self.assertAlmostEqual(gradient[at], difference, delta=1e-7, msg=f"{activation} {at}")

    def test_backward_is_the_derivative_of_the_loss(self):
        for activation in ("relu", "tanh", "sigmoid"):
            self.derivatives_agree(activation, Recipe(rate=0))

    def test_backward_has_the_derivatives_of_both_penalties(self):
        for activation in ("relu", "tanh", "sigmoid"):
            # Biases have no decay, as loss() says.
            self.derivatives_agree(activation, Recipe(rate=0, activation_l1=0.02, weight_decay=0.1))

    def test_backward_with_dropout_is_that_of_the_thinned_network(self):
        rng = np.random.default_rng(2)
        network = Network((5, 8, 4), "tanh", "xavier", rng, np.float64)
        rows, labels = rng.normal(0, 1, (3, 5)), np.array([0, 1, 2])
        scale = np.array([0.0, 2.0] * 4)
        thinned = Network((5, 8, 4), "tanh", "xavier", rng, np.float64)
        thinned.weights = [network.weights[0], network.weights[1] * scale[:, np.newaxis]]

        keep = [np.tile(scale, (3, 1))]
        found, _, _ = network.backward(network.forward(rows, keep), labels, Recipe(0), keep)
        wanted, _, _ = thinned.backward(thinned.forward(rows), labels, Recipe(0))

        np.testing.assert_allclose(found[0], wanted[0], rtol=1e-12)
        np.testing.assert_allclose(found[1], wanted[1] * scale[:, np.newaxis], rtol=1e-12)

    def test_dropout_keeps_the_mean(self):
        network = Network((4, 50, 2), "relu", "he", np.random.default_rng(3))
        (keep,) = network.draw_dropout(2000, Recipe(0, dropout=0.2), np.random.default_rng(4))
        self.assertEqual(keep.dtype, np.float32)
        self.assertEqual(set(np.unique(keep)), {np.float32(0), np.float32(1.25)})
        self.assertAlmostEqual(float(keep.mean()), 1, delta=0.01)

    def test_initialisations_have_their_variance(self):
        for name, variance in (("he", 2 / 400), ("xavier", 2 / 700)):
            network = Network((400, 300), "relu", name, np.random.default_rng(5))
            self.assertAlmostEqual(float(network.weights[0].var()), variance, delta=0.02 * variance)

    def test_steps_make_the_loss_smaller(self):
        rng = np.random.default_rng(6)
        network = Network((5, 16, 3), "relu", "he", rng)
        rows, labels = rng.normal(0, 1, (60, 5)).astype(np.float32), rng.integers(0, 3, 60)
        before = network.loss(rows, labels, Recipe(0.1))
        for _ in range(100):
            network.step(rows, labels, Recipe(0.1), rng)
        self.assertLess(network.loss(rows, labels, Recipe(0.1)), 0.8 * before)


class StudiesTest(unittest.TestCase):
    def test_zeros_counts_all_layers(self):
        hidden = [np.array([[0, 1], [0, 2]]), np.array([[0, 0, 0, 1], [1, 1, 1, 1]])]
        self.assertEqual(studies.zeros(hidden), 5 / 12)

    def test_zeros_common_are_those_of_every_row(self):
        self.assertEqual(studies.zeros_common([np.array([[0, 1], [0, 0], [3, 0], [0, 0]])], 2), 2 / 4)

    def test_median_of_steps_counts_never_as_longest(self):
        self.assertEqual(studies.median_steps([None, 50, 100]), 100)
        self.assertIsNone(studies.median_steps([None, 50, None]))

    def test_best_rate_is_that_of_the_lowest_median(self):
        steps = {0.1: [300, 500, None], 1.0: [None, 400, 100], 3.0: [None, None, 50]}

        def steps_to_target(data, size, activation, depth, rate, seed, most_steps):
            taken = steps[rate][seed]
            return taken if taken is not None and taken <= most_steps else None

        size = types.SimpleNamespace(rates=tuple(steps), most_steps=1000)
        with unittest.mock.patch("studies.steps_to_target", steps_to_target):
            self.assertEqual(studies.best_rate(None, size, "relu", 1, range(3)), 1.0)

    def test_rate_falls_to_zero_where_a_recipe_says_so(self):
        network = unittest.mock.Mock()
        data = types.SimpleNamespace(train_rows=np.zeros((8, 1)), train_labels=np.zeros(8, int))
        for recipe, wanted in ((Recipe(0.4, decays=True), [0.4, 0.3, 0.2, 0.1]), (Recipe(0.4), [0.4] * 4)):
            network.reset_mock()
            list(studies.train(network, data, recipe, 4, np.random.default_rng(7)))
            rates = [call.args[2].rate for call in network.step.call_args_list]
            np.testing.assert_allclose(rates, wanted)

    def test_dead_neurons_fire_on_no_row(self):
        network = Network((2, 3, 2), "relu", "he", np.random.default_rng(8))
        network.weights[0][:] = [[1, -1, 0], [0, 0, 0]]
        network.biases[0][:] = [-2, 0, 0]
        # The first fires on the second row alone, the second and the third on none.
        self.assertEqual(studies.dead(network, np.array([[1, 5], [3, 5]], np.float32)), [2 / 3])

    def test_sums_at_zero_are_those_before_a_relu(self):
        network = Network((1, 2, 1), "relu", "he", np.random.default_rng(9))
        network.weights[0][:], network.weights[1][:] = [[1, 2]], 0
        self.assertEqual(studies.sums_at_zero(network, np.array([[0], [1]], np.float32)), (2, 4))


class PageTest(unittest.TestCase):
    def test_fill_writes_numbers_where_the_comments_are(self):
        results = {"a": {"b": [1.26, None]}}
        self.assertEqual(page.fill("x 9<!--a.b.0:.1f--> % (8<!--a.b.1:.0f-->)", results),
                         "x 1.3<!--a.b.0:.1f--> % (never<!--a.b.1:.0f-->)")

    def test_fill_refuses_results_that_are_not_there(self):
        with self.assertRaises(KeyError):
            page.fill("9<!--a.c:.1f-->", {"a": {}})

    def test_page_has_the_stored_results(self):
        text = PAGE.read_text()
        self.assertGreater(len(page.NUMBER.findall(text)), 50)
        self.assertEqual(text.count("<!--"), len(page.NUMBER.findall(text)), "a comment is not read as a number")
        self.assertEqual(page.fill(text, stored_results()), text, "run docs/relu/experiment.py --draw")

    def test_figures_have_the_stored_results_and_are_shown(self):
        for name, draw in FIGURES.items():
            self.assertEqual((FOLDER / f"{name}.svg").read_text(), draw(stored_results()),
                             f"{name}: run docs/relu/experiment.py --draw")
            self.assertIn(f"](relu/{name}.svg)", PAGE.read_text())


class VerdictsTest(unittest.TestCase):
    """What the page says in words. Where new results fail here, rewrite the page."""

    def setUp(self):
        self.results = stored_results()

    def test_gradients_vanish_but_with_he_and_with_tanh(self):
        left = {name: study["first"]["median"] for name, study in self.results["gradients"].items()
                if isinstance(study, dict)}
        self.assertGreater(left["relu_he"], 0.5)
        self.assertGreater(left["tanh_xavier"], 0.1)
        self.assertLess(left["relu_xavier"], 1e-3)
        self.assertLess(left["sigmoid_xavier"], 1e-15)

    def test_tanh_is_not_slower_in_deep_networks_and_sigmoid_never_learns(self):
        of = self.results["convergence"]
        for depth in (6, 10):
            self.assertGreater(of["relu"][f"depth_{depth}"]["median"], of["tanh"][f"depth_{depth}"]["median"])
            self.assertEqual(of["sigmoid"][f"depth_{depth}"]["steps"], [None] * of["seeds"])

    def test_training_decides_how_many_zeros_there_are(self):
        zeros_of = {name: study["median"]["zeros_percent"] for name, study in self.results["recipes"].items()
                    if isinstance(study, dict) and "median" in study}
        self.assertGreater(zeros_of["plain"], 50)
        self.assertLess(zeros_of["weight_decay"], zeros_of["plain"] + 5)
        self.assertGreater(zeros_of["l1"], zeros_of["plain"] + 10)
        self.assertGreater(zeros_of["l1_strong"], 90)
        self.assertLess(max(zeros_of["tanh"], zeros_of["sigmoid"]), 1)

    def test_few_zeros_are_common_to_many_rows(self):
        plain = self.results["recipes"]["plain"]["median"]
        self.assertLess(plain["zeros_in_all_of_16_rows_percent"], 0.1 * plain["zeros_percent"])

    def test_relu_does_not_protect_against_overfitting(self):
        gaps = [self.results["recipes"][name]["median"]["gap_percent"] for name in ("plain", "tanh", "sigmoid")]
        self.assertGreater(gaps[0], max(gaps) - 2)

    def test_relu_alone_gets_sure_of_what_is_far_away(self):
        of = self.results["confidence"]
        self.assertGreater(of["relu"]["sure_mistakes_percent"][-1], 90)
        self.assertGreater(of["relu"]["noise"][-1], 0.99)
        for name in ("tanh", "sigmoid"):
            self.assertLess(of[name]["sure_mistakes_percent"][-1], 20)
            self.assertLess(of[name]["noise"][-1], 0.9)


def write_digits(folder):
    """The rows of digits_mlp, in the files that Fashion-MNIST comes in."""
    with DIGITS.open() as file:
        rows = [[float(v) for v in row] for row in list(csv.reader(file))[1:]]
    for part, chosen in (("train", rows[:48]), ("t10k", rows[48:])):
        pixels = bytes(round(255 * v) for row in chosen for v in row[:64])
        images = struct.pack(">4I", 0x803, len(chosen), 8, 8) + pixels
        labels = struct.pack(">2I", 0x801, len(chosen)) + bytes(int(row[64]) for row in chosen)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))


def shape_of(results):
    """The keys of results, with those of all that is in them."""
    return {key: shape_of(value) for key, value in results.items()} if isinstance(results, dict) else None


class ExperimentTest(unittest.TestCase):
    def run_experiment(self, folder, *options):
        return subprocess.run([sys.executable, FOLDER / "experiment.py", f"--data={folder}", f"--output={folder}",
                               f"--page={folder / 'page.md'}", *options], text=True, capture_output=True)

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        (self.folder / "page.md").write_text("0<!--data.train_rows:,--> rows")

    def results_of_quick_run(self):
        run = self.run_experiment(self.folder, "--quick")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stderr, "")
        return json.loads((self.folder / "results.json").read_text())

    def test_quick_run_writes_results_figures_and_page(self):
        write_digits(self.folder)
        results = self.results_of_quick_run()
        self.assertEqual(set(results), set(stored_results()))
        for study in ("gradients", "recipes", "confidence", "data"):
            self.assertEqual(shape_of(results[study]), shape_of(stored_results()[study]))
        self.assertEqual((self.folder / "page.md").read_text(), "48<!--data.train_rows:,--> rows")
        for name in FIGURES:
            root = xml.etree.ElementTree.parse(self.folder / f"{name}.svg").getroot()
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
            self.assertIsNone(re.search(r"nan|inf\b", (self.folder / f"{name}.svg").read_text()))

        del results["made_with"]
        again = self.results_of_quick_run()
        del again["made_with"]
        self.assertEqual(again, results)

    def test_missing_data_is_named(self):
        run = self.run_experiment(self.folder)
        self.assertEqual(run.returncode, 1)
        self.assertIn(f"{self.folder}/train-images-idx3-ubyte.gz: no such file", run.stderr)
        self.assertIn("dataset-fashion-mnist", run.stderr)

    def test_file_of_another_format_is_refused(self):
        write_digits(self.folder)
        labels = (self.folder / "train-labels-idx1-ubyte.gz").read_bytes()
        (self.folder / "train-images-idx3-ubyte.gz").write_bytes(labels)
        run = self.run_experiment(self.folder)
        self.assertEqual(run.returncode, 1)
        self.assertIn("begins with 0x801, wanted 0x803", run.stderr)


if __name__ == "__main__":
    unittest.main()
