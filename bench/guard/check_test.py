"""check.py without valgrind: what is read of Callgrind's files, when a figure is over its bound, what --write keeps."""
import copy
import unittest

import check

RECORD = {"compiler": "12.2.0", "isa": "avx2", "units": {
    "words": {"instructions": 1_000_000, "allocations": 12.0, "bound_percent": 5, "bound_allocations": 0},
    "click": {"instructions": 50_000, "allocations": 40.25, "bound_percent": 10, "bound_allocations": 2}}}
MEASURED = {"compiler": "12.2.0", "isa": "avx2", "units": {
    "words": {"instructions": 1_010_000, "allocations": 12.0}, "click": {"instructions": 50_100, "allocations": 41}}}


def changed(**units):
    measured = copy.deepcopy(MEASURED)
    for name, figures in units.items():
        measured["units"][name].update(figures)
    return measured


class ReadDump(unittest.TestCase):
    def test_name_and_total(self):
        text = "version: 1\ndesc: Trigger: Client Request: words, top 100\nevents: Ir\nfn=(1)\n1 2\ntotals: 12345\n"
        self.assertEqual(check.read_dump(text), ("words, top 100", 12345))

    def test_the_programs_end_has_no_name(self):
        self.assertEqual(check.read_dump("desc: Trigger: Program termination\nsummary: 7\n"), (None, 7))

    def test_a_file_without_a_total_is_refused(self):
        with self.assertRaises(check.Wrong):
            check.read_dump("desc: Trigger: Client Request: words\n")


class Combine(unittest.TestCase):
    def test_a_unit_of_work(self):
        report = {"units": {"words": {"repeats": 4, "allocations": 50}}}
        self.assertEqual(check.combine(report, [("words", 4002), (None, 9)]), {"words": {"instructions": 1000, "allocations": 12.5}})

    def test_what_was_not_counted_is_an_error(self):
        with self.assertRaises(check.Wrong):
            check.combine({"units": {"words": {"repeats": 4, "allocations": 0}}}, [("click", 1)])


class Compare(unittest.TestCase):
    def told(self, measured, record=None, **options):
        lines, good = check.compare(record or RECORD, measured, **options)
        return "\n".join(lines), good

    def test_within_the_bounds(self):
        text, good = self.told(MEASURED)
        self.assertTrue(good)
        self.assertNotIn("FAILED", text)
        self.assertNotIn("improve", text)

    def test_over_the_bound_tells_both_figures(self):
        text, good = self.told(changed(words={"instructions": 1_060_000}))
        self.assertFalse(good)
        self.assertIn("FAILED words: 1,060,000 instructions against 1,000,000 of the record (+6.0 %, bound 5 %)", text)

    def test_one_more_allocation_fails_where_none_is_allowed(self):
        text, good = self.told(changed(words={"allocations": 13}))
        self.assertFalse(good)
        self.assertIn("13 allocations against 12 (bound +0)", text)
        self.assertTrue(self.told(changed(click={"allocations": 42.25}))[1])
        self.assertFalse(self.told(changed(click={"allocations": 42.5}))[1])

    def test_better_than_the_bound_asks_for_a_new_record(self):
        text, good = self.told(changed(words={"instructions": 900_000}))
        self.assertTrue(good)
        self.assertIn("improve the record (check.py --write): words", text)

    def test_another_compiler_has_a_wider_bound(self):
        other = {**changed(words={"instructions": 1_200_000}), "compiler": "13.1.0"}
        text, good = self.told(other)
        self.assertTrue(good)
        self.assertIn("the record is of compiler 12.2.0, this is 13.1.0: instructions may differ by 25 %", text)
        self.assertFalse(self.told({**changed(words={"instructions": 1_300_000}), "compiler": "13.1.0"})[1])

    def test_units_that_only_one_side_has(self):
        fewer = copy.deepcopy(MEASURED)
        del fewer["units"]["click"]
        self.assertFalse(self.told(fewer)[1])
        self.assertTrue(self.told(fewer, whole=False)[1])
        more = copy.deepcopy(MEASURED)
        more["units"]["new"] = {"instructions": 5, "allocations": 0}
        text, good = self.told(more)
        self.assertFalse(good)
        self.assertIn("FAILED new: not in the record", text)


class Write(unittest.TestCase):
    def test_bounds_stay_and_new_units_get_the_usual_ones(self):
        measured = changed(words={"instructions": 5})
        measured["units"]["new"] = {"instructions": 6, "allocations": 1}
        record = check.new_record(RECORD, measured)
        self.assertEqual(record["units"]["words"], {"instructions": 5, "allocations": 12.0, "bound_percent": 5, "bound_allocations": 0})
        self.assertEqual(record["units"]["click"]["bound_allocations"], 2)
        self.assertEqual(record["units"]["new"]["bound_percent"], check.DEFAULT_BOUND_PERCENT)
        self.assertTrue(check.compare(record, measured)[1])


if __name__ == "__main__":
    unittest.main()
