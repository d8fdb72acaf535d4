#include "actors/report/charts.h"
#include "quant/stats/calendar.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDE = 960, NARROW = 360, PAPER = 720, TICKS_MAX = 24 }; /* pixels; marks of an axis */

/* What maps values to pixels. */
struct frame {
    float left, right, top, bottom; /* of the plot */
    double low, high;               /* values at bottom and top (logarithms when log) */
    bool log;                       /* logarithmic */
    int64_t first_ns, last_ns;      /* at left and right */
};

/* insert_commas parts the thousands of the whole number in digits. */
static void insert_commas(const char *digits, char *out) {
    size_t n = strcspn(digits, "."), k = 0, i = 0;
    if (digits[0] == '-') out[k++] = digits[i++];
    for (size_t first = i; i < n; i++) {
        if (i > first && (n - i) % 3 == 0) out[k++] = ',';
        out[k++] = digits[i];
    }
    strcpy(out + k, digits + n);
}

const char *chart_amount(double v, char out[CHART_TEXT]) {
    char digits[32];
    double a = fabs(v);
    if (!(a - a == 0))
        strcpy(out, "-");
    else if (a >= 1e15 || (a > 0 && a < 1e-6))
        snprintf(out, CHART_TEXT, "%.4g", v);
    else if (a > 0 && a < 1)
        snprintf(out, CHART_TEXT, "%.4g", v);
    else {
        snprintf(digits, sizeof digits, "%.2f", v);
        insert_commas(digits, out);
    }
    return out;
}

const char *chart_part(double v, bool sign, char out[CHART_TEXT]) {
    char digits[32];
    if (!(v - v == 0)) return strcpy(out, "-");
    if (fabs(v) >= 1e7) {
        snprintf(out, CHART_TEXT, "%+.4g %%", 100 * v);
        if (!sign && out[0] == '+') memmove(out, out + 1, strlen(out));
        return out;
    }
    snprintf(digits, sizeof digits, "%.2f", 100 * v);
    if (strcmp(digits, "-0.00") == 0) strcpy(digits, "0.00");
    size_t at = 0;
    if (sign && digits[0] != '-' && strcmp(digits, "0.00") != 0) out[at++] = '+';
    insert_commas(digits, out + at);
    strcat(out, " %");
    return out;
}

const char *chart_day(int64_t ns, char out[CHART_TEXT]) {
    struct qs_date d = qs_date_of(qs_day_opened(ns));
    snprintf(out, CHART_TEXT, "%04d-%02d-%02d", (int)d.year, (int)d.month, (int)d.day);
    return out;
}

/* axis_text formats a mark of an axis whose marks are step apart. */
static const char *axis_text(struct doc *d, double v, double step, enum chart_unit unit) {
    char digits[400], parted[600];
    const char *suffix = "";
    if (unit == CHART_PART) {
        v *= 100;
        step *= 100;
        suffix = " %";
    }
    double size = fabs(v);
    if (size >= 1e15 || step < 1e-8) return doc_keep(d, "%.3g%s", v, suffix);
    if (size >= 1e6 && unit == CHART_NUMBER) {
        double scale = size >= 1e12 ? 1e12 : size >= 1e9 ? 1e9 : 1e6;
        suffix = scale == 1e12 ? "T" : scale == 1e9 ? "B" : "M";
        v /= scale;
        step /= scale;
    }
    int places = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    snprintf(digits, sizeof digits, "%.*f", places, v);
    if (strspn(digits, "-0.") == strlen(digits))
        return doc_keep(d, "0%s", suffix[0] == ' ' ? suffix : "");
    insert_commas(digits, parted);
    return doc_keep(d, "%s%s", parted, suffix);
}

/* nice_step returns 1, 2 or 5 times a power of ten, so that span holds at most cnt of them. */
static double nice_step(double span, int cnt) {
    double raw = span / cnt, base = pow(10, floor(log10(raw)));
    return base * (raw <= base * 1.0000001   ? 1
                   : raw <= base * 2.0000001 ? 2
                   : raw <= base * 5.0000001 ? 5
                                             : 10);
}

/* An axis' marks. */
struct ticks {
    double value[TICKS_MAX];     /* where */
    const char *text[TICKS_MAX]; /* what is written there */
    int cnt;                     /* how many */
};

