#include "actors/report/quality.h"
#include "actors/data/scan.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TEXT_FAULTS = 12,  /* faults shown in the terminal */
    HTML_FAULTS = 500, /* faults shown on the page */
    HTML_DAYS = 4000,  /* days drawn, and days listed */
    CELL = 11,         /* pixels from one day to the next */
};

/* set_name writes "venue/SYMBOL klines-1m" into out; returns it. */
static const char *set_name(const struct data_set *set, char out[160]) {
    char span[40] = "";
    if (set->interval_ns > 0) (void)data_span_text(set->interval_ns, span);
    snprintf(out, 160, "%s%s%s%s%s%s%s", set->venue, set->venue[0] != '\0' ? "/" : "", set->symbol,
             set->symbol[0] != '\0' ? " " : "", set->stream == NULL ? "?" : set->stream->name,
             span[0] != '\0' ? "-" : "", span);
    return out;
}

/* action_of tells what was done about kind: the action of its first fault. */
static const char *action_of(const struct data_quality *q, int kind) {
    for (uint64_t i = 0; i < q->fault_cnt; i++) {
        if (q->faults[i].kind == kind) return data_action_names[q->faults[i].action];
    }
    return data_action_names[q->options.policy[kind]];
}

/* first_of finds the first fault of a kind, NULL when there is none. */
static const struct data_fault *first_of(const struct data_quality *q, int kind) {
    for (uint64_t i = 0; i < q->fault_cnt; i++) {
        if (q->faults[i].kind == kind) return &q->faults[i];
    }
    return NULL;
}

/* place writes "line 12" or the time of a fault into out; returns it. */
static const char *place(const struct data_fault *f, char out[96]) {
    char when[40] = "";
    if (f->time_ns != DATA_NOT_TOLD) (void)data_time_text(f->time_ns, when);
    if (f->line > 0) {
        snprintf(out, 96, "line %" PRIu64 "%s%s", f->line, when[0] != '\0' ? ", " : "", when);
    } else {
        snprintf(out, 96, "%s", when[0] != '\0' ? when : "the whole");
    }
    return out;
}

/* calendar_text writes how the days lie against the session's calendar into out; returns it. */
static const char *calendar_text(const struct data_quality *q, char out[200]) {
    uint64_t expected = 0, bare = 0, shut = 0, outside = 0, unknown = 0;
    for (uint64_t i = 0; i < q->day_cnt; i++) {
        const struct data_day *d = &q->days[i];
        const bool open = d->calendar == MK_DAY_OPEN || d->calendar == MK_DAY_EARLY;
        expected += open;
        bare += open && d->rows == 0;
        shut += d->calendar == MK_DAY_CLOSED && d->rows > 0;
        unknown += d->calendar == MK_DAY_UNKNOWN;
        outside += d->outside;
    }
    int n =
        snprintf(out, 200,
                 "calendar: %" PRIu64 " trading days, %" PRIu64 " of them without a row; %" PRIu64
                 " rows outside its hours; rows on %" PRIu64 " days it was shut",
                 expected, bare, outside, shut);
    if (unknown > 0)
        snprintf(out + n, 200 - (size_t)n, "; %" PRIu64 " days it does not know", unknown);
    return out;
}

/* day_bad tells whether a day is not as it should be. */
static bool day_bad(const struct data_day *d) {
    return d->missing + d->outside + d->faults + d->left_out + d->repaired > 0;
}

/* clock_text writes the time of day of an instant into out, a dash for none; returns it. */
static const char *clock_text(int64_t ns, char out[40]) {
    char text[40];
    if (ns == DATA_NOT_TOLD) return "-";
    snprintf(out, 40, "%.8s", data_time_text(ns, text) + 11);
    return out;
}

