"""Every command of the documents' bash and console blocks runs and succeeds; what console blocks show
is what is printed. The commands of a document run in order in one folder that looks like a checkout
with a build. What is left out, and why, is in not_run.txt."""
import json
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

from documents import BUILD, SOURCE, blocks, commands

HERE = pathlib.Path(__file__).resolve().parent
MASKS = [  # figures that differ from run to run
    (re.compile(r"\d\d:\d\d<\d\d:\d\d"), "<time>"),
    (re.compile(r" *[0-9.]+(it/s|s/it)"), " <rate>"),
    (re.compile(r"((acc|loss)_(step|epoch)[:= ]+)[0-9.e+-]+"), r"\1<x>"),
]


def not_run():
    """How commands begin, and what is put in behind that so that they can be run ("": nothing can)."""
    rules = {}
    for line in (HERE / "not_run.txt").read_text(encoding="utf-8").splitlines():
        start, _, reason = line.partition("#")
        if start.strip():
            assert reason.strip(), f"not_run.txt: no reason for {start}"
            command, _, instead = start.partition(" + ")
            rules[command.strip()] = instead.strip()
    return rules


def checkout(folder):
    """Links to all that a checkout holds, and the build where the documents expect it."""
    for entry in SOURCE.iterdir():
        if entry.name not in ("build", "mase_output", ".git"):
            (folder / entry.name).symlink_to(entry)
    (folder / "build").mkdir()
    (folder / "build/release").symlink_to(BUILD)
    return folder


def shell(command, folder):
    environment = dict(os.environ, PATH=f"{BUILD}/bin:{os.environ['PATH']}", NO_COLOR="1", COLUMNS="100",
                       LC_ALL="C.UTF-8", MASE_CACHE_DIR=str(folder / "cache"))
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout


def masked(text):
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return [line.rstrip() for line in text.splitlines()]


def matches(expected, actual):
    """Lines, of which "..." stands for any number; returns what is missing, or None."""
    at, free = 0, False
    for line in expected:
        if line == "...":
            free = True
            continue
        here = actual.index(line, at) if free and line in actual[at:] else at
        if here >= len(actual) or actual[here] != line:
            return line
        at, free = here + 1, False
    return None if free or at == len(actual) else f"(nothing more, but there is) {actual[at]}"


class Commands(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="mase docs ")  # a blank: paths are quoted
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def check_not_run(self, command):
        for part in re.split(r"\s&&\s", command):
            words = shlex.split(part, comments=True)
            if words[0] == "cmake" and words[1] == "--preset":
                presets = json.loads((SOURCE / "CMakePresets.json").read_text())["configurePresets"]
                self.assertIn(words[2], [preset["name"] for preset in presets])
            if words[0].startswith("scripts/"):
                script = (SOURCE / words[0]).read_text(encoding="utf-8")
                for option in (word for word in words[1:] if word.startswith("-")):
                    self.assertIn(option, script)
                for path in (word for word in words[1:] if "/" in word):
                    self.assertTrue((SOURCE / path).exists(), path)

    def test_blocks_of_the_shell(self):
        rules, used, folders, variables = not_run(), set(), {}, {}
        for block in blocks("bash"):
            if block.document not in folders:
                folders[block.document] = self.scratch / block.document.stem
                folders[block.document].mkdir()
                checkout(folders[block.document])
                variables[block.document] = ""
            for command in commands(block.text):
                with self.subTest(place=block.place, command=command):
                    rule = next((start for start in rules if command.startswith(start)), None)
                    if rule:
                        used.add(rule)
                        if not rules[rule]:
                            self.check_not_run(command)
                            continue
                        command = command.replace(rule, f"{rule} {rules[rule]}", 1)
                    if re.match(r"\w+=\S+(\s|$)|export ", command):
                        variables[block.document] += command + "\n"
                        continue
                    code, output = shell(f"{variables[block.document]}set -e\n{command}",
                                         folders[block.document])
                    self.assertEqual(code, 0, output)
        self.assertLessEqual(set(rules) - used, {"scripts/build.sh", "scripts/format.sh"},
                             "not_run.txt names commands that no document holds")

    def test_what_console_blocks_show(self):
        for number, block in enumerate(blocks("console")):
            folder = self.scratch / f"console{number}"
            folder.mkdir()
            checkout(folder)
            for step in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
                command, _, shown = step.partition("\n")
                with self.subTest(place=block.place, command=command):
                    code, output = shell(command, folder)
                    self.assertEqual(code, 0, output)
                    missing = matches(masked(shown.rstrip("\n")), masked(output))
                    self.assertIsNone(missing, f"\nnot printed where expected: {missing}\n--- all:\n{output}")


if __name__ == "__main__":
    unittest.main()
