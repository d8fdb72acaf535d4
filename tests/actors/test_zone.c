/* Goal: instants are shown as the clocks of a place show them, over both changes of a year, and
 * turned back; names that are no zones are refused.
 * Method: instants around changes of clocks as the tz database 2024a has them (zdump -v). */
#include "actors/market/zone.h"
#include "tests/support/check.h"

/* An instant and what clocks show. */
static const struct {
    const char *zone; /* where */
    int64_t utc_s;    /* s since 1970 */
    const char *text; /* what the clocks show */
} shown[] = {
    { "UTC", 0, "1970-01-01 00:00:00" },
    { "UTC", 1709251199, "2024-02-29 23:59:59" },
    { "Asia/Shanghai", 1704067200, "2024-01-01 08:00:00" },
    { "Asia/Shanghai", 1719763200, "2024-07-01 00:00:00" },
    { "America/New_York", 1710053999, "2024-03-10 01:59:59" },
    { "America/New_York", 1710054000, "2024-03-10 03:00:00" },
    { "America/New_York", 1730613599, "2024-11-03 01:59:59" },
    { "America/New_York", 1730613600, "2024-11-03 01:00:00" },
    { "America/New_York", 1143961199, "2006-04-02 01:59:59" },
    { "America/New_York", 1143961200, "2006-04-02 03:00:00" },
    { "America/New_York", 1162101600, "2006-10-29 01:00:00" },
    { "Europe/London", 1711846799, "2024-03-31 00:59:59" },
    { "Europe/London", 1711846800, "2024-03-31 02:00:00" },
    { "Europe/London", 1729990800, "2024-10-27 01:00:00" },
    { "Europe/Berlin", 1711846800, "2024-03-31 03:00:00" },
    { "+05:30", 1704067200, "2024-01-01 05:30:00" },
    { "-09:30", 1704067200, "2023-12-31 14:30:00" },
};

/* test_shown: see Goal. */
static void test_shown(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        struct mk_zone z;
        char text[MK_ZONE_TEXT];
        assert_true(mk_zone_named(shown[i].zone, &z));
        assert_string_equal(z.name, shown[i].zone);
        assert_string_equal(mk_zone_text(&z, shown[i].utc_s * 1000000000 + 7, text), shown[i].text);
    }
}

/* test_back: local times turned back are the instants they came from, but for the hour that is
 * there twice. */
static void test_back(void **state) {
    (void)state;
    uint64_t gen = 5;
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        struct mk_zone z;
        assert_true(mk_zone_named(shown[i].zone, &z));
        for (int n = 0; n < 500; n++) {
            const int64_t ns = gen_range(&gen, 946684800, 1893456000) * 1000000000;
            const int64_t off = mk_zone_instant(&z, mk_zone_local(&z, ns)) - ns;
            CHECK(5, off == 0 || off == 3600000000000LL || off == -3600000000000LL);
            if (off != 0) CHECK(5, mk_zone_local(&z, ns + off) == mk_zone_local(&z, ns));
        }
    }
}

/* test_names: main places are found again by what they keep; what is no zone is refused. */
static void test_names(void **state) {
    (void)state;
    static const char *const wrong[] = { "",       "Asia",  "asia/shanghai", "+8:00", "+08:60",
                                         "+14:01", "08:00", "+08:000",       "UTC " };
    static const char *const main_places[] = { "UTC",           "Asia/Shanghai", "America/New_York",
                                               "Europe/London", "+05:30",        "-03:30" };
    struct mk_zone z, like;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(mk_zone_named(wrong[i], &z));
    for (size_t i = 0; i < sizeof main_places / sizeof main_places[0]; i++) {
        assert_true(mk_zone_named(main_places[i], &z));
        mk_zone_like(z.offset_ns, z.dst, &like);
        assert_string_equal(like.name, main_places[i]);
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shown), cmocka_unit_test(test_back),
                                        cmocka_unit_test(test_names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
