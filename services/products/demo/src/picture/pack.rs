//! Packs of paper and board: coffee bags, cartons, tea boxes.

use super::bottle::cap;
use super::canvas::{Area, Canvas, Run};
use super::label::{Print, print};
use crate::look::Form;

/// Where a pack's label is, if the form is a pack.
pub(super) fn label(form: Form) -> Option<Area> {
    Some(match form {
        Form::Pouch => Area { x: 268, y: 292, w: 264, h: 330 },
        Form::Carton => Area { x: 262, y: 326, w: 214, h: 352 },
        Form::TeaBox => Area { x: 222, y: 328, w: 270, h: 346 },
        _ => return None,
    })
}

pub(super) fn draw(canvas: &mut Canvas, sheet: Print<'_>) {
    match sheet.look.form {
        Form::Pouch => pouch(canvas, sheet),
        Form::Carton => carton(canvas, sheet),
        _ => tea_box(canvas, sheet),
    }
}

fn pouch(canvas: &mut Canvas, sheet: Print<'_>) {
    let body = sheet.colours.body;
    let bag = "M236,132H564V190C572,300 584,420 582,520L574,668L562,684Q400,700 238,684L226,668L218,520C216,420 228,300 236,190Z";
    canvas.path(bag, body);
    canvas.clip(bag);
    let light = canvas.gradient(
        Run::Across,
        &[
            (0, "#000", 26),
            (5, "#fff", 16),
            (12, "#fff", 28),
            (24, "#fff", 2),
            (72, "#000", 0),
            (91, "#000", 18),
            (100, "#000", 40),
        ],
    );
    canvas.path(bag, &light);
    // Side folds, dents below the seal, and the fold of the flat bottom.
    canvas.put(
        r##"<path d="M236,196C270,330 240,520 258,690H210V196Z" fill="#000" opacity=".13"/><path d="M564,196C530,330 560,520 542,690H600V196Z" fill="#000" opacity=".2"/><path d="M268,198C300,226 318,262 312,296C336,262 350,240 382,200Z" fill="#fff" opacity=".12"/><path d="M430,200C470,232 486,262 490,300C500,262 514,232 546,204Z" fill="#000" opacity=".12"/><path d="M222,640Q400,668 578,640L574,690H226Z" fill="#000" opacity=".14"/>"##,
    );
    let crimps = canvas.pattern((9, 50), r##"<path d="M2,0V50" stroke="#000" stroke-opacity=".16" stroke-width="3"/><path d="M5,0V50" stroke="#fff" stroke-opacity=".2" stroke-width="2"/>"##);
    canvas.put(&format!(
        r##"<path d="M236,132H564V182H236Z" fill="{crimps}"/><path d="M236,185H564" stroke="#000" stroke-opacity=".24" stroke-width="3"/><path d="M236,133H564" stroke="#fff" stroke-opacity=".4" stroke-width="3"/>"##
    ));
    canvas.close();
    canvas.put(r##"<circle cx="400" cy="246" r="19" fill="#000" opacity=".22"/><circle cx="400" cy="244" r="18" fill="#fff" opacity=".28"/><g fill="#000" opacity=".45"><circle cx="393" cy="244" r="2.5"/><circle cx="407" cy="244" r="2.5"/><circle cx="400" cy="237" r="2.5"/><circle cx="400" cy="251" r="2.5"/></g><path d="M266,296H534V626H266Z" opacity=".12"/>"##);
    if let Some(area) = label(Form::Pouch) {
        print(canvas, area, 26, sheet);
    }
    canvas.put(r##"<path d="M488,292H532V622H496Z" opacity=".06"/>"##);
}

fn carton(canvas: &mut Canvas, sheet: Print<'_>) {
    let (body, paper) = (sheet.colours.body, sheet.colours.paper);
    canvas.put(&format!(
        r##"<path d="M476,320L566,296V652L476,690Z" fill="{body}"/><path d="M476,320L566,296V652L476,690Z" fill="#000" opacity=".24"/><path d="M262,320L300,206H510L476,320Z" fill="{paper}"/><path d="M476,320L510,206L566,296Z" fill="{body}"/><path d="M476,320L510,206L566,296Z" fill="#000" opacity=".4"/><path d="M300,206H510V154H300Z" fill="{body}"/><path d="M300,190H510" stroke="#000" stroke-opacity=".2" stroke-width="3"/><path d="M262,320H476V690H262Z" fill="{body}"/>"##
    ));
    let roof = canvas.gradient(Run::Down, &[(0, "#000", 18), (100, "#fff", 25)]);
    canvas.path("M262,320L300,206H510L476,320Z", &roof);
    cap(canvas, Area { x: 356, y: 228, w: 68, h: 40 }, body, 8);
    canvas.put(r##"<ellipse cx="390" cy="234" rx="34" ry="11" fill="#fff" opacity=".45"/>"##);
    if let Some(area) = label(Form::Carton) {
        print(canvas, area, 20, sheet);
    }
    canvas.put(&format!(r#"<path d="M262,320H476V331H262Z" fill="{body}"/>"#));
    let light = canvas.gradient(Run::Across, &[(0, "#fff", 22), (12, "#fff", 0), (70, "#000", 0), (100, "#000", 12)]);
    canvas.path("M262,320H476V690H262Z", &light);
    canvas.put(r##"<path d="M300,154H510V162H300Z" fill="#fff" opacity=".3"/>"##);
}

fn tea_box(canvas: &mut Canvas, sheet: Print<'_>) {
    let body = sheet.colours.body;
    canvas.put(&format!(
        r##"<g fill="{body}"><path d="M222,300L310,238H586L492,300Z"/><path d="M492,300L586,238V616L492,686Z"/><path d="M222,300H492V686H222Z"/></g><path d="M222,300L310,238H586L492,300Z" fill="#fff" opacity=".3"/><path d="M492,300L586,238V616L492,686Z" fill="#000" opacity=".3"/><path d="M492,352L586,290" stroke="#000" stroke-opacity=".25" stroke-width="3"/>"##
    ));
    canvas.put(&format!(
        r#"<g transform="matrix(.34 -.235 0 1 517 470)">{}</g>"#,
        super::motif::emblem(sheet.look.motif, (60, 30), 130, sheet.colours.pale(), body)
    ));
    if let Some(area) = label(Form::TeaBox) {
        print(canvas, area, 24, sheet);
    }
    canvas.put(r##"<path d="M222,328H492" stroke="#000" stroke-opacity=".22" stroke-width="4"/>"##);
    let light = canvas.gradient(Run::Across, &[(0, "#fff", 20), (16, "#fff", 0), (75, "#000", 0), (100, "#000", 12)]);
    canvas.path("M222,300H492V686H222Z", &light);
    canvas.put(r##"<path d="M222,300H492" stroke="#fff" stroke-opacity=".5" stroke-width="3"/>"##);
}
