#include "actors/data/file.h"
#include "actors/data/scan.h"
#include "actors/dialect/binance/exchange.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "runtime/base/decimal.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is asked. */
struct asked {
    const char *file;     /* the answer of exchangeInfo */
    const char *symbols;  /* names parted by commas; NULL = all that can be traded */
    const char *brackets; /* the answer of leverageBracket; NULL = none */
    const char *venue;    /* venue: of each instrument */
    const char *out;      /* file to write; NULL = stdout */
    int64_t maker, taker; /* fees; INT64_MIN = the venue's usual */
};

/* The venue's usual fees (VIP 0), 1e-8: spot, futures. */
static const int64_t usual_fees[2][2] = { { 100000, 100000 }, { 20000, 50000 } };

/* say prints a decimal in f. */
static void say(FILE *f, const char *before, int64_t v) {
    char text[RT_DECIMAL_CHARS];
    rt_decimal_format(v, text);
    fprintf(f, "%s%s", before, text);
}

/* say_bounds prints "NAME: {min: ..., max: ..., step: ...}" of what there is; *first: nothing was
 * said before. */
static void say_bounds(FILE *f, const char *name, int64_t min, int64_t max, int64_t step,
                       bool *first) {
    if (min == 0 && max == 0 && step == 0) return;
    fprintf(f, "%s%s: {", *first ? "" : ",\n               ", name);
    *first = false;
    if (min != 0) say(f, "min: ", min);
    if (max != 0) say(f, min != 0 ? ", max: " : "max: ", max);
    if (step != 0) say(f, min != 0 || max != 0 ? ", step: " : "step: ", step);
    fprintf(f, "}");
}

/* say_percent prints percent_price. */
static void say_percent(FILE *f, const struct mk_filters *x, bool *first) {
    const struct {
        const char *key; /* in the file */
        int64_t v;       /* the factor, 0 = none */
    } parts[] = { { "buy_up", x->up[SIDE_BUY] },
                  { "buy_down", x->down[SIDE_BUY] },
                  { "sell_up", x->up[SIDE_SELL] },
                  { "sell_down", x->down[SIDE_SELL] } };
    bool begun = false;
    for (int i = 0; i < 4; i++) {
        if (parts[i].v == 0) continue;
        if (!begun) fprintf(f, "%spercent_price: {", *first ? "" : ",\n               ");
        fprintf(f, "%s%s: ", begun ? ", " : "", parts[i].key);
        say(f, "", parts[i].v);
        begun = true;
    }
    if (!begun) return;
    *first = false;
    if (x->percent_minutes > 0) fprintf(f, ", minutes: %" PRIu32, x->percent_minutes);
    fprintf(f, "}");
}

/* say_counts prints the filters that are whole numbers or trails. */
static void say_counts(FILE *f, const struct mk_filters *x, bool *first) {
    const struct {
        const char *key; /* in the file */
        uint32_t v;      /* the count, 0 = none */
    } counts[] = { { "iceberg_parts", x->iceberg_parts }, { "max_orders", x->orders_max },
                   { "max_algo_orders", x->waiting_max }, { "max_iceberg_orders", x->icebergs_max },
                   { "max_order_lists", x->lists_max },   { "max_amends", x->amends_max } };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (counts[i].v == 0) continue;
        fprintf(f, "%s%s: %" PRIu32, *first ? "" : ", ", counts[i].key, counts[i].v);
        *first = false;
    }
    const char *part = *first ? "" : ",\n               ";
    if (x->above_max > 0 && x->below_max > 0 && x->above_min > 0 && x->below_min > 0) {
        fprintf(f,
                "%strailing: {above: {min: %" PRIu32 ", max: %" PRIu32 "}, below: {min: %" PRIu32
                ", max: %" PRIu32 "}}",
                part, x->above_min, x->above_max, x->below_min, x->below_max);
        *first = false;
    }
    if (x->position_max > 0) {
        fprintf(f, "%smax_position: ", *first ? "" : ", ");
        say(f, "", x->position_max);
        *first = false;
    }
    if (x->stp == 0) return;
    fprintf(f, "%sstp: [", *first ? "" : ",\n               ");
    for (uint32_t i = 0, begun = 0; mk_stp_words[i] != NULL; i++) {
        if (!(x->stp >> (i + 1) & 1U)) continue;
        fprintf(f, "%s%s", begun++ > 0 ? ", " : "", mk_stp_words[i]);
    }
    fprintf(f, "]");
    *first = false;
}

