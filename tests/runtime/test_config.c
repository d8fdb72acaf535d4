/* Goal: a configuration file becomes the tree it says, every getter reads what people write and
 * nothing else, and each mistake gives one exact sentence with file, line, column and key.
 * Method: tables of texts and expected sentences; files in a folder of their own for includes;
 * canonical output read back; hostile texts with a clock and a memory limit; each allocation made
 * to fail once. */
#include "runtime/base/alloc.h"
#include "runtime/base/config.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* good parses text, which must be right. */
static struct rt_config *good(const char *text) {
    struct rt_config *c = NULL;
    struct rt_error err = { 0 };
    if (rt_config_parse("t", text, strlen(text), &c, &err) != 0) fail_msg("%s", err.text);
    return c;
}

/* A text that is refused, and the sentence. */
struct refusal {
    const char *text;     /* the file */
    const char *sentence; /* what rt_error says */
};

static const struct refusal syntax[] = {
    { "", "t:1:1: is empty; expected a map of keys" },
    { "# nothing\n", "t:1:1: is empty; expected a map of keys" },
    { "word", "t:1:1: a single value at the top; expected a map of keys" },
    { "- a\n- b\n", "t:1:1: a list at the top; expected a map of keys" },
    { "a: 1\na: 2\n", "t:2:1: key \"a\" again, first at 1:1; expected each key once" },
    { "a:\n  b: 1\n  c: 2\n  b: 3\n  c: 4\n",
      "t:4:3: key \"b\" again, first at 2:3; expected each key once" },
    { "a: 1\n\"a\": 2\n", "t:2:1: key \"a\" again, first at 1:1; expected each key once" },
    { "a: &x 1\n", "t:1:4: an anchor (&); expected the value itself" },
    { "a: &x [1]\n", "t:1:4: an anchor (&); expected the value itself" },
    { "a: *x\n", "t:1:4: an alias (*); expected the value itself" },
    { "a: !!str 1\n", "t:1:4: a tag (!); expected a plain value" },
    { "a: !x {}\n", "t:1:4: a tag (!); expected a plain value" },
    { "<<: {a: 1}\n", "t:1:1: a merge key (<<); expected the keys themselves, or include:" },
    { "a: 1\n---\nb: 2\n", "t:2:1: a second document; expected one document a file" },
    { "? [1, 2]\n: x\n", "t:1:3: a key that is a list or map; expected a word" },
    { "\"\": x\n", "t:1:1: an empty key; expected a word" },
    { "a: \"x\\0y\"\n", "t:1:4: a NUL character in a text; expected printable text" },
    { "a: b: c\n", "t:1:5: mapping values are not allowed in this context; expected YAML or JSON" },
    { "a: [1, 2\nb: 3\n", "t:2:2: did not find expected ',' or ']' while parsing a flow sequence; "
                          "expected YAML or JSON" },
    { "a: \"x\n", "t:2:1: found unexpected end of stream while scanning a quoted scalar; expected "
                  "YAML or JSON" },
    { "a:\n\tb: 1\n", "t:2:1: found character that cannot start any token while scanning for the "
                      "next token; expected YAML or JSON" },
    { "a: 1\n b: 2\n",
      "t:2:3: mapping values are not allowed in this context; expected YAML or JSON" },
    { "ok: \xc3\xa4\nb: \xff\n", "t:2:4: byte 0xff is not UTF-8; expected text in UTF-8" },
    { "ok: \xc3\xa4\xc3(\n", "t:1:6: byte 0xc3 is not UTF-8; expected text in UTF-8" },
    { "a: \xc0\xaf\n", "t:1:4: byte 0xc0 is not UTF-8; expected text in UTF-8" },
    { "a: \xed\xa0\x80\n", "t:1:4: byte 0xed is not UTF-8; expected text in UTF-8" },
    { "a: \xf4\x90\x80\x80\n", "t:1:4: byte 0xf4 is not UTF-8; expected text in UTF-8" },
    { "a: \xe2\x82", "t:1:4: byte 0xe2 is not UTF-8; expected text in UTF-8" },
    { "\xff\xfe"
      "a",
      "t:1:1: byte 0xff is not UTF-8; expected text in UTF-8" },
    { "a: 1\r\nb: \x01\r\n", "t:2:4: control character U+0001; expected printable text" },
    { "a: \x1b[2J\n", "t:1:4: control character U+001B; expected printable text" },
    { "a: \xc2\x9b\n", "t:1:4: control character U+009B; expected printable text" },
    { "include: x.yaml\n", "t:1:10: include: is not possible here; expected no include" },
};

/* What is no configuration is refused at its place. */
static void test_syntax(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof syntax / sizeof syntax[0]; i++) {
        struct rt_config *c = (struct rt_config *)(uintptr_t)1;
        struct rt_error err = { 0 };
        assert_int_equal(rt_config_parse("t", syntax[i].text, strlen(syntax[i].text), &c, &err),
                         -EINVAL);
        assert_null(c);
        assert_int_equal(err.code, -EINVAL);
        assert_string_equal(err.text, syntax[i].sentence);
        assert_int_equal(rt_config_parse("t", syntax[i].text, strlen(syntax[i].text), &c, NULL),
                         -EINVAL);
    }
    struct rt_error err;
    struct rt_config *c = NULL;
    assert_int_equal(rt_config_parse("t", "a: \0b\n", 6, &c, &err), -EINVAL);
    assert_string_equal(err.text, "t:1:4: control character U+0000; expected printable text");
}

