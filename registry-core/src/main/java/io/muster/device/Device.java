// SPDX-License-Identifier: Apache-2.0
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
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/** A device. A unique constraint permits one per fleet and serial. */
@Entity
@Table(name = "device")
public class Device {

    /** The longest name. */
    public static final int MAX_NAME = 200;

    /** The columns that {@link #of(ResultSet)} reads, of a table called d. */
    public static final String COLUMNS = "d.id, d.fleet, d.serial, d.state, d.name, d.attributes, d.created_at";

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

    /** Reads a device from a row that has the columns {@value #COLUMNS} in this order. */
    public static Device of(ResultSet row) throws SQLException {
        Device device = new Device();
        device.id = row.getBytes(1);
        device.fleet = row.getString(2);
        device.serial = row.getString(3);
        device.state = DeviceState.ofLetter(row.getString(4));
        device.name = row.getString(5);
        device.attributes = row.getString(6);
        device.createdAt = Instant.ofEpochMilli(row.getLong(7));
        return device;
    }

    /** Changes its state to active, disabled or retired. Refused for a tombstone, and for a device that still waits. */
    public boolean become(DeviceState wanted) {
        if (state == DeviceState.RETIRED || (state == DeviceState.PENDING && wanted != DeviceState.RETIRED)) {
            return false;
        }
        state = wanted;
        return true;
    }

    /** Makes a tombstone a device again, which an operator's allowance permits. */
    public void revive() {
        state = DeviceState.ACTIVE;
    }

    /**
     * Gives it another name.
     *
     * @param newName null for the serial
     */
    public void rename(String newName) {
        name = newName;
    }

    /**
     * Replaces its attributes.
     *
     * @param newAttributes String, Number or Boolean
     */
    public void describe(Map<String, Object> newAttributes) {
        attributes = newAttributes.isEmpty() ? null : Json.text(newAttributes);
    }

    /** Makes it a tombstone of which nothing is known but its id, fleet, serial and age. */
    public void erase() {
        state = DeviceState.RETIRED;
        name = null;
        attributes = null;
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

    /** Returns the device as a credential issuer sees it, with the key that it offers. */
    public RegisteredDevice registered(Optional<Map<String, Object>> publicKey) {
        return new RegisteredDevice(id(), serial(), fleet, attributes(), publicKey);
    }
}
