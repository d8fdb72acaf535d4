#include "cli/live.h"
#include "actors/market/market.h"
#include "actors/market/value.h"
#include "cli/cli.h"
#include "runtime/base/decimal.h"
#include "runtime/time/clock.h"
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    LAST_FILLS = 6,      /* shown */
    LAST_EVENTS = 3,     /* shown */
    POSITIONS_MAX = 256, /* held in the view */
    ORDERS_MAX = 1024,   /* open orders held in the view */
    RECORDS_MAX = 200000 /* read in one tick of one shard */
};

#define TABLE_NS 250000000LL  /* between two pictures of the table */
#define LINE_NS  5000000000LL /* between two plain lines */
#define TAIL_NS  2000000000LL /* between two moves of the tails */

/* One shard. */
struct lane {
    struct rt_tape tape; /* its journal */
    bool open;           /* tape is open */
    bool tail;           /* registered */
    int64_t now_ns;      /* time of its newest record */
    uint64_t records;    /* read */
    uint64_t rows;       /* rows read, as of its newest Advance */
};

/* One position. */
struct position {
    struct msg_position p; /* as last told */
};

/* One fill. */
struct seen_fill {
    struct msg_fill f; /* as told */
    int64_t time_ns;   /* when */
};

/* The view. */
struct live {
    struct rt_run *run;                        /* what is looked at */
    const struct mk_market *market;            /* its world */
    bool table;                                /* redrawn in place */
    bool colour;                               /* colours may be used */
    struct lane *lanes;                        /* one per shard */
    struct position positions[POSITIONS_MAX];  /* as told, flat ones too */
    uint32_t position_cnt;                     /* how many */
    struct msg_order_state orders[ORDERS_MAX]; /* open ones */
    uint32_t order_cnt;                        /* how many */
    struct msg_account_state accounts[256];    /* [id], as last told */
    bool account_seen[256];                    /* told at all */
    cash_t locked[256];                        /* [id], of its cash, by open orders */
    struct seen_fill fills[LAST_FILLS];        /* the newest, in a ring */
    uint64_t fill_cnt, order_total, refused;   /* since the start of the run */
    char events[LAST_EVENTS][160];             /* the newest, in a ring */
    uint64_t event_cnt;                        /* how many */
    int64_t shown_ns, tailed_ns, begun_ns;     /* monotonic */
    uint64_t shown_records;                    /* records as of the picture before */
    double rate;                               /* records a second, smoothed */
    int lines;                                 /* height of the picture on the screen */
};

struct live *live_open(struct rt_run *run, bool table) {
    struct live *v = calloc(1, sizeof *v);
    if (!v) return NULL;
    v->run = run;
    v->market = run->topology->world;
    v->table = table;
    v->colour = cli_colour(1);
    v->lanes = calloc(run->topology->shard_cnt, sizeof *v->lanes);
    v->begun_ns = v->shown_ns = rt_clock_monotonic_ns();
    if (!v->lanes) {
        free(v);
        return NULL;
    }
    return v;
}

/* journal_dir names the journal directory of a shard. */
static void journal_dir(const struct live *v, uint32_t shard, char *out, size_t cap) {
    snprintf(out, cap, "%s/journal/%s", v->run->paths.dir, v->run->topology->shards[shard].name);
}

/* on_position keeps a position. */
static void on_position(struct live *v, const struct msg_position *p) {
    uint32_t i = 0;
    if (p->owner == 0) return; /* the account's sum: the table shows who holds it */
    for (; i < v->position_cnt; i++) {
        const struct msg_position *q = &v->positions[i].p;
        if (q->instrument == p->instrument && q->owner == p->owner && q->account == p->account &&
            q->position_side == p->position_side)
            break;
    }
    if (i == POSITIONS_MAX) return;
    if (i == v->position_cnt) v->position_cnt++;
    v->positions[i].p = *p;
}

/* on_order keeps an order while it is open. */
static void on_order(struct live *v, const struct msg_order_state *s) {
    uint32_t i = 0;
    while (i < v->order_cnt && v->orders[i].order_id != s->order_id) i++;
    bool over = s->status >= ORDER_STATUS_FILLED && s->status <= ORDER_STATUS_EXPIRED;
    if (s->status == ORDER_STATUS_REJECTED) v->refused++;
    if (over) {
        if (i < v->order_cnt) v->orders[i] = v->orders[--v->order_cnt];
        return;
    }
    if (i == ORDERS_MAX) return;
    if (i == v->order_cnt) v->order_cnt++;
    v->orders[i] = *s;
}

