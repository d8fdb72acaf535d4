/* reasons.h - our reasons and Binance's error codes, both ways, spot and USD-M.
 *
 * For     who answers as the venue does (a refusal becomes code and message) and who hears it (code
 *         and message become a reason). The numbers stand here alone. A reason that is no answer to
 *         a request there (the order ends: EXPIRED, CANCELED) has an entry that says so.
 * Rules   Several reasons may have one code; the way back gives the first of the table whose
 *         message is the beginning of what was said, else the first of that code without looking
 *         at it.
 * Thread  pure functions; the table is constant.
 * Source  Binance "Error codes" spot (2026-07), USD-M (2026-04). */
#ifndef ACTORS_DIALECT_BINANCE_REASONS_H
#define ACTORS_DIALECT_BINANCE_REASONS_H
#include <stdbool.h>
#include <stdint.h>

/* Which of the venue's markets. */
enum bn_market { BN_SPOT, BN_USDM, BN_MARKETS };

/* An answer that refuses. */
struct bn_refusal {
    int16_t code;    /* the venue's */
    uint16_t http;   /* status of the answer */
    const char *msg; /* what it says */
};

/* bn_refusal_of gives what the venue answers where we say reason, for an order of side (SIDE_*).
 * False: the venue has no such answer. */
bool bn_refusal_of(uint16_t reason, enum bn_market market, uint8_t side, struct bn_refusal *out);
/* bn_reason_known tells whether reason has an entry, be it one that says there is no answer. */
bool bn_reason_known(uint16_t reason);
/* bn_reason_of gives our reason for the venue's code and message (NULL = not told); REASON_NONE
 * when the code is not one of a refused order. */
uint16_t bn_reason_of(enum bn_market market, int16_t code, const char *msg);
#endif
