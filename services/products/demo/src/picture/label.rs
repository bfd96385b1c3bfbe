//! Labels: five layouts for any area.

use super::canvas::{Area, Canvas, Run};
use super::motif::emblem;
use super::text::{Face, Room, capitals, set};
use crate::look::{Colours, Look, Style};

/// What is printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Print<'a> {
    pub(super) name: &'a str,
    pub(super) look: &'a Look,
    pub(super) colours: Colours,
}

impl<'a> Print<'a> {
    /// The name without what the label says elsewhere: the maker in front, the size behind.
    fn title(&self) -> &'a str {
        let mut name = self.name.split(',').next().unwrap_or(self.name);
        while let Some((word, rest)) = name.split_once(' ')
            && self.look.brand.split(' ').any(|maker| maker == word)
        {
            name = rest;
        }
        name
    }
}

/// Prints the label on `area`; `margin` keeps text off edges that curve away.
pub(super) fn print(canvas: &mut Canvas, area: Area, margin: i32, print: Print<'_>) {
    let sheet = Sheet { area, margin, print };
    let edge = area;
    canvas.clip(&format!("M{},{}h{}v{}h-{}Z", edge.x, edge.y, edge.w, edge.h, edge.w));
    canvas.put(&area.rect(&format!(r#"fill="{}""#, print.colours.paper)));
    match print.look.style {
        Style::Classic => sheet.classic(canvas),
        Style::Band => sheet.band(canvas),
        Style::Hills => sheet.hills(canvas),
        Style::Pattern => sheet.pattern(canvas),
        Style::Medallion => sheet.medallion(canvas),
    }
    canvas.close();
}

struct Sheet<'a> {
    area: Area,
    margin: i32,
    print: Print<'a>,
}

impl Sheet<'_> {
    /// A room centred at `percent` of the height, `h` percent tall.
    fn room(&self, percent: i32, h: i32, size: i32) -> Room {
        Room {
            x: self.area.middle(),
            y: self.area.at(percent),
            w: self.area.w - 2 * self.margin,
            h: self.area.h * h / 100,
            size,
        }
    }

    fn emblem(&self, percent: i32, share: i32, ink: &str, ground: &str) -> String {
        let span = self.area.h.min(self.area.w * 3 / 2);
        emblem(self.print.look.motif, (self.area.middle(), self.area.at(percent)), span * share / 100, ink, ground)
    }

    fn brand(&self, canvas: &mut Canvas, percent: i32, colour: &str) {
        canvas.put(&capitals(self.print.look.brand, self.room(percent, 8, 19), colour));
    }

    fn note(&self, canvas: &mut Canvas, percent: i32, colour: &str) {
        let room = self.room(percent, 7, (self.area.h / 15).min(19));
        let room = Room { w: room.w + self.margin, ..room };
        canvas.put(&set(self.print.look.note, room, Face::Sans, colour));
    }

    fn title(&self, canvas: &mut Canvas, percent: i32, h: i32, face: Face) {
        let room = self.room(percent, h, 54);
        canvas.put(&set(self.print.title(), room, face, self.print.colours.ink));
    }

    fn classic(&self, canvas: &mut Canvas) {
        let Colours { paper, ink, accent, .. } = self.print.colours;
        let frame = Area { x: self.area.x - 20, y: self.area.y + 9, w: self.area.w + 40, h: self.area.h - 18 };
        canvas.put(&frame.rect(&format!(r#"fill="none" stroke="{accent}" stroke-width="3""#)));
        self.brand(canvas, 13, ink);
        canvas.put(&self.emblem(35, 30, accent, paper));
        self.title(canvas, 65, 28, Face::Serif);
        self.rule(canvas, 81);
        self.note(canvas, 88, ink);
    }

    fn rule(&self, canvas: &mut Canvas, percent: i32) {
        let half = self.area.w / 6;
        canvas.put(&format!(
            r#"<path d="M{},{}h{}" stroke="{}" stroke-width="2"/>"#,
            self.area.middle() - half,
            self.area.at(percent),
            2 * half,
            self.print.colours.accent
        ));
    }

    fn band(&self, canvas: &mut Canvas) {
        let Colours { paper, ink, accent, .. } = self.print.colours;
        let field = Area { h: self.area.h * 43 / 100, ..self.area };
        canvas.put(&field.rect(&format!(r#"fill="{accent}""#)));
        canvas.put(&self.emblem(22, 32, paper, accent));
        let line = Area { y: self.area.at(45), h: 3, ..self.area };
        canvas.put(&line.rect(&format!(r#"fill="{accent}""#)));
        self.brand(canvas, 53, ink);
        self.title(canvas, 71, 27, Face::Sans);
        self.note(canvas, 91, ink);
    }

    fn hills(&self, canvas: &mut Canvas) {
        let Colours { paper, ink, accent, .. } = self.print.colours;
        let a = self.area;
        let sky = canvas.gradient(Run::Down, &[(0, paper, 0), (100, accent, 45)]);
        canvas.put(&a.rect(&format!(r#"fill="{sky}""#)));
        canvas.put(&format!(
            r#"<circle cx="{}" cy="{}" r="{}" fill="{accent}" opacity=".75"/>"#,
            a.x + a.w * 68 / 100,
            a.at(63),
            a.w.min(a.h) / 11
        ));
        for (level, opacity) in [(66, ".45"), (74, ".65"), (83, "1")] {
            let (y, w) = (a.at(level), a.w);
            let lift = if level == 74 { -a.h / 12 } else { a.h / 12 };
            canvas.put(&format!(
                r#"<path d="M{},{y}q{},{} {},0t{},0v{}h-{w}Z" fill="{accent}" opacity="{opacity}"/>"#,
                a.x,
                w / 4,
                -lift,
                w / 2,
                w - w / 2,
                a.h
            ));
        }
        self.brand(canvas, 11, ink);
        self.title(canvas, 34, 34, Face::Serif);
        self.note(canvas, 93, paper);
    }

    fn pattern(&self, canvas: &mut Canvas) {
        let Colours { paper, ink, accent, .. } = self.print.colours;
        // A lattice on its corner; the emblems stay upright.
        let step = self.area.w / 5;
        let motif = self.print.look.motif;
        let upright = emblem(motif, (0, 0), step * 74 / 100, paper, accent);
        let middle = step / 2;
        let tile = format!(r#"<g transform="translate({middle},{middle}) rotate(-45)">{upright}</g>"#);
        let paint = canvas.lattice(step, (self.area.middle(), self.area.y), &tile);
        let field = Area { h: self.area.h * 52 / 100, ..self.area };
        canvas.put(&field.rect(&format!(r#"fill="{accent}""#)));
        canvas.put(&field.rect(&format!(r#"fill="{paint}" opacity=".9""#)));
        self.brand(canvas, 60, ink);
        self.title(canvas, 75, 22, Face::Serif);
        self.note(canvas, 92, ink);
    }

    fn medallion(&self, canvas: &mut Canvas) {
        let Colours { paper, ink, accent, .. } = self.print.colours;
        let radius = (self.area.w * 30 / 100).min(self.area.h * 18 / 100);
        canvas.put(&format!(
            r#"<g transform="translate({},{})"><circle r="{radius}" fill="{accent}"/><circle r="{}" fill="none" stroke="{paper}" stroke-width="2"/><circle r="{}" fill="none" stroke="{accent}" stroke-width="2" stroke-dasharray="3 5"/></g>"#,
            self.area.middle(),
            self.area.at(26),
            radius - 6,
            radius + 8,
        ));
        let scale = radius * 125 / 100;
        let centre = (self.area.middle(), self.area.at(26));
        canvas.put(&emblem(self.print.look.motif, centre, scale, paper, accent));
        self.brand(canvas, 55, ink);
        self.title(canvas, 73, 25, Face::Serif);
        self.note(canvas, 92, ink);
    }
}
