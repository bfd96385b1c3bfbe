//! Carts check out: under load many of them in one transaction.

use std::collections::HashMap;
use std::time::Duration;

use cart_client::CheckoutCart;
use database::{Answers, Attempt, Connection, Database, Gathering, outbox};
use events::{CartCheckoutInitiated, CartId, Draft, OrderId, TraceParent, UserId};
use service::Error;

use crate::SERVICE;
use crate::model::{Checkout, StoredCart, cart_not_found};
use crate::repository::{carts, checkouts};

/// Checkouts of many callers.
pub type Checkouts = Gathering<Request, CartCheckoutInitiated, Error>;

/// Somebody wants to check out.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who.
    pub user: UserId,
    /// Which cart.
    pub cart_id: CartId,
    /// Where to, and how it is paid.
    pub input: CheckoutCart,
    /// The trace that the request belongs to.
    pub trace: Option<TraceParent>,
}

/// Gathers checkouts of carts in this database.
pub fn gathering(database: Database, overdue_after: Duration) -> Checkouts {
    Gathering::new(move |requests, attempt| {
        let database = database.clone();
        Box::pin(async move {
            database
                .write_opening(move |tx| {
                    Box::pin(async move { check_out(tx, &requests, attempt, overdue_after).await })
                })
                .await
        })
    })
}

/// One checkout in a transaction that does more.
pub async fn alone(tx: &Connection, request: Request, overdue_after: Duration) -> Result<CartCheckoutInitiated, Error> {
    let answers = check_out(tx, &[request], Attempt::Alone, overdue_after).await?;
    answers.into_iter().flatten().next().unwrap_or_else(|| Err(cart_not_found()))
}

/// From active to checking out, once: who comes again is told the same.
async fn check_out(
    tx: &Connection,
    requests: &[Request],
    attempt: Attempt,
    overdue_after: Duration,
) -> Answers<CartCheckoutInitiated, Error> {
    let ids: Vec<CartId> = requests.iter().map(|request| request.cart_id).collect();
    let locked = match attempt {
        Attempt::Together => carts::lock_free(tx, &ids).await?,
        Attempt::Alone => carts::lock(tx, &ids).await?,
    };
    let mut carts: HashMap<CartId, StoredCart> = locked.into_iter().map(|stored| (stored.cart.id, stored)).collect();
    let mut begun = Begun::default();
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        answers.push(match (carts.get_mut(&request.cart_id), attempt) {
            (Some(stored), _) => Some(begun.decide(tx, stored, request).await),
            // It does not exist, or somebody has it: that is found out where nobody else waits.
            (None, Attempt::Together) => None,
            (None, Attempt::Alone) => Some(Err(cart_not_found())),
        });
    }
    let commands = checkouts::begin(&begun.checkouts, overdue_after);
    outbox::record_with(tx, commands.into_iter().collect(), &begun.drafts).await?;
    Ok(answers)
}

/// What a batch begins.
#[derive(Default)]
struct Begun {
    /// Each with the version of its cart.
    checkouts: Vec<(CartCheckoutInitiated, i64)>,
    drafts: Vec<Draft>,
}

impl Begun {
    async fn decide(
        &mut self,
        tx: &Connection,
        stored: &mut StoredCart,
        request: &Request,
    ) -> Result<CartCheckoutInitiated, Error> {
        match stored.checkout(request.user)? {
            Checkout::Begun(order_id) => match self.of(order_id) {
                Some(checkout) => Ok(checkout),
                None => Ok(checkouts::payload(tx, order_id).await?),
            },
            Checkout::Begin => {
                let checkout = stored.begin_checkout(request.user, request.input.clone())?;
                let draft = Draft::new(&checkout, stored.version, checkout.correlation_id, SERVICE);
                tx.note_traces(request.trace.map(|trace| (draft.envelope.event_id, trace)));
                self.drafts.push(draft);
                self.checkouts.push((checkout.clone(), stored.version));
                Ok(checkout)
            }
        }
    }

    /// Begun in this very batch, by somebody who came twice.
    fn of(&self, order_id: OrderId) -> Option<CartCheckoutInitiated> {
        self.checkouts.iter().map(|(checkout, _)| checkout).find(|checkout| checkout.order_id == order_id).cloned()
    }
}
