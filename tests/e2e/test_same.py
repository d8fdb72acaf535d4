#!/usr/bin/env python3
# once: it builds what it compares by itself.
"""Goal: results do not hang on compiler, optimisation, processor or place.
Method: (1) all of quant/ is built with gcc and clang, plainly and with FMA and AVX2 allowed, as the tree
is built (-ffp-contract=off), and reckons the report of a seeded curve, trades and benchmark: the same
bytes; built as it must not be (contraction on) it gives others, so the comparison sees. (2) The program
runs one graph twice: as it is, and from another directory, with another home, time zone and language,
and with the C library told that the processor has neither FMA nor AVX (its exp, log and pow then take
other paths): all result files and the page are the same bytes. Whole programs of other compilers are
compared by test_placements.py with every build that is at hand; ./dev test --night makes them."""
import hashlib
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403

DRIVER = r"""
#include "quant/stats/report.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long long gen = 42;

/* draw returns a number in -1..1 of the seeded generator. */
static double draw(void) {
    gen = gen * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(gen >> 11) * 0x1p-52 - 1;
}

int main(void) {
    enum { MARKS = 24 * 900, TRADES = 700 };
    static struct qs_point points[MARKS], bench[MARKS];
    static struct qs_trade trades[TRADES];
    static struct qs_turn turns[TRADES];
    static struct qs_report r;
    double equity = 100000, price = 30000;
    for (int i = 0; i < MARKS; i++) {
        equity *= 1 + 0.0002 * draw() + 0.004 * draw() * draw() * draw();
        price *= 1 + 0.005 * draw();
        long long ns = (1577836800LL + 3600LL * i) * 1000000000LL;
        points[i] = (struct qs_point){ ns, equity, equity * (0.5 + 0.4 * draw()) };
        bench[i] = (struct qs_point){ ns, price, 0 };
    }
    for (int i = 0; i < TRADES; i++) {
        long long ns = (1577836800LL + 100000LL * i) * 1000000000LL;
        memset(&trades[i], 0, sizeof trades[i]);
        TRADE
        turns[i] = (struct qs_turn){ ns, 1000 + 900 * draw() };
    }
    struct qs_input in = { points, MARKS, trades, TRADES, turns, TRADES, bench, MARKS, 1000000000LL };
    struct qs_options o = qs_options_default(QS_EVERY_DAY);
    o.risk_free = 0.021;
    o.required_return = 0.013;
    o.trials = 20;
    o.trials_variance = 0.0003;
    size_t bytes = qs_report_bytes(&in, &o);
    if (bytes == 0) return 1;
    unsigned char *memory = calloc(1, bytes);
    memset(&r, 0, sizeof r);
    qs_report_make(&in, &o, memory, &r);
    r.days = NULL; /* addresses are no results */
    r.months = r.years = NULL;
    r.options.days.listed = NULL;
    fwrite(&r, 1, sizeof r, stdout);
    fwrite(memory, 1, bytes, stdout);
    fprintf(stderr, "%.17g %.17g\n", r.figures.FIGURE, r.end_equity);
    return 0;
}
"""
TRADE = """
        trades[i].entry_ns = ns;
        trades[i].exit_ns = ns + 7200000000000LL;
        trades[i].pnl = 300 * draw();
        trades[i].fee = 2 + draw();
"""

# What tells the C library that the processor has less, and what shows whether it listens.
TUNABLES = "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2,-AVX512F,-AVX"
LIBM = ("import math; print([math.exp(i / 97.0).hex() + math.log(i + 0.3).hex() + "
        "math.pow(i + 0.1, 0.37).hex() + math.sin(i).hex() for i in range(1, 5000)])")

FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-fno-math-errno", "-fno-strict-aliasing", "-I" + SOURCE]
BUILDS = (("gcc", ["-O2", "-march=x86-64-v2", "-ffp-contract=off"]),
          ("gcc", ["-O3", "-march=x86-64-v3", "-mfma", "-ffp-contract=off"]),
          ("clang-14", ["-O2", "-march=x86-64-v2", "-ffp-contract=off"]),
          ("clang-14", ["-O3", "-march=x86-64-v3", "-mfma", "-ffp-contract=off"]))
CONTRACTED = ("gcc", ["-O3", "-march=x86-64-v3", "-mfma", "-ffp-contract=fast"])


def has(word):
    """has tells whether this processor has what word names."""
    with open("/proc/cpuinfo") as f:
        return any(word in line.split() for line in f if line.startswith("flags"))


