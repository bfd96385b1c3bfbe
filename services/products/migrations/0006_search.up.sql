-- Finds products whose names look like words, small spelling mistakes forgiven. A function, because the operators
-- live wherever pg_trgm was installed, which may be a schema that is in no search path of ours, and because their
-- threshold is a setting: here it holds for this search alone.
DO $$
DECLARE
    home text;
BEGIN
    SELECT n.nspname INTO home FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_trgm';
    IF home IS NULL THEN
        RAISE NOTICE 'pg_trgm is not available; misspelt words are not found';
        CREATE FUNCTION similar_products(words text[]) RETURNS TABLE (id uuid, similarity real)
        LANGUAGE sql IMMUTABLE AS 'SELECT NULL::uuid, NULL::real WHERE false';
        RETURN;
    END IF;
    -- The first word is looked up in the index, so it should be the longest; each word has to be similar.
    EXECUTE format($definition$
        CREATE FUNCTION similar_products(words text[]) RETURNS TABLE (id uuid, similarity real)
        LANGUAGE sql STABLE STRICT ROWS 50 SET pg_trgm.word_similarity_threshold = 0.3
        AS $body$
            SELECT p.id, likeness.least
            FROM %1$I.products p
            CROSS JOIN LATERAL (
                SELECT min(%2$I.word_similarity(word, p.name)) AS least FROM unnest(words) AS word) likeness
            WHERE p.deleted_at IS NULL AND words[1] OPERATOR(%2$I.<%%) p.name AND likeness.least >= 0.3
            ORDER BY likeness.least DESC, p.id LIMIT 1000
        $body$ $definition$, current_schema(), home);
END $$;
COMMENT ON FUNCTION similar_products IS
    'Living products whose name has something similar to each of the words (the longest first): the best 1,000';
