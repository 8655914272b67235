//! The commands on market data.

use std::path::PathBuf;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveTime};
use clap::{Args, Subcommand, ValueEnum, value_parser};
use sextant_domain::{AssetClass, Timeframe};

use super::{ConfigArgs, DownloadArgs, QueryArgs, UpdateArgs};

/// Commands on market data.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Download bars or macro tables of a span from a provider
    Download(DownloadArgs),
    /// Fetch what is missing of data that were downloaded: what came since, and gaps
    Update(UpdateArgs),
    /// Import bars from CSV files or a Qlib folder into the Parquet lake
    Import(ImportArgs),
    /// Write bars of the lake as a folder in Qlib's format
    Export(ExportArgs),
    /// Make coarser bars from finer ones, such as 4H from 1H
    Resample(ResampleArgs),
    /// Check stored bars against every data rule; fails when a rule of severity error is broken
    Validate(ValidateArgs),
    /// List what is stored: symbol, timeframe, span, rows, gaps, source, digest
    Status(SelectArgs),
    /// Show the bars of one symbol and timeframe
    Show(ShowArgs),
    /// Run one SELECT over everything stored: bars and macro tables as SQL views
    Query(QueryArgs),
    /// Say which bars of two files or two lakes differ; fails when any do
    Diff(DiffArgs),
    /// Adjust stored bars for splits and dividends; what was traded stays beside them
    Adjust(AdjustArgs),
    /// List the cash that a holder of one share was paid
    Dividends(DividendsArgs),
    /// Join the bars that one security left under several tickers
    Stitch(StitchArgs),
    /// Say which security a ticker stood for on a day, and every ticker it had
    Resolve(ResolveArgs),
    /// List what could be traded on a day, names that were delisted later included
    Universe(UniverseArgs),
    /// Create the embedded synthetic market
    Synthesize(ConfigArgs),
}

/// Where the data are.
#[derive(Debug, Clone, Args)]
pub struct DataRootArgs {
    /// The Parquet lake
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
}

/// Which bars of the lake.
#[derive(Debug, Clone, Args)]
pub struct SelectArgs {
    #[command(flatten)]
    /// The lake.
    pub root: DataRootArgs,
    #[command(flatten)]
    /// Which bars.
    pub filter: FilterArgs,
}

/// Which bars; all when nothing is given.
#[derive(Debug, Clone, Default, Args)]
pub struct FilterArgs {
    /// Only these symbols
    #[arg(long, num_args = 1.., value_name = "SYMBOL")]
    pub symbols: Vec<String>,
    /// Only this class: equity, crypto or fx
    #[arg(long)]
    pub asset_class: Option<AssetClass>,
    /// Only these timeframes: 1M, 5M, 15M, 30M, 1H, 4H or 1D
    #[arg(long, num_args = 1.., value_name = "TIMEFRAME")]
    pub timeframes: Vec<Timeframe>,
}

/// The bars of one symbol, chosen by options.
#[derive(Debug, Clone, Args)]
pub struct SeriesArgs {
    #[command(flatten)]
    /// The lake.
    pub root: DataRootArgs,
    /// The symbol
    #[arg(long)]
    pub symbol: String,
    /// The timeframe
    #[arg(long, default_value = "1D")]
    pub timeframe: Timeframe,
    /// equity, crypto or fx; needed only where the lake has the symbol in several classes
    #[arg(long)]
    pub asset_class: Option<AssetClass>,
}

