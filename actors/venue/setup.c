/* What the venue is made of, from its map in the run file: venue.h. */
#include "actors/data/scan.h"
#include "actors/venue/average.h"
#include "actors/venue/crowd.h"
#include "actors/venue/depth.h"
#include "actors/venue/fund.h"
#include "actors/venue/span.h"
#include "actors/venue/term.h"
#include "actors/venue/venue.h"

enum {
    ORDERS_MAX_DEFAULT = 4096,  /* open orders there is room for, when not declared */
    COST_BUY_DEFAULT = 50000,   /* order_cost.market_buy: 0.05 % */
    COST_SALE_DEFAULT = 150000, /* order_cost.sale: 0.15 % */
};

/* series_of finds the series of rows of kind for instrument id, or VENUE_NO_SERIES; *last grows to
 * the largest index. */
static uint16_t series_of(struct rt_init *init, uint16_t kind, uint32_t id, int *last) {
    int series = rt_init_series(init, kind, id, 0);
    if (series > *last) *last = series;
    return series < 0 ? VENUE_NO_SERIES : (uint16_t)series;
}

/* init_fills makes b's cap and slippage model, as far as they are declared. */
static int init_fills(struct rt_init *init, struct venue_book *b, int64_t share,
                      struct rt_error *err) {
    const struct mk_instrument *ins = b->instrument;
    if (b->driver == VENUE_BARS || b->driver == VENUE_PRINTS) {
        b->share = ins->participation > 0 ? ins->participation : share;
    }
    if (ins->slippage == MK_SLIPPAGE_BPS) return 0;
    if (b->driver == VENUE_DEPTH) {
        return rt_node_fail(ins->slippage_node, err,
                            "is of bars and trades, expected none or bps: a recorded book shows "
                            "what it has");
    }
    b->span = venue_span_new(init, ins);
    b->slip_num = 1;
    return 0;
}

/* init_term refuses a contract that is over before its data begins: every order would be rejected.
 * One without data nobody trades. */
static int init_term(const struct rt_init *init, const struct venue_book *b, struct rt_error *err) {
    const struct mk_instrument *in = b->instrument;
    char when[40];
    if (b->series == VENUE_NO_SERIES) return 0;
    const int64_t begins_ns = rt_init_begins(init, b->series);
    if (in->expiry_ns > begins_ns) return 0;
    return rt_node_fail(in->expiry_node, err,
                        "is not after %s, when its data in this run begins: no order in %s could "
                        "be taken",
                        data_time_text(begins_ns, when), in->name);
}

