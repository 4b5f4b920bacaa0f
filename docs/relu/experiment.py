#!/usr/bin/env python3
"""Trains the networks of docs/relu.md and writes its numbers and figures.

    apt-get install python3-numpy libopenblas0-pthread dataset-fashion-mnist
    docs/relu/experiment.py

One thread, no network. Writes docs/relu/results.json, docs/relu/*.svg and the
numbers in docs/relu.md. With --draw it trains nothing and takes the results that
are there.
"""
import argparse
import gzip
import json
import os
import pathlib
import sys
import time

# One thread, so that sums have the same order on every run.
for library in ("OMP", "OPENBLAS"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

sys.dont_write_bytecode = True  # Nothing but results goes into the folder.

import numpy as np  # noqa: E402

import studies  # noqa: E402
from figures import FIGURES  # noqa: E402
from page import fill  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parent
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
TRAIN_ROWS, TEST_ROWS = 10_000, 5_000


def read_idx(path, dimensions):
    """The unsigned bytes of an IDX file, which is how MNIST and its like come."""
    if not path.exists():
        sys.exit(f"{path}: no such file: install dataset-fashion-mnist, or say --data=FOLDER")
    content = gzip.decompress(path.read_bytes())
    header = np.frombuffer(content, ">u4", 1 + dimensions)
    if header[0] != 0x800 + dimensions:
        sys.exit(f"{path}: begins with {header[0]:#x}, wanted {0x800 + dimensions:#x}: "
                 f"bytes in {dimensions} dimensions")
    return np.frombuffer(content, np.uint8, offset=header.nbytes).reshape(header[1:])


def read_part(folder, part, most):
    pixels = read_idx(folder / f"{part}-images-idx3-ubyte.gz", 3)[:most]
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz", 1)[:most]
    if len(pixels) != len(labels) or not len(pixels):
        sys.exit(f"{folder}: {part} has {len(pixels)} pictures and {len(labels)} labels, wanted as many, and some")
    return pixels.reshape(len(pixels), -1) / np.float32(255), labels.astype(np.int64)


def read_data(folder):
    train_pixels, train_labels = read_part(folder, "train", TRAIN_ROWS)
    test_pixels, test_labels = read_part(folder, "t10k", TEST_ROWS)
    # One mean and deviation for all pixels, of what is trained on: tanh and
    # sigmoid learn slowly from inputs that are all positive.
    mean, deviation = train_pixels.mean(), train_pixels.std()
    return studies.Data(
        train_rows=(train_pixels - mean) / deviation, train_labels=train_labels,
        test_rows=(test_pixels - mean) / deviation, test_labels=test_labels,
        mean=mean, deviation=deviation)


def measure(data, size):
    start = time.process_time()

    def tell(study):
        print(f"{time.process_time() - start:4.0f} s  {study}", flush=True)

    results = studies.run_all(data, size, tell)
    results["data"] = {
        "train_rows": len(data.train_rows), "test_rows": len(data.test_rows), "inputs": data.train_rows.shape[1],
        "zero_pixels_percent": studies.percent(np.mean(data.test_rows == data.test_rows.min())),
        "negative_inputs_percent": studies.percent(np.mean(data.test_rows < 0))}
    results["made_with"] = {"numpy": np.__version__, "cpu_minutes": round((time.process_time() - start) / 60, 1)}
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=FASHION, help="four files in MNIST's format")
    parser.add_argument("--output", type=pathlib.Path, default=FOLDER, help="the folder of results and figures")
    parser.add_argument("--page", type=pathlib.Path, default=FOLDER.parent / "relu.md", help="whose numbers to write")
    parser.add_argument("--quick", action="store_true", help="train little, for a test: the numbers mean nothing")
    parser.add_argument("--draw", action="store_true", help="train nothing")
    options = parser.parse_args()

    stored = options.output / "results.json"
    if options.draw:
        results = json.loads(stored.read_text())
    else:
        results = measure(read_data(options.data), studies.QUICK if options.quick else studies.PAGE)
        options.output.mkdir(parents=True, exist_ok=True)
        stored.write_text(json.dumps(results, indent=1) + "\n")
    for name, draw in FIGURES.items():
        (options.output / f"{name}.svg").write_text(draw(results))
    options.page.write_text(fill(options.page.read_text(), results))


if __name__ == "__main__":
    main()
