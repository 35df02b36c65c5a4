use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeListArray, Float64Array, Int64Array, ListArray,
        RecordBatch, StringArray, StringViewArray,
    },
    compute::cast,
    datatypes::{DataType, Float32Type},
};
use models::{
    matrix::{Encoding, MatrixError},
    split::{SplitError, TrainingRows, ValidationRows},
};

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn numbers(values: impl IntoIterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

fn texts<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

/// `train` for the first rows, `test` for the rest.
fn split(train: usize, test: usize) -> ArrayRef {
    texts(std::iter::repeat_n(Some("train"), train).chain(std::iter::repeat_n(Some("test"), test)))
}

/// Every row is a training row.
fn fit(columns: Vec<(&str, ArrayRef)>) -> (Encoding, RecordBatch) {
    let rows = columns[0].1.len();
    let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let frame = batch(columns.into_iter().chain([("split", split(rows, 0))]).collect());
    (Encoding::fit(&TrainingRows::of(&frame).unwrap(), &names).unwrap(), frame)
}

fn names(encoding: &Encoding) -> Vec<String> {
    encoding.outputs().into_iter().map(|output| output.name).collect()
}

fn column(encoding: &Encoding, frame: &RecordBatch, name: &str) -> Vec<f64> {
    let at = names(encoding).iter().position(|other| other == name).expect(name);
    encoding.apply(frame).unwrap().column(at).to_vec()
}

#[test]
fn numbers_have_training_mean_0_and_deviation_1_whatever_their_type() {
    let decimal = Decimal128Array::from_iter_values([100, 200, 300, 400]).with_precision_and_scale(9, 2).unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("int", Arc::new(Int64Array::from_iter_values([1, 2, 3, 4]))),
        ("decimal", Arc::new(decimal)),
        ("float", numbers([1.0, 2.0, 3.0, 4.0])),
    ];
    let (encoding, frame) = fit(columns);
    assert_eq!(names(&encoding), ["int", "decimal", "float"]);
    let expected = [-1.5, -0.5, 0.5, 1.5].map(|value| value / 1.25_f64.sqrt());
    for name in ["int", "decimal", "float"] {
        for (found, expected) in column(&encoding, &frame, name).into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-14, "{name}: {found} {expected}");
        }
    }
    let (encoding, frame) = fit(vec![("yes", Arc::new(BooleanArray::from(vec![true, false, false, true])))]);
    assert_eq!(column(&encoding, &frame, "yes"), [1.0, -1.0, -1.0, 1.0]);
}

#[test]
fn a_skewed_number_is_pulled_in_and_others_are_not() {
    let skewed = || (0..40).map(|i| f64::from(i).exp2());
    let (encoding, frame) = fit(vec![("skewed", numbers(skewed())), ("even", numbers((0..40).map(f64::from)))]);
    let steps =
        |name| -> Vec<f64> { column(&encoding, &frame, name).windows(2).map(|pair| pair[1] - pair[0]).collect() };
    let (skewed, even) = (steps("skewed"), steps("even"));
    assert!((skewed[38] - skewed[30]).abs() < 1e-9, "the logarithm makes equal steps of doublings");
    assert!((even[38] - even[0]).abs() < 1e-12);
    // A rare yes is skewed, but no logarithm can help.
    let (encoding, frame) = fit(vec![("rare", numbers((0..40).map(|i| if i == 0 { 1.0 } else { 0.0 })))]);
    assert!((column(&encoding, &frame, "rare")[0] - 39.0_f64.sqrt()).abs() < 1e-12);
}

