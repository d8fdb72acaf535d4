#include "actors/report/pdf.h"
#include <dlfcn.h>
#include <errno.h>
#include <hpdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is used of the library. */
#define PDF_CALLS(X)                                                                               \
    X(HPDF_New)                                                                                    \
    X(HPDF_Free)                                                                                   \
    X(HPDF_GetError)                                                                               \
    X(HPDF_SaveToFile)                                                                             \
    X(HPDF_SetCompressionMode)                                                                     \
    X(HPDF_SetInfoAttr)                                                                            \
    X(HPDF_GetFont)                                                                                \
    X(HPDF_AddPage)                                                                                \
    X(HPDF_Page_SetSize)                                                                           \
    X(HPDF_Page_SetFontAndSize)                                                                    \
    X(HPDF_Page_BeginText)                                                                         \
    X(HPDF_Page_EndText)                                                                           \
    X(HPDF_Page_TextOut)                                                                           \
    X(HPDF_Page_SetRGBFill)                                                                        \
    X(HPDF_Page_SetRGBStroke)                                                                      \
    X(HPDF_Page_SetLineWidth)                                                                      \
    X(HPDF_Page_SetDash)                                                                           \
    X(HPDF_Page_MoveTo)                                                                            \
    X(HPDF_Page_LineTo)                                                                            \
    X(HPDF_Page_Stroke)                                                                            \
    X(HPDF_Page_Fill)                                                                              \
    X(HPDF_Page_Rectangle)                                                                         \
    X(HPDF_Page_Circle)                                                                            \
    X(HPDF_CreateExtGState)                                                                        \
    X(HPDF_ExtGState_SetAlphaFill)                                                                 \
    X(HPDF_Page_SetExtGState)                                                                      \
    X(HPDF_Font_TextWidth)                                                                         \
    X(HPDF_Font_MeasureText)

#define PDF_FIELD(name) __typeof__(name) *name;
/* The library's functions. */
struct calls {
    PDF_CALLS(PDF_FIELD) /* by their own names */
};
#undef PDF_FIELD

enum { ALPHAS = 20, COLUMNS_MAX = 64, LINE_MAX_CHARS = 4096 }; /* shades; columns; a text */

static const float page_w = 595, page_h = 842, margin = 40, inner = 515; /* A4, points */
/* Colours by enum doc_tone, as in the light HTML. */
static const float colours[DOC_TONES][3] = {
    { 0.106f, 0.125f, 0.153f }, { 0.353f, 0.388f, 0.439f }, { 0.875f, 0.890f, 0.910f },
    { 0.043f, 0.478f, 0.333f }, { 0.776f, 0.208f, 0.169f }, { 0.141f, 0.337f, 0.769f },
    { 0.698f, 0.416f, 0.0f },
};

/* A PDF being written. */
struct pdf {
    struct calls call;                 /* the library */
    HPDF_Doc doc;                      /* its document */
    HPDF_Page page;                    /* the one that is written on */
    HPDF_Font plain, bold;             /* fonts */
    HPDF_ExtGState alphas[ALPHAS + 1]; /* shades made so far */
    int alpha;                         /* the one in force on the page */
    const char *title;                 /* at the foot of each page */
    int page_cnt;                      /* pages so far */
    float y;                           /* how much of the page is used, from the top */
    char text[LINE_MAX_CHARS];         /* a text in Latin-1 */
};

/* latin turns UTF-8 into Latin-1; the result lasts till the next call. */
static const char *latin(struct pdf *p, const char *text) {
    size_t n = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c && n + 1 < LINE_MAX_CHARS; c++) {
        if (*c < 0x80) {
            p->text[n++] = (char)(*c < 0x20 ? ' ' : *c);
        } else if ((*c == 0xc2 || *c == 0xc3) && (c[1] & 0xc0) == 0x80 &&
                   (*c == 0xc3 || c[1] >= 0xa0)) {
            p->text[n++] = (char)((*c & 3) << 6 | (c[1] & 0x3f));
            c++;
        } else if ((*c & 0xc0) != 0x80) { /* the rest of a sequence says nothing of its own */
            p->text[n++] = '?';
        }
    }
    p->text[n] = '\0';
    return p->text;
}

/* width measures text that is in Latin-1. */
static float width(struct pdf *p, HPDF_Font font, float size, const char *text) {
    HPDF_TextWidth w =
        p->call.HPDF_Font_TextWidth(font, (const HPDF_BYTE *)text, (HPDF_UINT)strlen(text));
    return (float)w.width * size / 1000;
}

