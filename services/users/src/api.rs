//! The REST endpoints: extract, call the authorising function, answer.

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use events::UserId;
use service::{Admin, Caller, Error, ErrorBody, Json, Page, PageQuery, Path, Query, SignedIn};
use users_client::{
    ByIds, ChangePassword, CloseAccount, Export, Login, LoginAnswer, Logout, Refresh, Register, Registered, SetRole,
    UpdateProfile, User, UserFilter, UsersApi,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Users;

type Service = State<Arc<Users>>;

/// The service's own endpoints with their OpenAPI.
pub fn router(service: Arc<Users>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(change_password))
        .routes(routes!(profile, update_profile, delete_profile))
        .routes(routes!(export))
        .routes(routes!(set_role))
        .routes(routes!(close_account))
        .routes(routes!(users))
        .routes(routes!(users_by_ids))
        .with_state(service)
}

/// Whoever calls an endpoint that gives out tokens: one that came along may have expired, and does not matter.
struct Anyone(Caller);

impl<S: Sync> FromRequestParts<S> for Anyone {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        parts.headers.remove(AUTHORIZATION);
        Caller::from_request_parts(parts, state).await.map(Self)
    }
}

/// Opens an account.
#[utoipa::path(post, path = "/register", tag = "users", request_body = Register,
    responses((status = 201, body = Registered), (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn register(
    State(service): Service,
    Anyone(caller): Anyone,
    Json(input): Json<Register>,
) -> Result<(StatusCode, Json<Registered>), Error> {
    Ok((StatusCode::CREATED, Json(service.register(&caller, input).await?)))
}

/// Trades e-mail address and password for a token.
#[utoipa::path(post, path = "/login", tag = "users", request_body = Login,
    extensions(("x-carried-out-anew" = json!(true))),
    responses((status = 200, body = LoginAnswer), (status = 401, body = ErrorBody), (status = 429, body = ErrorBody)))]
async fn login(
    State(service): Service,
    Anyone(caller): Anyone,
    Json(input): Json<Login>,
) -> Result<Json<LoginAnswer>, Error> {
    service.login(&caller, input).await.map(Json)
}

/// Trades a refresh token, which is used up, for a new token.
#[utoipa::path(post, path = "/refresh", tag = "users", request_body = Refresh,
    extensions(("x-carried-out-anew" = json!(true))),
    responses((status = 200, body = LoginAnswer), (status = 401, body = ErrorBody)))]
async fn refresh(
    State(service): Service,
    Anyone(caller): Anyone,
    Json(input): Json<Refresh>,
) -> Result<Json<LoginAnswer>, Error> {
    service.refresh(&caller, input).await.map(Json)
}

/// Ends the session of a refresh token, or all of the caller.
#[utoipa::path(post, path = "/logout", tag = "users", request_body = Option<Logout>,
    responses((status = 204), (status = 401, body = ErrorBody)))]
async fn logout(State(service): Service, caller: Caller, input: Option<Json<Logout>>) -> Result<StatusCode, Error> {
    let Json(input) = input.unwrap_or_default();
    service.logout(&caller, input).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the password and ends all sessions.
#[utoipa::path(post, path = "/password", tag = "users", request_body = ChangePassword,
    responses((status = 204), (status = 401, body = ErrorBody), (status = 422, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
async fn change_password(
    State(service): Service,
    SignedIn(caller): SignedIn,
    Json(input): Json<ChangePassword>,
) -> Result<StatusCode, Error> {
    service.change_password(&caller, input).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An account: one's own, or any for an admin.
#[utoipa::path(get, path = "/profile/{id}", tag = "users", params(("id" = UserId, Path)),
    responses((status = 200, body = User), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn profile(
    State(service): Service,
    SignedIn(caller): SignedIn,
    Path(id): Path<UserId>,
) -> Result<Json<User>, Error> {
    service.profile(&caller, id).await.map(Json)
}

/// Changes e-mail address or username.
#[utoipa::path(patch, path = "/profile/{id}", tag = "users", params(("id" = UserId, Path)),
    request_body = UpdateProfile,
    responses((status = 200, body = User), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn update_profile(
    State(service): Service,
    SignedIn(caller): SignedIn,
    Path(id): Path<UserId>,
    Json(input): Json<UpdateProfile>,
) -> Result<Json<User>, Error> {
    service.update_profile(&caller, id, input).await.map(Json)
}

/// Closes an account; personal data is masked for good.
#[utoipa::path(delete, path = "/profile/{id}", tag = "users", params(("id" = UserId, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
async fn delete_profile(
    State(service): Service,
    SignedIn(caller): SignedIn,
    Path(id): Path<UserId>,
) -> Result<StatusCode, Error> {
    service.delete_profile(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything that is kept about a person here.
#[utoipa::path(get, path = "/profile/{id}/export", tag = "users", params(("id" = UserId, Path)),
    responses((status = 200, body = Export), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
async fn export(
    State(service): Service,
    SignedIn(caller): SignedIn,
    Path(id): Path<UserId>,
) -> Result<Json<Export>, Error> {
    service.export(&caller, id).await.map(Json)
}

/// Gives an account another role (admin).
#[utoipa::path(post, path = "/profile/{id}/role", tag = "users", params(("id" = UserId, Path)), request_body = SetRole,
    responses((status = 200, body = User), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn set_role(
    State(service): Service,
    Admin(caller): Admin,
    Path(id): Path<UserId>,
    Json(input): Json<SetRole>,
) -> Result<Json<User>, Error> {
    service.set_role(&caller, id, input).await.map(Json)
}

/// Closes one's own account; asks for the password once more.
#[utoipa::path(post, path = "/close-account", tag = "users", request_body = CloseAccount,
    responses((status = 204), (status = 401, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody), (status = 429, body = ErrorBody)))]
async fn close_account(
    State(service): Service,
    SignedIn(caller): SignedIn,
    Json(input): Json<CloseAccount>,
) -> Result<StatusCode, Error> {
    service.close_account(&caller, input).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accounts, newest first (admin).
#[utoipa::path(get, path = "/users", tag = "users", params(UserFilter, PageQuery),
    responses((status = 200, body = Page<User>), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
async fn users(
    State(service): Service,
    Admin(caller): Admin,
    Query(filter): Query<UserFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<User>>, Error> {
    service.users(&caller, filter, page).await.map(Json)
}

/// The accounts among some ids that exist and that the caller may see.
#[utoipa::path(get, path = "/users/by-ids", tag = "users", params(ByIds),
    responses((status = 200, body = Vec<User>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody)))]
async fn users_by_ids(
    State(service): Service,
    SignedIn(caller): SignedIn,
    Query(query): Query<ByIds>,
) -> Result<Json<Vec<User>>, Error> {
    let ids: Result<Vec<UserId>, _> = query.ids.split(',').filter(|id| !id.is_empty()).map(str::parse).collect();
    let ids = ids.map_err(|_| Error::bad_request("invalid_query", "ids must be UUIDs separated by commas"))?;
    service.users_by_ids(&caller, &ids).await.map(Json)
}