/* say_filters prints filters:. */
static void say_filters(FILE *f, const struct mk_filters *x) {
    bool first = true;
    fprintf(f, ",\n     filters: {");
    say_bounds(f, "price", x->price_min, x->price_max, 0, &first);
    say_percent(f, x, &first);
    say_bounds(f, "lot", x->lot_min, x->lot_max, 0, &first);
    say_bounds(f, "market_lot", x->market_min, x->market_max, x->market_step, &first);
    if (x->notional_max > 0 || x->min_spares_market || x->notional_minutes > 0) {
        fprintf(f, "%snotional: {min_to_market: %s", first ? "" : ",\n               ",
                x->min_spares_market ? "false" : "true");
        if (x->notional_minutes > 0) fprintf(f, ", minutes: %" PRIu32, x->notional_minutes);
        if (x->notional_max > 0) {
            say(f, ", max: ", x->notional_max);
            fprintf(f, ", max_to_market: %s", x->max_to_market ? "true" : "false");
        }
        fprintf(f, "}");
        first = false;
    }
    if (!first) fprintf(f, ",\n               ");
    first = true;
    say_counts(f, x, &first);
    fprintf(f, "}");
}

/* say_instrument prints one instrument. */
static void say_instrument(FILE *f, const struct asked *a, const struct bn_symbol *s) {
    const struct mk_instrument *in = &s->in;
    bool contract = in->kind != MK_SPOT;
    char expiry[40];
    int64_t maker = a->maker != INT64_MIN ? a->maker : usual_fees[contract][0];
    int64_t taker = a->taker != INT64_MIN ? a->taker : usual_fees[contract][1];
    fprintf(f, "  %s:\n    {symbol: %s, venue: %s, kind: %s, base: \"%s\", quote: \"%s\",\n     ",
            in->name, in->symbol, a->venue, mk_kind_words[in->kind], s->base, s->quote);
    say(f, "tick_size: ", in->tick_size);
    say(f, ", lot_size: ", in->lot_size);
    if (in->min_notional > 0) say(f, ", min_notional: ", in->min_notional);
    if (in->contract > 0) say(f, ",\n     contract_value: ", in->contract);
    if (in->expiry_ns > 0)
        fprintf(f, ",\n     expiry: \"%s\"", data_time_text(in->expiry_ns, expiry));
    say(f, ",\n     maker_fee: ", maker);
    say(f, ", taker_fee: ", taker);
    if (in->stp > MK_STP_NONE) fprintf(f, ", stp: %s", mk_stp_words[in->stp - 1]);
    if (contract && in->liquidation_fee > 0) say(f, ", liquidation_fee: ", in->liquidation_fee);
    for (uint32_t i = 0; i < s->bracket_cnt; i++) {
        fprintf(f, "%s{", i == 0 ? ",\n     brackets: [" : ",\n                ");
        say(f, "cap: ", s->brackets[i].cap);
        fprintf(f, ", leverage: %" PRIu32, s->brackets[i].leverage);
        say(f, ", maintenance: ", s->brackets[i].maintenance);
        fprintf(f, "}%s", i + 1 == s->bracket_cnt ? "]" : "");
    }
    say_filters(f, &s->filters);
    fprintf(f, "}\n");
}

/* is_named tells whether symbol is in the list of names parted by commas. */
static bool is_named(const char *list, const char *symbol) {
    size_t cnt = strlen(symbol);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, symbol, cnt) == 0 && (at[cnt] == ',' || at[cnt] == '\0')) return true;
    }
    return false;
}

/* names_known checks that each name asked for is in e. */
static int names_known(const struct bn_exchange *e, const char *list, struct rt_error *err) {
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        int cnt = (int)strcspn(at, ",");
        bool known = false;
        for (size_t i = 0; i < e->cnt && !known; i++) {
            const char *symbol = e->symbols[i].in.symbol;
            known = strlen(symbol) == (size_t)cnt && memcmp(symbol, at, (size_t)cnt) == 0;
        }
        if (!known)
            return rt_error_set(err, -ENOENT, "no symbol %.*s in it", cnt > 40 ? 40 : cnt, at);
    }
    return 0;
}

/* write_all prints the run file part: a head, limits as a comment, and the instruments. Returns how
 * many, or -EINVAL with err when one that was asked for cannot be traded here. */
