/* page_reason.h - why a month was the worst: in words, from its trades.
 *
 * For     page.c alone.
 * Thread  the caller's. */
#ifndef ACTORS_REPORT_PAGE_REASON_H
#define ACTORS_REPORT_PAGE_REASON_H
#include "actors/report/page_data.h"

/* page_reason adds a callout about the worst month of a curve (a value of summary.json's curves);
 * total tells that it is that of all accounts. Nothing where it has no month. */
void page_reason(struct doc *d, const struct page_data *p, const struct report_value *curve,
                 bool total);
#endif
