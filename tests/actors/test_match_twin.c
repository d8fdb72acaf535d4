/* Goal    the matching engine does what its rules say, whatever comes: every event and all of its
 *         state equal those of a naive twin after each command, lots are kept, fill-or-kill never
 *         fills in part, and a saved engine goes on as if nothing had been.
 * Method  random streams of commands, fresh seeds at each start (printed), over small books where
 *         everything meets everything, small and large windows, near and far prices. A difference
 *         is shrunk to the fewest commands that still make it, and printed.
 *         SHRIKE_MATCH_CMDS sets how many commands, SHRIKE_MATCH_SEED the first seed. */
#include "tests/support/check.h"
#include "tests/support/match_drive.h"
#include <time.h>
#include <unistd.h>

static struct drive_cmd cmds[DRIVE_CMDS];  /* the run being made */
static struct drive_cmd fewer[DRIVE_CMDS]; /* what is left of it */
static struct drive_cmd probe[DRIVE_CMDS]; /* with some left out */

/* What a run draws from. */
struct mood {
    uint64_t gen;           /* generator */
    struct drive_setup s;   /* sizes */
    int64_t mid, near;      /* where prices lie, how far apart */
    uint32_t far_per_mille; /* how often far away */
    uint32_t odd_per_cent;  /* how often not a plain limit order */
    int64_t lots_max;       /* sizes */
    uint64_t tags;          /* the next order's tag */
    int64_t now;            /* time */
};

/* chance is true n times in of. */
static bool chance(struct mood *m, int64_t n, int64_t of) {
    return gen_range(&m->gen, 1, of) <= n;
}

/* draw_price draws a price. */
static int64_t draw_price(struct mood *m) {
    int64_t far = m->near;
    if (chance(m, m->far_per_mille, 1000)) far = m->near << gen_range(&m->gen, 1, 12);
    int64_t p = m->mid + gen_range(&m->gen, -far, far);
    return p < 1 ? 1 : p > VM_PRICE_MAX ? VM_PRICE_MAX : p;
}

/* draw_order draws an order. */
static struct vm_new draw_order(struct mood *m) {
    struct vm_new n = { .price = draw_price(m),
                        .lots = gen_range(&m->gen, 1, m->lots_max),
                        .tag = ++m->tags,
                        .owner = (uint32_t)gen_range(&m->gen, 0, m->s.owners - 1),
                        .side = (uint8_t)gen_range(&m->gen, 0, 1) };
    if (chance(m, 1, 4)) n.stp = (uint8_t)gen_range(&m->gen, 0, VM_STP_CNT - 1);
    if (!chance(m, m->odd_per_cent, 100)) return n;
    n.type = (uint8_t)gen_range(&m->gen, 0, VM_TYPE_CNT - 1);
    bool limited = n.type == VM_LIMIT || n.type == VM_STOP_LIMIT || n.type == VM_TAKE_LIMIT;
    if (!limited) n.price = 0;
    if (n.type >= VM_STOP) {
        n.stop = draw_price(m);
        if (chance(m, 1, 3)) {
            n.delta = (uint32_t)gen_range(&m->gen, 1, chance(m, 1, 2) ? 5000 : 300);
            if (chance(m, 1, 2)) n.stop = 0;
        }
        if (chance(m, 1, 3)) n.flags |= VM_MARK;
        if (chance(m, 1, 4)) n.flags |= VM_NOW;
        if (!limited && chance(m, 1, 4)) {
            n.flags |= VM_CLOSE;
            n.lots = 0;
        }
    }
    if (limited && chance(m, 1, 2)) n.tif = (uint8_t)gen_range(&m->gen, 0, VM_TIF_CNT - 1);
    if (n.type >= VM_STOP && chance(m, 1, 8)) n.tif = VM_GTD;
    if (n.tif == VM_GTD) n.expire_ns = m->now + gen_range(&m->gen, 0, 300);
    if (n.type == VM_LIMIT && n.tif != VM_IOC && n.tif != VM_FOK && n.lots > 1 && chance(m, 1, 3))
        n.show = gen_range(&m->gen, 1, n.lots - 1);
    if (!(n.flags & VM_CLOSE) && chance(m, 1, 4)) n.flags |= VM_REDUCE;
    if (chance(m, 1, 40)) { /* nonsense */
        switch (gen_range(&m->gen, 0, 9)) {
        case 0: n.price = gen_range(&m->gen, -1, VM_PRICE_MAX + 1); break;
        case 1: n.lots = gen_range(&m->gen, -1, 0); break;
        case 2: n.flags = (uint16_t)gen_range(&m->gen, 0, 65535); break;
        case 3: n.type = (uint8_t)gen_range(&m->gen, 0, 255); break;
        case 4: n.show = n.lots + gen_range(&m->gen, -1, 1); break;
        case 5: n.delta = 5001; break;
        case 6: n.owner = m->s.owners; break;
        case 7: n.tif = (uint8_t)gen_range(&m->gen, 0, 7); break;
        case 8: n.stop = gen_range(&m->gen, -1, 1); break;
        default: n.oco = 1; break;
        }
    }
    return n;
}

