//! Every GraphQL field, with every place of its arguments filled badly, as the schema names and types them.

use reqwest::Method;
use serde_json::{Value, json};
use service::Role;

use super::values::{Bad, Kind, MARKERS, Must, amounts, put, values, without};
use crate::surface::fields::{FieldRule, OPERATED, rules};
use crate::surface::graphql::yielded;
use crate::surface::introspection::{Root, Schema, innermost};
use crate::surface::operations::Outcome;
use crate::surface::state::State;
use crate::surface::things::Things;
use crate::surface::{Answer, Log, World};

/// How a WebSocket ends that was sent what is no message, or more than one may have.
const CLOSED: &str = "closed: 4400";
/// What a message may have, less what stands around its variables.
const MOST_BYTES: usize = 60_000;

/// A place in the arguments.
struct Place {
    pointer: String,
    kind: Kind,
    type_name: String,
    is_required: bool,
}

/// Bad variables of a good document.
struct Shot {
    what: String,
    variables: String,
    must: Must,
}

/// A field, and somebody who may ask for it.
struct Target<'a> {
    world: &'a World,
    root: &'a Root,
    rule: &'a FieldRule,
    document: String,
    arguments: Value,
    places: Vec<Place>,
    token: String,
}

impl<'a> Target<'a> {
    async fn new(world: &'a World, schema: &Schema, root: &'a Root, rule: &'a FieldRule) -> Target<'a> {
        let owner = world.person(Role::User).await;
        let mut things = Things::of(world, OPERATED, &owner);
        let arguments = things.fill_json(&rule.arguments).await;
        let is_owners = rule.access[2] == Outcome::Done;
        let token = if is_owners { owner.token.clone() } else { world.person(Role::Admin).await.token };
        let (document, places) =
            (schema.document(root, &arguments), places(schema, &root.field["args"], &arguments, ""));
        Target { world, root, rule, document, arguments, places, token }
    }

    /// Those that have to be refused, or the others.
    fn shots(&self, must: Must) -> impl Iterator<Item = Shot> {
        self.all_shots().into_iter().filter(move |shot| shot.must == must)
    }

    fn all_shots(&self) -> Vec<Shot> {
        let mut shots = Vec::new();
        for place in &self.places {
            let is_amount = place.type_name == "Decimal";
            let bad = values(place.kind).into_iter().chain(is_amount.then(amounts).into_iter().flatten());
            shots.extend(bad.map(|bad| self.shot(place, &bad)));
            let must = if place.is_required { Must::Refuse } else { Must::Survive };
            let what = |what: &str| format!("{what} at {}", place.pointer);
            shots.push(Shot { what: what("null"), variables: put(&self.arguments, &place.pointer, "null"), must });
            shots.push(Shot { what: what("nothing"), variables: without(&self.arguments, &place.pointer), must });
        }
        for (what, variables) in [("a list", "[]"), ("a text", "\"x\""), ("nesting", &"[".repeat(100_000))] {
            shots.push(Shot {
                what: format!("{what} as variables"),
                variables: variables.to_owned(),
                must: Must::Refuse,
            });
        }
        shots
    }

    fn shot(&self, place: &Place, bad: &Bad) -> Shot {
        // Numbers are ids, too, and one value is a list of one.
        let is_coerced = (place.type_name == "ID" && bad.what == "a number") || place.kind == Kind::List;
        let is_sought = self.root.kind == "query" && bad.raw.starts_with('"');
        let is_told_beside = self.rule.is_told_beside.contains(&place.pointer.as_str());
        let must = if is_coerced || is_sought || is_told_beside { Must::Survive } else { bad.must };
        let what = format!("{} at {}", bad.what, place.pointer);
        Shot { what, variables: put(&self.arguments, &place.pointer, &bad.raw), must }
    }

    /// What is wrong with the answer to a shot, if something is.
    async fn fire(&self, shot: &Shot) -> Option<String> {
        let complaint = match self.root.kind {
            "subscription" => self.fire_live(shot).await,
            _ => self.fire_once(shot).await,
        };
        complaint.map(|complaint| format!("{}: {}: {complaint}", self.root.name(), shot.what))
    }

    /// Over a WebSocket, which is closed on what is no message and on what is too long.
    async fn fire_live(&self, shot: &Shot) -> Option<String> {
        match self.world.subscribe(&self.document, &shot.variables, Some(&self.token)).await {
            Ok(live) => {
                let is_taken = shot.must == Must::Refuse && live.errors().is_empty();
                live.complaint().or_else(|| is_taken.then(|| format!("was taken: {}", live.answer)))
            }
            Err(ending) => {
                let is_no_message = serde_json::from_str::<Value>(&shot.variables).is_err();
                let may_close = is_no_message || shot.variables.len() > MOST_BYTES;
                (!may_close || ending != CLOSED).then_some(ending)
            }
        }
    }

    async fn fire_once(&self, shot: &Shot) -> Option<String> {
        let body = format!("{{\"query\": {}, \"variables\": {}}}", json!(self.document), shot.variables);
        let request = self.world.ask("gateway", Method::POST, "/graphql").bearer_auth(&self.token);
        let answer = match self.world.send(request.header("content-type", "application/json").body(body)).await {
            Ok(answer) => answer,
            Err(error) => return Some(error),
        };
        let is_refused = self.is_refused(&answer);
        match (answer.status, yielded(&answer)) {
            (400.., _) => answer.common_complaint(),
            (_, Err(complaint)) => Some(complaint),
            (_, Ok(_)) if shot.must == Must::Refuse && !is_refused => Some(format!("was taken: {}", answer.start())),
            (_, Ok(_)) => None,
        }
    }

    fn is_refused(&self, answer: &Answer) -> bool {
        let data = &answer.json["data"][self.root.field["name"].as_str().expect("a name")];
        let has_user_errors = data["userErrors"].as_array().is_some_and(|errors| !errors.is_empty());
        answer.status >= 400 || answer.json["errors"].is_array() || data.is_null() || has_user_errors
    }
}

/// Every place that the schema describes, as far as the good arguments have what is above it.
fn places(schema: &Schema, described: &Value, good: &Value, at: &str) -> Vec<Place> {
    let mut found = Vec::new();
    for one in described.as_array().into_iter().flatten() {
        let name = one["name"].as_str().expect("a name");
        // A document declares only the variables that it is given.
        if at.is_empty() && good.get(name).is_none() {
            continue;
        }
        let (pointer, type_name) = (format!("{at}/{name}"), innermost(&one["type"]).to_owned());
        let fields = &schema.named(&type_name)["inputFields"];
        if let Some(good) = good.get(name).filter(|_| fields.is_array()) {
            found.extend(places(schema, fields, good, &pointer));
        }
        let is_required = one["type"]["kind"] == "NON_NULL" && one["defaultValue"].is_null();
        found.push(Place { pointer, kind: kind(&one["type"]), type_name, is_required });
    }
    found
}

fn kind(type_: &Value) -> Kind {
    match (type_["kind"].as_str(), type_["name"].as_str()) {
        (Some("NON_NULL"), _) => kind(&type_["ofType"]),
        (Some("LIST"), _) => Kind::List,
        (_, Some("String")) => Kind::Text,
        (_, Some("Int")) => Kind::Integer,
        (_, Some("Boolean")) => Kind::Boolean,
        (Some("INPUT_OBJECT"), _) => Kind::Object,
        _ => Kind::Formed,
    }
}

#[tokio::test]
async fn no_field_takes_harm_from_what_it_is_sent() {
    let (log, file) = Log::new();
    let world = World::with(&[("RUST_LOG", "debug")], Some(file)).await;
    let (schema, rules) = (Schema::of(&world).await, rules());
    let (roots, mut targets) = (schema.roots(), Vec::new());
    for root in &roots {
        // A field without a rule fails another test.
        if let Some(rule) = rules.iter().find(|rule| rule.name == root.name()) {
            targets.push(Target::new(&world, &schema, root, rule).await);
        }
    }
    let (mut wrong, mut fired) = (Vec::new(), 0);
    // Everything is made beforehand, so that rest is waited for once.
    let mut state = State::at_rest(&world).await;
    for target in &targets {
        for shot in target.shots(Must::Refuse) {
            fired += 1;
            wrong.extend(target.fire(&shot).await);
        }
        let changed = state.changes(&world).await;
        if !changed.is_empty() {
            wrong.push(format!("{}: refused requests changed {changed:?}", target.root.name()));
        }
    }
    for target in &targets {
        for shot in target.shots(Must::Survive) {
            fired += 1;
            wrong.extend(target.fire(&shot).await);
        }
    }
    wrong.extend(log.complaints(&MARKERS));
    assert!(wrong.is_empty(), "{} of {fired} surprises:\n{}", wrong.len(), wrong.join("\n"));
    assert!(fired > 1_000, "only {fired} bad requests were made");
}