/* value_ticks fills t for values between low and high; log tells that it is logarithmic. */
static void value_ticks(struct doc *d, struct ticks *t, double low, double high, int wanted,
                        enum chart_unit unit, bool log) {
    t->cnt = 0;
    if (log) {
        static const double parts[] = { 1, 2, 5 };
        double decades = log10(high / low);
        int each = decades > wanted ? (int)ceil(decades / wanted) : 1;
        for (int e = (int)floor(log10(low)); e <= (int)ceil(log10(high)); e++) {
            for (int k = 0; k < (decades * 3 <= wanted + 2 ? 3 : 1); k++) {
                double v = parts[k] * pow(10, e);
                if (v < low || v > high || t->cnt == TICKS_MAX || e % each) continue;
                t->value[t->cnt] = v;
                t->text[t->cnt++] = axis_text(d, v, v, unit);
            }
        }
        if (t->cnt >= 2) return;
        t->cnt = 0;
    }
    double step = nice_step(high - low, wanted);
    for (int n = wanted + 1; floor(high / step) - ceil(low / step) < 1 && n < 2 * wanted + 4; n++)
        step = nice_step(high - low, n); /* one mark alone tells no scale */
    for (double v = ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step) {
        if (t->cnt == TICKS_MAX || v + step == v) break;
        t->value[t->cnt] = v;
        t->text[t->cnt++] = axis_text(d, v, step, unit);
    }
}

/* time_ticks fills t with dates between two instants, at most wanted. */
static void time_ticks(struct doc *d, struct ticks *t, int64_t first_ns, int64_t last_ns,
                       int wanted) {
    static const int months[] = { 1, 2, 3, 6, 12, 24, 60, 120, 240, 600 };
    static const int64_t minutes[] = { 1,   2,   5,    10,   15,   30,   60,    120,  180,
                                       360, 720, 1440, 2880, 4320, 7200, 10080, 20160 };
    const int64_t minute = INT64_C(60000000000);
    t->cnt = 0;
    for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
        int64_t step = minutes[i] * minute, begin = mk_zone_local(&d->zone, first_ns);
        if ((last_ns - first_ns) / step > wanted) continue;
        int64_t at = (begin / step + (begin % step > 0)) * step; /* local time */
        for (; t->cnt < TICKS_MAX; at += step) {
            const int64_t ns = mk_zone_instant(&d->zone, at);
            if (ns > last_ns) break;
            struct qs_date date = qs_date_of(qs_day_opened(at));
            t->value[t->cnt] = (double)(ns - first_ns);
            int of_day = (int)((at - qs_day_opened(at) * QS_DAY_NS) / minute);
            t->text[t->cnt++] = minutes[i] >= 1440 || of_day == 0
                                    ? doc_keep(d, "%02d-%02d", (int)date.month, (int)date.day)
                                    : doc_keep(d, "%02d:%02d", of_day / 60, of_day % 60);
        }
        return;
    }
    struct qs_date from = qs_date_of(qs_day_opened(mk_zone_local(&d->zone, first_ns))),
                   until = qs_date_of(qs_day_opened(mk_zone_local(&d->zone, last_ns)));
    int first = from.year * 12 + from.month - 1, last = until.year * 12 + until.month - 1, step = 1;
    for (size_t i = 0; i < sizeof months / sizeof months[0]; i++)
        if ((last - first) / (step = months[i]) <= wanted) break;
    for (int m = (first + step - 1) / step * step; m <= last && t->cnt < TICKS_MAX; m += step) {
        int64_t at = mk_zone_instant(&d->zone, qs_day_of(m / 12, m % 12 + 1, 1) * QS_DAY_NS);
        if (at < first_ns) continue;
        t->value[t->cnt] = (double)(at - first_ns);
        t->text[t->cnt++] =
            step % 12 == 0 ? doc_keep(d, "%d", m / 12) : doc_keep(d, "%d-%02d", m / 12, m % 12 + 1);
    }
}

/* x_of maps an instant. */
static float x_of(const struct frame *f, int64_t ns) {
    if (f->last_ns <= f->first_ns) return (f->left + f->right) / 2;
    ns = ns < f->first_ns ? f->first_ns : ns > f->last_ns ? f->last_ns : ns;
    double part = (double)(ns - f->first_ns) / (double)(f->last_ns - f->first_ns);
    return f->left + (float)(part * (double)(f->right - f->left));
}

