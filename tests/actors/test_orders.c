/* Goal: markets recorded order by order come out of their files as the rows they are, and what does
 * not fit is refused with its place, or counted.
 * Method: small files of both forms, rows by hand; broken ones, each with the words it is refused
 * with; random flows: the levels told are those of a naive sum over the orders, wherever the run
 * begins in the file. */
#include "actors/data/orders.h"
#include "actors/data/stream.h"
#include "tests/support/market_data.h"
#include <errno.h>

/* Short words. */
enum {
    ONCE = BOOK_FLAGS_FIRST | BOOK_FLAGS_LAST,
    FIRST = BOOK_FLAGS_FIRST,
    LAST = BOOK_FLAGS_LAST,
    SNAP = BOOK_FLAGS_SNAPSHOT,
};

#define HEAD   "time,order_id,action,side,price,qty\n"
#define SECOND 1000000000LL

/* An instrument with tick 0.01. */
static const struct mk_instrument instrument = { .id = 2, .name = "BBB", .tick_size = 1000000 };

/* A text, read. */
struct read {
    struct data_flow flow; /* its rows */
    struct data_orders in; /* the reading */
    struct rt_error err;   /* what was wrong */
    int rc;                /* what was returned */
};

/* read_text reads text as a file named name; rows from start_ns on. */
static void read_text(struct read *r, const char *text, size_t cnt, const char *name, bool drop,
                      int64_t start_ns) {
    memset(r, 0, sizeof *r);
    r->in = (struct data_orders){ .file = name, .midnight_ns = data_orders_day(name) };
    assert_int_equal(data_flow_init(&r->flow, &instrument, start_ns, INT64_MAX, drop, &r->err), 0);
    r->rc = data_orders_parse(text, cnt, &r->in, &r->flow, &r->err);
    if (r->rc == 0) r->rc = data_flow_end(&r->flow, &r->err);
}

/* must_read reads text that is sound. */
static void must_read(struct read *r, const char *text, const char *name, bool drop) {
    read_text(r, text, strlen(text), name, drop, INT64_MIN);
    if (r->rc != 0) fail_msg("%s", r->err.text);
}

/* rows_text writes the rows of orders, a line each: seconds (of the day) action id side price
 * quantity flags. */
static const char *rows_text(const struct read *r) {
    static char out[8192];
    static const char *const words[] = { "none",    "add",    "reduce", "remove", "move",
                                         "execute", "hidden", "cross",  "halt",   "resume" };
    const struct data_rows *rows = &r->flow.rows[DATA_FLOW_ORDERS];
    size_t n = 0;
    out[0] = '\0';
    for (uint64_t i = 0; i < rows->cnt; i++) {
        const struct msg_book_order *o =
            (const struct msg_book_order *)(const void *)rows->rows + i;
        assert_int_equal(o->instrument, 2);
        n += (size_t)snprintf(out + n, sizeof out - n, "%g %s %d %c %g %g %s%s%s%s\n",
                              (double)(o->time_ns % 86400000000000) / 1e9, words[o->action],
                              (int)o->order_id, "ba"[o->side], (double)o -> price / 1e8,
                              (double)o -> quantity / 1e8, o -> flags &FIRST ? "f" : "",
                              o->flags &LAST ? "l" : "", o->flags &SNAP ? "s" : "",
                              o->flags &BOOK_FLAGS_GAP ? "g" : "");
    }
    return out;
}

/* levels_text writes the rows of levels: side price quantity flags. */
static const char *levels_text(const struct read *r) {
    static char out[8192];
    const struct data_rows *rows = &r->flow.rows[DATA_FLOW_LEVELS];
    size_t n = 0;
    out[0] = '\0';
    for (uint64_t i = 0; i < rows->cnt; i++) {
        const struct msg_book_delta *o =
            (const struct msg_book_delta *)(const void *)rows->rows + i;
        n += (size_t)snprintf(out + n, sizeof out - n, "%c %g %g %s%s%s%s\n", "ba"[o->side],
                              (double)o -> price / 1e8, (double)o -> quantity / 1e8,
                              o -> flags &FIRST ? "f" : "", o->flags &LAST ? "l" : "",
                              o->flags &SNAP ? "s" : "", o->flags &BOOK_FLAGS_GAP ? "g" : "");
    }
    return out;
}

