//! The emblems, each drawn about the origin in a square of side 100.

use super::canvas::factor;
use crate::look::Motif;

/// The emblem at (x, y), scaled by `percent`, filled with `ink`; cuts show `ground`.
pub(super) fn emblem(motif: Motif, (x, y): (i32, i32), percent: i32, ink: &str, ground: &str) -> String {
    let scale = if percent >= 100 { format!("{}.{:02}", percent / 100, percent % 100) } else { factor(percent) };
    format!(
        r#"<g transform="translate({x},{y}) scale({scale})" fill="{ink}" stroke-width="5" stroke-linecap="round">{}</g>"#,
        art(motif).replace("{i}", ink).replace("{g}", ground)
    )
}

/// `{i}` stands for the ink, `{g}` for the ground.
fn art(motif: Motif) -> String {
    match motif {
        Motif::Berry => cluster(&[(-22, -6), (22, -6), (0, -12), (-12, 14), (12, 14), (0, 36)], 17, -24),
        Motif::Grape => cluster(
            &[(-30, -8), (-10, -10), (10, -10), (30, -8), (-20, 10), (0, 8), (20, 10), (-10, 27), (10, 27), (0, 44)],
            12,
            -22,
        ),
        Motif::Barley => barley(),
        Motif::Flower => petals(),
        Motif::Hop => hop(),
        Motif::Citrus => r#"<circle r="46"/><circle r="39" fill="{g}"/><circle r="35"/><path d="M0,-35V35M-30,-18L30,18M-30,18L30,-18" stroke="{g}"/><circle r="4" fill="{g}"/>"#.to_owned(),
        _ => outline(motif).to_owned(),
    }
}

fn outline(motif: Motif) -> &'static str {
    match motif {
        Motif::Apple => {
            r#"<path d="M0,-14C-18,-32 -46,-20 -42,12C-39,38 -18,52 0,42C18,52 39,38 42,12C46,-20 18,-32 0,-14Z"/><path d="M0,-14C0,-26 3,-36 9,-43" fill="none" stroke="{i}"/><path d="M8,-28C14,-44 30,-46 38,-40C34,-28 20,-22 8,-28Z"/><path d="M-28,4C-27,-6 -22,-11 -15,-12" fill="none" stroke="{g}"/>"#
        }
        Motif::Bean => {
            r#"<g transform="rotate(28)"><ellipse rx="31" ry="45"/><path d="M-4,-43C22,-16 -22,16 4,43" fill="none" stroke="{g}" stroke-width="6"/></g>"#
        }
        Motif::Bird => {
            r#"<path d="M-46,8C-24,-6 -18,-36 8,-36C24,-36 30,-24 30,-18L46,-12L30,-6C28,24 6,38 -18,34L-46,42L-32,22Z"/><circle cx="17" cy="-21" r="4" fill="{g}"/><path d="M-18,12C-6,16 8,10 12,-4" fill="none" stroke="{g}"/>"#
        }
        Motif::Cherry => {
            r#"<circle cx="-20" cy="24" r="20"/><circle cx="22" cy="28" r="18"/><path d="M-18,6C-12,-16 0,-32 16,-44C18,-22 22,-6 22,12" fill="none" stroke="{i}"/><path d="M14,-42C-6,-52 -26,-42 -32,-26C-14,-22 4,-26 14,-42Z"/><path d="M-31,20C-30,13 -26,11 -22,10" fill="none" stroke="{g}"/>"#
        }
        Motif::Crown => {
            r#"<path d="M-44,-22L-22,4L0,-38L22,4L44,-22L34,30H-34Z"/><path d="M-34,38H34V46H-34Z"/><circle cy="-42" r="5"/><circle cx="-46" cy="-26" r="5"/><circle cx="46" cy="-26" r="5"/>"#
        }
        Motif::Drop => {
            r#"<path d="M0,-48C20,-18 34,-2 34,16A34,34 0 0 1 -34,16C-34,-2 -20,-18 0,-48Z"/><path d="M-20,16C-19,28 -11,36 0,37" fill="none" stroke="{g}"/>"#
        }
        Motif::Flame => {
            r#"<path d="M4,-50C10,-24 38,-12 34,18C32,38 16,48 0,48C-18,48 -34,36 -34,14C-34,-4 -20,-12 -18,-28C-8,-22 -4,-14 -4,-6C6,-16 8,-32 4,-50Z"/><path d="M0,42C-12,42 -18,34 -16,24C-14,14 -4,12 0,0C10,12 18,20 16,30C15,38 8,42 0,42Z" fill="{g}"/>"#
        }
        Motif::Leaf => {
            r#"<g transform="rotate(24)"><path d="M0,-50C36,-22 32,24 0,42C-32,24 -36,-22 0,-50Z"/><path d="M0,-28V52M0,-6L14,-18M0,12L16,-2M0,-6L-14,-18M0,12L-16,-2" fill="none" stroke="{g}" stroke-width="4"/></g>"#
        }
        Motif::Moon => {
            r#"<path d="M12,-44A44,44 0 1 0 40,26A36,36 0 0 1 12,-44Z"/><path d="M30,-34L34,-24L44,-20L34,-16L30,-6L26,-16L16,-20L26,-24Z"/><circle cx="42" cy="4" r="4"/>"#
        }
        Motif::Mountain => {
            r#"<path d="M-50,36L-16,-28L4,6L18,-14L50,36Z"/><path d="M-16,-28L-27,-8L-18,-13L-12,-5L-5,-9Z" fill="{g}"/><circle cx="26" cy="-32" r="10"/><path d="M-50,46H50" stroke="{i}" stroke-width="4"/>"#
        }
        Motif::Sprig => {
            r#"<path d="M0,50C-4,20 4,-10 0,-40" fill="none" stroke="{i}" stroke-width="4"/><path d="M0,-50C9,-40 8,-30 0,-24C-8,-30 -9,-40 0,-50ZM2,-8C10,-24 24,-28 34,-26C32,-14 18,-4 2,-8ZM-2,-4C-10,-20 -24,-24 -34,-22C-32,-10 -18,0 -2,-4ZM2,18C10,2 26,-2 38,0C35,13 18,22 2,18ZM-2,24C-10,8 -26,4 -38,6C-35,19 -18,28 -2,24ZM1,42C8,28 22,24 32,26C30,37 16,46 1,42Z"/>"#
        }
        Motif::Star => r#"<path d="M0,-48L12,-15L46,-15L19,6L29,39L0,19L-29,39L-19,6L-46,-15L-12,-15Z"/>"#,
        Motif::Sun => {
            r#"<circle r="24"/><circle r="38" fill="none" stroke="{i}" stroke-width="14" stroke-dasharray="5 14.9" stroke-linecap="butt"/>"#
        }
        Motif::Wave => {
            r#"<path d="M-48,-20Q-36,-38 -24,-20T0,-20T24,-20T48,-20M-48,4Q-36,-14 -24,4T0,4T24,4T48,4M-48,28Q-36,10 -24,28T0,28T24,28T48,28" fill="none" stroke="{i}" stroke-width="9"/>"#
        }
        _ => "",
    }
}

