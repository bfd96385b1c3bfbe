//! Tokens and refresh tokens, and how passwords are tried.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use events::UserId;
use service::{Claims, Error, ISSUER, TOKEN_LIFETIME, TokenKeys};
use sha2::{Digest, Sha256};
use users_client::{LoginAnswer, Registered, Secret, User};

use crate::Users;
use crate::model::Attempt;
use crate::repository::{self, Limit, NewToken};

/// A refresh token before its owner gets it: 256 bits that nobody can guess, of which the database sees only the hash.
///
/// A login's is random. Where the same answer has to be given twice, and the token is stored nowhere, it is derived.
pub(crate) struct RefreshToken(Secret);

impl RefreshToken {
    pub(crate) fn random() -> RefreshToken {
        RefreshToken(Secret::new(hex::encode(rand::random::<[u8; 32]>())))
    }

    /// The first one of an account: a repeated registration answers the same.
    pub(crate) fn of_registration(keys: &TokenKeys, id: UserId) -> RefreshToken {
        RefreshToken(Secret::new(hex::encode(keys.derive(&format!("refresh token of registration {id}")))))
    }

    /// The one that a used one is traded for: two who use it at once get the same.
    pub(crate) fn after(keys: &TokenKeys, used: &[u8]) -> RefreshToken {
        RefreshToken(Secret::new(hex::encode(keys.derive(&format!("refresh token after {}", hex::encode(used))))))
    }

    pub(crate) fn stored(&self, lifetime: Duration) -> NewToken {
        NewToken { hash: token_hash(&self.0), lifetime }
    }
}

/// What stands in the database for a refresh token. Unsalted, because the token is random.
pub(crate) fn token_hash(token: &Secret) -> Vec<u8> {
    Sha256::digest(token.reveal()).to_vec()
}

pub(crate) fn invalid_credentials() -> Error {
    Error::unauthenticated("invalid_credentials", "e-mail address or password is wrong")
}

pub(crate) fn too_many_failures(after: Duration) -> Error {
    Error::too_many_requests("too many failed attempts; please try again later", after)
}

fn claims(user: &User, signed_at: DateTime<Utc>) -> Claims {
    let iat = signed_at.timestamp();
    Claims {
        user_id: user.id,
        email: user.email.clone(),
        username: user.username.clone(),
        role: user.role,
        iat,
        exp: iat + TOKEN_LIFETIME.as_secs().cast_signed(),
        iss: ISSUER.to_owned(),
    }
}

impl Users {
    pub(crate) fn limit(&self) -> Limit {
        Limit { failures: self.config.login_failures, window: self.config.login_window }
    }

    /// Signed as of the registration, so that a repetition of it answers the same bytes and no token is stored.
    pub(crate) fn registered(&self, user: User) -> Result<Registered, Error> {
        let token = self.keys.sign(&claims(&user, user.created_at))?.reveal().to_owned();
        let refresh_token = RefreshToken::of_registration(&self.keys, user.id).0;
        let refresh_expires_at = self.refresh_expiry(user.created_at);
        Ok(Registered { user, token, refresh_token, refresh_expires_at })
    }

    /// A fresh token beside a refresh token that is stored already.
    pub(crate) fn logged_in(&self, user: User, refresh: RefreshToken) -> Result<LoginAnswer, Error> {
        let signed_at = Utc::now();
        let token = self.keys.sign(&claims(&user, signed_at))?.reveal().to_owned();
        Ok(LoginAnswer {
            token,
            user,
            refresh_token: refresh.0,
            expires_at: signed_at + TOKEN_LIFETIME,
            refresh_expires_at: self.refresh_expiry(signed_at),
        })
    }

    fn refresh_expiry(&self, from: DateTime<Utc>) -> DateTime<Utc> {
        from + TimeDelta::from_std(self.config.refresh_lifetime).unwrap_or(TimeDelta::MAX)
    }

    /// Counts a wrong password. The answer is `wrong`, or 429 if there were too many before: parallel guesses
    /// are judged one by one when they are done, so they gain nothing.
    pub(crate) async fn failed(&self, attempt: Attempt, wrong: Error) -> Error {
        let limit = self.limit();
        metrics::counter!("login_failures_total").increment(1);
        let counted = self
            .database
            .write_statement(move |db| Box::pin(async move { repository::fail(db, &attempt, limit).await }))
            .await;
        match counted {
            Ok(None) => wrong,
            Ok(Some(after)) => too_many_failures(after),
            Err(error) => error,
        }
    }

    /// Removes expired refresh tokens and failures that do not count any more.
    pub(crate) async fn prune(&self) -> Result<(), Error> {
        let db = self.database.read().await?;
        repository::prune(&db, self.config.login_window).await
    }
}
