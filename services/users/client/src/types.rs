//! Requests and answers, once for both sides of the wire.

use std::fmt;

use chrono::{DateTime, Utc};
use events::UserId;
use serde::{Deserialize, Serialize};
use service::Role;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Ids that one [`crate::UsersApi::users_by_ids`] takes at most.
pub const MAX_IDS: usize = 200;

/// A password or a refresh token: travels in bodies, never in logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// `POST /register`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Register {
    /// Unique, whatever its case.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// Unique; 1 to 64 characters.
    #[schema(example = "ada")]
    pub username: String,
    /// 8 characters to 72 bytes.
    pub password: Secret,
}

/// `POST /login`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Login {
    /// In any case.
    pub email: String,
    /// The password.
    pub password: Secret,
}

/// `POST /refresh`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refresh {
    /// The latest one of the session; it is used up by this.
    pub refresh_token: Secret,
}

/// `POST /logout`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Logout {
    /// Names the session to end, and is authority enough for that; all sessions of the caller if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
}

/// `POST /password`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangePassword {
    /// The one that is valid now.
    pub current_password: Secret,
    /// 8 characters to 72 bytes.
    pub new_password: Secret,
}

/// `POST /close-account`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CloseAccount {
    /// The one that is valid now: a token alone closes nothing here.
    pub password: Secret,
}

/// `POST /profile/{id}/role`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetRole {
    /// What the account may do from its next token on.
    pub role: Role,
}

/// Which accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserFilter {
    /// Only those whose e-mail address or username begins like this, whatever its case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only those in this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// `PATCH /profile/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpdateProfile {
    /// A new e-mail address; has to be verified anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A new username.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

/// `GET /users/by-ids?ids=`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ByIds {
    /// Ids, separated by commas.
    pub ids: String,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// As its owner wrote it.
    pub email: String,
    /// Shown to others.
    pub username: String,
    /// What it may do.
    pub role: Role,
    /// Has its owner shown that the address is theirs?
    pub email_verified: bool,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Answer to [`Register`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Registered {
    /// The new account.
    #[serde(flatten)]
    pub user: User,
    /// A token for it, as [`Login`] would give: valid 24 h from `created_at`.
    pub token: String,
    /// Good for one [`Refresh`].
    pub refresh_token: Secret,
    /// From when on that is refused.
    pub refresh_expires_at: DateTime<Utc>,
}

/// Answer to [`Login`] and [`Refresh`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoginAnswer {
    /// The bearer token.
    pub token: String,
    /// Who it stands for.
    pub user: User,
    /// Good for one [`Refresh`].
    pub refresh_token: Secret,
    /// From when on the token is refused.
    pub expires_at: DateTime<Utc>,
    /// From when on the refresh token is refused.
    pub refresh_expires_at: DateTime<Utc>,
}

/// Answer to `GET /profile/{id}/export`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Export {
    /// When it was made.
    pub exported_at: DateTime<Utc>,
    /// The account.
    pub user: User,
    /// Its sessions, newest first.
    pub sessions: Vec<Session>,
}

/// A login and all that was refreshed from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was last refreshed.
    pub refreshed_at: DateTime<Utc>,
    /// When it ends unless refreshed.
    pub expires_at: DateTime<Utc>,
    /// When it was ended, if it was.
    pub revoked_at: Option<DateTime<Utc>>,
}
