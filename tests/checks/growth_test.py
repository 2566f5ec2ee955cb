"""bench/growth without our programs: laws, the form of figures, tables, the command line, and what runs again."""
import contextlib
import io
import json
import math
import pathlib
import re
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench" / "growth"))
import law
import points
import run
import tables

NS = (10_000, 30_000, 105_542, 300_000, 1_000_000)


def series(name="exact scan, every row", beyond=(30_000_000,), **figures):
    figures = figures or {"p50_ms": lambda n: 0.02 + 3e-5 * n, "recall": lambda n: 1.0}
    return {"name": name, "of": "vectors", "beyond": list(beyond),
            "points": [{"n": n, "figures": {key: law_of(n) for key, law_of in figures.items()}} for n in NS]}


def document(*several, **changed):
    return {"machine": {"cpu": "A processor, 2 cores", "kernels": "avx2", "load_before": 0.1}, "date": "2026-01-02", "commit": "abc", "smoke": False,
            "seconds": 1_234, "notes": ["Made up."], "series": list(several) or [series()], **changed}


@contextlib.contextmanager
def folder_with(**results):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for runner, value in results.items():
            (folder / f"{runner}.json").write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        yield folder


class TestLaw(unittest.TestCase):
    def test_a_power_is_found_again(self):
        found, other = law.fit([(n, 2.5e-4 * n ** 0.83) for n in NS])
        self.assertEqual((found.form, other.form), ("power", "line"))
        self.assertAlmostEqual(found.first, 2.5e-4, places=12)
        self.assertAlmostEqual(found.second, 0.83, places=10)
        self.assertAlmostEqual(found.r_squared, 1)
        self.assertLess(found.error, 1e-12)
        self.assertGreater(other.error, 0.05)

    def test_a_line_is_found_again(self):
        found, other = law.fit([(n, 3 + 2e-4 * n) for n in NS])
        self.assertEqual((found.form, other.form), ("line", "power"))
        self.assertAlmostEqual(found.first, 3, places=9)
        self.assertAlmostEqual(found.second, 2e-4, places=14)
        self.assertAlmostEqual(found.r_squared, 1)

    def test_by_hand(self):
        # ln y of (1, 1), (e, e), (e², e⁴): slope of 0, 1, 4 at 0, 1, 2 is 2, the mean 5/3, so the law is e^(−1/3)·n² with R² 12/13.
        e = math.e
        found = law.power([(1, 1), (e, e), (e * e, e ** 4)])
        self.assertAlmostEqual(found.second, 2)
        self.assertAlmostEqual(found.first, math.exp(-1 / 3))
        self.assertAlmostEqual(found.r_squared, 12 / 13)
        self.assertAlmostEqual(found.residuals[0], math.exp(-1 / 3) - 1)
        # Weights 1, 1, 1/4 of y = 1, 1, 2 at 1, 2, 3: means x 5/3, y 10/9; slope (1/3)/(4/3) … computed from the normal equations.
        weights, xs, ys = (1, 1, 0.25), (1, 2, 3), (1, 1, 2)
        s, sx, sy = sum(weights), sum(w * x for w, x in zip(weights, xs)), sum(w * y for w, y in zip(weights, ys))
        sxx, sxy = sum(w * x * x for w, x in zip(weights, xs)), sum(w * x * y for w, x, y in zip(weights, xs, ys))
        slope = (s * sxy - sx * sy) / (s * sxx - sx * sx)
        straight = law.line(list(zip(xs, ys)))
        self.assertAlmostEqual(straight.second, slope)
        self.assertAlmostEqual(straight.first, (sy - slope * sx) / s)

    def test_small_sizes_count_as_much_as_large_ones(self):
        figures = [(n, 3 + 2e-4 * n) for n in NS]
        figures[0] = (NS[0], figures[0][1] * 1.5)
        self.assertGreater(law.line(figures).first, 3.3)  # unweighted it would hardly move

    def test_order_does_not_matter(self):
        figures = [(n, 7 * n ** 0.5) for n in NS]
        self.assertEqual(law.power(figures).residuals, law.power(figures[::-1]).residuals)

    def test_a_flat_curve_has_no_variance_to_explain(self):
        found, _ = law.fit([(n, 4.0) for n in NS])
        self.assertIsNone(found.r_squared)
        self.assertAlmostEqual(found.at(12_345), 4)

    def test_beyond_the_range_is_extrapolated(self):
        found, _ = law.fit([(n, 2.0 * n) for n in NS])
        self.assertEqual([found.says(n)[1] for n in (NS[0] - 1, NS[0], 50_000, NS[-1], NS[-1] + 1)], [True, False, False, False, True])

    def test_no_law_of_too_little_or_nonsense(self):
        for wrong in ([], [(1, 1), (2, 2)], [(1, 1), (2, 0), (3, 3)], [(1, 1), (2, -1), (3, 3)], [(0, 1), (2, 2), (3, 3)],
                      [(1, 1), (1, 2), (3, 3)], [(1, 1), (2, math.nan), (3, 3)], [(1, 1), (2, math.inf), (3, 3)]):
            with self.subTest(points=wrong), self.assertRaises(law.NoLaw):
                law.fit(wrong)

    def test_where_two_laws_cross(self):
        scan = law.line([(n, 1e-4 * n) for n in NS])
        graph = law.power([(n, 0.05 * n ** 0.25) for n in NS])
        self.assertAlmostEqual(law.crossing(graph, scan) / (500 ** (4 / 3)), 1, places=6)
        self.assertIsNone(law.crossing(scan, graph))
        self.assertEqual(law.crossing(graph, scan, least=1e6), 1e6)


