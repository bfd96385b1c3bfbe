//! A live view of what is published, in a queue that lives as long as its connection.

use std::sync::Arc;
use std::time::Duration;

use events::Envelope;
use events::topology::{EVENTS, Exchange};
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Consumer};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::link::Slot;
use crate::transport::{Tapped, TransportError};

/// Events that wait for a slow listener; it misses the rest and is told so.
const TAPPED_AHEAD: usize = 2_000;
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A task of its own follows the broker, so that dropping [`RabbitTap::next`] half-way loses nothing.
pub(crate) struct RabbitTap {
    tapped: mpsc::Receiver<Tapped>,
    _end: DropGuard,
}

impl RabbitTap {
    pub(super) fn open(connection: Arc<Slot>, exchanges: &[Exchange]) -> RabbitTap {
        let (tell, tapped) = mpsc::channel(TAPPED_AHEAD);
        let end = CancellationToken::new();
        tokio::spawn(end.clone().run_until_cancelled_owned(run(connection, exchanges.to_vec(), tell)));
        RabbitTap { tapped, _end: end.drop_guard() }
    }

    pub async fn next(&mut self) -> Tapped {
        match self.tapped.recv().await {
            Some(tapped) => tapped,
            None => std::future::pending().await, // only while the runtime shuts down
        }
    }
}

/// Subscribes, tells of a gap, hands out what comes; and again, whenever that is interrupted.
async fn run(connection: Arc<Slot>, exchanges: Vec<Exchange>, tell: mpsc::Sender<Tapped>) {
    let mut delay = SHORTEST_PAUSE;
    loop {
        let error = match subscribe(&connection, &exchanges).await {
            Ok((_channel, consumer)) => {
                delay = SHORTEST_PAUSE;
                let Err(error) = pour(consumer, &tell).await else { return };
                error
            }
            Err(error) => error,
        };
        tracing::debug!(%error, "the live view of events is interrupted");
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(LONGEST_PAUSE);
    }
}

async fn subscribe(connection: &Arc<Slot>, exchanges: &[Exchange]) -> Result<(Channel, Consumer), TransportError> {
    let link = connection.link().await?;
    let channel = link.channel().await?;
    let own = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(ShortString::default(), own, FieldTable::default()).await?.name().clone();
    let wanted = EVENTS.iter().filter(|event| exchanges.contains(&event.exchange));
    try_join_all(wanted.map(|event| {
        let (exchange, key) = (event.exchange.name().into(), event.routing_key.into());
        channel.queue_bind(queue.clone(), exchange, key, QueueBindOptions::default(), FieldTable::default())
    }))
    .await?;
    let options = BasicConsumeOptions { no_ack: true, exclusive: true, ..BasicConsumeOptions::default() };
    let consumer = channel.basic_consume(queue, ShortString::default(), options, FieldTable::default()).await?;
    Ok((channel, consumer))
}

/// `Ok`: nobody listens any more.
async fn pour(mut consumer: Consumer, tell: &mpsc::Sender<Tapped>) -> Result<(), TransportError> {
    let mut gap = true;
    loop {
        let delivery = tokio::select! {
            biased;
            room = tell.reserve(), if gap => {
                let Ok(room) = room else { return Ok(()) };
                room.send(Tapped::Gap);
                gap = false;
                continue;
            }
            delivery = consumer.next() => delivery,
            () = tell.closed() => return Ok(()),
        };
        let delivery = delivery.ok_or_else(|| TransportError::Rabbit("the broker ended the tap".to_owned()))??;
        // Only the durable queues park what cannot be read.
        let Ok(envelope) = Envelope::parse(&delivery.data) else { continue };
        gap |= tell.try_send(Tapped::Event(Box::new(envelope))).is_err();
    }
}
