/* match_rows.c - the engine's state as rows: saved, loaded, hashed, checked.
 *
 * head   w1 seq, w2 last, w3 mark, w4 now_ns, w5 claim, w6 bound_lo, w7 bound_hi, w8 orders_max
 * owner  w1 owner, w2 position, w3 group; only those that are not all zero
 * order  w0 3 | side << 8 | type << 16 | tif << 24 | stp << 32 | state << 40 | list_idx << 48 |
 *        parent << 56, w1 id, w2 price, w3 left, w4 quantity, w5 tag, w6 owner | group << 32,
 *        w7 flags | delta << 16 | oco << 48, w8 show_max, w9 show, w10 stop, w11 extreme,
 *        w12 expire_ns, w13 prevented, w14 claim, w15 list */
#include "actors/venue/match_state.h"
#include <errno.h>

/* Kinds of rows. */
enum { ROW_HEAD = 1, ROW_OWNER, ROW_ORDER };

/* What walks the rows. */
typedef void row_fn(void *ctx, const struct vm_row *row);

/* slot_before tells whether slot a comes before b. */
static bool slot_before(const struct vm *e, uint32_t a, uint32_t b, enum vm_by by) {
    const struct vm_more *x = &e->more[a], *y = &e->more[b];
    if (by == VM_BY_ID) return e->orders[a].id < e->orders[b].id;
    if (by == VM_BY_CLAIM) return x->claim < y->claim;
    return x->list != y->list ? x->list < y->list : x->list_idx < y->list_idx;
}

/* sink moves the slot at index at down a heap of cnt whose last is on top. */
static void sink(const struct vm *e, uint32_t *slots, uint32_t at, uint32_t cnt, enum vm_by by) {
    uint32_t slot = slots[at];
    for (uint32_t child; (child = 2 * at + 1) < cnt; at = child) {
        if (child + 1 < cnt && slot_before(e, slots[child], slots[child + 1], by)) child++;
        if (!slot_before(e, slot, slots[child], by)) break;
        slots[at] = slots[child];
    }
    slots[at] = slot;
}

void vm_sort(const struct vm *e, uint32_t *slots, uint32_t cnt, enum vm_by by) {
    for (uint32_t i = cnt / 2; i-- > 0;) sink(e, slots, i, cnt, by);
    while (cnt > 1) {
        uint32_t top = slots[0];
        slots[0] = slots[--cnt];
        sink(e, slots, 0, cnt, by);
        slots[cnt] = top;
    }
}

/* order_row fills the row of an order. */
static void order_row(const struct vm *e, uint32_t slot, struct vm_row *r) {
    const struct vm_order *o = &e->orders[slot];
    const struct vm_more *m = &e->more[slot];
    bool listed = o->flags & VM_LISTED;
    *r =
        (struct vm_row){ .w = {
                             [0] = ROW_ORDER | (uint64_t)o->side << 8 | (uint64_t)o->type << 16 |
                                   (uint64_t)o->tif << 24 | (uint64_t)o->stp << 32 |
                                   (uint64_t)o->state << 40 |
                                   (uint64_t)(listed ? m->list_idx : 0) << 48 |
                                   (uint64_t)(listed ? m->parent : 0) << 56,
                             [1] = o->id,
                             [2] = (uint64_t)o->price,
                             [3] = (uint64_t)o->left,
                             [4] = (uint64_t)o->quantity,
                             [5] = o->tag,
                             [6] = o->owner | (uint64_t)o->group << 32,
                             [7] = o->flags | (uint64_t)(o->flags & VM_TRAIL ? m->delta : 0) << 16 |
                                   (uint64_t)(listed ? m->oco : 0) << 48,
                             [8] = o->flags & VM_ICEBERG ? (uint64_t)m->show_max : 0,
                             [9] = o->flags & VM_ICEBERG ? (uint64_t)m->show : 0,
                             [10] = o->type >= VM_STOP ? (uint64_t)m->stop : 0,
                             [11] = o->flags & VM_ACTIVE ? (uint64_t)m->extreme : 0,
                             [12] = o->flags & VM_TIMED ? (uint64_t)m->expire_ns : 0,
                             [13] = o->flags & VM_PREVENT ? (uint64_t)m->prevented : 0,
                             [14] = o->flags & (VM_REDUCE | VM_CLOSE) ? m->claim : 0,
                             [15] = listed ? m->list : 0,
                         } };
}

