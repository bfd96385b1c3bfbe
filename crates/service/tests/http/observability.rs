//! Correlation ids, headers, CORS, health, metrics, the API's description.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::ConnectInfo;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderValue, Method};
use axum::routing::get;
use axum::{Extension, Router};
use serde_json::json;
use service::health::{Check, Standard, standard_routes};
use service::server::{AppConfig, app};
use service::{Env, HoldsToken, Role, Shutdown};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{SECRET, a_correlation_id, call, config, get_with, request, routes, token};

fn standard(shutdown: &Shutdown, checks: Vec<Check>) -> Router {
    let standard = Standard { service: "things", version: "1.2.3", checks, shutdown: shutdown.token() };
    let openapi = utoipa::openapi::OpenApiBuilder::new().build();
    app(routes().merge(standard_routes(standard, openapi)), config())
}

fn up() -> Check {
    Check::new("database", async || Ok::<(), String>(()))
}

fn down() -> Check {
    Check::new("broker", async || Err::<(), _>("password authentication failed for user"))
}

#[tokio::test]
async fn a_correlation_id_is_adopted_if_it_is_a_uuid_and_made_otherwise() {
    let given = a_correlation_id();
    let answer = get_with("/who", &[("x-correlation-id", &given)]).await;
    assert_eq!((answer.header("x-correlation-id"), &answer.json["correlation_id"]), (given.as_str(), &json!(given)));
    for headers in [&[("x-correlation-id", "'; DROP TABLE x")] as &[(&str, &str)], &[]] {
        let answer = get_with("/who", headers).await;
        uuid::Uuid::parse_str(answer.header("x-correlation-id")).unwrap();
        assert_eq!(answer.json["correlation_id"], answer.header("x-correlation-id"));
    }
}

#[tokio::test]
async fn security_headers_are_on_every_answer() {
    for path in ["/who", "/nowhere", "/panic"] {
        let answer = get_with(path, &[]).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    }
}

#[tokio::test]
async fn only_listed_origins_may_call_from_a_browser() {
    let config = AppConfig { cors_allowed_origins: vec![HeaderValue::from_static("https://shop.example")], ..config() };
    let preflight = |origin: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        request(Method::OPTIONS, "/things", &headers, "")
    };
    let allowed = call(app(routes(), config.clone()), preflight("https://shop.example")).await;
    assert_eq!(allowed.header("access-control-allow-origin"), "https://shop.example");
    let refused = call(app(routes(), config.clone()), preflight("https://evil.example")).await;
    assert!(!refused.headers.contains_key("access-control-allow-origin"));
    let error = request(Method::GET, "/slow", &[("origin", "https://shop.example")], "");
    let error = call(app(routes(), config), error).await;
    error.assert_error(503, "timed_out");
    assert_eq!(error.header("access-control-allow-origin"), "https://shop.example");
    assert!(
        !get_with("/who", &[("origin", "https://shop.example")])
            .await
            .headers
            .contains_key("access-control-allow-origin")
    );
}

#[tokio::test]
async fn a_flood_from_one_address_is_429_where_a_limit_is_set() {
    let env = Env::map([("RATE_LIMIT_PER_ADDRESS", "2")]);
    let router = app(routes(), config().facing_outside(&env).unwrap());
    let from = |address: [u8; 4]| {
        let mut request = request(Method::GET, "/who", &[], "");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 1))));
        call(router.clone(), request)
    };
    for left in ["1", "0"] {
        let answer = from([203, 0, 113, 1]).await;
        assert_eq!(answer.status.as_u16(), 200);
        assert_eq!(answer.header("ratelimit"), format!("\"address\";r={left};t=60"));
        assert_eq!(answer.header("ratelimit-policy"), "\"address\";q=2;w=60");
    }
    let answer = from([203, 0, 113, 1]).await;
    answer.assert_error(429, "too_many_requests");
    assert_eq!(answer.header("retry-after"), "60");
    assert_eq!(from([203, 0, 113, 2]).await.status.as_u16(), 200);
    assert!(config().facing_outside(&Env::map([("RATE_LIMIT_PER_ADDRESS", "0")])).is_err());
}

#[tokio::test]
async fn what_faces_the_outside_compresses_what_is_large_and_no_secret() {
    let text = "prost ".repeat(400);
    let page = |content_type: &'static str, length: usize| {
        let text = text[..length].to_owned();
        get(async move || ([(CONTENT_TYPE, content_type)], text))
    };
    let routes = Router::new()
        .route("/json", page("application/json", 2400))
        .route("/small", page("application/json", 600))
        .route("/drawing", page("image/svg+xml", 2400))
        .route("/photograph", page("image/webp", 2400))
        .route("/font", page("font/woff2", 2400))
        .route("/login", get(async || ([(SET_COOKIE, "session=1; HttpOnly")], "token ".repeat(400))))
        .route("/token", get(async || (Extension(HoldsToken), "token ".repeat(400))));
    let router = app(routes, config().facing_outside(&Env::map::<&str, &str>([])).unwrap());
    let encoding = async |path: &str, accepted: &str| {
        let answer = call(router.clone(), request(Method::GET, path, &[("accept-encoding", accepted)], "")).await;
        answer.headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap().to_owned())
    };
    for path in ["/json", "/drawing"] {
        assert_eq!(encoding(path, "gzip, br").await.as_deref(), Some("gzip"), "{path}");
        assert_eq!(encoding(path, "identity").await, None, "{path}: nobody asked");
    }
    for path in ["/small", "/photograph", "/font", "/login", "/token"] {
        assert_eq!(encoding(path, "gzip, br").await, None, "{path}");
    }
}

