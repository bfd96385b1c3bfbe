//! The schema, put together from the domains.

use async_graphql::MergedObject;

use crate::cart::{CartMutations, CartQueries};
use crate::demo::{DemoMutations, DemoQueries};
use crate::operations::{OperationMutations, OperationQueries};
use crate::orders::{OrderMutations, OrderQueries};
use crate::products::{ProductMutations, ProductQueries};
use crate::reports::ReportQueries;
use crate::session::SessionMutations;
use crate::subscription::Subscriptions;
use crate::users::{UserMutations, UserQueries};

/// What can be asked.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Query(ProductQueries, CartQueries, OrderQueries, UserQueries, OperationQueries, ReportQueries, DemoQueries);

/// What can be changed. What a shopper can act on comes back as userErrors.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub struct Mutation(
    UserMutations,
    SessionMutations,
    ProductMutations,
    CartMutations,
    OrderMutations,
    OperationMutations,
    DemoMutations,
);

/// The gateway's schema.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscriptions>;

/// Builds the schema; operations of more than `max_complexity` are refused.
pub fn build(max_complexity: usize) -> Schema {
    Schema::build(Query::default(), Mutation::default(), Subscriptions)
        .limit_complexity(max_complexity)
        .disable_suggestions()
        .finish()
}

/// The schema in its definition language, as committed in `schema.graphql`.
pub fn sdl() -> String {
    build(usize::MAX).sdl()
}
