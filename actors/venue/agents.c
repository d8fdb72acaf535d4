#include "actors/venue/agents.h"
#include "quant/stats/number.h"
#include "runtime/base/philox.h"
#include <assert.h>
#include <string.h>

enum {
    NO_SLOT = 255,   /* tag of orders that do not rest */
    OPENING = 3,     /* limit orders of each noise trader when the market opens */
    QUOTES = 4,      /* of a maker, a side */
    EVENTS_MORE = 64 /* room in out beyond four an order */
};

static const double year_s = 31557600;         /* 365.25 days */
static const double news_branching = 0.92;     /* news that one piece brings about, on average */
static const double news_decay = 1.0 / 150;    /* of what news excite, a second */
static const double news_gap_s = 22;           /* between news, on average */
static const double act_decay = 1.0 / 5;       /* of what actions excite, a second */
static const double act_of_news = 0.25;        /* part of the actions that news bring about */
static const double seen_s = 0.5;              /* delay of makers' view */
static const double fast_s = 20, slow_s = 120; /* spans of the trend */
static const double shock_size = 10;           /* of a shock, in usual pieces of news */
static const double value_max = 4;             /* logarithm the value may be away from its start */

/* Parts of the actions by kind, and of a noise trader's that are market orders. */
static const double parts[AG_KINDS] = { 0.38, 0.35, 0.02, 0.25 };
static const double market_part = 0.25;
static const double gap_max = 20; /* of what value traders go by, in spreads */

/* --- numbers ------------------------------------------------------------------------------- */

/* draw returns 64 fresh random bits. */
static uint64_t draw(struct ag *a) {
    return rt_philox64(a->options.seed, a->options.stream, a->f.draws++);
}

/* unit draws from (0, 1]. */
static double unit(struct ag *a) {
    return (double)((draw(a) >> 11) + 1) * 0x1p-53;
}

/* exponential draws a time of mean 1. */
static double exponential(struct ag *a) {
    return -qs_log(unit(a));
}

/* below draws from 0..bound-1. */
static uint32_t below(struct ag *a, uint32_t bound) {
    return (uint32_t)rt_philox_below(draw(a), bound);
}

/* whole rounds x down into 1..VM_PRICE_MAX. */
static int64_t whole(double x) {
    if (!(x >= 1)) return 1;
    return x < (double)VM_PRICE_MAX ? (int64_t)x : VM_PRICE_MAX;
}

/* lots_of makes a size of times the typical one. */
static int64_t lots_of(const struct ag *a, double times) {
    double lots = (double)a->options.size * times + 0.5;
    return lots < 1 ? 1 : (int64_t)lots;
}

/* --- what is seen of the market ------------------------------------------------------------ */

/* price_of turns a logarithm over the start into ticks. */
static double price_of(const struct ag *a, double log) {
    return (double)a->options.start * qs_exp(log);
}

/* touch gives the best prices; where a side is empty, one beside what makers see. */
static void touch(const struct ag *a, int64_t *bid, int64_t *ask) {
    *bid = vm_best(a->vm, VM_BUY);
    *ask = vm_best(a->vm, VM_SELL);
    int64_t seen = whole(price_of(a, a->f.seen));
    if (*bid == 0) *bid = *ask == 0 || seen < *ask ? seen : *ask - 1;
    if (*ask == 0) *ask = seen > *bid ? seen : *bid + 1;
}

/* half_spread returns half of what makers ask between bid and ask, ticks: more while news come. */
static double half_spread(const struct ag *a, double price) {
    double stir = (a->news_base + a->f.stir_news) / a->news_mean;
    if (stir > 8) stir = 8;
    return price * a->options.spread_bps * 0.5e-4 * (0.6 + 0.4 * stir);
}

