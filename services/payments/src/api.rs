//! Routes: extract, call the authorising function, answer.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use events::{OrderId, PaymentId};
use payments_client::{CreateRefund, Payment, PaymentsApi, Refund};
use serde::Deserialize;
use service::{Admin, Error, ErrorBody, Json, Page, Path, Query, SignedIn};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Payments;

/// The endpoints of this service.
pub fn router(service: Arc<Payments>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(payments_of_order)).routes(routes!(create_refund)).with_state(service)
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
