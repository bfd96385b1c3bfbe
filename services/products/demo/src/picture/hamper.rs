//! Hampers and gift boxes.

use super::canvas::{Area, Canvas, Run};
use super::label::Print;
use super::lathe::{
    AXIS, Profile,
    Step::{C, L},
};
use super::text::{Face, Room, capitals, set};
use crate::look::{Colours, Form};

/// Where the tag hangs.
pub(super) const TAG: Area = Area { x: 286, y: 502, w: 228, h: 128 };

const WINE: Profile =
    Profile { top: (27, 110), steps: &[L(24, 134), L(25, 230), C(30, 280, 72, 286, 72, 360), L(72, 500)], sag: 0 };

const BEER: Profile =
    Profile { top: (26, 176), steps: &[L(24, 194), L(27, 264), C(30, 310, 60, 310, 60, 366), L(60, 500)], sag: 0 };

const JUICE: Profile =
    Profile { top: (38, 196), steps: &[L(36, 238), C(36, 284, 76, 286, 76, 346), L(76, 500)], sag: 0 };

const SPIRIT: Profile =
    Profile { top: (32, 200), steps: &[L(28, 240), L(28, 272), C(30, 300, 86, 300, 86, 344), L(86, 500)], sag: 0 };

const BAG_TOP: i32 = 216;

const BAG: Profile = Profile { top: (78, 216), steps: &[L(78, 262), C(82, 300, 88, 380, 88, 500)], sag: 0 };

const JAR: Profile = Profile { top: (60, 330), steps: &[L(60, 372), C(60, 380, 70, 382, 70, 398), L(70, 500)], sag: 0 };

/// What looks out of the basket: form, place on the axis, fill, closure and where that ends.
type Item<'a> = (&'static Profile, i32, &'a str, &'a str, i32);

/// Packed for the glass it will be served in.
fn items<'a>(served: Form, dark: &'a str, drink: &'a str, c: &'a Colours) -> [Item<'a>; 5] {
    let gold = "#c79a45";
    match served {
        Form::Mug => [
            (&BAG, -96, c.body, gold, 258),
            (&BAG, 92, c.accent, c.body, 258),
            (&JAR, -166, c.accent, gold, 372),
            (&JAR, 168, c.body, gold, 372),
            (&JAR, 4, drink, gold, 372),
        ],
        Form::Pint | Form::Weizen => [
            (&BEER, -134, dark, gold, 196),
            (&BEER, 134, dark, gold, 196),
            (&BEER, 0, dark, c.accent, 196),
            (&JAR, -166, c.accent, gold, 372),
            (&JAR, 168, c.body, gold, 372),
        ],
        Form::Highball => [
            (&JUICE, -90, drink, c.body, 240),
            (&JUICE, 90, "#c8404a", c.accent, 240),
            (&JUICE, 0, "#e6b53c", gold, 240),
            (&JAR, -166, c.accent, gold, 372),
            (&JAR, 168, c.body, gold, 372),
        ],
        Form::Tumbler => [
            (&SPIRIT, -78, drink, "#a9784a", 232),
            (&SPIRIT, 112, "#dfeaec", "#a9784a", 232),
            (&BEER, 18, "#e3ecdf", gold, 196),
            (&JAR, -166, c.accent, gold, 372),
            (&JAR, 168, c.body, gold, 372),
        ],
        _ => [
            (&WINE, -104, dark, gold, 204),
            (&WINE, 96, drink, c.accent, 204),
            (&WINE, -4, dark, c.body, 204),
            (&JAR, -166, c.accent, gold, 372),
            (&JAR, 168, c.body, gold, 372),
        ],
    }
}

