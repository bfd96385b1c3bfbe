DROP TABLE inventory_locks;
DROP TABLE saga_states;
DROP TABLE cart_items;
DROP TABLE carts;
DROP TABLE products;
