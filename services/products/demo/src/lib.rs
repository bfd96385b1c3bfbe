//! The demo catalogue: about two hundred products of a drinks shop, the same on every run,
//! with texts, prices, stock and pictures drawn by this crate as SVG.

mod catalogue;
mod look;
mod picture;

use look::Look;

/// A category of the demo catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoCategory {
    /// Unique.
    pub name: &'static str,
    /// One or two sentences for the head of the category's page.
    pub description: &'static str,
}

/// A product of the demo catalogue.
#[derive(Debug, Clone, Copy)]
pub struct DemoProduct {
    /// Unique, e.g. `COF-YIR-250`.
    pub sku: &'static str,
    /// Unique.
    pub name: &'static str,
    /// Two to four sentences.
    pub description: &'static str,
    /// The name of its [`DemoCategory`].
    pub category: &'static str,
    /// In euros, with two digits, e.g. `12.90`.
    pub price: &'static str,
    /// Units on hand.
    pub stock: u32,
    look: Look,
}

/// A side a product is pictured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The product alone.
    Front,
    /// Its label, close up.
    Detail,
    /// The product beside a full glass.
    Served,
}

impl View {
    /// Every view, the main picture first.
    pub const ALL: [View; 3] = [View::Front, View::Detail, View::Served];
}

impl DemoProduct {
    /// The main picture: an SVG document of 800 by 800 without scripts or outside references.
    pub fn picture(&self) -> String {
        self.view(View::Front)
    }

    /// The picture from one side.
    pub fn view(&self, view: View) -> String {
        picture::draw(self.name, &self.look, view)
    }

    /// The file name of a picture: `{sku}.svg` in lower case for the front, `{sku}-detail.svg`, `{sku}-served.svg`.
    pub fn file_name(&self, view: View) -> String {
        let sku = self.sku.to_lowercase();
        match view {
            View::Front => format!("{sku}.svg"),
            View::Detail => format!("{sku}-detail.svg"),
            View::Served => format!("{sku}-served.svg"),
        }
    }
}

/// The categories, in the order of the shop's shelves.
pub fn categories() -> &'static [DemoCategory] {
    &catalogue::CATEGORIES
}

/// The products, category by category.
pub fn products() -> Vec<DemoProduct> {
    catalogue::SHELVES.concat()
}
