//! The list of accounts, read while accounts come and change.

use serde_json::json;
use service::{Page, PageQuery, Role};
use testkit::{copy_row, pages_survive_writes};
use users_client::{UserFilter, UsersApi};

use crate::support::World;

#[tokio::test]
async fn pages_of_accounts_survive_writes() {
    let world = World::new().await;
    let admin = world.admin().await;
    for number in 0..5 {
        world.register(&format!("shopper-{number}")).await;
    }
    let owner = &world.db.owner().await;
    let named = UserFilter { q: Some("shopper-".to_owned()), role: Some(Role::User) };
    for filter in [UserFilter::default(), named] {
        let read = async |cursor| {
            let page = PageQuery { cursor, ..PageQuery::first(2) };
            let Page { items, next_cursor, .. } = world.users.users(&admin, filter.clone(), page).await.unwrap();
            (items.into_iter().map(|user| user.id.uuid()).collect(), next_cursor)
        };
        pages_survive_writes(read, async |last, new| {
            for id in [new.beside, new.at_the_ends].concat() {
                let other = json!({"id": id, "email": format!("shopper-{id}@example.com"), "username": format!("shopper-{id}")});
                copy_row(owner, "users.users", "id", last, other).await;
            }
            let renamed = "UPDATE users.users SET username = username || '.', updated_at = now()";
            owner.execute(renamed, &[]).await.unwrap();
        })
        .await;
    }
}
