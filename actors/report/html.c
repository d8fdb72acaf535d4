#include "actors/report/html.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONG_TEXT = 40 }; /* characters of a cell from which it may wrap */

/* The style. Colours are by enum doc_tone: t0 .. t6. */
static const char style[] =
    ":root{color-scheme:light;--bg:#fff;--card:#f6f7f9;--t0:#1b2027;--t1:#5a6370;--t2:#dfe3e8;"
    "--t3:#0b7a55;--t4:#c6352b;--t5:#2456c4;--t6:#b26a00}"
    "@media(prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;"
    "--bg:#13161a;--card:#1b1f25;--t0:#e6e9ed;--t1:#9aa4b0;--t2:#2e353d;--t3:#3dbb8c;--t4:#f0695f;"
    "--t5:#7ba4ff;--t6:#e0a040}}"
    ":root[data-theme=dark]{color-scheme:dark;--bg:#13161a;--card:#1b1f25;--t0:#e6e9ed;--t1:#"
    "9aa4b0;"
    "--t2:#2e353d;--t3:#3dbb8c;--t4:#f0695f;--t5:#7ba4ff;--t6:#e0a040}"
    "*{box-sizing:border-box}"
    "body{background:var(--bg);color:var(--t0);font:15px/1.5 system-ui,-apple-system,\"Segoe UI\","
    "Roboto,\"Helvetica Neue\",Arial,sans-serif;margin:0 auto;max-width:1080px;padding:20px 16px "
    "48px}"
    "header{display:flex;gap:16px;justify-content:space-between;align-items:flex-start}"
    "h1{font-size:24px;line-height:1.2;margin:0;overflow-wrap:anywhere}"
    "h2{font-size:17px;margin:36px 0 8px;padding-top:14px;border-top:1px solid var(--t2);"
    "overflow-wrap:anywhere}h3{font-size:14px;margin:16px 0 6px;overflow-wrap:anywhere}"
    "p{margin:6px 0;overflow-wrap:anywhere}.note{color:var(--t1);font-size:13px}"
    "button{font:inherit;font-size:13px;color:var(--t1);background:none;border:1px solid var(--t2);"
    "border-radius:6px;padding:4px 10px;cursor:pointer;white-space:nowrap}"
    ".tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:8px;"
    "margin:16px 0}.tile{background:var(--card);border-radius:8px;padding:10px 12px;min-width:0}"
    ".tile span{display:block;color:var(--t1);font-size:12px}"
    ".tile b{display:block;font-size:21px;line-height:1.3;font-weight:600;overflow-wrap:anywhere;"
    "font-variant-numeric:tabular-nums}"
    ".call{border-left:4px solid var(--t1);background:var(--card);border-radius:0 8px 8px 0;"
    "padding:10px 14px;margin:12px 0}.call b{display:block}.call.k3{border-color:var(--t3)}"
    ".call.k4{border-color:var(--t4)}"
    "svg{display:block;width:100%;height:auto;margin:6px 0 2px}svg text{font-family:inherit}"
    "svg.n{display:none}"
    ".t0{fill:var(--t0)}.t1{fill:var(--t1)}.t2{fill:var(--t2)}.t3{fill:var(--t3)}"
    ".t4{fill:var(--t4)}.t5{fill:var(--t5)}.t6{fill:var(--t6)}"
    ".s0,.s1,.s2,.s3,.s4,.s5,.s6{fill:none;stroke-linejoin:round}"
    ".s0{stroke:var(--t0)}.s1{stroke:var(--t1)}.s2{stroke:var(--t2)}.s3{stroke:var(--t3)}"
    ".s4{stroke:var(--t4)}.s5{stroke:var(--t5)}.s6{stroke:var(--t6)}"
    ".c1{color:var(--t1)}.c3{color:var(--t3)}.c4{color:var(--t4)}"
    ".scroll{overflow-x:auto;margin:6px 0 10px}"
    "table{border-collapse:collapse;font-size:13px;width:100%}"
    "th,td{text-align:left;padding:4px 14px 4px 0;border-bottom:1px solid var(--t2);"
    "vertical-align:top;font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".x{white-space:normal;overflow-wrap:anywhere;min-width:220px}"
    "th{color:var(--t1);font-weight:500;vertical-align:bottom}.r{text-align:right}"
    "th:last-child,td:last-child{padding-right:0}"
    ".grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:0 40px;"
    "align-items:start}"
    "[title]{cursor:help}td[title],th[title]{text-decoration:underline dotted var(--t1);"
    "text-underline-offset:3px}summary{cursor:pointer;padding:6px 0;font-weight:500}"
    "code{font-size:12px}"
    "@media(max-width:640px){body{padding:14px 12px 36px}svg.w{display:none}svg.n{display:block}"
    ".tiles{grid-template-columns:repeat(2,1fr)}.tile b{font-size:18px}"
    "th,td{padding-right:10px}}"
    "@media print{:root:root,:root:root[data-theme]{color-scheme:light;--bg:#fff;--card:#f6f7f9;"
    "--t0:#1b2027;--t1:#5a6370;--t2:#dfe3e8;--t3:#0b7a55;--t4:#c6352b;--t5:#2456c4;--t6:#b26a00}"
    "body{max-width:none;padding:0;font-size:12px;-webkit-print-color-adjust:exact;"
    "print-color-adjust:exact}svg.w{display:block}svg.n{display:none}button,details{display:none}"
    "svg,.tile,.call,tr{break-inside:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible}"
    ".tiles{grid-template-columns:repeat(4,1fr)}table{font-size:11px}}";

