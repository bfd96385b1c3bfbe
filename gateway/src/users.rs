//! Accounts.

mod export;
mod mutations;

use async_graphql::{Context, Enum, ID, Object, Result};
use events::UserId;
use service::Caller;
use users_client::UserFilter;

use crate::cart::Cart;
use crate::connections::{Connection, PageArguments, cost};
use crate::errors::{fault, found};
use crate::orders::Order;
use crate::scalars::DateTime;
use crate::scope::Scope;

pub(crate) use mutations::session_payload;
pub use mutations::{UserMutations, logged_in};

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "service::Role")]
pub enum Role {
    /// A customer: own cart, own orders, own profile.
    User,
    /// Runs the shop.
    Admin,
}

/// An account, and to whom it is shown: a login shows the account to the one who has just logged in.
#[derive(Debug, Clone)]
pub struct User {
    user: users_client::User,
    caller: Caller,
}

impl User {
    /// Shows an account to a caller who may see it.
    pub fn new(user: users_client::User, caller: Caller) -> Self {
        Self { user, caller }
    }
}

/// An account.
#[Object]
impl User {
    /// The user's id.
    async fn id(&self) -> ID {
        self.user.id.to_string().into()
    }

    /// E-mail address, as its owner wrote it.
    async fn email(&self) -> &str {
        &self.user.email
    }

    /// The name shown to others.
    async fn username(&self) -> &str {
        &self.user.username
    }

    /// What the user may do.
    async fn role(&self) -> Role {
        self.user.role.into()
    }

    /// When the account was opened.
    async fn created_at(&self) -> DateTime {
        DateTime(self.user.created_at)
    }

    /// The latest active cart; null if there is none.
    async fn cart(&self, ctx: &Context<'_>) -> Result<Option<Cart>> {
        let scope = Scope::of(ctx);
        let cart = scope.loaders.active_cart(&scope.clients, &self.caller, self.user.id).await.map_err(fault)?;
        Ok(cart.map(Cart))
    }

    /// The user's orders, newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20, desc = "How many, 0 to 100.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<Order>> {
        let scope = Scope::of(ctx);
        let page = PageArguments::new(ctx, first, after).map_err(fault)?;
        scope.loaders.orders_of_user(&scope.clients, &self.caller, self.user.id, page).await.map_err(fault)
    }
}

/// Queries about accounts.
#[derive(Default)]
pub struct UserQueries;

#[Object]
impl UserQueries {
    /// An account: the caller's own, or any for an admin; null otherwise.
    async fn user(&self, ctx: &Context<'_>, #[graphql(desc = "The user's id.")] id: ID) -> Result<Option<User>> {
        match id.parse::<UserId>() {
            Ok(id) => profile(Scope::of(ctx), id).await,
            Err(_) => Ok(None),
        }
    }

    /// The account of whoever is logged in; null for anonymous callers.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let scope = Scope::of(ctx);
        match scope.caller.user_id() {
            Some(id) => profile(scope, id).await,
            None => Ok(None),
        }
    }

    /// Accounts, newest first (admin).
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20, desc = "How many, 0 to 100.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those whose e-mail address or username begins like this, whatever its case.")] q: Option<
            String,
        >,
        #[graphql(desc = "Only those in this role.")] role: Option<Role>,
    ) -> Result<Connection<User>> {
        let scope = Scope::of(ctx);
        scope.caller.admin().map_err(fault)?;
        let page = PageArguments::new(ctx, first, after).map_err(fault)?;
        let filter = UserFilter { q, role: role.map(Into::into) };
        let users = scope.clients.users.users(&scope.caller, filter, page.query()).await.map_err(fault)?;
        Ok(page.connection(users, |user| User::new(user, scope.caller.clone())))
    }

    /// Everything that the shop keeps about the caller, as JSON: account, sessions, orders, payments, cart.
    #[graphql(complexity = "1000")]
    async fn export_my_data(&self, ctx: &Context<'_>) -> Result<String> {
        export::own_data(Scope::of(ctx)).await.map_err(fault)
    }
}

async fn profile(scope: &Scope, id: UserId) -> Result<Option<User>> {
    let user = found(scope.clients.users.profile(&scope.caller, id).await)?;
    Ok(user.map(|user| User::new(user, scope.caller.clone())))
}
