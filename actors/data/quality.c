#include "actors/data/quality.h"
#include "actors/data/grid.h"
#include "actors/data/intake.h"
#include "actors/data/scan.h"
#include "schemas/messages.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define DAY_NS 86400000000000LL

enum { NOTE_BYTES = 4 * DATA_LINE_MAX /* of a line that is left out, in the notes */ };

const char *const data_fault_names[DATA_FAULT_CNT] = {
    "malformed",  "missing",  "range",   "order", "duplicate", "conflict",
    "misaligned", "gap",      "ohlc",    "spike", "volume",    "price_unit",
    "time_unit",  "repeated", "crossed", "clock", "short",     "switch",
};

const char *const data_action_names[DATA_ACTION_CNT] = {
    "keep", "skip", "drop", "forward", "interpolate", "clip", "scale", "sort", "reject",
};

/* Actions each kind may be answered with, as bits, and the default. */
static const struct rule {
    uint16_t may;     /* bits of enum data_action */
    uint8_t standard; /* the default */
} rules[DATA_FAULT_CNT] = {
#define MAY(a) (1U << DATA_##a)
    [DATA_FAULT_MALFORMED] = { MAY(SKIP) | MAY(DROP) | MAY(REJECT), DATA_SKIP },
    [DATA_FAULT_MISSING] = { MAY(SKIP) | MAY(DROP) | MAY(FORWARD) | MAY(INTERPOLATE) | MAY(REJECT),
                             DATA_SKIP },
    [DATA_FAULT_RANGE] = { MAY(SKIP) | MAY(DROP) | MAY(FORWARD) | MAY(INTERPOLATE) | MAY(REJECT),
                           DATA_SKIP },
    [DATA_FAULT_ORDER] = { MAY(SORT) | MAY(SKIP) | MAY(DROP) | MAY(REJECT), DATA_SORT },
    [DATA_FAULT_DUPLICATE] = { MAY(DROP) | MAY(SKIP) | MAY(REJECT), DATA_DROP },
    [DATA_FAULT_CONFLICT] = { MAY(SKIP) | MAY(DROP) | MAY(REJECT), DATA_SKIP },
    [DATA_FAULT_MISALIGNED] = { MAY(SKIP) | MAY(DROP) | MAY(REJECT), DATA_SKIP },
    [DATA_FAULT_GAP] = { MAY(KEEP) | MAY(FORWARD) | MAY(INTERPOLATE) | MAY(REJECT), DATA_KEEP },
    [DATA_FAULT_OHLC] = { MAY(SKIP) | MAY(DROP) | MAY(CLIP) | MAY(REJECT), DATA_SKIP },
    [DATA_FAULT_SPIKE] = { MAY(KEEP) | MAY(SKIP) | MAY(DROP) | MAY(CLIP) | MAY(FORWARD) |
                               MAY(INTERPOLATE) | MAY(REJECT),
                           DATA_KEEP },
    [DATA_FAULT_VOLUME] = { MAY(KEEP) | MAY(SKIP) | MAY(DROP) | MAY(REJECT), DATA_KEEP },
    [DATA_FAULT_PRICE_UNIT] = { MAY(KEEP) | MAY(SKIP) | MAY(DROP) | MAY(SCALE) | MAY(REJECT),
                                DATA_REJECT },
    [DATA_FAULT_TIME_UNIT] = { MAY(SCALE) | MAY(SKIP) | MAY(DROP) | MAY(REJECT), DATA_SCALE },
    [DATA_FAULT_REPEATED] = { MAY(KEEP) | MAY(SKIP) | MAY(DROP) | MAY(REJECT), DATA_KEEP },
    [DATA_FAULT_CROSSED] = { MAY(KEEP) | MAY(SKIP) | MAY(DROP) | MAY(REJECT), DATA_SKIP },
    [DATA_FAULT_CLOCK] = { MAY(KEEP) | MAY(REJECT), DATA_KEEP },
    [DATA_FAULT_SHORT] = { MAY(KEEP) | MAY(REJECT), DATA_REJECT },
    [DATA_FAULT_SWITCH] = { MAY(KEEP) | MAY(REJECT), DATA_KEEP },
#undef MAY
};

void data_policy_default(uint8_t policy[DATA_FAULT_CNT]) {
    for (int k = 0; k < DATA_FAULT_CNT; k++) policy[k] = rules[k].standard;
}

/* word_find finds a word of cnt bytes in a list; -1 = it is none of them. */
static int word_find(const char *const *words, int word_cnt, const char *text, size_t cnt) {
    for (int i = 0; i < word_cnt; i++) {
        if (strlen(words[i]) == cnt && memcmp(words[i], text, cnt) == 0) return i;
    }
    return -1;
}

int data_policy_read(const char *text, uint8_t policy[DATA_FAULT_CNT], struct rt_error *err) {
    while (*text != '\0') {
        size_t cnt = strcspn(text, ","), name = strcspn(text, "=,");
        const bool all = name == 3 && memcmp(text, "all", 3) == 0;
        int kind = all ? 0 : word_find(data_fault_names, DATA_FAULT_CNT, text, name);
        int action = name < cnt ? word_find(data_action_names, DATA_ACTION_CNT, text + name + 1,
                                            cnt - name - 1)
                                : -1;
        if (kind < 0 || action < 0) {
            return rt_error_set(err, -EINVAL, "policy \"%.*s\"; expected KIND=ACTION",
                                (int)(cnt < 60 ? cnt : 60), text);
        }
        for (int k = all ? 0 : kind; k < (all ? (int)DATA_FAULT_CNT : kind + 1); k++) {
            const bool may = (rules[k].may >> action & 1) != 0;
            if (may) policy[k] = (uint8_t)action;
            if (!may && !all) {
                return rt_error_set(err, -EINVAL, "policy: %s cannot be answered with %s",
                                    data_fault_names[kind], data_action_names[action]);
            }
        }
        text += cnt + (text[cnt] == ',');
    }
    return 0;
}