fn cluster(centres: &[(i32, i32)], radius: i32, leaf_y: i32) -> String {
    let mut svg = String::new();
    for (x, y) in centres {
        svg += &format!(r#"<circle cx="{x}" cy="{y}" r="{radius}" stroke="{{g}}" stroke-width="2.5"/>"#);
    }
    svg + &format!(
        r#"<path d="M0,{leaf_y}C4,-40 20,-48 36,-44C34,-30 20,-20 0,{leaf_y}ZM0,{leaf_y}C-4,-36 -16,-44 -30,-42C-28,-30 -16,-22 0,{leaf_y}Z"/>"#
    )
}

fn barley() -> String {
    let mut svg = r#"<path d="M0,50V-30" stroke="{i}" stroke-width="3"/><ellipse cy="-38" rx="6" ry="12"/>"#.to_owned();
    for y in [-22, -4, 14, 32] {
        for (x, turn) in [(-11, -32), (11, 32)] {
            svg += &format!(r#"<ellipse rx="6" ry="13" transform="translate({x},{y}) rotate({turn})"/>"#);
        }
    }
    svg
}

fn petals() -> String {
    let mut svg = String::new();
    for turn in [0, 45, 90, 135] {
        svg += &format!(r#"<ellipse rx="13" ry="46" transform="rotate({turn})"/>"#);
    }
    svg + r#"<circle r="15" fill="{g}"/><circle r="9"/>"#
}

fn hop() -> String {
    let mut svg = r#"<path d="M0,-32V-50" stroke="{i}"/>"#.to_owned();
    for (x, y) in [(0, 20), (-13, 8), (13, 8), (-24, -8), (0, -4), (24, -8), (-13, -20), (13, -20)] {
        svg += &format!(
            r#"<path d="M{x},{}C{},{} {},{} {x},{}C{},{} {},{} {x},{}Z" stroke="{{g}}" stroke-width="2.5"/>"#,
            y - 20,
            x + 16,
            y - 12,
            x + 16,
            y + 8,
            y + 26,
            x - 16,
            y + 8,
            x - 16,
            y - 12,
            y - 20,
        );
    }
    svg
}
