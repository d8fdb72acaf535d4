/* Goal    each order type, option and command of the matching engine does what the venue's rules
 *         say (PROTOCOLS 2.2-2.4, 4.5, 4.6, 7.2), and match.h where they are silent.
 * Method  small books worked by hand: each test gives a few commands and holds all events, written
 *         as a line, against what the rules make of them. Orders are named by their number (1 = the
 *         first accepted). Far prices, window moves and a full pool are worked by hand too; that
 *         any mix of all this holds is test_match_twin.c's. */
#include "actors/venue/match.h"
#include "schemas/messages.h"
#include "tests/support/check.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sizes of the test's engine. */
enum { SLOTS = 64, OWNERS = 8 };

static const struct vm_options options = { .orders_max = SLOTS,
                                           .owners_max = OWNERS,
                                           .window = 64 };
static struct vm_event events[256];                      /* what was said */
static struct vm_out out = { .at = events, .max = 256 }; /* where it goes */
static struct vm *vm;                                    /* the engine */
static char said[4096];                                  /* the events as a line */

/* setup makes an empty engine. */
static int setup(void **state) {
    (void)state;
    void *memory = aligned_alloc(128, vm_bytes(&options));
    if (!memory) return -1;
    memset(memory, 0, vm_bytes(&options));
    out.cnt = 0;
    vm = vm_init(memory, &options, &out);
    return vm ? 0 : -1;
}

/* teardown frees it. */
static int teardown(void **state) {
    (void)state;
    const char *wrong = vm_check(vm);
    if (wrong) print_error("%s\n", wrong);
    free(vm);
    return wrong ? -1 : 0;
}

/* again makes a new engine in place of the one there was. */
static void again(void) {
    free(vm);
    setup(NULL);
}

/* number returns the number of an id. */
static uint64_t number(uint64_t id) {
    return id / SLOTS;
}

/* one writes an event. */
static void one(const struct vm_event *v, char *at, size_t cap) {
    const char *why = v->reason ? msg_reason_name(v->reason) : "";
    uint64_t id = number(v->id), other = number(v->other);
    switch (v->kind) {
    case VM_ACCEPTED: snprintf(at, cap, "new %" PRIu64, id); break;
    case VM_PENDED: snprintf(at, cap, "pend %" PRIu64, id); break;
    case VM_REFUSED: snprintf(at, cap, "no %s", why); break;
    case VM_TRADED:
        snprintf(at, cap,
                 "%" PRIu64 "<%" PRIu64 " %" PRId64 "@%" PRId64 " left %" PRId64 "/%" PRId64, id,
                 other, v->lots, v->price, v->left, v->other_left);
        break;
    case VM_TRIGGERED: snprintf(at, cap, "fire %" PRIu64 " @%" PRId64, id, v->price); break;
    case VM_ACTIVATED:
        snprintf(at, cap, "follow %" PRIu64 " @%" PRId64 " stop %" PRId64, id, v->price, v->lots);
        break;
    case VM_RELEASED: snprintf(at, cap, "free %" PRIu64, id); break;
    case VM_AMENDED:
        snprintf(at, cap, "amend %" PRIu64 " %" PRId64 "@%" PRId64 " left %" PRId64 "%s%s", id,
                 v->lots, v->price, v->left, *why ? " " : "", why);
        break;
    case VM_REPLENISHED: snprintf(at, cap, "show %" PRIu64 " %" PRId64, id, v->lots); break;
    case VM_CANCELED:
        snprintf(at, cap, "cancel %" PRIu64 " left %" PRId64 "%s%s", id, v->left, *why ? " " : "",
                 why);
        break;
    case VM_EXPIRED:
        snprintf(at, cap, "end %" PRIu64 " left %" PRId64 " %s", id, v->left, why);
        break;
    case VM_TRANSFERRED:
        snprintf(at, cap,
                 "moved %" PRIu64 "<%" PRIu64 " %" PRId64 "@%" PRId64 " left %" PRId64 "/%" PRId64,
                 id, other, v->lots, v->price, v->left, v->other_left);
        break;
    default:
        snprintf(at, cap, "self %" PRIu64 "<%" PRIu64 " lots %" PRId64 " left %" PRId64 "/%" PRId64,
                 id, other, v->lots, v->left, v->other_left);
    }
}

/* heard writes all events since the last call as a line. */
static const char *heard(void) {
    size_t n = 0;
    said[0] = 0;
    for (uint32_t i = 0; i < out.cnt; i++) {
        if (i > 0) n += (size_t)snprintf(said + n, sizeof said - n, "; ");
        one(&events[i], said + n, sizeof said - n);
        n += strlen(said + n);
    }
    out.cnt = 0;
    return said;
}

/* HEARD holds what was said against text. */
#define HEARD(text) assert_string_equal(heard(), text)

