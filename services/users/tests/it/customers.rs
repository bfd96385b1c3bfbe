//! What admins do with accounts: look them up, give roles.

use futures_util::future::join_all;
use service::{Caller, PageQuery, Role};
use users_client::{CloseAccount, Secret, SetRole, UserFilter, UsersApi};

use crate::support::{PASSWORD, World, anonymous, code, is, keyed};

const ADMIN: SetRole = SetRole { role: Role::Admin };
const USER: SetRole = SetRole { role: Role::User };

async fn names(world: &World, admin: &Caller, q: &str, role: Option<Role>) -> Vec<String> {
    let filter = UserFilter { q: Some(q.into()), role };
    let page = world.users.users(admin, filter, PageQuery::default()).await.unwrap();
    page.items.into_iter().map(|user| user.username).collect()
}

#[tokio::test]
async fn accounts_are_found_by_the_beginning_of_their_names() {
    let world = World::new().await;
    let admin = world.admin().await;
    for name in ["ada", "bob", "ad_am", "Adele"] {
        world.register(name).await;
    }
    assert_eq!(names(&world, &admin, "AD", Some(Role::User)).await, ["Adele", "ad_am", "ada"], "newest first");
    assert_eq!(names(&world, &admin, "adele@EXAMPLE", None).await, ["Adele"]);
    assert_eq!(names(&world, &admin, "ad_", None).await, ["ad_am"], "no wildcard");
    assert_eq!(names(&world, &admin, "%", None).await, Vec::<String>::new());
    assert_eq!(names(&world, &admin, " ", Some(Role::Admin)).await, ["admin"]);

    let first = world.users.users(&admin, UserFilter::default(), PageQuery::first(4)).await.unwrap();
    let next = PageQuery { cursor: first.next_cursor, ..PageQuery::first(4) };
    let second = world.users.users(&admin, UserFilter::default(), next).await.unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next_cursor), (4, 2, None));

    let long = UserFilter { q: Some("x".repeat(255)), role: None };
    assert_eq!(code(world.users.users(&admin, long, PageQuery::default()).await), is(422, "validation_failed"));
}

#[tokio::test]
async fn only_admins_see_accounts_and_give_roles() {
    let world = World::new().await;
    let ada = world.register("ada").await;
    let as_ada = world.caller(&ada.token);
    for (caller, status, error) in [(&anonymous(), 401, "unauthenticated"), (&as_ada, 403, "forbidden")] {
        let list = world.users.users(caller, UserFilter::default(), PageQuery::default()).await;
        assert_eq!(code(list), is(status, error));
        assert_eq!(code(world.users.set_role(caller, ada.user.id, ADMIN).await), is(status, error));
    }
}

#[tokio::test]
async fn a_role_counts_from_the_next_token_on_and_the_trail_tells_who_gave_it() {
    let world = World::new().await;
    let (admin, ada) = (world.admin().await, world.register("ada").await);
    let once = keyed(&admin, "promote ada");
    for _ in 0..2 {
        assert_eq!(world.users.set_role(&once, ada.user.id, ADMIN).await.unwrap().role, Role::Admin);
    }
    world.users.set_role(&admin, ada.user.id, ADMIN).await.unwrap();
    let refresh = users_client::Refresh { refresh_token: ada.refresh_token };
    let fresh = world.users.refresh(&anonymous(), refresh).await.unwrap();
    assert_eq!(world.keys.verify(&fresh.token).unwrap().role, Role::Admin);

    let database = world.db.database(users::SERVICE, users::SCHEMA);
    let acts =
        database::audit::list(&database.read().await.unwrap(), Some(ada.user.id.uuid()), None, 10).await.unwrap();
    assert_eq!(acts.len(), 1, "what changes nothing is no act");
    let act = &acts[0];
    assert_eq!((act.action.as_str(), act.actor.as_str()), ("user.set_role", admin.actor().unwrap().as_str()));
    assert_eq!(act.reason.as_deref(), Some("from user to admin"));
    let nobody = world.users.set_role(&admin, events::UserId::new(), ADMIN).await;
    assert_eq!(code(nobody), is(404, "user_not_found"));
}

