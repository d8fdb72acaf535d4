/* tail.h - how far those who read a journal have come.
 *
 * For     the disk thread, which keeps what they need.
 * Thread  any; a file each, NAME.tail beside the segments. */
#ifndef RUNTIME_STORE_TAIL_H
#define RUNTIME_STORE_TAIL_H
#include <stdint.h>

/* tail_lowest returns the lowest position among the tails registered in dir; UINT64_MAX when there
 * is none; 0 when one of them cannot be read (all is kept for it). */
uint64_t tail_lowest(const char *dir);
#endif
