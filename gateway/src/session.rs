//! The session of a browser: its refresh token, in a cookie that no script can read. It goes nowhere else.
//!
//! No other site can make use of it, for three reasons, each of which is enough: browsers do not send it with requests
//! that another site causes (`SameSite=Strict`); such requests cannot have a JSON body without asking first, and nothing
//! but JSON is taken; and a page of another origin that asks nevertheless has no session here: its cookie is not
//! read, and none is set. See docs/adr/0017-sessions-of-browsers.md.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_graphql::{Context, ID, InputObject, Object, Result};
use axum::http::header::{COOKIE, HOST, HeaderValue, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use users_client::{Logout, Refresh, Secret};

use crate::errors::{fault, payload};
use crate::scope::Scope;
use crate::users::{logged_in, session_payload};

/// The cookie's name.
const NAME: &str = "prost_refresh";
/// Longer than any token of ours.
const MAX_TOKEN_BYTES: usize = 128;

/// What a request brings of a session, and what its answer takes back. The default is that of whoever can have none: a
/// WebSocket, a page of another origin.
#[derive(Default)]
pub struct Session {
    page: Page,
    presented: Option<Secret>,
    leaving: Mutex<Option<HeaderValue>>,
    is_begun: AtomicBool,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Page {
    /// Another origin's, or no page of a browser that could keep a cookie.
    #[default]
    Foreign,
    /// Our own, over HTTP (or no browser's at all).
    Http,
    /// Our own, over HTTPS.
    Https,
}

impl Session {
    /// The session of a request.
    pub fn of(headers: &HeaderMap) -> Session {
        let page = match headers.get(ORIGIN) {
            None => Page::Http,
            Some(_) if !is_own_origin(headers) => Page::Foreign,
            Some(origin) if origin.as_bytes().starts_with(b"https://") => Page::Https,
            Some(_) => Page::Http,
        };
        let presented = if page == Page::Foreign { None } else { token(headers) };
        Session { page, presented, ..Session::default() }
    }

    /// The refresh token that came with the request.
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.presented.as_ref()
    }

    /// Lets the browser keep a refresh token for as long as it lives.
    pub fn keep(&self, token: &Secret, until: DateTime<Utc>) {
        self.is_begun.store(true, Ordering::Relaxed);
        self.leave(token.reveal(), (until - Utc::now()).num_seconds().max(0));
    }

    /// Makes the browser forget its refresh token.
    pub fn end(&self) {
        self.leave("", 0);
    }

    /// Whether the answer holds a token, which it does for pages that can have no cookie, too.
    pub fn is_begun(&self) -> bool {
        self.is_begun.load(Ordering::Relaxed)
    }

    /// `Set-Cookie` of the answer, if the session changed.
    pub fn cookie(&self) -> Option<HeaderValue> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn leave(&self, value: &str, max_age_s: i64) {
        let secure = match self.page {
            Page::Foreign => return,
            Page::Http => "",
            Page::Https => "; Secure",
        };
        let cookie = format!("{NAME}={value}; HttpOnly; SameSite=Strict; Path=/graphql; Max-Age={max_age_s}{secure}");
        let mut cookie = HeaderValue::from_str(&cookie).expect("a refresh token is hexadecimal");
        cookie.set_sensitive(true);
        *self.leaving.lock().unwrap_or_else(PoisonError::into_inner) = Some(cookie);
    }
}

/// Does a browser name the very origin that it asks? Whoever forwards the request leaves `Host` as it is.
pub fn is_own_origin(headers: &HeaderMap) -> bool {
    let text = |value: Option<&HeaderValue>| value.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let origin = text(headers.get(ORIGIN));
    let authority = origin.as_deref().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    authority.is_some() && authority == text(headers.get(HOST)).as_deref()
}

fn token(headers: &HeaderMap) -> Option<Secret> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    let (_, token) = pairs.find(|(name, _)| *name == NAME)?;
    let is_token =
        !token.is_empty() && token.len() <= MAX_TOKEN_BYTES && token.bytes().all(|b| b.is_ascii_alphanumeric());
    is_token.then(|| Secret::new(token))
}

/// Goes on with the browser's session.
#[derive(Debug, Default, InputObject)]
pub struct RefreshSessionInput {
    /// A cart without an owner that becomes the user's: merged into the latest active one, if there is one.
    cart_id: Option<ID>,
}

session_payload! {
    /// What became of `refreshSession`.
    RefreshSessionPayload, "if there is no session"
}

/// Ends the browser's session.
#[derive(Debug, Default, InputObject)]
pub struct LogoutInput {
    /// Repeating the mutation with the same key has no second effect. Without a login it has to be a random UUID.
    idempotency_key: Option<String>,
}

payload! {
    /// What became of `logout`.
    LogoutPayload {
        /// True: the browser has no session any more; null if there are userErrors.
        done: bool
    }
}

