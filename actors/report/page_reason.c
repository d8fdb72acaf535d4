#include "actors/report/page_reason.h"
#include "quant/stats/calendar.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GROUPS_MAX = 64 }; /* strategy, instrument and side together; more are not told apart */

/* Trades of one strategy, instrument and side. */
struct group {
    const struct page_trade *first; /* one of them */
    uint32_t cnt, wins;             /* how many; that earned */
    double pnl;                     /* net */
};

/* What the month's trades came to. */
struct month {
    struct group groups[GROUPS_MAX]; /* as they came */
    int group_cnt;                   /* how many */
    const struct page_trade *worst;  /* the worst of all, NULL = none lost */
};

/* file counts a trade to its group. */
static void file(struct month *m, const struct page_trade *t) {
    struct group *g = NULL;
    for (int i = 0; i < m->group_cnt && !g; i++) {
        const struct page_trade *a = m->groups[i].first;
        if (a->is_short == t->is_short && strcmp(a->strategy, t->strategy) == 0 &&
            strcmp(a->instrument, t->instrument) == 0)
            g = &m->groups[i];
    }
    if (!g) {
        if (m->group_cnt == GROUPS_MAX) return;
        g = &m->groups[m->group_cnt++];
        *g = (struct group){ .first = t };
    }
    g->cnt++;
    g->wins += t->pnl > 0;
    g->pnl += t->pnl;
    if (t->pnl < 0 && (!m->worst || t->pnl < m->worst->pnl)) m->worst = t;
}

/* regime_words turns "bear_high" into words. */
static const char *regime_words(const char *regime) {
    static const char *const words[][2] = {
        { "bull_low", "rising, calm" },       { "bull_high", "rising, wild" },
        { "sideways_low", "sideways, calm" }, { "sideways_high", "sideways, wild" },
        { "bear_low", "falling, calm" },      { "bear_high", "falling, wild" }
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i][0], regime) == 0) return words[i][1];
    return NULL;
}

/* common returns the kind of market of most of the days, NULL = not known. */
static const char *common(const struct page_day *days, size_t cnt) {
    const char *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < cnt; i++) {
        size_t n = 0;
        for (size_t k = 0; k < cnt; k++) n += strcmp(days[k].regime, days[i].regime) == 0;
        if (n > most) {
            most = n;
            best = days[i].regime;
        }
    }
    return best && most * 2 > cnt ? regime_words(best) : NULL;
}

/* main_part says what brought the most of the loss. */
static const char *main_part(struct doc *d, const struct page_data *p, const struct month *m,
                             int64_t month_ns, double change, double pnl, double fees,
                             const char *quote) {
    char a[CHART_TEXT], b[CHART_TEXT];
    const struct group *worst = NULL;
    for (int i = 0; i < m->group_cnt; i++)
        if (!worst || m->groups[i].pnl < worst->pnl) worst = &m->groups[i];
    if (worst && worst->pnl < 0 && pnl < 0 && change < 0 && fees > -pnl)
        return doc_keep(d, "fees: %s %s of fees made a loss of trades that gained before them",
                        chart_amount(fees, a), quote);
    if (worst && worst->pnl < 0 && (change >= 0 || worst->pnl <= change * 0.4))
        return doc_keep(d, "%s on %s, %s: %u round trip%s closed for %s %s%s",
                        worst->first->strategy, worst->first->instrument,
                        worst->first->is_short ? "short" : "long", worst->cnt,
                        worst->cnt == 1 ? "" : "s", chart_amount(worst->pnl, a), quote,
                        worst->cnt == 1 ? "" : doc_keep(d, ", %u of them won", worst->wins));
    const struct page_line *least = NULL; /* no trades stand out: by strategy */
    double part = 0;
    uint32_t lost = 0, parts = 0;
    for (size_t i = 0; i < p->line_cnt; i++) {
        const struct page_line *line = &p->lines[i];
        for (size_t k = 0; strcmp(line->chart, "part") == 0 && k < line->cnt; k++) {
            if (line->points[k].time_ns != month_ns) continue;
            parts++;
            lost += line->points[k].value < 0;
            if (line->points[k].value < part) {
                part = line->points[k].value;
                least = line;
            }
        }
    }
    if (least && change < 0)
        return doc_keep(
            d, "%s brought the largest part, %s of the portfolio; %u of %u strategies lost",
            least->name, chart_part(part, true, b), lost, parts);
    if (change < 0) return "what was held fell in worth";
    return NULL;
}

