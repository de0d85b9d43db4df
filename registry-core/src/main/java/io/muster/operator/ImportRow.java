// SPDX-License-Identifier: Apache-2.0
package io.muster.operator;

import com.fasterxml.jackson.databind.JsonNode;
import io.muster.config.MusterConfig;
import io.muster.device.DeviceTag;
import io.muster.device.Storable;
import io.muster.fleet.FleetDocument;
import io.muster.json.Json;
import io.muster.json.MalformedJsonException;
import io.muster.ownership.ClaimCode;
import io.muster.verification.list.BlockedSerial;
import io.muster.verification.list.ExpectedSerial;
import io.muster.verification.list.Lot;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** One row of an import, with every fault of it. */
final class ImportRow {

    private static final int MAX_DIGITS = 100;
    static final String TAGS = "tags.";
    static final String ATTRIBUTES = "attributes.";
    private static final String ALL_TAGS = "tags";
    private static final String ALL_ATTRIBUTES = "attributes";
    static final String SERIAL = "serial";
    private static final String NAME = "name";
    private static final String LOT = "lot";
    private static final String STATE = "state";
    private static final String REASON = "reason";
    static final String CLAIM_CODE = "claimCode";
    /** Why a row was left out before. It is there for people who correct the row, and is not read. */
    static final String FAULT = "fault";

    private final FleetDocument fleet;
    private final List<String> faults = new ArrayList<>();
    private final Map<String, String> tags = new HashMap<>();
    private final Map<String, Object> attributes = new HashMap<>();
    private String serial;
    private String name;
    private String lot;
    private String state;
    private String reason;
    private ClaimCode claimCode;

    private ImportRow(FleetDocument fleet) {
        this.fleet = fleet;
    }

    /** Reads the fields of a CSV row; an empty one is absent. */
    static ImportRow csv(FleetDocument fleet, ImportHeader header, List<String> fields) {
        ImportRow row = new ImportRow(fleet);
        int columns = header.columns().size();
        // Spreadsheets and exports leave empty fields at the end of lines.
        int filled = fields.size();
        while (filled > columns && fields.get(filled - 1).isBlank()) {
            filled--;
        }
        if (filled != columns) {
            row.faults.add("has " + filled + " fields, the header has " + columns + " with a name");
            return row;
        }
        for (int i = 0; i < columns; i++) {
            if (!fields.get(i).isEmpty()) {
                row.csvField(header.columns().get(i), fields.get(i));
            }
        }
        row.check();
        return row;
    }

    /** Reads an element of a JSON array; a member that is null is absent. */
    static ImportRow json(FleetDocument fleet, JsonNode node) {
        ImportRow row = new ImportRow(fleet);
        if (!node.isObject()) {
            row.faults.add("must be an object");
            return row;
        }
        node.properties().forEach(member -> row.jsonMember(member.getKey(), member.getValue()));
        row.check();
        return row;
    }

    /** Tells whether a CSV file may have this column. */
    static boolean isColumn(String column) {
        return switch (column) {
            case SERIAL, NAME, LOT, STATE, REASON, CLAIM_CODE, FAULT, ALL_TAGS, ALL_ATTRIBUTES -> true;
            default ->
                (column.startsWith(TAGS) && Storable.isMemberName(column.substring(TAGS.length())))
                        || (column.startsWith(ATTRIBUTES)
                                && Storable.isMemberName(column.substring(ATTRIBUTES.length())));
        };
    }

    /** Returns a text of the import in a form that a message may repeat. */
    static String shown(String text) {
        String start = text.length() <= 64 ? text : text.substring(0, 64) + "...";
        return start.replaceAll("[^\\x20-\\x7e]", "?");
    }

    /** Returns every fault; the row is good if there is none. */
    List<String> faults() {
        return faults;
    }

    /** Returns the block that the row is, or empty if it lists an expected serial. Call it only on a good row. */
    Optional<BlockedSerial> blocked() {
        return isBlock() ? Optional.of(new BlockedSerial(serial, Optional.ofNullable(reason))) : Optional.empty();
    }

    /** Returns the serial, whether listed or blocked. Call it only on a good row. */
    String serial() {
        return serial;
    }

    /** Returns the expected serial that the row lists. Call it only on a good row that is no block. */
    ExpectedSerial expected() {
        return new ExpectedSerial(
                serial, Optional.ofNullable(name), Optional.ofNullable(lot), Map.copyOf(tags), Map.copyOf(attributes));
    }

    /** Returns the code that claims the serial, if the row has one. */
    Optional<ClaimCode> claimCode() {
        return Optional.ofNullable(claimCode);
    }

    private boolean isBlock() {
        return "blocked".equals(state);
    }

    private void csvField(String column, String field) {
        if (column.startsWith(TAGS)) {
            tag(column.substring(TAGS.length()), field);
        } else if (column.startsWith(ATTRIBUTES)) {
            attribute(column.substring(ATTRIBUTES.length()), typed(column.substring(ATTRIBUTES.length()), field));
        } else if (column.equals(ALL_TAGS) || column.equals(ALL_ATTRIBUTES)) {
            csvObject(column, field);
        } else if (!column.equals(FAULT)) {
            text(column, field);
        }
    }

    /** Reads all tags or attributes in one field, as exports have them. */
    private void csvObject(String column, String field) {
        try {
            jsonMember(column, Json.parse(field.getBytes(StandardCharsets.UTF_8)));
        } catch (MalformedJsonException e) {
            faults.add(column + " must be an object in JSON: " + e.getMessage());
        }
    }

