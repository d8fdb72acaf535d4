/* The longer bars of a strategy: host.h, "Intervals". */
#include "actors/market/bars.h"
#include "actors/strategy/host.h"
#include "runtime/base/config.h"
#include <assert.h>

static const int64_t SECOND_NS = INT64_C(1000000000); /* ns in a second */

/* end_of returns when a bar is known. */
static int64_t end_of(const struct msg_bar *bar) {
    return bar->open_ns + bar->interval_ns;
}

/* key_of returns the key of x's timer. At one instant shorter intervals come first, then legs. */
static uint64_t key_of(const struct st_host *h, const struct st_longer *x) {
    const uint64_t at = (uint64_t)(x - h->longer);
    return ST_LONGER_KEY + at % h->longer_cnt * ST_LEGS_MAX + at / h->longer_cnt;
}

/* arm marks that x's bar holds something, and arms its timer: what the rows and frames of its last
 * instant end is told before. A feed says the bars it makes by timers too, which may come later
 * than ours: then ours waits a moment more. */
static void arm(struct st_host *h, uint16_t leg, struct st_longer *x) {
    const bool made = h->interval_ns != 0 && !h->legs[leg].direct;
    x->open = true;
    rt_timer_set(h->ctx, key_of(h, x), end_of(&x->bar) + made);
}

/* tell tells the class x's bar, which has ended, and empties it. */
static void tell(struct st_host *h, uint16_t leg, struct st_longer *x) {
    x->open = false;
    x->told_ns = end_of(&x->bar);
    rt_timer_cancel(h->ctx, key_of(h, x));
    h->cls->on_bar(h, h->class_state, leg, &x->bar);
}

/* longer_of returns leg's longer bars. */
static struct st_longer *longer_of(const struct st_host *h, uint16_t leg) {
    return &h->longer[(size_t)leg * h->longer_cnt];
}

/* tell_ended tells leg's longer bars that end at now_ns or before. */
static void tell_ended(struct st_host *h, uint16_t leg, int64_t now_ns) {
    struct st_longer *x = longer_of(h, leg);
    for (uint16_t k = 0; k < h->longer_cnt; k++) {
        if (x[k].open && end_of(&x[k].bar) <= now_ns) tell(h, leg, &x[k]);
    }
}

/* take takes a part that begins at part's open_ns into leg's longer bars that are made here. */
static void take(struct st_host *h, uint16_t leg, const struct msg_bar *part) {
    struct st_longer *x = longer_of(h, leg);
    for (uint16_t k = 0; k < h->longer_cnt; k++) {
        if (x[k].series >= 0 || part->open_ns < x[k].told_ns) continue;
        struct msg_bar *bar = &x[k].bar;
        if (!x[k].open) {
            *bar = (struct msg_bar){ .open_ns = mk_bars_begin_ns(part->open_ns, h->longer_ns[k]),
                                     .interval_ns = h->longer_ns[k],
                                     .open = part->open,
                                     .high = part->high,
                                     .low = part->low,
                                     .instrument = part->instrument };
            arm(h, leg, &x[k]);
        }
        if (part->high > bar->high) bar->high = part->high;
        if (part->low < bar->low) bar->low = part->low;
        bar->close = part->close;
        bar->volume += part->volume;
        bar->flags |= part->flags;
        bar->count = part->count > UINT32_MAX - bar->count ? UINT32_MAX : bar->count + part->count;
    }
}

uint32_t st_longer_bars(struct rt_ctx *ctx, struct st_host *h, uint16_t leg,
                        const struct msg_bar *bar, uint32_t cnt) {
    struct st_leg *const l = &h->legs[leg];
    struct data_guard *const guard = h->guards == NULL ? NULL : &h->guards[leg];
    const uint8_t *const before = ctx->out;
    for (uint32_t i = 0;;) {
        tell_ended(h, leg, bar->open_ns); /* on the real clock a row may come before its timer */
        l->last = bar->close;
        l->last_ns = ctx->now_ns;
        if (guard != NULL) (void)data_guard_bar(guard, l->in->session, bar);
        h->cls->on_bar(h, h->class_state, leg, bar);
        take(h, leg, bar);
        tell_ended(h, leg, end_of(bar));
        if (++i == cnt || !rt_quiet(ctx, before)) return i;
        bar++;
        rt_row_now(ctx, end_of(bar));
    }
}