/* pass lets time pass until now_ns: intensities decay, means follow. */
static void pass(struct ag *a, int64_t now_ns) {
    double s = (double)(now_ns - a->f.now_ns) * 1e-9;
    int64_t bid, ask;
    touch(a, &bid, &ask);
    double mid = qs_log(((double)bid + (double)ask) * 0.5 / (double)a->options.start);
    a->f.stir_news *= qs_exp(-s * news_decay);
    a->f.stir_act *= qs_exp(-s * act_decay);
    a->f.seen = a->f.value + (a->f.seen - a->f.value) * qs_exp(-s / seen_s);
    a->f.fast = mid + (a->f.fast - mid) * qs_exp(-s / fast_s);
    a->f.slow = mid + (a->f.slow - mid) * qs_exp(-s / slow_s);
    a->f.now_ns = now_ns;
}

/* --- orders -------------------------------------------------------------------------------- */

/* owner_of returns the owner of trader number who. */
static uint32_t owner_of(const struct ag *a, uint32_t who) {
    return a->options.first_owner + who;
}

/* take sends an order that takes what there is up to price (0 = at any) and does not rest. */
static void take(struct ag *a, uint32_t who, uint8_t side, int64_t price, int64_t lots) {
    struct vm_new order = { .price = price,
                            .lots = lots,
                            .tag = NO_SLOT,
                            .owner = owner_of(a, who),
                            .side = side,
                            .type = price == 0 ? VM_MARKET : VM_LIMIT,
                            .tif = price == 0 ? VM_GTC : VM_IOC,
                            .stp = VM_STP_MAKER };
    (void)vm_place(a->vm, &order);
}

/* rest places a limit order that only rests, in the trader's slot; life_s: how long, 0 = until it
 * is canceled. */
static void rest(struct ag *a, uint32_t who, uint32_t slot, uint8_t side, int64_t price,
                 int64_t lots, double life_s) {
    bool timed = life_s > 0;
    struct vm_new order = { .price = price,
                            .lots = lots,
                            .tag = slot,
                            .owner = owner_of(a, who),
                            .side = side,
                            .type = VM_LIMIT,
                            .tif = timed ? VM_GTD : VM_GTX };
    if (timed) order.expire_ns = a->f.now_ns + 1 + (int64_t)(life_s * 1e9);
    a->ids[who][slot] = vm_place(a->vm, &order);
}

/* --- what traders do ----------------------------------------------------------------------- */

/* place_behind rests a noise trader's order at a random place behind the touch of side. */
static void place_behind(struct ag *a, uint32_t who, uint32_t slot, uint8_t side) {
    int64_t bid, ask, price;
    touch(a, &bid, &ask);
    double far = exponential(a) + exponential(a); /* few at the touch, most some way off */
    double times = exponential(a) * 1.2 + 0.1;
    double from = side == VM_BUY ? (double)bid : (double)ask;
    double away = from * a->options.depth_bps * 1e-4 * far;
    bool inside = unit(a) < 0.1 && ask - bid > 2;
    if (side == VM_BUY) {
        price = inside ? bid + 1 : whole(from - away);
        if (price >= ask) return;
    } else {
        price = inside ? ask - 1 : whole(from + away + 1);
        if (price <= bid) return;
    }
    rest(a, who, slot, side, price, lots_of(a, times),
         a->options.patience_s * (0.3 + far) * exponential(a));
}

/* act_noise: a market order, a limit order, or where it has no place for one, a cancel. */
static void act_noise(struct ag *a, uint32_t who) {
    uint8_t side = draw(a) & 1 ? VM_BUY : VM_SELL;
    if (unit(a) <= market_part) {
        double times = exponential(a) * 0.8 + 0.05;
        if (unit(a) < 0.03) times *= 8;
        take(a, who, side, 0, lots_of(a, times));
        return;
    }
    uint32_t slot = below(a, AG_NOISE_ORDERS);
    if (a->ids[who][slot] != 0) {
        (void)vm_cancel(a->vm, a->ids[who][slot], VM_ANY);
        return;
    }
    place_behind(a, who, slot, side);
}

/* quote brings one quote of a maker to price and lots. */
static void quote(struct ag *a, uint32_t who, uint32_t slot, uint8_t side, int64_t price,
                  int64_t lots) {
    struct vm_view view;
    uint64_t id = a->ids[who][slot];
    if (id == 0 || !vm_find(a->vm, id, &view)) {
        rest(a, who, slot, side, price, lots, 0);
        return;
    }
    if (view.price == price && view.left * 2 >= lots) return;
    (void)vm_amend(a->vm, id, price, view.filled + lots, VM_AMEND_RULE);
}

