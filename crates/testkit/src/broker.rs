//! A virtual host of one test's own.

use messaging::{Declares, RabbitConfig, Transport};
use servers::RabbitServer;
use uuid::Uuid;

use crate::{FaultProxy, shared};

/// A virtual host on the shared RabbitMQ; deleted at the end of the test, also of a failed one.
pub struct TestBroker {
    server: RabbitServer,
    vhost: String,
    url: String,
}

impl TestBroker {
    /// A fresh virtual host.
    pub async fn new() -> TestBroker {
        TestBroker::on(shared::rabbit().await).await
    }

    pub(crate) async fn on(server: RabbitServer) -> TestBroker {
        let vhost = format!("test_{}", Uuid::now_v7().simple());
        server.create_vhost(&vhost).await.unwrap_or_else(|error| panic!("create the virtual host: {error}"));
        let url = server.url_of(&vhost).expect("a started node has a URL");
        TestBroker { server, vhost, url }
    }

    /// Where clients connect.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A transport of its own connections.
    pub fn transport(&self) -> Transport {
        Transport::rabbit(RabbitConfig { url: self.url.clone(), declares: Declares::Everything })
    }

    /// As [`TestBroker::transport`], through a proxy in front of the node ([`FaultProxy::of_url`]).
    pub fn transport_through(&self, proxy: &FaultProxy) -> Transport {
        Transport::rabbit(RabbitConfig { url: proxy.rewrite(&self.url), declares: Declares::Everything })
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        let (server, vhost) = (self.server.clone(), self.vhost.clone());
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            runtime.block_on(server.delete_vhost(&vhost)).map_err(|error| error.to_string())
        });
        match deleting.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("testkit: virtual host {} stays: {error}", self.vhost),
            Err(_) => eprintln!("testkit: virtual host {} stays", self.vhost),
        }
    }
}