void report_quality_days(const struct data_quality *q, bool all, FILE *out) {
    char day[40], from[40], to[40];
    fprintf(out, "  %-10s %10s  %-8s  %-8s  %9s %8s %8s %8s %8s  %s\n", "day, UTC", "rows", "first",
            "last", "missing", "outside", "faults", "left out", "changed",
            q->options.session != NULL ? "calendar" : "");
    for (uint64_t i = 0; i < q->day_cnt; i++) {
        const struct data_day *d = &q->days[i];
        if (!all && !day_bad(d)) continue;
        fprintf(out,
                "  %.10s %10" PRIu64 "  %-8s  %-8s  %9" PRIu64 " %8" PRIu64 " %8" PRIu64
                " %8" PRIu64 " %8" PRIu64 "  %s\n",
                data_time_text(d->day_ns, day), d->rows, clock_text(d->first_ns, from),
                clock_text(d->last_ns, to), d->missing, d->outside, d->faults, d->left_out,
                d->repaired, q->options.session != NULL ? mk_day_words[d->calendar] : "");
    }
}

void report_quality_text(const struct data_quality *q, const struct data_set *set, FILE *out) {
    char name[160], from[40], to[40], where[96], calendar[200];
    uint64_t all = 0;
    fprintf(out, "%s: %s: %" PRIu64 " rows", q->file, set_name(set, name), q->rows_in);
    if (q->rows_out > 0) {
        fprintf(out, " from %s to %s", data_time_text(q->first_ns, from),
                data_time_text(q->last_ns, to));
    }
    fputc('\n', out);
    if (q->delayed) {
        fprintf(out, "  recorder after venue: median %.3f ms, %.3f to %.3f ms\n",
                (double)q->delay_us / 1e3, (double)q->delay_low_us / 1e3,
                (double)q->delay_high_us / 1e3);
    }
    if (q->options.session != NULL) fprintf(out, "  %s\n", calendar_text(q, calendar));
    for (int k = 0; k < DATA_FAULT_CNT; k++) all += q->counts[k];
    if (all == 0) {
        fprintf(out, "  no fault found\n");
        return;
    }
    fprintf(out, "  %-11s %8s  %-11s  %s\n", "fault", "number", "answer", "first");
    for (int k = 0; k < DATA_FAULT_CNT; k++) {
        const struct data_fault *f = first_of(q, k);
        if (q->counts[k] == 0 || f == NULL) continue;
        fprintf(out, "  %-11s %8" PRIu64 "  %-11s  %s: %s\n", data_fault_names[k], q->counts[k],
                action_of(q, k), place(f, where), f->text);
    }
    if (q->gap_rows > 0) fprintf(out, "  %" PRIu64 " rows missing in gaps\n", q->gap_rows);
    if (q->left_out > 0 || q->repaired > 0) {
        fprintf(out, "  %" PRIu64 " rows left out, %" PRIu64 " values changed or made\n",
                q->left_out, q->repaired);
    }
    if (all <= TEXT_FAULTS) return;
    const struct data_day *worst = NULL;
    for (uint64_t i = 0; i < q->day_cnt; i++) {
        const struct data_day *d = &q->days[i];
        if (worst == NULL || d->faults + d->missing > worst->faults + worst->missing) worst = d;
    }
    if (worst != NULL && worst->faults + worst->missing > 0) {
        fprintf(out,
                "  worst day %.10s: %" PRIu64 " rows, %" PRIu64 " missing, %" PRIu64 " faults\n",
                data_time_text(worst->day_ns, from), worst->rows, worst->missing, worst->faults);
    }
}

/* quoted writes text as a JSON string. */
static void quoted(const char *text, FILE *out) {
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            fprintf(out, "\\%c", *p);
        } else if (*p < 0x20) {
            fprintf(out, "\\u%04x", *p);
        } else {
            fputc(*p, out);
        }
    }
    fputc('"', out);
}