/* limit places a limit order and returns its id. */
static uint64_t limit(uint32_t owner, enum vm_side side, int64_t lots, int64_t price,
                      enum vm_tif tif) {
    return vm_place(vm, &(struct vm_new){ .owner = owner,
                                          .side = (uint8_t)side,
                                          .lots = lots,
                                          .price = price,
                                          .tif = (uint8_t)tif });
}

/* market places a market order. */
static uint64_t market(uint32_t owner, enum vm_side side, int64_t lots) {
    return vm_place(
        vm,
        &(struct vm_new){ .owner = owner, .side = (uint8_t)side, .lots = lots, .type = VM_MARKET });
}

/* quiet_book places bids 99 98 97 (owner 1) and asks 101 102 103 (owner 2), 10 lots each, numbers 1
 * to 6, and forgets the events. */
static void quiet_book(void) {
    for (int64_t i = 0; i < 3; i++) limit(1, VM_BUY, 10, 99 - i, VM_GTC);
    for (int64_t i = 0; i < 3; i++) limit(2, VM_SELL, 10, 101 + i, VM_GTC);
    out.cnt = 0;
}

/* trade makes a trade of one lot at price between owners 6 and 7. */
static void trade(int64_t price) {
    limit(6, VM_SELL, 1, price, VM_GTC);
    limit(7, VM_BUY, 1, price, VM_GTC);
    out.cnt = 0;
}

/* Goal: best price first, then first come; the maker's price; the rest of a limit order rests. */
static void test_price_then_time(void **state) {
    (void)state;
    limit(1, VM_SELL, 5, 101, VM_GTC);
    limit(2, VM_SELL, 5, 100, VM_GTC);
    uint64_t third = limit(3, VM_SELL, 5, 100, VM_GTC);
    HEARD("new 1; new 2; new 3");
    assert_int_equal(vm_ahead(vm, third), 5);
    limit(4, VM_BUY, 7, 105, VM_GTC);
    HEARD("new 4; 2<4 5@100 left 0/2; 3<4 2@100 left 3/0");
    assert_int_equal(vm_ahead(vm, third), 0);
    limit(4, VM_BUY, 20, 101, VM_GTC);
    HEARD("new 5; 3<5 3@100 left 0/17; 1<5 5@101 left 0/12");
    assert_int_equal(vm_best(vm, VM_BUY), 101);
    assert_int_equal(vm_best(vm, VM_SELL), 0);
    assert_int_equal(vm_at(vm, 101, NULL), 12);
    assert_int_equal(vm_last(vm), 101);
    assert_int_equal(vm_position_of(vm, 4), 15);
    assert_int_equal(vm_position_of(vm, 1), -5);
}

/* Goal: market, IOC and what cannot fill. */
static void test_market_and_ioc(void **state) {
    (void)state;
    quiet_book();
    market(3, VM_BUY, 25);
    HEARD("new 7; 4<7 10@101 left 0/15; 5<7 10@102 left 0/5; 6<7 5@103 left 5/0");
    market(3, VM_BUY, 8);
    HEARD("new 8; 6<8 5@103 left 0/3; end 8 left 3 no_liquidity");
    limit(3, VM_SELL, 15, 98, VM_IOC);
    HEARD("new 9; 1<9 10@99 left 0/5; 2<9 5@98 left 5/0");
    limit(3, VM_SELL, 15, 98, VM_IOC);
    HEARD("new 10; 2<10 5@98 left 0/10; end 10 left 10 not_filled_at_once");
    limit(3, VM_SELL, 1, 98, VM_IOC);
    HEARD("new 11; end 11 left 1 not_filled_at_once");
}

/* Goal: FOK takes all or nothing, hidden lots counted, what may vanish not; with prevention
 * counting ends at an own order. */
static void test_fok(void **state) {
    (void)state;
    quiet_book();
    limit(3, VM_BUY, 21, 102, VM_FOK);
    HEARD("new 7; end 7 left 21 fill_or_kill");
    limit(3, VM_BUY, 20, 102, VM_FOK);
    HEARD("new 8; 4<8 10@101 left 0/10; 5<8 10@102 left 0/0");
    vm_place(vm,
             &(struct vm_new){ .owner = 2, .side = VM_SELL, .lots = 12, .price = 101, .show = 2 });
    limit(3, VM_SELL, 5, 102, VM_GTC);
    out.cnt = 0;
    struct vm_new own = {
        .owner = 3, .lots = 13, .price = 102, .tif = VM_FOK, .stp = VM_STP_TAKER
    };
    vm_place(vm, &own);
    HEARD("new 11; end 11 left 13 fill_or_kill");
    own.lots = 12;
    own.price = 101;
    vm_place(vm, &own);
    HEARD("new 12; 9<12 2@101 left 10/10; show 9 2; 9<12 2@101 left 8/8; show 9 2; "
          "9<12 2@101 left 6/6; show 9 2; 9<12 2@101 left 4/4; show 9 2; 9<12 2@101 left 2/2; "
          "show 9 2; 9<12 2@101 left 0/0");
}

