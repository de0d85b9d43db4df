package io.muster.audit;

import io.muster.persistence.Ids;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;

/** One decision. When it was made is in its id. Never changed. */
@Entity
@Table(name = "audit_event")
public class AuditEvent {

    private static final int MAX_DETAIL = 500;

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

    AuditEvent(byte[] id, Audit.Type type, String fleet, String serial, byte[] deviceId, String who, String detail) {
        this.id = id;
        this.type = type.word();
        this.fleet = fleet;
        this.serial = serial;
        this.deviceId = deviceId;
        this.who = who;
        this.detail = detail == null || detail.length() <= MAX_DETAIL ? detail : detail.substring(0, MAX_DETAIL);
    }

    /** Returns its id, 32 hex digits. */
    public String id() {
        return Ids.hex(id);
    }

    /** Returns when it was decided. */
    public Instant at() {
        return Ids.time(id);
    }

    /** Returns what was decided, a word of {@link Audit.Type}. */
    public String type() {
        return type;
    }

    /** Returns the fleet, or null. */
    public String fleet() {
        return fleet;
    }

    /** Returns the serial, or null where it is not about one, or the device says it. */
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

    /** Returns the reason or what else there is to say, or null. */
    public String detail() {
        return detail;
    }
}
