//! The list of products and what is told of it: one statement per combination of filters and order, so that each
//! is planned with the index that fits it.

use std::sync::LazyLock;

use database::Connection;
use events::{CategoryId, Currency, Money, ProductId};
use service::Error;

use super::statement::Statement;
use super::{product, product_columns};
use crate::model::list::{Listed, Order, Place, Search};
use crate::model::words::{Matching, Syntax, Words};

/// Ends `FROM (SELECT id, max(similarity) AS similarity FROM (…`.
const ALIKE: &str = ") found GROUP BY id) alike JOIN products p ON p.id = alike.id WHERE p.deleted_at IS NULL";
/// Matches that suggestions are chosen from.
const CONSIDERED: i64 = 500;

/// The rows of a search, one more than the page holds.
pub async fn list(db: &Connection, search: &Search) -> Result<Vec<Listed>, Error> {
    let rows = list_statement(search).query(db).await?;
    rows.iter().map(|row| Ok(Listed { product: product(row)?, score: row.get("score") })).collect()
}

fn list_statement(search: &Search) -> Statement {
    let mut sql = Statement::default();
    sql.add(concat!("SELECT * FROM (SELECT ", product_columns!(), ", "));
    match &search.words {
        Some(words) if search.order == Order::Relevance => score(&mut sql, words, search.matching),
        Some(_) | None => sql.add("0::real"),
    }
    sql.add(" AS score");
    matches(&mut sql, search);
    sql.add(") p WHERE true");
    go_on(&mut sql, search.after.as_ref());
    sql.add(match search.order {
        Order::Newest => " ORDER BY p.id DESC",
        Order::Name => " ORDER BY p.name, p.id",
        Order::PriceAsc => " ORDER BY p.price, p.id",
        Order::PriceDesc => " ORDER BY p.price DESC, p.id DESC",
        Order::Relevance => " ORDER BY p.score, p.id",
    });
    sql.bind(" LIMIT ?", search.rows);
    sql
}

/// `FROM … WHERE …`: the living products that pass the search, as `p`; where spelling is forgiven, how similar they
/// are as `alike.similarity`.
pub(super) fn matches(sql: &mut Statement, search: &Search) {
    match (&search.words, search.matching) {
        (Some(words), Matching::Similar) => {
            sql.add(" FROM (SELECT id, max(similarity) AS similarity FROM (");
            sql.add("SELECT p.id, 0::real AS similarity FROM products p WHERE p.deleted_at IS NULL");
            has_words(sql, words);
            sql.bind(" UNION ALL SELECT id, similarity FROM similar_products(?)", words.compared.clone());
            sql.add(ALIKE);
        }
        (Some(words), Matching::Exact) => {
            sql.add(" FROM products p WHERE p.deleted_at IS NULL");
            has_words(sql, words);
        }
        (None, _) => sql.add(" FROM products p WHERE p.deleted_at IS NULL"),
    }
    filter(sql, search);
}

fn has_words(sql: &mut Statement, words: &Words) {
    sql.add(" AND (p.search @@ ");
    query(sql, words);
    if let Some(within) = &words.within {
        sql.bind(" OR p.name ILIKE ?", within.clone());
    }
    sql.bind(" OR p.sku ILIKE ?)", words.prefix.clone());
}

/// A `tsquery`; of words that are still being typed the last may go on. What has been typed of it may look like a word
/// that does not count (the `t` of `tea`), so it is also read as it stands.
fn query(sql: &mut Statement, words: &Words) {
    match words.syntax {
        Syntax::Words => {
            sql.bind("(plainto_tsquery('english', ?)", words.typed.clone());
            sql.bind(
                " && coalesce(
                    (nullif(plainto_tsquery('english', ?)::text, '') || ':*')::tsquery
                        || (nullif(plainto_tsquery('simple', ?)::text, '') || ':*')::tsquery,
                    (nullif(plainto_tsquery('simple', ?)::text, '') || ':*')::tsquery",
                words.typing.clone(),
            );
            sql.bind(", plainto_tsquery('english', ?)))", words.typed.clone());
        }
        Syntax::Operators => sql.bind("websearch_to_tsquery('english', ?)", words.text.clone()),
    }
}

/// Minus how well `p` matches. It depends on nothing but the product, so a cursor's place stays where it was.
fn score(sql: &mut Statement, words: &Words, matching: Matching) {
    sql.add("-(ts_rank(p.search, ");
    query(sql, words);
    sql.bind(") + ts_rank(p.search, websearch_to_tsquery('english', ?))", words.text.clone());
    if let Some(within) = &words.within {
        sql.bind(" + CASE WHEN p.name ILIKE ? THEN 1::real ELSE 0::real END", within.clone());
    }
    sql.bind(" + CASE WHEN p.name ILIKE ? THEN 0.5::real ELSE 0::real END", words.prefix.clone());
    sql.add(match matching {
        Matching::Exact => ")",
        Matching::Similar => " + alike.similarity)",
    });
}

fn filter(sql: &mut Statement, search: &Search) {
    match search.categories.as_deref() {
        None => {}
        Some([category]) => sql.bind(" AND p.category_id = ?", *category),
        Some(categories) => sql.bind(" AND p.category_id = ANY(?)", categories.to_vec()),
    }
    if search.min_price.or(search.max_price).is_some() {
        sql.bind(" AND p.currency = ?", search.currency.code());
    }
    if let Some(min) = search.min_price {
        sql.bind(" AND p.price >= ?", min.decimal());
    }
    if let Some(max) = search.max_price {
        sql.bind(" AND p.price <= ?", max.decimal());
    }
    sql.add(match search.in_stock {
        Some(true) => " AND p.stock_quantity > 0",
        Some(false) => " AND p.stock_quantity = 0",
        None => "",
    });
}

