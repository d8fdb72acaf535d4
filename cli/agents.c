#include "cli/agents.h"
#include "actors/venue/agents.h"
#include "runtime/base/decimal.h"
#include "schemas/fixed.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BANDS = 10, LEVELS = 4096 }; /* of a basis point each; of a side, at most */

static const int64_t MINUTE_NS = 60000000000LL; /* between two looks at the depth */

/* One market on its way into files. */
struct market {
    struct ag *ag;           /* the market */
    FILE *out[3];            /* trades, quotes, depth */
    int64_t start_ns;        /* when it opens */
    int64_t tick, lot;       /* steps */
    int64_t told[4];         /* touch written last */
    uint64_t trades, quotes; /* rows written */
    bool opened;             /* a touch was written */
};

/* A number as text. */
struct text {
    char at[RT_DECIMAL_CHARS]; /* NUL-terminated */
};

/* decimal writes v (1e-8). */
static struct text decimal(int64_t v) {
    struct text t = { .at = "" };
    (void)rt_decimal_format(v, t.at);
    return t;
}

/* hear writes what the engine told. */
static void hear(struct market *m, int64_t now_ns) {
    struct vm_out *out = &m->ag->out;
    int64_t now_ms = now_ns / 1000000;
    for (uint32_t i = 0; i < out->cnt; i++) {
        const struct vm_event *e = &out->at[i];
        int64_t price = e->price * m->tick, quantity = e->lots * m->lot, worth = INT64_MAX;
        ag_heed(m->ag, e);
        if (e->kind != VM_TRADED) continue;
        (void)fixed_mul(price, quantity, FIXED_DOWN, &worth);
        fprintf(m->out[0], "%" PRIu64 ",%s,%s,%s,%" PRId64 ",%s\n", ++m->trades, decimal(price).at,
                decimal(quantity).at, decimal(worth).at, now_ms,
                e->side == VM_SELL ? "true" : "false");
    }
    out->cnt = 0;
    struct vm_depth best[2] = { 0 };
    (void)vm_depth(m->ag->vm, VM_BUY, &best[0], 1);
    (void)vm_depth(m->ag->vm, VM_SELL, &best[1], 1);
    int64_t now[4] = { best[0].price, best[0].lots, best[1].price, best[1].lots };
    if (m->opened && memcmp(now, m->told, sizeof now) == 0) return;
    memcpy(m->told, now, sizeof now);
    m->opened = true;
    fprintf(m->out[1], "%" PRIu64 ",%s,%s,%s,%s,%" PRId64 ",%" PRId64 "\n", ++m->quotes,
            decimal(now[0] * m->tick).at, decimal(now[1] * m->lot).at, decimal(now[2] * m->tick).at,
            decimal(now[3] * m->lot).at, now_ms, now_ms);
}

/* look writes the depth at now_ns. */
static void look(const struct market *m, int64_t now_ns) {
    static struct vm_depth levels[LEVELS];
    for (int side = VM_BUY; side <= VM_SELL; side++) {
        int64_t lots[BANDS] = { 0 };
        uint32_t cnt = vm_depth(m->ag->vm, (enum vm_side)side, levels, LEVELS);
        for (uint32_t i = 0; i < cnt; i++) {
            int64_t best = levels[0].price, off = levels[i].price - best;
            int64_t band = (off < 0 ? -off : off) * 10000 / best;
            if (band < BANDS) lots[band] += levels[i].lots;
        }
        for (int b = 0; b < BANDS; b++) {
            fprintf(m->out[2], "%" PRId64 ",%s,%d,%s\n", now_ns / 1000000,
                    side == VM_BUY ? "bid" : "ask", b, decimal(lots[b] * m->lot).at);
        }
    }
}

/* run lets the market go until end_ns. */
static void run(struct market *m, int64_t end_ns) {
    int64_t look_ns = m->start_ns + MINUTE_NS;
    ag_start(m->ag, m->start_ns);
    hear(m, m->start_ns);
    for (;;) {
        int64_t at_ns = ag_next_ns(m->ag);
        for (; look_ns <= end_ns && look_ns < at_ns; look_ns += MINUTE_NS) look(m, look_ns);
        if (at_ns >= end_ns) return;
        ag_step(m->ag);
        hear(m, at_ns);
    }
}

