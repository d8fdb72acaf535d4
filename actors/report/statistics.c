#include "actors/report/statistics.h"
#include "actors/market/value.h"
#include "actors/report/thin.h"
#include "quant/stats/calendar.h"
#include "quant/stats/sum.h"
#include "runtime/boot/engine.h"
#include "runtime/boot/rows.h"
#include "schemas/messages.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* number returns v (1e-8) as a double. */
static double number(int64_t v) {
    return (double)v / 1e8;
}

/* grow makes room for one more item of bytes in *list; false without memory. */
static bool grow(void *list, size_t cnt, size_t *room, size_t bytes) {
    if (cnt < *room) return true;
    size_t more = *room ? *room * 2 : 64;
    void *old, *fresh;
    memcpy(&old, list, sizeof old);
    if (!(fresh = realloc(old, more * bytes))) return false;
    memcpy(list, &fresh, sizeof fresh);
    *room = more;
    return true;
}

struct report_statistics *report_statistics_new(const struct mk_market *market) {
    struct report_statistics *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->market = market;
    s->curves = calloc(market->account_cnt + 1, sizeof *s->curves);
    if (!s->curves) {
        free(s);
        return NULL;
    }
    s->curve_cnt = market->account_cnt;
    s->total = market->account_cnt > 1;
    for (uint32_t i = 0; i < market->account_cnt; i++) {
        const struct mk_account *a = &market->accounts[i];
        memcpy(s->curves[i].name, a->name, sizeof a->name);
        memcpy(s->curves[i].quote, market->assets[a->quote], sizeof s->curves[i].quote);
        if (a->quote != market->accounts[0].quote) s->total = false;
    }
    if (s->total) {
        struct report_curve *t = &s->curves[s->curve_cnt++];
        strcpy(t->name, "total");
        memcpy(t->quote, s->curves[0].quote, sizeof t->quote);
    }
    return s;
}

void report_statistics_free(struct report_statistics *s) {
    if (!s) return;
    for (uint32_t i = 0; s->curves && i < s->curve_cnt; i++) {
        free(s->curves[i].points);
        free(s->curves[i].trades);
        free(s->curves[i].turns);
        free(s->curves[i].memory);
    }
    free(s->curves);
    free(s->holdings);
    free(s->benchmark);
    free(s->listed);
    free(s->parts);
    free(s->part_memory);
    for (uint32_t i = 0; s->prices && i < s->market->instrument_cnt; i++) free(s->prices[i]);
    free(s->prices);
    free(s->portfolio.parts);
    free(s);
}

/* add_point files a mark of a curve. */
static int add_point(struct report_curve *c, int64_t time_ns, double equity, double gross,
                     double net) {
    if (!grow(&c->points, c->input.point_cnt, &c->point_room, sizeof *c->points)) return -ENOMEM;
    c->points[c->input.point_cnt++] = (struct qs_point){ time_ns, equity, gross, net };
    return 0;
}

int report_statistics_mark(struct report_statistics *s, uint8_t account, int64_t time_ns,
                           cash_t equity) {
    struct report_curve *c = &s->curves[account - 1];
    if (c->input.point_cnt == 0 && /* the place of the run's start, which is told at the end */
        add_point(c, INT64_MIN, 0, 0, 0) < 0)
        return -ENOMEM;
    return add_point(c, time_ns, number(equity), 0, 0);
}

int report_statistics_fill(struct report_statistics *s, const struct report_holding *h,
                           double turnover) {
    struct report_curve *c = &s->curves[h->account - 1];
    if (!grow(&c->turns, c->input.turn_cnt, &c->turn_room, sizeof *c->turns) ||
        !grow(&s->holdings, s->holding_cnt, &s->holding_room, sizeof *s->holdings))
        return -ENOMEM;
    c->turns[c->input.turn_cnt++] = (struct qs_turn){ h->time_ns, turnover };
    s->holdings[s->holding_cnt] = *h;
    s->holdings[s->holding_cnt++].traded = turnover;
    return 0;
}