#[test]
fn settings_come_from_the_environment() {
    let env = Env::map([
        ("JWT_SECRET", SECRET),
        ("TRUSTED_PROXIES", "10.0.0.0/8"),
        ("CORS_ALLOWED_ORIGINS", "https://a.example, http://b.example:3000"),
    ]);
    assert_eq!(AppConfig::from_env("things", &env).unwrap().cors_allowed_origins.len(), 2);
    for (variable, value) in [("TRUSTED_PROXIES", "nginx"), ("CORS_ALLOWED_ORIGINS", "*"), ("JWT_SECRET", "short")] {
        let env = Env::map([("JWT_SECRET", SECRET), (variable, value)]);
        let error = AppConfig::from_env("things", &env).unwrap_err().to_string();
        assert!(error.starts_with(variable), "{error}");
        assert_eq!(error.contains(value), variable != "JWT_SECRET", "{error}");
    }
}

#[tokio::test]
async fn ready_while_every_dependency_is_there() {
    let shutdown = Shutdown::new();
    for path in ["/health", "/readyz"] {
        let answer = call(standard(&shutdown, vec![up()]), request(Method::GET, path, &[], "")).await;
        assert_eq!(answer.status.as_u16(), 200);
        let expected =
            json!({"service": "things", "version": "1.2.3", "status": "ready", "dependencies": {"database": "up"}});
        assert_eq!(answer.json, expected);
    }
}

#[tokio::test]
async fn not_ready_without_a_dependency_and_while_draining_but_alive() {
    let shutdown = Shutdown::new();
    let ready = || request(Method::GET, "/readyz", &[], "");
    let answer = call(standard(&shutdown, vec![up(), down()]), ready()).await;
    assert_eq!((answer.status.as_u16(), &answer.json["status"]), (503, &json!("not_ready")));
    assert_eq!(answer.json["dependencies"], json!({"database": "up", "broker": "down"}));
    assert_eq!((&answer.json["error"], &answer.json["code"]), (&json!("not_ready"), &json!(503)));
    assert!(!answer.json.to_string().contains("password"));
    shutdown.begin();
    let answer = call(standard(&shutdown, vec![up()]), ready()).await;
    assert_eq!((answer.status.as_u16(), &answer.json["status"]), (503, &json!("draining")));
    let answer = call(standard(&shutdown, vec![down()]), request(Method::GET, "/livez", &[], "")).await;
    assert_eq!(answer.status.as_u16(), 200);
}

#[tokio::test]
async fn the_api_describes_itself_without_the_network() {
    let shutdown = Shutdown::new();
    let answer = call(standard(&shutdown, vec![]), request(Method::GET, "/openapi.json", &[], "")).await;
    let info = &answer.json["info"];
    assert_eq!((&info["title"], &info["version"]), (&json!("Prost: things"), &json!("1.2.3")));
    assert_eq!((&info["license"]["name"], &info["contact"]), (&json!("Apache-2.0"), &json!(null)), "of others: {info}");
    assert!(info["description"].as_str().is_some_and(|text| text.contains("POST /login")), "{info}");
    assert_eq!(answer.json["tags"], json!([{"name": "process"}]));
    assert_eq!(answer.json["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    assert!(answer.json["components"]["schemas"]["ErrorBody"]["properties"]["error"].is_object());
    assert!(answer.json["components"]["schemas"]["FieldError"].is_object());
    assert!(answer.json["paths"]["/readyz"]["get"]["responses"]["503"].is_object());
    let page = call(standard(&shutdown, vec![]), request(Method::GET, "/docs/", &[], "")).await;
    assert_eq!(page.status.as_u16(), 200);
    let script = call(standard(&shutdown, vec![]), request(Method::GET, "/docs/swagger-ui-bundle.js", &[], "")).await;
    assert_eq!(script.status.as_u16(), 200);
}

#[tokio::test]
async fn metrics_count_by_route_and_not_by_path() {
    let shutdown = Shutdown::new();
    let router = standard(&shutdown, vec![]);
    let id = events::ProductId::new();
    call(router.clone(), request(Method::GET, &format!("/things/{id}"), &[], "")).await;
    call(router.clone(), request(Method::GET, "/nowhere/at/all", &[], "")).await;
    let text = service::telemetry::metrics().render();
    let line = r#"service="things",method="GET",route="/things/{id}",status="200""#;
    assert!(text.contains(line), "{text}");
    assert!(text.contains(r#"route="unmatched""#) && !text.contains("nowhere") && !text.contains(&id.to_string()));
}

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        self.clone()
    }
}

#[tokio::test]
async fn a_fault_is_logged_once_with_its_cause_and_correlation_id_and_no_secret() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(lines.clone())
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .finish();
    let token = token(Role::Admin);
    let authorization = format!("Bearer {token}");
    let guard = tracing::subscriber::set_default(subscriber);
    let answer = get_with(
        "/broken?token=in-the-query",
        &[("authorization", &authorization), ("idempotency-key", "my-key"), ("traceparent", TRACE)],
    )
    .await;
    drop(guard);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let faults: Vec<&str> = text.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(faults.len(), 1, "{text}");
    assert!(faults[0].contains("does not exist") && faults[0].contains(answer.header("x-correlation-id")), "{text}");
    assert!(faults[0].contains("trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\""), "{text}");
    for secret in [token.as_str(), "in-the-query", "my-key"] {
        assert!(!text.contains(secret), "{text}");
    }
}
