//! Ids as newtypes: an order id cannot be passed where a product id is wanted.

use std::fmt;
use std::str::FromStr;

use postgres_types::{FromSql, ToSql};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $version:ident, $example:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSql, FromSql, ToSchema,
        )]
        #[serde(transparent)]
        #[postgres(transparent)]
        #[schema(value_type = Uuid, examples($example))]
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
    EventId, now_v7, "01994b5e-9d07-7c21-b5d0-2f6a4e8c9b13");
id!(/// One saga from checkout to its last event, or one request outside a saga.
    CorrelationId, now_v7, "01994b5e-9a41-7be2-8f0c-64d1a7c3e590");
id!(/// A registered user.
    UserId, now_v7, "01994a02-3e58-7d14-9c6b-0b7f52e1a8d3");
id!(/// A product of the catalogue.
    ProductId, now_v7, "01994a00-17f2-73c9-a1e4-d85b2c90f76e");
id!(/// A category of the catalogue.
    CategoryId, now_v7, "01994a00-0a6d-7f30-b2c8-3e91d4075ba6");
id!(/// A cart. Random, because whoever holds the id of an ownerless cart may use it.
    CartId, new_v4, "6f1c2a94-5d3e-4b87-9a0f-c81e7d26b354");
id!(/// A line of a cart.
    CartItemId, now_v7, "01994b5c-72e9-7058-8d4a-9f06b3c1e7d2");
id!(/// An order; fixed by the cart when it checks out.
    OrderId, now_v7, "01994b5e-9a3f-7a6c-93b7-1d5e8f4c2a09");
id!(/// A hold on stock for all lines of one order.
    ReservationId, now_v7, "01994b5e-9b88-74d5-bc12-a70e3f9d6c48");
id!(/// A payment; one per order.
    PaymentId, now_v7, "01994b5e-9c5a-7e93-84fd-52b6c0e9d71f");
id!(/// A refund of a payment.
    RefundId, now_v7, "01994b71-28d4-7b6f-a5c3-e94d0718f2ba");
