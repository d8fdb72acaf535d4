/* match_twin.h - the naive twin of the matching engine: one array, everything searched and computed
 * again each time, written from the rules in match.h and sharing no code with the engine.
 *
 * For     tests/actors/test_match_twin.c and tests/fuzz/fuzz_match.c. Orders are known by their
 *         sequence number, which is what the engine's ids hold above the slot.
 * Thread  the test's. */
#ifndef TESTS_SUPPORT_MATCH_TWIN_H
#define TESTS_SUPPORT_MATCH_TWIN_H
#include "actors/venue/match.h"
#include "schemas/messages.h"
#include <stdlib.h>
#include <string.h>

/* Bounds of the twin. */
enum { TWIN_ORDERS = 1024, TWIN_OWNERS = 16, TWIN_EVENTS = 1 << 20 };

/* One order, all its facts. */
struct twin_order {
    struct vm_new n;   /* terms */
    uint64_t seq;      /* number */
    uint64_t place;    /* time priority on the book */
    uint64_t claim;    /* when it began to work, reduce-only */
    uint64_t list;     /* number of its list's first order, 0 = none */
    int64_t price;     /* now */
    int64_t quantity;  /* now */
    int64_t left;      /* open */
    int64_t show;      /* icebergs: shown */
    int64_t stop;      /* trigger now */
    int64_t extreme;   /* trailing */
    int64_t prevented; /* by self-trade prevention */
    uint32_t group;    /* as the engine writes it */
    uint8_t state;     /* enum vm_state */
    uint8_t idx;       /* in its list */
    uint8_t parent;    /* index + 1 */
    uint8_t oco;       /* number, 0 = none or spent */
    bool active;       /* trailing */
    bool fired;        /* triggered */
    bool fresh;        /* has not acted */
    bool lost;         /* had lots prevented */
};

/* The twin. */
struct twin {
    struct twin_order at[TWIN_ORDERS]; /* open ones, by number */
    uint32_t cnt;                      /* how many */
    uint32_t max;                      /* this many at most */
    uint32_t owners;                   /* owners there are */
    int64_t position[TWIN_OWNERS];     /* lots */
    uint32_t group[TWIN_OWNERS];       /* self-trade groups */
    uint64_t work[TWIN_ORDERS];        /* numbers of orders to act */
    uint32_t work_cnt;                 /* how many */
    uint64_t seq, place, claims;       /* counters */
    int64_t last, mark, now, lo, hi;   /* prices, time, bounds */
    struct vm_event ev[TWIN_EVENTS];   /* what happened */
    uint32_t ev_cnt;                   /* how much of it */
    int fault;                         /* an error to make, for testing the tests; 0 = none */
};

/* tw_init empties the twin. */
static void tw_init(struct twin *t, uint32_t max, uint32_t owners) {
    t->cnt = t->work_cnt = t->ev_cnt = 0;
    t->max = max;
    t->owners = owners;
    memset(t->position, 0, sizeof t->position);
    memset(t->group, 0, sizeof t->group);
    t->seq = t->place = t->claims = 0;
    t->last = t->mark = t->now = 0;
    t->lo = 1;
    t->hi = VM_PRICE_MAX;
    t->fault = 0;
}

/* tw_find returns the open order of that number, or NULL. */
static struct twin_order *tw_find(struct twin *t, uint64_t seq) {
    for (uint32_t i = 0; i < t->cnt; i++)
        if (t->at[i].seq == seq) return &t->at[i];
    return NULL;
}

/* tw_say appends an event. */
static struct vm_event *tw_say(struct twin *t, struct vm_event ev) {
    if (t->ev_cnt == TWIN_EVENTS) abort();
    t->ev[t->ev_cnt] = ev;
    return &t->ev[t->ev_cnt++];
}

/* tw_tell says something about one order. */
static void tw_tell(struct twin *t, const struct twin_order *o, int kind, uint16_t reason,
                    int64_t price, int64_t lots) {
    tw_say(t, (struct vm_event){ .id = o->seq,
                                 .tag = o->n.tag,
                                 .price = price,
                                 .lots = lots,
                                 .left = o->left,
                                 .owner = o->n.owner,
                                 .reason = reason,
                                 .kind = (uint8_t)kind,
                                 .side = o->n.side });
}

/* tw_refuse says no. */
static uint64_t tw_refuse(struct twin *t, uint64_t id, const struct vm_new *n, uint16_t reason) {
    struct vm_event ev = { .id = id, .reason = reason, .kind = VM_REFUSED };
    if (n) {
        ev.tag = n->tag;
        ev.price = n->price;
        ev.lots = n->lots;
        ev.owner = n->owner;
        ev.side = n->side;
    }
    tw_say(t, ev);
    return 0;
}

