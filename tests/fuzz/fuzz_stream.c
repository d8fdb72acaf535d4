/* Goal: no frame makes the dialects' readers of market streams crash, loop or look outside their
 * input, and levels come out as they may be. Method: libFuzzer; each frame goes to every dialect,
 * on one event that is used again, as recordings use it. */
#include "actors/dialect/binance/stream.h"
#include "actors/dialect/bybit/stream.h"
#include <assert.h>
#include <errno.h>

/* LLVMFuzzerTestOneInput is called by libFuzzer with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt) {
    static struct dl_event e;
    for (int dialect = 0; dialect < 2; dialect++) {
        int rc = dialect == 0 ? bn_stream_parse((const char *)bytes, cnt, &e)
                              : bb_stream_parse((const char *)bytes, cnt, &e);
        assert(rc == 0 || rc == -EBADMSG || rc == -ENOMEM);
        for (size_t i = 0; rc == 0 && i < e.level_cnt; i++) {
            assert(e.levels[i].price > 0 && e.levels[i].quantity >= 0 && e.levels[i].side <= 1);
        }
    }
    if (e.level_room > 4096) dl_event_fini(&e); /* the next frame begins with none */
    return 0;
}
