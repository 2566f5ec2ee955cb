"""usage: test_summary.py REPORT : the closing lines of a test run, from ctest's JUnit report.

Shows again what each failed test said, names the tests that did not run and why, and ends with "N passed, N failed,
N skipped". Exits 1 when a test failed or none passed and, with CI=true, when one was skipped: on CI everything that tests
need is there.
"""
import os
import re
import sys
import xml.etree.ElementTree

SLOWEST_SHOWN = 3
SKIP_REASON = re.compile(r": Skipped\n(.+)")
# Where a test's output says what is wrong: GoogleTest, unittest, a Python error, a sanitizer, a crash.
TROUBLE = re.compile(r": Failure$|^FAIL|^ERROR|^Traceback|Sanitizer:|SIG[A-Z]{3,4}|terminate called|\[  FAILED  \]|Error:")
LINES_AFTER_TROUBLE = 8
LINES_SHOWN_OF_A_FAILURE = 40


def outcome(case):
    """passed, failed or skipped; a program that was not built is a failure, not a skip."""
    status = case.get("status")
    if status == "run":
        return "passed"
    if status == "disabled":
        return "skipped"
    reason = case.find("skipped")
    built = reason is not None and reason.get("message") != "Unable to find executable"
    return "skipped" if status == "notrun" and built else "failed"


def skip_reason(case):
    match = SKIP_REASON.search(case.findtext("system-out") or "")
    return match.group(1) if match else case.get("status")


def what_failed(case):
    """The telling lines of a failed test's output, or its last ones: the whole is far above, if it is kept at all."""
    output = (case.findtext("system-out") or "").rstrip().split("\n")
    telling = set()
    for number, line in enumerate(output):
        if TROUBLE.search(line):
            telling.update(range(number, min(number + LINES_AFTER_TROUBLE, len(output))))
    shown = [output[number] for number in sorted(telling)] or output
    return [f"failed: {case.get('name')}"] + [f"  {line}" for line in shown[-LINES_SHOWN_OF_A_FAILURE:]]


def summary(report_text, on_ci):
    """Returns the closing lines and the exit code."""
    cases = list(xml.etree.ElementTree.fromstring(report_text).iter("testcase"))
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    lines = []
    for case in cases:
        counts[outcome(case)] += 1
        if outcome(case) == "failed":
            lines += what_failed(case)
        if outcome(case) == "skipped":
            lines.append(f"skipped: {case.get('name')}: {skip_reason(case)}")
    slowest = sorted(cases, key=lambda case: -float(case.get("time")))[:SLOWEST_SHOWN]
    if slowest:
        lines.append("slowest: " + ", ".join(f"{case.get('name')} {float(case.get('time')):.1f} s" for case in slowest))
    bad = counts["failed"] > 0 or counts["passed"] == 0
    if counts["skipped"] and on_ci:
        lines.append("CI=true: a skipped test counts as a failure")
        bad = True
    lines.append(", ".join(f"{count} {name}" for name, count in counts.items()))
    return lines, 1 if bad else 0


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        closing_lines, exit_code = summary(file.read(), os.environ.get("CI") == "true")
    print("\n".join(closing_lines))
    sys.exit(exit_code)