/* Every action of our form. */
static void test_form(void **state) {
    (void)state;
    struct read r;
    must_read(&r,
              "local_time,side,action,order_id,qty,price,time,other\n"
              "1699920001000500999,b,add,7,2,100,1699920001000,x\n" /* ms */
              "1699920001000000000,ask,ADD,8,3,100.5,1699920001000,x\n"
              "1699920001000000999,,amend,8,2,,1699920001000,\n"
              ",,reduce,7,0.5,,1699920002000,\n"
              ",,execute,7,0.25,,1699920002000,\n"
              ",sell,hidden,,0.125,100.125,1699920003000,\n"
              ",,modify,7,4,99,1699920003000,\n"
              ",,cross,,9,100.25,1699920004000,\n"
              ",,halt,,,,1699920005000,\n"
              ",,resume,,,,1699920005000,\n"
              ",,delete,7,,,1699920006000,\n",
              "f", false);
    assert_string_equal(rows_text(&r), "1 none 0 b 0 0 fs\n1 none 0 b 0 0 ls\n"
                                       "1 add 7 b 100 2 fl\n1 add 8 a 100.5 3 fl\n"
                                       "1 reduce 8 a 100.5 1 fl\n2 reduce 7 b 100 0.5 fl\n"
                                       "2 execute 7 b 100 0.25 fl\n3 hidden 0 a 100.125 0.125 fl\n"
                                       "3 move 7 b 99 4 fl\n4 cross 0 b 100.25 9 fl\n"
                                       "5 halt 0 b 0 0 fl\n5 resume 0 b 0 0 fl\n"
                                       "6 remove 7 b 99 0 fl\n");
    assert_string_equal(levels_text(&r), "b 0 0 fls\nb 100 2 fl\na 100.5 3 fl\na 100.5 2 fl\n"
                                         "b 100 1.5 fl\nb 100 1.25 fl\nb 100 0 f\nb 99 4 l\n"
                                         "b 99 0 fl\n");
    const struct msg_book_order *o =
        (const struct msg_book_order *)(const void *)r.flow.rows[DATA_FLOW_ORDERS].rows;
    assert_int_equal(o[2].delay_us, 500); /* told in ms and ns; rounded down */
    assert_int_equal(o[3].delay_us, 1);   /* none at all, which is told */
    const struct msg_trade *t =
        (const struct msg_trade *)(const void *)r.flow.rows[DATA_FLOW_TRADES].rows;
    assert_int_equal(r.flow.rows[DATA_FLOW_TRADES].cnt, 3);
    assert_int_equal(t[0].aggressor, SIDE_SELL);
    assert_int_equal(t[0].price, 10000000000);
    assert_int_equal(t[1].aggressor, SIDE_BUY);
    assert_int_equal(t[1].price, 10012500000);
    assert_int_equal(t[2].trade_id, 3);
    assert_int_equal(r.flow.most, 2);
    data_flow_fini(&r.flow);
}

