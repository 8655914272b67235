//! What the figures of a run take for granted, for the manifest and the report.

use sextant_domain::AssetClass;
use sextant_store::Assumption;

use crate::compose::{LoadedMarket, renames_in_words};
use crate::config::{
    BorrowConfig, BorrowRateConfig, ClassCosts, ConventionConfig, DelistingConfig, EngineConfig, FeeConfig,
    FundingConfig, InterestConfig, IntrabarConfig, MarginCallConfig, MissingBorrowConfig,
    MissingFundingConfig, PricesConfig, ResolvedConfig, SettlementConfig, SlippageConfig, SystemConfig,
};

/// Keys and sentences, in the order of the report.
#[derive(Default)]
struct List {
    list: Vec<Assumption>,
}

impl List {
    fn add(&mut self, key: &str, text: impl Into<String>) {
        self.list.push(Assumption {
            key: key.to_owned(),
            text: text.into(),
        });
    }
}

/// Every assumption of a run.
pub(crate) fn assumptions(config: &ResolvedConfig, market: &LoadedMarket) -> Vec<Assumption> {
    let system = &config.system;
    let mut list = List::default();
    if market.inputs.iter().any(|input| input.synthetic) {
        list.add(
            "synthetic_data",
            "Bars are synthetic: generated from a seed. Nothing here speaks of any market.",
        );
    }
    if system.engine == EngineConfig::Vectorised {
        list.add(
            "engine",
            "Computed by columns; every fill was posted to the ledger of the event engine as well, and equity agreed at \
             every step.",
        );
    }
    fills(system, &mut list);
    costs(system, &mut list);
    account(system, &mut list);
    shares(system, &mut list);
    contracts(system, &mut list);
    list.add(
        "survivorship",
        "The universe is the configured list; it was chosen knowing what still exists.",
    );
    list.add(
        "sleeves",
        "A model's figures are those of its base budget of portfolio equity; money that moves in or out of it as the \
         portfolio grows or shrinks is no return.",
    );
    for rename in system.universe.iter().flat_map(renames_in_words) {
        list.add("rename", rename);
    }
    for join in &market.joins {
        list.add("rename", join.clone());
    }
    for end in &market.ends {
        list.add("data_ends", end.clone());
    }
    for gap in &market.gaps {
        list.add("data_gaps", gap.clone());
    }
    for name in &market.missing_macros {
        list.add(
            "missing_macro",
            format!("The macro series {name} is not there; regimes that need it are `unknown`."),
        );
    }
    list.list
}

fn fills(system: &SystemConfig, list: &mut List) {
    let fills = match system.fills.convention {
        ConventionConfig::NextOpen => "Market orders fill at the open of the next execution bar.",
        ConventionConfig::SameClose => {
            "Market orders fill at the very close they were decided on: optimistic."
        }
        ConventionConfig::NextClose => "Market orders fill at the close of the next execution bar.",
        ConventionConfig::NextTypical => {
            "Market orders fill at the mean of high, low and close of the next execution bar."
        }
    };
    let volume = match system.fills.participation {
        Some(part) => format!("All orders of an instrument together trade at most {part} of a bar's volume."),
        None => "There is no volume limit beside those of the slippage.".to_owned(),
    };
    let latency = match system.fills.latency_bars {
        0 => String::new(),
        bars => format!(" Orders reach the market {bars} execution bars later than they could."),
    };
    list.add(
        "fill_convention",
        format!("{fills} Bars are those of a market without these orders. {volume}{latency}"),
    );
    let intrabar = match system.fills.intrabar {
        IntrabarConfig::Pessimistic => {
            "of a stop and a limit that a bar reaches, the stop counts (pessimistic bound)"
        }
        IntrabarConfig::Optimistic => {
            "of a stop and a limit that a bar reaches, the limit counts (optimistic bound)"
        }
        IntrabarConfig::HighFirst => "prices go from the open to the high, the low and the close",
        IntrabarConfig::LowFirst => "prices go from the open to the low, the high and the close",
        IntrabarConfig::NearestFirst => {
            "prices go from the open to the nearer extreme, the other one and the close"
        }
    };
    list.add("intrabar_rule", format!("Inside a bar, {intrabar}."));
}

