"""scripts/capacity.py: its arithmetic against figures worked out by hand, what it says of nonsense, and that what was not
measured has no value anywhere."""
import contextlib
import io
import json
import pathlib
import re
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import capacity
import capacity_model as model

MEASURED = ROOT / "docs" / "measured.json"


def figures(**changed):
    """The file's own figures with some changed."""
    entries = {name: dict(entry) for name, entry in model.Figures.read(MEASURED).entries.items()}
    for name, value in changed.items():
        entries[name]["value"] = value
    return model.Figures(entries)


def shop(**changed):
    return model.Shop(**{"users": 1_000, "items": 1_000, "searches_per_day": 86_400, "clicks_per_day": 8_640, **changed})


def run(*words):
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = capacity.main(list(words))
    return code, out.getvalue(), errors.getvalue()


class TestArithmetic(unittest.TestCase):
    def test_a_peak_is_the_mean_times_the_factor(self):
        self.assertAlmostEqual(shop().searches_at_peak, 5)
        self.assertAlmostEqual(shop(peak_factor=2).clicks_at_peak, 0.2)

    def test_searches_cost_what_was_measured_and_the_scan_of_further_articles(self):
        f = figures(search_core_ms=10, search_items=1_000, scan_core_ms_per_item=0.001, words_core_ms_per_item=0.001,
                    kept_search_core_ms=1, rerank_core_ms_per_pair=5)
        self.assertAlmostEqual(model.Model(f, shop()).search_core_ms(), 10)
        self.assertAlmostEqual(model.Model(f, shop(items=3_000)).search_core_ms(), 14)
        self.assertAlmostEqual(model.Model(f, shop(rerank_pairs=4)).search_core_ms(), 30)
        self.assertAlmostEqual(model.Model(f, shop(kept_share=0.5)).search_core_ms(), 5.5)

    def test_gateways_are_whole_and_leave_room(self):
        f = figures(search_core_ms=100, search_items=1_000, click_core_ms=1, machine_cores=2, utilisation=0.5)
        self.assertEqual(model.Model(f, shop()).gateways(), 1)  # 0.5 cores
        self.assertEqual(model.Model(f, shop(peak_factor=10)).gateways(), 2)  # 1.001 cores
        self.assertAlmostEqual(model.Model(f, shop()).search_cores(), 0.5)

    def test_memory_grows_with_articles_from_what_was_measured(self):
        f = figures(int8_bytes_per_item=1, catalogue_bytes_per_item=2, words_bytes_per_item=3, suggest_bytes_per_item=4,
                    orders_bytes_per_item=5, neighbour_bytes_per_item=6, f32_bytes_per_item=7, ready_own_bytes=100_000,
                    search_items=1_000, cache_bytes=1_000)
        self.assertAlmostEqual(model.Model(f, shop(items=10)).gateway_bytes(), 100_000 - 15_000 + 1_000 + 10 * 28)

    def test_what_is_remembered_of_a_user_is_bounded(self):
        f = figures(user_ttl_days=10, max_recent_items=20, max_affinities=5, redis_marker_days=2, redis_max_marks=40,
                    redis_value_fixed_bytes=1_000, redis_value_bytes_per_recent=100, redis_value_bytes_per_category=10,
                    redis_value_bytes_per_mark=1)
        self.assertAlmostEqual(model.Model(f, shop(clicks_per_day=1_000)).redis_value_bytes(), 1_000 + 10 * 100 + 5 * 10 + 2)
        self.assertAlmostEqual(model.Model(f, shop(clicks_per_day=1e8)).redis_value_bytes(), 1_000 + 20 * 100 + 5 * 10 + 40)
        self.assertAlmostEqual(model.Model(f, shop(clicks_per_day=100)).redis_value_bytes(), 1_000 + 100 + 10 + 0.2)

    def test_items_of_redis_are_bounded(self):
        f = figures(redis_max_items=100, redis_max_popular=10, redis_item_key_bytes=3, redis_item_record_bytes=4,
                    redis_popular_bytes=5)
        self.assertAlmostEqual(model.Model(f, shop(items=1_000_000)).redis_item_bytes(), 100 * 7 + 10 * 5)
        self.assertAlmostEqual(model.Model(f, shop(items=2)).redis_item_bytes(), 2 * 12)

    def test_logs_grow_with_days_and_copies(self):
        f = figures(kafka_record_bytes=100, kafka_impression_bytes=10, kafka_retention_days=7, kafka_replication=3, event_bytes=10,
                    event_retention_days=30)
        self.assertAlmostEqual(model.Model(f, shop()).kafka_bytes(), (8_640 * 100 + 86_400 * 10) * 21)
        self.assertAlmostEqual(model.Model(f, shop()).event_log_bytes(), 8_640 * 300)

    def test_twice_the_traffic_is_twice_the_rate_and_half_the_headroom(self):
        once = {(limit.tier, limit.name): limit for limit in model.limits(figures(), shop())}
        twice = {(limit.tier, limit.name): limit for limit in model.limits(figures(), shop(searches_per_day=172_800))}
        key = ("one process", "searches")
        self.assertAlmostEqual(twice[key].need, 2 * once[key].need)
        self.assertAlmostEqual(twice[key].headroom, once[key].headroom / 2)

    def test_limits_are_in_the_order_in_which_they_are_met(self):
        found = model.limits(figures(), shop(users=1e8, clicks_per_day=1e9))
        known = [limit.headroom for limit in found if limit.headroom is not None]
        self.assertEqual(known, sorted(known))
        self.assertEqual([limit.headroom is None for limit in found], [False] * len(known) + [True] * (len(found) - len(known)))
        self.assertTrue(all(limit.add for limit in found))


