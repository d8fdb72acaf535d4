#include "actors/venue/fees.h"
#include "schemas/messages.h"

static const int64_t DAY_NS = INT64_C(86400000000000); /* a UTC day */
static const int64_t NEVER = INT64_MIN;                /* today, before the first trade is met */

/* place_of returns a day's place in the ring. */
static uint32_t place_of(int64_t day) {
    int64_t rest = day % VENUE_FEE_RING;
    return (uint32_t)(rest < 0 ? rest + VENUE_FEE_RING : rest);
}

/* row_of returns what account number a (from 0) traded of kind. */
static struct venue_traded *row_of(const struct venue_fees *f, uint32_t a, uint32_t kind) {
    return &f->rows[(size_t)a * MK_KINDS + kind];
}

/* choose finds the tier of what was traded on all days but today. */
static void choose(const struct venue_fees *f, const struct mk_account *a, uint32_t kind,
                   struct venue_traded *t) {
    __int128 sum = 0;
    for (uint32_t i = 0; i < VENUE_FEE_RING; i++) sum += i == place_of(f->day) ? 0 : t->volume[i];
    t->tier = NULL;
    for (uint32_t i = 0; i < a->tier_cnt[kind] && a->tiers[kind][i].volume <= sum; i++) {
        t->tier = &a->tiers[kind][i];
    }
}

/* choose_all finds all tiers. */
static void choose_all(struct venue_fees *f, const struct mk_market *m) {
    for (uint32_t a = 0; a < m->account_cnt; a++) {
        for (uint32_t k = 0; k < MK_KINDS; k++) choose(f, &m->accounts[a], k, row_of(f, a, k));
    }
}

/* begin makes day today. */
static void begin(struct venue_fees *f, int64_t day) {
    f->day = day;
    f->ends_ns = (day + 1) * DAY_NS;
}

void venue_fees_init(struct rt_init *init, const struct mk_market *m, struct venue_fees *f) {
    bool any = false;
    *f = (struct venue_fees){ .day = NEVER, .ends_ns = NEVER };
    for (uint32_t a = 0; a < m->account_cnt; a++) {
        for (uint32_t k = 0; k < MK_KINDS; k++) any = any || m->accounts[a].tier_cnt[k] > 0;
    }
    if (any) f->rows = rt_init_take(init, (size_t)m->account_cnt * MK_KINDS * sizeof *f->rows);
}

void venue_fees_turn(struct venue_fees *f, const struct mk_market *m, int64_t now_ns) {
    if (now_ns < f->ends_ns) return;
    int64_t day = now_ns / DAY_NS - (now_ns % DAY_NS < 0);
    /* The days since the last trade had none; their places are those of days long ago. */
    int64_t gone = f->day == NEVER || day - f->day > VENUE_FEE_RING ? VENUE_FEE_RING : day - f->day;
    for (int64_t d = day - gone + 1; d <= day; d++) {
        for (uint32_t i = 0; i < m->account_cnt * MK_KINDS; i++) f->rows[i].volume[place_of(d)] = 0;
    }
    begin(f, day);
    choose_all(f, m);
}

void venue_fees_traded(struct venue_fees *f, uint8_t account, enum mk_kind kind, cash_t value) {
    cash_t *sum = &row_of(f, account - 1U, kind)->volume[place_of(f->day)];
    if (__builtin_add_overflow(*sum, value, sum)) *sum = INT64_MAX;
}

/* put puts the row of a counter that is not zero. */
static void put(struct rt_row_sink *sink, uint64_t id, int64_t value) {
    if (value == 0) return;
    struct msg_counter_row row = { .value = value, .id = id };
    sink->put(sink, MSG_COUNTER_ROW, id, &row, sizeof row);
}

void venue_fees_save(const struct venue_fees *f, const struct mk_market *m,
                     struct rt_row_sink *sink) {
    if (f->rows == NULL || f->day == NEVER) return;
    put(sink, VENUE_COUNTER_FEES, f->day + 1);
    for (uint32_t i = 0; i < m->account_cnt * MK_KINDS; i++) {
        for (uint32_t d = 0; d < VENUE_FEE_RING; d++) {
            put(sink, VENUE_COUNTER_FEES + (MK_KINDS + i) * (uint64_t)VENUE_FEE_FIGURES + d,
                f->rows[i].volume[d]);
        }
    }
}

bool venue_fees_load(struct venue_fees *f, const struct mk_market *m, uint64_t id, int64_t value) {
    uint64_t at = id - VENUE_COUNTER_FEES;
    uint64_t row = at / VENUE_FEE_FIGURES - MK_KINDS, place = at % VENUE_FEE_FIGURES;
    if (f->rows == NULL || id < VENUE_COUNTER_FEES) return false;
    if (at == 0) {
        if (value > INT64_MAX / DAY_NS || value < -INT64_MAX / DAY_NS) return false;
        begin(f, value - 1);
    } else if (at < MK_KINDS * VENUE_FEE_FIGURES || row >= m->account_cnt * MK_KINDS ||
               place >= VENUE_FEE_RING || value < 0) {
        return false;
    } else {
        f->rows[row].volume[place] = value;
    }
    choose_all(f, m);
    return true;
}
