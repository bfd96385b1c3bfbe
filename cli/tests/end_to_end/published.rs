//! Every event, as somebody outside hears it who knows no more than the published document says.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use events::topology::EVENTS;
use jsonschema::{Draft, Validator};
use serde_json::{Value, json};
use service::Role;
use testkit::{Heard, Outsider, eventually};

use crate::support::client::http;
use crate::support::{Shop, Transport};

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_outsider_hears_every_event_in_its_published_shape() {
    let shop = Shop::in_one_process(Transport::Rabbit).await;
    let answer = http().get(format!("{}/asyncapi.json", shop.url("gateway"))).send().await.expect("an answer");
    let document: Value = answer.json().await.expect("JSON");
    let broker = shop.broker.as_ref().expect("over RabbitMQ");
    let outsider = Outsider::bound(broker, &keys(&document)).await;

    live(&shop).await;

    let missing: RefCell<BTreeSet<&str>> = RefCell::new(EVENTS.iter().map(|event| event.event_type).collect());
    eventually(SOON, || async {
        while let Some(message) = outsider.hear().await {
            missing.borrow_mut().remove(is_as_described(&message, &document).as_str());
        }
        let missing = missing.borrow();
        if missing.is_empty() { Ok(()) } else { Err(format!("never heard: {missing:?}")) }
    })
    .await;
}

/// Every exchange and key that the document names.
fn keys(document: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let of_channel = |channel: &Value| {
        let exchange = channel["bindings"]["amqp"]["exchange"]["name"].clone();
        let keys = channel["parameters"]["routing_key"]["enum"].as_array().cloned().unwrap_or_default();
        keys.into_iter().map(move |key| (text(&exchange), text(&key))).collect::<Vec<_>>()
    };
    document["channels"].as_object().expect("channels").values().flat_map(of_channel).collect()
}

/// The message is one of those that the document lets come from there; returns its type.
fn is_as_described(heard: &Heard, document: &Value) -> String {
    let body: Value = serde_json::from_slice(&heard.body).expect("JSON");
    let text = |field: &str| body[field].as_str().unwrap_or_else(|| panic!("no {field}: {body}"));
    let name = format!("{}.v{}", text("event_type"), text("version"));
    let message = &document["channels"][&heard.exchange]["messages"][&name];
    assert_eq!(message["$ref"], format!("#/components/messages/{name}"), "{} may come from there", heard.exchange);
    let message = &document["components"]["messages"][&name];
    assert_eq!(message["x-routing-key"], heard.routing_key);
    assert_eq!(message["contentType"], heard.content_type);
    fits(&format!("#/components/messages/{name}/payload"), &body, document);
    let headers = heard.traceparent.as_ref().map(|trace| json!({ "traceparent": trace })).unwrap_or(json!({}));
    fits("#/components/schemas/Headers", &headers, document);
    assert_eq!((heard.message_id.as_str(), heard.correlation_id.as_str()), (text("event_id"), text("correlation_id")));
    text("event_type").to_owned()
}

fn fits(reference: &str, value: &Value, document: &Value) {
    let schema = json!({ "allOf": [{ "$ref": reference }], "components": document["components"] });
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    let schema: Validator = options.build(&schema).expect("a schema");
    schema.validate(value).unwrap_or_else(|error| panic!("{reference}: {error}: {value}"));
}

/// All that can happen in a shop: sales, one shipped, one declined, one cancelled, one of what is not there, and a
/// cart that is left.
async fn live(shop: &Shop) {
    let (admin, shopper) = (shop.client().signed_in(Role::Admin), shop.client().signed_in(Role::User));
    let (tea, gone) = (admin.create_product("Oolong", "4.20", 50).await, admin.create_product("Pu-erh", "9", 0).await);
    let change = |name: &str, input: Value| {
        let kind = name[..1].to_uppercase() + &name[1..];
        let query = format!("mutation($input: {kind}Input!) {{ {name}(input: $input) {{ userErrors {{ code }} }} }}");
        let (admin, name) = (&admin, name.to_owned());
        async move {
            let answer = admin.graphql(&query, json!({ "input": input })).await;
            assert_eq!(answer[&name]["userErrors"], json!([]), "{name}");
        }
    };
    let buy = async |product: &str, method: &str, end: &str| {
        let order = shopper.checkout(&shopper.cart_with(product, 1).await, method).await;
        shopper.order_in(&order, &[end], SOON).await;
        order
    };
    change("updateProduct", json!({"id": tea, "name": "Oolong, light"})).await;
    change("clearCart", json!({"cartId": shop.client().cart_with(&tea, 1).await})).await;
    let shipped = buy(&tea, "pm_card_visa", "CONFIRMED").await;
    change("shipOrder", json!({"id": shipped})).await;
    change("deliverOrder", json!({"id": shipped})).await;
    buy(&tea, "pm_card_chargeDeclined", "COMPENSATED").await;
    buy(&gone, "pm_card_visa", "COMPENSATED").await;
    let cancelled = buy(&tea, "pm_card_visa", "CONFIRMED").await;
    change("cancelOrder", json!({"id": cancelled, "reason": "by mistake"})).await;
    shopper.order_in(&cancelled, &["CANCELLED"], SOON).await;
}
