//! Symbols, factors, tickers, universes, Qlib folders and requests.

use sextant_data::{ActionError, CoarseUniverse, EventList, SecurityHistory, SecurityId, actions};

use super::{Case, Input};

type Reader = fn(&str) -> Option<ActionError>;

const EVENTS: Reader = |text| EventList::read("in.csv", text.as_bytes()).err();
const MAP: Reader = |text| {
    let id = SecurityId::new("X").unwrap();
    SecurityHistory::read_lean_map(id, "in.csv", text.as_bytes()).err()
};
const LISTINGS: Reader = |text| actions::read_listings("in.csv", text.as_bytes()).err();
const RENAMES: Reader = |text| actions::read_renames("in.csv", text.as_bytes()).err();
const COARSE: Reader = |text| CoarseUniverse::read("in.csv", text.as_bytes()).err();

pub(super) const SYMBOLS: &[Case] = &[
    symbol(
        "a way out of the folder",
        "../x",
        "symbol",
        &["`../x`", "use 1 to 32 letters"],
    ),
    symbol("an absolute path", "/etc/x", "symbol", &["`/etc/x`"]),
    symbol("no symbol", "", "symbol", &["``", "use 1 to 32 letters"]),
    symbol("a NUL in a symbol", "a\0b", "symbol", &["use 1 to 32 letters"]),
    symbol(
        "a symbol too long",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456",
        "symbol",
        &["1 to 32"],
    ),
    symbol("a slash in a symbol", "XRP/USDT", "symbol", &["`XRP/USDT`"]),
    symbol("a backslash in a symbol", "a\\b", "symbol", &["`a\\\\b`"]),
    symbol(
        "a hidden file",
        ".x",
        "symbol",
        &["starting with a letter or digit"],
    ),
    symbol("a blank in a symbol", "BRK A", "symbol", &["`BRK A`"]),
    symbol(
        "letters of another script",
        "\u{0421}PY",
        "symbol",
        &["use 1 to 32 letters"],
    ),
    symbol(
        "another case of a symbol that is there",
        "spy",
        "request",
        &["symbol: found `spy`; allowed: SPY, of which the lake has bars (SPY 1D (crypto))"],
    ),
];