/* rows_each gives all rows to fn, in order. */
static void rows_each(const struct vm *e, row_fn *fn, void *ctx) {
    struct vm_row r = { .w = { ROW_HEAD, e->seq, (uint64_t)e->last, (uint64_t)e->mark,
                               (uint64_t)e->now_ns, e->claim, (uint64_t)e->bound_lo,
                               (uint64_t)e->bound_hi, e->orders_max } };
    uint32_t cnt = 0;
    fn(ctx, &r);
    for (uint32_t i = 0; i < e->owners_max; i++) {
        const struct vm_owner *w = &e->owners[i];
        if (w->position == 0 && w->group == 0) continue;
        r = (struct vm_row){ .w = { ROW_OWNER, i, (uint64_t)w->position, w->group } };
        fn(ctx, &r);
    }
    for (uint8_t side = VM_BUY; side <= VM_SELL; side++) {
        for (int64_t p = e->best[side]; p != 0 && p != VM_PRICE_NONE;
             p = vm_next_level(e, side, p)) {
            for (uint32_t s = vm_level_of(e, p)->head; s != VM_NONE; s = e->orders[s].next) {
                order_row(e, s, &r);
                fn(ctx, &r);
            }
        }
    }
    for (uint32_t s = 0; s < e->slot_top; s++) {
        if (e->orders[s].id != 0 && e->orders[s].state != VM_BOOK) e->scratch[cnt++] = s;
    }
    vm_sort(e, e->scratch, cnt, VM_BY_ID);
    for (uint32_t i = 0; i < cnt; i++) {
        order_row(e, e->scratch[i], &r);
        fn(ctx, &r);
    }
}

/* Rows being written. */
struct save {
    struct vm_row *rows; /* where to, or NULL */
    size_t cnt, max;     /* how many, room */
    uint64_t hash;       /* of all */
};

/* save_row writes one. */
static void save_row(void *ctx, const struct vm_row *row) {
    struct save *s = ctx;
    if (s->cnt < s->max) s->rows[s->cnt] = *row;
    s->cnt++;
}

/* hash_row adds one to the hash. */
static void hash_row(void *ctx, const struct vm_row *row) {
    struct save *s = ctx;
    for (int i = 0; i < 16; i++) {
        s->hash = (s->hash ^ row->w[i]) * 0x9fb21c651e98df25ULL;
        s->hash ^= s->hash >> 32;
    }
}

uint64_t vm_hash(const struct vm *e) {
    struct save s = { .hash = 0x9e3779b97f4a7c15ULL };
    rows_each(e, hash_row, &s);
    return s.hash;
}

size_t vm_rows(const struct vm *e) {
    struct save s = { .max = 0 };
    rows_each(e, save_row, &s);
    return s.cnt;
}

size_t vm_save(const struct vm *e, struct vm_row *rows, size_t max) {
    struct save s = { .rows = rows, .max = max };
    rows_each(e, save_row, &s);
    return s.cnt <= max ? s.cnt : 0;
}

