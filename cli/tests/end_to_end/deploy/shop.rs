//! The deployed shop: it sells, each login may do its service's work, and one service alone starts with what it needs.

use std::time::Duration;

use testkit::{connect, may_consume, may_publish};

use super::containers::Deployment;
use crate::support::Client;
use service::Role;

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_deployed_shop_sells_with_the_rights_of_each_service() {
    let mut deployment = Deployment::prepare().await;
    deployment.up(&["gateway"]).await;
    let client = Client::new(deployment.gateway());
    let product = client.signed_in(Role::Admin).create_product("Oolong", "4.20", 50).await;
    let shopper = client.signed_in(Role::User);
    for (method, end) in [("pm_card_visa", "CONFIRMED"), ("pm_card_chargeDeclined", "COMPENSATED")] {
        let cart = shopper.cart_with(&product, 1).await;
        let order = shopper.checkout(&cart, method).await;
        shopper.order_in(&order, &[end], SOON).await;
    }
    operators_work_beside_it(&deployment);
    brokers_logins_are_confined(&deployment).await;
    databases_logins_are_confined(&deployment).await;

    // Applied again, as at the next deploy, it changes nothing.
    deployment.up(&["migrate"]).await;
    let cart = shopper.cart_with(&product, 1).await;
    let order = shopper.checkout(&cart, "pm_card_visa").await;
    shopper.order_in(&order, &["CONFIRMED"], SOON).await;

    for name in ["gateway", "orders", "cart", "products", "users", "payments", "analytics"] {
        deployment.stop(name).await;
        assert!(!deployment.health(name).status.success(), "{name} is stopped, and healthy");
    }
}

/// What the handbook runs in the container that migrates, and what needs more than the databases' logins.
fn operators_work_beside_it(deployment: &Deployment) {
    const RUN: &str = "docker compose -f deploy/compose.yaml run --rm migrate ";
    let handbook = include_str!("../../../../docs/operations.md");
    let lines: Vec<&str> = handbook.lines().filter_map(|line| line.strip_prefix(RUN)).collect();
    assert!(lines.len() > 5, "only {lines:?}");
    for line in lines {
        let arguments: Vec<&str> =
            line.split_whitespace().map(|word| if word == "EMAIL" { "demo@prost.example" } else { word }).collect();
        let output = deployment.run("migrate", &arguments);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty(), "{line} says nothing");
    }
}

async fn brokers_logins_are_confined(deployment: &Deployment) {
    let cart = deployment.login("cart", "CART_AMQP_URL");
    assert_eq!(may_consume(&cart, "cart.orders.events.queue").await, Ok(()));
    assert_eq!(may_publish(&cart, "cart.events").await, Ok(()));
    for queue in ["orders.cart.events.queue", "orders.cart.events.dlq", "products.orders.events.queue"] {
        let refusal = may_consume(&cart, queue).await.expect_err("the queue of another service");
        assert!(refusal.contains("ACCESS"), "{queue}: {refusal}");
    }
    for exchange in ["orders.events", "payments.events", "orders.cart.events.dlx"] {
        let refusal = may_publish(&cart, exchange).await.expect_err("the exchange of another service");
        assert!(refusal.contains("ACCESS"), "{exchange}: {refusal}");
    }
    let users = deployment.login("users", "USERS_AMQP_URL");
    assert!(may_consume(&users, "orders.cart.events.queue").await.is_err());
    assert!(may_publish(&users, "orders.events").await.is_err());
    let gateway = deployment.login("gateway", "GATEWAY_AMQP_URL");
    assert!(may_publish(&gateway, "orders.events").await.is_err());
}

async fn databases_logins_are_confined(deployment: &Deployment) {
    let cart = connect(&deployment.login("cart", "CART_DATABASE_URL")).await;
    cart.query("SELECT id FROM cart.carts", &[]).await.expect("its own table");
    for foreign in ["orders.orders", "users.users", "payments.payments", "catalog.products", "messaging.messages"] {
        let sql = format!("SELECT 1 FROM {foreign} LIMIT 1");
        let refusal = cart.query(&sql, &[]).await.expect_err("the table of another service");
        assert_eq!(refusal.code().map(|code| code.code()), Some("42501"), "{foreign}: {refusal:?}");
    }
    for forbidden in ["CREATE TABLE cart.mine (id int)", "SET ROLE prost_orders", "DELETE FROM cart.events"] {
        assert!(cart.batch_execute(forbidden).await.is_err(), "{forbidden}");
    }
    let analytics = deployment.login("analytics", "ANALYTICS_DATABASE_URL");
    connect(&analytics).await.query("SELECT 1 FROM reports LIMIT 1", &[]).await.expect("its own table");
}

/// As `docs/operations.md` says it.
#[tokio::test]
async fn secrets_are_rotated_without_logging_anybody_out() {
    const APART: [&str; 7] = ["users", "products", "cart", "orders", "payments", "analytics", "gateway"];
    let mut deployment = Deployment::prepare().await;
    deployment.up(&["gateway"]).await;
    let client = Client::new(deployment.gateway());
    let product = client.signed_in(Role::Admin).create_product("Sencha", "7.20", 50).await;
    let shopper = client.signed_in(Role::User);
    let sells = async || {
        let cart = shopper.cart_with(&product, 1).await;
        let order = shopper.checkout(&cart, "pm_card_visa").await;
        shopper.order_in(&order, &["CONFIRMED"], SOON).await;
    };

    let passwords = [("CART_DB_PASSWORD", "cart"), ("ORDERS_MQ_PASSWORD", "orders")];
    for (variable, _) in passwords {
        deployment.edit(variable, &uuid::Uuid::new_v4().simple().to_string());
    }
    for name in ["definitions", "rabbitmq", "migrate"] {
        deployment.recreate(name).await;
    }
    sells().await;
    for (_, service) in passwords {
        deployment.recreate(service).await;
    }
    sells().await;

    let (old, new) = (deployment.variable("JWT_SECRET"), "another secret of end-to-end tests, long enough");
    for (present, previous) in [(old.as_str(), new), (new, old.as_str())] {
        deployment.edit("JWT_SECRET", present);
        deployment.edit("JWT_SECRET_PREVIOUS", previous);
        for name in APART {
            deployment.recreate(name).await;
            sells().await;
        }
    }
}

#[tokio::test]
async fn one_service_alone_starts_with_what_it_needs() {
    let mut deployment = Deployment::prepare().await;
    deployment.up(&["cart"]).await;
    assert_eq!(deployment.running(), ["cart", "products", "redis"]);
    deployment.stop("cart").await;
}
