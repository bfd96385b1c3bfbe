//! Which SQL throws data away.

use std::sync::LazyLock;

use regex::Regex;

static EMPTIES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\b(truncate|delete\s+from)\b").expect("a constant pattern"));
static DROPS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\bdrop\s+(?:if\s+exists\s+)?(\w+)").expect("a constant pattern"));
/// What can be dropped and made again without loss. Any other word after DROP, a bare column name too, is data.
const HOLDS_NO_DATA: &[&str] = &[
    "index",
    "function",
    "procedure",
    "routine",
    "aggregate",
    "trigger",
    "constraint",
    "view",
    "policy",
    "rule",
    "role",
    "cast",
    "operator",
    "collation",
    "statistics",
    "not",
    "default",
    "expression",
    "identity",
];

/// Does this DOWN migration need the operator's leave? In doubt yes: a comment that names `DROP TABLE` counts.
pub(crate) fn throws_data_away(down: &str) -> bool {
    EMPTIES.is_match(down)
        || DROPS.captures_iter(down).any(|drop| !HOLDS_NO_DATA.contains(&drop[1].to_lowercase().as_str()))
}
