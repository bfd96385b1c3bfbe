//! The REST interface: who may, lists, keys, and its description.

use events::{OrderId, OrderStatus};
use orders_client::{CancelOrder, Order, OrderFilter, OrdersApi, SagaFilter};
use serde_json::{Value, json};
use service::{Caller, Page, PageQuery};

use crate::support::{Checkout, Shop, refusal, with_key};

#[tokio::test]
async fn first_who_then_whether_they_may_then_what() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::Confirmed).await;
    let (owner, stranger) = (shop.user(it.0.user_id), shop.shopper());
    let (own, unknown) = (it.id().to_string(), OrderId::new().to_string());
    let everybodys = |id: &str| {
        vec![
            ("GET", "/orders".to_owned()),
            ("GET", "/orders?status=NONSENSE".to_owned()),
            ("GET", "/orders/timelines?ids=nonsense".to_owned()),
            ("POST", "/orders".to_owned()),
            ("GET", format!("/orders/{id}")),
            ("GET", format!("/orders/{id}/timeline")),
            ("POST", format!("/orders/{id}/cancel")),
        ]
    };
    let admins = |id: &str| {
        vec![
            ("POST", format!("/orders/{id}/ship")),
            ("POST", format!("/orders/{id}/deliver")),
            ("GET", "/admin/sagas".to_owned()),
            ("GET", format!("/admin/sagas/{id}")),
            ("POST", format!("/admin/sagas/{id}/retry")),
        ]
    };
    for id in [own.as_str(), "not-an-id"] {
        for (method, path) in everybodys(id).into_iter().chain(admins(id)) {
            let answer = shop.http(None, method, &path, None).await;
            assert_eq!(answer.refusal(), (401, "unauthenticated".to_owned()), "{method} {path}");
            assert!(answer.challenges, "{method} {path}");
        }
        for (method, path) in admins(id) {
            let answer = shop.http(Some(&owner), method, &path, None).await;
            assert_eq!(answer.refusal(), (403, "forbidden".to_owned()), "{method} {path}");
        }
    }
    for (id, caller) in [(&own, &stranger), (&unknown, &stranger), (&unknown, &shop.admin)] {
        for (method, path) in &everybodys(id)[4..] {
            let answer = shop.http(Some(caller), method, path, None).await;
            assert_eq!(answer.refusal(), (404, "order_not_found".to_owned()), "{method} {path}");
        }
    }
    let answer = shop.http(Some(&shop.admin), "GET", &format!("/admin/sagas/{unknown}"), None).await;
    assert_eq!(answer.refusal(), (404, "saga_not_found".to_owned()));
    let answer = shop.http(Some(&owner), "GET", "/orders/not-an-id", None).await;
    assert_eq!(answer.refusal(), (400, "invalid_path".to_owned()));
    let answer = shop.http(Some(&owner), "GET", "/orders?status=NONSENSE", None).await;
    assert_eq!(answer.refusal(), (400, "invalid_query".to_owned()));
    let answer = shop.http(Some(&owner), "POST", "/orders", Some(json!({ "cart_id": it.0.cart_id }))).await;
    assert_eq!(answer.refusal(), (422, "validation_failed".to_owned()));
    let answer = shop.http(Some(&owner), "GET", &format!("/orders/{own}"), None).await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("CONFIRMED")));
}

