//! The limits as they are configured, and what is wrong with them if anything.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Deserializer, Serialize};
use sextant_domain::AssetClass;
use thiserror::Error;

use crate::optional_limits::{self, AdvLimit, GroupCap, MinimumTrade, TurnoverLimit, VolatilityCap};

/// The largest leverage or cap that can be configured; more is taken for a slip of the pen.
pub(crate) const LARGEST_EXPOSURE: f64 = 100.0;
/// The longest pause after a halt: a hundred years.
const LONGEST_PAUSE_DAYS: u32 = 36_500;

/// Limits that no order and no target may exceed. What is not wanted of the first five is stated as `null` or as an empty
/// table; the others may be left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = require_drawdown)]
pub struct RiskLimits {
    /// Largest magnitude of one instrument's net weight, as a fraction of portfolio equity.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub per_asset_cap: f64,
    /// Largest sum of weight magnitudes per asset class. A class that is not listed has no cap of its own.
    pub class_caps: ClassCaps,
    /// Largest sum of weight magnitudes over all instruments; 1 is all of equity.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub gross_leverage: f64,
    /// What happens when equity falls below its high-water mark; `null` when nothing is to happen.
    #[serde(deserialize_with = "nullable")]
    pub drawdown: Option<DrawdownLimits>,
    /// The switch that closes everything.
    pub kill_switch: KillSwitchConfig,
    /// Caps on named groups of instruments, such as sectors, by the name of the group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub group_caps: BTreeMap<String, GroupCap>,
    /// Cap on the volatility of the whole portfolio, correlations counted; none when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volatility_cap: Option<VolatilityCap>,
    /// Limit on trades by what is usually traded of the instrument; none when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adv_limit: Option<AdvLimit>,
    /// Limit on what is traded at a time; none when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turnover_limit: Option<TurnoverLimit>,
    /// Smallest trade; none when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_trade: Option<MinimumTrade>,
}

/// Caps per asset class, as fractions of portfolio equity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassCaps {
    /// Cap on equities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 100.0))]
    pub equity: Option<f64>,
    /// Cap on crypto assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 100.0))]
    pub crypto: Option<f64>,
    /// Cap on currency pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 100.0))]
    pub fx: Option<f64>,
}

impl ClassCaps {
    /// The cap of a class, where it has one.
    pub const fn of(&self, class: AssetClass) -> Option<f64> {
        match class {
            AssetClass::Equity => self.equity,
            AssetClass::Crypto => self.crypto,
            AssetClass::Fx => self.fx,
        }
    }
}

/// The stages of a drawdown, as fractions of the high-water mark of equity: `recover_at` < `trigger` < `halt`.
///
/// The high-water mark is the largest equity observed, the first observation included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrawdownLimits {
    /// Drawdown at which exposure is reduced.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub trigger: f64,
    /// Factor on exposure while reduced.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub reduced_exposure: f64,
    /// Drawdown at which reduced exposure becomes full exposure again.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub recover_at: f64,
    /// Drawdown at which everything is closed.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub halt: f64,
    /// The way back from a halt.
    pub after_halt: AfterHalt,
}

/// The way back from a halt. A closed portfolio cannot earn its drawdown back, so it takes a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AfterHalt {
    /// There is none in this run.
    StayHalted,
    /// Trading resumes after a pause. The high-water mark is then set to the equity of that moment: the loss before the
    /// halt is forgotten, and a further loss of `halt` is possible before the next one.
    ResumeAfterDays {
        /// Length of the pause in calendar days (24 hours each).
        #[schemars(range(min = 1, max = 36_500))]
        days: u32,
    },
}

/// The kill switch: everything is closed, and nothing new is opened for the rest of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = require_file)]
pub struct KillSwitchConfig {
    /// Whether it is on from the start.
    pub engaged: bool,
    /// A file that turns it on as soon as it exists; `null` for none.
    #[serde(deserialize_with = "nullable")]
    pub file: Option<String>,
}