/* order_sound tells whether the order just loaded into slot holds what its state needs. */
static bool order_sound(const struct vm *e, uint32_t slot) {
    const struct vm_order *o = &e->orders[slot];
    const struct vm_more *m = &e->more[slot];
    bool limited = o->type == VM_LIMIT || o->type == VM_STOP_LIMIT || o->type == VM_TAKE_LIMIT;
    bool close = o->flags & VM_CLOSE, listed = o->flags & VM_LISTED;
    if (o->id >> e->slot_bits == 0 || o->id >> e->slot_bits > e->seq) return false;
    if (o->side > VM_SELL || o->type >= VM_TYPE_CNT || o->tif >= VM_TIF_CNT ||
        o->stp >= VM_STP_CNT || o->owner >= e->owners_max || o->flags >= VM_FRESH)
        return false;
    if (o->group != o->owner && !(o->group >> 31)) return false;
    if (limited ? o->price < 1 || o->price > VM_PRICE_MAX : o->price != 0) return false;
    if (close ? o->left || o->quantity : o->left < 1 || o->quantity > VM_LOTS_MAX) return false;
    if (o->left > o->quantity ||
        (o->flags & VM_PREVENT && (m->prevented < 0 || m->prevented > o->quantity - o->left)))
        return false;
    if (o->flags & VM_ICEBERG &&
        (m->show_max < 1 || m->show < 1 || m->show > o->left || o->type != VM_LIMIT))
        return false;
    if (o->flags & VM_TRAIL && (m->delta < 1 || m->delta > VM_DELTA_MAX)) return false;
    if (listed && (m->list_idx >= VM_LIST_MAX || m->parent > m->list_idx)) return false;
    if (o->flags & VM_ACTIVE && (m->extreme < 1 || m->extreme > VM_PRICE_MAX)) return false;
    if (m->claim > e->claim) return false;
    if (o->state == VM_BOOK) return limited && (o->type == VM_LIMIT || o->flags & VM_FIRED);
    if (m->claim != 0 || o->flags & VM_FIRED) return false;
    if (o->state == VM_PENDING) return listed && m->parent != 0;
    if (o->state != VM_ARMED || o->type < VM_STOP) return false;
    return m->stop >= 0 && m->stop <= 2 * VM_PRICE_MAX && (m->stop > 0 || o->flags & VM_TRAIL);
}

/* order_load puts the order of a row in its place; false when there is none for it. */
static bool order_load(struct vm *e, const struct vm_row *r) {
    uint64_t id = r->w[1], w0 = r->w[0], w7 = r->w[7];
    uint32_t slot = (uint32_t)(id & e->slot_mask);
    struct vm_order *o = &e->orders[slot];
    struct vm_more *m = &e->more[slot];
    if (o->id != 0 || id == 0) return false;
    *o = (struct vm_order){ .id = id,
                            .price = (int64_t)r->w[2],
                            .left = (int64_t)r->w[3],
                            .quantity = (int64_t)r->w[4],
                            .tag = r->w[5],
                            .owner = (uint32_t)r->w[6],
                            .group = (uint32_t)(r->w[6] >> 32),
                            .next = VM_NONE,
                            .prev = VM_NONE,
                            .flags = (uint16_t)w7,
                            .side = (uint8_t)(w0 >> 8),
                            .type = (uint8_t)(w0 >> 16),
                            .tif = (uint8_t)(w0 >> 24),
                            .stp = (uint8_t)(w0 >> 32),
                            .state = (uint8_t)(w0 >> 40) };
    *m = (struct vm_more){ .show_max = (int64_t)r->w[8],
                           .show = (int64_t)r->w[9],
                           .stop = (int64_t)r->w[10],
                           .extreme = (int64_t)r->w[11],
                           .expire_ns = (int64_t)r->w[12],
                           .prevented = (int64_t)r->w[13],
                           .claim = r->w[14],
                           .list = r->w[15],
                           .list_next = slot,
                           .delta = (uint32_t)(w7 >> 16),
                           .list_idx = (uint8_t)(w0 >> 48),
                           .parent = (uint8_t)(w0 >> 56),
                           .oco = (uint8_t)(w7 >> 48) };
    if (!order_sound(e, slot)) {
        o->id = 0;
        return false;
    }
    vm_slot_take(e, slot);
    e->owner_of[slot] = o->owner;
    if (o->flags & VM_TIMED) vm_heap_push(e, VM_HEAP_TIME, m->expire_ns, slot);
    if (o->state == VM_ARMED) vm_rearm(e, slot);
    if (o->state == VM_BOOK) {
        int64_t show = m->show;
        vm_rest(e, slot);
        if (o->flags & VM_ICEBERG) {
            struct vm_level *l = vm_level_of(e, o->price);
            if (show > m->show) return false;
            l->lots -= m->show - show;
            l->hidden += m->show - show;
            m->show = show;
        }
    }
    struct vm_row again; /* a word that means nothing for this order must be 0 */
    order_row(e, slot, &again);
    return memcmp(&again, r, sizeof again) == 0;
}