fn go_on(sql: &mut Statement, after: Option<&Place>) {
    match after {
        None => {}
        Some(Place::Newest(id)) => sql.bind(" AND p.id < ?", *id),
        Some(Place::Name(name, id)) => {
            sql.bind(" AND (p.name, p.id) > (?", name.clone());
            sql.bind(", ?)", *id);
        }
        Some(Place::PriceAsc(price, id)) => {
            sql.bind(" AND (p.price, p.id) > (?", price.decimal());
            sql.bind(", ?)", *id);
        }
        Some(Place::PriceDesc(price, id)) => {
            sql.bind(" AND (p.price, p.id) < (?", price.decimal());
            sql.bind(", ?)", *id);
        }
        Some(Place::Relevance(score, id)) => {
            sql.bind(" AND (p.score, p.id) > (?", *score);
            sql.bind(", ?)", *id);
        }
    }
}

/// How many products have the words, whatever else is asked for; [`Words::LITTLE`] at most.
pub async fn count_exact(db: &Connection, words: &Words) -> Result<i64, Error> {
    let rows = count_statement(words).query(db).await?;
    Ok(rows.first().map_or(0, |row| row.get("found")))
}

fn count_statement(words: &Words) -> Statement {
    let mut sql = Statement::default();
    with_matching(&mut sql, words);
    sql.bind("SELECT count(*) AS found FROM (SELECT FROM matching LIMIT ?) few", Words::LITTLE);
    sql
}

/// `WITH matching AS …`: what has the words. Read only as far as it is asked for, but planned as if to its end: for a
/// few rows the planner would rather read the table until it has met them, which may take all of it.
fn with_matching(sql: &mut Statement, words: &Words) {
    sql.add(
        "WITH matching AS MATERIALIZED (SELECT p.id, 0::real AS similarity FROM products p WHERE p.deleted_at IS NULL",
    );
    has_words(sql, words);
    sql.add(") ");
}

/// The best of the first [`CONSIDERED`] that match: cheap however much does.
pub async fn suggest(db: &Connection, words: &Words, matching: Matching, rows: i64) -> Result<Vec<Listed>, Error> {
    let rows = suggest_statement(words, matching, rows).query(db).await?;
    rows.iter().map(|row| Ok(Listed { product: product(row)?, score: row.get("score") })).collect()
}

fn suggest_statement(words: &Words, matching: Matching, rows: i64) -> Statement {
    let mut sql = Statement::default();
    with_matching(&mut sql, words);
    sql.add(concat!("SELECT ", product_columns!(), ", "));
    score(&mut sql, words, matching);
    sql.bind(
        " AS score FROM (SELECT id, max(similarity) AS similarity FROM ((SELECT * FROM matching LIMIT ?)",
        CONSIDERED,
    );
    if matching == Matching::Similar {
        sql.bind(" UNION ALL SELECT id, similarity FROM similar_products(?)", words.compared.clone());
    }
    sql.add(ALIKE);
    sql.bind(" ORDER BY score, p.id LIMIT ?", rows);
    sql
}

/// Each filter alone and all together, in every order, with each way to read and match words, on a first and on a
/// later page; then suggestions.
pub fn examples() -> &'static [String] {
    static EXAMPLES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut sql = Vec::new();
        for (order, place) in places() {
            for after in [None, Some(place)] {
                for search in searches(order) {
                    sql.push(list_statement(&Search { after: after.clone(), ..search }).into_sql());
                }
            }
        }
        for (words, matching) in readings() {
            sql.push(count_statement(&words).into_sql());
            sql.push(suggest_statement(&words, matching, 1).into_sql());
        }
        sql
    });
    &EXAMPLES
}

fn places() -> [(Order, Place); 5] {
    let (id, money) = (ProductId::new(), Money::zero(Currency::EUR));
    [
        (Order::Newest, Place::Newest(id)),
        (Order::Name, Place::Name(String::new(), id)),
        (Order::PriceAsc, Place::PriceAsc(money, id)),
        (Order::PriceDesc, Place::PriceDesc(money, id)),
        (Order::Relevance, Place::Relevance(0.0, id)),
    ]
}

fn readings() -> Vec<(Words, Matching)> {
    let part = Words {
        text: String::new(),
        typed: String::new(),
        typing: String::new(),
        syntax: Syntax::Words,
        within: Some(String::new()),
        prefix: String::new(),
        compared: Vec::new(),
    };
    let operators = Words { syntax: Syntax::Operators, within: None, ..part.clone() };
    vec![(part.clone(), Matching::Exact), (part, Matching::Similar), (operators, Matching::Exact)]
}

/// With each filter alone, and all together.
pub(super) fn searches(order: Order) -> Vec<Search> {
    let money = Money::zero(Currency::EUR);
    let mut searches = Vec::new();
    for (words, matching) in readings() {
        for filters in 0..7 {
            let given = |filter: u8| filters == filter || filters == 6;
            searches.push(Search {
                categories: given(1).then(|| vec![CategoryId::new(); usize::from(filters)]),
                words: (given(2) || order == Order::Relevance).then(|| words.clone()),
                matching,
                min_price: given(3).then_some(money),
                max_price: given(4).then_some(money),
                currency: Currency::EUR,
                in_stock: given(5).then_some(true),
                order,
                after: None,
                rows: 1,
            });
        }
    }
    searches
}
