#include "actors/report/markdown.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* escaped writes text so that nothing in it is taken for a mark; a line end becomes a blank. */
static void escaped(FILE *to, const char *text) {
    for (; *text; text++) {
        if (strchr("\\`*_[]<>|#~", *text) != NULL) fputc('\\', to);
        fputc(*text == '\n' ? ' ' : *text, to);
    }
}

/* line writes mark, text and an empty line. */
static void line(FILE *to, const char *mark, const char *text) {
    fputs(mark, to);
    escaped(to, text);
    fputs("\n\n", to);
}

/* row writes cnt cells of a table. */
static void row(FILE *to, const struct doc_cell *cells, uint32_t cnt) {
    for (uint32_t i = 0; i < cnt; i++) {
        fputs(i == 0 ? "| " : " | ", to);
        escaped(to, cells[i].text);
    }
    fputs(" |\n", to);
}

/* table writes a table; its first row is the heading. Numbers stand at the right. */
static void table(FILE *to, const struct doc_block *b) {
    if (b->columns == 0 || b->cell_cnt < b->columns) return;
    if (b->text[0]) line(to, "### ", b->text);
    row(to, b->cells, b->columns);
    for (uint32_t i = 0; i < b->columns; i++) fputs(b->cells[i].right ? "|--:" : "|---", to);
    fputs("|\n", to);
    for (uint32_t i = b->columns; i + b->columns <= b->cell_cnt; i += b->columns)
        row(to, &b->cells[i], b->columns);
    fputc('\n', to);
}

/* tiles writes the figures to be seen first as a table. */
static void tiles(FILE *to, const struct doc_block *b) {
    fputs("| | | |\n|---|--:|---|\n", to);
    for (uint32_t i = 0; i + 1 < b->cell_cnt; i += 2) {
        const struct doc_cell three[] = {
            b->cells[i], b->cells[i + 1], { .text = b->cells[i + 1].tip ? b->cells[i + 1].tip : "" }
        };
        row(to, three, 3);
    }
    fputc('\n', to);
}

/* block writes one block. */
static void block(FILE *to, const struct doc_block *b) {
    switch (b->kind) {
    case DOC_TITLE:
        line(to, "# ", b->text);
        line(to, "", b->note);
        break;
    case DOC_HEADING: line(to, "## ", b->text); break;
    case DOC_TEXT: line(to, "", b->text); break;
    case DOC_NOTE:
        if (b->text[0]) line(to, "- ", b->text);
        break;
    case DOC_TILES: tiles(to, b); break;
    case DOC_CALLOUT:
        fputs("> **", to);
        escaped(to, b->note);
        fputs("** ", to);
        line(to, "", b->text);
        break;
    case DOC_CHART: line(to, "Chart, on the page: ", b->text); break;
    case DOC_TABLE: table(to, b); break;
    }
}

int report_markdown_write(const struct doc *d, const char *path, struct rt_error *err) {
    char fresh[4300];
    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
        return rt_error_set(err, -ENAMETOOLONG, "%.200s: the name is too long", path);
    FILE *to = fopen(fresh, "we");
    if (!to) {
        int code = -errno;
        return rt_error_set(err, code, "%s: cannot be written: %s", fresh, strerror(-code));
    }
    for (uint32_t i = 0; i < d->cnt; i++) block(to, &d->blocks[i]);
    bool bad = fflush(to) != 0 || ferror(to);
    if (fclose(to) != 0) bad = true;
    if (bad || rename(fresh, path) < 0) {
        unlink(fresh);
        return rt_error_set(err, -EIO, "%s: cannot be written", path);
    }
    return 0;
}
