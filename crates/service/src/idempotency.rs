//! Idempotency keys of requests that change something: a repeated request has one effect and one answer.
//!
//! A key's record lies in the service's own `idempotency_records` and is written in the transaction of the effect:
//! either both are there or neither. It is kept 24 h. A refusal (4xx other than 401 and 429) is an answer like
//! any other and is kept; what it had changed is rolled back to a savepoint. What is refused before anything is looked
//! up, a malformed body for instance, is not remembered: it may be sent mended under the same key. The caller's scope is
//! part of the record's id: nobody reads another's answers.
//!
//! The scope is the user, else the cart or the line that the request is about: whoever holds its random id may use it.
//! An anonymous request about neither (`POST /register`, `POST /cart`) has no scope, and the client's address is none:
//! everybody behind one router shares it, and a key such as `1` would hand one shopper's cart or token to the next.
//! Such a request is remembered together with address and operation, and only a key that nobody else comes up with
//! ([`IdempotencyKey::is_random`]) will do. Any other is refused: whoever sends one counts on it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, StatusCode};
use database::{BoxFuture, Connection, Database, Row};
use events::CorrelationId;
use futures_util::future::join3;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Json;
use utoipa::openapi::path::{Operation as Described, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Type};
use uuid::Uuid;

use crate::caller::Caller;
use crate::error::{Error, ErrorBody, FieldError};

/// Carries the key of a request.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Marks an operation, in the description of an API, that is carried out anew each time, whatever key comes with it.
pub const CARRIED_OUT_ANEW: &str = "x-carried-out-anew";

const MAX_KEY_BYTES: usize = 255;

/// What [`IdempotencyKey::is_random`] asks for.
const MIN_RANDOM_BYTES: usize = 16;
const MIN_DIFFERENT: usize = 7;

/// A namespace of our own for the UUIDv5 of scope and key.
const NAMESPACE: Uuid = Uuid::from_u128(0x5c1b_7a3e_6f0d_4b52_9d8e_2a47_c39e_10f4);

database::statements! {
    /// Waits while the same key is in flight elsewhere. Sets its time limit first: columns are computed in order.
    LOCK = "SELECT set_config('lock_timeout', '5s', true), pg_advisory_xact_lock($1)";
    /// A statement of its own, since it has to see what the lock was waiting for.
    FIND = "SELECT result FROM idempotency_records
        WHERE event_id = $1 AND service_name = $2 AND created_at > now() - interval '24 hours'";
    /// Replaces at most a record past its 24 h that is not pruned yet.
    STORE = "INSERT INTO idempotency_records (event_id, service_name, action, result) VALUES ($1, $2, $3, $4)
        ON CONFLICT (event_id, service_name) DO UPDATE
        SET action = excluded.action, result = excluded.result, created_at = excluded.created_at";
}

const BEGIN_EFFECT: &str = "SET LOCAL lock_timeout = 0; SAVEPOINT effect";

/// What a client chose to recognise its request by: 1 to 255 printable ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(Arc<str>);

impl IdempotencyKey {
    /// Accepts a key; 400 `invalid_idempotency_key` otherwise.
    pub fn new(text: &str) -> Result<Self, Error> {
        let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if text.trim().is_empty() || text.len() > MAX_KEY_BYTES || !is_printable {
            return Err(invalid_key("an idempotency key is 1 to 255 printable ASCII characters"));
        }
        Ok(Self(text.into()))
    }

    /// The key as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether two clients are unlikely to choose the same: a UUID, or at least 16 characters without blanks, digits and
    /// letters among them, 7 of them different. A counter, a word or a padded number is none of it.
    pub fn is_random(&self) -> bool {
        let bytes = self.0.as_bytes();
        let different: BTreeSet<u8> = bytes.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
        bytes.len() >= MIN_RANDOM_BYTES
            && !bytes.contains(&b' ')
            && different.len() >= MIN_DIFFERENT
            && different.iter().any(u8::is_ascii_digit)
            && different.iter().any(u8::is_ascii_alphabetic)
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(…)")
    }
}

pub(crate) fn key_from_headers(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Error> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    match (keys.next(), keys.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => IdempotencyKey::new(value.to_str().unwrap_or_default()).map(Some),
        (Some(_), Some(_)) => Err(invalid_key("send one Idempotency-Key")),
    }
}

fn invalid_key(message: &'static str) -> Error {
    const CODE: &str = "invalid_idempotency_key";
    let mut error = Error::bad_request(CODE, message);
    error.fields = Box::new([FieldError::new("idempotency_key", CODE, message)]);
    error
}

