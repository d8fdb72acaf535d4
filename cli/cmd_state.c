#include "actors/market/market.h"
#include "actors/market/value.h"
#include "actors/report/merge.h"
#include "cli/cli.h"
#include "runtime/base/decimal.h"
#include "runtime/base/hash.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Something an order was said to be. */
struct have {
    uint64_t id;    /* order */
    uint64_t rank;  /* later ones hold; an intent is earliest */
    uint8_t status; /* ORDER_STATUS_* */
};

/* A growing list. */
struct list {
    uint8_t *items;   /* cnt x bytes */
    size_t bytes;     /* of one */
    size_t cnt, room; /* how many; how many fit */
};

/* What is told, line by line, and its hash. */
struct teller {
    uint64_t hash; /* of all lines as text */
    bool json;     /* lines are JSON objects */
};

/* list_push adds a copy of item; false without memory. */
static bool list_push(struct list *l, const void *item) {
    if (l->cnt == l->room) {
        size_t room = l->room ? l->room * 2 : 256;
        void *more = realloc(l->items, room * l->bytes);
        if (!more) return false;
        l->items = more;
        l->room = room;
    }
    memcpy(l->items + l->cnt++ * l->bytes, item, l->bytes);
    return true;
}

/* tell prints one line of words (and hashes it); in JSON the words get the names given. */
static void tell(struct teller *w, const char *const *names, const char *const *words) {
    char line[400];
    int n = 0;
    for (int i = 0; words[i]; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, "%s%s", i ? " " : "", words[i]);
    w->hash = rt_hash64(w->hash, line, (size_t)n);
    if (!w->json) {
        puts(line);
        return;
    }
    printf("{\"is\":\"%s\"", words[0]);
    for (int i = 1; words[i]; i++) printf(",\"%s\":\"%s\"", names[i - 1], words[i]);
    puts("}");
}

