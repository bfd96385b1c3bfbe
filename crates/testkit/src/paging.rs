//! Lists in pages while others write: no row that is there all the time may be missed or come twice.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_postgres::Client;
use uuid::Uuid;

/// The ids of a page's rows, and where the next page begins.
pub type PageOfIds = (Vec<Uuid>, Option<String>);

/// Pages after which something is written: few enough for a list to come to its end.
const ROUNDS: usize = 4;

/// Ids that no row has yet, for rows that appear while a list is read.
#[derive(Debug, Clone, Copy)]
pub struct NewIds {
    /// Around the row that was read last, one on either side of it.
    pub beside: [Uuid; 2],
    /// Before and behind all other rows, if their ids are UUIDv7.
    pub at_the_ends: [Uuid; 2],
}

/// Reads a list to its end while `write` changes it after each of the first pages: told the last row that was read, it
/// makes rows with these ids, around that one and at both ends of the list, and changes what is there.
///
/// `read` answers the page behind a cursor, of two rows or so. Before, the list has at least four.
///
/// # Panics
/// If a row that was there all the time is missed, comes twice or out of its order; and if nothing was written before,
/// between and behind those rows, because that would prove nothing.
pub async fn pages_survive_writes(read: impl AsyncFn(Option<String>) -> PageOfIds, write: impl AsyncFn(Uuid, NewIds)) {
    let before = read_to_the_end(&read).await;
    assert!(before.len() >= 4, "too short a list to be read in pages: {before:?}");
    let (mut read_now, mut cursor, mut rounds) = (Vec::new(), None, 0);
    loop {
        let (ids, next) = read(cursor).await;
        let last = ids.last().copied().filter(|last| before.contains(last));
        read_now.extend(ids);
        if next.is_none() {
            break;
        }
        if let Some(last) = last.filter(|_| rounds < ROUNDS) {
            write(last, new_ids(last)).await;
            rounds += 1;
        }
        cursor = next;
    }
    let after = read_to_the_end(&read).await;

    let stayed: Vec<Uuid> = before.iter().copied().filter(|id| after.contains(id)).collect();
    let shown: Vec<Uuid> = read_now.iter().copied().filter(|id| stayed.contains(id)).collect();
    assert_eq!(shown, stayed, "what stayed in the list was missed, repeated or moved");
    let once: HashSet<Uuid> = read_now.iter().copied().collect();
    assert_eq!(once.len(), read_now.len(), "a new row came twice: {read_now:?}");

    let is_new = |id: &Uuid| !before.contains(id);
    let place = |id: Option<&Uuid>| after.iter().position(|other| Some(other) == id).expect("it stayed");
    let (first, last) = (place(stayed.first()), place(stayed.last()));
    for (where_, rows) in [("before", &after[..first]), ("between", &after[first..last]), ("behind", &after[last..])] {
        assert!(rows.iter().any(is_new), "nothing was written {where_} what was there: {after:?}");
    }
}

async fn read_to_the_end(read: &impl AsyncFn(Option<String>) -> PageOfIds) -> Vec<Uuid> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let (ids, next) = read(cursor).await;
        all.extend(ids);
        match next {
            Some(next) => cursor = Some(next),
            None => return all,
        }
    }
}

fn new_ids(row: Uuid) -> NewIds {
    /// Later rows lie further out, and further than what is made beside them.
    static MADE: AtomicU64 = AtomicU64::new(1);
    let made = u128::from(MADE.fetch_add(1, Ordering::Relaxed)) << 33;
    let distance = u128::from(Uuid::new_v4().as_fields().0) + 1;
    NewIds {
        beside: [row.as_u128() - distance, row.as_u128() + distance].map(Uuid::from_u128),
        at_the_ends: [u128::from(u64::MAX) - made, u128::MAX - u128::from(u64::MAX) + made].map(Uuid::from_u128),
    }
}

/// Copies the row whose `key` is `id`, with other values in some columns: a JSON object with the new key at least.
pub async fn copy_row(owner: &Client, table: &str, key: &str, id: Uuid, other: impl Display) {
    let own = "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
        WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
          AND attgenerated = '' AND attidentity = ''";
    let columns: String = owner.query_one(own, &[&table]).await.expect("list the columns").get(0);
    let copy = format!(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM (
            SELECT (jsonb_populate_record(original, $2::text::jsonb)).* FROM {table} original WHERE {key} = $1) copy"
    );
    let copied = owner.execute(&copy, &[&id, &other.to_string()]).await.expect("copy the row");
    assert_eq!(copied, 1, "{table} has no row {id}");
}
