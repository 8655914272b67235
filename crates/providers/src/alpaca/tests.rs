//! Alpaca's shapes, and everything that is none of them.

#![allow(clippy::unwrap_used)]
use super::*;
use crate::http::Finality;
use crate::support::{answer, bar, failed, request, settings, shape, time, window};

fn client() -> Alpaca {
    let keys = AlpacaKeys {
        key_id: "the-id".to_owned(),
        secret_key: "the-secret".to_owned(),
    };
    Alpaca::new(&settings(), keys)
}

fn read(timeframe: Timeframe, status: u16, body: &str) -> Result<Page, Fault> {
    let client = client();
    let request = request(AssetClass::Equity, "SPY", timeframe, ["2024-01-01", "2024-02-01"]);
    let pages = Bars::new(&client, &request).unwrap();
    pages.read(&window("2024-01-01", "2024-02-01"), &answer(status, body))
}

#[test]
fn the_address_says_what_is_wanted_and_hides_the_keys() {
    let client = client();
    let request = request(
        AssetClass::Equity,
        "BRK.B",
        Timeframe::M5,
        ["2024-01-01", "2024-02-01"],
    );
    let pages = Bars::new(&client, &request).unwrap();
    let first = pages.request(&window("2024-01-01", "2024-02-01"), None);
    assert_eq!(
        first.url,
        "https://data.alpaca.markets/v2/stocks/BRK.B/bars?timeframe=5Min&start=2024-01-01T00:00:00Z\
         &end=2024-01-31T23:59:59.999999999Z&adjustment=raw&feed=iex&limit=10000&sort=asc"
    );
    assert_eq!(first.finality, Finality::Final);
    assert_eq!(first.headers.len(), 2);
    assert_eq!(first.headers[0].1.0, "the-id");
    assert!(!format!("{first:?} {client:?}").contains("the-"));
    let second = pages.request(&window("2024-01-01", "2024-02-01"), Some("U1BZ+|="));
    assert_eq!(second.url, format!("{}&page_token=U1BZ%2B%7C%3D", first.url));
    assert!(!second.url.contains("the-"));
}

#[test]
fn bars_are_read_with_their_token() {
    let body = r#"{"bars":[
        {"t":"2024-01-02T14:30:00Z","o":10,"h":11.0,"l":9.5,"c":10,"v":100,"n":7,"vw":10.1},
        {"t":"2024-01-02T14:35:00.000000001Z","o":12.5,"h":13.5,"l":12.0,"c":12.5,"v":100}
    ],"next_page_token":"abc","symbol":"SPY","currency":"USD"}"#;
    let page = read(Timeframe::M5, 200, body).unwrap();
    let second = time("2024-01-02T14:35:00Z").saturating_add(1);
    assert_eq!(
        page.rows,
        [bar(time("2024-01-02T14:30:00Z"), 10.0), bar(second, 12.5)]
    );
    assert_eq!(page.next.as_deref(), Some("abc"));
    for bars in ["null", "[]"] {
        let body = format!(r#"{{"bars":{bars},"next_page_token":null,"symbol":"SPY"}}"#);
        let page = read(Timeframe::M5, 200, &body).unwrap();
        assert_eq!((page.rows.len(), page.next), (0, None));
    }
}

#[test]
fn daily_bars_have_the_date_of_the_session() {
    let daily = |t: &str| {
        let body = format!(
            r#"{{"bars":[{{"t":"{t}","o":10,"h":11,"l":9.5,"c":10,"v":100}}],"next_page_token":null,"symbol":"SPY"}}"#
        );
        read(Timeframe::D1, 200, &body).map(|page| page.rows[0].stamp)
    };
    for (t, date) in [
        ("2024-01-02T05:00:00Z", "2024-01-02"),
        ("2024-07-02T04:00:00Z", "2024-07-02"),
        ("2024-07-02T00:00:00-04:00", "2024-07-02"),
    ] {
        assert_eq!(daily(t).unwrap(), time(date), "{t}");
    }
    for t in [
        "2024-01-02T04:00:00Z",
        "2024-01-02T14:30:00Z",
        "2024-01-02T05:00:00.5Z",
    ] {
        assert!(shape(daily(t)).contains("midnight in New York"), "{t}");
    }
}