/* A LOBSTER message file: as its readme describes it, New York's time. */
static void test_lobster(void **state) {
    (void)state;
    struct read r;
    const char *name = "data/AAA_2012-06-21_34200000_57600000_message_5.csv";
    /* 2012-06-21 is summer: New York's midnight is 04:00 UTC; a winter's day is at 05:00 */
    assert_int_equal(data_orders_day(name), 1340251200 * SECOND);
    assert_int_equal(data_orders_day("AAA_2013-01-02_x"), 1357102800 * SECOND);
    assert_int_equal(data_orders_day("AAA_2013-01_x"), DATA_NOT_TOLD);
    must_read(&r,
              "34200.000000001,1,11,18,5853300,1\n"
              "34200.25,1,12,5,5859100,-1\n"
              "34201,2,11,8,5853300,1\n"
              "34202.5,5,0,100,5858000,1\n"  /* masked as a buy: nearer to the ask */
              "34202.5,5,0,100,5854050,-1\n" /* half a cent, nearer to the bid */
              "34203,4,11,4,5853300,1\n"
              "34204,4,99,7,5850000,1\n" /* nobody told of 99 */
              "34205,3,98,7,5850000,1\n"
              "34206,7,0,0,-1,-1\n"
              "34207,7,0,0,0,-1\n"
              "34208,7,0,0,1,-1\n"
              "34209,6,-1,300,5855000,1\n"
              "34210,3,11,6,5853300,1\n",
              name, true);
    assert_string_equal(rows_text(&r),
                        "48600 none 0 b 0 0 fs\n48600 none 0 b 0 0 ls\n"
                        "48600 add 11 b 585.33 18 fl\n48600.2 add 12 a 585.91 5 fl\n"
                        "48601 reduce 11 b 585.33 8 fl\n48602.5 hidden 0 a 585.8 100 fl\n"
                        "48602.5 hidden 0 b 585.405 100 fl\n48603 execute 11 b 585.33 4 fl\n"
                        "48604 execute 0 b 585 7 fl\n48606 halt 0 b 0 0 fl\n"
                        "48608 resume 0 b 0 0 fl\n48609 cross 0 b 585.5 300 fl\n"
                        "48610 remove 11 b 585.33 0 fl\n");
    assert_int_equal(r.flow.faults.unknown, 2);
    assert_int_equal(r.flow.rows[DATA_FLOW_TRADES].cnt, 5);
    const struct msg_book_order *o =
        (const struct msg_book_order *)(const void *)r.flow.rows[DATA_FLOW_ORDERS].rows;
    assert_int_equal(o[2].time_ns, 1340251200 * SECOND + 34200 * SECOND + 1);
    data_flow_fini(&r.flow);
}

/* A LOBSTER file of the next day begins with an empty book, and trading goes on; one of the same
 * day does not. */
static void test_days(void **state) {
    (void)state;
    struct read r;
    const char *first = "34200,1,11,18,5853300,1\n34201,1,12,5,5859100,-1\n";
    const char *second = "34202,3,12,5,5859100,-1\n34203,7,0,0,-1,-1\n";
    const char *next = "34200,1,11,7,5900000,-1\n34201,1,13,7,5800000,1\n";
    must_read(&r, first, "AAA_2012-06-21_1.csv", true);
    r.in.file = "AAA_2012-06-21_2.csv";
    assert_int_equal(data_orders_parse(second, strlen(second), &r.in, &r.flow, &r.err), 0);
    r.in.file = "AAA_2012-06-22_1.csv";
    r.in.midnight_ns = data_orders_day(r.in.file);
    assert_int_equal(data_orders_parse(next, strlen(next), &r.in, &r.flow, &r.err), 0);
    assert_string_equal(rows_text(&r), "48600 none 0 b 0 0 fs\n48600 none 0 b 0 0 ls\n"
                                       "48600 add 11 b 585.33 18 fl\n48601 add 12 a 585.91 5 fl\n"
                                       "48602 remove 12 a 585.91 0 fl\n48603 halt 0 b 0 0 fl\n"
                                       "48600 none 0 b 0 0 fs\n48600 remove 11 b 0 0 s\n"
                                       "48600 none 0 b 0 0 ls\n48600 resume 0 b 0 0 fl\n"
                                       "48600 add 11 a 590 7 fl\n48601 add 13 b 580 7 fl\n");
    assert_int_equal(r.flow.faults.twice + r.flow.faults.dropped, 0);
    data_flow_fini(&r.flow);
}

