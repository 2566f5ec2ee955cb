"""bench/rivals without its packages: the tables, which figures get into them, the command line, and what runs again."""
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench" / "rivals"))
import catalogue
import run
import runs
import tables


def document(**changed):
    rows = [runs.row("a search, p50", "Other | engine", "ms", ([2.0, 1.0, 9.0], [4.0, 5.0, 4.0]), ("recall 1.000", "recall 0.990")),
            runs.row("a search, answers/s", "Other", "/s", ([3000.0], [1500.0]), more_is_better=True)]
    return {"machine": {"cpu": "A processor, 2 cores", "kernels": "avx2", "load_before": 0.1}, "date": "2026-01-02", "commit": "abc", "smoke": False,
            "repeats": 3, "versions": {"other": "1.2"}, "notes": ["Made up."], "rows": rows, **changed}


@contextlib.contextmanager
def folder_with(**results):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for runner, text in results.items():
            (folder / f"{runner}.json").write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
        yield folder


class TestTables(unittest.TestCase):
    def test_medians_ratios_and_qualities_are_in_one_row(self):
        lines = tables.table(document()).splitlines()
        self.assertEqual(lines[2], "| a search, p50 | Other \\| engine | 2.00 ms | 4.00 ms | 2.00× | recall 1.000 | recall 0.990 |")
        self.assertEqual(lines[3], "| a search, answers/s | Other | 3,000/s | 1,500/s | 2.00× |  |  |")

    def test_a_ratio_above_one_is_ours(self):
        self.assertAlmostEqual(runs.ratio(runs.row("", "", "ms", ([2.0], [1.0]))), 0.5)
        self.assertAlmostEqual(runs.ratio(runs.row("", "", "/s", ([2.0], [1.0]), more_is_better=True)), 2)

    def test_numbers_have_three_digits(self):
        for value, text in ((0.01234, "0.0123"), (1, "1.00"), (12.34, "12.3"), (123.4, "123"), (12_345, "12,300")):
            self.assertEqual(tables.number(value), text)

    def test_the_machine_the_day_and_the_commit_are_named(self):
        with folder_with(words=document()) as folder:
            text = tables.documentation(tables.read_results(folder))
        for said in ("A processor, 2 cores", "avx2", "2026-01-02", "commit abc", "other 1.2", "medians of 3", "Made up."):
            self.assertIn(said, text)
        self.assertEqual(text.count("Not measured"), len(tables.TITLES) - 1)

    def test_figures_that_do_not_count_are_refused(self):
        no_row = document()
        del no_row["rows"][0]["theirs_quality"]
        zero = document(rows=[runs.row("w", "r", "ms", ([0.0], [1.0]))])
        wrong = {"{": "Expecting", "[]": "not figures of a full run", json.dumps(document(smoke=True)): "not figures of a full run",
                 json.dumps(document(commit="")): 'no "commit"', json.dumps(document(rows=[])): 'no "rows"',
                 json.dumps(no_row): "lacks one of", json.dumps(zero): "ours has no figures above 0"}
        for text, said in wrong.items():
            with self.subTest(said=said), folder_with(words=text) as folder, self.assertRaisesRegex(tables.BadFigures, said):
                tables.read_results(folder)

    def test_only_what_is_between_the_markers_is_replaced(self):
        with folder_with(vectors=document()) as folder, contextlib.redirect_stdout(io.StringIO()):
            path = folder / "rivals.md"
            path.write_text("before\n" + tables.BEGIN + "old\n" + tables.END + "after\n", encoding="utf-8")
            words = ["--results", str(folder), "--document", str(path)]
            self.assertEqual(tables.main([*words, "--check"]), 1)
            self.assertEqual(tables.main(words), 0)
            self.assertEqual(tables.main([*words, "--check"]), 0)
            text = path.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("before\n") and text.endswith("after\n"))
        self.assertNotIn("old", text)

    def test_without_markers_nothing_is_written(self):
        for text in ("", tables.BEGIN, tables.END + tables.BEGIN, tables.BEGIN * 2 + tables.END):
            with self.assertRaises(tables.BadFigures):
                tables.put(text, "")

    def test_the_document_has_its_markers(self):
        tables.put((ROOT / "docs" / "rivals.md").read_text(encoding="utf-8"), "")


class TestRunning(unittest.TestCase):
    def test_every_runner_is_there_and_takes_what_it_is_given(self):
        options = run.parse(["--smoke", "--repeats", "2", "--data", "some"])
        for name in tables.TITLES:
            words = run.command(options, name)
            self.assertTrue(pathlib.Path(words[2]).is_file())
            self.assertEqual(vars(runs.arguments("").parse_args(words[3:]))["repeats"], 2)
            self.assertIn(str(pathlib.Path("some").absolute()), words)

    def test_nonsense_is_refused(self):
        for words in (["flights"], ["--repeats", "0"], ["--repeats", "many"], ["--no-such"]):
            with self.subTest(words=words), contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
                run.parse(words)

    def test_what_has_finished_is_kept_until_it_is_asked_for_again(self):
        with tempfile.TemporaryDirectory() as work:
            options = run.parse(["--work", work])
            out = run.results_folder(options) / "words.json"
            out.parent.mkdir()
            out.write_text("{}", encoding="utf-8")
            with mock.patch("subprocess.run") as started:
                self.assertEqual(run.run_one(options, "words"), "kept")
                started.assert_not_called()
                started.return_value.returncode = runs.NOT_TO_BE_HAD
                options.again = True
                self.assertEqual(run.run_one(options, "words"), "missing")
                started.return_value.returncode = 0
                self.assertEqual(run.run_one(options, "words"), "failed")  # it left no file

    def test_smoke_figures_lie_elsewhere(self):
        self.assertNotEqual(run.results_folder(run.parse(["--smoke"])), run.results_folder(run.parse([])))

    def test_sides_take_turns_and_who_begins_changes(self):
        order = []
        sides = {name: lambda name=name: order.append(name) or {"cell": len(order)} for name in "abc"}
        with contextlib.redirect_stdout(io.StringIO()):
            found = runs.take_turns(3, sides)
        self.assertEqual("".join(order), "abcbcacab")
        self.assertEqual(found["a"]["cell"], [1, 6, 8])

    def test_percentiles_are_of_the_nearest_rank(self):
        self.assertEqual([runs.percentile(range(1, 101), share) for share in (0.5, 0.99, 1.0)], [50, 99, 100])
        self.assertEqual(runs.percentile([7], 0.99), 7)


class TestCatalogue(unittest.TestCase):
    def test_ndcg(self):
        grades = {"a": 2, "b": 1}
        self.assertAlmostEqual(catalogue.ndcg_at_ten(["a", "b"], grades), 1)
        self.assertAlmostEqual(catalogue.ndcg_at_ten(["b", "a"], grades), (1 + 3 / 1.5849625) / (3 + 1 / 1.5849625))
        self.assertEqual(catalogue.ndcg_at_ten(["c"], grades), 0)

    def test_the_rerank_text_ends_behind_a_whole_word(self):
        one = dict.fromkeys(["article_id", *catalogue.BOOSTS], "") | {"prod_name": "Coat", "colour_group_name": "Red", "detail_desc": "long " * 99}
        text = catalogue.rerank_text(one)
        self.assertTrue(text.startswith("Coat. Red. long") and text.endswith("long"))
        self.assertLessEqual(len(text), 240)


if __name__ == "__main__":
    unittest.main()