/* quote_side brings all quotes of a side to where they belong around ref. */
static void quote_side(struct ag *a, uint32_t who, uint8_t side, double ref, double half) {
    for (uint32_t k = 0; k < QUOTES; k++) {
        double off = half * (1 + 3 * (double)k) + (double)k;
        int64_t lots = lots_of(a, (double)(1 + 2 * k) * (0.6 + 0.8 * unit(a)));
        int64_t other = vm_best(a->vm, side == VM_BUY ? VM_SELL : VM_BUY), price;
        if (side == VM_BUY) {
            price = whole(ref - off);
            if (other != 0 && price >= other) price = other - 1;
        } else {
            price = whole(ref + off + 1);
            if (price <= other) price = other + 1;
        }
        if (price >= 1) quote(a, who, side == VM_BUY ? k : QUOTES + k, side, price, lots);
    }
}

/* act_maker: quotes again. The side that makes room goes first. */
static void act_maker(struct ag *a, uint32_t who) {
    double price = price_of(a, a->f.seen), half = half_spread(a, price) * (0.7 + 0.6 * unit(a));
    double held = (double)vm_position_of(a->vm, owner_of(a, who)) / ((double)a->options.size * 40);
    if (held > 1) held = 1;
    if (held < -1) held = -1;
    double ref = price + half * (0.6 * (unit(a) - 0.5) - 1.2 * held);
    int64_t bid, ask;
    touch(a, &bid, &ask);
    uint8_t first = ref > ((double)bid + (double)ask) * 0.5 ? VM_SELL : VM_BUY;
    quote_side(a, who, first, ref, half);
    quote_side(a, who, first == VM_BUY ? VM_SELL : VM_BUY, ref, half);
}

/* act_momentum: takes with a large trend. */
static void act_momentum(struct ag *a, uint32_t who) {
    double trend = (a->f.fast - a->f.slow) / a->minute;
    double times = exponential(a) * 0.5;
    if (trend > 1) take(a, who, VM_BUY, 0, lots_of(a, times));
    if (trend < -1) take(a, who, VM_SELL, 0, lots_of(a, times));
}

/* act_value: takes what is on the wrong side of the value, the more the farther off it is. By the
 * same size whatever the gap, large news took a minute to get into the price: returns of a minute
 * correlated by 0.03 with those of the one before. */
static void act_value(struct ag *a, uint32_t who) {
    double value = price_of(a, a->f.value), edge = value * a->options.spread_bps * 0.1e-4;
    int64_t bid = vm_best(a->vm, VM_BUY), ask = vm_best(a->vm, VM_SELL);
    double times = 2 + 6 * exponential(a), gap = 0;
    if (ask != 0 && (double)ask < value) gap = value - (double)ask;
    if (bid != 0 && (double)bid > value) gap = (double)bid - value;
    gap /= value * a->options.spread_bps * 1e-4;
    times *= 1 + (gap < gap_max ? gap : gap_max);
    if (ask != 0 && (double)ask < value - edge) {
        take(a, who, VM_BUY, whole(value - edge), lots_of(a, times));
    } else if (bid != 0 && (double)bid > value + edge) {
        take(a, who, VM_SELL, whole(value + edge + 1), lots_of(a, times));
    }
}

/* act lets a trader act. */
static void act(struct ag *a) {
    double at = unit(a), sum = 0;
    uint32_t first = 0, kind = 0;
    for (; kind + 1 < AG_KINDS; kind++) {
        sum += parts[kind];
        if (at <= sum) break;
        first += a->options.cnt[kind];
    }
    a->f.stir_act += a->act_kick;
    if (a->options.cnt[kind] == 0) return;
    uint32_t who = first + below(a, a->options.cnt[kind]);
    switch (kind) {
    case AG_NOISE: act_noise(a, who); break;
    case AG_MAKER: act_maker(a, who); break;
    case AG_MOMENTUM: act_momentum(a, who); break;
    default: act_value(a, who); break;
    }
}