/* What the rows tell against each other is counted, and the rows made of it are sound. */
static void test_faults(void **state) {
    (void)state;
    struct read r;
    must_read(&r,
              HEAD "1,1,add,b,100,2\n1,2,add,a,101,2\n"
                   "2,9,delete,,,\n2,9,execute,,,3\n2,9,execute,b,99,3\n"
                   "3,1,execute,,,5\n" /* 2 rest */
                   "4,2,reduce,,,9\n"
                   "5,3,add,b,100,1\n5,3,add,b,100.5,1\n"
                   "6,4,modify,a,102,1\n",
              "f", false);
    assert_string_equal(rows_text(&r), "1 none 0 b 0 0 fs\n1 none 0 b 0 0 ls\n"
                                       "1 add 1 b 100 2 fl\n1 add 2 a 101 2 fl\n"
                                       "2 execute 0 b 99 3 fl\n3 execute 1 b 100 2 fl\n"
                                       "4 remove 2 a 101 0 fl\n5 add 3 b 100 1 fl\n"
                                       "5 move 3 b 100.5 1 fl\n6 add 4 a 102 1 fl\n");
    assert_int_equal(r.flow.faults.unknown, 4);
    assert_int_equal(r.flow.faults.beyond, 2);
    assert_int_equal(r.flow.faults.twice, 1);
    assert_int_equal(r.flow.queues.cnt, 2);
    data_flow_fini(&r.flow);
    /* crossed: waited out in one update, or the older ones leave */
    const char *crossed = HEAD "1,1,add,b,100,2\n1,2,add,b,99,2\n1,3,add,a,99.5,1\n"
                               "2,3,execute,,,0.5\n3,1,delete,,,\n";
    must_read(&r, crossed, "f", false);
    assert_string_equal(rows_text(&r), "1 none 0 b 0 0 fs\n1 none 0 b 0 0 ls\n"
                                       "1 add 1 b 100 2 fl\n1 add 2 b 99 2 fl\n"
                                       "1 add 3 a 99.5 1 f\n2 execute 3 a 99.5 0.5 \n"
                                       "3 remove 1 b 100 0 l\n");
    assert_string_equal(levels_text(&r), "b 0 0 fls\nb 100 2 fl\nb 99 2 fl\n"
                                         "a 99.5 1 f\na 99.5 0.5 \nb 100 0 l\n");
    assert_int_equal(r.flow.faults.crossed, 1);
    data_flow_fini(&r.flow);
    must_read(&r, crossed, "f", true);
    assert_string_equal(rows_text(&r), "1 none 0 b 0 0 fs\n1 none 0 b 0 0 ls\n"
                                       "1 add 1 b 100 2 fl\n1 add 2 b 99 2 fl\n"
                                       "1 remove 1 b 0 0 f\n1 add 3 a 99.5 1 l\n"
                                       "2 execute 3 a 99.5 0.5 fl\n");
    assert_int_equal(r.flow.faults.dropped, 1);
    assert_int_equal(r.flow.faults.unknown, 1);
    data_flow_fini(&r.flow);
    must_read(&r, HEAD "1,1,add,a,100,2\n1,1,add,b,100,3\n", "f", true); /* in its own way */
    assert_string_equal(rows_text(&r), "1 none 0 b 0 0 fs\n1 none 0 b 0 0 ls\n"
                                       "1 add 1 a 100 2 fl\n1 remove 1 a 0 0 f\n"
                                       "1 add 1 b 100 3 l\n");
    data_flow_fini(&r.flow);
}

