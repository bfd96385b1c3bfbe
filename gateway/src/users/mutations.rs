//! Changes of accounts.

use async_graphql::{Context, ID, InputObject, Object, Result};
use events::CartId;
use service::Caller;
use users_client::{
    ChangePassword, CloseAccount, Login, LoginAnswer, Register, Registered, Secret, SetRole, UpdateProfile,
};

use crate::errors::{UserError, at_field, fault, payload, settle};
use crate::scalars::id_of;
use crate::scope::Scope;

use super::{Role, User};

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
    /// Repeating the mutation with the same key has no second effect. Without a login it has to be a random UUID.
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

/// Changes the caller's password.
#[derive(Debug, InputObject)]
pub struct ChangePasswordInput {
    /// The one that is valid now.
    current_password: String,
    /// 8 characters to 72 bytes.
    new_password: String,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// Closes the caller's account.
#[derive(Debug, InputObject)]
pub struct DeleteAccountInput {
    /// The password, once more.
    password: String,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// Gives an account another role.
#[derive(Debug, InputObject)]
pub struct SetUserRoleInput {
    /// Whose.
    user_id: ID,
    /// What they may do from their next token on.
    role: Role,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// Declares the payload of a mutation that logs in: the account, its token, and why there are none.
macro_rules! session_payload {
    ($(#[$doc:meta])* $name:ident, $nothing:literal) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            #[doc = concat!("The account; null ", $nothing, ".")]
            pub user: Option<$crate::users::User>,
            #[doc = concat!("Bearer token, valid for 24 hours; null ", $nothing, ". Keep it in memory: the browser's \
                session, a cookie, gets the next one.")]
            pub token: Option<String>,
            /// Why it did not happen; empty if it did. With an account: why the cart could not be taken over.
            pub user_errors: Vec<$crate::errors::UserError>,
        }
    };
}
pub(crate) use session_payload;

session_payload! {
    /// What became of `registerUser`.
    RegisterUserPayload, "if the account was not opened"
}

session_payload! {
    /// What became of `loginUser`.
    LoginUserPayload, "if the login was refused"
}

session_payload! {
    /// What became of `changePassword`.
    ChangePasswordPayload, "if the password was not changed"
}

payload! {
    /// What became of `updateProfile`.
    UpdateProfilePayload {
        /// The account after the change; null if there are userErrors.
        user: User
    }
}

payload! {
    /// What became of `deleteAccount`.
    DeleteAccountPayload {
        /// True; null if there are userErrors.
        done: bool
    }
}

payload! {
    /// What became of `setUserRole`.
    SetUserRolePayload {
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
            scope.clients.users.register(&caller, account).await.map(|registered| (registered, caller))
        };
        let (registered, mut user_errors) = settle(register.await)?;
        let Some((Registered { user, token, refresh_token, refresh_expires_at }, caller)) = registered else {
            return Ok(RegisterUserPayload { user: None, token: None, user_errors });
        };
        scope.session.keep(&refresh_token, refresh_expires_at);
        let caller = caller.with_token(&scope.keys, &token).map_err(fault)?;
        user_errors.extend(adopt(ctx, scope, &caller, input.cart_id).await);
        Ok(RegisterUserPayload { user: Some(User::new(user, caller)), token: Some(token), user_errors })
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
        let answer = match answer {
            (Some(answer), _) => answer,
            (None, user_errors) => return Ok(LoginUserPayload { user: None, token: None, user_errors }),
        };
        let (user, token, user_errors) = logged_in(ctx, scope, answer, input.cart_id).await?;
        Ok(LoginUserPayload { user: Some(user), token: Some(token), user_errors })
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
        UpdateProfilePayload::new(update.await.map(|user| User::new(user, scope.caller.clone())))
    }

    /// Changes the caller's password and ends all of their sessions; this browser gets a new one.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The old password and the new one.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload> {
        let scope = Scope::of_mutation(ctx);
        let change = async {
            let own = scope.caller.user()?.user_id;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            let (current_password, new) = (Secret::new(input.current_password), Secret::new(input.new_password));
            let change = ChangePassword { current_password, new_password: new.clone() };
            scope.clients.users.change_password(&caller, change).await?;
            let caller = caller.with_idempotency_key(None);
            // The address in the token may be an old one.
            let email = scope.clients.users.profile(&caller, own).await?.email;
            scope.clients.users.login(&caller, Login { email, password: new }).await
        };
        let answer = match settle(change.await)? {
            (Some(answer), _) => answer,
            (None, user_errors) => return Ok(ChangePasswordPayload { user: None, token: None, user_errors }),
        };
        let (user, token, _) = logged_in(ctx, scope, answer, None).await?;
        Ok(ChangePasswordPayload { user: Some(user), token: Some(token), user_errors: Vec::new() })
    }

    /// Closes the caller's account for good: personal data is masked, sessions end, orders stay.
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password, once more.")] input: DeleteAccountInput,
    ) -> Result<DeleteAccountPayload> {
        let scope = Scope::of_mutation(ctx);
        let close = async {
            scope.caller.user()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            let password = Secret::new(input.password);
            scope.clients.users.close_account(&caller, CloseAccount { password }).await?;
            scope.session.end();
            Ok(true)
        };
        DeleteAccountPayload::new(close.await)
    }

    /// Gives an account another role (admin), which counts from its next token on: at the latest when the present one
    /// has run out, after 24 hours. The last admin stays one. The trail of operators' acts tells who did it.
    async fn set_user_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose role, and which.")] input: SetUserRoleInput,
    ) -> Result<SetUserRolePayload> {
        let scope = Scope::of_mutation(ctx);
        let set = async {
            scope.caller.admin()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            let id = id_of(&input.user_id, "user_id")?;
            scope.clients.users.set_role(&caller, id, SetRole { role: input.role.into() }).await
        };
        SetUserRolePayload::new(set.await.map(|user| User::new(user, scope.caller.clone())))
    }
}

/// Lets the browser keep the session, and the user take a cart along; the account is shown to whoever just logged in.
pub async fn logged_in(
    ctx: &Context<'_>,
    scope: &Scope,
    answer: LoginAnswer,
    cart: Option<ID>,
) -> Result<(User, String, Vec<UserError>)> {
    scope.session.keep(&answer.refresh_token, answer.refresh_expires_at);
    let caller = scope.caller.with_idempotency_key(None).with_token(&scope.keys, &answer.token).map_err(fault)?;
    let user_errors = adopt(ctx, scope, &caller, cart).await;
    Ok((User::new(answer.user, caller), answer.token, user_errors))
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
