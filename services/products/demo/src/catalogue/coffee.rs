//! Coffee: whole beans, tins for the camp stove, cold brew and what belongs beside them.

use super::Shelf;
use crate::DemoProduct;
use crate::look::{Form, Glass, Motif, Palette, Style};

const SHELF: Shelf = Shelf { category: "Coffee", glass: Glass::Clear, drink: "#3a2013", served: Form::Mug };
const KESSEL_KORN: &str = "Kessel & Korn";
const NORDLICHT_ROSTEREI: &str = "Nordlicht Rösterei";
const POORT_COFFEE: &str = "Poort Coffee";

pub(super) const PRODUCTS: &[DemoProduct] = &[
    SHELF
        .product("COF-YIR-250", "Ethiopia Yirgacheffe", "12.90", 64)
        .look(Form::Pouch, Palette::Terracotta, Style::Medallion, Motif::Flower)
        .label(KESSEL_KORN, "250 g · whole bean")
        .text(
            "Jasmine first, then bergamot, then a finish like apricot skin. The cherries come \
             from smallholders around Aricha and are washed and dried on raised beds. Roasted \
             light, so give it a filter and water just off the boil.",
        ),
    SHELF
        .product("COF-SID-250", "Ethiopia Sidama Natural", "13.50", 31)
        .look(Form::Pouch, Palette::Berry, Style::Pattern, Motif::Berry)
        .label(KESSEL_KORN, "250 g · whole bean")
        .text(
            "Dried in the whole fruit, and it tastes like it: blueberry jam, cocoa nibs and a \
             little red wine. Lovely as a pour-over, startling as an espresso with milk.",
        ),
    SHELF
        .product("COF-NYE-250", "Kenya Nyeri AA", "14.80", 22)
        .look(Form::Pouch, Palette::Bordeaux, Style::Hills, Motif::Mountain)
        .label(KESSEL_KORN, "250 g · whole bean")
        .text(
            "Blackcurrant and pink grapefruit, bright as a slap of cold water. Grown on the \
             slopes below Mount Kenya and double-fermented at the washing station. For people \
             who think coffee has too little fruit in it.",
        ),
    SHELF
        .product("COF-HUI-250", "Colombia Huila", "11.50", 120)
        .look(Form::Pouch, Palette::Amber, Style::Classic, Motif::Sun)
        .label(KESSEL_KORN, "250 g · whole bean")
        .text(
            "Caramel, red apple and a round body that forgives nearly every brewing mistake. \
             Twenty-three families in Pitalito grow it at 1,700 metres. Our staff coffee, and \
             the first we recommend to anyone.",
        ),
    SHELF
        .product("COF-HUI-1KG", "Colombia Huila, 1 kg", "39.00", 40)
        .look(Form::Pouch, Palette::Amber, Style::Band, Motif::Sun)
        .label(KESSEL_KORN, "1 kg · whole bean")
        .text(
            "The coffee we drink behind the counter, in the bag we buy it in. The caramel and \
             red apple are the same; the price per cup is kinder. Freeze half of it if you \
             live alone.",
        ),
    SHELF
        .product("COF-ANT-250", "Guatemala Antigua", "12.40", 57)
        .look(Form::Pouch, Palette::Olive, Style::Hills, Motif::Mountain)
        .label(KESSEL_KORN, "250 g · whole bean")
        .text(
            "Three volcanoes look down on this farm, and their ash is in the soil. Expect \
             milk chocolate, orange zest and a touch of smoke. It holds its own in a flat \
             white.",
        ),
    SHELF
        .product("COF-TAR-250", "Costa Rica Tarrazú Honey", "13.90", 18)
        .look(Form::Pouch, Palette::Tangerine, Style::Medallion, Motif::Bird)
        .label(KESSEL_KORN, "250 g · whole bean")
        .text(
            "Part of the fruit is left on the bean while it dries, which gives this cup its \
             honey and stone-fruit sweetness. Clean, silky, no bitterness to speak of.",
        ),
    SHELF
        .product("COF-CER-500", "Brazil Cerrado", "16.90", 85)
        .look(Form::Pouch, Palette::Espresso, Style::Classic, Motif::Bean)
        .label(KESSEL_KORN, "500 g · whole bean")
        .text(
            "Hazelnut, cocoa and low acidity: the comfortable armchair among our coffees. \
             Medium roast, at home in a moka pot, a portafilter or a French press.",
        ),
    SHELF
        .product("COF-MAN-250", "Sumatra Mandheling", "12.90", 0)
        .look(Form::Pouch, Palette::Forest, Style::Band, Motif::Leaf)
        .label(KESSEL_KORN, "250 g · whole bean")
        .text(
            "Wet-hulled in the Indonesian manner, heavy and herbal, with cedar, dark \
             chocolate and a trace of pipe tobacco. Divides a room; those who love it buy \
             nothing else.",
        ),
    SHELF
        .product("COF-GES-100", "Panama Geisha", "29.50", 6)
        .look(Form::Tin, Palette::Midnight, Style::Medallion, Motif::Moon)
        .label(KESSEL_KORN, "100 g · whole bean")
        .text(
            "A variety so floral that people hold the cup under their nose and forget to \
             drink. White peach, jasmine tea, lime leaf. One lot a year, roasted to order in \
             batches of three kilos.",
        ),
    SHELF
        .product("COF-RWA-250", "Rwanda Lake Kivu", "12.60", 44)
        .look(Form::Pouch, Palette::Teal, Style::Hills, Motif::Wave)
        .label(KESSEL_KORN, "250 g · whole bean")
        .text(
            "A women's cooperative on the lake shore grows and washes these bourbon beans. \
             Red currant, brown sugar and black tea in a tidy, elegant cup.",
        ),
    SHELF
        .product("COF-HAR-500", "Harbour Espresso", "17.50", 96)
        .look(Form::Pouch, Palette::Charcoal, Style::Medallion, Motif::Star)
        .label(POORT_COFFEE, "500 g · whole bean")
        .text(
            "Two thirds Brazil, one third washed Indian robusta, roasted dark enough for a \
             thick hazel crema. Bitter chocolate, toasted almond, no nonsense. Built for the \
             eight o'clock queue.",
        ),
    SHELF
        .product("COF-HAR-1KG", "Harbour Espresso, 1 kg", "32.00", 52)
        .look(Form::Pouch, Palette::Charcoal, Style::Band, Motif::Star)
        .label(POORT_COFFEE, "1 kg · whole bean")
        .text(
            "The dark blend of our harbour café in the bag the baristas open each morning. \
             Bitter chocolate and toasted almond, and crema that holds up a spoonful of sugar \
             for a while.",
        ),
    SHELF
        .product("COF-DOM-500", "Domino Espresso", "18.20", 73)
        .look(Form::Pouch, Palette::Coral, Style::Pattern, Motif::Bean)
        .label(POORT_COFFEE, "500 g · whole bean")
        .text(
            "A modern, medium roast for home machines: half fruity Ethiopian, half nutty \
             Brazilian. Strawberry up front, praline behind it. Eighteen grams in, forty out, \
             twenty-eight seconds.",
        ),
    SHELF
        .product("COF-DEC-250", "Mountain Water Decaf", "12.90", 39)
        .look(Form::Pouch, Palette::Sky, Style::Classic, Motif::Drop)
        .label(POORT_COFFEE, "250 g · whole bean")
        .text(
            "Mexican beans freed of caffeine with nothing but glacier water, so that toffee, \
             walnut and a little plum survive. The cup for after dinner, or after three.",
        ),
    SHELF
        .product("COF-HAL-250", "Half Speed Blend", "11.90", 28)
        .look(Form::Pouch, Palette::Mint, Style::Band, Motif::Leaf)
        .label(POORT_COFFEE, "250 g · whole bean")
        .text(
            "Half regular, half decaf, for a third cup without regret. Milk chocolate and \
             biscuit, medium roast, easy in any machine.",
        ),
    SHELF
        .product("COF-NOR-250", "Nordlicht Filter", "12.20", 61)
        .look(Form::Pouch, Palette::Indigo, Style::Hills, Motif::Star)
        .label(NORDLICHT_ROSTEREI, "250 g · whole bean")
        .text(
            "Roasted in the north for long dark mornings: a bright, tea-like filter blend \
             with elderflower and red apple. Brew a whole pot. It stays sweet as it cools.",
        ),
    SHELF
        .product("COF-MID-250", "Midsummer Filter", "12.80", 15)
        .look(Form::Pouch, Palette::Lemon, Style::Pattern, Motif::Flower)
        .label(NORDLICHT_ROSTEREI, "250 g · whole bean")
        .text(
            "A seasonal blend that appears in June and is gone by August. Lemon curd, \
             honeysuckle and cane sugar; outstanding over ice.",
        ),
    SHELF
        .product("COF-GRD-250", "Breakfast Grind", "8.90", 140)
        .look(Form::Pouch, Palette::Cream, Style::Classic, Motif::Sun)
        .label(NORDLICHT_ROSTEREI, "250 g · ground for filter")
        .text(
            "Ground for the drip machine and nitrogen-packed, because not every kitchen has a \
             grinder. Soft, nutty and reliable, with or without milk.",
        ),
    SHELF
        .product("COF-MOK-250", "Moka Pot Grind", "9.40", 66)
        .look(Form::Tin, Palette::Espresso, Style::Band, Motif::Flame)
        .label(NORDLICHT_ROSTEREI, "250 g · fine ground")
        .text(
            "Ground between espresso and filter, exactly what the little octagonal pot wants. \
             Dark chocolate and roasted chestnut; take it off the flame when it starts to \
             gurgle.",
        ),
    SHELF
        .product("COF-INS-100", "Camp Fire Instant", "9.80", 77)
        .look(Form::Tin, Palette::Terracotta, Style::Hills, Motif::Flame)
        .label(NORDLICHT_ROSTEREI, "100 g · freeze-dried")
        .text(
            "Proper arabica, brewed strong and freeze-dried, for tents, trains and offices \
             without hope. Two teaspoons, hot water, a surprising amount of dignity.",
        ),
    SHELF
        .product("COF-CBR-250", "Cold Brew Black", "3.60", 180)
        .look(Form::SlimCan, Palette::Midnight, Style::Classic, Motif::Drop)
        .label(POORT_COFFEE, "250 ml · unsweetened")
        .served("#2a1710", Form::Tumbler)
        .text(
            "Steeped for eighteen hours in cold water, then filtered twice. Cocoa, dark \
             cherry and no bitterness at all. Pour it over one big ice cube.",
        ),
    SHELF
        .product("COF-CBO-250", "Cold Brew with Oats", "3.90", 4)
        .look(Form::SlimCan, Palette::Cream, Style::Pattern, Motif::Barley)
        .label(POORT_COFFEE, "250 ml · vegan")
        .served("#b08a63", Form::Tumbler)
        .text(
            "Cold brew rounded off with oat drink and a pinch of sea salt. Tastes like the \
             milk left behind by a very grown-up breakfast cereal.",
        ),
    SHELF
        .product("COF-CAS-150", "Cascara", "8.50", 12)
        .look(Form::Jar, Palette::Berry, Style::Classic, Motif::Cherry)
        .label(KESSEL_KORN, "150 g · dried coffee cherry")
        .served("#8a2f22", Form::Mug)
        .text(
            "Not the bean but the fruit around it, dried like a raisin. Brewed like tea it \
             gives rosehip, tamarind and honey, with a gentle lift of caffeine.",
        ),
];
