/* term.h - the end of a dated contract: trading stops, open orders expire, what is held is
 * delivered at the settlement price.
 *
 * For     the venue, for instruments with expiry: (actors/market/market.h).
 *           when     At the expiry's instant. What a bar that ends then has met is filled; then
 *                    open orders expire with instrument_expired. Who comes from then on is
 *                    rejected with instrument_expired.
 *           price    Given, or the mean of the prices within the window that ends then, rounded
 *                    down to 1e-8: of the last price (closes of the bars that work its orders, or
 *                    trades) or of the mark (closes of its bars, or each mark told; who has the
 *                    index's series declares that as the mark). Where the window holds none: the
 *                    newest before. Where there is none at all nothing is delivered.
 *           deliver  Each account's position is closed at it, in order of ids, with delivery_fee
 *                    of its notional (one of nothing too, for strategies of a flat account that
 *                    hold against each other): after the bar that ends then; where none does,
 *                    or on trades, as soon as all of that instant has been heard, or the data
 *                    ends.
 * Thread  the venue's shard.
 * Memory  48 bytes an instrument with an expiry, from the arena at init; none else.
 * Cost    its bars or trades are heard while it lives: an addition a row; nothing else. */
#ifndef ACTORS_VENUE_TERM_H
#define ACTORS_VENUE_TERM_H
#include "actors/market/market.h"
#include "runtime/core/actor.h"

struct venue;
struct venue_book;

/* What is known of a contract's settlement. */
struct venue_term {
    __int128 sum;   /* of the prices within the window, 1e-8 */
    int64_t cnt;    /* how many */
    price_t newest; /* the newest up to the expiry, 0 = none */
    int64_t stage;  /* enum venue_term_stage */
    int64_t pad;    /* zero */
};

/* Where it stands; the numbers stand in snapshots. */
enum venue_term_stage {
    VENUE_TERM_TRADES, /* it is traded */
    VENUE_TERM_ENDED,  /* trading has ended, what is held is still to be delivered */
    VENUE_TERM_GONE,   /* all is delivered */
};

/* Counters of an instrument in snapshots. */
enum {
    VENUE_TERM_FIGURES = 6, /* how many */
    VENUE_TERM_HEARD = 5,   /* the last one: interests raised, of the book */
};

/* VENUE_COUNTER_TERM + instrument id * VENUE_TERM_FIGURES + one: counters of terms. */
#define VENUE_COUNTER_TERM (UINT64_C(1) << 44)

/* venue_term_new takes the memory of the term of in from the arena; NULL without expiry. */
struct venue_term *venue_term_new(struct rt_init *init, const struct mk_instrument *in);

/* venue_term_price takes a price of ns: of the last price, or where mark: of the mark. */
void venue_term_price(const struct venue_book *b, int64_t ns, price_t price, bool mark);

/* venue_term_live tells whether b's rows are needed for a term. */
static inline bool venue_term_live(const struct venue_term *t) {
    return t != NULL && t->stage != VENUE_TERM_GONE;
}

/* venue_term_deliver closes all positions in b at the settlement price, once, when trading has
 * ended; where it is called again it does nothing. */
void venue_term_deliver(struct rt_ctx *ctx, struct venue *v, struct venue_book *b);

/* venue_term_save writes b's term. */
void venue_term_save(const struct venue_book *b, struct rt_row_sink *sink);

/* venue_term_load takes back figure number at of b's term, false when there is none. */
bool venue_term_load(struct venue_book *b, uint64_t at, int64_t value);
#endif
