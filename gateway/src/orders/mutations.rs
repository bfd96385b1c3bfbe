//! Changes of orders.

use async_graphql::{Context, ID, InputObject, Object, Result};
use events::OrderId;
use orders_client::{CancelOrder, PlaceOrder};
use payments_client::CreateRefund;

use crate::errors::payload;
use crate::scalars::{MoneyInput, id_of};
use crate::scope::Scope;

use super::{Address, Order, Payment};

/// Places an order from a cart.
#[derive(Debug, InputObject)]
pub struct CheckoutInput {
    /// The cart.
    cart_id: ID,
    /// With what to pay, e.g. pm_card_visa.
    payment_method: String,
    /// Where it goes.
    shipping_address: Address,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// Cancels an order that is not shipped.
#[derive(Debug, InputObject)]
pub struct CancelOrderInput {
    /// The order.
    id: ID,
    /// Why, for the record; 500 characters at most.
    reason: Option<String>,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// Moves an order on.
#[derive(Debug, InputObject)]
pub struct ShipOrderInput {
    /// The order.
    id: ID,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// Moves an order on.
#[derive(Debug, InputObject)]
pub struct DeliverOrderInput {
    /// The order.
    id: ID,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// Gives money back.
#[derive(Debug, InputObject)]
pub struct RefundPaymentInput {
    /// The payment.
    payment_id: ID,
    /// How much; whatever is left of it unless told.
    amount: Option<MoneyInput>,
    /// Why, 1 to 500 characters.
    reason: String,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

payload! {
    /// What became of `checkout`.
    CheckoutPayload {
        /// The order, already to be found with `order`; null if there are userErrors.
        order: Order
    }
}

payload! {
    /// What became of `cancelOrder`.
    CancelOrderPayload {
        /// The order, being undone; null if there are userErrors.
        order: Order
    }
}

payload! {
    /// What became of `shipOrder`.
    ShipOrderPayload {
        /// The order, on its way; null if there are userErrors.
        order: Order
    }
}

payload! {
    /// What became of `deliverOrder`.
    DeliverOrderPayload {
        /// The order, which has arrived; null if there are userErrors.
        order: Order
    }
}

payload! {
    /// What became of `refundPayment`.
    RefundPaymentPayload {
        /// The payment with its new refund, which is certain; null if there are userErrors.
        payment: Payment
    }
}

/// Changes of orders.
#[derive(Default)]
pub struct OrderMutations;

#[Object]
impl OrderMutations {
    /// Places an order from a cart, once per cart, and begins to fulfil it. Needs a login. Whether there is stock
    /// and the payment goes through is decided after the answer: follow `orderStatus`.
    async fn checkout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which cart, and how it is paid and sent.")] input: CheckoutInput,
    ) -> Result<CheckoutPayload> {
        let scope = Scope::of_mutation(ctx);
        let place = async {
            scope.caller.user()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            let order = PlaceOrder {
                cart_id: id_of(&input.cart_id, "cart_id")?,
                payment_method: input.payment_method,
                shipping_address: input.shipping_address.into(),
            };
            scope.clients.orders.place(&caller, order).await
        };
        CheckoutPayload::new(place.await.map(|order| Order::new(order, scope.caller.clone())))
    }

    /// Cancels an order that is not shipped. The order is CANCELLING until all is undone, then CANCELLED.
    async fn cancel_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order, and why.")] input: CancelOrderInput,
    ) -> Result<CancelOrderPayload> {
        let scope = Scope::of_mutation(ctx);
        let cancel = async {
            scope.caller.user()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            let id: OrderId = id_of(&input.id, "id")?;
            scope.clients.orders.cancel(&caller, id, CancelOrder { reason: input.reason }).await
        };
        CancelOrderPayload::new(cancel.await.map(|order| Order::new(order, scope.caller.clone())))
    }

    /// Sends a confirmed order on its way (admin). It cannot be cancelled any more.
    async fn ship_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order.")] input: ShipOrderInput,
    ) -> Result<ShipOrderPayload> {
        let scope = Scope::of_mutation(ctx);
        let ship = async {
            scope.caller.admin()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            scope.clients.orders.ship(&caller, id_of(&input.id, "id")?).await
        };
        ShipOrderPayload::new(ship.await.map(|order| Order::new(order, scope.caller.clone())))
    }

    /// Notes that a shipped order has arrived (admin).
    async fn deliver_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order.")] input: DeliverOrderInput,
    ) -> Result<DeliverOrderPayload> {
        let scope = Scope::of_mutation(ctx);
        let deliver = async {
            scope.caller.admin()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            scope.clients.orders.deliver(&caller, id_of(&input.id, "id")?).await
        };
        DeliverOrderPayload::new(deliver.await.map(|order| Order::new(order, scope.caller.clone())))
    }

    /// Gives back what was paid, or part of it, never more than was captured (admin). The refund is certain when this
    /// answers, and SUCCEEDED once the provider has done it.
    async fn refund_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment, how much, and why.")] input: RefundPaymentInput,
    ) -> Result<RefundPaymentPayload> {
        let scope = Scope::of_mutation(ctx);
        let refund = async {
            scope.caller.admin()?;
            let caller = scope.caller_with_key(input.idempotency_key.as_deref())?;
            let id = id_of(&input.payment_id, "payment_id")?;
            let amount = input.amount.map(|amount| amount.money("amount")).transpose()?;
            scope.clients.payments.refund(&caller, id, CreateRefund { amount, reason: input.reason }).await?;
            scope.clients.payments.payment(&scope.caller, id).await
        };
        RefundPaymentPayload::new(refund.await.map(Payment))
    }
}
