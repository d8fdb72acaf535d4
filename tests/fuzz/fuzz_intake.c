/* Goal: no text makes import crash, loop or look outside its input, under any policy; what is left
 * is in order and unique. Method: libFuzzer; the first byte is the policy, the second the
 * stream. */
#include "actors/data/commit.h"
#include "actors/data/import.h"
#include "actors/data/recording.h"
#include <assert.h>
#include <stdlib.h>

/* LLVMFuzzerTestOneInput is called by libFuzzer with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt);

/* csv_try reads text as a file of stream (NULL = as it says itself). */
static void csv_try(const char *text, size_t cnt, const struct data_stream *stream,
                    const struct data_quality_options *o) {
    struct rt_error err = { 0 };
    struct data_quality q;
    struct data_table t = { .stream = data_streams };
    struct data_intake in = { .text = text, .cnt = cnt, .stream = stream };
    assert(data_quality_init(&q, o, "f", text, cnt, &err) == 0);
    int rc = data_intake_csv(&in, &t, &q, &err);
    if (rc == 0) rc = data_quality_run(&q, &t, &err);
    assert(rc == 0 || (strncmp(err.text, "f", 1) == 0 && strchr(err.text, '\n') == NULL));
    for (uint64_t row = 1; rc == 0 && row < t.cnt; row++) {
        assert(data_time(&t, row) >= data_time(&t, row - 1));
        assert(!data_table_same_key(&t, row - 1, &t, row));
    }
    struct data_gap *gaps = NULL;
    if (rc == 0) assert(data_gaps(&t, &gaps, 1000) >= 0);
    free(gaps);
    data_table_fini(&t);
    data_quality_fini(&q);
}

/* recording_try reads text as a recording. */
static void recording_try(const char *text, size_t cnt, const struct data_quality_options *o) {
    struct data_table t[DATA_RECORDED_CNT];
    struct data_quality q[DATA_RECORDED_CNT];
    struct data_table *tables[DATA_RECORDED_CNT];
    struct data_quality *found[DATA_RECORDED_CNT];
    struct rt_error err = { 0 };
    char symbol[32];
    uint64_t lines = 0;
    for (int i = 0; i < DATA_RECORDED_CNT; i++) {
        assert(data_quality_init(&q[i], o, "f", text, cnt, &err) == 0);
        tables[i] = &t[i];
        found[i] = &q[i];
    }
    int rc = data_recording_read(text, cnt, tables, found, symbol, &lines, &err);
    for (int i = 0; i < DATA_RECORDED_CNT; i++) {
        for (uint64_t row = 1; rc == 0 && row < t[i].cnt; row++)
            assert(data_time(&t[i], row) >= data_time(&t[i], row - 1));
        if (rc == 0) (void)!data_quality_run(&q[i], &t[i], &err);
        data_table_fini(&t[i]);
        data_quality_fini(&q[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt) {
    static const char *const policies[] = { "",
                                            "all=keep,price_unit=scale",
                                            "all=clip",
                                            "all=forward",
                                            "all=interpolate",
                                            "all=skip",
                                            "all=reject" };
    struct data_quality_options o = { .spike_z = 0 };
    struct rt_error err = { 0 };
    if (cnt < 3 || cnt > 20000) return 0;
    data_policy_default(o.policy);
    assert(data_policy_read(policies[bytes[0] % 7], o.policy, &err) == 0);
    if (data_recording_is((const char *)bytes + 2, cnt - 2)) {
        recording_try((const char *)bytes + 2, cnt - 2, &o);
        return 0;
    }
    csv_try((const char *)bytes + 2, cnt - 2, data_stream_number(bytes[1]), &o);
    return 0;
}
