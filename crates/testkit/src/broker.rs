//! A virtual host of one test's own.

use std::sync::atomic::{AtomicBool, Ordering};

use messaging::{Declares, RabbitConfig, Transport};
use servers::RabbitServer;
use uuid::Uuid;

use crate::{FaultProxy, shared};

/// A virtual host on the shared RabbitMQ; deleted at the end of the test, also of a failed one.
pub struct TestBroker {
    server: RabbitServer,
    vhost: String,
    url: String,
    has_outsider: AtomicBool,
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
        TestBroker { server, vhost, url, has_outsider: AtomicBool::new(false) }
    }

    /// Where clients connect.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a login with rights to configure, write and read what these expressions match; returns its URL.
    pub(crate) async fn add_login(&self, rights: [&str; 3]) -> String {
        let (user, password) = (self.outsider(), Uuid::new_v4().simple().to_string());
        let [configure, write, read] = rights;
        for command in [
            &["add_user", &user, &password][..],
            &["set_permissions", "--vhost", &self.vhost, &user, configure, write, read],
        ] {
            self.server.control(command).await.unwrap_or_else(|error| panic!("make a login: {error}"));
        }
        self.has_outsider.store(true, Ordering::Relaxed);
        let (_, place) = self.url.split_once('@').expect("a URL with a login");
        format!("amqp://{user}:{password}@{place}")
    }

    fn outsider(&self) -> String {
        format!("partner_{}", self.vhost)
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
        let outsider = self.has_outsider.load(Ordering::Relaxed).then(|| self.outsider());
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            let delete = async {
                if let Some(user) = outsider {
                    server.control(&["delete_user", &user]).await?;
                }
                server.delete_vhost(&vhost).await
            };
            runtime.block_on(delete).map_err(|error| error.to_string())
        });
        match deleting.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("testkit: virtual host {} stays: {error}", self.vhost),
            Err(_) => eprintln!("testkit: virtual host {} stays", self.vhost),
        }
    }
}
