/* rig: the venue alone, beside a naive twin */
/* Goal: on bars the venue does what a naive venue does that walks every bar tick by tick, both
 * ways, with orders in one flat list and money in plain 128-bit sums; what it tells adds up to
 * what its accounts hold; a venue made anew from its rows at any moment goes on alike.
 * Method: random orders (all types, sides, terms, two accounts, a linear and a spot instrument),
 * bars, gaps and cancels from a seed; after every event what both said is compared as text, and in
 * the end all balances. A failure prints the seed. */
#include "tests/actors/test_venue.h"

/* Sizes of a run. */
enum twin_sizes {
    TWIN_SEEDS = 200,   /* runs */
    TWIN_BARS = 60,     /* bar times in a run */
    TWIN_ORDERS = 2048, /* orders in a run at most */
    TWIN_TEXT = 16384,  /* text of one event */
    TWIN_RANGE = 24,    /* prices move within so many ticks about the middle */
};

/* An order as the twin keeps it. */
struct twin_order {
    struct ask ask;     /* as it was asked, price and quantity aside */
    int64_t price;      /* 1e-8 */
    int64_t quantity;   /* 1e-8 */
    int64_t decided_ns; /* when */
    bool open;          /* neither filled nor ended */
    bool worked;        /* has seen its first bar */
    bool leaves;        /* canceled at the end of a bar that is still to be worked */
};

/* The twin's money: a whole world, copied to try a path. */
struct twin_money {
    __int128 cash[2];    /* by account */
    __int128 held[2][2]; /* by account, instrument */
    __int128 cost[2][2]; /* likewise; linear only */
};

/* The twin. */
struct twin {
    struct bench bench;                    /* the venue it is beside */
    struct twin_money money;               /* balances */
    struct twin_order orders[TWIN_ORDERS]; /* all orders ever, by id - 1 */
    uint32_t order_cnt;                    /* this many */
    int64_t open_ns[2];                    /* bar in hand of each instrument; INT64_MIN = none */
    bool traded[2];                        /* it has volume */
    bool pending[2];                       /* its open has been worked, its path not yet */
    int64_t latency_ns;                    /* declared */
    int64_t base, tick, lot;               /* prices about base, on tick; quantities on lot */
    uint64_t gen, seed;                    /* random numbers; where they began */
    char text[TWIN_TEXT];                  /* what it says of the event in hand */
    __int128 value[2];     /* from what the venue told: signed notional, by account */
    __int128 fees[2];      /* fees told in quote, by account */
    __int128 bought[2][2]; /* quantities told, less fees in base */
};

/* say appends a line to text. */
static void say(char *text, const char *line) {
    size_t n = strlen(text);
    assert_true(n + strlen(line) + 2 < TWIN_TEXT);
    strcpy(text + n, line);
    strcat(text, "\n");
}

/* floor_div divides, toward minus infinity. */
static __int128 floor_div(__int128 n, __int128 d) {
    __int128 q = n / d;
    return n % d != 0 && n < 0 ? q - 1 : q;
}

/* ceil_div divides, toward plus infinity. */
static __int128 ceil_div(__int128 n, __int128 d) {
    return -floor_div(-n, d);
}

/* twin_need is what an order locks: quote for a spot buy, base for a spot sell. */
static __int128 twin_need(const struct twin *t, const struct twin_order *o) {
    bool spot = t->bench.instruments[o->ask.instrument - 1].kind == MK_SPOT;
    if (!spot || o->ask.type == ORDER_TYPE_MARKET) return 0;
    if (o->ask.terms & ORDER_TERMS_REDUCE_ONLY) return 0;
    if (o->ask.side == SIDE_SELL) return o->quantity;
    return ceil_div((__int128)o->price * o->quantity, FIXED_ONE);
}

/* twin_locked sums what the open orders on o's side and account but o lock; done: by order, those
 * that have been met on the path in hand, NULL = none. */
static __int128 twin_locked(const struct twin *t, const struct twin_order *o, const bool *done) {
    __int128 sum = 0;
    for (uint32_t k = 0; k < t->order_cnt; k++) {
        const struct twin_order *p = &t->orders[k];
        bool same = o->ask.side == SIDE_BUY || p->ask.instrument == o->ask.instrument;
        if (p == o || !p->open || p->ask.account != o->ask.account || p->ask.side != o->ask.side ||
            !same || (done != NULL && done[k])) {
            continue;
        }
        sum += twin_need(t, p);
    }
    return sum;
}

