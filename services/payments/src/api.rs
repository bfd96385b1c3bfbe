//! Routes: extract, call the authorising function, answer.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use events::{OrderId, PaymentId};
use payments_client::{CreateRefund, OfOrders, Payment, PaymentsApi, Refund};
use serde::Deserialize;
use service::{Admin, Error, ErrorBody, Json, Page, Path, Query, SignedIn};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Payments;

/// The endpoints of this service.
pub fn router(service: Arc<Payments>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(payments_of_order))
        .routes(routes!(payments_of_orders))
        .routes(routes!(payment))
        .routes(routes!(create_refund))
        .with_state(service)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfOrder {
    /// The order whose payment is wanted.
    #[param(value_type = uuid::Uuid)]
    order_id: OrderId,
}

/// The payment of an order: of the caller's own, for admins of any.
#[utoipa::path(
    get, path = "/payments", params(OfOrder), security(("bearer" = [])),
    responses((status = 200, body = Page<Payment>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody))
)]
async fn payments_of_order(
    State(service): State<Arc<Payments>>,
    SignedIn(caller): SignedIn,
    Query(query): Query<OfOrder>,
) -> Result<Json<Page<Payment>>, Error> {
    service.payments_of_order(&caller, query.order_id).await.map(Json)
}

/// One payment: of the caller's own order, for admins any.
#[utoipa::path(
    get, path = "/payments/{id}", params(("id" = uuid::Uuid, Path,)), security(("bearer" = [])),
    responses((status = 200, body = Payment), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody))
)]
async fn payment(
    State(service): State<Arc<Payments>>,
    SignedIn(caller): SignedIn,
    Path(id): Path<PaymentId>,
) -> Result<Json<Payment>, Error> {
    service.payment(&caller, id).await.map(Json)
}

/// The payments of several orders. Those that the caller may not see are left out.
#[utoipa::path(
    get, path = "/payments/by-orders", params(OfOrders), security(("bearer" = [])),
    responses(
        (status = 200, body = Vec<Payment>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 422, body = ErrorBody)
    )
)]
async fn payments_of_orders(
    State(service): State<Arc<Payments>>,
    SignedIn(caller): SignedIn,
    Query(query): Query<OfOrders>,
) -> Result<Json<Vec<Payment>>, Error> {
    let ids: Result<Vec<OrderId>, _> = query.ids.split(',').map(|id| id.trim().parse()).collect();
    let ids = ids.map_err(|_| Error::bad_request("invalid_query", "ids must be UUIDs, separated by commas"))?;
    service.payments_of_orders(&caller, &ids).await.map(Json)
}

/// Gives money back; `PaymentRefunded` follows once the provider has done it.
#[utoipa::path(
    post, path = "/payments/{id}/refunds", params(("id" = uuid::Uuid, Path,)), security(("bearer" = [])),
    responses(
        (status = 201, body = Refund),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "not captured, or not that much left"),
        (status = 422, body = ErrorBody),
    )
)]
async fn create_refund(
    State(service): State<Arc<Payments>>,
    Admin(caller): Admin,
    Path(payment_id): Path<PaymentId>,
    Json(request): Json<CreateRefund>,
) -> Result<(StatusCode, Json<Refund>), Error> {
    let refund = service.refund(&caller, payment_id, request).await?;
    Ok((StatusCode::CREATED, Json(refund)))
}
