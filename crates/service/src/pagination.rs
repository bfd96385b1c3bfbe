//! Lists in pages: `?limit=&cursor=` → `{"items": […], "next_cursor": …}`, by key and not by offset, so that
//! writes in between neither repeat nor skip a row.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::Error;

/// Items on a page unless told.
pub const DEFAULT_LIMIT: u16 = 20;

/// Items on a page at most.
pub const MAX_LIMIT: u16 = 100;

/// Which part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items on the page, 1 to 100; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before; absent for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Asks for a cursor of every item, as the edges of a Relay connection have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_cursors: Option<bool>,
}

impl PageQuery {
    /// The first page with `limit` items.
    pub fn first(limit: u16) -> Self {
        Self { limit: Some(limit.into()), ..Self::default() }
    }

    /// Items on the page; 422 unless 1 to 100.
    pub fn limit(&self) -> Result<u16, Error> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT.into());
        u16::try_from(limit)
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
            .ok_or_else(|| Error::invalid("limit", "out_of_range", "limit must be between 1 and 100"))
    }

    /// The key of the last row before the page; 400 `invalid_cursor` for a cursor that is not one of this list's.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Error> {
        self.cursor.as_deref().map(decode).transpose()
    }

    /// How many rows a repository asks for: one more than the page holds tells whether there is another page.
    pub fn rows(&self) -> Result<i64, Error> {
        Ok(i64::from(self.limit()?) + 1)
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// Where the next page begins; `null` on the last one.
    pub next_cursor: Option<String>,
    /// Each item's cursor, where asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cursors: Vec<String>,
}

impl<T> Page<T> {
    /// Makes a page of rows fetched with [`PageQuery::rows`]; `key` tells a row's place in the order of the list.
    pub fn new<K: Serialize>(query: &PageQuery, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Result<Self, Error> {
        let limit = usize::from(query.limit()?);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = match rows.last() {
            Some(last) if has_more => Some(encode(&key(last))?),
            _ => None,
        };
        let cursors = match query.with_cursors {
            Some(true) => rows.iter().map(|row| encode(&key(row))).collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        Ok(Self { items: rows, next_cursor, cursors })
    }

    /// The same page of something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next_cursor: self.next_cursor, cursors: self.cursors }
    }
}

/// An opaque cursor for a key.
pub fn encode<K: Serialize>(key: &K) -> Result<String, Error> {
    serde_json::to_vec(key).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(Error::internal)
}

/// The key of a cursor; 400 `invalid_cursor` if it is not one.
pub fn decode<K: DeserializeOwned>(cursor: &str) -> Result<K, Error> {
    let invalid = || Error::bad_request("invalid_cursor", "the cursor is not one that this list gave out");
    let json = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
    serde_json::from_slice(&json).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(limit: Option<i64>, cursor: Option<&str>) -> PageQuery {
        PageQuery { limit, cursor: cursor.map(str::to_owned), with_cursors: None }
    }

    #[test]
    fn pages_follow_each_other_without_gap() {
        let all: Vec<u32> = (0..45).collect();
        let (mut seen, mut next) = (Vec::new(), PageQuery::default());
        loop {
            let after = next.after::<u32>().unwrap();
            let rows = all.iter().copied().filter(|n| after.is_none_or(|after| *n > after));
            let rows = rows.take(next.rows().unwrap().try_into().unwrap()).collect();
            let page = Page::new(&next, rows, |n| *n).unwrap();
            seen.extend(page.items);
            let Some(cursor) = page.next_cursor else { break };
            next.cursor = Some(cursor);
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_full_last_page_has_no_next() {
        let page = Page::new(&PageQuery::first(2), vec![1, 2], |n| *n).unwrap();
        assert_eq!(page, Page { items: vec![1, 2], next_cursor: None, cursors: vec![] });
    }

    #[test]
    fn every_item_has_a_cursor_where_asked_for() {
        let asked = PageQuery { with_cursors: Some(true), ..PageQuery::first(2) };
        let page = Page::new(&asked, vec![1, 2, 3], |n| *n).unwrap();
        assert_eq!(page.cursors.len(), 2);
        assert_eq!(page.cursors.last(), page.next_cursor.as_ref());
    }

    #[test]
    fn limits_are_kept() {
        assert_eq!(query(None, None).limit(), Ok(20));
        for limit in [i64::MIN, -1, 0, 101, i64::MAX] {
            assert_eq!(query(Some(limit), None).limit().unwrap_err().code, "validation_failed", "{limit}");
        }
    }

    #[test]
    fn a_foreign_cursor_is_refused() {
        let of_text = encode(&"abc").unwrap();
        for cursor in ["", "?", "e30", of_text.as_str()] {
            let error = query(None, Some(cursor)).after::<u32>().unwrap_err();
            assert_eq!((error.code.as_ref(), error.status.as_u16()), ("invalid_cursor", 400), "{cursor}");
        }
    }
}
