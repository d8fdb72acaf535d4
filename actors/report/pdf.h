/* pdf.h - a report as a PDF: pages of A4, vector charts, the fonts every reader has.
 *
 * For     pages, for who wants paper or a file to send. Says what the HTML says; folded tables
 *         (long lists) and what the pointer would be shown are left out.
 * Library libhpdf, loaded when the first PDF is made: the program starts and runs without it.
 * Texts   in Latin-1; characters beyond become '?'.
 * Same    no date inside: the same report gives the same bytes.
 * Thread  one at a time. */
#ifndef ACTORS_REPORT_PDF_H
#define ACTORS_REPORT_PDF_H
#include "actors/report/doc.h"
#include "runtime/base/error.h"

/* report_pdf_write writes d, whose paper was set when it was made, to path, whole or not at all.
 * Returns 0 or negative errno with err; -ENOTSUP when the library is not installed. */
int report_pdf_write(const struct doc *d, const char *path, struct rt_error *err)
    __attribute__((warn_unused_result));
#endif