#[tokio::test]
async fn the_same_role_given_by_many_at_once_is_one_act() {
    let world = World::new().await;
    let (admin, ada) = (world.admin().await, world.register("ada").await);
    let given = join_all((0..8).map(|_| world.users.set_role(&admin, ada.user.id, ADMIN))).await;
    assert!(given.into_iter().all(|user| user.unwrap().role == Role::Admin));
    let database = world.db.database(users::SERVICE, users::SCHEMA);
    let db = database.read().await.unwrap();
    let acts = database::audit::list(&db, Some(ada.user.id.uuid()), None, 10).await.unwrap();
    assert_eq!(acts.len(), 1, "each sees what the one before did: {acts:?}");
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    let world = World::new().await;
    let (admin, ada) = (world.admin().await, world.register("ada").await);
    let own = admin.user_id().unwrap();
    let close = CloseAccount { password: Secret::new("admin-password") };
    assert_eq!(code(world.users.set_role(&admin, own, USER).await), is(409, "last_admin"));
    assert_eq!(code(world.users.delete_profile(&admin, own).await), is(409, "last_admin"));
    assert_eq!(code(world.users.close_account(&admin, close).await), is(409, "last_admin"));

    world.users.set_role(&admin, ada.user.id, ADMIN).await.unwrap();
    // Each takes the other's role away, at once: one of them comes too late.
    let both = [own, ada.user.id].map(|id| world.users.set_role(&admin, id, USER));
    let (done, refused): (Vec<_>, Vec<_>) = join_all(both).await.into_iter().partition(Result::is_ok);
    assert_eq!((done.len(), refused.len()), (1, 1));
    assert!(refused.into_iter().all(|refusal| code(refusal) == is(409, "last_admin")));
    assert_eq!(names(&world, &admin, "", Some(Role::Admin)).await.len(), 1);
}

#[tokio::test]
async fn closing_an_ordinary_account_waits_for_no_admin() {
    let world = World::new().await;
    let ada = world.register("ada").await;
    world.admin().await;
    let busy = world.db.owner().await;
    busy.batch_execute("BEGIN; SELECT FROM users.users WHERE role = 'admin' FOR UPDATE").await.unwrap();
    let closing = world.users.delete_profile(&world.caller(&ada.token), ada.user.id).await;
    busy.batch_execute("COMMIT").await.unwrap();
    closing.unwrap();
}

#[tokio::test]
async fn an_account_is_closed_by_whoever_knows_its_password_and_once() {
    let world = World::new().await;
    let ada = world.register("ada").await;
    let caller = world.caller(&ada.token);
    let with = |password: &str| CloseAccount { password: Secret::new(password) };
    assert_eq!(code(world.users.close_account(&anonymous(), with(PASSWORD)).await), is(401, "unauthenticated"));
    let wrong = world.users.close_account(&caller, with("wrong horse")).await.unwrap_err();
    assert_eq!((wrong.fields[0].field.as_str(), wrong.fields[0].code.as_ref()), ("password", "wrong"));
    let once = keyed(&caller, "close it once");
    for _ in 0..2 {
        world.users.close_account(&once, with(PASSWORD)).await.unwrap();
    }
    assert_eq!(code(world.users.close_account(&caller, with(PASSWORD)).await), is(404, "user_not_found"));
    assert_eq!(code(world.login("ada", PASSWORD).await), is(401, "invalid_credentials"));
}

#[tokio::test]
async fn guesses_at_the_password_of_a_stolen_token_are_limited() {
    let world = World::new().await;
    let thief = world.caller(&world.register("ada").await.token);
    let guess = async || world.users.close_account(&thief, CloseAccount { password: Secret::new("wrong horse") }).await;
    for _ in 0..10 {
        assert_eq!(code(guess().await), is(422, "validation_failed"));
    }
    assert_eq!(guess().await.unwrap_err().status.as_u16(), 429);
}
