//! Log lines about one message name it.

use std::io;
use std::sync::{Arc, Mutex};

use events::topology::Exchange;
use testkit::eventually;
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{Harness, Kind, LIMIT, PRODUCTS, body, drafts, orders};
use crate::probe::{Act, Probe};

/// What was logged, as JSON lines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines_with(&self, words: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().expect("lock").clone()).expect("text");
        text.lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

#[tokio::test]
async fn a_message_that_is_retried_or_parked_is_named() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let shop = Harness::new(Kind::SameDatabase).await;
    let batch = drafts(2);
    let [late, poison] = [0, 1].map(|index| &batch[index].envelope);
    let acts = [(late.event_id, Act::Retry(usize::MAX)), (poison.event_id, Act::Reject)];
    let _orders = shop.consumer(orders(), Probe::with(Act::Apply, acts));
    let unreadable = drafts(1).remove(0);
    let without_payload = body(&unreadable).replace("payload", "freight");
    let bodies = [body(&batch[0]), body(&batch[1]), without_payload, "{".to_owned()];
    shop.publish_raw(Exchange::Products, PRODUCTS, &bodies).await;
    shop.until_dead(orders(), 3).await;
    // The first time: it may have come again by now.
    let retried = eventually(LIMIT, || async {
        let first = log.lines_with("tried again later").into_iter().find(|line| line.contains("attempts=1 "));
        first.map(|line| vec![line]).ok_or_else(|| "nothing was retried".to_owned())
    })
    .await;
    let parked = log.lines_with("is parked");
    assert_eq!(parked.len(), 3, "{parked:?}");
    for (lines, envelope) in [(&retried, late), (&parked, poison), (&parked, &unreadable.envelope)] {
        let (event_id, correlation_id) = (envelope.event_id, envelope.correlation_id);
        let words = format!("correlation_id={correlation_id} event_id={event_id} event_type=\"StockReleased\"");
        assert_eq!(lines.iter().filter(|line| line.contains(&words)).count(), 1, "{words}: {lines:?}");
    }
}
