#!/usr/bin/env python3
"""Goal    nothing to do costs nothing: an adaptive topology without input uses less than 2 % of a core,
        and two spinning shards on two cores leave the supervisor its time. Too much to do loses
        nothing: with edges too small for a flood each policy does what it says, counted, so that
        sent = received + dropped + merged + queued; no order and no fill is lost; memory stays as it
        was after boot. (PROMISES V1, I4; issue "Must hold" 5, 7)
Method  CPU time from /proc over 3 s; `shrike ctl status` answered in time; a flood of market trades
        told at once on the real clock (they lie in the past) over edges of 16 slots; counters from
        `shrike top --json` while it runs, fills of the two shards' journals against each other."""
# once: it is about the machine's time and memory
import json
import re
import sys
import time
import unittest

import drill


# What a full edge does, by name: more of an edge's line.
FULL = {"refuse": "",
        "merge": ", full: {OrderState: merge, AccountState: merge}",
        "drop": ", full: {AccountState: drop, Position: drop}",
        "conflate": ", full: {AccountState: conflate}"}


def cpu_s(pids):
    """Returns the CPU time that the threads of processes have used, seconds: to the nanosecond, where
    /proc/PID/stat counts ticks."""
    total = 0
    for pid in pids:
        for thread in drill.glob.glob("/proc/%d/task/*/schedstat" % pid):
            with open(thread) as f:
                total += int(f.read().split()[0])
    return total / 1e9


def rss_kib(pid):
    """Returns the resident memory of a process, KiB, without what it shares."""
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    return 0


def wait_status(run):
    """Waits until the run answers; returns how long the last answer took, s."""
    end = time.monotonic() + 10
    while True:
        began = time.monotonic()
        code = drill.shrike("ctl", run, "status", program=drill.FAULTY)[0]
        if code == 0 or time.monotonic() > end:
            return time.monotonic() - began
        time.sleep(0.05)


