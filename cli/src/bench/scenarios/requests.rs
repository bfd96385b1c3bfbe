//! Single requests, again and again; every answer is checked.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::loops::{self, Customer};
use super::{Outcome, not_begun};
use crate::bench::fixture::{Buyer, Market};
use crate::bench::line::{Failure, Line, data, question};
use crate::bench::reference::{self, StaticAnswer};
use crate::bench::shop::Shop;
use crate::error::Result;
use crate::wire;

const PRODUCT: &str = "query P($id: ID!) { product(id: $id) { id name description sku price { amount currencyCode }
    stockQuantity inStock imageUrl category { id name } createdAt updatedAt } }";
const ADD: &str = "mutation A($i: AddToCartInput!) { addToCart(input: $i) {
    cart { id itemCount total { amount currencyCode } items { name quantity unitPrice { amount } } } userErrors { code } } }";
const LOGIN: &str =
    "mutation L($i: LoginUserInput!) { loginUser(input: $i) { user { email } token userErrors { code } } }";

/// A question and, byte for byte, what has to be answered.
struct Known {
    question: Bytes,
    answer: Bytes,
}

/// Asks known questions in turn. Comparing bytes costs the generator next to nothing.
struct Reader {
    line: Line,
    known: Arc<[Known]>,
    next: usize,
}

impl Customer for Reader {
    async fn turn(&mut self) -> Result<(), Failure> {
        self.next = (self.next + 1) % self.known.len();
        let Known { question, answer } = &self.known[self.next];
        let told = self.line.post(question.clone()).await?;
        if told == *answer { Ok(()) } else { Err(format!("wrong: {}", String::from_utf8_lossy(&told))) }
    }
}

async fn readers(gateway: &str, reader: Option<&Buyer>, count: u32, known: &Arc<[Known]>) -> Result<Vec<Reader>> {
    let mut readers = Vec::with_capacity(count as usize);
    for number in 0..count as usize {
        let line = Line::open(gateway, reader.map(|reader| reader.token.as_str())).await.map_err(not_begun)?;
        // Each begins elsewhere.
        let next = number * known.len() / count as usize;
        readers.push(Reader { line, known: Arc::clone(known), next });
    }
    Ok(readers)
}

/// The first page of the catalogue; beside it, in the same run, a static answer of the same shape and size. The gateway
/// keeps the answer for everybody but who is logged in: `reader`, if there is one.
pub async fn catalog(shop: &Shop, reader: Option<&Buyer>, clients: u32, length: Duration) -> Result<Outcome> {
    let question = question(reference::CATALOG, &json!({}));
    let mut line = Line::open(&shop.gateway, None).await.map_err(not_begun)?;
    let answer = line.post(question.clone()).await.map_err(not_begun)?;
    let page = data(&answer).map_err(not_begun)?;
    if page["products"]["edges"].as_array().is_none_or(|edges| edges.len() != reference::PAGE) {
        return Err(not_begun(page.to_string()));
    }
    let known: Arc<[Known]> = Arc::from([Known { question: question.clone(), answer: answer.clone() }]);

    let fixed = StaticAnswer::serve(&page).await.map_err(not_begun)?;
    let told = Line::open(fixed.url(), None).await.map_err(not_begun)?.post(question).await.map_err(not_begun)?;
    if told != answer {
        return Err(not_begun(format!("the static answer differs: {}", String::from_utf8_lossy(&told))));
    }
    let compared = loops::closed(shop, readers(fixed.url(), reader, clients, &known).await?, length / 2).await;
    fixed.stop();

    let outcome = loops::closed(shop, readers(&shop.gateway, reader, clients, &known).await?, length).await;
    Ok(Outcome { reference_rate: Some(compared.measured().rate), ..outcome })
}

/// A product's page.
pub async fn product(shop: &Shop, market: &Market, clients: u32, length: Duration) -> Result<Outcome> {
    let mut line = Line::open(&shop.gateway, None).await.map_err(not_begun)?;
    let mut known = Vec::with_capacity(market.wares.len());
    for ware in &market.wares {
        let question = question(PRODUCT, &json!({"id": ware.id}));
        let answer = line.post(question.clone()).await.map_err(not_begun)?;
        let product = data(&answer).map_err(not_begun)?;
        if product["product"]["id"] != ware.id.as_str() || product["product"]["price"]["amount"] != ware.price.as_str()
        {
            return Err(not_begun(product.to_string()));
        }
        known.push(Known { question, answer });
    }
    Ok(loops::closed(shop, readers(&shop.gateway, None, clients, &known.into()).await?, length).await)
}

/// A product into a new cart.
pub async fn cart(shop: &Shop, market: &Arc<Market>, clients: u32, length: Duration) -> Result<Outcome> {
    let mut collectors = Vec::with_capacity(clients as usize);
    for _ in 0..clients {
        let line = Line::open(&shop.gateway, None).await.map_err(not_begun)?;
        collectors.push(Collector { line, market: Arc::clone(market) });
    }
    let before = carts(shop).await?;
    let mut outcome = loops::closed(shop, collectors, length).await;
    let made = carts(shop).await? - before;
    if made != outcome.turns as i64 && outcome.failures.is_empty() {
        outcome.failures.push(format!("{} carts were told of, {made} are there", outcome.turns));
    }
    Ok(outcome)
}

async fn carts(shop: &Shop) -> Result<i64> {
    let count = "SELECT count(*) AS carts FROM cart.carts";
    Ok(shop.owner().await?.query_one(count, &[]).await.map_err(wire::Error::from)?.get("carts"))
}

struct Collector {
    line: Line,
    market: Arc<Market>,
}

impl Customer for Collector {
    async fn turn(&mut self) -> Result<(), Failure> {
        let ware = self.market.next_ware();
        let told = self.line.ask(ADD, &json!({"i": {"productId": ware.id, "quantity": 1}})).await?;
        let cart = &told["addToCart"]["cart"];
        let price = Value::from(ware.price.as_str());
        let is_right = cart["id"].is_string()
            && cart["itemCount"] == 1
            && cart["total"]["amount"] == price
            && cart["items"][0]["quantity"] == 1
            && cart["items"][0]["unitPrice"]["amount"] == price;
        if is_right { Ok(()) } else { Err(told.to_string()) }
    }
}

/// A login, with its bcrypt.
pub async fn login(shop: &Shop, market: &Arc<Market>, clients: u32, length: Duration) -> Result<Outcome> {
    let mut visitors = Vec::with_capacity(clients as usize);
    for _ in 0..clients {
        let line = Line::open(&shop.gateway, None).await.map_err(not_begun)?;
        visitors.push(Visitor { line, market: Arc::clone(market) });
    }
    Ok(loops::closed(shop, visitors, length).await)
}

struct Visitor {
    line: Line,
    market: Arc<Market>,
}

impl Customer for Visitor {
    async fn turn(&mut self) -> Result<(), Failure> {
        let buyer = self.market.next_buyer();
        let input = json!({"i": {"email": buyer.email, "password": self.market.password}});
        let told = self.line.ask(LOGIN, &input).await?;
        let is_right =
            told["loginUser"]["user"]["email"] == buyer.email.as_str() && told["loginUser"]["token"].is_string();
        if is_right { Ok(()) } else { Err(told.to_string()) }
    }
}
