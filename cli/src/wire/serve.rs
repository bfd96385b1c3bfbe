//! Puts services together and runs them until the shutdown.

use std::sync::Arc;
use std::time::Duration;

use analytics_client::AnalyticsApi;
use axum::Router;
use cart_client::CartApi;
use database::maintenance::{self, Retention};
use database::{Database, PoolLimits};
use messaging::{Brokers, Consumer, Relay, Transport, Wakes};
use operations::{Operations, OperationsApi};
use orders_client::OrdersApi;
use payments_client::PaymentsApi;
use products_client::ProductsApi;
use service::health::{Check, Standard, standard_routes};
use service::{Shutdown, server, telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use users_client::UsersApi;
use utoipa_axum::router::OpenApiRouter;

use super::settings::Messages;
use super::{Error, Settings, demo, schemas};
use crate::service_name::ServiceName;

/// After the servers have drained, consumers and relays get this long to finish what is in hand.
const FINISH: Duration = Duration::from_secs(20);

/// How long the test provider takes for `pm_test_slow`.
const SLOW_PAYMENT: Duration = Duration::from_secs(3);

/// Runs services in this process until `shutdown`, then drains them: no new requests and messages, what is
/// in flight is finished, outboxes are emptied.
pub async fn serve(settings: Settings, services: &[ServiceName], shutdown: CancellationToken) -> Result<(), Error> {
    settings.check_serving(services)?;
    let listeners = listen(&settings, services).await?;
    let mut process = Process::new(&settings, services, shutdown.clone())?;
    let mut servers = tokio::task::JoinSet::new();
    for (service, listener) in listeners {
        let router = process.mount(service).await?;
        let app = server::app(router, settings.app(service)?);
        let token = shutdown.clone();
        servers.spawn(async move { server::serve(listener, app, token, server::DRAIN_TIMEOUT).await });
    }
    tracing::info!(services = ?services, "serving");
    while let Some(ended) = servers.join_next().await {
        if let Ok(Err(error)) = ended {
            tracing::error!(%error, "a server ended");
        }
    }
    if !process.sockets.wait(server::DRAIN_TIMEOUT).await {
        tracing::warn!("some live views did not close in time");
    }
    // Requests are done; what they recorded still leaves through the relays.
    if !process.tasks.wait(FINISH).await {
        tracing::warn!("some tasks did not finish in time; what they had in hand is delivered again at the next start");
    }
    Ok(())
}

/// Opens every port before anything else starts. In the order in which services depend on each other.
async fn listen(settings: &Settings, services: &[ServiceName]) -> Result<Vec<(ServiceName, TcpListener)>, Error> {
    let mut listeners = Vec::with_capacity(services.len());
    for service in DEPENDENCIES_FIRST.into_iter().filter(|service| services.contains(service)) {
        let address = format!("{}:{}", settings.host(), settings.port(service)?);
        let listener = TcpListener::bind(&address).await.map_err(|error| Error::Listen {
            service,
            address: address.clone(),
            error,
        })?;
        tracing::info!(%service, address, "listening");
        listeners.push((service, listener));
    }
    Ok(listeners)
}

/// Cart asks products, orders asks cart and payments, the gateway asks all.
const DEPENDENCIES_FIRST: [ServiceName; 7] = [
    ServiceName::Users,
    ServiceName::Products,
    ServiceName::Cart,
    ServiceName::Payments,
    ServiceName::Orders,
    ServiceName::Analytics,
    ServiceName::Gateway,
];

/// A service's pool, after its schema was checked.
pub async fn open_database(settings: &Settings, service: ServiceName) -> Result<Database, Error> {
    let database = Database::connect(&settings.login(service)?, &settings.pool_limits(service)?)?;
    schemas::check(&database, service).await?;
    Ok(database)
}

/// The products service with the cache that the settings name.
pub async fn catalogue(settings: &Settings, database: Database) -> Result<Arc<products::Products>, Error> {
    let config = settings.tunables.products.clone();
    Ok(match settings.redis_url() {
        Some(url) => {
            let cache = products::redis_cache(&database, &url).await?;
            products::Products::with_cache(database, config, cache)
        }
        None => products::Products::new(database, config),
    })
}

/// Whom services ask: directly where the other runs in this process, over HTTP elsewhere. A local one is there
/// once it is mounted, which is before anybody who asks it.
#[derive(Default)]
struct Clients {
    users: Option<Arc<dyn UsersApi>>,
    products: Option<Arc<dyn ProductsApi>>,
    cart: Option<Arc<dyn CartApi>>,
    orders: Option<Arc<dyn OrdersApi>>,
    payments: Option<Arc<dyn PaymentsApi>>,
    analytics: Option<Arc<dyn AnalyticsApi>>,
    /// For operators, of every service that has a database.
    operations: Vec<gateway::Operated>,
}

impl Clients {
    /// Clients of the services that run elsewhere.
    fn over_http(settings: &Settings, services: &[ServiceName]) -> Result<Clients, Error> {
        let elsewhere = |service: ServiceName| -> Result<Option<String>, Error> {
            let local = services.contains(&service) && settings.url(service).is_none();
            if local { Ok(None) } else { settings.url_or_default(service).map(Some) }
        };
        let mut clients = Clients::default();
        if let Some(url) = elsewhere(ServiceName::Users)? {
            clients.users = Some(Arc::new(users_client::Http::new(&url)?));
        }
        if let Some(url) = elsewhere(ServiceName::Products)? {
            clients.products = Some(Arc::new(products_client::Http::new(&url)?));
        }
        if let Some(url) = elsewhere(ServiceName::Cart)? {
            clients.cart = Some(Arc::new(cart_client::Http::new(&url)?));
        }
        if let Some(url) = elsewhere(ServiceName::Orders)? {
            clients.orders = Some(Arc::new(orders_client::Http::new(&url)?));
        }
        if let Some(url) = elsewhere(ServiceName::Payments)? {
            clients.payments = Some(Arc::new(payments_client::Http::new(&url)?));
        }
        if let Some(url) = elsewhere(ServiceName::Analytics)? {
            clients.analytics = Some(Arc::new(analytics_client::Http::new(&url)?));
        }
        for service in Settings::with_database() {
            if let Some(url) = elsewhere(service)? {
                clients.operate(service, Arc::new(operations::Http::new(service.as_str(), &url)?));
            }
        }
        Ok(clients)
    }

    fn operate(&mut self, service: ServiceName, api: Arc<dyn OperationsApi>) {
        self.operations.push(gateway::Operated { service: service.as_str(), api });
    }

    fn all(&self) -> gateway::Clients {
        gateway::Clients {
            users: mounted(&self.users),
            products: mounted(&self.products),
            cart: mounted(&self.cart),
            orders: mounted(&self.orders),
            payments: mounted(&self.payments),
            analytics: mounted(&self.analytics),
            operations: self.operations.clone(),
        }
    }
}

fn mounted<T: ?Sized>(client: &Option<Arc<T>>) -> Arc<T> {
    client.clone().expect("services are mounted after those that they ask")
}

/// What the services of this process share.
struct Process<'a> {
    settings: &'a Settings,
    clients: Clients,
    /// Servers and sockets stop when this is cancelled.
    shutdown: CancellationToken,
    /// Live views and WebSockets: closed with the servers.
    sockets: Shutdown,
    /// Consumers, relays and workers: stopped after the servers, and waited for.
    tasks: Shutdown,
    wakes: Wakes,
    brokers: Brokers,
}