/// Changes of sessions.
#[derive(Default)]
pub struct SessionMutations;

#[Object]
impl SessionMutations {
    /// Trades the browser's refresh token, a cookie that only the browser can read, for a bearer token and the next
    /// refresh token. Several tabs may do so at once. Without a session it answers nulls.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to take along.")] input: Option<RefreshSessionInput>,
    ) -> Result<RefreshSessionPayload> {
        let scope = Scope::of_mutation(ctx);
        let nobody = RefreshSessionPayload { user: None, token: None, user_errors: Vec::new() };
        let Some(refresh_token) = scope.session.refresh_token().cloned() else { return Ok(nobody) };
        let caller = scope.caller.with_idempotency_key(None);
        let answer = match scope.clients.users.refresh(&caller, Refresh { refresh_token }).await {
            // The cookie stays: another tab may just have got a new one.
            Err(error) if error.status == StatusCode::UNAUTHORIZED => return Ok(nobody),
            answer => answer.map_err(fault)?,
        };
        let (user, token, user_errors) = logged_in(ctx, scope, answer, input.and_then(|input| input.cart_id)).await?;
        Ok(RefreshSessionPayload { user: Some(user), token: Some(token), user_errors })
    }

    /// Ends the browser's session: its refresh token, and all that it was ever traded for. Bearer tokens run out by
    /// themselves; forget them.
    async fn logout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Nothing that matters.")] input: Option<LogoutInput>,
    ) -> Result<LogoutPayload> {
        let scope = Scope::of_mutation(ctx);
        let key = input.and_then(|input| input.idempotency_key);
        let logout = async {
            let caller = scope.caller_with_key(key.as_deref())?;
            if let Some(token) = scope.session.refresh_token().cloned() {
                scope.clients.users.logout(&caller, Logout { refresh_token: Some(token) }).await?;
            }
            scope.session.end();
            Ok(true)
        };
        LogoutPayload::new(logout.await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(headers: &[(axum::http::HeaderName, &'static str)]) -> Session {
        Session::of(&headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect())
    }

    fn kept(session: &Session) -> Option<String> {
        session.keep(&Secret::new("ab12"), Utc::now() + chrono::TimeDelta::seconds(60));
        session.cookie().map(|cookie| cookie.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_cookie_is_for_its_own_origin_and_no_script() {
        let own =
            session(&[(HOST, "shop.example"), (ORIGIN, "https://shop.example"), (COOKIE, "a=b; prost_refresh=x1")]);
        assert_eq!(own.refresh_token(), Some(&Secret::new("x1")));
        let cookie = kept(&own).unwrap();
        let (value, rest) = cookie.split_once("; Max-Age=").unwrap();
        assert_eq!(value, "prost_refresh=ab12; HttpOnly; SameSite=Strict; Path=/graphql");
        assert!(rest == "60; Secure" || rest == "59; Secure", "{rest}");
        assert!(!format!("{:?}", own.cookie().unwrap()).contains("ab12"), "it is in no log");

        let plain = session(&[(HOST, "localhost:8080"), (ORIGIN, "http://localhost:8080")]);
        assert!(!kept(&plain).unwrap().contains("Secure") && plain.is_begun());
        plain.end();
        assert!(plain.cookie().unwrap().to_str().unwrap().starts_with("prost_refresh=; HttpOnly"));
        assert!(plain.cookie().unwrap().to_str().unwrap().ends_with("Max-Age=0"));
    }

    #[test]
    fn pages_of_other_origins_have_no_session() {
        for origin in
            ["https://evil.example", "null", "https://shop.example.evil.example", "http://shop.example:81", ""]
        {
            let foreign = session(&[(HOST, "shop.example"), (ORIGIN, origin), (COOKIE, "prost_refresh=x1")]);
            assert_eq!((foreign.refresh_token(), kept(&foreign)), (None, None), "{origin}");
        }
        assert!(session(&[(COOKIE, "prost_refresh=x1")]).refresh_token().is_some(), "no browser, no origin");
        let foreign = Session::default();
        assert!(!foreign.is_begun());
        assert_eq!((kept(&foreign), foreign.is_begun()), (None, true), "the answer holds a token nevertheless");
    }

    #[test]
    fn what_is_no_token_is_not_passed_on() {
        for cookie in ["prost_refresh=", "prost_refresh=a b", "prost_refresh=\"x\"", "other=x", "prost_refresh"] {
            assert_eq!(session(&[(COOKIE, cookie)]).refresh_token(), None, "{cookie}");
        }
        let long = HeaderMap::from_iter([(COOKIE, format!("prost_refresh={}", "a".repeat(129)).parse().unwrap())]);
        assert_eq!(Session::of(&long).refresh_token(), None);
    }
}
