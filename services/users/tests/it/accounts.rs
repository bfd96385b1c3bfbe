//! Registration, profiles, and accounts nobody registers.

use futures_util::future::join_all;
use service::Role;
use testkit::prepare_all;
use users_client::{ChangePassword, Secret, UpdateProfile, UsersApi};

use crate::support::{PASSWORD, World, anonymous, code, is, keyed, login, registration};

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let world = World::new().await;
    let database = world.db.database(users::SERVICE, users::SCHEMA);
    prepare_all(&database, &users::statements()).await;
    database::startup::check(&database, &users::migrations().unwrap(), users::TABLES).await.unwrap();
}

#[tokio::test]
async fn a_registered_user_holds_a_token() {
    let world = World::new().await;
    let answer = world.register("ada").await;
    let claims = world.keys.verify(&answer.token).unwrap();
    assert_eq!((claims.user_id, claims.email.as_str()), (answer.user.id, "ada@example.com"));
    assert_eq!((claims.username.as_str(), claims.role), ("ada", Role::User));
    assert_eq!(claims.exp - claims.iat, 24 * 60 * 60);
    let own = world.users.profile(&world.caller(&answer.token), answer.user.id).await.unwrap();
    assert_eq!(own, answer.user);
}

#[tokio::test]
async fn of_many_at_once_one_gets_the_address_and_one_the_name() {
    let world = World::new().await;
    let register = async |email: String, username: String| {
        let input = users_client::Register { email, username, ..registration("x") };
        world.users.register(&anonymous(), input).await
    };
    let cases = ["ada@example.com", "Ada@Example.com", "ADA@EXAMPLE.COM", " ada@example.com "];
    let same_email = join_all(cases.iter().enumerate().map(|(n, email)| register((*email).into(), format!("u{n}"))));
    let (won, lost): (Vec<_>, Vec<_>) = same_email.await.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|result| code(result) == is(409, "email_already_exists")));

    let same_name = join_all((0..4).map(|n| register(format!("b{n}@example.com"), "bob".into()))).await;
    let (won, lost): (Vec<_>, Vec<_>) = same_name.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|result| code(result) == is(409, "username_already_exists")));

    let again = world.users.register(&anonymous(), registration("u0")).await;
    assert!(again.is_ok() || code(again) == is(409, "username_already_exists"));
    let both = async || world.users.register(&anonymous(), registration("carol")).await;
    assert!(both().await.is_ok());
    assert_eq!(code(both().await), is(409, "email_already_exists"), "the e-mail comes first");
}

#[tokio::test]
async fn a_key_makes_one_account_and_one_answer() {
    let world = World::new().await;
    let caller = keyed(&anonymous(), "7c9e6679-7425-40de-944b-e07fc1f90ae7");
    let answers = join_all((0..5).map(|_| world.users.register(&caller, registration("ada")))).await;
    let answers: Vec<String> =
        answers.into_iter().map(|answer| serde_json::to_string(&answer.unwrap()).unwrap()).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "byte for byte, the token too");
    let other = world.users.register(&caller, registration("bob")).await;
    assert_eq!(code(other), is(422, "idempotency_key_reused"));
    let refused = keyed(&anonymous(), "01951e7a-3f0d-7b52-9d8e-2a47c39e10f4");
    for _ in 0..2 {
        let error = world.users.register(&refused, registration("ada")).await;
        assert_eq!(code(error), is(409, "email_already_exists"), "a refusal is kept, too");
    }
}

#[tokio::test]
async fn a_key_that_anybody_may_choose_gives_nobody_anothers_token() {
    let world = World::new().await;
    let refused = world.users.register(&keyed(&anonymous(), "1"), registration("ada")).await;
    assert_eq!(code(refused), is(400, "invalid_idempotency_key"));
    assert!(world.users.register(&anonymous(), registration("ada")).await.is_ok(), "nothing came of it");
}