int report_statistics_funding(struct report_statistics *s, struct report_holding h) {
    if (!grow(&s->holdings, s->holding_cnt, &s->holding_room, sizeof *s->holdings)) return -ENOMEM;
    h.change = 0;
    h.owner = UINT16_MAX;
    s->holdings[s->holding_cnt++] = h;
    return 0;
}

int report_statistics_trade(struct report_statistics *s, const struct qs_trade *trade) {
    struct report_curve *c = &s->curves[trade->account - 1];
    if (!grow(&c->trades, c->input.trade_cnt, &c->trade_room, sizeof *c->trades)) return -ENOMEM;
    c->trades[c->input.trade_cnt++] = *trade;
    return 0;
}

/* One row of prices. */
struct row {
    struct qs_range range; /* when, how high, how low */
    double open, close;    /* first and last price */
};

/* finest finds the finest series of an instrument: trades before bars, short bars before long. */
static struct rt_series *finest(const struct rt_rows *rows, uint16_t instrument) {
    struct rt_series *found = NULL;
    for (uint32_t i = 0; i < rows->cnt; i++) {
        struct rt_series *s = &rows->series[i];
        if (s->key != instrument || (s->row_kind != MSG_BAR && s->row_kind != MSG_TRADE)) continue;
        if (!found || s->span_ns < found->span_ns) found = s;
    }
    return found;
}

/* row_of reads a row of a series. */
static struct row row_of(const struct rt_series *s, const void *at) {
    if (s->row_kind == MSG_TRADE) {
        const struct msg_trade *t = at;
        double p = number(t->price);
        return (struct row){ { t->time_ns, t->time_ns + 1, p, p }, p, p };
    }
    const struct msg_bar *b = at;
    return (
        struct row){ { b->open_ns, b->open_ns + b->interval_ns, number(b->high), number(b->low) },
                     number(b->open),
                     number(b->close) };
}

/* What an owner or an account holds of the instrument at hand, and what is valued next. */
struct holder {
    size_t holding;     /* next of the holdings */
    size_t point;       /* account: its next mark */
    qty_t quantity;     /* held, but for: */
    qty_t shorts;       /* the short of hedge mode */
    double filled;      /* price of its last fill */
    struct qs_sum cash; /* owner: moved by its fills of this instrument so far */
};

/* A round trip under way. */
struct ride {
    struct qs_trade *trade; /* which */
    struct qs_range seen;   /* prices since its entry */
};

/* The pass over all rows of all instruments. */
struct pass {
    struct report_statistics *s; /* where its findings go */
    int64_t start_ns, end_ns;    /* the run's span */
    int32_t first_day;           /* that start_ns opens */
    size_t day_cnt;              /* up to the one that end_ns closes */
    uint8_t *ended;              /* per day: a row ended on it */
    double *growth;              /* per day: sum over instruments of price / price at the start */
    double *worth;               /* [owner][day]: cash and worth, over all instruments */
    double *sizes;           /* [owner][day]: absolute worth of positions, over all of them; then
                                  * the same with long and short of one taken together */
    uint32_t owner_cnt;      /* strategies that filled */
    uint32_t growing;        /* instruments in growth */
    struct holder *accounts; /* per account */
    struct holder *owners;   /* per strategy */
    struct ride *rides;      /* of the instrument, by entry */
    size_t ride_cnt;         /* how many */
    size_t ride_first, ride_end; /* those that may be under way */
    uint16_t instrument;         /* at hand */
    int64_t mark_ns;             /* when the next mark of any account is */
    size_t day;                  /* whose end comes next */
    double last;                 /* newest price, none before the first row */
    double base;                 /* price at the start */
};

/* follow takes the holdings of one holder up to time_ns; account 0 or owner 0 = any. */
static void follow(const struct pass *p, struct holder *h, uint8_t account, uint16_t owner,
                   int64_t time_ns) {
    const struct report_statistics *s = p->s;
    for (; h->holding < s->holding_cnt && s->holdings[h->holding].time_ns <= time_ns;
         h->holding++) {
        const struct report_holding *g = &s->holdings[h->holding];
        if (g->instrument != p->instrument || (account && g->account != account) ||
            (owner && g->owner != owner))
            continue;
        *(g->shorts ? &h->shorts : &h->quantity) += g->change;
        if (g->change) h->filled = g->price;
        qs_sum_add(&h->cash, g->cash);
    }
}

