"""PyTorch with the forward pass and the loss through torch.compile, and fused Adam."""
import torch

from peer import Task, serve
from torch_network import network, training

task = Task()
task.variant = "fused"
net = network(task)


@torch.compile
def forward_loss(x, y):
    return torch.nn.functional.cross_entropy(net(x), y)


serve(training(task, net, forward_loss), task.batch)
