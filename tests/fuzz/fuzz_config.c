/* Goal: no bytes make the configuration reader crash, leak, loop or read outside its input, and
 * what it takes, it can write and take again with the same text. Method: libFuzzer over
 * rt_config_parse, every getter on every node, rt_config_write and back. */
#include "runtime/base/config.h"
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* LLVMFuzzerTestOneInput is called by libFuzzer with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt);

/* read_all asks every getter for every key below node. */
static void read_all(struct rt_node *node) {
    static const char *const words[] = { "spin", "adaptive", "block", NULL };
    struct rt_error err = { 0 };
    for (struct rt_node *n = node->child; n != NULL; n = n->next) {
        if (n->kind != RT_NODE_SCALAR) read_all(n);
        assert((n->text != NULL) == (n->kind == RT_NODE_SCALAR));
        rt_node_fail(n, &err, "is %s", n->text != NULL ? n->text : "no text");
        assert(strpbrk(err.text, "\n\r\x1b") == NULL);
        if (node->kind != RT_NODE_MAP) continue;
        const char *text = NULL;
        int64_t i = 0;
        double d = 0;
        bool b = false;
        int word = 0;
        struct rt_node *child = NULL;
        (void)rt_node_no_more(node, words, &err);
        (void)rt_node_text(node, n->key, true, 100, NULL, &text, &err);
        (void)rt_node_int(node, n->key, true, 0, INT64_MAX, 0, &i, &err);
        (void)rt_node_fixed(node, n->key, true, INT64_MIN, INT64_MAX, 0, &i, &err);
        (void)rt_node_double(node, n->key, true, -1e9, 1e9, 0, &d, &err);
        (void)rt_node_bool(node, n->key, false, &b, &err);
        (void)rt_node_duration(node, n->key, true, INT64_MIN, INT64_MAX, 0, &i, &err);
        (void)rt_node_time(node, n->key, true, 0, &i, &err);
        (void)rt_node_choice(node, n->key, true, words, 0, &word, &err);
        (void)rt_node_list(node, n->key, true, &child, &err);
        (void)rt_node_map(node, n->key, true, &child, &err);
    }
}

/* written returns the text that rt_config_write makes of c (to be freed), NULL when it cannot. */
static char *written(const struct rt_config *c, size_t *cnt) {
    static char path[64];
    if (path[0] == 0) snprintf(path, sizeof path, "/dev/shm/fuzz_config.%d", (int)getpid());
    if (rt_config_write(c, path, NULL) != 0) return NULL;
    FILE *f = fopen(path, "r");
    assert(f != NULL);
    fseek(f, 0, SEEK_END);
    *cnt = (size_t)ftell(f);
    rewind(f);
    char *text = malloc(*cnt + 1);
    assert(text != NULL && fread(text, 1, *cnt, f) == *cnt);
    fclose(f);
    unlink(path);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt) {
    struct rt_config *c = NULL;
    struct rt_error err = { 0 };
    if (rt_config_parse("fuzz", (const char *)bytes, cnt, &c, &err) != 0) {
        assert(c == NULL && err.code < 0 && err.text[0] != 0);
        return 0;
    }
    if (rt_config_root(c)->child_cnt < 50) read_all(rt_config_root(c));
    size_t once_cnt = 0, again_cnt = 0;
    char *once = written(c, &once_cnt);
    rt_config_close(c);
    if (once == NULL) return 0;
    if (once_cnt <= 1 << 20) {
        int code = rt_config_parse("again", once, once_cnt, &c, &err);
        if (code != 0) fprintf(stderr, "%s\n%.*s\n", err.text, (int)once_cnt, once);
        assert(code == 0);
        char *again = written(c, &again_cnt);
        assert(again != NULL && again_cnt == once_cnt && memcmp(once, again, once_cnt) == 0);
        free(again);
        rt_config_close(c);
    }
    free(once);
    return 0;
}
