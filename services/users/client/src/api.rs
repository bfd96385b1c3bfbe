//! The operations of the users service.

use async_trait::async_trait;
use events::UserId;
use service::{Caller, Error, Page, PageQuery};

use crate::types::{
    ChangePassword, CloseAccount, Export, Login, LoginAnswer, Logout, Refresh, Register, Registered, SetRole,
    UpdateProfile, User, UserFilter,
};

/// Accounts: who may log in, and as what.
#[async_trait]
pub trait UsersApi: Send + Sync {
    /// Opens an account. 409 `email_already_exists`, `username_already_exists`.
    ///
    /// The caller's idempotency key makes a repetition answer the same, byte for byte. Whoever registers has no account
    /// yet that it could belong to: 400 `invalid_idempotency_key` unless it is [`service::IdempotencyKey::is_random`].
    async fn register(&self, caller: &Caller, input: Register) -> Result<Registered, Error>;

    /// Trades e-mail address and password for a token. 401 `invalid_credentials`, 429 after too many failures.
    async fn login(&self, caller: &Caller, input: Login) -> Result<LoginAnswer, Error>;

    /// Trades a refresh token for a new token and a new refresh token. 401 `invalid_refresh_token`; one that was
    /// used before ends the whole session. Using it again within moments answers the same new refresh token: two tabs
    /// may do so at once, and an answer may get lost.
    async fn refresh(&self, caller: &Caller, input: Refresh) -> Result<LoginAnswer, Error>;

    /// Ends the session of the refresh token, whoever calls; without one all sessions of the caller. The caller's
    /// idempotency key is honoured as by [`UsersApi::register`].
    async fn logout(&self, caller: &Caller, input: Logout) -> Result<(), Error>;

    /// An account: the caller's own, or any for an admin; else 404.
    async fn profile(&self, caller: &Caller, id: UserId) -> Result<User, Error>;

    /// The accounts among `ids` that exist and that the caller may see, in no order; at most [`crate::MAX_IDS`] ids.
    async fn users_by_ids(&self, caller: &Caller, ids: &[UserId]) -> Result<Vec<User>, Error>;

    /// Accounts, newest first (admin).
    async fn users(&self, caller: &Caller, filter: UserFilter, page: PageQuery) -> Result<Page<User>, Error>;

    /// Gives an account another role, from its next token on, and records who did (admin). 404 `user_not_found`,
    /// 409 `last_admin` where nobody would be left to run the shop. The caller's idempotency key is honoured.
    async fn set_role(&self, caller: &Caller, id: UserId, input: SetRole) -> Result<User, Error>;

    /// Changes e-mail address or username. 404 as [`UsersApi::profile`], 409 as [`UsersApi::register`].
    /// The caller's idempotency key is honoured.
    async fn update_profile(&self, caller: &Caller, id: UserId, input: UpdateProfile) -> Result<User, Error>;

    /// Closes an account: personal data is masked for good, sessions end. 404 as [`UsersApi::profile`], 409
    /// `last_admin`. The caller's idempotency key is honoured.
    async fn delete_profile(&self, caller: &Caller, id: UserId) -> Result<(), Error>;

    /// The same to the caller's own account, if they still know its password; 409 `last_admin`. The caller's
    /// idempotency key is honoured.
    async fn close_account(&self, caller: &Caller, input: CloseAccount) -> Result<(), Error>;

    /// Changes the caller's password and ends all of their sessions. The caller's idempotency key is honoured.
    async fn change_password(&self, caller: &Caller, input: ChangePassword) -> Result<(), Error>;

    /// Everything this service keeps about a person. 404 as [`UsersApi::profile`].
    async fn export(&self, caller: &Caller, id: UserId) -> Result<Export, Error>;
}