/* draw_list draws an order list; mostly one that makes sense. */
static void draw_list(struct mood *m, struct drive_cmd *c) {
    int64_t shape = gen_range(&m->gen, 0, 3);
    c->cnt = (uint8_t)(shape < 2 ? 2 : 3);
    for (int i = 0; i < DRIVE_LIST; i++) {
        c->n[i] = draw_order(m);
        c->n[i].owner = c->n[0].owner;
        if (shape == 0) c->n[i].oco = 1;
        if (shape == 1) c->n[i].parent = (uint8_t)i;
        if (shape == 2 && i > 0) c->n[i].parent = c->n[i].oco = 1;
        if (shape == 3) {
            c->n[i].parent = (uint8_t)gen_range(&m->gen, 0, i);
            c->n[i].oco = (uint8_t)gen_range(&m->gen, 0, 2);
        }
    }
    if (chance(m, 1, 50)) c->n[1].owner = (uint32_t)gen_range(&m->gen, 0, m->s.owners - 1);
    if (chance(m, 1, 100)) c->cnt = 0;
}

/* draw_ref points a command at an order that may be open. */
static void draw_ref(struct mood *m, struct drive_cmd *c, uint32_t at) {
    const struct twin *t = &drive.twin;
    c->ref = UINT32_MAX;
    if (at == 0) return;
    if (t->cnt && !chance(m, 1, 20)) {
        uint64_t seq = t->at[gen_range(&m->gen, 0, t->cnt - 1)].seq;
        for (uint32_t i = at; i-- > 0;) {
            for (uint8_t k = 0; k < DRIVE_LIST; k++) {
                if (drive.ids[i][k] >> drive.shift != seq) continue;
                c->ref = i;
                c->sub = k;
                return;
            }
        }
    }
    c->ref = (uint32_t)gen_range(&m->gen, 0, at - 1);
    c->sub = (uint8_t)gen_range(&m->gen, 0, DRIVE_LIST - 1);
}

