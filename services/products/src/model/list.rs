//! What a list of products is asked for, checked: filters, order, and where to go on.

use events::{CategoryId, Currency, Money, ProductId};
use products_client::{Product, ProductFilter, ProductSort};
use serde::{Deserialize, Serialize};
use service::{Error, Page, PageQuery};

/// Longer searches are refused.
const MAX_SEARCH_CHARS: usize = 200;

/// A checked search.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Only of this category.
    pub category: Option<CategoryId>,
    /// Only with these words.
    pub words: Option<Words>,
    /// Only at this price or above.
    pub min_price: Option<Money>,
    /// Only at this price or below.
    pub max_price: Option<Money>,
    /// Only what can be sold now, or only what cannot.
    pub in_stock: Option<bool>,
    /// The order.
    pub order: Order,
    /// The last product before the page.
    pub after: Option<Place>,
    /// How many rows to fetch.
    pub rows: i64,
}

/// Words to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// As typed.
    pub text: String,
    /// For `ILIKE`: anywhere in a name.
    pub within: String,
    /// For `ILIKE`: at the start of a SKU.
    pub prefix: String,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Last come first.
    Newest,
    /// By name.
    Name,
    /// Cheapest first.
    PriceAsc,
    /// Dearest first.
    PriceDesc,
    /// Best match first.
    Relevance,
}

/// A product's place in a list; what a cursor holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In [`Order::Newest`].
    Newest(ProductId),
    /// In [`Order::Name`].
    Name(String, ProductId),
    /// In [`Order::PriceAsc`].
    PriceAsc(Money, ProductId),
    /// In [`Order::PriceDesc`].
    PriceDesc(Money, ProductId),
    /// In [`Order::Relevance`]: minus the rank.
    Relevance(f32, ProductId),
}

/// A product and how well it matches.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The product.
    pub product: Product,
    /// Minus the rank; 0 where nothing ranks.
    pub score: f32,
}

impl Words {
    fn parse(text: &str) -> Result<Option<Words>, Error> {
        let text = text.trim();
        if text.chars().count() > MAX_SEARCH_CHARS {
            return Err(Error::invalid("q", "too_long", format!("at most {MAX_SEARCH_CHARS} characters")));
        }
        let literal = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
        let words = Words { text: text.to_owned(), within: format!("%{literal}%"), prefix: format!("{literal}%") };
        Ok((!text.is_empty()).then_some(words))
    }
}

impl Search {
    /// Checks a filter and a page.
    pub fn parse(filter: &ProductFilter, page: &PageQuery) -> Result<Search, Error> {
        let words = filter.q.as_deref().map(Words::parse).transpose()?.flatten();
        let currency = filter.currency.unwrap_or(Currency::EUR);
        let order = match (filter.sort, &words) {
            (Some(ProductSort::Name), _) => Order::Name,
            (Some(ProductSort::PriceAsc), _) => Order::PriceAsc,
            (Some(ProductSort::PriceDesc), _) => Order::PriceDesc,
            (Some(ProductSort::Relevance) | None, Some(_)) => Order::Relevance,
            (Some(ProductSort::Newest), _) | (Some(ProductSort::Relevance) | None, None) => Order::Newest,
        };
        let search = Search {
            category: filter.category,
            words,
            min_price: price("min_price", filter.min_price.as_deref(), currency)?,
            max_price: price("max_price", filter.max_price.as_deref(), currency)?,
            in_stock: filter.in_stock,
            order,
            after: page.after()?,
            rows: page.rows()?,
        };
        match &search.after {
            Some(place) if place.order() != order => {
                Err(Error::bad_request("invalid_cursor", "the cursor is of a list in another order"))
            }
            Some(_) | None => Ok(search),
        }
    }

    /// Makes the page of the rows found.
    pub fn page(&self, query: &PageQuery, rows: Vec<Listed>) -> Result<Page<Product>, Error> {
        Ok(Page::new(query, rows, |row| self.order.place(row))?.map(|row| row.product))
    }
}

fn price(field: &'static str, text: Option<&str>, currency: Currency) -> Result<Option<Money>, Error> {
    let parse =
        |text: &str| Money::parse(text, currency).map_err(|error| Error::invalid(field, "invalid", error.to_string()));
    text.map(parse).transpose()
}

