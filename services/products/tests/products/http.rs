use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use events::{CategoryId, ProductId};
use http_body_util::BodyExt;
use products_client::{
    CreateCategory, CreateProduct, Http, NewPicture, Precondition, Product, ProductFilter, ProductSort, ProductsApi,
    RelatedQuery, StockAdjustment, SuggestionQuery, UPLOADS, UpdateProduct,
};
use serde_json::{Value, json};
use service::PageQuery;
use service::server::{AppConfig, DRAIN_TIMEOUT, app, serve};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support::{Shop, new_product};

fn routes(shop: &Shop) -> Router {
    let (router, _) = products::router(shop.products.clone()).split_for_parts();
    app(router, AppConfig::new(products::SERVICE, shop.keys.clone()))
}

struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    #[track_caller]
    fn assert_error(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.json()["error"].as_str().unwrap()), (status, code), "{}", self.json());
    }
}

/// As an admin.
async fn call(shop: &Shop, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
    let token = shop.admin.token.as_ref().unwrap().reveal();
    let mut request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = match body {
        None => Body::empty(),
        Some(json) => {
            request = request.header("content-type", "application/json");
            Body::from(json.to_string())
        }
    };
    let (parts, body) = routes(shop).oneshot(request.body(body).unwrap()).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

#[tokio::test]
async fn an_entity_tag_guards_edits_and_saves_reads() {
    let shop = Shop::quiet().await;
    let body =
        json!({"name": "Tea", "sku": "TEA-1", "price": {"amount": "5.50", "currency": "EUR"}, "stock_quantity": 3});
    let created = call(&shop, Method::POST, "/products", &[], Some(body)).await;
    assert_eq!(created.status, 201);
    let path = created.header("location").to_owned();
    assert_eq!(created.json()["price"], json!({"amount": "5.50", "currency": "EUR"}));

    let read = call(&shop, Method::GET, &path, &[], None).await;
    let etag = read.header("etag").to_owned();
    assert_eq!(read.json(), created.json());
    let again = call(&shop, Method::GET, &path, &[("if-none-match", &etag)], None).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));

    let change = Some(json!({"name": "Green tea"}));
    call(&shop, Method::PATCH, &path, &[], change.clone()).await.assert_error(428, "precondition_required");
    let sold = json!({"adjust": -1, "reason": "sold over the counter"});
    assert_eq!(call(&shop, Method::POST, &format!("{path}/stock"), &[], Some(sold)).await.status, 200);
    let after_sale = call(&shop, Method::GET, &path, &[("if-none-match", &etag)], None).await;
    assert_eq!((after_sale.status.as_u16(), &after_sale.json()["stock_quantity"]), (200, &json!(2)));

    let changed = call(&shop, Method::PATCH, &path, &[("if-match", &etag)], change.clone()).await;
    assert_eq!((changed.status.as_u16(), &changed.json()["name"]), (200, &json!("Green tea")), "a sale is no obstacle");
    for stale in [etag.as_str(), "\"no such tag\"", "W/\"2.2\""] {
        let refused = call(&shop, Method::PATCH, &path, &[("if-match", stale)], change.clone()).await;
        refused.assert_error(412, "product_changed");
    }
    assert_eq!(call(&shop, Method::PATCH, &path, &[("if-match", "*")], change).await.status, 200);
    let deleted = call(&shop, Method::DELETE, &path, &[], None).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    call(&shop, Method::GET, &path, &[], None).await.assert_error(404, "product_not_found");
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_one_shape() {
    let shop = Shop::quiet().await;
    let price = json!({"amount": "5.50", "currency": "EUR"});
    let refused: [(Value, &str); 7] = [
        (json!({"name": "", "sku": "A", "price": price}), "name"),
        (json!({"name": "A", "sku": "a b", "price": price}), "sku"),
        (json!({"name": "A", "sku": "A", "price": {"amount": "-1.00", "currency": "EUR"}}), "price"),
        (json!({"name": "A", "sku": "A", "price": {"amount": "1.999", "currency": "EUR"}}), "price"),
        (json!({"name": "A", "sku": "A", "price": 5.5}), "price"),
        (json!({"name": "A", "sku": "A", "price": price, "stock_quantity": -1}), "stock_quantity"),
        (json!({"name": "A", "sku": "A", "price": price, "image_url": "javascript:alert(1)"}), "image_url"),
    ];
    for (body, field) in refused {
        let answer = call(&shop, Method::POST, "/products", &[], Some(body)).await;
        answer.assert_error(422, "validation_failed");
        assert_eq!(answer.json()["fields"][0]["field"], field, "{}", answer.json());
    }
    for (path, code) in [
        ("/products/7", "invalid_path"),
        ("/products?category=7", "invalid_query"),
        ("/products?sort=size", "invalid_query"),
        ("/products?in_stock=perhaps", "invalid_query"),
        ("/products?cursor=abc", "invalid_cursor"),
        ("/products/batch?ids=1", "invalid_query"),
        ("/products/facets?categories=1", "invalid_query"),
        ("/products/related?ids=1", "invalid_query"),
        ("/products/suggestions", "invalid_query"),
        ("/categories/facets?ids=1", "invalid_query"),
    ] {
        call(&shop, Method::GET, path, &[], None).await.assert_error(400, code);
    }
    for path in [
        "/products?limit=0",
        "/products?limit=101",
        "/products?min_price=cheap",
        "/categories?limit=0",
        "/products/facets?min_price=cheap",
        "/products/suggestions?q=a&limit=21",
        "/products/related?ids=&limit=25",
    ] {
        call(&shop, Method::GET, path, &[], None).await.assert_error(422, "validation_failed");
    }
    for path in ["/images/none.svg", "/images/..%2Fsecret", "/images/%00"] {
        call(&shop, Method::GET, path, &[], None).await.assert_error(404, "picture_not_found");
    }
    let zero = json!({"name": "A\u{0}", "sku": "A", "price": price});
    call(&shop, Method::POST, "/products", &[], Some(zero)).await.assert_error(422, "invalid_characters");
}

