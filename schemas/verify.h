/* verify.h - is this body what its kind says it is?
 *
 * For     whoever takes frames from outside the process: rings of less trusted processes, files,
 *         tails. After it the readers of messages.h are safe on that body.
 * Thread  pure functions.
 * Cost    a struct: its size and one test per enum, some 10 ns. A table: every byte it is made of
 *         is looked at a bounded number of times; a body cannot make it slow.
 * Source  the rules of flatbuffers::Verifier, and ours: enums in range, booleans 0 or 1, strings in
 *         UTF-8 without NUL. */
#ifndef SCHEMAS_VERIFY_H
#define SCHEMAS_VERIFY_H
#include "schemas/frame.h"
#include <stddef.h>
#include <stdint.h>

/* msg_verify checks a body of kind (MSG_OUT in it is ignored) of bytes. body is aligned to 8 (a
 * copy is made by who cannot say so). Fields a table has and this build does not know are skipped.
 * Returns 0, -ENOENT for an unknown kind, -EMSGSIZE for a size that cannot be, -EBADMSG for content
 * that cannot be. */
__attribute__((warn_unused_result)) int msg_verify(uint16_t kind, const void *body, size_t bytes);

/* msg_verify_frame checks the head's size against bytes, which are there, and then the body:
 * 0, or as msg_verify. */
__attribute__((warn_unused_result)) int msg_verify_frame(const struct msg_frame *frame,
                                                         size_t bytes);
#endif
