/* statistics_text.c - the statistics as JSON, as rows of daily.csv, and in a few lines. */
#include "actors/report/statistics.h"
#include "quant/stats/calendar.h"
#include "quant/stats/sample.h"
#include "quant/stats/tables.h"
#include <string.h>

/* real writes a figure: 12 digits, null where there is none. */
static void real(FILE *to, double v) {
    if (v - v == 0)
        fprintf(to, "%.12g", v == 0 ? 0 : v); /* no minus zero */
    else
        fputs("null", to);
}

/* field writes "name": v with what goes before. */
static void field(FILE *to, const char *before, const char *name, double v) {
    fprintf(to, "%s\"%s\": ", before, name);
    real(to, v);
}

/* instant writes "name": an instant, null for none. */
static void instant(FILE *to, const char *before, const char *name, int64_t ns) {
    if (ns == INT64_MAX || ns == INT64_MIN)
        fprintf(to, "%s\"%s\": null", before, name);
    else
        fprintf(to, "%s\"%s\": %lld", before, name, (long long)ns);
}

/* figures writes all single figures of a curve. */
static void figures(FILE *to, const struct qs_figures *f) {
    fputs("\"figures\": {", to);
    for (int i = 0; i < QS_FIGURE_CNT; i++)
        field(to, i ? ", " : "", qs_figure_table[i].name, qs_figure_value(f, i));
    fputs("}", to);
}

/* periods writes months or years. */
static void periods(FILE *to, const char *name, const struct qs_period *p, size_t cnt) {
    fprintf(to, ",\n     \"%s\": [", name);
    for (size_t i = 0; i < cnt; i++, p++) {
        fprintf(to, "%s\n      {\"year\": %d", i ? "," : "", (int)p->year);
        if (p->month) fprintf(to, ", \"month\": %d", (int)p->month);
        fprintf(to, ", \"days\": %u", p->days);
        field(to, ", ", "return", p->ret);
        field(to, ", ", "volatility", p->volatility);
        field(to, ", ", "sharpe", p->sharpe);
        field(to, ", ", "max_drawdown", p->max_drawdown);
        field(to, ", ", "benchmark_return", p->benchmark_ret);
        field(to, ", ", "traded", p->traded);
        fprintf(to, ", \"trades\": %u, \"wins\": %u", p->trades, p->wins);
        field(to, ", ", "pnl", p->pnl);
        field(to, ", ", "fees", p->fees);
        fputs("}", to);
    }
    fputs("]", to);
}

/* drawdown writes one fall. */
static void drawdown(FILE *to, const struct qs_drawdown *d) {
    instant(to, "{", "peak_ns", d->peak_ns);
    instant(to, ", ", "trough_ns", d->trough_ns);
    instant(to, ", ", "recovery_ns", d->recovery_ns);
    field(to, ", ", "peak", d->peak);
    field(to, ", ", "trough", d->trough);
    field(to, ", ", "depth", d->depth);
    fputs("}", to);
}

/* side writes the trades of one side. */
static void side(FILE *to, const char *name, const struct qs_trade_figures *t) {
    fprintf(to, ",\n     \"%s\": {\"trades\": %zu, \"wins\": %zu", name, t->cnt, t->wins);
    field(to, ", ", "win_rate", t->win_rate);
    field(to, ", ", "pnl", t->pnl);
    field(to, ", ", "fees", t->fees);
    field(to, ", ", "profit_factor", t->profit_factor);
    field(to, ", ", "expectancy", t->expectancy);
    field(to, ", ", "payoff", t->payoff);
    field(to, ", ", "sqn", t->sqn);
    field(to, ", ", "hold_mean", t->hold_mean);
    fputs("}", to);
}

/* phases writes the figures by kind of market. */
static void phases(FILE *to, const struct qs_report *r) {
    fputs(",\n     \"regimes\": [", to);
    for (int k = 0; k < QS_REGIMES; k++) {
        const struct qs_phase *p = &r->phases[k];
        fprintf(to, "%s\n      {\"regime\": \"%s\", \"days\": %u", k ? "," : "",
                qs_regime_name(p->regime), p->days);
        field(to, ", ", "return", p->ret);
        field(to, ", ", "mean", p->mean);
        field(to, ", ", "volatility", p->volatility);
        field(to, ", ", "sharpe", p->sharpe);
        field(to, ", ", "max_drawdown", p->max_drawdown);
        field(to, ", ", "benchmark_return", p->benchmark_ret);
        fprintf(to, ", \"trades\": %u, \"wins\": %u", p->trades, p->wins);
        field(to, ", ", "pnl", p->pnl);
        fputs("}", to);
    }
    fputs("]", to);
}

