//! Whole answers about the catalogue, kept as they were sent: a full-response cache.
//!
//! Kept is what only the catalogue has a say in, what everybody who is not logged in is told alike, and what is no
//! error. It is found by the very text of the question, and holds for as long as the catalogue's version is the one that
//! was read before the answer was made: see [`products_client::ProductsApi::version`] and
//! docs/adr/0024-whole-answers-about-the-catalogue.md.

use std::time::Duration;

use async_graphql::parser::types::{OperationDefinition, OperationType, Selection};
use axum::body::Bytes;
use moka::future::Cache;
use products_client::CatalogueVersion;

/// The fields of `Query` behind which there is nothing but the catalogue. A test knows all types that they lead to.
const OF_THE_CATALOGUE: [&str; 5] = ["products", "product", "suggestions", "categories", "category"];
/// Of all questions and answers together.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Of a question and its answer; what takes more is not kept. The cache looks after its bound after 64 entries at the
/// latest: until then they take as much again at most.
const MAX_ENTRY_BYTES: usize = 128 * 1024;
/// What an entry weighs besides its texts.
const ENTRY_BYTES: usize = 200;
/// For how long an answer is kept at most. Only what changes behind the shop's back, e.g. by hand in psql, relies on it.
pub const MAX_AGE: Duration = Duration::from_secs(1);

/// The answers that are at hand.
pub struct Answers(Cache<Box<str>, Answer>);

#[derive(Clone)]
struct Answer {
    version: CatalogueVersion,
    json: Bytes,
}

/// Where the answer of a question belongs, if it is one to be kept.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The body of the request, which is all that the answer depends on.
    pub question: &'a str,
    /// The catalogue's version before it was asked.
    pub version: CatalogueVersion,
}

impl Answers {
    /// None are kept yet.
    pub fn new(max_age: Duration) -> Self {
        let kept = Cache::<Box<str>, Answer>::builder()
            .max_capacity(MAX_BYTES)
            .weigher(|question, answer| u32::try_from(weight(question, &answer.json)).unwrap_or(u32::MAX))
            .time_to_live(max_age);
        Self(kept.build())
    }

    /// The answer to a question, as JSON.
    pub async fn find(&self, place: Place<'_>) -> Option<Bytes> {
        let answer = self.0.get(place.question).await.filter(|answer| answer.version == place.version)?;
        metrics::counter!("cache_reads_total", "cache" => "answer", "outcome" => "hit").increment(1);
        Some(answer.json)
    }

    /// Keeps an answer for as long as the version of its place holds.
    pub async fn keep(&self, place: Place<'_>, json: &str) {
        metrics::counter!("cache_reads_total", "cache" => "answer", "outcome" => "miss").increment(1);
        if weight(place.question, json.as_bytes()) <= MAX_ENTRY_BYTES {
            // A copy, because a text that has grown takes more memory than it is long.
            let answer = Answer { version: place.version, json: Bytes::copy_from_slice(json.as_bytes()) };
            self.0.insert(place.question.into(), answer).await;
        }
    }
}

fn weight(question: &str, json: &[u8]) -> usize {
    question.len() + json.len() + ENTRY_BYTES
}

/// Whether nothing but the catalogue has a say in what an operation is answered. Fragments of `Query` are not looked into.
pub fn is_of_the_catalogue(operation: &OperationDefinition) -> bool {
    let selection = &operation.selection_set.node.items;
    operation.ty == OperationType::Query
        && selection.iter().all(|item| match &item.node {
            Selection::Field(field) => OF_THE_CATALOGUE.contains(&field.node.name.node.as_str()),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn place(question: &str, version: u128) -> Place<'_> {
        Place { question, version: CatalogueVersion(version) }
    }

    #[tokio::test]
    async fn an_answer_is_found_only_under_the_version_before_it() {
        let answers = Answers::new(LONG);
        answers.keep(place("a", 2), "new").await;
        assert_eq!(answers.find(place("a", 2)).await.as_deref(), Some(&b"new"[..]));
        assert_eq!(answers.find(place("a", 1)).await, None);
        assert_eq!(answers.find(place("b", 2)).await, None);
        // A reader who began before a change and ended after it.
        answers.keep(place("a", 1), "old").await;
        assert_eq!(answers.find(place("a", 2)).await, None);
    }

    #[tokio::test]
    async fn memory_is_bounded_by_bytes() {
        // Long questions count as long answers do.
        for (question_bytes, answer_bytes) in [(10, 100_000), (100_000, 10)] {
            let answers = Answers::new(LONG);
            for number in 0..200 {
                let question = number.to_string() + &" ".repeat(question_bytes);
                answers.keep(place(&question, 1), &" ".repeat(answer_bytes)).await;
            }
            answers.0.run_pending_tasks().await;
            let (bytes, count) = (answers.0.weighted_size(), answers.0.entry_count());
            assert!(bytes <= MAX_BYTES && (50..100).contains(&count), "{count} with {bytes} bytes");
        }
    }

    #[tokio::test]
    async fn what_is_too_large_is_not_kept() {
        let answers = Answers::new(LONG);
        let fitting = " ".repeat(MAX_ENTRY_BYTES - ENTRY_BYTES - 1);
        answers.keep(place("a", 1), &fitting).await;
        assert!(answers.find(place("a", 1)).await.is_some());
        answers.keep(place("ab", 1), &fitting).await;
        assert_eq!(answers.find(place("ab", 1)).await, None);
    }
}