#[tokio::test]
async fn an_order_is_found_by_its_ids_and_by_when_it_was_placed() {
    let shop = Shop::open().await;
    let (it, other) = (shop.cart(), shop.cart());
    let reserved = it.reserved();
    let event = reserved.envelope.event_id;
    shop.tell(vec![it.initiated()]).await;
    shop.tell(vec![reserved]).await;
    shop.tell(vec![other.initiated()]).await;
    let order = shop.order(&it).await;
    let client = shop.client().await;
    let find = async |caller: &Caller, filter: OrderFilter| {
        let page = client.orders(caller, filter, PageQuery::default()).await.unwrap();
        page.items.iter().map(|order| order.id).collect::<Vec<_>>()
    };
    let about = |id: uuid::Uuid| OrderFilter { about: Some(id), ..OrderFilter::default() };
    for id in [it.id().uuid(), order.correlation_id.uuid(), event.uuid()] {
        assert_eq!(find(&shop.admin, about(id)).await, [it.id()], "{id}");
        assert_eq!(find(&shop.user(it.0.user_id), about(id)).await, [it.id()], "{id}");
        assert_eq!(find(&shop.shopper(), about(id)).await, [], "somebody else's {id}");
    }
    assert_eq!(find(&shop.admin, about(OrderId::new().uuid())).await, []);

    let second = shop.order(&other).await.created_at;
    assert!(order.created_at <= second);
    let placed = |from, to| OrderFilter { from, to, ..OrderFilter::default() };
    let a_moment = chrono::TimeDelta::milliseconds(1);
    assert_eq!(find(&shop.admin, placed(Some(order.created_at), Some(second + a_moment))).await.len(), 2);
    assert_eq!(find(&shop.admin, placed(None, Some(order.created_at))).await, []);
    assert_eq!(find(&shop.admin, placed(Some(second + a_moment), None)).await, []);
    let answer = shop.http(Some(&shop.admin), "GET", "/orders?from=yesterday", None).await;
    assert_eq!(answer.refusal(), (400, "invalid_query".to_owned()));
    let answer = shop.http(Some(&shop.admin), "GET", "/orders?about=1", None).await;
    assert_eq!(answer.refusal(), (400, "invalid_query".to_owned()));
}