/* The tree: kinds, order, places, quotes; JSON is the same; BOM and CRLF are taken. */
static void test_tree(void **state) {
    (void)state;
    struct rt_config *c =
        good("\xef\xbb\xbfname: x # note\r\nlist:\r\n  - 1\r\n  - {k: \"2\"}\r\nempty: {}\r\n");
    struct rt_node *root = rt_config_root(c);
    assert_int_equal(root->kind, RT_NODE_MAP);
    assert_int_equal(root->child_cnt, 3);
    assert_null(root->key);
    const struct rt_node *name = root->child, *list = name->next, *empty = list->next;
    assert_null(empty->next);
    assert_string_equal(name->key, "name");
    assert_string_equal(name->text, "x");
    assert_false(name->quoted);
    assert_int_equal(name->line, 1);
    assert_int_equal(name->column, 7);
    assert_string_equal(name->file, "t");
    assert_int_equal(list->kind, RT_NODE_LIST);
    assert_int_equal(list->child_cnt, 2);
    assert_null(list->text);
    assert_null(list->child->key);
    const struct rt_node *k = list->child->next->child;
    assert_string_equal(k->key, "k");
    assert_string_equal(k->text, "2");
    assert_true(k->quoted);
    assert_int_equal(k->line, 4);
    assert_int_equal(k->column, 9);
    assert_int_equal(empty->kind, RT_NODE_MAP);
    assert_int_equal(empty->child_cnt, 0);
    assert_null(empty->child);
    rt_config_close(c);

    c = good("{\n\t\"a\": [1, -2.5e3, true, null, \"x\\u00e9\\n\"],\n\t\"b\": {\"c\": {}}\n}\n");
    const struct rt_node *a = rt_config_root(c)->child;
    assert_int_equal(a->child_cnt, 5);
    assert_string_equal(a->child->next->text, "-2.5e3");
    assert_string_equal(a->child->next->next->next->next->text, "x\xc3\xa9\n");
    rt_config_close(c);
    rt_config_close(NULL);
}

/* The typed getters on one text: each reads key v. */
enum getter {
    TEXT,     /* rt_node_text, up to 8 bytes */
    INT,      /* rt_node_int in -10..65536 */
    ANY_INT,  /* rt_node_int in all of 64 bits */
    FIXED,    /* rt_node_fixed in 0.00000001..1000 */
    DOUBLE,   /* rt_node_double in 0..1e6 */
    BOOL,     /* rt_node_bool */
    DURATION, /* rt_node_duration in 1us..1h */
    ANY_TIME, /* rt_node_duration in all of 64 bits */
    TIME,     /* rt_node_time */
    CHOICE,   /* rt_node_choice of spin, adaptive, block */
    LIST,     /* rt_node_list */
    MAP,      /* rt_node_map */
};

static const char *const idle_words[] = { "spin", "adaptive", "block", NULL };

/* get reads key of map by getter; the value lands in *i (bits of a double, index, flag). */
static int get(enum getter getter, struct rt_node *map, const char *key, bool required, int64_t *i,
               const char **text, struct rt_error *err) {
    double d = 0;
    bool b = false;
    int word = 0, code;
    struct rt_node *n = NULL;
    switch (getter) {
    case TEXT: return rt_node_text(map, key, required, 8, "def", text, err);
    case INT: return rt_node_int(map, key, required, -10, 65536, 7, i, err);
    case ANY_INT: return rt_node_int(map, key, required, INT64_MIN, INT64_MAX, 7, i, err);
    case FIXED: return rt_node_fixed(map, key, required, 1, 100000000000, 7, i, err);
    case DOUBLE:
        code = rt_node_double(map, key, required, 0, 1e6, 7, &d, err);
        *i = (int64_t)(d * 1000);
        return code;
    case BOOL:
        code = rt_node_bool(map, key, true, &b, err);
        *i = b;
        return code;
    case DURATION: return rt_node_duration(map, key, required, 1000, 3600000000000, 7, i, err);
    case ANY_TIME: return rt_node_duration(map, key, required, INT64_MIN, INT64_MAX, 7, i, err);
    case TIME: return rt_node_time(map, key, required, 7, i, err);
    case CHOICE:
        code = rt_node_choice(map, key, required, idle_words, 7, &word, err);
        *i = word;
        return code;
    case LIST: code = rt_node_list(map, key, required, &n, err); break;
    default: code = rt_node_map(map, key, required, &n, err); break;
    }
    *i = n == NULL ? 7 : (int64_t)n->child_cnt;
    return code;
}

/* A value that is taken. */
struct taken {
    enum getter getter; /* by which getter */
    const char *value;  /* what stands behind "v: " */
    int64_t expected;   /* what comes out */
};