#[tokio::test]
async fn a_picture_is_cached_and_cannot_run_scripts() {
    let shop = Shop::quiet().await;
    products::seed(&shop.products).await.unwrap();
    let page = call(&shop, Method::GET, "/products?limit=1", &[], None).await;
    let path = page.json()["items"][0]["image_url"].as_str().unwrap().to_owned();
    let picture = call(&shop, Method::GET, &path, &[], None).await;
    assert_eq!((picture.status.as_u16(), picture.header("content-type")), (200, "image/svg+xml"));
    assert!(picture.header("content-security-policy").contains("default-src 'none'"));
    assert!(picture.header("cache-control").contains("max-age"));
    let again = call(&shop, Method::GET, &path, &[("if-none-match", picture.header("etag"))], None).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
}

#[tokio::test]
async fn the_description_of_the_endpoints_is_whole() {
    let shop = Shop::quiet().await;
    let (_, openapi) = products::router(shop.products.clone()).split_for_parts();
    let json = serde_json::to_value(&openapi).unwrap();
    assert_eq!(json["paths"].as_object().unwrap().len(), 16);
    let text = json.to_string();
    let references: Vec<&str> =
        text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(references.len() > 10);
    for reference in references {
        assert!(json.pointer(reference).is_some(), "{reference} leads nowhere");
    }
}

/// The client over HTTP and the service itself answer alike.
#[tokio::test]
async fn both_clients_answer_alike() {
    let shop = Shop::quiet().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(serve(listener, routes(&shop), shutdown.clone(), DRAIN_TIMEOUT));
    let http = Http::new(&url).unwrap();
    let local: &dyn ProductsApi = &*shop.products;

    let category = CreateCategory { name: "Tea".into(), description: Some("Leaves".into()) };
    let category = http.create_category(&shop.admin, category).await.unwrap();
    let mut made: Vec<Product> = Vec::new();
    for n in 0..3 {
        let new = CreateProduct { category_id: Some(category.id), ..new_product(&n.to_string(), n) };
        made.push(http.create_product(&shop.admin, new).await.unwrap());
    }
    let change = UpdateProduct { description: Some(Some("Changed".into())), ..Default::default() };
    let seen = Precondition::Version(made[0].version);
    made[0] = http.update_product(&shop.admin, made[0].id, seen, change.clone()).await.unwrap();
    http.adjust_stock(&shop.admin, made[1].id, StockAdjustment::set(4, "count")).await.unwrap();
    let deleted = http.delete_product(&shop.admin, made[2].id).await.unwrap();
    assert_eq!((deleted.id, &deleted.name), (made[2].id, &made[2].name));
    products::seed(&shop.products).await.unwrap();

    let filter = ProductFilter {
        category: Some(category.id),
        q: Some("product & more -x".into()),
        min_price: Some("1.00".into()),
        in_stock: Some(true),
        sort: Some(ProductSort::PriceDesc),
        ..Default::default()
    };
    let page = PageQuery { with_cursors: Some(true), ..PageQuery::first(1) };
    let ids: Vec<_> = made.iter().map(|product| product.id).collect();
    let all = ProductFilter::default();
    for api in [local, &http] {
        assert_eq!(api.product(&shop.anyone, ids[0]).await, Ok(made[0].clone()));
        assert_eq!(api.product(&shop.anyone, ids[2]).await.unwrap_err().code, "product_not_found");
        assert_eq!(api.category(&shop.anyone, category.id).await, Ok(category.clone()));
        assert_eq!(api.products_by_ids(&shop.anyone, &ids).await.unwrap().len(), 2);
        assert_eq!(api.categories_by_ids(&shop.anyone, &[category.id]).await, Ok(vec![category.clone()]));
        let stale = api.update_product(&shop.admin, ids[0], seen, change.clone()).await.unwrap_err();
        assert_eq!((stale.code.as_ref(), stale.status.as_u16()), ("product_changed", 412));
        assert_eq!(api.create_product(&shop.anyone, new_product("X", 1)).await.unwrap_err().code, "unauthenticated");
        let picture = NewPicture { content_type: "image/png".into(), bytes: b"\x89PNG\r\n\x1a\n".as_slice().into() };
        let uploaded = api.upload_picture(&shop.admin, picture.clone()).await.unwrap();
        let file = uploaded.url.strip_prefix(UPLOADS).unwrap();
        assert_eq!(api.picture(&shop.anyone, file).await.unwrap().bytes, picture.bytes);
        assert_eq!(api.upload_picture(&shop.anyone, picture).await.unwrap_err().code, "unauthenticated");
        assert_eq!(api.picture(&shop.anyone, "../x").await.unwrap_err().code, "picture_not_found");
    }
    let wide = local.products(&shop.anyone, &all, &page).await.unwrap();
    assert_eq!(http.products(&shop.anyone, &all, &page).await, Ok(wide.clone()));
    assert_eq!(http.products(&shop.anyone, &filter, &page).await, local.products(&shop.anyone, &filter, &page).await);
    assert_eq!(http.all_categories(&shop.anyone).await, local.all_categories(&shop.anyone).await);
    assert_eq!(
        http.products_by_categories(&shop.anyone, &[category.id], &page).await,
        local.products_by_categories(&shop.anyone, &[category.id], &page).await
    );
    assert_eq!(
        http.stock_history(&shop.admin, ids[1], &page).await,
        local.stock_history(&shop.admin, ids[1], &page).await
    );
    both_tell_alike(&shop, &http, &filter, &ids, category.id).await;
    let file = wide.items[0].image_url.as_deref().unwrap().strip_prefix("/images/").unwrap();
    assert_eq!(http.picture(&shop.anyone, file).await, local.picture(&shop.anyone, file).await);

    shutdown.cancel();
    server.await.unwrap().unwrap();
}