/* A snapshot after a gap: those known stay where they were. */
static void test_snapshot(void **state) {
    (void)state;
    struct read r;
    must_read(&r,
              "time,order_id,action,side,price,qty,sequence\n"
              "1,,clear,,,,5\n1,1,snap,b,100,2,6\n1,2,snap,b,100,3,7\n1,3,snap,a,101,3,8\n"
              "2,4,add,b,100,1,8\n"
              "3,5,add,b,99,1,11\n" /* 9 and 10 are missing */
              "4,,clear,,,,12\n4,1,snap,b,100,1,13\n4,6,snap,b,100,7,14\n4,2,snap,b,100,4,15\n"
              "4,3,snap,a,101.5,3,16\n",
              "f", false);
    assert_string_equal(rows_text(&r), "1 none 0 b 0 0 fs\n1 add 1 b 100 2 s\n1 add 2 b 100 3 s\n"
                                       "1 add 3 a 101 3 s\n1 none 0 b 0 0 ls\n"
                                       "2 add 4 b 100 1 fl\n3 none 0 b 0 0 flg\n"
                                       "3 add 5 b 99 1 fl\n4 none 0 b 0 0 fs\n"
                                       "4 reduce 1 b 0 1 s\n4 add 6 b 100 7 s\n"
                                       "4 move 2 b 100 4 s\n4 move 3 a 101.5 3 s\n"
                                       "4 remove 4 b 0 0 s\n4 remove 5 b 0 0 s\n"
                                       "4 none 0 b 0 0 ls\n");
    assert_string_equal(levels_text(&r), "b 100 5 fs\na 101 3 ls\nb 100 6 fl\nb 0 0 flg\n"
                                         "b 100 12 fs\na 101.5 3 ls\n");
    assert_int_equal(r.flow.faults.gaps, 1);
    data_flow_fini(&r.flow);
}

/* Broken files, each with what is said of it. */
static void test_broken(void **state) {
    (void)state;
    static const struct {
        const char *text; /* the file */
        const char *want; /* the error */
    } cases[] = {
        { "1,2,3\n", "f:1: 3 columns; expected the 6 of a LOBSTER message file, or a heading: "
                     "time,order_id,action,side,price,qty" },
        { "34200.5,1,11,18,5853300,1\n",
          "f:1: its name tells no day (_YYYY-MM-DD_); expected day: of the source" },
        { "time,order_id,action,side,price\n",
          "f:1: heading has 5 columns; expected time,order_id,action,side,price,qty, and 16 at "
          "most" },
        { "time,order_id,action,side,price,foo\n",
          "f:1: heading: no column qty; expected time,order_id,action,side,price,qty" },
        { "time,order_id,id,action,side,price,qty\n",
          "f:1: heading: two columns order_id; expected time,order_id,action,side,price,qty" },
        { HEAD "1,1,add,b,100\n", "f:2: 5 columns; expected 6" },
        { HEAD "\n", "f:2: empty line" },
        { HEAD "x,1,add,b,100,1\n", "f:2: time: \"x\" is not a number" },
        { HEAD ",1,add,b,100,1\n", "f:2: time: \"\" is not a number" },
        { HEAD "1,-1,add,b,100,1\n", "f:2: order_id: \"-1\" is negative" },
        { HEAD "1,,add,b,100,1\n", "f:2: no order id" },
        { HEAD "1,1,insert,b,100,1\n",
          "f:2: action: \"insert\"; expected add, reduce, delete, modify, amend, execute, hidden, "
          "cross, clear, snap, halt or resume" },
        { HEAD "1,1,add,x,100,1\n", "f:2: side: \"x\"; expected b or a" },
        { HEAD "1,1,add,,100,1\n", "f:2: no side; expected b or a" },
        { HEAD "1,1,add,b,nan,1\n", "f:2: price: \"nan\" is not a number" },
        { HEAD "1,1,add,b,100.005,1\n", "f:2: price 100.005 is not on the tick of BBB" },
        { HEAD "1,1,add,b,,1\n", "f:2: price is zero" },
        { HEAD "1,1,add,b,100,0\n", "f:2: quantity is zero" },
        { HEAD "1,1,add,b,100,1.123456789\n",
          "f:2: qty: \"1.123456789\" has more than 8 decimals" },
        { HEAD "1,1,add,b,100,99999999999999\n", "f:2: qty: \"99999999999999\" is too large" },
        { HEAD "1,1,add,b,100,90000000000\n1,2,add,b,100,90000000000\n",
          "f:3: more at one price than 64 bits hold" },
        { HEAD "1,1,add,b,100,1\n2,1,amend,,,3\n",
          "f:3: amend to more than rests; expected modify" },
        { HEAD "2,1,add,b,100,1\n1,2,add,b,100,1\n",
          "f:3: time 1970-01-01T00:00:01Z is before the row before" },
        { "time,order_id,action,side,price,qty,sequence\n1,1,add,b,100,1,5\n1,2,add,b,100,1,4\n",
          "f:3: sequence 4 is below the one before, 5" },
        { HEAD "1,,hidden,,100,1\n", "f:2: no side; expected b or a" },
        { HEAD "1,,hidden,b,,1\n", "f:2: price is zero" },
    };
    static const struct {
        const char *text; /* the row */
        const char *want; /* the error behind the file's name */
    } lobster[] = {
        { "34200.5,8,11,18,5853300,1", ":1: action: \"8\"; expected a type, 1 to 7" },
        { "34200.5,1,0,18,5853300,1", ":1: order_id: \"0\"; expected a number above 0" },
        { "34200.5,1,5,18,5853300,0", ":1: side: \"0\"; expected 1 or -1" },
        { "34200.5,1,5,-18,5853300,1", ":1: qty: \"-18\"; expected a size" },
        { "34200.5,1,5,18,-5853300,1", ":1: price: \"-5853300\"; expected a price in 1/10000" },
        { "34200.5,7,5,18,3,1", ":1: price: \"3\"; expected -1, 0 or 1" },
        { "200000.5,1,5,18,10000,1", ":1: time: \"200000.5\" is too large" },
        { "34200.1234567890,1,5,18,10000,1",
          ":1: time: \"34200.1234567890\" has more than 8 decimals" },
        { "34200.,1,5,18,10000,1", ":1: time: \"34200.\" is not a number" },
        { "34200.5,1,5,18,10050,1", ":1: price 1.005 is not on the tick of BBB" },
    };
    struct read r;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        read_text(&r, cases[i].text, strlen(cases[i].text), "f", false, INT64_MIN);
        assert_int_equal(r.rc, -EBADMSG);
        assert_string_equal(r.err.text, cases[i].want);
        data_flow_fini(&r.flow);
    }
    for (size_t i = 0; i < sizeof lobster / sizeof lobster[0]; i++) {
        read_text(&r, lobster[i].text, strlen(lobster[i].text), "A_2012-06-21_", false, INT64_MIN);
        assert_int_equal(r.rc, -EBADMSG);
        assert_string_equal(r.err.text + strlen("A_2012-06-21_"), lobster[i].want);
        data_flow_fini(&r.flow);
    }
}

