//! A users service of the test's own.

use std::net::IpAddr;
use std::sync::Arc;

use events::CorrelationId;
use service::{Caller, Error, IdempotencyKey, TokenKeys};
use testkit::TestDatabase;
use users::{Users, UsersConfig};
use users_client::{Login, LoginAnswer, Register, Registered, Secret, UsersApi};

pub const PASSWORD: &str = "correct horse";

pub struct World {
    pub db: TestDatabase,
    pub keys: TokenKeys,
    pub users: Arc<Users>,
}

/// The cheapest hash there is: these tests are not about its cost.
pub fn config() -> UsersConfig {
    UsersConfig { bcrypt_cost: 4, ..UsersConfig::default() }
}

impl World {
    pub async fn new() -> World {
        World::with(config()).await
    }

    pub async fn with(config: UsersConfig) -> World {
        let db = TestDatabase::new(&[users::migrations().unwrap()]).await;
        let keys = TokenKeys::new("a secret of at least thirty-two bytes", None).unwrap();
        let users = Users::new(db.database(users::SERVICE, users::SCHEMA), keys.clone(), config);
        World { db, keys, users }
    }

    /// Another process of the same service, with other settings.
    pub fn another(&self, config: UsersConfig) -> Arc<Users> {
        Users::new(self.db.database(users::SERVICE, users::SCHEMA), self.keys.clone(), config)
    }

    pub async fn register(&self, name: &str) -> Registered {
        self.users.register(&anonymous(), registration(name)).await.unwrap()
    }

    pub async fn login(&self, name: &str, password: &str) -> Result<LoginAnswer, Error> {
        self.users.login(&anonymous(), login(name, password)).await
    }

    pub fn caller(&self, token: &str) -> Caller {
        anonymous().with_token(&self.keys, token).unwrap()
    }

    pub async fn admin(&self) -> Caller {
        self.users.seed().await.unwrap();
        let login = Login { email: "admin@prost.example".into(), password: Secret::new("admin-password") };
        self.caller(&self.users.login(&anonymous(), login).await.unwrap().token)
    }
}

pub fn anonymous() -> Caller {
    Caller::anonymous(CorrelationId::new())
}

pub fn from(address: &str) -> Caller {
    Caller { address: Some(address.parse::<IpAddr>().unwrap()), ..anonymous() }
}

pub fn keyed(caller: &Caller, key: &str) -> Caller {
    caller.with_idempotency_key(Some(IdempotencyKey::new(key).unwrap()))
}

pub fn registration(name: &str) -> Register {
    Register { email: format!("{name}@example.com"), username: name.to_owned(), password: Secret::new(PASSWORD) }
}

pub fn login(name: &str, password: &str) -> Login {
    Login { email: format!("{name}@example.com"), password: Secret::new(password) }
}

pub fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> (u16, String) {
    let error = result.unwrap_err();
    (error.status.as_u16(), error.code.into_owned())
}

/// What a code and a status are in an assertion.
pub fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
