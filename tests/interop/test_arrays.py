"""npy, npz and safetensors, both ways."""
import unittest

import tools
import numpy as np

try:
    import safetensors.numpy
except ImportError:
    safetensors = None

TYPES = ["?", "u1", "i1", "<i2", "<i4", "<i8", "<f2", "<f4", "<f8"]


def arrays():
    random = np.random.default_rng(1)
    out = {}
    for dtype in TYPES:
        for shape in [(), (7,), (3, 4), (2, 0, 3), (2, 3, 4)]:
            out[f"{np.dtype(dtype).name}.{len(shape)}"] = np.array(
                100 * random.standard_normal(shape)).astype(dtype)
    return out


class Arrays(tools.TestCase):
    def test_npz(self):
        for save in (np.savez, np.savez_compressed):
            theirs = arrays()
            save(self.folder / "theirs.npz", **theirs)
            self.convert(self.folder / "theirs.npz", self.folder / "ours.npz")
            with np.load(self.folder / "ours.npz") as ours:
                self.assertEqual(ours.files, list(theirs))
                for name, array in theirs.items():
                    self.same_array(ours[name], array, name)

    def test_npy_layouts(self):
        a = np.arange(24, dtype="<i4").reshape(2, 3, 4)
        for array in (np.asfortranarray(a), a.astype(">i4"), np.asfortranarray(a.astype(">f8")), a[:, ::2]):
            np.save(self.folder / "theirs.npy", array)
            self.convert(self.folder / "theirs.npy", self.folder / "ours.npy")
            self.same_array(np.load(self.folder / "ours.npy"), array.astype(array.dtype.newbyteorder("<")))

    def test_npy_versions(self):
        for version in ((1, 0), (2, 0), (3, 0)):
            with open(self.folder / "theirs.npy", "wb") as file:
                np.lib.format.write_array(file, np.eye(3), version)
            self.convert(self.folder / "theirs.npy", self.folder / "ours.npy")
            self.same_array(np.load(self.folder / "ours.npy"), np.eye(3))

    def test_structured_table(self):
        table = np.zeros(5, dtype=[("j_mass", "<f4"), ("tag", "S3"), ("label", ">i2"), ("xy", "<f8", (2,))])
        table["j_mass"] = np.arange(5) / 3
        table["label"] = [1, -2, 3, -4, 5]
        table["xy"] = np.arange(10).reshape(5, 2)
        np.save(self.folder / "theirs.npy", table)
        self.convert(self.folder / "theirs.npy", self.folder / "ours.npz")
        with np.load(self.folder / "ours.npz") as ours:
            self.assertEqual(ours.files, ["j_mass", "label", "xy"])
            self.same_array(ours["j_mass"], table["j_mass"])
            self.same_array(ours["label"], table["label"].astype("<i2"))
            self.same_array(ours["xy"], table["xy"])

    def test_objects_are_refused(self):
        np.save(self.folder / "theirs.npy", np.array([{}, []], dtype=object))
        self.assertIn("Python objects", self.refused(self.folder / "theirs.npy"))

    @unittest.skipIf(safetensors is None, "needs safetensors")
    def test_safetensors(self):
        theirs = arrays()
        safetensors.numpy.save_file(theirs, self.folder / "theirs.safetensors", {"a": "b"})
        self.convert(self.folder / "theirs.safetensors", self.folder / "ours.safetensors")
        ours = safetensors.numpy.load_file(self.folder / "ours.safetensors")
        self.assertEqual(set(ours), set(theirs))
        for name, array in theirs.items():
            self.same_array(ours[name], array, name)
        with safetensors.safe_open(self.folder / "ours.safetensors", "numpy") as file:
            self.assertEqual(file.metadata(), {"writer": "mase"})


if __name__ == "__main__":
    unittest.main()