#[tokio::test]
async fn lists_are_ones_own_newest_first_by_status_and_in_pages() {
    let shop = Shop::open().await;
    let ada = shop.shopper();
    let mut orders = Vec::new();
    for _ in 0..5 {
        let mut it = Checkout::new();
        it.0.user_id = ada.user_id().unwrap();
        orders.push(it);
    }
    shop.tell(orders.iter().map(Checkout::initiated).collect()).await;
    shop.tell(vec![orders[1].reserved(), orders[3].reserved()]).await;
    let others = shop.order_in(OrderStatus::InventoryReserved).await;
    let list = async |caller, path: &str| -> Page<Order> {
        let answer = shop.http(Some(caller), "GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}");
        serde_json::from_slice(&answer.body).unwrap()
    };
    let ids = |page: &Page<Order>| page.items.iter().map(|order| order.id).collect::<Vec<_>>();
    let own = |at: &[usize]| at.iter().map(|at| orders[*at].id()).collect::<Vec<_>>();

    assert_eq!(ids(&list(&ada, "/orders").await), own(&[4, 3, 2, 1, 0]));
    assert_eq!(ids(&list(&ada, "/orders?status=INVENTORY_RESERVED").await), own(&[3, 1]));
    assert_eq!(ids(&list(&shop.admin, "/orders").await).len(), 6);
    let reserved = list(&shop.admin, "/orders?status=INVENTORY_RESERVED").await;
    assert_eq!(ids(&reserved), [vec![others.id()], own(&[3, 1])].concat());
    let adas = list(&shop.admin, &format!("/orders?user_id={}", ada.user_id().unwrap())).await;
    assert_eq!(ids(&adas), own(&[4, 3, 2, 1, 0]));
    let foreign = list(&ada, &format!("/orders?user_id={}", others.0.user_id)).await;
    assert_eq!(foreign.items, []);

    let client = shop.client().await;
    let users = [ada.user_id().unwrap(), others.0.user_id];
    let of_users = async |caller: &Caller, page: &PageQuery| {
        let pages = client.orders_of_users(caller, &users, page).await.unwrap();
        pages.into_iter().map(|of_user| (of_user.user_id, of_user.orders)).collect::<Vec<_>>()
    };
    let first = of_users(&shop.admin, &PageQuery::first(3)).await;
    assert_eq!(
        first.iter().map(|(user, orders)| (*user, ids(orders))).collect::<Vec<_>>(),
        [(users[0], own(&[4, 3, 2])), (users[1], vec![others.id()]),]
    );
    let next = PageQuery { cursor: first[0].1.next_cursor.clone(), ..PageQuery::first(3) };
    let next = of_users(&ada, &next).await;
    assert_eq!(next.len(), 1, "only one's own");
    assert_eq!((ids(&next[0].1), &next[0].1.next_cursor), (own(&[1, 0]), &None));
    let answer = shop.http(None, "GET", "/orders/by-users?user_ids=1", None).await;
    assert_eq!(answer.refusal(), (401, "unauthenticated".to_owned()));

    let mut seen = Vec::new();
    let mut path = "/orders?limit=2".to_owned();
    loop {
        let page = list(&ada, &path).await;
        assert!(page.items.iter().all(|order| order.items.len() == 2), "each with its own lines");
        seen.push(ids(&page));
        let Some(cursor) = page.next_cursor else { break };
        path = format!("/orders?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, [own(&[4, 3]), own(&[2, 1]), own(&[0])]);
    let answer = shop.http(Some(&ada), "GET", "/orders?cursor=bm90IGFuIGlk", None).await;
    assert_eq!(answer.refusal(), (400, "invalid_cursor".to_owned()));
    assert_eq!(shop.http(Some(&ada), "GET", "/orders?limit=101", None).await.status, 422);
}

fn body(checkout: &Checkout) -> Option<Value> {
    Some(serde_json::to_value(checkout.input()).unwrap())
}

#[tokio::test]
async fn one_key_is_one_order_and_one_answer() {
    let shop = Shop::open().await;
    let it = shop.cart();
    let keyed = with_key(&shop.user(it.0.user_id), "checkout-1");
    let first = shop.http(Some(&keyed), "POST", "/orders", body(&it)).await;
    assert_eq!((first.status, first.json()["status"].as_str()), (202, Some("PENDING")));
    shop.tell(vec![it.initiated()]).await;
    let again = shop.http(Some(&keyed), "POST", "/orders", body(&it)).await;
    assert_eq!((again.status, again.body), (202, first.body), "byte for byte, though the order moved on");

    let other = shop.cart();
    let answer = shop.http(Some(&keyed), "POST", "/orders", body(&other)).await;
    assert_eq!(answer.refusal(), (422, "idempotency_key_reused".to_owned()));
    let stranger = with_key(&shop.user(other.0.user_id), "checkout-1");
    let answer = shop.http(Some(&stranger), "POST", "/orders", body(&other)).await;
    assert_eq!(answer.status, 202, "another's key is another key");
}

#[tokio::test]
async fn one_key_is_one_cancellation_and_one_answer() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::CartValidated).await;
    let owner = shop.user(it.0.user_id);
    let (keyed, path) = (with_key(&owner, "cancel-1"), format!("/orders/{}/cancel", it.id()));
    let reason = |text: &str| Some(json!({ "reason": text }));
    let first = shop.http(Some(&keyed), "POST", &path, reason("too slow")).await;
    assert_eq!((first.status, first.json()["status"].as_str()), (200, Some("CANCELLING")));
    for word in [it.released(), it.reopened()] {
        shop.tell(vec![word]).await;
    }
    let again = shop.http(Some(&keyed), "POST", &path, reason("too slow")).await;
    assert_eq!((again.status, again.body), (200, first.body));
    let answer = shop.http(Some(&keyed), "POST", &path, reason("too dear")).await;
    assert_eq!(answer.refusal(), (422, "idempotency_key_reused".to_owned()));
    let answer = shop.http(Some(&owner), "POST", &path, None).await;
    assert_eq!(answer.json()["status"], "CANCELLED", "without a key and a body: the order as it is");

    // A refusal is an answer like any other, and kept.
    let shipped = shop.order_in(OrderStatus::Confirmed).await;
    let keyed = with_key(&shop.user(shipped.0.user_id), "cancel-2");
    shop.orders.ship(&shop.admin, shipped.id()).await.unwrap();
    let path = format!("/orders/{}/cancel", shipped.id());
    let first = shop.http(Some(&keyed), "POST", &path, None).await;
    assert_eq!(first.refusal(), (409, "order_not_cancellable".to_owned()));
    assert_eq!(shop.http(Some(&keyed), "POST", &path, None).await.body, first.body);
}

