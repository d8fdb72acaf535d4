#include "actors/report/page.h"
#include "actors/report/html.h"
#include "actors/report/markdown.h"
#include "actors/report/page_benchmark.h"
#include "actors/report/page_data.h"
#include "actors/report/page_reason.h"
#include "actors/report/pdf.h"
#include "actors/report/thin.h"
#include "quant/stats/calendar.h"
#include "quant/stats/figures.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FULL_MAX = 4,     /* curves shown in full where there is none of all */
    CURVES_MAX = 12,  /* curves shown at all */
    PRICES_MAX = 8,   /* charts of prices */
    MARKED_MAX = 250, /* round trips on one of them */
    LISTED_MAX = 300, /* round trips in the list */
    DOTS_MAX = 800,   /* round trips in the scatter */
    MATRIX_MAX = 12,  /* strategies in the table of correlations */
    NOTES_MAX = 60,   /* models, and rules, in the list */
};

/* What is being made. */
struct page {
    struct doc *d;                    /* the document */
    struct page_data p;               /* what is known */
    const struct report_json *j;      /* of it: summary.json */
    const struct report_value *stats; /* its statistics; NULL = none */
};

/* number reads v[key]. */
static double number(const struct page *g, const struct report_value *v, const char *key) {
    return report_json_number(g->j, v, key);
}
/* text reads v[key]. */
static const char *text(const struct page *g, const struct report_value *v, const char *key) {
    return report_json_text(g->j, v, key);
}
/* first and next go over a list. */
static const struct report_value *first(const struct page *g, const struct report_value *v,
                                        const char *key) {
    return report_json_first(g->j, report_json_get(g->j, v, key));
}
/* next: see first. */
static const struct report_value *next(const struct page *g, const struct report_value *v) {
    return report_json_next(g->j, v);
}
/* amount formats a number into the document. */
static const char *amount(const struct page *g, double v) {
    char room[CHART_TEXT];
    return doc_keep(g->d, "%s", chart_amount(v, room));
}
/* cash formats a decimal of summary.json: two decimals, the rest cut off, as on the terminal. */
static const char *cash(const struct page *g, const char *decimal) {
    char cut[64], room[CHART_TEXT];
    const char *dot = strchr(decimal, '.');
    size_t n = dot && strlen(dot) > 3 ? (size_t)(dot - decimal) + 3 : strlen(decimal);
    if (n >= 30) return decimal;
    snprintf(cut, sizeof cut, "%.*s", (int)n, decimal);
    double v = strtod(cut, NULL);
    if (fabs(v) < 1) return doc_keep(g->d, "%s", chart_amount(strtod(decimal, NULL), room));
    return doc_keep(g->d, "%s", chart_amount(v, room));
}
/* part formats a part. */
static const char *part(const struct page *g, double v, bool sign) {
    char room[CHART_TEXT];
    return doc_keep(g->d, "%s", chart_part(v, sign, room));
}
/* ratio formats a plain number with two decimals. */
static const char *ratio(const struct page *g, double v) {
    if (!(v - v == 0)) return "-";
    if (fabs(v) >= 1e6 || (v != 0 && fabs(v) < 0.005)) return doc_keep(g->d, "%.3g", v);
    return doc_keep(g->d, "%.2f", v);
}
/* day formats the date of an instant, in the page's zone. */
static const char *day(const struct page *g, int64_t ns) {
    char room[CHART_TEXT];
    if (ns == INT64_MIN) return "-";
    return doc_keep(g->d, "%s", chart_day(mk_zone_local(&g->d->zone, ns), room));
}
/* minute formats an instant, in the page's zone. */
static const char *minute(const struct page *g, int64_t ns) {
    char room[MK_ZONE_TEXT];
    return doc_keep(g->d, "%.16s", mk_zone_text(&g->d->zone, ns, room));
}
/* span formats a span of time. */
static const char *span(const struct page *g, double seconds) {
    if (!(seconds - seconds == 0)) return "-";
    if (seconds < 120) return doc_keep(g->d, "%.3g s", seconds);
    if (seconds < 7200) return doc_keep(g->d, "%.0f min", seconds / 60);
    if (seconds < 172800) return doc_keep(g->d, "%.1f h", seconds / 3600);
    return doc_keep(g->d, "%.1f days", seconds / 86400);
}
/* tone tells the colour of a result. */
static enum doc_tone tone(double v) {
    return v > 0 ? DOC_GAIN : v < 0 ? DOC_LOSS : DOC_FG;
}
/* cell adds a text to a table. */
static void cell(const struct page *g, struct doc_block *b, const char *text) {
    doc_cell(g->d, b, (struct doc_cell){ .text = text });
}
/* value adds a number to a table. */
static void value(const struct page *g, struct doc_block *b, const char *text, enum doc_tone tone) {
    doc_cell(g->d, b, (struct doc_cell){ .text = text, .tone = tone, .right = true });
}
/* table begins a table with headings; one that begins with '>' stands over numbers; a '|' in it
 * parts it from what the pointer is shown. */
static struct doc_block *table(const struct page *g, const char *name, const char *const *heads) {
    struct doc_block *b = doc_add(g->d, DOC_TABLE, name);
    for (; *heads; heads++, b->columns++) {
        bool right = **heads == '>';
        const char *tip = strchr(*heads, '|');
        doc_cell(g->d, b,
                 (struct doc_cell){ .text = doc_keep(g->d, "%.*s",
                                                     (int)(tip ? tip - *heads - right : 1000),
                                                     *heads + right),
                                    .tip = tip ? tip + 1 : NULL,
                                    .right = right });
    }
    return b;
}

