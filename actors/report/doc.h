/* doc.h - a report as a list of blocks, the same for HTML (html.h) and PDF (pdf.h).
 *
 * For     page.c, which composes it, and charts.c, which draws its charts.
 * Use     doc_open; then blocks from top to bottom; doc_failed tells whether memory ran out.
 * Charts  drawn for wide and for narrow screens, and for paper, in units of a CSS pixel; y grows
 *         downward. A chart is a list of shapes with a tone, which each form of the report gives a
 *         colour.
 * Texts   are copied; escaping is the matter of the form.
 * Thread  the caller's.
 * Memory  on the heap, freed by doc_close. */
#ifndef ACTORS_REPORT_DOC_H
#define ACTORS_REPORT_DOC_H
#include "actors/market/zone.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a colour means. */
enum doc_tone {
    DOC_FG,    /* text */
    DOC_SOFT,  /* text of less weight */
    DOC_GRID,  /* lines of a grid */
    DOC_GAIN,  /* earned, passed */
    DOC_LOSS,  /* lost, failed */
    DOC_MAIN,  /* the curve */
    DOC_OTHER, /* what it is compared with */
    DOC_TONES, /* how many */
};

/* Shapes of a chart. */
enum doc_shape {
    DOC_LINE,  /* through points */
    DOC_AREA,  /* within points */
    DOC_RECT,  /* x, y, w, h */
    DOC_LABEL, /* text at x, y; size in pixels */
    DOC_UP,    /* small triangle, its tip at x, y, pointing up */
    DOC_DOWN,  /* the same pointing down */
    DOC_DOT,   /* small disc */
};

/* Where a label's x is. */
enum doc_anchor { DOC_START, DOC_MIDDLE, DOC_END };

/* A point of a chart. */
struct doc_point {
    float x, y; /* pixels */
};

/* One shape. */
struct doc_item {
    uint8_t shape;       /* enum doc_shape */
    uint8_t tone;        /* enum doc_tone */
    uint8_t anchor;      /* of a label, enum doc_anchor */
    bool dashed;         /* of a line */
    float alpha;         /* 0..1 */
    float size;          /* width of a line, height of a text, radius of a dot */
    float x, y, w, h;    /* place */
    uint32_t first, cnt; /* points of a line or area */
    const char *text;    /* of a label; else what the pointer is shown, or NULL */
};

/* A chart in one size. */
struct doc_draw {
    struct doc *doc;          /* it belongs to */
    float width, height;      /* pixels */
    struct doc_item *items;   /* shapes, the hindmost first */
    uint32_t item_cnt;        /* how many */
    uint32_t item_room;       /* how many fit */
    struct doc_point *points; /* of lines and areas */
    uint32_t point_cnt;       /* how many */
    uint32_t point_room;      /* how many fit */
};

/* A cell of a table, or a tile. */
struct doc_cell {
    const char *text; /* what it says */
    const char *tip;  /* what the pointer is shown, or NULL; of a tile: the line below */
    uint8_t tone;     /* enum doc_tone */
    bool right;       /* a number: stands at the right */
};

/* Kinds of block. */
enum doc_kind {
    DOC_TITLE,   /* text: the report's name; note: a line below */
    DOC_HEADING, /* text */
    DOC_TEXT,    /* text: a paragraph; tone */
    DOC_NOTE,    /* text in small */
    DOC_TILES,   /* cells in pairs: label, value */
    DOC_CALLOUT, /* text: what must be seen; note: a headline */
    DOC_CHART,   /* draws; text: what it shows */
    DOC_TABLE,   /* cells; the first row is its heading; text: its name or "" */
};

/* One block. */
struct doc_block {
    enum doc_kind kind;      /* what it is */
    uint8_t tone;            /* of a text or callout */
    bool folded;             /* of a table: closed at first in HTML, left out in PDF */
    bool half;               /* of a table: narrow, may stand beside the next one */
    const char *text, *note; /* see above */
    struct doc_cell *cells;  /* of tiles and tables */
    uint32_t cell_cnt;       /* how many */
    uint32_t cell_room;      /* how many fit */
    uint32_t columns;        /* of a table */
    struct doc_draw draw[3]; /* of a chart: wide, narrow, and for paper where that is wanted */
};

struct doc_chunk;

/* A report. */
struct doc {
    const char *title;        /* of the window */
    struct mk_zone zone;      /* what instants are shown in; UTC; set after doc_open */
    bool paper;               /* charts are drawn for paper too; set after doc_open */
    struct doc_block *blocks; /* from top to bottom */
    uint32_t cnt, room;       /* how many; how many fit */
    struct doc_chunk *chunks; /* memory of texts */
    size_t used;              /* of the newest chunk */
    struct doc_block none;    /* takes what there is no memory for */
    bool failed;              /* memory ran out: incomplete */
};

/* doc_open begins a report. */
void doc_open(struct doc *d);
/* doc_close frees all. */
void doc_close(struct doc *d);
/* doc_keep formats a text that lives as long as d. Never NULL. */
const char *doc_keep(struct doc *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* doc_add adds a block and returns it till the next call; texts are not copied. */
struct doc_block *doc_add(struct doc *d, enum doc_kind kind, const char *text);
/* doc_cell adds a cell to b; texts are not copied. */
void doc_cell(struct doc *d, struct doc_block *b, struct doc_cell cell);

/* doc_line draws a line through points. */
void doc_line(struct doc_draw *g, const struct doc_point *points, uint32_t cnt, enum doc_tone tone,
              float width);
/* doc_rule draws a straight line, dashed or not. */
void doc_rule(struct doc_draw *g, float x1, float y1, float x2, float y2, enum doc_tone tone,
              bool dashed);
/* doc_area fills what points enclose. */
void doc_area(struct doc_draw *g, const struct doc_point *points, uint32_t cnt, enum doc_tone tone,
              float alpha);
/* doc_rect fills a rectangle; tip may be NULL. */
void doc_rect(struct doc_draw *g, float x, float y, float w, float h, enum doc_tone tone,
              float alpha, const char *tip);
/* doc_label writes text. */
void doc_label(struct doc_draw *g, float x, float y, float size, enum doc_anchor anchor,
               enum doc_tone tone, const char *text);
/* doc_mark draws a triangle or a dot; tip may be NULL. */
void doc_mark(struct doc_draw *g, enum doc_shape shape, float x, float y, float size,
              enum doc_tone tone, const char *tip);
#endif
