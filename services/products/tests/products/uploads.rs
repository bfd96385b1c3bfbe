//! Pictures that admins bring: stored once, shown for ever, taken away when nothing shows them.

use std::time::Duration;

use axum::body::Bytes;
use products::ProductsConfig;
use products_client::{
    CreateProduct, MAX_PICTURE_BYTES, NewPicture, Precondition, ProductsApi, UPLOADS, UpdateProduct, UploadedPicture,
};
use service::{Error, IdempotencyKey, Role};
use testkit::eventually;

use crate::support::{SOON, Shop, caller, new_product};

fn png(content: &str) -> NewPicture {
    let bytes = [b"\x89PNG\r\n\x1a\n", content.as_bytes()].concat();
    NewPicture { content_type: "image/png".to_owned(), bytes: Bytes::from(bytes) }
}

async fn upload(shop: &Shop, content: &str) -> UploadedPicture {
    shop.products.upload_picture(&shop.admin, png(content)).await.unwrap()
}

fn file(picture: &UploadedPicture) -> &str {
    picture.url.strip_prefix(UPLOADS).unwrap()
}

#[tokio::test]
async fn the_same_picture_is_stored_once_and_served_as_it_came() {
    let shop = Shop::quiet().await;
    let (first, second) = tokio::join!(upload(&shop, "a"), upload(&shop, "a"));
    assert_eq!(first, second);
    assert_eq!((first.content_type.as_str(), first.size), ("image/png", 9));
    let served = shop.products.picture(&shop.anyone, file(&first)).await.unwrap();
    assert_eq!((served.bytes, served.content_type), (png("a").bytes, "image/png".to_owned()));
    let other = upload(&shop, "b").await;
    assert_ne!(first.url, other.url);
    let sql = "SELECT count(*) AS n, count(uploaded_by) AS by FROM catalog.pictures";
    let row = shop.owner.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>("n"), row.get::<_, i64>("by")), (2, 2));
}

#[tokio::test]
async fn only_admins_bring_pictures_and_only_pictures() {
    let shop = Shop::quiet().await;
    let customer = caller(&shop.keys, Role::User);
    let refusal = |result: Result<UploadedPicture, Error>| {
        let error = result.unwrap_err();
        (error.status.as_u16(), error.code.into_owned())
    };
    let api = &shop.products;
    assert_eq!(refusal(api.upload_picture(&shop.anyone, png("a")).await), (401, "unauthenticated".into()));
    assert_eq!(refusal(api.upload_picture(&customer, png("a")).await), (403, "forbidden".into()));
    let script = NewPicture { content_type: "image/svg+xml".into(), bytes: Bytes::from_static(b"<svg/>") };
    assert_eq!(refusal(api.upload_picture(&shop.admin, script.clone()).await), (415, "unsupported_picture".into()));
    let disguised = NewPicture { content_type: "image/png".into(), ..script };
    assert_eq!(refusal(api.upload_picture(&shop.admin, disguised).await), (422, "validation_failed".into()));
    let large = png(&"x".repeat(MAX_PICTURE_BYTES));
    assert_eq!(refusal(api.upload_picture(&shop.admin, large).await), (413, "picture_too_large".into()));
    let keyed = shop.admin.with_idempotency_key(Some(IdempotencyKey::new("k").unwrap()));
    let first = api.upload_picture(&keyed, png("a")).await.unwrap();
    assert_eq!(api.upload_picture(&keyed, png("a")).await.unwrap(), first);
    assert_eq!(refusal(api.upload_picture(&keyed, png("b")).await), (422, "idempotency_key_reused".into()));
}