class TestNotMeasured(unittest.TestCase):
    def test_what_depends_on_it_has_no_value_and_says_why(self):
        f = figures(consumer_events_per_core_second=None)
        quantity = next(q for q in model.quantities(f, shop()) if q.tier == "consumer" and q.unit == "cores")
        self.assertEqual((quantity.value, quantity.missing), (None, "consumer_events_per_core_second"))
        self.assertEqual(capacity.shown(quantity.value, quantity.unit), "not measured")

    def test_it_has_one_once_it_was_measured(self):
        f = figures(consumer_events_per_core_second=5)
        quantity = next(q for q in model.quantities(f, shop(peak_factor=10)) if q.tier == "consumer" and q.unit == "cores")
        self.assertAlmostEqual(quantity.value, 0.2)

    def test_everything_can_be_measured(self):
        f = figures(**{name: 1 for name, entry in figures().entries.items() if entry["value"] is None})
        self.assertFalse([q.name for q in model.quantities(f, shop()) if q.value is None])
        self.assertFalse([limit.name for limit in model.limits(f, shop()) if limit.headroom is None])
        self.assertNotIn("not measured", capacity.documentation(f).lower())


class TestNonsense(unittest.TestCase):
    def test_numbers_that_no_shop_has(self):
        for name in ("users", "items", "searches_per_day", "clicks_per_day", "peak_factor"):
            for value in (0, -1, 1e30, float("nan"), float("inf"), True, "many"):
                with self.subTest(name=name, value=value), self.assertRaisesRegex(model.BadInput, f"^{name}: "):
                    shop(**{name: value})
        with self.assertRaisesRegex(model.BadInput, "kept_share: 1.5 is not within 0 and"):
            shop(kept_share=1.5)

    def test_every_shop_within_the_bounds_has_an_answer(self):
        for end in (0, 1):
            extreme = model.Shop(**{name: bounds[end] for name, bounds in model.Shop.BOUNDS.items()})
            text = capacity.as_text(figures(), extreme)
            self.assertNotRegex(text, r"\b(nan|inf)\b|\s-\d")
            json.loads(capacity.as_json(figures(), extreme), parse_constant=self.fail)

    def test_the_command_says_what_is_wrong(self):
        good = ["--users", "10", "--items", "10", "--searches-per-day", "10", "--clicks-per-day"]
        self.assertEqual(run(*good, "10")[0], 0)
        for value, said in (("0", "clicks_per_day: 0.0 is not within 1 and"), ("-4", "clicks_per_day"),
                            ("1e99", "clicks_per_day")):
            code, out, errors = run(*good, value)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(said, errors)
        self.assertIn("give --items, --searches-per-day, --clicks-per-day", run("--users", "10")[2])
        self.assertIn("no-such-file", run(*good, "10", "--measured", "no-such-file")[2])

    def test_files_of_figures_that_cannot_be(self):
        entry = {"value": 1, "unit": "s", "kind": "measured", "source": "a_bench", "machine": "one", "date": "2026-01-01"}
        wrong = {"{": "Expecting", "[]": "no object", '{"figures":[]}': "no object"}
        for field, value, said in (("value", 0, "no number above 0"), ("value", -1, "no number above 0"),
                                   ("value", "1", "no number"), ("value", True, "no number"),
                                   ("kind", "guess", "kind guess"), ("unit", "", 'no "unit"'),
                                   ("source", None, 'no "source"'), ("date", "", "on which machine and when")):
            wrong[json.dumps({"figures": {"a": {**entry, field: value}}})] = f"a: .*{said}"
        wrong[json.dumps({"figures": {"a": {**entry, "kind": "setting", "value": None}}})] = "may have no value"
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "figures.json"
            for text, said in wrong.items():
                path.write_text(text, encoding="utf-8")
                with self.subTest(text=text), self.assertRaisesRegex(model.BadInput, said):
                    model.Figures.read(path)


