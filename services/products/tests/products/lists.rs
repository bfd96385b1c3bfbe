use events::{CategoryId, Currency, ProductId};
use products_client::{CreateCategory, CreateProduct, Product, ProductFilter, ProductSort, ProductsApi};
use service::PageQuery;

use crate::support::{Shop, euros, new_product};

/// Six products: names and prices repeat, so that only the id tells some apart.
async fn shelf(shop: &Shop) -> Vec<Product> {
    let mut products = Vec::new();
    for (n, (name, price, stock)) in [
        ("Green tea", "5.00", 1),
        ("Black tea", "3.00", 0),
        ("Black tea", "3.00", 4),
        ("Espresso beans", "12.50", 9),
        ("Decaf 100%", "12.50", 2),
        ("Teapot", "30.00", 0),
    ]
    .into_iter()
    .enumerate()
    {
        let new = CreateProduct {
            name: name.into(),
            price: euros(price),
            description: (name == "Teapot").then(|| "Made for green leaves".to_owned()),
            ..new_product(&format!("SKU-{n}"), stock)
        };
        products.push(shop.products.create_product(&shop.admin, new).await.unwrap());
    }
    products
}

async fn ids(shop: &Shop, filter: &ProductFilter, limit: u16) -> Vec<ProductId> {
    let (mut found, mut query) = (Vec::new(), PageQuery::first(limit));
    loop {
        let page = shop.products.products(&shop.anyone, filter, &query).await.unwrap();
        assert!(page.items.len() <= usize::from(limit));
        found.extend(page.items.into_iter().map(|product| product.id));
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return found,
        }
    }
}

async fn names(shop: &Shop, filter: ProductFilter) -> Vec<String> {
    let page = shop.products.products(&shop.anyone, &filter, &PageQuery::default()).await.unwrap();
    page.items.into_iter().map(|product| product.name).collect()
}

#[tokio::test]
async fn every_order_pages_without_gap_or_repeat() {
    let shop = Shop::quiet().await;
    let products = shelf(&shop).await;
    for sort in [ProductSort::Newest, ProductSort::Name, ProductSort::PriceAsc, ProductSort::PriceDesc] {
        let filter = ProductFilter { sort: Some(sort), ..Default::default() };
        let mut expected = products.clone();
        expected.sort_by(|a, b| match sort {
            ProductSort::Newest | ProductSort::Relevance => b.id.cmp(&a.id),
            ProductSort::Name => (&a.name, a.id).cmp(&(&b.name, b.id)),
            ProductSort::PriceAsc => (a.price.minor(), a.id).cmp(&(b.price.minor(), b.id)),
            ProductSort::PriceDesc => (b.price.minor(), b.id).cmp(&(a.price.minor(), a.id)),
        });
        let expected: Vec<ProductId> = expected.iter().map(|product| product.id).collect();
        for limit in [1, 4, 6] {
            assert_eq!(ids(&shop, &filter, limit).await, expected, "{sort:?} by {limit}");
        }
    }
    let ranked = ProductFilter { q: Some("tea".into()), ..Default::default() };
    let at_once = ids(&shop, &ranked, 100).await;
    assert_eq!(at_once.len(), 4);
    assert_eq!(ids(&shop, &ranked, 1).await, at_once);
}

#[tokio::test]
async fn filters_narrow() {
    let shop = Shop::quiet().await;
    shelf(&shop).await;
    let by_name = ProductFilter { sort: Some(ProductSort::Name), ..Default::default() };
    let between = ProductFilter { min_price: Some("5".into()), max_price: Some("12.50".into()), ..by_name.clone() };
    assert_eq!(names(&shop, between.clone()).await, ["Decaf 100%", "Espresso beans", "Green tea"]);
    let in_yen =
        ProductFilter { currency: "JPY".parse::<Currency>().ok(), min_price: Some("5".into()), ..by_name.clone() };
    assert!(names(&shop, in_yen).await.is_empty());
    let sold_out = ProductFilter { in_stock: Some(false), ..by_name.clone() };
    assert_eq!(names(&shop, sold_out).await, ["Black tea", "Teapot"]);
    let tea_in_stock = ProductFilter { in_stock: Some(true), q: Some("tea".into()), ..by_name };
    assert_eq!(names(&shop, tea_in_stock).await, ["Black tea", "Green tea"]);
}

