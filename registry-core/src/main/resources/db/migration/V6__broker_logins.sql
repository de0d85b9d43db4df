-- What a broker that keeps the logins of devices itself may know: the secret of a credential, sealed under the master key with the
-- access key as its purpose. Written with the credential, and deleted once the broker has been told that the credential ended.
CREATE TABLE IF NOT EXISTS broker_login (
    broker     VARCHAR(64)    NOT NULL,
    access_key VARCHAR(64)    NOT NULL,
    device_id  BINARY(16)     NOT NULL,
    secret     VARBINARY(200) NOT NULL,
    PRIMARY KEY (broker, access_key)
) ${table};

CREATE INDEX IF NOT EXISTS broker_login_device ON broker_login (broker, device_id);

CREATE INDEX IF NOT EXISTS disconnection_device ON disconnection (broker, device_id);