/* by_order orders by id, then rank. */
static int by_order(const void *a, const void *b) {
    const struct have *x = a, *y = b;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* same_position tells whether a and b are of one owner, account, instrument and side. */
static bool same_position(const struct msg_position *a, const struct msg_position *b) {
    return a->owner == b->owner && a->account == b->account && a->instrument == b->instrument &&
           a->position_side == b->position_side;
}

/* gather reads what the run said. */
static int gather(const struct rt_run *run, struct list *orders, struct list *positions,
                  struct list *balances, struct msg_account_state *accounts, bool *seen,
                  struct msg_fee_balance *burns, struct rt_error *err) {
    struct report_merge m;
    uint64_t rank = 0;
    int more, code = report_merge_open(&m, run, err);
    if (code < 0) return code;
    if (m.cut)
        fprintf(stderr, "the journal's oldest records were dropped (archive_max): this is told of "
                        "what is left\n");
    while ((more = report_merge_next(&m, err)) > 0)
        for (size_t i = 0; i < m.cnt; i++) {
            const struct msg_frame *f = m.records[i].frame;
            bool room = true;
            if (f->kind == MSG_ORDER_INTENT || f->kind == MSG_ORDER_INTENT_MORE ||
                f->kind == MSG_ORDER_REPLACE) {
                const struct msg_order_intent *o = msg_body(f);
                room = list_push(orders, &(struct have){ o->order_id, 0, ORDER_STATUS_CREATED });
            } else if (f->kind == MSG_ORDER_STATE) {
                const struct msg_order_state *o = msg_body(f);
                room = list_push(orders, &(struct have){ o->order_id, ++rank, o->status });
            } else if (f->kind == MSG_ACCOUNT_STATE) {
                const struct msg_account_state *a = msg_body(f);
                accounts[a->account] = *a;
                seen[a->account] = true;
            } else if (f->kind == MSG_FEE_BALANCE) {
                const struct msg_fee_balance *b = msg_body(f);
                burns[b->account] = *b;
            } else if (f->kind == MSG_VENUE_BALANCE) {
                const struct msg_venue_balance *l = msg_body(f);
                struct msg_venue_balance *all = (struct msg_venue_balance *)(void *)balances->items;
                size_t k = 0;
                while (k < balances->cnt &&
                       (all[k].account != l->account || all[k].instrument != l->instrument))
                    k++;
                if (k < balances->cnt)
                    all[k] = *l;
                else
                    room = list_push(balances, l);
            } else if (f->kind == MSG_POSITION) {
                const struct msg_position *p = msg_body(f);
                struct msg_position *all = (struct msg_position *)(void *)positions->items;
                size_t k = 0;
                while (k < positions->cnt && !same_position(&all[k], p)) k++;
                if (k < positions->cnt)
                    all[k] = *p;
                else
                    room = list_push(positions, p);
            }
            if (!room) {
                report_merge_close(&m);
                return rt_error_set(err, -ENOMEM, "no memory for the state");
            }
        }
    report_merge_close(&m);
    return more;
}

/* tell_orders tells every order there ever was, in order of ids. */
static void tell_orders(struct teller *w, const struct mk_market *m, struct list *orders) {
    struct have *h = (struct have *)(void *)orders->items;
    if (orders->cnt) qsort(h, orders->cnt, sizeof *h, by_order);
    for (size_t i = 0; i < orders->cnt; i++) {
        char id[MK_CLIENT_ID_CHARS + 1];
        if (i + 1 < orders->cnt && h[i + 1].id == h[i].id) continue;
        mk_client_id_format(m->deployment, m->epoch, h[i].id, id);
        tell(w, (const char *const[]){ "client_order_id", "status" },
             (const char *const[]){ "HAVE", id, msg_order_status_name(h[i].status), NULL });
    }
}

/* name_of returns what a position's instrument is called: the venue's symbol or, where another
 * instrument has the same (spot and perpetual), our own name of it. */
static const char *name_of(const struct mk_market *m, uint32_t i) {
    const struct mk_instrument *in = &m->instruments[i - 1];
    for (uint32_t k = 0; k < m->instrument_cnt; k++) {
        if (k + 1 != i && strcmp(m->instruments[k].symbol, in->symbol) == 0) return in->name;
    }
    return in->symbol;
}

/* tell_holdings tells positions (of all strategies of an account together, as the portfolio nets
 * them; dust too) and cash. */
static void tell_holdings(struct teller *w, const struct mk_market *m, const struct list *positions,
                          const struct msg_account_state *accounts, const bool *seen) {
    const struct msg_position *all = (const struct msg_position *)(const void *)positions->items;
    for (uint32_t a = 1; a <= m->account_cnt; a++)
        for (uint32_t n = 3; n < 3 * m->instrument_cnt + 3; n++) {
            const uint32_t i = n / 3, side = n % 3; /* both, long, short */
            int64_t quantity = 0, cost = 0;
            bool netted = false; /* the portfolio's own sum was seen: more than one strategy */
            char q[RT_DECIMAL_CHARS], p[RT_DECIMAL_CHARS];
            for (size_t k = 0; k < positions->cnt; k++) {
                if (all[k].account != a || all[k].instrument != i || all[k].position_side != side)
                    continue;
                if (netted || all[k].owner == 0) {
                    if (all[k].owner != 0) continue;
                    quantity = cost = 0;
                    netted = true;
                }
                quantity += all[k].quantity;
                cost += all[k].cost;
            }
            if (quantity == 0) continue;
            rt_decimal_format(quantity, q);
            rt_decimal_format(mk_average(&m->instruments[i - 1], cost, quantity), p);
            tell(
                w, (const char *const[]){ "account", "symbol", "quantity", "average_price" },
                (const char *const[]){ "POS", m->accounts[a - 1].name, name_of(m, i), q, p, NULL });
        }
    for (uint32_t a = 1; a <= m->account_cnt; a++) {
        char amount[RT_DECIMAL_CHARS];
        rt_decimal_format(seen[a] ? accounts[a].cash : m->accounts[a - 1].cash, amount);
        tell(w, (const char *const[]){ "account", "asset", "amount" },
             (const char *const[]){ "CASH", m->accounts[a - 1].name,
                                    m->assets[m->accounts[a - 1].quote], amount, NULL });
    }
}

/* tell_burns tells what accounts have of the asset they pay fees in. */
static void tell_burns(struct teller *w, const struct mk_market *m,
                       const struct msg_fee_balance *burns) {
    for (uint32_t a = 1; a <= m->account_cnt; a++) {
        const struct mk_fee_asset *f = &m->accounts[a - 1].burn;
        char amount[RT_DECIMAL_CHARS];
        if (!f->on) continue;
        rt_decimal_format(burns[a].account != 0 ? burns[a].balance : f->balance, amount);
        tell(w, (const char *const[]){ "account", "asset", "amount" },
             (const char *const[]){ "FEES", m->accounts[a - 1].name, m->assets[f->asset], amount,
                                    NULL });
    }
}

/* tell_locked tells what open orders lock of spot balances, where they do. */
static void tell_locked(struct teller *w, const struct mk_market *m, const struct list *balances) {
    const struct msg_venue_balance *all =
        (const struct msg_venue_balance *)(const void *)balances->items;
    for (uint32_t a = 1; a <= m->account_cnt; a++)
        for (uint32_t i = 0; i <= m->instrument_cnt; i++)
            for (size_t k = 0; k < balances->cnt; k++) {
                char amount[RT_DECIMAL_CHARS];
                if (all[k].account != a || all[k].instrument != i || all[k].locked == 0) continue;
                rt_decimal_format(all[k].locked, amount);
                tell(w, (const char *const[]){ "account", "asset", "amount" },
                     (const char *const[]){ "LOCK", m->accounts[a - 1].name,
                                            m->assets[all[k].asset], amount, NULL });
            }
}

/* tell_actors recovers every shard in memory and tells the hash of each actor's state, in order of
 * ids. */
static int tell_actors(struct teller *w, struct rt_run *run, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    static uint64_t hash[RT_ACTORS_MAX];
    for (uint16_t i = 0; i < t->shard_cnt; i++) {
        uint64_t of[RT_LOCAL_MAX];
        int code = rt_run_state(run, i, err);
        if (code < 0) return code;
        rt_shard_state_hash(run->shards[i], of);
        for (uint16_t k = 0; k < run->shards[i]->local_cnt; k++)
            hash[run->shards[i]->locals[k].id] = of[k];
    }
    for (uint32_t i = 0; i < t->actor_cnt; i++) {
        char text[20];
        snprintf(text, sizeof text, "%016llx", (unsigned long long)hash[t->actors[i].id]);
        tell(w, (const char *const[]){ "name", "hash" },
             (const char *const[]){ "ACTOR", t->actors[i].name, text, NULL });
    }
    return 0;
}

int cmd_state(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    struct list orders = { .bytes = sizeof(struct have) },
                positions = { .bytes = sizeof(struct msg_position) },
                balances = { .bytes = sizeof(struct msg_venue_balance) };
    struct msg_account_state accounts[256] = { 0 };
    struct msg_fee_balance burns[256] = { 0 };
    bool seen[256] = { 0 };
    struct teller w = { .json = cli_flag(&argc, argv, "--json") };
    if (cli_words("state", argc, argv, 1, "DIR, the directory of a run,")) return 2;
    if (cli_peek(argv[1], &t, &run, &err) < 0) return cli_fail("state", &err, NULL);
    int code = cli_kept(argv[1], t, &run, &err);
    if (code == 0) code = gather(&run, &orders, &positions, &balances, accounts, seen, burns, &err);
    if (code == 0) {
        tell_orders(&w, t->world, &orders);
        tell_holdings(&w, t->world, &positions, accounts, seen);
        tell_burns(&w, t->world, burns);
        tell_locked(&w, t->world, &balances);
        code = tell_actors(&w, &run, &err);
    }
    if (code == 0) {
        char text[20];
        snprintf(text, sizeof text, "%016llx", (unsigned long long)w.hash);
        tell(&w, (const char *const[]){ "hash" }, (const char *const[]){ "HASH", text, NULL });
    }
    if (run.report[0]) fputs(run.report, stderr);
    free(orders.items);
    free(positions.items);
    free(balances.items);
    cli_peek_close(t, &run);
    return code < 0 ? cli_fail("state", &err, NULL) : 0;
}