#[tokio::test]
async fn one_key_is_one_retry_of_a_saga_and_one_answer() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::Failed).await;
    let stick = "UPDATE orders.saga_states SET status = 'STUCK', expires_at = NULL WHERE order_id = $1";
    shop.owner.execute(stick, &[&it.id()]).await.unwrap();
    let (keyed, path) = (with_key(&shop.admin, "retry-1"), format!("/admin/sagas/{}/retry", it.id()));
    let first = shop.http(Some(&keyed), "POST", &path, None).await;
    assert_eq!((first.status, first.json()["saga"]["status"].as_str()), (200, Some("FAILED")));
    for word in [it.released(), it.reopened()] {
        shop.tell(vec![word]).await;
    }
    let again = shop.http(Some(&keyed), "POST", &path, None).await;
    assert_eq!((again.status, again.body), (200, first.body));
}

#[tokio::test]
async fn admins_find_sagas_by_any_of_their_ids() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::InventoryReserved).await;
    let by_order = shop.saga(&it).await;
    for id in [by_order.saga.id, it.0.correlation_id.uuid()] {
        assert_eq!(shop.orders.saga(&shop.admin, id).await.unwrap(), by_order);
    }
    let page = shop.http(Some(&shop.admin), "GET", "/admin/sagas?status=INVENTORY_RESERVED&limit=1", None).await.json();
    assert_eq!(page["items"][0]["order_id"], it.id().to_string());
    assert_eq!(page["next_cursor"], Value::Null);
}

#[tokio::test]
async fn timelines_of_several_orders_are_ones_own_and_an_admins_anybodys() {
    let shop = Shop::open().await;
    let http = shop.client().await;
    let (first, second) =
        (shop.order_in(OrderStatus::Confirmed).await, shop.order_in(OrderStatus::CartValidated).await);
    let ids = [first.id(), OrderId::new(), second.id()];
    let timeline = async |it: &Checkout| (it.id(), shop.orders.timeline(&shop.admin, it.id()).await.unwrap());
    let both = [timeline(&first).await, timeline(&second).await];
    assert!(both.iter().all(|(_, entries)| entries.len() > 1));
    let told = async |caller: &Caller| {
        let timelines = http.timelines(caller, &ids).await.unwrap();
        assert_eq!(timelines, shop.orders.timelines(caller, &ids).await.unwrap(), "over HTTP what is told here");
        timelines.into_iter().map(|timeline| (timeline.order_id, timeline.entries)).collect::<Vec<_>>()
    };
    assert_eq!(told(&shop.admin).await, both);
    assert_eq!(told(&shop.user(first.0.user_id)).await, both[..1]);
    assert_eq!(told(&shop.shopper()).await, []);
    let many = vec![first.id(); 101];
    assert_eq!(refusal(http.timelines(&shop.admin, &many).await), "validation_failed");
    let answer = shop.http(Some(&shop.admin), "GET", "/orders/timelines?ids=nonsense", None).await;
    assert_eq!(answer.refusal(), (400, "invalid_query".to_owned()));
}

