//! Configuration: YAML files, checked against generated schemas, all problems reported at once.

mod account;
mod check;
mod contract;
mod costs;
mod load;
mod reference;
mod renames;
mod schema;
mod stored;
mod system;

pub use account::{
    AccountConfig, BorrowByClass, BorrowConfig, BorrowRateConfig, DelistingConfig, FundingConfig,
    InterestConfig, MissingBorrowConfig, MissingFundingConfig, PricesConfig,
};
pub use contract::{MarginBasis, MarginCallConfig, MarginConfig, SettlementConfig};
pub use costs::{ClassCosts, CostsConfig, FeeConfig, FeeTierConfig, SlippageConfig};
pub use load::{ConfigError, ConfigSource, ResolvedConfig, load, load_file};
pub use reference::config_reference;
pub use renames::FormerTicker;
pub use schema::{problems, schema_of};
pub(crate) use stored::{KILL_FILE_PRESENT, differences};
pub use system::{
    BillConfig, Capital, ConventionConfig, EndConfig, EngineConfig, ExitsConfig, FillsConfig, ImportEntry,
    ImportManifest, Includes, InstrumentConfig, IntrabarConfig, MacroEntry, Paths, Period, ResampleEntry,
    StampsConfig, SyntheticConfig, SystemConfig,
};
