//! Market regimes: one label per dimension, `Unknown` where an input is missing.

use std::fmt;

macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
            /// An input is missing or not warm yet.
            #[default]
            Unknown,
        }

        impl $name {
            /// Every label, `unknown` last.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+ Self::Unknown];

            /// The name used in configs and tables.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown => "unknown",
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

labels!(
    /// Trend of the equity index.
    EquityRegime {
        /// Rising.
        Bull = "bull",
        /// Neither.
        Neutral = "neutral",
        /// Falling.
        Bear = "bear",
    }
);
labels!(
    /// Level of volatility against its own history.
    VolatilityRegime {
        /// Calm.
        Low = "low",
        /// Usual.
        Normal = "normal",
        /// Stressed.
        High = "high",
    }
);
labels!(
    /// Trend of the crypto market.
    CryptoRegime {
        /// Rising.
        Bull = "bull",
        /// Neither.
        Neutral = "neutral",
        /// Falling.
        Bear = "bear",
    }
);
labels!(
    /// State of the economy.
    MacroRegime {
        /// Growing.
        Expansion = "expansion",
        /// Losing pace.
        Slowdown = "slowdown",
        /// Shrinking.
        Contraction = "contraction",
    }
);

/// The dimensions of a regime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegimeDimension {
    /// [`EquityRegime`].
    Equity,
    /// [`VolatilityRegime`].
    Volatility,
    /// [`CryptoRegime`].
    Crypto,
    /// [`MacroRegime`].
    Macro,
}

impl RegimeDimension {
    /// Every dimension.
    pub const ALL: [Self; 4] = [Self::Equity, Self::Volatility, Self::Crypto, Self::Macro];

    /// The name used in configs and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equity => "equity",
            Self::Volatility => "volatility",
            Self::Crypto => "crypto",
            Self::Macro => "macro",
        }
    }

    /// The names of the labels this dimension can take, `unknown` last.
    pub fn label_names(self) -> Vec<&'static str> {
        match self {
            Self::Equity => EquityRegime::ALL.iter().map(|label| label.name()).collect(),
            Self::Volatility => VolatilityRegime::ALL.iter().map(|label| label.name()).collect(),
            Self::Crypto => CryptoRegime::ALL.iter().map(|label| label.name()).collect(),
            Self::Macro => MacroRegime::ALL.iter().map(|label| label.name()).collect(),
        }
    }
}

/// The labels of one instant. Filtered: they use nothing later than the view they were made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RegimeEstimate {
    /// Equity trend.
    pub equity: EquityRegime,
    /// Volatility level.
    pub volatility: VolatilityRegime,
    /// Crypto trend.
    pub crypto: CryptoRegime,
    /// Economy.
    pub macro_economy: MacroRegime,
}

impl RegimeEstimate {
    /// The label's name in one dimension.
    pub const fn label(&self, dimension: RegimeDimension) -> &'static str {
        match dimension {
            RegimeDimension::Equity => self.equity.name(),
            RegimeDimension::Volatility => self.volatility.name(),
            RegimeDimension::Crypto => self.crypto.name(),
            RegimeDimension::Macro => self.macro_economy.name(),
        }
    }
}

/// A number that a label was decided on, for the record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegimeInput {
    /// The dimension it belongs to.
    pub dimension: RegimeDimension,
    /// What it is.
    pub name: &'static str,
    /// Its value; `None` when it was missing.
    pub value: Option<f64>,
}
