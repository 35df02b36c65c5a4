//! What was sent, read with words for who sent what cannot be read.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{BODY, Refused};

/// A body of JSON, whatever it is.
pub struct Anything(pub Value);

/// A body that is one object.
pub struct Body<T>(pub T);

/// What stands behind the question mark.
pub struct Asked<T>(pub T);

/// The named parts of a path.
pub struct Named<T>(pub T);

impl<S: Send + Sync> FromRequest<S> for Anything {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        // What is said to be too long is not waited for.
        let length =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if let Some(length) = length.filter(|length: &u64| *length > BODY as u64) {
            let advice = format!("send at most {} KiB at a time", BODY >> 10);
            return Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, format!("the body has {length} bytes"), advice));
        }
        let read = Json::<Value>::from_request(request, state).await;
        read.map(|Json(body)| Self(body)).map_err(|rejection| {
            let advice = match &rejection {
                JsonRejection::MissingJsonContentType(_) => "send it with `content-type: application/json`".to_owned(),
                JsonRejection::JsonSyntaxError(_) => "send one JSON value".to_owned(),
                _ if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                    format!("send at most {} KiB at a time", BODY >> 10)
                }
                _ => "see /openapi.json for what is expected here".to_owned(),
            };
            Refused(rejection.status(), rejection.body_text(), advice)
        })
    }
}

/// Reads an object.  Values in a row, which could be meant for its fields in their order, are none: who adds a field would change
/// what they mean.
///
/// # Errors
/// What is wrong with it.
pub fn object<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    let Value::Object(fields) = &value else { return Err("this is no object with named fields".into()) };
    let row =
        fields.iter().find(|(_, field)| field.as_array().is_some_and(|all| all.iter().any(|one| !one.is_object())));
    if let Some((name, _)) = row {
        return Err(format!("{name} holds something that is no object with named fields"));
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let Anything(body) = Anything::from_request(request, state).await?;
        object(body).map(Self).map_err(|words| {
            let advice = "see /openapi.json for what is expected here";
            Refused(StatusCode::UNPROCESSABLE_ENTITY, words, advice.into())
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        read.map(|Query(asked)| Self(asked)).map_err(|rejection: QueryRejection| {
            let advice = "see /openapi.json for what can stand behind the question mark here";
            Refused(StatusCode::BAD_REQUEST, rejection.body_text(), advice.into())
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let read = Path::<T>::from_request_parts(parts, state).await;
        read.map(|Path(named)| Self(named)).map_err(|rejection: PathRejection| {
            let advice = "write each part of the path as UTF-8, percent-encoded";
            Refused(StatusCode::BAD_REQUEST, rejection.body_text(), advice.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Two {
        a: u8,
        #[serde(default)]
        b: Vec<Two>,
    }

    #[test]
    fn values_in_a_row_are_no_object() {
        assert_eq!(
            object::<Two>(json!({"a": 1, "b": [{"a": 2}]})),
            Ok(Two { a: 1, b: vec![Two { a: 2, b: Vec::new() }] })
        );
        for (odd, words) in [
            (json!([1, []]), "no object"),
            (json!({"a": 1, "b": [[2, []]]}), "b holds something"),
            (json!({"b": []}), "missing field `a`"),
            (json!(null), "no object"),
        ] {
            assert!(object::<Two>(odd.clone()).unwrap_err().contains(words), "{odd}");
        }
    }
}
