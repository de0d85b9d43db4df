package io.muster.spi;

import java.time.Instant;

/**
 * A registration was refused. Fired on the thread of the request; what an observer throws is logged and dropped.
 *
 * @param at when, by the clock of the node that refused it
 * @param fleet the fleet it asked to join
 * @param serial the serial it presented
 * @param reason the true reason, for operators only; the device was told none
 * @param repeat true if the serial belongs to a device that may not register again: perhaps a clone
 * @param origin the address it came from
 */
public record RegistrationRefused(
        Instant at, String fleet, SerialNumber serial, String reason, boolean repeat, String origin) {}
