"""A multi-layer perceptron in NumPy, trained by stochastic gradient descent.

Rows are [rows, inputs]. A network of widths (784, 256, 128, 10) has three dense
layers; between them, and not after the last, is its activation. The loss is the
cross-entropy of the softmax of the last layer, a mean over rows.
"""
import dataclasses
import typing

import numpy as np


class Activation(typing.NamedTuple):
    of_sum: typing.Callable
    derivative: typing.Callable  # By the value that of_sum gave.


ACTIVATIONS = {
    # The derivative at 0 is 0, as in relud.
    "relu": Activation(lambda z: np.maximum(z, 0), lambda h: h > 0),
    "tanh": Activation(np.tanh, lambda h: 1 - h * h),
    # By tanh, which does not overflow.
    "sigmoid": Activation(lambda z: 0.5 * np.tanh(0.5 * z) + 0.5, lambda h: h * (1 - h)),
}

# The variance of a new weight, by the inputs and outputs of its layer.
INITIALISATIONS = {
    "he": lambda inputs, outputs: 2 / inputs,
    "xavier": lambda inputs, outputs: 2 / (inputs + outputs),
}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a network is trained."""
    rate: float
    decays: bool = False        # The rate falls in a straight line to 0.
    batch: int = 64
    dropout: float = 0.0        # The part of the activations that a step leaves out.
    activation_l1: float = 0.0  # The loss grows by this for each unit of activation in a row.
    weight_decay: float = 0.0   # The loss grows by half of this for each unit of weight squared.


class Network:
    def __init__(self, widths, activation, initialisation, rng, dtype=np.float32):
        variance = INITIALISATIONS[initialisation]
        self.activation = ACTIVATIONS[activation]
        self.weights = [rng.normal(0, variance(*shape) ** 0.5, shape).astype(dtype)
                        for shape in zip(widths, widths[1:])]
        self.biases = [np.zeros(width, dtype) for width in widths[1:]]

    def forward(self, rows, keep=None):
        """The rows, the activations of each hidden layer, and the last sums.

        `keep`, by hidden layer, is what dropout multiplies activations by. They
        are returned as they were before.
        """
        values, inputs = [rows], rows
        for layer, (weights, bias) in enumerate(zip(self.weights, self.biases)):
            sums = inputs @ weights
            sums += bias
            if layer + 1 == len(self.weights):
                return values + [sums]
            inputs = self.activation.of_sum(sums)
            values.append(inputs)
            if keep:
                inputs = inputs * keep[layer]

    def backward(self, values, labels, recipe, keep=None):
        """The derivatives of the loss by weights, biases and sums, layer by layer."""
        rows = len(labels)
        sums = softmax(values[-1])
        sums[np.arange(rows), labels] -= 1
        sums /= rows
        by_weights, by_biases, by_sums = [], [], [sums]
        for layer in reversed(range(len(self.weights))):
            inputs = values[layer] if layer == 0 or not keep else values[layer] * keep[layer - 1]
            by_weights.append(inputs.T @ sums)
            if recipe.weight_decay:
                by_weights[-1] += recipe.weight_decay * self.weights[layer]
            by_biases.append(sums.sum(axis=0))
            if layer > 0:
                by_values = sums @ self.weights[layer].T
                if keep:
                    by_values *= keep[layer - 1]
                if recipe.activation_l1:
                    by_values += recipe.activation_l1 / rows * np.sign(values[layer])
                sums = by_values * self.activation.derivative(values[layer])
                by_sums.append(sums)
        return by_weights[::-1], by_biases[::-1], by_sums[::-1]

    def step(self, rows, labels, recipe, rng):
        """One step down the gradient of these rows."""
        keep = self.draw_dropout(len(rows), recipe, rng) if recipe.dropout else None
        by_weights, by_biases, _ = self.backward(self.forward(rows, keep), labels, recipe, keep)
        for parameters, gradients in ((self.weights, by_weights), (self.biases, by_biases)):
            for parameter, gradient in zip(parameters, gradients):
                parameter -= recipe.rate * gradient

    def draw_dropout(self, rows, recipe, rng):
        # What is kept is scaled up, so that the mean stays.
        kept = 1 - recipe.dropout
        return [(rng.random((rows, len(bias)), dtype=np.float32) < kept).astype(bias.dtype) / kept
                for bias in self.biases[:-1]]

    def loss(self, rows, labels, recipe):
        """What step() makes smaller, without dropout."""
        values = self.forward(rows)
        chosen = softmax(values[-1])[np.arange(len(rows)), labels]
        return (-np.log(chosen).mean()
                + recipe.activation_l1 * sum(np.abs(h).sum() for h in values[1:-1]) / len(rows)
                + recipe.weight_decay / 2 * sum((w * w).sum() for w in self.weights))

    def accuracy(self, rows, labels):
        """The part of the rows whose largest sum is that of the label."""
        return float(np.mean(self.forward(rows)[-1].argmax(axis=1) == labels))

    def is_finite(self):
        return all(np.isfinite(w).all() for w in self.weights)


def softmax(sums):
    powers = np.exp(sums - sums.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def batches(rows, size, rng):
    """Endless: the numbers of `rows` rows, `size` at a time or all, each pass in a new order."""
    size = min(size, rows)
    while True:
        order = rng.permutation(rows)
        for start in range(0, rows - size + 1, size):
            yield order[start:start + size]