pub(super) const REFERENCES: &[Case] = &[
    factors(
        "no factors",
        "",
        "empty",
        &["factors.csv: it is empty; it must have rows date,price_factor"],
    ),
    factors(
        "a factor of zero",
        "20200102,0,1,9\n20501231,1,1,0\n",
        "cell",
        &["factors.csv: row 1, price_factor: found `0`; allowed: a finite number above zero"],
    ),
    factors(
        "a factor with a decimal comma",
        "20200102,0,5,1,9\n",
        "cell",
        &["factors.csv: row 1, row: found `20200102,0,5,1,9`; allowed: 4 fields"],
    ),
    factors(
        "factors cut short",
        "20200102,0.5,1,9\n20200103,0.7,1,9\n",
        "cell",
        &["factors.csv: row 2, price_factor: found `0.7`; allowed: 1 in the last row"],
    ),
    factors(
        "a negative dividend",
        "20200102,0.9,1,9\n20200103,0.8,1,9\n20501231,1,1,0\n",
        "cell",
        &["factors.csv: row 2, price_factor: found `0.8`; allowed: at least 0.9"],
    ),
    factors(
        "factors of one date twice",
        "20200102,1,1,9\n20200102,1,1,0\n",
        "cell",
        &["factors.csv: row 2, date: found `20200102`; allowed: a date after 2020-01-02"],
    ),
    factors(
        "factors that end before the bars",
        "20191231,1,1,9\n",
        "no factor",
        &["factors.csv: no row covers the session 2020-01-02; the last row is 2019-12-31"],
    ),
    text(
        "a split of nothing",
        EVENTS,
        "ex_date,kind,value\n2020-01-02,split,0\n",
        "cell",
        &["in.csv: row 2, value: found `0`; allowed: a finite number above zero"],
    ),
    text(
        "a dividend above the price",
        EVENTS,
        "ex_date,kind,value,reference_close\n2020-01-02,dividend,9,8\n",
        "cell",
        &["in.csv: row 2, value: found `9`; allowed: less than 8"],
    ),
    text(
        "a map of one row",
        MAP,
        "20200102,x,Q\n",
        "empty",
        &["in.csv", "at least two rows", "it has 1"],
    ),
    text(
        "a map that goes back",
        MAP,
        "20200102,x\n20210104,y\n20200601,z\n",
        "cell",
        &["in.csv: row 3, last_date: found `20200601`; allowed: a date after 2021-01-04"],
    ),
    text(
        "a map with a way out",
        MAP,
        "20200102,../x\n20501231,../x\n",
        "cell",
        &["in.csv: row 1, ticker: found `../x`; allowed: 1 to 32 letters"],
    ),
    text(
        "a map with dashes",
        MAP,
        "2020-01-02,x\n20501231,x\n",
        "cell",
        &["in.csv: row 1, last_date: found `2020-01-02`; allowed: a date such as 20201231"],
    ),
    text(
        "listings of other columns",
        LISTINGS,
        "security,ticker\n",
        "cell",
        &["in.csv: row 1, header: found `security,ticker`; allowed: security,ticker,first_date"],
    ),
    text(
        "a delisting without a date",
        LISTINGS,
        "security,ticker,first_date,last_date,delisted\nX,X,2020-01-02,,true\n",
        "cell",
        &["in.csv: row 2, last_date: found ``; allowed: the last date of a delisted security"],
    ),
    text(
        "a listing that ends before it begins",
        LISTINGS,
        "security,ticker,first_date,last_date,delisted\nX,X,2020-01-02,2019-01-02,true\n",
        "conflict",
        &["the tickers of X", "2019-01-02"],
    ),
    text(
        "another word for true",
        LISTINGS,
        "security,ticker,first_date,last_date,delisted\nX,X,2020-01-02,,TRUE\n",
        "cell",
        &["in.csv: row 2, delisted: found `TRUE`; allowed: false or true"],
    ),
    text(
        "a rename to itself",
        RENAMES,
        "date,asset_class,old,new\n2020-01-02,equity,x,X\n",
        "cell",
        &["in.csv: row 2, new: found `X`; allowed: another ticker than the old one"],
    ),
    text(
        "a rename of another class",
        RENAMES,
        "date,asset_class,old,new\n2020-01-02,bonds,x,y\n",
        "cell",
        &["in.csv: row 2, asset_class: found `bonds`; allowed: equity or crypto or fx"],
    ),
    text(
        "a universe without volumes",
        COARSE,
        "date,security_id,symbol,close\n",
        "cell",
        &["in.csv: row 1, header: found `date,security_id,symbol,close`"],
    ),
    text(
        "a universe of no rows",
        COARSE,
        "date,security_id,symbol,close,volume,dollar_volume\n",
        "empty",
        &["in.csv: it is empty; it must have rows after the header"],
    ),
    text(
        "a close that is no number",
        COARSE,
        "date,security_id,symbol,close,volume,dollar_volume\n2020-01-02,X,X,NaN,1,1\n",
        "cell",
        &["in.csv: row 2, close: found `NaN`; allowed: a finite number above zero"],
    ),
    text(
        "two closes of one day",
        COARSE,
        "date,security_id,symbol,close,volume,dollar_volume\n2020-01-02,X,X,1,1,1\n2020-01-02,X,X,2,1,1\n",
        "cell",
        &["in.csv: row 3, security_id: found `X`; allowed: one row, or equal ones"],
    ),
    text(
        "an id with a way out",
        COARSE,
        "date,security_id,symbol,close,volume,dollar_volume\n2020-01-02,../X,X,1,1,1\n",
        "cell",
        &["in.csv: row 2, security_id: found `../X`; allowed: 1 to 64 letters"],
    ),
    qlib(
        "a field cut within a number",
        "features/x/close.day.bin",
        b"\0\0\0\0\0\0\x80",
        "bin",
        &["close.day.bin: byte 4", "7 bytes", "cut short"],
    ),
    qlib(
        "a start index after the calendar",
        "features/x/close.day.bin",
        b"\0\0\xa0\x41\0\0\x80\x3f",
        "bin",
        &["close.day.bin: byte 0", "start index is 20", "2 lines"],
    ),
    qlib(
        "a calendar that goes back",
        "calendars/day.txt",
        b"2020-01-03\n2020-01-02\n",
        "line",
        &["day.txt: line 2", "2020-01-02 00:00:00 after 2020-01-03"],
    ),
    qlib(
        "a calendar that is gzip",
        "calendars/day.txt",
        b"\x1f\x8b\x08\0\0\0\0\0",
        "line",
        &["day.txt: line 1", "\\u{1f}"],
    ),
    qlib(
        "an instrument with a way out",
        "instruments/all.txt",
        b"../x\t2020-01-02\t2020-01-03\n",
        "line",
        &["all.txt: line 1", "../x", "allowed"],
    ),
    qlib(
        "no calendar of a known frequency",
        "calendars/day.txt",
        b"",
        "line",
        &["day.txt: line 1", "no time"],
    ),
    json(
        "a request nested a hundred thousand deep",
        || "[".repeat(100_000),
        "json",
        &["line 1"],
    ),
    json(
        "a field nested a hundred thousand deep",
        || format!("{{\"path\":{}", "{\"a\":".repeat(100_000)),
        "json",
        &["line 1 column"],
    ),
    json(
        "a request with a field that is none",
        || {
            "{\"path\":\"x\",\"symbol\":\"X\",\"asset_class\":\"crypto\",\"timeframe\":\"1D\",\"foo\":1}"
                .to_owned()
        },
        "json",
        &["unknown field `foo`", "line 1 column"],
    ),
    json(
        "a request of another class",
        || "{\"path\":\"x\",\"symbol\":\"X\",\"asset_class\":\"bonds\",\"timeframe\":\"1D\"}".to_owned(),
        "json",
        &["unknown variant `bonds`", "`equity`"],
    ),
];

const fn symbol(
    name: &'static str,
    symbol: &'static str,
    kind: &'static str,
    says: &'static [&'static str],
) -> Case {
    Case {
        name,
        input: Input::Symbol(symbol),
        kind,
        says,
    }
}

const fn factors(
    name: &'static str,
    text: &'static str,
    kind: &'static str,
    says: &'static [&'static str],
) -> Case {
    Case {
        name,
        input: Input::Factors(text),
        kind,
        says,
    }
}

const fn text(
    name: &'static str,
    read: Reader,
    text: &'static str,
    kind: &'static str,
    says: &'static [&'static str],
) -> Case {
    Case {
        name,
        input: Input::Text(read, text),
        kind,
        says,
    }
}

const fn qlib(
    name: &'static str,
    file: &'static str,
    bytes: &'static [u8],
    kind: &'static str,
    says: &'static [&'static str],
) -> Case {
    Case {
        name,
        input: Input::Qlib(file, bytes),
        kind,
        says,
    }
}

const fn json(
    name: &'static str,
    text: fn() -> String,
    kind: &'static str,
    says: &'static [&'static str],
) -> Case {
    Case {
        name,
        input: Input::Json(text),
        kind,
        says,
    }
}
