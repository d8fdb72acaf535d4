/* Goal: what was once written can be read for good: kinds keep their numbers, structs never change,
 * tables and enums only grow.
 * Method: golden/ holds the schema as it was when its kinds were last added to: the .fbs files, for
 * flatc --conform, and the build's messages.txt, for what flatc does not look at (numbers of kinds,
 * attributes). A body made by flatc from the golden schema is read by this build.
 *
 * Who adds a kind, a field of a table or a value of an enum copies schemas/X.fbs and the build's
 * gen/schemas/messages.txt to golden/ in the same commit. Whose change fails here has changed what
 * lies in people's journals: he makes a new kind instead. */
#include "schemas/messages.h"
#include "schemas/text.h"
#include "schemas/verify.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka.h wants the ones above. */
#include <cmocka.h>

/* Bytes of one file. */
enum { TEXT_MAX = 1 << 20 };

static const char *source;                       /* the source tree */
static char generated[2048];                     /* where the build put what it generated */
static char dir[] = "/tmp/shrike_golden_XXXXXX"; /* for files of this test */

/* read_file reads a file as text, the caller frees it. */
static char *read_file(const char *path) {
    char *text = calloc(1, TEXT_MAX);
    FILE *f = fopen(path, "rb");
    if (f == NULL) fail_msg("%s cannot be opened", path);
    assert_non_null(text);
    assert_true(fread(text, 1, TEXT_MAX - 1, f) < TEXT_MAX - 1);
    fclose(f);
    return text;
}

/* line_of finds the line of text that begins with the first two words of line, NULL = none. */
static const char *line_of(const char *text, const char *line) {
    size_t head = strcspn(line, " \n");
    if (line[head] == ' ') head += 1 + strcspn(line + head + 1, " \n");
    for (const char *p = text; *p != 0; p += strcspn(p, "\n"), p += *p == '\n')
        if (strncmp(p, line, head) == 0 && (p[head] == ' ' || p[head] == '\n')) return p;
    return NULL;
}

/* has_word tells whether the line that begins at line has the word of cnt bytes at word. */
static bool has_word(const char *line, const char *word, size_t cnt) {
    while (*line != '\n' && *line != 0) {
        size_t n = strcspn(line, " \n");
        if (n == cnt && memcmp(line, word, cnt) == 0) return true;
        line += n;
        while (*line == ' ') line++;
    }
    return false;
}

/* kept tells whether the newer summary keeps all that the older one promised: structs whole, of
 * tables and enums each word. Says on stdout what it does not. */
static bool kept(const char *older, const char *newer) {
    bool fine = true;
    for (const char *line = older; *line != 0; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t cnt = strcspn(line, "\n");
        const char *now = line_of(newer, line);
        bool same = now != NULL;
        if (same && strncmp(line, "struct", 6) == 0)
            same = strcspn(now, "\n") == cnt && memcmp(line, now, cnt) == 0;
        for (size_t i = 0; same && i < cnt; i += strcspn(line + i, " \n") + 1)
            same = has_word(now, line + i, strcspn(line + i, " \n"));
        if (!same)
            printf("was %.*s\nis  %.*s\n", (int)cnt, line,
                   now == NULL ? 4 : (int)strcspn(now, "\n"), now == NULL ? "gone" : now);
        fine = fine && same;
    }
    return fine;
}

/* The summary of this build keeps the golden one's promises. */
static void summary(void **state) {
    char path[4096];
    char *older, *newer;
    (void)state;
    snprintf(path, sizeof path, "%s/tests/schemas/golden/messages.txt", source);
    older = read_file(path);
    snprintf(path, sizeof path, "%s/messages.txt", generated);
    newer = read_file(path);
    assert_true(strlen(older) > 2000);
    assert_true(kept(older, newer));
    free(older);
    free(newer);
}

