/* book_rows.h - a book in snapshots of state: figures as counters, a row a level.
 *
 * For     actors that hold books, in their save and load.
 * Thread  the owner's.
 * Memory  none.
 * Cost    a row a level. */
#ifndef ACTORS_MARKET_BOOK_ROWS_H
#define ACTORS_MARKET_BOOK_ROWS_H
#include "actors/market/book.h"
#include "runtime/core/actor.h"

enum { MK_BOOK_FIGURES = 16 }; /* counters of one book, 9 of them used */

/* mk_book_rows_save puts the rows of b, the book of instrument: counters from number counter on,
 * levels under keys from key on. */
void mk_book_rows_save(const struct mk_book *b, uint16_t instrument, uint64_t counter, uint64_t key,
                       struct rt_row_sink *sink);

/* mk_book_rows_figure takes back counter number figure (0..MK_BOOK_FIGURES-1); before any level.
 * False: no such figure. */
bool mk_book_rows_figure(struct mk_book *b, uint64_t figure, int64_t value);

/* mk_book_rows_level takes back a level; false when it makes no sense. */
bool mk_book_rows_level(struct mk_book *b, const struct msg_book_level_row *row);
#endif
