//! Who calls, may they, then the work: the one authorising function behind the Local client and the REST API.

use async_trait::async_trait;
use axum::http::StatusCode;
use chrono::Utc;
use events::UserId;
use service::idempotency::{self, Operation};
use service::{Caller, Error};
use users_client::{
    ChangePassword, Export, Login, LoginAnswer, Logout, MAX_IDS, Refresh, Register, Registered, UpdateProfile, User,
    UsersApi,
};

use crate::model::{self, Attempt};
use crate::repository::{self, Credentials, Started};
use crate::sessions::{RefreshToken, invalid_credentials, token_hash, too_many_failures};
use crate::{SERVICE, Users};

fn not_found() -> Error {
    Error::not_found("user_not_found", "there is no such user")
}

/// Own profile, or any for an admin; somebody else's does not exist.
fn own_or_admin(caller: &Caller, id: UserId) -> Result<(), Error> {
    let claims = caller.user()?;
    if claims.user_id == id || caller.is_admin() { Ok(()) } else { Err(not_found()) }
}

#[async_trait]
impl UsersApi for Users {
    async fn register(&self, caller: &Caller, input: Register) -> Result<Registered, Error> {
        let operation = Operation::new(SERVICE, "POST /register", StatusCode::CREATED, caller, None, &input)?;
        let account = model::new_account(input)?;
        let hash = self.hasher.hash(account.password).await?;
        let user = idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move { repository::insert(tx, &account.email, &account.username, &hash).await })
        })
        .await?;
        self.registered(user)
    }

    async fn login(&self, caller: &Caller, input: Login) -> Result<LoginAnswer, Error> {
        let (attempt, limit) = (Attempt::new(&input.email, caller.address), self.limit());
        let (blocked, credentials) = {
            let db = self.database.read().await?;
            repository::find_for_login(&db, &attempt, limit, input.email.trim()).await?
        };
        if let Some(after) = blocked {
            return Err(too_many_failures(after));
        }
        let hash = credentials.as_ref().map(|found| found.password_hash.clone());
        let is_right = self.hasher.verify(input.password.clone(), hash).await?;
        let Some(credentials) = credentials.filter(|_| is_right) else {
            return Err(self.failed(attempt, invalid_credentials()).await);
        };
        let refresh = RefreshToken::random();
        let (token, checked) = (refresh.stored(self.config.refresh_lifetime), credentials.clone());
        let started = self
            .database
            .write_statement(move |db| {
                Box::pin(async move { repository::start_session(db, &attempt, limit, &checked, &token).await })
            })
            .await?;
        match started {
            Started::Blocked(after) => return Err(too_many_failures(after)),
            Started::Outdated => return Err(invalid_credentials()),
            Started::Yes => {}
        }
        if self.hasher.is_outdated(&credentials.password_hash) {
            let Credentials { user, password_hash: old } = credentials.clone();
            let new = self.hasher.hash(input.password).await?;
            self.database
                .write_statement(move |db| {
                    Box::pin(async move { repository::update_hash(db, user.id, &old, &new).await })
                })
                .await?;
        }
        self.logged_in(credentials.user, refresh)
    }

    async fn refresh(&self, _caller: &Caller, input: Refresh) -> Result<LoginAnswer, Error> {
        let refresh = RefreshToken::random();
        let (used, next) = (token_hash(&input.refresh_token), refresh.stored(self.config.refresh_lifetime));
        let user = self
            .database
            .write(move |tx| {
                Box::pin(async move {
                    let user = repository::refresh(tx, &used, &next).await?;
                    if user.is_none() && repository::end_reused(tx, &used).await? {
                        tracing::warn!("a refresh token was used twice; its session is ended");
                    }
                    Ok::<_, Error>(user)
                })
            })
            .await?;
        let invalid = || Error::unauthenticated("invalid_refresh_token", "this session is over; please log in again");
        self.logged_in(user.ok_or_else(invalid)?, refresh)
    }

    async fn logout(&self, caller: &Caller, input: Logout) -> Result<(), Error> {
        let user = caller.user()?.user_id;
        let operation = Operation::new(SERVICE, "POST /logout", StatusCode::NO_CONTENT, caller, None, &input)?;
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                match input.refresh_token {
                    Some(token) => repository::end_session(tx, user, &token_hash(&token)).await,
                    None => repository::end_sessions(tx, user).await,
                }
            })
        })
        .await
    }

    async fn profile(&self, caller: &Caller, id: UserId) -> Result<User, Error> {
        own_or_admin(caller, id)?;
        let db = self.database.read().await?;
        repository::find(&db, id).await?.ok_or_else(not_found)
    }

    async fn users_by_ids(&self, caller: &Caller, ids: &[UserId]) -> Result<Vec<User>, Error> {
        let own = caller.user()?.user_id;
        if ids.len() > MAX_IDS {
            return Err(Error::invalid("ids", "too_many", format!("at most {MAX_IDS} ids at a time")));
        }
        let visible: Vec<UserId> = ids.iter().copied().filter(|id| *id == own || caller.is_admin()).collect();
        if visible.is_empty() {
            return Ok(Vec::new());
        }
        let db = self.database.read().await?;
        repository::find_many(&db, &visible).await
    }

    async fn update_profile(&self, caller: &Caller, id: UserId, input: UpdateProfile) -> Result<User, Error> {
        own_or_admin(caller, id)?;
        let action = "PATCH /profile/{id}";
        let operation = Operation::new(SERVICE, action, StatusCode::OK, caller, None, &(id, &input))?;
        let change = model::changed_profile(&input)?;
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move { repository::update(tx, id, &change).await?.ok_or_else(not_found) })
        })
        .await
    }

    async fn delete_profile(&self, caller: &Caller, id: UserId) -> Result<(), Error> {
        own_or_admin(caller, id)?;
        let closed = self.database.write(move |tx| Box::pin(async move { repository::close(tx, id).await })).await?;
        if closed { Ok(()) } else { Err(not_found()) }
    }

    async fn change_password(&self, caller: &Caller, input: ChangePassword) -> Result<(), Error> {
        let id = caller.user()?.user_id;
        let operation = Operation::new(SERVICE, "POST /password", StatusCode::NO_CONTENT, caller, None, &input)?;
        model::password("new_password", &input.new_password).map_err(|field| Error::validation(vec![field]))?;
        let db = self.database.read().await?;
        let found = repository::credentials_of(&db, id).await?.ok_or_else(not_found)?;
        let attempt = Attempt::new(&found.user.email, caller.address);
        let blocked = repository::is_blocked(&db, &attempt, self.limit()).await?;
        drop(db);
        if let Some(after) = blocked {
            return Err(too_many_failures(after));
        }
        let old = found.password_hash;
        let is_right = self.hasher.verify(input.current_password, Some(old.clone())).await?;
        let new = self.hasher.hash(input.new_password).await?;
        let wrong = || Error::invalid("current_password", "wrong", "this is not the present password");
        // Judged inside: a repetition finds another password, and is answered as the first time.
        let changed = idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                if !is_right || !repository::update_hash(tx, id, &old, &new).await? {
                    return Err(wrong());
                }
                repository::end_sessions(tx, id).await
            })
        })
        .await;
        match changed {
            Err(error) if !is_right && error == wrong() => Err(self.failed(attempt, error).await),
            changed => changed,
        }
    }

    async fn export(&self, caller: &Caller, id: UserId) -> Result<Export, Error> {
        own_or_admin(caller, id)?;
        let db = self.database.read().await?;
        let user = repository::find(&db, id).await?.ok_or_else(not_found)?;
        let sessions = repository::sessions(&db, id).await?;
        Ok(Export { exported_at: Utc::now(), user, sessions })
    }
}
