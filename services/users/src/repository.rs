//! All SQL of the users service.

use std::time::Duration;

use chrono::{DateTime, Utc};
use database::{Connection, Row};
use events::UserId;
use service::{Error, OnConstraint, Role};
use users_client::{Session, UpdateProfile, User};
use uuid::Uuid;

use crate::model::{Attempt, NewAccount};

/// Columns of [`User`].
macro_rules! user_columns {
    () => {
        "id, email, username, role, email_verified, created_at, updated_at"
    };
}

/// Seconds until the account may be tried again from this address, or NULL: the oldest of the last $4 + 1 failures
/// within $3 seconds has to grow old first.
macro_rules! blocked {
    () => {
        "(SELECT extract(epoch FROM at + $3::float8 * interval '1 second' - now())::float8
          FROM login_failures, unnest(failed_at) AS at
          WHERE account = $1 AND address = $2 AND at > now() - $3::float8 * interval '1 second'
          ORDER BY at DESC OFFSET $4 LIMIT 1)"
    };
}

database::statements! {
    /// Opens an account and begins its first session.
    INSERT = concat!("WITH opened AS (
            INSERT INTO users (id, email, username, password_hash) VALUES ($1, $2, $3, $4) RETURNING ", user_columns!(), "),
        started AS (
            INSERT INTO refresh_tokens (token_hash, session_id, user_id, expires_at)
            SELECT $5, $6, id, now() + $7::float8 * interval '1 second' FROM opened)
        SELECT ", user_columns!(), " FROM opened");
    /// Opens many accounts with one password, in one role each.
    INSERT_MANY = concat!("INSERT INTO users (id, email, username, password_hash, role)
        SELECT id, email, username, $4, role
        FROM unnest($1::uuid[], $2::text[], $3::text[], $5::text[]) AS account (id, email, username, role)
        ON CONFLICT DO NOTHING RETURNING ", user_columns!());
    /// Which of these e-mail addresses have an account.
    KNOWN_EMAILS = "SELECT lower(email) AS email FROM users WHERE lower(email) = ANY($1)";
    /// One account.
    FIND = concat!("SELECT ", user_columns!(), " FROM users WHERE id = $1 AND deleted_at IS NULL");
    /// Several accounts.
    FIND_MANY = concat!("SELECT ", user_columns!(), " FROM users WHERE id = ANY($1) AND deleted_at IS NULL");
    /// Accounts, newest first.
    LIST = concat!("SELECT ", user_columns!(), " FROM users
        WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR id < $1) AND ($2::text IS NULL OR role = $2)
            AND ($3::text IS NULL OR lower(email) LIKE lower($3) OR lower(username) LIKE lower($3))
        ORDER BY id DESC LIMIT $4");
    /// An account with its hash, to check a password against.
    FIND_BY_ID_FOR_LOGIN = concat!("SELECT ", user_columns!(), ", password_hash FROM users
        WHERE id = $1 AND deleted_at IS NULL");
    /// The account of an e-mail address, if there is one, and whether it may be tried; always one row.
    FIND_FOR_LOGIN = concat!("SELECT blocked_s, password_hash, ", user_columns!(), "
        FROM (SELECT ", blocked!(), " AS blocked_s) AS verdict
        LEFT JOIN users ON lower(email) = lower($5) AND deleted_at IS NULL");
    /// Whether the account may be tried.
    BLOCKED = concat!("SELECT ", blocked!(), " AS blocked_s");
    /// Counts a failure, unless there are more than $4 already. Parallel ones wait for each other's row.
    FAIL = "INSERT INTO login_failures AS counted (account, address, failed_at, last_failed_at)
        VALUES ($1, $2, ARRAY[now()], now())
        ON CONFLICT (account, address) DO UPDATE
        SET last_failed_at = now(), failed_at = now() || ARRAY(
            SELECT at FROM unnest(counted.failed_at) AS at WHERE at > now() - $3::float8 * interval '1 second')
        WHERE (SELECT count(*) FROM unnest(counted.failed_at) AS at
               WHERE at > now() - $3::float8 * interval '1 second') <= $4";
    /// Begins a session and forgets the failures, unless there were too many meanwhile, or the hash that was checked
    /// is the account's no more.
    START_SESSION = concat!("WITH verdict AS MATERIALIZED (SELECT ", blocked!(), " AS blocked_s),
        started AS (
            INSERT INTO refresh_tokens (token_hash, session_id, user_id, expires_at)
            SELECT $5, $6, users.id, now() + $7::float8 * interval '1 second' FROM users, verdict
            WHERE users.id = $8 AND password_hash = $9 AND deleted_at IS NULL AND blocked_s IS NULL
            FOR SHARE OF users
            RETURNING user_id),
        forgotten AS (
            DELETE FROM login_failures WHERE account = $1 AND address = $2 AND EXISTS (SELECT FROM started))
        SELECT blocked_s, EXISTS (SELECT FROM started) AS started FROM verdict");
    /// Uses up a refresh token and gives out the next one of its session.
    REFRESH = concat!("WITH used AS (
            UPDATE refresh_tokens SET used_at = now()
            WHERE token_hash = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > now()
            RETURNING session_id, user_id),
        next AS (
            INSERT INTO refresh_tokens (token_hash, session_id, user_id, expires_at)
            SELECT $2, session_id, user_id, now() + $3::float8 * interval '1 second' FROM used)
        SELECT ", user_columns!(), " FROM users WHERE id = (SELECT user_id FROM used) AND deleted_at IS NULL");
    /// The account of a token that was traded for the next one a moment ago, if that was not used since.
    REFRESHED_JUST_NOW = concat!("SELECT ", user_columns!(), " FROM users WHERE deleted_at IS NULL AND id = (
        SELECT next.user_id FROM refresh_tokens AS used JOIN refresh_tokens AS next USING (session_id)
        WHERE used.token_hash = $1 AND used.used_at > now() - $3::float8 * interval '1 second'
            AND next.token_hash = $2 AND next.used_at IS NULL AND next.revoked_at IS NULL AND next.expires_at > now())");
    /// Ends the session of a token that was used before.
    END_REUSED = "UPDATE refresh_tokens SET revoked_at = now()
        WHERE revoked_at IS NULL AND session_id =
            (SELECT session_id FROM refresh_tokens WHERE token_hash = $1 AND used_at IS NOT NULL)";
    /// Ends the session of a token.
    END_SESSION = "UPDATE refresh_tokens SET revoked_at = now()
        WHERE revoked_at IS NULL AND session_id = (SELECT session_id FROM refresh_tokens WHERE token_hash = $1)";
    /// Ends all sessions of a user.
    END_SESSIONS = "UPDATE refresh_tokens SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL";
    /// All sessions of a user, newest first.
    SESSIONS = "SELECT session_id, min(created_at) AS started_at, max(created_at) AS refreshed_at,
            max(expires_at) AS expires_at, max(revoked_at) AS revoked_at
        FROM refresh_tokens WHERE user_id = $1 GROUP BY session_id ORDER BY started_at DESC LIMIT 1000";
    /// Forgets the sessions of a user.
    DELETE_SESSIONS = "DELETE FROM refresh_tokens WHERE user_id = $1";
    /// Changes a profile; a new e-mail address is not verified.
    UPDATE = concat!("UPDATE users SET email = coalesce($2, email), username = coalesce($3, username),
            email_verified = email_verified AND lower(coalesce($2, email)) = lower(email), updated_at = now()
        WHERE id = $1 AND deleted_at IS NULL RETURNING ", user_columns!());
    /// Replaces a hash, if it still is the one that was checked.
    UPDATE_HASH = "UPDATE users SET password_hash = $3, updated_at = now()
        WHERE id = $1 AND password_hash = $2 AND deleted_at IS NULL";
    /// Makes an account an admin's.
    PROMOTE = concat!("UPDATE users SET role = 'admin', updated_at = now()
        WHERE lower(email) = lower($1) AND deleted_at IS NULL RETURNING ", user_columns!());
    /// This account and all admins, locked until the end of the transaction; in key order, so that two of these never
    /// wait for each other in a circle.
    LOCK_WITH_ADMINS = "SELECT id, role FROM users
        WHERE deleted_at IS NULL AND (id = $1 OR role = 'admin'
            AND (SELECT role FROM users WHERE id = $1 AND deleted_at IS NULL) = 'admin')
        ORDER BY id FOR NO KEY UPDATE";
    /// Gives an account another role.
    SET_ROLE = concat!("UPDATE users SET role = $2, updated_at = now() WHERE id = $1 AND deleted_at IS NULL RETURNING ",
        user_columns!());
    /// Closes an account: nothing personal stays.
    CLOSE = "UPDATE users SET email = 'deleted-' || id || '@deleted.invalid', username = 'deleted-' || id,
            password_hash = '', email_verified = false, updated_at = now(), deleted_at = now()
        WHERE id = $1 AND deleted_at IS NULL";
    /// Removes refresh tokens a day after their end, some at a time.
    PRUNE_TOKENS = "DELETE FROM refresh_tokens WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM refresh_tokens WHERE expires_at < now() - interval '1 day' LIMIT 10000))";
    /// Removes failures that do not count any more, some at a time.
    PRUNE_FAILURES = "DELETE FROM login_failures WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM login_failures WHERE last_failed_at < now() - $1::float8 * interval '1 second' LIMIT 10000))";
}

/// How many failures in which time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub failures: u32,
    pub window: Duration,
}

impl Limit {
    fn last(self) -> i64 {
        i64::from(self.failures) - 1
    }
}

/// A time in which nothing may be tried; `None`: it may.
pub(crate) type Blocked = Option<Duration>;

fn blocked(row: &Row) -> Blocked {
    row.get::<_, Option<f64>>("blocked_s").map(|seconds| Duration::from_secs_f64(seconds.max(1.0).ceil()))
}

fn user(row: &Row) -> Result<User, Error> {
    Ok(User {
        id: row.get("id"),
        email: row.get("email"),
        username: row.get("username"),
        role: row.get::<_, &str>("role").parse()?,
        email_verified: row.get("email_verified"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    })
}

/// An account and the hash to check a password against.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub user: User,
    pub password_hash: String,
}

trait Unique<T> {
    fn or_taken(self) -> Result<T, Error>;
}

impl<T> Unique<T> for Result<T, database::Error> {
    /// The database decides uniqueness.
    fn or_taken(self) -> Result<T, Error> {
        self.on_constraint("users_email_unique", || {
            Error::conflict("email_already_exists", "an account with this e-mail address exists already")
        })
        .on_constraint("users_username_unique", || Error::conflict("username_already_exists", "this username is taken"))
    }
}

/// 409 if the e-mail address or the username is taken.
pub(crate) async fn insert(
    tx: &Connection,
    id: UserId,
    account: &NewAccount,
    hash: &str,
    token: &NewToken,
) -> Result<User, Error> {
    let (session, lifetime_s) = (Uuid::now_v7(), token.lifetime.as_secs_f64());
    let NewAccount { email, username, .. } = account;
    let row = tx.query_one(INSERT, &[&id, email, username, &hash, &token.hash, &session, &lifetime_s]).await;
    user(&row.or_taken()?)
}

/// Opens the accounts (e-mail, username, role) whose e-mail address and username are free, and returns those.
pub(crate) async fn insert_many(
    tx: &Connection,
    accounts: &[(String, String, &str)],
    hash: &str,
) -> Result<Vec<User>, Error> {
    let ids: Vec<UserId> = accounts.iter().map(|_| UserId::new()).collect();
    let emails: Vec<&str> = accounts.iter().map(|(email, _, _)| email.as_str()).collect();
    let usernames: Vec<&str> = accounts.iter().map(|(_, username, _)| username.as_str()).collect();
    let roles: Vec<&str> = accounts.iter().map(|(_, _, role)| *role).collect();
    tx.query(INSERT_MANY, &[&ids, &emails, &usernames, &hash, &roles]).await?.iter().map(user).collect()
}

/// Lower-cased e-mail addresses among `emails` (lower-cased, too) that have an account.
pub(crate) async fn known_emails(db: &Connection, emails: &[&str]) -> Result<Vec<String>, Error> {
    Ok(db.query(KNOWN_EMAILS, &[&emails]).await?.iter().map(|row| row.get("email")).collect())
}

pub(crate) async fn find(db: &Connection, id: UserId) -> Result<Option<User>, Error> {
    db.query_opt(FIND, &[&id]).await?.as_ref().map(user).transpose()
}

pub(crate) async fn find_many(db: &Connection, ids: &[UserId]) -> Result<Vec<User>, Error> {
    db.query(FIND_MANY, &[&ids]).await?.iter().map(user).collect()
}

/// Those whose e-mail address or username begins with `prefix`, in `role`, before the account `before`.
pub(crate) async fn list(
    db: &Connection,
    prefix: Option<&str>,
    role: Option<Role>,
    before: Option<UserId>,
    limit: i64,
) -> Result<Vec<User>, Error> {
    let pattern = prefix.map(|prefix| prefix.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_") + "%");
    let role = role.map(Role::as_str);
    db.query(LIST, &[&before, &role, &pattern, &limit]).await?.iter().map(user).collect()
}

pub(crate) async fn credentials_of(db: &Connection, id: UserId) -> Result<Option<Credentials>, Error> {
    let row = db.query_opt(FIND_BY_ID_FOR_LOGIN, &[&id]).await?;
    row.map(|row| Ok(Credentials { user: user(&row)?, password_hash: row.get("password_hash") })).transpose()
}

/// The account behind an e-mail address, and whether a login may be tried at all.
pub(crate) async fn find_for_login(
    db: &Connection,
    attempt: &Attempt,
    limit: Limit,
    email: &str,
) -> Result<(Blocked, Option<Credentials>), Error> {
    let window_s = limit.window.as_secs_f64();
    let row =
        db.query_one(FIND_FOR_LOGIN, &[&attempt.account, &attempt.address, &window_s, &limit.last(), &email]).await?;
    let credentials = match row.get::<_, Option<String>>("password_hash") {
        Some(password_hash) => Some(Credentials { user: user(&row)?, password_hash }),
        None => None,
    };
    Ok((blocked(&row), credentials))
}

pub(crate) async fn is_blocked(db: &Connection, attempt: &Attempt, limit: Limit) -> Result<Blocked, Error> {
    let window_s = limit.window.as_secs_f64();
    Ok(blocked(&db.query_one(BLOCKED, &[&attempt.account, &attempt.address, &window_s, &limit.last()]).await?))
}

/// Counts a failure; too many before it block instead.
pub(crate) async fn fail(db: &Connection, attempt: &Attempt, limit: Limit) -> Result<Blocked, Error> {
    let window_s = limit.window.as_secs_f64();
    match db.execute(FAIL, &[&attempt.account, &attempt.address, &window_s, &limit.last()]).await? {
        0 => is_blocked(db, attempt, limit).await,
        _ => Ok(None),
    }
}

/// What became of a login whose password was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    Yes,
    /// Too many failures came in while the password was hashed.
    Blocked(Duration),
    /// The account was closed, or its password changed, while the password was hashed.
    Outdated,
}

/// A refresh token's hash, and how long it can be used.
#[derive(Debug, Clone)]
pub(crate) struct NewToken {
    pub hash: Vec<u8>,
    pub lifetime: Duration,
}

pub(crate) async fn start_session(
    db: &Connection,
    attempt: &Attempt,
    limit: Limit,
    credentials: &Credentials,
    token: &NewToken,
) -> Result<Started, Error> {
    let window_s = limit.window.as_secs_f64();
    let lifetime_s = token.lifetime.as_secs_f64();
    let (id, hash, session) = (credentials.user.id, &credentials.password_hash, Uuid::now_v7());
    let last = limit.last();
    let row = db
        .query_one(
            START_SESSION,
            &[&attempt.account, &attempt.address, &window_s, &last, &token.hash, &session, &lifetime_s, &id, hash],
        )
        .await?;
    Ok(match (blocked(&row), row.get("started")) {
        (Some(after), _) => Started::Blocked(after),
        (None, true) => Started::Yes,
        (None, false) => Started::Outdated,
    })
}

/// `None`: the token is unknown, used, ended or too old, or its account is closed.
pub(crate) async fn refresh(tx: &Connection, used: &[u8], next: &NewToken) -> Result<Option<User>, Error> {
    let lifetime_s = next.lifetime.as_secs_f64();
    tx.query_opt(REFRESH, &[&used, &next.hash, &lifetime_s]).await?.as_ref().map(user).transpose()
}

/// `None`: it is too long ago that `used` was traded for `next`, or it never was, or `next` is over.
pub(crate) async fn refreshed_just_now(
    tx: &Connection,
    used: &[u8],
    next: &[u8],
    grace: Duration,
) -> Result<Option<User>, Error> {
    tx.query_opt(REFRESHED_JUST_NOW, &[&used, &next, &grace.as_secs_f64()]).await?.as_ref().map(user).transpose()
}

/// Returns whether there was a session to end, that is, whether the token was used before.
pub(crate) async fn end_reused(tx: &Connection, token: &[u8]) -> Result<bool, Error> {
    Ok(tx.execute(END_REUSED, &[&token]).await? > 0)
}

pub(crate) async fn end_session(tx: &Connection, token: &[u8]) -> Result<(), Error> {
    tx.execute(END_SESSION, &[&token]).await?;
    Ok(())
}

pub(crate) async fn end_sessions(tx: &Connection, user: UserId) -> Result<(), Error> {
    tx.execute(END_SESSIONS, &[&user]).await?;
    Ok(())
}

pub(crate) async fn sessions(db: &Connection, user: UserId) -> Result<Vec<Session>, Error> {
    let session = |row: &Row| Session {
        id: row.get("session_id"),
        started_at: row.get::<_, DateTime<Utc>>("started_at"),
        refreshed_at: row.get("refreshed_at"),
        expires_at: row.get("expires_at"),
        revoked_at: row.get("revoked_at"),
    };
    Ok(db.query(SESSIONS, &[&user]).await?.iter().map(session).collect())
}

/// `None`: no such account. 409 if the e-mail address or the username is taken.
pub(crate) async fn update(tx: &Connection, id: UserId, change: &UpdateProfile) -> Result<Option<User>, Error> {
    tx.query_opt(UPDATE, &[&id, &change.email, &change.username]).await.or_taken()?.as_ref().map(user).transpose()
}

/// Returns whether `old` still was the account's hash.
pub(crate) async fn update_hash(tx: &Connection, id: UserId, old: &str, new: &str) -> Result<bool, Error> {
    Ok(tx.execute(UPDATE_HASH, &[&id, &old, &new]).await? > 0)
}

pub(crate) async fn promote(tx: &Connection, email: &str) -> Result<Option<User>, Error> {
    tx.query_opt(PROMOTE, &[&email]).await?.as_ref().map(user).transpose()
}

/// What an account may do, until the end of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub role: Role,
    /// Nobody else can run the shop.
    pub is_last_admin: bool,
}

/// Holds an account to its role until the end of the transaction, and all admins if it is one of them: who closes an
/// ordinary account waits for nobody. `None`: no such account.
///
/// Who becomes an admin in this very moment passes for the only one.
pub(crate) async fn lock_standing(tx: &Connection, id: UserId) -> Result<Option<Standing>, Error> {
    let rows = tx.query(LOCK_WITH_ADMINS, &[&id]).await?;
    let Some(own) = rows.iter().find(|row| row.get::<_, UserId>("id") == id) else { return Ok(None) };
    let role: Role = own.get::<_, &str>("role").parse()?;
    Ok(Some(Standing { role, is_last_admin: role == Role::Admin && rows.len() == 1 }))
}

/// `None`: no such account.
pub(crate) async fn set_role(tx: &Connection, id: UserId, role: Role) -> Result<Option<User>, Error> {
    tx.query_opt(SET_ROLE, &[&id, &role.as_str()]).await?.as_ref().map(user).transpose()
}

/// Masks an account and forgets its sessions. Returns whether it was open.
pub(crate) async fn close(tx: &Connection, id: UserId) -> Result<bool, Error> {
    if tx.execute(CLOSE, &[&id]).await? == 0 {
        return Ok(false);
    }
    // A statement of its own: it sees a session that began while the first one waited for the row.
    tx.execute(DELETE_SESSIONS, &[&id]).await?;
    Ok(true)
}

/// Removes what is over.
pub(crate) async fn prune(db: &Connection, window: Duration) -> Result<(), Error> {
    while db.execute(PRUNE_TOKENS, &[]).await? > 0 {}
    while db.execute(PRUNE_FAILURES, &[&window.as_secs_f64()]).await? > 0 {}
    Ok(())
}