/* What the switch does: light, dark, and back to what the reader prefers. */
static const char script[] =
    "(function(){var r=document.documentElement,b=document.querySelector('button'),"
    "m=['auto','light','dark'],k='shrike-theme',t='auto';"
    "try{t=localStorage.getItem(k)||'auto'}catch(e){}"
    "function set(){if(t==='auto')r.removeAttribute('data-theme');else "
    "r.setAttribute('data-theme',t);"
    "b.textContent='Theme: '+t}"
    "b.hidden=false;b.onclick=function(){t=m[(m.indexOf(t)+1)%3];"
    "try{localStorage.setItem(k,t)}catch(e){}set()};set()})()";

/* sequence returns how many bytes the UTF-8 sequence at p has, 0 when it is none. */
static size_t sequence(const unsigned char *p) {
    size_t n = p[0] >= 0xc2 && p[0] < 0xe0   ? 2
               : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
               : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                             : 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* escaped writes text into HTML. */
static void escaped(FILE *to, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        switch (*p) {
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '&': fputs("&amp;", to); break;
        case '"': fputs("&quot;", to); break;
        case '\'': fputs("&#39;", to); break;
        case '\n': fputc(' ', to); break;
        default:
            if (*p >= 0x80) {
                size_t n = sequence(p);
                if (n == 0) {
                    fputc('?', to);
                } else {
                    fwrite(p, 1, n, to);
                    p += n - 1;
                }
            } else {
                fputc(*p < 0x20 || *p == 0x7f ? '?' : *p, to);
            }
        }
    }
}

/* tenths writes a coordinate: one decimal, none where it is whole. Most of the file is these, so
 * printf is too slow. */
static void tenths(FILE *to, float v) {
    char text[24];
    int at = 24;
    long long n = (long long)(v * 10 + (v < 0 ? -0.5f : 0.5f));
    bool minus = n < 0;
    if (minus) n = -n;
    if (n % 10) {
        text[--at] = (char)('0' + n % 10);
        text[--at] = '.';
    }
    n /= 10;
    do text[--at] = (char)('0' + n % 10);
    while ((n /= 10) != 0);
    if (minus) text[--at] = '-';
    fwrite(text + at, 1, (size_t)(24 - at), to);
}

/* attribute writes name=coordinate. */
static void attribute(FILE *to, const char *name, float v) {
    fprintf(to, " %s=\"", name);
    tenths(to, v);
    fputc('"', to);
}

/* points writes a list of points. */
static void points(FILE *to, const struct doc_draw *g, const struct doc_item *i) {
    for (uint32_t k = 0; k < i->cnt; k++) {
        const struct doc_point *p = &g->points[i->first + k];
        if (k) fputc(' ', to);
        tenths(to, p->x);
        fputc(',', to);
        tenths(to, p->y);
    }
}

