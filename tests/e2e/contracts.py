"""contracts.py - an independent model of what fills do to money, in fractions: kinds of instruments,
contract values, rates and charges. Written from the README and the venues' published formulas."""
from fractions import Fraction

ONE, DAY = 10**8, 86400 * 10**9


def cents(value, up, step=Fraction(1, ONE)):
    """cents rounds a sum to multiples of step (1e-8), up or down."""
    scaled = value / step
    n, d = scaled.numerator, scaled.denominator
    return (-(-n // d) if up else n // d) * step


def toward_zero(value):
    """toward_zero rounds a sum to 1e-8 toward zero."""
    return cents(value, value < 0)


def day_of(text):
    """day_of is the number of a UTC day such as 2023-08-28."""
    import datetime
    return datetime.date.fromisoformat(text).toordinal() - datetime.date(1970, 1, 1).toordinal()


def charge(c, lot, quantity, value):
    """charge is what one charge comes to for all that an order has traded."""
    f = {k: Fraction(str(v)) for k, v in c.items() if k not in ("side", "from", "until")}
    total = f.get("per_order", Fraction(0)) + cents(value * f.get("rate", 0), True) \
        + cents(quantity * f.get("per_unit", 0), True) + cents(quantity / lot * f.get("per_lot", 0), True)
    total = max(total, f.get("min", Fraction(0)))
    if "max" in f:
        total = min(total, f["max"])
    if "max_rate" in f:
        total = min(total, cents(value * f["max_rate"], True))
    return cents(total, True, f.get("round", Fraction(1, ONE)))


class Books:
    """What the fills say of all accounts of a run (a tree of maps, as runs.py makes them)."""

    def __init__(self, run):
        self.instruments, self.schemes = run["instruments"], run.get("fee_schemes", {})
        self.cash = {n: Fraction(str(a["cash"])) for n, a in run["accounts"].items()}
        self.fees = {n: Fraction(0) for n in self.cash}
        self.held = {}    # (account, instrument): quantity, cost
        self.orders = {}  # client order id: quantity, value, paid
        self.cut_cnt = 0  # orders of several fills

    def value(self, name, price, quantity, buy):
        """value is the cash of a trade: what a buy pays, what a sale receives; of inverse contracts
        minus their worth in coin, which moves as their profit does."""
        i = self.instruments[name]
        unit = Fraction(str(i.get("contract_value", i.get("multiplier", 1))))
        exact = -quantity * unit / price if i["kind"] == "inverse" else price * quantity * unit
        return cents(exact, buy)

    def charged(self, name, row, quantity, value):
        """charged is what the order of a fill is charged for it."""
        i = self.instruments[name]
        scheme = i.get("fees", {})
        scheme = self.schemes[scheme] if isinstance(scheme, str) else scheme
        if not scheme:
            return Fraction(0)
        traded, sum_, paid = self.orders.get(row["client_order_id"], (Fraction(0),) * 3)
        self.cut_cnt += traded > 0
        traded, sum_ = traded + quantity, sum_ + value
        day, total = int(row["time_ns"]) // DAY, Fraction(0)
        for c in scheme.values():
            if c.get("side", "both") not in ("both", row["side"]):
                continue
            if day < day_of(c.get("from", "1970-01-01")) or day > day_of(c.get("until", "2200-01-01")):
                continue
            total += charge(c, Fraction(str(i["lot_size"])), traded, sum_)
        now = max(total - paid, Fraction(0))
        self.orders[row["client_order_id"]] = traded, sum_, paid + now
        return now

    def rate(self, name, row):
        """rate is what a fill pays of its notional."""
        key = {"maker": "maker_fee", "taker": "taker_fee", "none": "delivery_fee"}[row["liquidity"]]
        return Fraction(str(self.instruments[name].get(key, 0)))

    def fill(self, row):
        """fill books a fill; returns what is wrong with it, "" when nothing is."""
        account, name, buy = row["account"], row["instrument"], row["side"] == "buy"
        i = self.instruments[name]
        quantity, price = Fraction(row["quantity"]), Fraction(row["price"])
        value = self.value(name, price, quantity, buy)
        in_base = i["kind"] == "spot" and buy and not i.get("fees")
        fee = cents((quantity if in_base else abs(value)) * self.rate(name, row), True)
        if row["liquidity"] != "none":
            fee += self.charged(name, row, quantity, abs(value))
        held, cost = self.held.get((account, name), (Fraction(0), Fraction(0)))
        self.fees[account] += fee if not in_base else 0
        realized = None
        if i["kind"] == "spot":
            held += quantity - (fee if in_base else 0) if buy else -quantity
            self.cash[account] += -value - (0 if in_base else fee) if buy else value - fee
        else:
            held, cost, realized = self.margined(name, held, cost, quantity if buy else -quantity, value,
                                                 price)
            self.cash[account] += realized - fee
        self.held[account, name] = held, cost
        asset = i["base" if in_base or i["kind"] == "inverse" else "quote"]
        if Fraction(row["fee"]) != fee or row["fee_asset"] != asset:
            return "%s: fee %s %s reckoned" % (row, float(fee), asset)
        if realized is not None and Fraction(row["realized_pnl"]) != realized:
            return "%s: realized %s reckoned" % (row, float(realized))
        return ""

    def margined(self, name, held, cost, moved, value, price):
        """margined moves a position by a fill; returns its quantity, cost and what was realised."""
        opened, realized = value if moved > 0 else -value, Fraction(0)
        if held * moved < 0:
            closed = min(abs(held), abs(moved))
            taken, part = cost, opened
            if closed < abs(held):
                taken = toward_zero(cost * closed / abs(held))
            if closed < abs(moved):
                part = self.value(name, price, closed, moved > 0) * (1 if moved > 0 else -1)
            realized = -part - taken
            opened, cost = opened - part, cost - taken
        return held + moved, cost + opened, realized