/* tw_remove forgets an order without a word; its number leaves the work too. */
static void tw_remove(struct twin *t, uint64_t seq) {
    for (uint32_t i = 0; i < t->cnt; i++) {
        if (t->at[i].seq != seq) continue;
        memmove(&t->at[i], &t->at[i + 1], (t->cnt - i - 1) * sizeof t->at[0]);
        t->cnt--;
        break;
    }
    for (uint32_t i = 0; i < t->work_cnt; i++) {
        if (t->work[i] != seq) continue;
        memmove(&t->work[i], &t->work[i + 1], (t->work_cnt - i - 1) * sizeof t->work[0]);
        t->work_cnt--;
        break;
    }
}

/* tw_member returns the number of the live order at an index of a list, 0 without one. */
static uint64_t tw_member(struct twin *t, uint64_t list, int idx) {
    for (uint32_t i = 0; i < t->cnt; i++)
        if (list && t->at[i].list == list && t->at[i].idx == idx) return t->at[i].seq;
    return 0;
}

static void tw_end(struct twin *t, uint64_t seq, int kind, uint16_t reason);

/* tw_gone removes an order and does what its end means to those pending on it. */
static void tw_gone(struct twin *t, uint64_t seq, bool filled) {
    struct twin_order o = *tw_find(t, seq);
    tw_remove(t, seq);
    for (int i = 0; i < VM_LIST_MAX; i++) {
        struct twin_order *c = tw_find(t, tw_member(t, o.list, i));
        if (!c || c->state != VM_PENDING || c->parent != o.idx + 1) continue;
        if (filled) {
            c->state = VM_QUEUED;
            t->work[t->work_cnt++] = c->seq;
        } else {
            tw_end(t, c->seq, VM_EXPIRED, REASON_LIST_PARENT);
        }
    }
}

/* tw_end ends an order with an event. */
static void tw_end(struct twin *t, uint64_t seq, int kind, uint16_t reason) {
    struct twin_order *o = tw_find(t, seq);
    tw_tell(t, o, kind, reason, o->price, o->quantity);
    tw_gone(t, seq, false);
}

/* tw_oco expires the partners of an order. */
static void tw_oco(struct twin *t, uint64_t seq) {
    struct twin_order *o = tw_find(t, seq);
    uint8_t number = o->oco;
    uint64_t list = o->list;
    if (!number) return;
    o->oco = 0;
    for (int i = 0; i < VM_LIST_MAX; i++) {
        struct twin_order *c = tw_find(t, tw_member(t, list, i));
        if (!c || c->oco != number || (c->state == VM_TAKER && c->left == 0)) continue;
        tw_end(t, c->seq, VM_EXPIRED, REASON_LIST_PARTNER);
    }
}

/* tw_reduces tells whether an order of side shrinks the position. */
static bool tw_reduces(const struct twin *t, uint32_t owner, uint8_t side) {
    return side == VM_BUY ? t->position[owner] < 0 : t->position[owner] > 0;
}

/* tw_enforce cuts working reduce-only orders: the newest keep their lots first. */
static void tw_enforce(struct twin *t, uint32_t owner) {
    int64_t room = llabs(t->position[owner]);
    uint64_t below = UINT64_MAX;
    for (;;) {
        struct twin_order *o = NULL;
        for (uint32_t i = 0; i < t->cnt; i++) {
            struct twin_order *c = &t->at[i];
            if (c->n.owner == owner && c->claim && c->claim < below && (!o || c->claim > o->claim))
                o = c;
        }
        if (!o) return;
        below = o->claim;
        int64_t may = tw_reduces(t, owner, o->n.side) ? (o->left < room ? o->left : room) : 0;
        room -= may;
        if (may == o->left) continue;
        if (may == 0) {
            tw_end(t, o->seq, VM_EXPIRED, REASON_REDUCE_ONLY);
        } else {
            o->quantity -= o->left - may;
            o->left = may;
            if (o->show > may) o->show = may;
            tw_tell(t, o, VM_AMENDED, REASON_REDUCE_ONLY, o->price, o->quantity);
        }
    }
}

/* tw_up tells whether a waiting order waits for a rise. */
static bool tw_up(const struct twin_order *o) {
    bool stop = o->n.type == VM_STOP || o->n.type == VM_STOP_LIMIT;
    if (o->active) return o->n.side == VM_BUY;
    if (o->stop == 0) return true;
    return stop == (o->n.side == VM_BUY);
}

