//! Dense integer ids: indices into tables that are fixed before a run starts.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! dense_id {
    ($(#[$doc:meta])* $name:ident, $repr:ty, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($repr);

        impl $name {
            /// Makes an id from a table index.
            ///
            /// # Panics
            /// When the index does not fit the id's integer type, which no table of this platform comes near.
            #[inline]
            pub fn from_index(index: usize) -> Self {
                Self(<$repr>::try_from(index).expect("table index fits its id type"))
            }

            /// The table index behind the id.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

dense_id!(
    /// An instrument of the run's [`InstrumentTable`](crate::InstrumentTable).
    InstrumentId, u32, "I"
);
dense_id!(
    /// A bar series (instrument and timeframe) of the run's [`MarketData`](crate::MarketData).
    SeriesId, u32, "S"
);
dense_id!(
    /// A feature column of the run's feature source.
    FeatureId, u32, "F"
);
dense_id!(
    /// A model of the run, in the order in which it was added.
    ModelId, u16, "M"
);
dense_id!(
    /// A currency of the account: its own first, then those in which instruments are quoted.
    CurrencyId, u16, "C"
);
dense_id!(
    /// An order of the run, unique for ever within it and increasing in order of creation.
    OrderId, u64, "O"
);

impl CurrencyId {
    /// The account's own currency.
    pub const OWN: Self = Self(0);
}

impl OrderId {
    /// What stands for the order of a trade that nobody ordered. The first order of a run has the number 1.
    pub const NONE: Self = Self(0);
}
