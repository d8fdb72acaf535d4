/* Goal: no stream of commands, and no rows offered as a saved state, make the matching engine
 * crash, look outside its tables or differ from its twin. Method: libFuzzer over two readings of
 * the bytes: commands of 16 bytes, given to engine and twin and compared after each; and rows for
 * vm_load, where what is taken must be consistent, save as the same rows, and go on working. */
#include "tests/support/match_drive.h"
#include <assert.h>

/* LLVMFuzzerTestOneInput is called by libFuzzer with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt);

/* Bounds of an input. */
enum { CMD_BYTES = 16, CMDS_MAX = 512, ROWS_MAX = 64 };

/* order_of reads an order from twelve bytes: all terms, in ranges where they meet. */
static struct vm_new order_of(const uint8_t *b, uint32_t at) {
    struct vm_new n = { .price = 100 + (int8_t)b[0],
                        .lots = b[1] & 31,
                        .show = b[2] & 128 ? b[2] & 15 : 0,
                        .stop = b[3] ? 100 + (int8_t)b[3] : 0,
                        .expire_ns = b[4] & 128 ? b[4] & 127 : 0,
                        .tag = at,
                        .owner = b[5] & 3,
                        .delta = b[6] & 128 ? (b[6] & 127U) * 40U : 0,
                        .flags = b[7] & 64 ? b[7] & 15 : 0,
                        .side = b[8] & 1,
                        .type = b[8] >> 1 & 7,
                        .tif = b[9] & 7,
                        .stp = b[9] >> 3 & 7,
                        .parent = b[10] & 3,
                        .oco = b[10] >> 2 & 3 };
    if (n.type == VM_MARKET || n.type == VM_STOP || n.type == VM_TAKE) n.price = 0;
    if (n.type < VM_STOP) n.stop = n.delta = 0;
    if (n.flags & VM_CLOSE) n.lots = 0;
    if (b[0] == 128) n.price = VM_PRICE_MAX;
    if (b[11] & 128) n.price = (int64_t)b[11] << (b[0] & 31); /* anywhere */
    return n;
}

/* cmd_of reads a command. */
static struct drive_cmd cmd_of(const uint8_t *b, uint32_t at) {
    struct drive_cmd c = { .op = b[0] < 160 ? OP_PLACE : (uint8_t)(b[0] % OP_CNT),
                           .mode = b[1],
                           .cnt = b[2] & 3,
                           .sub = b[2] >> 2 & 1,
                           .ref = at > b[3] ? at - b[3] : UINT32_MAX };
    for (int i = 0; i < DRIVE_LIST; i++) {
        uint8_t turned[12];
        for (int k = 0; k < 12; k++) turned[k] = b[4 + (k + 5 * i) % 12];
        c.n[i] = order_of(turned, at * 4 + (uint32_t)i);
        if (c.op == OP_LIST && i > 0) c.n[i].owner = c.n[0].owner;
        if (c.op != OP_LIST) c.n[i].parent = c.n[i].oco = 0;
    }
    c.a = 100 + (int8_t)b[14];
    c.b = 1 + (b[15] & 63);
    if (c.op == OP_BOUND) c.b = c.a + b[15];
    if (c.op == OP_GROUP) c.a = b[14] & 3;
    if (c.op == OP_POSITION) c.a = (int8_t)b[14];
    if (c.op == OP_EXPIRE) c.a = b[14];
    if ((c.op == OP_MARK || c.op == OP_PRINT || c.op == OP_BOUND) && c.a < 1) c.a = 1;
    return c;
}

/* commands gives the bytes as commands to engine and twin. */
static void commands(const uint8_t *bytes, size_t cnt, bool large) {
    const struct drive_setup s = {
        .orders_max = 64, .owners = 4, .window = large ? 4096 : 64, .levels = !large
    };
    drive_open(&s);
    for (uint32_t i = 0; i < CMDS_MAX && (i + 1) * CMD_BYTES <= cnt; i++) {
        struct drive_cmd c = cmd_of(bytes + (size_t)i * CMD_BYTES, i);
        if (!drive_step(&c, i)) {
            fprintf(stderr, "command %u: %s\n", i, drive.why);
            abort();
        }
    }
    drive_close();
}

/* rows offers the bytes as a saved state: the words that differ from an empty engine's and from a
 * plain order's, so that what is read is often nearly right. */
static void rows(const uint8_t *bytes, size_t cnt) {
    static struct vm_row in[ROWS_MAX], again[ROWS_MAX + 1];
    const struct drive_setup s = { .orders_max = 64, .owners = 4, .window = 64 };
    size_t n = 1, left = cnt;
    in[0] = (struct vm_row){ .w = { 1, 1000, 0, 0, 0, 1000, 1, VM_PRICE_MAX, 64 } };
    while (n < ROWS_MAX && left >= 4) { /* which slot; then word, shift, value until word 255 */
        struct vm_row *r = &in[n++];
        uint64_t lots = 5, slot = *bytes++ & 63;
        left--;
        *r = (struct vm_row){ .w = { 3 + (1ULL << 40), 64 * n + slot, 90 + n, lots, lots } };
        for (; left >= 3 && *bytes != 255; bytes += 3, left -= 3)
            r->w[bytes[0] & 15] ^= (uint64_t)bytes[2] << (bytes[1] & 63);
        if (left) bytes++, left--;
    }
    drive_open(&s);
    drive.ev_cnt = drive.out.cnt = 0;
    if (vm_load(drive.engine, in, n) == 0) {
        assert(vm_check(drive.engine) == NULL);
        size_t m = vm_save(drive.engine, again, ROWS_MAX + 1);
        assert(m > 0 && m <= n);
        struct vm *first = drive.engine;
        uint64_t hash = vm_hash(first);
        drive.engine = drive_engine();
        assert(vm_load(drive.engine, again, m) == 0 && vm_hash(drive.engine) == hash);
        for (uint8_t side = VM_BUY; side <= VM_SELL; side++)
            for (uint32_t owner = 0; owner < 4; owner++)
                vm_place(
                    drive.engine,
                    &(struct vm_new){ .type = VM_MARKET, .side = side, .owner = owner, .lots = 7 });
        vm_print(drive.engine, 100);
        vm_print(drive.engine, 1);
        vm_print(drive.engine, VM_PRICE_MAX);
        vm_expire(drive.engine, INT64_MAX);
        assert(vm_check(drive.engine) == NULL);
        for (uint32_t owner = 0; owner < 4; owner++) vm_cancel_all(drive.engine, owner);
        assert(vm_open(drive.engine) == 0 && vm_check(drive.engine) == NULL);
        free(first);
    }
    drive_close();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt) {
    if (cnt < 2) return 0;
    if (bytes[0] & 1)
        rows(bytes + 1, cnt - 1);
    else
        commands(bytes + 1, cnt - 1, bytes[0] & 2);
    return 0;
}
