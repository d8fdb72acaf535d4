/* registry.h - what this program can run: every kind of actor and source, in one list. */
#ifndef ACTORS_REGISTRY_H
#define ACTORS_REGISTRY_H
#include "runtime/boot/topology.h"

/* The registry the program passes to boot. */
extern const struct rt_registry shrike_registry;
#endif