/// Arguments of `data import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(flatten)]
    /// The lake.
    pub root: DataRootArgs,
    /// A CSV or CSV.gz file, or, with --manifest, the folder its files are relative to
    #[arg(long, required_unless_present = "qlib")]
    pub from: Option<PathBuf>,
    /// A YAML list of files to import at once
    #[arg(long, conflicts_with_all = ["symbol", "asset_class", "timeframe", "factors", "macro_name"])]
    pub manifest: Option<PathBuf>,
    /// Import a macro file under this name instead of bars; --series says what is in it
    #[arg(long = "macro", value_name = "NAME", requires = "series", conflicts_with_all = ["symbol", "asset_class", "timeframe", "factors", "quarantine"])]
    pub macro_name: Option<String>,
    /// A series of a macro file: `vix=close`, or a difference: `yield_curve_10y_3m=10year - 3month`; may be repeated
    #[arg(long, value_name = "SERIES=COLUMN", requires = "macro_name")]
    pub series: Vec<String>,
    /// How many days after the date of its row a macro value was published, at 18:00 in New York; 31 or more for a survey of a month that is dated its first day
    #[arg(long, value_name = "DAYS", default_value_t = 0, value_parser = value_parser!(u16).range(0..=3660), requires = "macro_name")]
    pub delay_days: u16,
    /// The symbol to store the bars under
    #[arg(long, required_unless_present_any = ["manifest", "macro_name", "qlib"])]
    pub symbol: Option<String>,
    /// equity, crypto or fx
    #[arg(long, required_unless_present_any = ["manifest", "macro_name"])]
    pub asset_class: Option<AssetClass>,
    /// The timeframe of the file: 1M, 5M, 15M, 30M, 1H, 4H or 1D
    #[arg(long, required_unless_present_any = ["manifest", "macro_name", "qlib"])]
    pub timeframe: Option<Timeframe>,
    /// A file of adjustment factors: date,price_factor,split_factor,reference_close
    #[arg(long)]
    pub factors: Option<PathBuf>,
    /// Put bad rows into a quarantine file beside the bars instead of refusing the import
    #[arg(long)]
    pub quarantine: bool,
    #[command(flatten)]
    /// For Qlib folders.
    pub qlib: QlibArgs,
}

/// What `data import` needs to know of a Qlib folder.
#[derive(Debug, Args)]
pub struct QlibArgs {
    /// A folder in Qlib's format (calendars, instruments, features) to import instead of CSV files
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["from", "manifest", "macro_name", "symbol", "timeframe", "factors"])]
    pub qlib: Option<PathBuf>,
    /// Symbols of the Qlib folder; all when left out
    #[arg(long, num_args = 1.., value_name = "SYMBOL", conflicts_with = "from")]
    pub symbols: Vec<String>,
    /// Timeframes of the Qlib folder: 1D, 5M or 1M; all it has when left out
    #[arg(long, num_args = 1.., value_name = "TIMEFRAME", conflicts_with = "from")]
    pub timeframes: Vec<Timeframe>,
    /// The same hours on every day of the folder's calendar, such as 09:30-15:00+08:00, instead of those of the class
    #[arg(long, value_name = "HOURS", conflicts_with = "from")]
    pub hours: Option<TradingHours>,
    /// What the times of minute bars in the folder are
    #[arg(long, value_enum, default_value_t, conflicts_with = "from")]
    pub stamps: Stamps,
}

/// What the times of rows are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Stamps {
    /// The begin of a bar.
    #[default]
    Open,
    /// The end of a bar.
    End,
}

/// Hours of trading on a clock without summer time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradingHours {
    /// When trading begins, local time.
    pub open: NaiveTime,
    /// When it ends.
    pub close: NaiveTime,
    /// Local time minus UTC.
    pub utc_offset_minutes: i32,
}

impl FromStr for TradingHours {
    type Err = String;

    /// Reads `09:30-15:00+08:00`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused =
            || format!("`{text}` is not understood: write 09:30-15:00+08:00, open, close and offset");
        let clock = |from: usize| {
            let text = text.get(from..from + 5)?;
            NaiveTime::parse_from_str(text, "%H:%M").ok()
        };
        let read = || {
            let sign = match (text.len(), text.get(5..6)?, text.get(11..12)?) {
                (17, "-", "+") => 1,
                (17, "-", "-") => -1,
                _ => return None,
            };
            let offset = clock(12)?.signed_duration_since(NaiveTime::MIN).num_minutes();
            Some(Self {
                open: clock(0)?,
                close: clock(6)?,
                utc_offset_minutes: sign * i32::try_from(offset).ok()?,
            })
        };
        read().ok_or_else(refused)
    }
}

