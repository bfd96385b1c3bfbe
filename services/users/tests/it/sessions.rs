//! Logins, their limit, and what becomes of a session.

use std::time::Duration;

use futures_util::future::join_all;
use users::UsersConfig;
use users_client::{Logout, Refresh, Secret, UsersApi};

use crate::support::{PASSWORD, World, anonymous, code, config, from, is, keyed, login, registration};

#[tokio::test]
async fn a_login_works_whatever_the_cases_of_the_address() {
    let world = World::new().await;
    let ada = world.register("ada").await;
    for email in ["ada@example.com", "ADA@Example.COM", " ada@example.com "] {
        let input = users_client::Login { email: email.into(), password: Secret::new(PASSWORD) };
        assert_eq!(world.users.login(&anonymous(), input).await.unwrap().user, ada.user);
    }
    assert_eq!(code(world.login("ada", "wrong horse").await), is(401, "invalid_credentials"));
    assert_eq!(code(world.login("nobody", PASSWORD).await), is(401, "invalid_credentials"));
}

#[tokio::test]
async fn the_eleventh_failure_is_refused_wherever_it_is_served_and_only_there() {
    let world = World::new().await;
    world.register("ada").await;
    world.register("bob").await;
    let replica = world.another(config());
    let here = from("192.0.2.1");
    for number in 0..10 {
        let users = if number % 2 == 0 { &world.users } else { &replica };
        assert_eq!(code(users.login(&here, login("ada", "wrong horse")).await), is(401, "invalid_credentials"));
    }
    for users in [&world.users, &replica] {
        let error = users.login(&here, login("ADA", PASSWORD)).await.unwrap_err();
        assert_eq!(error.status.as_u16(), 429, "the right password, too");
        let after = error.retry_after.unwrap();
        assert!(after > Duration::from_secs(14 * 60) && after <= Duration::from_secs(15 * 60), "{after:?}");
    }
    assert!(world.users.login(&from("192.0.2.2"), login("ada", PASSWORD)).await.is_ok(), "another address");
    assert!(world.users.login(&here, login("bob", PASSWORD)).await.is_ok(), "another account");
    let owner = world.db.owner().await;
    owner.execute("UPDATE users.login_failures SET failed_at = ARRAY(SELECT at - interval '15 min' FROM unnest(failed_at) AS at)", &[]).await.unwrap();
    assert!(world.users.login(&here, login("ada", PASSWORD)).await.is_ok(), "15 minutes later");
}

#[tokio::test]
async fn parallel_guesses_gain_nothing() {
    let world = World::new().await;
    world.register("ada").await;
    let mut guesses: Vec<String> = (0..39).map(|number| format!("wrong horse {number}")).collect();
    guesses.push(PASSWORD.to_owned());
    let answers = join_all(guesses.iter().map(|guess| world.login("ada", guess))).await;
    let told = answers.iter().filter(|a| a.is_ok() || a.as_ref().is_err_and(|e| e.status.as_u16() == 401)).count();
    // Ten wrong ones, and the right one if it was done in time.
    assert!((10..=11).contains(&told), "{told} guesses were answered");
}

#[tokio::test]
async fn a_right_password_forgets_the_failures() {
    let world = World::new().await;
    world.register("ada").await;
    for _ in 0..3 {
        for _ in 0..9 {
            assert_eq!(code(world.login("ada", "wrong horse").await), is(401, "invalid_credentials"));
        }
        assert!(world.login("ada", PASSWORD).await.is_ok());
    }
}

#[tokio::test]
async fn unknown_accounts_are_limited_like_known_ones() {
    let world = World::new().await;
    for _ in 0..10 {
        assert_eq!(code(world.login("nobody", "wrong horse").await), is(401, "invalid_credentials"));
    }
    assert_eq!(world.login("nobody", "wrong horse").await.unwrap_err().status.as_u16(), 429);
}

#[tokio::test]
async fn a_cheap_hash_is_renewed_at_the_next_login() {
    let world = World::new().await;
    world.register("ada").await;
    let dearer = world.another(UsersConfig { bcrypt_cost: 5, ..config() });
    for _ in 0..2 {
        assert!(dearer.login(&anonymous(), login("ada", PASSWORD)).await.is_ok());
        let owner = world.db.owner().await;
        let row = owner.query_one("SELECT password_hash FROM users.users", &[]).await.unwrap();
        assert!(row.get::<_, &str>(0).starts_with("$2b$05$"));
    }
}

#[tokio::test]
async fn a_refresh_token_works_once() {
    let world = World::new().await;
    let ada = world.register("ada").await;
    let first = world.login("ada", PASSWORD).await.unwrap();
    let refresh =
        async |token: &Secret| world.users.refresh(&anonymous(), Refresh { refresh_token: token.clone() }).await;
    let second = refresh(&first.refresh_token).await.unwrap();
    assert_eq!(second.user, ada.user);
    assert!(world.keys.verify(&second.token).is_ok());
    assert_ne!(second.refresh_token, first.refresh_token);
    let third = refresh(&second.refresh_token).await.unwrap();

    assert_eq!(code(refresh(&first.refresh_token).await), is(401, "invalid_refresh_token"));
    let ended = refresh(&third.refresh_token).await;
    assert_eq!(code(ended), is(401, "invalid_refresh_token"), "the session ended with the second use");
    assert!(world.login("ada", PASSWORD).await.is_ok(), "other sessions go on");
}