/* tw_follow sets the stop of a trailing order by its extreme. */
static void tw_follow(struct twin_order *o) {
    __int128 x = o->extreme;
    if (o->n.side == VM_SELL)
        o->stop = (int64_t)(x * (10000 - o->n.delta) / 10000);
    else
        o->stop = (int64_t)((x * (10000 + o->n.delta) + 9999) / 10000);
}

/* tw_activate starts a trailing order. */
static void tw_activate(struct twin *t, struct twin_order *o, int64_t price) {
    o->active = true;
    o->extreme = price;
    tw_follow(o);
    tw_tell(t, o, VM_ACTIVATED, 0, price, o->stop);
}

/* tw_moved does what a new price means to waiting orders. */
static void tw_moved(struct twin *t, bool mark, int64_t price) {
    for (int down = 0; down < 2; down++) {
        for (;;) {
            struct twin_order *o = NULL;
            for (uint32_t i = 0; i < t->cnt; i++) {
                struct twin_order *c = &t->at[i];
                if (c->state != VM_ARMED || !!(c->n.flags & VM_MARK) != mark) continue;
                if (tw_up(c) == !!down) continue;
                if (down ? price > c->stop : price < c->stop) continue;
                if (!o || (down ? c->stop > o->stop : c->stop < o->stop)) o = c;
            }
            if (!o) break;
            if (o->n.delta && !o->active) {
                tw_activate(t, o, price);
            } else {
                o->fired = true;
                o->state = VM_QUEUED;
                t->work[t->work_cnt++] = o->seq;
            }
        }
    }
    for (uint32_t i = 0; i < t->cnt; i++) {
        struct twin_order *c = &t->at[i];
        if (c->state != VM_ARMED || !!(c->n.flags & VM_MARK) != mark || !c->active) continue;
        if (c->n.side == VM_SELL ? price > c->extreme : price < c->extreme) {
            c->extreme = price;
            tw_follow(c);
        }
    }
}

/* tw_first returns the first order a taker of side would meet, or NULL. */
static struct twin_order *tw_first(struct twin *t, uint8_t side) {
    struct twin_order *o = NULL;
    for (uint32_t i = 0; i < t->cnt; i++) {
        struct twin_order *c = &t->at[i];
        if (c->state != VM_BOOK || c->n.side == side) continue;
        bool better = o && (side == VM_BUY ? c->price < o->price : c->price > o->price);
        if (!o || better || (c->price == o->price && c->place < o->place)) o = c;
    }
    return o;
}

/* tw_limit returns the worst price an order takes. */
static int64_t tw_limit(const struct twin_order *o) {
    if (o->price) return o->price;
    return o->n.side == VM_BUY ? VM_PRICE_MAX : 1;
}

/* tw_within tells whether price is good enough for limit. */
static bool tw_within(uint8_t side, int64_t price, int64_t limit) {
    return side == VM_BUY ? price <= limit : price >= limit;
}

/* tw_crosses tells whether an order at price would take. */
static bool tw_crosses(struct twin *t, uint8_t side, int64_t price) {
    const struct twin_order *m = tw_first(t, side);
    return m && tw_within(side, m->price, price);
}

/* tw_fok tells whether all of o is surely there: the book's orders by price and place, what shows
 * first, then what is hidden, level by level. */
static bool tw_fok(struct twin *t, const struct twin_order *o) {
    static struct twin_order book[TWIN_ORDERS];
    uint32_t n = 0;
    int64_t sum = 0, hidden = 0;
    for (uint32_t i = 0; i < t->cnt; i++) {
        const struct twin_order *c = &t->at[i];
        if (c->state != VM_BOOK || c->n.side == o->n.side) continue;
        uint32_t k = n++;
        for (; k > 0; k--) {
            const struct twin_order *b = &book[k - 1];
            bool after = c->price == b->price ? c->place > b->place
                                              : !tw_within(o->n.side, c->price, b->price);
            if (after) break;
            book[k] = *b;
        }
        book[k] = *c;
    }
    for (uint32_t i = 0; i < n && sum < o->left; i++) {
        const struct twin_order *c = &book[i];
        if (i > 0 && c->price != book[i - 1].price) {
            sum += hidden;
            hidden = 0;
            if (sum >= o->left) break;
        }
        if (!tw_within(o->n.side, c->price, tw_limit(o))) break;
        if (c->price < t->lo || c->price > t->hi) break;
        if (o->n.stp != VM_STP_NONE && c->group == o->group) {
            if (o->n.stp == VM_STP_MAKER) continue;
            return false;
        }
        if (c->n.flags & VM_REDUCE || c->oco) continue;
        sum += c->n.show ? c->show : c->left;
        hidden += c->n.show ? c->left - c->show : 0;
    }
    return sum + hidden >= o->left;
}

