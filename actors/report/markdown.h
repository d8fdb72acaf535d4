/* markdown.h - a report as Markdown (GitHub's: tables), for notes, mails and diffs.
 *
 * For     page.c. Charts are named, not drawn: the page has them.
 * Thread  the caller's.
 * Memory  none. */
#ifndef ACTORS_REPORT_MARKDOWN_H
#define ACTORS_REPORT_MARKDOWN_H
#include "actors/report/doc.h"
#include "runtime/base/error.h"

/* report_markdown_write writes d to path, whole or not at all. 0 or negative errno with err. */
int report_markdown_write(const struct doc *d, const char *path, struct rt_error *err)
    __attribute__((warn_unused_result));
#endif
