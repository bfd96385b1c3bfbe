//! For whom each REST operation is, and how it is called.

use reqwest::Method;
use serde_json::{Value, json};

use super::openapi::Described;
use super::things::{PASSWORD, address};

/// As much of a picture as is looked at.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and nothing else";

/// What becomes of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, with the status of the rule.
    Done,
    /// It is done, and shows nothing of the owner's.
    Nothing,
    /// 401: who are you?
    Unknown,
    /// 403: you lack the role.
    Forbidden,
    /// 404: there is no such thing, for you.
    Hidden,
}

/// What becomes of an anonymous caller, of another user, of the owner, and of an admin.
pub type Access = [Outcome; 4];

use Outcome::{Done, Forbidden, Hidden, Nothing, Unknown};

pub const PUBLIC: Access = [Done, Done, Done, Done];
/// About nothing that belongs to somebody.
pub const SIGNED_IN: Access = [Unknown, Done, Done, Done];
pub const ADMIN: Access = [Unknown, Forbidden, Forbidden, Done];
pub const OWN_OR_ADMIN: Access = [Unknown, Hidden, Done, Done];
/// Not even an admin does it for somebody else.
pub const OWN: Access = [Unknown, Hidden, Done, Hidden];
/// A list that leaves out what is not the caller's.
pub const OWN_LISTED: Access = [Unknown, Nothing, Done, Done];
/// A cart with an owner; a login is asked for only where the operation needs one.
pub const CART_READ: Access = [Hidden, Hidden, Done, Done];
pub const CART_LISTED: Access = [Nothing, Nothing, Done, Done];
pub const CART_CHANGED: Access = [Hidden, Hidden, Done, Hidden];

/// One operation. In `uri` and `body`, `$name` stands for a thing of the owner's.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `*`: the same in each.
    pub service: &'static str,
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    pub uri: &'static str,
    pub body: Option<Value>,
    /// A body that is no JSON, with its type.
    pub upload: Option<(&'static str, &'static [u8])>,
    pub headers: &'static [(&'static str, &'static str)],
    /// Places of the body where any text will do, however long.
    pub takes_any: &'static [&'static str],
    /// The status where all goes well.
    pub status: u16,
}

impl Rule {
    fn new(service: &'static str, method: Method, path: &'static str, access: Access, status: u16) -> Rule {
        Rule {
            service,
            method,
            path,
            access,
            uri: path,
            body: None,
            upload: None,
            headers: &[],
            takes_any: &[],
            status,
        }
    }

    fn at(self, uri: &'static str) -> Rule {
        Rule { uri, ..self }
    }

    fn body(self, body: Value) -> Rule {
        Rule { body: Some(body), ..self }
    }

    fn answers(self, status: u16) -> Rule {
        Rule { status, ..self }
    }

    fn headers(self, headers: &'static [(&'static str, &'static str)]) -> Rule {
        Rule { headers, ..self }
    }

    fn upload(self, content_type: &'static str, bytes: &'static [u8]) -> Rule {
        Rule { upload: Some((content_type, bytes)), ..self }
    }

    fn takes_any(self, places: &'static [&'static str]) -> Rule {
        Rule { takes_any: places, ..self }
    }

    /// Is it about this operation?
    pub fn describes(&self, operation: &Described) -> bool {
        (self.service == operation.service || self.service == "*")
            && self.method == operation.method
            && self.path == operation.path
    }
}

fn get(service: &'static str, path: &'static str, access: Access) -> Rule {
    Rule::new(service, Method::GET, path, access, 200)
}

fn post(service: &'static str, path: &'static str, access: Access) -> Rule {
    Rule::new(service, Method::POST, path, access, 200)
}

fn patch(service: &'static str, path: &'static str, access: Access) -> Rule {
    Rule::new(service, Method::PATCH, path, access, 200)
}

fn delete(service: &'static str, path: &'static str, access: Access) -> Rule {
    Rule::new(service, Method::DELETE, path, access, 204)
}

/// Every operation; where two are about one, the first counts.
pub fn rules() -> Vec<Rule> {
    [users(), products(), carts(), orders(), payments(), analytics(), operators()].concat()
}