/* tw_lose takes lots from an order by prevention. */
static void tw_lose(struct twin_order *o, int64_t lots) {
    o->left -= lots;
    o->prevented += lots;
    o->lost = true;
    if (o->show > o->left) o->show = o->left;
}

/* tw_meet lets taker o meet maker m once; false when the taker is gone. */
static bool tw_meet(struct twin *t, uint64_t taker, uint64_t maker) {
    struct twin_order *o = tw_find(t, taker), *m = tw_find(t, maker);
    uint32_t mowner = m->n.owner, towner = o->n.owner;
    struct vm_event ev = { .id = maker,
                           .other = taker,
                           .tag = m->n.tag,
                           .price = m->price,
                           .owner = mowner,
                           .side = o->n.side };
    if (o->n.stp != VM_STP_NONE && m->group == o->group) {
        bool both = o->n.stp == VM_STP_BOTH;
        bool moves = o->n.stp == VM_STP_TRANSFER && m->n.stp == VM_STP_TRANSFER && mowner != towner;
        if (o->n.stp == VM_STP_DECREMENT || o->n.stp == VM_STP_TRANSFER) {
            ev.lots = m->left < o->left ? m->left : o->left;
            tw_lose(m, ev.lots);
            tw_lose(o, ev.lots);
        }
        ev.kind = moves ? VM_TRANSFERRED : VM_PREVENTED;
        ev.reason = REASON_SELF_TRADE;
        ev.left = m->left;
        ev.other_left = o->left;
        tw_say(t, ev);
        if (moves) {
            t->position[towner] += o->n.side == VM_BUY ? ev.lots : -ev.lots;
            t->position[mowner] += o->n.side == VM_BUY ? -ev.lots : ev.lots;
        }
        bool end_maker = both || o->n.stp == VM_STP_MAKER || m->left == 0;
        bool end_taker = both || o->n.stp == VM_STP_TAKER || o->left == 0;
        if (end_maker) tw_end(t, maker, VM_EXPIRED, REASON_SELF_TRADE);
        if (end_taker) tw_end(t, taker, VM_EXPIRED, REASON_SELF_TRADE);
        if (moves) tw_enforce(t, mowner);
        if (moves) tw_enforce(t, towner);
        return tw_find(t, taker) != NULL;
    }
    int64_t shown = m->n.show ? m->show : m->left;
    ev.lots = shown < o->left ? shown : o->left;
    m->left -= ev.lots;
    m->show -= m->n.show ? ev.lots : 0;
    o->left -= ev.lots;
    t->position[towner] += o->n.side == VM_BUY ? ev.lots : -ev.lots;
    t->position[mowner] += o->n.side == VM_BUY ? -ev.lots : ev.lots;
    ev.kind = VM_TRADED;
    ev.left = m->left;
    ev.other_left = o->left;
    tw_say(t, ev);
    t->last = ev.price;
    if (m->left == 0) m->state = VM_TAKER;
    tw_moved(t, false, ev.price);
    tw_oco(t, maker);
    if (tw_find(t, taker)) tw_oco(t, taker);
    m = tw_find(t, maker);
    if (m && m->left == 0) {
        tw_gone(t, maker, true);
    } else if (m && m->n.show && m->show == 0) {
        m->show = m->n.show < m->left ? m->n.show : m->left;
        if (t->fault != 2) m->place = ++t->place;
        tw_tell(t, m, VM_REPLENISHED, 0, m->price, m->show);
    }
    tw_enforce(t, mowner);
    if (towner != mowner) tw_enforce(t, towner);
    return tw_find(t, taker) != NULL;
}