/* twin_trade trades o at the undisturbed price out of m, and says so, at time now, in text; done as
 * in twin_locked. */
static void twin_trade(struct twin *t, struct twin_money *m, const struct twin_order *o,
                       int64_t price, bool maker, double now, const bool *done, char *text) {
    const struct mk_instrument *ins = &t->bench.instruments[o->ask.instrument - 1];
    int a = o->ask.account - 1, i = o->ask.instrument - 1;
    bool buy = o->ask.side == SIDE_BUY, spot = ins->kind == MK_SPOT;
    char line[256], x[32], y[32];
    __int128 at = price;
    if (!maker && ins->slippage_bps != 0) {
        __int128 one = (__int128)10000 * FIXED_ONE, tick = ins->tick_size;
        if (buy) {
            at = ceil_div(price * (one + ins->slippage_bps), one * tick) * tick;
        } else {
            at = floor_div(price * (one - ins->slippage_bps), one * tick) * tick;
        }
        if (o->ask.type == ORDER_TYPE_LIMIT && buy && at > o->price) at = o->price;
        if (o->ask.type == ORDER_TYPE_LIMIT && !buy && at < o->price) at = o->price;
    }
    __int128 quantity = o->quantity;
    if (o->ask.terms & ORDER_TERMS_REDUCE_ONLY) {
        __int128 room = buy ? -m->held[a][i] : m->held[a][i];
        if (quantity > room) quantity = room;
    }
    __int128 locked = spot ? twin_locked(t, o, done) : 0;
    if (spot && !buy && quantity > m->held[a][i] - locked) quantity = m->held[a][i] - locked;
    if (quantity < 0) quantity = 0;
    if (quantity < o->quantity) quantity -= quantity % ins->lot_size;
    if (spot && buy && ceil_div(at * quantity, FIXED_ONE) > m->cash[a] - locked) {
        __int128 lots = 0, step = (__int128)1 << 62; /* largest number of lots that is paid for */
        for (; step > 0; step /= 2) {
            if ((lots + step) * ins->lot_size >= o->quantity) continue;
            if (ceil_div(at * (lots + step) * ins->lot_size, FIXED_ONE) <= m->cash[a] - locked) {
                lots += step;
            }
        }
        quantity = lots * ins->lot_size;
    }
    if (quantity < o->quantity && (o->ask.terms & ORDER_TERMS_FOK)) quantity = 0;
    if (quantity > 0) {
        __int128 value = buy ? ceil_div(at * quantity, FIXED_ONE) : at * quantity / FIXED_ONE;
        __int128 rate = maker ? ins->maker_fee : ins->taker_fee;
        __int128 fee = ceil_div((spot && buy ? quantity : value) * rate, FIXED_ONE);
        if (spot) {
            m->cash[a] += buy ? -value : value - fee;
            m->held[a][i] += buy ? quantity - fee : -quantity;
        } else {
            /* The part that closes, then the part that opens. */
            __int128 held = m->held[a][i], size = held < 0 ? -held : held;
            bool against = buy ? held < 0 : held > 0;
            __int128 closing = !against ? 0 : quantity < size ? quantity : size;
            __int128 closing_value = closing == quantity ? value
                                     : buy               ? ceil_div(at * closing, FIXED_ONE)
                                                         : at * closing / FIXED_ONE;
            if (closing > 0) {
                __int128 taken = m->cost[a][i] * closing / size; /* C divides toward zero */
                m->cash[a] += (buy ? -closing_value : closing_value) - taken;
                m->cost[a][i] -= taken;
            }
            m->cost[a][i] += buy ? value - closing_value : closing_value - value;
            m->held[a][i] += buy ? quantity : -quantity;
            m->cash[a] -= fee;
        }
        int n =
            snprintf(line, sizeof line, "%g %" PRIu64 " %s@%s %s", now, o->ask.id,
                     plain((int64_t)quantity, x), plain((int64_t)at, y), maker ? "maker" : "taker");
        if (fee != 0) {
            n += snprintf(line + n, sizeof line - (size_t)n, " fee=%s", plain((int64_t)fee, x));
        }
        if (at != price) {
            (void)snprintf(line + n, sizeof line - (size_t)n, " slip=%s",
                           plain((int64_t)(buy ? at - price : price - at), x));
        }
        say(text, line);
    }
    if (quantity < o->quantity) {
        (void)snprintf(line, sizeof line, "%g %" PRIu64 " expired insufficient_balance", now,
                       o->ask.id);
        say(text, line);
    }
}