int data_quality_init(struct data_quality *q, const struct data_quality_options *options,
                      const char *file, const char *text, size_t cnt, struct rt_error *err) {
    *q = (struct data_quality){ .options = *options, .file = file, .text = text, .text_cnt = cnt };
    if (q->options.spike_z == 0) q->options.spike_z = 20;
    q->note = open_memstream(&q->notes, &q->notes_cnt);
    if (q->note == NULL) return rt_error_set(err, -ENOMEM, "no memory for notes");
    fputs("what,line,time,field,before,after,rule,text\n", q->note);
    return 0;
}

void data_quality_fini(struct data_quality *q) {
    if (q->note != NULL) (void)fclose(q->note);
    free(q->notes);
    free(q->faults);
    free(q->days);
    free(q->offsets);
    *q = (struct data_quality){ 0 };
}

void data_fault_add(struct data_quality *q, enum data_fault_kind kind, enum data_action action,
                    uint64_t line, int64_t time_ns, const char *format, ...) {
    q->counts[kind]++;
    if (q->fault_cnt == DATA_FAULTS_MAX) return;
    if ((q->fault_cnt & (q->fault_cnt - 1)) == 0) { /* grows by doubling */
        void *more =
            realloc(q->faults, (q->fault_cnt == 0 ? 1 : q->fault_cnt * 2) * sizeof *q->faults);
        if (more == NULL) return; /* counted all the same */
        q->faults = more;
    }
    struct data_fault *f = &q->faults[q->fault_cnt++];
    *f = (struct data_fault){
        .line = line, .time_ns = time_ns, .kind = (uint8_t)kind, .action = (uint8_t)action
    };
    va_list args;
    va_start(args, format);
    vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
}

/* line_text finds line number line of the source; a line of no bytes when there is none. */
static struct data_field line_text(struct data_quality *q, uint64_t line) {
    struct data_field none = { .text = "", .cnt = 0 };
    if (q->text == NULL || line == 0) return none;
    if (q->offsets == NULL) {
        uint64_t lines = 1;
        for (size_t i = 0; i < q->text_cnt; i++) lines += q->text[i] == '\n';
        q->offsets = malloc((lines + 1) * sizeof *q->offsets);
        if (q->offsets == NULL) return none;
        q->line_cnt = lines;
        q->offsets[0] = 0;
        uint64_t at = 1;
        for (size_t i = 0; i < q->text_cnt; i++) {
            if (q->text[i] == '\n') q->offsets[at++] = i + 1;
        }
        q->offsets[lines] = q->text_cnt + 1;
    }
    if (line > q->line_cnt) return none;
    struct data_field f = { .text = q->text + q->offsets[line - 1],
                            .cnt = q->offsets[line] - q->offsets[line - 1] - 1 };
    if (f.cnt > 0 && f.text[f.cnt - 1] == '\r') f.cnt--;
    return f;
}

/* text_note writes text as one quoted field of CSV; of a line that no row is as long as its begin,
 * and its length. */
static void text_note(FILE *out, const char *text, size_t cnt) {
    fputc('"', out);
    for (size_t i = 0; i < cnt && i < NOTE_BYTES; i++) {
        if (text[i] == '"') fputc('"', out);
        fputc(text[i] == '\n' || text[i] == '\r' ? ' ' : text[i], out);
    }
    if (cnt > NOTE_BYTES) fprintf(out, " ... (%zu bytes)", cnt);
    fputc('"', out);
}

void data_note_change(struct data_quality *q, const struct data_table *t, uint64_t row,
                      uint32_t column, const char *before, const char *after,
                      enum data_fault_kind kind) {
    char when[40];
    q->repaired++;
    fprintf(q->note, "repaired,%" PRIu64 ",%s,%s,%s,%s,%s %s,\n", t->line[row],
            data_time_text(data_time(t, row), when), t->stream->columns[column].name, before, after,
            data_fault_names[kind], data_action_names[q->options.policy[kind]]);
}

void data_note_out(struct data_quality *q, const struct data_table *t, uint64_t row, uint64_t line,
                   enum data_fault_kind kind) {
    char when[40] = "", value[40];
    const bool none = row == UINT64_MAX;
    q->left_out++;
    if (!none) (void)data_time_text(data_time(t, row), when);
    fprintf(q->note, "left_out,%" PRIu64 ",%s,,,,%s %s,", line, when, data_fault_names[kind],
            data_action_names[q->options.policy[kind]]);
    struct data_field f = line_text(q, line);
    if (f.cnt > 0) {
        text_note(q->note, f.text, f.cnt);
    } else if (!none) {
        for (uint32_t c = 0; c < t->stream->column_cnt; c++)
            fprintf(q->note, "%s%s", c == 0 ? "" : ";", data_table_text(t, row, c, value));
    }
    fputc('\n', q->note);
}

/* by_value orders doubles. */
static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double data_median(double *values, uint64_t cnt) {
    if (cnt == 0) return 0;
    qsort(values, cnt, sizeof *values, by_value);
    return cnt % 2 != 0 ? values[cnt / 2] : (values[cnt / 2 - 1] + values[cnt / 2]) / 2;
}

/* What the passes share. */
struct passes {
    struct data_quality *q; /* where faults go */
    struct data_table *t;   /* the rows */
    uint8_t *keep;          /* 0 = left out */
};

/* row_fault tells a fault of a row; with skip or drop the row is left out. */
static void row_fault(struct passes *p, uint64_t row, enum data_fault_kind kind, const char *text) {
    const enum data_action action = p->q->options.policy[kind];
    data_fault_add(p->q, kind, action, p->t->line[row], data_time(p->t, row), "%s", text);
    if (action != DATA_SKIP && action != DATA_DROP) return;
    if (p->keep[row]) data_note_out(p->q, p->t, row, p->t->line[row], kind);
    p->keep[row] = 0;
}

/* rows_cut takes out what was left out, and begins anew. */
static void rows_cut(struct passes *p) {
    data_table_keep(p->t, p->keep);
    memset(p->keep, 1, p->t->cnt);
}

/* hour_pass puts times of funding up to a minute past a whole hour at that hour: venues charge at
 * the hour and write down when they did. Each is noted, and none is a fault. */
