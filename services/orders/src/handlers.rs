//! What orders does for others: who calls, may they, then one transaction, then the answer.

use async_trait::async_trait;
use axum::http::StatusCode;
use database::Connection;
use database::audit::{self, Action, Operator, Subject};
use events::{OrderId, UserId};
use orders_client::{
    CancelOrder, MAX_TIMELINES, MAX_USERS, Order, OrderFilter, OrdersApi, OrdersOfUser, PlaceOrder, Saga, SagaDetail,
    SagaFilter, Timeline, TimelineEntry,
};
use service::idempotency::{self, Operation};
use service::{Caller, Error, Page, PageQuery};
use uuid::Uuid;

use crate::model::Step;
use crate::runner::{self, Outcome};
use crate::saga::Input;
use crate::{Orders, OrdersConfig, SERVICE, placement, repository};

const RETRY_SAGA: Action = Action::named("saga.retry");
const SHIP_ORDER: Action = Action::named("order.ship");
const DELIVER_ORDER: Action = Action::named("order.deliver");
const CANCEL_ORDER: Action = Action::named("order.cancel");

#[async_trait]
impl OrdersApi for Orders {
    async fn place(&self, caller: &Caller, input: PlaceOrder) -> Result<Order, Error> {
        caller.user()?;
        let operation = Operation::new(SERVICE, "POST /orders", StatusCode::ACCEPTED, caller, None, &input)?;
        // What was answered once needs no cart to be answered again.
        if let Some(answer) = idempotency::answered(&self.database, &operation).await? {
            return answer;
        }
        // The cart decides, once per cart and key; asked before our transaction, never inside it.
        let checkout = cart_client::CheckoutCart {
            payment_method: input.payment_method,
            shipping_address: input.shipping_address,
        };
        let snapshot = self.cart.checkout(caller, input.cart_id, checkout).await?;
        if !operation.is_keyed() {
            return self.placements.ask(snapshot).await;
        }
        let patience = self.config.reservation_deadline;
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move { placement::alone(tx, snapshot, patience).await })
        })
        .await
    }

    async fn order(&self, caller: &Caller, id: OrderId) -> Result<Order, Error> {
        caller.user()?;
        let db = self.database.read().await?;
        let order = repository::order(&db, id).await?.ok_or_else(not_found)?;
        own(caller, order.user_id)?;
        Ok(order)
    }

    async fn orders(&self, caller: &Caller, filter: OrderFilter, page: PageQuery) -> Result<Page<Order>, Error> {
        let claims = caller.user()?;
        let user = if caller.is_admin() { filter.user_id } else { Some(claims.user_id) };
        if filter.user_id.is_some_and(|wanted| user != Some(wanted)) {
            return Page::new(&page, Vec::new(), |order: &Order| order.id);
        }
        let db = self.database.read().await?;
        let filter = OrderFilter { user_id: user, ..filter };
        let rows = repository::orders(&db, &filter, page.after()?, page.rows()?).await?;
        Page::new(&page, rows, |order| order.id)
    }

    async fn orders_of_users(
        &self,
        caller: &Caller,
        user_ids: &[UserId],
        page: &PageQuery,
    ) -> Result<Vec<OrdersOfUser>, Error> {
        let own = caller.user()?.user_id;
        if user_ids.len() > MAX_USERS {
            return Err(Error::invalid("user_ids", "too_many", format!("at most {MAX_USERS} users are read at once")));
        }
        let seen: Vec<UserId> = user_ids.iter().copied().filter(|id| *id == own || caller.is_admin()).collect();
        let db = self.database.read().await?;
        let mut rows = repository::orders_of_users(&db, &seen, page.after()?, page.rows()?).await?;
        let of_user = |user_id: UserId| {
            let orders = rows.extract_if(.., |order| order.user_id == user_id).collect();
            Ok(OrdersOfUser { user_id, orders: Page::new(page, orders, |order| order.id)? })
        };
        seen.into_iter().map(of_user).collect()
    }

    async fn cancel(&self, caller: &Caller, id: OrderId, input: CancelOrder) -> Result<Order, Error> {
        caller.user()?;
        if input.reason.as_ref().is_some_and(|reason| reason.chars().count() > 500) {
            return Err(Error::invalid("reason", "too_long", "a reason has 500 characters at most"));
        }
        let step = Step { note: input.reason.clone(), ..Step::of(id, Input::Cancel) };
        let refusal = Error::conflict("order_not_cancellable", "this order cannot be cancelled any more");
        self.step(caller, "POST /orders/{id}/cancel", (id, input), step, refusal).await
    }

    async fn ship(&self, caller: &Caller, id: OrderId) -> Result<Order, Error> {
        caller.admin()?;
        let refusal = Error::conflict("order_not_shippable", "only a confirmed order can be shipped");
        self.step(caller, "POST /orders/{id}/ship", id, Step::of(id, Input::Ship), refusal).await
    }

    async fn deliver(&self, caller: &Caller, id: OrderId) -> Result<Order, Error> {
        caller.admin()?;
        let refusal = Error::conflict("order_not_deliverable", "only a shipped order can be delivered");
        self.step(caller, "POST /orders/{id}/deliver", id, Step::of(id, Input::Deliver), refusal).await
    }

    async fn timeline(&self, caller: &Caller, id: OrderId) -> Result<Vec<TimelineEntry>, Error> {
        caller.user()?;
        let db = self.database.read().await?;
        let order = repository::order(&db, id).await?.ok_or_else(not_found)?;
        own(caller, order.user_id)?;
        Ok(repository::timeline(&db, id).await?)
    }

    async fn timelines(&self, caller: &Caller, ids: &[OrderId]) -> Result<Vec<Timeline>, Error> {
        let user = caller.user()?.user_id;
        if ids.len() > MAX_TIMELINES {
            return Err(Error::invalid("ids", "too_many", format!("at most {MAX_TIMELINES} orders are read at once")));
        }
        let db = self.database.read().await?;
        Ok(repository::timelines(&db, ids, (!caller.is_admin()).then_some(user)).await?)
    }

    async fn sagas(&self, caller: &Caller, filter: SagaFilter, page: PageQuery) -> Result<Page<Saga>, Error> {
        caller.admin()?;
        let db = self.database.read().await?;
        let rows = repository::sagas::sagas(&db, &filter, page.after()?, page.rows()?).await?;
        Page::new(&page, rows, |saga| saga.id)
    }

    async fn saga(&self, caller: &Caller, id: Uuid) -> Result<SagaDetail, Error> {
        caller.admin()?;
        let db = self.database.read().await?;
        saga_detail(&db, id).await
    }

    async fn retry_saga(&self, caller: &Caller, id: Uuid) -> Result<SagaDetail, Error> {
        caller.admin()?;
        let operator = Operator { actor: caller.actor()?, reason: None };
        let action = "POST /admin/sagas/{id}/retry";
        let operation = Operation::new(SERVICE, action, StatusCode::OK, caller, None, &id)?;
        let (caller, config) = (caller.clone(), self.config.clone());
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                let saga = repository::sagas::saga(tx, id).await?.ok_or_else(no_saga)?;
                let refusal = Error::conflict("saga_not_stuck", "this saga is not stuck; it moves by itself");
                take_step(tx, &config, &caller, Step::of(saga.order_id, Input::Retry), refusal).await?;
                let subject = Subject::of_saga(saga.id, saga.correlation_id);
                audit::record(tx, &operator, RETRY_SAGA, &[subject], audit::Outcome::Done).await?;
                saga_detail(tx, id).await
            })
        })
        .await
    }
}

