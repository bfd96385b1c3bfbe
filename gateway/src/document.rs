//! Limits on documents, checked before anything walks them: tokens, nesting, aliases, depth, expanded size.
//!
//! Fragments are counted where they are spread, each looked at once: a document of fragments that spread each
//! other twice stands for more fields than a server could visit. What passes is kept parsed, by its text.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, ServerError, Variables};
use moka::future::Cache;

/// Brackets in brackets, in any syntax: the parser recurses.
const MAX_NESTING: usize = 64;
/// Fields after fragments are spread.
const MAX_FIELDS: usize = 5_000;
/// Lists of fields in lists of fields: the schema's types refer to each other, so each level multiplies.
const MAX_INTROSPECTION_LISTS: usize = 2;
const INTROSPECTION_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];
/// Texts longer than this are parsed each time.
const MAX_KEPT_BYTES: usize = 16 * 1024;
/// Documents that are kept.
const KEPT_DOCUMENTS: u64 = 500;

/// What a document may be like.
#[derive(Debug, Clone)]
pub struct DocumentLimits {
    /// Lexical tokens.
    pub max_tokens: usize,
    /// Aliased fields.
    pub max_aliases: usize,
    /// Fields in fields, introspection aside.
    pub max_depth: usize,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self { max_tokens: 2_000, max_aliases: 30, max_depth: 15 }
    }
}

/// Parses documents within their limits, and keeps those that recur.
pub struct Documents {
    limits: DocumentLimits,
    kept: Cache<Box<str>, Arc<ExecutableDocument>>,
}

impl Documents {
    /// Nothing is kept yet.
    pub fn new(limits: DocumentLimits) -> Self {
        Self { limits, kept: Cache::new(KEPT_DOCUMENTS) }
    }

    /// The document of a text.
    ///
    /// Errors: it does not parse, or is beyond a limit; the error's `extensions.code` says which.
    pub async fn parse(&self, text: &str) -> Result<Arc<ExecutableDocument>, ServerError> {
        if let Some(document) = self.kept.get(text).await {
            return Ok(document);
        }
        let document = Arc::new(self.parse_anew(text)?);
        if text.len() <= MAX_KEPT_BYTES {
            self.kept.insert(text.into(), document.clone()).await;
        }
        Ok(document)
    }

    fn parse_anew(&self, text: &str) -> Result<ExecutableDocument, ServerError> {
        check_tokens(text, self.limits.max_tokens)?;
        let document = parse_query(text).map_err(|error| coded(ServerError::from(error), "GRAPHQL_PARSE_FAILED"))?;
        Expansion::new(&document).check(&document, &self.limits)?;
        Ok(document)
    }
}

/// The operation that a request is about; `None` if it names none of the document.
pub fn operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name).map(|operation| &operation.node),
        (DocumentOperations::Multiple(operations), None) => {
            operations.values().next().filter(|_| operations.len() == 1).map(|operation| &operation.node)
        }
    }
}

/// The variables of a request, those with a default that were not given among them. async-graphql fills them in where
/// they are arguments of fields, but not where `@include` and `@skip` ask.
pub fn with_defaults(mut variables: Variables, operation: &OperationDefinition) -> Variables {
    for definition in &operation.variable_definitions {
        if let Some(default) = &definition.node.default_value {
            variables.entry(definition.node.name.node.clone()).or_insert_with(|| default.node.clone());
        }
    }
    variables
}

/// Sets `extensions.code` of an error that has none.
pub fn coded(mut error: ServerError, code: &str) -> ServerError {
    let extensions = error.extensions.get_or_insert_default();
    if extensions.get("code").is_none() {
        extensions.set("code", code);
    }
    error
}

fn beyond(code: &str, message: String, pos: Option<Pos>) -> ServerError {
    coded(ServerError::new(message, pos), code)
}