#[test]
fn a_missing_number_is_the_training_median_and_flagged() {
    let present: Vec<Option<f64>> = vec![Some(1.0), Some(2.0), Some(9.0), None, Some(f64::NAN), Some(f64::INFINITY)];
    let (encoding, frame) = fit(vec![("price", Arc::new(Float64Array::from(present)))]);
    assert_eq!(names(&encoding), ["price", "price is missing"]);
    assert_eq!(column(&encoding, &frame, "price is missing"), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    let price = column(&encoding, &frame, "price");
    assert_eq!([price[3], price[4], price[5]], [price[1]; 3]);
    // Missing only where nothing was missing in training: the median, and no column to flag it.
    let (encoding, _) = fit(vec![("price", numbers([1.0, 2.0, 9.0]))]);
    let later = batch(vec![("price", Arc::new(Float64Array::from(vec![None, Some(2.0)])))]);
    let price = column(&encoding, &later, "price");
    assert_eq!(price[0], price[1]);
}

#[test]
fn categories_are_common_other_or_missing() {
    let levels = || {
        [(Some("b"), 30), (Some("a"), 20), (Some("rare"), 19), (None, 2)]
            .into_iter()
            .flat_map(|(level, count)| std::iter::repeat_n(level, count))
    };
    let (encoding, _) = fit(vec![("brand", texts(levels()))]);
    assert_eq!(names(&encoding), ["brand = a", "brand = b", "brand is other", "brand is missing"]);
    let later = texts([Some("a"), Some("b"), Some("rare"), Some("never seen"), None]);
    let expected = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]];
    for data_type in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary()] {
        let matrix = encoding.apply(&batch(vec![("brand", cast(&later, &data_type).unwrap())])).unwrap();
        for (row, expected) in matrix.rows().into_iter().zip(expected) {
            assert_eq!(row.to_vec(), expected.map(f64::from), "{data_type}");
        }
    }
    // Without rare or missing levels in training an unseen one is none of those known.
    let (encoding, _) = fit(vec![("brand", texts(std::iter::repeat_n(["a", "b"], 20).flatten().map(Some)))]);
    let matrix = encoding.apply(&batch(vec![("brand", texts([Some("c"), None]))])).unwrap();
    assert_eq!(matrix.into_raw_vec_and_offset().0, [0.0; 4]);
}

fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

#[test]
fn a_vector_is_a_number_for_each_position() {
    let rows = vec![Some(vec![Some(1.0), Some(5.0), Some(0.0)]), Some(vec![Some(3.0), Some(5.0), Some(1.0)]), None];
    let fixed: ArrayRef = Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows.clone(), 3));
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows));
    let (encoding, frame) = fit(vec![("taste", fixed)]);
    assert_eq!(names(&encoding), ["taste[0]", "taste[2]", "taste is missing"], "taste[1] is the same everywhere");
    assert_eq!(column(&encoding, &frame, "taste is missing"), [0.0, 0.0, 1.0]);
    assert_eq!(encoding.apply(&frame).unwrap(), encoding.apply(&batch(vec![("taste", list)])).unwrap());
    assert!(encoding.outputs().iter().all(|output| output.source == "taste"));
    let other = ListArray::from_iter_primitive::<Float32Type, _, _>([Some(vec![Some(1.0)])]);
    let error = encoding.apply(&batch(vec![("taste", Arc::new(other))])).unwrap_err();
    assert_eq!(error.to_string(), "the column `taste`: row 0 has a vector of 1 numbers, others have 3");
}

#[test]
fn what_never_varies_has_no_column() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("zero", numbers([0.0; 3])),
        ("tenth", numbers([0.1; 3])),
        ("all missing", Arc::new(Float64Array::from(vec![None; 3]))),
        ("one level", texts([Some("a"); 3])),
        ("no level", texts([None; 3])),
        ("no vector", Arc::new(ListArray::from_iter_primitive::<Float32Type, Vec<Option<f32>>, _>([None, None, None]))),
        ("sometimes", Arc::new(Int64Array::from(vec![Some(1), None, Some(1)]))),
    ];
    let (encoding, frame) = fit(columns);
    assert_eq!(names(&encoding), ["sometimes is missing"]);
    assert_eq!(encoding.apply(&frame).unwrap().into_raw_vec_and_offset().0, [0.0, 1.0, 0.0]);
}

#[test]
fn other_columns_and_types_are_refused_by_name() {
    let (encoding, frame) = fit(vec![("age", numbers([1.0, 2.0])), ("region", texts([Some("a"), Some("b")]))]);
    let says = |error: MatrixError, parts: &[&str]| {
        let text = error.to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    };
    let age = || ("age", numbers([1.0]));
    says(encoding.apply(&batch(vec![age()])).unwrap_err(), &["`region`", "no column"]);
    let number = batch(vec![age(), ("region", numbers([1.0]))]);
    says(encoding.apply(&number).unwrap_err(), &["`region`", "Float64", "text"]);
    let int = batch(vec![("age", Arc::new(Int64Array::from(vec![1]))), ("region", texts([None]))]);
    says(encoding.apply(&int).unwrap_err(), &["`age`", "Int64", "Float64"]);
    let features = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let accepts = |names| encoding.accepts(&frame.schema(), &features(names));
    assert!(accepts(&["age", "region"]).is_ok());
    assert!(accepts(&["region", "age"]).is_ok(), "the order is the encoding's own");
    says(accepts(&["age", "region", "split"]).unwrap_err(), &["`split`", "without"]);
    says(accepts(&["age"]).unwrap_err(), &["`region`"]);
    let dates = batch(vec![("day", Arc::new(Date32Array::from(vec![1]))), ("split", split(1, 0))]);
    let error = Encoding::fit(&TrainingRows::of(&dates).unwrap(), &features(&["day"])).unwrap_err();
    says(error, &["`day`", "Date32"]);
    let error = Encoding::fit(&TrainingRows::of(&frame).unwrap(), &features(&["nope"])).unwrap_err();
    says(error, &["`nope`"]);
}

