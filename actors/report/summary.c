/* summary.c - the short report: as JSON, for people, and the manifest. */
#include "actors/report/results.h"
#include "actors/report/statistics.h"
#include "runtime/base/decimal.h"
#include "runtime/base/hash.h"
#include "runtime/boot/engine.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MONEY_ROOM = 32 /* figures of one line at most */ };

/* money formats v into a place that lasts for MONEY_ROOM calls. */
static const char *money(int64_t v) {
    static _Thread_local char room[MONEY_ROOM][RT_DECIMAL_CHARS];
    static _Thread_local unsigned at;
    char *out = room[at++ % MONEY_ROOM];
    rt_decimal_format(v, out);
    return out;
}

/* quoted writes text as a JSON string. */
static void quoted(FILE *to, const char *text) {
    fputc('"', to);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(to, "\\%c", *p);
        else if (*p < 0x20)
            fprintf(to, "\\u%04x", *p);
        else
            fputc(*p, to);
    }
    fputc('"', to);
}

/* gain returns the return of a, as part of what was deposited. */
static double gain(const struct report_account *a) {
    return a->start > 0 ? (double)(a->equity - a->start) / (double)a->start : 0;
}
/* win_rate returns the part of round trips that earned. */
static double win_rate(const struct report_account *a) {
    return a->trades ? (double)a->wins / (double)a->trades : 0;
}
/* exposure returns the part of the run's span in which a held something. */
static double exposure(const struct report_summary *s, const struct report_account *a) {
    return s->last_ns > s->first_ns ? (double)a->exposed_ns / (double)(s->last_ns - s->first_ns)
                                    : 0;
}

/* counts_json writes a table of counts by name, those above zero. */
static void counts_json(FILE *to, const uint64_t *counts, int cnt, const char *(*name)(uint16_t)) {
    bool first = true;
    fputc('{', to);
    for (int i = 0; i < cnt; i++) {
        if (!counts[i]) continue;
        fprintf(to, "%s\"%s\": %llu", first ? "" : ", ", name((uint16_t)i),
                (unsigned long long)counts[i]);
        first = false;
    }
    fputc('}', to);
}

/* exactly formats v (1e-16) into out. */
static const char *exactly(int64_t v, char out[32]) {
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    const uint64_t one = (uint64_t)FIXED_ONE * FIXED_ONE;
    snprintf(out, 32, "%s%llu.%016llu", v < 0 ? "-" : "", (unsigned long long)(u / one),
             (unsigned long long)(u % one));
    return out;
}

/* books_json writes the venue's books. */
static void books_json(const struct report_summary *s, FILE *to) {
    char left[32];
    fputs("  \"venue\": [", to);
    for (uint32_t i = 0; i < s->book_cnt; i++) {
        const struct report_books *b = &s->books[i];
        fprintf(to,
                "%s\n    {\"asset\": \"%s\", \"fees\": \"%s\", \"funding\": \"%s\", "
                "\"insurance_fund\": \"%s\", \"rounding\": \"%s\"",
                i ? "," : "", b->asset, money(b->told.fees), money(b->told.funding),
                money(b->told.fund), exactly(b->told.rounding, left));
        if (b->told.insured)
            fprintf(to, ", \"insurance_fund_start\": \"%s\"", money(b->told.fund_start));
        fputc('}', to);
    }
    fputs("\n  ],\n", to);
}

