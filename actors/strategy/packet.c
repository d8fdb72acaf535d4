#include "actors/strategy/packet.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Field numbers of schemas/decision.fbs. */
enum field {
    F_ORDER_ID = 0,
    F_MARKET = 1,
    F_SYMBOL = 2,
    F_TIMEFRAME = 3,
    F_ACTION = 5,
    F_SIGNAL_STRENGTH = 6,
    F_CONFIDENCE_SCORE = 7,
    F_ENTRY = 9,
    F_SL = 10,
    F_TP1 = 11,
    F_TP2 = 12,
    F_RR = 13,
    F_COST_ASSUMPTION = 18,
    F_VALID_UNTIL = 19,
    F_GENERATED_AT_UTC = 21,
    F_REASONS = 22,
    F_MODEL_VERSION = 24,
    F_INSTRUMENT = 28,
    F_QUANTITY = 29,
};

/* AT is the place of a member in the table, as the vtable tells it. */
#define AT(member)                                                                                 \
    ((uint16_t)(offsetof(struct st_packet_head, member) -                                          \
                offsetof(struct st_packet_head, to_vtable)))

_Static_assert(offsetof(struct st_packet_head, to_vtable) == 72, "8-aligned, behind the vtable");
_Static_assert(offsetof(struct st_packet_head, order_id) % 8 == 0, "8-aligned figures");
_Static_assert(offsetof(struct st_packet_head, cost_vtable) == 192, "the table ends here");
_Static_assert(offsetof(struct st_packet_head, cost_bps) == 216, "8-aligned");

/* put_string adds a string behind what is there and sets the offset that lies at *field. */
static void put_string(struct st_packet *p, uint32_t *field, const char *text) {
    uint32_t len = (uint32_t)strlen(text);
    uint32_t at = p->cnt, end = (at + 4 + len + 1 + 3) & ~3U;
    assert(end <= ST_PACKET_BYTES_MAX);
    memcpy(p->bytes + at, &len, sizeof len);
    memcpy(p->bytes + at + 4, text, len);
    *field = at - (uint32_t)((const uint8_t *)field - p->bytes);
    p->cnt = end;
}

/* timeframe_format writes an interval as people write it: "15m". */
static void timeframe_format(int64_t interval_ns, char *out, size_t cap) {
    static const struct {
        int64_t ns;       /* length */
        const char *unit; /* its letter */
    } units[] = { { INT64_C(604800000000000), "w" },
                  { INT64_C(86400000000000), "d" },
                  { INT64_C(3600000000000), "h" },
                  { INT64_C(60000000000), "m" },
                  { INT64_C(1000000000), "s" },
                  { INT64_C(1000000), "ms" },
                  { 1, "ns" } };
    if (interval_ns == 0) {
        snprintf(out, cap, "trades");
        return;
    }
    size_t i = 0;
    while (interval_ns % units[i].ns != 0) i++;
    snprintf(out, cap, "%lld%s", (long long)(interval_ns / units[i].ns), units[i].unit);
}

