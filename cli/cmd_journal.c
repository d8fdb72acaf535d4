#include "actors/market/market.h"
#include "cli/cli.h"
#include "schemas/text.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BODY_MAX = 1 << 18 }; /* longest text of one body, bytes */

/* What is asked of the journals of a run. */
struct ask {
    const char *dir;       /* the run */
    struct rt_topology *t; /* what it is */
    struct rt_run run;     /* opened for looking */
    int shard;             /* only this one, -1 = all */
    int kind;              /* only this kind, -1 = all */
    bool json;             /* one JSON object a line */
    bool zoned;            /* --zone was given: each record with its time there */
    struct mk_zone zone;   /* that, else the run's */
    int64_t limit;         /* records shown at most, -1 = all */
};

/* One shard's journal being read. */
struct lane {
    struct rt_tape tape;          /* its records */
    const struct msg_frame *next; /* record in hand; NULL = none yet */
    uint64_t position;            /* of it */
    bool open;                    /* tape is open */
};

/* Set by SIGINT. */
static volatile sig_atomic_t asked_end;

/* on_end notes SIGINT. */
static void on_end(int signo) {
    (void)signo;
    asked_end = 1;
}

/* kind_of finds a kind by name, letters of either case, with or without '_'; -1 when unknown. */
static int kind_of(const char *name) {
    char want[64], have[64];
    size_t n = 0;
    for (; *name && n + 1 < sizeof want; name++)
        if (*name != '_') want[n++] = (char)tolower((unsigned char)*name);
    want[n] = 0;
    for (int k = 1; k < MSG_KIND_MAX; k++) {
        if (!msg_infos[k].name) continue;
        n = 0;
        for (const char *p = msg_infos[k].name; *p && n + 1 < sizeof have; p++)
            if (*p != '_') have[n++] = (char)tolower((unsigned char)*p);
        have[n] = 0;
        if (strcmp(want, have) == 0) return k;
    }
    return -1;
}

/* who names the sender of a frame. */
static const char *who(const struct ask *a, uint16_t id, char room[32]) {
    if (id >= 1 && id <= a->t->actor_cnt) return a->t->actors[id - 1].name;
    if (id >= RT_SHARD_ID)
        snprintf(room, 32, "runtime");
    else if (id >= RT_SOURCE_ID)
        snprintf(room, 32, "source%u", id - RT_SOURCE_ID);
    else
        snprintf(room, 32, "%u", id);
    return room;
}

/* show prints one record. */
static void show(const struct ask *a, uint16_t shard, uint64_t position,
                 const struct msg_frame *f) {
    static char body[BODY_MAX];
    static uint64_t copy[(MSG_FRAME_MAX + 8) / 8];
    char from[32];
    struct msg_frame *plain = (struct msg_frame *)(void *)copy;
    memcpy(copy, f, f->size);
    plain->kind &= (uint16_t)~MSG_OUT;
    plain->stamp = 0; /* the record's CRC stands there */
    const char *dir = f->kind & MSG_OUT ? "out" : "in";
    if (a->json) {
        size_t n = msg_to_json(plain, body, sizeof body);
        printf(
            "{\"shard\":\"%s\",\"position\":%llu,\"dir\":\"%s\",\"kind\":\"%s\",\"time_ns\":%lld,"
            "\"source\":\"%s\",\"dest\":%u,\"seq\":%u,\"trace_id\":%llu,\"body\":%s}\n",
            a->t->shards[shard].name, (unsigned long long)position, dir, msg_kind_name(plain->kind),
            (long long)f->time_ns, who(a, f->source, from), f->dest, f->seq,
            (unsigned long long)f->trace_id, n > 0 && n < sizeof body ? body : "null");
        return;
    }
    msg_print(plain, body, sizeof body);
    if (a->zoned) {
        char when[MK_ZONE_TEXT];
        printf("%s ", mk_zone_text(&a->zone, f->time_ns, when));
    }
    if (a->t->shard_cnt > 1) printf("%-10s ", a->t->shards[shard].name);
    printf("%10llu %-3s %-10s %s\n", (unsigned long long)position, dir, who(a, f->source, from),
           body);
}

/* lane_open opens the journal of shard. */
static int lane_open(struct ask *a, struct lane *l, uint16_t shard, struct rt_error *err) {
    int code = rt_run_tape(&a->run, shard, 0, &l->tape, err);
    l->open = code == 0;
    l->next = NULL;
    return code;
}

