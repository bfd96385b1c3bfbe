//! Pages over all services at once: each gives its own first rows behind the cursor, which means the same to all.

use async_graphql::ID;
use events::topology::QUEUES;
use futures_util::future::join_all;
use operations::{Act, ActFilter, DeadLetterFilter, OutboxFilter};
use serde::Serialize;
use service::{Error, PageQuery, pagination};
use uuid::Uuid;

use super::types::{DeadLetter, DeadLetterList, OperatorAct, UnsentEvent, UnsentEventList};
use super::{Operated, each, unless_away};
use crate::scope::Scope;

/// What one service has of a page.
struct Share<T> {
    items: Vec<T>,
    has_more: bool,
}

/// A page over the services that answered.
struct Merged<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
    unreachable: Vec<&'static str>,
}

impl<T> Merged<T> {
    /// The first of all by their place, which is also their cursor.
    ///
    /// Errors: those that are not a service's being away.
    fn of<P: Ord + Serialize>(
        answers: impl IntoIterator<Item = (&'static str, Result<Share<T>, Error>)>,
        page: &PageQuery,
        place: impl Fn(&T) -> P,
    ) -> Result<Merged<T>, Error> {
        let limit = usize::from(page.limit()?);
        let (mut items, mut has_more, mut unreachable) = (Vec::new(), false, Vec::new());
        for (service, answer) in answers {
            match answer {
                Ok(share) => {
                    has_more |= share.has_more;
                    items.extend(share.items);
                }
                Err(error) if error.status.is_server_error() => {
                    tracing::warn!(service, ?error, "a service is left out of what an operator sees");
                    unreachable.push(service);
                }
                Err(error) => return Err(error),
            }
        }
        items.sort_by_key(&place);
        has_more |= items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| has_more).map(|last| pagination::encode(&place(last))).transpose()?;
        Ok(Merged { items, next_cursor, unreachable })
    }
}

/// Dead letters of the services that are wanted, oldest first.
pub(super) async fn letters(
    scope: &Scope,
    service: Option<&str>,
    filter: DeadLetterFilter,
    page: PageQuery,
) -> Result<DeadLetterList, Error> {
    scope.caller.admin()?;
    let owner = filter.queue.as_deref().map(owner_of);
    let wanted = named(scope, service).filter(|one| owner.is_none_or(|owner| owner == Some(one.service)));
    let answers = join_all(wanted.map(|one| {
        let (filter, page) = (filter.clone(), page.clone());
        async move { (one.service, one.api.dead_letters(&scope.caller, filter, page).await) }
    }));
    let mut total = 0;
    let shares = answers.await.into_iter().map(|(service, answer)| {
        let share = answer.map(|found| {
            total += found.total;
            Share { items: found.items, has_more: found.next_cursor.is_some() }
        });
        (service, share)
    });
    let Merged { items, next_cursor, unreachable } = Merged::of(shares, &page, |letter| (letter.dead_at, letter.id))?;
    Ok(DeadLetterList { items: items.into_iter().map(DeadLetter::from).collect(), next_cursor, total, unreachable })
}

/// Unsent events of the services that are wanted, oldest first.
pub(super) async fn unsent(
    scope: &Scope,
    service: Option<&str>,
    filter: OutboxFilter,
    page: PageQuery,
) -> Result<UnsentEventList, Error> {
    scope.caller.admin()?;
    let answers = join_all(named(scope, service).map(|one| {
        let page = page.clone();
        async move { (one.service, one.api.outbox(&scope.caller, filter, page).await) }
    }));
    let shares = answers.await.into_iter().map(|(service, answer)| {
        (service, answer.map(|found| Share { items: found.items, has_more: found.next_cursor.is_some() }))
    });
    let Merged { items, next_cursor, unreachable } = Merged::of(shares, &page, |event| event.event_id)?;
    Ok(UnsentEventList { items: items.into_iter().map(UnsentEvent::from).collect(), next_cursor, unreachable })
}

/// The ids of acts are in the order of acts, whichever service they were done in: the last one's is the place of a page
/// in all trails. Of services that are away nothing is told: the trail is for reading up.
pub(super) async fn acts(
    scope: &Scope,
    filter: ActFilter,
    first: Option<i32>,
    after: Option<ID>,
) -> Result<Vec<OperatorAct>, Error> {
    let cursor = after.map(|id| act_cursor(&id)).transpose()?;
    let page = PageQuery { limit: first.map(Into::into), cursor, with_cursors: None };
    let limit = usize::from(page.limit()?);
    let answers = each(scope, |api| {
        let page = page.clone();
        async move { api.acts(&scope.caller, filter, page).await }
    });
    let mut acts: Vec<Act> = unless_away(answers.await)?.into_iter().flat_map(|page| page.items).collect();
    acts.sort_by_key(|act| std::cmp::Reverse(act.id));
    acts.truncate(limit);
    Ok(acts.into_iter().map(OperatorAct::from).collect())
}

fn act_cursor(id: &ID) -> Result<String, Error> {
    let place: Uuid =
        id.parse().map_err(|_| Error::bad_request("invalid_cursor", "continue behind the id of an act"))?;
    pagination::encode(&place)
}

/// The service of this name, or all of them.
fn named<'a>(scope: &'a Scope, service: Option<&str>) -> impl Iterator<Item = &'a Operated> {
    scope.clients.operations.iter().filter(move |one| service.is_none_or(|wanted| wanted == one.service))
}

/// The service that reads a queue.
fn owner_of(queue: &str) -> Option<&'static str> {
    QUEUES.iter().find(|known| known.name() == queue).map(|known| known.service)
}
