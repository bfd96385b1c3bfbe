-- Pictures that admins bring. Their file names are the SHA-256 of their bytes and an ending, so one picture lies here
-- once, whoever brings it how often, and what a name stands for never changes.
ALTER TABLE pictures
    ADD COLUMN size        integer     NOT NULL GENERATED ALWAYS AS (octet_length(bytes)) STORED,
    ADD COLUMN uploaded_by uuid,
    ADD COLUMN used_at     timestamptz NOT NULL DEFAULT now();
COMMENT ON TABLE pictures IS 'Of the demo, served as /images/{file}; uploaded, as /pictures/{file}';
COMMENT ON COLUMN pictures.uploaded_by IS 'Null: of the demo catalogue, and never pruned';
COMMENT ON COLUMN pictures.used_at IS
    'When it was last brought, given to a product or taken from one; unreferenced uploads are pruned a day after it';
CREATE INDEX pictures_uploads ON pictures (used_at) WHERE uploaded_by IS NOT NULL;