/* add_sizes adds what h holds at price to the worth of positions: of each, and of long and short
 * together. */
static void add_sizes(const struct mk_instrument *in, const struct holder *h, double price,
                      double *gross, double *net) {
    double size = fabs(mk_estimate(in, number(h->quantity), price)), both = size;
    if (h->shorts != 0) {
        size += fabs(mk_estimate(in, number(h->shorts), price));
        both = fabs(mk_estimate(in, number(h->quantity + h->shorts), price));
    }
    *gross += size;
    *net += both;
}

/* value_marks adds the size of what is held to the marks before until_ns. */
static void value_marks(struct pass *p, int64_t until_ns) {
    const struct mk_instrument *in = &p->s->market->instruments[p->instrument - 1];
    p->mark_ns = INT64_MAX;
    for (uint32_t a = 0; a < p->s->market->account_cnt; a++) {
        struct report_curve *c = &p->s->curves[a];
        struct holder *h = &p->accounts[a];
        for (; h->point < c->input.point_cnt && c->points[h->point].time_ns < until_ns;
             h->point++) {
            struct qs_point *at = &c->points[h->point];
            follow(p, h, (uint8_t)(a + 1), 0, at->time_ns);
            double price = qs_is_none(p->last) ? h->filled : p->last;
            add_sizes(in, h, price, &at->gross, &at->net);
        }
        if (h->point < c->input.point_cnt && c->points[h->point].time_ns < p->mark_ns)
            p->mark_ns = c->points[h->point].time_ns;
    }
}

/* day_ends tells when the next day of the pass ends: at midnight, the last with the run. */
static int64_t day_ends(const struct pass *p) {
    if (p->day >= p->day_cnt) return INT64_MAX;
    if (p->day + 1 == p->day_cnt) return p->end_ns;
    return (p->first_day + (int64_t)p->day + 1) * QS_DAY_NS;
}

/* value_days notes price and what strategies are worth at the days' ends before until_ns. */
static void value_days(struct pass *p, int64_t until_ns) {
    const struct mk_instrument *in = &p->s->market->instruments[p->instrument - 1];
    for (; day_ends(p) < until_ns; p->day++) {
        if (!qs_is_none(p->base)) p->growth[p->day] += qs_is_none(p->last) ? 1 : p->last / p->base;
        for (uint32_t o = 0; o < p->owner_cnt; o++) {
            struct holder *h = &p->owners[o];
            follow(p, h, 0, p->s->parts[o].owner, day_ends(p));
            double price = qs_is_none(p->last) ? h->filled : p->last;
            p->worth[o * p->day_cnt + p->day] +=
                qs_sum_value(&h->cash) + mk_estimate(in, number(h->quantity + h->shorts), price);
            double *size = &p->sizes[o * p->day_cnt + p->day],
                   *net = size + p->owner_cnt * p->day_cnt;
            add_sizes(in, h, price, size, net);
        }
    }
}

/* ride_on shows a row to the round trips it may touch. */
static void ride_on(struct pass *p, const struct qs_range *r) {
    while (p->ride_end < p->ride_cnt && p->rides[p->ride_end].trade->entry_ns < r->end_ns)
        p->ride_end++;
    while (p->ride_first < p->ride_end && p->rides[p->ride_first].trade->exit_ns <= r->open_ns)
        p->ride_first++;
    for (size_t i = p->ride_first; i < p->ride_end; i++) {
        struct ride *t = &p->rides[i];
        if (t->trade->exit_ns <= r->open_ns) continue;
        if (t->seen.end_ns == t->seen.open_ns) t->seen = *r;
        if (r->high > t->seen.high) t->seen.high = r->high;
        if (r->low < t->seen.low) t->seen.low = r->low;
        t->seen.end_ns = r->end_ns;
    }
}

