#include "runtime/base/error.h"
#include <stdio.h>
#include <string.h>

int rt_error_set(struct rt_error *err, int code, const char *format, ...) {
    if (err == NULL) return code;
    err->code = code;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (length < 0) err->text[0] = 0;

    /* A sentence that was cut must not end inside a UTF-8 character. */
    size_t cnt = strlen(err->text);
    if (length >= (int)sizeof err->text) {
        size_t start = cnt;
        while (start > 0 && ((unsigned char)err->text[start - 1] & 0xc0) == 0x80) start--;
        if (start > 0) {
            unsigned char lead = (unsigned char)err->text[start - 1];
            size_t needs = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
            if (cnt - (start - 1) < needs) err->text[start - 1] = 0;
        }
    }
    /* One line, whatever was quoted in it: a terminal must not be steered by a file's bytes. */
    for (char *c = err->text; *c != 0; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    }
    return code;
}