/* blank tells whether the words of a row from one on are 0. */
static bool blank(const struct vm_row *r, int from) {
    while (from < 16 && r->w[from] == 0) from++;
    return from == 16;
}

/* links_load joins lists and claims again; false when they do not fit. */
static bool links_load(struct vm *e) {
    uint32_t cnt = 0, *at = e->scratch;
    for (uint32_t s = 0; s < e->slot_top; s++)
        if (e->orders[s].id && e->orders[s].flags & VM_LISTED) at[cnt++] = s;
    vm_sort(e, at, cnt, VM_BY_LIST);
    for (uint32_t i = 0, first = 0; i < cnt; i++) {
        const struct vm_more *m = &e->more[at[i]];
        if (i > 0 && m->list == e->more[at[i - 1]].list) {
            if (m->list_idx == e->more[at[i - 1]].list_idx) return false;
            e->more[at[i - 1]].list_next = at[i];
        } else {
            first = i;
        }
        e->more[at[i]].list_next = at[first];
    }
    cnt = 0;
    for (uint32_t s = 0; s < e->slot_top; s++) {
        const struct vm_order *o = &e->orders[s];
        if (!o->id || !(o->flags & (VM_REDUCE | VM_CLOSE))) continue;
        if ((o->state == VM_BOOK) != (e->more[s].claim != 0)) return false;
        if (e->more[s].claim) at[cnt++] = s;
    }
    vm_sort(e, at, cnt, VM_BY_CLAIM);
    for (uint32_t i = 0; i < cnt; i++) {
        uint64_t claim = e->claim, own = e->more[at[i]].claim;
        if (i > 0 && own == e->more[at[i - 1]].claim) return false;
        vm_claim(e, at[i]);
        e->more[at[i]].claim = own;
        e->claim = claim;
    }
    return true;
}

int vm_load(struct vm *e, const struct vm_row *rows, size_t cnt) {
    assert(e->seq == 0 && e->open == 0);
    if (cnt == 0 || rows[0].w[0] != ROW_HEAD || rows[0].w[8] != e->orders_max) return -EINVAL;
    const uint64_t *w = rows[0].w;
    for (int i = 2; i <= 7; i++)
        if (i != 5 && i != 4 && w[i] > VM_PRICE_MAX) return -EINVAL;
    if (w[6] < 1 || w[6] > w[7] || w[1] >> (64 - e->slot_bits) || !blank(&rows[0], 9))
        return -EINVAL;
    e->seq = w[1];
    e->last = (int64_t)w[2];
    e->mark = (int64_t)w[3];
    e->now_ns = (int64_t)w[4];
    e->claim = w[5];
    e->bound_lo = (int64_t)w[6];
    e->bound_hi = (int64_t)w[7];
    for (size_t i = 1; i < cnt; i++) {
        const struct vm_row *r = &rows[i];
        if (r->w[0] == ROW_OWNER) {
            if (r->w[1] >= e->owners_max || r->w[3] >> 31 || !blank(r, 4)) return -EINVAL;
            int64_t position = (int64_t)r->w[2];
            if (position < -VM_POSITION_MAX || position > VM_POSITION_MAX) return -EINVAL;
            e->owners[r->w[1]].position = position;
            e->owners[r->w[1]].group = (uint32_t)r->w[3];
        } else if ((r->w[0] & 255) != ROW_ORDER || !order_load(e, r)) {
            return -EINVAL;
        }
    }
    if (!links_load(e) || vm_check(e)) return -EINVAL;
    return 0;
}