void report_summary_json(const struct report_summary *s, FILE *to) {
    fputs("{\n  \"name\": ", to);
    quoted(to, s->name);
    fprintf(to,
            ",\n  \"first_ns\": %lld,\n  \"last_ns\": %lld,\n  \"orders\": %llu,\n"
            "  \"fills\": %llu,\n  \"trades\": %llu,\n  \"commands\": %llu,\n"
            "  \"clock_faults\": %llu,\n  \"without_marks\": \"%s\",\n",
            (long long)s->first_ns, (long long)s->last_ns, (unsigned long long)s->orders,
            (unsigned long long)s->fills, (unsigned long long)s->trades,
            (unsigned long long)s->commands, (unsigned long long)s->clock_faults, s->no_marks);
    if (s->silences) fprintf(to, "  \"silent_books\": %llu,\n", (unsigned long long)s->silences);
    if (s->no_room)
        fprintf(to, "  \"orders_without_room\": %llu,\n", (unsigned long long)s->no_room);
    if (s->warm_ns) fprintf(to, "  \"warm_up_ns\": %lld,\n", (long long)s->warm_ns);
    fprintf(to, "  \"ended_by\": \"%s\",\n",
            s->stop_reason ? msg_reason_name(s->stop_reason) : "none");
    fputs("  \"orders_by_status\": ", to);
    counts_json(to, s->by_status, REPORT_STATUSES, msg_order_status_name);
    fputs(",\n  \"refused_by_reason\": ", to);
    counts_json(to, s->refused, REPORT_REASONS, msg_reason_name);
    fputs(",\n  \"canceled_or_expired_by_reason\": ", to);
    counts_json(to, s->ended, REPORT_REASONS, msg_reason_name);
    fputs(",\n  \"signals_without_order_by_reason\": ", to);
    counts_json(to, s->unplaced, REPORT_REASONS, msg_reason_name);
    fputs(",\n  \"accounts\": [", to);
    for (uint32_t i = 0; i < s->account_cnt; i++) {
        const struct report_account *a = &s->accounts[i];
        fprintf(to,
                "%s\n    {\"account\": \"%s\", \"quote\": \"%s\", \"start\": \"%s\", \"equity\": "
                "\"%s\", "
                "\"cash\": \"%s\", \"free\": \"%s\", \"locked\": \"%s\", \"unrealized_pnl\": "
                "\"%s\",\n     \"realized_pnl\": \"%s\", "
                "\"fees\": \"%s\", "
                "\"funding\": \"%s\", \"liquidations\": %llu, "
                "\"return\": %.8f, \"max_drawdown\": %.8f, \"max_drawdown_money\": \"%s\",\n"
                "     \"trades\": %llu, \"wins\": %llu, \"win_rate\": %.8f, ",
                i ? "," : "", a->name, a->quote, money(a->start), money(a->equity), money(a->cash),
                money(a->cash - report_account_locked(a)), money(report_account_locked(a)),
                money(a->unrealized), money(a->realized), money(a->fees), money(a->funding),
                (unsigned long long)a->liquidations, gain(a), a->drawdown_part, money(a->drawdown),
                (unsigned long long)a->trades, (unsigned long long)a->wins, win_rate(a));
        if (a->loss > 0)
            fprintf(to, "\"profit_factor\": %.8f, ", (double)a->profit / (double)a->loss);
        else
            fputs("\"profit_factor\": null, ", to);
        fprintf(to, "\"exposure\": %.8f, \"open_positions\": %u", exposure(s, a),
                a->open_positions);
        if (s->insurance)
            fprintf(to, ", \"deleveraged\": %llu", (unsigned long long)a->deleveraged);
        if (a->burn[0])
            fprintf(to,
                    ",\n     \"fee_asset\": {\"asset\": \"%s\", \"balance\": \"%s\", \"price\": "
                    "\"%s\", \"worth\": \"%s\", \"worth_at_start\": \"%s\"}",
                    a->burn, money(a->burn_held), money(a->burn_price), money(a->burn_worth),
                    money(a->burn_start));
        fputc('}', to);
    }
    fputs("\n  ],\n", to);
    books_json(s, to);
    fputs("  \"statistics\": ", to);
    if (s->statistics)
        report_statistics_json(s->statistics, to);
    else
        fputs("null", to);
    fputs("\n}\n", to);
}

/* grouped formats v (1e-8) with two decimals and thousands parted, rounded toward zero. */
static const char *grouped(int64_t v) {
    static _Thread_local char room[MONEY_ROOM][40];
    static _Thread_local unsigned at;
    char *out = room[at++ % MONEY_ROOM], digits[24];
    uint64_t cents = (v < 0 ? 0 - (uint64_t)v : (uint64_t)v) / 1000000;
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)(cents / 100)), k = 0;
    if (v < 0 && cents) out[k++] = '-';
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[k++] = ',';
        out[k++] = digits[i];
    }
    snprintf(out + k, (size_t)(40 - k), ".%02u", (unsigned)(cents % 100));
    return out;
}

/* counts_print prints a table of counts in lines of at most some 90 columns. */
static void counts_print(FILE *to, const char *label, const uint64_t *counts, int cnt,
                         const char *(*name)(uint16_t)) {
    int column = 0;
    for (int i = 0; i < cnt; i++) {
        char item[100];
        if (!counts[i]) continue;
        int n = snprintf(item, sizeof item, "%s %llu", name((uint16_t)i),
                         (unsigned long long)counts[i]);
        if (column == 0 || column + n > 76)
            column = fprintf(to, "%s  %-15s %s", column ? "\n" : "", column ? "" : label, item);
        else
            column += fprintf(to, ", %s", item);
    }
    if (column) fputc('\n', to);
}

