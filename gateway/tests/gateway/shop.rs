//! Services that answer from memory and remember what they were asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cart_client::{AddItem, Cart, CartApi, CartItem, CartStatus, CheckoutCart, UpdateItem};
use chrono::{DateTime, TimeDelta, Utc};
use events::*;
use messaging::Tapped;
use orders_client::{
    CancelOrder, Order, OrderFilter, OrderItem, OrdersApi, OrdersOfUser, PlaceOrder, Saga, SagaDetail, SagaFilter,
    Timeline, TimelineEntry,
};
use payments_client::{CreateRefund, Payment, PaymentStatus, PaymentsApi, Refund, RefundStatus};
use products_client::{CatalogueVersion, Category, Product};
use service::{Caller, Claims, Error, Page, PageQuery, Role};
use users_client::{
    ChangePassword, CloseAccount, Export, Login, LoginAnswer, Logout, Refresh, Register, Registered, Secret, SetRole,
    UpdateProfile, User, UserFilter, UsersApi,
};

use crate::support::keys;

pub fn euros(amount: &str) -> Money {
    Money::parse(amount, Currency::EUR).unwrap()
}

pub fn time() -> DateTime<Utc> {
    "2026-03-01T09:30:00Z".parse().unwrap()
}

/// What a login and a registration give.
pub const REFRESH_TOKEN: &str = "fedcba9876543210";

fn nobody() -> Login {
    Login { email: String::new(), password: Secret::new("") }
}

/// A shop with three categories, a product in each twice, one buyer and one order of all products.
pub struct Shop {
    pub categories: Vec<Category>,
    pub products: Vec<Product>,
    /// The catalogue's version, if it tells one.
    pub version: Mutex<Option<CatalogueVersion>>,
    /// What it becomes while products are listed the next time.
    pub next_version: Mutex<Option<CatalogueVersion>>,
    pub buyer: User,
    pub order: Mutex<Order>,
    pub cart_id: CartId,
    pub payment_id: PaymentId,
    /// The last refund that was asked for.
    pub refunded: Mutex<Option<CreateRefund>>,
    /// Which orders were asked for last.
    pub order_filter: Mutex<Option<OrderFilter>>,
    /// Every call, in order.
    pub calls: Mutex<Vec<&'static str>>,
    /// Calls that bore an idempotency key, and the key.
    pub keys: Mutex<Vec<(&'static str, String)>>,
    /// Who made the last call.
    pub last_caller: Mutex<Option<Caller>>,
    /// What `login`, `register`, `adopt` and `create_product` answer, if not success.
    pub refusal: Mutex<HashMap<&'static str, Error>>,
}

impl Shop {
    pub fn new() -> Arc<Shop> {
        let category = |n: usize| Category {
            id: CategoryId::new(),
            name: format!("Category {n}"),
            description: None,
            created_at: time(),
            updated_at: time(),
        };
        let categories: Vec<Category> = (0..3).map(category).collect();
        let product = |n: usize| Product {
            id: ProductId::new(),
            name: format!("Product {n}"),
            description: Some("Good.".into()),
            sku: format!("SKU-{n}"),
            price: euros("12.50"),
            stock_quantity: 5,
            in_stock: true,
            category_id: Some(categories[n % 3].id),
            image_url: Some("/images/a.svg".into()),
            images: vec!["/images/a.svg".into(), "/images/a-detail.svg".into()],
            supplier_id: None,
            version: 1,
            created_at: time(),
            updated_at: time(),
        };
        let products: Vec<Product> = (0..6).map(product).collect();
        let buyer = User {
            id: UserId::new(),
            email: "ann@example.com".into(),
            username: "ann".into(),
            role: Role::User,
            email_verified: false,
            created_at: time(),
            updated_at: time(),
        };
        let order = Mutex::new(order(&buyer, &products));
        Arc::new(Shop {
            categories,
            products,
            version: Mutex::default(),
            next_version: Mutex::default(),
            buyer,
            order,
            cart_id: CartId::new(),
            payment_id: PaymentId::new(),
            refunded: Mutex::default(),
            order_filter: Mutex::default(),
            calls: Mutex::default(),
            keys: Mutex::default(),
            last_caller: Mutex::default(),
            refusal: Mutex::default(),
        })
    }

