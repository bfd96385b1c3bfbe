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
        "{}\n\n  shop       {url}\n  console    {url}/console (for the admin)\n  GraphQL    {url}/graphql (to try it: {url}/graphiql)\n  REST       {}/docs and the five ports after it\n  data       {}\n",
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
    let things = if logins.is_empty() { IN_AN_EMPTY_SHOP } else { IN_THE_DEMO };
    text.push_str(&format!(
        "\n{}\n{}",
        paint.bold("Three things to try"),
        [things, EVERYWHERE]
            .concat()
            .replace("URL", &url)
            .replace("DATA", &folder.postgres().data_folder().unwrap_or_default().display().to_string()),
    ));
    text
}

/// Each works as it stands, in a shop with demo data.
const IN_THE_DEMO: &str = r#"  1. Buy something: URL, log in with one press, and watch the order happen
  2. Break it: URL/break-it declines a payment, loses its answer, sells the last unit to two buyers, and shows what
     becomes of it; URL/console shows an admin each step across the services
"#;

/// The same in an empty shop.
const IN_AN_EMPTY_SHOP: &str = r#"  1. Register at URL, then become its admin: ./prost users promote EMAIL
  2. Log in again, and fill the catalogue at URL/console: by hand, or from a CSV file
"#;

const EVERYWHERE: &str = r#"  3. Pull the plug in the middle: the shop restarts its database, and no order is lost or doubled
       kill -9 $(head -n 1 DATA/postmaster.pid)
"#;
