"""bench/suite without the programs it runs: gates, what is accepted, exit codes, the command line, the tables."""
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench" / "suite"))
import common
import gates
import run
import tables

VNNI = {"cpu": "A processor", "flags": ["avx2", "avx512_vnni"], "kernels": "avx512_vnni on A processor", "cores": 2, "memory_mb": 8192,
        "date": "2026-01-02", "commit": "abc", "load_before": 0.1, "peaks": {"f32": 115.0, "bf16": 0.0, "int8": 457.0}}
AVX2 = {**VNNI, "flags": ["avx2"], "kernels": "avx2 on A processor", "peaks": {"f32": 57.5, "bf16": 0.0, "int8": 228.5}}


def gate(**changed):
    return gates.Gate(**{"name": "g", "row": "a search", "unit": "ms", "bound": 10, **changed})


def judged(one, value, machine=VNNI, accepted=None, **more):
    return gates.judge(one, {"value": value, **more}, machine, accepted)


class TestGates(unittest.TestCase):
    def test_the_bound_itself_is_met_and_what_is_beyond_is_an_error(self):
        for direction, inside, outside in (("most", 10, 10.1), ("least", 10, 9.9)):
            one = gate(direction=direction)
            self.assertEqual((judged(one, inside)["verdict"], judged(one, inside)["is_error"]), ("met", False))
            self.assertEqual((judged(one, outside)["verdict"], judged(one, outside)["is_error"]), ("missed", True))

    def test_a_bound_that_the_run_measured(self):
        one = gate(bound=None)
        self.assertEqual(judged(one, 4, bound=4)["verdict"], "met")
        self.assertEqual(judged(one, 5, bound=4)["verdict"], "missed")

    def test_without_data_is_no_error_and_a_failure_is_one(self):
        row = gates.judge(gate(), {"no_data": "no catalogue"}, VNNI)
        self.assertEqual((row["verdict"], row["is_error"]), ("no data: no catalogue", False))
        self.assertTrue(gates.judge(gate(), {"failed": "it ended with 1"}, VNNI)["is_error"])
        self.assertTrue(judged(gate(), float("nan"))["is_error"])

    def test_names_are_given_once_and_every_gate_has_its_measurement(self):
        self.assertEqual(len(gates.BY_NAME), len(gates.GATES))
        names = [name for of_one in run.GATES_OF.values() for name in of_one]
        self.assertEqual(sorted(names), sorted(gates.BY_NAME))


class TestScaling(unittest.TestCase):
    """Half of the reference's peak: model work takes twice as long."""

    def test_work_of_a_model_alone(self):
        one = gate(model=gates.Model("int8", 10))
        row = judged(one, 20, AVX2)
        self.assertEqual((row["scaled_bound"], row["as_written"], row["verdict"], row["bound"]), (20, "missed", "met", 10))
        self.assertEqual(judged(one, 20.1, AVX2)["verdict"], "missed")
        self.assertIn("457 ÷ 228", row["scaled_why"])

    def test_only_the_part_that_is_model_work_counts(self):
        self.assertEqual(judged(gate(model=gates.Model("int8", 4)), 14, AVX2)["scaled_bound"], 14)

    def test_a_rate(self):
        # 500/s are 2 ms each; 1 ms of them is model work, which takes 2 ms here.
        one = gate(unit="/s", bound=500, direction="least", model=gates.Model("int8", 1))
        self.assertAlmostEqual(judged(one, 400, AVX2)["scaled_bound"], 1000 / 3)

    def test_each_precision_by_its_own_peak(self):
        slow_floats = {**AVX2, "peaks": {"f32": 23.0, "int8": 457.0}}
        self.assertAlmostEqual(judged(gate(model=gates.Model("f32", 10)), 1, slow_floats)["scaled_bound"], 50)
        self.assertAlmostEqual(judged(gate(model=gates.Model("int8", 10)), 1, slow_floats)["scaled_bound"], 10)

    def test_with_vnni_and_without_model_work_the_bound_stands_as_it_is(self):
        slow = {**VNNI, "peaks": {"f32": 50.0, "int8": 200.0}}
        self.assertIsNone(judged(gate(model=gates.Model("int8", 10)), 12, slow)["scaled_bound"])
        self.assertIsNone(judged(gate(), 12, AVX2)["scaled_bound"])

    def test_above_the_reference_model_work_is_held_to_the_arithmetic(self):
        fast = {**VNNI, "peaks": {"f32": 200.0, "int8": 914.0}}
        row = judged(gate(model=gates.Model("int8", 10)), 6, fast, arithmetic_ms=4.0)
        self.assertEqual((row["scaled_bound"], row["as_written"], row["verdict"]), (4 * 1.35, "met", "missed"))
        self.assertIsNone(judged(gate(model=gates.Model("int8", 4)), 6, fast, arithmetic_ms=4.0)["scaled_bound"])