void report_quality_json(const struct data_quality *q, const struct data_set *set, FILE *out) {
    const char *comma = "";
    fputs("{\"file\":", out);
    quoted(q->file, out);
    fprintf(out,
            ",\"venue\":\"%s\",\"symbol\":\"%s\",\"stream\":\"%s\",\"interval_ns\":%" PRId64
            ",\"rows_in\":%" PRIu64 ",\"rows_out\":%" PRIu64 ",\"left_out\":%" PRIu64
            ",\"repaired\":%" PRIu64 ",\"missing_in_gaps\":%" PRIu64,
            set->venue, set->symbol, set->stream == NULL ? "" : set->stream->name, set->interval_ns,
            q->rows_in, q->rows_out, q->left_out, q->repaired, q->gap_rows);
    if (q->rows_out > 0)
        fprintf(out, ",\"first_ns\":%" PRId64 ",\"last_ns\":%" PRId64, q->first_ns, q->last_ns);
    if (q->delayed) {
        fprintf(out,
                ",\"delay_us\":{\"least\":%" PRId64 ",\"median\":%" PRId64 ",\"most\":%" PRId64 "}",
                q->delay_low_us, q->delay_us, q->delay_high_us);
    }
    fputs(",\"counts\":{", out);
    for (int k = 0; k < DATA_FAULT_CNT; k++) {
        if (q->counts[k] == 0) continue;
        fprintf(out, "%s\"%s\":%" PRIu64, comma, data_fault_names[k], q->counts[k]);
        comma = ",";
    }
    fputs("},\"faults\":[", out);
    for (uint64_t i = 0; i < q->fault_cnt; i++) {
        const struct data_fault *f = &q->faults[i];
        fprintf(out, "%s{\"kind\":\"%s\",\"answer\":\"%s\",\"line\":%" PRIu64, i > 0 ? "," : "",
                data_fault_names[f->kind], data_action_names[f->action], f->line);
        if (f->time_ns != DATA_NOT_TOLD) fprintf(out, ",\"time_ns\":%" PRId64, f->time_ns);
        fputs(",\"text\":", out);
        quoted(f->text, out);
        fputc('}', out);
    }
    fputs("],\"days\":[", out);
    for (uint64_t i = 0; i < q->day_cnt; i++) {
        const struct data_day *d = &q->days[i];
        char when[40];
        fprintf(out,
                "%s{\"day\":\"%.10s\",\"rows\":%" PRIu64 ",\"missing\":%" PRIu64
                ",\"faults\":%" PRIu64 ",\"left_out\":%" PRIu64 ",\"repaired\":%" PRIu64,
                i > 0 ? "," : "", data_time_text(d->day_ns, when), d->rows, d->missing, d->faults,
                d->left_out, d->repaired);
        if (d->rows > 0)
            fprintf(out, ",\"first_ns\":%" PRId64 ",\"last_ns\":%" PRId64, d->first_ns, d->last_ns);
        if (q->options.session != NULL)
            fprintf(out, ",\"calendar\":\"%s\",\"outside\":%" PRIu64, mk_day_words[d->calendar],
                    d->outside);
        fputc('}', out);
    }
    fputs("]}", out);
}

/* escaped writes text into HTML. */
static void escaped(const char *text, FILE *out) {
    for (const char *p = text; *p != '\0'; p++) {
        switch (*p) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc(*p, out);
        }
    }
}

/* days_draw draws a square a day, a column a week: how much of it is missing or faulty. */
static void days_draw(const struct data_quality *q, FILE *out) {
    const int64_t day = 86400000000000LL, week = 7 * day;
    if (q->day_cnt < 2) return;
    const uint64_t first = q->day_cnt > HTML_DAYS ? q->day_cnt - HTML_DAYS : 0;
    const int64_t monday =
        q->days[first].day_ns - ((q->days[first].day_ns - 4 * day) % week + week) % week;
    const int64_t weeks = (q->days[q->day_cnt - 1].day_ns - monday) / week + 1;
    fprintf(out, "<div class=scroll><svg width=%d height=%d role=img aria-label=\"rows by day\">",
            (int)(weeks * CELL), 7 * CELL);
    for (uint64_t i = first; i < q->day_cnt; i++) {
        const struct data_day *d = &q->days[i];
        const uint64_t bad = d->missing + d->faults, all = d->rows + d->missing;
        const char *shade = bad == 0 ? "g0" : bad * 100 < all ? "g1" : bad * 10 < all ? "g2" : "g3";
        char when[40];
        int64_t x = (d->day_ns - monday) / week, y = (d->day_ns - monday) % week / day;
        fprintf(out,
                "<rect class=%s x=%d y=%d width=9 height=9 rx=2><title>%.10s: %" PRIu64
                " rows, %" PRIu64 " missing, %" PRIu64 " faults</title></rect>",
                shade, (int)(x * CELL), (int)(y * CELL), data_time_text(d->day_ns, when), d->rows,
                d->missing, d->faults);
    }
    fputs("</svg></div><p class=key><i class=g0></i>whole <i class=g1></i>below 1 % missing or "
          "faulty <i class=g2></i>below 10 % <i class=g3></i>more</p>",
          out);
}

