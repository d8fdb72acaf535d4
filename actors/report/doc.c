#include "actors/report/doc.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_BYTES = 1 << 16, TEXT_MAX = 4096 }; /* memory of texts; longest text */

/* Memory of texts. */
struct doc_chunk {
    struct doc_chunk *older; /* the one before */
    char bytes[CHUNK_BYTES]; /* texts, one after the other */
};

/* grown makes room for more items of bytes in list, which has cnt and *room; NULL, and d failed,
 * without memory. */
static void *grown(struct doc *d, void *list, uint32_t cnt, uint32_t more, uint32_t *room,
                   size_t bytes) {
    if (cnt + more <= *room) return list;
    uint32_t want = *room ? *room * 2 : 16;
    while (want < cnt + more) want *= 2;
    void *fresh = realloc(list, want * bytes);
    if (!fresh) {
        d->failed = true;
        return NULL;
    }
    *room = want;
    return fresh;
}

void doc_open(struct doc *d) {
    *d = (struct doc){ .title = "", .zone = { .name = "UTC" } };
}

void doc_close(struct doc *d) {
    for (uint32_t i = 0; i < d->cnt; i++) {
        struct doc_block *b = &d->blocks[i];
        free(b->cells);
        for (int k = 0; k < 3; k++) {
            free(b->draw[k].items);
            free(b->draw[k].points);
        }
    }
    free(d->blocks);
    while (d->chunks) {
        struct doc_chunk *older = d->chunks->older;
        free(d->chunks);
        d->chunks = older;
    }
    doc_open(d);
}

const char *doc_keep(struct doc *d, const char *format, ...) {
    va_list args;
    if (!d->chunks || d->used > CHUNK_BYTES - TEXT_MAX) {
        struct doc_chunk *fresh = malloc(sizeof *fresh);
        if (!fresh) {
            d->failed = true;
            return "";
        }
        fresh->older = d->chunks;
        d->chunks = fresh;
        d->used = 0;
    }
    char *at = d->chunks->bytes + d->used;
    va_start(args, format);
    int n = vsnprintf(at, TEXT_MAX, format, args);
    va_end(args);
    if (n < 0) return "";
    d->used += (size_t)(n < TEXT_MAX ? n : TEXT_MAX - 1) + 1;
    return at;
}

struct doc_block *doc_add(struct doc *d, enum doc_kind kind, const char *text) {
    struct doc_block *fresh = grown(d, d->blocks, d->cnt, 1, &d->room, sizeof *fresh);
    if (fresh) {
        d->blocks = fresh;
        fresh += d->cnt++;
    } else {
        fresh = &d->none;
    }
    *fresh = (struct doc_block){ .kind = kind, .text = text, .note = "" };
    for (int k = 0; k < 3; k++) fresh->draw[k].doc = d;
    return fresh;
}

void doc_cell(struct doc *d, struct doc_block *b, struct doc_cell cell) {
    if (d->failed) return;
    struct doc_cell *fresh = grown(d, b->cells, b->cell_cnt, 1, &b->cell_room, sizeof *fresh);
    if (!fresh) return;
    b->cells = fresh;
    fresh[b->cell_cnt++] = cell;
}

/* sane returns v, or 0 when it is no place on a page. */
static float sane(float v) {
    return v > -1e5f && v < 1e5f ? v : 0;
}

/* item adds a shape. */
static void item(struct doc_draw *g, struct doc_item one) {
    if (g->doc->failed) return;
    one.x = sane(one.x);
    one.y = sane(one.y);
    one.w = sane(one.w);
    one.h = sane(one.h);
    one.alpha = sane(one.alpha);
    struct doc_item *fresh = grown(g->doc, g->items, g->item_cnt, 1, &g->item_room, sizeof *fresh);
    if (!fresh) return;
    g->items = fresh;
    fresh[g->item_cnt++] = one;
}

/* through adds points and a shape of them. */
static void through(struct doc_draw *g, const struct doc_point *points, uint32_t cnt,
                    struct doc_item one) {
    if (g->doc->failed || cnt < 2) return;
    struct doc_point *fresh =
        grown(g->doc, g->points, g->point_cnt, cnt, &g->point_room, sizeof *fresh);
    if (!fresh) return;
    g->points = fresh;
    for (uint32_t i = 0; i < cnt; i++)
        fresh[g->point_cnt + i] = (struct doc_point){ sane(points[i].x), sane(points[i].y) };
    one.first = g->point_cnt;
    one.cnt = cnt;
    g->point_cnt += cnt;
    item(g, one);
}

void doc_line(struct doc_draw *g, const struct doc_point *points, uint32_t cnt, enum doc_tone tone,
              float width) {
    through(g, points, cnt,
            (struct doc_item){ .shape = DOC_LINE, .tone = tone, .alpha = 1, .size = width });
}

void doc_rule(struct doc_draw *g, float x1, float y1, float x2, float y2, enum doc_tone tone,
              bool dashed) {
    const struct doc_point ends[2] = { { x1, y1 }, { x2, y2 } };
    through(g, ends, 2,
            (struct doc_item){
                .shape = DOC_LINE, .tone = tone, .alpha = 1, .size = 1, .dashed = dashed });
}

void doc_area(struct doc_draw *g, const struct doc_point *points, uint32_t cnt, enum doc_tone tone,
              float alpha) {
    through(g, points, cnt, (struct doc_item){ .shape = DOC_AREA, .tone = tone, .alpha = alpha });
}

void doc_rect(struct doc_draw *g, float x, float y, float w, float h, enum doc_tone tone,
              float alpha, const char *tip) {
    item(g, (struct doc_item){ .shape = DOC_RECT,
                               .tone = tone,
                               .alpha = alpha,
                               .x = x,
                               .y = y,
                               .w = w,
                               .h = h,
                               .text = tip });
}

void doc_label(struct doc_draw *g, float x, float y, float size, enum doc_anchor anchor,
               enum doc_tone tone, const char *text) {
    item(g, (struct doc_item){ .shape = DOC_LABEL,
                               .tone = tone,
                               .anchor = anchor,
                               .alpha = 1,
                               .size = size,
                               .x = x,
                               .y = y,
                               .text = text });
}

void doc_mark(struct doc_draw *g, enum doc_shape shape, float x, float y, float size,
              enum doc_tone tone, const char *tip) {
    item(g, (struct doc_item){ .shape = shape,
                               .tone = tone,
                               .alpha = 0.9f,
                               .size = size,
                               .x = x,
                               .y = y,
                               .text = tip });
}
