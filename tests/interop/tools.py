"""What the interop tests share: our programs, a scratch folder, bitwise comparison."""
import importlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest



def need(*modules):
    """Skips the whole test where a Python package is missing."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            print(f"skipped: {error}")
            sys.exit(77)


need("numpy")
import numpy as np  # noqa: E402

BIN = pathlib.Path(os.environ["MASE_BIN"])


def run(program, *arguments):
    """Runs one of our programs; returns its exit code, output and error text."""
    done = subprocess.run([BIN / program, *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


class TestCase(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def ch(self, *arguments):
        """Runs the program in a project of its own, self.folder / "run"; returns its output."""
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache"), "NO_COLOR": "1"}
        done = subprocess.run([BIN / "ch", *map(str, arguments), "--project-dir", self.folder,
                               "--project", "run"], capture_output=True, text=True, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def convert(self, source, target):
        code, _, error = run("interop_convert", source, target)
        self.assertEqual(code, 0, error)
        return target

    def refused(self, source):
        code, _, error = run("interop_convert", source, self.folder / "refused.npz")
        self.assertEqual(code, 3, error)
        return error

    def same_array(self, ours, theirs, name=""):
        self.assertEqual(ours.dtype, theirs.dtype, name)
        self.assertEqual(ours.shape, theirs.shape, name)
        self.assertEqual(ours.tobytes(), np.ascontiguousarray(theirs).tobytes(), name)