#[tokio::test]
async fn the_client_does_over_http_what_the_service_does() {
    let shop = Shop::open().await;
    let (http, admin) = (shop.client().await, &shop.admin);
    let it = shop.cart();
    let owner = shop.user(it.0.user_id);
    let placed = http.place(&owner, it.input()).await.unwrap();
    assert_eq!(placed, shop.order(&it).await);
    assert_eq!(http.order(&owner, it.id()).await.unwrap(), placed);
    assert_eq!(refusal(http.order(&shop.shopper(), it.id()).await), "order_not_found");
    let earlier = shop.order_in(OrderStatus::Pending).await;
    let pending =
        OrderFilter { status: Some(OrderStatus::Pending), user_id: Some(it.0.user_id), ..OrderFilter::default() };
    assert_eq!(http.orders(&owner, pending, PageQuery::default()).await.unwrap().items, [placed]);
    let first = http.orders(admin, OrderFilter::default(), PageQuery::first(1)).await.unwrap();
    let rest = PageQuery { cursor: first.next_cursor, ..PageQuery::first(1) };
    let second = http.orders(admin, OrderFilter::default(), rest).await.unwrap();
    let both = [first.items[0].id, second.items[0].id];
    assert!(both.contains(&it.id()) && both.contains(&earlier.id()) && second.next_cursor.is_none());

    for word in [Checkout::initiated, Checkout::reserved, Checkout::processed] {
        shop.tell(vec![word(&it)]).await;
    }
    assert_eq!(http.ship(admin, it.id()).await.unwrap().status, OrderStatus::Shipped);
    assert_eq!(http.deliver(admin, it.id()).await.unwrap().status, OrderStatus::Delivered);
    assert_eq!(refusal(http.ship(&owner, it.id()).await), "forbidden");
    let reason = CancelOrder { reason: Some("too late".to_owned()) };
    assert_eq!(refusal(http.cancel(&owner, it.id(), reason.clone()).await), "order_not_cancellable");
    let cancelled = http.cancel(admin, earlier.id(), reason).await.unwrap();
    assert_eq!(cancelled.status, OrderStatus::Cancelling);

    let saga = shop.saga(&it).await;
    assert_eq!(http.timeline(&owner, it.id()).await.unwrap(), saga.timeline);
    assert_eq!(http.saga(admin, it.id().uuid()).await.unwrap(), saga);
    let cancelling = SagaFilter { status: Some("CANCELLING".to_owned()), user_id: None };
    let sagas = http.sagas(admin, cancelling, PageQuery::first(5)).await.unwrap();
    assert_eq!(sagas.items, [shop.saga(&earlier).await.saga]);
    assert_eq!(refusal(http.retry_saga(admin, saga.saga.id).await), "saga_not_stuck");
}

#[tokio::test]
async fn the_interface_describes_itself() {
    let shop = Shop::open().await;
    let api = orders::router(shop.orders.clone()).into_openapi();
    let described: Vec<&str> = api.paths.paths.keys().map(String::as_str).collect();
    let wanted = [
        "/admin/sagas",
        "/admin/sagas/{id}",
        "/admin/sagas/{id}/retry",
        "/orders",
        "/orders/by-users",
        "/orders/timelines",
        "/orders/{id}",
        "/orders/{id}/cancel",
        "/orders/{id}/deliver",
        "/orders/{id}/ship",
        "/orders/{id}/timeline",
    ];
    assert_eq!(described, wanted);
    let text = serde_json::to_string(&api).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    for operation in json["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values()) {
        assert_eq!(operation["security"], json!([{ "bearer": [] }]), "{}", operation["operationId"]);
        assert!(operation["responses"]["401"].is_object(), "{}", operation["operationId"]);
    }
    let schemas = api.components.unwrap().schemas;
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is referred to and not described");
    }
    for name in ["Order", "OrderStatus", "PlaceOrder", "Address", "SagaDetail", "ErrorBody"] {
        assert!(schemas.contains_key(name), "{name} is not described: {:?}", schemas.keys());
    }
}