/* draw_cmd draws the next command. */
static void draw_cmd(struct mood *m, struct drive_cmd *c, uint32_t at) {
    int64_t die = gen_range(&m->gen, 0, 999);
    memset(c, 0, sizeof *c);
    c->n[0].owner = (uint32_t)gen_range(&m->gen, 0, m->s.owners - 1);
    c->mode = chance(m, 3, 4) ? 0 : (uint8_t)gen_range(&m->gen, 0, 255);
    if (chance(m, 1, 30)) m->mid += gen_range(&m->gen, -m->near, m->near);
    if (m->mid < 1) m->mid = 1;
    if (die < 560) {
        c->op = OP_PLACE;
        c->n[0] = draw_order(m);
    } else if (die < 640) {
        c->op = OP_LIST;
        draw_list(m, c);
    } else if (die < 780) {
        c->op = OP_CANCEL;
        draw_ref(m, c, at);
    } else if (die < 870) {
        c->op = OP_AMEND;
        c->mode = (uint8_t)gen_range(&m->gen, 0, 2);
        c->a = chance(m, 1, 2) ? 0 : draw_price(m);
        c->b = gen_range(&m->gen, 1, m->lots_max);
        draw_ref(m, c, at);
    } else if (die < 900) {
        c->op = OP_REPLACE;
        c->n[0] = draw_order(m);
        draw_ref(m, c, at);
    } else if (die < 920) {
        c->op = OP_EXPIRE;
        m->now += gen_range(&m->gen, 0, 100);
        c->a = m->now;
    } else if (die < 945) {
        c->op = OP_MARK;
        c->a = draw_price(m);
    } else if (die < 960) {
        c->op = OP_PRINT;
        c->a = draw_price(m);
    } else if (die < 970) {
        c->op = OP_BOUND;
        c->a = chance(m, 1, 2) ? 1 : draw_price(m);
        c->b = chance(m, 1, 2) ? VM_PRICE_MAX : draw_price(m);
        if (c->b < c->a) c->b = c->a;
    } else if (die < 980) {
        c->op = OP_POSITION;
        c->a = gen_range(&m->gen, -2 * m->lots_max, 2 * m->lots_max);
    } else if (die < 984) {
        c->op = OP_GROUP;
        c->a = gen_range(&m->gen, 0, 2);
    } else if (die < 994) {
        c->op = OP_CANCEL_ALL;
    } else {
        c->op = OP_RELOAD;
    }
}

/* mood_of draws what a seed's run is like. */
static struct mood mood_of(uint64_t seed) {
    static const uint32_t windows[] = { 64, 64, 128, 4096, 8192, VM_WINDOW_MAX };
    static const int64_t mids[] = { 5, 50, 1000, 1000000, VM_PRICE_MAX - 20, 1LL << 40 };
    struct mood m = { .gen = seed };
    m.s.window = windows[gen_range(&m.gen, 0, 3 + 2 * chance(&m, 1, 10))];
    m.s.orders_max = chance(&m, 3, 4) ? 64 : 128;
    m.s.owners = (uint32_t)gen_range(&m.gen, 1, 5);
    m.s.levels = chance(&m, 1, 4);
    m.mid = mids[gen_range(&m.gen, 0, 5)];
    m.near = gen_range(&m.gen, 1, chance(&m, 1, 2) ? 5 : 60);
    m.far_per_mille = chance(&m, 1, 2) ? 5 : 150;
    m.odd_per_cent = chance(&m, 1, 3) ? 10 : 50;
    m.lots_max = chance(&m, 1, 10) ? VM_LOTS_MAX : chance(&m, 1, 2) ? 10 : 100;
    m.now = 1;
    return m;
}

/* show_cmd prints a command. */
static void show_cmd(uint32_t at, const struct drive_cmd *c) {
    static const char *const names[] = { "place",    "list",   "cancel", "cancel_all", "amend",
                                         "replace",  "expire", "mark",   "print",      "bound",
                                         "position", "group",  "reload" };
    print_error("  %3u %-10s a %" PRId64 " b %" PRId64 " ref %u.%u mode %u owner %u\n", at,
                names[c->op], c->a, c->b, c->ref, c->sub, c->mode, c->n[0].owner);
    uint32_t n = c->op == OP_LIST ? c->cnt : c->op == OP_PLACE || c->op == OP_REPLACE;
    for (uint32_t i = 0; i < n; i++) {
        const struct vm_new *o = &c->n[i];
        print_error("        %s type %u tif %u stp %u flags %u price %" PRId64 " lots %" PRId64
                    " show %" PRId64 " stop %" PRId64 " delta %u expire %" PRId64
                    " owner %u parent %u oco %u\n",
                    o->side ? "sell" : "buy", o->type, o->tif, o->stp, o->flags, o->price, o->lots,
                    o->show, o->stop, o->delta, o->expire_ns, o->owner, o->parent, o->oco);
    }
}