static const struct taken taken[] = {
    { INT, "0", 0 },
    { INT, "-10", -10 },
    { INT, "65536", 65536 },
    { INT, "64K", 65536 },
    { INT, "\"64K\"", 65536 },
    { INT, "null", 7 },
    { INT, "~", 7 },
    { ANY_INT, "9223372036854775807", INT64_MAX },
    { ANY_INT, "-9223372036854775808", INT64_MIN },
    { ANY_INT, "3M", 3 << 20 },
    { ANY_INT, "-2G", -(2LL << 30) },
    { FIXED, "0.00000001", 1 },
    { FIXED, "1000", 100000000000 },
    { FIXED, "0.25", 25000000 },
    { DOUBLE, "0", 0 },
    { DOUBLE, "0.25", 250 },
    { DOUBLE, "1e6", 1000000000 },
    { DOUBLE, "2.5E+3", 2500000 },
    { DOUBLE, "-0", 0 },
    { BOOL, "true", 1 },
    { BOOL, "false", 0 },
    { BOOL, "null", 1 },
    { DURATION, "1us", 1000 },
    { DURATION, "1h", 3600000000000 },
    { DURATION, "1.5s", 1500000000 },
    { DURATION, "\"250us\"", 250000 },
    { DURATION, "0.000001s", 1000 },
    { ANY_TIME, "0", 0 },
    { ANY_TIME, "1ns", 1 },
    { ANY_TIME, "5ms", 5000000 },
    { ANY_TIME, "1m", 60000000000 },
    { ANY_TIME, "2d", 172800000000000 },
    { ANY_TIME, "1w", 604800000000000 },
    { ANY_TIME, "-3s", -3000000000 },
    { ANY_TIME, "9223372036854775807ns", INT64_MAX },
    { ANY_TIME, "0.5w", 302400000000000 },
    { TIME, "1970-01-01", 0 },
    { TIME, "2024-01-31", 1706659200000000000 }, /* date -u -d 2024-01-31 +%s */
    { TIME, "2024-02-29T12:00:00Z", 1709208000000000000 },
    { TIME, "\"2000-02-29T23:59Z\"", 951868740000000000 },
    { TIME, "2024-01-31T12:00:00.000000001Z", 1706702400000000001 },
    { TIME, "1969-12-31T23:59:59.5Z", -500000000 },
    { TIME, "1678-01-01", -9214560000000000000 }, /* date -u -d 1678-01-01 +%s */
    { TIME, "2261-12-31T23:59:59.999999999Z", 9214646399999999999 },
    { CHOICE, "spin", 0 },
    { CHOICE, "\"block\"", 2 },
    { LIST, "[]", 0 },
    { LIST, "[a, b]", 2 },
    { LIST, "null", 7 },
    { MAP, "{}", 0 },
    { MAP, "{a: 1}", 1 },
};

/* What is right comes out right. */
static void test_taken(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        char text[100];
        snprintf(text, sizeof text, "v: %s\n", taken[i].value);
        struct rt_config *c = good(text);
        struct rt_error err = { 0 };
        int64_t value = -77;
        const char *word = NULL;
        if (get(taken[i].getter, rt_config_root(c), "v", false, &value, &word, &err) != 0)
            fail_msg("%s: %s", text, err.text);
        if (value != taken[i].expected) fail_msg("%s gives %lld", text, (long long)value);
        rt_config_close(c);
    }
    struct rt_config *c = good("a: 12 34 # x\nb: \"null\"\nc: x\n");
    const char *word = NULL;
    assert_int_equal(rt_node_text(rt_config_root(c), "a", true, 8, NULL, &word, NULL), 0);
    assert_string_equal(word, "12 34");
    assert_int_equal(rt_node_text(rt_config_root(c), "b", true, 8, NULL, &word, NULL), 0);
    assert_string_equal(word, "null");
    assert_int_equal(rt_node_text(rt_config_root(c), "d", false, 8, "def", &word, NULL), 0);
    assert_string_equal(word, "def");
    rt_config_close(c);
}

/* A value that is refused. */
struct refused {
    enum getter getter;   /* by which getter */
    const char *value;    /* what stands behind "v: " */
    const char *sentence; /* all behind "t:1:4: v: " */
};

#define INT_WORDS    "expected a whole number from -10 to 65536"
#define FIXED_WORDS  "expected a decimal number with at most 8 decimals from 0.00000001 to 1000"
#define DOUBLE_WORDS "expected a number from 0 to 1000000"
#define DURATION_WORDS                                                                             \
    "expected a length of time such as 250us, 5ms, 1s, 1m, 1h, 1d, 1w from 1us to 1h"
#define TIME_WORDS                                                                                 \
    "expected an instant in UTC such as 2024-01-31 or 2024-01-31T12:00:00Z, from 1678 to 2261"
#define CHOICE_WORDS "expected one of spin, adaptive, block"