static void hour_pass(struct passes *p) {
    struct data_table *t = p->t;
    for (uint64_t row = 0; row < t->cnt; row++) {
        const int64_t ns = data_time(t, row), past = ns % 3600000000000LL;
        char before[40], after[40];
        if (past <= 0 || past > 60000000000LL) continue;
        data_i64_put(t, row, 0, ns - past);
        p->q->repaired++;
        fprintf(p->q->note, "repaired,%" PRIu64 ",%s,%s,%s,%s,hour,\n", t->line[row],
                data_time_text(ns, before), t->stream->columns[0].name, before,
                data_time_text(ns - past, after));
    }
}

/* order_pass finds rows before the one above them, and sorts. Rows of one file that runs from the
 * newest to the oldest are one fault, not one each. */
static int order_pass(struct passes *p, struct rt_error *err) {
    struct data_table *t = p->t;
    const enum data_action action = p->q->options.policy[DATA_FAULT_ORDER];
    uint64_t down = 0;
    for (uint64_t row = 1; row < t->cnt; row++) down += data_time(t, row) < data_time(t, row - 1);
    if (down == 0) return 0;
    const bool turned = t->cnt > 2 && down > (t->cnt - 1) * 9 / 10;
    if (turned) {
        data_fault_add(p->q, DATA_FAULT_ORDER, action == DATA_SORT ? DATA_SORT : action, 0,
                       DATA_NOT_TOLD, "newest row first: turned round");
        for (uint64_t i = 0, k = t->cnt - 1; i < k; i++, k--) {
            if (data_table_reserve(t, 1, err) != 0) return -ENOMEM;
            data_table_copy(t, t->cnt, t, i); /* the room behind the last row */
            data_table_copy(t, i, t, k);
            data_table_copy(t, k, t, t->cnt);
        }
    }
    int64_t high = INT64_MIN;
    for (uint64_t row = 0; row < t->cnt; row++) {
        const int64_t ns = data_time(t, row);
        char text[100], a[40], b[40];
        if (ns >= high) {
            high = ns;
            continue;
        }
        snprintf(text, sizeof text, "%s stands after %s", data_time_text(ns, a),
                 data_time_text(high, b));
        row_fault(p, row, DATA_FAULT_ORDER, text);
    }
    rows_cut(p);
    return data_table_sort(t, err);
}

/* twin_pass finds rows that are there twice: equal, or not. */
static void twin_pass(struct passes *p) {
    const struct data_table *t = p->t;
    uint64_t from = 0; /* first row of the instant */
    for (uint64_t row = 1; row < t->cnt; row++) {
        if (data_time(t, row) != data_time(t, row - 1)) from = row;
        uint64_t twin = from;
        while (twin < row && (!p->keep[twin] || !data_table_same_key(t, twin, t, row))) twin++;
        if (twin == row) continue;
        char text[100];
        const bool same = data_table_same(t, twin, t, row);
        snprintf(text, sizeof text, "%s line %" PRIu64, same ? "the row of" : "not as in",
                 t->line[twin]);
        row_fault(p, row, same ? DATA_FAULT_DUPLICATE : DATA_FAULT_CONFLICT, text);
    }
    rows_cut(p);
}

/* grid_pass finds bars off the grid that most of them lie on, and those that lie on none. */
static void grid_pass(struct passes *p) {
    const struct data_table *t = p->t;
    const int64_t step_ns = data_grid_step_ns(t->interval_ns);
    const struct mk_session *const session = p->q->options.session;
    int64_t phase = 0;
    int64_t votes = 0;
    for (uint64_t row = 0; row < t->cnt; row++) { /* majority: Boyer and Moore */
        int64_t rest = data_time(t, row) % t->interval_ns;
        if (rest % step_ns != 0) continue; /* no bar begins there, however many do */
        if (votes == 0) phase = rest;
        votes += rest == phase ? 1 : -1;
    }
    for (uint64_t row = 0; row < t->cnt; row++) {
        int64_t off = (data_time(t, row) - phase) % t->interval_ns;
        char text[100], span[40];
        if (off == 0) continue;
        if (session != NULL && mk_session_begins(session, data_time(t, row), t->interval_ns)) {
            continue;
        }
        snprintf(text, sizeof text, "%.3f s past the grid of %s",
                 (double)(off < 0 ? off + t->interval_ns : off) / 1e9,
                 data_span_text(t->interval_ns, span));
        row_fault(p, row, DATA_FAULT_MISALIGNED, text);
    }
    rows_cut(p);
}

/* value_bad tells what is wrong with one value by itself: *kind, or false when nothing is. */
static bool value_bad(const struct data_table *t, uint64_t row, uint32_t c,
                      enum data_fault_kind *kind) {
    const struct data_column *column = &t->stream->columns[c];
    const bool told = data_told(t, row, c);
    if (column->type == DATA_COUNT || column->type >= DATA_MAKER) return false;
    if (!told && column->required) {
        *kind = DATA_FAULT_MISSING;
        return true;
    }
    if (!told || c == 0) return false;
    const bool premium = t->stream->number == 4; /* of the index: any sign */
    *kind = DATA_FAULT_RANGE;
    if (column->type == DATA_FIXED && !premium) {
        const int64_t v = data_i64(t, row, c);
        if (column->positive) return v <= 0;
        return v < 0 && strstr(column->name, "rate") == NULL;
    }
    return column->type == DATA_REAL && t->stream->interval && data_f64(t, row, c) < 0;
}

/* value_fill puts what forward or interpolate give for a price of a bar: the close before it, or
 * the line from it to the next sound value. The volume becomes 0. */