/// What is wrong with limits.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LimitError {
    /// A number outside its range.
    #[error("{field} is {value}, but must be a number from {min} to {max}")]
    Range {
        /// The field, as a path from the root of the limits.
        field: &'static str,
        /// The value found.
        value: f64,
        /// The smallest value allowed.
        min: f64,
        /// The largest value allowed.
        max: f64,
    },
    /// Drawdown stages that are not in order.
    #[error(
        "the drawdown stages must be in the order recover_at < trigger < halt, but are recover_at {recover_at}, \
         trigger {trigger}, halt {halt}"
    )]
    Stages {
        /// Where exposure becomes full again.
        recover_at: f64,
        /// Where exposure is reduced.
        trigger: f64,
        /// Where everything is closed.
        halt: f64,
    },
    /// A group that cannot hold anything, or names what is not there.
    #[error("group_caps.{group}: {problem}")]
    Group {
        /// The group.
        group: String,
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl RiskLimits {
    /// The platform's own limits: 0.40 per asset, 0.20 in crypto, gross leverage 1.2, half exposure from a drawdown of
    /// 15 % until it is back to 10 %, full exit for good at 20 %, kill switch off and without a file.
    pub const fn mission_defaults() -> Self {
        Self {
            per_asset_cap: 0.40,
            class_caps: ClassCaps {
                equity: None,
                crypto: Some(0.20),
                fx: None,
            },
            gross_leverage: 1.2,
            drawdown: Some(DrawdownLimits {
                trigger: 0.15,
                reduced_exposure: 0.50,
                recover_at: 0.10,
                halt: 0.20,
                after_halt: AfterHalt::StayHalted,
            }),
            kill_switch: KillSwitchConfig {
                engaged: false,
                file: None,
            },
            group_caps: BTreeMap::new(),
            volatility_cap: None,
            adv_limit: None,
            turnover_limit: None,
            minimum_trade: None,
        }
    }

    /// For research on single instruments: all of `gross_leverage` may be in one instrument, no class caps, and no
    /// drawdown rule.
    pub const fn permissive(gross_leverage: f64) -> Self {
        Self {
            per_asset_cap: gross_leverage,
            class_caps: ClassCaps {
                equity: None,
                crypto: None,
                fx: None,
            },
            gross_leverage,
            drawdown: None,
            kill_switch: KillSwitchConfig {
                engaged: false,
                file: None,
            },
            group_caps: BTreeMap::new(),
            volatility_cap: None,
            adv_limit: None,
            turnover_limit: None,
            minimum_trade: None,
        }
    }

    /// Checks every range and the order of the drawdown stages.
    ///
    /// # Errors
    /// The first [`LimitError`] found.
    pub fn validate(&self) -> Result<(), LimitError> {
        check("per_asset_cap", self.per_asset_cap, LARGEST_EXPOSURE)?;
        check("gross_leverage", self.gross_leverage, LARGEST_EXPOSURE)?;
        check(
            "class_caps.equity",
            self.class_caps.equity.unwrap_or(0.0),
            LARGEST_EXPOSURE,
        )?;
        check(
            "class_caps.crypto",
            self.class_caps.crypto.unwrap_or(0.0),
            LARGEST_EXPOSURE,
        )?;
        check(
            "class_caps.fx",
            self.class_caps.fx.unwrap_or(0.0),
            LARGEST_EXPOSURE,
        )?;
        self.drawdown.as_ref().map_or(Ok(()), DrawdownLimits::validate)?;
        optional_limits::validate(self)
    }
}

impl DrawdownLimits {
    fn validate(&self) -> Result<(), LimitError> {
        let Self {
            trigger,
            reduced_exposure,
            recover_at,
            halt,
            after_halt,
        } = *self;
        check("drawdown.trigger", trigger, 1.0)?;
        check("drawdown.reduced_exposure", reduced_exposure, 1.0)?;
        check("drawdown.recover_at", recover_at, 1.0)?;
        check("drawdown.halt", halt, 1.0)?;
        if recover_at >= trigger || trigger >= halt {
            return Err(LimitError::Stages {
                recover_at,
                trigger,
                halt,
            });
        }
        match after_halt {
            AfterHalt::ResumeAfterDays { days } if !(1..=LONGEST_PAUSE_DAYS).contains(&days) => {
                let field = "drawdown.after_halt.resume_after_days.days";
                Err(LimitError::Range {
                    field,
                    value: days.into(),
                    min: 1.0,
                    max: LONGEST_PAUSE_DAYS.into(),
                })
            }
            AfterHalt::StayHalted | AfterHalt::ResumeAfterDays { .. } => Ok(()),
        }
    }
}

pub(crate) fn check(field: &'static str, value: f64, max: f64) -> Result<(), LimitError> {
    // A NaN is in no range.
    let in_range = (0.0..=max).contains(&value);
    if in_range {
        Ok(())
    } else {
        Err(LimitError::Range {
            field,
            value,
            min: 0.0,
            max,
        })
    }
}

/// A field that may be `null` but not left out: serde lets any other `Option` field be left out.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

fn require_drawdown(schema: &mut Schema) {
    require(schema, "drawdown");
}

fn require_file(schema: &mut Schema) {
    require(schema, "file");
}

fn require(schema: &mut Schema, field: &str) {
    if let Some(required) = schema.get_mut("required").and_then(|list| list.as_array_mut()) {
        required.push(field.into());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    type Change<T> = fn(&mut T);

    fn config() -> Value {
        json!({
            "per_asset_cap": 0.4,
            "class_caps": { "crypto": 0.2 },
            "gross_leverage": 1.2,
            "drawdown": {
                "trigger": 0.15,
                "reduced_exposure": 0.5,
                "recover_at": 0.1,
                "halt": 0.2,
                "after_halt": "stay_halted",
            },
            "kill_switch": { "engaged": false, "file": null },
        })
    }

    fn read(value: &Value) -> Result<RiskLimits, String> {
        serde_json::from_value(value.clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_the_numbers_of_the_mission() {
        let limits = read(&config()).unwrap();
        assert_eq!(limits, RiskLimits::mission_defaults());
        assert_eq!(limits.validate(), Ok(()));
        assert_eq!(serde_json::to_value(&limits).unwrap(), config());
        let caps = AssetClass::ALL.map(|class| limits.class_caps.of(class));
        assert_eq!(caps, [None, Some(0.2), None]);
    }

    #[test]
    fn nothing_has_a_hidden_default() {
        for path in ["", "/drawdown", "/kill_switch"] {
            let fields: Vec<_> = config()
                .pointer(path)
                .unwrap()
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect();
            for field in fields {
                let mut value = config();
                value
                    .pointer_mut(path)
                    .unwrap()
                    .as_object_mut()
                    .unwrap()
                    .remove(&field);
                let message = read(&value).unwrap_err();
                assert!(message.contains(&format!("missing field `{field}`")), "{message}");
            }
        }
    }

    #[test]
    fn what_is_not_wanted_is_said() {
        let mut value = config();
        value["drawdown"] = Value::Null;
        value["class_caps"] = json!({});
        let limits = read(&value).unwrap();
        assert_eq!((limits.drawdown, limits.class_caps), (None, ClassCaps::default()));
        assert_eq!(serde_json::to_value(&limits).unwrap(), value);
    }

    #[test]
    fn unknown_keys_are_named() {
        for (path, message) in [
            ("", "unknown field `extra`"),
            (
                "/class_caps",
                "unknown field `extra`, expected one of `equity`, `crypto`, `fx`",
            ),
            ("/drawdown", "unknown field `extra`"),
            ("/kill_switch", "unknown field `extra`"),
        ] {
            let mut value = config();
            value.pointer_mut(path).unwrap()["extra"] = json!(1);
            let found = read(&value).unwrap_err();
            assert!(found.contains(message), "{found}");
        }
    }

    #[test]
    fn the_way_back_has_a_length() {
        let mut value = config();
        value["drawdown"]["after_halt"] = json!({ "resume_after_days": { "days": 30 } });
        let after_halt = read(&value).unwrap().drawdown.unwrap().after_halt;
        assert_eq!(after_halt, AfterHalt::ResumeAfterDays { days: 30 });
        value["drawdown"]["after_halt"] = json!({ "resume_after_days": {} });
        assert!(read(&value).unwrap_err().contains("missing field `days`"));
    }

    #[test]
    fn each_range_is_checked() {
        let cases: [(&str, Change<RiskLimits>); 8] = [
            ("per_asset_cap is -1", |limits| limits.per_asset_cap = -1.0),
            ("gross_leverage is 101", |limits| limits.gross_leverage = 101.0),
            ("gross_leverage is NaN", |limits| limits.gross_leverage = f64::NAN),
            ("class_caps.crypto is inf", |limits| {
                limits.class_caps.crypto = Some(f64::INFINITY)
            }),
            ("drawdown.halt is 1.5", |limits| {
                limits.drawdown.as_mut().unwrap().halt = 1.5
            }),
            ("recover_at 0.15, trigger 0.15", |limits| {
                limits.drawdown.as_mut().unwrap().recover_at = 0.15
            }),
            ("trigger 0.15, halt 0.12", |limits| {
                limits.drawdown.as_mut().unwrap().halt = 0.12
            }),
            ("days is 0, but must be a number from 1 to 36500", |limits| {
                limits.drawdown.as_mut().unwrap().after_halt = AfterHalt::ResumeAfterDays { days: 0 };
            }),
        ];
        for (expected, change) in cases {
            let mut limits = RiskLimits::mission_defaults();
            change(&mut limits);
            let message = limits.validate().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        assert_eq!(RiskLimits::permissive(10.0).validate(), Ok(()));
    }

    #[test]
    fn the_schema_asks_for_every_field_and_allows_null_where_it_means_none() {
        let schema = serde_json::to_value(schemars::schema_for!(RiskLimits)).unwrap();
        let required = |schema: &Value| {
            let mut names: Vec<_> = schema["required"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap().to_owned())
                .collect();
            names.sort();
            names
        };
        let all = [
            "class_caps",
            "drawdown",
            "gross_leverage",
            "kill_switch",
            "per_asset_cap",
        ];
        assert_eq!(required(&schema), all);
        assert_eq!(
            required(&schema["$defs"]["KillSwitchConfig"]),
            ["engaged", "file"]
        );
        assert!(
            schema["properties"]["drawdown"]["anyOf"]
                .as_array()
                .unwrap()
                .contains(&json!({ "type": "null" }))
        );
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(
            schema["$defs"]["ClassCaps"]["properties"]["crypto"]["maximum"],
            json!(100.0)
        );
    }
}
