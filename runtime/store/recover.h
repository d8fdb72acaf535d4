/* recover.h - what a journal's open finds on the stage and on the disk.
 *
 * For     rt_journal_open alone.
 * Thread  the caller's; nobody else writes the journal's directories (they are locked). */
#ifndef RUNTIME_STORE_RECOVER_H
#define RUNTIME_STORE_RECOVER_H
#include "runtime/store/impl.h"

/* What recover found and recover_tail uses. */
struct recovered {
    uint64_t number;             /* newest segment; 0 = none at all */
    uint64_t end;                /* position after its last whole record */
    uint64_t end_bytes;          /* the same as offset in it */
    bool go_on;                  /* it has the shape asked for: appends go on in it */
    bool in_stage;               /* its slot is mapped and holds it */
    struct rt_journal_head head; /* its head */
    uint8_t *bytes;              /* its bytes from disk when it is not in the stage; malloc'ed */
    uint64_t synced;             /* position up to which the disk has everything */
    uint64_t flush_number;       /* first segment whose stage is not wholly on disk */
    uint64_t flush_from;         /* offset in it up to which the disk has it */
    bool flush_head;             /* its disk file has its head */
    uint64_t ready;              /* highest segment whose disk file is allocated */
    uint64_t first;              /* oldest segment there is; 0 = none */
    uint64_t first_plain;        /* oldest that is not archived; 0 = none */
};

/* recover reads the heads of all segments, checks that none is missing and that those whose only
 * copy is the stage are whole, and finds the end. Whole stage segments stay mapped in m->slots.
 * Returns 0; -EBADMSG naming segment and offset for damage before the tail; another negative errno.
 */
int recover(struct rt_journal_impl *m, struct recovered *r, struct rt_journal_found *found,
            struct rt_error *err);

/* recover_tail makes map hold the newest segment and j go on in it. */
int recover_tail(struct rt_journal *j, struct recovered *r, uint8_t *map, struct rt_error *err);

/* recover_done frees what recover took. */
void recover_done(struct recovered *r);
#endif