/* Goal: post-only is refused when it would take, and rests otherwise. */
static void test_post_only(void **state) {
    (void)state;
    quiet_book();
    assert_int_equal(limit(3, VM_BUY, 1, 101, VM_GTX), 0);
    HEARD("no would_match");
    assert_int_not_equal(limit(3, VM_BUY, 1, 100, VM_GTX), 0);
    HEARD("new 7");
    assert_int_equal(vm_best(vm, VM_BUY), 100);
}

/* Goal: GTD ends at its time, earliest first; a time that has passed is refused. */
static void test_gtd(void **state) {
    (void)state;
    struct vm_new n = { .lots = 1, .price = 10, .tif = VM_GTD, .expire_ns = 200 };
    vm_place(vm, &n);
    n.expire_ns = 100;
    vm_place(vm, &n);
    vm_expire(vm, 99);
    HEARD("new 1; new 2");
    vm_expire(vm, 250);
    HEARD("end 2 left 1 good_till_date; end 1 left 1 good_till_date");
    vm_place(vm, &n);
    HEARD("no good_till_date");
}

/* Goal: an iceberg shows its part, is met again at the back of its level, and hides the rest. */
static void test_iceberg(void **state) {
    (void)state;
    struct vm_new n = { .side = VM_SELL, .lots = 10, .price = 100, .show = 3, .owner = 1 };
    uint64_t ice = vm_place(vm, &n);
    uint32_t cnt = 0;
    limit(2, VM_SELL, 4, 100, VM_GTC);
    assert_int_equal(vm_at(vm, 100, &cnt), 7);
    assert_int_equal(cnt, 2);
    out.cnt = 0;
    limit(3, VM_BUY, 5, 100, VM_GTC);
    HEARD("new 3; 1<3 3@100 left 7/2; show 1 3; 2<3 2@100 left 2/0");
    assert_int_equal(vm_ahead(vm, ice), 2);
    struct vm_view view;
    assert_true(vm_find(vm, ice, &view));
    assert_int_equal(view.show, 3);
    assert_int_equal(view.left, 7);
    assert_int_equal(vm_lots_for(vm, VM_BUY, 100 * 9), 9); /* hidden ones can be had too */
    limit(3, VM_BUY, 20, 100, VM_GTC);
    HEARD("new 4; 2<4 2@100 left 0/18; 1<4 3@100 left 4/15; show 1 3; 1<4 3@100 left 1/12; "
          "show 1 1; 1<4 1@100 left 0/11");
    n.show = 10;
    assert_int_equal(vm_place(vm, &n), 0);
    HEARD("no bad_display");
}

/* Goal: stops fire on the last trade, at the stop or beyond, after the taker; would trigger at once
 * is refused unless allowed. Stop 8 fires at the second of the taker's trades. */
static void test_stops(void **state) {
    (void)state;
    quiet_book();
    trade(100);
    struct vm_new n = { .owner = 3, .side = VM_BUY, .type = VM_STOP, .lots = 4, .stop = 102 };
    vm_place(vm, &n);
    HEARD("new 9");
    n.stop = 100;
    vm_place(vm, &n);
    HEARD("no would_trigger");
    limit(4, VM_BUY, 12, 102, VM_GTC);
    HEARD("new 10; 4<10 10@101 left 0/2; 5<10 2@102 left 8/0; fire 9 @102; 5<9 4@102 left 4/0");
    n.flags = VM_NOW;
    vm_place(vm, &n);
    HEARD("new 11; fire 11 @100; 5<11 4@102 left 0/0");
    n = (struct vm_new){
        .owner = 3, .side = VM_SELL, .type = VM_STOP_LIMIT, .lots = 5, .stop = 99, .price = 99
    };
    vm_place(vm, &n);
    market(4, VM_SELL, 7);
    HEARD("new 12; new 13; 1<13 7@99 left 3/0; fire 12 @99; 1<12 3@99 left 0/2");
    assert_int_equal(vm_best(vm, VM_SELL), 99); /* the rest of 12 rests */
}

/* Goal: take-profits fire on the other side: sell at or above, buy at or below. */
static void test_take_profit(void **state) {
    (void)state;
    quiet_book();
    trade(100);
    vm_place(vm, &(struct vm_new){ .side = VM_SELL, .type = VM_TAKE, .lots = 2, .stop = 101 });
    vm_place(vm, &(struct vm_new){
                     .side = VM_BUY, .type = VM_TAKE_LIMIT, .lots = 2, .stop = 99, .price = 98 });
    out.cnt = 0;
    market(4, VM_BUY, 1);
    HEARD("new 11; 4<11 1@101 left 9/0; fire 9 @101; 1<9 2@99 left 8/0; fire 10 @99");
    vm_place(vm, &(struct vm_new){ .side = VM_BUY, .type = VM_TAKE, .lots = 2, .stop = 99 });
    HEARD("no would_trigger");
}