/* ending closes a shape, with what the pointer is shown. */
static void ending(FILE *to, const char *tag, const char *tip) {
    if (!tip) {
        fputs("/>", to);
        return;
    }
    fputs("><title>", to);
    escaped(to, tip);
    fprintf(to, "</title></%s>", tag);
}

/* shape writes one shape. */
static void shape(FILE *to, const struct doc_draw *g, const struct doc_item *i) {
    static const char *const anchors[] = { "", " text-anchor=\"middle\"", " text-anchor=\"end\"" };
    switch ((enum doc_shape)i->shape) {
    case DOC_LINE:
        fprintf(to, "<polyline class=\"s%d\"", i->tone);
        attribute(to, "stroke-width", i->size);
        if (i->dashed) fputs(" stroke-dasharray=\"4 4\"", to);
        fputs(" points=\"", to);
        points(to, g, i);
        fputs("\"/>", to);
        break;
    case DOC_AREA:
        fprintf(to, "<polygon class=\"t%d\" fill-opacity=\"%.2f\" points=\"", i->tone,
                (double)i->alpha);
        points(to, g, i);
        fputs("\"/>", to);
        break;
    case DOC_RECT:
        fprintf(to, "<rect class=\"t%d\"", i->tone);
        if (i->alpha < 1) fprintf(to, " fill-opacity=\"%.2f\"", (double)i->alpha);
        attribute(to, "x", i->x);
        attribute(to, "y", i->y);
        attribute(to, "width", i->w);
        attribute(to, "height", i->h);
        ending(to, "rect", i->text);
        break;
    case DOC_LABEL:
        fprintf(to, "<text class=\"t%d\"%s", i->tone, anchors[i->anchor]);
        attribute(to, "font-size", i->size);
        attribute(to, "x", i->x);
        attribute(to, "y", i->y);
        fputc('>', to);
        escaped(to, i->text);
        fputs("</text>", to);
        break;
    case DOC_UP:
    case DOC_DOWN: {
        float turn = i->shape == DOC_UP ? 1 : -1;
        fprintf(to, "<path class=\"t%d\" d=\"M", i->tone);
        tenths(to, i->x);
        fputc(' ', to);
        tenths(to, i->y);
        fputc('l', to);
        tenths(to, -i->size);
        fputc(' ', to);
        tenths(to, turn * i->size * 1.6f);
        fputc('h', to);
        tenths(to, i->size * 2);
        fputs("z\"", to);
        ending(to, "path", i->text);
        break;
    }
    case DOC_DOT:
        fprintf(to, "<circle class=\"t%d\"", i->tone);
        if (i->alpha < 1) fprintf(to, " fill-opacity=\"%.2f\"", (double)i->alpha);
        attribute(to, "cx", i->x);
        attribute(to, "cy", i->y);
        attribute(to, "r", i->size);
        ending(to, "circle", i->text);
        break;
    }
}

/* drawing writes a chart in one size. */
static void drawing(FILE *to, const struct doc_block *b, int which) {
    const struct doc_draw *g = &b->draw[which];
    if (g->item_cnt == 0) return;
    fprintf(to, "<svg class=\"%c\" viewBox=\"0 0 ", which ? 'n' : 'w');
    tenths(to, g->width);
    fputc(' ', to);
    tenths(to, g->height);
    fputs("\" role=\"img\" aria-label=\"", to);
    escaped(to, b->text);
    fputs("\">", to);
    for (uint32_t i = 0; i < g->item_cnt; i++) shape(to, g, &g->items[i]);
    fputs("</svg>\n", to);
}