def reckon(scratch, number, compiler, flags):
    """reckon builds quant/ and the driver and returns what it says."""
    out = os.path.join(scratch, "quant%d" % number)
    folder = os.path.join(SOURCE, "quant", "stats")
    sources = [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if n.endswith(".c")]
    subprocess.run([compiler, *FLAGS, *flags, "-o", out, os.path.join(scratch, "driver.o"),
                    *sources, "-lm"], check=True, timeout=280)
    done = subprocess.run([out], capture_output=True, check=True, timeout=60)
    print("%-9s %-60s %s %s" % (compiler, " ".join(flags),
                                hashlib.sha256(done.stdout).hexdigest()[:16],
                                done.stderr.decode().strip()), flush=True)
    return done.stdout


def compilers(scratch):
    """compilers returns what was wrong with quant/ under the compilers that are here."""
    with open(os.path.join(scratch, "driver.c"), "w") as f:
        f.write(DRIVER.replace("TRADE\n", TRADE).replace("FIGURE", "sharpe"))
    subprocess.run(["gcc", *FLAGS, "-O1", "-ffp-contract=off", "-c", "-o", f.name[:-2] + ".o",
                    f.name], check=True, timeout=60) # one for all: quant/ is what is looked at
    wide = has("fma") and has("avx2")
    if not wide:
        print("skip: this processor has no FMA")
    said = []
    for number, (compiler, flags) in enumerate(BUILDS):
        if shutil.which(compiler) is None:
            print("skip: no %s here" % compiler)
        elif wide or "-mfma" not in flags:
            said.append(reckon(scratch, number, compiler, flags))
    bad = [] if len(set(said)) == 1 else ["quant/ gives %d results" % len(set(said))]
    if wide and reckon(scratch, 9, *CONTRACTED) in said:
        bad.append("contracted sums give the same: the comparison is blind")
    return bad


def results(folder):
    """results returns the files of a result that are its own, by name."""
    found = {}
    for inner, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(inner, name)
            if name in ("manifest.json", "run.yaml") or os.path.basename(inner) == "log":
                continue # when and where it was made
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = f.read()
    return found


def run_in(folder, run, **environment):
    """run_in runs it in folder and returns its results."""
    os.makedirs(folder)
    write_run(run, os.path.join(folder, "run.yaml"))
    env = dict(os.environ, **environment)
    done = subprocess.run([BIN, "backtest", "run.yaml", "--out", "out"], cwd=folder, env=env,
                          capture_output=True, text=True, timeout=200)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return results(os.path.join(folder, "out"))


def places(scratch, rng):
    """places returns what differs between two places."""
    source = klines("BTC-PERP", "1m", walk_file(os.path.join(scratch, "walk.csv"), rng, 20000, "1m",
                                                1704067200 * 10**9, 60000, 20, 0.1, 1))
    run = run_of("same", [source], {
        "a": cross("BTC-PERP", "main", "1m", {"fraction": "0.7"}, fast=5, slow=23, short=True,
                   stop_loss_pct="0.4"),
        "b": cross("BTC-PERP", "main", "15m", {"notional": "9000"}, fast=3, slow=11, short=True)},
        {"main": {"quote": "USDT", "cash": 100000}}, venue={"latency": "20s"})
    want = run_in(os.path.join(scratch, "here"), run)
    far = os.path.join(scratch, "another place", "deep", "er")
    home = os.path.join(scratch, "home")
    os.makedirs(home)
    got = run_in(far, run, HOME=home, TMPDIR=home, TZ="Asia/Kathmandu", LANG="de_DE.UTF-8",
                 LC_ALL="C", GLIBC_TUNABLES=TUNABLES,
                 COLUMNS="40")
    print("%d files, %d bytes, %d fills" % (len(want), sum(map(len, want.values())),
                                            want["fills.csv"].count(b"\n") - 1))
    sums = [subprocess.run([sys.executable, "-c", LIBM], env=dict(os.environ, **more),
                           capture_output=True, check=True).stdout
            for more in ({}, {"GLIBC_TUNABLES": TUNABLES})]
    print("the C library's own exp, log, pow: %s" % ("the same" if sums[0] == sums[1] else
                                                     "other last bits without FMA"))
    bad = [] if sorted(want) == sorted(got) else ["files: %s, %s" % (sorted(want), sorted(got))]
    if "report.html" not in want or want["fills.csv"].count(b"\n") < 100:
        bad.append("hardly anything happened")
    return bad + ["%s differs" % n for n in want if want[n] != got.get(n)]


def main():
    """main runs all; the exit code tells whether anything differed."""
    rng, _ = seeded()
    with Scratch() as scratch:
        bad = compilers(scratch) + places(scratch, rng)
    print("\n".join(bad) if bad else "the same everywhere")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
