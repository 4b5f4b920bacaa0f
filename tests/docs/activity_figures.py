#!/usr/bin/env python3
"""Prints the figures of docs/activity.md: how often windows of real rows raise an alarm, clean and with an error in one
column, and whether the alarm, and the neurons of the second layer that moved, name the column. Draws docs/activity.svg with --picture.

    apt-get download r-cran-modeldata && dpkg -x r-cran-modeldata_*.deb data
    tests/docs/activity_figures.py --data=data/usr/lib/R/site-library/modeldata/data \\
      --relud=build/release/server/relud --reluctl=build/release/client/reluctl

Needs NumPy and onnx. A network is trained on half of the rows; of the others, split anew in each round, one part is for
`reluctl calibrate` and windows are drawn from the other and sent to the server.
"""
import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, os.path.dirname(__file__))
import r_data

WINDOW = 256
DATA = {
    "credit": ("credit_data", "Status", {"Income": [1.2, 12], "Amount": [1.2], "Expenses": [1.2]}),
    "lending": ("lending_club", "Class",
                {"annual_inc": [1.2, 1 / 12], "int_rate": [1.2, 1 / 100], "funded_amnt": [1.2], "revol_util": [1 / 100]}),
}


def read_table(folder, frame, target):
    """The names of the features, their values (one-hot categories), and the labels."""
    table = r_data.columns(folder, frame)
    labels = np.array([value == "bad" for value in table.pop(target)], np.float32)
    names, features = [], []
    for column, values in table.items():
        if any(isinstance(value, str) for value in values):
            for level in sorted({value or "unknown" for value in values}):
                names.append(f"{column}={level}")
                features.append([float((value or "unknown") == level) for value in values])
        else:
            median = float(np.median([value for value in values if value is not None]))
            names.append(column)
            features.append([median if value is None else float(value) for value in values])
    return names, np.array(features, np.float32).T, labels