static void value_fill(struct passes *p, uint64_t row, uint32_t c, enum data_fault_kind kind) {
    struct data_table *t = p->t;
    char before[40], after[40];
    const bool line = p->q->options.policy[kind] == DATA_INTERPOLATE;
    enum data_fault_kind ignored;
    (void)data_table_text(t, row, c, before);
    if (t->stream->columns[c].type == DATA_REAL) {
        data_f64_put(t, row, c, 0);
    } else {
        uint64_t left = row, right = row + 1;
        while (left > 0 && value_bad(t, left - 1, line ? c : DATA_BAR_CLOSE, &ignored)) left--;
        while (line && right < t->cnt && value_bad(t, right, c, &ignored)) right++;
        if (left == 0) { /* nothing before it: it cannot be filled */
            if (p->keep[row]) data_note_out(p->q, t, row, t->line[row], kind);
            p->keep[row] = 0;
            return;
        }
        int64_t a = data_i64(t, left - 1, line ? c : DATA_BAR_CLOSE), v = a;
        if (line && right < t->cnt) {
            __int128 rise = ((__int128)data_i64(t, right, c) - a) * (int64_t)(row - left + 1);
            v = a + (int64_t)(rise / (int64_t)(right - left + 1));
        }
        data_i64_put(t, row, c, v);
    }
    data_note_change(p->q, t, row, c, before, data_table_text(t, row, c, after), kind);
}

/* said returns what the source says of column c in the line of row; nothing where it is empty or
 * not known. */
static struct data_field said(const struct passes *p, uint64_t row, uint32_t c) {
    struct data_field f[DATA_COLUMNS_MAX] = { 0 };
    struct data_field line = line_text(p->q, p->t->line[row]);
    const uint8_t place = p->q->place[c];
    size_t cnt = line.cnt > 0 && place > 0 ? data_split(line.text, line.cnt, f) : 0;
    return place <= cnt && cnt <= DATA_COLUMNS_MAX && cnt > 0 ? f[place - 1]
                                                              : (struct data_field){ .text = "" };
}

/* value_pass finds values that are missing or out of range. */
static void value_pass(struct passes *p) {
    struct data_table *t = p->t;
    for (uint64_t row = 0; row < t->cnt; row++) {
        for (uint32_t c = 1; c < t->stream->column_cnt && p->keep[row]; c++) {
            enum data_fault_kind kind;
            char text[100], value[40];
            if (!value_bad(t, row, c, &kind)) continue;
            (void)data_table_text(t, row, c, value);
            const struct data_field is =
                kind == DATA_FAULT_MISSING ? said(p, row, c) : (struct data_field){ 0 };
            if (is.cnt > 0)
                snprintf(text, sizeof text, "%s is \"%s\", no number of its range",
                         t->stream->columns[c].name, data_quote(is, value));
            else
                snprintf(text, sizeof text, "%s%s%s", t->stream->columns[c].name,
                         kind == DATA_FAULT_MISSING ? " is missing" : " is ", value);
            row_fault(p, row, kind, text);
            const enum data_action action = p->q->options.policy[kind];
            const bool fills = action == DATA_FORWARD || action == DATA_INTERPOLATE;
            if (fills && t->stream->interval) value_fill(p, row, c, kind);
            if (fills && !t->stream->interval) {
                data_note_out(p->q, t, row, t->line[row], kind); /* a print cannot be made up */
                p->keep[row] = 0;
            }
        }
    }
    rows_cut(p);
}

/* change changes a fixed value and notes it. */
static void change(struct passes *p, uint64_t row, uint32_t c, int64_t v,
                   enum data_fault_kind kind) {
    char before[40], after[40];
    if (data_i64(p->t, row, c) == v) return;
    (void)data_table_text(p->t, row, c, before);
    data_i64_put(p->t, row, c, v);
    data_note_change(p->q, p->t, row, c, before, data_table_text(p->t, row, c, after), kind);
}

/* ohlc_pass finds bars whose high or low lies inside the body. */
static void ohlc_pass(struct passes *p) {
    struct data_table *t = p->t;
    for (uint64_t row = 0; row < t->cnt; row++) {
        const int64_t o = data_i64(t, row, DATA_BAR_OPEN), c = data_i64(t, row, DATA_BAR_CLOSE);
        const int64_t h = data_i64(t, row, DATA_BAR_HIGH), l = data_i64(t, row, DATA_BAR_LOW);
        const int64_t top = o > c ? o : c, bottom = o < c ? o : c;
        if (h >= top && l <= bottom) continue;
        row_fault(p, row, DATA_FAULT_OHLC,
                  h < l     ? "high is below low"
                  : h < top ? (h < o ? "high is below open" : "high is below close")
                            : (l > o ? "low is above open" : "low is above close"));
        if (p->q->options.policy[DATA_FAULT_OHLC] != DATA_CLIP) continue;
        int64_t most = h > l ? h : l, least = h > l ? l : h; /* each of the four was a price */
        change(p, row, DATA_BAR_HIGH, most > top ? most : top, DATA_FAULT_OHLC);
        change(p, row, DATA_BAR_LOW, least < bottom ? least : bottom, DATA_FAULT_OHLC);
    }
    rows_cut(p);
}

/* power_of tells by which power of ten (1..4 either way) ratio is off, 0 = by none. */
static int power_of(double ratio) {
    double ten = 1;
    for (int k = 1; k <= 4; k++) {
        ten *= 10;
        if (ratio > ten * 0.8 && ratio < ten * 1.25) return k;
        if (ratio * ten > 0.8 && ratio * ten < 1.25) return -k;
    }
    return 0;
}

/* unit_pass finds prices a power of ten off the ones before them: a run of rows, or all up to the
 * end. scale turns them back; what is left out does not become the measure. */
static void unit_pass(struct passes *p, uint32_t first, uint32_t last) {
    struct data_table *t = p->t;
    const enum data_action action = p->q->options.policy[DATA_FAULT_PRICE_UNIT];
    int64_t measure = 0;
    for (uint64_t row = 0; row < t->cnt; row++) {
        const int64_t v = data_i64(t, row, last);
        int power = measure > 0 ? power_of((double)v / (double)measure) : 0;
        if (power == 0) {
            measure = v;
            continue;
        }
        char text[100];
        int64_t ten = 1;
        for (int k = power < 0 ? -power : power; k > 0; k--) ten *= 10;
        snprintf(text, sizeof text, "price %s%" PRId64 " times that of the row before",
                 power < 0 ? "1/" : "", ten);
        row_fault(p, row, DATA_FAULT_PRICE_UNIT, text);
        if (action == DATA_KEEP) measure = v;
        for (uint32_t c = first; action == DATA_SCALE && c <= last; c++) {
            const int64_t was = data_i64(t, row, c);
            if (power < 0 && was > INT64_MAX / ten) continue;
            change(p, row, c, power > 0 ? was / ten : was * ten, DATA_FAULT_PRICE_UNIT);
        }
    }
    rows_cut(p);
}