    pub fn called(&self, caller: &Caller, name: &'static str) -> Result<(), Error> {
        self.calls.lock().unwrap().push(name);
        self.keys.lock().unwrap().extend(caller.idempotency_key.iter().map(|key| (name, key.as_str().to_owned())));
        *self.last_caller.lock().unwrap() = Some(caller.clone());
        self.refusal.lock().unwrap().get(name).cloned().map_or(Ok(()), Err)
    }

    pub fn refuse(&self, name: &'static str, error: Error) {
        self.refusal.lock().unwrap().insert(name, error);
    }

    pub fn take_calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    pub fn take_keys(&self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut *self.keys.lock().unwrap())
    }

    pub fn token(&self, role: Role) -> String {
        self.token_until(role, Utc::now().timestamp() + 3600)
    }

    pub fn token_until(&self, role: Role, exp: i64) -> String {
        let claims = Claims { exp, ..Claims::new(self.buyer.id, &*self.buyer.email, &*self.buyer.username, role) };
        keys().sign(&claims).unwrap().reveal().to_owned()
    }

    /// Moves the order on, as the service would, and answers the event that tells of it.
    pub fn move_order(&self, statuses: &[OrderStatus]) -> Tapped {
        let mut order = self.order.lock().unwrap();
        order.version += 1;
        order.status = *statuses.last().unwrap();
        let (order_id, user_id, cart_id, statuses) = (order.id, order.user_id, order.cart_id, statuses.to_vec());
        let draft = if order.status == OrderStatus::Failed {
            let (code, reason) = ("PAYMENT_DECLINED".to_owned(), "The card was declined.".to_owned());
            let event = OrderFailed { order_id, user_id, cart_id, statuses, code, reason };
            Draft::new(&event, order.version, order.correlation_id, "orders")
        } else {
            let event = OrderRolledBack { order_id, user_id, cart_id, statuses };
            Draft::new(&event, order.version, order.correlation_id, "orders")
        };
        Tapped::Event(Box::new(draft.envelope))
    }

    fn cart(&self) -> Cart {
        let item = |product: &Product| CartItem {
            id: CartItemId::new(),
            product_id: product.id,
            name: product.name.clone(),
            quantity: 2,
            unit_price: product.price,
            line_total: euros("25.00"),
        };
        Cart {
            id: self.cart_id,
            user_id: None,
            status: CartStatus::CheckingOut,
            items: self.products.iter().map(item).collect(),
            total: euros("150.00"),
            item_count: 12,
            created_at: time(),
            updated_at: time(),
        }
    }
}

fn order(buyer: &User, products: &[Product]) -> Order {
    let item = |product: &Product| OrderItem {
        product_id: product.id,
        name: product.name.clone(),
        quantity: 1,
        unit_price: product.price,
        line_total: product.price,
    };
    Order {
        id: OrderId::new(),
        user_id: buyer.id,
        cart_id: CartId::new(),
        status: OrderStatus::Pending,
        cancellable: true,
        version: 1,
        items: products.iter().map(item).collect(),
        subtotal: euros("75.00"),
        shipping_total: euros("0"),
        tax_total: euros("0"),
        total: euros("75.00"),
        shipping_address: None,
        correlation_id: CorrelationId::new(),
        failure_code: None,
        failure_reason: None,
        created_at: time(),
        updated_at: time(),
        shipped_at: None,
        delivered_at: None,
        cancelled_at: None,
    }
}

pub fn outside<T>() -> Result<T, Error> {
    Err(Error::internal("the tests of the gateway do not go here"))
}

/// Pages by offset: the cursor is the number of items before it.
pub fn page<T: Clone>(items: &[T], query: &PageQuery) -> Result<Page<T>, Error> {
    let start = query.after::<usize>()?.unwrap_or(0);
    let rows = items.iter().cloned().enumerate().skip(start).take(usize::from(query.limit()?) + 1).collect();
    Ok(Page::new(query, rows, |(index, _)| index + 1)?.map(|(_, item)| item))
}