class TestFigures(unittest.TestCase):
    def test_all_are_used(self):
        f = model.Figures.read(MEASURED)
        for entry in f.entries.values():
            entry["value"] = entry["value"] or 1
        capacity.documentation(f)
        model.quantities(f, shop(rerank_pairs=1, kept_share=0.5))
        self.assertEqual(set(f.entries) - f.asked, set())

    def test_settings_are_those_of_the_program(self):
        table = (ROOT / "apps" / "scalestyle" / "settings_table.cpp").read_text(encoding="utf-8")
        defaults = {name: float(value) for name, value in re.findall(r'(?:integer|number)\("(\w+)", "(-?[\d.]+)"', table)}
        compared = 0
        for name, entry in model.Figures.read(MEASURED).entries.items():
            if entry["kind"] == "setting" and entry["source"] in defaults:
                scale = 2**20 if entry["source"].endswith("_mb") else 1
                self.assertEqual(entry["value"], defaults[entry["source"]] * scale, name)
                compared += 1
        self.assertGreaterEqual(compared, 6)
        caches = sum(defaults[f"{cache}_cache_mb"] for cache in ("list", "pair", "picture", "near"))
        self.assertEqual(figures()["cache_bytes"], caches * 2**20)


class TestDocuments(unittest.TestCase):
    def check(self, text, write=False):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
            path = pathlib.Path(folder) / "scale.md"
            path.write_text(text, encoding="utf-8")
            return capacity.documents(path, figures(), write), path.read_text(encoding="utf-8"), out.getvalue()

    def test_what_was_written_is_what_is_wanted(self):
        code, text, _ = self.check("before\n" + capacity.BEGIN + "old\n" + capacity.END + "after\n", write=True)
        self.assertEqual(code, 0)
        self.assertTrue(text.startswith("before\n") and text.endswith("after\n"))
        self.assertNotIn("old", text)
        self.assertEqual(self.check(text)[0], 0)

    def test_a_changed_figure_is_found(self):
        _, text, _ = self.check(capacity.BEGIN + capacity.END, write=True)
        code, kept, said = self.check(text.replace("110 MB", "111 MB", 1))
        self.assertEqual(code, 1)
        self.assertIn("111 MB", kept)
        self.assertIn("--write-docs", said)

    def test_without_markers_nothing_is_written(self):
        for text in ("", capacity.BEGIN, capacity.END + capacity.BEGIN, capacity.BEGIN * 2 + capacity.END):
            with self.assertRaises(model.BadInput):
                self.check(text, write=True)


class TestNumbers(unittest.TestCase):
    def test_as_people_read_them(self):
        for value, text in ((0, "0"), (7, "7"), (1_234, "1,234"), (12_345.6, "12,300"), (0.01234, "0.012"), (9.96, "10"),
                            (123.4, "123")):
            self.assertEqual(capacity.number(value), text)
        for value, unit, text in ((1_500_000, "bytes", "1.5 MB"), (0.5, "bytes", "0.50 B"), (9e8, "bytes/s", "900 MB/s"),
                                  (16_777_216, "articles", "16,777,216"), (58.2, "/s", "58/s"), (None, "ms", "not measured")):
            self.assertEqual(capacity.shown(value, unit), text)


if __name__ == "__main__":
    unittest.main()