#[tokio::test]
async fn a_key_makes_one_change_of_a_profile() {
    let world = World::new().await;
    let ada = world.register("ada").await;
    let (as_ada, id) = (world.caller(&ada.token), ada.user.id);
    let rename = |name: &str| UpdateProfile { email: None, username: Some(name.into()) };
    let keyed = keyed(&as_ada, "rename-1");
    let first = world.users.update_profile(&keyed, id, rename("countess")).await.unwrap();
    let second = world.users.update_profile(&as_ada, id, rename("enchantress")).await.unwrap();
    assert_eq!(world.users.update_profile(&keyed, id, rename("countess")).await.unwrap(), first);
    assert_eq!(world.users.profile(&as_ada, id).await.unwrap(), second, "the repetition changed nothing");
    let reused = world.users.update_profile(&keyed, id, rename("ada")).await;
    assert_eq!(code(reused), is(422, "idempotency_key_reused"));
}

#[tokio::test]
async fn a_profile_is_its_owners_and_an_admins() {
    let world = World::new().await;
    let (ada, bob) = (world.register("ada").await, world.register("bob").await);
    let (as_ada, admin) = (world.caller(&ada.token), world.admin().await);
    let change = UpdateProfile { email: Some("Ada@New.example".into()), username: None };

    assert_eq!(code(world.users.profile(&anonymous(), ada.user.id).await), is(401, "unauthenticated"));
    let foreign = bob.user.id;
    assert_eq!(code(world.users.profile(&as_ada, foreign).await), is(404, "user_not_found"));
    assert_eq!(code(world.users.update_profile(&as_ada, foreign, change.clone()).await), is(404, "user_not_found"));
    assert_eq!(code(world.users.delete_profile(&as_ada, foreign).await), is(404, "user_not_found"));
    assert_eq!(code(world.users.export(&as_ada, foreign).await), is(404, "user_not_found"));
    assert_eq!(world.users.profile(&admin, foreign).await.unwrap(), bob.user);

    let changed = world.users.update_profile(&as_ada, ada.user.id, change).await.unwrap();
    assert_eq!((changed.email.as_str(), changed.username.as_str()), ("Ada@New.example", "ada"));
    assert!(changed.updated_at > ada.user.updated_at);
    let taken = UpdateProfile { email: Some("BOB@example.com".into()), username: None };
    let refused = world.users.update_profile(&as_ada, ada.user.id, taken).await;
    assert_eq!(code(refused), is(409, "email_already_exists"));

    let ids = [ada.user.id, bob.user.id, events::UserId::new()];
    assert_eq!(world.users.users_by_ids(&as_ada, &ids).await.unwrap(), [changed]);
    assert_eq!(world.users.users_by_ids(&admin, &ids).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_new_address_has_to_be_verified_anew() {
    let world = World::new().await;
    let ada = world.register("ada").await;
    let caller = world.caller(&ada.token);
    let owner = world.db.owner().await;
    owner.execute("UPDATE users.users SET email_verified = true", &[]).await.unwrap();
    let update = async |email: &str| {
        let change = UpdateProfile { email: Some(email.into()), username: None };
        world.users.update_profile(&caller, ada.user.id, change).await.unwrap().email_verified
    };
    assert!(update("ADA@example.com").await, "the same address in another case");
    assert!(!update("ada@elsewhere.example").await);
}

#[tokio::test]
async fn a_closed_account_keeps_nothing_personal_and_frees_its_names() {
    let world = World::new().await;
    let ada = world.register("ada").await;
    let session = world.login("ada", PASSWORD).await.unwrap();
    let caller = world.caller(&ada.token);
    let export = world.users.export(&caller, ada.user.id).await.unwrap();
    assert_eq!((export.user, export.sessions.len()), (ada.user.clone(), 2), "of the registration and the login");

    world.users.delete_profile(&caller, ada.user.id).await.unwrap();

    assert_eq!(code(world.users.profile(&caller, ada.user.id).await), is(404, "user_not_found"));
    assert_eq!(code(world.users.delete_profile(&caller, ada.user.id).await), is(404, "user_not_found"));
    assert_eq!(code(world.login("ada", PASSWORD).await), is(401, "invalid_credentials"));
    let refresh = users_client::Refresh { refresh_token: session.refresh_token };
    assert_eq!(code(world.users.refresh(&anonymous(), refresh).await), is(401, "invalid_refresh_token"));
    let owner = world.db.owner().await;
    let row = owner.query_one("SELECT users::text AS row, deleted_at FROM users.users", &[]).await.unwrap();
    assert!(!row.get::<_, String>("row").contains("ada"), "{row:?}");
    let masked = format!("deleted-{}@deleted.invalid", ada.user.id);
    let login = users_client::Login { email: masked, password: Secret::new("") };
    assert_eq!(code(world.users.login(&anonymous(), login).await), is(401, "invalid_credentials"));
    assert_ne!(world.register("ada").await.user.id, ada.user.id);
}

#[tokio::test]
async fn a_new_password_ends_the_old_one_and_every_session() {
    let world = World::new().await;
    let ada = world.register("ada").await;
    let session = world.login("ada", PASSWORD).await.unwrap();
    let caller = world.caller(&ada.token);
    let change = |current: &str, new: &str| ChangePassword {
        current_password: Secret::new(current),
        new_password: Secret::new(new),
    };
    let short = world.users.change_password(&caller, change(PASSWORD, "short")).await.unwrap_err();
    assert_eq!((short.fields[0].field.as_str(), short.fields[0].code.as_ref()), ("new_password", "too_short"));
    let wrong = world.users.change_password(&caller, change("wrong horse", "a new password")).await.unwrap_err();
    assert_eq!((wrong.fields[0].field.as_str(), wrong.fields[0].code.as_ref()), ("current_password", "wrong"));

    let once = keyed(&caller, "change it once");
    for _ in 0..2 {
        world.users.change_password(&once, change(PASSWORD, "a new password")).await.unwrap();
    }
    assert_eq!(code(world.login("ada", PASSWORD).await), is(401, "invalid_credentials"));
    assert!(world.login("ada", "a new password").await.is_ok());
    let refresh = users_client::Refresh { refresh_token: session.refresh_token };
    assert_eq!(code(world.users.refresh(&anonymous(), refresh).await), is(401, "invalid_refresh_token"));
}

#[tokio::test]
async fn demo_logins_are_made_once() {
    let world = World::new().await;
    assert_eq!(world.users.seed().await.unwrap(), 2);
    assert_eq!(world.users.seed().await.unwrap(), 0);
    for demo in users::DEMO_LOGINS {
        let input = users_client::Login { email: demo.email.into(), password: Secret::new(demo.password) };
        assert_eq!(world.users.login(&anonymous(), input).await.unwrap().user.role, demo.role);
    }
}

#[tokio::test]
async fn promotion_counts_from_the_next_login_on() {
    let world = World::new().await;
    let ada = world.register("ada").await;
    let database = world.db.database(users::SERVICE, users::SCHEMA);
    assert_eq!(users::promote(&database, "ADA@example.com").await.unwrap().id, ada.user.id);
    assert_eq!(code(users::promote(&database, "nobody@example.com").await), is(404, "user_not_found"));
    let answer = world.users.login(&anonymous(), login("ada", PASSWORD)).await.unwrap();
    assert_eq!(world.keys.verify(&answer.token).unwrap().role, Role::Admin);
}

#[tokio::test]
async fn many_customers_are_made_with_one_hash() {
    let world = World::new().await;
    let accounts = world.users.register_many(1_500, Secret::new(PASSWORD)).await.unwrap();
    assert_eq!(accounts.len(), 1_500);
    let last = &accounts[1_499];
    assert_eq!(world.keys.verify(&last.token).unwrap().user_id, last.id);
    let input = users_client::Login { email: last.email.clone(), password: Secret::new(PASSWORD) };
    assert_eq!(world.users.login(&anonymous(), input).await.unwrap().user.id, last.id);
}
