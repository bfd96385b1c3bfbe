//! Values that nobody means well with.

use serde_json::{Map, Value, json};

/// Longer than any text of the shop may be.
const TOO_LONG: usize = 100_000;

/// Of the values below, what would be seen if one was logged.
pub const MARKERS: [&str; 7] =
    ["drop table", "<script>", "etc/passwd", "set-cookie", "or%201=1", "\u{202e}", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"];

/// What has to become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Must {
    /// 4xx, and nothing has changed.
    Refuse,
    /// Accepted or refused, but in order.
    Survive,
}

/// One bad value: as JSON, or as raw text where it is none.
#[derive(Debug, Clone)]
pub struct Bad {
    pub what: &'static str,
    pub raw: String,
    pub must: Must,
}

fn bad(what: &'static str, raw: impl Into<String>, must: Must) -> Bad {
    Bad { what, raw: raw.into(), must }
}

fn text(what: &'static str, text: &str, must: Must) -> Bad {
    bad(what, json!(text).to_string(), must)
}

/// What a place takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text within its length.
    Text,
    /// A text of a certain form: an id, a date, an amount, one of some words.
    Formed,
    Integer,
    Boolean,
    Object,
    List,
}

/// Values of other types than this one.
fn strangers(kind: Kind) -> Vec<Bad> {
    let all = [
        (Kind::Text, "a text", "\"x\""),
        (Kind::Integer, "a number", "7"),
        (Kind::Integer, "a fraction", "1.5"),
        (Kind::Boolean, "a truth", "true"),
        (Kind::List, "a list", "[[]]"),
        (Kind::Object, "an object", "{\"x\": {}}"),
    ];
    let is_own = |of: Kind, what: &str| {
        let texts = [Kind::Text, Kind::Formed];
        (of == kind && what != "a fraction") || (texts.contains(&of) && kind == Kind::Text)
    };
    all.into_iter()
        .filter(|(of, what, _)| !is_own(*of, what))
        .map(|(_, what, raw)| bad(what, raw, Must::Refuse))
        .collect()
}

/// Everything bad that can stand in a place of this kind.
pub fn values(kind: Kind) -> Vec<Bad> {
    let own = match kind {
        Kind::Text => texts(),
        Kind::Formed => texts().into_iter().map(|bad| Bad { must: Must::Refuse, ..bad }).collect(),
        Kind::Integer => integers(),
        Kind::Boolean | Kind::Object | Kind::List => Vec::new(),
    };
    [strangers(kind), own].concat()
}

fn texts() -> Vec<Bad> {
    vec![
        text("a NUL", "a\0b", Must::Refuse),
        bad("half a character", "\"a\\ud800b\"", Must::Refuse),
        text("too long a text", &"x".repeat(TOO_LONG), Must::Refuse),
        text("nothing", "", Must::Survive),
        text("blanks", " \t\n ", Must::Survive),
        text("control characters", "a\u{1b}[31mb\u{7}\u{8}", Must::Survive),
        text("an override", "a\u{202e}b\u{200b}", Must::Survive),
        text("SQL", "'; drop table orders.orders; --", Must::Survive),
        text("a pattern", "%_\\%", Must::Survive),
        text("markup", "<script>alert(1)</script>{{7*7}}${7*7}", Must::Survive),
        text("a way out", "../../../../etc/passwd", Must::Survive),
        text("more than one line", "a\r\nset-cookie: b=c", Must::Survive),
    ]
}

fn integers() -> Vec<Bad> {
    vec![
        bad("minus one", "-1", Must::Survive),
        bad("zero", "0", Must::Survive),
        bad("more than 32 bits", "2147483648", Must::Survive),
        bad("less than 32 bits", "-2147483649", Must::Survive),
        bad("the last of 64 bits", "9223372036854775807", Must::Survive),
        bad("more than 64 bits", "18446744073709551616", Must::Refuse),
        bad("more than a float", "1e400", Must::Refuse),
        bad("a number in words", "\"1\"", Must::Refuse),
    ]
}

/// Amounts of money that are none.
pub fn amounts() -> Vec<Bad> {
    let words =
        ["", "-1.00", "1e3", "0x10", "NaN", "1,00", "1.001", " 1.00", "+1.00", "99999999999999999999.00", "１.００"];
    words.into_iter().map(|amount| text("an amount that is none", amount, Must::Refuse)).collect()
}

/// A raw value at a place of a JSON object, which has to have what is above that place.
pub fn put(template: &Value, pointer: &str, raw: &str) -> String {
    const HOLE: &str = "~the place of the bad value~";
    let mut changed = template.clone();
    let (parent, name) = parent_of(&mut changed, pointer);
    parent.insert(name.to_owned(), json!(HOLE));
    changed.to_string().replace(&json!(HOLE).to_string(), raw)
}

/// The same object without this place.
pub fn without(template: &Value, pointer: &str) -> String {
    let mut changed = template.clone();
    let (parent, name) = parent_of(&mut changed, pointer);
    parent.remove(name);
    changed.to_string()
}

fn parent_of<'a, 'b>(object: &'a mut Value, pointer: &'b str) -> (&'a mut Map<String, Value>, &'b str) {
    let (parent, name) = pointer.rsplit_once('/').expect("a place below another");
    (object.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object"), name)
}
