// SPDX-License-Identifier: Apache-2.0
package io.muster.audit;

import io.muster.persistence.Ids;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;

/** One decision. Its id contains its time. Never changed. */
@Entity
@Table(name = "audit_event")
public class AuditEvent {

    /** The columns that {@link #of} reads. */
    public static final String COLUMNS = "id, type, fleet, serial, device_id, who, detail";

    private static final int MAX_DETAIL = 1200;

    @Id
    private byte[] id;

    private String type;
    private String fleet;
    private String serial;

    @Column(name = "device_id")
    private byte[] deviceId;

    private String who;
    private String detail;

    /** For EclipseLink. */
    protected AuditEvent() {}

    AuditEvent(byte[] id, String type, String fleet, String serial, byte[] deviceId, String who, String detail) {
        this.id = id;
        this.type = type;
        this.fleet = fleet;
        this.serial = serial;
        this.deviceId = deviceId;
        this.who = who;
        this.detail = bounded(detail);
    }

    private static String bounded(String detail) {
        return detail == null || detail.length() <= MAX_DETAIL ? detail : detail.substring(0, MAX_DETAIL);
    }

    /** Appends to the detail, before it is stored. */
    void add(String more) {
        detail = bounded(detail == null ? more : detail + more);
    }

    /** Reads an event from a row that has the columns {@value #COLUMNS} in this order. */
    public static AuditEvent of(ResultSet row) throws SQLException {
        return of(row, 1);
    }

    /** Reads an event from a row that has the columns {@value #COLUMNS} in this order, from this one on. */
    public static AuditEvent of(ResultSet row, int first) throws SQLException {
        AuditEvent event = new AuditEvent();
        event.id = row.getBytes(first);
        event.type = row.getString(first + 1);
        event.fleet = row.getString(first + 2);
        event.serial = row.getString(first + 3);
        event.deviceId = row.getBytes(first + 4);
        event.who = row.getString(first + 5);
        event.detail = row.getString(first + 6);
        return event;
    }

    /** Returns its id, 32 hex digits. */
    public String id() {
        return Ids.hex(id);
    }

    /** Returns when it was decided. */
    public Instant at() {
        return Ids.time(id);
    }

    /** Returns the kind of decision, a word of {@link Audit.Type}. */
    public String type() {
        return type;
    }

    /** Returns the fleet, or null. */
    public String fleet() {
        return fleet;
    }

    /** Returns the serial, or null if the decision is not about one, or the device has it. */
    public String serial() {
        return serial;
    }

    /** Returns the id of the device, or null. */
    public String deviceId() {
        return deviceId == null ? null : Ids.hex(deviceId);
    }

    /** Returns the operator who decided, or the address of the device that asked. */
    public String who() {
        return who;
    }

    /** Returns the reason or other details, or null. */
    public String detail() {
        return detail;
    }
}
