/* control.c - the control socket: what people and tools ask of a running engine. A transport: it
 * frames lines, answers what concerns the engine itself, and has the rest decoded. */
#include "runtime/base/hash.h"
#include "runtime/boot/supervise.h"
#include "runtime/time/clock.h"
#include "schemas/verify.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ASKED_MAX = 32,      /* peers that wait for an answer of an actor */
    LINE_BYTES = 512,    /* a request's, with its end */
    ANSWER_BYTES = 1200, /* an answer's */
    POLL_MS = 2,         /* between looks for answers, while somebody waits */
    ANSWER_WAIT_S = 5,   /* how long one waits */
    ASK_WAIT_S = 10,     /* how long the asker itself waits */
};

/* A peer that waits for what its command's actor says. */
struct asked {
    char line[LINE_BYTES]; /* what was asked */
    uint64_t key;          /* its command's */
    int64_t until_ns;      /* when it is told that no answer came, monotonic */
    int fd;                /* the connection */
};

/* The server. */
static struct {
    struct rt_run *run;                    /* the run it serves */
    pthread_t thread;                      /* its thread */
    int fd;                                /* listening socket, -1 = none */
    int stop[2];                           /* a byte here ends it */
    uint64_t key;                          /* last idempotency key given */
    char path[108];                        /* the socket */
    const struct rt_decoder_kind *decoder; /* makes messages of its lines, NULL = none */
    void *state;                           /* the decoder's */
    struct rt_ring_tx tx[RT_SHARDS_MAX];   /* to each shard */
    struct rt_ring_rx rx[RT_SHARDS_MAX];   /* from each shard */
    struct asked asked[ASKED_MAX];         /* who waits, in order */
    uint32_t asked_cnt;                    /* how many */
} server = { .fd = -1 };

/* push sends a decoded frame to the shard of its target, or to every shard (0). */
static int push(const struct msg_frame *f) {
    const struct rt_topology *t = server.run->topology;
    for (uint32_t i = 0; i < t->shard_cnt; i++) {
        if (f->dest && t->actors[f->dest - 1].shard != i) continue;
        if (!rt_ring_push(&server.tx[i], f)) return -EAGAIN;
        rt_ring_publish(&server.tx[i]);
    }
    rt_run_request(server.run, 0, 0); /* rings */
    return 0;
}

/* find is rt_decoder_init.find: graph is the topology. */
static int find(const void *graph, const char *name, const struct rt_actor_kind **kind,
                struct rt_node **config) {
    const struct rt_actor_def *a = rt_topology_actor(graph, name);
    if (!a) return -ENOENT;
    *kind = a->kind;
    *config = a->config;
    return a->id;
}

/* refuse writes the answer to what cannot be done. */
static void refuse(char *out, size_t cap, const char *why) {
    char text[sizeof((struct rt_error *)0)->text];
    snprintf(text, sizeof text, "%s", why);
    for (char *p = text; *p; p++)
        if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ') *p = '\'';
    snprintf(out, cap, "{\"ok\":false,\"error\":\"%s\"}\n", text);
}

/* engine answers what concerns the engine itself; false when line is not of that kind. */
static bool engine(const char *line, char *out, size_t cap) {
    struct rt_shared *shared = server.run->link.shared;
    char verb[16] = "", more[2] = "";
    if (sscanf(line, "%15s %1s", verb, more) != 1) return false;
    if (strcmp(verb, "status") == 0) {
        snprintf(out, cap,
                 "{\"ok\":true,\"name\":\"%s\",\"kill\":%u,\"stop\":%u,\"restarts\":%u,"
                 "\"journal_waits\":%s}\n",
                 server.run->topology->name, atomic_load(&shared->kill), atomic_load(&shared->stop),
                 atomic_load(&shared->lost), rt_run_waits(server.run) ? "true" : "false");
        return true;
    }
    bool on = strcmp(verb, "kill") == 0;
    if (on || strcmp(verb, "unkill") == 0) {
        int code = rt_kill_keep(server.run, on);
        if (code == 0 || on) atomic_store(&shared->kill, on ? 1 : 0);
        rt_run_request(server.run, 0, 0);
        if (code < 0)
            refuse(out, cap,
                   on ? "the file kill of the run cannot be made: the switch is on until it ends"
                      : "the file kill of the run cannot be removed");
        else
            snprintf(out, cap, "{\"ok\":true,\"kill\":%d}\n", on);
        return true;
    }
    if (strcmp(verb, "stop") == 0) {
        rt_run_request(server.run, REASON_BY_OPERATOR, 0);
        snprintf(out, cap, "{\"ok\":true}\n");
        return true;
    }
    return false;
}

/* answer handles one line from a peer with uid: what is not the engine's is decoded, and its
 * messages go to the shards. Returns 0, or the key of a command whose actor will answer. */
