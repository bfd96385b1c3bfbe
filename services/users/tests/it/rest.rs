//! The REST API as others see it, and the HTTP client against it.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use service::server::{AppConfig, DRAIN_TIMEOUT, app, serve};
use service::{PageQuery, Role};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use users_client::{
    ChangePassword, CloseAccount, Http, Logout, Refresh, Secret, SetRole, UpdateProfile, UserFilter, UsersApi,
};

use crate::support::{PASSWORD, World, anonymous, code, is, login, registration};

fn router(world: &World) -> Router {
    let (router, _openapi) = users::router(world.users.clone()).split_for_parts();
    app(router, AppConfig::new(users::SERVICE, world.keys.clone()))
}

async fn call(
    router: &Router,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = match body {
        Some(json) => {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(json.to_string())
        }
        None => Body::empty(),
    };
    let response = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn registration_and_login_have_the_shape_of_the_contract() {
    let world = World::new().await;
    let router = router(&world);
    let ada = json!({"email": "ada@example.com", "username": "ada", "password": PASSWORD});
    let (status, user) = call(&router, "POST", "/register", None, Some(ada.clone())).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!((&user["email"], &user["username"], &user["role"]), (&ada["email"], &ada["username"], &json!("user")));
    assert!(user["id"].is_string() && user["created_at"].as_str().unwrap().ends_with('Z'));
    assert!(user.get("password").is_none() && user.get("password_hash").is_none());

    let (status, error) = call(&router, "POST", "/register", None, Some(ada)).await;
    assert_eq!(
        (status, &error["error"], &error["code"]),
        (StatusCode::CONFLICT, &json!("email_already_exists"), &json!(409))
    );

    let login = json!({"email": "Ada@example.com", "password": PASSWORD});
    let expired = "eyJhbGciOiJIUzI1NiJ9.e30.x";
    let (status, answer) = call(&router, "POST", "/login", Some(expired), Some(login)).await;
    assert_eq!((status, &answer["user"]["id"]), (StatusCode::OK, &user["id"]), "an old token does not matter here");
    let token = answer["token"].as_str().unwrap();
    let path = format!("/profile/{}", user["id"].as_str().unwrap());
    let (status, profile) = call(&router, "GET", &path, Some(token), None).await;
    assert_eq!((status, &profile), (StatusCode::OK, &answer["user"]));
}

#[tokio::test]
async fn who_calls_is_asked_before_the_body() {
    let world = World::new().await;
    let router = router(&world);
    let profile = format!("/profile/{}", events::UserId::new());
    let role = format!("{profile}/role");
    let signed_in = [("PATCH", profile.as_str()), ("POST", "/password"), ("POST", "/close-account"), ("POST", &role)];
    for (method, path) in signed_in.into_iter().chain([("GET", "/users"), ("GET", "/users/by-ids")]) {
        let (status, error) = call(&router, method, path, None, Some(json!("nonsense"))).await;
        assert_eq!((status, &error["error"]), (StatusCode::UNAUTHORIZED, &json!("unauthenticated")), "{path}");
    }
    let (status, error) = call(&router, "POST", "/register", None, Some(json!({"email": 1}))).await;
    assert_eq!((status, &error["error"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("validation_failed")));
    let ada = world.register("ada").await;
    let (status, error) = call(&router, "GET", "/profile/not-an-id", Some(&ada.token), None).await;
    assert_eq!((status, &error["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_path")));
}

#[tokio::test]
async fn the_http_client_says_what_the_service_says() {
    let world = World::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Http::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(serve(listener, router(&world), shutdown.clone(), DRAIN_TIMEOUT));

    let ada = client.register(&anonymous(), registration("ada")).await.unwrap();
    let caller = world.caller(&ada.token);
    assert_eq!(code(client.register(&anonymous(), registration("ada")).await), is(409, "email_already_exists"));
    let answer = client.login(&anonymous(), login("ada", PASSWORD)).await.unwrap();
    let refreshed = client.refresh(&anonymous(), Refresh { refresh_token: answer.refresh_token }).await.unwrap();
    assert_eq!(client.profile(&caller, ada.user.id).await.unwrap(), ada.user);
    assert_eq!(
        client.users_by_ids(&caller, &[ada.user.id, events::UserId::new()]).await.unwrap(),
        std::slice::from_ref(&ada.user)
    );
    let rename = UpdateProfile { email: None, username: Some("Ada L.".into()) };
    assert_eq!(client.update_profile(&caller, ada.user.id, rename).await.unwrap().username, "Ada L.");
    assert_eq!(client.export(&caller, ada.user.id).await.unwrap().sessions.len(), 2);
    client.logout(&caller, Logout { refresh_token: Some(refreshed.refresh_token.clone()) }).await.unwrap();
    let over = client.refresh(&anonymous(), Refresh { refresh_token: refreshed.refresh_token }).await;
    assert_eq!(code(over), is(401, "invalid_refresh_token"));
    let change =
        ChangePassword { current_password: Secret::new(PASSWORD), new_password: Secret::new("a new password") };
    client.change_password(&caller, change).await.unwrap();
    let admin = world.admin().await;
    let found = UserFilter { q: Some("ADA".into()), role: Some(Role::User) };
    assert_eq!(client.users(&admin, found, PageQuery::first(1)).await.unwrap().items[0].id, ada.user.id);
    let promoted = client.set_role(&admin, ada.user.id, SetRole { role: Role::Admin }).await.unwrap();
    assert_eq!(promoted.role, Role::Admin);
    client.close_account(&caller, CloseAccount { password: Secret::new("a new password") }).await.unwrap();
    assert_eq!(code(client.delete_profile(&caller, ada.user.id).await), is(404, "user_not_found"));
    assert_eq!(code(client.profile(&caller, ada.user.id).await), is(404, "user_not_found"));

    shutdown.cancel();
    server.await.unwrap().unwrap();
}
