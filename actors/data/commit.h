/* commit.h - puts rows into a set of the store, or leaves it as it was.
 *
 * For     import and repair. New segments are written beside the old ones and synced; then the
 *         manifest is replaced by rename and its directory synced; then what it no longer lists is
 *         removed. Whoever is killed at any point leaves the old set or the new one; files that no
 *         manifest lists are removed by the next commit. One commit at a time: a lock file.
 * Rules   rows are merged by time. A row with the time and key of one that is there: equal rows are
 *         taken once; of unequal ones `overlap` says which stays, or that the commit is refused.
 *         Bars of another source are often unequal in the last digits: that is the source switch
 *         that DQ-1 asks to be told of, so refusing is the default.
 * Thread  any; not on a shard.
 * Memory  the new rows and those of the segments they touch. */
#ifndef ACTORS_DATA_COMMIT_H
#define ACTORS_DATA_COMMIT_H
#include "actors/data/store.h"

/* What becomes of unequal rows of one time and key. */
enum data_overlap {
    DATA_OVERLAP_REFUSE, /* nothing is committed */
    DATA_OVERLAP_KEEP,   /* the row that is there stays */
    DATA_OVERLAP_REPLACE /* the new row takes its place; the old one goes to import-N.csv */
};

/* A commit. */
struct data_commit {
    const char *dir;           /* of the set (data_set_dir); made when absent */
    struct data_set set;       /* which set */
    struct data_table *table;  /* rows in order of time, unique by key; given back merged */
    enum data_overlap overlap; /* what becomes of unequal rows */
    bool whole;                /* the table is the whole new content: repair, not import */
    struct data_import import; /* provenance: tool, hash, source, lines, left_out, repaired; the
                                * rest is filled in, also for the caller to see */
    const char *notes;         /* text of import-NUMBER.csv, NULL = nothing to keep */
    size_t notes_cnt;          /* its bytes */
    int64_t now_ns;            /* when, ns UTC */
    uint64_t replaced;         /* filled in: rows that were there and made way */
};

/* data_commit carries it out. Returns 0 with c->import filled, or negative errno with err:
 * -EEXIST unequal rows and DATA_OVERLAP_REFUSE, -EBUSY another commit runs, else the file that
 * could not be written. */
int data_commit(struct data_commit *c, struct rt_error *err) __attribute__((warn_unused_result));

/* data_gaps lists the gaps of rows in order of time. *gaps is the caller's to free; at most max are
 * kept. Returns how many there are, or -ENOMEM. */
int64_t data_gaps(const struct data_table *t, struct data_gap **gaps, uint32_t max);
/* data_depth_gaps sets BOOK_FLAGS_GAP where a message of depth does not follow the one before it,
 * and clears it elsewhere. Returns how many there are. */
uint64_t data_depth_gaps(struct data_table *t);
#endif
