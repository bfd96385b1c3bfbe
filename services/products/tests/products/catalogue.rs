use events::{CategoryId, ProductCreated, ProductId, ProductUpdated};
use products_client::{
    CreateCategory, CreateProduct, NewPicture, Precondition, ProductsApi, StockAdjustment, UpdateProduct,
};
use service::{Error, IdempotencyKey, PageQuery, Role};

use crate::support::{Shop, caller, euros, new_product};

fn code(result: Result<impl std::fmt::Debug, Error>) -> (u16, String) {
    let error = result.unwrap_err();
    (error.status.as_u16(), error.code.into_owned())
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn a_new_product_is_read_published_and_accounted_for() {
    let shop = Shop::quiet().await;
    let category = CreateCategory { name: "Tea".into(), description: None };
    let category = shop.products.create_category(&shop.admin, category).await.unwrap();
    let new = CreateProduct {
        description: Some("A fine tea".into()),
        category_id: Some(category.id),
        image_url: Some("/images/tea.svg".into()),
        ..new_product("TEA-1", 7)
    };
    let created = shop.products.create_product(&shop.admin, new).await.unwrap();
    assert_eq!(shop.products.product(&shop.anyone, created.id).await.unwrap(), created);
    assert_eq!((created.stock_quantity, created.in_stock, created.version), (7, true, 1));
    assert_eq!((created.price, created.category_id), (euros("5.00"), Some(category.id)));

    let published = shop.said::<ProductCreated>().await;
    assert_eq!(published.len(), 1);
    assert_eq!((published[0].product_id, published[0].sku.as_str()), (created.id, "TEA-1"));
    let history = shop.products.stock_history(&shop.admin, created.id, &PageQuery::default()).await.unwrap();
    let told: Vec<_> = history.items.iter().map(|entry| (entry.change, entry.reason.as_str())).collect();
    assert_eq!(told, [(7, "initial stock")]);
    assert_eq!(history.items[0].actor, shop.admin.user_id().unwrap().to_string());
}

#[tokio::test]
async fn only_admins_write() {
    let shop = Shop::quiet().await;
    let product = shop.product("A", 1).await;
    let customer = caller(&shop.keys, Role::User);
    for (who, expected) in [(&shop.anyone, refusal(401, "unauthenticated")), (&customer, refusal(403, "forbidden"))] {
        let category = CreateCategory { name: "Tea".into(), description: None };
        let (api, seen) = (&shop.products, Precondition::Exists);
        assert_eq!(code(api.create_product(who, new_product("B", 1)).await), expected);
        assert_eq!(code(api.update_product(who, product.id, seen, UpdateProduct::default()).await), expected);
        assert_eq!(code(api.delete_product(who, product.id).await), expected);
        let picture = NewPicture { content_type: "image/png".into(), bytes: Default::default() };
        assert_eq!(code(api.upload_picture(who, picture).await), expected, "first who, then what");
        assert_eq!(code(api.create_category(who, category).await), expected);
        assert_eq!(code(api.adjust_stock(who, product.id, StockAdjustment::set(9, "mine")).await), expected);
        assert_eq!(code(api.stock_history(who, product.id, &PageQuery::default()).await), expected);
        assert_eq!(code(api.stock_histories(who, &[product.id], &PageQuery::default()).await), expected);
    }
    assert_eq!(shop.products.product(&shop.anyone, product.id).await.unwrap(), product);
}

#[tokio::test]
async fn a_sku_is_unique_among_the_living() {
    let shop = Shop::quiet().await;
    let first = shop.product("A", 1).await;
    let taken = refusal(409, "sku_already_exists");
    assert_eq!(code(shop.products.create_product(&shop.admin, new_product("A", 1)).await), taken);
    let other = shop.product("B", 1).await;
    let rename = UpdateProduct { sku: Some("A".into()), ..Default::default() };
    assert_eq!(code(shop.products.update_product(&shop.admin, other.id, Precondition::Exists, rename).await), taken);

    shop.products.delete_product(&shop.admin, first.id).await.unwrap();
    assert_eq!(code(shop.products.product(&shop.anyone, first.id).await), refusal(404, "product_not_found"));
    assert_eq!(code(shop.products.delete_product(&shop.admin, first.id).await), refusal(404, "product_not_found"));
    assert_eq!(shop.product("A", 1).await.version, 1);
    let said = shop.said::<ProductUpdated>().await;
    assert_eq!(said.iter().map(|event| (event.product_id, event.deleted)).collect::<Vec<_>>(), [(first.id, true)]);
}

#[tokio::test]
async fn an_edit_needs_the_present_version() {
    let shop = Shop::quiet().await;
    let category = CreateCategory { name: "Tea".into(), description: None };
    let category = shop.products.create_category(&shop.admin, category).await.unwrap();
    let new = CreateProduct { category_id: Some(category.id), description: Some("?".into()), ..new_product("A", 3) };
    let product = shop.products.create_product(&shop.admin, new).await.unwrap();
    let update = |seen, change| shop.products.update_product(&shop.admin, product.id, seen, change);
    let seen = Precondition::Version(product.version);

    let dearer = UpdateProduct { price: Some(euros("6.00")), description: Some(None), ..Default::default() };
    let changed = update(seen, dearer.clone()).await.unwrap();
    assert_eq!((changed.price, changed.description.as_deref(), changed.version), (euros("6.00"), None, 2));
    assert_eq!(
        (changed.category_id, changed.name.as_str()),
        (Some(category.id), "Product A"),
        "not named, not changed"
    );
    assert_eq!(code(update(seen, dearer.clone()).await), refusal(412, "product_changed"));

    let again = update(Precondition::Exists, dearer).await.unwrap();
    assert_eq!(again, changed, "nothing changed, so nothing is written");
    assert_eq!(shop.said::<ProductUpdated>().await.len(), 1);

    let nowhere = UpdateProduct { category_id: Some(Some(CategoryId::new())), ..Default::default() };
    let error = update(Precondition::Exists, nowhere).await.unwrap_err();
    assert_eq!((error.status.as_u16(), error.fields[0].field.as_str()), (422, "category_id"));
    let missing = shop.products.update_product(&shop.admin, ProductId::new(), seen, UpdateProduct::default()).await;
    assert_eq!(code(missing), refusal(404, "product_not_found"));
}

#[tokio::test]
async fn entry_and_stock_change_together_or_not_at_all() {
    let shop = Shop::quiet().await;
    let product = shop.product("A", 3).await;
    shop.product("B", 1).await;
    let update = |change| shop.products.update_product(&shop.admin, product.id, Precondition::Exists, change);
    let changes = async || {
        let history = shop.products.stock_history(&shop.admin, product.id, &PageQuery::default()).await.unwrap();
        history.items.iter().map(|entry| (entry.change, entry.stock_quantity)).collect::<Vec<_>>()
    };
    let stock = UpdateProduct { stock_quantity: Some(9), ..Default::default() };

    let taken = UpdateProduct { sku: Some("B".into()), ..stock.clone() };
    assert_eq!(code(update(taken).await), refusal(409, "sku_already_exists"));
    assert_eq!(shop.products.product(&shop.anyone, product.id).await.unwrap(), product);
    assert_eq!(changes().await, [(3, 3)], "the refused change moved no stock");

    let both = update(UpdateProduct { name: Some("Tea".into()), ..stock.clone() }).await.unwrap();
    assert_eq!((both.name.as_str(), both.stock_quantity, both.version), ("Tea", 9, 2));
    assert_eq!(shop.products.product(&shop.anyone, product.id).await.unwrap(), both);
    assert_eq!(changes().await, [(6, 9), (3, 3)]);

    assert_eq!(update(stock).await.unwrap(), both, "nothing changed, so nothing is written");
    let none = update(UpdateProduct { stock_quantity: Some(0), ..Default::default() }).await.unwrap();
    assert_eq!((none.stock_quantity, none.in_stock, none.version), (0, false, 2));
    assert_eq!(shop.products.product(&shop.anyone, product.id).await.unwrap(), none);
    assert_eq!(changes().await, [(-9, 0), (6, 9), (3, 3)]);
    assert_eq!(shop.said::<ProductUpdated>().await.len(), 1);
    assert_eq!(shop.stock_of(product.id).await.available, 0);
    for wrong in [-1, i32::MAX] {
        let change = UpdateProduct { stock_quantity: Some(wrong), ..Default::default() };
        assert_eq!(code(update(change).await), refusal(422, "validation_failed"));
    }
}

#[tokio::test]
async fn one_key_makes_one_change() {
    let shop = Shop::quiet().await;
    let product = shop.product("A", 3).await;
    let keyed = shop.admin.with_idempotency_key(Some(IdempotencyKey::new("k1").unwrap()));
    let seen = Precondition::Version(product.version);
    let rename = |name: &str| UpdateProduct { name: Some(name.into()), stock_quantity: Some(5), ..Default::default() };
    let update = |name| shop.products.update_product(&keyed, product.id, seen, rename(name));
    let first = update("Tea").await.unwrap();
    assert_eq!(shop.adjust(product.id, -5).await.unwrap(), 0);
    assert_eq!(update("Tea").await.unwrap(), first, "answered as before, though it is another version now");
    assert_eq!(shop.stock_of(product.id).await.available, 0, "and not done again");
    assert_eq!(code(update("Coffee").await), refusal(422, "idempotency_key_reused"));
    assert_eq!(shop.said::<ProductUpdated>().await.len(), 1);
}

#[tokio::test]
async fn of_two_edits_at_once_one_is_refused() {
    let shop = Shop::quiet().await;
    let product = shop.product("A", 1).await;
    let rename = |name: &str| UpdateProduct { name: Some(name.to_owned()), ..Default::default() };
    let seen = Precondition::Version(product.version);
    let (left, right) = tokio::join!(
        shop.products.update_product(&shop.admin, product.id, seen, rename("left")),
        shop.products.update_product(&shop.admin, product.id, seen, rename("right")),
    );
    assert!(left.is_ok() ^ right.is_ok(), "{left:?} {right:?}");
}

#[tokio::test]
async fn a_category_is_unique_whatever_its_case() {
    let shop = Shop::quiet().await;
    let create = |name: &str| {
        shop.products.create_category(&shop.admin, CreateCategory { name: name.to_owned(), description: None })
    };
    let mut ids = Vec::new();
    for name in ["Tea", "beer", "Coffee"] {
        ids.push(create(name).await.unwrap().id);
    }
    assert_eq!(code(create("TEA").await), refusal(409, "category_name_already_exists"));

    let first = shop.products.categories(&shop.anyone, &PageQuery::first(2)).await.unwrap();
    let next = PageQuery { cursor: first.next_cursor.clone(), ..PageQuery::first(2) };
    let second = shop.products.categories(&shop.anyone, &next).await.unwrap();
    let names: Vec<_> = first.items.iter().chain(&second.items).map(|category| category.name.as_str()).collect();
    assert_eq!((names, second.next_cursor), (vec!["beer", "Coffee", "Tea"], None));
    assert_eq!(shop.products.all_categories(&shop.anyone).await.unwrap().len(), 3);

    ids.push(CategoryId::new());
    assert_eq!(shop.products.categories_by_ids(&shop.anyone, &ids).await.unwrap().len(), 3);
    assert_eq!(code(shop.products.category(&shop.anyone, ids[3]).await), refusal(404, "category_not_found"));
}

#[tokio::test]
async fn stock_is_set_and_adjusted_and_never_negative() {
    let shop = Shop::quiet().await;
    let product = shop.product("A", 5).await;
    let set = shop.products.adjust_stock(&shop.admin, product.id, StockAdjustment::set(9, " count ")).await.unwrap();
    assert_eq!((set.change, set.stock_quantity, set.reason.as_str()), (4, 9, "count"));
    assert_eq!(shop.adjust(product.id, -9).await.unwrap(), 0);
    assert_eq!(code(shop.adjust(product.id, -1).await), refusal(409, "insufficient_stock"));
    assert_eq!(code(shop.adjust(ProductId::new(), 1).await), refusal(404, "product_not_found"));
    let both = StockAdjustment { adjust: Some(1), ..StockAdjustment::set(1, "?") };
    assert_eq!(
        code(shop.products.adjust_stock(&shop.admin, product.id, both).await),
        refusal(422, "validation_failed")
    );

    let first = shop.products.stock_history(&shop.admin, product.id, &PageQuery::first(2)).await.unwrap();
    let next = PageQuery { cursor: first.next_cursor.clone(), ..PageQuery::first(2) };
    let second = shop.products.stock_history(&shop.admin, product.id, &next).await.unwrap();
    let changes: Vec<i32> = first.items.iter().chain(&second.items).map(|entry| entry.change).collect();
    assert_eq!(changes, [-9, 4, 5], "newest first");
    assert_eq!(shop.stock_of(product.id).await.available, 0);
}

#[tokio::test]
async fn adjustments_at_once_all_count() {
    let shop = Shop::quiet().await;
    let product = shop.product("A", 0).await;
    let adjustments = (0..20).map(|_| shop.adjust(product.id, 3));
    for result in futures_util::future::join_all(adjustments).await {
        result.unwrap();
    }
    assert_eq!(shop.stock_of(product.id).await.available, 60);
}

#[tokio::test]
async fn one_key_makes_one_product() {
    let shop = Shop::quiet().await;
    let keyed = shop.admin.with_idempotency_key(Some(IdempotencyKey::new("k1").unwrap()));
    let create = |sku: &str| shop.products.create_product(&keyed, new_product(sku, 1));
    let (first, second) = tokio::join!(create("A"), create("A"));
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(code(create("B").await), refusal(422, "idempotency_key_reused"));
    assert_eq!(shop.said::<ProductCreated>().await.len(), 1);
}

#[tokio::test]
async fn one_key_deletes_once_and_answers_what_was_deleted() {
    let shop = Shop::quiet().await;
    let product = shop.product("A", 1).await;
    let keyed = shop.admin.with_idempotency_key(Some(IdempotencyKey::new("k1").unwrap()));
    let first = shop.products.delete_product(&keyed, product.id).await.unwrap();
    assert_eq!((first.id, &first.name, first.version), (product.id, &product.name, product.version + 1));
    assert_eq!(shop.products.delete_product(&keyed, product.id).await.unwrap(), first);
    assert_eq!(code(shop.products.delete_product(&shop.admin, product.id).await), refusal(404, "product_not_found"));
    assert_eq!(shop.said::<ProductUpdated>().await.len(), 1);
}
