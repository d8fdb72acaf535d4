#include "actors/market/more.h"

const char *const mk_stp_words[] = { "none",        "expire_taker", "expire_maker",
                                     "expire_both", "decrement",    "transfer",
                                     NULL };

uint16_t mk_more_refuses(uint64_t order_id, uint8_t type, uint8_t terms, qty_t quantity,
                         const struct mk_more *m) {
    const unsigned once = ORDER_TERMS_IOC | ORDER_TERMS_FOK;
    bool limited = mk_order_limited(type), trails = type == ORDER_TYPE_TRAILING_STOP;
    bool timed = terms & ORDER_TERMS_GTD;
    if (m->stop_price < 0 || m->activation < 0 || m->expire_ns < 0) return REASON_BAD_TERMS;
    if ((m->stop_price > 0) != (limited && type != ORDER_TYPE_LIMIT)) return REASON_BAD_TERMS;
    if ((m->trail_bips > 0) != trails || m->trail_bips > MK_TRAIL_MAX) return REASON_BAD_TERMS;
    if (m->activation > 0 && !trails) return REASON_BAD_TERMS;
    if ((m->expire_ns > 0) != timed) return REASON_BAD_TERMS;
    if (timed && (type == ORDER_TYPE_MARKET || terms & once)) return REASON_BAD_TERMS;
    if (m->display < 0 || m->display > quantity || (m->display > 0 && !limited)) {
        return REASON_BAD_DISPLAY;
    }
    if (m->working > 1 || (m->working == 1 && !mk_order_waits(type))) return REASON_BAD_TERMS;
    if (m->stp >= MK_STP_CNT) return REASON_BAD_TERMS;
    if (terms & ORDER_TERMS_CLOSE_POSITION) {
        const unsigned with = ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY;
        bool fits = type == ORDER_TYPE_STOP || type == ORDER_TYPE_TAKE_PROFIT;
        if (!fits || (terms & with) != with || m->parent != 0) return REASON_BAD_TERMS;
    }
    if (m->parent == 0 && m->oco == 0) return REASON_NONE;
    if (type == ORDER_TYPE_MARKET || terms & once || m->parent == order_id) return REASON_LIST_RULE;
    return REASON_NONE;
}