/* lane_next moves to the next record of the kind asked for; false when there is none (yet). */
static bool lane_next(const struct ask *a, struct lane *l) {
    do {
        l->position = rt_tape_position(&l->tape);
        l->next = rt_tape_next(&l->tape);
    } while (l->next && a->kind >= 0 && (l->next->kind & ~MSG_OUT) != a->kind);
    return l->next != NULL;
}

/* running tells whether a process holds the run. */
static bool running(const struct ask *a) {
    char path[4200];
    snprintf(path, sizeof path, "%s/lock", a->run.paths.dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool held = flock(fd, LOCK_SH | LOCK_NB) < 0;
    close(fd);
    return held;
}

/* lanes_open opens all journals that are asked for. */
static int lanes_open(struct ask *a, struct lane *lanes, struct rt_error *err) {
    int code = 0;
    for (uint16_t i = 0; i < a->t->shard_cnt && code == 0; i++)
        if (a->shard < 0 || a->shard == i) code = lane_open(a, &lanes[i], i, err);
    return code;
}

/* lanes_close closes them. */
static void lanes_close(const struct ask *a, struct lane *lanes) {
    for (uint32_t i = 0; i < a->t->shard_cnt; i++)
        if (lanes[i].open) rt_tape_close(&lanes[i].tape);
}

/* dump prints the records of all shards, by time; with follow it goes on as long as the run
 * does. */
static int dump(struct ask *a, bool follow, struct rt_error *err) {
    struct lane lanes[RT_SHARDS_MAX] = { 0 };
    char dir[4300], tail[32];
    snprintf(tail, sizeof tail, "follow-%d", getpid());
    int code = lanes_open(a, lanes, err);
    for (uint16_t i = 0; i < a->t->shard_cnt && follow && code == 0; i++) {
        snprintf(dir, sizeof dir, "%s/journal/%s", a->run.paths.dir, a->t->shards[i].name);
        if (lanes[i].open) (void)!rt_tail_register(dir, tail, 0, err);
    }
    if (follow) signal(SIGINT, on_end);
    for (uint64_t turn = 0; code == 0 && !asked_end && a->limit != 0; turn++) {
        int first = -1;
        for (uint16_t i = 0; i < a->t->shard_cnt; i++) {
            struct lane *l = &lanes[i];
            if (!l->open || (!l->next && !lane_next(a, l))) {
                if (l->open && code == 0) code = rt_tape_error(&l->tape, err);
                continue;
            }
            if (first < 0 || l->next->time_ns < lanes[first].next->time_ns) first = i;
        }
        if (code == 0 && first >= 0) {
            show(a, (uint16_t)first, lanes[first].position, lanes[first].next);
            lanes[first].next = NULL;
            if (a->limit > 0) a->limit--;
            continue;
        }
        if (!follow || code < 0) break;
        if (fflush(stdout) != 0 || !running(a)) break;
        for (uint16_t i = 0; i < a->t->shard_cnt; i++) {
            snprintf(dir, sizeof dir, "%s/journal/%s", a->run.paths.dir, a->t->shards[i].name);
            if (lanes[i].open) (void)!rt_tail_move(dir, tail, rt_tape_position(&lanes[i].tape));
        }
        usleep(20000);
    }
    for (uint16_t i = 0; i < a->t->shard_cnt && follow; i++) {
        snprintf(dir, sizeof dir, "%s/journal/%s", a->run.paths.dir, a->t->shards[i].name);
        if (lanes[i].open) (void)!rt_tail_drop(dir, tail);
    }
    lanes_close(a, lanes);
    return code;
}

/* verify reads every record of every shard and says what it found. */
static int verify(struct ask *a, struct rt_error *first) {
    int bad = 0;
    for (uint16_t i = 0; i < a->t->shard_cnt; i++) {
        struct lane l = { 0 };
        struct rt_error found = { 0 }, *err = &found;
        uint64_t records = 0;
        if (a->shard >= 0 && a->shard != i) continue;
        int code = lane_open(a, &l, i, err);
        const struct msg_frame *f;
        while (code == 0 && (f = rt_tape_next(&l.tape)) != NULL) records++;
        if (code == 0) code = rt_tape_error(&l.tape, err);
        unsigned long long end = l.open ? rt_tape_position(&l.tape) : 0;
        const char *name = a->t->shards[i].name;
        if (a->json)
            printf("{\"shard\":\"%s\",\"ok\":%s,\"records\":%llu,\"bytes\":%llu}\n", name,
                   code < 0 ? "false" : "true", (unsigned long long)records, end);
        else if (code < 0)
            printf("shard %s: damaged after %llu whole records: %s\n", name,
                   (unsigned long long)records, err->text);
        else
            printf("shard %s: %llu records, %llu bytes, all whole\n", name,
                   (unsigned long long)records, end);
        if (code < 0 && bad == 0) {
            bad = code;
            *first = found;
        }
        if (l.open) rt_tape_close(&l.tape);
    }
    return bad;
}

/* stat_run counts records and bytes by kind. */
static int stat_run(struct ask *a, struct rt_error *err) {
    static uint64_t cnt[2][MSG_KIND_MAX], bytes[2][MSG_KIND_MAX];
    for (uint16_t i = 0; i < a->t->shard_cnt; i++) {
        struct lane l = { 0 };
        uint64_t records = 0, all = 0;
        int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;
        if (a->shard >= 0 && a->shard != i) continue;
        memset(cnt, 0, sizeof cnt);
        memset(bytes, 0, sizeof bytes);
        int code = lane_open(a, &l, i, err);
        if (code < 0) return code;
        const struct msg_frame *f;
        while ((f = rt_tape_next(&l.tape)) != NULL) {
            int out = (f->kind & MSG_OUT) != 0, k = f->kind & ~MSG_OUT;
            if (k >= MSG_KIND_MAX) continue;
            cnt[out][k]++;
            bytes[out][k] += f->size;
            records++;
            all += f->size;
            if (f->time_ns < first_ns) first_ns = f->time_ns;
            if (f->time_ns > last_ns) last_ns = f->time_ns;
        }
        code = rt_tape_error(&l.tape, err);
        rt_tape_close(&l.tape);
        if (code < 0) return code;
        double days = last_ns > first_ns ? (double)(last_ns - first_ns) / 86400e9 : 0;
        char from[MK_ZONE_TEXT], until[MK_ZONE_TEXT];
        if (a->json) {
            printf("{\"shard\":\"%s\",\"records\":%llu,\"bytes\":%llu,\"first_ns\":%lld,\"last_"
                   "ns\":%lld,\"kinds\":[",
                   a->t->shards[i].name, (unsigned long long)records, (unsigned long long)all,
                   records ? (long long)first_ns : 0, records ? (long long)last_ns : 0);
        } else {
            printf("shard %s: %llu records, %llu bytes", a->t->shards[i].name,
                   (unsigned long long)records, (unsigned long long)all);
            if (records)
                printf(", %s to %s %s", mk_zone_text(&a->zone, first_ns, from),
                       mk_zone_text(&a->zone, last_ns, until), a->zone.name);
            if (days > 0) printf(", %.0f bytes a day of its clock", (double)all / days);
            putchar('\n');
        }
        bool any = false;
        for (int k = 0; k < MSG_KIND_MAX; k++)
            for (int out = 0; out < 2; out++) {
                if (!cnt[out][k]) continue;
                if (a->json)
                    printf("%s{\"kind\":\"%s\",\"dir\":\"%s\",\"records\":%llu,\"bytes\":%llu}",
                           any ? "," : "", msg_kind_name((uint16_t)k), out ? "out" : "in",
                           (unsigned long long)cnt[out][k], (unsigned long long)bytes[out][k]);
                else
                    printf("  %-3s %-16s %12llu records %14llu bytes\n", out ? "out" : "in",
                           msg_kind_name((uint16_t)k), (unsigned long long)cnt[out][k],
                           (unsigned long long)bytes[out][k]);
                any = true;
            }
        if (a->json) puts("]}");
    }
    return 0;
}

/* by_name orders directory entries, numbers by size. */
static int by_name(const struct dirent **a, const struct dirent **b) {
    return strverscmp((*a)->d_name, (*b)->d_name);
}

/* list prints the files of one directory of segments. */
static void list(const struct ask *a, uint16_t shard, const char *dir, const char *place) {
    struct dirent **entries;
    int n = scandir(dir, &entries, NULL, by_name);
    for (int i = 0; i < n; i++) {
        char path[4600];
        struct stat st;
        struct rt_journal_head h = { 0 };
        const char *name = entries[i]->d_name;
        snprintf(path, sizeof path, "%s/%.200s", dir, name);
        bool packed = strstr(name, ".zst") != NULL;
        bool segment = strstr(name, ".seg") != NULL || strstr(name, ".slot") != NULL;
        int fd = segment ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd >= 0) {
            if (fstat(fd, &st) == 0) {
                bool known = !packed && pread(fd, &h, sizeof h, 0) == sizeof h &&
                             memcmp(h.magic, "SHRKJRNL", 8) == 0;
                if (a->json)
                    printf("{\"shard\":\"%s\",\"file\":\"%s\",\"place\":\"%s\",\"bytes\":%lld,"
                           "\"segment\":%llu,\"base\":%llu}\n",
                           a->t->shards[shard].name, name, packed ? "archive" : place,
                           (long long)st.st_size, (unsigned long long)h.number,
                           (unsigned long long)h.base);
                else if (known)
                    printf("  %-8s %-16s %12lld bytes  segment %llu, from position %llu\n", place,
                           name, (long long)st.st_size, (unsigned long long)h.number,
                           (unsigned long long)h.base);
                else
                    printf("  %-8s %-16s %12lld bytes  %s\n", packed ? "archive" : place, name,
                           (long long)st.st_size, packed ? "packed" : "ahead, not begun");
            }
            close(fd);
        }
        free(entries[i]);
    }
    if (n >= 0) free(entries);
}

