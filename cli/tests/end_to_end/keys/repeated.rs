//! Every operation that takes a key, one after the other.

use nix::sys::signal::Signal;
use reqwest::Method;
use service::Role;
use uuid::Uuid;

use super::request::{Request, difference};
use crate::surface::openapi::{self, Described};
use crate::surface::operations::{Rule, rules};
use crate::surface::state::State;
use crate::surface::{Answer, World};

/// What changes something and is done anew each time: whoever asks for a token gets a new one; a refresh token is its
/// own key; and there is nothing to be stopped twice.
const ANEW: [(&str, Method, &str); 3] = [
    ("users", Method::POST, "/login"),
    ("users", Method::POST, "/refresh"),
    ("analytics", Method::DELETE, "/admin/reports/rebuild"),
];

/// Its callers are nobody yet, so a key is told apart by nothing else.
const OF_NOBODY: &str = "/register";

/// Of accounts one has one: another's is hidden before its key is looked at.
const OWN_ACCOUNT: &str = "/profile/{id}";

/// A request, and what it was answered first.
struct Answered {
    request: Request,
    answer: Answer,
}

/// An operation that was carried out under this key.
struct Done<'a> {
    operation: &'a Described,
    rule: &'a Rule,
    key: String,
    answered: Answered,
}

struct Trial<'a> {
    world: &'a World,
    answered: Vec<Answered>,
    wrong: Vec<String>,
}

impl Trial<'_> {
    fn note(&mut self, request: &Request, complaint: Option<String>) {
        self.wrong.extend(complaint.map(|complaint| format!("{}: {complaint}", request.name())));
    }

    async fn send(&mut self, request: &Request) -> Option<Answer> {
        match request.send(self.world).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.note(request, Some(error));
                None
            }
        }
    }

    /// Once.
    async fn first<'b>(&mut self, operation: &'b Described, rule: &'b Rule) -> Option<Done<'b>> {
        let (key, owner) = (Uuid::now_v7().to_string(), self.world.person(Role::User).await);
        let request = Request::good(self.world, operation, rule, &owner, &key).await;
        let answer = self.send(&request).await?;
        let is_done = answer.status == rule.status;
        let refused = || format!("{} instead of {}: {}", answer.status, rule.status, answer.start());
        self.note(&request, answer.complaint().or((!is_done).then(refused)));
        Some(Done { operation, rule, key, answered: Answered { request, answer } })
    }

    /// Again, and with another body.
    async fn again(&mut self, done: &Done<'_>, state: &mut State) {
        let Done { rule, answered: Answered { request, answer }, .. } = done;
        if let Some(again) = self.send(request).await {
            self.note(request, difference(answer, &again));
        }
        if let Some(other) = request.for_something_else()
            && let Some(refusal) = self.send(&other).await
        {
            let is_refused = (refusal.status, refusal.json["error"].as_str()) == (422, Some("idempotency_key_reused"));
            let is_hidden = rule.path == OWN_ACCOUNT && refusal.status == 404;
            let complaint =
                (!is_refused && !is_hidden).then(|| format!("for something else: {} {}", refusal.status, refusal.text));
            self.note(&other, complaint);
        }
        let changed = state.changes(self.world).await;
        self.note(request, (!changed.is_empty()).then(|| format!("once more it changed {changed:?}")));
    }

    /// The same key of somebody else is another key.
    async fn by_another(&mut self, operation: &Described, rule: &Rule, key: &str) {
        let other = self.world.person(Role::User).await;
        let request = Request::good(self.world, operation, rule, &other, key).await;
        let before = State::at_rest(self.world).await;
        let Some(answer) = self.send(&request).await else { return };
        let is_done = answer.status == rule.status;
        let complaint = (!is_done).then(|| format!("by another: {} {}", answer.status, answer.start()));
        self.note(&request, complaint);
        let after = State::now(self.world).await;
        let is_without_effect = after.changed(&before).is_empty();
        self.note(&request, is_without_effect.then(|| "by another it had no effect".to_owned()));
    }

    /// Everything once more: the same answers, and nothing has changed.
    async fn all_again(&mut self, when: &str) {
        let before = State::at_rest(self.world).await;
        for Answered { request, answer } in std::mem::take(&mut self.answered) {
            if let Some(again) = self.send(&request).await {
                self.note(&request, difference(&answer, &again).map(|found| format!("after {when}: {found}")));
            }
            self.answered.push(Answered { request, answer });
        }
        let after = State::now(self.world).await;
        let changed = after.changed(&before);
        if !changed.is_empty() {
            self.wrong.push(format!("after {when} repetitions changed {changed:?}"));
        }
    }
}

fn declares_key(operation: &Described) -> bool {
    let parameters = operation.operation["parameters"].as_array();
    parameters.into_iter().flatten().any(|one| one["name"] == "Idempotency-Key" && one["in"] == "header")
}

#[tokio::test]
async fn a_key_has_one_effect_and_one_answer_whatever_becomes_of_the_shop() {
    let mut world = World::open().await;
    let (operations, rules) = (openapi::operations(&world).await, rules());
    let (mut trial, mut done) = (Trial { world: &world, answered: Vec::new(), wrong: Vec::new() }, Vec::new());
    for operation in &operations {
        let is_anew = ANEW.contains(&(operation.service, operation.method.clone(), operation.path.as_str()));
        let is_keyed = operation.method != Method::GET && !is_anew;
        if declares_key(operation) != is_keyed {
            let Described { service, method, path, .. } = operation;
            trial.wrong.push(format!("{service} {method} {path}: a key is to be described: {is_keyed}"));
        }
        // An operation without a rule fails another test.
        let rule = rules.iter().find(|rule| rule.describes(operation));
        if let Some(rule) = rule.filter(|_| is_keyed) {
            done.extend(trial.first(operation, rule).await);
        }
    }
    // Everything is done beforehand, so that rest is waited for once.
    let mut state = State::at_rest(&world).await;
    for done in &done {
        trial.again(done, &mut state).await;
    }
    for Done { operation, rule, key, answered } in done {
        if rule.path != OF_NOBODY {
            trial.by_another(operation, rule, &key).await;
        }
        trial.answered.push(answered);
    }
    let Trial { mut answered, mut wrong, .. } = trial;
    assert!(answered.len() > 40, "only {} operations took a key", answered.len());
    for (signal, when) in [(Signal::SIGTERM, "a restart"), (Signal::SIGKILL, "a kill -9")] {
        world.shop.end("all", signal);
        world.shop.start("all");
        world.shop.ready().await;
        let mut trial = Trial { world: &world, answered, wrong };
        trial.all_again(when).await;
        (answered, wrong) = (trial.answered, trial.wrong);
    }
    assert!(wrong.is_empty(), "{} surprises:\n{}", wrong.len(), wrong.join("\n"));
}