void report_summary_print(const struct report_summary *s, FILE *to, bool colour) {
    const char *bold = colour ? "\033[1m" : "", *plain = colour ? "\033[0m" : "";
    char from[MK_ZONE_TEXT], until[MK_ZONE_TEXT];
    fprintf(to, "%s%s%s  %s to %s %s", bold, s->name, plain,
            mk_zone_text(&s->zone, s->first_ns, from), mk_zone_text(&s->zone, s->last_ns, until),
            s->zone.name);
    if (s->warm_ns) fprintf(to, ", after %.4g days of warm-up", (double)s->warm_ns / 86400e9);
    fputc('\n', to);
    for (uint32_t i = 0; i < s->account_cnt; i++) {
        const struct report_account *a = &s->accounts[i];
        const char *tone = !colour ? "" : a->equity >= a->start ? "\033[32m" : "\033[31m";
        if (s->account_cnt > 1) fprintf(to, "%saccount %s%s\n", bold, a->name, plain);
        fprintf(to, "  %-15s %s %s   (start %s)\n", "equity", grouped(a->equity), a->quote,
                grouped(a->start));
        fprintf(to, "  %-15s %s%+.2f %%%s\n", "return", tone, 100 * gain(a), plain);
        fprintf(to, "  %-15s %.2f %%   (%s %s)\n", "max drawdown", 100 * a->drawdown_part,
                grouped(a->drawdown), a->quote);
        fprintf(to, "  %-15s %s realized, %s unrealized, %s fees\n", "P&L", grouped(a->realized),
                grouped(a->unrealized), grouped(a->fees));
        if (a->burn[0])
            fprintf(to, "  %-15s %s %s, worth %s %s\n", "fee asset", money(a->burn_held), a->burn,
                    grouped(a->burn_worth), a->quote);
        if (a->payments)
            fprintf(to, "  %-15s %s %s in %llu payments\n", "funding",
                    grouped(a->funding < 0 ? -a->funding : a->funding),
                    a->funding < 0 ? "received" : "paid", (unsigned long long)a->payments);
        if (a->liquidations)
            fprintf(to, "  %-15s %s%llu position%s closed by force%s\n", "liquidations",
                    colour ? "\033[31m" : "", (unsigned long long)a->liquidations,
                    a->liquidations > 1 ? "s" : "", plain);
        if (a->deleveraged)
            fprintf(to, "  %-15s %llu time%s, against positions that nothing was left of\n",
                    "deleveraged", (unsigned long long)a->deleveraged,
                    a->deleveraged > 1 ? "s" : "");
        fprintf(to, "  %-15s %llu", "round trips", (unsigned long long)a->trades);
        if (a->trades) {
            fprintf(to, ", %.1f %% won, profit factor ", 100 * win_rate(a));
            if (a->loss > 0)
                fprintf(to, "%.2f", (double)a->profit / (double)a->loss);
            else
                fputs("without loss", to);
        }
        if (a->open_positions)
            fprintf(to, "; %u position%s still open", a->open_positions,
                    a->open_positions > 1 ? "s" : "");
        fprintf(to, "\n  %-15s %.1f %% of the time\n", "in the market", 100 * exposure(s, a));
        if (s->statistics) report_statistics_print(s->statistics, &s->statistics->curves[i], to);
    }
    if (s->statistics && s->statistics->total) {
        const struct report_curve *t = &s->statistics->curves[s->account_cnt];
        fprintf(to, "%sall accounts%s\n", bold, plain);
        int64_t equity = 0;
        for (uint32_t i = 0; i < s->account_cnt; i++)
            if (__builtin_add_overflow(equity, s->accounts[i].equity, &equity)) equity = INT64_MAX;
        fprintf(to, "  %-15s %s %s\n", "equity", grouped(equity), t->quote);
        report_statistics_print(s->statistics, t, to);
    }
    fprintf(to, "  %-15s %llu, %llu fills\n", "orders", (unsigned long long)s->orders,
            (unsigned long long)s->fills);
    counts_print(to, "  by status", s->by_status, REPORT_STATUSES, msg_order_status_name);
    counts_print(to, "  refused for", s->refused, REPORT_REASONS, msg_reason_name);
    counts_print(to, "  ended for", s->ended, REPORT_REASONS, msg_reason_name);
    counts_print(to, "  not made for", s->unplaced, REPORT_REASONS, msg_reason_name);
    for (uint32_t i = 0; i < s->book_cnt; i++) {
        const struct report_books *b = &s->books[i];
        if (!b->told.insured) continue;
        fprintf(to, "  %-15s %s %s (start %s)\n", "insurance fund", grouped(b->told.fund), b->asset,
                grouped(b->told.fund_start));
    }
    if (s->cut)
        fputs("  the journal's oldest records were dropped (archive_max): this is what is left\n",
              to);
    if (s->clock_faults)
        fprintf(
            to,
            "  recorded latency: %llu rows had one below zero (a clock was wrong), taken as 0\n",
            (unsigned long long)s->clock_faults);
    if (s->silences)
        fprintf(to, "  recorded books: silent for longer than stale_after %llu times\n",
                (unsigned long long)s->silences);
    if (s->no_room)
        fprintf(to,
                "  recorded books: no room (book_orders:) for %llu orders; from the first on "
                "nothing was filled\n",
                (unsigned long long)s->no_room);
    if (s->no_marks[0] && (s->margin || s->funding))
        fprintf(to, "  no marks of %s: what goes by them goes by the last price\n", s->no_marks);
    if (s->linear && !s->funding)
        fputs("  linear instruments: no funding is reckoned (no source of it)\n", to);
    if (s->linear && !s->margin)
        fputs("  linear instruments: no margin or liquidation is reckoned (accounts: margin)\n",
              to);
}

