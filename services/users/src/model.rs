//! What an account may look like; no I/O.

use std::net::IpAddr;

use service::{Error, FieldError};
use sha2::{Digest, Sha256};
use users_client::{Register, Secret, UpdateProfile};

const PASSWORD_MIN_CHARS: usize = 8;
/// bcrypt sees no more than this; a longer password is refused, never cut.
pub(crate) const PASSWORD_MAX_BYTES: usize = 72;
const EMAIL_MAX_BYTES: usize = 254;
const USERNAME_MAX_CHARS: usize = 64;

/// A registration whose values are acceptable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewAccount {
    pub email: String,
    pub username: String,
    pub password: Secret,
}

/// Checks a registration; names every field that is not acceptable.
pub(crate) fn new_account(input: Register) -> Result<NewAccount, Error> {
    let mut wrong = Vec::new();
    let email = email(&input.email).map_err(|field| wrong.push(field));
    let username = username(&input.username).map_err(|field| wrong.push(field));
    let password = password("password", &input.password).map_err(|field| wrong.push(field));
    match (email, username, password) {
        (Ok(email), Ok(username), Ok(())) => Ok(NewAccount { email, username, password: input.password }),
        _ => Err(Error::validation(wrong)),
    }
}

/// Checks a change of profile; what is absent stays absent.
pub(crate) fn changed_profile(input: &UpdateProfile) -> Result<UpdateProfile, Error> {
    let mut wrong = Vec::new();
    let mut checked = |value: &Option<String>, check: fn(&str) -> Result<String, FieldError>| {
        value.as_deref().and_then(|text| check(text).map_err(|field| wrong.push(field)).ok())
    };
    let changed = UpdateProfile { email: checked(&input.email, email), username: checked(&input.username, username) };
    if wrong.is_empty() { Ok(changed) } else { Err(Error::validation(wrong)) }
}

fn email(text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    if text.len() > EMAIL_MAX_BYTES {
        return Err(FieldError::new("email", "too_long", "an e-mail address has at most 254 characters"));
    }
    let has_dot = text.rsplit_once('@').is_some_and(|(_, domain)| domain.contains('.'));
    if !text.is_ascii() || !has_dot || garde::rules::email::parse_email(text).is_err() {
        return Err(FieldError::new("email", "invalid", "this is not an e-mail address such as ada@example.com"));
    }
    Ok(text.to_owned())
}

fn username(text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(FieldError::new("username", "too_short", "a username has at least one character"));
    }
    if text.chars().count() > USERNAME_MAX_CHARS {
        return Err(FieldError::new("username", "too_long", "a username has at most 64 characters"));
    }
    if text.chars().any(char::is_control) {
        return Err(FieldError::new("username", "invalid", "a username has no control characters"));
    }
    Ok(text.to_owned())
}

/// Checks a new password; `field` names it in the request.
pub(crate) fn password(field: &str, password: &Secret) -> Result<(), FieldError> {
    let text = password.reveal();
    if text.chars().count() < PASSWORD_MIN_CHARS {
        return Err(FieldError::new(field, "too_short", "a password has at least 8 characters"));
    }
    if text.len() > PASSWORD_MAX_BYTES {
        return Err(FieldError::new(field, "too_long", "a password has at most 72 bytes (in UTF-8)"));
    }
    if text.contains('\0') {
        return Err(FieldError::new(field, "invalid", "a password has no NUL characters"));
    }
    Ok(())
}

/// What accounts are searched by; nothing if it is empty.
pub(crate) fn search_text(q: Option<&str>) -> Result<Option<&str>, Error> {
    let text = q.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.len() > EMAIL_MAX_BYTES || text.contains('\0')) {
        return Err(Error::invalid("q", "invalid", "this is not the beginning of an e-mail address or a username"));
    }
    Ok(text)
}

/// Who tries to log in, and from where: what failures are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// Hash of the e-mail address, so that no table collects what people mistype.
    pub account: Vec<u8>,
    pub address: String,
}

impl Attempt {
    pub(crate) fn new(email: &str, address: Option<IpAddr>) -> Attempt {
        let account = Sha256::digest(email.trim().to_ascii_lowercase()).to_vec();
        Attempt { account, address: address.map_or_else(|| "unknown".to_owned(), network) }
    }
}

/// An IPv4 address, or the /64 of an IPv6 one: a customer has all of that.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn register(email: &str, username: &str, password: &str) -> Register {
        Register { email: email.to_owned(), username: username.to_owned(), password: Secret::new(password) }
    }

    fn codes(result: Result<NewAccount, Error>) -> Vec<String> {
        result.unwrap_err().fields.iter().map(|field| format!("{} {}", field.field, field.code)).collect()
    }

    #[test]
    fn every_wrong_field_is_named() {
        let nothing = new_account(register("", " ", ""));
        assert_eq!(codes(nothing), ["email invalid", "username too_short", "password too_short"]);
        for email in ["ada", "ada@", "@example.com", "ada@example", "a b@example.com", "ada@exämple.com", "a@b@c.de"] {
            assert_eq!(codes(new_account(register(email, "ada", "12345678"))), ["email invalid"], "{email}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        assert_eq!(codes(new_account(register(&long, "ada", "12345678"))), ["email too_long"]);
    }

    #[test]
    fn passwords_have_8_characters_to_72_bytes() {
        let accepts = |password: &str| new_account(register("ada@example.com", "ada", password)).is_ok();
        assert!(!accepts("1234567") && accepts("12345678"));
        assert!(accepts(&"x".repeat(72)) && !accepts(&"x".repeat(73)));
        assert!(accepts("ääääääää"), "characters, not bytes, at the lower end");
        assert!(accepts(&"ä".repeat(36)) && !accepts(&"ä".repeat(37)), "bytes, not characters, at the upper end");
    }

    #[test]
    fn an_absent_field_stays_absent() {
        let changed = changed_profile(&UpdateProfile { email: None, username: Some(" ada ".into()) }).unwrap();
        assert_eq!(changed, UpdateProfile { email: None, username: Some("ada".into()) });
        let error = changed_profile(&UpdateProfile { email: Some("x".into()), username: None }).unwrap_err();
        assert_eq!(error.fields[0].field, "email");
    }

    #[test]
    fn failures_are_counted_by_account_whatever_its_case_and_by_network() {
        let at = |address: &str| Attempt::new("a@example.com", Some(address.parse().unwrap()));
        assert_eq!(Attempt::new("A@Example.com ", None), Attempt::new("a@example.com", None));
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:10.0.0.1"), at("10.0.0.1"));
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_stored_as_given_and_fits_bcrypt(
            email in "[a-z0-9.]{1,20}@[a-z]{1,10}\\.[a-z]{2,3}", username in "\\PC{0,70}", password in "\\PC{0,80}"
        ) {
            if let Ok(account) = new_account(register(&email, &username, &password)) {
                prop_assert_eq!(account.email, email);
                prop_assert_eq!(account.username, username.trim());
                prop_assert_eq!(account.password.reveal(), password.as_str());
                prop_assert!(password.len() <= PASSWORD_MAX_BYTES && password.chars().count() >= 8);
            }
        }
    }
}
