//! Behind the gateway, a service knows the client's address, and believes it of nobody else.

use std::net::IpAddr;
use std::time::Duration;

use axum::routing::get;
use axum::{Json, Router};
use events::CorrelationId;
use serde_json::Value;
use service::server::{AppConfig, app, serve};
use service::{Caller, Error, HttpClient, Shutdown, TokenKeys};
use tokio::net::TcpListener;

use crate::support::{config, get_with, routes};

const CLIENT: &str = "203.0.113.9";

async fn listen(router: Router, shutdown: &Shutdown) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = serve(listener, router, shutdown.token(), Duration::from_secs(5));
    shutdown.spawn("server", async move { serving.await.unwrap() });
    url
}

/// A front that asks the service behind it on behalf of its caller, whom it takes to be at [`CLIENT`].
async fn seen_behind(front: AppConfig) -> String {
    let shutdown = Shutdown::new();
    let behind = HttpClient::new("things", &listen(app(routes(), config()), &shutdown).await).unwrap();
    let ask = async move |caller: Caller| -> Result<Json<Value>, Error> {
        let caller = Caller { address: CLIENT.parse::<IpAddr>().ok(), ..caller };
        behind.get(&caller, "/who").send().await.map(Json)
    };
    let front = listen(app(Router::new().route("/ask", get(ask)), front), &shutdown).await;
    let asking = HttpClient::new("front", &front).unwrap();
    let who: Value = asking.get(&Caller::anonymous(CorrelationId::new()), "/ask").send().await.unwrap();
    who["address"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_one_of_us_says_is_believed_without_a_list_of_addresses() {
    assert_eq!(seen_behind(config()).await, CLIENT);
}

#[tokio::test]
async fn what_a_stranger_says_is_not() {
    let strange = TokenKeys::new("some other secret, also of 32 bytes or more", None).unwrap();
    assert_eq!(seen_behind(AppConfig::new("front", strange)).await, "127.0.0.1");
}

#[tokio::test]
async fn a_header_by_hand_changes_nothing() {
    let plain = get_with("/who", &[]).await.json["address"].clone();
    for headers in [[("x-forwarded-for", CLIENT)], [("x-prost-client", "203.0.113.9 1 00")]] {
        assert_eq!(get_with("/who", &headers).await.json["address"], plain);
    }
}
