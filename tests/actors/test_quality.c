/* Goal    what is wrong with rows is found, named with its line, and answered as declared; what is
 *         changed or left out is noted, and nothing else changes.
 * Method  a corpus of small files, each sound but for one fault that was put in by hand, with the
 *         first fault, the answer and the rows left that it must give; random damage to sound rows;
 *         the recorded files' own faults, as their README counts them. */
#include "actors/data/import.h"
#include "tests/support/market_data.h"
#include <errno.h>

/* load reads a file by a policy ("min-rows": at least ten rows). */
static int load(const char *path, const char *policy, struct data_load *l, struct rt_error *err) {
    struct data_load_options o = { .venue = "test", .symbol = "AAAUSDT" };
    data_policy_default(o.quality.policy);
    if (strcmp(policy, "min-rows") == 0) {
        o.quality.rows_min = 10;
    } else {
        assert_int_equal(data_policy_read(policy, o.quality.policy, err), 0);
    }
    return data_load_file(path, &o, l, err);
}

/* fault_of writes "line kind answer what" of the first fault, or the error when there is none. */
static void fault_of(const struct data_load *l, const struct rt_error *err, char out[300]) {
    const struct data_quality *q = &l->set[0].quality;
    if (l->set_cnt == 0 || q->fault_cnt == 0) {
        snprintf(out, 300, "%.250s", err->text);
        return;
    }
    const struct data_fault *f = &q->faults[0];
    snprintf(out, 300, "%llu %s %s %s", (unsigned long long)f->line, data_fault_names[f->kind],
             data_action_names[f->action], f->text);
}

/* rows_sound asserts what every table has once it was checked: order, one row a key, sound bars. */
static void rows_sound(const char *name, const struct data_table *t) {
    for (uint64_t row = 0; row < t->cnt; row++) {
        if (row > 0 && t->stream->interval && data_time(t, row) <= data_time(t, row - 1))
            fail_msg("%s: row %llu out of order", name, (unsigned long long)row);
        if (!t->stream->interval) continue;
        int64_t o = data_i64(t, row, DATA_BAR_OPEN), h = data_i64(t, row, DATA_BAR_HIGH);
        int64_t l = data_i64(t, row, DATA_BAR_LOW), c = data_i64(t, row, DATA_BAR_CLOSE);
        if (l <= 0 || h < o || h < c || l > o || l > c)
            fail_msg("%s: row %llu: %lld %lld %lld %lld", name, (unsigned long long)row,
                     (long long)o, (long long)h, (long long)l, (long long)c);
        assert_true(data_f64(t, row, DATA_BAR_VOLUME) >= 0);
    }
}

/* Goal: each file of the corpus gives its fault, its answer and its rows. */
static void test_corpus(void **state) {
    (void)state;
    char path[4200], line[600], found[300];
    snprintf(path, sizeof path, "%s/tests/data/faulty/expected.txt", md_tree());
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    int cases = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        if (line[0] == '#') continue;
        line[strcspn(line, "\n")] = '\0';
        char *save = line;
        const char *file = strsep(&save, "\t"), *policy = strsep(&save, "\t");
        const long rows = strtol(strsep(&save, "\t"), NULL, 10);
        const char *first = save;
        struct rt_error err = { 0 };
        struct data_load l;
        snprintf(path, sizeof path, "%s/tests/data/faulty/%s", md_tree(), file);
        int rc = load(path, policy, &l, &err);
        fault_of(&l, &err, found);
        if ((rc == 0) != (rows >= 0)) fail_msg("%s: %d %s", file, rc, err.text);
        const char *said = strstr(found, first); /* errors begin with the path */
        if (said == NULL || (said != found && said[-1] != '/'))
            fail_msg("%s: \"%s\"; expected \"%s\"", file, found, first);
        if (rc == 0 && l.set[0].table.cnt != (uint64_t)rows)
            fail_msg("%s: %llu rows; expected %ld", file, (unsigned long long)l.set[0].table.cnt,
                     rows);
        if (rc == 0) rows_sound(file, &l.set[0].table);
        if (rc != 0) { /* one line, and it names the file */
            assert_non_null(strstr(err.text, file));
            assert_null(strchr(err.text, '\n'));
        }
        const struct data_quality *q = &l.set[0].quality; /* a note for each change and row */
        uint64_t notes = 0;
        for (size_t i = 0; rc == 0 && i < q->notes_cnt; i++) notes += q->notes[i] == '\n';
        if (rc == 0) assert_int_equal(notes, 1 + q->left_out + q->repaired);
        data_load_close(&l);
        cases++;
    }
    (void)fclose(f);
    assert_true(cases >= 40);
}

/* Goal: a change is noted with what was and what is; a row left out with its text. Method: the
 * notes of two files, word for word. */