class TestTables(unittest.TestCase):
    def test_figures_and_law_are_in_rows(self):
        lines = tables.series_text(series()).splitlines()
        self.assertIn("### Exact scan, every row", lines)
        self.assertIn("| vectors | p50, ms | recall |", lines)
        self.assertIn("| 105,542 | 3.19 | 1 |", lines)
        self.assertIn("Laws of 10,000 … 1,000,000 vectors:", lines)
        law_line = next(line for line in lines if line.startswith("| p50, ms | 0.02"))
        self.assertRegex(law_line, r"^\| p50, ms \| 0\.0200 \+ 0\.0000300 · n \| 1\.0000 \| 0 0 0 0 0 \| 0\.0 % \| power, [\d.]+ % \| 900 ms \|$")
        self.assertTrue(any("extrapolated: 30,000,000" in line for line in lines))

    def test_a_quality_gets_no_law(self):
        self.assertEqual(list(tables.laws_of(series())), ["p50_ms"])

    def test_what_is_only_told_gets_no_law(self):
        one = series(p50_ms=lambda n: n, achieved_per_second=lambda n: n)
        self.assertEqual(list(tables.laws_of(one | {"told": ["achieved_per_second"]})), ["p50_ms"])

    def test_a_bad_law_is_not_extrapolated(self):
        lines = tables.series_text(series(p50_ms=lambda n: 1 if n != 105_542 else 9)).splitlines()
        self.assertTrue(lines[-1].endswith("| – |"), lines[-1])

    def test_what_was_measured_is_not_called_extrapolated(self):
        self.assertNotIn("extrapolated", tables.series_text(series(beyond=(500_000, 1_000_000))))

    def test_too_few_points_have_no_law(self):
        short = series()
        del short["points"][2:]
        self.assertIn("Too few points", tables.series_text(short))

    def test_units_are_at_the_end_of_names(self):
        for figure, unit, heading in (("p50_ms", "ms", "p50, ms"), ("a_user_bytes", "bytes", "a user, bytes"), ("recall", None, "recall"),
                                      ("achieved_per_second", "/s", "achieved, /s"), ("ms", None, "ms"), ("read_ns", "ns", "read, ns")):
            self.assertEqual((tables.unit(figure), tables.heading(figure)), (unit, heading))

    def test_numbers_have_three_digits(self):
        for value, text in ((0, "0"), (0.01234, "0.0123"), (1, "1.00"), (123.4, "123"), (12_345, "12,300"), (-0.5, "−0.500"),
                            (9.996, "10.0"), (1.234e-9, "1.23·10^−9")):
            self.assertEqual(tables.number(value), text)
        for share, text in ((0.031, "+3"), (-0.031, "−3"), (0.0001, "0"), (-0.0001, "0"), (0.995, "+100")):
            self.assertEqual(tables.percent(share), text)

    def test_the_machine_the_day_and_the_commit_are_named(self):
        with folder_with(vectors=document()) as folder:
            text = tables.documentation(tables.read_results(folder))
        for said in ("A processor, 2 cores", "avx2", "2026-01-02", "commit abc", "1,234 s", "Made up."):
            self.assertIn(said, text)
        self.assertEqual(text.count("Not measured: `make bench-growth GROWTH="), len(tables.titles()) - 1)

    def test_a_graph_is_shown_once_there_is_one(self):
        graph = series("graph, every row", p50_ms=lambda n: 0.05 * n ** 0.25)
        with folder_with(vectors=document(), graph=document(graph)) as folder, mock.patch.object(tables, "titles", lambda: tables.TITLES):
            text = tables.documentation(tables.read_results(folder))
        self.assertRegex(text, r"- every row: from [\d,]+ vectors on\n")
        only_scan = {"vectors": document()}
        self.assertEqual(tables.crossings(only_scan), "")

    def test_figures_that_do_not_count_are_refused(self):
        def changed(change):
            one = document()
            change(one["series"][0])
            return json.dumps(one)
        wrong = {
            "{": "Expecting", "[]": "not figures of a full run", json.dumps(document(smoke=True)): "not figures of a full run",
            json.dumps(document(commit="")): 'no "commit"', json.dumps(document(series=[])): 'no "series"',
            changed(lambda s: s.update(points=[])): 'no "points"', changed(lambda s: s.update(of="")): 'no "of"',
            changed(lambda s: s["points"][1].update(n=10_000)): "there twice",
            changed(lambda s: s["points"][1].update(n=0)): "not above 0",
            changed(lambda s: s["points"][1]["figures"].pop("recall")): "other figures",
            changed(lambda s: s["points"][1]["figures"].update(p50_ms=0)): "no figure above 0",
            changed(lambda s: s["points"][1]["figures"].update(p50_ms="1")): "no figure above 0",
            changed(lambda s: s["points"][1]["figures"].update(recall=math.nan)): "no figure above 0",
        }
        for text, said in wrong.items():
            with self.subTest(said=said), folder_with(vectors=text) as folder, self.assertRaisesRegex(tables.BadFigures, said):
                tables.read_results(folder)

    def test_only_what_is_between_the_markers_is_replaced(self):
        with folder_with(vectors=document()) as folder, contextlib.redirect_stdout(io.StringIO()):
            path = folder / "growth.md"
            path.write_text("before\n" + tables.BEGIN + "old\n" + tables.END + "after\n", encoding="utf-8")
            words = ["--results", str(folder), "--document", str(path)]
            self.assertEqual(tables.main([*words, "--check"]), 1)
            self.assertEqual(tables.main(words), 0)
            self.assertEqual(tables.main([*words, "--check"]), 0)
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace("3.19", "3.20", 1), encoding="utf-8")
            self.assertEqual(tables.main([*words, "--check"]), 1)
        self.assertTrue(text.startswith("before\n") and text.endswith("after\n"))
        self.assertNotIn("old", text)

    def test_without_markers_nothing_is_written(self):
        for text in ("", tables.BEGIN, tables.END + tables.BEGIN, tables.BEGIN * 2 + tables.END):
            with self.assertRaises(tables.BadFigures):
                tables.put(text, "")


