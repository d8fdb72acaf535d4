/* charges.h - what trading costs beside the maker's and taker's rates: commissions by order, lot,
 * share or contract with a least and a largest sum, duties on sales, levies with a date.
 *
 * For     the simulated venue, which takes them, and whoever tells of them. Read from fees: of an
 *         instrument: a map of charges, or the name of one under fee_schemes: of the run file.
 *           fees:
 *             commission: {per_unit: 0.005, min: 1, max_rate: 0.01}
 *             stamp_duty: {rate: 0.0005, side: sell, from: 2023-08-28}
 *         A charge of an order of which quantity was traded for notional so far is
 *           rate * notional + per_unit * quantity + per_lot * quantity / lot_size + per_order,
 *         no less than min, then no more than max and max_rate * notional, rounded up to a multiple
 *         of round (1e-8); what it has paid of it is taken off at each fill. So the fills of an
 *         order together cost what one fill of the whole would, to the unit. from and until (UTC
 *         days, until is the last one) go by the fill's instant.
 *         All are in what the instrument settles in (its quote); with charges the maker's and
 *         taker's fee of a spot buy is in quote too.
 * Thread  read-only after boot; pure functions.
 * Memory  the caller's.
 * Source  commissions of US brokers (per share, least and most per order), FINRA TAF, SEC section
 *         31 fee, China's stamp duty and transfer fee, futures commissions per contract. */
#ifndef ACTORS_MARKET_CHARGES_H
#define ACTORS_MARKET_CHARGES_H
#include "runtime/base/config.h"
#include "runtime/base/error.h"
#include "schemas/fixed.h"
#include <stdbool.h>
#include <stdint.h>

enum { MK_CHARGES_MAX = 12 /* charges of a scheme */ };

/* Which trades a charge is taken of; bits. */
enum mk_charge_side { MK_CHARGE_BUYS = 1, MK_CHARGE_SALES = 2 };

/* One charge; what is 0 is not declared. */
struct mk_charge {
    char name[24];    /* theirs: "stamp_duty" */
    int64_t rate;     /* of the notional, 1e-8 */
    int64_t per_unit; /* of a whole share, coin or contract, 1e-8 quote */
    cash_t per_lot;   /* of a lot, 1e-8 quote */
    cash_t per_order; /* of an order that trades, 1e-8 quote */
    cash_t min, max;  /* of an order, 1e-8 quote; max 0 = none */
    int64_t max_rate; /* largest part of the notional, 1e-8; 0 = none */
    cash_t step;      /* rounded up to multiples of it, >= 1 */
    int64_t from_ns;  /* first instant it is taken at, INT64_MIN = always */
    int64_t until_ns; /* first instant it is not any more, INT64_MAX = never */
    unsigned sides;   /* enum mk_charge_side */
};

/* All charges of an instrument. */
struct mk_charges {
    char scheme[32];                       /* its name under fee_schemes:, "" = the instrument's */
    uint32_t cnt;                          /* how many */
    struct mk_charge list[MK_CHARGES_MAX]; /* as declared */
};

/* What an order has traded and paid so far. */
struct mk_charged {
    qty_t quantity; /* traded, 1e-8 */
    cash_t value;   /* its notional, >= 0 */
    cash_t paid;    /* of charges */
};

/* mk_charges_read reads fees: of the map n (an instrument) into out; *given tells whether it is
 * there. schemes: fee_schemes: of the run file, NULL = none. Returns 0, or -EINVAL with err. */
int mk_charges_read(struct rt_node *n, struct rt_node *schemes, struct mk_charges *out, bool *given,
                    struct rt_error *err) __attribute__((warn_unused_result));

/* mk_charges_scheme reads the map of charges n into out. Returns 0, or -EINVAL with err. */
int mk_charges_scheme(struct rt_node *n, struct mk_charges *out, struct rt_error *err)
    __attribute__((warn_unused_result));

/* mk_charges_of computes what an order on side (SIDE_*) that has traded so far and trades quantity
 * for value (both >= 0) more at now_ns is to pay for that, >= 0. False on overflow. */
bool mk_charges_of(const struct mk_charges *c, qty_t lot_size, unsigned side, int64_t now_ns,
                   const struct mk_charged *so_far, qty_t quantity, cash_t value, cash_t *out);

/* mk_charges_most computes what an order of quantity for value pays at most, whatever the day: all
 * that is declared for its side. False on overflow. */
bool mk_charges_most(const struct mk_charges *c, qty_t lot_size, unsigned side, qty_t quantity,
                     cash_t value, cash_t *out);

/* mk_charges_text writes what c is, for people: "commission 0.005 a unit, at least 1 an order",
 * "stamp_duty 0.0005 of sales from 2023-08-28"; a charge a line into out of max bytes. */
void mk_charges_text(const struct mk_charges *c, char *out, size_t max);
#endif
