"""HDF5 tables as h5py, pandas and PyTables write them, read by interop_table."""
import os
import shutil
import unittest

import tools
import numpy as np

tools.need("h5py", "pandas", "tables")
import h5py  # noqa: E402
import pandas  # noqa: E402
import tables  # noqa: E402

ROWS = 40
NAMES = ["j_zlogz", "j_mass_mmdt", "j_multiplicity"]


def frame():
    random = np.random.default_rng(1)
    out = pandas.DataFrame({name: random.standard_normal(ROWS).astype("f4") for name in NAMES})
    out["wide"] = random.standard_normal(ROWS)
    out["count"] = np.arange(ROWS)
    out["flag"] = out["count"] % 3 == 0
    return out


def records(columns):
    return columns.to_records(index=False)


class Hdf5(tools.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "table.h5"

    def read(self, inside=""):
        """The columns of the table, as our reader sees them."""
        code, out, error = tools.run("interop_table", f"{self.path}{inside}", self.folder / "out.npz")
        self.assertEqual(code, 0, error)
        with np.load(self.folder / "out.npz") as arrays:
            return {name: arrays[name] for name in arrays.files}

    def refused(self, inside=""):
        code, _, error = tools.run("interop_table", f"{self.path}{inside}", self.folder / "out.npz")
        self.assertEqual(code, 3, error)
        return error

    def same(self, ours, columns):
        for name in columns:
            self.same_array(ours[name], np.asarray(columns[name], dtype="f8"), name)

    def test_pandas(self):
        theirs = frame()
        for options in ({"format": "fixed"}, {"format": "table"},
                        {"format": "table", "data_columns": True},
                        {"format": "table", "data_columns": ["count"]},
                        {"format": "table", "complib": "zlib", "complevel": 5}):
            theirs.to_hdf(self.path, key="run/jets", mode="w", **options)
            self.same(self.read(), theirs)
            self.same(self.read(":/run/jets"), theirs)

    def test_pandas_without_names(self):
        for options in ({"format": "fixed"}, {"format": "table"}):
            theirs = pandas.DataFrame(np.arange(6.0).reshape(3, 2))
            theirs.to_hdf(self.path, key="x", mode="w", **options)
            ours = self.read()
            self.same_array(ours["0"], np.array([0.0, 2, 4]))
            self.same_array(ours["1"], np.array([1.0, 3, 5]))

    def test_pandas_texts(self):
        theirs = frame().assign(kind=["g", "q"] * (ROWS // 2))
        for options in ({"format": "fixed"}, {"format": "table"}):
            theirs.to_hdf(self.path, key="jets", mode="w", **options)
            ours = self.read()
            self.same(ours, frame())
            self.assertNotIn("kind", ours)

    def test_pandas_categories(self):
        numbers = [3, 5] * (ROWS // 2)
        theirs = frame().assign(kind=pandas.Categorical(["quark", "g"] * (ROWS // 2)),
                                number=pandas.Categorical(numbers))
        for options in ({}, {"data_columns": True}, {"data_columns": ["number"]}):
            theirs.to_hdf(self.path, key="jets", mode="w", format="table", **options)
            ours = self.read()
            self.same(ours, frame())
            self.same_array(ours["number"], np.array(numbers, dtype="f8"))

    def test_pytables(self):
        with tables.open_file(self.path, "w") as file:
            table = file.create_table("/", "t", records(frame()))
            table.cols.count.create_index()
        self.same(self.read(), frame())

    def test_h5py(self):
        theirs = frame()
        for options in ({}, {"chunks": (7,), "compression": "gzip", "shuffle": True},
                        {"chunks": (7,), "compression": "lzf", "fletcher32": True}):
            with h5py.File(self.path, "w") as file:
                file.create_dataset("events/jets", data=records(theirs), **options)
                file["jets"] = h5py.SoftLink("/events/jets")
                file["away"] = h5py.ExternalLink("other.h5", "/x")
            self.same(self.read(), theirs)

    def test_h5py_column_by_column(self):
        theirs = frame()
        for order in (False, True):
            with h5py.File(self.path, "w") as file:
                group = file.create_group("jets", track_order=order)
                for name in theirs:
                    group[name] = theirs[name].to_numpy()
            self.same(self.read(), theirs)

    def test_h5py_matrices(self):
        x = np.arange(12, dtype="f2").reshape(4, 3)
        with h5py.File(self.path, "w") as file:
            file["X"] = x
            file["y"] = np.array([True, False, True, True])
        ours = self.read()
        for i in range(3):
            self.same_array(ours[f"X[{i}]"], x[:, i].astype("f8"))
        self.same_array(ours["y"], np.array([1.0, 0, 1, 1]))

    def test_h5py_names(self):
        x = np.arange(6, dtype="f4").reshape(3, 2)
        with h5py.File(self.path, "w") as file:
            file["jets"] = x
            file["jetFeatureNames"] = np.array([b"j_pt", b"j_g"])
        self.same(self.read(), {"j_pt": x[:, 0], "j_g": x[:, 1]})
        with h5py.File(self.path, "w") as file:
            file["X"] = x
            file["X"].attrs["columns"] = ["a", "b"]
        self.same(self.read(), {"a": x[:, 0], "b": x[:, 1]})

    def test_h5py_never_written(self):
        with h5py.File(self.path, "w") as file:
            file.create_dataset("a", (5,), "f4", chunks=(2,), fillvalue=7)[:2] = 1
            file.create_dataset("b", (5,), "i4")
        self.same(self.read(), {"a": [1, 1, 7, 7, 7], "b": [0] * 5})

    def test_newer_library(self):
        for version in ("v110", "v112", "latest"):
            try:
                with h5py.File(self.path, "w", libver=version) as file:
                    file["t"] = records(frame())
            except ValueError:  # an h5py that does not know the version
                continue
            if version == "v110":
                self.same(self.read(), frame())
            elif h5py.version.hdf5_version_tuple >= (1, 12):
                code, _, error = tools.run("interop_table", self.path, self.folder / "out.npz")
                self.assertTrue(code == 0 or 'libver="v110"' in error, error)

    def test_plug_ins(self):
        try:
            import hdf5plugin
        except ImportError:
            self.skipTest("needs hdf5plugin")
        for options in (hdf5plugin.Blosc(), hdf5plugin.Bitshuffle(), hdf5plugin.LZ4(),
                        hdf5plugin.Zstd()):
            with h5py.File(self.path, "w") as file:
                file.create_dataset("t", data=records(frame()), chunks=(7,), **options)
            os.environ["HDF5_PLUGIN_PATH"] = "/nowhere"
            self.assertIn("for which this system has no plug-in", self.refused())
            os.environ["HDF5_PLUGIN_PATH"] = hdf5plugin.PLUGIN_PATH
            self.same(self.read(), frame())

    def test_several(self):
        with h5py.File(self.path, "w") as file:
            file["a"] = records(frame())
            file["b"] = records(frame().assign(count=1))
        self.assertIn("holds several tables: /a (40 rows, 6 columns); /b", self.refused())
        self.same(self.read(":/b"), frame().assign(count=1))

    def test_columns(self):
        """A map of columns finds the same in a frame of pandas, in records and in CSV."""
        (self.folder / "net.toml").write_text(
            'name = "net"\nclass = "Net"\nlayers = ["Linear(2, 4)", "ReLU()", "Linear(4, 2)"]\n')
        rows = np.arange(200)
        events = pandas.DataFrame({"id": rows, "mass": rows % 7 + 0.5, "pt": (rows % 11).astype("f4"),
                                   "kind": np.where(rows % 7 > 3, "sig", "bkg")})
        texts = events.assign(kind=events["kind"].astype("S3"))
        events.to_csv(self.folder / "events.csv", index=False)
        events.to_hdf(self.folder / "frame.h5", key="run/events", format="table", data_columns=True)
        with h5py.File(self.folder / "records.h5", "w") as file:
            file["t"] = texts.to_records(index=False, column_dtypes={"kind": "S3"})
        (self.folder / "config.toml").write_text(
            '[data]\nfeatures = ["mass", "pt"]\ntarget = "kind"\nclasses = ["bkg", "sig"]\n')
        typed = ["--columns", "features=mass,pt", "--columns", "target=kind", "--columns",
                 "classes=bkg,sig"]
        tables = {}
        for source in ("events.csv", "frame.h5", "frame.h5:/run/events", "records.h5"):
            for columns in (typed, ["--config", self.folder / "config.toml"]):
                shutil.rmtree(self.folder / "run", ignore_errors=True)
                network, path = self.folder / "net.toml", f"{self.folder}/{source}"
                self.ch("train", network, path, *columns, "--max-epochs", 2, "--batch-size", 16)
                metrics = next((self.folder / "run").rglob("metrics.csv")).read_text()
                tables[source, columns[0]] = metrics
        self.assertEqual(len(set(tables.values())), 1, tables)


if __name__ == "__main__":
    unittest.main()