/* init_books makes a book per instrument and the way back from series to book. */
static int init_books(struct rt_init *init, struct venue *v,
                      const struct venue_depth_options *options, struct rt_error *err) {
    static const struct {
        uint16_t row_kind;        /* of the series */
        enum venue_driver driver; /* works from it */
    } finest[] = { { MSG_BOOK_ORDER, VENUE_DEPTH },
                   { MSG_BOOK_DELTA, VENUE_DEPTH },
                   { MSG_TRADE, VENUE_PRINTS },
                   { MSG_BAR, VENUE_BARS } };
    const struct mk_market *m = v->market;
    v->books = rt_init_take(init, m->instrument_cnt * sizeof *v->books);
    v->depths = rt_init_take(init, m->instrument_cnt * sizeof(struct venue_depth *));
    int last = -1;
    for (uint32_t i = 0; i < m->instrument_cnt; i++) {
        struct venue_book *b = &v->books[i];
        enum venue_driver driver = VENUE_CLOSED;
        uint16_t series = VENUE_NO_SERIES;
        bool by_order = series_of(init, MSG_BOOK_ORDER, i + 1, &last) != VENUE_NO_SERIES;
        for (size_t k = 0; k < sizeof finest / sizeof finest[0] && series == VENUE_NO_SERIES; k++) {
            series = series_of(init, finest[k].row_kind, i + 1, &last);
            if (series != VENUE_NO_SERIES) driver = finest[k].driver;
        }
        venue_orders_book(b, &m->instruments[i], driver, series);
        b->average = venue_average_new(init, &m->instruments[i]);
        b->term = venue_term_new(init, &m->instruments[i]);
        int rc = init_fills(init, b, options->share, err);
        if (rc != 0) return rc;
        if (b->term != NULL && (rc = init_term(init, b, err)) != 0) return rc;
        if (m->instruments[i].stale_ns != 0 && driver != VENUE_DEPTH && driver != VENUE_PRINTS) {
            return rt_node_fail(m->instruments[i].stale_node, err,
                                "is of recorded books and trades, and no source has those of %s",
                                m->instruments[i].name);
        }
        if (driver == VENUE_DEPTH) {
            /* order by order trades are rows among the others */
            uint16_t trades = by_order ? VENUE_NO_SERIES : series_of(init, MSG_TRADE, i + 1, &last);
            v->depths[i] =
                venue_depth_new(init, options, &m->instruments[i], v->orders.max, trades, by_order);
        }
        b->mark_series = series_of(init, MSG_MARK_BAR, i + 1, &last);
        b->mark_bars = b->mark_series != VENUE_NO_SERIES;
        if (!b->mark_bars) b->mark_series = series_of(init, MSG_MARK_PRICE, i + 1, &last);
        b->funding_series = series_of(init, MSG_FUNDING, i + 1, &last);
        if (b->term != NULL && b->instrument->settle_mark && b->mark_series == VENUE_NO_SERIES) {
            return rt_node_fail(b->instrument->settle_node, err,
                                "is by the mark, and no source has the mark price of %s",
                                b->instrument->name);
        }
    }
    v->series_cnt = (uint32_t)(last + 1);
    v->book_of = rt_init_take(init, (v->series_cnt + 1) * sizeof *v->book_of);
    for (uint32_t i = 0; i < m->instrument_cnt; i++) {
        const struct venue_book *b = &v->books[i];
        uint16_t trades = v->depths[i] == NULL ? VENUE_NO_SERIES : v->depths[i]->trades;
        const uint16_t mine[] = { b->series, b->mark_series, b->funding_series, trades };
        for (int k = 0; k < 4; k++) {
            if (mine[k] != VENUE_NO_SERIES) v->book_of[mine[k]] = (uint16_t)(i + 1);
        }
    }
    return 0;
}

/* init_crowds makes the markets that are declared. */
static int init_crowds(struct rt_init *init, struct venue *v,
                       const struct venue_crowd_options *crowds, struct rt_error *err) {
    const struct mk_market *m = v->market;
    v->crowds = rt_init_take(init, m->instrument_cnt * sizeof(struct venue_crowd *));
    for (uint32_t i = 0; i < m->instrument_cnt; i++) {
        if (!crowds[i].declared) continue;
        if (v->books[i].driver != VENUE_CLOSED) {
            return rt_node_fail(rt_node_get(init->config, "agents"), err,
                                "%s has a source: its market is recorded", m->instruments[i].name);
        }
        if (v->books[i].span != NULL) {
            return rt_node_fail(m->instruments[i].slippage_node, err,
                                "is of bars and trades, expected none or bps: simulated traders "
                                "show what they have");
        }
        if (rt_init_endless(init)) {
            return rt_node_fail(rt_node_get(init->config, "agents"), err,
                                "these traders go on for ever, and the virtual clock waits for "
                                "nobody: the run needs an end: (or clock: paced)");
        }
        v->books[i].driver = VENUE_CROWD;
        v->crowds[i] = venue_crowd_new(init, &crowds[i], v, &v->books[i]);
        for (uint32_t a = 0; a < m->account_cnt; a++) {
            vm_group(v->crowds[i]->ag->vm, a, m->accounts[a].stp_group);
        }
    }
    return 0;
}

/* init_answers takes the rings of answers: of those too many for one event, and where they take
 * time. */
static void init_answers(struct rt_init *init, struct venue *v) {
    const struct venue_latency *answer = &v->legs.answer;
    uint32_t max = 64;
    while (max < 4 * v->orders.max) max *= 2;
    v->more.rows = rt_init_take(init, max / 2 * sizeof *v->more.rows);
    v->more.max = max / 2;
    if (answer->kind == VENUE_LATENCY_CONSTANT && answer->base_ns == 0) return;
    v->answers.rows = rt_init_take(init, max * sizeof *v->answers.rows);
    v->answers.max = max;
}