def train(x, y, rng):
    """x -> 64 -> 32 -> 1 with Relus, by Adam and weight decay, on standardised inputs."""
    mean, deviation = x.mean(0), x.std(0)
    deviation[deviation == 0] = 1  # Of a category that none of these rows has: another row must not be infinitely far.
    z = (x - mean) / deviation
    sizes = [x.shape[1], 64, 32, 1]
    weights = [rng.normal(0, np.sqrt(2 / m), (m, n)).astype(np.float32) for m, n in zip(sizes, sizes[1:])]
    biases = [np.zeros(n, np.float32) for n in sizes[1:]]
    parameters = weights + biases
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    step = 0
    for _ in range(12):
        for batch in np.array_split(rng.permutation(len(z)), len(z) // 64):
            step += 1
            hidden = [z[batch]]
            for i in range(3):
                value = hidden[-1] @ weights[i] + biases[i]
                hidden.append(np.maximum(value, 0) if i < 2 else 1 / (1 + np.exp(-value)))
            delta = (hidden[3] - y[batch, None]) / len(batch)
            gradients = [None] * 6
            for i in (2, 1, 0):
                gradients[i] = hidden[i].T @ delta + 1e-2 * weights[i]
                gradients[3 + i] = delta.sum(0)
                delta = (delta @ weights[i].T) * (hidden[i] > 0)
            for p, g, (m, v) in zip(parameters, gradients, moments):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p -= 0.002 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return mean, deviation, weights, biases


def write_model(path, parts):
    mean, deviation, weights, biases = parts
    constants = {"mean": mean, "deviation": deviation}
    nodes = [helper.make_node("Sub", ["x", "mean"], ["centred"], "centre"),
             helper.make_node("Div", ["centred", "deviation"], ["h0"], "scale")]
    for i in range(3):
        constants[f"w{i}"], constants[f"b{i}"] = weights[i], biases[i]
        nodes.append(helper.make_node("Gemm", [f"h{i}", f"w{i}", f"b{i}"], [f"z{i}"], f"fc{i + 1}"))
        last = i == 2
        nodes.append(helper.make_node("Sigmoid" if last else "Relu", [f"z{i}"], ["prob" if last else f"h{i + 1}"],
                                      "prob" if last else f"relu{i + 1}"))
    graph = helper.make_graph(
        nodes, "tabular", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", len(mean)])],
        [helper.make_tensor_value_info("prob", TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    os.makedirs(os.path.dirname(path), exist_ok=True)
    onnx.save(model, path)


class Server:
    """relud on free ports, from which every row is looked at."""

    def __init__(self, relud, folder):
        self.process = subprocess.Popen(
            [relud, f"--model-repository={folder}", "--activity-sample-every=1", "--grpc-port=0", "--http-port=0",
             "--metrics-port=0", "--lame-duck=0", "--repository-settle-secs=0", "--instance-count=1", "--threads=1",
             "--http-threads=1"], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if " ready in " in line:
                # "..., gRPC on 0.0.0.0:1234, HTTP on ..."
                ports = [int(port) for port in re.findall(r":(\d+)", line.split(" ready in ")[1])]
                break
        self.grpc_port, http_port = ports[0], ports[1]
        self.http = http.client.HTTPConnection("127.0.0.1", http_port)

    def call(self, method, path, body=None):
        self.http.request(method, path, body)
        answer = self.http.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return json.loads(text)

    def window(self, model, rows):
        """The activity after these rows."""
        self.call("POST", f"/v2/models/{model}/infer", json.dumps(
            {"inputs": [{"name": "x", "datatype": "FP32", "shape": list(rows.shape), "data": rows.ravel().tolist()}]}))
        activity = self.call("GET", f"/v2/models/{model}/activity")
        # Else windows would begin within requests.
        assert activity["skipped_rows"] == 0 and activity["sampled_rows"] == activity["windows"] * WINDOW
        return activity

    def stop(self):
        self.process.terminate()
        self.process.communicate()


def monitors(activity):
    layers = activity["layers"]
    return {"any": activity["drift"],
            "firing": any(layer["firing_score"] > layer["firing_threshold"] for layer in layers),
            "magnitude": any(layer["magnitude_score"] > layer["magnitude_threshold"] for layer in layers),
            "inputs": activity["input_score"] > activity["input_threshold"]}


def behind(activity):
    """What stands first among the inputs behind the neuron of the second layer that moved most; None if none did."""
    moved = activity["layers"][1]["moved"]
    return activity["inputs"][0]["features"][moved[0]["origins"][0]["element"]] if moved else None


def scale(rows, column, factor):
    rows = rows.copy()
    rows[:, column] *= factor
    return rows


def measure(name, options, folder, rng):
    frame, target, errors = DATA[name]
    names, x, y = read_table(options.data, frame, target)
    order = rng.permutation(len(x))
    fit, rest = order[:len(x) // 2], order[len(x) // 2:]
    path = f"{folder}/{name}/1/model.onnx"
    write_model(path, train(x[fit], y[fit], rng))
    cases = {"clean": []} | {f"{column} x {factor:.3g}": [] for column, all_ in errors.items() for factor in all_}
    for round_ in range(options.rounds):
        rest = rng.permutation(rest)
        calibration, pool = rest[:2 * len(rest) // 3], rest[2 * len(rest) // 3:]
        np.savetxt(f"{folder}/rows.csv", x[calibration], "%.9g", ",", header=",".join(names), comments="")
        output = subprocess.run([options.reluctl, "calibrate", path, f"{folder}/rows.csv"], check=True,
                                stdout=subprocess.PIPE, text=True).stdout
        if round_ == 0:
            print(f"{name}: {len(x)} rows, {len(names)} inputs; {output.split('/')[-1].strip()}")
        server = Server(options.relud, folder)
        for _ in range(options.windows):
            window = x[rng.choice(pool, WINDOW, replace=False)]
            cases["clean"].append((server.window(name, window), None))
            for column, factors in errors.items():
                for factor in factors:
                    broken = scale(window, names.index(column), factor)
                    cases[f"{column} x {factor:.3g}"].append((server.window(name, broken), column))
        if options.picture and name == "lending" and round_ == 0:
            server.window(name, scale(x[rng.choice(pool, WINDOW, replace=False)], names.index("int_rate"), 1.2))
            command = [options.reluctl, "activity", name, f"--server=localhost:{server.grpc_port}"]
            print(subprocess.run([*command, f"--picture={options.picture}"], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout)
        server.stop()
    print(f"| {name} | alarm | firing | magnitude | inputs | names the column | the second layer moved | and leads to it |")
    for case, results in cases.items():
        shares = {key: np.mean([monitors(activity)[key] for activity, _ in results])
                  for key in ("any", "firing", "magnitude", "inputs")}
        named = [activity["inputs"][0]["features"][int(np.argmax(activity["inputs"][0]["score"]))] == column
                 for activity, column in results if column and activity["drift"]]
        led = [behind(activity) == column for activity, column in results if column and behind(activity)]
        of = [f"{np.mean(some):.1%}" if some else "" for some in (named, led)]
        deep = np.mean([behind(activity) is not None for activity, _ in results])
        print(f"| {case} | " + " | ".join(f"{value:.1%}" for value in shares.values()) + f" | {of[0]} | {deep:.1%} | {of[1]} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--relud", required=True)
    parser.add_argument("--reluctl", required=True)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--windows", type=int, default=50)
    parser.add_argument("--picture")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in DATA:
            measure(name, options, f"{folder}/{name}", np.random.default_rng(1))


main()
