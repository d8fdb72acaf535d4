/* Goal: a schema the generator makes nothing good of is refused with one line that says where and
 * what; what it takes becomes right C.
 * Method: small schemas, each with one fault, through flatc and schema_gen; one with all that is
 * taken, compiled and run; then a .bfbs cut and with bytes changed, which must end in one line or
 * in success, never in a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka.h wants the ones above. */
#include <cmocka.h>

/* One schema, and what is said of it. */
struct fault {
    const char *text;   /* the .fbs, after the attributes; NULL ends a list */
    const char *expect; /* part of the line; NULL = it is accepted */
};

static char dir[] = "/tmp/shrike_gen_XXXXXX"; /* for files */
static char generator[2048];                  /* path of schema_gen */

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

/* read_file reads name in dir into text of cap and returns its size. */
static size_t read_file(const char *name, char *text, size_t cap) {
    char path[256];
    size_t cnt;
    FILE *f;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "rb");
    assert_non_null(f);
    cnt = fread(text, 1, cap - 1, f);
    text[cnt] = 0;
    fclose(f);
    return cnt;
}

/* generate runs schema_gen on t.bfbs and puts what it says into said of 4096 bytes. Returns its
 * exit code; a signal fails the test. The generator keeps its memory to its end: no leak check. */
static int generate(char *said) {
    char command[8192];
    int status;
    snprintf(command, sizeof command,
             "ASAN_OPTIONS=detect_leaks=0 %s %s/t.bfbs %s/out >%s/said 2>&1", generator, dir, dir,
             dir);
    status = system(command);
    read_file("said", said, 4096);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) fail_msg("crashed: %s", said);
    return WEXITSTATUS(status);
}

/* compile makes t.bfbs of t.fbs. */
static void compile(void) {
    char command[1024], said[4096];
    snprintf(command, sizeof command,
             "flatc --binary --schema --bfbs-comments --bfbs-builtins -o %s %s/t.fbs >%s/said 2>&1",
             dir, dir, dir);
    if (system(command) == 0) return;
    read_file("said", said, sizeof said);
    fail_msg("flatc: %s", said);
}

/* compile_text makes t.bfbs of text, with the attributes in front. */
static void compile_text(const char *text) {
    char all[8192];
    snprintf(all, sizeof all,
             "namespace t; attribute \"kind\"; attribute \"audit\"; attribute \"fixed\"; "
             "attribute \"instant\";\n%s",
             text);
    write_file("t.fbs", all, strlen(all));
    compile();
}