/* write puts text that is in Latin-1 at x, y from the top (its base line). */
static void write_at(struct pdf *p, HPDF_Font font, float size, enum doc_tone tone, float x,
                     float y, const char *text) {
    const float *c = colours[tone];
    p->call.HPDF_Page_SetRGBFill(p->page, c[0], c[1], c[2]);
    p->call.HPDF_Page_BeginText(p->page);
    p->call.HPDF_Page_SetFontAndSize(p->page, font, size);
    p->call.HPDF_Page_TextOut(p->page, x, page_h - y, text);
    p->call.HPDF_Page_EndText(p->page);
}

/* shade makes what is filled from now on see-through. */
static void shade(struct pdf *p, float alpha) {
    int at = (int)(alpha * ALPHAS + 0.5f);
    at = at < 1 ? 1 : at > ALPHAS ? ALPHAS : at;
    if (p->alpha == at) return;
    if (!p->alphas[at]) {
        p->alphas[at] = p->call.HPDF_CreateExtGState(p->doc);
        p->call.HPDF_ExtGState_SetAlphaFill(p->alphas[at], (float)at / ALPHAS);
    }
    p->call.HPDF_Page_SetExtGState(p->page, p->alphas[at]);
    p->alpha = at;
}

/* box fills a rectangle, y from the top. */
static void box(struct pdf *p, float x, float y, float w, float h, enum doc_tone tone,
                float alpha) {
    const float *c = colours[tone];
    if (w <= 0 || h <= 0) return;
    shade(p, alpha);
    p->call.HPDF_Page_SetRGBFill(p->page, c[0], c[1], c[2]);
    p->call.HPDF_Page_Rectangle(p->page, x, page_h - y - h, w, h);
    p->call.HPDF_Page_Fill(p->page);
    shade(p, 1);
}

/* rule draws a thin line across. */
static void rule(struct pdf *p, float y) {
    const float *c = colours[DOC_GRID];
    p->call.HPDF_Page_SetRGBStroke(p->page, c[0], c[1], c[2]);
    p->call.HPDF_Page_SetLineWidth(p->page, 0.5f);
    p->call.HPDF_Page_MoveTo(p->page, margin, page_h - y);
    p->call.HPDF_Page_LineTo(p->page, margin + inner, page_h - y);
    p->call.HPDF_Page_Stroke(p->page);
}

