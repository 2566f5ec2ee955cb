"""The closing lines of a test run: what counts as passed, failed and skipped, and when the run fails."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))
import test_summary

PASSED = '<testcase name="a.pass" time="0.5" status="run"><system-out>fine</system-out></testcase>'
FAILED = '<testcase name="a.fail" time="0.1" status="fail"><failure message=""/></testcase>'
SKIPPED = ('<testcase name="a.skip" time="0.2" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>'
           "<system-out>a_test.cpp:7: Skipped\nnot available here: the model\n</system-out></testcase>")
DISABLED = '<testcase name="a.off" time="0" status="disabled"/>'
NOT_BUILT = ('<testcase name="b_NOT_BUILT" time="0" status="notrun"><skipped message="Unable to find executable"/></testcase>')


def run(*cases, on_ci=False):
    return test_summary.summary("<testsuite>" + "".join(cases) + "</testsuite>", on_ci)


class TestSummary(unittest.TestCase):
    def test_all_passed(self):
        lines, code = run(PASSED, PASSED, on_ci=True)
        self.assertEqual((lines[-1], code), ("2 passed, 0 failed, 0 skipped", 0))

    def test_a_failure_fails_the_run(self):
        lines, code = run(PASSED, FAILED)
        self.assertEqual((lines[-1], code), ("1 passed, 1 failed, 0 skipped", 1))

    def test_a_failure_is_shown_again_without_what_is_not_about_it(self):
        output = "\n".join(["chatter"] * 100 + ["a_test.cpp:7: Failure", "Value of: x"] + ["more"] * 20)
        case = FAILED.replace("</testcase>", f"<system-out>{output}</system-out></testcase>")
        lines, _ = run(PASSED, case)
        self.assertEqual(lines[:3], ["failed: a.fail", "  a_test.cpp:7: Failure", "  Value of: x"])
        self.assertNotIn("  chatter", lines)
        self.assertLess(len(lines), 15)
        lines, _ = run(FAILED.replace("</testcase>", "<system-out>one\ntwo\n</system-out></testcase>"))
        self.assertEqual(lines[:3], ["failed: a.fail", "  one", "  two"])

    def test_a_skip_is_named_with_its_reason(self):
        lines, code = run(PASSED, SKIPPED, DISABLED)
        self.assertIn("skipped: a.skip: not available here: the model", lines)
        self.assertIn("skipped: a.off: disabled", lines)
        self.assertEqual((lines[-1], code), ("1 passed, 0 failed, 2 skipped", 0))

    def test_a_skip_fails_the_run_on_ci(self):
        self.assertEqual(run(PASSED, SKIPPED, on_ci=True)[1], 1)
        self.assertEqual(run(PASSED, DISABLED, on_ci=True)[1], 1)

    def test_what_was_not_built_failed(self):
        lines, code = run(PASSED, NOT_BUILT)
        self.assertEqual((lines[-1], code), ("1 passed, 1 failed, 0 skipped", 1))

    def test_no_test_fails_the_run(self):
        self.assertEqual(run(), (["0 passed, 0 failed, 0 skipped"], 1))
        self.assertEqual(run(SKIPPED)[1], 1)


if __name__ == "__main__":
    unittest.main()