/* Figures of a chunk of bars: what is usual there. */
struct usual {
    double move;   /* median size of a return */
    double reach;  /* median of (high - low) / close */
    double volume; /* median volume of bars that have one */
};

/* usual_of finds the medians of rows from..end of t. */
static struct usual usual_of(const struct data_table *t, uint64_t from, uint64_t end) {
    double moves[2 * DATA_CHUNK], reaches[2 * DATA_CHUNK], volumes[2 * DATA_CHUNK];
    uint64_t n = 0, m = 0, k = 0;
    assert(end - from <= 2 * DATA_CHUNK);
    for (uint64_t row = from; row < end; row++) {
        const double close = (double)data_i64(t, row, DATA_BAR_CLOSE);
        const double volume = data_f64(t, row, DATA_BAR_VOLUME);
        if (row > 0) {
            const double r = close / (double)data_i64(t, row - 1, DATA_BAR_CLOSE) - 1;
            moves[n++] = r < 0 ? -r : r;
        }
        reaches[m++] =
            ((double)data_i64(t, row, DATA_BAR_HIGH) - (double)data_i64(t, row, DATA_BAR_LOW)) /
            close;
        if (volume > 0) volumes[k++] = volume;
    }
    return (struct usual){ .move = data_median(moves, n),
                           .reach = data_median(reaches, m),
                           .volume = data_median(volumes, k) };
}

/* usual_at gives the figures for the chunk of row, which with the chunk before it (or behind it, at
 * the start) is looked at. */
static const struct usual *usual_at(const struct data_table *t, uint64_t row, struct usual *u,
                                    uint64_t *chunk) {
    if (*chunk == row / DATA_CHUNK) return u;
    *chunk = row / DATA_CHUNK;
    uint64_t from = *chunk > 0 ? (*chunk - 1) * DATA_CHUNK : 0, end = from + 2 * DATA_CHUNK;
    *u = usual_of(t, from, end < t->cnt ? end : t->cnt);
    return u;
}

