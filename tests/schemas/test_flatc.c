/* Goal: flatc, the official program, and we read the same messages in the same bytes.
 * Method: random messages of every kind; structs go in a table of one field (wrappers.fbs). Ours is
 * read by flatc --json and compared with our JSON; flatc --binary of our JSON is read by us. */
#include "schemas/text.h"
#include "schemas/verify.h"
#include "tests/schemas/sample.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
/* cmocka.h wants the ones above. */
#include <cmocka.h>

/* Messages of each struct (tables have more), bytes of one text. */
enum { ROUNDS = 4, TEXT_MAX = 1 << 20 };

static char dir[] = "/tmp/shrike_flatc_XXXXXX"; /* of files that pass between us and flatc */
static const char *source;                      /* the source tree */
static char wrappers[2048];                     /* path of wrappers.fbs */
static struct sample sample;                    /* where messages come from */
static char ours[TEXT_MAX];                     /* our JSON */
static char theirs[TEXT_MAX];                   /* flatc's */
static _Alignas(8) uint8_t binary[TEXT_MAX];    /* what flatc wrote */

/* write_file writes cnt bytes to name in dir. */
static void write_file(const char *name, const void *bytes, size_t cnt) {
    char path[256];
    FILE *f;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, cnt, f), cnt);
    assert_int_equal(fclose(f), 0);
}

/* read_file reads name in dir into bytes of cap and returns its size. */
static size_t read_file(const char *name, void *bytes, size_t cap) {
    char path[256];
    size_t cnt;
    FILE *f;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "rb");
    assert_non_null(f);
    cnt = fread(bytes, 1, cap, f);
    assert_true(cnt < cap);
    fclose(f);
    unlink(path);
    return cnt;
}

/* flatc runs flatc to turn file in dir (what: "--json" or "--binary") for a root of type root. */
static void flatc(const char *what, const char *root, const char *file) {
    char command[4096];
    snprintf(command, sizeof command,
             "flatc %s --strict-json --raw-binary --root-type shrike.%s -o %s -I %s/schemas %s %s "
             "%s/%s",
             what, root, dir, source, wrappers, strcmp(what, "--json") == 0 ? "--" : "", dir, file);
    if (system(command) != 0) fail_msg("failed: %s", command);
}

/* squeeze takes the blanks between tokens out of JSON. */
static void squeeze(char *json) {
    char *to = json;
    bool quoted = false;
    for (const char *p = json; *p != 0; p++) {
        if (*p == '"') quoted = !quoted;
        if (quoted && *p == '\\') *to++ = *p++;
        if (quoted || strchr(" \n", *p) == NULL) *to++ = *p;
    }
    *to = 0;
}

/* check_json passes bytes of a body with a root of type root to flatc and compares its JSON with
 * ours, which is then made binary by flatc; binary takes that, and its size is returned. */
static size_t check_json(const char *root, const void *bytes, size_t cnt) {
    write_file("a.bin", bytes, cnt);
    flatc("--json", root, "a.bin");
    theirs[read_file("a.json", theirs, sizeof theirs)] = 0;
    squeeze(theirs);
    assert_string_equal(ours, theirs);
    write_file("b.json", ours, strlen(ours));
    flatc("--binary", root, "b.json");
    memset(binary, 0, sizeof binary);
    return read_file("b.bin", binary, sizeof binary);
}

/* check_struct passes a struct both ways, in a box. */
static void check_struct(const struct msg_frame *frame) {
    const struct msg_shape *shape = msg_infos[frame->kind].shape;
    const struct msg_field body = {
        .name = "body", .type = MSG_TYPE_STRUCT, .shape = shape, .at = 4
    };
    const struct msg_shape box = {
        .name = "Box", .fields = &body, .field_cnt = 1, .is_table = true
    };
    const void *in = frame + 1;
    uint8_t room[1024];
    struct msg_builder b;
    uint32_t bytes;
    const void *made;
    char root[128];
    size_t at = (size_t)snprintf(ours, sizeof ours, "{\"body\":");
    assert_true(msg_to_json(frame, ours + at, sizeof ours - at) > 0);
    strcat(ours, "}");
    msg_builder_init(&b, room, sizeof room);
    made = msg_build(&b, &box, &in, &bytes);
    assert_non_null(made);
    snprintf(root, sizeof root, "%sBox", shape->name);
    assert_true(check_json(root, made, bytes) > shape->bytes);
    assert_memory_equal(msg_slot(msg_follow(binary), 4), frame + 1, shape->bytes);
}

