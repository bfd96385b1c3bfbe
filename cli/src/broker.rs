//! `prost broker definitions`: what a RabbitMQ has to know before the services log in.
//!
//! The node loads it when it starts (`load_definitions`), or `rabbitmqctl import_definitions` does. Queues are not in
//! it: `prost migrate up` makes them.

use std::path::PathBuf;

use base64::{Engine, prelude::BASE64_STANDARD};
use messaging::{RabbitConfig, RabbitLogin, Rights};
use serde_json::{Value, json};
use service::Env;
use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Result},
    service_name::ServiceName,
    terminal,
    wire::{Messages, Settings},
};

/// Options of `broker`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum What {
    /// Print the virtual host, the users and their rights, of AMQP_URL and each <SERVICE>_AMQP_URL
    Definitions {
        /// Write them into this file instead
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Runs the command.
pub fn run(options: Options) -> Result<()> {
    let settings = Settings::new(Env::process())?;
    let What::Definitions { output } = options.what;
    let definitions = definitions(&settings)?;
    match output {
        None => terminal::print_json(&definitions),
        Some(file) => {
            std::fs::write(&file, definitions.to_string()).map_err(Error::system(format!("writing {}", file.display())))
        }
    }
}

/// The administrator may do everything; a service with a login of its own may do what it does.
fn definitions(settings: &Settings) -> Result<Value> {
    let missing = || Error::failed("AMQP_URL is not set", "Set it to the login of the broker's administrator");
    let administrator = login(&settings.broker().ok_or_else(missing)?)?;
    let everything = || ".*".to_owned();
    let all = Rights { configure: everything(), write: everything(), read: everything() };
    let mut users = vec![user(&administrator, &["administrator"])];
    let mut permissions = vec![permission(&administrator, &all)];
    for service in ServiceName::ALL {
        let Messages::Rabbit(config) = settings.messages(service) else { continue };
        let own = login(&config)?;
        if own.user == administrator.user {
            continue;
        }
        if own.vhost != administrator.vhost {
            let cause =
                format!("{service} would use the virtual host {}, all others {}", own.vhost, administrator.vhost);
            return Err(Error::failed(cause, "Let all services meet in one virtual host"));
        }
        users.push(user(&own, &[]));
        permissions.push(permission(&own, &messaging::rights(service.as_str())));
    }
    Ok(json!({"vhosts": [{"name": administrator.vhost}], "users": users, "permissions": permissions}))
}

fn login(config: &RabbitConfig) -> Result<RabbitLogin> {
    config.login().map_err(|cause| Error::failed(cause, "Correct AMQP_URL, or the service's own"))
}

fn user(login: &RabbitLogin, tags: &[&str]) -> Value {
    json!({"name": login.user, "password_hash": password_hash(&login.password),
           "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": tags})
}

fn permission(login: &RabbitLogin, rights: &Rights) -> Value {
    json!({"user": login.user, "vhost": login.vhost,
           "configure": rights.configure, "write": rights.write, "read": rights.read})
}

/// RabbitMQ's own scheme: a salt of four bytes, and SHA-256 of salt and password.
fn password_hash(password: &str) -> String {
    let salt: [u8; 4] = rand::random();
    let hash = Sha256::new().chain_update(salt).chain_update(password).finalize();
    BASE64_STANDARD.encode([&salt[..], &hash[..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_gets_its_own_rights_and_no_password_is_told() {
        let settings = Settings::new(Env::map([
            ("AMQP_URL", "amqp://boss:s3cret@broker:5672/shop"),
            ("CART_AMQP_URL", "amqp://prost_cart:s3same@broker:5672/shop"),
        ]))
        .expect("valid");
        let definitions = definitions(&settings).expect("made");
        assert_eq!(definitions["vhosts"], json!([{"name": "shop"}]));
        assert_eq!(definitions["users"].as_array().map(Vec::len), Some(2));
        let cart = &definitions["permissions"][1];
        assert_eq!((&cart["user"], &cart["vhost"]), (&json!("prost_cart"), &json!("shop")));
        assert!(cart["read"].as_str().is_some_and(|read| !read.contains("orders.cart")), "{cart}");
        let text = definitions.to_string();
        assert!(!text.contains("s3cret") && !text.contains("s3same"), "{text}");
    }
}
