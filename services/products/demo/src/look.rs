//! What a picture of a product is made from: the form of the package, its colours, its label.

/// The silhouette of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    Bordeaux,
    Burgundy,
    Flute,
    Sparkling,
    Longneck,
    SwingTop,
    SodaBottle,
    JuiceBottle,
    SpiritBottle,
    Can,
    SlimCan,
    Tin,
    Jar,
    Pouch,
    Carton,
    TeaBox,
    Mug,
    Tumbler,
    Highball,
    Pint,
    Weizen,
    WineGlass,
    BalloonGlass,
    FluteGlass,
    Coupe,
    Carafe,
    Hamper,
    GiftBox,
}

/// How a label is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// A thin frame, emblem in the middle, serif title.
    Classic,
    /// A coloured field with the emblem above, the title below.
    Band,
    /// Rolling hills under a low sun.
    Hills,
    /// A printed pattern of the emblem above a plain title panel.
    Pattern,
    /// A round seal with the emblem.
    Medallion,
}

/// The emblem on a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Motif {
    Apple,
    Barley,
    Bean,
    Berry,
    Bird,
    Cherry,
    Citrus,
    Crown,
    Drop,
    Flame,
    Flower,
    Grape,
    Hop,
    Leaf,
    Moon,
    Mountain,
    Sprig,
    Star,
    Sun,
    Wave,
}

/// The colour of a bottle's glass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Glass {
    Clear,
    Green,
    Olive,
    Amber,
    Cobalt,
    Black,
}

impl Glass {
    /// Edge and middle of the glass, seen against the light.
    pub(crate) fn colours(self) -> (&'static str, &'static str) {
        match self {
            Glass::Clear => ("#c3d0cf", "#eef4f2"),
            Glass::Green => ("#12331f", "#2f6b42"),
            Glass::Olive => ("#3a3d17", "#77772f"),
            Glass::Amber => ("#4a2209", "#93521c"),
            Glass::Cobalt => ("#0d2257", "#2a55ae"),
            Glass::Black => ("#0d1210", "#2b332e"),
        }
    }
}

/// A set of colours that go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Palette {
    Amber,
    Berry,
    Bordeaux,
    Charcoal,
    Coral,
    Cream,
    Espresso,
    Forest,
    Gold,
    Indigo,
    Lemon,
    Midnight,
    Mint,
    Olive,
    Plum,
    Rose,
    Sage,
    Sky,
    Slate,
    Tangerine,
    Teal,
    Terracotta,
}

/// The colours of a [`Palette`]; `ink` and `accent` are legible on `paper`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Colours {
    /// The backdrop.
    pub(crate) wall: &'static str,
    /// Cardboard, tin and caps.
    pub(crate) body: &'static str,
    /// The label's ground.
    pub(crate) paper: &'static str,
    /// The label's text.
    pub(crate) ink: &'static str,
    /// Emblem and lines.
    pub(crate) accent: &'static str,
}

impl Colours {
    /// The bright one of paper and ink, for prints on the body. Hexadecimal colours sort by their red.
    pub(crate) fn pale(&self) -> &'static str {
        self.paper.max(self.ink)
    }
}

impl Palette {
    pub(crate) fn colours(self) -> Colours {
        let [wall, body, paper, ink, accent] = match self {
            Palette::Amber => ["#f3e3c6", "#b9741d", "#fdf6e6", "#4a2a0a", "#b9651b"],
            Palette::Berry => ["#f0dce4", "#8e1f4f", "#fdf3f6", "#4b0d2a", "#a62a5f"],
            Palette::Bordeaux => ["#ecdcd8", "#6a1526", "#fbf5ec", "#3d0c17", "#8c2237"],
            Palette::Charcoal => ["#e2e1de", "#2b2c2f", "#26272a", "#f3eee2", "#d8b36a"],
            Palette::Coral => ["#f8ddd3", "#d95b43", "#fff5ef", "#5c1d12", "#cf4c34"],
            Palette::Cream => ["#efe8da", "#d9c7a3", "#fffaf0", "#3b3226", "#8f6f3c"],
            Palette::Espresso => ["#eadfd3", "#3f281b", "#f7ecdc", "#33200f", "#96592b"],
            Palette::Forest => ["#dde6da", "#234a33", "#f6f5e9", "#16301f", "#2f6b47"],
            Palette::Gold => ["#f3ead0", "#c19a3f", "#1f2a26", "#f6e7bd", "#d9b45a"],
            Palette::Indigo => ["#dedff0", "#343a86", "#f5f4fc", "#1c1f52", "#4a51b5"],
            Palette::Lemon => ["#f8f0c8", "#e8c22f", "#fffbe3", "#4a4306", "#a8860c"],
            Palette::Midnight => ["#d9dfe8", "#18233f", "#1b2747", "#f4ead2", "#dcae58"],
            Palette::Mint => ["#d9efe4", "#56a888", "#f3fbf5", "#133f31", "#26805f"],
            Palette::Olive => ["#e9e8d0", "#6b6d2c", "#fbfaec", "#34350f", "#777a2b"],
            Palette::Plum => ["#e6dbe9", "#542a61", "#f9f2fa", "#331640", "#74398a"],
            Palette::Rose => ["#f8e0e2", "#d98794", "#fff6f5", "#5e2230", "#c2566a"],
            Palette::Sage => ["#e1e8dc", "#8aa17d", "#f8f9f1", "#2f3d28", "#5b7a4c"],
            Palette::Sky => ["#d8e8f1", "#3f87b5", "#f3fafd", "#123a54", "#2b76a6"],
            Palette::Slate => ["#d3dadd", "#51626b", "#f4f7f7", "#24313a", "#557280"],
            Palette::Tangerine => ["#fbe3c8", "#ea7d1e", "#fff6e8", "#552505", "#d0620c"],
            Palette::Teal => ["#d3e8e7", "#136f70", "#f1faf8", "#073c3d", "#14797a"],
            Palette::Terracotta => ["#f2dfd2", "#b3532e", "#fcf3ea", "#4f1f0d", "#b04c26"],
        };
        Colours { wall, body, paper, ink, accent }
    }
}

/// Everything that decides how a product's pictures look, apart from its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) form: Form,
    pub(crate) palette: Palette,
    pub(crate) glass: Glass,
    pub(crate) style: Style,
    pub(crate) motif: Motif,
    /// The colour of what is poured, `#rrggbb`.
    pub(crate) drink: &'static str,
    /// The glass it is served in.
    pub(crate) served: Form,
    /// How many pieces of glassware are in the pack.
    pub(crate) pieces: i32,
    pub(crate) brand: &'static str,
    /// The line at the foot of the label: size, origin, strength.
    pub(crate) note: &'static str,
}