static uint64_t answer(const char *line, uint32_t uid, char *out, size_t cap) {
    uint64_t room[64];
    struct rt_error err = { 0 };
    struct rt_unit in = {
        .bytes = (const uint8_t *)line, .cnt = strcspn(line, "\n"), .key = ++server.key, .uid = uid
    };
    /* a ring reads whole lines: the last one's slack is ours too */
    struct rt_decoded got = { .room = room, .bytes = sizeof room - 64 };
    uint64_t waits_for = 0;
    if (engine(line, out, cap)) return 0;
    if (!server.decoder) {
        refuse(out, cap, "this program has no decoder of commands");
        return 0;
    }
    if (rt_run_waits(server.run)) {
        refuse(out, cap,
               "the journal waits for disk space: the run stands still and takes no command");
        return 0;
    }
    memset(room, 0, sizeof room);
    if (server.decoder->decode(server.state, &in, &got, &err) < 0) {
        refuse(out, cap, err.text);
        return 0;
    }
    const uint8_t *at = (const uint8_t *)room;
    for (uint32_t used = 0; used < got.used;) {
        const struct msg_frame *f = (const struct msg_frame *)(const void *)(at + used);
        if (server.asked_cnt == ASKED_MAX || push(f) < 0) {
            refuse(out, cap, "too many commands under way; try again");
            return 0;
        }
        if (f->kind == MSG_COMMAND && f->dest != 0) waits_for = in.key;
        used += f->size;
    }
    snprintf(out, cap, "{\"ok\":true,\"key\":%llu}\n", (unsigned long long)in.key);
    return waits_for;
}

/* give sends text to the peer at fd and lets it go. */
static void give(int fd, const char *text) {
    for (size_t at = 0, all = strlen(text); at < all;) {
        ssize_t sent = send(fd, text + at, all - at, MSG_NOSIGNAL);
        if (sent <= 0) break;
        at += (size_t)sent;
    }
    shutdown(fd, SHUT_RDWR); /* a child that was forked meanwhile holds it as well */
    close(fd);
}

/* serve hears one peer, one line, and answers it or notes that it waits. */
static void serve(int fd) {
    char line[LINE_BYTES], out[ANSWER_BYTES];
    size_t used = 0;
    uint64_t key = 0;
    struct ucred who;
    socklen_t n = sizeof who;
    struct timeval limit = { .tv_sec = 1 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0 ||
        (who.uid != getuid() && who.uid != 0)) {
        give(fd, "");
        return;
    }
    while (used < sizeof line - 1) {
        ssize_t got = recv(fd, line + used, sizeof line - 1 - used, 0);
        if (got <= 0) break;
        used += (size_t)got;
        if (memchr(line, '\n', used)) break;
    }
    line[used] = 0;
    char *end = memchr(line, '\n', used);
    if (!end)
        snprintf(out, sizeof out,
                 "{\"ok\":false,\"error\":\"one line of at most 500 bytes expected\"}\n");
    else
        key = answer(line, who.uid, out, sizeof out);
    if (key == 0) {
        give(fd, out);
        return;
    }
    *end = 0;
    struct asked *a = &server.asked[server.asked_cnt++];
    *a = (struct asked){ .key = key,
                         .fd = fd,
                         .until_ns = rt_clock_monotonic_ns() + ANSWER_WAIT_S * 1000000000LL };
    memcpy(a->line, line, sizeof a->line);
}

/* settle tells the peer a what became of its command (why NULL: it was done), and forgets it. */
static void settle(struct asked *a, const char *why) {
    char out[ANSWER_BYTES], text[sizeof((struct rt_error *)0)->text];
    if (why) {
        snprintf(text, sizeof text, "%.200s: %s", a->line, why);
        refuse(out, sizeof out, text);
    } else {
        snprintf(out, sizeof out, "{\"ok\":true,\"key\":%llu}\n", (unsigned long long)a->key);
    }
    give(a->fd, out);
    size_t left = (size_t)(server.asked + server.asked_cnt - (a + 1));
    memmove(a, a + 1, left * sizeof *a);
    server.asked_cnt--;
}

/* hear takes what the actors answered to those who wait for it. */
static void hear(void) {
    for (uint32_t i = 0; i < server.run->topology->shard_cnt; i++) {
        const struct msg_frame *f;
        while ((f = rt_ring_peek(&server.rx[i])) != NULL) {
            bool sound = f->kind == MSG_COMMAND_ANSWER && f->size <= server.rx[i].bulk_bytes &&
                         msg_verify_frame(f, f->size) == 0;
            const struct msg_command_answer *m = sound ? msg_command_answer_of(msg_body(f)) : NULL;
            for (uint32_t k = 0; m && k < server.asked_cnt; k++)
                if (server.asked[k].key == msg_command_answer_key(m)) {
                    settle(&server.asked[k], msg_command_answer_why(m));
                    break;
                }
            rt_ring_skip(&server.rx[i]);
            rt_ring_give(&server.rx[i]);
        }
    }
    int64_t now_ns = rt_clock_monotonic_ns();
    bool waits = rt_run_waits(server.run);
    for (uint32_t k = 0; k < server.asked_cnt;) {
        if (waits)
            settle(&server.asked[k], "the journal waits for disk space; it is heard when the run "
                                     "goes on");
        else if (now_ns > server.asked[k].until_ns)
            settle(&server.asked[k], "no answer yet: the run is busy; it may still be heard");
        else
            k++;
    }
}

