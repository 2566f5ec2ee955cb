"""scripts/bench_mixed.py: what its tables say of a report, and that they go between the markers and nowhere else."""
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import bench_mixed
import bench_scheduling
import serving


def kind(**changed):
    one = {"whole": 0, "degraded": 0, "degraded_reasons": {}, "refused": 0, "errors": 0, "error_kinds": {}, "reranked": 0,
           "reranked_in_full": 0, "mean_rerank_depth": 0, "latency_ms": {"p50": 0, "p95": 0, "p99": 0, "max": 0}}
    return {**one, **changed}


def report():
    text = kind(whole=60, degraded=20, degraded_reasons={"RERANK_PARTIAL": 20}, refused=20, reranked=80, reranked_in_full=60,
                mean_rerank_depth=12.4, latency_ms={"p50": 10.04, "p95": 20.0, "p99": 30.06, "max": 40})
    kinds = {"text": text, "image": kind(errors=2, error_kinds={"HTTP 500": 2}), "hybrid": kind(), "click": kind(whole=5)}
    return {"whole": 65, "degraded": 20, "refused": 20, "errors": 2, "whole_rps": 32.5, "seconds": 2.0, "kinds": kinds,
            "server_core_ms_a_request": 12.34, "generator_core_ms_a_request": 0.567}


class TestTable(unittest.TestCase):
    def test_degraded_and_refused_answers_are_no_whole_ones(self):
        lines = bench_mixed.table([("10 clients", report())]).splitlines()
        self.assertEqual(lines[2], "| **10 clients** | all | 32.5 | | | | 2 | 18.7 % | 23.5 % | | | 12.3 + 0.57 |")
        self.assertEqual(lines[3], "|  | text | 30.0 | 10.0 | 20.0 | 30.1 | 0 | 20.0 % | 25.0 % | 75.0 % | 12 | |")

    def test_without_a_whole_answer_there_is_no_latency(self):
        self.assertIn("|  | image | 0.0 | – | – | – | 2 | 0.0 % | – |", bench_mixed.table([("x", report())]))

    def test_reasons_and_errors_are_counted_below(self):
        text = bench_mixed.table([("10 clients", report())])
        self.assertIn("- 10 clients, degraded: `RERANK_PARTIAL` 20\n", text)
        self.assertIn("- 10 clients, errors: `HTTP 500` 2\n", text)

    def test_every_line_has_as_many_columns(self):
        lines = [line for line in bench_mixed.table([("x", report())]).splitlines() if line.startswith("|")]
        self.assertEqual({line.count("|") for line in lines}, {13})


class TestDocument(unittest.TestCase):
    def written(self, before):
        with tempfile.TemporaryDirectory() as folder:
            document = pathlib.Path(folder) / "performance.md"
            document.write_text(before, encoding="utf-8")
            serving.write_between(document, bench_mixed.BEGIN, bench_mixed.END, "figures\n")
            return document.read_text(encoding="utf-8")

    def test_only_what_is_between_the_markers_changes(self):
        self.assertEqual(self.written(f"a\n{bench_mixed.BEGIN}old\n{bench_mixed.END}b\n"), f"a\n{bench_mixed.BEGIN}figures\n{bench_mixed.END}b\n")

    def test_a_document_without_markers_is_refused(self):
        for text in ("", bench_mixed.BEGIN, bench_mixed.END + bench_mixed.BEGIN):
            with self.assertRaises(SystemExit):
                self.written(text)

    def test_the_document_of_this_repository_has_them(self):
        text = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
        for script in (bench_mixed, bench_scheduling):
            self.assertEqual((text.count(script.BEGIN), text.count(script.END)), (1, 1))


if __name__ == "__main__":
    unittest.main()