/* What holds of every run on bars, as sentences. */
static const char *const bar_rules[] = {
    "a bar is known at its end; what is decided on its close is worked from the next bar",
    "an order is worked from the first bar of the instrument's finest series that opens at or "
    "after its "
    "decision plus the latency in whole bars; a missing bar is skipped; a bar without volume works "
    "nothing "
    "unless its source declares volume: none",
    "market orders fill at the open; limit orders on their first bar at an open that is at the "
    "limit or "
    "better, as taker, else once a bar trades strictly beyond, at the limit or at an open beyond "
    "it, as maker; "
    "stops trigger when touched and fill at the worse of stop and open, as taker",
    "slippage worsens taker fills, rounded to the tick against the order, a limit never past its "
    "limit",
    "the path of a bar is open, one extreme, the other, close; where a bar touches orders on both "
    "sides of an "
    "account the path that leaves it less equity at the close counts",
    "a fill at an open carries that instant, others their bar's end",
    "at the end open orders expire (end_of_data); positions stay, at the last close",
    NULL,
};
/* What holds of every run on trades. */
static const char *const trade_rules[] = {
    "trade runs: an order arrives at its decision plus the latency; market orders fill at the next "
    "trade, "
    "limit orders when a trade prints beyond them, stops are triggered by a touch and fill at the "
    "next trade; "
    "the print's size limits nothing unless participation is declared",
    NULL,
};
/* What holds of every run on a book that is recorded order by order. */
static const char *const order_rules[] = {
    "books recorded order by order: an order of ours stands in the queue of its price behind all "
    "that are there; an execution of an order of others fills first what of ours has a better "
    "price, or the same since before it, at the limit, no more than was executed; one that joins "
    "across ours meets them first; what ours took of an order is gone as long as it is there",
    "others do as recorded: that orders of ours were filled in their stead, or took from them, "
    "changes nothing of what they do; auctions fill nothing of ours",
    NULL,
};
/* What holds of orders with further terms. */
static const char *const more_rules[] = {
    "take-profit: triggers from the other side than a stop, fills at the trigger or at an open "
    "beyond it; stop-limit, take-profit limit: a limit order from where it triggered",
    "trailing stop: follows the extreme along the path, acts on the way back of the same bar",
    "children begin where their parent is filled, for as much as is filled of it, on the rest of "
    "the path of the same bar (trade runs: with the next trade), and grow with it; what it never "
    "fills expires (list_parent); of a group one fill, trigger or cancel ends the others, a "
    "child's "
    "fill or trigger also what is open of its parent (list_partner); where the venue declares "
    "children: filled, and by default on recorded books and among simulated traders, they begin "
    "when their parent is wholly filled",
    "good till date: worked until its instant, what ends there included",
    "a shown part (display): in a book a print at the price fills at most what is shown, the next "
    "part joins behind what is there; on bars and trades it changes nothing, nobody sees orders "
    "there",
    NULL,
};
/* What holds where a cap on participation is declared. */
static const char *const cap_rules[] = {
    "participation: that share of what a bar or a trade has may be ours, all orders of all "
    "accounts "
    "together, in whole lots, down; market orders and triggered stops go on with the next bar's "
    "open "
    "or the next trade, limit orders wait at their limit, ioc expires with what it got, fok wants "
    "all at once (not_filled_at_once); liquidations are not capped",
    "participation on bars: how much a bar trades is known at its end, so all its fills, those at "
    "its open too, carry its end; a cancel inside it of what its open found is answered after it",
    NULL,
};
/* What holds where a model of slippage is declared. */
static const char *const model_rules[] = {
    "slippage volume: factor x quantity / mean volume of a bar; slippage root: factor x sigma x "
    "sqrt(quantity / volume), sigma^2 the sum of squared returns (close to close) and volume the "
    "sum over the last bars that have ended; of the price, rounded against the taker; quantity is "
    "what is traded at once, before it is cut to the balance; trades are put into bars of interval",
    NULL,
};
/* What holds of money. */
static const char *const money_rules[] = {
    "money is exact in units of 1e-8; cash paid rounds up, cash received down, once a fill; fees "
    "round up",
    "prices round to the tick (buy down, sell up), quantities down to the lot",
    NULL,
};

/* What holds where accounts have tiers of fees. */
static const char *const tier_rules[] = {
    "fee tiers: the rates of a UTC day follow from the notional that the account's orders traded "
    "in "
    "the 30 UTC days before it, spot and linear each by itself; on bars a fill is of the day of "
    "the "
    "instant it is told at; a run begins with nothing traded; liquidations do not count; below the "
    "first tier the instrument's own rates hold",
    NULL,
};

