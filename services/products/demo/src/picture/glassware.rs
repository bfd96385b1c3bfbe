//! Drinking glasses, carafes and mugs.

use super::canvas::{Canvas, Run, factor};
use super::lathe::{
    AXIS, Profile,
    Step::{C, L},
};
use super::motif::emblem;
use crate::look::{Form, Look};

/// A vessel of glass: what holds the drink, and the stem below it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vessel {
    bowl: Profile,
    /// The bowl's inside.
    inside: Profile,
    /// Half the width of the foot, if there is a stem.
    foot: Option<i32>,
    /// The drink's surface: y and half width.
    surface: (i32, i32),
    head: Head,
}

/// What swims on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    Still,
    Bubbles,
    /// Foam up to this y.
    Foam(i32),
    Ice,
}

/// How full a glass is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    Empty,
    Poured,
}

impl Vessel {
    pub(super) fn of(form: Form) -> Option<Vessel> {
        Some(match form {
            Form::Tumbler => TUMBLER,
            Form::Highball => HIGHBALL,
            Form::Pint => PINT,
            Form::Weizen => WEIZEN,
            Form::WineGlass => WINE_GLASS,
            Form::BalloonGlass => BALLOON,
            Form::FluteGlass => FLUTE_GLASS,
            Form::Coupe => COUPE,
            Form::Carafe => CARAFE,
            _ => return None,
        })
    }

    pub(super) fn width(&self) -> i32 {
        self.foot.unwrap_or(self.bowl.foot().0)
    }

    pub(super) fn focus(&self) -> (i32, i32) {
        (AXIS, self.surface.0 + 30)
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, drink: &str, fill: Fill) {
        let pane = canvas.gradient(
            Run::Across,
            &[(0, "#fff", 62), (14, "#fff", 22), (50, "#fff", 10), (84, "#fff", 20), (100, "#fff", 58)],
        );
        if let Some(foot) = self.foot {
            self.stem(canvas, foot, &pane);
        }
        let outline = self.bowl.outline();
        canvas.path(&outline, &pane);
        if fill == Fill::Poured {
            self.pour(canvas, drink);
        }
        canvas.clip(&outline);
        canvas.tone(&self.bowl, (-88, -72), "#fff", 55);
        canvas.tone(&self.bowl, (-66, -60), "#fff", 30);
        canvas.tone(&self.bowl, (80, 86), "#fff", 45);
        canvas.tone(&self.bowl, (90, 100), "#1d2b33", 14);
        canvas.close();
        let (half, top) = self.bowl.top;
        canvas.put(&format!(
            r##"<path d="{outline}" fill="none" stroke="#4c616c" stroke-opacity=".65" stroke-width="2"/><ellipse cx="{AXIS}" cy="{top}" rx="{half}" ry="{}" fill="#fff" fill-opacity=".2" stroke="#fff" stroke-opacity=".9" stroke-width="3"/>"##,
            half / 9 + 2
        ));
    }

    fn stem(&self, canvas: &mut Canvas, foot: i32, pane: &str) {
        let (half, y) = self.bowl.foot();
        canvas.put(&format!(
            r##"<ellipse cx="{AXIS}" cy="686" rx="{foot}" ry="{0}" fill="{pane}" stroke="#5d717b" stroke-opacity=".5" stroke-width="2"/><ellipse cx="{AXIS}" cy="683" rx="{1}" ry="{2}" fill="#fff" opacity=".35"/><path d="M{3},{y}C{4},{5} {4},640 {6},682H{7}C{8},640 {8},{5} {9},{y}Z" fill="{pane}" stroke="#5d717b" stroke-opacity=".4" stroke-width="2"/><path d="M396,{5}V668" stroke="#fff" stroke-opacity=".8" stroke-width="3"/>"##,
            foot / 7 + 2, foot * 7 / 10, foot / 10, AXIS - half, AXIS - 6, y + 24, AXIS - 20, AXIS + 20, AXIS + 6, AXIS + half,
        ));
    }