/* ls prints the segments of all shards. */
static int ls(struct ask *a) {
    for (uint16_t i = 0; i < a->t->shard_cnt; i++) {
        char dir[4300];
        if (a->shard >= 0 && a->shard != i) continue;
        if (!a->json) printf("shard %s\n", a->t->shards[i].name);
        snprintf(dir, sizeof dir, "%s/journal/%s", a->run.paths.dir, a->t->shards[i].name);
        list(a, i, dir, "disk");
        snprintf(dir, sizeof dir, "%s/%s", a->run.paths.stage, a->t->shards[i].name);
        list(a, i, dir, "stage");
    }
    return 0;
}

int cmd_journal(int argc, char **argv) {
    static const char *const verbs[] = { "ls", "dump", "verify", "stat", "follow" };
    struct rt_error err = { 0 };
    struct ask a = { .shard = -1, .kind = -1, .limit = -1 };
    const char *shard = cli_option(&argc, argv, "--shard"),
               *kind = cli_option(&argc, argv, "--kind");
    const char *limit = cli_option(&argc, argv, "--limit");
    a.json = cli_flag(&argc, argv, "--json");
    const int asked = cli_zone("journal", &argc, argv, &a.zone);
    if (asked < 0) return 2;
    a.zoned = asked > 0;
    int verb = 0;
    if (cli_words("journal", argc, argv, 2, "ls, dump, verify, stat or follow, and DIR")) return 2;
    while (verb < 5 && strcmp(argv[1], verbs[verb]) != 0) verb++;
    if (verb == 5)
        return cli_wrong("journal", "'%s' is not one of ls, dump, verify, stat, follow", argv[1]);
    if (limit) {
        char *end;
        a.limit = strtoll(limit, &end, 10);
        if (end == limit || *end || a.limit < 0)
            return cli_wrong("journal", "--limit: '%s' is no whole number from 0", limit);
    }
    if (kind && (a.kind = kind_of(kind)) < 0) {
        rt_error_set(&err, -EINVAL, "no message is called '%s'", kind);
        return cli_fail("journal", &err,
                        "the names are those of schemas/*.fbs: OrderIntent, Fill, Timer ...");
    }
    a.dir = argv[2];
    int code = cli_peek(a.dir, &a.t, &a.run, &err);
    if (code < 0) return cli_fail("journal", &err, NULL);
    if (!a.zoned) a.zone = ((const struct mk_market *)a.t->world)->zone;
    for (uint32_t i = 0; shard && i < a.t->shard_cnt; i++)
        if (strcmp(a.t->shards[i].name, shard) == 0) a.shard = (int)i;
    if (shard && a.shard < 0)
        code = rt_error_set(&err, -EINVAL, "the run has no shard '%s'", shard);
    else if ((code = cli_kept(a.dir, a.t, &a.run, &err)) < 0)
        ; /* told below */
    else if (verb == 0)
        code = ls(&a);
    else if (verb == 2)
        code = verify(&a, &err);
    else if (verb == 3)
        code = stat_run(&a, &err);
    else
        code = dump(&a, verb == 4, &err);
    cli_peek_close(a.t, &a.run);
    return code < 0 ? cli_fail("journal", &err, NULL) : 0;
}
