//! Who is let in, and with which token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use events::UserId;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use service::{Claims, Role, TokenKeys};

use crate::support::{Answer, PREVIOUS, SECRET, get_with, token};

fn claims() -> Claims {
    Claims::new(UserId::new(), "ann@example.com", "ann", Role::User)
}

fn signed(algorithm: Algorithm, secret: &str, claims: &impl serde::Serialize) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

async fn with_token(path: &str, token: &str) -> Answer {
    get_with(path, &[("authorization", &format!("Bearer {token}"))]).await
}

#[tokio::test]
async fn a_valid_token_says_who_calls() {
    let answer = with_token("/who", &token(Role::User)).await;
    assert_eq!(answer.json["user"], "ann");
    let answer = get_with("/who", &[("authorization", &format!("bearer {}", token(Role::User)))]).await;
    assert_eq!(answer.json["user"], "ann");
}

#[tokio::test]
async fn no_token_is_anonymous_where_that_is_allowed() {
    assert_eq!(get_with("/who", &[]).await.json["user"], Value::Null);
    let answer = get_with("/mine", &[]).await;
    answer.assert_error(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn the_previous_secret_still_verifies_but_another_does_not() {
    let answer = with_token("/who", &signed(Algorithm::HS256, PREVIOUS, &claims())).await;
    assert_eq!(answer.json["user"], "ann");
    let foreign = signed(Algorithm::HS256, "somebody else's secret, 32 bytes or more", &claims());
    with_token("/who", &foreign).await.assert_error(401, "invalid_token");
    let now = TokenKeys::new(SECRET, Some(PREVIOUS)).unwrap().sign(&claims()).unwrap();
    assert!(TokenKeys::new(PREVIOUS, None).unwrap().verify(now.reveal()).is_err(), "signs with the present secret");
}

#[tokio::test]
async fn an_expired_token_is_refused_to_the_second() {
    let now = chrono::Utc::now().timestamp();
    for exp in [now - 1, now - 86_400] {
        let answer = with_token("/mine", &signed(Algorithm::HS256, SECRET, &Claims { exp, ..claims() })).await;
        answer.assert_error(401, "token_expired");
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    }
}

#[tokio::test]
async fn alg_none_and_other_algorithms_are_refused() {
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims()).unwrap());
    for algorithm in ["none", "None", "NONE"] {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": algorithm, "typ": "JWT"}).to_string());
        for signature in ["", "c2lnbmF0dXJl"] {
            with_token("/who", &format!("{header}.{payload}.{signature}")).await.assert_error(401, "invalid_token");
        }
    }
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        with_token("/who", &signed(algorithm, SECRET, &claims())).await.assert_error(401, "invalid_token");
    }
}

#[tokio::test]
async fn a_forged_role_or_issuer_is_refused() {
    let good = token(Role::User);
    let parts: Vec<&str> = good.split('.').collect();
    let admin = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&Claims { role: Role::Admin, ..claims() }).unwrap());
    let forged = format!("{}.{admin}.{}", parts[0], parts[2]);
    with_token("/who", &forged).await.assert_error(401, "invalid_token");

    let foreign = Claims { iss: "another-shop".to_owned(), ..claims() };
    with_token("/who", &signed(Algorithm::HS256, SECRET, &foreign)).await.assert_error(401, "invalid_token");
    for missing in ["iss", "exp", "user_id", "role"] {
        let mut claims = serde_json::to_value(claims()).unwrap();
        claims.as_object_mut().unwrap().remove(missing);
        with_token("/who", &signed(Algorithm::HS256, SECRET, &claims)).await.assert_error(401, "invalid_token");
    }
}

#[tokio::test]
async fn what_is_no_bearer_token_is_refused() {
    let long = "x".repeat(10_000);
    for header in ["Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "Bearer \u{e9}", &format!("Bearer {long}")] {
        get_with("/who", &[("authorization", header)]).await.assert_error(401, "invalid_token");
    }
}

#[tokio::test]
async fn of_two_tokens_neither_is_believed() {
    let (user, admin) = (format!("Bearer {}", token(Role::User)), format!("Bearer {}", token(Role::Admin)));
    let both = [("authorization", user.as_str()), ("authorization", admin.as_str())];
    get_with("/who", &both).await.assert_error(401, "invalid_token");
}

#[test]
fn short_secrets_are_refused_without_being_shown() {
    let error = TokenKeys::new("too-short", None).unwrap_err().to_string();
    assert!(error.contains("JWT_SECRET") && !error.contains("too-short"), "{error}");
    let error = TokenKeys::new(SECRET, Some("too-short")).unwrap_err().to_string();
    assert!(error.contains("JWT_SECRET_PREVIOUS") && !error.contains("too-short"), "{error}");
}

#[test]
fn claims_are_written_as_the_contract_names_them() {
    let json = serde_json::to_value(claims()).unwrap();
    let names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["email", "exp", "iat", "iss", "role", "user_id", "username"]);
    assert_eq!((&json["role"], &json["iss"]), (&json!("user"), &json!("prost-users-service")));
    assert_eq!(claims().exp - claims().iat, 24 * 60 * 60);
}