fn users() -> Vec<Rule> {
    let new = json!({"email": "$unique@example.com", "username": "$unique", "password": PASSWORD});
    let login = json!({"email": "$email", "password": PASSWORD});
    let change = json!({"current_password": PASSWORD, "new_password": PASSWORD});
    vec![
        post("users", "/register", PUBLIC).body(new).answers(201),
        post("users", "/login", PUBLIC).body(login),
        post("users", "/refresh", PUBLIC).body(json!({"refresh_token": "$refresh"})),
        // Whoever holds a refresh token may end its session; one that does not exist ends none.
        post("users", "/logout", PUBLIC)
            .body(json!({"refresh_token": "$refresh"}))
            .answers(204)
            .takes_any(&["/refresh_token"]),
        post("users", "/password", SIGNED_IN).body(change).answers(204),
        get("users", "/profile/{id}", OWN_OR_ADMIN).at("/profile/$user"),
        patch("users", "/profile/{id}", OWN_OR_ADMIN).at("/profile/$user").body(json!({"username": "$unique"})),
        delete("users", "/profile/{id}", OWN_OR_ADMIN).at("/profile/$user"),
        get("users", "/profile/{id}/export", OWN_OR_ADMIN).at("/profile/$user/export"),
        post("users", "/profile/{id}/role", ADMIN).at("/profile/$user/role").body(json!({"role": "admin"})),
        post("users", "/close-account", SIGNED_IN).body(json!({"password": PASSWORD})).answers(204),
        get("users", "/users", ADMIN).at("/users?q=name&role=user&limit=5"),
        get("users", "/users/by-ids", OWN_LISTED).at("/users/by-ids?ids=$user"),
    ]
}

fn products() -> Vec<Rule> {
    let price = json!({"amount": "12.50", "currency": "EUR"});
    let new = json!({"name": "Sencha", "sku": "$sku", "price": price, "description": "Green.", "stock_quantity": 3,
                     "category_id": "$category", "image_url": "/images/a.svg"});
    let change = json!({"name": "Gyokuro", "description": "Greener.", "price": price, "stock_quantity": 4});
    let filter = "/products?q=tea&category=$category&min_price=1.00&max_price=9.00&in_stock=true&sort=name&limit=5";
    vec![
        get("products", "/products", PUBLIC).at(filter),
        post("products", "/products", ADMIN).body(new).answers(201),
        get("products", "/products/facets", PUBLIC).at("/products/facets?q=tea&in_stock=true"),
        get("products", "/products/suggestions", PUBLIC).at("/products/suggestions?q=oolong"),
        get("products", "/products/related", PUBLIC).at("/products/related?ids=$product&limit=2"),
        get("products", "/products/stock", ADMIN).at("/products/stock?ids=$product&limit=5"),
        get("products", "/products/batch", PUBLIC).at("/products/batch?ids=$product"),
        get("products", "/products/{id}", PUBLIC).at("/products/$product"),
        patch("products", "/products/{id}", ADMIN).at("/products/$product").body(change).headers(&[("if-match", "*")]),
        delete("products", "/products/{id}", ADMIN).at("/products/$product"),
        get("products", "/products/{id}/stock", ADMIN).at("/products/$product/stock?limit=5"),
        post("products", "/products/{id}/stock", ADMIN)
            .at("/products/$product/stock")
            .body(json!({"adjust": 2, "reason": "found behind a shelf"})),
        get("products", "/categories", PUBLIC).at("/categories?limit=5"),
        post("products", "/categories", ADMIN)
            .body(json!({"name": "$unique", "description": "All of it."}))
            .answers(201),
        get("products", "/categories/batch", PUBLIC).at("/categories/batch?ids=$category"),
        get("products", "/categories/facets", PUBLIC).at("/categories/facets?ids=$category"),
        get("products", "/categories/products", PUBLIC).at("/categories/products?ids=$category&limit=5"),
        get("products", "/categories/{id}", PUBLIC).at("/categories/$category"),
        get("products", "/images/{file}", PUBLIC).at("/images/$picture"),
        post("products", "/pictures", ADMIN).upload("image/png", PNG).answers(201),
        get("products", "/pictures/{file}", PUBLIC).at("/pictures/$upload"),
    ]
}

fn carts() -> Vec<Rule> {
    let checkout = json!({"payment_method": "pm_card_visa", "shipping_address": address()});
    vec![
        post("cart", "/cart", PUBLIC).answers(201),
        // An admin is told that there is no cart, an other user about the own one; both see nothing of the owner's.
        get("cart", "/cart", [Unknown, Hidden, Done, Done]).at("/cart?user_id=$user&$cart"),
        get("cart", "/carts", CART_LISTED).at("/carts?ids=$cart"),
        get("cart", "/carts/active", OWN_LISTED).at("/carts/active?user_ids=$user"),
        post("cart", "/cart/items", CART_CHANGED)
            .body(json!({"cart_id": "$cart", "product_id": "$product", "quantity": 1}))
            .answers(201),
        patch("cart", "/cart/items/{id}", CART_CHANGED).at("/cart/items/$item").body(json!({"quantity": 3})),
        delete("cart", "/cart/items/{id}", CART_CHANGED).at("/cart/items/$item").answers(200),
        get("cart", "/cart/{id}", CART_READ).at("/cart/$cart"),
        delete("cart", "/cart/{id}", CART_CHANGED).at("/cart/$cart"),
        delete("cart", "/cart/{id}/items", CART_CHANGED).at("/cart/$cart/items").answers(200),
        post("cart", "/cart/{id}/adopt", OWN).at("/cart/$cart/adopt"),
        post("cart", "/cart/{id}/checkout", OWN).at("/cart/$cart/checkout").body(checkout),
    ]
}

