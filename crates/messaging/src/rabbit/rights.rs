//! What a service's login on the broker may do: what the service does, and no more.
//!
//! A service publishes to its own exchange, consumes its own queues, and sends its own messages to the retry queues,
//! which all services share. Through those it could send to any queue, as it could with the Postgres transport; take
//! from another service's queue it cannot.

use events::topology::{Exchange, QUEUES, Queue};

use super::topology::{BACK, tiers};

/// Three regular expressions on names of exchanges and queues, as RabbitMQ's permissions have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// What it may declare and delete.
    pub configure: String,
    /// Where it may publish, and which queues it may bind.
    pub write: String,
    /// What it may consume, and which exchanges it may bind queues to.
    pub read: String,
}

/// The rights of a service. The gateway's queues are named by the broker; who publishes and consumes nothing may log
/// in, so that it can tell whether the broker is there.
pub fn rights(service: &str) -> Rights {
    if service == "gateway" {
        let own = || vec![r"amq\.gen-.*".to_owned()];
        let read = own().into_iter().chain(Exchange::ALL.map(|exchange| exactly(exchange.name())));
        return Rights { configure: any_of(own()), write: any_of(own()), read: any_of(read.collect()) };
    }
    let queues: Vec<&Queue> = QUEUES.iter().filter(|queue| queue.service == service).collect();
    let published = Exchange::ALL.into_iter().filter(|exchange| exchange.publisher() == service);
    let own: Vec<String> =
        queues.iter().flat_map(|queue| [queue.name(), queue.dead_letter_queue()]).map(|name| exactly(&name)).collect();
    let dead: Vec<String> = queues.iter().map(|queue| exactly(&queue.dead_letter_exchange())).collect();
    let back = if queues.is_empty() { Vec::new() } else { vec![exactly(BACK)] };
    let retries = if queues.is_empty() { Vec::new() } else { tiers().map(|tier| exactly(&tier)).collect() };
    let sources: Vec<String> = queues.iter().map(|queue| exactly(queue.exchange.name())).collect();
    let publishes: Vec<String> = published.map(|exchange| exactly(exchange.name())).collect();
    Rights {
        configure: any_of(own.clone()),
        write: any_of([publishes, own.clone(), dead.clone(), back.clone(), retries].concat()),
        read: any_of([sources, own, dead, back].concat()),
    }
}

fn exactly(name: &str) -> String {
    name.replace('.', r"\.")
}

/// Matches nothing if there is nothing.
fn any_of(patterns: Vec<String>) -> String {
    if patterns.is_empty() { "^$".to_owned() } else { format!("^({})$", patterns.join("|")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_neither_publishes_nor_consumes_may_do_nothing() {
        assert_eq!(rights("users"), Rights { configure: "^$".into(), write: "^$".into(), read: "^$".into() });
    }

    #[test]
    fn every_exchange_has_one_publisher_and_every_queue_one_reader() {
        let services = ["users", "products", "cart", "orders", "payments", "analytics", "gateway"];
        for exchange in Exchange::ALL {
            let name = exactly(exchange.name());
            let writers: Vec<&str> =
                services.into_iter().filter(|service| allows(&rights(service).write, &name)).collect();
            assert_eq!(writers, [exchange.publisher()], "{exchange}");
        }
        for queue in QUEUES {
            let name = exactly(&queue.name());
            let readers: Vec<&str> =
                services.into_iter().filter(|service| allows(&rights(service).read, &name)).collect();
            assert_eq!(readers, [queue.service], "{}", queue.name());
        }
    }

    fn allows(pattern: &str, name: &str) -> bool {
        pattern.trim_start_matches("^(").trim_end_matches(")$").split('|').any(|allowed| allowed == name)
    }
}
