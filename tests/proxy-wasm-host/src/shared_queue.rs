//! Shared queues: how VMs on different threads wake each other.
//!
//! Whoever registers a name last is told when an element arrives (`proxy_on_queue_ready`, posted to its
//! thread); registering again keeps what is queued. Any VM may enqueue and dequeue.

use std::collections::{BTreeMap, VecDeque};

use crate::abi::Status;

/// A queue event on its way to the thread that registered the queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueReady {
    pub(crate) vm: usize,
    pub(crate) context: u32,
    pub(crate) token: u32,
}

/// One process's shared queues.
#[derive(Debug, Default)]
pub(crate) struct SharedQueues {
    tokens: BTreeMap<(Vec<u8>, Vec<u8>), u32>,
    queues: BTreeMap<u32, Queue>,
    posted: VecDeque<QueueReady>,
}

#[derive(Debug)]
struct Queue {
    vm: usize,
    context: u32,
    elements: VecDeque<Vec<u8>>,
}

impl SharedQueues {
    /// Registers `context` of VM number `vm` as the one to be told, and answers the queue's token (never 0).
    pub(crate) fn register(&mut self, vm_id: &[u8], name: &[u8], vm: usize, context: u32) -> u32 {
        let next = u32::try_from(self.tokens.len() + 1).unwrap_or(u32::MAX);
        let token = *self
            .tokens
            .entry((vm_id.to_vec(), name.to_vec()))
            .or_insert(next);
        let queue = self.queues.entry(token).or_insert(Queue {
            vm,
            context,
            elements: VecDeque::new(),
        });
        queue.vm = vm;
        queue.context = context;
        token
    }

    /// The token of a registered queue.
    pub(crate) fn resolve(&self, vm_id: &[u8], name: &[u8]) -> Result<u32, Status> {
        let key = (vm_id.to_vec(), name.to_vec());
        self.tokens.get(&key).copied().ok_or(Status::NotFound)
    }

    /// Appends an element and posts the event.
    pub(crate) fn enqueue(&mut self, token: u32, element: Vec<u8>) -> Result<(), Status> {
        let queue = self.queues.get_mut(&token).ok_or(Status::NotFound)?;
        queue.elements.push_back(element);
        self.posted.push_back(QueueReady {
            vm: queue.vm,
            context: queue.context,
            token,
        });
        Ok(())
    }

    /// Takes the oldest element.
    pub(crate) fn dequeue(&mut self, token: u32) -> Result<Vec<u8>, Status> {
        let queue = self.queues.get_mut(&token).ok_or(Status::NotFound)?;
        queue.elements.pop_front().ok_or(Status::Empty)
    }

    /// The next event to deliver.
    pub(crate) fn pop_posted(&mut self) -> Option<QueueReady> {
        self.posted.pop_front()
    }
}