/* A figure as people are told it. */
struct label {
    const char *figure; /* its name in summary.json */
    const char *label;  /* what people call it */
    const char *plain;  /* what it means, plainly */
};
/* The figures, in groups; a label without figure heads a group. */
static const struct label labels[] = {
    { NULL, "Return", NULL },
    { "total_return", "Total return", "What the money grew by from start to end." },
    { "cagr", "Return a year (CAGR)",
      "The yearly growth that would give the same result. Over less than a year it is drawn out." },
    { "excess_return", "Excess over buy and hold", "Return a year less that of the benchmark." },
    { "mean_return", "Mean day", "Average return of a day." },
    { "best_day", "Best day", "Largest return of a day." },
    { "worst_day", "Worst day", "Smallest return of a day." },
    { "positive_days", "Days with a gain", "Part of all days." },
    { "best_month", "Best month", "Largest return of a calendar month." },
    { "worst_month", "Worst month", "Smallest return of a calendar month." },
    { "positive_months", "Months with a gain", "Part of all months." },
    { NULL, "Risk", NULL },
    { "volatility", "Volatility a year", "How much daily returns scatter, scaled to a year." },
    { "downside_deviation", "Downside deviation", "The same, counting only days that lost." },
    { "max_drawdown", "Max drawdown", "Deepest fall from a peak, of all marks of equity." },
    { "max_drawdown_money", "Max drawdown, money", "The deepest fall in money." },
    { "max_drawdown_daily", "Max drawdown, daily", "The deepest fall by daily closes only." },
    { "drawdown_days", "Days in the deepest fall", "From its peak till it was made good." },
    { "longest_drawdown_days", "Longest fall", "Longest time from a peak till it was made good." },
    { "underwater", "Time under water", "Part of the time spent below an earlier peak." },
    { "ulcer_index", "Ulcer index", "Depth and length of falls in one number." },
    { "var", "VaR, a day in twenty", "One day in twenty was worse than this." },
    { "cvar", "CVaR", "Average of those worst days." },
    { "var_normal", "VaR, normal", "The same as if returns were normally distributed." },
    { "cvar_normal", "CVaR, normal", "Average of the worst days, normally distributed." },
    { "var_modified", "VaR, modified", "Normal, corrected for skew and fat tails." },
    { "skew", "Skew", "Below zero: losses are larger and rarer than gains." },
    { "kurtosis", "Excess kurtosis", "Above zero: extreme days come more often than normal." },
    { "tail_ratio", "Tail ratio", "Good extreme days against bad ones." },
    { NULL, "Return for risk", NULL },
    { "sharpe", "Sharpe", "Return for each unit of scatter, a year. Above 1 is good." },
    { "sortino", "Sortino", "As Sharpe, counting only the scatter of losses." },
    { "calmar", "Calmar", "Return a year for the deepest fall." },
    { "omega", "Omega", "All gains over all losses of days. Above 1 gains." },
    { "vwr", "VWR", "Yearly growth, marked down when equity strays from a steady path." },
    { "psr", "PSR", "How sure it is that the true Sharpe ratio is above zero." },
    { "dsr", "DSR", "The same, knowing how many variants were tried." },
    { "min_trl", "Days needed", "Length of record that would make it 95 % sure." },
    { NULL, "Trades", NULL },
    { "trades", "Round trips", "From flat to flat." },
    { "win_rate", "Won", "Part of round trips that earned after fees." },
    { "profit_factor", "Profit factor", "Money won for each unit of money lost." },
    { "expectancy", "Expectancy", "Average result of a round trip, after fees." },
    { "expectancy_r", "Expectancy, R", "The same in units of an average loss." },
    { "payoff", "Payoff", "Average win against average loss." },
    { "mean_win", "Mean win", "Average result of those that won." },
    { "mean_loss", "Mean loss", "Average loss of those that lost." },
    { "largest_win", "Largest win", "The best round trip." },
    { "largest_loss", "Largest loss", "The worst round trip." },
    { "mean_trade_return", "Mean return of a trade", "On the value at entry." },
    { "sqn", "SQN", "System quality number: average result against its scatter." },
    { "win_streak", "Most wins in a row", "In order of exit." },
    { "loss_streak", "Most in a row without a win", "In order of exit." },
    { "hold_mean", "Held, mean", "Average time from entry to exit." },
    { "hold_median", "Held, median", "Half were shorter." },
    { "hold_greatest", "Held, longest", "The longest." },
    { "mae_mean", "MAE, mean", "How far prices went against a trade at worst, on average." },
    { "mfe_mean", "MFE, mean", "How far prices went its way at best, on average." },
    { "fees", "Fees", "All that was paid." },
    { NULL, "Capital", NULL },
    { "exposure", "Time in the market", "Part of the time with a position." },
    { "gross_leverage", "Leverage, mean", "Value of positions against equity." },
    { "gross_leverage_max", "Leverage, greatest", "The most it was." },
    { "net_leverage", "Leverage, net, mean", "Long and short of one instrument together." },
    { "net_leverage_max", "Leverage, net, greatest", "The most it was." },
    { "position_value", "Positions, mean", "Value of positions at days' ends." },
    { "position_value_max", "Positions, greatest", "The most it was." },
    { "turnover", "Turnover", "How often a year the capital was traded." },
    { NULL, "Against buy and hold", NULL },
    { "benchmark_return", "Its total return", "What buying at the start and holding made." },
    { "benchmark_cagr", "Its return a year", "The same a year." },
    { "benchmark_volatility", "Its volatility", "How much it scatters a year." },
    { "benchmark_sharpe", "Its Sharpe", "Its return for its risk." },
    { "benchmark_max_drawdown", "Its max drawdown", "Its deepest fall by daily closes." },
    { "alpha", "Alpha", "Return a year that its moves do not explain." },
    { "beta", "Beta", "How much of its moves is followed: 1 = all." },
    { "correlation", "Correlation", "1 = moves with it, 0 = on its own, -1 = against it." },
    { "tracking_error", "Tracking error", "Scatter of the difference to it, a year." },
    { "information_ratio", "Information ratio", "Excess return for that scatter." },
};

/* plain_of returns what a figure means, plainly and exactly. */
static const char *tip_of(const struct page *g, const char *figure) {
    const struct report_value *all = report_json_get(g->j, g->stats, "definitions");
    const char *exact = text(g, report_json_get(g->j, all, figure), "is"), *plain = "";
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        if (labels[i].figure && strcmp(labels[i].figure, figure) == 0) plain = labels[i].plain;
    return doc_keep(g->d, "%s%s%s", plain, plain[0] && exact[0] ? " Exactly: " : "", exact);
}

/* figure formats a figure by its unit. */
static const char *figure(const struct page *g, const struct report_value *curve,
                          const char *name) {
    double v = number(g, report_json_get(g->j, curve, "figures"), name);
    int idx = qs_figure_find(name);
    if (idx < 0 || !(v - v == 0)) return "-";
    switch (qs_figure_table[idx].unit) {
    case QS_PART: return part(g, v, false);
    case QS_RATIO: return ratio(g, v);
    case QS_COUNT: return doc_keep(g->d, "%.0f", v);
    case QS_MONEY: return amount(g, v);
    case QS_SECONDS: return span(g, v);
    case QS_DAYS: return doc_keep(g->d, "%.1f", v);
    }
    return "-";
}

/* tile adds a figure to be seen first. */
static void tile(const struct page *g, struct doc_block *b, const char *name, const char *tip,
                 const char *shown, enum doc_tone tone, const char *below) {
    doc_cell(g->d, b, (struct doc_cell){ .text = name, .tip = tip });
    doc_cell(g->d, b, (struct doc_cell){ .text = shown, .tip = below, .tone = tone });
}

/* selected says whether the declared thresholds were passed: one line and a table. */
static void selected(const struct page *g, const struct report_value *curve) {
    static const char *const heads[] = { "Threshold", ">Required", ">Reached", "Result", NULL };
    const struct report_value *s = report_json_get(g->j, curve, "selection");
    uint32_t cnt = 0, failed = 0;
    if (!s) return;
    for (const struct report_value *v = first(g, s, "thresholds"); v; v = next(g, v)) {
        cnt++;
        failed += number(g, v, "pass") == 0;
    }
    struct doc_block *b = doc_add(g->d, DOC_CALLOUT, "");
    b->tone = failed ? DOC_LOSS : DOC_GAIN;
    b->note = failed
                  ? doc_keep(g->d, "Selection: not chosen, fails %u of %u thresholds", failed, cnt)
                  : doc_keep(g->d, "Selection: chosen, passes all %u thresholds", cnt);
    b = table(g, "", heads);
    for (const struct report_value *v = first(g, s, "thresholds"); v; v = next(g, v)) {
        const char *name = text(g, v, "figure"), *label = name;
        int idx = qs_figure_find(name);
        double limit = number(g, v, "value");
        bool pass = number(g, v, "pass") != 0;
        for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
            if (labels[i].figure && strcmp(labels[i].figure, name) == 0) label = labels[i].label;
        doc_cell(g->d, b, (struct doc_cell){ .text = label, .tip = tip_of(g, name) });
        value(g, b,
              doc_keep(g->d, "%s %s", text(g, v, "op"),
                       idx >= 0 && qs_figure_table[idx].unit == QS_PART ? part(g, limit, false)
                                                                        : amount(g, limit)),
              DOC_FG);
        value(g, b, figure(g, curve, name), DOC_FG);
        doc_cell(g->d, b,
                 (struct doc_cell){ .text = pass ? "passes" : "FAILS",
                                    .tone = pass ? DOC_GAIN : DOC_LOSS });
    }
}

