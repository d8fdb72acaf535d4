#!/usr/bin/env python3
"""Goal    damage to what a run keeps is noticed: a torn tail is cut and the run ends as undisturbed;
        flipped bits, zeroed and swapped pages of journal and snapshot, a missing snapshot, a missing
        segment are either mended to the same result, or reported in one line. Never a signal, never
        another result in silence. (PROMISES D5, D6)
Method  a run killed in the middle, with snapshots, is copied with its stage; the copy is damaged once
        at a random place and looked at by `replay`, `state`, `journal verify` and `backtest`, which
        goes on with it. What ends must equal the undisturbed run. In half of the rounds the stage
        is gone too, as after a power cut."""
# once: bytes on disk do not depend on the build
import sys
import unittest

import drill

ROUNDS = 2000 if drill.NIGHT else 90
SECONDS = 1800 if drill.NIGHT else 60


def files_of(run, what):
    """Returns the paths of the run's journal segments (disk or stage) or snapshots, with something
    in them."""
    pattern = {"disk": run + "/journal/*/*.seg", "stage": drill.stage_of(run) + "/*/*.slot",
               "snapshot": run + "/snapshot/*/*"}[what]
    return [p for p in sorted(drill.glob.glob(pattern)) if drill.os.path.getsize(p) > 0]


def used(path):
    """Returns how many bytes of a file are used: up to the last that is not zero."""
    with open(path, "rb") as f:
        return len(f.read().rstrip(b"\0"))


