//! Configuration: YAML files, checked against generated schemas, all problems reported at once.

mod check;
mod load;
mod reference;
mod schema;
mod system;

pub use load::{ConfigError, ConfigSource, ResolvedConfig, load, load_file};
pub use reference::config_reference;
pub use schema::{problems, schema_of};
pub use system::{
    Capital, ClassCosts, ConventionConfig, CostsConfig, EndConfig, ExitsConfig, FillsConfig, ImportEntry,
    ImportManifest, Includes, InstrumentConfig, IntrabarConfig, MacroEntry, Paths, Period, ResampleEntry,
    SyntheticConfig, SystemConfig,
};