static const struct refused refused[] = {
    { TEXT, "[x]", "is a list; expected text of 1 to 8 bytes" },
    { TEXT, "{x: 1}", "is a map; expected text of 1 to 8 bytes" },
    { TEXT, "\"\"", "is text \"\"; expected text of 1 to 8 bytes" },
    { TEXT, "123456789", "is 123456789; expected text of 1 to 8 bytes" },
    { INT, "x", "is x; " INT_WORDS },
    { INT, "-11", "is -11; " INT_WORDS },
    { INT, "65537", "is 65537; " INT_WORDS },
    { INT, "65K", "is 65K; " INT_WORDS },
    { INT, "\"5\"", "is text \"5\"; " INT_WORDS },
    { INT, "1.5", "is 1.5; " INT_WORDS },
    { INT, "1e3", "is 1e3; " INT_WORDS },
    { INT, "010", "is 010; " INT_WORDS },
    { INT, "0x10", "is 0x10; " INT_WORDS },
    { INT, "+5", "is +5; " INT_WORDS },
    { INT, "5 K", "is 5 K; " INT_WORDS },
    { INT, "5k", "is 5k; " INT_WORDS },
    { INT, "99999999999999999999", "is 99999999999999999999; " INT_WORDS },
    { INT, "9999999999999999G", "is 9999999999999999G; " INT_WORDS },
    { INT, "true", "is true; " INT_WORDS },
    { INT, "[1]", "is a list; " INT_WORDS },
    { ANY_INT, "9223372036854775808", "is 9223372036854775808; expected a whole number" },
    { FIXED, "0", "is 0; " FIXED_WORDS },
    { FIXED, "-1", "is -1; " FIXED_WORDS },
    { FIXED, "1000.00000001", "is 1000.00000001; " FIXED_WORDS },
    { FIXED, "0.000000001", "is 0.000000001; " FIXED_WORDS },
    { FIXED, "1e-3", "is 1e-3; " FIXED_WORDS },
    { FIXED, ".nan", "is .nan; " FIXED_WORDS },
    { FIXED, "\"1\"", "is text \"1\"; " FIXED_WORDS },
    { DOUBLE, "-1", "is -1; " DOUBLE_WORDS },
    { DOUBLE, "1000000.1", "is 1000000.1; " DOUBLE_WORDS },
    { DOUBLE, "nan", "is nan; " DOUBLE_WORDS },
    { DOUBLE, ".inf", "is .inf; " DOUBLE_WORDS },
    { DOUBLE, "1e999", "is 1e999; " DOUBLE_WORDS },
    { DOUBLE, "0x1p3", "is 0x1p3; " DOUBLE_WORDS },
    { DOUBLE, "1.", "is 1.; " DOUBLE_WORDS },
    { DOUBLE, ".5", "is .5; " DOUBLE_WORDS },
    { DOUBLE, "1e", "is 1e; " DOUBLE_WORDS },
    { DOUBLE, "\"1\"", "is text \"1\"; " DOUBLE_WORDS },
    { BOOL, "yes", "is yes; expected true or false" },
    { BOOL, "True", "is True; expected true or false" },
    { BOOL, "1", "is 1; expected true or false" },
    { BOOL, "\"true\"", "is text \"true\"; expected true or false" },
    { DURATION, "5", "is 5; " DURATION_WORDS },
    { DURATION, "0", "is 0; " DURATION_WORDS },
    { DURATION, "999ns", "is 999ns; " DURATION_WORDS },
    { DURATION, "61m", "is 61m; " DURATION_WORDS },
    { DURATION, "5 ms", "is 5 ms; " DURATION_WORDS },
    { DURATION, "5sec", "is 5sec; " DURATION_WORDS },
    { DURATION, "5M", "is 5M; " DURATION_WORDS },
    { DURATION, "1.5us3", "is 1.5us3; " DURATION_WORDS },
    { DURATION, "1.0001us", "is 1.0001us; " DURATION_WORDS },
    { DURATION, "-1s", "is -1s; " DURATION_WORDS },
    { ANY_TIME, "9223372036854775808ns",
      "is 9223372036854775808ns; expected a length of time such as 250us, 5ms, 1s, 1m, 1h, 1d, "
      "1w" },
    { ANY_TIME, "9999999999999999999w",
      "is 9999999999999999999w; expected a length of time such as 250us, 5ms, 1s, 1m, 1h, 1d, 1w" },
    { ANY_TIME, "9999999999999999999.5w",
      "is 9999999999999999999.5w; expected a length of time "
      "such as 250us, 5ms, 1s, 1m, 1h, 1d, 1w" },
    { TIME, "2023-02-29", "is 2023-02-29; " TIME_WORDS },
    { TIME, "1900-02-29", "is 1900-02-29; " TIME_WORDS },
    { TIME, "2024-13-01", "is 2024-13-01; " TIME_WORDS },
    { TIME, "2024-00-01", "is 2024-00-01; " TIME_WORDS },
    { TIME, "2024-04-31", "is 2024-04-31; " TIME_WORDS },
    { TIME, "2024-1-1", "is 2024-1-1; " TIME_WORDS },
    { TIME, "2024-01-01T24:00:00Z", "is 2024-01-01T24:00:00Z; " TIME_WORDS },
    { TIME, "2024-01-01T12:60:00Z", "is 2024-01-01T12:60:00Z; " TIME_WORDS },
    { TIME, "2024-01-01T12:00:60Z", "is 2024-01-01T12:00:60Z; " TIME_WORDS },
    { TIME, "2024-01-01T12:00:00", "is 2024-01-01T12:00:00; " TIME_WORDS },
    { TIME, "2024-01-01T12:00:00+08:00", "is 2024-01-01T12:00:00+08:00; " TIME_WORDS },
    { TIME, "2024-01-01T12:00:00.1234567890Z", "is 2024-01-01T12:00:00.1234567890Z; " TIME_WORDS },
    { TIME, "1677-12-31", "is 1677-12-31; " TIME_WORDS },
    { TIME, "2262-01-01", "is 2262-01-01; " TIME_WORDS },
    { TIME, "1706659200", "is 1706659200; " TIME_WORDS },
    { CHOICE, "fast", "is fast; " CHOICE_WORDS },
    { CHOICE, "Spin", "is Spin; " CHOICE_WORDS " (did you mean spin?)" },
    { CHOICE, "adaptve", "is adaptve; " CHOICE_WORDS " (did you mean adaptive?)" },
    { CHOICE, "lbock", "is lbock; " CHOICE_WORDS " (did you mean block?)" },
    { LIST, "x", "is x; expected a list" },
    { LIST, "{}", "is a map; expected a list" },
    { MAP, "x", "is x; expected a map of keys" },
    { MAP, "[]", "is a list; expected a map of keys" },
    { TEXT, "0123456789012345678901234567890123456789x",
      "is 0123456789012345678901234567890123456789...; expected text of 1 to 8 bytes" },
    { TEXT, "\"012345678901234567890123456789012345678\\u00e9\"",
      "is text \"012345678901234567890123456789012345678...\"; expected text of 1 to 8 bytes" },
    { TEXT, "\"new\\nline\\x1b[2J\"", "is text \"new?line?[2J\"; expected text of 1 to 8 bytes" },
};