/* take looks at one record. */
static void take(struct live *v, struct lane *l, const struct msg_frame *f) {
    l->records++;
    if (f->time_ns > l->now_ns) l->now_ns = f->time_ns;
    switch (f->kind) {
    case MSG_ADVANCE: {
        const struct msg_advance *a = msg_body(f);
        l->rows = a->rows;
        if (a->time_ns > l->now_ns) l->now_ns = a->time_ns;
        break;
    }
    case MSG_ORDER_INTENT | MSG_OUT:
    case MSG_ORDER_INTENT_MORE | MSG_OUT:
    case MSG_ORDER_REPLACE | MSG_OUT: v->order_total++; break;
    case MSG_ORDER_STATE | MSG_OUT: on_order(v, msg_body(f)); break;
    case MSG_POSITION | MSG_OUT: on_position(v, msg_body(f)); break;
    case MSG_FILL | MSG_OUT:
        memcpy(&v->fills[v->fill_cnt % LAST_FILLS].f, msg_body(f), sizeof(struct msg_fill));
        v->fills[v->fill_cnt++ % LAST_FILLS].time_ns = f->time_ns;
        break;
    case MSG_ACCOUNT_STATE | MSG_OUT: {
        const struct msg_account_state *s = msg_body(f);
        v->accounts[s->account] = *s;
        v->account_seen[s->account] = true;
        break;
    }
    case MSG_VENUE_BALANCE | MSG_OUT: {
        const struct msg_venue_balance *m = msg_body(f);
        if (m->instrument == 0) v->locked[m->account] = m->locked;
        break;
    }
    default: break;
    }
}

/* read_all reads what has come. */
static void read_all(struct live *v) {
    int64_t now_ns = rt_clock_monotonic_ns();
    bool move = now_ns - v->tailed_ns > TAIL_NS;
    if (v->run->topology->backing == RT_BACKING_MEMORY) return; /* it is in the children's memory */
    for (uint16_t i = 0; i < v->run->topology->shard_cnt; i++) {
        struct lane *l = &v->lanes[i];
        struct rt_error err;
        char dir[4200];
        journal_dir(v, i, dir, sizeof dir);
        if (!l->open) {
            if (access(dir, F_OK) != 0 || rt_run_tape(v->run, i, 0, &l->tape, &err) < 0) continue;
            l->open = true;
            l->tail = rt_tail_register(dir, "run", 0, &err) == 0;
        }
        const struct msg_frame *f;
        for (int n = 0; n < RECORDS_MAX && (f = rt_tape_next(&l->tape)) != NULL; n++) take(v, l, f);
        if (move && l->tail) (void)!rt_tail_move(dir, "run", rt_tape_position(&l->tape));
    }
    if (move) v->tailed_ns = now_ns;
}

/* newest returns the time of the newest record of all shards. */
static int64_t newest(const struct live *v) {
    int64_t t = 0;
    for (uint32_t i = 0; i < v->run->topology->shard_cnt; i++)
        if (v->lanes[i].now_ns > t) t = v->lanes[i].now_ns;
    return t;
}

/* date formats an instant in the run's zone. */
static const char *date(const struct live *v, int64_t ns, char out[MK_ZONE_TEXT]) {
    return mk_zone_text(&v->market->zone, ns, out);
}

/* cents formats money with two decimals. */
static const char *cents(int64_t v, char out[40]) {
    uint64_t c = (v < 0 ? 0 - (uint64_t)v : (uint64_t)v) / 1000000;
    snprintf(out, 40, "%s%llu.%02llu", v < 0 && c ? "-" : "", (unsigned long long)(c / 100),
             (unsigned long long)(c % 100));
    return out;
}

/* exact formats a decimal as it is. */
static const char *exact(int64_t v, char out[40]) {
    rt_decimal_format(v, out);
    return out;
}

/* mean returns the average price of a position. */
static price_t mean(const struct live *v, const struct msg_position *p) {
    const struct mk_instrument *in = mk_instrument_get(v->market, p->instrument);
    return in ? mk_average(in, p->cost, p->quantity) : 0;
}