/* seen_first adds the figures that tell the run in ten seconds. */
static void seen_first(const struct page *g, const struct report_value *curve) {
    const struct report_value *f = report_json_get(g->j, curve, "figures");
    const struct report_value *deepest = first(g, curve, "drawdowns"), *worst = NULL;
    const char *quote = text(g, curve, "quote");
    const struct page_line *equity = page_data_line(&g->p, "equity", text(g, curve, "curve"));
    for (const struct report_value *v = first(g, curve, "months"); v; v = next(g, v))
        if (!worst || number(g, v, "return") < number(g, worst, "return")) worst = v;
    struct doc_block *b = doc_add(g->d, DOC_TILES, "");
    double ret = number(g, f, "total_return"), hold = number(g, f, "benchmark_return"),
           month = number(g, f, "worst_month"), fall = number(g, f, "max_drawdown");
    tile(g, b, "Return", tip_of(g, "total_return"), part(g, ret, true), tone(ret),
         hold - hold == 0 ? doc_keep(g->d, "buy and hold %s", part(g, hold, true)) : "");
    tile(g, b, "Max drawdown", tip_of(g, "max_drawdown"), part(g, fall, false),
         fall > 0 ? DOC_LOSS : DOC_FG,
         deepest ? doc_keep(g->d, "%s to %s",
                            day(g, report_json_whole(g->j, deepest, "peak_ns", INT64_MIN)),
                            day(g, report_json_whole(g->j, deepest, "trough_ns", INT64_MIN)))
                 : "it never fell");
    tile(g, b, "Worst month", tip_of(g, "worst_month"), part(g, month, true), tone(month),
         worst && month - month == 0
             ? doc_keep(g->d, "%" PRId64 "-%02" PRId64, report_json_whole(g->j, worst, "year", 0),
                        report_json_whole(g->j, worst, "month", 0))
             : "");
    double sharpe = number(g, f, "sharpe"), mean = number(g, f, "expectancy");
    tile(g, b, "Sharpe", tip_of(g, "sharpe"), ratio(g, sharpe), DOC_FG,
         !(sharpe - sharpe == 0)
             ? "none: nothing moved"
             : doc_keep(g->d, "Sortino %s, Calmar %s", ratio(g, number(g, f, "sortino")),
                        ratio(g, number(g, f, "calmar"))));
    tile(g, b, "Volatility a year", tip_of(g, "volatility"),
         part(g, number(g, f, "volatility"), false), DOC_FG,
         doc_keep(g->d, "worst day %s", part(g, number(g, f, "worst_day"), true)));
    const char *worth =
        equity && equity->cnt ? amount(g, equity->points[equity->cnt - 1].value) : "-";
    for (const struct report_value *a = first(g, g->j->values, "accounts"); a; a = next(g, a))
        if (strcmp(text(g, a, "account"), text(g, curve, "curve")) == 0)
            worth = cash(g, text(g, a, "equity"));
    tile(g, b, doc_keep(g->d, "Equity, %s", quote), "What it is worth at the end.", worth, DOC_FG,
         equity && equity->cnt ? doc_keep(g->d, "from %s", amount(g, equity->points[0].value))
                               : "");
    tile(g, b, "Round trips", tip_of(g, "trades"), figure(g, curve, "trades"), DOC_FG,
         !(mean - mean == 0)
             ? doc_keep(g->d, "%s in the market", part(g, number(g, f, "exposure"), false))
             : doc_keep(g->d, "%s won, %s in the market", part(g, number(g, f, "win_rate"), false),
                        part(g, number(g, f, "exposure"), false)));
    tile(g, b, "Profit factor", tip_of(g, "profit_factor"), figure(g, curve, "profit_factor"),
         DOC_FG,
         !(mean - mean == 0) ? ""
                             : doc_keep(g->d, "%s a trade, fees %s", figure(g, curve, "expectancy"),
                                        figure(g, curve, "fees")));
}

/* equity_chart draws equity with its deepest falls, and buy and hold. */
static void equity_chart(const struct page *g, const struct report_value *curve) {
    const char *name = text(g, curve, "curve");
    const struct page_line *line = page_data_line(&g->p, "equity", name);
    const struct page_days *days = page_data_days(&g->p, name);
    struct chart_shade shades[5];
    size_t shade_cnt = 0, points = 0;
    if (!line || line->cnt < 2) return;
    int64_t last_ns = line->points[line->cnt - 1].time_ns;
    for (const struct report_value *v = first(g, curve, "drawdowns"); v && shade_cnt < 5;
         v = next(g, v)) {
        int64_t from = report_json_whole(g->j, v, "peak_ns", INT64_MIN),
                until = report_json_whole(g->j, v, "recovery_ns", last_ns);
        shades[shade_cnt++] = (struct chart_shade){ from, until,
                                                    doc_keep(g->d, "fall of %s, %s to %s",
                                                             part(g, number(g, v, "depth"), false),
                                                             day(g, from), day(g, until)) };
    }
    struct chart_point *hold = days ? malloc((days->cnt + 1) * sizeof *hold) : NULL;
    for (size_t i = 0; hold && i < days->cnt; i++) {
        double b = days->days[i].benchmark;
        if (!(b - b == 0)) continue;
        if (points == 0)
            hold[points++] = (struct chart_point){ line->points[0].time_ns, line->points[0].value };
        int64_t at = days->days[i].close_ns;
        hold[points++] =
            (struct chart_point){ at < last_ns ? at : last_ns, b * line->points[0].value };
    }
    const struct chart_series series[] = {
        { .name = "buy and hold", .points = hold, .cnt = points, .tone = DOC_OTHER },
        { .name = doc_keep(g->d, "equity, %s", text(g, curve, "quote")),
          .points = line->points,
          .cnt = line->cnt,
          .tone = DOC_MAIN },
    };
    doc_add(g->d, DOC_HEADING, doc_keep(g->d, "Equity: %s", name));
    chart_time(g->d, &(struct chart){ .label = doc_keep(g->d, "Equity of %s", name),
                                      .unit = CHART_NUMBER,
                                      .first_ns = line->points[0].time_ns,
                                      .last_ns = last_ns,
                                      .height = 320,
                                      .ratio = true,
                                      .series = series,
                                      .series_cnt = 2,
                                      .shades = shades,
                                      .shade_cnt = shade_cnt });
    free(hold);
    doc_add(g->d, DOC_NOTE,
            shade_cnt ? "Shaded: the five deepest falls, from the peak till they were made good."
                      : "");
}

/* line_chart draws a line of charts.csv; false when it is not there. */
static void line_chart(const struct page *g, const char *heading, const char *note,
                       const char *chart, const char *name, enum chart_unit unit,
                       enum doc_tone tone, bool down) {
    const struct page_line *line = page_data_line(&g->p, chart, name);
    double most = 0;
    for (size_t i = 0; line && i < line->cnt; i++)
        if (fabs(line->points[i].value) > most) most = fabs(line->points[i].value);
    if (!line || line->cnt < 2 || most == 0) return;
    struct chart_point *turned = malloc(line->cnt * sizeof *turned);
    if (!turned) {
        g->d->failed = true;
        return;
    }
    for (size_t i = 0; i < line->cnt; i++)
        turned[i] = (struct chart_point){ line->points[i].time_ns,
                                          down ? -line->points[i].value : line->points[i].value };
    const struct chart_series series = {
        .points = turned, .cnt = line->cnt, .tone = tone, .area = true, .step = !down
    };
    doc_add(g->d, DOC_HEADING, heading);
    chart_time(g->d, &(struct chart){ .label = heading,
                                      .unit = unit,
                                      .first_ns = line->points[0].time_ns,
                                      .last_ns = line->points[line->cnt - 1].time_ns,
                                      .height = 180,
                                      .zero = true,
                                      .series = &series,
                                      .series_cnt = 1 });
    if (note[0]) doc_add(g->d, DOC_NOTE, note);
    free(turned);
}