#[tokio::test]
async fn tabs_that_refresh_at_once_go_on_with_one_token() {
    let world = World::new().await;
    world.register("ada").await;
    let token = world.login("ada", PASSWORD).await.unwrap().refresh_token;
    let refresh =
        async |token: &Secret| world.users.refresh(&anonymous(), Refresh { refresh_token: token.clone() }).await;
    let won: Vec<_> = join_all((0..8).map(|_| refresh(&token))).await.into_iter().map(Result::unwrap).collect();
    assert!(won.iter().all(|answer| answer.refresh_token == won[0].refresh_token), "the session does not fork");
    assert!(won.iter().all(|answer| world.keys.verify(&answer.token).is_ok()));

    let next = refresh(&won[0].refresh_token).await.unwrap().refresh_token;
    assert_eq!(code(refresh(&token).await), is(401, "invalid_refresh_token"), "its successor was used meanwhile");
    assert_eq!(code(refresh(&next).await), is(401, "invalid_refresh_token"), "so all of the session is over");
}

#[tokio::test]
async fn a_token_that_was_used_longer_ago_ends_its_session() {
    let world = World::with(UsersConfig { refresh_grace: Duration::ZERO, ..config() }).await;
    let first = world.register("ada").await.refresh_token;
    let refresh =
        async |token: &Secret| world.users.refresh(&anonymous(), Refresh { refresh_token: token.clone() }).await;
    let second = refresh(&first).await.unwrap().refresh_token;
    for token in [&first, &second] {
        assert_eq!(code(refresh(token).await), is(401, "invalid_refresh_token"));
    }
}

#[tokio::test]
async fn a_registration_begins_a_session_and_its_repetition_answers_the_same() {
    let world = World::new().await;
    let caller = keyed(&anonymous(), "0f4b9d8e-2a47-4c39-8e10-f47b525c1b7a");
    let ada = world.users.register(&caller, registration("ada")).await.unwrap();
    let again = world.users.register(&caller, registration("ada")).await.unwrap();
    assert_eq!((&again.refresh_token, again.refresh_expires_at), (&ada.refresh_token, ada.refresh_expires_at));
    let refreshed = world.users.refresh(&anonymous(), Refresh { refresh_token: ada.refresh_token }).await.unwrap();
    assert_eq!(refreshed.user, ada.user);
    let (bob, eve) = (world.register("bob").await, world.register("eve").await);
    assert_ne!(bob.refresh_token, eve.refresh_token);
}

#[tokio::test]
async fn tokens_are_stored_as_hashes_and_expire() {
    let world = World::new().await;
    world.register("ada").await;
    let token = world.login("ada", PASSWORD).await.unwrap().refresh_token;
    let owner = world.db.owner().await;
    let stored: String = owner
        .query_one("SELECT string_agg(refresh_tokens::text, ' ') FROM users.refresh_tokens", &[])
        .await
        .unwrap()
        .get(0);
    assert!(!stored.contains(token.reveal()));
    owner.execute("UPDATE users.refresh_tokens SET expires_at = now()", &[]).await.unwrap();
    let late = world.users.refresh(&anonymous(), Refresh { refresh_token: token }).await;
    assert_eq!(code(late), is(401, "invalid_refresh_token"));
}

#[tokio::test]
async fn logout_ends_the_session_of_a_token_or_all_of_the_caller() {
    let world = World::new().await;
    let (ada, bob) = (world.register("ada").await, world.register("bob").await);
    let (as_ada, as_bob) = (world.caller(&ada.token), world.caller(&bob.token));
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(world.login("ada", PASSWORD).await.unwrap().refresh_token);
    }
    let one = |token: &Secret| Logout { refresh_token: Some(token.clone()) };
    let refresh = async |token: Secret| {
        world.users.refresh(&anonymous(), Refresh { refresh_token: token }).await.map(|answer| answer.refresh_token)
    };
    assert_eq!(code(world.users.logout(&anonymous(), Logout::default()).await), is(401, "unauthenticated"));
    world.users.logout(&as_bob, Logout::default()).await.unwrap();
    let next = refresh(tokens.remove(0)).await.unwrap();
    world.users.logout(&anonymous(), one(&next)).await.unwrap();
    assert_eq!(code(refresh(next).await), is(401, "invalid_refresh_token"), "whoever holds it may end it");
    tokens[0] = refresh(tokens[0].clone()).await.unwrap();
    world.users.logout(&as_ada, Logout::default()).await.unwrap();
    for token in tokens {
        assert_eq!(code(refresh(token).await), is(401, "invalid_refresh_token"));
    }
}
