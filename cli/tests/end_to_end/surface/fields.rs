//! For whom each GraphQL field is, and how it is asked for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::operations::Outcome::{Done, Forbidden, Hidden, Nothing, Unknown};
use super::operations::{
    ADMIN, Access, CART_CHANGED, CART_READ, OWN, OWN_LISTED, OWN_OR_ADMIN, PNG, PUBLIC, SIGNED_IN,
};
use super::things::{PASSWORD, address};

/// The service that operators' fields are tried on.
pub const OPERATED: &str = "cart";

/// Types that anybody may be shown.
pub const PUBLIC_TYPES: &[&str] = &[
    "Category",
    "CategoryFacet",
    "Demo",
    "DemoLogin",
    "Money",
    "PageInfo",
    "Product",
    "ProductConnection",
    "ProductEdge",
    "ProductFacets",
    "UserError",
];

/// Types that only their owner and admins may be shown, or whoever holds a cart without an owner.
pub const OWNED_TYPES: &[&str] = &[
    "Address",
    "Cart",
    "CartItem",
    "Order",
    "OrderConnection",
    "OrderEdge",
    "OrderItem",
    "Payment",
    "Refund",
    "TimelineEntry",
    "User",
    "UserConnection",
    "UserEdge",
];

/// Types that only operators may be shown.
pub const OPERATORS_TYPES: &[&str] = &[
    "AbandonedCarts",
    "AbandonedDay",
    "Compensation",
    "DeadLetter",
    "DeadLetterList",
    "Delivery",
    "Findings",
    "Funnel",
    "HandledDeadLetters",
    "OperatorAct",
    "Outbox",
    "Queue",
    "Reports",
    "Saga",
    "SagaEvent",
    "SagaList",
    "SagaOutcome",
    "SalesDay",
    "StockChange",
    "StockChangeConnection",
    "StockChangeEdge",
    "TopProduct",
    "UnsentEvent",
    "UnsentEventList",
];

/// Fields of public types that are for admins only: others are told FORBIDDEN or UNAUTHENTICATED there.
pub const GUARDED: &[&str] = &["Product.stockHistory"];

/// One field of Query, Mutation or Subscription. In `arguments`, `$name` stands for a thing of the owner's.
#[derive(Debug, Clone)]
pub struct FieldRule {
    pub name: &'static str,
    pub access: Access,
    pub arguments: Value,
    /// Sent along as a cookie.
    pub cookie: Option<&'static str>,
    /// Places where what is wrong is told beside what was done.
    pub is_told_beside: &'static [&'static str],
}

fn field(name: &'static str, access: Access, arguments: Value) -> FieldRule {
    FieldRule { name, access, arguments, cookie: None, is_told_beside: &[] }
}

/// A mutation, by its input.
fn change(name: &'static str, access: Access, input: Value) -> FieldRule {
    field(name, access, json!({"input": input}))
}

/// One that takes a cart over, if that can be done.
fn with_cart(rule: FieldRule) -> FieldRule {
    FieldRule { is_told_beside: &["/input/cartId"], ..rule }
}

/// One that works on the session of the browser.
fn of_session(rule: FieldRule) -> FieldRule {
    FieldRule { cookie: Some("prost_refresh=$refresh"), ..rule }
}

/// Every field.
pub fn rules() -> Vec<FieldRule> {
    [catalogue(), accounts(), shopping(), operators()].concat()
}

fn catalogue() -> Vec<FieldRule> {
    let price = json!({"amount": "12.50", "currencyCode": "EUR"});
    let filter = json!({"q": "tea", "categoryId": "$category", "minPrice": "1.00", "maxPrice": "9.00",
                        "currencyCode": "EUR", "inStock": true});
    let new = json!({"name": "Sencha", "sku": "$sku", "price": price, "description": "Green.", "stockQuantity": 3,
                     "categoryId": "$category", "imageUrl": "/images/a.svg"});
    let changed = json!({"id": "$product", "name": "Gyokuro", "price": price, "description": "Greener.",
                         "stockQuantity": 4});
    vec![
        field("Query.products", PUBLIC, json!({"first": 5, "filter": filter, "sort": "NAME"})),
        field("Query.product", PUBLIC, json!({"id": "$product"})),
        // This shop has no demo data.
        field("Query.demo", [Hidden; 4], json!({})),
        change(
            "Mutation.uploadPicture",
            ADMIN,
            json!({"contentBase64": STANDARD.encode(PNG), "contentType": "image/png"}),
        ),
        field("Query.suggestions", PUBLIC, json!({"q": "oolong", "first": 3})),
        field("Query.categories", PUBLIC, json!({})),
        field("Query.category", PUBLIC, json!({"id": "$category"})),
        change("Mutation.createProduct", ADMIN, new),
        change("Mutation.updateProduct", ADMIN, changed),
        change("Mutation.deleteProduct", ADMIN, json!({"id": "$product"})),
        change("Mutation.adjustStock", ADMIN, json!({"productId": "$product", "change": 2, "reason": "found"})),
        change("Mutation.createCategory", ADMIN, json!({"name": "$unique", "description": "All of it."})),
    ]
}

