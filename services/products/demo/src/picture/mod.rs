//! Pictures of products, drawn as SVG: one light from the left, one table, one viewpoint.

mod bottle;
mod canvas;
mod cylinder;
mod glassware;
mod hamper;
mod label;
mod lathe;
mod motif;
mod pack;
mod text;

use bottle::Bottle;
use canvas::{Canvas, Run, factor};
use cylinder::Cylinder;
use glassware::{Fill, Vessel, mug};
use label::Print;

use crate::View;
use crate::look::{Form, Look};

/// The picture of a product called `name`: the same bytes for the same product and view.
pub(crate) fn draw(name: &str, look: &Look, view: View) -> String {
    let mut canvas = Canvas::default();
    let sheet = Print { name, look, colours: look.palette.colours() };
    backdrop(&mut canvas, look);
    match view {
        View::Front if look.pieces > 1 => set(&mut canvas, sheet),
        View::Front => {
            let small = matches!(
                look.form,
                Form::SodaBottle | Form::Longneck | Form::SwingTop | Form::Can | Form::SlimCan | Form::Tin
            );
            place(&mut canvas, (0, 0), if small { 114 } else { 106 });
            product(&mut canvas, sheet, Fill::Empty);
            canvas.close();
        }
        View::Detail => {
            let (x, y) = focus(look.form);
            canvas.open(&format!("translate(400,400) scale(1.9) translate(-{x},-{y})"));
            product(&mut canvas, sheet, Fill::Poured);
            canvas.close();
        }
        View::Served => {
            // A wide pack leaves less room beside it.
            let (share, aside) = if width(look.form) > 130 { (82, 66) } else { (98, 80) };
            place(&mut canvas, (-118, 0), share);
            product(&mut canvas, sheet, Fill::Poured);
            canvas.close();
            place(&mut canvas, (180, 8), aside);
            glass(&mut canvas, look);
            canvas.close();
        }
    }
    canvas.finish(&text::escape(name))
}

/// Moves what follows by (x, y), scaled to `percent` about its foot.
fn place(canvas: &mut Canvas, (x, y): (i32, i32), percent: i32) {
    canvas.open(&format!("translate({},{}) scale({}) translate(-400,-690)", 400 + x, 706 + y, factor(percent)));
}

/// All pieces of a set: half of them in a second row behind the gaps of the first.
fn set(canvas: &mut Canvas, sheet: Print<'_>) {
    let front = (sheet.look.pieces + 1) / 2;
    let gap = 540 / front;
    let mut drawn: Option<String> = None;
    for (count, y, shift) in [(sheet.look.pieces - front, -66, gap / 4), (front, 16, -gap / 4)] {
        for index in 0..count {
            place(canvas, (gap * (2 * index + 1 - count) / 2 + shift, y), 72);
            if let Some(id) = &drawn {
                canvas.again(id);
            } else {
                drawn = Some(canvas.open_named());
                product(canvas, sheet, Fill::Empty);
                canvas.close();
            }
            canvas.close();
        }
    }
}

fn is_glassware(form: Form) -> bool {
    form == Form::Mug || Vessel::of(form).is_some()
}

/// A wall in the palette's tint, a pool of light, a table.
fn backdrop(canvas: &mut Canvas, look: &Look) {
    let wall = look.palette.colours().wall;
    let (glow, dusk) = if is_glassware(look.form) { (38, 26) } else { (78, 7) };
    let light = canvas.gradient(Run::Outwards, &[(0, "#fff", glow), (60, "#fff", glow / 3), (100, "#fff", 0)]);
    let shade = canvas.gradient(Run::Down, &[(0, "#22303a", dusk), (100, "#22303a", dusk + 5)]);
    let table = canvas.gradient(Run::Down, &[(0, "#fff", 34), (100, "#fff", 6)]);
    canvas.put(&format!(
        r#"<path d="M0,0H800V800H0Z" fill="{wall}"/><path d="M0,0H800V800H0Z" fill="{shade}"/><circle cx="360" cy="350" r="430" fill="{light}"/><path d="M0,612H800V800H0Z" fill="{table}"/>"#
    ));
}

fn focus(form: Form) -> (i32, i32) {
    if let Some(bottle) = Bottle::of(form) {
        bottle.focus()
    } else if let Some(cylinder) = Cylinder::of(form) {
        cylinder.focus()
    } else if let Some(label) = pack::label(form) {
        (label.middle(), label.at(50))
    } else if let Some(vessel) = Vessel::of(form) {
        vessel.focus()
    } else {
        (400, 480)
    }
}

/// Half the width a product takes on the table.
fn width(form: Form) -> i32 {
    if let Some(bottle) = Bottle::of(form) {
        bottle.width()
    } else if let Some(cylinder) = Cylinder::of(form) {
        cylinder.width()
    } else if let Some(vessel) = Vessel::of(form) {
        vessel.width()
    } else {
        match form {
            Form::Mug => 120,
            Form::Hamper | Form::GiftBox => 250,
            _ => 170,
        }
    }
}

/// The product itself on its shadow.
fn product(canvas: &mut Canvas, sheet: Print<'_>, fill: Fill) {
    let look = sheet.look;
    shadow(canvas, width(look.form));
    if let Some(bottle) = Bottle::of(look.form) {
        bottle.draw(canvas, sheet);
    } else if let Some(cylinder) = Cylinder::of(look.form) {
        cylinder.draw(canvas, sheet);
    } else if pack::label(look.form).is_some() {
        pack::draw(canvas, sheet);
    } else if let Some(vessel) = Vessel::of(look.form) {
        vessel.draw(canvas, look.drink, fill);
    } else if look.form == Form::Mug {
        mug(canvas, look, fill);
    } else {
        hamper::draw(canvas, sheet);
    }
}

/// The glass a product is served in; a mug is white beside coffee and tea.
fn glass(canvas: &mut Canvas, look: &Look) {
    shadow(canvas, width(look.served));
    match Vessel::of(look.served) {
        Some(vessel) => vessel.draw(canvas, look.drink, Fill::Poured),
        None => mug(canvas, look, Fill::Poured),
    }
}

fn shadow(canvas: &mut Canvas, half: i32) {
    canvas.shadow((412, 688), (half + half / 2 + 30, half / 6 + 22));
}
