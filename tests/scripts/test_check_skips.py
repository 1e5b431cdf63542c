"""scripts/check_skips.py on results as ctest writes them."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(sys.argv.pop(1)).resolve()

PASSED = '<testcase name="a.Passed" status="run"><system-out>[ OK ]</system-out></testcase>'
SKIPPED = """<testcase name="b.{name}" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
<system-out>[ RUN      ] B.{name}
/x/b_test.cpp:60: Skipped
fish is not installed
[  SKIPPED ] B.{name} (0 ms)
</system-out></testcase>"""
BY_CODE = """<testcase name="interop.run" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>
<system-out>skipped: No module named 'tensorboard'
</system-out></testcase>"""


class CheckSkips(unittest.TestCase):
    def check(self, cases, allowed):
        with tempfile.TemporaryDirectory(prefix="a b ") as folder:
            results, rules = pathlib.Path(folder, "results.xml"), pathlib.Path(folder, "allowed.txt")
            results.write_text(f"<testsuite>{''.join(cases)}</testsuite>")
            rules.write_text(allowed)
            done = subprocess.run([SOURCE / "scripts/check_skips.py", results, rules],
                                  capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_nothing_skipped(self):
        self.assertEqual(self.check([PASSED], ""), (0, ""))

    def test_names_and_reasons_of_what_is_not_allowed(self):
        code, output = self.check([PASSED, SKIPPED.format(name="Fish"), BY_CODE], "")
        self.assertEqual(code, 1)
        self.assertIn("skipped: b.Fish: fish is not installed", output)
        self.assertIn("skipped: interop.run: No module named", output)
        self.assertIn("2 tests were skipped", output)

    def test_a_rule_allows_by_pattern(self):
        code, output = self.check([SKIPPED.format(name="Fish")], "# rules\nb.F*  # no fish here\n")
        self.assertEqual((code, output), (0, ""))

    def test_a_rule_has_a_reason(self):
        code, output = self.check([PASSED], "b.*\n")
        self.assertEqual(code, 1)
        self.assertIn("no reason for b.*", output)


if __name__ == "__main__":
    unittest.main()