/* check_table passes a table both ways. */
static void check_table(const struct msg_frame *frame) {
    static char again[TEXT_MAX];
    static _Alignas(8) uint8_t copy[MSG_FRAME_MAX];
    struct msg_frame *f = (struct msg_frame *)copy;
    size_t cnt;
    assert_true(msg_to_json(frame, ours, sizeof ours) > 0);
    cnt = check_json(msg_infos[frame->kind].shape->name, frame + 1, frame->size - sizeof *frame);
    cnt = (cnt + 7) / 8 * 8; /* ours are a multiple of 8 long, flatc's are not */
    assert_int_equal(msg_verify(frame->kind, binary, cnt), 0);
    memcpy(f, frame, sizeof *f);
    f->size = (uint16_t)(sizeof *f + cnt);
    memcpy(f + 1, binary, cnt);
    assert_true(msg_to_json(f, again, sizeof again) > 0);
    assert_string_equal(again, ours);
}

/* Every kind, both ways. */
static void every_kind(void **state) {
    unsigned kinds = 0;
    (void)state;
    for (uint16_t kind = 0; kind < MSG_KIND_MAX; kind++) {
        const struct msg_info *info = &msg_infos[kind];
        if (info->name == NULL) continue;
        kinds++;
        for (int i = 0; i < (info->is_table ? 8 * ROUNDS : ROUNDS); i++) {
            const struct msg_frame *frame = sample_frame(&sample, kind);
            assert_int_equal(msg_verify_frame(frame, frame->size), 0);
            if (info->is_table)
                check_table(frame);
            else
                check_struct(frame);
        }
    }
    assert_true(kinds > 30);
    printf("%u kinds\n", kinds);
}

/* Doubles that are no number survive the way through flatc. */
static void odd_doubles(void **state) {
    static const double odd[] = { NAN, INFINITY, -INFINITY, 1e300, 5e-324, 0.1, -0.0 };
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        _Alignas(8) uint8_t room[1024];
        struct msg_decision_packet_in in = { .has_rr = true, .rr = odd[i] };
        struct msg_frame *frame = (struct msg_frame *)room;
        struct msg_builder b;
        uint32_t bytes;
        double back;
        const void *body;
        msg_builder_init(&b, room + 512, 512);
        body = msg_decision_packet_build(&b, &in, &bytes);
        assert_non_null(body);
        memset(frame, 0, sizeof *frame);
        frame->kind = MSG_DECISION_PACKET;
        frame->size = (uint16_t)(sizeof *frame + bytes);
        memmove(frame + 1, body, bytes);
        msg_to_json(frame, ours, sizeof ours);
        write_file("b.json", ours, strlen(ours));
        flatc("--binary", "DecisionPacket", "b.json");
        read_file("b.bin", binary, sizeof binary);
        back = msg_decision_packet_rr(msg_decision_packet_of(binary));
        if (isnan(odd[i]))
            assert_true(isnan(back));
        else
            assert_memory_equal(&back, &odd[i], sizeof back);
    }
}

/* main finds the schemas and gives the files a folder of their own. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(odd_doubles),
    };
    const char *bin = getenv("SHRIKE_BIN");
    const char *seed = getenv("SHRIKE_SEED");
    char command[128];
    int failed;
    source = getenv("SHRIKE_SOURCE");
    if (bin == NULL || source == NULL || strrchr(bin, '/') == NULL) {
        fprintf(stderr, "run by ctest: SHRIKE_BIN and SHRIKE_SOURCE are not set\n");
        return 1;
    }
    snprintf(wrappers, sizeof wrappers, "%.*s/gen/schemas/wrappers.fbs",
             (int)(strrchr(bin, '/') - bin), bin);
    sample.state = seed != NULL ? strtoull(seed, NULL, 10) : 20240501;
    printf("seed %llu\n", (unsigned long long)sample.state);
    if (mkdtemp(dir) == NULL) return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) != 0 ? 1 : failed;
}
