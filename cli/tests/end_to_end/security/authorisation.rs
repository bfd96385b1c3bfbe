//! Every REST operation, called by everybody: anonymously, by another user, by the owner, by an admin.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use service::Role;

use crate::surface::openapi::{self, Described};
use crate::surface::operations::{Outcome, Rule, rules};
use crate::surface::state::State;
use crate::surface::things::Things;
use crate::surface::{Answer, Person, World};

/// Who calls; the order of [`crate::surface::operations::Access`].
#[derive(Debug, Clone, Copy)]
enum Caller {
    Anonymous,
    Other,
    Owner,
    Admin,
}

const CALLERS: [Caller; 4] = [Caller::Anonymous, Caller::Other, Caller::Owner, Caller::Admin];

/// A call that is about an owner's things, without anybody's token.
struct Call {
    service: &'static str,
    method: Method,
    uri: String,
    body: Option<Value>,
    upload: Option<(&'static str, &'static [u8])>,
    headers: &'static [(&'static str, &'static str)],
    status: u16,
    markers: Vec<String>,
}

impl Call {
    async fn about(world: &World, operation: &Described, rule: &Rule, owner: &Person) -> Call {
        let mut things = Things::of(world, operation.service, owner);
        let uri = things.fill(rule.uri).await;
        let body = match &rule.body {
            Some(body) => Some(things.fill_json(body).await),
            None => None,
        };
        let Rule { method, upload, headers, status, .. } = rule.clone();
        Call { service: operation.service, method, uri, body, upload, headers, status, markers: things.markers() }
    }

    /// With the body that belongs to it.
    fn whole_request(&self, world: &World) -> RequestBuilder {
        let request = self.request(world);
        match (&self.body, self.upload) {
            (Some(body), _) => request.json(body),
            (None, Some((content_type, bytes))) => request.header("content-type", content_type).body(bytes),
            (None, None) => request,
        }
    }

    /// Without a body.
    fn request(&self, world: &World) -> RequestBuilder {
        let request = world.ask(self.service, self.method.clone(), &self.uri);
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }
}

fn with_token(request: RequestBuilder, token: Option<&str>) -> RequestBuilder {
    token.into_iter().fold(request, |request, token| request.bearer_auth(token))
}

async fn token(world: &World, who: Caller, owner: &Person) -> Option<String> {
    match who {
        Caller::Anonymous => None,
        Caller::Other => Some(world.person(Role::User).await.token),
        Caller::Owner => Some(owner.token.clone()),
        Caller::Admin => Some(world.person(Role::Admin).await.token),
    }
}

/// What is wrong with an answer, if something is.
fn judge(outcome: Outcome, call: &Call, answer: &Answer) -> Option<String> {
    let expected = match outcome {
        Outcome::Done | Outcome::Nothing => call.status,
        Outcome::Unknown => 401,
        Outcome::Forbidden => 403,
        Outcome::Hidden => 404,
    };
    if answer.status != expected {
        return Some(format!("{} instead of {expected}: {}", answer.status, answer.start()));
    }
    let shown = answer.shows(call.markers.iter().map(String::as_str)).filter(|_| outcome != Outcome::Done);
    answer.complaint().or_else(|| shown.map(|marker| format!("it shows {marker}: {}", answer.start())))
}

struct Trial<'a> {
    world: &'a World,
    operation: &'a Described,
    rule: &'a Rule,
    /// About an owner's things, with which nobody but the owner may do anything.
    call: Call,
    refused: Vec<(Caller, Outcome, Option<String>)>,
    wrong: Vec<String>,
}

impl<'a> Trial<'a> {
    async fn new(world: &'a World, operation: &'a Described, rule: &'a Rule) -> Trial<'a> {
        let owner = world.person(Role::User).await;
        let call = Call::about(world, operation, rule, &owner).await;
        let mut refused = Vec::new();
        for (who, outcome) in CALLERS.into_iter().zip(rule.access) {
            if outcome != Outcome::Done {
                refused.push((who, outcome, token(world, who, &owner).await));
            }
        }
        Trial { world, operation, rule, call, refused, wrong: Vec::new() }
    }

    fn note(&mut self, who: Caller, complaint: Option<String>) {
        let Described { service, method, path, .. } = self.operation;
        self.wrong.extend(complaint.map(|complaint| format!("{service} {method} {path} by {who:?}: {complaint}")));
    }

    /// Those who are refused change nothing, and hear nothing about the body they sent.
    async fn refusals(&mut self, state: &mut State) {
        for (who, outcome, token) in std::mem::take(&mut self.refused) {
            let request = with_token(self.call.whole_request(self.world), token.as_deref());
            let complaint = self.complaint(outcome, &self.call, request).await;
            self.note(who, complaint);
            if self.call.body.is_some() && matches!(outcome, Outcome::Unknown | Outcome::Forbidden) {
                let request = with_token(self.call.request(self.world), token.as_deref());
                let nonsense = request.header("content-type", "application/json").body("{");
                let complaint = self.complaint(outcome, &self.call, nonsense).await;
                self.note(who, complaint);
            }
        }
        let changed = state.changes(self.world).await;
        if !changed.is_empty() {
            self.wrong.push(format!("{} {}: refused calls changed {changed:?}", self.rule.method, self.rule.path));
        }
    }

    /// Those who may, each about things of a new owner.
    async fn successes(&mut self) {
        for (who, outcome) in CALLERS.into_iter().zip(self.rule.access) {
            if outcome == Outcome::Done {
                let owner = self.world.person(Role::User).await;
                let call = Call::about(self.world, self.operation, self.rule, &owner).await;
                let token = token(self.world, who, &owner).await;
                let request = with_token(call.whole_request(self.world), token.as_deref());
                let complaint = self.complaint(outcome, &call, request).await;
                self.note(who, complaint);
            }
        }
    }

    async fn complaint(&self, outcome: Outcome, call: &Call, request: RequestBuilder) -> Option<String> {
        match self.world.send(request).await {
            Ok(answer) => judge(outcome, call, &answer),
            Err(error) => Some(error),
        }
    }
}

#[tokio::test]
async fn every_operation_is_for_whom_it_is_said_to_be_and_for_nobody_else() {
    let world = World::open().await;
    let (operations, rules) = (openapi::operations(&world).await, rules());
    let (mut trials, mut wrong) = (Vec::new(), Vec::new());
    for operation in &operations {
        let Some(rule) = rules.iter().find(|rule| rule.describes(operation)) else {
            wrong.push(format!("{} {} {} is not described", operation.service, operation.method, operation.path));
            continue;
        };
        trials.push(Trial::new(&world, operation, rule).await);
    }
    // Everything is made beforehand, so that rest is waited for once.
    let mut state = State::at_rest(&world).await;
    for trial in &mut trials {
        trial.refusals(&mut state).await;
    }
    for mut trial in trials {
        trial.successes().await;
        wrong.append(&mut trial.wrong);
    }
    for rule in rules.iter().filter(|rule| !operations.iter().any(|operation| rule.describes(operation))) {
        wrong.push(format!("{} {} {} is described, but does not exist", rule.service, rule.method, rule.path));
    }
    assert!(wrong.is_empty(), "{} surprises:\n{}", wrong.len(), wrong.join("\n"));
}