    fn pour(&self, canvas: &mut Canvas, drink: &str) {
        let (y, half) = self.surface;
        canvas.clip(&self.inside.outline());
        canvas.put(&format!(r#"<path d="M0,{y}H800V800H0Z" fill="{drink}" opacity=".9"/>"#));
        canvas.tone(&self.inside, (-100, -80), "#000", 10);
        canvas.tone(&self.inside, (60, 100), "#000", 12);
        match self.head {
            Head::Foam(top) => canvas.put(&format!(r##"<path d="M0,{top}H800V{y}H0Z" fill="#fdf4df"/>"##)),
            Head::Bubbles => {
                for (index, x) in [-22, -4, 12, 27, -13, 6].into_iter().enumerate() {
                    let rise = y + 30 + 43 * index as i32;
                    canvas.put(&format!(
                        r##"<circle cx="{}" cy="{rise}" r="4" fill="#fff" opacity=".6"/>"##,
                        AXIS + x * half / 40
                    ));
                }
            }
            Head::Ice => canvas.put(&format!(
                r##"<g fill="#fff" opacity=".4" stroke="#fff" stroke-width="3"><rect x="{}" y="{}" width="64" height="60" rx="9" transform="rotate(-14 370 {y})"/><rect x="{}" y="{}" width="60" height="58" rx="9" transform="rotate(17 430 {y})"/></g>"##,
                AXIS - half + 22, y - 6, AXIS + 4, y + 18
            )),
            Head::Still => {}
        }
        canvas.close();
        let (level, colour) = match self.head {
            Head::Foam(top) => (top, "#fffaf0"),
            _ => (y, drink),
        };
        canvas.put(&format!(
            r##"<ellipse cx="{AXIS}" cy="{level}" rx="{half}" ry="{0}" fill="{colour}"/><ellipse cx="{AXIS}" cy="{level}" rx="{half}" ry="{0}" fill="#fff" opacity="{1}"/>"##,
            half / 9 + 2,
            factor(22)
        ));
    }
}

/// A ceramic mug in the palette's colour, coffee or tea inside.
pub(super) fn mug(canvas: &mut Canvas, look: &Look, fill: Fill) {
    let colours = look.palette.colours();
    let body = colours.body;
    canvas.put(&format!(
        r##"<g fill="none" stroke-linecap="round"><path d="M536,410C650,400 650,590 520,586" stroke="{body}" stroke-width="36"/><path d="M536,410C650,400 650,590 520,586" stroke="#000" stroke-opacity=".2" stroke-width="36"/><path d="M536,403C636,396 640,560 560,584" stroke="#fff" stroke-opacity=".25" stroke-width="7"/></g>"##
    ));
    let form = MUG;
    canvas.path(&form.outline(), body);
    canvas.clip(&form.outline());
    canvas.put(&emblem(look.motif, (AXIS, 514), 165, colours.pale(), body));
    for (span, colour, opacity) in [
        ((-100, -90), "#000", 12),
        ((-82, -62), "#fff", 26),
        ((-56, -50), "#fff", 14),
        ((40, 100), "#000", 9),
        ((68, 100), "#000", 11),
        ((88, 100), "#000", 14),
    ] {
        canvas.tone(&form, span, colour, opacity);
    }
    canvas.close();
    let inside = if fill == Fill::Poured { look.drink } else { "#00000059" };
    canvas.put(&format!(
        r##"<ellipse cx="{AXIS}" cy="350" rx="150" ry="30" fill="{body}"/><ellipse cx="{AXIS}" cy="350" rx="150" ry="30" fill="#fff" opacity=".32"/><ellipse cx="{AXIS}" cy="353" rx="138" ry="24" fill="{body}"/><ellipse cx="{AXIS}" cy="355" rx="136" ry="22" fill="{inside}"/><path d="M282,352Q330,340 380,336" fill="none" stroke="#fff" stroke-opacity=".35" stroke-width="5" stroke-linecap="round"/>"##
    ));
}

const MUG: Profile =
    Profile { top: (150, 350), steps: &[C(150, 460, 146, 560, 134, 640), C(130, 668, 116, 682, 92, 684)], sag: 16 };

const fn vessel(bowl: Profile, inside: Profile, foot: Option<i32>, surface: (i32, i32), head: Head) -> Vessel {
    Vessel { bowl, inside, foot, surface, head }
}

const TUMBLER: Vessel = vessel(
    Profile { top: (138, 396), steps: &[L(116, 672), C(115, 680, 112, 684, 104, 685)], sag: 28 },
    Profile { top: (128, 404), steps: &[L(108, 640), C(107, 648, 104, 650, 98, 650)], sag: 24 },
    None,
    (500, 122),
    Head::Ice,
);

const HIGHBALL: Vessel = vessel(
    Profile { top: (98, 266), steps: &[L(88, 672), C(87, 680, 84, 684, 78, 685)], sag: 22 },
    Profile { top: (90, 274), steps: &[L(81, 650), C(80, 656, 78, 660, 72, 660)], sag: 18 },
    None,
    (346, 88),
    Head::Ice,
);

const PINT: Vessel = vessel(
    Profile { top: (122, 236), steps: &[L(92, 670), C(91, 680, 88, 684, 80, 685)], sag: 24 },
    Profile { top: (114, 244), steps: &[L(84, 650), C(83, 656, 80, 660, 74, 660)], sag: 20 },
    None,
    (318, 108),
    Head::Foam(264),
);

const WEIZEN: Vessel = vessel(
    Profile {
        top: (98, 130),
        steps: &[C(112, 230, 104, 330, 84, 420), C(66, 500, 62, 560, 68, 630), C(76, 660, 84, 670, 84, 685)],
        sag: 22,
    },
    Profile {
        top: (90, 138),
        steps: &[C(104, 230, 96, 330, 76, 420), C(58, 500, 54, 560, 58, 630), C(58, 640, 50, 644, 40, 644)],
        sag: 14,
    },
    None,
    (234, 101),
    Head::Foam(160),
);

const WINE_GLASS: Vessel = vessel(
    Profile { top: (84, 178), steps: &[C(108, 270, 116, 330, 96, 388), C(78, 434, 40, 448, 12, 458)], sag: 6 },
    Profile { top: (76, 186), steps: &[C(100, 270, 108, 330, 89, 384), C(72, 426, 38, 438, 6, 446)], sag: 4 },
    Some(98),
    (322, 102),
    Head::Still,
);

const BALLOON: Vessel = vessel(
    Profile { top: (94, 190), steps: &[C(146, 270, 158, 360, 118, 418), C(92, 450, 46, 462, 12, 472)], sag: 6 },
    Profile { top: (86, 198), steps: &[C(138, 274, 149, 356, 111, 412), C(86, 442, 44, 452, 6, 460)], sag: 4 },
    Some(106),
    (352, 135),
    Head::Still,
);

const FLUTE_GLASS: Vessel = vessel(
    Profile { top: (50, 130), steps: &[C(64, 240, 66, 330, 52, 410), C(42, 456, 24, 476, 10, 490)], sag: 4 },
    Profile { top: (44, 138), steps: &[C(57, 240, 59, 330, 46, 406), C(36, 448, 20, 464, 5, 474)], sag: 2 },
    Some(82),
    (206, 51),
    Head::Bubbles,
);

const COUPE: Vessel = vessel(
    Profile { top: (140, 268), steps: &[C(144, 350, 100, 396, 50, 408), C(36, 412, 20, 418, 10, 426)], sag: 4 },
    Profile { top: (131, 276), steps: &[C(134, 346, 94, 386, 46, 397), C(34, 400, 18, 406, 5, 412)], sag: 2 },
    Some(96),
    (306, 127),
    Head::Bubbles,
);

const CARAFE: Vessel = vessel(
    Profile {
        top: (66, 176),
        steps: &[C(50, 230, 46, 270, 50, 320), C(58, 400, 148, 440, 150, 570), C(150, 640, 140, 684, 104, 686)],
        sag: 26,
    },
    Profile {
        top: (58, 184),
        steps: &[C(42, 230, 38, 270, 42, 322), C(50, 406, 140, 446, 141, 570), C(141, 630, 130, 666, 100, 668)],
        sag: 22,
    },
    None,
    (470, 117),
    Head::Still,
);