/* largest returns the larger of two. */
static int64_t largest(int64_t a, int64_t b) {
    return a > b ? a : b;
}
/* smallest returns the smaller of two. */
static int64_t smallest(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* spike_answer does what the policy says to a bar whose prices leave what its neighbours span:
 * clip brings them back to it. */
static void spike_answer(struct passes *p, uint64_t row, int64_t low, int64_t high) {
    struct data_table *t = p->t;
    const enum data_action action = p->q->options.policy[DATA_FAULT_SPIKE];
    for (uint32_t c = DATA_BAR_OPEN; c <= DATA_BAR_CLOSE && action == DATA_CLIP; c++) {
        int64_t v = data_i64(t, row, c);
        change(p, row, c, v > high ? high : v < low ? low : v, DATA_FAULT_SPIKE);
    }
    for (uint32_t c = DATA_BAR_OPEN; c <= DATA_BAR_CLOSE; c++) {
        if (action != DATA_FORWARD && action != DATA_INTERPOLATE) break;
        int64_t a = data_i64(t, row - 1, DATA_BAR_CLOSE);
        int64_t b = row + 1 < t->cnt ? data_i64(t, row + 1, DATA_BAR_OPEN) : a;
        change(p, row, c, action == DATA_FORWARD ? a : a + (b - a) / 2, DATA_FAULT_SPIKE);
    }
}

/* spike_pass finds bars far off both neighbours: a close that leaves and comes back, a high or low
 * that none of the prices around it is near. A market that moved and stayed is no fault. */
static void spike_pass(struct passes *p) {
    struct data_table *t = p->t;
    struct usual u = { 0 };
    uint64_t chunk = UINT64_MAX;
    const double z = p->q->options.spike_z;
    for (uint64_t row = 1; row + 1 < t->cnt; row++) {
        const int64_t close = data_i64(t, row, DATA_BAR_CLOSE);
        const int64_t before = data_i64(t, row - 1, DATA_BAR_CLOSE);
        const int64_t after = data_i64(t, row + 1, DATA_BAR_CLOSE);
        const int64_t high = data_i64(t, row, DATA_BAR_HIGH), low = data_i64(t, row, DATA_BAR_LOW);
        const int64_t high2 =
            largest(data_i64(t, row - 1, DATA_BAR_HIGH), data_i64(t, row + 1, DATA_BAR_HIGH));
        const int64_t low2 =
            smallest(data_i64(t, row - 1, DATA_BAR_LOW), data_i64(t, row + 1, DATA_BAR_LOW));
        if (high <= high2 && low >= low2) continue; /* nearly all */
        (void)usual_at(t, row, &u, &chunk);
        const double scale = 1.4826 * u.move > 0.0001 ? 1.4826 * u.move : 0.0001;
        const double reach = u.reach > 0.0003 ? u.reach : 0.0003;
        const double out = (double)close / (double)before - 1;
        const double net = (double)after / (double)before - 1;
        char text[100] = "";
        if ((out > z * scale || out < -z * scale) && net * net < out * out / 9) {
            snprintf(text, sizeof text, "close %+.2f %% off both neighbours, z %.0f", out * 100,
                     (out < 0 ? -out : out) / scale);
        }
        const int64_t open = data_i64(t, row, DATA_BAR_OPEN);
        const int64_t top = largest(largest(open, close), high2);
        const int64_t bottom = smallest(smallest(open, close), low2);
        const double up = (double)high / (double)top - 1, down = 1 - (double)low / (double)bottom;
        if (text[0] == '\0' && up > z * 0.4 * reach) {
            snprintf(text, sizeof text, "high %+.2f %% off all around it", up * 100);
        } else if (text[0] == '\0' && down > z * 0.4 * reach) {
            snprintf(text, sizeof text, "low %+.2f %% off all around it", -down * 100);
        }
        if (text[0] == '\0') continue;
        row_fault(p, row, DATA_FAULT_SPIKE, text);
        spike_answer(p, row, text[0] == 'c' ? low2 : bottom, text[0] == 'c' ? high2 : top);
    }
    rows_cut(p);
}

/* mean_off tells whether the mean price of a bar, quote volume by volume, lies outside it. */
static bool mean_off(const struct data_table *t, uint64_t row) {
    const double volume = data_f64(t, row, DATA_BAR_VOLUME);
    const double quote = data_f64(t, row, DATA_BAR_QUOTE);
    if (!(volume > 0) || !(quote > 0)) return false;
    const double mean = quote / volume * FIXED_ONE;
    return mean < (double)data_i64(t, row, DATA_BAR_LOW) * 0.999 ||
           mean > (double)data_i64(t, row, DATA_BAR_HIGH) * 1.001;
}

/* volume_bad tells what is odd about a bar's volume, into text; false when nothing is. mean: the
 * mean price is looked at, too. */
static bool volume_bad(const struct data_table *t, uint64_t row, const struct usual *u, bool mean,
                       char text[100]) {
    const double volume = data_f64(t, row, DATA_BAR_VOLUME);
    const double quote = data_f64(t, row, DATA_BAR_QUOTE);
    const int64_t high = data_i64(t, row, DATA_BAR_HIGH), low = data_i64(t, row, DATA_BAR_LOW);
    if (volume == 0 && high != low) {
        snprintf(text, 100, "no volume, though the price moved");
        return true;
    }
    if (mean && mean_off(t, row)) {
        snprintf(text, 100, "quote volume / volume is %.8g, outside the bar", quote / volume);
        return true;
    }
    if (u->volume > 0 && volume > 200 * u->volume) {
        snprintf(text, 100, "volume %.0f times the usual", volume / u->volume);
        return true;
    }
    return false;
}

/* volume_pass finds odd volumes. A file without any volume (mark prices) is left alone. */
static void volume_pass(struct passes *p) {
    const struct data_table *t = p->t;
    struct usual u = { 0 };
    uint64_t chunk = UINT64_MAX, idle = 0;
    for (uint64_t row = 0; row < t->cnt; row++) idle += !(data_f64(t, row, DATA_BAR_VOLUME) > 0);
    if (idle == t->cnt) return;
    uint64_t off = 0;
    for (uint64_t row = 0; row < t->cnt; row++) off += mean_off(t, row);
    const bool most = off * 10 > t->cnt; /* one fault of the file then, not one of each row */
    if (most) {
        data_fault_add(p->q, DATA_FAULT_VOLUME, DATA_KEEP, 0, DATA_NOT_TOLD,
                       "quote volume / volume lies outside %" PRIu64
                       " bars: adjusted prices, or another unit",
                       off);
    }
    for (uint64_t row = 0; row < t->cnt; row++) {
        char text[100];
        if (volume_bad(t, row, usual_at(t, row, &u, &chunk), !most, text))
            row_fault(p, row, DATA_FAULT_VOLUME, text);
    }
    rows_cut(p);
}

/* same_bar tells whether a bar repeats the one before it in price and volume. */
static bool same_bar(const struct data_table *t, uint64_t row) {
    for (uint32_t c = DATA_BAR_OPEN; c <= DATA_BAR_VOLUME; c++) {
        if (memcmp(t->column[c] + row * 8, t->column[c] + (row - 1) * 8, 8) != 0) return false;
    }
    return true;
}

/* repeat_pass finds bars that repeat the one before: each when there is a volume, and runs of five
 * or more without one as a whole. */
static void repeat_pass(struct passes *p) {
    struct data_table *t = p->t;
    uint64_t idle = 0;
    for (uint64_t row = 0; row < t->cnt; row++) idle += !(data_f64(t, row, DATA_BAR_VOLUME) > 0);
    for (uint64_t row = 1; row < t->cnt; row++) {
        if (!same_bar(t, row)) continue;
        uint64_t end = row + 1;
        while (end < t->cnt && same_bar(t, end)) end++;
        char text[100];
        const bool volume = data_f64(t, row, DATA_BAR_VOLUME) > 0;
        for (uint64_t i = row; volume && i < end; i++)
            row_fault(p, i, DATA_FAULT_REPEATED, "the bar before, volume and all");
        if (!volume && end - row >= 4 && idle < t->cnt) {
            snprintf(text, sizeof text, "%" PRIu64 " bars of one price without volume",
                     end - row + 1);
            data_fault_add(p->q, DATA_FAULT_REPEATED, DATA_KEEP, t->line[row - 1],
                           data_time(t, row - 1), "%s", text);
        }
        row = end - 1;
    }
    rows_cut(p);
}

/* gap_fill adds the bars missing between rows a of t and the row behind it to all. */
static void gap_fill(struct passes *p, struct data_table *all, uint64_t a, uint64_t missing) {
    const struct data_table *t = p->t;
    const bool line = p->q->options.policy[DATA_FAULT_GAP] == DATA_INTERPOLATE;
    const int64_t from = data_i64(t, a, DATA_BAR_CLOSE), to = data_i64(t, a + 1, DATA_BAR_OPEN);
    const struct mk_session *const session = p->q->options.session;
    int64_t before = from, at = data_time(t, a);
    for (uint64_t i = 1; i <= missing; i++) {
        do at += t->interval_ns;
        while (session != NULL && !mk_session_expects(session, at, t->interval_ns));
        const uint64_t row = data_table_add(all, 0);
        const __int128 rise = ((__int128)to - from) * (int64_t)i;
        const int64_t v = line ? from + (int64_t)(rise / (int64_t)(missing + 1)) : from;
        char after[40];
        data_i64_put(all, row, DATA_BAR_TIME, at);
        data_i64_put(all, row, DATA_BAR_OPEN, before);
        data_i64_put(all, row, DATA_BAR_HIGH, before > v ? before : v);
        data_i64_put(all, row, DATA_BAR_LOW, before < v ? before : v);
        data_i64_put(all, row, DATA_BAR_CLOSE, v);
        data_f64_put(all, row, DATA_BAR_VOLUME, 0);
        data_note_change(p->q, all, row, DATA_BAR_CLOSE, "",
                         data_table_text(all, row, DATA_BAR_CLOSE, after), DATA_FAULT_GAP);
        before = v;
    }
}

/* gap_of returns how many bars are missing behind row of t; one_grid: both rows are on one grid,
 * which has a place for each of them. */
static uint64_t gap_of(const struct passes *p, const struct data_table *t, uint64_t row,
                       bool *one_grid) {
    const int64_t step = data_time(t, row + 1) - data_time(t, row);
    *one_grid = step % t->interval_ns == 0;
    if (p->q->options.session == NULL) return (uint64_t)(step / t->interval_ns) - 1;
    if (step == t->interval_ns) return 0;
    return (uint64_t)mk_session_missing(p->q->options.session, data_time(t, row),
                                        data_time(t, row + 1), t->interval_ns);
}

/* gap_pass finds where bars are missing, and fills them where that is asked for. */
static int gap_pass(struct passes *p, struct rt_error *err) {
    struct data_table *t = p->t, all;
    const enum data_action action = p->q->options.policy[DATA_FAULT_GAP];
    uint64_t missing = 0;
    for (uint64_t row = 1; row < t->cnt; row++) {
        char a[40];
        bool one_grid;
        const uint64_t cnt = gap_of(p, t, row - 1, &one_grid);
        if (cnt == 0) continue;
        missing += cnt;
        data_fault_add(p->q, DATA_FAULT_GAP, action, t->line[row], data_time(t, row),
                       "%" PRIu64 " bars missing from %s on", cnt,
                       data_time_text(data_time(t, row - 1) + t->interval_ns, a));
    }
    p->q->gap_rows = missing;
    if (missing == 0 || (action != DATA_FORWARD && action != DATA_INTERPOLATE)) return 0;
    if (missing > t->cnt) {
        return rt_error_set(err, -EBADMSG, "%s: more bars are missing than there are: not filled",
                            p->q->file);
    }
    data_table_init(&all, t->stream, t->interval_ns);
    int rc = data_table_reserve(&all, t->cnt + missing, err);
    for (uint64_t row = 0; rc == 0 && row < t->cnt; row++) {
        data_table_copy(&all, data_table_add(&all, 0), t, row);
        if (row + 1 == t->cnt) break;
        bool one_grid;
        const uint64_t cnt = gap_of(p, t, row, &one_grid);
        if (cnt > 0 && one_grid) gap_fill(p, &all, row, cnt);
    }
    if (rc != 0) {
        data_table_fini(&all);
        return rc;
    }
    data_table_fini(t);
    *t = all;
    return 0;
}

/* day_of finds the day of ns, the one after the last or one known; NULL when there is no memory. */
static struct data_day *day_at(struct data_quality *q, int64_t ns) {
    const int64_t day_ns = ns - ((ns % DAY_NS) + DAY_NS) % DAY_NS;
    uint64_t low = 0, high = q->day_cnt;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (q->days[mid].day_ns < day_ns) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low < q->day_cnt && q->days[low].day_ns == day_ns) return &q->days[low];
    if ((q->day_cnt & (q->day_cnt - 1)) == 0) {
        void *more = realloc(q->days, (q->day_cnt == 0 ? 1 : q->day_cnt * 2) * sizeof *q->days);
        if (more == NULL) return NULL;
        q->days = more;
    }
    memmove(&q->days[low + 1], &q->days[low], (q->day_cnt - low) * sizeof *q->days);
    q->day_cnt++;
    q->days[low] =
        (struct data_day){ .day_ns = day_ns, .first_ns = DATA_NOT_TOLD, .last_ns = DATA_NOT_TOLD };
    if (q->options.session != NULL) {
        q->days[low].calendar =
            (uint8_t)mk_session_day(q->options.session, (int32_t)(day_ns / DAY_NS));
    }
    return &q->days[low];
}

