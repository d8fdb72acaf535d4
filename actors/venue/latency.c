#include "actors/venue/latency.h"
#include "quant/stats/number.h"
#include <assert.h>
#include <stddef.h>

/* Quantiles that may be declared, rising. */
static const struct {
    const char *name; /* key */
    uint32_t ppm;     /* part of all that lies below, in millionths */
} points[VENUE_LATENCY_POINTS_MAX] = {
    { "min", 0 },      { "p1", 10000 },   { "p5", 50000 },    { "p10", 100000 },
    { "p25", 250000 }, { "p50", 500000 }, { "p75", 750000 },  { "p90", 900000 },
    { "p95", 950000 }, { "p99", 990000 }, { "p999", 999000 }, { "max", 1000000 },
};

struct venue_latency venue_latency_constant(int64_t ns) {
    assert(ns >= 0 && ns <= VENUE_LATENCY_MAX_NS);
    return (struct venue_latency){ .kind = VENUE_LATENCY_CONSTANT, .base_ns = ns };
}

/* load_table reads quantiles from map. */
static int load_table(struct rt_node *map, struct venue_latency *out, struct rt_error *err) {
    out->kind = VENUE_LATENCY_TABLE;
    for (size_t i = 0; i < VENUE_LATENCY_POINTS_MAX; i++) {
        int64_t ns;
        bool end = points[i].ppm == 0 || points[i].ppm == 1000000;
        int rc = rt_node_duration(map, points[i].name, end, 0, VENUE_LATENCY_MAX_NS, -1, &ns, err);
        if (rc != 0) return rc;
        if (ns < 0) continue;
        uint32_t at = out->point_cnt++;
        out->point_ns[at] = ns;
        out->part[at] = (uint64_t)(((unsigned __int128)points[i].ppm * UINT64_MAX) / 1000000);
        if (at > 0 && ns < out->point_ns[at - 1]) {
            return rt_node_fail(map, err, "%s is below the quantile before it", points[i].name);
        }
    }
    return 0;
}

int venue_latency_load(struct rt_node *map, const char *key, int64_t def_ns,
                       struct venue_latency *out, struct rt_error *err) {
    static const char *const known[] = { "median", "sigma", "recorded", "min", "p1",  "p5",
                                         "p10",    "p25",   "p50",      "p75", "p90", "p95",
                                         "p99",    "p999",  "max",      NULL };
    struct rt_node *leg = rt_node_get(map, key);
    *out = venue_latency_constant(def_ns);
    if (leg == NULL || leg->kind != RT_NODE_MAP) {
        return rt_node_duration(map, key, false, 0, VENUE_LATENCY_MAX_NS, def_ns, &out->base_ns,
                                err);
    }
    int rc;
    if (rt_node_get(leg, "recorded") != NULL) {
        out->kind = VENUE_LATENCY_RECORDED;
        rc =
            rt_node_duration(leg, "recorded", true, 0, VENUE_LATENCY_MAX_NS, 0, &out->base_ns, err);
    } else if (rt_node_get(leg, "median") != NULL) {
        out->kind = VENUE_LATENCY_LOGNORMAL;
        rc = rt_node_duration(leg, "median", true, 0, VENUE_LATENCY_MAX_NS, 0, &out->base_ns, err);
        if (rc == 0) rc = rt_node_double(leg, "sigma", true, 0, 5, 0, &out->sigma, err);
    } else {
        rc = load_table(leg, out, err);
    }
    return rc != 0 ? rc : rt_node_no_more(leg, known, err);
}

int venue_legs_load(struct rt_node *map, struct venue_legs *out, struct rt_error *err) {
    static const char *const known[] = { "feed", "order", "answer", NULL };
    struct rt_node *legs = rt_node_get(map, "latency");
    out->feed = venue_latency_constant(0);
    out->answer = venue_latency_constant(0);
    if (legs == NULL || legs->kind != RT_NODE_MAP) {
        return venue_latency_load(map, "latency", 0, &out->order, err);
    }
    int rc = venue_latency_load(legs, "feed", 0, &out->feed, err);
    if (rc == 0) rc = venue_latency_load(legs, "order", 0, &out->order, err);
    if (rc == 0) rc = venue_latency_load(legs, "answer", 0, &out->answer, err);
    return rc != 0 ? rc : rt_node_no_more(legs, known, err);
}

/* from_table returns the quantile of random. */
static int64_t from_table(const struct venue_latency *l, uint64_t random) {
    uint32_t at = 1;
    while (at + 1 < l->point_cnt && random >= l->part[at]) at++;
    uint64_t low = l->part[at - 1], wide = l->part[at] - low;
    int64_t from = l->point_ns[at - 1], span = l->point_ns[at] - from;
    return from + (int64_t)((unsigned __int128)(uint64_t)span * (random - low) / wide);
}

/* lognormal returns the quantile of random. */
static int64_t lognormal(const struct venue_latency *l, uint64_t random) {
    double part = (double)(random >> 12) * 0x1p-52 + 0x1p-53; /* exact, never 0 nor 1 */
    double ns = (double)l->base_ns * qs_exp(l->sigma * qs_normal_quantile(part));
    return ns < (double)VENUE_LATENCY_MAX_NS ? (int64_t)ns : VENUE_LATENCY_MAX_NS;
}

int64_t venue_latency_ns(const struct venue_latency *l, const struct venue_delay *delay,
                         uint64_t random) {
    switch (l->kind) {
    case VENUE_LATENCY_LOGNORMAL: return lognormal(l, random);
    case VENUE_LATENCY_TABLE: return from_table(l, random);
    case VENUE_LATENCY_RECORDED: return delay->last_ns < 0 ? l->base_ns : delay->last_ns;
    default: return l->base_ns;
    }
}

int64_t venue_latency_typical(const struct venue_latency *l) {
    return l->kind == VENUE_LATENCY_TABLE ? from_table(l, UINT64_C(1) << 63) : l->base_ns;
}
