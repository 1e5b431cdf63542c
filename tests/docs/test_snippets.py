"""The documents' snippets: TOML blocks are configurations that `ch` takes, C++ blocks compile."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from documents import BUILD, SOURCE, blocks

# What a reader of a snippet has at hand: the includes, and the names that the text around speaks of.
PRELUDE = """#include <fmt/format.h>
#include <filesystem>
#include "mase/data/dataset.h"
#include "mase/engine/engine.h"
#include "mase/io/torch/checkpoint.h"
#include "mase/ir/graph.h"
#include "mase/models/model.h"
#include "mase/numerics/format.h"
#include "mase/ops/op.h"
"""
NAMES = """using namespace mase;
extern const data::DataSet jets;
extern const std::string source;
extern const std::filesystem::path checkpoint;
"""


def quoted_from(text):
    """Whether an example holds the block, at whatever indentation: the tests build and run those."""
    wanted = [line.strip() for line in text.strip().splitlines()]
    for path in (SOURCE / "examples").rglob("*.cpp"):
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        if any(lines[at:at + len(wanted)] == wanted for at in range(len(lines))):
            return True
    return False


class Snippets(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def test_toml(self):
        for block in blocks("toml"):
            with self.subTest(place=block.place):
                file = self.folder / "snippet.toml"
                file.write_text(block.text, encoding="utf-8")
                if "[sweep]" in block.text:
                    command = ["sweep", "--config", file, "--dry-run"]
                elif "\n[data]" in block.text:  # on the files that the commands before it make
                    make = [other for other in blocks("bash")
                            if other.document == block.document and other.line < block.line][-1]
                    environment = dict(os.environ, PATH=f"{BUILD}/bin:{os.environ['PATH']}")
                    subprocess.run(["bash", "-ec", make.text], cwd=self.folder, env=environment, check=True,
                                   capture_output=True)
                    command = ["train", "--config", file, "--dry-run"]
                elif "\nlayers = " in "\n" + block.text:
                    command = ["train", file, "jsc", "--dry-run"]
                else:
                    command = ["transform", "jsc-tiny", "jsc", "--config", file, "--dry-run"]
                done = subprocess.run([BUILD / "bin/ch", *command, "--project-dir", self.folder],
                                      cwd=self.folder, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotIn("WARNING", done.stderr.replace("WARNING  RANDOM WEIGHTS", ""))

    def test_cpp(self):
        headers = [path.relative_to(SOURCE) for folder in ("passes", "train")
                   for path in sorted((SOURCE / "mase" / folder).rglob("*.h"))]
        prelude = PRELUDE + "".join(f'#include "{header}"\n' for header in headers) + NAMES
        for block in blocks("cpp"):
            if quoted_from(block.text):
                continue
            with self.subTest(place=block.place):
                file = self.folder / "snippet.cpp"
                given = "" if "ir::Graph graph =" in block.text else "ir::Graph graph"
                file.write_text(f"{prelude}void snippet({given}) {{\n#line {block.line} "
                                f'"{block.document.name}"\n{block.text}}}\n', encoding="utf-8")
                done = subprocess.run([os.environ.get("CXX", "c++"), "-std=c++20", "-fsyntax-only",
                                       "-I", SOURCE, file], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
