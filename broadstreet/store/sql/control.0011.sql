-- What a device may show in place of a secret, known by its fingerprint: certificates that our own authority made, and
-- those of the operator's, written down when they come first.
CREATE TABLE device_certificate (
    fingerprint  bytea PRIMARY KEY,                       -- SHA-256 of the certificate
    username     text COLLATE "C" NOT NULL REFERENCES device_login ON DELETE CASCADE,
    is_ours      boolean NOT NULL,                        -- whether our own authority made it
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);
CREATE INDEX device_certificate_username ON device_certificate (username);

-- Whoever keeps connections of devices open listens, and looks at once who may stay.
CREATE FUNCTION tell_device_login() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('device_login', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER told AFTER UPDATE OR DELETE ON device_login FOR EACH STATEMENT EXECUTE FUNCTION tell_device_login();
CREATE TRIGGER told AFTER UPDATE OR DELETE ON device_certificate
    FOR EACH STATEMENT EXECUTE FUNCTION tell_device_login();
