//! Bottles and jars of glass.

use super::canvas::{Area, Canvas, Run};
use super::label::{Print, print};
use super::lathe::{
    AXIS, Profile,
    Step::{C, L},
};
use crate::look::{Form, Glass};

/// What closes a bottle.
#[derive(Debug, Clone, Copy)]
enum Closure {
    /// A capsule down to this y.
    Capsule(i32),
    /// Foil down to this y over a mushroom cork.
    Foil(i32),
    Crown,
    Swing,
    /// A screw cap: half width and height.
    Screw(i32, i32),
    /// A wooden stopper.
    Stopper,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Bottle {
    profile: Profile,
    label: Area,
    closure: Closure,
    /// Where the drink stands in clear glass.
    level: i32,
}

impl Bottle {
    pub(super) fn of(form: Form) -> Option<Bottle> {
        Some(match form {
            Form::Bordeaux => BORDEAUX,
            Form::Burgundy => BURGUNDY,
            Form::Flute => FLUTE,
            Form::Sparkling => SPARKLING,
            Form::Longneck => LONGNECK,
            Form::SwingTop => SWING_TOP,
            Form::SodaBottle => SODA,
            Form::JuiceBottle => JUICE,
            Form::SpiritBottle => SPIRIT,
            Form::Jar => JAR,
            _ => return None,
        })
    }

    pub(super) fn focus(&self) -> (i32, i32) {
        (self.label.middle(), self.label.at(50))
    }