class TestAccepted(unittest.TestCase):
    ENTRY = {"gate": "search_p50", "kernels": "avx2", "decision": "0001", "value": 12}

    def test_what_is_accepted_is_no_error_until_it_is_15_percent_worse(self):
        row = judged(gate(), 13.7, accepted=self.ENTRY)
        self.assertEqual((row["verdict"], row["is_error"]), ("missed, accepted: decision 0001", False))
        row = judged(gate(), 13.9, accepted=self.ENTRY)
        self.assertTrue(row["is_error"])
        self.assertIn("worse than decision 0001 accepted (12 ms)", row["verdict"])
        least = gate(direction="least", bound=20)
        self.assertFalse(judged(least, 10.3, accepted=self.ENTRY)["is_error"])
        self.assertTrue(judged(least, 10.1, accepted=self.ENTRY)["is_error"])

    def test_a_multiple_of_a_bound_that_the_run_measured(self):
        entry = {"gate": "g", "kernels": "*", "decision": "0001", "of_bound": 1.5}
        self.assertFalse(judged(gate(bound=None), 3, accepted=entry, bound=2)["is_error"])
        self.assertTrue(judged(gate(bound=None), 3.6, accepted=entry, bound=2)["is_error"])

    def test_what_is_met_needs_no_acceptance(self):
        self.assertEqual(judged(gate(), 9, accepted=self.ENTRY)["verdict"], "met")

    def read(self, entries):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "0001-chosen.md").write_text("Chosen.\n", encoding="utf-8")
            path = folder / "accepted.json"
            path.write_text(entries if isinstance(entries, str) else json.dumps(entries), encoding="utf-8")
            return gates.read_accepted(path, folder)

    def test_entries_are_checked(self):
        self.assertEqual(self.read([self.ENTRY]), {("search_p50", "avx2"): self.ENTRY})
        wrong = {"no record 0002": [{**self.ENTRY, "decision": "0002"}], "no gate nothing": [{**self.ENTRY, "gate": "nothing"}],
                 "is there twice": [self.ENTRY, self.ENTRY], "is no figure": [{**self.ENTRY, "value": "12"}],
                 "needs gate": [{"gate": "search_p50"}], "not a list": {}, "Expecting": "["}
        for said, entries in wrong.items():
            with self.subTest(said=said), self.assertRaisesRegex(gates.BadAcceptance, said):
                self.read(entries)
        for field in ("value", "decision", "kernels"):
            with self.assertRaises(gates.BadAcceptance):
                self.read([{name: value for name, value in self.ENTRY.items() if name != field}])

    def test_the_entries_of_the_repository_are_right(self):
        found = gates.read_accepted(ROOT / "bench" / "suite" / "accepted.json", ROOT / "docs" / "decisions")
        for (name, _), entry in found.items():
            one = gates.BY_NAME[name]
            if one.bound is not None and one.model is None:
                self.assertFalse(gates.is_within(entry["value"], one.bound, one.direction), f"{name} is no miss")

    def test_kernels_choose_the_entry(self):
        figures = {"search_p50": {"value": 13}}
        for kernels, error in (("avx2", False), ("*", False), ("amx_int8", True)):
            rows = gates.judge_all(figures, {**AVX2, "peaks": {}}, {("search_p50", kernels): self.ENTRY})
            self.assertEqual(next(row for row in rows if row["gate"] == "search_p50")["is_error"], error, kernels)


