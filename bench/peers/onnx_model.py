"""Writes the benchmarks' network as ONNX, from the weights beside its TorchScript file."""

import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

folder = sys.argv[1]
widths = [128, 512, 256, 1]
weights = numpy.fromfile(folder + "/ranker.weights", numpy.float32)
nodes = []
initializers = []
at = 0
value = "features"
for layer, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
    for name, shape in (("weight", (outputs, inputs)), ("bias", (outputs,))):
        size = int(numpy.prod(shape))
        tensor = weights[at : at + size].reshape(shape)
        initializers.append(numpy_helper.from_array(tensor, f"{name}{layer}"))
        at += size
    last = layer == len(widths) - 2
    linear = "scores" if last else f"linear{layer}"
    names = [value, f"weight{layer}", f"bias{layer}"]
    nodes.append(helper.make_node("Gemm", names, [linear], transB=1))
    if not last:
        value = f"hidden{layer}"
        nodes.append(helper.make_node("Relu", [linear], [value]))
assert at == len(weights)


def matrix(name, width):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])


graph = helper.make_graph(
    nodes, "ranker", [matrix("features", widths[0])], [matrix("scores", 1)], initializers
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
onnx.checker.check_model(model)
onnx.save(model, folder + "/ranker.onnx")
