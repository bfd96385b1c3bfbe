//! Soda: lemonades, tonics, colas and waters with a point of view.

use super::Shelf;
use crate::DemoProduct;
use crate::look::{Form, Glass, Motif, Palette, Style};

const SHELF: Shelf = Shelf { category: "Soda", glass: Glass::Clear, drink: "#e9d9a0", served: Form::Highball };
const BRAUSE_WERK: &str = "Brause Werk";
const FRITZI_SOHN: &str = "Fritzi & Sohn";
const TONIC_BUREAU: &str = "Tonic Bureau";

pub(super) const PRODUCTS: &[DemoProduct] = &[
    SHELF
        .product("SOD-LEM-330", "Cloudy Lemonade", "1.90", 240)
        .look(Form::SodaBottle, Palette::Lemon, Style::Classic, Motif::Citrus)
        .label(BRAUSE_WERK, "330 ml · Amalfi lemon")
        .served("#eee2a0", Form::Highball)
        .text(
            "Lemons, water, cane sugar, and bubbles fine enough to tickle. Cloudy because we \
             leave the juice in.",
        ),
    SHELF
        .product("SOD-ORA-330", "Blood Orangeade", "1.90", 165)
        .look(Form::SodaBottle, Palette::Coral, Style::Pattern, Motif::Citrus)
        .label(BRAUSE_WERK, "330 ml · Sicily")
        .served("#e2623a", Form::Highball)
        .text(
            "Twelve per cent juice and a bitter edge of peel. Between a childhood soda and an \
             aperitif.",
        ),
    SHELF
        .product("SOD-RHU-330", "Rhubarb Fizz", "2.10", 98)
        .look(Form::SodaBottle, Palette::Rose, Style::Hills, Motif::Leaf)
        .label(BRAUSE_WERK, "330 ml · 30 % juice")
        .served("#f0a9a0", Form::Highball)
        .text(
            "Tart stalks, fine bubbles, barely sweet. It was meant as a summer special and \
             refused to leave.",
        ),
    SHELF
        .product("SOD-ELD-330", "Elderflower Fizz", "2.10", 130)
        .look(Form::SodaBottle, Palette::Sage, Style::Medallion, Motif::Flower)
        .label(BRAUSE_WERK, "330 ml · hand-picked")
        .served("#ece6b8", Form::Highball)
        .text(
            "Blossoms picked before noon, steeped overnight with lemon. Smells of hedgerows \
             in June; very good with gin, if it must be.",
        ),
    SHELF
        .product("SOD-GIN-330", "Fiery Ginger Beer", "2.40", 112)
        .look(Form::SodaBottle, Palette::Amber, Style::Band, Motif::Flame)
        .label(BRAUSE_WERK, "330 ml · brewed")
        .glass(Glass::Amber)
        .served("#d9b766", Form::Highball)
        .text(
            "Fermented from fresh root like in the old days and bottled without filtering. It \
             bites. Add lime, add rum, add ice.",
        ),
    SHELF
        .product("SOD-APP-330", "Apple Spritzer", "1.70", 220)
        .look(Form::SodaBottle, Palette::Forest, Style::Hills, Motif::Apple)
        .label(BRAUSE_WERK, "330 ml · 60 % juice")
        .served("#d9b04e", Form::Highball)
        .text(
            "Sixty parts cloudy apple, forty parts sparkling water: the ratio on which hikers \
             agree. Take it up the mountain; the bottle comes back down.",
        ),
    SHELF
        .product("SOD-CUC-330", "Cucumber & Mint", "2.20", 41)
        .look(Form::SodaBottle, Palette::Mint, Style::Pattern, Motif::Sprig)
        .label(BRAUSE_WERK, "330 ml · low sugar")
        .served("#dbe6bd", Form::Highball)
        .text("Cool as tiles under bare feet. Cucumber juice, garden mint, a touch of lime."),
    SHELF
        .product("SOD-COL-330", "Kola 1952", "1.90", 190)
        .look(Form::SodaBottle, Palette::Charcoal, Style::Classic, Motif::Star)
        .label(FRITZI_SOHN, "330 ml · real kola nut")
        .served("#3c1a10", Form::Highball)
        .text(
            "Our grandfather's recipe with kola nut, cinnamon, nutmeg and orange oil. Less \
             sweet than you remember, more spice than you expect.",
        ),
    SHELF
        .product("SOD-COZ-330", "Kola Zero", "1.90", 144)
        .look(Form::SlimCan, Palette::Charcoal, Style::Medallion, Motif::Star)
        .label(FRITZI_SOHN, "330 ml · sugar-free")
        .served("#3c1a10", Form::Highball)
        .text(
            "The same spices without the sugar. We tinkered for two years until no one at the \
             family table could tell.",
        ),
    SHELF
        .product("SOD-CHE-330", "Cherry Kola", "2.00", 72)
        .look(Form::Can, Palette::Bordeaux, Style::Pattern, Motif::Cherry)
        .label(FRITZI_SOHN, "330 ml · with juice")
        .served("#4a1218", Form::Highball)
        .text(
            "Kola with eight per cent sour cherry juice, which makes it taste like the kiosk \
             at the open-air pool. Ice cold, or not at all.",
        ),
    SHELF
        .product("SOD-MIX-330", "Spezial Mix", "1.90", 156)
        .look(Form::SodaBottle, Palette::Tangerine, Style::Band, Motif::Sun)
        .label(FRITZI_SOHN, "330 ml · cola & orange")
        .glass(Glass::Amber)
        .served("#7a3d14", Form::Highball)
        .text(
            "Half kola, half orangeade, as ordered in every Bavarian beer garden by whoever \
             is driving. No lemon, no straw, no discussion.",
        ),
    SHELF
        .product("SOD-WOO-330", "Woodruff Soda", "1.90", 9)
        .look(Form::SodaBottle, Palette::Forest, Style::Pattern, Motif::Leaf)
        .label(FRITZI_SOHN, "330 ml · naturally green")
        .served("#8fc04f", Form::Highball)
        .text(
            "Green as a traffic light and flavoured with sweet woodruff from the forest \
             floor. Vanilla, hay, pure nostalgia.",
        ),
    SHELF
        .product("SOD-RAS-330", "Raspberry Soda", "1.90", 83)
        .look(Form::Can, Palette::Berry, Style::Hills, Motif::Berry)
        .label(FRITZI_SOHN, "330 ml · with juice")
        .served("#cf2f52", Form::Highball)
        .text(
            "Fifteen per cent berry juice and a colour no chemist could improve. Float a \
             scoop of vanilla ice cream on it.",
        ),
    SHELF
        .product("SOD-CRE-330", "Vanilla Cream Soda", "2.20", 37)
        .look(Form::Can, Palette::Cream, Style::Classic, Motif::Flower)
        .label(FRITZI_SOHN, "330 ml · Bourbon vanilla")
        .served("#e4c98c", Form::Highball)
        .text(
            "Caramelised sugar and whole vanilla pods. Tastes like the top of a crème brûlée, \
             with bubbles.",
        ),
    SHELF
        .product("SOD-TON-200", "Indian Tonic", "1.60", 260)
        .look(Form::SodaBottle, Palette::Sky, Style::Medallion, Motif::Crown)
        .label(TONIC_BUREAU, "200 ml · cinchona bark")
        .served("#e6eef0", Form::Highball)
        .text(
            "Real quinine, a clean bitter line and high carbonation that lasts to the bottom \
             of the glass. Three parts to one part gin.",
        ),
    SHELF
        .product("SOD-TOD-200", "Dry Tonic", "1.60", 170)
        .look(Form::SodaBottle, Palette::Slate, Style::Classic, Motif::Crown)
        .label(TONIC_BUREAU, "200 ml · low sugar")
        .served("#e9eeee", Form::Highball)
        .text(
            "Half the sugar of our Indian Tonic, with rosemary and lemon thyme. Lets a good \
             gin finish its sentence.",
        ),
    SHELF
        .product("SOD-TOR-200", "Rose Hip Tonic", "1.70", 55)
        .look(Form::SodaBottle, Palette::Rose, Style::Band, Motif::Flower)
        .label(TONIC_BUREAU, "200 ml · naturally pink")
        .served("#f4bdb6", Form::Highball)
        .text("Rose hip and pink pepper over bitter bark. Pretty, but it has teeth."),
    SHELF
        .product("SOD-BIT-200", "Bitter Lemon", "1.60", 128)
        .look(Form::SodaBottle, Palette::Olive, Style::Hills, Motif::Citrus)
        .label(TONIC_BUREAU, "200 ml · with peel")
        .served("#e6e2a0", Form::Highball)
        .text(
            "Whole lemons, peel and pith included, with quinine for backbone. Drink it neat; \
             it was never only a mixer.",
        ),
    SHELF
        .product("SOD-GAL-200", "Ginger Ale", "1.60", 134)
        .look(Form::SodaBottle, Palette::Gold, Style::Medallion, Motif::Flame)
        .label(TONIC_BUREAU, "200 ml · three gingers")
        .served("#e2c07a", Form::Highball)
        .text(
            "Softer than ginger beer: three origins of ginger, cane sugar, a squeeze of lime. \
             Friend of whisky, and of queasy passengers.",
        ),
    SHELF
        .product("SOD-WAT-750", "Spring Water, Sparkling", "1.80", 300)
        .look(Form::Bordeaux, Palette::Sky, Style::Classic, Motif::Drop)
        .label(BRAUSE_WERK, "750 ml · sparkling")
        .served("#dcebf0", Form::Tumbler)
        .text(
            "From ninety metres under the Rhön, bottled at the spring with lively bubbles. \
             Low in sodium, so it keeps out of the wine's way.",
        ),
    SHELF
        .product("SOD-WAS-750", "Spring Water, Still", "1.80", 280)
        .look(Form::Flute, Palette::Teal, Style::Hills, Motif::Drop)
        .label(BRAUSE_WERK, "750 ml · still")
        .served("#d9ebee", Form::Tumbler)
        .text(
            "The same spring, left in peace. Soft, neutral and, unlike the tap, always cold \
             from the depths.",
        ),
    SHELF
        .product("SOD-YUZ-250", "Yuzu Soda", "2.80", 24)
        .look(Form::SlimCan, Palette::Lemon, Style::Pattern, Motif::Citrus)
        .label(TONIC_BUREAU, "250 ml · Kōchi yuzu")
        .served("#f0e6a2", Form::Highball)
        .text(
            "Somewhere between lemon, mandarin and pine. Juice from Japan, no sweetener, \
             sharp as a new pencil.",
        ),
];