/* rolling draws the rolling Sharpe ratio. */
static void rolling(const struct page *g, const struct report_value *curve) {
    const struct page_days *days = page_data_days(&g->p, text(g, curve, "curve"));
    int64_t window =
        report_json_whole(g->j, report_json_get(g->j, g->stats, "basis"), "rolling_days", 0);
    size_t known = 0;
    struct chart_point *points = days ? malloc((days->cnt + 1) * sizeof *points) : NULL;
    doc_add(g->d, DOC_HEADING, "Rolling Sharpe");
    for (size_t i = 0; points && i < days->cnt; i++) {
        points[i] = (struct chart_point){ days->days[i].close_ns, days->days[i].rolling_sharpe };
        known += points[i].value - points[i].value == 0;
    }
    if (known >= 2) {
        const struct chart_series series = { .points = points, .cnt = days->cnt, .tone = DOC_MAIN };
        chart_time(g->d, &(struct chart){ .label = "Rolling Sharpe ratio",
                                          .unit = CHART_NUMBER,
                                          .first_ns = points[0].time_ns,
                                          .last_ns = points[days->cnt - 1].time_ns,
                                          .height = 180,
                                          .zero = true,
                                          .series = &series,
                                          .series_cnt = 1 });
        doc_add(g->d, DOC_NOTE, doc_keep(g->d, "Over the last %" PRId64 " days, a year.", window));
    } else {
        doc_add(g->d, DOC_NOTE,
                doc_keep(g->d, "The run is shorter than the window of %" PRId64 " days.", window));
    }
    free(points);
}

/* months draws the heat map and lists the years. */
static void months(const struct page *g, const struct report_value *curve) {
    static const char *const heads[] = {
        "Year",         ">Return", ">Buy and hold", ">Max drawdown", ">Sharpe",
        ">Round trips", ">Won",    ">Net P&L",      ">Fees",         NULL
    };
    size_t cnt = 0;
    for (int k = 0; k < 2; k++)
        for (const struct report_value *v = first(g, curve, k ? "years" : "months"); v;
             v = next(g, v))
            cnt++;
    struct chart_month *list = calloc(cnt + 1, sizeof *list);
    if (!list || cnt == 0) {
        g->d->failed = g->d->failed || !list;
        free(list);
        return;
    }
    cnt = 0;
    for (int k = 0; k < 2; k++)
        for (const struct report_value *v = first(g, curve, k ? "years" : "months"); v;
             v = next(g, v)) {
            int64_t year = report_json_whole(g->j, v, "year", 0),
                    month = report_json_whole(g->j, v, "month", 0);
            if (year >= 1900 && year <= 2090 && month >= 0 && month <= 12) /* else damaged */
                list[cnt++] = (struct chart_month){ (int)year, (int)month, number(g, v, "return") };
        }
    doc_add(g->d, DOC_HEADING, "Months");
    chart_heat(g->d, "Returns by month, per cent", list, cnt);
    doc_add(g->d, DOC_NOTE,
            "Per cent. Months are calendar months, UTC; the first and the last as "
            "far as the run goes.");
    free(list);
    struct doc_block *b = table(g, "", heads);
    for (const struct report_value *v = first(g, curve, "years"); v; v = next(g, v)) {
        double ret = number(g, v, "return"), trades = number(g, v, "trades");
        cell(g, b, text(g, v, "year"));
        value(g, b, part(g, ret, true), tone(ret));
        value(g, b, part(g, number(g, v, "benchmark_return"), true), DOC_FG);
        value(g, b, part(g, number(g, v, "max_drawdown"), false), DOC_FG);
        value(g, b, ratio(g, number(g, v, "sharpe")), DOC_FG);
        value(g, b, doc_keep(g->d, "%.0f", trades), DOC_FG);
        value(g, b, doc_keep(g->d, "%.0f", number(g, v, "wins")), DOC_FG);
        value(g, b, amount(g, number(g, v, "pnl")), tone(number(g, v, "pnl")));
        value(g, b, amount(g, number(g, v, "fees")), DOC_FG);
    }
}

/* distribution draws the histogram of daily returns. */
static void distribution(const struct page *g, const struct report_value *curve) {
    struct chart_bar bars[100];
    size_t cnt = 0;
    for (const struct report_value *v = first(g, curve, "histogram"); v && cnt < 100;
         v = next(g, v))
        bars[cnt++] =
            (struct chart_bar){ number(g, v, "from"), number(g, v, "until"), number(g, v, "days") };
    if (cnt == 0) return;
    doc_add(g->d, DOC_HEADING, "Distribution of daily returns");
    if (cnt == 1) { /* a bar as wide as the page tells nothing */
        doc_add(g->d, DOC_NOTE,
                doc_keep(g->d, "All %.0f days returned between %s and %s.", bars[0].cnt,
                         part(g, bars[0].from, true), part(g, bars[0].until, true)));
        return;
    }
    chart_histogram(g->d, "Histogram of daily returns", bars, cnt);
    doc_add(g->d, DOC_NOTE, "Days by return.");
}

/* falls lists the deepest drawdowns. */
static void falls(const struct page *g, const struct report_value *curve) {
    static const char *const heads[] = { "Peak",  "Trough", "Made good", ">Depth",
                                         ">From", ">To",    ">Days",     NULL };
    if (!first(g, curve, "drawdowns")) return;
    doc_add(g->d, DOC_HEADING, "Drawdowns");
    struct doc_block *b = table(g, "", heads);
    int64_t last_ns = report_json_whole(g->j, curve, "last_ns", 0);
    for (const struct report_value *v = first(g, curve, "drawdowns"); v; v = next(g, v)) {
        int64_t peak = report_json_whole(g->j, v, "peak_ns", INT64_MIN),
                good = report_json_whole(g->j, v, "recovery_ns", INT64_MIN);
        cell(g, b, day(g, peak));
        cell(g, b, day(g, report_json_whole(g->j, v, "trough_ns", INT64_MIN)));
        cell(g, b, good == INT64_MIN ? "not yet" : day(g, good));
        value(g, b, part(g, number(g, v, "depth"), false), DOC_LOSS);
        value(g, b, amount(g, number(g, v, "peak")), DOC_FG);
        value(g, b, amount(g, number(g, v, "trough")), DOC_FG);
        value(g, b,
              peak == INT64_MIN /* a damaged file */
                  ? "-"
                  : doc_keep(g->d, "%.1f",
                             (double)((good == INT64_MIN ? last_ns : good) - peak) / 86400e9),
              DOC_FG);
    }
}

