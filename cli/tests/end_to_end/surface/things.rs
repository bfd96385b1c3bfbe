//! What operations are about: made anew for an owner, and written into the places of a template that name it.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use service::Role;
use testkit::eventually;
use uuid::Uuid;

use super::operations::PNG;
use super::{Person, World};

/// Everybody's.
pub const PASSWORD: &str = "correct horse battery";

const PATIENCE: Duration = Duration::from_secs(60);

/// An address whose every line is somebody's secret.
pub fn address() -> Value {
    json!({"full_name": "Ada Private", "line1": "1 Hidden Lane", "city": "Secretville", "postal_code": "N1 9GU",
           "country_code": "GB", "phone": "+44 20 5550 1234"})
}

/// The things of one owner, made when they are first named.
pub struct Things<'a> {
    world: &'a World,
    service: &'a str,
    owner: &'a Person,
    made: BTreeMap<String, String>,
}

impl<'a> Things<'a> {
    pub fn of(world: &'a World, service: &'a str, owner: &'a Person) -> Things<'a> {
        Things { world, service, owner, made: BTreeMap::new() }
    }

    /// What nobody but the owner and admins may be shown.
    pub fn markers(&self) -> Vec<String> {
        let public = ["product", "category", "unique", "sku", "uuid", "picture", "upload", "queue", "event", "letter"];
        let own = self.made.iter().filter(|(name, _)| !public.contains(&name.as_str()));
        let address = address();
        let lines =
            ["full_name", "line1", "city", "phone"].map(|line| address[line].as_str().expect("a line").to_owned());
        self.owner.markers().into_iter().chain(own.map(|(_, value)| value.clone())).chain(lines).collect()
    }

    /// A text in which `$name` stands for a thing.
    pub async fn fill(&mut self, template: &str) -> String {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            let end = after.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(after.len());
            filled += before;
            filled += &self.get(&after[..end]).await;
            rest = &after[end..];
        }
        filled + rest
    }

