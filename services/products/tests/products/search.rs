//! What is found by words: typed in part, misspelt, in any order; and what is told of it.

use database::migrate;
use products::{Products, ProductsConfig};
use products_client::{
    CategoryCount, CreateCategory, CreateProduct, Product, ProductFilter, ProductSort, ProductsApi, RelatedQuery,
    SuggestionQuery,
};
use service::PageQuery;
use testkit::{TestDatabase, foundation_with};

use crate::support::{Shop, euros, new_product, trusted};

const SHELF: [(&str, &str); 8] = [
    ("Espresso Roma", "Dark, with a long finish"),
    ("Espresso Milano", "Lighter than Roma"),
    ("Riesling Kabinett", "From the steep slopes"),
    ("Riesling Spätlese", "Late harvest"),
    ("Cappuccino Cup", "Holds a double espresso, too"),
    ("Green Tea", "Leaves from the first flush"),
    ("Müller-Thurgau", "A light white wine"),
    ("Teapot", "For green tea"),
];

async fn shelf(shop: &Shop) -> Vec<Product> {
    let mut products = Vec::new();
    for (n, (name, description)) in SHELF.into_iter().enumerate() {
        let new = CreateProduct {
            name: name.into(),
            description: Some(description.into()),
            ..new_product(&format!("SKU-{n}"), 1)
        };
        products.push(shop.products.create_product(&shop.admin, new).await.unwrap());
    }
    products
}

fn names(products: Vec<Product>) -> Vec<String> {
    products.into_iter().map(|product| product.name).collect()
}

fn looking_for(q: &str) -> ProductFilter {
    ProductFilter { q: Some(q.to_owned()), ..Default::default() }
}

async fn search(shop: &Shop, filter: ProductFilter) -> Vec<String> {
    names(shop.products.products(&shop.anyone, &filter, &PageQuery::default()).await.unwrap().items)
}

async fn suggest(shop: &Shop, q: &str) -> Vec<String> {
    let query = SuggestionQuery { q: q.to_owned(), limit: Some(3) };
    names(shop.products.suggestions(&shop.anyone, &query).await.unwrap())
}

#[tokio::test]
async fn the_last_word_may_go_on() {
    let shop = Shop::quiet().await;
    shelf(&shop).await;
    assert_eq!(search(&shop, looking_for("milano espr")).await[0], "Espresso Milano");
    assert_eq!(search(&shop, looking_for("kabinett ries")).await[0], "Riesling Kabinett");
    assert_eq!(search(&shop, looking_for("müller-thur")).await, ["Müller-Thurgau"]);
    assert_eq!(search(&shop, looking_for("g")).await.len(), 2, "one letter is a start");
    assert_eq!(search(&shop, looking_for("espresso -milano")).await, ["Espresso Roma", "Cappuccino Cup"]);
}

#[tokio::test]
async fn small_spelling_mistakes_are_forgiven() {
    let shop = Shop::quiet().await;
    shelf(&shop).await;
    for (typed, meant) in [
        ("expresso", "Espresso"),
        ("esspreso", "Espresso"),
        ("riesing", "Riesling"),
        ("rieslng", "Riesling"),
        ("expreso milan", "Espresso Milano"),
        ("capuccino", "Cappuccino"),
        ("mueller thurgau", "Müller"),
    ] {
        let found = search(&shop, looking_for(typed)).await;
        assert!(found.first().is_some_and(|name| name.starts_with(meant)), "{typed}: {found:?}");
    }
    assert_eq!(search(&shop, looking_for("xylophone")).await, Vec::<String>::new());
    assert_eq!(search(&shop, looking_for("\"expresso\"")).await, Vec::<String>::new(), "quotes mean what they say");
}

#[tokio::test]
async fn what_is_spelt_right_brings_nothing_else() {
    let shop = Shop::quiet().await;
    shelf(&shop).await;
    let found = search(&shop, looking_for("espresso")).await;
    assert_eq!(found, ["Espresso Roma", "Espresso Milano", "Cappuccino Cup"], "the name counts more than the text");
    let cheap = ProductFilter { max_price: Some("1.00".into()), ..looking_for("espresso") };
    assert_eq!(search(&shop, cheap).await, Vec::<String>::new(), "a filter makes no other words of them");
}

