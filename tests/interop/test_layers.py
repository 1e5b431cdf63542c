"""Every layer we have, built by the installed PyTorch, printed by it and read by us."""
import inspect
import json
import re
import unittest

import tools

tools.need("torch")
from torch import nn

LAYERS = [
    (nn.Linear, (16, 5), [{}, {"bias": False}]),
    (nn.BatchNorm1d, (16,), [{}, {"affine": False}, {"track_running_stats": False},
                             {"eps": 1e-3, "momentum": 0.25}, {"momentum": None}, {"bias": False}]),
    (nn.BatchNorm2d, (6,), [{}, {"affine": False}, {"momentum": None}, {"bias": False}]),
    (nn.ReLU, (), [{}, {"inplace": True}]),
    (nn.ReLU6, (), [{}, {"inplace": True}]),
    (nn.Hardtanh, (), [{}, {"min_val": -2, "max_val": 2.5}, {"inplace": True}]),
    (nn.Sigmoid, (), [{}]),
    (nn.Tanh, (), [{}]),
    (nn.Softmax, (), [{}, {"dim": 1}, {"dim": -1}]),
    (nn.Dropout, (), [{}, {"p": 0.25, "inplace": True}]),
    (nn.Identity, (), [{}]),
    (nn.Flatten, (), [{}, {"start_dim": 0, "end_dim": 2}]),
    (nn.Conv1d, (4, 6, 3), [{}, {"stride": 2, "padding": 1, "dilation": 2, "groups": 2},
                            {"bias": False}, {"padding": "same"}, {"padding_mode": "circular"}]),
    (nn.Conv2d, (4, 6, 3), [{}, {"stride": (2, 1), "padding": (1, 0), "groups": 2},
                            {"bias": False}, {"padding": "valid"}, {"padding_mode": "reflect"}]),
    (nn.MaxPool1d, (3,), [{}, {"stride": 2, "padding": 1}, {"ceil_mode": True}]),
    (nn.MaxPool2d, (3,), [{}, {"stride": (2, 1), "padding": 1, "dilation": 2}]),
    (nn.AvgPool1d, (3,), [{}, {"stride": 2, "padding": 1}]),
    (nn.AvgPool2d, (3,), [{}, {"stride": (2, 1), "padding": 1}]),
    (nn.AdaptiveAvgPool1d, (2,), [{}]),
    (nn.AdaptiveAvgPool2d, ((2, 3),), [{}]),
    (nn.AdaptiveAvgPool2d, ((None, 3),), [{}]),
]


def built():
    for layer, arguments, variants in LAYERS:
        known = inspect.signature(layer.__init__).parameters
        for keywords in variants:
            if all(key in known for key in keywords):  # older ones lack some: bias of norms
                yield layer(*arguments, **keywords)


def as_we_print(text):
    """Norms of 2.14 and newer print their bias: left out by us if it is there, else the last."""
    text = re.sub(r"(affine=\w+), bias=True", r"\1", text)
    return re.sub(r", bias=False(, track_running_stats=\w+)", r"\1, bias=False", text)


class Layers(tools.TestCase):
    def test_every_printed_form_is_read(self):
        modules = list(built())
        path = self.folder / "layers.txt"
        path.write_text("".join(f"{module}\n" for module in modules))
        code, output, error = tools.run("interop_layers", path)
        self.assertEqual(code, 0, error)
        lines = output.split("\n")
        for module, text, ours in zip(modules, lines[::2], lines[1::2]):
            theirs = "".join(f"{name} {list(tensor.shape)} "
                             for name, tensor in module.state_dict().items())
            self.assertEqual(ours, theirs, str(module))
            self.assertEqual(text, as_we_print(str(module)))

    def test_every_layer_of_ours_is_tried(self):
        code, output, error = tools.run("ch", "info", "ops", "--json")
        self.assertEqual(code, 0, error)
        ours = {row["layer"] for row in json.loads(output) if row.get("layer")}
        self.assertEqual(ours, {layer.__name__ for layer, _, _ in LAYERS})


if __name__ == "__main__":
    unittest.main()
