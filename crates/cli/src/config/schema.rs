//! Schema validation: every structural problem of a file at once, each with place, value and what is allowed.

use std::path::Path;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The JSON schema of a configuration type, without references, so that places in it can be looked up.
pub fn schema_of<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Every problem of `value` against `schema`, as sentences that begin with the file and the place.
pub fn problems(file: &Path, schema: &Value, value: &Value) -> Vec<String> {
    let validator = jsonschema::options().should_validate_formats(true).build(schema);
    let validator = validator.expect("a generated schema is a valid schema");
    let mut found = Vec::new();
    for error in validator.iter_errors(value) {
        describe(file, schema, &error, &mut found);
    }
    found.dedup();
    found
}

fn describe(file: &Path, schema: &Value, error: &ValidationError<'_>, found: &mut Vec<String>) {
    let place = place(error);
    let value = error.instance();
    let text = match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            return describe_branches(file, schema, error, context, found);
        }
        Kind::AdditionalProperties { unexpected } => {
            let allowed = properties_at(schema, error);
            for key in unexpected {
                let hint =
                    closest(key, &allowed).map_or(String::new(), |near| format!(" (did you mean `{near}`?)"));
                let keys = allowed.join(", ");
                found.push(format!(
                    "{}: {place}unknown key `{key}`{hint}; allowed are {keys}",
                    file.display()
                ));
            }
            return;
        }
        Kind::Required { property } => format!("the key {property} is missing; it has no default"),
        Kind::Type { .. } => format!("found {value}, but {}", error_text(error)),
        Kind::Enum { options } => format!("found {value}, but allowed are {options}"),
        Kind::Format { format } if format == "date" => {
            format!("found {value}, but it must be a date of the calendar, written as 2020-12-31")
        }
        Kind::Maximum { limit } => format!("found {value}, but the largest value allowed is {limit}"),
        Kind::Minimum { limit } => format!("found {value}, but the smallest value allowed is {limit}"),
        _ => format!("found {value}: {}", error_text(error)),
    };
    found.push(format!("{}: {place}{text}", file.display()));
}

/// Of alternatives, the one that came closest is what the writer meant: the one that is not merely of another type.
fn describe_branches(
    file: &Path,
    schema: &Value,
    error: &ValidationError<'_>,
    context: &[Vec<ValidationError<'static>>],
    found: &mut Vec<String>,
) {
    let is_mismatch = |branch: &[ValidationError<'_>]| {
        branch.iter().any(|one| {
            matches!(
                one.kind(),
                Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. }
            ) && one.instance_path() == error.instance_path()
        })
    };
    // Of alternatives that are objects, the one whose key is there.
    let is_other_tag = |branch: &[ValidationError<'_>]| {
        branch.iter().any(|one| {
            matches!(one.kind(), Kind::Required { .. }) && one.instance_path() == error.instance_path()
        })
    };
    let fitting: Vec<_> = context.iter().filter(|branch| !is_mismatch(branch)).collect();
    let tagged = fitting.iter().find(|branch| !is_other_tag(branch));
    let only = (fitting.len() == 1).then(|| &fitting[0]);
    match tagged.or(only) {
        None if fitting.len() > 1 => {
            let tags: Vec<String> = context.iter().filter_map(|branch| tag_of(branch)).collect();
            found.push(format!(
                "{}: {}found {}, but allowed are {}",
                file.display(),
                place(error),
                error.instance(),
                tags.join(", ")
            ));
        }
        Some(branch) => branch.iter().for_each(|one| describe(file, schema, one, found)),
        None => {
            let reasons: Vec<_> = context.iter().flatten().map(error_text).collect();
            let text = format!("found {}, but {}", error.instance(), reasons.join(", or "));
            found.push(format!("{}: {}{text}", file.display(), place(error)));
        }
    }
}

/// What an alternative asks for: the key of an object, or a word.
fn tag_of(branch: &[ValidationError<'_>]) -> Option<String> {
    branch.iter().find_map(|one| match one.kind() {
        Kind::Required { property } => property.as_str().map(str::to_owned),
        Kind::Constant { expected_value } => expected_value.as_str().map(str::to_owned),
        Kind::Enum { options } => {
            let words = options.as_array()?.iter().filter_map(|word| word.as_str());
            Some(words.collect::<Vec<_>>().join(", "))
        }
        _ => None,
    })
}

fn error_text(error: &ValidationError<'_>) -> String {
    // The library's sentence begins with the value; ours has it already.
    let text = error.to_string();
    let value = error.instance().to_string();
    let rest = text.strip_prefix(&value).unwrap_or(&text).trim_start();
    rest.replacen("is not of type", "it must be of type", 1).replacen(
        "is not of types",
        "it must be of types",
        1,
    )
}

/// `risk.drawdown.` style path in front of a sentence; empty at the top.
fn place(error: &ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    let path = path.trim_start_matches('/').replace('/', ".");
    if path.is_empty() {
        path
    } else {
        format!("{path}: ")
    }
}

/// The keys allowed at the place of an error.
fn properties_at(schema: &Value, error: &ValidationError<'_>) -> Vec<String> {
    let path = error.schema_path().to_string();
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let object = schema
        .pointer(parent)
        .and_then(|one| one.get("properties"))
        .and_then(Value::as_object);
    object
        .map(|keys| keys.keys().cloned().collect())
        .unwrap_or_default()
}

/// The allowed key nearest to a misspelt one, if any is near.
fn closest<'a>(key: &str, allowed: &'a [String]) -> Option<&'a String> {
    let near = allowed
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(key, candidate), candidate))
        .min()?;
    (near.0 <= key.len().max(3) / 3 + 1).then_some(near.1)
}
