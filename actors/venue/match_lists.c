/* match_lists.c - what binds orders to each other: lists, the queue of work, reduce-only. */
#include "actors/venue/match_state.h"

void vm_work_push(struct vm *e, uint32_t slot) {
    struct vm_order *o = &e->orders[slot];
    o->state = VM_QUEUED;
    o->next = VM_NONE;
    o->prev = e->work_end;
    if (e->work_end == VM_NONE)
        e->work = slot;
    else
        e->orders[e->work_end].next = slot;
    e->work_end = slot;
}

void vm_work_drop(struct vm *e, uint32_t slot) {
    const struct vm_order *o = &e->orders[slot];
    if (o->prev == VM_NONE)
        e->work = o->next;
    else
        e->orders[o->prev].next = o->next;
    if (o->next == VM_NONE)
        e->work_end = o->prev;
    else
        e->orders[o->next].prev = o->prev;
}

/* list_ids collects the ids of a list's live orders by index, 0 where there is none. */
static void list_ids(const struct vm *e, uint32_t slot, uint64_t *ids) {
    memset(ids, 0, VM_LIST_MAX * sizeof ids[0]);
    uint32_t s = slot;
    do {
        ids[e->more[s].list_idx] = e->orders[s].id;
        s = e->more[s].list_next;
    } while (s != slot);
}

void vm_oco(struct vm *e, uint32_t slot) {
    struct vm_more *m = &e->more[slot];
    uint64_t ids[VM_LIST_MAX];
    uint8_t number = m->oco;
    if (number == 0) return;
    m->oco = 0;
    list_ids(e, slot, ids);
    for (uint32_t i = 0; i < VM_LIST_MAX; i++) {
        uint32_t s = vm_slot(e, ids[i]);
        if (s == VM_NONE || e->more[s].oco != number) continue;
        if (e->orders[s].state == VM_TAKER && e->orders[s].left == 0) continue; /* has filled */
        vm_end(e, s, VM_EXPIRED, REASON_LIST_PARTNER);
    }
}

void vm_unlist(struct vm *e, uint32_t slot, bool filled) {
    struct vm_more *m = &e->more[slot];
    uint64_t ids[VM_LIST_MAX];
    uint32_t prev = slot;
    list_ids(e, slot, ids);
    while (e->more[prev].list_next != slot) prev = e->more[prev].list_next;
    e->more[prev].list_next = m->list_next;
    m->list_next = slot;
    for (uint32_t i = 0; i < VM_LIST_MAX; i++) {
        uint32_t s = vm_slot(e, ids[i]);
        if (s == VM_NONE || s == slot || e->more[s].parent != m->list_idx + 1) continue;
        if (e->orders[s].state != VM_PENDING) continue;
        if (filled)
            vm_work_push(e, s);
        else
            vm_end(e, s, VM_EXPIRED, REASON_LIST_PARENT);
    }
}

void vm_claim(struct vm *e, uint32_t slot) {
    struct vm_owner *w = &e->owners[e->orders[slot].owner];
    struct vm_more *m = &e->more[slot];
    m->claim = ++e->claim;
    m->claim_newer = VM_NONE;
    m->claim_older = w->claims;
    if (w->claims != VM_NONE) e->more[w->claims].claim_newer = slot;
    w->claims = slot;
}

void vm_unclaim(struct vm *e, uint32_t slot) {
    const struct vm_more *m = &e->more[slot];
    if (m->claim_newer == VM_NONE)
        e->owners[e->orders[slot].owner].claims = m->claim_older;
    else
        e->more[m->claim_newer].claim_older = m->claim_older;
    if (m->claim_older != VM_NONE) e->more[m->claim_older].claim_newer = m->claim_newer;
}

void vm_enforce(struct vm *e, uint32_t owner) {
    int64_t room = e->owners[owner].position;
    if (room < 0) room = -room;
    for (uint32_t s = e->owners[owner].claims, older; s != VM_NONE; s = older) {
        struct vm_order *o = &e->orders[s];
        older = e->more[s].claim_older;
        int64_t may = !vm_reduces(e, owner, o->side) ? 0 : o->left < room ? o->left : room;
        room -= may;
        if (may == o->left) continue;
        if (may == 0) {
            vm_end(e, s, VM_EXPIRED, REASON_REDUCE_ONLY);
            continue;
        }
        int64_t cut = o->left - may;
        vm_shrink(e, s, cut);
        o->quantity -= cut;
        vm_tell(e, o, VM_AMENDED, REASON_REDUCE_ONLY, o->price, o->quantity);
    }
}