/* tw_take lets an order take and rest. */
static void tw_take(struct twin *t, uint64_t seq) {
    struct twin_order *o = tw_find(t, seq);
    bool limited = o->price != 0;
    if (o->n.flags & (VM_REDUCE | VM_CLOSE)) {
        if (!tw_reduces(t, o->n.owner, o->n.side)) {
            tw_end(t, seq, VM_EXPIRED, REASON_REDUCE_ONLY);
            return;
        }
        if (!o->claim) o->claim = ++t->claims;
        tw_enforce(t, o->n.owner);
        o = tw_find(t, seq);
        if (!o) return;
    }
    if (o->n.tif == VM_GTX && tw_crosses(t, o->n.side, o->price) && t->fault != 1) {
        tw_end(t, seq, VM_EXPIRED, REASON_WOULD_MATCH);
        return;
    }
    if (o->n.tif == VM_FOK && !tw_fok(t, o)) {
        tw_end(t, seq, VM_EXPIRED, REASON_FILL_OR_KILL);
        return;
    }
    while (o->left > 0) {
        const struct twin_order *m = tw_first(t, o->n.side);
        if (!m || !tw_within(o->n.side, m->price, tw_limit(o))) break;
        if (m->price < t->lo || m->price > t->hi) {
            tw_end(t, seq, VM_EXPIRED, REASON_PRICE_BOUND);
            return;
        }
        if (!tw_meet(t, seq, m->seq)) return;
        o = tw_find(t, seq);
    }
    if (o->left == 0) {
        tw_gone(t, seq, true);
    } else if (!limited) {
        tw_end(t, seq, VM_EXPIRED, REASON_NO_LIQUIDITY);
    } else if (o->n.tif == VM_IOC) {
        tw_end(t, seq, VM_EXPIRED, REASON_NOT_FILLED_AT_ONCE);
    } else {
        o->state = VM_BOOK;
        o->place = ++t->place;
        if (o->n.show) o->show = o->n.show < o->left ? o->n.show : o->left;
    }
}

/* tw_met tells whether terms have their trigger price already. */
static bool tw_met(const struct twin *t, const struct vm_new *n) {
    int64_t price = n->flags & VM_MARK ? t->mark : t->last;
    bool stop = n->type == VM_STOP || n->type == VM_STOP_LIMIT;
    if (!price || !n->stop || n->type < VM_STOP) return false;
    return stop == (n->side == VM_BUY) ? price >= n->stop : price <= n->stop;
}

/* tw_fire lets a triggered order act. */
static void tw_fire(struct twin *t, uint64_t seq) {
    struct twin_order *o = tw_find(t, seq);
    o->fired = true;
    if (o->n.flags & VM_CLOSE && tw_reduces(t, o->n.owner, o->n.side))
        o->left = o->quantity = llabs(t->position[o->n.owner]);
    tw_tell(t, o, VM_TRIGGERED, 0, o->stop, o->quantity);
    tw_oco(t, seq);
    tw_take(t, seq);
}

/* tw_act lets an order act for the first time. */
static void tw_act(struct twin *t, uint64_t seq) {
    struct twin_order *o = tw_find(t, seq);
    if (o->n.type < VM_STOP) {
        tw_take(t, seq);
        return;
    }
    bool met = tw_met(t, &o->n);
    int64_t price = o->n.flags & VM_MARK ? t->mark : t->last;
    if (met && !(o->n.flags & VM_NOW)) {
        tw_end(t, seq, VM_EXPIRED, REASON_WOULD_TRIGGER);
    } else if (o->n.delta) {
        o->state = VM_ARMED;
        if (price && (met || !o->n.stop)) tw_activate(t, o, price);
    } else if (met) {
        tw_fire(t, seq);
    } else {
        o->state = VM_ARMED;
    }
}

/* tw_quiet works what is to be worked. */
static void tw_quiet(struct twin *t) {
    while (t->work_cnt) {
        uint64_t seq = t->work[0];
        struct twin_order *o = tw_find(t, seq);
        memmove(t->work, t->work + 1, --t->work_cnt * sizeof t->work[0]);
        o->state = VM_TAKER;
        if (o->fired) {
            tw_fire(t, seq);
        } else {
            if (!o->fresh) tw_tell(t, o, VM_RELEASED, 0, o->price, o->quantity);
            o->fresh = false;
            tw_act(t, seq);
        }
    }
}