def hurt(dice, path):
    """Damages a file; returns in words how."""
    end = used(path)
    if end == 0:
        return "left whole: it is empty"
    how = dice.choice(["flip", "flip", "zero", "swap", "cut", "garbage", "gone"])
    with open(path, "r+b") as f:
        if how == "flip":
            at = dice.randrange(end)
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ 1 << dice.randrange(8)]))
            return "bit flipped at %d of %d" % (at, end)
        if how == "zero":
            at = dice.randrange(end) // 512 * 512
            f.seek(at)
            f.write(bytes(512))
            return "sector zeroed at %d of %d" % (at, end)
        if how == "swap" and end > 8192:
            a, b = (dice.randrange(end // 4096) * 4096 for _ in range(2))
            f.seek(a)
            page_a = f.read(4096)
            f.seek(b)
            page_b = f.read(4096)
            f.seek(a)
            f.write(page_b)
            f.seek(b)
            f.write(page_a)
            return "pages %d and %d swapped" % (a, b)
        if how == "cut":
            at = dice.randrange(end)
            f.truncate(at)
            return "cut off at %d of %d" % (at, end)
        if how == "garbage":
            at = dice.randrange(end)
            f.seek(at)
            f.write(dice.randbytes(min(64, end - at)))
            return "64 bytes of garbage at %d of %d" % (at, end)
    drill.os.unlink(path)
    return "removed"


class Damage(unittest.TestCase):
    """The drill."""

    def in_middle(self, run):
        """Tells whether the run has begun, and has both snapshots and some journal on disk."""
        return (drill.os.path.exists(run + "/run.yaml") and len(files_of(run, "snapshot")) >= 4 and
                bool(files_of(run, "disk")))

    def killed(self, place, where, dice):
        """Makes a run that was killed in the middle; returns its directory and arguments."""
        run = place.dir("killed-" + where)
        path = place.file(where + ".yaml",
                          drill.run_file(place=where, snapshot="5ms", end="2024-02-15", durability="{interval: 5ms}"))
        args = ["backtest", path, "--out"]
        for _ in range(40):
            child = drill.start(args + [run])
            while child.poll() is None and not self.in_middle(run):  # its files tell, not the clock
                drill.time.sleep(0.001)
            drill.time.sleep(dice.uniform(0, 0.03))
            if child.poll() is not None:  # it was too fast
                child.communicate()
                drill.shutil.rmtree(run)
                continue
            drill.kill_all(child)
            child.communicate()
            if self.in_middle(run):
                return run, args
            drill.shutil.rmtree(drill.stage_of(run), ignore_errors=True)
            drill.shutil.rmtree(run)
        self.fail("no run could be killed in its middle")

    def copy(self, run, to, number):
        """Copies a killed run with its stage, under a name of the stage's own."""
        drill.shutil.rmtree(to, ignore_errors=True)
        drill.shutil.copytree(run, to)
        stage = drill.stage_of(run)
        keep = stage + "-kept"
        if not drill.os.path.exists(keep):
            drill.shutil.copytree(stage, keep)
            self.addCleanup(drill.shutil.rmtree, keep, True)
        drill.shutil.rmtree(stage, ignore_errors=True)
        drill.shutil.copytree(keep, stage)

    def look(self, to):
        """Has every command look at the run; returns what was said, and whether something was
        reported."""
        said = ""
        for line in (["replay", to, "--verify"], ["state", to], ["journal", "verify", to]):
            code, out, err = drill.shrike(*line, timeout=20)
            self.assertIn(code, (0, 1, 2), "%s: exit %s: %s%s" % (line, code, out, err))
            if code != 2:
                said += "%s: %s %s" % (line[0], code, err[:300])
        return said

    def test_slots(self):
        """Each file of the stage removed in its turn: the same end as undisturbed, or a reason."""
        dice = drill.seeded()
        ended = refused = 0
        with drill.Place() as place:
            reference = place.dir("reference")
            path = place.file("reference.yaml", drill.run_file(end="2024-02-15"))
            self.assertEqual(drill.shrike("backtest", path, "--out", reference)[0], 0)
            expected = drill.left(reference)
            for number in range(16 if drill.NIGHT else 2):
                run, args = self.killed(place, "one", dice)
                for slot in range(len(files_of(run, "stage"))):
                    to = place.dir("damaged")
                    self.copy(run, to, number)
                    gone = files_of(to, "stage")[slot]
                    drill.os.unlink(gone)
                    code, _, err = drill.shrike(*args, to, timeout=30)
                    with self.subTest(drill.os.path.basename(gone)):
                        if code == 0:
                            ended += 1
                            self.assertEqual(drill.differ(expected, drill.left(to)), "")
                        else:
                            refused += 1
                            self.assertEqual((code, err.count("\n")), (1, 1), err[:500])
                            self.assertRegex(err, r"segment \d+ is (missing|damaged at offset)")
                    drill.shutil.rmtree(drill.stage_of(to), ignore_errors=True)
                drill.shutil.rmtree(drill.stage_of(run) + "-kept", ignore_errors=True)
                drill.shutil.rmtree(run)
        print("%d ended as undisturbed, %d were refused" % (ended, refused))
        self.assertGreater(ended + refused, 4)

    def test_damage(self):
        """Rounds of one damage each."""
        dice = drill.seeded()
        until = drill.time.monotonic() + SECONDS  # what comes before the rounds counts too
        ended = reported = noticed = 0
        with drill.Place() as place:
            reference = place.dir("reference")
            path = place.file("reference.yaml", drill.run_file(end="2024-02-15"))
            self.assertEqual(drill.shrike("backtest", path, "--out", reference)[0], 0)
            expected = drill.left(reference)
            killed = {where: self.killed(place, where, dice) for where in ("one", "two")}
            for number in range(ROUNDS):
                if drill.time.monotonic() > until:
                    break
                where = dice.choice(["one", "one", "two"])
                run, args = killed[where]
                to = place.dir("damaged")
                self.copy(run, to, number)
                gone = dice.random() < 0.5
                if gone:
                    drill.shutil.rmtree(drill.stage_of(to))
                what = dice.choice(["disk", "snapshot"] if gone else ["stage", "disk", "snapshot"])
                hurt_file = dice.choice(files_of(to, what) or files_of(to, "disk"))
                how = "%s%s: %s %s" % (where, ", stage gone" if gone else "",
                                       drill.os.path.relpath(hurt_file, to), hurt(dice, hurt_file))
                with self.subTest(how):
                    looked = self.look(to)
                    code, out, err = drill.shrike(*args, to, timeout=30)
                    if code == 0:
                        ended += 1
                        try:
                            found = drill.left(to)
                        except AssertionError as why:  # noticed: by whom reads it
                            self.assertIn("error: ", str(why))
                            self.assertEqual(str(why).count("error:"), 1, str(why))
                            noticed += 1
                            found = drill.results(to)
                            self.assertEqual(len(found), 4)
                        self.assertEqual(drill.differ({k: v for k, v in expected.items() if k in found},
                                                       found), "", looked)
                    else:
                        reported += 1
                        self.assertEqual(code, 1, "%s %s" % (code, err[:500]))
                        self.assertEqual(err.count("\n"), 1, err[:500])
                        self.assertIn("error: ", err)
                drill.shutil.rmtree(drill.stage_of(to), ignore_errors=True)
            for run, _ in killed.values():
                drill.shutil.rmtree(drill.stage_of(run) + "-kept", ignore_errors=True)
        print("%d ended as undisturbed (in %d of them replay tells the damage), %d were refused with "
              "a reason" % (ended, noticed, reported))
        self.assertGreater(ended, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + ["-v"] + sys.argv[1:])
