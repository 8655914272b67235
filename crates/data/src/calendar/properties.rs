//! What holds on every day of every calendar.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn any_day() -> impl Strategy<Value = (AssetClass, NaiveDate)> {
    let first = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
    let class = proptest::sample::select(AssetClass::ALL.to_vec());
    (class, 0..22_000_u64).prop_map(move |(class, days)| (class, first + chrono::Days::new(days)))
}

fn timeframe() -> impl Strategy<Value = Timeframe> {
    proptest::sample::select(Timeframe::ALL.to_vec())
}

proptest! {
    #[test]
    fn bars_tile_the_session((class, date) in any_day(), timeframe in timeframe()) {
        let calendar = Calendar::for_class(class);
        let Some(session) = calendar.session(date) else { return Ok(()) };
        let slots: Vec<_> = calendar.day(date).unwrap().slots(timeframe).collect();
        prop_assert!(slots.windows(2).all(|pair| pair[0].close_time == pair[1].open_time));
        prop_assert!(slots[0].open_time <= session.open && session.open < slots[0].close_time);
        let last = slots[slots.len() - 1];
        prop_assert!(last.open_time < session.close && session.close <= last.close_time);
        if class == AssetClass::Equity {
            prop_assert_eq!((slots[0].open_time, last.close_time), (session.open, session.close));
        }
        prop_assert_eq!(calendar.date_of(session.open), date);
    }

    #[test]
    fn an_instant_of_the_session_is_in_one_bar(
        (class, date) in any_day(),
        timeframe in timeframe(),
        fraction in 0.0..1.0_f64,
    ) {
        let calendar = Calendar::for_class(class);
        let Some(session) = calendar.session(date) else { return Ok(()) };
        let length = (session.close.nanos() - session.open.nanos()) as f64;
        let time = session.open.saturating_add((length * fraction) as i64);
        let day = calendar.day(date).unwrap();
        let bar = day.slot_at(time, timeframe).unwrap().bar;
        prop_assert!(bar.open_time <= time && time < bar.close_time);
        prop_assert_eq!(day.slots(timeframe).filter(|slot| *slot == bar).count(), 1);
        prop_assert!(calendar.is_open(time));
    }

    #[test]
    fn finer_bars_add_up((class, date) in any_day(), finer in timeframe(), coarser in timeframe()) {
        let calendar = Calendar::for_class(class);
        let Some(day) = calendar.day(date) else { return Ok(()) };
        if finer < coarser {
            let counted: usize = day.slots(coarser).map(|slot| day.count(finer, slot)).sum();
            prop_assert_eq!(counted, day.slots(finer).count());
        }
    }
}
