#include "actors/venue/account.h"
#include "actors/market/margin.h"
#include "actors/venue/span.h"
#include <assert.h>

/* slip worsens price (> 0) for a taker of quantity by the declared slippage; limit = 0: none. False
 * on overflow. */
static bool slip(const struct venue_book *b, bool buy, qty_t quantity, price_t limit,
                 price_t *price) {
    if (b->slip_num == 0) return true;
    int64_t tick = b->instrument->tick_size, worse;
    bool fits = b->span == NULL ? fixed_muldiv(*price, b->slip_num, b->slip_den, FIXED_UP, &worse)
                                : venue_span_worse(b->span, *price, quantity, &worse);
    if (!fits) return false;
    if (buy) {
        if (__builtin_add_overflow(*price, worse, &worse)) return false;
        if (worse > INT64_MAX - tick) return false;
        worse = fixed_ceil_to(worse, tick);
        if (limit != 0 && worse > limit) worse = limit;
    } else {
        worse = worse < *price ? fixed_floor_to(*price - worse, tick) : 0;
        if (worse < tick) worse = tick < *price ? tick : *price;
        if (limit != 0 && worse < limit) worse = limit;
    }
    *price = worse;
    return true;
}

/* fee_of computes the fee of a trade of quantity for value (as it moves; >= 0) at rate, with what
 * the order it is of is charged for it in *charged. Where in_base it is of the quantity received.
 * False on overflow. */
static bool fee_of(const struct venue_purse *p, const struct mk_instrument *in, uint8_t side,
                   qty_t quantity, cash_t value, int64_t rate, bool in_base, int64_t *fee,
                   cash_t *charged) {
    static const struct mk_charged none;
    *charged = 0;
    if (!mk_fee(in_base ? quantity : value, rate, fee)) return false;
    if (in->charges == NULL) return true;
    return mk_charges_of(in->charges, in->lot_size, side, p->now_ns,
                         p->so_far == NULL ? &none : p->so_far, quantity, value, charged) &&
           !__builtin_add_overflow(*fee, *charged, fee);
}

/* payable returns how many lots of at most quantity of a spot buy free covers at price, charges
 * with it. What an order costs grows with its quantity: halving finds it. */
static qty_t payable(const struct venue_purse *p, const struct mk_instrument *in, qty_t quantity,
                     price_t price, __int128 free, int64_t rate) {
    int64_t none = 0, all = quantity / in->lot_size + 1; /* lots: covered, not covered */
    while (all - none > 1) {
        int64_t lots = none + (all - none) / 2, fee;
        cash_t value, charged;
        bool fits =
            fixed_mul(price, lots * in->lot_size, FIXED_UP, &value) &&
            fee_of(p, in, SIDE_BUY, lots * in->lot_size, value, rate, false, &fee, &charged);
        if (fits && (__int128)value + fee <= free) {
            none = lots;
        } else {
            all = lots;
        }
    }
    return none * in->lot_size;
}

/* covered returns how much of quantity of the order p covers at price, down to the lot, its fee at
 * rate with it where that is in quote. */
static qty_t covered(const struct venue_purse *p, const struct mk_instrument *ins,
                     const struct venue_order *order, qty_t quantity, price_t price, int64_t rate) {
    qty_t most = quantity;
    bool buy = order->side == SIDE_BUY;
    if (p->hedge) {
        if (order->terms & ORDER_TERMS_EXIT) most = buy ? -p->shorts.quantity : p->held.quantity;
    } else if (order->terms & ORDER_TERMS_REDUCE_ONLY) {
        most = buy ? -p->held.quantity : p->held.quantity;
    }
    if (ins->kind == MK_SPOT) {
        __int128 free =
            buy ? (__int128)p->cash - p->locked_quote : (__int128)p->held.quantity - p->locked_base;
        if (!buy) {
            if (free < most) most = free > 0 ? (qty_t)free : 0;
        } else if (ins->charges != NULL) {
            qty_t paid = payable(p, ins, most, price, free, rate);
            if (paid < most) most = paid;
        } else if ((__int128)price * quantity > free * FIXED_ONE) {
            /* The notional rounded up is within the cash exactly when the exact one is. */
            qty_t paid = free > 0 ? (qty_t)(free * FIXED_ONE / price) : 0;
            if (paid < most) most = paid;
        }
    }
    if (most >= quantity) return quantity;
    return most > 0 ? fixed_floor_to(most, ins->lot_size) : 0;
}

