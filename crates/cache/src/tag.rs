//! What cached values are made of.

use uuid::Uuid;

/// Something that changes as one: a row, or all rows of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(pub(crate) u128);

impl Tag {
    /// A whole kind, by a number that its owner gave it.
    pub const fn kind(number: u8) -> Tag {
        Tag(number as u128)
    }

    /// One object. Ids are unique, so kinds of objects need not be told apart.
    pub const fn one(id: Uuid) -> Tag {
        Tag(id.as_u128())
    }

    pub(crate) fn as_kind(self) -> Option<u8> {
        u8::try_from(self.0).ok()
    }
}

/// The state that one or several tags are in. Of several it is the sum: counters only grow, and random ones do not
/// meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Version(pub(crate) u128);

impl Version {
    /// The version of both.
    pub(crate) fn and(self, other: Version) -> Version {
        Version(self.0.wrapping_add(other.0))
    }
}

impl From<Version> for u128 {
    fn from(version: Version) -> u128 {
        version.0
    }
}
