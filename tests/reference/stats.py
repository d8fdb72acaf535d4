"""stats.py - every figure of a run's statistics, reckoned a second time.

For     tests/e2e/test_statistics.py: the figures of summary.json and daily.csv are compared with
        these to 1e-9.
From    the published definitions, named figure by figure: empyrical, pyfolio, quantstats,
        PerformanceAnalytics, backtrader, the papers. Nothing is taken over from the C code, and it
        is done another way: decimals of 50 digits from the exact texts of the result files, plain
        lists, no running state; exp, ln and sqrt are Decimal's own, the normal distribution is a
        Taylor series and its inverse Newton's method.
Units   Decimals; times ns UTC.
"""
import bisect
import copy
import csv
import datetime
import io
import os
import subprocess
from decimal import Decimal as D
from decimal import getcontext

getcontext().prec = 50
DAY = 86400 * 10**9
PI = D("3.14159265358979323846264338327950288419716939937510582097494459")
TAIL = D("0.05")
EULER = D("0.57721566490153286060651209008240243104215933593992")


# --- numbers ------------------------------------------------------------------------------------

def mean(x):
    """mean is the arithmetic mean."""
    return sum(x, D(0)) / len(x)


def moment(x, k):
    """moment is the k-th central moment, divisor n."""
    m = mean(x)
    return sum(((v - m)**k for v in x), D(0)) / len(x)


def sd(x):
    """sd is the sample standard deviation (n - 1): numpy.std(ddof=1)."""
    return None if len(x) < 2 else (moment(x, 2) * len(x) / (len(x) - 1)).sqrt()


def ratio(a, b):
    """ratio is a / b, None where one is not known or b is not above 0."""
    return None if a is None or b is None or b <= 0 else a / b


def quantile(x, part):
    """quantile interpolates between ranks: numpy.percentile, linear."""
    s = sorted(x)
    at = part * (len(s) - 1)
    low = int(at)
    return s[low] if low + 1 >= len(s) else s[low] + (s[low + 1] - s[low]) * (at - low)


def power(x, y):
    """power is x to the y."""
    return (y * x.ln()).exp() if x > 0 else D(0) if x == 0 and y > 0 else None


def density(x):
    """density of the standard normal distribution."""
    return (-x * x / 2).exp() / (2 * PI).sqrt()


def normal(x):
    """normal is the distribution function, by its Taylor series: 1/2 + density(x) sum x^(2k+1) /
    (2k+1)!!."""
    if abs(x) > 30:
        return D(0) if x < 0 else D(1)
    term, total, k = x, x, 1
    while abs(term) > D(10)**-48:
        k += 2
        term = term * x * x / k
        total += term
    return D(1) / 2 + density(x) * total


def inverse(p):
    """inverse of normal, by Newton from 0."""
    x = D(0)
    for _ in range(200):
        step = (normal(x) - p) / density(x)
        x -= max(D(-1), min(D(1), step))
        if abs(step) < D(10)**-40:
            break
    return x


# --- input --------------------------------------------------------------------------------------

def rows(path):
    """rows reads a CSV file as maps."""
    if path.endswith(".zst"):
        text = subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE, check=True).stdout
        return list(csv.DictReader(io.StringIO(text.decode())))
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def bars(path, interval_ns, start_ns=None, end_ns=None):
    """bars reads klines: (open_ns, end_ns, open, high, low, close), those inside the span."""
    out = []
    for r in rows(path):
        at = int(r.get("open_time") or r["open_time_ms"]) * 10**6
        if (start_ns is None or at >= start_ns) and (end_ns is None or at + interval_ns <= end_ns):
            out.append((at, at + interval_ns) + tuple(D(r[k]) for k in ("open", "high", "low",
                                                                        "close")))
    return out


def closes(ns):
    """closes is the day an instant closes: midnight closes the day before."""
    return (ns - 1) // DAY


# --- a run --------------------------------------------------------------------------------------