/* hear_news moves the value. */
static void hear_news(struct ag *a) {
    double size = a->jump * exponential(a);
    a->f.stir_news += a->news_kick;
    a->f.stir_act += a->act_news;
    if (unit(a) <= a->shock_part) {
        size *= shock_size;
        a->f.stir_news += (shock_size - 1) * a->news_kick;
    }
    a->f.value += draw(a) & 1 ? size : -size;
    if (a->f.value > value_max) a->f.value = value_max;
    if (a->f.value < -value_max) a->f.value = -value_max;
}

/* find_next finds the next event by thinning. */
static void find_next(struct ag *a) {
    double news = a->f.stir_news, acts = a->f.stir_act, s = 0;
    for (;;) {
        double bound = a->news_base + news + a->act_base + acts;
        double wait = exponential(a) / bound;
        s += wait;
        news *= qs_exp(-wait * news_decay);
        acts *= qs_exp(-wait * act_decay);
        double at = unit(a) * bound;
        a->f.news = at <= a->news_base + news;
        if (at <= a->news_base + news + a->act_base + acts) break;
    }
    int64_t ns = (int64_t)(s * 1e9);
    a->f.next_ns = a->f.now_ns + (ns < 1 ? 1 : ns);
}

/* --- life ---------------------------------------------------------------------------------- */

void ag_defaults(struct ag_options *o) {
    *o = (struct ag_options){ .seed = 1,
                              .rate = 5,
                              .excitation = 0.5,
                              .volatility = 0.8,
                              .spread_bps = 1,
                              .depth_bps = 5,
                              .patience_s = 60,
                              .day_shocks = 4,
                              .cnt = { 200, 12, 40, 48 } };
}

const char *ag_wrong(const struct ag_options *o) {
    if (o->start < 1000 || o->start > INT64_C(1000000000000)) {
        return "the price is not within 1000..1e12 ticks";
    }
    if (o->size < 1 || o->size > 1000000000) return "the size is not within 1..1e9 lots";
    if (!(o->rate >= 0.01 && o->rate <= 1000)) return "the rate is not within 0.01..1000";
    if (!(o->excitation >= 0 && o->excitation <= 0.95)) return "excitation is not within 0..0.95";
    if (!(o->volatility >= 0.01 && o->volatility <= 10)) return "volatility is not within 0.01..10";
    if (!(o->spread_bps >= 0.01 && o->spread_bps <= 1000)) return "the spread is not right";
    if (!(o->depth_bps >= 0.1 && o->depth_bps <= 1000)) return "the depth is not right";
    if (!(o->patience_s >= 1 && o->patience_s <= 1e6)) return "patience is not within 1s..1e6s";
    if (!(o->day_shocks >= 0 && o->day_shocks <= 1000)) return "shocks are not within 0..1000";
    for (int k = 0; k < AG_KINDS; k++) {
        if (o->cnt[k] > AG_TRADERS_MAX) return "too many traders of one kind";
    }
    if (o->cnt[AG_MAKER] == 0) return "there is no market maker";
    if (o->cnt[AG_MAKER] * 2 * QUOTES + o->cnt[AG_NOISE] * AG_NOISE_ORDERS > AG_RESTING_MAX) {
        return "makers and noise could have more than 1600 orders resting";
    }
    return NULL;
}

/* engine_options fills the sizes of the engine. */
static struct vm_options engine_options(const struct ag_options *o) {
    struct vm_options vo = { .orders_max = 2048,
                             .owners_max = o->first_owner,
                             .window = 4096,
                             .on_level = o->on_level,
                             .ctx = o->level_ctx,
                             .on_fire = o->on_fire,
                             .fire_ctx = o->fire_ctx };
    for (int k = 0; k < AG_KINDS; k++) vo.owners_max += o->cnt[k];
    while (vo.orders_max < AG_RESTING_MAX + o->others_max + 64) vo.orders_max *= 2;
    return vo;
}

/* up rounds bytes up to whole lines. */
static size_t up(size_t bytes) {
    return (bytes + 63) & ~(size_t)63;
}

/* events_max returns the room for what one command may tell: an order that ends in it is announced,
 * traded and ended at most. */
static uint32_t events_max(const struct vm_options *vo) {
    return 4 * vo->orders_max + EVENTS_MORE;
}