/// Arguments of `data export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    /// Which bars.
    pub select: SelectArgs,
    /// The folder to write; nothing may be there yet
    #[arg(long, value_name = "FOLDER")]
    pub qlib: PathBuf,
}

/// Arguments of `data resample`.
#[derive(Debug, Args)]
pub struct ResampleArgs {
    #[command(flatten)]
    /// The lake.
    pub root: DataRootArgs,
    /// The symbol
    #[arg(long)]
    pub symbol: String,
    /// equity, crypto or fx
    #[arg(long)]
    pub asset_class: AssetClass,
    /// The finer timeframe, already stored
    #[arg(long)]
    pub from: Timeframe,
    /// The coarser timeframe to make
    #[arg(long)]
    pub to: Timeframe,
}

/// Arguments of `data validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    /// Which bars.
    pub select: SelectArgs,
    #[command(flatten)]
    /// Which securities tickers stood for, to find bars of several under one; needed only for that.
    pub listings: ListingArgs,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `data show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    /// The lake.
    pub root: DataRootArgs,
    /// The symbol
    pub symbol: String,
    /// The timeframe: 1M, 5M, 15M, 30M, 1H, 4H or 1D
    pub timeframe: Timeframe,
    /// equity, crypto or fx; needed only where the lake has the symbol in several classes
    #[arg(long)]
    pub asset_class: Option<AssetClass>,
    /// The last bars; 20 of them when nothing else is chosen
    #[arg(long, value_name = "COUNT", conflicts_with = "head")]
    pub tail: Option<usize>,
    /// The first bars
    #[arg(long, value_name = "COUNT")]
    pub head: Option<usize>,
    /// Only bars of this day and later
    #[arg(long, value_name = "DATE")]
    pub from: Option<NaiveDate>,
    /// Only bars of this day and earlier
    #[arg(long, value_name = "DATE")]
    pub to: Option<NaiveDate>,
    /// What was traded, where the bars are adjusted
    #[arg(long)]
    pub raw: bool,
}

/// Arguments of `data diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A lake, or one of its files with bars: a Parquet file, or the JSON index of bars that are partitioned by month
    pub a: PathBuf,
    /// Another one
    pub b: PathBuf,
    #[command(flatten)]
    /// Which bars of the lakes.
    pub filter: FilterArgs,
    /// How many places to print of each series
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub limit: usize,
}

/// What happened to a share.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct ActionArgs {
    /// A Lean factor file: date,price_factor,split_factor,reference_close
    #[arg(long, value_name = "FILE")]
    pub factors: Option<PathBuf>,
    /// A list of events: ex_date,kind,value,reference_close, where kind is split or dividend
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
}

/// Arguments of `data adjust`.
#[derive(Debug, Args)]
pub struct AdjustArgs {
    #[command(flatten)]
    /// The bars.
    pub series: SeriesArgs,
    #[command(flatten)]
    /// What to adjust for.
    pub actions: ActionArgs,
    /// Only what was known on this day: bars and events after it are left out; needs --into
    #[arg(long, value_name = "DATE", requires = "into")]
    pub as_of: Option<NaiveDate>,
    /// Adjust for splits and not for dividends
    #[arg(long)]
    pub splits_only: bool,
    /// Store under another symbol instead of beside the raw bars
    #[arg(long, value_name = "SYMBOL")]
    pub into: Option<String>,
}

/// Arguments of `data dividends`.
#[derive(Debug, Args)]
pub struct DividendsArgs {
    #[command(flatten)]
    /// The bars, whose closes stand beside the amounts.
    pub series: SeriesArgs,
    #[command(flatten)]
    /// Where the dividends stand.
    pub actions: ActionArgs,
    /// The first ex-date; that of the first bar when left out
    #[arg(long, value_name = "DATE")]
    pub from: Option<NaiveDate>,
    /// The last ex-date; that of the last bar when left out
    #[arg(long, value_name = "DATE")]
    pub to: Option<NaiveDate>,
}

