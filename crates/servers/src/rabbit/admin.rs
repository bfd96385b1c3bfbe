//! The node's management API: `rabbitmqctl` takes about a second per command, this a few dozen milliseconds.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::{Error, Result, local_http_client};

pub(super) struct Admin {
    client: Client,
    base: String,
    user: &'static str,
    password: String,
}

#[derive(Deserialize)]
struct Vhost {
    name: String,
}

impl Admin {
    pub fn new(port: u16, user: &'static str, password: String) -> Result<Admin> {
        let client = local_http_client(Duration::from_secs(30))?;
        Ok(Admin { client, base: format!("http://127.0.0.1:{port}/api"), user, password })
    }

    pub async fn create_vhost(&self, vhost: &str) -> Result<()> {
        let vhost = encoded(vhost);
        self.call(Method::PUT, &format!("vhosts/{vhost}"), Some(json!({}))).await?;
        let everything = json!({"configure": ".*", "write": ".*", "read": ".*"});
        let path = format!("permissions/{vhost}/{}", self.user);
        self.call(Method::PUT, &path, Some(everything)).await?;
        Ok(())
    }

    pub async fn delete_vhost(&self, vhost: &str) -> Result<()> {
        let path = format!("vhosts/{}", encoded(vhost));
        self.call(Method::DELETE, &path, None).await?;
        Ok(())
    }

    pub async fn close_connections(&self) -> Result<()> {
        let path = format!("connections/username/{}", self.user);
        self.call(Method::DELETE, &path, None).await?;
        Ok(())
    }

    pub async fn vhosts(&self) -> Result<Vec<String>> {
        let answer = self.call(Method::GET, "vhosts", None).await?;
        let vhosts: Vec<Vhost> = serde_json::from_slice(&answer).map_err(|error| Error::Refused {
            what: "RabbitMQ's list of virtual hosts".to_owned(),
            cause: error.to_string(),
        })?;
        Ok(vhosts.into_iter().map(|vhost| vhost.name).collect())
    }

    async fn call(&self, method: Method, path: &str, body: Option<serde_json::Value>) -> Result<Vec<u8>> {
        let what = format!("RabbitMQ's management ({method} {path})");
        let refused = |cause: String| Error::Refused { what: what.clone(), cause };
        let deleting = method == Method::DELETE;
        let mut request =
            self.client.request(method, format!("{}/{path}", self.base)).basic_auth(self.user, Some(&self.password));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|e| refused(e.to_string()))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|e| refused(e.to_string()))?;
        let already_gone = deleting && status == StatusCode::NOT_FOUND;
        if status.is_success() || already_gone {
            return Ok(body.to_vec());
        }
        Err(refused(format!("{status}: {}", String::from_utf8_lossy(&body))))
    }
}

/// A name as one segment of a path.
pub(super) fn encoded(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn a_name_stays_one_segment() {
        assert_eq!(encoded("/"), "%2F");
        assert_eq!(encoded("test_1-a.b"), "test_1-a.b");
        assert_eq!(encoded("ä%"), "%C3%A4%25");
    }
}