/// Other currencies, daily settlement and margin, where there are any.
fn contracts(system: &SystemConfig, list: &mut List) {
    let account = system.capital.currency;
    let mut foreign: Vec<_> = system.universe.iter().filter_map(|one| one.currency).collect();
    foreign.retain(|currency| *currency != account);
    foreign.sort();
    foreign.dedup();
    if !foreign.is_empty() {
        let codes: Vec<&str> = foreign.iter().map(|currency| currency.code()).collect();
        list.add(
            "currencies",
            format!(
                "Trades in {} leave balances in those currencies, which count in {account} at the last closes of the currency \
                 pairs; nothing is exchanged and no exchange is charged. Figures of round trips and costs count at the last \
                 rates of the run.",
                codes.join(", ")
            ),
        );
    }
    if system
        .universe
        .iter()
        .any(|one| one.settlement == SettlementConfig::Daily)
    {
        list.add(
            "daily_settlement",
            "Futures are settled at the last close before each daily mark; contracts do not expire and are not rolled.",
        );
    }
    if let Some(rule) = system
        .account
        .margin_call
        .filter(|_| system.universe.iter().any(|one| one.margin.is_some()))
    {
        let rule = match rule {
            MarginCallConfig::CloseAll => "closes every position that needs margin",
            MarginCallConfig::ReduceToInitial => {
                "cuts the positions that need margin until equity covers initial margin"
            }
        };
        list.add(
            "margin",
            format!("Equity below maintenance margin at a close {rule}, with the next fills; nothing is called within a bar."),
        );
    }
}

fn costs(system: &SystemConfig, list: &mut List) {
    for class in AssetClass::ALL {
        let is_traded = system.universe.iter().any(|one| one.class == class);
        if let Some(costs) = system.costs.of(class).filter(|_| is_traded) {
            list.add(&format!("costs_{class}"), costs_in_words(costs));
        }
    }
    let mut missing = Vec::new();
    if !system.has_impact() {
        missing.push("market impact, in at least one class of the universe");
    }
    missing.push("taxes");
    let missing = missing.join(", and ");
    list.add("not_simulated", format!("Not simulated: {missing}."));
}

fn costs_in_words(costs: &ClassCosts) -> String {
    let fees = match &costs.fees {
        FeeConfig::Bps(bps) => format!("{bps} bp commission per side"),
        FeeConfig::PerShare {
            per_share,
            minimum,
            maximum_fraction_of_value,
        } => format!(
            "commission of {per_share} a share, at least {minimum} and at most {maximum_fraction_of_value} of the value \
             of each fill"
        ),
        FeeConfig::MakerTaker { tiers } => format!(
            "commission by maker and taker in {} tiers of the value traded on the 30 days before, from {} and {} bp on; the \
             account traded nothing before the run",
            tiers.len(),
            tiers.first().map_or(0.0, |tier| tier.maker_bps),
            tiers.first().map_or(0.0, |tier| tier.taker_bps)
        ),
    };
    let slippage: Vec<String> = costs.slippage.iter().map(slippage_in_words).collect();
    format!("{fees}; slippage: {}.", slippage.join(", and "))
}

fn slippage_in_words(part: &SlippageConfig) -> String {
    match part {
        SlippageConfig::Bps(bps) => format!("{bps} bp per side at any size and time"),
        SlippageConfig::Spread { half_spread_bps, .. } => {
            format!("half a spread of {half_spread_bps} bp, the same at all times")
        }
        SlippageConfig::VolumeShare {
            price_impact,
            volume_limit,
        } => format!(
            "{price_impact} x the square of the share of the bar's volume, of which at most {volume_limit} trades"
        ),
        SlippageConfig::SquareRootImpact {
            coefficient,
            window_bars,
            without_history_bps,
        } => format!(
            "impact of {coefficient} x volatility x root of quantity over mean volume of {window_bars} bars, \
             {without_history_bps} bp where those cannot be told; it is gone with the next bar"
        ),
    }
}

