//! The REST API as the HTTP client sees it.

use analytics_client::{AnalyticsApi, Http, ReportName, ReportQuery, Rows};
use events::{CorrelationId, ProductId};
use service::server::{AppConfig, DRAIN_TIMEOUT, app, serve};
use service::{Caller, Error, IdempotencyKey, Role};
use tokio_util::sync::CancellationToken;

use crate::support::{Story, World, at};

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> (u16, String) {
    let error = result.unwrap_err();
    (error.status.as_u16(), error.code.into_owned())
}

#[tokio::test]
async fn reports_are_for_admins() {
    let world = World::new().await;
    let (router, _openapi) = analytics::router(world.analytics.clone()).split_for_parts();
    let router = app(router, AppConfig::new(analytics::SERVICE, world.keys.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Http::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(serve(listener, router, shutdown.clone(), DRAIN_TIMEOUT));
    world.start();
    world.publish(&Story::new(ProductId::new(), 3).confirmed()).await;
    world.idle().await;

    let (anonymous, customer) = (Caller::anonymous(CorrelationId::new()), world.caller(Role::User));
    let admin = world.caller(Role::Admin);
    assert_eq!(code(client.reports(&anonymous).await), (401, "unauthenticated".to_owned()));
    assert_eq!(code(client.reports(&customer).await), (403, "forbidden".to_owned()));
    let sales = ReportName::SalesPerDay;
    assert_eq!(code(client.report(&customer, sales, ReportQuery::default()).await), (403, "forbidden".to_owned()));
    let reversed = ReportQuery { from: Some(at(0).date_naive()), to: at(0).date_naive().pred_opt(), limit: None };
    assert_eq!(code(client.report(&admin, sales, reversed).await), (422, "validation_failed".to_owned()));

    let list = client.reports(&admin).await.unwrap();
    assert_eq!(list.items.iter().map(|info| info.name).collect::<Vec<_>>(), ReportName::ALL);
    assert!(list.items[0].updated_at.is_some());
    let query = ReportQuery { from: Some(at(0).date_naive()), to: Some(at(0).date_naive()), limit: Some(1) };
    for name in ReportName::ALL {
        let remote = client.report(&admin, name, query.clone()).await.unwrap();
        assert_eq!(remote, world.analytics.report(&admin, name, query.clone()).await.unwrap());
    }
    let Rows::SalesPerDay(days) = client.report(&admin, sales, query).await.unwrap().rows else { panic!("sales") };
    assert_eq!(days[0].gross.amount(), "38.70");

    for caller in [&anonymous, &customer] {
        let refused = [
            code(client.rebuild_reports(caller).await),
            code(client.rebuild_status(caller).await),
            code(client.stop_rebuild(caller).await),
        ];
        assert!(refused.iter().all(|(status, _)| [401, 403].contains(status)), "{refused:?}");
    }
    assert_eq!(code(client.stop_rebuild(&admin).await), (409, "nothing_is_rebuilt".to_owned()));
    assert_eq!(client.rebuild_status(&admin).await.unwrap().began_at, None);
    let before = client.report(&admin, sales, ReportQuery::default()).await.unwrap();
    let once = admin.with_idempotency_key(Some(IdempotencyKey::new("rebuild").unwrap()));
    let begun = client.rebuild_reports(&once).await.unwrap();
    assert_eq!((begun.running, begun.events, begun.actor), (true, 6, Some(admin.actor().unwrap())));
    testkit::eventually(std::time::Duration::from_secs(20), || async {
        let status = client.rebuild_status(&admin).await.map_err(|error| error.to_string())?;
        if status.running { Err(format!("{status:?}")) } else { Ok(()) }
    })
    .await;
    assert_eq!(client.rebuild_reports(&once).await.unwrap().began_at, begun.began_at, "once per key");
    assert_eq!(client.report(&admin, sales, ReportQuery::default()).await.unwrap(), before);

    world.stop().await;
    shutdown.cancel();
    server.await.unwrap().unwrap();
}