#[async_trait]
impl CartApi for Shop {
    async fn create(&self, caller: &Caller) -> Result<Cart, Error> {
        self.called(caller, "create_cart")?;
        Ok(Cart { items: Vec::new(), ..self.cart() })
    }
    async fn get(&self, caller: &Caller, cart_id: CartId) -> Result<Cart, Error> {
        self.called(caller, "cart")?;
        let found = (cart_id == self.cart_id).then(|| self.cart());
        found.ok_or_else(|| Error::not_found("cart_not_found", "there is no such cart"))
    }
    async fn carts_by_ids(&self, _: &Caller, _: &[CartId]) -> Result<Vec<Cart>, Error> {
        outside()
    }
    async fn active_cart_of_user(&self, caller: &Caller, user_id: UserId) -> Result<Option<Cart>, Error> {
        self.called(caller, "active_cart_of_user")?;
        Ok((caller.user_id() == Some(user_id)).then(|| self.cart()))
    }
    async fn active_carts_of_users(&self, caller: &Caller, ids: &[UserId]) -> Result<Vec<Cart>, Error> {
        self.called(caller, "active_carts_of_users")?;
        let seen = ids.iter().filter(|id| caller.is_admin() || caller.user_id() == Some(**id));
        Ok(seen.map(|id| Cart { user_id: Some(*id), ..self.cart() }).collect())
    }
    async fn add_item(&self, caller: &Caller, _: AddItem) -> Result<Cart, Error> {
        self.called(caller, "add_item")?;
        Ok(self.cart())
    }
    async fn update_item(&self, caller: &Caller, _: CartItemId, _: UpdateItem) -> Result<Cart, Error> {
        self.called(caller, "update_item")?;
        Ok(self.cart())
    }
    async fn remove_item(&self, caller: &Caller, _: CartItemId) -> Result<Cart, Error> {
        self.called(caller, "remove_item")?;
        Ok(self.cart())
    }
    async fn clear(&self, caller: &Caller, _: CartId) -> Result<Cart, Error> {
        self.called(caller, "clear")?;
        Ok(self.cart())
    }
    async fn delete(&self, _: &Caller, _: CartId) -> Result<(), Error> {
        outside()
    }
    async fn adopt(&self, caller: &Caller, _: CartId) -> Result<Cart, Error> {
        self.called(caller, "adopt")?;
        Ok(self.cart())
    }
    async fn checkout(&self, _: &Caller, _: CartId, _: CheckoutCart) -> Result<CartCheckoutInitiated, Error> {
        outside()
    }
}

