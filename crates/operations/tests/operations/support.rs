//! The service orders with one table of effects, its operations served over HTTP, and who calls.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use database::{Connection, Database};
use events::topology::{QUEUES, Queue};
use events::{CorrelationId, Draft, Envelope, EventId, OrderId, StockReleased, UserId};
use messaging::{Consumer, Handler, HandlerError, Transport};
use operations::{Act, ActFilter, DeadLetter, DeadLetterFilter, Http, Operations, OperationsApi};
use service::server::{self, AppConfig};
use service::{Caller, Claims, PageQuery, Role, TokenKeys};
use testkit::{TestBroker, TestDatabase, eventually, foundation_with};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

pub const LIMIT: Duration = Duration::from_secs(30);
const SECRET: &str = "a secret of tests that is long enough";
const TABLES: &str = "CREATE TABLE effects (event_id uuid NOT NULL)";

#[derive(Clone, Copy)]
pub enum Kind {
    Postgres,
    Rabbit,
}

pub struct Shop {
    pub db: TestDatabase,
    pub database: Database,
    pub transport: Transport,
    pub broker: Option<TestBroker>,
    /// The operations, over HTTP.
    pub http: Http,
    /// Where they are served.
    pub url: String,
    keys: TokenKeys,
    _server: DropGuard,
}

/// Rejects everything, or writes its effect.
pub struct Hands {
    pub reject: bool,
}

#[async_trait]
impl Handler for Hands {
    async fn handle(&self, tx: &Connection, batch: &[Envelope]) -> Result<(), HandlerError> {
        for envelope in batch {
            if self.reject {
                return Err(HandlerError::Reject("a fault that will be mended".to_owned()));
            }
            tx.execute("INSERT INTO effects (event_id) VALUES ($1)", &[&envelope.event_id]).await?;
        }
        Ok(())
    }
}

pub fn queue() -> &'static Queue {
    QUEUES.iter().find(|queue| queue.name() == "orders.products.events.queue").expect("in the topology")
}

impl Shop {
    pub async fn new(kind: Kind) -> Shop {
        let db = TestDatabase::new(&[foundation_with("orders", "orders", TABLES)]).await;
        let database = db.database("orders", "orders");
        let broker = match kind {
            Kind::Postgres => None,
            Kind::Rabbit => Some(TestBroker::new().await),
        };
        let transport = broker.as_ref().map_or_else(|| db.transport(&database), TestBroker::transport);
        eventually(LIMIT, || async { transport.depths().await.map(drop).map_err(|error| error.to_string()) }).await;

        let keys = TokenKeys::new(SECRET, None).expect("long enough");
        let operations = Operations::new("orders", database.clone(), transport.clone());
        let (router, _) = operations::router(operations).split_for_parts();
        let app = server::app(router, AppConfig::new("orders", keys.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let end = CancellationToken::new();
        tokio::spawn(server::serve(listener, app, end.clone(), Duration::from_secs(1)));
        let http = Http::new("orders", &url).expect("a URL");
        Shop { db, database, transport, broker, http, url, keys, _server: end.drop_guard() }
    }

    pub fn caller(&self, role: Role) -> Caller {
        let id = UserId::new();
        let token = self.keys.sign(&Claims::new(id, "ada@example.com", "ada", role)).expect("sign");
        Caller::anonymous(CorrelationId::new()).with_token(&self.keys, token.reveal()).expect("valid")
    }

    pub fn token(&self, role: Role) -> String {
        self.caller(role).token.expect("signed in").reveal().to_owned()
    }

    /// A consumer, until dropped.
    pub fn consumer(&self, hands: Hands) -> DropGuard {
        let end = CancellationToken::new();
        let consumer = Consumer { queue: queue(), database: self.database.clone(), handler: Arc::new(hands) };
        tokio::spawn(consumer.run(self.transport.clone(), end.clone()));
        end.drop_guard()
    }

    pub async fn publish(&self, bodies: &[String]) {
        let key = "product.stock_released";
        match &self.broker {
            None => {
                let owner = self.db.owner().await;
                for body in bodies {
                    testkit::publish_to_postgres(&owner, "products.events", key, body).await;
                }
            }
            Some(broker) => {
                let messages: Vec<(&str, &[u8])> = bodies.iter().map(|body| (key, body.as_bytes())).collect();
                testkit::publish_to_rabbit(broker.url(), "products.events", &messages).await;
            }
        }
    }

    /// Parks these bodies, and waits until they are listed.
    pub async fn park(&self, bodies: &[String]) -> Vec<DeadLetter> {
        let _fault = self.consumer(Hands { reject: true });
        self.publish(bodies).await;
        self.until_listed(bodies.len()).await
    }

    pub async fn until_listed(&self, count: usize) -> Vec<DeadLetter> {
        let admin = self.caller(Role::Admin);
        eventually(LIMIT, || async {
            let filter = DeadLetterFilter { queue: Some(queue().name()), about: None };
            let found = self.http.dead_letters(&admin, filter, PageQuery::first(100)).await;
            let found = found.map_err(|error| error.to_string())?;
            if found.items.len() == count && found.total == count as i64 {
                Ok(found.items)
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await
    }

    pub async fn acts(&self) -> Vec<Act> {
        let admin = self.caller(Role::Admin);
        self.http.acts(&admin, ActFilter::default(), PageQuery::first(100)).await.expect("the trail").items
    }

    pub async fn effects(&self, event: EventId) -> i64 {
        let db = self.database.read().await.expect("connect");
        let sql = "SELECT count(*) AS effects FROM effects WHERE event_id = $1";
        db.query_one(sql, &[&event]).await.expect("count").get("effects")
    }
}

pub fn draft() -> Draft {
    let event = StockReleased { order_id: OrderId::new(), reservation_id: None, lines: Vec::new() };
    Draft::new(&event, 1, CorrelationId::new(), "products")
}

pub fn body(draft: &Draft) -> String {
    serde_json::to_string(&draft.envelope).expect("an envelope is JSON")
}
