//! Tokens: who calls, signed by the users service, verified by every service on its own.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use events::UserId;
use hmac::Hmac;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use utoipa::ToSchema;

use crate::config::{ConfigError, Env};
use crate::error::Error;
use crate::vouching::{Voucher, keyed, sign};

/// Who signs tokens.
pub const ISSUER: &str = "prost-users-service";

/// How long a token is valid.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Secrets shorter than this are refused.
const MIN_SECRET_BYTES: usize = 32;

/// Longer than any token of ours can be.
const MAX_TOKEN_BYTES: usize = 4096;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A customer: own cart, own orders, own profile.
    User,
    /// Runs the shop.
    Admin,
}

impl Role {
    /// As stored in tables and tokens.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "user" => Ok(Role::User),
            "admin" => Ok(Role::Admin),
            other => Err(Error::invalid("role", "unknown_role", format!("{other:?} is neither user nor admin"))),
        }
    }
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user.
    pub user_id: UserId,
    /// The user's e-mail address when the token was signed.
    pub email: String,
    /// The user's name when the token was signed.
    pub username: String,
    /// The user's role when the token was signed.
    pub role: Role,
    /// When it was signed, in seconds since 1970.
    pub iat: i64,
    /// From when on it is refused, in seconds since 1970.
    pub exp: i64,
    /// Who signed it: always [`ISSUER`].
    pub iss: String,
}

impl Claims {
    /// Claims of a token signed now, valid for [`TOKEN_LIFETIME`].
    pub fn new(user_id: UserId, email: impl Into<String>, username: impl Into<String>, role: Role) -> Self {
        let iat = chrono::Utc::now().timestamp();
        let exp = iat + TOKEN_LIFETIME.as_secs().cast_signed();
        Self { user_id, email: email.into(), username: username.into(), role, iat, exp, iss: ISSUER.to_owned() }
    }
}

/// A bearer token as it came in, kept only to be forwarded; its text is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Arc<str>);

impl Token {
    /// Wraps the text of a token.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text, for an `Authorization` header or an answer to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The keys tokens are signed and verified with. HS256 only; cheap to clone.
#[derive(Clone)]
pub struct TokenKeys(Arc<Keys>);

struct Keys {
    sign: EncodingKey,
    /// The present key first, then the previous one.
    verify: Vec<DecodingKey>,
    validation: Validation,
    voucher: Voucher,
    derive: Hmac<Sha256>,
}

impl TokenKeys {
    /// Signs with `secret`; verifies with `secret` or `previous` (rotation: tokens signed before it stay valid).
    pub fn new(secret: &str, previous: Option<&str>) -> Result<Self, ConfigError> {
        for (variable, text) in [("JWT_SECRET", Some(secret)), ("JWT_SECRET_PREVIOUS", previous)] {
            if text.is_some_and(|text| text.len() < MIN_SECRET_BYTES) {
                return Err(ConfigError::secret(variable, "at least 32 bytes, e.g. from `openssl rand -hex 32`"));
            }
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        let secrets = || std::iter::once(secret).chain(previous);
        let verify = secrets().map(|text| DecodingKey::from_secret(text.as_bytes())).collect();
        let voucher = Voucher::new(secrets());
        let derive = keyed(&sign(keyed(secret.as_bytes()), "prost: derived secrets"));
        let sign = EncodingKey::from_secret(secret.as_bytes());
        Ok(Self(Arc::new(Keys { sign, verify, validation, voucher, derive })))
    }

    /// Reads `JWT_SECRET` and `JWT_SECRET_PREVIOUS`.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Self::new(&env.required("JWT_SECRET", "at least 32 bytes")?, env.get("JWT_SECRET_PREVIOUS").as_deref())
    }

    /// Vouches for clients' addresses, with a key derived from the same secret.
    pub(crate) fn voucher(&self) -> &Voucher {
        &self.0.voucher
    }

    /// A secret of 32 bytes that only holders of the present `JWT_SECRET` can work out: the same for the same text, and
    /// of no use in working out another's.
    pub fn derive(&self, text: &str) -> Vec<u8> {
        sign(self.0.derive.clone(), text)
    }

    /// Signs claims; only the users service has a reason to.
    pub fn sign(&self, claims: &Claims) -> Result<Token, Error> {
        encode(&Header::new(Algorithm::HS256), claims, &self.0.sign).map(Token::new).map_err(Error::internal)
    }

    /// Says who calls: 401 for anything but an unexpired HS256 token of ours.
    pub fn verify(&self, token: &str) -> Result<Claims, Error> {
        let invalid = || Error::unauthenticated("invalid_token", "the token is not valid");
        if token.len() > MAX_TOKEN_BYTES {
            return Err(invalid());
        }
        for key in &self.0.verify {
            match decode::<Claims>(token, key, &self.0.validation) {
                Ok(data) => return Ok(data.claims),
                Err(error) => match error.kind() {
                    ErrorKind::InvalidSignature => {}
                    ErrorKind::ExpiredSignature => {
                        return Err(Error::unauthenticated("token_expired", "the token has expired; log in again"));
                    }
                    _ => return Err(invalid()),
                },
            }
        }
        Err(invalid())
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKeys(…)")
    }
}
