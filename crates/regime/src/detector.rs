//! The detector that puts the rules of all dimensions together.

use sextant_domain::ports::RegimeDetector;
use sextant_domain::{MarketView, RegimeDimension, RegimeEstimate, RegimeInput, Requirements};

use crate::config::{RegimeConfig, RegimeConfigErrors};
use crate::economy::EconomyRule;
use crate::inputs::Recorder;
use crate::trend::{TrendRule, crypto_label, equity_label};
use crate::volatility::VolatilityRule;

/// Decides the label of every configured dimension by its rule, at every step anew.
///
/// The inputs of a dimension are recorded in the order in which its rule reads them, whatever it decides.
#[derive(Debug)]
pub struct RuleRegimeDetector {
    requirements: Requirements,
    equity: Option<TrendRule>,
    volatility: Option<VolatilityRule>,
    crypto: Option<TrendRule>,
    macro_economy: Option<EconomyRule>,
}

impl RuleRegimeDetector {
    /// The name under which it is listed.
    pub const NAME: &'static str = "RuleRegimeDetector";

    /// Checks the config and makes the detector.
    ///
    /// # Errors
    /// Every setting that is out of its range or contradicts another one.
    pub fn new(config: &RegimeConfig) -> Result<Self, RegimeConfigErrors> {
        config.check()?;
        let mut requirements = Requirements::new();
        let equity = config
            .equity
            .as_ref()
            .map(|one| TrendRule::new(one.settings(), &mut requirements));
        let volatility = config
            .volatility
            .as_ref()
            .map(|one| VolatilityRule::new(one, &mut requirements));
        let crypto = config
            .crypto
            .as_ref()
            .map(|one| TrendRule::new(one.settings(), &mut requirements));
        let macro_economy = config
            .macro_economy
            .as_ref()
            .map(|one| EconomyRule::new(one, &mut requirements));
        Ok(Self {
            requirements,
            equity,
            volatility,
            crypto,
            macro_economy,
        })
    }
}

impl RegimeDetector for RuleRegimeDetector {
    fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    fn update(&mut self, view: &MarketView<'_>, inputs: &mut Vec<RegimeInput>) -> RegimeEstimate {
        let mut estimate = RegimeEstimate::default();
        if let Some(rule) = &self.equity {
            estimate.equity = equity_label(rule.trend(view, Recorder::new(RegimeDimension::Equity, inputs)));
        }
        if let Some(rule) = &self.volatility {
            estimate.volatility = rule.label(view, Recorder::new(RegimeDimension::Volatility, inputs));
        }
        if let Some(rule) = &self.crypto {
            estimate.crypto = crypto_label(rule.trend(view, Recorder::new(RegimeDimension::Crypto, inputs)));
        }
        if let Some(rule) = &self.macro_economy {
            estimate.macro_economy = rule.label(view, Recorder::new(RegimeDimension::Macro, inputs));
        }
        estimate
    }
}

/// A detector ready to run, or why it cannot be made.
pub type MadeDetector = Result<Box<dyn RegimeDetector>, RegimeConfigErrors>;

/// A detector as it stands in the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct DetectorEntry {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Makes it with defaults, from the symbols of an equity index and of a crypto asset.
    pub with_defaults: fn(&str, &str) -> MadeDetector,
}

/// Every detector of this crate. Tests that hold for all detectors, such as the one of causality, find them here.
pub fn catalogue() -> &'static [DetectorEntry] {
    &[DetectorEntry {
        name: RuleRegimeDetector::NAME,
        summary: "Compares an index, its volatility, a crypto asset and macro series with thresholds of the config.",
        with_defaults: |equity_index, crypto_index| {
            let config = RegimeConfig::with_defaults(equity_index, crypto_index);
            RuleRegimeDetector::new(&config).map(|detector| Box::new(detector) as Box<dyn RegimeDetector>)
        },
    }]
}

#[cfg(test)]
mod tests {
    use sextant_domain::{Binding, CryptoRegime, EquityRegime, MacroRegime, VolatilityRegime};
    use sextant_testkit::{FormulaFeatures, Replay, standard_market};

    use super::*;

    #[test]
    fn without_a_config_everything_is_unknown() {
        let market = standard_market(10, 1);
        let mut detector = RuleRegimeDetector::new(&RegimeConfig::default()).unwrap();
        let steps = Replay::new(&market, &mut FormulaFeatures::reference()).regimes(&mut detector);
        assert!(steps.len() > 20);
        assert!(
            steps
                .iter()
                .all(|step| step.estimate == RegimeEstimate::default() && step.inputs.is_empty())
        );
        let unknown = RegimeEstimate {
            equity: EquityRegime::Unknown,
            volatility: VolatilityRegime::Unknown,
            crypto: CryptoRegime::Unknown,
            macro_economy: MacroRegime::Unknown,
        };
        assert_eq!(steps[0].estimate, unknown);
    }

    #[test]
    fn a_missing_index_is_refused_by_name() {
        let market = standard_market(10, 1);
        let detector = (catalogue()[0].with_defaults)("IWM", "BTC-USD").unwrap();
        let mut features = FormulaFeatures::reference();
        let refused =
            Binding::resolve("regime", detector.requirements(), &market, &mut features).unwrap_err();
        assert!(refused.to_string().contains("IWM 1D"), "{refused}");
    }

    /// The default detector on two years: in the end it knows every dimension, and each step records the same inputs.
    #[test]
    fn the_default_detector_warms_up() {
        let market = standard_market(700, 4);
        let mut detector = (catalogue()[0].with_defaults)("SPY", "BTC-USD").unwrap();
        let steps = Replay::new(&market, &mut FormulaFeatures::reference()).regimes(&mut *detector);
        let (first, last) = (&steps[0], steps.last().unwrap());
        assert_eq!(
            (first.estimate.equity, first.estimate.crypto),
            (EquityRegime::Unknown, CryptoRegime::Unknown)
        );
        assert_ne!(last.estimate.equity, EquityRegime::Unknown);
        assert_ne!(last.estimate.volatility, VolatilityRegime::Unknown);
        assert_ne!(last.estimate.crypto, CryptoRegime::Unknown);
        assert_ne!(last.estimate.macro_economy, MacroRegime::Unknown);
        assert!(
            last.inputs.iter().all(|input| input.value.is_some()),
            "{:?}",
            last.inputs
        );
        let names = |inputs: &[RegimeInput]| -> Vec<_> {
            inputs.iter().map(|one| (one.dimension, one.name)).collect()
        };
        assert!(
            steps
                .iter()
                .all(|step| names(&step.inputs) == names(&last.inputs))
        );
    }
}