/* by_size orders pointers to trades, the largest result first; equals as they came. */
static int by_size(const void *a, const void *b) {
    const struct page_trade *x = *(const struct page_trade *const *)a,
                            *y = *(const struct page_trade *const *)b;
    if (fabs(x->pnl) != fabs(y->pnl)) return fabs(x->pnl) > fabs(y->pnl) ? -1 : 1;
    return x < y ? -1 : x > y;
}
/* by_result orders them, the worst first. */
static int by_result(const void *a, const void *b) {
    const struct page_trade *x = *(const struct page_trade *const *)a,
                            *y = *(const struct page_trade *const *)b;
    if (x->pnl != y->pnl) return x->pnl < y->pnl ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* trade_tip says all about a trade. */
static const char *trade_tip(const struct page *g, const struct page_trade *t) {
    return doc_keep(g->d, "%s %s: %s %s at %s, %s; out at %s, %s; net %s", t->strategy,
                    t->instrument, t->is_short ? "sold" : "bought", amount(g, t->quantity),
                    amount(g, t->entry), minute(g, t->entry_ns), amount(g, t->exit),
                    minute(g, t->exit_ns), amount(g, t->pnl));
}

/* price_chart draws the round trips in list, cnt of all, on the price of an instrument. */
static void price_chart(const struct page *g, const char *instrument,
                        const struct page_trade **list, size_t all, int64_t first_ns,
                        int64_t last_ns) {
    const struct page_line *line = page_data_line(&g->p, "price", instrument);
    size_t cnt = all < MARKED_MAX ? all : MARKED_MAX;
    struct chart_trade *marks = calloc(cnt + 1, sizeof *marks);
    if (!marks) {
        g->d->failed = true;
        return;
    }
    if (all > MARKED_MAX) qsort(list, all, sizeof *list, by_size);
    for (size_t i = 0; i < cnt; i++)
        marks[i] = (struct chart_trade){ .entry_ns = list[i]->entry_ns,
                                         .exit_ns = list[i]->exit_ns,
                                         .entry = list[i]->entry,
                                         .exit = list[i]->exit,
                                         .is_short = list[i]->is_short,
                                         .won = list[i]->pnl > 0,
                                         .tip = trade_tip(g, list[i]) };
    const struct chart_series series = { .points = line ? line->points : NULL,
                                         .cnt = line ? line->cnt : 0,
                                         .tone = DOC_SOFT };
    doc_add(g->d, DOC_HEADING, doc_keep(g->d, "Trades on price: %s", instrument));
    chart_time(g->d,
               &(struct chart){ .label = doc_keep(g->d, "Trades on the price of %s", instrument),
                                .unit = CHART_NUMBER,
                                .first_ns = first_ns,
                                .last_ns = last_ns,
                                .height = 320,
                                .ratio = true,
                                .series = &series,
                                .series_cnt = 1,
                                .trades = marks,
                                .trade_cnt = cnt });
    free(marks);
    const char *which =
        cnt < all
            ? doc_keep(g->d, "The %zu of %zu round trips with the largest results. ", cnt, all)
            : "";
    doc_add(g->d, DOC_NOTE,
            doc_keep(g->d,
                     "%sTriangle: entry, up = bought, down = sold; dot: exit; green earned, red "
                     "lost.%s",
                     which, line ? "" : " Without rows of prices: fills alone."));
}

/* prices draws the instruments that were traded, the most traded first. */
static void prices(const struct page *g) {
    const struct page_trade *t = g->p.trades;
    size_t n = g->p.trade_cnt, shown = 0;
    int64_t first_ns = report_json_whole(g->j, g->j->values, "first_ns", 0),
            last_ns = report_json_whole(g->j, g->j->values, "last_ns", 0);
    if (n == 0) return;
    const char **names = calloc(n, sizeof *names);
    size_t *counts = calloc(n, sizeof *counts), name_cnt = 0;
    const struct page_trade **list = calloc(n, sizeof *list);
    for (size_t i = 0; names && counts && list && i < n; i++) {
        size_t k = 0;
        while (k < name_cnt && strcmp(names[k], t[i].instrument) != 0) k++;
        if (k == name_cnt) names[name_cnt++] = t[i].instrument;
        counts[k]++;
    }
    for (; shown < PRICES_MAX && list; shown++) {
        size_t best = 0, cnt = 0;
        for (size_t k = 1; k < name_cnt; k++)
            if (counts[k] > counts[best]) best = k;
        if (name_cnt == 0 || counts[best] == 0) break;
        for (size_t i = 0; i < n; i++)
            if (strcmp(t[i].instrument, names[best]) == 0) list[cnt++] = &t[i];
        price_chart(g, names[best], list, cnt, first_ns, last_ns);
        counts[best] = 0;
    }
    if (shown < name_cnt)
        doc_add(g->d, DOC_NOTE,
                doc_keep(g->d, "%zu instruments were traded; shown are the %zu most traded.",
                         name_cnt, shown));
    if (!names || !counts || !list) g->d->failed = true;
    free(names);
    free(counts);
    free(list);
}

/* trade_rows lists round trips. */
static void trade_rows(const struct page *g, const char *name, bool folded,
                       const struct page_trade *const *list, size_t cnt) {
    static const char *const heads[] = {
        ">Net P&L",
        "Entry",
        "Exit",
        "Strategy",
        "Instrument",
        "Side",
        ">Quantity",
        ">In",
        ">Out",
        ">Fee",
        ">MAE|How far the price went against it at worst, of its entry price",
        ">MFE|How far the price went its way at best, of its entry price",
        NULL
    };
    struct doc_block *b = table(g, name, heads);
    b->folded = folded;
    for (size_t i = 0; i < cnt; i++) {
        const struct page_trade *t = list[i];
        value(g, b, amount(g, t->pnl), tone(t->pnl));
        cell(g, b, minute(g, t->entry_ns));
        cell(g, b, minute(g, t->exit_ns));
        cell(g, b, t->strategy);
        cell(g, b, t->instrument);
        cell(g, b, t->is_short ? "short" : "long");
        value(g, b, amount(g, t->quantity), DOC_FG);
        value(g, b, amount(g, t->entry), DOC_FG);
        value(g, b, amount(g, t->exit), DOC_FG);
        value(g, b, amount(g, t->fee), DOC_FG);
        value(g, b, part(g, t->mae, false), DOC_FG);
        value(g, b, part(g, t->mfe, false), DOC_FG);
    }
}

/* trades shows how far trades went against their result, the worst and best, and all. */
static void trades(const struct page *g) {
    static const char *const no_short[] = { "Side",        ">Round trips", ">Won",
                                            ">Net P&L",    ">Fees",        ">Profit factor",
                                            ">Expectancy", ">Payoff",      ">Held, mean",
                                            NULL };
    size_t n = g->p.trade_cnt;
    doc_add(g->d, DOC_HEADING, "Trades");
    if (n == 0) {
        doc_add(g->d, DOC_TEXT,
                g->p.trades_known ? "No round trip was closed in this run."
                                  : "This directory has no trades.csv.");
        return;
    }
    for (const struct report_value *c = first(g, g->stats, "curves"), *last = NULL; c || last;
         c = next(g, c)) {
        last = c;
        if (!c) break;
        if (next(g, c)) continue; /* the last curve: of all */
        struct doc_block *b = table(g, "", no_short);
        for (int k = 0; k < 2; k++) {
            const struct report_value *s = report_json_get(g->j, c, k ? "short" : "long");
            cell(g, b, k ? "short" : "long");
            value(g, b, doc_keep(g->d, "%.0f", number(g, s, "trades")), DOC_FG);
            value(g, b, part(g, number(g, s, "win_rate"), false), DOC_FG);
            value(g, b, amount(g, number(g, s, "pnl")), tone(number(g, s, "pnl")));
            value(g, b, amount(g, number(g, s, "fees")), DOC_FG);
            value(g, b, ratio(g, number(g, s, "profit_factor")), DOC_FG);
            value(g, b, amount(g, number(g, s, "expectancy")), DOC_FG);
            value(g, b, ratio(g, number(g, s, "payoff")), DOC_FG);
            value(g, b, span(g, number(g, s, "hold_mean")), DOC_FG);
        }
    }
    const struct page_trade **list = calloc(n, sizeof *list);
    struct chart_dot *dots = calloc(n, sizeof *dots);
    size_t known = 0;
    if (!list || !dots) {
        g->d->failed = true;
        free(list);
        free(dots);
        return;
    }
    for (size_t i = 0; i < n; i++) list[i] = &g->p.trades[i];
    qsort(list, n, sizeof *list, by_size);
    for (size_t i = 0; i < n && known < DOTS_MAX; i++)
        if (list[i]->mae - list[i]->mae == 0 && list[i]->pnl - list[i]->pnl == 0)
            dots[known++] = (struct chart_dot){ list[i]->mae, list[i]->pnl, trade_tip(g, list[i]) };
    if (known >= 2) {
        chart_scatter(g->d, "Result of each round trip by how far it went against it",
                      "how far the price went against it (MAE)", "net P&L", dots, known);
        doc_add(g->d, DOC_NOTE,
                doc_keep(g->d, "A dot a round trip%s. Far right and green: sat through a loss.",
                         known < n ? ", those with the largest results" : ""));
    }
    if (n > 10) {
        size_t few = n / 2 < 5 ? n / 2 : 5;
        qsort(list, n, sizeof *list, by_result);
        trade_rows(g, "Worst", false, list, few);
        for (size_t i = 0; i < few; i++) { /* the best first */
            const struct page_trade *t = list[n - few];
            memmove(list + n - few, list + n - few + 1, (few - 1) * sizeof *list);
            list[n - 1] = t;
            qsort(list + n - few, few, sizeof *list, by_size);
        }
        trade_rows(g, "Best", false, list + n - few, few);
    }
    for (size_t i = 0; i < n; i++) list[i] = &g->p.trades[i];
    size_t shown = n < LISTED_MAX ? n : LISTED_MAX;
    trade_rows(g,
               n <= LISTED_MAX
                   ? doc_keep(g->d, "All %zu round trip%s", n, n == 1 ? "" : "s")
                   : doc_keep(g->d, "The last %zu of %zu round trips (all: trades.csv)", shown, n),
               n > 10, list + n - shown, shown);
    free(list);
    free(dots);
}

/* kinds_of_market shows the figures by regime. */
static void kinds_of_market(const struct page *g, const struct report_value *curve) {
    static const char *const heads[] = {
        "Market",        ">Days",        ">Return", ">Buy and hold", ">Sharpe", ">Volatility",
        ">Max drawdown", ">Round trips", ">Won",    ">Net P&L",      NULL
    };
    static const char *const names[][2] = {
        { "unknown", "not known yet" },        { "bull_low", "rising, calm" },
        { "bull_high", "rising, wild" },       { "sideways_low", "sideways, calm" },
        { "sideways_high", "sideways, wild" }, { "bear_low", "falling, calm" },
        { "bear_high", "falling, wild" }
    };
    double known = 0;
    for (const struct report_value *v = first(g, curve, "regimes"); v; v = next(g, v))
        if (strcmp(text(g, v, "regime"), "unknown") != 0) known += number(g, v, "days");
    doc_add(g->d, DOC_HEADING, "By kind of market");
    if (!(known > 0)) {
        doc_add(g->d, DOC_NOTE,
                "The run is too short to tell kinds of market apart, or has no prices.");
        return;
    }
    const char *failed = "";
    struct doc_block *b = table(g, "", heads);
    for (const struct report_value *v = first(g, curve, "regimes"); v; v = next(g, v)) {
        const char *name = text(g, v, "regime");
        double ret = number(g, v, "return");
        if (number(g, v, "days") == 0) continue;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (strcmp(names[i][0], name) == 0) {
                name = names[i][1];
                break;
            }
        cell(g, b, name);
        value(g, b, doc_keep(g->d, "%.0f", number(g, v, "days")), DOC_FG);
        value(g, b, part(g, ret, true), tone(ret));
        value(g, b, part(g, number(g, v, "benchmark_return"), true), DOC_FG);
        value(g, b, ratio(g, number(g, v, "sharpe")), DOC_FG);
        value(g, b, part(g, number(g, v, "volatility"), false), DOC_FG);
        value(g, b, part(g, number(g, v, "max_drawdown"), false), DOC_FG);
        value(g, b, doc_keep(g->d, "%.0f", number(g, v, "trades")), DOC_FG);
        value(g, b, doc_keep(g->d, "%.0f", number(g, v, "wins")), DOC_FG);
        value(g, b, amount(g, number(g, v, "pnl")), tone(number(g, v, "pnl")));
        if (ret < 0 && strcmp(text(g, v, "regime"), "unknown") != 0)
            failed = doc_keep(g->d, "%s%s%s (%s in %.0f days)", failed, *failed ? "; " : "", name,
                              part(g, ret, true), number(g, v, "days"));
    }
    doc_add(g->d, DOC_TEXT,
            *failed ? doc_keep(g->d, "It failed in: %s.", failed)
                    : "It lost in no kind of market.");
    doc_add(
        g->d, DOC_NOTE,
        doc_keep(g->d,
                 "%s. Returns are those of the days; round trips count where they were entered, "
                 "with all they came to.",
                 text(g, report_json_get(g->j, g->stats, "basis"), "regimes")));
}

/* passed adds to a table how many thresholds of a selection (NULL = none) were passed, and which
 * were not. */
static void passed(const struct page *g, struct doc_block *b,
                   const struct report_value *selection) {
    uint32_t cnt = 0, fails = 0;
    const char *which = "";
    for (const struct report_value *v = first(g, selection, "thresholds"); v; v = next(g, v)) {
        cnt++;
        if (number(g, v, "pass") > 0) continue;
        which = doc_keep(g->d, "%s%s%s", which, fails++ > 0 ? ", " : "", text(g, v, "figure"));
    }
    const char *told = cnt == 0    ? "-"
                       : fails > 0 ? doc_keep(g->d, "%u of %u; fails %s", cnt - fails, cnt, which)
                                   : doc_keep(g->d, "all %u", cnt);
    doc_cell(g->d, b,
             (struct doc_cell){ .text = told,
                                .tone = cnt == 0    ? DOC_FG
                                        : fails > 0 ? DOC_LOSS
                                                    : DOC_GAIN });
}

/* portfolio shows what each strategy brought and how they move together. */
static void portfolio(const struct page *g) {
    const char *heads[] = {
        "Strategy",
        ">To the return|Its part of the portfolio's return; the parts add up to it",
        ">To the volatility|Its part of the portfolio's volatility a year; the parts add up to it",
        ">Own volatility|Scatter of its daily parts, a year",
        ">In the deepest fall|What it brought in the portfolio's deepest fall of daily closes",
        "Thresholds|By itself: the curve its daily parts alone would make, and its trades",
        NULL
    };
    const struct report_value *p = report_json_get(g->j, g->stats, "portfolio");
    uint32_t cnt = 0;
    bool chosen = false; /* thresholds are declared */
    for (const struct report_value *v = first(g, p, "strategies"); v; v = next(g, v), cnt++)
        chosen = chosen || report_json_get(g->j, v, "selection") != NULL;
    if (cnt == 0) return;
    if (!chosen) heads[5] = NULL;
    doc_add(g->d, DOC_HEADING, "Who brought it");
    struct doc_block *b = table(g, "", heads);
    for (const struct report_value *v = first(g, p, "strategies"); v; v = next(g, v)) {
        double ret = number(g, v, "contribution_return");
        cell(g, b, text(g, v, "strategy"));
        value(g, b, part(g, ret, true), tone(ret));
        value(g, b, part(g, number(g, v, "contribution_volatility"), false), DOC_FG);
        value(g, b, part(g, number(g, v, "volatility"), false), DOC_FG);
        value(g, b, part(g, number(g, v, "contribution_drawdown"), true),
              tone(number(g, v, "contribution_drawdown")));
        if (chosen) passed(g, b, report_json_get(g->j, v, "selection"));
    }
    cell(g, b, "portfolio");
    value(g, b, part(g, number(g, p, "return"), true), DOC_FG);
    value(g, b, part(g, number(g, p, "volatility"), false), DOC_FG);
    value(g, b, part(g, number(g, p, "sum_of_volatility"), false), DOC_FG);
    value(g, b, part(g, -number(g, p, "max_drawdown"), true), DOC_FG);
    if (chosen) cell(g, b, "");
    if (cnt < 2) return;
    const char *columns[MATRIX_MAX + 2] = { "Correlation" }; /* names are long: numbers */
    uint32_t n = 0;
    for (const struct report_value *v = first(g, p, "strategies"); v && n < MATRIX_MAX;
         v = next(g, v), n++)
        columns[n + 1] = doc_keep(g->d, ">%u|%s", n + 1, text(g, v, "strategy"));
    columns[n + 1] = NULL;
    b = table(g, "", columns);
    uint32_t i = 0;
    for (const struct report_value *v = first(g, p, "strategies"); v && i < n;
         v = next(g, v), i++) {
        uint32_t k = 0;
        cell(g, b, doc_keep(g->d, "%u  %s", i + 1, text(g, v, "strategy")));
        for (const struct report_value *c = first(g, v, "correlation"); k < n; k++) {
            value(g, b, ratio(g, c ? c->number : NAN), DOC_FG);
            c = next(g, c);
        }
    }
    doc_add(g->d, DOC_NOTE,
            doc_keep(g->d, "Of daily parts; mean of the pairs %s%s.",
                     ratio(g, number(g, p, "mean_correlation")),
                     cnt > n ? doc_keep(g->d, "; the first %u of %u strategies", n, cnt) : ""));
}

/* accounts compares the accounts. */
static void accounts(const struct page *g) {
    static const char *const heads[] = { "Account",      ">Start",        ">Equity",
                                         ">Return",      ">Max drawdown", ">Realized",
                                         ">Unrealized",  ">Fees",         ">Funding",
                                         ">Round trips", ">Liquidations", NULL };
    doc_add(g->d, DOC_HEADING, "Accounts");
    struct doc_block *b = table(g, "", heads);
    for (const struct report_value *a = first(g, g->j->values, "accounts"); a; a = next(g, a)) {
        static const char *const money[] = { "realized_pnl", "unrealized_pnl", "fees", "funding" };
        double ret = number(g, a, "return");
        cell(g, b, doc_keep(g->d, "%s (%s)", text(g, a, "account"), text(g, a, "quote")));
        value(g, b, cash(g, text(g, a, "start")), DOC_FG);
        value(g, b, cash(g, text(g, a, "equity")), DOC_FG);
        value(g, b, part(g, ret, true), tone(ret));
        value(g, b, part(g, number(g, a, "max_drawdown"), false), DOC_FG);
        for (int i = 0; i < 4; i++) value(g, b, cash(g, text(g, a, money[i])), DOC_FG);
        value(g, b, doc_keep(g->d, "%.0f", number(g, a, "trades")), DOC_FG);
        value(g, b, doc_keep(g->d, "%.0f", number(g, a, "liquidations")), DOC_FG);
    }
    for (const struct report_value *a = first(g, g->j->values, "accounts"); a; a = next(g, a)) {
        const struct report_value *f = report_json_get(g->j, a, "fee_asset");
        if (!f) continue;
        doc_add(g->d, DOC_NOTE,
                doc_keep(g->d, "%s pays fees in %s: %s left, worth %s %s; at the start %s.",
                         text(g, a, "account"), text(g, f, "asset"), text(g, f, "balance"),
                         cash(g, text(g, f, "worth")), text(g, a, "quote"),
                         cash(g, text(g, f, "worth_at_start"))));
    }
}

/* books lists the venue's books. */
static void books(const struct page *g) {
    static const char *const heads[] = {
        "Asset", ">Fees", ">Funding", ">Insurance fund", ">At start", ">Left by rounding", NULL
    };
    if (!first(g, g->j->values, "venue")) return;
    doc_add(g->d, DOC_HEADING, "Venue's books");
    struct doc_block *b = table(g, "", heads);
    for (const struct report_value *a = first(g, g->j->values, "venue"); a; a = next(g, a)) {
        const char *start = text(g, a, "insurance_fund_start");
        cell(g, b, text(g, a, "asset"));
        value(g, b, cash(g, text(g, a, "fees")), DOC_FG);
        value(g, b, cash(g, text(g, a, "funding")), DOC_FG);
        value(g, b, cash(g, text(g, a, "insurance_fund")), DOC_FG);
        value(g, b, *start ? cash(g, start) : "", DOC_FG);
        value(g, b, text(g, a, "rounding"), DOC_FG);
    }
}

/* all_figures lists every figure of every curve. */
static void all_figures(const struct page *g) {
    const struct report_value *curves[CURVES_MAX];
    const char *heads[CURVES_MAX + 2] = { "" };
    uint32_t cnt = 0;
    for (const struct report_value *c = first(g, g->stats, "curves"); c && cnt < CURVES_MAX;
         c = next(g, c)) {
        heads[cnt + 1] = doc_keep(g->d, ">%s", text(g, c, "curve"));
        curves[cnt++] = c;
    }
    heads[cnt + 1] = NULL;
    doc_add(g->d, DOC_HEADING, "Figures");
    struct doc_block *b = NULL;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (!labels[i].figure) {
            heads[0] = labels[i].label;
            b = table(g, "", heads);
            b->half = cnt <= 2;
            continue;
        }
        doc_cell(g->d, b,
                 (struct doc_cell){ .text = labels[i].label, .tip = tip_of(g, labels[i].figure) });
        for (uint32_t k = 0; k < cnt; k++)
            value(g, b, figure(g, curves[k], labels[i].figure), DOC_FG);
    }
}

