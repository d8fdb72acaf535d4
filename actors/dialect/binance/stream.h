/* stream.h - Binance's market streams, spot and USD-M: frames to events.
 *
 * For     trade, bookTicker, depth (diffs), markPrice, bare or in a combined stream's wrapping, and
 *         the answer of REST depth (the snapshot).
 * Thread  one owner.
 * Source  developers.binance.com, "Web Socket Streams" and "Websocket Market Streams". */
#ifndef ACTORS_DIALECT_BINANCE_STREAM_H
#define ACTORS_DIALECT_BINANCE_STREAM_H
#include "actors/dialect/event.h"

/* bn_stream_parse reads one frame into e, whose levels' room is used again. Returns 0 (DL_NONE: a
 * frame that is not about the market), -EBADMSG when it is no JSON object or a field is not as it
 * should be, -ENOMEM. */
int bn_stream_parse(const char *text, size_t cnt, struct dl_event *e)
    __attribute__((warn_unused_result));
#endif