/* Goal: stops that one taker fires act in the order of the price path, equal ones by entry; what
 * they fire acts after all of them. */
static void test_cascade(void **state) {
    (void)state;
    quiet_book();
    trade(100);
    struct vm_new n = { .owner = 3, .side = VM_SELL, .type = VM_STOP, .lots = 1 };
    int64_t stops[] = { 97, 98, 99, 98 }; /* numbers 9 to 12 */
    for (int i = 0; i < 4; i++) {
        n.stop = stops[i];
        vm_place(vm, &n);
    }
    out.cnt = 0;
    market(4, VM_SELL, 19); /* 10@99, 9@98 */
    HEARD("new 13; 1<13 10@99 left 0/9; 2<13 9@98 left 1/0; fire 11 @99; 2<11 1@98 left 0/0; "
          "fire 10 @98; 3<10 1@97 left 9/0; fire 12 @98; 3<12 1@97 left 8/0; "
          "fire 9 @97; 3<9 1@97 left 7/0");
}

/* Goal: an order that works on the mark price fires on it alone. */
static void test_mark(void **state) {
    (void)state;
    quiet_book();
    trade(100);
    struct vm_new n = { .side = VM_SELL, .type = VM_STOP, .lots = 1, .stop = 98, .flags = VM_MARK };
    vm_mark(vm, 100);
    vm_place(vm, &n);
    market(4, VM_SELL, 11);
    HEARD("new 9; new 10; 1<10 10@99 left 0/1; 2<10 1@98 left 9/0");
    vm_mark(vm, 98);
    HEARD("fire 9 @98; 2<9 1@98 left 8/0");
    vm_place(vm, &n);
    HEARD("no would_trigger");
}

/* Goal: a trailing sell follows the highest trade and fires delta below: 5 % of 1000, then of 1100:
 * 1100 * 0.95 = 1045. A trailing buy that waits for its activation at 1000 fires 1 % above the
 * lowest trade: 950 * 1.01 = 959.5, so 960. */
static void test_trailing(void **state) {
    (void)state;
    vm_print(vm, 1000);
    vm_place(vm,
             &(struct vm_new){
                 .side = VM_SELL, .type = VM_STOP_LIMIT, .lots = 1, .price = 900, .delta = 500 });
    HEARD("new 1; follow 1 @1000 stop 950");
    vm_print(vm, 1100);
    vm_print(vm, 1046);
    HEARD("");
    vm_print(vm, 1045);
    HEARD("fire 1 @1045");
    vm_place(vm, &(struct vm_new){
                     .side = VM_BUY, .type = VM_TAKE, .lots = 1, .stop = 1000, .delta = 100 });
    vm_print(vm, 1040);
    vm_print(vm, 1000);
    HEARD("new 2; follow 2 @1000 stop 1010");
    vm_print(vm, 950);
    vm_print(vm, 959);
    HEARD("");
    vm_print(vm, 960);
    HEARD("fire 2 @960; 1<2 1@900 left 0/0");
}

/* Goal: OCO, the first fill, even of a part, or the trigger of one ends the other. */
static void test_oco(void **state) {
    (void)state;
    quiet_book();
    trade(100);
    struct vm_new pair[2] = {
        { .side = VM_SELL, .lots = 5, .price = 102, .tif = VM_GTX, .oco = 1 },
        { .side = VM_SELL, .lots = 5, .type = VM_STOP, .stop = 98, .oco = 1 }
    };
    uint64_t ids[2];
    vm_place_list(vm, pair, 2, ids);
    HEARD("new 9; new 10");
    limit(4, VM_BUY, 21, 102, VM_IOC);
    HEARD("new 11; 4<11 10@101 left 0/11; 5<11 10@102 left 0/1; 9<11 1@102 left 4/0; "
          "end 10 left 5 list_partner");
    vm_cancel(vm, ids[0], VM_ONLY_PART);
    HEARD("cancel 9 left 4");
    vm_place_list(vm, pair, 2, ids);
    market(4, VM_SELL, 15);
    HEARD("new 12; new 13; new 14; 1<14 10@99 left 0/5; 2<14 5@98 left 5/0; fire 13 @98; "
          "end 12 left 5 list_partner; 2<13 5@98 left 0/0");
    vm_place_list(vm, pair, 2, ids);
    HEARD("no would_trigger"); /* last is 98 already: neither is taken */
    pair[1].stop = 90;
    vm_place_list(vm, pair, 2, ids);
    vm_cancel(vm, ids[1], VM_ANY);
    HEARD("new 15; new 16; cancel 16 left 5; cancel 15 left 5");
}