/* The source: its series, its line, what it refuses. */
static void test_source(void **state) {
    (void)state;
    char dir[] = "/tmp/shrike-orders-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/o.csv", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(HEAD "1700000000,1,add,b,100,2\n1700000001,2,add,a,101,2\n1700000002,2,execute,,,1\n"
               "1700000003,9,delete,,,\n1700000004,2,execute,,,1\n",
          f);
    fclose(f);
    struct mk_market *world = md_world();
    struct md_source s;
    struct rt_error err = { 0 };
    size_t cnt;
    assert_int_equal(md_open(&s, &data_orders_source,
                             "{kind: orders, instrument: BBB-SPOT, file: o.csv}", world, dir,
                             1700000002 * SECOND, 1700000004 * SECOND, &err),
                     0);
    assert_int_equal(s.init.series_cnt, 4);
    assert_int_equal(s.series[0].row_kind, MSG_BOOK_ORDER);
    assert_int_equal(s.series[1].row_kind, MSG_BOOK_DELTA);
    assert_int_equal(s.series[2].row_kind, MSG_QUOTE);
    assert_int_equal(s.series[3].row_kind, MSG_TRADE);
    assert_string_equal(s.series[0].name, "BBB-SPOT orders");
    assert_string_equal(s.init.report, "BBB-SPOT orders: 5 rows, 2 trades, at most 2 orders at "
                                       "once, 1 of unknown orders");
    const struct msg_book_order *o = md_rows(&s, 0, &cnt);
    assert_int_equal(cnt, 5); /* the book as it is then: two orders in a snapshot; the execution */
    assert_int_equal(o[1].order_id, 1);
    assert_int_equal(o[3].flags, LAST | SNAP);
    assert_int_equal(o[4].action, BOOK_ACTION_EXECUTE);
    const struct msg_quote *q = md_rows(&s, 2, &cnt);
    assert_int_equal(cnt, 2); /* as it begins, and after the execution */
    assert_int_equal(q[0].ask_quantity, 2 * FIXED_ONE);
    assert_int_equal(q[1].ask_quantity, FIXED_ONE);
    assert_int_equal(q[1].time_ns, 1700000002 * SECOND);
    assert_true(q[1].bid == 10000000000 && q[1].ask == 10100000000);
    const struct msg_trade *t = md_rows(&s, 3, &cnt);
    assert_int_equal(cnt, 1);
    assert_int_equal(t[0].trade_id, 1);
    md_close(&s);
    assert_int_equal(md_open(&s, &data_orders_source,
                             "{kind: orders, instrument: BBB-SPOT, file: o.csv, crossed: never}",
                             world, dir, INT64_MIN, INT64_MAX, &err),
                     -EINVAL);
    md_close(&s);
    assert_int_equal(md_open(&s, &data_orders_source,
                             "{kind: orders, instrument: BBB-SPOT, file: o.csv, day: 12:00}", world,
                             dir, INT64_MIN, INT64_MAX, &err),
                     -EINVAL);
    md_close(&s);
    unlink(path);
    rmdir(dir);
    mk_market_close(world);
}

