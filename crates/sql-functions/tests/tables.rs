//! What each function makes of what people write: tables of text and answer.

use datafusion::arrow::array::{Array, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::prelude::SessionContext;

/// What a case's answer is in words.
const MISSING: &str = "missing";
const UNCLEAR: &str = "unclear";

/// Asks for an expression over `text` of every case, also for the column as a whole.
fn check(expression: &str, cases: &[(&str, &str)]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let context = SessionContext::new();
    sql_functions::register(&context);
    let texts = StringArray::from_iter_values(cases.iter().map(|(text, _)| text));
    let column = std::sync::Arc::new(texts) as datafusion::arrow::array::ArrayRef;
    let batch = datafusion::arrow::array::RecordBatch::try_from_iter([("text", column)]).unwrap();
    context.register_batch("cases", batch).unwrap();
    let query = format!("SELECT text, {expression} AS answer, given(text) AS given FROM cases");
    let answer = runtime.block_on(async { context.sql(&query).await.unwrap().collect().await.unwrap() });
    let answer = &answer[0];
    let given = cast(answer.column(2), &DataType::Utf8).unwrap();
    let given = given.as_string::<i32>();
    let wrong: Vec<String> = cases
        .iter()
        .enumerate()
        .filter_map(|(row, (text, expected))| {
            let value = answer.column(1);
            let found = match (value.is_valid(row), given.is_valid(row)) {
                (true, _) => array_value_to_string(value, row).unwrap(),
                (false, true) => UNCLEAR.to_owned(),
                (false, false) => MISSING.to_owned(),
            };
            (found != *expected).then(|| format!("{text:?}: {found}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{expression}\n{}", wrong.join("\n"));
}

#[test]
fn words_for_missing() {
    let missing = [
        "",
        " ",
        "\u{a0}",
        "NULL",
        "null",
        "(null)",
        "none",
        "None",
        "NONE",
        "nil",
        "n/a",
        "N/A",
        "NA",
        "<NA>",
        "nan",
        "NaN",
        "NaT",
        "-",
        "--",
        " - ",
        "–",
        "\\N",
        "keine",
        "Keine Angabe",
        "k.A.",
        "unknown",
        "unbekannt",
        "#N/A",
        "#NV",
        "?",
        "undefined",
        "not given",
    ];
    check("given(text)", &missing.map(|text| (text, MISSING)));
    check(
        "given(text)",
        &[
            ("minimalist", "minimalist"),
            ("  padded ", "padded"),
            ("\u{feff}K1\u{200b}", "K1"),
            ("ohne Kragen", "ohne Kragen"),
            ("Nantes", "Nantes"),
            ("Nil Pants", "Nil Pants"),
            ("Nanette", "Nanette"),
            ("no", "no"),
            ("0", "0"),
            ("false", "false"),
            ("N", "N"),
            ("NULL-Stil", "NULL-Stil"),
            ("keiner wie du", "keiner wie du"),
        ],
    );
}

#[test]
fn flags() {
    let yes = [
        "1", "true", "True", "TRUE", " true ", "1.0", "1.00", "1,0", "yes", "Yes", "y", "Y", "t", "T", "on", "ja",
        "JA", "j", "wahr", "WAHR",
    ];
    let no = [
        "0", "false", "False", "FALSE", "0.0", "0,0", "no", "No", "n", "N", "f", "off", "nein", "Nein", "FALSCH", "-0",
    ];
    let unclear = ["2", "-1", "maybe", "1.5", "yes?", "tru", "10", "1,000", "granted", "x"];
    check("flag(text)", &yes.map(|text| (text, "true")));
    check("flag(text)", &no.map(|text| (text, "false")));
    check("flag(text)", &unclear.map(|text| (text, UNCLEAR)));
    check("flag(text)", &["", "NULL", "nan", "-", "n/a"].map(|text| (text, MISSING)));
}

#[test]
fn whole_numbers() {
    check(
        "whole_number(text)",
        &[
            ("1", "1"),
            ("-1", "-1"),
            ("+3", "3"),
            ("1.0", "1"),
            ("-1.0", "-1"),
            ("1,0", "1"),
            ("1.00", "1"),
            ("12.", "12"),
            ("1e3", "1000"),
            ("2.0E+0", "2"),
            ("1-", "-1"),
            ("(2)", "-2"),
            ("−4", "-4"),
            ("1 234", "1234"),
            ("1'234", "1234"),
            ("1.234.567", "1234567"),
            ("007", "7"),
            ("0", "0"),
            ("1.000", UNCLEAR),
            ("1,234", UNCLEAR),
            ("1.5", UNCLEAR),
            ("one", UNCLEAR),
            ("1.2.3", UNCLEAR),
            ("12 Stk", UNCLEAR),
            ("--1", UNCLEAR),
            ("1 2", UNCLEAR),
            ("99999999999999999999999999999", UNCLEAR),
            ("nan", MISSING),
            ("", MISSING),
        ],
    );
}

#[test]
fn amounts() {
    let cases = [
        ("1299.00", "1299.00", "plain"),
        ("39", "39.00", "plain"),
        ("39.5", "39.50", "plain"),
        ("-3.5", "-3.50", "plain"),
        ("0.125", "0.13", "rounded"),
        ("30.299999999999997", "30.30", "rounded"),
        ("1e3", "1000.00", "plain"),
        (".50", "0.50", "plain"),
        ("30,30", "30.30", "decimal comma"),
        ("30,3", "30.30", "decimal comma"),
        ("1,299.00", "1299.00", "thousands"),
        ("1.299,00", "1299.00", "thousands"),
        ("2,499.50", "2499.50", "thousands"),
        ("1'234.56", "1234.56", "thousands"),
        ("1’234.56", "1234.56", "thousands"),
        ("1 234,56", "1234.56", "thousands"),
        ("1\u{a0}234,56", "1234.56", "thousands"),
        ("1\u{202f}234,56", "1234.56", "thousands"),
        ("1.234.567,89", "1234567.89", "thousands"),
        ("1,234,567", "1234567.00", "thousands"),
        ("1 299", "1299.00", "thousands"),
        ("€ 39.00", "39.00", "currency"),
        ("39,00 €", "39.00", "decimal comma"),
        ("39.00 EUR", "39.00", "currency"),
        ("1.299,00€", "1299.00", "thousands"),
        ("39,-", "39.00", "currency"),
        ("39,– €", "39.00", "currency"),
        ("1,299", UNCLEAR, "unclear"),
        ("1.299", UNCLEAR, "unclear"),
        ("12,500 €", UNCLEAR, "unclear"),
        ("$ 39.00", UNCLEAR, "unreadable"),
        ("39.00 USD", UNCLEAR, "unreadable"),
        ("cheap", UNCLEAR, "unreadable"),
        ("12,34,567.00", UNCLEAR, "unreadable"),
        ("1.299.00", UNCLEAR, "unreadable"),
        ("1,2,3", UNCLEAR, "unreadable"),
        ("12 34", UNCLEAR, "unreadable"),
        ("1234.567,00", UNCLEAR, "unreadable"),
        ("99999999999.00", UNCLEAR, "plain"),
        ("n/a", MISSING, MISSING),
        ("", MISSING, MISSING),
    ];
    check("amount(text, 'EUR')", &cases.map(|(text, value, _)| (text, value)));
    check("amount_spelling(text, 'EUR')", &cases.map(|(text, _, spelling)| (text, spelling)));
    check("amount(text, 'CHF')", &[("CHF 1'299.50", "1299.50"), ("Fr. 20.-", "20.00"), ("20 €", UNCLEAR)]);
    check("amount(text, 'GBP')", &[("£12.50", "12.50"), ("€12.50", UNCLEAR)]);
}

#[test]
fn numbers_between_limits() {
    check(
        "number_between(text, 0, 100)",
        &[
            ("70", "70.000000"),
            ("7.5", "7.500000"),
            ("7,5", "7.500000"),
            ("72.333", "72.333000"),
            ("72,333", "72.333000"),
            ("70.0", "70.000000"),
            ("100", "100.000000"),
            ("101", UNCLEAR),
            ("-1", UNCLEAR),
            ("a lot", UNCLEAR),
            ("nan", MISSING),
        ],
    );
    check("number_between(text, 0, 10000)", &[("1,299", UNCLEAR), ("1299", "1299.000000")]);
    check("number_between(text, 500, 10000)", &[("1,299", "1299.000000")]);
}

#[test]
fn moments() {
    check(
        "moment(text, 'Europe/Berlin')",
        &[
            ("2026-08-01T09:00:00+02:00", "2026-08-01T07:00:00"),
            ("2026-08-01T09:00:00", "2026-08-01T07:00:00"),
            ("2026-08-01 09:00:00", "2026-08-01T07:00:00"),
            ("2026-01-01 09:00:00", "2026-01-01T08:00:00"),
            ("2026-08-01 09:00", "2026-08-01T07:00:00"),
            ("2026-08-01T09:00:00.250", "2026-08-01T07:00:00.250"),
            ("2026-08-01T09:00:00Z", "2026-08-01T09:00:00"),
            ("2026-08-01 09:00:00 UTC", "2026-08-01T09:00:00"),
            ("2026-08-01 09:00:00+00", "2026-08-01T09:00:00"),
            ("2026-08-01T09:00:00.5-0530", "2026-08-01T14:30:00.500"),
            ("2026-08-01 09:00:00 CEST", "2026-08-01T07:00:00"),
            ("2026-08-01T09:00:00+02:00[Europe/Berlin]", "2026-08-01T07:00:00"),
            ("01.08.2026 09:00:00", "2026-08-01T07:00:00"),
            ("1.8.2026 9:00", "2026-08-01T07:00:00"),
            ("2026-08-01", "2026-07-31T22:00:00"),
            ("31/12/2025 09:00:00", "2025-12-31T08:00:00"),
            ("12/31/2025 09:00:00", "2025-12-31T08:00:00"),
            // The clock showed the hour twice: the first.  It skipped the other: none.
            ("2025-10-26 02:30:00", "2025-10-26T00:30:00"),
            ("2025-10-26 02:30:00+01:00", "2025-10-26T01:30:00"),
            ("2026-03-29 02:30:00", UNCLEAR),
            ("01/02/2026 09:00:00", UNCLEAR),
            ("01.08.26 09:00:00", UNCLEAR),
            ("2026-02-29 09:00:00", UNCLEAR),
            ("2026-08-01 25:00:00", UNCLEAR),
            ("2026-08-01 09:00:00 Berlin", UNCLEAR),
            ("2026-08-01 09:00:00 PM", UNCLEAR),
            ("9999-12-31 00:00:00", UNCLEAR),
            ("0001-01-01 00:00:00", UNCLEAR),
            ("yesterday", UNCLEAR),
            ("1756000000", UNCLEAR),
            ("NULL", MISSING),
        ],
    );
    check(
        "moment(text, 'UTC')",
        &[
            ("2026-08-01T09:00:00Z", "2026-08-01T09:00:00"),
            ("2026-08-01 09:00:00", "2026-08-01T09:00:00"),
            ("31.12.2025 23:59:59", "2025-12-31T23:59:59"),
            ("2026-08-01T09:00:00+02:00", "2026-08-01T07:00:00"),
        ],
    );
}

#[test]
fn moments_after_their_cause() {
    // Shown at 02:50 of the first hour, clicked at 02:05: of the second.
    let cause = "TIMESTAMP '2025-10-26T00:50:00'";
    check(
        &format!("moment_after(text, 'Europe/Berlin', {cause})"),
        &[
            ("2025-10-26 02:05:00", "2025-10-26T01:05:00"),
            ("2025-10-26 02:50:00", "2025-10-26T00:50:00"),
            ("2025-10-26 02:55:00", "2025-10-26T00:55:00"),
            ("2025-10-26 03:10:00", "2025-10-26T02:10:00"),
            // Before its cause either way: as it stands there.
            ("2025-10-26 01:10:00", "2025-10-25T23:10:00"),
            ("2025-10-26 02:05:00+02:00", "2025-10-26T00:05:00"),
        ],
    );
    check(
        "moment_after(text, 'Europe/Berlin', CAST(NULL AS TIMESTAMP))",
        &[("2025-10-26 02:05:00", "2025-10-26T00:05:00")],
    );
    check(
        "moment_after(text, 'Europe/Berlin', TIMESTAMP '2025-10-26T01:30:00')",
        &[("2025-10-26 02:05:00", "2025-10-26T00:05:00"), ("2025-10-26 02:40:00", "2025-10-26T01:40:00")],
    );
}

#[test]
fn days() {
    check(
        "day(text, 'Europe/Berlin')",
        &[
            ("2025-01-15", "2025-01-15"),
            (" 2025-01-15 ", "2025-01-15"),
            ("15.01.2025", "2025-01-15"),
            ("2025/01/15", "2025-01-15"),
            ("20250115", "2025-01-15"),
            ("2025-01-15 00:00:00", "2025-01-15"),
            ("2025-01-15T13:00:00", "2025-01-15"),
            // Midnight in Berlin, as a moment.
            ("2025-01-14T23:00:00Z", "2025-01-15"),
            ("2025-06-14T22:00:00.000Z", "2025-06-15"),
            ("2025-06-15T00:00:00+02:00", "2025-06-15"),
            ("2025-06-15T00:00:00Z", "2025-06-15"),
            ("9999-12-31", "9999-12-31"),
            ("9999-12-31T00:00:00Z", "9999-12-31"),
            ("0001-01-01", "0001-01-01"),
            ("0000-00-00", MISSING),
            ("0000-00-00 00:00:00", MISSING),
            ("05/06/2025", UNCLEAR),
            ("31/05/2025", "2025-05-31"),
            ("2025-02-30", UNCLEAR),
            ("soon", UNCLEAR),
            ("n/a", MISSING),
        ],
    );
    check(
        "day(text, 'America/New_York')",
        &[
            ("2025-01-15T05:00:00Z", "2025-01-15"),
            ("2025-01-15T00:00:00Z", "2025-01-15"),
            ("2025-01-15T03:00:00Z", "2025-01-14"),
        ],
    );
}

#[test]
fn how_times_are_written() {
    let cases = [
        ("2026-08-01T09:00:00Z", "true", "false"),
        ("2026-08-01 09:00:00", "false", "false"),
        ("2026-08-01T09:00:00+02:00", "true", "false"),
        ("31.12.2025 23:59:59", "false", "true"),
        ("31.12.2025 23:59:59Z", "true", "true"),
        ("soon", UNCLEAR, UNCLEAR),
        ("", MISSING, MISSING),
    ];
    check("own_offset(text)", &cases.map(|(text, offset, _)| (text, offset)));
    check("day_first(text)", &cases.map(|(text, _, first)| (text, first)));
    check(
        "local_time(moment(text, 'UTC'), 'Europe/Berlin')",
        &[("2026-07-31T22:30:00", "2026-08-01T00:30:00"), ("2026-01-31T22:30:00", "2026-01-31T23:30:00")],
    );
}

#[test]
fn identifiers() {
    check(
        "identifier(text)",
        &[
            ("K1", "K1"),
            (" K1 ", "K1"),
            ("\u{feff}K1", "K1"),
            ("=\"00501\"", "00501"),
            ("\"501\"", "501"),
            ("'501", "501"),
            ("'501'", "501"),
            ("501.0", "501"),
            ("00501", "00501"),
            ("v3.0", "v3.0"),
            ("12E3", "12E3"),
            ("1.23E+11", UNCLEAR),
            ("1,23E+11", UNCLEAR),
            ("N-100", "N-100"),
            ("none-1", "none-1"),
            ("NULL", MISSING),
            ("n/a", MISSING),
            ("\"\"", MISSING),
        ],
    );
}

#[test]
fn texts_without_html() {
    check(
        "plain_text(text)",
        &[
            ("A soft hem.", "A soft hem."),
            (" A  soft hem. ", "A  soft hem."),
            ("Salt &amp; pepper", "Salt & pepper"),
            ("Salt &amp;amp; pepper", "Salt & pepper"),
            ("&uuml;ber &#8211; 100&nbsp;%", "über – 100\u{a0}%"),
            ("&quot;soft&quot; &lt;3 &#39;x&#x27;", "\"soft\" <3 'x'"),
            ("<p>Wool.</p><p>Lined.</p>", "Wool. Lined."),
            ("Wool<br/>lined<br>warm", "Wool lined warm"),
            ("<b>W</b>ool <i class=\"x\">coat</i>", "Wool coat"),
            ("&lt;p&gt;Wool.&lt;/p&gt;", "Wool."),
            ("Wool<!-- old -->.", "Wool ."),
            ("a < b and b > c, R&D", "a < b and b > c, R&D"),
            ("5 <6", "5 <6"),
            ("H&M", "H&M"),
            ("none", MISSING),
            ("<p></p>", UNCLEAR),
            ("&nbsp;", UNCLEAR),
        ],
    );
}

#[test]
fn lists_in_a_cell() {
    check(
        "items(text)",
        &[
            ("GOTS", "[GOTS]"),
            ("GOTS; Fair Trade", "[GOTS, Fair Trade]"),
            ("GOTS,Fair Trade|OEKO-TEX/B Corp", "[GOTS, Fair Trade, OEKO-TEX, B Corp]"),
            ("GOTS;;none;n/a", "[GOTS]"),
            ("H&amp;M Conscious; GOTS", "[H&M Conscious, GOTS]"),
            ("-; keine", "[]"),
            ("GOTS/n/a", "[GOTS]"),
            ("N/A/GOTS/B Corp", "[GOTS, B Corp]"),
            ("n/a", MISSING),
            ("keine", MISSING),
            ("\\N", MISSING),
        ],
    );
}

/// A column that is clean stays what it is, also a part of one.
#[test]
fn clean_columns_are_handed_on() {
    check("identifier(text)", &[("K1", "K1"), ("K2", "K2")]);
    check("given(text)", &[("a", "a"), ("", MISSING)]);
}