impl<'a> Process<'a> {
    fn new(
        settings: &'a Settings,
        services: &[ServiceName],
        shutdown: CancellationToken,
    ) -> Result<Process<'a>, Error> {
        let tasks = Shutdown::new();
        tasks.spawn("metrics", telemetry::metrics_upkeep(tasks.token()));
        let alone = services.len() == ServiceName::ALL.len();
        let wakes = match services.first().map(|any| (any, settings.messages(*any))) {
            // Hints of other processes; none to hear where everything runs in this one.
            Some((any, Messages::Postgres)) if !alone => {
                Wakes::listening(settings.messages_login(*any)?, tasks.token())
            }
            Some((_, Messages::Postgres | Messages::Rabbit(_))) | None => Wakes::new(),
        };
        let sockets = Shutdown::new();
        let (begun, closing) = (shutdown.clone(), sockets.clone());
        tokio::spawn(async move {
            begun.cancelled().await;
            closing.begin();
        });
        let (clients, brokers) = (Clients::over_http(settings, services)?, Brokers::default());
        Ok(Process { settings, clients, shutdown, sockets, tasks, wakes, brokers })
    }

    /// Builds a service, starts its tasks, and returns its routes.
    async fn mount(&mut self, service: ServiceName) -> Result<Router, Error> {
        if service == ServiceName::Gateway {
            return self.mount_gateway().await;
        }
        let database = open_database(self.settings, service).await?;
        let transport = self.transport(service, &database)?;
        let (routes, consumers) = self.build(service, database.clone()).await?;
        let operations = Operations::new(service.as_str(), database.clone(), transport.clone());
        if self.settings.url(service).is_none() {
            self.clients.operate(service, operations.clone());
        }
        self.tasks.spawn("sampling", operations::sample(operations.clone(), self.tasks.token()));
        let routes = routes.merge(operations::router(operations));
        for consumer in consumers {
            let name = format!("consumer of {}", consumer.queue.name());
            self.tasks.spawn(name, consumer.run(transport.clone(), self.tasks.token()));
        }
        if !matches!(service, ServiceName::Users | ServiceName::Analytics) {
            let relay = Relay::new(service.as_str(), database.clone(), transport.clone());
            self.tasks.spawn("relay", relay.run(self.tasks.token()));
        }
        self.tasks.spawn(
            "maintenance",
            maintain(database.clone(), self.settings.tunables.retention.clone(), self.tasks.token()),
        );
        let checks = vec![database_check(database), transport_check(transport)];
        Ok(self.with_standard_routes(service, routes, checks))
    }

    /// The service itself: built once, a local client for whoever is mounted later.
    async fn build(
        &mut self,
        service: ServiceName,
        database: Database,
    ) -> Result<(OpenApiRouter, Vec<Consumer>), Error> {
        let tunables = &self.settings.tunables;
        let token = self.tasks.token();
        Ok(match service {
            ServiceName::Users => {
                let users = users::Users::new(database, self.settings.keys()?, tunables.users.clone());
                self.clients.users.get_or_insert_with(|| users.clone());
                self.tasks.spawn("users", users::background(users.clone(), token));
                (users::router(users.clone()), users::consumers(&users))
            }
            ServiceName::Products => {
                let products = catalogue(self.settings, database).await?;
                products.join().await?;
                self.clients.products.get_or_insert_with(|| products.clone());
                self.tasks.spawn("products", products::background(products.clone(), token));
                (products::router(products.clone()), products::consumers(&products))
            }
            ServiceName::Cart => {
                let asked = mounted(&self.clients.products);
                let cart = cart::Carts::new(database, asked, tunables.cart.clone());
                self.clients.cart.get_or_insert_with(|| cart.clone());
                self.tasks.spawn("cart", cart::background(cart.clone(), token));
                (cart::router(cart.clone()), cart::consumers(&cart))
            }
            ServiceName::Orders => {
                let orders = orders::Orders::new(database, mounted(&self.clients.cart), tunables.orders.clone());
                self.clients.orders.get_or_insert_with(|| orders.clone());
                let (payments, keys) = (mounted(&self.clients.payments), self.settings.keys()?);
                self.tasks.spawn("orders", orders::background(orders.clone(), token.clone()));
                self.tasks.spawn("reconciliation", orders::reconcile(orders.clone(), payments, keys, token));
                (orders::router(orders.clone()), orders::consumers(&orders))
            }
            ServiceName::Payments => {
                let provider = Arc::new(payments::TestProvider::new(database.clone(), SLOW_PAYMENT));
                let payments = payments::Payments::new(database, provider, tunables.payments.clone());
                self.clients.payments.get_or_insert_with(|| payments.clone());
                self.tasks.spawn("payments", payments::background(payments.clone(), token));
                (payments::router(payments.clone()), payments::consumers(&payments))
            }
            ServiceName::Analytics => {
                let analytics = analytics::Analytics::new(database, tunables.analytics.clone());
                self.clients.analytics.get_or_insert_with(|| analytics.clone());
                (analytics::router(analytics.clone()), analytics::consumers(&analytics))
            }
            ServiceName::Gateway => unreachable!("the gateway is mounted by mount_gateway"),
        })
    }
}