class Run:
    """The recorded run: result files, the prices of its instruments, and the declared options."""

    def __init__(self, dir, summary, prices, instruments, options=None):
        """prices: instrument -> bars; instruments: name -> {kind, base, lot_size}."""
        self.equity, self.trades, self.fills = (rows("%s/%s.csv" % (dir, n))
                                                for n in ("equity", "trades", "fills"))
        self.summary, self.prices, self.instruments = summary, prices, instruments
        paid = "%s/funding.csv" % dir
        self.funding = rows(paid) if os.path.exists(paid) else []
        self.first, self.last = summary["first_ns"], summary["last_ns"]
        self.options = dict(risk_free=D(0), required_return=D(0), rolling=None, days=None,
                            trials=0, variance=D(0), benchmark=None)
        self.options.update(options or {})
        ended = sorted({closes(b[1]) for p in prices.values() for b in p if b[1] <= self.last})
        days = self.options["days"]
        if days is None:
            weekend = any((d + 3) % 7 >= 5 for d in ended)
            days = 252 if not weekend and ended and ended[-1] - ended[0] >= 14 else 365
        self.A = D(days)
        every = list(range(self.first // DAY, closes(self.last) + 1))
        self.grid = every if days == 365 else [d for d in every if d in set(ended)]
        self.every = every
        self.ends = {i: [b[1] for b in p] for i, p in prices.items()}

    def price(self, instrument, ns, fallback=None):
        """price is the newest close of a bar that has ended by ns."""
        n = bisect.bisect_right(self.ends.get(instrument, []), ns)
        return self.prices[instrument][n - 1][5] if n else fallback

    def positions(self, ns, key):
        """positions by (account or strategy, instrument) with the price of the last fill."""
        held = {}
        for f in self.fills:
            if int(f["time_ns"]) > ns:
                break
            change = D(f["quantity"]) if f["side"] == "buy" else -D(f["quantity"])
            if f["fee_asset"] == self.instruments[f["instrument"]]["base"]:
                change -= D(f["fee"])
            at = (f[key], f["instrument"])
            held[at] = (held.get(at, (D(0), None))[0] + change, D(f["price"]))
        return held

    def benchmark(self):
        """benchmark closes by day (every day) and its start, 1."""
        wanted = [self.options["benchmark"]] if self.options["benchmark"] else list(self.prices)
        out = []
        for d in self.every:
            at = self.last if d == self.every[-1] else (d + 1) * DAY
            out.append(mean([self.price(i, at, self.prices[i][0][2]) / self.prices[i][0][2]
                             for i in wanted]))
        return out


class Held:
    """What each account holds, mark by mark, without going over all fills again."""

    def __init__(self, run, account):
        self.run, self.account, self.at, self.held = run, account, 0, {}

    def gross(self, ns):
        """gross worth at ns; ns must not fall."""
        run = self.run
        while self.at < len(run.fills) and int(run.fills[self.at]["time_ns"]) <= ns:
            f = run.fills[self.at]
            self.at += 1
            if f["account"] != self.account:
                continue
            change = D(f["quantity"]) if f["side"] == "buy" else -D(f["quantity"])
            if f["fee_asset"] == run.instruments[f["instrument"]]["base"]:
                change -= D(f["fee"])
            q = self.held.get(f["instrument"], (D(0), None))[0] + change
            self.held[f["instrument"]] = (q, D(f["price"]))
        return sum((abs(q) * run.price(i, ns, p) for i, (q, p) in self.held.items() if q), D(0))


def points_of(run, account):
    """points_of is the curve of an account: (ns, equity, gross)."""
    told = next(a for a in run.summary["accounts"] if a["account"] == account)
    marks = [(run.first, D(told["start"]))]
    marks += [(int(r["time_ns"]), D(r["equity"])) for r in run.equity if r["account"] == account]
    marks.append((run.last, D(told["equity"])))
    held = Held(run, account)
    out = [(run.first, marks[0][1], D(0))] if held.gross(run.first) == 0 else []
    for ns, e in marks[len(out):]:
        out.append((ns, e, held.gross(ns)))
    return out


def together(curves):
    """together is the sum of several curves, each staying at its last mark."""
    out = []
    for ns in sorted({p[0] for c in curves for p in c}):
        last = [[p for p in c if p[0] <= ns][-1] for c in curves]
        out.append((ns, sum(p[1] for p in last), sum(p[2] for p in last)))
    return out


def exposed(run, accounts):
    """exposed is the time in which one of the accounts held a lot or more of something."""
    held, since, total = {}, None, 0
    open_before = 0
    for f in run.fills:
        if f["account"] not in accounts:
            continue
        inst = run.instruments[f["instrument"]]
        change = D(f["quantity"]) if f["side"] == "buy" else -D(f["quantity"])
        if f["fee_asset"] == inst["base"]:
            change -= D(f["fee"])
        key = (f["account"], f["strategy"], f["instrument"])
        held[key] = held.get(key, D(0)) + change
        now = sum(abs(q) >= D(run.instruments[k[2]]["lot_size"]) for k, q in held.items())
        if now and not open_before:
            since = int(f["time_ns"])
        if open_before and not now:
            total += int(f["time_ns"]) - since
        open_before = now
    return total + (run.last - since if open_before else 0)


# --- figures ------------------------------------------------------------------------------------

def fall_of(ret):
    """fall_of is 1 - value / highest value so far, after each return (from 1)."""
    value = peak = D(1)
    out = []
    for r in ret:
        value *= 1 + r
        peak = max(peak, value)
        out.append(1 - value / peak)
    return out


def falls(points):
    """falls lists (depth, peak_ns, trough_ns, recovery_ns or None, end_ns, peak, trough)."""
    out, i, n = [], 0, len(points)
    while i < n:
        peak = points[i][1]
        k = i + 1
        while k < n and points[k][1] < peak:
            k += 1
        if k > i + 1:
            low = min(points[i + 1:k], key=lambda p: p[1])
            out.append(((peak - low[1]) / peak, points[i][0], low[0],
                        points[k][0] if k < n else None, points[min(k, n - 1)][0], peak, low[1]))
        i = k
    return out


def sharpe_of(ret, daily, A):
    """sharpe_of is empyrical.sharpe_ratio."""
    return None if len(ret) < 2 or sd(ret) == 0 else (mean(ret) - daily) / sd(ret) * A.sqrt()


def day_index(grid, ns):
    """day_index is the place in grid of the day an instant counts to."""
    return min(bisect.bisect_left(grid, closes(ns)), len(grid) - 1)


def regimes(close):
    """regimes by the declared rules: 60 days of trend, 10 %, 20 days of volatility."""
    logs = [None] + [(b / a).ln() for a, b in zip(close, close[1:])]
    seen, out = [], []
    for d in range(len(close)):
        name = "unknown"
        if d >= 21:
            v = sd(logs[d - 20:d])
            seen.append(v)
            if d >= 61:
                change = close[d - 1] / close[d - 61] - 1
                trend = "bull" if change >= D("0.1") else "bear" if change <= D("-0.1") \
                    else "sideways"
                name = trend + ("_high" if v > quantile(seen, D("0.5")) else "_low")
        out.append(name)
    return out


def trade_figures(trades):
    """trade_figures of a list of maps with pnl, fee, cost, hold, mae, mfe; in order of exit."""
    pnl = [t["pnl"] for t in trades]
    n = D(len(pnl))
    wins, losses = [p for p in pnl if p > 0], [-p for p in pnl if p < 0]
    f = {"trades": n, "wins": D(len(wins)), "win_rate": ratio(D(len(wins)), n),
         "profit_factor": ratio(sum(wins, D(0)), sum(losses, D(0))),
         "pnl": sum(pnl, D(0)), "fees": sum((t["fee"] for t in trades), D(0)),
         "expectancy": mean(pnl) if pnl else None,
         "mean_win": mean(wins) if wins else None, "mean_loss": mean(losses) if losses else None,
         "largest_win": max(wins, default=D(0)), "largest_loss": max(losses, default=D(0)),
         "mean_trade_return": mean([t["pnl"] / t["cost"] for t in trades]) if pnl else None}
    f["payoff"] = ratio(f["mean_win"], f["mean_loss"])
    f["expectancy_r"] = ratio(f["expectancy"], f["mean_loss"])  # Tharp
    # backtrader.analyzers.SQN: its standarddev is that of the population
    spread = moment(pnl, 2).sqrt() if pnl else D(0)
    f["sqn"] = n.sqrt() * mean(pnl) / spread if n >= 2 and spread else None
    text = "".join("w" if p > 0 else "l" for p in pnl)
    f["win_streak"] = D(max((len(s) for s in text.split("l")), default=0))
    f["loss_streak"] = D(max((len(s) for s in text.split("w")), default=0))
    hold = [t["hold"] for t in trades]
    f["hold_mean"] = mean(hold) if hold else None
    f["hold_median"] = quantile(hold, D("0.5")) if hold else None
    f["hold_greatest"] = max(hold, default=None)
    for k in ("mae", "mfe"):
        f[k + "_mean"] = mean([t[k] for t in trades]) if trades else None
    return f


def trades_of(run, accounts):
    """trades_of reads the round trips of accounts, with MAE and MFE from the bars they touched."""
    out = []
    for r in run.trades:
        if r["account"] not in accounts:
            continue
        entry, exit = int(r["entry_ns"]), int(r["exit_ns"])
        price = D(r["entry_price"])
        seen = [price, D(r["exit_price"])]
        p = run.prices[r["instrument"]]
        ends = run.ends[r["instrument"]]
        for b in p[bisect.bisect_right(ends, entry):]:
            if b[0] >= exit or b[1] > run.last:
                break
            seen += [b[3], b[4]]
        up, down = (max(seen) - price) / price, (price - min(seen)) / price
        buy = r["side"] == "buy"
        out.append({"entry": entry, "exit": exit, "pnl": D(r["net_pnl"]), "fee": D(r["fee"]),
                    "cost": D(r["quantity"]) * price, "hold": D(exit - entry) / 10**9,
                    "mae": down if buy else up, "mfe": up if buy else down, "side": r["side"]})
    return out


class Report:
    """All figures and tables of one curve."""

    def __init__(self, run, points, accounts):
        self.run, self.points, self.accounts = run, points, accounts
        self.trades = trades_of(run, accounts)
        self.turns = [(int(f["time_ns"]), D(f["price"]) * D(f["quantity"])) for f in run.fills
                      if f["account"] in accounts]
        self.days()
        self.f = {}
        self.returns()
        self.curve()
        self.use()
        self.against()
        self.all_trades = trade_figures(self.trades)
        self.f.update({k: v for k, v in self.all_trades.items() if k not in ("pnl", "wins")})
        self.longs = trade_figures([t for t in self.trades if t["side"] == "buy"])
        self.shorts = trade_figures([t for t in self.trades if t["side"] != "buy"])
        self.tables()

    def days(self):
        """days: closes and returns of the grid."""
        run, grid, o = self.run, self.run.grid, self.run.options
        at = [closes(p[0]) for p in self.points]
        self.close, self.gross = [], []
        for k, d in enumerate(grid):
            n = len(at) if k + 1 == len(grid) else max(1, bisect.bisect_right(at, d))
            self.close.append(self.points[n - 1][1])
            self.gross.append(self.points[n - 1][2])
        self.start = self.points[0][1]
        before = [self.start] + self.close[:-1]
        self.r = [b / a - 1 for a, b in zip(before, self.close)]
        self.before = before
        bench = run.benchmark()
        self.bench = [bench[-1] if d == grid[-1] else bench[d - run.every[0]] for d in grid]
        self.b = [b / a - 1 for a, b in zip([D(1)] + self.bench[:-1], self.bench)]
        self.regime = regimes(self.bench)
        self.traded = [D(0)] * len(grid)
        for ns, v in self.turns:
            self.traded[day_index(grid, ns)] += v
        self.daily = power(1 + o["risk_free"], 1 / run.A) - 1
        self.need = power(1 + o["required_return"], 1 / run.A) - 1
        w = o["rolling"] or int(run.A) // 4
        self.window = w
        self.roll = [(None, None, None)] * len(grid)
        for i in range(w - 1, len(grid)):
            x = self.r[i + 1 - w:i + 1]
            self.roll[i] = (self.close[i] / (self.close[i - w] if i >= w else self.start) - 1,
                            sd(x) * run.A.sqrt(), sharpe_of(x, self.daily, run.A))

    def returns(self):
        """returns: what the daily returns tell."""
        r, A, f, n = self.r, self.run.A, self.f, D(len(self.r))
        year, s, m = A.sqrt(), sd(self.r), mean(self.r)
        growth = D(1)
        for x in r:
            growth *= 1 + x
        f["cagr"] = power(growth, A / n) - 1                       # empyrical.cagr
        f["mean_return"], f["best_day"], f["worst_day"] = m, max(r), min(r)
        f["positive_days"] = D(sum(x > 0 for x in r)) / n
        f["volatility"] = s * year                                 # empyrical.annual_volatility
        f["downside_deviation"] = mean([min(x - self.need, D(0))**2 for x in r]).sqrt() * year
        fall = fall_of(r)
        f["max_drawdown_daily"] = max(fall)                        # empyrical.max_drawdown
        f["ulcer_index"] = mean([x * x for x in fall]).sqrt()      # PerformanceAnalytics
        f["skew"] = moment(r, 3) / power(moment(r, 2), D("1.5"))   # scipy.stats.skew
        f["kurtosis"] = moment(r, 4) / moment(r, 2)**2 - 3         # scipy.stats.kurtosis
        f["var"] = quantile(r, TAIL)                               # empyrical.value_at_risk
        f["cvar"] = mean(sorted(r)[:int((n - 1) * TAIL) + 1])      # empyrical
        z = inverse(TAIL)
        f["var_normal"] = m + s * z                                # quantstats.value_at_risk
        f["cvar_normal"] = m - s * density(z) / TAIL
        g3, k = f["skew"], f["kurtosis"]                           # PerformanceAnalytics VaR modified
        f["var_modified"] = m + moment(r, 2).sqrt() * (
            z + (z**2 - 1) * g3 / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * g3**2 / 36)
        f["tail_ratio"] = abs(quantile(r, 1 - TAIL)) / abs(quantile(r, TAIL))  # empyrical
        f["sharpe"] = sharpe_of(r, self.daily, A)
        f["sortino"] = ratio((m - self.need) * A, f["downside_deviation"])     # empyrical
        f["calmar"] = ratio(f["cagr"], f["max_drawdown_daily"])                # empyrical
        off = [x - self.daily - self.need for x in r]
        f["omega"] = ratio(sum((x for x in off if x > 0), D(0)), -sum((x for x in off if x < 0), D(0)))
        # backtrader.analyzers.VWR with the defaults of its code
        ravg = (self.close[-1] / self.start).ln() / n
        dts = [e / (b * (ravg * (i + 1)).exp()) - 1
               for i, (b, e) in enumerate(zip(self.before, self.close))]
        f["vwr"] = 100 * ((ravg * A).exp() - 1) * (1 - power(sd(dts) / 2, D("0.2")))
        # Bailey and Lopez de Prado 2012, 2014: raw kurtosis is k + 3
        sr = (m - self.daily) / s
        spread = 1 - g3 * sr + (k + 3 - 1) / 4 * sr * sr
        f["psr"] = normal(sr * (n - 1).sqrt() / spread.sqrt())
        o, f["dsr"] = self.run.options, None
        if o["trials"] >= 2:
            N = D(o["trials"])
            luck = o["variance"].sqrt() * ((1 - EULER) * inverse(1 - 1 / N) +
                                           EULER * inverse(1 - 1 / (N * D(1).exp())))
            f["dsr"] = normal((sr - luck) * (n - 1).sqrt() / spread.sqrt())
        f["min_trl"] = 1 + spread * (inverse(1 - TAIL) / sr)**2 if sr > 0 else None

    def curve(self):
        """curve: what all marks tell."""
        f, p, span = self.f, self.points, self.run.last - self.run.first
        f["total_return"] = p[-1][1] / p[0][1] - 1
        f["log_return"] = (p[-1][1] / p[0][1]).ln()
        self.falls = sorted(falls(p), key=lambda d: -d[0])[:10]
        everyone = falls(p)
        f["max_drawdown"] = max((d[0] for d in everyone), default=D(0))
        peak, money = p[0][1], D(0)
        for _, e, _ in p:
            peak = max(peak, e)
            money = max(money, peak - e)
        f["max_drawdown_money"] = money
        f["drawdown_days"] = D(self.falls[0][4] - self.falls[0][1]) / DAY if everyone else D(0)
        f["longest_drawdown_days"] = D(max((d[4] - d[1] for d in everyone), default=0)) / DAY
        f["underwater"] = D(sum(d[4] - d[1] for d in everyone)) / span
        f["exposure"] = D(exposed(self.run, self.accounts)) / span

    def use(self):
        """use of capital."""
        f, p = self.f, self.points
        f["gross_leverage"] = mean([g / e for g, e in zip(self.gross, self.close)])  # pyfolio
        f["gross_leverage_max"] = max(g / e for _, e, g in p)
        f["net_leverage"] = f["net_leverage_max"] = None  # accounts without pairs
        f["position_value"] = mean(self.gross)
        f["position_value_max"] = max(g for _, _, g in p)
        f["turnover"] = mean([t / b for t, b in zip(self.traded, self.before)]) * self.run.A

    def against(self):
        """against the benchmark."""
        f, r, b, A = self.f, self.r, self.b, self.run.A
        n = D(len(r))
        f["benchmark_return"] = self.bench[-1] - 1
        f["benchmark_cagr"] = power(self.bench[-1], A / n) - 1
        f["benchmark_volatility"] = sd(b) * A.sqrt()
        f["benchmark_sharpe"] = sharpe_of(b, self.daily, A)
        f["benchmark_max_drawdown"] = max(fall_of(b))
        mr, mb = mean(r), mean(b)
        cov = sum(((x - mr) * (y - mb) for x, y in zip(r, b)), D(0)) / n
        f["beta"] = cov / moment(b, 2)                              # empyrical.beta
        f["alpha"] = power(1 + (mr - self.daily) - f["beta"] * (mb - self.daily), A) - 1
        f["correlation"] = cov / (moment(r, 2) * moment(b, 2)).sqrt()
        off = [x - y for x, y in zip(r, b)]
        f["tracking_error"] = sd(off) * A.sqrt()                    # PerformanceAnalytics
        f["information_ratio"] = mean(off) / sd(off) * A.sqrt()
        f["excess_return"] = f["cagr"] - f["benchmark_cagr"]        # PerformanceAnalytics

    def group(self, at, name):
        """group makes a table of the days whose indices are at."""
        r = [self.r[i] for i in at]
        growth = grown = D(1)
        for i in at:
            growth *= 1 + self.r[i]
            grown *= 1 + self.b[i]
        return dict(name, days=D(len(at)), volatility=sd(r) and sd(r) * self.run.A.sqrt(),
                    sharpe=sharpe_of(r, self.daily, self.run.A),
                    max_drawdown=max(fall_of(r)) if r else None,
                    benchmark_return=grown - 1 if r else None,
                    mean=mean(r) if r else None, **{"return": growth - 1 if r else None})

    def count(self, row, trades):
        """count adds what trades come to."""
        row.update(trades=D(len(trades)), wins=D(sum(t["pnl"] > 0 for t in trades)),
                   pnl=sum((t["pnl"] for t in trades), D(0)),
                   fees=sum((t["fee"] for t in trades), D(0)))
        return row

    def tables(self):
        """tables by month, year and regime."""
        grid, months, years = self.run.grid, {}, {}
        date = [datetime.date(1970, 1, 1) + datetime.timedelta(days=d) for d in grid]
        for i, d in enumerate(date):
            months.setdefault((d.year, d.month), []).append(i)
            years.setdefault((d.year,), []).append(i)
        exits = [day_index(grid, t["exit"]) for t in self.trades]
        entries = [day_index(grid, t["entry"]) for t in self.trades]
        self.months, self.years, self.phases = [], [], []
        for table, out in ((months, self.months), (years, self.years)):
            for key, at in sorted(table.items()):
                row = self.group(at, dict(zip(("year", "month"), map(D, key))))
                row["traded"] = sum((self.traded[i] for i in at), D(0))
                inside = set(at)
                out.append(self.count(row, [t for t, k in zip(self.trades, exits) if k in inside]))
        for name in ("unknown", "bull_low", "bull_high", "sideways_low", "sideways_high",
                     "bear_low", "bear_high"):
            at = [i for i, k in enumerate(self.regime) if k == name]
            row = self.group(at, {})
            row["regime"] = name
            self.phases.append(self.count(row, [t for t, k in zip(self.trades, entries)
                                                if self.regime[k] == name]))
        best = [m["return"] for m in self.months]
        self.f["best_month"], self.f["worst_month"] = max(best), min(best)
        # a month without any change is a product of quotients here: 1 but for the last digit
        self.f["positive_months"] = D(sum(x > D("1e-40") for x in best)) / len(best)


def portfolio(run, report):
    """portfolio of strategies: who brought the return, the risk, the deepest fall (Carino 1999 for
    the return, Euler for the risk)."""
    grid, names = run.grid, sorted({f["strategy"] for f in run.fills})
    names += ["funding"] if run.funding else []
    parts = []
    for name in names:
        worth, last = [], len(grid) - 1
        fills = [f for f in run.fills if f["strategy"] == name]
        for k, d in enumerate(grid):
            until = run.last if k == last else (d + 1) * DAY
            cash, held = D(0), {}
            for f in fills:
                if int(f["time_ns"]) > until:
                    break
                buy = f["side"] == "buy"
                q = D(f["quantity"]) if buy else -D(f["quantity"])
                cash -= q * D(f["price"])
                if f["fee_asset"] == run.instruments[f["instrument"]]["base"]:
                    q -= D(f["fee"])
                else:
                    cash -= D(f["fee"])
                held[f["instrument"]] = (held.get(f["instrument"], (D(0),))[0] + q, D(f["price"]))
            if name == "funding":
                cash = -sum((D(f["amount"]) for f in run.funding if int(f["time_ns"]) <= until),
                            D(0))
            worth.append(cash + sum((q * run.price(i, until, p) for i, (q, p) in held.items()), D(0)))
        parts.append([(b - a) / e for a, b, e in zip([D(0)] + worth[:-1], worth, report.before)])
    r = [sum(x, D(0)) for x in zip(*parts)]
    total = D(1)
    for x in r:
        total *= 1 + x

    def link(x):
        """link is ln(1 + x) / x."""
        return (1 + x).ln() / x if x else D(1)
    fall, value, peak, top, deepest = [], D(1), D(1), 0, (D(0), 0, 0)
    for t, x in enumerate(r):
        value *= 1 + x
        if value >= peak:
            peak, top = value, t + 1
        fall.append(1 - value / peak)
        if fall[-1] > deepest[0]:
            deepest = (fall[-1], top, t + 1)
    links = [link(x) for x in r]
    year, mr = run.A.sqrt(), mean(r)
    out = {"return": total - 1, "volatility": sd(r) * year, "max_drawdown": deepest[0],
           "sum_of_volatility": sum((sd(c) for c in parts), D(0)) * year, "strategies": []}
    pairs = []
    for i, c in enumerate(parts):
        mc = mean(c)
        cov = sum(((x - mc) * (y - mr) for x, y in zip(c, r)), D(0)) / (len(r) - 1)
        row = {"strategy": names[i], "volatility": sd(c) * year,
               "contribution_return": sum((x * k for x, k in zip(c, links)), D(0)) / link(total - 1),
               "contribution_volatility": cov / sd(r) * year,
               "contribution_drawdown": sum(c[deepest[1]:deepest[2]], D(0)),
               "sharpe": sharpe_of(c, report.daily, run.A), "correlation": [], "parts": c}
        for k, other in enumerate(parts):
            mo = mean(other)
            cov = sum(((x - mc) * (y - mo) for x, y in zip(c, other)), D(0)) / len(c)
            row["correlation"].append(cov / (moment(c, 2) * moment(other, 2)).sqrt())
            if k > i:
                pairs.append(row["correlation"][-1])
        out["strategies"].append(row)
    out["mean_correlation"] = mean(pairs) if pairs else None
    return out


def alone(run, report, name, parts):
    """alone is the report of one strategy: the curve that its daily parts alone would make, its
    fills and its round trips."""
    one = copy.copy(run)
    one.fills = [f for f in run.fills if f["strategy"] == name]
    one.trades = [t for t in run.trades if t["strategy"] == name]
    held = Held(one, one.fills[0]["account"])
    value, points = report.start, [(run.first, report.start, D(0))]
    for k, (d, x) in enumerate(zip(run.grid, parts)):
        ns = run.last if k + 1 == len(run.grid) else (d + 1) * DAY
        value *= 1 + x
        points.append((ns, value, held.gross(ns)))
    return Report(one, points, report.accounts)
