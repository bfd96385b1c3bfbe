//! Every GraphQL field, with all there is below it, asked for by everybody.

use std::collections::BTreeSet;

use serde_json::Value;
use service::Role;

use crate::surface::fields::{FieldRule, GUARDED, OPERATED, OPERATORS_TYPES, OWNED_TYPES, PUBLIC_TYPES, rules};
use crate::surface::graphql::{Yield, yielded};
use crate::surface::introspection::{Root, Schema, innermost};
use crate::surface::operations::Outcome;
use crate::surface::state::State;
use crate::surface::things::Things;
use crate::surface::{Person, World};

const CALLERS: [&str; 4] = ["anonymous", "another user", "the owner", "an admin"];

/// Somebody's things, and who may do nothing with them, by number.
struct Guarded<'a> {
    things: Things<'a>,
    refused: Vec<(usize, Outcome, Option<String>)>,
}

struct Trial<'a> {
    world: &'a World,
    schema: &'a Schema,
    root: &'a Root,
    rule: &'a FieldRule,
    wrong: Vec<String>,
}

impl<'a> Trial<'a> {
    async fn token(&self, who: usize, owner: &Person) -> Option<String> {
        match who {
            0 => None,
            1 => Some(self.world.person(Role::User).await.token),
            2 => Some(owner.token.clone()),
            _ => Some(self.world.person(Role::Admin).await.token),
        }
    }

