#include "actors/data/import.h"
#include "actors/data/recording.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* interval_word reads "1m", "4h", "1d", "1w" into ns; 0 when the word is none. */
static int64_t interval_word(const char *word) {
    char *end;
    long n = strtol(word, &end, 10);
    if (end == word || n < 1 || n > 100000) return 0;
    int64_t unit = strcmp(end, "s") == 0   ? 1
                   : strcmp(end, "m") == 0 ? 60
                   : strcmp(end, "h") == 0 ? 3600
                   : strcmp(end, "d") == 0 ? 86400
                   : strcmp(end, "w") == 0 ? 604800
                                           : 0;
    return n * unit * 1000000000LL;
}

/* is_symbol tells whether a word is capitals and digits, with at least two of them, and perhaps a
 * dot ("000001.SZ"). */
static bool is_symbol(const char *word) {
    size_t cnt = 0, digits = 0;
    for (; word[cnt] != '\0'; cnt++) {
        if (islower((unsigned char)word[cnt])) return false;
        digits += isdigit((unsigned char)word[cnt]) != 0;
    }
    return cnt >= 2 && cnt < DATA_STORE_NAME && (digits < cnt || cnt == 6);
}

/* venue_add appends a word of a file's name to a venue's. */
static void venue_add(struct data_set *set, const char *word) {
    size_t at = strlen(set->venue);
    snprintf(set->venue + at, sizeof set->venue - at, "%s%s", at > 0 ? "-" : "", word);
}

void data_guess_set(const char *path, struct data_set *set) {
    static const char *const venues[] = { "binance", "bybit", "okx",  "coinbase", "cme",
                                          "um",      "cm",    "spot", "linear",   "inverse" };
    const char *name = strrchr(path, '/');
    char text[256], *save = NULL;
    *set = (struct data_set){ 0 };
    snprintf(text, sizeof text, "%s", name == NULL ? path : name + 1);
    for (size_t i = 0; i < 2; i++) { /* ".csv.zst" */
        char *dot = strrchr(text, '.');
        if (dot != NULL && (islower((unsigned char)dot[1]) || dot[1] == '\0')) *dot = '\0';
    }
    for (char *w = strtok_r(text, "_-", &save); w != NULL; w = strtok_r(NULL, "_-", &save)) {
        bool venue = false;
        for (size_t i = 0; i < sizeof venues / sizeof venues[0]; i++)
            venue = venue || strcmp(w, venues[i]) == 0;
        if (venue && set->symbol[0] == '\0') {
            venue_add(set, w);
        } else if (interval_word(w) > 0) {
            set->interval_ns = interval_word(w);
        } else if (strcmp(w, "mark") == 0) {
            set->stream = data_stream_find("markPriceKlines");
        } else if (set->symbol[0] == '\0' && is_symbol(w)) {
            snprintf(set->symbol, sizeof set->symbol, "%.31s", w);
        } else if (data_stream_find(w) != NULL) {
            set->stream = data_stream_find(w);
        }
    }
    static const char *const folders[] = { "markPriceKlines", "indexPriceKlines",
                                           "premiumIndexKlines" };
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) { /* their files look alike */
        if (strstr(path, folders[i]) != NULL) set->stream = data_stream_find(folders[i]);
    }
    if (set->venue[0] == '\0') {
        snprintf(set->venue, sizeof set->venue, "%s",
                 strstr(path, "futures/um") != NULL   ? "binance-um"
                 : strstr(path, "futures/cm") != NULL ? "binance-cm"
                 : strstr(path, "spot/") != NULL      ? "binance-spot"
                                                      : "");
    }
}

/* set_make puts together what is told and what is guessed. */
static int set_make(const struct data_load *l, const struct data_load_options *o, const char *path,
                    struct data_set *set, struct rt_error *err) {
    data_guess_set(path, set);
    if (o->venue != NULL) snprintf(set->venue, sizeof set->venue, "%.31s", o->venue);
    if (o->symbol != NULL) snprintf(set->symbol, sizeof set->symbol, "%.31s", o->symbol);
    if (o->stream != NULL) set->stream = o->stream;
    if (o->interval_ns > 0) set->interval_ns = o->interval_ns;
    if (set->venue[0] != '\0' && !data_set_name_ok(set->venue))
        return rt_error_set(err, -EINVAL, "%s: \"%s\" cannot be a venue", l->name, set->venue);
    if (set->symbol[0] != '\0' && !data_set_name_ok(set->symbol))
        return rt_error_set(err, -EINVAL, "%s: \"%s\" cannot be a symbol", l->name, set->symbol);
    return 0;
}

