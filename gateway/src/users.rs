//! Accounts.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use events::{CartId, UserId};
use orders_client::OrderFilter;
use service::Caller;
use users_client::{Login, Register, Secret, UpdateProfile};

use crate::cart::Cart;
use crate::connections::{Connection, PageArguments, cost};
use crate::errors::{UserError, at_field, fault, found, payload, settle};
use crate::orders::Order;
use crate::scalars::{DateTime, id_of};
use crate::scope::Scope;

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
#[derive(Debug)]
pub struct User {
    user: users_client::User,
    caller: Caller,
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
        let cart = scope.clients.cart.active_cart_of_user(&self.caller, self.user.id).await.map_err(fault)?;
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
        let filter = OrderFilter { user_id: Some(self.user.id), ..OrderFilter::default() };
        let orders = scope.clients.orders.orders(&self.caller, filter, page.query()).await.map_err(fault)?;
        Ok(page.connection(orders, |order| Order::new(order, self.caller.clone())))
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
}

async fn profile(scope: &Scope, id: UserId) -> Result<Option<User>> {
    let user = found(scope.clients.users.profile(&scope.caller, id).await)?;
    Ok(user.map(|user| User { user, caller: scope.caller.clone() }))
}

/// Opens an account.
#[derive(Debug, InputObject)]
pub struct RegisterUserInput {
    /// Unique, whatever its case.
    email: String,
    /// Unique; shown to others.
    username: String,
    /// 8 characters to 72 bytes.
    password: String,
    /// A cart without an owner that becomes the new user's.
    cart_id: Option<ID>,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// Logs in.
#[derive(Debug, InputObject)]
pub struct LoginUserInput {
    /// E-mail address, in any case.
    email: String,
    /// The password.
    password: String,
    /// A cart without an owner that becomes the user's: merged into the latest active one, if there is one.
    cart_id: Option<ID>,
}

/// Changes an account; what is left out stays.
#[derive(Debug, InputObject)]
pub struct UpdateProfileInput {
    /// Whose account; the caller's own if left out. Others' only for admins.
    id: Option<ID>,
    /// A new e-mail address.
    email: Option<String>,
    /// A new username.
    username: Option<String>,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// What became of `registerUser`.
#[derive(SimpleObject)]
pub struct RegisterUserPayload {
    /// The new account; null if it was not opened.
    user: Option<User>,
    /// Bearer token of the new user, valid for 24 hours; null if the account was not opened.
    token: Option<String>,
    /// Why it did not happen; empty if it did. With an account: why the cart could not be taken over.
    user_errors: Vec<UserError>,
}

/// What became of `loginUser`.
#[derive(SimpleObject)]
pub struct LoginUserPayload {
    /// The account; null if the login was refused.
    user: Option<User>,
    /// Bearer token, valid for 24 hours; null if the login was refused.
    token: Option<String>,
    /// Why it did not happen; empty if it did. With an account: why the cart could not be taken over.
    user_errors: Vec<UserError>,
}

payload! {
    /// What became of `updateProfile`.
    UpdateProfilePayload {
        /// The account after the change; null if there are userErrors.
        user: User
    }
}

/// Changes of accounts.
#[derive(Default)]
pub struct UserMutations;

#[Object]
impl UserMutations {
    /// Opens an account and logs in.
    async fn register_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account.")] input: RegisterUserInput,
    ) -> Result<RegisterUserPayload> {
        let scope = Scope::of_mutation(ctx);
        let register = async {
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            let account =
                Register { email: input.email, username: input.username, password: Secret::new(input.password) };
            let registered = scope.clients.users.register(&caller, account).await?;
            Ok((registered.user, registered.token, caller))
        };
        let (registered, mut user_errors) = settle(register.await)?;
        let Some((user, token, caller)) = registered else {
            return Ok(RegisterUserPayload { user: None, token: None, user_errors });
        };
        let caller = caller.with_token(&scope.keys, &token).map_err(fault)?;
        user_errors.extend(adopt(ctx, scope, &caller, input.cart_id).await);
        Ok(RegisterUserPayload { user: Some(User { user, caller }), token: Some(token), user_errors })
    }

    /// Trades e-mail address and password for a token.
    async fn login_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who logs in.")] input: LoginUserInput,
    ) -> Result<LoginUserPayload> {
        let scope = Scope::of_mutation(ctx);
        let login = Login { email: input.email, password: Secret::new(input.password) };
        let caller = scope.caller.with_idempotency_key(None);
        let answer = match scope.clients.users.login(&caller, login).await {
            Err(error) if error.code == "invalid_credentials" => {
                return Ok(LoginUserPayload { user: None, token: None, user_errors: UserError::of(&error) });
            }
            answer => settle(answer)?,
        };
        let (Some(answer), mut user_errors) = answer else {
            return Ok(LoginUserPayload { user: None, token: None, user_errors: answer.1 });
        };
        let caller = caller.with_token(&scope.keys, &answer.token).map_err(fault)?;
        user_errors.extend(adopt(ctx, scope, &caller, input.cart_id).await);
        Ok(LoginUserPayload { user: Some(User { user: answer.user, caller }), token: Some(answer.token), user_errors })
    }

    /// Changes e-mail address or username.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateProfileInput,
    ) -> Result<UpdateProfilePayload> {
        let scope = Scope::of_mutation(ctx);
        let update = async {
            let own = scope.caller.user()?.user_id;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            let id = input.id.map(|id| id_of(&id, "id")).transpose()?.unwrap_or(own);
            let change = UpdateProfile { email: input.email, username: input.username };
            scope.clients.users.update_profile(&caller, id, change).await
        };
        let user = update.await.map(|user| User { user, caller: scope.caller.clone() });
        UpdateProfilePayload::new(user)
    }
}

/// Gives a cart to the user who has just logged in. The login stands whatever becomes of it: a refusal is a
/// user error beside the account, a fault a top-level error beside it.
async fn adopt(ctx: &Context<'_>, scope: &Scope, caller: &Caller, cart: Option<ID>) -> Vec<UserError> {
    let Some(cart) = cart else { return Vec::new() };
    let adopted = match id_of::<CartId>(&cart, "cart_id") {
        Ok(cart) => scope.clients.cart.adopt(caller, cart).await.map(|_| ()),
        Err(error) => Err(error),
    };
    match adopted {
        Ok(()) => Vec::new(),
        Err(error) if error.is_domain() => UserError::of(&at_field(error, "cart_id")),
        Err(error) => {
            ctx.add_error(ctx.set_error_path(fault(error).into_server_error(ctx.item.pos)));
            Vec::new()
        }
    }
}