/* Goal: OTO, a pending order is released when its parent has filled whole, and ends with it. */
static void test_oto(void **state) {
    (void)state;
    struct vm_new pair[2] = { { .lots = 5, .price = 100 },
                              { .side = VM_SELL, .lots = 5, .price = 110, .parent = 1 } };
    uint64_t ids[2];
    vm_place_list(vm, pair, 2, ids);
    HEARD("new 1; pend 2");
    limit(1, VM_SELL, 4, 100, VM_GTC);
    HEARD("new 3; 1<3 4@100 left 1/0");
    limit(1, VM_SELL, 1, 100, VM_GTC);
    HEARD("new 4; 1<4 1@100 left 0/0; free 2");
    assert_int_equal(vm_best(vm, VM_SELL), 110);
    vm_place_list(vm, pair, 2, ids);
    vm_cancel(vm, ids[0], VM_ONLY_NEW);
    HEARD("new 5; pend 6; cancel 5 left 5; cancel 6 left 5");
    pair[0].tif = VM_IOC;
    vm_place_list(vm, pair, 2, ids);
    HEARD("new 7; pend 8; end 7 left 5 not_filled_at_once; end 8 left 5 list_parent");
    pair[1].parent = 2;
    vm_place_list(vm, pair, 2, ids);
    HEARD("no list_rule");
}

/* Goal: a bracket: entry, then profit target and stop as a pair; the stop is checked when the pair
 * is released. */
static void test_bracket(void **state) {
    (void)state;
    quiet_book();
    struct vm_new b[3] = {
        { .lots = 10, .price = 101, .owner = 3 },
        { .side = VM_SELL, .lots = 10, .price = 105, .parent = 1, .oco = 1, .owner = 3 },
        { .side = VM_SELL,
          .lots = 10,
          .type = VM_STOP,
          .stop = 98,
          .parent = 1,
          .oco = 1,
          .owner = 3 }
    };
    uint64_t ids[3];
    vm_place_list(vm, b, 3, ids);
    HEARD("new 7; pend 8; pend 9; 4<7 10@101 left 0/0; free 8; free 9");
    market(4, VM_SELL, 12);
    HEARD("new 10; 1<10 10@99 left 0/2; 2<10 2@98 left 8/0; fire 9 @98; "
          "end 8 left 10 list_partner; 2<9 8@98 left 0/2; 3<9 2@97 left 8/0");
    assert_int_equal(vm_position_of(vm, 3), 0);
    b[0].price = 102;
    b[2].stop = 102;
    vm_place_list(vm, b, 3, ids);
    HEARD("new 11; pend 12; pend 13; 5<11 10@102 left 0/0; free 12; free 13; "
          "end 13 left 10 would_trigger");
}

/* Goal: reduce-only never flips: refused without a position, cut to it, expired when it goes; the
 * newest keeps its lots. Close-position takes what is there when it fires. */
static void test_reduce_only(void **state) {
    (void)state;
    struct vm_new n = { .owner = 3, .side = VM_SELL, .lots = 8, .price = 105, .flags = VM_REDUCE };
    vm_place(vm, &n);
    HEARD("no reduce_only");
    vm_position(vm, 3, 10);
    vm_place(vm, &n);
    n.price = 106;
    vm_place(vm, &n);
    HEARD("new 1; new 2; amend 1 2@105 left 2 reduce_only");
    limit(4, VM_BUY, 3, 100, VM_GTC);
    limit(3, VM_SELL, 3, 100, VM_GTC); /* sells three of the ten: seven left */
    HEARD("new 3; new 4; 3<4 3@100 left 0/0; amend 2 7@106 left 7 reduce_only; "
          "end 1 left 2 reduce_only");
    vm_place(vm, &(struct vm_new){
                     .owner = 3, .side = VM_SELL, .type = VM_STOP, .stop = 99, .flags = VM_CLOSE });
    limit(5, VM_BUY, 20, 99, VM_GTC);
    out.cnt = 0;
    market(4, VM_SELL, 1);
    HEARD("new 7; 6<7 1@99 left 19/0; fire 5 @99; end 2 left 7 reduce_only; 6<5 7@99 left 12/0");
    assert_int_equal(vm_position_of(vm, 3), 0);
    vm_place(vm, &(struct vm_new){
                     .owner = 3, .side = VM_SELL, .type = VM_STOP, .stop = 98, .flags = VM_CLOSE });
    vm_print(vm, 98);
    HEARD("new 8; fire 8 @98; end 8 left 0 reduce_only");
    vm_position(vm, 3, -4);
    n = (struct vm_new){ .owner = 3, .lots = 9, .price = 97, .flags = VM_REDUCE };
    vm_place(vm, &n);
    vm_position(vm, 3, 4);
    HEARD("new 9; amend 9 4@97 left 4 reduce_only; end 9 left 4 reduce_only");
}

