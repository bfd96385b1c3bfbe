//! What the catalogue is held against: the same question answered by async-graphql from a value that lies there ready, over
//! HTTP, and by nothing else. What the shop needs beyond that is its own.

use std::sync::Arc;

use async_graphql::{EmptyMutation, EmptySubscription, ID, Object, Request, Schema, SimpleObject};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::line::{Failure, failed};

/// Products of a page.
pub const PAGE: usize = 20;
/// The first page of the catalogue, as a storefront asks for it.
pub const CATALOG: &str = "query C { products(first: 20) { edges { node { id name sku price { amount currencyCode }
    stockQuantity inStock imageUrl } cursor } pageInfo { hasNextPage endCursor } } }";

/// A server of one answer, on threads of its own.
pub struct StaticAnswer {
    url: String,
    runtime: Runtime,
}

impl StaticAnswer {
    /// Answers [`CATALOG`] with this page.
    pub async fn serve(page: &Value) -> Result<StaticAnswer, Failure> {
        let page: Page = serde_json::from_value(page["products"].clone()).map_err(failed)?;
        let schema = Schema::new(Query { page }, EmptyMutation, EmptySubscription);
        let service = Router::new().route("/graphql", post(answer)).with_state(Arc::new(schema));
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
        runtime.spawn(async move {
            let served = async { axum::serve(tokio::net::TcpListener::from_std(listener)?, service).await };
            if let Err(error) = served.await {
                tracing::error!(%error, "the static answer is not served");
            }
        });
        Ok(StaticAnswer { url, runtime })
    }

    /// Where.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends the server.
    pub fn stop(self) {
        self.runtime.shutdown_background();
    }
}

async fn answer(
    State(schema): State<Arc<Schema<Query, EmptyMutation, EmptySubscription>>>,
    body: Bytes,
) -> impl IntoResponse {
    // The generator sends nothing else.
    let request: Request = serde_json::from_slice(&body).expect("a GraphQL request");
    let answer = serde_json::to_vec(&schema.execute(request).await).expect("an answer is JSON");
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], answer)
}

struct Query {
    page: Page,
}

#[Object]
impl Query {
    async fn products(&self, #[graphql(name = "first")] _first: i32) -> &Page {
        &self.page
    }
}

#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    edges: Vec<Edge>,
    page_info: Place,
}

#[derive(SimpleObject, Deserialize)]
struct Edge {
    node: Ware,
    cursor: String,
}

#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ware {
    id: ID,
    name: String,
    sku: String,
    price: Price,
    stock_quantity: i32,
    in_stock: bool,
    image_url: Option<String>,
}

#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Price {
    amount: String,
    currency_code: String,
}

#[derive(SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    has_next_page: bool,
    end_cursor: Option<String>,
}