#[tokio::test]
async fn a_product_shows_its_gallery_main_picture_first() {
    let shop = Shop::quiet().await;
    let (a, b) = (upload(&shop, "a").await.url, upload(&shop, "b").await.url);
    let new = CreateProduct {
        image_url: Some(a.clone()),
        images: vec!["/images/x.svg".into(), a.clone(), b.clone(), b.clone()],
        ..new_product("A", 1)
    };
    let product = shop.products.create_product(&shop.admin, new).await.unwrap();
    assert_eq!(product.images, [a.as_str(), "/images/x.svg", &b]);
    assert_eq!(shop.products.product(&shop.anyone, product.id).await.unwrap(), product);

    let change = async |change: UpdateProduct| {
        shop.products.update_product(&shop.admin, product.id, Precondition::Exists, change).await
    };
    let main = UpdateProduct { image_url: Some(Some(b.clone())), ..Default::default() };
    assert_eq!(change(main).await.unwrap().images, [b.as_str(), "/images/x.svg"]);
    let further = UpdateProduct { images: Some(vec![a.clone()]), ..Default::default() };
    assert_eq!(change(further).await.unwrap().images, [b.as_str(), &a]);
    let none = UpdateProduct { image_url: Some(None), ..Default::default() };
    assert_eq!(change(none).await.unwrap().images, [a.as_str()]);

    let missing = format!("{UPLOADS}{}.png", "0".repeat(64));
    for unknown in [missing, format!("{UPLOADS}../x")] {
        let refused = change(UpdateProduct { images: Some(vec![unknown]), ..Default::default() }).await.unwrap_err();
        assert_eq!((refused.code.as_ref(), refused.fields[0].field.as_str()), ("validation_failed", "images"));
    }
}

#[tokio::test]
async fn what_no_product_shows_is_taken_away_in_time() {
    let config = ProductsConfig { picture_grace: Duration::from_secs(24 * 60 * 60), ..Default::default() };
    let shop = Shop::with(config).await;
    products::seed(&shop.products).await.unwrap();
    let mut pictures = Vec::new();
    for content in ["main", "further", "of a deleted product", "unused", "new"] {
        pictures.push(upload(&shop, content).await);
    }
    let new = CreateProduct {
        image_url: Some(pictures[0].url.clone()),
        images: vec![pictures[1].url.clone()],
        ..new_product("A", 1)
    };
    let product = shop.products.create_product(&shop.admin, new).await.unwrap();
    let new = CreateProduct { image_url: Some(pictures[2].url.clone()), ..new_product("B", 1) };
    let deleted = shop.products.create_product(&shop.admin, new).await.unwrap();
    shop.products.delete_product(&shop.admin, deleted.id).await.unwrap();

    let age = "UPDATE catalog.pictures SET used_at = now() - interval '25 hours' WHERE file <> $1";
    shop.owner.execute(age, &[&file(&pictures[4])]).await.unwrap();
    // Taken from its product just now: its day begins.
    let less = UpdateProduct { images: Some(Vec::new()), ..Default::default() };
    shop.products.update_product(&shop.admin, product.id, Precondition::Exists, less).await.unwrap();

    tokio::spawn(products::background(shop.products.clone(), shop.shutdown.clone()));
    let uploads = async || -> Vec<String> {
        let sql = "SELECT file FROM catalog.pictures WHERE uploaded_by IS NOT NULL";
        shop.owner.query(sql, &[]).await.unwrap().iter().map(|row| row.get("file")).collect()
    };
    let left = eventually(SOON, || async {
        let left = uploads().await;
        if left.len() < pictures.len() { Ok(left) } else { Err(format!("{} are left", left.len())) }
    })
    .await;
    let is_left: Vec<bool> = pictures.iter().map(|picture| left.iter().any(|name| name == file(picture))).collect();
    assert_eq!(is_left, [true, true, true, false, true]);
    let demo = "SELECT count(*) AS n FROM catalog.pictures WHERE uploaded_by IS NULL";
    assert!(shop.owner.query_one(demo, &[]).await.unwrap().get::<_, i64>("n") > 500);
}

/// The one who looks and the one who gives it to a product meet at the picture's row.
#[tokio::test]
async fn a_picture_that_is_given_to_a_product_in_this_moment_stays() {
    let shop = Shop::quiet().await;
    for n in 0..20 {
        let picture = upload(&shop, &n.to_string()).await;
        shop.owner.execute("UPDATE catalog.pictures SET used_at = 'epoch'", &[]).await.unwrap();
        let another = shop.another(crate::support::trusted()).await;
        let ends = shop.shutdown.child_token();
        let sweeper = tokio::spawn(products::background(another, ends.clone()));
        let new = CreateProduct { image_url: Some(picture.url.clone()), ..new_product(&n.to_string(), 1) };
        match shop.products.create_product(&shop.admin, new).await {
            Ok(product) => {
                let shown = product.image_url.unwrap();
                let found = shop.products.picture(&shop.anyone, shown.strip_prefix(UPLOADS).unwrap()).await;
                assert!(found.is_ok(), "round {n}: the product shows nothing");
            }
            Err(error) => assert_eq!(error.code, "validation_failed", "it came too late, and knows it"),
        }
        ends.cancel();
        sweeper.await.unwrap();
    }
}