/// Where securities and their tickers are listed.
#[derive(Debug, Default, Args)]
pub struct ListingArgs {
    /// A folder of Lean map files, one per security: last_date,ticker and, where it is known, the exchange
    #[arg(long, value_name = "FOLDER")]
    pub maps: Option<PathBuf>,
    /// A list of securities: security,ticker,first_date,last_date,delisted
    #[arg(long, value_name = "FILE")]
    pub listings: Option<PathBuf>,
    /// A list of renames instead of the built-in one: date,asset_class,old,new,new_per_old
    #[arg(long, value_name = "FILE")]
    pub renames: Option<PathBuf>,
}

/// Arguments of `data stitch`.
#[derive(Debug, Args)]
pub struct StitchArgs {
    #[command(flatten)]
    /// The lake.
    pub root: DataRootArgs,
    /// The class of the securities: equity, crypto or fx
    #[arg(long, default_value = "equity")]
    pub asset_class: AssetClass,
    #[command(flatten)]
    /// The tickers of the security.
    pub listings: ListingArgs,
    /// The security, by the id that `data resolve` prints: its newest ticker
    #[arg(long)]
    pub symbol: String,
    /// The timeframe
    #[arg(long, default_value = "1D")]
    pub timeframe: Timeframe,
    /// The symbol to store the joined bars under
    #[arg(long, value_name = "SYMBOL")]
    pub into: String,
}

/// Arguments of `data resolve`.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// The ticker
    pub ticker: String,
    /// The day
    pub date: NaiveDate,
    /// The class of the securities: equity, crypto or fx
    #[arg(long, default_value = "equity")]
    pub asset_class: AssetClass,
    #[command(flatten)]
    /// Where tickers are listed.
    pub listings: ListingArgs,
}

/// Arguments of `data universe`.
#[derive(Debug, Args)]
pub struct UniverseArgs {
    /// The day
    #[arg(long)]
    pub date: NaiveDate,
    /// The class of the securities: equity, crypto or fx
    #[arg(long, default_value = "equity")]
    pub asset_class: AssetClass,
    #[command(flatten)]
    /// Where securities are listed.
    pub listings: ListingArgs,
    /// Daily snapshots of a market: date,security_id,symbol,close,volume,dollar_volume
    #[arg(long, value_name = "FILE", conflicts_with_all = ["maps", "listings", "renames"])]
    pub coarse: Option<PathBuf>,
    #[command(flatten)]
    /// Which names of the snapshot.
    pub filter: CoarseArgs,
}

/// Which names of a snapshot.
#[derive(Debug, Args)]
pub struct CoarseArgs {
    /// Only so many, those with the highest dollar volume
    #[arg(long, value_name = "COUNT", requires = "coarse", conflicts_with_all = ["maps", "listings"])]
    pub top: Option<usize>,
    /// Only names with at least this close
    #[arg(long, value_name = "PRICE", requires = "coarse", conflicts_with_all = ["maps", "listings"])]
    pub min_price: Option<f64>,
    /// Only names with at least this dollar volume
    #[arg(long, value_name = "AMOUNT", requires = "coarse", conflicts_with_all = ["maps", "listings"])]
    pub min_dollar_volume: Option<f64>,
    /// How much older than the day the snapshot may be
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    pub max_age_days: u32,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn trading_hours_are_read() {
        let hours: TradingHours = "09:30-15:00+08:00".parse().unwrap();
        assert_eq!(hours.utc_offset_minutes, 480);
        assert_eq!(hours.open, NaiveTime::from_hms_opt(9, 30, 0).unwrap());
        assert_eq!(hours.close, NaiveTime::from_hms_opt(15, 0, 0).unwrap());
        let west: TradingHours = "09:30-16:00-05:30".parse().unwrap();
        assert_eq!(west.utc_offset_minutes, -330);
        for text in [
            "",
            "9:30-15:00",
            "09:30-15:00",
            "09:30-25:00+08:00",
            "09:30-15:00 08:00",
            "09:30–15:00+08:0",
        ] {
            let message = text.parse::<TradingHours>().unwrap_err();
            assert!(message.contains("09:30-15:00+08:00"), "{message}");
        }
    }
}