#[async_trait]
impl OrdersApi for Shop {
    async fn place(&self, caller: &Caller, _: PlaceOrder) -> Result<Order, Error> {
        self.called(caller, "place")?;
        Ok(self.order.lock().unwrap().clone())
    }
    async fn order(&self, caller: &Caller, id: OrderId) -> Result<Order, Error> {
        self.called(caller, "order")?;
        caller.user()?;
        let order = self.order.lock().unwrap().clone();
        let is_seen = order.id == id && caller.user_id() == Some(order.user_id);
        is_seen.then_some(order).ok_or_else(|| Error::not_found("order_not_found", "there is no such order"))
    }
    async fn orders(&self, caller: &Caller, filter: OrderFilter, query: PageQuery) -> Result<Page<Order>, Error> {
        self.called(caller, "orders")?;
        caller.user()?;
        *self.order_filter.lock().unwrap() = Some(filter);
        let order = self.order.lock().unwrap().clone();
        let earlier = || Order { id: OrderId::new(), ..order.clone() };
        page(&[order.clone(), earlier(), earlier()], &query)
    }
    async fn orders_of_users(
        &self,
        caller: &Caller,
        ids: &[UserId],
        query: &PageQuery,
    ) -> Result<Vec<OrdersOfUser>, Error> {
        self.called(caller, "orders_of_users")?;
        let seen = ids.iter().filter(|id| caller.is_admin() || caller.user_id() == Some(**id));
        let order = self.order.lock().unwrap().clone();
        seen.map(|id| Ok(OrdersOfUser { user_id: *id, orders: page(std::slice::from_ref(&order), query)? })).collect()
    }
    async fn cancel(&self, caller: &Caller, _: OrderId, _: CancelOrder) -> Result<Order, Error> {
        self.called(caller, "cancel")?;
        Ok(Order { status: OrderStatus::Cancelling, ..self.order.lock().unwrap().clone() })
    }
    async fn ship(&self, caller: &Caller, _: OrderId) -> Result<Order, Error> {
        self.called(caller, "ship")?;
        Ok(Order { status: OrderStatus::Shipped, cancellable: false, ..self.order.lock().unwrap().clone() })
    }
    async fn deliver(&self, caller: &Caller, _: OrderId) -> Result<Order, Error> {
        self.called(caller, "deliver")?;
        Ok(Order { status: OrderStatus::Delivered, cancellable: false, ..self.order.lock().unwrap().clone() })
    }
    async fn timeline(&self, _: &Caller, _: OrderId) -> Result<Vec<TimelineEntry>, Error> {
        outside()
    }
    async fn timelines(&self, caller: &Caller, ids: &[OrderId]) -> Result<Vec<Timeline>, Error> {
        self.called(caller, "timelines")?;
        caller.user()?;
        let timeline = |order_id: &OrderId| {
            let (event, service) = ("OrderPlaced".to_owned(), "orders".to_owned());
            let entry = TimelineEntry { event, at: time(), service, detail: Some(order_id.to_string()) };
            Timeline { order_id: *order_id, entries: vec![entry] }
        };
        Ok(ids.iter().map(timeline).collect())
    }
    async fn sagas(&self, _: &Caller, _: SagaFilter, _: PageQuery) -> Result<Page<Saga>, Error> {
        outside()
    }
    async fn saga(&self, _: &Caller, _: uuid::Uuid) -> Result<SagaDetail, Error> {
        outside()
    }
    async fn retry_saga(&self, caller: &Caller, _: uuid::Uuid) -> Result<SagaDetail, Error> {
        self.called(caller, "retry_saga")?;
        Err(Error::conflict("saga_not_stuck", "this saga is not stuck"))
    }
}

impl Shop {
    fn payment(&self, order_id: OrderId) -> Payment {
        let refund = Refund {
            id: RefundId::new(),
            payment_id: self.payment_id,
            amount: euros("5.00"),
            reason: "damaged".into(),
            status: RefundStatus::Pending,
            failure_reason: None,
            created_at: time(),
            updated_at: time(),
        };
        Payment {
            id: self.payment_id,
            order_id,
            user_id: self.buyer.id,
            amount: euros("75.00"),
            payment_method: "pm_card_visa".into(),
            provider: "test".into(),
            status: PaymentStatus::Captured,
            captured: euros("75.00"),
            refunded: euros("0.00"),
            failure_code: None,
            failure_reason: None,
            correlation_id: CorrelationId::new(),
            refunds: vec![refund],
            created_at: time(),
            updated_at: time(),
        }
    }
}

#[async_trait]
impl PaymentsApi for Shop {
    async fn payments_of_order(&self, _: &Caller, _: OrderId) -> Result<Page<Payment>, Error> {
        outside()
    }
    async fn payment(&self, caller: &Caller, id: PaymentId) -> Result<Payment, Error> {
        self.called(caller, "payment")?;
        let found = (id == self.payment_id).then(|| Shop::payment(self, OrderId::new()));
        found.ok_or_else(|| Error::not_found("payment_not_found", "there is no such payment"))
    }
    async fn payments_of_orders(&self, caller: &Caller, ids: &[OrderId]) -> Result<Vec<Payment>, Error> {
        self.called(caller, "payments_of_orders")?;
        caller.user()?;
        Ok(ids.iter().map(|id| Shop::payment(self, *id)).collect())
    }
    async fn refund(&self, caller: &Caller, _: PaymentId, request: CreateRefund) -> Result<Refund, Error> {
        self.called(caller, "refund")?;
        *self.refunded.lock().unwrap() = Some(request);
        Ok(Shop::payment(self, OrderId::new()).refunds.remove(0))
    }
}

