/* live.h - what a running engine looks like, read from its journals as they grow.
 *
 * For     `shrike run`: a table on a terminal, plain lines otherwise. The parent reads the journals
 *         as registered tails, which costs the shards nothing.
 * Thread  the parent's. Memory: the heap; open orders and positions only. */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H
#include "runtime/boot/engine.h"
#include <stdbool.h>

struct live;

/* live_open readies a view of run; the journals are opened when they are there. table: redrawn in
 * place on a terminal; else a line now and then. */
struct live *live_open(struct rt_run *run, bool table);
/* live_tick reads what has come and shows it when it is time. */
void live_tick(struct live *v);
/* live_event shows what happened to a process. */
void live_event(struct live *v, const char *text);
/* live_close shows a last time, forgets the tails and frees; NULL is fine. */
void live_close(struct live *v);
#endif
