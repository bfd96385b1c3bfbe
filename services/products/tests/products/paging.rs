//! Every list of the catalogue, read while products come and change.

use cache::Backend;
use events::ProductId;
use products_client::{CreateCategory, CreateProduct, ProductFilter, ProductSort, ProductsApi};
use serde_json::json;
use service::{Page, PageQuery};
use testkit::{NewIds, PageOfIds, copy_row, pages_survive_writes};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::{Shop, euros, new_product};

fn two_after(cursor: Option<String>) -> PageQuery {
    PageQuery { cursor, ..PageQuery::first(2) }
}

fn ids_of<T>(page: Page<T>, id: impl Fn(&T) -> Uuid) -> PageOfIds {
    (page.items.iter().map(id).collect(), page.next_cursor)
}

/// New products that nothing but their ids tells from the one that was read last, and such as come first and last in
/// every order; those that are there are sold and described anew.
async fn the_shop_is_restocked(owner: &Client, last: Uuid, new: NewIds) {
    let [low, high] = new.at_the_ends;
    let first = json!({"id": low, "name": "Tea", "description": null, "price": "0.0100"});
    let end = json!({"id": high, "name": "Zz", "description": "Goes with tea", "price": "999.0000"});
    let beside = new.beside.map(|id| json!({"id": id}));
    for mut other in beside.into_iter().chain([first, end]) {
        other["sku"] = other["id"].clone();
        copy_row(owner, "catalog.products", "id", last, other).await;
    }
    let sold =
        "UPDATE catalog.products SET stock_quantity = stock_quantity + 1, version = version + 1, image_url = '/x'";
    owner.execute(sold, &[]).await.unwrap();
}

#[tokio::test]
async fn pages_of_products_survive_writes_in_every_order() {
    let shop = Shop::quiet().await;
    let category = CreateCategory { name: "Tea".to_owned(), description: None };
    let category = shop.products.create_category(&shop.admin, category).await.unwrap().id;
    for (number, (name, price)) in [
        ("Verbena tea", "3.00"),
        ("Verbena tea", "3.00"),
        ("Vanilla tea", "3.00"),
        ("Violet tea", "7.00"),
        ("Violet tea", "5.00"),
    ]
    .into_iter()
    .enumerate()
    {
        let sku = format!("SKU-{number}");
        let new = CreateProduct {
            name: name.to_owned(),
            price: euros(price),
            category_id: Some(category),
            ..new_product(&sku, 1)
        };
        shop.products.create_product(&shop.admin, new).await.unwrap();
    }
    // What is written past the service is seen at once by one that keeps no copies.
    let products = shop.another(Backend::in_process()).await;
    let write = async |last, new| the_shop_is_restocked(&shop.owner, last, new).await;

    let words = Some("tea".to_owned());
    let sorted = |sort| ProductFilter { sort: Some(sort), ..ProductFilter::default() };
    let lists = [
        sorted(ProductSort::Newest),
        sorted(ProductSort::Name),
        sorted(ProductSort::PriceAsc),
        sorted(ProductSort::PriceDesc),
        ProductFilter { q: words.clone(), ..sorted(ProductSort::Relevance) },
        ProductFilter { q: words, category: Some(category), in_stock: Some(true), ..sorted(ProductSort::Name) },
        ProductFilter {
            min_price: Some("0.01".to_owned()),
            max_price: Some("999".to_owned()),
            ..sorted(ProductSort::PriceAsc)
        },
    ];
    for filter in &lists {
        let read = async |cursor| {
            let page = products.products(&shop.anyone, filter, &two_after(cursor)).await.unwrap();
            ids_of(page, |product| product.id.uuid())
        };
        pages_survive_writes(read, &write).await;
    }
    let read = async |cursor| {
        let ids = [category];
        let mut pages = products.products_by_categories(&shop.anyone, &ids, &two_after(cursor)).await.unwrap();
        ids_of(pages.remove(0).products, |product| product.id.uuid())
    };
    pages_survive_writes(read, &write).await;
}

#[tokio::test]
async fn pages_of_categories_survive_writes() {
    let shop = Shop::quiet().await;
    for number in 0..5 {
        let category = CreateCategory { name: format!("Kind {number}"), description: None };
        shop.products.create_category(&shop.admin, category).await.unwrap();
    }
    let products = shop.another(Backend::in_process()).await;
    let read = async |cursor| {
        let page = products.categories(&shop.anyone, &two_after(cursor)).await.unwrap();
        ids_of(page, |category| category.id.uuid())
    };
    pages_survive_writes(read, async |last, new| {
        let name = "SELECT name FROM catalog.categories WHERE id = $1";
        let name: String = shop.owner.query_one(name, &[&last]).await.unwrap().get(0);
        let [low, high] = new.at_the_ends;
        let [lower, higher] = new.beside;
        let others: [(Uuid, String); 4] = [
            (lower, format!("{name} {lower}")),
            (higher, format!("Kind {}", higher.simple())),
            (low, format!("Aa {low}")),
            (high, format!("Zz {high}")),
        ];
        for (id, name) in others {
            copy_row(&shop.owner, "catalog.categories", "id", last, json!({"id": id, "name": name})).await;
        }
        shop.owner.execute("UPDATE catalog.categories SET description = 'new'", &[]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn pages_of_the_stock_history_survive_writes() {
    let shop = Shop::quiet().await;
    let product = shop.product("SKU-1", 5).await.id;
    for _ in 0..5 {
        shop.adjust(product, 1).await.unwrap();
    }
    let write = async |last, new: NewIds| {
        for id in [new.beside, new.at_the_ends].concat() {
            copy_row(&shop.owner, "catalog.inventory_history", "id", last, json!({"id": id})).await;
        }
    };
    let of_one = async |cursor| {
        let page = shop.products.stock_history(&shop.admin, product, &two_after(cursor)).await.unwrap();
        ids_of(page, |entry| entry.id)
    };
    pages_survive_writes(of_one, &write).await;
    let of_several = async |cursor| {
        let ids: [ProductId; 1] = [product];
        let mut pages = shop.products.stock_histories(&shop.admin, &ids, &two_after(cursor)).await.unwrap();
        ids_of(pages.remove(0).entries, |entry| entry.id)
    };
    pages_survive_writes(of_several, &write).await;
}