/* What is wrong is refused by its sentence, with the default untouched. */
static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char text[200], expected[500];
        snprintf(text, sizeof text, "v: %s\n", refused[i].value);
        snprintf(expected, sizeof expected, "t:1:4: v: %s", refused[i].sentence);
        struct rt_config *c = good(text);
        struct rt_error err = { 0 };
        int64_t value = -77;
        const char *word = NULL;
        assert_int_equal(get(refused[i].getter, rt_config_root(c), "v", i % 2, &value, &word, &err),
                         -EINVAL);
        assert_string_equal(err.text, expected);
        rt_config_close(c);
    }
}

/* Missing keys: the default, or an error at the map; a key without a value is always an error. */
static void test_missing(void **state) {
    (void)state;
    struct rt_config *c =
        good("here: 1\nlist:\n  - name: a\n  - x: {}\n  - word\nempty:\nnone: null\n");
    struct rt_node *root = rt_config_root(c), *list = NULL;
    struct rt_error err = { 0 };
    const char *word = NULL;
    int64_t value = 0;
    for (int g = TEXT; g <= MAP; g++) {
        value = g == TEXT ? 7 : 0;
        assert_int_equal(get((enum getter)g, root, "away", false, &value, &word, &err), 0);
        assert_int_equal(value, g == DOUBLE ? 7000 : g == BOOL ? 1 : 7);
        assert_int_equal(get((enum getter)g, root, "empty", false, &value, &word, &err), -EINVAL);
        assert_int_equal(strncmp(err.text, "t:6:7: empty: has no value; expected ", 37), 0);
        assert_int_equal(get((enum getter)g, NULL, "away", false, &value, &word, &err), 0);
        if (g == BOOL) continue;
        assert_int_equal(get((enum getter)g, root, "away", true, &value, &word, &err), -EINVAL);
        assert_int_equal(strncmp(err.text, "t:1:1: away: is missing; expected ", 34), 0);
        assert_int_equal(get((enum getter)g, root, "none", true, &value, &word, &err), -EINVAL);
        assert_int_equal(strncmp(err.text, "t:7:7: none: is null; expected ", 31), 0);
    }
    assert_int_equal(rt_node_list(root, "list", true, &list, &err), 0);
    struct rt_node *item = list->child->next;
    assert_int_equal(rt_node_text(item, "name", true, 8, NULL, &word, &err), -EINVAL);
    assert_string_equal(err.text, "t:4:5: list[1].name: is missing; expected text of 1 to 8 bytes");
    assert_int_equal(rt_node_int(item->child, "deep", true, 1, INT64_MAX, 1, &value, &err),
                     -EINVAL);
    assert_string_equal(err.text,
                        "t:4:8: list[1].x.deep: is missing; expected a whole number, at least 1");
    /* A word where a map should be is named, not what it lacks. */
    assert_int_equal(rt_node_text(item->next, "name", false, 8, NULL, &word, &err), -EINVAL);
    assert_string_equal(err.text, "t:5:5: list[2]: is word; expected a map of keys");
    assert_int_equal(rt_node_no_more(item->next, NULL, &err), -EINVAL);
    assert_string_equal(err.text, "t:5:5: list[2]: is word; expected a map of keys");
    rt_config_close(c);
}

/* A key nobody asked for is refused at the key, with the nearest that is known. */
static void test_no_more(void **state) {
    (void)state;
    static const char *const known[] = { "max_quantity", "max_notional", "collar", NULL };
    struct rt_config *c =
        good("risk:\n  collar: 1\n  max_quantiy: 2\n  zzz: 3\n\"MAX_NOTIONAL\": 1\n");
    struct rt_node *root = rt_config_root(c), *risk = NULL;
    struct rt_error err = { 0 };
    assert_int_equal(rt_node_no_more(root, NULL, &err), -EINVAL);
    assert_string_equal(err.text, "t:1:1: risk: is not a known key; expected no more keys here");
    assert_int_equal(rt_node_map(root, "risk", true, &risk, &err), 0);
    assert_non_null(rt_node_get(risk, "collar"));
    assert_int_equal(rt_node_no_more(risk, known, &err), -EINVAL);
    assert_string_equal(err.text, "t:3:3: risk.max_quantiy: is not a known key (did you mean "
                                  "max_quantity?); expected one of max_quantity, max_notional, "
                                  "collar");
    assert_non_null(rt_node_get(risk, "max_quantiy"));
    assert_int_equal(rt_node_no_more(risk, known, &err), -EINVAL);
    assert_string_equal(err.text, "t:4:3: risk.zzz: is not a known key; expected one of "
                                  "max_quantity, max_notional, collar");
    assert_non_null(rt_node_get(risk, "zzz"));
    assert_int_equal(rt_node_no_more(risk, known, &err), 0);
    assert_int_equal(rt_node_no_more(root, known, &err), -EINVAL);
    assert_string_equal(err.text, "t:5:1: MAX_NOTIONAL: is not a known key (did you mean "
                                  "max_notional?); expected one of max_quantity, max_notional, "
                                  "collar");
    assert_int_equal(rt_node_no_more(NULL, known, &err), 0);
    rt_config_close(c);
}

