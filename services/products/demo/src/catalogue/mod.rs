//! What the shop sells, a file per category.

mod alcohol_free;
mod beer;
mod coffee;
mod glassware;
mod hampers;
mod juice;
mod soda;
mod tea;
mod wine;

use crate::look::{Form, Glass, Look, Motif, Palette, Style};
use crate::{DemoCategory, DemoProduct};

pub(crate) const SHELVES: [&[DemoProduct]; 9] = [
    coffee::PRODUCTS,
    tea::PRODUCTS,
    juice::PRODUCTS,
    soda::PRODUCTS,
    alcohol_free::PRODUCTS,
    beer::PRODUCTS,
    wine::PRODUCTS,
    glassware::PRODUCTS,
    hampers::PRODUCTS,
];

pub(crate) const CATEGORIES: [DemoCategory; 9] = [
    DemoCategory {
        name: "Coffee",
        description: "Beans from farms we can name, roasted in small batches each week. \
                      Filter, espresso, and cold brew for the warm days.",
    },
    DemoCategory {
        name: "Tea",
        description: "Single gardens, house blends and herbs from the meadow. \
                      Loose wherever the leaf deserves room.",
    },
    DemoCategory {
        name: "Juice",
        description: "Pressed, not mixed, and cloudy where the fruit is cloudy. \
                      Orchard classics beside citrus from the south.",
    },
    DemoCategory {
        name: "Soda",
        description: "Lemonades, colas, tonics and waters with a point of view, \
                      sweetened sparingly and bottled in glass where we can.",
    },
    DemoCategory {
        name: "Alcohol-free",
        description: "Wines, beers and distillates without the alcohol: \
                      everything of a good evening but the headache.",
    },
    DemoCategory {
        name: "Beer",
        description: "From cellar-cool Helles to barrel-aged stout, mostly out of small kettles \
                      run by people who answer their own telephone.",
    },
    DemoCategory {
        name: "Wine",
        description: "Growers who do little in the cellar because they did much in the vineyard. \
                      Every bottle here has been drunk at our own table.",
    },
    DemoCategory {
        name: "Glassware",
        description: "Mouth-blown stems, honest pints and hand-thrown mugs. \
                      Half the taste of a drink is what you pour it into.",
    },
    DemoCategory {
        name: "Hampers",
        description: "Packed by hand, tied with real ribbon and ready to be given away, \
                      or opened at once with the door locked.",
    },
];

/// What the products of a category have in common unless they say otherwise.
struct Shelf {
    category: &'static str,
    glass: Glass,
    drink: &'static str,
    served: Form,
}

impl Shelf {
    const fn product(&self, sku: &'static str, name: &'static str, price: &'static str, stock: u32) -> DemoProduct {
        DemoProduct {
            sku,
            name,
            description: "",
            category: self.category,
            price,
            stock,
            look: Look {
                form: self.served,
                palette: Palette::Cream,
                glass: self.glass,
                style: Style::Classic,
                motif: Motif::Star,
                drink: self.drink,
                served: self.served,
                pieces: 1,
                brand: "",
                note: "",
            },
        }
    }
}

impl DemoProduct {
    const fn look(mut self, form: Form, palette: Palette, style: Style, motif: Motif) -> Self {
        self.look.form = form;
        self.look.palette = palette;
        self.look.style = style;
        self.look.motif = motif;
        self
    }

    const fn label(mut self, brand: &'static str, note: &'static str) -> Self {
        self.look.brand = brand;
        self.look.note = note;
        self
    }

    const fn glass(mut self, glass: Glass) -> Self {
        self.look.glass = glass;
        self
    }

    /// The colour of the drink and the glass it is served in.
    const fn served(mut self, drink: &'static str, glass: Form) -> Self {
        self.look.drink = drink;
        self.look.served = glass;
        self
    }

    const fn pieces(mut self, pieces: i32) -> Self {
        self.look.pieces = pieces;
        self
    }

    const fn text(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }
}
