//! Looking into RabbitMQ's queues, and making time pass in them.

use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicNackOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::AMQPValue;
use lapin::{Channel, Connection, ConnectionProperties};

const TIERS: [&str; 3] = ["prost.retry.1s", "prost.retry.10s", "prost.retry.60s"];

async fn connect(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("connect to RabbitMQ");
    let channel = connection.create_channel().await.expect("open a channel");
    (connection, channel)
}

async fn take(channel: &Channel, queue: &str) -> Option<BasicGetMessage> {
    channel.basic_get(queue.into(), BasicGetOptions::default()).await.expect("get a message")
}

/// Bodies and reasons of what is parked, oldest first. They stay where they are.
pub async fn dead_letters(url: &str, queue: &str) -> Vec<(String, String)> {
    let (connection, channel) = connect(url).await;
    let mut dead = Vec::new();
    let mut last = None;
    while let Some(message) = take(&channel, queue).await {
        let headers = message.properties.headers().as_ref();
        let reason = match headers.and_then(|headers| headers.inner().get("x-prost-reason")) {
            Some(AMQPValue::LongString(reason)) => reason.to_string(),
            other => panic!("a dead letter without a reason: {other:?}"),
        };
        dead.push((String::from_utf8_lossy(&message.data).into_owned(), reason));
        last = Some(message.delivery_tag);
    }
    if let Some(tag) = last {
        channel.basic_nack(tag, BasicNackOptions { multiple: true, requeue: true }).await.expect("put back");
    }
    connection.close(200, "done".into()).await.expect("close");
    dead
}

/// What waits for its next try comes back now, as when its time is up.
#[expect(clippy::disallowed_methods, reason = "stands in for the broker's clock")]
pub async fn end_all_delays(url: &str) {
    let (connection, channel) = connect(url).await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("select confirms");
    for tier in TIERS {
        while let Some(message) = take(&channel, tier).await {
            let (key, options) =
                (message.routing_key.clone(), BasicPublishOptions { mandatory: true, ..Default::default() });
            let confirm = channel
                .basic_publish("prost.retry.back".into(), key, options, &message.data, message.properties.clone())
                .await
                .expect("publish")
                .await
                .expect("confirm");
            assert!(matches!(confirm, lapin::Confirmation::Ack(None)), "{confirm:?}");
            channel.basic_ack(message.delivery_tag, BasicAckOptions::default()).await.expect("ack");
        }
    }
    connection.close(200, "done".into()).await.expect("close");
}