/* y_of maps a value. */
static float y_of(const struct frame *f, double v) {
    if (f->log) v = log10(v);
    double part = (v - f->low) / (f->high - f->low);
    part = !(part > 0) ? 0 : part > 1 ? 1 : part;
    return f->bottom - (float)(part * (double)(f->bottom - f->top));
}

/* text_width guesses how wide a text of size pixels is. */
static float text_width(const char *text, float size) {
    return (float)strlen(text) * size * 0.64f;
}

/* legend names the curves above the plot. */
static void legend(struct doc_draw *g, const struct chart *c, float left) {
    float x = left;
    for (size_t i = 0; i < c->series_cnt; i++) {
        const struct chart_series *s = &c->series[i];
        if (!s->name || s->cnt == 0) continue;
        doc_rect(g, x, 6, 12, 4, s->tone, 1, NULL);
        doc_label(g, x + 16, 12, 11, DOC_START, DOC_SOFT, s->name);
        x += 16 + text_width(s->name, 11) + 18;
    }
}

/* bounds finds the least and greatest value of c; false when there is none. */
static bool bounds(const struct chart *c, double *low, double *high) {
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < c->series_cnt; i++)
        for (size_t k = 0; k < c->series[i].cnt; k++) {
            double v = c->series[i].points[k].value;
            if (!(v - v == 0)) continue;
            if (v < *low) *low = v;
            if (v > *high) *high = v;
        }
    for (size_t i = 0; i < c->trade_cnt; i++) {
        const struct chart_trade *t = &c->trades[i];
        *low = fmin(*low, fmin(t->entry, t->exit));
        *high = fmax(*high, fmax(t->entry, t->exit));
    }
    if (!(*low <= *high)) return false;
    if (c->zero) {
        *low = fmin(*low, 0);
        *high = fmax(*high, 0);
    }
    if (*high - *low <= fabs(*high) * 1e-9) { /* all one value */
        double room = *high == 0 ? 1 : fabs(*high) * 0.01;
        *low -= room;
        *high += room;
    }
    return true;
}

/* series_draw draws one curve, in pieces where it is broken. */
static void series_draw(struct doc_draw *g, const struct frame *f, const struct chart_series *s,
                        struct doc_point *room) {
    uint32_t n = 0;
    for (size_t i = 0; i <= s->cnt; i++) {
        bool broken = i == s->cnt || !(s->points[i].value - s->points[i].value == 0);
        if (!broken) {
            if (s->step && n)
                room[n] = (struct doc_point){ x_of(f, s->points[i].time_ns), room[n - 1].y }, n++;
            room[n++] =
                (struct doc_point){ x_of(f, s->points[i].time_ns), y_of(f, s->points[i].value) };
            continue;
        }
        if (n >= 2 && s->area) {
            struct doc_point first = room[0], last = room[n - 1];
            float zero = f->log ? f->bottom : y_of(f, 0);
            room[n] = (struct doc_point){ last.x, zero };
            room[n + 1] = (struct doc_point){ first.x, zero };
            doc_area(g, room, n + 2, s->tone, 0.18f);
        }
        if (n >= 2) doc_line(g, room, n, s->tone, 1.4f);
        if (n == 1) doc_mark(g, DOC_DOT, room[0].x, room[0].y, 2, s->tone, NULL);
        n = 0;
    }
}

