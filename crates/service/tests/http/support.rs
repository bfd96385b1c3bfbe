//! A small service with one route per way to fail.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::routing::{get, post};
use events::{CorrelationId, ProductId, UserId};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::server::{AppConfig, app};
use service::{Admin, Caller, Claims, Error, Json, Page, PageQuery, Path, Query, Role, SignedIn, TokenKeys};
use tower::ServiceExt;

pub const SECRET: &str = "the present secret, 32 bytes long or more";
pub const PREVIOUS: &str = "the secret before, 32 bytes long or more";

#[derive(Debug, Serialize, Deserialize)]
pub struct Thing {
    pub name: String,
    pub count: u32,
    pub place: Place,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Place {
    pub city: String,
}

pub fn keys() -> TokenKeys {
    TokenKeys::new(SECRET, Some(PREVIOUS)).unwrap()
}

pub fn config() -> AppConfig {
    AppConfig { request_timeout: Duration::from_millis(500), ..AppConfig::new("things", keys()) }
}

pub fn token(role: Role) -> String {
    let claims = Claims::new(UserId::new(), "ann@example.com", "ann", role);
    keys().sign(&claims).unwrap().reveal().to_owned()
}

pub fn routes() -> Router {
    Router::new()
        .route("/who", get(who).post(who).patch(who).delete(who))
        .route("/mine", get(async |SignedIn(caller): SignedIn| Json(caller.user_id())))
        .route("/things", post(create).get(list))
        .route("/things/{id}", get(async |Path(id): Path<ProductId>| Json(id)))
        .route("/maybe", post(async |thing: Option<Json<Thing>>| Json(thing.map(|Json(thing)| thing.name))))
        .route("/panic", get(panics))
        .route("/broken", get(async || Err::<(), _>(Error::internal("relation \"users\" does not exist"))))
        .route("/taken", get(async || Err::<(), _>(Error::conflict("name_already_exists", "taken"))))
        .route("/often", get(async || Err::<(), _>(Error::too_many_requests("slow down", Duration::from_secs(90)))))
        .route("/slow", get(std::future::pending::<()>))
}

/// The panic is inside the handler.
async fn panics() -> StatusCode {
    panic!("secret of the panic")
}

async fn who(caller: Caller) -> Json<Value> {
    Json(json!({
        "user": caller.claims.as_ref().map(|claims| claims.username.clone()),
        "correlation_id": caller.correlation_id,
        "key": caller.idempotency_key.as_ref().map(|key| key.as_str().to_owned()),
        "address": caller.address,
    }))
}

async fn create(Admin(_): Admin, Json(thing): Json<Thing>) -> (StatusCode, Json<Thing>) {
    (StatusCode::CREATED, Json(thing))
}

async fn list(Query(page): Query<PageQuery>) -> Result<Json<Page<u32>>, Error> {
    let after = page.after::<u32>()?.map_or(0, |last| last + 1);
    let rows = u32::try_from(page.rows()?).map_err(Error::internal)?;
    Page::new(&page, (after..10).take(rows as usize).collect(), |n| *n).map(Json)
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub json: Value,
}

impl Answer {
    /// What every error looks like, whoever made it.
    #[track_caller]
    pub fn assert_error(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        assert_eq!(self.json["error"], code, "{}", self.json);
        assert_eq!(self.json["code"], status);
        assert!(self.json["message"].as_str().is_some_and(|text| !text.is_empty()));
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.json["correlation_id"].as_str().unwrap(), self.header("x-correlation-id"));
        assert_eq!(self.headers.contains_key("www-authenticate"), status == 401);
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

pub fn request(method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

pub async fn call(router: Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status: parts.status, headers: parts.headers, json }
}

pub async fn get_with(path: &str, headers: &[(&str, &str)]) -> Answer {
    call(app(routes(), config()), request(Method::GET, path, headers, "")).await
}

/// POSTs JSON as an admin.
pub async fn post_json(path: &str, body: &str) -> Answer {
    let authorization = format!("Bearer {}", token(Role::Admin));
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    call(app(routes(), config()), request(Method::POST, path, &headers, body.to_owned())).await
}

pub fn a_correlation_id() -> String {
    CorrelationId::new().to_string()
}