class TestRunning(unittest.TestCase):
    def run_with(self, figures, accepted=(), failing=None):
        """run.main with one measurement that gives these figures; (exit code, what was written)."""
        def work(_context, _machine):
            if failing:
                raise failing
            return dict(figures)
        with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as patches:
            path = pathlib.Path(name) / "accepted.json"
            path.write_text(json.dumps(list(accepted)), encoding="utf-8")
            patches.enter_context(mock.patch.object(run, "MEASUREMENTS", [("search", work, 10)]))
            patches.enter_context(mock.patch.object(run.machine, "describe", lambda _: dict(VNNI)))
            patches.enter_context(mock.patch.object(run.programs, "peaks", lambda _: VNNI["peaks"]))
            for stream in (contextlib.redirect_stdout, contextlib.redirect_stderr):
                patches.enter_context(stream(io.StringIO()))
            code = run.main(["--work", name, "--accepted", str(path)])
            results = pathlib.Path(name) / "results.json"
            return code, json.loads(results.read_text(encoding="utf-8")) if results.exists() else None

    FIGURES = {"search_p50": {"value": 3}, "search_p99": {"value": 6}, "search_16": {"value": 600}, "kept_p99": {"value": 1},
               "ready": {"value": 2}, "memory": {"value": 400}}
    MISSED = {**FIGURES, "search_p50": {"value": 6.5}}
    ACCEPTED = {"gate": "search_p50", "kernels": "avx512_vnni", "decision": "0023", "value": 6.4}

    def test_all_met(self):
        code, results = self.run_with(self.FIGURES)
        self.assertEqual(code, 0)
        self.assertEqual(results["machine"]["peaks"], VNNI["peaks"])
        self.assertEqual([one["name"] for one in results["measurements"]], ["search"])

    def test_a_missed_gate_exits_with_1_and_an_accepted_one_does_not(self):
        self.assertEqual(self.run_with(self.MISSED)[0], 1)
        self.assertEqual(self.run_with(self.MISSED, [self.ACCEPTED])[0], 0)

    def test_worse_than_accepted_exits_with_1(self):
        self.assertEqual(self.run_with({**self.FIGURES, "search_p50": {"value": 7.4}}, [self.ACCEPTED])[0], 1)

    def test_an_acceptance_without_its_record_exits_with_1_before_anything_is_measured(self):
        code, results = self.run_with(self.FIGURES, [{**self.ACCEPTED, "decision": "9999"}])
        self.assertEqual((code, results), (1, None))

    def test_a_measurement_without_data_and_one_that_failed(self):
        code, results = self.run_with({}, failing=common.NoData("no catalogue"))
        self.assertEqual(code, 0)
        self.assertEqual(results["measurements"][0]["no_data"], "no catalogue")
        self.assertEqual(self.run_with({}, failing=common.Failed("it ended with 1"))[0], 1)
        self.assertEqual(self.run_with({"search_p50": {"value": 3}})[0], 1)  # the others' figures were not given

    def test_what_a_program_says_too_late_fails(self):
        context = common.Context(*[pathlib.Path(".")] * 5, data=None, deadline=common.time.monotonic() + 0.2)
        with self.assertRaisesRegex(common.Failed, "time is over"):
            context.run(["sleep", "60"])
        with self.assertRaisesRegex(common.Failed, "time is over"):
            context.run(["true"])

    def test_products_are_judged_by_mean_and_least_within_the_range(self):
        cells = [{"kernel": f"gemm_{precision}", "rows": rows, "in": 384, "out": 384, "gops": gops, "gops_two_threads": 2 * gops, "peak": 100.0}
                 for precision in ("f32", "int8") for rows, gops in ((12, 80.0), (1280, 100.0), (1536, 10.0))]
        context = common.Context(*[pathlib.Path(".")] * 5, data=None)
        said = "\n".join(json.dumps(one) for one in ({"active": "avx2"}, *cells))
        with mock.patch.object(common.Context, "program", lambda _, name: name), mock.patch.object(common.Context, "run", lambda *_: said):
            found = run.programs.kernels(context, {})
        self.assertEqual([found[f"gemm_f32_{name}"]["value"] for name in ("one", "two", "least")], [90, 90, 80])
        self.assertEqual(found["gemm_int8_least"]["note"], "M = 12, 384 × 384")
        self.assertIn("no instruction for bf16", found["gemm_bf16_one"]["no_data"])

    def test_nonsense_is_refused(self):
        for words in (["flights"], ["--no-such"], ["--data", "/nowhere"]):
            with self.subTest(words=words), contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
                run.parse(words)

    def test_a_copy_shares_the_generation_and_not_what_is_written(self):
        with tempfile.TemporaryDirectory() as name:
            data = pathlib.Path(name) / "data"
            (data / "generations" / "one").mkdir(parents=True)
            (data / "CURRENT").write_text("one\n", encoding="utf-8")
            (data / "generations" / "one" / "vectors.f32").write_bytes(b"v")
            (data / "events.db").write_bytes(b"e")
            copy = common.copy_of(data, pathlib.Path(name) / "copy")
            self.assertFalse((copy / "events.db").exists())
            (copy / "CURRENT").write_text("two\n", encoding="utf-8")
            self.assertEqual((data / "CURRENT").read_text(encoding="utf-8"), "one\n")
            self.assertEqual((copy / "generations" / "one" / "vectors.f32").read_bytes(), b"v")


