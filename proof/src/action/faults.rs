//! What can go wrong, and what comes of it.

use super::Arrival;
use crate::message::{Message, Service};
use crate::rules;
use crate::setup::{Mistake, Setup};
use crate::world::{Answer, Call, ChargeEntry, World};

/// Numbers of events that were published and never committed begin here.
const PHANTOM: u8 = 100;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The consumer dies, or its database fails, before the commit.
    BeforeCommit(Service, Message),
    /// It dies, or loses its connection, after the commit and before the acknowledgement.
    BeforeAcknowledgement(Service, Message),
    /// The broker delivers one copy more.
    Copy(Service, Message),
    /// The relay's message does not arrive.
    NotPublished(Service, Message),
    /// It arrives, and the confirmation does not: the row stays.
    NotConfirmed(Service, Message),
    /// A relay dies.
    RelayDies(Service, u8),
    /// A relay pauses for longer than its lease.
    RelayPauses(Service, Message),
    /// The provider is not reached.
    NotAsked(u8),
    /// The provider acts, and its answer is lost.
    NotAnswered(u8, ChargeEntry),
    /// A worker dies.
    WorkerDies(u8),
    /// A worker pauses for longer than its lease.
    WorkerPauses(u8, Call),
    /// A process dies between an effect and its events, which only a mistake separates.
    OwedForgotten(Service, Message),
}

impl World {
    /// What comes of it.
    pub(super) fn suffer(&mut self, setup: &Setup, fault: &Fault) {
        if self.is_at_fault(fault) {
            self.left.faults = self.left.faults.saturating_sub(1);
        }
        match fault {
            Fault::BeforeCommit(service, message) => self.fail_before_commit(setup, *service, *message),
            Fault::BeforeAcknowledgement(service, message) => {
                self.apply(setup, *service, *message);
            }
            Fault::Copy(service, message) => *self.queues[*service as usize].entry(*message).or_default() += 1,
            Fault::NotPublished(service, message) => self.publish_badly(setup, *service, *message, Arrival::Lost),
            Fault::NotConfirmed(service, message) => {
                self.publish_badly(setup, *service, *message, Arrival::Unconfirmed)
            }
            Fault::RelayDies(service, relay) => self.relays[*service as usize][usize::from(*relay)] = None,
            Fault::RelayPauses(service, message) => {
                self.tables_of(*service).outbox.insert(*message, None);
            }
            Fault::NotAsked(worker) => {
                if let Some(task) = &mut self.workers[usize::from(*worker)] {
                    task.answer = Some(Answer::Unanswered);
                }
            }
            Fault::NotAnswered(worker, outcome) => {
                self.ask(setup, *worker, *outcome);
                if let Some(task) = &mut self.workers[usize::from(*worker)] {
                    task.answer = Some(Answer::Unanswered);
                }
            }
            Fault::WorkerDies(worker) => self.workers[usize::from(*worker)] = None,
            Fault::WorkerPauses(order, call) => {
                if let Some(row) = &mut self.payments[usize::from(*order)] {
                    *row.lease_of(*call) = None;
                }
            }
            Fault::OwedForgotten(service, message) => {
                self.tables_of(*service).owed.remove(message);
            }
        }
    }

    /// A lease whose holder is dead runs out without anything going wrong.
    fn is_at_fault(&self, fault: &Fault) -> bool {
        match fault {
            Fault::RelayPauses(service, message) => {
                let lease = self.tables[*service as usize].outbox.get(message).copied().flatten();
                lease.is_some_and(|relay| {
                    let carried = self.relays[*service as usize][usize::from(relay)];
                    carried.is_some_and(|carried| carried.message == *message)
                })
            }
            Fault::WorkerPauses(order, call) => {
                let row = self.payments[usize::from(*order)].clone();
                let lease = row.and_then(|mut row| *row.lease_of(*call));
                lease.is_some_and(|worker| {
                    self.workers[usize::from(worker)].is_some_and(|task| task.order == *order && task.call == *call)
                })
            }
            _ => true,
        }
    }

    /// Nothing comes of it but with a mistake.
    fn fail_before_commit(&mut self, setup: &Setup, service: Service, message: Message) {
        match setup.mistake {
            Some(Mistake::AcknowledgeBeforeCommit) => self.acknowledge(service, message),
            Some(Mistake::FailureRecordedAsProcessed) => {
                self.tables_of(service).handled.insert(message);
                self.acknowledge(service, message);
            }
            Some(Mistake::PublishBeforeCommit) => {
                let mut undone = self.clone();
                if undone.tables_of(service).handled.contains(&message) {
                    return;
                }
                if let Ok(kinds) = rules::apply(&mut undone, setup, service, message) {
                    // What follows the second try has ids of its own.
                    let phantom = |event: Message| Message { nth: event.nth + PHANTOM, ..event };
                    self.name(message.order, &kinds).into_iter().map(phantom).for_each(|event| self.publish(event));
                }
            }
            _ => {}
        }
    }

    fn publish_badly(&mut self, setup: &Setup, service: Service, message: Message, arrival: Arrival) {
        let carrier = (0..).zip(&self.relays[service as usize]).find_map(|(relay, carried)| {
            carried.is_some_and(|carried| carried.message == message && carried.confirmed.is_none()).then_some(relay)
        });
        if let Some(relay) = carrier {
            return self.publish_carried(setup, service, relay, arrival);
        }
        if arrival == Arrival::Unconfirmed {
            self.publish(message);
        }
        if setup.has(Mistake::DeleteBeforeConfirm) {
            self.tables_of(service).outbox.remove(&message);
        }
    }
}
