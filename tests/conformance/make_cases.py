#!/usr/bin/python3
"""Writes the test cases that ONNX has for its operators.

    make_cases.py FOLDER

FOLDER/<case>/model.onnx, and input_<i>.pb and output_<i>.pb, tensors in the
order of the graph. FOLDER/cases.txt has one line a case: its name, the operators of its
graph, and the types of its tensors, with a tab between and commas inside.

relud knows all shapes when it loads a model. So inputs that say what shape a
result has (the target of a Reshape, the K of a TopK, ...) are constants here,
as exporters write them.
"""

import pathlib
import sys
import warnings

warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402

# The package was written for a NumPy that still had these names.
for name, kind in (("float", float), ("int", int), ("bool", bool),
                   ("object", object)):
    if name not in np.__dict__:
        setattr(np, name, kind)

import onnx  # noqa: E402
from onnx import numpy_helper  # noqa: E402
from onnx.backend.test.case.node import collect_testcases  # noqa: E402

# By operator: the inputs, counted from 0, that decide on shapes.
SHAPE_INPUTS = {
    "ConstantOfShape": [0],
    "Dropout": [2],  # Whether to train.
    "Expand": [1],
    "ReduceSum": [1],
    "Reshape": [1],
    "Slice": [1, 2, 3, 4],
    "Split": [1],
    "Squeeze": [1],
    "TopK": [1],
    "Unsqueeze": [1],
}


def is_tensor(value):
    return value.type.HasField("tensor_type")


def make_constants(model, inputs):
    """Moves the inputs that decide on shapes to the initializers."""
    graph = model.graph
    fixed = set()
    for node in graph.node:
        for index in SHAPE_INPUTS.get(node.op_type, []):
            if index < len(node.input):
                fixed.add(node.input[index])
    names = [value.name for value in graph.input]
    kept = []
    for value, array in zip(list(graph.input), inputs):
        if value.name in fixed and names.count(value.name) == 1:
            graph.initializer.append(
                numpy_helper.from_array(np.asarray(array), value.name))
            graph.input.remove(value)
        else:
            kept.append(array)
    return kept


def as_tensor(array, elem_type):
    if elem_type != onnx.TensorProto.BFLOAT16:
        return numpy_helper.from_array(array)
    # NumPy has no bfloat16: the cases have its bits, or floats.
    if array.dtype == np.float32:
        array = (array.view(np.uint32) >> 16).astype(np.uint16)
    tensor = numpy_helper.from_array(array)
    tensor.data_type = elem_type
    return tensor


def write_case(case, name, folder):
    """Writes the files, if all values are tensors of numbers. Returns the line
    of cases.txt."""
    graph = case.model.graph
    values = list(graph.input) + list(graph.output)
    operators = sorted({
        f"{node.domain}.{node.op_type}".lstrip(".") for node in graph.node})
    if not all(is_tensor(value) for value in values):
        return f"{name}\t{','.join(operators)}\tnot a tensor"
    types = sorted({
        onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type)
        for value in values})
    inputs, outputs = case.data_sets[0]
    if "STRING" not in types:
        inputs = make_constants(case.model, inputs)
        place = folder / name
        place.mkdir(parents=True)
        (place / "model.onnx").write_bytes(case.model.SerializeToString())
        for kind, arrays, described in (("input", inputs, graph.input),
                                        ("output", outputs, graph.output)):
            for index, array in enumerate(arrays):
                elem_type = described[index].type.tensor_type.elem_type
                tensor = as_tensor(np.asarray(array), elem_type)
                (place / f"{kind}_{index}.pb").write_bytes(
                    tensor.SerializeToString())
    return f"{name}\t{','.join(operators)}\t{','.join(types)}"


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True)
    np.random.seed(0)
    lines = []
    # Some cases have the name of another.
    for index, case in enumerate(collect_testcases(None)):
        lines.append(write_case(case, f"{index:04}_{case.name}", folder))
    (folder / "cases.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
