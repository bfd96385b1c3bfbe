//! Searching the catalogue: what a list is asked for, and what is told of its items as a whole.

use events::{CategoryId, Currency, Money, ProductId};
use serde::{Deserialize, Serialize};
use service::Error;
use utoipa::{IntoParams, ToSchema};

use crate::{Product, ids};

/// Which products a list shows, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProductFilter {
    /// Only of this category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryId>,
    /// Only of these categories, any of them: ids, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "ids::optional")]
    #[param(value_type = Option<String>)]
    pub categories: Option<Vec<CategoryId>>,
    /// Only with these words in name, SKU or description, the last of them perhaps not typed out; understands
    /// "quoted phrases", `or` and `-without`. Where next to nothing has them, words that look like them count, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only at this price or above, e.g. `9.50`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_price: Option<String>,
    /// Only at this price or below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_price: Option<String>,
    /// Currency of both prices; EUR unless told. With a price, only products of that currency are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub currency: Option<Currency>,
    /// `true`: only what can be sold now; `false`: only what is sold out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_stock: Option<bool>,
    /// The order; `relevance` where `q` is given, else `newest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub sort: Option<ProductSort>,
}

/// The order of a list of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductSort {
    /// What came last into the catalogue first.
    Newest,
    /// By name.
    Name,
    /// Cheapest first.
    PriceAsc,
    /// Dearest first.
    PriceDesc,
    /// Best match of `q` first; without `q` the same as `newest`.
    Relevance,
}

/// What somebody has typed into the search so far.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SuggestionQuery {
    /// The text, the last word perhaps not typed out.
    pub q: String,
    /// Suggestions at most, 1 to 20; 8 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 20)]
    pub limit: Option<i64>,
}

/// What is told of all products that pass a filter: how many they are, and what another choice would show.
///
/// Each facet counts with all filters but its own, so it says what choosing another value of it would give. Counts
/// end at 10,000: beyond, the newest 10,000 matches are counted. Prices are exact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProductFacets {
    /// Products that pass the filter; 10,000 at most.
    pub total_count: i32,
    /// `false` if there are more than `total_count`.
    pub total_count_is_exact: bool,
    /// Categories that have products, most first.
    pub categories: Vec<CategoryCount>,
    /// What can be sold now.
    pub in_stock: i32,
    /// What is sold out.
    pub sold_out: i32,
    /// The cheapest, in the currency of the filter; `null` if there is none.
    pub min_price: Option<Money>,
    /// The dearest.
    pub max_price: Option<Money>,
}

impl SuggestionQuery {
    /// Suggestions at most; 422 unless 1 to 20.
    pub fn limit(&self) -> Result<u16, Error> {
        limit(self.limit, 8, 20)
    }
}

impl RelatedQuery {
    /// Products for each at most; 422 unless 1 to 24.
    pub fn limit(&self) -> Result<u16, Error> {
        limit(self.limit, 4, 24)
    }
}

fn limit(asked: Option<i64>, default: u16, most: u16) -> Result<u16, Error> {
    let limit = u16::try_from(asked.unwrap_or(default.into())).ok().filter(|limit| (1..=most).contains(limit));
    limit.ok_or_else(|| Error::invalid("limit", "out_of_range", format!("limit must be between 1 and {most}")))
}

impl ProductFacets {
    /// Of no products at all.
    pub fn nothing() -> Self {
        Self {
            total_count: 0,
            total_count_is_exact: true,
            categories: Vec::new(),
            in_stock: 0,
            sold_out: 0,
            min_price: None,
            max_price: None,
        }
    }
}

/// How many products a category has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CategoryCount {
    /// The category.
    pub category_id: CategoryId,
    /// Its products, at least one.
    pub count: i32,
}

/// What is told of one category's products.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CategoryFacets {
    /// The category that was asked for.
    pub category_id: CategoryId,
    /// Of its products.
    pub facets: ProductFacets,
}

/// What else somebody may like who looks at a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RelatedProducts {
    /// The product that was asked for.
    pub product_id: ProductId,
    /// Others of its category, in stock first.
    pub products: Vec<Product>,
}

/// Which products' relatives are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RelatedQuery {
    /// The products, separated by commas on the wire.
    #[serde(with = "ids")]
    pub ids: Vec<ProductId>,
    /// For each so many at most, 1 to 24; 4 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}
