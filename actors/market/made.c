#include "actors/market/made.h"
#include <string.h>

/* names tells whether n, a name or a map with one, is in. */
static bool names(struct rt_node *n, const struct mk_instrument *in) {
    if (n->kind == RT_NODE_MAP) n = rt_node_get(n, "instrument");
    return n != NULL && n->kind == RT_NODE_SCALAR && strcmp(n->text, in->name) == 0;
}

/* made_by returns the agents: that make in's market, NULL = none. */
static struct rt_node *made_by(struct rt_init *init, const struct mk_instrument *in) {
    struct rt_node *venue = NULL;
    for (int i = 0; rt_init_actor_kind(init, "venue", i, &venue) >= 0; i++) {
        struct rt_node *agents = venue == NULL ? NULL : rt_node_get(venue, "agents");
        if (agents == NULL || agents->kind != RT_NODE_MAP) continue;
        struct rt_node *list = rt_node_get(agents, "instruments");
        if (list == NULL || list->kind != RT_NODE_LIST) continue;
        for (struct rt_node *n = list->child; n != NULL; n = n->next) {
            if (names(n, in)) return agents;
        }
    }
    return NULL;
}

bool mk_made(struct rt_init *init, const struct mk_instrument *in) {
    return made_by(init, in) != NULL;
}

bool mk_made_book(struct rt_init *init, const struct mk_instrument *in) {
    struct rt_node *agents = made_by(init, in);
    struct rt_error none; /* what makes no sense there the venue refuses by itself */
    bool book = false;
    return agents != NULL && rt_node_bool(agents, "book", false, &book, &none) == 0 && book;
}