/* check_level returns NULL or what is wrong with the level of price. */
static const char *check_level(const struct vm *e, uint8_t side, int64_t price, uint32_t *cnt) {
    const struct vm_level *l = vm_level_of(e, price);
    int64_t lots = 0, hidden = 0;
    uint32_t seen = 0, prev = VM_NONE;
    if (!l || l->cnt == 0) return "a level in use is empty";
    for (uint32_t s = l->head; s != VM_NONE; s = e->orders[s].next) {
        const struct vm_order *o = &e->orders[s];
        if (o->state != VM_BOOK || o->price != price || o->side != side || o->prev != prev)
            return "an order is on the wrong level";
        if (o->left < 1 || vm_show(e, o) < 1 || vm_show(e, o) > o->left)
            return "an order on the book shows nothing";
        lots += vm_show(e, o);
        hidden += o->left - vm_show(e, o);
        prev = s;
        if (++seen > l->cnt) return "a level goes on";
    }
    if (seen != l->cnt || l->tail != prev) return "a level's count or tail is wrong";
    if (lots != l->lots || hidden != l->hidden) return "a level's lots are wrong";
    *cnt += seen;
    return NULL;
}

/* check_claims returns NULL or what is wrong with the reduce-only orders of an owner. */
static const char *check_claims(const struct vm *e, uint32_t owner) {
    int64_t sum = 0, position = e->owners[owner].position;
    for (uint32_t s = e->owners[owner].claims; s != VM_NONE; s = e->more[s].claim_older) {
        const struct vm_order *o = &e->orders[s];
        if (o->owner != owner || !vm_reduces(e, owner, o->side)) return "a claim on nothing";
        sum += o->left;
    }
    return sum > (position < 0 ? -position : position) ? "claims above the position" : NULL;
}

const char *vm_check(const struct vm *e) {
    uint32_t open = 0, on_book = 0, booked = 0, times = 0, armed = 0, waiting = 0;
    if (e->work != VM_NONE) return "work is left";
    if (e->best[VM_BUY] >= e->best[VM_SELL]) return "the book is crossed";
    for (uint8_t side = VM_BUY; side <= VM_SELL; side++) {
        for (int64_t p = e->best[side]; p != 0 && p != VM_PRICE_NONE;
             p = vm_next_level(e, side, p)) {
            const char *why = check_level(e, side, p, &on_book);
            if (why) return why;
        }
    }
    for (uint32_t s = 0; s < e->orders_max; s++) {
        const struct vm_order *o = &e->orders[s];
        bool free = e->free[s >> 6] >> (s & 63) & 1;
        if (free != (o->id == 0)) return "the free map is wrong";
        if (free) continue;
        if (s >= e->slot_top || (o->id & e->slot_mask) != s) return "a slot is wrong";
        open++;
        booked += o->state == VM_BOOK;
        armed += o->state == VM_ARMED;
        times += !!(o->flags & VM_TIMED);
        if (o->state != VM_BOOK && o->state != VM_ARMED && o->state != VM_PENDING)
            return "an order is nowhere";
    }
    for (uint32_t h = 0; h < VM_HEAP_TIME; h++) waiting += e->heaps[h].cnt;
    if (open != e->open) return "the count of open orders is wrong";
    if (booked != on_book) return "an order on the book is not on its level";
    if (armed != waiting) return "a conditional order is in no heap";
    if (times != e->heaps[VM_HEAP_TIME].cnt) return "a timed order is not in the heap of times";
    if (e->free_low != vm_bits_up(e->free, e->orders_max, 0))
        return "the lowest free slot is wrong";
    for (uint32_t i = 0; i < e->owners_max; i++) {
        const char *why = check_claims(e, i);
        if (why) return why;
    }
    return NULL;
}