/* --- random flows -------------------------------------------------------------------------- */

/* Bounds: orders of a flow, its lines. */
enum { ORDERS = 256, LINES = 1500 };

/* What a naive reader knows after each event. */
struct naive {
    struct {
        int64_t tick, lots; /* 0 = it is not there */
        uint8_t side;       /* SIDE_* */
    } orders[ORDERS];       /* by id */
};

/* level_of sums the orders at a level. */
static int64_t level_of(const struct naive *n, uint8_t side, int64_t tick) {
    int64_t sum = 0;
    for (size_t i = 0; i < ORDERS; i++) {
        if (n->orders[i].side == side && n->orders[i].tick == tick) sum += n->orders[i].lots;
    }
    return sum;
}

/* touch returns the best tick of a side, 0 = none. */
static int64_t touch(const struct naive *n, uint8_t side) {
    int64_t best = 0;
    for (size_t i = 0; i < ORDERS; i++) {
        if (n->orders[i].lots == 0 || n->orders[i].side != side) continue;
        int64_t t = n->orders[i].tick;
        if (best == 0 || (side == SIDE_BUY ? t > best : t < best)) best = t;
    }
    return best;
}

/* same holds the book of the rows of levels against the sums; whole: none of both is crossed. */
static void same(uint64_t seed, const struct mk_book *b, const struct naive *n) {
    for (uint8_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
        CHECK(seed, mk_book_best(b, side) == touch(n, side) * 1000000);
        for (int64_t t = 9900; t <= 10100; t++) {
            CHECK(seed, mk_book_at(b, side, t * 1000000) == level_of(n, side, t) * FIXED_ONE);
        }
    }
}

/* off_of draws how far from the middle an order rests: now and then beyond it. */
static int64_t off_of(uint64_t *gen) {
    int64_t off = gen_range(gen, 0, 60);
    return off > 0 ? off : gen_range(gen, 0, 39) == 0 ? -1 : 1;
}

