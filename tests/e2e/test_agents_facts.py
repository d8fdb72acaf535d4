#!/usr/bin/env python3
"""Goal: the market of the simulated traders looks like one (stylised facts), seed by seed.
Method: `shrike data generate --agents` writes trades, quotes and depth of 22 seeds, six days each;
everything is computed here, from those files, by the definitions. Returns are of the last trade of
each minute, in logarithms. Held for each seed alone:
  excess kurtosis of the returns > 3
  autocorrelation of their absolute values > 0.05 at each lag 1..20
  autocorrelation of the returns themselves within +-0.05 at each lag 1..20
  both sides of the book quoted >= 99.9 % of the time
  what rests within a basis point of the touch < in the second one < in the third, bids and asks
Why six days: of n returns without memory an autocorrelation is known to 1/sqrt(n), of returns whose
size clusters as here to some 1.3 times that; 440 of them all lie within 3.3 deviations, which is
0.047 at n = 8640. Over all seeds the mean at each lag is within 0.015: there the traders themselves
would show, not the sample. The same seed gives the same bytes; a full disk leaves no part of a file.
Night: 60 seeds of twelve days."""
# once: what a market looks like does not depend on how the tree was compiled
import concurrent.futures
import math
import os
import resource
import signal
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("SHRIKE_SOURCE") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("SHRIKE_BIN") or os.path.join(SOURCE, "build", "release", "shrike")
NIGHT = os.environ.get("SHRIKE_NIGHT") == "1"
SEEDS, DAYS, LAGS, SYMBOL = 60 if NIGHT else 22, 12 if NIGHT else 6, 20, "BTCUSDT"
START_MS, MINUTE_MS = 1704067200000, 60000
LOOKED = 50000  # quotes of a seed that are looked at one by one


