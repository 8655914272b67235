//! Reading JSON strictly: every mismatch says where it is, what was found and what was expected.

use serde_json::Value;

use crate::fault::{Fault, excerpt};

const SHOWN_FIELDS: usize = 12;

/// Reads a body.
pub(crate) fn parse(body: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        let found = excerpt(body);
        Fault::Shape(format!("the body is not JSON ({error}); it begins `{found}`"))
    })
}

/// A value and the way to it from the root of the body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    from: Option<(&'a Node<'a>, Step<'a>)>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

impl<'a> Node<'a> {
    /// The root of a body.
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value, from: None }
    }

    /// A field that has to be there.
    pub(crate) fn field<'b>(&'b self, name: &'b str) -> Result<Node<'b>, Fault> {
        let fields = self.value.as_object().ok_or_else(|| self.misfit("an object"))?;
        let value = fields.get(name).ok_or_else(|| {
            let there: Vec<&str> = fields.keys().take(SHOWN_FIELDS).map(String::as_str).collect();
            Fault::Shape(format!(
                "{} has no field `{name}`; it has [{}]",
                self.place(),
                excerpt(there.join(", ").as_bytes())
            ))
        })?;
        Ok(Node {
            value,
            from: Some((self, Step::Field(name))),
        })
    }

    /// A field that may be missing or null.
    pub(crate) fn optional<'b>(&'b self, name: &'b str) -> Result<Option<Node<'b>>, Fault> {
        let fields = self.value.as_object().ok_or_else(|| self.misfit("an object"))?;
        Ok(fields
            .get(name)
            .filter(|value| !value.is_null())
            .map(|value| Node {
                value,
                from: Some((self, Step::Field(name))),
            }))
    }

    /// The names of the fields of an object.
    pub(crate) fn names(&self) -> Result<impl Iterator<Item = &'a str>, Fault> {
        let fields = self.value.as_object().ok_or_else(|| self.misfit("an object"))?;
        Ok(fields.keys().map(String::as_str))
    }

    /// The items of an array.
    pub(crate) fn items<'b>(&'b self) -> Result<impl ExactSizeIterator<Item = Node<'b>>, Fault> {
        let items = self.value.as_array().ok_or_else(|| self.misfit("an array"))?;
        Ok(items.iter().enumerate().map(move |(index, value)| Node {
            value,
            from: Some((self, Step::Item(index))),
        }))
    }

    /// The items of an array of known length.
    pub(crate) fn tuple<const N: usize>(&self) -> Result<[Node<'_>; N], Fault> {
        let items: Vec<Node<'_>> = self.items()?.collect();
        items
            .try_into()
            .map_err(|_| self.misfit(&format!("an array of {N} items")))
    }

    /// A text.
    pub(crate) fn text(&self) -> Result<&'a str, Fault> {
        self.value.as_str().ok_or_else(|| self.misfit("a text"))
    }

    /// A whole number that is written as one.
    pub(crate) fn integer(&self) -> Result<i64, Fault> {
        self.value.as_i64().ok_or_else(|| self.misfit("a whole number"))
    }

    /// A number that is written as one; always finite.
    pub(crate) fn number(&self) -> Result<f64, Fault> {
        self.value.as_f64().ok_or_else(|| self.misfit("a number"))
    }

    /// A finite number that is written as a text.
    pub(crate) fn decimal(&self) -> Result<f64, Fault> {
        let misfit = || self.misfit("a decimal number as a text");
        let number: f64 = self
            .value
            .as_str()
            .ok_or_else(misfit)?
            .parse()
            .map_err(|_| misfit())?;
        if number.is_finite() {
            Ok(number)
        } else {
            Err(misfit())
        }
    }

    /// Whether the value is null.
    pub(crate) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    /// What is wrong with this value.
    pub(crate) fn misfit(&self, expected: &str) -> Fault {
        let found = match self.value {
            Value::Object(_) => "an object".to_owned(),
            Value::Array(items) => format!("an array of {} items", items.len()),
            other => format!("`{}`", excerpt(other.to_string().as_bytes())),
        };
        Fault::Shape(format!("{} is {found}; expected {expected}", self.place()))
    }

    fn place(&self) -> String {
        let Some((parent, step)) = self.from else {
            return "the body".to_owned();
        };
        let before = if parent.from.is_some() {
            parent.place()
        } else {
            String::new()
        };
        match step {
            Step::Field(name) if before.is_empty() => name.to_owned(),
            Step::Field(name) => format!("{before}.{name}"),
            Step::Item(index) if before.is_empty() => format!("the body[{index}]"),
            Step::Item(index) => format!("{before}[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn words<T>(result: Result<T, Fault>) -> String {
        match result.err().unwrap() {
            Fault::Shape(words) => words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn misfits_say_where_what_and_what_else() {
        let body = json!({"a": {"b": [1, "2.5", null, "x", "NaN", 1e300]}, "c": null});
        let root = Node::root(&body);
        let a = root.field("a").unwrap();
        let b = a.field("b").unwrap();
        let items: Vec<Node<'_>> = b.items().unwrap().collect();
        assert_eq!(items[0].integer().unwrap(), 1);
        assert_eq!(items[1].decimal().unwrap(), 2.5);
        assert_eq!(items[5].number().unwrap(), 1e300);
        assert!(items[2].is_null());
        for (found, expected) in [
            (
                words(items[0].decimal()),
                "a.b[0] is `1`; expected a decimal number as a text",
            ),
            (words(items[1].number()), "a.b[1] is `\"2.5\"`; expected a number"),
            (words(items[2].text()), "a.b[2] is `null`; expected a text"),
            (
                words(items[3].decimal()),
                "a.b[3] is `\"x\"`; expected a decimal number as a text",
            ),
            (
                words(items[4].decimal()),
                "a.b[4] is `\"NaN\"`; expected a decimal number as a text",
            ),
            (
                words(items[5].integer()),
                "a.b[5] is `1e+300`; expected a whole number",
            ),
            (
                words(b.tuple::<2>()),
                "a.b is an array of 6 items; expected an array of 2 items",
            ),
            (
                words(b.field("x")),
                "a.b is an array of 6 items; expected an object",
            ),
            (words(a.field("x")), "a has no field `x`; it has [b]"),
            (words(root.field("x")), "the body has no field `x`; it has [a, c]"),
            (
                words(root.items().map(|_| ())),
                "the body is an object; expected an array",
            ),
        ] {
            assert_eq!(found, expected);
        }
        assert!(root.optional("c").unwrap().is_none());
        assert!(root.optional("z").unwrap().is_none());
        assert_eq!(root.names().unwrap().collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn bodies_that_are_not_json_are_shown() {
        for body in [
            &b"<!DOCTYPE html><html>"[..],
            b"",
            b"{\"a\": [1, 2",
            b"{\"a\": 1e999}",
            b"{\"a\": \xff}",
        ] {
            let message = words(parse(body));
            assert!(message.starts_with("the body is not JSON"), "{message}");
        }
        assert!(words(parse(b"<html>")).contains("it begins `<html>`"));
    }
}
