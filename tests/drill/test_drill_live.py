#!/usr/bin/env python3
"""Goal    a session on the real clock, with timers and control commands in it, is made again bit for
        bit from its journal; so is one that was killed in the middle and recovered. (PROMISES D1,
        D8; issue "Must hold" 4)
Method  the built-in market's trades in real time on two shards, and with the strategy in a process of
        its own; `shrike ctl` commands; SIGINT; `shrike replay --verify`. Then the same with SIGKILLs
        at random moments. Every fill that execution said must have been heard by the strategy and
        by the portfolio: their count is compared over the shards."""
# once: it is about time, which is the machine's
import sys
import time
import unittest

import drill

COMMANDS = ["pause cross", "set cross every 3", "resume cross", "kill", "unkill", "status",
            "set cross every 9"]


class Live(unittest.TestCase):
    """Sessions."""

    def begin(self, place, name, where, snapshot):
        """Starts a session; returns (directory, arguments, child)."""
        text = drill.run_file(place=where, clock="real", end=None, snapshot=snapshot,
                              strategies=drill.trader("cross", "second", every=7, timer="20ms"),
                              source=drill.trades(2000000), journal="{segment: 16777216}")
        run = place.dir(name)
        args = ["run", place.file(name + ".yaml", text), "--dir", run]
        return run, args, drill.start(args, program=drill.FAULTY)

    def command(self, run, line):
        """Gives a command, which must be taken."""
        end = time.monotonic() + 5
        while True:
            code, out, err = drill.shrike("ctl", run, *line.split(), program=drill.FAULTY)
            if code == 0 or time.monotonic() > end:
                break
            time.sleep(0.05)  # the socket is not there yet
        self.assertEqual(code, 0, line + ": " + out + err)

    def end(self, run, child):
        """Ends a session by SIGINT once it has traded, has it replayed, and holds the shards against
        each other."""
        self.assertTrue(drill.wait_record(run, "Fill"))
        child.send_signal(drill.signal.SIGINT)
        code, out, err = drill.finish(child, 20)
        self.assertEqual(code, 0, out + err)
        drill.left(run, program=drill.FAULTY)
        said = [body for kind, _, _, body in drill.records(run, "main")
                if kind == drill.FILL | drill.OUT]
        heard = [body for kind, _, _, body in drill.records(run, "second") if kind == drill.FILL]
        self.assertGreater(len(said), 0)
        self.assertEqual(said, heard)
        asked = [body for kind, _, _, body in drill.records(run, "second")
                 if kind == drill.ORDER_INTENT | drill.OUT]
        taken = [body for kind, _, _, body in drill.records(run, "main")
                 if kind == drill.ORDER_INTENT]
        self.assertEqual(asked, taken)
        return len(said)

    def test_undisturbed(self):
        """Two shards, commands, SIGINT."""
        dice = drill.seeded()
        with drill.Place() as place:
            run, _, child = self.begin(place, "live", "two", dice.choice(["50ms", "1h"]))
            for line in COMMANDS:
                time.sleep(dice.uniform(0.1, 0.4))
                self.command(run, line)
            time.sleep(0.3)
            print("%d fills" % self.end(run, child))

    def test_kill_switch_lasts(self):
        """The kill switch outlasts the engine, until it is lifted."""
        with drill.Place() as place:
            run, args, child = self.begin(place, "off", "two", "50ms")
            self.assertTrue(drill.wait_record(run, "Fill"))
            self.command(run, "kill")
            time.sleep(0.1)
            drill.kill_all(child)
            child.communicate()
            child = drill.start(args, program=drill.FAULTY)
            self.command(run, "status")
            time.sleep(0.2)
            self.assertIn('"kill":1', drill.shrike("ctl", run, "status")[1])
            self.command(run, "unkill")
            self.assertIn('"kill":0', drill.shrike("ctl", run, "status")[1])
            self.assertTrue(drill.wait_record(run, "KillSeen", 2 * 2))  # on and off, of two shards
            self.end(run, child)
            words = [body[0] for kind, _, _, body in drill.records(run, "second")
                     if kind == drill.KILL_SEEN]
            self.assertEqual(words, [1, 0])
            self.assertFalse(drill.os.path.exists(run + "/kill"))

    def test_start_long_past(self):
        """`start:` many years back on the real clock: the run joins the market as it is now."""
        with drill.Place() as place:
            for rows, source in (("trades", drill.trades(3000000)),
                                 ("1s", "{kind: market, instruments: [AAA-PERP, BBB-PERP], "
                                        "interval: 1s}")):
                run = place.dir("past" + rows)
                text = drill.run_file(clock="real", end=None, source=source,
                                      strategies=drill.trader("cross", interval=rows, every=2))
                path = place.file("past.yaml", text.replace("seed: 7", "seed: 7\nstart: 1999-01-01"))
                began_ns = time.time_ns()
                child = drill.start(["run", path, "--dir", run], program=drill.FAULTY)
                self.command(run, "status")
                time.sleep(4.5 if rows == "1s" else 1)
                child.send_signal(drill.signal.SIGINT)
                code, out, err = drill.finish(child, 20)
                self.assertEqual(code, 0, out + err)
                self.assertNotIn("left out", err)
                drill.left(run, program=drill.FAULTY)
                asked = [when for kind, _, when, _ in drill.records(run, "main")
                         if kind == drill.ORDER_INTENT | drill.OUT]
                self.assertGreater(len(asked), 0)
                self.assertGreater(asked[0], began_ns - 2 * 10 ** 9)

    def test_killed(self):
        """The same, killed at random moments."""
        dice = drill.seeded()
        with drill.Place() as place:
            for number in range(40 if drill.NIGHT else 6):
                where = ["two", "processes"][number % 2]
                snapshot = dice.choice(["20ms", "1h"])
                run, args, child = self.begin(place, "killed%d" % number, where, snapshot)
                what = []
                for _ in range(3):
                    if dice.random() < 0.5:
                        self.command(run, dice.choice(COMMANDS[:3] + COMMANDS[6:]))
                    time.sleep(dice.uniform(0.05, 0.7))
                    kids = drill.family(child.pid)
                    if where == "processes" and kids and dice.random() < 0.5:
                        what.append("one")
                        drill.os.kill(dice.choice(kids), drill.signal.SIGKILL)
                        continue
                    what.append("all")
                    drill.kill_all(child)
                    child.communicate()
                    child = drill.start(args, program=drill.FAULTY)
                self.command(run, "resume cross")
                time.sleep(0.8)
                with self.subTest("%s, snapshots every %s: %s" % (where, snapshot, what)):
                    print("%s %s %s: %d fills" % (where, snapshot, what, self.end(run, child)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + ["-v"] + sys.argv[1:])