/// Adds the header to the description of what changes something at a path, unless it is marked [`CARRIED_OUT_ANEW`].
pub(crate) fn declare(path: &mut PathItem) {
    let changes = [&mut path.post, &mut path.put, &mut path.patch, &mut path.delete].into_iter().flatten();
    for change in changes.filter(|change| !is_carried_out_anew(change)) {
        change.parameters.get_or_insert_default().push(RefOr::T(header()));
    }
}

fn is_carried_out_anew(operation: &Described) -> bool {
    operation.extensions.as_ref().is_some_and(|extensions| extensions.contains_key(CARRIED_OUT_ANEW))
}

fn header() -> Parameter {
    let key = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX_KEY_BYTES));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Makes a repetition have one effect: for 24 hours the same key and request get the same answer, another \
             request under the same key gets 422 `idempotency_key_reused`. Without a login it has to be a random UUID.",
        ))
        .schema(Some(key))
        .build()
}

/// Which table row stands for a request, and what the request was.
#[derive(Clone, Debug)]
pub struct Operation {
    service: &'static str,
    action: &'static str,
    success: StatusCode,
    correlation_id: CorrelationId,
    keyed: Option<Keyed>,
}

#[derive(Clone, Debug)]
struct Keyed {
    event_id: Uuid,
    lock: i64,
    body_hash: String,
}

/// The column `result`. The answer is text, not a JSON object: jsonb would reorder its fields.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    body_hash: String,
    status: u16,
    answer: String,
}

impl Operation {
    /// Describes one call that changes something.
    ///
    /// `action` is its method and route, e.g. `POST /cart/items`; `success` its status when all goes well; `held` the
    /// random id of the cart or line it is about, the scope of an anonymous caller. `input` is everything that decides
    /// the effect: body and values of the path, as one tuple.
    ///
    /// Errors: 400 `invalid_idempotency_key` for a key that others may choose, too, where nothing else tells callers
    /// apart.
    pub fn new(
        service: &'static str,
        action: &'static str,
        success: StatusCode,
        caller: &Caller,
        held: Option<Uuid>,
        input: &impl Serialize,
    ) -> Result<Self, Error> {
        let keyed = match &caller.idempotency_key {
            None => None,
            Some(key) => Some(Keyed::new(service, action, &scope(caller, held, key, action)?, key, input)?),
        };
        Ok(Self { service, action, success, correlation_id: caller.correlation_id, keyed })
    }

    /// Whether the request is remembered; without a key there is nothing to remember it by.
    pub fn is_keyed(&self) -> bool {
        self.keyed.is_some()
    }
}

impl Keyed {
    fn new(
        service: &str,
        action: &str,
        scope: &str,
        key: &IdempotencyKey,
        input: &impl Serialize,
    ) -> Result<Self, Error> {
        let event_id = Uuid::new_v5(&NAMESPACE, format!("{scope}\n{}", key.as_str()).as_bytes());
        // Services of one database must not wait for each other when a request carries its key through several.
        let lock = Uuid::new_v5(&event_id, service.as_bytes()).as_u64_pair().0.cast_signed();
        // The key itself is stored nowhere, so it salts the hash of a body that may hold a password.
        let body = serde_json::to_vec(input).map_err(Error::internal)?;
        let mut hash = Sha256::new();
        for part in [key.as_str().as_bytes(), b"\n", action.as_bytes(), b"\n", &body] {
            hash.update(part);
        }
        Ok(Self { event_id, lock, body_hash: hex::encode(hash.finalize()) })
    }
}

/// Whose keys are told apart, see the head of this file.
fn scope(caller: &Caller, held: Option<Uuid>, key: &IdempotencyKey, action: &str) -> Result<String, Error> {
    match (caller.user_id(), held) {
        (Some(user), _) => Ok(format!("user:{user}")),
        (None, Some(held)) => Ok(format!("held:{held}")),
        (None, None) if key.is_random() => {
            let address = caller.address.map_or_else(|| "unknown".to_owned(), |address| address.to_string());
            Ok(format!("address:{address} {action}"))
        }
        (None, None) => Err(invalid_key(
            "without a login, an idempotency key has to be one that nobody else comes up with: send a random UUID",
        )),
    }
}

/// The answer of an earlier run, if there is one: for operations that ask another service before their transaction, so
/// that a repetition is answered even while that service is away. Does not wait for a run in flight: [`write`] does.
///
/// Errors: as [`write`]; the inner result is the answer.
pub async fn answered<T: DeserializeOwned>(
    database: &Database,
    operation: &Operation,
) -> Result<Option<Result<T, Error>>, Error> {
    let Some(keyed) = &operation.keyed else { return Ok(None) };
    let db = database.read().await?;
    let found = db.query_opt(FIND, &[&keyed.event_id, &operation.service]).await?;
    stored(found)?.map(|stored| replay(stored, keyed)).transpose()
}

