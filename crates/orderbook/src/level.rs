//! Prices, sizes and sides of a book.

use std::fmt;

macro_rules! whole_number {
    ($(#[$doc:meta])* $name:ident, $repr:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name($repr);

        impl $name {
            /// The number as a value of this unit.
            #[inline]
            pub const fn new(value: $repr) -> Self {
                Self(value)
            }

            /// The number.
            #[inline]
            pub const fn get(self) -> $repr {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

whole_number!(
    /// A price in ticks of its venue. Spreads and some futures have negative prices.
    Ticks, i64
);
whole_number!(
    /// A size in lots of its venue.
    Lots, u64
);

/// A side of a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookSide {
    /// Who wants to buy; the highest price is the best.
    Bid,
    /// Who wants to sell; the lowest price is the best.
    Ask,
}

impl BookSide {
    /// `bid` or `ask`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bid => "bid",
            Self::Ask => "ask",
        }
    }
}

impl fmt::Display for BookSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much rests at a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: Ticks,
    /// The sum of the orders there.
    pub size: Lots,
}
