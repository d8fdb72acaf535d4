#include "actors/market/bars.h"
#include "runtime/base/config.h"
#include <string.h>

const char *const mk_bars_types[] = { "time", "heikin_ashi", "renko", NULL };

int64_t mk_bars_begin_ns(int64_t ns, int64_t interval_ns) {
    static const int64_t day_ns = INT64_C(86400000000000);
    const int64_t monday_ns = interval_ns % (7 * day_ns) == 0 ? 4 * day_ns : 0; /* 1970-01-05 */
    int64_t past = (ns - monday_ns) % interval_ns;
    return ns - (past < 0 ? past + interval_ns : past);
}

/* text_of returns the scalar under key of a map, or NULL. */
static const char *text_of(struct rt_node *map, const char *key) {
    struct rt_node *n = map->kind == RT_NODE_MAP ? rt_node_get(map, key) : NULL;
    return n != NULL && n->kind == RT_NODE_SCALAR ? n->text : NULL;
}

/* first_of returns the first entry of the feed's bars, or NULL. */
static struct rt_node *first_of(struct rt_node *feed) {
    struct rt_node *list = feed == NULL ? NULL : rt_node_get(feed, "bars");
    return list != NULL && list->kind == RT_NODE_LIST ? list->child : NULL;
}

uint16_t mk_bars_number(struct rt_init *init, const char *name) {
    const char *seen[MK_BARS_NAMES_MAX];
    uint16_t cnt = 0;
    struct rt_node *feed = NULL;
    for (int i = 0; rt_init_actor_kind(init, "feed", i, &feed) >= 0; i++) {
        for (struct rt_node *n = first_of(feed); n != NULL; n = n->next) {
            const char *text = text_of(n, "name");
            uint16_t k = 0;
            if (text == NULL) continue;
            while (k < cnt && strcmp(seen[k], text) != 0) k++;
            if (k == MK_BARS_NAMES_MAX) return 0;
            if (k == cnt) seen[cnt++] = text;
            if (strcmp(text, name) == 0) return (uint16_t)(k + 1);
        }
    }
    return 0;
}

struct rt_node *mk_bars_find(struct rt_init *init, const char *name, const char *instrument) {
    struct rt_node *feed = NULL;
    for (int i = 0; rt_init_actor_kind(init, "feed", i, &feed) >= 0; i++) {
        for (struct rt_node *n = first_of(feed); n != NULL; n = n->next) {
            const char *text = text_of(n, "name"), *of = text_of(n, "instrument");
            if (text != NULL && of != NULL && strcmp(text, name) == 0 &&
                strcmp(of, instrument) == 0) {
                return n;
            }
        }
    }
    return NULL;
}
