//! The tables. Every expected price is worked out beside the bars it comes from.

use sextant_backtest::IntrabarRule::{HighFirst, LowFirst, Optimistic, Pessimistic};

use super::{Exit, check, long, short};

/// Four per cent below 200 is 192.
#[test]
fn stops() {
    for table in [
        long("a stop inside a later bar fills at its level")
            .stop(0.04)
            .bars(&[[200.0, 203.0, 197.0, 201.0], [201.0, 202.0, 190.0, 191.0]])
            .left_by(Exit::Stop, 2, 192.0),
        long("a stop is hit by a low that touches it")
            .stop(0.04)
            .bars(&[[200.0, 203.0, 197.0, 201.0], [201.0, 202.0, 192.0, 199.0]])
            .left_by(Exit::Stop, 2, 192.0),
        long("a gap through the stop fills at the open")
            .stop(0.04)
            .bars(&[[200.0, 203.0, 197.0, 201.0], [188.0, 195.0, 187.0, 194.0]])
            .left_by(Exit::Stop, 2, 188.0),
        long("a stop is live in the bar of the entry")
            .stop(0.04)
            .bars(&[[200.0, 201.0, 190.5, 195.0], [195.0, 196.0, 194.0, 195.0]])
            .left_by(Exit::Stop, 1, 192.0),
        long("a position above its stop is kept")
            .stop(0.04)
            .bars(&[[200.0, 201.0, 193.0, 195.0], [195.0, 240.0, 192.01, 230.0]]),
        // Four per cent above 200 is 208.
        short("the stop of a short position inside a later bar")
            .stop(0.04)
            .bars(&[[200.0, 204.0, 196.0, 199.0], [199.0, 209.0, 198.0, 207.0]])
            .left_by(Exit::Stop, 2, 208.0),
        short("a gap through the stop of a short position")
            .stop(0.04)
            .bars(&[[200.0, 204.0, 196.0, 199.0], [213.0, 214.0, 205.0, 206.0]])
            .left_by(Exit::Stop, 2, 213.0),
        short("a short position is stopped in the bar of its entry")
            .stop(0.04)
            .bars(&[[200.0, 211.0, 199.0, 201.0], [201.0, 202.0, 200.0, 201.0]])
            .left_by(Exit::Stop, 1, 208.0),
    ] {
        check(table);
    }
}

/// Five per cent above 200 is 210, below it 190; two are 204, a half is 201.
#[test]
fn profits_by_age() {
    let ages = [(0, 0.05), (2, 0.02), (3, 0.005)];
    for table in [
        long("a profit in the bar of the entry")
            .profits(&ages)
            .bars(&[[200.0, 212.0, 199.0, 211.0], [211.0, 212.0, 210.0, 211.0]])
            .left_by(Exit::Profit, 1, 210.0),
        long("a profit that is only touched is not taken")
            .profits(&ages)
            .bars(&[[200.0, 210.0, 199.0, 205.0], [205.0, 210.01, 204.0, 206.0]])
            .left_by(Exit::Profit, 2, 210.0),
        long("after two hours less is enough")
            .profits(&ages)
            .bars(&[
                [200.0, 209.0, 199.0, 203.0],
                // One hour: 209 is not 210.
                [203.0, 209.0, 200.0, 201.0],
                [201.0, 205.0, 200.0, 203.0],
            ])
            .left_by(Exit::Profit, 3, 204.0),
        long("after three hours even less")
            .profits(&ages)
            .bars(&[
                [200.0, 203.0, 198.0, 199.0],
                [199.0, 203.0, 198.0, 199.0],
                [199.0, 203.0, 198.0, 199.0],
                [199.0, 202.0, 198.0, 199.0],
            ])
            .left_by(Exit::Profit, 4, 201.0),
        long("a profit that is there when a step begins takes the open")
            .profits(&ages)
            .bars(&[
                [200.0, 203.0, 199.0, 202.0],
                [202.0, 209.0, 201.0, 207.0],
                [207.0, 208.0, 203.0, 204.0],
            ])
            .left_by(Exit::Profit, 3, 207.0),
        short("a short position takes its profit below")
            .profits(&[(0, 0.05), (2, 0.02)])
            .bars(&[[200.0, 203.0, 191.0, 195.0], [195.0, 197.0, 188.0, 189.0]])
            .left_by(Exit::Profit, 2, 190.0),
        // Two per cent below 200 is 196.
        short("after two hours a short position asks for less")
            .profits(&[(0, 0.05), (2, 0.02)])
            .bars(&[
                [200.0, 203.0, 191.0, 199.0],
                [199.0, 202.0, 191.0, 200.0],
                [200.0, 203.0, 195.0, 202.0],
            ])
            .left_by(Exit::Profit, 3, 196.0),
    ] {
        check(table);
    }
}

