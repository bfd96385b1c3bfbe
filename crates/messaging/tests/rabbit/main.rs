//! What is RabbitMQ's own: confirms and returns, alarms, connections and channels that end, retry queues,
//! dead letters. What both transports promise is in the suite `messaging`.

mod broker;
mod consuming;
mod meddler;
mod outages;
mod publishing;
mod shop;
