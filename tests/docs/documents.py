"""The documents and the fenced blocks in them. Usage of the tests: test_*.py SOURCE_DIR BUILD_DIR."""
import pathlib
import re
import shlex
import sys
import typing

SOURCE = pathlib.Path(sys.argv[1]).resolve()
BUILD = pathlib.Path(sys.argv[2]).resolve()
del sys.argv[1:]  # the rest is unittest's


class Block(typing.NamedTuple):
    document: pathlib.Path
    line: int  # of the first line inside
    language: str
    text: str

    @property
    def place(self):
        return f"{self.document.relative_to(SOURCE)}:{self.line}"


def documents():
    return [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted((SOURCE / "docs").glob("*.md"))]


def blocks(*languages):
    found = []
    for document in documents():
        start = None
        lines = document.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines, 1):
            if start is None and line.startswith("```"):
                start, language = number, line[3:].strip()
            elif start is not None and line.strip() == "```":
                if language in languages:
                    text = "\n".join(lines[start:number - 1]) + "\n"
                    found.append(Block(document, start + 1, language, text))
                start = None
        assert start is None, f"{document}:{start}: a block without an end"
    return found


def complete(text):
    """Whether the lines are whole commands: no here-document and no quotation goes on behind them."""
    here = re.search(r"<<-?\s*['\"]?(\w+)", text)
    if here:
        return re.search(rf"^{here[1]}$", text, flags=re.M) is not None
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True


def commands(text):
    """The commands of a block of the shell: lines that go on joined, comments left to the shell."""
    found, pending = [], ""
    for line in re.sub(r"\\\n\s*", " ", text).split("\n"):
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        pending += line if not pending else "\n" + line
        if complete(pending):
            found.append(pending)
            pending = ""
    assert not pending, f"a command without an end: {pending}"
    return found