/* move_spot books a spot fill whose notional is value, its fee out of what is bought where in_base,
 * else out of cash. False when a sum leaves its range; then nothing is booked. */
static bool move_spot(struct venue_purse *p, bool buy, qty_t quantity, cash_t value, int64_t fee,
                      bool in_base) {
    qty_t held, got = 0;
    cash_t cash;
    if (buy) {
        if (__builtin_sub_overflow(p->cash, value, &cash) ||
            __builtin_sub_overflow(cash, in_base ? 0 : fee, &cash) ||
            __builtin_sub_overflow(quantity, in_base ? fee : 0, &got) ||
            __builtin_add_overflow(p->held.quantity, got, &held)) {
            return false;
        }
    } else {
        held = p->held.quantity - quantity; /* covered: never below zero */
        if (__builtin_sub_overflow(value, fee, &cash) ||
            __builtin_add_overflow(p->cash, cash, &cash)) {
            return false;
        }
    }
    p->cash = cash;
    p->held.quantity = held;
    return true;
}

/* move_linear books a linear or inverse fill of p's position h whose worth is value. False when a
 * sum leaves its range; then nothing is booked. */
static bool move_linear(const struct mk_instrument *in, struct venue_purse *p,
                        struct venue_holding *h, bool buy, qty_t quantity, price_t price,
                        cash_t value, int64_t fee) {
    qty_t held = h->quantity;
    cash_t cash = p->cash, cost = h->cost;
    cash_t opened = buy ? value : -value; /* cost of the part that opens */
    cash_t realized = 0, apart = h->isolated;
    if ((held > 0 && !buy) || (held < 0 && buy)) {
        qty_t size = held > 0 ? held : -held;
        qty_t closed = size < quantity ? size : quantity;
        cash_t taken = cost, part = opened, freed = apart;
        if (closed < size && (!fixed_muldiv(cost, closed, size, FIXED_ZERO, &taken) ||
                              !fixed_muldiv(apart, closed, size, FIXED_ZERO, &freed))) {
            return false;
        }
        apart -= freed;
        if (closed < quantity) {
            if (!mk_value(in, price, closed, buy ? FIXED_UP : FIXED_DOWN, &part)) return false;
            if (!buy) part = -part;
        }
        if (__builtin_sub_overflow(-part, taken, &realized)) return false;
        opened -= part;
        cost -= taken;
    }
    if (__builtin_add_overflow(held, buy ? quantity : -quantity, &held) ||
        __builtin_add_overflow(cost, opened, &cost) ||
        __builtin_sub_overflow(realized, fee, &realized) ||
        __builtin_add_overflow(cash, realized, &cash)) {
        return false;
    }
    if (p->margin == MK_MARGIN_ISOLATED && opened != 0 &&
        __builtin_add_overflow(apart, mk_margin_initial(opened < 0 ? -opened : opened, p->leverage),
                               &apart)) {
        return false;
    }
    p->cash = cash;
    h->quantity = held;
    h->cost = cost;
    h->isolated = apart;
    return true;
}

bool venue_account_close(const struct mk_instrument *in, struct venue_purse *p,
                         struct venue_holding *h, qty_t quantity, price_t price, cash_t fee) {
    bool buy = h->quantity < 0;
    cash_t value;
    return mk_value(in, price, quantity, buy ? FIXED_UP : FIXED_DOWN, &value) &&
           move_linear(in, p, h, buy, quantity, price, value, fee);
}

/* burns reckons a fee that p's fee asset is good for into deal; *fee: what of it comes out of what
 * the fill moves. False where it is not good for it: the fee is the ordinary one. An instrument
 * with charges takes its fees in quote, inverse contracts theirs in coin. */