/* day_missing adds the bars missing between rows row - 1 and row, which a session would have had,
 * to their days. */
static void day_missing(struct data_quality *q, const struct data_table *t, uint64_t row) {
    const struct mk_session *const session = q->options.session;
    const int64_t from = data_time(t, row - 1), until = data_time(t, row);
    int64_t cnt = until - from == t->interval_ns
                      ? 0
                      : mk_session_missing(session, from, until, t->interval_ns);
    for (int64_t ns = from + t->interval_ns; cnt > 0 && ns < until; ns += t->interval_ns) {
        if (!mk_session_expects(session, ns, t->interval_ns)) continue;
        struct data_day *d = day_at(q, ns);
        if (d != NULL) d->missing++;
        cnt--;
    }
}

/* day_row counts a row for its day. */
static void day_row(struct data_quality *q, const struct data_table *t, uint64_t row) {
    const struct mk_session *const session = q->options.session;
    const int64_t ns = data_time(t, row);
    struct data_day *d = day_at(q, ns);
    if (d == NULL) return;
    if (d->rows++ == 0) d->first_ns = ns;
    d->last_ns = ns;
    if (session == NULL) return;
    const bool holds = t->interval_ns > 0 ? mk_session_expects(session, ns, t->interval_ns)
                                          : mk_session_holds(session, ns);
    d->outside += !holds;
}

void data_quality_notes(struct data_quality *q, const char *notes, size_t cnt) {
    const char *end = notes + cnt;
    for (const char *at = notes, *next = notes; at < end; at = next) {
        const char *stop = memchr(at, '\n', (size_t)(end - at)), *time;
        int64_t ns;
        next = stop == NULL ? end : stop + 1;
        if (stop == NULL) stop = end;
        const bool out = stop - at > 9 && memcmp(at, "left_out,", 9) == 0;
        const bool changed =
            stop - at > 9 && (memcmp(at, "repaired,", 9) == 0 || memcmp(at, "replaced,", 9) == 0);
        if (!out && !changed) continue;
        time = memchr(at + 9, ',', (size_t)(stop - at - 9)); /* what,line,time,... */
        if (time++ == NULL) continue;
        const char *comma = memchr(time, ',', (size_t)(stop - time));
        if (comma == NULL || !data_text_time(time, (size_t)(comma - time), &ns)) continue;
        struct data_day *d = day_at(q, ns);
        if (d == NULL) return;
        d->left_out += out;
        d->repaired += changed;
    }
}

