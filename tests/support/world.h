/* world.h - a small market for tests of the trading actors, made without a file.
 *
 * For     tests of risk, execution, portfolio: a linear and a spot instrument on BTC, a linear one
 *         on ETH, two accounts in USDT.
 * Memory  static tables of the including file. */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H
#include "actors/market/market.h"

/* One whole unit of price, quantity or cash. */
#define ONE ((int64_t)FIXED_ONE)

/* Its ids. */
enum {
    WORLD_PERP = 1, /* BTC-PERP: linear, tick 0.1, lot 0.001, min_notional 5 */
    WORLD_SPOT = 2, /* BTC-SPOT: spot, tick 0.01, lot 0.00001, min_notional 5 */
    WORLD_ETH = 3,  /* ETH-PERP: linear, tick 0.01, lot 0.01 */
    WORLD_BTC = 0,  /* assets */
    WORLD_ETHER = 1,
    WORLD_USDT = 2,
    WORLD_MAIN = 1, /* accounts */
    WORLD_SECOND = 2,
};

/* Its instruments. */
static struct mk_instrument world_instruments[] = {
    { .name = "BTC-PERP",
      .symbol = "BTCUSDT",
      .venue = "sim",
      .id = WORLD_PERP,
      .kind = MK_LINEAR,
      .base_asset = WORLD_BTC,
      .quote_asset = WORLD_USDT,
      .tick_size = FIXED_ONE / 10,
      .lot_size = FIXED_ONE / 1000,
      .min_notional = 5LL * FIXED_ONE },
    { .name = "BTC-SPOT",
      .symbol = "BTCUSDT",
      .venue = "sim",
      .id = WORLD_SPOT,
      .kind = MK_SPOT,
      .base_asset = WORLD_BTC,
      .quote_asset = WORLD_USDT,
      .tick_size = FIXED_ONE / 100,
      .lot_size = FIXED_ONE / 100000,
      .min_notional = 5LL * FIXED_ONE },
    { .name = "ETH-PERP",
      .symbol = "ETHUSDT",
      .venue = "sim",
      .id = WORLD_ETH,
      .kind = MK_LINEAR,
      .base_asset = WORLD_ETHER,
      .quote_asset = WORLD_USDT,
      .tick_size = FIXED_ONE / 100,
      .lot_size = FIXED_ONE / 100 },
};

/* Its accounts. */
static struct mk_account world_accounts[] = {
    { .name = "main", .id = WORLD_MAIN, .quote = WORLD_USDT, .cash = 100000LL * FIXED_ONE },
    { .name = "second", .id = WORLD_SECOND, .quote = WORLD_USDT, .cash = 5000LL * FIXED_ONE },
};

/* Its assets. */
static char world_assets[][16] = { "BTC", "ETH", "USDT" };

/* The market; equity marks each hour. */
static struct mk_market world = {
    .instruments = world_instruments,
    .accounts = world_accounts,
    .assets = world_assets,
    .instrument_cnt = 3,
    .account_cnt = 2,
    .asset_cnt = 3,
    .equity_interval_ns = 3600000000000LL,
};
#endif
