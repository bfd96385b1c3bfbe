//! What every product of the demo catalogue must keep.

use std::collections::HashSet;

use demo_catalogue::{DemoProduct, View, categories, products};
use events::{Currency, Money};

/// Calls `check` with every picture there is.
fn each_picture(mut check: impl FnMut(&DemoProduct, View, &str)) {
    for product in products() {
        for view in View::ALL {
            check(&product, view, &product.view(view));
        }
    }
}

#[test]
fn holds_about_two_hundred_products() {
    assert!((180..=220).contains(&products().len()), "{}", products().len());
}

#[test]
fn skus_names_texts_and_file_names_are_unique() {
    let (mut skus, mut names, mut texts, mut files) = (HashSet::new(), HashSet::new(), HashSet::new(), HashSet::new());
    for product in products() {
        assert!(skus.insert(product.sku), "{}", product.sku);
        assert!(names.insert(product.name.to_lowercase()), "{}", product.name);
        assert!(texts.insert(product.description), "{}", product.name);
        for view in View::ALL {
            assert!(files.insert(product.file_name(view)), "{}", product.sku);
        }
    }
}

#[test]
fn every_category_has_products_and_every_product_a_category() {
    let named: HashSet<_> = categories().iter().map(|category| category.name).collect();
    let used: HashSet<_> = products().iter().map(|product| product.category).collect();
    assert_eq!(named.len(), categories().len());
    assert_eq!(named, used);
}

#[test]
fn texts_are_two_to_four_sentences() {
    for product in products() {
        let ends = |c: char| matches!(c, '.' | '?' | '!');
        let sentences =
            product.description.split_inclusive(". ").filter(|sentence| sentence.trim_end().ends_with(ends)).count();
        assert!((2..=4).contains(&sentences), "{}: {sentences}", product.sku);
        assert!(!product.description.contains("  "), "{}", product.sku);
    }
}

#[test]
fn prices_are_euros() {
    let euro: Currency = "EUR".parse().expect("a currency");
    for product in products() {
        let price = Money::parse(product.price, euro).expect(product.sku);
        assert!(price.minor() >= 100, "{}", product.sku);
    }
}

#[test]
fn stock_varies_from_none_to_plenty() {
    let stocks: Vec<u32> = products().iter().map(|product| product.stock).collect();
    let count = |range: std::ops::RangeInclusive<u32>| stocks.iter().filter(|stock| range.contains(stock)).count();
    assert!(count(0..=0) >= 5);
    assert!(count(1..=5) >= 5);
    assert!(count(100..=1_000) >= 20);
}

#[test]
fn pictures_are_the_same_on_every_run() {
    each_picture(|product, view, svg| assert_eq!(svg, product.view(view)));
}

#[test]
fn pictures_are_small() {
    each_picture(|product, view, svg| {
        let limit = if view == View::Served { 14_000 } else { 10_000 };
        assert!(svg.len() < limit, "{} {view:?}: {}", product.sku, svg.len());
    });
}

#[test]
fn pictures_need_nothing_from_outside_and_run_nothing() {
    each_picture(|product, view, svg| {
        let start = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 800""#;
        assert!(svg.starts_with(start), "{} {view:?}", product.sku);
        let rest = &svg[start.len()..];
        for word in ["<script", "javascript:", "<image", "<foreignObject", "<style", "@import", "http", "<!", "url(h"] {
            assert!(!rest.contains(word), "{} {view:?}: {word}", product.sku);
        }
        let handler = rest.split('<').filter_map(|piece| piece.split('>').next()).find(|tag| tag.contains(" on"));
        assert_eq!(handler, None, "{} {view:?}", product.sku);
    });
}

#[test]
fn pictures_are_well_formed() {
    each_picture(|product, view, svg| {
        if let Err(problem) = balance(svg) {
            panic!("{} {view:?}: {problem}", product.sku);
        }
    });
}

#[test]
fn the_check_of_form_finds_faults() {
    assert!(balance("<a><b/></a>").is_ok());
    for broken in ["<a><b></a>", "<a>", "<a b=c/>", "<a>x & y</a>", r#"<a b="<"/>"#, r##"<a f="url(#x)"/>"##] {
        assert!(balance(broken).is_err(), "{broken}");
    }
}

/// Checks that tags nest, attributes are quoted, ampersands are entities and every `#id` used is defined once.
fn balance(svg: &str) -> Result<(), String> {
    let mut open = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').ok_or("a tag does not end")?;
        if text
            .split('&')
            .skip(1)
            .any(|entity| !["amp;", "lt;", "gt;", "quot;"].iter().any(|known| entity.starts_with(known)))
        {
            return Err(format!("bare ampersand in {text}"));
        }
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return Err(format!("unexpected </{name}>"));
            }
            continue;
        }
        for attribute in tag.trim_end_matches('/')[name.len()..].split("\" ").map(str::trim).filter(|a| !a.is_empty()) {
            let value = attribute.split_once("=\"").ok_or(format!("unquoted: {attribute}"))?.1;
            if value.trim_end_matches('"').contains('"') {
                return Err(format!("stray quote: {attribute}"));
            }
        }
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    if let Some(name) = open.pop() {
        return Err(format!("<{name}> stays open"));
    }
    let defined: Vec<&str> = values(svg, " id=\"", '"');
    let unique: HashSet<_> = defined.iter().collect();
    if unique.len() != defined.len() {
        return Err("an id is defined twice".to_owned());
    }
    values(svg, "url(#", ')')
        .into_iter()
        .chain(values(svg, "href=\"#", '"'))
        .find(|id| !unique.contains(id))
        .map_or(Ok(()), |id| Err(format!("#{id} is not defined")))
}

/// What stands between `before` and `end`, wherever `before` occurs.
fn values<'a>(svg: &'a str, before: &str, end: char) -> Vec<&'a str> {
    svg.split(before).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}
