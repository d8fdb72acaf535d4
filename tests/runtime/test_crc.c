/* Goal: CRC-32C, SHA-256 and the state hash are the published ones, in one go, in pieces, and (CRC)
 * while copying.
 * Method: vectors of RFC 3720 B.4, FIPS 180-4 / NIST CAVP and the xxHash specification; bitwise
 * twin of the CRC on every length. */
#include "runtime/base/crc32c.h"
#include "runtime/base/hash.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* RFC 3720, B.4: 32 bytes each, and an iSCSI read command; and the check value of "123456789". */
static void test_crc_vectors(void **state) {
    (void)state;
    uint8_t b[48];
    memset(b, 0, 32);
    assert_int_equal(rt_crc32c(b, 32), 0x8a9136aa);
    memset(b, 0xff, 32);
    assert_int_equal(rt_crc32c(b, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++) b[i] = (uint8_t)i;
    assert_int_equal(rt_crc32c(b, 32), 0x46dd794e);
    for (int i = 0; i < 32; i++) b[i] = (uint8_t)(31 - i);
    assert_int_equal(rt_crc32c(b, 32), 0x113fdb5c);
    static const uint8_t read_command[48] = {
        0x01, 0xc0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
        0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0,    0,
    };
    assert_int_equal(rt_crc32c(read_command, 48), 0xd9963a56);
    assert_int_equal(rt_crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(rt_crc32c("", 0), 0);
}

/* bitwise is the CRC by its definition. */
static uint32_t bitwise(const uint8_t *bytes, size_t cnt) {
    uint32_t sum = ~0U;
    for (size_t i = 0; i < cnt; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (0x82f63b78U & -(sum & 1));
    }
    return ~sum;
}

/* Every length and every cut agrees with the definition; so does the copy, and it copies. */
static void test_crc_pieces(void **state) {
    (void)state;
    uint8_t b[264], to[264];
    for (size_t i = 0; i < sizeof b; i++) b[i] = (uint8_t)(i * 37 + 11);
    for (size_t cnt = 0; cnt <= 256; cnt++) {
        for (size_t shift = 0; shift < 8; shift++)
            assert_int_equal(rt_crc32c(b + shift, cnt), bitwise(b + shift, cnt));
        size_t cut = cnt / 3;
        uint32_t sum = rt_crc32c_add((uint32_t)RT_CRC32C_START, b, cut);
        assert_int_equal(~rt_crc32c_add(sum, b + cut, cnt - cut), bitwise(b, cnt));
        if (cnt % 8 != 0) continue;
        memset(to, 0, sizeof to);
        sum = rt_crc32c_copy((uint32_t)RT_CRC32C_START, to + 1, b + 1, cnt);
        assert_int_equal(~sum, bitwise(b + 1, cnt));
        assert_memory_equal(to + 1, b + 1, cnt);
        assert_int_equal(to[0] | to[cnt + 1], 0);
    }
}

/* check_sha hashes text whole and byte by byte and compares with the published hex. */
static void check_sha(const char *text, size_t cnt, const char *expected) {
    uint8_t hash[RT_SHA256_BYTES];
    char hex[RT_SHA256_CHARS + 1];
    rt_sha256(text, cnt, hash);
    rt_sha256_hex(hash, hex);
    assert_string_equal(hex, expected);
    struct rt_sha256 h;
    rt_sha256_init(&h);
    for (size_t i = 0; i < cnt; i++) rt_sha256_add(&h, text + i, 1);
    rt_sha256_end(&h, hash);
    rt_sha256_hex(hash, hex);
    assert_string_equal(hex, expected);
}

/* NIST's examples. */
static void test_sha_vectors(void **state) {
    (void)state;
    check_sha("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_sha("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    check_sha(million, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");

    /* The same million through a file, and a file that is not there. */
    char path[] = "/tmp/test_crc.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, million, 1000000), 1000000);
    close(fd);
    free(million);
    uint8_t hash[RT_SHA256_BYTES];
    char hex[RT_SHA256_CHARS + 1];
    struct rt_error err = { 0 };
    assert_int_equal(rt_sha256_file(path, hash, &err), 0);
    rt_sha256_hex(hash, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    unlink(path);
    assert_int_equal(rt_sha256_file(path, hash, &err), -ENOENT);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(rt_sha256_file("/", hash, &err), -EISDIR);
}

/* XXH64: sanity buffer and sums of the reference implementation's own check (xsum_sanity_check.c):
 * bytes are the top bytes of a generator that starts at 2654435761 and multiplies by prime 64. */
static void test_hash64_vectors(void **state) {
    (void)state;
    uint8_t b[2367];
    uint64_t gen = 2654435761U;
    for (size_t i = 0; i < sizeof b; i++) {
        b[i] = (uint8_t)(gen >> 56);
        gen *= 11400714785074694797ULL;
    }
    static const struct {
        size_t cnt;
        uint64_t seed, sum;
    } sums[] = {
        { 0, 0, 0xef46db3751d8e999ULL },
        { 0, 2654435761U, 0xac75fda2929b17efULL },
        { 1, 0, 0xe934a84adb052768ULL },
        { 1, 2654435761U, 0x5014607643a9b4c3ULL },
        { 4, 0, 0x9136a0dca57457eeULL },
        { 14, 0, 0x8282dcc4994e35c8ULL },
        { 14, 2654435761U, 0xc3bd6bf63deb6df0ULL },
        { 222, 0, 0xb641ae8cb691c174ULL },
        { 222, 2654435761U, 0x20cb8ab7ae10c14aULL },
    };
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        uint64_t sum = rt_hash64(sums[i].seed, b, sums[i].cnt);
        if (sum != sums[i].sum) fail_msg("%zu bytes: %llx", sums[i].cnt, (unsigned long long)sum);
    }
    assert_true(rt_hash64(0, "abc", 3) == 0x44bc2cf5ad770999ULL);

    /* The place of the bytes does not matter. */
    static uint8_t moved[8 + 128];
    for (size_t shift = 0; shift < 8; shift++) {
        memcpy(moved + shift, b, 128);
        assert_true(rt_hash64(5, moved + shift, 128) == rt_hash64(5, b, 128));
    }
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc_vectors),
        cmocka_unit_test(test_crc_pieces),
        cmocka_unit_test(test_sha_vectors),
        cmocka_unit_test(test_hash64_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