/* counts_table writes the table of kinds. */
static void counts_table(const struct data_quality *q, FILE *out) {
    char where[96];
    fputs("<div class=scroll><table><tr><th>Fault<th class=n>Number<th>Answer<th>First</tr>", out);
    for (int k = 0; k < DATA_FAULT_CNT; k++) {
        const struct data_fault *f = first_of(q, k);
        if (q->counts[k] == 0 || f == NULL) continue;
        fprintf(out, "<tr><td>%s<td class=n>%" PRIu64 "<td>%s<td>%s: ", data_fault_names[k],
                q->counts[k], action_of(q, k), place(f, where));
        escaped(f->text, out);
        fputs("</tr>", out);
    }
    fputs("</table></div>", out);
}

/* faults_table writes the faults one by one, folded. */
static void faults_table(const struct data_quality *q, FILE *out) {
    const uint64_t cnt = q->fault_cnt < HTML_FAULTS ? q->fault_cnt : HTML_FAULTS;
    char when[40];
    fprintf(out,
            "<details><summary>%s%" PRIu64 " faults</summary><div class=scroll><table><tr>"
            "<th class=n>Line<th>Time<th>Fault<th>Answer<th>What</tr>",
            cnt < q->fault_cnt ? "The first " : "All ", cnt);
    for (uint64_t i = 0; i < cnt; i++) {
        const struct data_fault *f = &q->faults[i];
        fprintf(out, "<tr><td class=n>%" PRIu64 "<td>%s<td>%s<td>%s<td>", f->line,
                f->time_ns != DATA_NOT_TOLD ? data_time_text(f->time_ns, when) : "",
                data_fault_names[f->kind], data_action_names[f->action]);
        escaped(f->text, out);
        fputs("</tr>", out);
    }
    fputs("</table></div></details>", out);
}

/* days_table writes the days one by one, folded. */
static void days_table(const struct data_quality *q, FILE *out) {
    const uint64_t first = q->day_cnt > HTML_DAYS ? q->day_cnt - HTML_DAYS : 0;
    const bool calendar = q->options.session != NULL;
    char day[40], from[40], to[40];
    if (q->day_cnt == 0) return;
    fprintf(
        out,
        "<details><summary>%s%" PRIu64 " days</summary><div class=scroll><table><tr><th>Day, UTC"
        "<th class=n>Rows<th>First<th>Last<th class=n>Missing<th class=n>Faults<th class=n>Left "
        "out<th class=n>Changed%s</tr>",
        first > 0 ? "The last " : "All ", q->day_cnt - first,
        calendar ? "<th class=n>Outside hours<th>Calendar" : "");
    for (uint64_t i = first; i < q->day_cnt; i++) {
        const struct data_day *d = &q->days[i];
        fprintf(out,
                "<tr%s><td>%.10s<td class=n>%" PRIu64 "<td>%s<td>%s<td class=n>%" PRIu64
                "<td class=n>%" PRIu64 "<td class=n>%" PRIu64 "<td class=n>%" PRIu64,
                day_bad(d) ? " class=bad" : "", data_time_text(d->day_ns, day), d->rows,
                clock_text(d->first_ns, from), clock_text(d->last_ns, to), d->missing, d->faults,
                d->left_out, d->repaired);
        if (calendar)
            fprintf(out, "<td class=n>%" PRIu64 "<td>%s", d->outside, mk_day_words[d->calendar]);
        fputs("</tr>", out);
    }
    fputs("</table></div></details>", out);
}

