//! The services by name, as the command line and the wiring speak of them.

use std::{fmt, str::FromStr};

use clap::ValueEnum;
use serde::Serialize;

/// A service of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceName {
    /// Web and GraphQL.
    Gateway,
    /// Catalogue and stock.
    Products,
    /// Carts.
    Cart,
    /// Registration and login.
    Users,
    /// Orders and their saga.
    Orders,
    /// Payments and refunds.
    Payments,
    /// Reports.
    Analytics,
}

impl ServiceName {
    /// Every service, in the order of their ports.
    pub const ALL: [ServiceName; 7] = [
        ServiceName::Gateway,
        ServiceName::Products,
        ServiceName::Cart,
        ServiceName::Users,
        ServiceName::Orders,
        ServiceName::Payments,
        ServiceName::Analytics,
    ];

    /// Its name in URLs, variables, roles and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            ServiceName::Gateway => "gateway",
            ServiceName::Products => "products",
            ServiceName::Cart => "cart",
            ServiceName::Users => "users",
            ServiceName::Orders => "orders",
            ServiceName::Payments => "payments",
            ServiceName::Analytics => "analytics",
        }
    }

    /// Where it listens, relative to the gateway.
    pub fn port_offset(self) -> u16 {
        match self {
            ServiceName::Gateway => 0,
            ServiceName::Products => 1,
            ServiceName::Cart => 2,
            ServiceName::Users => 3,
            ServiceName::Orders => 4,
            ServiceName::Payments => 5,
            ServiceName::Analytics => 6,
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One service, or all of them: what `serve` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection(pub Vec<ServiceName>);

impl FromStr for Selection {
    type Err = String;

    fn from_str(text: &str) -> Result<Selection, String> {
        if text == "all" {
            return Ok(Selection(ServiceName::ALL.to_vec()));
        }
        let service = <ServiceName as ValueEnum>::from_str(text, false).map_err(|_| {
            let names: Vec<&str> = ServiceName::ALL.iter().map(|name| name.as_str()).collect();
            format!("there is no such service; choose from all, {}", names.join(", "))
        })?;
        Ok(Selection(vec![service]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_those_of_the_contract() {
        for (position, service) in ServiceName::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(service.port_offset()), position);
        }
    }

    #[test]
    fn a_selection_is_one_service_or_all() {
        assert_eq!("cart".parse(), Ok(Selection(vec![ServiceName::Cart])));
        assert_eq!("all".parse(), Ok(Selection(ServiceName::ALL.to_vec())));
        assert!("carts".parse::<Selection>().is_err());
    }
}
