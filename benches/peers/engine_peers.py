"""Each peer as a function of the input that returns a run and what it comes to: `(orders, final equity)`."""

import numpy as np

import works


def vectorbt_w1(series, engine):
    """`from_signals`, signals of a close filled at the next open; the moving averages are vectorbt's own."""
    import vectorbt as vbt
    from vectorbt.generic import dispatch as generic

    opens, _, _, closes, _ = series

    def run():
        fast = generic.rolling_mean_1d(closes, works.FAST, minp=works.FAST, engine=engine)
        slow = generic.rolling_mean_1d(closes, works.SLOW, minp=works.SLOW, engine=engine)
        above = np.zeros(len(closes), dtype=bool)
        above[1:] = (fast > slow)[:-1]
        return vbt.Portfolio.from_signals(
            closes, above, ~above, price=opens, fees=works.FEE, init_cash=works.CASH, direction="longonly", engine=engine
        )

    return run, orders_and_equity


def vectorbt_w1_kernel(series, engine):
    """The simulation kernel of the same work without the pandas wrapping around it: numpy in, order records out."""
    from vectorbt.generic import dispatch as generic
    from vectorbt.portfolio import dispatch as portfolio

    opens, _, _, closes, _ = series
    one = np.array([1], dtype=np.int64)
    cash, sequence = np.array([works.CASH]), np.zeros((len(closes), 1), dtype=np.int64)
    open_column, close_column = opens[:, None], closes[:, None]

    def run():
        fast = generic.rolling_mean_1d(closes, works.FAST, minp=works.FAST, engine=engine)
        slow = generic.rolling_mean_1d(closes, works.SLOW, minp=works.SLOW, engine=engine)
        above = np.zeros((len(closes), 1), dtype=bool)
        above[1:, 0] = (fast > slow)[:-1]
        orders, _ = portfolio.simulate_from_signals(
            (len(closes), 1),
            one,
            cash,
            sequence,
            long_entries=above,
            long_exits=~above,
            short_entries=np.asarray(False),
            short_exits=np.asarray(False),
            price=open_column,
            fees=np.asarray(works.FEE),
            close=close_column,
            use_stops=False,
            max_orders=len(closes),
            engine=engine,
        )
        return orders

    return run, lambda orders: (len(orders), None)


def vectorbt_w3(series, engine):
    """`from_orders` with target percents of one shared account, sales first, valued and filled at the open."""
    import vectorbt as vbt

    opens, closes = series

    def run():
        targets = np.full(closes.shape, np.nan)
        for day in works.w3_decision_days():
            targets[day + 1] = 0.0
            targets[day + 1, works.w3_chosen(closes, day)] = 1.0 / works.HELD
        return vbt.Portfolio.from_orders(
            closes,
            targets,
            size_type="targetpercent",
            direction="longonly",
            price=opens,
            val_price=opens,
            fees=works.FEE,
            init_cash=works.CASH,
            cash_sharing=True,
            group_by=True,
            call_seq="auto",
            engine=engine,
        )

    return run, orders_and_equity


def orders_and_equity(portfolio):
    return len(portfolio.order_records), float(np.asarray(portfolio.final_value()).ravel()[0])


def backtesting_w1(series):
    """`Backtest` with `trade_on_close=False`, which fills at the next open.

    It trades whole units: the money is multiplied by 1e9, so that a unit is nothing beside it when costs have eaten
    nearly everything.
    """
    import pandas as pd
    from backtesting import Backtest, Strategy

    opens, highs, lows, closes, volumes = series
    index = pd.date_range("2015-01-01", periods=len(closes), freq="min")
    columns = {"Open": opens, "High": highs, "Low": lows, "Close": closes, "Volume": volumes}
    frame = pd.DataFrame(columns, index=index)

    class SmaCross(Strategy):
        def init(self):
            close = pd.Series(self.data.Close)
            self.fast = self.I(lambda: close.rolling(works.FAST).mean().to_numpy(), name="fast")
            self.slow = self.I(lambda: close.rolling(works.SLOW).mean().to_numpy(), name="slow")

        def next(self):
            above = self.fast[-1] > self.slow[-1]
            if above and not self.position:
                self.buy()
            elif not above and self.position:
                self.position.close()

    scale = 1e9

    def run():
        backtest = Backtest(frame, SmaCross, cash=works.CASH * scale, commission=works.FEE, trade_on_close=False)
        return backtest.run()

    def outcome(stats):
        is_open = stats["_strategy"].position.size != 0
        return 2 * int(stats["# Trades"]) + int(is_open), float(stats["Equity Final [$]"]) / scale

    return run, outcome