#[tokio::test]
async fn words_are_found() {
    let shop = Shop::quiet().await;
    shelf(&shop).await;
    let search = |q: &str| names(&shop, ProductFilter { q: Some(q.to_owned()), ..Default::default() });
    assert_eq!(search("espresso bean").await, ["Espresso beans"], "by stem");
    assert_eq!(search("spres").await, ["Espresso beans"], "by part");
    assert_eq!(search("sku-3").await, ["Espresso beans"], "by SKU");
    assert_eq!(search("100%").await, ["Decaf 100%"], "a percent sign is no wildcard");
    assert_eq!(search("green").await, ["Green tea", "Teapot"], "the name counts more than the text");
    assert_eq!(search("tea -black -green").await, Vec::<String>::new());
    assert_eq!(search("\"black tea\"").await.len(), 2);
    for odd in ["'", "\"", "a & | ! b", "(", "\\", ":*"] {
        search(odd).await;
    }
}

#[tokio::test]
async fn categories_list_their_products_in_one_go() {
    let shop = Shop::quiet().await;
    let mut categories = Vec::new();
    for name in ["Tea", "Coffee", "Empty"] {
        let category = CreateCategory { name: name.into(), description: None };
        categories.push(shop.products.create_category(&shop.admin, category).await.unwrap().id);
    }
    for n in 0..5 {
        let new = CreateProduct { category_id: Some(categories[n % 2]), ..new_product(&n.to_string(), 1) };
        shop.products.create_product(&shop.admin, new).await.unwrap();
    }
    let pages = shop.products.products_by_categories(&shop.anyone, &categories, &PageQuery::first(2)).await.unwrap();
    let told: Vec<(CategoryId, Vec<&str>, bool)> = pages
        .iter()
        .map(|page| {
            let skus = page.products.items.iter().map(|product| product.sku.as_str()).collect();
            (page.category_id, skus, page.products.next_cursor.is_some())
        })
        .collect();
    let expected = vec![
        (categories[0], vec!["0", "2"], true),
        (categories[1], vec!["1", "3"], false),
        (categories[2], vec![], false),
    ];
    assert_eq!(told, expected);

    let next = PageQuery { cursor: pages[0].products.next_cursor.clone(), ..PageQuery::first(2) };
    let tea = &categories[..1];
    let rest = shop.products.products_by_categories(&shop.anyone, tea, &next).await.unwrap();
    assert_eq!(rest[0].products.items[0].sku, "4");
    let filter = ProductFilter { category: Some(categories[0]), sort: Some(ProductSort::Name), ..Default::default() };
    let same = shop.products.products(&shop.anyone, &filter, &next).await.unwrap();
    assert_eq!(same, rest[0].products, "the cursors are those of the list");
}

#[tokio::test]
async fn several_are_read_by_id() {
    let shop = Shop::quiet().await;
    let products = shelf(&shop).await;
    shop.products.delete_product(&shop.admin, products[0].id).await.unwrap();
    let mut wanted: Vec<ProductId> = products.iter().map(|product| product.id).collect();
    wanted.push(ProductId::new());
    let mut found = shop.products.products_by_ids(&shop.anyone, &wanted).await.unwrap();
    found.sort_by_key(|product| product.id);
    assert_eq!(found, products[1..]);
    let too_many = vec![ProductId::new(); products_client::MAX_IDS + 1];
    assert_eq!(shop.products.products_by_ids(&shop.anyone, &too_many).await.unwrap_err().code, "validation_failed");
}
