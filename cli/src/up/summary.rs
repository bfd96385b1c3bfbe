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
        "{}\n\n  shop       {url}\n  GraphQL    {url}/graphiql\n  REST       {}/docs and the five ports after it\n  data       {}\n",
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
        "\n{}\n  1. Open {url}, fill a cart, pay with pm_card_visa, and watch the order become CONFIRMED.\n  \
         2. Pay with pm_card_chargeDeclined, and watch every step being undone.\n  \
         3. Ask over GraphQL:\n     curl -s {url}/graphql -H 'content-type: application/json' \\\n       \
         -d '{{\"query\":\"{{ products(first: 3) {{ edges {{ node {{ name price {{ amount currencyCode }} }} }} }} }}\"}}'\n",
        paint.bold("Three things to try"),
    ));
    text
}
