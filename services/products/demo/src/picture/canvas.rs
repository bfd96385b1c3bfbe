//! The SVG under construction: definitions, drawing, and ids that are the same on every run.

use super::lathe::Profile;

/// A rectangle around the axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) w: i32,
    pub(super) h: i32,
}

impl Area {
    /// The y at `percent` of the height.
    pub(super) fn at(&self, percent: i32) -> i32 {
        self.y + self.h * percent / 100
    }

    pub(super) fn middle(&self) -> i32 {
        self.x + self.w / 2
    }

    pub(super) fn rect(&self, attributes: &str) -> String {
        format!(r#"<rect x="{}" y="{}" width="{}" height="{}" {attributes}/>"#, self.x, self.y, self.w, self.h)
    }
}

/// Which way a gradient runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Run {
    Across,
    Down,
    Outwards,
}

#[derive(Debug, Default)]
pub(super) struct Canvas {
    defs: String,
    drawing: String,
    ids: usize,
}

impl Canvas {
    pub(super) fn put(&mut self, svg: &str) {
        self.drawing += svg;
    }

    fn id(&mut self) -> String {
        self.ids += 1;
        format!("i{}", self.ids)
    }

    /// Defines a gradient of (offset in percent, colour, opacity in percent); returns the paint.
    pub(super) fn gradient(&mut self, run: Run, stops: &[(i32, &str, i32)]) -> String {
        let id = self.id();
        let (element, geometry) = match run {
            Run::Across => ("linearGradient", ""),
            Run::Down => ("linearGradient", r#" x2="0" y2="1""#),
            Run::Outwards => ("radialGradient", ""),
        };
        self.defs += &format!(r#"<{element} id="{id}"{geometry}>"#);
        for (offset, colour, opacity) in stops {
            self.defs += &format!(r#"<stop offset="{offset}%" stop-color="{colour}""#);
            if *opacity < 100 {
                self.defs += &format!(r#" stop-opacity="{}""#, factor(*opacity));
            }
            self.defs += "/>";
        }
        self.defs += &format!("</{element}>");
        format!("url(#{id})")
    }

    /// Defines a pattern tile; returns the paint.
    pub(super) fn pattern(&mut self, size: (i32, i32), tile: &str) -> String {
        let id = self.id();
        self.defs += &format!(
            r#"<pattern id="{id}" width="{}" height="{}" patternUnits="userSpaceOnUse">{tile}</pattern>"#,
            size.0, size.1
        );
        format!("url(#{id})")
    }

    /// Defines a square pattern turned by 45 degrees about a point; returns the paint.
    pub(super) fn lattice(&mut self, step: i32, (x, y): (i32, i32), tile: &str) -> String {
        let id = self.id();
        self.defs += &format!(
            r#"<pattern id="{id}" width="{step}" height="{step}" patternUnits="userSpaceOnUse" patternTransform="translate({x},{y}) rotate(45)">{tile}</pattern>"#
        );
        format!("url(#{id})")
    }

    /// Draws what follows only inside `path`, until [`Canvas::close`].
    pub(super) fn clip(&mut self, path: &str) {
        let id = self.id();
        self.defs += &format!(r#"<clipPath id="{id}"><path d="{path}"/></clipPath>"#);
        self.drawing += &format!(r#"<g clip-path="url(#{id})">"#);
    }

    pub(super) fn open(&mut self, transform: &str) {
        self.drawing += &format!(r#"<g transform="{transform}">"#);
    }

    /// Opens a group that [`Canvas::again`] can repeat.
    pub(super) fn open_named(&mut self) -> String {
        let id = self.id();
        self.drawing += &format!(r#"<g id="{id}">"#);
        id
    }

    pub(super) fn again(&mut self, id: &str) {
        self.drawing += &format!(r##"<use href="#{id}"/>"##);
    }

    pub(super) fn close(&mut self) {
        self.drawing += "</g>";
    }

    pub(super) fn path(&mut self, d: &str, fill: &str) {
        self.drawing += &format!(r#"<path d="{d}" fill="{fill}"/>"#);
    }

    /// A band of light or shade that follows the form.
    pub(super) fn tone(&mut self, form: &Profile, (left, right): (i32, i32), colour: &str, opacity: i32) {
        self.drawing +=
            &format!(r#"<path d="{}" fill="{colour}" opacity="{}"/>"#, form.between(left, right), factor(opacity));
    }

    /// A pool of shade on the table.
    pub(super) fn shadow(&mut self, (x, y): (i32, i32), (rx, ry): (i32, i32)) {
        let paint = self.gradient(Run::Outwards, &[(0, "#1c130c", 48), (55, "#1c130c", 20), (100, "#1c130c", 0)]);
        self.drawing += &format!(r#"<ellipse cx="{x}" cy="{y}" rx="{rx}" ry="{ry}" fill="{paint}"/>"#);
    }

    pub(super) fn finish(self, title: &str) -> String {
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 800" role="img"><title>{title}</title><defs>{}</defs>{}</svg>"#,
            self.defs, self.drawing
        )
    }
}

/// Percent as a factor, in the shortest form SVG reads.
pub(super) fn factor(percent: i32) -> String {
    match (percent / 100, percent % 100) {
        (0, 0) => "0".to_owned(),
        (0, rest) => format!(".{rest:02}"),
        (whole, rest) => format!("{whole}.{rest:02}"),
    }
}