class TestDocument(unittest.TestCase):
    def setUp(self):
        text = (ROOT / "docs" / "growth.md").read_text(encoding="utf-8")
        tables.put(text, "")
        self.written = text[text.index(tables.BEGIN) + len(tables.BEGIN):text.index(tables.END)]
        self.parts = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", self.written, re.MULTILINE))

    def test_it_has_a_part_for_every_runner(self):
        self.assertEqual(list(self.parts), list(tables.titles().values()))

    def test_every_part_is_measured_or_says_how(self):
        for name, title in tables.titles().items():
            part = self.parts[title]
            if part.strip() != f"Not measured: `make bench-growth GROWTH={name}`.":
                self.assertRegex(part, r"^\d{4}-\d\d-\d\d, commit [0-9a-f]{7,}( with changes)?, .+; load before the run ")

    def test_its_laws_are_those_of_its_figures(self):
        """Figures are told with three digits, so a law that is fitted to them comes out within a few per mille."""
        for block in re.split(r"^### ", self.written, flags=re.MULTILINE)[1:]:
            rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines() if line.startswith("|")]
            ends = [i for i, row in enumerate(rows) if set(row) == {"---"}]
            if len(ends) < 2:
                continue
            heads, figures, laws = rows[ends[0] - 1], rows[ends[0] + 1:ends[1] - 1], rows[ends[1] + 1:]
            for told in laws:
                column = heads.index(told[0])
                found, _ = law.fit([(plain(row[0]), plain(row[column])) for row in figures])
                with self.subTest(block=block.splitlines()[0], figure=told[0]):
                    self.assertLess(abs(found.error - plain(told[4]) / 100), 0.01)
                    self.assertEqual(len(told[3].split()), len(figures))