uint32_t st_longer_trades(struct rt_ctx *ctx, struct st_host *h, uint16_t leg,
                          const struct msg_trade *trade, uint32_t cnt) {
    struct st_leg *const l = &h->legs[leg];
    const uint8_t *const before = ctx->out;
    for (uint32_t i = 0;;) {
        const struct msg_bar part = { .open_ns = trade->time_ns,
                                      .open = trade->price,
                                      .high = trade->price,
                                      .low = trade->price,
                                      .close = trade->price,
                                      .volume = (double)trade->quantity / FIXED_ONE,
                                      .instrument = trade->instrument,
                                      .count = 1 };
        tell_ended(h, leg, trade->time_ns);
        l->last = trade->price;
        l->last_ns = ctx->now_ns;
        h->cls->on_trade(h, h->class_state, leg, trade);
        take(h, leg, &part);
        if (++i == cnt || !rt_quiet(ctx, before)) return i;
        trade++;
        rt_row_now(ctx, trade->time_ns);
    }
}

bool st_longer_row(struct st_host *h, uint16_t series, const struct msg_bar *row) {
    const uint32_t cnt = (uint32_t)h->leg_cnt * h->longer_cnt;
    for (uint32_t i = 0; i < cnt; i++) {
        struct st_longer *x = &h->longer[i];
        const uint16_t leg = (uint16_t)(i / h->longer_cnt);
        if (x->series != series) continue;
        if (x->open) tell(h, leg, x);
        x->bar = *row;
        arm(h, leg, x);
        return true;
    }
    return false;
}

void st_longer_timer(struct st_host *h, uint64_t key) {
    const uint64_t k = (key - ST_LONGER_KEY) / ST_LEGS_MAX,
                   leg = (key - ST_LONGER_KEY) % ST_LEGS_MAX;
    assert(k < h->longer_cnt && leg < h->leg_cnt);
    struct st_longer *x = &longer_of(h, (uint16_t)leg)[k];
    if (x->open) tell(h, (uint16_t)leg, x);
}

void st_longer_interests(const struct st_host *h, bool up) {
    for (uint32_t i = 0; i < (uint32_t)h->leg_cnt * h->longer_cnt; i++) {
        const struct st_longer *x = &h->longer[i];
        if (x->series >= 0) rt_interest(h->ctx, (uint16_t)x->series, RT_HEAR_ROW, up);
    }
}

/* read_list reads the intervals themselves. */
static int read_list(struct st_host *h, struct rt_node *list, struct rt_error *err) {
    int64_t before_ns = h->interval_ns;
    for (struct rt_node *n = list->child; n != NULL; n = n->next) {
        int64_t ns = 0;
        if (n->kind != RT_NODE_SCALAR || !rt_duration_parse(n->text, &ns) || ns < SECOND_NS ||
            ns > 31 * 86400 * SECOND_NS) {
            return rt_node_fail(n, err, "expected a length of time such as 5m, 1h, 1d, 1s to 31d");
        }
        n->used = true;
        if (ns <= before_ns) {
            return rt_node_fail(n, err, "is not longer than the one before, expected them rising");
        }
        if (h->interval_ns != 0 && ns % h->interval_ns != 0) {
            return rt_node_fail(n, err, "expected a multiple of interval");
        }
        before_ns = h->longer_ns[h->longer_cnt++] = ns;
    }
    return 0;
}

int st_longer_read(struct rt_init *init, struct st_host *h, struct rt_node *config,
                   struct rt_error *err) {
    struct rt_node *list = NULL;
    int rc = rt_node_list(config, "intervals", h->cls->longer_min > 0, &list, err);
    if (rc < 0) return rc;
    const uint32_t cnt = list == NULL ? 0 : list->child_cnt;
    assert(h->cls->longer_max <= ST_LONGER_MAX);
    if (cnt > 0 && h->cls->longer_max == 0) {
        return rt_node_fail(list, err, "%s hears one interval only", h->cls->name);
    }
    const uint32_t least = h->cls->longer_min, most = h->cls->longer_max;
    if (cnt < least || cnt > most) {
        const char *const some = cnt == 1 ? "entry" : "entries";
        if (least == most)
            return rt_node_fail(list, err, "has %u %s, %s takes %u", cnt, some, h->cls->name, most);
        return rt_node_fail(list, err, "has %u %s, %s takes %u to %u", cnt, some, h->cls->name,
                            least, most);
    }
    if (cnt == 0) return 0;
    assert(h->cls->on_bar != NULL); /* a class that takes them hears bars */
    if (h->bars != 0) return rt_node_fail(list, err, "needs interval in place of bars");
    rc = read_list(h, list, err);
    if (rc < 0) return rc;
    h->longer = rt_init_take(init, (size_t)h->leg_cnt * cnt * sizeof *h->longer);
    for (uint32_t i = 0; i < h->leg_cnt * cnt; i++) {
        h->longer[i] = (struct st_longer){
            .told_ns = INT64_MIN,
            .series = rt_init_series(init, MSG_BAR, h->legs[i / cnt].in->id, h->longer_ns[i % cnt]),
        };
        if (h->longer[i].series < 0) h->longer[i].series = -1;
    }
    return 0;
}