/* counts writes what became of orders. */
static void counts(const struct page *g) {
    static const char *const lists[][2] = {
        { "orders_by_status", "Orders by status" },
        { "refused_by_reason", "Refused for" },
        { "canceled_or_expired_by_reason", "Canceled or expired for" },
        { "signals_without_order_by_reason", "Signals without an order for" }
    };
    static const char *const heads[] = { "Orders", "", NULL };
    struct doc_block *b = table(g, "", heads);
    cell(g, b, "Orders, fills");
    cell(g, b,
         doc_keep(g->d, "%s, %s", text(g, g->j->values, "orders"), text(g, g->j->values, "fills")));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const char *all = "";
        for (const struct report_value *v = first(g, g->j->values, lists[i][0]); v; v = next(g, v))
            all = doc_keep(g->d, "%s%s%s %.0f", all, all[0] ? ", " : "", v->key, v->number);
        if (!all[0]) continue;
        cell(g, b, lists[i][1]);
        cell(g, b, all);
    }
    cell(g, b, "Ended by");
    cell(g, b, text(g, g->j->values, "ended_by"));
}

/* assumptions tells how the run was made: rules, costs, versions and hashes. */
static void assumptions(const struct page *g) {
    static const char *const costs[] = { "Instrument",     "Symbol",     "Kind",
                                         ">Maker fee",     ">Taker fee", ">Slippage, bps",
                                         ">Participation", ">Tick",      ">Lot",
                                         ">Min notional",  NULL };
    static const char *const made[] = { "Made of", "", NULL };
    static const char *const keys[][2] = { { "config_hash", "Configuration" },
                                           { "build", "Program" },
                                           { "seed", "Seed" },
                                           { "clock", "Clock" },
                                           { "equity_interval_ns", "Equity marked every, ns" } };
    const struct report_json *m = &g->p.manifest;
    const struct report_value *top = m->cnt ? m->values : NULL,
                              *basis = report_json_get(g->j, g->stats, "basis");
    doc_add(g->d, DOC_HEADING, "How it was reckoned");
    counts(g);
    if (top) {
        struct doc_block *b = table(g, "", costs);
        for (const struct report_value *v =
                 report_json_first(m, report_json_get(m, top, "instruments"));
             v; v = report_json_next(m, v)) {
            cell(g, b, report_json_text(m, v, "instrument"));
            cell(g, b, report_json_text(m, v, "symbol"));
            cell(g, b, report_json_text(m, v, "kind"));
            value(g, b, part(g, strtod(report_json_text(m, v, "maker_fee"), NULL), false), DOC_FG);
            value(g, b, part(g, strtod(report_json_text(m, v, "taker_fee"), NULL), false), DOC_FG);
            const struct report_value *slip = report_json_get(m, v, "slippage");
            const char *model = slip ? report_json_text(m, slip, "model") : "bps";
            value(g, b,
                  strcmp(model, "bps") == 0 ? report_json_text(m, v, "slippage_bps")
                                            : doc_keep(g->d, "%s, factor %s, %.0f bars", model,
                                                       report_json_text(m, slip, "factor"),
                                                       report_json_number(m, slip, "bars")),
                  DOC_FG);
            double share = strtod(report_json_text(m, v, "participation"), NULL);
            value(g, b, share > 0 ? part(g, share, false) : "all", DOC_FG);
            value(g, b, report_json_text(m, v, "tick_size"), DOC_FG);
            value(g, b, report_json_text(m, v, "lot_size"), DOC_FG);
            value(g, b, report_json_text(m, v, "min_notional"), DOC_FG);
        }
        static const char *const lists[] = { "models", "rules" };
        for (int i = 0; i < 2; i++) {
            const struct report_value *v = report_json_first(m, report_json_get(m, top, lists[i]));
            for (int cnt = 0; v && cnt < NOTES_MAX; v = report_json_next(m, v), cnt++)
                doc_add(g->d, DOC_NOTE, v->text);
            if (v) doc_add(g->d, DOC_NOTE, "the rest stands in manifest.json");
        }
    }
    const char *bare = text(g, g->j->values, "without_marks");
    if (bare[0])
        doc_add(g->d, DOC_NOTE,
                doc_keep(g->d,
                         "no series of marks: %s; funding, margin and liquidation, where there are "
                         "any, go by the last price",
                         bare));
    int64_t faults = report_json_whole(g->j, g->j->values, "clock_faults", 0);
    if (faults > 0)
        doc_add(g->d, DOC_NOTE,
                doc_keep(g->d,
                         "recorded latency: %" PRId64
                         " rows had one below zero (a clock was wrong), taken as 0",
                         faults));
    int64_t silences = report_json_whole(g->j, g->j->values, "silent_books", 0);
    if (silences > 0)
        doc_add(g->d, DOC_NOTE,
                doc_keep(g->d,
                         "recorded books: silent for longer than stale_after %" PRId64
                         " times; then nothing was filled and nothing opened",
                         silences));
    int64_t no_room = report_json_whole(g->j, g->j->values, "orders_without_room", 0);
    if (no_room > 0)
        doc_add(g->d, DOC_NOTE,
                doc_keep(g->d,
                         "recorded books: no room (book_orders:) for %" PRId64
                         " orders; from the first on nothing was filled",
                         no_room));
    if (basis)
        doc_add(g->d, DOC_NOTE,
                doc_keep(g->d,
                         "statistics: %.0f days a year (%s); risk-free %s and required return %s a "
                         "year; benchmark: %s; %s",
                         number(g, basis, "days_a_year"), text(g, basis, "days"),
                         part(g, number(g, basis, "risk_free"), false),
                         part(g, number(g, basis, "required_return"), false),
                         text(g, basis, "benchmark"), text(g, basis, "closes")));
    doc_add(g->d, DOC_NOTE,
            doc_keep(g->d, "times are shown in %s; days, months and the rows of all files are UTC",
                     g->d->zone.name));
    doc_add(
        g->d, DOC_NOTE,
        doc_keep(g->d,
                 "charts: curves of all marks are thinned to the least and the greatest of each "
                 "of %d stretches of time; no peak or trough is lost",
                 THIN_CNT));
    if (!top) {
        doc_add(g->d, DOC_NOTE, "This directory has no manifest.json.");
        return;
    }
    struct doc_block *b = table(g, "", made);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        cell(g, b, keys[i][1]);
        const struct report_value *v = report_json_get(m, top, keys[i][0]);
        cell(g, b,
             !v ? "-"
             : v->kind == REPORT_JSON_NUMBER
                 ? doc_keep(g->d, "%" PRId64, report_json_whole(m, top, keys[i][0], 0))
                 : v->text);
    }
    for (const struct report_value *v = report_json_first(m, report_json_get(m, top, "data")); v;
         v = report_json_next(m, v)) {
        cell(g, b, doc_keep(g->d, "Data: %s", report_json_text(m, v, "series")));
        cell(g, b,
             doc_keep(g->d, "%s (%.0f rows)", report_json_text(m, v, "hash"),
                      report_json_number(m, v, "rows")));
    }
}