/* What holds where accounts pay fees in another asset. */
static const char *const burn_rules[] = {
    "fee asset: a fee above zero is paid out of the account's balance of it, less the discount, at "
    "its price as the fill is made (the newest close or trade of the instrument named, else the "
    "price declared), rounded up; where the balance does not cover all of it the fee is the "
    "ordinary one; it counts in equity at its price, in net results at its price as the fill is "
    "told",
    NULL,
};

/* rules writes a list of sentences. */
static void rules(FILE *to, const char *const *list, bool *first) {
    for (; *list; list++) {
        fputs(*first ? "\n    " : ",\n    ", to);
        quoted(to, *list);
        *first = false;
    }
}

/* recorded writes what sources said of markets recorded order by order: what they hold, and what of
 * it did not fit. */
static void recorded(const struct rt_run *run, FILE *to, bool *first) {
    for (const char *p = run->sources_report; *p != '\0';) {
        const size_t cnt = strcspn(p, "\n");
        char line[400];
        snprintf(line, sizeof line, "%.*s", (int)cnt, p);
        if (strstr(line, " orders: ")) rules(to, (const char *const[]){ line, NULL }, first);
        p += cnt + (p[cnt] == '\n');
    }
}

/* series writes the series of the run as the journal's table of names tells them. */
static int series(const struct rt_run *run, FILE *to, bool *trades, bool *orders,
                  struct rt_error *err) {
    struct rt_tape tape;
    uint32_t bytes;
    int code = rt_run_tape(run, 0, RT_TAPE_OLDEST, &tape, err); /* every segment has the table */
    if (code < 0) return code;
    const char *at = rt_tape_head(&tape, &bytes), *end = at + bytes;
    bool first = true;
    while (at && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        char line[300], hash[65], name[64];
        unsigned id;
        unsigned long long rows;
        if (!stop) break;
        snprintf(line, sizeof line, "%.*s", (int)(stop - at), at);
        at = stop + 1;
        if (sscanf(line, "series %u %llu %64s %63[^\n]", &id, &rows, hash, name) != 4) continue;
        if (strstr(name, " trades")) *trades = true;
        if (strstr(name, " orders")) *orders = true;
        fputs(first ? "\n    {\"series\": " : ",\n    {\"series\": ", to);
        quoted(to, name);
        if (rows == UINT64_MAX)
            fputs(", \"rows\": \"endless\"", to);
        else
            fprintf(to, ", \"rows\": %llu", rows);
        fprintf(to, ", \"hash\": \"%s\"}", hash);
        first = false;
    }
    rt_tape_close(&tape);
    return 0;
}

/* flow writes a node in one line, as it could stand in a run file. */
static void flow(FILE *to, const struct rt_node *n) {
    if (n->kind == RT_NODE_SCALAR) {
        fputs(n->text, to);
        return;
    }
    const bool map = n->kind == RT_NODE_MAP;
    fputc(map ? '{' : '[', to);
    for (const struct rt_node *k = n->child; k != NULL; k = k->next) {
        if (map) fprintf(to, "%s: ", k->key);
        flow(to, k);
        if (k->next != NULL) fputs(", ", to);
    }
    fputc(map ? '}' : ']', to);
}

/* model writes what was declared for one thing as a sentence: "venue sim: {latency: 20s}". */
static int model(FILE *to, const char *what, const char *name, const struct rt_node *n,
                 bool *first) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    if (f == NULL) return -ENOMEM;
    fprintf(f, "%s %s: ", what, name);
    flow(f, n);
    int code = fclose(f) == 0 ? 0 : -ENOMEM;
    if (code == 0) {
        fputs(*first ? "\n    " : ",\n    ", to);
        quoted(to, text);
        *first = false;
    }
    free(text);
    return code;
}

/* models writes the models of costs and constraints as they were declared: instruments with fees,
 * slippage, filters and sessions, accounts with tiers of fees, venues with delays and limits, risk
 * with its limits. */
static int models(const struct rt_topology *t, FILE *to) {
    bool first = true;
    int code = 0;
    if (t->config == NULL) return 0; /* made by hand: nothing was declared */
    struct rt_node *all = rt_node_get(rt_config_root(t->config), "instruments");
    for (struct rt_node *n = all == NULL ? NULL : all->child; code == 0 && n != NULL; n = n->next)
        code = model(to, "instrument", n->key, n, &first);
    all = rt_node_get(rt_config_root(t->config), "fee_schemes");
    for (struct rt_node *n = all == NULL ? NULL : all->child; code == 0 && n != NULL; n = n->next)
        code = model(to, "fee scheme", n->key, n, &first);
    all = rt_node_get(rt_config_root(t->config), "accounts");
    for (struct rt_node *n = all == NULL ? NULL : all->child; code == 0 && n != NULL; n = n->next) {
        if (rt_node_get(n, "fees") != NULL) code = model(to, "account", n->key, n, &first);
    }
    for (uint32_t i = 0; code == 0 && i < t->actor_cnt; i++) {
        const struct rt_actor_def *a = &t->actors[i];
        const char *kind = a->kind->name;
        if (strcmp(kind, "venue") == 0 || strcmp(kind, "risk") == 0)
            code = model(to, kind, a->name, a->config, &first);
    }
    return code;
}