/* by_entry orders round trips. */
static int by_entry(const void *a, const void *b) {
    const struct qs_trade *x = ((const struct ride *)a)->trade,
                          *y = ((const struct ride *)b)->trade;
    if (x->entry_ns != y->entry_ns) return x->entry_ns < y->entry_ns ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* one_instrument goes over the rows of one instrument; tracked tells whether it is of the
 * benchmark. */
static void one_instrument(struct pass *p, struct rt_series *series, uint16_t id, bool tracked) {
    struct report_statistics *s = p->s;
    struct rt_block block = { 0 };
    const void *at;
    p->instrument = id;
    p->ride_cnt = p->ride_first = p->ride_end = p->day = 0;
    p->last = p->base = QS_NONE;
    p->mark_ns = INT64_MIN;
    memset(p->accounts, 0, s->market->account_cnt * sizeof *p->accounts);
    memset(p->owners, 0, p->owner_cnt * sizeof *p->owners);
    for (uint32_t a = 0; a < s->market->account_cnt; a++)
        for (size_t i = 0; i < s->curves[a].input.trade_cnt; i++)
            if (s->curves[a].trades[i].instrument == id)
                p->rides[p->ride_cnt++] = (struct ride){ .trade = &s->curves[a].trades[i] };
    qsort(p->rides, p->ride_cnt, sizeof *p->rides, by_entry);
    struct report_thin *thin = series ? malloc(sizeof *thin) : NULL; /* without: no chart of it */
    if (thin) report_thin_init(thin, p->start_ns, p->end_ns);
    s->prices[id - 1] = thin;
    /* what is past long before the run needs no reading: but the last row known then */
    uint64_t first = 0;
    if (series && series->before) first = series->before(series, p->start_ns - series->span_ns);
    if (first > 0) first--;
    for (uint64_t n = first; series && (at = rt_rows_at(series, &block, n)) != NULL; n++) {
        struct row r = row_of(series, at);
        int64_t known_ns = series->row_kind == MSG_TRADE ? r.range.open_ns : r.range.end_ns;
        if (known_ns > p->end_ns) break;
        if (tracked && qs_is_none(p->base)) {
            p->base = r.open;
            p->growing++;
        }
        if (thin && known_ns > p->start_ns)
            report_thin_add(thin, known_ns, r.range.low, r.range.high);
        if (p->mark_ns < known_ns) value_marks(p, known_ns);
        if (day_ends(p) < known_ns) value_days(p, known_ns);
        ride_on(p, &r.range);
        int64_t day = qs_day_closed(known_ns) - p->first_day;
        p->ended[day < 0 ? 0 : day] = 1;
        p->last = r.close;
        if (tracked && known_ns <= p->start_ns) p->base = r.close;
    }
    value_marks(p, INT64_MAX);
    value_days(p, INT64_MAX);
    for (size_t i = 0; i < p->ride_cnt; i++)
        if (series) qs_excursion(p->rides[i].trade, &p->rides[i].seen, p->rides[i].seen.end_ns > 0);
}

/* in_order puts the holdings in order of time, those of one instant as they were told: a fill may
 * have waited for what the portfolio says of it while funding was told. */
static void in_order(struct report_statistics *s) {
    for (size_t i = 1; i < s->holding_cnt; i++) {
        struct report_holding h = s->holdings[i];
        size_t at = i;
        for (; at > 0 && s->holdings[at - 1].time_ns > h.time_ns; at--)
            s->holdings[at] = s->holdings[at - 1];
        s->holdings[at] = h;
    }
}

/* find_owners lists the strategies that filled, in order of id. */
static bool find_owners(struct report_statistics *s, const struct rt_topology *t, uint32_t *cnt) {
    bool *seen = calloc(UINT16_MAX + 1, sizeof *seen);
    *cnt = 0;
    if (!seen) return false;
    for (size_t i = 0; i < s->holding_cnt; i++) {
        *cnt += !seen[s->holdings[i].owner];
        seen[s->holdings[i].owner] = true;
    }
    s->parts = calloc(*cnt + 1, sizeof *s->parts);
    for (uint32_t id = 0, n = 0; s->parts && id <= UINT16_MAX; id++)
        if (seen[id])
            s->parts[n++] = (struct report_part){ .owner = (uint16_t)id,
                                                  .name = id == UINT16_MAX ? "funding"
                                                          : id >= 1 && id <= t->actor_cnt
                                                              ? t->actors[id - 1].name
                                                              : "?" };
    free(seen);
    return s->parts != NULL;
}

/* set_benchmark makes the benchmark's points of the growths at the days' ends. */
static bool set_benchmark(struct pass *p) {
    struct report_statistics *s = p->s;
    if (!p->growing) return true;
    s->benchmark = malloc((p->day_cnt + 1) * sizeof *s->benchmark);
    if (!s->benchmark) return false;
    s->benchmark[s->benchmark_cnt++] = (struct qs_point){ p->start_ns, 1, QS_NONE, QS_NONE };
    for (p->day = 0; p->day < p->day_cnt; p->day++)
        s->benchmark[s->benchmark_cnt++] =
            (struct qs_point){ day_ends(p), p->growth[p->day] / p->growing, QS_NONE, QS_NONE };
    return true;
}

/* set_listed lists the days on which rows ended. */
static bool set_listed(struct pass *p) {
    struct report_statistics *s = p->s;
    s->listed = malloc((p->day_cnt + 1) * sizeof *s->listed);
    if (!s->listed) return false;
    for (size_t i = 0; i < p->day_cnt; i++) {
        int32_t day = p->first_day + (int32_t)i;
        if (!p->ended[i]) continue;
        s->listed[s->listed_cnt++] = day;
        if (qs_weekday(day) >= 5) s->weekend = true;
    }
    return true;
}

/* set_options chooses the options of all reports. */
static void set_options(struct report_statistics *s) {
    const struct mk_statistics *m = &s->market->statistics;
    uint32_t days = m->days_a_year;
    if (days == 0)
        days = !s->weekend && s->listed_cnt && s->listed[s->listed_cnt - 1] - s->listed[0] >= 14
                   ? 252
                   : 365;
    s->options = qs_options_default(days == 365     ? QS_EVERY_DAY
                                    : s->listed_cnt ? QS_LISTED
                                                    : QS_WEEKDAYS);
    if (s->options.days.calendar == QS_LISTED) {
        s->options.days.listed = s->listed;
        s->options.days.listed_cnt = s->listed_cnt;
    }
    s->options.risk_free = m->risk_free;
    s->options.required_return = m->required_return;
    if (m->rolling_days) s->options.rolling_days = m->rolling_days;
    s->options.trials = m->trials;
    s->options.trials_variance = m->trials_variance;
}

/* add_total makes the curve of all accounts together. */
static int add_total(struct report_statistics *s) {
    uint32_t cnt = s->market->account_cnt;
    struct report_curve *t = &s->curves[cnt];
    size_t *next = calloc(3 * cnt, sizeof *next), *trade = next + cnt, *turn = trade + cnt;
    int code = next ? 0 : -ENOMEM;
    while (code == 0) { /* the earliest next mark; each account counts with its last one */
        int64_t at_ns = INT64_MAX;
        for (uint32_t a = 0; a < cnt; a++)
            if (next[a] < s->curves[a].input.point_cnt &&
                s->curves[a].points[next[a]].time_ns < at_ns)
                at_ns = s->curves[a].points[next[a]].time_ns;
        if (at_ns == INT64_MAX) break;
        struct qs_sum equity = { 0 }, gross = { 0 }, net = { 0 };
        for (uint32_t a = 0; a < cnt; a++) {
            const struct report_curve *c = &s->curves[a];
            while (next[a] < c->input.point_cnt && c->points[next[a]].time_ns <= at_ns) next[a]++;
            qs_sum_add(&equity, c->points[next[a] - 1].equity);
            qs_sum_add(&gross, c->points[next[a] - 1].gross);
            qs_sum_add(&net, c->points[next[a] - 1].net);
        }
        code = add_point(t, at_ns, qs_sum_value(&equity), qs_sum_value(&gross), qs_sum_value(&net));
    }
    for (bool more = true; more && code == 0;) {
        const struct qs_trade *first = NULL;
        uint32_t whose = 0;
        for (uint32_t a = 0; a < cnt; a++)
            if (trade[a] < s->curves[a].input.trade_cnt &&
                (!first || s->curves[a].trades[trade[a]].exit_ns < first->exit_ns)) {
                first = &s->curves[a].trades[trade[a]];
                whose = a;
            }
        if (!(more = first != NULL)) break;
        trade[whose]++;
        if (!grow(&t->trades, t->input.trade_cnt, &t->trade_room, sizeof *t->trades))
            code = -ENOMEM;
        else
            t->trades[t->input.trade_cnt++] = *first;
    }
    for (bool more = true; more && code == 0;) {
        const struct qs_turn *first = NULL;
        uint32_t whose = 0;
        for (uint32_t a = 0; a < cnt; a++)
            if (turn[a] < s->curves[a].input.turn_cnt &&
                (!first || s->curves[a].turns[turn[a]].time_ns < first->time_ns)) {
                first = &s->curves[a].turns[turn[a]];
                whose = a;
            }
        if (!(more = first != NULL)) break;
        turn[whose]++;
        if (!grow(&t->turns, t->input.turn_cnt, &t->turn_room, sizeof *t->turns))
            code = -ENOMEM;
        else
            t->turns[t->input.turn_cnt++] = *first;
    }
    free(next);
    return code;
}

/* exposed returns how long the owner held more than dust in any instrument. held has room for two
 * quantities of each. */
static int64_t exposed(const struct report_statistics *s, uint16_t owner, int64_t end_ns,
                       qty_t *held) {
    int64_t sum_ns = 0, since_ns = 0;
    uint32_t open = 0;
    memset(held, 0, 2 * ((size_t)s->market->instrument_cnt + 1) * sizeof *held);
    for (size_t i = 0; i < s->holding_cnt; i++) {
        const struct report_holding *h = &s->holdings[i];
        if (h->owner != owner || h->change == 0) continue;
        const qty_t lot = s->market->instruments[h->instrument - 1].lot_size;
        qty_t *q = &held[2 * h->instrument + h->shorts];
        const bool was = *q >= lot || *q <= -lot;
        *q += h->change;
        const bool is = *q >= lot || *q <= -lot;
        if (is && !was && open++ == 0) since_ns = h->time_ns;
        if (was && !is && --open == 0) sum_ns += h->time_ns - since_ns;
    }
    return open > 0 && end_ns > since_ns ? sum_ns + end_ns - since_ns : sum_ns;
}

/* alone reckons the part number i by itself (statistics.h). Returns false without memory. */
static bool alone(const struct pass *p, size_t i) {
    struct report_statistics *s = p->s;
    struct report_part *part = &s->parts[i];
    const struct report_curve *c = &s->curves[s->curve_cnt - 1];
    const struct qs_report *r = &c->report;
    const size_t n = r->day_cnt;
    double equity = r->start_equity;
    size_t bytes = 0;
    struct qs_point *points = malloc((n + 1) * sizeof *points);
    struct qs_trade *trades = malloc((c->input.trade_cnt + 1) * sizeof *trades);
    struct qs_turn *turns = malloc((s->holding_cnt + 1) * sizeof *turns);
    qty_t *held = malloc(2 * ((size_t)s->market->instrument_cnt + 1) * sizeof *held);
    struct qs_input in = { .points = points,
                           .point_cnt = n + 1,
                           .trades = trades,
                           .turns = turns,
                           .benchmark = s->benchmark,
                           .benchmark_cnt = s->benchmark_cnt };
    void *memory = NULL;
    if (points && trades && turns && held) {
        points[0] = (struct qs_point){ r->first_ns, equity, 0, 0 };
        for (size_t t = 0; t < n; t++) {
            const size_t day = (size_t)(r->days[t].day - p->first_day);
            const int64_t close_ns = (r->days[t].day + INT64_C(1)) * QS_DAY_NS;
            equity *= 1 + part->pnl[t];
            const double *size = &p->sizes[i * p->day_cnt + day];
            points[t + 1] = (struct qs_point){ t + 1 == n ? r->last_ns : close_ns, equity, *size,
                                               size[p->owner_cnt * p->day_cnt] };
        }
        for (size_t k = 0; k < c->input.trade_cnt; k++)
            if (c->trades[k].strategy == part->owner) trades[in.trade_cnt++] = c->trades[k];
        for (size_t k = 0; k < s->holding_cnt; k++) {
            const struct report_holding *h = &s->holdings[k];
            if (h->owner != part->owner || h->change == 0) continue;
            turns[in.turn_cnt++] = (struct qs_turn){ h->time_ns, h->traded };
        }
        in.exposed_ns = exposed(s, part->owner, r->last_ns, held);
        bytes = qs_report_bytes(&in, &s->options);
        memory = malloc(bytes ? bytes : 1);
    }
    const bool room = memory != NULL;
    if (bytes > 0 && room) {
        struct qs_report own;
        qs_report_make(&in, &s->options, memory, &own);
        part->figures = own.figures;
        part->alone = true;
        qs_select(&part->figures, s->market->statistics.select, s->market->statistics.threshold_cnt,
                  part->pass);
    }
    free(memory);
    free(points);
    free(trades);
    free(turns);
    free(held);
    return room;
}

/* set_alone reckons the strategies one by one, where that says more than the curve of all. */
static bool set_alone(const struct pass *p) {
    size_t own = 0;
    for (size_t i = 0; i < p->owner_cnt; i++) own += p->s->parts[i].owner != UINT16_MAX;
    if (own < 2 && p->s->market->statistics.threshold_cnt == 0) return true;
    for (size_t i = 0; i < p->s->portfolio.cnt; i++)
        if (p->s->parts[i].owner != UINT16_MAX && !alone(p, i)) return false;
    return true;
}

/* set_portfolio reckons what each strategy brought to the last curve. */
static bool set_portfolio(struct pass *p) {
    struct report_statistics *s = p->s;
    const struct report_curve *c = &s->curves[s->curve_cnt - 1];
    const struct qs_report *r = &c->report;
    size_t n = r->day_cnt, cnt = p->owner_cnt;
    if (cnt == 0 || n == 0 || !(s->total || s->curve_cnt == 1) || !(r->start_equity > 0))
        return true;
    s->part_memory = calloc(cnt * n + cnt * cnt + n, sizeof(double));
    s->portfolio.parts = calloc(cnt, sizeof *s->portfolio.parts);
    const double **list = calloc(cnt, sizeof *list);
    if (s->part_memory && s->portfolio.parts && list) {
        s->portfolio.correlation = s->part_memory + cnt * n;
        for (size_t i = 0; i < cnt; i++) {
            double *pnl = s->part_memory + i * n, before = 0, equity = r->start_equity;
            list[i] = s->parts[i].pnl = pnl;
            for (size_t t = 0; t < n; t++) {
                double now = p->worth[i * p->day_cnt + (size_t)(r->days[t].day - p->first_day)];
                if (t + 1 == n) now = p->worth[i * p->day_cnt + p->day_cnt - 1];
                pnl[t] = equity > 0 ? (now - before) / equity : 0;
                before = now;
                equity = r->days[t].equity;
            }
            s->portfolio.parts[i].own_return = QS_NONE;
        }
        qs_portfolio_of(list, cnt, n, r->options.days_a_year, s->part_memory + cnt * n + cnt * cnt,
                        &s->portfolio);
    }
    free(list);
    return s->portfolio.cnt == cnt && set_alone(p);
}

/* ends gives each account its first and last point. */
static int ends(struct report_statistics *s, int64_t start_ns, int64_t end_ns, const cash_t *start,
                const cash_t *equity) {
    for (uint32_t a = 0; a < s->market->account_cnt; a++) {
        struct report_curve *c = &s->curves[a];
        int code = c->input.point_cnt ? 0 : add_point(c, start_ns, 0, 0, 0);
        if (code < 0) return code;
        c->points[0].time_ns = start_ns;
        c->points[0].equity = number(start[a]);
        if ((code = add_point(c, end_ns, number(equity[a]), 0, 0)) < 0) return code;
    }
    return 0;
}

/* reckon makes the report of one curve. */
static int reckon(struct report_statistics *s, struct report_curve *c, struct rt_error *err) {
    c->input.points = c->points;
    c->input.trades = c->trades;
    c->input.turns = c->turns;
    c->input.benchmark = s->benchmark;
    c->input.benchmark_cnt = s->benchmark_cnt;
    size_t bytes = qs_report_bytes(&c->input, &s->options);
    if (bytes == 0)
        return rt_error_set(err, -EBADMSG, "statistics of %s: the records are out of order",
                            c->name);
    if (!(c->memory = malloc(bytes)))
        return rt_error_set(err, -ENOMEM, "no memory for the statistics");
    qs_report_make(&c->input, &s->options, c->memory, &c->report);
    qs_select(&c->report.figures, s->market->statistics.select, s->market->statistics.threshold_cnt,
              c->pass);
    return 0;
}

int report_statistics_make(struct report_statistics *s, const struct rt_run *run, int64_t start_ns,
                           int64_t end_ns, const int64_t *exposed_ns, const cash_t *start,
                           const cash_t *equity, int64_t all_exposed_ns, struct rt_error *err) {
    const struct mk_market *m = s->market;
    struct pass p = { .s = s, .start_ns = start_ns, .end_ns = end_ns };
    struct rt_rows rows;
    size_t trades = 0;
    if (end_ns < start_ns) end_ns = p.end_ns = start_ns;
    in_order(s);
    if (ends(s, start_ns, end_ns, start, equity) < 0 ||
        !find_owners(s, run->topology, &p.owner_cnt))
        return rt_error_set(err, -ENOMEM, "no memory for the statistics");
    int code = rt_rows_open(&rows, run, err);
    if (code < 0) return code;
    p.first_day = qs_day_opened(start_ns);
    p.day_cnt = end_ns > start_ns ? (size_t)(qs_day_closed(end_ns) - p.first_day + 1) : 0;
    for (uint32_t a = 0; a < m->account_cnt; a++) {
        s->curves[a].input.exposed_ns = exposed_ns[a];
        trades += s->curves[a].input.trade_cnt;
    }
    p.ended = calloc(p.day_cnt + 1, 1);
    p.growth = calloc(p.day_cnt + 1, sizeof *p.growth);
    p.worth = calloc(p.owner_cnt * p.day_cnt + 1, sizeof *p.worth);
    p.sizes = calloc(2 * p.owner_cnt * p.day_cnt + 1, sizeof *p.sizes);
    p.accounts = calloc(m->account_cnt + 1, sizeof *p.accounts);
    p.owners = calloc(p.owner_cnt + 1, sizeof *p.owners);
    p.rides = malloc((trades + 1) * sizeof *p.rides);
    s->prices = calloc(m->instrument_cnt + 1, sizeof *s->prices);
    if (s->prices && p.ended && p.growth && p.worth && p.sizes && p.accounts && p.owners &&
        p.rides) {
        uint16_t only = m->statistics.benchmark;
        for (uint16_t id = 1; id <= m->instrument_cnt; id++)
            one_instrument(&p, finest(&rows, id), id, only == 0 || only == id);
        if (!set_benchmark(&p) || !set_listed(&p)) code = -ENOMEM;
        set_options(s);
        if (code == 0 && s->total) {
            s->curves[m->account_cnt].input.exposed_ns = all_exposed_ns;
            code = add_total(s);
        }
    } else {
        code = -ENOMEM;
    }
    rt_rows_close(&rows);
    if (code < 0) rt_error_set(err, code, "no memory for the statistics");
    for (uint32_t i = 0; i < s->curve_cnt && code == 0; i++) code = reckon(s, &s->curves[i], err);
    if (code == 0 && !set_portfolio(&p))
        code = rt_error_set(err, -ENOMEM, "no memory for the statistics");
    free(p.ended);
    free(p.growth);
    free(p.worth);
    free(p.sizes);
    free(p.accounts);
    free(p.owners);
    free(p.rides);
    return code;
}