def plain(text):
    mantissa, exponent = re.match(r"([\d,.]+)(?:·10\^(−?\d+))?", text).groups(default="0")
    return float(mantissa.replace(",", "")) * 10 ** int(exponent.replace("−", "-"))


class TestRunning(unittest.TestCase):
    def test_every_runner_is_there_and_takes_what_it_is_given(self):
        options = run.parse(["--smoke", "--most", "200000", "--articles", "some.csv"])
        self.assertEqual(set(tables.TITLES) - set(tables.titles()), {"graph"} - set(tables.titles()))
        for name in tables.titles():
            words = run.command(options, name)
            self.assertTrue(pathlib.Path(words[2]).is_file())
            taken = points.arguments("", words[3:])
            self.assertEqual((taken.most, taken.smoke, taken.articles), (200_000, True, pathlib.Path("some.csv").absolute()))

    def test_nonsense_is_refused(self):
        for words in (["flights"], ["--most", "0"], ["--most", "many"], ["--no-such"]):
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
                started.return_value.returncode = points.NOT_TO_BE_HAD
                options.again = True
                self.assertEqual(run.run_one(options, "words"), "missing")
                started.return_value.returncode = 0
                self.assertEqual(run.run_one(options, "words"), "failed")  # it left no file

    def test_smoke_figures_lie_elsewhere(self):
        self.assertNotEqual(run.results_folder(run.parse(["--smoke"])), run.results_folder(run.parse([])))

    def test_too_large_sizes_are_left_out(self):
        options = run.parse(["--most", "300000"])
        self.assertEqual(points.sizes(options, NS, (1,)), list(NS[:4]))
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit) as ended:
            points.sizes(run.parse(["--most", "5"]), NS, (1,))
        self.assertEqual(ended.exception.code, points.NOT_TO_BE_HAD)

    def test_a_full_disk_is_told_before_anything_is_made(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()) as said:
            points.need_disk(pathlib.Path(folder), 1)
            with self.assertRaises(SystemExit) as ended:
                points.need_disk(pathlib.Path(folder), 10**18)
        self.assertEqual(ended.exception.code, points.NOT_TO_BE_HAD)
        self.assertIn("are lacking", said.getvalue())


class TestRecord(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        for where, name, value in ((points.runs, "machine", {"cpu": "one"}), (points, "commit", "abc")):
            patch = mock.patch.object(where, name, return_value=value)
            setattr(self, name, patch.start())
            self.addCleanup(patch.stop)
        silence = contextlib.redirect_stdout(io.StringIO())
        silence.__enter__()
        self.addCleanup(silence.__exit__, None, None, None)

    def record(self, *words):
        return points.Record(points.arguments("", ["--out", str(self.folder / "x.json"), *words]))

    def some(self, *words):
        record = self.record(*words)
        record.series("a", "things", (100,))
        record.add("a", 10, {"p50_ms": 1.0})
        return record

    def test_an_interrupted_run_goes_on(self):
        self.some()
        again = self.record()
        self.assertTrue(again.has("a", 10))
        self.assertFalse(again.has("a", 20) or again.has("b", 10))
        again.series("a", "things", (100,))
        again.add("a", 20, {"p50_ms": 2.0})
        again.write()
        self.assertEqual(list(self.folder.iterdir()), [self.folder / "x.json"])
        written = json.loads((self.folder / "x.json").read_text(encoding="utf-8"))
        self.assertEqual([point["n"] for point in written["series"][0]["points"]], [10, 20])

    def test_but_not_with_another_program_machine_or_extent(self):
        self.some()
        self.assertFalse(self.record("--smoke").has("a", 10))
        self.assertFalse(self.record("--most", "10").has("a", 10))
        self.commit.return_value = "def"
        self.assertFalse(self.record().has("a", 10))
        self.commit.return_value = "abc"
        self.machine.return_value = {"cpu": "two"}
        self.assertFalse(self.record().has("a", 10))
        self.machine.return_value = {"cpu": "one"}
        (self.folder / "x.part").write_text("{", encoding="utf-8")
        self.assertFalse(self.record().has("a", 10))

    def test_points_that_are_measured_together_are_forgotten_together(self):
        record = self.some()
        record.series("b", "things")
        record.forget(10)
        self.assertFalse(record.has("a", 10))

    def test_what_it_writes_is_what_the_tables_take(self):
        self.some().write()
        tables.checked(json.loads((self.folder / "x.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    unittest.main()