#[tokio::test]
async fn pages_of_a_misspelt_search_stay_exact_under_writes() {
    let shop = Shop::quiet().await;
    shelf(&shop).await;
    for sort in [None, Some(ProductSort::Name)] {
        let filter = ProductFilter { sort, ..looking_for("expresso") };
        let at_once = search(&shop, filter.clone()).await;
        assert!(at_once.len() >= 2, "{at_once:?}");
        let (mut found, mut page) = (Vec::new(), PageQuery::first(1));
        loop {
            let next = shop.products.products(&shop.anyone, &filter, &page).await.unwrap();
            found.extend(names(next.items));
            // From now on many have the word as it was typed; the list goes on as it began.
            for n in 0..3 {
                let sku = format!("{}-{n}", found.len() + usize::from(sort.is_some()) * 10);
                let new = CreateProduct { name: format!("Zz Expresso {sku}"), ..new_product(&sku, 1) };
                shop.products.create_product(&shop.admin, new).await.unwrap();
            }
            match next.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => break,
            }
        }
        found.retain(|name| !name.starts_with("Zz"));
        assert_eq!(found, at_once);
        let sql = "DELETE FROM catalog.inventory_history; DELETE FROM catalog.products WHERE name LIKE 'Zz%'";
        shop.owner.batch_execute(sql).await.unwrap();
    }
}

#[tokio::test]
async fn suggestions_follow_the_typing() {
    let shop = Shop::quiet().await;
    shelf(&shop).await;
    assert_eq!(suggest(&shop, "t").await[0], "Teapot");
    assert_eq!(suggest(&shop, "ries").await, ["Riesling Kabinett", "Riesling Spätlese"]);
    assert_eq!(suggest(&shop, "expres").await[..2], ["Espresso Roma", "Espresso Milano"]);
    assert_eq!(suggest(&shop, "sku-6").await[0], "Müller-Thurgau");
    assert_eq!(suggest(&shop, "e").await.len(), 3, "no more than asked for");
    for odd in ["", "  ", "'", "\"", "a & | ! b", "(", "\\", ":*", "%", "-", "or"] {
        suggest(&shop, odd).await;
    }
    for (q, limit) in [("tea", Some(0)), ("tea", Some(21)), (&*"x".repeat(201), None)] {
        let query = SuggestionQuery { q: q.to_owned(), limit };
        let refused = shop.products.suggestions(&shop.anyone, &query).await.unwrap_err();
        assert_eq!(refused.code, "validation_failed");
    }
}

#[tokio::test]
async fn a_foreign_server_may_have_trigrams_in_another_schema_or_not_at_all() {
    for (prepare, is_lenient) in [("CREATE EXTENSION pg_trgm SCHEMA public", true), ("", false)] {
        let db = TestDatabase::empty().await;
        let owner = db.owner().await;
        owner.batch_execute(prepare).await.unwrap();
        let mut deploy = vec![products::migrations().unwrap(), foundation_with("orders", "orders", "")];
        if !is_lenient {
            // A server without the extension: there is none to try it on, so its name is one that nobody has.
            deploy[0] = without_trigrams();
        }
        migrate::up(&owner, &deploy).await.unwrap();
        let database = db.database(products::SERVICE, products::SCHEMA);
        let service = Products::with_cache(database, ProductsConfig::default(), trusted());
        let shop = Shop::quiet().await;
        let new = CreateProduct { name: "Espresso Roma".into(), ..new_product("A", 1) };
        service.create_product(&shop.admin, new).await.unwrap();
        for (q, found) in [("espr", true), ("spress", true), ("expresso", is_lenient)] {
            let page = service.products(&shop.anyone, &looking_for(q), &PageQuery::default()).await.unwrap();
            assert_eq!(page.items.len(), usize::from(found), "{q}, {prepare}");
        }
    }
}

fn without_trigrams() -> migrate::Migrations {
    let ours = products::migrations().unwrap();
    let renamed = |migration: &migrate::Migration| {
        let up = migration.up.replace("pg_trgm", "pg_no_such_extension");
        migrate::Migration::new(migration.version, &migration.name, &up, &migration.down)
    };
    let list = ours.list().iter().map(renamed).collect();
    migrate::Migrations::checked(products::SERVICE, products::SCHEMA, list).unwrap()
}

async fn category(shop: &Shop, name: &str) -> events::CategoryId {
    let new = CreateCategory { name: name.into(), description: None };
    shop.products.create_category(&shop.admin, new).await.unwrap().id
}

