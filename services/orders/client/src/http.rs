//! Orders over HTTP.

use async_trait::async_trait;
use events::{OrderId, UserId};
use serde::Serialize;
use service::{Caller, ConfigError, Error, HttpClient, Page, PageQuery};
use uuid::Uuid;

use crate::{
    CancelOrder, ListOfUsers, ListTimelines, Order, OrderFilter, OrdersApi, OrdersOfUser, PlaceOrder, Saga, SagaDetail,
    SagaFilter, Timeline, TimelineEntry,
};

/// Orders in another process.
pub struct Http {
    http: HttpClient,
}

impl Http {
    /// Asks the service at `base_url`.
    pub fn new(base_url: &str) -> Result<Http, ConfigError> {
        Ok(Http { http: HttpClient::new("orders", base_url)? })
    }
}

/// A filter and a page in one query string.
#[derive(Serialize)]
struct Filtered<'a, F> {
    #[serde(flatten)]
    filter: &'a F,
    #[serde(flatten)]
    page: &'a PageQuery,
}

#[async_trait]
impl OrdersApi for Http {
    async fn place(&self, caller: &Caller, input: PlaceOrder) -> Result<Order, Error> {
        self.http.post(caller, "/orders").json(&input).send().await
    }

    async fn order(&self, caller: &Caller, id: OrderId) -> Result<Order, Error> {
        self.http.get(caller, &format!("/orders/{id}")).send().await
    }

    async fn orders(&self, caller: &Caller, filter: OrderFilter, page: PageQuery) -> Result<Page<Order>, Error> {
        self.http.get(caller, "/orders").query(&Filtered { filter: &filter, page: &page }).send().await
    }

    async fn orders_of_users(
        &self,
        caller: &Caller,
        user_ids: &[UserId],
        page: &PageQuery,
    ) -> Result<Vec<OrdersOfUser>, Error> {
        if user_ids.is_empty() {
            return Ok(Vec::new());
        }
        let user_ids = user_ids.iter().map(UserId::to_string).collect::<Vec<_>>().join(",");
        let filter = ListOfUsers { user_ids };
        self.http.get(caller, "/orders/by-users").query(&Filtered { filter: &filter, page }).send().await
    }

    async fn cancel(&self, caller: &Caller, id: OrderId, input: CancelOrder) -> Result<Order, Error> {
        self.http.post(caller, &format!("/orders/{id}/cancel")).json(&input).send().await
    }

    async fn ship(&self, caller: &Caller, id: OrderId) -> Result<Order, Error> {
        self.http.post(caller, &format!("/orders/{id}/ship")).send().await
    }

    async fn deliver(&self, caller: &Caller, id: OrderId) -> Result<Order, Error> {
        self.http.post(caller, &format!("/orders/{id}/deliver")).send().await
    }

    async fn timeline(&self, caller: &Caller, id: OrderId) -> Result<Vec<TimelineEntry>, Error> {
        self.http.get(caller, &format!("/orders/{id}/timeline")).send().await
    }

    async fn timelines(&self, caller: &Caller, ids: &[OrderId]) -> Result<Vec<Timeline>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = ids.iter().map(OrderId::to_string).collect::<Vec<_>>().join(",");
        self.http.get(caller, "/orders/timelines").query(&ListTimelines { ids }).send().await
    }

    async fn sagas(&self, caller: &Caller, filter: SagaFilter, page: PageQuery) -> Result<Page<Saga>, Error> {
        self.http.get(caller, "/admin/sagas").query(&Filtered { filter: &filter, page: &page }).send().await
    }

    async fn saga(&self, caller: &Caller, id: Uuid) -> Result<SagaDetail, Error> {
        self.http.get(caller, &format!("/admin/sagas/{id}")).send().await
    }

    async fn retry_saga(&self, caller: &Caller, id: Uuid) -> Result<SagaDetail, Error> {
        self.http.post(caller, &format!("/admin/sagas/{id}/retry")).send().await
    }
}
