//! `sextant data universe`.

use std::process::ExitCode;

use anyhow::bail;
use sextant_data::{CoarseUniverse, Member, UniverseBuilder, UniverseFilter};

use super::actions::open;
use super::select::counted;
use super::tickers::mapper;
use crate::args::UniverseArgs;
use crate::out::say;
use crate::table::table;

/// Lists the names of a day, from snapshots or from listings.
pub(super) fn run(args: &UniverseArgs) -> anyhow::Result<ExitCode> {
    let class = args.asset_class;
    let Some(file) = &args.coarse else {
        if args.listings.maps.is_none() && args.listings.listings.is_none() {
            bail!(
                "say where the names of {class} are listed: --maps, --listings, or --coarse for daily snapshots"
            );
        }
        let universe = UniverseBuilder::new().with_listings(&mapper(args.asset_class, &args.listings)?)?;
        let members = universe.universe(args.date, class)?;
        say!("{}", table(&["ticker", "security"], members.iter().map(names)));
        say!("{} of {class} on {}", counted(members.len(), "name"), args.date);
        return Ok(ExitCode::SUCCESS);
    };
    let snapshots = CoarseUniverse::read(&file.display().to_string(), open(file)?)?;
    let (doubtful, repeated) = (snapshots.ambiguities().len(), snapshots.identical_duplicates());
    let universe = UniverseBuilder::new().with_coarse(class, snapshots, args.filter.max_age_days)?;
    let filter = UniverseFilter {
        min_price: args.filter.min_price,
        min_dollar_volume: args.filter.min_dollar_volume,
        top_by_dollar_volume: args.filter.top,
    };
    let members = universe.filtered(args.date, class, &filter)?;
    let headings = [
        "ticker",
        "security",
        "#close",
        "#volume",
        "#dollar volume",
        "known on",
    ];
    say!("{}", table(&headings, members.iter().map(liquid)));
    say!(
        "{} of {class} on {}, by its close",
        counted(members.len(), "name"),
        args.date
    );
    if doubtful > 0 || repeated > 0 {
        say!(
            "in the whole file {} repeated; {doubtful} times a security has two tickers on a day, or a ticker two securities",
            counted(usize::try_from(repeated).unwrap_or(usize::MAX), "row")
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn names(member: &Member) -> Vec<String> {
    vec![member.ticker.clone(), member.security.to_string()]
}

fn liquid(member: &Member) -> Vec<String> {
    let mut row = names(member);
    let figures = member.liquidity.map(|figures| {
        let volume = figures.volume;
        [
            format!("{}", figures.close),
            format!("{volume:.0}"),
            format!("{:.0}", figures.dollar_volume),
        ]
    });
    row.extend(figures.unwrap_or_default());
    row.push(member.known_on.to_string());
    row
}
