package io.muster.device;

import io.muster.json.Json;
import io.muster.persistence.Ids;
import io.muster.spi.DeviceId;
import io.muster.spi.RegisteredDevice;
import io.muster.spi.SerialNumber;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/** A device. One per fleet and serial, which a unique constraint holds. */
@Entity
@Table(name = "device")
public class Device {

    /** The longest name. */
    public static final int MAX_NAME = 200;

    @Id
    private byte[] id;

    private String fleet;
    private String serial;
    private DeviceState state;
    private String name;
    private String attributes;

    @Column(name = "created_at")
    private Instant createdAt;

    /** For EclipseLink. */
    protected Device() {}

    /**
     * Makes an active device.
     *
     * @param name null for the serial
     * @param attributes String, Number or Boolean
     */
    public Device(
            byte[] id, String fleet, SerialNumber serial, String name, Map<String, Object> attributes, Instant at) {
        this.id = id.clone();
        this.fleet = fleet;
        this.serial = serial.value();
        this.state = DeviceState.ACTIVE;
        this.name = name;
        this.attributes = attributes.isEmpty() ? null : Json.text(attributes);
        this.createdAt = at;
    }

    /** Lets it authenticate again, or no more, or never again. Refused for a tombstone, and for a device that still waits. */
    public boolean become(DeviceState wanted) {
        if (state == DeviceState.RETIRED || state == DeviceState.PENDING && wanted != DeviceState.RETIRED) {
            return false;
        }
        state = wanted;
        return true;
    }

    /** Makes a tombstone a device again, which an operator's allowance permits. */
    public void revive() {
        state = DeviceState.ACTIVE;
    }

    /** Returns its id. */
    public DeviceId id() {
        return new DeviceId(Ids.hex(id));
    }

    /** Returns the bytes of its id. */
    public byte[] idBytes() {
        return id.clone();
    }

    /** Returns its fleet. */
    public String fleet() {
        return fleet;
    }

    /** Returns its serial. */
    public SerialNumber serial() {
        return new SerialNumber(serial);
    }

    /** Returns its state. */
    public DeviceState state() {
        return state;
    }

    /** Returns its name for people; its serial if it was given none. */
    public String name() {
        return name == null ? serial : name;
    }

    /** Returns its typed attributes; may be empty. */
    public Map<String, Object> attributes() {
        return Json.stored(attributes);
    }

    /** Returns when it first registered. */
    public Instant createdAt() {
        return createdAt;
    }

    /** Returns what a credential issuer sees of it and of the key that it offers. */
    public RegisteredDevice registered(Optional<Map<String, Object>> publicKey) {
        return new RegisteredDevice(id(), serial(), fleet, attributes(), publicKey);
    }
}