/* time_draw draws c in one width. */
static void time_draw(struct doc_draw *g, const struct chart *c, float width) {
    double low, high;
    struct ticks v, t;
    struct frame f = { .first_ns = c->first_ns, .last_ns = c->last_ns };
    bool wide = width > NARROW, named = false;
    size_t most = 0;
    g->width = width;
    g->height = wide ? c->height : c->height * 0.8f;
    if (!bounds(c, &low, &high)) return;
    f.log = c->ratio && low > 0 && high / low > 4;
    value_ticks(g->doc, &v, low, high, (int)(g->height / 48) + 1, c->unit, f.log);
    float label = 0;
    for (int i = 0; i < v.cnt; i++) label = fmaxf(label, text_width(v.text[i], 11));
    for (size_t i = 0; i < c->series_cnt; i++) {
        named = named || c->series[i].name != NULL;
        if (c->series[i].cnt > most) most = c->series[i].cnt;
    }
    double room = f.log ? log10(high / low) * 0.03 : (high - low) * 0.03;
    f.low = (f.log ? log10(low) : low) - (c->zero && low == 0 ? 0 : room);
    f.high = (f.log ? log10(high) : high) + (c->zero && high == 0 ? 0 : room);
    f.left = label + 8;
    f.right = width - 6;
    f.top = named || f.log ? 20 : 6;
    f.bottom = g->height - 20;
    for (size_t i = 0; i < c->shade_cnt; i++) {
        float from = x_of(&f, c->shades[i].from_ns), until = x_of(&f, c->shades[i].until_ns);
        doc_rect(g, from, f.top, fmaxf(until - from, 1), f.bottom - f.top, DOC_LOSS, 0.09f,
                 c->shades[i].tip);
    }
    for (int i = 0; i < v.cnt; i++) {
        float y = y_of(&f, v.value[i]);
        doc_rule(g, f.left, y, f.right, y, DOC_GRID, false);
        doc_label(g, f.left - 5, y + 4, 11, DOC_END, DOC_SOFT, v.text[i]);
    }
    time_ticks(g->doc, &t, c->first_ns, c->last_ns, wide ? 9 : 4);
    for (int i = 0; i < t.cnt; i++) {
        float x = x_of(&f, c->first_ns + (int64_t)t.value[i]), half = text_width(t.text[i], 11) / 2;
        doc_rule(g, x, f.bottom, x, f.bottom + 4, DOC_GRID, false);
        if (x - half < 0 || x + half > width) continue;
        doc_label(g, x, f.bottom + 16, 11, DOC_MIDDLE, DOC_SOFT, t.text[i]);
    }
    if (!f.log && low < 0 && high > 0) {
        float y = y_of(&f, 0);
        doc_rule(g, f.left, y, f.right, y, DOC_SOFT, false);
    }
    struct doc_point *points = malloc((2 * most + 2) * sizeof *points);
    if (!points) g->doc->failed = true;
    for (size_t i = 0; points && i < c->series_cnt; i++) series_draw(g, &f, &c->series[i], points);
    free(points);
    for (size_t i = 0; i < c->trade_cnt; i++) {
        const struct chart_trade *a = &c->trades[i];
        enum doc_tone tone = a->won ? DOC_GAIN : DOC_LOSS;
        struct doc_point ends[2] = { { x_of(&f, a->entry_ns), y_of(&f, a->entry) },
                                     { x_of(&f, a->exit_ns), y_of(&f, a->exit) } };
        doc_line(g, ends, 2, tone, 1.2f);
        doc_mark(g, a->is_short ? DOC_DOWN : DOC_UP, ends[0].x, ends[0].y, wide ? 5 : 4, tone,
                 a->tip);
        doc_mark(g, DOC_DOT, ends[1].x, ends[1].y, wide ? 2.2f : 1.8f, tone, a->tip);
    }
    if (named) legend(g, c, f.left);
    if (f.log) doc_label(g, f.right, 12, 11, DOC_END, DOC_SOFT, "log scale");
}

void chart_time(struct doc *d, const struct chart *c) {
    struct doc_block *b = doc_add(d, DOC_CHART, c->label);
    time_draw(&b->draw[0], c, WIDE);
    time_draw(&b->draw[1], c, NARROW);
    if (d->paper) time_draw(&b->draw[2], c, PAPER);
}

