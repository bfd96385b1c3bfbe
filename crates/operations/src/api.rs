//! The REST endpoints for operators: they extract, and call the operations.

use std::sync::Arc;

use axum::extract::State;
use service::{Admin, Error, ErrorBody, Json, Page, PageQuery, Path, Query};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::{
    Act, ActFilter, DeadLetterDetail, DeadLetterFilter, DeadLetters, Delivery, DeliveryFilter, DiscardDeadLetters,
    DiscardEvent, EventFilter, Handled, Operations, OperationsApi, Outbox, OutboxFilter, Queue, RecordedEvent,
    Selection, UnsentDetail, UnsentEvent,
};

/// All endpoints, under `/admin`.
pub fn router(operations: Arc<Operations>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(outbox))
        .routes(routes!(unsent_event))
        .routes(routes!(retry_event))
        .routes(routes!(discard_event))
        .routes(routes!(dead_letters))
        .routes(routes!(dead_letter))
        .routes(routes!(replay))
        .routes(routes!(discard))
        .routes(routes!(acts))
        .routes(routes!(events))
        .routes(routes!(deliveries))
        .routes(routes!(queues))
        .with_state(operations)
}

type Hand = State<Arc<Operations>>;

/// How the outbox stands, and what it holds (admin).
#[utoipa::path(get, path = "/admin/outbox", params(OutboxFilter, PageQuery), responses(
    (status = 200, body = Outbox), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn outbox(
    State(operations): Hand,
    Admin(caller): Admin,
    Query(filter): Query<OutboxFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Outbox>, Error> {
    operations.outbox(&caller, filter, page).await.map(Json)
}

/// One unsent event, with the whole message (admin).
#[utoipa::path(get, path = "/admin/outbox/{event_id}", params(("event_id" = Uuid, Path)), responses(
    (status = 200, body = UnsentDetail), (status = 404, body = ErrorBody)))]
async fn unsent_event(
    State(operations): Hand,
    Admin(caller): Admin,
    Path(event_id): Path<Uuid>,
) -> Result<Json<UnsentDetail>, Error> {
    operations.unsent_event(&caller, event_id).await.map(Json)
}

/// Let a failed event be sent again (admin).
#[utoipa::path(post, path = "/admin/outbox/{event_id}/retry", params(("event_id" = Uuid, Path)), responses(
    (status = 200, body = UnsentEvent), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
async fn retry_event(
    State(operations): Hand,
    Admin(caller): Admin,
    Path(event_id): Path<Uuid>,
) -> Result<Json<UnsentEvent>, Error> {
    operations.retry_event(&caller, event_id).await.map(Json)
}

/// Give up sending a failed event (admin).
#[utoipa::path(post, path = "/admin/outbox/{event_id}/discard", params(("event_id" = Uuid, Path)),
    request_body = DiscardEvent, responses((status = 200, body = UnsentEvent), (status = 404, body = ErrorBody),
    (status = 409, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn discard_event(
    State(operations): Hand,
    Admin(caller): Admin,
    Path(event_id): Path<Uuid>,
    Json(input): Json<DiscardEvent>,
) -> Result<Json<UnsentEvent>, Error> {
    operations.discard_event(&caller, event_id, input).await.map(Json)
}

/// List dead letters, oldest first (admin).
#[utoipa::path(get, path = "/admin/dlq", params(DeadLetterFilter, PageQuery), responses(
    (status = 200, body = DeadLetters), (status = 404, body = ErrorBody)))]
async fn dead_letters(
    State(operations): Hand,
    Admin(caller): Admin,
    Query(filter): Query<DeadLetterFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<DeadLetters>, Error> {
    operations.dead_letters(&caller, filter, page).await.map(Json)
}

/// One dead letter, with the whole message (admin).
#[utoipa::path(get, path = "/admin/dlq/{queue}/{id}", params(("queue" = String, Path), ("id" = Uuid, Path)), responses(
    (status = 200, body = DeadLetterDetail), (status = 404, body = ErrorBody)))]
async fn dead_letter(
    State(operations): Hand,
    Admin(caller): Admin,
    Path((queue, id)): Path<(String, Uuid)>,
) -> Result<Json<DeadLetterDetail>, Error> {
    operations.dead_letter(&caller, &queue, id).await.map(Json)
}

/// Put dead letters back into their queues, under their own event ids (admin).
#[utoipa::path(post, path = "/admin/dlq/replay", request_body = Selection, responses(
    (status = 200, body = Handled), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn replay(
    State(operations): Hand,
    Admin(caller): Admin,
    Json(selection): Json<Selection>,
) -> Result<Json<Handled>, Error> {
    operations.replay(&caller, selection).await.map(Json)
}

/// Throw dead letters away, with a reason (admin).
#[utoipa::path(post, path = "/admin/dlq/discard", request_body = DiscardDeadLetters, responses(
    (status = 200, body = Handled), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
async fn discard(
    State(operations): Hand,
    Admin(caller): Admin,
    Json(input): Json<DiscardDeadLetters>,
) -> Result<Json<Handled>, Error> {
    operations.discard(&caller, input).await.map(Json)
}

/// What operators did, newest first (admin).
#[utoipa::path(get, path = "/admin/audit", params(ActFilter, PageQuery), responses((status = 200, body = Page<Act>)))]
async fn acts(
    State(operations): Hand,
    Admin(caller): Admin,
    Query(filter): Query<ActFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Act>>, Error> {
    operations.acts(&caller, filter, page).await.map(Json)
}

/// Events that this service recorded, of a saga or one, oldest first (admin).
#[utoipa::path(get, path = "/admin/events", params(EventFilter, PageQuery), responses(
    (status = 200, body = Page<RecordedEvent>), (status = 422, body = ErrorBody)))]
async fn events(
    State(operations): Hand,
    Admin(caller): Admin,
    Query(filter): Query<EventFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RecordedEvent>>, Error> {
    operations.events(&caller, filter, page).await.map(Json)
}

/// What became of events in this service's queues (admin).
#[utoipa::path(get, path = "/admin/deliveries", params(DeliveryFilter), responses(
    (status = 200, body = Vec<Delivery>), (status = 422, body = ErrorBody)))]
async fn deliveries(
    State(operations): Hand,
    Admin(caller): Admin,
    Query(filter): Query<DeliveryFilter>,
) -> Result<Json<Vec<Delivery>>, Error> {
    operations.deliveries(&caller, &filter.ids()?).await.map(Json)
}

/// How much waits in this service's queues (admin).
#[utoipa::path(get, path = "/admin/queues", responses((status = 200, body = Vec<Queue>)))]
async fn queues(State(operations): Hand, Admin(caller): Admin) -> Result<Json<Vec<Queue>>, Error> {
    operations.queues(&caller).await.map(Json)
}