fn orders() -> Vec<Rule> {
    let place = json!({"cart_id": "$cart", "payment_method": "pm_card_visa", "shipping_address": address()});
    vec![
        post("orders", "/orders", OWN).body(place).answers(202),
        get("orders", "/orders/by-users", OWN_LISTED).at("/orders/by-users?user_ids=$user&limit=5"),
        get("orders", "/orders", OWN_LISTED).at("/orders?user_id=$user&limit=5&$order"),
        get("orders", "/orders/{id}", OWN_OR_ADMIN).at("/orders/$order"),
        post("orders", "/orders/{id}/cancel", OWN_OR_ADMIN).at("/orders/$order/cancel").body(json!({"reason": "dear"})),
        post("orders", "/orders/{id}/ship", ADMIN).at("/orders/$order/ship"),
        post("orders", "/orders/{id}/deliver", ADMIN).at("/orders/$shipped/deliver"),
        get("orders", "/orders/{id}/timeline", OWN_OR_ADMIN).at("/orders/$order/timeline"),
        get("orders", "/orders/timelines", OWN_LISTED).at("/orders/timelines?ids=$order"),
        get("orders", "/admin/sagas", ADMIN).at("/admin/sagas?status=CONFIRMED&limit=5"),
        get("orders", "/admin/sagas/{id}", ADMIN).at("/admin/sagas/$order"),
        post("orders", "/admin/sagas/{id}/retry", ADMIN).at("/admin/sagas/$stuck/retry"),
    ]
}

fn payments() -> Vec<Rule> {
    let refund = json!({"amount": {"amount": "1.00", "currency": "EUR"}, "reason": "a scratch"});
    vec![
        get("payments", "/payments", OWN_LISTED).at("/payments?order_id=$order"),
        get("payments", "/payments/{id}", OWN_OR_ADMIN).at("/payments/$payment"),
        get("payments", "/payments/by-orders", OWN_LISTED).at("/payments/by-orders?ids=$order"),
        post("payments", "/payments/{id}/refunds", ADMIN).at("/payments/$payment/refunds").body(refund).answers(201),
    ]
}

fn analytics() -> Vec<Rule> {
    vec![
        get("analytics", "/reports", ADMIN),
        post("analytics", "/admin/reports/rebuild", ADMIN).answers(202),
        get("analytics", "/admin/reports/rebuild", ADMIN),
        // There is none to be stopped.
        delete("analytics", "/admin/reports/rebuild", ADMIN).answers(409),
        get("analytics", "/reports/{name}", ADMIN).at("/reports/sales_per_day?from=2026-01-01&to=2026-01-31&limit=5"),
    ]
}

/// Under `/admin` of every service.
fn operators() -> Vec<Rule> {
    let letters = json!({"ids": ["$letter"], "queue": "$queue"});
    let discard = json!({"ids": ["$letter"], "queue": "$queue", "reason": "made by a test"});
    let everything = json!({"all": true, "reason": "there is none"});
    vec![
        // Nobody sends anything to users, so it has no letters.
        get("users", "/admin/dlq/{queue}/{id}", ADMIN).at("/admin/dlq/none/$uuid").answers(404),
        get("users", "/admin/dlq", ADMIN),
        post("users", "/admin/dlq/replay", ADMIN).body(json!({"all": true})),
        post("users", "/admin/dlq/discard", ADMIN).body(everything),
        get("*", "/admin/outbox", ADMIN).at("/admin/outbox?status=failed&about=$event&limit=5"),
        get("*", "/admin/outbox/{event_id}", ADMIN).at("/admin/outbox/$event"),
        post("*", "/admin/outbox/{event_id}/retry", ADMIN).at("/admin/outbox/$event/retry"),
        post("*", "/admin/outbox/{event_id}/discard", ADMIN)
            .at("/admin/outbox/$event/discard")
            .body(json!({"reason": "made by a test"})),
        get("*", "/admin/dlq", ADMIN).at("/admin/dlq?queue=$queue&about=x&limit=5"),
        get("*", "/admin/dlq/{queue}/{id}", ADMIN).at("/admin/dlq/$queue/$letter"),
        post("*", "/admin/dlq/replay", ADMIN).body(letters),
        post("*", "/admin/dlq/discard", ADMIN).body(discard),
        get("*", "/admin/events", ADMIN).at("/admin/events?event_id=$uuid&limit=5"),
        get("*", "/admin/deliveries", ADMIN).at("/admin/deliveries?event_ids=$uuid"),
        get("*", "/admin/queues", ADMIN),
        get("*", "/admin/audit", ADMIN).at("/admin/audit?about=$uuid&limit=5"),
    ]
}