/* The levels told are the sums over orders, after every update, from wherever the run begins. */
static void test_levels(void **state) {
    (void)state;
    void *memory = aligned_alloc(64, (mk_book_bytes(4096, 64) + 63) & ~(size_t)63);
    char *text = malloc(LINES * 80);
    uint64_t wholes = 0, parts = 0;
    assert_non_null(memory);
    assert_non_null(text);
    for (uint64_t seed = 1; seed <= 30; seed++) {
        uint64_t gen = seed;
        static struct naive n, at[LINES]; /* the book after each line */
        static int64_t times[LINES];
        memset(&n, 0, sizeof n);
        size_t used = (size_t)sprintf(text, HEAD);
        int64_t now = 1700000000;
        for (int line = 0; line < LINES; line++) {
            int id = (int)gen_range(&gen, 1, ORDERS - 1), what = (int)gen_range(&gen, 0, 9);
            const char *action = "add";
            int64_t tick = 0, lots = 0;
            now += 1;
            if (n.orders[id].lots == 0) {
                n.orders[id].side = (uint8_t)gen_range(&gen, 0, 1);
                tick = 10000 + (n.orders[id].side == SIDE_BUY ? -1 : 1) * off_of(&gen);
                n.orders[id].tick = tick;
                n.orders[id].lots = lots = gen_range(&gen, 1, 50);
            } else if (what < 3) {
                action = "delete";
                n.orders[id].lots = 0;
            } else if (what < 6) {
                action = what == 3 ? "reduce" : "execute";
                lots = gen_range(&gen, 1, n.orders[id].lots);
                n.orders[id].lots -= lots;
            } else if (what == 6) {
                action = "amend";
                n.orders[id].lots = lots = gen_range(&gen, 1, n.orders[id].lots);
            } else {
                action = "modify";
                tick = 10000 + (n.orders[id].side == SIDE_BUY ? -1 : 1) * off_of(&gen);
                n.orders[id].tick = tick;
                n.orders[id].lots = lots = gen_range(&gen, 1, 50);
            }
            char price[24] = "", qty[24] = "";
            if (tick != 0) sprintf(price, "%d.%02d", (int)tick / 100, (int)tick % 100);
            if (lots != 0) sprintf(qty, "%d", (int)lots);
            used += (size_t)sprintf(text + used, "%d,%d,%s,%s,%s,%s\n", (int)now, id, action,
                                    n.orders[id].side == SIDE_BUY ? "b" : "a", price, qty);
            at[line] = n;
            times[line] = now * SECOND;
        }
        int start = seed % 3 == 0 ? 0 : (int)gen_range(&gen, 1, LINES - 1);
        struct read r;
        read_text(&r, text, used, "f", false, times[start]);
        CHECK(seed, r.rc == 0);
        struct mk_book b;
        memset(memory, 0, (mk_book_bytes(4096, 64) + 63) & ~(size_t)63);
        mk_book_init(&b, memory, 4096, 64, 1000000);
        const struct data_rows *rows = &r.flow.rows[DATA_FLOW_LEVELS];
        int line = 0, whole = 0; /* updates that are */
        for (uint64_t i = 0; i < rows->cnt; i++) {
            const struct msg_book_delta *d =
                (const struct msg_book_delta *)(const void *)rows->rows + i;
            enum mk_book_step step = mk_book_apply(&b, d);
            while (times[line] < d->time_ns) line++;
            bool last = i + 1 == rows->cnt || d[1].time_ns != d->time_ns;
            if (!last) continue;
            int64_t bid = touch(&at[line], SIDE_BUY), ask = touch(&at[line], SIDE_SELL);
            bool crossed = bid != 0 && ask != 0 && bid >= ask;
            CHECK(seed, (step == MK_BOOK_WHOLE) == !crossed);
            if (!crossed) same(seed, &b, &at[line]);
            whole += !crossed;
            parts += crossed;
        }
        CHECK(seed, b.crossed == 0 && b.gaps == 0 && b.bad == 0);
        wholes += (uint64_t)whole;
        data_flow_fini(&r.flow);
    }
    assert_true(wholes > 5000 && parts > 1000);
    free(text);
    free(memory);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),     cmocka_unit_test(test_lobster),
        cmocka_unit_test(test_days),     cmocka_unit_test(test_faults),
        cmocka_unit_test(test_snapshot), cmocka_unit_test(test_broken),
        cmocka_unit_test(test_source),   cmocka_unit_test(test_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