/* selection writes the declared thresholds and which of them were passed. */
static void selection(FILE *to, const struct report_statistics *s, const bool *pass) {
    const struct mk_statistics *m = &s->market->statistics;
    bool all = true;
    if (m->threshold_cnt == 0) return;
    fputs(",\n     \"selection\": {\"thresholds\": [", to);
    for (uint32_t i = 0; i < m->threshold_cnt; i++) {
        const struct qs_threshold *t = &m->select[i];
        fprintf(to, "%s{\"figure\": \"%s\", \"op\": \"%s\"", i ? ", " : "",
                qs_figure_table[t->figure].name, qs_op_name(t->op));
        field(to, ", ", "value", t->value);
        fprintf(to, ", \"pass\": %s}", pass[i] ? "true" : "false");
        all = all && pass[i];
    }
    fprintf(to, "], \"chosen\": %s}", all ? "true" : "false");
}

/* curve writes one curve. */
static void curve(FILE *to, const struct report_statistics *s, const struct report_curve *c) {
    const struct qs_report *r = &c->report;
    fprintf(to, "{\"curve\": \"%s\", \"quote\": \"%s\", \"days\": %zu", c->name, c->quote,
            r->day_cnt);
    instant(to, ", ", "first_ns", r->first_ns);
    instant(to, ", ", "last_ns", r->last_ns);
    fputs(",\n     ", to);
    figures(to, &r->figures);
    selection(to, s, c->pass);
    side(to, "long", &r->longs);
    side(to, "short", &r->shorts);
    fputs(",\n     \"drawdowns\": [", to);
    for (size_t i = 0; i < r->drawdown_cnt; i++) {
        fputs(i ? ",\n      " : "\n      ", to);
        drawdown(to, &r->drawdowns[i]);
    }
    fputs("]", to);
    periods(to, "years", r->years, r->year_cnt);
    periods(to, "months", r->months, r->month_cnt);
    phases(to, r);
    fputs(",\n     \"histogram\": [", to);
    for (size_t i = 0; i < r->bin_cnt; i++) {
        field(to, i ? ", {" : "{", "from", r->histogram[i].from);
        field(to, ", ", "until", r->histogram[i].until);
        fprintf(to, ", \"days\": %u}", r->histogram[i].cnt);
    }
    fputs("]}", to);
}

