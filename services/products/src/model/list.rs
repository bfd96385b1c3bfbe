//! What a list of products is asked for, checked: filters, order, and where to go on.

use events::{CategoryId, Currency, Money, ProductId};
use products_client::{Product, ProductFilter, ProductSort};
use serde::{Deserialize, Serialize};
use service::{Error, Page, PageQuery};

use super::words::{Matching, Words};

/// Categories that a list may be of at most.
const MAX_CATEGORIES: usize = 100;

/// A checked search.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Only of any of these categories.
    pub categories: Option<Vec<CategoryId>>,
    /// Only with these words.
    pub words: Option<Words>,
    /// How closely products match the words. Decided on the first page, kept by the cursors.
    pub matching: Matching,
    /// Only at this price or above.
    pub min_price: Option<Money>,
    /// Only at this price or below.
    pub max_price: Option<Money>,
    /// The currency of both, and of the prices that facets tell.
    pub currency: Currency,
    /// Only what can be sold now, or only what cannot.
    pub in_stock: Option<bool>,
    /// The order.
    pub order: Order,
    /// The last product before the page.
    pub after: Option<Place>,
    /// How many rows to fetch.
    pub rows: i64,
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

/// What a cursor holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// Behind this place the list goes on.
    #[serde(flatten)]
    place: Place,
    /// As the first page was made.
    #[serde(default, skip_serializing_if = "Matching::is_exact")]
    matching: Matching,
}

/// A product's place in a list.
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
        let after: Option<Cursor> = page.after()?;
        let search = Search {
            categories: categories(filter)?,
            words,
            matching: after.as_ref().map(|cursor| cursor.matching).unwrap_or_default(),
            min_price: price("min_price", filter.min_price.as_deref(), currency)?,
            max_price: price("max_price", filter.max_price.as_deref(), currency)?,
            currency,
            in_stock: filter.in_stock,
            order,
            after: after.map(|cursor| cursor.place),
            rows: page.rows()?,
        };
        match &search.after {
            Some(place) if place.order() != order => {
                Err(Error::bad_request("invalid_cursor", "the cursor is of a list in another order"))
            }
            Some(_) | None => Ok(search),
        }
    }

    /// Words of a list that begins, and could be misspelt.
    pub fn doubtful_words(&self) -> Option<&Words> {
        self.words.as_ref().filter(|words| self.after.is_none() && words.can_be_similar())
    }

    /// The same for what is told of all pages, whatever their order.
    pub fn of_facets(filter: &ProductFilter) -> Result<Search, Error> {
        Search::parse(filter, &PageQuery::default())
    }

    /// Makes the page of the rows found.
    pub fn page(&self, query: &PageQuery, rows: Vec<Listed>) -> Result<Page<Product>, Error> {
        Ok(Page::new(query, rows, |row| Cursor { place: self.order.place(row), matching: self.matching })?
            .map(|row| row.product))
    }
}

/// A category and several: what is in both.
fn categories(filter: &ProductFilter) -> Result<Option<Vec<CategoryId>>, Error> {
    let any = filter.categories.clone();
    if any.as_ref().is_some_and(|any| any.len() > MAX_CATEGORIES) {
        return Err(Error::invalid("categories", "too_many", format!("at most {MAX_CATEGORIES} categories")));
    }
    Ok(match (filter.category, any) {
        (Some(one), Some(any)) => Some(any.into_iter().filter(|category| *category == one).collect()),
        (Some(one), None) => Some(vec![one]),
        (None, any) => any,
    })
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

/// Chooses `count` of the neighbours: what can be sold first, else the nearest.
pub fn related(mut neighbours: Vec<Product>, count: u16) -> Vec<Product> {
    neighbours.sort_by_key(|product| !product.in_stock);
    neighbours.truncate(count.into());
    neighbours
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
    fn nonsense_is_refused() {
        let wrong = [
            ProductFilter { min_price: Some("cheap".into()), ..Default::default() },
            ProductFilter { max_price: Some("1.999".into()), ..Default::default() },
            ProductFilter { q: Some("x".repeat(201)), ..Default::default() },
            ProductFilter { categories: Some(vec![CategoryId::new(); 101]), ..Default::default() },
        ];
        for filter in wrong {
            assert_eq!(search(filter.clone()).unwrap_err().code, "validation_failed", "{filter:?}");
        }
    }

    #[test]
    fn a_cursor_of_another_order_is_refused() {
        let place = Place::Newest(ProductId::new());
        let cursor = service::pagination::encode(&Cursor { place, matching: Matching::Exact }).unwrap();
        let page = PageQuery { cursor: Some(cursor), ..PageQuery::default() };
        assert!(Search::parse(&ProductFilter::default(), &page).is_ok());
        let by_name = ProductFilter { sort: Some(ProductSort::Name), ..Default::default() };
        assert_eq!(Search::parse(&by_name, &page).unwrap_err().code, "invalid_cursor");
    }

    #[test]
    fn a_rank_survives_its_cursor() {
        for rank in [0.1_f32, -1.060_792_7, f32::MIN_POSITIVE] {
            let place = Place::Relevance(rank, ProductId::new());
            for matching in [Matching::Exact, Matching::Similar] {
                let cursor = Cursor { place: place.clone(), matching };
                let text = service::pagination::encode(&cursor).unwrap();
                assert_eq!(service::pagination::decode::<Cursor>(&text).unwrap(), cursor);
            }
        }
    }

    #[test]
    fn a_cursor_by_name_is_one_of_a_category_too() {
        let place = Place::Name("Tea".into(), ProductId::new());
        let text = service::pagination::encode(&place).unwrap();
        let cursor = service::pagination::decode::<Cursor>(&text).unwrap();
        assert_eq!(cursor, Cursor { place: place.clone(), matching: Matching::Exact });
        let text = service::pagination::encode(&cursor).unwrap();
        assert_eq!(service::pagination::decode::<Place>(&text).unwrap(), place);
    }

    #[test]
    fn a_category_of_several_is_what_both_say() {
        let (one, two) = (CategoryId::new(), CategoryId::new());
        let of = |category, categories| {
            search(ProductFilter { category, categories, ..Default::default() }).unwrap().categories
        };
        assert_eq!(of(None, None), None);
        assert_eq!(of(Some(one), None), Some(vec![one]));
        assert_eq!(of(None, Some(vec![one, two])), Some(vec![one, two]));
        assert_eq!(of(Some(one), Some(vec![one, two])), Some(vec![one]));
        assert_eq!(of(Some(one), Some(vec![two])), Some(vec![]));
    }
}
