#!/usr/bin/env python3
"""Goal    a run killed at any moment, and killed again while it recovers, ends as the undisturbed
        one: the same state of every actor, the same orders, fills, trades and equity, bit for bit.
        (PROMISES D1, D11)
Method  `shrike run` and `shrike backtest` on the built-in market, over placements, clocks, policies
        and snapshot intervals. Rounds: SIGKILL after a random time, of the whole run or of one of its
        processes, start again, a third of the time killed again soon (during recovery), until it
        ends; then `replay --verify` and the result files are compared. Two workers share the time
        given; a round that fails keeps its directory with SHRIKE_KEEP=1."""
# once: the machine's timing is what varies
import concurrent.futures
import random
import sys
import time
import unittest

import drill

KILLS = 1000 if drill.NIGHT else 200
SECONDS = 900 if drill.NIGHT else 75
PLACES = ["one", "two", "processes", "one", "two", "processes", "five"]
CLOCKS = ["virtual", "{kind: paced, speed: 3000000}"]
END = ["2024-02-05", "2024-01-04"]  # a sync for each order takes its time
POLICIES = ["process", "{interval: 5ms}", "each-order"]


class Kill(unittest.TestCase):
    """The drill."""

    def reference(self, place, end):
        """Runs undisturbed on one shard; returns what it left and how long it took."""
        run, path = place.dir("reference" + end), place.file("reference.yaml",
                                                             drill.run_file(end=end))
        began = time.monotonic()
        code, _, err = drill.shrike("backtest", path, "--out", run)
        self.assertEqual((code, err), (0, ""))
        seconds, found = time.monotonic() - began, drill.left(run)
        self.assertGreater(len(found["fills.csv"].splitlines()), 500)
        return found, seconds

    def one(self, place, number, seed):
        """One round; returns (kills, kills during recovery, what went wrong or "")."""
        dice = random.Random(seed)
        where, clock = dice.choice(PLACES), dice.choice(CLOCKS)
        policy = dice.choice(POLICIES)
        end = END[policy == "each-order"]
        snapshot = dice.choice(["10ms", "1h"])
        command = dice.choice(["run", "backtest"]) if clock == "virtual" else "run"
        what = "round %d: %s, %s clock, %s, snapshots every %s, shrike %s" % (
            number, where, clock, policy, snapshot, command)
        run = place.dir("run%d" % number)
        path = place.file("run%d.yaml" % number,
                          drill.run_file(place=where, clock=clock, durability=policy,
                                         snapshot=snapshot, end=end))
        args = [command, path, "--out" if command == "backtest" else "--dir", run]
        kills = again = 0
        recovering = False
        said = []
        while kills < 12:
            child = drill.start(args)
            soon = recovering and dice.random() < 0.34
            try:
                child.wait(dice.uniform(0.005, 0.05) if soon else dice.uniform(0.02, 0.8))
            except drill.subprocess.TimeoutExpired:
                pass
            if child.poll() is not None:
                break
            kids = drill.family(child.pid)
            kills += 1
            again += soon
            recovering = True
            if len(kids) > 0 and where == "processes" and dice.random() < 0.4:
                one = dice.choice(kids)  # one process of the run: the others keep the rings
                said.append("one")
                try:
                    drill.os.kill(one, drill.signal.SIGKILL)
                except ProcessLookupError:
                    pass
                recovering = False
                try:
                    child.wait(dice.uniform(0.01, 0.5))
                    break
                except drill.subprocess.TimeoutExpired:
                    pass
            said.append("all")
            drill.kill_all(child)
            child.communicate()
            child = None
        else:
            child = drill.start(args)
        code, out, err = drill.finish(child, 20)
        if code != 0 and not (kills and "has ended, its results are in" in err):
            return kills, again, "%s (%s): exit %s: %s%s" % (what, " ".join(said), code, out, err)
        try:
            found = drill.left(run)
            wrong = drill.differ(self.expected[end], found)
            if command == "backtest" and len(found) != len(self.expected[end]):
                wrong += "; files are missing"
        except AssertionError as why:
            wrong = str(why)
        if wrong:
            return kills, again, "%s (%s): %s" % (what, " ".join(said), wrong)
        drill.shutil.rmtree(run)
        return kills, again, ""

    def test_kills(self):
        """Rounds until enough kills are counted."""
        dice = drill.seeded()
        with drill.Place() as place:
            self.expected = {}
            for stop in END:
                self.expected[stop], seconds = self.reference(place, stop)
                print("undisturbed until %s: %.2f s" % (stop, seconds))
            end, kills, again, rounds, wrong = time.monotonic() + SECONDS, 0, 0, 0, []
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                waiting = set()
                while True:
                    while len(waiting) < 2 and kills < KILLS and time.monotonic() < end and len(wrong) < 5:
                        rounds += 1
                        waiting.add(pool.submit(self.one, place, rounds, dice.randrange(1 << 32)))
                    if not waiting:
                        break
                    done, waiting = concurrent.futures.wait(
                        waiting, return_when=concurrent.futures.FIRST_COMPLETED)
                    for it in done:
                        k, a, text = it.result()
                        kills, again = kills + k, again + a
                        if text:
                            wrong.append(text)
                            print(text, flush=True)
            print("%d kills in %d rounds, %d of them during recovery" % (kills, rounds, again))
            self.assertEqual(wrong, [])
            self.assertGreaterEqual(kills, KILLS)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + ["-v"] + sys.argv[1:])