/* days_open adds the days on which ticks were to be expected, and of which there are none. */
static void days_open(struct data_quality *q, const struct data_table *t) {
    const struct mk_session *const session = q->options.session;
    if (session == NULL || t->interval_ns > 0 || t->cnt == 0 || t->stream->gap == DATA_GAP_NONE)
        return;
    for (int64_t ns = data_time(t, 0); ns < data_time(t, t->cnt - 1); ns += DAY_NS) {
        const enum mk_day kind = mk_session_day(session, (int32_t)(ns / DAY_NS));
        if (kind == MK_DAY_OPEN || kind == MK_DAY_EARLY) (void)day_at(q, ns);
    }
}

/* days_count makes the table of days. */
static void days_count(struct data_quality *q, const struct data_table *t) {
    q->day_cnt = 0;
    days_open(q, t);
    for (uint64_t row = 0; row < t->cnt; row++) {
        struct data_day *d;
        day_row(q, t, row);
        if (q->options.session != NULL && t->interval_ns > 0) {
            if (row > 0) day_missing(q, t, row);
            continue;
        }
        int64_t ns = row > 0 ? data_time(t, row - 1) + t->interval_ns : INT64_MAX;
        for (; t->interval_ns > 0 && row > 0 && ns < data_time(t, row);) {
            int64_t end = ns - ns % DAY_NS + DAY_NS;
            if (end > data_time(t, row)) end = data_time(t, row);
            int64_t cnt = (end - ns + t->interval_ns - 1) / t->interval_ns;
            d = day_at(q, ns);
            if (d != NULL) d->missing += (uint64_t)cnt;
            ns += cnt * t->interval_ns;
        }
    }
    for (uint64_t i = 0; i < q->fault_cnt; i++) {
        const struct data_fault *f = &q->faults[i];
        if (f->time_ns == DATA_NOT_TOLD || f->kind == DATA_FAULT_GAP) continue;
        struct data_day *d = day_at(q, f->time_ns);
        if (d != NULL) d->faults++;
    }
    (void)fflush(q->note);
    data_quality_notes(q, q->notes, q->notes_cnt);
}

/* rejected tells the first fault that was to be rejected, if there is one. */
static int rejected(const struct data_quality *q, struct rt_error *err) {
    for (uint64_t i = 0; i < q->fault_cnt; i++) {
        const struct data_fault *f = &q->faults[i];
        if (f->action != DATA_REJECT) continue;
        if (f->line == 0) {
            return rt_error_set(err, -EBADMSG, "%s: %s: %s (%" PRIu64 " such)", q->file,
                                data_fault_names[f->kind], f->text, q->counts[f->kind]);
        }
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": %s: %s (%" PRIu64 " such)", q->file,
                            f->line, data_fault_names[f->kind], f->text, q->counts[f->kind]);
    }
    if (q->fault_cnt == DATA_FAULTS_MAX) {
        return rt_error_set(err, -EBADMSG, "%s: more than %d faults", q->file, DATA_FAULTS_MAX);
    }
    return 0;
}

/* bars_run is the passes over bars that are in order and unique. */
static int bars_run(struct passes *p, struct rt_error *err) {
    if (p->t->stream->interval) grid_pass(p);
    value_pass(p);
    if (!p->t->stream->interval) {
        data_quality_ticks(p->q, p->t, p->keep);
        rows_cut(p);
        return 0;
    }
    ohlc_pass(p);
    if (p->t->stream->number != 4) { /* ratios mean nothing where a price may be zero */
        unit_pass(p, DATA_BAR_OPEN, DATA_BAR_CLOSE);
        spike_pass(p);
    }
    volume_pass(p);
    repeat_pass(p);
    return gap_pass(p, err);
}

int data_quality_run(struct data_quality *q, struct data_table *t, struct rt_error *err) {
    struct passes p = { .q = q, .t = t };
    if (q->rows_in == 0) q->rows_in = t->cnt;
    p.keep = malloc(t->cnt + 1);
    if (p.keep == NULL) return rt_error_set(err, -ENOMEM, "no memory for %" PRIu64 " rows", t->cnt);
    memset(p.keep, 1, t->cnt + 1);
    if (t->stream->row_kind == MSG_FUNDING) hour_pass(&p);
    int rc = order_pass(&p, err);
    if (rc == 0) twin_pass(&p);
    if (rc == 0) rc = bars_run(&p, err);
    free(p.keep);
    if (rc != 0) return rc;
    q->rows_out = t->cnt;
    if (t->cnt > 0) {
        q->first_ns = data_time(t, 0);
        q->last_ns = data_time(t, t->cnt - 1);
    }
    if (t->cnt < q->options.rows_min) {
        data_fault_add(q, DATA_FAULT_SHORT, q->options.policy[DATA_FAULT_SHORT], 0, DATA_NOT_TOLD,
                       "%" PRIu64 " rows; at least %" PRIu64 " asked for", t->cnt,
                       q->options.rows_min);
    }
    days_count(q, t);
    return rejected(q, err);
}

void data_quality_against(struct data_quality *q, const struct data_table *t,
                          const struct data_table *other, double tolerance) {
    uint64_t k = 0;
    for (uint64_t row = 0; row < t->cnt; row++) {
        while (k < other->cnt && data_time(other, k) < data_time(t, row)) k++;
        if (k == other->cnt) break;
        if (data_time(other, k) != data_time(t, row)) continue;
        for (uint32_t c = DATA_BAR_OPEN; c <= DATA_BAR_VOLUME; c++) {
            const bool real = c == DATA_BAR_VOLUME;
            double a = real ? data_f64(t, row, c) : (double)data_i64(t, row, c) / FIXED_ONE;
            double b = real ? data_f64(other, k, c) : (double)data_i64(other, k, c) / FIXED_ONE;
            double off = a > b ? a - b : b - a, most = a > b ? a : b;
            if (off <= tolerance * most) continue;
            data_fault_add(q, DATA_FAULT_SWITCH, q->options.policy[DATA_FAULT_SWITCH], t->line[row],
                           data_time(t, row), "%s %.10g, the other has %.10g",
                           t->stream->columns[c].name, a, b);
        }
    }
    days_count(q, t);
}