void report_statistics_json(const struct report_statistics *s, FILE *to) {
    static const char *const units[] = { "part", "ratio", "count", "money", "seconds", "days" };
    static const char *const days[] = { "every day", "Monday to Friday",
                                        "days on which a row of prices ended" };
    const struct qs_options *o = &s->options;
    uint16_t only = s->market->instrument_cnt == 1 ? 1 : s->market->statistics.benchmark;
    const struct mk_instrument *b = mk_instrument_get(s->market, only);
    fputs("{\n   \"basis\": {", to);
    field(to, "", "days_a_year", o->days_a_year);
    fprintf(to, ", \"days\": \"%s\"", days[o->days.calendar]);
    field(to, ", ", "risk_free", o->risk_free);
    field(to, ", ", "required_return", o->required_return);
    fprintf(to, ", \"rolling_days\": %u", o->rolling_days);
    field(to, ", ", "trials", o->trials);
    field(to, ", ", "trials_variance", o->trials_variance);
    fprintf(to, ",\n    \"benchmark\": \"%s\"",
            !s->benchmark_cnt ? "none"
            : b               ? b->name
                              : "all instruments bought at the start in equal parts, and held");
    fprintf(to,
            ",\n    \"regimes\": \"by the benchmark's closes before the day: bull or bear at %g %% "
            "or more over %u days, high volatility when that of %u days is above the median of all "
            "so far\"",
            100 * o->rules.trend_least, o->rules.trend_days, o->rules.volatility_days);
    fputs(
        ",\n    \"closes\": \"a day's close is the last mark in (midnight, next midnight], UTC; "
        "the first return begins at the run's start; words: r the n daily returns, A days a year, "
        "f and q the daily risk-free and required return, m and s mean and standard deviation of "
        "r, E equity\"},\n   \"definitions\": {",
        to);
    for (int i = 0; i < QS_FIGURE_CNT; i++)
        fprintf(to, "%s\n    \"%s\": {\"unit\": \"%s\", \"is\": \"%s\"}", i ? "," : "",
                qs_figure_table[i].name, units[qs_figure_table[i].unit], qs_figure_table[i].words);
    fputs("},\n   \"curves\": [", to);
    for (uint32_t i = 0; i < s->curve_cnt; i++) {
        fputs(i ? ",\n    " : "\n    ", to);
        curve(to, s, &s->curves[i]);
    }
    fputs("],\n   \"portfolio\": ", to);
    const struct qs_portfolio *p = &s->portfolio;
    const struct qs_report *last = &s->curves[s->curve_cnt - 1].report;
    struct qs_moments m;
    if (p->cnt == 0) {
        fputs("null\n  }", to);
        return;
    }
    field(to, "{", "return", p->ret);
    field(to, ", ", "volatility", p->volatility);
    field(to, ", ", "max_drawdown", p->max_drawdown);
    field(to, ", ", "sum_of_volatility", p->sum_of_volatility);
    field(to, ", ", "mean_correlation", p->mean_correlation);
    fputs(",\n    \"strategies\": [", to);
    for (size_t i = 0; i < p->cnt; i++) {
        const struct qs_component *c = &p->parts[i];
        fprintf(to, "%s\n     {\"strategy\": \"%s\"", i ? "," : "", s->parts[i].name);
        field(to, ", ", "contribution_return", c->contribution_return);
        field(to, ", ", "contribution_volatility", c->contribution_volatility);
        field(to, ", ", "volatility", c->volatility);
        field(to, ", ", "contribution_drawdown", c->contribution_drawdown);
        qs_moments_of(s->parts[i].pnl, last->day_cnt, &m);
        field(to, ", ", "sharpe", qs_tables_sharpe(&m, &last->options));
        if (s->parts[i].alone) {
            fputs(",\n      ", to);
            figures(to, &s->parts[i].figures);
            selection(to, s, s->parts[i].pass);
        }
        fputs(", \"correlation\": [", to);
        for (size_t k = 0; k < p->cnt; k++) {
            if (k) fputs(", ", to);
            real(to, p->correlation[i * p->cnt + k]);
        }
        fputs("]}", to);
    }
    fputs("]}\n  }", to);
}

/* cell writes a value of a row; nothing where there is none. */
static void cell(FILE *to, double v) {
    if (v - v == 0)
        fprintf(to, ",%.12g", v == 0 ? 0 : v);
    else
        fputc(',', to);
}

void report_statistics_days(const struct report_statistics *s, FILE *to) {
    fputs("date,curve,equity,return,log_return,underwater,rolling_return,rolling_volatility,"
          "rolling_sharpe,benchmark,benchmark_return,traded,gross,regime\n",
          to);
    for (uint32_t k = 0; s && k < s->curve_cnt; k++) {
        const struct qs_report *r = &s->curves[k].report;
        for (size_t i = 0; i < r->day_cnt; i++) {
            const struct qs_day *d = &r->days[i];
            struct qs_date date = qs_date_of(d->day);
            fprintf(to, "%04d-%02d-%02d,%s", (int)date.year, (int)date.month, (int)date.day,
                    s->curves[k].name);
            const double v[] = { d->equity,         d->ret,
                                 d->log_ret,        d->underwater,
                                 d->rolling_return, d->rolling_volatility,
                                 d->rolling_sharpe, d->benchmark,
                                 d->benchmark_ret,  d->traded,
                                 d->gross };
            for (size_t n = 0; n < sizeof v / sizeof *v; n++) cell(to, v[n]);
            fprintf(to, ",%s\n", qs_regime_name((enum qs_regime)d->regime));
        }
    }
}