impl Orders {
    /// One wish of a person, in one transaction.
    async fn step(
        &self,
        caller: &Caller,
        action: &'static str,
        input: impl serde::Serialize,
        step: Step,
        refusal: Error,
    ) -> Result<Order, Error> {
        let operation = Operation::new(SERVICE, action, StatusCode::OK, caller, None, &input)?;
        let (caller, config) = (caller.clone(), self.config.clone());
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move {
                let (act, reason) = (operators_act(step.input), step.note.clone());
                let (before, order) = take_step(tx, &config, &caller, step, refusal).await?;
                let is_own = is_owner(&caller, order.user_id);
                if let Some(act) = act.filter(|act| *act != CANCEL_ORDER || !is_own)
                    && before.version != order.version
                {
                    let operator = Operator { actor: caller.actor()?, reason };
                    let subject = Subject::of_saga(order.id.uuid(), order.correlation_id);
                    audit::record(tx, &operator, act, &[subject], audit::Outcome::Done).await?;
                }
                Ok(order)
            })
        })
        .await
    }
}

/// What the trail calls a wish. What changes nothing is no act, nor is it one to cancel one's own order.
fn operators_act(wish: Input) -> Option<Action> {
    match wish {
        Input::Ship => Some(SHIP_ORDER),
        Input::Deliver => Some(DELIVER_ORDER),
        Input::Cancel => Some(CANCEL_ORDER),
        _ => None,
    }
}

fn is_owner(caller: &Caller, owner: UserId) -> bool {
    caller.user_id() == Some(owner)
}

/// One wish of the order's owner or of an admin; answers the order as it stood, and as it stands then.
async fn take_step(
    tx: &Connection,
    config: &OrdersConfig,
    caller: &Caller,
    step: Step,
    refusal: Error,
) -> Result<(Order, Order), Error> {
    let id = step.order_id;
    let order = repository::order(tx, id).await?.ok_or_else(not_found)?;
    own(caller, order.user_id)?;
    match runner::advance(tx, config, &[step]).await?.as_slice() {
        [Outcome::Done] => Ok((order, repository::order(tx, id).await?.ok_or_else(not_found)?)),
        [Outcome::Illegal] => Err(refusal),
        [Outcome::Unreadable] => Err(Error::internal(format!("the saga of order {id} cannot be read"))),
        _ => Err(not_found()),
    }
}

async fn saga_detail(db: &Connection, id: Uuid) -> Result<SagaDetail, Error> {
    let saga = repository::sagas::saga(db, id).await?.ok_or_else(no_saga)?;
    let timeline = repository::timeline(db, saga.order_id).await?;
    let compensations = repository::sagas::compensations(db, saga.order_id).await?;
    Ok(SagaDetail { saga, timeline, compensations })
}

/// Somebody else's order does not exist for this caller.
fn own(caller: &Caller, owner: UserId) -> Result<(), Error> {
    if caller.is_admin() || is_owner(caller, owner) { Ok(()) } else { Err(not_found()) }
}

pub(crate) fn not_found() -> Error {
    Error::not_found("order_not_found", "there is no such order")
}

fn no_saga() -> Error {
    Error::not_found("saga_not_found", "there is no saga with this order, saga or correlation id")
}
