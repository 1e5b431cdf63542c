"""Evaluation with ONNX Runtime: the float network, or 8 bits by static quantisation calibrated on
some rows (mode eval_quantised). The graph is written layer by layer; the runtime folds the batch
norms itself."""
import os
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from peer import Task, serve

task = Task()


def model():
    random = np.random.default_rng(0)
    nodes, weights, last = [], [], "x"

    def weight(name, value):
        weights.append(numpy_helper.from_array(value.astype(np.float32), name))
        return name

    for i, row in enumerate(task.layers):
        out = f"v{i}"
        if row["op"] == "linear":
            bound = row["in"] ** -0.5
            w = weight(f"w{i}", random.uniform(-bound, bound, (row["out"], row["in"])))
            b = weight(f"b{i}", random.uniform(-bound, bound, row["out"]))
            nodes.append(helper.make_node("Gemm", [last, w, b], [out], transB=1))
        elif row["op"] == "batch_norm1d":
            n = row["in"]
            inputs = [weight(f"{k}{i}", value) for k, value in (
                ("gain", np.full(n, 1.1)), ("shift", np.full(n, 0.1)), ("mean", np.full(n, 0.05)), ("var", np.ones(n)))]
            nodes.append(helper.make_node("BatchNormalization", [last, *inputs], [out]))
        elif row["op"] == "relu":
            nodes.append(helper.make_node("Relu", [last], [out]))
        else:
            raise SystemExit(f"no node for {row['op']}")
        last = out
    graph = helper.make_graph(
        nodes, "network", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", task.width])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["n", task.classes])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def quantised(path, x):
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quant_pre_process, quantize_static

    class Rows(CalibrationDataReader):
        batches = iter([{"x": x[:4096]}])

        def get_next(self):
            return next(self.batches, None)

    prepared, small = path + ".prepared", path + ".int8"
    quant_pre_process(path, prepared, skip_symbolic_shape=True)
    quantize_static(prepared, small, Rows(), quant_format=QuantFormat.QDQ, per_channel=False)
    return small


x, y = task.rows()
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "network.onnx")
    onnx.save(model(), path)
    if task.mode == "eval_quantised":
        path = quantised(path, x)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
starts = task.batches()


def step():
    first = next(starts)
    logits = session.run(None, {"x": x[first : first + task.batch]})[0]
    return (logits.argmax(1) == y[first : first + task.batch]).sum()


serve(step, task.batch)