/* control_main is the server's thread. */
static void *control_main(void *arg) {
    (void)arg;
    struct pollfd fds[2] = { { .fd = server.fd, .events = POLLIN },
                             { .fd = server.stop[0], .events = POLLIN } };
    for (;;) {
        int got = poll(fds, 2, server.asked_cnt ? POLL_MS : -1);
        hear();
        if (got <= 0) continue;
        if (fds[1].revents) break;
        int fd = accept4(server.fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) serve(fd);
    }
    while (server.asked_cnt) settle(server.asked, "the run ended before it was heard");
    return NULL;
}

/* address fills the socket's address; a long directory is reached through a short link in /tmp. */
static int address(const char *dir, struct sockaddr_un *at, struct rt_error *err) {
    memset(at, 0, sizeof *at);
    at->sun_family = AF_UNIX;
    int n = snprintf(at->sun_path, sizeof at->sun_path, "%s/ctl.sock", dir);
    if (n < 0 || (size_t)n >= sizeof at->sun_path)
        return rt_error_set(err, -ENAMETOOLONG,
                            "%s: the directory's name is too long for a control socket (%zu bytes)",
                            dir, sizeof at->sun_path - 10);
    return 0;
}

int rt_control_start(struct rt_run *run, struct rt_error *err) {
    struct sockaddr_un at;
    if (address(run->paths.dir, &at, err) < 0) {
        err->text[0] = 0; /* the run goes on without: ctl will say why */
        return 0;
    }
    server.run = run;
    server.decoder = rt_registry_decoder(run->topology->registry, RT_TRANSPORT_CONTROL);
    if (server.decoder) {
        struct rt_decoder_init init = { .graph = run->topology, .find = find };
        server.state = calloc(1, server.decoder->state_bytes);
        if (!server.state) return rt_error_set(err, -ENOMEM, "no memory for the control socket");
        server.decoder->init(server.state, &init);
    }
    uint64_t seed = run->run_id ^ (uint64_t)getpid() << 32;
    server.key = rt_hash64(0, &seed, sizeof seed) & ~0xffffffULL;
    for (uint32_t i = 0; i < run->topology->shard_cnt; i++) {
        rt_ring_tx_init(&server.tx[i], run->link.commands[i], run->link.commands[i]->head);
        rt_ring_rx_init(&server.rx[i], run->link.answers[i], 0);
    }
    server.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(at.sun_path);
    mode_t old = umask(0177);
    bool bad = server.fd < 0 || bind(server.fd, (struct sockaddr *)&at, sizeof at) < 0 ||
               listen(server.fd, 16) < 0;
    umask(old);
    if (bad || pipe(server.stop) < 0) {
        int code = -errno;
        if (server.fd >= 0) close(server.fd);
        server.fd = -1;
        return rt_error_set(err, code, "%s: %s", at.sun_path, strerror(-code));
    }
    snprintf(server.path, sizeof server.path, "%s", at.sun_path);
    int code = pthread_create(&server.thread, NULL, control_main, NULL);
    if (code) return rt_error_set(err, -code, "no thread for the control socket");
    return 0;
}

void rt_control_forked(void) {
    if (server.fd < 0) return;
    close(server.fd);
    close(server.stop[0]);
    close(server.stop[1]);
    for (uint32_t k = 0; k < server.asked_cnt; k++) close(server.asked[k].fd);
    server.asked_cnt = 0;
    server.fd = -1;
}

void rt_control_stop(void) {
    if (server.fd < 0) return;
    if (write(server.stop[1], "x", 1) == 1) pthread_join(server.thread, NULL);
    close(server.fd);
    close(server.stop[0]);
    close(server.stop[1]);
    unlink(server.path);
    free(server.state);
    server.state = NULL;
    server.fd = -1;
}

int rt_control_ask(const char *dir, const char *line, char *out, size_t cap, struct rt_error *err) {
    struct sockaddr_un at;
    size_t used = 0;
    struct timeval limit = { .tv_sec = ASK_WAIT_S };
    int code = address(dir, &at, err);
    if (code < 0) return code;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return rt_error_set(err, -errno, "no socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0) {
        code = -errno;
        close(fd);
        return rt_error_set(err, code, "%s: no run answers there (%s); is it running?", at.sun_path,
                            strerror(-code));
    }
    if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0 || send(fd, "\n", 1, MSG_NOSIGNAL) < 0) {
        code = -errno;
        close(fd);
        return rt_error_set(err, code, "%s: %s", at.sun_path, strerror(-code));
    }
    bool late = false;
    while (used + 1 < cap && (used == 0 || out[used - 1] != '\n')) {
        ssize_t got = recv(fd, out + used, cap - 1 - used, 0);
        late = got < 0 && errno == EAGAIN;
        if (got <= 0) break;
        used += (size_t)got;
    }
    out[used] = 0;
    close(fd);
    if (late)
        return rt_error_set(err, -ETIMEDOUT, "%s: no answer within %d s", at.sun_path, ASK_WAIT_S);
    return used ? 0 : rt_error_set(err, -EIO, "%s: the run closed without an answer", at.sun_path);
}