/* twin_meets_open lets an open at price meet o and tells whether that ends it: trades it, expires
 * or rejects it. */
static bool twin_meets_open(struct twin *t, struct twin_order *o, int64_t price, double now) {
    bool buy = o->ask.side == SIDE_BUY, first = !o->worked;
    char line[128];
    switch (o->ask.type) {
    case ORDER_TYPE_MARKET: break;
    case ORDER_TYPE_STOP:
        if (buy ? price < o->price : price > o->price) return false;
        break;
    default:
        if (!first) {
            if (buy ? price >= o->price : price <= o->price) return false;
            twin_trade(t, &t->money, o, price, true, now, NULL, t->text);
            return true;
        }
        if (buy ? price > o->price : price < o->price) {
            if (!(o->ask.terms & (ORDER_TERMS_IOC | ORDER_TERMS_FOK))) return false;
            (void)snprintf(line, sizeof line, "%g %" PRIu64 " expired not_filled_at_once", now,
                           o->ask.id);
            say(t->text, line);
            return true;
        }
        if (o->ask.terms & ORDER_TERMS_POST_ONLY) {
            (void)snprintf(line, sizeof line, "%g %" PRIu64 " rejected would_match", now,
                           o->ask.id);
            say(t->text, line);
            return true;
        }
    }
    twin_trade(t, &t->money, o, price, false, now, NULL, t->text);
    return true;
}

/* twin_opens works an open: account by account, stops first, then by id. */
static void twin_opens(struct twin *t, uint16_t instrument, int64_t open_ns, int64_t price,
                       double now) {
    int64_t whole_ns = t->latency_ns / BAR_NS * BAR_NS;
    for (int account = 1; account <= 2; account++) {
        for (int stops = 1; stops >= 0; stops--) {
            for (uint32_t k = 0; k < t->order_cnt; k++) { /* ids rise with k */
                struct twin_order *o = &t->orders[k];
                if (!o->open || o->ask.account != account || o->ask.instrument != instrument ||
                    (o->ask.type == ORDER_TYPE_STOP) != stops) {
                    continue;
                }
                if (!o->worked && open_ns < o->decided_ns + whole_ns) continue;
                o->open = !twin_meets_open(t, o, price, now);
                o->worked = true;
            }
        }
    }
}

/* twin_point works what the path meets at price x on its way up or down; goes_on: the path goes on
 * beyond x. done notes by order what has been met on this path. */
static void twin_point(struct twin *t, struct twin_money *m, int account, uint16_t instrument,
                       int64_t x, bool rising, bool goes_on, bool *done, double now, char *text) {
    for (int stops = 1; stops >= 0; stops--) {
        for (uint32_t k = 0; k < t->order_cnt; k++) {
            const struct twin_order *o = &t->orders[k];
            bool buy = o->ask.side == SIDE_BUY;
            if (!o->open || !o->worked || done[k] || o->ask.account != account ||
                o->ask.instrument != instrument || o->price != x ||
                (o->ask.type == ORDER_TYPE_STOP) != stops || o->ask.type == ORDER_TYPE_MARKET) {
                continue;
            }
            if (stops ? buy != rising : buy == rising) continue;
            if (!stops && !goes_on) continue;
            done[k] = true;
            twin_trade(t, m, o, o->price, !stops, now, done, text);
        }
    }
}

/* twin_walk walks from price a to b tick by tick. */
static void twin_walk(struct twin *t, struct twin_money *m, int account, uint16_t instrument,
                      int64_t a, int64_t b, bool *done, double now, char *text) {
    bool rising = b > a;
    for (int64_t x = a; a != b; x += rising ? t->tick : -t->tick) {
        twin_point(t, m, account, instrument, x, rising, x != b, done, now, text);
        if (x == b) break;
    }
}

