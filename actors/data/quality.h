/* quality.h - what is wrong with rows, what is done about it, and a record of both.
 *
 * For     import, check and repair. Every fault is named with its line, time, field and rule; what
 *         is done about a kind of fault is declared (a policy), and each change is recorded.
 *         Nothing is lost: a row that is left out is noted with its text.
 * Rules   malformed    a line that is no row            missing     a field empty or not a number
 *         range        a price not above zero, a        order       a time before the row above
 *                      quantity below zero
 *         duplicate    a row twice                      conflict    two rows of one time that
 *         differ misaligned   a bar's time off the grid        gap         rows missing between two
 *         ohlc         high or low inside the body      spike       far off both neighbours: robust
 *                                                                   z over blocks of 256 rows
 *         volume       none though the price moved;     price_unit  a run of prices 10, 100, 1000
 *                      mean price outside the bar;                  times off
 *                      200 times the usual
 *         time_unit    times of a file in two units     repeated    the bar before, again; or a run
 *                                                                   of empty bars
 *         crossed      bid not below ask                clock       recorder before the venue
 *         short        fewer rows than asked for        switch      another source's bar differs
 * Actions keep         nothing, the fault is told       skip, drop  the row is left out, and noted
 *         forward      the value before it              interpolate between its neighbours
 *         clip         to what the neighbours allow     scale       to the unit of the others
 *         sort         into its place                   reject      the whole file is refused
 *         With a session bars are missing only where it would have had them, and are on the grid
 *         too where a window's grid begins (data_quality_options.session).
 * Thread  any one; not on a shard.
 * Memory  the faults and notes on the heap; at most DATA_FAULTS_MAX faults.
 * Cost    about 100 ns a row. */
#ifndef ACTORS_DATA_QUALITY_H
#define ACTORS_DATA_QUALITY_H
#include "actors/data/scan.h"
#include "actors/data/table.h"
#include "actors/market/session.h"
#include <stdio.h>

enum {
    DATA_FAULTS_MAX = 1000000, /* more are counted, and the file is refused */
    DATA_CHUNK = 256,          /* rows whose medians say what is usual */
};

/* Kinds of fault. Names in data_fault_names. */
enum data_fault_kind {
    DATA_FAULT_MALFORMED,
    DATA_FAULT_MISSING,
    DATA_FAULT_RANGE,
    DATA_FAULT_ORDER,
    DATA_FAULT_DUPLICATE,
    DATA_FAULT_CONFLICT,
    DATA_FAULT_MISALIGNED,
    DATA_FAULT_GAP,
    DATA_FAULT_OHLC,
    DATA_FAULT_SPIKE,
    DATA_FAULT_VOLUME,
    DATA_FAULT_PRICE_UNIT,
    DATA_FAULT_TIME_UNIT,
    DATA_FAULT_REPEATED,
    DATA_FAULT_CROSSED,
    DATA_FAULT_CLOCK,
    DATA_FAULT_SHORT,
    DATA_FAULT_SWITCH,
    DATA_FAULT_CNT
};

/* What is done about a kind of fault. Names in data_action_names. */
enum data_action {
    DATA_KEEP,
    DATA_SKIP,
    DATA_DROP,
    DATA_FORWARD,
    DATA_INTERPOLATE,
    DATA_CLIP,
    DATA_SCALE,
    DATA_SORT,
    DATA_REJECT,
    DATA_ACTION_CNT
};

/* data_fault_names and data_action_names are their words, as in options and reports. */
extern const char *const data_fault_names[DATA_FAULT_CNT];
extern const char *const data_action_names[DATA_ACTION_CNT];

/* One fault. */
struct data_fault {
    uint64_t line;   /* of the source; 0 = a row of the store, or the file as a whole */
    int64_t time_ns; /* of the row; DATA_NOT_TOLD = none */
    uint8_t kind;    /* enum data_fault_kind */
    uint8_t action;  /* enum data_action that was taken */
    char text[118];  /* what is wrong, for people: "high 3.1 is 6.0 % off" */
};

/* One UTC day of rows. */
struct data_day {
    int64_t day_ns;            /* its midnight */
    int64_t first_ns, last_ns; /* its first and last row; DATA_NOT_TOLD = it has none */
    uint64_t rows;             /* rows that begin in it */
    uint64_t missing;          /* rows missing in it; bars only */
    uint64_t outside;          /* rows when the session was shut */
    uint64_t faults;           /* faults of its rows, gaps apart */
    uint64_t left_out;         /* rows kept out, as the notes tell */
    uint64_t repaired;         /* values changed and rows made, as the notes tell */
    uint8_t calendar;          /* enum mk_day; open where there is no session */
};

