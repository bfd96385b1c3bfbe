//! Who calls, may they, then the work: the one authorising function behind the Local client and the REST API.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::StatusCode;
use chrono::Utc;
use database::Connection;
use database::audit::{self, Action, Operator, Subject};
use events::UserId;
use service::idempotency::{self, Operation};
use service::{Caller, Error, Page, PageQuery, Role};
use users_client::{
    ChangePassword, CloseAccount, Export, Login, LoginAnswer, Logout, MAX_IDS, Refresh, Register, Registered, Secret,
    SetRole, UpdateProfile, User, UserFilter, UsersApi,
};

use crate::model::{self, Attempt};
use crate::repository::{self, Credentials, NewToken, Standing, Started};
use crate::sessions::{RefreshToken, invalid_credentials, token_hash, too_many_failures};
use crate::{SERVICE, Users};

const SET_ROLE: Action = Action::named("user.set_role");

fn not_found() -> Error {
    Error::not_found("user_not_found", "there is no such user")
}

/// Own profile, or any for an admin; somebody else's does not exist.
fn own_or_admin(caller: &Caller, id: UserId) -> Result<(), Error> {
    let claims = caller.user()?;
    if claims.user_id == id || caller.is_admin() { Ok(()) } else { Err(not_found()) }
}

fn wrong_password(field: &str) -> Error {
    Error::invalid(field, "wrong", "this is not the present password")
}

/// An account whose role may be taken away; it keeps its own until the end of the transaction, and so do the other admins
/// if it is one. Somebody has to run the shop: 409 if only this account can.
async fn lock_dispensable(tx: &Connection, id: UserId) -> Result<Standing, Error> {
    let standing = repository::lock_standing(tx, id).await?.ok_or_else(not_found)?;
    if standing.is_last_admin {
        return Err(Error::conflict("last_admin", "this is the only admin; make somebody else one first"));
    }
    Ok(standing)
}

async fn close(tx: &Connection, id: UserId) -> Result<(), Error> {
    lock_dispensable(tx, id).await?;
    if repository::close(tx, id).await? { Ok(()) } else { Err(not_found()) }
}

/// Trades a refresh token for the next one, which is the same however often this is asked for within `grace`. `None`:
/// it is not valid, or it is used once more, which ends its session.
async fn trade(tx: &Connection, used: &[u8], next: &NewToken, grace: Duration) -> Result<Option<User>, Error> {
    if let Some(user) = repository::refresh(tx, used, next).await? {
        return Ok(Some(user));
    }
    if let Some(user) = repository::refreshed_just_now(tx, used, &next.hash, grace).await? {
        return Ok(Some(user));
    }
    if repository::end_reused(tx, used).await? {
        tracing::warn!("a refresh token was used twice; its session is ended");
    }
    Ok(None)
}

/// What became of trying the password of an account that is logged in.
struct Tried {
    attempt: Attempt,
    hash: String,
    is_right: bool,
}

impl Users {
    /// Tries the password of the caller's account; 429 after too many failures.
    async fn try_password(&self, caller: &Caller, password: Secret) -> Result<Tried, Error> {
        let id = caller.user()?.user_id;
        let (attempt, hash) = {
            let db = self.database.read().await?;
            let found = repository::credentials_of(&db, id).await?.ok_or_else(not_found)?;
            let attempt = Attempt::new(&found.user.email, caller.address);
            if let Some(after) = repository::is_blocked(&db, &attempt, self.limit()).await? {
                return Err(too_many_failures(after));
            }
            (attempt, found.password_hash)
        };
        let is_right = self.hasher.verify(password, Some(hash.clone())).await?;
        Ok(Tried { attempt, hash, is_right })
    }
}

