//! Juice: pressed, not mixed; cloudy where the fruit is cloudy.

use super::Shelf;
use crate::DemoProduct;
use crate::look::{Form, Glass, Motif, Palette, Style};

const SHELF: Shelf = Shelf { category: "Juice", glass: Glass::Clear, drink: "#f0942a", served: Form::Highball };
const OBSTHOF_BRANDT: &str = "Obsthof Brandt";
const SAFTLADEN: &str = "Saftladen";
const VALLE_SOL: &str = "Valle Sol";

pub(super) const PRODUCTS: &[DemoProduct] = &[
    SHELF
        .product("JUI-APP-1L", "Orchard Apple, Cloudy", "3.20", 210)
        .look(Form::JuiceBottle, Palette::Forest, Style::Hills, Motif::Apple)
        .label(OBSTHOF_BRANDT, "1 l · direct juice")
        .served("#d9a13a", Form::Highball)
        .text(
            "Windfalls and old varieties from standard trees, pressed the same day. It tastes \
             different every autumn, and we like it that way. Shake it: the good part sinks.",
        ),
    SHELF
        .product("JUI-BOS-750", "Boskoop Apple", "4.10", 66)
        .look(Form::JuiceBottle, Palette::Coral, Style::Classic, Motif::Apple)
        .label(OBSTHOF_BRANDT, "750 ml · single variety")
        .served("#d08f35", Form::Highball)
        .text(
            "One apple, one orchard, plenty of acid. Tart, dry and nutty, closer to a white \
             wine than to what children call juice.",
        ),
    SHELF
        .product("JUI-APQ-750", "Apple & Quince", "4.80", 38)
        .look(Form::JuiceBottle, Palette::Lemon, Style::Medallion, Motif::Apple)
        .label(OBSTHOF_BRANDT, "750 ml · direct juice")
        .served("#dcae48", Form::Highball)
        .text(
            "A fifth of quince makes apple juice smell like a linen cupboard in the best of \
             houses. Try it warm in winter.",
        ),
    SHELF
        .product("JUI-PEA-750", "Williams Pear", "4.30", 54)
        .look(Form::JuiceBottle, Palette::Olive, Style::Hills, Motif::Leaf)
        .label(OBSTHOF_BRANDT, "750 ml · direct juice")
        .served("#d6bf5f", Form::Highball)
        .text(
            "Soft, granular and perfumed, like biting into the fruit over the sink. Wonderful \
             with blue cheese.",
        ),
    SHELF
        .product("JUI-CHE-750", "Morello Cherry", "5.20", 49)
        .look(Form::JuiceBottle, Palette::Bordeaux, Style::Classic, Motif::Cherry)
        .label(OBSTHOF_BRANDT, "750 ml · nectar")
        .served("#7d1127", Form::Highball)
        .text(
            "Sour cherries with just enough sugar to make peace. Deep red, stony, refreshing; \
             half and half with sparkling water it is our summer standard.",
        ),
    SHELF
        .product("JUI-PLU-750", "Zwetschge Plum", "4.90", 12)
        .look(Form::JuiceBottle, Palette::Plum, Style::Hills, Motif::Drop)
        .label(OBSTHOF_BRANDT, "750 ml · nectar")
        .served("#5a1a3c", Form::Highball)
        .text(
            "Late, wrinkled plums, simmered gently before pressing. Thick and spicy, with a \
             whisper of cinnamon that nobody added.",
        ),
    SHELF
        .product("JUI-CUR-750", "Blackcurrant", "5.60", 43)
        .look(Form::JuiceBottle, Palette::Berry, Style::Medallion, Motif::Berry)
        .label(OBSTHOF_BRANDT, "750 ml · nectar")
        .served("#4d0f33", Form::Highball)
        .text(
            "So dark it stains the spoon. Tart fruit, bright leaf, honest tannin; excellent \
             with soda or, on cold days, hot with honey.",
        ),
    SHELF
        .product("JUI-RHU-750", "Rhubarb", "4.40", 87)
        .look(Form::JuiceBottle, Palette::Rose, Style::Pattern, Motif::Leaf)
        .label(OBSTHOF_BRANDT, "750 ml · nectar")
        .served("#e89a94", Form::Highball)
        .text(
            "Pink, sharp and thirst-quenching. Top up a small glass with sparkling water and \
             the garden comes to you.",
        ),
    SHELF
        .product("JUI-GRA-750", "Red Grape", "4.60", 60)
        .look(Form::JuiceBottle, Palette::Plum, Style::Classic, Motif::Grape)
        .label(OBSTHOF_BRANDT, "750 ml · direct juice")
        .served("#5c1531", Form::Highball)
        .text(
            "From Dornfelder grapes that could have become wine. Sweet, spicy and full; give \
             it to the children at the grown-ups' table.",
        ),
    SHELF
        .product("JUI-ORA-1L", "Valencia Orange", "4.90", 145)
        .look(Form::Carton, Palette::Tangerine, Style::Band, Motif::Citrus)
        .label(VALLE_SOL, "1 l · chilled, with pulp")
        .served("#f39a1e", Form::Highball)
        .text(
            "Squeezed in Spain the week you drink it and never concentrated. With pulp, \
             because fruit has some.",
        ),
    SHELF
        .product("JUI-BLO-750", "Blood Orange", "5.40", 33)
        .look(Form::JuiceBottle, Palette::Coral, Style::Pattern, Motif::Citrus)
        .label(VALLE_SOL, "750 ml · Sicily")
        .served("#d9472b", Form::Highball)
        .text(
            "Cold nights on Etna paint the flesh. Raspberry notes, bitter peel, a sunset in a \
             tumbler.",
        ),
    SHELF
        .product("JUI-GRF-1L", "Pink Grapefruit", "4.70", 51)
        .look(Form::Carton, Palette::Rose, Style::Medallion, Motif::Citrus)
        .label(VALLE_SOL, "1 l · chilled")
        .served("#f08d7c", Form::Highball)
        .text(
            "Wakes up parts of the tongue that coffee misses. Bitter-sweet, clean, no sugar \
             added.",
        ),
    SHELF
        .product("JUI-MUL-1L", "Eleven Fruits", "3.90", 122)
        .look(Form::Carton, Palette::Amber, Style::Pattern, Motif::Sun)
        .label(SAFTLADEN, "1 l · multivitamin")
        .served("#eda53c", Form::Highball)
        .text(
            "Yes, we counted: orange, apple, pineapple, mango, passion fruit, banana, guava, \
             apricot, lemon, acerola and papaya. Breakfast in its Sunday best.",
        ),
    SHELF
        .product("JUI-MAN-750", "Alphonso Mango", "6.20", 29)
        .look(Form::JuiceBottle, Palette::Amber, Style::Medallion, Motif::Sun)
        .label(VALLE_SOL, "750 ml · nectar")
        .served("#f2a51f", Form::Highball)
        .text(
            "The mango that makes all other mangoes nervous. Saffron-coloured and velvety; \
             lengthen it with water, yoghurt or rum.",
        ),
    SHELF
        .product("JUI-PIN-1L", "Pineapple", "4.40", 68)
        .look(Form::Carton, Palette::Lemon, Style::Hills, Motif::Sun)
        .label(VALLE_SOL, "1 l · direct juice")
        .served("#ecc64b", Form::Highball)
        .text(
            "From ripe fruit, pressed in Costa Rica. Sweet first, then sour, then a froth \
             that any piña colada would be proud of.",
        ),
    SHELF
        .product("JUI-PAS-250", "Passion Fruit", "2.60", 90)
        .look(Form::SodaBottle, Palette::Plum, Style::Band, Motif::Flower)
        .label(VALLE_SOL, "250 ml · nectar")
        .served("#e2a421", Form::Highball)
        .text("Small bottle, big perfume. A dash makes a spritz, a cocktail or a cheesecake."),
    SHELF
        .product("JUI-TOM-750", "Tomato, Summer Harvest", "4.20", 47)
        .look(Form::JuiceBottle, Palette::Coral, Style::Hills, Motif::Sprig)
        .label(SAFTLADEN, "750 ml · lightly salted")
        .served("#b92b1c", Form::Highball)
        .text(
            "Vine tomatoes from August, a pinch of sea salt and nothing besides. Thick as \
             soup; celery and vodka are up to you.",
        ),
    SHELF
        .product("JUI-BEE-500", "Beetroot & Apple", "3.90", 35)
        .look(Form::JuiceBottle, Palette::Berry, Style::Band, Motif::Apple)
        .label(SAFTLADEN, "500 ml · lacto-fermented")
        .served("#7b1238", Form::Highball)
        .text(
            "Earth and orchard in equal parts, gently fermented so that it is lively rather \
             than sweet. Cyclists swear by it.",
        ),
    SHELF
        .product("JUI-CAR-500", "Carrot & Ginger", "3.80", 58)
        .look(Form::JuiceBottle, Palette::Tangerine, Style::Hills, Motif::Flame)
        .label(SAFTLADEN, "500 ml · direct juice")
        .served("#ee7d1c", Form::Highball)
        .text(
            "Carrots from sandy soil and a nip of fresh ginger. Add a drop of oil to please \
             your doctor.",
        ),
    SHELF
        .product("JUI-SHO-060", "Ginger Shot", "2.40", 175)
        .look(Form::SodaBottle, Palette::Lemon, Style::Medallion, Motif::Flame)
        .label(SAFTLADEN, "60 ml · sharp")
        .served("#e1c04a", Form::Highball)
        .text(
            "Sixty millilitres of ginger, lemon and apple. Down it in one; the face you make \
             is part of the experience.",
        ),
    SHELF
        .product("JUI-SEA-330", "Sea Buckthorn", "6.90", 16)
        .look(Form::JuiceBottle, Palette::Sky, Style::Classic, Motif::Wave)
        .label(SAFTLADEN, "330 ml · pure")
        .served("#ef8d1a", Form::Highball)
        .text(
            "Picked by hand on the Baltic coast, thorns and all. Ferociously sour, oily and \
             bright; a tablespoon a day is how the islanders take it.",
        ),
    SHELF
        .product("JUI-ELD-500", "Elderberry", "5.80", 0)
        .look(Form::JuiceBottle, Palette::Midnight, Style::Medallion, Motif::Berry)
        .label(OBSTHOF_BRANDT, "500 ml · pure")
        .served("#32102b", Form::Highball)
        .text(
            "Dark as ink and just as serious. Heat it with a clove and lemon when November \
             gets into your bones.",
        ),
];