/* shown formats a figure for people: per cent, a ratio with two decimals, a dash. */
static const char *shown(double v, bool part) {
    static _Thread_local char room[16][32];
    static _Thread_local unsigned at;
    char *out = room[at++ % 16];
    if (!(v - v == 0))
        strcpy(out, "-");
    else if (part)
        snprintf(out, sizeof room[0], "%.2f %%", 100 * v);
    else
        snprintf(out, sizeof room[0], "%.2f", v);
    if (strncmp(out, "-0.00", 5) == 0) memmove(out, out + 1, strlen(out)); /* no sign of nothing */
    return out;
}

void report_statistics_print(const struct report_statistics *s, const struct report_curve *c,
                             FILE *to) {
    const struct qs_figures *f = &c->report.figures;
    const struct mk_statistics *m = &s->market->statistics;
    bool part = s->total && c != &s->curves[s->curve_cnt - 1];
    if (c->report.day_cnt == 0) return;
    fprintf(to, "  %-15s CAGR %s, volatility %s, best month %s, worst %s\n", "a year",
            shown(f->cagr, true), shown(f->volatility, true), shown(f->best_month, true),
            shown(f->worst_month, true));
    fprintf(to, "  %-15s Sharpe %s, Sortino %s, Calmar %s, Omega %s, VWR %s, PSR %s\n",
            "for the risk", shown(f->sharpe, false), shown(f->sortino, false),
            shown(f->calmar, false), shown(f->omega, false), shown(f->vwr, false),
            shown(f->psr, true));
    if (part) return; /* the rest is told of all together */
    fprintf(to, "  %-15s longest drawdown %.0f days, a day's VaR %s, CVaR %s\n", "risk",
            f->longest_drawdown_days, shown(f->var, true), shown(f->cvar, true));
    if (c->report.trades.cnt)
        fprintf(to, "  %-15s expectancy %s %s, payoff %s, SQN %s, held %s h, MAE %s, MFE %s\n",
                "a trade", shown(f->expectancy, false), c->quote, shown(f->payoff, false),
                shown(f->sqn, false), shown(f->hold_mean / 3600, false), shown(f->mae_mean, true),
                shown(f->mfe_mean, true));
    fprintf(to, "  %-15s leverage %s on average, %s at most; turnover %s times a year\n", "capital",
            shown(f->gross_leverage, false), shown(f->gross_leverage_max, false),
            shown(f->turnover, false));
    if (!qs_is_none(f->net_leverage_max))
        fprintf(to, "  %-15s leverage %s on average, %s at most, net of long and short together\n",
                "", shown(f->net_leverage, false), shown(f->net_leverage_max, false));
    if (s->benchmark_cnt)
        fprintf(to, "  %-15s return %s, alpha %s, beta %s, correlation %s\n", "buy and hold",
                shown(f->benchmark_return, true), shown(f->alpha, true), shown(f->beta, false),
                shown(f->correlation, false));
    fprintf(to, "  %-15s %zu daily closes (UTC), %g days a year\n", "reckoned on",
            c->report.day_cnt, s->options.days_a_year);
    for (uint32_t i = 0; i < m->threshold_cnt; i++)
        fprintf(to, "  %-15s %s: %s %s %g\n", i ? "" : "selection", c->pass[i] ? "passes" : "FAILS",
                qs_figure_table[m->select[i].figure].name, qs_op_name(m->select[i].op),
                m->select[i].value);
    for (size_t k = 0; m->threshold_cnt > 0 && s->portfolio.cnt > 1 && k < s->portfolio.cnt; k++) {
        const struct report_part *one = &s->parts[k];
        const char *comma = ": fails ";
        uint32_t passed = 0;
        if (!one->alone) continue;
        for (uint32_t i = 0; i < m->threshold_cnt; i++) passed += one->pass[i];
        fprintf(to, "  %-15s %s alone passes %u of %u", "", one->name, passed, m->threshold_cnt);
        for (uint32_t i = 0; i < m->threshold_cnt; i++) {
            if (one->pass[i]) continue;
            fprintf(to, "%s%s", comma, qs_figure_table[m->select[i].figure].name);
            comma = ", ";
        }
        fputc('\n', to);
    }
}
