/* packet.h - the DecisionPacket of a host, built once and patched for each decision.
 *
 * For     actors/strategy/host.c. A packet is a FlatBuffers table of a fixed layout: its strings
 *         are written at init, its figures are plain members of struct st_packet_head. A figure
 *         that is not known is absent: its vtable entry is set to 0 in the copy that is said.
 * Thread  the shard's.
 * Memory  inside the host's; allocates nothing.
 * Cost    a copy of about 280 bytes and a dozen stores.
 * Source  the FlatBuffers binary format; schemas/decision.fbs. */
#ifndef ACTORS_STRATEGY_PACKET_H
#define ACTORS_STRATEGY_PACKET_H
#include "actors/market/market.h"
#include "actors/strategy/api.h"
#include <stdint.h>

/* The fixed part of the buffer; strings lie behind it. */
struct st_packet_head {
    uint32_t root;            /* offset of the table */
    uint16_t vtable[2 + 30];  /* its size, the table's size, the place of each field */
    uint16_t pad[2];          /* zero */
    int32_t to_vtable;        /* the table begins here: back to its vtable */
    uint32_t market;          /* offset of a string */
    uint32_t symbol;          /* offset of a string */
    uint32_t timeframe;       /* offset of a string */
    uint32_t cost;            /* offset of the cost assumption */
    uint32_t reasons;         /* offset of the vector */
    uint32_t model_version;   /* offset of a string */
    uint16_t instrument;      /* ours */
    uint8_t action;           /* ACTION_* */
    uint8_t pad4;             /* zero; risk_level is not known: absent */
    uint64_t order_id;        /* the order that came of it */
    double signal_strength;   /* 0..1 */
    double confidence_score;  /* 0..1 */
    int64_t entry;            /* price it reckons with */
    int64_t sl;               /* stop loss */
    int64_t tp1;              /* first target */
    int64_t tp2;              /* second target */
    int64_t valid_until;      /* ns UTC */
    int64_t generated_at_utc; /* ns UTC */
    int64_t quantity;         /* sized quantity */
    double rr;                /* reward to risk */
    uint16_t cost_vtable[5];  /* of the cost assumption */
    uint16_t pad2[3];         /* zero */
    int32_t cost_to_vtable;   /* the cost assumption begins here */
    uint8_t both_sides;       /* 0: one side */
    uint8_t liquidity;        /* LIQUIDITY_* */
    uint16_t pad3;            /* zero */
    double cost_bps;          /* fee and slippage */
    uint32_t reason_cnt;      /* 1 or 2 */
    uint16_t reason[2];       /* REASON_* */
};
_Static_assert(sizeof(struct st_packet_head) == 232, "the layout packet.c writes");

enum { ST_PACKET_BYTES_MAX = 480 }; /* head and strings */

/* A prebuilt packet of one instrument. */
struct st_packet {
    _Alignas(8) uint8_t bytes[ST_PACKET_BYTES_MAX]; /* the buffer */
    uint32_t cnt;                                   /* bytes of it, a multiple of 8 */
};

/* What one decision adds. */
struct st_packet_fill {
    const struct st_signal *signal; /* as the strategy gave it */
    uint64_t order_id;              /* 0 = none */
    int64_t quantity;               /* 0 = none */
    int64_t entry;                  /* 0 = not known */
    int64_t now_ns;                 /* time of the decision */
    uint8_t action;                 /* ACTION_* */
    uint8_t liquidity;              /* LIQUIDITY_*: as what the order is thought to fill */
    double cost_bps;                /* what it is thought to cost, where liquidity tells */
    uint16_t why_not;               /* REASON_* for which no order came of it, or NONE */
};

/* st_packet_init builds the packet of an instrument for a strategy of interval_ns (0 = trades);
 * model_version may be NULL (at most 64 bytes). */
void st_packet_init(struct st_packet *p, const struct mk_instrument *in, int64_t interval_ns,
                    const char *model_version);
/* st_packet_write fills out (p->cnt bytes, 8-aligned) with the packet of one decision. */
void st_packet_write(const struct st_packet *p, const struct st_packet_fill *f, void *out);
#endif