/* bars_draw draws a histogram in one width. */
static void bars_draw(struct doc_draw *g, const struct chart_bar *bars, size_t cnt, float width) {
    double most = 0;
    struct ticks v, x;
    struct frame f = { 0 };
    g->width = width;
    g->height = width > NARROW ? 240 : 200;
    if (cnt == 0) return;
    for (size_t i = 0; i < cnt; i++)
        if (bars[i].cnt > most) most = bars[i].cnt;
    if (most <= 0) return;
    value_ticks(g->doc, &v, 0, most, most < 4 ? (int)most : 4, CHART_NUMBER, false);
    f.left = 40;
    f.right = width - 8;
    f.top = 8;
    f.bottom = g->height - 22;
    f.low = 0;
    f.high = most * 1.03;
    for (int i = 0; i < v.cnt; i++) {
        float y = y_of(&f, v.value[i]);
        doc_rule(g, f.left, y, f.right, y, DOC_GRID, false);
        doc_label(g, f.left - 5, y + 4, 11, DOC_END, DOC_SOFT, v.text[i]);
    }
    double from = bars[0].from, span = bars[cnt - 1].until - from;
    float scale = (f.right - f.left) / (float)span;
    for (size_t i = 0; i < cnt; i++) {
        char a[CHART_TEXT], b[CHART_TEXT];
        float left = f.left + (float)(bars[i].from - from) * scale,
              w = (float)(bars[i].until - bars[i].from) * scale;
        double middle = (bars[i].from + bars[i].until) / 2;
        if (bars[i].cnt <= 0) continue;
        float y = y_of(&f, bars[i].cnt);
        doc_rect(g, left + 0.5f, y, fmaxf(w - 1, 0.5f), f.bottom - y,
                 middle < 0 ? DOC_LOSS : DOC_GAIN, 0.75f,
                 doc_keep(g->doc, "%s to %s: %.0f days", chart_part(bars[i].from, true, a),
                          chart_part(bars[i].until, true, b), bars[i].cnt));
    }
    value_ticks(g->doc, &x, from, from + span, width > NARROW ? 9 : 4, CHART_PART, false);
    for (int i = 0; i < x.cnt; i++) {
        float at = f.left + (float)(x.value[i] - from) * scale;
        doc_rule(g, at, f.bottom, at, f.bottom + 4, DOC_GRID, false);
        float half = text_width(x.text[i], 11) / 2;
        if (at + half > width) continue;
        doc_label(g, at, f.bottom + 16, 11, DOC_MIDDLE, DOC_SOFT, x.text[i]);
    }
    doc_rule(g, f.left, f.bottom, f.right, f.bottom, DOC_SOFT, false);
}

void chart_histogram(struct doc *d, const char *label, const struct chart_bar *bars, size_t cnt) {
    struct doc_block *b = doc_add(d, DOC_CHART, label);
    bars_draw(&b->draw[0], bars, cnt, WIDE);
    bars_draw(&b->draw[1], bars, cnt, NARROW);
    if (d->paper) bars_draw(&b->draw[2], bars, cnt, PAPER);
}

/* heat_text formats a return for a cell of width pixels. */
static const char *heat_text(struct doc *d, double ret, bool wide) {
    double v = 100 * ret;
    if (!(v - v == 0)) return "-";
    if (fabs(v) >= 99950) return doc_keep(d, "%.0e", v);
    if (fabs(v) >= (wide ? 999.95 : 99.5)) return doc_keep(d, "%.0f", v);
    const char *text = doc_keep(d, wide ? "%.1f" : "%.0f", v);
    return strspn(text, "-0.") == strlen(text) ? (wide ? "0.0" : "0") : text;
}

/* heat_draw draws the heat map in one width. */
static void heat_draw(struct doc_draw *g, const struct chart_month *months, size_t cnt,
                      float width) {
    static const char *const heads[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
                                         "Aug", "Sep", "Oct", "Nov", "Dec", "Year" };
    bool wide = width > NARROW;
    float left = wide ? 44 : 30, w = (width - left) / 13, h = wide ? 26 : 22,
          size = wide ? 12 : 9.5f;
    double most[2] = { 0, 0 }; /* of months, of years */
    int first = INT32_MAX, last = INT32_MIN;
    for (size_t i = 0; i < cnt; i++) {
        double *m = &most[months[i].month == 0];
        if (fabs(months[i].ret) > *m) *m = fabs(months[i].ret);
        if (months[i].year < first) first = months[i].year;
        if (months[i].year > last) last = months[i].year;
    }
    g->width = width;
    g->height = cnt ? 18 + h * (float)(last - first + 1) : 18;
    for (int k = 0; k < 13; k++)
        doc_label(g, left + w * ((float)k + 0.5f), 12, wide ? 11 : 9, DOC_MIDDLE, DOC_SOFT,
                  wide || k == 12 ? heads[k] : doc_keep(g->doc, "%d", k + 1));
    for (int y = first; cnt && y <= last; y++)
        doc_label(g, left - 5, 18 + h * ((float)(y - first) + 0.66f), size, DOC_END, DOC_SOFT,
                  doc_keep(g->doc, "%d", y));
    for (size_t i = 0; i < cnt; i++) {
        char text[CHART_TEXT];
        const struct chart_month *m = &months[i];
        int column = m->month == 0 ? 12 : m->month - 1;
        float x = left + w * (float)column, y = 18 + h * (float)(m->year - first);
        double scale = fmax(most[m->month == 0], 0.03); /* a little is no deep colour */
        float alpha = scale > 0 && m->ret - m->ret == 0 ? (float)(0.55 * fabs(m->ret) / scale) : 0;
        const char *tip =
            m->month
                ? doc_keep(g->doc, "%d-%02d: %s", m->year, m->month, chart_part(m->ret, true, text))
                : doc_keep(g->doc, "%d: %s", m->year, chart_part(m->ret, true, text));
        doc_rect(g, x + 1, y + 1, w - 2, h - 2,
                 m->ret < 0   ? DOC_LOSS
                 : m->ret > 0 ? DOC_GAIN
                              : DOC_GRID,
                 m->ret == 0 ? 0.4f : 0.1f + alpha, tip);
        doc_label(g, x + w / 2, y + h * 0.66f, size, DOC_MIDDLE, DOC_FG,
                  heat_text(g->doc, m->ret, wide));
    }
}