    private void jsonMember(String member, JsonNode value) {
        if (value.isNull() || member.equals(FAULT)) {
            return;
        }
        switch (member) {
            case ALL_TAGS, ALL_ATTRIBUTES -> {
                if (!value.isObject()) {
                    faults.add(member + " must be an object");
                    return;
                }
                value.properties().forEach(each -> jsonValue(member, each.getKey(), each.getValue()));
            }
            case SERIAL, NAME, LOT, STATE, REASON, CLAIM_CODE -> {
                if (value.isTextual()) {
                    text(member, value.textValue());
                } else {
                    faults.add(member + " must be a string");
                }
            }
            default ->
                faults.add("\"" + shown(member)
                        + "\" is not a member; members are serial, name, lot, tags, attributes, state, reason and"
                        + " claimCode");
        }
    }

    private void jsonValue(String member, String key, JsonNode value) {
        if (!Storable.isMemberName(key)) {
            faults.add(member + ": \"" + shown(key) + "\" is not a name");
        } else if (member.equals(ALL_TAGS)) {
            if (value.isTextual()) {
                tag(key, value.textValue());
            } else {
                faults.add(TAGS + key + " must be a string");
            }
        } else if (value.isTextual()) {
            attribute(key, value.textValue());
        } else if (value.isBoolean()) {
            attribute(key, value.booleanValue());
        } else if (value.isNumber()) {
            attribute(key, value.decimalValue());
        } else {
            faults.add(ATTRIBUTES + key + " must be a string, a number or a boolean");
        }
    }

    private void text(String column, String field) {
        switch (column) {
            case SERIAL -> serial = field;
            case NAME -> name = checked(column, field, Storable.nameFault(field));
            case STATE -> state = field;
            case CLAIM_CODE -> {
                // The fault does not repeat the code.
                ClaimCode.fault(field)
                        .map(fault -> fault.equals(ClaimCode.MISTYPED)
                                ? fault + "; codes of 9 and of 21 symbols end in a check symbol"
                                : fault)
                        .ifPresent(fault -> faults.add(CLAIM_CODE + " " + fault));
                claimCode = ClaimCode.of(field).orElse(null);
            }
            case REASON -> reason = checked(column, field, Storable.textFault(field, BlockedSerial.MAX_REASON));
            default -> {
                if (!Lot.isName(field)) {
                    faults.add("lot must have 1 to " + Lot.MAX_NAME + " characters and no control characters");
                }
                lot = field;
            }
        }
    }

    private <T> T checked(String column, T value, Optional<String> fault) {
        fault.ifPresent(found -> faults.add(column + " " + found));
        return value;
    }

    private void tag(String key, String text) {
        if (key.equals(DeviceTag.SERIAL)) {
            faults.add("tags.serial is the serial itself and cannot be set");
        }
        if (DeviceTag.OF_OWNERS.contains(key)) {
            faults.add(TAGS + key + " says whom a device belongs to and cannot be set");
        }
        tags.put(key, checked(TAGS + key, text, Storable.tagFault(text)));
    }

    private Object typed(String key, String field) {
        MusterConfig.AttributeType type = fleet.types().get(key);
        if (type == MusterConfig.AttributeType.NUMBER && field.length() <= MAX_DIGITS) {
            try {
                return new BigDecimal(field);
            } catch (NumberFormatException e) {
                return field;
            }
        }
        // Spreadsheets write TRUE, whatever was typed.
        if (type == MusterConfig.AttributeType.BOOLEAN
                && (field.equalsIgnoreCase("true") || field.equalsIgnoreCase("false"))) {
            return field.equalsIgnoreCase("true");
        }
        return field;
    }

    private void attribute(String key, Object value) {
        MusterConfig.AttributeType type = fleet.types().get(key);
        if (type != null && !fits(type, value)) {
            faults.add(ATTRIBUTES + key + " must be a " + type.name().toLowerCase(Locale.ROOT));
        }
        attributes.put(key, checked(ATTRIBUTES + key, value, Storable.attributeFault(value)));
    }

    private static boolean fits(MusterConfig.AttributeType type, Object value) {
        return switch (type) {
            case STRING -> value instanceof String;
            case NUMBER -> value instanceof Number;
            case BOOLEAN -> value instanceof Boolean;
        };
    }

    private void check() {
        if (faults.isEmpty()) {
            // If a single member cannot be stored, the size of all together is not checked.
            Map<String, String> ofDevice = new LinkedHashMap<>(tags);
            if (lot != null) {
                // It is a tag of the device, too.
                ofDevice.put(DeviceTag.LOT, lot);
            }
            checked("tags", ofDevice, Storable.membersFault(ofDevice));
            checked("attributes", attributes, Storable.membersFault(attributes));
        }
        if (serial == null) {
            faults.add("serial is missing");
        } else {
            fleet.serials()
                    .of(serial)
                    .ifPresentOrElse(
                            spelled -> serial = spelled.value(),
                            () -> faults.add("serial must be " + fleet.serials().syntax()));
        }
        if (state != null && !state.equals("expected") && !isBlock()) {
            faults.add("state must be expected or blocked");
        }
        if (isBlock()
                && (name != null || lot != null || !tags.isEmpty() || !attributes.isEmpty() || claimCode != null)) {
            faults.add("a row that blocks has a reason and nothing else");
        }
        if (reason != null && !isBlock()) {
            faults.add("only a row with the state blocked has a reason");
        }
    }
}
