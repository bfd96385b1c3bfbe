//! Each service's part: from the rows as they are here to the types of the product, through the product's own
//! decision, and back.

pub(crate) mod cart;
pub(crate) mod orders;
pub(crate) mod payments;
pub(crate) mod products;

use ::events::Currency;
use uuid::Uuid;

use crate::message::{Kind, Message, Service};
use crate::setup::Setup;
use crate::world::World;

/// Why a message was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Later, perhaps.
    Retry,
    /// Never.
    Reject,
}

/// The one currency here.
const EUR: Currency = Currency::EUR;

/// The effect of a message in one transaction, and the events that it causes.
pub(crate) fn apply(
    world: &mut World,
    setup: &Setup,
    service: Service,
    message: Message,
) -> Result<Vec<Kind>, Refusal> {
    if message.kind == Kind::Poison {
        return Err(Refusal::Reject);
    }
    match service {
        Service::Cart => Ok(cart::hear(world, message)),
        Service::Orders => orders::hear(world, setup, message),
        Service::Products => products::hear(world, setup, message),
        Service::Payments => Ok(payments::hear(world, setup, message)),
    }
}

/// The id of the so-manieth thing; kinds of things have types of their own.
fn id(number: u8) -> Uuid {
    Uuid::from_u128(u128::from(number) + 1)
}
