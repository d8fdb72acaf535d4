/* Goal: no text makes the readers of exchangeInfo and leverageBracket crash, loop or look outside
 * their input; an error is one line. Method: libFuzzer; the text goes to both, brackets on top of a
 * good answer. */
#include "actors/dialect/binance/exchange.h"
#include <assert.h>
#include <string.h>

/* LLVMFuzzerTestOneInput is called by libFuzzer with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt) {
    static const char *const good =
        "{\"symbols\":[{\"symbol\":\"BTCUSDT\",\"baseAsset\":\"BTC\",\"quoteAsset\":\"USDT\","
        "\"marginAsset\":\"USDT\",\"contractType\":\"PERPETUAL\",\"filters\":[]}]}";
    struct bn_exchange e;
    struct rt_error err = { 0 };
    int rc = bn_exchange_parse((const char *)bytes, cnt, &e, &err);
    assert(rc == 0 || strchr(err.text, '\n') == NULL);
    for (size_t i = 0; rc == 0 && i < e.cnt; i++) {
        const struct bn_symbol *s = &e.symbols[i];
        assert(s->left != NULL ||
               (s->in.tick_size > 0 && s->in.lot_size > 0 && s->in.name[0] != 0));
    }
    bn_exchange_fini(&e);
    rc = bn_exchange_parse(good, strlen(good), &e, &err);
    assert(rc == 0 && e.cnt == 1);
    rc = bn_exchange_brackets((const char *)bytes, cnt, &e, &err);
    assert(rc == 0 || strchr(err.text, '\n') == NULL);
    assert(e.symbols[0].bracket_cnt <= MK_BRACKETS_MAX);
    bn_exchange_fini(&e);
    return 0;
}