/* Names of a symbol's files. */
static const char *const names[] = { "trades", "quotes", "depth" };

/* path_of writes the path of file number i of symbol; false when it is too long. */
static bool path_of(char path[PATH_MAX], const char *dir, const char *symbol, int i) {
    int len = snprintf(path, PATH_MAX, "%s/%s-%s.csv", dir, symbol, names[i]);
    return len >= 0 && len < PATH_MAX;
}

/* open_files opens the files of one symbol, with their headings. */
static int open_files(struct market *m, const char *dir, const char *symbol, struct rt_error *err) {
    static const char quote_head[] =
        "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,"
        "event_time\n";
    static const char *const heads[] = {
        "id,price,qty,quote_qty,time,is_buyer_maker\n",
        quote_head,
        "time,side,bps,quantity\n",
    };
    for (int i = 0; i < 3; i++) {
        char path[PATH_MAX];
        if (!path_of(path, dir, symbol, i)) {
            return rt_error_set(err, -ENAMETOOLONG, "%.60s...: name too long", dir);
        }
        m->out[i] = fopen(path, "we");
        if (m->out[i] == NULL) return rt_error_set(err, -errno, "%s: %s", path, strerror(errno));
        fputs(heads[i], m->out[i]);
    }
    return 0;
}

/* write_symbol writes the files of one symbol. */
static int write_symbol(const struct data_generate *g, const char *symbol, uint64_t *rows,
                        struct rt_error *err) {
    struct data_walk_options walk;
    struct ag_options o;
    data_generate_options(g, symbol, &walk);
    struct market m = { .start_ns = g->start_ns, .tick = walk.tick_size, .lot = walk.lot_size };
    ag_defaults(&o);
    o.seed = g->seed;
    o.start = walk.price / walk.tick_size;
    /* a typical order is worth 1000 quote, as in a run file where nothing is said */
    o.size = (int64_t)((__int128)1000 * FIXED_ONE * FIXED_ONE / walk.price / walk.lot_size);
    if (o.size < 1) o.size = 1;
    o.stream = (uint32_t)data_walk_stream(symbol);
    const char *bad = ag_wrong(&o);
    if (bad != NULL) return rt_error_set(err, -EINVAL, "%s: %s", symbol, bad);
    size_t bytes = (ag_bytes(&o) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, bytes);
    if (memory == NULL) return rt_error_set(err, -ENOMEM, "no memory");
    memset(memory, 0, bytes);
    m.ag = ag_init(memory, &o);
    int code = open_files(&m, g->dir, symbol, err);
    if (code == 0) run(&m, g->start_ns + (int64_t)g->days * 86400000000000LL);
    for (int i = 0; i < 3; i++) {
        if (m.out[i] == NULL) continue;
        bool failed = ferror(m.out[i]) != 0;
        failed |= fclose(m.out[i]) != 0;
        if (failed && code == 0) {
            code = rt_error_set(err, -EIO, "%s/%s-%s.csv: cannot be written whole", g->dir, symbol,
                                names[i]);
        }
    }
    for (int i = 0; code != 0 && i < 3; i++) { /* a part of them would pass for the whole */
        char path[PATH_MAX];
        if (m.out[i] != NULL && path_of(path, g->dir, symbol, i)) (void)unlink(path);
    }
    free(memory);
    *rows += m.trades;
    return code;
}

int cli_agents_write(const struct data_generate *g, uint64_t *rows, struct rt_error *err) {
    *rows = 0;
    for (const char *const *symbol = g->symbols; *symbol != NULL; symbol++) {
        if (!data_symbol_fits(*symbol)) {
            return rt_error_set(err, -EINVAL, "\"%.40s\": not a symbol (letters, digits, - _ .)",
                                *symbol);
        }
        int code = write_symbol(g, *symbol, rows, err);
        if (code < 0) return code;
    }
    return 0;
}