/// Invariant 4: nothing outside the training rows reaches what is fitted.
#[test]
fn rows_outside_training_change_nothing_that_is_fitted() {
    let frame = |later: f64, level: &'static str| {
        let price = numbers((0..30).map(f64::from).chain([later; 50]));
        let brand = texts((0..30).map(|i| Some(if i < 20 { "a" } else { "b" })).chain([Some(level); 50]));
        let vector = |value: f32| Some(vec![Some(value), Some(1.0 - value * value)]);
        let taste = (0..30).map(|i| vector(i as f32)).chain(std::iter::repeat_n(vector(later as f32), 50));
        let taste = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(taste, 2);
        batch(vec![("price", price), ("brand", brand), ("taste", Arc::new(taste)), ("split", split(30, 50))])
    };
    let fitted = |frame: &RecordBatch| {
        let features = ["price", "brand", "taste"].map(str::to_owned);
        serde_json::to_string(&Encoding::fit(&TrainingRows::of(frame).unwrap(), &features).unwrap()).unwrap()
    };
    let before = fitted(&frame(7.0, "b"));
    assert_eq!(before, fitted(&frame(-1e9, "new")));
    assert_eq!(before, fitted(&frame(f64::NAN, "a")));
    assert_eq!(before, fitted(&frame(7.0, "b").slice(0, 30)));
}

#[test]
fn sides_are_kept_apart() {
    let side = |values: Vec<Option<&str>>| {
        batch(vec![("n", numbers((0..values.len()).map(|i| i as f64))), ("split", texts(values))])
    };
    let frame = side(vec![Some("test"), Some("train"), None, Some("validation"), Some("train")]);
    let n = |rows: &RecordBatch| rows.column(0).as_any().downcast_ref::<Float64Array>().unwrap().values().to_vec();
    assert_eq!(n(TrainingRows::of(&frame).unwrap().rows()), [1.0, 4.0]);
    assert_eq!(n(ValidationRows::of(&frame).unwrap().rows()), [3.0]);
    let view = batch(vec![("split", Arc::new(StringViewArray::from(vec!["train"])))]);
    assert_eq!(TrainingRows::of(&view).unwrap().rows().num_rows(), 1);
    let error = TrainingRows::of(&side(vec![Some("test"), Some("Train")])).unwrap_err().to_string();
    assert!(error.contains("Train, test"), "{error}");
    assert!(matches!(TrainingRows::of(&batch(vec![("n", numbers([1.0]))])), Err(SplitError::NoColumn)));
    assert!(matches!(TrainingRows::of(&batch(vec![("split", numbers([1.0]))])), Err(SplitError::NotText { .. })));
}

#[test]
fn an_encoding_survives_json_bit_by_bit_and_does_not_look_at_its_neighbours() {
    let price = (0..200).map(|i| (f64::from(i) * 0.37).exp() % 1000.0);
    let (encoding, frame) = fit(vec![("price", numbers(price)), ("rest", numbers((0..200).map(|i| f64::from(i % 7))))]);
    let json = serde_json::to_string(&encoding).unwrap();
    let again: Encoding = serde_json::from_str(&json).unwrap();
    assert_eq!(json, serde_json::to_string(&again).unwrap());
    let whole = again.apply(&frame).unwrap();
    assert_eq!(encoding.apply(&frame).unwrap(), whole);
    for row in [0, 57, 199] {
        assert_eq!(encoding.apply(&frame.slice(row, 1)).unwrap().row(0), whole.row(row));
    }
    assert_eq!(encoding.apply(&frame.slice(0, 0)).unwrap().dim(), (0, 2));
    assert_eq!(encoding.fingerprint(), again.fingerprint());
    let (other, _) = fit(vec![("price", numbers([1.0, 2.0]))]);
    assert_ne!(encoding.fingerprint(), other.fingerprint());
}