/* Goal: self-trade prevention, each mode of the taker's, by owner and by group. */
static void test_self_trade(void **state) {
    (void)state;
    struct vm_new n = { .owner = 1, .lots = 5, .price = 100, .tif = VM_IOC };
    limit(1, VM_SELL, 3, 100, VM_GTC);
    limit(2, VM_SELL, 4, 100, VM_GTC);
    n.stp = VM_STP_TAKER;
    vm_place(vm, &n);
    HEARD("new 1; new 2; new 3; self 1<3 lots 0 left 3/5; end 3 left 5 self_trade");
    n.stp = VM_STP_MAKER;
    vm_place(vm, &n);
    HEARD("new 4; self 1<4 lots 0 left 3/5; end 1 left 3 self_trade; 2<4 4@100 left 0/1; "
          "end 4 left 1 not_filled_at_once");
    limit(1, VM_SELL, 3, 100, VM_GTC);
    n.stp = VM_STP_BOTH;
    vm_place(vm, &n);
    HEARD(
        "new 5; new 6; self 5<6 lots 0 left 3/5; end 5 left 3 self_trade; end 6 left 5 self_trade");
    limit(1, VM_SELL, 3, 100, VM_GTC);
    n.stp = VM_STP_DECREMENT;
    vm_place(vm, &n);
    HEARD("new 7; new 8; self 7<8 lots 3 left 0/2; end 7 left 0 self_trade; "
          "end 8 left 2 not_filled_at_once");
    uint64_t big = limit(1, VM_SELL, 9, 100, VM_GTC);
    vm_place(vm, &n);
    HEARD("new 9; new 10; self 9<10 lots 5 left 4/0; end 10 left 0 self_trade");
    struct vm_view view;
    assert_true(vm_find(vm, big, &view));
    assert_int_equal(view.prevented, 5);
    assert_int_equal(view.filled, 0);
    n.stp = VM_STP_NONE;
    n.lots = 1;
    vm_place(vm, &n);
    HEARD("new 11; 9<11 1@100 left 3/0");
    vm_cancel_all(vm, 1);
    vm_group(vm, 1, 7);
    vm_group(vm, 2, 7);
    limit(2, VM_SELL, 1, 100, VM_GTC);
    n.stp = VM_STP_TAKER;
    vm_place(vm, &n);
    HEARD("cancel 9 left 3; new 12; new 13; self 12<13 lots 0 left 1/1; end 13 left 1 self_trade");
    n.stp = VM_STP_TRANSFER; /* the maker has it not: as DECREMENT */
    n.lots = 2;
    int64_t before = vm_position_of(vm, 2), last = vm_last(vm);
    vm_place(vm, &n);
    HEARD("new 14; self 12<14 lots 1 left 0/1; end 12 left 0 self_trade; "
          "end 14 left 1 not_filled_at_once");
    struct vm_new rests = {
        .owner = 2, .lots = 5, .price = 101, .side = VM_SELL, .stp = VM_STP_TRANSFER
    };
    vm_place(vm, &rests);
    n.price = 101;
    vm_place(vm, &n); /* both have it, two owners of a group: it moves, and makes no price */
    HEARD("new 15; new 16; moved 15<16 2@101 left 3/0; end 16 left 0 self_trade");
    assert_int_equal(vm_position_of(vm, 2), before - 2);
    assert_int_equal(vm_last(vm), last);
    n.owner = 2; /* one owner: as DECREMENT */
    vm_place(vm, &n);
    HEARD("new 17; self 15<17 lots 2 left 1/0; end 17 left 0 self_trade");
    assert_int_equal(vm_position_of(vm, 2), before - 2);
}

/* Goal: amend: quantity down keeps the place; up or another price loses it; the spot call keeps or
 * refuses; the futures call always loses it; a price that crosses takes. */