#[test]
fn a_stop_and_a_profit_within_one_bar() {
    let both = |table: super::Table| {
        let bars = [[200.0, 203.0, 197.0, 201.0], [201.0, 212.0, 186.0, 202.0]];
        table.stop(0.04).profits(&[(0, 0.05)]).bars(&bars)
    };
    for table in [
        both(long("the stop comes first")).left_by(Exit::Stop, 2, 192.0),
        both(long("under the optimistic rule the profit"))
            .rule(Optimistic)
            .left_by(Exit::Profit, 2, 210.0),
        both(long("by way of the high the profit"))
            .rule(HighFirst)
            .left_by(Exit::Profit, 2, 210.0),
        both(long("by way of the low the stop"))
            .rule(LowFirst)
            .left_by(Exit::Stop, 2, 192.0),
        both(short("the stop of a short position comes first")).left_by(Exit::Stop, 2, 208.0),
        both(short("by way of the low a short position has its profit"))
            .rule(LowFirst)
            .left_by(Exit::Profit, 2, 190.0),
    ] {
        check(table);
    }
}

/// Five per cent below 204 is 193.8, below 220 it is 209.
#[test]
fn stops_that_follow_at_once() {
    let quiet = [200.0, 204.0, 199.0, 203.0];
    // A high that raises the stop to 209, and a low below that.
    let wide = [quiet, [206.0, 220.0, 205.0, 212.0], [212.0, 213.0, 208.0, 210.0]];
    for table in [
        long("raised by a high, hit in the next bar")
            .trail(0.05)
            .bars(&[quiet, [212.0, 220.0, 211.0, 219.0], [215.0, 216.0, 205.0, 206.0]])
            .left_by(Exit::Trail, 3, 209.0),
        long("a gap through the raised stop fills at the open")
            .trail(0.05)
            .bars(&[quiet, [212.0, 220.0, 211.0, 219.0], [201.0, 212.0, 200.0, 211.0]])
            .left_by(Exit::Trail, 3, 201.0),
        long("raised by a high, then hit in the same bar")
            .trail(0.05)
            .rule(HighFirst)
            .bars(&wide)
            .left_by(Exit::Trail, 2, 209.0),
        long("a low before the high that raises the stop does not hit it")
            .trail(0.05)
            .rule(LowFirst)
            .bars(&wide)
            .left_by(Exit::Trail, 3, 209.0),
        // The price may have come to 205 / 0.95 = 215.79 and fallen to the low from there.
        long("the worst that a high and a low allow is the low")
            .trail(0.05)
            .bars(&wide)
            .left_by(Exit::Trail, 2, 205.0),
        long("the best that they allow is that the low came first")
            .trail(0.05)
            .rule(Optimistic)
            .bars(&wide)
            .left_by(Exit::Trail, 3, 209.0),
        // It hangs at 193.8 already, below a low of 190.
        long("the worst price is where the stop is already")
            .trail(0.05)
            .bars(&[quiet, [203.0, 220.0, 190.0, 212.0], [212.0, 213.0, 208.0, 210.0]])
            .left_by(Exit::Trail, 2, 193.8),
        long("a certain hit is at best behind the high")
            .trail(0.05)
            .rule(Optimistic)
            .bars(&[quiet, [203.0, 220.0, 190.0, 212.0], [212.0, 213.0, 208.0, 210.0]])
            .left_by(Exit::Trail, 2, 209.0),
        long("a gap upwards raises the stop before the bar begins")
            .trail(0.05)
            .rule(LowFirst)
            .bars(&[quiet, [220.0, 221.0, 207.0, 215.0], [215.0, 216.0, 214.0, 215.0]])
            .left_by(Exit::Trail, 2, 209.0),
        // Two per cent below the entry is 196.
        long("entered and stopped within one bar")
            .trail(0.02)
            .bars(&[[200.0, 202.0, 195.0, 201.0], [201.0, 202.0, 200.0, 201.0]])
            .left_by(Exit::Trail, 1, 196.0),
        // Five per cent above 180 is 189.
        short("lowered by a low, hit in the next bar")
            .trail(0.05)
            .bars(&[
                [200.0, 202.0, 197.0, 198.0],
                [187.0, 188.0, 180.0, 181.0],
                [184.0, 190.0, 183.0, 185.0],
            ])
            .left_by(Exit::Trail, 3, 189.0),
        short("lowered by a low, then hit in the same bar")
            .trail(0.05)
            .rule(LowFirst)
            .bars(&[[200.0, 202.0, 197.0, 198.0], [198.0, 201.0, 180.0, 195.0]])
            .left_by(Exit::Trail, 2, 189.0),
        // The price may have come to 201 / 1.05 = 191.43 and risen to the high from there.
        short("the worst for a short position is the high")
            .trail(0.05)
            .bars(&[[200.0, 202.0, 197.0, 198.0], [198.0, 201.0, 180.0, 195.0]])
            .left_by(Exit::Trail, 2, 201.0),
    ] {
        check(table);
    }
}