void st_packet_init(struct st_packet *p, const struct mk_instrument *in, int64_t interval_ns,
                    const char *model_version) {
    memset(p, 0, sizeof *p);
    p->cnt = sizeof(struct st_packet_head);
    struct st_packet_head *h = (struct st_packet_head *)(void *)p->bytes;
    h->root = offsetof(struct st_packet_head, to_vtable);
    h->to_vtable = (int32_t)(offsetof(struct st_packet_head, to_vtable) -
                             offsetof(struct st_packet_head, vtable));
    h->vtable[0] = sizeof h->vtable;
    h->vtable[1] = AT(cost_vtable);
    uint16_t *field = h->vtable + 2;
    field[F_ORDER_ID] = AT(order_id);
    field[F_MARKET] = AT(market);
    field[F_SYMBOL] = AT(symbol);
    field[F_TIMEFRAME] = AT(timeframe);
    field[F_ACTION] = AT(action);
    field[F_SIGNAL_STRENGTH] = AT(signal_strength);
    field[F_CONFIDENCE_SCORE] = AT(confidence_score);
    field[F_ENTRY] = AT(entry);
    field[F_SL] = AT(sl);
    field[F_TP1] = AT(tp1);
    field[F_TP2] = AT(tp2);
    field[F_RR] = AT(rr);
    field[F_COST_ASSUMPTION] = AT(cost);
    field[F_VALID_UNTIL] = AT(valid_until);
    field[F_GENERATED_AT_UTC] = AT(generated_at_utc);
    field[F_REASONS] = AT(reasons);
    field[F_MODEL_VERSION] = model_version ? AT(model_version) : 0;
    field[F_INSTRUMENT] = AT(instrument);
    field[F_QUANTITY] = AT(quantity);
    h->cost_vtable[0] = sizeof h->cost_vtable;
    h->cost_vtable[1] = AT(reason_cnt) - AT(cost_to_vtable);
    h->cost_vtable[2] = AT(cost_bps) - AT(cost_to_vtable);
    h->cost_vtable[3] = AT(both_sides) - AT(cost_to_vtable);
    h->cost_vtable[4] = AT(liquidity) - AT(cost_to_vtable);
    h->cost_to_vtable = AT(cost_to_vtable) - AT(cost_vtable);
    h->cost = AT(cost_to_vtable) - AT(cost);
    h->reasons = AT(reason_cnt) - AT(reasons);
    h->instrument = in->id;
    char text[64];
    snprintf(text, sizeof text, "%s:%s", in->venue, mk_kind_words[in->kind]);
    put_string(p, &h->market, text);
    put_string(p, &h->symbol, in->symbol);
    timeframe_format(interval_ns, text, sizeof text);
    put_string(p, &h->timeframe, text);
    if (model_version) put_string(p, &h->model_version, model_version);
    p->cnt = (p->cnt + 7) & ~7U;
}

void st_packet_write(const struct st_packet *p, const struct st_packet_fill *f, void *out) {
    const struct st_signal *s = f->signal;
    memcpy(out, p->bytes, p->cnt);
    struct st_packet_head *h = out;
    uint16_t *field = h->vtable + 2;
    h->action = f->action;
    h->order_id = f->order_id;
    h->signal_strength = s->strength;
    h->confidence_score = s->confidence;
    h->entry = f->entry;
    h->sl = s->sl;
    h->tp1 = s->tp1;
    h->tp2 = s->tp2;
    h->valid_until = s->valid_ns > 0 ? f->now_ns + s->valid_ns : 0;
    h->generated_at_utc = f->now_ns;
    h->quantity = f->quantity;
    h->liquidity = f->liquidity;
    h->cost_bps = f->cost_bps;
    h->reason[0] = s->reason;
    h->reason[1] = f->why_not;
    h->reason_cnt = f->why_not == REASON_NONE ? 1 : 2;
    double risk = (double)(f->entry - s->sl), gain = (double)(s->tp1 - f->entry);
    bool has_rr = f->entry != 0 && s->sl != 0 && s->tp1 != 0 && s->sl != f->entry;
    h->rr = has_rr ? gain / risk : 0;
    if (f->order_id == 0) field[F_ORDER_ID] = 0;
    if (s->strength == 0) field[F_SIGNAL_STRENGTH] = 0;
    if (s->confidence == 0) field[F_CONFIDENCE_SCORE] = 0;
    if (f->entry == 0) field[F_ENTRY] = 0;
    if (s->sl == 0) field[F_SL] = 0;
    if (s->tp1 == 0) field[F_TP1] = 0;
    if (s->tp2 == 0) field[F_TP2] = 0;
    if (!has_rr) field[F_RR] = 0;
    if (s->valid_ns <= 0) field[F_VALID_UNTIL] = 0;
    if (f->quantity == 0) field[F_QUANTITY] = 0;
    if (f->liquidity == LIQUIDITY_NONE) field[F_COST_ASSUMPTION] = 0;
}