    /// The same for every text of a JSON value.
    pub async fn fill_json(&mut self, template: &Value) -> Value {
        let text = self.fill(&template.to_string()).await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    async fn get(&mut self, name: &str) -> String {
        if let Some(known) = self.made.get(name) {
            return known.clone();
        }
        self.make(name).await;
        self.made.get(name).unwrap_or_else(|| panic!("nobody knows how to make a {name}")).clone()
    }

    async fn make(&mut self, name: &str) {
        let unique = Uuid::now_v7().simple().to_string();
        let simple = match name {
            "unique" | "sku" => unique,
            "uuid" => Uuid::now_v7().to_string(),
            "user" => self.owner.id.to_string(),
            "email" => self.owner.email.clone(),
            "password" => PASSWORD.to_owned(),
            "product" => self.product().await,
            "category" => self.category().await,
            "picture" => self.picture().await,
            "upload" => self.upload().await,
            "refresh" => self.refresh_token().await,
            "event" => self.failed_event().await,
            "letter" | "queue" => return self.letter().await,
            "cart" | "item" => return self.cart().await,
            "order" | "payment" => return self.order().await,
            "shipped" => return self.shipped().await,
            "stuck" => return self.stuck().await,
            _ => return,
        };
        self.made.insert(name.to_owned(), simple);
    }

    async fn product(&self) -> String {
        let admin = self.world.person(Role::Admin).await;
        let product = json!({"name": "Oolong", "sku": Uuid::now_v7().simple().to_string(), "stock_quantity": 50,
                             "price": {"amount": "4.20", "currency": "EUR"}});
        let request = self.world.ask("products", Method::POST, "/products").bearer_auth(&admin.token).json(&product);
        id_of(&self.world.succeed(request).await.json)
    }

    async fn category(&self) -> String {
        let admin = self.world.person(Role::Admin).await;
        let category = json!({"name": Uuid::now_v7().simple().to_string()});
        let request = self.world.ask("products", Method::POST, "/categories").bearer_auth(&admin.token).json(&category);
        id_of(&self.world.succeed(request).await.json)
    }

    async fn picture(&self) -> String {
        let file = format!("{}.svg", Uuid::now_v7().simple());
        let sql = "INSERT INTO catalog.pictures (file, content_type, etag, bytes) VALUES ($1, 'image/svg+xml', '\"1\"', '<svg/>')";
        self.world.database.execute(sql, &[&file]).await.expect("store a picture");
        file
    }

    async fn upload(&self) -> String {
        let admin = self.world.person(Role::Admin).await;
        let request = self.world.ask("products", Method::POST, "/pictures").bearer_auth(&admin.token);
        let answer = self.world.succeed(request.header("content-type", "image/png").body(PNG)).await.json;
        answer["url"].as_str().and_then(|url| url.rsplit('/').next()).expect("a file").to_owned()
    }

    async fn refresh_token(&self) -> String {
        let login = json!({"email": self.owner.email, "password": PASSWORD});
        let answer = self.world.succeed(self.world.ask("users", Method::POST, "/login").json(&login)).await;
        answer.json["refresh_token"].as_str().expect("a refresh token").to_owned()
    }

    async fn cart(&mut self) {
        let product = self.product().await;
        let add = json!({"product_id": product, "quantity": 2});
        let request = self.world.ask("cart", Method::POST, "/cart/items").bearer_auth(&self.owner.token).json(&add);
        let cart = self.world.succeed(request).await.json;
        self.made.insert("cart".to_owned(), id_of(&cart));
        self.made.insert("item".to_owned(), id_of(&cart["items"][0]));
    }

    /// A confirmed order, and its payment.
    async fn order(&mut self) {
        self.cart().await;
        let place =
            json!({"cart_id": self.made["cart"], "payment_method": "pm_card_visa", "shipping_address": address()});
        let request = self.world.ask("orders", Method::POST, "/orders").bearer_auth(&self.owner.token).json(&place);
        let order = id_of(&self.world.succeed(request).await.json);
        let uri = format!("/orders/{order}");
        eventually(PATIENCE, || async {
            let request = self.world.ask("orders", Method::GET, &uri).bearer_auth(&self.owner.token);
            let status = self.world.send(request).await?.json["status"].clone();
            if status == "CONFIRMED" { Ok(()) } else { Err(format!("the order is {status}")) }
        })
        .await;
        let uri = format!("/payments?order_id={order}");
        let request = self.world.ask("payments", Method::GET, &uri).bearer_auth(&self.owner.token);
        let payment = id_of(&self.world.succeed(request).await.json["items"][0]);
        self.made.insert("order".to_owned(), order);
        self.made.insert("payment".to_owned(), payment);
    }

    async fn shipped(&mut self) {
        self.order().await;
        let admin = self.world.person(Role::Admin).await;
        let uri = format!("/orders/{}/ship", self.made["order"]);
        self.world.succeed(self.world.ask("orders", Method::POST, &uri).bearer_auth(&admin.token)).await;
        self.made.insert("shipped".to_owned(), self.made["order"].clone());
    }

    /// An order whose saga gave up.
    async fn stuck(&mut self) {
        self.order().await;
        let order = self.made["order"].clone();
        let sql = format!(
            "UPDATE orders.saga_states SET status = 'STUCK', ending = 'FAILURE', compensation_log = '{{REOPEN}}', asked = 10
             WHERE order_id = '{order}';
             UPDATE orders.orders SET status = 'FAILED' WHERE id = '{order}'"
        );
        self.world.database.batch_execute(&sql).await.expect("stick a saga");
        self.made.insert("stuck".to_owned(), order);
    }

    /// A dead letter in some queue of the service.
    async fn letter(&mut self) {
        let sql = "WITH queue AS (SELECT id, name FROM messaging.queues WHERE service = $1 AND NOT transient ORDER BY name LIMIT 1),
                   letter AS (INSERT INTO messaging.dead_letters (queue_id, event_id, exchange, routing_key, body, attempts, reason)
                              SELECT id, gen_random_uuid(), 'products.events', 'product.updated', '{', 5, 'made by a test' FROM queue
                              RETURNING letter_id)
                   SELECT letter_id::text, name FROM letter, queue";
        let row = self.world.database.query_one(sql, &[&self.service]).await.expect("park a letter");
        self.made.insert("letter".to_owned(), row.get(0));
        self.made.insert("queue".to_owned(), row.get(1));
    }

    /// An event that could not be sent.
    async fn failed_event(&self) -> String {
        let (database, schema) = match self.service {
            "analytics" => (&self.world.analytics, "public"),
            "products" => (&self.world.database, "catalog"),
            other => (&self.world.database, other),
        };
        let id = Uuid::now_v7();
        let sql = format!(
            "WITH event AS (
                 INSERT INTO {schema}.events (event_id, event_type, aggregate_type, aggregate_id, correlation_id, exchange,
                                              routing_key, envelope)
                 VALUES ('{id}', 'ProductUpdated', 'product', '{id}', '{id}', 'products.events', 'product.updated', '{{}}'))
             INSERT INTO {schema}.outbox (event_id, attempts, last_error, failed_at) VALUES ('{id}', 9, 'made by a test', now())"
        );
        database.batch_execute(&sql).await.expect("fail an event");
        id.to_string()
    }
}

fn id_of(object: &Value) -> String {
    object["id"].as_str().unwrap_or_else(|| panic!("no id in {object}")).to_owned()
}
