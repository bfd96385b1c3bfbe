//! Text on labels: escaped, measured, wrapped to fit.

/// A typeface as every system has one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Face {
    Serif,
    Sans,
}

impl Face {
    fn attributes(self) -> &'static str {
        match self {
            Face::Serif => r#"font-family="Georgia,'Times New Roman',serif" font-weight="700""#,
            Face::Sans => {
                r#"font-family="system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif" font-weight="600""#
            }
        }
    }
}

/// The room a text may take: centred on (`x`, `y`), at most `w` by `h`, at most `size` tall.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) w: i32,
    pub(super) h: i32,
    pub(super) size: i32,
}

/// Text as XML content.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The width of `text` in thousandths of the font size, in the widest of the usual bold fonts.
fn width(text: &str) -> i32 {
    text.chars()
        .map(|c| match c {
            'i' | 'l' | 'j' | '.' | ',' | '\'' | '’' | 'I' | '·' | ':' => 360,
            ' ' | 'f' | 't' | 'r' | '-' => 440,
            'm' | 'w' | 'M' | 'W' | '%' | '&' | '½' => 1020,
            c if c.is_uppercase() => 790,
            _ => 680,
        })
        .sum()
}

/// Breaks `text` into lines of at most `limit` thousandths; `None` if a word is too long.
fn wrap(text: &str, limit: i32) -> Option<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        if width(word) > limit {
            return None;
        }
        match lines.last_mut() {
            Some(line) if width(line) + 440 + width(word) <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    Some(lines)
}

/// The largest setting of `text` that fits: font size and lines.
fn fit(text: &str, room: Room) -> (i32, Vec<String>) {
    for size in (9..=room.size).rev() {
        if let Some(lines) = wrap(text, room.w * 1000 / size)
            && lines.len() as i32 * size * 115 / 100 <= room.h.max(size * 115 / 100)
        {
            return (size, lines);
        }
    }
    (9, vec![text.to_owned()])
}

/// A text in its room, in one colour.
pub(super) fn set(text: &str, room: Room, face: Face, colour: &str) -> String {
    let (size, lines) = fit(text, room);
    let leading = size * 115 / 100;
    let first = room.y - leading * (lines.len() as i32 - 1) / 2 + size * 35 / 100;
    let mut svg = format!(r#"<text text-anchor="middle" font-size="{size}" fill="{colour}" {}>"#, face.attributes());
    for (index, line) in lines.iter().enumerate() {
        svg += &format!(r#"<tspan x="{}" y="{}">{}</tspan>"#, room.x, first + leading * index as i32, escape(line));
    }
    svg + "</text>"
}

/// One line of small spaced capitals.
pub(super) fn capitals(text: &str, room: Room, colour: &str) -> String {
    let text = text.to_uppercase();
    let letters = text.chars().count() as i32;
    let size = (room.w * 1000 / (width(&text) + 110 * letters)).clamp(8, room.size);
    format!(
        r#"<text x="{}" y="{}" text-anchor="middle" font-size="{size}" letter-spacing=".1em" fill="{colour}" {}>{}</text>"#,
        room.x,
        room.y + size * 35 / 100,
        Face::Sans.attributes(),
        escape(&text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_words_and_shrinks_to_fit() {
        let room = Room { x: 0, y: 0, w: 200, h: 80, size: 60 };
        let (size, lines) = fit("Spätburgunder vom Löss", room);
        assert!(lines.len() >= 2);
        assert!(lines.iter().all(|line| width(line) * size / 1000 <= room.w));
        assert!(lines.len() as i32 * size <= room.h);
    }

    #[test]
    fn escapes_markup() {
        assert_eq!(escape(r#"Salt & <"Pepper">"#), "Salt &amp; &lt;&quot;Pepper&quot;&gt;");
    }
}
