//! The list of products: one statement per combination of filters and order, so that each is planned with
//! the index that fits it.

use std::sync::LazyLock;

use database::{Connection, ToSql};
use events::{CategoryId, Currency, Money, ProductId};
use rust_decimal::Decimal;
use service::Error;

use super::{product, product_columns};
use crate::model::list::{Listed, Order, Place, Search, Words};

type Value = Box<dyn ToSql + Sync + Send>;

/// The rows of a search, one more than the page holds.
pub async fn list(db: &Connection, search: &Search) -> Result<Vec<Listed>, Error> {
    let Built { sql, values } = build(search);
    let params: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
    let rows = db.query(&sql, &params).await?;
    rows.iter().map(|row| Ok(Listed { product: product(row)?, score: row.get("score") })).collect()
}

/// A statement and its parameters, in step.
struct Built {
    sql: String,
    values: Vec<Value>,
}

impl Built {
    /// Appends SQL in which `?` stands for the value.
    fn push(&mut self, sql: &str, value: impl ToSql + Sync + Send + 'static) {
        self.values.push(Box::new(value));
        self.sql.push_str(&sql.replace('?', &format!("${}", self.values.len())));
    }
}

fn build(search: &Search) -> Built {
    let mut built = Built { sql: "SELECT * FROM (SELECT ".to_owned(), values: Vec::new() };
    built.sql.push_str(product_columns!());
    match &search.words {
        Some(words) if search.order == Order::Relevance => {
            built.push(", -(ts_rank(p.search, websearch_to_tsquery('english', ?))", words.text.clone());
            built.push(" + CASE WHEN p.name ILIKE ? THEN 1::real ELSE 0::real END) AS score", words.within.clone());
        }
        Some(_) | None => built.sql.push_str(", 0::real AS score"),
    }
    built.sql.push_str(" FROM products p WHERE p.deleted_at IS NULL");
    filter(&mut built, search);
    built.sql.push_str(") p WHERE true");
    go_on(&mut built, search.after.as_ref());
    built.sql.push_str(match search.order {
        Order::Newest => " ORDER BY p.id DESC",
        Order::Name => " ORDER BY p.name, p.id",
        Order::PriceAsc => " ORDER BY p.price, p.id",
        Order::PriceDesc => " ORDER BY p.price DESC, p.id DESC",
        Order::Relevance => " ORDER BY p.score, p.id",
    });
    built.push(" LIMIT ?", search.rows);
    built
}

fn filter(built: &mut Built, search: &Search) {
    if let Some(category) = search.category {
        built.push(" AND p.category_id = ?", category);
    }
    if let Some(Words { text, within, prefix }) = &search.words {
        built.push(" AND (p.search @@ websearch_to_tsquery('english', ?)", text.clone());
        built.push(" OR p.name ILIKE ?", within.clone());
        built.push(" OR p.sku ILIKE ?)", prefix.clone());
    }
    if let Some(currency) = search.min_price.or(search.max_price).map(Money::currency) {
        built.push(" AND p.currency = ?", currency.code());
    }
    if let Some(min) = search.min_price {
        built.push(" AND p.price >= ?", min.decimal());
    }
    if let Some(max) = search.max_price {
        built.push(" AND p.price <= ?", max.decimal());
    }
    built.sql.push_str(match search.in_stock {
        Some(true) => " AND p.stock_quantity > 0",
        Some(false) => " AND p.stock_quantity = 0",
        None => "",
    });
}

fn go_on(built: &mut Built, after: Option<&Place>) {
    let decimal = |price: &Money| -> Decimal { price.decimal() };
    match after {
        None => {}
        Some(Place::Newest(id)) => built.push(" AND p.id < ?", *id),
        Some(Place::Name(name, id)) => {
            built.push(" AND (p.name, p.id) > (?", name.clone());
            built.push(", ?)", *id);
        }
        Some(Place::PriceAsc(price, id)) => {
            built.push(" AND (p.price, p.id) > (?", decimal(price));
            built.push(", ?)", *id);
        }
        Some(Place::PriceDesc(price, id)) => {
            built.push(" AND (p.price, p.id) < (?", decimal(price));
            built.push(", ?)", *id);
        }
        Some(Place::Relevance(score, id)) => {
            built.push(" AND (p.score, p.id) > (?", *score);
            built.push(", ?)", *id);
        }
    }
}

/// Each filter alone and all together, in every order, on a first and on a later page.
pub fn examples() -> &'static [String] {
    static EXAMPLES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let id = ProductId::new();
        let money = Money::zero(Currency::EUR);
        let words = Words { text: String::new(), within: String::new(), prefix: String::new() };
        let orders = [
            (Order::Newest, Place::Newest(id)),
            (Order::Name, Place::Name(String::new(), id)),
            (Order::PriceAsc, Place::PriceAsc(money, id)),
            (Order::PriceDesc, Place::PriceDesc(money, id)),
            (Order::Relevance, Place::Relevance(0.0, id)),
        ];
        let mut sql = Vec::new();
        for (order, place) in orders {
            for after in [None, Some(place)] {
                for filters in 0..7 {
                    let given = |filter: u8| filters == filter || filters == 6;
                    let search = Search {
                        category: given(1).then(CategoryId::new),
                        words: (given(2) || order == Order::Relevance).then(|| words.clone()),
                        min_price: given(3).then_some(money),
                        max_price: given(4).then_some(money),
                        in_stock: given(5).then_some(true),
                        order,
                        after: after.clone(),
                        rows: 1,
                    };
                    sql.push(build(&search).sql);
                }
            }
        }
        sql
    });
    &EXAMPLES
}