/* twin_closes works the path inside a bar: for each account both ways, and the worse one counts. */
static void twin_closes(struct twin *t, uint16_t instrument, const struct msg_bar *bar,
                        double now) {
    static bool done[2][TWIN_ORDERS];
    static char text[2][TWIN_TEXT];
    for (int account = 1; account <= 2; account++) {
        struct twin_money m[2] = { t->money, t->money }; /* 0: low first, 1: high first */
        __int128 worth[2];
        int a = account - 1, i = instrument - 1;
        for (int way = 0; way < 2; way++) {
            memset(done[way], 0, t->order_cnt);
            text[way][0] = 0;
            int64_t first = way == 0 ? bar->low : bar->high, last = way == 0 ? bar->high : bar->low;
            const int64_t path[4] = { bar->open, first, last, bar->close };
            for (int leg = 0; leg < 3; leg++) {
                twin_walk(t, &m[way], account, instrument, path[leg], path[leg + 1], done[way], now,
                          text[way]);
            }
            worth[way] =
                (m[way].cash[a] - m[way].cost[a][i]) * FIXED_ONE + m[way].held[a][i] * bar->close;
        }
        int way = worth[0] != worth[1] ? worth[1] < worth[0] : t->money.held[a][i] < 0;
        t->money = m[way];
        for (uint32_t k = 0; k < t->order_cnt; k++) {
            if (done[way][k]) t->orders[k].open = false;
        }
        assert_true(strlen(t->text) + strlen(text[way]) < TWIN_TEXT);
        strcat(t->text, text[way]);
    }
    t->pending[instrument - 1] = false;
    for (uint32_t k = 0; k < t->order_cnt; k++) {
        struct twin_order *o = &t->orders[k];
        char line[128];
        if (!o->open || !o->leaves || o->ask.instrument != instrument) continue;
        (void)snprintf(line, sizeof line, "%g %" PRIu64 " canceled", now, o->ask.id);
        say(t->text, line);
        o->open = false;
    }
}

/* add_up adds what the venue told to the sums it must agree with. */
static void add_up(struct twin *t) {
    const struct msg_frame *f;
    for (size_t n = 0; (f = rig_find(&t->bench.rig, MSG_VENUE_FILL, n)) != NULL; n++) {
        const struct msg_venue_fill *v = msg_body(f);
        const struct twin_order *o = &t->orders[v->order_id - 1];
        int a = v->account - 1, i = v->instrument - 1;
        bool buy = o->ask.side == SIDE_BUY;
        __int128 exact = (__int128)v->price * v->quantity;
        t->value[a] += buy ? -ceil_div(exact, FIXED_ONE) : exact / FIXED_ONE;
        t->bought[a][i] += buy ? v->quantity : -v->quantity;
        if (v->fee_asset == t->bench.instruments[i].base_asset) {
            t->bought[a][i] -= v->fee;
        } else {
            t->fees[a] += v->fee;
        }
    }
}

/* agree checks that both said the same of the event in hand; sometimes the venue is made anew. */
static void agree(struct twin *t) {
    add_up(t);
    const char *venue = said(&t->bench);
    if (strcmp(venue, t->text) != 0) {
        print_error("seed %" PRIu64 " at %g\nvenue:\n%stwin:\n%s", t->seed, bench_now(&t->bench),
                    venue, t->text);
        fail();
    }
    t->text[0] = 0;
    if (gen_range(&t->gen, 0, 39) == 0) rig_reload(&t->bench.rig);
}

