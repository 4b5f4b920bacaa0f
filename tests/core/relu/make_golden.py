#!/usr/bin/env python3
"""Recomputes explanations and activity with NumPy, in double precision, for explainer_test and activity_counts_test.

    tests/core/relu/make_golden.py   # writes tests/testdata/explanations and activity

It shares nothing with the code under test: it reads ONNX by itself, follows the
operators of the file one by one, and integrates gradients by bisection: where
both ends of a line have the same neurons on, the gradient is the same on all of
it, since the set of inputs with these neurons on is convex.
"""
import pathlib
import struct

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3] / "tests/testdata"
ROWS = slice(1, 5)  # Row 0 is the baseline.
ACTIVITY_ROWS = 40


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """Yields (number, value) of a protobuf message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 5:
            value, at = struct.unpack("<f", data[at:at + 4])[0], at + 4
        else:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def tensor(data):
    dims, name, kind, raw = [], "", 1, b""
    for number, value in fields(data):
        if number == 1:
            if isinstance(value, int):
                dims.append(value)
            else:  # Packed.
                at = 0
                while at < len(value):
                    size, at = varint(value, at)
                    dims.append(size)
        elif number == 2:
            kind = value
        elif number == 8:
            name = value.decode()
        elif number == 9:
            raw = value
    values = np.frombuffer(raw, {1: "<f4", 7: "<i8"}[kind]).reshape(dims)
    return name, values.astype(np.float64) if kind == 1 else values


def read_graph(path):
    graph = next(v for n, v in fields(path.read_bytes()) if n == 7)
    constants, nodes = {}, []
    for number, value in fields(graph):
        if number == 5:
            name, values = tensor(value)
            constants[name] = values
        elif number == 1:
            node = {"in": [], "out": [], "attr": {}}
            for n, v in fields(value):
                if n == 1:
                    node["in"].append(v.decode())
                elif n == 2:
                    node["out"].append(v.decode())
                elif n == 4:
                    node["op"] = v.decode()
                elif n == 5:
                    attr = list(fields(v))
                    name = next(x for m, x in attr if m == 1).decode()
                    for m, x in attr:
                        if m in (2, 3):
                            node["attr"][name] = x
                        elif m == 5:
                            node["attr"][name] = tensor(x)[1]
            nodes.append(node)
    return constants, nodes


class Network:
    """One row at a time; floats that do not depend on others are `leaves`."""

    def __init__(self, path):
        self.constants, self.nodes = read_graph(path)
        for node in self.nodes:
            if node["op"] == "Constant":
                self.constants[node["out"][0]] = node["attr"]["value"]

    def leaves(self, inputs):
        """Values of the leaves, and for embeddings the integer that chose them."""
        values = {k: v for k, v in inputs.items()}
        source = {}
        leaves = {k: v for k, v in inputs.items() if v.dtype == np.float64}
        for node in self.nodes:
            if node["op"] != "Gather":
                continue
            data, index = node["in"]
            if data in values:  # Which integer.
                at = int(self.constants[index])
                values[node["out"][0]] = values[data][at]
                source[node["out"][0]] = (data, at)
            else:
                leaves[node["out"][0]] = self.constants[data][values[index]]
                source[node["out"][0]] = source[index]
        return leaves, source

    def run(self, leaves, element=None):
        """f, the element, its gradient by the leaves, and which neurons are on."""
        values = dict(self.constants) | dict(leaves)
        on, tape, self.hidden = [], [], []
        for node in self.nodes:
            op, out = node["op"], node["out"][0]
            if op in ("Constant", "Gather"):
                continue
            if op in ("Sigmoid", "Softmax"):
                break
            a = [values[i] for i in node["in"]]
            if op == "Gemm":
                w = a[1].T if node["attr"].get("transB", 0) else a[1]
                values[out] = a[0] @ w + a[2]
                tape.append((out, [(node["in"][0], lambda g, w=w: w @ g)]))
            elif op == "Relu":
                mask = a[0] > 0
                on.append(mask)
                values[out] = a[0] * mask
                self.hidden.append(values[out])
                tape.append((out, [(node["in"][0], lambda g, m=mask: g * m)]))
            elif op in ("Sub", "Div"):
                values[out] = a[0] - a[1] if op == "Sub" else a[0] / a[1]
                scale = 1.0 if op == "Sub" else 1.0 / a[1]
                tape.append((out, [(node["in"][0], lambda g, s=scale: g * s)]))
            elif op == "Concat":
                values[out] = np.concatenate(a)
                parts, at = [], 0
                for name, part in zip(node["in"], a):
                    parts.append((name, lambda g, s=slice(at, at + len(part)): g[s]))
                    at += len(part)
                tape.append((out, parts))
            else:
                raise NotImplementedError(op)
            last = out
        f = values[last]
        element = int(np.argmax(f)) if element is None else element
        grads = {last: np.eye(len(f))[element]}
        for out, ways in reversed(tape):
            for name, way in ways:
                grads[name] = grads.get(name, 0) + way(grads.get(out, np.zeros_like(values[out])))
        gradient = {k: grads[k] for k in leaves}
        return f[element], element, gradient, np.concatenate(on)

    def mean_gradient(self, start, end, element):
        def at(t):
            return {k: start[k] + t * (end[k] - start[k]) for k in start}

        total = {k: np.zeros_like(v) for k, v in start.items()}
        pending = [(0.0, 1.0)]
        while pending:
            a, b = pending.pop()
            middle = (a + b) / 2
            same = np.array_equal(self.run(at(a), element)[3], self.run(at(b), element)[3])
            if same or b - a < 1e-13:
                gradient = self.run(at(middle), element)[2]
                for k in total:
                    total[k] = total[k] + (b - a) * gradient[k]
            else:
                pending += [(a, middle), (middle, b)]
        return total


def by_element(inputs, source, values):
    """Values of leaves, added up by the element of the inputs they come from."""
    sums = {k: np.zeros(v.shape) for k, v in inputs.items()}
    for leaf, value in values.items():
        if leaf in inputs:
            sums[leaf] = sums[leaf] + value
        else:
            name, at = source[leaf]
            sums[name][at] += value.sum()
    return np.concatenate([sums[k] for k in inputs])


def read_inputs(model, order):
    tensors = {k: np.load(ROOT / "models" / model / "inputs" / f"{k}.npy") for k in order}
    return {k: v.astype(np.float64) if v.dtype == np.float32 else v for k, v in tensors.items()}


def save(folder, arrays):
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", np.array(values))


def activity(model, order):
    """Of each Relu, one after the other: rows in which a neuron is on, the sum, the squares and the largest value."""
    network = Network(ROOT / "models" / model / "model.onnx")
    tensors = read_inputs(model, order)
    rows = []
    for row in range(ACTIVITY_ROWS):
        network.run(network.leaves({k: v[row] for k, v in tensors.items()})[0])
        rows.append(np.concatenate(network.hidden))
    values = np.array(rows)
    save(ROOT / "activity" / model, {"on": (values > 0).sum(0), "sum": values.sum(0), "squares": (values**2).sum(0),
                                     "largest": values.max(0)})


def explain(model, order):
    network = Network(ROOT / "models" / model / "model.onnx")
    tensors = read_inputs(model, order)
    zero, _ = network.leaves({k: v[0] for k, v in tensors.items()})
    gradients, contributions, integrated, summary = [], [], [], []
    for row in range(*ROWS.indices(len(tensors[order[0]]))):
        inputs = {k: v[row] for k, v in tensors.items()}
        leaves, source = network.leaves(inputs)
        f, element, gradient, _ = network.run(leaves)
        products = {k: gradient[k] * leaves[k] for k in leaves}
        gradients.append(np.concatenate([
            gradient.get(k, np.zeros(len(inputs[k]))) for k in order]))
        contributions.append(by_element(inputs, source, products))
        summary.append([element, f, f - sum(p.sum() for p in products.values())])
        mean = network.mean_gradient(zero, leaves, element)
        integrated.append(by_element(
            inputs, source, {k: mean[k] * (leaves[k] - zero[k]) for k in leaves}))
    save(ROOT / "explanations" / model, {"gradient": gradients, "contributions": contributions, "integrated": integrated,
                                         "summary": summary})


for name, inputs in (("credit_embed", ["dense", "cat"]), ("digits_mlp", ["input"])):
    explain(name, inputs)
    activity(name, inputs)