static int write_all(FILE *f, const struct asked *a, const struct bn_exchange *e,
                     const struct data_file *source, struct rt_error *err) {
    int cnt = 0;
    char day[32] = "";
    time_t at = (time_t)(e->time_ms / 1000);
    struct tm tm;
    if (e->time_ms > 0 && gmtime_r(&at, &tm)) strftime(day, sizeof day, ", as of %Y-%m-%d", &tm);
    const char *name = strrchr(a->file, '/') != NULL ? strrchr(a->file, '/') + 1 : a->file;
    fprintf(f, "# Instruments as the venue declared them%s. Made of %s (sha256 ", day, name);
    for (int i = 0; i < 8; i++) fprintf(f, "%02x", source->hash[i]);
    fprintf(f, "...).\n# Fees are what was asked for, or the usual ones; use it by include:.\n");
    for (size_t i = 0; i < e->rate_cnt; i++) {
        fprintf(f, "%s{count: %" PRId64 ", per: %" PRId64 "s}%s",
                i == 0 ? "# In the venue's actor: limits: {order_rate: [" : ", ", e->rates[i].cnt,
                e->rates[i].per_s, i + 1 == e->rate_cnt ? "]}\n" : "");
    }
    fprintf(f, "instruments:\n");
    for (size_t i = 0; i < e->cnt; i++) {
        const struct bn_symbol *s = &e->symbols[i];
        bool named = a->symbols != NULL && is_named(a->symbols, s->in.symbol);
        if (a->symbols != NULL ? !named : !s->trading) continue;
        if (s->left != NULL) {
            if (named)
                return rt_error_set(err, -EINVAL, "symbols[%zu]: %.31s cannot be traded here: %s",
                                    i, s->in.symbol, s->left);
            fprintf(stderr, "shrike data: left out symbols[%zu]: %s\n", i, s->left);
            continue;
        }
        say_instrument(f, a, s);
        cnt++;
    }
    return cnt > 0 ? cnt : rt_error_set(err, -ENOENT, "nothing in it can be traded here");
}

/* fee_read reads a fee; false when text is none. */
static bool fee_read(const char *text, int64_t *out) {
    return rt_decimal_parse(text, strlen(text), out) == 0 && *out >= -FIXED_ONE / 100 &&
           *out <= FIXED_ONE / 10;
}

/* read_file reads both files into e. */
static int read_file(const struct asked *a, struct data_file *source, struct bn_exchange *e,
                     struct rt_error *err) {
    struct data_file f;
    const char *file = a->file;
    char why[sizeof err->text];
    int rc = data_file_open(NULL, a->file, source, err);
    if (rc < 0) return rc;
    rc = bn_exchange_parse(source->bytes, source->cnt, e, err);
    if (rc == 0 && a->symbols != NULL) {
        rc = names_known(e, a->symbols, err);
        if (rc < 0) bn_exchange_fini(e);
    }
    if (rc == 0 && a->brackets != NULL) {
        file = a->brackets;
        rc = data_file_open(NULL, a->brackets, &f, err);
        if (rc == 0) {
            rc = bn_exchange_brackets(f.bytes, f.cnt, e, err);
            data_file_close(&f);
        } else {
            file = NULL; /* the error names it */
        }
        if (rc < 0) bn_exchange_fini(e);
    }
    if (rc < 0) {
        data_file_close(source);
        memcpy(why, err->text, sizeof why);
        if (file != NULL) rt_error_set(err, rc, "%s: %s", file, why);
    }
    return rc;
}

int data_cmd_instruments(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct asked a = { .maker = INT64_MIN, .taker = INT64_MIN, .venue = "sim" };
    struct data_file source;
    struct bn_exchange e;
    const char *text;
    a.symbols = cli_option(&argc, argv, "--symbols");
    a.brackets = cli_option(&argc, argv, "--brackets");
    a.out = cli_option(&argc, argv, "--out");
    if ((text = cli_option(&argc, argv, "--venue"))) a.venue = text;
    if ((text = cli_option(&argc, argv, "--maker")) && !fee_read(text, &a.maker))
        return cli_wrong("data", "--maker '%s': expected a rate from -0.01 to 0.1", text);
    if ((text = cli_option(&argc, argv, "--taker")) && !fee_read(text, &a.taker))
        return cli_wrong("data", "--taker '%s': expected a rate from -0.01 to 0.1", text);
    if (cli_words("data", argc, argv, 1, "instruments: FILE")) return 2;
    a.file = argv[1];
    if (read_file(&a, &source, &e, &err) < 0) return cli_fail("data", &err, NULL);
    char *all = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&all, &bytes); /* whole or not at all */
    int cnt = f == NULL ? rt_error_set(&err, -ENOMEM, "out of memory")
                        : write_all(f, &a, &e, &source, &err);
    if (f != NULL && fclose(f) != 0 && cnt > 0) cnt = rt_error_set(&err, -ENOMEM, "out of memory");
    if (cnt > 0 && a.out == NULL && (fwrite(all, 1, bytes, stdout) != bytes || fflush(stdout) != 0))
        cnt = rt_error_set(&err, -EIO, "not all was written");
    if (cnt > 0 && a.out != NULL) {
        const int code = data_write_file(a.out, all, bytes, &err);
        if (code < 0) cnt = code;
    }
    if (cnt > 0 && a.out != NULL) printf("%d instruments in %s\n", cnt, a.out);
    free(all);
    bn_exchange_fini(&e);
    data_file_close(&source);
    return cnt < 0 ? cli_fail("data", &err, NULL) : 0;
}