/* twin_asks makes a random request of both. */
static void twin_asks(struct twin *t) {
    static const uint8_t terms[] = { ORDER_TERMS_IOC, ORDER_TERMS_FOK, ORDER_TERMS_POST_ONLY,
                                     ORDER_TERMS_REDUCE_ONLY };
    struct bench *b = &t->bench;
    double now = bench_now(b);
    char line[128];
    if (t->order_cnt > 0 && gen_range(&t->gen, 0, 5) == 0) {
        uint32_t k = (uint32_t)gen_range(&t->gen, 0, t->order_cnt - 1);
        struct twin_order *o = &t->orders[k];
        struct ask cancel = o->ask;
        cancel.op = REQUEST_OP_CANCEL;
        bench_ask(b, cancel);
        int i = o->ask.instrument - 1;
        if (o->open && o->worked && t->pending[i] && t->open_ns[i] + BAR_NS == b->rig.ctx.now_ns) {
            o->leaves = true; /* it stays for the bar that has just ended */
        } else {
            (void)snprintf(line, sizeof line, "%g %" PRIu64 " %s", now, o->ask.id,
                           o->open ? "canceled" : "rejected unknown_order");
            say(t->text, line);
            o->open = false;
        }
        agree(t);
        return;
    }
    if (t->order_cnt == TWIN_ORDERS) return;
    struct twin_order *o = &t->orders[t->order_cnt++];
    *o = (struct twin_order){ .ask = { .id = t->order_cnt,
                                       .side = (uint8_t)gen_range(&t->gen, 0, 1),
                                       .type = (uint8_t)gen_range(&t->gen, 0, 2),
                                       .instrument = (uint16_t)gen_range(&t->gen, 1, 2),
                                       .account = (uint8_t)gen_range(&t->gen, 1, 2) },
                              .quantity = t->lot * gen_range(&t->gen, 1, 30),
                              .decided_ns = b->rig.ctx.now_ns,
                              .open = true };
    if (o->ask.type != ORDER_TYPE_MARKET) {
        o->price = t->base + t->tick * gen_range(&t->gen, -TWIN_RANGE, TWIN_RANGE);
    }
    if (gen_range(&t->gen, 0, 3) == 0) {
        o->ask.terms = terms[gen_range(&t->gen, 0, 3)];
        bool fits = o->ask.type == ORDER_TYPE_LIMIT || o->ask.terms == ORDER_TERMS_REDUCE_ONLY ||
                    (o->ask.type == ORDER_TYPE_MARKET && o->ask.terms != ORDER_TERMS_POST_ONLY);
        if (!fits) o->ask.terms = 0;
    }
    struct msg_venue_request r = { .order_id = o->ask.id,
                                   .price = o->price,
                                   .quantity = o->quantity,
                                   .instrument = o->ask.instrument,
                                   .account = o->ask.account,
                                   .side = o->ask.side,
                                   .type = o->ask.type,
                                   .terms = o->ask.terms };
    assert_true(rig_hear(&b->rig, MSG_VENUE_REQUEST, 9, &r, sizeof r));
    int i = o->ask.instrument - 1, a = o->ask.account - 1;
    __int128 total = o->ask.side == SIDE_BUY ? t->money.cash[a] : t->money.held[a][i];
    __int128 need = twin_need(t, o);
    bool fits = need == 0 || need <= total - twin_locked(t, o, NULL);
    (void)snprintf(line, sizeof line, "%g %" PRIu64 " %s", now, o->ask.id,
                   fits ? "accepted" : "rejected insufficient_balance");
    say(t->text, line);
    o->open = fits;
    if (!fits) {
        agree(t);
        return;
    }
    if (t->open_ns[i] == o->decided_ns && t->traded[i] && t->latency_ns < BAR_NS &&
        o->ask.type != ORDER_TYPE_MARKET) {
        o->open = !twin_meets_open(t, o, b->bars[i].open, now);
        o->worked = true;
    }
    agree(t);
}

/* twin_decides makes some requests, often none. */
static void twin_decides(struct twin *t) {
    if (gen_range(&t->gen, 0, 2) != 0) return;
    for (int64_t n = gen_range(&t->gen, 1, 3); n > 0; n--) twin_asks(t);
}

/* twin_price draws a price in ticks between lo and hi. */
static int64_t twin_price(struct twin *t, int64_t lo, int64_t hi) {
    return t->base + t->tick * gen_range(&t->gen, lo, hi);
}

/* twin_bar_begins draws a bar of an instrument that opens at open_ns, and tells its open. */
static void twin_bar_begins(struct twin *t, uint16_t instrument, int64_t open_ns) {
    int i = instrument - 1;
    int64_t a = twin_price(t, -TWIN_RANGE, TWIN_RANGE), c = twin_price(t, -TWIN_RANGE, TWIN_RANGE);
    int64_t lo = a < c ? a : c, hi = a < c ? c : a;
    int64_t open = lo + t->tick * gen_range(&t->gen, 0, (hi - lo) / t->tick);
    int64_t close = lo + t->tick * gen_range(&t->gen, 0, (hi - lo) / t->tick);
    bool traded = gen_range(&t->gen, 0, 9) != 0;
    t->open_ns[i] = open_ns;
    t->traded[i] = traded;
    t->pending[i] = traded;
    bench_bar_begins(&t->bench, instrument, open_ns, open, hi, lo, close, traded ? 3.5 : 0);
    if (traded) twin_opens(t, instrument, open_ns, open, bench_now(&t->bench));
    agree(t);
}