/* strategy returns the name of the owner of an order. */
static const char *strategy(const struct live *v, uint16_t owner) {
    const struct rt_topology *t = v->run->topology;
    return owner >= 1 && owner <= t->actor_cnt ? t->actors[owner - 1].name : "?";
}

/* instrument returns the name of an instrument. */
static const char *instrument(const struct live *v, uint16_t id) {
    const struct mk_instrument *i = mk_instrument_get(v->market, id);
    return i ? i->name : "?";
}

/* is_open tells whether p is a position: what is below one lot is dust. */
static bool is_open(const struct live *v, const struct msg_position *p) {
    const struct mk_instrument *i = mk_instrument_get(v->market, p->instrument);
    int64_t lot = i ? i->lot_size : 1;
    return p->quantity >= lot || p->quantity <= -lot;
}

/* open_positions counts what is held. */
static uint32_t open_positions(const struct live *v) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->position_cnt; i++) n += is_open(v, &v->positions[i].p);
    return n;
}

/* equity_of returns what account id is worth and what it began with. */
static int64_t equity_of(const struct live *v, uint32_t id, int64_t *start) {
    *start = v->market->accounts[id - 1].cash;
    return v->account_seen[id] ? v->accounts[id].equity : *start;
}

/* measure reckons the rate since the picture before. */
static void measure(struct live *v, int64_t now_ns) {
    uint64_t all = 0;
    for (uint32_t i = 0; i < v->run->topology->shard_cnt; i++) all += v->lanes[i].records;
    double seconds = (double)(now_ns - v->shown_ns) / 1e9;
    double rate = seconds > 0 ? (double)(all - v->shown_records) / seconds : 0;
    v->rate = v->shown_records ? v->rate + (rate - v->rate) * (seconds > 2 ? 1 : 0.3) : rate;
    v->shown_records = all;
}

/* show_line prints one plain line. */
static void show_line(struct live *v) {
    char when[MK_ZONE_TEXT], a[40], b[40];
    int64_t now_ns = newest(v);
    if (!now_ns) return;
    printf("%s %s  %.0f records/s", date(v, now_ns, when), v->market->zone.name, v->rate);
    for (uint32_t i = 1; i <= v->market->account_cnt; i++) {
        int64_t start, equity = equity_of(v, i, &start);
        printf("  %s %s (%s%s)", v->market->accounts[i - 1].name, cents(equity, a),
               equity >= start ? "+" : "", cents(equity - start, b));
    }
    printf("  positions %u  open orders %u  orders %llu  fills %llu", open_positions(v),
           v->order_cnt, (unsigned long long)v->order_total, (unsigned long long)v->fill_cnt);
    if (v->refused) printf("  refused %llu", (unsigned long long)v->refused);
    if (rt_run_waits(v->run)) printf("  THE JOURNAL WAITS FOR DISK SPACE");
    putchar('\n');
    fflush(stdout);
}

/* A picture being drawn: lines cut to the terminal's width. */
struct picture {
    char text[16384];                             /* the picture */
    size_t used;                                  /* of it */
    int lines;                                    /* drawn */
    int width, height;                            /* of the terminal */
    const char *bold, *dim, *green, *red, *plain; /* colours, or "" */
};

