/* cmd_bench.c - `shrike bench`: asks the questions of bench/ and shows the answers. */
#include "bench/bench.h"
#include "cli/cli.h"
#include "runtime/base/folder.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { BAR_CELLS = 24 }; /* width of a bar in the table */

/* The questions, in the order they are asked: what others are held against comes first. */
static const struct question {
    const char *name;            /* as --only says */
    int (*ask)(struct bench *b); /* adds results */
    const char *title;           /* over its rows */
} questions[] = {
    { "hop", bench_hop, "from core to core, 64 bytes" },
    { "local", bench_local, "from actor to actor of one shard" },
    { "relay", bench_relay, "five threads on the cores there are" },
    { "tick_order", bench_tick_order, "from tick to order, journal on" },
    { "journal", bench_journal, "the journal, 64 bytes" },
    { "backtest", bench_backtest, "bars through strategy, risk, execution, venue, portfolio" },
    { "multi", bench_multi, "20 symbols, 3 strategies that trade all of them, one account" },
    { "year", bench_year, "a year of 1m bars of one symbol: CSV, accounting, results, HTML page" },
    { "csv", bench_csv, "kline CSV" },
    { "store", bench_store, "the data store, checked and turned into rows" },
    { "match", bench_match,
      "matching: 70 % near the touch (orders, young cancels), 25 % cancels, 5 % crossing" },
    { "l2", bench_l2, "a recorded book with orders of ours in its queues" },
};

/* How many there are. */
enum { QUESTIONS = sizeof questions / sizeof questions[0] };

/* human writes a figure for people: 157 ns, 60.2 M/s. */
static void human(char *out, size_t cap, double v, const char *unit) {
    static const char *const steps[] = { "", " k", " M", " G" };
    int step = 0;
    if (strcmp(unit, "ns") == 0) {
        if (v < 10)
            snprintf(out, cap, "%.1f ns", v);
        else if (v < 10000)
            snprintf(out, cap, "%.0f ns", v);
        else if (v < 10e6)
            snprintf(out, cap, "%.1f us", v / 1e3);
        else
            snprintf(out, cap, "%.1f ms", v / 1e6);
        return;
    }
    while (v >= 1000 && step < 3) {
        v /= 1000;
        step++;
    }
    if (strcmp(unit, "1") == 0)
        snprintf(out, cap, "%.2f", v);
    else
        snprintf(out, cap, v < 10 ? "%.2f%s%s" : "%.1f%s%s", v, steps[step],
                 *unit == 'B' ? "B/s" : "/s");
}

/* is_rate tells whether more is better. */
static bool is_rate(const struct bench_result *r) {
    return strcmp(r->unit, "ns") != 0;
}

/* show_bar prints a bar of value against most, both of one unit. */
static void show_bar(double value, double most) {
    int cells = most > 0 ? (int)lrint(value / most * BAR_CELLS) : 0;
    if (cells > BAR_CELLS) cells = BAR_CELLS;
    for (int i = 0; i < BAR_CELLS; i++) fputs(i < cells ? "\xe2\x96\x88" : " ", stdout);
}

/* show prints the results from index first on. */
static void show(const struct bench *b, uint32_t first, const char *title, bool colour) {
    double most_ns = 0, most_rate = 0;
    printf("\n%s%s%s\n", colour ? "\033[1m" : "", title, colour ? "\033[0m" : "");
    for (uint32_t i = first; i < b->result_cnt; i++) {
        const struct bench_result *r = &b->results[i];
        size_t n = strlen(r->name);
        bool middle = strcmp(r->name + n - 3, "p50") == 0;
        if (is_rate(r) && strcmp(r->unit, "1") != 0 && r->value > most_rate) most_rate = r->value;
        if (middle && r->value > most_ns) most_ns = r->value;
    }
    for (uint32_t i = first; i < b->result_cnt; i++) {
        const struct bench_result *r = &b->results[i];
        char value[32], low[32], high[32], aim[32] = "", against[64] = "";
        human(value, sizeof value, r->value, r->unit);
        human(low, sizeof low, r->low, r->unit);
        human(high, sizeof high, r->high, r->unit);
        if (r->aim > 0) human(aim, sizeof aim, r->aim, r->unit);
        double peer = r->peer[0] ? bench_value(b, r->peer) : 0;
        if (peer > 0) snprintf(against, sizeof against, "%.2f x %s", r->value / peer, r->peer);
        bool met = is_rate(r) ? r->value >= r->aim : r->value <= r->aim;
        const char *mark = r->aim <= 0 ? " " : met ? "+" : "-";
        const char *paint = !colour || r->aim <= 0 ? "" : met ? "\033[32m" : "\033[33m";
        printf("  %-27s %s%11s %s%s  ", r->name, paint, value, mark, *paint ? "\033[0m" : "");
        printf("%-13s", aim[0] ? aim : "");
        show_bar(r->value, is_rate(r) ? strcmp(r->unit, "1") == 0 ? 0 : most_rate : most_ns);
        printf(" %11s ..%11s  %s\n", low, high, against);
    }
    fflush(stdout);
}

