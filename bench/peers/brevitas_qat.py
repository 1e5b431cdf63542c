"""Quantisation-aware training with Brevitas: linear layers whose weights and inputs are 8-bit
fixed point (a power of two as scale), everything else as it is."""
from brevitas import nn as qnn
from brevitas.quant import Int8ActPerTensorFixedPoint, Int8WeightPerTensorFixedPoint
from torch import nn

import torch_network
from peer import Task, serve

task = Task()


def layer(row):
    if row["op"] != "linear":
        return torch_network.layer(row)
    return qnn.QuantLinear(
        row["in"], row["out"], bias=True, weight_quant=Int8WeightPerTensorFixedPoint,
        input_quant=Int8ActPerTensorFixedPoint)


net = nn.Sequential(*map(layer, task.layers))
task.variant = "fused"
serve(torch_network.training(task, net), task.batch)
