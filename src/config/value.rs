//! TOML values that know where they were written.
//!
//! The parser's own spanned values borrow the text they came from; these own theirs, so that layers can outlive loading.

use std::borrow::Cow;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

/// A table whose keys and values know the bytes they were written in.
pub type Table = toml::map::Map<Spanned<String>, Value>;
/// A value with the bytes it was written in.
pub type Value = Spanned<Data>;

/// What a value is.
#[derive(Clone, Debug)]
pub enum Data {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A date, a time or both.
    Date(toml::value::Datetime),
    /// An array.
    Array(Vec<Value>),
    /// A table.
    Table(Table),
}

impl Data {
    /// The string, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The table, if it is one.
    #[must_use]
    pub fn as_table(&self) -> Option<&Table> {
        if let Self::Table(table) = self { Some(table) } else { None }
    }

    /// What people call its type.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number with a point",
            Self::Bool(_) => "true or false",
            Self::Date(_) => "a date",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }

    /// The same without the places, for reading it into types and for printing it.
    #[must_use]
    pub fn to_toml(&self) -> toml::Value {
        match self {
            Self::Text(text) => toml::Value::String(text.clone()),
            Self::Integer(number) => toml::Value::Integer(*number),
            Self::Float(number) => toml::Value::Float(*number),
            Self::Bool(value) => toml::Value::Boolean(*value),
            Self::Date(date) => toml::Value::Datetime(*date),
            Self::Array(values) => toml::Value::Array(values.iter().map(|value| value.get_ref().to_toml()).collect()),
            Self::Table(table) => {
                let mut out = toml::Table::new();
                merge(&mut out, table);
                toml::Value::Table(out)
            }
        }
    }
}

impl From<toml::Value> for Data {
    fn from(value: toml::Value) -> Self {
        let place = |value| Spanned::new(0..0, Self::from(value));
        match value {
            toml::Value::String(text) => Self::Text(text),
            toml::Value::Integer(number) => Self::Integer(number),
            toml::Value::Float(number) => Self::Float(number),
            toml::Value::Boolean(value) => Self::Bool(value),
            toml::Value::Datetime(date) => Self::Date(date),
            toml::Value::Array(values) => Self::Array(values.into_iter().map(place).collect()),
            toml::Value::Table(table) => {
                Self::Table(table.into_iter().map(|(key, value)| (Spanned::new(0..0, key), place(value))).collect())
            }
        }
    }
}

/// Adds `from` to `into`: tables key by key, everything else replaces what was there.
pub fn merge(into: &mut toml::Table, from: &Table) {
    for (key, value) in from {
        if let (Some(toml::Value::Table(into)), Data::Table(from)) = (into.get_mut(key.get_ref()), value.get_ref()) {
            merge(into, from);
        } else {
            into.insert(key.get_ref().clone(), value.get_ref().to_toml());
        }
    }
}

/// A number that does not fit is an error: the bytes it stands in, and what is wrong.
pub(super) type NumberError = (std::ops::Range<usize>, String);

/// Takes over a parsed table.
pub(super) fn own_table(table: DeTable<'_>) -> Result<Table, NumberError> {
    let own = |(key, value): (Spanned<Cow<'_, str>>, _)| {
        Ok((Spanned::new(key.span(), key.into_inner().into_owned()), own_value(value)?))
    };
    table.into_iter().map(own).collect()
}

/// Takes over a parsed value.
pub(super) fn own_value(value: Spanned<DeValue<'_>>) -> Result<Value, NumberError> {
    let span = value.span();
    let data = match value.into_inner() {
        DeValue::String(text) => Data::Text(text.into_owned()),
        DeValue::Integer(number) => match integer(&number) {
            Some(number) => Data::Integer(number),
            None => return Err((span, format!("{number} is too large"))),
        },
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Data::Float(number),
            Err(_) => return Err((span, format!("{number} is no number"))),
        },
        DeValue::Boolean(value) => Data::Bool(value),
        DeValue::Datetime(date) => Data::Date(date),
        DeValue::Array(values) => Data::Array(values.into_iter().map(own_value).collect::<Result<_, _>>()?),
        DeValue::Table(table) => Data::Table(own_table(table)?),
    };
    Ok(Spanned::new(span, data))
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table, NumberError> {
        own_table(DeTable::parse(text).unwrap().into_inner())
    }

    #[test]
    fn every_type_survives() {
        let text =
            "a = 'x'\nb = -0\nc = 1.5\nd = true\ne = 2026-01-02\nf = [1, 'y']\ng = 0xff\nh = inf\n[t.u]\nv = 1_000\n";
        let mut merged = toml::Table::new();
        merge(&mut merged, &table(text).unwrap());
        assert_eq!(merged, text.parse::<toml::Table>().unwrap());
    }

    #[test]
    fn merging_goes_into_tables_and_replaces_the_rest() {
        let mut merged = toml::Table::new();
        merge(&mut merged, &table("x = 1\nlist = [1, 2]\nt = { a = 1, b = { c = 1 } }\ns = 1").unwrap());
        merge(&mut merged, &table("x = 2\nlist = [3]\nt.b.d = 2\ns = { a = 1 }").unwrap());
        let expected = "x = 2\nlist = [3]\nt = { a = 1, b = { c = 1, d = 2 } }\ns = { a = 1 }";
        assert_eq!(merged, expected.parse::<toml::Table>().unwrap());
    }

    #[test]
    fn a_number_too_large_says_so() {
        let (span, message) = table("a = 99999999999999999999").unwrap_err();
        assert_eq!((span, message.as_str()), (4..24, "99999999999999999999 is too large"));
    }
}
