//! How a service's error shows in GraphQL.
//!
//! What a shopper can act on is data: `userErrors` of a mutation's payload, code as in REST, in upper case.
//! What does not exist, or is not the caller's, is `null` in a query. Everything else is a top-level error
//! with `extensions.code`: `UNAUTHENTICATED`, `FORBIDDEN`, `RATE_LIMITED`, `UNAVAILABLE`, `INTERNAL`.

use async_graphql::{ErrorExtensionValues, SimpleObject};
use axum::http::StatusCode;
use service::{Error, FieldError};

/// Why a mutation did not do what it was asked to, for the shopper or the form that asked.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct UserError {
    /// Stable machine code, the same as in REST, in upper case: EMAIL_ALREADY_EXISTS.
    pub code: String,
    /// Path of the field in the input that is to blame: ["shippingAddress", "city"]; null if no field is.
    pub field: Option<Vec<String>>,
    /// A sentence for people.
    pub message: String,
}

impl UserError {
    /// One per field, or one for the whole.
    pub fn of(error: &Error) -> Vec<UserError> {
        let code = error.code.to_uppercase();
        if error.fields.is_empty() {
            return vec![UserError { code, field: None, message: error.message.to_string() }];
        }
        let of_field = |field: &service::FieldError| UserError {
            code: code.clone(),
            field: path(&field.field),
            message: field.message.to_string(),
        };
        error.fields.iter().map(of_field).collect()
    }
}

/// `shipping_address.city` → `["shippingAddress", "city"]`; `items[0].id` → `["items", "0", "id"]`.
fn path(field: &str) -> Option<Vec<String>> {
    let segments = field.split(['.', '[', ']']).filter(|segment| !segment.is_empty());
    let path: Vec<String> = segments.map(camel_case).collect();
    (!path.is_empty()).then_some(path)
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        camel.push_str(&first.to_uppercase());
        camel.push_str(rest);
    }
    camel
}

/// A top-level error. Our own faults are logged here, once; nothing of their cause is shown.
pub fn fault(error: Error) -> async_graphql::Error {
    if error.status.is_server_error() {
        tracing::error!(error = ?error, "a resolver failed");
    }
    let code = match error.status {
        StatusCode::UNAUTHORIZED => "UNAUTHENTICATED".to_owned(),
        StatusCode::FORBIDDEN => "FORBIDDEN".to_owned(),
        StatusCode::TOO_MANY_REQUESTS => "RATE_LIMITED".to_owned(),
        StatusCode::SERVICE_UNAVAILABLE => "UNAVAILABLE".to_owned(),
        _ if error.is_domain() => error.code.to_uppercase(),
        _ => "INTERNAL".to_owned(),
    };
    let message = match code.as_str() {
        "INTERNAL" => "something went wrong on our side".to_owned(),
        _ => error.message.to_string(),
    };
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    if let Some(after) = error.retry_after {
        extensions.set("retryAfter", after.as_secs().max(1));
    }
    async_graphql::Error { extensions: Some(extensions), ..async_graphql::Error::new(message) }
}

/// The object, or `None` if it does not exist or is not the caller's.
pub fn found<T>(result: Result<T, Error>) -> async_graphql::Result<Option<T>> {
    match result {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(fault(error)),
    }
}

/// What a mutation answers: the object, or why there is none.
pub fn settle<T>(result: Result<T, Error>) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(object) => Ok((Some(object), Vec::new())),
        Err(error) if error.is_domain() => Ok((None, UserError::of(&error))),
        Err(error) => Err(fault(error)),
    }
}

/// The same error, blamed on a field of the input.
pub fn at_field(mut error: Error, field: &str) -> Error {
    error.fields = Box::new([FieldError::new(field, error.code.clone(), error.message.clone())]);
    error
}

/// Declares a mutation's payload of one object and `userErrors`, made from a result with `new`.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $type:ty }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$field_doc])*
            pub $field: Option<$type>,
            /// Why it did not happen; empty if it did.
            pub user_errors: Vec<$crate::errors::UserError>,
        }

        impl $name {
            /// Refusals become data, faults an error.
            pub fn new(result: Result<$type, service::Error>) -> async_graphql::Result<Self> {
                let ($field, user_errors) = $crate::errors::settle(result)?;
                Ok(Self { $field, user_errors })
            }
        }
    };
}
pub(crate) use payload;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn code(error: Error) -> String {
        let error = fault(error);
        error.extensions.unwrap().get("code").unwrap().to_string()
    }

    #[test]
    fn faults_have_codes_and_keep_their_cause_to_themselves() {
        assert_eq!(code(Error::unauthenticated("token_expired", "expired")), "\"UNAUTHENTICATED\"");
        assert_eq!(code(Error::forbidden("no")), "\"FORBIDDEN\"");
        assert_eq!(code(Error::too_many_requests("slow down", Duration::from_secs(9))), "\"RATE_LIMITED\"");
        assert_eq!(code(Error::unavailable("pool is empty")), "\"UNAVAILABLE\"");
        assert_eq!(code(Error::bad_request("invalid_cursor", "no cursor of ours")), "\"INVALID_CURSOR\"");
        assert_eq!(code(Error::internal("relation users does not exist")), "\"INTERNAL\"");
        let upstream = Error::new(StatusCode::BAD_GATEWAY, "bad_gateway", "10.0.0.3 said no");
        assert_eq!(fault(upstream).message, "something went wrong on our side");
    }

    #[test]
    fn refusals_are_data_in_the_words_of_the_schema() {
        let refused = settle::<()>(Err(Error::conflict("email_already_exists", "taken"))).unwrap();
        let taken = UserError { code: "EMAIL_ALREADY_EXISTS".into(), field: None, message: "taken".into() };
        assert_eq!(refused, (None, vec![taken]));

        let city = FieldError::new("shipping_address.postal_code", "invalid", "must not be empty");
        let whole = FieldError::new("", "invalid", "one of both");
        let errors = UserError::of(&Error::validation(vec![city, whole]));
        assert_eq!(errors[0].field, Some(vec!["shippingAddress".to_owned(), "postalCode".to_owned()]));
        assert_eq!((errors[0].code.as_str(), errors[0].message.as_str()), ("VALIDATION_FAILED", "must not be empty"));
        assert_eq!(errors[1].field, None);
        assert_eq!(path("items[0].unit_price"), Some(vec!["items".into(), "0".into(), "unitPrice".into()]));
    }

    #[test]
    fn a_missing_login_is_no_refusal() {
        assert!(settle::<()>(Err(Error::unauthenticated("unauthenticated", "log in"))).is_err());
        assert!(settle::<()>(Err(Error::forbidden("admins only"))).is_err());
    }

    #[test]
    fn what_is_not_there_is_null() {
        assert_eq!(found::<()>(Err(Error::not_found("order_not_found", "no"))).unwrap(), None);
        assert!(found::<()>(Err(Error::unavailable("x"))).is_err());
    }
}