#[async_trait]
impl UsersApi for Users {
    async fn register(&self, caller: &Caller, input: Register) -> Result<Registered, Error> {
        let operation = Operation::new(SERVICE, "POST /register", StatusCode::CREATED, caller, None, &input)?;
        let account = model::new_account(input)?;
        let hash = self.hasher.hash(account.password.clone()).await?;
        let id = UserId::new();
        let token = RefreshToken::of_registration(&self.keys, id).stored(self.config.refresh_lifetime);
        let user = idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move { repository::insert(tx, id, &account, &hash, &token).await })
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
        let used = token_hash(&input.refresh_token);
        let refresh = RefreshToken::after(&self.keys, &used);
        let (next, grace) = (refresh.stored(self.config.refresh_lifetime), self.config.refresh_grace);
        let user = self.database.write(move |tx| Box::pin(async move { trade(tx, &used, &next, grace).await })).await?;
        let invalid = || Error::unauthenticated("invalid_refresh_token", "this session is over; please log in again");
        self.logged_in(user.ok_or_else(invalid)?, refresh)
    }

    async fn logout(&self, caller: &Caller, input: Logout) -> Result<(), Error> {
        let all_of = if input.refresh_token.is_none() { Some(caller.user()?.user_id) } else { None };
        let operation = Operation::new(SERVICE, "POST /logout", StatusCode::NO_CONTENT, caller, None, &input)?;
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                match (input.refresh_token, all_of) {
                    (Some(token), _) => repository::end_session(tx, &token_hash(&token)).await,
                    (None, Some(user)) => repository::end_sessions(tx, user).await,
                    (None, None) => Ok(()),
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

    async fn users(&self, caller: &Caller, filter: UserFilter, page: PageQuery) -> Result<Page<User>, Error> {
        caller.admin()?;
        let prefix = model::search_text(filter.q.as_deref())?;
        let db = self.database.read().await?;
        let rows = repository::list(&db, prefix, filter.role, page.after()?, page.rows()?).await?;
        Page::new(&page, rows, |user| user.id)
    }

    async fn set_role(&self, caller: &Caller, id: UserId, input: SetRole) -> Result<User, Error> {
        caller.admin()?;
        let actor = caller.actor()?;
        let action = "POST /profile/{id}/role";
        let operation = Operation::new(SERVICE, action, StatusCode::OK, caller, None, &(id, &input))?;
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                let before = match input.role {
                    Role::Admin => repository::lock_standing(tx, id).await?.ok_or_else(not_found)?,
                    Role::User => lock_dispensable(tx, id).await?,
                };
                if before.role == input.role {
                    return repository::find(tx, id).await?.ok_or_else(not_found);
                }
                let reason = format!("from {} to {}", before.role, input.role);
                let subject = Subject::new(id.uuid());
                let operator = Operator { actor, reason: Some(reason) };
                audit::record(tx, &operator, SET_ROLE, &[subject], audit::Outcome::Done).await?;
                repository::set_role(tx, id, input.role).await?.ok_or_else(not_found)
            })
        })
        .await
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
        let action = "DELETE /profile/{id}";
        let operation = Operation::new(SERVICE, action, StatusCode::NO_CONTENT, caller, None, &id)?;
        idempotency::write(&self.database, operation, move |tx| Box::pin(async move { close(tx, id).await })).await
    }

    async fn close_account(&self, caller: &Caller, input: CloseAccount) -> Result<(), Error> {
        let id = caller.user()?.user_id;
        let operation = Operation::new(SERVICE, "POST /close-account", StatusCode::NO_CONTENT, caller, None, &input)?;
        // Once closed, there is no password left to ask for.
        if let Some(answer) = idempotency::answered(&self.database, &operation).await? {
            return answer;
        }
        let Tried { attempt, is_right, .. } = self.try_password(caller, input.password).await?;
        let wrong = || wrong_password("password");
        let closed = idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move { if is_right { close(tx, id).await } else { Err(wrong()) } })
        })
        .await;
        match closed {
            Err(error) if !is_right && error == wrong() => Err(self.failed(attempt, error).await),
            closed => closed,
        }
    }

    async fn change_password(&self, caller: &Caller, input: ChangePassword) -> Result<(), Error> {
        let id = caller.user()?.user_id;
        let operation = Operation::new(SERVICE, "POST /password", StatusCode::NO_CONTENT, caller, None, &input)?;
        model::password("new_password", &input.new_password).map_err(|field| Error::validation(vec![field]))?;
        let Tried { attempt, hash: old, is_right } = self.try_password(caller, input.current_password).await?;
        let new = self.hasher.hash(input.new_password).await?;
        let wrong = || wrong_password("current_password");
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