    /// Makes all that is asked for.
    async fn prepare(&self, owner: &'a Person) -> Guarded<'a> {
        let mut things = Things::of(self.world, OPERATED, owner);
        things.fill_json(&self.rule.arguments).await;
        let mut refused = Vec::new();
        for (who, outcome) in self.rule.access.into_iter().enumerate() {
            if outcome != Outcome::Done {
                refused.push((who, outcome, self.token(who, owner).await));
            }
        }
        Guarded { things, refused }
    }

    async fn ask(&self, things: &mut Things<'_>, token: Option<&str>) -> Result<Yield, String> {
        let arguments = things.fill_json(&self.rule.arguments).await;
        let document = self.schema.document(self.root, &arguments);
        if self.root.kind == "subscription" {
            return self.world.subscribe(&document, &arguments.to_string(), token).await;
        }
        let mut request = self.world.query(&document, &arguments, token);
        if let Some(cookie) = self.rule.cookie {
            let origin = self.world.shop.url("gateway");
            request = request.header("cookie", things.fill(cookie).await).header("origin", origin);
        }
        yielded(&self.world.send(request).await?)
    }

    /// Those who are refused are shown nothing, and change nothing.
    async fn refusals(&mut self, guarded: Guarded<'a>, state: &mut State) {
        let Guarded { mut things, refused } = guarded;
        for (who, outcome, token) in refused {
            let yielded = self.ask(&mut things, token.as_deref()).await;
            let complaint = yielded.and_then(|yielded| self.judge(outcome, &yielded, &things.markers()));
            self.note(who, complaint);
        }
        let changed = state.changes(self.world).await;
        if !changed.is_empty() {
            self.wrong.push(format!("{}: refused calls changed {changed:?}", self.rule.name));
        }
    }

    /// Those who may, each about things of a new owner.
    async fn successes(&mut self) {
        for (who, outcome) in self.rule.access.into_iter().enumerate() {
            if outcome == Outcome::Done {
                let owner = self.world.person(Role::User).await;
                let mut things = Things::of(self.world, OPERATED, &owner);
                let token = self.token(who, &owner).await;
                let yielded = self.ask(&mut things, token.as_deref()).await;
                let complaint = yielded.and_then(|yielded| self.judge(outcome, &yielded, &[]));
                self.note(who, complaint);
            }
        }
    }

    fn note(&mut self, who: usize, judged: Result<(), String>) {
        if let Err(complaint) = judged {
            self.wrong.push(format!("{} by {}: {complaint}", self.rule.name, CALLERS[who]));
        }
    }

    fn judge(&self, outcome: Outcome, yielded: &Yield, markers: &[String]) -> Result<(), String> {
        let text = yielded.answer.to_string();
        if let Some(marker) = markers.iter().find(|marker| text.contains(marker.as_str())) {
            return Err(format!("it shows {marker}: {text}"));
        }
        let field = self.root.field["name"].as_str().expect("a name");
        let data = yielded.data(field);
        let refusals = data["userErrors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_hidden = match self.root.kind {
            "query" => data.is_null() && yielded.errors().is_empty(),
            "mutation" => !refusals.is_empty() && refusals.iter().all(|one| ends_as_absent(&one["code"])),
            _ => yielded.errors().iter().all(|error| ends_as_absent(&error["extensions"]["code"])),
        };
        let is_as_expected = match outcome {
            Outcome::Done => !data.is_null() && refusals.is_empty() && self.only_guarded_are_refused(yielded),
            Outcome::Nothing => self.only_guarded_are_refused(yielded),
            Outcome::Unknown => yielded.codes() == ["UNAUTHENTICATED"] && data.is_null(),
            Outcome::Forbidden => yielded.codes() == ["FORBIDDEN"] && data.is_null(),
            Outcome::Hidden => is_hidden,
        };
        if is_as_expected { Ok(()) } else { Err(format!("not {outcome:?}: {text}")) }
    }

    /// Fields for admins below one for everybody are refused, and nothing else is.
    fn only_guarded_are_refused(&self, yielded: &Yield) -> bool {
        yielded.errors().iter().all(|error| {
            let path: Vec<&str> = error["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let is_refusal = ["UNAUTHENTICATED", "FORBIDDEN"].iter().any(|code| error["extensions"]["code"] == *code);
            is_refusal && GUARDED.contains(&self.field_at(&path).as_str())
        })
    }

    /// `Product.stockHistory` for a path that ends there.
    fn field_at(&self, path: &[&str]) -> String {
        let mut parent = "";
        let mut field = &self.root.field;
        for name in path.iter().skip(1) {
            parent = innermost(&field["type"]);
            field = self.schema.fields(parent).into_iter().find(|field| field["name"] == *name).unwrap_or(&Value::Null);
        }
        format!("{parent}.{}", path.last().copied().unwrap_or_default())
    }
}

fn ends_as_absent(code: &Value) -> bool {
    code.as_str().is_some_and(|code| code.ends_with("_NOT_FOUND") || code == "NO_DEMO")
}

#[tokio::test]
async fn every_field_shows_and_changes_only_what_the_caller_may() {
    let world = World::open().await;
    let (schema, rules) = (Schema::of(&world).await, rules());
    let roots = schema.roots();
    let (mut trials, mut owners, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for root in &roots {
        let Some(rule) = rules.iter().find(|rule| rule.name == root.name()) else {
            wrong.push(format!("{} is not described", root.name()));
            continue;
        };
        trials.push(Trial { world: &world, schema: &schema, root, rule, wrong: Vec::new() });
        owners.push(world.person(Role::User).await);
    }
    // Everything is made beforehand, so that rest is waited for once.
    let mut guarded = Vec::new();
    for (trial, owner) in trials.iter().zip(&owners) {
        guarded.push(trial.prepare(owner).await);
    }
    let mut state = State::at_rest(&world).await;
    for (trial, guarded) in trials.iter_mut().zip(guarded) {
        trial.refusals(guarded, &mut state).await;
    }
    for mut trial in trials {
        trial.successes().await;
        wrong.append(&mut trial.wrong);
    }
    let gone = rules.iter().filter(|rule| !roots.iter().any(|root| root.name() == rule.name));
    wrong.extend(gone.map(|rule| format!("{} is described, but does not exist", rule.name)));
    wrong.extend(unclassified(&schema));
    assert!(wrong.is_empty(), "{} surprises:\n{}", wrong.len(), wrong.join("\n"));
}

/// Types of which nobody has said who may see them, and ways from public types to others that nobody guards.
fn unclassified(schema: &Schema) -> Vec<String> {
    let known: BTreeSet<&str> = [PUBLIC_TYPES, OWNED_TYPES, OPERATORS_TYPES].concat().into_iter().collect();
    let mut wrong = Vec::new();
    for name in schema.objects().filter(|name| !name.ends_with("Payload") && !known.contains(name)) {
        wrong.push(format!("of the type {name} nobody has said who may see it"));
    }
    for name in PUBLIC_TYPES {
        for field in schema.fields(name) {
            let (target, field) =
                (innermost(&field["type"]), format!("{name}.{}", field["name"].as_str().expect("a name")));
            let is_private = OWNED_TYPES.contains(&target) || OPERATORS_TYPES.contains(&target);
            if is_private && !GUARDED.contains(&field.as_str()) {
                wrong.push(format!("{field} leads from everybody to {target}, unguarded"));
            }
        }
    }
    wrong
}
