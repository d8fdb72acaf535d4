/* stream.h - Bybit v5 order books: frames to events.
 *
 * For     lines of its public archive (ob500) and of the topic orderbook.N.SYMBOL.
 * Thread  one owner.
 * Source  bybit-exchange.github.io/docs/v5/websocket/public/orderbook. */
#ifndef ACTORS_DIALECT_BYBIT_STREAM_H
#define ACTORS_DIALECT_BYBIT_STREAM_H
#include "actors/dialect/event.h"

/* bb_stream_parse reads one frame into e, as bn_stream_parse does. Updates are numbered one by one,
 * so the message before is the one with the number below. */
int bb_stream_parse(const char *text, size_t cnt, struct dl_event *e)
    __attribute__((warn_unused_result));
#endif
