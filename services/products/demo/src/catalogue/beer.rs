//! Beer: mostly from small kettles, by people who answer the telephone themselves.

use super::Shelf;
use crate::DemoProduct;
use crate::look::{Form, Glass, Motif, Palette, Style};

const SHELF: Shelf = Shelf { category: "Beer", glass: Glass::Amber, drink: "#d8901f", served: Form::Pint };
const BRAUHAUS_ANKER: &str = "Brauhaus Anker";
const SCHANZEN_BREWING: &str = "Schanzen Brewing";
const ST_VEIT: &str = "St. Veit";
const ZUM_ZWICKEL: &str = "Zum Zwickel";

pub(super) const PRODUCTS: &[DemoProduct] = &[
    SHELF
        .product("BEE-HEL-500", "Anker Helles", "1.60", 240)
        .look(Form::SwingTop, Palette::Sky, Style::Classic, Motif::Wave)
        .label(BRAUHAUS_ANKER, "500 ml · 4.9 %")
        .served("#e6b742", Form::Pint)
        .text(
            "Pale, soft and malty, the beer you order without thinking and then think about. \
             Pilsner malt, a little Hallertau, six weeks in the cold cellar.",
        ),
    SHELF
        .product("BEE-PIL-330", "Anker Pils", "1.40", 310)
        .look(Form::Longneck, Palette::Forest, Style::Band, Motif::Hop)
        .label(BRAUHAUS_ANKER, "330 ml · 4.8 %")
        .glass(Glass::Green)
        .served("#e8c352", Form::Pint)
        .text(
            "Northern in temper: dry, straight, with a bitter finish like a slammed door. \
             Brewed with soft water and a lot of Tettnang.",
        ),
    SHELF
        .product("BEE-EXP-500", "Anker Export", "1.60", 132)
        .look(Form::Longneck, Palette::Bordeaux, Style::Medallion, Motif::Crown)
        .label(BRAUHAUS_ANKER, "500 ml · 5.4 %")
        .served("#dba132", Form::Pint)
        .text(
            "What miners drank in the Ruhr: a shade stronger and sweeter than a Pils, and \
             better at filling you up. Good with anything that comes out of a frying pan.",
        ),
    SHELF
        .product("BEE-BOC-330", "Anker Winterbock", "2.20", 58)
        .look(Form::Longneck, Palette::Midnight, Style::Hills, Motif::Star)
        .label(BRAUHAUS_ANKER, "330 ml · 7.1 %")
        .served("#8a3f12", Form::Pint)
        .text(
            "Tapped on the first of November. Toffee, dark bread, dried plum; it warms like a \
             stove in the corner.",
        ),
    SHELF
        .product("BEE-WEI-500", "St. Veit Weissbier", "1.80", 175)
        .look(Form::Longneck, Palette::Lemon, Style::Hills, Motif::Sun)
        .label(ST_VEIT, "500 ml · 5.3 %")
        .served("#dd9c33", Form::Weizen)
        .text(
            "Unfiltered wheat beer with ripe banana, clove and a head like whipped cream. \
             Pour slowly; swirl the last finger to wake the yeast.",
        ),
    SHELF
        .product("BEE-DUN-500", "St. Veit Dunkel", "1.80", 88)
        .look(Form::SwingTop, Palette::Espresso, Style::Classic, Motif::Barley)
        .label(ST_VEIT, "500 ml · 5.1 %")
        .served("#6a2c10", Form::Pint)
        .text(
            "Munich malt and nothing roasted, so it is dark without being heavy. Chestnut, \
             crust, a hint of cocoa.",
        ),
    SHELF
        .product("BEE-DOP-330", "St. Veit Doppelbock", "2.60", 41)
        .look(Form::Longneck, Palette::Gold, Style::Medallion, Motif::Crown)
        .label(ST_VEIT, "330 ml · 7.8 %")
        .served("#5a240e", Form::Pint)
        .text(
            "Liquid bread for Lent, as the monks intended. Raisin, treacle, a dangerous \
             smoothness.",
        ),
    SHELF
        .product("BEE-RAU-500", "St. Veit Rauchbier", "2.40", 25)
        .look(Form::Longneck, Palette::Charcoal, Style::Classic, Motif::Flame)
        .label(ST_VEIT, "500 ml · 5.2 %")
        .served("#74310f", Form::Pint)
        .text(
            "Malt dried over beech logs gives it the smell of smoked ham. The first glass \
             puzzles; by the third you understand Bamberg.",
        ),
    SHELF
        .product("BEE-WBO-330", "St. Veit Weizenbock", "2.50", 19)
        .look(Form::Longneck, Palette::Amber, Style::Pattern, Motif::Barley)
        .label(ST_VEIT, "330 ml · 8.2 %")
        .served("#b8691f", Form::Weizen)
        .text(
            "Wheat beer with its sleeves rolled up: banana bread, nutmeg, caramel. One is \
             plenty, which is why we sell it singly.",
        ),
    SHELF
        .product("BEE-ZWI-500", "Zwickel Kellerbier", "1.90", 140)
        .look(Form::SwingTop, Palette::Cream, Style::Hills, Motif::Hop)
        .label(ZUM_ZWICKEL, "500 ml · 5.0 %")
        .served("#d6a03f", Form::Pint)
        .text(
            "Straight from the tank, hazy and lightly carbonated. Yeast, honey, fresh dough. \
             Drink it young.",
        ),
    SHELF
        .product("BEE-MAR-500", "Zwickel Märzen", "1.90", 76)
        .look(Form::SwingTop, Palette::Tangerine, Style::Band, Motif::Barley)
        .label(ZUM_ZWICKEL, "500 ml · 5.8 %")
        .served("#c87a24", Form::Pint)
        .text(
            "Amber festival beer with toasted malt and a broad smile. Best from a stone mug \
             beneath a chestnut tree.",
        ),
    SHELF
        .product("BEE-KOL-330", "Zwickel Obergär", "1.70", 93)
        .look(Form::Longneck, Palette::Sage, Style::Medallion, Motif::Hop)
        .label(ZUM_ZWICKEL, "330 ml · 4.8 %")
        .glass(Glass::Green)
        .served("#eac659", Form::Pint)
        .text(
            "Fermented warm, matured cold, delicate as a Rhineland joke. White grape, hay and \
             a soft bitterness; small glasses, many of them.",
        ),
    SHELF
        .product("BEE-ALT-330", "Zwickel Alt", "1.70", 64)
        .look(Form::Longneck, Palette::Terracotta, Style::Classic, Motif::Crown)
        .label(ZUM_ZWICKEL, "330 ml · 4.9 %")
        .served("#7f3a13", Form::Pint)
        .text(
            "Copper-coloured and firmly hopped in the old style of the Lower Rhine. Nutty, \
             dry, good with mustard.",
        ),
    SHELF
        .product("BEE-IPA-330", "Dockside IPA", "2.80", 120)
        .look(Form::Can, Palette::Teal, Style::Pattern, Motif::Hop)
        .label(SCHANZEN_BREWING, "330 ml · 6.4 %")
        .served("#d98f2b", Form::Pint)
        .text(
            "West Coast and proud of it: pine resin, grapefruit, a bitter line as straight as \
             the quay. Cold, from the can or a pint, with something fried.",
        ),
    SHELF
        .product("BEE-HAZ-440", "Fog Bank Hazy IPA", "4.20", 67)
        .look(Form::Can, Palette::Tangerine, Style::Hills, Motif::Wave)
        .label(SCHANZEN_BREWING, "440 ml · 6.0 %")
        .served("#e9b14c", Form::Pint)
        .text(
            "Oats and wheat for the haze, Galaxy and Mosaic for the mango, peach and orange \
             juice. Drink it within the month; hops do not wait.",
        ),
    SHELF
        .product("BEE-DDH-440", "Double Fog", "5.60", 8)
        .look(Form::Can, Palette::Plum, Style::Hills, Motif::Moon)
        .label(SCHANZEN_BREWING, "440 ml · 8.0 %")
        .served("#e3a643", Form::Pint)
        .text(
            "Fog Bank with twice the hops and half the caution. Passion fruit, coconut, \
             something like pineapple cake.",
        ),
    SHELF
        .product("BEE-PAL-330", "Slipway Pale Ale", "2.40", 155)
        .look(Form::Can, Palette::Coral, Style::Band, Motif::Bird)
        .label(SCHANZEN_BREWING, "330 ml · 5.0 %")
        .served("#dd9f37", Form::Pint)
        .text(
            "Easy, golden, with apricot and lemon zest from late Cascade. The one that \
             empties the cool box first.",
        ),
    SHELF
        .product("BEE-SES-330", "Low Tide Session", "2.20", 104)
        .look(Form::SlimCan, Palette::Sky, Style::Pattern, Motif::Wave)
        .label(SCHANZEN_BREWING, "330 ml · 3.4 %")
        .served("#e7c05c", Form::Pint)
        .text(
            "All the hop of a pale ale at a strength that leaves the afternoon intact. Light \
             in the body, loud in the nose, gone before it gets warm.",
        ),
    SHELF
        .product("BEE-STO-330", "Coal Quay Stout", "2.90", 71)
        .look(Form::Can, Palette::Charcoal, Style::Medallion, Motif::Mountain)
        .label(SCHANZEN_BREWING, "330 ml · 5.6 %")
        .served("#1c0f0a", Form::Pint)
        .text(
            "Espresso, burnt sugar, dark chocolate and a velvet body from oats. Try it with \
             oysters, or beside a brownie.",
        ),
    SHELF
        .product("BEE-IMP-330", "Icebreaker Imperial Stout", "6.40", 12)
        .look(Form::Can, Palette::Midnight, Style::Classic, Motif::Star)
        .label(SCHANZEN_BREWING, "330 ml · 11.2 %")
        .served("#140a07", Form::BalloonGlass)
        .text(
            "Six months in rum barrels. Molasses, vanilla, fig, a glow from the collar up. \
             Share it, or cancel your plans.",
        ),
    SHELF
        .product("BEE-SOU-330", "Raspberry Sour", "3.40", 34)
        .look(Form::Can, Palette::Berry, Style::Pattern, Motif::Berry)
        .label(SCHANZEN_BREWING, "330 ml · 4.2 %")
        .served("#c8314f", Form::BalloonGlass)
        .text(
            "Kettle-soured wheat beer on sixty kilos of raspberries a batch. Pink foam, \
             puckered cheeks.",
        ),
    SHELF
        .product("BEE-GOS-330", "Gose with Sea Salt", "2.90", 0)
        .look(Form::Longneck, Palette::Mint, Style::Medallion, Motif::Wave)
        .label(SCHANZEN_BREWING, "330 ml · 4.3 %")
        .glass(Glass::Green)
        .served("#e6cd74", Form::Pint)
        .text(
            "A Leipzig speciality: coriander, lactic tang and a pinch of salt. Nothing cuts \
             thirst faster.",
        ),
    SHELF
        .product("BEE-TRI-330", "Abbey Tripel", "3.60", 48)
        .look(Form::Longneck, Palette::Cream, Style::Classic, Motif::Crown)
        .label(ST_VEIT, "330 ml · 8.5 %")
        .served("#dfa63c", Form::BalloonGlass)
        .text(
            "Belgian yeast, candy sugar, orange peel. Golden and spicy, with strength that \
             hides behind a halo.",
        ),
    SHELF
        .product("BEE-SAI-750", "Farmhouse Saison", "8.90", 22)
        .look(Form::Sparkling, Palette::Olive, Style::Hills, Motif::Barley)
        .label(ZUM_ZWICKEL, "750 ml · 6.5 %")
        .glass(Glass::Green)
        .served("#e2b451", Form::BalloonGlass)
        .text(
            "Bottle-conditioned under a cork. Pepper, lemon rind, straw and a bone-dry \
             finish; made for a long table outdoors.",
        ),
];