/* tw_terms holds terms against the rules. */
static uint16_t tw_terms(const struct twin *t, const struct vm_new *n) {
    bool cond = n->type >= VM_STOP, market = n->type == VM_MARKET;
    bool limited = n->type == VM_LIMIT || n->type == VM_STOP_LIMIT || n->type == VM_TAKE_LIMIT;
    bool close = n->flags & VM_CLOSE;
    if (n->side > 1 || n->type > VM_TAKE_LIMIT || n->tif > VM_GTD || n->stp > VM_STP_TRANSFER)
        return REASON_BAD_TERMS;
    if (n->owner >= t->owners || n->flags > 15) return REASON_BAD_TERMS;
    if (limited && (n->price <= 0 || n->price > VM_PRICE_MAX)) return REASON_BAD_TICK;
    if (!limited && n->price) return REASON_BAD_TERMS;
    if (market && n->tif != VM_GTC) return REASON_BAD_TERMS;
    if (!limited && n->tif != VM_GTC && n->tif != VM_GTD) return REASON_BAD_TERMS;
    if (close && (limited || !cond || n->lots || n->flags & VM_REDUCE)) return REASON_BAD_TERMS;
    if (!close && (n->lots <= 0 || n->lots > VM_LOTS_MAX)) return REASON_BAD_LOT;
    if (cond && n->delta > 5000) return REASON_BAD_TERMS;
    if (cond && (n->stop < 0 || n->stop > VM_PRICE_MAX || (!n->stop && !n->delta)))
        return REASON_BAD_TICK;
    if (!cond && (n->stop || n->delta || n->flags & (VM_MARK | VM_NOW))) return REASON_BAD_TERMS;
    if (n->tif == VM_GTD && n->expire_ns <= t->now) return REASON_GOOD_TILL_DATE;
    if (n->tif != VM_GTD && n->expire_ns) return REASON_BAD_TERMS;
    if (n->show) {
        if (n->type != VM_LIMIT || n->tif == VM_IOC || n->tif == VM_FOK) return REASON_BAD_DISPLAY;
        if (n->show < 0 || n->show >= n->lots) return REASON_BAD_DISPLAY;
    }
    return 0;
}

/* tw_ready holds an order that acts at once against the book. */
static uint16_t tw_ready(struct twin *t, const struct vm_new *n) {
    if (tw_met(t, n) && !(n->flags & VM_NOW)) return REASON_WOULD_TRIGGER;
    if (n->type >= VM_STOP) return 0;
    if (n->flags & VM_REDUCE && !tw_reduces(t, n->owner, n->side)) return REASON_REDUCE_ONLY;
    if (n->tif == VM_GTX && tw_crosses(t, n->side, n->price) && t->fault != 1)
        return REASON_WOULD_MATCH;
    return 0;
}

/* tw_enter opens an order. */
static struct twin_order *tw_enter(struct twin *t, const struct vm_new *n) {
    struct twin_order *o = &t->at[t->cnt++];
    uint32_t group = t->group[n->owner];
    *o = (struct twin_order){ .n = *n,
                              .seq = ++t->seq,
                              .price = n->price,
                              .quantity = n->lots,
                              .left = n->lots,
                              .show = n->show,
                              .stop = n->stop,
                              .group = group ? group + (1U << 31) : n->owner,
                              .state = VM_TAKER };
    return o;
}

/* tw_place is vm_place; returns the order's number. */
static uint64_t tw_place(struct twin *t, const struct vm_new *n) {
    uint16_t reason = tw_terms(t, n);
    if (!reason && (n->parent || n->oco)) reason = REASON_LIST_RULE;
    if (!reason) reason = tw_ready(t, n);
    if (!reason && t->cnt == t->max) reason = REASON_OPEN_ORDERS_MAX;
    if (reason) return tw_refuse(t, 0, n, reason);
    struct twin_order *o = tw_enter(t, n);
    uint64_t seq = o->seq;
    tw_tell(t, o, VM_ACCEPTED, 0, n->price, n->lots);
    tw_act(t, seq);
    tw_quiet(t);
    return seq;
}

/* tw_place_list is vm_place_list. */
static uint64_t tw_place_list(struct twin *t, const struct vm_new *n, uint32_t cnt, uint64_t *ids) {
    if (cnt == 0 || cnt > VM_LIST_MAX) return tw_refuse(t, 0, cnt ? n : NULL, REASON_LIST_RULE);
    for (uint32_t i = 0; i < cnt; i++) {
        uint16_t reason = tw_terms(t, &n[i]);
        if (!reason && (n[i].owner != n[0].owner || n[i].parent > i)) reason = REASON_LIST_RULE;
        if (!reason && n[i].oco && n[i].tif == VM_FOK) reason = REASON_LIST_RULE;
        for (uint32_t k = 0; !reason && n[i].oco && k < i; k++)
            if (n[k].oco == n[i].oco && n[k].parent != n[i].parent) reason = REASON_LIST_RULE;
        if (!reason && !n[i].parent) reason = tw_ready(t, &n[i]);
        if (!reason && t->cnt + cnt > t->max) reason = REASON_OPEN_ORDERS_MAX;
        if (reason) return tw_refuse(t, 0, &n[i], reason);
    }
    for (uint32_t i = 0; i < cnt; i++) {
        struct twin_order *o = tw_enter(t, &n[i]);
        ids[i] = o->seq;
        o->list = ids[0];
        o->idx = (uint8_t)i;
        o->parent = n[i].parent;
        o->oco = n[i].oco;
        o->fresh = !n[i].parent;
        o->state = n[i].parent ? VM_PENDING : VM_QUEUED;
        if (o->fresh) t->work[t->work_cnt++] = o->seq;
        tw_tell(t, o, o->fresh ? VM_ACCEPTED : VM_PENDED, 0, n[i].price, n[i].lots);
        t->ev[t->ev_cnt - 1].other = ids[0];
    }
    tw_quiet(t);
    return ids[0];
}

