/* config_tree.h - the private side of config.h: what a node knows besides what everyone may see.
 *
 * For     config.c (reads, merges, writes trees) and config_node.c (getters, errors) only.
 * Thread  boot only.
 * Memory  part of the tree's. */
#ifndef RUNTIME_BASE_CONFIG_TREE_H
#define RUNTIME_BASE_CONFIG_TREE_H
#include "runtime/base/config.h"

enum {
    CONFIG_FILE_BYTES_MAX = 1 << 20, /* a file */
    CONFIG_DEPTH_MAX = 64,           /* maps and lists inside each other */
    CONFIG_NODES_MAX = 65536,        /* nodes of a tree, all files together */
    CONFIG_INCLUDES_MAX = 16,        /* files included by a tree, repeats counted */
    CONFIG_KEY_BYTES_MAX = 256,      /* a key */
};

/* A node as config.c makes it; what others hold is its first member. */
struct config_node {
    struct rt_node node;           /* what everyone sees */
    struct config_node *parent;    /* the map or list it is in; NULL at the root */
    struct rt_node *last;          /* last child */
    uint32_t key_line, key_column; /* where its key stands; its own place in a list */
    uint32_t order;                /* counts nodes in the order they were read */
    bool taken;                    /* merge: already in the new list of children */
};

/* config_node_of returns the private side of node. */
static inline struct config_node *config_node_of(const struct rt_node *node) {
    return (struct config_node *)(uintptr_t)node;
}
#endif
