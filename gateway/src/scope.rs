//! What every resolver finds in its context: who calls, the clients, the loaders of this request.

use std::sync::Arc;

use async_graphql::Context;
use service::{Caller, Error, IdempotencyKey, TokenKeys};

use crate::Clients;
use crate::demo::Demo;
use crate::live::LiveOrders;
use crate::loaders::Loaders;
use crate::session::Session;

/// The surroundings of one request.
pub struct Scope {
    /// Who calls.
    pub caller: Caller,
    /// The session of the browser that calls.
    pub session: Arc<Session>,
    /// The services.
    pub clients: Arc<Clients>,
    /// Verifies the token that a registration or login just brought.
    pub keys: TokenKeys,
    /// What only a shop with demo data has.
    pub demo: Option<Arc<Demo>>,
    /// Orders as they change.
    pub live: LiveOrders,
    /// Batches and remembers what nested fields load.
    pub loaders: Loaders,
}

impl Scope {
    /// The scope that the endpoint put into the request.
    pub fn of<'a>(ctx: &Context<'a>) -> &'a Arc<Scope> {
        ctx.data_unchecked::<Arc<Scope>>()
    }

    /// The scope of a mutation: what was loaded before may be out of date after it.
    pub fn of_mutation<'a>(ctx: &Context<'a>) -> &'a Arc<Scope> {
        let scope = Scope::of(ctx);
        scope.loaders.clear();
        scope
    }

    /// The caller with the idempotency key of a mutation's input. Keys of the HTTP request do not count: a
    /// document may hold several mutations.
    pub fn caller_with_key(&self, key: Option<&str>) -> Result<Caller, Error> {
        let key = key.map(IdempotencyKey::new).transpose()?;
        Ok(self.caller.with_idempotency_key(key))
    }
}