/// What is told of lists, what goes with products, and how their stock came to be.
async fn both_tell_alike(shop: &Shop, http: &Http, filter: &ProductFilter, ids: &[ProductId], category: CategoryId) {
    let (local, anyone): (&dyn ProductsApi, _) = (&*shop.products, &shop.anyone);
    let several =
        ProductFilter { category: None, categories: Some(vec![category, CategoryId::new()]), ..filter.clone() };
    for filter in [filter, &several, &ProductFilter { categories: Some(Vec::new()), ..Default::default() }] {
        assert_eq!(http.facets(anyone, filter).await, local.facets(anyone, filter).await);
    }
    let of = [category];
    assert_eq!(http.facets_by_categories(anyone, &of).await, local.facets_by_categories(anyone, &of).await);
    let typed = SuggestionQuery { q: "prod & uct".into(), limit: Some(2) };
    assert_eq!(http.suggestions(anyone, &typed).await, local.suggestions(anyone, &typed).await);
    let related = RelatedQuery { ids: ids.to_vec(), limit: Some(1) };
    assert_eq!(http.related_products(anyone, &related).await, local.related_products(anyone, &related).await);
    let page = PageQuery::first(1);
    let histories = local.stock_histories(&shop.admin, ids, &page).await;
    assert_eq!(histories.as_ref().unwrap()[1].entries.items.len(), 1);
    assert_eq!(http.stock_histories(&shop.admin, ids, &page).await, histories);
}

#[tokio::test]
async fn a_picture_is_uploaded_as_it_is() {
    let shop = Shop::quiet().await;
    let token = shop.admin.token.as_ref().unwrap().reveal();
    let post = async |content_type: &str, body: Vec<u8>| {
        let request = Request::post("/pictures").header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", content_type).body(Body::from(body)).unwrap();
        let (parts, body) = routes(&shop).oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    };
    let jpeg = b"\xff\xd8\xff\xe0 a picture".to_vec();
    let uploaded = post("image/jpeg", jpeg.clone()).await;
    assert_eq!(uploaded.status, 201);
    let path = uploaded.header("location").to_owned();
    assert_eq!((uploaded.json()["url"].as_str(), uploaded.json()["size"].as_u64()), (Some(&*path), Some(14)));
    let served = call(&shop, Method::GET, &path, &[], None).await;
    assert_eq!((served.status.as_u16(), served.header("content-type"), &served.body), (200, "image/jpeg", &jpeg));
    assert!(served.header("cache-control").contains("immutable"));
    let again = call(&shop, Method::GET, &path, &[("if-none-match", served.header("etag"))], None).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));

    post("image/svg+xml", b"<svg/>".to_vec()).await.assert_error(415, "unsupported_picture");
    post("image/png", jpeg).await.assert_error(422, "validation_failed");
    post("image/png", vec![0; 700_001]).await.assert_error(413, "picture_too_large");
    post("image/png", vec![0; 2_000_000]).await.assert_error(413, "payload_too_large");
    let missing = format!("/pictures/{}.png", "0".repeat(64));
    for path in [missing.as_str(), "/pictures/a.svg", "/pictures/..%2Fsecret"] {
        call(&shop, Method::GET, path, &[], None).await.assert_error(404, "picture_not_found");
    }
}
