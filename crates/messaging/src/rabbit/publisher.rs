//! Publishing with confirms.
//!
//! Two traps are avoided here. An unroutable message is confirmed like any other; only its return, which
//! comes first, tells. And lapin hands a return to whichever message is confirmed next, not to the one
//! that was returned, once the broker confirms several at a time. So a channel carries one batch at a time,
//! and returns are matched by message id. Batches that shall not wait for each other take channels of their own.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use super::headers;
use super::link::{Link, Slot};
use crate::delivery::{Outgoing, PublishError};
use crate::transport::TransportError;

/// For getting a channel, and once more for all confirms of a batch.
const LIMIT: Duration = Duration::from_secs(5);

/// A message with all it takes to the broker. Its `message_id` is unique in the batch.
pub(super) struct Message<'a> {
    pub exchange: &'a str,
    pub routing_key: &'a str,
    pub body: &'a [u8],
    pub properties: BasicProperties,
}

/// Durable, JSON, recognisable by its id.
pub(super) fn properties(message_id: ShortString) -> BasicProperties {
    const PERSISTENT: u8 = 2;
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/json".into())
        .with_message_id(message_id)
}

/// The same for an event on its way out: its saga and its trace travel beside it, for whoever does not read bodies.
pub(super) fn event_properties(outgoing: &Outgoing) -> BasicProperties {
    let properties = properties(outgoing.event_id.to_string().into())
        .with_correlation_id(outgoing.correlation_id.to_string().into());
    let Some(traceparent) = &outgoing.traceparent else { return properties };
    let mut headers = FieldTable::default();
    headers.insert(headers::TRACEPARENT.into(), AMQPValue::LongString(traceparent.as_str().into()));
    properties.with_headers(headers)
}

/// Some publishing channels, opened when they are needed. A batch waits for another when none of them is free.
pub(super) struct Publisher {
    connection: Arc<Slot>,
    lanes: Vec<Mutex<Lane>>,
    turn: AtomicUsize,
}

#[derive(Default)]
struct Lane {
    open: Option<Open>,
    /// A message found no queue or no exchange: something that was declared may be gone.
    doubtful: bool,
}

struct Open {
    link: Arc<Link>,
    channel: Channel,
}

/// What became of a batch on one channel.
struct Attempt {
    answers: Vec<Result<(), PublishError>>,
    /// Every message was answered: the channel can carry the next batch.
    complete: bool,
    /// The broker closed the channel, which one of the messages caused.
    refusal: Option<String>,
}

impl Publisher {
    /// With so many lanes, but one at least.
    pub fn new(connection: Arc<Slot>, lanes: usize) -> Publisher {
        let lanes = (0..lanes.max(1)).map(|_| Mutex::default()).collect();
        Publisher { connection, lanes, turn: AtomicUsize::new(0) }
    }

    async fn lane(&self) -> MutexGuard<'_, Lane> {
        if let Some(free) = self.lanes.iter().find_map(|lane| lane.try_lock().ok()) {
            return free;
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.lanes[turn % self.lanes.len()].lock().await
    }

