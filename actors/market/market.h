/* market.h - what is traded, on whose account, by whom: the world all actors share.
 *
 * For     init of actors and sources (rt_init.world points here) and the program. Read from the
 *         run file's instruments:, accounts: and the strategies' entries. Constant after load.
 * Thread  read-only after boot.
 * Memory  one heap block per table, freed by mk_market_close. */
#ifndef ACTORS_MARKET_MARKET_H
#define ACTORS_MARKET_MARKET_H
#include "actors/market/charges.h"
#include "actors/market/zone.h"
#include "quant/stats/select.h"
#include "runtime/base/config.h"
#include "runtime/base/error.h"
#include "schemas/fixed.h"
#include <stdint.h>

/* How an instrument settles. */
enum mk_kind {
    MK_SPOT,    /* notional moves cash, no short; fee in the asset received */
    MK_LINEAR,  /* realised P&L and fees in quote move cash; short allowed */
    MK_INVERSE, /* the same in base: contracts worth so much quote, margined in coin */
};
enum { MK_KINDS = MK_INVERSE + 1 /* how many */ };
extern const char *const mk_kind_words[MK_KINDS + 1]; /* as in YAML; the last is NULL */

/* A leverage bracket of a perpetual: what a position up to cap must be backed by (margin.h). */
struct mk_bracket {
    cash_t cap;          /* largest notional it holds for; the next begins above */
    int64_t maintenance; /* rate of maintenance margin, 1e-8 */
    cash_t cum;          /* taken off notional * maintenance: 1e-8 quote */
    uint32_t leverage;   /* highest leverage it grants */
};

/* A tier of fees: rates of an account that traded so much. */
struct mk_tier {
    cash_t volume; /* notional traded in the 30 UTC days before today, at least; quote */
    int64_t maker; /* rate in 1e-8 */
    int64_t taker; /* rate in 1e-8 */
};
enum { MK_TIERS_MAX = 32 /* tiers of an account and kind */ };

/* Another asset that an account pays its fees in, at a discount, as far as it has it. */
struct mk_fee_asset {
    bool on;                    /* there is one */
    uint16_t asset;             /* index in assets; not the account's quote */
    uint16_t instrument;        /* whose last price it counts at; 0 = price */
    price_t price;              /* what one is worth in quote, where (or until) no instrument tells;
                                 * 0 = not declared */
    int64_t balance;            /* deposited at start */
    int64_t discount[MK_KINDS]; /* by kind: what is taken off the rates, 1e-8 */
};

struct mk_filters; /* filters.h */
struct mk_session; /* session.h */

/* How much worse than the undisturbed price a taker fills where the data show no depth; the rules
 * stand in actors/venue/impact.h and span.h. */
enum mk_slippage {
    MK_SLIPPAGE_BPS,    /* a fixed share of the price: slippage_bps */
    MK_SLIPPAGE_VOLUME, /* linear in the share of a bar's volume */
    MK_SLIPPAGE_ROOT,   /* square-root law */
};