/* curve_charts draws all that is drawn of one curve. */
static void curve_charts(const struct page *g, const struct report_value *c, bool full) {
    const char *name = text(g, c, "curve");
    equity_chart(g, c);
    line_chart(g, doc_keep(g->d, "Under water: %s", name),
               "How far below its highest point so far equity stood, of all marks.", "drawdown",
               name, CHART_PART, DOC_LOSS, true);
    if (!full) return;
    months(g, c);
    falls(g, c);
    line_chart(g, doc_keep(g->d, "Exposure: %s", name),
               "Value of all positions, long and short, against equity: 1 = as much as there is.",
               "leverage", name, CHART_NUMBER, DOC_OTHER, false);
    rolling(g, c);
    distribution(g, c);
    kinds_of_market(g, c);
}

/* compose makes the document. */
static void compose(struct page *g) {
    const struct report_value *top = g->j->values, *main = NULL;
    uint32_t cnt = 0, shown = 0, account_cnt = 0;
    g->stats = report_json_get(g->j, top, "statistics");
    if (g->stats && g->stats->kind != REPORT_JSON_OBJECT) g->stats = NULL;
    for (const struct report_value *c = first(g, g->stats, "curves"); c; c = next(g, c), cnt++)
        main = c;
    for (const struct report_value *a = first(g, top, "accounts"); a; a = next(g, a)) account_cnt++;
    bool total = main && cnt > account_cnt;
    if (!total) main = first(g, g->stats, "curves");
    g->d->title = doc_keep(g->d, "%s - Shrike report", text(g, top, "name"));
    struct doc_block *b = doc_add(g->d, DOC_TITLE, text(g, top, "name"));
    int64_t first_ns = report_json_whole(g->j, top, "first_ns", 0),
            last_ns = report_json_whole(g->j, top, "last_ns", 0);
    b->note =
        first_ns || last_ns
            ? doc_keep(g->d, "%s to %s %s%s%s", minute(g, first_ns), minute(g, last_ns),
                       g->d->zone.name, cnt > 1 ? ", shown first: " : "",
                       cnt > 1 ? (total ? "all accounts together" : text(g, main, "curve")) : "")
            : "nothing happened in this run";
    if (!main) {
        doc_add(g->d, DOC_TEXT,
                "This run has no statistics: nobody kept equity, or its journal was cut.");
    } else {
        seen_first(g, main);
        page_reason(g->d, &g->p, main, total);
        selected(g, main);
        curve_charts(g, main, true);
        for (const struct report_value *c = first(g, g->stats, "curves"); c && shown < CURVES_MAX;
             c = next(g, c), shown++)
            if (c != main) curve_charts(g, c, !total && shown < FULL_MAX);
        if (shown < cnt && shown == CURVES_MAX)
            doc_add(g->d, DOC_NOTE,
                    doc_keep(g->d, "%u curves in all; shown are the first %u. The rest: daily.csv.",
                             cnt, shown));
    }
    prices(g);
    trades(g);
    if (main) portfolio(g);
    accounts(g);
    books(g);
    if (main) all_figures(g);
    assumptions(g);
}