    /// One answer per message, in order. `Ok` only for what the broker confirmed and routed.
    pub async fn publish(&self, messages: &[Message<'_>]) -> Vec<Result<(), PublishError>> {
        let Ok(mut lane) = timeout(LIMIT, self.lane()).await else {
            return all_unreachable(messages, "the batch before this one is still waiting for the broker");
        };
        let attempt = self.attempt(&mut lane, messages).await;
        let Some(refusal) = attempt.refusal else { return attempt.answers };
        let mut answers = attempt.answers;
        if let [answer] = answers.as_mut_slice() {
            *answer = Err(PublishError::Refused(refusal));
            return answers;
        }
        // One message closed the channel under all of them: find it, so that it alone is blamed.
        for (message, answer) in messages.iter().zip(&mut answers).filter(|(_, answer)| answer.is_err()) {
            let mut alone = self.attempt(&mut lane, std::slice::from_ref(message)).await;
            *answer = match alone.refusal {
                Some(refusal) => Err(PublishError::Refused(refusal)),
                None => alone.answers.remove(0),
            };
            if matches!(answer, Err(PublishError::Unreachable(_))) {
                break;
            }
        }
        answers
    }

    async fn attempt(&self, lane: &mut MutexGuard<'_, Lane>, messages: &[Message<'_>]) -> Attempt {
        let open = match timeout(LIMIT, self.open(lane)).await {
            Ok(Ok(open)) => open,
            Ok(Err(error)) => return Attempt::failed(messages, &error.to_string()),
            Err(_) => return Attempt::failed(messages, "no connection in time"),
        };
        // Out of the lane while in use: a caller that gives up leaves no half-answered batch behind.
        let attempt = attempt_on(&open, messages).await;
        lane.doubtful |= attempt.answers.iter().any(|answer| matches!(answer, Err(PublishError::Refused(_))));
        if attempt.complete {
            lane.open = Some(open);
        } else if attempt.refusal.is_some() {
            lane.doubtful = true;
        } else if open.link.blocked().borrow().is_none() {
            // Others share it, and begin anew as well: whatever is stuck in it ends with it.
            self.connection.discard(&open.link);
        }
        attempt
    }

    async fn open(&self, lane: &mut Lane) -> Result<Open, TransportError> {
        let kept = lane.open.take();
        let link = self.connection.link().await?;
        if let Some(reason) = link.blocked().borrow().as_ref() {
            return Err(TransportError::Rabbit(format!("blocked: {reason}")));
        }
        if lane.doubtful {
            link.declare_topology().await?;
            lane.doubtful = false;
        }
        if let Some(open) = kept.filter(|open| Arc::ptr_eq(&open.link, &link) && open.channel.status().connected()) {
            return Ok(open);
        }
        match open_channel(&link).await {
            Ok(channel) => Ok(Open { link, channel }),
            Err(error) => {
                self.connection.discard(&link);
                Err(error)
            }
        }
    }
}