/* tw_cancel_whole cancels an order and its list. */
static void tw_cancel_whole(struct twin *t, uint64_t seq, uint16_t reason) {
    uint64_t list = tw_find(t, seq)->list;
    for (uint32_t i = 0; i < t->cnt; i++)
        if (list && t->at[i].list == list) t->at[i].parent = 0;
    tw_end(t, seq, VM_CANCELED, reason);
    for (int i = 0; i < VM_LIST_MAX; i++) {
        uint64_t other = tw_member(t, list, i);
        if (other) tw_end(t, other, VM_CANCELED, reason);
    }
}

/* tw_cancel is vm_cancel. */
static bool tw_cancel(struct twin *t, uint64_t seq, enum vm_only only) {
    const struct twin_order *o = tw_find(t, seq);
    if (!o) return tw_refuse(t, seq, NULL, REASON_UNKNOWN_ORDER);
    int64_t filled = o->quantity - o->left - o->prevented;
    if ((only == VM_ONLY_NEW && filled > 0) || (only == VM_ONLY_PART && filled == 0))
        return tw_refuse(t, seq, NULL, REASON_CANCEL_RULE);
    tw_cancel_whole(t, seq, 0);
    return true;
}

/* tw_cancel_all is vm_cancel_all. */
static uint32_t tw_cancel_all(struct twin *t, uint32_t owner) {
    uint32_t before = t->cnt;
    for (uint32_t i = 0; i < t->cnt;) {
        if (t->at[i].n.owner == owner) {
            tw_cancel_whole(t, t->at[i].seq, 0);
            i = 0;
        } else {
            i++;
        }
    }
    return before - t->cnt;
}

/* tw_amend is vm_amend. */
static bool tw_amend(struct twin *t, uint64_t seq, int64_t price, int64_t lots,
                     enum vm_amend mode) {
    struct twin_order *o = tw_find(t, seq);
    uint16_t reason = 0;
    if (!o) return tw_refuse(t, seq, NULL, REASON_UNKNOWN_ORDER);
    if (!price) price = o->price;
    int64_t done = o->quantity - o->left;
    bool down = price == o->price && lots < o->quantity;
    if (o->state == VM_ARMED) {
        bool fits = mode == VM_AMEND_RULE && price == o->price && !(o->n.flags & VM_CLOSE);
        if (!fits || lots == o->quantity) return tw_refuse(t, seq, NULL, REASON_AMEND_RULE);
        if (lots < 1 || lots > VM_LOTS_MAX) return tw_refuse(t, seq, NULL, REASON_BAD_LOT);
        o->quantity = o->left = lots;
        tw_tell(t, o, VM_AMENDED, 0, price, lots);
        return true;
    }
    if (o->state != VM_BOOK) reason = REASON_AMEND_RULE;
    if (!reason && price == o->price && lots == o->quantity) reason = REASON_AMEND_RULE;
    if (!reason && (price < 1 || price > VM_PRICE_MAX)) reason = REASON_BAD_TICK;
    if (!reason && (lots < 1 || lots > VM_LOTS_MAX)) reason = REASON_BAD_LOT;
    if (!reason && mode == VM_AMEND_KEEP && !down) reason = REASON_AMEND_RULE;
    if (!reason && lots <= done && mode != VM_AMEND_REQUEUE) reason = REASON_AMEND_RULE;
    if (reason) return tw_refuse(t, seq, NULL, reason);
    bool post = o->n.tif == VM_GTX && tw_crosses(t, o->n.side, price);
    if (post && mode == VM_AMEND_RULE) return tw_refuse(t, seq, NULL, REASON_WOULD_MATCH);
    if (lots <= done) {
        tw_cancel_whole(t, seq, REASON_AMEND_RULE);
        return true;
    }
    if (post) {
        tw_cancel_whole(t, seq, REASON_WOULD_MATCH);
        return true;
    }
    o->price = price;
    o->quantity = lots;
    o->left = lots - done;
    if (down && mode != VM_AMEND_REQUEUE) {
        if (o->show > o->left) o->show = o->left;
        tw_tell(t, o, VM_AMENDED, 0, price, lots);
        return true;
    }
    o->state = VM_TAKER;
    tw_tell(t, o, VM_AMENDED, 0, price, lots);
    tw_take(t, seq);
    tw_quiet(t);
    return true;
}

