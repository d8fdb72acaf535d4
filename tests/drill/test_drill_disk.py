#!/usr/bin/env python3
"""Goal    no room on the disk or on the stage is no crash: never SIGBUS; a run either waits and goes on
        when there is room again, or ends with a reason and is gone on with later; its results are
        those of the undisturbed run. A run that stands still for it says so wherever one looks, and
        one signal ends it within seconds. On the real clock risk refuses meanwhile and takes orders
        again afterwards. (PROMISES D7)
Method  the run directory on a small tmpfs that a file of ballast fills while the run goes on, and is
        taken away from; the stage likewise, /dev/shm being a small tmpfs in a mount namespace of
        its own. Needs root; says so and skips otherwise."""
# once: full disks do not depend on the build
import subprocess
import sys
import time
import unittest

import drill

MIB = 1 << 20


def mounts():
    """Tells whether this user may mount in a namespace of its own."""
    return drill.os.geteuid() == 0 and subprocess.run(
        ["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


def inside(test, *more):
    """Runs one test of this file in a mount namespace of its own."""
    done = subprocess.run(["unshare", "-m", "--propagation", "private", sys.executable, "-B", __file__,
                           "--inside", test] + list(more), capture_output=True, text=True,
                          timeout=120, check=False)
    print(done.stdout, end="", flush=True)
    return done


def fill(path):
    """Fills the file system of path to the last page; returns the ballast's path."""
    ballast, at, step = drill.os.path.join(path, "ballast"), 0, 16 * MIB
    with open(ballast, "wb") as f:
        while step >= 4096:
            try:
                drill.os.posix_fallocate(f.fileno(), at, step)
                at += step
            except OSError:
                step //= 2
    return ballast


def mount(path, size):
    """Mounts a tmpfs of size bytes at path."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % size, "drill", path], check=True)


def session(full_at, run, text, clock, seconds):
    """Starts a run, fills full_at while it goes on, gives room again; returns how it ended, after it
    was gone on with until it ended in good order."""
    args = ["run", text, "--dir", run]
    child = drill.start(args, program=drill.FAULTY)
    time.sleep(0.25)
    ballast = fill(full_at)
    time.sleep(seconds)
    alive = child.poll() is None
    drill.os.unlink(ballast)
    what = "went on" if alive else "ended"
    if clock == "real" and alive:
        time.sleep(seconds)
        child.send_signal(drill.signal.SIGINT)
    code, out, err = drill.finish(child, 60)
    what += ", exit %s" % code
    assert isinstance(code, int) and 0 <= code < 126, (code, out, err)
    for _ in range(3):
        if code == 0:
            break
        print("  said: " + err.strip().splitlines()[-1])
        child = drill.start(args, program=drill.FAULTY)
        if clock == "real":
            time.sleep(1)
            child.send_signal(drill.signal.SIGINT)
        code, out, err = drill.finish(child, 60)
    assert code == 0, (code, out, err)
    return what


def ordered(kind):
    """A run on the paced clock, its directory or its stage filled."""
    with drill.Place() as place:
        small = place.dir("small")
        drill.os.mkdir(small)
        mount(small, 96 * MIB)
        if kind == "stage":
            mount("/dev/shm", 24 * MIB)
        text = drill.run_file(snapshot="50ms", end="2024-03-01",
                              clock="{kind: paced, speed: 2500000}",
                              journal="{segment: 262144, stage_segments: 8}")
        reference = drill.run_file(end="2024-03-01")
        code, out, err = drill.shrike("run", place.file("ref.yaml", reference), "--dir",
                                      place.dir("ref"), program=drill.FAULTY)
        assert code == 0, out + err
        what = session(small if kind == "disk" else "/dev/shm", small + "/run",
                       place.file("run.yaml", text), "paced", 1)
        left, expected = drill.results(small + "/run"), drill.results(place.dir("ref"))
        wrong = drill.differ(expected, left)
        assert not wrong and (len(left) == 4 or not expected), wrong
        print("%s full, paced clock: %s; %d fills equal" % (
            kind, what, len(left.get("fills.csv", b"").splitlines()) - 1))
        subprocess.run(["umount", "-l", small], check=False)


def ended(durability):
    """A run on the paced clock that waits for room is ended by one SIGTERM, and gone on with."""
    with drill.Place() as place:
        small, run = place.dir("small"), place.dir("small") + "/run"
        drill.os.mkdir(small)
        mount(small, 96 * MIB)
        text = drill.run_file(snapshot="50ms", end="2024-03-01", durability=durability,
                              clock="{kind: paced, speed: 2500000}",
                              journal="{segment: 262144, stage_segments: 8}")
        reference = drill.run_file(end="2024-03-01")
        code, out, err = drill.shrike("run", place.file("ref.yaml", reference), "--dir",
                                      place.dir("ref"), program=drill.FAULTY)
        assert code == 0, out + err
        args = ["run", place.file("run.yaml", text), "--dir", run, "--plain"]
        child = drill.start(args, program=drill.FAULTY)
        assert drill.wait_record(run, "Fill", 1)
        ballast = fill(small)
        end, status = time.monotonic() + 30, {}
        while not status.get("journal_waits") and time.monotonic() < end:
            time.sleep(0.05)
            code, out, _ = drill.shrike("ctl", run, "status", program=drill.FAULTY)
            status = drill.json.loads(out) if code == 0 else {}
        assert status.get("journal_waits") is True, status
        code, out, _ = drill.shrike("top", run, "--json", program=drill.FAULTY)
        assert code == 0 and drill.json.loads(out)["shards"][0]["journal_waits"] == 1, out
        code, out, _ = drill.shrike("ctl", run, "pause", "cross", program=drill.FAULTY)
        assert code == 1 and "waits for disk space" in out, out
        time.sleep(1.1)  # a line of the live figures is due
        child.send_signal(drill.signal.SIGTERM)
        began = time.monotonic()
        code, out, err = drill.finish(child, 30)
        took = time.monotonic() - began
        assert code == 1 and "nothing is lost: make room" in err, (code, out, err)
        assert took < 15, took  # 1 s where nobody else wants the machine
        assert "THE JOURNAL WAITS FOR DISK SPACE" in out, out[-600:]
        drill.os.unlink(ballast)
        code, out, err = drill.finish(drill.start(args, program=drill.FAULTY), 60)
        assert code == 0, out + err
        left, expected = drill.results(run), drill.results(place.dir("ref"))
        wrong = drill.differ(expected, left)
        assert not wrong and len(left) == 4, wrong
        print("%s: ended %.1f s after SIGTERM; %d fills equal" % (
            durability, took, len(left["fills.csv"].splitlines()) - 1))
        subprocess.run(["umount", "-l", small], check=False)


def live(kind):
    """A session on the real clock, its directory or its stage filled: risk refuses meanwhile."""
    with drill.Place() as place:
        small = place.dir("small")
        drill.os.mkdir(small)
        mount(small, 16 * MIB)
        if kind == "stage":
            mount("/dev/shm", 16 * MIB)
        text = drill.run_file(clock="real", end=None, snapshot="1h",
                              strategies=drill.trader("cross", every=3, timer="20ms"),
                              source=drill.trades(8000000),
                              journal="{segment: 131072, stage_segments: 6}")
        what = session(small if kind == "disk" else "/dev/shm", small + "/run",
                       place.file("run.yaml", text), "real", 2)
        drill.left(small + "/run", program=drill.FAULTY)
        rows = list(drill.records(small + "/run", "main"))
        states = [r for r in rows if r[0] == drill.JOURNAL_STATE]
        fills = [r[2] for r in rows if r[0] == drill.FILL | drill.OUT]
        print("%s full, real clock: %s; told of its journal %d times, %d fills, the last %.1f s after "
              "the first" % (kind, what, len(states), len(fills), (fills[-1] - fills[0]) / 1e9))
        subprocess.run(["umount", "-l", small], check=False)


class Disk(unittest.TestCase):
    """Full disks."""

    def setUp(self):
        if not mounts():
            self.skipTest("needs root, to mount a small file system")

    def check(self, test, *more):
        """Runs one inside, which must be fine."""
        done = inside(test, *more)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr)[-3000:])

    def test_disk(self):
        """The run's directory is full."""
        self.check("ordered", "disk")

    def test_stage(self):
        """The stage is full."""
        self.check("ordered", "stage")

    def test_ended(self):
        """A run that waits for room is ended by one signal."""
        self.check("ended", "process")

    def test_ended_each_order(self):
        """The same where each order waits for its sync."""
        self.check("ended", "each-order")

    def test_disk_live(self):
        """The same on the real clock."""
        self.check("live", "disk")

    def test_stage_live(self):
        """The stage, on the real clock."""
        self.check("live", "stage")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        {"ordered": ordered, "ended": ended, "live": live}[sys.argv[2]](sys.argv[3])
    else:
        unittest.main(argv=sys.argv[:1] + ["-v"] + sys.argv[1:])
