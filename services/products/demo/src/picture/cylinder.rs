//! Cans and tins: printed all around.

use super::bottle::cap;
use super::canvas::{Area, Canvas, Run};
use super::label::{Print, print};
use super::lathe::{
    AXIS, Profile,
    Step::{C, L},
};
use crate::look::Form;

#[derive(Debug, Clone, Copy)]
pub(super) struct Cylinder {
    profile: Profile,
    label: Area,
    lid: Lid,
}

#[derive(Debug, Clone, Copy)]
enum Lid {
    /// The rim and ring of a drinks can.
    Ring,
    /// The pull-off lid of a tin.
    Slip,
}

impl Cylinder {
    pub(super) fn of(form: Form) -> Option<Cylinder> {
        Some(match form {
            Form::Can => CAN,
            Form::SlimCan => SLIM_CAN,
            Form::Tin => TIN,
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
        let metal = canvas.gradient(
            Run::Across,
            &[
                (0, "#8b9094", 100),
                (22, "#f7f8f8", 100),
                (48, "#b9bec2", 100),
                (72, "#dfe2e4", 100),
                (100, "#767b80", 100),
            ],
        );
        canvas.path(&form.outline(), if matches!(self.lid, Lid::Ring) { &metal } else { sheet.colours.body });
        canvas.clip(&form.outline());
        print(canvas, self.label, 40, sheet);
        let band = sheet.colours.body;
        let (top, foot) = (self.label.y, self.label.at(100));
        canvas.put(&Area { y: top, h: 10, ..self.label }.rect(&format!(r#"fill="{band}""#)));
        canvas.put(&format!(
            r#"<path d="M0,{0}H{1}Q{AXIS},{2} {3},{0}H800V{4}H{3}Q{AXIS},{5} {1},{4}H0Z" fill="{band}"/>"#,
            foot - 14,
            AXIS - self.width() - 12,
            foot + 10,
            AXIS + self.width() + 12,
            foot + 4,
            foot + 34,
        ));
        for (span, colour, opacity) in [
            ((-100, -88), "#000", 20),
            ((-82, -60), "#fff", 30),
            ((-56, -48), "#fff", 16),
            ((38, 100), "#000", 9),
            ((64, 100), "#000", 12),
            ((86, 100), "#000", 18),
            ((78, 84), "#fff", 16),
        ] {
            canvas.tone(form, span, colour, opacity);
        }
        canvas.close();
        self.cover(canvas, &metal, sheet);
    }

    fn cover(&self, canvas: &mut Canvas, metal: &str, sheet: Print<'_>) {
        let (half, top) = self.profile.top;
        match self.lid {
            Lid::Ring => canvas.put(&format!(
                r##"<ellipse cx="{AXIS}" cy="{top}" rx="{half}" ry="15" fill="{metal}"/><ellipse cx="{AXIS}" cy="{0}" rx="{1}" ry="11" fill="#7d8387"/><ellipse cx="{AXIS}" cy="{2}" rx="{3}" ry="9" fill="#c9cdd0"/><ellipse cx="408" cy="{0}" rx="26" ry="4" fill="none" stroke="#85898d" stroke-width="3"/>"##,
                top + 1, half - 8, top + 4, half - 16
            )),
            Lid::Slip => {
                let area = Area { x: AXIS - half - 6, y: top - 12, w: 2 * half + 12, h: 72 };
                let (left, right, foot) = (area.x, area.x + area.w, area.y + area.h);
                let colour = sheet.colours.body;
                canvas.clip(&format!(
                    "M{left},{0}V{foot}Q{AXIS},{1} {right},{foot}V{0}Z", area.y, foot + 40
                ));
                cap(canvas, Area { h: 120, ..area }, colour, 0);
                canvas.close();
                canvas.put(&format!(
                    r##"<path d="M{left},{foot}Q{AXIS},{0} {right},{foot}" fill="none" stroke="#00000050" stroke-width="4"/><ellipse cx="{AXIS}" cy="{1}" rx="{2}" ry="26" fill="{colour}"/><ellipse cx="{AXIS}" cy="{1}" rx="{2}" ry="26" fill="#fff" opacity=".16"/><ellipse cx="{AXIS}" cy="{1}" rx="{3}" ry="20" fill="none" stroke="#fff" stroke-opacity=".3" stroke-width="3"/>"##,
                    foot + 40, area.y, half + 6, half - 18
                ));
            }
        }
    }
}

const CAN: Cylinder = Cylinder {
    profile: Profile {
        top: (104, 180),
        steps: &[L(106, 190), C(106, 206, 134, 216, 134, 240), L(134, 640), C(134, 660, 114, 672, 112, 684)],
        sag: 30,
    },
    label: Area { x: AXIS - 134, y: 226, w: 268, h: 420 },
    lid: Lid::Ring,
};

const SLIM_CAN: Cylinder = Cylinder {
    profile: Profile {
        top: (86, 142),
        steps: &[L(88, 152), C(88, 168, 108, 178, 108, 202), L(108, 644), C(108, 662, 92, 672, 90, 684)],
        sag: 24,
    },
    label: Area { x: AXIS - 108, y: 188, w: 216, h: 462 },
    lid: Lid::Ring,
};

const TIN: Cylinder = Cylinder {
    profile: Profile { top: (146, 258), steps: &[L(146, 672), C(146, 680, 144, 682, 140, 682)], sag: 40 },
    label: Area { x: AXIS - 146, y: 342, w: 292, h: 330 },
    lid: Lid::Slip,
};