/* A secret is in no sentence: not by the getters, not by others' words, not below its key. */
static void test_secrets(void **state) {
    (void)state;
    static const char *const keys[] = { "api_secret", "API_KEY", "accessToken", "password" };
    for (size_t i = 0; i < 4; i++) {
        char text[200];
        snprintf(text, sizeof text, "%s: hunter2hunter2\nnext: 1\n", keys[i]);
        struct rt_config *c = good(text);
        struct rt_node *root = rt_config_root(c), *n = NULL;
        struct rt_error err = { 0 };
        for (int g = TEXT; g <= MAP; g++) {
            int64_t value = 0;
            const char *word = NULL;
            assert_int_equal(get((enum getter)g, root, keys[i], true, &value, &word, &err),
                             -EINVAL);
            assert_null(strstr(err.text, "hunter2"));
            assert_non_null(strstr(err.text, "value not shown"));
        }
        n = rt_node_get(root, keys[i]);
        rt_node_fail(n, &err, "cannot use %s or %s", n->text, n->text);
        assert_null(strstr(err.text, "hunter2"));
        assert_non_null(strstr(err.text, "cannot use ************** or **************"));
        rt_config_close(c);
    }
    struct rt_config *c = good("tokens:\n  - {a: [hunter2]}\n");
    struct rt_error err = { 0 };
    const struct rt_node *deep = rt_config_root(c)->child->child->child->child;
    rt_node_fail(deep, &err, "bad %s", deep->text);
    assert_string_equal(err.text, "t:2:10: tokens[0].a[0]: bad *******");
    rt_config_close(c);
}

/* A long path keeps its end. */
static void test_long_path(void **state) {
    (void)state;
    char text[4000] = "";
    for (int i = 0; i < 30; i++) {
        char line[100];
        snprintf(line, sizeof line, "%*sabcdefghij%d:\n", i, "", i);
        strcat(text, line);
    }
    strcat(text, "                                  leaf: x\n");
    struct rt_config *c = good(text);
    struct rt_node *n = rt_config_root(c);
    while (n->kind == RT_NODE_MAP) n = n->child;
    struct rt_error err;
    rt_node_fail(n, &err, "bad");
    assert_int_equal(strncmp(err.text, "t:31:41: ....abcdefghij", 23), 0);
    assert_non_null(strstr(err.text, ".abcdefghij29.leaf: bad"));
    assert_true(strlen(err.text) < 200);
    rt_config_close(c);
}

static char folder[] = "/tmp/test_config.XXXXXX"; /* where the files of a test are made */

/* put makes a file of text in the folder. */
static void put(const char *name, const char *text) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* load_error loads name from inside the folder and returns the sentence that refuses it. */
static const char *load_error(const char *name, int code) {
    static struct rt_error err;
    struct rt_config *c = NULL;
    assert_int_equal(rt_config_load(name, &c, &err), code);
    assert_null(c);
    return err.text;
}

