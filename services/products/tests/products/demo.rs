use events::ProductCreated;
use products_client::{Precondition, ProductFilter, ProductsApi, UpdateProduct};
use service::PageQuery;

use crate::support::Shop;

#[tokio::test]
async fn the_demo_catalogue_comes_once() {
    let shop = Shop::quiet().await;
    let demo = demo_catalogue::products();
    let (first, second) = tokio::join!(products::seed(&shop.products), products::seed(&shop.products));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.products + second.products, demo.len() as u64);
    assert_eq!(first.categories + second.categories, demo_catalogue::categories().len() as u64);
    assert_eq!(first.pictures + second.pictures, 3 * demo.len() as u64);
    assert_eq!(shop.said::<ProductCreated>().await.len(), demo.len());

    let page = shop.products.products(&shop.anyone, &ProductFilter::default(), &PageQuery::first(20)).await.unwrap();
    for product in &page.items {
        assert!(product.category_id.is_some() && product.description.is_some());
        let file = product.image_url.as_deref().unwrap().strip_prefix("/images/").unwrap();
        let picture = shop.products.picture(&shop.anyone, file).await.unwrap();
        assert_eq!(picture.content_type, "image/svg+xml");
        assert!(picture.bytes.starts_with(b"<svg"), "{file}");
        let history = shop.products.stock_history(&shop.admin, product.id, &PageQuery::default()).await.unwrap();
        let opened: i32 = history.items.iter().map(|entry| entry.change).sum();
        assert_eq!(opened, product.stock_quantity);
    }
    let categories: std::collections::HashSet<_> = page.items.iter().map(|product| product.category_id).collect();
    assert!(categories.len() > 3, "the newest are a bit of everything");
    assert_eq!(shop.products.picture(&shop.anyone, "nothing.svg").await.unwrap_err().code, "picture_not_found");
}

#[tokio::test]
async fn a_second_seed_respects_the_admin() {
    let shop = Shop::quiet().await;
    products::seed(&shop.products).await.unwrap();
    let page = shop.products.products(&shop.anyone, &ProductFilter::default(), &PageQuery::first(2)).await.unwrap();
    let [gone, renamed] = &page.items[..] else { panic!("two products") };
    shop.products.delete_product(&shop.admin, gone.id).await.unwrap();
    let change = UpdateProduct { name: Some("Mine".into()), ..Default::default() };
    shop.products.update_product(&shop.admin, renamed.id, Precondition::Exists, change).await.unwrap();

    let again = products::seed(&shop.products).await.unwrap();
    assert_eq!((again.categories, again.products, again.pictures), (0, 0, 0));
    assert_eq!(shop.products.product(&shop.anyone, gone.id).await.unwrap_err().code, "product_not_found");
    assert_eq!(shop.products.product(&shop.anyone, renamed.id).await.unwrap().name, "Mine");
}