/// Counts tokens and nesting without building anything.
fn check_tokens(text: &str, max_tokens: usize) -> Result<(), ServerError> {
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0, 0_usize);
    while at < bytes.len() {
        let start = at;
        at += match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += run(&bytes[at..], |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'"' => string_length(&bytes[at..]),
            byte if is_word(byte) => run(&bytes[at..], is_word),
            b'.' => run(&bytes[at..], |byte| byte == b'.').min(3),
            _ => 1,
        };
        tokens += 1;
        match bytes[start] {
            b'{' | b'(' | b'[' => nesting += 1,
            b'}' | b')' | b']' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        if tokens > max_tokens {
            let message = format!("the document has more than {max_tokens} tokens");
            return Err(beyond("TOKEN_LIMIT_EXCEEDED", message, None));
        }
        if nesting > MAX_NESTING {
            let message = format!("brackets are nested deeper than {MAX_NESTING}");
            return Err(beyond("DEPTH_LIMIT_EXCEEDED", message, None));
        }
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte >= 0x80
}

fn run(bytes: &[u8], is_in: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !is_in(*byte)).unwrap_or(bytes.len())
}

/// Length of the string that begins here, to the end of the text if it is not closed.
fn string_length(bytes: &[u8]) -> usize {
    let (open, escape): (&[u8], &[u8]) = match bytes.starts_with(b"\"\"\"") {
        true => (b"\"\"\"", b"\\\"\"\""),
        false => (b"\"", b"\\"),
    };
    let mut at = open.len();
    while at < bytes.len() {
        if bytes[at..].starts_with(escape) {
            at += escape.len().max(2);
        } else if bytes[at..].starts_with(open) {
            return at + open.len();
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// What a selection amounts to once fragments are spread.
#[derive(Clone, Copy, Default)]
struct Size {
    depth: usize,
    aliases: usize,
    fields: usize,
    introspection_lists: usize,
}

impl Size {
    fn beside(self, other: Size) -> Size {
        Size {
            depth: self.depth.max(other.depth),
            aliases: self.aliases.saturating_add(other.aliases),
            fields: self.fields.saturating_add(other.fields),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
        }
    }
}

struct Expansion<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// `None` while a fragment is being measured: whoever meets it then has found a cycle.
    measured: HashMap<&'a str, Option<Size>>,
}

impl<'a> Expansion<'a> {
    fn new(document: &'a ExecutableDocument) -> Self {
        Self { fragments: &document.fragments, measured: HashMap::new() }
    }

    fn check(mut self, document: &'a ExecutableDocument, limits: &DocumentLimits) -> Result<(), ServerError> {
        let mut whole = Size::default();
        for (_, operation) in document.operations.iter() {
            let size = self.measure(&operation.node.selection_set.node)?;
            if size.depth > limits.max_depth {
                let message = format!("the operation is {} levels deep; the limit is {}", size.depth, limits.max_depth);
                return Err(beyond("DEPTH_LIMIT_EXCEEDED", message, Some(operation.pos)));
            }
            whole = whole.beside(size);
        }
        // Validation looks at fragments that nobody spreads, too.
        for name in document.fragments.keys() {
            self.fragment(name, None)?;
        }
        if whole.introspection_lists > MAX_INTROSPECTION_LISTS {
            let message = "introspection asks for fields of fields of fields".to_owned();
            return Err(beyond("DEPTH_LIMIT_EXCEEDED", message, None));
        }
        if whole.aliases > limits.max_aliases {
            let message = format!("the document has {} aliases; the limit is {}", whole.aliases, limits.max_aliases);
            return Err(beyond("ALIAS_LIMIT_EXCEEDED", message, None));
        }
        if whole.fields > MAX_FIELDS {
            let message = format!("the document stands for more than {MAX_FIELDS} fields");
            return Err(beyond("COMPLEXITY_LIMIT_EXCEEDED", message, None));
        }
        Ok(())
    }

    fn measure(&mut self, selection: &'a SelectionSet) -> Result<Size, ServerError> {
        let mut sum = Size::default();
        for item in &selection.items {
            let size = match &item.node {
                Selection::Field(field) => {
                    let children = self.measure(&field.node.selection_set.node)?;
                    let name = field.node.name.node.as_str();
                    let is_list = INTROSPECTION_LISTS.contains(&name);
                    Size {
                        depth: if name.starts_with("__") { 0 } else { children.depth + 1 },
                        aliases: children.aliases.saturating_add(field.node.alias.is_some().into()),
                        fields: children.fields.saturating_add(1),
                        introspection_lists: children.introspection_lists + usize::from(is_list),
                    }
                }
                Selection::InlineFragment(fragment) => self.measure(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, Some(spread.pos))?
                }
            };
            sum = sum.beside(size);
        }
        Ok(sum)
    }

    /// A fragment's size; nothing if it does not exist, which validation will say better.
    fn fragment(&mut self, name: &'a Name, pos: Option<Pos>) -> Result<Size, ServerError> {
        match self.measured.get(name.as_str()) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                let message = format!("the fragment {name} spreads itself");
                return Err(beyond("GRAPHQL_VALIDATION_FAILED", message, pos));
            }
            None => {}
        }
        let Some(fragment) = self.fragments.get(name) else { return Ok(Size::default()) };
        self.measured.insert(name.as_str(), None);
        let size = self.measure(&fragment.node.selection_set.node)?;
        self.measured.insert(name.as_str(), Some(size));
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<String> {
        let error = Documents::new(DocumentLimits::default()).parse_anew(text).err()?;
        match error.extensions.unwrap().get("code").unwrap() {
            async_graphql::Value::String(code) => Some(code.clone()),
            _ => None,
        }
    }

    fn nested(depth: usize) -> String {
        format!("{}a{}", "{a".repeat(depth - 1) + "{", "}".repeat(depth))
    }

    #[test]
    fn limits_are_exact() {
        assert_eq!(refused(&nested(15)), None);
        assert_eq!(refused(&nested(16)).as_deref(), Some("DEPTH_LIMIT_EXCEEDED"));
        let aliases = |count: usize| format!("{{{}}}", (0..count).map(|n| format!("a{n}: a ")).collect::<String>());
        assert_eq!(refused(&aliases(30)), None);
        assert_eq!(refused(&aliases(31)).as_deref(), Some("ALIAS_LIMIT_EXCEEDED"));
        assert_eq!(refused(&format!("{{{}}}", "a ".repeat(1_998))), None);
        assert_eq!(refused(&format!("{{{}}}", "a ".repeat(1_999))).as_deref(), Some("TOKEN_LIMIT_EXCEEDED"));
        assert_eq!(refused("{"), Some("GRAPHQL_PARSE_FAILED".to_owned()));
    }

    #[test]
    fn aliases_and_depth_hide_in_no_fragment() {
        let spread = "{...f ...f} fragment f on Query {".to_owned() + &"b: a ".repeat(16) + "}";
        assert_eq!(refused(&spread).as_deref(), Some("ALIAS_LIMIT_EXCEEDED"));
        let deep = format!("{{a{{...f}}}} fragment f on Query {}", nested(15));
        assert_eq!(refused(&deep).as_deref(), Some("DEPTH_LIMIT_EXCEEDED"));
    }

    #[test]
    fn fragments_that_double_are_refused_quickly() {
        let mut bomb = "{...f0}".to_owned();
        for n in 0..100 {
            bomb += &format!(" fragment f{n} on Query {{...f{} ...f{}}}", n + 1, n + 1);
        }
        bomb += " fragment f100 on Query {a}";
        assert_eq!(refused(&bomb).as_deref(), Some("COMPLEXITY_LIMIT_EXCEEDED"));
        let cycle = "{...a} fragment a on Query {...b} fragment b on Query {...a}";
        assert_eq!(refused(cycle).as_deref(), Some("GRAPHQL_VALIDATION_FAILED"));
    }

    #[test]
    fn introspection_may_not_multiply() {
        assert_eq!(refused("{__schema{types{fields{type{fields{name}}}}}}"), None);
        let deep = "{__schema{types{fields{type{fields{type{fields{name}}}}}}}}";
        assert_eq!(refused(deep).as_deref(), Some("DEPTH_LIMIT_EXCEEDED"));
    }

    #[test]
    fn nesting_of_values_is_limited_before_parsing() {
        let lists = format!("{{a(b: {}{})}}", "[".repeat(500), "]".repeat(500));
        assert_eq!(refused(&lists).as_deref(), Some("DEPTH_LIMIT_EXCEEDED"));
    }

    #[test]
    fn tokens_in_strings_and_comments_count_as_one_or_none() {
        let count = |text: &str, max| check_tokens(text, max).is_ok();
        assert!(count("{a(b: \"} { \\\" } {\")} # { { {", 8));
        assert!(!count("{a(b: \"} { \\\" } {\")} # { { {", 7));
        assert!(count("\"\"\" a \\\"\"\" b \"\" c \"\"\" x", 2));
        assert!(count("...on", 2));
        assert!(count("\"never closed", 1));
    }
}
