//! Whatever an answer says, reading it ends in sound rows or in an error.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use proptest::sample::Index;
use sextant_domain::{AssetClass, Timeframe};

use crate::fault::Fault;
use crate::http::{Answer, Finality};
use crate::pages::{BarPages, Page};
use crate::support::{request, settings, window};
use crate::{
    Alpaca, AlpacaKeys, Binance, Kraken, Yahoo, alpaca, binance, cboe, fred, kraken, treasury, yahoo,
};

const ALPACA: &str = r#"{"bars":[{"t":"2025-06-02T13:30:00Z","o":10,"h":11.0,"l":9.5,"c":10,"v":100,"n":7,"vw":10.1},
    {"t":"2025-06-02T13:35:00Z","o":12.5,"h":13.5,"l":12.0,"c":12.5,"v":100}],"next_page_token":"abc","symbol":"X"}"#;
const YAHOO: &str = r#"{"chart":{"error":null,"result":[{"meta":{"symbol":"X","exchangeTimezoneName":"America/New_York",
    "gmtoffset":-14400,"dataGranularity":"5m"},"timestamp":[1748871000,1748871300],"indicators":{"quote":[{"open":[10,null],
    "high":[11,null],"low":[9.5,null],"close":[10,null],"volume":[100,0]}]}}]}}"#;
const BINANCE: &str = r#"[[1748871000000,"10.0","11.0","9.5","10.0","1.5",1748871299999,"15.0",7,"1.0","10.0","0"],
    [1748871300000,"10.0","11.0","9.5","10.0","1.5",1748871599999,"15.0",7,"1.0","10.0","0"]]"#;
const KRAKEN: &str = r#"{"error":[],"result":{"XX":[[1748871000,"10.0","11.0","9.5","10.0","10.1","1.5",42],
    [1748871300,"10.0","11.0","9.5","10.0","10.1","1.5",42]],"last":1748871000}}"#;
const TREASURY: &str = "Date,\"3 Mo\",\"2 Yr\",\"10 Yr\"\n01/03/2024,5.25,4.25,4.0\n01/02/2024,5.5,,N/A\n";
const CBOE: &str =
    "DATE,OPEN,HIGH,LOW,CLOSE\n01/02/1990,17.24,17.24,17.24,17.24\n01/03/1990,18.1,18.1,18.1,18.1\n";
const FRED: &str = "observation_date,GACDFSA066MSFRBPHI\n2024-01-01,-10.5\n2024-02-01,.\n2024-03-01,5\n";

const PIECES: [&str; 16] = [
    "null",
    "\"\"",
    "\"x\"",
    "-1",
    "1e308",
    "1e999",
    "9223372036854775807",
    "-9223372036854775808",
    "[]",
    "{}",
    ",",
    "\n",
    "\"NaN\"",
    "\u{feff}",
    "é",
    "\"\\u0000",
];

/// A change of a body: at a place, so many bytes give way to a piece or to one byte.
#[derive(Debug, Clone)]
struct Edit {
    at: Index,
    removed: usize,
    piece: Result<Index, u8>,
}

fn edit() -> impl Strategy<Value = Edit> {
    let piece = prop_oneof![any::<Index>().prop_map(Ok), any::<u8>().prop_map(Err)];
    (any::<Index>(), prop_oneof![0_usize..4, 0_usize..80], piece).prop_map(|(at, removed, piece)| Edit {
        at,
        removed,
        piece,
    })
}

fn edited(body: &str, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = body.as_bytes().to_vec();
    for Edit { at, removed, piece } in edits {
        let start = at.index(bytes.len() + 1);
        let end = (start + removed).min(bytes.len());
        let new = match piece {
            Ok(piece) => piece.get(&PIECES).as_bytes().to_vec(),
            Err(byte) => vec![*byte],
        };
        bytes.splice(start..end, new);
    }
    bytes
}

fn read_bars(pages: &impl BarPages, status: u16, body: Vec<u8>) -> Result<Page, Fault> {
    // The first row of each body has this time, which Kraken's client looks for.
    let read = pages.read(
        &window("2025-06-02T13:30:00Z", "2025-06-03"),
        &Answer { status, body },
    );
    if let Ok(page) = &read {
        let values = page
            .rows
            .iter()
            .flat_map(|row| [row.open, row.high, row.low, row.close, row.volume]);
        assert!(values.into_iter().all(f64::is_finite));
    }
    read
}

fn with_each_client(
    status: u16,
    change: impl Fn(&str) -> Vec<u8>,
    mut check: impl FnMut(Result<Page, Fault>),
) {
    let wanted = |class| request(class, "X", Timeframe::M5, ["2025-06-02", "2025-06-03"]);
    let (equity, crypto) = (wanted(AssetClass::Equity), wanted(AssetClass::Crypto));
    let keys = AlpacaKeys {
        key_id: "i".to_owned(),
        secret_key: "s".to_owned(),
    };
    let alpaca = Alpaca::new(&settings(), keys);
    check(read_bars(
        &alpaca::Bars::new(&alpaca, &equity).unwrap(),
        status,
        change(ALPACA),
    ));
    let yahoo = Yahoo::new(&settings());
    check(read_bars(
        &yahoo::Bars::new(&yahoo.party, &equity).unwrap(),
        status,
        change(YAHOO),
    ));
    let binance = Binance::new(&settings());
    check(read_bars(
        &binance::Bars::new(&binance.party, &crypto),
        status,
        change(BINANCE),
    ));
    let kraken = Kraken::new(&settings());
    check(read_bars(
        &kraken::Bars::new(&kraken.party, &crypto),
        status,
        change(KRAKEN),
    ));
}

#[test]
fn the_unchanged_bodies_are_good() {
    let mut rows = Vec::new();
    with_each_client(
        200,
        |body| body.as_bytes().to_vec(),
        |page| rows.push(page.unwrap().rows.len()),
    );
    assert_eq!(rows, [2, 1, 2, 2]);
    let answer = |body: &str| Answer {
        status: 200,
        body: body.into(),
    };
    assert_eq!(
        treasury::read(2024, Finality::Final, &answer(TREASURY))
            .unwrap()
            .len(),
        2
    );
    assert_eq!(cboe::read(&answer(CBOE)).unwrap().len(), 2);
    assert_eq!(fred::read(&answer(FRED)).unwrap().len(), 2);
}

proptest! {
    #[test]
    fn clients_of_bars_never_panic(
        status in prop::sample::select(vec![200_u16, 400, 401, 403, 404, 422]),
        edits in prop::collection::vec(edit(), 0..4),
    ) {
        with_each_client(status, |body| edited(body, &edits), |_| ());
    }

    #[test]
    fn clients_of_tables_never_panic_and_order_their_rows(edits in prop::collection::vec(edit(), 0..4)) {
        let answer = |body: &str| Answer { status: 200, body: edited(body, &edits) };
        for rows in [
            treasury::read(2024, Finality::Final, &answer(TREASURY)),
            cboe::read(&answer(CBOE)),
            fred::read(&answer(FRED)),
        ].into_iter().flatten() {
            prop_assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }

    #[test]
    fn any_bytes_are_no_rows_or_few(body in prop::collection::vec(any::<u8>(), 0..200)) {
        with_each_client(200, |_| body.clone(), |read| {
            assert!(read.is_err() || body.trim_ascii() == b"[]", "{read:?}");
        });
    }
}
