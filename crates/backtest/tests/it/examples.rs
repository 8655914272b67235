//! The examples: each runs here, and their strategies are among those of the golden tests.

use crate::golden::assert_golden;

#[allow(dead_code, reason = "a main function is not called here")]
#[path = "../../examples/buy_and_hold.rs"]
pub(crate) mod buy_and_hold;
#[allow(dead_code, reason = "a main function is not called here")]
#[path = "../../examples/futures_and_currencies.rs"]
pub(crate) mod futures_and_currencies;
#[allow(dead_code, reason = "a main function is not called here")]
#[path = "../../examples/momentum.rs"]
pub(crate) mod momentum;
#[allow(dead_code, reason = "a main function is not called here")]
#[path = "../../examples/pairs.rs"]
pub(crate) mod pairs;
#[allow(dead_code, reason = "a main function is not called here")]
#[path = "../../examples/sixty_forty.rs"]
pub(crate) mod sixty_forty;
#[allow(dead_code, reason = "a main function is not called here")]
#[path = "../../examples/sma_cross_stop.rs"]
pub(crate) mod sma_cross_stop;

#[test]
fn examples_print_their_tables() {
    let tables = [
        ("buy_and_hold", buy_and_hold::table()),
        ("futures_and_currencies", futures_and_currencies::table()),
        ("momentum", momentum::table()),
        ("pairs", pairs::table()),
        ("sixty_forty", sixty_forty::table()),
        ("sma_cross_stop", sma_cross_stop::table()),
    ];
    let tables = tables.map(|(name, table)| format!("{name}\n{}", table.unwrap()));
    assert_golden("example_tables", &tables.join("\n"));
}