/// A stop at 184 (eight per cent) until 212 is reached; from then on three per cent behind the best price. Three per cent below
/// 212 are 205.64, below 215 they are 208.55.
#[test]
fn stops_that_follow_from_a_price_on() {
    let offset = |table: super::Table| table.stop(0.08).trail_from(0.03, 212.0);
    let quiet = [200.0, 211.99, 190.0, 210.0];
    // Reaches 212 on the way to 215, and 204.
    let wide = [quiet, [210.0, 215.0, 204.0, 211.0], [211.0, 213.0, 208.0, 209.0]];
    for table in [
        offset(long("before that the fixed stop protects alone"))
            .bars(&[quiet, [195.0, 196.0, 183.0, 185.0]])
            .left_by(Exit::Stop, 2, 184.0),
        offset(long("reached in one bar, hit in the next"))
            .bars(&[quiet, [210.0, 215.0, 209.0, 214.0], [212.0, 213.0, 207.0, 208.0]])
            .left_by(Exit::Trail, 3, 208.55),
        offset(long("reached in one bar, gapped through in the next"))
            .bars(&[quiet, [210.0, 215.0, 209.0, 214.0], [203.0, 213.0, 202.0, 208.0]])
            .left_by(Exit::Trail, 3, 203.0),
        offset(long("reached by an open"))
            .rule(LowFirst)
            .bars(&[quiet, [215.0, 216.0, 206.0, 210.0]])
            .left_by(Exit::Trail, 2, 208.55),
        offset(long("reached and hit in one bar"))
            .rule(HighFirst)
            .bars(&wide)
            .left_by(Exit::Trail, 2, 208.55),
        offset(long("the low before it is reached does not count"))
            .rule(LowFirst)
            .bars(&wide)
            .left_by(Exit::Trail, 3, 208.55),
        offset(long("at worst it is reached and left at once"))
            .bars(&wide)
            .left_by(Exit::Trail, 2, 205.64),
        offset(long("reached and left in the bar of the entry"))
            .bars(&[[200.0, 215.0, 199.0, 201.0], [201.0, 202.0, 200.0, 201.0]])
            .left_by(Exit::Trail, 1, 205.64),
        // Five per cent, 210, come before 212 whatever the low was.
        offset(long("a profit below that price is taken first"))
            .profits(&[(0, 0.05)])
            .bars(&[[200.0, 209.0, 190.0, 207.0], [205.0, 215.0, 196.0, 201.0]])
            .left_by(Exit::Profit, 2, 210.0),
        // Four per cent above 185 is 192.4.
        short("a short position follows from 188 on")
            .stop(0.08)
            .trail_from(0.04, 188.0)
            .bars(&[
                [200.0, 215.0, 188.01, 190.0],
                [190.0, 192.0, 185.0, 186.0],
                [186.0, 195.0, 185.5, 194.0],
            ])
            .left_by(Exit::Trail, 3, 192.4),
        short("a short position that never gets there keeps its fixed stop")
            .stop(0.08)
            .trail_from(0.04, 188.0)
            .bars(&[[200.0, 215.0, 188.01, 190.0], [190.0, 217.0, 189.0, 216.0]])
            .left_by(Exit::Stop, 2, 216.0),
    ] {
        check(table);
    }
}