/* differs runs cnt commands and tells whether they make a difference; *at = the command. */
static bool differs(const struct drive_setup *s, const struct drive_cmd *c, uint32_t cnt,
                    uint32_t *at) {
    drive_open(s);
    for (uint32_t i = 0; i < cnt; i++) {
        if (drive_step(&c[i], i)) continue;
        *at = i;
        drive_close();
        return true;
    }
    drive_close();
    return false;
}

/* without copies cnt commands into probe but for those from..to; what they placed cannot be meant
 * any more, and what comes after them is named anew. */
static uint32_t without(uint32_t cnt, uint32_t from, uint32_t to) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < cnt; i++) {
        if (i >= from && i < to) continue;
        probe[n] = fewer[i];
        uint32_t *ref = &probe[n++].ref;
        if (*ref >= from && *ref < to)
            *ref = UINT32_MAX;
        else if (*ref >= to && *ref != UINT32_MAX)
            *ref -= to - from;
    }
    return n;
}

/* plainer makes a command plainer in the way-th manner; false when it is so already. */
static bool plainer(struct drive_cmd *c, int way) {
    const struct drive_cmd was = *c;
    if (way < DRIVE_LIST && c->op == OP_LIST && way < c->cnt) { /* one of its orders alone */
        c->op = OP_PLACE;
        c->n[0] = c->n[way];
        c->n[0].parent = c->n[0].oco = 0;
    }
    for (int i = 0; i < DRIVE_LIST; i++) {
        if (way == 3) c->n[i].stp = 0;
        if (way == 4 && !(c->n[i].flags & VM_CLOSE)) c->n[i].flags = 0;
        if (way == 5 && c->n[i].lots > c->n[i].show + 1) c->n[i].lots = c->n[i].show + 1;
        if (way == 6 && c->n[i].show) c->n[i].show = 0;
        if (way == 7) c->n[i].delta = 0;
    }
    return memcmp(&was, c, sizeof was) != 0;
}

/* shrink takes whole stretches of fewer away first, then smaller ones, until no single one can go;
 * returns how many of cnt are left. */
static uint32_t shrink(const struct drive_setup *s, uint32_t cnt) {
    uint32_t at = 0;
    for (uint32_t chunk = cnt / 2; chunk > 0;) {
        bool shrunk = false;
        for (uint32_t from = 0; from < cnt;) {
            uint32_t to = from + chunk < cnt ? from + chunk : cnt, n = without(cnt, from, to);
            if (n < cnt && differs(s, probe, n, &at)) {
                cnt = at + 1;
                memcpy(fewer, probe, cnt * sizeof fewer[0]);
                shrunk = true;
            } else {
                from += chunk;
            }
        }
        if (chunk > 1 || !shrunk) chunk /= 2;
    }
    return cnt;
}

/* minimise shrinks the first cnt commands, which make a difference, leaves them in fewer and
 * returns how many are left: none can go, and none can be plainer. */
static uint32_t minimise(const struct drive_setup *s, uint32_t cnt) {
    uint32_t at = 0;
    memcpy(fewer, cmds, cnt * sizeof cmds[0]);
    for (bool better = true; better;) {
        better = false;
        cnt = shrink(s, cnt);
        for (uint32_t i = 0; i < cnt; i++) {
            for (int way = 0; way < 8; way++) {
                memcpy(probe, fewer, cnt * sizeof fewer[0]);
                if (!plainer(&probe[i], way) || !differs(s, probe, cnt, &at)) continue;
                cnt = at + 1;
                memcpy(fewer, probe, cnt * sizeof fewer[0]);
                better = true;
            }
        }
    }
    differs(s, fewer, cnt, &at); /* says why again */
    return cnt;
}

