//! Which calls still wait for their output.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::protocol::ids::synthetic_output_id;
use crate::protocol::item::{CallForm, Item, OutputPart};

/// The calls without an output, by their place in the history. Ids are the server's and may repeat: every call with
/// the same id stays open on its own, and outputs close them in order.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenCalls {
    by_id: HashMap<(CallForm, Box<str>), VecDeque<usize>>,
    in_order: BTreeSet<usize>,
}

impl OpenCalls {
    /// A call was added at `index`.
    pub(super) fn open(&mut self, form: CallForm, call_id: &str, index: usize) {
        self.by_id.entry((answered_as(form), call_id.into())).or_default().push_back(index);
        self.in_order.insert(index);
    }

    /// An output came; says whether a call waited for it.
    pub(super) fn close(&mut self, form: CallForm, call_id: &str) -> bool {
        let key = (answered_as(form), call_id.into());
        let Some(waiting) = self.by_id.get_mut(&key) else { return false };
        let closed = waiting.pop_front();
        if waiting.is_empty() {
            self.by_id.remove(&key);
        }
        closed.is_some_and(|index| self.in_order.remove(&index))
    }

    pub(super) fn len(&self) -> usize {
        self.in_order.len()
    }

    /// Places of the open calls, oldest first.
    pub(super) fn indices(&self) -> impl Iterator<Item = usize> {
        self.in_order.iter().copied()
    }
}

/// Local shell calls are answered by the output type of function calls, so the two share their ids.
fn answered_as(form: CallForm) -> CallForm {
    if form == CallForm::LocalShell { CallForm::Function } else { form }
}

/// What a request says in place of the output `call` never got.
pub(super) fn aborted_output(call: &Item) -> Option<Item> {
    let head = call.call()?;
    let id = call.id().map(|id| synthetic_output_id(head.form.output_id_prefix(), id));
    Some(Item::output(head.form, &head.call_id, id, &[OutputPart::Text("aborted".into())]))
}