/* instrument_fees writes the charges of an instrument that has them, in words. */
static void instrument_fees(FILE *to, const struct mk_instrument *in) {
    char text[4096];
    if (in->charges == NULL) return;
    mk_charges_text(in->charges, text, sizeof text);
    fputs(", \"fees\": [", to);
    for (char *at = text, *end; at != NULL; at = end) {
        end = strchr(at, '\n');
        if (end != NULL) *end++ = 0;
        if (at != text) fputs(", ", to);
        quoted(to, at);
    }
    fputc(']', to);
}

/* account_fees writes the tiers of fees of an account that has them. */
static void account_fees(FILE *to, const struct mk_account *a) {
    bool some = false;
    for (int k = 0; k < MK_KINDS; k++) {
        if (a->tier_cnt[k] == 0) continue;
        fprintf(to, "%s\"%s\": {\"tiers\": [", some ? ", " : ", \"fees\": {", mk_kind_words[k]);
        some = true;
        for (uint32_t i = 0; i < a->tier_cnt[k]; i++) {
            const struct mk_tier *t = &a->tiers[k][i];
            fprintf(to, "%s{\"volume\": \"%s\", \"maker\": \"%s\", \"taker\": \"%s\"}",
                    i ? ", " : "", money(t->volume), money(t->maker), money(t->taker));
        }
        fputs("]}", to);
    }
    if (some) fputc('}', to);
}

/* account_burn writes the asset that an account pays fees in, where it has one. */
static void account_burn(FILE *to, const struct mk_market *m, const struct mk_account *a) {
    const struct mk_fee_asset *f = &a->burn;
    if (!f->on) return;
    fprintf(to,
            ", \"fee_asset\": {\"asset\": \"%s\", \"balance\": \"%s\", \"price\": \"%s\", "
            "\"instrument\": \"%s\", \"discount\": {\"spot\": \"%s\", \"linear\": \"%s\"}}",
            m->assets[f->asset], money(f->balance), money(f->price),
            f->instrument ? m->instruments[f->instrument - 1].name : "",
            money(f->discount[MK_SPOT]), money(f->discount[MK_LINEAR]));
}

/* insured tells whether a venue declares its insurance fund. */
static bool insured(const struct rt_topology *t) {
    for (uint32_t i = 0; i < t->actor_cnt; i++) {
        const struct rt_actor_def *a = &t->actors[i];
        if (strcmp(a->kind->name, "venue") == 0 && rt_node_get(a->config, "insurance")) return true;
    }
    return false;
}