static void test_notes(void **state) {
    (void)state;
    char path[4200];
    struct rt_error err = { 0 };
    struct data_load l;
    snprintf(path, sizeof path, "%s/tests/data/faulty/price_times_100_scale.csv", md_tree());
    assert_int_equal(load(path, "price_unit=scale", &l, &err), 0);
    assert_non_null(
        strstr(l.set[0].quality.notes,
               "repaired,20,2024-01-01T00:18:00Z,close,10009,100.09,price_unit scale,\n"));
    assert_int_equal(l.set[0].quality.repaired, 24);
    data_load_close(&l);
    snprintf(path, sizeof path, "%s/tests/data/faulty/price_negative.csv", md_tree());
    assert_int_equal(load(path, "", &l, &err), 0);
    assert_non_null(strstr(l.set[0].quality.notes, "left_out,13,2024-01-01T00:11:00Z,,,,range "
                                                   "skip,\"1704067860000,"));
    data_load_close(&l);
}

/* Goal: policies are read, and refused where they make no sense. */
static void test_policies(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        { "spike", "policy \"spike\"; expected KIND=ACTION" },
        { "spikes=clip", "policy \"spikes=clip\"; expected KIND=ACTION" },
        { "spike=mend", "policy \"spike=mend\"; expected KIND=ACTION" },
        { "malformed=clip", "policy: malformed cannot be answered with clip" },
        { "gap=keep,order=forward", "policy: order cannot be answered with forward" },
    };
    uint8_t policy[DATA_FAULT_CNT];
    struct rt_error err = { 0 };
    data_policy_default(policy);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(data_policy_read(bad[i][0], policy, &err), -EINVAL);
        assert_string_equal(err.text, bad[i][1]);
    }
    assert_int_equal(data_policy_read("all=reject,gap=keep", policy, &err), 0);
    assert_int_equal(policy[DATA_FAULT_GAP], DATA_KEEP);
    assert_int_equal(policy[DATA_FAULT_SPIKE], DATA_REJECT);
}

/* Goal: whatever is done to a sound file, nothing but an error or sound rows comes of it. Method:
 * random bytes of it are changed, lines moved and doubled, under random policies. */
static void test_damaged(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        uint64_t gen = seed;
        char text[16000];
        size_t cnt = (size_t)snprintf(text, sizeof text, "time,open,high,low,close,volume\n");
        for (int i = 0; i < 200; i++) {
            int64_t p = 10000 + gen_range(&gen, -20, 20);
            cnt +=
                (size_t)snprintf(text + cnt, sizeof text - cnt,
                                 "%lld,%lld.5,%lld,%lld,%lld.25,%d\n", 1704067200LL + i * 60,
                                 (long long)p, (long long)p + 2, (long long)p - 1, (long long)p, i);
        }
        for (int64_t i = gen_range(&gen, 1, 30); i > 0; i--) {
            size_t at = (size_t)gen_range(&gen, 33, (int64_t)cnt - 1);
            text[at] = "0123456789.,-\nxN"[gen_range(&gen, 0, 15)];
        }
        struct data_quality_options o = { .spike_z = 20 };
        data_policy_default(o.policy);
        static const char *const policies[] = { "all=skip", "all=clip", "all=forward",
                                                "all=interpolate", "all=keep,price_unit=scale" };
        struct rt_error err = { 0 };
        if (seed % 3 != 0) {
            CHECK(seed, data_policy_read(policies[gen_range(&gen, 0, 4)], o.policy, &err) == 0);
        }
        struct data_quality q;
        struct data_intake in = { .text = text, .cnt = cnt, .interval_ns = 60000000000LL };
        struct data_table t = { 0 };
        CHECK(seed, data_quality_init(&q, &o, "damaged", text, cnt, &err) == 0);
        int rc = data_intake_csv(&in, &t, &q, &err);
        if (rc == 0) rc = data_quality_run(&q, &t, &err);
        if (rc == 0) {
            rows_sound("damaged", &t);
            uint64_t rows = 0;
            for (uint64_t i = 0; i < q.day_cnt; i++) rows += q.days[i].rows;
            CHECK(seed, rows == t.cnt && q.rows_out == t.cnt);
        } else {
            CHECK(seed, rc == -EBADMSG && strncmp(err.text, "damaged:", 8) == 0);
        }
        data_table_fini(&t);
        data_quality_fini(&q);
    }
}