#[test]
fn other_shapes_are_refused() {
    let row = |row: &str| format!(r#"{{"bars":[{row}],"next_page_token":null,"symbol":"SPY"}}"#);
    let good = r#"{"t":"2024-01-02T14:30:00Z","o":10,"h":11,"l":9.5,"c":10,"v":100}"#;
    assert!(read(Timeframe::M5, 200, &row(good)).is_ok());
    for (body, problem) in [
        (
            row(&good.replace("\"o\"", "\"open\"")),
            "bars[0] has no field `o`; it has [t, open, h, l, c, v]",
        ),
        (
            row(&good.replace(":100", ":\"100\"")),
            "bars[0].v is `\"100\"`; expected a number",
        ),
        (
            row(&good.replace(":100", ":null")),
            "bars[0].v is `null`; expected a number",
        ),
        (
            row(&good.replace("\"2024-01-02T14:30:00Z\"", "1704205800")),
            "bars[0].t is `1704205800`; expected a text",
        ),
        (
            row(&good.replace("T14:30:00Z", "")),
            "bars[0].t is `\"2024-01-02\"`; expected a time such as",
        ),
        (
            row(&good.replace("2024", "9999")),
            "bars[0].t is `\"9999-01-02T14:30:00Z\"`; expected a time such as",
        ),
        (
            row(good).replace("SPY", "QQQ"),
            "symbol is `\"QQQ\"`; expected the symbol asked for, SPY",
        ),
        (
            row(good).replace("next_page_token", "next"),
            "the body has no field `next_page_token`",
        ),
        (
            r#"{"bars":{"SPY":[]},"next_page_token":null,"symbol":"SPY"}"#.to_owned(),
            "bars is an object; expected an array",
        ),
        (
            "[]".to_owned(),
            "the body is an array of 0 items; expected an object",
        ),
        ("<html></html>".to_owned(), "the body is not JSON"),
        (row(good)[..60].to_owned(), "the body is not JSON"),
        (String::new(), "the body is not JSON"),
    ] {
        let found = shape(read(Timeframe::M5, 200, &body));
        assert!(found.starts_with(problem), "{found}");
    }
}

#[test]
fn refusals_have_their_own_errors() {
    for status in [401, 403] {
        let error = failed(read(Timeframe::M5, status, r#"{"message":"forbidden."}"#));
        assert!(matches!(&error, ProviderError::Unauthorized { message, .. } if message == "forbidden."));
    }
    let error = failed(read(
        Timeframe::M5,
        422,
        r#"{"code":42210000,"message":"invalid symbol: S-Y"}"#,
    ));
    assert!(
        matches!(&error, ProviderError::UnknownSymbol { symbol, .. } if symbol == "SPY"),
        "{error}"
    );
    for (body, words) in [
        (r#"{"message":"invalid limit"}"#, "invalid limit"),
        ("<html>", "<html>"),
    ] {
        let Err(Fault::Refused { status: 400, message }) = read(Timeframe::M5, 400, body) else {
            panic!("{body}")
        };
        assert_eq!(message, words);
    }
}

#[test]
fn keys_come_from_the_environment() {
    let keys = AlpacaKeys::from_variables(|name| Some(name.to_lowercase())).unwrap();
    assert_eq!(
        (keys.key_id.as_str(), keys.secret_key.as_str()),
        ("apca_api_key_id", "apca_api_secret_key")
    );
    for missing in [KEY_ID, SECRET_KEY] {
        for value in [None, Some(" ".to_owned())] {
            let variable = |name: &str| {
                if name == missing {
                    value.clone()
                } else {
                    Some("x".to_owned())
                }
            };
            let error = AlpacaKeys::from_variables(variable).unwrap_err();
            assert!(matches!(error, ProviderError::MissingKey { variable, .. } if variable == missing));
        }
    }
}

#[test]
fn the_offer_is_exact() {
    let client = client();
    for timeframe in Timeframe::ALL {
        let offer = client.offer(AssetClass::Equity, timeframe);
        match timeframe {
            Timeframe::H1 | Timeframe::H4 => {
                let refused = offer.unwrap_err().to_string();
                assert!(refused.contains("load 30M and resample"), "{refused}");
            }
            Timeframe::D1 => assert_eq!(offer.unwrap().stamp, StampConvention::SessionDate),
            _ => assert_eq!(offer.unwrap().stamp, StampConvention::BarOpen),
        }
        assert!(client.offer(AssetClass::Crypto, timeframe).is_err());
    }
    assert_eq!("sip".parse(), Ok(AlpacaFeed::Sip));
    assert!("otc".parse::<AlpacaFeed>().is_err());
}