/* cpu_name reads the processor's name. */
static void cpu_name(char *out, size_t cap) {
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(out, cap, "unknown");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        line[strcspn(line, "\n")] = 0;
        snprintf(out, cap, "%s", colon + 2);
        for (char *p = out; *p; p++)
            if (*p == '"' || *p == '\\') *p = ' ';
        break;
    }
    if (f) fclose(f);
}

/* write_json writes all results to path; 0 or negative errno with err. */
static int write_json(const struct bench *b, const char *path, struct rt_error *err) {
    char cpu[200];
    struct utsname u = { 0 };
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (!f) return rt_error_set(err, -errno, "%s: %s", path, strerror(errno));
    cpu_name(cpu, sizeof cpu);
    uname(&u);
    fprintf(f, "{\"results\":[");
    for (uint32_t i = 0; i < b->result_cnt; i++) {
        const struct bench_result *r = &b->results[i];
        fprintf(f,
                "%s\n{\"name\":\"%s\",\"unit\":\"%s\",\"value\":%.6g,\"low\":%.6g,\"high\":%.6g}",
                i ? "," : "", r->name, r->unit, r->value, r->low, r->high);
    }
    fprintf(f,
            "],\n\"machine\":{\"cpu\":\"%s\",\"cores\":%ld,\"kernel\":\"%s\",\"tsc_mhz\":%.1f,"
            "\"compiler\":\"%s\",\"build\":\"%s\",\"quick\":%s}}\n",
            cpu, sysconf(_SC_NPROCESSORS_ONLN), u.release, 1000.0 / bench_ns(1), __VERSION__,
            rt_build_id(), b->quick ? "true" : "false");
    bool bad = fflush(f) != 0 || ferror(f);
    if (f != stdout && fclose(f) != 0) bad = true;
    return bad ? rt_error_set(err, -EIO, "%s cannot be written", path) : 0;
}

/* The text of the earlier JSON that this run is held against. */
static char before_text[1 << 16];

/* read_baseline reads it, before anything is measured; 0 or negative errno with err. */
static int read_baseline(const char *path, struct rt_error *err) {
    FILE *f = fopen(path, "r");
    if (!f) return rt_error_set(err, -errno, "--baseline %s: %s", path, strerror(errno));
    before_text[fread(before_text, 1, sizeof before_text - 1, f)] = 0;
    fclose(f);
    if (strstr(before_text, "\"results\"") && strstr(before_text, "\"machine\"")) return 0;
    return rt_error_set(err, -EINVAL,
                        "--baseline %s: not what `shrike bench --json` writes, or cut short", path);
}

/* compare holds the results against the baseline and prints what changed; returns how many got
 * worse by more than a tenth and by more than their own spread. */