int report_manifest(const struct rt_run *run, const char *dir, struct rt_error *err) {
    static const char *const clocks[] = { "virtual", "paced", "real" };
    const struct rt_topology *t = run->topology;
    const struct mk_market *m = t->world;
    char path[4200], fresh[4300], hex[65];
    static const char *const slippages[] = { "bps", "volume", "root" };
    bool first = true, linear = false, spot = false, trades = false, cap = false, model = false,
         tiers = false, burn = false, charges = false, inverse = false, sized = false,
         dated = false, orders = false;
    if ((size_t)snprintf(path, sizeof path, "%s/manifest.json", dir) >= sizeof path)
        return rt_error_set(err, -ENAMETOOLONG, "%.200s...: the directory's name is too long", dir);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *to = fopen(fresh, "w");
    int code = to ? 0 : -errno;
    if (!to) return rt_error_set(err, code, "%s: cannot be written: %s", fresh, strerror(-code));
    rt_sha256_hex(t->config_hash, hex);
    fputs("{\n  \"name\": ", to);
    quoted(to, t->name);
    fprintf(to,
            ",\n  \"run_id\": \"%016llx\",\n  \"config_hash\": \"%s\",\n  \"build\": \"%s\",\n"
            "  \"seed\": %llu,\n  \"clock\": \"%s\",\n",
            (unsigned long long)run->run_id, hex, rt_build_id(), (unsigned long long)t->seed,
            clocks[t->clock]);
    if (t->clock == RT_CLOCK_PACED) fprintf(to, "  \"speed\": %.9g,\n", t->speed);
    fprintf(to, "  \"display_zone\": \"%s\",\n", m->zone.name);
    if (t->start_ns != INT64_MIN) fprintf(to, "  \"start_ns\": %lld,\n", (long long)t->start_ns);
    if (t->warm_ns) fprintf(to, "  \"warm_up_ns\": %lld,\n", (long long)t->warm_ns);
    if (t->end_ns != INT64_MAX) fprintf(to, "  \"end_ns\": %lld,\n", (long long)t->end_ns);
    if (m->equity_interval_ns)
        fprintf(to, "  \"equity_interval_ns\": %lld,\n", (long long)m->equity_interval_ns);
    else
        fputs("  \"equity_interval_ns\": \"bar\",\n", to);
    fputs("  \"data\": [", to);
    code = series(run, to, &trades, &orders, err);
    fputs("\n  ],\n  \"instruments\": [", to);
    for (uint32_t i = 0; i < m->instrument_cnt; i++) {
        const struct mk_instrument *x = &m->instruments[i];
        linear = linear || x->kind != MK_SPOT;
        inverse = inverse || x->kind == MK_INVERSE;
        sized = sized || (x->kind == MK_LINEAR && x->contract != 0);
        spot = spot || x->kind == MK_SPOT;
        fprintf(to,
                "%s\n    {\"instrument\": \"%s\", \"symbol\": \"%s\", \"kind\": \"%s\", "
                "\"tick_size\": \"%s\", "
                "\"lot_size\": \"%s\", \"min_notional\": \"%s\", \"maker_fee\": \"%s\", "
                "\"taker_fee\": \"%s\", "
                "\"slippage_bps\": \"%s\", \"liquidation_fee\": \"%s\", ",
                i ? "," : "", x->name, x->symbol, mk_kind_words[x->kind], money(x->tick_size),
                money(x->lot_size), money(x->min_notional), money(x->maker_fee),
                money(x->taker_fee), money(x->slippage_bps), money(x->liquidation_fee));
        cap = cap || x->participation > 0;
        model = model || x->slippage != MK_SLIPPAGE_BPS;
        fprintf(to, "\"participation\": \"%s\", \"slippage\": {\"model\": \"%s\"",
                money(x->participation), slippages[x->slippage]);
        if (x->slippage != MK_SLIPPAGE_BPS) {
            fprintf(to, ", \"factor\": \"%s\", \"bars\": %u, \"interval_ns\": %lld",
                    money(x->slippage_factor), x->slippage_bars, (long long)x->slippage_bar_ns);
        }
        fputc('}', to);
        if (x->contract != 0) {
            fprintf(to, ", \"%s\": \"%s\"", x->kind == MK_INVERSE ? "contract_value" : "multiplier",
                    money(x->contract));
        }
        if (x->expiry_ns != 0) {
            fprintf(to, ", \"expiry_ns\": %lld, \"delivery_fee\": \"%s\", \"settlement\": \"",
                    (long long)x->expiry_ns, money(x->delivery_fee));
            if (x->settle_price > 0) {
                fprintf(to, "at %s\"", money(x->settle_price));
            } else {
                fprintf(to, "mean of the %s over %g s before\"",
                        x->settle_mark ? "mark" : "last price", (double)x->settle_window_ns / 1e9);
            }
            dated = true;
        }
        instrument_fees(to, x);
        charges = charges || x->charges != NULL;
        fputs(", \"brackets\": [", to);
        for (uint32_t k = 0; k < x->bracket_cnt; k++) {
            const struct mk_bracket *b = &x->brackets[k];
            fprintf(to, "%s{\"cap\": \"%s\", \"leverage\": %u, \"maintenance\": \"%s\"}",
                    k ? ", " : "", money(b->cap), b->leverage, money(b->maintenance));
        }
        fputs("]}", to);
    }
    fputs("\n  ],\n  \"accounts\": [", to);
    for (uint32_t i = 0; i < m->account_cnt; i++) {
        static const char *const margins[] = { "none", "cross", "isolated" };
        const struct mk_account *a = &m->accounts[i];
        fprintf(to,
                "%s\n    {\"account\": \"%s\", \"quote\": \"%s\", \"cash\": \"%s\", "
                "\"margin\": \"%s\", \"position_mode\": \"%s\"",
                i ? "," : "", a->name, m->assets[a->quote], money(a->cash), margins[a->margin],
                a->hedge ? "hedge" : "one_way");
        account_fees(to, a);
        account_burn(to, m, a);
        burn = burn || a->burn.on;
        tiers = tiers || a->tier_cnt[MK_SPOT] || a->tier_cnt[MK_LINEAR] || a->tier_cnt[MK_INVERSE];
        if (a->margin != MK_MARGIN_NONE) {
            fputs(", \"leverage\": {", to);
            for (uint32_t k = 0; k < m->instrument_cnt; k++)
                fprintf(to, "%s\"%s\": %u", k ? ", " : "", m->instruments[k].name,
                        mk_leverage(m, a->id, (uint16_t)(k + 1)));
            fputc('}', to);
        }
        fputc('}', to);
    }
    fputs("\n  ],\n  \"models\": [", to);
    if (models(t, to) < 0) code = rt_error_set(err, -ENOMEM, "out of memory");
    fputs("\n  ],\n  \"rules\": [", to);
    if (t->warm_ns)
        rules(to,
              (const char *const[]){
                  "warm-up: strategies hear the rows of warm_up before the start, and what they "
                  "signal then makes no order (warming_up); results begin at the start",
                  NULL },
              &first);
    rules(to, bar_rules, &first);
    if (trades) rules(to, trade_rules, &first);
    if (orders) {
        rules(to, order_rules, &first);
        recorded(run, to, &first);
    }
    if (cap) rules(to, cap_rules, &first);
    if (model) rules(to, model_rules, &first);
    rules(to, more_rules, &first);
    rules(to, money_rules, &first);
    if (tiers) rules(to, tier_rules, &first);
    if (burn) rules(to, burn_rules, &first);
    if (charges)
        rules(to,
              (const char *const[]){
                  "charges: fees of an instrument come on top of its rates, in what it settles in; "
                  "each is "
                  "reckoned of all that its order has traded so far, less what that has paid, so "
                  "that least and largest sums hold for the order; a liquidation pays none",
                  NULL },
              &first);
    if (spot)
        rules(
            to,
            (const char *const[]){
                "spot: notional moves cash, no short; the fee is in the asset received",
                "locked: an order that may wait locks what it may cost from its arrival on (buy: "
                "price x quantity in quote, sell: quantity in base; of an oco group the largest, a "
                "child when its parent is filled); where free (the rest) does not cover it, it is "
                "rejected (insufficient_balance)",
                "cut: market orders, reduce-only ones and trailing stops' buys lock nothing; what "
                "free cash with fee or holding does not cover at the fill's price is cut to the "
                "lot below and the rest expires (insufficient_balance)",
                NULL },
            &first);
    if (linear)
        rules(
            to,
            (const char *const[]){
                "linear and inverse: realised P&L and fees, in quote or coin, move cash; short "
                "allowed",
                "funding: on the position held at its instant, before the bar that opens then, "
                "at its own mark, else the mark's last close, else the last price; paid rounded "
                "up, received rounded down; none where no funding is declared",
                "margin: accounts with margin cross or isolated, by the venue's brackets; checked "
                "on an order's arrival, at the prices its cost is reckoned with (order_cost); "
                "accounts without margin are never liquidated",
                "liquidation: on bars tested at the mark's open and at its extremes (without a "
                "series of marks the last price's), after the orders met on that leg, and closed "
                "at the liquidation price, or at the mark where it opened beyond it; on trades "
                "tested at each mark and trade, and closed at the mark; in both at no price worse "
                "than the one at which nothing is left; with the liquidation fee, and no other",
                "liquidation in a book (recorded, simulated traders'): immediate or cancel at the "
                "price at which nothing is left, level by level; what the book has not, where "
                "margin does not suffice then, is taken over at that price by the insurance fund",
                insured(t) ? NULL : "liquidation: the whole position, without insurance", NULL },
            &first);
    if (insured(t))
        rules(to,
              (const char *const[]){
                  "insurance: a liquidation reduces the position to the cap of the highest lower "
                  "bracket at which margin suffices, else closes it, of a long and a short of one "
                  "wallet the larger first; where the fund cannot pay what "
                  "it lacks at its bankruptcy price, accounts that hold against it are closed at "
                  "that price by profit x leverage (deleveraged)",
                  NULL },
              &first);
    if (sized)
        rules(to,
              (const char *const[]){ "multiplier: worth is price x quantity x multiplier, in "
                                     "money, margin, fees, limits "
                                     "of notional and sizing",
                                     NULL },
              &first);
    if (dated)
        rules(to,
              (const char *const[]){
                  "expiry: what a bar that ends at the expiry has met is filled, then open orders "
                  "expire and later ones are rejected (instrument_expired), and positions are "
                  "delivered: closed at the settlement price (given, or the mean of the closes or "
                  "trades within the window that ends then, rounded down to 1e-8; where there are "
                  "none "
                  "the newest before) with the delivery fee, as fills without liquidity",
                  NULL },
              &first);
    if (inverse)
        rules(to,
              (const char *const[]){
                  "inverse: contracts worth contract_value of quote each settle in base: worth is "
                  "contracts x contract_value / price, P&L of a long contracts x contract_value x "
                  "(1 / "
                  "entry - 1 / exit), rounded against the account to 1e-8 of coin; average prices "
                  "are "
                  "harmonic means; money, margin, brackets, fees, funding and equity are in coin, "
                  "least "
                  "and largest notionals of orders in quote: contracts x contract_value",
                  NULL },
              &first);
    rules(to,
          (const char *const[]){
              "equity is marked at the closes that the equity interval falls on and where "
              "a position opens or closes; nothing is written while all is flat",
              NULL },
          &first);
    fputs("\n  ]\n}\n", to);
    bool bad = fflush(to) != 0 || ferror(to);
    if (fclose(to) != 0) bad = true;
    if (code == 0 && (bad || rename(fresh, path) < 0))
        code = rt_error_set(err, -EIO, "%s: cannot be written: %s", path, strerror(errno));
    if (code < 0) unlink(fresh);
    return code;
}
