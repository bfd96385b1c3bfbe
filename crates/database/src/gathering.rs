//! One transaction for many callers.
//!
//! Whoever comes while a batch is under way is part of the next one, with all others who came meanwhile. So batches grow
//! with load and vanish without it: a caller who is alone waits for nobody.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use tracing::{Instrument, Span};

use crate::{BoxFuture, Error};

/// Callers in one transaction, at most.
const BATCH: usize = 100;

/// Callers who wait, at most: some seconds' worth. Whoever comes then is refused at once.
const MOST_WAITING: usize = 5_000;

/// How a batch is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// First: whoever would have to wait for another transaction is left out, so that nobody else waits with him.
    Together,
    /// Then, each of those left out, or of a batch that failed, in a transaction of its own.
    Alone,
}

/// How work for several callers may fail.
pub trait Failure: From<Error> + std::fmt::Display + Clone + Send + 'static {
    /// Something that all of them need is away. It makes no difference who is in the batch: each is told, nobody is tried
    /// again, and a server that comes back meets no crowd.
    fn is_everybodys(&self) -> bool;
}

/// The answers to a batch, in its order; `None` for whoever was left out.
pub type Answers<A, E> = Result<Vec<Option<Result<A, E>>>, E>;

type Work<I, A, E> = dyn Fn(Vec<I>, Attempt) -> BoxFuture<'static, Answers<A, E>> + Send + Sync;

/// Does the same work for many callers at once. Cheap to clone.
pub struct Gathering<I, A, E>(Arc<Inner<I, A, E>>);

struct Inner<I, A, E> {
    work: Box<Work<I, A, E>>,
    waiting: Mutex<Waiting<I, A, E>>,
}

struct Waiting<I, A, E> {
    callers: VecDeque<Caller<I, A, E>>,
    is_at_work: bool,
}

/// Where a caller stands.
enum Place {
    /// Nobody is at work.
    First,
    InLine,
    /// Nowhere: the line is too long.
    None,
}

struct Caller<I, A, E> {
    item: I,
    answer: oneshot::Sender<Result<A, E>>,
    span: Span,
}

impl<I, A, E> Clone for Gathering<I, A, E> {
    fn clone(&self) -> Self {
        Gathering(Arc::clone(&self.0))
    }
}

impl<I, A, E> Gathering<I, A, E>
where
    I: Clone + Send + 'static,
    A: Send + 'static,
    E: Failure,
{
    /// `work` is given up to a hundred items in one transaction of its own; if it fails, nothing of it may be kept but what
    /// it finds again when it is tried again.
    pub fn new(work: impl Fn(Vec<I>, Attempt) -> BoxFuture<'static, Answers<A, E>> + Send + Sync + 'static) -> Self {
        let waiting = Mutex::new(Waiting { callers: VecDeque::new(), is_at_work: false });
        Gathering(Arc::new(Inner { work: Box::new(work), waiting }))
    }

    /// The answer to this item. The work is detached: a caller that goes away tears nothing, and one that goes before its
    /// turn asks for nothing.
    ///
    /// Errors: those of the work on this item alone, whatever became of the batch it was part of;
    /// [`Error::Crowded`] if too many wait already.
    pub async fn ask(&self, item: I) -> Result<A, E> {
        let (answer, answered) = oneshot::channel();
        match self.0.join(Caller { item, answer, span: Span::current() }) {
            Place::First => drop(tokio::spawn(Arc::clone(&self.0).run())),
            Place::InLine => {}
            Place::None => return Err(E::from(Error::Crowded)),
        }
        answered.await.unwrap_or_else(|_| Err(E::from(Error::Panicked)))
    }
}

impl<I, A, E> Inner<I, A, E>
where
    I: Clone + Send + 'static,
    A: Send + 'static,
    E: Failure,
{
    fn join(&self, caller: Caller<I, A, E>) -> Place {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.callers.len() >= MOST_WAITING {
            return Place::None;
        }
        waiting.callers.push_back(caller);
        if std::mem::replace(&mut waiting.is_at_work, true) { Place::InLine } else { Place::First }
    }

    /// Those who wait, first come first served; none: the work is over. Whoever has gone before anything was begun is
    /// left out: after an outage the living come first.
    fn next(&self) -> Vec<Caller<I, A, E>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.callers.retain(|caller| !caller.answer.is_closed());
        let count = waiting.callers.len().min(BATCH);
        waiting.is_at_work = count > 0;
        waiting.callers.drain(..count).collect()
    }

    async fn run(self: Arc<Self>) {
        loop {
            let callers = self.next();
            if callers.is_empty() {
                return;
            }
            // In a task of its own: should the work panic, the next batch goes on. Its callers are told.
            if let Err(error) = tokio::spawn(Arc::clone(&self).serve(callers)).await {
                tracing::error!(%error, "work for several callers was aborted");
            }
        }
    }

    async fn serve(self: Arc<Self>, callers: Vec<Caller<I, A, E>>) {
        let items = callers.iter().map(|caller| caller.item.clone()).collect();
        // Log lines about one caller carry its correlation id; those about several carry nobody's.
        let span = if let [one] = callers.as_slice() { one.span.clone() } else { Span::none() };
        let answers = (self.work)(items, Attempt::Together).instrument(span).await;
        let mut answers = match answers {
            Ok(answers) => answers.into_iter(),
            Err(error) if callers.len() == 1 || error.is_everybodys() => {
                return callers.into_iter().for_each(|caller| caller.tell(Err(error.clone())));
            }
            Err(error) => {
                tracing::debug!(%error, callers = callers.len(), "work for several failed; each goes alone");
                Vec::new().into_iter()
            }
        };
        for caller in callers {
            match answers.next().flatten() {
                Some(answer) => caller.tell(answer),
                // Nobody else waits for this one.
                None => drop(tokio::spawn(Arc::clone(&self).serve_alone(caller))),
            }
        }
    }

    async fn serve_alone(self: Arc<Self>, caller: Caller<I, A, E>) {
        let answers = (self.work)(vec![caller.item.clone()], Attempt::Alone).instrument(caller.span.clone()).await;
        let answer = answers.and_then(|mut answers| answers.pop().flatten().unwrap_or(Err(E::from(Error::Ended))));
        caller.tell(answer);
    }
}

impl<I, A, E> Caller<I, A, E> {
    fn tell(self, result: Result<A, E>) {
        let Caller { answer, span, .. } = self;
        if answer.send(result).is_err() {
            tracing::debug!(parent: &span, "the caller has gone; what it asked for is done");
        }
    }
}