/* What is asked. Zero means the default. */
struct data_quality_options {
    uint8_t policy[DATA_FAULT_CNT];   /* enum data_action; data_policy_default fills it */
    double spike_z;                   /* robust z from which a move is a spike, 20 */
    uint64_t rows_min;                /* fewer rows are "short"; 0 = any number will do */
    const struct mk_session *session; /* when its market trades; NULL = always */
};

/* What was found. */
struct data_quality {
    struct data_quality_options options; /* as asked */
    const char *file;                    /* name of the source, for errors and notes */
    const char *text; /* the source's lines, for notes; NULL = rows of the store */
    size_t text_cnt;  /* its bytes */
    uint8_t
        place[DATA_COLUMNS_MAX]; /* by column of the stream: 1 + its place in a line, 0 = none */
    uint64_t rows_in;            /* rows read */
    uint64_t rows_out;           /* rows left after repair */
    uint64_t left_out;           /* rows kept out */
    uint64_t repaired;           /* values changed, rows made */
    uint64_t counts[DATA_FAULT_CNT];               /* faults by kind */
    struct data_fault *faults;                     /* each of them, in the order found */
    uint64_t fault_cnt;                            /* how many are listed */
    uint64_t gap_rows;                             /* rows missing in all gaps */
    struct data_day *days;                         /* by day */
    uint64_t day_cnt;                              /* how many */
    int64_t first_ns, last_ns;                     /* span of the rows, when there are any */
    int64_t delay_low_us, delay_us, delay_high_us; /* recorder after venue: least, median, most */
    bool delayed;                                  /* the three are known */
    char *notes;                                   /* text of import-NUMBER.csv */
    size_t notes_cnt;                              /* its bytes */
    FILE *note;                                    /* where notes go while they are written */
    uint64_t *offsets; /* of each line of text, made when first needed */
    uint64_t line_cnt; /* lines of text */
};

/* data_policy_default fills a policy: malformed, missing, range, misaligned, ohlc, conflict and
 * crossed rows are left out, duplicates dropped, order sorted, units in time scaled, prices in a
 * wrong unit and short files rejected, all else kept. */
void data_policy_default(uint8_t policy[DATA_FAULT_CNT]);
/* data_policy_read reads "kind=action,kind=action" ("all=keep" sets each kind that can be) over a
 * policy. Returns 0, or -EINVAL with err. */
int data_policy_read(const char *text, uint8_t policy[DATA_FAULT_CNT], struct rt_error *err)
    __attribute__((warn_unused_result));

/* data_quality_init begins. Returns 0 or -ENOMEM with err. */
int data_quality_init(struct data_quality *q, const struct data_quality_options *options,
                      const char *file, const char *text, size_t cnt, struct rt_error *err)
    __attribute__((warn_unused_result));
/* data_quality_fini gives its memory back. */
void data_quality_fini(struct data_quality *q);

/* data_quality_run checks t and repairs it by the policy: afterwards its rows are in order and
 * unique, and bars lie on the grid. Returns 0; -EBADMSG with err when a fault was to be rejected
 * (all faults are listed all the same, as far as the passes came); -ENOMEM. */
int data_quality_run(struct data_quality *q, struct data_table *t, struct rt_error *err)
    __attribute__((warn_unused_result));
/* data_quality_notes adds what notes (the text of import-N.csv) tell to the days. */
void data_quality_notes(struct data_quality *q, const char *notes, size_t cnt);
/* data_quality_against compares t with the rows of another source: bars of one time that differ by
 * more than tolerance (a fraction) are "switch" faults. */
void data_quality_against(struct data_quality *q, const struct data_table *t,
                          const struct data_table *other, double tolerance);

/* data_fault_add notes a fault. action tells what is done about it. */
void data_fault_add(struct data_quality *q, enum data_fault_kind kind, enum data_action action,
                    uint64_t line, int64_t time_ns, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* data_note_change notes a value that is about to change from before to after. */
void data_note_change(struct data_quality *q, const struct data_table *t, uint64_t row,
                      uint32_t column, const char *before, const char *after,
                      enum data_fault_kind kind);
/* data_note_out notes a row or line that is left out. row is UINT64_MAX when there is none. */
void data_note_out(struct data_quality *q, const struct data_table *t, uint64_t row, uint64_t line,
                   enum data_fault_kind kind);
/* data_quality_ticks is the part of data_quality_run for rows that are no bars (quality_ticks.c);
 * keep[row] becomes 0 for rows to be left out. */
void data_quality_ticks(struct data_quality *q, struct data_table *t, uint8_t *keep);
/* data_median returns the middle of cnt values, which it sorts; 0 without any. */
double data_median(double *values, uint64_t cnt);
#endif
