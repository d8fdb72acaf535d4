/* fuzz_messages.c - bodies of messages from outside the process.
 *
 * The first two bytes are the kind, the rest is the body, cut to a multiple of 8. What msg_verify
 * lets pass is written as JSON and as a line for people, which reads every field of it; a decision
 * packet is also read by its readers. */
#include "schemas/messages.h"
#include "schemas/text.h"
#include "schemas/verify.h"
#include <stdlib.h>

/* LLVMFuzzerTestOneInput takes one input; libFuzzer calls it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* sum adds up cnt bytes at p, so that a sanitizer sees each of them read. */
static unsigned sum(const void *p, size_t cnt) {
    unsigned total = 0;
    for (size_t i = 0; i < cnt; i++) total += ((const uint8_t *)p)[i];
    return total;
}

/* read_packet reads what only readers of messages.h read. */
static unsigned read_packet(const void *body) {
    const struct msg_decision_packet *d = msg_decision_packet_of(body);
    const struct msg_cost_assumption *c = msg_decision_packet_cost_assumption(d);
    const char *notes = msg_decision_packet_notes(d);
    unsigned total = 0;
    uint32_t cnt;
    const void *p = msg_decision_packet_p_window(d, &cnt);
    total += sum(p, cnt * sizeof(double));
    p = msg_decision_packet_reasons(d, &cnt);
    total += sum(p, cnt * sizeof(uint16_t));
    total += msg_decision_packet_has_entry(d) + (unsigned)msg_decision_packet_quantity(d);
    if (notes != NULL) total += sum(notes, strlen(notes) + 1);
    if (c != NULL) total += msg_cost_assumption_both_sides(c);
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char text[1 << 20];
    struct msg_frame *frame;
    uint16_t kind;
    size_t bytes;
    int rc;
    if (size < sizeof kind) return 0;
    memcpy(&kind, data, sizeof kind);
    bytes = (size - sizeof kind) / 8 * 8;
    if (bytes > MSG_BODY_MAX) return 0;
    frame =
        malloc(sizeof *frame + bytes); /* of this size exactly, so that the sanitizer sees more */
    if (frame == NULL) abort();
    memset(frame, 0, sizeof *frame);
    frame->kind = kind;
    frame->size = (uint16_t)(sizeof *frame + bytes);
    memcpy(frame + 1, data + sizeof kind, bytes);
    rc = msg_verify_frame(frame, frame->size);
    if ((rc == 0) != (msg_to_json(frame, text, sizeof text) > 0)) abort();
    if ((rc == 0) != (msg_print(frame, text, sizeof text) > 0)) abort();
    if (rc == 0 && (kind & ~MSG_OUT) == MSG_DECISION_PACKET)
        __asm__ volatile("" : : "r"(read_packet(frame + 1))); /* keeps the reads */
    free(frame);
    return 0;
}
