//! Wine: growers who do little in the cellar because they did much in the vineyard.

use super::Shelf;
use crate::DemoProduct;
use crate::look::{Form, Glass, Motif, Palette, Style};

const SHELF: Shelf = Shelf { category: "Wine", glass: Glass::Green, drink: "#6b1226", served: Form::WineGlass };
const BODEGA_ALTOZANO: &str = "Bodega Altozano";
const CASA_MERLINO: &str = "Casa Merlino";
const CHATEAU_BELRIVE: &str = "Château Belrive";
const DOMAINE_AUBEPIN: &str = "Domaine Aubépin";
const HOLLERHOF: &str = "Hollerhof";
const QUINTA_DA_SERRA: &str = "Quinta da Serra";
const WEINGUT_LINDAUER: &str = "Weingut Lindauer";

pub(super) const PRODUCTS: &[DemoProduct] = &[
    SHELF
        .product("WIN-BEL-750", "Belrive Rouge", "14.90", 84)
        .look(Form::Bordeaux, Palette::Bordeaux, Style::Classic, Motif::Crown)
        .label(CHATEAU_BELRIVE, "Bordeaux Supérieur · 2022")
        .text(
            "Merlot with a third of Cabernet, from gravel on the right bank. Plum, cedar and \
             fine, dusty tannin. Open it half an hour before the steak.",
        ),
    SHELF
        .product("WIN-BEG-750", "Belrive Grande Réserve", "34.00", 18)
        .look(Form::Bordeaux, Palette::Gold, Style::Classic, Motif::Crown)
        .label(CHATEAU_BELRIVE, "Saint-Émilion · 2019")
        .glass(Glass::Black)
        .text(
            "From the oldest parcel, fermented in small vats and raised for eighteen months \
             in oak. Black cherry, graphite, a finish that outlasts the conversation. Drink \
             now with a carafe, or in 2035 without.",
        ),
    SHELF
        .product("WIN-BLA-750", "Belrive Blanc", "13.50", 46)
        .look(Form::Bordeaux, Palette::Lemon, Style::Classic, Motif::Crown)
        .label(CHATEAU_BELRIVE, "Entre-Deux-Mers · 2024")
        .glass(Glass::Clear)
        .served("#ecdf9a", Form::WineGlass)
        .text(
            "Sauvignon with a spoonful of Sémillon: grapefruit, fresh hay, wet stone. Oysters \
             would be glad of it, and so would a plate of asparagus.",
        ),
    SHELF
        .product("WIN-AUB-750", "Aubépin Bourgogne Rouge", "24.50", 27)
        .look(Form::Burgundy, Palette::Berry, Style::Classic, Motif::Flower)
        .label(DOMAINE_AUBEPIN, "Pinot Noir · 2022")
        .text(
            "Sour cherry, rose hip and forest floor from a village just too far from the \
             famous ones. Light in colour, long in the mouth. Serve at cellar temperature.",
        ),
    SHELF
        .product("WIN-AUC-750", "Aubépin Chardonnay", "22.00", 33)
        .look(Form::Burgundy, Palette::Gold, Style::Medallion, Motif::Flower)
        .label(DOMAINE_AUBEPIN, "Mâcon-Villages · 2023")
        .glass(Glass::Olive)
        .served("#e8cf78", Form::WineGlass)
        .text(
            "Barrel-fermented without tasting of wood: yellow apple, hazelnut, lemon butter. \
             Roast chicken is its natural partner.",
        ),
    SHELF
        .product("WIN-AUG-750", "Aubépin Gamay", "15.80", 52)
        .look(Form::Burgundy, Palette::Plum, Style::Pattern, Motif::Grape)
        .label(DOMAINE_AUBEPIN, "Beaujolais · 2024")
        .text(
            "Whole bunches, wild yeast and three weeks of patience. Crunchy raspberry and \
             violet; put it in the fridge for twenty minutes and in front of friends.",
        ),
    SHELF
        .product("WIN-AUR-750", "Aubépin Crémant", "17.90", 60)
        .look(Form::Sparkling, Palette::Cream, Style::Classic, Motif::Star)
        .label(DOMAINE_AUBEPIN, "Brut · traditional method")
        .served("#f0dc9c", Form::FluteGlass)
        .text(
            "Eighteen months on the lees, bubbles finer than the price suggests. Brioche, \
             green apple and a chalky snap. The bottle we open when someone has news.",
        ),
    SHELF
        .product("WIN-AUS-750", "Aubépin Crémant Rosé", "18.90", 21)
        .look(Form::Sparkling, Palette::Rose, Style::Medallion, Motif::Flower)
        .label(DOMAINE_AUBEPIN, "Brut rosé · traditional method")
        .glass(Glass::Clear)
        .served("#f3b7a6", Form::FluteGlass)
        .text(
            "Pure Pinot Noir, pressed after a few hours for a shade of salmon. Wild \
             strawberries and cream, dry to the last drop.",
        ),
    SHELF
        .product("WIN-LRI-750", "Lindauer Riesling Trocken", "11.90", 110)
        .look(Form::Flute, Palette::Forest, Style::Classic, Motif::Leaf)
        .label(WEINGUT_LINDAUER, "Mosel · dry · 2024")
        .served("#e9e09a", Form::WineGlass)
        .text(
            "Blue slate, steep as a ladder, tended by hand because nothing else can stand \
             there. Lime, white peach, a salty edge, and only eleven per cent.",
        ),
    SHELF
        .product("WIN-LKA-750", "Lindauer Riesling Kabinett", "12.90", 48)
        .look(Form::Flute, Palette::Lemon, Style::Hills, Motif::Sun)
        .label(WEINGUT_LINDAUER, "Mosel · off-dry · 2023")
        .served("#ece19a", Form::WineGlass)
        .text(
            "Nine per cent alcohol and a tightrope between sweet and sharp. Apricot, slate \
             and lemon sherbet. Magnificent with anything from Sichuan.",
        ),
    SHELF
        .product("WIN-LGE-750", "Lindauer Gewürztraminer", "14.50", 9)
        .look(Form::Flute, Palette::Rose, Style::Medallion, Motif::Flower)
        .label(WEINGUT_LINDAUER, "Pfalz · 2023")
        .served("#efd58a", Form::WineGlass)
        .text(
            "Roses, lychee and ginger leap out before the glass is half full. A wine for \
             Munster cheese, for curry, and for people who say they don't like subtle.",
        ),
    SHELF
        .product("WIN-LSP-750", "Lindauer Spätburgunder", "19.80", 26)
        .look(Form::Burgundy, Palette::Coral, Style::Hills, Motif::Grape)
        .label(WEINGUT_LINDAUER, "Baden · 2021")
        .text(
            "Pinot Noir from volcanic loess, aged in used barrels. Morello cherry, clove, \
             warm earth; the tannins are silk rather than wool.",
        ),
    SHELF
        .product("WIN-LSI-750", "Lindauer Silvaner", "9.80", 73)
        .look(Form::Flute, Palette::Olive, Style::Band, Motif::Sprig)
        .label(WEINGUT_LINDAUER, "Franken · dry · 2024")
        .glass(Glass::Olive)
        .served("#e6dfa2", Form::WineGlass)
        .text(
            "Pear, meadow herbs and a firm handshake of minerals. An honest weekday white, \
             and in May the only correct answer to asparagus.",
        ),
    SHELF
        .product("WIN-HGV-750", "Hollerhof Grüner Veltliner", "10.90", 94)
        .look(Form::Flute, Palette::Sage, Style::Band, Motif::Sprig)
        .label(HOLLERHOF, "Kamptal · 2024")
        .served("#e4dc98", Form::WineGlass)
        .text(
            "White pepper, green apple and a little radish bite, just as it should be. The \
             cork is a screw cap, so the picnic is safe. Cold schnitzel, potato salad, done.",
        ),
    SHELF
        .product("WIN-HZW-750", "Hollerhof Zweigelt", "11.50", 58)
        .look(Form::Bordeaux, Palette::Plum, Style::Pattern, Motif::Cherry)
        .label(HOLLERHOF, "Burgenland · 2023")
        .text(
            "Juicy black cherry with a dusting of cocoa, soft enough to drink on its own. Our \
             best-selling red for pizza night.",
        ),
    SHELF
        .product("WIN-HBA-375", "Hollerhof Beerenauslese", "21.00", 7)
        .look(Form::Flute, Palette::Amber, Style::Classic, Motif::Sun)
        .label(HOLLERHOF, "Neusiedl · 375 ml · sweet")
        .glass(Glass::Clear)
        .served("#d99a2b", Form::WineGlass)
        .text(
            "Autumn mist off the lake and noble rot do the work. Apricot marmalade, saffron \
             and orange peel, held upright by fresh acidity. A half bottle serves six, \
             slowly.",
        ),
    SHELF
        .product("WIN-MCH-750", "Merlino Chianti Classico", "16.40", 67)
        .look(Form::Bordeaux, Palette::Terracotta, Style::Classic, Motif::Bird)
        .label(CASA_MERLINO, "Toscana · 2022")
        .text(
            "Sangiovese grown among olive trees at four hundred metres. Sour cherry, dried \
             oregano, a grip that wants tomato and fat. Unfiltered, so stand it up the day \
             before.",
        ),
    SHELF
        .product("WIN-MBA-750", "Merlino Barolo", "42.00", 11)
        .look(Form::Burgundy, Palette::Charcoal, Style::Classic, Motif::Grape)
        .label(CASA_MERLINO, "Piemonte · 2019")
        .glass(Glass::Black)
        .text(
            "Tar and roses, as the books promise, plus cranberry and a spine of tannin. Three \
             years in big old casks. Decant it, braise something, take the evening off.",
        ),
    SHELF
        .product("WIN-MPR-750", "Merlino Prosecco", "10.90", 150)
        .look(Form::Sparkling, Palette::Sage, Style::Band, Motif::Star)
        .label(CASA_MERLINO, "Extra dry · Treviso")
        .served("#f0e7b4", Form::FluteGlass)
        .text(
            "Pear, acacia blossom and cheerful foam. For toasts, for spritzes, for no reason \
             at all.",
        ),
    SHELF
        .product("WIN-MSO-750", "Merlino Soave", "10.20", 0)
        .look(Form::Bordeaux, Palette::Mint, Style::Hills, Motif::Sun)
        .label(CASA_MERLINO, "Classico · 2024")
        .glass(Glass::Olive)
        .served("#e8de9c", Form::WineGlass)
        .text(
            "Garganega from black basalt, all almond, chamomile and yellow plum. Drink it \
             with risotto and wonder why nobody talks about Soave any more.",
        ),
    SHELF
        .product("WIN-QTI-750", "Serra Tinto", "9.90", 88)
        .look(Form::Bordeaux, Palette::Espresso, Style::Hills, Motif::Mountain)
        .label(QUINTA_DA_SERRA, "Alentejo · 2022")
        .text(
            "Aragonez and Trincadeira from hot, quiet country. Blackberry, liquorice, \
             sun-warmed stone; generous and unfussy with grilled meat.",
        ),
    SHELF
        .product("WIN-QVV-750", "Serra Vinho Verde", "8.50", 102)
        .look(Form::Flute, Palette::Teal, Style::Pattern, Motif::Wave)
        .label(QUINTA_DA_SERRA, "Minho · 2024")
        .glass(Glass::Clear)
        .served("#e6e7b0", Form::WineGlass)
        .text(
            "Barely ten per cent, a prickle of bubbles, lime and green melon. Tastes like the \
             first day of a holiday by the Atlantic.",
        ),
    SHELF
        .product("WIN-QPO-750", "Serra Tawny, 10 Years", "23.50", 19)
        .look(Form::Bordeaux, Palette::Amber, Style::Medallion, Motif::Moon)
        .label(QUINTA_DA_SERRA, "Port · 20 % vol.")
        .glass(Glass::Amber)
        .served("#8a3b18", Form::Tumbler)
        .text(
            "A decade in old pipes has turned it the colour of a violin. Walnut, fig and \
             burnt orange; serve it cool with blue cheese or crème brûlée.",
        ),
    SHELF
        .product("WIN-BRI-750", "Altozano Crianza", "13.20", 76)
        .look(Form::Bordeaux, Palette::Coral, Style::Band, Motif::Mountain)
        .label(BODEGA_ALTOZANO, "Rioja · 2021")
        .text(
            "Tempranillo with fourteen months in American oak: strawberry, vanilla pod, a \
             little leather. Familiar in the best sense, and superb with lamb chops.",
        ),
    SHELF
        .product("WIN-BGA-750", "Altozano Garnacha Rosado", "9.40", 63)
        .look(Form::Bordeaux, Palette::Rose, Style::Hills, Motif::Sun)
        .label(BODEGA_ALTOZANO, "Navarra · 2024")
        .glass(Glass::Clear)
        .served("#f2a493", Form::WineGlass)
        .text(
            "Pink as a shrimp, dry as the plain it comes from. Watermelon, strawberry, a \
             squeeze of orange. Keep two bottles cold from May to September.",
        ),
    SHELF
        .product("WIN-BAL-750", "Altozano Albariño", "14.30", 3)
        .look(Form::Bordeaux, Palette::Sky, Style::Pattern, Motif::Wave)
        .label(BODEGA_ALTOZANO, "Rías Baixas · 2024")
        .glass(Glass::Olive)
        .served("#e9e4a8", Form::WineGlass)
        .text(
            "Vines trained on granite pergolas within sight of the sea. Peach, lemon thyme \
             and sea spray. Grilled prawns complete the sentence.",
        ),
];