/* draw adds one line; letters beyond the width are cut, colours are not counted. */
static void draw(struct picture *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void draw(struct picture *p, const char *format, ...) {
    char line[600];
    va_list args;
    if (p->lines >= p->height - 1 || p->used + sizeof line + 8 > sizeof p->text) return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    int column = 0;
    for (const char *c = line; *c; c++) {
        if (*c == '\033') {
            while (*c && *c != 'm') p->text[p->used++] = *c++;
            p->text[p->used++] = 'm';
            if (!*c) break;
            continue;
        }
        if (column++ < p->width - 1) p->text[p->used++] = *c;
    }
    memcpy(p->text + p->used, "\033[K\n", 4);
    p->used += 4;
    p->lines++;
}

/* draw_shards draws a line a shard. */
static void draw_shards(struct live *v, struct picture *p) {
    const struct rt_topology *t = v->run->topology;
    int64_t mono_ns = rt_clock_monotonic_ns();
    for (uint32_t i = 0; i < t->shard_cnt; i++) {
        const struct rt_pulse *pulse = &v->run->link.pulses[i];
        uint32_t tid = atomic_load_explicit(&pulse->tid, memory_order_relaxed);
        int64_t beat_ns = atomic_load_explicit(&pulse->beat_ns, memory_order_relaxed);
        const char *state = !tid                             ? "not running"
                            : mono_ns - beat_ns > 1000000000 ? "silent"
                                                             : "running";
        char core[16] = "any core";
        if (t->shards[i].core >= 0) snprintf(core, sizeof core, "core %d", t->shards[i].core);
        draw(p, "  shard %-12s %s%-11s%s  %-9s %12llu rows %12llu records", t->shards[i].name,
             !tid ? p->red : "", state, p->plain, core, (unsigned long long)v->lanes[i].rows,
             (unsigned long long)v->lanes[i].records);
    }
}

/* draw_positions draws what is held. */
static void draw_positions(struct live *v, struct picture *p) {
    char a[40], b[40], c[40];
    if (open_positions(v) == 0) {
        draw(p, "  %sno position%s", p->dim, p->plain);
        return;
    }
    draw(p, "  %s%-10s %-10s %-12s %14s %14s %14s%s", p->dim, "account", "strategy", "instrument",
         "quantity", "average price", "realized", p->plain);
    for (uint32_t i = 0; i < v->position_cnt; i++) {
        const struct msg_position *q = &v->positions[i].p;
        if (!is_open(v, q)) continue;
        draw(p, "  %-10s %-10s %-12s %14s %14s %14s",
             q->account >= 1 && q->account <= v->market->account_cnt
                 ? v->market->accounts[q->account - 1].name
                 : "?",
             strategy(v, q->owner), instrument(v, q->instrument), exact(q->quantity, a),
             cents(mean(v, q), b), cents(q->realized_total, c));
    }
}

/* draw_orders draws the newest open orders. */
static void draw_orders(struct live *v, struct picture *p) {
    char a[40], b[40];
    for (uint32_t i = 0; i < v->order_cnt && i < 5; i++) {
        const struct msg_order_state *s = &v->orders[i];
        draw(p, "  %-10s %-12s %-4s %-10s %12s at %-14s %s",
             strategy(v, mk_order_owner(s->order_id)), instrument(v, s->instrument),
             s->side == SIDE_BUY ? "buy" : "sell", msg_order_type_name(s->type),
             exact(s->quantity, a), s->price ? exact(s->price, b) : "market",
             msg_order_status_name(s->status));
    }
    if (v->order_cnt > 5) draw(p, "  ... and %u more", v->order_cnt - 5);
    if (v->order_cnt == 0) draw(p, "  %sno open order%s", p->dim, p->plain);
}

/* draw_fills draws the newest fills, newest first. */
static void draw_fills(struct live *v, struct picture *p) {
    char when[MK_ZONE_TEXT], a[40], b[40], c[40];
    uint64_t n = v->fill_cnt < LAST_FILLS ? v->fill_cnt : LAST_FILLS;
    for (uint64_t i = 0; i < n; i++) {
        const struct seen_fill *s = &v->fills[(v->fill_cnt - 1 - i) % LAST_FILLS];
        bool buy = s->f.side == SIDE_BUY;
        draw(p, "  %s  %-10s %-12s %s%-4s%s %12s at %-14s fee %s", date(v, s->time_ns, when) + 11,
             strategy(v, mk_order_owner(s->f.order_id)), instrument(v, s->f.instrument),
             buy ? p->green : p->red, buy ? "buy" : "sell", p->plain, exact(s->f.quantity, a),
             exact(s->f.price, b), exact(s->f.fee, c));
    }
    if (n == 0) draw(p, "  %snone yet%s", p->dim, p->plain);
}

/* show_table draws the picture over the one before. */
static void show_table(struct live *v) {
    static struct picture p;
    struct winsize size = { 0 };
    char when[MK_ZONE_TEXT], a[40], b[40], c[40], d[40];
    const struct rt_topology *t = v->run->topology;
    memset(&p, 0, sizeof p);
    p.bold = v->colour ? "\033[1m" : "";
    p.dim = v->colour ? "\033[2m" : "";
    p.green = v->colour ? "\033[32m" : "";
    p.red = v->colour ? "\033[31m" : "";
    p.plain = v->colour ? "\033[0m" : "";
    p.width = ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 100;
    p.height = size.ws_row > 10 ? size.ws_row : 40;
    int64_t now_ns = newest(v);
    static const char *const clocks[] = { "virtual clock", "paced clock", "real clock" };
    bool killed = atomic_load_explicit(&v->run->link.shared->kill, memory_order_relaxed) != 0;
    draw(&p, "%s%s%s  %s %s  %s  %.0f records/s  up %llds%s%s%s%s", p.bold, t->name, p.plain,
         now_ns ? date(v, now_ns, when) : "starting", now_ns ? v->market->zone.name : "",
         clocks[t->clock], v->rate,
         (long long)((rt_clock_monotonic_ns() - v->begun_ns) / 1000000000), p.red,
         killed ? "  KILL SWITCH ON" : "",
         rt_run_waits(v->run) ? "  THE JOURNAL WAITS FOR DISK SPACE" : "", p.plain);
    draw_shards(v, &p);
    draw(&p, "%saccounts%s", p.bold, p.plain);
    for (uint32_t i = 1; i <= v->market->account_cnt; i++) {
        int64_t start, equity = equity_of(v, i, &start);
        const struct msg_account_state *s = &v->accounts[i];
        char locked[64] = "", e[40];
        if (v->locked[i] != 0)
            snprintf(locked, sizeof locked, " (%s locked)", cents(v->locked[i], e));
        draw(&p, "  %-10s equity %s %s  %s%s%s%s  cash %s%s  unrealized %s",
             v->market->accounts[i - 1].name, cents(equity, a),
             v->market->assets[v->market->accounts[i - 1].quote], equity >= start ? p.green : p.red,
             equity >= start ? "+" : "", cents(equity - start, b), p.plain,
             cents(v->account_seen[i] ? s->cash : start, c), locked,
             v->account_seen[i] ? cents(s->unrealized_pnl, d) : "0.00");
    }
    draw(&p, "%spositions%s", p.bold, p.plain);
    draw_positions(v, &p);
    draw(&p, "%sopen orders%s  (%llu made, %llu refused)", p.bold, p.plain,
         (unsigned long long)v->order_total, (unsigned long long)v->refused);
    draw_orders(v, &p);
    draw(&p, "%slast fills%s  (%llu in all)", p.bold, p.plain, (unsigned long long)v->fill_cnt);
    draw_fills(v, &p);
    uint64_t n = v->event_cnt < LAST_EVENTS ? v->event_cnt : LAST_EVENTS;
    for (uint64_t i = 0; i < n; i++)
        draw(&p, "%s%s%s", p.red, v->events[(v->event_cnt - n + i) % LAST_EVENTS], p.plain);
    draw(&p, "%sCtrl-C ends the run in good order%s", p.dim, p.plain);
    if (v->lines) printf("\r\033[%dA", v->lines);
    fwrite(p.text, 1, p.used, stdout);
    fputs("\033[J", stdout);
    fflush(stdout);
    v->lines = p.lines;
}

void live_tick(struct live *v) {
    if (!v) return;
    read_all(v);
    int64_t now_ns = rt_clock_monotonic_ns();
    if (now_ns - v->shown_ns < (v->table ? TABLE_NS : LINE_NS)) return;
    measure(v, now_ns);
    v->shown_ns = now_ns;
    if (v->table)
        show_table(v);
    else
        show_line(v);
}

void live_event(struct live *v, const char *text) {
    if (!v || !v->table) {
        fprintf(stderr, "shrike run: %s\n", text);
        return;
    }
    snprintf(v->events[v->event_cnt++ % LAST_EVENTS], sizeof v->events[0], "%s", text);
    show_table(v);
}

void live_close(struct live *v) {
    if (!v) return;
    read_all(v);
    measure(v, rt_clock_monotonic_ns());
    if (v->table)
        show_table(v);
    else
        show_line(v);
    for (uint32_t i = 0; i < v->run->topology->shard_cnt; i++) {
        char dir[4200];
        journal_dir(v, i, dir, sizeof dir);
        if (v->lanes[i].tail) (void)!rt_tail_drop(dir, "run");
        if (v->lanes[i].open) rt_tape_close(&v->lanes[i].tape);
    }
    free(v->lanes);
    free(v);
}