fn accounts() -> Vec<FieldRule> {
    let new = json!({"email": "$unique@example.com", "username": "$unique", "password": PASSWORD});
    vec![
        field("Query.user", OWN_OR_ADMIN, json!({"id": "$user"})),
        // Others see themselves.
        field("Query.me", [Hidden, Nothing, Done, Nothing], json!({})),
        field("Query.exportMyData", [Unknown, Nothing, Done, Nothing], json!({})),
        field("Query.users", ADMIN, json!({"first": 5, "q": "name", "role": "USER"})),
        change("Mutation.changePassword", SIGNED_IN, json!({"currentPassword": PASSWORD, "newPassword": PASSWORD})),
        change("Mutation.deleteAccount", SIGNED_IN, json!({"password": PASSWORD})),
        change("Mutation.setUserRole", ADMIN, json!({"userId": "$user", "role": "ADMIN"})),
        with_cart(of_session(change("Mutation.refreshSession", PUBLIC, json!({})))),
        of_session(field("Mutation.logout", PUBLIC, json!({}))),
        with_cart(change("Mutation.registerUser", PUBLIC, new)),
        with_cart(change("Mutation.loginUser", PUBLIC, json!({"email": "$email", "password": PASSWORD}))),
        change("Mutation.updateProfile", OWN_OR_ADMIN, json!({"id": "$user", "username": "$unique"})),
    ]
}

fn shopping() -> Vec<FieldRule> {
    let address = camel_case(&address());
    let add = json!({"cartId": "$cart", "productId": "$product", "quantity": 1});
    let orders =
        json!({"first": 5, "status": "CONFIRMED", "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"});
    let refund =
        json!({"paymentId": "$payment", "amount": {"amount": "1.00", "currencyCode": "EUR"}, "reason": "a scratch"});
    let checkout = json!({"cartId": "$cart", "paymentMethod": "pm_card_visa", "shippingAddress": address});
    vec![
        field("Query.cart", CART_READ, json!({"id": "$cart"})),
        field("Query.orders", OWN_LISTED, orders),
        field("Query.order", OWN_OR_ADMIN, json!({"id": "$order"})),
        change("Mutation.createCart", PUBLIC, json!({})),
        change("Mutation.addToCart", CART_CHANGED, add),
        change("Mutation.updateCartItem", CART_CHANGED, json!({"itemId": "$item", "quantity": 3})),
        change("Mutation.removeFromCart", CART_CHANGED, json!({"itemId": "$item"})),
        change("Mutation.clearCart", CART_CHANGED, json!({"cartId": "$cart"})),
        change("Mutation.checkout", OWN, checkout),
        change("Mutation.cancelOrder", OWN_OR_ADMIN, json!({"id": "$order", "reason": "too dear"})),
        change("Mutation.shipOrder", ADMIN, json!({"id": "$order"})),
        change("Mutation.deliverOrder", ADMIN, json!({"id": "$shipped"})),
        change("Mutation.refundPayment", ADMIN, refund),
        field("Subscription.orderStatus", OWN_OR_ADMIN, json!({"orderId": "$order"})),
    ]
}

fn operators() -> Vec<FieldRule> {
    let letter = json!({"service": OPERATED, "queue": "$queue", "ids": ["$letter"]});
    let thrown = json!({"service": OPERATED, "queue": "$queue", "ids": ["$letter"], "reason": "made by a test"});
    let event = json!({"service": OPERATED, "eventId": "$event"});
    let given_up = json!({"service": OPERATED, "eventId": "$event", "reason": "made by a test"});
    vec![
        field("Query.deadLetters", ADMIN, json!({"first": 5, "service": OPERATED, "queue": "$queue", "about": "x"})),
        field("Query.deadLetter", ADMIN, json!({"service": OPERATED, "queue": "$queue", "id": "$letter"})),
        field("Query.outboxes", ADMIN, json!({})),
        field("Query.outboxEvents", ADMIN, json!({"first": 5, "service": OPERATED, "status": "FAILED"})),
        field("Query.outboxEvent", ADMIN, json!({"service": OPERATED, "eventId": "$event"})),
        field("Query.sagas", ADMIN, json!({"first": 5, "status": "CONFIRMED"})),
        field("Query.saga", ADMIN, json!({"id": "$order"})),
        field("Query.reports", ADMIN, json!({})),
        field("Query.queues", ADMIN, json!({})),
        field("Query.operatorActs", ADMIN, json!({"first": 5, "after": "$uuid", "about": "$uuid"})),
        field("Query.search", ADMIN, json!({"text": "$order"})),
        change("Mutation.replayDeadLetters", ADMIN, letter),
        change("Mutation.discardDeadLetters", ADMIN, thrown),
        change("Mutation.retryOutboxEvent", ADMIN, event),
        change("Mutation.discardOutboxEvent", ADMIN, given_up),
        // Poison is for demo shops.
        change("Mutation.sendPoisonMessage", [Unknown, Forbidden, Forbidden, Hidden], json!({})),
        change("Mutation.retrySaga", ADMIN, json!({"id": "$stuck"})),
    ]
}

/// As GraphQL names what REST calls `full_name`.
fn camel_case(object: &Value) -> Value {
    let name = |name: &str| {
        let mut words = name.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
    };
    object.as_object().into_iter().flatten().map(|(key, value)| (name(key), value.clone())).collect()
}