#[async_trait]
impl UsersApi for Shop {
    async fn register(&self, caller: &Caller, _: Register) -> Result<Registered, Error> {
        self.called(caller, "register")?;
        Ok(Registered {
            user: self.buyer.clone(),
            token: self.token(Role::User),
            refresh_token: Secret::new(REFRESH_TOKEN),
            refresh_expires_at: Utc::now() + TimeDelta::days(30),
        })
    }
    async fn login(&self, caller: &Caller, _: Login) -> Result<LoginAnswer, Error> {
        self.called(caller, "login")?;
        Ok(LoginAnswer {
            token: self.token(Role::User),
            user: self.buyer.clone(),
            refresh_token: Secret::new(REFRESH_TOKEN),
            expires_at: Utc::now(),
            refresh_expires_at: Utc::now() + TimeDelta::days(30),
        })
    }
    async fn refresh(&self, caller: &Caller, input: Refresh) -> Result<LoginAnswer, Error> {
        self.called(caller, "refresh")?;
        if input.refresh_token.reveal() != REFRESH_TOKEN {
            return Err(Error::unauthenticated("invalid_refresh_token", "this session is over"));
        }
        let next = Secret::new("0123456789abcdef");
        Ok(LoginAnswer { refresh_token: next, ..self.login(caller, nobody()).await? })
    }
    async fn logout(&self, caller: &Caller, _: Logout) -> Result<(), Error> {
        self.called(caller, "logout")
    }
    async fn users(&self, caller: &Caller, filter: UserFilter, query: PageQuery) -> Result<Page<User>, Error> {
        self.called(caller, "users")?;
        caller.admin()?;
        let another = User { id: UserId::new(), email: "annabel@example.com".into(), ..self.buyer.clone() };
        let mut all = vec![self.buyer.clone(), another];
        all.retain(|user| filter.q.as_ref().is_none_or(|q| user.email.starts_with(q)));
        page(&all, &query)
    }
    async fn set_role(&self, caller: &Caller, _: UserId, input: SetRole) -> Result<User, Error> {
        self.called(caller, "set_role")?;
        caller.admin()?;
        Ok(User { role: input.role, ..self.buyer.clone() })
    }
    async fn close_account(&self, caller: &Caller, _: CloseAccount) -> Result<(), Error> {
        self.called(caller, "close_account")?;
        caller.user().map(drop)
    }
    async fn profile(&self, caller: &Caller, id: UserId) -> Result<User, Error> {
        self.called(caller, "profile")?;
        let is_own = caller.user()?.user_id == id;
        is_own.then(|| self.buyer.clone()).ok_or_else(|| Error::not_found("user_not_found", "there is no such user"))
    }
    async fn users_by_ids(&self, caller: &Caller, ids: &[UserId]) -> Result<Vec<User>, Error> {
        self.called(caller, "users_by_ids")?;
        let own = caller.user()?.user_id;
        let is_seen = ids.contains(&self.buyer.id) && (caller.is_admin() || own == self.buyer.id);
        Ok(is_seen.then(|| self.buyer.clone()).into_iter().collect())
    }
    async fn update_profile(&self, caller: &Caller, _: UserId, _: UpdateProfile) -> Result<User, Error> {
        self.called(caller, "update_profile")?;
        Ok(self.buyer.clone())
    }
    async fn delete_profile(&self, _: &Caller, _: UserId) -> Result<(), Error> {
        outside()
    }
    async fn change_password(&self, caller: &Caller, _: ChangePassword) -> Result<(), Error> {
        self.called(caller, "change_password")?;
        caller.user().map(drop)
    }
    async fn export(&self, caller: &Caller, id: UserId) -> Result<Export, Error> {
        self.called(caller, "export")?;
        Ok(Export { exported_at: time(), user: self.profile(caller, id).await?, sessions: Vec::new() })
    }
}
