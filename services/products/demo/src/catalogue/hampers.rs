//! Hampers: packed by hand, tied with real ribbon, ready to be given away.

use super::Shelf;
use crate::DemoProduct;
use crate::look::{Form, Glass, Motif, Palette, Style};

const SHELF: Shelf = Shelf { category: "Hampers", glass: Glass::Green, drink: "#6b1226", served: Form::WineGlass };
const PROST_PANTRY: &str = "Prost Pantry";

pub(super) const PRODUCTS: &[DemoProduct] = &[
    SHELF
        .product("HAM-BRK-001", "The Long Breakfast", "49.00", 24)
        .look(Form::Hamper, Palette::Amber, Style::Classic, Motif::Sun)
        .label(PROST_PANTRY, "coffee · tea · juice · jam")
        .served("#d9a13a", Form::Mug)
        .text(
            "Harbour Espresso, East Frisian tea, cloudy apple juice, cascara and two \
             stoneware mugs. Meant for Sundays on which nobody gets dressed before noon. \
             Packed in willow on wood wool.",
        ),
    SHELF
        .product("HAM-COF-001", "Around the World in Five Cups", "59.00", 18)
        .look(Form::GiftBox, Palette::Espresso, Style::Classic, Motif::Bean)
        .label(PROST_PANTRY, "five coffees")
        .glass(Glass::Amber)
        .served("#3a2013", Form::Mug)
        .text(
            "Ethiopia, Kenya, Colombia, Guatemala and Sumatra in bags of a hundred grams, \
             with a card on how to brew each. Ground or whole: tell us at the till.",
        ),
    SHELF
        .product("HAM-TEA-001", "Afternoon Tea", "54.00", 21)
        .look(Form::Hamper, Palette::Rose, Style::Classic, Motif::Flower)
        .label(PROST_PANTRY, "four teas · shortbread")
        .served("#b3682a", Form::Mug)
        .text(
            "Darjeeling, Earl Grey, Ceylon and white peony, joined by butter shortbread and a \
             jar of lemon curd. Somebody will have to make the sandwiches.",
        ),
    SHELF
        .product("HAM-TEA-002", "Quiet Evenings", "38.00", 33)
        .look(Form::GiftBox, Palette::Indigo, Style::Classic, Motif::Moon)
        .label(PROST_PANTRY, "herbal teas · honey")
        .glass(Glass::Cobalt)
        .served("#c9a550", Form::Mug)
        .text(
            "Chamomile, verbena, Good Night Herbs and a dark forest honey. For new parents, \
             exam candidates and other people short of sleep.",
        ),
    SHELF
        .product("HAM-BEE-001", "The Brewery Tour", "45.00", 40)
        .look(Form::Hamper, Palette::Forest, Style::Classic, Motif::Hop)
        .label(PROST_PANTRY, "twelve beers · a glass")
        .glass(Glass::Amber)
        .served("#d8901f", Form::Pint)
        .text(
            "Twelve bottles from four breweries, light to dark in drinking order, with a pint \
             glass and a booklet. A weekend's journey that ends on your own sofa.",
        ),
    SHELF
        .product("HAM-BEE-002", "Hop Parcel", "36.00", 27)
        .look(Form::GiftBox, Palette::Teal, Style::Classic, Motif::Hop)
        .label(PROST_PANTRY, "eight craft beers")
        .glass(Glass::Amber)
        .served("#d98f2b", Form::Pint)
        .text(
            "Everything hazy, bitter or sour from Schanzen Brewing, in one well-padded box. \
             Keep it cold and keep it short.",
        ),
    SHELF
        .product("HAM-BEE-003", "Alpine Supper", "58.00", 14)
        .look(Form::Hamper, Palette::Sky, Style::Classic, Motif::Mountain)
        .label(PROST_PANTRY, "beer · cheese · mustard")
        .glass(Glass::Amber)
        .served("#dd9c33", Form::Weizen)
        .text(
            "Weissbier, Dunkel and Rauchbier with mountain cheese, sweet mustard and rye \
             crispbread. All that is missing is a bench in front of a hut.",
        ),
    SHELF
        .product("HAM-WIN-001", "Three Reds for Winter", "52.00", 30)
        .look(Form::GiftBox, Palette::Bordeaux, Style::Classic, Motif::Grape)
        .label(PROST_PANTRY, "three bottles")
        .text(
            "Belrive Rouge, Altozano Crianza and Hollerhof Zweigelt: claret, oak and \
             cherries. One for the roast, one for the cheese, one for whoever does the \
             washing-up.",
        ),
    SHELF
        .product("HAM-WIN-002", "White Wine Walk", "48.00", 26)
        .look(Form::Hamper, Palette::Sage, Style::Classic, Motif::Grape)
        .label(PROST_PANTRY, "three bottles · almonds")
        .glass(Glass::Olive)
        .served("#e6dc92", Form::WineGlass)
        .text(
            "A Riesling, a Silvaner and a Grüner Veltliner with roasted almonds and a \
             corkscrew. Carry it up a hill and stay for the view.",
        ),
    SHELF
        .product("HAM-WIN-003", "The Cellar Door", "129.00", 5)
        .look(Form::GiftBox, Palette::Gold, Style::Classic, Motif::Crown)
        .label(PROST_PANTRY, "Barolo · Saint-Émilion · glasses")
        .glass(Glass::Black)
        .served("#5a0f20", Form::BalloonGlass)
        .text(
            "Merlino Barolo and Belrive Grande Réserve with two Burgundy balloons. For the \
             colleague who retires, or the friend who helped with the move.",
        ),
    SHELF
        .product("HAM-SPA-001", "Something to Celebrate", "64.00", 37)
        .look(Form::Hamper, Palette::Rose, Style::Classic, Motif::Star)
        .label(PROST_PANTRY, "crémant · flutes · pralines")
        .served("#f3b7a6", Form::FluteGlass)
        .text(
            "Crémant Rosé, two flutes and a box of raspberry pralines. We add a card in \
             handwriting; just tell us the words.",
        ),
    SHELF
        .product("HAM-AFR-001", "Sober & Splendid", "56.00", 22)
        .look(Form::Hamper, Palette::Mint, Style::Classic, Motif::Sprig)
        .label(PROST_PANTRY, "aperitifs without alcohol")
        .glass(Glass::Clear)
        .served("#d8341f", Form::Tumbler)
        .text(
            "Juniper Distillate, Red Bitter, two tonics and olives from Puglia. The whole \
             ritual of the blue hour, and a clear head for what comes after.",
        ),
    SHELF
        .product("HAM-JUI-001", "Orchard Basket", "34.00", 31)
        .look(Form::Hamper, Palette::Olive, Style::Classic, Motif::Apple)
        .label(PROST_PANTRY, "five juices")
        .glass(Glass::Clear)
        .served("#d9a13a", Form::Highball)
        .text(
            "Apple, pear, quince, cherry and plum from Obsthof Brandt, pressed within ten \
             kilometres of one another. A hit with grandparents and grandchildren alike.",
        ),
    SHELF
        .product("HAM-SOD-001", "The Birthday Crate", "29.00", 44)
        .look(Form::GiftBox, Palette::Coral, Style::Classic, Motif::Star)
        .label(PROST_PANTRY, "sixteen sodas · paper straws")
        .glass(Glass::Clear)
        .served("#e2623a", Form::Highball)
        .text(
            "Kola, orangeade, raspberry, woodruff: four of each, with striped paper straws. \
             Enough for a garden full of eight-year-olds.",
        ),
    SHELF
        .product("HAM-MIX-001", "Gin-less & Tonic", "42.00", 0)
        .look(Form::GiftBox, Palette::Sky, Style::Classic, Motif::Crown)
        .label(PROST_PANTRY, "distillate · four tonics")
        .glass(Glass::Clear)
        .served("#e6eff0", Form::Tumbler)
        .text(
            "Our Juniper Distillate with every tonic the Bureau makes, and two heavy \
             tumblers. Taste across, pick a favourite, argue.",
        ),
    SHELF
        .product("HAM-XMA-001", "Advent by the Stove", "69.00", 9)
        .look(Form::Hamper, Palette::Bordeaux, Style::Classic, Motif::Star)
        .label(PROST_PANTRY, "mulled wine · tea · stollen")
        .served("#7d1127", Form::Mug)
        .text(
            "Red wine with a sachet of our own mulling spice, Bazaar Chai, Winterbock and a \
             small stollen in its tin. Ships from November and smells like it the moment you \
             open the lid.",
        ),
    SHELF
        .product("HAM-PIC-001", "Picnic for Two", "47.00", 19)
        .look(Form::Hamper, Palette::Lemon, Style::Classic, Motif::Leaf)
        .label(PROST_PANTRY, "rosé · lemonade · tumblers")
        .glass(Glass::Clear)
        .served("#f2a493", Form::WineGlass)
        .text(
            "Garnacha Rosado, cloudy lemonade, salted almonds and two unbreakable tumblers, \
             in a basket with a lid to sit on. A blanket is wise; the weather is your affair.",
        ),
];