class Load(unittest.TestCase):
    """Nothing to do, and too much."""

    def test_idle(self):
        """Two adaptive shards, a bar a minute."""
        with drill.Place() as place:
            for clock in ("real", "{kind: paced, speed: 1}"):
                name = clock[:5].strip("{")
                run = place.dir("idle-" + name)
                text = drill.run_file(place="two", clock=clock, end=None)
                child = drill.start(["run", place.file(name + ".yaml", text), "--dir", run])
                wait_status(run)
                drill.wait_record(run, "Start", 2)  # both shards: boot, which costs its time, is over
                time.sleep(0.5)
                pids = [child.pid] + drill.family(child.pid)
                before = cpu_s(pids)
                time.sleep(3)
                used = (cpu_s(pids) - before) / 3
                child.send_signal(drill.signal.SIGINT)
                code, out, err = drill.finish(child, 10)
                self.assertEqual(code, 0, out + err)
                print("%s clock: %.2f %% of a core" % (name, used * 100))
                self.assertLess(used, 0.02)

    def test_spin(self):
        """Two spinning shards on two cores."""
        cores = drill.os.cpu_count()
        with drill.Place() as place:
            run = place.dir("spin")
            text = drill.run_file(place="two", clock="real", end=None).replace(
                "shards: {main: {}, second: {}}",
                "shards: {main: {core: 0, idle: spin}, second: {core: 1, idle: spin}}")
            path = place.file("spin.yaml", text)
            if cores >= 2:
                child = drill.start(["run", path, "--dir", run])
                wait_status(run)
                slowest = 0
                for _ in range(10):
                    slowest = max(slowest, wait_status(run))
                    time.sleep(0.05)
                child.send_signal(drill.signal.SIGINT)
                code, out, err = drill.finish(child, 10)
                self.assertEqual(code, 0, out + err)
                print("slowest answer: %.0f ms" % (slowest * 1e3))
                self.assertLess(slowest, 1)
            many = ", ".join("s%d: {idle: spin}" % i for i in range(cores))
            text = drill.run_file(clock="real", end=None).replace(
                "shards: {main: {}}", "shards: {main: {idle: spin}, %s}" % many)
            code, out, err = drill.shrike("check", place.file("many.yaml", text))
            self.assertEqual(code, 1)
            self.assertIn("spin with %d shards on %d cores" % (cores + 1, cores), err)

    def test_flood_waits(self):
        """`wait`: the portfolio, apart and hearing only, holds up who speaks to it; nothing of what
        was said is missing there."""
        with drill.Place() as place:
            run = place.dir("wait")
            text = drill.run_file(
                clock="real", end=None, snapshot="1h", source=drill.trades(9000000),
                more="edges: [{from: main, to: second, capacity: 16, full: {Fill: wait}}]",
                strategies="".join(drill.trader("t%d" % i, every=1) for i in range(8)),
                journal="{segment: 16777216}")
            text = text.replace("shards: {main: {}}", "shards: {main: {}, second: {idle: block}}")
            text = text.replace("{kind: portfolio}", "{kind: portfolio, shard: second}")
            # who would hear the portfolio hears everyone but it: the graph must not lead back
            everyone = "[%s]" % ", ".join(["t%d" % i for i in range(8)] +
                                          ["feed", "risk", "execution", "venue"])
            for kind in ("strategy", "risk", "execution", "feed", "venue"):
                text = re.sub("{kind: %s(?=[,}])" % kind, r"\g<0>, hears: " + everyone, text)
            child = drill.start(["run", place.file("wait.yaml", text), "--dir", run],
                                program=drill.FAULTY)
            self.assertTrue(drill.wait_record(run, "Fill", 500),
                            drill.finish(child, 1) if child.poll() is not None else "no fills")
            code, out, err = drill.shrike("top", run, "--json", program=drill.FAULTY)
            self.assertEqual(code, 0, err)
            child.send_signal(drill.signal.SIGINT)
            ended, _, why = drill.finish(child, 30)
            self.assertEqual(ended, 0, why)
            drill.left(run, program=drill.FAULTY)
            said, heard = ([b for k, _, _, b in drill.records(run, shard) if k == kind]
                           for shard, kind in (("main", drill.FILL | drill.OUT),
                                               ("second", drill.FILL)))
            self.assertTrue(said == heard, "%d said, %d heard" % (len(said), len(heard)))
            self.assertGreater(len(said), 500)
            edges = json.loads(out)["edges"]
            self.assertEqual([(e["from"], e["to"]) for e in edges], [("main", "second")])
            print("wait: " + " ".join("%s %s" % it for it in edges[0].items()))
            self.assertGreater(edges[0]["waited"], 0)
            self.assertEqual(edges[0]["dropped"] + edges[0]["merged"] + edges[0]["refused"], 0)

    def flooded(self, place, name, full, where="two", snapshot="1h"):
        """Starts a flood over small edges; returns (directory, arguments, child)."""
        edges = "edges:\n" + "".join(
            "  - {from: %s, to: %s, capacity: %d%s}\n" % (a, b, cap, more)
            for a, b, cap, more in (("main", "second", 64, full), ("second", "main", 16, "")))
        text = drill.run_file(place=where, clock="real", end=None, snapshot=snapshot, more=edges,
                              strategies="".join(drill.trader("t%d" % i, "second", every=1)
                                                 for i in range(8)),
                              source=drill.trades(9000000), journal="{segment: 16777216}")
        run = place.dir(name)
        args = ["run", place.file(name + ".yaml", text), "--dir", run]
        return run, args, drill.start(args, program=drill.FAULTY)

    def conserved(self, run):
        """Has the run replayed, and holds its shards' journals against each other; returns (orders,
        fills)."""
        drill.left(run, program=drill.FAULTY)
        count = lambda shard, kind: [b for k, _, _, b in drill.records(run, shard) if k == kind]
        asked, taken = (count("second", drill.ORDER_INTENT | drill.OUT),
                        count("main", drill.ORDER_INTENT))
        said, heard = count("main", drill.FILL | drill.OUT), count("second", drill.FILL)
        self.assertEqual(len(asked), len(taken))
        self.assertTrue(asked == taken)
        self.assertEqual(len(said), len(heard))
        self.assertTrue(said == heard)
        return len(taken), len(said)

    def flood(self, place, name, full):
        """A flood over small edges; returns (orders, fills, counters by edge)."""
        run, _, child = self.flooded(place, name, full)
        wait_status(run)
        drill.wait_record(run, "Fill")  # what boot takes is taken
        time.sleep(0.5)
        if child.poll() is not None:
            self.fail(drill.finish(child)[2])
        engine = drill.family(child.pid)[0]
        before = rss_kib(engine)
        time.sleep(1.5)
        after = rss_kib(engine)
        drill.shrike("ctl", run, "pause", program=drill.FAULTY)
        time.sleep(0.3)  # the rest arrives
        code, out, err = drill.shrike("top", run, "--json", program=drill.FAULTY)
        self.assertEqual(code, 0, err)
        child.send_signal(drill.signal.SIGINT)
        ended, _, why = drill.finish(child, 20)
        self.assertEqual(ended, 0, why)
        orders, fills = self.conserved(run)
        self.assertGreater(fills, 200)
        self.assertLess(after - before, 256, "%d KiB after boot, %d KiB later" % (before, after))
        top = json.loads(out)
        for e in top["edges"]:
            self.assertEqual(e["sent"], e["received"] + e["dropped"] + e["merged"] + e["queued"], e)
            self.assertLessEqual(e["high_water"], e["capacity"], e)
        for s in top["shards"]:
            self.assertEqual(s["allocations"], 0, s)
        return orders, fills, top["edges"]

    def test_flood_killed(self):
        """SIGKILLs in a flood, of the whole run or of one of its processes: what full edges answered
        is made again, and every order and fill is heard once."""
        dice = drill.seeded()
        with drill.Place() as place:
            for number in range(40 if drill.NIGHT else 4):
                full = dice.choice(list(FULL.values()))
                where = ["two", "processes"][number % 2]
                snapshot = dice.choice(["20ms", "1h"])
                run, args, child = self.flooded(place, "killed%d" % number, full, where, snapshot)
                what = []
                for _ in range(3):
                    if dice.random() < 0.75:  # else while it starts or recovers
                        drill.wait_flow(run)
                    time.sleep(dice.uniform(0.0, 0.3))
                    if child.poll() is not None:
                        self.fail("%s%s %s: %s" % (where, full, what, drill.finish(child)[2]))
                    kids = drill.family(child.pid)
                    if where == "processes" and kids and dice.random() < 0.5:
                        what.append("one")
                        drill.os.kill(dice.choice(kids), drill.signal.SIGKILL)
                        continue
                    what.append("all")
                    drill.kill_all(child)
                    child.communicate()
                    child = drill.start(args, program=drill.FAULTY)
                wait_status(run)
                drill.wait_flow(run)
                self.assertTrue(drill.wait_record(run, "Fill", 60))
                drill.shrike("ctl", run, "pause", program=drill.FAULTY)
                time.sleep(0.3)  # the rest arrives
                child.send_signal(drill.signal.SIGINT)
                code, _, err = drill.finish(child, 20)
                with self.subTest("%s%s, snapshots every %s %s" % (where, full, snapshot, what)):
                    self.assertEqual(code, 0, err)
                    orders, fills = self.conserved(run)
                    print("%s%s %s %s: %d orders, %d fills" % (where, full, snapshot, what, orders,
                                                               fills), flush=True)
                    self.assertGreater(fills, 50)

    def test_flood(self):
        """Each policy."""
        with drill.Place() as place:
            for name, full in FULL.items():
                with self.subTest(name):
                    orders, fills, top = self.flood(place, name, full)
                    print("%s: %d orders, %d fills" % (name, orders, fills))
                    for e in top:
                        print("  " + " ".join("%s %s" % it for it in e.items()))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + ["-v"] + sys.argv[1:])