/* tw_expire is vm_expire. */
static void tw_expire(struct twin *t, int64_t now) {
    if (now > t->now) t->now = now;
    for (;;) {
        const struct twin_order *o = NULL;
        for (uint32_t i = 0; i < t->cnt; i++) {
            const struct twin_order *c = &t->at[i];
            if (c->n.tif == VM_GTD && c->n.expire_ns <= now &&
                (!o || c->n.expire_ns < o->n.expire_ns))
                o = c;
        }
        if (!o) return;
        tw_end(t, o->seq, VM_EXPIRED, REASON_GOOD_TILL_DATE);
    }
}

/* tw_price is vm_mark or vm_print. */
static void tw_price(struct twin *t, bool mark, int64_t price) {
    *(mark ? &t->mark : &t->last) = price;
    tw_moved(t, mark, price);
    tw_quiet(t);
}

/* tw_row fills an order's row. */
static void tw_row(const struct twin_order *o, struct vm_row *r) {
    uint64_t f = o->n.flags;
    bool claims = f & (VM_REDUCE | VM_CLOSE), cond = o->n.type >= VM_STOP;
    if (o->n.show) f |= VM_ICEBERG;
    if (o->n.delta) f |= VM_TRAIL;
    if (o->active) f |= VM_ACTIVE;
    if (o->fired) f |= VM_FIRED;
    if (o->list) f |= VM_LISTED;
    if (o->lost) f |= VM_PREVENT;
    if (o->n.tif == VM_GTD) f |= VM_TIMED;
    *r = (struct vm_row){
        .w = { 3 + 256ULL * o->n.side + (1ULL << 16) * o->n.type + (1ULL << 24) * o->n.tif +
                   (1ULL << 32) * o->n.stp + (1ULL << 40) * o->state + (1ULL << 48) * o->idx +
                   (1ULL << 56) * o->parent,
               o->seq, (uint64_t)o->price, (uint64_t)o->left, (uint64_t)o->quantity, o->n.tag,
               o->n.owner + ((uint64_t)o->group << 32),
               f + ((uint64_t)o->n.delta << 16) + ((uint64_t)o->oco << 48), (uint64_t)o->n.show,
               (uint64_t)(o->n.show ? o->show : 0), (uint64_t)(cond ? o->stop : 0),
               (uint64_t)(o->active ? o->extreme : 0), (uint64_t)o->n.expire_ns,
               (uint64_t)o->prevented, claims ? o->claim : 0, o->list }
    };
}

/* tw_rows writes the state as the engine's rows, with numbers for ids, and returns how many. */
static size_t tw_rows(struct twin *t, struct vm_row *rows) {
    size_t n = 0;
    static bool done[TWIN_ORDERS];
    rows[n++] =
        (struct vm_row){ .w = { 1, t->seq, (uint64_t)t->last, (uint64_t)t->mark, (uint64_t)t->now,
                                t->claims, (uint64_t)t->lo, (uint64_t)t->hi, t->max } };
    for (uint32_t i = 0; i < t->owners; i++)
        if (t->position[i] || t->group[i])
            rows[n++] = (struct vm_row){ .w = { 2, i, (uint64_t)t->position[i], t->group[i] } };
    memset(done, 0, t->cnt);
    for (uint8_t taker = VM_SELL + 1; taker-- > 0;) { /* who sells meets bids, which come first */
        for (;;) {
            uint32_t best = UINT32_MAX;
            for (uint32_t i = 0; i < t->cnt; i++) {
                const struct twin_order *c = &t->at[i];
                if (done[i] || c->state != VM_BOOK || c->n.side == taker) continue;
                const struct twin_order *b = best == UINT32_MAX ? NULL : &t->at[best];
                if (!b || (c->price == b->price ? c->place < b->place
                                                : tw_within(taker, c->price, b->price)))
                    best = i;
            }
            if (best == UINT32_MAX) break;
            done[best] = true;
            tw_row(&t->at[best], &rows[n++]);
        }
    }
    for (uint32_t i = 0; i < t->cnt; i++)
        if (!done[i]) tw_row(&t->at[i], &rows[n++]);
    return n;
}
#endif