#[tokio::test]
async fn facets_count_with_all_filters_but_their_own() {
    let shop = Shop::quiet().await;
    let (tea, coffee) = (category(&shop, "Tea").await, category(&shop, "Coffee").await);
    for (n, (category, price, stock)) in [
        (Some(tea), "3.00", 1),
        (Some(tea), "5.00", 0),
        (Some(tea), "9.00", 4),
        (Some(coffee), "5.00", 2),
        (Some(coffee), "20.00", 0),
        (None, "1.00", 1),
    ]
    .into_iter()
    .enumerate()
    {
        let new =
            CreateProduct { category_id: category, price: euros(price), ..new_product(&format!("SKU-{n}"), stock) };
        shop.products.create_product(&shop.admin, new).await.unwrap();
    }
    let facets = async |filter: ProductFilter| shop.products.facets(&shop.anyone, &filter).await.unwrap();
    let count = |category_id, count| CategoryCount { category_id, count };

    let all = facets(ProductFilter::default()).await;
    assert_eq!((all.total_count, all.total_count_is_exact, all.in_stock, all.sold_out), (6, true, 4, 2));
    assert_eq!(all.categories, [count(tea, 3), count(coffee, 2)]);
    assert_eq!((all.min_price, all.max_price), (Some(euros("1.00")), Some(euros("20.00"))));

    let of_tea = facets(ProductFilter { categories: Some(vec![tea]), ..Default::default() }).await;
    assert_eq!((of_tea.total_count, of_tea.in_stock, of_tea.sold_out), (3, 2, 1));
    assert_eq!(of_tea.categories, all.categories, "what choosing another one would show");
    assert_eq!((of_tea.min_price, of_tea.max_price), (Some(euros("3.00")), Some(euros("9.00"))));
    let both = facets(ProductFilter { categories: Some(vec![tea, coffee]), ..Default::default() }).await;
    assert_eq!(both.total_count, 5);

    let mid = ProductFilter { min_price: Some("4".into()), max_price: Some("10".into()), ..Default::default() };
    let mid = facets(ProductFilter { in_stock: Some(true), ..mid }).await;
    assert_eq!((mid.total_count, mid.in_stock, mid.sold_out), (2, 2, 1));
    assert_eq!(mid.categories, [count(tea, 1), count(coffee, 1)].map(|c| c).to_vec());
    assert_eq!((mid.min_price, mid.max_price), (Some(euros("1.00")), Some(euros("9.00"))));

    let nothing = facets(ProductFilter { currency: "JPY".parse().ok(), ..looking_for("xylophone") }).await;
    assert_eq!(nothing, products_client::ProductFacets::nothing());
    let by_category = shop.products.facets_by_categories(&shop.anyone, &[coffee, tea]).await.unwrap();
    let totals: Vec<_> = by_category.iter().map(|told| (told.category_id, told.facets.total_count)).collect();
    assert_eq!(totals, [(coffee, 2), (tea, 3)]);
}

#[tokio::test]
async fn facets_are_of_the_moment() {
    let shop = Shop::quiet().await;
    let facets = async || shop.products.facets(&shop.anyone, &ProductFilter::default()).await.unwrap();
    assert_eq!(facets().await.total_count, 0);
    let product = shop.product("A", 1).await;
    let told = facets().await;
    assert_eq!((told.total_count, told.in_stock, told.sold_out), (1, 1, 0));
    shop.adjust(product.id, -1).await.unwrap();
    assert_eq!((facets().await.in_stock, facets().await.sold_out), (0, 1));
    shop.products.delete_product(&shop.admin, product.id).await.unwrap();
    assert_eq!(facets().await.total_count, 0);
}

#[tokio::test]
async fn related_products_are_neighbours_that_can_be_had() {
    let shop = Shop::quiet().await;
    let (tea, coffee) = (category(&shop, "Tea").await, category(&shop, "Coffee").await);
    let mut ids = Vec::new();
    for (name, category, stock) in
        [("A", tea, 1), ("B", tea, 0), ("C", tea, 1), ("D", tea, 1), ("E", coffee, 1), ("F", coffee, 1)]
    {
        let new = CreateProduct { name: name.into(), category_id: Some(category), ..new_product(name, stock) };
        ids.push(shop.products.create_product(&shop.admin, new).await.unwrap().id);
    }
    let alone = shop.product("alone", 1).await.id;
    ids.extend([alone, events::ProductId::new()]);
    let related = async |limit| {
        let query = RelatedQuery { ids: ids.clone(), limit: Some(limit) };
        let found = shop.products.related_products(&shop.anyone, &query).await.unwrap();
        found.into_iter().map(|of| names(of.products).concat()).collect::<Vec<_>>()
    };
    assert_eq!(related(2).await, ["CD", "CD", "DA", "AC", "F", "E", "", ""]);
    assert_eq!(related(24).await, ["CDB", "CDA", "DAB", "ACB", "F", "E", "", ""]);
    shop.adjust(ids[3], -1).await.unwrap();
    assert_eq!(related(2).await[0], "CB", "sold out comes last");
    for limit in [0, 25] {
        let query = RelatedQuery { ids: vec![alone], limit: Some(limit) };
        let refused = shop.products.related_products(&shop.anyone, &query).await.unwrap_err();
        assert_eq!(refused.code, "validation_failed");
    }
}
