//! Tea: single gardens, house blends, herbs from the meadow.

use super::Shelf;
use crate::DemoProduct;
use crate::look::{Form, Glass, Motif, Palette, Style};

const SHELF: Shelf = Shelf { category: "Tea", glass: Glass::Clear, drink: "#b3682a", served: Form::Mug };
const GARTEN_KESSEL: &str = "Garten & Kessel";
const LUTTJENS_TEEKONTOR: &str = "Lüttjens Teekontor";
const YAMA_TEA: &str = "Yama Tea";

pub(super) const PRODUCTS: &[DemoProduct] = &[
    SHELF
        .product("TEA-ASS-100", "Assam Mangalam", "8.90", 74)
        .look(Form::Tin, Palette::Terracotta, Style::Classic, Motif::Leaf)
        .label(LUTTJENS_TEEKONTOR, "100 g · loose leaf")
        .text(
            "Golden tips, malt and a dark copper cup that takes milk without blinking. From a \
             second-flush picking in June, when Assam is at its most generous. Our idea of \
             five o'clock.",
        ),
    SHELF
        .product("TEA-DAR-100", "Darjeeling First Flush", "14.50", 23)
        .look(Form::Tin, Palette::Lemon, Style::Hills, Motif::Mountain)
        .label(LUTTJENS_TEEKONTOR, "100 g · loose leaf · spring 2026")
        .served("#d9a94a", Form::Mug)
        .text(
            "Plucked in March on steep slopes, flown out in April, gone by autumn. Muscatel, \
             green almond, spring air. Three minutes at ninety degrees and no milk, please.",
        ),
    SHELF
        .product("TEA-DAS-100", "Darjeeling Second Flush", "12.80", 41)
        .look(Form::Tin, Palette::Amber, Style::Hills, Motif::Mountain)
        .label(LUTTJENS_TEEKONTOR, "100 g · loose leaf · summer")
        .text(
            "The summer picking has more bass: ripe grape, honey, roasted nut. Rounder than \
             the spring tea and more patient with the clock.",
        ),
    SHELF
        .product("TEA-CEY-100", "Ceylon Uva Highlands", "7.90", 58)
        .look(Form::Tin, Palette::Coral, Style::Medallion, Motif::Sun)
        .label(LUTTJENS_TEEKONTOR, "100 g · loose leaf")
        .text(
            "Dry winds in August give this tea a brisk, almost minty edge. Bright red in the \
             glass and splendid with a slice of lemon.",
        ),
    SHELF
        .product("TEA-OST-250", "East Frisian Blend", "11.20", 92)
        .look(Form::TeaBox, Palette::Indigo, Style::Band, Motif::Wave)
        .label(LUTTJENS_TEEKONTOR, "250 g · loose leaf")
        .text(
            "Strong enough to hold a cloud of cream, exactly as they drink it behind the \
             dyke. Mostly Assam, a little Ceylon; three cups are the law. Rock sugar first, \
             never stir.",
        ),
    SHELF
        .product("TEA-EAR-100", "Earl Grey Imperial", "9.60", 80)
        .look(Form::Tin, Palette::Midnight, Style::Medallion, Motif::Citrus)
        .label(LUTTJENS_TEEKONTOR, "100 g · loose leaf")
        .text(
            "Chinese black tea with real bergamot oil from Calabria, and not a drop more than \
             it needs. Fresh, floral, upright.",
        ),
    SHELF
        .product("TEA-LAP-100", "Smoked Souchong", "10.40", 14)
        .look(Form::Tin, Palette::Charcoal, Style::Classic, Motif::Flame)
        .label(LUTTJENS_TEEKONTOR, "100 g · loose leaf")
        .text(
            "Dried over smouldering pine until it smells of a log cabin. Try it with a boiled \
             egg, or in a marinade for ham.",
        ),
    SHELF
        .product("TEA-BRK-020", "Breakfast in Bed", "4.90", 160)
        .look(Form::TeaBox, Palette::Amber, Style::Pattern, Motif::Sun)
        .label(GARTEN_KESSEL, "20 pyramids")
        .text(
            "Assam, Kenya and a pinch of Keemun in roomy pyramids. Wakes you like someone \
             drawing the curtains, that is to say firmly but with affection.",
        ),
    SHELF
        .product("TEA-CHA-100", "Bazaar Chai", "8.40", 67)
        .look(Form::Tin, Palette::Bordeaux, Style::Pattern, Motif::Star)
        .label(GARTEN_KESSEL, "100 g · loose leaf")
        .served("#a8672f", Form::Mug)
        .text(
            "Cardamom, cinnamon, ginger, clove and black pepper, cracked the day we blend it. \
             Simmer in half milk, half water, with more sugar than seems decent.",
        ),
    SHELF
        .product("TEA-SEN-100", "Sencha Kagoshima", "12.90", 36)
        .look(Form::Tin, Palette::Forest, Style::Band, Motif::Leaf)
        .label(YAMA_TEA, "100 g · loose leaf")
        .served("#b9bd52", Form::Mug)
        .text(
            "From the volcanic south of Japan: sweet peas, fresh hay, a briny savour. Seventy \
             degrees, ninety seconds, and a second infusion that is better still.",
        ),
    SHELF
        .product("TEA-GYO-050", "Gyokuro Yame", "24.00", 8)
        .look(Form::Tin, Palette::Gold, Style::Medallion, Motif::Drop)
        .label(YAMA_TEA, "50 g · shade-grown")
        .served("#a9b648", Form::Mug)
        .text(
            "Shaded for three weeks before picking, which turns sunlight hunger into pure \
             umami. Brew it cool and tiny, and sip it like broth.",
        ),
    SHELF
        .product("TEA-MAT-030", "Matcha Uji, Ceremonial", "27.50", 17)
        .look(Form::Tin, Palette::Mint, Style::Classic, Motif::Leaf)
        .label(YAMA_TEA, "30 g · stone-ground")
        .served("#86a83c", Form::Mug)
        .text(
            "Ground on granite so slowly that the mill stays cold. Creamy, grassy, sweet at \
             the end. Whisk it with hot water until the foam stands by itself.",
        ),
    SHELF
        .product("TEA-MAK-080", "Matcha for the Kitchen", "14.90", 45)
        .look(Form::Pouch, Palette::Olive, Style::Pattern, Motif::Leaf)
        .label(YAMA_TEA, "80 g · for lattes and baking")
        .served("#8da743", Form::Mug)
        .text(
            "A bolder, slightly bitter matcha that keeps its colour in milk, cake and ice \
             cream. Sift it; every lump will find you.",
        ),
    SHELF
        .product("TEA-GEN-100", "Genmaicha", "8.20", 62)
        .look(Form::TeaBox, Palette::Sage, Style::Medallion, Motif::Barley)
        .label(YAMA_TEA, "100 g · loose leaf")
        .served("#c3b44f", Form::Mug)
        .text(
            "Green tea with toasted and popped rice. Tastes of popcorn and clear mornings, \
             and is forgiving about water.",
        ),
    SHELF
        .product("TEA-OOL-050", "Oolong Alishan", "18.60", 20)
        .look(Form::Tin, Palette::Teal, Style::Hills, Motif::Mountain)
        .label(YAMA_TEA, "50 g · rolled leaf")
        .served("#d8b95a", Form::Mug)
        .text(
            "Grown above the clouds of Taiwan and rolled into little green pearls. They open \
             over six infusions: lilac, cream, mountain herbs.",
        ),
    SHELF
        .product("TEA-WHI-050", "White Peony", "13.20", 26)
        .look(Form::Tin, Palette::Rose, Style::Medallion, Motif::Flower)
        .label(LUTTJENS_TEEKONTOR, "50 g · loose leaf")
        .served("#e0bd76", Form::Mug)
        .text(
            "Buds and young leaves, simply withered in the shade. Melon, hay flowers, a soft, \
             nearly sleepy sweetness.",
        ),
    SHELF
        .product("TEA-JAS-100", "Jasmine Pearls", "16.90", 0)
        .look(Form::Tin, Palette::Plum, Style::Classic, Motif::Moon)
        .label(LUTTJENS_TEEKONTOR, "100 g · hand-rolled")
        .served("#d6b45c", Form::Mug)
        .text(
            "Rolled by hand, then laid among jasmine blossoms for six nights running. Twelve \
             pearls are enough for a pot, and for the whole room.",
        ),
    SHELF
        .product("TEA-PEP-020", "Peppermint from the Field", "4.20", 135)
        .look(Form::TeaBox, Palette::Mint, Style::Hills, Motif::Sprig)
        .label(GARTEN_KESSEL, "20 bags · organic")
        .served("#b6a64a", Form::Mug)
        .text(
            "Whole-leaf mint from a farm near Würzburg, cut once in July when the oil is at \
             its height. Clears the head and settles supper.",
        ),
    SHELF
        .product("TEA-CAM-020", "Chamomile Meadow", "4.20", 118)
        .look(Form::TeaBox, Palette::Lemon, Style::Pattern, Motif::Flower)
        .label(GARTEN_KESSEL, "20 bags · organic")
        .served("#dcb640", Form::Mug)
        .text(
            "Only the flower heads, dried slowly so that they keep their apple scent. For \
             tired eyes and bedtime stories.",
        ),
    SHELF
        .product("TEA-HIB-100", "Hibiscus & Rosehip", "5.60", 71)
        .look(Form::Pouch, Palette::Berry, Style::Band, Motif::Flower)
        .label(GARTEN_KESSEL, "100 g · fruit infusion")
        .served("#a81e3c", Form::Mug)
        .text(
            "Ruby red and as tart as a good argument. Delicious cold, with orange slices and \
             a spoonful of honey.",
        ),
    SHELF
        .product("TEA-GIN-020", "Ginger & Lemongrass", "4.60", 99)
        .look(Form::TeaBox, Palette::Tangerine, Style::Band, Motif::Flame)
        .label(GARTEN_KESSEL, "20 bags · organic")
        .served("#d9ad4a", Form::Mug)
        .text(
            "A third of every bag is ginger, so it has some fire. Lemongrass and a bit of \
             liquorice root put it out again.",
        ),
    SHELF
        .product("TEA-ROO-100", "Rooibos Cederberg", "6.40", 83)
        .look(Form::Pouch, Palette::Terracotta, Style::Hills, Motif::Sun)
        .label(GARTEN_KESSEL, "100 g · loose leaf")
        .served("#a5431b", Form::Mug)
        .text(
            "Red bush from the only mountains where it grows. Vanilla, dried apricot, no \
             caffeine, no bitterness however long you forget it.",
        ),
    SHELF
        .product("TEA-VER-015", "Lemon Verbena", "5.20", 5)
        .look(Form::Jar, Palette::Sage, Style::Classic, Motif::Sprig)
        .label(GARTEN_KESSEL, "15 g · whole leaf")
        .served("#9aa350", Form::Mug)
        .text(
            "Long, crisp leaves that smell like lemon sherbet the moment you lift the lid. \
             Six leaves to a cup.",
        ),
    SHELF
        .product("TEA-NIG-020", "Good Night Herbs", "4.50", 110)
        .look(Form::TeaBox, Palette::Indigo, Style::Medallion, Motif::Moon)
        .label(GARTEN_KESSEL, "20 bags · organic")
        .served("#c9a550", Form::Mug)
        .text(
            "Lemon balm, lavender, hops and oat straw. Doesn't knock you out; merely turns \
             the lights down.",
        ),
];
