//! What only a shop with demo data has: logins that anybody may use, and a way to break something.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use events::UserId;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use messaging::{Poison, Transport};
use moka::future::Cache;
use service::{Caller, Error};

use crate::errors::{UserError, fault, settle};
use crate::scope::Scope;
use crate::users::Role;

/// Keys whose poison is remembered: nobody poisons a shop more often.
const MOST_KEYS: u64 = 1_000;
/// As long as services keep theirs.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What a shop with demo data offers.
#[derive(Clone)]
pub struct Demo {
    logins: Vec<DemoLogin>,
    poison: SendPoison,
    /// By whose key it was sent. In memory, since nothing depends on it.
    sent: Cache<(UserId, String), Poison>,
}

impl Demo {
    /// Logins that everybody may know, and what sends a message that nobody can read.
    pub fn new(logins: Vec<DemoLogin>, poison: SendPoison) -> Demo {
        let sent = Cache::builder().max_capacity(MOST_KEYS).time_to_live(KEPT).build();
        Demo { logins, poison, sent }
    }

    /// Sends poison, once for each key of an admin.
    async fn poison(&self, caller: &Caller) -> Result<Poison, Error> {
        let admin = caller.admin()?.user_id;
        let Some(key) = &caller.idempotency_key else { return (self.poison)().await };
        self.sent
            // Of its own: a client that hangs up half-way must not make the repetition a second one.
            .try_get_with((admin, key.as_str().to_owned()), async {
                tokio::spawn((self.poison)()).await.unwrap_or_else(|error| Err(Error::internal(error.to_string())))
            })
            .await
            .map_err(Arc::unwrap_or_clone)
    }
}

/// Sends a message that nobody can read.
pub type SendPoison = Arc<dyn Fn() -> BoxFuture<'static, Result<Poison, Error>> + Send + Sync>;

/// The way to send one over a transport.
pub fn poison_over(transport: Transport) -> SendPoison {
    Arc::new(move || {
        let transport = transport.clone();
        async move { transport.send_poison().await.map_err(Error::unavailable) }.boxed()
    })
}

/// A login that everybody may know.
#[derive(Debug, Clone)]
pub struct DemoLogin {
    /// With what one logs in.
    pub email: String,
    /// With what one logs in.
    pub password: String,
    /// What it may do.
    pub role: service::Role,
}

/// Queries about the demo.
#[derive(Default)]
pub struct DemoQueries;

#[Object]
impl DemoQueries {
    /// What a shop with demo data offers; null in every other.
    async fn demo(&self, ctx: &Context<'_>) -> Option<ShownDemo> {
        Scope::of(ctx).demo.clone().map(ShownDemo)
    }
}

/// What a shop with demo data offers.
pub struct ShownDemo(Arc<Demo>);

/// What a shop with demo data offers.
#[Object(name = "Demo")]
impl ShownDemo {
    /// Logins that everybody may use.
    async fn logins(&self) -> Vec<ShownLogin<'_>> {
        self.0.logins.iter().map(ShownLogin).collect()
    }
}

/// A login that everybody may use.
pub struct ShownLogin<'a>(&'a DemoLogin);

/// A login that everybody may use.
#[Object(name = "DemoLogin")]
impl ShownLogin<'_> {
    /// E-mail address.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// Password.
    async fn password(&self) -> &str {
        &self.0.password
    }

    /// What it may do.
    async fn role(&self) -> Role {
        self.0.role.into()
    }
}

/// Sends poison.
#[derive(Debug, Default, InputObject)]
pub struct SendPoisonMessageInput {
    /// Repeating the mutation with the same key has no second effect, as long as this gateway runs.
    idempotency_key: Option<String>,
}

/// What became of `sendPoisonMessage`.
#[derive(Default, SimpleObject)]
pub struct SendPoisonMessagePayload {
    /// The queue of the service that it was meant to disturb; null if there are userErrors.
    queue: Option<String>,
    /// All queues that it went into.
    queues: Vec<String>,
    /// Its id, by which its dead letters are found; null if there are userErrors.
    event_id: Option<ID>,
    /// Why it did not happen; empty if it did.
    user_errors: Vec<UserError>,
}

/// What a demo may do.
#[derive(Default)]
pub struct DemoMutations;

#[Object]
impl DemoMutations {
    /// Publishes a message that nobody can read, so that it ends among the dead letters (admin, and only in a shop with
    /// demo data). Nothing else comes of it.
    async fn send_poison_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "May hold a key.")] input: Option<SendPoisonMessageInput>,
    ) -> Result<SendPoisonMessagePayload> {
        let scope = Scope::of_mutation(ctx);
        scope.caller.admin().map_err(fault)?;
        let key = input.and_then(|input| input.idempotency_key);
        let send = async {
            let caller = scope.caller_with_key(key.as_deref())?;
            let demo = scope.demo.as_ref().ok_or_else(|| Error::not_found("no_demo", "this is no demo shop"))?;
            demo.poison(&caller).await
        };
        let (poison, user_errors) = settle(send.await)?;
        let Some(poison) = poison else { return Ok(SendPoisonMessagePayload { user_errors, ..Default::default() }) };
        Ok(SendPoisonMessagePayload {
            queue: poison.queues.first().cloned(),
            queues: poison.queues,
            event_id: Some(poison.event_id.to_string().into()),
            user_errors,
        })
    }
}