/* read_cost reads order_cost:. */
static int read_cost(struct rt_node *config, struct venue *v, struct rt_error *err) {
    static const char *const known[] = { "market_buy", "sale", NULL };
    struct rt_node *map;
    v->cost_buy = COST_BUY_DEFAULT;
    v->cost_sale = COST_SALE_DEFAULT;
    int rc = rt_node_map(config, "order_cost", false, &map, err);
    if (rc != 0 || map == NULL) return rc;
    rc = rt_node_share(map, "market_buy", false, COST_BUY_DEFAULT, &v->cost_buy, err);
    if (rc == 0) rc = rt_node_share(map, "sale", false, COST_SALE_DEFAULT, &v->cost_sale, err);
    return rc == 0 ? rt_node_no_more(map, known, err) : rc;
}

int venue_init(struct rt_init *init, void *state, struct rt_error *err) {
    struct venue *v = state;
    const struct mk_market *m = init->world;
    struct venue_depth_options options;
    int64_t max;
    int rc = venue_legs_load(init->config, &v->legs, err);
    if (rc == 0) rc = venue_depth_options_read(init->config, &options, err);
    struct venue_crowd_options *crowds = rt_init_take(init, m->instrument_cnt * sizeof *crowds);
    if (rc == 0) rc = venue_limits_read(init, m, &v->limits, err);
    if (rc == 0) rc = read_cost(init->config, v, err);
    if (rc == 0) rc = venue_crowd_options_read(init->config, m, init->seed, crowds, err);
    if (rc != 0) return rc;
    v->latency_ns = venue_latency_typical(&v->legs.feed) + venue_latency_typical(&v->legs.order);
    static const char *const begins[] = { "first_fill", "filled", NULL };
    int begin;
    rc = rt_node_choice(init->config, "children", false, begins, -1, &begin, err);
    if (rc != 0) return rc;
    v->children = (uint8_t)(begin < 0 ? VENUE_CHILDREN_USUAL : VENUE_CHILDREN_GROW + begin);
    rc = rt_node_int(init->config, "orders_max", false, 1, 1 << 16, ORDERS_MAX_DEFAULT, &max, err);
    if (rc != 0) return rc;
    v->market = m;
    uint32_t slots = 2 * (uint32_t)max;
    struct venue_order *pool = rt_init_take(init, slots * sizeof *pool);
    void *map = rt_init_take(init, rt_map_bytes((uint32_t)max));
    struct venue_more *more = rt_init_take(init, slots * sizeof *more);
    if (m->charges_cnt > 0) v->charged = rt_init_take(init, slots * sizeof *v->charged);
    venue_orders_init(&v->orders, pool, more, map, (uint32_t)max);
    size_t deals = VENUE_DEALS * (size_t)max;
    for (int k = 0; k < 2; k++) {
        v->steps[k] = rt_init_take(init, (size_t)max * sizeof *v->steps[k]);
        v->who[k] = rt_init_take(init, deals * sizeof *v->who[k]);
        v->deals[k] = rt_init_take(init, deals * sizeof *v->deals[k]);
    }
    v->picks = rt_init_take(init, ((size_t)max + 1) * sizeof *v->picks);
    v->gone = rt_init_take(init, (size_t)max * sizeof *v->gone);
    v->sorted = rt_init_take(init, (size_t)max * sizeof *v->sorted);
    v->cash = rt_init_take(init, m->account_cnt * sizeof *v->cash);
    v->burn_held = rt_init_take(init, m->account_cnt * sizeof *v->burn_held);
    for (uint32_t i = 0; i < m->account_cnt; i++) {
        v->cash[i] = m->accounts[i].cash;
        v->burn_held[i] = m->accounts[i].burn.balance;
    }
    size_t rows = (size_t)m->account_cnt * m->instrument_cnt;
    v->holdings = rt_init_take(init, rows * sizeof *v->holdings);
    v->ledger = rt_init_take(init, m->asset_cnt * sizeof *v->ledger);
    venue_fees_init(init, m, &v->fees);
    for (int k = 0; k < 2; k++) {
        v->forced[k] = rt_init_take(init, VENUE_FORCED_MAX * sizeof *v->forced[k]);
    }
    rc = venue_fund_init(init, v, err);
    if (rc != 0) return rc;
    v->shorts = rt_init_take(init, rows * sizeof *v->shorts);
    v->locks = rt_init_take(init, rows * sizeof *v->locks);
    v->locked = rt_init_take(init, m->account_cnt * sizeof *v->locked);
    rc = init_books(init, v, &options, err);
    if (rc != 0) return rc;
    init_answers(init, v);
    return init_crowds(init, v, crowds, err);
}