size_t ag_bytes(const struct ag_options *o) {
    struct vm_options vo = engine_options(o);
    size_t traders = vo.owners_max - o->first_owner;
    return up(sizeof(struct ag)) + up(vm_bytes(&vo)) +
           up(events_max(&vo) * sizeof(struct vm_event)) + traders * AG_ORDERS * sizeof(uint64_t);
}

struct ag *ag_init(void *memory, const struct ag_options *o) {
    struct vm_options vo = engine_options(o);
    uint8_t *at = memory;
    struct ag *a = memory;
    at += up(sizeof *a);
    a->options = *o;
    a->traders = vo.owners_max - o->first_owner;
    a->orders_max = vo.orders_max;
    a->f.next_ns = INT64_MAX;
    a->out.max = events_max(&vo);
    a->out.at = (struct vm_event *)(void *)at;
    at += up(a->out.max * sizeof(struct vm_event));
    a->vm = vm_init(at, &vo, &a->out);
    assert(a->vm != NULL);
    at += up(vm_bytes(&vo));
    a->ids = (uint64_t(*)[AG_ORDERS])(void *)at;
    a->news_mean = 1 / news_gap_s;
    a->shock_part = o->day_shocks / 86400 / a->news_mean;
    if (a->shock_part > 0.5) a->shock_part = 0.5;
    /* shocks excite more: a piece of news brings about news_branching on average, them included */
    a->news_base = a->news_mean * (1 - news_branching);
    a->news_kick = news_branching * news_decay / (1 + (shock_size - 1) * a->shock_part);
    double own = 1 - o->excitation, of_news = act_of_news; /* parts of the actions */
    if (of_news > own / 2) of_news = own / 2;
    a->act_base = o->rate * (own - of_news);
    a->act_kick = o->excitation * act_decay;
    a->act_news = o->rate * of_news / a->news_mean * act_decay;
    a->minute = o->volatility * qs_sqrt(60 / year_s);
    /* a Laplace jump of scale b has variance 2 b^2; shocks bring their share */
    double each = 2 * (1 + a->shock_part * (shock_size * shock_size - 1));
    a->jump = o->volatility * qs_sqrt(1 / (year_s * a->news_mean * each));
    return a;
}

void ag_start(struct ag *a, int64_t now_ns) {
    a->f.now_ns = now_ns;
    uint32_t makers = a->options.cnt[AG_NOISE];
    for (uint32_t i = 0; i < a->options.cnt[AG_MAKER]; i++) act_maker(a, makers + i);
    for (uint32_t i = 0; i < a->options.cnt[AG_NOISE]; i++) {
        for (uint32_t slot = 0; slot < OPENING; slot++) {
            place_behind(a, i, slot, draw(a) & 1 ? VM_BUY : VM_SELL);
        }
    }
    find_next(a);
}

void ag_step(struct ag *a) {
    pass(a, a->f.next_ns);
    vm_expire(a->vm, a->f.now_ns);
    for (uint32_t i = 0; i < a->out.cnt; i++) ag_heed(a, &a->out.at[i]);
    if (a->f.news) {
        hear_news(a);
    } else {
        act(a);
    }
    find_next(a);
}

void ag_heed(struct ag *a, const struct vm_event *event) {
    uint32_t who = event->owner - a->options.first_owner;
    bool ends = event->kind == VM_CANCELED || event->kind == VM_EXPIRED ||
                (event->kind == VM_TRADED && event->left == 0);
    if (!ends || event->owner < a->options.first_owner || event->tag >= AG_ORDERS) return;
    uint64_t *id = &a->ids[who][event->tag];
    if (*id == event->id) *id = 0;
}

void ag_loaded(struct ag *a) {
    struct vm_view view;
    memset(a->ids, 0, a->traders * sizeof *a->ids);
    for (uint64_t id = 0; (id = vm_order_next(a->vm, id)) != 0;) {
        if (!vm_find(a->vm, id, &view) || view.owner < a->options.first_owner) continue;
        if (view.tag < AG_ORDERS) a->ids[view.owner - a->options.first_owner][view.tag] = id;
    }
}
