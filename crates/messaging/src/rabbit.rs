//! Messages over RabbitMQ.

use std::time::Duration;

use events::topology::{Exchange, Queue};

use crate::delivery::{Delivery, Outgoing, PublishError};
use crate::transport::{QueueDepth, Tapped, TransportError};

/// How to reach the broker.
#[derive(Debug, Clone)]
pub struct RabbitConfig {
    /// `amqp://user:password@host:port/vhost`
    pub url: String,
}

#[derive(Clone)]
pub(crate) struct RabbitTransport {
    config: RabbitConfig,
}

impl RabbitTransport {
    pub fn new(config: RabbitConfig) -> RabbitTransport {
        RabbitTransport { config }
    }
    pub async fn check(&self) -> Result<(), TransportError> {
        Err(TransportError::Rabbit(self.config.url.clone()))
    }
    pub async fn publish(&self, batch: &[Outgoing]) -> Vec<Result<(), PublishError>> {
        batch.iter().map(|_| Err(PublishError::Unreachable(String::new()))).collect()
    }
    pub async fn subscribe(&self, _queue: &Queue, _prefetch: u16) -> Result<RabbitReceiver, TransportError> {
        Err(TransportError::Rabbit(String::new()))
    }
    pub fn tap(&self, _exchanges: &[Exchange]) -> RabbitTap {
        RabbitTap {}
    }
    pub async fn depths(&self) -> Result<Vec<QueueDepth>, TransportError> {
        Err(TransportError::Rabbit(String::new()))
    }
}

#[derive(Clone)]
pub(crate) struct RabbitReceiver {}

impl RabbitReceiver {
    pub async fn receive(&self, _max: usize) -> Result<Vec<Delivery>, TransportError> {
        Err(TransportError::Rabbit(String::new()))
    }
    pub async fn settle(&self, _deliveries: &[Delivery]) -> Result<(), TransportError> {
        Err(TransportError::Rabbit(String::new()))
    }
    pub async fn retry(&self, _delivery: &Delivery, _delay: Duration) -> Result<(), TransportError> {
        Err(TransportError::Rabbit(String::new()))
    }
    pub async fn park(&self, _delivery: &Delivery, _reason: &str) -> Result<(), TransportError> {
        Err(TransportError::Rabbit(String::new()))
    }
}

pub(crate) struct RabbitTap {}

impl RabbitTap {
    pub async fn next(&mut self) -> Tapped {
        Tapped::Gap
    }
}