class TestTables(unittest.TestCase):
    def results(self, **changed):
        figures = {"search_p50": {"value": 13, "command": "scalestyle-load", "note": "one | two"},
                   "bge_query_ratio": {"value": 2.0, "rival": "ONNX Runtime int8", "rival_value": "3 ms to our 1.5"}}
        accepted = {("search_p50", "avx2"): {"gate": "search_p50", "kernels": "avx2", "decision": "0023", "value": 12}}
        return {"short": False, "partial": False, "machine": AVX2, "seconds": 700, "catalogue": "hm", "figures": {
            "documents": {"value": 33, "unit": "/s", "row": "documents", "command": "encoder_bench", "note": ""}},
            "measurements": [{"name": "kernels", "seconds": 1, "load_before": 0.25}, {"name": "gemm", "load_before": 0.5, "no_data": "no PyTorch"}],
            "beside": [{"work": "a query", "rival": "FAISS", "unit": "ms", "ours": 1.0, "theirs": 2.0, "ratio": 2.0, "ours_quality": "recall 1",
                        "theirs_quality": "recall 1"}],
            "gates": gates.judge_all(figures, AVX2, accepted), **changed}

    def test_a_row_has_figure_reach_scaled_reach_verdict_and_command(self):
        text = tables.documentation(tables.checked(self.results()))
        row = next(one for one in text.splitlines() if one.startswith("| search without rerank, one client, p50"))
        for said in ("| 13.0 ms |", "≤ 3.50 ms", "≤ 5.70 ms: 2.2 ms of it × 2.00", "missed, accepted: [decision 0023](decisions/0023-",
                     "(as written: missed)", "one \\| two", "`scalestyle-load`"):
            self.assertIn(said, row)
        self.assertIn("| 2.00× | ≥ 1.80× |  | ONNX Runtime int8, 3 ms to our 1.5 | met |", text)

    def test_machine_date_commit_and_what_was_not_measured_are_named(self):
        text = tables.documentation(self.results())
        for said in ("A processor", "2026-01-02", "commit abc", "data folder hm", "0.25 to 0.50", "gemm: no PyTorch", "| a query | FAISS | 1.00 ms |",
                     "| documents | 33.0/s |", "int8 228"):
            self.assertIn(said, text)

    def test_results_that_do_not_count_are_refused(self):
        no_commit = {**AVX2, "commit": ""}
        wrong = {"without the catalogue": ({"catalogue": ""},), "whole run": ({"short": True}, {"partial": True}), 'no "gates"': ({"gates": []},), 'no "commit"': ({"machine": no_commit},),
                 "lacks one of": ({"gates": [{}]}, {"beside": [{}]}), "no row of": ({"gates": self.results()["gates"][1:]},)}
        for said, changes in wrong.items():
            for changed in changes:
                with self.subTest(said=said), self.assertRaisesRegex(tables.BadResults, said):
                    tables.checked(self.results(**changed))

    def test_only_what_is_between_the_markers_is_replaced(self):
        with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
            document, results = pathlib.Path(name) / "performance.md", pathlib.Path(name) / "results.json"
            document.write_text("before\n" + tables.BEGIN + "from before\n" + tables.END + "after\n", encoding="utf-8")
            words = ["--results", str(results), "--document", str(document)]
            self.assertEqual(tables.main(words), 0)
            self.assertIn("Not measured: `make bench`", document.read_text(encoding="utf-8"))
            results.write_text(json.dumps(self.results()), encoding="utf-8")
            self.assertEqual(tables.main([*words, "--check"]), 1)
            self.assertEqual(tables.main(words), 0)
            self.assertEqual(tables.main([*words, "--check"]), 0)
            text = document.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("before\n") and text.endswith("after\n"))
        self.assertNotIn("from before", text)

    def test_the_document_has_its_markers(self):
        tables.put((ROOT / "docs" / "performance.md").read_text(encoding="utf-8"), "")
        for text in ("", tables.BEGIN, tables.END + tables.BEGIN):
            with self.assertRaises(tables.BadResults):
                tables.put(text, "")

    def test_numbers_have_three_digits(self):
        for value, text in ((0, "0"), (0.0634, "0.0634"), (1, "1.00"), (12.34, "12.3"), (12_345, "12,300")):
            self.assertEqual(tables.number(value), text)
        self.assertEqual(tables.amount(0.99971, ""), "0.9997")


if __name__ == "__main__":
    unittest.main()