impl Order {
    fn place(self, row: &Listed) -> Place {
        let Listed { product, score } = row;
        match self {
            Order::Newest => Place::Newest(product.id),
            Order::Name => Place::Name(product.name.clone(), product.id),
            Order::PriceAsc => Place::PriceAsc(product.price, product.id),
            Order::PriceDesc => Place::PriceDesc(product.price, product.id),
            Order::Relevance => Place::Relevance(*score, product.id),
        }
    }
}

impl Place {
    fn order(&self) -> Order {
        match self {
            Place::Newest(_) => Order::Newest,
            Place::Name(..) => Order::Name,
            Place::PriceAsc(..) => Order::PriceAsc,
            Place::PriceDesc(..) => Order::PriceDesc,
            Place::Relevance(..) => Order::Relevance,
        }
    }

    /// The cursor of a page by name, as each category's first page has it.
    pub fn by_name(product: &Product) -> Place {
        Place::Name(product.name.clone(), product.id)
    }
}

/// The file name of a picture; nothing else is looked up.
pub struct PictureFile<'a>(pub &'a str);

impl<'a> PictureFile<'a> {
    /// 404 for what cannot be one.
    pub fn parse(file: &'a str) -> Result<PictureFile<'a>, Error> {
        let is_plain = file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if is_plain && (1..=200).contains(&file.len()) { Ok(PictureFile(file)) } else { Err(no_picture()) }
    }
}

/// 404.
pub fn no_picture() -> Error {
    Error::not_found("picture_not_found", "there is no such picture")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(filter: ProductFilter) -> Result<Search, Error> {
        Search::parse(&filter, &PageQuery::default())
    }

    #[test]
    fn words_bring_the_order_of_relevance() {
        let q = Some(" tea ".to_owned());
        let found = search(ProductFilter { q: q.clone(), ..Default::default() }).unwrap();
        assert_eq!((found.order, found.words.unwrap().text.as_str()), (Order::Relevance, "tea"));
        let by_name = ProductFilter { q, sort: Some(ProductSort::Name), ..Default::default() };
        assert_eq!(search(by_name).unwrap().order, Order::Name);
        for (q, sort) in [(Some("  ".to_owned()), None), (None, Some(ProductSort::Relevance)), (None, None)] {
            assert_eq!(search(ProductFilter { q, sort, ..Default::default() }).unwrap().order, Order::Newest);
        }
    }

    #[test]
    fn patterns_are_literal() {
        let words = Words::parse(r"100%_\").unwrap().unwrap();
        assert_eq!((words.within.as_str(), words.prefix.as_str()), (r"%100\%\_\\%", r"100\%\_\\%"));
    }

    #[test]
    fn nonsense_is_refused() {
        let wrong = [
            ProductFilter { min_price: Some("cheap".into()), ..Default::default() },
            ProductFilter { max_price: Some("1.999".into()), ..Default::default() },
            ProductFilter { q: Some("x".repeat(201)), ..Default::default() },
        ];
        for filter in wrong {
            assert_eq!(search(filter.clone()).unwrap_err().code, "validation_failed", "{filter:?}");
        }
    }

    #[test]
    fn a_cursor_of_another_order_is_refused() {
        let cursor = service::pagination::encode(&Place::Newest(ProductId::new())).unwrap();
        let page = PageQuery { cursor: Some(cursor), ..PageQuery::default() };
        assert!(Search::parse(&ProductFilter::default(), &page).is_ok());
        let by_name = ProductFilter { sort: Some(ProductSort::Name), ..Default::default() };
        assert_eq!(Search::parse(&by_name, &page).unwrap_err().code, "invalid_cursor");
    }

    #[test]
    fn a_rank_survives_its_cursor() {
        for rank in [0.1_f32, -1.060_792_7, f32::MIN_POSITIVE] {
            let place = Place::Relevance(rank, ProductId::new());
            let cursor = service::pagination::encode(&place).unwrap();
            assert_eq!(service::pagination::decode::<Place>(&cursor).unwrap(), place);
        }
    }
}