/* The comparison sees what it is for. */
static void comparison(void **state) {
    static const char was[] =
        "enum Side bytes:1 buy=0 sell=1\nstruct Bar kind:32 bytes:8 open:long@0\n"
        "table Note kind:40 text:string@0\n";
    (void)state;
    assert_true(kept(was, was));
    assert_true(kept(was, "table Note kind:40 text:string@0 more:long@1\n"
                          "struct Bar kind:32 bytes:8 open:long@0\nstruct New kind:33\n"
                          "enum Side bytes:1 buy=0 sell=1 both=2\n"));
    /* another number, another struct, a field gone, a value moved, a message gone */
    assert_false(
        kept("struct Bar kind:32 bytes:8 a:long@0\n", "struct Bar kind:31 bytes:8 a:long@0\n"));
    assert_false(kept("struct Bar kind:32 bytes:8 a:long@0\n",
                      "struct Bar kind:32 bytes:16 a:long@0 b:long@8\n"));
    assert_false(
        kept("struct Bar kind:32 bytes:8 a:long@0\n", "struct Bar kind:32 bytes:8 b:long@0\n"));
    assert_false(kept("table Note kind:40 a:long@0\n", "table Note kind:40 b:long@0\n"));
    assert_false(kept("table Note kind:40 a:long@0\n", "table Note a:long@0\n"));
    assert_false(kept("enum Side bytes:1 buy=0\n", "enum Side bytes:1 buy=1\n"));
    assert_false(kept("struct Bar kind:32\n", "struct Barn kind:32\n"));
}

/* conforms runs flatc --conform of the schema in folder against the golden one. */
static bool conforms(const char *folder) {
    char command[8192];
    snprintf(command, sizeof command,
             "flatc --conform %s/tests/schemas/golden/shrike.fbs --conform-includes "
             "%s/tests/schemas/golden -I %s --binary --schema -o %s %s/shrike.fbs >%s/said 2>&1",
             source, source, folder, dir, folder, dir);
    return system(command) == 0;
}

/* flatc agrees, and would not if a field had changed its type. */
static void conform(void **state) {
    char folder[1024], command[16384];
    (void)state;
    snprintf(folder, sizeof folder, "%s/schemas", source);
    assert_true(conforms(folder));
    snprintf(folder, sizeof folder, "%s/changed", dir);
    snprintf(command, sizeof command,
             "cp -r %s/schemas %s && sed -i 's/entry:long/entry:double/' %s/decision.fbs && "
             "sed -i 's/(id: 9, fixed)/(id: 9)/' %s/decision.fbs",
             source, folder, folder, folder);
    assert_int_equal(system(command), 0);
    assert_false(conforms(folder));
}

/* A packet written by the golden schema's flatc reads as the text it was made of. */
static void reads(void **state) {
    static _Alignas(8) uint8_t room[MSG_FRAME_MAX];
    struct msg_frame *frame = (struct msg_frame *)room;
    char command[8192], path[4096], out[8192];
    char *json;
    size_t cnt;
    FILE *f;
    (void)state;
    snprintf(command, sizeof command,
             "flatc --binary --root-type shrike.DecisionPacket -I %s/tests/schemas/golden -o %s "
             "%s/tests/schemas/golden/shrike.fbs %s/tests/schemas/golden/decision.json",
             source, dir, source, source);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "%s/decision.bin", dir);
    f = fopen(path, "rb");
    assert_non_null(f);
    cnt = fread(frame + 1, 1, sizeof room - sizeof *frame, f);
    fclose(f);
    frame->kind = MSG_DECISION_PACKET;
    frame->size = (uint16_t)(sizeof *frame + (cnt + 7) / 8 * 8);
    assert_int_equal(msg_verify_frame(frame, frame->size), 0);
    assert_true(msg_to_json(frame, out, sizeof out) < sizeof out);
    snprintf(path, sizeof path, "%s/tests/schemas/golden/decision.json", source);
    json = read_file(path);
    json[strcspn(json, "\n")] = 0;
    assert_string_equal(out, json);
    free(json);
}

/* main finds the tree and makes a folder. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(summary),
        cmocka_unit_test(comparison),
        cmocka_unit_test(conform),
        cmocka_unit_test(reads),
    };
    const char *bin = getenv("SHRIKE_BIN");
    char command[128];
    int failed;
    source = getenv("SHRIKE_SOURCE");
    if (bin == NULL || source == NULL || strrchr(bin, '/') == NULL) {
        fprintf(stderr, "run by ctest: SHRIKE_BIN and SHRIKE_SOURCE are not set\n");
        return 1;
    }
    snprintf(generated, sizeof generated, "%.*s/gen/schemas", (int)(strrchr(bin, '/') - bin), bin);
    if (mkdtemp(dir) == NULL) return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) != 0 ? 1 : failed;
}
