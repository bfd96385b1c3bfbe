DROP FUNCTION similar_products;
