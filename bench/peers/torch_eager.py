"""PyTorch as most people use it: eager, with Adam as it comes or fused."""
from peer import Task, serve
from torch_network import network, training

task = Task()
serve(training(task, network(task)), task.batch)