async fn open_channel(link: &Link) -> Result<Channel, TransportError> {
    let channel = link.channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

impl Attempt {
    fn failed(messages: &[Message<'_>], why: &str) -> Attempt {
        Attempt { answers: all_unreachable(messages, why), complete: false, refusal: None }
    }
}

fn all_unreachable(messages: &[Message<'_>], why: &str) -> Vec<Result<(), PublishError>> {
    messages.iter().map(|_| Err(PublishError::Unreachable(why.to_owned()))).collect()
}

/// Sends all, then awaits the confirms until the limit, the first failure or `connection.blocked`.
#[expect(clippy::disallowed_methods, reason = "the one place from which messages leave")]
async fn attempt_on(open: &Open, messages: &[Message<'_>]) -> Attempt {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let mut confirms: FuturesUnordered<_> = messages
        .iter()
        .enumerate()
        .map(|(index, message)| async move {
            let (exchange, key) = (ShortString::from(message.exchange), ShortString::from(message.routing_key));
            let properties = message.properties.clone();
            let sent = open.channel.basic_publish(exchange, key, options, message.body, properties).await;
            match sent {
                Ok(confirm) => (index, confirm.await),
                Err(error) => (index, Err(error)),
            }
        })
        .collect();

    let mut confirmed: Vec<Option<Confirmation>> = messages.iter().map(|_| None).collect();
    let mut blocked = open.link.blocked();
    let limit = tokio::time::sleep(LIMIT);
    tokio::pin!(limit);
    let mut refusal = None;
    let mut failure = String::new();
    loop {
        tokio::select! {
            biased;
            next = confirms.next() => match next {
                Some((index, Ok(confirmation))) => confirmed[index] = Some(confirmation),
                Some((_, Err(error))) => {
                    if error.is_amqp_soft_error() {
                        refusal = Some(error.to_string());
                    } else if failure.is_empty() {
                        failure = error.to_string();
                    }
                }
                None => break,
            },
            reason = blocked.wait_for(Option::is_some) => {
                failure = match reason {
                    Ok(reason) => format!("blocked: {}", reason.as_deref().unwrap_or_default()),
                    Err(_) => "the connection is gone".to_owned(),
                };
                break;
            }
            () = &mut limit => {
                failure = format!("no confirm within {} s", LIMIT.as_secs());
                break;
            }
        }
    }
    let complete = confirmed.iter().all(Option::is_some);
    Attempt { answers: judge(messages, confirmed, &failure), complete, refusal }
}

/// Turns confirms into answers. A return counts for the message it names, whoever's confirm carried it.
fn judge(
    messages: &[Message<'_>],
    confirmed: Vec<Option<Confirmation>>,
    failure: &str,
) -> Vec<Result<(), PublishError>> {
    let mut returned: HashMap<String, String> = HashMap::new();
    let mut verdicts = Vec::with_capacity(confirmed.len());
    for confirmation in confirmed {
        let (verdict, message) = match confirmation {
            Some(Confirmation::Ack(message)) => (Ok(()), message),
            Some(Confirmation::Nack(message)) => (Err("the broker could not keep it"), message),
            Some(Confirmation::NotRequested) => (Err("the channel does not confirm"), None),
            None => (Err(failure), None),
        };
        if let Some(message) = message {
            returned.insert(id_of(&message.properties).to_owned(), reason_of(&message));
        }
        verdicts.push(verdict);
    }
    let answer = |(message, verdict): (&Message<'_>, Result<(), &str>)| match returned.get(id_of(&message.properties)) {
        Some(reason) => Err(PublishError::Refused(format!("unroutable: {reason}"))),
        None => verdict.map_err(|error| PublishError::Unreachable(error.to_owned())),
    };
    messages.iter().zip(verdicts).map(answer).collect()
}

fn id_of(properties: &BasicProperties) -> &str {
    properties.message_id().as_ref().map(ShortString::as_str).unwrap_or_default()
}

fn reason_of(message: &BasicReturnMessage) -> String {
    let (exchange, key) = (&message.delivery.exchange, &message.delivery.routing_key);
    format!("no queue of {exchange} takes {key} ({} {})", message.reply_code, message.reply_text)
}

#[cfg(test)]
mod tests {
    use lapin::message::Delivery;

    use super::*;

    fn message(id: &str) -> Message<'static> {
        Message { exchange: "e", routing_key: "k", body: b"", properties: properties(ShortString::from(id)) }
    }

    fn returned(message: &Message<'_>) -> Option<BasicReturnMessage> {
        let mut delivery = Delivery::mock(0, "e".into(), "k".into(), false, Vec::new());
        delivery.properties = message.properties.clone();
        Some(BasicReturnMessage { delivery, reply_code: 312, reply_text: "NO_ROUTE".into() })
    }

    /// Several messages confirmed at once: lapin gives the return of the second to the first.
    #[test]
    fn a_return_counts_for_the_message_it_names() {
        let batch = [message("routed"), message("unroutable"), message("refused by a full queue"), message("silent")];
        let confirmed = vec![
            Some(Confirmation::Ack(returned(&batch[1]))),
            Some(Confirmation::Ack(None)),
            Some(Confirmation::Nack(None)),
            None,
        ];
        let answers = judge(&batch, confirmed, "no confirm");
        assert_eq!(answers[0], Ok(()));
        assert!(matches!(&answers[1], Err(PublishError::Refused(why)) if why.starts_with("unroutable")), "{answers:?}");
        assert!(matches!(&answers[2], Err(PublishError::Unreachable(_))), "no message is to blame: {answers:?}");
        assert_eq!(answers[3], Err(PublishError::Unreachable("no confirm".to_owned())));
    }
}