/* Goal: the recorded files' real faults are found. Method: figures of the READMEs beside them. */
static void test_recorded(void **state) {
    (void)state;
    static const struct {
        const char *file;          /* below the recorded data */
        enum data_fault_kind kind; /* what is wrong */
        uint64_t least, most;      /* how often */
        uint64_t missing;          /* bars missing, UINT64_MAX = not told */
    } cases[] = {
        { "faulty/binance_spot_BNBUSDT_5m_gap.csv.zst", DATA_FAULT_GAP, 2, 2, 202 },
        { "faulty/binance_spot_BTCUSDT_1h_2017-2020_raw.csv.zst", DATA_FAULT_MISALIGNED, 43, 43,
          139 }, /* 96 and the 43 */
        { "faulty/coinbase_BTCUSD_1h_raw.csv.zst", DATA_FAULT_ORDER, 1, 6, UINT64_MAX },
        { "klines/binance_um_FILUSDT_1m_2024-10.csv.zst", DATA_FAULT_REPEATED, 2, 2, 0 },
        { "../equities_cn/faulty/601006.SH_1d_qfq_tdx.csv.zst", DATA_FAULT_RANGE, 31, 31,
          UINT64_MAX },
        { "../equities_us/minute/SPY_1m_2025-07_halfday.csv.zst", DATA_FAULT_SPIKE, 90, 140,
          UINT64_MAX }, /* 122 bars more than 0.3 % off */
    };
    char dir[4096], path[4300];
    if (!md_shared(dir)) skip();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rt_error err = { 0 };
        struct data_load l;
        snprintf(path, sizeof path, "%s/%s", dir, cases[i].file);
        if (load(path, "", &l, &err) != 0) fail_msg("%s", err.text);
        const struct data_quality *q = &l.set[0].quality;
        if (q->counts[cases[i].kind] < cases[i].least || q->counts[cases[i].kind] > cases[i].most)
            fail_msg("%s: %llu", path, (unsigned long long)q->counts[cases[i].kind]);
        if (cases[i].missing != UINT64_MAX) assert_int_equal(q->gap_rows, cases[i].missing);
        rows_sound(path, &l.set[0].table);
        data_load_close(&l);
    }
}

/* Goal: sources that disagree are told apart: 22 of 24 hours of 2024-10-28 are equal in the archive
 * and the long file (README). Method: the day against the same hours made of five minutes would
 * need resampling; the day against itself, and with two closes changed. */
static void test_against(void **state) {
    (void)state;
    char path[4200];
    struct rt_error err = { 0 };
    struct data_load a, b;
    snprintf(path, sizeof path, "%s/tests/data/faulty/gap.csv", md_tree());
    assert_int_equal(load(path, "", &a, &err), 0);
    assert_int_equal(load(path, "", &b, &err), 0);
    data_quality_against(&a.set[0].quality, &a.set[0].table, &b.set[0].table, 1e-9);
    assert_int_equal(a.set[0].quality.counts[DATA_FAULT_SWITCH], 0);
    data_i64_put(&b.set[0].table, 3, DATA_BAR_CLOSE,
                 data_i64(&b.set[0].table, 3, DATA_BAR_CLOSE) + 1);
    data_f64_put(&b.set[0].table, 9, DATA_BAR_VOLUME, 77);
    data_quality_against(&a.set[0].quality, &a.set[0].table, &b.set[0].table, 1e-12);
    assert_int_equal(a.set[0].quality.counts[DATA_FAULT_SWITCH], 2);
    data_load_close(&a);
    data_load_close(&b);
}

/* Goal: times as text are read, and nothing else. Method: figures of `date -u -d`. */
static void test_text_times(void **state) {
    (void)state;
    static const struct {
        const char *text; /* as files have it */
        int64_t ns;       /* what it is, -1 = nothing */
    } cases[] = {
        { "2017-08-17 04:00:00.000", 1502942400000000000LL },
        { "2018-02-09 09:28:14.789", 1518168494789000000LL },
        { "2019-10-17 09-AM", 1571302800000000000LL },
        { "2019-10-17 12-AM", 1571270400000000000LL },
        { "2019-10-17 12-PM", 1571313600000000000LL },
        { "2000-02-29", 951782400000000000LL },
        { "2024-01-31T12:00:00Z", 1706702400000000000LL },
        { "2024-01-31 12:00", 1706702400000000000LL },
        { "2024-13-31", -1 },
        { "2024-01-31 25:00:00", -1 },
        { "2024-01-31x12:00:00", -1 },
        { "2024-01-31 12:00:0", -1 },
        { "2024-01-31 12:00:00.", -1 },
        { "2019-10-17 13-PM", -1 },
        { "20240131", -1 },
        { "", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ns = -1;
        bool fine = data_text_time(cases[i].text, strlen(cases[i].text), &ns);
        if (fine != (cases[i].ns >= 0) || (fine && ns != cases[i].ns))
            fail_msg("\"%s\": %d %lld", cases[i].text, fine, (long long)ns);
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus),     cmocka_unit_test(test_notes),
        cmocka_unit_test(test_policies),   cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_recorded),   cmocka_unit_test(test_against),
        cmocka_unit_test(test_text_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
