-- Who may connect to the broker: only hashes of passwords are kept.
-- depends: 0006.quality

CREATE TABLE device_credential (
    device      integer PRIMARY KEY REFERENCES device,
    hash        text NOT NULL CHECK (hash LIKE '$7$%'),
    created_at  timestamptz NOT NULL
);
COMMENT ON TABLE device_credential IS 'The password of a device at the broker, hashed as Mosquitto does it.';

CREATE TABLE service_credential (
    username    text PRIMARY KEY,
    hash        text NOT NULL CHECK (hash LIKE '$7$%'),
    created_at  timestamptz NOT NULL
);
COMMENT ON TABLE service_credential IS 'The same for users that are no device: collector, dispatcher, crews.';