impl Process<'_> {
    /// How a service's messages travel. With the Postgres transport, a service whose tables lie in the owner's
    /// database uses one pool for both: then effect and acknowledgement are one commit.
    fn transport(&self, service: ServiceName, database: &Database) -> Result<Transport, Error> {
        match self.settings.messages(service) {
            Messages::Rabbit(login) => Ok(self.brokers.transport(login)),
            Messages::Postgres if self.settings.shares_owner_database(service) => {
                let transport = Transport::postgres(database.clone(), self.wakes.clone());
                transport.carry_straight(database);
                Ok(transport)
            }
            Messages::Postgres => self.messages_elsewhere(service),
        }
    }

    /// For analytics, whose tables lie in another database, and for the gateway, which has none.
    fn messages_elsewhere(&self, service: ServiceName) -> Result<Transport, Error> {
        let limits = PoolLimits { max: 4, warm: 1, ..self.settings.pool_limits(service)? };
        let database = Database::connect(&self.settings.messages_login(service)?, &limits)?;
        Ok(Transport::postgres(database, self.wakes.clone()))
    }

    async fn mount_gateway(&self) -> Result<Router, Error> {
        let transport = match self.settings.messages(ServiceName::Gateway) {
            Messages::Rabbit(login) => self.brokers.transport(login),
            Messages::Postgres => self.messages_elsewhere(ServiceName::Gateway)?,
        };
        let tap = gateway::tap_source(transport.clone());
        let demo = self.settings.is_demo()?.then(|| demo::of_gateway(transport.clone()));
        let config = gateway::GatewayConfig { demo, ..self.settings.gateway()? };
        let gateway = gateway::Gateway::new(self.clients.all(), tap, config, self.sockets.clone());
        let router = gateway::router(gateway);
        let standard = self.standard(ServiceName::Gateway, vec![transport_check(transport)]);
        Ok(router.merge(standard_routes(standard, gateway::openapi())))
    }

    fn with_standard_routes(&self, service: ServiceName, routes: OpenApiRouter, checks: Vec<Check>) -> Router {
        let (router, openapi) = routes.split_for_parts();
        router.merge(standard_routes(self.standard(service, checks), openapi))
    }

    fn standard(&self, service: ServiceName, checks: Vec<Check>) -> Standard {
        Standard {
            service: service.as_str(),
            version: env!("CARGO_PKG_VERSION"),
            checks,
            shutdown: self.shutdown.clone(),
        }
    }
}

fn database_check(database: Database) -> Check {
    Check::new("database", move || {
        let database = database.clone();
        async move { database.read().await?.query_one("SELECT 1", &[]).await.map(|_| ()) }
    })
}

fn transport_check(transport: Transport) -> Check {
    Check::new("messages", move || {
        let transport = transport.clone();
        async move { transport.check().await }
    })
}

/// Keeps a schema's own tables bounded, now and then every hour.
async fn maintain(database: Database, keep: Retention, shutdown: CancellationToken) {
    loop {
        if let Err(error) = maintenance::run_once(&database, &keep).await {
            tracing::warn!(schema = database.schema(), %error, "maintenance failed; the next round tries again");
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(3600)) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
