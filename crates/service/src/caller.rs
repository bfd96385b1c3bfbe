//! Who calls, from where, and under which correlation id.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use events::{CorrelationId, UserId};

use crate::auth::{Claims, Role, Token, TokenKeys};
use crate::error::Error;
use crate::idempotency::{self, IdempotencyKey};
use crate::layers::Origin;
use crate::vouching::Voucher;

/// The first argument of every operation: claims of a verified token or none, and what travels along.
/// Cheap to clone.
///
/// As an extractor it answers 401 for a token that is not valid; no token at all is an anonymous caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What the verified token says; `None` for anonymous callers.
    pub claims: Option<Arc<Claims>>,
    /// The token itself, to be forwarded.
    pub token: Option<Token>,
    /// Finds the request in every log line.
    pub correlation_id: CorrelationId,
    /// Makes a repeated request have one effect.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The client's address, as far as other processes of the shop or trusted proxies tell it.
    pub address: Option<IpAddr>,
    /// Vouches for that address towards other processes of the shop; only callers of a request bring one.
    pub voucher: Option<Voucher>,
}

impl Caller {
    /// Nobody in particular.
    pub fn anonymous(correlation_id: CorrelationId) -> Self {
        Self { claims: None, token: None, correlation_id, idempotency_key: None, address: None, voucher: None }
    }

    /// The operator at the command line: an admin without an account, since whoever runs it holds the databases'
    /// logins anyway. Has no token, so it never gets past this process.
    pub fn at_the_shell(login: &str) -> Self {
        let claims = Claims::new(UserId(uuid::Uuid::nil()), "", format!("shell:{login}"), Role::Admin);
        Self { claims: Some(Arc::new(claims)), ..Self::anonymous(CorrelationId::new()) }
    }

    /// A service that asks another for reasons of its own, as an admin; the other verifies its token as any other.
    ///
    /// Errors: the token cannot be signed.
    pub fn of_service(service: &str, keys: &TokenKeys) -> Result<Self, Error> {
        let claims = Claims::new(UserId(uuid::Uuid::nil()), "", format!("service:{service}"), Role::Admin);
        let token = keys.sign(&claims)?;
        let caller = Self::anonymous(CorrelationId::new());
        Ok(Self { claims: Some(Arc::new(claims)), token: Some(token), ..caller })
    }

    /// Who acts, for an audit trail: `user:` and an id, or `shell:` and a login. 401 for anonymous callers.
    pub fn actor(&self) -> Result<String, Error> {
        let claims = self.user()?;
        // No account has this id, so no user can take the name of a shell.
        Ok(if claims.user_id.uuid().is_nil() { claims.username.clone() } else { format!("user:{}", claims.user_id) })
    }

    /// Whoever holds this token; 401 if it is not valid.
    pub fn with_token(self, keys: &TokenKeys, token: &str) -> Result<Self, Error> {
        let claims = keys.verify(token)?;
        Ok(Self { claims: Some(Arc::new(claims)), token: Some(Token::new(token)), ..self })
    }

    /// The same caller with this idempotency key or none (GraphQL: `idempotencyKey` of the input).
    pub fn with_idempotency_key(&self, key: Option<IdempotencyKey>) -> Self {
        Self { idempotency_key: key, ..self.clone() }
    }

    /// The claims of a logged-in user; 401 for anonymous callers.
    pub fn user(&self) -> Result<&Claims, Error> {
        self.claims
            .as_deref()
            .ok_or_else(|| Error::unauthenticated("unauthenticated", "please log in: this needs a bearer token"))
    }

    /// The claims of an admin; 401 for anonymous callers, 403 for customers.
    pub fn admin(&self) -> Result<&Claims, Error> {
        let claims = self.user()?;
        match claims.role {
            Role::Admin => Ok(claims),
            Role::User => Err(Error::forbidden("this needs the role admin")),
        }
    }

    /// The user, if somebody is logged in.
    pub fn user_id(&self) -> Option<UserId> {
        self.claims.as_deref().map(|claims| claims.user_id)
    }

    /// Whether an admin calls.
    pub fn is_admin(&self) -> bool {
        self.claims.as_deref().is_some_and(|claims| claims.role == Role::Admin)
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        let origin = parts
            .extensions
            .get::<Origin>()
            .ok_or_else(|| Error::internal("the router was not passed through service::server::app"))?;
        let voucher = Some(origin.keys.voucher().clone());
        let anonymous = Caller { address: origin.address, voucher, ..Caller::anonymous(origin.correlation_id) };
        let mut authorizations = parts.headers.get_all(AUTHORIZATION).iter();
        let caller = match (authorizations.next(), authorizations.next()) {
            (None, _) => anonymous,
            (Some(value), None) => anonymous.with_token(&origin.keys, bearer(value.as_bytes())?)?,
            // A proxy in front might have looked at the other one.
            (Some(_), Some(_)) => return Err(Error::unauthenticated("invalid_token", "send one Authorization header")),
        };
        let idempotency_key = idempotency::key_from_headers(&parts.headers)?;
        Ok(Caller { idempotency_key, ..caller })
    }
}

fn bearer(header: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(header)
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| Error::unauthenticated("invalid_token", "Authorization must be `Bearer <token>`"))
}

/// Extracts a logged-in caller, else 401. Stands before the body in a handler's arguments, so that an
/// anonymous caller learns nothing about the body.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Caller);

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.user()?;
        Ok(Self(caller))
    }
}

/// Extracts an admin, else 401 or 403. Stands before the body, as [`SignedIn`].
#[derive(Clone, Debug)]
pub struct Admin(pub Caller);

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.admin()?;
        Ok(Self(caller))
    }
}
