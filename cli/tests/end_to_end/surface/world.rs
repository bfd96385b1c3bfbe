//! A running shop with people in it.

use std::collections::BTreeMap;
use std::fs::File;

use events::UserId;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use service::{Claims, Role, TokenKeys};
use testkit::connect;
use tokio_postgres::Client;

use super::state;
use super::{Answer, things::PASSWORD};
use crate::support::Shop;
use crate::support::client::http;
use crate::support::shop::JWT_SECRET;

/// A shop, its databases as the owner sees them, and a way to ask it anything.
pub struct World {
    pub shop: Shop,
    pub database: Client,
    pub analytics: Client,
    pub fingerprints: BTreeMap<&'static str, String>,
    pub keys: TokenKeys,
    pub http: reqwest::Client,
}

/// Somebody with an account and a token.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: UserId,
    pub email: String,
    pub username: String,
    pub token: String,
}

impl Person {
    /// What nobody else may be shown.
    pub fn markers(&self) -> Vec<String> {
        vec![self.id.to_string(), self.email.clone(), self.username.clone()]
    }
}

impl World {
    pub async fn open() -> World {
        World::with(&[], None).await
    }

    /// A shop with these settings besides.
    pub async fn with(settings: &[(&str, &str)], log: Option<File>) -> World {
        World::of(Shop::with_settings(settings, log).await).await
    }

    /// Whoever is in this shop, which runs in one process.
    pub async fn of(shop: Shop) -> World {
        let database = shop.database.owner().await;
        let analytics = connect(shop.setting("ANALYTICS_DATABASE_URL")).await;
        let fingerprints = BTreeMap::from([
            ("prost", state::fingerprint(&database).await),
            ("analytics", state::fingerprint(&analytics).await),
        ]);
        let keys = TokenKeys::new(JWT_SECRET, None).expect("a valid secret");
        let world = World { shop, database, analytics, fingerprints, keys, http: http() };
        world.register_the_first().await;
        world
    }

    /// Whose hash of [`PASSWORD`] the others copy: hashing is slow on purpose.
    async fn register_the_first(&self) {
        let first = json!({"email": "first@example.com", "username": "first", "password": PASSWORD});
        let answer = self.send(self.ask("users", Method::POST, "/register").json(&first)).await.expect("register");
        assert_eq!(answer.status, 201, "{}", answer.text);
    }

    /// A new account with [`PASSWORD`].
    pub async fn person(&self, role: Role) -> Person {
        let id = UserId::new();
        let (email, username) = (format!("{}@example.com", id.uuid().simple()), format!("name-{}", id.uuid().simple()));
        let sql = "INSERT INTO users.users (id, email, username, password_hash, role)
                   SELECT $1, $2, $3, password_hash, $4 FROM users.users WHERE email = 'first@example.com'";
        let made =
            self.database.execute(sql, &[&id, &email, &username, &role.as_str()]).await.expect("make an account");
        assert_eq!(made, 1);
        let claims = Claims::new(id, email.as_str(), username.as_str(), role);
        let token = self.keys.sign(&claims).expect("sign").reveal().to_owned();
        Person { id, email, username, token }
    }

    /// A request to a service, not sent yet.
    pub fn ask(&self, service: &str, method: Method, uri: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{uri}", self.shop.url(service)))
    }

    /// Sends it, and reads the answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, String> {
        Answer::of(request.send().await.map_err(|error| format!("no answer: {error:?}"))?).await
    }

    /// Sends what has to succeed.
    pub async fn succeed(&self, request: RequestBuilder) -> Answer {
        let answer = self.send(request).await.expect("an answer");
        assert!(answer.status < 300, "{} {}", answer.status, answer.text);
        answer
    }
}
