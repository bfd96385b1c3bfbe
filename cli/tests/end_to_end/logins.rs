//! Who logs in where: services with no more rights than they need, and commands that only look.

use std::time::Duration;

use crate::support::{Shop, Transport};
use service::Role;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn services_trade_without_the_owners_login() {
    let (shop, logins) = Shop::with_own_logins().await;
    let product = shop.client().signed_in(Role::Admin).create_product("Oolong", "4.20", 50).await;
    let shopper = shop.client().signed_in(Role::User);
    let cart = shopper.cart_with(&product, 1).await;
    let order = shopper.checkout(&cart, "pm_card_visa").await;
    shopper.order_in(&order, &["CONFIRMED"], SOON).await;

    let owner = shop.database.owner().await;
    let sql = "SELECT DISTINCT usename::text AS login FROM pg_stat_activity
               WHERE datname = current_database() AND application_name LIKE 'prost-%'";
    let rows = owner.query(sql, &[]).await.expect("look who is there");
    let present: Vec<String> = rows.iter().map(|row| row.get("login")).collect();
    assert!(!present.is_empty() && present.iter().all(|login| logins.contains(login)), "{present:?}");
    owner.batch_execute(&format!("DROP ROLE {}", logins.join(", "))).await.expect("drop the logins");
}

#[tokio::test]
async fn looking_at_migrations_makes_no_database() {
    let shop = Shop::migrated(Transport::Postgres).await;
    let nowhere = format!("{}_nowhere", shop.database.owner_url());
    let name = nowhere.rsplit('/').next().expect("a database").to_owned();
    let output = shop
        .command(&["migrate", "status", "--json"])
        .env("DATABASE_URL", &nowhere)
        .env("ANALYTICS_DATABASE_URL", format!("{nowhere}_too"))
        .output()
        .expect("run prost");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let steps: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let steps = steps.as_array().expect("a list");
    assert!(steps.len() > 10 && steps.iter().all(|step| step["applied_at"].is_null()), "{steps:?}");
    let sql = "SELECT count(*) AS made FROM pg_database WHERE datname LIKE $1 || '%'";
    let made: i64 = shop.database.owner().await.query_one(sql, &[&name]).await.expect("count").get("made");
    assert_eq!(made, 0);
}

#[tokio::test]
async fn every_schema_goes_down_and_up_again() {
    let shop = Shop::migrated(Transport::Postgres).await;
    let migrate = |arguments: &[&str]| {
        let output = shop.command(&[&["migrate", "--json"][..], arguments].concat()).output().expect("run prost");
        let steps = || serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON");
        output.status.success().then(|| steps().as_array().expect("a list").len())
    };
    let all = migrate(&["status"]).expect("look");
    assert_eq!(migrate(&["down", "--to", "0"]), None, "it would throw data away");
    assert_eq!(migrate(&["down", "--to", "0", "--allow-data-loss"]), Some(all));
    assert_eq!(migrate(&["up"]), Some(all));
}

#[tokio::test]
async fn psql_is_the_owners_shell_or_a_services_and_no_more() {
    let shop = Shop::migrated(Transport::Postgres).await;
    let ask = |service: &[&str], sql: &str| {
        let arguments = [&["psql"], service, &["--", "--no-align", "--tuples-only", "--command", sql]].concat();
        let output = shop.command(&arguments).output().expect("run prost");
        let said = |stream: &[u8]| String::from_utf8_lossy(stream).trim().to_owned();
        if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
    };
    let orders = ["--service", "orders"];
    assert_eq!(ask(&orders, "SELECT current_user, current_schema()"), Ok("prost_orders|orders".to_owned()));
    assert_eq!(ask(&orders, "SELECT count(*) FROM saga_states"), Ok("0".to_owned()), "its own schema, by name alone");
    for foreign in ["SELECT * FROM users.users", "DROP TABLE orders"] {
        let refusal = ask(&orders, foreign).expect_err("more than the service may");
        assert!(refusal.contains("permission denied") || refusal.contains("must be owner"), "{foreign}: {refusal}");
    }
    assert_eq!(ask(&[], "SELECT count(*) FROM users.users"), Ok("0".to_owned()), "the owner sees all");
    let nobody = shop.command(&["psql"]).env("DATABASE_URL", "postgres://somebody:s3cret@127.0.0.1:1/prost").output();
    let refusal = nobody.expect("run prost");
    assert!(!refusal.status.success() && !String::from_utf8_lossy(&refusal.stderr).contains("s3cret"));
}