/* run_seed makes one run of up to cnt commands; returns how many are left when they differ, else 0.
 * done = those given. */
static uint32_t run_seed(uint64_t seed, uint32_t cnt, int fault, uint32_t *done) {
    struct mood m = mood_of(seed);
    m.s.fault = fault;
    drive_open(&m.s);
    for (uint32_t i = 0; i < cnt; i++) {
        draw_cmd(&m, &cmds[i], i);
        *done = i + 1;
        if (drive_step(&cmds[i], i)) continue;
        drive_close();
        return minimise(&m.s, i + 1);
    }
    drive_close();
    return 0;
}

/* from_env reads a number from the environment. */
static uint64_t from_env(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* reached_all tells whether the streams have come to every kind of event and reason so far. */
static bool reached_all(void) {
    for (int i = 1; i < VM_KIND_CNT; i++)
        if (drive.kinds[i] == 0) return false;
    for (uint16_t r = REASON_WOULD_TRIGGER; r <= REASON_CANCEL_RULE; r++)
        if (drive.reasons[r] == 0) return false;
    return true;
}

/* Goal: zero differences. */
static void test_agrees_with_twin(void **state) {
    (void)state;
    uint64_t first = from_env("SHRIKE_MATCH_SEED", (uint64_t)time(NULL) << 16 ^ (uint64_t)getpid());
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
    uint64_t cnt = from_env("SHRIKE_MATCH_CMDS", 100000), given = 0;
#else
    uint64_t cnt = from_env("SHRIKE_MATCH_CMDS", 300000), given = 0;
#endif
    print_message("first seed %" PRIu64 ", %" PRIu64 " commands\n", first, cnt);
    /* what is rare may take longer than that: the streams go on until all was seen */
    for (uint64_t seed = first;
         given < cnt || (cnt >= 100000 && given < 10 * cnt && !reached_all()); seed++) {
        uint32_t done = 0, left = run_seed(seed, DRIVE_CMDS / 2, 0, &done);
        given += done;
        if (left == 0) continue;
        print_error("seed %" PRIu64 ": engine and twin differ after %u commands (of %u): %s\n",
                    seed, left, done, drive.why);
        for (uint32_t i = 0; i < left; i++) show_cmd(i, &fewer[i]);
        fail();
    }
    print_message("%" PRIu64 " commands, %" PRIu64 " events, no difference\n", given, drive.events);
    for (int i = 1; i < VM_KIND_CNT && cnt >= 100000; i++) {
        if (drive.kinds[i] == 0) print_error("no event of kind %d\n", i);
        assert_true(drive.kinds[i] > 0); /* the streams reach everything */
    }
    for (uint16_t r = REASON_WOULD_TRIGGER; r <= REASON_CANCEL_RULE && cnt >= 100000; r++) {
        if (drive.reasons[r] == 0) print_error("no event for reason %u\n", r);
        assert_true(drive.reasons[r] > 0);
    }
}

/* Goal: the tests would notice, and say so in few commands. A twin that lets post-only orders take,
 * and one that keeps the place of a replenished iceberg, are found and shrunk to a handful: an
 * order and a post-only one that crosses it (or what makes it cross); an iceberg, one behind it,
 * what makes them, a taker. */
static void test_finds_faults(void **state) {
    (void)state;
    for (int fault = 1; fault <= 2; fault++) {
        uint32_t left = 0, done = 0;
        for (uint64_t seed = 1; seed < 50 && left == 0; seed++)
            left = run_seed(seed, DRIVE_CMDS / 2, fault, &done);
        print_message("fault %d: found, %u commands left of %u\n", fault, left, done);
        CHECK(fault, left >= 2 && left <= (fault == 1 ? 3 : 6));
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_agrees_with_twin),
                                        cmocka_unit_test(test_finds_faults) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
