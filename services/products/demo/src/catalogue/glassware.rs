//! Glassware: things to pour into.

use super::Shelf;
use crate::DemoProduct;
use crate::look::{Form, Glass, Motif, Palette, Style};

const SHELF: Shelf = Shelf { category: "Glassware", glass: Glass::Clear, drink: "#8a1a30", served: Form::WineGlass };
const GLASHUTTE_TANNWALD: &str = "Glashütte Tannwald";
const TOPFEREI_KERN: &str = "Töpferei Kern";

pub(super) const PRODUCTS: &[DemoProduct] = &[
    SHELF
        .product("GLA-BOR-001", "Bordeaux Glass \"Tannwald\"", "16.90", 84)
        .look(Form::WineGlass, Palette::Slate, Style::Classic, Motif::Grape)
        .label(GLASHUTTE_TANNWALD, "mouth-blown · 610 ml")
        .served("#6b1226", Form::WineGlass)
        .text(
            "Blown by mouth in the Bavarian Forest, with a stem as fine as a pencil line. \
             Tall bowl, narrow rim, for reds with shoulders. It survives the dishwasher if \
             you let it stand alone.",
        ),
    SHELF
        .product("GLA-BOR-006", "Bordeaux Glasses, Set of Six", "89.00", 16)
        .look(Form::WineGlass, Palette::Bordeaux, Style::Classic, Motif::Grape)
        .label(GLASHUTTE_TANNWALD, "six · 610 ml")
        .served("#7b1a2e", Form::WineGlass)
        .pieces(6)
        .text(
            "Half a dozen of our mouth-blown Bordeaux glasses in a box made to be kept. A \
             wedding present that is still in use at the silver one.",
        ),
    SHELF
        .product("GLA-BUR-001", "Burgundy Balloon", "18.50", 45)
        .look(Form::BalloonGlass, Palette::Plum, Style::Classic, Motif::Grape)
        .label(GLASHUTTE_TANNWALD, "mouth-blown · 780 ml")
        .served("#8c2438", Form::BalloonGlass)
        .text(
            "A wide belly for Pinot Noir and Nebbiolo, gathered in at the rim so that nothing \
             of the scent escapes. Fill it a quarter; the rest is for the nose.",
        ),
    SHELF
        .product("GLA-WHI-001", "Riesling Glass", "14.90", 72)
        .look(Form::WineGlass, Palette::Sage, Style::Classic, Motif::Leaf)
        .label(GLASHUTTE_TANNWALD, "mouth-blown · 390 ml")
        .served("#e6dc92", Form::WineGlass)
        .text(
            "Slender and lightly tapered, to lead cool whites to the tip of the tongue. Thin \
             enough to ring for three seconds.",
        ),
    SHELF
        .product("GLA-FLU-001", "Champagne Flute", "13.90", 60)
        .look(Form::FluteGlass, Palette::Gold, Style::Classic, Motif::Star)
        .label(GLASHUTTE_TANNWALD, "mouth-blown · 210 ml")
        .served("#f0d98c", Form::FluteGlass)
        .text(
            "A tiny etched point at the bottom starts the string of bubbles. Tall, straight \
             and festive without a word.",
        ),
    SHELF
        .product("GLA-FLU-006", "Champagne Flutes, Set of Six", "72.00", 11)
        .look(Form::FluteGlass, Palette::Rose, Style::Classic, Motif::Star)
        .label(GLASHUTTE_TANNWALD, "six · 210 ml")
        .served("#f3b7a6", Form::FluteGlass)
        .pieces(6)
        .text(
            "Six flutes for New Year's Eve and the eleven other good reasons that turn up in \
             a year. They come in a partitioned box, so that they are still six next year.",
        ),
    SHELF
        .product("GLA-COU-001", "Coupe \"Josephine\"", "15.50", 38)
        .look(Form::Coupe, Palette::Rose, Style::Classic, Motif::Star)
        .label(GLASHUTTE_TANNWALD, "mouth-blown · 240 ml")
        .served("#f0b9a0", Form::Coupe)
        .text(
            "Low, wide and a bit frivolous. For Crémant, for daiquiris, for a scoop of sorbet \
             with something poured over it.",
        ),
    SHELF
        .product("GLA-TUM-001", "Whisky Tumbler", "11.90", 95)
        .look(Form::Tumbler, Palette::Amber, Style::Classic, Motif::Crown)
        .label(GLASHUTTE_TANNWALD, "cut by hand · 320 ml")
        .served("#c9822a", Form::Tumbler)
        .text(
            "A heavy base that takes the muddler and sits well in the hand. One big ice cube \
             fits exactly; we measured.",
        ),
    SHELF
        .product("GLA-TUM-004", "Water Tumblers, Set of Four", "24.00", 54)
        .look(Form::Tumbler, Palette::Sky, Style::Classic, Motif::Drop)
        .label(GLASHUTTE_TANNWALD, "four · 280 ml")
        .served("#cfe6ee", Form::Tumbler)
        .pieces(4)
        .text(
            "Everyday glasses with a faint optic wave that throws ripples of light onto the \
             tablecloth. Stackable, unfussy, dishwasher-safe.",
        ),
    SHELF
        .product("GLA-HIG-001", "Highball Glass", "9.90", 110)
        .look(Form::Highball, Palette::Teal, Style::Classic, Motif::Sprig)
        .label(GLASHUTTE_TANNWALD, "machine-made · 380 ml")
        .served("#dbe3a8", Form::Highball)
        .text(
            "Straight walls, thick foot, room for ice, a long drink and a sprig of something \
             green. Made by machine, priced accordingly, and none the worse for it.",
        ),
    SHELF
        .product("GLA-HIG-004", "Highballs in Smoke, Set of Four", "36.00", 20)
        .look(Form::Highball, Palette::Charcoal, Style::Classic, Motif::Citrus)
        .label(GLASHUTTE_TANNWALD, "four · 380 ml")
        .served("#e28a3c", Form::Highball)
        .pieces(4)
        .text(
            "The same tall glass seen at dusk. Cola disappears in it; anything orange starts \
             to glow.",
        ),
    SHELF
        .product("GLA-PIN-001", "Pint Glass", "6.90", 180)
        .look(Form::Pint, Palette::Forest, Style::Classic, Motif::Hop)
        .label(GLASHUTTE_TANNWALD, "toughened · 568 ml")
        .served("#d8901f", Form::Pint)
        .text(
            "The honest cone of the public house, toughened at the rim. Stacks to the ceiling \
             and bounces, once.",
        ),
    SHELF
        .product("GLA-WEI-001", "Weissbier Glass", "7.90", 124)
        .look(Form::Weizen, Palette::Lemon, Style::Classic, Motif::Barley)
        .label(GLASHUTTE_TANNWALD, "500 ml")
        .served("#dd9c33", Form::Weizen)
        .text(
            "Narrow waist, generous head. Rinse it with cold water first and the foam will \
             behave.",
        ),
    SHELF
        .product("GLA-WEI-006", "Weissbier Glasses, Set of Six", "42.00", 0)
        .look(Form::Weizen, Palette::Amber, Style::Classic, Motif::Barley)
        .label(GLASHUTTE_TANNWALD, "six · 500 ml")
        .served("#d18b2a", Form::Weizen)
        .pieces(6)
        .text(
            "For the long table: six tall glasses and enough reason to invite five people. \
             The box has handles, since it will be carried into gardens.",
        ),
    SHELF
        .product("GLA-TAS-001", "Beer Tasting Goblet", "10.90", 65)
        .look(Form::BalloonGlass, Palette::Terracotta, Style::Classic, Motif::Hop)
        .label(GLASHUTTE_TANNWALD, "420 ml")
        .served("#b8691f", Form::BalloonGlass)
        .text(
            "For strong, slow beers that want warming in the palm. The bowl keeps the aroma; \
             the stem keeps your dignity.",
        ),
    SHELF
        .product("GLA-CAR-1L", "Carafe \"Quelle\"", "28.00", 42)
        .look(Form::Carafe, Palette::Teal, Style::Classic, Motif::Drop)
        .label(GLASHUTTE_TANNWALD, "mouth-blown · 1 l")
        .served("#cfe6ea", Form::Tumbler)
        .text(
            "A water carafe with a slim neck that your hand finds in the dark. Fill it with \
             lemon slices or leave it alone.",
        ),
    SHELF
        .product("GLA-DEC-750", "Wine Decanter", "46.00", 13)
        .look(Form::Carafe, Palette::Bordeaux, Style::Classic, Motif::Grape)
        .label(GLASHUTTE_TANNWALD, "mouth-blown · 750 ml")
        .served("#6b1226", Form::WineGlass)
        .text(
            "Gives a young red the surface of a saucer and an hour's head start. The lip is \
             cut to pour without a drop on the cloth.",
        ),
    SHELF
        .product("GLA-MUG-TER", "Stoneware Mug, Terracotta", "17.50", 36)
        .look(Form::Mug, Palette::Terracotta, Style::Classic, Motif::Sun)
        .label(TOPFEREI_KERN, "thrown by hand · 350 ml")
        .served("#3a2013", Form::Mug)
        .text(
            "Thrown on the wheel in a two-person pottery, so each one differs by a thumb's \
             breadth. Keeps coffee hot through a long telephone call.",
        ),
    SHELF
        .product("GLA-MUG-IND", "Stoneware Mug, Indigo", "17.50", 29)
        .look(Form::Mug, Palette::Indigo, Style::Classic, Motif::Moon)
        .label(TOPFEREI_KERN, "thrown by hand · 350 ml")
        .served("#b3682a", Form::Mug)
        .text(
            "Deep blue glaze that pools a shade darker at the foot. Big enough for a proper \
             tea, friendly to cold fingers.",
        ),
    SHELF
        .product("GLA-MUG-SAG", "Stoneware Mug, Sage", "17.50", 2)
        .look(Form::Mug, Palette::Sage, Style::Classic, Motif::Leaf)
        .label(TOPFEREI_KERN, "thrown by hand · 350 ml")
        .served("#a9b648", Form::Mug)
        .text(
            "A matt grey-green like the underside of an olive leaf. Matcha looks especially \
             well in it.",
        ),
    SHELF
        .product("GLA-MUG-ESP", "Espresso Cups, Pair", "21.00", 47)
        .look(Form::Mug, Palette::Charcoal, Style::Classic, Motif::Bean)
        .label(TOPFEREI_KERN, "two · 80 ml")
        .served("#2a1509", Form::Mug)
        .pieces(2)
        .text(
            "Thick-walled little cups, to be warmed on top of the machine. Black outside, so \
             that the crema can have the stage.",
        ),
];