def nautilus(names, decide, length, series):
    """A run over quotes at the opens and bars at the closes; `decide(strategy, bar_index)` acts after the last close.

    A market order fills at the quote, which stays the open of the bar in progress because bars do not move the market
    (`bar_execution=False`); an order of a close reaches the venue two nanoseconds later, after the next opens.
    """
    from decimal import Decimal

    from nautilus_trader.backtest.config import BacktestEngineConfig
    from nautilus_trader.backtest.engine import BacktestEngine
    from nautilus_trader.backtest.models import LatencyModel
    from nautilus_trader.config import LoggingConfig, StrategyConfig
    from nautilus_trader.model.currencies import USDT, BTC
    from nautilus_trader.model.data import Bar, BarType, QuoteTick
    from nautilus_trader.model.enums import AccountType, OmsType
    from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
    from nautilus_trader.model.instruments import CurrencyPair
    from nautilus_trader.model.objects import Money, Price, Quantity
    from nautilus_trader.persistence.wranglers import BarDataWrangler, QuoteTickDataWrangler
    from nautilus_trader.trading.strategy import Strategy
    import pandas as pd

    venue = Venue("SIM")
    start = pd.Timestamp("2015-01-01", tz="UTC")
    minute = pd.Timedelta(minutes=1)

    def instrument(number):
        symbol = Symbol(f"N{number}USDT")
        return CurrencyPair(
            instrument_id=InstrumentId(symbol, venue),
            raw_symbol=symbol,
            base_currency=BTC,
            quote_currency=USDT,
            price_precision=8,
            size_precision=6,
            price_increment=Price(1e-8, 8),
            size_increment=Quantity(1e-6, 6),
            maker_fee=Decimal(str(works.FEE)),
            taker_fee=Decimal(str(works.FEE)),
            margin_init=Decimal(0),
            margin_maint=Decimal(0),
            ts_event=0,
            ts_init=0,
        )

    instruments = [instrument(number) for number in range(names)]
    opened = pd.date_range(start, periods=length, freq=minute)
    data = []
    for number, item in enumerate(instruments):
        opens, highs, lows, closes = (values[:, number] for values in series)
        quotes = pd.DataFrame({"bid_price": opens, "ask_price": opens}, index=opened + pd.Timedelta(1, "ns"))
        data += QuoteTickDataWrangler(item).process(quotes, default_volume=1e9)
        bars = pd.DataFrame({"open": opens, "high": highs, "low": lows, "close": closes}, index=opened + minute)
        bar_type = BarType.from_str(f"{item.id}-1-MINUTE-LAST-EXTERNAL")
        data += BarDataWrangler(bar_type, item).process(bars)
    data.sort(key=lambda event: event.ts_init)

    class Model(Strategy):
        def on_start(self):
            self.seen, self.index, self.memory = 0, 0, {}
            self.latest = np.zeros(names)
            self.places = {}
            for number, item in enumerate(instruments):
                bar_type = BarType.from_str(f"{item.id}-1-MINUTE-LAST-EXTERNAL")
                self.places[bar_type] = number
                self.subscribe_bars(bar_type)

        def on_bar(self, bar):
            self.latest[self.places[bar.bar_type]] = bar.close.as_double()
            self.seen += 1
            if self.seen == names:
                decide(self, self.index, instruments)
                self.seen, self.index = 0, self.index + 1

    def engine():
        built = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
        built.add_venue(
            venue,
            OmsType.NETTING,
            AccountType.MARGIN,
            [Money(works.CASH, USDT)],
            base_currency=USDT,
            latency_model=LatencyModel(base_latency_nanos=2),
            bar_execution=False,
        )
        for item in instruments:
            built.add_instrument(item)
        built.add_data(data, sort=False)
        built.add_strategy(Model(StrategyConfig(strategy_id="M-1")))
        return built

    def run(built):
        built.run()
        return built

    def outcome(built):
        filled = sum(order.is_closed and order.filled_qty > 0 for order in built.cache.orders())
        account = built.portfolio.account(venue).balance_total(USDT).as_double()
        return filled, account

    return engine, run, outcome


def nautilus_w1(series):
    """The cross with nautilus' own averages. Each order is for one unit: its money does not span the nine orders of
    magnitude that costs take from the equity of the others; the number of orders and fills is the same."""
    from nautilus_trader.indicators import SimpleMovingAverage
    from nautilus_trader.model.enums import OrderSide

    opens, highs, lows, closes, _ = series

    def decide(strategy, index, instruments):
        state = strategy.memory
        if not state:
            fast, slow = SimpleMovingAverage(works.FAST), SimpleMovingAverage(works.SLOW)
            state.update(fast=fast, slow=slow, invested=False)
        state["fast"].update_raw(strategy.latest[0])
        state["slow"].update_raw(strategy.latest[0])
        if index + 1 < works.SLOW:
            return
        above = state["fast"].value > state["slow"].value
        if above != state["invested"]:
            state["invested"] = above
            item = instruments[0]
            side = OrderSide.BUY if above else OrderSide.SELL
            strategy.submit_order(strategy.order_factory.market(item.id, side, item.make_qty(1)))

    return nautilus(1, decide, works.W1_BARS, [values[:, None] for values in (opens, highs, lows, closes)])


def nautilus_w3(series):
    """Targets are parts of the equity at the close, because the next opens are not known to the strategy."""
    from nautilus_trader.model.currencies import USDT
    from nautilus_trader.model.enums import OrderSide
    from nautilus_trader.model.identifiers import Venue

    opens, closes = series
    highs, lows = np.maximum(opens, closes), np.minimum(opens, closes)
    days = set(works.w3_decision_days().tolist())

    def decide(strategy, index, instruments):
        state = strategy.memory
        if not state:
            state.update(history=np.zeros((works.W3_DAYS, works.W3_NAMES)), units=np.zeros(works.W3_NAMES), cost=0.0)
        state["history"][index] = strategy.latest
        if index not in days:
            return
        prices, units = strategy.latest, state["units"]
        equity = strategy.portfolio.account(Venue("SIM")).balance_total(USDT).as_double()
        for pnl in strategy.portfolio.unrealized_pnls(Venue("SIM")).values():
            equity += pnl.as_double()
        targets = np.zeros(works.W3_NAMES)
        targets[works.w3_chosen(state["history"], index)] = equity / works.HELD / 1.001
        wanted = np.round(targets / prices, 6)
        for place in np.flatnonzero(wanted != units):
            item, change = instruments[place], wanted[place] - units[place]
            side = OrderSide.BUY if change > 0 else OrderSide.SELL
            strategy.submit_order(strategy.order_factory.market(item.id, side, item.make_qty(abs(change))))
        state["units"] = wanted

    return nautilus(works.W3_NAMES, decide, works.W3_DAYS, [opens, highs, lows, closes])
