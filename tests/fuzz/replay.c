/* Goal    what the fuzzer starts from stays harmless in every build, without libFuzzer.
 * Method  each file of the corpus goes to LLVMFuzzerTestOneInput whole, cut short, and with bytes
 *         changed from a printed seed; with no file there is still the empty input and noise. */
#include <dirent.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* LLVMFuzzerTestOneInput is the fuzz target: bytes in, 0 out, never a crash. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bounds: bytes of an input, damaged copies of each, seconds for all. */
enum { INPUT_MAX = 1 << 20, DAMAGES = 200, SECONDS_MAX = 8 };

/* next draws from a splitmix64 generator. */
static uint64_t next(uint64_t *gen) {
    uint64_t z = *gen += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/* feed hands the target a copy of exactly size bytes, so that a sanitizer sees a step past them. */
static void feed(const uint8_t *bytes, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) abort();
    if (size) memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* damage feeds cnt cut and changed copies of bytes (size of them, room for INPUT_MAX). */
static void damage(const uint8_t *bytes, size_t size, int cnt, uint64_t *gen, time_t until) {
    uint8_t *copy = malloc(INPUT_MAX);
    if (!copy) abort();
    for (int i = 0; i < cnt && time(NULL) < until; i++) {
        size_t left = size && next(gen) % 3 == 0 ? next(gen) % size : size;
        memcpy(copy, bytes, left);
        for (uint64_t changes = next(gen) % 4; changes && left; changes--) {
            uint8_t *at = copy + next(gen) % left;
            if (next(gen) % 2)
                *at ^= (uint8_t)(1U << next(gen) % 8);
            else
                *at = (uint8_t)next(gen);
        }
        feed(copy, left);
    }
    free(copy);
}

/* main feeds the corpus in the folder argv[1], which may be absent; argv[2] is the seed. */
int main(int argc, char **argv) {
    uint64_t gen = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    printf("seed %" PRIu64 "\n", gen);
    static uint8_t bytes[INPUT_MAX];
    time_t until = time(NULL) + SECONDS_MAX;
    int files = 0;
    feed(bytes, 0);
    struct dirent **names = NULL;
    int cnt = argc > 1 ? scandir(argv[1], &names, NULL, alphasort) : 0;
    for (int i = 0; i < cnt; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], names[i]->d_name);
        FILE *f = names[i]->d_name[0] == '.' ? NULL : fopen(path, "rb");
        free(names[i]);
        if (!f) continue;
        size_t size = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        feed(bytes, size);
        damage(bytes, size, DAMAGES, &gen, until);
        files++;
    }
    free(names);
    for (size_t i = 0; i < 256; i++) bytes[i] = (uint8_t)next(&gen);
    damage(bytes, 256, DAMAGES, &gen, until);
    printf("%d files of the corpus\n", files);
    return 0;
}