/* One instrument. Ids are given in name order from 1. */
struct mk_instrument {
    char name[32];        /* ours: "BTC-PERP" */
    char symbol[32];      /* the venue's word: "BTCUSDT" */
    char venue[16];       /* the venue's name: "sim" */
    uint16_t id;          /* 1.. */
    enum mk_kind kind;    /* how it settles */
    uint16_t base_asset;  /* index in assets */
    uint16_t quote_asset; /* index in assets */
    price_t tick_size;    /* > 0 */
    qty_t lot_size;       /* > 0 */
    int64_t contract;     /* size of a contract, 1e-8: linear: times quantity and price; inverse:
                                * its worth in quote. 0 = 1, and none at all (value.h) */
    cash_t min_notional;  /* quote; 0 = none */
    int64_t maker_fee;    /* rate in 1e-8: 0.0002 = 20000 */
    int64_t taker_fee;    /* rate in 1e-8 */
    int64_t slippage_bps; /* taker slippage in 1e-8 of a basis point: 1 bp = 100000000 */
    enum mk_slippage slippage; /* which model; slippage_bps is 0 but for MK_SLIPPAGE_BPS */
    uint32_t slippage_bars;    /* bars that volume and variance are taken of; 0 with bps */
    int64_t slippage_factor; /* volume: share of the price at a whole bar's volume; root: Y; 1e-8 */
    int64_t slippage_bar_ns; /* length of the bars that trades are put into for it */
    int64_t participation;   /* share of what is traded that may be ours, 1e-8; 0 = no cap */
    const struct rt_node *slippage_node; /* where slippage: stands, for errors of boot, or NULL */
    int64_t liquidation_fee;             /* rate of the notional a liquidation costs, 1e-8 */
    const struct mk_bracket *brackets;   /* leverage brackets, caps rising; NULL = none declared */
    uint32_t bracket_cnt;                /* how many, at most MK_BRACKETS_MAX */
    const struct mk_filters *filters;    /* what the venue lets orders be; NULL = not declared */
    const struct mk_charges *charges;    /* what trading costs besides; NULL = nothing */
    int64_t expiry_ns;                   /* when it expires, ns UTC; 0 = never */
    int64_t settle_window_ns; /* the mean of the prices of so long before is what it settles at */
    price_t settle_price;     /* what it settles at, 0 = that mean */
    int64_t delivery_fee;     /* rate of the notional that delivery costs, 1e-8 */
    bool settle_mark;         /* the mean is that of the mark, else of the last price */
    const struct rt_node *expiry_node; /* where expiry: stands, for errors of boot, or NULL */
    const struct rt_node *settle_node; /* where settlement: stands, for errors of boot, or NULL */
    const struct mk_session *session;  /* when it trades; NULL = not declared: always */
    int64_t stale_ns; /* its book is not believed after so long without an update; 0 = ever */
    uint8_t stp;      /* MK_STP_* of orders that tell none; 0 and MK_STP_NONE: none */
    const struct rt_node *stale_node; /* where that stands, for errors of boot, or NULL */
};

/* How an account's linear and inverse positions are backed. */
enum mk_margin {
    MK_MARGIN_NONE,     /* not at all: nothing is checked or liquidated, cash may fall below zero */
    MK_MARGIN_CROSS,    /* by all of the account together */
    MK_MARGIN_ISOLATED, /* each by what is set apart for it */
};
enum { MK_BRACKETS_MAX = 64 /* leverage brackets of an instrument */ };

/* One account. Ids are given in name order from 1. */
struct mk_account {
    char name[32];                   /* as in YAML */
    uint8_t id;                      /* 1.. */
    uint16_t quote;                  /* asset of its cash, index in assets: what is traded on it
                                      * settles in it */
    cash_t cash;                     /* deposited at start */
    enum mk_margin margin;           /* how its linear positions are backed */
    bool hedge;                      /* long and short are positions of their own (linear) */
    struct mk_tier *tiers[MK_KINDS]; /* by kind: tiers of fees, volumes rising; NULL = none */
    uint32_t tier_cnt[MK_KINDS];     /* how many, at most MK_TIERS_MAX */
    uint8_t stp;                     /* the same of its orders; MK_STP_DEFAULT = the instrument's */
    uint32_t stp_group;              /* accounts of one group (1..) count as one; 0 = by itself */
    struct mk_fee_asset burn;        /* what it pays fees in, where declared */
};

enum { MK_THRESHOLDS_MAX = 32 }; /* thresholds of a selection */

/* How results are reckoned; statistics: of the run file. */
struct mk_statistics {
    uint32_t days_a_year;   /* 252 or 365; 0 = by the data: auto */
    uint32_t rolling_days;  /* window of rolling figures; 0 = a quarter of a year */
    uint32_t trials;        /* tries that this is the best of, for DSR; 0 = not told */
    uint16_t benchmark;     /* instrument; 0 = all in equal parts */
    double trials_variance; /* variance of their daily Sharpe ratios */
    double risk_free;       /* a year, as a part */
    double required_return; /* a year, as a part */
    uint32_t threshold_cnt; /* thresholds */
    struct qs_threshold select[MK_THRESHOLDS_MAX]; /* what a result must pass to be chosen */
};