static int compare(const struct bench *b, const char *path) {
    const char *text = before_text;
    char cpu[200], machine[240];
    int worse = 0, better = 0, held = 0, cnt = 0;
    cpu_name(cpu, sizeof cpu);
    snprintf(machine, sizeof machine, "\"cpu\":\"%s\"", cpu);
    printf("\nagainst %s%s\n  %-27s %11s    %11s  %8s\n", path,
           strstr(text, machine) ? "" : ", which another machine measured", "", "then", "now",
           "change");
    for (uint32_t i = 0; i < b->result_cnt; i++) {
        const struct bench_result *r = &b->results[i];
        char key[80], was[32], is[32];
        snprintf(key, sizeof key, "\"name\":\"%s\"", r->name);
        const char *at = strstr(text, key);
        cnt++;
        at = at ? strstr(at, "\"value\":") : NULL;
        if (!at) continue;
        double before = strtod(at + 8, NULL);
        if (!(before > 0)) continue;
        double factor = is_rate(r) ? before / r->value : r->value / before;
        bool still = is_rate(r) ? r->high >= before * 0.97 : r->low <= before * 1.03;
        bool surely = is_rate(r) ? r->low > before * 1.03 : r->high < before * 0.97;
        /* tails are the machine's, and figures of the unit 1 are no speed */
        bool counts = !strstr(r->name, "max") && !strstr(r->name, "p99") && strcmp(r->unit, "1");
        bool bad = counts && factor > 1.1 && !still, good = counts && factor < 1 / 1.1 && surely;
        human(was, sizeof was, before, r->unit);
        human(is, sizeof is, r->value, r->unit);
        printf("  %-27s %11s -> %11s  %+6.1f %%%s\n", r->name, was, is,
               (r->value / before - 1) * 100,
               bad    ? "  WORSE"
               : good ? "  better"
                      : "");
        worse += bad;
        better += good;
        held++;
    }
    printf("  %d of %d figures compared: %d worse, %d better (by more than a tenth, and than their "
           "spread;\n  p99 and beyond, and max, are shown and not judged)\n",
           held, cnt, worse, better);
    return worse;
}

/* chosen tells whether the question is in the list only (NULL = all). */
static bool chosen(const char *only, const char *name) {
    size_t n = strlen(name);
    for (const char *p = only; p && *p; p += strcspn(p, ","), p += *p == ',')
        if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == 0)) return true;
    return only == NULL;
}

/* check_only refuses names that are no questions. */
static int check_only(const char *only, struct rt_error *err) {
    for (const char *p = only; p && *p; p += strcspn(p, ","), p += *p == ',') {
        int n = (int)strcspn(p, ",");
        bool known = false;
        for (size_t q = 0; q < QUESTIONS; q++)
            known = known ||
                    (strncmp(questions[q].name, p, (size_t)n) == 0 && questions[q].name[n] == 0);
        if (known) continue;
        char names[200] = "";
        for (size_t q = 0, used = 0; q < QUESTIONS && used < sizeof names; q++)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", q ? ", " : "",
                                     questions[q].name);
        return rt_error_set(err, -EINVAL, "'%.*s' is not one of %s", n, p, names);
    }
    return 0;
}

int cmd_bench(int argc, char **argv) {
    static struct bench b;
    const char *json = cli_option(&argc, argv, "--json");
    const char *only = cli_option(&argc, argv, "--only");
    const char *baseline = cli_option(&argc, argv, "--baseline");
    const char *base = cli_option(&argc, argv, "--dir");
    b.quick = cli_flag(&argc, argv, "--quick");
    if (cli_words("bench", argc, argv, 0, "")) return 2;
    if (check_only(only, &b.err) < 0) return cli_wrong("bench", "--only: %s", b.err.text);
    if (baseline && read_baseline(baseline, &b.err) < 0) return cli_fail("bench", &b.err, NULL);
    bool to_stdout = json && strcmp(json, "-") == 0, colour = cli_colour(STDOUT_FILENO);
    snprintf(b.dir, sizeof b.dir, "%.200s/shrike-bench-%d", base ? base : "/var/tmp", getpid());
    if (mkdir(b.dir, 0700) < 0) {
        rt_error_set(&b.err, -errno, "%s: %s", b.dir, strerror(errno));
        return cli_fail("bench", &b.err, "--dir DIR names a directory on a disk");
    }
    rt_clock_start();
    char cpu[200];
    cpu_name(cpu, sizeof cpu);
    if (!to_stdout)
        printf("%s, %ld cores, build %.12s%s\n"
               "figure: median of the repetitions, of rates the best | + aim reached, - not | aim "
               "| bar | least .. "
               "most | "
               "against its peer in this run\n",
               cpu, sysconf(_SC_NPROCESSORS_ONLN), rt_build_id(), b.quick ? ", quick" : "");
    int code = 0;
    for (size_t q = 0; code == 0 && q < QUESTIONS; q++) {
        if (!chosen(only, questions[q].name)) continue;
        uint32_t first = b.result_cnt;
        code = questions[q].ask(&b);
        if (code == 0 && !to_stdout) show(&b, first, questions[q].title, colour);
    }
    rt_folder_remove(b.dir);
    if (code == 0 && json) code = write_json(&b, json, &b.err);
    if (code < 0) return cli_fail("bench", &b.err, NULL);
    return baseline && compare(&b, baseline) > 0 ? 1 : 0;
}