pub(super) fn draw(canvas: &mut Canvas, sheet: Print<'_>) {
    let c = sheet.colours;
    contents(canvas, sheet);
    if sheet.look.form == Form::Hamper {
        basket(canvas);
    } else {
        gift_box(canvas, c.body);
    }
    let silk = if sheet.look.form == Form::Hamper { c.accent } else { "#e9d7a8" };
    ribbon(canvas, silk);
    let shadow = Area { x: TAG.x + 4, y: TAG.y + 6, ..TAG };
    canvas.put(&shadow.rect(r#"rx="8" opacity=".25""#));
    canvas.put(&TAG.rect(&format!(r#"rx="8" fill="{}""#, c.paper)));
    let frame = Area { x: TAG.x + 7, y: TAG.y + 7, w: TAG.w - 14, h: TAG.h - 14 };
    canvas.put(&frame.rect(&format!(r#"rx="4" fill="none" stroke="{}" stroke-width="2""#, c.accent)));
    let room = |percent: i32, h: i32, size: i32| Room { x: AXIS, y: TAG.at(percent), w: TAG.w - 40, h, size };
    canvas.put(&capitals(sheet.look.brand, room(20, 16, 14), c.ink));
    canvas.put(&set(sheet.name, room(51, 62, 32), Face::Serif, c.ink));
    canvas.put(&set(sheet.look.note, room(83, 16, 14), Face::Sans, c.ink));
}

/// Bottles and jars that look out of the basket, in colours of the palette.
fn contents(canvas: &mut Canvas, sheet: Print<'_>) {
    let c = sheet.colours;
    let (edge, middle) = sheet.look.glass.colours();
    let dark = canvas.gradient(Run::Across, &[(0, edge, 100), (35, middle, 100), (100, edge, 100)]);
    for (form, x, fill, lid, lid_foot) in items(sheet.look.served, &dark, sheet.look.drink, &c) {
        canvas.open(&format!("translate({x},0)"));
        let outline = form.outline();
        canvas.path(&outline, fill);
        canvas.clip(&outline);
        canvas.put(&format!(r#"<path d="M0,0H800V{lid_foot}H0Z" fill="{lid}"/>{}"#, sticker(form.top.1, &c)));
        canvas.tone(form, (-80, -58), "#fff", 30);
        canvas.tone(form, (45, 100), "#000", 12);
        canvas.tone(form, (75, 100), "#000", 16);
        canvas.close();
        canvas.close();
    }
    let mut straw = String::from("M152,464");
    for index in 0..31 {
        straw +=
            &format!("q{},{} 16,{}", 1 + index % 3 * 9, -44 + index * 17 % 29, if index % 2 == 0 { 4 } else { -4 });
    }
    canvas.put(&format!(r##"<path d="{straw}V500H152Z" fill="#ecd296" stroke="#b98f43" stroke-width="2"/>"##));
}

/// The visible part of a label; what starts low in the basket (a jar) has none.
fn sticker(top: i32, c: &Colours) -> String {
    let (paper, accent) = (c.paper, c.accent);
    match top {
        BAG_TOP => format!(
            r#"<circle cx="400" cy="314" r="38" fill="{paper}"/><circle cx="400" cy="314" r="31" fill="none" stroke="{accent}" stroke-width="3"/><circle cx="400" cy="314" r="13" fill="{accent}"/>"#
        ),
        0..300 => format!(r#"<path d="M0,374H800V500H0Z" fill="{paper}"/><path d="M0,382h800v5H0Z" fill="{accent}"/>"#),
        _ => String::new(),
    }
}

fn basket(canvas: &mut Canvas) {
    let weave = canvas.pattern(
        (48, 36),
        r##"<path d="M0,0h48v36H0Z" fill="#8a5a2b"/><g fill="#c08a4c"><rect x="1" y="2" width="30" height="14" rx="7"/><rect x="33" y="2" width="30" height="14" rx="7" fill="#a9743a"/><rect x="-15" y="2" width="14" height="14" rx="7"/><rect x="-23" y="20" width="30" height="14" rx="7" fill="#a9743a"/><rect x="9" y="20" width="30" height="14" rx="7"/><rect x="41" y="20" width="30" height="14" rx="7" fill="#a9743a"/></g>"##,
    );
    let body = "M146,474H654L616,672Q400,704 184,672Z";
    canvas.path(body, &weave);
    let light = canvas.gradient(Run::Across, &[(0, "#000", 30), (18, "#fff", 16), (55, "#000", 0), (100, "#000", 42)]);
    canvas.path(body, &light);
    canvas.put(r##"<g fill="none" stroke-linecap="round"><path d="M138,474H662" stroke="#7a4d22" stroke-width="30"/><path d="M138,470H662" stroke="#c9965a" stroke-width="20"/><path d="M146,470H656" stroke="#8f5f2f" stroke-width="20" stroke-dasharray="3 17" stroke-linecap="butt"/><path d="M142,464H640" stroke="#fff" stroke-opacity=".3" stroke-width="4"/></g>"##);
}

fn gift_box(canvas: &mut Canvas, colour: &str) {
    let light = canvas.gradient(Run::Across, &[(0, "#fff", 18), (30, "#fff", 4), (100, "#000", 26)]);
    canvas.put(&format!(
        r##"<path d="M160,470H640V684H160Z" fill="{colour}"/><path d="M160,470H640V684H160Z" fill="{light}"/><path d="M144,452H656V500H144Z" fill="{colour}"/><path d="M144,452H656V500H144Z" fill="{light}"/><path d="M160,500H640V510H160Z" opacity=".22"/><path d="M144,452H656V458H144Z" fill="#fff" opacity=".3"/>"##
    ));
}

fn ribbon(canvas: &mut Canvas, colour: &str) {
    canvas.put(&format!(
        r##"<g fill="{colour}"><path d="M400,468C350,410 276,412 282,452C286,486 350,486 400,468Z"/><path d="M400,468C450,410 524,412 518,452C514,486 450,486 400,468Z"/><path d="M396,468L330,530L352,530L362,548L408,470ZM404,468L470,530L448,530L438,548L392,470Z"/></g><g opacity=".2"><path d="M392,464C356,436 312,434 306,452C318,470 356,474 392,464Z"/><path d="M408,464C444,436 488,434 494,452C482,470 444,474 408,464Z"/></g><rect x="380" y="446" width="40" height="40" rx="12" fill="{colour}"/><rect x="380" y="446" width="40" height="40" rx="12" fill="#fff" opacity=".18"/>"##
    ));
}