/* write_and_compare writes the tree of c to out.yaml and compares with expected. */
static void write_and_compare(const struct rt_config *c, const char *expected) {
    struct rt_error err = { 0 };
    if (rt_config_write(c, "out.yaml", &err) != 0) fail_msg("%s", err.text);
    char text[4000] = "";
    FILE *f = fopen("out.yaml", "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    assert_string_equal(text, expected);
}

/* check_written compares what is written of c, and of what is read back of that, with expected. */
static void check_written(const struct rt_config *c, const char *expected) {
    write_and_compare(c, expected);
    struct rt_error err = { 0 };
    struct rt_config *back = NULL;
    if (rt_config_load("out.yaml", &back, &err) != 0) fail_msg("%s", err.text);
    write_and_compare(back, expected);
    rt_config_close(back);
}

/* Includes: own keys win, later of a list wins over earlier, maps merge, lists replace, paths are
 * relative to the file; errors name the included file's own place. */
static void test_includes(void **state) {
    (void)state;
    assert_int_equal(mkdir("sub", 0700), 0);
    put("sub/base.yaml",
        "include: more/low.yaml\nrisk: {a: 1, b: 2, deep: {x: 1}}\nlist: [1, 2]\n");
    assert_int_equal(mkdir("sub/more", 0700), 0);
    put("sub/more/low.yaml", "lowest: yes\nrisk: {a: 0, c: 9}\nlist: [9]\n");
    put("second.yaml", "risk: {b: 5}\nextra: {only: here}\nkind: {m: 1}\n");
    put("main.yaml", "include:\n  - sub/base.yaml\n  - second.yaml\nname: main\n"
                     "risk:\n  deep: {y: 2}\nlist: [7]\nkind: word\n");
    struct rt_config *c = NULL;
    struct rt_error err = { 0 };
    if (rt_config_load("main.yaml", &c, &err) != 0) fail_msg("%s", err.text);
    struct rt_node *root = rt_config_root(c), *risk = NULL;
    assert_null(rt_node_get(root, "include"));
    assert_int_equal(rt_node_map(root, "risk", true, &risk, &err), 0);
    int64_t value = 0;
    assert_int_equal(rt_node_int(risk, "a", true, 0, 9, 0, &value, &err), 0);
    assert_int_equal(value, 1);
    assert_int_equal(rt_node_int(risk, "b", true, 0, 9, 0, &value, &err), 0);
    assert_int_equal(value, 5);
    assert_int_equal(rt_node_int(risk, "c", true, 0, 8, 0, &value, &err), -EINVAL);
    assert_string_equal(
        err.text, "sub/more/low.yaml:2:17: risk.c: is 9; expected a whole number from 0 to 8");
    assert_int_equal(rt_node_no_more(risk, NULL, &err), -EINVAL);
    assert_non_null(strstr(err.text, "risk.deep: is not a known key"));
    check_written(c, "lowest: yes\nextra:\n  only: here\nname: main\nrisk:\n  c: 9\n  a: 1\n"
                     "  b: 5\n  deep:\n    x: 1\n    y: 2\nlist:\n  - 7\nkind: word\n");
    rt_config_close(c);

    put("gone.yaml", "a: 1\ninclude: none.yaml\n");
    assert_string_equal(load_error("gone.yaml", -ENOENT),
                        "gone.yaml:2:10: include: cannot read none.yaml: No such file or "
                        "directory; expected a file");
    assert_string_equal(load_error("none.yaml", -ENOENT),
                        "none.yaml: cannot read: No such file or directory; expected a file");
    assert_string_equal(load_error("sub", -EINVAL),
                        "sub: cannot read: not a regular file; expected a file");
    put("self.yaml", "include: sub/../self.yaml\n");
    assert_string_equal(
        load_error("self.yaml", -ELOOP),
        "self.yaml:1:10: include: cannot read sub/../self.yaml: it includes itself; "
        "expected a file");
    put("one.yaml", "include: two.yaml\n");
    put("two.yaml", "include: [one.yaml]\n");
    assert_string_equal(load_error("one.yaml", -ELOOP),
                        "two.yaml:1:11: include: cannot read one.yaml: it includes itself; "
                        "expected a file");
    put("bad.yaml", "include: sub/broken.yaml\n");
    put("sub/broken.yaml", "x: 1\nx: 2\n");
    assert_string_equal(load_error("bad.yaml", -EINVAL),
                        "sub/broken.yaml:2:1: key \"x\" again, first at 1:1; expected each key "
                        "once");
    put("map.yaml", "include: {a: b}\n");
    assert_string_equal(load_error("map.yaml", -EINVAL),
                        "map.yaml:1:10: include: is not a path; expected a file name or a list of "
                        "them");
    put("null.yaml", "include:\n  - [x]\n");
    assert_string_equal(load_error("null.yaml", -EINVAL),
                        "null.yaml:2:5: include[0]: is not a path; expected a file name or a list "
                        "of them");
    /* The same file twice is no cycle; 17 are too many. */
    put("empty.yaml", "{}\n");
    char many[400] = "include:\n";
    for (int i = 0; i < 16; i++) strcat(many, "  - empty.yaml\n");
    put("many.yaml", many);
    assert_int_equal(rt_config_load("many.yaml", &c, &err), 0);
    rt_config_close(c);
    strcat(many, "  - empty.yaml\n");
    put("many.yaml", many);
    assert_non_null(strstr(load_error("many.yaml", -EINVAL), "expected at most 16 in all"));
}

/* Canonical output: quotes where they matter, nothing lost, the file replaced whole. */
static void test_write(void **state) {
    (void)state;
    struct rt_config *c =
        good("a: 1\nb: \"1\"\nc: null\nd: \"null\"\ne:\nf: [1, [2, [], {x: 1, y: [3]}], {}]\n"
             "g: {h: {i: j k, l: \"m\\nn\\t\\\"o\\\\\\x07\\u2028\\ufeff\xc3\xa9\"}}\n"
             "\"key with: colon\": -5\nt: 2024-01-31T12:00:00Z\n'1': '-'\nn: |\n  two\n  lines\n"
             "u: a#b, [c]\nv: -x\nw: ~\nx: /dev/shm\n");
    check_written(c, "a: 1\nb: \"1\"\nc: null\nd: \"null\"\ne:\nf:\n  - 1\n  -\n    - 2\n    - []\n"
                     "    - x: 1\n      y:\n        - 3\n  - {}\n"
                     "g:\n  h:\n    i: \"j k\"\n"
                     "    l: \"m\\nn\\t\\\"o\\\\\\x07\\u2028\\ufeff\xc3\xa9\"\n"
                     "\"key with: colon\": -5\nt: 2024-01-31T12:00:00Z\n\"1\": \"-\"\n"
                     "n: \"two\\nlines\\n\"\nu: \"a#b, [c]\"\nv: -x\nw: ~\nx: /dev/shm\n");
    struct stat st;
    assert_int_equal(stat("out.yaml", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_not_equal(stat("out.yaml.tmp", &st), 0);
    struct rt_error err = { 0 };
    assert_int_equal(rt_config_write(c, "no/such/out.yaml", &err), -ENOENT);
    assert_non_null(strstr(err.text, "no/such/out.yaml"));
    assert_int_equal(rt_config_write(c, "/dev/full/x", &err), -ENOTDIR);
    rt_config_close(c);
    c = good("{}");
    check_written(c, "{}\n");
    rt_config_close(c);
}

/* repeat fills a text of cnt bytes with a pattern behind a head. */
static char *repeat(const char *head, const char *pattern, size_t cnt) {
    char *text = malloc(cnt + 1);
    assert_non_null(text);
    size_t at = strlen(head), step = strlen(pattern);
    memcpy(text, head, at);
    for (size_t i = 0; at < cnt; i++, at++) text[at] = pattern[i % step];
    text[cnt] = 0;
    return text;
}

/* Hostile texts of the largest size are answered in time and without much memory. */
static void test_hostile(void **state) {
    (void)state;
    static const struct {
        const char *head, *pattern; /* of the text */
        const char *expected;       /* part of the sentence; NULL = it is taken */
    } hostile[] = {
        { "", "[", "a list at the top" },
        { "a: ", "[", "t:1:67: nested deeper than 64" },
        { "a: ", "{a: ", "nested deeper than 64" },
        { "a:\n", "- ", "nested deeper than 64" },
        { "a: [", "x,", "more than 65536 values" },
        { "a: [", "[],", "more than 65536 values" },
        { "", "? ", "a key that is a list or map" },
        { "a: ", "x", NULL },
        { "a: x\n", "\n", NULL },
        { "a: |\n", " \n", NULL },
        { "a: \"", "\\x41", "unexpected end of stream" },
        { "", "a", "a single value at the top" },
        { "#", " a", "is empty" },
        { "a: ", "x ", NULL },
        { "a: ", "- ", "block sequence entries are not allowed" },
        { "", "a: *b\n", "an alias" },
        { "", "\xc3\xa9\n", "is not UTF-8" },
        { "a: '", "''", "unexpected end of stream" },
    };
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        char *text = repeat(hostile[i].head, hostile[i].pattern, 1 << 20);
        struct timespec from, to;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        struct rt_config *c = NULL;
        struct rt_error err = { 0 };
        int code = rt_config_parse("t", text, 1 << 20, &c, &err);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        double ms =
            (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
        if (hostile[i].expected != NULL && code == 0) fail_msg("%zu: taken", i);
        if (code != 0 &&
            (hostile[i].expected == NULL || strstr(err.text, hostile[i].expected) == NULL))
            fail_msg("%zu: %s", i, err.text);
        if (ms > (rt_alloc_counting() ? 100 : 1000)) fail_msg("%zu took %.1f ms", i, ms);
        rt_config_close(c);
        free(text);
    }
    char *text = repeat("a: ", "x", (1 << 20) + 1);
    struct rt_config *c = NULL;
    struct rt_error err = { 0 };
    assert_int_equal(rt_config_parse("t", text, (1 << 20) + 1, &c, &err), -EFBIG);
    assert_string_equal(err.text, "t:1:1: larger than 1 MiB; expected a smaller file");
    put("large.yaml", text);
    assert_string_equal(load_error("large.yaml", -EFBIG),
                        "large.yaml:1:1: larger than 1 MiB; expected a smaller file");
    free(text);

    /* Many keys: told apart without comparing each with each. */
    text = malloc(1 << 20);
    size_t at = 0;
    for (int i = 0; i < 65000; i++) at += (size_t)sprintf(text + at, "k%d: 1\n", i * 7919 % 65000);
    assert_int_equal(rt_config_parse("t", text, at, &c, &err), 0);
    assert_int_equal(rt_config_root(c)->child_cnt, 65000);
    rt_config_close(c);
    free(text);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (rt_alloc_counting()) assert_in_range(usage.ru_maxrss, 1, 64 * 1024); /* KiB */
}

/* Each allocation of a load and a write fails once: an error each time, and nothing is left over
 * (the leak sanitizer's runs of the other tests see to the ways out). */
static void test_out_of_memory(void **state) {
    (void)state;
    if (!rt_alloc_counting()) {
        print_message("a sanitizer's heap cannot be made to fail\n");
        skip();
    }
    put("oom_base.yaml", "a: {x: 1, y: [1, 2, 3]}\n");
    put("oom.yaml", "include: [oom_base.yaml]\na: {x: 2, z: \"text\"}\nb: [1, 2]\n");
    int failed = 0;
    for (uint64_t n = 1;; n++) {
        struct rt_config *c = NULL;
        struct rt_error err = { 0 };
        rt_alloc_fail(n);
        int code = rt_config_load("oom.yaml", &c, &err);
        if (code == 0) code = rt_config_write(c, "oom_out.yaml", &err);
        bool missed = code == 0;
        rt_alloc_fail(0);
        if (!missed) {
            assert_int_equal(code, -ENOMEM);
            assert_non_null(strstr(err.text, "emory"));
            failed++;
        }
        rt_config_close(c);
        assert_true(n < 1000);
        if (missed && n > 100) break;
    }
    assert_true(failed > 10);
}

/* setup makes the folder and goes there. */
static int setup(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

/* teardown removes the folder. */
static int teardown(void **state) {
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") != 0 || system(command) != 0;
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax),   cmocka_unit_test(test_tree),
        cmocka_unit_test(test_taken),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_missing),  cmocka_unit_test(test_no_more),
        cmocka_unit_test(test_secrets),  cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_includes), cmocka_unit_test(test_write),
        cmocka_unit_test(test_hostile),  cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
