//! Ids as newtypes: an order id cannot be passed where a product id is wanted.

use std::fmt;
use std::str::FromStr;

use postgres_types::{FromSql, ToSql};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $version:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSql, FromSql, ToSchema,
        )]
        #[serde(transparent)]
        #[postgres(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id.
            #[expect(clippy::new_without_default, reason = "two calls give two ids; a default should not")]
            pub fn new() -> Self {
                Self(Uuid::$version())
            }

            /// The id as a bare UUID.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(/// One immutable event; time-ordered, so that age can be read from it.
    EventId, now_v7);
id!(/// One saga from checkout to its last event, or one request outside a saga.
    CorrelationId, now_v7);
id!(/// A registered user.
    UserId, now_v7);
id!(/// A product of the catalogue.
    ProductId, now_v7);
id!(/// A category of the catalogue.
    CategoryId, now_v7);
id!(/// A cart. Random, because whoever holds the id of an ownerless cart may use it.
    CartId, new_v4);
id!(/// A line of a cart.
    CartItemId, now_v7);
id!(/// An order; fixed by the cart when it checks out.
    OrderId, now_v7);
id!(/// A hold on stock for all lines of one order.
    ReservationId, now_v7);
id!(/// A payment; one per order.
    PaymentId, now_v7);
id!(/// A refund of a payment.
    RefundId, now_v7);