void page_reason(struct doc *d, const struct page_data *p, const struct report_value *curve,
                 bool total) {
    const struct report_json *j = &p->summary;
    const struct report_value *worst = NULL, *months = report_json_get(j, curve, "months");
    const char *name = report_json_text(j, curve, "curve"),
               *quote = report_json_text(j, curve, "quote");
    size_t cnt = 0;
    for (const struct report_value *v = report_json_first(j, months); v;
         v = report_json_next(j, v), cnt++)
        if (report_json_number(j, v, "return") < INFINITY &&
            (!worst || report_json_number(j, v, "return") < report_json_number(j, worst, "return")))
            worst = v;
    if (!worst) return;
    int year = (int)report_json_whole(j, worst, "year", 1970),
        month = (int)report_json_whole(j, worst, "month", 1);
    if (year < 1900 || year > 2090 || month < 1 || month > 12) return; /* a damaged file */
    int64_t from_ns = qs_day_of(year, month, 1) * QS_DAY_NS,
            until_ns = qs_day_of(year + month / 12, month % 12 + 1, 1) * QS_DAY_NS;
    double ret = report_json_number(j, worst, "return"),
           market = report_json_number(j, worst, "benchmark_return"),
           pnl = report_json_number(j, worst, "pnl"), fees = report_json_number(j, worst, "fees"),
           change = NAN;
    struct month m = { .group_cnt = 0 };
    for (size_t i = 0; i < p->trade_cnt; i++) {
        const struct page_trade *t = &p->trades[i];
        if (t->exit_ns > from_ns && t->exit_ns <= until_ns &&
            (total || strcmp(t->account, name) == 0))
            file(&m, t);
    }
    const struct page_days *days = page_data_days(p, name);
    const struct page_line *equity = page_data_line(p, "equity", name);
    const struct page_day *bad = NULL;
    const char *regime = NULL;
    size_t first = 0, n = 0;
    for (size_t i = 0; days && i < days->cnt; i++) {
        const struct page_day *day = &days->days[i];
        if (day->close_ns <= from_ns || day->close_ns > until_ns) continue;
        if (n++ == 0) first = i;
        if (day->ret < 0 && (!bad || day->ret < bad->ret)) bad = day;
    }
    if (n) {
        double before = first                   ? days->days[first - 1].equity
                        : equity && equity->cnt ? equity->points[0].value
                                                : NAN;
        change = days->days[first + n - 1].equity - before;
        regime = common(days->days + first, n);
    }
    char a[CHART_TEXT], b[CHART_TEXT], c[CHART_TEXT];
    uint32_t trades = (uint32_t)report_json_whole(j, worst, "trades", 0),
             wins = (uint32_t)report_json_whole(j, worst, "wins", 0);
    const char *why = ret < 0 ? main_part(d, p, &m, from_ns, change, pnl, fees, quote) : NULL;
    struct doc_block *block = doc_add(d, DOC_CALLOUT, "");
    block->tone = ret < 0 ? DOC_LOSS : DOC_GAIN;
    if (ret == 0)
        block->note = doc_keep(d, "Worst month %d-%02d: 0.00 %%", year, month);
    else
        block->note =
            doc_keep(d, "Worst month %d-%02d: %s%s%s%s", year, month, chart_part(ret, true, a),
                     cnt == 1 ? " (the only one)" : "", why ? ". Why: " : "", why ? why : "");
    const char *text =
        market - market == 0
            ? doc_keep(d, "The market (buy and hold) made %s%s%s%s. ", chart_part(market, true, a),
                       regime ? " (its weeks before: " : "", regime ? regime : "",
                       regime ? ")" : "")
            : "";
    if (trades)
        text = doc_keep(d,
                        "%s%u round trip%s closed in it, %u won, for %s %s net, fees of %s in "
                        "them",
                        text, trades, trades == 1 ? "" : "s", wins, chart_amount(pnl, a), quote,
                        chart_amount(fees, b));
    else
        text = doc_keep(d, "%sNo round trip closed in it", text);
    if (change - change == 0)
        text = doc_keep(d, "%s; equity changed by %s %s. ", text, chart_amount(change, c), quote);
    else
        text = doc_keep(d, "%s. ", text);
    if (m.worst)
        text = doc_keep(
            d, "%sWorst trade: %s %s of %s, %s to %s, %s %s%s%s. ", text,
            m.worst->is_short ? "short" : "long", m.worst->instrument, m.worst->strategy,
            chart_day(mk_zone_local(&d->zone, m.worst->entry_ns), a),
            chart_day(mk_zone_local(&d->zone, m.worst->exit_ns), b), chart_amount(m.worst->pnl, c),
            quote, m.worst->mae - m.worst->mae == 0 ? ", at worst against it " : "",
            m.worst->mae - m.worst->mae == 0 ? doc_keep(d, "%.2f %%", 100 * m.worst->mae) : "");
    if (bad)
        text = doc_keep(d, "%sWorst day: %s, %s.", text, chart_day(bad->close_ns - QS_DAY_NS, a),
                        chart_part(bad->ret, true, b));
    block->text = text;
}