fn account(system: &SystemConfig, list: &mut List) {
    let account = &system.account;
    list.add("borrow", borrow_in_words(&account.borrow));
    list.add("funding", funding_in_words(&account.funding));
    list.add(
        "margin_interest",
        match account.margin_interest {
            InterestConfig::LeftOut => "Left out: borrowed cash costs nothing.".to_owned(),
            InterestConfig::Annual(rate) => format!("Borrowed cash costs {rate} a year, actual/360."),
        },
    );
    list.add(
        "cash",
        match account.cash_interest {
            InterestConfig::LeftOut => "Cash earns no interest.".to_owned(),
            InterestConfig::Annual(rate) => {
                format!("Cash earns {rate} a year, actual/360; the proceeds of short sales earn nothing.")
            }
        },
    );
}

fn borrow_in_words(borrow: &BorrowConfig) -> String {
    let BorrowConfig::Rates {
        by_class,
        by_symbol,
        otherwise,
    } = borrow
    else {
        return "Left out: short positions borrow for nothing.".to_owned();
    };
    let rate = |name: &str, rate: BorrowRateConfig| match rate {
        BorrowRateConfig::NotLent => format!("{name} is not lent"),
        BorrowRateConfig::Annual(annual) => format!("{name} {annual} a year"),
    };
    let classes = AssetClass::ALL
        .into_iter()
        .filter_map(|class| Some(rate(class.name(), by_class.of(class)?)));
    let symbols = by_symbol.iter().map(|(symbol, own)| rate(symbol, *own));
    let otherwise = match otherwise {
        MissingBorrowConfig::Stop => "a short position in anything else stops the run".to_owned(),
        MissingBorrowConfig::Annual(annual) => format!("anything else {annual} a year, an estimate"),
    };
    let all: Vec<String> = classes.chain(symbols).chain([otherwise]).collect();
    format!("Of the market value of net short positions: {}.", all.join(", "))
}

fn funding_in_words(funding: &FundingConfig) -> String {
    let (by_symbol, interval_hours, missing) = match funding {
        FundingConfig::NoPerpetuals => return "The universe holds no perpetual futures.".to_owned(),
        FundingConfig::LeftOut => {
            return "Left out: perpetual futures pay and receive no funding.".to_owned();
        }
        FundingConfig::Rates {
            by_symbol,
            interval_hours,
            missing,
        } => (by_symbol, interval_hours, missing),
    };
    let missing = match missing {
        MissingFundingConfig::Stop => "a missing rate stops the run".to_owned(),
        MissingFundingConfig::Pays(rate) => {
            format!("where a rate is missing the account pays {rate}, long or short: an estimate")
        }
    };
    let symbols: Vec<&str> = by_symbol.keys().map(String::as_str).collect();
    format!(
        "Of {} every {interval_hours} hours; {missing}.",
        symbols.join(", ")
    )
}

fn shares(system: &SystemConfig, list: &mut List) {
    let on = |prices: PricesConfig| {
        let of = system.universe.iter().filter(move |one| one.prices == prices);
        of.map(|one| one.symbol.as_str()).collect::<Vec<_>>()
    };
    if !on(PricesConfig::Adjusted).is_empty() {
        list.add(
            "dividends",
            "Where prices are adjusted, dividends are reinvested in the adjustment; see the data table.",
        );
    }
    let read_by_models = [
        (
            PricesConfig::Raw,
            "models read the raw prices too, so that a split is a jump to them",
        ),
        (
            PricesConfig::RawExecution,
            "models read adjusted prices in all timeframes but that of the execution bars",
        ),
    ];
    for (prices, what_models_read) in read_by_models {
        let raw = on(prices);
        if !raw.is_empty() {
            list.add(
                "raw_prices",
                format!(
                    "{} on raw prices: dividends are paid in cash on the ex-date without tax, shares are multiplied at splits; \
                     {what_models_read}.",
                    raw.join(", ")
                ),
            );
        }
    }
    for one in &system.universe {
        let Some(delisting) = one.delisted else {
            continue;
        };
        let worth = match delisting {
            DelistingConfig::LastClose => "its last close".to_owned(),
            DelistingConfig::PartOfLastClose(part) => format!("{part} of its last close"),
            DelistingConfig::Price(price) => format!("{price}"),
        };
        list.add(
            "delisting",
            format!(
                "{} is delisted after its last bar; a position is closed at {worth}.",
                one.symbol
            ),
        );
    }
}