/// A stop at 192 beside five per cent behind 204, which are 193.8, and behind 220, which are 209. A stop at 184 beside three per
/// cent behind 212, not reached yet, which are 205.64, and behind 215, which are 208.55.
#[test]
fn a_fixed_stop_beside_one_that_follows() {
    let quiet = [200.0, 204.0, 199.0, 203.0];
    let both = |rule| {
        let table = long("the price meets the nearer stop first, or the one behind the high");
        let bars = [quiet, [203.0, 220.0, 190.0, 212.0], [212.0, 213.0, 210.0, 212.0]];
        table.stop(0.04).trail(0.05).rule(rule).bars(&bars)
    };
    let pending = |rule, close| {
        let table = long("at worst the price falls before it reaches the activation");
        let bars = [[200.0, 211.99, 190.0, 210.0], [210.0, 215.0, 180.0, close]];
        table.stop(0.08).trail_from(0.03, 212.0).rule(rule).bars(&bars)
    };
    // A stop at 208 beside five per cent above 196, which are 205.8, and above 180, which are 189.
    let mirrored = |rule| {
        let table = short("a short position, too");
        let bars = [[200.0, 201.0, 196.0, 197.0], [197.0, 210.0, 180.0, 188.0]];
        table.stop(0.04).trail(0.05).rule(rule).bars(&bars)
    };
    for table in [
        both(Pessimistic).left_by(Exit::Trail, 2, 193.8),
        both(Optimistic).left_by(Exit::Trail, 2, 209.0),
        both(LowFirst).left_by(Exit::Trail, 2, 193.8),
        both(HighFirst).left_by(Exit::Trail, 2, 209.0),
        pending(Pessimistic, 190.0).left_by(Exit::Stop, 2, 184.0),
        pending(Optimistic, 190.0).left_by(Exit::Trail, 2, 208.55),
        pending(LowFirst, 190.0).left_by(Exit::Stop, 2, 184.0),
        pending(HighFirst, 190.0).left_by(Exit::Trail, 2, 208.55),
        pending(Pessimistic, 214.0).left_by(Exit::Stop, 2, 184.0),
        pending(Optimistic, 214.0).left_by(Exit::Trail, 2, 208.55),
        pending(HighFirst, 214.0).left_by(Exit::Trail, 2, 208.55),
        mirrored(Pessimistic).left_by(Exit::Trail, 2, 205.8),
        mirrored(Optimistic).left_by(Exit::Trail, 2, 189.0),
        mirrored(HighFirst).left_by(Exit::Trail, 2, 205.8),
        mirrored(LowFirst).left_by(Exit::Trail, 2, 189.0),
    ] {
        check(table);
    }
}

/// Three per cent below 212 are 205.64, below 215 they are 208.55; five per cent below 220 are 209.
#[test]
fn a_stop_that_follows_from_an_entry_inside_a_bar() {
    let pending = |rule| {
        let table = long("at worst the activation was reached before the entry");
        let bars = [[210.0, 215.0, 190.0, 192.0], [192.0, 193.0, 191.0, 192.0]];
        table
            .entry_limit(200.0)
            .trail_from(0.03, 212.0)
            .rule(rule)
            .bars(&bars)
    };
    let at_once = |rule| {
        let table = long("at best the high came after the entry");
        let bars = [[200.0, 220.0, 190.0, 205.0], [205.0, 206.0, 204.0, 205.0]];
        table.entry_limit(195.0).trail(0.05).rule(rule).bars(&bars)
    };
    // Three per cent below the entry are 189.15, below 201 they are 194.97.
    let reached = |rule| {
        let table = long("an activation below the entry is reached by it");
        let bars = [[200.0, 201.0, 186.0, 188.0], [188.0, 189.0, 187.0, 188.0]];
        table
            .entry_limit(195.0)
            .trail_from(0.03, 190.0)
            .rule(rule)
            .bars(&bars)
    };
    // Three per cent above 188 are 193.64, above 185 they are 190.55.
    let mirrored = |rule| {
        let table = short("at worst the activation of a short position was reached before its entry");
        let bars = [[190.0, 210.0, 185.0, 208.0], [208.0, 209.0, 207.0, 208.0]];
        table
            .entry_limit(200.0)
            .trail_from(0.03, 188.0)
            .rule(rule)
            .bars(&bars)
    };
    for table in [
        pending(Pessimistic),
        pending(HighFirst),
        pending(LowFirst).left_by(Exit::Trail, 1, 208.55),
        pending(Optimistic).left_by(Exit::Trail, 1, 208.55),
        // It hangs at 185.25 from the entry on, below the low.
        at_once(Pessimistic).left_by(Exit::Trail, 1, 190.0),
        at_once(HighFirst),
        at_once(LowFirst).left_by(Exit::Trail, 1, 209.0),
        at_once(Optimistic).left_by(Exit::Trail, 1, 209.0),
        reached(Pessimistic).left_by(Exit::Trail, 1, 189.15),
        reached(HighFirst).left_by(Exit::Trail, 1, 189.15),
        reached(Optimistic).left_by(Exit::Trail, 1, 194.97),
        mirrored(Pessimistic),
        mirrored(LowFirst),
        mirrored(HighFirst).left_by(Exit::Trail, 1, 190.55),
        mirrored(Optimistic).left_by(Exit::Trail, 1, 190.55),
    ] {
        check(table);
    }
}

