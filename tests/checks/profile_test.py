"""scripts/profile_search.sh without a server: which rows a table has, what its sum explains, and stacks as a picture."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))
import flame_graph
import profile_steps

STEPS = {name: 0.0 for name in ("read", "begin", "parameters", "to_worker", "batch_wait", "tokenize", "model", "scan", "rescore", "batch_back",
                                "record", "json", "back", "write")}


def scrape(**seconds):
    return "".join(f'scalestyle_request_step_seconds_total{{step="{name}"}} {seconds.get(name, 0)}\n' for name in STEPS)


class Steps(unittest.TestCase):
    def test_what_a_scrape_costs_is_taken_off(self):
        scrapes = [profile_steps.steps_of(scrape(write=value, json=0.5)) for value in (1.0, 1.001, 1.012)]
        means = profile_steps.step_means(scrapes, 10)
        self.assertAlmostEqual(means["write"], 1000.0)
        self.assertEqual(means["json"], 0.0)

    def test_stages_are_means_of_all_answers(self):
        answers = [{"stages": [{"stage": "page", "took_ms": 0.03}]}, {"stages": [{"stage": "page", "took_ms": 0.01},
                                                                                {"stage": "lexical", "took_ms": 0.5}]}]
        means = profile_steps.stage_means(answers)
        self.assertAlmostEqual(means["page"], 20.0)
        self.assertAlmostEqual(means["lexical"], 250.0)


class Rows(unittest.TestCase):
    def rows(self, stages, **steps):
        return profile_steps.rows_of({**STEPS, **steps}, stages, 40.0)

    def value(self, rows, begin):
        return next(value for what, value, _ in rows if what.startswith(begin))

    def test_a_stage_is_split_into_what_was_measured_within_it(self):
        rows = self.rows({"list": 30.0, "embed": 7_000.0, "retrieve": 1_500.0}, to_worker=25.0, batch_wait=10.0, tokenize=5.0, model=6_900.0,
                         scan=1_000.0, rescore=400.0, begin=20.0, parameters=8.0)
        self.assertAlmostEqual(self.value(rows, "key, and look-up"), 5.0)
        self.assertAlmostEqual(self.value(rows, "embedding: besides"), 85.0)
        self.assertAlmostEqual(self.value(rows, "scan: queries in"), 100.0)
        self.assertAlmostEqual(self.value(rows, "trace, route"), 12.0)
        total, share = profile_steps.explained(rows, 9_000.0)
        self.assertAlmostEqual(total, 40.0 + 20.0 + 30.0 + 7_000.0 + 1_500.0)
        self.assertTrue(profile_steps.is_explained(share))

    def test_what_runs_beside_is_told_and_not_counted(self):
        rows = self.rows({"list": 0.0, "page": 50.0, "snapshot": 500.0})
        self.assertEqual(self.value(rows, "the shopper's features"), 500.0)
        self.assertAlmostEqual(profile_steps.explained(rows, 100.0)[0], 90.0)

    def test_a_stage_without_a_name_of_its_own_counts(self):
        self.assertAlmostEqual(profile_steps.explained(self.rows({"new_stage": 7.0}), 47.0)[1], 1.0)

    def test_a_tenth_may_be_missing_or_too_much(self):
        for share, good in ((0.899, False), (0.901, True), (1.099, True), (1.101, False)):
            self.assertEqual(profile_steps.is_explained(share), good)

    def test_the_table_has_a_column_a_kind(self):
        lines = profile_steps.table({"cached": (self.rows({"list": 1.0}), 50.0), "unreranked": (self.rows({"embed": 9.0, "rerank": 1.0}), 60.0)})
        self.assertEqual(lines[0], "| microseconds | cached | unreranked |")
        self.assertIn("| tokenising |  | 0.0 |", lines)
        self.assertEqual(lines[-1], "| explained | 82.0 % | 83.3 % |")
        after = [line for line in lines if line.startswith(("| tokenising", "| rerank", "| JSON"))]
        self.assertEqual([line.split(" |")[0] for line in after], ["| tokenising", "| rerank", "| JSON"])


class FlameGraph(unittest.TestCase):
    SCRIPT = ("scalestyle\n\t 1a scalestyle::nn::gemm(int, std::vector<float>)+0x12\n\t 2b start_thread\n\n"
              "scalestyle\n\t 1a scalestyle::search::SearchService::run(scalestyle::A const&)\n\t 9 [unknown]\n\t 2b start_thread\n\n")

    def test_names_are_short(self):
        self.assertEqual(flame_graph.short("scalestyle::search::SearchService::run(scalestyle::A::B*) [clone .actor]"), "search::SearchService::run")
        self.assertEqual(flame_graph.short("std::vector<int, std::allocator<int> >::push_back(int&&)"), "std::vector::push_back")

    def test_stacks_are_folded_from_the_outside(self):
        tree, total = flame_graph.fold(flame_graph.read_stacks(self.SCRIPT.splitlines(True)))
        self.assertEqual(total, 2)
        count, children = tree["scalestyle"][1]["start_thread"]
        self.assertEqual((count, sorted(children)), (2, ["nn::gemm", "search::SearchService::run"]))

    def test_the_picture_leaves_out_what_is_rare(self):
        tree = {"common": [999, {}], "<rare>": [1, {}]}
        picture = "\n".join(flame_graph.draw("A & B", tree, 1000))
        self.assertIn("common: 99.9 %", picture)
        self.assertNotIn("rare", picture)
        self.assertIn("A &amp; B", picture)


if __name__ == "__main__":
    unittest.main()