static void test_amend(void **state) {
    (void)state;
    uint64_t a = limit(1, VM_BUY, 10, 100, VM_GTC), b = limit(2, VM_BUY, 10, 100, VM_GTC);
    out.cnt = 0;
    assert_true(vm_amend(vm, a, 0, 6, VM_AMEND_KEEP));
    HEARD("amend 1 6@100 left 6");
    assert_int_equal(vm_ahead(vm, a), 0);
    assert_false(vm_amend(vm, a, 0, 7, VM_AMEND_KEEP));
    assert_false(vm_amend(vm, a, 101, 5, VM_AMEND_KEEP));
    assert_false(vm_amend(vm, a, 0, 6, VM_AMEND_REQUEUE)); /* no change */
    HEARD("no amend_rule; no amend_rule; no amend_rule");
    assert_true(vm_amend(vm, a, 0, 7, VM_AMEND_RULE));
    HEARD("amend 1 7@100 left 7");
    assert_int_equal(vm_ahead(vm, a), 10);
    assert_true(vm_amend(vm, b, 0, 9, VM_AMEND_REQUEUE));
    assert_int_equal(vm_ahead(vm, a), 0);
    market(3, VM_SELL, 3);
    HEARD("amend 2 9@100 left 9; new 3; 1<3 3@100 left 4/0");
    assert_false(vm_amend(vm, a, 0, 3, VM_AMEND_RULE));
    HEARD("no amend_rule");
    assert_true(vm_amend(vm, a, 0, 3, VM_AMEND_REQUEUE));
    HEARD("cancel 1 left 4 amend_rule");
    limit(3, VM_SELL, 4, 105, VM_GTC);
    assert_true(vm_amend(vm, b, 105, 9, VM_AMEND_RULE));
    HEARD("new 4; amend 2 9@105 left 9; 4<2 4@105 left 0/5");
    uint64_t post = limit(1, VM_BUY, 1, 99, VM_GTX);
    limit(3, VM_SELL, 4, 106, VM_GTC);
    out.cnt = 0;
    assert_false(vm_amend(vm, post, 106, 1, VM_AMEND_RULE));
    assert_true(vm_amend(vm, post, 106, 1, VM_AMEND_REQUEUE));
    HEARD("no would_match; cancel 5 left 1 would_match");
    assert_false(vm_amend(vm, post, 90, 1, VM_AMEND_RULE));
    HEARD("no unknown_order");
}

/* Goal: cancel, its restrictions, cancel-all by owner, cancel-replace in both modes. */
static void test_cancel_and_replace(void **state) {
    (void)state;
    uint64_t a = limit(1, VM_BUY, 10, 100, VM_GTC), id = 0;
    limit(2, VM_SELL, 4, 100, VM_GTC);
    out.cnt = 0;
    assert_false(vm_cancel(vm, a, VM_ONLY_NEW));
    assert_true(vm_cancel(vm, a, VM_ONLY_PART));
    assert_false(vm_cancel(vm, a, VM_ANY));
    assert_false(vm_cancel(vm, 0, VM_ANY));
    HEARD("no cancel_rule; cancel 1 left 6; no unknown_order; no unknown_order");
    for (int64_t i = 0; i < 3; i++)
        limit(1, i == 1 ? VM_SELL : VM_BUY, 1, i == 1 ? 200 : 50, VM_GTC);
    limit(2, VM_BUY, 1, 50, VM_GTC);
    out.cnt = 0;
    assert_int_equal(vm_cancel_all(vm, 1), 3);
    HEARD("cancel 3 left 1; cancel 4 left 1; cancel 5 left 1");
    const struct vm_new n = { .lots = 2, .price = 60 }, bad = { .lots = 0, .price = 60 };
    assert_int_equal(vm_replace(vm, a, VM_ANY, true, &n, &id), VM_REPLACE_NONE);
    assert_int_equal(id, 0);
    HEARD("no unknown_order");
    assert_int_equal(vm_replace(vm, a, VM_ANY, false, &n, &id), VM_REPLACE_PLACED);
    HEARD("no unknown_order; new 7");
    uint64_t next = id;
    assert_int_equal(vm_replace(vm, next, VM_ANY, true, &n, &id), 3);
    HEARD("cancel 7 left 2; new 8");
    assert_int_equal(vm_replace(vm, id, VM_ANY, true, &bad, &next), VM_REPLACE_CANCELED);
    HEARD("cancel 8 left 2; no bad_lot");
}

/* Goal: a taker matches inside the bound only; its rest expires; orders that rest are free of
 * it. */
static void test_price_bound(void **state) {
    (void)state;
    quiet_book();
    vm_bound(vm, 98, 102);
    market(3, VM_BUY, 25);
    HEARD("new 7; 4<7 10@101 left 0/15; 5<7 10@102 left 0/5; end 7 left 5 price_bound");
    limit(3, VM_SELL, 25, 90, VM_GTC);
    HEARD("new 8; 1<8 10@99 left 0/15; 2<8 10@98 left 0/5; end 8 left 5 price_bound");
    limit(3, VM_SELL, 5, 110, VM_GTC);
    HEARD("new 9");
}

/* Goal: prices far outside the window are as good as near ones, and the window follows the touch:
 * levels 1, 40, 5000 and 2^46, and what a market order through all of them meets. */