/* csv_load reads a file of one set. */
static int csv_load(struct data_load *l, const struct data_load_options *o,
                    const struct data_set *set, struct rt_error *err) {
    struct data_loaded *d = &l->set[l->set_cnt++];
    struct data_intake in = { .text = l->file.bytes,
                              .cnt = l->file.cnt,
                              .stream = set->stream,
                              .interval_ns = set->interval_ns };
    *d = (struct data_loaded){ .set = *set };
    int rc = data_quality_init(&d->quality, &o->quality, l->name, in.text, in.cnt, err);
    if (rc == 0) rc = data_intake_csv(&in, &d->table, &d->quality, err);
    d->set.stream = in.stream;
    d->first_line = in.first_line;
    d->last_line = in.last_line;
    if (rc != 0) return rc;
    d->set.interval_ns = in.stream->interval ? in.interval_ns : 0;
    return data_quality_run(&d->quality, &d->table, err);
}

/* recording_load reads a file of several sets. Those without rows are let go. */
static int recording_load(struct data_load *l, const struct data_load_options *o,
                          const struct data_set *set, struct rt_error *err) {
    struct data_table *tables[DATA_RECORDED_CNT];
    struct data_quality *q[DATA_RECORDED_CNT];
    char symbol[DATA_STORE_NAME];
    uint64_t lines = 0;
    int rc = 0;
    for (uint32_t i = 0; i < DATA_RECORDED_CNT; i++) {
        struct data_loaded *d = &l->set[l->set_cnt++];
        *d = (struct data_loaded){ .set = *set };
        int code =
            data_quality_init(&d->quality, &o->quality, l->name, l->file.bytes, l->file.cnt, err);
        if (code != 0) rc = code;
        tables[i] = &d->table;
        q[i] = &d->quality;
    }
    if (rc == 0)
        rc = data_recording_read(l->file.bytes, l->file.cnt, tables, q, symbol, &lines, err);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < DATA_RECORDED_CNT; i++) {
        struct data_loaded *d = &l->set[i];
        d->set.stream = d->table.stream;
        d->set.interval_ns = 0;
        if (d->set.symbol[0] == '\0' && data_set_name_ok(symbol))
            snprintf(d->set.symbol, sizeof d->set.symbol, "%s", symbol);
        if (d->table.cnt > 0) {
            d->first_line = d->table.line[0];
            d->last_line = d->table.line[d->table.cnt - 1];
        }
        d->quality.rows_in = d->table.cnt;
        if (rc == 0) rc = data_quality_run(&d->quality, &d->table, err);
        const bool used = d->table.cnt > 0 || (rc != 0 && i == 0) || d->quality.fault_cnt > 0;
        const bool asked = o->stream == NULL || o->stream == d->set.stream;
        if (used && asked) {
            l->set[kept++] = *d;
        } else {
            if (d->table.stream != NULL) data_table_fini(&d->table);
            data_quality_fini(&d->quality);
        }
    }
    l->set_cnt = kept;
    return rc;
}

int data_load_file(const char *path, const struct data_load_options *options, struct data_load *l,
                   struct rt_error *err) {
    struct data_set set;
    *l = (struct data_load){ 0 };
    const char *name = strrchr(path, '/');
    l->name = name == NULL ? path : name + 1;
    int rc = set_make(l, options, path, &set, err);
    if (rc == 0) rc = data_file_open(NULL, path, &l->file, err);
    if (rc != 0) return rc;
    return data_recording_is(l->file.bytes, l->file.cnt) ? recording_load(l, options, &set, err)
                                                         : csv_load(l, options, &set, err);
}

void data_load_close(struct data_load *l) {
    for (uint32_t i = 0; i < l->set_cnt; i++) {
        if (l->set[i].table.stream != NULL) data_table_fini(&l->set[i].table);
        data_quality_fini(&l->set[i].quality);
    }
    data_file_close(&l->file);
    l->set_cnt = 0;
}