#[test]
fn a_signal_leaves_at_the_next_open() {
    let quiet = [200.0, 203.0, 197.0, 201.0];
    for table in [
        long("a stop in the bar of the signal was before it")
            .stop(0.04)
            .signal(2)
            .bars(&[quiet, [201.0, 202.0, 190.0, 201.0], [201.0, 202.0, 200.0, 201.0]])
            .left_by(Exit::Stop, 2, 192.0),
        long("a stop in the bar after it comes too late")
            .stop(0.04)
            .signal(2)
            .bars(&[quiet, [201.0, 202.0, 198.0, 199.0], [198.5, 199.0, 185.0, 186.0]])
            .left_by(Exit::Signal, 3, 198.5),
        long("a profit in the bar after it comes too late")
            .profits(&[(0, 0.05)])
            .signal(2)
            .bars(&[quiet, [201.0, 202.0, 198.0, 199.0], [201.5, 230.0, 200.0, 229.0]])
            .left_by(Exit::Signal, 3, 201.5),
        short("a short position, too")
            .stop(0.04)
            .signal(2)
            .bars(&[quiet, [201.0, 202.0, 198.0, 199.0], [197.5, 220.0, 190.0, 219.0]])
            .left_by(Exit::Signal, 3, 197.5),
    ] {
        check(table);
    }
}

/// A buy at 195; four per cent above it is 202.8, below it 187.2.
#[test]
fn an_entry_inside_a_bar() {
    for table in [
        long("what the close is beyond has been reached after the entry")
            .entry_limit(195.0)
            .profits(&[(0, 0.04)])
            .bars(&[[200.0, 207.0, 194.0, 204.0], [204.0, 205.0, 203.0, 204.0]])
            .left_by(Exit::Profit, 1, 202.8),
        long("what only the high is beyond may have been before it")
            .entry_limit(195.0)
            .profits(&[(0, 0.04)])
            .bars(&[[200.0, 207.0, 194.0, 196.0], [196.0, 203.0, 195.5, 202.0]])
            .left_by(Exit::Profit, 2, 202.8),
        long("a stop may have been after it")
            .entry_limit(195.0)
            .stop(0.04)
            .bars(&[[200.0, 201.0, 187.0, 199.0], [199.0, 201.0, 198.0, 199.0]])
            .left_by(Exit::Stop, 1, 187.2),
        long("unless exits are live with the next bar only")
            .entry_limit(195.0)
            .stop(0.04)
            .exits_from_the_next_bar()
            .bars(&[[200.0, 201.0, 187.0, 199.0], [186.0, 201.0, 185.0, 199.0]])
            .left_by(Exit::Stop, 2, 186.0),
        // Four per cent above 206 is 214.24.
        short("a short entry above, stopped in the same bar")
            .entry_limit(206.0)
            .stop(0.04)
            .bars(&[[200.0, 215.0, 199.0, 201.0], [201.0, 202.0, 200.0, 201.0]])
            .left_by(Exit::Stop, 1, 214.24),
    ] {
        check(table);
    }
}