static void test_far_prices(void **state) {
    (void)state;
    int64_t prices[] = { 5000, 40, VM_PRICE_MAX, 41, 5001, 1, 1000000 };
    struct vm_depth d[VM_DEPTH_CHUNK];
    for (int i = 0; i < 7; i++) limit(1, VM_SELL, 1, prices[i], VM_GTC);
    assert_int_equal(vm_depth(vm, VM_SELL, d, VM_DEPTH_CHUNK), 7);
    int64_t sorted[] = { 1, 40, 41, 5000, 5001, 1000000, VM_PRICE_MAX };
    for (int i = 0; i < 7; i++) assert_int_equal(d[i].price, sorted[i]);
    assert_int_equal(vm_depth(vm, VM_SELL, d, 2), 2);
    out.cnt = 0;
    market(2, VM_BUY, 4);
    HEARD("new 8; 6<8 1@1 left 0/3; 2<8 1@40 left 0/2; 4<8 1@41 left 0/1; 1<8 1@5000 left 0/0");
    limit(2, VM_BUY, 1, 4999, VM_GTC);
    limit(2, VM_BUY, 1, 7, VM_GTC);
    assert_int_equal(vm_best(vm, VM_BUY), 4999);
    assert_null(vm_check(vm));
    market(3, VM_BUY, 3);
    market(3, VM_SELL, 2);
    HEARD("new 9; new 10; new 11; 5<11 1@5001 left 0/2; 7<11 1@1000000 left 0/1; "
          "3<11 1@70368744177664 left 0/0; new 12; 9<12 1@4999 left 0/1; 10<12 1@7 left 0/0");
    assert_int_equal(vm_open(vm), 0);
}

/* Goal: a full pool refuses and changes nothing, for one order and for a list. */
static void test_full(void **state) {
    (void)state;
    for (int i = 0; i < SLOTS - 1; i++) limit(1, VM_BUY, 1, 100 + i, VM_GTC);
    struct vm_new pair[2] = { { .lots = 1, .price = 9 }, { .lots = 1, .price = 9, .parent = 1 } };
    uint64_t ids[2], hash = vm_hash(vm);
    out.cnt = 0;
    assert_int_equal(vm_place_list(vm, pair, 2, ids), 0);
    HEARD("no open_orders_max");
    assert_int_equal(vm_hash(vm), hash);
    uint64_t last = limit(1, VM_BUY, 1, 9, VM_GTC);
    hash = vm_hash(vm);
    out.cnt = 0;
    assert_int_equal(limit(1, VM_SELL, 1, 100, VM_GTC), 0); /* though it would fill */
    HEARD("no open_orders_max");
    assert_int_equal(vm_hash(vm), hash);
    assert_true(vm_cancel(vm, last, VM_ANY));
    assert_int_not_equal(limit(1, VM_SELL, 1, 100, VM_GTC), 0);
}

/* Goal: rows that are no state are refused: nothing, another size, a crossed book, an order twice,
 * words turned into nonsense one at a time. */
static void test_load_refuses(void **state) {
    (void)state;
    quiet_book();
    struct vm_row rows[32], bad[32];
    size_t cnt = vm_save(vm, rows, 32);
    assert_int_equal(cnt, 7);
    int taken = 0;
    for (size_t row = 0; row < cnt; row++) {
        for (int w = 0; w < 16; w++) {
            memcpy(bad, rows, sizeof rows);
            bad[row].w[w] ^= UINT64_C(1) << 62 | 1;
            again();
            taken += vm_load(vm, bad, cnt) == 0;
        }
    }
    assert_int_equal(taken, 8); /* the orders' tags, and two counters of the head */
    for (int way = 0; way < 3; way++) {
        memcpy(bad, rows, sizeof rows);
        if (way == 0) bad[1].w[2] = 101;         /* a bid at the best ask */
        if (way == 1) bad[2].w[1] = bad[1].w[1]; /* one slot twice */
        if (way == 2) bad[0].w[8] = 128;         /* made by a larger engine */
        again();
        assert_int_equal(vm_load(vm, bad, cnt), -EINVAL);
    }
    again();
    assert_int_equal(vm_load(vm, rows, 0), -EINVAL);
    again();
    assert_int_equal(vm_load(vm, rows, cnt), 0);
    struct vm_options odd = options;
    odd.window = 100;
    assert_int_equal(vm_bytes(&odd), 0);
    odd = options;
    odd.orders_max = 32;
    assert_int_equal(vm_bytes(&odd), 0);
}

/* T is a test with its own engine. */
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_price_then_time),
        T(test_market_and_ioc),
        T(test_fok),
        T(test_post_only),
        T(test_gtd),
        T(test_iceberg),
        T(test_stops),
        T(test_take_profit),
        T(test_cascade),
        T(test_mark),
        T(test_trailing),
        T(test_oco),
        T(test_oto),
        T(test_bracket),
        T(test_reduce_only),
        T(test_self_trade),
        T(test_amend),
        T(test_cancel_and_replace),
        T(test_price_bound),
        T(test_far_prices),
        T(test_full),
        T(test_load_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