/* zone_choose sets what instants are shown in: zone, or (NULL) what the run declared, else UTC. */
static void zone_choose(struct page *g, const struct mk_zone *zone) {
    const struct report_json *m = &g->p.manifest;
    struct mk_zone own;
    if (zone != NULL)
        g->d->zone = *zone;
    else if (m->cnt && mk_zone_named(report_json_text(m, m->values, "display_zone"), &own))
        g->d->zone = own;
}

int report_page_write(const char *dir, const struct report_forms *forms, const char *benchmark,
                      const struct mk_zone *zone, struct rt_error *err) {
    struct doc d;
    struct page g = { .d = &d };
    doc_open(&d);
    d.paper = forms->pdf != NULL;
    int code = page_data_open(&g.p, dir, &d, err);
    if (code == 0 && benchmark && (code = page_benchmark_take(&g.p, benchmark, &d, err)) < 0)
        page_data_close(&g.p);
    if (code == 0) {
        g.j = &g.p.summary;
        zone_choose(&g, zone);
        compose(&g);
        if (d.failed) code = rt_error_set(err, -ENOMEM, "no memory for the report of %s", dir);
        if (code == 0 && forms->html) code = report_html_write(&d, forms->html, err);
        if (code == 0 && forms->pdf) code = report_pdf_write(&d, forms->pdf, err);
        if (code == 0 && forms->markdown) code = report_markdown_write(&d, forms->markdown, err);
        page_data_close(&g.p);
    }
    doc_close(&d);
    return code;
}