/* fresh_page begins a page. */
static void fresh_page(struct pdf *p) {
    char foot[40];
    p->page = p->call.HPDF_AddPage(p->doc);
    p->call.HPDF_Page_SetSize(p->page, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
    p->alpha = ALPHAS;
    p->y = margin;
    snprintf(foot, sizeof foot, "%d", ++p->page_cnt);
    write_at(p, p->plain, 7, DOC_SOFT, page_w - margin - width(p, p->plain, 7, foot),
             page_h - margin / 2, foot);
    const char *title = latin(p, p->title);
    p->text[100] = '\0'; /* one line */
    write_at(p, p->plain, 7, DOC_SOFT, margin, page_h - margin / 2, title);
}

/* need begins a page when less than h is left of this one. */
static void need(struct pdf *p, float h) {
    if (p->y + h > page_h - margin) fresh_page(p);
}

/* fitting tells how many characters of text (Latin-1) a line of room takes: to a blank if there is
 * one, at least one. */
static size_t fitting(struct pdf *p, HPDF_Font font, float size, float room, const char *text) {
    size_t all = strlen(text);
    for (int by_word = 1; by_word >= 0; by_word--) {
        HPDF_UINT n = p->call.HPDF_Font_MeasureText(font, (const HPDF_BYTE *)text, (HPDF_UINT)all,
                                                    room, size, 0, 0, by_word, NULL);
        if (n >= all) return all;
        if (n > 0) return n;
    }
    return 1;
}

/* paragraph writes text in lines of room and returns how high they are; nothing is written when
 * measure is set, and no page is begun. */
static float paragraph(struct pdf *p, HPDF_Font font, float size, enum doc_tone tone, float x,
                       float y, float room, const char *text, bool measure) {
    char line[LINE_MAX_CHARS];
    float used = 0;
    const char *at = strcpy(line, latin(p, text));
    while (*at) {
        size_t n = fitting(p, font, size, room, at);
        char kept = at[n];
        line[(size_t)(at - line) + n] = '\0';
        used += size * 1.35f;
        if (!measure) write_at(p, font, size, tone, x, y + used - size * 0.35f, at);
        line[(size_t)(at - line) + n] = kept;
        at += n;
        while (*at == ' ') at++;
    }
    return used;
}

/* flowing writes a paragraph across the page, with a page of its own when it does not fit. */
static void flowing(struct pdf *p, HPDF_Font font, float size, enum doc_tone tone, const char *text,
                    float after) {
    float h = paragraph(p, font, size, tone, margin, 0, inner, text, true);
    need(p, h < page_h - 2 * margin ? h : 0);
    p->y += paragraph(p, font, size, tone, margin, p->y, inner, text, false) + after;
}

/* path draws the points of a line or an area. */
static void path(struct pdf *p, const struct doc_draw *g, const struct doc_item *i, float scale) {
    const float *c = colours[i->tone];
    if (i->shape == DOC_AREA) {
        shade(p, i->alpha);
        p->call.HPDF_Page_SetRGBFill(p->page, c[0], c[1], c[2]);
    } else {
        static const HPDF_UINT16 dashes[1] = { 3 };
        p->call.HPDF_Page_SetRGBStroke(p->page, c[0], c[1], c[2]);
        p->call.HPDF_Page_SetLineWidth(p->page, i->size * scale * 0.8f);
        p->call.HPDF_Page_SetDash(p->page, i->dashed ? dashes : NULL, i->dashed ? 1 : 0, 0);
    }
    for (uint32_t k = 0; k < i->cnt; k++) {
        const struct doc_point *a = &g->points[i->first + k];
        float x = margin + a->x * scale, y = page_h - p->y - a->y * scale;
        if (k == 0)
            p->call.HPDF_Page_MoveTo(p->page, x, y);
        else
            p->call.HPDF_Page_LineTo(p->page, x, y);
    }
    if (i->shape == DOC_AREA) {
        p->call.HPDF_Page_Fill(p->page);
        shade(p, 1);
    } else {
        p->call.HPDF_Page_Stroke(p->page);
    }
}

/* chart draws the paper's size of a chart. */
static void chart(struct pdf *p, const struct doc_block *b) {
    const struct doc_draw *g = &b->draw[2];
    if (g->item_cnt == 0) return;
    float scale = inner / g->width;
    need(p, g->height * scale);
    for (uint32_t k = 0; k < g->item_cnt; k++) {
        const struct doc_item *i = &g->items[k];
        const float *c = colours[i->tone];
        float x = margin + i->x * scale, y = p->y + i->y * scale, r = i->size * scale;
        switch ((enum doc_shape)i->shape) {
        case DOC_LINE:
        case DOC_AREA: path(p, g, i, scale); break;
        case DOC_RECT: box(p, x, y, i->w * scale, i->h * scale, i->tone, i->alpha); break;
        case DOC_LABEL: {
            const char *text = latin(p, i->text);
            float w = i->anchor == DOC_START ? 0 : width(p, p->plain, r, text);
            write_at(p, p->plain, r, i->tone, x - (i->anchor == DOC_MIDDLE ? w / 2 : w), y, text);
            break;
        }
        case DOC_UP:
        case DOC_DOWN: {
            float turn = i->shape == DOC_UP ? 1 : -1;
            p->call.HPDF_Page_SetRGBFill(p->page, c[0], c[1], c[2]);
            p->call.HPDF_Page_MoveTo(p->page, x, page_h - y);
            p->call.HPDF_Page_LineTo(p->page, x - r, page_h - y - turn * r * 1.6f);
            p->call.HPDF_Page_LineTo(p->page, x + r, page_h - y - turn * r * 1.6f);
            p->call.HPDF_Page_Fill(p->page);
            break;
        }
        case DOC_DOT:
            p->call.HPDF_Page_SetRGBFill(p->page, c[0], c[1], c[2]);
            p->call.HPDF_Page_Circle(p->page, x, page_h - y, r);
            p->call.HPDF_Page_Fill(p->page);
            break;
        }
    }
    p->y += g->height * scale + 6;
}

/* tiles draws the figures to be seen first, four a row. */
static void tiles(struct pdf *p, const struct doc_block *b) {
    const float gap = 6, w = (inner - 3 * gap) / 4, h = 46;
    for (uint32_t i = 0; i + 1 < b->cell_cnt; i += 2) {
        const struct doc_cell *name = &b->cells[i], *value = &b->cells[i + 1];
        uint32_t column = i / 2 % 4;
        if (column == 0) need(p, h);
        float x = margin + (float)column * (w + gap), size = 14;
        box(p, x, p->y, w, h, DOC_GRID, 0.35f);
        write_at(p, p->plain, 7, DOC_SOFT, x + 7, p->y + 12, latin(p, name->text));
        const char *text = latin(p, value->text);
        float wide = width(p, p->bold, size, text);
        if (wide > w - 14) size *= (w - 14) / wide;
        write_at(p, p->bold, size, value->tone, x + 7, p->y + 28, text);
        text = latin(p, value->tip ? value->tip : "");
        size = 7;
        wide = width(p, p->plain, size, text);
        if (wide > w - 14) size *= (w - 14) / wide;
        write_at(p, p->plain, size, DOC_SOFT, x + 7, p->y + 40, text);
        if (column == 3 || i + 3 >= b->cell_cnt) p->y += h + gap;
    }
    p->y += 6;
}

/* fit_columns shares the width among the columns of a table: what each needs, the widest less
 * where it is too much, more for all where some is left. */
static void fit_columns(struct pdf *p, const struct doc_block *b, float size, float *w) {
    const float gap = 8;
    float sum = 0;
    memset(w, 0, COLUMNS_MAX * sizeof *w);
    for (uint32_t i = 0; i < b->cell_cnt; i++) {
        float wide = width(p, p->plain, size, latin(p, b->cells[i].text)) + gap;
        if (wide > w[i % b->columns]) w[i % b->columns] = wide;
    }
    for (uint32_t k = 0; k < b->columns; k++) sum += w[k];
    while (sum > inner + 0.5f) { /* the widest gives up to the next widest */
        uint32_t most = 0;
        float second = 0;
        for (uint32_t k = 1; k < b->columns; k++)
            if (w[k] > w[most]) most = k;
        for (uint32_t k = 0; k < b->columns; k++)
            if (k != most && w[k] > second) second = w[k];
        float give = fminf(sum - inner, fmaxf(w[most] - second, 4));
        w[most] -= give;
        sum -= give;
    }
    for (uint32_t k = 0; k < b->columns; k++) w[k] += (inner - sum) / (float)b->columns;
}

/* table_row writes one row and returns its height; nothing is written when measure is set. */
static float table_row(struct pdf *p, const struct doc_block *b, uint32_t row, float size,
                       const float *w, bool measure) {
    float x = margin, high = 0;
    for (uint32_t k = 0; k < b->columns; k++) {
        const struct doc_cell *c = &b->cells[row * b->columns + k];
        float room = w[k] - 8, left = x, h;
        enum doc_tone tone = row == 0 ? DOC_SOFT : c->tone;
        const char *text = latin(p, c->text);
        float wide = width(p, p->plain, size, text);
        if (c->right && wide <= room + 0.1f) left = x + w[k] - wide - (k + 1 < b->columns ? 8 : 0);
        h = paragraph(p, p->plain, size, tone, left, p->y + 2,
                      fmaxf(room, wide <= room + 0.1f ? wide + 1 : 4), c->text, measure);
        high = fmaxf(high, h);
        x += w[k];
    }
    return high + 4;
}

/* table writes a table; its heading stands again on each page. */
static void table(struct pdf *p, const struct doc_block *b) {
    float w[COLUMNS_MAX];
    float size = b->columns > 8 ? 6.5f : 7.5f;
    if (b->folded || b->columns == 0 || b->columns > COLUMNS_MAX) return;
    fit_columns(p, b, size, w);
    if (b->text[0]) {
        need(p, 50);
        p->y += 4;
        flowing(p, p->bold, 8.5f, DOC_FG, b->text, 2);
    }
    for (uint32_t row = 0; row < b->cell_cnt / b->columns; row++) {
        float h = table_row(p, b, row, size, w, true);
        if (row == 0) need(p, 3 * h);
        if (p->y + h > page_h - margin) {
            fresh_page(p);
            p->y += table_row(p, b, 0, size, w, false);
            rule(p, p->y);
        }
        p->y += table_row(p, b, row, size, w, false);
        rule(p, p->y);
    }
    p->y += 8;
}

/* callout writes what must be seen. */
static void callout(struct pdf *p, const struct doc_block *b) {
    float h = paragraph(p, p->bold, 9.5f, DOC_FG, 0, 0, inner - 24, b->note, true) +
              paragraph(p, p->plain, 8.5f, DOC_FG, 0, 0, inner - 24, b->text, true) + 12;
    need(p, h);
    box(p, margin, p->y, inner, h, DOC_GRID, 0.35f);
    box(p, margin, p->y, 3, h, b->tone, 1);
    float y = p->y + 6;
    y += paragraph(p, p->bold, 9.5f, DOC_FG, margin + 12, y, inner - 24, b->note, false);
    (void)paragraph(p, p->plain, 8.5f, DOC_FG, margin + 12, y, inner - 24, b->text, false);
    p->y += h + 8;
}

/* block writes one block; next is the one after it, NULL = none. */
static void block(struct pdf *p, const struct doc_block *b, const struct doc_block *next) {
    switch (b->kind) {
    case DOC_TITLE:
        flowing(p, p->bold, 18, DOC_FG, b->text, 2);
        flowing(p, p->plain, 9, DOC_SOFT, b->note, 10);
        break;
    case DOC_HEADING: {
        float follows = next && next->kind == DOC_CHART && next->draw[2].width > 0
                            ? next->draw[2].height * inner / next->draw[2].width
                            : 40; /* a heading stands with what it heads */
        need(p, 40 + follows);
        p->y += 10;
        flowing(p, p->bold, 11, DOC_FG, b->text, 4);
        break;
    }
    case DOC_TEXT: flowing(p, p->plain, 9, b->tone, b->text, 4); break;
    case DOC_NOTE: flowing(p, p->plain, 7.5f, DOC_SOFT, b->text, 3); break;
    case DOC_TILES: tiles(p, b); break;
    case DOC_CALLOUT: callout(p, b); break;
    case DOC_CHART: chart(p, b); break;
    case DOC_TABLE: table(p, b); break;
    }
}

/* load finds the library's functions. */
static int load(struct calls *c, struct rt_error *err) {
    static void *library; /* stays: a second PDF needs it again */
    if (!library) library = dlopen(SHRIKE_HPDF, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return rt_error_set(err, -ENOTSUP, "%s is not installed; Debian has it as libhpdf-2.3.0",
                            SHRIKE_HPDF);
    void *at;
#define PDF_LOAD(name)                                                                             \
    if (!(at = dlsym(library, #name)))                                                             \
        return rt_error_set(err, -ENOTSUP, "%s has no " #name, SHRIKE_HPDF);                       \
    memcpy(&c->name, &at, sizeof at);
    PDF_CALLS(PDF_LOAD)
#undef PDF_LOAD
    return 0;
}

int report_pdf_write(const struct doc *d, const char *path, struct rt_error *err) {
    char fresh[4300];
    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
        return rt_error_set(err, -ENAMETOOLONG, "%.200s: the name is too long", path);
    struct pdf *p = calloc(1, sizeof *p);
    if (!p) return rt_error_set(err, -ENOMEM, "no memory for %s", path);
    int code = load(&p->call, err);
    if (code == 0 && !(p->doc = p->call.HPDF_New(NULL, NULL)))
        code = rt_error_set(err, -ENOMEM, "no memory for %s", path);
    if (code == 0) {
        p->title = d->title;
        p->call.HPDF_SetCompressionMode(p->doc, HPDF_COMP_ALL);
        p->call.HPDF_SetInfoAttr(p->doc, HPDF_INFO_TITLE, latin(p, d->title));
        p->call.HPDF_SetInfoAttr(p->doc, HPDF_INFO_CREATOR, "shrike");
        p->plain = p->call.HPDF_GetFont(p->doc, "Helvetica", "WinAnsiEncoding");
        p->bold = p->call.HPDF_GetFont(p->doc, "Helvetica-Bold", "WinAnsiEncoding");
        fresh_page(p);
        for (uint32_t i = 0; i < d->cnt; i++)
            block(p, &d->blocks[i], i + 1 < d->cnt ? &d->blocks[i + 1] : NULL);
        HPDF_STATUS made = p->call.HPDF_GetError(p->doc);
        if (made != HPDF_OK)
            code = rt_error_set(err, -EIO, "%s: the PDF library says error 0x%lx", path,
                                (unsigned long)made);
        else if (p->call.HPDF_SaveToFile(p->doc, fresh) != HPDF_OK || rename(fresh, path) < 0) {
            unlink(fresh);
            code = rt_error_set(err, -EIO, "%s: cannot be written", path);
        }
        p->call.HPDF_Free(p->doc);
    }
    free(p);
    return code;
}