/* table writes a table; its first row is the heading. */
static void table(FILE *to, const struct doc_block *b) {
    if (b->folded) {
        fputs("<details><summary>", to);
        escaped(to, b->text);
        fputs("</summary>", to);
    } else if (b->text[0]) {
        fputs("<h3>", to);
        escaped(to, b->text);
        fputs("</h3>", to);
    }
    fputs("<div class=\"scroll\"><table>\n", to);
    for (uint32_t i = 0; i < b->cell_cnt; i++) {
        const struct doc_cell *c = &b->cells[i];
        const char *tag = i < b->columns ? "th" : "td";
        if (i % b->columns == 0) fputs("<tr>", to);
        fprintf(to, "<%s", tag);
        if (strlen(c->text) > LONG_TEXT)
            fprintf(to, " class=\"x c%d\"", c->tone);
        else if (c->right && c->tone)
            fprintf(to, " class=\"r c%d\"", c->tone);
        else if (c->right)
            fputs(" class=\"r\"", to);
        else if (c->tone)
            fprintf(to, " class=\"c%d\"", c->tone);
        if (c->tip) {
            fputs(" title=\"", to);
            escaped(to, c->tip);
            fputc('"', to);
        }
        fputc('>', to);
        escaped(to, c->text);
        fprintf(to, "</%s>", tag);
        if (i % b->columns == b->columns - 1) fputs("</tr>\n", to);
    }
    fputs(b->folded ? "</table></div></details>\n" : "</table></div>\n", to);
}

/* tiles writes the figures to be seen first. */
static void tiles(FILE *to, const struct doc_block *b) {
    fputs("<div class=\"tiles\">\n", to);
    for (uint32_t i = 0; i + 1 < b->cell_cnt; i += 2) {
        const struct doc_cell *name = &b->cells[i], *value = &b->cells[i + 1];
        fputs("<div class=\"tile\"", to);
        if (name->tip) {
            fputs(" title=\"", to);
            escaped(to, name->tip);
            fputc('"', to);
        }
        fputs("><span>", to);
        escaped(to, name->text);
        fprintf(to, "</span><b class=\"c%d\">", value->tone);
        escaped(to, value->text);
        fputs("</b><span>", to);
        escaped(to, value->tip ? value->tip : "");
        fputs("</span></div>\n", to);
    }
    fputs("</div>\n", to);
}

/* element writes <tag class>text</tag>. */
static void element(FILE *to, const char *tag, const char *class, const char *text) {
    fprintf(to, class[0] ? "<%s class=\"%s\">" : "<%s>", tag, class);
    escaped(to, text);
    fprintf(to, "</%s>\n", tag);
}

/* block writes one block. */
static void block(FILE *to, const struct doc_block *b) {
    switch (b->kind) {
    case DOC_TITLE:
        fputs("<header><div>", to);
        element(to, "h1", "", b->text);
        element(to, "p", "note", b->note);
        fputs("</div><button hidden>Theme</button></header>\n", to);
        break;
    case DOC_HEADING: element(to, "h2", "", b->text); break;
    case DOC_TEXT: element(to, "p", "", b->text); break;
    case DOC_NOTE: element(to, "p", "note", b->text); break;
    case DOC_TILES: tiles(to, b); break;
    case DOC_CALLOUT:
        fprintf(to, "<div class=\"call k%d\"><b>", b->tone);
        escaped(to, b->note);
        fputs("</b>", to);
        escaped(to, b->text);
        fputs("</div>\n", to);
        break;
    case DOC_CHART:
        drawing(to, b, 0);
        drawing(to, b, 1);
        break;
    case DOC_TABLE: table(to, b); break;
    }
}

int report_html_write(const struct doc *d, const char *path, struct rt_error *err) {
    char fresh[4300];
    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
        return rt_error_set(err, -ENAMETOOLONG, "%.200s: the name is too long", path);
    FILE *to = fopen(fresh, "we");
    if (!to) {
        int code = -errno;
        return rt_error_set(err, code, "%s: cannot be written: %s", fresh, strerror(-code));
    }
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
          "<meta name=\"generator\" content=\"shrike\"><title>",
          to);
    escaped(to, d->title);
    fprintf(to, "</title>\n<style>%s</style></head>\n<body>\n", style);
    for (uint32_t i = 0; i < d->cnt; i++) {
        const struct doc_block *b = &d->blocks[i];
        if (b->half && (i == 0 || !b[-1].half)) fputs("<div class=\"grid\">\n", to);
        block(to, b);
        if (b->half && (i + 1 == d->cnt || !b[1].half)) fputs("</div>\n", to);
    }
    fprintf(to, "<script>%s</script>\n</body>\n</html>\n", script);
    bool bad = fflush(to) != 0 || ferror(to);
    if (fclose(to) != 0) bad = true;
    if (bad || rename(fresh, path) < 0) {
        unlink(fresh);
        return rt_error_set(err, -EIO, "%s: cannot be written", path);
    }
    return 0;
}
