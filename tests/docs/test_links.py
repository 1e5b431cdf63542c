"""Documents that are named exist; the README leads to every page of docs/."""
import re
import unittest

from documents import SOURCE, documents

NAMED = re.compile(r"(?<![\w/.$-])[\w./-]+\.md\b")
CODE = ("mase", "ch", "tests", "bench", "fuzz", "examples", "cmake", "scripts", "configs")
TEXT = {".h", ".cpp", ".py", ".sh", ".txt", ".cmake", ".toml"}


def exists(name, beside):
    return any((folder / name).exists() for folder in (SOURCE, beside, SOURCE / "docs"))


class Links(unittest.TestCase):
    def test_links_of_documents_lead_somewhere(self):
        for document in documents() + [SOURCE / "CHANGELOG.md"]:
            text = document.read_text(encoding="utf-8")
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
                if not target.startswith(("http:", "https:")):
                    with self.subTest(document=document.name, link=target):
                        self.assertTrue((document.parent / target).exists())

    def test_documents_that_sources_name_exist(self):
        for folder in CODE:
            for path in (SOURCE / folder).rglob("*"):
                if not path.is_file() or path.suffix not in TEXT:
                    continue
                for name in NAMED.findall(path.read_text(encoding="utf-8", errors="replace")):
                    with self.subTest(source=str(path.relative_to(SOURCE)), document=name):
                        self.assertTrue(exists(name.lstrip("/"), path.parent))

    def test_the_readme_links_every_page(self):
        readme = (SOURCE / "README.md").read_text(encoding="utf-8")
        for page in sorted((SOURCE / "docs").glob("*.md")):
            with self.subTest(page=page.name):
                self.assertIn(f"](docs/{page.name})", readme)

    def test_environment_variables_are_those_of_the_page(self):
        # Names are literals where they are read: in a call, or given to one that reads them.
        reads = re.compile(r'(?:getenv|environment|variable|is_forced|set_if_missing)\(\s*"([A-Z_0-9]+)"')
        listed = re.compile(r'\{("[A-Z_]+"(?:, "[A-Z_]+")+)\}\) \{\n\s+std::string value\(environment')
        named = re.compile(r'k\w*Variable = "([A-Z_]+)"')
        found = set()
        for folder in ("mase", "ch"):
            for path in (SOURCE / folder).rglob("*.cpp"):
                text = path.read_text(encoding="utf-8")
                found.update(reads.findall(text) + named.findall(text))
                for names in listed.findall(text):
                    found.update(re.findall("[A-Z_]+", names))
        page = (SOURCE / "docs" / "environment.md").read_text(encoding="utf-8")
        told = set(re.findall(r"`\$?([A-Z][A-Z0-9_]+)(?:=\w+)?`", page))
        self.assertGreater(len(found), 15)
        self.assertEqual(told, found)

    def test_scripts_and_configurations_that_documents_name_exist(self):
        named = re.compile(r"(?<![\w/.-])(?:scripts|configs|examples|tests|mase|ch|cmake)/[\w./-]*\w")
        for document in documents():
            text = document.read_text(encoding="utf-8")
            for name in named.findall(text):
                if "<" in text[text.index(name):][:len(name) + 1]:
                    continue  # mase/ops/<family>.cpp: a pattern
                with self.subTest(document=document.name, file=name):
                    self.assertTrue((SOURCE / name).exists() or (SOURCE / (name + ".h")).exists())


if __name__ == "__main__":
    unittest.main()
