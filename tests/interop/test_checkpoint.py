"""torch.save files of all kinds read by us; ours read by torch.load(weights_only=True)."""
import collections
import unittest

import tools

tools.need("torch")
import numpy as np
import torch
from torch import nn


def as_array(tensor):
    tensor = tensor.detach()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()  # as our npz writer does
    return tensor.contiguous().numpy()


class Checkpoint(tools.TestCase):
    def read_by_us(self, path):
        self.convert(path, self.folder / "read.npz")
        with np.load(self.folder / "read.npz") as arrays:
            return {name: arrays[name] for name in arrays.files}

    def same_state(self, path, wanted):
        got = self.read_by_us(path)
        self.assertEqual(list(got), list(wanted))
        for name, tensor in wanted.items():
            self.same_array(got[name], as_array(tensor), name)

    def test_every_type(self):
        state = {}
        for dtype in (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
                      torch.float16, torch.bfloat16, torch.float32, torch.float64):
            for shape in ((), (5,), (2, 3), (0, 2)):
                state[f"{dtype}{len(shape)}"] = (torch.randn(shape) * 9).to(dtype)
        for protocol in (2, 3, 4, 5):
            torch.save(state, self.folder / "theirs.pt", pickle_protocol=protocol)
            self.same_state(self.folder / "theirs.pt", state)
        self.convert(self.folder / "theirs.pt", self.folder / "ours.pt")
        ours = torch.load(self.folder / "ours.pt", weights_only=True)
        self.assertIsInstance(ours, collections.OrderedDict)
        for name, tensor in state.items():
            self.assertEqual(ours[name].dtype, tensor.dtype)
            self.assertTrue(torch.equal(ours[name], tensor), name)

    def test_views(self):
        base = torch.arange(24.0).reshape(4, 6)
        state = collections.OrderedDict(
            whole=base, transposed=base.t(), part=base[1:3, 2:5], steps=base[:, ::2],
            expanded=torch.tensor([1.0, 2.0]).expand(3, 2), again=base,
            parameter=nn.Parameter(base[0]), channels_last=torch.randn(2, 3, 4, 5).to(
                memory_format=torch.channels_last))
        torch.save(state, self.folder / "theirs.pt")
        self.same_state(self.folder / "theirs.pt", state)

    def test_module_state_and_nesting(self):
        net = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3), nn.ReLU())
        net(torch.randn(8, 4))
        torch.save(net.state_dict(), self.folder / "plain.pt")
        self.same_state(self.folder / "plain.pt", net.state_dict())
        torch.save({"state_dict": net.state_dict(), "epoch": 3}, self.folder / "nested.pt")
        self.same_state(self.folder / "nested.pt", net.state_dict())
        self.convert(self.folder / "plain.pt", self.folder / "ours.pt")
        other = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3), nn.ReLU())
        other.load_state_dict(torch.load(self.folder / "ours.pt", weights_only=True))
        for name, tensor in net.state_dict().items():
            self.assertTrue(torch.equal(other.state_dict()[name], tensor), name)

    @unittest.skipUnless(hasattr(torch.serialization, "set_crc32_options"), "needs a newer PyTorch")
    def test_without_checksums(self):
        set_crc32_options = torch.serialization.set_crc32_options
        state = {"a": torch.randn(100)}
        set_crc32_options(False)
        try:
            torch.save(state, self.folder / "theirs.pt")
        finally:
            set_crc32_options(True)
        self.same_state(self.folder / "theirs.pt", state)

    def test_old_format(self):
        base = torch.arange(24.0).reshape(4, 6)
        state = collections.OrderedDict(
            whole=base, transposed=base.t(), part=base[1:3, 2:5], steps=torch.tensor(3),
            parameter=nn.Parameter(base[0]), half=torch.randn(5).half(), empty=torch.zeros(0, 2))
        for protocol in (2, 3, 4, 5):
            torch.save(state, self.folder / "old.pt", pickle_protocol=protocol,
                       _use_new_zipfile_serialization=False)
            self.same_state(self.folder / "old.pt", state)
        torch.save(nn.Linear(2, 2), self.folder / "net.pt", _use_new_zipfile_serialization=False)
        self.assertIn("save its state_dict()", self.refused(self.folder / "net.pt"))

    def test_pickled_programs_are_refused(self):
        net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        torch.save(net, self.folder / "net.pt")
        self.assertIn("save its state_dict()", self.refused(self.folder / "net.pt"))
        torch.save(torch.fx.symbolic_trace(net), self.folder / "graph_module.mz")
        error = self.refused(self.folder / "graph_module.mz")
        self.assertIn("pickled by the original MASE", error)
        self.assertIn("state_dict.pt", error)
        torch.jit.save(torch.jit.trace(net, torch.zeros(1, 2)), self.folder / "script.pt")
        self.assertIn("TorchScript", self.refused(self.folder / "script.pt"))

    def test_nothing_is_executed(self):
        witness = self.folder / "executed"

        class Evil:
            def __reduce__(self):
                return open, (str(witness), "w")

        torch.save({"a": torch.zeros(1), "b": Evil()}, self.folder / "evil.pt")
        self.same_state(self.folder / "evil.pt", {"a": torch.zeros(1)})
        self.assertFalse(witness.exists())


if __name__ == "__main__":
    unittest.main()
