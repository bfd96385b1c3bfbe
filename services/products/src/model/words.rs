//! Words that somebody looks for.

use service::Error;

/// Longer searches are refused.
const MAX_CHARS: usize = 200;
/// Shorter parts of words are in too many names for an index of their parts to help.
const MIN_PART_CHARS: usize = 3;
/// So many words are compared with names, the longest.
const MAX_COMPARED: usize = 8;

/// Words to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// As typed.
    pub text: String,
    /// All but the last word.
    pub typed: String,
    /// The last word, perhaps not typed out.
    pub typing: String,
    /// How the text is to be read.
    pub syntax: Syntax,
    /// For `ILIKE`: anywhere in a name.
    pub within: Option<String>,
    /// For `ILIKE`: at the start of a name or SKU.
    pub prefix: String,
    /// To be compared with names where spelling is forgiven: in lower case, the longest first.
    pub compared: Vec<String>,
}

/// How a search text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// All of the words; the last may go on.
    Words,
    /// With quotes, `or` or `-`: exactly what is said.
    Operators,
}

/// How closely products must match words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// They have the words.
    #[default]
    Exact,
    /// Or words that look like them.
    Similar,
}

impl Matching {
    /// For the form of a cursor.
    pub fn is_exact(&self) -> bool {
        *self == Matching::Exact
    }
}

impl Words {
    /// Fewer exact matches than this are next to none: then words that look alike count, too.
    pub const LITTLE: i64 = 3;

    /// `None` for a blank text. Errors: 422 for one that is too long.
    pub fn parse(text: &str) -> Result<Option<Words>, Error> {
        let text = text.trim();
        if text.chars().count() > MAX_CHARS {
            return Err(Error::invalid("q", "too_long", format!("at most {MAX_CHARS} characters")));
        }
        if text.is_empty() {
            return Ok(None);
        }
        let literal = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
        let syntax = syntax(text);
        let (typed, typing) = text.rsplit_once(char::is_whitespace).unwrap_or(("", text));
        Ok(Some(Words {
            syntax,
            within: has_part(text).then(|| format!("%{literal}%")),
            prefix: format!("{literal}%"),
            compared: if syntax == Syntax::Words { compared(text) } else { Vec::new() },
            typed: typed.to_owned(),
            typing: typing.to_owned(),
            text: text.to_owned(),
        }))
    }

    /// Can spelling be forgiven at all?
    pub fn can_be_similar(&self) -> bool {
        !self.compared.is_empty()
    }
}

fn syntax(text: &str) -> Syntax {
    let is_operator = |word: &str| word.starts_with('-') || word.eq_ignore_ascii_case("or");
    if text.contains('"') || text.split_whitespace().any(is_operator) { Syntax::Operators } else { Syntax::Words }
}

fn has_part(text: &str) -> bool {
    words(text).any(|word| word.chars().count() >= MIN_PART_CHARS)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn compared(text: &str) -> Vec<String> {
    let mut compared: Vec<String> =
        words(text).filter(|word| word.chars().count() >= MIN_PART_CHARS).map(str::to_lowercase).collect();
    compared.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    compared.truncate(MAX_COMPARED);
    compared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Words {
        Words::parse(text).unwrap().unwrap()
    }

    #[test]
    fn patterns_are_literal() {
        let words = parse(r"100%_\");
        assert_eq!((words.within.as_deref(), words.prefix.as_str()), (Some(r"%100\%\_\\%"), r"100\%\_\\%"));
    }

    #[test]
    fn the_last_word_is_being_typed() {
        let words = parse("a nice cup");
        assert_eq!((words.typed.as_str(), words.typing.as_str()), ("a nice", "cup"));
        assert_eq!((parse("te").typed.as_str(), parse("te").typing.as_str()), ("", "te"));
    }

    #[test]
    fn operators_are_told_from_words() {
        for text in ["green tea", "müller-thurgau", "oregano", "o'neill"] {
            assert_eq!(parse(text).syntax, Syntax::Words, "{text}");
        }
        for text in ["\"green tea", "tea OR coffee", "tea -green"] {
            let words = parse(text);
            assert_eq!((words.syntax, words.can_be_similar()), (Syntax::Operators, false), "{text}");
        }
    }

    #[test]
    fn short_words_are_not_compared_and_long_ones_first() {
        assert_eq!(parse("a Nice Cappuccino to go").compared, ["cappuccino", "nice"]);
        let short = parse("te a");
        assert_eq!((short.within, short.compared), (None, Vec::new()));
    }

    #[test]
    fn blank_is_nothing_and_much_is_refused() {
        assert_eq!(Words::parse("  "), Ok(None));
        assert_eq!(Words::parse(&"x".repeat(201)).unwrap_err().code, "validation_failed");
    }
}
