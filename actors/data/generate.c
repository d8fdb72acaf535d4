#include "actors/data/generate.h"
#include "actors/data/market_source.h"
#include "actors/data/scan.h"
#include "runtime/base/decimal.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the better known symbols begin at. */
static const struct known {
    const char *symbol; /* the venue's word */
    price_t price;      /* at the start */
    price_t tick_size;  /* step of prices */
    qty_t lot_size;     /* step of quantities */
} knowns[] = {
    { "BTCUSDT", 6000000000000LL, 10000000, 100000 },
    { "ETHUSDT", 300000000000LL, 1000000, 100000 },
    { "BNBUSDT", 55000000000LL, 1000000, 1000000 },
    { "SOLUSDT", 15000000000LL, 1000000, 1000000 },
    { "XRPUSDT", 60000000LL, 10000, 10000000 },
    { "DOGEUSDT", 12000000LL, 1000, 100000000 },
    { NULL, 10000000000LL, 1000000, 1000000 },
};

/* decimal_of is a number as text. */
struct decimal_of {
    char text[RT_DECIMAL_CHARS]; /* NUL-terminated */
};

/* decimal writes v (1e-8). */
static struct decimal_of decimal(int64_t v) {
    struct decimal_of d = { .text = "" };
    (void)rt_decimal_format(v, d.text);
    return d;
}

/* quote_of multiplies price and quantity, for columns that nobody computes with. */
static int64_t quote_of(int64_t price, int64_t quantity) {
    int64_t out = INT64_MAX;
    (void)fixed_mul(price, quantity, FIXED_DOWN, &out);
    return out;
}

void data_generate_options(const struct data_generate *g, const char *symbol,
                           struct data_walk_options *o) {
    const struct known *k = knowns;
    while (k->symbol != NULL && strcmp(k->symbol, symbol) != 0) k++;
    data_market_default(o, symbol, k->tick_size, k->lot_size, g->seed, g->start_ns, g->interval_ns);
    o->price = k->price;
    o->day_quantity = (int64_t)((__int128)1000000000 * FIXED_ONE * FIXED_ONE / k->price);
    o->day_trades = (g->hour_trades == 0 ? 1800 : (int64_t)g->hour_trades) * 24;
}

int64_t data_generate_bars(const struct data_walk *w, int64_t end_ns, FILE *out) {
    struct msg_bar rows[DATA_WALK_ROWS];
    const uint64_t total = data_walk_rows_before(w, end_ns);
    fputs("open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
          "taker_buy_quote_volume,ignore\n",
          out);
    for (uint64_t row = 0; row < total; row++) {
        const struct msg_bar *b = &rows[row % DATA_WALK_ROWS];
        if (row % DATA_WALK_ROWS == 0) data_walk_bars(w, row / DATA_WALK_ROWS, rows);
        int64_t quantity = (int64_t)(b->volume * FIXED_ONE + 0.5); /* whole lots, exact */
        int64_t mean = b->low / 2 + b->high / 2, taken = quantity / w->options.lot_size;
        taken = taken / 100 * (b->close > b->open ? 56 : 46) * w->options.lot_size;
        fprintf(out, "%" PRId64 ",%s,%s,%s,%s,%s,%" PRId64 ",%s,%" PRIu32 ",%s,%s,0\n",
                b->open_ns / 1000000, decimal(b->open).text, decimal(b->high).text,
                decimal(b->low).text, decimal(b->close).text, decimal(quantity).text,
                (b->open_ns + b->interval_ns) / 1000000 - 1, decimal(quote_of(mean, quantity)).text,
                b->count, decimal(taken).text, decimal(quote_of(mean, taken)).text);
    }
    return ferror(out) ? -EIO : (int64_t)total;
}

int64_t data_generate_trades(const struct data_walk *w, int64_t end_ns, FILE *out) {
    struct msg_trade rows[DATA_WALK_ROWS];
    const uint64_t total = data_walk_rows_before(w, end_ns);
    fputs("id,price,qty,quote_qty,time,is_buyer_maker\n", out);
    for (uint64_t row = 0; row < total; row++) {
        const struct msg_trade *t = &rows[row % DATA_WALK_ROWS];
        if (row % DATA_WALK_ROWS == 0) data_walk_trades(w, row / DATA_WALK_ROWS, rows);
        fprintf(out, "%" PRId64 ",%s,%s,%s,%" PRId64 ",%s\n", t->trade_id, decimal(t->price).text,
                decimal(t->quantity).text, decimal(quote_of(t->price, t->quantity)).text,
                t->time_ns / 1000000, t->aggressor == SIDE_SELL ? "true" : "false");
    }
    return ferror(out) ? -EIO : (int64_t)total;
}

bool data_symbol_fits(const char *symbol) {
    size_t cnt =
        strspn(symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");
    return cnt != 0 && cnt <= 31 && symbol[cnt] == '\0' && symbol[0] != '.';
}

/* symbol_write writes the file of one symbol. Returns how many rows, or negative errno with err. */
static int64_t symbol_write(const struct data_generate *g, const char *symbol,
                            struct rt_error *err) {
    char path[PATH_MAX], span[40];
    struct data_walk_options o;
    struct data_walk w;
    if (!data_symbol_fits(symbol)) {
        return rt_error_set(err, -EINVAL, "\"%.40s\": not a symbol (letters, digits, - _ .)",
                            symbol);
    }
    data_generate_options(g, symbol, &o);
    int rc = data_walk_init(&w, &o, err);
    if (rc != 0) return rc;
    int len = snprintf(path, sizeof path, "%s/%s-%s.csv", g->dir, symbol,
                       g->interval_ns > 0 ? data_span_text(g->interval_ns, span) : "trades");
    if (len < 0 || (size_t)len >= sizeof path) {
        return rt_error_set(err, -ENAMETOOLONG, "%.60s...: name too long", g->dir);
    }
    FILE *out = fopen(path, "we");
    if (out == NULL) return rt_error_set(err, -errno, "%s: %s", path, strerror(errno));
    int64_t end_ns = g->start_ns + (int64_t)g->days * 86400000000000LL;
    int64_t rows = g->interval_ns > 0 ? data_generate_bars(&w, end_ns, out)
                                      : data_generate_trades(&w, end_ns, out);
    if (fclose(out) != 0 || rows < 0) {
        (void)unlink(path); /* a part of it would pass for the whole */
        return rt_error_set(err, -EIO, "%s: cannot be written whole", path);
    }
    return rows;
}

int data_generate(const struct data_generate *g, uint64_t *rows, struct rt_error *err) {
    uint64_t sum = 0;
    if (g->days < 1 || g->days > 36500) {
        return rt_error_set(err, -EINVAL, "%" PRIu32 " days; expected 1..36500", g->days);
    }
    for (const char *const *symbol = g->symbols; *symbol != NULL; symbol++) {
        int64_t cnt = symbol_write(g, *symbol, err);
        if (cnt < 0) return (int)cnt;
        sum += (uint64_t)cnt;
    }
    if (rows != NULL) *rows = sum;
    return 0;
}
