//! What is told of all products that pass a filter: a statement for one search or several.

use std::sync::LazyLock;

use database::{Connection, Row};
use events::{CategoryId, Currency, Money};
use products_client::{CategoryCount, ProductFacets};
use rust_decimal::Decimal;
use service::Error;

use super::list::{matches, searches};
use super::statement::Statement;
use crate::model::list::{Order, Search};

/// Matches that are counted; beyond, the newest of them.
const COUNTED: i32 = 10_000;

/// The facets of each search.
pub async fn facets(db: &Connection, searches: &[Search]) -> Result<Vec<ProductFacets>, Error> {
    if searches.is_empty() {
        return Ok(Vec::new());
    }
    let rows = statement(searches).query(db).await?;
    rows.iter().zip(searches).map(|(row, search)| read(row, search.currency)).collect()
}

fn read(row: &Row, currency: Currency) -> Result<ProductFacets, Error> {
    let total: i32 = row.get("total");
    let categories: Vec<CategoryId> = row.get("categories");
    let counts: Vec<i32> = row.get("counts");
    let count = |(category_id, count)| CategoryCount { category_id, count };
    let price = |name: &str| {
        let amount: Option<Decimal> = row.get(name);
        amount.map(|amount| Money::from_decimal(amount, currency).map_err(Error::internal)).transpose()
    };
    Ok(ProductFacets {
        total_count: total.min(COUNTED),
        total_count_is_exact: total <= COUNTED,
        categories: categories.into_iter().zip(counts).map(count).collect(),
        in_stock: row.get("in_stock"),
        sold_out: row.get("sold_out"),
        min_price: price("min_price")?,
        max_price: price("max_price")?,
    })
}

fn statement(searches: &[Search]) -> Statement {
    let mut sql = Statement::default();
    for (nth, search) in searches.iter().enumerate() {
        sql.add(if nth == 0 { "" } else { " UNION ALL " });
        sql.add(&format!("SELECT {nth} AS nth, * FROM "));
        total(&mut sql, search);
        categories(&mut sql, &Search { categories: None, ..search.clone() });
        stock(&mut sql, &Search { in_stock: None, ..search.clone() });
        prices(&mut sql, &Search { min_price: None, max_price: None, ..search.clone() });
    }
    sql.add(" ORDER BY nth");
    sql
}

/// One more than is counted tells whether there are more.
fn total(sql: &mut Statement, search: &Search) {
    sql.add("(SELECT count(*)::int AS total FROM (SELECT p.id");
    newest(sql, search, COUNTED + 1);
    sql.add(") counted) total");
}

fn categories(sql: &mut Statement, search: &Search) {
    sql.add(
        ", (SELECT coalesce(array_agg(category_id ORDER BY count DESC, category_id), '{}') AS categories,
            coalesce(array_agg(count ORDER BY count DESC, category_id), '{}') AS counts
            FROM (SELECT category_id, count(*)::int FROM (SELECT p.category_id",
    );
    newest(sql, search, COUNTED);
    sql.add(") counted WHERE category_id IS NOT NULL GROUP BY category_id) category) category");
}

fn stock(sql: &mut Statement, search: &Search) {
    sql.add(
        ", (SELECT count(*) FILTER (WHERE stock_quantity > 0)::int AS in_stock,
            count(*) FILTER (WHERE stock_quantity = 0)::int AS sold_out FROM (SELECT p.stock_quantity",
    );
    newest(sql, search, COUNTED);
    sql.add(") counted) stock");
}

/// In the order of an index, so that nothing is bounded away: a range of prices must not hide what is cheaper.
fn prices(sql: &mut Statement, search: &Search) {
    sql.add(", (SELECT (SELECT p.price");
    matches(sql, search);
    sql.bind(" AND p.currency = ? ORDER BY p.price, p.id LIMIT 1) AS min_price", search.currency.code());
    sql.add(", (SELECT p.price");
    matches(sql, search);
    sql.bind(
        " AND p.currency = ? ORDER BY p.price DESC, p.id DESC LIMIT 1) AS max_price) price",
        search.currency.code(),
    );
}

fn newest(sql: &mut Statement, search: &Search, rows: i32) {
    matches(sql, search);
    sql.bind(" ORDER BY p.id DESC LIMIT ?", i64::from(rows));
}

/// Each filter alone and all together, and several searches at once.
pub fn examples() -> &'static [String] {
    static EXAMPLES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let searches = searches(Order::Newest);
        let several = statement(&searches).into_sql();
        searches.into_iter().map(|search| statement(&[search]).into_sql()).chain([several]).collect()
    });
    &EXAMPLES
}
