//! The users service in another process.

use async_trait::async_trait;
use events::UserId;
use serde::Serialize;
use service::{Caller, ConfigError, Error, HttpClient, Page, PageQuery};

use crate::api::UsersApi;
use crate::types::{
    ByIds, ChangePassword, CloseAccount, Export, Login, LoginAnswer, Logout, Refresh, Register, Registered, SetRole,
    UpdateProfile, User, UserFilter,
};

/// Calls the REST endpoints of the users service.
#[derive(Clone, Debug)]
pub struct Http(HttpClient);

impl Http {
    /// `base_url`: the value of `USERS_URL`, e.g. `http://127.0.0.1:8083`.
    pub fn new(base_url: &str) -> Result<Http, ConfigError> {
        HttpClient::new("users", base_url).map(Http)
    }
}

/// A filter and a page in one query string.
#[derive(Serialize)]
struct Filtered<'a> {
    #[serde(flatten)]
    filter: &'a UserFilter,
    #[serde(flatten)]
    page: &'a PageQuery,
}

#[async_trait]
impl UsersApi for Http {
    async fn register(&self, caller: &Caller, input: Register) -> Result<Registered, Error> {
        self.0.post(caller, "/register").json(&input).send().await
    }

    async fn login(&self, caller: &Caller, input: Login) -> Result<LoginAnswer, Error> {
        self.0.post(caller, "/login").json(&input).send().await
    }

    async fn refresh(&self, caller: &Caller, input: Refresh) -> Result<LoginAnswer, Error> {
        self.0.post(caller, "/refresh").json(&input).send().await
    }

    async fn logout(&self, caller: &Caller, input: Logout) -> Result<(), Error> {
        self.0.post(caller, "/logout").json(&input).send().await
    }

    async fn profile(&self, caller: &Caller, id: UserId) -> Result<User, Error> {
        self.0.get(caller, &format!("/profile/{id}")).send().await
    }

    async fn users_by_ids(&self, caller: &Caller, ids: &[UserId]) -> Result<Vec<User>, Error> {
        let ids = ids.iter().map(UserId::to_string).collect::<Vec<_>>().join(",");
        self.0.get(caller, "/users/by-ids").query(&ByIds { ids }).send().await
    }

    async fn users(&self, caller: &Caller, filter: UserFilter, page: PageQuery) -> Result<Page<User>, Error> {
        self.0.get(caller, "/users").query(&Filtered { filter: &filter, page: &page }).send().await
    }

    async fn set_role(&self, caller: &Caller, id: UserId, input: SetRole) -> Result<User, Error> {
        self.0.post(caller, &format!("/profile/{id}/role")).json(&input).send().await
    }

    async fn update_profile(&self, caller: &Caller, id: UserId, input: UpdateProfile) -> Result<User, Error> {
        self.0.patch(caller, &format!("/profile/{id}")).json(&input).send().await
    }

    async fn delete_profile(&self, caller: &Caller, id: UserId) -> Result<(), Error> {
        self.0.delete(caller, &format!("/profile/{id}")).send().await
    }

    async fn close_account(&self, caller: &Caller, input: CloseAccount) -> Result<(), Error> {
        self.0.post(caller, "/close-account").json(&input).send().await
    }

    async fn change_password(&self, caller: &Caller, input: ChangePassword) -> Result<(), Error> {
        self.0.post(caller, "/password").json(&input).send().await
    }

    async fn export(&self, caller: &Caller, id: UserId) -> Result<Export, Error> {
        self.0.get(caller, &format!("/profile/{id}/export")).send().await
    }
}
