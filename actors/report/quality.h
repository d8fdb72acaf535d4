/* quality.h - what data/quality.h found, for people and programs.
 *
 * For     `shrike data import`, `check` and `repair`: a table for the terminal, JSON, and one page
 *         of HTML that needs no network, light and dark, readable on a phone.
 * Thread  any one; not on a shard.
 * Memory  none of its own. */
#ifndef ACTORS_REPORT_QUALITY_H
#define ACTORS_REPORT_QUALITY_H
#include "actors/data/quality.h"
#include "actors/data/store.h"

/* report_quality_text writes a table of kinds, the worst days, and the first of the faults to out.
 */
void report_quality_text(const struct data_quality *q, const struct data_set *set, FILE *out);
/* report_quality_days writes a table of days to out: all of them, or those with anything amiss. */
void report_quality_days(const struct data_quality *q, bool all, FILE *out);
/* report_quality_json writes all of it as one JSON object without line end. */
void report_quality_json(const struct data_quality *q, const struct data_set *set, FILE *out);
/* report_quality_html writes the page of cnt data sets to path. Returns 0, or negative errno with
 * err. */
int report_quality_html(const struct data_quality *const *q, const struct data_set *const *sets,
                        uint32_t cnt, const char *path, struct rt_error *err)
    __attribute__((warn_unused_result));
#endif
