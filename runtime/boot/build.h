/* build.h - how a shard is made from the topology.
 *
 * For     engine.c. Thread: boot. Memory: the shard's arena. */
#ifndef RUNTIME_BOOT_BUILD_H
#define RUNTIME_BOOT_BUILD_H
#include "runtime/boot/engine.h"

/* rt_shard_build makes shard number of the run: arena, actors, routes, edges, sources. The journal
 * is not open yet. Returns 0 or negative errno with err. */
int rt_shard_build(struct rt_run *run, uint16_t number, struct rt_shard **out, struct rt_error *err)
    __attribute__((warn_unused_result));
/* rt_shard_free closes its sources and frees it; NULL is fine. */
void rt_shard_free(struct rt_shard *s);
#endif