    pub(super) fn width(&self) -> i32 {
        self.profile.foot().0
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, sheet: Print<'_>) {
        let form = &self.profile;
        let outline = form.outline();
        let (edge, middle) = sheet.look.glass.colours();
        let clear = sheet.look.glass == Glass::Clear;
        let glass =
            canvas.gradient(Run::Across, &[(0, edge, 100), (30, middle, 100), (65, middle, 100), (100, edge, 100)]);
        canvas.path(&outline, &glass);
        canvas.clip(&outline);
        if clear {
            canvas.put(&below(self.level, &format!(r#"fill="{}" opacity=".93""#, sheet.look.drink)));
            canvas.put(&format!(
                r##"<ellipse cx="{AXIS}" cy="{}" rx="{}" ry="7" fill="#fff" opacity=".35"/>"##,
                self.level,
                self.profile.top.0 + 12
            ));
        }
        canvas.tone(form, (-82, -64), "#fff", if clear { 45 } else { 26 });
        canvas.tone(form, (-58, -50), "#fff", 14);
        let label = self.label;
        print(canvas, label, 24, sheet);
        canvas.tone(form, (45, 100), "#000", 8);
        canvas.tone(form, (70, 100), "#000", 11);
        canvas.tone(form, (88, 100), "#000", 15);
        canvas.tone(form, (-100, -90), "#000", 16);
        canvas.tone(form, (-80, -66), "#fff", 12);
        canvas.close();
        self.close_up(canvas, sheet);
    }

    fn close_up(&self, canvas: &mut Canvas, sheet: Print<'_>) {
        let form = &self.profile;
        let (top, half) = (form.top.1, form.top.0);
        let colour = sheet.colours.body;
        match self.closure {
            Closure::Capsule(foot) => {
                canvas.clip(&form.outline());
                canvas.put(&above(foot, &format!(r#"fill="{colour}""#)));
                canvas.put(&bar(foot - 8, 3, sheet.colours.paper));
                canvas.put(&bar(top + 22, 2, "#00000040"));
                shade_top(canvas, form, foot);
                canvas.close();
            }
            Closure::Foil(foot) => {
                canvas.clip(&form.outline());
                canvas.put(&format!(
                    r#"<path d="M0,0H800V{foot}L440,{}L{AXIS},{}L360,{}L0,{foot}Z" fill="{colour}"/>"#,
                    foot - 14,
                    foot + 12,
                    foot - 14
                ));
                canvas.put(&bar(top + 62, 5, sheet.colours.paper));
                shade_top(canvas, form, foot + 12);
                canvas.close();
            }
            Closure::Crown => {
                let (x, y) = (AXIS - half - 5, top - 14);
                cap(canvas, Area { x, y, w: 2 * half + 10, h: 24 }, colour, 5);
                let mut teeth = format!("M{x},{}", y + 20);
                for _ in 0..6 {
                    teeth += &format!("q{},12 {},0", (half + 5) / 6, (half + 5) / 3);
                }
                canvas.path(&teeth, colour);
            }
            Closure::Swing => {
                cap(canvas, Area { x: AXIS - half + 4, y: top - 30, w: 2 * half - 8, h: 30 }, "#f4efe6", 12);
                cap(canvas, Area { x: AXIS - half - 2, y: top - 5, w: 2 * half + 4, h: 9 }, "#b23a2c", 4);
                canvas.put(&format!(
                    r##"<path d="M{0},{1}C{2},{3} {2},{4} {AXIS},{4}C{5},{4} {5},{3} {6},{1}M{0},{1}v26M{6},{1}v26" fill="none" stroke="#8d8f92" stroke-width="5" stroke-linecap="round"/>"##,
                    AXIS - half - 6, top + 40, AXIS - half - 14, top - 6, top - 19, AXIS + half + 14, AXIS + half + 6
                ));
            }
            Closure::Screw(half, h) => {
                let area = Area { x: AXIS - half, y: top - h + 14, w: 2 * half, h };
                cap(canvas, area, colour, 7);
                canvas.put(&Area { y: top + 5, h: 3, ..area }.rect(r##"fill="#00000038""##));
                canvas.put(&Area { y: area.y + 8, h: 3, ..area }.rect(r##"fill="#ffffff40""##));
            }
            Closure::Stopper => {
                cap(canvas, Area { x: AXIS - half - 8, y: top - 46, w: 2 * half + 16, h: 40 }, "#a9784a", 8);
                cap(canvas, Area { x: AXIS - half + 6, y: top - 8, w: 2 * half - 12, h: 12 }, "#d9bd92", 2);
            }
        }
    }
}

/// A cap with light from the left.
pub(super) fn cap(canvas: &mut Canvas, area: Area, colour: &str, round: i32) {
    canvas.put(&area.rect(&format!(r#"rx="{round}" fill="{colour}""#)));
    let light = canvas.gradient(Run::Across, &[(0, "#000", 22), (20, "#fff", 34), (40, "#fff", 0), (100, "#000", 38)]);
    canvas.put(&area.rect(&format!(r#"rx="{round}" fill="{light}""#)));
}

fn shade_top(canvas: &mut Canvas, form: &Profile, foot: i32) {
    canvas.clip(&format!("M0,0H800V{foot}H0Z"));
    canvas.tone(form, (-76, -46), "#fff", 24);
    canvas.tone(form, (40, 100), "#000", 14);
    canvas.tone(form, (72, 100), "#000", 20);
    canvas.close();
}

fn below(y: i32, attributes: &str) -> String {
    format!(r#"<path d="M0,{y}H800V800H0Z" {attributes}/>"#)
}

fn above(y: i32, attributes: &str) -> String {
    format!(r#"<path d="M0,0H800V{y}H0Z" {attributes}/>"#)
}

fn bar(y: i32, h: i32, colour: &str) -> String {
    format!(r#"<path d="M0,{y}h800v{h}H0Z" fill="{colour}"/>"#)
}

const fn label(half: i32, y: i32, h: i32) -> Area {
    Area { x: AXIS - half, y, w: 2 * half, h }
}

const BORDEAUX: Bottle = Bottle {
    profile: Profile {
        top: (31, 76),
        steps: &[
            L(31, 98),
            L(27, 102),
            L(27, 238),
            C(27, 272, 98, 278, 98, 336),
            L(98, 664),
            C(98, 680, 94, 684, 88, 685),
        ],
        sag: 11,
    },
    label: label(98, 392, 236),
    closure: Closure::Capsule(196),
    level: 226,
};

const BURGUNDY: Bottle = Bottle {
    profile: Profile {
        top: (32, 80),
        steps: &[
            L(32, 102),
            L(28, 106),
            L(29, 196),
            C(36, 290, 112, 320, 114, 420),
            L(114, 662),
            C(114, 680, 108, 684, 102, 685),
        ],
        sag: 12,
    },
    label: label(114, 426, 214),
    closure: Closure::Capsule(184),
    level: 226,
};

const FLUTE: Bottle = Bottle {
    profile: Profile {
        top: (28, 56),
        steps: &[
            L(28, 76),
            L(25, 80),
            L(26, 170),
            C(32, 262, 88, 320, 90, 424),
            L(90, 666),
            C(90, 681, 86, 684, 80, 685),
        ],
        sag: 10,
    },
    label: label(90, 420, 224),
    closure: Closure::Capsule(166),
    level: 200,
};

const SPARKLING: Bottle = Bottle {
    profile: Profile {
        top: (27, 78),
        steps: &[
            C(40, 80, 40, 104, 31, 112),
            L(35, 118),
            L(35, 134),
            L(31, 138),
            L(34, 210),
            C(42, 300, 118, 326, 120, 426),
            L(120, 660),
            C(120, 680, 114, 684, 106, 685),
        ],
        sag: 13,
    },
    label: label(120, 440, 196),
    closure: Closure::Foil(266),
    level: 290,
};

const LONGNECK: Bottle = Bottle {
    profile: Profile {
        top: (35, 128),
        steps: &[
            L(36, 146),
            L(32, 150),
            L(35, 270),
            C(40, 330, 102, 330, 104, 404),
            L(104, 662),
            C(104, 680, 98, 684, 92, 685),
        ],
        sag: 12,
    },
    label: label(104, 416, 218),
    closure: Closure::Crown,
    level: 214,
};

const SWING_TOP: Bottle = Bottle {
    profile: Profile {
        top: (38, 140),
        steps: &[
            L(40, 160),
            L(36, 166),
            L(38, 246),
            C(44, 300, 120, 304, 122, 386),
            L(122, 658),
            C(122, 680, 114, 684, 106, 685),
        ],
        sag: 13,
    },
    label: label(122, 408, 226),
    closure: Closure::Swing,
    level: 220,
};

const SODA: Bottle = Bottle {
    profile: Profile {
        top: (34, 156),
        steps: &[
            L(36, 172),
            L(33, 176),
            C(33, 240, 50, 262, 74, 296),
            C(98, 330, 104, 352, 102, 392),
            C(100, 420, 98, 560, 102, 590),
            C(106, 630, 108, 640, 106, 662),
            C(106, 680, 100, 684, 94, 685),
        ],
        sag: 12,
    },
    label: label(108, 392, 200),
    closure: Closure::Crown,
    level: 226,
};

const JUICE: Bottle = Bottle {
    profile: Profile {
        top: (54, 140),
        steps: &[L(54, 176), L(50, 182), C(50, 238, 124, 244, 126, 326), L(126, 654), C(126, 680, 116, 684, 108, 685)],
        sag: 14,
    },
    label: label(126, 372, 236),
    closure: Closure::Screw(60, 58),
    level: 212,
};

const SPIRIT: Bottle = Bottle {
    profile: Profile {
        top: (36, 178),
        steps: &[
            L(38, 196),
            L(33, 202),
            L(33, 262),
            C(34, 298, 140, 288, 142, 346),
            L(138, 652),
            C(136, 680, 128, 684, 118, 685),
        ],
        sag: 12,
    },
    label: label(142, 374, 246),
    closure: Closure::Stopper,
    level: 282,
};

const JAR: Bottle = Bottle {
    profile: Profile {
        top: (124, 246),
        steps: &[L(124, 276), C(126, 300, 158, 300, 160, 348), L(160, 640), C(160, 676, 148, 684, 132, 685)],
        sag: 17,
    },
    label: label(160, 378, 226),
    closure: Closure::Screw(134, 74),
    level: 300,
};
