/* command.h - the control socket's lines to Command messages.
 *
 * For     what people and tools ask of a running engine's actors: "pause|resume|stop [ACTOR]", "set
 *         ACTOR PARAM VALUE". What concerns the engine itself (status, kill switch, the end of the
 *         run) is answered by the control socket and never comes here.
 * Thread  the control socket's.
 * Memory  its state; nothing else.
 * Cost    a few microseconds a line. */
#ifndef ACTORS_GATEWAY_COMMAND_H
#define ACTORS_GATEWAY_COMMAND_H
#include "runtime/core/decoder.h"

/* The decoder's kind. */
extern const struct rt_decoder_kind command_decoder;
#endif
