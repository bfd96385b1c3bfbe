//! What `up` prints when the shop is ready.

use crate::{
    data_folder::{DataFolder, Shop},
    terminal::Paint,
    wire::DemoLogin,
};

/// URLs, logins, and three things to try.
pub(super) fn text(folder: &DataFolder, shop: &Shop, logins: &[DemoLogin], paint: Paint) -> String {
    let url = shop.url();
    let mut text = format!(
        "{}\n\n  shop       {url}\n  GraphQL    {url}/graphql (to try it: {url}/graphiql)\n  REST       {}/docs and the five ports after it\n  data       {}\n",
        paint.bold(&paint.green("The shop is open.")),
        crate::data_folder::url(shop.host, shop.port + 1),
        folder.path().display(),
    );
    if !logins.is_empty() {
        text.push_str(&format!("\n{}\n", paint.bold("Demo logins")));
        for DemoLogin { email, password, role } in logins {
            text.push_str(&format!("  {email}  {password}  ({role})\n"));
        }
    }
    text.push_str(&format!(
        "\n{}\n{}",
        paint.bold("Three things to try"),
        THREE_THINGS
            .replace("URL", &url)
            .replace("DATA", &folder.postgres().data_folder().unwrap_or_default().display().to_string()),
    ));
    text
}

/// Each works as it stands.
const THREE_THINGS: &str = r#"  1. Look around: paste this into URL/graphiql
       { products(first: 3) { edges { node { id name price { amount currencyCode } stockQuantity } } } }
  2. Buy: log in (loginUser), then addToCart, then checkout with the payment method pm_card_visa, and watch
     subscription { orderStatus(orderId: "…") { status } } reach CONFIRMED. With pm_card_chargeDeclined every
     step is undone again: COMPENSATED.
  3. Pull the plug in the middle: the shop restarts its database, and no order is lost or doubled
       kill -9 $(head -n 1 DATA/postmaster.pid)
"#;
