"""gpu/supervise.py with child processes that die, hang and fail in every place; no GPU, no PyTorch."""

import json
import sys
import time
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gpu import supervise  # noqa: E402
from gpu.runner import CONTEXT_LOST  # noqa: E402

# A child that runs `cases` of two families from argv[1] on; what happens in a case is said by its name, "-1" stands for
# loading the family.
CHILD = """
import json, os, sys, time
plan = json.loads(sys.argv[2])
def tell(**line): print(json.dumps(line), flush=True)
def happen(what):
    if what == "die": os._exit(1)
    if what == "hang": time.sleep(60)
    if what == "garble": os.write(1, b'{"begin": [9'); os._exit(1)
first = tuple(map(int, sys.argv[1].split(",")))
happen(plan.get("start"))
for f, family in enumerate(("a", "b")):
    if f < first[0]: continue
    tell(begin=[f, -1], family=family, case="(loading)")
    happen(plan.get(f"{family}-1"))
    for c in range(3):
        if (f, c) < first: continue
        tell(begin=[f, c], family=family, case=str(c))
        what = plan.get(f"{family}{c}")
        happen(what)
        tell(result=dict(family=family, case=str(c), passed=True))
        if what == "lose": os._exit(%d)
        if what == "die after": os._exit(1)
tell(end=True)
""" % CONTEXT_LOST

ALL = [f"{family}{c}" for family in "ab" for c in range(3)]


class SuperviseTest(unittest.TestCase):
    def run_plan(self, **plan):
        """What is recorded: names that passed, then name -> error of what did not, then notes."""
        lines, self.started = [], 0

        def command(options, stage, names, first, seconds):
            self.started += 1
            return [sys.executable, "-c", CHILD, "%d,%d" % first, json.dumps(plan)]

        options = SimpleNamespace(host=False)
        with mock.patch.multiple(supervise, command_of=command, SILENCE=2, RESTARTS=4):
            supervise.supervise(options, "check", ["a", "b"], time.monotonic() + 100, lines.append)
        notes = [line["note"] for line in lines if "note" in line]
        lines = [line for line in lines if "note" not in line]
        return ([line["family"] + line["case"] for line in lines if line["passed"]],
                {line["family"] + line["case"]: line["error"] for line in lines if not line["passed"]}, notes)

    def test_all_goes_well(self):
        self.assertEqual(self.run_plan(), (ALL, {}, []))

    def test_a_case_that_dies_costs_itself_only(self):
        passed, failed, notes = self.run_plan(a1="die", b2="die")
        self.assertEqual(passed, ["a0", "a2", "b0", "b1"])
        self.assertEqual(failed, {"a1": "exit status 1: ", "b2": "exit status 1: "})
        self.assertEqual(notes, [])

    def test_a_case_that_hangs_costs_itself_only(self):
        passed, failed, _ = self.run_plan(a0="hang")
        self.assertEqual(passed, ALL[1:])
        self.assertEqual(failed, {"a0": "no word for 2 s"})

    def test_half_a_line_is_none(self):
        passed, failed, _ = self.run_plan(b1="garble")
        self.assertEqual(passed, [name for name in ALL if name != "b1"])
        self.assertEqual(list(failed), ["b1"])

    def test_a_lost_context_after_a_result_is_not_worth_a_word(self):
        self.assertEqual(self.run_plan(a1="lose", b2="lose"), (ALL, {}, []))

    def test_another_end_after_a_result_is_noted(self):
        self.assertEqual(self.run_plan(a1="die after"), (ALL, {}, ["a: after 1: exit status 1: "]))

    def test_a_family_that_cannot_be_loaded_is_left_out(self):
        passed, failed, _ = self.run_plan(**{"a-1": "die"})
        self.assertEqual(passed, ALL[3:])
        self.assertEqual(list(failed), ["a(loading)"])

    def test_a_process_that_does_not_start_is_tried_twice(self):
        passed, failed, _ = self.run_plan(start="die")
        self.assertEqual((passed, list(failed), self.started), ([], ["a, b(starting)"], 2))

    def test_the_restarts_are_counted(self):
        passed, failed, _ = self.run_plan(**{name: "die" for name in ALL})
        self.assertEqual(passed, [])
        self.assertEqual(list(failed), ALL[:5] + ["b(after 1)"])
        self.assertIn("5 times", failed["b(after 1)"])


if __name__ == "__main__":
    unittest.main()
