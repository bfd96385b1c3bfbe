//! Alcohol-free: everything of an evening but the headache.

use super::Shelf;
use crate::DemoProduct;
use crate::look::{Form, Glass, Motif, Palette, Style};

const SHELF: Shelf = Shelf { category: "Alcohol-free", glass: Glass::Clear, drink: "#e0c070", served: Form::WineGlass };
const BRAUHAUS_ANKER: &str = "Brauhaus Anker";
const HOLLERHOF: &str = "Hollerhof";
const NULL_KOMMA: &str = "Null Komma";
const WERMUT_WALD: &str = "Wermut & Wald";

pub(super) const PRODUCTS: &[DemoProduct] = &[
    SHELF
        .product("AFR-RIE-750", "Riesling, Dealcoholised", "9.90", 64)
        .look(Form::Flute, Palette::Forest, Style::Classic, Motif::Leaf)
        .label(NULL_KOMMA, "750 ml · under 0.5 %")
        .glass(Glass::Green)
        .served("#e9e09a", Form::WineGlass)
        .text(
            "A proper Mosel Riesling from which the alcohol was taken at twenty-eight \
             degrees, under vacuum. Lime, peach and slate are still at home. Serve it very \
             cold.",
        ),
    SHELF
        .product("AFR-ROS-750", "Rosé, Dealcoholised", "9.50", 47)
        .look(Form::Bordeaux, Palette::Rose, Style::Hills, Motif::Sun)
        .label(NULL_KOMMA, "750 ml · under 0.5 %")
        .served("#f3a896", Form::WineGlass)
        .text(
            "Strawberry, grapefruit, a dry finish. On a terrace at six o'clock nobody asks \
             for proof.",
        ),
    SHELF
        .product("AFR-RED-750", "Merlot, Dealcoholised", "10.50", 29)
        .look(Form::Bordeaux, Palette::Plum, Style::Classic, Motif::Grape)
        .label(NULL_KOMMA, "750 ml · under 0.5 %")
        .glass(Glass::Green)
        .served("#611227", Form::WineGlass)
        .text(
            "Red wine is the hardest to free of alcohol; this one kept its plum, its cocoa \
             and even some tannin. Drink it slightly cool, with pasta.",
        ),
    SHELF
        .product("AFR-SEK-750", "Blanc de Blancs Zero", "11.90", 83)
        .look(Form::Sparkling, Palette::Gold, Style::Classic, Motif::Star)
        .label(NULL_KOMMA, "750 ml · 0.0 %")
        .glass(Glass::Green)
        .served("#f0dfa0", Form::FluteGlass)
        .text(
            "Chardonnay without alcohol and with fine foam. Green apple and brioche enough to \
             toast with a straight face.",
        ),
    SHELF
        .product("AFR-SER-750", "Sparkling Rosé Zero", "11.90", 36)
        .look(Form::Sparkling, Palette::Rose, Style::Medallion, Motif::Flower)
        .label(NULL_KOMMA, "750 ml · 0.0 %")
        .served("#f5b5a8", Form::FluteGlass)
        .text(
            "Wild strawberry, rose petal, a creamy bead. For baby showers, drivers and \
             Tuesdays.",
        ),
    SHELF
        .product("AFR-TRB-750", "Traubensecco", "7.40", 91)
        .look(Form::Sparkling, Palette::Sage, Style::Band, Motif::Grape)
        .label(HOLLERHOF, "750 ml · sparkling juice")
        .glass(Glass::Green)
        .served("#e9e2a4", Form::FluteGlass)
        .text(
            "Muscat and Welschriesling juice with bubbles, nothing removed because nothing \
             was fermented. Sweet, grapy and cheerful.",
        ),
    SHELF
        .product("AFR-VER-750", "Verjus Spritz", "8.60", 22)
        .look(Form::Burgundy, Palette::Mint, Style::Pattern, Motif::Grape)
        .label(HOLLERHOF, "750 ml · ready to pour")
        .served("#e3e3a0", Form::WineGlass)
        .text(
            "Juice of unripe grapes, gooseberry and sparkling water. Crisp as a Sauvignon and \
             half as serious.",
        ),
    SHELF
        .product("AFR-QUI-750", "Quince Sparkler", "8.90", 18)
        .look(Form::Sparkling, Palette::Amber, Style::Hills, Motif::Apple)
        .label(HOLLERHOF, "750 ml · 0.0 %")
        .served("#e3b64e", Form::FluteGlass)
        .text(
            "Perfumed quince, cut with sea buckthorn and bottled under pressure. Our \
             favourite companion for cheese.",
        ),
    SHELF
        .product("AFR-GIN-500", "Juniper Distillate", "19.90", 52)
        .look(Form::SpiritBottle, Palette::Sky, Style::Medallion, Motif::Sprig)
        .label(WERMUT_WALD, "500 ml · 0.0 %")
        .served("#e6eff0", Form::Highball)
        .text(
            "Juniper, angelica, coriander and lemon peel, distilled in copper without any \
             spirit. Pour one part, add three parts tonic, close your eyes.",
        ),
    SHELF
        .product("AFR-RUM-500", "Dark Cane Distillate", "21.50", 31)
        .look(Form::SpiritBottle, Palette::Espresso, Style::Classic, Motif::Flame)
        .label(WERMUT_WALD, "500 ml · 0.0 %")
        .served("#8a4a1a", Form::Tumbler)
        .text(
            "Molasses, toasted oak, vanilla and a prickle of chilli where the burn used to \
             be. Made for ginger beer and lime.",
        ),
    SHELF
        .product("AFR-BIT-500", "Red Bitter Aperitivo", "16.50", 78)
        .look(Form::SpiritBottle, Palette::Coral, Style::Pattern, Motif::Citrus)
        .label(WERMUT_WALD, "500 ml · 0.0 %")
        .served("#d8341f", Form::Tumbler)
        .text(
            "Gentian, bitter orange, rhubarb root. Over ice with soda it glows like a traffic \
             light in Milan, and it is every bit as bitter as it should be.",
        ),
    SHELF
        .product("AFR-VEW-750", "White Vermouth Zero", "15.80", 26)
        .look(Form::Burgundy, Palette::Sage, Style::Classic, Motif::Sprig)
        .label(WERMUT_WALD, "750 ml · 0.0 %")
        .glass(Glass::Olive)
        .served("#e6dc9a", Form::Tumbler)
        .text(
            "Wormwood, yarrow and orange blossom on a base of grape must. With tonic and an \
             olive it makes a convincing start to dinner.",
        ),
    SHELF
        .product("AFR-VEB-750", "Red Vermouth Zero", "15.80", 0)
        .look(Form::Burgundy, Palette::Bordeaux, Style::Classic, Motif::Flower)
        .label(WERMUT_WALD, "750 ml · 0.0 %")
        .glass(Glass::Green)
        .served("#7a2416", Form::Tumbler)
        .text(
            "Caramel, clove, dried cherry and a long bitter tail. A slice of orange, a big \
             ice cube, and the first chapter of something.",
        ),
    SHELF
        .product("AFR-AMA-500", "Amaro of the Woods", "18.90", 14)
        .look(Form::SpiritBottle, Palette::Forest, Style::Hills, Motif::Leaf)
        .label(WERMUT_WALD, "500 ml · 0.0 %")
        .served("#4f2a14", Form::Tumbler)
        .text(
            "Spruce tips, gentian, walnut and thirty-odd further things from the forest. \
             Neat, after a heavy meal.",
        ),
    SHELF
        .product("AFR-HEL-330", "Helles Alkoholfrei", "1.40", 230)
        .look(Form::Longneck, Palette::Sky, Style::Classic, Motif::Barley)
        .label(BRAUHAUS_ANKER, "330 ml · under 0.5 %")
        .glass(Glass::Amber)
        .served("#e3b340", Form::Pint)
        .text(
            "Brewed like our Helles and stopped in time. Bread crust, meadow hay, a clean \
             bitter snap: beer first, alcohol-free second.",
        ),
    SHELF
        .product("AFR-WEI-500", "Weissbier Alkoholfrei", "1.60", 188)
        .look(Form::SwingTop, Palette::Lemon, Style::Hills, Motif::Barley)
        .label(BRAUHAUS_ANKER, "500 ml · under 0.5 %")
        .glass(Glass::Amber)
        .served("#dda03a", Form::Weizen)
        .text(
            "Cloudy, full and isotonic, with the banana and clove the yeast is known for. \
             First thing after the marathon.",
        ),
    SHELF
        .product("AFR-IPA-330", "IPA Zero", "2.30", 69)
        .look(Form::Can, Palette::Teal, Style::Pattern, Motif::Hop)
        .label(BRAUHAUS_ANKER, "330 ml · under 0.3 %")
        .served("#d99a35", Form::Pint)
        .text(
            "Dry-hopped with Citra and Mosaic until no one misses anything. Mango, pine, \
             grapefruit pith.",
        ),
    SHELF
        .product("AFR-STO-330", "Stout Zero", "2.50", 33)
        .look(Form::Can, Palette::Charcoal, Style::Medallion, Motif::Bean)
        .label(BRAUHAUS_ANKER, "330 ml · under 0.5 %")
        .served("#1f120c", Form::Pint)
        .text(
            "Roasted barley and cold-brewed coffee, thick with oats. A dark beer for people \
             who have to drive home through the dark.",
        ),
    SHELF
        .product("AFR-RAD-500", "Grapefruit Radler Zero", "1.70", 120)
        .look(Form::Can, Palette::Coral, Style::Hills, Motif::Citrus)
        .label(BRAUHAUS_ANKER, "500 ml · 0.0 %")
        .served("#eba25c", Form::Pint)
        .text("Half beer, half grapefruit, wholly refreshing. Keep a crate in the stream."),
    SHELF
        .product("AFR-KOM-330", "Kombucha Original", "3.20", 57)
        .look(Form::SodaBottle, Palette::Terracotta, Style::Medallion, Motif::Drop)
        .label(HOLLERHOF, "330 ml · raw")
        .glass(Glass::Amber)
        .served("#cf9440", Form::WineGlass)
        .text(
            "Black tea fermented for three weeks with a culture older than our shop. Tart \
             apple, a little farmyard, lively bubbles. Store it cold.",
        ),
    SHELF
        .product("AFR-KOG-330", "Kombucha Ginger & Turmeric", "3.40", 44)
        .look(Form::SodaBottle, Palette::Amber, Style::Band, Motif::Flame)
        .label(HOLLERHOF, "330 ml · raw")
        .glass(Glass::Amber)
        .served("#dfa12c", Form::WineGlass)
        .text(
            "Warm from ginger, earthy from turmeric, sour from patience. Good in place of the \
             third coffee.",
        ),
    SHELF
        .product("AFR-SHR-500", "Raspberry Shrub", "9.80", 3)
        .look(Form::SpiritBottle, Palette::Berry, Style::Medallion, Motif::Berry)
        .label(HOLLERHOF, "500 ml · drinking vinegar")
        .served("#b5183d", Form::Highball)
        .text(
            "Raspberries, sugar and cider vinegar, the way sailors kept their fruit. Two \
             fingers in a tall glass, soda to the top.",
        ),
];
