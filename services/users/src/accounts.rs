//! Accounts that nobody registers over HTTP: the demo logins, an operator's promotion, the users of a bench.

use database::Database;
use events::UserId;
use service::{Error, Role};
use users_client::{Secret, User};
use uuid::Uuid;

use crate::Users;
use crate::repository;

/// Rows of one insert.
const CHUNK: usize = 1000;

/// A login of the demo shop; its password is public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoLogin {
    /// What to log in with.
    pub email: &'static str,
    /// Shown to others.
    pub username: &'static str,
    /// What to log in with.
    pub password: &'static str,
    /// What it may do.
    pub role: Role,
}

/// The logins that [`Users::seed`] makes.
pub const DEMO_LOGINS: [DemoLogin; 2] = [
    DemoLogin { email: "demo@prost.example", username: "demo", password: "demo-password", role: Role::User },
    DemoLogin { email: "admin@prost.example", username: "admin", password: "admin-password", role: Role::Admin },
];

/// One of many accounts made at once, ready to call.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// What to log in with.
    pub email: String,
    /// A bearer token.
    pub token: String,
}

impl Users {
    /// Makes the demo logins that are not there yet. Passwords that were changed stay.
    ///
    /// Returns how many it made. Errors: one of their usernames is somebody else's.
    pub async fn seed(&self) -> Result<usize, Error> {
        let known = {
            let db = self.database.read().await?;
            repository::known_emails(&db, &DEMO_LOGINS.map(|login| login.email)).await?
        };
        let missing = DEMO_LOGINS.iter().filter(|login| !known.iter().any(|email| email == login.email));
        let mut made = 0;
        for login in missing {
            let hash = self.hasher.hash(Secret::new(login.password)).await?;
            let row = [(login.email.to_owned(), login.username.to_owned(), login.role.as_str())];
            let inserted = self
                .database
                .write_statement(move |db| Box::pin(async move { repository::insert_many(db, &row, &hash).await }))
                .await?;
            if inserted.is_empty() {
                let message = format!("the demo login {} cannot be made: its name is taken", login.email);
                return Err(Error::conflict("username_already_exists", message));
            }
            made += inserted.len();
        }
        Ok(made)
    }

    /// Registers `count` customers who all have `password`, with one hash and a few statements.
    pub async fn register_many(&self, count: usize, password: Secret) -> Result<Vec<Account>, Error> {
        let hash = self.hasher.hash(password).await?;
        let run = Uuid::now_v7().simple();
        let rows: Vec<(String, String, &'static str)> = (0..count)
            .map(|number| {
                let name = format!("customer-{run}-{number}");
                (format!("{name}@prost.example"), name, Role::User.as_str())
            })
            .collect();
        let mut accounts = Vec::with_capacity(count);
        for chunk in rows.chunks(CHUNK) {
            let (chunk, hash) = (chunk.to_vec(), hash.clone());
            let users = self
                .database
                .write_statement(move |db| Box::pin(async move { repository::insert_many(db, &chunk, &hash).await }))
                .await?;
            for user in users {
                let answer = self.registered(user)?;
                accounts.push(Account { id: answer.user.id, email: answer.user.email, token: answer.token });
            }
        }
        Ok(accounts)
    }
}

/// Gives the admin role to an account, on the word of whoever may log in to the database. It counts from the
/// account's next login on. 404 `user_not_found`.
pub async fn promote(database: &Database, email: &str) -> Result<User, Error> {
    let wanted = email.trim().to_owned();
    database
        .write_statement(move |db| Box::pin(async move { repository::promote(db, &wanted).await }))
        .await?
        .ok_or_else(|| Error::not_found("user_not_found", format!("there is no account with the e-mail {email:?}")))
}