/* Each fault is named. */
static void faults(void **state) {
    static const struct fault list[] = {
        { "struct A (kind: \"1\") { a:long; }", NULL },
        { "struct A (kind: \"1\") { a:long; b:int; }", "struct A: 4 bytes after b are padding" },
        { "struct A (kind: \"1\") { a:ubyte; b:long; }", "struct A: 7 bytes after a are padding" },
        { "struct A (kind: \"1\") { a:int; }", "struct A: 4 bytes; a body is a multiple of 8" },
        { "struct A (kind: \"1\") { a:long; } struct B (kind: \"1\") { a:long; }",
          "kind 1 is used twice: A and B" },
        { "struct A { a:long; }", "struct A: no kind, and no message contains it" },
        { "table A { a:long; }", "table A: no kind, and no message contains it" },
        { "table A { a:A; } table B (kind: \"1\") { a:long; }",
          "table A: no kind, and no message contains it" },
        { "struct A (kind: \"0\") { a:long; }", "A: kind \"0\" is not a number from 1 to 511" },
        { "struct A (kind: \"512\") { a:long; }", "A: kind \"512\" is not a number from 1 to 511" },
        { "struct A (kind: \"7x\") { a:long; }", "A: kind \"7x\" is not a number from 1 to 511" },
        { "struct A (kind: \"1\") { a:[long:3]; }", "A.a: fixed arrays are refused" },
        { "struct A (kind: \"1\", force_align: 16) { a:long; b:long; }", "struct A: alignment 16" },
        { "table B (kind: \"2\") { a:long; } union U { B } table A (kind: \"1\") { u:U; }",
          "union U: unions are refused" },
        { "table B (kind: \"2\") { a:long; } table A (kind: \"1\") "
          "{ n:[ubyte] (nested_flatbuffer: \"B\"); }",
          "A.n: nested_flatbuffer is refused" },
        { "enum E : int { x = 0 } struct A (kind: \"1\") { e:E; p:int; }",
          "enum E: its type must be ubyte or ushort" },
        { "table A (kind: \"1\") { register:long; }", "A.register: the name is a word of C" },
        { "table A (kind: \"1\") { build:long; }", "A.build: the name is taken" },
        { "table A (kind: \"1\") { a:double (fixed); }", "A.a: fixed and instant are for" },
        { "/// ends */ early\nstruct A (kind: \"1\") { a:long; }",
          "holds a character that C cannot" },
        { "struct A (kind: \"1\") {\n/// a \\ b\na:long; }", "holds a character that C cannot" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        char said[4096];
        compile_text(list[i].text);
        if (list[i].expect == NULL) {
            assert_int_equal(generate(said), 0);
            assert_string_equal(said, "");
            continue;
        }
        assert_int_equal(generate(said), 1);
        if (strstr(said, list[i].expect) == NULL) fail_msg("%s\nsaid %s", list[i].text, said);
        assert_int_equal(strncmp(said, "schema_gen: ", 12), 0);
        assert_int_equal(strcspn(said, "\n"), strlen(said) - 1); /* one line */
    }
}

/* Everything the language has that we take: every_type.fbs and .c. */
static void every_type(void **state) {
    const char *source = getenv("SHRIKE_SOURCE");
    char said[4096], command[8192];
    (void)state;
    assert_non_null(source);
    snprintf(command, sizeof command, "cp %s/tests/schemas/every_type.fbs %s/t.fbs", source, dir);
    assert_int_equal(system(command), 0);
    compile();
    if (generate(said) != 0) fail_msg("%s", said);
    /* schemas/messages.h is this schema's, the rest ours */
    snprintf(command, sizeof command,
             "cd %s/out && mkdir -p schemas && cp messages.h schemas && cc -std=c11 -D_GNU_SOURCE "
             "-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes "
             "-fno-strict-aliasing -g -fsanitize=address,undefined -fno-sanitize-recover=all "
             "-I. -I%s -o test %s/tests/schemas/every_type.c messages.c %s/schemas/verify.c "
             "%s/schemas/build.c >../said 2>&1 && ./test >../said 2>&1",
             dir, source, source, source, source);
    if (system(command) != 0) {
        read_file("said", said, sizeof said);
        fail_msg("%s", said);
    }
}

/* A damaged .bfbs never crashes the generator. */
static void damaged(void **state) {
    static char whole[1 << 16], hurt[1 << 16];
    char said[4096];
    uint64_t seed = 20240503;
    size_t cnt;
    (void)state;
    compile_text(
        "enum E : ubyte { x = 0 } struct A (kind: \"1\") { e:E; a:ubyte; p:ushort; q:uint; }\n"
        "table B (kind: \"2\") { a:long; s:string; }");
    cnt = read_file("t.bfbs", whole, sizeof whole);
    printf("seed %llu, %zu bytes\n", (unsigned long long)seed, cnt);
    for (size_t size = 0; size < cnt; size += 13) {
        write_file("t.bfbs", whole, size);
        generate(said);
    }
    for (int i = 0; i < 150; i++) {
        memcpy(hurt, whole, cnt);
        for (int n = 0; n < 3; n++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            hurt[(seed >> 33) % cnt] = (char)(seed >> 24);
        }
        write_file("t.bfbs", hurt, cnt);
        generate(said);
    }
}

/* main finds the generator and makes a folder. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults),
        cmocka_unit_test(every_type),
        cmocka_unit_test(damaged),
    };
    const char *bin = getenv("SHRIKE_BIN");
    char command[128];
    int failed;
    if (bin == NULL || strrchr(bin, '/') == NULL) {
        fprintf(stderr, "run by ctest: SHRIKE_BIN is not set\n");
        return 1;
    }
    snprintf(generator, sizeof generator, "%.*s/schemas/schema_gen", (int)(strrchr(bin, '/') - bin),
             bin);
    if (mkdtemp(dir) == NULL) return 1;
    snprintf(command, sizeof command, "mkdir %s/out", dir);
    if (system(command) != 0) return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) != 0 ? 1 : failed;
}