def generate(seed, out):
    """generate writes the files of a seed into out."""
    os.makedirs(out)
    done = subprocess.run([BIN, "data", "generate", "--agents", "--out", out, "--symbols", SYMBOL,
                           "--days", str(DAYS), "--seed", str(seed)], timeout=120,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode()
    return {n: os.path.join(out, "%s-%s.csv" % (SYMBOL, n)) for n in ("trades", "quotes", "depth")}


def returns_of(path):
    """returns_of computes the returns of the minutes from the trades."""
    closes, price, count = [], None, 0
    end = str(START_MS + MINUTE_MS)  # as long as every time, so that texts compare as numbers do
    with open(path) as f:
        next(f)
        for line in f:
            row = line.split(",")
            while row[4] >= end:
                closes.append(price and float(price))
                end = str(int(end) + MINUTE_MS)
            price = row[1]
            count += 1
    closes += [float(price)] * (DAYS * 1440 - len(closes))
    assert None not in closes, "a minute before the first trade"
    return [math.log(b / a) for a, b in zip(closes, closes[1:])], count


def autocorrelation(x, lag):
    """autocorrelation is the sample autocorrelation, over the whole sample's variance."""
    mean = sum(x) / len(x)
    d = [v - mean for v in x]
    return sum(a * b for a, b in zip(d, d[lag:])) / sum(v * v for v in d)


def kurtosis(x):
    """kurtosis is the sample's excess kurtosis."""
    mean = sum(x) / len(x)
    second = sum((v - mean) ** 2 for v in x) / len(x)
    return sum((v - mean) ** 4 for v in x) / len(x) / second ** 2 - 3


def two_sided(path):
    """two_sided is the part of the time in which both sides are quoted, and the mean spread."""
    missing, since, last, count, spread = 0, None, START_MS, 0, 0.0
    end = START_MS + DAYS * 1440 * MINUTE_MS
    with open(path) as f:
        next(f)
        for line in f:
            if count > LOOKED and since is None and ",0," not in line:
                continue  # both sides are there
            _, bid, _, ask, _, ms, _ = line.split(",")
            ms = int(ms)
            assert ms >= last
            if since is not None:
                missing += ms - since
            since = ms if bid == "0" or ask == "0" else None
            last = ms
            count += 1
            if since is None:
                assert float(bid) < float(ask), line
                spread += (float(ask) / float(bid) - 1) * 1e4
    if since is not None:
        missing += end - since
    return 1 - missing / (end - START_MS), count, spread / count


def depth_of(path):
    """depth_of is what rests in each basis point from the touch, on average, by side."""
    sums = {"bid": [0.0] * 10, "ask": [0.0] * 10}
    looks = 0
    with open(path) as f:
        next(f)
        for line in f:
            _, side, bps, quantity = line.split(",")
            sums[side][int(bps)] += float(quantity)
            looks += 1
    assert looks == DAYS * 1440 * 20, looks
    return {s: [v / (DAYS * 1440) for v in sums[s]] for s in sums}


def facts(seed):
    """facts measures one seed."""
    with tempfile.TemporaryDirectory(prefix="shrike-facts-") as scratch:
        files = generate(seed, os.path.join(scratch, "a"))
        if seed == 1:
            again = generate(seed, os.path.join(scratch, "b"))
            for name in files:
                with open(files[name], "rb") as a, open(again[name], "rb") as b:
                    assert a.read() == b.read(), "the same seed, other %s" % name
        returns, trades = returns_of(files["trades"])
        sided, quotes, spread = two_sided(files["quotes"])
        size = [abs(r) for r in returns]
        return {"seed": seed, "kurtosis": kurtosis(returns), "sided": sided,
                "deviation": math.sqrt(sum(r * r for r in returns) / len(returns)),
                "size": [autocorrelation(size, k) for k in range(1, LAGS + 1)],
                "plain": [autocorrelation(returns, k) for k in range(1, LAGS + 1)],
                "depth": depth_of(files["depth"]), "trades": trades, "quotes": quotes,
                "spread": spread}


def full_disk():
    """full_disk generates where there is room for a part only; returns what does not hold."""
    def little():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    with tempfile.TemporaryDirectory(prefix="shrike-facts-") as scratch:
        done = subprocess.run([BIN, "data", "generate", "--agents", "--out", scratch, "--symbols",
                               SYMBOL, "--days", "1"], timeout=60, preexec_fn=little,
                              capture_output=True)
        left = os.listdir(scratch)
        if done.returncode != 1 or b"cannot be written whole" not in done.stderr or left:
            return ["a full disk: exit code %d, left %s" % (done.returncode, left)]
    return []


def judge(found):
    """judge returns what does not hold."""
    bad = []
    for f in found:
        if not f["kurtosis"] > 3:
            bad.append("seed %d: excess kurtosis %.2f" % (f["seed"], f["kurtosis"]))
        if not min(f["size"]) > 0.05:
            bad.append("seed %d: sizes of returns correlate by %.3f only" % (
                f["seed"], min(f["size"])))
        if not max(map(abs, f["plain"])) < 0.05:
            bad.append("seed %d: returns correlate by %.3f" % (
                f["seed"], max(f["plain"], key=abs)))
        if not f["sided"] >= 0.999:
            bad.append("seed %d: two-sided %.5f of the time" % (f["seed"], f["sided"]))
        for side, d in f["depth"].items():
            if not d[0] < d[1] < d[2]:
                bad.append("seed %d: %s depth %s" % (f["seed"], side, d[:3]))
    means = [sum(f["plain"][k] for f in found) / len(found) for k in range(LAGS)]
    for k, v in enumerate(means):
        if not abs(v) < 0.015:
            bad.append("returns correlate at lag %d by %.3f over all seeds" % (k + 1, v))
    return bad, means


def main():
    """main measures all seeds; the exit code tells whether all holds."""
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        found = list(pool.map(facts, range(1, SEEDS + 1)))
    for f in found:
        print("seed %2d: kurtosis %6.2f, deviation %.5f, |r| least %.3f, r largest %+.3f, two-sided "
              "%.5f, %d trades, %d quotes looked at, spread %.2f bps, depth %s" % (
                  f["seed"], f["kurtosis"], f["deviation"], min(f["size"]),
                  max(f["plain"], key=abs), f["sided"], f["trades"], f["quotes"], f["spread"],
                  " ".join("%.2f" % v for v in f["depth"]["bid"][:6])))
    bad, means = judge(found)
    bad += full_disk()
    print("|r| by lag: " + " ".join("%.3f" % (sum(f["size"][k] for f in found) / len(found))
                                    for k in range(LAGS)))
    print("r by lag:   " + " ".join("%+.3f" % v for v in means))
    print("%d seeds; wrong: %s" % (len(found), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
