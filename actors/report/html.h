/* html.h - a report as one HTML file that needs nothing else.
 *
 * For     pages: charts as SVG in two sizes (the browser shows the one that fits), styles inside, a
 *         few lines of script for the switch between light and dark; without script it follows the
 *         reader's preference. Prints in light.
 * Rules   every text is escaped, and bytes that are no UTF-8 become '?'; no address of any kind.
 * Thread  the caller's. Cost: some 20 ns a point of a chart. */
#ifndef ACTORS_REPORT_HTML_H
#define ACTORS_REPORT_HTML_H
#include "actors/report/doc.h"
#include "runtime/base/error.h"

/* report_html_write writes d to path, whole or not at all. Returns 0 or negative errno with err. */
int report_html_write(const struct doc *d, const char *path, struct rt_error *err)
    __attribute__((warn_unused_result));
#endif
