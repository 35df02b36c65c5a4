//! `amount(text, currency)`: money as somebody wrote it, `amount_spelling(text, currency)`: how; `whole_number(text)` and
//! `number_between(text, low, high)`: numbers.  NULL where a text is missing, none of these, or can be meant in two ways.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::missing::{given, trimmed};
use crate::number::{Spelling, Written};
use crate::of_text::of_text;

/// The functions as a session registers them.
pub fn functions() -> [ScalarUDF; 4] {
    let of = |reads, arguments| {
        ScalarUDF::from(OfNumber { reads, signature: Signature::exact(arguments, Volatility::Immutable) })
    };
    [
        of_text("whole_number", DataType::Int64, |texts| {
            Arc::new(texts.iter().map(|text| text.and_then(whole_number)).collect::<Int64Array>())
        }),
        of(Reads::Amount, vec![DataType::Utf8, DataType::Utf8]),
        of(Reads::Spelling, vec![DataType::Utf8, DataType::Utf8]),
        of(Reads::Between, vec![DataType::Utf8, DataType::Float64, DataType::Float64]),
    ]
}

/// Currencies by code, with the signs and words people write for them.
const CURRENCIES: [(&str, &[&str]); 8] = [
    ("EUR", &["€", "eur", "euro", "euros"]),
    ("CHF", &["chf", "fr.", "fr", "sfr.", "sfr"]),
    ("GBP", &["£", "gbp"]),
    ("USD", &["us$", "$", "usd"]),
    ("SEK", &["kr", "sek"]),
    ("DKK", &["kr", "dkk"]),
    ("PLN", &["zł", "pln"]),
    ("JPY", &["¥", "jpy"]),
];

/// A whole number, also one that a table program made a decimal of (`1.0`, `"1,0"`).
fn whole_number(text: &str) -> Option<i64> {
    i64::try_from(Written::read(text)?.whole()?).ok()
}

/// The text without its currency, where that is the one asked for; and whether it had one.
fn without_currency<'a>(text: &'a str, currency: &str) -> (&'a str, bool) {
    let text = trimmed(text);
    let code = [currency];
    let signs =
        CURRENCIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(currency)).map_or(&code[..], |(_, signs)| signs);
    for sign in signs {
        let begins = text.get(..sign.len()).is_some_and(|start| start.eq_ignore_ascii_case(sign));
        if begins {
            return (trimmed(&text[sign.len()..]), true);
        }
        let end = text.len().saturating_sub(sign.len());
        if text.get(end..).is_some_and(|end| end.eq_ignore_ascii_case(sign)) {
            return (trimmed(&text[..end]), true);
        }
    }
    (text, false)
}

fn amount(text: &str, currency: &str) -> Option<(Written, bool)> {
    if let Some(written) = Written::read(text) {
        return Some((written, false));
    }
    let (rest, signed) = without_currency(text, currency);
    // 12,– and 12.- are whole amounts.
    let whole = [",-", ".-", ",–", ".–", ",—", ".—"].iter().find_map(|end| rest.strip_suffix(end));
    Written::read(whole.unwrap_or(rest)).map(|written| (written, signed || whole.is_some()))
}

/// `plain`, `decimal comma`, `thousands`, `currency`, `rounded` (to hundredths), `unclear` or `unreadable`.
fn spelling(text: &str, currency: &str) -> Option<&'static str> {
    let text = given(text)?;
    Some(match amount(text, currency) {
        None => "unreadable",
        Some((written, signed)) => match written.spelling {
            Spelling::Unclear => "unclear",
            _ if !written.has_at_most(AMOUNT.1 as u32) => "rounded",
            Spelling::Thousands => "thousands",
            Spelling::DecimalComma => "decimal comma",
            Spelling::Plain if signed => "currency",
            Spelling::Plain => "plain",
        },
    })
}

/// Decimals of an amount, and of a number between limits.
const AMOUNT: (u8, i8) = (12, 2);
const BETWEEN: (u8, i8) = (20, 6);

/// The digits, where a decimal of so many holds them.
fn within((precision, _): (u8, i8), digits: Option<i128>) -> Option<i128> {
    digits.filter(|digits| digits.unsigned_abs() < 10_u128.pow(u32::from(precision)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Reads {
    Amount,
    Spelling,
    Between,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OfNumber {
    reads: Reads,
    signature: Signature,
}

impl ScalarUDFImpl for OfNumber {
    fn name(&self) -> &str {
        match self.reads {
            Reads::Amount => "amount",
            Reads::Spelling => "amount_spelling",
            Reads::Between => "number_between",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.reads {
            Reads::Amount => DataType::Decimal128(AMOUNT.0, AMOUNT.1),
            Reads::Spelling => DataType::Utf8,
            Reads::Between => DataType::Decimal128(BETWEEN.0, BETWEEN.1),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let array = |place: usize| args.args[place].to_array(args.number_rows);
        let texts = array(0)?;
        let texts = texts.as_string::<i32>();
        let answer: ArrayRef = match self.reads {
            Reads::Amount => {
                let currencies = currencies(&args.args[1]);
                let read = |(row, text): (usize, Option<&str>)| {
                    within(AMOUNT, amount(text?, currencies(row)?)?.0.scaled(AMOUNT.1 as u32))
                };
                decimals(AMOUNT, texts.iter().enumerate().map(read).collect())?
            }
            Reads::Spelling => {
                let currencies = currencies(&args.args[1]);
                let read = |(row, text): (usize, Option<&str>)| spelling(text?, currencies(row)?);
                Arc::new(texts.iter().enumerate().map(read).collect::<StringArray>())
            }
            Reads::Between => {
                let (low, high) = (array(1)?, array(2)?);
                let [low, high] = [&low, &high].map(|limits| limits.as_primitive::<Float64Type>());
                let read = |(row, text): (usize, Option<&str>)| {
                    let written = Written::read(text?).filter(|_| low.is_valid(row) && high.is_valid(row))?;
                    within(BETWEEN, written.scaled_between(BETWEEN.1 as u32, low.value(row), high.value(row)))
                };
                decimals(BETWEEN, texts.iter().enumerate().map(read).collect())?
            }
        };
        Ok(ColumnarValue::Array(answer))
    }
}

fn decimals((precision, decimals): (u8, i8), values: Decimal128Array) -> Result<ArrayRef> {
    Ok(Arc::new(values.with_precision_and_scale(precision, decimals)?))
}

/// The currency of every row; nearly always one for all.
fn currencies<'a>(codes: &'a ColumnarValue) -> impl Fn(usize) -> Option<&'a str> {
    move |row| match codes {
        ColumnarValue::Scalar(code) => code.try_as_str().flatten(),
        ColumnarValue::Array(codes) => {
            let codes = codes.as_string::<i32>();
            codes.is_valid(row).then(|| codes.value(row))
        }
    }
}