/// Runs `effect` in one detached transaction, at most once per idempotency key; without a key it is a plain
/// [`Database::write`].
///
/// Errors: 409 `request_in_flight` after 5 s; 422 `idempotency_key_reused`; those of the effect, or of its first run.
pub async fn write<T, F>(database: &Database, operation: Operation, effect: F) -> Result<T, Error>
where
    F: for<'a> FnOnce(&'a Connection) -> BoxFuture<'a, Result<T, Error>> + Send + 'static,
    T: Serialize + DeserializeOwned + Send + 'static,
{
    if operation.keyed.is_none() {
        return database.write(effect).await;
    }
    database.write(move |tx| Box::pin(async move { once(tx, &operation, effect).await })).await?
}

/// Runs `effect` inside a transaction of the caller's, at most once per key.
///
/// The outer error rolls the transaction back; the inner result is the answer to the request, a kept refusal
/// among them, and has to be committed.
pub async fn once<T, F>(tx: &Connection, operation: &Operation, effect: F) -> Result<Result<T, Error>, Error>
where
    F: for<'a> FnOnce(&'a Connection) -> BoxFuture<'a, Result<T, Error>>,
    T: Serialize + DeserializeOwned,
{
    let Some(keyed) = &operation.keyed else { return effect(tx).await.map(Ok) };
    if let Some(stored) = claim(tx, operation.service, keyed).await? {
        return replay(stored, keyed);
    }
    let answer = match effect(tx).await {
        Ok(value) => Ok(value),
        Err(mut error) if error.is_final() => {
            error.correlation_id.get_or_insert(operation.correlation_id);
            tx.roll_back_to("effect").await?;
            Err(error)
        }
        Err(error) => return Err(error),
    };
    let (status, text) = match &answer {
        Ok(value) => (operation.success, serde_json::to_string(value)),
        Err(error) => (error.status, serde_json::to_string(&error.body())),
    };
    debug_assert!(answer.is_err() || is_replayed_alike::<T>(&text), "{} would replay differently", operation.action);
    let stored =
        Stored { body_hash: keyed.body_hash.clone(), status: status.as_u16(), answer: text.map_err(Error::internal)? };
    let action = format!("http:{}", operation.action);
    tx.execute(STORE, &[&keyed.event_id, &operation.service, &action, &Json(&stored)]).await?;
    Ok(answer)
}

/// Whether the stored text, read and written again, is the same byte for byte (a hash map's would not be).
fn is_replayed_alike<T: Serialize + DeserializeOwned>(text: &serde_json::Result<String>) -> bool {
    let again = |text: &String| serde_json::from_str::<T>(text).and_then(|value| serde_json::to_string(&value));
    text.as_ref().is_ok_and(|text| again(text).is_ok_and(|again| again == *text))
}

/// Takes the key's lock, begins the effect's savepoint, and finds the answer of an earlier run; one round trip.
async fn claim(tx: &Connection, service: &str, keyed: &Keyed) -> Result<Option<Stored>, Error> {
    // Prepared before, the three are sent in this order: the search comes after the lock.
    tx.prepare(LOCK).await?;
    tx.prepare(FIND).await?;
    let (locked, found, begun) = join3(
        tx.query_one(LOCK, &[&keyed.lock]),
        tx.query_opt(FIND, &[&keyed.event_id, &service]),
        tx.batch_execute(BEGIN_EFFECT),
    )
    .await;
    if let Err(error) = locked {
        if error.sql_state() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
            let message = "a request with this idempotency key is still being worked on";
            return Err(Error::conflict("request_in_flight", message).with_source(error));
        }
        return Err(error.into());
    }
    let found = found?;
    begun?;
    stored(found)
}

fn stored(found: Option<Row>) -> Result<Option<Stored>, Error> {
    found
        .map(|row| row.try_get::<_, Json<Stored>>("result"))
        .transpose()
        .map(|json| json.map(|Json(stored)| stored))
        .map_err(Error::internal)
}

fn replay<T: DeserializeOwned>(stored: Stored, keyed: &Keyed) -> Result<Result<T, Error>, Error> {
    if stored.body_hash != keyed.body_hash {
        let message = "this idempotency key was used for another request";
        return Err(Error::unprocessable("idempotency_key_reused", message));
    }
    if stored.status < 400 {
        return serde_json::from_str(&stored.answer).map(Ok).map_err(Error::internal);
    }
    serde_json::from_str::<ErrorBody>(&stored.answer).map(|body| Err(Error::from(body))).map_err(Error::internal)
}