void chart_heat(struct doc *d, const char *label, const struct chart_month *months, size_t cnt) {
    struct doc_block *b = doc_add(d, DOC_CHART, label);
    heat_draw(&b->draw[0], months, cnt, WIDE);
    heat_draw(&b->draw[1], months, cnt, NARROW);
    if (d->paper) heat_draw(&b->draw[2], months, cnt, PAPER);
}

/* dots_draw draws a scatter in one width. */
static void dots_draw(struct doc_draw *g, const char *x_name, const char *y_name,
                      const struct chart_dot *dots, size_t cnt, float width) {
    double high_x = 0, low = 0, high = 0;
    struct ticks x, y;
    struct frame f = { 0 };
    g->width = width;
    g->height = width > NARROW ? 280 : 240;
    for (size_t i = 0; i < cnt; i++) {
        high_x = fmax(high_x, dots[i].x);
        low = fmin(low, dots[i].y);
        high = fmax(high, dots[i].y);
    }
    if (high_x <= 0) high_x = 0.01;
    if (high <= low) high = low + 1;
    value_ticks(g->doc, &y, low, high, 5, CHART_NUMBER, false);
    value_ticks(g->doc, &x, 0, high_x, width > NARROW ? 9 : 4, CHART_PART, false);
    float label = 0;
    for (int i = 0; i < y.cnt; i++) label = fmaxf(label, text_width(y.text[i], 11));
    f.left = label + 8;
    f.right = width - 12;
    f.top = 22;
    f.bottom = g->height - 36;
    double room = (high - low) * 0.04;
    f.low = low - room;
    f.high = high + room;
    for (int i = 0; i < y.cnt; i++) {
        float at = y_of(&f, y.value[i]);
        doc_rule(g, f.left, at, f.right, at, y.value[i] == 0 ? DOC_SOFT : DOC_GRID, false);
        doc_label(g, f.left - 5, at + 4, 11, DOC_END, DOC_SOFT, y.text[i]);
    }
    for (int i = 0; i < x.cnt; i++) {
        float at = f.left + (float)(x.value[i] / (high_x * 1.03)) * (f.right - f.left);
        doc_rule(g, at, f.bottom, at, f.bottom + 4, DOC_GRID, false);
        doc_label(g, at, f.bottom + 16, 11, DOC_MIDDLE, DOC_SOFT, x.text[i]);
    }
    for (size_t i = 0; i < cnt; i++)
        doc_mark(g, DOC_DOT, f.left + (float)(dots[i].x / (high_x * 1.03)) * (f.right - f.left),
                 y_of(&f, dots[i].y), 3, dots[i].y > 0 ? DOC_GAIN : DOC_LOSS, dots[i].tip);
    doc_label(g, f.left, 12, 11, DOC_START, DOC_SOFT, y_name);
    doc_label(g, f.right, g->height - 4, 11, DOC_END, DOC_SOFT, x_name);
}

void chart_scatter(struct doc *d, const char *label, const char *x_name, const char *y_name,
                   const struct chart_dot *dots, size_t cnt) {
    struct doc_block *b = doc_add(d, DOC_CHART, label);
    dots_draw(&b->draw[0], x_name, y_name, dots, cnt, WIDE);
    dots_draw(&b->draw[1], x_name, y_name, dots, cnt, NARROW);
    if (d->paper) dots_draw(&b->draw[2], x_name, y_name, dots, cnt, PAPER);
}