/* The world. */
struct mk_market {
    struct mk_instrument *instruments; /* instruments[i].id == i + 1 */
    struct mk_account *accounts;       /* accounts[i].id == i + 1 */
    char (*assets)[16];                /* names of assets: "BTC", "USDT" */
    struct mk_bracket *brackets;       /* of all instruments, one after the other */
    struct mk_filters *filters;        /* of those that have them, one after the other */
    struct mk_charges *charges;        /* of those that have them, one after the other */
    struct mk_session **sessions;      /* by instrument id - 1; NULL where not declared */
    uint16_t *leverages;             /* by (account id - 1) * instrument_cnt + instrument id - 1 */
    uint32_t instrument_cnt;         /* at most 4096 */
    uint32_t account_cnt;            /* at most 255 */
    uint32_t asset_cnt;              /* at most 4096 */
    uint32_t bracket_cnt;            /* of all instruments */
    uint32_t filter_cnt;             /* instruments that have filters */
    uint32_t charges_cnt;            /* instruments that have charges */
    uint32_t deployment;             /* 20 bits in every client order id; default 0 */
    uint32_t epoch;                  /* of client order ids */
    struct mk_zone zone;             /* what people are shown instants in; files stay in UTC */
    int64_t equity_interval_ns;      /* equity marks; 0 = every bar of the finest series */
    struct mk_statistics statistics; /* how results are reckoned */
};

/* mk_market_load reads instruments:, fee_schemes:, accounts:, deployment:, equity_interval:,
 * statistics: of root. Returns 0, or negative errno with err. Ranges: prices and quantities above
 * zero, fees in [-1 %, 10 %], an instrument whose tick or lot is not a multiple of 1e-8 is refused;
 * an account with margin: needs brackets: in each instrument but spot that settles in its quote. */
int mk_market_load(struct rt_node *root, struct mk_market **out, struct rt_error *err)
    __attribute__((warn_unused_result));
/* mk_market_close frees it; NULL is fine. */
void mk_market_close(struct mk_market *m);
/* mk_instrument_find returns the instrument named name (ours), or NULL. */
const struct mk_instrument *mk_instrument_find(const struct mk_market *m, const char *name);
/* mk_instrument_get returns the instrument with id (1..cnt), or NULL. */
const struct mk_instrument *mk_instrument_get(const struct mk_market *m, uint16_t id);
/* mk_volume_free tells whether nothing declared for the instrument needs the volume of its bars. */
static inline bool mk_volume_free(const struct mk_instrument *in) {
    return in->participation == 0 && in->slippage == MK_SLIPPAGE_BPS;
}
/* mk_account_find returns the account named name, or NULL. */
const struct mk_account *mk_account_find(const struct mk_market *m, const char *name);
/* mk_leverage returns the leverage that account (1..) has declared for instrument (1..). */
uint16_t mk_leverage(const struct mk_market *m, uint8_t account, uint16_t instrument);
/* mk_fee computes a fee: rate (1e-8) of amount (1e-8), rounded up to 1e-8 (toward the venue). False
 * on overflow. */
bool mk_fee(int64_t amount, int64_t rate, int64_t *out);

/* mk_fee_less computes the same of rate less discount (1e-8, at most one), rounded once. */
bool mk_fee_less(int64_t amount, int64_t rate, int64_t discount, int64_t *out);
/* mk_fee_burnt computes what mk_fee_less of amount comes to in another asset at price (> 0), for a
 * rate that is not below zero: rounded once, up. False on overflow. */
bool mk_fee_burnt(int64_t amount, int64_t rate, int64_t discount, price_t price, int64_t *out);

/* Order ids: owner (15 bits), sequence (39), child (10): numeric order is text order. */
enum { MK_CLIENT_ID_CHARS = 22 };
/* mk_order_id packs them. */
static inline uint64_t mk_order_id(uint16_t owner, uint64_t sequence, uint16_t child) {
    return (uint64_t)owner << 49 | (sequence & 0x7fffffffffULL) << 10 | (child & 0x3ffU);
}
/* mk_order_owner returns the strategy that owns the order. */
static inline uint16_t mk_order_owner(uint64_t order_id) {
    return (uint16_t)(order_id >> 49);
}
/* mk_client_id_format writes the client order id: 'S', deployment (4), strategy (3), epoch (4),
 * sequence (8), child (2) in upper-case base 32 ("0-9A-V", so that text sorts as numbers), and a
 * NUL. */
void mk_client_id_format(uint32_t deployment, uint32_t epoch, uint64_t order_id,
                         char out[MK_CLIENT_ID_CHARS + 1]);
/* mk_client_id_parse reads one back; 0 or -EINVAL. */
int mk_client_id_parse(const char *text, uint32_t *deployment, uint32_t *epoch, uint64_t *order_id);
#endif
