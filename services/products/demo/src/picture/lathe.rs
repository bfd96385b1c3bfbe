//! Shapes turned on a lathe: a profile of half widths, mirrored around an axis.

/// One step down the profile; x is the distance from the axis.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A straight line to (x, y).
    L(i32, i32),
    /// A cubic curve: two control points, then the end.
    C(i32, i32, i32, i32, i32, i32),
}

use Step::{C, L};

/// Half the outline of a body of revolution, from its top to its foot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    pub(super) top: (i32, i32),
    pub(super) steps: &'static [Step],
    /// How far the foot sags below its corners: the viewer stands a little above.
    pub(super) sag: i32,
}

/// The axis of everything on the canvas.
pub(super) const AXIS: i32 = 400;

impl Profile {
    pub(super) fn foot(&self) -> (i32, i32) {
        match self.steps.last() {
            Some(L(x, y) | C(_, _, _, _, x, y)) => (*x, *y),
            None => self.top,
        }
    }

    /// The closed outline.
    pub(super) fn outline(&self) -> String {
        self.between(-100, 100)
    }

    /// The part of the body between two percentages of its half width, -100 being the left edge.
    pub(super) fn between(&self, left: i32, right: i32) -> String {
        let (foot_x, foot_y) = self.foot();
        // The foot is a parabola with its lowest point on the axis.
        let drop = |percent: i32| self.sag * (10_000 - percent * percent) / 10_000 / 2;
        let x = |percent: i32, half: i32| AXIS + half * percent / 100;
        let middle = (left + right) / 2;
        let mut path = format!("M{},{}", x(right, self.top.0), self.top.1);
        for step in self.steps {
            path += &match *step {
                L(a, b) => format!("L{},{b}", x(right, a)),
                C(a, b, c, d, e, f) => {
                    format!("C{},{b} {},{d} {},{f}", x(right, a), x(right, c), x(right, e))
                }
            };
        }
        path += &format!(
            "L{},{}Q{},{} {},{}L{},{foot_y}",
            x(right, foot_x),
            foot_y + drop(right),
            x(middle, foot_x),
            foot_y + 2 * drop(middle) - (drop(left) + drop(right)) / 2,
            x(left, foot_x),
            foot_y + drop(left),
            x(left, foot_x),
        );
        path += &self.upwards(|half| x(left, half));
        path + "Z"
    }

    fn upwards(&self, x: impl Fn(i32) -> i32) -> String {
        let mut path = String::new();
        for (index, step) in self.steps.iter().enumerate().rev() {
            let (to_x, to_y) = match index.checked_sub(1).map(|before| self.steps[before]) {
                Some(L(a, b) | C(_, _, _, _, a, b)) => (a, b),
                None => self.top,
            };
            path += &match *step {
                L(..) => format!("L{},{to_y}", x(to_x)),
                C(a, b, c, d, _, _) => {
                    format!("C{},{d} {},{b} {},{to_y}", x(c), x(a), x(to_x))
                }
            };
        }
        path
    }
}