static bool burns(const struct venue_purse *p, const struct mk_instrument *in, qty_t quantity,
                  cash_t value, int64_t rate, bool in_base, struct venue_deal *deal, int64_t *fee) {
    if (p->burn == NULL || rate <= 0 || in->charges != NULL || in->kind == MK_INVERSE) {
        return false;
    }
    int64_t discount = p->burn->discount[in->kind];
    if (in_base && p->burn->asset == in->base_asset) {
        if (!mk_fee_less(quantity, rate, discount, fee)) return false;
        deal->fee = *fee;
        deal->rounded = (int64_t)((__int128)*fee * FIXED_ONE -
                                  (__int128)quantity * rate * (FIXED_ONE - discount) / FIXED_ONE);
        return true;
    }
    int64_t amount;
    if (p->burn_price <= 0 || !mk_fee_burnt(value, rate, discount, p->burn_price, &amount) ||
        amount > p->burn_held) {
        return false;
    }
    deal->fee = amount;
    deal->rounded = (int64_t)((__int128)amount * FIXED_ONE -
                              (__int128)value * rate * (FIXED_ONE - discount) / p->burn_price);
    deal->fee_asset = p->burn->asset;
    *fee = 0;
    return true;
}

void venue_account_deal(struct venue_purse *p, const struct venue_book *b,
                        const struct venue_order *order, qty_t quantity, price_t price,
                        uint8_t liquidity, struct venue_deal *deal) {
    const struct mk_instrument *ins = b->instrument;
    bool buy = order->side == SIDE_BUY, spot = ins->kind == MK_SPOT;
    bool maker = liquidity == LIQUIDITY_MAKER;
    int64_t rate = p->tier != NULL ? maker ? p->tier->maker : p->tier->taker
                   : maker         ? ins->maker_fee
                                   : ins->taker_fee;
    bool in_base = spot && buy && ins->charges == NULL;
    assert(price > 0 && quantity > 0 && quantity <= order->quantity);
    qty_t wanted = quantity;
    *deal = (struct venue_deal){ .status = ORDER_STATUS_EXPIRED,
                                 .reason = REASON_OVERFLOW,
                                 .liquidity = liquidity,
                                 .fee_asset = in_base ? ins->base_asset : mk_settle(ins) };
    price_t at = price;
    price_t limit = mk_order_limited(order->type) ? order->price : 0;
    if (!maker && !slip(b, buy, wanted, limit, &at)) return;
    quantity = covered(p, ins, order, wanted, at, rate);
    if (quantity < wanted) {
        deal->reason = REASON_INSUFFICIENT_BALANCE;
        if (quantity == 0 || (order->terms & ORDER_TERMS_FOK)) return;
    }
    struct venue_holding *h =
        p->hedge && mk_order_short(order->side, order->terms) ? &p->shorts : &p->held;
    cash_t value, charged = 0;
    int64_t fee;
    bool fits = mk_value(ins, at, quantity, buy ? FIXED_UP : FIXED_DOWN, &value);
    cash_t size = fits && value < 0 ? -value : value;
    bool burnt = fits && burns(p, ins, quantity, size, rate, in_base, deal, &fee);
    fits = fits &&
           (burnt || fee_of(p, ins, order->side, quantity, size, rate, in_base, &fee, &charged));
    fits = fits && (spot ? move_spot(p, buy, quantity, value, fee, in_base)
                         : move_linear(ins, p, h, buy, quantity, at, value, fee));
    if (!fits) {
        deal->fee = 0;
        deal->reason = REASON_OVERFLOW;
        return;
    }
    if (burnt && fee == 0) p->burn_held -= deal->fee;
    deal->quantity = quantity;
    deal->price = at;
    deal->value = value;
    if (!burnt) {
        deal->fee = fee;
        deal->rounded = (int64_t)((__int128)(fee - charged) * FIXED_ONE -
                                  (__int128)(in_base ? quantity : size) * rate);
    }
    deal->charged = charged;
    deal->slippage = buy ? at - price : price - at;
    if (quantity == wanted) {
        bool done = quantity == order->quantity;
        deal->status = done ? ORDER_STATUS_FILLED : ORDER_STATUS_PARTIALLY_FILLED;
        deal->reason = REASON_NONE;
    }
}

__int128 venue_account_worth(const struct venue_purse *p, const struct mk_instrument *instrument,
                             price_t price) {
    __int128 cost = instrument->kind != MK_SPOT ? (__int128)p->held.cost + p->shorts.cost : 0;
    __int128 held = (__int128)p->held.quantity + p->shorts.quantity, cash = p->cash - cost;
    __int128 burn = p->burn == NULL ? 0 : (__int128)p->burn_held * p->burn_price; /* 1e-16 */
    if (instrument->contract == 0) return mk_worth_order(instrument, cash, held, price) + burn;
    return mk_worth_order(instrument, cash + burn / FIXED_ONE, held, price);
}
