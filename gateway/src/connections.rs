//! Relay connections over the services' keyset pages.

use async_graphql::{Context, OutputType, SimpleObject};
use service::pagination::{DEFAULT_LIMIT, MAX_LIMIT};
use service::{Error, Page, PageQuery};

use crate::orders::Order;
use crate::products::{Product, StockChange};
use crate::users::User;

/// One page of a list.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(concrete(name = "StockChangeConnection", params(StockChange)))]
#[graphql(concrete(name = "OrderConnection", params(Order)))]
#[graphql(concrete(name = "UserConnection", params(User)))]
pub struct Connection<T: OutputType>
where
    Edge<T>: OutputType,
{
    /// The items of the page, in the order of the list.
    pub edges: Vec<Edge<T>>,
    /// Where the page lies in the list.
    pub page_info: PageInfo,
}

/// An item of a list and its place.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(concrete(name = "ProductEdge", params(Product)))]
#[graphql(concrete(name = "StockChangeEdge", params(StockChange)))]
#[graphql(concrete(name = "OrderEdge", params(Order)))]
#[graphql(concrete(name = "UserEdge", params(User)))]
pub struct Edge<T: OutputType> {
    /// The item.
    pub node: T,
    /// Its place in the list; `after` continues behind it.
    pub cursor: String,
}

/// Where a page lies in its list.
#[derive(Debug, Clone, Default, SimpleObject)]
pub struct PageInfo {
    /// Is there more behind this page?
    pub has_next_page: bool,
    /// Is there something before this page? True for every page that was asked for with `after`.
    pub has_previous_page: bool,
    /// Cursor of the first item; null on an empty page.
    pub start_cursor: Option<String>,
    /// Cursor of the last item, for `after` of the next page; null on an empty page.
    pub end_cursor: Option<String>,
}

/// Which page is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageArguments {
    first: u16,
    after: Option<String>,
    with_cursors: bool,
}

impl PageArguments {
    /// Reads the arguments of a connection field. Cursors are made only where the selection shows one.
    ///
    /// Errors: 422 unless `first` is 0 to 100.
    pub fn new(ctx: &Context<'_>, first: Option<i32>, after: Option<String>) -> Result<Self, Error> {
        let first = first.map_or(Some(DEFAULT_LIMIT), |first| u16::try_from(first).ok());
        let first = first
            .filter(|first| *first <= MAX_LIMIT)
            .ok_or_else(|| Error::invalid("first", "out_of_range", "first must be between 0 and 100"))?;
        let selection = ctx.look_ahead();
        let page_info = selection.field("pageInfo");
        let with_cursors = selection.field("edges").field("cursor").exists()
            || page_info.field("endCursor").exists()
            || page_info.field("startCursor").exists();
        Ok(Self { first, after, with_cursors })
    }

    /// The page as services are asked for it.
    pub fn query(&self) -> PageQuery {
        PageQuery {
            limit: Some(self.first.max(1).into()),
            cursor: self.after.clone(),
            with_cursors: self.with_cursors.then_some(true),
        }
    }

    /// A connection with nothing in it.
    pub fn nothing<T: OutputType>(&self) -> Connection<T>
    where
        Edge<T>: OutputType,
    {
        let page_info = PageInfo { has_previous_page: self.after.is_some(), ..Default::default() };
        Connection { edges: Vec::new(), page_info }
    }

    /// The connection of a service's page. `first: 0` asks only whether there is something.
    pub fn connection<S, T: OutputType>(&self, page: Page<S>, node: impl Fn(S) -> T) -> Connection<T>
    where
        Edge<T>: OutputType,
    {
        let has_previous_page = self.after.is_some();
        if self.first == 0 {
            let page_info = PageInfo { has_next_page: !page.items.is_empty(), has_previous_page, ..Default::default() };
            return Connection { edges: Vec::new(), page_info };
        }
        let page_info = PageInfo {
            has_next_page: page.next_cursor.is_some(),
            has_previous_page,
            start_cursor: page.cursors.first().cloned(),
            end_cursor: page.cursors.last().cloned(),
        };
        let cursors = page.cursors.into_iter().chain(std::iter::repeat_with(String::new));
        let edges =
            page.items.into_iter().zip(cursors).map(|(item, cursor)| Edge { node: node(item), cursor }).collect();
        Connection { edges, page_info }
    }
}

/// What a connection costs: all that is selected of an item, for each item.
pub fn cost(first: Option<i32>, child_complexity: usize) -> usize {
    let first = usize::try_from(first.unwrap_or(DEFAULT_LIMIT.into())).unwrap_or(0).min(MAX_LIMIT.into());
    child_complexity.saturating_mul(first.max(1)).saturating_add(1)
}