/* twin_run makes one run from seed. */
static void twin_run(struct twin *t, uint64_t seed) {
    static const int64_t latencies[] = {
        0, 0, 0, 250 * SECOND_NS / 1000, 60 * SECOND_NS, 130 * SECOND_NS
    };
    memset(t, 0, sizeof *t);
    t->seed = t->gen = seed;
    struct bench *b = &t->bench;
    bench_world(b);
    bool fine = gen_range(&t->gen, 0, 1); /* on the last unit, where everything is rounded */
    t->tick = fine ? 1 : fx(0.5);
    t->lot = fine ? gen_range(&t->gen, 1, 999) : fx(0.1);
    t->base = fine ? gen_range(&t->gen, 1000, 100000000) : fx(100);
    t->latency_ns = latencies[gen_range(&t->gen, 0, 5)];
    for (int i = 0; i < 2; i++) {
        struct mk_instrument *ins = &b->instruments[i];
        ins->tick_size = t->tick;
        ins->lot_size = t->lot;
        ins->taker_fee = gen_range(&t->gen, 0, 1) ? gen_range(&t->gen, 0, 1000000) : 0;
        ins->maker_fee = gen_range(&t->gen, 0, 1) ? gen_range(&t->gen, -50000, 500000) : 0;
        ins->slippage_bps = gen_range(&t->gen, 0, 1) ? gen_range(&t->gen, 0, fx(100)) : 0;
        /* enough for some ten orders: cuts happen */
        b->accounts[i].cash =
            (int64_t)((__int128)t->base * t->lot * gen_range(&t->gen, 1, 200) / FIXED_ONE);
        t->money.cash[i] = b->accounts[i].cash;
        t->open_ns[i] = INT64_MIN;
    }
    char yaml[64];
    (void)snprintf(yaml, sizeof yaml, "{latency: %" PRId64 "ns}", t->latency_ns);
    bench_open(b, MSG_BAR, yaml);
    for (int64_t n = 0; n < TWIN_BARS; n++) {
        int64_t now_ns = START_NS + n * BAR_NS;
        b->rig.ctx.now_ns = now_ns;
        for (uint16_t id = 1; id <= 2; id++) { /* class venue, then data, of bars ending now */
            if (t->open_ns[id - 1] != now_ns - BAR_NS) continue;
            (void)rig_rows(&b->rig, b->series[id - 1], RT_HEAR_EARLY, &b->bars[id - 1], 1);
            if (t->traded[id - 1]) twin_closes(t, id, &b->bars[id - 1], bench_now(b));
            agree(t);
            twin_decides(t); /* on a fill in that bar, before the next bar is worked */
        }
        for (uint16_t id = 1; id <= 2; id++) {
            if (t->open_ns[id - 1] != now_ns - BAR_NS) continue;
            (void)rig_rows(&b->rig, b->series[id - 1], RT_HEAR_ROW, &b->bars[id - 1], 1);
            twin_decides(t);
        }
        twin_decides(t);
        for (uint16_t id = 1; id <= 2; id++) {
            if (gen_range(&t->gen, 0, 15) == 0) continue; /* a missing bar */
            twin_bar_begins(t, id, now_ns);
            twin_decides(t);
        }
        b->rig.ctx.now_ns = now_ns + BAR_NS / 2;
        twin_decides(t);
    }
    for (int a = 0; a < 2; a++) {
        CHECK(seed, bench_cash(b, (uint8_t)(a + 1)) == t->money.cash[a]);
        __int128 linear_cost = 0;
        for (int i = 0; i < 2; i++) {
            struct venue_holding held = bench_held(b, (uint8_t)(a + 1), (uint16_t)(i + 1));
            CHECK(seed, held.quantity == t->money.held[a][i]);
            CHECK(seed, held.cost == t->money.cost[a][i]);
            CHECK(seed, held.quantity == t->bought[a][i]);
            linear_cost += held.cost;
        }
        /* What was told adds up: nothing made, nothing lost. */
        CHECK(seed, bench_cash(b, (uint8_t)(a + 1)) - linear_cost ==
                        b->accounts[a].cash + t->value[a] - t->fees[a]);
    }
    bench_close(b);
}

/* The venue and its twin agree on every word. */
static void test_agrees_with_twin(void **state) {
    (void)state;
    static struct twin t;
    for (uint64_t seed = 1; seed <= TWIN_SEEDS; seed++) twin_run(&t, seed);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_agrees_with_twin) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