/* section writes one data set. */
static void section(const struct data_quality *q, const struct data_set *set, FILE *out) {
    char name[160], from[40] = "", to[40] = "", calendar[200];
    uint64_t all = 0;
    for (int k = 0; k < DATA_FAULT_CNT; k++) all += q->counts[k];
    if (q->rows_out > 0) {
        (void)data_time_text(q->first_ns, from);
        (void)data_time_text(q->last_ns, to);
    }
    fputs("<section><h2>", out);
    escaped(set_name(set, name), out);
    fputs("</h2><p class=file>", out);
    escaped(q->file, out);
    fprintf(out,
            "</p><dl><div><dt>rows read<dd>%" PRIu64 "</div><div><dt>rows left<dd>%" PRIu64
            "</div><div><dt>missing in gaps<dd>%" PRIu64 "</div><div><dt>left out<dd>%" PRIu64
            "</div><div><dt>changed or made<dd>%" PRIu64
            "</div><div><dt>from, UTC<dd>%.16s</div><div><dt>to, UTC<dd>%.16s</div>",
            q->rows_in, q->rows_out, q->gap_rows, q->left_out, q->repaired, from, to);
    if (q->delayed) {
        fprintf(out, "<div><dt>recorder after venue, median<dd>%.1f ms</div>",
                (double)q->delay_us / 1e3);
    }
    fputs("</dl>", out);
    if (q->options.session != NULL)
        fprintf(out, "<p class=file>%s</p>", calendar_text(q, calendar));
    days_draw(q, out);
    if (all == 0) {
        fputs("<p class=fine>No fault found.</p>", out);
    } else {
        counts_table(q, out);
        faults_table(q, out);
    }
    days_table(q, out);
    fputs("</section>", out);
}

int report_quality_html(const struct data_quality *const *q, const struct data_set *const *sets,
                        uint32_t cnt, const char *path, struct rt_error *err) {
    char early[PATH_MAX];
    if (snprintf(early, sizeof early, "%s.new", path) >= (int)sizeof early)
        return rt_error_set(err, -ENAMETOOLONG, "%.60s...: name too long", path);
    FILE *out = fopen(early, "we");
    if (out == NULL) return rt_error_set(err, -errno, "%s: %s", path, strerror(errno));
    fputs("<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
          "content=\"width=device-width,initial-scale=1\"><title>Data quality</title><style>"
          ":root{color-scheme:light dark;--bg:#fff;--fg:#1c2128;--soft:#5b6470;--line:#dde1e6;"
          "--g0:#cfe8d5;--g1:#f2dc8f;--g2:#ef9f5b;--g3:#d2453d}"
          "@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e3e6ea;--soft:#98a1ac;"
          "--line:#2d333b;--g0:#24523a;--g1:#7d6a1e;--g2:#a8581f;--g3:#cf4a42}}"
          "body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;margin:0 "
          "auto;max-width:1000px;padding:16px}h1{font-size:22px}h2{font-size:17px;margin:0}"
          "section{border-top:1px solid var(--line);padding:16px 0}.file,.key{color:var(--soft);"
          "margin:0 0 12px;font-size:13px;overflow-wrap:anywhere}"
          "dl{display:flex;flex-wrap:wrap;gap:8px 28px;margin:0 0 16px}"
          "dt{color:var(--soft);font-size:12px}dd{margin:0;font-variant-numeric:tabular-nums}"
          "table{border-collapse:collapse;font-size:13px;width:100%}"
          "th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid var(--line);"
          "vertical-align:top}th{color:var(--soft);font-weight:500}.n{text-align:right;"
          "font-variant-numeric:tabular-nums}.bad td:first-child{color:var(--g3)}"
          ".scroll{overflow-x:auto;margin-bottom:8px}.g0{fill:var(--g0);background:var(--g0)}"
          ".g1{fill:var(--g1);background:var(--g1)}.g2{fill:var(--g2);background:var(--g2)}"
          ".g3{fill:var(--g3);background:var(--g3)}.key i{display:inline-block;width:10px;"
          "height:10px;border-radius:2px;margin:0 4px 0 8px}summary{cursor:pointer;padding:8px 0}"
          "@media print{details{display:none}}</style><h1>Data quality</h1>",
          out);
    for (uint32_t i = 0; i < cnt; i++) section(q[i], sets[i], out);
    fputs("</html>\n", out);
    if (fclose(out) == 0 && rename(early, path) == 0) return 0;
    const int why = errno;
    (void)unlink(early);
    return rt_error_set(err, -why, "%s: cannot be written whole: %s", path, strerror(why));
}
